"""A quarterly report as an XLSX workbook: the report, what its figures are made of, and the cases behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from hub.commands.report_paper import CASE_HEAD, HEAD, SHARES, SIGNED, Paper
from hub.commands.tables import UNWRITABLE

_THIN = Side(style="thin", color="999999")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD = PatternFill("solid", fgColor="E8EDF4")
# Characters to a line, in all columns together.
_LINE = 50
# How a number is shown, by the kind of its figure.
_FORMATS = {"COUNT": "0", "RATIO": "0.00%", "DAYS": "General"}


class _Number(NamedTuple):
    """A number of a cell, and the format that it is shown in."""

    value: float
    shown: str


def workbook(paper: Paper) -> bytes:
    """The file. Texts that people wrote stay texts: none is ever read as a formula."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "季度报告"
    sheet.merge_cells("A1:E1")
    _write(sheet.cell(1, 1), paper.title, Font(bold=True, size=15), Alignment("center", "center"))
    row = 3
    for name, value in paper.facts:
        _write(sheet.cell(row, 1), name, Font(bold=True))
        sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=5)
        _write(sheet.cell(row, 2), value)
        row += 1
    lines = [
        (
            line.place,
            line.name,
            _number(line.kind, line.prefilled, line.counted, line.of),
            _number(line.kind, line.value, line.reported),
            line.reason,
        )
        for line in paper.lines
    ]
    row = _table(sheet, row + 1, HEAD, lines)
    for name, words in paper.words:
        _write(sheet.cell(row + 1, 1), name, Font(bold=True))
        row += 1
        for piece in _pieces(words):
            row += 1
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=5)
            _write(sheet.cell(row, 1), piece, wrap=Alignment(wrap_text=True, vertical="top"))
            # Merged cells do not grow by themselves.
            sheet.row_dimensions[row].height = 16 * (1 + len(piece) // _LINE)
    for place, name in enumerate(SIGNED):
        _write(sheet.cell(row + 2 + place // 2, 1 + 3 * (place % 2)), name)
    _widths(sheet, (12, 34, 22, 14, 44))
    sheet.page_setup.paperSize, sheet.page_setup.orientation = sheet.PAPERSIZE_A4, "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    _sheet(book, "分项", SHARES, paper.shares, (34, 40, 10))
    _sheet(book, "追溯", CASE_HEAD, paper.cases, (34, 28, 16, 18, 18))
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _sheet(
    book: Workbook, title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]
) -> None:
    sheet: Any = book.create_sheet(title)
    _table(sheet, 1, head, rows)
    sheet.freeze_panes = "A2"
    _widths(sheet, widths)


def _table(sheet: Any, row: int, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Write a table; the row after it."""
    for place, name in enumerate(head, 1):
        cell = sheet.cell(row, place)
        _write(cell, name, Font(bold=True), Alignment("center", "center", wrap_text=True))
        cell.border, cell.fill = _BOX, _HEAD
    for values in rows:
        row += 1
        for place, value in enumerate(values, 1):
            cell = sheet.cell(row, place)
            _write(cell, value, wrap=Alignment(vertical="center", wrap_text=True))
            cell.border = _BOX
    return row + 1


def _pieces(words: str) -> Iterator[str]:
    """The paragraphs of a text, the long ones in pieces that each fit a row: none is higher than 409 points."""
    for paragraph in words.splitlines():
        for begin in range(0, max(len(paragraph), 1), 20 * _LINE):
            yield paragraph[begin : begin + 20 * _LINE]


def _number(kind: str, value: float | None, words: str, of: str = "") -> _Number | str:
    """A figure's value as a number that can be added up, shown as on paper; words where there is none."""
    return words if value is None else _Number(value, _FORMATS[kind] + (f'"{of}"' if of else ""))


def _write(
    cell: Any, value: str | int | datetime | _Number, font: Font | None = None, wrap: Alignment | None = None
) -> None:
    if isinstance(value, _Number):
        cell.value, cell.number_format = value
    elif isinstance(value, str):
        cell.value = UNWRITABLE.sub("�", value)
        # "=1+1" would be a formula, and "+", "-", "@" become one where the sheet goes on as CSV.
        cell.data_type, cell.quotePrefix = "s", True
    else:
        cell.value = value
        if isinstance(value, datetime):
            cell.number_format = "yyyy-mm-dd hh:mm"
    if font is not None:
        cell.font = font
    if wrap is not None:
        cell.alignment = wrap


def _widths(sheet: Any, widths: Sequence[int]) -> None:
    for place, width in enumerate(widths):
        sheet.column_dimensions["ABCDE"[place]].width = width
