"""Who defined a list or changed its definition, when, and what it said before (R8.1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_table(
        "list_definition_change",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("list_code", sa.Text(collation="C"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_code"],
            ["list_definition.code"],
            name=op.f("fk_list_definition_change_list_code_list_definition"),
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_list_definition_change")),
    )
    op.create_index("ix_list_definition_change_list", "list_definition_change", ["list_code", "change_id"])
