"""The seeds of random inspections, kept apart from the cases until they are published (R6.3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_table(
        "draw_seed",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(seed) = 32", name=op.f("ck_draw_seed_seed_length")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_draw_seed_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_draw_seed")),
    )
