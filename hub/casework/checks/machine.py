"""Credit checks at each handling (凡办必查, article 五): R5.1 number, R5.2 evidence, R5.3 advice and feedback, R5.7 validity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.checks.details import CheckDetails, Feedback, details_of
from hub.casework.checks.facts import look
from hub.casework.checks.tolerance import opening
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.subjects import beyond
from hub.casework.work import Made, Work
from hub.errors import BadUserInput, PurposeNotAllowed, SubjectUnknown
from hub.rights.matrix import CHECK_PURPOSES
from hub.rules.calendar import end_of
from hub.rules.deadlines import due
from hub.rules.matters import check_rules, matter_of
from schema.governance import Capability
from schema.identifiers import InvalidIdentifier, parse_uscc

# Subjects of one batch: procurement, funding and exhibitions work on lists of hundreds of firms.
MOST = 500
_EARLIER = """
SELECT number FROM case_file WHERE mechanism = 'CHECK' AND owner = $1 AND subject_id = $2 AND case_id < $3
  AND closed_at IS NULL AND details->>'purpose' = $4 AND details->>'matter' = $5 AND details->>'case_number' = $6
ORDER BY case_id
"""
# Decisions against the advice need a reason (R5.3: the official decides).
SEVERE = frozenset({"REFUSED", "RESTRICTED"})


def _feedback_fits(case: Case[CheckDetails], step: Step) -> str | None:
    decided: date = step.inputs["decided_on"]
    if decided > step.today or decided < case.opened_at.astimezone(SHANGHAI).date():
        return "DECISION_DAY_IMPOSSIBLE"
    if decided > case.details.valid_until and step.inputs["decision"] != "WITHDRAWN":
        # R5.7: the check had lapsed; it is run again before the decision. What the applicant takes back rests on none.
        return "CHECK_LAPSED"
    advised = case.details.conclusion in ("BLOCK", "RESTRICT")
    if step.inputs["decision"] in SEVERE and not advised and not step.inputs.get("reason"):
        return "REASON_NEEDED"
    return None


def _feed_back(_: Case[CheckDetails], step: Step) -> Effects:
    given = step.inputs
    told = Feedback(given["decision"], given["decided_on"], given.get("document_number"), step.now)
    return Effects(details={"feedback": told}, due=None, payload={"decision": told.decision})


def _by_hub(_: Case[CheckDetails], step: Step) -> str | None:
    return None if step.actor.system else "FOLLOWS_BY_ITSELF"


def _replace(_: Case[CheckDetails], step: Step) -> Effects:
    return Effects(due=None, payload={"decided_on_check": step.inputs["decided_on_check"]})


def _tolerable(case: Case[CheckDetails], step: Step) -> str | None:
    """R5.6: only under a valid check, for those whom the policy favours, for papers that are not core, by a day."""
    told = case.details
    if step.today > told.valid_until:
        return "CHECK_LAPSED"
    if not told.tolerance_admitted:
        return "MATTER_ADMITS_NO_TOLERANCE"
    if told.eligibility.answer != "YES":
        return "NOT_ELIGIBLE"
    if any(paper["core"] for paper in step.inputs["missing_papers"]):
        return "CORE_PAPER"
    return "DUE_DAY_PAST" if step.inputs["due_on"] <= step.today else None


def _tolerate(case: Case[CheckDetails], step: Step) -> Effects:
    return Effects(openings=(opening(case, step),), payload={"due_on": step.inputs["due_on"]})


CHECK = Machine(
    mechanism="CHECK",
    zh="事前信用审查",
    en="Credit check before a handling",
    series="QHSC",
    data_class="D38",
    details=CheckDetails,
    states=(
        State(name="ISSUED", zh="已出具", en="issued"),
        State(name="FED_BACK", zh="已反馈", en="decision fed back"),
        State(name="REPLACED", zh="已由再次审查取代", en="replaced: the decision rested on a later check"),
    ),
    initial="ISSUED",
    final=frozenset({"FED_BACK", "REPLACED"}),
    transitions=(
        Transition(
            name="feedback",
            zh="反馈办理结果",
            en="feed back the decision",
            sources=frozenset({"ISSUED"}),
            target="FED_BACK",
            capability=Capability.CHECK,
            requires=("decision", "decided_on"),
            guard=_feedback_fits,
            effect=_feed_back,
            rules=("R5.1", "R5.3", "R5.7"),
        ),
        Transition(
            name="replace",
            zh="再次审查后办结",
            en="the decision rested on a later check",
            sources=frozenset({"ISSUED"}),
            target="REPLACED",
            capability=Capability.CHECK,
            requires=("decided_on_check",),
            guard=_by_hub,
            effect=_replace,
            rules=("R5.3", "R5.7"),
        ),
        Transition(
            name="tolerate",
            zh="容缺受理",
            en="accept with papers missing",
            sources=frozenset({"ISSUED"}),
            target="ISSUED",
            capability=Capability.CHECK,
            requires=("missing_papers", "commitment", "commitment_digest", "due_on"),
            guard=_tolerable,
            effect=_tolerate,
            rules=("R5.6",),
        ),
    ),
    ruleset=lambda day: check_rules(day).id,
    rules=("R5.1", "R5.2", "R5.3", "R5.4", "R5.5", "R5.6", "R5.7"),
)
MACHINES = (CHECK,)


async def run(work: Work, given: Mapping[str, Any]) -> Made:
    """R5.1: check one subject. Raises SubjectUnknown, MatterUnknown, PurposeNotAllowed."""
    made = await _run(work, [given["subject"]])
    if not made:
        raise SubjectUnknown
    return Made(ids=(made[given["subject"]].public_id,))


async def run_batch(work: Work, given: Mapping[str, Any]) -> Made:
    """Check up to 500 subjects: a row for each code as given, in that order; what is wrong with one spoils its own row only.

    But a person's number among them refuses all (hub.serving.mutations), and no check is made of a subject whose check
    the caller would not be shown: outside its region a row says so.
    """
    codes: Sequence[str] = given["subjects"]
    if not 1 <= len(codes) <= MOST:
        raise BadUserInput(f"A batch has 1 to {MOST} subjects.", argument="subjects")
    read = [_code(code) for code in codes]
    asked = list(dict.fromkeys(code for code in read if code is not None))
    forbidden = await beyond(work, (CHECK.data_class,), asked)
    made = await _run(work, [code for code in asked if code not in forbidden])
    rows: list[dict[str, Any]] = []
    told: set[str] = set()
    for position, (said, code) in enumerate(zip(codes, read, strict=True), 1):
        row: dict[str, Any] = {"position": position, "code": said[:64]}
        if code is None:
            row["status"] = "INVALID_CODE"
        elif code in forbidden:
            # That there is such a firm is told here, too: its row is recorded as the others are.
            row |= {"status": "FORBIDDEN", "subject_id": forbidden[code]}
        elif code not in made:
            row["status"] = "UNKNOWN_SUBJECT"
        else:
            check = made[code]
            row |= {"status": "DUPLICATE" if code in told else "CHECKED", "case_public_id": check.public_id}
            row["subject_id"] = check.subject_id
            told.add(code)
        rows.append(row)
    return Made(rows=tuple(rows))


async def feedback(work: Work, given: Mapping[str, Any]) -> Made:
    """R5.3: the decision is fed back to the check that it rested on.

    R5.7: the checks of the same handling that had lapsed before are through with it: nothing can be fed back to them.
    """
    taken = await engine.apply(
        work.connection, work.machines, CHECK, given["number"], "feedback", work.step(given)
    )
    case, told = taken.case, taken.case.details
    earlier = await work.connection.fetch(
        _EARLIER, case.owner, case.subject_id, case.case_id, told.purpose, told.matter, told.case_number
    )
    step = work.step({"decided_on_check": case.number})
    step = replace(step, actor=replace(step.actor, system=True))
    for row in earlier:
        await engine.apply(work.connection, work.machines, CHECK, row["number"], "replace", step)
    return Made(ids=(case.public_id,))


async def accept_tolerantly(work: Work, given: Mapping[str, Any]) -> Made:
    """R5.6: papers may follow, promised in writing, by a day."""
    taken = await engine.apply(
        work.connection, work.machines, CHECK, given["number"], "tolerate", work.step(given)
    )
    return Made(ids=(taken.opened[0].public_id,))


def _code(said: str) -> str | None:
    try:
        return parse_uscc(said).code
    except InvalidIdentifier:
        return None


async def _run(work: Work, codes: Sequence[str]) -> dict[str, Case[CheckDetails]]:
    if work.actor.purpose not in CHECK_PURPOSES:
        raise PurposeNotAllowed(
            "A credit check is made for one of the six kinds of handling.", purposes=sorted(CHECK_PURPOSES)
        )
    matter = matter_of(work.actor.matter, work.actor.purpose, work.today)
    seen = await look(work, codes, matter.required_sources)
    if not seen:
        return {}
    deadline = due("check.feedback", work.today, work.calendar)
    new = [
        engine.NewCase(
            subject_id=one.subject_id,
            details=details_of(work, matter, one),
            region_code=one.region_code,
            due=deadline,
            payload={"matter": matter.code},
        )
        for one in seen.values()
    ]
    opened = await engine.open_cases(work.connection, CHECK, new, work.step({}))
    return dict(zip(seen, opened, strict=True))


_VERIFY = """
SELECT c.opened_at, c.subject_id, c.details->>'valid_until' AS valid_until FROM case_file c
WHERE c.mechanism = 'CHECK' AND c.number = $1 AND c.details->>'subject_code' = $2 AND c.details->>'matter' = $3
"""


async def verify(
    rows: Callable[[str, Sequence[Any]], Awaitable[list[Any]]], given: Mapping[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """R5.1: whether a number was issued for this subject and matter and was in force; nothing else is told.

    A number of another subject, matter or time is answered like one that was never issued.
    """
    found = await rows(_VERIFY, (given["number"], given["subject"], given["matter"]))
    told = {"number": given["number"], "subject": given["subject"], "matter": given["matter"], "valid": False}
    for row in found:
        until, told["subject_id"] = date.fromisoformat(row["valid_until"]), row["subject_id"]
        if row["opened_at"] <= (given.get("at") or now) < end_of(until):
            told |= {"valid": True, "checked_at": row["opened_at"], "valid_until": until}
    return [told]


COMMANDS = {
    "check.run": run,
    "check.run_batch": run_batch,
    "check.feedback": feedback,
    "tolerance.accept": accept_tolerantly,
}
READINGS = {"check_verification": verify}
