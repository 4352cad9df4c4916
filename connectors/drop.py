"""A directory into which a source drops files with control files: each file once, in order of names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from connectors.contract import Batch, RawRow, Refused
from connectors.delimited import read_delimited, reread
from connectors.files import (
    DroppedFile,
    FileUnusable,
    Header,
    check_control,
    control_of,
    control_path,
    defect,
    fields_of_json,
    inspect,
)
from connectors.sheets import read_sheet, read_xml

_SUFFIXES = frozenset({".csv", ".txt", ".xlsx", ".xml"})
_READERS = {"CSV": read_delimited, "XLSX": read_sheet, "XML": read_xml}


@dataclass(frozen=True)
class _Place:
    """The contents taken, by name, and how many rows of the one being read."""

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


class DropDirectory:
    """The files of one directory. A file counts once its control file says that it is whole."""

    def __init__(
        self, directory: Path, header: Header, secret: frozenset[str] = frozenset(), batch: int = 2000
    ) -> None:
        """`header` recognizes a header of this source; values of `secret` columns are masked in `raw`."""
        self._directory, self._header, self._secret, self._batch = directory, header, secret, batch

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of the files not taken before. A file that is not whole is one row that says so."""
        place = _Place.parse(cursor)
        paths = await asyncio.to_thread(self._paths)
        present = {path.name for path in paths}
        for path in paths:
            file: DroppedFile | None = None
            done = {name: digest for name, digest in place.done.items() if name in present}
            try:
                file = await asyncio.to_thread(inspect, path)
                if done.get(path.name) == file.digest:
                    continue
                taken = place.rows if place.digest == file.digest else 0
                total = await asyncio.to_thread(self._check, file)
                rows = islice(self._rows(file), taken, None)
                while chunk := await asyncio.to_thread(_take, rows, self._batch):
                    taken += len(chunk)
                    yield Batch(chunk, str(_Place(done, file.digest, taken)), total)
                place = _Place({**done, path.name: file.digest})
                yield Batch((), str(place))
            except FileUnusable as error:
                digest = file.digest if file is not None else ""
                place = _Place({**done, path.name: digest})
                origin = f"{path.name}@{digest[:12]}"
                yield Batch((defect(origin, "file", b"", error.code, error.reason),), str(place))

    def reread(self, raw: bytes) -> Mapping[str, str | None] | None:
        """The fields of a quarantined row from its bytes, or None."""
        fields = fields_of_json(raw)
        for encoding in () if fields is not None else ("utf-8-sig", "gb18030"):
            fields = reread(raw, encoding, self._header)
            if fields is not None:
                break
        return fields

    def _paths(self) -> list[Path]:
        if not self._directory.is_dir():
            raise Refused("the drop directory does not exist")
        found = (
            path for path in self._directory.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()
        )
        return sorted((path for path in found if control_path(path) is not None), key=lambda path: path.name)

    def _check(self, file: DroppedFile) -> int:
        control = control_of(file.path)
        if control is None:
            raise FileUnusable("CONTROL_FILE", "the control file went away")
        check_control(file, control, sum(1 for _ in self._rows(file)))
        return control.rows

    def _rows(self, file: DroppedFile) -> Iterator[RawRow]:
        return _READERS[file.format](file, self._header, self._secret)


def _take(rows: Iterator[RawRow], most: int) -> Sequence[RawRow]:
    return tuple(islice(rows, most))
