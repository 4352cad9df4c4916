"""The life of adverse records: Orders 58 and 36, the five-year ceiling, months, classes of penalties."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.publicity import PublicityRules, add_months, load_publicity_rules

RULES = load_publicity_rules()


def test_a_general_penalty_of_2026_05_10_is_usable_until_2027_05_10_inclusive() -> None:
    assert RULES.usable_until(date(2026, 5, 10), "GENERAL") == date(2027, 5, 10)


@pytest.mark.parametrize(
    ("seriousness", "until"),
    [
        ("MINOR", date(2026, 8, 10)),
        ("GENERAL", date(2027, 5, 10)),
        ("UNCLASSIFIED", date(2027, 5, 10)),
        ("SERIOUS", date(2029, 5, 10)),
        ("NOT_ADVERSE", None),
    ],
)
def test_order_36_bounds_each_class(seriousness: str, until: date | None) -> None:
    assert RULES.usable_until(date(2026, 5, 10), seriousness) == until


def test_a_decision_made_under_order_58_gets_the_more_lenient_of_both_orders() -> None:
    assert RULES.usable_until(date(2025, 12, 1), "GENERAL") == date(2026, 12, 1)
    assert RULES.usable_until(date(2025, 12, 1), "MINOR") == date(2026, 3, 1)


def test_a_row_of_the_rule_sets_changes_the_life_of_a_record() -> None:
    only58 = PublicityRules(RULES.rulesets[:1], RULES.classes, RULES.treated_as, RULES.ceiling_months)
    assert only58.usable_until(date(2025, 12, 1), "GENERAL") == date(2028, 12, 1)
    # In force on no later day: nothing but the ceiling bounds it.
    assert only58.usable_until(date(2026, 4, 1), "GENERAL") == date(2031, 4, 1)


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
    ],
)
def test_a_period_of_months_ends_on_the_corresponding_day_or_the_months_last(
    day: date, months: int, end: date
) -> None:
    assert add_months(day, months) == end


@given(
    st.dates(date(2000, 1, 1), date(2050, 1, 1)),
    st.sampled_from(["MINOR", "GENERAL", "UNCLASSIFIED", "SERIOUS"]),
)
def test_no_adverse_record_outlives_five_years_nor_ends_before_its_decision(
    day: date, seriousness: str
) -> None:
    until = RULES.usable_until(day, seriousness)
    assert until is not None
    assert day < until <= add_months(day, 60) <= day + timedelta(days=5 * 366)


@pytest.mark.parametrize(
    ("kinds", "simple", "seriousness", "flags"),
    [
        (["警告"], None, "MINOR", ()),
        (["通报批评", "警告"], False, "MINOR", ()),
        (["警告", "罚款"], None, "GENERAL", ()),
        (["警告并处罚款"], None, "GENERAL", ()),
        (["警告；罚款；吊销许可证"], None, "SERIOUS", ()),
        (["其他(责令改正，逾期罚款)"], None, "UNCLASSIFIED", ("SERIOUSNESS_UNCLASSIFIED",)),
        (["没收违法所得", "没收非法财物"], None, "GENERAL", ()),
        (["罚款", "吊销许可证"], None, "SERIOUS", ()),
        (["责令停产停业"], None, "SERIOUS", ()),
        (["责令关闭"], None, "SERIOUS", ()),
        (["限制从业"], None, "SERIOUS", ()),
        (["限制开展生产经营活动"], None, "SERIOUS", ()),
        (["降低资质等级"], None, "SERIOUS", ("SERIOUSNESS_UNCERTAIN",)),
        (["暂扣或吊销许可证"], None, "SERIOUS", ("SERIOUSNESS_UNCERTAIN",)),
        # The same written the other way round, which the files of 双公示 may do: it may be a suspension alone.
        (["吊销/暂扣执照"], None, "SERIOUS", ("SERIOUSNESS_UNCERTAIN",)),
        (["吊销或暂扣许可证件"], None, "SERIOUS", ("SERIOUSNESS_UNCERTAIN",)),
        (["暂扣许可证"], None, "UNCLASSIFIED", ("SERIOUSNESS_UNCLASSIFIED", "SERIOUSNESS_UNCERTAIN")),
        (["其他-责令改正", "罚款"], None, "UNCLASSIFIED", ("SERIOUSNESS_UNCLASSIFIED",)),
        (["其他-责令改正", "吊销执照"], None, "SERIOUS", ()),
        ([], None, "UNCLASSIFIED", ("SERIOUSNESS_UNCLASSIFIED",)),
        (["罚款"], True, "MINOR", ()),
    ],
)
def test_the_gravest_kind_of_a_penalty_decides_its_class(
    kinds: list[str], simple: bool | None, seriousness: str, flags: tuple[str, ...]
) -> None:
    assert RULES.classify(kinds, simple) == (seriousness, flags)


def test_every_rule_names_its_source() -> None:
    assert all(row.source_doc for row in [*RULES.rulesets, *RULES.classes])


def test_the_ceiling_is_counted_from_the_end_of_the_conduct_where_it_is_known() -> None:
    decided = date(2026, 5, 10)
    assert RULES.usable_until(decided, "SERIOUS", date(2024, 2, 29)) == date(2029, 2, 28)
    # It bounds, and lengthens nothing.
    assert RULES.usable_until(decided, "SERIOUS", date(2026, 5, 1)) == date(2029, 5, 10)
    assert RULES.usable_until(decided, "NOT_ADVERSE", date(2020, 1, 1)) is None
