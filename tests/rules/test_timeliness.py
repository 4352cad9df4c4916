"""Publicity on time: the vectors of working days, exceptions, withdrawal, and figures that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import SHANGHAI
from hub.rules.calendar import Calendar, seeded
from hub.rules.timeliness import (
    Decided,
    DutyStanding,
    figures,
    load_timeliness_rules,
    publish_due,
    timeliness,
    withdraw_due,
)

RULES = load_timeliness_rules()
CALENDAR = seeded()
NOW = datetime(2026, 11, 22, 12, tzinfo=SHANGHAI)


def _at(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        (date(2026, 1, 30), date(2026, 2, 10)),
        (date(2026, 2, 12), date(2026, 2, 28)),
        (date(2026, 4, 30), date(2026, 5, 13)),
        (date(2026, 6, 18), date(2026, 6, 30)),
        (date(2026, 9, 18), date(2026, 9, 29)),
        (date(2026, 9, 24), date(2026, 10, 12)),
        (date(2026, 9, 30), date(2026, 10, 15)),
        (date(2026, 11, 20), date(2026, 12, 1)),
        (date(2026, 12, 22), date(2026, 12, 31)),
    ],
)
def test_r7_1_the_seventh_working_day_after_the_decision(decided: date, due: date) -> None:
    found = publish_due(decided, CALENDAR)
    assert (found.on, found.provisional) == (due, False)


def test_r7_1_a_penalty_of_2026_09_24_is_on_time_on_10_12_and_one_day_late_on_10_13() -> None:
    """Acceptance 1."""
    item = Decided("630100", date(2026, 9, 24))
    on_time = timeliness(replace(item, published_at=_at(2026, 10, 12, 23)), CALENDAR, NOW)
    late = timeliness(replace(item, published_at=_at(2026, 10, 13, 0)), CALENDAR, NOW)
    assert (on_time.standing, on_time.late_by) == (DutyStanding.ON_TIME, 0)
    assert (late.standing, late.late_by) == (DutyStanding.LATE, 1)


def test_r7_1_the_day_ends_at_midnight_of_shanghai_wherever_the_server_stands() -> None:
    item = Decided("630100", date(2026, 9, 24))
    for hour, standing in ((15, DutyStanding.ON_TIME), (16, DutyStanding.LATE)):
        published = datetime(2026, 10, 12, hour, 30, tzinfo=ZoneInfo("UTC"))
        assert timeliness(replace(item, published_at=published), CALENDAR, NOW).standing is standing


def test_r7_1_a_decision_of_2026_12_28_is_due_provisionally() -> None:
    """Acceptance 2, its first half: the calendar of 2027 is not fixed yet."""
    assert publish_due(date(2026, 12, 28), CALENDAR).provisional


def test_r7_1_published_on_the_saturday_after_the_last_day_is_late() -> None:
    item = Decided("630100", date(2026, 11, 11), _at(2026, 11, 21))
    assert publish_due(item.decided_on, CALENDAR).on == date(2026, 11, 20)
    assert timeliness(item, CALENDAR, NOW).late_by == 1


def test_r7_3_exceptions_are_recorded_decisions_and_no_missing_data() -> None:
    item = Decided("630100", date(2026, 9, 24), exception="STATE_SECRET")
    assert timeliness(item, CALENDAR, NOW).standing is DutyStanding.EXCEPTED
    assert RULES.exception("STATE_SECRET", item.decided_on) is not None
    assert RULES.exception("CONVENIENCE", item.decided_on) is None
    # Before the law that grounds it, it is none.
    assert RULES.exception("WARNING_ONLY", date(2021, 8, 31)) is None


def test_r7_3_the_hub_proposes_exceptions_for_persons_minors_and_small_penalties() -> None:
    day = date(2026, 9, 24)
    assert RULES.proposed_exceptions(day, penalty=True) == ()
    # Licences of persons are published, masked.
    assert RULES.proposed_exceptions(day, penalty=False, natural_person=True) == ()
    assert RULES.proposed_exceptions(day, penalty=False, natural_person=True, minor=True) == ("MINOR_PERSON",)
    found = RULES.proposed_exceptions(
        day, penalty=True, natural_person=True, simple_procedure=True, warning_only=True
    )
    assert found == ("NATURAL_PERSON", "SIMPLE_PROCEDURE", "WARNING_ONLY")


def test_r7_4_a_revoked_penalty_is_withdrawn_in_3_working_days() -> None:
    assert withdraw_due(date(2026, 9, 30), CALENDAR).on == date(2026, 10, 10)


def test_r7_1_the_figures_of_a_unit_and_month() -> None:
    day = date(2026, 9, 24)
    items = [
        Decided("630100", day, _at(2026, 10, 12)),
        Decided("630100", day, _at(2026, 9, 25)),
        Decided("630100", day, _at(2026, 10, 13)),
        Decided("630100", day),
        Decided("630100", day, exception="TRADE_SECRET"),
        Decided("630100", date(2026, 11, 20)),
        Decided("630200", day, _at(2026, 9, 25)),
    ]
    first, november, other = figures(items, CALENDAR, NOW)
    assert (first.unit, first.month) == ("630100", date(2026, 9, 1))
    assert (first.on_time, first.late, first.not_published, first.pending, first.excepted) == (2, 1, 1, 0, 1)
    assert first.ratio == Fraction(1, 2)
    assert (november.month, november.pending, november.ratio) == (date(2026, 11, 1), 1, None)
    assert (other.unit, other.ratio) == ("630200", Fraction(1))


def test_r7_1_figures_of_many_items_count_the_working_days_of_each_day_once() -> None:
    """A server answers nobody else while it counts: 2,000 items that nobody published for years took it many seconds."""
    asked = []

    class Counting(Calendar):
        def is_workday(self, day: date) -> bool:
            asked.append(day)
            return super().is_workday(day)

    unpublished = [Decided("630100", date(2024, 1, 2) + timedelta(n % 10)) for n in range(2000)]
    (told,) = figures(unpublished, Counting(CALENDAR.fixed), NOW)
    assert told.not_published == 2000
    assert len(asked) < 500


items = st.builds(
    lambda unit, day, after, exception: Decided(
        unit,
        day,
        None
        if after is None
        else datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI) + timedelta(after),
        exception,
    ),
    st.sampled_from(["630100", "630200"]),
    st.dates(date(2026, 1, 1), date(2026, 11, 22)),
    st.none() | st.integers(0, 40),
    st.none() | st.none() | st.just("STATE_SECRET"),
)


@given(st.lists(items, max_size=30))
def test_r7_1_figures_count_every_item_once_in_whatever_order(found: list[Decided]) -> None:
    said = figures(found, CALENDAR, NOW)
    total = sum(one.on_time + one.late + one.not_published + one.pending + one.excepted for one in said)
    assert total == len(found)
    assert figures(reversed(found), CALENDAR, NOW) == said
    for one in said:
        assert one.ratio is None or 0 <= one.ratio <= 1


@given(items, st.integers(1, 60))
def test_r7_1_to_publish_later_is_never_better(item: Decided, later: int) -> None:
    if item.published_at is None or item.exception is not None:
        return
    order = [DutyStanding.ON_TIME, DutyStanding.LATE]
    first = timeliness(item, CALENDAR, NOW)
    second = timeliness(replace(item, published_at=item.published_at + timedelta(later)), CALENDAR, NOW)
    assert order.index(first.standing) <= order.index(second.standing)
    assert first.late_by <= second.late_by
