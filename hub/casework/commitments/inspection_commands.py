"""The commands of inspections of commitments (R6.3, R6.4): a breach moves inspection, commitment and record together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.casework import engine
from hub.casework.commitments.inspections import (
    COMMITMENT_INSPECTION,
    HINT,
    RANDOM,
    TOLERANCE,
    InspectionDetails,
)
from hub.casework.commitments.machine import ANSWERABLE, COMMITMENT
from hub.casework.machine import Case, Machine
from hub.casework.stepping import take
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, CaseUnknown, GuardRefused, StateConflict
from hub.rules.commitments import KINDS

MOST_CHARACTERS = 4000
_SUBJECT = "SELECT uscc AS subject_code, display_name AS subject_name FROM subject WHERE subject_id = $1"
_OPEN = """
SELECT 1 FROM case_file WHERE mechanism = 'COMMITMENT_INSPECTION' AND target_public_id = $1 AND closed_at IS NULL
LIMIT 1
"""
_TEXTS = ("text", "statement", "authority", "defence_answer")


async def suspect(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.4: a hint from outside that a commitment is broken. Raises CaseUnknown, StateConflict, GuardRefused."""
    _readable(given)
    case, _ = await engine.find(work.connection, COMMITMENT, given["commitment"], work.actor)
    if case.owner != work.actor.partner:
        raise CaseUnknown
    assert case.subject_id is not None
    work.seen.add(case.subject_id)
    if case.state not in ANSWERABLE:
        raise StateConflict(state=case.state, transition="suspect")
    if await work.connection.fetch(_OPEN, case.public_id):
        raise GuardRefused(reason="INSPECTION_OPEN")
    new = engine.NewCase(
        subject_id=case.subject_id,
        details=InspectionDetails(HINT, case.number, None, ()),
        region_code=case.region_code,
        target_public_id=case.public_id,
    )
    (opened,) = await engine.open_cases(work.connection, COMMITMENT_INSPECTION, [new], work.step({}))
    return await _take(work, "note", {**given, "number": opened.number})


async def find(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.4: the written finding."""
    assert given["kind"] in KINDS
    return await _take(work, "find", given)


async def notify(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.4: the notice was served; from now on the subject sees the case."""
    case = await _case(work, given)
    return await _take(work, "notify", {**given, **await _subject(work, case)})


async def state_defence(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.4: the subject defends itself. Before the notice there is no such case for it."""
    case = await _case(work, given)
    if case.details.notice is None:
        raise CaseUnknown
    return await _take(work, "state_defence", given)


async def establish(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.4: after finding, notice and defence: the commitment is broken or false, and a record is filed."""
    if await _established(work, (await _case(work, given)).details) is not None:
        raise GuardRefused(reason="BREACH_ALREADY_ESTABLISHED")
    made = await _take(work, "establish", given)
    told: InspectionDetails = (await _case(work, given)).details
    if told.origin != TOLERANCE:
        assert told.finding is not None
        assert told.notice is not None
        proof = {
            "document_number": told.document_number,
            "authority": told.finding.authority,
            "finding": told.finding.document_number,
            "notice": told.notice.document_number,
        }
        transition = "falsify" if told.finding.kind == "FALSE_COMMITMENT" else "breach"
        await _follow(work, COMMITMENT, told.commitment, transition, proof)
    return made


async def clear(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3, R6.4: nothing was found; of what was drawn by lot the result is to be published.

    But of a commitment that another inspection has found broken: then that stands, and nothing is published beside it.
    """
    case = await _case(work, given)
    established = await _established(work, case.details)
    if established is not None:
        return await _take(work, "overtake", {**given, "established": established})
    return await _take(work, "clear" if case.details.origin == RANDOM else "dismiss", given)


async def publish(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3: the result is published, and stands with the commitment."""
    case = await _case(work, given)
    made = await _take(work, "publish", {**given, **await _subject(work, case)})
    told: InspectionDetails = case.details
    commitment, _ = await engine.find(
        work.connection, COMMITMENT, told.commitment, replace(work.actor, system=True)
    )
    if commitment.state == "PUBLISHED":
        noted = {"plan": told.plan, "inspected_on": told.concluded_on, "outcome": told.outcome}
        await _follow(work, COMMITMENT, told.commitment, "note_result", noted)
    return made


async def _case(work: Work, given: Mapping[str, Any]) -> Case[Any]:
    case, _ = await engine.find(work.connection, COMMITMENT_INSPECTION, given["number"], work.actor)
    return case


async def _established(work: Work, told: InspectionDetails) -> str | None:
    """The breach of its commitment that another inspection has established already; None: none has."""
    if told.origin == TOLERANCE:
        return None
    system = replace(work.actor, system=True)
    commitment, _ = await engine.find(work.connection, COMMITMENT, told.commitment, system)
    return None if commitment.state in ANSWERABLE else commitment.state


async def _subject(work: Work, case: Case[Any]) -> Mapping[str, Any]:
    """Who the handler's own case is about."""
    return dict(await work.connection.fetchrow(_SUBJECT, case.subject_id))


async def _follow(
    work: Work, machine: Machine, number: str, transition: str, inputs: Mapping[str, Any]
) -> None:
    """What an inspection's step does to the commitment, in the same transaction."""
    step = replace(work.step(inputs), actor=replace(work.actor, system=True))
    await engine.apply(work.connection, work.machines, machine, number, transition, step)


def _readable(given: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if len(given.get(name) or "") > MOST_CHARACTERS:
            raise BadUserInput("This text is too long.", argument=name)


async def _take(work: Work, transition: str, given: Mapping[str, Any]) -> Made:
    _readable(given)
    return await take(work, COMMITMENT_INSPECTION, transition, given)


def _steps(transition: str) -> Command:
    async def command(work: Work, given: Mapping[str, Any]) -> Made:
        return await _take(work, transition, given)

    return command


COMMANDS: dict[str, Command] = {
    "inspection.suspect": suspect,
    "inspection.note": _steps("note"),
    "inspection.find": find,
    "inspection.notify": notify,
    "inspection.state_defence": state_defence,
    "inspection.record_defence": _steps("record_defence"),
    "inspection.establish": establish,
    "inspection.clear": clear,
    "inspection.publish": publish,
}
