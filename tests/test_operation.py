"""What an operator is told of the whole installation: `credithub status`, and the gauges of a worker."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess, Popen
from uuid import uuid4

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.casework.delivery.channels import Channel, list_exit, publication
from hub.commands.status import needs
from hub.condition import read_condition, why_not_writable
from hub.jobs import HARVEST, tell_apart
from hub.rights.agreement import today_in
from hub.rights.agreement_file import digest
from hub.sandbox.agreements import PARTNERS
from hub.store.database import as_user
from hub.store.embedded import EmbeddedPostgres
from tests.casework.dispatch import handed_in, opened
from tests.casework.workers import Worker, working
from tests.command_line import CREDITHUB, credithub, environment
from tests.commands.shell import Shell
from tests.conftest import Database, copied_store
from tests.hub_server import MERCHANT

KEYS = {"HUB_ID_KEY": "5a" * 32, "HUB_CURSOR_KEY": "a5" * 32}
_LOST = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
)
_FAILED = "INSERT INTO job.pgqueuer_log (job_id, status, priority, entrypoint) VALUES (0, $1::job.pgqueuer_status, 0, $2)"
_QUARANTINED = """
INSERT INTO quarantine (source, origin, position, raw, reason_code, reason, quarantined_at)
VALUES ($1, 'file.csv', $2, '', 'BAD_DATE', 'no day', $3)
"""
# As though the notices of this year and the next two were laid, whatever day it is.
_NOTICES = """
INSERT INTO working_day (region_code, day, is_workday, source_doc)
SELECT 'CN', current_date + n, true, '试验通知' FROM generate_series(0, 800) n ON CONFLICT DO NOTHING
"""
# The first such line is the agreement's own; the keys follow.
_VALID_TO = re.compile(r"^valid_to = .*$", re.MULTILINE)


@pytest.fixture
async def store(
    postgres: EmbeddedPostgres, province_store: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A store with the province for one test."""
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture
def given(store: Database, sandboxes: Mapping[str, str], state_dir: Path) -> dict[str, str]:
    """Settings as an operator has them, all sources connected."""
    own = {
        "HUB_DATABASE_URL": store.owner_dsn,
        "HUB_STATE_DIR": str(state_dir),
        "HUB_WORKER_METRICS_PORT": "0",
    }
    return {**sandboxes, **own, **KEYS}


@asynccontextmanager
async def admin_of(store: Database) -> AsyncIterator[asyncpg.Connection]:
    """The superuser, from another database."""
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres").replace(store.name, "postgres"))
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def away(store: Database) -> AsyncIterator[None]:
    """The store takes nobody in for the duration of the block."""
    async with admin_of(store) as admin:
        await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS false")
        await admin.execute(_LOST, store.name)
        try:
            yield
        finally:
            await admin.execute(f"ALTER DATABASE {store.name} ALLOW_CONNECTIONS true")


async def settled(owner: asyncpg.Connection) -> None:
    """Nothing waits for anybody, and a worker has looked what is due just now."""
    await owner.execute("UPDATE quarantine SET replayed_at = now()")
    await owner.execute("UPDATE case_file SET due_on = NULL")
    await owner.execute(_NOTICES)
    await owner.execute("DELETE FROM job.pgqueuer_log")
    await owner.execute(
        "INSERT INTO job.pgqueuer_schedules (expression, entrypoint) VALUES ('* * * * *', 'look')"
        " ON CONFLICT DO NOTHING"
    )
    await owner.execute("UPDATE job.pgqueuer_schedules SET updated = now()")


async def changed(owner: asyncpg.Connection, partner: str, change: Callable[[str], str]) -> None:
    """Make the agreement of a partner as if it had been applied with this change of its text."""
    text = change(await owner.fetchval("SELECT document FROM agreement WHERE partner = $1", partner))
    await owner.execute(
        "UPDATE agreement SET document = $2, digest = $3 WHERE partner = $1", partner, text, digest(text)
    )


async def ends(owner: asyncpg.Connection, partner: str, last: date) -> None:
    """Make the agreement of a partner as if it had been applied with this last day."""
    await changed(owner, partner, lambda text: _VALID_TO.sub(f"valid_to = {last}", text, count=1))


async def status_of(given: Mapping[str, str]) -> CompletedProcess[str]:
    """What `credithub status` says, as a command of its own."""
    return await asyncio.to_thread(credithub, "status", given=given)


def shown(given: Mapping[str, str]) -> CompletedProcess[str]:
    """The same in this process, where it is asked for again and again."""
    done = Shell(given)("status")
    return CompletedProcess([], done.status, done.out, done.err)


def attention(done: CompletedProcess[str]) -> list[str]:
    """What it says needs a hand; its exit status and its last line agree with that."""
    lines = [
        line.removeprefix("ATTENTION  ") for line in done.stdout.splitlines() if line.startswith("ATTENTION")
    ]
    assert done.stderr == ""
    assert done.returncode == bool(lines), done.stdout
    assert done.stdout.splitlines()[-1] == (f"needs a hand: {len(lines)}" if lines else "all is well")
    return lines


async def test_status_tells_on_one_screen_that_all_is_well(store: Database, given: dict[str, str]) -> None:
    owner = await asyncpg.connect(store.superuser_dsn)
    await settled(owner)
    await owner.execute(
        "INSERT INTO ledger_block (chain, seq, committed_at, algorithm, previous, digest, entries, entry_count, subjects)"
        " SELECT chain, seq, now() - interval '3 min' * chain, 'sm3', '', '', '', 1, '{}'"
        " FROM generate_series(1, 3) chain, generate_series(1, 4) seq"
    )
    await owner.close()
    done = await status_of(given)
    assert attention(done) == []
    lines = done.stdout.splitlines()
    assert len(lines) < 40
    assert re.fullmatch(r"store   reachable +version \d{4}", lines[0])
    assert re.fullmatch(r"worker  alive +seen \d+ s ago", lines[1])
    assert re.fullmatch(r"ledger  chain 1 block 4  3 min ago, \d{4}-\d\d-\d\d \d\d:\d\d", lines[2])
    found = {line.split()[1]: line for line in lines if line.startswith("source ")}
    assert re.fullmatch(
        r"source  TAX +OK +as of \S+ \S+  age \d+ (s|min) of cycle 24 h +quarantine 0", found["TAX"]
    )
    assert re.fullmatch(r"source  CUSTOMS +LIVE +asked live +quarantine 0", found["CUSTOMS"])
    agreed = [line for line in lines if line.startswith("agreement ")]
    assert [line.split()[1] for line in agreed] == sorted(PARTNERS)
    mall = next(line for line in agreed if " mall " in line)
    assert re.search(r"mall +IN_FORCE +until \d{4}-\d\d-\d\d \(\d+ days\)  keys until \S+ \(\d+ days\)", mall)
    assert "overdue  none" in lines
    assert "delivery  none overdue" in lines
    # In the order of the manual.
    told = dict.fromkeys(line.split()[0] for line in lines)
    assert list(told)[-6:-1] == ["source", "agreement", "calendar", "overdue", "delivery"]


async def test_status_says_what_needs_a_hand_and_ends_with_1(store: Database, given: dict[str, str]) -> None:
    owner = await asyncpg.connect(store.superuser_dsn)
    await settled(owner)
    now, today = datetime.now(UTC), today_in(datetime.now(UTC))

    async def status(environment: Mapping[str, str] = given) -> CompletedProcess[str]:
        # A worker that was there a moment ago is there no more after a minute, and this takes longer on a slow machine.
        await owner.execute("UPDATE job.pgqueuer_schedules SET updated = now()")
        return shown(environment)

    async def told(*changes: tuple[object, ...]) -> list[str]:
        for statement, *arguments in changes:
            await owner.execute(statement, *arguments)
        return attention(await status())

    aged = "UPDATE source_state SET as_of = $2 WHERE source = $1"
    assert await told(
        (aged, "TAX", now - timedelta(days=3)),
        (aged, "COMMERCE", now - timedelta(hours=30)),
        # The clock was ahead when it was harvested.
        (aged, "ASSOCIATION", now + timedelta(hours=9)),
        ("DELETE FROM source_state WHERE source = 'FOREIGN_EXCHANGE'",),
    ) == [
        "source ASSOCIATION: the clock was ahead when it was harvested, it counts as fresh for 8 h too long",
        "source COMMERCE: no harvest has succeeded for 30 h, its cycle is 24 h",
        "source FOREIGN_EXCHANGE: no harvest has succeeded yet",
        "source TAX: STALE, answers rest on it no more; harvested 3 d ago",
    ]
    await owner.execute("UPDATE source_state SET as_of = now()")
    # One that nobody has connected is no trouble.
    assert attention(await status({**given, "HUB_FOREX_DIR": ""})) == []
    await owner.execute("INSERT INTO source_state VALUES ('FOREIGN_EXCHANGE', 'OK', now(), now())")
    # A source may fail for long before its facts are old; one that is back within the hour wakes nobody.
    failing = "UPDATE source_state SET failing_since = $2 WHERE source = $1"
    await owner.execute(failing, "ASSOCIATION", now - timedelta(hours=3))
    await owner.execute(failing, "TAX", now - timedelta(minutes=50))
    done = await status()
    assert attention(done) == [
        "source ASSOCIATION: its harvests have failed for 3 h; answers rest on what came before"
    ]
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("source ")}
    assert re.search(r"ASSOCIATION +OK +as of .*  failing for 3 h$", lines["ASSOCIATION"])
    assert re.search(r"TAX +OK +as of .*  failing for 5\d min$", lines["TAX"])
    assert [name for name, line in lines.items() if "failing" in line] == ["ASSOCIATION", "TAX"]
    await owner.execute("UPDATE source_state SET failing_since = NULL")

    old, new = now - timedelta(days=9), now - timedelta(hours=2)
    for position, moment in (("1", old), ("2", old), ("3", new)):
        await owner.execute(_QUARANTINED, "TAX", position, moment)
    done = await status()
    assert attention(done) == ["source TAX: rows that came into quarantine within a day: 1"]
    (line,) = re.findall(r"^source  TAX .*", done.stdout, re.MULTILINE)
    assert line.partition("quarantine ")[2].startswith("3 since ")
    await owner.execute("UPDATE quarantine SET quarantined_at = $1 WHERE replayed_at IS NULL", old)
    assert attention(await status()) == []
    # Whom the rows of a whole file are about, nobody knows: it is why nothing rests on the source.
    await owner.execute(_QUARANTINED, "TAX", "file", old)
    await owner.execute("UPDATE source_state SET status = 'UNAVAILABLE' WHERE source = 'TAX'")
    (line,) = attention(await status())
    assert re.fullmatch(
        r"source TAX: UNAVAILABLE, answers rest on it no more; harvested \d+ (?:s|min) ago; files that wait in quarantine: 1",
        line,
    )
    await owner.execute("UPDATE source_state SET status = 'OK' WHERE source = 'TAX'")

    soon, gone = today + timedelta(days=10), today - timedelta(days=1)
    await ends(owner, "customs", soon)
    await ends(owner, "forex", gone)
    assert await told() == [
        f"agreement customs: it ends on {soon}",
        f"agreement forex: it ended on {gone}; apply a new one, or suspend it",
    ]
    suspended = ("UPDATE agreement SET suspended_at = now() WHERE partner IN ('customs', 'forex')",)
    assert await told(suspended) == []
    await changed(owner, "mall", lambda text: text.partition("[[issuer]]")[0])
    assert await told() == [
        "agreement mall: it has no key, so no token of its holds; apply one with an [[issuer]]"
    ]
    assert await told(("UPDATE agreement SET document = 'no agreement' WHERE partner = 'mall'",)) == [
        "agreement mall: it cannot be used: the file is not TOML: Expected '=' after a key in a key/value pair"
        " (at line 1, column 4)"
    ]
    await owner.execute("UPDATE agreement SET suspended_at = now() WHERE partner = 'mall'")

    assert await told((_FAILED, "exception", HARVEST)) == [
        "job harvest: the last one failed for good; the worker's log has its error"
    ]
    assert await told((_FAILED, "successful", HARVEST)) == []

    await opened(store.writer, "P-1", now, due_on=today - timedelta(days=1))
    await opened(store.writer, "P-2", now, due_on=today - timedelta(days=4))
    await opened(store.writer, "P-3", now, due_on=today)
    assert await told() == [f"overdue PUBLICITY: 2 open past the last day, since {today - timedelta(days=4)}"]
    await owner.execute("UPDATE case_file SET closed_at = now()")

    # What no channel takes: of what has ended, and of what is not shown yet; what is still in time is not told.
    long_ago, item = now - timedelta(days=9), str(uuid4())
    document = {"kind": "PENALTY", "title": "未按规定明码标价"}
    before, lately = await opened(store.writer, "P-4", long_ago), await opened(store.writer, "P-5", now)
    late = [publication(Channel.CREDIT_QINGHAI, one, document, f"P-4:{one}") for one in (item, str(uuid4()))]
    ended = list_exit(Channel.OWN_SITE, item, "期满", "P-4")
    await handed_in(store.writer, before, [*late, ended], long_ago)
    await handed_in(store.writer, lately, [list_exit(Channel.CREDIT_QINGHAI, item, "期满", "P-5")], now)
    done = await status()
    assert attention(done) == [
        "delivery OWN_SITE: what has ended and is still shown there: 1; `credithub deliveries list` says why",
        "delivery CREDIT_QINGHAI: what is not shown there yet: 2; `credithub deliveries list` says why",
    ]
    ended_line, late_line = re.findall(r"^delivery .*", done.stdout, re.MULTILINE)
    assert (
        ended_line
        == f"delivery  OWN_SITE        STILL_SHOWN  overdue or refused 1  oldest due {today_in(long_ago)}"
    )
    assert re.fullmatch(
        r"delivery  CREDIT_QINGHAI  NOT_SHOWN    overdue or refused 2  oldest due \S+", late_line
    )
    await owner.execute("UPDATE delivery_out SET state = 'ACKNOWLEDGED'")
    assert attention(await status()) == []

    soon = today + timedelta(days=14)
    assert await told(("DELETE FROM working_day WHERE day > $1", soon)) == [
        f"calendar: no notice fixes days after {soon}, so deadlines over them are provisional;"
        " `credithub calendar apply` lays the next notice"
    ]
    assert await told((_NOTICES,)) == []

    await owner.execute("UPDATE job.pgqueuer_schedules SET updated = now() - interval '1 hour'")
    assert attention(shown(given)) == ["worker: none runs, the last one was seen 60 min ago"]
    assert await told(("DELETE FROM job.pgqueuer_schedules",)) == [
        "worker: none has run yet: nothing is harvested or delivered, and no deadline is kept"
    ]
    await owner.close()


async def test_status_says_of_a_store_that_takes_nothing_that_nobody_is_answered(
    store: Database, given: dict[str, str]
) -> None:
    owner = await asyncpg.connect(store.superuser_dsn)
    await settled(owner)
    await owner.execute("UPDATE source_state SET as_of = now() - interval '5 min'")
    ledger = "SELECT count(*), pg_total_relation_size('ledger_block') FROM ledger_block"
    # The first trial may open a page of its own.
    await why_not_writable(store.settings)
    before = await owner.fetchrow(ledger)
    for _ in range(2):
        assert attention(await asyncio.to_thread(shown, given)) == []
    # However often somebody asks, the ledger does not grow by it, nor get room in which a trial succeeds on a full disk.
    assert await owner.fetchrow(ledger) == before
    for setting, error in (
        ("default_transaction_read_only = on", "ReadOnlySQLTransactionError"),
        # Stands for a disk without room: a limit of files beside the tables.
        ("temp_file_limit = '512kB'", "ConfigurationLimitExceededError"),
    ):
        await owner.execute(f"ALTER DATABASE {store.name} SET {setting}")
        try:
            done = await asyncio.to_thread(shown, given)
        finally:
            await owner.execute(f"ALTER DATABASE {store.name} RESET ALL")
        assert re.match(r"store +NOT WRITABLE +version", done.stdout)
        assert attention(done) == [
            f"store: it takes nothing, so nobody is answered: {error}; look at its disk, and whether it is read-only"
        ]
    await owner.close()


async def test_however_much_waits_for_a_channel_no_row_for_each_is_fetched_to_tell_of_it(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=60)
    document = {"kind": "PENALTY", "title": "未按规定明码标价"}
    one = publication(Channel.CREDIT_QINGHAI, str(uuid4()), document, "P-1")
    await handed_in(store.writer, await opened(store.writer, "P-1", long_ago), [one], long_ago)
    await store.writer.execute(
        "INSERT INTO delivery_out (case_id, event_id, channel, payload, idempotency_key)"
        " SELECT case_id, event_id, channel, payload, n FROM delivery_out, generate_series(2, 3000) n"
    )
    fetched = []
    fetch = asyncpg.Connection.fetch

    async def counted(self: asyncpg.Connection, *asked: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await fetch(self, *asked)
        fetched.append(len(rows))
        return rows

    monkeypatch.setattr(asyncpg.Connection, "fetch", counted)
    condition = await read_condition(store.settings, now)
    assert [(late.channel, late.ended, late.count) for late in condition.deliveries] == [
        ("CREDIT_QINGHAI", False, 3000)
    ]
    # The days that a notice fixes are some hundreds.
    assert max(fetched) < 3000


@pytest.mark.parametrize(("off", "words"), [(1, "60 min ahead of"), (-1, "60 min behind")])
async def test_status_asked_by_a_machine_whose_clock_is_off_says_that_and_is_right_about_the_others(
    store: Database, off: int, words: str
) -> None:
    owner = await asyncpg.connect(store.superuser_dsn)
    await settled(owner)
    await owner.execute("UPDATE source_state SET as_of = now() - interval '5 min'")
    await owner.close()
    condition = await read_condition(
        store.settings, datetime.now(UTC) + timedelta(hours=off, seconds=5 * off)
    )
    assert list(needs(condition)) == [
        f"clock: this machine's is {words} the store's, by which all here is told; synchronize them"
    ]


async def test_a_worker_says_once_that_its_clock_is_off(
    store: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    told, said = False, []
    for hours in (0, 73, 73, 0, 0):
        caplog.clear()
        moment = datetime.now(UTC) + timedelta(hours=hours)
        told = await tell_apart(store.writer, lambda now=moment: now, told=told)
        said += [(one.levelname, one.getMessage().partition(":")[0]) for one in caplog.records]
    assert said == [
        ("ERROR", "the clock of this machine is 3 d ahead of the store's"),
        ("INFO", "the clocks of this machine and of the store agree again"),
    ]


async def test_a_worker_works_though_what_it_prints_finds_no_room(given: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:  # noqa: ASYNC230 -- a device
        worker = Popen(
            [CREDITHUB, "worker"],
            env=environment(given),
            stdin=DEVNULL,
            stdout=full,
            stderr=DEVNULL,
        )
    try:
        end = time.monotonic() + 40
        while "alive" not in (await status_of(given)).stdout:
            assert worker.poll() is None
            assert time.monotonic() < end
        assert worker.poll() is None
    finally:
        worker.terminate()
        assert worker.wait(30) == 0


@pytest.mark.alone
async def test_status_says_within_seconds_that_the_store_does_not_answer_or_is_another(
    store: Database, given: dict[str, str]
) -> None:
    async with away(store):
        assert attention(await status_of(given)) == [
            "store: The store cannot be reached as hub_writer: ObjectNotInPrerequisiteStateError."
        ]
    owner = await asyncpg.connect(store.superuser_dsn)
    async with owner.transaction():
        await owner.execute("LOCK TABLE quarantine")
        begun = time.monotonic()
        (line,) = attention(await status_of(given))
        assert line.startswith("store: The store does not tell how it stands")
        assert time.monotonic() - begun < 12
    await owner.execute("UPDATE alembic_version SET version_num = '0001'")
    await owner.close()
    (line,) = attention(await status_of(given))
    assert line.startswith("store: The store is at version 0001")
    assert line.endswith("run `credithub migrate`.")


# ---- the gauges of a worker

Samples = dict[tuple[str, str], float]


async def scraped(worker: Worker) -> Samples:
    """The figures of the worker that are gauges, by name and label."""
    (line,) = [one for one in worker.lines if one.startswith("Worker metrics: ")]
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        text = (await http.get(line.removeprefix("Worker metrics: "))).text
    assert MERCHANT not in text
    return {
        (one.name.removeprefix("credithub_"), next(iter(one.labels.values()), "")): one.value
        for family in text_string_to_metric_families(text)
        if family.type == "gauge"
        for one in family.samples
        if not one.name.endswith("_created")
    }


async def test_a_worker_tells_how_everything_stands_and_nothing_while_the_store_is_away(
    store: Database, given: dict[str, str]
) -> None:
    owner = await asyncpg.connect(store.superuser_dsn)
    await settled(owner)
    now, today = datetime.now(UTC), today_in(datetime.now(UTC))
    for position in ("1", "2"):
        await owner.execute(_QUARANTINED, "TAX", position, now)
    await ends(owner, "customs", today - timedelta(days=1))
    await owner.execute("UPDATE agreement SET suspended_at = now() WHERE partner = 'forex'")
    await opened(store.writer, "P-1", now, due_on=today - timedelta(days=4))
    async with working(given) as worker:
        # What it finds stale it harvests.
        await owner.execute("UPDATE source_state SET as_of = now() - interval '3 h' WHERE source = 'TAX'")
        await owner.execute(
            "UPDATE source_state SET failing_since = now() - interval '2 h' WHERE source = 'COMMERCE'"
        )
        await owner.execute(_FAILED, "exception", "tidy")
        found = await scraped(worker)
        assert found["store_up", ""] == 1
        assert found["source_ok", "TAX"] == 1
        assert 3 * 3600 <= found["source_age_seconds", "TAX"] < 3 * 3600 + 120
        assert ("source_ok", "CUSTOMS") not in found
        assert (found["source_ok", "COMMERCE"], found["source_failing_seconds", "TAX"]) == (1, 0)
        assert 2 * 3600 <= found["source_failing_seconds", "COMMERCE"] < 2 * 3600 + 120
        assert (found["quarantine_open", "TAX"], found["quarantine_open", "COMMERCE"]) == (2, 0)
        standings = {label: value for (name, label), value in found.items() if name == "agreements"}
        assert standings == {"IN_FORCE": 10, "NOT_YET": 0, "EXPIRED": 1, "SUSPENDED": 1, "INVALID": 0}
        assert found["agreement_days_left", "customs"] == -1
        assert found["agreement_days_left", "mall"] > 0
        assert found["key_days_left", "mall"] > 0
        assert ("agreement_days_left", "forex") not in found
        assert found["cases_overdue", "PUBLICITY"] == 1
        assert found["jobs_failed", "tidy"] == 1
        # Read anew for each scrape.
        await owner.execute("UPDATE source_state SET as_of = now() - interval '3 d' WHERE source = 'TAX'")
        later = await scraped(worker)
        assert (later["source_ok", "TAX"], later["source_age_seconds", "TAX"] > 2 * 86_400) == (0, True)
        await owner.close()
        async with away(store):
            gone = await scraped(worker)
            assert gone["store_up", ""] == 0
            own = {"deliveries_overdue", "deliveries_waiting", "delivery_oldest_seconds"}
            assert {name for name, _ in gone} <= {"store_up", *own}
        assert (await scraped(worker))["store_up", ""] == 1
        assert await worker.stop() == 0
