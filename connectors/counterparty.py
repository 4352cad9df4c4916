"""The counterparty of a 双公示 row; numbers of persons leave as digests only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from connectors.contract import RawRow, RowRejected, SubjectRef
from connectors.files import DEFECT, DEFECT_REASON
from connectors.reading import Reader

# The national format's "no USCC": many subjects share it, so it is never a key.
_PLACEHOLDERS = frozenset({"0" * 17 + "X", "0" * 18})

_PERSON = "NATURAL_PERSON"
_KINDS = {
    "法人及非法人组织": "LEGAL_PERSON",
    "法人和非法人组织": "LEGAL_PERSON",
    "法人及其他组织": "LEGAL_PERSON",
    "个体工商户": "INDIVIDUAL_BUSINESS",
    "自然人": _PERSON,
}
# Organizations that are no legal persons, as far as their name says so (民法典 art. 102; 公司法 art. 13).
_UNINCORPORATED = re.compile(
    r"(?:分公司|支公司|分行|支行|营业部|门市部|办事处|分店|[((](?:普通|有限|特殊普通)合伙[))])$"
)
_PAPERS = {
    "身份证": "RESIDENT_ID",
    "居民身份证": "RESIDENT_ID",
    "护照": "PASSPORT",
    "护照号": "PASSPORT",
    "港澳居民来往内地通行证": "HK_MACAO_PERMIT",
    "台湾居民来往大陆通行证": "TAIWAN_PERMIT",
    "外国人永久居留身份证": "FOREIGN_PR_ID",
}
_RESIDENT = re.compile(r"\d{17}[\dX]")
# Wherever one may begin: a digit before it may be the end of a rare character in GB18030.
_RESIDENTS = re.compile(rf"(?=({_RESIDENT.pattern}))")
# The counterparty's number in either template.
_PERSON_COLUMNS = ("_XDR_ZJHM", "_XDR_SFZ")
# What is filled in, masked or written in words is nobody's, and many rows have it.
_PAPER_NUMBER = re.compile(r"(?=.*[1-9])[0-9A-Z()]{5,32}").fullmatch
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Blanks, hyphens and marks without width come with typing and copying.
_NOISE = re.compile("[\\s\\-'\u2010-\u2015\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


def counterparty(
    reader: Reader, prefix: str, legacy: bool, today: date, digest_person_id: Callable[[str], str]
) -> SubjectRef:
    """The subject of a row; the first identifier is the one it is known by. Raises RowRejected."""
    name = reader.required_line(f"{prefix}_XDR_MC")
    codes = {
        scheme: fold(value)
        for scheme, column in (
            ("USCC", "SHXYM"),
            ("BUSINESS_REG_NO", "GSZC"),
            ("ORG_CODE", "ZZJG"),
            ("PUBLIC_INST_NO", "SYDW"),
            ("SOCIAL_ORG_NO", "SHZZ"),
        )
        if (value := reader.text(f"{prefix}_XDR_{column}"))
    }
    placeholder = codes.get("USCC") in _PLACEHOLDERS
    if placeholder:
        del codes["USCC"]
    number = reader.text(f"{prefix}_XDR_ZJHM")
    region = reader.text("DFBM")
    kind = _kind(reader, prefix, legacy, number, codes)
    if kind == _PERSON:
        if codes:
            raise RowRejected("KIND_IDENTIFIER", "a natural person (自然人) with the code of an organization")
        return SubjectRef(_PERSON, name, (_person(reader, prefix, number, today, digest_person_id),), region)
    if number is not None:
        reader.flag("PERSON_NUMBER_DROPPED")
    if not legacy:
        reader.required(f"{prefix}_FRDB")
        if "USCC" not in codes and not placeholder:
            raise RowRejected("NO_KEY", f"{prefix}_XDR_SHXYM is empty")
        if placeholder and "BUSINESS_REG_NO" not in codes:
            raise RowRejected("NO_KEY", f"the placeholder code needs {prefix}_XDR_GSZC")
    if codes.get("BUSINESS_REG_NO") == codes.get("USCC"):
        codes.pop("BUSINESS_REG_NO", None)
    if not codes:
        raise RowRejected("NO_KEY", "no code of an organization")
    tax = fold(reader.text(f"{prefix}_XDR_SWDJ") or "")
    # A tax number may be a person's; one made of a region and this organization's code is not.
    if (
        len(tax) == 15
        and kind != "INDIVIDUAL_BUSINESS"
        and tax[6:] in (codes.get("USCC", "")[8:17], codes.get("ORG_CODE"))
    ):
        codes["TAXPAYER_ID"] = tax
    if codes.get("USCC", "").startswith("92") and kind != "INDIVIDUAL_BUSINESS":
        kind = "INDIVIDUAL_BUSINESS"
        reader.flag("KIND_BY_CODE")
    elif kind == "LEGAL_PERSON" and _UNINCORPORATED.search(name):
        kind = "UNINCORPORATED_ORGANIZATION"
    return SubjectRef(kind, name, tuple(codes.items()), region)


def persons_in(row: RawRow, digest_person_id: Callable[[str], str]) -> set[str]:
    """The digests of the numbers by which a row that nobody understands may name a natural person."""
    numbers = {text for name, text in row.fields.items() if text and name.endswith(_PERSON_COLUMNS)}
    if not numbers.union(row.fields) - {DEFECT, DEFECT_REASON}:
        # Nothing of it could be read: what looks like a number of a person, in bytes of whatever encoding.
        numbers = set(_RESIDENTS.findall(row.raw.decode("latin-1").replace("x", "X")))
    return {digest_person_id(fold(number)) for number in numbers}


def fold(value: str) -> str:
    """Half width, capitals, no blanks or hyphens; the ="…" of spreadsheet exports taken off."""
    if value.startswith('="') and value.endswith('"'):
        value = value[2:-1]
    if not value.isascii():
        value = unicodedata.normalize("NFKC", value)
    return _NOISE.sub("", value).upper()


def _kind(reader: Reader, prefix: str, legacy: bool, number: str | None, codes: dict[str, str]) -> str:
    stated = reader.text(f"{prefix}_XDR_LB")
    if stated is None and legacy:
        # The files of 2016 have no such column: there the number of a person and no code means a person.
        return _PERSON if number is not None and not codes else "LEGAL_PERSON"
    kind = _KINDS.get(stated or "")
    if kind is None:
        raise RowRejected("UNKNOWN_VALUE", f"{prefix}_XDR_LB is none of the three kinds of counterparty")
    return kind


def _person(
    reader: Reader, prefix: str, number: str | None, today: date, digest_person_id: Callable[[str], str]
) -> tuple[str, str]:
    """Scheme and digest of a natural person's number; the number itself goes no further."""
    if number is None:
        raise RowRejected("NO_KEY", f"a natural person (自然人) without {prefix}_XDR_ZJHM")
    paper = reader.text(f"{prefix}_XDR_ZJLX") or "身份证"
    scheme = _PAPERS.get(paper)
    if scheme is None:
        raise RowRejected("UNKNOWN_VALUE", f"{prefix}_XDR_ZJLX is a paper that the standard does not know")
    folded = fold(number)
    if scheme == "RESIDENT_ID":
        born = born_on(folded)
        if born is None or not date(1900, 1, 1) <= born <= today:
            raise RowRejected("PERSON_NUMBER", f"{prefix}_XDR_ZJHM is no resident ID number (GB 11643)")
        if today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < 18:
            # 民法典 art. 17, 未成年人保护法 art. 2; R7.3: a recorded exception, decided by a person.
            raise RowRejected(
                "MINOR_PERSON", "the counterparty is a minor: the hub takes no record of minors"
            )
    elif not _PAPER_NUMBER(folded):
        raise RowRejected("PERSON_NUMBER", f"{prefix}_XDR_ZJHM is no number of such a paper")
    return scheme, digest_person_id(folded)


def born_on(number: str) -> date | None:
    """The birthday in a resident ID whose check character holds (GB 11643-1999), else None."""
    if not _RESIDENT.fullmatch(number) or not number.isascii():
        return None
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != number[17]:
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
