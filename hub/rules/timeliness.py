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

    def exception(self, code: str, day: date) -> ExceptionRow | None:
        """The ground `code`, when it may be recorded on `day` (R7.3).

        Not by the day of the decision that is not published: what a law keeps secret today is not told of old ones either.
        """
        return in_force([one for one in self.exceptions if one.code == code], day)

    def proposed_exceptions(
        self,
        day: date,
        *,
        penalty: bool,
        natural_person: bool = False,
        minor: bool = False,
        simple_procedure: bool = False,
        warning_only: bool = False,
    ) -> tuple[str, ...]:
        """The grounds on which a person should decide not to publish (R7.3), by default rows in force on `day`."""
        meant = {
            "MINOR_PERSON": minor,
            "NATURAL_PERSON": penalty and natural_person,
            "SIMPLE_PROCEDURE": penalty and simple_procedure,
            "WARNING_ONLY": penalty and warning_only,
        }
        return tuple(
            code
            for code, applies in meant.items()
            if applies and (row := self.exception(code, day)) is not None and row.by_default
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
    last, today = publish_due(item.decided_on, calendar), now.astimezone(SHANGHAI).date()
    standing = _standing(item, last, today)
    if standing not in (DutyStanding.LATE, DutyStanding.NOT_PUBLISHED):
        return Timeliness(standing, last)
    # Published on the Saturday after: no working day has passed, and it is late.
    return Timeliness(standing, last, max(1, calendar.between(last.on, _shown_on(item) or today)))


def figures(items: Iterable[Decided], calendar: Calendar, now: datetime) -> tuple[Figures, ...]:
    """On time, late and not published of each unit and month of decision, in their order; of what had a last day."""
    counts: dict[tuple[str, date], dict[DutyStanding, int]] = {}
    # Of what was decided on one day, working days are counted once, and nobody asks here how late it is: other callers wait.
    lasts: dict[date, Due | None] = {}
    today = now.astimezone(SHANGHAI).date()
    for item in items:
        day = item.decided_on
        if day not in lasts:
            lasts[day] = publish_due(day, calendar) if had_to_be_published(day) else None
        last = lasts[day]
        if last is None:
            continue
        of = counts.setdefault((item.unit, day.replace(day=1)), dict.fromkeys(DutyStanding, 0))
        of[_standing(item, last, today)] += 1
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


def _shown_on(item: Decided) -> date | None:
    return None if item.published_at is None else item.published_at.astimezone(SHANGHAI).date()


def _standing(item: Decided, last: Due, today: date) -> DutyStanding:
    if item.exception is not None:
        return DutyStanding.EXCEPTED
    shown = _shown_on(item)
    if shown is None:
        return DutyStanding.PENDING if today <= last.on else DutyStanding.NOT_PUBLISHED
    return DutyStanding.ON_TIME if shown <= last.on else DutyStanding.LATE


def _exception(row: Row) -> ExceptionRow:
    return ExceptionRow(row.text("code"), row.text("zh"), row.flag("by_default"), row.term())
