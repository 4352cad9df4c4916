"""Adverse behaviours in outbound investment (商合发〔2013〕248号, article 十三): a record on the department's finding.

The subject is told and heard first; the record serves approvals and supervision (D23) and is shown to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from hub.casework import engine
from hub.casework.foreign_trade.findings import Decision, authority_of, established, filed_before, publishable
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, Recount, State, Step, Transition
from hub.casework.partners import in_force
from hub.casework.stepping import stepping, take
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work, in_its_place
from hub.errors import GuardRefused
from hub.query.ids import opaque_id
from hub.rules.deadlines import due
from hub.rules.foreign_trade import behaviour
from schema.governance import Capability

CATALOGUE_ITEM, RECORD_TYPE = "SW-DWTZ", "OUTBOUND_ADVERSE"


@dataclass(frozen=True)
class OutboundDefence:
    """What the subject said to it."""

    at: date
    by: str
    statement: str


@dataclass(frozen=True)
class OutboundFinding:
    """The department's decision; `record`: opaque id of the record that it made."""

    document_number: str
    decided_on: date
    reason: str
    record: str


@dataclass(frozen=True)
class OutboundDetails:
    """A behaviour that a firm is said to have shown abroad."""

    behaviour: str
    behaviour_name: str
    seriousness: str
    subject_code: str
    certificate_number: str | None
    country: str | None
    conducted_on: date
    facts: str
    notice_number: str
    served_on: date
    proposed_by: str
    defences: tuple[OutboundDefence, ...] = ()
    finding: OutboundFinding | None = None


def _hear(case: Case[OutboundDetails], step: Step) -> Effects:
    by = "SUBJECT" if step.actor.subject else step.actor.partner
    made = OutboundDefence(step.today, by, step.inputs["statement"])
    return Effects(details={"defences": (*case.details.defences, made)})


def _decidable(case: Case[OutboundDetails], step: Step) -> str | None:
    told = case.details
    if step.actor.is_officer(told.proposed_by):
        return "SECOND_PERSON_NEEDED"
    if case.due_on is None or step.today <= case.due_on:
        return "DEFENCE_PERIOD_RUNNING"
    if told.defences and not step.inputs.get("defence_answer"):
        return "DEFENCE_UNANSWERED"
    return "FILED_ALREADY" if step.inputs["filed_before"] else None


def _file(_: Case[OutboundDetails], step: Step) -> Effects:
    given = step.inputs
    made = OutboundFinding(given["document_number"], step.today, given["reason"], given["record"])
    return Effects(
        details={"finding": made}, due=None, facts=(given["fact"],), payload={"record": made.record}
    )


def _t(name: str, zh: str, en: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    more.setdefault("rules", ("R13.3",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset({"NOTICE_SERVED"}), target=target, **more)


# fmt: off
OUTBOUND = Machine(
    mechanism="OUTBOUND_ADVERSE",
    zh="对外投资合作不良行为",
    en="Adverse behaviour abroad",
    series="QHDW",
    data_class="D38",
    details=OutboundDetails,
    states=(
        State(name="NOTICE_SERVED", zh="已告知", en="subject told"),
        State(name="FILED", zh="已纳入信用记录", en="found and filed as a record"),
        State(name="DROPPED", zh="不予认定", en="dropped"),
    ),
    initial="NOTICE_SERVED",
    final=frozenset({"FILED", "DROPPED"}),
    transitions=(
        _t("state_defence", "陈述申辩", "the subject defends itself", "NOTICE_SERVED", capability=Capability.APPLY,
           parties=frozenset({"SUBJECT"}), requires=("statement",), effect=_hear),
        _t("record_defence", "记录申辩", "record a defence", "NOTICE_SERVED", requires=("statement",), effect=_hear),
        _t("file", "认定并纳入信用记录", "find, and file the record", "FILED", capability=Capability.REVIEW,
           requires=("document_number", "reason"), guard=_decidable, effect=_file),
        _t("drop", "不予认定", "drop", "DROPPED", requires=("reason",), effect=lambda case, step: Effects(due=None)),
    ),
    ruleset=lambda day: "OUTBOUND-248",
    rules=("R13.3",),
)
# fmt: on
MACHINES = (OUTBOUND,)
COUNTED = {
    ("OUTBOUND_ADVERSE", "NOTICE_SERVED"): lambda case, calendar: Recount(
        due("outbound.defence", case.details.served_on, calendar)
    )
}


async def propose(work: Work, given: Mapping[str, Any]) -> Made:
    """Open the case with the notice that was served; the days for defence run. Raises GuardRefused, SubjectUnknown."""
    subject = await subject_of(work, given["subject"])
    if subject["kind"] == "NATURAL_PERSON":
        raise GuardRefused(reason="NATURAL_PERSON")
    conducted, served = given["conducted_on"], given["served_on"]
    found = behaviour(given["behaviour"], conducted)
    if found is None:
        raise GuardRefused(reason="BEHAVIOUR_UNKNOWN")
    if not conducted <= served <= work.today:
        raise GuardRefused(reason="DAY_IMPOSSIBLE")
    calendar = await in_its_place(work.connection, work.calendar, subject["region_code"])
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=OutboundDetails(
            behaviour=found.code,
            behaviour_name=found.zh,
            seriousness=found.seriousness,
            subject_code=subject["uscc"],
            certificate_number=given.get("certificate_number"),
            country=given.get("country"),
            conducted_on=conducted,
            facts=said(given["facts"], "facts"),
            notice_number=said(given["notice_number"], "noticeNumber", 200),
            served_on=served,
            proposed_by=work.actor.officer,
        ),
        region_code=subject["region_code"],
        due=due("outbound.defence", served, calendar),
    )
    (case,) = await engine.open_cases(work.connection, OUTBOUND, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def file(work: Work, given: Mapping[str, Any]) -> Made:
    """R13.3: the finding, and the record of it. Raises GuardRefused."""
    case, _ = await engine.find(work.connection, OUTBOUND, given["number"], work.actor)
    told: OutboundDetails = case.details
    assert case.subject_id is not None
    reason, document = said(given["reason"], "reason"), said(given["document_number"], "documentNumber", 200)
    publishable(f"{told.facts}\n{reason}", work.today)
    partners, record = await in_force(work.connection, work.today), str(uuid4())
    authority = authority_of(partners[case.owner], work.today)
    before = await filed_before(work.connection, case.subject_id, document, authority, work.today)
    fact = established(
        Decision(
            record=record,
            subject_id=case.subject_id,
            case_number=case.number,
            authority_name=authority,
            document_number=document,
            decided_on=work.today,
            conduct_ended_on=told.conducted_on,
            filed_on=work.today,
            title=told.behaviour_name,
        ),
        record_type=RECORD_TYPE,
        data_class="D23",
        seriousness=told.seriousness,
        catalog_item_code=CATALOGUE_ITEM,
        items=[
            ("behaviour", "不良行为", f"{told.behaviour} {told.behaviour_name}"),
            ("facts", "事实", told.facts),
            ("country", "国家(地区)", told.country or ""),
            ("certificate", "境外投资证书号", told.certificate_number or ""),
            ("conducted_on", "行为日期", told.conducted_on.isoformat()),
        ],
    )
    made = {
        **given,
        "reason": reason,
        "document_number": document,
        "record": opaque_id("r", record),
        "fact": fact,
        "filed_before": before,
    }
    return await take(work, OUTBOUND, "file", made)


COMMANDS: dict[str, Command] = {
    "outbound.propose": propose,
    "outbound.file": file,
    **{f"outbound.{name}": stepping(OUTBOUND, name) for name in ("state_defence", "record_defence", "drop")},
}
