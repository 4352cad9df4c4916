"""The store: what the migrations build, what each role may do to it, how its pools bear trouble."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from importlib.resources import files
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from hub.config import Settings
from hub.errors import StoreInvalid, StoreUnavailable
from hub.store import migration
from hub.store import reader as reading
from hub.store.database import VANISHED, Role, as_user, check_store, head, lent, open_pool, role_url
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import MIGRATION_LOCK, _alembic, migrate, migrated
from hub.store.reader import Reader
from hub.store.tables import metadata
from migrations.grants import GRANTS, ROLES
from tests.conftest import Database

TABLES = sorted(metadata.tables)
REFUSED = asyncpg.InsufficientPrivilegeError
# Statements of other tests must not matter here: these rows satisfy every constraint.
BLOCK = """
INSERT INTO ledger_block (chain, seq, algorithm, previous, digest, entries, entry_count, subjects)
VALUES (1, 1, 'SM3', '', '', '', 1, '{}')
"""
SUBJECT = """
INSERT INTO subject (kind, display_name, name_key) VALUES ('LEGAL_PERSON', '甲', '甲')
RETURNING subject_id
"""
GRADE = """
INSERT INTO grade (subject_id, data_class, scheme, grade_code, grade_label, ruleset_version, issuer_name,
  effective_from, source, source_record_id, provider_name, catalog_item_code, fetched_at, payload_digest,
  recorded_at)
VALUES ($1, 'D14', 'CUSTOMS', 'AEO', '高级认证企业', '1', '海关', '2024-01-01', 'CUSTOMS', '1', '海关', 'C1',
  now(), '', now())
"""


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def fresh(postgres: EmbeddedPostgres, name: str, options: str = "") -> str:
    """The address of a new empty database, as its owner."""
    async with connected(postgres.dsn("postgres", "postgres")) as admin:
        await admin.execute(f"CREATE DATABASE {name} OWNER hub_owner {options}")
    return postgres.dsn(database=name)


async def migrated_before(dsn: str, revision: str) -> None:
    """Bring a new store to the version before `revision`, without rights for its roles."""
    config = _alembic()
    before = ScriptDirectory.from_config(config).get_revision(revision).down_revision

    def upgrade(connection: Connection) -> None:
        config.attributes |= {"connection": connection, "grants": False}
        command.upgrade(config, str(before))

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()


async def refused(connection: asyncpg.Connection, statements: Sequence[str]) -> None:
    """Assert that every statement is refused for lack of rights, and not for anything else."""
    for statement in statements:
        with pytest.raises(REFUSED):
            await connection.execute(statement)


async def test_migrations_build_exactly_the_declared_tables(database: Database) -> None:
    def differences(connection: Connection) -> tuple[list[object], dict[str, set[str | None]]]:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata},
        )
        found = inspect(connection)
        checks = {table: {check["name"] for check in found.get_check_constraints(table)} for table in TABLES}
        return compare_metadata(context, metadata), checks

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database.owner_dsn)
    )
    async with engine.connect() as connection:
        changes, checks = await connection.run_sync(differences)
    await engine.dispose()
    assert changes == []
    declared = {
        name: {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        for name, table in metadata.tables.items()
    }
    assert {table: {str(name) for name in names} for table, names in checks.items()} == declared


async def test_check_constraints_say_what_is_declared(database: Database) -> None:
    """Names alone would let a changed value set pass; so definitions are compared."""
    query = """
        SELECT conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
    """
    async with connected(database.owner_dsn) as owner:
        built = dict(await owner.fetch(query))
        await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE EXTENSION pg_trgm")
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database.owner_dsn)
    )
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    async with connected(database.owner_dsn) as owner:
        assert built == dict(await owner.fetch(query))


async def test_migrating_twice_even_at_once_changes_nothing(
    postgres: EmbeddedPostgres,
) -> None:
    dsn = await fresh(postgres, "hub_twice")
    await asyncio.gather(migrated(dsn), migrated(dsn))
    await migrated(dsn)
    async with connected(dsn) as owner:
        assert await owner.fetchval("SELECT version_num FROM alembic_version") == head()


@pytest.mark.parametrize(
    "held", [f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})", "LOCK TABLE alembic_version"]
)
async def test_a_migration_that_a_lock_keeps_out_gives_up_and_says_so_in_one_line(
    database: Database, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    if "advisory" in held:
        monkeypatch.setattr(migration, "ANOTHER_MIGRATION_TIMEOUT", "100ms")
    async with connected(database.owner_dsn) as other, other.transaction():
        await other.execute(held)
        # For a table it waits a second, not the ten for another migration: readers queue behind it.
        async with asyncio.timeout(6):
            with pytest.raises(StoreUnavailable, match=r"held elsewhere.*again\.$") as caught:
                await migrated(database.owner_dsn)
        assert "\n" not in str(caught.value)
    await migrated(database.owner_dsn)


@pytest.mark.usefixtures("database")  # It makes the roles.
async def test_no_store_is_migrated_while_a_hub_serves_by_its_old_tables(postgres: EmbeddedPostgres) -> None:
    dsn = await fresh(postgres, "hub_beside")
    await migrated_before(dsn, head())
    serving = postgres.dsn("hub_reader", "hub_beside")
    async with connected(dsn) as owner:
        await owner.execute("GRANT CONNECT ON DATABASE hub_beside TO hub_reader")
        before = await owner.fetchval("SELECT version_num FROM alembic_version")
        async with connected(serving):
            with pytest.raises(
                StoreUnavailable, match=r"A hub still works .*1 connections.*each `harvest`, `import`"
            ):
                await migrated(dsn)
            assert await owner.fetchval("SELECT version_num FROM alembic_version") == before
        for _ in range(500):
            if not await owner.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hub_reader' AND datname = 'hub_beside'"
            ):
                break
            await asyncio.sleep(0.01)
    assert await migrated(dsn) == before
    # One that is up to date needs nothing of anybody.
    async with connected(serving):
        assert await migrated(dsn) == head()


async def test_an_older_hub_neither_migrates_nor_garbles_a_newer_store(database: Database) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreInvalid, match=r"9999, newer than this hub.*install the newer hub again"):
        await migrated(database.owner_dsn)


async def test_a_migration_whose_connection_is_cut_says_so_in_one_line(database: Database) -> None:
    async with connected(database.superuser_dsn) as admin:
        await admin.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        migrating = asyncio.create_task(migrated(database.owner_dsn))
        for _ in range(500):
            if await admin.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE wait_event = 'advisory' AND datname = current_database()"
            ):
                break
            await asyncio.sleep(0.01)
        with pytest.raises(StoreUnavailable, match=r"lost while it was migrated.*again\.$") as caught:
            await migrating
        assert "\n" not in str(caught.value)


async def test_a_migration_that_the_server_refuses_says_so_in_its_words_and_one_line(
    database: Database,
) -> None:
    # What may not be done, the server says better than any name of an error.
    with pytest.raises(StoreInvalid, match=r"not changed: cannot execute .*TransactionError\)\.$") as caught:
        await migrated(f"{database.owner_dsn}&default_transaction_read_only=on")
    assert "\n" not in str(caught.value)


def test_the_version_that_is_needed_is_the_last_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [head()]


def test_migrate_serves_callers_without_an_event_loop(postgres: EmbeddedPostgres) -> None:
    dsn = asyncio.run(fresh(postgres, "hub_plain"))
    migrate(dsn)


def test_every_table_is_granted_to_some_role_by_name() -> None:
    named = {table for tables in GRANTS.values() for table in tables}
    assert named == {*TABLES, "alembic_version"}
    assert set(GRANTS) == set(ROLES)


async def test_the_reader_cannot_write_anywhere(database: Database) -> None:
    async with connected(database.reader_dsn) as reader:
        await reader.execute("SET default_transaction_read_only = off; SET transaction_read_only = off")
        for table in [*TABLES, "alembic_version"]:
            await refused(
                reader,
                [f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}", f"TRUNCATE {table}"],
            )
            columns = await reader.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0", table
            )
            for row in columns:
                await refused(reader, [f'UPDATE {table} SET "{row["attname"]}" = DEFAULT'])
        await refused(
            reader,
            [
                "CREATE TABLE mine (x int)",
                "CREATE TEMPORARY TABLE mine (x int)",
                "CREATE SCHEMA mine",
                "SELECT * FROM subject FOR UPDATE",
                "COPY subject FROM STDIN",
            ],
        )


async def test_the_reader_sees_facts_but_no_ledger_agreement_raw_row_or_evidence(database: Database) -> None:
    hidden = [
        "ledger_block", "agreement", "quarantine", "delivery", "quota_use", "idempotency", "draw_seed",
        "list_definition_change", "key_check", "withdrawn_fact",
    ]  # fmt: skip
    parts = {
        "consent": "consent_id, withdrawn_at",
        "delivery_out": "delivery_id, action, state, receipt_no",
        "source_state": "source, status, as_of",
    }
    async with connected(database.reader_dsn) as reader:
        for table in TABLES:
            columns = parts.get(table, "*")
            if table in hidden:
                await refused(reader, [f"SELECT FROM {table}", f"SELECT count(*) FROM {table}"])
            else:
                # The migrations themselves fill the working calendar.
                filled = bool(await reader.fetch(f"SELECT {columns} FROM {table}"))
                assert filled is (table == "working_day")
        await refused(
            reader, ["SELECT evidence_digest FROM consent", "SELECT * FROM consent", "TABLE consent"]
        )
        # What is asked of a channel and how that went may be told; what was sent stands in the case, and is read there.
        await refused(reader, ["SELECT payload FROM delivery_out", "SELECT * FROM delivery_out"])
        await refused(reader, ["SELECT failing_since FROM source_state", "SELECT cursor FROM source_state"])


@pytest.mark.parametrize("role", ROLES)
async def test_no_role_can_become_another(database: Database, role: str) -> None:
    async with connected(as_user(database.owner_dsn, role)) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        others = {"hub_owner", "postgres", *ROLES} - {role}
        await refused(connection, [f"SET ROLE {other}" for other in sorted(others)])
        await refused(
            connection, ["CREATE ROLE mine", f"ALTER ROLE {role} SUPERUSER", "CREATE DATABASE mine"]
        )


async def test_the_writer_supersedes_facts_but_never_overwrites_or_deletes_them(database: Database) -> None:
    async with connected(database.writer_dsn) as writer:
        subject_id = await writer.fetchval(SUBJECT)
        await writer.execute(GRADE, subject_id)
        await refused(writer, ["UPDATE grade SET grade_code = 'B'", "UPDATE grade SET subject_id = 1"])
        # Keys of repetitions are forgotten after some days.
        await refused(writer, [f"DELETE FROM {table}" for table in TABLES if table != "idempotency"])
        await refused(writer, [f"TRUNCATE {table}" for table in TABLES])
        assert await writer.execute("UPDATE grade SET superseded_at = now()") == "UPDATE 1"


async def test_nobody_but_the_owner_can_change_a_block_of_the_ledger(database: Database) -> None:
    async with connected(database.writer_dsn) as writer:
        await writer.execute(BLOCK)
        await refused(writer, ["UPDATE ledger_block SET entries = ''", "DELETE FROM ledger_block"])
    async with connected(database.auditor_dsn) as auditor:
        assert await auditor.fetchval("SELECT entry_count FROM ledger_block") == 1
        await refused(auditor, [BLOCK, "UPDATE ledger_block SET entries = ''", "DELETE FROM ledger_block"])
        await refused(auditor, ["SELECT FROM record", "SELECT FROM quarantine", "SELECT FROM consent"])


async def test_strangers_cannot_connect_to_the_store(database: Database) -> None:
    async with connected(database.superuser_dsn) as admin:
        await admin.execute(
            "DO $$ BEGIN CREATE ROLE stranger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
    with pytest.raises(REFUSED, match="permission denied for database"):
        await asyncpg.connect(as_user(database.owner_dsn, "stranger"))


async def test_a_store_whose_name_search_ignores_chinese_is_refused(postgres: EmbeddedPostgres) -> None:
    dsn = await fresh(postgres, "hub_ascii", "TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    with pytest.raises(StoreInvalid, match="ignores Chinese"):
        await migrated(dsn)


async def test_an_empty_or_outdated_store_is_refused_with_the_command_that_helps(
    postgres: EmbeddedPostgres, database: Database
) -> None:
    empty = await fresh(postgres, "hub_empty")
    with pytest.raises(StoreInvalid, match="credithub migrate"):
        await open_pool(Settings(database_url=empty), Role.OWNER, 1)
    async with connected(database.owner_dsn) as owner:
        await owner.execute("UPDATE alembic_version SET version_num = '0000'")
        with pytest.raises(StoreInvalid, match=r"version 0000, this hub needs .*credithub migrate"):
            await check_store(owner)


async def test_a_store_that_cannot_be_reached_is_unavailable_and_its_password_is_not_told() -> None:
    settings = Settings(database_url="postgresql://hub_owner:s3cret@127.0.0.1:1/hub")
    for attempt in (open_pool(settings, "owner", 1), migrated(settings.database_url or "")):
        with pytest.raises(StoreUnavailable) as caught:
            await attempt
        assert "s3cret" not in str(caught.value) + repr(settings)


async def test_who_is_not_let_in_learns_which_variable_says_as_whom(database: Database) -> None:
    stranger = as_user(database.owner_dsn, "hub_nobody")
    for settings, told in (
        (Settings(database_auditor_url=stranger), r"as hub_auditor: .*; look at HUB_DATABASE_AUDITOR_URL\."),
        (Settings(database_url=stranger), r"as hub_owner: .*; look at HUB_DATABASE_URL\."),
    ):
        role = Role.OWNER if settings.database_url else Role.AUDITOR
        with pytest.raises(StoreUnavailable, match=told):
            await open_pool(settings, role, 1)
    with pytest.raises(StoreUnavailable, match=r"; look at HUB_DATABASE_URL\."):
        await migrated(stranger)


async def test_an_address_that_cannot_be_followed_is_told_by_its_variable(database: Database) -> None:
    settings = Settings(database_reader_url=f"{database.reader_dsn}&sslmode=some")
    with pytest.raises(StoreUnavailable, match=r"; look at HUB_DATABASE_READER_URL\."):
        await open_pool(settings, Role.READER, 1)


async def test_addresses_of_roles_that_were_mistaken_for_each_other_are_refused(database: Database) -> None:
    settings = Settings(database_reader_url=database.writer_dsn, database_writer_url=database.reader_dsn)
    with pytest.raises(
        StoreInvalid, match=r"HUB_DATABASE_READER_URL .* as hub_writer: it must be hub_reader"
    ):
        await open_pool(settings, Role.READER, 1)
    with pytest.raises(
        StoreInvalid, match=r"HUB_DATABASE_WRITER_URL .* as hub_reader: it must be hub_writer"
    ):
        await open_pool(settings, Role.WRITER, 1)


def test_each_role_has_its_own_address_and_never_the_owners_password() -> None:
    settings = Settings(database_url="postgresql://boss:s3cret@db.example:5433/hub?sslmode=verify-full")
    assert (
        role_url(settings, Role.READER) == "postgresql://hub_reader@db.example:5433/hub?sslmode=verify-full"
    )
    own = replace(settings, database_reader_url="postgresql://r:other@replica.example/hub")
    assert role_url(own, Role.READER) == "postgresql://r:other@replica.example/hub"
    assert role_url(own, Role.WRITER) == "postgresql://hub_writer@db.example:5433/hub?sslmode=verify-full"
    with pytest.raises(StoreInvalid):
        role_url(Settings(), Role.READER)


async def test_json_comes_as_the_bytes_that_the_server_made(database: Database) -> None:
    text = '{"名": [1, 2.50,  null]}'
    for pool in (database.reader, database.writer):
        assert await pool.fetchval(f"SELECT '{text}'::json") == text.encode()
        assert await pool.fetchval("SELECT $1::json", b"[ 1 ]") == b"[ 1 ]"


async def test_moments_in_answers_carry_the_offset_of_shanghai(database: Database) -> None:
    answer = await database.reader.fetchval("SELECT to_json('2024-06-01T00:00:00Z'::timestamptz)")
    assert answer == b'"2024-06-01T08:00:00+08:00"'


async def test_reading_connections_go_back_without_a_round_trip(database: Database) -> None:
    pool = await open_pool(database.settings, "reader", 1)
    assert await pool.fetchval("SELECT 41 + 1") == 42
    last = await database.reader.fetchval(
        "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%41%'"
    )
    await pool.close()
    assert last == "SELECT 41 + 1"


@pytest.mark.parametrize("role", ["reader", "writer", "auditor"])
async def test_whoever_vanished_without_a_word_is_noticed_within_a_minute(
    database: Database, role: str
) -> None:
    """A machine that lost its power while it harvested would keep the source to itself for two hours."""
    pool = await open_pool(Settings(database_url=database.owner_dsn), role, 1)
    told = await pool.fetch(
        "SELECT name, reset_val::int FROM pg_settings WHERE name LIKE 'tcp\\_%' ORDER BY name"
    )
    pool.terminate()
    found = {row["name"]: row["reset_val"] for row in told}
    idle, pause, tries = (found[f"tcp_keepalives_{name}"] for name in ("idle", "interval", "count"))
    assert 0 < idle + pause * tries <= 60, found
    # What was under way to it is given up as soon.
    assert 0 < found["tcp_user_timeout"] <= 60_000, found


async def test_long_statements_stay_prepared(database: Database) -> None:
    """asyncpg forgets statements over 15 KiB by default; a plan's statement may be longer."""
    statement = f"SELECT 1 /* {'long ' * 8_000} */"
    async with database.reader.acquire() as connection:
        assert await connection.fetchval(statement) == 1
        assert await connection.fetchval(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement = $1", statement
        )


async def test_a_statement_over_its_time_ends_on_the_server_too(database: Database) -> None:
    pool = await open_pool(replace(database.settings, database_timeout=0.2), "reader", 1)
    with pytest.raises((TimeoutError, asyncpg.QueryCanceledError)):
        await pool.fetchval("SELECT pg_sleep(30)")
    assert await pool.fetchval("SELECT 1") == 1, "the pool heals"
    assert (
        await database.reader.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        == 0
    )
    await pool.close()


async def test_a_frozen_server_is_given_up_in_bounded_time(database: Database) -> None:
    pool = await open_pool(replace(database.settings, database_timeout=0.3), "reader", 1)
    backend = await pool.fetchval("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            with pytest.raises(TimeoutError):
                await pool.fetchval("SELECT 1")
    finally:
        os.kill(backend, signal.SIGCONT)
        pool.terminate()


async def test_a_pool_heals_after_its_connections_were_cut(database: Database) -> None:
    async with connected(database.superuser_dsn) as admin:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hub_reader'"
        )
    await asyncio.sleep(0.05)
    answers = []
    for _ in range(4):
        with suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            answers.append(await database.reader.fetchval("SELECT 1"))
    assert answers[-2:] == [1, 1]


@pytest.mark.parametrize("ended", ["TIMEOUT", "CANCELLED"])
async def test_a_connection_given_in_the_turn_in_which_waiting_ends_is_not_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.1 if ended == "TIMEOUT" else 5)
    loop = asyncio.get_running_loop()
    reader = await Reader.open(database.settings, 1)
    try:
        line = reader._idle.pop()
        asked = asyncio.create_task(reader.row("SELECT 42", ()))
        await asyncio.sleep(0)
        # All of it falls due in one turn of the loop: first the connection is given, then the waiting ends.
        loop.call_later(0.05, reader._give, line)
        if ended == "CANCELLED":
            loop.call_later(0.06, asked.cancel)
        time.sleep(0.15)  # noqa: ASYNC251 -- the loop must not turn meanwhile
        if ended == "TIMEOUT":
            assert tuple(await asked) == (42,)
        else:
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert list(reader._idle) == [line]
        assert tuple(await reader.row("SELECT 43", ())) == (43,)
    finally:
        await reader.close()


async def test_a_statement_is_planned_for_its_values_only_where_that_is_asked(database: Database) -> None:
    """Whatever was asked on the same connection before."""
    mode = "SELECT current_setting('plan_cache_mode')"
    reader = await Reader.open(database.settings, 1)
    try:
        told = [(await reader.row(mode, (), anew=anew))[0] for anew in (False, True, True, False, True)]
        told += [(await reader.rows(mode, ()))[0][0], (await reader.row(mode, ()))[0]]
    finally:
        await reader.close()
    generic, custom = "force_generic_plan", "force_custom_plan"
    assert told == [generic, custom, custom, generic, custom, generic, generic]


async def test_who_waits_is_served_by_the_connections_that_are_left(database: Database) -> None:
    reader = await Reader.open(database.settings, 2)
    try:
        (cut,) = await reader.row("SELECT pg_backend_pid()", ())
        # Both connections are busy, the one that is to be cut first; two more requests wait.
        doomed = asyncio.create_task(reader.row("SELECT pg_sleep(30)", ()))
        busy = asyncio.create_task(reader.row("SELECT 1, pg_sleep(0.2)", ()))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(reader.row("SELECT 2", ())) for _ in range(2)]
        await asyncio.sleep(0.05)
        async with connected(database.superuser_dsn) as admin:
            await admin.execute("SELECT pg_terminate_backend($1)", cut)
        with pytest.raises(StoreUnavailable):
            await doomed
        assert [row[0] for row in await asyncio.gather(busy, *waiting)] == [1, 2, 2]
        # One of many opens the lost one anew; the others take what is there.
        rows = await asyncio.gather(*(reader.row("SELECT 3, pg_sleep(0.01)", ()) for _ in range(8)))
        assert [row[0] for row in rows] == [3] * 8
        assert (len(reader._idle), reader._missing) == (2, 0)
    finally:
        await reader.close()


async def test_when_no_connection_is_left_nobody_waits_for_one(database: Database) -> None:
    reader = await Reader.open(database.settings, 1)
    try:
        doomed = asyncio.create_task(reader.row("SELECT pg_sleep(30)", ()))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(reader.row("SELECT 2", ()))
        async with connected(database.superuser_dsn) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            )
        for one in (doomed, waiting):
            with pytest.raises(StoreUnavailable):
                await one
        assert (await reader.row("SELECT 4", ()))[0] == 4
    finally:
        await reader.close()


async def test_what_was_done_is_no_failure_though_its_connection_freezes_on_the_way_back(
    database: Database,
) -> None:
    backend = None
    try:
        async with lent(database.writer, 5, 0.1) as connection:
            backend = await connection.fetchval("SELECT pg_backend_pid()")
            os.kill(backend, signal.SIGSTOP)
    finally:
        if backend is not None:
            os.kill(backend, signal.SIGCONT)
    assert await database.writer.fetchval("SELECT 1") == 1, "the pool heals"


async def test_each_test_has_a_store_of_its_own(database: Database) -> None:
    """Together with the twin below: whichever runs first leaves nothing for the other."""
    assert await database.writer.fetchval(SUBJECT) == 1


async def test_each_test_has_a_store_of_its_own_again(database: Database) -> None:
    assert await database.writer.fetchval(SUBJECT) == 1


async def test_a_machine_that_vanished_while_it_migrated_is_noticed_within_a_minute(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the lock of migrations for two hours: no other would get it."""
    bounds: list[dict[str, str]] = []
    connect = asyncpg.connect

    async def noting(*place: Any, **said: Any) -> asyncpg.Connection:
        bounds.append(said["server_settings"])
        return await connect(*place, **said)

    monkeypatch.setattr("hub.store.migration.asyncpg.connect", noting)
    await migrated(database.owner_dsn)
    assert bounds
    assert all(VANISHED.items() <= one.items() for one in bounds)


def _refusing(words: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A server that refuses whoever greets it, as PgBouncer does when it is told what it does not know."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size - 4)
        told = b"SFATAL\0C08P01\0M" + words.encode() + b"\0\0"
        writer.write(b"E" + (len(told) + 4).to_bytes(4, "big") + told)
        await writer.drain()
        writer.close()

    return refuse


async def test_a_pooler_before_the_store_is_told_as_that(database: Database) -> None:
    words = "unsupported startup parameter: lock_timeout"
    told = f"{words} .*pooler stands before PostgreSQL: give the address of PostgreSQL itself"
    async with await asyncio.start_server(_refusing(words), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"postgresql://hub_owner@127.0.0.1:{port}/hub?sslmode=disable"
        with pytest.raises(StoreUnavailable, match=told):
            await open_pool(Settings(database_url=address), Role.WRITER, 1)
        with pytest.raises(StoreUnavailable, match=told):
            await migrated(address)


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
async def test_of_several_machines_none_of_which_is_the_one_that_is_asked_for_the_address_is_told(
    database: Database, role: Role
) -> None:
    address = f"{as_user(database.owner_dsn, role)}&target_session_attrs="
    setting = {Role.READER: "database_reader_url", Role.WRITER: "database_writer_url"}[role]
    with pytest.raises(
        StoreUnavailable, match=rf"asks for; `primary` is for all roles.*HUB_{setting.upper()}\.$"
    ):
        await open_pool(Settings(**{setting: f"{address}standby"}), role, 1)
    (await open_pool(Settings(**{setting: f"{address}primary"}), role, 1)).terminate()


async def test_a_pooler_that_drops_what_a_session_is_set_to_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements would have no bound, and names be looked for otherwise, and nobody would learn it."""
    create = asyncpg.create_pool

    def dropping(*place: Any, server_settings: dict[str, str], **said: Any) -> Any:
        return create(*place, server_settings={"application_name": "credithub"}, **said)

    monkeypatch.setattr("hub.store.database.asyncpg.create_pool", dropping)
    with pytest.raises(StoreInvalid, match=r"hub_reader is set to is lost on its way.*pooler"):
        await open_pool(Settings(database_url=database.owner_dsn), Role.READER, 1)


async def test_a_pooler_that_mixes_up_the_statements_of_several_is_told_as_that(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As PgBouncer does in transaction mode: another client has prepared its statements under the same names there.
    create = asyncpg.create_pool

    async def shared(*place: Any, **said: Any) -> asyncpg.Pool:
        pool = await create(*place, **said)
        async with pool.acquire() as connection:
            own = await connection.prepare("SELECT 1")
            last = int(own.get_name().strip("_").rpartition("_")[2], 16)
            for number in range(last + 1, last + 20):
                await connection.execute(f"PREPARE __asyncpg_stmt_{number:x}__ AS SELECT 1")
        return pool

    monkeypatch.setattr("hub.store.database.asyncpg.create_pool", shared)
    with pytest.raises(StoreUnavailable, match=r"already exists .*pooler stands before PostgreSQL"):
        await open_pool(Settings(database_url=database.owner_dsn), Role.WRITER, 1)
