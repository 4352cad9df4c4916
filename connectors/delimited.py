"""Rows of delimited text (CSV), each with its exact bytes; a damaged line costs itself only."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence

from connectors.contract import RawRow
from connectors.files import MAX_ROW, DroppedFile, FileUnusable, Header, defect, mask_number, too_long

# The national format allows no line breaks in cells; spreadsheets write them all the same. Past this many
# lines the opening quote is taken for a stray one.
_MAX_LINES = 20
_HEADER_WITHIN = 10
_DELIMITERS = (",", "\t", ";", "|")

Line = tuple[int, bytes]


def read_delimited(
    file: DroppedFile, header: Header, secret: frozenset[str] = frozenset()
) -> Iterator[RawRow]:
    """Rows of `file`. `header` recognizes the header line; columns in `secret` are masked in `raw` only.

    `raw` is the header line followed by the row, both in the file's own bytes, so that a row can be read
    again by itself. Blank lines are no rows. Raises FileUnusable when no header is found.
    """
    with file.path.open("rb") as stream:
        yield from _rows(_Lines(stream), file, header, secret)


def reread(raw: bytes, encoding: str, header: Header) -> dict[str, str | None] | None:
    """The fields of one kept row (header line and row), or None when `raw` is not that."""
    lines = _Lines(io.BytesIO(raw))
    try:
        found = _find_header(lines, encoding, header)
    except FileUnusable:
        return None
    cells = _cells(b"".join(line for _, line in lines), encoding, found.delimiter)
    if cells is None or len(cells) < len(found.names):
        return None
    return {name: cell or None for name, cell in zip(found.names, cells, strict=False)}


class _Found:
    """A recognized header."""

    def __init__(self, names: Sequence[str], delimiter: str, raw: bytes) -> None:
        self.names = tuple(names)
        self.delimiter = delimiter
        self.raw = raw if raw.endswith(b"\n") else raw + b"\n"


class _Lines:
    """Lines with their numbers, those within a cell not counted; lines looked at too far ahead can be put back."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._back: deque[Line] = deque()
        self._number = 0
        # Lines that turned out to stand within a cell: a spreadsheet, in which files are corrected, numbers rows.
        self._within = 0

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        if self._back:
            number, line = self._back.popleft()
            return number - self._within, line
        line = self._stream.readline(MAX_ROW)
        if not line:
            raise StopIteration
        self._number += 1
        if not line.endswith(b"\n"):
            # Either the last line, or one longer than any row: what is past the bound is only skipped over.
            while (rest := self._stream.readline(MAX_ROW)) and not rest.endswith(b"\n"):
                continue
        return self._number - self._within, line

    def put_back(self, lines: Sequence[Line]) -> None:
        """Give `lines` again, in order."""
        self._back.extendleft((number + self._within, line) for number, line in reversed(lines))

    def join(self, lines: Sequence[Line]) -> None:
        """Do not count `lines`, which stand within a cell of the line before."""
        self._within += len(lines)


def _rows(lines: _Lines, file: DroppedFile, header: Header, secret: frozenset[str]) -> Iterator[RawRow]:
    found = _find_header(lines, file.encoding, header)
    names, width, origin = found.names, len(found.names), file.origin
    # Only the file's first bytes can be a mark; later ones would be text.
    encoding = "utf-8" if file.encoding == "utf-8-sig" else file.encoding
    hidden = tuple(index for index, name in enumerate(names) if name in secret)
    body = False
    # No cell of a usual row is a column's name, so hardly any row is asked whether it is a header.
    marks = {*names, *(_cells(found.raw, encoding, found.delimiter) or ())}
    for number, line in lines:
        whole = line
        if line.count(b'"') % 2:
            joined = _join(lines, (number, line), encoding, found)
            if joined is None:
                yield defect(origin, str(number), found.raw + line, "ROW_QUOTES", "a quotation mark is open")
                continue
            whole = joined
        if len(whole) >= MAX_ROW:
            yield too_long(origin, str(number), whole)
            continue
        cells = _cells(whole, encoding, found.delimiter)
        if cells is None:
            yield defect(
                origin, str(number), found.raw + whole, "ROW_ENCODING", f"not one row of {encoding} text"
            )
            continue
        if not any(cells) or (not body and header(cells) is not None):
            continue  # a blank line, or the second line of a header in two languages
        if (
            body
            and not marks.isdisjoint(cells)
            and (other := header([cell.strip("\ufeff") for cell in cells]))
        ):
            # Files put together: from here on the columns may stand in another order.
            found = _Found(other, found.delimiter, whole)
            names, width = found.names, len(found.names)
            hidden = tuple(index for index, name in enumerate(names) if name in secret)
            continue
        body = True
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            reason = f"{len(cells)} cells where the header has {width}"
            yield defect(origin, str(number), found.raw + whole, "ROW_COLUMNS", reason)
            continue
        shown = _masked(whole, cells, hidden, encoding, found.delimiter) if hidden else whole
        fields = {name: cell or None for name, cell in zip(names, cells, strict=False)}
        yield RawRow(origin, str(number), found.raw + shown, fields)


def _find_header(lines: _Lines, encoding: str, header: Header) -> _Found:
    damaged, mac = False, False
    for number, line in lines:
        damaged, mac = damaged or b"\0" in line, mac or b"\r" in line.replace(b"\r\n", b"")
        whole, following = _closed(lines, (number, line))
        for delimiter in _DELIMITERS:
            cells = _cells(whole, encoding, delimiter)
            names = header(cells) if cells else None
            if names is not None and b"\r" in line.replace(b"\r\n", b""):
                # Its rows would be columns of the header.
                raise _of_old_macs()
            if names is not None:
                lines.join(following)
                return _Found(names, delimiter, whole)
        lines.put_back(following)
        if number >= _HEADER_WITHIN:
            break
    if damaged:
        raise FileUnusable("FILE_ENCODING", "UTF-16 text, or damaged by NUL; save it as UTF-8 or GB18030")
    if mac:
        raise _of_old_macs()
    raise FileUnusable(
        "FILE_HEADER",
        f"none of the first {_HEADER_WITHIN} lines is a header of the template, each column once, between commas, tabs,"
        " semicolons or |",
    )


def _of_old_macs() -> FileUnusable:
    return FileUnusable("FILE_FORMAT", "lines that end with CR alone; save it with LF or CRLF")


def _join(lines: _Lines, first: Line, encoding: str, found: _Found) -> bytes | None:
    """The row that opens a quote in `first` and closes it some lines on; None puts the other lines back."""
    whole, following = _closed(lines, first)
    if following:
        cells = _cells(whole, encoding, found.delimiter)
        if cells is not None and len(cells) == len(found.names):
            lines.join(following)
            return whole
    lines.put_back(following)
    return None


def _closed(lines: _Lines, first: Line) -> tuple[bytes, Sequence[Line]]:
    """`first` and what follows until the quote that it opens is closed, and the lines that this took: none when it never is."""
    held, quotes = [first], first[1].count(b'"')
    while quotes % 2 and len(held) < _MAX_LINES and (following := next(lines, None)) is not None:
        held.append(following)
        quotes += following[1].count(b'"')
    if quotes % 2:
        lines.put_back(held[1:])
        return first[1], ()
    return b"".join(line for _, line in held), held[1:]


def _cells(line: bytes, encoding: str, delimiter: str) -> list[str] | None:
    """The stripped cells of a row; None when it is not text of `encoding` or not one row."""
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError:
        return None
    if '"' not in text:
        cells = text.split(delimiter)
        return [cell.strip() for cell in cells] if "'" not in text else [*map(_bare, cells)]
    try:
        parsed = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return None
    # A cell's own line breaks and a lone carriage return in the row do not make a second row.
    return [*map(_bare, parsed[0])] if len(parsed) == 1 else None


def _bare(cell: str) -> str:
    """The cell without what tells a spreadsheet that it is a text: ="0123" and '0123."""
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"') and cell.count('"') == 2:
        return cell[2:-1].strip()
    if cell.startswith("'") and cell.count("'") == 1 and len(cell) > 1:
        return cell[1:].strip()
    return cell


def _masked(
    line: bytes, cells: Sequence[str], hidden: tuple[int, ...], encoding: str, delimiter: str
) -> bytes:
    """`line` with the persons' numbers masked: the quarantine keeps its rows, but no such number."""
    if not any(cells[index] for index in hidden):
        return line
    shown = list(cells)
    for index in hidden:
        shown[index] = mask_number(cells[index])
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerow(shown)
    return buffer.getvalue().encode(encoding)
