"""Foreign investment information reports: dropped files, the public part and the restricted part apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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

PUBLIC = "WZ-PUBLIC"
RESTRICTED = "WZ-RESTRICTED"
KEEPER = "青海省商务厅"
KEEPER_CODE = "11630000000015122A"

SOURCE = Source(
    name="FOREIGN_INVESTMENT",
    title_zh="外商投资",
    provider_name=KEEPER,
    provider_code=KEEPER_CODE,
    items=(
        CatalogItem(PUBLIC, "外商投资信息报告(公示部分)", Kind.ARCHIVE, "D20"),
        CatalogItem(RESTRICTED, "外商投资信息报告(非公示部分)", Kind.ARCHIVE, "D21"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.WEEKLY,
    settings=(
        Setting("HUB_INVESTMENT_DIR", "Drop directory of foreign investment files, each with a control file"),
    ),
)

# What both kinds of file have, and what each adds: column → label.
_COMMON = {
    "BGBH": "报告编号",
    "BGLX": "报告类型",
    "QYMC": "企业名称",
    "TYSHXYDM": "统一社会信用代码",
    "BGRQ": "报告日期",
    "YXBZ": "有效标志",
    "GXSJ": "更新时间",
}
_PUBLIC = {"TZZMC": "投资者名称", "TZZGB": "投资者国别(地区)", "CZBL": "出资比例(%)", "YQBZ": "逾期报告"}
_RESTRICTED = {
    "SJKZR": "实际控制人",
    "ZCZB": "注册资本(万美元)",
    "SJCZ": "实缴出资(万美元)",
    "SJKZRZJHM": "实际控制人证件号码",
}
# The number of the actual controller is in the file and goes no further (PIPL art. 28).
_SECRET = frozenset({"SJKZRZJHM"})
_AMOUNTS = frozenset({"ZCZB", "SJCZ"})
_KINDS = {"01": "初始报告", "02": "变更报告", "03": "注销报告", "04": "年度报告"}
_TITLES = {fold_title(title): code for code, title in {**_COMMON, **_PUBLIC, **_RESTRICTED}.items()}
# In ten thousand US dollars: nothing in the province is near it, so a greater figure was written in dollars.
_MOST = 10_000_000


def header(cells: Sequence[str]) -> Sequence[str] | None:
    """The column codes of a header of either part, by code or by Chinese title; None: no header."""
    codes = [_TITLES.get(title, title) for title in map(fold_title, cells)]
    known = set(codes)
    if doubled(codes, _TITLES.values()):
        return None
    if _COMMON.keys() - {"GXSJ"} <= known and (
        _PUBLIC.keys() <= known or _RESTRICTED.keys() - _SECRET <= known
    ):
        return codes
    return None


class Investment(FileConnector):
    """The drop directory of foreign investment reports."""

    source = SOURCE

    def canonical(self, row: RawRow) -> Item:
        """The part of a report that `row` states. Raises RowRejected."""
        reject_defect(row)
        read = Reader(row)
        public = "TZZMC" in row.fields
        item, extra = (PUBLIC, _PUBLIC) if public else (RESTRICTED, _RESTRICTED)
        number, code = read.number("BGBH"), read.required_code("TYSHXYDM")
        kind = _KINDS.get(read.required("BGLX"), read.required("BGLX"))
        if kind not in _KINDS.values():
            raise RowRejected("UNKNOWN_VALUE", "BGLX is none of the four kinds of report")
        read.required("YXBZ")
        deleted = read.says("YXBZ") is False
        reported, updated = read.required_day("BGRQ"), read.moment("GXSJ")
        items: list[dict[str, str | None]] = [
            {"code": "BGBH", "label": "报告编号", "value": number},
            {"code": "BGLX", "label": "报告类型", "value": kind},
        ]
        for column, label in extra.items():
            # Of a report that is withdrawn only the name counts: one that was wrong is withdrawn as it stands.
            if column not in _SECRET and not deleted:
                items.append({"code": column, "label": label, "value": _value(read, column)})
        values: dict[str, object] = {
            "archive_type": "FDI_REPORT" if public else "FDI_REPORT_RESTRICTED",
            "origin_class": "PUBLIC_CREDIT",
            "keeper_name": KEEPER,
            "keeper_uscc": KEEPER_CODE,
            "opened_on": reported,
            "last_updated_on": updated.date() if updated else reported,
            "items": items,
        }
        subject = SubjectRef(kind_of(code), read.required("QYMC"), (("USCC", code),))
        record_id = f"{item}:{fold(code)}:{number}"
        changed = updated or delivered_on(row.origin)
        return Item(Kind.ARCHIVE, record_id, item, subject, values, changed, deleted, read.flags)

    def withdrawn(self, row: RawRow) -> Item:
        """What names the report of a row that was not understood. Raises RowRejected."""
        return self.canonical(replace(row, fields={**row.fields, "YXBZ": "0"}))


def _value(read: Reader, column: str) -> str | None:
    if column in _AMOUNTS or column == "CZBL":
        amount = read.percentage(column) if column == "CZBL" else read.amount(column)
        if amount is not None and (amount < 0 or amount >= (_MOST if column in _AMOUNTS else 101)):
            raise RowRejected("AMOUNT_UNIT", f"{column} cannot be in the unit of its column")
        return None if amount is None else str(amount)
    text = read.text(column)
    if column == "YQBZ":
        overdue = read.says(column, ("1", "是"), ("0", "否"))
        return None if overdue is None else "是" if overdue else "否"
    return text


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The drop directory that the settings name. Raises ValueError when they name none."""
    return Investment(drop_directory(settings, "HUB_INVESTMENT_DIR", header, tools, _SECRET))
