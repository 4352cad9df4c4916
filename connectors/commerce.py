"""The commerce department's own 双公示 files: licences and penalties in the national format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from connectors.contract import (
    Batch,
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Refused,
    Retention,
    Setting,
    Source,
    Tools,
    Unavailable,
)
from connectors.delimited import read_delimited, reread
from connectors.files import (
    DroppedFile,
    FileUnusable,
    check_control,
    control_of,
    control_path,
    defect,
    digest_of,
    fields_of_json,
    inspect,
    reject_defect,
)
from connectors.publicity import LICENSE_ITEM, PENALTY_ITEM, item_of
from connectors.reading import SHANGHAI
from connectors.sheets import read_sheet, read_xml
from connectors.template import PERSON_NUMBERS, header_names

BATCH_ROWS = 5000
_SUFFIXES = frozenset({".csv", ".txt", ".xlsx", ".xml"})
_READERS = {"CSV": read_delimited, "XLSX": read_sheet, "XML": read_xml}

SOURCE = Source(
    name="COMMERCE",
    title_zh="商务",
    title_en="Commerce department",
    provider_name="青海省商务厅",
    provider_code="11630000000015122A",
    items=(
        CatalogItem(LICENSE_ITEM, "行政许可信息(双公示)", Kind.LICENSE, "D4"),
        CatalogItem(PENALTY_ITEM, "行政处罚信息(双公示)", Kind.PENALTY, "D6"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=(
        Setting(
            "HUB_COMMERCE_DIR",
            "Drop directory of 双公示 files; each is taken once its control file (.ctl) is there",
        ),
    ),
)


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The connector over HUB_COMMERCE_DIR. Raises ValueError when that is not set."""
    directory = settings.get("HUB_COMMERCE_DIR")
    if not directory:
        raise ValueError("HUB_COMMERCE_DIR is not set")
    return PublicityFiles(tools, directory=Path(directory))


def connect_file(path: Path, tools: Tools) -> PublicityFiles:
    """The connector over one file that a person gives; it needs no control file."""
    return PublicityFiles(tools, file=path)


@dataclass(frozen=True)
class _Place:
    """Where a harvest stands: files taken, by name and digest, and the rows taken of the one being read."""

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


class PublicityFiles:
    """Reads the files of a directory in the order of their names (code, date, serial), or one given file."""

    source = SOURCE

    def __init__(self, tools: Tools, directory: Path | None = None, file: Path | None = None) -> None:
        """Take the hub's tools and either a directory or a file."""
        self._tools = tools
        self._directory = directory
        self._file = file

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of every file that was not taken before, by digest. Raises Refused without a directory.

        A file that cannot be read, or did not come whole, is one quarantined row; it holds up no others.
        """
        place = _Place.parse(cursor)
        paths = await asyncio.to_thread(self._paths)
        present = {path.name for path in paths}
        for path in paths:
            mark = await asyncio.to_thread(digest_of if self._file is not None else self._mark, path)
            if place.done.get(path.name) == mark:
                continue
            taken = place.rows if place.digest == mark else 0
            # Names that left the directory are forgotten, so that the cursor does not grow for ever.
            done = {name: taken_mark for name, taken_mark in place.done.items() if name in present}
            place = _Place({**done, path.name: mark})
            try:
                file = await asyncio.to_thread(inspect, path)
                total = await asyncio.to_thread(self._check, file)
                rows = islice(_READERS[file.format](file, header_names, PERSON_NUMBERS), taken, None)
                while chunk := await asyncio.to_thread(_take, rows):
                    taken += len(chunk)
                    yield Batch(chunk, str(_Place(done, mark, taken)), total)
            except FileUnusable as error:
                if self._file is not None:
                    raise
                origin = f"{path.name}@{mark[:12]}"
                yield Batch((defect(origin, "file", b"", error.code, error.reason),), str(place))
            except OSError as error:
                raise Unavailable(f"{path.name} cannot be read: {type(error).__name__}") from error
            else:
                yield Batch((), str(place), total)

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """Files cannot be asked by key. Raises Refused."""
        raise Refused("the department's files are harvested, not asked by key")

    def canonical(self, row: RawRow) -> Item:
        """The licence or penalty that `row` states. Raises RowRejected."""
        reject_defect(row)
        today = self._tools.now().astimezone(SHANGHAI).date()
        return item_of(row, today, self._tools.digest_person_id)

    def reread(self, raw: bytes) -> Mapping[str, str | None] | None:
        """The fields of a quarantined row from its bytes (persons' numbers are masked there), or None."""
        fields = fields_of_json(raw)
        for encoding in () if fields is not None else ("utf-8-sig", "gb18030"):
            fields = reread(raw, encoding, header_names)
            if fields is not None:
                break
        return fields

    async def close(self) -> None:
        """Nothing is held open."""

    def _paths(self) -> list[Path]:
        if self._file is not None:
            return [self._file]
        if self._directory is None or not self._directory.is_dir():
            raise Refused("HUB_COMMERCE_DIR is no directory")
        found = (path for path in self._directory.iterdir() if path.suffix.lower() in _SUFFIXES)
        # Without its control file a file may still be on its way.
        whole = (path for path in found if path.is_file() and control_path(path))
        return sorted(whole, key=lambda path: path.name)

    @staticmethod
    def _mark(path: Path) -> str:
        """What names this delivery: the digest of the file and that of its control file."""
        control = control_path(path)
        return f"{digest_of(path)}{'/' + digest_of(control)[:12] if control else ''}"

    @staticmethod
    def cursor_at(digest: str, rows: int) -> str:
        """The cursor after `rows` rows of the one file with this digest."""
        return str(_Place({}, digest, rows))

    def _check(self, file: DroppedFile) -> int | None:
        """The number of rows that the control file announces, compared with the file."""
        control = None if self._file is not None else control_of(file.path)
        if control is None:
            return max(0, file.lines - 1) or None
        check_control(file, control, sum(1 for _ in _READERS[file.format](file, header_names, frozenset())))
        return control.rows


def _take(rows: Iterator[RawRow]) -> tuple[RawRow, ...]:
    return tuple(islice(rows, BATCH_ROWS))
