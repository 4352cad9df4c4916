"""The working calendar in the store: notices are laid, and told again (R7.1, 5.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from hub.store.writing import one_at_a_time

_FIXED = (
    "SELECT day, is_workday, source_doc FROM working_day WHERE region_code = $1 AND day = ANY ($2::date[])"
)
_LAY = """
INSERT INTO working_day (region_code, day, is_workday, source_doc)
SELECT $1, day, worked, $4 FROM unnest($2::date[], $3::boolean[]) AS n(day, worked)
ON CONFLICT (region_code, day) DO UPDATE SET is_workday = excluded.is_workday, source_doc = excluded.source_doc
WHERE (working_day.is_workday, working_day.source_doc) <> (excluded.is_workday, excluded.source_doc)
"""
_LAID = """
SELECT region_code, extract(year FROM day)::int AS year, source_doc, count(*) AS days,
  count(*) FILTER (WHERE NOT is_workday AND extract(isodow FROM day) < 6) AS rest_days,
  count(*) FILTER (WHERE is_workday AND extract(isodow FROM day) > 5) AS working_days
FROM working_day WHERE day >= $1 GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
"""


@dataclass(frozen=True)
class Laid:
    """What laying a notice did."""

    # Days that nothing had fixed before.
    new: int
    # Days that were fixed otherwise, and whether they are worked now.
    changed: Mapping[date, bool]
    # Days that another document had fixed as they stay.
    renamed: int


async def lay(
    connection: asyncpg.Connection, region: str, days: Mapping[date, bool], source_doc: str
) -> Laid:
    """Fix `days` of a region's calendar, in the caller's transaction; running deadlines are the worker's to count anew."""
    await one_at_a_time(connection, "working_day")
    before = {row["day"]: row for row in await connection.fetch(_FIXED, region, list(days))}
    await connection.execute(_LAY, region, list(days), list(days.values()), source_doc)
    changed = {day: days[day] for day, row in before.items() if row["is_workday"] != days[day]}
    by_another = {day for day, row in before.items() if row["source_doc"] != source_doc}
    return Laid(len(days) - len(before), dict(sorted(changed.items())), len(by_another - changed.keys()))


async def laid(connection: asyncpg.Connection, since: date) -> Sequence[asyncpg.Record]:
    """Year by year, region by region, by which document how many days are fixed, from `since` on."""
    found: Sequence[asyncpg.Record] = await connection.fetch(_LAID, since)
    return found
