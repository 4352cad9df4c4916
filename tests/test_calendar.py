"""The working calendar (R7.1): 调休, the vectors of the 7-working-day rule, provisional days, regions, deadlines by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.casework.work import calendar_for
from hub.errors import RulesInvalid
from hub.rules.calendar import NATIONAL, Calendar, Due, calendar_of, end_of, load_rest_days, seed_rows, seeded
from hub.rules.deadlines import due, load_deadlines
from tests.conftest import Database

VECTORS = {
    "2026-01-30": ("2026-02-02", "2026-02-04", "2026-02-06", "2026-02-10"),
    "2026-02-12": ("2026-02-13", "2026-02-24", "2026-02-26", "2026-02-28"),
    "2026-04-30": ("2026-05-06", "2026-05-08", "2026-05-11", "2026-05-13"),
    "2026-06-18": ("2026-06-22", "2026-06-24", "2026-06-26", "2026-06-30"),
    "2026-09-18": ("2026-09-20", "2026-09-22", "2026-09-24", "2026-09-29"),
    "2026-09-24": ("2026-09-28", "2026-09-30", "2026-10-09", "2026-10-12"),
    "2026-09-30": ("2026-10-08", "2026-10-10", "2026-10-13", "2026-10-15"),
    "2026-11-20": ("2026-11-23", "2026-11-25", "2026-11-27", "2026-12-01"),
    "2026-12-22": ("2026-12-23", "2026-12-25", "2026-12-29", "2026-12-31"),
}
DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))


@pytest.mark.parametrize("day", VECTORS)
def test_r7_1_working_days_after_a_decision(day: str) -> None:
    found = [seeded().due(date.fromisoformat(day), n) for n in (1, 3, 5, 7)]
    assert found == [Due(date.fromisoformat(one), False) for one in VECTORS[day]]


def test_r7_1_a_deadline_into_a_year_without_notice_is_provisional() -> None:
    assert seeded().due(date(2026, 12, 22), 7) == Due(date(2026, 12, 31), False)
    assert seeded().due(date(2026, 12, 23), 7).provisional
    # 1 January is foretold, and a Friday.
    assert seeded().due(date(2026, 12, 28), 7) == Due(date(2027, 1, 7), True)


def test_r7_1_the_notice_of_2027_makes_it_certain() -> None:
    """The estimate never becomes the notice by itself: a working Sunday comes only with its row."""
    rows = [(region, day, worked) for region, day, worked, _ in seed_rows()]
    notice = [
        (NATIONAL, day, (day.weekday() < 5 and day != date(2027, 1, 1)) or day == date(2027, 1, 3))
        for day in (date(2027, 1, 1) + timedelta(days=n) for n in range(365))
    ]
    assert calendar_of(rows + notice).due(date(2026, 12, 28), 7) == Due(date(2027, 1, 6), False)


def test_r7_1_a_prefecture_may_rest_when_the_country_works() -> None:
    rows = [(region, day, worked) for region, day, worked, _ in seed_rows()]
    local = [*rows, ("632200", date(2026, 11, 24), False)]
    start = date(2026, 11, 23)
    assert calendar_of(local).due(start, 1).on == date(2026, 11, 24)
    assert calendar_of(local, "6322").due(start, 1).on == date(2026, 11, 25)
    assert calendar_of(local, "632221").due(start, 1).on == date(2026, 11, 25)
    assert calendar_of(local, "630103").due(start, 1).on == date(2026, 11, 24)


def test_r7_1_a_deadline_ends_at_midnight_in_xining() -> None:
    assert end_of(date(2026, 10, 12)) == datetime(2026, 10, 12, 16, tzinfo=UTC)


@given(DAYS, st.integers(1, 40))
def test_r7_1_due_is_the_day_with_that_many_working_days_up_to_it(day: date, n: int) -> None:
    calendar = seeded()
    found = calendar.due(day, n)
    assert calendar.is_workday(found.on)
    assert calendar.between(day, found.on) == n
    assert calendar.due(day, n + 1).on > found.on
    ahead = (day + timedelta(days=k) for k in range(1, (found.on - day).days + 1))
    assert found.provisional == any(not calendar.is_fixed(one) for one in ahead)


@given(DAYS, DAYS)
def test_r7_1_between_turned_round_is_negative(one: date, other: date) -> None:
    assert seeded().between(one, other) == -seeded().between(other, one)


@given(DAYS)
def test_r5_7_zero_working_days_is_today_or_the_next_working_day(day: date) -> None:
    calendar = seeded()
    found = calendar.due(day, 0).on
    assert calendar.is_workday(found)
    assert (found == day) == calendar.is_workday(day)
    assert found == day or calendar.between(day, found) == 1


def test_an_empty_calendar_says_that_it_guesses() -> None:
    assert Calendar({}).due(date(2026, 9, 30), 1) == Due(date(2026, 10, 5), True)


YEARLY = '[[yearly]]\nvalid_from = 2025-01-01\ndays = ["05-01"]\nsource_doc = "x"\n'
FORETOLD = '[[foretold]]\nyear = 2027\ndays = [2027-02-05]\nsource_doc = "x"\n'


def test_r7_1_rest_days_of_every_year_are_those_of_the_law_in_force_on_the_day() -> None:
    amended = YEARLY.replace("source_doc", "valid_to = 2027-12-31\nsource_doc") + (
        '[[yearly]]\nvalid_from = 2028-01-01\ndays = ["05-02"]\nsource_doc = "y"\n'
    )
    rest = load_rest_days(amended + FORETOLD)
    asked = (
        date(2024, 5, 1),
        date(2027, 5, 1),
        date(2027, 5, 2),
        date(2028, 5, 1),
        date(2028, 5, 2),
        date(2027, 2, 5),
    )
    assert [day in rest for day in asked] == [False, True, False, False, True, True]
    assert not Calendar({}, rest).is_workday(date(2028, 5, 2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FORETOLD, "yearly has no rows"),
        (YEARLY, "foretold has no rows"),
        (YEARLY.replace("05-01", "5-1") + FORETOLD, "yearly 1: days is no list of known texts"),
        (YEARLY.replace('"05-01"', "") + FORETOLD, "yearly 1: days is empty"),
        (YEARLY * 2 + FORETOLD, "yearly rest days: two rows are in force on 2025-01-01"),
        (YEARLY + FORETOLD.replace("year = 2027", "year = 2028"), "foretold 1: a day lies outside 2028"),
        (YEARLY + FORETOLD.replace("[2027-02-05]", '["2027-02-05"]'), "days holds something else than days"),
        (YEARLY + FORETOLD.replace("source_doc", "doc"), "foretold 1: source_doc is missing"),
        (YEARLY + FORETOLD + "other = 1\n", "foretold 1: other is unknown"),
    ],
)
def test_a_broken_row_of_rest_days_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(RulesInvalid, match=told):
        load_rest_days(text)


async def test_r7_1_the_store_is_seeded_with_what_was_noticed_and_its_source(database: Database) -> None:
    row = await database.reader.fetchrow(
        "SELECT min(day) AS first, max(day) AS last, count(*) AS n, bool_and(source_doc LIKE '国务院办公厅%') AS told"
        " FROM working_day WHERE region_code = 'CN'"
    )
    assert tuple(row) == (date(2004, 1, 1), date(2026, 12, 31), 8401, True)
    calendar = await calendar_for(database.writer, (), date(2026, 9, 24))
    assert calendar.due(date(2026, 9, 24), 7) == Due(date(2026, 10, 12), False)


def test_every_deadline_names_its_source_and_no_day_is_guessed() -> None:
    for row in load_deadlines():
        assert row.term.source_doc, row.name
    assert due("check.feedback", date(2026, 11, 23), seeded()) == Due(date(2026, 12, 23), False)
    with pytest.raises(RulesInvalid, match=r"no row of check\.feedback is in force on 2019-07-04"):
        due("check.feedback", date(2019, 7, 4), seeded())
    with pytest.raises(RulesInvalid, match="no row of nothing"):
        due("nothing", date(2026, 11, 23), seeded())
