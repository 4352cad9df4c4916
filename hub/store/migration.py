"""Brings the store to the version that this hub needs. Apart, so that a server that only serves does not load Alembic."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from hub.errors import StoreInvalid, StoreUnavailable
from hub.store.database import CONNECT_SECONDS, check_store

# Migrations wait no longer than this for a lock, so that they never queue the running hub behind them.
MIGRATION_LOCK_TIMEOUT = "10s"
# Serializes migrations of workers that start together (pg_advisory_lock; any constant of our own).
MIGRATION_LOCK = 0x43524544


def migrate(dsn: str) -> None:
    """Bring the store at `dsn` to the version this hub needs, with its roles and grants; `dsn` is its owner.

    Blocks, and needs a thread without a running event loop: `await asyncio.to_thread(migrate, dsn)`.
    Errors: StoreUnavailable, StoreInvalid.
    """
    asyncio.run(migrated(dsn))


async def migrated(dsn: str) -> None:
    """`migrate` for callers that have an event loop."""

    async def connect(*_: object, **__: object) -> asyncpg.Connection:
        return await asyncpg.connect(
            dsn, timeout=CONNECT_SECONDS, server_settings={"lock_timeout": MIGRATION_LOCK_TIMEOUT}
        )

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
        plain = await connect()
        try:
            await check_store(plain)
        finally:
            await plain.close()
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(
            f"The store cannot be reached to migrate it: {type(error).__name__}."
        ) from error
    except CommandError as error:
        raise StoreInvalid(f"The store cannot be migrated: {error}") from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
    command.upgrade(config, "head")


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    return config
