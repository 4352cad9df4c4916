"""Publicity on time: the seven working days, exceptions, withdrawal, and the figures that units are judged by. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from functools import cache

from connectors.contract import SHANGHAI
from hub.rules.calendar import Calendar, Due
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from hub.rules.deadlines import due, first_day


class DutyStanding(StrEnum):
    """What became of a duty to publish or to withdraw."""

    ON_TIME = "ON_TIME"
    LATE = "LATE"
    PENDING = "PENDING"
    # The day has passed, and nothing is published.
    NOT_PUBLISHED = "NOT_PUBLISHED"
    EXCEPTED = "EXCEPTED"


@dataclass(frozen=True)
class Decided:
    """Something decided that must be published, as far as its timeliness goes."""

    unit: str
    decided_on: date
    # When the last of the own site and the government portal showed it; with its time zone.
    published_at: datetime | None = None
    # Code of the exception that a person recorded (R7.3).
    exception: str | None = None


@dataclass(frozen=True)
class Timeliness:
    """Where it stands. `late_by`: working days, at least 1 when late."""

    standing: DutyStanding
    due: Due
    late_by: int = 0


@dataclass(frozen=True)
class Figures:
    """The items of one unit that were decided in one month (its first day), by what became of them."""

    unit: str
    month: date
    on_time: int
    late: int
    not_published: int
    pending: int
    excepted: int

    @property
    def ratio(self) -> Fraction | None:
        """On time of all whose time is over; None: there are none. Exceptions and what is pending do not count."""
        over = self.on_time + self.late + self.not_published
        return Fraction(self.on_time, over) if over else None


@dataclass(frozen=True)
class ExceptionRow:
    """A ground on which something is not published."""

    code: str
    zh: str
    by_default: bool
    term: Term


@dataclass(frozen=True)
class TimelinessRules:
    """The dated rows of timeliness.toml."""

    exceptions: tuple[ExceptionRow, ...]

    def exception(self, code: str, decided_on: date) -> ExceptionRow | None:
        """The ground `code`, when it may be recorded for a decision of that day (R7.3)."""
        return in_force([one for one in self.exceptions if one.code == code], decided_on)

    def proposed_exceptions(
        self,
        decided_on: date,
        *,
        penalty: bool,
        natural_person: bool = False,
        minor: bool = False,
        simple_procedure: bool = False,
        warning_only: bool = False,
    ) -> tuple[str, ...]:
        """The grounds on which a person should decide not to publish (R7.3), by default rows in force that day."""
        meant = {
            "MINOR_PERSON": minor,
            "NATURAL_PERSON": penalty and natural_person,
            "SIMPLE_PROCEDURE": penalty and simple_procedure,
            "WARNING_ONLY": penalty and warning_only,
        }
        return tuple(
            code
            for code, applies in meant.items()
            if applies and (row := self.exception(code, decided_on)) is not None and row.by_default
        )


def publish_due(decided_on: date, calendar: Calendar) -> Due:
    """The last day to publish: the 7th working day after the decision, until 24:00 Asia/Shanghai (R7.1)."""
    return due("publicity.publish", decided_on, calendar)


def had_to_be_published(decided_on: date) -> bool:
    """Whether a last day to publish was set when it was decided.

    An older decision that still holds is published as well (应示尽示); there is no day on which it would have been late.
    """
    return decided_on >= first_day("publicity.publish")


def withdraw_due(ended_on: date, calendar: Calendar) -> Due:
    """The last day to withdraw a decision that was changed, revoked or found void on `ended_on` (R7.4).

    One that had ended before there was a limit, and is shown all the same, has been over it since the limit's first day.
    """
    return due("delivery.withdraw", max(ended_on, first_day("delivery.withdraw")), calendar)


def timeliness(item: Decided, calendar: Calendar, now: datetime) -> Timeliness:
    """Where the publication of `item` stands (R7.1). `now` and moments carry their time zone."""
    last = publish_due(item.decided_on, calendar)
    if item.exception is not None:
        return Timeliness(DutyStanding.EXCEPTED, last)
    return _against(last, item.published_at, calendar, now)


def figures(items: Iterable[Decided], calendar: Calendar, now: datetime) -> tuple[Figures, ...]:
    """On time, late and not published of each unit and month of decision, in their order; of what had a last day."""
    counts: dict[tuple[str, date], dict[DutyStanding, int]] = {}
    for item in items:
        if not had_to_be_published(item.decided_on):
            continue
        of = counts.setdefault((item.unit, item.decided_on.replace(day=1)), dict.fromkeys(DutyStanding, 0))
        of[timeliness(item, calendar, now).standing] += 1
    return tuple(
        Figures(
            unit,
            month,
            of[DutyStanding.ON_TIME],
            of[DutyStanding.LATE],
            of[DutyStanding.NOT_PUBLISHED],
            of[DutyStanding.PENDING],
            of[DutyStanding.EXCEPTED],
        )
        for (unit, month), of in sorted(counts.items(), key=lambda one: one[0])
    )


@cache
def load_timeliness_rules(text: str | None = None) -> TimelinessRules:
    """The rows of timeliness.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("timeliness.toml", text)
    rules = TimelinessRules(file.rows("exception", _exception))
    file.done()
    disjoint(rules.exceptions, "timeliness.toml: exception", lambda row: row.code)
    return rules


def _against(last: Due, done_at: datetime | None, calendar: Calendar, now: datetime) -> Timeliness:
    today = now.astimezone(SHANGHAI).date()
    on = today if done_at is None else done_at.astimezone(SHANGHAI).date()
    if on <= last.on:
        if done_at is not None:
            return Timeliness(DutyStanding.ON_TIME, last)
        return Timeliness(DutyStanding.PENDING, last)
    # Published on the Saturday after: no working day has passed, and it is late.
    late_by = max(1, calendar.between(last.on, on))
    return Timeliness(DutyStanding.NOT_PUBLISHED if done_at is None else DutyStanding.LATE, last, late_by)


def _exception(row: Row) -> ExceptionRow:
    return ExceptionRow(row.text("code"), row.text("zh"), row.flag("by_default"), row.term())
