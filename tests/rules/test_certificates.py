"""Certificates of associations: 15 digits that must agree with the grade and year they are shown for."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.certificates import GRADE_DIGITS, certificate_problem, parse_certificate
from hub.rules.certificates import load_certificate_rules

RULES = load_certificate_rules()


@pytest.mark.parametrize(
    ("number", "grade", "problem"),
    [
        ("202510111100042", "AAA", None),
        ("202510101100042", "AA", None),
        ("202510101100042", "AA+", None),
        ("202510101100042", "AA-", None),
        ("202510100100042", "A", None),
        ("202510122200042", "BBB", None),
        ("202510102200042", "BB", None),
        ("202510100200042", "B", None),
        ("202510133300042", "CCC", None),
        ("202510103300042", "CC", None),
        ("202510100300042", "C", None),
        ("202510101100042", "AAA", "OTHER_GRADE"),
        ("202410101100042", "AA", "OTHER_YEAR"),
        ("202510100000042", "AA", "NOT_A_NUMBER"),
        ("20251010110004", "AA", "NOT_A_NUMBER"),
        ("2025101011000421", "AA", "NOT_A_NUMBER"),
        ("２０２５１０１０１１０００４２", "AA", "NOT_A_NUMBER"),
        ("", "AA", "NOT_A_NUMBER"),
        ("202510101100042", "D", "UNKNOWN_GRADE"),
        ("202510101100042", "AA++", "UNKNOWN_GRADE"),
        ("202510101100042", "", "UNKNOWN_GRADE"),
    ],
)
def test_r14_1_the_grade_of_a_certificate_stands_in_its_number(
    number: str, grade: str, problem: str | None
) -> None:
    assert certificate_problem(number, grade, 2025) == problem


@given(
    st.integers(2015, 2099),
    st.integers(0, 999),
    st.sampled_from(sorted(GRADE_DIGITS)),
    st.integers(0, 99999),
    st.sampled_from(sorted(GRADE_DIGITS)),
    st.integers(2015, 2099),
)
def test_r14_1_a_number_vouches_for_its_own_grade_and_year_only(
    year: int, association: int, grade: str, serial: int, other: str, another: int
) -> None:
    number = f"{year}{association:03}{GRADE_DIGITS[grade]}{serial:05}"
    said = parse_certificate(number)
    assert said is not None
    assert (said.year, said.association, said.grade, said.serial) == (
        year,
        f"{association:03}",
        grade,
        f"{serial:05}",
    )
    assert (certificate_problem(number, other, another) is None) == (other == grade and another == year)


def test_r14_1_an_evaluation_holds_three_years() -> None:
    scheme = RULES.scheme(date(2025, 3, 14))
    assert scheme is not None
    assert (scheme.id, scheme.last_day(date(2025, 3, 14))) == ("ASSOCIATION-2015", date(2028, 3, 13))
    assert scheme.last_day(date(2024, 2, 29)) == date(2027, 2, 27)
    assert RULES.scheme(date(2014, 12, 31)) is None
