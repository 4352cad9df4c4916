"""Pulls harvested sources into the store: in batches, resumable, with nothing lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import asyncpg

from connectors.contract import (
    SHANGHAI,
    Connector,
    Mode,
    Refused,
    Retention,
    Source,
    Tools,
    Unavailable,
)
from hub.errors import HarvestRunning, SourceUnknown, StoreUnavailable
from hub.harvest import checkpoints, quarantine
from hub.harvest.catalogue import load_catalogue
from hub.harvest.intake import Intake
from hub.harvest.understanding import Understanding, Understood, here, patient_collector
from hub.harvest.versions import Totals, write_batch
from hub.rules.certificates import load_certificate_rules
from hub.rules.listing import load_list_rules
from hub.rules.publicity import load_publicity_rules
from hub.sources.discovery import connect_all
from hub.store.database import CONNECTION_LOST, NOT_ANSWERED, STORE_FAILED

Clock = Callable[[], datetime]
# Seconds to wait before asking an unavailable source again; a batch that comes through starts the row anew.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
# A killed harvest's connection may hold its lock until the server notices.
_LOCK_SECONDS = 30.0
_FILE_WAITS = "a whole file waits in quarantine, so the source counts as UNAVAILABLE"
# First key of the advisory locks by which processes share out the sources: any constant of our own.
_LOCKED = 1212240470
_LOCK = f"SELECT pg_try_advisory_lock({_LOCKED}, hashtext($1))"
_UNLOCK = f"SELECT pg_advisory_unlock({_LOCKED}, hashtext($1))"


@dataclass(frozen=True)
class Progress:
    """How far a harvest or import is. `expected`: rows of the file or source, when it says so.

    `trouble`: why nothing comes at present; then `pauses` are the seconds before each time that it is asked again,
    none where it was not asked yet.
    """

    name: str
    totals: Totals
    expected: int | None = None
    trouble: str = ""
    pauses: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a harvest or import ended.

    `status`: OK, TAKEN (this very file was imported before), UNAVAILABLE (ask again later; what came is kept),
    REFUSED or HARVEST_RUNNING (another process is harvesting it). `totals` of an import count the whole file, also
    what was taken before it was resumed.
    """

    name: str
    totals: Totals
    status: str = "OK"
    message: str = ""


Report = Callable[[Progress], None]
# Moves the cursor or position, in the transaction of the batch.
Move = Callable[[str, Totals], Awaitable[None]]


async def harvest(
    connector: Connector,
    pool: asyncpg.Pool,
    clock: Clock,
    report: Report | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Outcome:
    """Pull what is new in `connector` since the cursor of its last committed batch.

    Asks an unavailable source again after each of `pauses`. Errors: StoreUnavailable, HarvestRunning.
    """
    source = connector.source
    if source.mode is not Mode.HARVESTED or source.retention is not Retention.STORED:
        return Outcome(source.name, Totals(), "REFUSED", "the source is asked live, or may not be stored")
    begun = clock()
    async with exclusive(pool, source.name, partial(tell_waiting, source.name, report)) as connection:

        async def move(cursor: str, totals: Totals) -> None:
            await checkpoints.count(connection, source.name, totals, clock(), cursor)

        intake = await intake_of(connection, source, begun)
        run = Run(source, partial(here, connector, intake), connection, clock, report, source.name)
        try:
            outcome = await run.to_the_end(await checkpoints.cursor_of(connection, source.name), move, pauses)
        except Exception:
            # A defect is no outcome, and the next job of another source would hide that this one's failed.
            with suppress(*STORE_FAILED):
                await checkpoints.note_failure(connection, source, clock())
            raise
        if outcome.status == "OK" and await quarantine.file_waits(connection, source.name):
            await checkpoints.note_incomplete(connection, source.name, clock())
            outcome = replace(outcome, message=_FILE_WAITS)
        elif outcome.status == "OK":
            await checkpoints.note_success(connection, source.name, begun, clock())
        else:
            await checkpoints.note_failure(connection, source, clock())
    return outcome


async def harvest_all(
    names: Sequence[str],
    settings: Mapping[str, str],
    tools: Tools,
    pool: asyncpg.Pool,
    report: Report | None = None,
) -> list[Outcome]:
    """Harvest the named sources, all that are connected when none is named, one after the other.

    One that another process harvests keeps no other waiting: its outcome says so.
    Errors: SourceUnknown for a name without a connected source that is harvested, SettingInvalid, StoreUnavailable.
    """
    connected = connect_all(settings, tools)
    try:
        harvested = {name: one for name, one in connected.items() if one.source.mode is Mode.HARVESTED}
        wanted = [name.upper() for name in names] or list(harvested)
        unknown = [name for name in wanted if name not in harvested]
        if unknown:
            known = ", ".join(harvested) or "none"
            raise SourceUnknown(f"No source {unknown[0]} is connected and harvested; there are: {known}.")
        outcomes = []
        for name in wanted:
            try:
                outcomes.append(await harvest(harvested[name], pool, tools.now, report))
            except HarvestRunning as error:
                outcomes.append(Outcome(name, Totals(), error.code, str(error)))
        return outcomes
    finally:
        for one in connected.values():
            await one.close()


async def intake_of(connection: asyncpg.Connection, source: Source, now: datetime) -> Intake:
    """What rows of the source are checked against, as of `now`."""
    catalogue = await load_catalogue(connection, source)
    today = now.astimezone(SHANGHAI).date()
    rules = (load_publicity_rules(), load_list_rules(), load_certificate_rules())
    return Intake(source, catalogue, *rules, now, today)


def tell_waiting(name: str, report: Report | None) -> None:
    """Report that another process harvests the source `name`, and is waited for."""
    if report is not None:
        trouble = f"another process is harvesting it; waited for, at most {_LOCK_SECONDS:g} s"
        report(Progress(name, Totals(), None, trouble))


@asynccontextmanager
async def exclusive(
    pool: asyncpg.Pool, source: str, waits: Callable[[], None] | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """A connection that alone harvests the source. `waits` is called when another one does and is waited for.

    Errors: HarvestRunning, StoreUnavailable.
    """
    try:
        async with _living(pool) as connection:
            deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
            while not await connection.fetchval(_LOCK, source):
                if waits is not None:
                    waits()
                    waits = None
                if asyncio.get_running_loop().time() > deadline:
                    raise HarvestRunning(f"Another process is harvesting {source}.")
                await asyncio.sleep(0.1)
            yield connection
            await connection.execute(_UNLOCK, source)
    except (*NOT_ANSWERED, OSError) as error:
        raise StoreUnavailable(
            f"The store was lost or too slow while harvesting {source}: {type(error).__name__}."
        ) from error


@asynccontextmanager
async def _living(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection that answers: that the server cut one while it rested may show only when it is asked."""
    for _ in range(pool.get_max_size() + 1):
        async with pool.acquire() as connection:
            try:
                await connection.execute("SELECT 1")
            except (*CONNECTION_LOST, OSError):
                continue
            yield connection
            return
    raise StoreUnavailable("The store cuts every connection.")


class Run:
    """One pass over a source: while the store writes a batch, the next one is read and understood."""

    def __init__(
        self,
        source: Source,
        batches: Understanding,
        connection: asyncpg.Connection,
        clock: Clock,
        report: Report | None,
        name: str,
        before: Totals | None = None,
    ) -> None:
        """`before`: what was taken of a file before; the totals go on from there."""
        self._source = source
        self._batches = batches
        self._connection = connection
        self._clock = clock
        self._report = report
        self._name = name
        self._totals = before or Totals()
        self._cursor: str | None = None
        self._progressed = False

    async def to_the_end(self, cursor: str | None, move: Move, pauses: Sequence[float]) -> Outcome:
        """All batches from `cursor` on; an unavailable source is asked again, a refusal ends the pass."""
        with patient_collector():
            return await self._ask(cursor, move, pauses)

    async def _ask(self, cursor: str | None, move: Move, pauses: Sequence[float]) -> Outcome:
        self._cursor = cursor
        left = list(pauses)
        self._tell(Progress(self._name, self._totals))
        while True:
            self._progressed = False
            try:
                await self._pull(move)
            except Unavailable as error:
                left = list(pauses) if self._progressed else left
                if not left:
                    return Outcome(self._name, self._totals, "UNAVAILABLE", str(error))
                self._tell(Progress(self._name, self._totals, None, str(error), tuple(left)))
                await asyncio.sleep(left.pop(0))
            except Refused as error:
                return Outcome(self._name, self._totals, "REFUSED", str(error))
            else:
                return Outcome(self._name, self._totals)

    async def _pull(self, move: Move) -> None:
        """Go through the batches. However it ends, what was handed to the store is stored first."""
        writing: asyncio.Task[None] | None = None
        try:
            async with aclosing(self._batches(self._cursor)) as batches:
                async for batch in batches:
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(self._write(batch, move))
        finally:
            if writing is not None:
                await writing

    async def _write(self, batch: Understood, move: Move) -> None:
        checkpoint = partial(move, batch.cursor)
        totals = await write_batch(self._connection, self._source, batch.rows, self._clock(), checkpoint)
        self._totals += totals
        # A source that gives nothing new between two failures must not be asked for ever.
        self._progressed = self._progressed or (totals.read > 0 and batch.cursor != self._cursor)
        self._cursor = batch.cursor
        self._tell(Progress(self._name, self._totals, batch.expected))

    def _tell(self, progress: Progress) -> None:
        if self._report is not None:
            self._report(progress)
