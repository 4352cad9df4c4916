"""Workbooks as offices make them: what a cell shows is what is read, or the row is quarantined."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from connectors.commerce import connect_file
from connectors.contract import RowRejected
from connectors.files import FileUnusable
from connectors.template import PENALTY
from tests.publicity_files import TOOLS, license_row, penalty_row, write_xlsx
from tests.test_commerce_files import codes, read, rows_of


def formatted(path: Path, column: str, *shown: tuple[float | str, str]) -> None:
    """A workbook of penalties that has each value under its format in a column."""
    write_xlsx(path, [penalty_row()] * len(shown))
    book = load_workbook(path)
    for row, (number, form) in enumerate(shown, 2):
        cell = book.worksheets[0].cell(row, [*penalty_row()].index(column) + 1, number)
        cell.number_format = form
    book.save(path)


def edited(path: Path, member: str, change: Callable[[str], str]) -> None:
    """Change one member of a workbook as another program would have written it."""
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    assert change(members[member].decode()) != members[member].decode()
    members[member] = change(members[member].decode()).encode()
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content)


@pytest.mark.parametrize(
    ("number", "form", "shown"),
    [
        (9, '"青商罚〔2026〕"000000"号"', "青商罚〔2026〕000009号"),
        (9, '"青商罚〔2026〕"General"号"', "青商罚〔2026〕9号"),
        (9, '"青商罚〔2026〕"G/通用格式"号"', "青商罚〔2026〕9号"),
        (1234, "00000000", "00001234"),
        (20260105, r"0000\-00\-00", "2026-01-05"),
        (1234567, "#,##0.00", "1234567"),
        (1234.5, '_ "¥"* #,##0.00_ ;_ "¥"* \\-#,##0.00_ ', "1234.5"),
        (-5, "0.00_);[Red](0.00)", "-5"),
        (3, "[$USD-409] 0", "USD 3"),
        (630103123456, "0.00E+00", "630103123456"),
        (1, '"有效";;"无效"', "有效"),
        (-5, '0;@"(文字)"', "-5"),
        (1234567, "# ##0", "1234567"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(
    tmp_path: Path, number: float, form: str, shown: str
) -> None:
    formatted(tmp_path / "cf.xlsx", "CF_WSH", (number, form))
    assert [row.fields["CF_WSH"] for row in read(tmp_path / "cf.xlsx")] == [shown]


def test_a_number_that_shows_as_another_one_is_not_guessed_at(tmp_path: Path) -> None:
    """10000 in the format of 万, 0!.0, shows 1.0; it was stored as a fine of a hundred million yuan."""
    path = tmp_path / "cf.xlsx"
    formatted(
        path,
        "CF_NR_FK",
        (10000, "0!.0,"),
        (10000, r"0\.0,"),
        (10000, "0.00,"),
        (10000, '[>=10000]0"万";0'),
        (12345.67, "0!.0000"),
        (10000, '0.00"元"'),
        (1, '0.00"万元"'),
    )
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert codes(connector, rows) == ["SHEET_ERROR"] * 5 + ["FINE_UNIT", "OK"]
    with pytest.raises(RowRejected, match=r"CF_NR_FK .* type there what is meant"):
        connector.canonical(rows[0])


def test_a_text_is_read_with_the_words_that_its_format_puts_around_it(tmp_path: Path) -> None:
    """Of numbers under such a format the words alone were stored: all decisions of a file had one number, 青商罚〔2026〕号."""
    path, form = tmp_path / "cf.xlsx", '"青商罚〔2026〕"@"号"'
    formatted(path, "CF_WSH", ("9", form), (9, form), ("青商罚9号", "@"))
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert [row.fields["CF_WSH"] for row in rows] == ["青商罚〔2026〕9号", "#FORMAT!", "青商罚9号"]
    assert codes(connector, rows) == ["OK", "SHEET_ERROR", "OK"]


@pytest.mark.parametrize(
    ("builtin", "shown"), [(31, "2026/05/10"), (57, "2026/05/10"), (58, "2026/05/10"), (30, "2026/05/10")]
)
def test_a_day_in_a_format_of_chinese_spreadsheets_is_a_day(tmp_path: Path, builtin: int, shown: str) -> None:
    """They name 2026年5月10日 by the number 31 alone; no such file was taken."""
    path = tmp_path / "cf.xlsx"
    formatted(path, "CF_JDRQ", (46152, "0.0000"))
    edited(
        path, "xl/styles.xml", lambda text: re.sub(r"<numFmts.*?</numFmts>", "", text).replace('numFmtId="164"', f'numFmtId="{builtin}"')
    )  # fmt: skip
    connector = connect_file(path, TOOLS)
    (row,) = rows_of(connector)
    assert (row.fields["CF_JDRQ"], codes(connector, [row])) == (shown, ["OK"])


def test_a_month_is_no_day_though_a_workbook_keeps_its_first(tmp_path: Path) -> None:
    """Whoever types 2026年5月 is shown 2026年5月, and the workbook keeps 2026-05-01."""
    path = tmp_path / "cf.xlsx"
    formatted(
        path,
        "CF_JDRQ",
        (46143, 'yyyy"年"m"月"'),
        (46143, "yyyy/m/d"),
        (46152, 'yyyy"年"m"月"'),
        (46143, 'm"月"d"日"'),
    )
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert [row.fields["CF_JDRQ"] for row in rows] == ["2026-05", "2026/05/01", "2026/05/10", "2026/05/01"]
    assert codes(connector, rows) == ["BAD_DATE", "OK", "OK", "OK"]


def test_control_characters_are_read_as_workbooks_write_them(tmp_path: Path) -> None:
    """A line break of Windows is _x000D_ and a line feed there; names were stored with these seven signs in them."""
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [license_row(XK_XDR_MC="青海三江源", XK_NR="批发零售")])
    edited(
        path, "xl/worksheets/sheet1.xml",
        lambda text: text.replace("青海三江源", "青海三江源_x000D_&#10;").replace("批发零售", "批发_x000D_&#10;零售_x005F_x000D_"),
    )  # fmt: skip
    (row,) = read(path)
    assert (row.fields["XK_XDR_MC"], row.fields["XK_NR"]) == ("青海三江源", "批发\n零售_x000D_")


def test_a_row_beyond_those_of_a_sheet_costs_no_hours(tmp_path: Path) -> None:
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [license_row()])
    edited(
        path, "xl/worksheets/sheet1.xml",
        lambda text: text.replace("</sheetData>", '<row r="2000000000"><c r="A2000000000"/></row></sheetData>'),
    )  # fmt: skip
    with pytest.raises(FileUnusable, match="FILE_FORMAT: a sheet has more than 1048576 rows"):
        read(path)


def test_a_strict_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Of one in the namespaces of ISO 29500 strict it was said that it had no header."""
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [license_row()])
    usual = re.compile("http://schemas.openxmlformats.org/(spreadsheetml|officeDocument)/2006/")
    for member in (
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/_rels/workbook.xml.rels",
        "_rels/.rels",
    ):
        edited(path, member, lambda text: usual.sub(r"http://purl.oclc.org/ooxml/\1/", text))
    with pytest.raises(FileUnusable, match=r"FILE_FORMAT: a workbook .* in Strict Open XML"):
        read(path)


def test_of_several_tables_it_is_told_which(tmp_path: Path) -> None:
    """One of them may be hidden: whoever was told of two saw one."""
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [license_row()])
    book = load_workbook(path)
    book.create_sheet("填表说明", 0).append(["说明", "填写要求"])
    copied = book.copy_worksheet(book.worksheets[1])
    copied.sheet_state = "hidden"
    book.save(path)
    with pytest.raises(FileUnusable, match=r"FILE_SHEETS: 2 sheets .*: 2, 3 \(hidden\);"):
        read(path)


def test_a_header_of_two_rows_under_common_titles_is_one(tmp_path: Path) -> None:
    """As forms are drawn: 行政相对人代码 above several columns, each other title over both rows. Every row waited as NO_KEY."""
    codes_of = [*penalty_row()]
    titles = [PENALTY.columns[code].title for code in codes_of]
    common = [place for place, code in enumerate(codes_of) if code in ("CF_XDR_SHXYM", "CF_XDR_GSZC")]
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["附件2 行政处罚信息公示表"])
    above = ["" if place in common else title for place, title in enumerate(titles)]
    above[common[0]] = "行政相对人代码"
    sheet.append(above)
    sheet.append([title if place in common else None for place, title in enumerate(titles)])
    sheet.append([*penalty_row().values()])
    sheet.append(["甲公司"])
    for place in range(len(titles)):
        if place not in common:
            sheet.merge_cells(start_row=2, end_row=3, start_column=place + 1, end_column=place + 1)
    sheet.merge_cells(start_row=2, end_row=2, start_column=common[0] + 1, end_column=common[1] + 1)
    book.save(tmp_path / "cf.xlsx")
    connector = connect_file(tmp_path / "cf.xlsx", TOOLS)
    rows = rows_of(connector)
    assert [row.position for row in rows] == ["4", "5"]
    assert rows[0].fields == {code: value or None for code, value in penalty_row().items()}
    assert codes(connector, rows) == ["OK", "MISSING"]
    # A row of values that shares a cell with the header is none of it.
    sheet["D3"] = "63010310"
    book.save(tmp_path / "cf.xlsx")
    assert codes(connector, rows_of(connector)) == ["ROW_MERGED", "NO_KEY", "MISSING"]


def test_what_stands_below_no_title_is_kept_with_the_row(tmp_path: Path) -> None:
    row = {**penalty_row(), "": "甲", " ": "乙", "  ": ""}
    write_xlsx(tmp_path / "cf.xlsx", [row])
    (found,) = read(tmp_path / "cf.xlsx")
    width = len(penalty_row())
    assert [found.fields.get(f"[{place}]") for place in (width + 1, width + 2, width + 3)] == [
        "甲",
        "乙",
        None,
    ]
