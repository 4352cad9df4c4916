"""Foreign exchange (SAFE): classes of the goods-trade registry, in files that the local bureau drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from connectors.contract import (
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Retention,
    RowRejected,
    Setting,
    Source,
    SubjectRef,
    Tools,
)
from connectors.counterparty import fold
from connectors.drop import FileConnector, drop_directory
from connectors.files import delivered_on, doubled, fold_title, reject_defect
from connectors.reading import Reader, kind_of

CLASS = "WH-CLASS"
ISSUER = "国家外汇管理局青海省分局"
ISSUER_CODE = "11630000MAFXDU4E7X"

SOURCE = Source(
    name="FOREIGN_EXCHANGE",
    title_zh="外汇",
    provider_name=ISSUER,
    provider_code=ISSUER_CODE,
    items=(CatalogItem(CLASS, "贸易外汇收支企业分类", Kind.GRADE, "D19"),),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.QUARTERLY,
    settings=(
        Setting("HUB_FOREX_DIR", "Drop directory of foreign exchange class files, each with a control file"),
    ),
)

_TITLES = {
    "统一社会信用代码": "TYSHXYDM",
    "企业名称": "QYMC",
    "分类级别": "FLJB",
    "分类起始日期": "QSRQ",
    "分类到期日期": "DQRQ",
    "状态": "ZT",
    "文号": "WH",
}
_CLASSES = frozenset("ABC")
_REVOKED = "撤销"


def header(cells: Sequence[str]) -> Sequence[str] | None:
    """The column codes of the list's header; None: no header."""
    codes = [_TITLES.get(title, title) for title in map(fold_title, cells)]
    return codes if set(_TITLES.values()) <= set(codes) and not doubled(codes, _TITLES.values()) else None


class Forex(FileConnector):
    """The drop directory of the registry's classes."""

    source = SOURCE

    def canonical(self, row: RawRow) -> Item:
        """The class that `row` states. Raises RowRejected."""
        reject_defect(row)
        read = Reader(row)
        code, since = read.required_code("TYSHXYDM"), read.required_day("QSRQ")
        read.required("ZT")
        revoked = read.says("ZT", (_REVOKED,), ("有效",)) is True
        # Of what is withdrawn only the name counts: a row that was wrong is withdrawn as it stands.
        values = {} if revoked else _class(read, since)
        subject = SubjectRef(kind_of(code), read.required("QYMC"), (("USCC", code),))
        record_id = f"{CLASS}:{fold(code)}:{since.isoformat()}"
        # The list has no column that says when a row changed.
        updated = delivered_on(row.origin)
        return Item(Kind.GRADE, record_id, CLASS, subject, values, updated, revoked, read.flags)

    def withdrawn(self, row: RawRow) -> Item:
        """What names the class of a row that was not understood. Raises RowRejected."""
        return self.canonical(replace(row, fields={**row.fields, "ZT": _REVOKED}))


def _class(read: Reader, since: date) -> dict[str, object]:
    grade, until = read.required("FLJB").removesuffix("类"), read.day("DQRQ")
    if grade not in _CLASSES:
        raise RowRejected("UNKNOWN_GRADE", "FLJB is none of A, B and C")
    if until is not None and until < since:
        raise RowRejected("DATES_CROSSED", "DQRQ lies before QSRQ")
    return {
        "scheme": "SAFE",
        "grade_code": grade,
        "grade_label": f"{grade}类",
        "ruleset_version": "SAFE-2012",  # 货物贸易外汇管理指引(汇发〔2012〕38号)
        "issuer_name": ISSUER,
        "issuer_uscc": ISSUER_CODE,
        "effective_from": since,
        "effective_to": until,
    }


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The drop directory that the settings name. Raises ValueError when they name none."""
    return Forex(drop_directory(settings, "HUB_FOREX_DIR", header, tools))
