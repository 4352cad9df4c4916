"""Indexes and statistics for questions of which many rows, or none, are the answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision: str | None = "0031"
branch_labels = None
depends_on = None

_NAMES = "gist_trgm_ops (siglen=64)"


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    # In the inverted indexes all names with 有限公司 were gone through, for each name that was looked for.
    for name, table, where in (
        ("ix_subject_name_key", "subject", None),
        ("ix_registration_former_name_key", "registration", "superseded_at IS NOT NULL"),
    ):
        op.drop_index(name, table_name=table)
        op.create_index(
            name,
            table,
            ["name_key"],
            unique=False,
            postgresql_using="gist",
            postgresql_ops={"name_key": _NAMES},
            postgresql_where=None if where is None else sa.text(where),
        )
    current = sa.text("superseded_at IS NULL")
    op.drop_index("ix_record_terms", table_name="record")
    op.create_index(
        "ix_record_terms",
        "record",
        ["source", "kind", "seriousness"],
        unique=False,
        postgresql_where=current,
    )
    op.drop_index("ix_record_fine", table_name="record")
    op.create_index(
        "ix_record_fine",
        "record",
        ["fine_amount", "kind", "seriousness"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL AND fine_amount IS NOT NULL"),
    )
    op.create_index(
        "ix_record_authority",
        "record",
        ["authority_uscc", "decided_on"],
        unique=False,
        postgresql_where=current,
    )
    op.create_index(
        "ix_record_item",
        "record",
        ["catalog_item_code", "decided_on"],
        unique=False,
        postgresql_where=current,
    )
    op.create_index(
        "ix_case_file_mechanism_due_on",
        "case_file",
        ["mechanism", "due_on"],
        unique=False,
        postgresql_where=sa.text("due_on IS NOT NULL AND closed_at IS NULL"),
    )
    op.create_index("ix_case_file_state", "case_file", ["state", "mechanism"], unique=False)
    # What goes with what: no licence has a fine, no penalty is without an adverse class, and most states are of some
    # mechanisms alone. Without these PostgreSQL takes each for as frequent among the others as among all.
    op.execute(
        "CREATE STATISTICS st_record_terms (mcv) ON kind, seriousness, (num_nulls(fine_amount)) FROM record"
    )
    op.execute("CREATE STATISTICS st_case_file_state (mcv) ON mechanism, state FROM case_file")
    op.execute("ANALYZE record, case_file")
