"""The partners' agreements in force, held in memory; a change reaches every worker within a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI
from hub.errors import AgreementInvalid, AgreementNotInForce, StoreUnavailable
from hub.rights.agreement_file import Agreement, parse_agreement, read_agreement, refuse_other_key
from hub.rights.issuer import IssuerKey, KeySet
from hub.rights.matrix import Matrix
from hub.store.database import STORE_FAILED

__all__ = [
    "Agreement",
    "Agreements",
    "IssuerKey",
    "KeySet",
    "as_applied",
    "parse_agreement",
    "read_agreement",
    "read_applied",
    "today_in",
    "usable",
]

logger = logging.getLogger(__name__)

CHANNEL = "hub_agreement"
# How often the store is asked whether something changed, notified or not: a lost notification costs no more.
_POLL_SECONDS = 0.5
# How long one such question may take before its connection is given up.
_ANSWER_SECONDS = 1.0
# After so many failures in a row nobody can say any more what is in force, so nothing is.
_MOST_FAILURES = 3

_AT_HAND = timedelta(days=1)

# The newest version of each partner counts, suspended or not.
NEWEST = """
SELECT DISTINCT ON (partner) partner, digest, document, applied_at, applied_by, suspended_at, suspended_by
FROM agreement ORDER BY partner, agreement_id DESC
"""
_STATE = "SELECT count(*), max(agreement_id), count(suspended_at), max(suspended_at) FROM agreement"


def today_in(now: datetime) -> date:
    """The calendar day of a moment in Asia/Shanghai, where the agreements' days begin and end."""
    return now.astimezone(SHANGHAI).date()


def read_applied(
    document: str, applied_at: datetime, matrix: Matrix, known_coordinates: frozenset[str] | None = None
) -> Agreement:
    """An agreement of the store, measured against the law of the day it was applied: what changed since narrows it anyway.

    Raises AgreementInvalid.
    """
    return read_agreement(document, matrix, today_in(applied_at), known_coordinates)


def as_applied(row: Mapping[str, Any], read: Callable[[str, datetime], Agreement]) -> Agreement:
    """The agreement of a version, read as in `usable`, whether it is in force or not.

    Raises AgreementInvalid when it cannot be read, or its text is not what was applied.
    """
    found = read(row["document"], row["applied_at"])
    if found.partner != row["partner"] or found.digest != row["digest"]:
        raise AgreementInvalid("the document is not the one that was applied")
    return found


def usable(
    rows: Iterable[Mapping[str, Any]], read: Callable[[str, datetime], Agreement]
) -> tuple[dict[str, Agreement], dict[str, str]]:
    """What can be used of the newest versions (rows of NEWEST), by partner, and why not of the others; suspended: neither.

    `read`: `read_applied` of a document and the moment it was applied.
    """
    good: dict[str, Agreement] = {}
    problems: dict[str, str] = {}
    for row in rows:
        if row["suspended_at"] is not None:
            continue
        try:
            found = as_applied(row, read)
            refuse_other_key(found, good.values())
        except AgreementInvalid as error:
            problems[row["partner"]] = str(error)
        else:
            good[found.partner] = found
    return good, problems


@dataclass(frozen=True)
class _Held:
    agreements: Mapping[str, Agreement]
    # Partner → why its newest version cannot be used.
    problems: Mapping[str, str]
    # Those of them that can be read.
    suspended: Mapping[str, Agreement]


class Agreements:
    """The agreements in force, by partner. `epoch` grows with each change, for whoever keeps copies.

    Holds one connection of its pool for itself: it listens for changes, and asks for them twice a second.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        matrix: Matrix,
        clock: Callable[[], datetime],
        known_coordinates: frozenset[str] | None = None,
    ) -> None:
        """See `open`, which also loads and follows."""
        self.epoch = 0
        self.matrix = matrix
        self._pool = pool
        self._clock = clock
        self._known_coordinates = known_coordinates
        self._held = _Held({}, {}, {})
        self._seen: tuple[Any, ...] | None = None
        self._failures = 0
        # One reading at a time, so that an older one never replaces a newer one.
        self._reading = asyncio.Lock()
        self._notified = asyncio.Event()
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        pool: asyncpg.Pool,
        matrix: Matrix,
        clock: Callable[[], datetime],
        known_coordinates: frozenset[str] | None = None,
    ) -> Agreements:
        """Load what is applied and follow its changes. `pool`: of a role that may read agreements.

        Raises AgreementInvalid when an applied agreement exceeds the matrix or names something unknown:
        the hub must not start with it.
        """
        agreements = cls(pool, matrix, clock, known_coordinates)
        await agreements.refresh()
        for partner, problem in agreements.problems.items():
            raise AgreementInvalid(f"the agreement applied for {partner} cannot be used: {problem}")
        agreements._following = asyncio.create_task(agreements._follow(), name="agreements")
        return agreements

    async def close(self) -> None:
        """Stop following; what is held stays as it is."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    @property
    def problems(self) -> Mapping[str, str]:
        """Partner → why its newest version cannot be used; such a partner has no agreement in force."""
        return self._held.problems

    def get(self, partner: str, today: date) -> Agreement:
        """The agreement in force today, by what is applied now. Raises AgreementNotInForce, equally for whatever is the matter.

        Raises StoreUnavailable while the store cannot say what is in force.
        """
        if self._failures >= _MOST_FAILURES or (self._following is not None and self._following.done()):
            raise StoreUnavailable
        found = self._held.agreements.get(partner)
        if found is None or not found.in_force(today):
            raise AgreementNotInForce
        return found

    def in_force(self) -> tuple[Agreement, ...]:
        """All agreements in force now, in the order of their partners."""
        today = today_in(self._clock())
        return tuple(found for _, found in sorted(self._held.agreements.items()) if found.in_force(today))

    def at_hand(self) -> tuple[Agreement, ...]:
        """Those too that may be in force within a day or at a word: they begin tomorrow, ended yesterday or are suspended."""
        today = today_in(self._clock())
        return tuple(
            found
            for found in (*self._held.agreements.values(), *self._held.suspended.values())
            if found.valid_from - _AT_HAND <= today <= found.valid_to + _AT_HAND
        )

    async def changed(self, since: int) -> int:
        """Wait until `epoch` is no longer `since`; gives the epoch."""
        while self.epoch == since:
            await self._changed.wait()
        return self.epoch

    async def refresh(self) -> None:
        """Read the store now, for whoever cannot wait for the notification. Raises StoreUnavailable."""
        try:
            async with self._pool.acquire(timeout=_ANSWER_SECONDS) as connection:
                await self._load(connection)
        except STORE_FAILED as error:
            raise StoreUnavailable from error

    async def _follow(self) -> None:
        while True:
            try:
                connection = await self._pool.acquire(timeout=_ANSWER_SECONDS)
            except STORE_FAILED:
                self._failures += 1
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.add_listener(CHANNEL, self._on_notify)
                while True:
                    await self._load(connection)
                    self._failures = 0
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._notified.wait(), _POLL_SECONDS)
                    self._notified.clear()
            except Exception as error:  # Whatever it is: when nobody follows, nothing is in force any more.
                if not isinstance(error, STORE_FAILED):
                    logger.exception("the agreements could not be read")
                self._failures += 1
                # A pool takes back by itself what the server closed; then there is nothing left to end.
                with suppress(asyncpg.InterfaceError):
                    connection.terminate()
                await asyncio.sleep(_POLL_SECONDS / 10)
            finally:
                await self._give_back(connection)

    async def _give_back(self, connection: Any) -> None:
        with suppress(*STORE_FAILED):
            if not connection.is_closed():
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.remove_listener(CHANNEL, self._on_notify)
        with suppress(*STORE_FAILED):
            await self._pool.release(connection, timeout=_ANSWER_SECONDS)

    def _on_notify(self, *_: object) -> None:
        self._notified.set()

    async def _load(self, connection: Any) -> None:
        """Read the newest versions if the table's state is another than at the last reading."""
        async with self._reading, asyncio.timeout(_ANSWER_SECONDS):
            state = tuple(await connection.fetchrow(_STATE))
            if state == self._seen:
                return
            rows = await connection.fetch(NEWEST)
            # The state was read before the rows: a change in between is read once more, never missed.
            self._seen = state
            self._hold(self._read(rows))

    def _hold(self, held: _Held) -> None:
        if held == self._held:
            return
        for partner, problem in held.problems.items():
            logger.error("the agreement of %s is out of force: %s", partner, problem)
        self._held = held
        self.epoch += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _read(self, rows: list[Any]) -> _Held:
        def read(document: str, applied_at: datetime) -> Agreement:
            return read_applied(document, applied_at, self.matrix, self._known_coordinates)

        good, problems = usable(rows, read)
        suspended: dict[str, Agreement] = {}
        for row in rows:
            if row["suspended_at"] is not None:
                with suppress(AgreementInvalid):
                    suspended[row["partner"]] = as_applied(row, read)
        return _Held(good, problems, suspended)
