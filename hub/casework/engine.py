"""The only writer of cases: opens them, and takes the steps of their machines, each in one transaction with its event."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework.details import from_json, to_json
from hub.casework.facts import write_fact
from hub.casework.machine import HANDLER, Actor, Case, Delivery, Effects, Machine, Recount, Step, Transition
from hub.casework.work import in_its_place
from hub.errors import CaseUnknown, CommandForbidden, GuardRefused, InputMissing, StateConflict
from hub.rules.calendar import Due
from hub.rules.deadlines import due as due_of

# The transition that opens a case, in its first event.
OPENED = "open"
# Noted without a step: the state stays, and the deadline is another day.
MOVED = "deadline_moved"

_FILES = """
INSERT INTO case_file (public_id, mechanism, number, subject_id, data_class, state, owner, region_code, opened_at,
  opened_on, due_on, due_is_provisional, ruleset, details, target_public_id)
SELECT n.public_id, $1, n.number, n.subject_id, $2, $3, $4, n.region_code, $5, $6, n.due_on, n.provisional, n.ruleset,
  n.details::jsonb, n.target
FROM unnest($7::text[], $8::uuid[], $9::text[], $10::bigint[], $11::text[], $12::date[], $13::boolean[], $14::text[],
  $15::uuid[]) AS n(ruleset, public_id, number, subject_id, region_code, due_on, provisional, details, target)
RETURNING case_id, public_id
"""
_EVENTS = """
INSERT INTO case_event (case_id, at, transition, from_state, to_state, actor_partner, actor_officer, reason,
  document_number, payload)
SELECT n.case_id, $1, $2, $3, $4, $5, $6, $7, $8, n.payload::jsonb
FROM unnest($9::bigint[], $10::text[]) AS n(case_id, payload)
RETURNING event_id, case_id
"""
_PARTIES = """
INSERT INTO case_party (case_id, partner, role, since)
SELECT n.case_id, n.partner, n.role, $1 FROM unnest($2::bigint[], $3::text[], $4::text[]) AS n(case_id, partner, role)
ON CONFLICT DO NOTHING
"""
_FIND = """
SELECT c.*, array(SELECT p.role FROM case_party p WHERE p.case_id = c.case_id AND p.partner = $3) AS roles,
  s.uscc AS subject_code
FROM case_file c LEFT JOIN subject s USING (subject_id)
WHERE c.mechanism = $1 AND c.{key} = $2
  AND ($5 OR s.uscc = $4 OR EXISTS (SELECT FROM case_party p WHERE p.case_id = c.case_id AND p.partner = $3))
FOR UPDATE OF c
"""
# The opaque id that callers see: the table's letter and the uuid.
_PUBLIC_ID = re.compile(r"c[0-9a-f]{32}", re.ASCII)
_MOVE = """
UPDATE case_file SET state = $2, due_on = $3, due_is_provisional = $4, closed_at = $5, details = $6::jsonb,
  version = version + 1
WHERE case_id = $1 AND version = $7
"""
_DELIVER = """
INSERT INTO delivery_out (case_id, event_id, channel, payload, next_attempt_at, idempotency_key)
VALUES ($1, $2, $3, $4::jsonb, $5, $6) ON CONFLICT (idempotency_key) DO NOTHING
"""


@dataclass(frozen=True, kw_only=True)
class NewCase:
    """A case to be opened."""

    subject_id: int | None
    details: Any
    region_code: str | None = None
    target_public_id: str | None = None
    due: Due | None = None
    # Partners that have to do with it beside its handler: (partner, role).
    parties: tuple[tuple[str, str], ...] = ()
    # What the first event tells.
    payload: Mapping[str, Any] = field(default_factory=dict)
    # The rules that it comes under, where another day than that of its opening decides.
    ruleset: str | None = None


@dataclass(frozen=True)
class Taken:
    """A step that was taken: the case after it, and the cases that it opened."""

    case: Case[Any]
    opened: tuple[Case[Any], ...]


async def open_cases(
    connection: asyncpg.Connection,
    machine: Machine,
    cases: Sequence[NewCase],
    step: Step,
    *,
    owner: str | None = None,
) -> list[Case[Any]]:
    """Open cases of one mechanism in their initial state, in the caller's transaction; in the order given.

    `owner` handles them, by default the actor's partner. The reason and document number of the step's inputs
    stand in the first event.
    """
    owner = owner or step.actor.partner
    ruleset, year = machine.ruleset(step.today), step.today.year
    made = [(one, str(uuid4()), _number(machine.series, year)) for one in cases]
    rows = await connection.fetch(
        _FILES,
        machine.mechanism,
        machine.data_class,
        machine.initial,
        owner,
        step.now,
        step.today,
        [one.ruleset or ruleset for one, _, _ in made],
        [public_id for _, public_id, _ in made],
        [number for _, _, number in made],
        [one.subject_id for one, _, _ in made],
        [one.region_code for one, _, _ in made],
        [one.due.on if one.due else None for one, _, _ in made],
        [bool(one.due and one.due.provisional) for one, _, _ in made],
        [to_json(one.details) for one, _, _ in made],
        [one.target_public_id for one, _, _ in made],
    )
    ids = {str(row["public_id"]): row["case_id"] for row in rows}
    numbered = [(one, ids[public_id], public_id, number) for one, public_id, number in made]
    await _tell(
        connection, OPENED, None, machine.initial, step,
        [(case_id, one.payload) for one, case_id, _, _ in numbered],
    )  # fmt: skip
    parties = [
        (case_id, partner, role)
        for one, case_id, _, _ in numbered
        for partner, role in ((owner, HANDLER), *one.parties)
    ]
    await _join(connection, parties, step.now)
    return [
        Case(
            case_id=case_id, public_id=public_id, mechanism=machine.mechanism, number=number,
            subject_id=one.subject_id, state=machine.initial, owner=owner, region_code=one.region_code,
            opened_at=step.now, due_on=one.due.on if one.due else None,
            due_is_provisional=bool(one.due and one.due.provisional), ruleset=one.ruleset or ruleset,
            details=one.details,
            target_public_id=one.target_public_id, version=1,
        )
        for one, case_id, public_id, number in numbered
    ]  # fmt: skip


async def find(
    connection: asyncpg.Connection, machine: Machine, number: str, actor: Actor
) -> tuple[Case[Any], frozenset[str]]:
    """A case by its number or opaque id, locked until the transaction ends, and the actor's roles in it.

    The subject itself has the role SUBJECT. Raises CaseUnknown where the actor has no role, in the same words
    as for a number that does not exist, and without waiting for whoever holds the case.
    """
    public = _PUBLIC_ID.fullmatch(number)
    row = await connection.fetchrow(
        _FIND.format(key="public_id" if public else "number"),
        machine.mechanism,
        number[1:] if public else number,
        actor.partner,
        actor.subject,
        actor.system,
    )
    if row is None:
        raise CaseUnknown
    roles = frozenset(row["roles"])
    if actor.subject is not None and actor.subject == row["subject_code"]:
        roles |= {"SUBJECT"}
    if not roles and not actor.system:
        raise CaseUnknown
    return case_of(machine, row), roles


async def apply(
    connection: asyncpg.Connection,
    machines: Mapping[str, Machine],
    machine: Machine,
    number: str,
    transition: str,
    step: Step,
) -> Taken:
    """Take a step of a case: checks state, rights, inputs and guard; writes state, event and effects, all or nothing.

    Call it within a transaction. `machines` by mechanism, for cases that the step opens. Raises CaseUnknown,
    CommandForbidden, StateConflict, InputMissing, GuardRefused.
    """
    taken = machine.step(transition)
    case, roles = await find(connection, machine, number, step.actor)
    _admit(taken, case, roles, step)
    # As the worker counts its deadline.
    step = replace(step, calendar=await in_its_place(connection, step.calendar, case.region_code))
    effects = taken.effect(case, step)
    due = _due(taken, case, effects, step)
    target = taken.leads(case.state)
    details = replace(case.details, **effects.details) if effects.details else case.details
    moved = await connection.execute(
        _MOVE,
        case.case_id,
        target,
        due.on if due else None,
        bool(due and due.provisional),
        step.now if target in machine.final else None,
        to_json(details),
        case.version,
    )
    if moved != "UPDATE 1":
        raise StateConflict
    payload = [(case.case_id, effects.payload)]
    events = await _tell(connection, taken.name, case.state, target, step, payload)
    await _join(connection, [(case.case_id, *party) for party in effects.parties], step.now)
    await _deliver(connection, case.case_id, events[case.case_id], effects.deliveries, step.now)
    for fact in effects.facts:
        await write_fact(connection, fact, step.now)
    opened: list[Case[Any]] = []
    for opening in effects.openings:
        new = NewCase(
            subject_id=opening.subject_id,
            details=opening.details,
            region_code=case.region_code,
            target_public_id=opening.target_public_id,
            due=opening.due,
            parties=opening.parties,
        )
        opened += await open_cases(connection, machines[opening.mechanism], [new], step, owner=case.owner)
    moved_case = replace(
        case,
        state=target,
        details=details,
        due_on=due.on if due else None,
        due_is_provisional=bool(due and due.provisional),
        version=case.version + 1,
    )
    return Taken(moved_case, tuple(opened))


async def move_deadline(
    connection: asyncpg.Connection, case: Case[Any], counted: Recount, step: Step
) -> None:
    """Write another day of the deadline that runs, and of those in the details, with its event: nothing else moves.

    Call it within the transaction of `find`. Raises StateConflict.
    """
    days = {name: day for name, day in counted.details.items() if getattr(case.details, name) != day}
    moved = await connection.execute(
        _MOVE,
        case.case_id,
        case.state,
        counted.due.on,
        counted.due.provisional,
        None,
        to_json(replace(case.details, **days)),
        case.version,
    )
    if moved != "UPDATE 1":
        raise StateConflict
    told = {
        "before": case.due_on,
        "due_on": counted.due.on,
        "provisional": counted.due.provisional,
        **{name: day for name, day in days.items() if isinstance(day, date)},
    }
    await _tell(connection, MOVED, case.state, case.state, step, [(case.case_id, told)])


def _admit(taken: Transition, case: Case[Any], roles: frozenset[str], step: Step) -> None:
    actor = step.actor
    if not actor.system:
        # The view has decided this already; a command that is reached some other way is refused here.
        if taken.capability not in actor.capabilities:
            raise CommandForbidden
        if not roles & taken.parties:
            raise CommandForbidden
    if case.state not in taken.sources:
        raise StateConflict(state=case.state, transition=taken.name)
    for name in taken.requires:
        if step.inputs.get(name) in (None, "", (), []):
            raise InputMissing(f"This step needs {name}.", input=name)
    refusal = taken.guard(case, step)
    if refusal is not None:
        raise GuardRefused(reason=refusal)


def _due(taken: Transition, case: Case[Any], effects: Effects, step: Step) -> Due | None:
    if not isinstance(effects.due, str):
        return effects.due
    if taken.deadline is not None:
        return due_of(taken.deadline, step.today, step.calendar)
    return Due(case.due_on, case.due_is_provisional) if case.due_on else None


async def _tell(
    connection: asyncpg.Connection,
    transition: str,
    source: str | None,
    target: str,
    step: Step,
    cases: Sequence[tuple[int, Mapping[str, Any]]],
) -> dict[int, int]:
    """Append one event to each case; case → event."""
    rows = await connection.fetch(
        _EVENTS,
        step.now,
        transition,
        source,
        target,
        step.actor.partner,
        step.actor.officer,
        step.inputs.get("reason"),
        step.inputs.get("document_number"),
        [case_id for case_id, _ in cases],
        [to_json(payload) for _, payload in cases],
    )
    return {row["case_id"]: row["event_id"] for row in rows}


async def _join(
    connection: asyncpg.Connection, parties: Sequence[tuple[int, str, str]], now: datetime
) -> None:
    if parties:
        await connection.execute(_PARTIES, now, *(list(column) for column in zip(*parties, strict=True)))


async def _deliver(
    connection: asyncpg.Connection, case_id: int, event_id: int, deliveries: Sequence[Delivery], now: datetime
) -> None:
    for one in deliveries:
        await connection.execute(_DELIVER, case_id, event_id, one.channel, to_json(one.payload), now, one.key)


def _number(series: str, year: int) -> str:
    """A number such as QHSC-2026-4829-1073-6512: random, so that it tells nothing of other cases."""
    digits = f"{secrets.randbelow(10**12):012}"
    return f"{series}-{year}-{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def case_of(machine: Machine, row: Mapping[str, Any]) -> Case[Any]:
    """A case as its row has it."""
    return Case(
        case_id=row["case_id"],
        public_id=str(row["public_id"]),
        mechanism=row["mechanism"],
        number=row["number"],
        subject_id=row["subject_id"],
        state=row["state"],
        owner=row["owner"],
        region_code=row["region_code"],
        opened_at=row["opened_at"].astimezone(SHANGHAI),
        due_on=row["due_on"],
        due_is_provisional=row["due_is_provisional"],
        ruleset=row["ruleset"],
        details=from_json(machine.details, orjson.loads(row["details"])),
        target_public_id=str(row["target_public_id"]) if row["target_public_id"] else None,
        version=row["version"],
    )
