"""What a repair is about: a record or a place on a list, read with its asker's rights; and what ends and returns with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

import asyncpg
import orjson

from hub.casework import engine
from hub.casework.listings.machine import LIST_ENTRY
from hub.casework.listings.measures import follow_entry
from hub.casework.machine import Machine, Step
from hub.casework.publicity.machine import BEFORE, PUBLICITY, SHOWN
from hub.casework.repair.assessment import Current
from hub.casework.repair.details import RepairDetails
from hub.casework.repair.machine import LIST_ENTRY_KIND, RECORD, REPAIRED
from hub.errors import BadUserInput, GuardRefused
from hub.query.access import Access, Row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES
from hub.rights.view import View
from hub.rules.decisions import Authority, meant
from hub.rules.repair import load_repair_rules
from hub.rules.repair_case import Target
from hub.rules.repair_rows import Recognizer
from hub.store.writing import one_writer

KINDS = {"r": (RECORD, "record"), "l": (LIST_ENTRY_KIND, "list_entry")}
# One row of either table under the same names.
_COLUMNS = {
    "record": (
        "x.title, x.document_number, x.authority_name AS authority, x.authority_uscc AS authority_code, x.decided_on,"
        " x.seriousness, x.lifecycle AS state, x.usable_until, NULL AS color, NULL AS list_code, NULL::int AS min_months,"
        " x.kind, x.details, x.under_objection"
    ),
    "list_entry": (
        "d.name AS title, x.decision_number AS document_number, d.recognizer_name AS authority,"
        " d.recognizer_uscc AS authority_code, coalesce(x.recognized_on, x.publicity_from) AS decided_on,"
        " CASE x.color WHEN 'BLACK' THEN 'SERIOUS' WHEN 'WATCH' THEN 'GENERAL' ELSE 'NOT_ADVERSE' END AS seriousness,"
        " x.state, x.publicity_ends_on AS usable_until, x.color, x.list_code, d.min_publicity_months AS min_months,"
        " 'LIST_ENTRY' AS kind, NULL AS details, x.under_objection"
    ),
}
_SUBJECT = "s.subject_id, s.uscc, s.display_name, s.kind AS subject_kind, s.region_code"
_JOINS = {
    "record": " JOIN subject s USING (subject_id)",
    "list_entry": " JOIN subject s USING (subject_id) JOIN list_definition d ON d.code = x.list_code",
}
# Days on which the same subject left the same list by repair.
_EARLIER = """
SELECT x.exited_on FROM list_entry x JOIN subject s USING (subject_id)
WHERE x.subject_id = {subject} AND x.list_code = {code} AND x.superseded_at IS NULL AND x.state = 'EXITED_REPAIRED'
  AND x.exited_on IS NOT NULL AND {shown} ORDER BY 1
"""
_PROCEEDING = """
SELECT public_id FROM case_file WHERE mechanism = 'LIST_ENTRY' AND target_public_id = $1 AND state = ANY ($2::text[])
"""
_PUBLICITY = """
SELECT public_id, details->>'authority' AS authority, details->>'published_on' IS NOT NULL AS published FROM case_file
WHERE mechanism = 'PUBLICITY' AND subject_id = $1 AND details->>'decision_number' = $2 AND state = ANY ($3::text[])
ORDER BY case_id
"""
# With the last day of publicity, of a place on a list or of a publication.
_CASES = """
SELECT number, mechanism, state, coalesce(details->>'publicity_ends_on', details->'period'->>'latest_end')::date AS ends_on
FROM case_file WHERE public_id = ANY ($1::uuid[]) ORDER BY case_id
"""
_LISTED = ("RECOGNIZED", "PUBLISHED", "SUSPENDED")


class Sees(Protocol):
    """Who reads: a command or a query, with its caller's rights."""

    @property
    def view(self) -> View:
        """The rights."""

    async def rows(self, sql: str, parameters: Parameters) -> list[Any]:
        """Rows of a statement made with `parameters`."""


@dataclass(frozen=True)
class Found:
    """A record or entry, its subject, and who repairs it here (None: it is repaired elsewhere)."""

    kind: str
    row: Mapping[str, Any]
    recognizer: Recognizer | None
    # Whether the asker's rights show it.
    visible: bool

    def target(self) -> Target:
        """As the rules look at it."""
        row = self.row
        return Target(
            decided_on=row["decided_on"],
            seriousness=row["seriousness"],
            state=row["state"],
            own=self.recognizer is not None,
            usable_until=row["usable_until"],
            color=row["color"],
            list_min_months=row["min_months"],
        )


def opaque(said: str) -> tuple[str, str]:
    """Kind of fact and uuid of an opaque id. Raises BadUserInput."""
    if said[:1] in KINDS and len(said) == 33 and all(one in "0123456789abcdef" for one in said[1:]):
        return said[0], said[1:]
    raise BadUserInput("This is no id of a record or of a list entry.", argument="target")


async def find_target(sees: Sees, said: str) -> Found | None:
    """A record or entry by its opaque id, whether shown or not; the caller asks `visible`. Raises BadUserInput."""
    letter, public_id = opaque(said)
    kind, table = KINDS[letter]
    parameters = Parameters()
    access = Access(sees.view, parameters)
    classes = sees.view.vocabulary.classes_of(table)
    shown = access.visible(Row("x", TABLES[table], "s"), classes)
    named = parameters.bind(FromRef(Constant(public_id)), "uuid")
    found = await sees.rows(
        f"SELECT x.public_id, x.data_class, {_SUBJECT}, {_COLUMNS[table]}, ({shown}) AS visible"  # noqa: S608 -- constants
        f" FROM {table} x{_JOINS[table]} WHERE x.public_id = {named} AND x.superseded_at IS NULL",
        parameters,
    )
    if not found or found[0]["decided_on"] is None:
        return None
    return _found(kind, found[0], bool(found[0]["visible"]))


def _found(kind: str, row: Mapping[str, Any], visible: bool) -> Found:
    rules = load_repair_rules()
    recognizer = rules.recognizer(row["authority"], row["authority_code"], row["decided_on"])
    return Found(kind, row, recognizer, visible)


async def earlier_repairs(sees: Sees, found: Found) -> tuple[date, ...]:
    """Earlier repairs on the same list, as far as the asker's rights show what has ended."""
    if found.row["list_code"] is None:
        return ()
    parameters = Parameters()
    access = Access(sees.view, parameters)
    shown = access.visible(Row("x", TABLES["list_entry"], "s"), ("D10", "D11", "D12", "D18"))
    sql = _EARLIER.format(
        subject=parameters.bind(FromRef(Constant(found.row["subject_id"])), "bigint"),
        code=parameters.bind(FromRef(Constant(found.row["list_code"])), "text"),
        shown=shown,
    )
    return tuple(row["exited_on"] for row in await sees.rows(sql, parameters))


async def still_there(connection: asyncpg.Connection, kind: str, public_id: str) -> bool:
    """Whether there is such a record or entry, in whatever state; its source may have taken it back altogether."""
    # As `current` does: of a version that a delivery is just replacing it would seem that there is none any more.
    await one_writer(connection)
    table = "record" if kind == RECORD else "list_entry"
    sql = f"SELECT 1 FROM {table} WHERE public_id = $1 AND superseded_at IS NULL"  # noqa: S608 -- constants
    return await connection.fetchval(sql, public_id) is not None


async def current(connection: asyncpg.Connection, kind: str, public_id: str) -> Current | None:
    """The record or entry as it stands, for the department that handles its repair; None: it is no longer there."""
    # Before its row: of a version that a delivery is just replacing it would seem that there is none any more.
    await one_writer(connection)
    table = "record" if kind == RECORD else "list_entry"
    row = await connection.fetchrow(
        f"SELECT x.public_id, x.data_class, x.sharing_attribute, {_SUBJECT}, {_COLUMNS[table]}"  # noqa: S608
        f" FROM {table} x{_JOINS[table]} WHERE x.public_id = $1 AND x.superseded_at IS NULL FOR UPDATE OF x",
        public_id,
    )
    if row is None:
        return None
    found = _found(kind, row, visible=True)
    earlier: tuple[date, ...] = ()
    proceedings: list[Any] = []
    publicity: list[Any] = []
    if kind == RECORD:
        wanted = (*BEFORE, *SHOWN, "ENDED_REPAIR")
        publicity = _of_its_decision(
            found, await connection.fetch(_PUBLICITY, row["subject_id"], row["document_number"], wanted)
        )
    else:
        sql = _EARLIER.format(subject="$1", code="$2", shown="x.public_id <> $3")
        days = await connection.fetch(sql, row["subject_id"], row["list_code"], row["public_id"])
        earlier = tuple(one["exited_on"] for one in days)
        proceedings = await connection.fetch(_PROCEEDING, public_id, (*_LISTED, "EXITED_REPAIRED"))
    return Current(
        public_id=str(row["public_id"]),
        data_class=row["data_class"],
        sharing=row["sharing_attribute"],
        target=found.target(),
        subject_code=row["uscc"],
        details=orjson.loads(row["details"]) if row["details"] else {},
        under_objection=row["under_objection"],
        earlier=earlier,
        proceeding=bool(proceedings),
        published=any(one["published"] for one in publicity),
        cases=tuple(str(one["public_id"]) for one in (*proceedings, *publicity)),
    )


def _of_its_decision(found: Found, published: Sequence[Any]) -> list[Any]:
    """Of the publications with the record's number those of its authority.

    Raises GuardRefused where the record does not say whose decision it is and several have the number.
    """
    authority = Authority(found.row["authority_code"], found.row["authority"])
    asked = load_repair_rules().known_as(authority, found.row["decided_on"])
    told = meant(asked, [(Authority(name=one["authority"]), one) for one in published])
    if told is None:
        raise GuardRefused(reason="SEVERAL_DECISIONS")
    return told


async def end_with(
    connection: asyncpg.Connection, machines: Mapping[str, Machine], step: Step, cases: tuple[str, ...]
) -> int:
    """R9.2: take the steps that a repair means for proceedings and publicity, by uuid; how many were moved.

    `step` is the hub's own, with the document number of the repair.
    """
    moved = 0
    for row in await connection.fetch(_CASES, list(cases)):
        if row["mechanism"] == LIST_ENTRY.mechanism and row["state"] in _LISTED:
            machine, name = LIST_ENTRY, "repair"
        elif row["mechanism"] == PUBLICITY.mechanism and row["state"] in (*BEFORE, *SHOWN):
            machine, name = PUBLICITY, "end_repair" if row["state"] in SHOWN else "drop_repair"
        else:
            continue
        await engine.apply(connection, machines, machine, row["number"], name, step)
        moved += 1
    return moved


async def lift_measures(
    connection: asyncpg.Connection, machines: Mapping[str, Machine], step: Step, entry: str
) -> int:
    """R9.1: the measures on an entry (a uuid) end with its repair; how many."""
    ended = replace(step, inputs={**step.inputs, "reason": REPAIRED})
    return await follow_entry(connection, machines, ended, entry, "end_repair")


async def restore_with(
    connection: asyncpg.Connection, machines: Mapping[str, Machine], step: Step, told: RepairDetails
) -> None:
    """What had ended with a repair is as it was, after its revocation; `step` is the hub's own, with reason and number.

    R7.5: what would have ended by itself meanwhile is over, and is not shown once more.
    """
    for row in await connection.fetch(_CASES, list(told.followed)):
        if row["state"] == "EXITED_REPAIRED":
            machine = LIST_ENTRY
        elif row["state"] == "ENDED_REPAIR" and await _was_shown(connection, row["number"]):
            machine = PUBLICITY
        else:
            continue
        if row["ends_on"] is not None and row["ends_on"] < step.today:
            await engine.apply(connection, machines, machine, row["number"], "lapse", step)
            continue
        if machine is LIST_ENTRY and told.state_before == "RECOGNIZED":
            await engine.apply(connection, machines, machine, row["number"], "restore_recognized", step)
            continue
        await engine.apply(connection, machines, machine, row["number"], "restore", step)
        if told.state_before == "SUSPENDED":
            await engine.apply(connection, machines, machine, row["number"], "suspend", step)


async def _was_shown(connection: asyncpg.Connection, number: str) -> bool:
    """What was never shown is not shown by a revocation either: its publication is drafted anew."""
    sql = "SELECT details->>'published_on' IS NOT NULL FROM case_file WHERE number = $1"
    return bool(await connection.fetchval(sql, number))
