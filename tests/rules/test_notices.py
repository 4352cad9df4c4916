"""Notices on holidays as an administrator lays them (R7.1, 5.6)."""

from __future__ import annotations

from datetime import date

import pytest

from hub.errors import RulesInvalid
from hub.rules.calendar import seeded
from hub.rules.notices import load_notices

# 国务院办公厅关于2026年部分节假日安排的通知.
NOTICE_2026 = """
[[notice]]
year = 2026
source_doc = "国务院办公厅关于2026年部分节假日安排的通知"
rest_days = [
  2026-01-01, 2026-01-02, 2026-01-03,
  2026-02-15, 2026-02-16, 2026-02-17, 2026-02-18, 2026-02-19, 2026-02-20, 2026-02-21, 2026-02-22, 2026-02-23,
  2026-04-04, 2026-04-05, 2026-04-06,
  2026-05-01, 2026-05-02, 2026-05-03, 2026-05-04, 2026-05-05,
  2026-06-19, 2026-06-20, 2026-06-21, 2026-09-25, 2026-09-26, 2026-09-27,
  2026-10-01, 2026-10-02, 2026-10-03, 2026-10-04, 2026-10-05, 2026-10-06, 2026-10-07,
]
working_days = [2026-01-04, 2026-02-14, 2026-02-28, 2026-05-09, 2026-09-20, 2026-10-10]
"""
PLACE = """
[[notice]]
region = "632300"
year = 2027
source_doc = "州政府通知"
rest_days = [2027-03-10]
working_days = [2027-03-13]
"""


def test_r7_1_the_notice_for_2026_says_of_each_day_what_the_seeded_calendar_says() -> None:
    (notice,) = load_notices(NOTICE_2026, "2026.toml")
    days = notice.days()
    assert len(days) == 365
    assert {day for day, worked in days.items() if worked != seeded().is_workday(day)} == set()


def test_r7_1_a_places_own_notice_fixes_the_days_that_it_names() -> None:
    (notice,) = load_notices(PLACE, "place.toml")
    assert notice.days() == {date(2027, 3, 10): False, date(2027, 3, 13): True}


@pytest.mark.parametrize(
    ("said", "instead", "why"),
    [
        ("2026-01-04, 2026-02-14", "2026-01-05, 2026-02-14", "2026-01-05 is among the working_days, and no day of a weekend"),
        ("2026-05-01, 2026-05-02", "2026-05-01", "2026-05-02 is a day of rest by law"),
        ("2026-06-19,", "2027-06-19,", "2027-06-19 is no day of 2026"),
        ("2026-05-09", "2026-05-03", "2026-05-03 is among the rest_days and the working_days"),
        ("year = 2026", "year = 2062", "2026-01-01 is no day of 2062"),
        ("year = 2026", "year = 20260", "year is none of 2000 to 2100"),
        ("year = 2026", 'year = 2026\nregion = "青海"', "region is no code of six digits"),
        ("working_days", "workdays", "working_days is missing"),
        ("2026-05-09", '"2026-05-09"', "working_days holds something else than days"),
        ("[[notice]]", "[[notices]]", "notice has no rows"),
    ],
)  # fmt: skip
def test_r7_1_a_notice_that_cannot_be_right_is_refused_with_the_reason(
    said: str, instead: str, why: str
) -> None:
    assert said in NOTICE_2026
    with pytest.raises(RulesInvalid, match=why):
        load_notices(NOTICE_2026.replace(said, instead), "2026.toml")


def test_r7_1_two_notices_for_one_year_and_place_are_refused() -> None:
    with pytest.raises(RulesInvalid, match="two notices are of one year and one region"):
        load_notices(PLACE + PLACE, "place.toml")
    assert len(load_notices(PLACE + NOTICE_2026, "both.toml")) == 2
