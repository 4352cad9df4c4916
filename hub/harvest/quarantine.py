"""Rows that were not understood: kept with their bytes, shown, corrected by a person and replayed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

import asyncpg

from connectors.contract import RawRow
from connectors.files import WHOLE_FILE
from hub.harvest import doubts
from hub.harvest.screen import redact
from hub.harvest.understood import Called, Rejected

_KEEP = """
INSERT INTO quarantine (source, origin, position, raw, reason_code, reason, quarantined_at, codes, data_classes, named, changed_at)
SELECT $1, n.origin, n.position, n.raw, n.code, n.reason, $7, string_to_array(n.codes, ' '), $9::text[], n.named, n.changed_at
FROM unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $8::text[], $10::text[], $11::timestamptz[])
  AS n(origin, position, raw, code, reason, codes, named, changed_at)
ON CONFLICT (source, origin, position) DO UPDATE
SET raw = excluded.raw, reason_code = excluded.reason_code, reason = excluded.reason,
  quarantined_at = excluded.quarantined_at, replayed_at = NULL, settled_by = NULL, corrected = NULL, dismissed_because = NULL,
  joined_because = NULL,
  codes = excluded.codes, data_classes = excluded.data_classes, named = excluded.named, changed_at = excluded.changed_at
WHERE quarantine.raw <> excluded.raw OR quarantine.reason_code <> excluded.reason_code
  OR quarantine.replayed_at IS NULL
    AND (quarantine.data_classes <> excluded.data_classes OR quarantine.codes <> excluded.codes
      OR quarantine.named <> excluded.named OR quarantine.changed_at IS DISTINCT FROM excluded.changed_at)
  OR quarantine.replayed_at IS NOT NULL AND quarantine.settled_by IS NULL
RETURNING codes
"""
# What rows that come back otherwise named before.
_NAMED = """
SELECT q.codes FROM quarantine q
JOIN unnest($2::text[], $3::text[], $4::bytea[]) AS n(origin, position, raw) USING (origin, position)
WHERE q.source = $1 AND q.raw <> n.raw
"""
# A row that was understood at last, because its source or the connector was corrected, needs nobody any more.
_SETTLE = """
UPDATE quarantine q SET replayed_at = $4
FROM unnest($2::text[], $3::text[]) AS n(origin, position)
WHERE q.source = $1 AND q.origin = n.origin AND q.position = n.position AND q.replayed_at IS NULL
RETURNING q.codes
"""
# Nor does one of which its source sent a later state elsewhere: a file in another file, a service under another serial number.
# Found by all names at once, and apart: thousands may have come since the table's statistics were taken.
_SETTLE_NAMED = """
WITH waiting AS MATERIALIZED (
  SELECT quarantine_id, named, changed_at FROM quarantine
  WHERE source = $1 AND named = ANY ($2::text[]) AND named <> '' AND replayed_at IS NULL
    AND ($5::bigint IS NULL OR quarantine_id < $5)
), corrected AS MATERIALIZED (
  SELECT DISTINCT w.quarantine_id FROM waiting w
  JOIN unnest($2::text[], $3::timestamptz[]) AS n(named, changed_at) USING (named)
  WHERE coalesce(n.changed_at >= w.changed_at, TRUE)
)
UPDATE quarantine q SET replayed_at = $4 FROM corrected c WHERE q.quarantine_id = c.quarantine_id RETURNING q.codes
"""
# What waits is less than what a file brings anew: it is gone through once, not asked for each code.
_WAITING_CODES = """
SELECT DISTINCT code FROM (SELECT unnest(codes) AS code FROM quarantine WHERE replayed_at IS NULL) q
WHERE code IN (SELECT unnest($1::text[]))
"""
# A file that did not come whole, of which one of the same name came since: another origin, for it has other content.
_CAME_WHOLE = f"""
UPDATE quarantine SET replayed_at = $3
WHERE source = $1 AND position = '{WHOLE_FILE}' AND replayed_at IS NULL
  AND regexp_replace(origin, '@[^@]*$', '') = ANY ($2::text[])
"""  # noqa: S608 -- a constant of this program
_FILE_WAITS = f"""
SELECT EXISTS (SELECT FROM quarantine WHERE source = $1 AND position = '{WHOLE_FILE}' AND replayed_at IS NULL)
"""  # noqa: S608 -- a constant of this program
_CORRECTED = "UPDATE quarantine SET settled_by = $2, corrected = $3 WHERE quarantine_id = $1"
_DISMISS = """
UPDATE quarantine SET replayed_at = $2, settled_by = $3, dismissed_because = $4
WHERE quarantine_id = $1 AND replayed_at IS NULL AND ($5::text IS NULL OR reason_code = $5) RETURNING codes
"""
_CLEARED = """
UPDATE quarantine SET cleared_at = $2, cleared_by = $3, cleared_because = $4 WHERE quarantine_id = $1
"""
_JOINED = "UPDATE quarantine SET joined_because = $2 WHERE quarantine_id = $1"
_COLUMNS = (
    "quarantine_id, source, origin, position, reason_code, reason, quarantined_at, replayed_at,"
    " settled_by, corrected, dismissed_because, cleared_at, cleared_by, cleared_because,"
    " joined_because"
)
_WAITING_FOR = """
SELECT quarantine_id FROM quarantine WHERE source = $1 AND reason_code = $2 AND replayed_at IS NULL ORDER BY quarantine_id
"""
# $1: one source or all, $2: also those understood since.
_LISTED = "($1::text IS NULL OR source = $1) AND ($2 OR replayed_at IS NULL)"


@runtime_checkable
class Rereads(Protocol):
    """A connector that can read the fields of a quarantined row from its bytes."""

    def reread(self, raw: bytes) -> Mapping[str, str | None] | None:
        """The fields, numbers of persons masked; None when the bytes cannot be read."""
        ...


@dataclass(frozen=True)
class Quarantined:
    """A row in quarantine, without its bytes. `cleared…`: who let its texts be shown. `joined_because`: why the subjects of
    its numbers were found to be one.

    `replayed_at`: since when it waits for nobody: it was understood, or a person dismissed it, `dismissed_because` then
    says why. `settled_by`: who replayed or dismissed it; `corrected`: the fields that a replay corrected.
    """

    quarantine_id: int
    source: str
    origin: str
    position: str
    reason_code: str
    reason: str
    quarantined_at: datetime
    replayed_at: datetime | None
    settled_by: str | None
    corrected: Sequence[str] | None
    dismissed_because: str | None
    cleared_at: datetime | None
    cleared_by: str | None
    cleared_because: str | None
    joined_because: str | None = None


@dataclass(frozen=True)
class Clearing:
    """A person has read the texts of a row and found that they may be shown to everyone (R7.3): who, and why."""

    by: str
    because: str


async def keep(
    connection: asyncpg.Connection,
    source: str,
    rejected: Sequence[Rejected],
    now: datetime,
    classes: Sequence[str] = (),
) -> set[str]:
    """Put rows into quarantine, numbers of persons masked; a row that is there is brought up to date.

    `classes`: what may be missing of whom the rows name. Gives the codes of those whom they named before and name no more.
    """
    # Of a row that came twice in a batch the later state counts; one statement may touch a row only once.
    rows = {(one.row.origin, one.row.position): one for one in rejected}
    if not rows:
        return set()
    origins, positions = [origin for origin, _ in rows], [position for _, position in rows]
    raws = [redact(one.row.raw) for one in rows.values()]
    before = await connection.fetch(_NAMED, source, origins, positions, raws)
    # Not those that are as they were: they wait already, or a person has dismissed them.
    kept = await connection.fetch(
        _KEEP,
        source,
        origins,
        positions,
        raws,
        [one.code for one in rows.values()],
        [one.reason for one in rows.values()],
        now,
        [" ".join((*doubts.codes_in(one.row), *sorted(one.persons))) for one in rows.values()],
        classes,
        [one.called[0] for one in rows.values()],
        [one.called[1] for one in rows.values()],
    )
    named = {code for row in kept for code in row["codes"]}
    await doubts.arise(connection, named, classes, source)
    return {code for row in before for code in row["codes"]} - named


async def settle(
    connection: asyncpg.Connection,
    source: str,
    rows: Sequence[RawRow],
    now: datetime,
    told: Sequence[Called] = (),
    replayed: int | None = None,
) -> set[str]:
    """Mark quarantined rows that were understood now, and those of which `told` is the later state: what of, and changed when.

    `replayed`: the row that a person replayed is no later than what came behind it. Gives the codes of those whom they named.
    """
    settled = await connection.fetch(
        _SETTLE, source, [row.origin for row in rows], [row.position for row in rows], now
    )
    settled += await connection.fetch(
        _SETTLE_NAMED, source, [named for named, _ in told], [moment for _, moment in told], now, replayed
    )
    names = {row.origin.rpartition("@")[0] for row in rows} - {""}
    if names:
        await connection.execute(_CAME_WHOLE, source, list(names), now)
    return {code for row in settled for code in row["codes"]}


async def waiting(connection: asyncpg.Connection, codes: Collection[str]) -> set[str]:
    """Those of `codes` that stand in rows that wait."""
    return {row["code"] for row in await connection.fetch(_WAITING_CODES, list(codes))} if codes else set()


async def note_corrected(
    connection: asyncpg.Connection, quarantine_id: int, by: str, fields: Sequence[str]
) -> None:
    """Keep who replayed a row, and which fields it then had otherwise."""
    await connection.execute(_CORRECTED, quarantine_id, by, list(fields))


async def dismiss(
    connection: asyncpg.Connection,
    quarantine_id: int,
    by: str,
    because: str,
    now: datetime,
    reason_code: str | None = None,
) -> set[str] | None:
    """A person found that nothing of a row is to be stored: it waits no more, unless it comes back otherwise.

    Gives the codes of those whom it named; None: no such row waits, or not for `reason_code`.
    """
    row = await connection.fetchrow(_DISMISS, quarantine_id, now, by, because, reason_code)
    return None if row is None else set(row["codes"])


async def note_cleared(
    connection: asyncpg.Connection, quarantine_id: int, clearing: Clearing, now: datetime
) -> None:
    """Keep who cleared the texts of a row, and why."""
    await connection.execute(_CLEARED, quarantine_id, now, clearing.by, clearing.because)


async def note_joined(connection: asyncpg.Connection, quarantine_id: int, because: str) -> None:
    """Keep why a person found that the numbers of a row are one subject's."""
    await connection.execute(_JOINED, quarantine_id, because)


async def has_open(connection: asyncpg.Connection) -> bool:
    """Whether any row waits in quarantine."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM quarantine WHERE replayed_at IS NULL)"))


async def file_waits(connection: asyncpg.Connection, source: str) -> bool:
    """Whether a whole file of the source waits: whom its rows are about, nobody knows."""
    return bool(await connection.fetchval(_FILE_WAITS, source))


async def list_quarantined(
    pool: asyncpg.Pool, source: str | None = None, *, every: bool = False, limit: int = 100
) -> list[Quarantined]:
    """Rows in quarantine, newest first; `every`: those understood since, too."""
    rows = await pool.fetch(
        f"SELECT {_COLUMNS} FROM quarantine WHERE {_LISTED} ORDER BY quarantine_id DESC LIMIT $3",  # noqa: S608 - constants
        source,
        every,
        limit,
    )
    return [Quarantined(**row) for row in rows]


async def count_quarantined(pool: asyncpg.Pool, source: str | None = None, *, every: bool = False) -> int:
    """How many rows `list_quarantined` would give without a limit."""
    return int(await pool.fetchval(f"SELECT count(*) FROM quarantine WHERE {_LISTED}", source, every))  # noqa: S608 - as above


async def waiting_for(pool: asyncpg.Pool, source: str, reason_code: str) -> list[int]:
    """The rows of a source that wait for this reason, the oldest first."""
    rows = await pool.fetch(_WAITING_FOR, source, reason_code)
    return [row["quarantine_id"] for row in rows]


async def quarantined(
    store: asyncpg.Pool | asyncpg.Connection, quarantine_id: int
) -> tuple[Quarantined, bytes] | None:
    """One row in quarantine with its bytes (numbers of persons masked), or None."""
    row = await store.fetchrow(
        f"SELECT {_COLUMNS}, raw FROM quarantine WHERE quarantine_id = $1",  # noqa: S608 - constants
        quarantine_id,
    )
    if row is None:
        return None
    found = dict(row)
    raw = bytes(found.pop("raw"))
    return Quarantined(**found), raw


def fields_of(connector: object, raw: bytes) -> Mapping[str, str | None] | None:
    """The fields of a quarantined row, for correcting them; None when its bytes cannot be read."""
    if isinstance(connector, Rereads):
        return connector.reread(raw)
    with suppress(ValueError, RecursionError):
        loaded = json.loads(raw)
        if isinstance(loaded, dict):
            return {str(name): None if value is None else str(value) for name, value in loaded.items()}
    return None
