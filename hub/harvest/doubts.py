"""Which subjects rows in quarantine name: of them no “no” can be said, until the rows are understood or dismissed (§0.5)."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import date
from unicodedata import normalize

import asyncpg

from connectors.contract import RawRow, Source
from connectors.files import DEFECT, DEFECT_REASON
from schema.checks import NOISE, fold
from schema.identifiers import (
    InvalidIdentifier,
    is_uscc,
    parse_business_reg_no,
    parse_organization_code,
    parse_taxpayer_id,
)

# As a row may write it, which is as it may be typed: with blanks and hyphens. One may begin within what looks like another.
_SIGN = "[0-9A-HJ-NPQRTUWXY]"
_CODE = re.compile(f"(?<![0-9A-Z])(?=({_SIGN}(?:{NOISE}*{_SIGN}){{17}})(?![0-9A-Z]))")
# By what else a row may name its subject: older numbers of firms (the tax authority's has the organization code in it), and
# the digests of the numbers of persons.
_OTHER = ("ORG_CODE", "BUSINESS_REG_NO", "RESIDENT_ID", "PASSPORT")
_MOST_SIGNS = 40
_KNOWN_BY = """
SELECT subject_id FROM subject WHERE uscc = ANY ($1::text[])
UNION SELECT subject_id FROM identifier WHERE scheme = ANY ({schemes}::text[]) AND value = ANY ($1::text[])
"""
# `subject.in_doubt`: data class → the sources whose rows wait; null where none does.
_RAISE = f"""
UPDATE subject s SET in_doubt = coalesce(s.in_doubt, '{{}}') || (
  SELECT jsonb_object_agg(c, (SELECT jsonb_agg(DISTINCT d) FROM (
    SELECT jsonb_array_elements_text(s.in_doubt -> c) AS d UNION SELECT $3) known))
  FROM unnest($2::text[]) c)
WHERE s.subject_id IN ({_KNOWN_BY.format(schemes="$4")})
  AND EXISTS (SELECT FROM unnest($2::text[]) c WHERE NOT coalesce((s.in_doubt -> c) ? $3, FALSE))
"""  # noqa: S608 -- constants of this program
# Of codes that no subject has, as authorities have none here, nothing is looked up: all rows of a source may name one.
_LOOK = f"""
WITH asked AS ({_KNOWN_BY.format(schemes="$2")}),
named AS (
  SELECT s.subject_id, s.uscc AS code FROM asked JOIN subject s USING (subject_id) WHERE s.uscc IS NOT NULL
  UNION SELECT i.subject_id, i.value FROM asked JOIN identifier i USING (subject_id) WHERE i.scheme = ANY ($2::text[])
),
every AS (SELECT array_agg(code) AS codes FROM named),
waiting AS (
  SELECT n.subject_id, data_class, jsonb_agg(DISTINCT q.source) AS sources
  FROM every, quarantine q, unnest(q.codes) AS told, named n, unnest(q.data_classes) AS data_class
  WHERE q.codes && every.codes AND q.replayed_at IS NULL AND n.code = told GROUP BY n.subject_id, data_class
)
UPDATE subject s SET in_doubt = n.in_doubt
FROM (
  SELECT a.subject_id, jsonb_object_agg(w.data_class, w.sources) FILTER (WHERE w.subject_id IS NOT NULL) AS in_doubt
  FROM asked a LEFT JOIN waiting w USING (subject_id) GROUP BY a.subject_id
) n
WHERE s.subject_id = n.subject_id AND s.in_doubt IS DISTINCT FROM n.in_doubt
"""  # noqa: S608 -- constants of this program


def codes_in(row: RawRow) -> list[str]:
    """The unified social credit codes that stand in a row, its subject's and those of whoever else it names, and older numbers.

    Older ones where they are all that stands in a field: in running text such figures are many things.
    """
    # Of a row whose fields nobody could read, its bytes: that it could not be read is all that its fields say then.
    texts = [text for name, text in row.fields.items() if text and name not in (DEFECT, DEFECT_REASON)]
    texts = texts or [_read(row.raw)]
    found = {
        fold(code)
        for text in texts
        for code in _CODE.findall(normalize("NFKC", text).upper())
        if is_uscc(code)
    }
    return sorted(found.union(*map(_older, texts)))


def _older(text: str) -> set[str]:
    """The organization code or registration number that `text` is, as the store has it; never what may be a person's."""
    found: set[str] = set()
    if len(text) > _MOST_SIGNS:
        return found
    with suppress(InvalidIdentifier):
        found.add(parse_organization_code(text))
    with suppress(InvalidIdentifier):
        number = parse_business_reg_no(text)
        if "MAY_BE_RESIDENT_ID" not in number.warnings:
            found.add(number.code)
    with suppress(InvalidIdentifier):
        taxpayer = parse_taxpayer_id(text, date.max)
        if not taxpayer.personal and len(taxpayer.number) == 15:
            found.add(taxpayer.number[6:])
    return found


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
        await connection.execute(_RAISE, sorted(codes), list(classes), source, _OTHER)


async def look_again(connection: asyncpg.Connection, codes: Collection[str]) -> None:
    """What is in doubt of the subjects with these codes is what rows that wait now name them in."""
    if codes:
        await connection.execute(_LOOK, sorted(codes), _OTHER)
