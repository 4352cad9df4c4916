"""Texts and digests that commands are given."""

from __future__ import annotations

import re

from hub.errors import BadUserInput
from schema.characters import is_readable

_LONGEST = 4000
_SM3 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def said(text: str | None, argument: str, most: int = _LONGEST) -> str:
    """A text that was given, without blanks around it. Raises BadUserInput: nothing to read, or too long."""
    found = (text or "").strip()
    if is_blank(found) or len(found) > most:
        raise BadUserInput(f"A text of 1 to {most} characters.", argument=argument)
    return found


def is_blank(text: str) -> bool:
    """Whether nothing can be read in it: blanks, and characters that nobody sees."""
    return not any(is_readable(one) and not one.isspace() for one in text)


def is_sm3(digest: str) -> bool:
    """Whether this is the SM3 digest of a paper (GB/T 32905-2016): 64 hexadecimal digits."""
    return _SM3.fullmatch(digest) is not None
