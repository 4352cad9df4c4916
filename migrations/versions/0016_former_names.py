"""Former names of firms have the key that names are searched by, and an index of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from schema.names import name_key

revision = "0016"
down_revision: str | None = "0015"
branch_labels = None
depends_on = None

# Keys are made here, not in SQL: so many names at a time.
_PORTION = 10_000


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("registration", sa.Column("name_key", sa.Text()))
    connection = op.get_bind()
    names = [row[0] for row in connection.execute(sa.text("SELECT DISTINCT display_name FROM registration"))]
    op.execute("CREATE TEMPORARY TABLE key_of_name (name text, key text) ON COMMIT DROP")
    for start in range(0, len(names), _PORTION):
        portion = [{"name": name, "key": name_key(name)} for name in names[start : start + _PORTION]]
        connection.execute(sa.text("INSERT INTO key_of_name VALUES (:name, :key)"), portion)
    op.execute("UPDATE registration r SET name_key = k.key FROM key_of_name k WHERE r.display_name = k.name")
    op.alter_column("registration", "name_key", nullable=False)
    op.create_index(
        "ix_registration_former_name_key",
        "registration",
        ["name_key"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
        postgresql_where=sa.text("superseded_at IS NOT NULL"),
    )
