"""A small source for tests of the harvest: its rows are JSON objects in lists that the test holds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg

from connectors.contract import (
    Batch,
    CatalogItem,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Retention,
    RowRejected,
    Source,
    SourceError,
    SubjectRef,
)
from hub.harvest.imports import import_files
from hub.harvest.run import Outcome, harvest
from tests.conftest import Database
from tests.publicity_files import FIRM, NOW, TOOLS, csv_bytes

# Two more tries at once: tests do not wait.
NO_PAUSE = (0.0, 0.0)
REGISTER = Source(
    name="MARKET_REGULATION",
    title_zh="市场监管",
    provider_name="青海省市场监督管理局",
    provider_code="11630000000015122A",
    items=(
        CatalogItem("T-REG", "登记", Kind.REGISTRATION, "D1"),
        CatalogItem("T-LIC", "许可", Kind.LICENSE, "D4"),
        CatalogItem("T-PEN", "处罚", Kind.PENALTY, "D6"),
        CatalogItem("T-LIST", "名单", Kind.LIST_ENTRY, "D10"),
        CatalogItem("T-TAX", "级别", Kind.GRADE, "D17"),
        CatalogItem("T-ARC", "档案", Kind.ARCHIVE, "D24"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
)
_ITEMS = {item.kind: item.code for item in REGISTER.items}
_DAYS = (
    "decided_on",
    "valid_to",
    "established_on",
    "recognized_on",
    "publicity_ends_on",
    "exited_on",
    "effective_from",
)


def row(
    number: str, kind: Kind, name: str, identifiers: Sequence[tuple[str, str]], **values: Any
) -> dict[str, Any]:
    """A row of the test's source: `values` are columns, and `updated`, `deleted`, `subject_kind`, `item`."""
    return {"id": number, "kind": kind.value, "name": name, "identifiers": list(identifiers), **values}


@dataclass
class Rows:
    """A connector over batches of rows; an exception in their place is raised when its turn comes, once."""

    batches: list[list[dict[str, Any]] | SourceError]
    source: Source = REGISTER
    asked: list[str | None] = field(default_factory=list)

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """The batches after the cursor, which is the number of batches taken."""
        self.asked.append(cursor)
        for number in range(int(cursor or 0), len(self.batches)):
            found = self.batches[number]
            if isinstance(found, SourceError):
                self.batches[number] = []
                raise found
            yield Batch([self._raw(one) for one in found], str(number + 1))

    @staticmethod
    def _raw(one: dict[str, Any]) -> RawRow:
        return RawRow(
            "register",
            str(one["id"]),
            json.dumps(one, ensure_ascii=False).encode(),
            {"json": json.dumps(one)},
        )

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """A harvested source is never asked for single keys."""
        raise AssertionError((keys, items))

    def canonical(self, raw: RawRow) -> Item:
        """The row as it says."""
        one = json.loads(raw.fields["json"] or "")
        if "reject" in one:
            raise RowRejected(one["reject"], "the test said so")
        if "crash" in one:
            raise KeyError(one["crash"])
        kind = Kind(one["kind"])
        told = ("id", "kind", "name", "identifiers", "updated", "deleted", "subject_kind", "item", "region")
        values = {name: value for name, value in one.items() if name not in told}
        for name in _DAYS:
            if isinstance(values.get(name), str):
                values[name] = date.fromisoformat(values[name])
        return Item(
            kind,
            one["id"],
            one.get("item", _ITEMS.get(kind, "?")),
            SubjectRef(
                one.get("subject_kind", "LEGAL_PERSON"),
                one["name"],
                tuple((scheme, value) for scheme, value in one["identifiers"]),
                one.get("region"),
            ),
            values,
            datetime.fromisoformat(one["updated"]) if "updated" in one else None,
            bool(one.get("deleted")),
        )

    async def close(self) -> None:
        """Nothing is open."""


async def contents(pool: asyncpg.Pool) -> dict[str, list[tuple[Any, ...]]]:
    """All that a harvest wrote but for times, random ids and the order in which subjects came: to be compared."""
    who = "(SELECT min(scheme || ':' || value) FROM identifier i WHERE i.subject_id = t.subject_id)"
    queries = {
        "subject": f"SELECT {who}, kind, uscc, region_code, display_name, name_key, registration_status FROM subject t",
        "identifier": f"SELECT {who}, scheme, value, data_class, source FROM identifier t",
        "quarantine": "SELECT source, origin, position, raw, reason_code, reason, replayed_at IS NULL FROM quarantine",
        "state": "SELECT source, status, cursor, rows_read, rows_stored, rows_unchanged, rows_quarantined FROM source_state",
        "delivery": "SELECT digest, name, position, rows_stored, rows_unchanged, rows_quarantined, finished_at IS NULL"
        " FROM delivery",
    }
    for table in ("registration", "record", "grade", "list_entry", "archive"):
        queries[table] = (
            f"SELECT {who}, data_class, source, source_record_id, payload_digest, superseded_at IS NULL,"
            f" count(*) OVER (PARTITION BY public_id) FROM {table} t"
        )
    return {name: sorted(map(tuple, await pool.fetch(query)), key=repr) for name, query in queries.items()}


def granted(
    number: str, code: str = FIRM, name: str = "青海三江源商贸有限公司", **values: Any
) -> dict[str, Any]:
    """A licence of the test's source."""
    values = {"title": "食品经营许可", "decided_on": "2026-05-10", **values}
    return row(number, Kind.LICENSE, name, [("USCC", code)], **values)


def fined(kind: str, **values: Any) -> dict[str, Any]:
    """A penalty of the test's source."""
    values = {
        "identifiers": [("USCC", FIRM)],
        "title": "x",
        "decided_on": "2026-05-10",
        "categories": [kind],
        **values,
    }
    return row("1", Kind.PENALTY, "某", **values)


async def take(database: Database, *batches: Any, now: datetime = NOW) -> Outcome:
    """Harvest `batches` from the beginning, whatever was harvested before."""
    await database.writer.execute("UPDATE source_state SET cursor = NULL")
    return await harvest(Rows(list(batches)), database.writer, lambda: now, pauses=NO_PAUSE)


async def one(database: Database, query: str, *values: object) -> Any:
    """The first column of the first row."""
    return await database.writer.fetchval(query, *values)


async def imported(database: Database, path: Path, again: bool = False) -> Outcome:
    """The outcome of importing one file."""
    (outcome,) = await import_files([path], TOOLS, database.writer, again=again)
    return outcome


def written(tmp_path: Path, *rows: dict[str, str], name: str = "f.csv", encoding: str = "utf-8") -> Path:
    """A file of `rows`."""
    path = tmp_path / name
    path.write_bytes(csv_bytes(rows, encoding))
    return path


async def import_alone(dsn: str, path: Path) -> None:
    """Import a file in a process of its own, which a test may kill; says each batch on standard output."""
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
    async with pool:
        (outcome,) = await import_files([path], TOOLS, pool, lambda told: print(told.totals, flush=True))
    print(outcome.status, flush=True)


if __name__ == "__main__":
    asyncio.run(import_alone(sys.argv[1], Path(sys.argv[2])))
