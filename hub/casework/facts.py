"""Facts that casework makes and changes: versions are superseded, never overwritten, as the harvest does it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import asyncpg
import orjson

from hub.casework.details import canonical
from hub.casework.machine import ChangedFact, NewFact
from hub.errors import CaseUnknown
from hub.store.writing import one_writer

FACTS = ("record", "list_entry", "grade", "archive")


@cache
def _columns(table: str) -> tuple[str, ...]:
    assert table in FACTS, table
    # Loaded by whoever writes facts: SQLAlchemy is a sixth of a server's memory, and most servers only answer.
    from hub.store.tables import metadata

    return tuple(column.name for column in metadata.tables[table].columns if column.name != "version_id")


async def write_fact(connection: asyncpg.Connection, fact: NewFact | ChangedFact, now: datetime) -> str:
    """Write one fact in the caller's transaction; gives its public id.

    `now`: when the command was given. A version that came while it waited ends no earlier than it began.
    Raises CaseUnknown when the fact to be changed has no current version.
    """
    await one_writer(connection)
    if isinstance(fact, NewFact):
        return await _insert(connection, fact.table, _made(fact.values), now)
    row = await connection.fetchrow(
        f"SELECT * FROM {fact.table} WHERE public_id = $1 AND superseded_at IS NULL FOR UPDATE",  # noqa: S608
        fact.public_id,
    )
    if row is None:
        raise CaseUnknown("What the case is about is no longer there.")
    now = max(now, row["recorded_at"])
    await connection.execute(
        f"UPDATE {fact.table} SET superseded_at = $2 WHERE version_id = $1",  # noqa: S608
        row["version_id"],
        now,
    )
    # The digest stays the source's: a re-delivery of the same row is unchanged and does not undo casework.
    return await _insert(connection, fact.table, {**row, **fact.changes}, now)


def _made(values: Mapping[str, Any]) -> dict[str, Any]:
    digest = hashlib.new("sm3", canonical({name: str(value) for name, value in values.items()})).hexdigest()
    return {"public_id": str(uuid4()), "payload_digest": digest, "sharing_attribute": "PUBLIC", **values}


async def _insert(
    connection: asyncpg.Connection, table: str, values: Mapping[str, Any], now: datetime
) -> str:
    given = {name: values[name] for name in _columns(table) if name in values}
    given |= {"recorded_at": now, "superseded_at": None}
    given.setdefault("fetched_at", now)
    for name, value in given.items():
        if isinstance(value, dict | list) and name in ("details", "items"):
            given[name] = orjson.dumps(value).decode()
    places = ", ".join(f"${number}" for number in range(1, len(given) + 1))
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(given)}) VALUES ({places})",  # noqa: S608
        *given.values(),
    )
    return str(given["public_id"])
