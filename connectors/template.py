"""The national 双公示 templates (发改办财金〔2018〕424号): columns, titles, lengths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from connectors.files import FileUnusable, fold_title


@dataclass(frozen=True)
class Column:
    """A data item (数据项): code, Chinese title, greatest length in characters; None: no text."""

    code: str
    title: str
    length: int | None = None
    required: bool = False


@dataclass(frozen=True)
class Template:
    """A file format: its columns by code. `legacy` maps codes of 2016 to those of today."""

    name: str  # XK or CF
    columns: Mapping[str, Column]
    legacy: Mapping[str, str]
    # What every header of this template has; the national and the legacy code of the counterparty's name.
    marks: frozenset[str]

    @cached_property
    def lengths(self) -> Mapping[str, int]:
        """The greatest lengths of the columns with texts."""
        return {column.code: column.length for column in self.columns.values() if column.length is not None}

    @cached_property
    def known(self) -> frozenset[str]:
        """Every code, of today and of 2016."""
        return frozenset(self.columns) | frozenset(self.legacy)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may leave empty."""
        return tuple(column.code for column in self.columns.values() if column.required)

    def code_of(self, cell: str) -> str | None:
        """The code that a header cell names, by code (in any case) or by title; None when it names none."""
        folded = fold_title(cell)
        if folded in self.columns or folded in self.legacy:
            return folded
        return _TITLES[self.name].get(folded)


def _subject(prefix: str) -> tuple[Column, ...]:
    """The columns that both templates begin with: who the decision is about."""
    return (
        Column(f"{prefix}_XDR_MC", "行政相对人名称", 200, True),
        Column(f"{prefix}_XDR_LB", "行政相对人类别", 16, True),
        Column(f"{prefix}_XDR_SHXYM", "行政相对人代码_1(统一社会信用代码)", 64),
        Column(f"{prefix}_XDR_GSZC", "行政相对人代码_2(工商注册号)", 50),
        Column(f"{prefix}_XDR_ZZJG", "行政相对人代码_3(组织机构代码)", 64),
        Column(f"{prefix}_XDR_SWDJ", "行政相对人代码_4(税务登记号)", 64),
        Column(f"{prefix}_XDR_SYDW", "行政相对人代码_5(事业单位证书号)", 12),
        Column(f"{prefix}_XDR_SHZZ", "行政相对人代码_6(社会组织登记证号)", 50),
        Column(f"{prefix}_FRDB", "法定代表人", 50),
        Column(f"{prefix}_FR_ZJLX", "法定代表人证件类型", 64),
        Column(f"{prefix}_FR_ZJHM", "法定代表人证件号码", 64),
        Column(f"{prefix}_XDR_ZJLX", "自然人证件类型", 64),
        Column(f"{prefix}_XDR_ZJHM", "自然人证件号码", 64),
    )


# Met in real deliveries beside the standard's columns: scope of use, gravity, code of the power, procedure, publicity.
_ADDITIONS = (
    Column("PUBLICSTATUS", "公示状态", 16),
    Column("PUBLIC_END_DATE", "公示截止日期", None),
    Column("撤销原因", "撤销原因", 2000),
    Column("DISCREDIT_LEVEL", "失信严重程度", 16),
    Column("CASE_PROCESS_TYPE", "处罚程序", 16),
    Column("DFBM", "地方编码", 6),
    Column("SJC", "数据更新时间戳", 32),
    Column("BZ", "备注", 512),
)

_LICENSE = (
    *_subject("XK"),
    Column("XK_XKWS", "行政许可决定文书名称", 64, True),
    Column("XK_WSH", "行政许可决定文书号", 64),
    Column("XK_XKLB", "许可类别", 256, True),
    Column("XK_XKZS", "许可证书名称", 64),
    Column("XK_XKBH", "许可编号", 64),
    Column("XK_NR", "许可内容", 4000, True),
    Column("XK_JDRQ", "许可决定日期", None, True),
    Column("XK_YXQZ", "有效期自", None),
    Column("XK_YXQZI", "有效期至", None),
    Column("XK_XKJG", "许可机关", 200, True),
    Column("XK_XKJGDM", "许可机关统一社会信用代码", 64, True),
    Column("XK_ZT", "当前状态", 8, True),
    Column("XK_LYDW", "数据来源单位", 200, True),
    Column("XK_LYDWDM", "数据来源单位统一社会信用代码", 64, True),
    Column("XK_SYFW", "信息使用范围", 16),
    *_ADDITIONS,
)
_PENALTY = (
    *_subject("CF"),
    Column("CF_WSH", "行政处罚决定文书号", 128, True),
    Column("CF_WFXW", "违法行为类型", 2000, True),
    Column("CF_SY", "违法事实", 5000, True),
    Column("CF_YJ", "处罚依据", 2048, True),
    Column("CF_CFLB", "处罚类别", 256, True),
    Column("CF_NR", "处罚内容", 4000, True),
    Column("CF_NR_FK", "罚款金额(万元)", None),
    Column("CF_NR_WFFF", "没收违法所得、没收非法财物的金额(万元)", None),
    Column("CF_NR_ZKDX", "暂扣或吊销证照名称及编号", 200),
    Column("CF_JDRQ", "处罚决定日期", None, True),
    Column("CF_YXQ", "处罚有效期", None),
    Column("CF_GSJZQ", "公示截止期", None),
    Column("CF_CFJG", "处罚机关", 200, True),
    Column("CF_CFJGDM", "处罚机关统一社会信用代码", 64, True),
    Column("CF_SJLY", "数据来源单位", 200, True),
    Column("CF_SJLYDM", "数据来源单位统一社会信用代码", 64, True),
    # Of 2016, and met beside the columns of today.
    Column("CF_ZT", "当前状态", 8),
    Column("CF_SYFW", "信息使用范围", 16),
    *_ADDITIONS,
)


def _legacy(prefix: str) -> dict[str, str]:
    return {
        f"{prefix}_XDR": f"{prefix}_XDR_MC",
        f"{prefix}_XDR_ZDM": f"{prefix}_XDR_ZZJG",
        f"{prefix}_XDR_GSDJ": f"{prefix}_XDR_GSZC",
        f"{prefix}_XDR_SFZ": f"{prefix}_XDR_ZJHM",
        f"{prefix}_FR": f"{prefix}_FRDB",
        f"{prefix}_FR_SFZH": f"{prefix}_FR_ZJHM",
    }


LICENSE = Template(
    "XK",
    MappingProxyType({column.code: column for column in _LICENSE}),
    MappingProxyType(
        {
            **_legacy("XK"),
            "XK_XMMC": "XK_XKWS",
            "XK_SPLB": "XK_XKLB",
            "XK_JZQ": "XK_YXQZI",
            "XK_XZJG": "XK_XKJG",
        }
    ),
    frozenset({"XK_XDR_MC", "XK_XDR"}),
)
PENALTY = Template(
    "CF",
    MappingProxyType({column.code: column for column in _PENALTY}),
    MappingProxyType(
        {
            **_legacy("CF"),
            "CF_CFMC": "CF_CFMC",
            "CF_CFLB1": "CF_CFLB",
            "CF_CFLB2": "CF_CFLB2",
            "CF_JG": "CF_NR",
            "CF_XZJG": "CF_CFJG",
        }
    ),
    frozenset({"CF_XDR_MC", "CF_XDR"}),
)
TEMPLATES = (LICENSE, PENALTY)

# Titles as they stand above the columns of spreadsheets, long and short, folded.
_SHORT = {
    "行政相对人代码_1": "XDR_SHXYM",
    "行政相对人代码_2": "XDR_GSZC",
    "行政相对人代码_3": "XDR_ZZJG",
    "行政相对人代码_4": "XDR_SWDJ",
    "行政相对人代码_5": "XDR_SYDW",
    "行政相对人代码_6": "XDR_SHZZ",
    "统一社会信用代码": "XDR_SHXYM",
    "行政相对人统一社会信用代码": "XDR_SHXYM",
    "工商注册号": "XDR_GSZC",
    "组织机构代码": "XDR_ZZJG",
    "税务登记号": "XDR_SWDJ",
    "事业单位证书号": "XDR_SYDW",
    "社会组织登记证号": "XDR_SHZZ",
    "证件类型": "XDR_ZJLX",
    "证件号码": "XDR_ZJHM",
}
_TITLES = {
    template.name: {
        **{title: f"{template.name}_{code}" for title, code in _SHORT.items()},
        **{fold_title(column.title): column.code for column in template.columns.values()},
    }
    for template in TEMPLATES
}

# What stands in brackets behind a title, or behind the number of a code.
_BRACKETS = re.compile(r"[(\[【].*")
# Titles without their brackets: a column called like this may be that of the template, or mean something else.
_BARE = {
    name: {_BRACKETS.sub("", title): code for title, code in titles.items()}
    for name, titles in _TITLES.items()
}

# Columns with numbers of persons, never kept in clear (PIPL art. 28). A tax number may be one.
PERSON_NUMBERS = frozenset(
    f"{prefix}_{name}"
    for prefix in ("XK", "CF")
    for name in ("XDR_ZJHM", "FR_ZJHM", "XDR_SFZ", "FR_SFZH", "XDR_SWDJ")
)
# Columns that only files of 2016 have: their rows lack what the standard of 2018 added.
LEGACY_MARKS = frozenset({"XK_XDR", "XK_XMMC", "XK_SPLB", "CF_XDR", "CF_CFMC", "CF_CFLB1", "CF_JG"})
# What a legacy row has instead of the full set of required columns.
LEGACY_REQUIRED = MappingProxyType(
    {
        "XK": ("XK_XDR_MC", "XK_XKWS", "XK_NR", "XK_JDRQ", "XK_XKJG"),
        "CF": ("CF_XDR_MC", "CF_WSH", "CF_SY", "CF_YJ", "CF_NR", "CF_JDRQ", "CF_CFJG"),
    }
)

# A line with fewer columns of a template is no header of it.
_RECOGNIZED = 3


def header_names(cells: Sequence[str]) -> Sequence[str] | None:
    """The codes of a header, unknown titles as they stand; None: no header, or not for certain of which template.

    Both templates share titles: the one that knows more of the columns is meant, of two that know as many neither.
    Raises FileUnusable for a header with a column that may be one of the template: its values are not passed over.
    """
    found = [([template.code_of(cell) for cell in cells], template) for template in TEMPLATES]
    known = [len({code for code in codes if code is not None}) for codes, _ in found]
    most = max(known)
    if most < _RECOGNIZED or known.count(most) > 1:
        return None
    codes, template = found[known.index(most)]
    if not template.marks.intersection(code for code in codes if code is not None):
        return None
    if most < sum(code is not None for code in codes):
        return None  # two columns of one code: which of them counts is not for us to guess
    for cell, code in zip(cells, codes, strict=True):
        near = _BARE[template.name].get(_BRACKETS.sub("", fold_title(cell))) if code is None else None
        if near is not None and near not in codes:
            title = template.columns[near].title
            raise FileUnusable(
                "FILE_HEADER",
                f"the column {title} ({near}) has something else in brackets, which may change what it means;"
                " give it the title of the template",
            )
    return [cell.strip() if code is None else code for cell, code in zip(cells, codes, strict=True)]


def template_of(fields: Mapping[str, str | None]) -> Template | None:
    """The template a row belongs to, by its column names."""
    return next((template for template in TEMPLATES if template.marks & fields.keys()), None)
