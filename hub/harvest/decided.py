"""Decisions that have a record already, under another number of the same subject (§3.1, rule g)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import asyncpg

from hub.harvest.columns import named
from hub.harvest.resolve import Anchor
from hub.harvest.understood import Prepared

_FOLDED = "upper(regexp_replace(normalize({0}, NFKC), '\\s', '', 'g'))"
_KNOWN = f"""
SELECT n.place, min(r.source_record_id) AS name
FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[]) AS n(place, subject_id, kind, number, authority)
JOIN record r ON r.subject_id = n.subject_id AND r.superseded_at IS NULL AND r.source = $1 AND r.kind = n.kind
  AND {_FOLDED.format("r.document_number")} = n.number
  AND {_FOLDED.format("coalesce(r.authority_uscc, r.authority_name)")} = n.authority
GROUP BY n.place
"""  # noqa: S608 -- constants of this program


async def known(
    connection: asyncpg.Connection, source: str, asked: Sequence[tuple[Prepared, int, Sequence[Anchor]]]
) -> list[tuple[Prepared, str]]:
    """Which of `asked` are about decisions that the store, or a row before it, has under another name; with that name.

    Each with what tells its subject, and all that this was until now: a firm is delivered under the number of its
    registration first, and later under its code.
    """
    stored: dict[int, str] = {}
    rows = [
        (place, anchor.subject_id, *_decision(one))
        for place, (one, _, subjects) in enumerate(asked)
        for anchor in subjects
        # What this batch creates has no records yet.
        if anchor.draft is None
    ]
    if rows:
        columns = (list(column) for column in zip(*rows, strict=True))
        stored = dict(await connection.fetch(_KNOWN, source, *columns))
    names: dict[tuple[int, tuple[str, str, str]], str] = {}
    found = []
    for place, (one, subject, _) in enumerate(asked):
        name = names.setdefault((subject, _decision(one)), stored.get(place, one.record_id))
        if name != one.record_id:
            found.append((one, name))
    return found


def _decision(one: Prepared) -> tuple[str, str, str]:
    """What tells a decision of a subject apart: kind, number, authority."""
    values = named(one.table, one.values)
    return (
        str(values["kind"]),
        _fold(values["document_number"]),
        _fold(values["authority_uscc"] or values["authority_name"]),
    )


def _fold(value: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(value or "")).split()).upper()
