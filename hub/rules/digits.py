"""Runs of digits in a text, with the blanks and marks by which people group them. Pure, in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

# Up to three marks between two digits; a run may end with the X of a resident ID.
_RUN = re.compile(
    r"[0-9](?:[0-9]|[\s\-._·/,，、]{1,3}(?=[0-9]))*(?:[\s\-._·/,，、]{0,3}[Xx](?![0-9A-Za-z]))?"
)
_TIGHT = frozenset("0123456789Xx -.")


@dataclass(frozen=True)
class Run:
    """Digits that stand together, without what separates them, and the place of each in the text."""

    text: str
    places: tuple[int, ...]
    # What the text says from the first to the last of them.
    raw: str

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The digits with which a group begins."""
        return (0, *(i for i, (one, two) in enumerate(pairwise(self.places), 1) if two - one > 1))

    def span(self, i: int, length: int) -> tuple[int, int]:
        """Where in the text `length` digits from digit `i` stand."""
        return self.places[i], self.places[i + length - 1] + 1

    def ends(self, i: int, length: int) -> bool:
        """Whether there are so many digits, and a group ends with the last of them."""
        last = i + length - 1
        if last >= len(self.text):
            return False
        if last == len(self.text) - 1 or self.text[last + 1] in "Xx":
            return True
        return self.places[last + 1] - self.places[last] > 1

    def whole(self, i: int, length: int) -> bool:
        """Whether a group begins with digit `i`, and one ends `length` digits on."""
        return self._begins(i) and self.ends(i, length)

    def contiguous(self, i: int, length: int) -> bool:
        """Whether nothing separates these digits."""
        return i + length <= len(self.text) and self.places[i + length - 1] - self.places[i] == length - 1

    def tight(self, i: int, length: int) -> bool:
        """Whether only blanks, hyphens and dots separate these digits."""
        first = self.places[0]
        return set(self.raw[self.places[i] - first : self.places[i + length - 1] - first + 1]) <= _TIGHT

    def _begins(self, i: int) -> bool:
        return i == 0 or self.places[i] - self.places[i - 1] > 1


def runs(text: str) -> Iterator[Run]:
    """The runs of digits in a text whose digits are ASCII."""
    for found in _RUN.finditer(text):
        places = tuple(i for i in range(found.start(), found.end()) if text[i].isdigit() or text[i] in "Xx")
        yield Run("".join(text[i] for i in places), places, found[0])
