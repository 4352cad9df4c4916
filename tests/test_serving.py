"""`credithub serve` in production: several workers, signals, pages for operators, and what the logs may hold."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.ledger.audit import verify
from hub.sandbox.tokens import demo_token
from hub.store.database import as_user
from hub.store.embedded import EmbeddedPostgres
from tests.command_line import CREDITHUB, READY, Running, alive, credithub, environment, launched, started
from tests.conftest import Database, copied_store
from tests.hub_server import CHECK, MERCHANT, ProvinceHub, hub_settings

pytestmark = pytest.mark.long

WORKERS = 2
KEYS = {"HUB_ID_KEY": "5a" * 32, "HUB_CURSOR_KEY": "a5" * 32}
# What only a careless log would hold.
CANARY = "CANARY7q3x"
RESIDENT = "63010419900307123X"
QUOTING = f"""
CREATE FUNCTION quoting(row_of subject) RETURNS boolean LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '{CANARY} in %', row_of; END $$;
CREATE POLICY quotes ON subject USING (quoting(subject));
ALTER TABLE subject ENABLE ROW LEVEL SECURITY;
"""


@pytest.fixture
async def store(
    postgres: EmbeddedPostgres, province_store: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A store with the province for one test."""
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture
def production(store: Database, state_dir: Path) -> dict[str, str]:
    """Settings as an operator gives them: no demo mode, keys of its own, one store for all."""
    return {
        "HUB_DATABASE_URL": store.owner_dsn,
        "HUB_STATE_DIR": str(state_dir),
        "HUB_PORT": "0",
        "HUB_POOL_SIZE": "2",
        **KEYS,
    }


@pytest.fixture
def serving(production: Mapping[str, str], tmp_path: Path) -> Iterator[Running]:
    """Two workers that serve."""
    with started(["serve", "--workers", str(WORKERS)], production, tmp_path / "errors") as running:
        yield running


@pytest.fixture
def headers(state_dir: Path) -> dict[str, str]:
    """The mall's. The agreements in the store trust the key that is kept in the directory of the tests."""
    settings = hub_settings("postgresql://nowhere/hub", state_dir, {})
    return {"authorization": f"Bearer {demo_token(settings, 'mall', None, 3600, datetime.now(UTC))}"}


def ask(line: httpx.Client, url: str) -> httpx.Response:
    """The plain merchant check."""
    return line.post(url, json={"query": CHECK, "variables": {"code": MERCHANT}})


async def chains(store: Database) -> set[int]:
    """The ledger's chains that hold something."""
    connection = await asyncpg.connect(store.auditor_dsn)
    try:
        (await verify(connection)).require_intact()
        return {row[0] for row in await connection.fetch("SELECT DISTINCT chain FROM ledger_block")}
    finally:
        await connection.close()


async def both_answer(serving: Running, store: Database, headers: Mapping[str, str], more: int = 0) -> None:
    """Ask over fresh connections until each worker has written to a chain of its own."""
    end = time.monotonic() + 20
    while len(await chains(store)) < WORKERS + more:
        assert time.monotonic() < end
        with ExitStack() as stack:
            lines = [
                stack.enter_context(httpx.Client(trust_env=False, headers=headers, timeout=10))
                for _ in range(8)
            ]
            for line in lines * 2:
                assert ask(line, serving.url).status_code == 200


async def test_two_workers_serve_each_with_a_ledger_chain_of_its_own_and_end_on_sigterm(
    serving: Running, store: Database, headers: dict[str, str]
) -> None:
    workers = serving.children()
    assert len(workers) == WORKERS
    await both_answer(serving, store, headers)
    with httpx.Client(trust_env=False, headers=headers) as kept:
        # A connection that is kept open does not keep the workers.
        assert ask(kept, serving.url).status_code == 200
        status, seconds = serving.stopped(signal.SIGTERM, 15)
    assert (status, seconds < 10) == (0, True)
    assert alive([serving.process.pid, *workers]) == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", httpx.URL(serving.url).port or 0), 1)


async def test_what_workers_have_alike_is_in_memory_once(
    serving: Running, store: Database, headers: dict[str, str]
) -> None:
    """Of some 70 MiB each would have 45 for itself, did it load vocabulary and mechanisms, and look for garbage there."""
    await both_answer(serving, store, headers)
    for worker in serving.children():
        sizes = memory_of(worker)
        assert sizes["Rss"] > 50 << 20
        assert sizes["Private_Dirty"] < 26 << 20


async def test_each_process_of_a_hub_has_less_than_80_mb_under_python_3_11(
    serving: Running, store: Database, headers: dict[str, str]
) -> None:
    """The parent, which has the most, has some 74 under Python 3.11; under 3.13 and 3.14 the same modules take more."""
    await both_answer(serving, store, headers)
    most = (
        80_000_000 if sys.version_info < (3, 13) else 87_000_000 if sys.version_info < (3, 14) else 97_000_000
    )
    for process in (serving.process.pid, *serving.children()):
        assert memory_of(process)["Rss"] < most


def test_no_process_of_a_hub_holds_what_reads_a_command_line_or_draws_tables() -> None:
    """It would take 5 MB of each."""
    program = "import sys, hub.commands.serving; print({'typer', 'rich', 'openpyxl', 'sqlalchemy'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def memory_of(process: int) -> dict[str, int]:
    """What the kernel says of a process's memory, in bytes."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return {name: int(kib) << 10 for name, kib in re.findall(r"^(\w+): +(\d+) kB$", rollup, re.MULTILINE)}


async def test_a_lost_worker_is_replaced_and_its_chain_goes_on(
    serving: Running, store: Database, headers: dict[str, str]
) -> None:
    await both_answer(serving, store, headers)
    before = serving.children()
    lost = before[0]
    os.kill(lost, signal.SIGKILL)
    end = time.monotonic() + 20
    while lost in serving.children() or len(serving.children()) < WORKERS:
        assert time.monotonic() < end
        # The other one goes on meanwhile.
        with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
            try:
                assert ask(line, serving.url).status_code == 200
            except httpx.TransportError:
                continue
    await asyncio.sleep(0.5)
    assert before[1] in serving.children()
    assert "server process 1 ended unexpectedly (status -9)" in serving.told
    connection = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    held = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'credithub-ledger' AND datname = $1"
    )
    while await connection.fetchval(held, store.name) < WORKERS:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    await connection.close()
    await both_answer(serving, store, headers)
    # The lowest free chain is taken again: the dead worker's.
    assert len(await chains(store)) == WORKERS
    assert serving.stopped(signal.SIGTERM, 15)[0] == 0


async def test_a_worker_lost_while_the_store_is_away_is_replaced_when_it_is_back(
    serving: Running, store: Database, headers: dict[str, str]
) -> None:
    await both_answer(serving, store, headers)
    kept, lost = serving.children()
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres").replace(store.name, "postgres"))
    try:
        await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", store.name
        )
        os.kill(lost, signal.SIGKILL)
        end = time.monotonic() + 30
        # Twice, the second time after a longer pause.
        while not all(f"tried again in {pause} s" in serving.told for pause in (1, 2)):
            assert serving.process.poll() is None, serving.told
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        assert kept in serving.children()
    finally:
        await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS true")
        await admin.close()
    while "replaced" not in serving.told or len(serving.children()) < WORKERS:
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    end = time.monotonic() + 20
    with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
        while ask(line, serving.url).status_code != 200:
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
    await both_answer(serving, store, headers)
    assert kept in serving.children()
    # Its end is not that of the hub.
    assert serving.stopped(signal.SIGTERM, 15)[0] == 0


async def test_a_signal_ends_the_hub_at_once_while_a_worker_waits_for_its_next_try(
    serving: Running, store: Database
) -> None:
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres").replace(store.name, "postgres"))
    try:
        await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS false")
        os.kill(serving.children()[1], signal.SIGKILL)
        end = time.monotonic() + 40
        while "tried again in 8 s" not in serving.told:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        status, seconds = serving.stopped(signal.SIGINT, 15)
    finally:
        await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS true")
        await admin.close()
    # Long before the eight seconds are over.
    assert (status, seconds < 5) == (0, True)


async def test_workers_end_by_themselves_when_their_parent_is_killed(serving: Running) -> None:
    workers = serving.children()
    assert len(workers) == WORKERS
    serving.stopped(signal.SIGKILL, 5)
    end = time.monotonic() + 10
    while left := alive(workers):
        assert time.monotonic() < end, left
        await asyncio.sleep(0.05)


@pytest.mark.alone
async def test_a_suspension_reaches_both_workers_within_a_second(
    serving: Running, store: Database, production: dict[str, str], headers: dict[str, str]
) -> None:
    await both_answer(serving, store, headers)
    with ExitStack() as stack:
        lines = [
            stack.enter_context(httpx.Client(trust_env=False, headers=headers, timeout=10)) for _ in range(12)
        ]
        for line in lines:
            assert ask(line, serving.url).status_code == 200
        done = credithub("agreements", "suspend", "mall", given=production)
        assert (done.returncode, done.stdout) == (0, "mall: suspended\n")
        told = time.monotonic()
        for line in lines:
            while ask(line, serving.url).status_code == 200:
                assert time.monotonic() - told < 1
        assert time.monotonic() - told < 1.5


async def test_the_only_worker_is_replaced_when_it_is_lost(
    production: dict[str, str], headers: dict[str, str], tmp_path: Path
) -> None:
    with started(["serve"], production, tmp_path / "errors") as serving:
        (lost,) = serving.children()
        os.kill(lost, signal.SIGKILL)
        end = time.monotonic() + 20
        answered_by: list[int] = []
        while not answered_by:
            assert time.monotonic() < end
            with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
                try:
                    assert ask(line, serving.url).status_code == 200
                except httpx.TransportError:
                    continue
            answered_by = serving.children()
        assert lost not in answered_by
        assert serving.stopped(signal.SIGTERM, 15)[0] == 0


@pytest.mark.parametrize(
    "nobody",
    ["", ">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"],
    ids=["nobody reads", "closed", "all closed", "full"],
)
async def test_a_hub_serves_though_nobody_takes_what_it_says(
    production: dict[str, str], store: Database, headers: dict[str, str], nobody: str
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["sh", "-c", f"exec {CREDITHUB} serve --workers {WORKERS} {nobody}"],
        env=environment({**production, "HUB_PORT": str(port), "HUB_METRICS_PORT": "0"}),
        stdin=subprocess.DEVNULL,
        stdout=writes,
        stderr=writes,
        text=True,
    )
    os.close(writes)
    serving = Running(process, Path(os.devnull), [f"{READY}http://127.0.0.1:{port}/graphql"])

    def first_answers() -> bool:
        with suppress(httpx.TransportError), httpx.Client(trust_env=False, headers=headers) as line:
            return ask(line, serving.url).status_code == 200
        return False

    end = time.monotonic() + 40
    try:
        while not first_answers():
            assert process.poll() is None
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        await both_answer(serving, store, headers)
        before = serving.children()
        os.kill(before[0], signal.SIGKILL)
        while before[0] in serving.children() or len(serving.children()) < WORKERS:
            assert process.poll() is None
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        assert before[1] in serving.children()
        assert serving.stopped(signal.SIGTERM, 15)[0] == 0
    finally:
        process.kill()
        process.wait()


async def test_a_signal_while_the_hub_begins_anew_ends_it_without_a_traceback(
    production: dict[str, str], tmp_path: Path
) -> None:
    with launched(["serve"], production, tmp_path / "errors") as serving:
        end = time.monotonic() + 40
        while b"hub.commands.serving" not in Path(f"/proc/{serving.process.pid}/cmdline").read_bytes():
            assert time.monotonic() < end
        status, _ = serving.stopped(signal.SIGINT, 15)
    assert (status, "Traceback" in serving.told) == (0, False), serving.told


async def test_one_worker_ends_on_sigint_with_status_0(production: dict[str, str], tmp_path: Path) -> None:
    with started(["serve"], production, tmp_path / "errors") as serving:
        assert len(serving.children()) == 1
        status, seconds = serving.stopped(signal.SIGINT, 15)
    assert (status, seconds < 10) == (0, True)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_hub_that_cannot_start_says_why_in_one_line(
    production: dict[str, str], workers: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for changed, code, words in (
            ({"HUB_PORT": str(port)}, "SETTING_INVALID", f"127.0.0.1:{port} cannot be used"),
            ({"HUB_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/hub"}, "STORE_UNAVAILABLE", "reached"),
            (
                {"HUB_METRICS_PORT": str(port)},
                "SETTING_INVALID",
                f"HUB_METRICS_PORT: 127.0.0.1:{port}, of server process 1, cannot be used",
            ),
        ):
            failed = credithub("serve", "--workers", workers, given={**production, **changed})
            assert failed.returncode == 1
            assert failed.stdout == ""
            (line,) = failed.stderr.splitlines()
            assert code in line
            assert words in line
            assert "Traceback" not in failed.stderr


async def test_figures_need_a_port_for_each_worker(production: dict[str, str]) -> None:
    failed = credithub("serve", "--workers", "2", given={**production, "HUB_METRICS_PORT": "65535"})
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        "credithub: HUB_METRICS_PORT: 127.0.0.1:65536, of server process 2, cannot be used: there is no such port"
        " [SETTING_INVALID]\n"
    )


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_hub_whose_parts_do_not_fit_says_so_in_its_log_and_ends(
    production: dict[str, str], workers: str
) -> None:
    half = {"HUB_CUSTOMS_URL": "http://127.0.0.1:1"}
    failed = credithub("serve", "--workers", workers, given={**production, **half})
    assert (failed.returncode, failed.stdout) == (1, "")
    told = [json.loads(line) for line in failed.stderr.splitlines()]
    errors = {one["message"] for one in told if one["level"] == "error"}
    assert errors == {
        "CUSTOMS: HUB_CUSTOMS_APP_ID is not set [SETTING_INVALID]",
        "Application startup failed. Exiting.",
    }


# ---- pages for operators


def samples(hub: ProvinceHub) -> dict[tuple[str, str], float]:
    """The metrics by name and label."""
    answer = httpx.get(f"{hub.url}/metrics", trust_env=False)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (one.name, one.labels.get("code", one.labels.get("le", ""))): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_the_pages_for_operators_need_no_token_and_tell_no_data(hub: ProvinceHub) -> None:
    assert httpx.get(f"{hub.url}/healthz", trust_env=False).text == "ok"
    ready = httpx.get(f"{hub.url}/readyz", trust_env=False)
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "missing": []})
    assert hub.check().status_code == 200
    told = httpx.get(f"{hub.url}/metrics", trust_env=False).text
    assert MERCHANT not in told
    assert "mall" not in told
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.post(f"{hub.url}{path}", trust_env=False).status_code == 405


def test_metrics_count_answers_and_refusals_by_code_and_how_long_they_took(hub: ProvinceHub) -> None:
    before = samples(hub)
    for _ in range(3):
        hub.check()
    hub.post("{")
    hub.check("nobody")
    after = samples(hub)
    grown = {key: value - before.get(key, 0) for key, value in after.items()}
    for code, count in (("OK", 3), ("GRAPHQL_PARSE_FAILED", 1), ("UNAUTHENTICATED", 1)):
        assert grown["credithub_requests_total", code] == count
    assert grown["credithub_request_seconds_count", ""] == 5
    assert grown["credithub_request_seconds_bucket", "+Inf"] == 5
    buckets = [value for (name, _), value in after.items() if name == "credithub_request_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert 0 < grown["credithub_request_seconds_sum", ""] < 5
    assert after["credithub_agreements_in_force", ""] == 12


def figures_at(serving: Running) -> list[str]:
    """Where each worker said that it tells its figures."""
    return [one.removeprefix("Hub metrics: ") for one in serving.lines if one.startswith("Hub metrics: ")]


def status_at(line: httpx.Client, url: str) -> int:
    """The status with which a page answers."""
    return line.get(url).status_code


def answered(figures: str) -> float:
    """How many questions the process behind an address of figures has answered."""
    text = httpx.get(figures, trust_env=False, timeout=10).text
    (count,) = re.findall(r'^credithub_requests_total\{code="OK"\} (\S+)$', text, re.MULTILINE) or ("0",)
    return float(count)


async def test_each_worker_tells_its_figures_at_a_port_of_its_own_and_partners_find_none(
    production: dict[str, str], store: Database, headers: dict[str, str], tmp_path: Path
) -> None:
    given = {**production, "HUB_METRICS_PORT": "0"}
    with started(["serve", "--workers", str(WORKERS)], given, tmp_path / "errors") as serving:
        figures = figures_at(serving)
        assert len(set(figures)) == WORKERS
        # Loopback, wherever the partners' port is.
        assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", one) for one in figures)
        await both_answer(serving, store, headers)
        counts = [answered(one) for one in figures]
        assert all(counts)
        with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
            for _ in range(5):
                assert ask(line, serving.url).status_code == 200
            # The connection's process counted them, and no other.
            assert sorted(answered(one) - count for one, count in zip(figures, counts, strict=True)) == [0, 5]
            hub = serving.url.removesuffix("/graphql")
            assert (status_at(line, f"{hub}/metrics"), status_at(line, f"{hub}/healthz")) == (404, 200)
            # And who reads figures finds nothing else.
            for path in ("/graphql", "/graphiql", "/healthz", "/readyz", "/"):
                assert status_at(line, figures[0].replace("/metrics", path)) == 404
                assert ask(line, figures[0].replace("/metrics", path)).status_code == 404
        # Whoever takes a lost worker's place tells its own figures where that one did.
        count = answered(figures[1])
        os.kill(serving.children()[1], signal.SIGKILL)
        end = time.monotonic() + 20
        while len(serving.children()) < WORKERS or answered(figures[1]) >= count:
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        assert answered(figures[0]) >= counts[0]
        status, seconds = serving.stopped(signal.SIGTERM, 15)
    assert (status, seconds < 10) == (0, True)
    for one in figures:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", httpx.URL(one).port or 0), 1)


async def test_one_worker_tells_its_figures_at_their_port_alone(
    production: dict[str, str], headers: dict[str, str], tmp_path: Path
) -> None:
    given = {**production, "HUB_METRICS_PORT": "0"}
    with started(["serve"], given, tmp_path / "errors") as serving:
        (figures,) = figures_at(serving)
        with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
            assert ask(line, serving.url).status_code == 200
            assert status_at(line, serving.url.replace("/graphql", "/metrics")) == 404
        assert answered(figures) == 1
        with httpx.Client(trust_env=False) as kept:
            # Nor does a scraper that keeps its connection keep the hub.
            assert status_at(kept, figures) == 200
            status, seconds = serving.stopped(signal.SIGINT, 15)
    assert (status, seconds < 10) == (0, True)
    # One process, one server in the log.
    logged = [json.loads(line)["message"].partition(" [")[0] for line in serving.told.splitlines()]
    for once in ("Started server process", "Shutting down", "Finished server process"):
        assert logged.count(once) == 1


# ---- logs


def provoke(line: httpx.Client, url: str, token: str) -> None:
    """Send canaries wherever a request has room for one."""
    for body in (
        {"query": CHECK, "variables": {"code": CANARY}},
        {"query": CHECK, "variables": {"code": RESIDENT}},
        {"query": CHECK, "variables": {"code": {CANARY: [CANARY]}}},
        {"query": f"{{ {CANARY} }}"},
        {"query": f'{{ subject(value: "{CANARY}") {{ displayName }} }}'},
        {"query": f"{{ {CANARY}", "operationName": CANARY},
        {"query": CHECK, "variables": {"code": MERCHANT}},
    ):
        assert line.post(url, json=body).status_code in (200, 400)
        line.get(url, params={"query": str(body["query"]), "variables": json.dumps({"code": CANARY})})
    for matter in (CANARY, CANARY + "\u202e", CANARY * 9):
        line.post(url, json={"query": "{ __typename }"}, headers={"hub-matter": matter.encode()})
    line.post(url, content=CANARY)
    for forged in (CANARY, f"{CANARY}.{CANARY}.{CANARY}", token[:-4] + CANARY):
        line.post(url, json={"query": "{ __typename }"}, headers={"authorization": f"Bearer {forged}"})
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), 5) as raw:
        raw.sendall(f"{CANARY} / HTTP/1.1\r\nX: {CANARY}\r\n\r\n".encode())
        raw.recv(1000)


async def test_logs_are_json_lines_without_tokens_values_or_persons(
    production: dict[str, str], store: Database, headers: dict[str, str], tmp_path: Path
) -> None:
    """Whatever goes wrong: bad values, bad documents, bad tokens, a store that vanishes or does not understand."""
    token = headers["authorization"].removeprefix("Bearer ")
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    with started(["serve"], production, tmp_path / "errors") as serving:
        with httpx.Client(trust_env=False, headers=headers, timeout=10) as line:
            provoke(line, serving.url, token)
            for _ in range(5):
                await admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = $1 AND pid <> pg_backend_pid()",
                    store.name,
                )
                ask(line, serving.url)
                await asyncio.sleep(0.1)
            # What the store says of a statement that it cannot carry out may quote the row.
            await admin.execute(QUOTING)
            await admin.close()
            # Until the hub has its connections again, the store is away and not wrong.
            end = time.monotonic() + 15
            while (failed := ask(line, serving.url)).status_code == 503:
                assert time.monotonic() < end
                await asyncio.sleep(0.1)
            assert (failed.status_code, failed.json()["errors"][0]["extensions"]["code"]) == (500, "INTERNAL")
            assert CANARY not in failed.text
        assert serving.stopped(signal.SIGTERM, 15)[0] == 0
        logged = serving.told
    assert "not foreseen" in logged
    assert len(logged.splitlines()) > 5
    for one in logged.splitlines():
        told = json.loads(one)
        assert {"time", "level", "logger", "message"} <= set(told), one
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["time"])
    for secret in (CANARY, RESIDENT, token[:40], MERCHANT, "三江源"):
        assert secret not in logged
