"""Every source is read once more from its beginning: cells as they show (connectors/shown.py), names in one line.

A decision whose number was read otherwise, 9 for 青商罚〔2026〕9号, stands beside the right one then: its source withdraws it.
"""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision: str | None = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.execute("UPDATE source_state SET cursor = NULL")
