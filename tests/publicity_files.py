"""Small 双公示 files for tests: one right row of each template, changed where a test wants it wrong."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from openpyxl import Workbook

from connectors.contract import Tools
from schema.persons import hmac_sm3

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
KEY = bytes(range(32))


def _now() -> datetime:
    return NOW


# Of functions that have names: a process that reads a large file is sent them.
TOOLS = Tools(partial(hmac_sm3, KEY), 1.0, _now)

FIRM = "91630103MA75ABCD1M"
OTHER_FIRM = "91630100MA7XK2P38N"
SHOP = "92630104MA758WQ780"
COLLECTIVE = "N1630202MF0A1B2C08"
OFFICE = "11630000000015122A"
# Fictitious; born 1990-03-07.
RESIDENT_ID = "630103199003070016"

LICENSE_ROW: Mapping[str, str] = {
    "XK_XDR_MC": "青海三江源商贸有限公司",
    "XK_XDR_LB": "法人及非法人组织",
    "XK_XDR_SHXYM": FIRM,
    "XK_XDR_GSZC": "",
    "XK_XDR_ZZJG": "",
    "XK_XDR_SWDJ": "",
    "XK_FRDB": "马得林",
    "XK_XDR_ZJLX": "",
    "XK_XDR_ZJHM": "",
    "XK_XKWS": "食品经营许可决定书",
    "XK_WSH": "青许〔2026〕000001号",
    "XK_XKLB": "普通",
    "XK_XKZS": "食品经营许可证",
    "XK_XKBH": "JY16301030034567",
    "XK_NR": "预包装食品销售",
    "XK_JDRQ": "2026/05/10",
    "XK_YXQZ": "2026/05/10",
    "XK_YXQZI": "2031/05/09",
    "XK_XKJG": "青海省商务厅",
    "XK_XKJGDM": OFFICE,
    "XK_ZT": "1",
    "XK_LYDW": "青海省商务厅",
    "XK_LYDWDM": OFFICE,
    "BZ": "内部备注",
}
PENALTY_ROW: Mapping[str, str] = {
    "CF_XDR_MC": "青海三江源商贸有限公司",
    "CF_XDR_LB": "法人及非法人组织",
    "CF_XDR_SHXYM": FIRM,
    "CF_XDR_GSZC": "",
    "CF_FRDB": "马得林",
    "CF_XDR_ZJLX": "",
    "CF_XDR_ZJHM": "",
    "CF_WSH": "青商罚〔2026〕000009号",
    "CF_WFXW": "发卡企业未办理备案",
    "CF_SY": "经查,当事人发行单用途预付卡未备案。",
    "CF_YJ": "单用途商业预付卡管理办法(试行)第36条",
    "CF_CFLB": "罚款",
    "CF_NR": "罚款10000元",
    "CF_NR_FK": "1.000000",
    "CF_NR_WFFF": "",
    "CF_NR_ZKDX": "",
    "CF_JDRQ": "2026/05/10",
    "CF_YXQ": "无处罚期限",
    "CF_GSJZQ": "",
    "CF_CFJG": "青海省商务厅",
    "CF_CFJGDM": OFFICE,
    "CF_SJLY": "青海省商务厅",
    "CF_SJLYDM": OFFICE,
    "BZ": "",
}
PERSON: Mapping[str, str] = {
    "XK_XDR_MC": "才让卓玛",
    "XK_XDR_LB": "自然人",
    "XK_XDR_SHXYM": "",
    "XK_FRDB": "",
    "XK_XDR_ZJLX": "身份证",
    "XK_XDR_ZJHM": RESIDENT_ID,
}


def license_row(**changes: str) -> dict[str, str]:
    """A right licence but for `changes`."""
    return {**LICENSE_ROW, **changes}


def penalty_row(**changes: str) -> dict[str, str]:
    """A right penalty but for `changes`."""
    return {**PENALTY_ROW, **changes}


def csv_bytes(rows: Sequence[Mapping[str, str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A CSV file of `rows`, which have the same columns."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode(encoding)


def write_xlsx(path: Path, rows: Sequence[Mapping[str, object]], title: str | None = None) -> None:
    """A workbook of `rows`, with a merged title above the header when one is given."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if title is not None:
        sheet.append([title])
        sheet.merge_cells("A1:F1")
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)


def drop(directory: Path, name: str, content: bytes, rows: int | None, digest: bool = False) -> Path:
    """A file in a drop directory and, with `rows`, its control file."""
    path = directory / name
    path.write_bytes(content)
    if rows is not None:
        said = f"rows={rows}\n" + (f"sm3={hashlib.new('sm3', content).hexdigest()}\n" if digest else "")
        (directory / f"{name}.ctl").write_text(said, encoding="utf-8")
    return path
