"""The commands of credit repair (R9.2, R9.3), what stands in the way before one applies, and the worker's part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.given import is_sm3, said
from hub.casework.machine import Case, Machine, Step
from hub.casework.repair.assessment import Current, assessed, obstacles
from hub.casework.repair.details import Paper, RepairDetails
from hub.casework.repair.machine import CURABLE, LIST_ENTRY_KIND, REPAIR
from hub.casework.repair.targets import (
    Found,
    current,
    earlier_repairs,
    end_with,
    find_target,
    lift_measures,
    restore_with,
    still_there,
)
from hub.casework.rounds import apart
from hub.casework.subjects import refused_for
from hub.casework.work import Command, Look, Made, Work, calendar_for
from hub.errors import BadUserInput, GuardRefused
from hub.rules.decisions import Authority, meant
from hub.rules.repair import load_repair_rules
from hub.rules.repair_case import Application
from hub.store.writing import one_at_a_time, one_writer
from schema.identifiers import InvalidIdentifier, parse_uscc

MOST_CHARACTERS, MOST_PAPERS = 4000, 30
# 谁认定、谁修复: told instead of the rules' NOT_OWN, because it says where to go.
ELSEWHERE = "NOT_OWN_APPLY_AT_CREDIT_CHINA"
_OPEN = """
SELECT 1 FROM case_file WHERE mechanism = 'REPAIR' AND target_public_id = $1
  AND state = ANY ('{SUBMITTED,ACCEPTED,UNDER_REVIEW,EXTENDED,APPROVED}')
"""
_BY_AGENT = """
SELECT count(*) FROM case_file WHERE mechanism = 'REPAIR' AND opened_on > $2 AND details->>'agent' = $1
"""


async def apply(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.2: the subject applies to have its own record or entry repaired. Raises GuardRefused, BadUserInput."""
    # A delivery under way may tell that the record is another firm's: whose it is then, the case is.
    await one_writer(work.connection)
    found = await find_target(work, given["target"])
    if found is None or not found.visible or found.row["uscc"] != work.actor.subject:
        raise GuardRefused(reason="NO_SUCH_RECORD_OR_ENTRY")
    return await _open(work, given, found, work.today, work.today, "SUBJECT")


async def record(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.2: the department that recognized it records an application that reached it, on paper or from 信用中国.

    It need not see the record for this purpose: whoever recognized it handles its repair (谁认定、谁修复).
    """
    # As above.
    await one_writer(work.connection)
    found = await find_target(work, given["target"])
    handles = (
        found is not None and found.recognizer is not None and found.recognizer.partner == work.actor.partner
    )
    if found is None or not (found.visible or handles):
        raise GuardRefused(reason="NO_SUCH_RECORD_OR_ENTRY")
    if not handles:
        raise GuardRefused(reason=ELSEWHERE)
    # Also where its purpose does not show the record, the unit is told here what stands in the way.
    work.seen.add(found.row["subject_id"])
    applied = given.get("applied_on") or work.today
    pushed = given.get("pushed_on") or work.today
    if not applied <= pushed <= work.today:
        raise GuardRefused(reason="APPLICATION_DAY_IMPOSSIBLE")
    return await _open(work, given, found, applied, pushed, work.actor.partner)


async def _open(
    work: Work, given: Mapping[str, Any], found: Found, applied: date, pushed: date, by: str
) -> Made:
    recognizer, row = found.recognizer, found.row
    if recognizer is None:
        raise GuardRefused(reason=ELSEWHERE)
    public_id = str(row["public_id"])
    await one_at_a_time(work.connection, f"repair/{public_id}")
    if await work.connection.fetchval(_OPEN, public_id):
        raise GuardRefused(reason="ALREADY_APPLIED_FOR")
    agent = await _agent(work, given.get("agent"))
    statement = said(given["statement"], "statement", MOST_CHARACTERS)
    papers = _papers(given.get("evidence") or (), work.today)
    calendar = await calendar_for(work.connection, [recognizer.region], work.today)
    standing = await current(work.connection, found.kind, public_id)
    assert standing is not None
    rules = load_repair_rules()
    if rules.order(applied) is None:
        raise GuardRefused(reason="NO_RULESET")
    told = RepairDetails(
        target_kind=found.kind,
        target=given["target"],
        target_title=row["title"],
        data_class=row["data_class"],
        document_number=row["document_number"],
        authority=recognizer.name,
        decided_on=row["decided_on"],
        seriousness=row["seriousness"],
        color=row["color"],
        subject_code=row["uscc"],
        subject_name=row["display_name"],
        natural_person=row["subject_kind"] == "NATURAL_PERSON",
        applied_on=applied,
        pushed_on=pushed,
        applied_by=by,
        agent=agent,
        statement=statement,
        evidence=papers,
        eligible_from=None,
        blockers=(),
        notes=(),
        assessed_on=work.today,
        answer_by=rules.clock("answer", applied, applied, calendar).on,
    )
    told = replace(told, **assessed(told, standing, work.today))
    refused = next((one.code for one in told.blockers if one.code not in CURABLE), None)
    if refused is not None:
        raise GuardRefused(reason=refused)
    new = engine.NewCase(
        subject_id=row["subject_id"],
        details=told,
        region_code=recognizer.region,
        target_public_id=public_id,
        due=rules.clock("intake", pushed, applied, calendar),
        payload={"applied_on": applied},
        ruleset=rules.order(applied).id,  # type: ignore[union-attr]
    )
    (case,) = await engine.open_cases(work.connection, REPAIR, [new], work.step({}), owner=recognizer.partner)
    return Made(ids=(case.public_id,))


async def _agent(work: Work, said: str | None) -> str | None:
    """The agent's code, while it has not handed in more than one agent may. Raises GuardRefused, BadUserInput."""
    if said is None:
        return None
    try:
        code = parse_uscc(said).code
    except InvalidIdentifier:
        raise BadUserInput("This is no unified social credit code.", argument="agent") from None
    limit = load_repair_rules().agent_limit(work.today)
    if limit is not None:
        await one_at_a_time(work.connection, f"repair-agent/{code}")
        since = work.today - timedelta(days=limit.days)
        if await work.connection.fetchval(_BY_AGENT, code, since) >= limit.most:
            await refused_for(work, code)
            raise GuardRefused(reason="AGENT_LIMIT_REACHED")
    return code


def _papers(given: Sequence[Mapping[str, Any]], today: date) -> tuple[Paper, ...]:
    if len(given) > MOST_PAPERS:
        raise BadUserInput(f"At most {MOST_PAPERS} papers at once.", argument="evidence")
    found = []
    for one in given:
        texts = [str(one.get(name) or "").strip() for name in ("title", "organizer", "certificate")]
        if not texts[0] or max(map(len, texts)) > 200:
            raise BadUserInput(
                "Each paper has a title; texts have up to 200 characters.", argument="evidence"
            )
        if one.get("file_digest") is not None and not is_sm3(one["file_digest"]):
            raise BadUserInput("An SM3 digest has 64 hexadecimal digits.", argument="evidence")
        if (one.get("hours") or 0) < 0 or (one.get("held_on") or today) > today:
            raise BadUserInput("Hours are not negative, and days do not lie ahead.", argument="evidence")
        found.append(
            Paper(
                one["kind"], texts[0], today, one.get("file_digest"), texts[1] or None, one.get("hours"),
                texts[2] or None, one.get("held_on"),
            )
        )  # fmt: skip
    return tuple(found)


async def _standing(connection: asyncpg.Connection, case: Case[RepairDetails]) -> Current:
    """The record or entry of a case. Raises GuardRefused when its source took it back altogether."""
    assert case.target_public_id is not None
    found = await current(connection, case.details.target_kind, case.target_public_id)
    if found is None:
        raise GuardRefused(reason="ENDED")
    return found


async def _take(work: Work, transition: str, given: Mapping[str, Any]) -> Case[RepairDetails]:
    taken = await engine.apply(
        work.connection, work.machines, REPAIR, given["number"], transition, work.step(given)
    )
    return taken.case


def _looking(transition: str, extended: str | None = None) -> Command:
    """A step that looks at the record or entry as it stands; `extended`: its name in an extended case."""

    async def take(work: Work, given: Mapping[str, Any]) -> Made:
        case, _ = await engine.find(work.connection, REPAIR, given["number"], work.actor)
        more: dict[str, Any] = {"current": await _standing(work.connection, case)}
        if "evidence" in given:
            papers = _papers(given["evidence"], work.today)
            told = replace(case.details, evidence=papers)
            members = assessed(told, more["current"], work.today)
            broken = next((one.code for one in members["blockers"] if one.code.startswith("EVIDENCE_")), None)
            if broken is not None:
                raise GuardRefused(reason=broken)
            more["evidence"] = papers
        name = extended if extended and case.state == "EXTENDED" else transition
        taken = await _take(work, name.format(state=case.state.lower()), {**given, **more})
        return Made(ids=(taken.public_id,))

    return take


async def approve(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.2: publicity, sharing and use end here and now, and all that hangs on them, in one transaction."""
    case, _ = await engine.find(work.connection, REPAIR, given["number"], work.actor)
    standing = await _standing(work.connection, case)
    taken = await _take(work, "approve", {**given, "current": standing})
    step = _hubs(work, given["document_number"])
    await end_with(work.connection, work.machines, step, standing.cases)
    if case.details.target_kind == LIST_ENTRY_KIND:
        await lift_measures(work.connection, work.machines, step, standing.public_id)
    return Made(ids=(taken.public_id,))


async def refuse(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.2: refuse, after an examination; what its source took back meanwhile is refused without one."""
    case, _ = await engine.find(work.connection, REPAIR, given["number"], work.actor)
    assert case.target_public_id is not None
    stands = await still_there(work.connection, case.details.target_kind, case.target_public_id)
    taken = await _take(work, "refuse", {**given, "taken_back": not stands})
    return Made(ids=(taken.public_id,))


async def revoke(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.2: the repair rested on false materials: the record or entry is as it was before."""
    case, _ = await engine.find(work.connection, REPAIR, given["number"], work.actor)
    standing = await _standing(work.connection, case)
    taken = await _take(work, "revoke", {**given, "current": standing})
    step = _hubs(work, given["document_number"], given["reason"])
    await restore_with(work.connection, work.machines, step, taken.details)
    return Made(ids=(taken.public_id,))


def _hubs(work: Work, document: str, reason: str = "REPAIRED") -> Step:
    step = work.step({"document_number": document, "reason": reason})
    return replace(step, actor=replace(work.actor, system=True))


def _steps(transition: str) -> Command:
    async def take(work: Work, given: Mapping[str, Any]) -> Made:
        return Made(ids=((await _take(work, transition, given)).public_id,))

    return take


async def outlook(look: Look, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """R9.2: from when a record or entry may be repaired and what stands in the way, for whoever is shown it."""
    found = await find_target(look, given["target"])
    if found is None or not found.visible:
        return []
    today, rules = look.today, load_repair_rules()
    target = found.target()
    earlier = await earlier_repairs(look, found)
    assessment = rules.assess(target, Application(applied_on=today, earlier=earlier), today)
    blockers = [one for one in assessment.blockers if one.code not in CURABLE]
    order = rules.order(today)
    return [
        {
            "ord": 0,
            "subject_id": found.row["subject_id"],
            "ruleset": assessment.order,
            "eligible_from": assessment.eligible_from,
            "eligible_today": not blockers,
            "conditions": list(order.conditions) if order is not None else [],
            "blockers": [
                {"code": one.code, "text": one.text, "until": one.until}
                for one in obstacles(replace(assessment, blockers=tuple(blockers)), today)
            ],
            "notes": list(assessment.notes),
        }
    ]


# ---- the worker's part -----------------------------------------------------------------------------------------

# R9.2: how many ends of a repair, wherever they were pushed, are not acknowledged, and when the last one was.
_APPROVED = """
SELECT c.public_id, c.number, c.region_code, pushed.unacknowledged, pushed.followed_at FROM case_file c CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE d.state <> 'ACKNOWLEDGED') AS unacknowledged, max(d.acknowledged_at) AS followed_at
  FROM delivery_out d JOIN case_file f USING (case_id)
  WHERE (f.case_id = c.case_id
      OR f.public_id = ANY (ARRAY(SELECT jsonb_array_elements_text(c.details->'followed'))::uuid[]))
    AND d.action = 'EXIT'
) pushed
WHERE c.mechanism = 'REPAIR' AND c.state = 'APPROVED' AND c.closed_at IS NULL ORDER BY c.case_id
"""
# What was repaired elsewhere and came in by the harvest: proceedings and measures that go on here.
_IMPORTED = """
SELECT c.public_id, c.region_code, x.public_id AS entry, coalesce((
  SELECT r.details->'repair'->>'number' FROM record r WHERE r.subject_id = x.subject_id AND r.superseded_at IS NULL
    AND r.record_type = 'REPAIR_RESULT' AND r.document_number = x.decision_number
    AND coalesce(r.authority_name, d.recognizer_name) = d.recognizer_name ORDER BY r.version_id LIMIT 1), x.exit_reason) AS number
FROM case_file c JOIN list_entry x ON x.public_id = c.target_public_id AND x.superseded_at IS NULL AND x.state = 'EXITED_REPAIRED'
JOIN list_definition d ON d.code = x.list_code
WHERE c.mechanism IN ('LIST_ENTRY', 'MEASURE') AND c.closed_at IS NULL AND c.state <> 'EXITED_REPAIRED'
"""
# The same of publicity, with the record that was repaired and both their authorities.
_IMPORTED_DECISIONS = """
SELECT c.public_id, c.region_code, NULL AS entry, x.details->'repaired'->>'document_number' AS number, x.public_id AS record,
  x.authority_uscc AS code, x.authority_name AS name, x.decided_on, c.details->>'authority' AS authority FROM case_file c
JOIN record x ON x.subject_id = c.subject_id AND x.document_number = c.details->>'decision_number'
  AND x.superseded_at IS NULL AND x.lifecycle = 'REPAIRED'
WHERE c.mechanism = 'PUBLICITY' AND c.closed_at IS NULL AND c.state <> 'ENDED_REPAIR'
ORDER BY x.version_id, c.case_id
"""


async def settle(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """One round: repairs that all channels follow take effect, and imported ones end what goes on here; how many.

    Each is its own transaction; one that is refused, or broken, is tried again in the next round.
    """
    moved = 0
    for row in await pool.fetch(_APPROVED):
        if row["unacknowledged"]:
            continue
        inputs: dict[str, Any] = {
            "reason": "ALL_CHANNELS_ACKNOWLEDGED", "unacknowledged": 0, "followed_at": row["followed_at"]
        }  # fmt: skip
        with apart(f"case {row['public_id']}"):
            moved += await _one(pool, machines, now, row, inputs)
    for row in (*await pool.fetch(_IMPORTED), *_of_decisions(await pool.fetch(_IMPORTED_DECISIONS))):
        inputs = {"reason": "REPAIRED", "document_number": row["number"]}
        with apart(f"case {row['public_id']}"):
            moved += await _one(pool, machines, now, row, inputs)
    return moved


def _of_decisions(rows: Sequence[Any]) -> list[Any]:
    """Publications of the decision that a repaired record is of; where nobody can tell of which, they go on."""
    found: dict[Any, Any] = {}
    for _, of_record in groupby(rows, lambda row: row["record"]):
        published = list(of_record)
        authority = Authority(published[0]["code"], published[0]["name"])
        asked = load_repair_rules().known_as(authority, published[0]["decided_on"])
        for row in meant(asked, [(Authority(name=one["authority"]), one) for one in published]) or ():
            found.setdefault(row["public_id"], row)
    return list(found.values())


async def _one(
    pool: asyncpg.Pool,
    machines: Mapping[str, Machine],
    now: datetime,
    row: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> int:
    today = now.astimezone(SHANGHAI).date()
    async with pool.acquire() as connection, connection.transaction():
        region = row["region_code"]
        calendar = await calendar_for(connection, [region] if region else [], today)
        step = Step(SYSTEM, inputs, now, today, calendar)
        if "unacknowledged" in inputs:
            await engine.apply(connection, machines, REPAIR, row["number"], "effectuate", step)
            return 1
        moved = await end_with(connection, machines, step, (str(row["public_id"]),))
        if row["entry"] is not None:
            moved += await lift_measures(connection, machines, step, str(row["entry"]))
        return moved


COMMANDS: dict[str, Command] = {
    "repair.apply": apply,
    "repair.record": record,
    "repair.supplement": _looking("supplement_{state}"),
    "repair.record_supplement": _looking("record_supplement_{state}"),
    "repair.accept": _looking("accept"),
    "repair.examine": _looking("examine", "examine_extended"),
    "repair.approve": approve,
    "repair.refuse": refuse,
    "repair.revoke": revoke,
    **{f"repair.{name}": _steps(name) for name in ("reject_intake", "begin_review", "extend", "answer")},
}
VIEWINGS = {"repair_outlook": outlook}
