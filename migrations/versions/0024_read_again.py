"""Every source is read once more from its beginning, and a row in quarantine is known again in the one that corrects it.

How rows are read was mended: places on watch lists are in force once recognized, a penalty's own last day has a column. A
source that gives only what is new would never bring what is stored to that. What is as it was stays as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision: str | None = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("quarantine", sa.Column("named", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("quarantine", sa.Column("changed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_quarantine_named",
        "quarantine",
        ["source", "named"],
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
    op.execute("UPDATE source_state SET cursor = NULL")
