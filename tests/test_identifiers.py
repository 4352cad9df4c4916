"""Identifiers: right and wrong codes, single errors, persons' numbers among organizations' codes, masks."""

from __future__ import annotations

import contextlib
import time
from datetime import date

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc

from schema import identifiers, regions
from schema.checks import PROBLEMS
from schema.identifiers import (
    PLACEHOLDER,
    InvalidIdentifier,
    TaxpayerKind,
    business_reg_check,
    current_region,
    examine_uscc,
    fold,
    hmac_sm3,
    is_resident_id,
    is_uscc,
    mask_address,
    mask_name,
    mask_phone,
    mask_resident_id,
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


def test_a_mistyped_resident_id_is_still_a_person_s_number() -> None:
    assert is_resident_id("630103199003070011")
    assert not is_resident_id("630103199013070016")
    assert not is_resident_id("x" * 200)


def test_the_permit_of_a_foreign_resident_is_a_person_s_number_although_it_begins_like_an_enterprise() -> (
    None
):
    first17 = "91184019900307001"
    assert is_resident_id(first17 + resident_check(first17))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("63010319900307001X", "CHECK"),
        ("630103199003070", "LENGTH"),
        ("63010319900307O016", "ALPHABET"),
        ("630103202712310013", "BIRTH_DATE"),
        ("630103199002300011", "BIRTH_DATE"),
    ],
)
def test_a_resident_id_is_refused_for_form_check_and_birthday(written: str, problem: str) -> None:
    if problem == "BIRTH_DATE":
        written = written[:17] + resident_check(written[:17])
    with pytest.raises(InvalidIdentifier) as caught:
        parse_resident_id(written, TODAY)
    assert caught.value.code == problem


def test_the_birthday_is_judged_on_the_given_day() -> None:
    first17 = "63010320261122001"
    number = first17 + resident_check(first17)
    assert parse_resident_id(number, TODAY).born_on == TODAY
    with pytest.raises(InvalidIdentifier):
        parse_resident_id(number, date(2026, 11, 21))


def test_a_person_is_of_age_from_the_eighteenth_birthday_on() -> None:
    person = parse_resident_id("630103199003070016", TODAY)
    assert person.is_minor(date(2008, 3, 6))
    assert not person.is_minor(date(2008, 3, 7))
    assert "1990" not in repr(person)


@given(resident_ids())
def test_an_independent_validator_finds_the_same_birthday(number: str) -> None:
    assert ric.get_birth_date(number) == parse_resident_id(number, TODAY).born_on


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


@pytest.mark.parametrize(
    ("written", "kind", "personal"),
    [
        ("91630103MA75ABCD1M", TaxpayerKind.USCC, False),
        ("630103710400017", TaxpayerKind.REGION_AND_ORGANIZATION_CODE, False),
        ("630103199003070016", TaxpayerKind.RESIDENT_ID, True),
        ("63010319900307001601", TaxpayerKind.RESIDENT_ID, True),
        ("630103900307001", TaxpayerKind.RESIDENT_ID, True),
    ],
)
def test_a_taxpayer_number_says_whether_it_is_a_person_s(
    written: str, kind: TaxpayerKind, personal: bool
) -> None:
    if kind is TaxpayerKind.REGION_AND_ORGANIZATION_CODE:
        written = written[:14] + organization_check(written[6:14])
    parsed = parse_taxpayer_id(written, TODAY)
    assert (parsed.kind, parsed.personal) == (kind, personal)
    assert written not in repr(parsed)


def test_a_taxpayer_number_that_cannot_be_told_apart_counts_as_a_person_s() -> None:
    both = "63010390030700"
    number = both + organization_check(both[6:])
    if not number.isdigit():
        number = "63010390030710" + organization_check("90030710")
    assert parse_taxpayer_id(number, TODAY).personal
    assert parse_taxpayer_id("630103710400010", TODAY).personal


def test_the_placeholder_is_no_taxpayer_number() -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_taxpayer_id(PLACEHOLDER, TODAY)
    assert caught.value.code == "PLACEHOLDER"


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


def test_hmac_sm3_is_that_of_an_independent_implementation_and_folds_first() -> None:
    key = bytes(range(32))
    other = HMAC(key, hashes.SM3())
    other.update(b"63010319900307001X")
    assert hmac_sm3(key, "63010319900307001x") == other.finalize().hex()
    assert hmac_sm3(key, "６３０１０３ 19900307001X") == hmac_sm3(key, "63010319900307001X")
    assert hmac_sm3(key[::-1], "63010319900307001X") != hmac_sm3(key, "63010319900307001X")
    with pytest.raises(ValueError, match="16 bytes"):
        hmac_sm3(b"short", "1")


def test_masks_show_as_little_as_was_agreed() -> None:
    assert mask_name("马得林") == "马**"
    assert mask_name("才让卓玛") == "才***"
    assert mask_name("马") == "*"
    assert mask_resident_id("630103199003070016") == "6****************6"
    assert mask_phone("13897001234") == "*******1234"
    assert mask_phone("1234") == "****"
    assert mask_address("青海省西宁市城东区八一路1号") == "青海省西宁市城东区***"
    assert mask_address("西宁市大通县桥头镇1号") == "西宁市大通县***"
    assert mask_address("海西州格尔木市昆仑路2号") == "海西州格尔木市***"
    # 同仁路 is a street of Xining, not the county of that name.
    assert mask_address("西宁市同仁路3号") == "西宁市***"
    assert mask_address("八一路1号") == "***"


@given(st.text(max_size=30))
def test_no_mask_leaves_a_value_whole(value: str) -> None:
    for mask in (mask_name, mask_resident_id, mask_phone):
        assert len(mask(value)) == len(value)
        assert "*" in mask(value) or not value
    assert mask_address(value) != value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("632124", "630106"),
        ("630122", "630106"),
        ("632100", "630200"),
        ("632121", "630203"),
        ("632721", "632701"),
        ("632321", "632301"),
        ("632859", "632803"),
        ("630103", "630103"),
        ("110101", "110101"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_old_region_code_maps_to_the_current_one(old: str, new: str) -> None:
    assert current_region(old) == new
    assert current_region(current_region(old)) == new


def test_a_filter_by_a_prefecture_finds_the_old_codes_of_its_counties() -> None:
    assert {"630202", "632123", "632121", "630221", "632100"} <= regions.codes_within("630200")
    assert {"630122", "632124", "630106"} == regions.codes_within("632124")
    assert "632124" in regions.codes_within("630100")
    assert "630103" not in regions.codes_within("630200")
    assert regions.codes_within("630000") == frozenset(regions.BY_CODE)


def test_every_region_that_ended_has_a_successor_and_every_successor_exists_later() -> None:
    assert len(regions.BY_CODE) == len(regions.REGIONS)
    for region in regions.REGIONS:
        assert all((region.name_zh, region.name_en, region.source))
        if region.until is not None:
            assert region.successor is not None, region
        if region.successor is not None:
            after = regions.BY_CODE[region.successor]
            assert after.until is None or region.until is None or after.until > region.until, region


def test_the_published_names_are_exported() -> None:
    assert sorted(set(identifiers.__all__)) == sorted(identifiers.__all__)
    for name in identifiers.__all__:
        assert hasattr(identifiers, name)
