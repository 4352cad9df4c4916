"""Text files as offices make them: what a spreadsheet writes around a cell is none of it, and a row is called as it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.commerce import connect_file
from connectors.files import FileUnusable
from tests.publicity_files import FIRM, TOOLS, csv_bytes, license_row
from tests.test_commerce_files import codes, rows_of


@pytest.mark.parametrize("around", ['="{}"', "'{}"])
def test_the_sign_that_makes_a_cell_a_text_is_no_part_of_it(tmp_path: Path, around: str) -> None:
    """As programs write codes into CSV files, lest a spreadsheet makes a number of them; for names, too, for some."""
    written = license_row(XK_FRDB="")
    path = tmp_path / "xk.csv"
    path.write_bytes(
        csv_bytes([{code: around.format(value) if value else "" for code, value in license_row().items()}])
        + f"{','.join(written.values())}\n".replace(FIRM, around.format(FIRM)).encode()
    )
    connector = connect_file(path, TOOLS)
    quoted, bare = rows_of(connector)
    assert quoted.fields == {code: value or None for code, value in license_row().items()}
    assert bare.fields["XK_XDR_SHXYM"] == FIRM
    assert codes(connector, [quoted]) == ["OK"]
    assert connector.reread(quoted.raw) == quoted.fields


def test_quotation_marks_of_a_text_are_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "xk.csv"
    texts = ("'甲'级", "=甲", '"甲"', '="甲', "'")
    path.write_bytes(csv_bytes([license_row(XK_NR=text) for text in texts]))
    assert [row.fields["XK_NR"] for row in rows_of(connect_file(path, TOOLS))] == [*texts]


_CELLS = "".join(f"<td>{code}</td>" for code in license_row())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        # Web pages and XML of 2003, which spreadsheets open when they are called .xls.
        ("a.xls", f"\r\n<html><table><tr>{_CELLS}</tr></table></html>".encode("gbk"), "FILE_FORMAT: a web page"),
        ("a.xls", b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "FILE_FORMAT: a web page"),
        ("a.xls", b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", "FILE_FORMAT: a web page"),
        ("a.csv", csv_bytes([license_row()], "utf-16-le"), "FILE_ENCODING: UTF-16"),
        ("a.csv", csv_bytes([license_row()], "utf-16-be"), "FILE_ENCODING: UTF-16"),
        # Lines as of an old Mac, one of which has quotes.
        ("a.csv", csv_bytes([license_row(XK_NR="甲,乙")] * 2).replace(b"\r\n", b"\r"), "FILE_FORMAT: lines that end with CR"),
        ("a.csv", csv_bytes([license_row()]).replace(b",", "，".encode()), "FILE_HEADER: .* between commas, tabs"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE_FORMAT: .* password"),
        ("a.et", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE_FORMAT: .* password"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnusable, match=told):
        rows_of(connect_file(tmp_path / name, TOOLS))
