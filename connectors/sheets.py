"""Rows of XLSX sheets and of XML lists, as text, streamed."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from connectors.contract import RawRow
from connectors.files import DroppedFile, FileUnusable, Header, check_archive, defect, json_row
from connectors.shown import plain, puts_words, value_of

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet as Worksheet

_HEADER_WITHIN = 10
# What a sheet has rows for.
_MOST_ROWS = 1 << 20
# As a spreadsheet shows that there is no value: here the one of a formula that was never computed.
_NO_VALUE = "#N/A"
_FORMULA = re.compile(rb"<(?:\w{1,20}:)?f[\s/>]")
_LONGEST_TAG = 24
_MERGED = re.compile(
    rb'<(?:\w{1,20}:)?mergeCell\s[^<>]{0,80}ref="[A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"'
)
_LONGEST_MERGED = 160
_CHUNK = 1 << 20


def read_sheet(file: DroppedFile, header: Header, secret: frozenset[str] = frozenset()) -> Iterator[RawRow]:
    """Rows of the sheet with a recognized header within ten rows; columns in `secret` masked in `raw`.

    Several sheets with rows below such a header are refused: a workbook is one table. A merged cell has its value in
    its first place only and is never filled in: a row below that place is a defect, for what is missing there, a
    revocation as it may be, is not nothing. Empty rows are no rows. Raises FileUnusable.
    """
    check_archive(file.path)
    names: Sequence[str] = ()
    titles: Sequence[str] = ()
    marks: set[str] = set()
    body = False
    for number, cells, merged in _cells(file, header):
        # Tables put together: below another header the columns may stand in another order. No cell of a usual row is a
        # column's name, so hardly any row is asked whether it is a header.
        found = header(cells) if not body or not marks.isdisjoint(cells) else None
        if found is None and merged and not body:
            found = _second(header, titles, cells)
        if found is not None:
            names, titles, marks = tuple(found), cells, marks.union(found, cells) - {""}
            continue
        body = True
        if not any(cells):
            continue
        fields: dict[str, str | None] = {
            name or f"[{place}]": cell or None
            for place, (name, cell) in enumerate(zip(names, [*cells, *[""] * len(names)], strict=False), 1)
            if name or cell
        }
        beyond = {
            f"[{place}]": cell for place, cell in enumerate(cells[len(names) :], len(names) + 1) if cell
        }
        row = json_row(file.origin, str(number), {**fields, **beyond}, secret)
        if beyond:
            reason = f"{len(cells)} cells where the header has {len(names)}"
            row = defect(file.origin, str(number), row.raw, "ROW_COLUMNS", reason)
        elif merged:
            reason = "the row shares a merged cell with the one above: say what belongs there"
            row = defect(file.origin, str(number), row.raw, "ROW_MERGED", reason)
        yield row


def _second(header: Header, titles: Sequence[str], cells: Sequence[str]) -> Sequence[str] | None:
    """The names of a header of which `cells` are the second row: below titles above several columns; the others reach over both.

    None where a cell is no title that is known: it may be a value.
    """
    found = header([low or high for low, high in zip_longest(cells, titles, fillvalue="")])
    values = found is None or any(low and name == low for name, low in zip(found, cells, strict=False))
    return None if values else found


def _cells(file: DroppedFile, header: Header) -> Iterator[tuple[int, list[str], bool]]:
    """Numbered rows of the sheet, from its header on; whether a cell that begins above reaches into the row."""
    with ExitStack() as held:
        try:
            book = _opened(file.path, held)
            place = _place(book, header)
            rows = [_rows(book.worksheets[place])]
            if _has_formulas(file.path):
                formulas = _opened(file.path, held, formulas=True)
                rows.append(_rows(formulas.worksheets[place]))
            spans, begun = _merged(file.path, book.worksheets[place]), False
            for number, given in enumerate(zip(*rows, strict=True), 1):
                # What is nothing among the values and something among the formulas has no value yet.
                cells = [_text(*cell) for cell in zip(*given, strict=True)]
                begun = begun or header(cells) is not None
                while spans and spans[0][1] < number:
                    spans.popleft()
                if begun:
                    yield number, cells, bool(spans) and spans[0][0] < number
        except FileUnusable:
            raise
        except Exception as error:  # openpyxl raises nearly anything for a damaged workbook
            reason = f"the workbook is damaged or no XLSX ({type(error).__name__}); save it as XLSX or CSV"
            raise FileUnusable("FILE_FORMAT", reason) from error


def _opened(path: Path, held: ExitStack, *, formulas: bool = False) -> Workbook:
    """The workbook, open as long as `held`, with the values that formulas had when it was saved, or with the formulas."""
    # Every process finds all connectors; only one that reads a workbook needs the library.
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        # What openpyxl warns of (styles, validations, headers) is of no concern to the rows.
        warnings.simplefilter("ignore")
        # Given the path it would go by the name: many systems call an XLSX .xls.
        stream = held.enter_context(path.open("rb"))
        book = load_workbook(stream, read_only=True, data_only=not formulas, keep_links=False)
    held.callback(book.close)
    return book


def _rows(sheet: Worksheet) -> Iterator[tuple[object, ...]]:
    # The declared size is often wrong: A1:XFD1048576 would pad each row to 16,384 cells.
    sheet.reset_dimensions()
    words = puts_words(sheet.parent._number_formats)
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > _MOST_ROWS:
            # A row may call itself the two thousand millionth: all before it would be gone through.
            raise FileUnusable(
                "FILE_FORMAT", f"a sheet has more than {_MOST_ROWS} rows; save it as XLSX or CSV"
            )
        yield tuple([value_of(cell, words) for cell in row])


def _place(book: Workbook, header: Header) -> int:
    """Which sheet is the table. Raises FileUnusable when none is, or several may be."""
    empty: list[int] = []
    filled: list[int] = []
    for place, sheet in enumerate(book.worksheets):
        begun = False
        for number, row in enumerate(_rows(sheet), 1):
            cells = [_text(value) for value in row]
            if header(cells) is not None:
                begun = True
            elif begun and any(cells):
                filled.append(place)
                break
            elif not begun and number >= _HEADER_WITHIN:
                break
        else:
            empty += [place] if begun else []
    if len(filled) > 1:
        # Their titles are cells of the file, which no reason may hold.
        which = ", ".join(
            f"{place + 1}{'' if book.worksheets[place].sheet_state == 'visible' else ' (hidden)'}"
            for place in filled
        )
        reason = (
            f"{len(filled)} sheets have rows below a header of the template: {which};"
            " delete what is not meant, or deliver each in a file of its own"
        )
        raise FileUnusable("FILE_SHEETS", reason)
    if not book.worksheets:
        raise FileUnusable(
            "FILE_FORMAT",
            "a workbook without sheets, or in Strict Open XML; save it as Excel workbook (XLSX)",
        )
    if not filled and not empty:
        raise FileUnusable(
            "FILE_HEADER", "no sheet has a header of the template, each column once, within its first rows"
        )
    return (filled or empty)[0]


def _has_formulas(path: Path) -> bool:
    """Whether any sheet has a formula: only then is the workbook read twice."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            held = b""
            with archive.open(member) as stream:
                while "sheet" in member.filename and (chunk := stream.read(_CHUNK)):
                    if _FORMULA.search(held + chunk):
                        return True
                    held = chunk[-_LONGEST_TAG:]
    return False


def _merged(path: Path, sheet: Worksheet) -> deque[tuple[int, int]]:
    """The first and last rows of the merged cells that reach over several rows, in order."""
    found: set[tuple[int, int]] = set()
    held = b""
    # They stand behind the rows, and openpyxl reads them only with all of the rows in memory.
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as stream:
        while chunk := stream.read(_CHUNK):
            found |= {(int(first), int(last)) for first, last in _MERGED.findall(held + chunk)}
            held = chunk[-_LONGEST_MERGED:]
    return deque(sorted(span for span in found if span[0] < span[1]))


def _text(value: object, formula: object = None) -> str:
    """A cell as the text a person would have typed: numbers without trailing .0, days as YYYY/MM/DD."""
    if value is None:
        return _NO_VALUE if formula is not None else ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return f"{value:%Y/%m/%d}" if midnight else f"{value:%Y/%m/%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y/%m/%d}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain(value)
    return str(value).strip()


def read_xml(file: DroppedFile, header: Header, secret: frozenset[str] = frozenset()) -> Iterator[RawRow]:
    """Rows of an XML list: the elements called as the first whose children's names are a recognized header.

    Each of them is a row, also one that lacks columns or has one twice. Document types and entities are refused
    (defusedxml). Text is decoded here, so GB18030 prologs work. Raises FileUnusable.
    """
    # As with workbooks: only a process that reads one needs the library.
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException

    try:
        listed = (element.tag for element in _elements(file) if header(_names(element)) is not None)
        name = next(listed, None)
        if name is None:
            raise FileUnusable("FILE_HEADER", "no element has the columns of the template")
        for number, element in enumerate(_elements(file, name), 1):
            yield _xml_row(file.origin, str(number), element, header, secret)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FileUnusable("FILE_FORMAT", f"the XML is damaged or unsafe ({type(error).__name__})") from error


def _elements(file: DroppedFile, name: str | None = None) -> Iterator[Element]:
    """The elements called `name` with all that is in them; without it, every one that has children."""
    from defusedxml import ElementTree

    within = 0
    # A replaced character shows in the row's values; a damaged byte must not cost the file.
    with file.path.open(encoding=file.encoding, errors="replace") as stream:
        for event, element in ElementTree.iterparse(stream, events=("start", "end"), forbid_dtd=True):
            within += (1 if event == "start" else -1) * (element.tag == name)
            if event == "end" and not within:
                if element.tag == name if name is not None else len(element):
                    yield element
                # What is in a row is cleared with the row.
                element.clear()


def _names(element: Element) -> list[str]:
    return [str(child.tag).rpartition("}")[2] for child in element]


def _xml_row(origin: str, position: str, element: Element, header: Header, secret: frozenset[str]) -> RawRow:
    given = _names(element)
    found = header(given)
    names = given if found is None else found
    fields = {
        name: "".join(child.itertext()).strip() or None for name, child in zip(names, element, strict=True)
    }
    row = json_row(origin, position, fields, secret)
    if found is None:
        reason = "the elements of the row are not the columns of the template, or one is there twice"
        return defect(origin, position, row.raw, "ROW_COLUMNS", reason)
    if any(len(child) for child in element):
        return defect(origin, position, row.raw, "ROW_COLUMNS", "a column of the row has elements of its own")
    if any("\ufffd" in value for value in fields.values() if value):
        return defect(origin, position, row.raw, "ROW_ENCODING", "a character of the row is damaged")
    return row
