"""By which key the numbers of persons were made unreadable, and an index of the rows that wait in quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_table(
        "key_check",
        sa.Column("variable", CODE, nullable=False),
        sa.Column("digest", CODE, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("variable", name=op.f("pk_key_check")),
    )
    op.create_index(
        "ix_quarantine_open",
        "quarantine",
        ["source", "quarantined_at"],
        unique=False,
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
