"""Which decision something is of: its subject, its number and the authority that made it (§3.1, rule g). Pure.

Authorities count their documents each for itself, so a number alone names no decision. An authority is known by its code;
of a name it is not known how many ways of writing it there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Authority:
    """Who decided, as a record, a case or a message has it; None: it does not say."""

    code: str | None = None
    name: str | None = None

    @property
    def named(self) -> bool:
        """Whether it is said at all."""
        return bool(self.code or self.name)


def same(one: Authority, other: Authority) -> bool | None:
    """Whether both are one authority; None: nobody can tell, for only one has a code and it is written otherwise."""
    if one.code and other.code:
        return one.code == other.code
    if one.name and one.name == other.name:
        return True
    return None if one.code or other.code or not (one.named and other.named) else False


def meant(asked: Sequence[Authority], found: Sequence[tuple[Authority, _T]]) -> list[_T] | None:
    """Those of `found`, all with one number of one subject, that are of the decision asked for; empty: of others.

    `asked`: its authority, in each way in which it is known. Where it is not said, or where they do not say theirs, they
    are meant if they are one decision. None: they are not, or nobody can tell, and nothing is guessed.
    """
    said = [one for one in asked if one.named]
    near = _linked([(one, None) for one in said], found)
    if not near:
        near = [one for one in found if not said or not one[0].named]
        if near and len(_linked(near[:1], near[1:])) != len(near) - 1:
            return None
    if any(same(one, other) is False for (one, _), (other, _) in combinations(near, 2)):
        return None
    return [one for _, one in near]


def decisions(records: Iterable[tuple[str, Authority]]) -> int:
    """How many decisions records of one subject are of, by number and authority: sources deliver one as they write it.

    Two codes are two authorities. Who has none may be one of those that have, written otherwise, so its name only tells
    it apart where no record of that number has a code.
    """
    by_number: dict[str, list[Authority]] = {}
    for number, authority in records:
        by_number.setdefault(number, []).append(authority)
    return sum(
        len({one.code for one in found if one.code}) or max(1, len({one.name for one in found if one.name}))
        for found in by_number.values()
    )


def _linked(
    reached: Sequence[tuple[Authority, object]], found: Sequence[tuple[Authority, _T]]
) -> list[tuple[Authority, _T]]:
    """Those that are of one authority with one of `reached`, or with another that is."""
    known, rest, linked = [one for one, _ in reached], list(found), []
    while near := [one for one in rest if any(same(one[0], other) for other in known)]:
        rest = [one for one in rest if not any(one is other for other in near)]
        known += [one for one, _ in near]
        linked += near
    return linked
