"""Measures: nothing without an item of the national list and a checked legal basis is ever effective."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.rules.calendar import seeded
from hub.rules.measures import (
    Application,
    Measure,
    applies,
    ended,
    feedback_due,
    load_measure_rules,
)

RULES = load_measure_rules()
TODAY = date(2026, 11, 22)


def _row(code: str) -> Measure:
    found = RULES.measure(code, TODAY)
    assert found is not None
    return found


# As the row becomes once a person has checked its basis.
BAN = replace(_row("PROCUREMENT_BAN"), status="CURRENT", checked_on=date(2026, 10, 1))
APPLIED = Application(
    BAN, "青海省商务厅", "青海省财政厅", date(2026, 11, 1), date(2027, 10, 31), "青商决〔2026〕1号", "BLACK"
)


def test_r9_1_a_measure_with_item_basis_level_and_check_is_effective() -> None:
    assert RULES.problems(BAN, TODAY) == ()
    assert RULES.application_problems(APPLIED) == ()


@pytest.mark.parametrize(
    ("measure", "problem"),
    [
        (replace(BAN, catalogue=""), "NO_CATALOGUE_CODE"),
        (replace(BAN, catalogue="NC-99"), "UNKNOWN_CATALOGUE_CODE"),
        (replace(BAN, legal_basis=" "), "NO_LEGAL_BASIS"),
        (replace(BAN, basis_level="RULE"), "BASIS_LEVEL_TOO_LOW"),
        (replace(BAN, legal_basis="发改财金〔2017〕1943号"), "MEMORANDUM_ONLY"),
        (replace(BAN, status="NEEDS_BASIS_CHECK"), "NEEDS_BASIS_CHECK"),
        (replace(BAN, checked_on=None), "NEEDS_BASIS_CHECK"),
        (replace(BAN, checked_on=date(2026, 11, 23)), "NEEDS_BASIS_CHECK"),
        (replace(BAN, status="REPEALED"), "REPEALED"),
        (replace(BAN, term=replace(BAN.term, valid_to=date(2026, 11, 21))), "NOT_IN_FORCE"),
    ],
)
def test_r9_1_a_measure_that_lacks_one_of_them_is_not_effective(measure: Measure, problem: str) -> None:
    """Acceptance 16, its pure part."""
    assert RULES.problems(measure, TODAY) == (problem,)
    assert not RULES.effective(measure, TODAY)
    assert problem in RULES.application_problems(replace(APPLIED, measure=measure, begins=TODAY))


@given(
    st.sampled_from(["", "NC-01", "NC-06", "NC-12", "NC-15"]),
    st.sampled_from(["", " ", "政府采购法第22条", "发改财金〔2015〕2045号"]),
    st.sampled_from(["", "LAW", "REGULATION", "LOCAL_REGULATION", "RULE", "POLICY"]),
    st.sampled_from(["CURRENT", "NEEDS_BASIS_CHECK", "REPEALED"]),
    st.sampled_from(["BLOCK", "RESTRICT", "SUPERVISE"]),
)
def test_r9_1_no_punitive_measure_without_item_and_basis_is_ever_effective(
    catalogue: str, basis: str, level: str, status: str, effect: str
) -> None:
    measure = replace(
        BAN, catalogue=catalogue, legal_basis=basis, basis_level=level, status=status, effect=effect
    )
    if RULES.effective(measure, TODAY):
        assert catalogue in ("NC-01", "NC-06", "NC-12")
        assert basis == "政府采购法第22条"
        assert level in ("LAW", "REGULATION", "LOCAL_REGULATION")
        assert not (catalogue == "NC-01" and level == "LOCAL_REGULATION")
        assert status == "CURRENT"


def test_r9_1_the_national_list_has_3_kinds_and_14_items() -> None:
    kinds = [row.kind for row in RULES.catalogue]
    assert {kind: kinds.count(kind) for kind in kinds} == {"RIGHTS": 5, "BENEFITS": 4, "OTHER": 5}
    # What takes rights away rests on law alone, never on a rule or a local regulation.
    for row in RULES.catalogue:
        assert "RULE" not in row.levels
        assert row.kind != "RIGHTS" or "LOCAL_REGULATION" not in row.levels


def test_r9_1_no_measure_comes_effective_with_the_hub_before_a_person_has_checked_it() -> None:
    assert len(RULES.measures) == 13
    assert not any(RULES.effective(row, TODAY) for row in RULES.measures)
    assert all(row.status == "NEEDS_BASIS_CHECK" for row in RULES.memoranda)
    # Market entry only where a law of its own says so: the general row can never be made effective by a check.
    entry = replace(_row("MARKET_ENTRY"), status="CURRENT", checked_on=TODAY)
    assert RULES.problems(entry, TODAY) == ("NO_LEGAL_BASIS", "BASIS_LEVEL_TOO_LOW")


def test_r9_1_an_incentive_needs_no_item_of_the_list_of_punishments_but_a_basis() -> None:
    favour = replace(_row("GREEN_CHANNEL"), status="CURRENT", checked_on=TODAY)
    assert RULES.problems(favour, TODAY) == ()
    assert RULES.problems(replace(favour, legal_basis=""), TODAY) == ("NO_LEGAL_BASIS",)


@pytest.mark.parametrize(
    ("applied", "problem"),
    [
        (replace(APPLIED, initiator=" "), "NO_INITIATOR"),
        (replace(APPLIED, implementer=""), "NO_IMPLEMENTER"),
        (replace(APPLIED, basis=""), "NO_BASIS"),
        (replace(APPLIED, ends=None), "NO_END"),
        (replace(APPLIED, ends=date(2026, 10, 31)), "ENDS_BEFORE_IT_BEGINS"),
        (replace(APPLIED, color="WATCH"), "LIST_DOES_NOT_CARRY_IT"),
        (replace(APPLIED, color="RED"), "LIST_DOES_NOT_CARRY_IT"),
    ],
)
def test_r9_1_an_application_names_who_from_when_to_when_and_why(applied: Application, problem: str) -> None:
    assert RULES.application_problems(applied) == (problem,)


def test_r9_1_from_a_watch_list_follows_supervision_only() -> None:
    supervised = replace(_row("KEY_SUPERVISION"), basis_level="LAW", status="CURRENT", checked_on=TODAY)
    on_watch = replace(APPLIED, measure=supervised, color="WATCH", begins=TODAY)
    assert RULES.application_problems(on_watch) == ()
    punished = replace(supervised, effect="RESTRICT")
    assert RULES.application_problems(replace(on_watch, measure=punished)) == ("LIST_DOES_NOT_CARRY_IT",)


def test_r9_1_a_measure_ends_by_itself_at_its_end_at_exit_or_at_repair() -> None:
    assert ended(APPLIED, None, None) is not None
    for exited, repaired, over, cause in (
        (None, None, date(2027, 11, 1), "EXPIRED"),
        (date(2027, 3, 1), None, date(2027, 3, 1), "EXITED"),
        (date(2027, 3, 1), date(2027, 3, 1), date(2027, 3, 1), "REPAIRED"),
        (date(2027, 3, 1), date(2027, 2, 1), date(2027, 2, 1), "REPAIRED"),
        (date(2028, 3, 1), None, date(2027, 11, 1), "EXPIRED"),
    ):
        found = ended(APPLIED, exited, repaired)
        assert found is not None
        assert (found.over_from, found.cause) == (over, cause)
        assert applies(APPLIED, exited, repaired, over - timedelta(days=1))
        assert not applies(APPLIED, exited, repaired, over)
    assert not applies(APPLIED, None, None, date(2026, 10, 31))
    assert not applies(replace(APPLIED, ends=None), None, None, TODAY)


days = st.none() | st.dates(date(2026, 11, 1), date(2028, 1, 1))


@given(days, days, st.dates(date(2026, 10, 1), date(2028, 1, 1)))
def test_r9_1_after_exit_or_repair_nothing_is_applied(
    exited: date | None, repaired: date | None, day: date
) -> None:
    if applies(APPLIED, exited, repaired, day):
        assert date(2026, 11, 1) <= day <= date(2027, 10, 31)
        assert exited is None or day < exited
        assert repaired is None or day < repaired


def test_r9_1_who_applied_a_measure_answers_in_30_days() -> None:
    assert feedback_due(date(2026, 11, 1), seeded()).on == date(2026, 12, 1)


def test_r9_1_rows_that_are_not_whole_are_refused() -> None:
    text = files("hub.rules").joinpath("measures.toml").read_text(encoding="utf-8")
    for old, new in (
        ('catalogue = "NC-06"', 'catalogue = "NC-66"'),
        ('effect = "BLOCK"', 'effect = "BAN"'),
        ("basis_level", "basis_lvl"),
    ):
        with pytest.raises(RulesInvalid):
            load_measure_rules(text.replace(old, new, 1))
