"""Text files as offices make them: what a spreadsheet writes around a cell is none of it, and a row is called as it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.commerce import connect_file
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
