"""The rows of a store in memory: lists of dicts, one list for each table, read from the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from tests.worlds import TABLES, World

Row = Mapping[str, Any]
# The tables whose rows have several versions, sources and an openness.
FACTS = frozenset({"registration", "record", "grade", "list_entry", "archive"})


@dataclass
class Store:
    """All rows, and for each subject those about it; nothing is filtered."""

    tables: Mapping[str, list[Row]]
    live: Mapping[str, list[Row]] = field(default_factory=dict)
    _about: dict[tuple[str, int], list[Row]] = field(default_factory=dict)
    _subjects: dict[int, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Group the rows by their subject."""
        for name, rows in self.tables.items():
            for row in rows:
                if "subject_id" in row:
                    self._about.setdefault((name, row["subject_id"]), []).append(row)
        self._subjects = {row["subject_id"]: row for row in self.tables["subject"]}

    def about(self, table: str, subject_id: int) -> list[Row]:
        """The rows of a table about a subject, in all their versions."""
        return self._about.get((table, subject_id), [])

    def subject(self, subject_id: int | None) -> Row | None:
        """The row of a subject."""
        return None if subject_id is None else self._subjects.get(subject_id)

    def current(self, table: str) -> Iterator[Row]:
        """The rows of a table that are believed today."""
        return (row for row in self.tables[table] if row.get("superseded_at") is None)


def store_of(tables: Mapping[str, Iterable[Row]], live: Mapping[str, list[Row]]) -> Store:
    """A store of rows that need not be in a database."""
    return Store({name: [_plain(row) for row in rows] for name, rows in tables.items()}, live)


def store_of_world(world: World) -> Store:
    """The store that `world` would be."""
    return store_of(world.tables, world.live)


async def load(connection: asyncpg.Connection, live: Mapping[str, list[Row]]) -> Store:
    """All rows of the store behind `connection`; `live`: what live customs says of codes."""
    return store_of({name: await connection.fetch(f"SELECT * FROM {name}") for name in TABLES}, live)


def believed(row: Row, as_of: datetime | None) -> bool:
    """Whether the hub believed this version at the moment, by default now."""
    if "superseded_at" not in row:
        return as_of is None or row["recorded_at"] <= as_of
    ended = row["superseded_at"]
    return (
        ended is None
        if as_of is None
        else bool(row["recorded_at"] <= as_of and (ended is None or as_of < ended))
    )


def _plain(row: Row) -> Row:
    plain = dict(row)
    for name in ("details", "items", "in_doubt"):
        if isinstance(plain.get(name), str | bytes):
            plain[name] = orjson.loads(plain[name])
    if plain.get("public_id") is not None:
        plain["public_id"] = str(plain["public_id"]).replace("-", "")
    return plain
