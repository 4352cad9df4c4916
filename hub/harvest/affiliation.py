"""Whose members and merchants subjects are: the lists that associations and platforms hand in, row scopes of theirs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import asyncpg

from hub.errors import BadUserInput, FileRefused, unread
from hub.rights.matrix import PartnerClass, Scope
from schema.identifiers import InvalidIdentifier, parse_uscc

# Kind of affiliation → the scope whose rows it decides.
KINDS: Mapping[str, Scope] = {"MEMBER": Scope.OWN_MEMBER, "MERCHANT": Scope.OWN_MERCHANT}
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
SELECT (SELECT count(*) FROM listed) AS listed, (SELECT count(*) FROM begun) AS begun, (SELECT count(*) FROM ended) AS ended,
  ARRAY(SELECT code FROM unnest($3::text[]) code WHERE NOT EXISTS (SELECT FROM subject s WHERE s.uscc = code)) AS unknown
"""


@dataclass(frozen=True)
class Taken:
    """What became of a list: codes known to the hub, affiliations that begin and end with it, codes it does not know."""

    given: int
    known: int
    begun: int
    ended: int
    unknown: tuple[str, ...]


def read_codes(path: Path) -> list[str]:
    """The codes in the first column of a CSV file in UTF-8, below its head line.

    Raises FileRefused, also for a file without a head line: it may have been cut off, and what it lacks would end.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = "is no CSV" if isinstance(error, csv.Error) else unread(error)
        raise FileRefused(f"{path.name}: {why}") from None
    if not rows or _is_code(rows[0][0]):
        raise FileRefused(f"{path.name}: the first line must be a head line")
    codes = []
    for number, row in enumerate(rows[1:], 2):
        try:
            codes.append(parse_uscc(row[0]).code)
        except InvalidIdentifier as problem:
            raise FileRefused(f"{path.name}, line {number}: {problem.reason}") from None
    return codes


def _is_code(cell: str) -> bool:
    try:
        parse_uscc(cell)
    except InvalidIdentifier:
        return False
    return True


def require_fitting(kind: str, cls: PartnerClass) -> None:
    """Refuse a list that decides no rows for a partner of this class: members of a platform, say. Raises BadUserInput."""
    fitting = [name for name, scope in KINDS.items() if scope in cls.every_cell]
    if kind not in fitting:
        told = f"it hands in {' or '.join(fitting)}" if fitting else "it hands in no such list"
        raise BadUserInput(f"{kind} does not fit a partner of class {cls.code} ({cls.zh}): {told}.")


async def take_affiliations(
    pool: asyncpg.Pool, partner: str, kind: str, codes: Iterable[str], today: date, *, trying: bool = False
) -> Taken:
    """Make `codes` the whole list of `partner`'s members or merchants from `today` on; who is missing has left.

    `trying`: tell what would become of it, and change nothing.
    """
    listed = list(dict.fromkeys(codes))
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        row = await connection.fetchrow(_TAKE, partner, kind, listed, today)
        await (transaction.rollback() if trying else transaction.commit())
    return Taken(len(listed), row["listed"], row["begun"], row["ended"], tuple(row["unknown"]))
