"""Credit repair (信用修复, article 九, R9.2, R9.3): from the application with its evidence to the end of all use, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework.delivery.channels import Channel, key_of, list_exit, publication
from hub.casework.machine import (
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
from hub.casework.repair.assessment import Current, assess, assessed
from hub.casework.repair.details import Findings, RepairDecision, RepairDetails
from hub.rules.calendar import Calendar, Due
from hub.rules.repair import load_repair_rules
from schema.governance import Capability

RECORD, LIST_ENTRY_KIND = "RECORD", "LIST_ENTRY"
# The hub's own word for a repair, in exits and as the reason of an entry's end; see hub.harvest.repairs.
REPAIRED = "REPAIRED"
# What an application may lack while it is handled; whatever else stands in the way refuses it at once.
CURABLE = ("NOT_CORRECTED", "NOT_PERFORMED", "NO_COMMITMENT")


def late_by(limit: date, today: date, calendar: Calendar) -> int:
    """Working days after `limit`; 0: in time."""
    return max(1, calendar.between(limit, today)) if today > limit else 0


def audience(current: Current) -> tuple[Channel, ...]:
    """Where the record or entry is shown, and its end is pushed to: only between authorities what is not public.

    Persons' and minor ones are not, nor is what its source shares with authorities alone; and nothing narrower goes anywhere.
    """
    if current.data_class not in ("D6", "D7", "D8", "D10", "D11"):
        return ()
    if current.sharing == "PUBLIC" and current.data_class in ("D6", "D10"):
        return tuple(Channel)
    return (Channel.PROVINCIAL_PLATFORM,) if current.sharing in ("PUBLIC", "GOVERNMENT_SHARED") else ()


def _clock(case: Case[RepairDetails], name: str, start: date, calendar: Calendar) -> Due:
    return load_repair_rules().clock(name, start, case.details.applied_on, calendar)


def _answer_due(case: Case[RepairDetails], calendar: Calendar) -> Due:
    name = "answer" if case.details.extension_reason is None else "extended_answer"
    return _clock(case, name, case.details.applied_on, calendar)


def _counted(case: Case[RepairDetails], calendar: Calendar) -> Recount:
    told, answer = case.details, _answer_due(case, calendar)
    running = {
        "SUBMITTED": ("intake", told.pushed_on),
        "ACCEPTED": ("decision", told.applied_on),
        "UNDER_REVIEW": ("decision", told.applied_on),
        "APPROVED": ("propagation", told.decision.decided_on if told.decision else told.applied_on),
    }
    clock = running.get(case.state)
    return Recount(_clock(case, *clock, calendar) if clock else answer, {"answer_by": answer.on})


def _acceptable(case: Case[RepairDetails], step: Step) -> str | None:
    """What time alone decides: an application that came too early stays so."""
    found = assess(case.details, step.inputs["current"], step.today)
    return next(
        (one.code for one in found.blockers if one.code in ("ENDED", "MINIMUM_PERIOD", "NOT_OWN")), None
    )


def _accept(case: Case[RepairDetails], step: Step) -> Effects:
    due = _clock(case, "decision", case.details.applied_on, step.calendar)
    return Effects(due=due, details=assessed(case.details, step.inputs["current"], step.today))


def _reject(_: Case[RepairDetails], step: Step) -> Effects:
    return Effects(details={"rejection_reason": step.inputs["reason"]}, due=None)


def _supplement(case: Case[RepairDetails], step: Step) -> Effects:
    told = replace(case.details, evidence=(*case.details.evidence, *step.inputs["evidence"]))
    members = {"evidence": told.evidence, **assessed(told, step.inputs["current"], step.today)}
    return Effects(details=members, payload={"papers": len(step.inputs["evidence"])})


def _examine(case: Case[RepairDetails], step: Step) -> Effects:
    given = step.inputs
    made = Findings(
        given["corrected"], given["performed"], tuple(given.get("unmet") or ()), given["opinion"],
        step.actor.officer, step.now,
    )  # fmt: skip
    told = replace(case.details, findings=made)
    return Effects(details={"findings": made, **assessed(told, given["current"], step.today)})


def _extendable(case: Case[RepairDetails], step: Step) -> str | None:
    """What is late stays late: an extension afterwards would make it look as if it had been in time."""
    return "ANSWER_DUE_PAST" if step.today > case.details.answer_by else None


def _extend(case: Case[RepairDetails], step: Step) -> Effects:
    due = _clock(case, "extended_answer", case.details.applied_on, step.calendar)
    return Effects(details={"extension_reason": step.inputs["reason"], "answer_by": due.on}, due=due)


def _second(guard: Guard | None = None) -> Guard:
    """The decision is another officer's than the examination, and none without one."""

    def admitted(case: Case[RepairDetails], step: Step) -> str | None:
        found = case.details.findings
        if found is None:
            # What its source took back nobody can examine any more; its repair is refused all the same.
            return None if step.inputs.get("taken_back") else "NOT_EXAMINED"
        if step.actor.is_officer(found.officer):
            return "SECOND_PERSON_NEEDED"
        return guard(case, step) if guard is not None else None

    return admitted


def _approvable(case: Case[RepairDetails], step: Step) -> str | None:
    found = assess(case.details, step.inputs["current"], step.today)
    return found.blockers[0].code if found.blockers else None


def _approve(case: Case[RepairDetails], step: Step) -> Effects:
    """R9.2: publicity ends, sharing and use stop, in this transaction; measures and proceedings follow in it."""
    told, current = case.details, step.inputs["current"]
    made = RepairDecision(
        True, step.inputs["document_number"], step.inputs.get("reason"), step.actor.officer, step.today
    )
    shown = () if current.proceeding or current.published else audience(current)
    return Effects(
        details={
            "decision": made,
            "state_before": current.target.state,
            "followed": current.cases,
            **assessed(told, current, step.today),
        },
        due=_clock(case, "propagation", step.today, step.calendar),
        facts=() if current.proceeding else (_ended(case, current, step),),
        deliveries=tuple(
            list_exit(one, told.target, REPAIRED, key_of(case, one, "exit"), _about(told, current))
            for one in shown
        ),
    )


def _ended(case: Case[RepairDetails], current: Current, step: Step) -> ChangedFact:
    if case.details.target_kind == RECORD:
        marked = {
            "number": case.number,
            "document_number": step.inputs["document_number"],
            "on": str(step.today),
        }
        changes: dict[str, Any] = {"lifecycle": REPAIRED, "details": {**current.details, "repaired": marked}}
        return ChangedFact("record", current.public_id, changes)
    changes = {"state": "EXITED_REPAIRED", "exited_on": step.today, "exit_reason": REPAIRED}
    return ChangedFact("list_entry", current.public_id, changes)


def _about(told: RepairDetails, current: Current) -> dict[str, Any]:
    """What a channel knows a decision by that it did not get from a case of the hub's.

    Whose it is by the code of today: whoever applied under an old number may have got one since.
    """
    return {
        "decision_number": told.document_number,
        "decided_on": told.decided_on,
        "authority": told.authority,
        "subject_code": current.subject_code,
    }


def _refuse(_: Case[RepairDetails], step: Step) -> Effects:
    given = step.inputs
    made = RepairDecision(False, given["document_number"], given["reason"], step.actor.officer, step.today)
    return Effects(details={"decision": made}, due=None)


def _all_told(_: Case[RepairDetails], step: Step) -> str | None:
    """Only the hub says so, when the last channel has acknowledged."""
    if not step.actor.system:
        return "FOLLOWS_FROM_THE_CHANNELS"
    return None if step.inputs["unacknowledged"] == 0 else "CHANNELS_NOT_ACKNOWLEDGED"


def _effectuate(case: Case[RepairDetails], step: Step) -> Effects:
    """On the day on which the last channel followed, whenever the hub comes to look; where none had to, on that of the decision."""
    assert case.details.decision is not None
    on, followed = case.details.decision.decided_on, step.inputs["followed_at"]
    if followed is not None:
        on = max(on, followed.astimezone(SHANGHAI).date())
    late = late_by(case.due_on, on, step.calendar) if case.due_on else 0
    return Effects(
        details={"effectuated_on": on, "propagated_late": late},
        due=_answer_due(case, step.calendar),
        payload={"late_working_days": late},
    )


def _answer(case: Case[RepairDetails], step: Step) -> Effects:
    late = late_by(case.details.answer_by, step.today, step.calendar)
    return Effects(
        details={"answered_on": step.today, "answer": step.inputs["answer"], "answered_late": late},
        due=None,
        payload={"late_working_days": late},
    )


def _still_repaired(case: Case[RepairDetails], step: Step) -> str | None:
    state = step.inputs["current"].target.state
    return None if state in (REPAIRED, "EXITED_REPAIRED") else "NO_LONGER_REPAIRED"


def _revoke(case: Case[RepairDetails], step: Step) -> Effects:
    """The record or entry is what it was before; measures that were lifted are initiated anew, by a person."""
    told, current = case.details, step.inputs["current"]
    facts: tuple[ChangedFact, ...] = ()
    if told.target_kind == RECORD:
        kept = {name: value for name, value in current.details.items() if name != "repaired"}
        back = told.state_before
        if back == "UNDER_OBJECTION" and not current.under_objection:
            # The objection was decided meanwhile, and found nothing wrong.
            back = "EFFECTIVE"
        facts = (ChangedFact("record", current.public_id, {"lifecycle": back, "details": kept}),)
    elif not current.proceeding:
        changes = {"state": told.state_before, "exited_on": None, "exit_reason": None}
        facts = (ChangedFact("list_entry", current.public_id, changes),)
    alone = not current.proceeding and not current.published and told.state_before != "SUSPENDED"
    running = current.target.usable_until is None or current.target.usable_until >= step.today
    shown = audience(current) if alone and running else ()
    document = {
        "kind": told.target_kind,
        "title": told.target_title,
        "subject_name": told.subject_name,
        "publicity_to": current.target.usable_until,
        **_about(told, current),
    }
    return Effects(
        details={"revoked_on": step.today, "revocation_reason": step.inputs["reason"]},
        due=None,
        facts=facts,
        deliveries=tuple(
            publication(one, told.target, document, key_of(case, one, "publish")) for one in shown
        ),
    )


def ruleset(day: date) -> str:
    """The order that handles an application of that day (R9.2)."""
    order = load_repair_rules().order(day)
    return "NONE" if order is None else order.id


_WORK, _SECOND_PERSON = Capability.CASEWORK, Capability.REVIEW
_SUBJECT = frozenset({"SUBJECT"})
_OPEN = "SUBMITTED ACCEPTED UNDER_REVIEW EXTENDED"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", _WORK)
    more.setdefault("rules", ("R9.2",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


def _supplements() -> list[Transition]:
    """Papers may be handed in later, in each open state, by the subject or for it."""
    return [
        _t(
            f"{name}_{state.lower()}", zh, "hand in further papers", state, state, capability=capability,
            parties=parties, requires=("evidence",), effect=_supplement, rules=("R9.2", "R9.3"),
        )
        for state in _OPEN.split()
        for name, zh, capability, parties in (
            ("supplement", "补充材料", Capability.APPLY, _SUBJECT),
            ("record_supplement", "记录补充材料", _WORK, frozenset({"HANDLER"})),
        )
    ]  # fmt: skip


# fmt: off
REPAIR = Machine(
    mechanism="REPAIR",
    zh="信用修复",
    en="Credit repair",
    series="QHXF",
    data_class="D36",
    details=RepairDetails,
    states=(
        State(name="SUBMITTED", zh="已申请", en="applied for"),
        State(name="ACCEPTED", zh="已受理", en="accepted"),
        State(name="REJECTED_INTAKE", zh="不予受理", en="not accepted"),
        State(name="UNDER_REVIEW", zh="审核中", en="under review"),
        State(name="EXTENDED", zh="已延期", en="under review, extended"),
        State(name="APPROVED", zh="准予修复", en="approved: no longer shown or used here"),
        State(name="REFUSED", zh="不予修复", en="refused"),
        State(name="EFFECTUATED", zh="修复生效", en="all channels have followed"),
        State(name="FEEDBACK_SENT", zh="已反馈", en="the applicant was answered"),
        State(name="REVOKED", zh="修复已撤销", en="revoked: false materials"),
    ),
    initial="SUBMITTED",
    # An answered case leads on to a revocation only.
    final=frozenset({"REJECTED_INTAKE", "REFUSED", "FEEDBACK_SENT", "REVOKED"}),
    transitions=(
        _t("accept", "受理", "accept", "SUBMITTED", "ACCEPTED", guard=_acceptable, effect=_accept),
        _t("reject_intake", "不予受理", "do not accept", "SUBMITTED", "REJECTED_INTAKE", requires=("reason",),
           effect=_reject),
        *_supplements(),
        _t("begin_review", "开始审核", "begin the review", "ACCEPTED", "UNDER_REVIEW"),
        _t("extend", "延期", "extend a complex case", "UNDER_REVIEW", "EXTENDED", requires=("reason",),
           guard=_extendable, effect=_extend),
        _t("examine", "审核", "examine", "UNDER_REVIEW", "UNDER_REVIEW", effect=_examine,
           requires=("corrected", "performed", "opinion"), rules=("R9.2", "R9.3")),
        _t("examine_extended", "审核", "examine", "EXTENDED", "EXTENDED", effect=_examine,
           requires=("corrected", "performed", "opinion"), rules=("R9.2", "R9.3")),
        _t("approve", "准予修复", "approve", "UNDER_REVIEW EXTENDED", "APPROVED", capability=_SECOND_PERSON,
           requires=("document_number",), guard=_second(_approvable), effect=_approve, rules=("R9.1", "R9.2", "R9.3")),
        _t("refuse", "不予修复", "refuse", "UNDER_REVIEW EXTENDED", "REFUSED", capability=_SECOND_PERSON,
           requires=("document_number", "reason"), guard=_second(), effect=_refuse),
        _t("effectuate", "生效", "all channels have acknowledged", "APPROVED", "EFFECTUATED", guard=_all_told,
           effect=_effectuate, rules=("R9.2", "R8.5")),
        _t("answer", "反馈", "answer the applicant", "EFFECTUATED", "FEEDBACK_SENT", requires=("answer",),
           effect=_answer),
        _t("revoke", "撤销修复", "revoke for false materials", "EFFECTUATED FEEDBACK_SENT", "REVOKED",
           capability=_SECOND_PERSON, requires=("reason", "document_number"), guard=_still_repaired, effect=_revoke),
    ),
    ruleset=ruleset,
    rules=("R9.2", "R9.3"),
)
# fmt: on
MACHINES = (REPAIR,)
COUNTED = {("REPAIR", state): _counted for state in (*_OPEN.split(), "APPROVED", "EFFECTUATED")}
