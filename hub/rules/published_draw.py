"""A draw as it was published, read strictly and drawn once more: what `credithub draw verify` does. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hub.rules.draw import Draw, DrawInvalid, parse_frame, verify

_SEED = re.compile(r"[0-9a-f]{64}", re.ASCII)


def repeat(document: object) -> Draw:
    """The draw that the published frame, seed and rates give, when it is the one that was published (R6.3).

    `document`: the JSON of an inspection plan as GraphQL gives it (frame, frameDigest, seedCommitment, seed, rates,
    perObject, drawn), by itself or within the answer of a query. Raises DrawInvalid, saying what does not agree.
    """
    plan = _plan(document)
    seed = _text(plan, "seed")
    if not _SEED.fullmatch(seed):
        raise DrawInvalid("the seed is not 64 hexadecimal digits: it may not be published yet")
    rates = {_text(one, "tier"): _percent(_text(one, "percent")) for one in _rows(plan, "rates")}
    count = plan.get("perObject")
    if type(count) is not int or count < 1:
        raise DrawInvalid("perObject is no number of inspectors")
    made = verify(
        parse_frame(_text(plan, "frame")),
        bytes.fromhex(seed),
        _text(plan, "seedCommitment"),
        rates,
        frame_digest=_text(plan, "frameDigest"),
        per_object=count,
    )
    said = [
        (one.get("object"), one.get("tier"), one.get("place"), tuple(one.get("inspectors") or ()))
        for one in _rows(plan, "drawn")
    ]
    if said != [(one.id, one.tier, one.place, one.inspectors) for one in made.drawn]:
        raise DrawInvalid("the objects or inspectors that were published are not those that are drawn")
    return made


def _plan(document: object) -> Mapping[str, Any]:
    found, left = [], [document]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if "seedCommitment" in one:
                found.append(one)
            else:
                left += one.values()
    if len(found) != 1:
        raise DrawInvalid("this is not one published plan with its seedCommitment")
    return found[0]


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str) or not found:
        raise DrawInvalid(f"{name} is missing")
    return found


def _rows(plan: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = plan.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DrawInvalid(f"{name} is missing")
    return found


def _percent(text: str) -> Fraction:
    try:
        return Fraction(text) / 100
    except (ValueError, ZeroDivisionError):
        raise DrawInvalid("a rate is no number") from None
