"""Whose members and merchants subjects are: the lists that associations and platforms hand in, row scopes of theirs."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import asyncpg

from hub.errors import FileRefused
from schema.identifiers import InvalidIdentifier, parse_uscc

_TAKE = """
WITH listed AS (SELECT DISTINCT s.subject_id FROM unnest($3::text[]) code JOIN subject s ON s.uscc = code),
ended AS (
  UPDATE affiliation SET valid_to = $4::date - 1
  WHERE partner = $1 AND kind = $2 AND (valid_to IS NULL OR valid_to >= $4)
    AND subject_id NOT IN (SELECT subject_id FROM listed)
  RETURNING 1
),
begun AS (
  INSERT INTO affiliation (partner, kind, subject_id, valid_from)
  SELECT $1, $2, subject_id, $4 FROM listed l
  WHERE NOT EXISTS (
    SELECT FROM affiliation a WHERE a.partner = $1 AND a.kind = $2 AND a.subject_id = l.subject_id
      AND a.valid_from <= $4 AND (a.valid_to IS NULL OR a.valid_to >= $4)
  )
  ON CONFLICT (subject_id, partner, kind, valid_from) DO UPDATE SET valid_to = NULL
  RETURNING 1
)
SELECT (SELECT count(*) FROM listed) AS listed, (SELECT count(*) FROM begun) AS begun, (SELECT count(*) FROM ended) AS ended
"""


@dataclass(frozen=True)
class Taken:
    """What became of a list: codes known to the hub, and affiliations that begin and end with it."""

    given: int
    known: int
    begun: int
    ended: int


def read_codes(path: Path) -> list[str]:
    """The codes in the first column of a CSV file in UTF-8, its head line left out. Raises FileRefused."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row][1:]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused(f"{path.name}: {type(error).__name__}") from None
    codes = []
    for number, row in enumerate(rows, 2):
        try:
            codes.append(parse_uscc(row[0]).code)
        except InvalidIdentifier as problem:
            raise FileRefused(f"{path.name}, line {number}: {problem.reason}") from None
    return codes


async def take_affiliations(
    pool: asyncpg.Pool, partner: str, kind: str, codes: Iterable[str], today: date
) -> Taken:
    """Make `codes` the whole list of `partner`'s members or merchants from `today` on; who is missing has left."""
    listed = list(dict.fromkeys(codes))
    async with pool.acquire() as connection:
        row = await connection.fetchrow(_TAKE, partner, kind, listed, today)
    return Taken(len(listed), row["listed"], row["begun"], row["ended"])
