"""Masks the numbers of persons in rows as they came, before the quarantine keeps them."""

from __future__ import annotations

import re

# Digits in bytes, whatever the encoding: ASCII, or full width in UTF-8 and in GB18030.
_DIGIT = rb"(?:[0-9]|\xef\xbc[\x90-\x99]|\xa3[\xb0-\xb9])"
_LAST = rb"(?:[0-9Xx]|\xef\xbc[\x90-\x99\xb8]|\xef\xbd\x98|\xa3[\xb0-\xb9\xd8\xf8])"
# Blanks and hyphens by which people group digits; also the blank without a break, and the wide one of both encodings.
_BLANK = rb"(?:[ -]|\xc2\xa0|\xe3\x80\x80|\xa1\xa1)?"
_MIDDLE = _BLANK + rb"(?:" + _DIGIT + _BLANK + rb"){16}"
# A digit may be the last byte of a rare character of four in GB18030, 㐂, and begins no number then.
_BEGINS = rb"(?:(?<![0-9])|(?<=[\x81-\xfe][0-9][\x81-\xfe][0-9]))"
# Two more digits stand behind the number of a person who is a taxpayer several times.
_RAW = re.compile(
    _BEGINS + rb"(?P<first>" + _DIGIT + rb")" + _MIDDLE + rb"(?P<last>" + _LAST + rb")"
    rb"(?:" + _DIGIT + rb"{2})?(?!" + _DIGIT + rb")"
)


def redact(raw: bytes) -> bytes:
    """`raw` with every run of 18 digits that may be a person's masked but for its first and its last.

    The quarantine keeps rows as they came, but no person's number in clear: a replay gives it again.
    """
    return _RAW.sub(_masked, raw)


def _masked(found: re.Match[bytes]) -> bytes:
    digits = re.sub(rb"[ -]", b"", found[0])
    # Organizations' codes of digits alone have no year of birth at the seventh place.
    if len(digits) in (18, 20) and digits.isalnum() and digits[6:8] not in (b"19", b"20"):
        return found[0]
    return found["first"] + b"*" * 16 + found["last"]
