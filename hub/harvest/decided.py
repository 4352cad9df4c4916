"""Decisions that have a record already, under another number of the same subject (§3.1, rule g)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from hub.harvest.columns import FILLED, day_of
from hub.harvest.resolve import Anchor
from hub.harvest.understood import Prepared

_COLUMNS = [column.name for column in FILLED["record"]]
_PLACES = [
    _COLUMNS.index(name)
    for name in ("kind", "document_number", "authority_uscc", "authority_name", "decided_on")
]
_FOLDED = "upper(regexp_replace(normalize({0}, NFKC), '\\s', '', 'g'))"
# To fold takes longer than all else: of a number written otherwise only where the day is the same, of the authority last.
_KNOWN = f"""
SELECT n.place, min(r.source_record_id) AS name
FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[])
  AS n(place, subject_id, kind, number, authority, written, decided_on)
JOIN record r ON r.subject_id = n.subject_id AND r.superseded_at IS NULL AND r.source = $1 AND r.kind = n.kind
  AND CASE WHEN r.document_number = n.written THEN true
    WHEN r.decided_on = n.decided_on THEN {_FOLDED.format("r.document_number")} = n.number ELSE false END
WHERE {_FOLDED.format("coalesce(r.authority_uscc, r.authority_name)")} = n.authority
GROUP BY n.place
"""  # noqa: S608 -- constants of this program


async def known(
    connection: asyncpg.Connection, source: str, asked: Sequence[tuple[Prepared, int, Sequence[Anchor]]]
) -> list[tuple[Prepared, str]]:
    """Which of `asked` are about decisions that the store, or a row before it, has under another name; with that name.

    Each with what tells its subject, and all that this was until now: a firm is delivered under the number of its
    registration first, and later under its code.
    """
    decisions = [_Decision.of(one) for one, _, _ in asked]
    rows = [
        (place, anchor.subject_id, said.kind, said.number, said.authority, said.written, said.decided_on)
        for place, ((_, _, subjects), said) in enumerate(zip(asked, decisions, strict=True))
        for anchor in subjects
        # What this batch creates has no records yet.
        if anchor.draft is None
    ]
    stored: dict[int, str] = {}
    if rows:
        columns = (list(column) for column in zip(*rows, strict=True))
        stored = dict(await connection.fetch(_KNOWN, source, *columns))
    names: dict[tuple[int, str, str, str], str] = {}
    found = []
    for place, ((one, subject, _), said) in enumerate(zip(asked, decisions, strict=True)):
        named = (subject, said.kind, said.number, said.authority)
        name = names.setdefault(named, stored.get(place, one.record_id))
        if name != one.record_id:
            found.append((one, name))
    return found


@dataclass(frozen=True, slots=True)
class _Decision:
    """What tells a decision of a subject apart, and its number as it is written."""

    kind: str
    number: str
    authority: str
    written: str
    decided_on: date | None

    @classmethod
    def of(cls, one: Prepared) -> _Decision:
        kind, number, authority, name, decided_on = (one.values[place] for place in _PLACES)
        return cls(str(kind), _fold(number), _fold(authority or name), str(number or ""), day_of(decided_on))


def _fold(value: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(value or "")).split()).upper()
