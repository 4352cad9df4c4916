"""Who cleared the texts of a quarantined row for public view, when and why (R7.3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("quarantine", sa.Column("cleared_at", sa.DateTime(timezone=True)))
    op.add_column("quarantine", sa.Column("cleared_by", sa.Text()))
    op.add_column("quarantine", sa.Column("cleared_because", sa.Text()))
