"""Deadlines as dated data: a name and a day give the last day. Pure but for the reading of deadlines.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from hub.errors import RulesInvalid
from hub.rules.calendar import Calendar, Due
from hub.rules.publicity import add_months

UNITS = ("WORKING_DAYS", "DAYS", "MONTHS")


@dataclass(frozen=True)
class Deadline:
    """A row: in force from `valid_from` to `valid_to`, both included (None: no end)."""

    name: str
    unit: str
    count: int
    valid_from: date
    valid_to: date | None
    source_doc: str
    confirmed_by: str

    def due(self, start: date, calendar: Calendar) -> Due:
        """The last day; `start` is not counted. Only working days can be provisional."""
        if self.unit == "WORKING_DAYS":
            return calendar.due(start, self.count)
        if self.unit == "DAYS":
            return Due(start + timedelta(days=self.count), False)
        return Due(add_months(start, self.count), False)


@cache
def load_deadlines() -> tuple[Deadline, ...]:
    """The rows that come with the hub. Raises RulesInvalid for an unknown unit."""
    document = tomllib.loads(files("hub.rules").joinpath("deadlines.toml").read_text(encoding="utf-8"))
    rows = tuple(
        Deadline(
            row["name"], row["unit"], row["count"], row["valid_from"], row.get("valid_to"), row["source_doc"],
            row["confirmed_by"],
        )
        for row in document["deadline"]
    )  # fmt: skip
    for row in rows:
        if row.unit not in UNITS:
            raise RulesInvalid(f"deadlines: {row.name}: unit {row.unit} is unknown")
    return rows


def first_day(name: str) -> date:
    """The first day on which a row of the deadline called `name` is in force."""
    return min(row.valid_from for row in load_deadlines() if row.name == name)


def due(name: str, start: date, calendar: Calendar) -> Due:
    """The last day of the deadline called `name` that starts on `start`.

    Raises RulesInvalid when no row is in force that day: a deadline is never guessed.
    """
    for row in load_deadlines():
        if row.name == name and row.valid_from <= start and (row.valid_to is None or start <= row.valid_to):
            return row.due(start, calendar)
    raise RulesInvalid(f"deadlines: no row of {name} is in force on {start}")
