"""Files dropped by a source: what they are, whether they came whole, and how their rows are kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
import zipfile
import zlib
from codecs import getincrementaldecoder
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from connectors.contract import SHANGHAI, RawRow, Refused, RowRejected

# Recognizes a header: takes the cells of a row, gives the column names to use, or None when it is none.
Header = Callable[[Sequence[str]], Sequence[str] | None]

# A row that could not be read has these two fields and no others; `reject_defect` turns it into a rejection.
DEFECT = "\x00defect"
DEFECT_REASON = "\x00reason"

# Suffixes of files that hold others.
PACKED = frozenset({".zip", ".gz", ".rar", ".7z"})

_CHUNK = 1 << 20
# What tells the kind of a file.
_HEAD = 512
# Web pages, mails of them and XML of 2003, which spreadsheets open when they are called .xls.
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<|MIME-Version)")
# The longest row in bytes: past this it is no row of a table.
MAX_ROW = 1 << 20
# What a sheet may unpack to: past this it is a decompression bomb, not a table.
_MAX_UNPACKED = 4 << 30
_SHARED = "sharedStrings.xml"
_MAX_SHARED_STRINGS = 512 << 20
# How far apart the ends of two rows of a sheet may be: what is between them is in memory at once.
_MAX_BETWEEN_ROWS = 64 << 20
_ROW_END = b"</row>"
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^<>]*\?>")
# Comments, sections of characters, instructions: what looks like the end of a row is none there. No program writes them
# into sheets.
_HIDING = re.compile(rb"<[!?]")
_ROW_COUNT = re.compile(
    r"(?:rows?|row_?count|count|records?|total|行数|记录数|总数)\W{1,5}(\d{1,12})", re.IGNORECASE
)
# The day in a file's name, and behind it the serial or the time by which files of one day follow each other.
_FILE_DAY = re.compile(r"(?<!\d)(20\d\d[01]\d[0-3]\d)[-_T]?(\d{1,6})?(?!\d)", re.ASCII)
_DIGEST = re.compile(r"(?:sm3|digest|摘要)\W{1,5}([0-9a-fA-F]{64})\b", re.IGNORECASE)


# Notes for whoever fills a form in, behind the title: what has to be filled in, and how a day is written. Who filled it in,
# and when (填报单位, 填表日期), is another column.
_NOTE = re.compile(
    r"[(\[【][^()\[\]【】]*(?:填(?![报表](?:单位|机关|部门|人|日|时))|格式|YYYY)[^()\[\]【】]*[)\]】]$"
)


def fold_title(cell: str) -> str:
    """A code or title of a column as it is compared: half width, capitals, without blanks, line breaks, marks of duty (*), notes.

    Of what stands in brackets only such notes are taken off: a unit, another name or a list of values is part of the title.
    """
    title = "".join(unicodedata.normalize("NFKC", cell).upper().split()).strip("\ufeff*")
    while (shorter := _NOTE.sub("", title).strip("*")) != title:
        title = shorter
    return title


def doubled(codes: Sequence[str], known: Collection[str]) -> bool:
    """Whether a header has two columns of one code: which of them counts is not for us to guess."""
    found = [code for code in codes if code in known]
    return len(found) > len(set(found))


class FileUnusable(Refused):
    """The file as a whole cannot be read; `code` is UPPER_SNAKE, the words hold no cell of the file."""

    def __init__(self, code: str, reason: str) -> None:
        """Take the code and one sentence."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def name_of(path: Path) -> str:
    """The name of a file as text: one that is not in UTF-8 is in GB18030, in which other systems name files."""
    return os.fsencode(path.name).decode("gb18030", "replace") if _is_foreign(path.name) else path.name


def _is_foreign(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


@dataclass(frozen=True)
class DroppedFile:
    """A file, its format (CSV, XLSX, XML), its SM3 digest and, for text, the encoding it is read by."""

    path: Path
    format: str
    digest: str
    encoding: str
    # Line feeds in a text file: about the number of its rows.
    lines: int = 0

    @property
    def origin(self) -> str:
        """Names this very content: a later file of that name is another origin and replaces no rows of it."""
        return f"{name_of(self.path)}@{self.digest[:12]}"


@lru_cache(maxsize=64)
def delivered_on(origin: str) -> datetime | None:
    """The day in the name of the file of a row, where it begins: an older file, delivered again, must not undo a newer one.

    Of one day the file with the greater serial is the newer: its moment is so many millionths of a second later.
    """
    found = _FILE_DAY.search(origin.rpartition("@")[0] or origin)
    if found is None:
        return None
    try:
        day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
    return day.replace(microsecond=int(found[2] or 0))


@dataclass(frozen=True)
class Control:
    """What the control file beside a file says of it: the number of rows and, when given, the SM3 digest."""

    rows: int
    digest: str | None


def inspect(path: Path) -> DroppedFile:
    """Read the file once, in constant memory: digest, format, encoding. Raises FileUnusable."""
    digest = hashlib.new("sm3")
    utf8, gb18030 = _Probe("utf-8"), _Probe("gb18030")
    head, lines = b"", 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                head = head or chunk[:_HEAD]
                digest.update(chunk)
                lines += chunk.count(b"\n")
                utf8.feed(chunk)
                if utf8.failed_at is not None:
                    gb18030.feed(chunk)
    except OSError as error:
        raise FileUnusable("FILE_UNREADABLE", f"the file cannot be read ({type(error).__name__})") from error
    if not head:
        raise FileUnusable("FILE_EMPTY", "the file is empty")
    if path.suffix.lower() in PACKED:
        raise FileUnusable("FILE_FORMAT", "a packed file; deliver what is in it, as XLSX or CSV")
    if head.startswith(b"PK"):
        return DroppedFile(path, "XLSX", digest.hexdigest(), "utf-8")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnusable(
            "FILE_FORMAT",
            "an old binary workbook (.xls, .et) or one under a password; save it as XLSX without a password",
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnusable("FILE_ENCODING", "UTF-16 text; save it as UTF-8 or GB18030")
    if path.suffix.lower() != ".xml" and _PAGE.match(head):
        raise FileUnusable(
            "FILE_FORMAT",
            "a web page or XML under another name; open it in a spreadsheet and save it as XLSX",
        )
    encoding = "utf-8" if utf8.failed_at is None else _likelier(path)
    if head.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    kind = "XML" if path.suffix.lower() == ".xml" else "CSV"
    return DroppedFile(path, kind, digest.hexdigest(), encoding, lines)


def digest_of(path: Path) -> str:
    """The SM3 digest of a file that `inspect` refused; empty when it cannot even be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.new("sm3")).hexdigest()
    except OSError:
        return ""


class _Probe:
    """Whether a stream of bytes is text of one encoding."""

    def __init__(self, encoding: str) -> None:
        self._decoder = getincrementaldecoder(encoding)()
        self._read = 0
        self.failed_at: int | None = None

    def feed(self, chunk: bytes) -> None:
        """Decode on, until the first failure."""
        if self.failed_at is not None:
            return
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            self.failed_at = self._read + error.start
        self._read += len(chunk)


def _likelier(path: Path) -> str:
    """Of UTF-8 and GB18030 the one that fewer lines contradict; lines that still do are quarantined."""
    wrong = {"utf-8": 0, "gb18030": 0}
    with path.open("rb") as stream:
        while line := stream.readline(_CHUNK):
            for encoding in wrong:
                try:
                    line.decode(encoding)
                except UnicodeDecodeError:
                    wrong[encoding] += 1
    return min(wrong, key=lambda encoding: wrong[encoding])


def control_of(path: Path) -> Control | None:
    """The control file of `path` (`<name>.ctl` or `<stem>.ctl`; JSON or `rows=…` lines), or None.

    Raises FileUnusable when there is one that does not say how many rows to expect.
    """
    control = control_path(path)
    if control is None:
        return None
    with control.open("rb") as stream:
        text = stream.read(65536).decode("utf-8", errors="replace")
    rows, digest = _ROW_COUNT.search(text), _DIGEST.search(text)
    if rows is None:
        raise FileUnusable("CONTROL_FILE", "the control file does not say how many rows to expect")
    return Control(int(rows[1]), digest[1].lower() if digest else None)


def control_path(path: Path) -> Path | None:
    """The control file beside `path`, or None when there is none yet."""
    candidates = (path.with_name(path.name + ".ctl"), path.with_suffix(".ctl"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def check_control(file: DroppedFile, control: Control, rows: int) -> None:
    """Refuse a file that did not arrive whole. Raises FileUnusable."""
    if control.digest is not None and control.digest != file.digest:
        raise FileUnusable("CONTROL_DIGEST", "the file's SM3 digest is not the one of its control file")
    if control.rows != rows:
        reason = f"the control file announces {control.rows} rows, the file holds {rows}"
        raise FileUnusable("CONTROL_ROWS", reason)


def check_archive(path: Path) -> None:
    """Refuse a workbook that would unpack to more than memory should hold. Raises FileUnusable."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_sizes(members)
            for member in members:
                # Any may be called a sheet by the workbook.
                if member.file_size > _MAX_BETWEEN_ROWS and not member.filename.endswith(_SHARED):
                    _check_rows(archive, member)
    # The last three are what zipfile raises for a kind of archive that it does not read, for one under a password, and
    # for what does not unpack.
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise FileUnusable("FILE_FORMAT", "the workbook is damaged") from error


def _check_sizes(members: Sequence[zipfile.ZipInfo]) -> None:
    shared = sum(member.file_size for member in members if member.filename.endswith(_SHARED))
    if sum(member.file_size for member in members) > _MAX_UNPACKED or shared > _MAX_SHARED_STRINGS:
        raise _too_large()


def _check_rows(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """A small file may unpack to one cell of gigabytes, which nobody could read row by row."""
    between, held = 0, b""
    with archive.open(member) as stream:
        chunk = stream.read(_CHUNK)
        prolog = _PROLOG.match(chunk)
        chunk = chunk[prolog.end() :] if prolog else chunk
        while chunk:
            seen = held + chunk
            end = seen.rfind(_ROW_END)
            between = between + len(chunk) if end < 0 else len(seen) - end
            if between > _MAX_BETWEEN_ROWS or _HIDING.search(seen):
                raise _too_large()
            held = seen[1 - len(_ROW_END) :]
            chunk = stream.read(_CHUNK)


def _too_large() -> FileUnusable:
    return FileUnusable("FILE_TOO_LARGE", "the workbook unpacks to more than is taken; deliver it as CSV")


# The position of the one row that stands for a file of which nothing could be taken, or not all.
WHOLE_FILE = "file"


def defect(origin: str, position: str, raw: bytes, code: str, reason: str) -> RawRow:
    """A row that cannot be read: it goes through the pipeline like any other, to be counted and kept."""
    return RawRow(origin, position, raw, {DEFECT: code, DEFECT_REASON: reason})


def reject_defect(row: RawRow) -> None:
    """Raise RowRejected when `row` could not be read."""
    code = row.fields.get(DEFECT)
    if code is not None:
        raise RowRejected(code, row.fields.get(DEFECT_REASON) or "the row cannot be read")


def mask_number(value: str) -> str:
    """A person's number for the quarantine: first and last character, for the rest tells birthday and sex."""
    return value[0] + "*" * (len(value) - 2) + value[-1] if len(value) > 3 else "*" * len(value)


def json_row(origin: str, position: str, fields: dict[str, str | None], secret: frozenset[str]) -> RawRow:
    """A row without bytes of its own (sheet, XML): raw is its canonical JSON, numbers of persons masked.

    Of a row that is too long only its begin is kept.
    """
    shown = {
        name: mask_number(value) if value and name in secret else value for name, value in fields.items()
    }
    raw = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")
    if len(raw) > MAX_ROW:
        return too_long(origin, position, raw[:MAX_ROW])
    return RawRow(origin, position, raw, fields)


def too_long(origin: str, position: str, raw: bytes) -> RawRow:
    """A row that is longer than any row of a table."""
    return defect(origin, position, raw, "ROW_TOO_LONG", f"longer than {MAX_ROW} bytes")


def fields_of_json(raw: bytes) -> dict[str, str | None] | None:
    """The fields of a row kept as JSON, or None when `raw` is something else."""
    with suppress(ValueError, RecursionError):
        loaded = json.loads(raw)
        if isinstance(loaded, dict):
            return {str(name): None if value is None else str(value) for name, value in loaded.items()}
    return None
