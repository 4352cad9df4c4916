"""A row in quarantine says of what it tells and when that changed, so that the row that corrects it is known wherever it comes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision: str | None = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("quarantine", sa.Column("named", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("quarantine", sa.Column("changed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_quarantine_named",
        "quarantine",
        ["source", "named"],
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
