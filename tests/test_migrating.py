"""Nobody works on a store by the tables of another version, begun before, while or after it is migrated."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from hub.config import Settings
from hub.errors import StoreInvalid, StoreUnavailable
from hub.store import database as store
from hub.store import migration
from hub.store.database import Role, head, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from hub.store.reader import Reader
from migrations.grants import SECURE_DATABASE
from tests.conftest import Database
from tests.test_database import connected, fresh, migrated_before

_HELD = 4711


@pytest.fixture
async def older(database: Database, postgres: EmbeddedPostgres) -> tuple[Settings, str]:
    """A store of the version before this one, with its rights, and what that version is."""
    dsn = await fresh(postgres, f"hub_older_{database.name}")
    await migrated_before(dsn, head())
    async with connected(dsn) as owner:
        await owner.execute(SECURE_DATABASE)
        await owner.execute("GRANT SELECT ON alembic_version TO hub_reader, hub_writer")
        before = await owner.fetchval("SELECT version_num FROM alembic_version")
    return replace(database.settings, database_url=dsn), before


@asynccontextmanager
async def long_migration(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Task[Any]]:
    """A migration that is half done for as long as the block lasts."""
    upgrade = migration.command.upgrade

    def slow(config: Any, revision: str) -> None:
        upgrade(config, revision)
        connection = config.attributes["connection"]
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_HELD})")

    monkeypatch.setattr(migration.command, "upgrade", slow)
    async with connected(dsn) as other, asyncio.TaskGroup() as group:
        await other.execute(f"SELECT pg_advisory_lock({_HELD})")
        migrating = group.create_task(migrated(dsn))
        while not await other.fetchval(
            f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {_HELD} AND NOT granted"
        ):
            assert not migrating.done()
            await asyncio.sleep(0.01)
        yield migrating
        await other.execute(f"SELECT pg_advisory_unlock({_HELD})")


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
async def test_a_hub_that_begins_while_the_store_is_migrated_does_not_get_in(
    older: tuple[Settings, str], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, before = older
    assert settings.database_url is not None
    async with long_migration(settings.database_url, monkeypatch) as migrating:
        with monkeypatch.context() as old:
            old.setattr(store, "head", lambda: before)
            with pytest.raises(StoreUnavailable, match="is being migrated: wait until"):
                (await open_pool(settings, role, 1)).terminate()
    assert migrating.result() == before
    with monkeypatch.context() as old:
        old.setattr(store, "head", lambda: before)
        with pytest.raises(StoreInvalid, match="newer than this hub"):
            await open_pool(settings, role, 1)
    (await open_pool(settings, role, 1)).terminate()


async def test_a_hub_whose_connections_were_ended_before_a_migration_gets_no_new_ones_after_it(
    older: tuple[Settings, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that hung goes on when the migration is over."""
    settings, before = older
    assert settings.database_url is not None
    with monkeypatch.context() as old:
        old.setattr(store, "head", lambda: before)
        writer, reader = await open_pool(settings, Role.WRITER, 1), await Reader.open(settings, 1)
        async with connected(store.as_user(settings.database_url, "postgres")) as admin:
            # What is migrated gives the right back; until then nobody comes again.
            name = await admin.fetchval("SELECT current_database()")
            await admin.execute(f"REVOKE CONNECT ON DATABASE {name} FROM hub_reader, hub_writer")
            await admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename IN ('hub_reader', 'hub_writer')"
            )
        old.undo()
        assert await migrated(settings.database_url) == before
        old.setattr(store, "head", lambda: before)
        caplog.clear()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await reader.row("SELECT 1", ())
            with pytest.raises((ConnectionError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
                await writer.fetchval("SELECT 1")
        told = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert sorted(one.getMessage().partition(":")[0] for one in told) == [
            "no connection as hub_reader",
            "no connection as hub_writer",
        ]
        assert all("newer than this hub" in one.getMessage() for one in told)
        writer.terminate()
        await reader.close()
