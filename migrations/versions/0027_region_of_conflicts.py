"""A conflict of lists lies in the region in which it was queued: who queued it goes on with it when the firm has moved."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision: str | None = "0026"
branch_labels = None
depends_on = None

# Where the firm was when it was queued, as far as its register told: it may have moved since, which is what this is about.
_WHERE_QUEUED = """
UPDATE case_file c SET region_code = coalesce((
    SELECT r.region_code FROM registration r
    WHERE r.subject_id = c.subject_id AND r.region_code IS NOT NULL AND r.recorded_at <= c.opened_at
      AND (r.superseded_at IS NULL OR r.superseded_at > c.opened_at)
    ORDER BY r.recorded_at DESC, r.version_id DESC LIMIT 1
  ), s.region_code)
FROM subject s
WHERE s.subject_id = c.subject_id AND c.mechanism = 'LIST_CONFLICT' AND c.region_code IS NULL
"""


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute(_WHERE_QUEUED)
