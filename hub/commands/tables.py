"""Tables as files for people and programs: JSON, CSV, XLSX; no cell is ever a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import orjson

# What spreadsheets take for the begin of a formula, full width included; a tab or line break may hide it.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠|%\t\r\n]")
# Characters that no XML may hold; texts of the store may.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Value = str | int | bool | date | datetime | None | Sequence[str]


class Format(StrEnum):
    """What a table is written as."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def written(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Value]], to: Format) -> bytes:
    """A table as a file. `columns`: the members of the rows, in order; `name` is the sheet's."""
    match to:
        case Format.JSON:
            told = [{column: row[column] for column in columns} for row in rows]
            return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        case Format.CSV:
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow(columns)
            writer.writerows([guarded(cell_of(row[column])) for column in columns] for row in rows)
            # With a mark, so that spreadsheets do not take it for GBK.
            return text.getvalue().encode("utf-8-sig")
        case Format.XLSX:
            return _workbook(name, columns, rows)


def cell_of(value: Value) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, int) else "; ".join(value)


def guarded(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula: an apostrophe before what would be one."""
    return f"'{text}" if _FORMULA.match(text) else text


def _workbook(name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Value]]) -> bytes:
    # Here, because the server that answers has this module too and needs no spreadsheets.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    sheet.append(list(columns))
    for row in rows:
        cells = []
        for column in columns:
            value, cell = row[column], WriteOnlyCell(sheet)
            if isinstance(value, int) and not isinstance(value, bool):
                # Sorted and added up as a number; none is a formula.
                cell.value = value
            else:
                # Guarded too: saved as CSV from here it must not become a formula.
                cell.value = guarded(UNWRITABLE.sub("", cell_of(value)))
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
