"""Notifications between agencies (信用通报, article 十三): a receipt per addressee, facts for the parties (R13.1-R13.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hub.casework.machine import HANDLER, Case, Effects, Guard, Machine, Recount, State, Step, Transition
from hub.casework.work import Work
from hub.rules.calendar import Calendar, Due
from hub.rules.deadlines import due
from schema.governance import Capability

ADDRESSEE = "ADDRESSEE"
# The deadline of the answers where the sender names no day.
FEEDBACK = "notification.feedback"
# States in which a finding may be filed: authorities often decide long after the notification is closed.
FILING = ("ISSUED", "RECEIVED", "FEEDBACK", "CLOSED")


@dataclass(frozen=True)
class Evidence:
    """A file that stands behind the facts: it stays with the sender, its SM3 digest proves which one it was."""

    name: str
    digest: str


@dataclass(frozen=True)
class Receipt:
    """An addressee's word that it has the notification (R13.1)."""

    partner: str
    officer: str
    at: datetime


@dataclass(frozen=True)
class Answer:
    """What an addressee fed back; `outcome` where it was asked about a record: UPHELD or REJECTED."""

    partner: str
    officer: str
    at: datetime
    text: str
    document_number: str | None
    outcome: str | None


@dataclass(frozen=True)
class Finding:
    """A competent authority's decision that was filed as a record (R13.3); `record`: its opaque id."""

    authority: str
    document_number: str
    decided_on: date
    record: str


@dataclass(frozen=True)
class NotificationDetails:
    """A notification: from whom, to whom, about whom, what, and what came back."""

    kind: str
    sender: str
    addressees: tuple[str, ...]
    subject_code: str | None
    topic: str
    facts: str
    evidence: tuple[Evidence, ...]
    feedback_by: date
    issued_on: date | None = None
    receipts: tuple[Receipt, ...] = ()
    answers: tuple[Answer, ...] = ()
    findings: tuple[Finding, ...] = ()
    # The objection that it enquires about; never shown: its file is not the addressees' (D36).
    objection: str | None = None
    # The deadline by which `feedback_by` is counted, and from when; None: the sender named the day.
    counted_by: str | None = None
    counted_from: date | None = None


# What a mechanism that asks by notifications of a kind does when all have answered: declared by it as ANSWERED.
Answered = Callable[[Work, Case[NotificationDetails]], Awaitable[None]]


def outstanding(told: NotificationDetails) -> frozenset[str]:
    """The addressees without receipt."""
    return frozenset(told.addressees) - {one.partner for one in told.receipts}


def unanswered(told: NotificationDetails) -> frozenset[str]:
    """The addressees that have not fed back."""
    return frozenset(told.addressees) - {one.partner for one in told.answers}


def _in_time(case: Case[NotificationDetails], step: Step) -> str | None:
    """Of a day that the sender named. What is counted may be late already: an enquiry is, when its objection lay too long."""
    told = case.details
    passed = told.feedback_by < step.today and told.counted_by is None
    return "FEEDBACK_DAY_PASSED" if passed else None


def _issue(case: Case[NotificationDetails], step: Step) -> Effects:
    # R13.1: the days are the addressees', who know nothing of a draft.
    starts = step.today if case.details.counted_by == FEEDBACK else case.details.counted_from
    case = replace(case, details=replace(case.details, counted_from=starts))
    counted = _counted(case, step.calendar) or Recount(Due(case.details.feedback_by, False))
    # R13.2: from now on, and not before, the addressees are parties.
    return Effects(
        details={"issued_on": step.today, "counted_from": starts, **counted.details},
        due=counted.due,
        parties=tuple((partner, ADDRESSEE) for partner in case.details.addressees),
    )


def _counted(case: Case[NotificationDetails], calendar: Calendar) -> Recount | None:
    told = case.details
    if told.counted_by is None or told.counted_from is None:
        return None
    limit = due(told.counted_by, told.counted_from, calendar)
    return Recount(limit, {"feedback_by": limit.on})


def _receiving(last: bool) -> Guard:
    def admitted(case: Case[NotificationDetails], step: Step) -> str | None:
        left = outstanding(case.details)
        if step.actor.partner not in left:
            return "RECEIVED_ALREADY"
        return None if (len(left) == 1) is last else "RECEIPTS_OUTSTANDING"

    return admitted


def _receive(case: Case[NotificationDetails], step: Step) -> Effects:
    made = Receipt(step.actor.partner, step.actor.officer, step.now)
    return Effects(details={"receipts": (*case.details.receipts, made)})


def _answering(last: bool) -> Guard:
    def admitted(case: Case[NotificationDetails], step: Step) -> str | None:
        told, partner = case.details, step.actor.partner
        if partner in outstanding(told):
            return "NOT_RECEIVED_YET"
        left = unanswered(told)
        if partner not in left:
            return "ANSWERED_ALREADY"
        if (told.kind == "OBJECTION_ENQUIRY") is not bool(step.inputs.get("outcome")):
            return "OUTCOME_NEEDED" if told.kind == "OBJECTION_ENQUIRY" else "NOTHING_TO_DECIDE"
        return None if (len(left) == 1) is last else "ANSWERS_OUTSTANDING"

    return admitted


def _answer(case: Case[NotificationDetails], step: Step) -> Effects:
    given = step.inputs
    made = Answer(
        step.actor.partner, step.actor.officer, step.now, given["text"], given.get("document_number"),
        given.get("outcome"),
    )  # fmt: skip
    answers = (*case.details.answers, made)
    done = {one.partner for one in answers} >= set(case.details.addressees)
    return Effects(details={"answers": answers}, due=None if done else "KEEP")


def _by_sender(case: Case[NotificationDetails], step: Step) -> str | None:
    """An enquiry is withdrawn with the objection that it is for, and not by itself."""
    enquiry = case.details.kind == "OBJECTION_ENQUIRY" and not step.actor.system
    return "ENQUIRY_ENDS_WITH_ITS_OBJECTION" if enquiry else None


def _over(_: Case[NotificationDetails], __: Step) -> Effects:
    return Effects(due=None)


def _found(case: Case[NotificationDetails], step: Step) -> str | None:
    """R13.3: the finding is one of the parties', and it has been made."""
    told, given = case.details, step.inputs
    if given["authority"] not in (told.sender, *told.addressees):
        return "AUTHORITY_IS_NO_PARTY"
    if given["decided_on"] > step.today:
        return "DECISION_DAY_IMPOSSIBLE"
    decision = given["authority"], given["document_number"]
    if any((one.authority, one.document_number) == decision for one in told.findings):
        return "FILED_ALREADY"
    return "FILED_ALREADY" if given["filed_before"] else None


def _file(case: Case[NotificationDetails], step: Step) -> Effects:
    given = step.inputs
    made = Finding(given["authority"], given["document_number"], given["decided_on"], given["record"])
    return Effects(
        details={"findings": (*case.details.findings, made)},
        facts=(given["fact"],),
        payload={"record": made.record},
    )


def filing(state: str) -> str:
    """The step that files a finding in `state`."""
    return f"file_{state.lower()}"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.NOTIFY)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_ADDRESSEES = frozenset({ADDRESSEE})
# fmt: off
NOTIFICATION = Machine(
    mechanism="NOTIFICATION",
    zh="信用通报",
    en="Notification between agencies",
    series="QHTB",
    data_class="D35",
    details=NotificationDetails,
    states=(
        State(name="DRAFT", zh="起草", en="draft"),
        State(name="ISSUED", zh="已发出", en="issued"),
        State(name="RECEIVED", zh="已签收", en="received by all addressees"),
        State(name="FEEDBACK", zh="已反馈", en="fed back by all addressees"),
        State(name="CLOSED", zh="已办结", en="closed"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
    ),
    initial="DRAFT",
    final=frozenset({"CLOSED", "WITHDRAWN"}),
    transitions=(
        _t("issue", "发出", "issue to all addressees", "DRAFT", "ISSUED", guard=_in_time, effect=_issue,
           rules=("R13.1", "R13.2")),
        _t("receive", "签收", "an addressee acknowledges", "ISSUED", "ISSUED", parties=_ADDRESSEES,
           guard=_receiving(last=False), effect=_receive, rules=("R13.1",)),
        _t("receive_last", "全部签收", "the last addressee acknowledges", "ISSUED", "RECEIVED", parties=_ADDRESSEES,
           guard=_receiving(last=True), effect=_receive, rules=("R13.1",)),
        _t("answer_early", "先行反馈", "an addressee feeds back before all have acknowledged", "ISSUED", "ISSUED",
           parties=_ADDRESSEES, requires=("text",), guard=_answering(last=False), effect=_answer, rules=("R13.1",)),
        _t("answer", "反馈", "an addressee feeds back", "RECEIVED", "RECEIVED", parties=_ADDRESSEES,
           requires=("text",), guard=_answering(last=False), effect=_answer, rules=("R13.1",)),
        _t("answer_last", "全部反馈", "the last addressee feeds back", "RECEIVED", "FEEDBACK", parties=_ADDRESSEES,
           requires=("text",), guard=_answering(last=True), effect=_answer, rules=("R13.1",)),
        _t("close", "办结", "close", "FEEDBACK", "CLOSED", effect=_over, rules=("R13.1",)),
        _t("withdraw", "撤回", "withdraw", "DRAFT ISSUED RECEIVED", "WITHDRAWN", requires=("reason",),
           guard=_by_sender, effect=_over, rules=("R13.2",)),
        *(
            _t(filing(state), "依认定纳入信用记录", "file a competent authority's finding as a record", state, state,
               capability=Capability.CASEWORK, parties=frozenset({HANDLER, ADDRESSEE}),
               requires=("authority", "document_number", "decided_on"), guard=_found, effect=_file, rules=("R13.3",))
            for state in FILING
        ),
    ),
    ruleset=lambda day: "SEED-2019",
    rules=("R13.1", "R13.2", "R13.3"),
)
# fmt: on
MACHINES = (NOTIFICATION,)
COUNTED = {("NOTIFICATION", state): _counted for state in ("ISSUED", "RECEIVED")}
