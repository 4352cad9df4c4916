"""The ledger's index leads to groups of eight neighbouring subjects, so that bulk checks cost PostgreSQL less.

Each subject that an answer tells of becomes an entry of this index. One at a time they are spread over all of it, and
to sort in those of a hundred subjects took longer than to write their block. Eight ids that follow each other share an
entry now: sorting them in takes a third of the time, and whoever asks who saw a subject reads blocks of its neighbours,
too, and leaves them out.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision: str | None = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(
        "CREATE FUNCTION subject_groups(ids bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
        " AS 'SELECT array(SELECT one >> 3 FROM unnest(ids) AS one)'"
    )
    # As the old one: brought up to date in the background, and what is in it is no business of the planner (0004).
    op.execute(
        "CREATE INDEX ix_ledger_block_subject_groups ON ledger_block USING gin (subject_groups(subjects))"
        " WITH (gin_pending_list_limit = 262144)"
    )
    op.execute("ALTER INDEX ix_ledger_block_subject_groups ALTER COLUMN 1 SET STATISTICS 0")
    op.drop_index("ix_ledger_block_subjects", "ledger_block")
