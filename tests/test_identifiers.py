"""Identifiers: right and wrong codes, single errors, persons' numbers among organizations' codes, masks."""

from __future__ import annotations

import contextlib
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc

from schema import identifiers, regions
from schema.checks import PROBLEMS
from schema.identifiers import (
    PLACEHOLDER,
    InvalidIdentifier,
    business_reg_check,
    examine_uscc,
    fold,
    is_resident_id,
    is_uscc,
    organization_check,
    parse_business_reg_no,
    parse_customs_code,
    parse_organization_code,
    parse_resident_id,
    parse_taxpayer_id,
    parse_uscc,
    resident_check,
    uscc_check,
)

pytestmark = pytest.mark.alone

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TODAY = date(2026, 11, 22)

# The first three are published samples; the others are invented.
VALID = (
    "91350100M000100Y43",
    "91110000600037341L",
    "91230500MA1B3N1N2M",
    "91630103MA75ABCD1M",
    "91630100MA7XK2P38N",
    "91632801MA7D3E5F01",
    "91630000710400017T",
    "92630104MA758WQ780",
    "93632801MA752R8K3C",
    "51630000500001237G",
    "52630102MJY8000174",
    "11630000000015122A",
    "N1630202MF0A1B2C08",
)

USCCS = (
    st.tuples(
        st.sampled_from("19N"),
        st.just("1"),
        st.sampled_from(sorted(regions.BY_CODE)),
        st.text(ALPHABET, min_size=9, max_size=9),
    )
    .map("".join)
    .map(lambda first17: first17 + uscc_check(first17))
)

BIRTHDAYS = st.dates(date(1900, 1, 1), TODAY)


def resident_ids() -> st.SearchStrategy[str]:
    """Valid numbers of invented people of Qinghai."""
    region = st.sampled_from(sorted(regions.BY_CODE))
    serial = st.integers(0, 999)
    return st.builds(lambda r, b, n: f"{r}{b:%Y%m%d}{n:03d}", region, BIRTHDAYS, serial).map(
        lambda first17: first17 + resident_check(first17)
    )


@pytest.mark.parametrize("code", VALID)
def test_a_right_code_has_no_problem(code: str) -> None:
    parsed = parse_uscc(code)
    assert parsed.code == code
    assert parsed.problems == ()
    assert parsed.organization_code == parse_organization_code(code[8:17])
    assert is_uscc(code)


@pytest.mark.parametrize(
    "written", ["９１６３０１０３ＭＡ７５ＡＢＣＤ１Ｍ", "9163 0103-MA75ABCD1M", " 91630103ma75abcd1m\u200b\n"]
)
def test_full_width_blanks_hyphens_and_small_letters_are_folded(written: str) -> None:
    assert parse_uscc(written).code == "91630103MA75ABCD1M"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("91630103MA75ABCD1N", "CHECK"),
        ("91630103MA75ABCDIM", "ALPHABET"),
        ("91630103MA75ABCD1", "LENGTH"),
        ("", "LENGTH"),
        ("9163O103MA75ABCD1M", "ALPHABET"),
        ("9163A103MA75ABCD1M", "REGION"),
        (PLACEHOLDER, "PLACEHOLDER"),
        ("９１６３０１０３ＭＡ７５ＡＢＣＤ１Ｍ" * 4, "TOO_LONG"),
        ("630103199003070016", "RESIDENT_ID"),
    ],
)
def test_a_hard_problem_refuses_the_code_and_is_named(written: str, problem: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_uscc(written)
    assert caught.value.code == problem
    assert [p.code for p in examine_uscc(written).problems if p.hard] == [problem]
    assert not is_uscc(written)


def test_no_error_repeats_the_value_it_refuses() -> None:
    for refuse in (parse_uscc, parse_organization_code, parse_business_reg_no, parse_customs_code):
        with pytest.raises(InvalidIdentifier) as caught:
            refuse("630103199003070016")
        assert (
            "19900307"
            not in f"{caught.value!r}{caught.value.code}{caught.value.reason}{caught.value.proposal}"
        )


@pytest.mark.parametrize(
    ("code", "warning"),
    [
        ("Z1630103MA75ABCD1", "ALPHABET"),
        ("F1630103MA75ABCD1", "AUTHORITY"),
        ("98630103MA75ABCD1", "AUTHORITY"),
        ("91639903MA75ABCD1", "UNKNOWN_REGION"),
        ("91990103MA75ABCD1", "UNKNOWN_REGION"),
        ("91630103MA75ABCD2", "ORGANIZATION_CHECK"),
    ],
)
def test_a_soft_problem_is_a_warning(code: str, warning: str) -> None:
    if "Z" in code:
        assert examine_uscc(code + "0").problems[0].code == warning
        return
    assert parse_uscc(code + uscc_check(code)).warnings == (warning,)


def test_a_repair_is_proposed_only_when_it_makes_the_check_character_right() -> None:
    assert examine_uscc("91630103MA75ABCDIM").proposal == "91630103MA75ABCD1M"
    assert examine_uscc("9l630l03MA75ABCD1M").proposal is None
    assert examine_uscc("9I63OI03MA7SABCD1M").proposal == "91630103MA75ABCD1M"
    assert examine_uscc("91630103MA75ABCDIN").proposal is None
    assert examine_uscc("91630103MA75ABCD1N").proposal is None
    # A proposal is never applied: the code itself stays as written.
    assert examine_uscc("91630103MA75ABCDIM").code == "91630103MA75ABCDIM"
    with pytest.raises(InvalidIdentifier) as caught:
        parse_uscc("91630103MA75ABCDIM")
    assert caught.value.proposal == "91630103MA75ABCD1M"


def test_a_repair_that_gives_a_person_s_number_is_not_proposed() -> None:
    assert examine_uscc("63O103199003070016").proposal is None


@given(USCCS)
def test_every_single_substitution_and_adjacent_transposition_is_found(code: str) -> None:
    for at, right in enumerate(code):
        for wrong in ALPHABET.replace(right, ""):
            assert not is_uscc(code[:at] + wrong + code[at + 1 :])
    for at in range(17):
        if code[at] != code[at + 1]:
            assert not is_uscc(code[:at] + code[at + 1] + code[at] + code[at + 2 :])


@given(USCCS, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_an_independent_validator_agrees_on_codes_that_begin_with_eight_digits(
    code: str, at: int, put: str
) -> None:
    changed = code[:at] + put + code[at + 1 :]
    if changed[:8].isdigit() and not is_resident_id(changed):
        assert is_uscc(changed) == stdnum_uscc.is_valid(changed)


def test_authorities_written_with_letters_are_accepted_where_the_independent_validator_refuses_them() -> None:
    assert is_uscc("N1630202MF0A1B2C08")
    assert not stdnum_uscc.is_valid("N1630202MF0A1B2C08")


@given(resident_ids())
def test_a_resident_id_is_never_taken_for_a_uscc(number: str) -> None:
    assert is_resident_id(number)
    assert not is_uscc(number)
    assert parse_resident_id(number, TODAY).number == number


def test_resident_ids_that_pass_the_check_of_a_uscc_exist_and_are_refused() -> None:
    passing = 0
    for serial in range(1000):
        first17 = f"63010319900307{serial:03d}"
        number = first17 + resident_check(first17)
        if number[17] in ALPHABET and uscc_check(number[:17]) == number[17]:
            passing += 1
            assert examine_uscc(number).problems[0].code == "RESIDENT_ID"
    assert passing > 10


def test_organization_codes_have_their_check_character() -> None:
    assert parse_organization_code("MA75ABCD-1") == "MA75ABCD1"
    assert parse_organization_code("M000100Y-4") == "M000100Y4"
    with pytest.raises(InvalidIdentifier):
        parse_organization_code("MA75ABCD-2")


@given(
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8),
    st.integers(0, 7),
    st.integers(1, 10),
)
def test_every_single_substitution_in_an_organization_code_is_found_but_for_multiples_of_eleven(
    first8: str, at: int, step: int
) -> None:
    symbols = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    changed = first8[:at] + symbols[(symbols.index(first8[at]) + step) % 36] + first8[at + 1 :]
    distance = (symbols.index(changed[at]) - symbols.index(first8[at])) % 11
    assert (organization_check(first8) == organization_check(changed)) == (distance == 0)


def test_business_registration_numbers_have_15_checked_digits_or_13_old_ones() -> None:
    # ISO 7064 gives 0794 with check digit 5 as its example of MOD 11,10.
    assert business_reg_check("0794") == "5"
    number = "63010010000001" + business_reg_check("63010010000001")
    assert parse_business_reg_no(number).code == number
    assert parse_business_reg_no(number).warnings == ()
    assert parse_business_reg_no("6301001000001").warnings == ("UNCHECKED",)
    with pytest.raises(InvalidIdentifier) as caught:
        parse_business_reg_no(number[:14] + str((int(number[14]) + 1) % 10))
    assert caught.value.code == "CHECK"


def test_a_registration_number_that_may_be_an_old_resident_id_says_so() -> None:
    first14 = "63010390030700"
    assert parse_business_reg_no(first14 + business_reg_check(first14)).warnings == ("MAY_BE_RESIDENT_ID",)


def test_customs_codes_are_split() -> None:
    code = parse_customs_code("6301 9 6 1A2B")
    assert (code.region_prefix, code.zone, code.enterprise_type) == ("6301", "9", "6")
    with pytest.raises(InvalidIdentifier):
        parse_customs_code("6A01961234")


PARSERS = (
    parse_uscc,
    parse_organization_code,
    parse_business_reg_no,
    parse_customs_code,
    lambda value: parse_resident_id(value, TODAY),
    lambda value: parse_taxpayer_id(value, TODAY),
)
ANY_TEXT = st.text(max_size=80) | st.text("0123456789XOISZ９-\u200b\ud800", max_size=70)


@given(ANY_TEXT)
def test_any_text_is_parsed_or_refused_with_a_known_problem(text: str) -> None:
    for parse in PARSERS:
        with contextlib.suppress(InvalidIdentifier):
            parse(text)
    assert {problem.code for problem in examine_uscc(text).problems} <= set(PROBLEMS)
    assert isinstance(is_uscc(text), bool)
    assert isinstance(is_resident_id(text), bool)


@given(st.text(max_size=3) | st.text("e\u0301\u200b\u00ad -ŉǰßﬁｋ\u0345\ud800", max_size=12))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_megabyte_of_text_is_refused_without_being_read() -> None:
    started = time.perf_counter()
    for _ in range(100):
        assert not is_uscc("９" * 1_000_000)
    assert time.perf_counter() - started < 1


def test_the_published_names_are_exported() -> None:
    assert sorted(set(identifiers.__all__)) == sorted(identifiers.__all__)
    for name in identifiers.__all__:
        assert hasattr(identifiers, name)
