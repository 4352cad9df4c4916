"""Market regulation on the platform: the base register, its serious dishonesty list, penalties, abnormal operations."""

from __future__ import annotations

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
from connectors.counterparty import fold, persons_in
from connectors.listing import listing
from connectors.platform import Platform, account, platform_settings
from connectors.publicity import item_of
from connectors.pull import Service, pull
from connectors.reading import Reader, kind_of
from connectors.template import PERSON_NUMBERS

REGISTRATION = "SCJG-DJ"
SERIOUS = "SCJG-YZWF"
PENALTIES = "SCJG-CF"
ABNORMAL = "SCJG-YC"
PROVIDER = "青海省市场监督管理局"
PROVIDER_CODE = "11630000MAFJN24E23"

SOURCE = Source(
    name="MARKET_REGULATION",
    title_zh="市场监管",
    provider_name=PROVIDER,
    provider_code=PROVIDER_CODE,
    items=(
        CatalogItem(REGISTRATION, "登记注册基本信息", Kind.REGISTRATION, "D1"),
        CatalogItem(SERIOUS, "严重违法失信名单", Kind.LIST_ENTRY, "D10"),
        CatalogItem(PENALTIES, "市场监管行政处罚信息", Kind.PENALTY, "D6"),
        # Order 36 counts an entry (经营异常名录) among the minor records, for supervision alone (5.4). It is no watch list: one
        # of those denies the three clean years, a minor record does not, and what bars a red list names both (5.3).
        CatalogItem(ABNORMAL, "经营异常名录", Kind.GENERIC, "D7"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=platform_settings("HUB_REGISTRY", "the register"),
)

_SERVICES = {
    REGISTRATION: Service("s_1263000000000_0101", frozenset({"NODATA"}), ("fddbrzjhm",)),
    SERIOUS: Service("s_1263000000000_0107", frozenset({"NODATA"})),
    PENALTIES: Service("s_1263000000000_0108", frozenset({"NODATA"}), masked=PERSON_NUMBERS),
    ABNORMAL: Service("s_1263000000000_0106", frozenset({"NODATA"})),
}
# Kinds of market entity and of other registered organizations (市场主体类型), as the register names them.
_KINDS = {
    "企业法人": "LEGAL_PERSON",
    "非企业法人": "LEGAL_PERSON",
    "农民专业合作社": "LEGAL_PERSON",
    "农村集体经济组织": "LEGAL_PERSON",
    "合伙企业及分支机构": "UNINCORPORATED_ORGANIZATION",
    "个体工商户": "INDIVIDUAL_BUSINESS",
}
_STATES = frozenset({"存续", "在业", "迁出", "吊销", "注销", "撤销", "停业"})
# What the service has beside the national columns of a penalty.
_OF_THE_SERVICE = frozenset({"xh", "scbz", "gxsj"})
# Grounds of an abnormal-operations entry (列入原因): the order has no others (企业经营异常名录管理暂行办法); the codes are a
# proposal until the service's own are known.
_GROUNDS = {
    "01": "未依照规定的期限公示年度报告",
    "02": "未在责令的期限内公示有关企业信息",
    "03": "公示企业信息隐瞒真实情况、弄虚作假",
    "04": "通过登记的住所或者经营场所无法联系",
}


class Registry:
    """The register, ready to be pulled."""

    source = SOURCE

    def __init__(self, platform: Platform, tools: Tools) -> None:
        """Pull on `platform`."""
        self._platform, self._tools = platform, tools

    def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the register, then of what is held against subjects. Raises SourceError."""
        return pull(self._platform, SOURCE.name, _SERVICES, cursor)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The register is pulled, not asked by key. Raises Refused."""
        raise Refused("the register is harvested, not asked by key")

    def canonical(self, row: RawRow) -> Item:
        """The registration, list entry, penalty or abnormal operation that `row` states. Raises RowRejected."""
        read = Reader(row)
        if row.origin.endswith(PENALTIES):
            return self._penalty(row, read)
        code, name = read.required_code("tyshxydm"), read.required("qymc")
        updated, deleted = read.moment("gxsj"), read.says("scbz") is True
        if row.origin.endswith(SERIOUS):
            subject = SubjectRef(kind_of(code), name, (("USCC", code),))
            # Of what is withdrawn only the name counts: a row that was wrong is withdrawn as it stands.
            values = {} if deleted else listing(read, "SCJG-BLACK", "BLACK")
            record_id = f"{SERIOUS}:{fold(code)}:{read.number('rdwh')}"
            return Item(Kind.LIST_ENTRY, record_id, SERIOUS, subject, values, updated, deleted, read.flags)
        if row.origin.endswith(ABNORMAL):
            subject = SubjectRef(kind_of(code), name, (("USCC", code),))
            today = self._tools.now().astimezone(SHANGHAI).date()
            values, removed = ({}, True) if deleted else _abnormal(read, today)
            record_id = f"{ABNORMAL}:{fold(code)}:{read.number('lrwh')}"
            ended = deleted or removed
            return Item(Kind.GENERIC, record_id, ABNORMAL, subject, values, updated, ended, read.flags)
        record_id = f"{REGISTRATION}:{fold(code)}"
        if deleted:
            # Likewise.
            subject = SubjectRef(kind_of(code), name, (("USCC", code),))
            return Item(Kind.REGISTRATION, record_id, REGISTRATION, subject, {}, updated, deleted, read.flags)
        kind = _KINDS.get(read.required("ztlx"))
        if kind is None:
            raise RowRejected("UNKNOWN_VALUE", "ztlx is a kind of entity that is not known")
        state = read.required("djzt")
        if state not in _STATES:
            raise RowRejected("UNKNOWN_VALUE", "djzt is a state of registration that is not known")
        founded = read.day("clrq")
        if founded is not None and founded > self._tools.now().astimezone(SHANGHAI).date():
            raise RowRejected("DATE_FUTURE", "clrq lies ahead")
        region = read.text("xzqh")
        identifiers = [("USCC", code)]
        if number := read.code("zch"):
            identifiers.append(("BUSINESS_REG_NO", number))
        subject = SubjectRef(kind, name, tuple(identifiers), region)
        values = {
            "display_name": name,
            "registration_status": state,
            "region_code": region,
            "established_on": founded,
            "industry_code": read.text("hydm"),
            "legal_representative_name": read.text("fddbr"),
            "address": read.text("zs"),
            "phone": read.text("lxdh"),
        }
        return Item(Kind.REGISTRATION, record_id, REGISTRATION, subject, values, updated, deleted, read.flags)

    def _penalty(self, row: RawRow, read: Reader) -> Item:
        """A penalty in the national 双公示 columns, between those of the service."""
        fields = {name: value for name, value in row.fields.items() if name not in _OF_THE_SERVICE}
        today = self._tools.now().astimezone(SHANGHAI).date()
        withdrawn = read.says("scbz") is True
        item = item_of(replace(row, fields=fields), today, self._tools.digest_person_id, withdrawn=withdrawn)
        if item.kind is not Kind.PENALTY:
            raise RowRejected("TEMPLATE", "the columns are not those of a penalty")
        return replace(item, catalog_item_code=PENALTIES, source_updated_at=read.moment("gxsj"))

    def withdrawn(self, row: RawRow) -> Item:
        """What names that of which a row that was not understood tells. Raises RowRejected."""
        return self.canonical(replace(row, fields={**row.fields, "scbz": "1"}))

    def persons_in(self, row: RawRow) -> set[str]:
        """The digests of persons' numbers in a row that was not understood."""
        return persons_in(row, self._tools.digest_person_id)

    async def close(self) -> None:
        """Close the connections."""
        await self._platform.close()


def _abnormal(read: Reader, today: date) -> tuple[dict[str, object], bool]:
    """The entry in 经营异常名录 that the row states, and whether the firm has been taken off. Raises RowRejected."""
    ground = _GROUNDS.get(read.required("lryy"))
    if ground is None:
        raise RowRejected("UNKNOWN_VALUE", "lryy is a ground that the order does not know")
    entered, left = read.required_day("lrrq"), read.day("ycrq")
    if (read.text("ycyy") is not None) != (left is not None):
        raise RowRejected("STATE_DATES", "ycrq and ycyy disagree about whether the firm has been taken off")
    if left is not None and left < entered:
        raise RowRejected("DATES_CROSSED", "the firm was taken off before it was entered")
    if max(entered, left or entered) > today:
        raise RowRejected("DATE_FUTURE", "the firm is entered or taken off on a day that lies ahead")
    values: dict[str, object] = {
        "record_type": "ABNORMAL_OPERATION",
        "title": f"列入经营异常名录:{ground}",
        "document_number": read.number("lrwh"),
        "authority_name": read.required("lrjg"),
        "authority_uscc": read.text("lrjgdm"),
        "decided_on": entered,
        "valid_from": entered,
        "valid_to": left,
        # Its class follows from this (rulesets.toml).
        "categories": ["经营异常名录"],
    }
    return values, left is not None


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The register as the settings describe it. Raises ValueError naming a setting that is missing."""
    return Registry(Platform(account(settings, "HUB_REGISTRY"), tools), tools)
