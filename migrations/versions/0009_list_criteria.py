"""What puts a subject on a list and what follows from it (R8.1). Lists that stand already: the next harvest fills it in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("list_definition", sa.Column("criteria", sa.Text()))
    op.add_column("list_definition", sa.Column("measures", sa.Text()))
