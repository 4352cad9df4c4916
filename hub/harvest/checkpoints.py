"""Where harvests and imports stand, how many rows became what, and how fresh each source is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from connectors.contract import Source
from hub.harvest.versions import Totals

_COUNT = """
INSERT INTO source_state AS s
  (source, status, checked_at, cursor, rows_read, rows_stored, rows_unchanged, rows_quarantined)
VALUES ($1, 'UNAVAILABLE', $2, $3, $4, $5, $6, $7)
ON CONFLICT (source) DO UPDATE SET
  checked_at = excluded.checked_at, cursor = coalesce(excluded.cursor, s.cursor),
  rows_read = s.rows_read + excluded.rows_read, rows_stored = s.rows_stored + excluded.rows_stored,
  rows_unchanged = s.rows_unchanged + excluded.rows_unchanged,
  rows_quarantined = s.rows_quarantined + excluded.rows_quarantined
"""
# Who gave nothing gave no place either: that it was read to its end ($6) is one, else it would be read from its beginning at
# every look after a migration that had its place forgotten.
_NOTE = """
INSERT INTO source_state AS s (source, status, as_of, checked_at, failing_since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source) DO UPDATE
SET status = excluded.status, as_of = excluded.as_of, checked_at = excluded.checked_at,
  cursor = CASE WHEN $6 THEN coalesce(s.cursor, '') ELSE s.cursor END,
  failing_since = CASE WHEN excluded.failing_since IS NOT NULL
    THEN coalesce(s.failing_since, excluded.failing_since) END
"""
_TAKE = """
INSERT INTO delivery AS d
  (digest, source, name, received_at, position, rows_stored, rows_unchanged, rows_quarantined)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (digest) DO UPDATE SET
  position = d.position + excluded.position, rows_stored = d.rows_stored + excluded.rows_stored,
  rows_unchanged = d.rows_unchanged + excluded.rows_unchanged,
  rows_quarantined = d.rows_quarantined + excluded.rows_quarantined
"""
_AGAIN = """
UPDATE delivery SET position = 0, finished_at = NULL, rows_stored = 0, rows_unchanged = 0, rows_quarantined
= 0 WHERE digest = $1
"""


@dataclass(frozen=True)
class Delivery:
    """How far a file was imported; `totals.read` is its position."""

    totals: Totals
    finished_at: datetime | None


async def count(
    connection: asyncpg.Connection, source: str, totals: Totals, now: datetime, cursor: str | None = None
) -> None:
    """Add what became of rows to the source's counters; with `cursor`, move the harvest there."""
    await connection.execute(
        _COUNT,
        source,
        now,
        cursor,
        totals.read,
        totals.stored,
        totals.unchanged,
        totals.quarantined,
    )


async def cursor_of(connection: asyncpg.Connection, source: str) -> str | None:
    """Where the next harvest of the source goes on."""
    found = await connection.fetchval("SELECT cursor FROM source_state WHERE source = $1", source)
    return str(found) if found else None


async def note_success(connection: asyncpg.Connection, source: str, as_of: datetime, now: datetime) -> None:
    """The source was gone through to its end: its facts are as of `as_of`."""
    await connection.execute(_NOTE, source, "OK", as_of, now, None, True)


async def note_failure(connection: asyncpg.Connection, source: Source, now: datetime) -> None:
    """The source did not answer: what was harvested stays OK until it is stale; without any, UNAVAILABLE.

    It fails since `now`, unless it did before. What was not complete before is not so by failing.
    """
    known = await connection.fetchrow("SELECT status, as_of FROM source_state WHERE source = $1", source.name)
    as_of, status = known["as_of"] if known else None, "UNAVAILABLE"
    if known and as_of is not None and known["status"] != status:
        status = "OK" if now - as_of <= source.freshness.stale_after else "STALE"
    await connection.execute(_NOTE, source.name, status, as_of, now, now, False)


async def note_incomplete(connection: asyncpg.Connection, source: str, now: datetime) -> None:
    """Something that the source sent is not known at all, of whomever it is: it vouches for nothing, since `now` or before."""
    as_of = await connection.fetchval("SELECT as_of FROM source_state WHERE source = $1", source)
    await connection.execute(_NOTE, source, "UNAVAILABLE", as_of, now, now, True)


async def delivery_of(connection: asyncpg.Connection, digest: str) -> Delivery | None:
    """How far the file with this digest was imported, or None."""
    row = await connection.fetchrow("SELECT * FROM delivery WHERE digest = $1", digest)
    if row is None:
        return None
    totals = Totals(row["position"], row["rows_stored"], row["rows_unchanged"], row["rows_quarantined"])
    return Delivery(totals, row["finished_at"])


async def take(
    connection: asyncpg.Connection, digest: str, source: str, name: str, totals: Totals, now: datetime
) -> None:
    """Move the position in a file by the rows of a batch."""
    counts = (totals.read, totals.stored, totals.unchanged, totals.quarantined)
    await connection.execute(_TAKE, digest, source, name, now, *counts)


async def take_again(connection: asyncpg.Connection, digest: str) -> None:
    """Forget how far a file was imported."""
    await connection.execute(_AGAIN, digest)


async def finish(connection: asyncpg.Connection, digest: str, now: datetime) -> None:
    """The file was imported to its end."""
    await connection.execute("UPDATE delivery SET finished_at = $2 WHERE digest = $1", digest, now)
