"""Names of firms with an ideograph that Python 3.11 does not know have a key with it, whatever Python made the one they had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from schema.names import name_key

revision = "0029"
down_revision: str | None = "0028"
branch_labels = None
depends_on = None

# Natural persons have no key, nor has what was joined to another.
_NAMES = "SELECT DISTINCT display_name FROM {table} WHERE name_key <> '' AND display_name ~ '[\U00020000-\U0003fffd]'"
_RENEWED = "UPDATE {table} SET name_key = :key WHERE display_name = :name AND name_key <> ''"


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    connection = op.get_bind()
    for table in ("subject", "registration"):
        named = [row[0] for row in connection.execute(sa.text(_NAMES.format(table=table)))]
        if named:
            keys = [{"key": name_key(name), "name": name} for name in named]
            connection.execute(sa.text(_RENEWED.format(table=table)), keys)
