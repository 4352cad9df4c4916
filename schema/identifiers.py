"""Identifiers of credit subjects: how each is normalized, and what is wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from schema.checks import (
    MAX_LENGTH,
    PROBLEMS,
    IdentifierProblem,
    InvalidIdentifier,
    all_sum_to_zero,
    business_reg_check,
    fold,
    organization_check,
    refusal,
    resident_check,
    sums_to_zero,
    uscc_check,
)
from schema.masks import mask_address, mask_name, mask_phone, mask_resident_id
from schema.persons import (
    ResidentId,
    birth_date,
    folded_is_resident_id,
    hmac_sm3,
    is_resident_id,
    parse_resident_id,
)
from schema.regions import current_region, is_known

# The whole vocabulary of identifiers is had from here; the modules above only keep each file short.
__all__ = [
    "PLACEHOLDER",
    "BusinessRegNo",
    "CustomsCode",
    "IdentifierProblem",
    "InvalidIdentifier",
    "ParsedUSCC",
    "ResidentId",
    "TaxpayerId",
    "TaxpayerKind",
    "are_plain_usccs",
    "business_reg_check",
    "current_region",
    "examine_uscc",
    "fold",
    "hmac_sm3",
    "is_plain_uscc",
    "is_resident_id",
    "is_uscc",
    "mask_address",
    "mask_name",
    "mask_phone",
    "mask_resident_id",
    "organization_check",
    "parse_business_reg_no",
    "parse_customs_code",
    "parse_organization_code",
    "parse_resident_id",
    "parse_taxpayer_id",
    "parse_uscc",
    "resident_check",
    "uscc_check",
]

# 双公示 puts this where a subject has no USCC (发改办财金〔2018〕424号). Many share it: it is never a key.
PLACEHOLDER = "0" * 17 + "X"
# As some forms fill it in: with a check character that would be right.
_ZEROS = "0" * 18

_USCC_SHAPE = re.compile("[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}").fullmatch
_USCC_SHAPES = re.compile("(?:[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10},)*").fullmatch
_USCC_SYMBOLS = re.compile("[0-9A-HJ-NPQRTUWXY]{18}").fullmatch
_ORGANIZATION_SHAPE = re.compile("[0-9A-Z]{8}[0-9X]").fullmatch
_CUSTOMS_SHAPE = re.compile("[0-9]{4}[0-9A-Z]{6}").fullmatch
_DIGITS = re.compile("[0-9]+").fullmatch

# GB 32100-2015 with its amendment of 2016: authority → its categories; an absent authority is unknown.
_CATEGORIES = {
    "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "1239", "6": "129",
    "7": "129", "8": "19", "9": "1239", "A": "19", "N": "1239", "Y": "1",
}  # fmt: skip
_AUTHORITY_AND_CATEGORY = frozenset(a + c for a, categories in _CATEGORIES.items() for c in categories)

# Letters that the alphabet does not have, and the figures they are mistaken for.
_CONFUSED = str.maketrans("OIZS", "0125")


@dataclass(frozen=True, slots=True)
class ParsedUSCC:
    """A unified social credit code as normalized, with what is wrong about it."""

    code: str
    problems: tuple[IdentifierProblem, ...] = ()
    # The right code that O, I, Z and S read as figures give: for a person to confirm, never applied.
    proposal: str | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The codes of the soft problems."""
        return tuple(problem.code for problem in self.problems if not problem.hard)

    @property
    def region_code(self) -> str:
        """The registering authority's region on the day of registration; see current_region for today's."""
        return self.code[2:8]

    @property
    def organization_code(self) -> str:
        """The organization code inside: it joins records from before 2015."""
        return self.code[8:17]


def _hard_problem(code: str) -> str | None:
    if _USCC_SHAPE(code) is None:
        if code == PLACEHOLDER:
            return "PLACEHOLDER"
        if len(code) != 18:
            return "LENGTH"
        return "ALPHABET" if _USCC_SYMBOLS(code) is None else "REGION"
    if code in (PLACEHOLDER, _ZEROS):
        return "PLACEHOLDER"
    if folded_is_resident_id(code):
        return "RESIDENT_ID"
    return None if sums_to_zero(code) else "CHECK"


def _soft_problems(code: str) -> tuple[IdentifierProblem, ...]:
    found = []
    if code[:2] not in _AUTHORITY_AND_CATEGORY:
        found.append(PROBLEMS["AUTHORITY"])
    if not is_known(code[2:8]):
        found.append(PROBLEMS["UNKNOWN_REGION"])
    if organization_check(code[8:16]) != code[16]:
        # Soft: codes given before the standard are known to break it.
        found.append(PROBLEMS["ORGANIZATION_CHECK"])
    return tuple(found)


def _proposal(code: str) -> str | None:
    repaired = code.translate(_CONFUSED)
    return repaired if repaired != code and _hard_problem(repaired) is None else None


def examine_uscc(value: str) -> ParsedUSCC:
    """What is wrong with `value` as a USCC, and a proposal when the one repair is right. Never raises."""
    try:
        code = fold(value)
    except InvalidIdentifier as error:
        return ParsedUSCC("", (PROBLEMS[error.code],))
    hard = _hard_problem(code)
    if hard is None:
        return ParsedUSCC(code, _soft_problems(code))
    return ParsedUSCC(code, (PROBLEMS[hard],), _proposal(code))


def parse_uscc(value: str) -> ParsedUSCC:
    """The USCC that `value` writes, with warnings. Raises InvalidIdentifier with the hard problem's code."""
    code = fold(value)
    hard = _hard_problem(code)
    if hard is not None:
        raise InvalidIdentifier(hard, PROBLEMS[hard].reason, _proposal(code))
    return ParsedUSCC(code, _soft_problems(code))


def is_plain_uscc(value: str) -> bool:
    """Whether `value` is certainly a USCC as it stands; where it is not, parse_uscc has the last word."""
    # Codes of figures alone may be numbers of persons, or the placeholder.
    return _USCC_SHAPE(value) is not None and not value[:17].isdigit() and sums_to_zero(value)


def are_plain_usccs(values: Sequence[str]) -> bool:
    """Whether all of `values` are certainly USCCs as they stand; False also where parse_uscc must look."""
    written = ",".join([*values, ""])
    # With as many characters as codes of 18 have, the commas can only be those put here.
    return (
        len(written) == 19 * len(values)
        and _USCC_SHAPES(written) is not None
        and not any(value[:17].isdigit() for value in values)
        and all_sum_to_zero(written.replace(",", ""), len(values))
    )


def is_uscc(value: str) -> bool:
    """Whether `value`, once folded, can serve as a key. Never raises."""
    return len(value) <= MAX_LENGTH and _hard_problem(fold(value)) is None


def parse_organization_code(value: str) -> str:
    """The nine characters of an organization code, check character included (GB 11714-1997)."""
    code = fold(value)
    if len(code) != 9:
        raise refusal("LENGTH")
    if _ORGANIZATION_SHAPE(code) is None:
        raise refusal("ALPHABET")
    if organization_check(code[:8]) != code[8]:
        raise refusal("CHECK")
    return code


@dataclass(frozen=True, slots=True)
class BusinessRegNo:
    """A business registration number, of 15 digits or, before 2007, of 13."""

    code: str
    warnings: tuple[str, ...] = ()


def parse_business_reg_no(value: str) -> BusinessRegNo:
    """The number of a subject without USCC (GS 15-2006; before 2007-07-01 of 13 digits, unchecked)."""
    code = fold(value)
    if len(code) not in (13, 15):
        raise refusal("LENGTH")
    if _DIGITS(code) is None:
        raise refusal("ALPHABET")
    warnings = []
    if len(code) == 13:
        warnings.append("UNCHECKED")
    elif business_reg_check(code[:14]) != code[14]:
        raise refusal("CHECK")
    elif birth_date("19" + code[6:12]) is not None:
        warnings.append("MAY_BE_RESIDENT_ID")
    if not is_known(code[:6]):
        warnings.append("UNKNOWN_REGION")
    return BusinessRegNo(code, tuple(warnings))


@dataclass(frozen=True, slots=True)
class CustomsCode:
    """A customs registration code: region, economic zone and enterprise type are in it; nothing checks it."""

    code: str

    @property
    def region_prefix(self) -> str:
        """The first four digits, of the prefecture (GB/T 2260): 6301 is 西宁."""
        return self.code[:4]

    @property
    def zone(self) -> str:
        """The economic zone: 1 special, 2 development, 3 hi-tech, 4 bonded … 9 none of them."""
        return self.code[4]

    @property
    def enterprise_type(self) -> str:
        """The kind of firm: 1 state, 2 cooperative, 3 joint, 4 foreign, 5 collective, 6 private …"""
        return self.code[5]


def parse_customs_code(value: str) -> CustomsCode:
    """A customs code of ten characters; from the fifth on they may be letters."""
    code = fold(value)
    if len(code) != 10:
        raise refusal("LENGTH")
    if _CUSTOMS_SHAPE(code) is None:
        raise refusal("ALPHABET")
    return CustomsCode(code)


class TaxpayerKind(StrEnum):
    """What a taxpayer identification number is made of."""

    USCC = "USCC"
    REGION_AND_ORGANIZATION_CODE = "REGION_AND_ORGANIZATION_CODE"  # 15 characters, before 2015
    RESIDENT_ID = "RESIDENT_ID"  # individual businesses; two digits follow where one person has several
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class TaxpayerId:
    """A taxpayer identification number; a personal one leaves its connector only as a digest."""

    number: str = field(repr=False)
    kind: TaxpayerKind
    personal: bool


def parse_taxpayer_id(value: str, today: date) -> TaxpayerId:
    """The taxpayer number, and whether it is a person's. What cannot be told apart counts as a person's."""
    number = fold(value)
    if len(number) == 18:
        if folded_is_resident_id(number):
            parse_resident_id(number, today)
            return TaxpayerId(number, TaxpayerKind.RESIDENT_ID, True)
        if _hard_problem(number) is None:
            return TaxpayerId(number, TaxpayerKind.USCC, False)
        raise refusal("PLACEHOLDER" if number == PLACEHOLDER else "KIND")
    if len(number) == 20:
        parse_resident_id(number[:18], today)
        if _DIGITS(number[18:]) is None:
            raise refusal("ALPHABET")
        return TaxpayerId(number, TaxpayerKind.RESIDENT_ID, True)
    if len(number) != 15:
        raise refusal("LENGTH")
    if _DIGITS(number[:6]) is None or _ORGANIZATION_SHAPE(number[6:]) is None:
        raise refusal("ALPHABET")
    # A first-generation resident ID has 15 digits too, the date of birth without century from the seventh.
    dated = _DIGITS(number) is not None and birth_date("19" + number[6:12]) is not None
    checked = organization_check(number[6:14]) == number[14]
    if checked and not dated:
        return TaxpayerId(number, TaxpayerKind.REGION_AND_ORGANIZATION_CODE, False)
    kind = TaxpayerKind.RESIDENT_ID if dated and not checked else TaxpayerKind.UNKNOWN
    return TaxpayerId(number, kind, True)
