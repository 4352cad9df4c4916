"""A data-sharing agreement (共享协议) as its TOML file says it, read strictly: it may only narrow law."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from hub.errors import AgreementInvalid
from hub.rights.agreement_values import array_of, day_of, exactly, nearest, once, shown, table_of, text_of
from hub.rights.issuer import IssuerKey, KeySet, read_issuers
from hub.rights.matrix import Level, Matrix, PartnerClass, PartnerLimits, Purpose, Quota, level_named
from schema.governance import Capability
from schema.regions import PROVINCE_PREFIXES, current_region, is_known

# How a partner is called, in agreements and in tokens.
PARTNER_NAME = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
_MOST_CHARACTERS = 65_536
_NEEDED = (
    "partner",
    "name",
    "class",
    "document",
    "valid_from",
    "valid_to",
    "capabilities",
    "purposes",
    "data",
)
_OPTIONAL = ("regions", "source", "coordinates", "quota", "limits", "issuer")

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", PartnerLimits, Quota)


@dataclass(frozen=True)
class Agreement:
    """What one partner was granted, by whose keys it speaks, and how long."""

    partner: str
    name: str
    partner_class: str
    document: str
    valid_from: date
    valid_to: date
    # Beginnings of region codes (GB/T 2260): two, four or six digits.
    regions: tuple[str, ...]
    source: str | None
    capabilities: frozenset[Capability]
    purposes: tuple[Purpose, ...]
    # Data class → most that is granted, and for which purposes (None: wherever law gives the class at all).
    data: Mapping[str, tuple[Level, frozenset[Purpose] | None]]
    # Coordinates of the schema that this partner does not see whatever their class.
    hidden: frozenset[str]
    quota: Quota
    limits: PartnerLimits
    issuers: tuple[IssuerKey, ...]
    key_sets: tuple[KeySet, ...]
    # SM3 of the file, hexadecimal.
    digest: str

    def in_force(self, today: date) -> bool:
        """Whether `today` lies in its validity, both ends included."""
        return self.valid_from <= today <= self.valid_to

    def key(self, iss: str, kid: str, today: date) -> IssuerKey | None:
        """The key with which an issuer may speak for this partner today, or None."""
        for key in self.issuers:
            if (key.iss, key.kid) == (iss, kid) and key.valid_from <= today <= key.valid_to:
                return key
        return None


def parse_agreement(
    text: str, matrix: Matrix, today: date, known_coordinates: frozenset[str] | None = None
) -> Agreement:
    """Read an agreement that is to be applied on `today`.

    Raises AgreementInvalid with one line naming the key: anything wider than the matrix, anything unknown
    (coordinates only when `known_coordinates` is given), expired, contradictory, or that is no public key.
    """
    agreement = read_agreement(text, matrix, today, known_coordinates)
    if agreement.valid_to < today:
        raise AgreementInvalid(f"{agreement.partner}: valid_to: expired on {agreement.valid_to}")
    issuers: list[IssuerKey | KeySet] = [*agreement.issuers, *agreement.key_sets]
    for key in issuers:
        if key.valid_to < today:
            raise AgreementInvalid(
                f"{agreement.partner}: issuer {key.iss}: the key expired on {key.valid_to}"
            )
    return agreement


def read_agreement(
    text: str, matrix: Matrix, today: date, known_coordinates: frozenset[str] | None = None
) -> Agreement:
    """Read an agreement as `parse_agreement` does, but take one that has expired since it was applied."""
    document = _document(text)
    partner = _partner(document)
    try:
        return _agreement(partner, document, text, matrix, today, known_coordinates)
    except AgreementInvalid as error:
        raise AgreementInvalid(f"{partner}: {error}") from None


def partner_of(text: str) -> str:
    """Whose agreement a file is. Raises AgreementInvalid when it does not say so."""
    return _partner(_document(text))


def _partner(document: Mapping[str, object]) -> str:
    partner = document.get("partner")
    if not isinstance(partner, str) or not PARTNER_NAME.fullmatch(partner):
        # It may stand there, under a key that is misspelt.
        exactly(document, _NEEDED, _OPTIONAL)
        raise AgreementInvalid("partner: a small letter, then 1 to 31 small letters, digits or hyphens")
    return partner


def _document(text: str) -> Mapping[str, object]:
    if len(text) > _MOST_CHARACTERS:
        raise AgreementInvalid(f"the file is longer than {_MOST_CHARACTERS} characters")
    if "PRIVATE KEY" in text:
        raise AgreementInvalid("issuer: the file holds a private key, which must never leave its issuer")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AgreementInvalid(f"the file is not TOML: {' '.join(str(error).split())[:200]}") from None


def _agreement(
    partner: str,
    document: Mapping[str, object],
    text: str,
    matrix: Matrix,
    today: date,
    known_coordinates: frozenset[str] | None,
) -> Agreement:
    exactly(document, _NEEDED, _OPTIONAL)
    cls = matrix.partners.get(text_of(document["class"], "class"))
    if cls is None:
        raise AgreementInvalid(f"class: {shown(document['class'])} is unknown")
    valid_from, valid_to = (
        day_of(document["valid_from"], "valid_from"),
        day_of(document["valid_to"], "valid_to"),
    )
    if valid_from > valid_to:
        raise AgreementInvalid(f"valid_to: {valid_to} is before valid_from {valid_from}")
    purposes = _several(document["purposes"], Purpose, "purposes")
    capabilities = _several(document["capabilities"], Capability, "capabilities")
    _within(purposes, cls.purposes, cls, "purposes")
    _within(capabilities, cls.capabilities, cls, "capabilities")
    if not purposes:
        raise AgreementInvalid("purposes: none")
    issuers, key_sets = read_issuers(document.get("issuer", []))
    return Agreement(
        partner=partner,
        name=text_of(document["name"], "name"),
        partner_class=cls.code,
        document=text_of(document["document"], "document"),
        valid_from=valid_from,
        valid_to=valid_to,
        regions=_regions(document.get("regions", []), cls),
        source=_source(document["source"], cls, matrix) if "source" in document else None,
        capabilities=frozenset(capabilities),
        purposes=purposes,
        data=_data(document["data"], matrix, cls, purposes, today),
        hidden=_hidden(document.get("coordinates", {}), known_coordinates),
        quota=_lowered(cls.quota, document.get("quota", {}), cls, "quota"),
        limits=_lowered(cls.limits, document.get("limits", {}), cls, "limits"),
        issuers=issuers,
        key_sets=key_sets,
        digest=digest(text),
    )


def refuse_other_key(agreement: Agreement, others: Iterable[Agreement]) -> None:
    """Raise AgreementInvalid when another partner's agreement gives one of the key ids to a different key."""
    for other in others:
        for key in agreement.issuers:
            for known in other.issuers:
                if (known.iss, known.kid) == (key.iss, key.kid) and (known.alg, known.jwk) != (
                    key.alg,
                    key.jwk,
                ):
                    told = f"issuer.kid: {key.iss} uses {key.kid} for another key with {other.partner}"
                    raise AgreementInvalid(told)


def digest(text: str) -> str:
    """SM3 (GB/T 32905-2016) of an agreement's file, hexadecimal."""
    return hashlib.new("sm3", text.encode()).hexdigest()


def _data(
    value: object, matrix: Matrix, cls: PartnerClass, purposes: Sequence[Purpose], today: date
) -> Mapping[str, tuple[Level, frozenset[Purpose] | None]]:
    granted: dict[str, tuple[Level, frozenset[Purpose] | None]] = {}
    for code, entry in table_of(value, "data").items():
        where = f"data.{code}"
        if code not in matrix.data:
            raise AgreementInvalid(f"{where}: no such data class")
        table = entry if isinstance(entry, dict) else {"level": entry}
        exactly(table, ("level",), ("purposes",), where)
        level = _member(table["level"], level_named, Level.__members__, where)
        named = _several(table["purposes"], Purpose, f"{where}.purposes") if "purposes" in table else None
        _within(named or (), frozenset(purposes), None, f"{where}.purposes")
        ceilings = {
            purpose: grant.level if (grant := matrix.ceiling(cls.code, purpose, code, today)) else Level.NONE
            for purpose in (purposes if named is None else named)
        }
        # Purposes named are claimed one by one; unnamed, the level is claimed wherever law gives the class.
        for purpose, ceiling in ceilings.items() if named is not None else ():
            if level > ceiling:
                told = f"{level.name} for {purpose} exceeds the matrix, which gives {cls.code} {ceiling.name}"
                raise AgreementInvalid(f"{where}: {told}")
        most = max(ceilings.values(), default=Level.NONE)
        if level > most:
            told = f"{level.name} exceeds the matrix, which gives {cls.code} {most.name} for these purposes"
            raise AgreementInvalid(f"{where}: {told}")
        granted[code] = (level, frozenset(named) if named is not None else None)
    if not granted:
        raise AgreementInvalid("data: no data class is granted")
    return MappingProxyType(granted)


def _regions(value: object, cls: PartnerClass) -> tuple[str, ...]:
    regions = tuple(text_of(region, "regions") for region in array_of(value, "regions"))
    if cls.region_digits and not regions:
        raise AgreementInvalid(f"regions: {cls.code} needs its own region")
    for region in regions:
        code = region.ljust(6, "0")
        if region not in PROVINCE_PREFIXES and not (
            re.fullmatch(r"\d\d(?!00)\d\d((?!00)\d\d)?", region, re.ASCII) and is_known(code)
        ):
            raise AgreementInvalid(
                f"regions: {shown(region)} is no region code (GB/T 2260, without trailing zeros)"
            )
        if current_region(code) != code:
            raise AgreementInvalid(
                f"regions: {region} is no longer in use; today it is {current_region(code)}"
            )
        if len(region) < cls.region_digits:
            raise AgreementInvalid(f"regions: {region} is wider than a region of {cls.code}")
    once(regions, "regions")
    return regions


def _source(value: object, cls: PartnerClass, matrix: Matrix) -> str:
    name = text_of(value, "source")
    if name not in matrix.sources:
        raise AgreementInvalid(f"source: {shown(name)} is unknown{nearest(name, matrix.sources)}")
    if cls.code not in matrix.sources[name].partners:
        raise AgreementInvalid(f"source: {name} is not run by a partner of class {cls.code}")
    return name


def _hidden(value: object, known: frozenset[str] | None) -> frozenset[str]:
    table = table_of(value, "coordinates")
    exactly(table, (), ("hide",), "coordinates")
    hidden = tuple(
        text_of(name, "coordinates.hide") for name in array_of(table.get("hide", []), "coordinates.hide")
    )
    for name in hidden:
        if known is not None and name not in known:
            raise AgreementInvalid(f"coordinates.hide: the schema has no {shown(name)}{nearest(name, known)}")
    once(hidden, "coordinates.hide")
    return frozenset(hidden)


def _lowered(ceiling: S, value: object, cls: PartnerClass, where: str) -> S:
    """The class's ceiling with the lower numbers of the agreement."""
    most: dict[str, int] = asdict(ceiling)
    table = table_of(value, where)
    exactly(table, (), tuple(most), where)
    for name, number in table.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise AgreementInvalid(f"{where}.{name}: a whole number above zero")
        if number > most[name]:
            raise AgreementInvalid(
                f"{where}.{name}: {number} is more than {most[name]}, the most for {cls.code}"
            )
        most[name] = number
    return replace(ceiling, **most)


def _within(named: Sequence[str], allowed: Collection[str], cls: PartnerClass | None, where: str) -> None:
    for name in named:
        if name not in allowed:
            whose = f"a partner of class {cls.code}" if cls else "this agreement"
            raise AgreementInvalid(f"{where}: {name} is not open to {whose}")


def _several(value: object, kind: type[E], where: str) -> tuple[E, ...]:
    found = tuple(_member(name, kind, kind, where) for name in array_of(value, where))
    once(found, where)
    return found


def _member(value: object, kind: Callable[[str], T], known: Iterable[str], where: str) -> T:
    try:
        return kind(text_of(value, where))
    except ValueError:
        names = tuple(known)
        # Who writes the word of another language is near to nothing: the names themselves are the hint.
        hint = nearest(value, names) or f"; known are {', '.join(names)}"
        raise AgreementInvalid(f"{where}: {shown(value)} is unknown{hint}") from None
