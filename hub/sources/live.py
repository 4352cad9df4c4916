"""Asks live sources: batched, once for all who ask the same, under a deadline, honest when one fails."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from connectors.contract import Connector, RawRow, Retention, SourceError
from hub.sources.breaker import Breaker
from hub.sources.cache import Entry, RowCache
from hub.sources.live_rows import Classify, OnRejected, understand

_BATCH = 100
# Batches of one item under way at a time; keys asked for meanwhile wait and fill the next batch.
_LANES = 4
# Keys that may wait: past this the source is overloaded and more waiting would help nobody.
_QUEUE = 5_000
_NEGATIVE_TTL = 30.0
# What was kept by a clock that is further ahead than this was kept before the clock was put back: its date is not true, and
# nobody knows how old it is. Those who share a cache may differ by less.
_CLOCKS_APART = 30.0
_FAILURES, _PAUSE = 5, 5.0
# Second tries, as a share of the questions: a source in trouble must not get twice the load.
_RETRY_SHARE = 0.1
_log = logging.getLogger(__name__)


class Status(StrEnum):
    """Whether a source answered; the words of FetchStatus."""

    OK = "OK"
    STALE = "STALE"  # some of it is older than it should be, because the source did not answer
    PARTIAL = "PARTIAL"  # for some keys there is no whole answer
    UNAVAILABLE = "UNAVAILABLE"  # for no key there is one


@dataclass(frozen=True)
class LiveAnswer:
    """What a live source says about some keys.

    A row has the columns of its table, ready for JSON, and `key` (as asked).
    """

    rows: list[dict[str, Any]]
    status: Status
    # When the oldest of it was fetched; None when there is nothing.
    as_of: datetime | None
    # Keys without a whole answer: that a row is missing says nothing about them.
    incomplete: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()
    # Not all of it was remembered: it says how the source is now.
    asked: bool = False


class LiveSettings(Protocol):
    """The settings that matter here, as hub.config.Settings has them; seconds."""

    @property
    def source_deadline(self) -> float:
        """Until which an answer waits."""
        ...

    @property
    def cache_ttl(self) -> float:
        """How long rows need no second question."""
        ...


class LiveSources:
    """The live sources of one process. `close` it at the end."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        cache: RowCache,
        settings: LiveSettings,
        *,
        classify: Classify,
        on_rejected: OnRejected,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives the epoch, `monotonic` seconds that never go back."""
        self._settings = settings
        self._asked = {
            name: _Asked(connector, cache, settings, classify, on_rejected, clock, monotonic)
            for name, connector in connectors.items()
        }

    async def ask(self, source: str, keys: Sequence[str], items: Sequence[str]) -> LiveAnswer:
        """What `source` says of `items` (catalogue codes) about each of `keys` (normalized).

        Never raises for a source that fails, never takes much longer than the deadline. An unknown source is
        unavailable.
        """
        asked = self._asked.get(source)
        unique = list(dict.fromkeys(keys))
        if asked is None:
            return LiveAnswer([], Status.UNAVAILABLE, None, frozenset(unique))
        if not unique or not items:
            return LiveAnswer([], Status.OK, None)
        ends = asyncio.get_running_loop().time() + self._settings.source_deadline
        parts = await asyncio.gather(*(asked.entries(item, unique, ends) for item in items))
        rows: list[dict[str, Any]] = []
        unanswered: set[str] = set()
        incomplete: set[str] = set()
        stale: set[str] = set()
        fetched: list[float] = []
        for entries, old, _ in parts:
            unanswered.update(key for key in unique if key not in entries)
            incomplete.update(key for key, entry in entries.items() if not entry.complete)
            stale.update(old)
            for entry in entries.values():
                rows += entry.rows
                fetched.append(entry.fetched_at)
        status = Status.OK
        if len(unanswered) == len(unique):
            status = Status.UNAVAILABLE
        elif unanswered or incomplete:
            status = Status.PARTIAL
        elif stale:
            status = Status.STALE
        as_of = datetime.fromtimestamp(min(fetched), UTC) if fetched else None
        return LiveAnswer(
            rows,
            status,
            as_of,
            frozenset(unanswered | incomplete),
            frozenset(stale),
            any(waited for _, _, waited in parts),
        )

    async def close(self) -> None:
        """Give up what is under way. The connectors and the cache belong to whoever made them."""
        for asked in self._asked.values():
            await asked.close()


class _Asked:
    """One live source: its breaker, its questions under way and its part of the cache."""

    def __init__(
        self,
        connector: Connector,
        cache: RowCache,
        settings: LiveSettings,
        classify: Classify,
        on_rejected: OnRejected,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._connector, self._cache, self._settings, self._clock = connector, cache, settings, clock
        self._classify, self._on_rejected = classify, on_rejected
        self._breaker = Breaker(_FAILURES, _PAUSE, monotonic)
        # Transient rows may be used for the answer being made only: they are never kept, here or elsewhere.
        self._kept = connector.source.retention is Retention.STORED
        freshness = connector.source.freshness
        self._ttl = min(settings.cache_ttl, freshness.cycle.total_seconds())
        self._stale_for = freshness.stale_after.total_seconds()
        self._pending: dict[str, dict[str, asyncio.Future[Entry | None]]] = {}
        self._flying: dict[tuple[str, str], asyncio.Future[Entry | None]] = {}
        self._running: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._retries = 1.0

    async def entries(
        self, item: str, keys: Sequence[str], ends: float
    ) -> tuple[dict[str, Entry], set[str], bool]:
        """Entries for the keys that have one, which of them are older than they should be, whether any was asked for."""
        kept = await self._cache.read(self._connector.source.name, item, keys) if self._kept else {}
        now = self._clock()
        kept = {key: entry for key, entry in kept.items() if entry.fetched_at < now + _CLOCKS_APART}
        entries = {key: entry for key, entry in kept.items() if now < entry.fresh_until}
        waits = {key: self._join(item, key) for key in keys if key not in entries}
        if waits:
            loop = asyncio.get_running_loop()
            await asyncio.wait(set(waits.values()), timeout=max(0.0, ends - loop.time()))
        stale = set()
        for key, future in waits.items():
            entry = future.result() if future.done() else None
            if (
                entry is None
                and key in kept
                and kept[key].complete
                and now - kept[key].fetched_at < self._stale_for
            ):
                entry = kept[key]
                stale.add(key)
            if entry is not None:
                entries[key] = entry
        return entries, stale, bool(waits)

    async def close(self) -> None:
        # First what waits for a lane: a question that is given up would make room for the next one.
        for item, pending in self._pending.items():
            while pending:
                key, future = pending.popitem()
                del self._flying[item, key]
                if not future.done():
                    future.set_result(None)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _join(self, item: str, key: str) -> asyncio.Future[Entry | None]:
        """The future of this key: of the question under way, or of one that leaves with the next batch."""
        flying = self._flying.get((item, key))
        if flying is not None:
            return flying
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Entry | None] = loop.create_future()
        pending = self._pending.setdefault(item, {})
        if len(pending) >= _QUEUE:
            future.set_result(None)
            return future
        if not pending:
            # At the end of this turn of the loop: all who ask in it share the batch.
            loop.call_soon(self._flush, item)
        pending[key] = self._flying[item, key] = future
        return future

    def _flush(self, item: str) -> None:
        pending = self._pending.get(item, {})
        while pending and self._running.get(item, 0) < _LANES:
            batch = {key: pending.pop(key) for key in list(pending)[:_BATCH]}
            self._running[item] = self._running.get(item, 0) + 1
            task = asyncio.create_task(self._carry_out(item, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, item: str, batch: dict[str, asyncio.Future[Entry | None]]) -> None:
        entries: dict[str, Entry] = {}
        try:
            if self._breaker.admit():
                entries = await self._fetch(item, list(batch))
                if self._kept:
                    await self._cache.write(self._connector.source.name, item, entries)
        finally:
            for key, future in batch.items():
                del self._flying[item, key]
                if not future.done():
                    future.set_result(entries.get(key))
            self._running[item] -= 1
            self._flush(item)

    async def _fetch(self, item: str, keys: list[str]) -> dict[str, Entry]:
        """The entries of the keys that were answered truthfully; none when the source failed."""
        try:
            answer = await self._question(item, keys)
            entries, lied = self._understand(keys, answer)
        except Exception as error:
            # No command asks a live source, so this alone tells an operator why. A connector's bug is a failure of its source
            # only, and its words may hold rows.
            why = str(error) if isinstance(error, SourceError) else type(error).__name__
            _log.warning("%s did not answer: %s", self._connector.source.name, why)
            self._breaker.failed()
            return {}
        except BaseException:
            self._breaker.abandoned()
            raise
        if lied:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        return entries

    async def _question(self, item: str, keys: list[str]) -> Mapping[str, Sequence[RawRow]]:
        self._retries = min(3.0, self._retries + _RETRY_SHARE)
        # Twice the deadline: who asked has gone by then, but the next to ask finds the rows.
        patience = 2 * self._settings.source_deadline
        started = asyncio.get_running_loop().time()
        async with asyncio.timeout(patience):
            try:
                return await self._connector.fetch(keys, [item])
            except SourceError:
                quick = asyncio.get_running_loop().time() - started < self._settings.source_deadline / 4
                if not quick or self._retries < 1 or self._breaker.is_open:
                    raise
                self._retries -= 1
            return await self._connector.fetch(keys, [item])

    def _understand(
        self, keys: list[str], answer: Mapping[str, Sequence[RawRow]]
    ) -> tuple[dict[str, Entry], bool]:
        """The entries of the keys that were answered, and whether there were rows about others."""
        now = self._clock()
        # Spread, so that what was fetched together is not all asked again together.
        ttl = self._ttl * random.uniform(0.9, 1.1)  # noqa: S311 - not a secret
        entries, lied = {}, False
        for key in keys:
            understood = understand(
                self._connector, self._classify, self._on_rejected, key, answer.get(key, ()), now
            )
            if not understood.truthful:
                lied = True
            elif key in answer:
                fresh = ttl if understood.rows and understood.complete else min(ttl, _NEGATIVE_TTL)
                entries[key] = Entry(understood.rows, now, now + fresh, understood.complete)
        return entries, lied
