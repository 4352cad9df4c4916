"""The queue of jobs and the worker: killed again and again, nothing is lost and nothing published twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pgqueuer.domain.errors import RetryRequested
from prometheus_client import generate_latest

from connectors.contract import Freshness, Mode, Retention
from connectors.forex import connect as connect_forex
from hub import jobs
from hub.casework.delivery.channels import Channel, list_exit, publication, withdrawal
from hub.casework.delivery.watch import Watch
from hub.casework.machine import Delivery
from hub.commands.worker import beside
from hub.harvest.run import Outcome, harvest
from hub.harvest.versions import Totals
from hub.observe import JsonLines
from hub.sandbox.channels import Trouble
from hub.store.database import Role, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from tests.casework.desk import Office
from tests.casework.dispatch import duties, handed_in, opened, present, sites, states
from tests.casework.workers import settings_of, started, working
from tests.conftest import Database
from tests.harvesting import REGISTER
from tests.publicity_files import NOW, TOOLS
from tests.test_database import fresh, migrated_before

pytestmark = pytest.mark.long

DOCUMENT = {"kind": "PENALTY", "title": "未按规定明码标价"}
# Kills that must come between a sending and its receipt, and items published before each kill.
KILLS = 6
ITEMS = 40
_PARENT = """
import asyncio, os
from hub.commands.worker import beside

async def main():
    async with beside(os.environ):
        await asyncio.sleep(600)

asyncio.run(main())
"""
# Claimed by this worker for the seven seconds of a try, and nothing noted since.
_ON_THE_WAY = """
SELECT count(*) FROM delivery_out
WHERE state = 'SENT' AND sent_at > $1 AND next_attempt_at = sent_at + interval '7 seconds'
"""


async def until(
    holds: Callable[[], Awaitable[bool]],
    seconds: float,
    what: str = "it did not come about",
    pause: float = 0.1,
) -> None:
    """Wait until something holds, looking after each `pause`; fails after `seconds`."""
    end = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.sleep(pause)


async def test_the_queues_tables_are_those_that_the_installed_library_declares(database: Database) -> None:
    owner = await asyncpg.create_pool(database.owner_dsn, min_size=2, max_size=2)
    async with owner:
        _, queries = jobs.queue_of(owner)
        plan = await queries.plan_upgrade()
    assert plan.statements == (), "the library's tables changed: a migration must bring them"


async def test_only_the_writer_sees_the_queue(database: Database) -> None:
    for dsn in (database.reader_dsn, database.auditor_dsn):
        other = await asyncpg.connect(dsn)
        try:
            for table in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await other.execute(f"SELECT FROM job.{table}")
        finally:
            await other.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.writer.execute("DROP TABLE job.pgqueuer_log")


async def test_a_job_that_waits_is_not_queued_twice(database: Database) -> None:
    _, queries = jobs.queue_of(database.writer)
    await asyncio.gather(*(jobs.put(queries, "harvest", "TAX") for _ in range(10)))
    await jobs.put(queries, "harvest", "CUSTOMS")
    assert await database.writer.fetchval("SELECT count(*) FROM job.pgqueuer") == 2


def test_sources_are_asked_by_their_freshness() -> None:
    def source(name: str, freshness: Freshness, mode: Mode = Mode.HARVESTED) -> tuple[str, object]:
        return name, type(REGISTER)(
            **{**REGISTER.__dict__, "name": name, "freshness": freshness, "mode": mode}
        )

    declared = dict(
        [
            source("NEW", Freshness.YEARLY),
            source("NOW", Freshness.REALTIME),
            source("DAY", Freshness.DAILY),
            source("YEAR", Freshness.YEARLY),
            source("LIVE", Freshness.REALTIME, Mode.LIVE),
            source("DOWN", Freshness.DAILY),
        ]
    )
    kept = type(REGISTER)(**{**REGISTER.__dict__, "name": "KEPT", "retention": Retention.TRANSIENT})

    def due(after: timedelta) -> list[str]:
        answered = dict.fromkeys(("NOW", "DAY", "YEAR"), (NOW, NOW))
        # It answered a week ago, and was asked in vain at NOW.
        asked = {"DOWN": (NOW - timedelta(days=7), NOW)}
        return jobs.due_sources({**declared, "KEPT": kept}, {**answered, **asked}, NOW + after)  # type: ignore[arg-type,dict-item]

    assert due(timedelta(seconds=74)) == ["NEW"]
    assert due(timedelta(seconds=75)) == ["NEW", "NOW"]
    assert due(timedelta(minutes=5)) == ["NEW", "NOW", "DOWN"]
    assert due(timedelta(hours=5, minutes=59)) == ["NEW", "NOW", "DOWN"]
    assert due(timedelta(hours=6)) == ["NEW", "NOW", "DAY", "YEAR", "DOWN"]
    # The clock was ahead when they were asked, and has been put back.
    assert due(timedelta(hours=-8)) == ["NEW", "NOW", "DAY", "YEAR", "DOWN"]


async def test_after_an_upgrade_that_reads_rows_otherwise_every_source_is_read_again_at_once(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    dsn = await fresh(postgres, "hub_read_again")
    await migrated_before(dsn, "0023")
    connected_sources = SimpleNamespace(
        source_settings={"HUB_FOREX_DIR": str(tmp_path), "HUB_INVESTMENT_DIR": str(tmp_path)}
    )
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        # Of the second nothing came yet, so it has no place to forget: it keeps its pace.
        await pool.execute(
            "INSERT INTO source_state (source, status, as_of, checked_at, cursor, rows_read)"
            " VALUES ('FOREIGN_EXCHANGE', 'OK', $1, $1, '{}', 7), ('FOREIGN_INVESTMENT', 'OK', $1, $1, NULL, 0)",
            NOW,
        )
        duties = Mock(settings=connected_sources, pool=pool, tools=Mock(now=lambda: NOW + timedelta(hours=1)))
        assert await jobs._due_sources(duties) == []
        await pool.close()
    await migrated(dsn)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        duties.pool = pool
        assert await jobs._due_sources(duties) == ["FOREIGN_EXCHANGE"]
        # What there is to know of it until then still counts.
        assert await pool.fetchval("SELECT as_of FROM source_state WHERE source = 'FOREIGN_EXCHANGE'") == NOW
        # The files are gone from the directory since: it was looked into, and keeps its pace from then on.
        forex = connect_forex(connected_sources.source_settings, TOOLS)
        await harvest(forex, pool, lambda: NOW + timedelta(minutes=30), pauses=())
        assert await jobs._due_sources(duties) == []


async def test_a_worker_delivers_and_ends_in_order_when_it_is_told(database: Database) -> None:
    async with sites(receipt_after=1.0) as channels:
        case = await opened(database.writer, "G-1", present())
        await handed_in(
            database.writer,
            case,
            [publication(one, str(uuid4()), DOCUMENT, f"P:{one}") for one in Channel],
            present(),
        )
        async with working(settings_of(database, channels)) as worker:
            await until(lambda: _all_acknowledged(database, 4), 30)
            assert all(site.site.effects == 1 for site in channels.values())
            assert await worker.stop() == 0


async def test_a_worker_of_the_demo_that_cannot_begin_says_why_in_a_line(
    database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = {"HUB_DATABASE_URL": f"postgresql://hub_owner@/hub?host={tmp_path}"}
    async with sites() as channels:
        environment = {**os.environ, **settings_of(database, channels), **nowhere}
        async with beside(environment) as child:
            assert await asyncio.wait_for(child.wait(), 30) == 1
    told = capfd.readouterr().err.splitlines()
    assert len(told) == 1, told
    assert re.fullmatch(
        r"credithub: The store cannot be reached as hub_writer: .* \[STORE_UNAVAILABLE\]", told[0]
    )


async def test_a_worker_beside_another_process_ends_with_it(database: Database) -> None:
    workers = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'credithub hub_writer'"
        " AND datname = current_database()"
    )
    async with sites() as channels:
        environment = {**os.environ, **settings_of(database, channels)}
        async with beside(environment):
            await until(lambda: _is(database, workers, 2 + 6), 30)
        await until(lambda: _is(database, workers, 2), 5)
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _PARENT, env=environment)
        await until(lambda: _is(database, workers, 2 + 6), 30)
        parent.kill()
        await parent.wait()
        await until(lambda: _is(database, workers, 2), 10)


async def test_one_round_does_what_is_due_and_ends(database: Database) -> None:
    async with sites() as channels:
        case = await opened(database.writer, "G-1", present())
        await handed_in(
            database.writer, case, [publication(Channel.OWN_SITE, str(uuid4()), DOCUMENT, "P")], present()
        )
        process = await started(settings_of(database, channels), "--once")
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert (process.returncode, output.decode()) == (0, "Worker ready\n")
        assert await states(database.writer) == [("OWN_SITE", "ACKNOWLEDGED", 1, None)]


async def test_the_log_tells_no_address_that_was_asked_and_no_secret_in_one() -> None:
    asking = "import sys, httpx, hub.observe as o; o.log_to_stderr(); httpx.get(sys.argv[1], trust_env=False)"
    async with sites() as channels:
        # Where a source asks for a name and a password, they stand in its address.
        address = channels[Channel.OWN_SITE].address.url.replace("//", "//hub:geheim@")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", asking, address), stderr=asyncio.subprocess.PIPE
        )
        _, log = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, log) == (0, b"")


async def test_a_worker_goes_on_at_once_when_the_clock_of_the_store_was_put_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library keeps the moments of its schedules and jobs: it would do nothing for as long as the clock was ahead."""
    monkeypatch.setattr(jobs, "_LOOK_AT_CLOCK", 0.2)
    owner = await asyncpg.connect(office.database.owner_dsn)
    stop, pool = asyncio.Event(), await open_pool(office.database.settings, Role.WRITER, 4)

    async def schedules() -> tuple[int, int]:
        return tuple(
            await owner.fetchrow(
                "SELECT count(*), count(*) FILTER (WHERE updated > now() OR next_run > now() + interval '1 day')"
                " FROM job.pgqueuer_schedules"
            )
        )

    running = asyncio.create_task(jobs.run_queue(pool, duties(office), 30, stop, once=False))
    await until(lambda: _are(schedules, (6, 0)), 20)
    # A job of a worker that was killed then, and one that is queued: neither keeps the same from being queued again.
    await owner.execute(
        "INSERT INTO job.pgqueuer (priority, entrypoint, payload, status, updated, heartbeat, execute_after, dedupe_key)"
        " VALUES (0, 'tidy', '', 'queued', now() + interval '8 h', now() + interval '8 h', now() + interval '8 h', 'tidy:')"
    )
    await owner.execute(
        "UPDATE job.pgqueuer_schedules SET next_run = next_run + interval '8 h', updated = updated + interval '8 h'"
    )
    await until(lambda: _are(schedules, (6, 0)), 20)

    async def left() -> int:
        return int(await owner.fetchval("SELECT count(*) FROM job.pgqueuer WHERE entrypoint = 'tidy'"))

    await until(lambda: _are(left, 0), 20)
    stop.set()
    await running
    await pool.close()
    await owner.close()


async def _are(ask: Callable[[], Awaitable[Any]], expected: object) -> bool:
    return bool(await ask() == expected)


async def test_a_worker_hears_itself_from_its_first_question_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it begins anew after ten seconds, and what it was at is cut; here a server takes its time until it listens."""
    made, real, listen = [], jobs.queue_of, asyncpg.Connection.add_listener

    def noted(pool: asyncpg.Pool) -> Any:
        made.append(real(pool))
        return made[-1]

    async def slow(connection: asyncpg.Connection, channel: str, callback: Any) -> None:
        if channel not in connection._listeners:
            await asyncio.sleep(0.3)
        await listen(connection, channel, callback)

    monkeypatch.setattr(jobs, "queue_of", noted)
    monkeypatch.setattr(asyncpg.Connection, "add_listener", slow)
    stop, pool = asyncio.Event(), await open_pool(office.database.settings, Role.WRITER, 4)
    running = asyncio.create_task(jobs.run_queue(pool, duties(office), 30, stop, once=False))
    await asyncio.sleep(1.5)
    unheard = dict(made[0][0].qm.pending_health_check)
    stop.set()
    await running
    await pool.close()
    assert unheard == {}


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("HUB_CHANNEL_OWN_SITE_URL", "HUB_CHANNEL_OWN_SITE_KEY"),
        ("HUB_ASSOCIATION_URL", "HUB_ASSOCIATION_TOKEN"),
    ],
)
async def test_a_worker_that_lacks_a_setting_says_which_and_is_never_ready(
    database: Database, setting: str, named: str
) -> None:
    given = settings_of(database, {}, **{setting: "http://127.0.0.1:9"})
    process = await started(given, stderr=asyncio.subprocess.PIPE)
    output, told = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, output) == (1, b"")
    assert told.decode().splitlines()[-1].startswith("credithub: ")
    assert (named in told.decode(), "[SETTING_INVALID]" in told.decode()) == (True, True)


async def test_workers_harvest_what_is_connected(database: Database, tmp_path: Path) -> None:
    settings = settings_of(database, {}, HUB_COMMERCE_DIR=str(tmp_path))
    async with working(settings) as first, working(settings) as second:
        query = "SELECT status FROM source_state WHERE source = 'COMMERCE'"
        await until(lambda: _is(database, query, "OK"), 30)
        assert [await first.stop(), await second.stop()] == [0, 0]
    log = await database.writer.fetch(
        "SELECT status, count(*) FROM job.pgqueuer_log WHERE entrypoint = 'harvest' GROUP BY status"
    )
    assert dict(log)["successful"] == 1


@pytest.mark.parametrize(
    ("status", "level"), [("REFUSED", "ERROR"), ("UNAVAILABLE", "WARNING"), ("OK", None)]
)
async def test_a_harvest_that_fails_is_told_in_the_log_and_the_figures_though_its_facts_are_fresh(
    office: Office,
    status: str,
    level: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def harvested(*_: object) -> list[Outcome]:
        return [Outcome("TAX", Totals(), status, "身份证630103199003070016")]

    monkeypatch.setattr("hub.jobs.harvest_all", harvested)
    worker = duties(office)
    await worker.harvest("TAX")
    told = [(one.levelname, one.getMessage()) for one in caplog.records if one.name == "hub.jobs"]
    assert told == ([(level, f"the harvest of TAX failed: {status}")] if level else [])
    labels = {"source": "TAX", "outcome": status}
    assert worker.watch.registry.get_sample_value("credithub_harvests_total", labels) == 1


async def test_a_failed_job_is_done_again_and_the_queue_keeps_no_words_of_it(database: Database) -> None:
    _, queries = jobs.queue_of(database.writer)
    secret = "身份证630103199003070016"
    async with sites() as channels, working(settings_of(database, channels)) as worker:
        # No channel has this name, so the job fails with an error that repeats it.
        await jobs.put(queries, "deliver", secret)
        await until(lambda: _is(database, "SELECT count(*) FROM job.pgqueuer WHERE attempts > 0", 1), 20)
        kept = await database.writer.fetchval("SELECT string_agg(traceback::text, '') FROM job.pgqueuer_log")
        assert "RetryRequested" in kept
        assert "630103199003070016" not in kept
        assert await worker.stop() == 0


@pytest.mark.parametrize("failing", [("recompute",), ("open_reports", "settle"), ("keep_tiers",), ()])
async def test_what_time_does_is_done_whatever_part_of_it_fails(
    failing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts = (
        "recompute", "keep_time", "settle", "suspend_spoilt", "end_unshown", "end_with_affiliation", "end_off_lists",
        "remind_of_feedback", "open_reports", "end_with_penalties", "keep_tiers",
    )  # fmt: skip
    done = []

    def part(name: str) -> Callable[..., Awaitable[None]]:
        async def run(*_: object) -> None:
            done.append(name)
            if name in failing:
                raise LookupError("王小明")

        return run

    for name in parts:
        monkeypatch.setattr(jobs, name, part(name))
    duties = jobs.Duties(
        settings=None, tools=Mock(), pool=None, courier=None, channels={}, watch=None, harvested=None
    )  # type: ignore[arg-type]
    with pytest.raises(LookupError) if failing else nullcontext():
        await duties.deadlines("")
    assert tuple(done) == parts
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == len(failing)


async def test_a_command_is_not_done_again_for_seven_days_and_its_key_is_forgotten_then(
    office: Office,
) -> None:
    for key, age in (("older", timedelta(days=7, seconds=1)), ("younger", timedelta(days=7, seconds=-1))):
        await office.database.writer.execute(
            "INSERT INTO idempotency (partner, key, digest, outcome, at) VALUES ('mall', $1, '', '{}', $2)",
            key,
            office.clock() - age,
        )
    await duties(office).tidy("")
    left = await office.rows("SELECT key FROM idempotency WHERE partner = 'mall' AND digest = ''")
    assert [key for (key,) in left] == ["younger"]


async def test_a_job_that_failed_for_good_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def work(_: str) -> None:
        raise LookupError("王小明")

    watch = Watch()
    run = jobs._job("deadlines", work, watch)
    for attempts, raised in ((0, RetryRequested), (1, RetryRequested), (2, jobs.JobFailed)):
        with pytest.raises(raised):
            await run(SimpleNamespace(payload=None, attempts=attempts))  # type: ignore[arg-type]
    assert [one.levelname for one in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert "王小明" not in "".join(JsonLines().format(one) for one in caplog.records)
    told = generate_latest(watch.registry).decode()
    assert 'credithub_jobs_total{job="deadlines",outcome="FAILED"} 1.0' in told


async def test_a_worker_that_lost_the_store_begins_anew(database: Database) -> None:
    async with sites() as channels, working(settings_of(database, channels)) as worker:
        async with database.writer.acquire() as one, database.writer.acquire() as other:
            own = [one.get_server_pid(), other.get_server_pid()]
        admin = await asyncpg.connect(database.superuser_dsn)
        cut = await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'credithub hub_writer' AND datname = current_database()"
            " AND pid <> ALL ($1::int[])",
            own,
        )
        await admin.close()
        assert cut == 6
        case = await opened(database.writer, "G-1", present())
        await handed_in(
            database.writer, case, [publication(Channel.OWN_SITE, str(uuid4()), DOCUMENT, "P")], present()
        )
        await until(lambda: _all_acknowledged(database, 1), 45)
        assert await worker.stop() == 0


async def test_r8_5_an_unpushed_exit_becomes_an_alarm_and_a_figure_of_the_worker(database: Database) -> None:
    async with sites() as channels:
        channels[Channel.CREDIT_QINGHAI].site.trouble = Trouble.OUTAGE
        yesterday = present() - timedelta(days=2)
        case = await opened(database.writer, "L-1", yesterday, mechanism="LIST_ENTRY")
        gone = list_exit(Channel.CREDIT_QINGHAI, str(uuid4()), "移出严重失信主体名单", "E")
        await handed_in(database.writer, case, [gone], yesterday)
        settings = settings_of(database, channels, HUB_WORKER_METRICS_PORT="0")
        async with working(settings) as worker:
            await until(
                lambda: _is(
                    database, "SELECT count(*) FROM case_event WHERE transition = 'delivery_overdue'", 1
                ),
                30,
            )
            (line,) = [one for one in worker.lines if one.startswith("Worker metrics: ")]
            async with httpx.AsyncClient(trust_env=False) as http:

                async def told() -> bool:
                    text = (await http.get(line.removeprefix("Worker metrics: "))).text
                    return (
                        'credithub_deliveries_overdue{channel="CREDIT_QINGHAI",priority="1"} 1.0' in text
                        and 'credithub_alarms_total{channel="CREDIT_QINGHAI",rule="R8.5"} 1.0' in text
                        and 'credithub_jobs_total{job="alarms",outcome="OK"}' in text
                    )

                await until(told, 20)
            assert await worker.stop() == 0


async def test_killed_workers_lose_nothing_and_publish_nothing_twice(database: Database) -> None:
    """kill -9 at random moments, with channels that are slow, lose answers or are down in between."""
    chance = random.Random(20261123)
    shown: list[str] = []
    ended: set[str] = set()
    on_the_way: list[int] = []
    async with sites(receipt_after=0.2) as channels:
        settings = settings_of(database, channels)
        case = await opened(database.writer, "G-1", present())
        # Until enough kills came between a sending and its receipt.
        while sum(map(bool, on_the_way)) < KILLS:
            assert len(on_the_way) < 4 * KILLS, on_the_way
            new = [str(uuid4()) for _ in range(ITEMS)]
            gone = [one for one in shown if one not in ended][: ITEMS // 2]
            shown, ended = [*shown, *new], ended.union(gone)
            handed = [_showing(one, item) for one in Channel for item in new]
            handed += [_ending(one, item) for one in Channel for item in gone]
            await handed_in(database.writer, case, handed, present())
            for site in channels.values():
                site.site.trouble = chance.choice((Trouble.SLOW, Trouble.SLOW, Trouble.LOST, Trouble.OUTAGE))
                site.site.delay = 0.15
            # One channel at least takes what it is sent, late: that is when it is worst to be killed.
            channels[chance.choice(list(Channel))].site.trouble = Trouble.SLOW
            begun = present()
            async with working(settings) as worker:
                if chance.random() < 0.75:
                    await until(partial(_under_way, database, begun), 60, "nothing was sent", 0.01)
                else:
                    await asyncio.sleep(chance.uniform(0.1, 1.5))
                worker.kill()
                assert await worker.process.wait() == -9
            on_the_way.append(await database.writer.fetchval(_ON_THE_WAY, begun))
        print(f"deliveries on their way at each kill: {on_the_way}; of {len(shown)} items {len(ended)} ended")
        for site in channels.values():
            site.site.trouble = Trouble.NONE
        async with working(settings) as last:
            await until(lambda: _settled(database), 300, "deliveries were left")
            assert await last.stop() == 0
        rows = await database.writer.fetch(
            "SELECT channel, idempotency_key, state, error_code, receipt_no FROM delivery_out"
        )
        for one, site in channels.items():
            own = [row for row in rows if row["channel"] == one]
            sent = {row["idempotency_key"] for row in own if row["state"] == "ACKNOWLEDGED"}
            dropped = {row["idempotency_key"] for row in own if row["error_code"] == "SUPERSEDED"}
            listing = site.site.listing()
            # Lost: nothing. What stands on the page is what should, and all that ended is gone.
            assert set(listing["published"]) == set(shown) - ended
            assert set(listing["withdrawn"]) == ended
            # Twice: nothing. One document, one effect and one receipt for each delivery that was sent.
            assert len(sent) + len(dropped) == len(own) == len(shown) + len(ended)
            assert dropped <= {f"P:{one}:{item}" for item in ended}
            assert listing["documents"] == listing["effects"] == len(sent)
            assert len({row["receipt_no"] for row in own if row["receipt_no"]}) == len(sent)


def _showing(channel: Channel, item: str) -> Delivery:
    return publication(channel, item, DOCUMENT, f"P:{channel}:{item}")


def _ending(channel: Channel, item: str) -> Delivery:
    return withdrawal(channel, item, "原行政处罚决定被依法撤销", f"W:{channel}:{item}")


async def _is(database: Database, query: str, wanted: object) -> bool:
    return bool(await database.writer.fetchval(query) == wanted)


async def _all_acknowledged(database: Database, count: int) -> bool:
    return await _is(database, "SELECT count(*) FROM delivery_out WHERE state = 'ACKNOWLEDGED'", count)


async def _under_way(database: Database, begun: datetime) -> bool:
    return bool(await database.writer.fetchval(_ON_THE_WAY, begun))


async def _settled(database: Database) -> bool:
    return await _is(database, "SELECT count(*) FROM delivery_out WHERE state IN ('PENDING', 'SENT')", 0)
