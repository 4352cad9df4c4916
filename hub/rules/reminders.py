"""When handlers are reminded of their deadlines, as dated data. Pure but for the reading of reminders.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import RuleFile, Term, disjoint

EVERY = "*"


@dataclass(frozen=True)
class Reminder:
    """A case of `mechanism` is reminded of `days` working days before its deadline."""

    mechanism: str
    days: int
    term: Term


@cache
def reminders() -> tuple[Reminder, ...]:
    """The rows that come with the hub. Raises RulesInvalid."""
    file = RuleFile("reminders.toml")
    rows = file.rows("reminder", lambda row: Reminder(row.text("mechanism"), row.number("days"), row.term()))
    file.done()
    disjoint(rows, "reminders", lambda row: (row.mechanism, row.days))
    return rows


def reminded_at(mechanism: str, day: date) -> tuple[int, ...]:
    """How many working days before its deadline a case of `mechanism` is reminded, by the rows of `day` (R7.2)."""
    in_force = [row for row in reminders() if row.term.covers(day)]
    named = [row.days for row in in_force if row.mechanism == mechanism]
    return tuple(named or (row.days for row in in_force if row.mechanism == EVERY))
