"""Of a consent it is kept when and by which operators it was taken in and withdrawn; of those from before, nobody knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision: str | None = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("consent", sa.Column("recorded_at", sa.DateTime(timezone=True)))
    op.add_column("consent", sa.Column("recorded_by", sa.Text()))
    op.add_column("consent", sa.Column("withdrawn_by", sa.Text()))
