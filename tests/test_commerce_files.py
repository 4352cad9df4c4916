"""双公示 files: formats, encodings, damage, control files; arbitrary bytes never crash the readers."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from connectors.commerce import SOURCE, PublicityFiles, connect, connect_file
from connectors.contract import Connector, RawRow, Refused, RowRejected, Tools
from connectors.files import MAX_ROW, FileUnusable, check_archive
from connectors.template import LICENSE, PENALTY, Template, header_names
from tests.publicity_files import (
    OFFICE,
    PERSON,
    RESIDENT_ID,
    TOOLS,
    csv_bytes,
    drop,
    license_row,
    penalty_row,
    write_xlsx,
)


def read(path: Path, cursor: str | None = None) -> list[RawRow]:
    """All rows of a file."""
    return rows_of(connect_file(path, TOOLS), cursor)


def rows_of(connector: PublicityFiles, cursor: str | None = None) -> list[RawRow]:
    """All rows of a connector."""

    async def gather() -> list[RawRow]:
        return [row async for batch in connector.harvest(cursor) for row in batch.rows]

    return asyncio.run(gather())


def codes(connector: PublicityFiles, rows: Sequence[RawRow]) -> list[str]:
    """What becomes of each row: OK, or the code it is rejected by."""
    found = []
    for row in rows:
        try:
            connector.canonical(row)
            found.append("OK")
        except RowRejected as error:
            found.append(error.code)
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_the_encoding_and_with_the_delimiter_it_has(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(XK_XDR_MC="㐂𠮷青海有限公司")], encoding, delimiter))
    (row,) = read(path)
    assert row.fields["XK_XDR_MC"] == "㐂𠮷青海有限公司"
    assert row.position == "2"
    assert connect_file(path, TOOLS).reread(row.raw) == row.fields


def test_xlsx_is_read_below_its_title_and_chinese_headers(tmp_path: Path) -> None:
    path = tmp_path / "cf.xlsx"
    rows: list[dict[str, object]] = [dict(penalty_row(CF_NR_FK="1")), {**penalty_row(), "CF_NR_FK": 1.0}]
    rows[1]["CF_JDRQ"] = datetime(2026, 5, 11)
    titles = {"CF_XDR_MC": "行政相对人名称", "CF_WSH": "行政处罚决定文书号", "CF_NR_FK": "罚款金额（万元）"}
    write_xlsx(
        path,
        [{titles.get(code, code): value for code, value in row.items()} for row in rows],
        "行政处罚公示表",
    )
    first, second = read(path)
    assert first.fields["CF_NR_FK"] == second.fields["CF_NR_FK"] == "1"
    assert second.fields["CF_JDRQ"] == "2026/05/11"
    assert codes(connect_file(path, TOOLS), [first, second]) == ["OK", "OK"]


def titled(row: Mapping[str, str], template: Template) -> dict[str, str]:
    """The row as a person types it: every column under its title, duty marked, in full width where that is usual."""
    written = {
        code: column.title.replace("(", "（").replace(")", "）") + ("*" if column.required else "")
        for code, column in template.columns.items()
    }
    return {written[code]: value for code, value in row.items()}


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("row", "template"),
    [(license_row(), LICENSE), (penalty_row(), PENALTY)],
    ids=["licence", "penalty"],
)
def test_a_file_whose_titles_are_all_chinese_is_of_the_template_it_has_more_columns_of(
    tmp_path: Path, row: dict[str, str], template: Template, suffix: str
) -> None:
    path = tmp_path / f"公示.{suffix}"
    chinese = titled(row, template)
    if suffix == "csv":
        path.write_bytes(csv_bytes([chinese], "gb18030"))
    else:
        write_xlsx(path, [chinese], "双公示")
    connector = connect_file(path, TOOLS)
    (read_row,) = rows_of(connector)
    assert read_row.fields == {code: value or None for code, value in row.items()}
    assert codes(connector, [read_row]) == ["OK"]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("行政相对人代码_1(统一社会信用代码)", "CF_XDR_SHXYM"),
        ("行政相对人代码_1（统一社会信用代码）*", "CF_XDR_SHXYM"),
        ("行政相对人代码＿１\n（统一社会信用代码）", "CF_XDR_SHXYM"),
        ("行政相对人代码_1", "CF_XDR_SHXYM"),
        ("＊ 行政相对人类别", "CF_XDR_LB"),
        ("罚款金额\u3000（万元） *", "CF_NR_FK"),
        ("cf_nr*", "CF_NR"),
        ("公示截止期（格式：YYYY/MM/DD）", "CF_GSJZQ"),
        ("公示截止期（按要求填报）", "CF_GSJZQ"),
        ("自然人证件号码*【自然人必填】", "CF_XDR_ZJHM"),
        ("罚款金额(万元)\n（保留6位小数，选填）", "CF_NR_FK"),
    ],
)
def test_titles_are_known_in_either_width_with_blanks_marks_of_duty_and_notes(
    written: str, code: str
) -> None:
    names = header_names(["行政相对人名称", "处罚决定日期", "处罚机关", written])
    assert names == ["CF_XDR_MC", "CF_JDRQ", "CF_CFJG", code]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("罚款金额（元）", "CF_NR_FK"),
        ("罚款金额", "CF_NR_FK"),
        ("当前状态(0-撤销 1-正常)", "CF_ZT"),
        ("行政相对人代码_1(组织机构代码)", "CF_XDR_SHXYM"),
        ("公示截止期（填报日期）", "CF_GSJZQ"),
        ("法定代表人（填表人）", "CF_FRDB"),
    ],
)
def test_a_column_that_may_be_one_of_the_template_is_not_passed_over(written: str, code: str) -> None:
    """A penalty that a column says to be revoked would be shown as one that stands."""
    cells = ["行政相对人名称", "处罚决定日期", "处罚机关", written]
    with pytest.raises(FileUnusable, match=rf"FILE_HEADER: the column .* \({code}\) has something else"):
        header_names(cells)
    # What the template has may have something beside it that is called alike.
    assert header_names([*cells, code]) == ["CF_XDR_MC", "CF_JDRQ", "CF_CFJG", written, code]


@pytest.mark.parametrize(
    "cells",
    [
        # What both templates have tells neither.
        ["行政相对人名称", "行政相对人类别", "法定代表人", "数据来源单位"],
        # A penalty file with a column twice is no licence file because of what they share.
        ["行政相对人名称", "行政相对人类别", "法定代表人", "处罚内容", "处罚内容"],
    ],
)
def test_a_header_that_tells_no_template_for_certain_is_refused(cells: list[str]) -> None:
    assert header_names(cells) is None


def test_a_code_that_a_spreadsheet_took_for_a_number_shows_that_it_lost_its_end(tmp_path: Path) -> None:
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [{**license_row(), "XK_XDR_SHXYM": 916301030000000000}])
    assert read(path)[0].fields["XK_XDR_SHXYM"] == "9.16301E+17"


def test_a_persons_number_that_a_spreadsheet_took_for_one_shows_no_birthday(tmp_path: Path) -> None:
    path = tmp_path / "xk.xlsx"
    write_xlsx(path, [{**license_row(), "XK_XDR_SHXYM": int(RESIDENT_ID)}])
    assert RESIDENT_ID[6:14].encode() not in read(path)[0].raw.replace(b".", b"")


def test_a_formula_that_has_no_value_is_not_nothing(tmp_path: Path) -> None:
    """A licence whose last day nobody has computed would hold for ever."""
    path = tmp_path / "xk.xlsx"
    rows = [license_row(XK_YXQZI="=DATE(2031,5,9)"), license_row(XK_XKZS='="a"&"b"'), license_row()]
    write_xlsx(path, rows)
    connector = connect_file(path, TOOLS)
    assert codes(connector, rows_of(connector)) == ["SHEET_ERROR", "SHEET_ERROR", "OK"]


def test_a_formula_that_came_to_an_empty_text_is_an_empty_cell(tmp_path: Path) -> None:
    """As a form filled with =IF(A2="","",…) down to its last row."""
    path = tmp_path / "xk.xlsx"
    formula = '=IF(1=1,"","x")'
    write_xlsx(path, [license_row(XK_XKZS=formula), dict.fromkeys(license_row(), formula)])
    assert codes(connect_file(path, TOOLS), read(path)) == ["SHEET_ERROR", "SHEET_ERROR"]
    # As spreadsheets save it, once it is computed.
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in members.items():
            book.writestr(name, content.replace(b"><f>", b' t="str"><f>'))
    rows = read(path)
    assert codes(connect_file(path, TOOLS), rows) == ["OK"]
    assert rows[0].fields["XK_XKZS"] is None


@pytest.mark.parametrize("name", ["xk.xls", "xk.csv", "xk.et", "xk"])
def test_a_workbook_is_read_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_xlsx(tmp_path / "xk.xlsx", [license_row()])
    (tmp_path / "xk.xlsx").rename(path)
    assert [row.fields["XK_WSH"] for row in read(path)] == [license_row()["XK_WSH"]]


def test_a_row_that_shares_a_merged_cell_is_not_taken_for_one_without_its_value(tmp_path: Path) -> None:
    """Two penalties revoked for one reason, which stands in the first row only."""
    path = tmp_path / "cf.xlsx"
    rows = [
        {**penalty_row(CF_WSH=f"青商罚〔2026〕{number}号"), "撤销原因": "依据撤销" if number == 1 else ""}
        for number in (1, 2, 3)
    ]
    write_xlsx(path, rows, "行政处罚公示表")
    book = load_workbook(path)
    sheet = book.worksheets[0]
    sheet.merge_cells(start_row=3, end_row=4, start_column=len(rows[0]), end_column=len(rows[0]))
    sheet.merge_cells("F5:G5")
    book.save(path)
    connector = connect_file(path, TOOLS)
    found = rows_of(connector)
    assert codes(connector, found) == ["OK", "ROW_MERGED", "OK"]
    # A person says what belongs there.
    kept = connector.reread(found[1].raw)
    assert kept == {code: value or None for code, value in rows[1].items()}


def test_what_stands_beyond_the_columns_of_a_sheet_is_kept_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "cf.xlsx"
    write_xlsx(path, [penalty_row()])
    book = load_workbook(path)
    book.worksheets[0].cell(2, len(penalty_row()) + 2, "已撤销")
    book.save(path)
    connector = connect_file(path, TOOLS)
    (row,) = rows_of(connector)
    assert codes(connector, [row]) == ["ROW_COLUMNS"]
    assert "已撤销" in (connector.reread(row.raw) or {}).values()


def test_a_cell_of_percents_is_read_as_it_shows(tmp_path: Path) -> None:
    """To the workbook 30% is 0.3, which in a column of percents, or of an amount, is another number."""
    path = tmp_path / "cf.xlsx"
    write_xlsx(path, [penalty_row()] * 4)
    book = load_workbook(path)
    # A sign that is but text behind the number multiplies nothing.
    shown = ((0.1 + 0.2, "0.0%"), (0.285, "0.0%"), (0.5, '0.0"%"'), (30, r"0\%"))
    for row, (number, form) in enumerate(shown, 2):
        cell = book.worksheets[0].cell(row, [*penalty_row()].index("CF_NR_FK") + 1, number)
        cell.number_format = form
    book.save(path)
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert [row.fields["CF_NR_FK"] for row in rows] == ["30%", "28.5%", "0.5%", "30%"]
    assert codes(connector, rows) == ["BAD_AMOUNT"] * 4


def test_no_sheet_of_a_workbook_is_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "xkcf.xlsx"
    book = Workbook()
    for row in (license_row(), penalty_row()):
        sheet = book.create_sheet()
        sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(path)
    with pytest.raises(FileUnusable, match="FILE_SHEETS: 2 sheets"):
        read(path)
    # An empty form before the table is none.
    book.worksheets[1].delete_rows(2)
    book.save(path)
    assert [row.fields["CF_WSH"] for row in read(path)] == [penalty_row()["CF_WSH"]]


def test_of_tables_put_together_in_a_sheet_each_is_read_by_its_own_header(tmp_path: Path) -> None:
    """As if copied from files of two units: the second one has authority and source unit the other way round."""
    path = tmp_path / "cf.xlsx"
    turned = dict(reversed(penalty_row(CF_CFJG="青海省商务厅", CF_SJLY="西宁市商务局").items()))
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (penalty_row(), turned, license_row()):
        sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(path)
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert codes(connector, rows) == ["OK", "OK", "OK"]
    assert rows[1].fields == {code: value or None for code, value in turned.items()}
    assert rows[2].fields["XK_WSH"] == license_row()["XK_WSH"]


def test_xml_is_read_and_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "xk.xml"
    cells = "".join(f"<{code}>{value}</{code}>" for code, value in license_row().items())
    path.write_bytes(
        f'<?xml version="1.0" encoding="GB18030"?><rows><row>{cells}</row></rows>'.encode("gb18030")
    )
    assert codes(connect_file(path, TOOLS), read(path)) == ["OK"]
    path.write_text(
        f'<!DOCTYPE r [<!ENTITY a "aaaa">]><rows><row>{cells}</row><r>&a;</r></rows>', encoding="utf-8"
    )
    with pytest.raises(FileUnusable):
        read(path)


def test_no_element_of_a_list_is_overlooked_and_none_read_in_part(tmp_path: Path) -> None:
    """Programs leave out what is empty; what is there twice, or in pieces, is for a person to read."""
    rows = [
        license_row(XK_XDR_MC=""),
        license_row(),
        license_row(XK_NR="食品<br/>销售", XK_XKZS="证<br/>书"),
        license_row(XK_NR="食品</XK_NR><XK_NR>销售"),
        license_row(XK_XKWS="食品@营许可"),
    ]
    listed = ["".join(f"<{name}>{value}</{name}>" for name, value in row.items() if value) for row in rows]
    text = f"<ROWSET><HEAD><A>1</A></HEAD>{''.join(f'<ROW>{row}</ROW>' for row in listed)}</ROWSET>"
    path = tmp_path / "xk.xml"
    path.write_bytes(text.encode().replace(b"@", b"\xff"))
    connector = connect_file(path, TOOLS)
    read = ["ROW_COLUMNS", "OK", "ROW_COLUMNS", "ROW_COLUMNS", "ROW_ENCODING"]
    assert codes(connector, rows_of(connector)) == read
    assert [row.position for row in rows_of(connector)] == ["1", "2", "3", "4", "5"]


def test_a_damaged_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    lines = csv_bytes([license_row(XK_WSH=f"{n}号") for n in range(6)]).splitlines(keepends=True)
    lines[1] = lines[1].replace("青海".encode(), b'"\xe9\x9d')  # an open quotation mark and half a character
    lines[2] = lines[2].replace("青海".encode(), b"\xff\xfe")
    lines[3] = b"too,short\n"
    lines[4] = lines[4].replace(b"\r\n", b",more\r\n")
    path.write_bytes(b"".join(lines))
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert codes(connector, rows) == ["ROW_QUOTES", "ROW_ENCODING", "ROW_COLUMNS", "ROW_COLUMNS", "OK", "OK"]
    # Nothing of it is lost: the very bytes are kept, behind the header.
    assert all(line in row.raw for line, row in zip(lines[1:5], rows, strict=False))


def test_of_files_put_together_each_is_read_by_its_own_header(tmp_path: Path) -> None:
    """Columns in another order would make 甲局 the authority of what 乙局 decided."""
    second = license_row(XK_WSH="2", XK_XKJG="乙局", XK_LYDW="甲局", XK_XDR_ZJHM="E12345678")
    path = tmp_path / "xk.csv"
    turned = dict(reversed(second.items()))
    path.write_bytes(csv_bytes([license_row()]) + b"\xef\xbb\xbf" + csv_bytes([turned]))
    rows = read(path)
    assert [row.fields["XK_XKJG"] for row in rows] == ["青海省商务厅", "乙局"]
    assert [row.position for row in rows] == ["2", "4"]
    assert b"E12345678" not in rows[1].raw


def test_a_cell_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(XK_NR="一\n二\n三"), license_row(XK_WSH="2号")]))
    rows = read(path)
    assert [row.fields["XK_NR"] for row in rows] == ["一\n二\n三", "预包装食品销售"]
    # As the spreadsheet numbers them in which whoever corrects the file opens it.
    assert [row.position for row in rows] == ["2", "3"]


def test_a_header_with_line_breaks_in_its_cells_is_one_line(tmp_path: Path) -> None:
    """As spreadsheets save wrapped titles."""
    path = tmp_path / "cf.csv"
    row = {
        f"{code}\n*" if code.endswith(("_MC", "BZ")) else code: value for code, value in penalty_row().items()
    }
    # A stray quote above the header takes none of its lines.
    path.write_bytes(
        '青海省商务厅"行政处罚\r\n'.encode() + csv_bytes([row, {**row, "CF_WSH": "青商罚〔2026〕10号"}])
    )
    connector = connect_file(path, TOOLS)
    rows = rows_of(connector)
    assert codes(connector, rows) == ["OK", "OK"]
    assert [one.position for one in rows] == ["3", "4"]
    assert [connector.reread(one.raw) == one.fields for one in rows] == [True, True]


def test_raw_bytes_hold_no_persons_number(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(**PERSON), license_row(XK_XDR_ZJHM="E12345678")], "gb18030"))
    first, second = read(path)
    assert RESIDENT_ID.encode() not in first.raw
    assert b"6****************6" in first.raw
    assert b"E12345678" not in second.raw
    write_xlsx(tmp_path / "xk.xlsx", [license_row(**PERSON)])
    assert RESIDENT_ID.encode() not in read(tmp_path / "xk.xlsx")[0].raw


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "FILE_EMPTY"),
        ("a.csv", b"a,b,c\n1,2,3\n", "FILE_HEADER"),
        ("a.csv", "XK_XDR_MC,XK_WSH\n".encode("utf-16"), "FILE_ENCODING"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE_FORMAT"),
        ("a.xlsx", b"PK\x03\x04 no workbook", "FILE_FORMAT"),
        ("a.xml", b"<rows><row>", "FILE_FORMAT"),
        # Lines as of an old Mac: all would be one header, and nothing seem lost.
        ("a.csv", csv_bytes([license_row()]).replace(b"\r\n", b"\r"), "FILE_FORMAT"),
        ("a.csv", csv_bytes([license_row()]).replace(b"XK_XDR_GSZC", b"XK_XDR_SHXYM"), "FILE_HEADER"),
    ],
)
def test_an_unusable_file_is_refused_with_its_code(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnusable) as refused:
        read(tmp_path / name)
    assert refused.value.code == code


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable) as refused:
        read(tmp_path / "none.csv")
    assert refused.value.code == "FILE_UNREADABLE"


def directory(path: Path, tools: Tools = TOOLS) -> PublicityFiles:
    """The connector over a drop directory."""
    connector = connect({"HUB_COMMERCE_DIR": str(path)}, tools)
    assert isinstance(connector, PublicityFiles)
    return connector


def test_a_file_is_taken_once_its_control_file_is_there_and_only_once(tmp_path: Path) -> None:
    content = csv_bytes([license_row()])
    drop(tmp_path, "XK_20261101.csv", content, None)
    connector = directory(tmp_path)
    assert rows_of(connector) == []
    drop(tmp_path, "XK_20261101.csv", content, 1, digest=True)

    async def take() -> tuple[int, str]:
        batches = [batch async for batch in connector.harvest(None)]
        return sum(len(batch.rows) for batch in batches), batches[-1].cursor

    taken, cursor = asyncio.run(take())
    assert taken == 1
    assert rows_of(connector, cursor) == []
    # Of the same name, with other content: a new delivery.
    drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row(XK_NR="别的")]), 1)
    assert len(rows_of(connector, cursor)) == 1


def test_a_control_file_that_does_not_come_is_told_after_an_hour_and_may_come_late(tmp_path: Path) -> None:
    path = drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row()]), None)
    os.utime(path, (0, 0))
    written = datetime.fromtimestamp(path.stat().st_ctime, UTC)

    def told(minutes: int) -> list[str]:
        connector = directory(tmp_path, replace(TOOLS, now=lambda: written + timedelta(minutes=minutes)))
        return codes(connector, rows_of(connector))

    assert told(59) == []
    assert told(61) == ["CONTROL_MISSING"]
    path.with_name("XK_20261101.csv.ctl").write_text("rows=1", encoding="utf-8")
    assert told(61) == ["OK"]


@pytest.mark.parametrize("name", ["a.xls", "a.csv.gz", "a.zip", "a.RAR"])
def test_a_format_that_is_not_read_is_told_and_not_overlooked(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name, b"\xd0\xcf\x11\xe0" + bytes(60), 1)
    connector = directory(tmp_path)
    assert codes(connector, rows_of(connector)) == ["FILE_FORMAT"]


@pytest.mark.parametrize("name", ["a.et", "a.ods", "a.xlsm", "a.xlsb", "a.tsv"])
def test_a_table_whose_control_file_is_called_without_its_suffix_is_not_overlooked(
    tmp_path: Path, name: str
) -> None:
    drop(tmp_path, name, csv_bytes([license_row()]), None)
    (tmp_path / "a.ctl").write_text("rows=1", encoding="utf-8")
    connector = directory(tmp_path)
    assert codes(connector, rows_of(connector)) == ["OK"]


@pytest.mark.parametrize("name", ["a.et", "a.xlsm", "a.dat", "a"])
def test_what_has_a_control_file_is_delivered_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name, csv_bytes([license_row()]), 1)
    connector = directory(tmp_path)
    assert codes(connector, rows_of(connector)) == ["OK"]


def test_a_link_in_a_drop_directory_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    dropped = tmp_path / "dropped"
    dropped.mkdir()
    (dropped / "a.csv").symlink_to(drop(elsewhere, "a.csv", csv_bytes([license_row()]), 1))
    (dropped / "a.csv.ctl").write_text("rows=1")
    (dropped / "b.csv").symlink_to(elsewhere / "none.csv")
    (dropped / "b.csv.ctl").write_text("rows=1")
    connector = directory(dropped)
    assert codes(connector, rows_of(connector)) == ["FILE_LINK", "FILE_UNREADABLE"]


@pytest.mark.parametrize(
    ("control", "code"),
    [("rows=2", "CONTROL_ROWS"), ("rows=1\nsm3=" + "0" * 64, "CONTROL_DIGEST"), ("?", "CONTROL_FILE")],
)
def test_a_file_that_did_not_come_whole_is_quarantined_and_holds_up_no_other(
    tmp_path: Path, control: str, code: str
) -> None:
    drop(tmp_path, "a.csv", csv_bytes([license_row()]), 1)
    (tmp_path / "a.csv.ctl").write_text(control, encoding="utf-8")
    drop(tmp_path, "b.csv", csv_bytes([penalty_row()]), 1)
    connector = directory(tmp_path)
    assert codes(connector, rows_of(connector)) == [code, "OK"]


def test_without_a_directory_the_source_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        rows_of(directory(tmp_path / "none"))
    with pytest.raises(ValueError, match="HUB_COMMERCE_DIR"):
        connect({}, TOOLS)


def test_it_is_a_connector() -> None:
    assert isinstance(connect_file(Path("x"), TOOLS), Connector)
    assert SOURCE.provider_code == OFFICE


_HEADER = ",".join(license_row()).encode()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=600), st.binary(max_size=600).map(lambda tail: _HEADER + b"\n" + tail)))
def test_arbitrary_bytes_are_refused_or_become_rows_that_are_understood_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    for suffix in (".csv", ".xml"):
        target = path.with_suffix(suffix)
        target.write_bytes(content)
        connector = connect_file(target, TOOLS)
        try:
            rows = rows_of(connector)
        except FileUnusable:
            continue
        codes(connector, rows)


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One workbook for all examples: written anew it would hold another time, and may have another length."""
    path = tmp_path_factory.mktemp("workbook") / "whole.xlsx"
    write_xlsx(path, [license_row()])
    return path.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, workbook: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.xlsx"
    content = bytearray(workbook)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    connector = connect_file(path, TOOLS)
    with suppress(FileUnusable):
        codes(connector, rows_of(connector))


def _with_sheet(path: Path, rows: Sequence[bytes]) -> Path:
    """A workbook of a right licence, and below it `rows` as they stand in the sheet's XML."""
    book = path.with_name("right.xlsx")
    write_xlsx(book, [license_row()])
    with zipfile.ZipFile(book) as right, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member in right.infolist():
            content = right.read(member)
            if not member.filename.startswith("xl/worksheets/"):
                made.writestr(member, content)
                continue
            head, _, tail = content.partition(b"</sheetData>")
            with made.open(member.filename, "w") as sheet:
                for part in (head, *rows, b"</sheetData>", tail):
                    sheet.write(part)
    return path


MEBIBYTE = b"A" * (1 << 20)
CELL = (b'<row><c t="inlineStr"><is><t>', b"</t></is></c></row>")


@pytest.mark.parametrize(
    "rows",
    [
        [CELL[0], *[MEBIBYTE] * 65, CELL[1]],
        # What is no end of a row.
        [CELL[0], b"<![CDATA[", *[MEBIBYTE + b"</row>"] * 65, b"]]>", CELL[1]],
        [b"<!--", *[MEBIBYTE + b"</row>"] * 65, b"-->"],
        [b"<?a ", *[MEBIBYTE + b"</row>"] * 65, b"?>"],
        [b"<row>", *[b"<c/>" * (1 << 18)] * 65, b"</row>"],
    ],
)
def test_a_small_workbook_that_unpacks_to_one_huge_row_is_refused(
    tmp_path: Path, rows: Sequence[bytes]
) -> None:
    path = _with_sheet(tmp_path / "bomb.xlsx", rows)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(FileUnusable, match="FILE_TOO_LARGE"):
        read(path)


def test_a_large_workbook_of_many_rows_is_none_of_these(tmp_path: Path) -> None:
    text = MEBIBYTE[: 1 << 15]
    path = _with_sheet(tmp_path / "large.xlsx", [b"".join((CELL[0], text, CELL[1])) * 32] * 70)
    check_archive(path)


def test_a_row_of_a_sheet_or_a_list_is_no_longer_than_one_of_text(tmp_path: Path) -> None:
    path = _with_sheet(tmp_path / "long.xlsx", [CELL[0], MEBIBYTE, CELL[1]])
    listed = tmp_path / "long.xml"
    fields = "".join(
        f"<{name}>{value}</{name}>" for name, value in license_row(XK_NR="A" * (1 << 20)).items()
    )
    listed.write_text(f"<rows><row>{fields}</row></rows>", encoding="utf-8")
    for row in (read(path)[1], *read(listed)):
        assert codes(connect_file(path, TOOLS), [row]) == ["ROW_TOO_LONG"]
        assert len(row.raw) == MAX_ROW
