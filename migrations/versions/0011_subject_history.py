"""What was believed of a subject at an earlier moment is found by an index, of every kind of fact."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    for name in ("record", "grade", "list_entry", "archive"):
        op.create_index(f"ix_{name}_subject_id", name, ["subject_id", "recorded_at"], unique=False)
