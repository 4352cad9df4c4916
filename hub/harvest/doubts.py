"""Which subjects rows in quarantine name: of them no “no” can be said, until the rows are understood or dismissed (§0.5)."""

from __future__ import annotations

import re
from collections.abc import Collection
from unicodedata import normalize

import asyncpg

from connectors.contract import RawRow, Source
from schema.identifiers import is_uscc

_CODE = re.compile(r"(?<![0-9A-Z])[0-9A-HJ-NPQRTUWXY]{18}(?![0-9A-Z])")
# Data class → the sources whose rows wait; null where none does.
_NOTE = """
WITH waiting AS (
  SELECT c.code, d.data_class, jsonb_agg(DISTINCT q.source) AS sources
  FROM quarantine q, unnest(q.codes) c(code), unnest(q.data_classes) d(data_class)
  WHERE q.codes && $1 AND q.replayed_at IS NULL GROUP BY c.code, d.data_class
)
UPDATE subject s SET in_doubt = n.in_doubt
FROM (
  SELECT k.code, (SELECT jsonb_object_agg(w.data_class, w.sources) FROM waiting w WHERE w.code = k.code) AS in_doubt
  FROM unnest($1::text[]) k(code)
) n
WHERE s.uscc = n.code AND s.in_doubt IS DISTINCT FROM n.in_doubt
"""


def codes_in(row: RawRow) -> list[str]:
    """The unified social credit codes that stand in a row: its subject's, and those of whoever else it names."""
    # Of a row whose fields nobody could read, its bytes.
    texts = [text for text in row.fields.values() if text] or [row.raw.decode("utf-8", "replace")]
    found = {
        code for text in texts for code in _CODE.findall(normalize("NFKC", text).upper()) if is_uscc(code)
    }
    return sorted(found)


def classes_of(source: Source) -> list[str]:
    """What a row of the source that nobody understands may be about: anything that the source supplies."""
    return sorted({item.data_class for item in source.items})


async def note(connection: asyncpg.Connection, codes: Collection[str]) -> None:
    """Bring up to date what is in doubt of the subjects with these codes.

    The caller holds the lock of those who write facts.
    """
    if codes:
        await connection.execute(_NOTE, sorted(codes))
