"""Run by Alembic: applies the versions, then the grants, on the connection that hub.store.database hands over."""

from __future__ import annotations

from alembic import context

from hub.store.tables import metadata
from migrations.grants import apply_grants

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
    # Every time, not once: a table that a version adds is closed to all roles until it is named there.
    if context.config.attributes.get("grants", True):
        apply_grants(connection)
