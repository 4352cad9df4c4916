"""Why a person found that the subjects of a quarantined row's numbers are one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision: str | None = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("quarantine", sa.Column("joined_because", sa.Text()))
