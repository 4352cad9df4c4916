"""Customs (西宁海关): credit levels and public anomalies, asked live on the data-sharing platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

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
from connectors.counterparty import fold
from connectors.grading import level
from connectors.platform import Platform, account, platform_settings
from connectors.reading import Reader, json_raw, kind_of

LEVEL = "HG-LEVEL"
ANOMALY = "HG-ANOMALY"
ISSUER = "西宁海关"
ISSUER_CODE = "11630000MAF1YA4E8H"

SOURCE = Source(
    name="CUSTOMS",
    title_zh="海关",
    provider_name=ISSUER,
    provider_code=ISSUER_CODE,
    items=(
        CatalogItem(LEVEL, "海关企业信用等级", Kind.GRADE, "D14"),
        CatalogItem(ANOMALY, "海关企业异常信息", Kind.GENERIC, "D14"),
    ),
    key_scheme="USCC",
    mode=Mode.LIVE,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=platform_settings("HUB_CUSTOMS", "customs"),
)


@dataclass(frozen=True)
class _Service:
    """A service on the platform and its own codes for "no data"."""

    id: str
    no_data: frozenset[str]


_SERVICES = {
    LEVEL: _Service("s_1263000000000_0421", frozenset({"200404"})),
    ANOMALY: _Service("s_1263000000000_0422", frozenset({"4040"})),
}
_MOST_KEYS = 100
# Personal data that the services give without being asked.
_DROPPED = ("fddbrsfzh",)


class Customs:
    """Customs, ready to be asked."""

    source = SOURCE

    def __init__(self, platform: Platform, tools: Tools) -> None:
        """Ask on `platform`."""
        self._platform, self._tools = platform, tools

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Nothing: customs answers for named traders only."""
        nothing: tuple[Batch, ...] = ()
        for batch in nothing:
            yield batch

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The rows of `items` for each USCC, in calls of at most 100 codes. Raises SourceError."""
        unknown = set(items) - set(_SERVICES)
        if unknown:
            raise Refused(f"customs has no item {min(unknown)}")
        found: dict[str, list[RawRow]] = {key: [] for key in keys}
        calls = [
            (item, list(keys[start : start + _MOST_KEYS]))
            for item in items
            for start in range(0, len(keys), _MOST_KEYS)
        ]
        answers = await asyncio.gather(*(self._ask(item, some) for item, some in calls))
        for (item, some), rows in zip(calls, answers, strict=True):
            for row in rows:
                code = fold(str(row.get("tyshxydm", "")))
                # A row about nobody we asked for goes to all keys of its call: the hub distrusts them.
                for key in [code] if code in some else some:
                    found[key].append(json_raw(f"{SOURCE.name}/{item}", str(row.get("lsh")), row, _DROPPED))
        return found

    async def _ask(self, item: str, keys: list[str]) -> Sequence[Mapping[str, object]]:
        service = _SERVICES[item]
        return await self._platform.call(service.id, {"tyshxydm": keys}, service.no_data)

    def canonical(self, row: RawRow) -> Item:
        """The level or anomaly that `row` states. Raises RowRejected."""
        read = Reader(row)
        item = row.origin.rpartition("/")[2]
        customs_code = read.required("hgzcbm")
        code = read.required("tyshxydm")
        subject = SubjectRef(
            kind=kind_of(code),
            name=read.required("qymc"),
            identifiers=(("USCC", code), ("CUSTOMS_CODE", customs_code)),
            region_code=read.text("xzqh"),
        )
        record_id, updated = f"{item}:{read.required('lsh')}", read.moment("gxsj")
        today = self._tools.now().astimezone(SHANGHAI).date()
        if item == ANOMALY:
            words, entered, left = read.required("ycxx"), read.past_day("lrrq", today), read.day("ycrq")
            values: dict[str, object] = {
                "record_type": "CUSTOMS_ANOMALY",
                "title": words,
                "authority_name": ISSUER,
                "authority_uscc": ISSUER_CODE,
                "decided_on": entered,
                "valid_from": entered,
                "valid_to": left,
                "seriousness": "UNCLASSIFIED",
                "details": {"customs_code": customs_code, "flags": list(read.flags)},
            }
            # Whoever is to be taken off some day is still listed.
            over = left is not None and left <= today
            return Item(Kind.GENERIC, record_id, ANOMALY, subject, values, updated, over, read.flags)
        label, recognized = read.required("xydj"), read.past_day("rdrq", today)
        grade, version = level(SOURCE.name, label, recognized)
        ended = read.day("jsrq")
        if ended is not None and ended < recognized:
            raise RowRejected("DATES_CROSSED", "the level ended before it was recognized")
        values = {
            "scheme": "CUSTOMS",
            "grade_code": grade,
            "grade_label": label,
            "ruleset_version": version,
            "issuer_name": ISSUER,
            "issuer_uscc": ISSUER_CODE,
            "effective_from": recognized,
            "effective_to": ended,
        }
        return Item(Kind.GRADE, record_id, LEVEL, subject, values, updated, False, read.flags)

    async def close(self) -> None:
        """Close the connections."""
        await self._platform.close()


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """Customs as the settings describe it. Raises ValueError naming a setting that is missing."""
    return Customs(Platform(account(settings, "HUB_CUSTOMS"), tools), tools)
