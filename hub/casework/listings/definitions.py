"""What lists there are: definitions put into the store, with who did it, when, and what it said before (R8.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg
import orjson

from hub.errors import FileRefused
from hub.rules.list_definitions import ListDefinition

_STORED = "SELECT * FROM list_definition WHERE code = ANY ($1) ORDER BY code FOR UPDATE"
# In the order of `ListDefinition`.
_PUT = """
INSERT INTO list_definition (code, name, color, recognizer_name, legal_basis, basis_level,
  min_publicity_months, max_publicity_months, effective_from, effective_to, criteria, measures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (code) DO UPDATE
SET name = excluded.name, recognizer_name = excluded.recognizer_name, legal_basis = excluded.legal_basis,
  basis_level = excluded.basis_level, min_publicity_months = excluded.min_publicity_months,
  max_publicity_months = excluded.max_publicity_months, effective_from = excluded.effective_from,
  effective_to = excluded.effective_to, criteria = excluded.criteria, measures = excluded.measures
"""
_RECORD = """
INSERT INTO list_definition_change (list_code, changed_at, changed_by, before, after) VALUES ($1, $2, $3, $4, $5)
"""
_LISTED = """
SELECT d.*, c.changed_at, c.changed_by FROM list_definition d
LEFT JOIN LATERAL (SELECT changed_at, changed_by FROM list_definition_change c WHERE c.list_code = d.code
  ORDER BY change_id DESC LIMIT 1) c ON true ORDER BY d.code
"""


class Outcome(StrEnum):
    """What became of a definition."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Defined:
    """A definition that was put: what became of it, and each changed key with what it said before and says now."""

    code: str
    outcome: Outcome
    changes: tuple[tuple[str, object, object], ...] = ()


async def define(
    connection: asyncpg.Connection, definitions: Sequence[ListDefinition], now: datetime, by: str
) -> list[Defined]:
    """Put definitions into the store, within the caller's transaction. Raises FileRefused: a list changes its colour.

    Cases that are open keep the definition under which they were opened, and entries the days that they have; but
    nobody is taken on a list any more that is not in force today, or has no sufficient basis (R8.1).
    """
    codes = [one.code for one in definitions]
    stored = {row["code"]: row for row in await connection.fetch(_STORED, codes)}
    done = []
    for one in definitions:
        after = asdict(one)
        before = {name: stored[one.code][name] for name in after} if one.code in stored else None
        if before is not None and before["color"] != one.color:
            # Its entries carry the colour, and other rights hold for each.
            raise FileRefused(
                f"{one.code} is a {before['color']} list: give a {one.color} list a code of its own."
            )
        changes = tuple(
            (name, before[name], value) for name, value in after.items() if before and before[name] != value
        )
        if before is not None and not changes:
            done.append(Defined(one.code, Outcome.UNCHANGED))
            continue
        await connection.execute(_PUT, *after.values())
        await connection.execute(_RECORD, one.code, now, by, _json(before), _json(after))
        done.append(Defined(one.code, Outcome.CHANGED if before else Outcome.ADDED, changes))
    return done


async def listed(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """All lists by code, each with who changed it last and when; None: it stands as it came with the hub."""
    rows: list[asyncpg.Record] = await connection.fetch(_LISTED)
    return rows


def _json(row: dict[str, Any] | None) -> str | None:
    return None if row is None else orjson.dumps(row).decode()
