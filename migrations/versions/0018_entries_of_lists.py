"""Two lists of the credit platform may decide under one number: an entry is named by its list, too."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision: str | None = "0017"
branch_labels = None
depends_on = None

_NAMED = r"regexp_replace({0}.source_record_id, '^(XY-[^:]+:[^:]+):', '\1:' || e.list_code || ':')"


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(
        f"""
        UPDATE withdrawn_fact w SET source_record_id = {_NAMED.format("w")}
        FROM (SELECT DISTINCT ON (source_record_id) source_record_id, list_code FROM list_entry
          WHERE source = 'CREDIT_PLATFORM' ORDER BY source_record_id, version_id DESC) e
        WHERE w.source = 'CREDIT_PLATFORM' AND w.fact = 'list_entry' AND w.source_record_id = e.source_record_id
        """  # noqa: S608 -- a constant of this program
    )
    op.execute(
        f"UPDATE list_entry e SET source_record_id = {_NAMED.format('e')} WHERE source = 'CREDIT_PLATFORM'"  # noqa: S608
    )
