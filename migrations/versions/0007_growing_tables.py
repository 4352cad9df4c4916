"""Indexes for what is asked again and again of tables that only grow: pages of all entries and cases, and open deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_index(
        "ix_list_entry_page",
        "list_entry",
        ["recognized_on", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index("ix_case_file_opened_on", "case_file", ["opened_on", "public_id"], unique=False)
    op.create_index(
        "ix_delivery_out_item",
        "delivery_out",
        [sa.text("(payload ->> 'item')"), "channel", "delivery_id"],
        unique=False,
    )
    op.create_index(
        "ix_delivery_out_undelivered",
        "delivery_out",
        ["delivery_id"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('PENDING', 'SENT') OR state = 'FAILED' AND error_code IS DISTINCT FROM 'SUPERSEDED'"
        ),
    )
