"""Masks the numbers of persons in rows as they came, before the quarantine keeps them."""

from __future__ import annotations

import re

# Digits in bytes, whatever the encoding: ASCII, or full width in UTF-8 and in GB18030.
_DIGIT = rb"(?:[0-9]|\xef\xbc[\x90-\x99]|\xa3[\xb0-\xb9])"
_LAST = rb"(?:[0-9Xx]|\xef\xbc[\x90-\x99\xb8]|\xef\xbd\x98|\xa3[\xb0-\xb9\xd8\xf8])"
_MIDDLE = rb"[ -]?(?:" + _DIGIT + rb"[ -]?){16}"
_RAW = re.compile(
    rb"(?<![0-9A-Za-z])(?P<first>" + _DIGIT + rb")" + _MIDDLE + rb"(?P<last>" + _LAST + rb")(?![0-9A-Za-z])"
)


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
