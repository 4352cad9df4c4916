"""An index that tells which deliveries have had their alarm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision: str | None = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_index(
        "ix_case_event_overdue",
        "case_event",
        [sa.text("(payload ->> 'delivery_id')")],
        unique=False,
        postgresql_where=sa.text("transition = 'delivery_overdue'"),
    )
