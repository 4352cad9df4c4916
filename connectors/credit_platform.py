"""信用中国(青海): lists of the province's agencies, the national evaluation, and results of credit repair, pulled."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from connectors.contract import (
    SHANGHAI,
    Batch,
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Refused,
    Retention,
    RowRejected,
    Source,
    SubjectRef,
    Tools,
)
from connectors.counterparty import born_on, fold
from connectors.files import mask_number
from connectors.listing import listing
from connectors.platform import Platform, account, platform_settings
from connectors.pull import Service, pull
from connectors.reading import Reader

RED = "XY-RED"
WATCH = "XY-WATCH"
BLACK = "XY-BLACK"
EVALUATION = "XY-PJ"
REPAIR = "XY-XF"
PROVIDER = "青海省发展和改革委员会"
PROVIDER_CODE = "11630000MAFCM45E20"

SOURCE = Source(
    name="CREDIT_PLATFORM",
    title_zh="信用平台",
    provider_name=PROVIDER,
    provider_code=PROVIDER_CODE,
    items=(
        CatalogItem(RED, "诚信典型名单", Kind.LIST_ENTRY, "D13"),
        CatalogItem(WATCH, "重点关注名单", Kind.LIST_ENTRY, "D12"),
        CatalogItem(BLACK, "严重失信主体名单", Kind.LIST_ENTRY, "D10"),
        CatalogItem(EVALUATION, "全国公共信用综合评价", Kind.GRADE, "D40"),
        CatalogItem(REPAIR, "信用修复结果", Kind.GENERIC, "D36"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=platform_settings("HUB_CREDIT", "the credit platform"),
)

_SERVICES = {
    RED: Service("s_1263000000000_0601", frozenset({"1"})),
    WATCH: Service("s_1263000000000_0602", frozenset({"1"})),
    BLACK: Service("s_1263000000000_0603", frozenset({"1"})),
    EVALUATION: Service("s_1263000000000_0604", frozenset({"1"})),
    # Last: what is repaired has come before its repair.
    REPAIR: Service("s_1263000000000_0605", frozenset({"1"})),
}
# Lists that may come, by catalogue item: one without a known basis is not taken (国办发〔2020〕49号).
_LISTS = {
    RED: ("RED", frozenset({"SW-RED"})),
    WATCH: ("WATCH", frozenset({"SW-WATCH"})),
    BLACK: ("BLACK", frozenset({"SW-BLACK", "ZFCG-BLACK", "RS-BLACK"})),
}
# What a repair is of, by 信息类别.
_REPAIRED = {
    "行政处罚": "RECORD",
    "其他失信信息": "RECORD",
    "严重失信主体名单": "LIST_ENTRY",
    "重点关注名单": "LIST_ENTRY",
}
_GRADES = frozenset("ABCD")
_DIGEST = re.compile("[0-9a-f]{64}").fullmatch
_RULES = "NATIONAL-2026"  # 国办发〔2026〕8号


class CreditPlatform:
    """The credit platform, ready to be pulled."""

    source = SOURCE

    def __init__(self, platform: Platform, tools: Tools) -> None:
        """Pull on `platform`."""
        self._platform, self._tools = platform, tools

    def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the lists, the evaluations, then the repairs. Raises SourceError."""
        return pull(self._platform, SOURCE.name, _SERVICES, cursor, self._hide)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The platform is pulled, not asked by key. Raises Refused."""
        raise Refused("the credit platform is harvested, not asked by key")

    def canonical(self, row: RawRow) -> Item:
        """The list entry, evaluation or result of a repair that `row` states. Raises RowRejected."""
        read = Reader(row)
        item = row.origin.rpartition("/")[2]
        subject, key = self._subject(read)
        updated, deleted = read.moment("gxsj"), read.says("scbz") is True
        today = self._tools.now().astimezone(SHANGHAI).date()
        if item == EVALUATION:
            evaluated = read.past_day("pjrq", today)
            values = {} if deleted else _evaluation(read, evaluated)
            record_id = f"{item}:{key}:{evaluated.year}"
            return Item(Kind.GRADE, record_id, item, subject, values, updated, deleted, read.flags)
        if item == REPAIR:
            values = {} if deleted else _repair(read, today)
            record_id = f"{item}:{key}:{read.number('wsh')}"
            return Item(Kind.GENERIC, record_id, item, subject, values, updated, deleted, read.flags)
        color, known = _LISTS[item]
        code = read.required("mddm")
        if code not in known:
            raise RowRejected("UNKNOWN_LIST", "mddm is a list without a known basis")
        values = {} if deleted else listing(read, code, color)
        # Several lists come as one item, and each numbers its own decisions.
        record_id = f"{item}:{key}:{code}:{read.number('rdwh')}"
        return Item(Kind.LIST_ENTRY, record_id, item, subject, values, updated, deleted, read.flags)

    def withdrawn(self, row: RawRow) -> Item:
        """What names that of which a row that was not understood tells. Raises RowRejected."""
        return self.canonical(replace(row, fields={**row.fields, "scbz": "1"}))

    def persons_in(self, row: RawRow) -> set[str]:
        """The digest in a row that was not understood, where it is about a natural person."""
        digest = row.fields.get("zjhm")
        return {digest} if digest and _DIGEST(digest) else set()

    def _subject(self, read: Reader) -> tuple[SubjectRef, str]:
        kind = read.required("ztlb")
        if kind == "自然人":
            number = read.text("zjhm")
            if number is None:
                raise RowRejected("NO_KEY", "a natural person without a number")
            # In clear where a person gives it again, to replay a row.
            digest = number if _DIGEST(number) else self._digest(number)
            if digest is None:
                raise RowRejected("PERSON_NUMBER", "zjhm is no resident ID number (GB 11643)")
            return SubjectRef("NATURAL_PERSON", read.required("ztmc"), (("RESIDENT_ID", digest),)), digest[
                :32
            ]
        if kind not in ("法人及非法人组织", "个体工商户"):
            raise RowRejected("UNKNOWN_VALUE", "ztlb is none of the three kinds of subject")
        code = read.required_code("tyshxydm")
        known_as = "INDIVIDUAL_BUSINESS" if kind == "个体工商户" else "LEGAL_PERSON"
        return SubjectRef(known_as, read.required("ztmc"), (("USCC", code),)), fold(code)

    async def close(self) -> None:
        """Close the connections."""
        await self._platform.close()

    def _hide(self, row: Mapping[str, object]) -> Mapping[str, object]:
        """The row with a natural person's number as its digest, the only form that goes further.

        What is none, a filler or a word, stays masked: a digest of it would make one person of many.
        """
        number = str(row.get("zjhm") or "")
        return dict(row) | {"zjhm": (self._digest(number) or mask_number(number)) or None}

    def _digest(self, number: str) -> str | None:
        """The digest of a natural person's number; None when it is none."""
        return self._tools.digest_person_id(fold(number)) if born_on(fold(number)) else None


def _evaluation(read: Reader, evaluated: date) -> dict[str, object]:
    grade = read.required("pjdj")
    if grade not in _GRADES:
        raise RowRejected("UNKNOWN_GRADE", "pjdj is none of A, B, C and D")
    return {
        "scheme": "NATIONAL",
        "grade_code": grade,
        "grade_label": f"{grade}级",
        "ruleset_version": _RULES,
        "issuer_name": "国家公共信用和地理空间信息中心",
        "issuer_uscc": None,
        "period": str(evaluated.year),
        "effective_from": evaluated,
        "effective_to": None,
    }


def _repair(read: Reader, today: date) -> dict[str, object]:
    """What 信用中国 repaired: the decision by its number; R9.2: the hub ends it too, and shows the result to nobody."""
    target = _REPAIRED.get(read.required("xxlb"))
    if target is None or read.required("xfzt") != "已修复":
        # A repair that was undone (撤销修复) brings a record back: for a person to decide.
        raise RowRejected("UNKNOWN_VALUE", "xxlb or xfzt is none of the known values")
    return {
        "title": "信用修复结果",
        "record_type": "REPAIR_RESULT",
        "document_number": read.number("wsh"),
        "authority_name": read.text("rdjg"),
        "decided_on": read.past_day("xfrq", today),
        "seriousness": "NOT_ADVERSE",
        "details": {"repair": {"target": target, "number": read.required("xfwh")}},
    }


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The credit platform as the settings describe it. Raises ValueError naming a setting that is missing."""
    return CreditPlatform(Platform(account(settings, "HUB_CREDIT"), tools), tools)
