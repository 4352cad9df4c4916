"""Finds what must not stand in a record's texts: numbers of persons, of phones and of bank cards."""

from __future__ import annotations

import re
import unicodedata

from schema.persons import is_resident_id

# 18 characters that may be a resident ID, with the blanks or hyphens people group them by.
_RESIDENT = re.compile(
    r"(?<![0-9A-Za-z])([0-9]{6}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[0-9Xx])(?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<![0-9A-Za-z])(62[0-9]{14,17})(?![0-9A-Za-z])")
_WIDE = re.compile("[０-９]{6}")

# The same in bytes, whatever the encoding: ASCII, or full width in UTF-8 and in GB18030.
_DIGIT = rb"(?:[0-9]|\xef\xbc[\x90-\x99]|\xa3[\xb0-\xb9])"
_LAST = rb"(?:[0-9Xx]|\xef\xbc[\x90-\x99\xb8]|\xef\xbd\x98|\xa3[\xb0-\xb9\xd8\xf8])"
_MIDDLE = rb"[ -]?(?:" + _DIGIT + rb"[ -]?){16}"
_RAW = re.compile(
    rb"(?<![0-9A-Za-z])(?P<first>" + _DIGIT + rb")" + _MIDDLE + rb"(?P<last>" + _LAST + rb")(?![0-9A-Za-z])"
)


def person_number_in(text: str) -> bool:
    """Whether `text` holds what must be taken for a resident ID number (GB 11643), in any width."""
    if _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    return any(is_resident_id(found) for found in _RESIDENT.findall(text))


def contact_in(text: str) -> bool:
    """Whether `text` holds a mobile or bank card number: cleared by a person before it is shown (R7.3)."""
    if _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    return _MOBILE.search(text) is not None or any(_luhn(card) for card in _CARD.findall(text))


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def redact(raw: bytes) -> bytes:
    """`raw` with every run of 18 digits that may be a person's masked but for the first and the last.

    The quarantine keeps rows as they came, but no person's number in clear: a replay gives it again.
    """
    return _RAW.sub(_masked, raw)


def _masked(found: re.Match[bytes]) -> bytes:
    digits = re.sub(rb"[ -]", b"", found[0])
    # Organizations' codes of digits alone have no year of birth at the seventh place.
    if len(digits) == 18 and digits[6:8] not in (b"19", b"20"):
        return found[0]
    return found["first"] + b"*" * 16 + found["last"]
