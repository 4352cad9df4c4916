"""Many codes are checked at once; what that lets pass, the full reading of each code lets pass unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.identifiers import InvalidIdentifier, are_plain_usccs, is_plain_uscc, parse_uscc, uscc_check

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PLACEHOLDER = "0" * 17 + "X"


@st.composite
def right_codes(draw: st.DrawFn) -> str:
    """A code with the right check character."""
    stem = draw(st.text(ALPHABET, min_size=2, max_size=2))
    region = draw(st.text("0123456789", min_size=6, max_size=6))
    organization = draw(st.text(ALPHABET, min_size=9, max_size=9))
    return stem + region + organization + uscc_check(stem + region + organization)


@st.composite
def nearly_right_codes(draw: st.DrawFn) -> str:
    """A code that may be wrong in one place, too long, too short, or not one code at all."""
    code = draw(right_codes())
    place = draw(st.integers(0, 17))
    return draw(
        st.sampled_from(
            [
                code,
                code[:place] + draw(st.sampled_from(ALPHABET + "ivsz,O é")) + code[place + 1 :],
                code[:place],
                f"{code},{code}",
                code.lower(),
                PLACEHOLDER,
                "630103198001011234",
            ]
        )
    )


def reads_as_itself(value: str) -> bool:
    """Whether the full reading gives the value unchanged."""
    try:
        return parse_uscc(value).code == value
    except InvalidIdentifier:
        return False


@given(st.lists(right_codes(), max_size=40))
def test_right_codes_are_plain_unless_they_are_figures_alone(codes: list[str]) -> None:
    assert are_plain_usccs(codes) == (not any(code[:17].isdigit() for code in codes))


@given(st.lists(nearly_right_codes() | right_codes(), max_size=6))
def test_nothing_is_plain_that_the_full_reading_refuses_or_changes(values: list[str]) -> None:
    if are_plain_usccs(values):
        assert all(reads_as_itself(value) for value in values)
    for value in values:
        assert not is_plain_uscc(value) or reads_as_itself(value)
    assert are_plain_usccs(values) == all(is_plain_uscc(value) for value in values)


@pytest.mark.parametrize("place", range(18))
def test_one_wrong_character_among_many_codes_is_found_wherever_it_stands(place: int) -> None:
    stem = "91630103MA75ABCD1"
    right = stem + uscc_check(stem)
    wrong = right[:place] + ("3" if right[place] != "3" else "4") + right[place + 1 :]
    assert are_plain_usccs([right] * 50)
    for at in (0, 25, 49):
        assert not are_plain_usccs([right] * at + [wrong] + [right] * (49 - at))
