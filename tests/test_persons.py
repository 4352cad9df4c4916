"""Numbers of natural persons: what counts as one, how it is kept, and what is shown of a person."""

from __future__ import annotations

from datetime import date

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from schema import regions
from schema.identifiers import (
    PLACEHOLDER,
    InvalidIdentifier,
    TaxpayerKind,
    hmac_sm3,
    is_resident_id,
    mask_address,
    mask_name,
    mask_phone,
    mask_resident_id,
    organization_check,
    parse_resident_id,
    parse_taxpayer_id,
    resident_check,
)

TODAY = date(2026, 11, 22)
BIRTHDAYS = st.dates(date(1900, 1, 1), TODAY)


def resident_ids() -> st.SearchStrategy[str]:
    """Valid numbers of invented people of Qinghai."""
    region = st.sampled_from(sorted(regions.BY_CODE))
    serial = st.integers(0, 999)
    return st.builds(lambda r, b, n: f"{r}{b:%Y%m%d}{n:03d}", region, BIRTHDAYS, serial).map(
        lambda first17: first17 + resident_check(first17)
    )


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
