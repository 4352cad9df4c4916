"""Decisions that have a record already, under another number of the same subject (§3.1, rule g)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import asyncpg

from hub.harvest.columns import PLACES, day_of
from hub.harvest.resolve import Anchor
from hub.harvest.understood import Prepared

_PLACES = PLACES["record"]
_NUMBER, _DAY = _PLACES["document_number"], _PLACES["decided_on"]
_TOLD_BY = [_PLACES[name] for name in ("kind", "document_number", "authority_uscc", "authority_name")]
# What may be the same decision: its number is written alike, or its day is the same. What is written otherwise is folded here.
_ALIKE = """
SELECT n.place, r.source_record_id, r.kind, r.document_number, coalesce(r.authority_uscc, r.authority_name) AS authority
FROM unnest($2::int[], $3::bigint[], $4::text[], $5::date[]) AS n(place, subject_id, number, decided_on)
JOIN record r ON r.subject_id = n.subject_id AND r.superseded_at IS NULL AND r.source = $1
  AND (r.document_number = n.number OR r.decided_on = n.decided_on)
ORDER BY n.place, r.source_record_id
"""


async def known(
    connection: asyncpg.Connection, source: str, asked: Sequence[tuple[Prepared, int, Sequence[Anchor]]]
) -> list[tuple[Prepared, str]]:
    """Which of `asked` are about decisions that the store, or a row before it, has under another name; with that name.

    Each with what tells its subject, and all that this was until now: a firm is delivered under the number of its
    registration first, and later under its code.
    """
    rows = [
        (place, anchor.subject_id, one.values[_NUMBER], day_of(one.values[_DAY]))
        for place, (one, _, subjects) in enumerate(asked)
        for anchor in subjects
        # What this batch creates has no records yet.
        if anchor.draft is None
    ]
    decisions = [_decision(*(one.values[at] for at in _TOLD_BY)) for one, _, _ in asked]
    stored: dict[int, str] = {}
    if rows:
        columns = (list(column) for column in zip(*rows, strict=True))
        for row in await connection.fetch(_ALIKE, source, *columns):
            place = row["place"]
            if decisions[place] == _decision(row["kind"], row["document_number"], row["authority"], None):
                stored.setdefault(place, row["source_record_id"])
    names: dict[tuple[int, tuple[str, str, str]], str] = {}
    found = []
    for place, (one, subject, _) in enumerate(asked):
        name = names.setdefault((subject, decisions[place]), stored.get(place, one.record_id))
        if name != one.record_id:
            found.append((one, name))
    return found


def _decision(kind: object, number: object, authority: object, name: object) -> tuple[str, str, str]:
    """What tells a decision of a subject apart."""
    return str(kind), _fold(number), _fold(authority or name)


def _fold(value: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(value or "")).split()).upper()
