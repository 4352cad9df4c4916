"""Numbers of natural persons: whether something is one, and the only form in which one is kept."""

import hmac
import re
from dataclasses import dataclass, field
from datetime import date

from schema.checks import (
    InvalidIdentifier,
    fold,
    organization_check,
    refusal,
    resident_check,
    sums_to_zero,
)

_RESIDENT_SHAPE = re.compile("[0-9]{17}[0-9X]").fullmatch


def birth_date(digits: str) -> date | None:
    """The day that eight digits write, or None."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def is_minor(born: date, today: date) -> bool:
    """Whether somebody born on `born` is under 18 on `today` (民法典 art. 17, 未成年人保护法 art. 2)."""
    return 0 <= today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < 18


def folded_is_resident_id(folded: str) -> bool:
    """As is_resident_id, of a value that was folded already."""
    # The years first: hardly any organization's code has 19 or 20 there, and every imported row comes here.
    if folded[6:8] not in ("19", "20") or _RESIDENT_SHAPE(folded) is None or birth_date(folded[6:14]) is None:
        return False
    if folded[0] != "9":
        # A mistyped number is a person's too, so the check character is not asked.
        return True
    # Since 2023 the permits of foreign residents begin with 9, like enterprises' codes. Both checks of a code
    # hold for one such permit in 341; there they decide.
    is_enterprise = sums_to_zero(folded) and organization_check(folded[8:16]) == folded[16]
    return resident_check(folded[:17]) == folded[17] and not is_enterprise


def is_resident_id(value: str) -> bool:
    """Whether `value` must be treated as a resident ID, whatever field it came in. Never raises.

    Asked before any other question: 2.9 % of numeric resident IDs pass the check of a USCC, and only
    the date in the middle tells them apart.
    """
    try:
        return folded_is_resident_id(fold(value))
    except InvalidIdentifier:
        return False


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A resident ID. It tells birthplace, birthday and sex, so its repr shows nothing of it."""

    number: str = field(repr=False)
    born_on: date = field(repr=False)

    def is_minor(self, today: date) -> bool:
        """Whether the person is a minor on `today`."""
        return is_minor(self.born_on, today)


def parse_resident_id(value: str, today: date) -> ResidentId:
    """The resident ID of somebody born between 1900 and `today` (GB 11643-1999).

    The birthplace is not checked: people keep the code of a region that no longer exists.
    """
    number = fold(value)
    if len(number) != 18:
        raise refusal("LENGTH")
    if _RESIDENT_SHAPE(number) is None:
        raise refusal("ALPHABET")
    if resident_check(number[:17]) != number[17]:
        raise refusal("CHECK")
    born_on = birth_date(number[6:14])
    if born_on is None or born_on.year < 1900 or born_on > today:
        raise refusal("BIRTH_DATE")
    return ResidentId(number, born_on)


def hmac_sm3(key: bytes, value: str) -> str:
    """HMAC-SM3 (GB/T 32905-2016) of the folded `value`, hexadecimal: the form a person's number is stored in.

    Without the key the eleven free digits of a resident ID would be found by trying them all.
    """
    if len(key) < 16:
        raise ValueError("the key of HMAC-SM3 has fewer than 16 bytes")
    return hmac.new(key, fold(value).encode("utf-8", "surrogatepass"), "sm3").hexdigest()
