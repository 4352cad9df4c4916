"""Eligibility and conclusion as pure functions (R5.3, R5.4): the algorithm line by line, and its properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.conclusion import Measure, Unfulfilled, conclude
from hub.rules.eligibility import (
    Adverse,
    Answer,
    Facts,
    Listing,
    green_channel,
    years_before,
)
from hub.rules.matters import check_rules

TODAY = date(2026, 11, 23)
RULES = check_rules(TODAY)
CLEAN = Facts(established_on=date(2010, 1, 1))
DAYS = st.dates(date(2020, 1, 1), date(2027, 12, 31))
RECORDS = st.builds(
    Adverse,
    id=st.text("ab", min_size=1, max_size=3),
    seriousness=st.sampled_from(["MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED"]),
    decided_on=DAYS,
    under_objection=st.booleans(),
    breach=st.booleans(),
)
LISTINGS = st.builds(
    Listing,
    id=st.text("ab", min_size=1, max_size=3),
    color=st.sampled_from(["RED", "WATCH", "BLACK"]),
    under_objection=st.booleans(),
)
FACTS = st.builds(
    Facts,
    established_on=st.none() | DAYS,
    adverse=st.lists(RECORDS, max_size=4).map(tuple),
    listings=st.lists(LISTINGS, max_size=3).map(tuple),
    missing_sources=st.lists(st.sampled_from(["TAX", "COMMERCE"]), unique=True, max_size=2).map(tuple),
)
MEASURES = st.builds(
    Measure,
    id=st.just("m"),
    effect=st.sampled_from(["BLOCK", "RESTRICT", "KEY_SUPERVISION"]),
    in_effect=st.booleans(),
    catalogue_code=st.sampled_from(["", "1.1"]),
    legal_basis=st.sampled_from(["", "某法第1条"]),
    matters=st.sampled_from([frozenset(), frozenset({"M"})]),
    purposes=st.sampled_from([frozenset(), frozenset({"P"})]),
)


def _answer(facts: Facts, day: date = TODAY) -> tuple[str, str | None, tuple[str, ...]]:
    found = green_channel(facts, RULES.policy, day)
    return str(found.answer), found.basis, tuple(code for code, _ in found.reasons)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (CLEAN, ("YES", "THREE_YEARS_CLEAN", ("THREE_YEARS_CLEAN",))),
        (
            replace(CLEAN, listings=(Listing("b", "BLACK"),), missing_sources=("TAX",)),
            ("NO", None, ("SERIOUS_LIST",)),
        ),
        (replace(CLEAN, missing_sources=("TAX",)), ("INDETERMINATE", None, ("SOURCE_MISSING",))),
        (
            replace(CLEAN, listings=(Listing("r", "RED"),), missing_sources=("TAX",)),
            ("INDETERMINATE", None, ("SOURCE_MISSING",)),
        ),
        (
            Facts(None, (Adverse("x", "GENERAL", TODAY),), (Listing("r", "RED"),)),
            ("YES", "HONEST_MODEL", ("HONEST_MODEL",)),
        ),
        (replace(CLEAN, adverse=(Adverse("x", "GENERAL", TODAY),)), ("NO", None, ("ADVERSE_RECORD",))),
        (replace(CLEAN, adverse=(Adverse("x", "SERIOUS", TODAY),)), ("NO", None, ("ADVERSE_RECORD",))),
        (
            replace(CLEAN, adverse=(Adverse("x", "MINOR", TODAY),)),
            ("YES", "THREE_YEARS_CLEAN", ("THREE_YEARS_CLEAN",)),
        ),
        (
            replace(CLEAN, adverse=(Adverse("x", "MINOR", TODAY, breach=True),)),
            ("NO", None, ("ADVERSE_RECORD",)),
        ),
        (
            replace(CLEAN, adverse=(Adverse("x", "GENERAL", TODAY, under_objection=True),)),
            ("INDETERMINATE", None, ("UNDER_OBJECTION",)),
        ),
        (
            replace(
                CLEAN,
                adverse=(
                    Adverse("x", "GENERAL", TODAY, under_objection=True),
                    Adverse("y", "GENERAL", TODAY),
                ),
            ),
            ("NO", None, ("ADVERSE_RECORD",)),
        ),
        (
            replace(CLEAN, adverse=(Adverse("x", "UNCLASSIFIED", TODAY),)),
            ("INDETERMINATE", None, ("UNCLASSIFIED_RECORD",)),
        ),
        (replace(CLEAN, listings=(Listing("w", "WATCH"),)), ("NO", None, ("WATCH_LIST",))),
        (
            replace(CLEAN, listings=(Listing("b", "BLACK", True), Listing("r", "RED"))),
            ("INDETERMINATE", None, ("UNDER_OBJECTION",)),
        ),
        (
            replace(
                CLEAN,
                adverse=(Adverse("x", "GENERAL", TODAY),),
                listings=(Listing("b", "BLACK", True),),
            ),
            ("NO", None, ("ADVERSE_RECORD",)),
        ),
        (
            replace(CLEAN, listings=(Listing("b", "BLACK", True), Listing("c", "BLACK"))),
            ("NO", None, ("SERIOUS_LIST",)),
        ),
        (
            replace(CLEAN, listings=(Listing("w", "WATCH", True),)),
            ("INDETERMINATE", None, ("UNDER_OBJECTION",)),
        ),
        (Facts(None), ("INDETERMINATE", None, ("FOUNDING_DAY_UNKNOWN",))),
        (Facts(date(2023, 11, 24)), ("NO", None, ("YOUNGER_THAN_WINDOW",))),
        (Facts(date(2023, 11, 23)), ("YES", "THREE_YEARS_CLEAN", ("THREE_YEARS_CLEAN",))),
    ],
)
def test_r5_4_the_algorithm_line_by_line(
    facts: Facts, expected: tuple[str, str | None, tuple[str, ...]]
) -> None:
    assert _answer(facts) == expected


@pytest.mark.parametrize(
    ("decided", "answer"),
    [("2023-11-23", "YES"), ("2023-11-24", "NO"), ("2026-11-23", "NO"), ("2026-11-24", "YES")],
)
def test_r5_4_the_window_is_open_at_its_first_day_and_holds_its_last(decided: str, answer: str) -> None:
    facts = replace(CLEAN, adverse=(Adverse("x", "GENERAL", date.fromisoformat(decided)),))
    assert _answer(facts)[0] == answer


def test_r5_4_three_years_before_a_leap_day() -> None:
    assert years_before(date(2028, 2, 29), 3) == date(2025, 2, 28)


@given(FACTS, DAYS)
def test_r5_4_yes_is_never_said_with_a_source_missing_or_on_a_serious_list(facts: Facts, day: date) -> None:
    found = green_channel(facts, RULES.policy, day)
    if facts.missing_sources:
        assert found.answer is not Answer.YES
    for one in facts.listings:
        if one.color == "BLACK":
            assert found.answer is not Answer.YES
            assert found.answer is Answer.NO or one.under_objection
    assert found.reasons


@given(FACTS, RECORDS, DAYS)
def test_r5_4_another_adverse_record_never_helps(facts: Facts, record: Adverse, day: date) -> None:
    before = green_channel(facts, RULES.policy, day).answer
    after = green_channel(replace(facts, adverse=(*facts.adverse, record)), RULES.policy, day).answer
    assert before is Answer.YES or after is not Answer.YES
    if before is Answer.NO and not record.under_objection and record.seriousness != "UNCLASSIFIED":
        assert after is Answer.NO


@given(FACTS, DAYS)
def test_r5_4_a_repaired_record_is_as_if_it_had_never_been(facts: Facts, day: date) -> None:
    """The answer depends on usable records only: without them it is that of a subject that never had one."""
    without = replace(facts, adverse=())
    outside = replace(facts, adverse=tuple(one for one in facts.adverse if one.decided_on > day))
    assert _answer(outside, day) == _answer(without, day)


@given(FACTS, DAYS)
def test_r5_4_the_order_of_facts_does_not_matter(facts: Facts, day: date) -> None:
    turned = replace(facts, adverse=facts.adverse[::-1], listings=facts.listings[::-1])
    one, other = green_channel(facts, RULES.policy, day), green_channel(turned, RULES.policy, day)
    assert (one.answer, one.basis, set(one.reasons)) == (other.answer, other.basis, set(other.reasons))


def _turns_on(facts: Facts, as_of: date) -> date | None:
    """The next day on which the window alone may change the answer: the oldest record leaves, or the age is reached."""
    days = [
        _years_after(one.decided_on, RULES.policy.years)
        for one in facts.adverse
        if years_before(as_of, RULES.policy.years) < one.decided_on <= as_of
    ]
    if facts.established_on is not None and facts.established_on > years_before(as_of, RULES.policy.years):
        days.append(_years_after(facts.established_on, RULES.policy.years))
    return min(days, default=None)


def _years_after(day: date, years: int) -> date:
    """The first day whose window of `years` no longer holds `day`."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28) + timedelta(days=1)


@given(FACTS, DAYS, st.integers(0, 1500))
def test_r5_4_between_two_turning_days_the_answer_stays(facts: Facts, day: date, ahead: int) -> None:
    """Facts whose day lies ahead are not known yet, and so do not count here."""
    known = replace(facts, adverse=tuple(one for one in facts.adverse if one.decided_on <= day))
    if known.established_on is not None and known.established_on > day:
        known = replace(known, established_on=None)
    turning = _turns_on(known, day)
    later = day + timedelta(days=ahead)
    if turning is None or later < turning:
        assert _answer(known, later)[0] == _answer(known, day)[0]


@given(FACTS, st.lists(MEASURES, max_size=3).map(tuple), st.booleans(), st.booleans())
def test_r5_3_block_and_restrict_only_by_a_whole_measure_that_covers_the_matter(
    facts: Facts, measures: tuple[Measure, ...], green: bool, late: bool
) -> None:
    eligible = green_channel(facts, RULES.policy, TODAY)
    unfulfilled = (Unfulfilled("u", "N-1"),) if late else ()
    found = conclude(facts, eligible, measures, unfulfilled, RULES.advice, "M", "P", green)
    covering = {
        one.effect
        for one in measures
        if one.in_effect and one.catalogue_code and one.legal_basis and (one.matters or one.purposes)
    }
    severe = "BLOCK" if "BLOCK" in covering else "RESTRICT" if "RESTRICT" in covering else None
    if severe:
        assert found.value == severe
    else:
        assert found.value not in ("BLOCK", "RESTRICT")
    # Whatever the conclusion is, a serious list is told: in its reasons, or beside them.
    told = {*found.reasons, *found.reminders}
    assert {("LIST_BLACK", one.id) for one in facts.listings if one.color == "BLACK"} <= told
    if found.value == "GREEN_CHANNEL":
        assert green
        assert eligible.answer is Answer.YES
        assert not late
    if facts.missing_sources:
        assert found.value not in ("GREEN_CHANNEL", "NORMAL")
    assert found.reasons
