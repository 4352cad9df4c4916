"""Which subjects rows in quarantine name: of them no “no” can be said, until the rows are understood or dismissed (§0.5)."""

from __future__ import annotations

import re
from collections.abc import Collection
from unicodedata import normalize

import asyncpg

from connectors.contract import RawRow, Source
from connectors.files import DEFECT, DEFECT_REASON
from schema.checks import NOISE, fold
from schema.identifiers import is_uscc

# As a row may write it, which is as it may be typed: with blanks and hyphens. One may begin within what looks like another.
_SIGN = "[0-9A-HJ-NPQRTUWXY]"
_CODE = re.compile(f"(?<![0-9A-Z])(?=({_SIGN}(?:{NOISE}*{_SIGN}){{17}})(?![0-9A-Z]))")
# `subject.in_doubt`: data class → the sources whose rows wait; null where none does.
_RAISE = """
UPDATE subject s SET in_doubt = coalesce(s.in_doubt, '{}') || (
  SELECT jsonb_object_agg(c, (SELECT jsonb_agg(DISTINCT d) FROM (
    SELECT jsonb_array_elements_text(s.in_doubt -> c) AS d UNION SELECT $3) known))
  FROM unnest($2::text[]) c)
WHERE s.uscc = ANY ($1::text[])
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE NOT coalesce((s.in_doubt -> c) ? $3, FALSE))
"""
# Of codes that no subject has, as authorities have none here, nothing is looked up: all rows of a source may name one.
_LOOK = """
WITH asked AS (SELECT array_agg(uscc) AS codes FROM subject WHERE uscc = ANY ($1::text[])),
waiting AS (
  SELECT code, data_class, jsonb_agg(DISTINCT source) AS sources
  FROM asked, quarantine q, unnest(q.codes) AS code, unnest(q.data_classes) AS data_class
  WHERE q.codes && asked.codes AND q.replayed_at IS NULL GROUP BY code, data_class
)
UPDATE subject s SET in_doubt = n.in_doubt
FROM (
  SELECT k.code, jsonb_object_agg(w.data_class, w.sources) FILTER (WHERE w.code IS NOT NULL) AS in_doubt
  FROM asked, unnest(asked.codes) AS k(code) LEFT JOIN waiting w ON w.code = k.code GROUP BY k.code
) n
WHERE s.uscc = n.code AND s.in_doubt IS DISTINCT FROM n.in_doubt
"""


def codes_in(row: RawRow) -> list[str]:
    """The unified social credit codes that stand in a row: its subject's, and those of whoever else it names."""
    # Of a row whose fields nobody could read, its bytes: that it could not be read is all that its fields say then.
    texts = [text for name, text in row.fields.items() if text and name not in (DEFECT, DEFECT_REASON)]
    texts = texts or [_read(row.raw)]
    found = {
        fold(code)
        for text in texts
        for code in _CODE.findall(normalize("NFKC", text).upper())
        if is_uscc(code)
    }
    return sorted(found)


def _read(raw: bytes) -> str:
    """Bytes as text, of which nobody said in what encoding it is."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def classes_of(source: Source) -> list[str]:
    """What a row of the source that nobody understands may be about: anything that the source supplies."""
    return sorted({item.data_class for item in source.items})


async def arise(
    connection: asyncpg.Connection, codes: Collection[str], classes: Collection[str], source: str
) -> None:
    """From now on rows of `source` wait that name the subjects with these codes, and may be of these classes.

    Here and below the caller holds the lock of those who write facts.
    """
    if codes and classes:
        await connection.execute(_RAISE, sorted(codes), list(classes), source)


async def look_again(connection: asyncpg.Connection, codes: Collection[str]) -> None:
    """What is in doubt of the subjects with these codes is what rows that wait now name them in."""
    if codes:
        await connection.execute(_LOOK, sorted(codes))
