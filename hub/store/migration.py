"""Brings the store to the version that this hub needs. Apart, so that a server that only serves does not load Alembic."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from hub.errors import StoreInvalid, StoreUnavailable
from hub.store.database import CONNECT_SECONDS, VANISHED, Role, check_store, head, refuse_newer, spoken
from hub.store.tables import metadata

# How long a migration waits for another one; nobody else waits behind it.
ANOTHER_MIGRATION_TIMEOUT = "10s"
# How long it waits for a table. Whoever reads that table meanwhile queues behind it, even behind a mere ALTER that has
# not begun: so what runs beside it stands still for a second at most before the migration gives up.
TABLE_LOCK_TIMEOUT = "1s"
# Serializes migrations that start together (pg_advisory_lock; any constant of our own).
MIGRATION_LOCK = 0x43524544
# Classes of errors whose words may hold values of rows: bad values, broken constraints, and what code of the store raises.
_OF_ROWS = ("22", "23", "P0")
# Whose tables they are, where the role may not alter them. What it grants on them PostgreSQL then passes over in silence.
_OWNERS = """
SELECT current_user, pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1::text[]) AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1
"""
# Connections of those who serve and work; what else there is to know of them is hidden from the owner.
_OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY ($1::text[])
"""
# Whoever connects meanwhile reads the version first (`check_store`), and neither gets in nor reads an old one.
_CLOSED = "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"
# Channels let no delivery undo one of a higher number. A store that was restored has forgotten the last ones it gave: it goes
# on from the present (milliseconds since 1970), where none was given yet.
_FORWARD = """
SELECT setval(numbers, present) FROM delivery_out_delivery_id_seq,
  LATERAL (SELECT 'delivery_out_delivery_id_seq'::regclass AS numbers, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
    AS present) AS now
WHERE last_value < present
"""
# Another holds a lock; each waits for the other.
_HELD = (asyncpg.LockNotAvailableError.sqlstate, asyncpg.DeadlockDetectedError.sqlstate)


def migrate(dsn: str) -> str | None:
    """Bring the store at `dsn` to the version this hub needs, with its roles and grants; `dsn` is its owner.

    Gives the version that it had, None where there were no tables yet. Blocks, and needs a thread without a running
    event loop: `await asyncio.to_thread(migrate, dsn)`.
    Errors: StoreUnavailable, StoreInvalid.
    """
    return asyncio.run(migrated(dsn))


async def migrated(dsn: str) -> str | None:
    """`migrate` for callers that have an event loop."""

    async def connect(*_: object, **__: object) -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_SECONDS,
            server_settings={"lock_timeout": ANOTHER_MIGRATION_TIMEOUT, **VANISHED},
        )

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            before = await connection.run_sync(_upgrade)
        plain = await connect()
        try:
            await check_store(plain)
        finally:
            await plain.close()
        return before
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(
            f"The store cannot be reached to migrate it: {type(error).__name__}."
        ) from error
    except DBAPIError as error:
        if error.statement is None and error.orig is not None:
            # It did not come to a statement: a wrong password, role or database.
            reason = spoken(error.orig.__cause__ or error.orig)
            raise StoreUnavailable(
                f"The store cannot be reached to migrate it: {reason}; look at HUB_DATABASE_URL."
            ) from error
        if getattr(error.orig, "sqlstate", None) in _HELD:
            raise StoreUnavailable(
                "A lock that the migration needs is held elsewhere, by another migration or by a statement that runs: "
                "nothing was changed; run `credithub migrate` again."
            ) from error
        if error.connection_invalidated:
            raise StoreUnavailable(
                "The store was lost while it was migrated: run `credithub migrate` again."
            ) from error
        raise StoreInvalid(
            f"The store cannot be migrated, and was not changed: {_words(error.orig)}"
        ) from error
    except CommandError as error:
        raise StoreInvalid(f"The store cannot be migrated: {error}") from error
    finally:
        await engine.dispose()


def _words(error: BaseException | None) -> str:
    """What the server said and of what kind it is; the kind alone where its words may hold values of rows."""
    said = error.__cause__ if error is not None else None
    words = type(said or error).__name__
    if isinstance(said, asyncpg.PostgresError) and (said.sqlstate or "")[:2] not in _OF_ROWS:
        words = f"{said.args[0]} ({words})"
    return f"{words}."


def _upgrade(connection: Connection) -> str | None:
    foreign = connection.exec_driver_sql(_OWNERS, ([*metadata.tables, "alembic_version"],)).first()
    if foreign is not None:
        raise StoreInvalid(
            f"The role {foreign[0]} may not migrate the store, which is {foreign[1]}'s: nothing was changed; give the address of"
            " its owner in HUB_DATABASE_URL."
        )
    config = _alembic()
    config.attributes["connection"] = connection
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_LOCK_TIMEOUT}'")
    before = MigrationContext.configure(connection).get_current_revision()
    if before is not None and before != head():
        refuse_newer(before)
        # First the door, then who is inside: who comes between the two waits at the door, and is counted, too.
        connection.exec_driver_sql(_CLOSED)
        _refuse_beside_others(connection)
    command.upgrade(config, "head")
    connection.exec_driver_sql(_FORWARD)
    return before


def _refuse_beside_others(connection: Connection) -> None:
    """Whoever serves or works looks at the version when it connects: it would go on by the tables as they were."""
    others = connection.exec_driver_sql(_OTHERS, ([Role.READER, Role.WRITER],)).scalar_one()
    if others:
        raise StoreUnavailable(
            f"A hub still works with the store ({others} connections of {Role.READER} and {Role.WRITER}): nothing was changed;"
            " stop every `serve` and `worker`, and each `harvest`, `import` or other command that runs,"
            " on all machines, and run `credithub migrate` again."
        )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    return config
