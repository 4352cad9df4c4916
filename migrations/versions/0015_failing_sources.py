"""Since when the harvests of a source fail: its facts may stay fresh for months after the first of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("source_state", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
