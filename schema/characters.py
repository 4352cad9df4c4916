"""Which characters can be read, and which are ideographs: the same under every Python.

A Python knows the characters of its own year. To 3.11 the 4,814 ideographs that Unicode gained in 2022 and 2023, most of
them of names of persons and places, are unassigned: by its tables nobody sees them, and two names that differ in one
alone are one name. Unicode keeps its planes 2 and 3 for ideographs, so what stands there is one.
"""

import re

_RARE_IDEOGRAPHS = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]+")


def is_rare_ideograph(character: str) -> bool:
    """Whether this is an ideograph beyond the common ones, even one that this Python does not know yet."""
    return _RARE_IDEOGRAPHS.fullmatch(character) is not None


def is_readable(text: str) -> bool:
    """Whether all of this is printable, as str.isprintable means it: no control characters, no marks without width."""
    return text.isprintable() or _RARE_IDEOGRAPHS.sub("", text).isprintable()
