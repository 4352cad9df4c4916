"""A quarterly report as an XLSX workbook: the report, what its figures are made of, and the cases behind them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from hub.commands.report_paper import CASE_HEAD, HEAD, SHARES, SIGNED, Paper

_THIN = Side(style="thin", color="999999")
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEAD = PatternFill("solid", fgColor="E8EDF4")


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
    lines = [(line.place, line.name, line.counted, line.reported, line.reason) for line in paper.lines]
    row = _table(sheet, row + 1, HEAD, lines)
    for name, words in paper.words:
        _write(sheet.cell(row + 1, 1), name, Font(bold=True))
        sheet.merge_cells(start_row=row + 2, start_column=1, end_row=row + 2, end_column=5)
        _write(sheet.cell(row + 2, 1), words, wrap=Alignment(wrap_text=True, vertical="top"))
        # Merged cells do not grow by themselves: some 50 characters to a line.
        sheet.row_dimensions[row + 2].height = 16 * (
            1 + sum(1 + len(one) // 50 for one in words.splitlines())
        )
        row += 2
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


def _write(cell: Any, value: str | int, font: Font | None = None, wrap: Alignment | None = None) -> None:
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("�", value)
        # "=1+1" would be a formula, and "+", "-", "@" become one where the sheet goes on as CSV.
        cell.data_type, cell.quotePrefix = "s", True
    else:
        cell.value = value
    if font is not None:
        cell.font = font
    if wrap is not None:
        cell.alignment = wrap


def _widths(sheet: Any, widths: Sequence[int]) -> None:
    for place, width in enumerate(widths):
        sheet.column_dimensions["ABCDE"[place]].width = width
