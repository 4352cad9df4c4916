"""How the whole installation stands, as its store tells: what `credithub status` prints and a worker's gauges show.

Read when somebody asks, in one short transaction that changes nothing, never on the way of an answer. No personal data.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from connectors.contract import Mode, Source
from connectors.files import WHOLE_FILE
from hub.casework.delivery.alarms import OverdueDeliveries, count_overdue
from hub.config import Settings
from hub.errors import HubError, StoreUnavailable
from hub.ledger.chain import rehearse
from hub.rights.agreement import today_in
from hub.rights.agreement_store import AgreementStanding, Listed, list_agreements
from hub.rules.calendar import NATIONAL
from hub.rules.matrix import load_matrix
from hub.sources.discovery import discover, set_up
from hub.sources.freshness import State, harvested_state
from hub.store.database import STORE_FAILED, Role, lent, open_pool
from schema.coordinates import vocabulary

# Seconds until which the store must have told everything; Prometheus waits for ten.
SECONDS = 5.0
# Seconds by which clocks may differ: as much as a token's may (hub/rights/identity.py).
APART = timedelta(seconds=30)
# So long failures of jobs are told, and rows in quarantine are new.
LATELY = timedelta(days=1)
_STATES = "SELECT source, status, as_of, failing_since FROM source_state"
_QUARANTINE = """
SELECT source, count(*) AS waiting, min(quarantined_at) AS since, count(*) FILTER (WHERE quarantined_at > $1) AS new,
  count(*) FILTER (WHERE position = $2) AS files
FROM quarantine WHERE replayed_at IS NULL GROUP BY source
"""
_QUEUED = "SELECT entrypoint, count(*) FROM job.pgqueuer WHERE status = 'queued' GROUP BY entrypoint"
# A job that is to be done again has not ended.
_ENDED = """
SELECT entrypoint, count(*) FILTER (WHERE status <> 'successful') AS failed,
  (array_agg(status ORDER BY id DESC))[1] <> 'successful' AS failing
FROM job.pgqueuer_log WHERE created > $1 AND status IN ('successful', 'exception', 'failed') GROUP BY entrypoint
"""
# Every worker looks what is due every few seconds, and the library notes when.
_WORKER = "SELECT max(updated) FROM job.pgqueuer_schedules"
# From the end of each chain, by its key: the ledger is the largest of all tables.
_LEDGER = """
WITH RECURSIVE chains AS (
  SELECT min(chain) AS chain FROM ledger_block
  UNION ALL
  SELECT (SELECT min(b.chain) FROM ledger_block b WHERE b.chain > c.chain) FROM chains c WHERE c.chain IS NOT NULL
)
SELECT t.chain, t.seq, t.committed_at FROM chains c CROSS JOIN LATERAL (
  SELECT b.chain, b.seq, b.committed_at FROM ledger_block b WHERE b.chain = c.chain ORDER BY b.seq DESC LIMIT 1
) t ORDER BY t.committed_at DESC LIMIT 1
"""
_OVERDUE = """
SELECT mechanism, count(*) AS cases, min(due_on) AS oldest FROM case_file
WHERE closed_at IS NULL AND due_on < $1 GROUP BY mechanism ORDER BY mechanism
"""
_CALENDAR = "SELECT max(day) FROM working_day WHERE region_code = $1"
# More than its memory holds goes into a file beside the tables, of a megabyte, which ends with the statement. A disk
# that is full shows at once; what is written into a table finds room in the pages that it has, or makes it grow.
_BESIDE = "SET LOCAL work_mem = '64kB'; SET LOCAL temp_tablespaces = ''"
_SPILT = "SELECT count(*) FROM generate_series(1, 65536)"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """Open rows of a source in quarantine: how many, since when the oldest, how many came lately, and how many are files."""

    count: int = 0
    since: datetime | None = None
    new: int = 0
    files: int = 0


@dataclass(frozen=True)
class SourceCondition:
    """A source. `connected`: its settings are there; a live one has no state but in each server process."""

    source: Source
    connected: bool
    state: State
    # Since the last harvest that succeeded; None: there was none.
    age: timedelta | None
    # Since the first harvest that failed after that one; None: the last one did not fail.
    failing: timedelta | None
    waiting: Waiting

    @property
    def harvested(self) -> bool:
        """Whether its facts are in the store; else it is asked live."""
        return self.source.mode is Mode.HARVESTED

    @property
    def used(self) -> bool:
        """Whether answers rest on it: it is connected, or facts of it stand in the store."""
        return self.connected or self.state.as_of is not None


@dataclass(frozen=True)
class JobCondition:
    """The jobs of one name: how many wait, how many failed for good lately, and whether the last one did."""

    job: str
    waiting: int
    failed: int
    failing: bool


@dataclass(frozen=True)
class LastBlock:
    """The block that was committed last, of all chains."""

    chain: int
    seq: int
    committed_at: datetime


@dataclass(frozen=True)
class OverdueCases:
    """Open cases of one mechanism past their last day, and the oldest of these days."""

    mechanism: str
    count: int
    oldest: date


@dataclass(frozen=True)
class Condition:
    """All of it, as of `at` by the clock of the store, which all that write to it share."""

    at: datetime
    # By how much the clock of whoever asks is ahead of it, within the seconds that asking took.
    clock_ahead: timedelta
    version: str
    sources: tuple[SourceCondition, ...]
    agreements: tuple[Listed, ...]
    jobs: tuple[JobCondition, ...]
    # When a worker last looked what is due.
    worker_seen: datetime | None
    ledger: LastBlock | None
    overdue: tuple[OverdueCases, ...]
    # What is the most urgent comes first.
    deliveries: tuple[OverdueDeliveries, ...]
    # The last day that a notice of the country fixes; None: none does.
    calendar_until: date | None

    def days_left(self, until: date) -> int:
        """Days from today to a last day; negative: it has passed."""
        return (until - today_in(self.at)).days


async def read_condition(configured: Settings, now: datetime) -> Condition:
    """How everything stands; `now`: the present by the clock of this machine.

    Errors: StoreUnavailable within SECONDS, StoreInvalid, SettingInvalid.
    """
    try:
        async with asyncio.timeout(SECONDS):
            pool = await open_pool(configured, Role.WRITER, 1, statement_seconds=SECONDS)
            try:
                # Alone the writing role may read all of it.
                async with (
                    lent(pool, SECONDS) as connection,
                    connection.transaction(isolation="repeatable_read", readonly=True),
                ):
                    return await _read(connection, configured, now)
            finally:
                pool.terminate()
    except STORE_FAILED as error:
        raise StoreUnavailable(f"The store does not tell how it stands: {type(error).__name__}.") from error


async def why_not_writable(configured: Settings) -> str | None:
    """Why the store takes nothing, which it does not tell while it is only read; None: it does take it.

    Errors: StoreUnavailable within SECONDS, StoreInvalid, SettingInvalid.
    """
    try:
        async with asyncio.timeout(SECONDS):
            pool = await open_pool(configured, Role.WRITER, 1, statement_seconds=SECONDS)
            try:
                async with lent(pool, SECONDS) as connection:
                    await rehearse(connection)
                    async with connection.transaction():
                        await connection.execute(_BESIDE)
                        await connection.execute(_SPILT)
            finally:
                pool.terminate()
    except STORE_FAILED as error:
        return type(error).__name__
    return None


async def _read(connection: asyncpg.Connection, configured: Settings, own: datetime) -> Condition:
    # By a clock of its own that is wrong, it would tell of workers that run that none does.
    now = await connection.fetchval("SELECT clock_timestamp()")
    last = await connection.fetchrow(_LEDGER)
    return Condition(
        at=now,
        clock_ahead=own - now,
        version=await connection.fetchval("SELECT version_num FROM alembic_version"),
        sources=await _sources(connection, configured, now),
        agreements=await list_agreements(connection, load_matrix(), now, vocabulary().coordinates),
        jobs=await _jobs(connection, now),
        worker_seen=await connection.fetchval(_WORKER),
        ledger=None if last is None else LastBlock(*last),
        overdue=tuple(OverdueCases(*row) for row in await connection.fetch(_OVERDUE, today_in(now))),
        deliveries=tuple(await count_overdue(connection, now)),
        calendar_until=await connection.fetchval(_CALENDAR, NATIONAL),
    )


async def _sources(
    connection: asyncpg.Connection, configured: Settings, now: datetime
) -> tuple[SourceCondition, ...]:
    rows = {row["source"]: row for row in await connection.fetch(_STATES)}
    states = {name: State(row["status"], row["as_of"]) for name, row in rows.items()}
    failing = {name: now - row["failing_since"] for name, row in rows.items() if row["failing_since"]}
    rows_waiting = await connection.fetch(_QUARANTINE, now - LATELY, WHOLE_FILE)
    waiting = {source: Waiting(*counts) for source, *counts in rows_waiting}
    connected = set_up(configured.source_settings)
    found = []
    for name, module in sorted(discover().items()):
        source = module.SOURCE
        state = harvested_state(source, states.get(name), now)
        found.append(
            SourceCondition(
                source=source,
                connected=name in connected,
                state=state,
                age=None if state.as_of is None else now - state.as_of,
                failing=failing.get(name),
                waiting=waiting.get(name, Waiting()),
            )
        )
    return tuple(found)


async def _jobs(connection: asyncpg.Connection, now: datetime) -> tuple[JobCondition, ...]:
    queued = dict(await connection.fetch(_QUEUED))
    ended = {job: (failed, failing) for job, failed, failing in await connection.fetch(_ENDED, now - LATELY)}
    return tuple(
        JobCondition(job, queued.get(job, 0), *ended.get(job, (0, False)))
        for job in sorted({*queued, *ended})
    )


def long(age: timedelta) -> str:
    """About how long, in the largest unit of which there are two or more; negative: its moment is still to come."""
    seconds, sign = abs(int(age.total_seconds())), "-" if age.total_seconds() <= -1 else ""
    for unit, words in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{sign}{seconds // unit} {words}"
    return f"{sign}{seconds} s"


def apart(ahead: timedelta) -> str:
    """A difference of clocks in words: ahead of the other, or behind it."""
    return f"{long(abs(ahead))} {'ahead of' if ahead > timedelta() else 'behind'}"


class Gauges(Collector):
    """The condition as figures, read anew for each scrape: what the store does not tell now is not told at all."""

    def __init__(self, read: Callable[[], Condition]) -> None:
        """`read` is called on the thread of a scrape, by one at a time. Errors of it: HubError."""
        self._read = read
        self._reading = threading.Lock()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As the library asks for it."""
        condition = self._now()
        yield GaugeMetricFamily(
            "credithub_store_up",
            "1: the store told the figures that follow at this scrape; 0: it did not, and they are absent",
            value=condition is not None,
        )
        if condition is not None:
            yield from _families(condition)

    def _now(self) -> Condition | None:
        # Scrapes that come faster than the store answers do not pile up.
        if not self._reading.acquire(timeout=SECONDS):
            return None
        try:
            return self._read()
        except HubError as error:
            _log.warning("how the installation stands could not be read: %s", error.code)
        except Exception:
            # Whatever it is: the other figures of the worker are still to be told.
            _log.exception("how the installation stands could not be read")
        finally:
            self._reading.release()
        return None


def _families(condition: Condition) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "credithub_clock_ahead_seconds",
        "Seconds by which the clock of this worker's machine is ahead of the store's; negative: behind it",
        value=condition.clock_ahead.total_seconds(),
    )
    harvested = {one.source.name: one for one in condition.sources if one.harvested and one.used}
    agreed = {
        one.partner: one
        for one in condition.agreements
        # Whose agreement was suspended has none that could run out.
        if one.valid_to is not None and one.standing is not AgreementStanding.SUSPENDED
    }
    standings = Counter(one.standing for one in condition.agreements)
    yield _gauge(
        "source_ok",
        "1: the facts of a harvested source are there and not stale",
        "source",
        {name: one.state.status == "OK" for name, one in harvested.items()},
    )
    yield _gauge(
        "source_age_seconds",
        "Seconds since the last harvest of a source that succeeded",
        "source",
        {name: one.age.total_seconds() for name, one in harvested.items() if one.age is not None},
    )
    yield _gauge(
        "source_failing_seconds",
        "Seconds since the first harvest of a source that failed after the last one that succeeded; 0: none failed",
        "source",
        {name: one.failing.total_seconds() if one.failing else 0 for name, one in harvested.items()},
    )
    yield _gauge(
        "quarantine_open",
        "Rows that wait in quarantine",
        "source",
        {one.source.name: one.waiting.count for one in condition.sources if one.used or one.waiting.count},
    )
    yield _gauge(
        "agreements",
        "Partners by the standing of their newest agreement",
        "standing",
        {standing: standings[standing] for standing in AgreementStanding},
    )
    yield _gauge(
        "agreement_days_left",
        "Days until an agreement that is not suspended ends; negative: it has ended",
        "partner",
        {partner: condition.days_left(one.valid_to) for partner, one in agreed.items() if one.valid_to},
    )
    yield _gauge(
        "key_days_left",
        "Days until the first of a partner's keys ends that has not ended yet; negative: the last one has",
        "partner",
        {partner: condition.days_left(one.keys_until) for partner, one in agreed.items() if one.keys_until},
    )
    yield _gauge(
        "cases_overdue",
        "Open cases past their last day",
        "mechanism",
        {one.mechanism: one.count for one in condition.overdue},
    )
    yield _gauge("jobs_waiting", "Jobs in the queue", "job", {one.job: one.waiting for one in condition.jobs})
    yield _gauge(
        "jobs_failed",
        "Jobs that failed for good within a day",
        "job",
        {one.job: one.failed for one in condition.jobs},
    )


def _gauge(name: str, words: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"credithub_{name}", words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
