"""The department's own registers, as dropped files: prepaid cards (R10.3), refined oil, traceability (R10.2), and others.

Others: domestic service and outbound investment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

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

KEEPER = "青海省商务厅"
KEEPER_CODE = "11630000000015122A"
_PERIOD = re.compile(r"(?:19|20)\d\d(?:Q[1-4]|-(?:0[1-9]|1[0-2]))", re.ASCII).fullmatch


@dataclass(frozen=True)
class Column:
    """A column that is shown: its code and title, and how its value is read (see `_READ`)."""

    code: str
    title: str
    kind: str = "TEXT"
    # The only values that it may have; empty: any.
    choices: tuple[str, ...] = ()
    # Amounts, counts and percentages above it are slips of the unit.
    most: int = 100
    required: bool = False


def _exit_grounded(read: Reader, delivered: date | None) -> None:
    """R12.3: domestic service has no licence, so leaving the trade is a status that has a basis and a day."""
    left, told = read.text("HYZT") == "已退出", [read.text(name) for name in ("TCFS", "TCYJ", "TCRQ")]
    if left and None in told:
        raise RowRejected(
            "EXIT_WITHOUT_BASIS", "an exit from the trade has a kind, a basis and a day (R12.3)"
        )
    if not left and any(told):
        raise RowRejected("EXIT_WITHOUT_STATUS", "a firm in business has no exit from the trade (R12.3)")
    if left and delivered is not None:
        read.past_day("TCRQ", delivered)


def _reported_soundly(read: Reader, _: date | None) -> None:
    """R10.2: no more batches are reported than were due."""
    due, reported = read.amount("YBPC"), read.amount("SBPC")
    if due is not None and reported is not None and reported > due:
        raise RowRejected("FIGURES_CROSSED", "SBPC is more than YBPC")


def _always(_: Reader, __: date | None) -> None:
    """Nothing to agree on."""


@dataclass(frozen=True)
class Form:
    """One register's file: what it holds beside the columns of all, in their order."""

    item: str
    name: str
    archive_type: str
    data_class: str
    # The first one numbers the record at its register, the second says since when it is there.
    columns: tuple[Column, ...]
    # Columns that name the record together with its number.
    key: tuple[str, ...] = ()
    # Raises RowRejected for a row whose columns do not agree with each other, or with the day on which it was delivered.
    check: Callable[[Reader, date | None], None] = _always

    @cached_property
    def codes(self) -> frozenset[str]:
        """All columns that a file of this form has."""
        return frozenset(_COMMON) | {column.code for column in self.columns}

    @property
    def period_code(self) -> str:
        """The column that says of what period the row tells; empty: none does."""
        return next((column.code for column in self.columns if column.kind == "PERIOD"), "")


# What every file has.
_COMMON = {"QYMC": "企业名称", "TYSHXYDM": "统一社会信用代码", "YXBZ": "有效标志", "GXSJ": "更新时间"}
# The number of the person in charge is in the files of domestic service and goes no further (PIPL art. 28).
_SECRET = {"FZRZJHM": "负责人证件号码"}
_VALID = ("有效", "暂停", "注销", "撤销", "吊销")
FORMS = (
    Form(
        "YW-YFK-BA", "单用途预付卡发卡企业备案", "PREPAID_ISSUER", "D30",
        (
            Column("BAH", "备案编号", required=True),
            Column("BARQ", "备案日期", "DAY", required=True),
            Column("FKLX", "发卡企业类型", choices=("集团发卡企业", "品牌发卡企业", "规模发卡企业", "其他发卡企业"), required=True),
            Column("KZ", "卡种"),
            Column("BAJG", "备案机关"),
            Column("BAZT", "备案状态", choices=_VALID, required=True),
        ),
    ),
    Form(
        "YW-YFK-YE", "单用途预付卡资金季报", "PREPAID_BALANCE", "D31",
        (
            Column("YEBAH", "发卡备案编号", required=True),
            Column("BSRQ", "报送日期", "DAY", required=True),
            Column("JD", "季度", "PERIOD", required=True),
            Column("YSYE", "预收资金余额(万元)", "AMOUNT", most=100_000),
            Column("CGYE", "存管资金余额(万元)", "AMOUNT", most=100_000),
            Column("CGBL", "存管比例(%)", "PERCENT"),
            Column("SFAQ", "是否按期报送", choices=("是", "否"), required=True),
            Column("YJBZ", "预警标志", choices=("正常", "预警")),
        ),
    ),
    Form(
        "YW-CPY", "成品油经营企业名录", "REFINED_OIL", "D32",
        (
            Column("ZSBH", "证书或备案编号", required=True),
            Column("PZRQ", "批准日期", "DAY", required=True),
            Column("YWLX", "业务类型", choices=("零售许可", "批发备案", "仓储备案"), required=True),
            Column("ZDMC", "站点名称"),
            Column("ZDDZ", "站点地址"),
            Column("YXQZ", "有效期至", "DAY"),
            Column("ZSZT", "证书状态", choices=_VALID, required=True),
            Column("NDJC", "年度检查", choices=("合格", "不合格", "未参加")),
        ),
    ),
    Form(
        "YW-ZS", "商品追溯档案", "TRACEABILITY", "D31",
        (
            Column("JDBM", "节点编码", required=True),
            Column("JRRQ", "接入日期", "DAY", required=True),
            Column("JDLX", "节点类型", choices=("屠宰", "批发", "农贸市场", "超市", "团体消费"), required=True),
            Column("SPLB", "商品类别", required=True),
            Column("TJQ", "统计期", "PERIOD", required=True),
            Column("YBPC", "应报批次", "COUNT", most=1_000_000),
            Column("SBPC", "实报批次", "COUNT", most=1_000_000),
            Column("FGL", "追溯码覆盖率(%)", "PERCENT"),
            Column("LBTS", "漏报天数", "COUNT", most=366),
        ),
        key=("SPLB",), check=_reported_soundly,
    ),
    Form(
        "YW-JZ", "家政服务企业信用档案", "DOMESTIC_AGENCY", "D28",
        (
            Column("JZBH", "家政信用档案编号", required=True),
            Column("JDRQ", "建档日期", "DAY", required=True),
            Column("FWLB", "服务类别"),
            Column("RYS", "从业人员数", "COUNT", most=100_000),
            Column("CZRS", "居家上门服务证持证人数", "COUNT", most=100_000),
            Column("RY", "荣誉"),
            Column("HYZT", "行业状态", choices=("在业", "已退出"), required=True),
            Column("TCFS", "退出方式", choices=("名单退出", "登记终止", "协会除名")),
            Column("TCYJ", "退出依据"),
            Column("TCRQ", "退出日期", "DAY"),
        ),
        check=_exit_grounded,
    ),
    Form(
        "YW-DWTZ-ZS", "企业境外投资证书", "OUTBOUND_CERTIFICATE", "D22",
        (
            Column("TZZSH", "境外投资证书号", required=True),
            Column("FZRQ", "发证日期", "DAY", required=True),
            Column("JWQY", "境外企业名称", required=True),
            Column("GBDQ", "国别(地区)", required=True),
            Column("GLFS", "管理方式", choices=("备案", "核准"), required=True),
            Column("TZZT", "境外投资证书状态", choices=_VALID, required=True),
        ),
    ),
    Form(
        "YW-DWTZ-XM", "境外投资项目明细", "OUTBOUND_PROJECT", "D23",
        (
            Column("XMZSH", "项目证书号", required=True),
            Column("XMRQ", "项目日期", "DAY", required=True),
            Column("TZE", "中方投资额(万美元)", "AMOUNT", most=1_000_000),
            Column("XMNR", "项目内容"),
            Column("NDTJ", "年度统计报告", choices=("已报", "未报")),
        ),
    ),
)  # fmt: skip
_TITLES = {
    fold_title(title): code
    for code, title in (
        *_COMMON.items(),
        *_SECRET.items(),
        *((column.code, column.title) for form in FORMS for column in form.columns),
    )
}

SOURCE = Source(
    name="COMMERCE_REGISTERS",
    title_zh="商务业务系统",
    provider_name=KEEPER,
    provider_code=KEEPER_CODE,
    items=tuple(CatalogItem(form.item, form.name, Kind.ARCHIVE, form.data_class) for form in FORMS),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.WEEKLY,
    settings=(
        Setting(
            "HUB_REGISTERS_DIR", "Drop directory of the department's registers, each file with a control file"
        ),
    ),
)


def header(cells: Sequence[str]) -> Sequence[str] | None:
    """The column codes of a header of one of the forms, by code or by Chinese title; None: no header."""
    codes = [_TITLES.get(title, title) for title in map(fold_title, cells)]
    return (
        codes if any(form.codes <= set(codes) and not doubled(codes, form.codes) for form in FORMS) else None
    )


class Registers(FileConnector):
    """The drop directory of the department's registers."""

    source = SOURCE

    def canonical(self, row: RawRow) -> Item:
        """The part of an archive that `row` states. Raises RowRejected."""
        reject_defect(row)
        form = next((one for one in FORMS if one.codes <= row.fields.keys()), None)
        if form is None:
            raise RowRejected("UNKNOWN_FORM", "the row has the columns of none of the registers")
        read = Reader(row)
        code = read.required_code("TYSHXYDM")
        read.required("YXBZ")
        deleted = read.says("YXBZ") is False
        # Of what is withdrawn only the name counts, and of which period it told: a row that was wrong is withdrawn as it stands.
        columns = [one for one in form.columns if not deleted or one.kind == "PERIOD"]
        shown = [{"code": one.code, "label": one.title, "value": _value(read, one)} for one in columns]
        updated, delivered = read.moment("GXSJ"), delivered_on(row.origin)
        if not deleted:
            form.check(read, delivered.date() if delivered else None)
        number = read.number(form.columns[0].code)
        opened = None if deleted else read.required_day(form.columns[1].code)
        values: dict[str, object] = {
            "archive_type": form.archive_type,
            "origin_class": "PUBLIC_CREDIT",
            "keeper_name": KEEPER,
            "keeper_uscc": KEEPER_CODE,
            "opened_on": opened,
            "last_updated_on": updated.date() if updated else None,
            "items": shown,
        }
        record_id = ":".join((form.item, fold(code), number, *(read.required(name) for name in form.key)))
        subject = SubjectRef(kind_of(code), read.required("QYMC"), (("USCC", code),))
        if len(record_id) > 200:
            raise RowRejected("NO_RECORD_ID", "the number of the record is too long")
        changed = updated or delivered
        return Item(
            Kind.ARCHIVE, record_id, form.item, subject, values, changed, deleted, read.flags, period_code=form.period_code
        )  # fmt: skip

    def withdrawn(self, row: RawRow) -> Item:
        """What names the record of a row that was not understood. Raises RowRejected."""
        return self.canonical(replace(row, fields={**row.fields, "YXBZ": "0"}))


def _value(read: Reader, column: Column) -> str | None:
    """The value as it is shown. Raises RowRejected for one that the column cannot have."""
    if column.required:
        read.required(column.code)
    if column.kind == "DAY":
        day = read.day(column.code)
        return day.isoformat() if day else None
    if column.kind in ("AMOUNT", "COUNT", "PERCENT"):
        number = read.percentage(column.code) if column.kind == "PERCENT" else read.amount(column.code)
        if number is None:
            return None
        if not 0 <= number <= column.most:
            raise RowRejected("AMOUNT_UNIT", f"{column.code} cannot be in the unit of its column")
        if column.kind == "COUNT" and number != number.to_integral_value():
            raise RowRejected("BAD_AMOUNT", f"{column.code} is no whole number")
        return str(int(number)) if column.kind == "COUNT" else f"{number.quantize(Decimal('0.01'))}"
    text = read.text(column.code)
    if text is not None and column.choices and text not in column.choices:
        raise RowRejected("UNKNOWN_VALUE", f"{column.code} is none of {'、'.join(column.choices)}")
    if text is not None and column.kind == "PERIOD" and not _PERIOD(text):
        raise RowRejected("BAD_DATE", f"{column.code} is no quarter or month")
    return text


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The drop directory that the settings name. Raises ValueError when they name none."""
    return Registers(drop_directory(settings, "HUB_REGISTERS_DIR", header, tools, frozenset(_SECRET)))
