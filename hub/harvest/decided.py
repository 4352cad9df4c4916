"""Decisions that have a record already, under another number of the same subject (§3.1, rule g)."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence

import asyncpg

from hub.harvest.columns import day_of, named
from hub.harvest.drafts import SubjectDraft
from hub.harvest.understood import Prepared

# What tells a decision of its subject's apart: of a penalty or licence also who made it, by code or else by name.
_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "record": ("kind", "document_number"),
    "list_entry": ("list_code", "decision_number"),
    "grade": ("scheme", "period"),
}
_BRACKETS = str.maketrans("〔[【〈《{", "((((((") | str.maketrans("〕]】〉》}", "))))))")
# What may be the same decision: its number is written alike, or its day is the same. What is written otherwise is folded here.
_RECORDS = """
WITH n AS (SELECT * FROM unnest($2::bigint[], $3::text[], $4::date[]) AS n(subject_id, number, decided_on)),
  alike AS (
    SELECT r.version_id FROM (SELECT DISTINCT subject_id, number FROM n) n
    JOIN record r ON r.subject_id = n.subject_id AND r.document_number = n.number
      AND r.superseded_at IS NULL AND r.source = $1
    UNION
    SELECT r.version_id FROM (SELECT DISTINCT subject_id, decided_on FROM n) n
    JOIN record r ON r.subject_id = n.subject_id AND r.decided_on = n.decided_on
      AND r.superseded_at IS NULL AND r.source = $1
  )
SELECT subject_id, source_record_id, kind, document_number, decided_on, authority_uscc, authority_name
FROM alike JOIN record USING (version_id) ORDER BY source_record_id
"""
# A firm has few of these.
_OTHERS = """
SELECT subject_id, source_record_id, {columns} FROM {table}
WHERE subject_id = ANY($2::bigint[]) AND superseded_at IS NULL AND source = $1 ORDER BY source_record_id
"""
# What stands of subjects that turn out to be one. Of two the one stays that was repaired, else the one that a case is about,
# else the one that its source told of later, else the one under the code; whatever a case is about stays beside it.
_OF_ONE = """
SELECT r.version_id, n.subject_id, n.whole, r.source, {columns}, (
    {repaired}, EXISTS (SELECT FROM case_file c WHERE c.target_public_id = r.public_id),
    coalesce(r.source_updated_at, '-infinity'), n.subject_id = n.whole
  ) AS rank
FROM unnest($1::bigint[], $2::bigint[]) AS n(subject_id, whole)
JOIN {table} r ON r.subject_id = n.subject_id AND r.superseded_at IS NULL
ORDER BY rank DESC, r.source_record_id
"""
_REPAIRED = {"record": "r.lifecycle = 'REPAIRED'", "list_entry": "r.state = 'EXITED_REPAIRED'"}
# Whoever a code names, and those without code that the other numbers name.
_SUBJECTS = """
SELECT DISTINCT n.place, i.subject_id
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS n(place, scheme, value, uscc)
JOIN identifier i ON i.scheme = n.scheme AND i.value = n.value
JOIN subject s ON s.subject_id = i.subject_id AND (n.uscc IS NULL OR s.uscc IS NULL OR s.uscc = n.uscc)
"""


async def known(
    connection: asyncpg.Connection,
    source: str,
    asked: Sequence[tuple[Prepared, int, Collection[int], bool]],
) -> list[tuple[Prepared, str]]:
    """Which of `asked` are about decisions that the store, or a row before it, has under another name; with that name.

    Each with its subject, all that this was until now: a firm is delivered under the number of its registration first, and
    later under its code; and whether what it was under its own name ended with a subject that turned out to be this one.
    """
    told = [one.told if one.deleted else named(one.table, one.values) for one, *_ in asked]
    decisions = [_decision(one.table, values) for (one, *_), values in zip(asked, told, strict=True)]
    stored: dict[int, str] = {}
    for table in _TOLD_BY:
        places = [place for place, (one, *_) in enumerate(asked) if one.table == table]
        rows = [(subject_id, told[place]) for place in places for subject_id in asked[place][2]]
        # By what tells it apart: of one firm there may be hundreds on one day, and as many rows that ask for theirs.
        standing: dict[tuple[int, tuple[str, ...]], list[asyncpg.Record]] = {}
        for row in await _alike(connection, source, table, rows) if rows else ():
            standing.setdefault((row["subject_id"], _decision(table, row)), []).append(row)
        for place in places:
            same = (
                row["source_record_id"]
                for subject_id in asked[place][2]
                for row in standing.get((subject_id, decisions[place]), ())
                if _may_be(table, row, told[place])
            )
            if (name := min(same, default=None)) is not None:
                stored[place] = name
    names: dict[tuple[int, str, tuple[str, ...]], str] = {}
    found = []
    for place, (one, subject_id, _, moved) in enumerate(asked):
        key = subject_id, one.table, decisions[place]
        # One firm may have grades and entries by several old numbers: until a row names its code, each is one of its own. One
        # that ended when its subject became this one was the same as what stands.
        own = one.table != "record" and not moved and (one.subject is None or one.subject.uscc is None)
        name = names.setdefault(key, one.record_id if own else stored.get(place, one.record_id))
        if not own and name != one.record_id:
            found.append((one, name))
    return found


async def subjects_of(connection: asyncpg.Connection, drafts: Sequence[SubjectDraft]) -> dict[int, list[int]]:
    """The subjects of the store that each of `drafts` may be, by its place: of what is withdrawn none is created."""
    keys = [
        (place, key.scheme, key.value, draft.uscc) for place, draft in enumerate(drafts) for key in draft.keys
    ]
    found: dict[int, list[int]] = {}
    if keys:
        columns = (list(column) for column in zip(*keys, strict=True))
        for row in await connection.fetch(_SUBJECTS, *columns):
            found.setdefault(row["place"], []).append(row["subject_id"])
    return found


async def doubled(
    connection: asyncpg.Connection, table: str, pairs: Sequence[tuple[int, int]]
) -> frozenset[int]:
    """The versions of what the firsts of `pairs` and the seconds, which are one, both have: all but the one that stays."""
    if table not in _TOLD_BY:
        return frozenset()
    ones = list(dict.fromkeys((*pairs, *((whole, whole) for _, whole in pairs))))
    subjects, wholes = (list(column) for column in zip(*ones, strict=True))
    told = (*_TOLD_BY[table], *(("authority_uscc", "authority_name") if table == "record" else ()))
    sql = _OF_ONE.format(
        table=table, columns=", ".join(f"r.{name}" for name in told), repaired=_REPAIRED.get(table, "FALSE")
    )
    stays: dict[tuple[object, ...], set[int]] = {}
    ended = set()
    for row in await connection.fetch(sql, subjects, wholes):
        decision = _decision(table, row)
        # Without its number nothing is told apart.
        if not decision[1]:
            continue
        of = stays.setdefault((row["whole"], row["source"], decision), set())
        # What one of them has twice, as grades by several old numbers, is two.
        _, handled, *_ = row["rank"]
        if of and row["subject_id"] not in of and not handled:
            ended.add(row["version_id"])
        of.add(row["subject_id"])
    return frozenset(ended)


async def _alike(
    connection: asyncpg.Connection, source: str, table: str, rows: Sequence[tuple[int, Mapping[str, object]]]
) -> list[asyncpg.Record]:
    """What stands of the subjects of `rows` and may be one of these decisions; each once."""
    subjects = [subject_id for subject_id, _ in rows]
    if table == "record":
        numbers = [values.get("document_number") for _, values in rows]
        days = [day_of(values.get("decided_on")) for _, values in rows]
        return list(await connection.fetch(_RECORDS, source, subjects, numbers, days))
    sql = _OTHERS.format(table=table, columns=", ".join(_TOLD_BY[table]))
    return list(await connection.fetch(sql, source, sorted(set(subjects))))


def _may_be(table: str, row: Mapping[str, object], told: Mapping[str, object]) -> bool:
    """Whether a decision that stands may be this one: of records, its number is written alike or its day is the same."""
    if table != "record" or row["decided_on"] == day_of(told.get("decided_on")):
        return True
    number = row["document_number"]
    return number is not None and number == told.get("document_number")


def _decision(table: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """What tells the decision with these columns apart from others of its subject."""
    told = tuple(_fold(values.get(name)) for name in _TOLD_BY.get(table, ()))
    if table != "record":
        return told
    return (*told, _fold(values.get("authority_uscc") or values.get("authority_name")))


def _fold(value: object) -> str:
    """As it is compared: 〔2026〕1号 and [2026]1号 are one number, and marks without width are none of it."""
    folded = unicodedata.normalize("NFKC", str(value or "")).translate(_BRACKETS)
    return "".join(
        sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf"
    ).upper()
