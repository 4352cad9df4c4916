"""What each delivery asks its channel to do, in a column of its own; rows that are there get it from their payload."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision: str | None = "0019"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column(
        "delivery_out",
        sa.Column("action", CODE, sa.Computed("payload ->> 'action'", persisted=True), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_delivery_out_action_known"), "delivery_out", "action IN ('PUBLISH', 'WITHDRAW', 'EXIT')"
    )
