"""A member of the association has one grade: it is known by the member's number, no longer by that of the certificate."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision: str | None = "0024"
branch_labels = None
depends_on = None

# Of several that stand of a firm, each by a certificate of its own, the one that the association told of last is the grade.
_END = """
UPDATE grade g SET superseded_at = now()
FROM (
  SELECT version_id, row_number() OVER (
    PARTITION BY subject_id ORDER BY source_updated_at DESC NULLS LAST, effective_from DESC, version_id DESC
  ) AS place
  FROM grade WHERE source = 'ASSOCIATION' AND superseded_at IS NULL
) told
WHERE told.version_id = g.version_id AND told.place > 1
"""
# The archive of the member tells its number. Of a firm that is a member twice nobody knows which of the two is graded: its
# grade stays under the certificate's until its term is over.
_RENAME = """
UPDATE grade g SET source_record_id = 'XH-GRADE:' || m.number
FROM (
  SELECT subject_id, min(substr(source_record_id, length('XH-ARCHIVE:') + 1)) AS number
  FROM archive
  WHERE source = 'ASSOCIATION' AND source_record_id LIKE 'XH-ARCHIVE:%' AND superseded_at IS NULL
  GROUP BY subject_id HAVING count(*) = 1
) m
WHERE g.subject_id = m.subject_id AND g.source = 'ASSOCIATION' AND g.superseded_at IS NULL
"""
# A grade that was withdrawn before stands still, for no row said so: every member is read once more.
_AGAIN = "UPDATE source_state SET cursor = NULL WHERE source = 'ASSOCIATION'"


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(_END)
    op.execute(_RENAME)
    op.execute(_AGAIN)
