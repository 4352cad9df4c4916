"""Open cases of a mechanism are found by an index of their own.

The worker looks for them every few minutes: what waits to be published, repairs that the channels may have followed,
measures in effect. By the index of pages it read every case that the mechanism ever had.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision: str | None = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_index(
        "ix_case_file_open",
        "case_file",
        ["mechanism", "state"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
