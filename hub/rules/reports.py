"""The quarterly report: when it is due, what stands against that day, what it says and what must be explained. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache

from connectors.contract import SHANGHAI
from hub.errors import RulesInvalid
from hub.rules.calendar import Calendar
from hub.rules.dated import Row, RuleFile, Term, disjoint, the_one
from hub.rules.publicity import add_months

KINDS = ("COUNT", "RATIO", "DAYS", "TEXT")


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year, 1 to 4."""

    year: int
    number: int

    def __post_init__(self) -> None:
        """Raises ValueError: no such quarter."""
        if not 1 <= self.number <= 4:
            raise ValueError("a quarter is 1, 2, 3 or 4")

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return add_months(self.first, 3) - timedelta(days=1)

    @property
    def following(self) -> date:
        """The first day of the month in which its report is due."""
        return self.last + timedelta(days=1)


class ReportStanding(StrEnum):
    """Where a report stands against its day."""

    # The quarter is not over.
    EARLY = "EARLY"
    OPEN = "OPEN"
    # The day has passed and nothing was submitted.
    OVERDUE = "OVERDUE"
    ON_TIME = "ON_TIME"
    LATE = "LATE"


@dataclass(frozen=True)
class Warned:
    """A day of the deadline that is a rest day; the deadline does not move (R18.2).

    `work_before`: the last working day before it. `provisional`: no notice has fixed that day yet.
    """

    day: date
    work_before: date
    provisional: bool


@dataclass(frozen=True)
class ReportDue:
    """The days of one report. `late_from`: the first moment that is late."""

    target: date
    due: date
    late_from: datetime
    reminders: tuple[date, ...]
    warnings: tuple[Warned, ...]


@dataclass(frozen=True)
class DeadlineRow:
    """Days of the month after the quarter."""

    target_day: int
    due_day: int
    reminders_before: tuple[int, ...]
    term: Term


@dataclass(frozen=True)
class FigureRow:
    """A figure of the report. `dimensions`: what it is broken down by."""

    code: str
    zh: str
    en: str
    kind: str
    dimensions: tuple[str, ...]
    term: Term


@dataclass(frozen=True)
class Reporter:
    """A local commerce department that reports, by its region."""

    region: str
    zh: str
    term: Term


@dataclass(frozen=True)
class Stated:
    """A figure as the reporter confirms it, or overrides it for a reason."""

    value: object
    reason: str = ""


@dataclass(frozen=True)
class ReportRules:
    """The dated rows of reports.toml."""

    deadlines: tuple[DeadlineRow, ...]
    figures: tuple[FigureRow, ...]
    reporters: tuple[Reporter, ...]

    def due(self, quarter: Quarter, calendar: Calendar) -> ReportDue:
        """When the report on `quarter` is due: calendar days, which no rest day moves (R18.1, R18.2)."""
        month = quarter.following
        row = the_one(self.deadlines, month, "deadline of the quarterly report")
        target, due = month.replace(day=row.target_day), month.replace(day=row.due_day)
        reminders = {target, *(target - timedelta(days=days) for days in row.reminders_before)}
        warnings = tuple(_warned(day, calendar) for day in (target, due) if not calendar.is_workday(day))
        # Who reads reminders on working days only gets the last one in time.
        reminders |= {warned.work_before for warned in warnings}
        late_from = datetime.combine(due + timedelta(days=1), time(), SHANGHAI)
        return ReportDue(
            target, due, late_from, tuple(sorted(day for day in reminders if day >= month)), warnings
        )

    def standing(self, quarter: Quarter, submitted_at: datetime | None, now: datetime) -> ReportStanding:
        """Where the report stands at `now` (R18.1); moments carry their time zone."""
        month = quarter.following
        row = the_one(self.deadlines, month, "deadline of the quarterly report")
        late_from = datetime.combine(month.replace(day=row.due_day) + timedelta(days=1), time(), SHANGHAI)
        if submitted_at is not None:
            return ReportStanding.LATE if submitted_at >= late_from else ReportStanding.ON_TIME
        if now < datetime.combine(month, time(), SHANGHAI):
            return ReportStanding.EARLY
        return ReportStanding.OVERDUE if now >= late_from else ReportStanding.OPEN

    def figures_of(self, quarter: Quarter) -> tuple[FigureRow, ...]:
        """The figures of the report on `quarter`, in their order (R18.3)."""
        return tuple(row for row in self.figures if row.term.covers(quarter.last))

    def reporters_on(self, day: date) -> tuple[Reporter, ...]:
        """Who reports on `day`; counties report through them."""
        return tuple(row for row in self.reporters if row.term.covers(day))

    def problems(
        self, quarter: Quarter, prefilled: Mapping[str, object], stated: Mapping[str, Stated]
    ) -> tuple[tuple[str, str], ...]:
        """Why a report cannot be submitted: (code, figure) (R18.3).

        MISSING: not confirmed. UNKNOWN: no figure of this quarter. NO_REASON: overridden without one. Words have no
        pre-filled value to differ from.
        """
        rows = {row.code: row for row in self.figures_of(quarter)}
        found = [("UNKNOWN", code) for code in sorted(set(stated) - set(rows))]
        for code, row in rows.items():
            given = stated.get(code)
            if given is None:
                found.append(("MISSING", code))
            elif row.kind != "TEXT" and given.value != prefilled.get(code) and not given.reason.strip():
                found.append(("NO_REASON", code))
        return tuple(found)


def quarter_of(day: date) -> Quarter:
    """The quarter of `day`."""
    return Quarter(day.year, (day.month + 2) // 3)


def reported_on(day: date) -> Quarter:
    """The quarter whose report is due in the quarter of `day`: the one before."""
    return quarter_of(quarter_of(day).first - timedelta(days=1))


@cache
def load_report_rules(text: str | None = None) -> ReportRules:
    """The rows of reports.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("reports.toml", text)
    rules = ReportRules(
        file.rows("deadline", _deadline), file.rows("figure", _figure), file.rows("reporter", _reporter)
    )
    file.done()
    disjoint(rules.deadlines, "reports.toml: deadline")
    disjoint(rules.figures, "reports.toml: figure", lambda row: row.code)
    disjoint(rules.reporters, "reports.toml: reporter", lambda row: row.region)
    return rules


def _warned(day: date, calendar: Calendar) -> Warned:
    before = day - timedelta(days=1)
    while not calendar.is_workday(before):
        before -= timedelta(days=1)
    return Warned(day, before, not calendar.is_fixed(day))


def _deadline(row: Row) -> DeadlineRow:
    target, due = row.number("target_day"), row.number("due_day")
    if not 1 <= target <= due <= 28:
        raise RulesInvalid(f"{row.where}: target_day and due_day are no days of every month in their order")
    return DeadlineRow(target, due, row.counts("reminders_before"), row.term())


def _figure(row: Row) -> FigureRow:
    return FigureRow(
        row.text("code"),
        row.text("zh"),
        row.text("en"),
        row.choice("kind", KINDS),
        row.texts("dimensions"),
        row.term(),
    )


def _reporter(row: Row) -> Reporter:
    return Reporter(row.text("region"), row.text("zh"), row.term())
