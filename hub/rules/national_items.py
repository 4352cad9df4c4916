"""The data items of the national 双公示 standard as dated rows, and where a catalogue item deviates from them (R4.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force

LICENSES, PENALTIES = "XK", "CF"
KINDS = (LICENSES, PENALTIES)
TYPES = ("TEXT", "DATE", "INTEGER", "DECIMAL", "ENUM", "SET")
REQUIREMENTS = ("REQUIRED", "CONDITIONAL", "OPTIONAL")
# 公开属性 of the standard's items → 共享属性 that goes with it while the owner of the data has said nothing else.
_GOVERNMENT = {"PUBLIC": "UNCONDITIONAL", "GOVERNMENT_SHARED": "CONDITIONAL", "RESTRICTED": "NOT_SHARED"}
_PERSONS = "RESTRICTED"
_CLOSED = frozenset({"AUTHORIZED_QUERY", "RESTRICTED"})
_ITEM = re.compile(
    r"([A-Z][A-Z0-9_]{0,31}) +([A-Z]+) +(-|[1-9][0-9]{0,4}) +([A-Z]+) +([A-Z_]+) +(\S.*)", re.ASCII
)


@dataclass(frozen=True)
class DataItem:
    """A data item (数据项). `length`: characters at most; None: no text. Openness (公开属性) is told beside 共享属性."""

    code: str
    name: str
    type: str
    length: int | None
    requirement: str
    masked: bool
    government_sharing: str
    sharing_attribute: str


@dataclass(frozen=True)
class Edition:
    """An edition of the standard for one kind (XK, CF)."""

    id: str
    kind: str
    items: tuple[DataItem, ...]
    term: Term


@dataclass(frozen=True)
class Deviation:
    """Where an item differs from the standard; `standard` and `stated` in words, empty where there is none."""

    kind: str
    code: str
    standard: str
    stated: str

    @property
    def key(self) -> str:
        """Its name within the item, by which a person accepts it."""
        return f"{self.kind}@{self.code}"


@dataclass(frozen=True)
class NationalItems:
    """The editions of the standard."""

    editions: tuple[Edition, ...]

    def edition(self, kind: str, day: date) -> Edition | None:
        """The edition for `kind` in force on `day`; None: there was no standard yet."""
        return in_force([one for one in self.editions if one.kind == kind], day)


@cache
def load_national_items(text: str | None = None) -> NationalItems:
    """The rows of national_items.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("national_items.toml", text)
    editions = file.rows("edition", _edition)
    file.done()
    disjoint(editions, "national_items.toml", lambda one: one.kind)
    return NationalItems(editions)


def deviations(standard: Edition, stated: Sequence[DataItem]) -> tuple[Deviation, ...]:
    """Every difference from the standard, in its order, then what it does not know (R4.3)."""
    by_code = {one.code: one for one in stated}
    known = {one.code for one in standard.items}
    found: list[Deviation] = []
    for item in standard.items:
        mine = by_code.get(item.code)
        if mine is None:
            found.append(Deviation("MISSING", item.code, item.name, ""))
        else:
            found += _differences(item, mine)
    found += [Deviation("ADDED", one.code, "", one.name) for one in stated if one.code not in known]
    return tuple(found)


def opened_persons(standard: Edition, stated: Sequence[DataItem]) -> tuple[str, ...]:
    """Codes of persons' documents that `stated` would open or show unmasked: no reason makes that right (PIPL 28)."""
    closed = {one.code for one in standard.items if one.sharing_attribute == _PERSONS}
    return tuple(
        one.code
        for one in stated
        if one.code in closed and (one.sharing_attribute not in _CLOSED or not one.masked)
    )


def _differences(standard: DataItem, stated: DataItem) -> Iterator[Deviation]:
    for kind, theirs, mine in (
        ("NAME", standard.name, stated.name),
        ("TYPE", standard.type, stated.type),
        ("LENGTH", str(standard.length or ""), str(stated.length or "")),
        ("REQUIREMENT", standard.requirement, stated.requirement),
        ("OPENNESS", _openness(standard), _openness(stated)),
    ):
        if theirs != mine:
            yield Deviation(kind, standard.code, theirs, mine)


def _openness(item: DataItem) -> str:
    return f"{item.sharing_attribute}{' MASKED' if item.masked else ''}"


def _edition(row: Row) -> Edition:
    items = tuple(_item(line, row.where) for line in row.texts("items"))
    if not items or len({one.code for one in items}) < len(items):
        raise RulesInvalid(f"{row.where}: an edition without items, or an item said twice")
    return Edition(row.text("id"), row.choice("kind", KINDS), items, row.term())


def _item(line: str, where: str) -> DataItem:
    found = _ITEM.fullmatch(line)
    if found is None:
        raise RulesInvalid(f"{where}: {line!r} is no item")
    code, kind, length, requirement, openness, name = found.groups()
    if kind not in TYPES or requirement not in REQUIREMENTS or openness not in _GOVERNMENT:
        raise RulesInvalid(f"{where}: {code}: type, requirement or openness is unknown")
    return DataItem(
        code=code,
        name=name,
        type=kind,
        length=None if length == "-" else int(length),
        requirement=requirement,
        masked=openness != "PUBLIC",
        government_sharing=_GOVERNMENT[openness],
        sharing_attribute=openness,
    )
