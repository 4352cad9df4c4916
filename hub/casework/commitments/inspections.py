"""Inspections of commitments (R6.3, R6.4): notes, suspicion, finding, notice, defence, and what is established.

A case of its own, of class D34: units that supervise see it, its subject from the notice on, the public never.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hub.casework.commitments.machine import SUBJECT, party_of, ruleset
from hub.casework.delivery.channels import Channel, item_of, key_of, publication
from hub.casework.machine import Case, Effects, Machine, NewFact, Recount, State, Step, Transition
from hub.query.ids import opaque_id
from hub.rules.calendar import Calendar
from hub.rules.commitments import load_commitment_rules
from hub.rules.deadlines import due
from hub.rules.publicity import load_publicity_rules
from hub.rules.timeliness import publish_due
from schema.governance import Capability

# How it came about: drawn by lot, a hint from outside, a tolerant acceptance that failed (R5.6).
RANDOM, HINT, TOLERANCE = "RANDOM", "HINT", "TOLERANCE"


@dataclass(frozen=True)
class Note:
    """What an inspector saw."""

    noted_on: date
    officer: str
    text: str


@dataclass(frozen=True)
class Finding:
    """The written finding of a breach; its officer is not the one who establishes it."""

    kind: str
    document_number: str
    authority: str
    text: str
    found_on: date
    officer: str


@dataclass(frozen=True)
class BreachNotice:
    """The notice to the subject, with its right to state and defend itself."""

    document_number: str
    served_on: date
    defend_by: date


@dataclass(frozen=True)
class BreachDefence:
    """What was said against it."""

    stated_on: date
    by: str
    statement: str


@dataclass(frozen=True)
class InspectionDetails:
    """One commitment under inspection."""

    origin: str
    # Number of the commitment, or of the tolerant acceptance.
    commitment: str
    # Number of the plan that drew it.
    plan: str | None
    inspectors: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    finding: Finding | None = None
    notice: BreachNotice | None = None
    defences: tuple[BreachDefence, ...] = ()
    # COMPLIANT, BREACHED or FALSE_COMMITMENT.
    outcome: str | None = None
    concluded_on: date | None = None
    document_number: str | None = None
    defence_answer: str | None = None
    published_on: date | None = None
    # Working days after the seventh; 0: in time.
    published_late: int = 0


def of_tolerance(number: str, what: str, step: Step) -> InspectionDetails:
    """The case that a failed tolerant acceptance opens (R5.6): suspected, not established."""
    return InspectionDetails(TOLERANCE, number, None, (), (Note(step.today, step.actor.officer, what),))


def _noted(case: Case[InspectionDetails], step: Step) -> tuple[Note, ...]:
    return (*case.details.notes, Note(step.today, step.actor.officer, step.inputs["text"]))


def _note(case: Case[InspectionDetails], step: Step) -> Effects:
    return Effects(details={"notes": _noted(case, step)})


def _find(_: Case[InspectionDetails], step: Step) -> Effects:
    given = step.inputs
    made = Finding(
        given["kind"],
        given["document_number"],
        given["authority"],
        given["text"],
        step.today,
        step.actor.officer,
    )
    return Effects(details={"finding": made})


def _servable(case: Case[InspectionDetails], step: Step) -> str | None:
    assert case.details.finding is not None
    if not step.inputs.get("right_to_defend"):
        return "RIGHT_TO_DEFEND_NOT_TOLD"
    return (
        None
        if case.details.finding.found_on <= step.inputs["served_on"] <= step.today
        else "SERVICE_DAY_IMPOSSIBLE"
    )


def _notify(_: Case[InspectionDetails], step: Step) -> Effects:
    """From now on the subject sees the case; its time to defend itself begins with service."""
    served: date = step.inputs["served_on"]
    limit = due("commitment.defence", served, step.calendar)
    return Effects(
        details={"notice": BreachNotice(step.inputs["document_number"], served, limit.on)},
        due=limit,
        parties=((party_of(step.inputs["subject_code"]), "SUBJECT"),),
    )


def _defence_due(case: Case[InspectionDetails], calendar: Calendar) -> Recount:
    notice = case.details.notice
    assert notice is not None
    limit = due("commitment.defence", notice.served_on, calendar)
    return Recount(limit, {"notice": replace(notice, defend_by=limit.on)})


def _hear(case: Case[InspectionDetails], step: Step) -> Effects:
    by = "SUBJECT" if step.actor.subject else step.actor.partner
    made = BreachDefence(step.today, by, step.inputs["statement"])
    return Effects(details={"defences": (*case.details.defences, made)})


def _establishable(case: Case[InspectionDetails], step: Step) -> str | None:
    told = case.details
    assert told.finding is not None
    if step.actor.is_officer(told.finding.officer):
        return "SECOND_PERSON_NEEDED"
    if case.due_on is None or step.today <= case.due_on:
        return "DEFENCE_PERIOD_RUNNING"
    return "DEFENCE_UNANSWERED" if told.defences and not step.inputs.get("defence_answer") else None


def _establish(case: Case[InspectionDetails], step: Step) -> Effects:
    """R6.4: a record is filed. It is no penalty, and ends like every adverse record of its class."""
    finding = case.details.finding
    assert finding is not None
    row = load_commitment_rules().breach(finding.kind, step.today)
    number = step.inputs["document_number"]
    values = {
        # The record of a commitment's breach has the commitment's own id: one breach, one record.
        "public_id": case.target_public_id,
        "subject_id": case.subject_id,
        "data_class": "D33",
        "kind": "GENERIC",
        "record_type": row.record_type,
        "title": row.zh,
        "document_number": number,
        "authority_name": finding.authority,
        "decided_on": step.today,
        "usable_until": load_publicity_rules().usable_until(step.today, row.seriousness),
        "seriousness": row.seriousness,
        "lifecycle": "EFFECTIVE",
        "details": {"items": [{"code": "COMMITMENT", "label": "承诺编号", "value": case.details.commitment}]},
        "source": "COMMERCE",
        "source_record_id": case.number,
        "provider_name": finding.authority,
        "catalog_item_code": row.catalogue_item,
    }
    return Effects(
        details={
            "outcome": finding.kind,
            "concluded_on": step.today,
            "document_number": number,
            "defence_answer": step.inputs.get("defence_answer"),
            "published_on": step.today,
        },
        due=None,
        facts=(NewFact("record", values),),
        payload={"record": opaque_id("r", case.target_public_id)},
    )


def _drawn(case: Case[InspectionDetails], _: Step) -> str | None:
    return None if case.details.origin == RANDOM else "NOT_DRAWN_BY_LOT"


def _not_drawn(case: Case[InspectionDetails], _: Step) -> str | None:
    return "DRAWN_BY_LOT" if case.details.origin == RANDOM else None


def _clear(case: Case[InspectionDetails], step: Step) -> Effects:
    """一公开: the result is published by the 7th working day (R6.3, R7.1)."""
    return Effects(
        details={"notes": _noted(case, step), "outcome": "COMPLIANT", "concluded_on": step.today},
        due=publish_due(step.today, step.calendar),
    )


def _dismiss(case: Case[InspectionDetails], step: Step) -> Effects:
    """What was suspected on a hint and did not hold is told to nobody else."""
    return Effects(
        details={"notes": _noted(case, step), "outcome": "COMPLIANT", "concluded_on": step.today}, due=None
    )


def _overtake(case: Case[InspectionDetails], step: Step) -> Effects:
    """The record of the breach tells it already: nobody is told that nothing was found."""
    made = {"notes": _noted(case, step), "outcome": step.inputs["established"], "concluded_on": step.today}
    return Effects(details=made, due=None)


def _publish(case: Case[InspectionDetails], step: Step) -> Effects:
    told = case.details
    assert told.concluded_on is not None
    limit = publish_due(told.concluded_on, step.calendar).on
    late = max(1, step.calendar.between(limit, step.today)) if step.today > limit else 0
    document = {
        "kind": "INSPECTION_RESULT",
        "plan": told.plan,
        "commitment": told.commitment,
        "subject_code": step.inputs["subject_code"],
        "subject_name": step.inputs["subject_name"],
        "inspected_on": told.concluded_on,
        "outcome": told.outcome,
    }
    key = key_of(case, Channel.OWN_SITE, "publish")
    return Effects(
        details={"published_on": step.today, "published_late": late},
        due=None,
        deliveries=(publication(Channel.OWN_SITE, item_of(case), document, key),),
        payload={"late_working_days": late},
    )


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more = {"capability": Capability.CASEWORK, "rules": ("R6.4",), **more}
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_OPEN = "ASSIGNED BREACH_SUSPECTED FOUND NOTIFIED"
# fmt: off
COMMITMENT_INSPECTION = Machine(
    mechanism="COMMITMENT_INSPECTION",
    zh="承诺抽查",
    en="Inspection of a commitment",
    series="QHCC",
    data_class="D34",
    details=InspectionDetails,
    states=(
        State(name="ASSIGNED", zh="待检查", en="to be inspected"),
        State(name="BREACH_SUSPECTED", zh="涉嫌违背承诺", en="breach suspected"),
        State(name="FOUND", zh="已书面认定", en="found in writing"),
        State(name="NOTIFIED", zh="已告知", en="notice served, defence possible"),
        State(name="ESTABLISHED", zh="违背承诺成立", en="breach established"),
        State(name="CLEARED", zh="未发现问题", en="nothing found, to be published"),
        State(name="PUBLISHED", zh="结果已公开", en="result published"),
        State(name="DISMISSED", zh="线索不成立", en="the hint did not hold"),
        State(name="OVERTAKEN", zh="另案已认定", en="the breach was established in another inspection"),
    ),
    initial="ASSIGNED",
    final=frozenset({"ESTABLISHED", "PUBLISHED", "DISMISSED", "OVERTAKEN"}),
    transitions=(
        _t("note", "检查记录", "note what was seen", "ASSIGNED BREACH_SUSPECTED", "BREACH_SUSPECTED",
           requires=("text",), effect=_note),
        _t("find", "书面认定", "find in writing", "BREACH_SUSPECTED", "FOUND",
           requires=("kind", "document_number", "authority", "text"), effect=_find),
        _t("notify", "告知", "serve the notice", "FOUND", "NOTIFIED",
           requires=("document_number", "served_on", "subject_code"), guard=_servable, effect=_notify),
        _t("state_defence", "陈述申辩", "the subject defends itself", "NOTIFIED", "NOTIFIED",
           capability=Capability.APPLY, parties=SUBJECT, requires=("statement",), effect=_hear),
        _t("record_defence", "记录申辩", "record a defence", "NOTIFIED", "NOTIFIED", requires=("statement",),
           effect=_hear),
        _t("establish", "认定成立", "establish, after defence", "NOTIFIED", "ESTABLISHED",
           capability=Capability.REVIEW, requires=("document_number",), guard=_establishable, effect=_establish),
        _t("clear", "未发现问题", "nothing found", _OPEN, "CLEARED", requires=("text",), guard=_drawn, effect=_clear,
           rules=("R6.3",)),
        _t("dismiss", "线索不成立", "the hint did not hold", _OPEN, "DISMISSED", requires=("text",), guard=_not_drawn,
           effect=_dismiss),
        _t("overtake", "另案已认定", "the breach was established in another inspection", _OPEN, "OVERTAKEN",
           requires=("text", "established"), effect=_overtake, rules=("R6.3", "R6.4")),
        _t("publish", "公开结果", "publish the result", "CLEARED", "PUBLISHED",
           requires=("subject_code", "subject_name"), effect=_publish, rules=("R6.3", "R7.1")),
    ),
    ruleset=ruleset,
    rules=("R6.3", "R6.4"),
)
# fmt: on
MACHINES = (COMMITMENT_INSPECTION,)
COUNTED = {
    ("COMMITMENT_INSPECTION", "NOTIFIED"): _defence_due,
    ("COMMITMENT_INSPECTION", "CLEARED"): lambda case, calendar: Recount(
        publish_due(case.details.concluded_on, calendar)
    ),
}
