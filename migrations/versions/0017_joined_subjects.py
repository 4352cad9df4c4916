"""Which subject another one turned out to be: a number that it was known by alone is one of a subject with a code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision: str | None = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("subject", sa.Column("joined_to", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_subject_joined_to"), "subject", "subject", ["joined_to"], ["subject_id"])
    op.create_index(
        "ix_subject_joined_to", "subject", ["joined_to"], postgresql_where=sa.text("joined_to IS NOT NULL")
    )
