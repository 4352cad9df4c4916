"""Working days (工作日) of a region, with the notices that fix them, and deadlines counted in them. Pure but for the seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType

from connectors.contract import SHANGHAI
from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force

# Region code under which the whole country's calendar stands; regions have rows only where they differ from it.
NATIONAL = "CN"
# The years that the State Council's notices in chinesecalendar cover.
SEEDED_YEARS = range(2004, 2027)
SEED_SOURCE = "国务院办公厅关于{year}年部分节假日安排的通知"
# All days that a year can have, as month and day.
EVERY_DAY = frozenset(f"{date(2024, 1, 1) + timedelta(days=n):%m-%d}" for n in range(366))


@dataclass(frozen=True)
class Due:
    """The last day of a deadline, until 24:00 Asia/Shanghai.

    `provisional`: some day up to it is not fixed by a notice yet, so the day may move when the notice comes.
    """

    on: date
    provisional: bool


@dataclass(frozen=True)
class YearlyRest:
    """Rest days that a law puts on the same days of every year, as month and day ("05-01")."""

    days: frozenset[str]
    term: Term


@dataclass(frozen=True)
class RestDays:
    """Statutory rest days that can be foretold where no notice fixes them; the days moved around them (调休) cannot."""

    yearly: tuple[YearlyRest, ...]
    # Those that follow the moon or the sun, year by year.
    foretold: frozenset[date]

    def __contains__(self, day: date) -> bool:
        """Whether `day` is one of them."""
        law = in_force(self.yearly, day)
        return day in self.foretold or (law is not None and f"{day:%m-%d}" in law.days)


@cache
def load_rest_days(text: str | None = None) -> RestDays:
    """The rest days of calendar.toml, or of `text` in its place. Raises RulesInvalid."""
    file = RuleFile("calendar.toml", text)
    found = RestDays(
        file.rows("yearly", _yearly),
        frozenset(day for days in file.rows("foretold", _foretold) for day in days),
    )
    file.done()
    disjoint(found.yearly, "yearly rest days")
    return found


def _yearly(row: Row) -> YearlyRest:
    days = row.texts("days", EVERY_DAY)
    if not days:
        raise RulesInvalid(f"{row.where}: days is empty")
    return YearlyRest(frozenset(days), row.term())


def _foretold(row: Row) -> tuple[date, ...]:
    year, days = row.number("year"), row.days("days")
    row.text("source_doc")
    row.text("confirmed_by", "")
    if any(day.year != year for day in days):
        raise RulesInvalid(f"{row.where}: a day lies outside {year}")
    return days


@dataclass(frozen=True)
class Calendar:
    """Which days are worked: the days that notices fix, and an estimate that says so for all others."""

    # Fixed days only.
    fixed: Mapping[date, bool]
    rest_days: RestDays = field(default_factory=load_rest_days)

    def is_workday(self, day: date) -> bool:
        """Whether `day` is worked, as fixed, else as estimated: no weekend and no statutory rest day."""
        known = self.fixed.get(day)
        if known is not None:
            return known
        return day.weekday() < 5 and day not in self.rest_days

    def is_fixed(self, day: date) -> bool:
        """Whether a notice says what `day` is."""
        return day in self.fixed

    def due(self, day: date, n: int) -> Due:
        """The `n`-th working day after `day`, which itself is not counted (R7.1; Administrative Penalty Law art. 85).

        With `n` 0: `day` itself when it is worked, else the next working day.
        """
        found, provisional = day, False
        left = n
        if n == 0:
            provisional = not self.is_fixed(day)
            while not self.is_workday(found):
                found += timedelta(days=1)
                provisional = provisional or not self.is_fixed(found)
            return Due(found, provisional)
        while left:
            found += timedelta(days=1)
            provisional = provisional or not self.is_fixed(found)
            left -= self.is_workday(found)
        return Due(found, provisional)

    def between(self, after: date, until: date) -> int:
        """Working days after `after` up to `until`, which is counted; negative when `until` lies before."""
        if until < after:
            return -self.between(until, after)
        days = (after + timedelta(days=n) for n in range(1, (until - after).days + 1))
        return sum(self.is_workday(day) for day in days)


def start_of(day: date) -> datetime:
    """0:00 Asia/Shanghai of `day`."""
    return datetime.combine(day, time(), SHANGHAI)


def end_of(day: date) -> datetime:
    """24:00 Asia/Shanghai of `day`: the first moment at which a deadline on it has passed."""
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def seed_rows() -> Iterator[tuple[str, date, bool, str]]:
    """The national calendar of the seeded years as rows (region, day, worked, source document)."""
    # Only who seeds a store needs it; the servers read the rows.
    import chinese_calendar

    for year in SEEDED_YEARS:
        source = SEED_SOURCE.format(year=year)
        day = date(year, 1, 1)
        while day.year == year:
            yield NATIONAL, day, bool(chinese_calendar.is_workday(day)), source
            day += timedelta(days=1)


def calendar_of(rows: Iterable[tuple[str, date, bool]], region: str | None = None) -> Calendar:
    """The calendar of a region from rows (region, day, worked): its own, else its prefecture's, province's, the country's."""
    by_region: dict[str, dict[date, bool]] = {}
    for code, day, worked in rows:
        by_region.setdefault(code, {})[day] = worked
    fixed = dict(by_region.get(NATIONAL, {}))
    for digits in (2, 4, 6) if region else ():
        assert region is not None
        fixed |= by_region.get(region[:digits].ljust(6, "0"), {})
    return Calendar(MappingProxyType(fixed))


@cache
def seeded() -> Calendar:
    """The national calendar as the package knows it, without any store."""
    return calendar_of((region, day, worked) for region, day, worked, _ in seed_rows())
