"""Measures that derogate: nothing without an item of the national list and a law of sufficient level."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.rules.listing_rows import LEVELS
from hub.rules.measures import load_measure_rules
from schema.measures import BasisLevel

RULES = load_measure_rules()
TODAY = date(2026, 11, 22)
LAW = "中华人民共和国政府采购法第22条"


@pytest.mark.parametrize(
    ("code", "basis", "level", "problem"),
    [
        ("NC-12", LAW, "LAW", None),
        ("NC-06", "青海省某条例第3条", "LOCAL_REGULATION", None),
        ("NC-01", "青海省某条例第3条", "LOCAL_REGULATION", "BASIS_LEVEL_TOO_LOW"),
        (None, LAW, "LAW", "NATIONAL_CATALOGUE_CODE_MISSING"),
        (" ", LAW, "LAW", "NATIONAL_CATALOGUE_CODE_MISSING"),
        ("NC-99", LAW, "LAW", "NATIONAL_CATALOGUE_CODE_UNKNOWN"),
        ("NC-12", None, "LAW", "LEGAL_BASIS_MISSING"),
        ("NC-12", " ", "LAW", "LEGAL_BASIS_MISSING"),
        ("NC-12", "发改财金〔2017〕1943号", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        ("NC-12", " 海关失信企业联合惩戒合作备忘录 ", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        ("NC-12", "发改外资〔2017〕1894号", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        ("NC-12", "发改财金[2018] 277号", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        ("NC-12", "《海关失信企业联合惩戒合作备忘录》第三条", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        (
            "NC-12",
            "家政服务领域相关失信责任主体联合惩戒合作备忘录（发改财金〔2018〕277号）",
            "LAW",
            "MEMORANDUM_IS_NO_BASIS",
        ),
        ("NC-12", "发改财金〔2015〕2045号；发改财金〔2018〕277号", "LAW", "MEMORANDUM_IS_NO_BASIS"),
        # A law beside it is one.
        ("NC-12", f"{LAW}；发改财金〔2018〕277号", "LAW", None),
        ("NC-12", LAW, "RULE", "BASIS_LEVEL_TOO_LOW"),
        ("NC-12", LAW, None, "BASIS_LEVEL_TOO_LOW"),
    ],
)
def test_r9_1_a_measure_that_derogates_needs_item_basis_and_level(
    code: str | None, basis: str | None, level: str | None, problem: str | None
) -> None:
    """Acceptance 16, its pure part."""
    assert RULES.problem(code, basis, level, TODAY) == problem


def test_r9_1_an_item_counts_on_the_days_of_its_row() -> None:
    assert RULES.problem("NC-12", LAW, "LAW", date(2021, 12, 15)) == "NATIONAL_CATALOGUE_CODE_UNKNOWN"
    assert RULES.problem("NC-12", LAW, "LAW", date(2021, 12, 16)) is None


@given(
    st.sampled_from([None, "", "NC-01", "NC-06", "NC-12", "NC-15"]),
    st.sampled_from([None, "", " ", LAW, "发改财金〔2015〕2045号"]),
    st.sampled_from([None, "", "LAW", "REGULATION", "LOCAL_REGULATION", "RULE", "POLICY"]),
)
def test_r9_1_nothing_derogates_without_item_and_law(
    code: str | None, basis: str | None, level: str | None
) -> None:
    if RULES.problem(code, basis, level, TODAY) is None:
        assert code in ("NC-01", "NC-06", "NC-12")
        assert basis == LAW
        assert level in ("LAW", "REGULATION", "LOCAL_REGULATION")
        assert not (code == "NC-01" and level == "LOCAL_REGULATION")


def test_r9_1_the_national_list_has_3_kinds_and_14_items() -> None:
    kinds = [row.kind for row in RULES.catalogue]
    assert {kind: kinds.count(kind) for kind in kinds} == {"RIGHTS": 5, "BENEFITS": 4, "OTHER": 5}
    # What takes rights away rests on law alone, never on a rule or a local regulation.
    for row in RULES.catalogue:
        assert "RULE" not in row.levels
        assert row.kind != "RIGHTS" or "LOCAL_REGULATION" not in row.levels


def test_r9_1_a_caller_names_the_levels_that_the_rules_know() -> None:
    assert tuple(one.value for one in BasisLevel) == LEVELS


@pytest.mark.parametrize(
    ("old", "new"), [('kind = "RIGHTS"', 'kind = "DUTIES"'), ("levels", "level"), ('"LAW"', '"LORE"')]
)
def test_r9_1_rows_that_are_not_whole_are_refused(old: str, new: str) -> None:
    text = files("hub.rules").joinpath("measures.toml").read_text(encoding="utf-8")
    with pytest.raises(RulesInvalid):
        load_measure_rules(text.replace(old, new, 1))
