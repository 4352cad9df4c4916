"""Reads the ceiling matrix strictly: a row or cell that is missing, unknown or said twice stops the start."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

from hub.errors import RulesInvalid
from hub.rights.matrix import (
    Cell,
    DataClass,
    Level,
    Matrix,
    PartnerClass,
    PartnerLimits,
    PersonLookups,
    Purpose,
    Quota,
    Scope,
    SharingRow,
    SourceOwner,
    WithheldReason,
    level_named,
)
from schema.governance import DATA_CLASSES, Capability

PARTNER_CLASSES = tuple(f"P{number}" for number in range(1, 13))
_TOP = (
    *("version", "source_doc", "confirmed_by", "brackets", "basis", "sharing", "source", "class", "data"),
    *("entitled", "separate_consent", "person_lookups"),
)
# Bases that decisions name by themselves.
_BASES_NEEDED = ("UNLISTED", "PURPOSE_LIMIT", "SOURCE_OWN")
_CLASS_KEYS = (
    *("zh", "en", "purposes", "capabilities", "browse", "region_digits", "every_cell", "beyond_public"),
    *("matter", "case", "limits", "quota"),
)
_LIMITS = tuple(PartnerLimits.__dataclass_fields__)
_QUOTA = tuple(Quota.__dataclass_fields__)

Brackets = Mapping[str, frozenset[Purpose]]
T = TypeVar("T")


@cache
def load_matrix() -> Matrix:
    """Read the ceiling matrix that comes with the hub. Raises RulesInvalid when it is not whole."""
    return parse_matrix(files("hub.rules").joinpath("matrix.toml").read_text(encoding="utf-8"))


def parse_matrix(text: str) -> Matrix:
    """Read a ceiling matrix. Raises RulesInvalid, naming the place of what is missing or unknown."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesInvalid(f"matrix: {error}") from None
    _exactly(document, _TOP, (), "file")
    basis = {key: _text(value, f"basis.{key}") for key, value in _table(document["basis"], "basis").items()}
    for key in _BASES_NEEDED:
        _known(key, basis, "basis")
    brackets = {
        letter: _each(names, Purpose, f"brackets.{letter}")
        for letter, names in _table(document["brackets"], "brackets").items()
    }
    sharing = {
        name: tuple(_sharing_row(row, f"sharing.{name}") for row in _array(rows, f"sharing.{name}"))
        for name, rows in _table(document["sharing"], "sharing").items()
    }
    partners, data = _table(document["class"], "class"), _table(document["data"], "data")
    _exactly(partners, PARTNER_CLASSES, (), "class")
    _exactly(data, DATA_CLASSES, (), "data")
    described = {code: _partner(code, partners[code], brackets) for code in PARTNER_CLASSES}
    cells: dict[tuple[str, str], Cell] = {}
    for code in DATA_CLASSES:
        cells |= _cells(code, data[code], brackets, basis, sharing, described)
    sources = _table(document["source"], "source")
    return Matrix(
        version=_text(document["version"], "version"),
        source_doc=_text(document["source_doc"], "source_doc"),
        confirmed_by=_text(document["confirmed_by"], "confirmed_by", empty=True),
        digest=hashlib.new("sm3", text.encode()).hexdigest(),
        data=MappingProxyType({code: _data_class(code, data[code], basis) for code in DATA_CLASSES}),
        partners=MappingProxyType(described),
        cells=MappingProxyType(cells),
        sharing=MappingProxyType(sharing),
        sources=MappingProxyType({name: _source(row, f"source.{name}") for name, row in sources.items()}),
        basis=MappingProxyType(basis),
        entitled=MappingProxyType(_entitled(document["entitled"], basis)),
        separate_consent=MappingProxyType(_separate(document["separate_consent"], basis)),
        person_lookups=_lookups(document["person_lookups"], basis),
    )


def _data_class(code: str, row: object, basis: Mapping[str, str]) -> DataClass:
    where = f"data.{code}"
    table = _table(row, where)
    protected_by = basis[_known(table["protected_by"], basis, f"{where}.protected_by")]
    withheld = _member(table["withheld"], WithheldReason, f"{where}.withheld")
    if withheld is WithheldReason.OK:
        raise RulesInvalid(f"matrix: {where}.withheld: OK is no reason to withhold")
    return DataClass(code, _text(table["zh"], where), _text(table["en"], where), withheld, protected_by)


def _cells(
    code: str,
    row: object,
    brackets: Brackets,
    basis: Mapping[str, str],
    sharing: Mapping[str, object],
    partners: Mapping[str, PartnerClass],
) -> dict[tuple[str, str], Cell]:
    """The cells of one data class: each partner class exactly once, given something or named in `nothing`."""
    where = f"data.{code}"
    table = _table(row, where)
    _exactly(table, ("zh", "en", "withheld", "protected_by", "nothing", "cells"), (), where)
    said = [_known(name, partners, f"{where}.nothing") for name in _array(table["nothing"], where)]
    cells: dict[tuple[str, str], Cell] = {}
    for entry in _array(table["cells"], f"{where}.cells"):
        given = _table(entry, f"{where}.cells")
        cell = _cell(given, brackets, basis, sharing, f"{where}.cells")
        for name in _array(given["partners"], where):
            partner = partners[_known(name, partners, where)]
            if cell.purposes is not None and not cell.purposes & partner.purposes:
                raise RulesInvalid(f"matrix: {where}: {partner.code} may declare none of its cell's purposes")
            cells[code, partner.code] = cell
            said.append(partner.code)
    wrong = [name for name in PARTNER_CLASSES if said.count(name) != 1]
    if wrong:
        raise RulesInvalid(f"matrix: {where}: not exactly one cell for {', '.join(wrong)}")
    return cells


def _cell(
    given: Mapping[str, object],
    brackets: Brackets,
    basis: Mapping[str, str],
    sharing: Mapping[str, object],
    where: str,
) -> Cell:
    _exactly(given, ("partners", "level", "basis"), ("purposes", "scopes", "sharing", "otherwise"), where)
    level = _member(given["level"], level_named, where)
    otherwise = _member(given.get("otherwise", "NONE"), level_named, where)
    if level is Level.NONE or otherwise >= level or ("sharing" in given) != ("otherwise" in given):
        raise RulesInvalid(
            f"matrix: {where}: a cell gives something, and less while sharing is not permitted"
        )
    return Cell(
        level=level,
        purposes=_purposes(given["purposes"], brackets, where) if "purposes" in given else None,
        scopes=_each(given.get("scopes", []), Scope, where),
        basis=basis[_known(given["basis"], basis, where)],
        sharing=_known(given["sharing"], sharing, where) if "sharing" in given else None,
        otherwise=otherwise,
    )


def _partner(code: str, row: object, brackets: Brackets) -> PartnerClass:
    where = f"class.{code}"
    table = _table(row, where)
    # Nothing has a default: a line lost from the file must not open anything.
    _exactly(table, _CLASS_KEYS, (), where)
    beyond = _table(table["beyond_public"], f"{where}.beyond_public")
    _exactly(beyond, ("scopes",), ("purposes",), f"{where}.beyond_public")
    purposes = _purposes(table["purposes"], brackets, where)
    if not purposes:
        raise RulesInvalid(f"matrix: {where}: no purpose")
    return PartnerClass(
        code=code,
        zh=_text(table["zh"], where),
        en=_text(table["en"], where),
        purposes=purposes,
        capabilities=_each(table["capabilities"], Capability, where),
        browse=_browse(table["browse"], f"{where}.browse"),
        region_digits=_whole(table["region_digits"], f"{where}.region_digits"),
        every_cell=_each(table["every_cell"], Scope, where),
        beyond_public=_each(beyond["scopes"], Scope, where),
        beyond_public_purposes=_purposes(beyond["purposes"], brackets, where)
        if "purposes" in beyond
        else None,
        matter=_purposes(table["matter"], brackets, where),
        case=_purposes(table["case"], brackets, where),
        limits=PartnerLimits(**_numbers(table["limits"], _LIMITS, f"{where}.limits")),
        quota=Quota(**_numbers(table["quota"], _QUOTA, f"{where}.quota")),
    )


def _browse(value: object, where: str) -> frozenset[str] | None:
    if value == "ALL":
        return None
    return frozenset(_known(name, DATA_CLASSES, where) for name in _array(value, where))


def _sharing_row(row: object, where: str) -> SharingRow:
    table = _table(row, where)
    _exactly(table, ("from", "permits", "source_doc", "confirmed_by"), (), where)
    since, permits = table["from"], table["permits"]
    if type(since) is not date or not isinstance(permits, bool):
        raise RulesInvalid(f"matrix: {where}: from is a date and permits true or false")
    confirmed_by = _text(table["confirmed_by"], where, empty=True)
    return SharingRow(since, permits, _text(table["source_doc"], where), confirmed_by)


def _source(row: object, where: str) -> SourceOwner:
    table = _table(row, where)
    _exactly(table, ("partners", "data"), (), where)
    return SourceOwner(
        frozenset(_known(name, PARTNER_CLASSES, where) for name in _array(table["partners"], where)),
        frozenset(_known(name, DATA_CLASSES, where) for name in _array(table["data"], where)),
    )


def _entitled(rows: object, basis: Mapping[str, str]) -> dict[str, str]:
    """Partner class → the basis on which it may know of what it cannot see; each at most once."""
    found: dict[str, str] = {}
    where = "entitled"
    for row in _array(rows, where):
        table = _table(row, where)
        _exactly(table, ("partners", "basis"), (), where)
        ground = basis[_known(table["basis"], basis, where)]
        for name in _array(table["partners"], where):
            if name in found:
                raise RulesInvalid(f"matrix: {where}: {name} is named twice")
            found[_known(name, PARTNER_CLASSES, where)] = ground
    return found


def _separate(row: object, basis: Mapping[str, str]) -> dict[str, str]:
    """Data class → the basis on which consent to it must be a separate one."""
    where = "separate_consent"
    table = _table(row, where)
    _exactly(table, ("data", "basis"), (), where)
    ground = basis[_known(table["basis"], basis, where)]
    found = {_known(name, DATA_CLASSES, where): ground for name in _array(table["data"], where)}
    if not found:
        raise RulesInvalid(f"matrix: {where}: no data class")
    return found


def _lookups(row: object, basis: Mapping[str, str]) -> PersonLookups:
    where = "person_lookups"
    table = _table(row, where)
    _exactly(table, ("at_once", "seconds_each", "basis"), (), where)
    at_once, seconds = (_whole(table[name], f"{where}.{name}") for name in ("at_once", "seconds_each"))
    if not (at_once and seconds):
        raise RulesInvalid(f"matrix: {where}: a number is 0")
    return PersonLookups(at_once, seconds, basis[_known(table["basis"], basis, where)])


def _purposes(names: object, brackets: Brackets, where: str) -> frozenset[Purpose]:
    """Purposes named by bracket letter or in full."""
    found: set[Purpose] = set()
    for name in _array(names, where):
        named = brackets.get(name) if isinstance(name, str) else None
        found |= {_member(name, Purpose, where)} if named is None else named
    return frozenset(found)


def _numbers(row: object, names: Sequence[str], where: str) -> dict[str, int]:
    table = _table(row, where)
    _exactly(table, names, (), where)
    return {name: _whole(table[name], f"{where}.{name}") for name in names}


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RulesInvalid(f"matrix: {where}: not a whole number")
    return value


def _each(names: object, kind: Callable[[str], T], where: str) -> frozenset[T]:
    return frozenset(_member(name, kind, where) for name in _array(names, where))


def _member(name: object, kind: Callable[[str], T], where: str) -> T:
    try:
        return kind(_text(name, where))
    except ValueError:
        raise RulesInvalid(f"matrix: {where}: {name!r} is unknown") from None


def _known(name: object, among: Collection[str], where: str) -> str:
    if not isinstance(name, str) or name not in among:
        raise RulesInvalid(f"matrix: {where}: {name!r} is unknown")
    return name


def _exactly(table: Mapping[str, object], needed: Sequence[str], optional: Sequence[str], where: str) -> None:
    for name in needed:
        if name not in table:
            raise RulesInvalid(f"matrix: {where}: {name} is missing")
    for name in table:
        if name not in needed and name not in optional:
            raise RulesInvalid(f"matrix: {where}: {name} is unknown")


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise RulesInvalid(f"matrix: {where}: not a table")
    return value


def _array(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise RulesInvalid(f"matrix: {where}: not an array")
    return value


def _text(value: object, where: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise RulesInvalid(f"matrix: {where}: not a text")
    return value
