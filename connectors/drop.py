"""Files that a source drops into a directory with control files, or that a person gives: each content once."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from connectors.contract import Batch, RawRow, Refused, Source, Tools, Unavailable
from connectors.delimited import read_delimited, reread
from connectors.files import (
    PACKED,
    WHOLE_FILE,
    DroppedFile,
    FileUnusable,
    Header,
    check_control,
    control_of,
    control_path,
    defect,
    digest_of,
    fields_of_json,
    inspect,
    name_of,
)
from connectors.sheets import read_sheet, read_xml

# Old workbooks and packed files are not read: they are looked at so that who dropped one is told.
_SUFFIXES = PACKED | {".csv", ".tsv", ".txt", ".xml", ".xlsx", ".xlsm", ".xlsb", ".xls", ".et", ".ods"}
# What a control file may take to come after its file was last written to; then the delivery is not whole.
_PATIENCE = timedelta(hours=1)
_READERS = {"CSV": read_delimited, "XLSX": read_sheet, "XML": read_xml}


@dataclass(frozen=True)
class _Place:
    """Where a harvest stands: contents taken, by name and mark, and the rows taken of the one being read."""

    done: Mapping[str, str]
    digest: str = ""
    rows: int = 0

    @staticmethod
    def parse(cursor: str | None) -> _Place:
        with suppress(ValueError, TypeError, KeyError):
            read = json.loads(cursor or "")
            return _Place(dict(read["done"]), str(read["digest"]), int(read["rows"]))
        return _Place({})

    def __str__(self) -> str:
        return json.dumps(
            {"done": dict(self.done), "digest": self.digest, "rows": self.rows}, ensure_ascii=False
        )


def cursor_at(digest: str, rows: int) -> str:
    """The cursor after `rows` rows of the given file with this SM3 digest."""
    return str(_Place({}, digest, rows))


class DroppedFiles(ABC):
    """Rows of files, in the order of the files' names (code, date, serial)."""

    def __init__(self, header: Header, secret: frozenset[str] = frozenset(), batch: int = 2000) -> None:
        """`header` recognizes a header of this source; values of `secret` columns are masked in `raw`."""
        self._header, self._secret, self._batch = header, secret, batch

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the files not taken before. Raises Refused, Unavailable.

        A dropped file that cannot be read, or did not come whole, is one row that says so; it holds up no others.
        """
        place = _Place.parse(cursor)
        try:
            paths = await asyncio.to_thread(self._paths)
        except OSError as error:
            raise Unavailable(f"the directory cannot be read: {type(error).__name__}") from error
        present = {name_of(path) for path in paths}
        for path in paths:
            mark = await asyncio.to_thread(self._mark, path)
            name = name_of(path)
            if place.done.get(name) == mark:
                continue
            taken = place.rows if place.digest == mark else 0
            # Names that left the directory are forgotten, so that the cursor does not grow for ever.
            done = {one: before for one, before in place.done.items() if one in present}
            place = _Place({**done, name: mark})
            try:
                file = await asyncio.to_thread(inspect, path)
                total = await asyncio.to_thread(self._total, file)
                rows = islice(self._rows(file), taken, None)
                while chunk := await asyncio.to_thread(_take, rows, self._batch):
                    taken += len(chunk)
                    yield Batch(chunk, str(_Place(done, mark, taken)), total)
            except FileUnusable as error:
                yield Batch((self._unusable(path, mark, error),), str(place))
            except OSError as error:
                raise Unavailable(f"{name} cannot be read: {type(error).__name__}") from error
            else:
                yield Batch((), str(place), total)

    def reread(self, raw: bytes) -> Mapping[str, str | None] | None:
        """The fields of a quarantined row from its bytes (persons' numbers are masked there), or None."""
        fields = fields_of_json(raw)
        for encoding in () if fields is not None else ("utf-8-sig", "gb18030"):
            fields = reread(raw, encoding, self._header)
            if fields is not None:
                break
        return fields

    @abstractmethod
    def _paths(self) -> Sequence[Path]:
        """The files there are now."""

    @abstractmethod
    def _mark(self, path: Path) -> str:
        """What names this delivery: the digest of the file and that of its control file, if it needs one."""

    @abstractmethod
    def _total(self, file: DroppedFile) -> int | None:
        """The number of rows, when known. Raises FileUnusable for a file that did not come whole."""

    def _unusable(self, path: Path, mark: str, error: FileUnusable) -> RawRow:
        return defect(f"{name_of(path)}@{mark[:12]}", WHOLE_FILE, b"", error.code, error.reason)

    def _rows(self, file: DroppedFile) -> Iterator[RawRow]:
        return _READERS[file.format](file, self._header, self._secret)


class DropDirectory(DroppedFiles):
    """The files of one directory. A file counts once its control file says that it is whole.

    One that has waited for its control file for over an hour did not come whole: that is said, and it is looked at again
    when the control file comes.
    """

    def __init__(
        self,
        directory: Path,
        header: Header,
        now: Callable[[], datetime],
        secret: frozenset[str] = frozenset(),
        batch: int = 2000,
    ) -> None:
        """As DroppedFiles, for what is in `directory`; `now` tells how long a file has waited."""
        super().__init__(header, secret, batch)
        self._directory = directory
        self._now = now

    def _paths(self) -> Sequence[Path]:
        # Not is_dir: from Python 3.14 on it also says no of a directory that is there and cannot be read.
        try:
            there = list(self._directory.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            raise Refused("the drop directory does not exist") from None
        every = (path for path in there if path.suffix.lower() != ".ctl")
        # What has a control file is delivered, whatever it is called.
        found = (
            path
            for path in every
            if path.suffix.lower() in _SUFFIXES or path.with_name(f"{path.name}.ctl").is_file()
        )
        files = (path for path in found if path.is_file() or path.is_symlink())
        complete = (path for path in files if control_path(path) is not None or self._overdue(path))
        return sorted(complete, key=lambda path: path.name)

    def _overdue(self, path: Path) -> bool:
        """Whether the control file should have come. Copying may keep a file's old times, but not that of its status."""
        changed = datetime.fromtimestamp(path.stat().st_ctime, UTC)
        return self._now() - changed > _PATIENCE

    def _mark(self, path: Path) -> str:
        control = control_path(path)
        return f"{digest_of(path)}/{digest_of(control)[:12] if control else ''}"

    def _total(self, file: DroppedFile) -> int:
        if file.path.is_symlink():
            raise FileUnusable(
                "FILE_LINK", "a symbolic link, which may lead to what nobody delivered; deliver the file"
            )
        control = control_of(file.path)
        if control is None:
            raise FileUnusable("CONTROL_MISSING", "the file's control file has not come, or went away")
        check_control(file, control, sum(1 for _ in self._rows(file)))
        return control.rows


class GivenFile(DroppedFiles):
    """One file that a person gives: it needs no control file, and when it is unusable that is said at once."""

    def __init__(
        self, path: Path, header: Header, secret: frozenset[str] = frozenset(), batch: int = 2000
    ) -> None:
        """As DroppedFiles, for the file at `path`."""
        super().__init__(header, secret, batch)
        self._path = path

    def _paths(self) -> Sequence[Path]:
        return (self._path,)

    def _mark(self, path: Path) -> str:
        return digest_of(path)

    def _total(self, file: DroppedFile) -> int | None:
        return max(0, file.lines - 1) or None

    def _unusable(self, path: Path, mark: str, error: FileUnusable) -> RawRow:
        raise error


def drop_directory(
    settings: Mapping[str, str],
    name: str,
    header: Header,
    tools: Tools,
    secret: frozenset[str] = frozenset(),
    batch: int = 2000,
) -> DropDirectory:
    """The directory that the setting `name` names. Raises ValueError when it names none."""
    directory = settings.get(name)
    if not directory:
        raise ValueError(f"{name} is not set")
    return DropDirectory(Path(directory), header, tools.now, secret, batch)


class FileConnector:
    """What connectors over files have alike: all but `source` and `canonical`."""

    source: Source

    def __init__(self, files: DroppedFiles) -> None:
        """Read `files`."""
        self._files = files

    def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the files not taken before. Raises Refused, Unavailable."""
        return self._files.harvest(cursor)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """Files cannot be asked by key. Raises Refused."""
        raise Refused("the files are harvested, not asked by key")

    def reread(self, raw: bytes) -> Mapping[str, str | None] | None:
        """The fields of a quarantined row from its bytes (persons' numbers are masked there), or None."""
        return self._files.reread(raw)

    async def close(self) -> None:
        """Nothing is held open."""


def _take(rows: Iterator[RawRow], size: int) -> Sequence[RawRow]:
    return tuple(islice(rows, size))
