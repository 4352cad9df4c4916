"""Deadlines as dated data: a name and a day give the last day. Pure but for the reading of deadlines.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hub.rules.calendar import Calendar, Due
from hub.rules.dated import Row, RuleFile, Term, disjoint, the_one
from hub.rules.publicity import add_months

UNITS = ("WORKING_DAYS", "DAYS", "MONTHS")


@dataclass(frozen=True)
class Deadline:
    """So many days or months under a name."""

    name: str
    unit: str
    count: int
    term: Term

    def due(self, start: date, calendar: Calendar) -> Due:
        """The last day; `start` is not counted. Only working days can be provisional."""
        if self.unit == "WORKING_DAYS":
            return calendar.due(start, self.count)
        if self.unit == "DAYS":
            return Due(start + timedelta(days=self.count), False)
        return Due(add_months(start, self.count), False)


@cache
def load_deadlines(text: str | None = None) -> tuple[Deadline, ...]:
    """The rows of deadlines.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("deadlines.toml", text)
    rows = file.rows("deadline", _deadline)
    file.done()
    disjoint(rows, "deadlines.toml", lambda row: row.name)
    return rows


def deadline(name: str, day: date) -> Deadline:
    """The row of the deadline called `name` in force on `day`. Raises RulesInvalid: a deadline is never guessed."""
    return the_one([row for row in load_deadlines() if row.name == name], day, name)


def first_day(name: str) -> date:
    """The first day on which a row of the deadline called `name` is in force."""
    return min(row.term.valid_from for row in load_deadlines() if row.name == name)


def due(name: str, start: date, calendar: Calendar) -> Due:
    """The last day of the deadline called `name` that starts on `start`. Raises RulesInvalid: no row is in force that day."""
    return deadline(name, start).due(start, calendar)


def _deadline(row: Row) -> Deadline:
    return Deadline(row.text("name"), row.choice("unit", UNITS), row.number("count"), row.term())
