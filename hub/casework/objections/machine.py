"""Objections (异议处理, 5.10): a record is said to be wrong; it is marked at once, looked into, and corrected or left as it is.

Not a repair: a repaired record was right. While an objection runs every partner that sees the record sees the mark,
and what depends on it is INDETERMINATE.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hub.casework.delivery.channels import Channel, key_of, withdrawal
from hub.casework.machine import (
    HANDLER,
    Case,
    ChangedFact,
    Effects,
    Guard,
    Machine,
    Recount,
    State,
    Step,
    Transition,
)
from hub.rules.calendar import Calendar, Due
from hub.rules.deadlines import due
from hub.rules.objections import ruleset
from schema.governance import Capability

RECORD, LIST_ENTRY = "RECORD", "LIST_ENTRY"
TABLES = {RECORD: "record", LIST_ENTRY: "list_entry"}
# States in which the mark stands.
RUNNING = ("MARKED", "FORWARDED", "ANSWERED")


@dataclass(frozen=True)
class ObjectionEvidence:
    """A paper that was handed in; it stays in the paper file, its SM3 digest proves which one it was."""

    name: str
    digest: str


@dataclass(frozen=True)
class ProviderAnswer:
    """What the provider of the record found: UPHELD or REJECTED."""

    provider: str
    outcome: str
    text: str
    document_number: str | None
    answered_on: date


@dataclass(frozen=True)
class ObjectionDecision:
    """What the department told the subject. `late`: working days after the limit; `corrected`: the record in its place."""

    outcome: str
    remedy: str | None
    reason: str
    document_number: str
    decided_at: datetime
    late: int
    corrected: str | None


@dataclass(frozen=True)
class ObjectionDetails:
    """An objection to one record or list entry."""

    target: str
    target_kind: str
    data_class: str
    source: str
    # The partner that answers for the source; None: its agency has not joined the hub and is asked by letter.
    provider: str | None
    subject_code: str | None
    ground: str
    statement: str
    evidence: tuple[ObjectionEvidence, ...]
    # SUBJECT or DEPARTMENT: who entered it here.
    entered_by: str
    agent: str | None
    authorization_digest: str | None
    answer_by: date
    forward_by: date | None
    marked_at: datetime | None = None
    forwarded_on: date | None = None
    # Working days after the limit; 0: in time.
    forwarded_late: int = 0
    enquiry: str | None = None
    provider_answer: ProviderAnswer | None = None
    decision: ObjectionDecision | None = None
    # Whom the correction was told to: the partners that were told of the record before.
    notified: tuple[str, ...] = ()


def own(case: Case[ObjectionDetails]) -> bool:
    """Whether the handler answers for the source itself."""
    return case.details.provider == case.owner


def _by_hub(_: Case[ObjectionDetails], step: Step) -> str | None:
    return None if step.actor.system else "FOLLOWS_BY_ITSELF"


def _late(limit: date | None, step: Step) -> int:
    return max(1, step.calendar.between(limit, step.today)) if limit and step.today > limit else 0


def _markable(case: Case[ObjectionDetails], step: Step) -> str | None:
    if not step.actor.system:
        return "FOLLOWS_BY_ITSELF"
    if step.inputs["marked"]:
        return "UNDER_OBJECTION_ALREADY"
    return None if step.inputs["in_force"] else "NOT_IN_FORCE"


def _mark(case: Case[ObjectionDetails], step: Step) -> Effects:
    told = case.details
    changes: dict[str, Any] = {"under_objection": True}
    if told.target_kind == RECORD:
        changes["lifecycle"] = "UNDER_OBJECTION"
    first = told.forward_by if told.forward_by is not None else told.answer_by
    return Effects(
        details={"marked_at": step.now},
        due=Due(first, step.inputs["provisional"]),
        facts=(_changed(case, changes),),
    )


def _changed(case: Case[ObjectionDetails], changes: dict[str, Any]) -> ChangedFact:
    assert case.target_public_id is not None
    return ChangedFact(TABLES[case.details.target_kind], case.target_public_id, changes)


def _unmark(case: Case[ObjectionDetails], step: Step) -> tuple[ChangedFact, ...]:
    """Take the mark away, and nothing else: what became of the record meanwhile stays."""
    if step.inputs["gone"]:
        return ()
    changes: dict[str, Any] = {"under_objection": False}
    if case.details.target_kind == RECORD and step.inputs["lifecycle"] == "UNDER_OBJECTION":
        changes["lifecycle"] = "EFFECTIVE"
    return (_changed(case, changes),)


def _forwardable(case: Case[ObjectionDetails], step: Step) -> str | None:
    if own(case):
        return "OWN_RECORD"
    return None if step.inputs["connected"] else "PROVIDER_NOT_CONNECTED"


def _forward(case: Case[ObjectionDetails], step: Step) -> Effects:
    told = case.details
    return Effects(
        details={
            "forwarded_on": step.today,
            "forwarded_late": _late(told.forward_by, step),
            "enquiry": step.inputs["enquiry"],
        },
        due=_answer_due(case, step),
    )


def _answer_due(case: Case[ObjectionDetails], step: Step) -> Due:
    found = due("objection.answer", case.opened_at.date(), step.calendar)
    return Due(case.details.answer_by, found.provisional)


def _counted(case: Case[ObjectionDetails], calendar: Calendar) -> Recount:
    start = case.opened_at.date()
    answer = due("objection.answer", start, calendar)
    if case.state != "MARKED" or case.details.forward_by is None:
        return Recount(answer, {"answer_by": answer.on})
    # Once it is forwarded, whether that was late is told and stays.
    forward = due("objection.forward", start, calendar)
    return Recount(forward, {"answer_by": answer.on, "forward_by": forward.on})


def _by_letter(case: Case[ObjectionDetails], step: Step) -> str | None:
    if own(case):
        return "OWN_RECORD"
    return "PROVIDER_ANSWERS_ITSELF" if step.inputs["connected"] else None


def _note_answer(case: Case[ObjectionDetails], step: Step) -> Effects:
    given = step.inputs
    made = ProviderAnswer(
        given["provider"], given["outcome"], given["text"], given.get("document_number"), step.today
    )
    late = {} if case.details.forwarded_on else {"forwarded_late": _late(case.details.forward_by, step)}
    return Effects(details={"provider_answer": made, **late}, due=_answer_due(case, step))


def _decidable(outcome: str) -> Guard:
    """Who provided a record decides on it (谁提供、谁负责): the department decides on its own, else as it was answered."""

    def admitted(case: Case[ObjectionDetails], step: Step) -> str | None:
        answer = case.details.provider_answer
        if answer is None:
            if not own(case):
                return "PROVIDER_HAS_NOT_ANSWERED"
        elif answer.outcome != outcome:
            return "PROVIDER_FOUND_OTHERWISE"
        return step.inputs.get("impossible") if outcome == "UPHELD" else None

    return admitted


def _decision(case: Case[ObjectionDetails], step: Step, outcome: str) -> ObjectionDecision:
    given = step.inputs
    return ObjectionDecision(
        outcome, given.get("remedy"), given["reason"], given["document_number"], step.now,
        _late(case.details.answer_by, step), given.get("corrected"),
    )  # fmt: skip


def _uphold(case: Case[ObjectionDetails], step: Step) -> Effects:
    """The record ends as REVOKED or CORRECTED, for every partner from now on; a corrected one of our own takes its place."""
    given = step.inputs
    ended = () if given["gone"] else (_changed(case, {"under_objection": False, **given["changes"]}),)
    return Effects(
        details={"decision": _decision(case, step, "UPHELD")},
        due=None,
        facts=(*ended, *given["facts"]),
        # R7.4: a record that the hub itself shows since its repair was revoked.
        deliveries=tuple(
            withdrawal(one, case.details.target, given["reason"], key_of(case, one, "withdraw"))
            for one in map(Channel, given["shown_again"])
        ),
        payload={"remedy": given["remedy"]},
    )


def _reject(case: Case[ObjectionDetails], step: Step) -> Effects:
    return Effects(
        details={"decision": _decision(case, step, "REJECTED")}, due=None, facts=_unmark(case, step)
    )


def _withdraw(case: Case[ObjectionDetails], step: Step) -> Effects:
    return Effects(due=None, facts=_unmark(case, step))


def _told(_: Case[ObjectionDetails], step: Step) -> Effects:
    return Effects(details={"notified": step.inputs["notified"]})


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    # The policy has no article on objections (5.10 stands on the province's regulation); what it has is their effect.
    more.setdefault("rules", ("R5.4",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_RUNNING = " ".join(RUNNING)
# fmt: off
OBJECTION = Machine(
    mechanism="OBJECTION",
    zh="异议处理",
    en="Objection",
    series="QHYY",
    data_class="D36",
    details=ObjectionDetails,
    states=(
        State(name="SUBMITTED", zh="已提出", en="submitted"),
        State(name="MARKED", zh="已标注", en="record marked"),
        State(name="FORWARDED", zh="已转办", en="forwarded to the provider"),
        State(name="ANSWERED", zh="提供单位已答复", en="answered by the provider"),
        State(name="UPHELD", zh="异议成立", en="upheld; recipients to be told"),
        State(name="NOTIFIED", zh="已更正并通知", en="corrected, recipients told"),
        State(name="REJECTED", zh="异议不成立", en="rejected"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
    ),
    initial="SUBMITTED",
    final=frozenset({"NOTIFIED", "REJECTED", "WITHDRAWN"}),
    transitions=(
        _t("mark", "标注", "mark the record, with the submission", "SUBMITTED", "MARKED", guard=_markable, effect=_mark),
        _t("forward", "转办", "forward to the provider", "MARKED", "FORWARDED",
           guard=_forwardable, effect=_forward),
        _t("provider_answered", "提供单位答复", "the provider answered", "FORWARDED", "ANSWERED", guard=_by_hub,
           effect=_note_answer),
        _t("record_answer", "记录答复", "record the answer of an agency that is no partner", "MARKED FORWARDED", "ANSWERED",
           requires=("provider", "outcome", "text", "document_number"), guard=_by_letter, effect=_note_answer),
        _t("uphold", "异议成立", "uphold", "MARKED ANSWERED", "UPHELD", capability=Capability.REVIEW,
           requires=("remedy", "reason", "document_number"), guard=_decidable("UPHELD"), effect=_uphold,
           rules=("R5.4", "R7.4", "R8.5")),
        _t("reject", "异议不成立", "reject", "MARKED ANSWERED", "REJECTED", capability=Capability.REVIEW,
           requires=("reason", "document_number"), guard=_decidable("REJECTED"), effect=_reject),
        _t("withdraw", "撤回", "the subject withdraws it", _RUNNING, "WITHDRAWN", capability=Capability.APPLY,
           parties=frozenset({"SUBJECT"}), effect=_withdraw),
        _t("record_withdrawal", "记录撤回", "record that it was withdrawn", _RUNNING, "WITHDRAWN",
           parties=frozenset({HANDLER}), requires=("reason",), effect=_withdraw),
        _t("tell", "通知接收方", "the recipients were told", "UPHELD", "NOTIFIED", guard=_by_hub, effect=_told),
    ),
    ruleset=ruleset,
    rules=("R5.4", "R7.4", "R8.5"),
)
# fmt: on
MACHINES = (OBJECTION,)
COUNTED = {("OBJECTION", state): _counted for state in RUNNING}


def hub_step(step: Step) -> Step:
    """The same step, taken by the hub itself: what follows by itself from an officer's or a subject's."""
    return replace(step, actor=replace(step.actor, system=True))
