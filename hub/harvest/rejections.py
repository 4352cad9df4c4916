"""Rows of live sources that were not understood: brought into quarantine beside the requests that met them."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime

import asyncpg

from connectors.contract import RawRow, Source
from hub.harvest import quarantine
from hub.harvest.understood import Rejected
from hub.store.database import STORE_FAILED, lent

# A source that answers nonsense may do so often; what comes on top within a second is only counted.
MOST = 1_000
FLUSH_SECONDS = 1.0
# How long the store may take before it counts as away.
WRITE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Rejections:
    """Gathers rejected live rows and writes them once a second."""

    def __init__(self, pool: asyncpg.Pool, clock: Callable[[], datetime]) -> None:
        """`pool`: of the writing role."""
        self._pool = pool
        self._clock = clock
        self._waiting: deque[tuple[str, Rejected]] = deque(maxlen=MOST)
        self._task: asyncio.Task[None] | None = None

    def note(self, source: Source, row: RawRow, code: str, reason: str) -> None:
        """Take note of a row that a live source gave; see `hub.sources.live`."""
        _log.warning("a live row of %s was not taken: %s", source.name, code)
        self._waiting.append((source.name, Rejected(row, code, reason)))

    async def start(self) -> None:
        """Begin to write what is noted."""
        self._task = asyncio.create_task(self._follow(), name="rejections")

    async def stop(self) -> None:
        """Write what was noted, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._write()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self._write()

    async def _write(self) -> None:
        by_source: defaultdict[str, list[Rejected]] = defaultdict(list)
        while self._waiting:
            name, rejected = self._waiting.popleft()
            by_source[name].append(rejected)
        try:
            for name, rejected_rows in by_source.items():
                async with lent(self._pool, WRITE_SECONDS) as connection:
                    await quarantine.keep(connection, name, rejected_rows, self._clock())
        except STORE_FAILED:
            # The source will give them again; they are in the log by their codes.
            _log.error("rejected live rows could not be put into quarantine")
