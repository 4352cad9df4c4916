"""Rows of XLSX sheets and of XML lists, as text, streamed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from connectors.contract import RawRow
from connectors.files import DroppedFile, FileUnusable, Header, check_archive, defect, json_row

_HEADER_WITHIN = 10
# Spreadsheets keep 15 significant digits: a longer number has already lost its end, and must not look whole.
_EXACT = 10**15


def read_sheet(file: DroppedFile, header: Header, secret: frozenset[str] = frozenset()) -> Iterator[RawRow]:
    """Rows of the first sheet with a recognized header within ten rows; columns in `secret` masked in `raw`.

    A merged cell has its value in its first place only; the other places are empty, never filled in. Empty
    rows are no rows. Raises FileUnusable.
    """
    check_archive(file.path)
    names: Sequence[str] = ()
    body = False
    for number, cells in _cells(file, header):
        found = None if body else header(cells)
        if found is not None:
            names = tuple(found)
            continue
        body = True
        if not any(cells):
            continue
        fields: dict[str, str | None] = {
            name: cell or None for name, cell in zip(names, [*cells, *[""] * len(names)], strict=False)
        }
        row = json_row(file.origin, str(number), fields, secret)
        if any(cells[len(names) :]):
            reason = f"{len(cells)} cells where the header has {len(names)}"
            row = defect(file.origin, str(number), row.raw, "ROW_COLUMNS", reason)
        yield row


def _cells(file: DroppedFile, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows of the sheet, from its header on."""
    # Every process finds all connectors; only one that reads a workbook needs the library.
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            # What openpyxl warns of (styles, validations, headers) is of no concern to the rows.
            warnings.simplefilter("ignore")
            book = load_workbook(file.path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises nearly anything for a damaged workbook
        raise FileUnusable("FILE_FORMAT", f"the workbook is damaged ({type(error).__name__})") from error
    try:
        for sheet in book.worksheets:
            # The declared size is often wrong: A1:XFD1048576 would pad each row to 16,384 cells.
            sheet.reset_dimensions()
            begun = False
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                cells = [_text(value) for value in row]
                begun = begun or header(cells) is not None
                if begun:
                    yield number, cells
                elif number >= _HEADER_WITHIN:
                    break
            if begun:
                return
    except FileUnusable:
        raise
    except Exception as error:
        raise FileUnusable("FILE_FORMAT", f"the workbook is damaged ({type(error).__name__})") from error
    finally:
        book.close()
    raise FileUnusable("FILE_HEADER", "no sheet has a header of the template within its first rows")


def _text(value: object) -> str:
    """A cell as the text a person would have typed: numbers without trailing .0, days as YYYY/MM/DD."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return f"{value:%Y/%m/%d}" if midnight else f"{value:%Y/%m/%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= _EXACT:
            return f"{value:.14E}"
        return str(int(value)) if value == int(value) else repr(value)
    return str(value).strip()


def read_xml(file: DroppedFile, header: Header, secret: frozenset[str] = frozenset()) -> Iterator[RawRow]:
    """Rows of an XML list: elements whose children's names are a recognized header. Raises FileUnusable.

    Document types and entities are refused (defusedxml). Text is decoded here, so GB18030 prologs work.
    """
    # As with workbooks: only a process that reads one needs the library.
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException, ElementTree

    count = 0
    try:
        # A replaced character shows in the row's values; a damaged byte must not cost the file.
        with file.path.open(encoding=file.encoding, errors="replace") as stream:
            for _, element in ElementTree.iterparse(stream, events=("end",), forbid_dtd=True):
                if not len(element):
                    continue
                names = header([str(child.tag).rpartition("}")[2] for child in element])
                if names is not None:
                    count += 1
                    fields = {
                        name: (child.text or "").strip() or None
                        for name, child in zip(names, element, strict=True)
                    }
                    yield json_row(file.origin, str(count), fields, secret)
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FileUnusable("FILE_FORMAT", f"the XML is damaged or unsafe ({type(error).__name__})") from error
    if not count:
        raise FileUnusable("FILE_HEADER", "no element has the columns of the template")
