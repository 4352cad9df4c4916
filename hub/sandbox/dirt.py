"""The dirt of real deliveries, dealt out by key: the same row is dirty in the same way in every run."""

from __future__ import annotations

import unicodedata
import zlib
from datetime import date

from hub.sandbox.wellknown import SUBJECTS

# Days that mean "none" or "for ever" in the registers found.
NO_DAY = ("1900-01-01", "1899-12-31", "9999-12-31", "9999-09-09", "\\N", "暂无")
_SPOTLESS = frozenset(known.uscc for known in SUBJECTS)
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def falls(per_mille: int, *key: object) -> bool:
    """Whether the row named by `key` has this defect, which `per_mille` of all rows have."""
    # The well-known subjects are spotless: demos and the README rely on every fact of theirs.
    return not _SPOTLESS.intersection(map(str, key)) and _share(key) < per_mille


def _share(key: tuple[object, ...]) -> int:
    return zlib.crc32("/".join(map(str, key)).encode()) % 1000


def full_width(text: str) -> str:
    """９１６３… as typed with a Chinese input method."""
    return text.translate(_FULL_WIDTH)


def scientific(code: str) -> str:
    """What a spreadsheet makes of a code that it takes for a number; letters save a code from it."""
    return f"{float(code):.3E}" if code.isdigit() else "9.163E+17"


def untidy(code: str, *key: object) -> str:
    """A code as people write it: now and then in small letters, in full width, with blanks."""
    if falls(15, code, *key, "small"):
        return code.lower()
    if falls(10, code, *key, "wide"):
        return full_width(code)
    if falls(10, code, *key, "blank"):
        return f"{code[:4]} {code[4:]} "
    return code


def tidy(code: str) -> str:
    """The code that `untidy` wrote."""
    return unicodedata.normalize("NFKC", code).replace(" ", "").upper()


def day(value: date | None, *key: object, pattern: str = "%Y-%m-%d") -> str:
    """A day as the register writes it; a missing one is one of the sentinel values or empty."""
    if value is not None:
        return value.strftime(pattern)
    return NO_DAY[_share((*key, "which")) % len(NO_DAY)] if falls(500, *key, "sentinel") else ""
