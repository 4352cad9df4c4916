"""双公示 files: formats, encodings, damage, control files; arbitrary bytes never crash the readers."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.commerce import SOURCE, PublicityFiles, connect, connect_file
from connectors.contract import Connector, RawRow, Refused, RowRejected
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
    ],
)
def test_titles_are_known_in_either_width_with_blanks_and_marks_of_duty(written: str, code: str) -> None:
    names = header_names(["行政相对人名称", "处罚决定日期", "处罚机关", written])
    assert names == ["CF_XDR_MC", "CF_JDRQ", "CF_CFJG", code]


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
    assert read(path)[0].fields["XK_XDR_SHXYM"] == "9.16301030000000E+17"


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


def test_a_cell_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    path.write_bytes(csv_bytes([license_row(XK_NR="一\n二\n三"), license_row(XK_WSH="2号")]))
    rows = read(path)
    assert [row.fields["XK_NR"] for row in rows] == ["一\n二\n三", "预包装食品销售"]
    assert [row.position for row in rows] == ["2", "5"]


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


def directory(path: Path) -> PublicityFiles:
    """The connector over a drop directory."""
    connector = connect({"HUB_COMMERCE_DIR": str(path)}, TOOLS)
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
