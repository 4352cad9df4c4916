"""A store with the province, and commands on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import asyncpg
import pytest

from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.embedded import EmbeddedPostgres
from tests.commands.shell import Shell
from tests.conftest import Database, copied_store


@pytest.fixture(scope="module")
async def store(
    postgres: EmbeddedPostgres, province_store: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A store with the province for the tests of this module."""
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="module")
def shell(store: Database, sandboxes: Mapping[str, str], state_dir: Path) -> Shell:
    """Commands on that store, with all sources connected."""
    given = {
        "HUB_DATABASE_URL": store.owner_dsn,
        "HUB_STATE_DIR": str(state_dir),
        **sandboxes,
        "HUB_DEMO": "true",
    }
    return Shell(given)


@pytest.fixture
async def empty(postgres: EmbeddedPostgres, database_names: Callable[[], str]) -> AsyncIterator[str]:
    """The address of a database without tables."""
    name = database_names()
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} OWNER hub_owner")
    yield postgres.dsn(database=name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def texts(state_dir: Path, tmp_path: Path) -> Path:
    """The demo agreements as files."""
    for partner, text in demo_agreements(demo_issuer(state_dir).key).items():
        (tmp_path / f"{partner}.toml").write_text(text, encoding="utf-8")
    return tmp_path
