"""Indexes for filters that few records of many may meet: what they are and who decided, and the fine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision: str | None = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_index(
        "ix_record_terms",
        "record",
        ["source", "kind", "seriousness", "catalog_item_code", "authority_uscc"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "ix_record_fine",
        "record",
        ["fine_amount"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL AND fine_amount IS NOT NULL"),
    )
