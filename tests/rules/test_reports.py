"""The quarterly report: calendar days that no rest day moves, warnings of rest days, figures that are explained."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import SHANGHAI
from hub.rules.calendar import seeded
from hub.rules.reports import Quarter, ReportStanding, Stated, load_report_rules, quarter_of, reported_on

RULES = load_report_rules()
CALENDAR = seeded()
NOW = datetime(2026, 11, 22, 12, tzinfo=SHANGHAI)

quarters = st.builds(Quarter, st.integers(2020, 2035), st.integers(1, 4))


@pytest.mark.parametrize(
    ("quarter", "due"),
    [
        (Quarter(2025, 4), date(2026, 1, 10)),
        (Quarter(2026, 1), date(2026, 4, 10)),
        (Quarter(2026, 2), date(2026, 7, 10)),
        (Quarter(2026, 3), date(2026, 10, 10)),
    ],
)
def test_r18_1_reports_are_due_on_the_10th_of_the_month_after_the_quarter(
    quarter: Quarter, due: date
) -> None:
    found = RULES.due(quarter, CALENDAR)
    assert (found.due, found.target) == (due, due - timedelta(days=1))
    assert found.late_from == datetime(due.year, due.month, 11, tzinfo=SHANGHAI)


def test_r18_1_the_report_on_q3_of_2026_is_due_on_a_working_saturday_and_reminded_of_on_9_october() -> None:
    """Acceptance 15."""
    found = RULES.due(Quarter(2026, 3), CALENDAR)
    assert (found.due, found.due.weekday(), CALENDAR.is_workday(found.due)) == (date(2026, 10, 10), 5, True)
    assert found.warnings == ()
    assert found.reminders == (date(2026, 10, 5), date(2026, 10, 9))


def test_r18_2_a_rest_day_is_warned_of_and_moves_nothing() -> None:
    found = RULES.due(Quarter(2025, 4), CALENDAR)
    assert found.due == date(2026, 1, 10)
    assert [(one.day, one.work_before, one.provisional) for one in found.warnings] == [
        (date(2026, 1, 10), date(2026, 1, 9), False)
    ]


def test_r18_2_a_warning_says_when_the_calendar_is_not_fixed() -> None:
    # 2027-04-10 is a Saturday, and no notice says whether it is worked.
    (warned,) = RULES.due(Quarter(2027, 1), CALENDAR).warnings
    assert (warned.day, warned.provisional) == (date(2027, 4, 10), True)


@pytest.mark.parametrize(
    ("submitted", "standing"),
    [
        (datetime(2026, 10, 9, 18), ReportStanding.ON_TIME),
        (datetime(2026, 10, 10, 23, 59, 59), ReportStanding.ON_TIME),
        (datetime(2026, 10, 11), ReportStanding.LATE),
    ],
)
def test_r18_1_it_is_late_from_the_11th_0_00_in_shanghai(
    submitted: datetime, standing: ReportStanding
) -> None:
    moment = submitted.replace(tzinfo=SHANGHAI)
    assert RULES.standing(Quarter(2026, 3), moment, NOW) is standing


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (datetime(2026, 9, 30, 23), ReportStanding.EARLY),
        (datetime(2026, 10, 1), ReportStanding.OPEN),
        (datetime(2026, 10, 10, 23), ReportStanding.OPEN),
        (datetime(2026, 10, 11), ReportStanding.OVERDUE),
    ],
)
def test_r18_1_what_is_not_submitted_is_open_and_then_overdue(
    now: datetime, standing: ReportStanding
) -> None:
    assert RULES.standing(Quarter(2026, 3), None, now.replace(tzinfo=SHANGHAI)) is standing


@given(quarters)
def test_r18_1_due_days_follow_the_quarter_and_reminders_come_before(quarter: Quarter) -> None:
    found = RULES.due(quarter, CALENDAR)
    assert quarter.last < found.target < found.due
    assert found.due - quarter.last == timedelta(days=10)
    assert all(quarter.last < day <= found.due for day in found.reminders)
    assert found.target in found.reminders
    assert quarter_of(quarter.first) == quarter_of(quarter.last) == quarter
    assert reported_on(found.due) == quarter


def test_r18_3_a_figure_is_confirmed_or_overridden_with_a_reason() -> None:
    quarter = Quarter(2026, 3)
    codes = [row.code for row in RULES.figures_of(quarter)]
    prefilled: dict[str, object] = dict.fromkeys(codes, 3)
    stated = {code: Stated(3) for code in codes}
    assert RULES.problems(quarter, prefilled, stated) == ()
    assert RULES.problems(quarter, prefilled, stated | {"OBJECTIONS": Stated(4)}) == (
        ("NO_REASON", "OBJECTIONS"),
    )
    assert RULES.problems(quarter, prefilled, stated | {"OBJECTIONS": Stated(4, " ")}) != ()
    assert RULES.problems(quarter, prefilled, stated | {"OBJECTIONS": Stated(4, "一件以纸质办理")}) == ()
    assert RULES.problems(quarter, prefilled, stated | {"MOOD": Stated(1)}) == (("UNKNOWN", "MOOD"),)
    del stated["CHECKS"]
    assert RULES.problems(quarter, prefilled, stated) == (("MISSING", "CHECKS"),)
    # Words are written by the reporter.
    assert RULES.problems(quarter, prefilled, stated | {"CHECKS": Stated(3), "TYPICAL_CASES": Stated("案例")}) == ()  # fmt: skip


def test_r18_3_the_figures_cover_each_mechanism_of_the_policy() -> None:
    codes = {row.code for row in RULES.figures_of(Quarter(2026, 3))}
    assert len(codes) == 20
    for needed in ("CHECKS", "BLACK_OUT", "MEASURES_FEEDBACK", "COMMITMENTS_BREACHED", "PUBLICITY_ON_TIME"):
        assert needed in codes
    assert RULES.figures_of(Quarter(2019, 1)) == ()


def test_r18_1_the_eight_prefectures_report() -> None:
    assert len(RULES.reporters_on(date(2026, 10, 1))) == 8


@pytest.mark.parametrize("number", [0, 5])
def test_r18_1_there_are_four_quarters(number: int) -> None:
    with pytest.raises(ValueError, match="quarter"):
        Quarter(2026, number)
