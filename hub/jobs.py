"""The hub's work outside requests, as jobs of a queue in the store (PgQueuer): harvest, deliveries, deadlines, alarms.

Schedules only look what is due and put it on the queue; there a job is taken by one worker, kept by its heartbeat,
and taken over by another when its worker is killed. No job is queued twice. Every job may be done again at any time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel as NotifyChannel
from pgqueuer.domain.types import QueueExecutionMode

from connectors.contract import Mode, Retention, Source, Tools
from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.alarms import STILL_SHOWN, raise_alarms, waiting
from hub.casework.delivery.channels import Address, Channel
from hub.casework.delivery.deliveries import Courier, due_channels
from hub.casework.delivery.watch import ChannelServed, JobDone, SourceHarvested, Watch, Watched
from hub.casework.departures import end_with_affiliation
from hub.casework.domestic_trade.disclosures import end_with_penalties
from hub.casework.domestic_trade.tiers import keep_tiers
from hub.casework.listings.measures import end_off_lists, remind_of_feedback
from hub.casework.listings.rechecks import suspend_spoilt
from hub.casework.machine import Machine
from hub.casework.new_calendar import recompute
from hub.casework.objections.corrections import tell_recipients
from hub.casework.publicity.unshown import end_unshown
from hub.casework.registry import registry
from hub.casework.repair.commands import settle
from hub.casework.reports.commands import open_reports
from hub.condition import APART, apart
from hub.config import Settings
from hub.harvest.run import Outcome, harvest_all
from hub.sources.discovery import set_up
from hub.store.database import STORE_FAILED

# All names said here: the library would take those that are not from the environment.
QUEUE = DBSettings(
    prefix="",
    db_schema="job",
    channel=NotifyChannel("hub_job"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=True,
)
HARVEST, DELIVER, DEADLINES, ALARMS, TIDY = "harvest", "deliver", "deadlines", "alarms", "tidy"
CORRECTIONS = "corrections"
# Cron expressions, in UTC; with six fields the last one is the second.
LOOK_FOR_DELIVERIES, LOOK_FOR_SOURCES = "* * * * * */2", "* * * * * */30"
EVERY_MINUTE, EVERY_FIVE_MINUTES, EVERY_NIGHT = "* * * * *", "*/5 * * * *", "17 18 * * *"
# A source is asked four times in its cycle, and at least so often, so that nobody waits long for a dropped file.
_SELDOM = timedelta(hours=6)
# One that did not answer is asked again after this time.
_AGAIN = timedelta(minutes=5)
# A job that failed is done again so many times, then left to its schedule.
_TRIES, _FIRST_PAUSE = 3, timedelta(seconds=10)
# Jobs taken from the queue at once.
_AT_ONCE = 4
# Seconds between two looks whether the store's clock was put back, or differs from the own one.
_LOOK_AT_CLOCK = 30.0
# The library waits for the moments that it wrote itself, and would do nothing until the clock is there again. What has a
# change that is still to come was written while the clock was ahead: due now, and alive for one lease more.
_PUT_BACK = (
    "UPDATE job.pgqueuer_schedules SET next_run = now(), heartbeat = now(), updated = now() WHERE updated > clock_timestamp()",
    "UPDATE job.pgqueuer SET execute_after = now(), heartbeat = now(), updated = now()"
    " WHERE greatest(updated, heartbeat) > clock_timestamp()",
)
# How long the log of jobs that ended is kept, and for how long a command is not done again under its key (docs/asking.md
# says so to partners): whoever had no answer repeats it within minutes, or after a long holiday.
_KEPT, _REPEATABLE = timedelta(days=30), timedelta(days=7)
_TIDY = (
    ("DELETE FROM job.pgqueuer_log WHERE created < $1", _KEPT),
    ("DELETE FROM job.pgqueuer_statistics WHERE created < $1", _KEPT),
    ("DELETE FROM idempotency WHERE at < $1", _REPEATABLE),
)
# A source of which a migration had the place forgotten is to be read from its beginning, however fresh its facts are.
_STATES = """
SELECT source, CASE WHEN cursor IS NOT NULL OR rows_read = 0 THEN as_of END AS as_of, checked_at FROM source_state
"""
_log = logging.getLogger(__name__)


class JobFailed(Exception):
    """A job failed for good; the words of what failed may hold values of rows and are not kept in the queue."""


@dataclass(frozen=True, kw_only=True)
class Duties:
    """What the jobs work with."""

    settings: Settings
    tools: Tools
    pool: asyncpg.Pool
    courier: Courier
    channels: Mapping[Channel, Address]
    watch: Watch
    # Told of every harvest that ended.
    harvested: Callable[[Outcome], None]

    async def harvest(self, source: str) -> None:
        """Harvest a source."""
        for outcome in await harvest_all([source], self.settings.source_settings, self.tools, self.pool):
            # For two cycles its facts are as fresh as promised, and partners are told nothing of it. The words of the
            # source are not for logs.
            if outcome.status != "OK":
                level = logging.ERROR if outcome.status == "REFUSED" else logging.WARNING
                _log.log(level, "the harvest of %s failed: %s", outcome.name, outcome.status)
            self.watch.tell(SourceHarvested(outcome.name, outcome.status))
            self.harvested(outcome)

    async def deliver(self, channel: str) -> None:
        """Take to a channel what is due."""
        address = self.channels.get(Channel(channel))
        if address is not None:
            self.watch.tell(ChannelServed(channel, await self.courier.deliver(address)))

    async def deadlines(self, _: str) -> None:
        """Take over a new working calendar, and do what time does: reminders, steps, repairs, lists, publications,
        measures, reports, exposures, tiers.

        Each part is done whatever became of the others; raises what the first one that failed did.
        """
        failures = []
        # None is kept by another's failure: what keeps a report from being opened must not keep a deadline from passing.
        for name, part in (
            ("calendar", recompute),
            ("steps", _steps),
            ("repairs", settle),
            # After the repairs: what was repaired spoils nothing, and what they end ends as repaired.
            ("lists", suspend_spoilt),
            ("publications", end_unshown),
            ("departures", end_with_affiliation),
            ("measures", end_off_lists),
            # After what ended: nothing more is expected of it.
            ("feedback", remind_of_feedback),
            # After what ended while no worker ran: it counts in the quarter in which it ended.
            ("reports", open_reports),
            ("exposures", end_with_penalties),
            ("tiers", keep_tiers),
        ):
            try:
                await part(self.pool, registry().machines, self.tools.now())
            except Exception as error:
                _log.error("the part %s of the deadlines failed", name, exc_info=error)
                failures.append(error)
        if failures:
            raise failures[0]

    async def corrections(self, _: str) -> None:
        """Tell those who had been told of a record that an objection to it was upheld."""
        await tell_recipients(self.pool, registry().machines, self.tools.now())

    async def alarms(self, _: str) -> None:
        """Raise the alarms on deliveries, and show the figures."""
        now = self.tools.now()
        alarms = await raise_alarms(self.pool, now)
        for one in alarms.raised:
            if one.priority == STILL_SHOWN:
                _log.error("delivery %s to %s is overdue (%s)", one.delivery_id, one.channel, one.rule)
        self.watch.tell(Watched(alarms, tuple(await waiting(self.pool)), now))

    async def tidy(self, _: str) -> None:
        """Forget the log of jobs that ended long ago, and the keys under which commands were done."""
        for statement, kept in _TIDY:
            await self.pool.execute(statement, self.tools.now() - kept)


def queue_of(pool: asyncpg.Pool) -> tuple[PgQueuer, Queries]:
    """The library's manager and queries over the tables of migration 0003; `pool` has two connections or more."""
    driver = AsyncpgPoolDriver(pool)
    queries = Queries(
        driver,
        qbe=QueryBuilderEnvironment(QUEUE),
        qbq=QueryQueueBuilder(QUEUE),
        qbs=QuerySchedulerBuilder(QUEUE),
    )
    return PgQueuer(driver, NotifyChannel(QUEUE.channel), queries=queries), queries


async def put(queries: Queries, job: str, what: str = "") -> None:
    """Put a job on the queue unless it stands there or is being done."""
    await queries.enqueue(job, what.encode(), dedupe_key=f"{job}:{what}", on_conflict="skip")


def due_sources(
    sources: Mapping[str, Source], states: Mapping[str, tuple[datetime | None, datetime]], now: datetime
) -> list[str]:
    """The harvested sources that should be asked now. `states`: as of when its facts are, and when it was asked last."""
    found = []
    for name, source in sources.items():
        if source.mode is not Mode.HARVESTED or source.retention is not Retention.STORED:
            continue
        pause = min(source.freshness.cycle / 4, _SELDOM)
        as_of, asked = states.get(name, (None, None))
        if not _within(pause, as_of, now) and not _within(min(pause, _AGAIN), asked, now):
            found.append(name)
    return found


def _within(pause: timedelta, moment: datetime | None, now: datetime) -> bool:
    """Whether `moment` was less than `pause` ago; one that is still to come is of a clock that was ahead, and says nothing."""
    return moment is not None and timedelta() <= now - moment < pause


def equip(manager: PgQueuer, queries: Queries, duties: Duties) -> None:
    """Tell the manager which jobs there are, and when each is put on the queue."""
    # Versions of facts are written by one at a time, so one harvest at a time is enough everywhere.
    for name, work, limit in (
        (HARVEST, duties.harvest, 1),
        (DELIVER, duties.deliver, 0),
        (DEADLINES, duties.deadlines, 1),
        (ALARMS, duties.alarms, 1),
        (CORRECTIONS, duties.corrections, 1),
        (TIDY, duties.tidy, 1),
    ):
        manager.entrypoint(name, concurrency_limit=limit)(_job(name, work, duties.watch))

    @manager.schedule("look-for-deliveries", LOOK_FOR_DELIVERIES)
    async def look_for_deliveries(_: Schedule) -> None:
        for channel in await due_channels(duties.pool, duties.tools.now()):
            if channel in duties.channels:
                await put(queries, DELIVER, channel)

    @manager.schedule("look-for-sources", LOOK_FOR_SOURCES)
    async def look_for_sources(_: Schedule) -> None:
        for source in await _due_sources(duties):
            await put(queries, HARVEST, source)

    for name, expression in (
        (DEADLINES, EVERY_FIVE_MINUTES),
        (ALARMS, EVERY_MINUTE),
        (CORRECTIONS, EVERY_MINUTE),
        (TIDY, EVERY_NIGHT),
    ):
        manager.schedule(name, expression)(_putting(queries, name))


async def put_all(queries: Queries, duties: Duties) -> None:
    """Put on the queue what a new worker should not wait for."""
    for source in await _due_sources(duties):
        await put(queries, HARVEST, source)
    for channel in await due_channels(duties.pool, duties.tools.now()) & duties.channels.keys():
        await put(queries, DELIVER, channel)
    await put(queries, DEADLINES)
    await put(queries, CORRECTIONS)
    await put(queries, ALARMS)


async def run_queue(
    pool: asyncpg.Pool, duties: Duties, lease: float, stop: asyncio.Event, *, once: bool
) -> None:
    """Work through the queue until `stop`; with `once`, until it is empty. Jobs under way end first.

    `lease`: seconds without heartbeat after which a job is taken over. Raises what the store or the library
    raise when they cannot go on; the caller begins anew.
    """
    manager, queries = queue_of(pool)
    equip(manager, queries, duties)
    await after_put_back(pool)
    await put_all(queries, duties)
    ending = asyncio.create_task(_stopped(stop, manager))
    looking = asyncio.create_task(_look_at_clocks(pool, duties.tools.now))
    heartbeat = timedelta(seconds=lease)
    try:
        if once:
            await manager.qm.run(
                dequeue_timeout=timedelta(seconds=0.5),
                batch_size=_AT_ONCE,
                mode=QueueExecutionMode.drain,
                heartbeat_timeout=heartbeat,
            )
        else:
            # The library first asks whether it hears itself, and only then listens: unless somebody listens on its connection
            # already, it may miss its own answer, and begins anew after ten seconds, jobs and all.
            await queries.driver.add_listener(NotifyChannel(QUEUE.channel), _heard)
            await manager.run(
                dequeue_timeout=heartbeat / 2,
                batch_size=_AT_ONCE,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=heartbeat,
            )
    finally:
        ending.cancel()
        looking.cancel()


async def after_put_back(pool: asyncpg.Pool) -> None:
    """Make due what waits for a moment that the store's clock has told already, before it was put back."""
    changed = [await pool.execute(statement) for statement in _PUT_BACK]
    if changed != ["UPDATE 0"] * len(changed):
        _log.warning("the clock of the store was put back: what was to be done by the later time is done now")


async def tell_apart(pool: asyncpg.Pool, clock: Callable[[], datetime], *, told: bool) -> bool:
    """Say that `clock` and the store's differ, unless it was `told`; or that they do no longer. Whether they do."""
    before = clock()
    at = await pool.fetchval("SELECT clock_timestamp()")
    # However long the store took to tell it.
    ahead = max(before - at, timedelta()) or min(clock() - at, timedelta())
    if abs(ahead) <= APART:
        if told:
            _log.info("the clocks of this machine and of the store agree again")
        return False
    if not told:
        _log.error(
            "the clock of this machine is %s the store's: deadlines pass and facts age by it; synchronize them",
            apart(ahead),
        )
    return True


async def _look_at_clocks(pool: asyncpg.Pool, clock: Callable[[], datetime]) -> None:
    told = False
    while True:
        # A store that is lost ends the queue itself, and all begins anew.
        with suppress(*STORE_FAILED):
            told = await tell_apart(pool, clock, told=told)
        await asyncio.sleep(_LOOK_AT_CLOCK)
        with suppress(*STORE_FAILED):
            await after_put_back(pool)


def _heard(_: str | bytes | bytearray) -> None:
    """What is told there is for the library."""


async def _stopped(stop: asyncio.Event, manager: PgQueuer) -> None:
    await stop.wait()
    manager.shutdown.set()


async def _due_sources(duties: Duties) -> list[str]:
    sources = {name: one.SOURCE for name, one in set_up(duties.settings.source_settings).items()}
    states = {row["source"]: (row["as_of"], row["checked_at"]) for row in await duties.pool.fetch(_STATES)}
    return due_sources(sources, states, duties.tools.now())


async def _steps(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> None:
    await keep_time(pool, machines, automatic(), now)


def _putting(queries: Queries, name: str) -> Callable[[Schedule], Awaitable[None]]:
    async def look(_: Schedule) -> None:
        await put(queries, name)

    return look


def _job(name: str, work: Callable[[str], Awaitable[None]], watch: Watch) -> Callable[[Job], Awaitable[None]]:
    """`work` as the library calls it: what fails is done again, and neither queue nor log keeps its words."""

    async def run(job: Job) -> None:
        try:
            await work((job.payload or b"").decode())
        except Exception as error:
            if job.attempts + 1 < _TRIES:
                _log.warning("the job %s failed and is done again", name, exc_info=error)
                watch.tell(JobDone(name, "RETRY"))
                raise RetryRequested(_FIRST_PAUSE * 2**job.attempts, type(error).__name__) from None
            _log.error("the job %s failed", name, exc_info=error)
            watch.tell(JobDone(name, "FAILED"))
            raise JobFailed(type(error).__name__) from None
        watch.tell(JobDone(name, "OK"))

    return run
