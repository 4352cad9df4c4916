"""Of whom rows in quarantine tell, and who settled them how: of a subject that one names no “no” is said meanwhile.

Rows that wait already name nobody before their source delivers them again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None

CODES = postgresql.ARRAY(sa.Text(collation="C"))


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("subject", sa.Column("in_doubt", postgresql.JSONB()))
    for name in ("codes", "data_classes"):
        op.add_column("quarantine", sa.Column(name, CODES, nullable=False, server_default=sa.text("'{}'")))
    op.add_column("quarantine", sa.Column("settled_by", sa.Text()))
    op.add_column("quarantine", sa.Column("corrected", postgresql.ARRAY(sa.Text())))
    op.add_column("quarantine", sa.Column("dismissed_because", sa.Text()))
    op.create_index(
        "ix_quarantine_codes",
        "quarantine",
        ["codes"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
