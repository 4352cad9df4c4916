"""The subject an item names, normalized: which of its identifiers are keys, and which rows name none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from connectors.contract import RowRejected, SubjectRef
from hub.store.values import IDENTIFIER_SCHEMES, SUBJECT_KINDS
from schema.identifiers import (
    PLACEHOLDER,
    InvalidIdentifier,
    current_region,
    fold,
    is_resident_id,
    parse_business_reg_no,
    parse_customs_code,
    parse_organization_code,
    parse_taxpayer_id,
    parse_uscc,
)

# Papers of natural persons that sources may name, more than the vocabulary has schemes for: their values are digests, and
# nothing else may be.
_PERSON_PAPERS = frozenset({"RESIDENT_ID", "PASSPORT", "HK_MACAO_PERMIT", "TAIWAN_PERMIT", "FOREIGN_PR_ID"})
_DIGEST = re.compile("[0-9a-f]{64}").fullmatch
_REGION = re.compile("[0-9]{6}").fullmatch
# What a spreadsheet makes of a code it takes for a number: the end of the code is lost, never to be guessed.
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,3}").fullmatch
# Words are no number: 无社会组织登记证号.
_FREE = re.compile("(?=.*[0-9])[0-9A-Z〔〕()（）第字号\u4e00-\u9fff]{6,50}").fullmatch
_MAX_NAME = 200


@dataclass(frozen=True)
class Key:
    """An identifier as it is kept; `data_class` says who may see it."""

    scheme: str
    value: str
    data_class: str


@dataclass(frozen=True)
class SubjectDraft:
    """A subject as an item names it. `uscc`, when there is one, is also the first of `keys`."""

    kind: str
    name: str
    region: str | None
    uscc: str | None
    keys: tuple[Key, ...]


def draft_subject(reference: SubjectRef, today: date) -> tuple[SubjectDraft, tuple[str, ...]]:
    """The subject with its keys, and flags on identifiers that were left out. Raises RowRejected.

    A wrong USCC rejects the row: another number must not decide in its place. Of the other identifiers a
    wrong one is left out as long as one is right. The placeholder for "no USCC" is never a key.
    """
    person = reference.kind == "NATURAL_PERSON"
    if reference.kind not in SUBJECT_KINDS:
        raise RowRejected("UNKNOWN_VALUE", "the kind of subject is not known")
    name = reference.name.strip()
    if not 0 < len(name) <= _MAX_NAME:
        raise RowRejected("MISSING" if not name else "TOO_LONG", "the subject's name is empty or too long")
    keys: dict[str, Key] = {}
    flags: list[str] = []
    uscc, wrong = None, None
    for scheme, value in reference.identifiers:
        if scheme not in IDENTIFIER_SCHEMES and scheme not in _PERSON_PAPERS:
            raise RowRejected("UNKNOWN_SCHEME", "the identifier scheme is not known")
        if (scheme in _PERSON_PAPERS) != person:
            raise RowRejected("KIND_IDENTIFIER", "the kind of subject and the identifier do not go together")
        if scheme == "USCC":
            parsed = _uscc(value)
            if parsed is None:
                flags.append("PLACEHOLDER")
                continue
            uscc, organization = parsed
            keys["USCC"] = Key("USCC", uscc, "D1")
            if organization is not None:
                keys.setdefault("ORG_CODE", Key("ORG_CODE", organization, "D1"))
            continue
        try:
            key = _key(scheme, value, today)
        except InvalidIdentifier as error:
            wrong = (scheme, error)
            flags.append(f"BAD_{scheme}")
            continue
        if key is None:
            flags.append(f"DROPPED_{scheme}")
        else:
            keys[scheme] = key
    if "TAXPAYER_ID" in keys and "ORG_CODE" not in keys:
        # Region and organization code: a number that is a person's, or holds no such code, was dropped.
        keys["ORG_CODE"] = Key("ORG_CODE", keys["TAXPAYER_ID"].value[6:], "D1")
    if not keys:
        if wrong is not None:
            raise RowRejected(f"{wrong[0]}_{wrong[1].code}", wrong[1].reason)
        raise RowRejected("NO_KEY", "no identifier that names one subject")
    ordered = tuple(sorted(keys.values(), key=lambda key: key.scheme != "USCC"))
    return SubjectDraft(reference.kind, name, region_of(reference.region_code, uscc), uscc, ordered), tuple(
        flags
    )


def region_of(told: str | None, uscc: str | None) -> str | None:
    """Today's region of a subject: as a row told it, or else as it was at registration."""
    region = told or (uscc and uscc[2:8])
    return current_region(region) if region and _REGION(region) else None


def authority_code(value: str | None) -> str | None:
    """The USCC of a deciding authority. Raises RowRejected(AUTHORITY_CODE): 双公示 rule (f)."""
    if value is None:
        return None
    try:
        return _parsed(value)[0]
    except InvalidIdentifier as error:
        raise RowRejected("AUTHORITY_CODE", f"the authority's code is no USCC: {error.reason}") from None


def _uscc(value: str) -> tuple[str, str | None] | None:
    """Code and organization code; None for the placeholder. Raises RowRejected."""
    try:
        return _parsed(value)
    except InvalidIdentifier as error:
        if error.code == "PLACEHOLDER":
            return None
        if error.code != "TOO_LONG" and _SCIENTIFIC(fold(value)):
            reason = "a spreadsheet turned the code into a number in scientific notation; its end is lost"
            raise RowRejected("USCC_SCIENTIFIC", reason) from None
        raise RowRejected(f"USCC_{error.code}", error.reason) from None


@lru_cache(maxsize=65536)
def _parsed(value: str) -> tuple[str, str | None]:
    found = parse_uscc(value)
    certain = "ORGANIZATION_CHECK" not in found.warnings
    return found.code, found.organization_code if certain else None


def _key(scheme: str, value: str, today: date) -> Key | None:
    """The key; None for one that must not be kept. Raises InvalidIdentifier."""
    if scheme in _PERSON_PAPERS:
        if not _DIGEST(value):
            raise RowRejected("PERSON_NUMBER_IN_CLEAR", "a connector must digest the numbers of persons")
        if scheme not in IDENTIFIER_SCHEMES:
            raise RowRejected("UNKNOWN_SCHEME", "the hub does not know subjects by this kind of paper")
        return Key(scheme, value, "D3")
    if len(set(fold(value)[6 if scheme == "TAXPAYER_ID" else 0 :])) <= 1:
        # 000000000, as forms that demand a number are filled in: its check may be right, and many subjects share it.
        return None
    if scheme == "TAXPAYER_ID":
        parsed = parse_taxpayer_id(value, today)
        return None if parsed.personal or len(parsed.number) == 18 else Key(scheme, parsed.number, "D3")
    normalize = _NORMALIZE.get(scheme)
    if normalize is not None:
        return Key(scheme, normalize(value), "D1")
    folded = fold(value)
    if is_resident_id(folded) or folded == PLACEHOLDER or not _FREE(folded):
        return None
    return Key(scheme, folded, "D1")


_NORMALIZE: dict[str, Callable[[str], str]] = {
    "ORG_CODE": parse_organization_code,
    "BUSINESS_REG_NO": lambda value: parse_business_reg_no(value).code,
    "CUSTOMS_CODE": lambda value: parse_customs_code(value).code,
}
