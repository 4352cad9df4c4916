"""Of which records a source said that they are no more: what it said of them before does not bring them back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_table(
        "withdrawn_fact",
        sa.Column("source", CODE, nullable=False),
        sa.Column("fact", CODE, nullable=False),
        sa.Column("source_record_id", CODE, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "fact", "source_record_id", name=op.f("pk_withdrawn_fact")),
    )
