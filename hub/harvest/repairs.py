"""Results of credit repair that the national window gives (R9.2): what they name is repaired here too, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson

from hub.harvest.columns import PLACES, named, written
from hub.harvest.understood import Prepared, Rejected
from hub.rules.decisions import Authority, meant
from hub.rules.ongoing import goes_on
from hub.rules.repair import load_repair_rules

# Type of the records that results are kept as; no view shows them, their effect is on what they name.
RESULT = "REPAIR_RESULT"
RECORD, LIST_ENTRY = "RECORD", "LIST_ENTRY"
# The hub's own word for a repair: an entry that ended so does not come back by a later delivery of its source.
REPAIRED = "REPAIRED"
_SUBJECT = "SELECT i.subject_id FROM identifier i WHERE i.scheme = n.scheme AND i.value = n.value"
_RECORDS = f"""
SELECT DISTINCT n.number, x.version_id, x.authority_uscc AS code, x.authority_name AS name, x.kind AS what, x.source
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS n(number, scheme, value, document)
JOIN record x ON x.document_number = n.document AND x.superseded_at IS NULL AND x.seriousness <> 'NOT_ADVERSE'
WHERE x.subject_id IN ({_SUBJECT})
"""  # noqa: S608 -- constants of this program
_ENTRIES = f"""
SELECT DISTINCT n.number, x.version_id, d.recognizer_uscc AS code, d.recognizer_name AS name, x.list_code AS what, x.source
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS n(number, scheme, value, document)
JOIN list_entry x ON x.decision_number = n.document AND x.superseded_at IS NULL AND x.color <> 'RED'
JOIN list_definition d ON d.code = x.list_code
WHERE x.subject_id IN ({_SUBJECT})
"""  # noqa: S608 -- constants of this program
# What a repair changes in a version, as SQL; $2: what is told of the repair.
_NEW: Mapping[str, Mapping[str, str]] = {
    "record": {"lifecycle": "'REPAIRED'", "details": "details || jsonb_build_object('repaired', $2::jsonb)"},
    "list_entry": {
        "state": "'EXITED_REPAIRED'",
        "exited_on": "($2::jsonb->>'on')::date",
        "exit_reason": f"'{REPAIRED}'",
    },
}
_DONE = {"record": "lifecycle = 'REPAIRED'", "list_entry": "state = 'EXITED_REPAIRED'"}


@dataclass(frozen=True)
class Target:
    """The version that a result is about. `what`: the kind of the record, or the list."""

    table: str
    version_id: int
    what: str
    source: str


def is_result(one: Prepared) -> bool:
    """Whether a row is a result of a repair, and not withdrawn."""
    return one.table == "record" and not one.deleted and _value(one, "record_type") == RESULT


def _value(one: Prepared, name: str) -> Any:
    return one.values[PLACES["record"][name]]


async def targets(
    connection: asyncpg.Connection, results: Sequence[Prepared]
) -> list[Sequence[Target] | Rejected]:
    """What each result is about, by subject, number and authority of the decision; rejected where that is not one thing.

    Of a thing that several sources deliver there are several.
    """
    candidates: dict[int, list[tuple[Authority, Target]]] = defaultdict(list)
    for kind, table, sql in ((RECORD, "record", _RECORDS), (LIST_ENTRY, "list_entry", _ENTRIES)):
        asked = [
            (number, key.scheme, key.value, _value(one, "document_number"))
            for number, one in enumerate(results)
            if one.subject is not None and _said(one).get("target") == kind
            for key in one.subject.keys
        ]
        if asked:
            for row in await connection.fetch(sql, *(list(column) for column in zip(*asked, strict=True))):
                found = Target(table, row["version_id"], row["what"], row["source"])
                candidates[row["number"]].append((Authority(row["code"], row["name"]), found))
    return [_one(one, candidates[number]) for number, one in enumerate(results)]


def _one(result: Prepared, found: Sequence[tuple[Authority, Target]]) -> Sequence[Target] | Rejected:
    """The one thing of the authority that the result names, or the only one where it names none: nothing is guessed."""
    if not found:
        return Rejected(
            result.row, "NO_SUCH_RECORD", "the repair names no adverse record or entry of the subject"
        )
    authority = Authority(_value(result, "authority_uscc"), _value(result, "authority_name"))
    told = meant(load_repair_rules().known_as(authority, _value(result, "decided_on")), found)
    if told == []:
        return Rejected(
            result.row, "OTHER_AUTHORITY", "what has the number that the repair names is of another authority"
        )
    # A source that has two of them has two things.
    if told is None or len({one.source for one in told}) < len(told) or len({one.what for one in told}) > 1:
        return Rejected(result.row, "SEVERAL_RECORDS", "the repair names several, told apart by no authority")
    return told


def _said(one: Prepared) -> Mapping[str, Any]:
    told: Mapping[str, Any] = orjson.loads(str(_value(one, "details"))).get("repair", {})
    return told


async def settle(
    connection: asyncpg.Connection, found: Sequence[tuple[Prepared, Sequence[Target]]], now: datetime
) -> None:
    """Repair what the results are about, as new versions of it; what is repaired already stays as it is."""
    for one, about in found:
        day: date = _value(one, "decided_on")
        told = {
            "document_number": _said(one).get("number"),
            "on": day.isoformat(),
            "source": "CREDIT_PLATFORM",
        }
        for target in about:
            await _repair(connection, target, orjson.dumps(told).decode(), now)


async def _repair(connection: asyncpg.Connection, target: Target, told: str, now: datetime) -> None:
    table = target.table
    ended = await connection.execute(
        f"UPDATE {table} SET superseded_at = greatest($2, recorded_at)"  # noqa: S608
        " WHERE version_id = $1 AND superseded_at IS NULL"
        f" AND NOT ({_DONE[table]})",
        target.version_id,
        now,
    )
    if ended != "UPDATE 1":
        return
    changes = {**_NEW[table], "recorded_at": "superseded_at", "superseded_at": "NULL"}
    kept = [name for name in written(table) if name not in changes]
    names = ", ".join([*kept, *changes])
    values = ", ".join([*kept, *changes.values()])
    await connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE version_id = $1",  # noqa: S608
        target.version_id,
        told,
    )


def kept(table: str, values: Sequence[object], told: str | None) -> Sequence[object]:
    """The values of a new version of something that was repaired, of which `told` tells: it stays so.

    Its source may still say that it was revoked, corrected or over, but not that it goes on as if nothing were.
    """
    if told is None:
        return values
    row = named(table, values)
    if table == "record" and goes_on(table, row):
        details = {**orjson.loads(str(row["details"])), "repaired": orjson.loads(told)}
        row |= {"lifecycle": REPAIRED, "details": orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode()}
    if table == "list_entry" and goes_on(table, row):
        day = orjson.loads(told).get("on")
        row |= {
            "state": "EXITED_REPAIRED",
            "exited_on": date.fromisoformat(day) if day else None,
            "exit_reason": REPAIRED,
        }
    return tuple(row.values())
