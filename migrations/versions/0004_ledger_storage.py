"""The ledger is written without compression, and its index of subjects is brought up to date in the background.

Both are paid by every answer, which leaves only when its block is committed: compressing a block of a hundred
subjects takes longer than writing it, and so does sorting each of them into the index. New blocks go to the
index's pending list, which a search reads too; autovacuum empties it every minute, many blocks at a time, when
it analyses the table (GIN, "fast update"). The limit is only reached where autovacuum does not run.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None

PENDING_KILOBYTES = 262_144
# Analysed often, so from a small sample; what is in a block is no business of the planner.
SAMPLED, UNSAMPLED = (
    ("chain", "seq", "committed_at", "entry_count"),
    ("algorithm", "previous", "digest", "entries", "subjects"),
)


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(
        "ALTER TABLE ledger_block ALTER entries SET STORAGE EXTERNAL, ALTER subjects SET STORAGE EXTERNAL"
    )
    columns = [f"ALTER {name} SET STATISTICS 10" for name in SAMPLED]
    columns += [f"ALTER {name} SET STATISTICS 0" for name in UNSAMPLED]
    op.execute(f"ALTER TABLE ledger_block {', '.join(columns)}")
    op.execute(
        "ALTER TABLE ledger_block"
        " SET (autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0)"
    )
    op.execute(f"ALTER INDEX ix_ledger_block_subjects SET (gin_pending_list_limit = {PENDING_KILOBYTES})")
