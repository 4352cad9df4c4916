"""Sandbox of the investment and foreign exchange agencies: the files they drop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub.sandbox import dirt, drop
from hub.sandbox.decisions import months_after
from hub.sandbox.facts import InvestmentReport, Subject
from hub.sandbox.province import Province

_KINDS = {"INITIAL": "01", "CHANGE": "02", "DEREGISTRATION": "03", "ANNUAL": "04"}
_COMMON = ("BGBH", "BGLX", "QYMC", "TYSHXYDM", "BGRQ", "YXBZ", "GXSJ")
PUBLIC_COLUMNS = (*_COMMON, "TZZMC", "TZZGB", "CZBL", "YQBZ")
RESTRICTED_COLUMNS = (*_COMMON, "SJKZR", "SJKZRZJHM", "ZCZB", "SJCZ")
FOREX_COLUMNS = ("统一社会信用代码", "企业名称", "分类级别", "分类起始日期", "分类到期日期", "状态", "文号")


def write(province: Province, directory: Path) -> None:
    """Drop the public part as UTF-8 CSV and XLSX, the restricted part as GB18030 CSV and XML."""
    day = f"{province.today:%Y%m%d}"
    public = [_public(subject, report) for subject, report in _reports(province)]
    restricted = [_restricted(subject, report) for subject, report in _reports(province)]
    half = len(public) // 2
    # A part of the rows comes twice, as files are often sent again whole.
    drop.write(directory / f"WZGK_{day}_01.csv", PUBLIC_COLUMNS, public[: half + 5], "utf-8-sig")
    drop.write(directory / f"WZGK_{day}_02.xlsx", PUBLIC_COLUMNS, public[half:])
    drop.write(directory / f"WZXX_{day}_01.csv", RESTRICTED_COLUMNS, restricted[:half], "gb18030")
    drop.write(directory / f"WZXX_{day}_02.xml", RESTRICTED_COLUMNS, restricted[half:], "gb18030")


def write_forex(province: Province, directory: Path) -> None:
    """Drop the list of classes as one workbook."""
    rows = (_forex(subject) for subject in province.organizations() if subject.forex is not None)
    drop.write(directory / f"WHFL_{province.today:%Y%m%d}_01.xlsx", FOREX_COLUMNS, rows)


def _reports(province: Province) -> Iterator[tuple[Subject, InvestmentReport]]:
    for subject in province.organizations():
        for report in subject.reports:
            yield subject, report


def _base(subject: Subject, report: InvestmentReport, part: str) -> dict[str, str]:
    key = (part, subject.code, report.number)
    code = dirt.untidy(subject.code, *key)
    return {
        "BGBH": report.number,
        "BGLX": "09" if dirt.falls(10, *key, "kind") else _KINDS[report.kind],
        "QYMC": subject.name,
        "TYSHXYDM": dirt.scientific(subject.code) if dirt.falls(15, *key, "scientific") else code,
        "BGRQ": dirt.day(report.reported_on, *key, pattern="%Y/%m/%d"),
        "YXBZ": "0" if dirt.falls(20, *key, "withdrawn") else "1",
        "GXSJ": f"{report.reported_on:%Y-%m-%d} 17:30:00",
    }


def _public(subject: Subject, report: InvestmentReport) -> dict[str, str]:
    return _base(subject, report, "public") | {
        "TZZMC": report.investor,
        "TZZGB": report.investor_country,
        "CZBL": str(report.share_percent),
        "YQBZ": "1" if report.overdue else "0",
    }


def _restricted(subject: Subject, report: InvestmentReport) -> dict[str, str]:
    key = (subject.code, report.number)
    capital = report.registered_capital * (10_000_000 if dirt.falls(15, *key, "unit") else 1)
    return _base(subject, report, "restricted") | {
        "SJKZR": report.actual_controller,
        "SJKZRZJHM": subject.resident_id,
        "ZCZB": str(capital),
        "SJCZ": str(report.paid_in),
    }


def _forex(subject: Subject) -> dict[str, str]:
    assert subject.forex is not None
    forex, key = subject.forex, ("forex", subject.code)
    until = months_after(forex.since, 12) if forex.until is not None else None
    return dict(
        zip(
            FOREX_COLUMNS,
            (
                dirt.untidy(subject.code, *key),
                subject.name,
                "D" if dirt.falls(8, *key, "unknown") else f"{forex.grade}类",
                dirt.day(forex.since, *key, pattern="%Y/%m/%d"),
                dirt.day(until, *key, pattern="%Y/%m/%d"),
                "撤销" if dirt.falls(10, *key, "withdrawn") else "有效",
                f"青汇〔{forex.since.year}〕{subject.number:05}号",
            ),
            strict=True,
        )
    )
