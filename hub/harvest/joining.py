"""Two subjects that turn out to be one: what was kept under an old number goes to the subject with the code (§2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from hub.harvest import decided
from hub.harvest.columns import written
from schema.governance import DATA_CLASSES

# Registrations stay: under which names the part was registered says nothing of how the whole is called now.
_MOVED = ("record", "grade", "list_entry", "archive")
_PAIRS = "unnest($1::bigint[], $2::bigint[]) AS n(part, whole)"
_END = """
UPDATE {table} SET superseded_at = greatest($2, recorded_at)
WHERE (subject_id = ANY ($1::bigint[]) OR version_id = ANY ($3::bigint[])) AND superseded_at IS NULL RETURNING version_id
"""
# A case stays the one it is: only whose it is, is known better now.
_HANDLE = "SELECT join_cases($1::bigint[], $2::bigint[])"
# A number is known as the whole's from now on: until then it was taken for somebody else's.
_IDENTIFY = f"""
UPDATE identifier i SET subject_id = n.whole, recorded_at = greatest($3, i.recorded_at)
FROM {_PAIRS} WHERE i.subject_id = n.part
"""  # noqa: S608
# Nothing is known of the part any more, so nothing is denied of it, and nobody finds it by its name. Whoever has kept its
# id is told so, and what was told of it stands in the ledger under it.
_JOIN = f"""
UPDATE subject s SET joined_to = n.whole, name_key = '',
  in_doubt = (SELECT jsonb_object_agg(c, jsonb_build_array($4::text)) FROM unnest($3::text[]) c)
FROM {_PAIRS} WHERE s.subject_id = n.part
"""  # noqa: S608


async def join(
    connection: asyncpg.Connection, pairs: Sequence[tuple[int, int]], source: str, now: datetime
) -> None:
    """Give what stands of the first of each pair to the second, in new versions: what was believed before stays on record.

    `source` delivered the row that names the numbers of both. A decision that both had is one from now on, under one id.
    The caller holds the lock of those who write facts.
    """
    if not pairs:
        return
    parts, wholes = (list(column) for column in zip(*pairs, strict=True))
    for table in _MOVED:
        doubled = await decided.doubled(connection, table, pairs)
        rows = await connection.fetch(_END.format(table=table), parts, now, list(doubled))
        ended = [row["version_id"] for row in rows if row["version_id"] not in doubled]
        if not ended:
            continue
        kept = [name for name in written(table) if name not in ("subject_id", "recorded_at", "superseded_at")]
        await connection.execute(
            f"INSERT INTO {table} ({', '.join(kept)}, subject_id, recorded_at)"  # noqa: S608 -- columns of the table
            f" SELECT {', '.join(f't.{name}' for name in kept)}, n.whole, t.superseded_at"
            f" FROM {table} t JOIN {_PAIRS} ON n.part = t.subject_id WHERE t.version_id = ANY ($3::bigint[])",
            parts,
            wholes,
            ended,
        )
    await connection.execute(_HANDLE, parts, wholes)
    await connection.execute(_IDENTIFY, parts, wholes, now)
    await connection.execute(_JOIN, parts, wholes, list(DATA_CLASSES), source)
