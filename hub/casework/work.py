"""What a command is given: the transaction, who asks, the time, the calendar, and the rights it reads with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import asyncpg

from hub.casework.given import is_blank
from hub.casework.machine import Actor, Machine, Step
from hub.casework.redeem import DomesticPlatform
from hub.query.binding import Request, Secrets, binders
from hub.query.parameters import Parameters
from hub.rights.view import View
from hub.rules.calendar import NATIONAL, Calendar, calendar_of

# How far around today the working calendar is read: the longest deadline in working days is far shorter. One that began
# before is counted by Work.since.
_BEFORE, _AFTER = timedelta(days=800), timedelta(days=800)
_DAYS = """
SELECT region_code, day, is_workday FROM working_day
WHERE day BETWEEN $1 AND $2 AND region_code = ANY ($3::text[])
"""
_DAYS_OF_PLACE = "SELECT region_code, day, is_workday FROM working_day WHERE region_code = ANY ($1::text[])"


@dataclass(frozen=True)
class SourceState:
    """How a source stood when it was needed."""

    source: str
    status: str
    as_of: datetime | None
    # The caller may see something of it, and so know how it stands.
    shown: bool = True


@dataclass(frozen=True, kw_only=True)
class Look:
    """A query that casework answers with its caller's rights, by the read-only role."""

    read: Callable[[str, Sequence[Any]], Awaitable[list[Any]]]
    view: View
    request: Request
    secrets: Secrets

    @property
    def today(self) -> date:
        """The calendar day in Asia/Shanghai."""
        return self.request.today

    async def rows(self, sql: str, parameters: Parameters) -> list[Any]:
        """The rows of a statement made with `parameters` and hub.query.access."""
        text, sources = parameters.used_in(sql)
        return await self.read(text, [bind(self.request) for bind in binders(sources, self.secrets)])


@dataclass(frozen=True, kw_only=True)
class Work:
    """One command on its way, within the transaction of its request."""

    connection: asyncpg.Connection
    actor: Actor
    now: datetime
    today: date
    calendar: Calendar
    machines: Mapping[str, Machine]
    # The rights that the command reads facts with: those of its caller, for the declared purpose.
    view: View
    request: Request
    secrets: Secrets
    sources: Mapping[str, SourceState]
    # Version and digest of the ceiling matrix and of the rules.
    policy_version: str
    # The platform of domestic service (R12.1); None: not connected.
    domestic: DomesticPlatform | None = None
    # Ids of the subjects that it has looked up and its caller is shown: a refusal tells of them, too.
    seen: set[int] = field(default_factory=set)

    async def since(self, day: date) -> Work:
        """The same work with a calendar that has every day since `day`: a deadline that began then is counted by it."""
        if self.today - day <= _BEFORE:
            return self
        back = self.today - day
        calendar = await calendar_for(self.connection, self.actor.regions, self.today, back=back)
        return replace(self, calendar=calendar)

    def step(self, inputs: Mapping[str, Any]) -> Step:
        """The step of a machine that this command takes: a text in which nothing can be read is none for it."""
        told = {name: "" if isinstance(one, str) and is_blank(one) else one for name, one in inputs.items()}
        return Step(self.actor, told, self.now, self.today, self.calendar)

    async def rows(self, sql: str, parameters: Parameters) -> list[Any]:
        """The rows of a statement made with `parameters` and hub.query.access, in the command's transaction.

        Whose they are (`subject_id`) is kept in `seen`, but of a row that says that it is not `visible`: nothing may
        depend on it, not even how long a refusal takes.
        """
        text, sources = parameters.used_in(sql)
        bound = [bind(self.request) for bind in binders(sources, self.secrets)]
        found: list[Any] = await self.connection.fetch(text, *bound)
        if found and "subject_id" in found[0]:
            shown = (one["subject_id"] for one in found if one.get("visible", True))
            self.seen.update(one for one in shown if one is not None)
        return found


@dataclass(frozen=True)
class Made:
    """What a command made: public ids of rows that the payload is read from, or rows of its own."""

    ids: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    # What it made may not be stored, so that a repetition under an Idempotency-Key is done anew.
    transient: bool = False


Command = Callable[[Work, Mapping[str, Any]], Awaitable[Made]]
# Answers a query with rows that the vocabulary declares (`rows:…`), read by the read-only role.
Reading = Callable[
    [Callable[[str, Sequence[Any]], Awaitable[list[Any]]], Mapping[str, Any], datetime],
    Awaitable[list[dict[str, Any]]],
]
# The same for rows that depend on who asks: read with the caller's rights.
Viewing = Callable[[Look, Mapping[str, Any]], Awaitable[list[dict[str, Any]]]]


async def calendar_for(
    connection: asyncpg.Connection, regions: Sequence[str], today: date, back: timedelta = _BEFORE
) -> Calendar:
    """The working calendar of the first of `regions` (else the country's), as the store has it around `today`.

    `back`: how far before today it is read.
    """
    region = regions[0] if regions else None
    codes = [NATIONAL, *(region[:digits].ljust(6, "0") for digits in (2, 4, 6) if region)]
    rows = await connection.fetch(_DAYS, today - back, today + _AFTER, codes)
    return calendar_of((tuple(row) for row in rows), region)


async def in_its_place(connection: asyncpg.Connection, calendar: Calendar, region: str | None) -> Calendar:
    """`calendar` with the days of the place of a case: whoever handles it may sit in another."""
    codes = [region[:digits].ljust(6, "0") for digits in (2, 4, 6)] if region else []
    rows = await connection.fetch(_DAYS_OF_PLACE, codes) if codes else []
    if not rows:
        return calendar
    days = calendar_of((tuple(row) for row in rows), region).fixed
    return replace(calendar, fixed=MappingProxyType({**calendar.fixed, **days}))
