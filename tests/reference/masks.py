"""What a masked caller gets in place of a value, character by character."""

from __future__ import annotations

from typing import Any

from schema.divisions import DIVISIONS
from schema.governance import Mask


def masked(mask: Mask, value: Any) -> Any:
    """`value` as the level MASKED shows it."""
    match mask:
        case Mask.KEEP:
            return value
        case Mask.WITHHELD:
            return None
    if value is None:
        return None
    match mask:
        case Mask.NAME:
            return "".join(one if place == 0 < len(value) - 1 else "*" for place, one in enumerate(value))
        case Mask.PHONE:
            return "*" * len(value) if len(value) <= 4 else "*" * (len(value) - 4) + value[-4:]
        case Mask.ADDRESS:
            return address(value)
    raise AssertionError(mask)


def address(value: str) -> str:
    """The province, prefecture and county that `value` begins with; nothing of it that is no division of Qinghai."""
    rest = value.removeprefix("青海省")
    prefectures = _qinghai()
    for prefecture, counties in prefectures.items():
        inside = rest.removeprefix(prefecture)
        for county in counties if inside != rest else [one for all_ in prefectures.values() for one in all_]:
            if inside.startswith(county):
                return value[: len(value) - len(inside) + len(county)] + "***"
        if inside != rest:
            return value[: len(value) - len(inside)] + "***"
    return value[: len(value) - len(rest)] + "***"


def _qinghai() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    inside = False
    for word in DIVISIONS.split():
        if word.startswith("#"):
            inside = word == "#青海省"
        elif inside and word.startswith("@"):
            found[word[1:]] = []
        elif inside:
            found[list(found)[-1]].append(word)
    return found
