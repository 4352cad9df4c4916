"""Market regulation: the base register of organizations and its serious dishonesty list, on the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from connectors.contract import (
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
from connectors.counterparty import fold
from connectors.listing import listing
from connectors.platform import Platform, account, platform_settings
from connectors.pull import Service, pull
from connectors.reading import Reader, kind_of

REGISTRATION = "SCJG-DJ"
SERIOUS = "SCJG-YZWF"
PROVIDER = "青海省市场监督管理局"
PROVIDER_CODE = "11630000MAFJN24E23"

SOURCE = Source(
    name="MARKET_REGULATION",
    title_zh="市场监管",
    title_en="Market regulation",
    provider_name=PROVIDER,
    provider_code=PROVIDER_CODE,
    items=(
        CatalogItem(REGISTRATION, "登记注册基本信息", Kind.REGISTRATION, "D1"),
        CatalogItem(SERIOUS, "严重违法失信名单", Kind.LIST_ENTRY, "D10"),
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


class Registry:
    """The register, ready to be pulled."""

    source = SOURCE

    def __init__(self, platform: Platform) -> None:
        """Pull on `platform`."""
        self._platform = platform

    def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the register, then of the list. Raises SourceError."""
        return pull(self._platform, SOURCE.name, _SERVICES, cursor)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The register is pulled, not asked by key. Raises Refused."""
        raise Refused("the register is harvested, not asked by key")

    def canonical(self, row: RawRow) -> Item:
        """The registration or list entry that `row` states. Raises RowRejected."""
        read = Reader(row)
        code, name = read.required_code("tyshxydm"), read.required("qymc")
        updated, deleted = read.moment("gxsj"), read.text("scbz") == "1"
        if row.origin.endswith(SERIOUS):
            subject = SubjectRef(kind_of(code), name, (("USCC", code),))
            values = listing(read, "SCJG-BLACK", "BLACK")
            record_id = f"{SERIOUS}:{fold(code)}:{values['decision_number']}"
            return Item(Kind.LIST_ENTRY, record_id, SERIOUS, subject, values, updated, deleted, read.flags)
        kind = _KINDS.get(read.required("ztlx"))
        if kind is None:
            raise RowRejected("UNKNOWN_VALUE", "ztlx is a kind of entity that is not known")
        state = read.required("djzt")
        if state not in _STATES:
            raise RowRejected("UNKNOWN_VALUE", "djzt is a state of registration that is not known")
        region = read.text("xzqh")
        identifiers = [("USCC", code)]
        if number := read.code("zch"):
            identifiers.append(("BUSINESS_REG_NO", number))
        subject = SubjectRef(kind, name, tuple(identifiers), region)
        values = {
            "display_name": name,
            "registration_status": state,
            "region_code": region,
            "established_on": read.day("clrq"),
            "industry_code": read.text("hydm"),
            "legal_representative_name": read.text("fddbr"),
            "address": read.text("zs"),
            "phone": read.text("lxdh"),
        }
        record_id = f"{REGISTRATION}:{fold(code)}"
        return Item(Kind.REGISTRATION, record_id, REGISTRATION, subject, values, updated, deleted, read.flags)

    async def close(self) -> None:
        """Close the connections."""
        await self._platform.close()


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The register as the settings describe it. Raises ValueError naming a setting that is missing."""
    return Registry(Platform(account(settings, "HUB_REGISTRY"), tools))
