"""Quotas of the agreements: requests a second in each worker, subjects a day over all workers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import asyncpg

from hub.errors import QuotaExceeded
from hub.rights.agreement import Agreement
from hub.rights.identity import Caller
from hub.rights.matrix import PersonLookups
from hub.store.database import STORE_FAILED, lent

FLUSH_SECONDS = 1.0
# How long the store may take before it counts as away.
EXCHANGE_SECONDS = 2.0
BUCKETS = 100_000
_ADD = """
INSERT INTO quota_use (partner, day, subjects)
SELECT partner, day, subjects FROM unnest($1::text[], $2::date[], $3::bigint[]) AS new (partner, day, subjects)
ORDER BY partner, day
ON CONFLICT (partner, day) DO UPDATE SET subjects = quota_use.subjects + EXCLUDED.subjects
"""
_TODAY = "SELECT partner, day, subjects FROM quota_use WHERE day = $1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Charge:
    """Subjects that were counted, for whom and of which day."""

    partner: str
    day: date
    subjects: int


class Quotas:
    """Counts what partners ask; the day's counts of all workers are brought together every second.

    So a partner may exceed its day by what all workers answer within one second, never by more.
    """

    def __init__(self, pool: asyncpg.Pool, persons: PersonLookups, today: Callable[[], date]) -> None:
        """`persons`: the matrix's limit on look-ups of persons. `today` gives the calendar date in Asia/Shanghai."""
        self._pool = pool
        self._persons = persons
        self._today = today
        # All counts by partner and day: what is asked before midnight is of that day, whenever it is written down.
        self._used: dict[tuple[str, date], int] = {}
        self._new: defaultdict[tuple[str, date], int] = defaultdict(int)
        # On its way into the store: counted until the store says the sum.
        self._leaving: dict[tuple[str, date], int] = {}
        # Partner → (requests it may still make, when that was true).
        self._bucket: dict[str, tuple[float, float]] = {}
        # Whether the store did not take them when last asked.
        self._apart = False
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read today's counts, and go on bringing them together."""
        await self._exchange()
        self._task = asyncio.create_task(self._follow(), name="quotas")

    async def stop(self) -> None:
        """Write what was counted and stop."""
        # Not cancelled: between the store's commit and its answer, the same counts would be written once more.
        self._ending.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def admit(self, agreement: Agreement) -> None:
        """Count a request. Raises QuotaExceeded when the partner asks too often."""
        rate = float(agreement.quota.requests_per_second)
        if not self._taken(agreement.partner, rate, rate):
            raise QuotaExceeded("Too many requests a second.", retryAfter=1)

    def admit_person(self, caller: Caller, key: str) -> None:
        """Count a look-up of a natural person by number: each officer and each person has a bound of its own.

        Numbers have a known structure, so whoever could try many would find some. That others look for a person is told
        to nobody, so each partner, and each subject that asks for itself, has its own bound. Raises QuotaExceeded.
        """
        most, seconds = self._persons.at_once, self._persons.seconds_each
        for who in (f"{caller.partner}/{caller.officer}", f"{caller.partner}/{caller.subject or ''}/{key}"):
            if not self._taken(who, 1 / seconds, most):
                raise QuotaExceeded("Too many look-ups of natural persons.", retryAfter=seconds)

    def _taken(self, who: str, rate: float, most: float) -> bool:
        """Take one from the bucket of `who`, which holds `most` and gains `rate` a second."""
        now = time.monotonic()
        left, then = self._bucket.get(who, (most, now))
        left = min(most, left + (now - then) * rate)
        if left < 1:
            return False
        if len(self._bucket) >= BUCKETS:
            # Whoever has not asked for a while has a full bucket again.
            self._bucket = {name: one for name, one in self._bucket.items() if now - one[1] < 600}
        self._bucket[who] = (left - 1, now)
        return True

    def charge(self, agreement: Agreement, subjects: int) -> Charge:
        """Count subjects asked about. Raises QuotaExceeded when the day's are used up; nothing is counted then."""
        who = agreement.partner, self._today()
        most = agreement.quota.subjects_per_day
        left = self._left(who, most)
        if subjects > left:
            raise QuotaExceeded(
                f"Of the day's {most} subjects {left} are left, and this asks about {subjects}.",
                maximum=most,
                remaining=left,
            )
        self._new[who] += subjects
        return Charge(*who, subjects)

    def give_back(self, charge: Charge) -> None:
        """Count no more what was counted: its request failed, and the partner was told of nobody."""
        self._new[charge.partner, charge.day] -= charge.subjects

    def left(self, agreement: Agreement) -> int:
        """How many subjects the partner may still ask about today, by what the other workers wrote down last."""
        return self._left((agreement.partner, self._today()), agreement.quota.subjects_per_day)

    def _left(self, who: tuple[str, date], most: int) -> int:
        used = self._used.get(who, 0) + self._leaving.get(who, 0) + self._new.get(who, 0)
        return max(most - used, 0)

    async def _exchange(self) -> None:
        """Bring the counts together. What the store did not take is counted on and offered again."""
        today = self._today()
        for who, count in self._new.items():
            self._leaving[who] = self._leaving.get(who, 0) + count
        self._new.clear()
        async with lent(self._pool, EXCHANGE_SECONDS) as connection:
            if any(self._leaving.values()):
                partners, days = zip(*self._leaving, strict=True)
                await connection.execute(_ADD, partners, days, [*self._leaving.values()])
                for who, count in self._leaving.items():
                    self._used[who] = self._used.get(who, 0) + count
                self._leaving.clear()
            rows = await connection.fetch(_TODAY, today)
        self._used = {(row["partner"], row["day"]): row["subjects"] for row in rows}

    async def _exchanged(self) -> None:
        try:
            await self._exchange()
        except STORE_FAILED as error:
            # Said once: a line a second, all night, would hide what else there is to read.
            if not self._apart:
                _log.warning("the quotas cannot be brought together: %s", type(error).__name__)
            self._apart = True
        else:
            if self._apart:
                _log.info("the quotas are brought together again")
            self._apart = False

    async def _follow(self) -> None:
        ended = False
        while not ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), FLUSH_SECONDS)
            ended = self._ending.is_set()
            await self._exchanged()
