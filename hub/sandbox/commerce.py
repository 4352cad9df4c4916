"""Sandbox of the commerce department: licence and penalty files in the national 双公示 format."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from hub.sandbox import dirt, drop
from hub.sandbox.facts import COMMERCE, Authority, License, Penalty, Subject
from hub.sandbox.province import FICTITIOUS, Province

# Header codes of 发改办财金〔2018〕424号, in its order.
LICENSE_COLUMNS = (
    "XK_XDR_MC XK_XDR_LB XK_XDR_SHXYM XK_XDR_GSZC XK_XDR_ZZJG XK_XDR_SWDJ XK_XDR_SYDW XK_XDR_SHZZ XK_FRDB"
    " XK_FR_ZJLX XK_FR_ZJHM XK_XDR_ZJLX XK_XDR_ZJHM XK_XKWS XK_WSH XK_XKLB XK_XKZS XK_XKBH XK_NR XK_JDRQ"
    " XK_YXQZ XK_YXQZI XK_XKJG XK_XKJGDM XK_ZT XK_LYDW XK_LYDWDM BZ"
)
PENALTY_COLUMNS = (
    "CF_XDR_MC CF_XDR_LB CF_XDR_SHXYM CF_XDR_GSZC CF_XDR_ZZJG CF_XDR_SWDJ CF_XDR_SYDW CF_XDR_SHZZ CF_FRDB"
    " CF_FR_ZJLX CF_FR_ZJHM CF_XDR_ZJLX CF_XDR_ZJHM CF_WSH CF_WFXW CF_SY CF_YJ CF_CFLB CF_NR CF_NR_FK"
    " CF_NR_WFFF CF_NR_ZKDX CF_JDRQ CF_YXQ CF_GSJZQ CF_CFJG CF_CFJGDM CF_SJLY CF_SJLYDM BZ"
    " CASE_PROCESS_TYPE DISCREDIT_LEVEL"
)
_KINDS = {"NATURAL_PERSON": "自然人", "INDIVIDUAL_BUSINESS": "个体工商户"}
_LEVELS = {"MINOR": "轻微", "GENERAL": "一般", "SERIOUS": "严重"}
_DAY = "%Y/%m/%d"


def write(province: Province, directory: Path) -> None:
    """Drop the files: one UTF-8 with mark, one workbook, one GB18030; some rows come in two of them."""
    day = f"{province.today:%Y%m%d}"
    licenses, penalties = list(_licenses(province)), list(_penalties(province))
    half = len(licenses) // 2
    columns = tuple(LICENSE_COLUMNS.split())
    drop.write(directory / f"XK_{day}_01.csv", columns, licenses[: half + 10], "utf-8-sig")
    drop.write(directory / f"XK_{day}_02.xlsx", columns, licenses[half:])
    drop.write(directory / f"CF_{day}_01.csv", tuple(PENALTY_COLUMNS.split()), penalties, "gb18030")


def _party(subject: Subject, prefix: str, key: tuple[object, ...]) -> dict[str, str]:
    """The columns about the counterparty, with the defects that such columns have."""
    row = {
        f"{prefix}_XDR_MC": subject.name,
        f"{prefix}_XDR_LB": _KINDS.get(subject.kind, "法人及非法人组织"),
        "BZ": FICTITIOUS,
    }
    if subject.uscc is None:
        return row | {f"{prefix}_XDR_ZJLX": "身份证", f"{prefix}_XDR_ZJHM": subject.resident_id}
    code = dirt.untidy(subject.code, *key)
    if dirt.falls(8, *key, "scientific"):
        code = dirt.scientific(subject.code)
    elif dirt.falls(5, *key, "mistyped"):
        code = subject.code[:17] + ("A" if subject.code[17] != "A" else "B")
    elif dirt.falls(5, *key, "placeholder"):
        code = "0" * 17 + "X"
    row |= {f"{prefix}_XDR_SHXYM": code, f"{prefix}_FRDB": subject.representative or ""}
    if dirt.falls(300, *key, "organization"):
        row[f"{prefix}_XDR_ZZJG"] = subject.code[8:17]
    if dirt.falls(100, *key, "representative"):
        # 不推荐填写, and filled in all the same.
        row |= {f"{prefix}_FR_ZJLX": "身份证", f"{prefix}_FR_ZJHM": subject.resident_id}
    if subject.kind == "INDIVIDUAL_BUSINESS" and dirt.falls(100, *key, "tax"):
        row[f"{prefix}_XDR_SWDJ"] = subject.resident_id
    return row


def _licenses(province: Province) -> Iterator[dict[str, str]]:
    for subject in province:
        for given in subject.licenses:
            yield _license(subject, given)


def _license(subject: Subject, given: License) -> dict[str, str]:
    key = ("XK", given.number, subject.uscc)
    last = "2099/12/31" if given.valid_to is None else dirt.day(given.valid_to, pattern=_DAY)
    return _party(subject, "XK", key) | {
        "XK_XKWS": given.document_name,
        "XK_WSH": given.number,
        "XK_XKLB": "特准" if dirt.falls(4, *key, "category") else given.category,
        "XK_XKZS": given.certificate_name,
        "XK_XKBH": given.certificate_number,
        "XK_NR": given.content,
        "XK_JDRQ": dirt.day(given.decided_on, pattern=_DAY),
        "XK_YXQZ": dirt.day(given.valid_from, pattern=_DAY),
        "XK_YXQZI": "2001/01/01" if dirt.falls(4, *key, "crossed") else last,
        "XK_XKJG": given.authority.name,
        "XK_XKJGDM": given.authority.uscc,
        "XK_ZT": given.state,
        "XK_LYDW": COMMERCE.name,
        "XK_LYDWDM": COMMERCE.uscc,
    }


def _penalties(province: Province) -> Iterator[dict[str, str]]:
    for subject in province:
        for given in subject.penalties:
            yield penalty_row(subject, given, COMMERCE)


def penalty_row(subject: Subject, given: Penalty, told_by: Authority) -> dict[str, str]:
    """The penalty in the national columns, with their defects; empty columns are left out."""
    key = ("CF", given.number, subject.uscc)
    # The column wants 万元; now and then somebody writes 元.
    unit = 1 if dirt.falls(15, *key, "unit") else 10_000
    return _party(subject, "CF", key) | {
        "CF_WSH": given.number,
        "CF_WFXW": given.violation,
        "CF_SY": given.facts,
        "CF_YJ": given.basis,
        "CF_CFLB": ";".join(given.categories),
        "CF_NR": given.content,
        "CF_NR_FK": _amount(given.fine, unit),
        "CF_NR_WFFF": _amount(given.confiscated, 10_000),
        "CF_NR_ZKDX": given.revoked_certificate or "",
        "CF_JDRQ": dirt.day(given.decided_on, pattern=_DAY),
        "CF_YXQ": dirt.day(given.valid_until, *key, pattern=_DAY),
        "CF_GSJZQ": dirt.day(given.publicity_until, *key, pattern=_DAY),
        "CF_CFJG": given.authority.name,
        "CF_CFJGDM": given.authority.uscc,
        "CF_SJLY": told_by.name,
        "CF_SJLYDM": told_by.uscc,
        "CASE_PROCESS_TYPE": "01" if given.simple else "02",
        "DISCREDIT_LEVEL": "" if dirt.falls(100, *key, "level") else _LEVELS[given.seriousness],
    }


def _amount(yuan: Decimal | None, unit: int) -> str:
    return "" if yuan is None else f"{yuan / unit:.6f}"
