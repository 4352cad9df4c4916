"""Imports 双公示 files that a person gives: known by their digest, resumed where they stood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import asyncpg

from connectors.commerce import connect_file
from connectors.contract import SHANGHAI, Tools
from connectors.drop import cursor_at
from connectors.files import digest_of, name_of
from hub.harvest import checkpoints
from hub.harvest.run import Outcome, Report, Run, exclusive, intake_of, tell_waiting
from hub.harvest.understanding import Beside, here
from hub.harvest.versions import Totals

# From this size on a file is read in a process of its own; to start one takes as long as some thousand rows.
LARGE_BYTES = 8 << 20


async def import_files(
    paths: Sequence[Path],
    tools: Tools,
    pool: asyncpg.Pool,
    report: Report | None = None,
    again: bool = False,
    *,
    harvested: bool = False,
) -> list[Outcome]:
    """Import licence and penalty files (CSV, XLSX, XML; UTF-8, GB18030), one after the other.

    A file imported before is recognized (status TAKEN); `again` reads it once more. One whose import was
    cut short goes on after its last committed batch. A file that cannot be read is REFUSED and does not
    stop the others. `harvested`: the source is connected, so its harvest alone says how fresh its facts are; without
    it the files are all that comes of the source. Errors: StoreUnavailable, HarvestRunning.
    """
    return [await _import(path, tools, pool, report, again, harvested) for path in paths]


async def _import(
    path: Path, tools: Tools, pool: asyncpg.Pool, report: Report | None, again: bool, harvested: bool
) -> Outcome:
    connector, clock = connect_file(path, tools), tools.now
    source = connector.source
    digest = await asyncio.to_thread(digest_of, path)
    async with exclusive(pool, source.name, partial(tell_waiting, source.name, report)) as connection:
        delivery = await checkpoints.delivery_of(connection, digest)
        if delivery is not None and again:
            await checkpoints.take_again(connection, digest)
            delivery = None
        before = Totals() if delivery is None else delivery.totals
        if delivery is not None and delivery.finished_at is not None:
            when = delivery.finished_at.astimezone(SHANGHAI)
            return Outcome(name_of(path), before, "TAKEN", f"imported before, on {when:%Y-%m-%d %H:%M}")

        async def move(_: str, totals: Totals) -> None:
            await checkpoints.take(connection, digest, source.name, name_of(path), totals, clock())
            await checkpoints.count(connection, source.name, totals, clock())

        intake = await intake_of(connection, source, clock())
        batches = Beside(path, tools, intake) if _is_large(path) else partial(here, connector, intake)
        run = Run(source, batches, connection, clock, report, name_of(path), before)
        outcome = await run.to_the_end(cursor_at(digest, before.read), move, ())
        if outcome.status == "OK":
            await checkpoints.finish(connection, digest, clock())
            if not harvested:
                await checkpoints.note_success(connection, source.name, clock(), clock())
    return outcome


def _is_large(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_size >= LARGE_BYTES
    return False
