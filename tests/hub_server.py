"""A whole hub for tests: a small province harvested once, a copy of its store for each module, a real server."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from connectors.contract import Tools
from hub.config import Settings
from hub.harvest.affiliation import take_affiliations
from hub.harvest.run import harvest_all
from hub.rights.agreement import today_in
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.province import Province
from hub.sandbox.run import province_in, running
from hub.sandbox.tokens import demo_token
from hub.server import listen, server
from hub.store.database import Role, as_user, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.coordinates import vocabulary
from schema.persons import hmac_sm3
from tests.conftest import Database, copied_store

SUBJECTS = 200
# The well-known merchant with a story; the mall's merchant and the chamber's member.
MERCHANT = "91630103MA75ABCD1M"
CHECK = "query Check($code: String!) { subject(value: $code) { displayName } }"
# Where others work beside it, a store may take its time; what must be told in time is measured where nothing else runs.
PATIENT = {"HUB_DATABASE_TIMEOUT": "20", "HUB_COMMAND_TIMEOUT": "20", "HUB_SOURCE_DEADLINE": "8"}
START_SECONDS = 30.0
STOP_SECONDS = 15.0


@dataclass
class Hub:
    """A running hub and what its guests need."""

    url: str
    settings: Settings
    _tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for tests that speak HTTP by hand."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    @property
    def graphql(self) -> str:
        """The address of the GraphQL endpoint."""
        return f"{self.url}/graphql"

    def token(self, partner: str, purpose: str | None = None) -> str:
        """A token of a demo partner; the same each time."""
        key = (partner, purpose)
        if key not in self._tokens:
            self._tokens[key] = demo_token(self.settings, partner, purpose, 3600, datetime.now(UTC))
        return self._tokens[key]

    def headers(self, partner: str = "mall", purpose: str | None = None, **more: str) -> dict[str, str]:
        """The headers with which a partner asks; names with underscores stand for hyphens."""
        extra = {name.replace("_", "-"): value for name, value in more.items()}
        return {"authorization": f"Bearer {self.token(partner, purpose)}", **extra}

    def post(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        partner: str = "mall",
        purpose: str | None = None,
        **more: str,
    ) -> httpx.Response:
        """Ask over a connection of its own."""
        body = {"query": query, **({"variables": variables} if variables is not None else {})}
        return httpx.post(
            self.graphql,
            json=body,
            headers=self.headers(partner, purpose, **more),
            timeout=30,
            trust_env=False,
        )

    def check(self, partner: str = "mall", code: str = MERCHANT) -> httpx.Response:
        """The plain merchant check."""
        return self.post(CHECK, {"code": code}, partner)


@contextmanager
def hub_at(settings: Settings) -> Iterator[Hub]:
    """Serve the hub on a free port of loopback, on a thread and an event loop of its own."""
    settings = replace(settings, port=0)
    ready = threading.Event()
    with listen(settings) as listening:
        running_server = server(settings, lambda _: ready.set(), own_process=False)
        thread = threading.Thread(
            target=running_server.run, kwargs={"sockets": [listening]}, name="hub", daemon=True
        )
        thread.start()
        end = time.monotonic() + START_SECONDS
        while not ready.wait(0.02) and thread.is_alive() and time.monotonic() < end:
            pass
        try:
            assert ready.is_set(), "the hub did not start; its log says why"
            yield Hub(f"http://127.0.0.1:{listening.getsockname()[1]}", settings)
        finally:
            running_server.should_exit = True
            thread.join(STOP_SECONDS)
            assert not thread.is_alive(), "the hub did not stop"


async def agreed(settings: Settings) -> None:
    """Put the agreements of all demo partners into force."""
    issuer = demo_issuer(settings.state_dir)
    pool = await open_pool(settings, Role.WRITER, 1)
    await apply_agreements(
        pool,
        demo_agreements(issuer.key).values(),
        load_matrix(),
        datetime.now(UTC),
        "test",
        vocabulary().coordinates,
    )
    pool.terminate()


async def harvested(settings: Settings, province: Province) -> None:
    """Harvest everything, and hand in the lists of members and merchants."""
    now = datetime.now(UTC)
    tools = Tools(
        digest_person_id=lambda number: hmac_sm3(settings.id_key, number),
        deadline=settings.harvest_deadline,
        now=lambda: datetime.now(UTC),
    )
    pool = await open_pool(settings, Role.WRITER, 2)
    outcomes = await harvest_all([], settings.source_settings, tools, pool, lambda _: None)
    assert {one.status for one in outcomes} == {"OK"}, outcomes
    codes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in province.affiliations():
        codes[one.partner, one.kind].append(one.uscc)
    for (partner, kind), listed in codes.items():
        await take_affiliations(pool, partner, kind, listed, today_in(now))
    pool.terminate()


@pytest.fixture(scope="session")
async def sandboxes(postgres: EmbeddedPostgres, state_dir: Path) -> AsyncIterator[Mapping[str, str]]:
    """The sandboxes of all sources over a small province, and the settings that lead to them."""
    async with running(state_dir, SUBJECTS, postgres, today_in(datetime.now(UTC))) as (addresses, _):
        yield addresses


@pytest.fixture(scope="session")
async def province_store(
    postgres: EmbeddedPostgres, template: str, state_dir: Path, sandboxes: Mapping[str, str]
) -> str:
    """The name of a database with the province harvested and the demo agreements in force."""
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE hub_province TEMPLATE {template} OWNER hub_owner")
    settings = hub_settings(postgres.dsn(database="hub_province"), state_dir, sandboxes)
    await agreed(settings)
    await harvested(settings, province_in(state_dir, SUBJECTS, today_in(datetime.now(UTC))))
    # A template has no connections, and those given up a moment ago may not have ended yet.
    await admin.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'hub_province'"
    )
    await admin.close()
    return "hub_province"


@pytest.fixture(scope="session")
async def fragile(
    disk_dir: Path, state_dir: Path, sandboxes: Mapping[str, str]
) -> AsyncIterator[EmbeddedPostgres]:
    """A server of its own with the province in its store, for tests that kill, freeze or lock it.

    It waits for the disk as in life. Whoever breaks it leaves it whole.
    """
    own = EmbeddedPostgres(disk_dir / "fragile", {"shared_buffers": "64MB"})
    own.start()
    await migrated(own.dsn())
    settings = hub_settings(own.dsn(), state_dir, sandboxes)
    await agreed(settings)
    await harvested(settings, province_in(state_dir, SUBJECTS, today_in(datetime.now(UTC))))
    yield own
    own.destroy()


def hub_settings(dsn: str, state_dir: Path, sources: Mapping[str, str], **more: str) -> Settings:
    """The settings of a test's hub, as its environment would give them."""
    return Settings.from_env(
        {
            "HUB_DATABASE_URL": dsn,
            "HUB_STATE_DIR": str(state_dir),
            "HUB_DEMO": "true",
            "HUB_PORT": "0",
            "HUB_POOL_SIZE": "4",
            **sources,
            **more,
        }
    )


@dataclass
class ProvinceHub(Hub):
    """A hub over a copy of the province that the test may change."""

    database: Database = field(kw_only=True)

    async def fingerprint(self) -> Mapping[str, tuple[int, str]]:
        """Rows and digest of every table but those that count use: what a refused request must leave alone."""
        connection = await asyncpg.connect(as_user(self.database.owner_dsn, "postgres"))
        try:
            tables = await connection.fetch(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
                " AND relnamespace = 'public'::regnamespace ORDER BY 1"
            )
            return {
                name: tuple(
                    await connection.fetchrow(
                        "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '')"
                        f" FROM {name} t"
                    )
                )
                for (name,) in tables
                if name != "quota_use"
            }
        finally:
            await connection.close()


@asynccontextmanager
async def province_hub(
    postgres: EmbeddedPostgres,
    store: str,
    name: str,
    state_dir: Path,
    sources: Mapping[str, str],
    **more: str,
) -> AsyncIterator[ProvinceHub]:
    """A hub over a fresh copy of the province; `more` are settings (HUB_…) that differ."""
    async with copied_store(postgres, store, name, state_dir) as copy:
        with hub_at(hub_settings(copy.owner_dsn, state_dir, sources, **PATIENT | more)) as found:
            yield ProvinceHub(found.url, found.settings, database=copy)


@pytest.fixture(scope="module")
async def hub(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
) -> AsyncIterator[ProvinceHub]:
    """A hub over the province for all tests of a module."""
    async with province_hub(postgres, province_store, database_names(), state_dir, sandboxes) as found:
        yield found
