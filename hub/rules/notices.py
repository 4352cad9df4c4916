"""Notices on holidays (节假日安排通知) as they are laid: which days rest, which weekends are worked (R7.1, 5.6). Pure.

The country's notice fixes every day of its year. A place's own (古尔邦节, 开斋节, 藏历新年) fixes the days that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from hub.errors import RulesInvalid
from hub.rules.calendar import NATIONAL, load_rest_days
from hub.rules.dated import Row, RuleFile

_REGION = re.compile(r"\d{6}", re.ASCII)


@dataclass(frozen=True)
class Notice:
    """What one notice says of the days of a year."""

    # NATIONAL, or the code of the place where it counts before the country's.
    region: str
    year: int
    # Its title and number, as they are kept with each day.
    source_doc: str
    rest: frozenset[date]
    worked: frozenset[date]

    def days(self) -> Mapping[date, bool]:
        """Every day that it fixes, and whether it is worked."""
        said = {day: day in self.worked for day in sorted(self.rest | self.worked)}
        if self.region != NATIONAL:
            return said
        return {day: day.weekday() < 5 for day in _year(self.year)} | said


def load_notices(text: str, name: str) -> tuple[Notice, ...]:
    """The notices of a file in TOML, called `name` in errors. Raises RulesInvalid: one is not whole, or cannot be right."""
    file = RuleFile(name, text)
    found = file.rows("notice", _notice)
    file.done()
    told = [(one.region, one.year) for one in found]
    if len(set(told)) < len(told):
        raise RulesInvalid(f"{name}: two notices are of one year and one region")
    return found


def _notice(row: Row) -> Notice:
    made = Notice(
        region=row.text("region", NATIONAL),
        year=row.number("year"),
        source_doc=row.text("source_doc"),
        rest=frozenset(row.days("rest_days")),
        worked=frozenset(row.days("working_days")),
    )
    problem = _impossible(made)
    if problem is not None:
        raise RulesInvalid(f"{row.where}: {problem}")
    return made


def _impossible(notice: Notice) -> str | None:
    """Why no notice says so: what is mistyped moves deadlines of the whole province. None: one may."""
    if notice.region != NATIONAL and not _REGION.fullmatch(notice.region):
        return "region is no code of six digits"
    if not 2000 <= notice.year <= 2100:
        return "year is none of 2000 to 2100"
    both = notice.rest & notice.worked
    if both:
        return f"{min(both)} is among the rest_days and the working_days"
    # The days before New Year stand in the notice of the year that begins.
    earliest = date(notice.year - 1, 12, 25)
    outside = [day for day in notice.rest | notice.worked if not earliest <= day <= date(notice.year, 12, 31)]
    if outside:
        return f"{min(outside)} is no day of {notice.year}"
    if notice.region != NATIONAL:
        return None
    idle = [day for day in notice.worked if day.weekday() < 5]
    if idle:
        return f"{min(idle)} is among the working_days, and no day of a weekend"
    statutory = load_rest_days()
    missing = [day for day in _year(notice.year) if day in statutory and day not in notice.rest]
    if missing:
        return (
            f"{min(missing)} is a day of rest by law (hub/rules/calendar.toml), and not among the rest_days"
        )
    return None


def _year(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)
