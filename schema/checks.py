"""The check characters of the national identifiers, and the form in which identifiers are compared."""

import re
import unicodedata
from dataclasses import dataclass
from operator import mul

# Longer input is refused unread, so that checking costs the same bounded time whatever is sent.
MAX_LENGTH = 64

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: 31 symbols, no I O S V Z
# 3 ** i mod 31. The check character stands for minus the sum: with weight 1, a right code sums to 0 mod 31.
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1)
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714-1997
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_RESIDENT_CHECKS = "10X98765432"

# Blanks and hyphens are typed into numbers; controls and marks without width come with copying. Marks that turn round what
# is read (U+202D, U+202E) are none of these: who typed the number saw another one.
NOISE = "[\\s\\-\u2010-\u2015\u2212\u00ad\u200b-\u200f\u202a-\u202c\u2060\ufeff\x00-\x1f\x7f]"
_NOISE = re.compile(f"{NOISE}+")

_USCC_VALUES = bytes.maketrans(_USCC_ALPHABET.encode(), bytes(range(31)))
_BASE36_VALUES = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(range(36)))


class InvalidIdentifier(ValueError):
    """The value cannot be this identifier. The message does not hold the value, which may be a person's."""

    def __init__(self, code: str, reason: str, proposal: str | None = None) -> None:
        """`code`: UPPER_SNAKE. `reason`: one sentence. `proposal`: a right code that a person may confirm."""
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.proposal = proposal


@dataclass(frozen=True, slots=True)
class IdentifierProblem:
    """What is wrong with an identifier: a hard problem forbids its use as a key, a soft one is a warning."""

    code: str
    hard: bool
    reason: str


PROBLEMS = {
    problem.code: problem
    for problem in (
        IdentifierProblem("TOO_LONG", True, f"longer than {MAX_LENGTH} characters"),
        IdentifierProblem("PLACEHOLDER", True, "the placeholder for a missing code stands for many subjects"),
        IdentifierProblem("LENGTH", True, "the number of characters is not one this identifier can have"),
        IdentifierProblem("ALPHABET", True, "a character is not in this identifier's alphabet"),
        IdentifierProblem("REGION", True, "characters 3 to 8 are not a region code of six digits"),
        IdentifierProblem("CHECK", True, "the check character does not fit the others"),
        IdentifierProblem("RESIDENT_ID", True, "a natural person's number, not an organization's code"),
        IdentifierProblem("BIRTH_DATE", True, "the date of birth does not exist, lies ahead or before 1900"),
        IdentifierProblem("KIND", True, "neither an organization's code nor a person's number"),
        IdentifierProblem("AUTHORITY", False, "the authority or its category is not in GB 32100"),
        IdentifierProblem("UNKNOWN_REGION", False, "the region code is not, and never was, in the table"),
        IdentifierProblem(
            "ORGANIZATION_CHECK", False, "the organization code's check character does not fit"
        ),
        IdentifierProblem("MAY_BE_RESIDENT_ID", False, "could also be a first-generation resident ID"),
        IdentifierProblem("UNCHECKED", False, "this old form has no check character"),
    )
}


def refusal(code: str) -> InvalidIdentifier:
    """The error for a problem of the table."""
    return InvalidIdentifier(code, PROBLEMS[code].reason)


def fold(value: str) -> str:
    """`value` in half width and capitals, without blanks, hyphens, invisible marks. Raises when too long."""
    if len(value) > MAX_LENGTH:
        raise refusal("TOO_LONG")
    if not value.isascii():
        # Twice, because a blank taken out, or a capital, can bring marks together that then compose.
        for _ in range(2):
            value = _NOISE.sub("", unicodedata.normalize("NFKC", value)).upper()
    return _NOISE.sub("", value).upper()


def uscc_check(first17: str) -> str:
    """The check character of a USCC: (31 - sum of value * 3**i mod 31) mod 31 (GB 32100-2015)."""
    total = sum(map(mul, first17.encode().translate(_USCC_VALUES), _USCC_WEIGHTS))
    return _USCC_ALPHABET[-total % 31]


def organization_check(first8: str) -> str:
    """The check character of an organization code: 11 - sum mod 11; X for 10, 0 for 11 (GB 11714-1997)."""
    total = sum(map(mul, first8.encode().translate(_BASE36_VALUES), _ORGANIZATION_WEIGHTS))
    return "0X987654321"[total % 11]


def resident_check(first17: str) -> str:
    """The check character of a resident ID (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return _RESIDENT_CHECKS[sum(map(mul, map(int, first17), _RESIDENT_WEIGHTS)) % 11]


def business_reg_check(first14: str) -> str:
    """The check digit of a business registration number (GS 15-2006, ISO 7064 MOD 11,10)."""
    product = 10
    for digit in first14:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def sums_to_zero(code: str) -> bool:
    """Whether the check character of an 18-character USCC is right; for codes of its alphabet only."""
    total: int = sum(map(mul, code.encode().translate(_USCC_VALUES), _USCC_WEIGHTS))
    return total % 31 == 0


# For each place of a code: character → its value times the place's weight, modulo 31.
_USCC_TERMS = tuple(
    bytes.maketrans(_USCC_ALPHABET.encode(), bytes(value * weight % 31 for value in range(31)))
    for weight in _USCC_WEIGHTS
)
_MODULO_31 = bytes(number % 31 for number in range(256))
# Places whose terms are added at once: eight times 30 still fits a byte.
_TOGETHER = 6


def all_sum_to_zero(codes: str, count: int) -> bool:
    """sums_to_zero of each of `count` codes that stand one behind the other, ten times as fast as one by one.

    A place of all codes is one long number with a byte for each code, and these numbers are added.
    """
    raw = codes.encode()
    total = 0
    for first in range(0, 18, _TOGETHER):
        sums = sum(
            int.from_bytes(raw[place::18].translate(_USCC_TERMS[place]))
            for place in range(first, first + _TOGETHER)
        )
        total += int.from_bytes(sums.to_bytes(count).translate(_MODULO_31))
    return not any(total.to_bytes(count).translate(_MODULO_31))
