"""Publicity of credit information (信用公示, article 七, R7.1-R7.6): reviews, the seven working days, channels, withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hub.casework.delivery.channels import Channel, item_of, key_of, list_exit, publication, withdrawal
from hub.casework.machine import (
    Case,
    ChangedFact,
    Delivery,
    Effects,
    Machine,
    Recount,
    State,
    Step,
    Transition,
    second_person,
)
from hub.casework.publicity.details import (
    Excepted,
    OwnRecord,
    Period,
    PublicityDetails,
    Review,
    Withdrawal,
    all_text,
    screened,
)
from hub.rules.calendar import Calendar, Due
from hub.rules.publicity import load_publicity_rules
from hub.rules.redactor import screen
from hub.rules.repair import load_repair_rules
from hub.rules.repair_case import Target
from hub.rules.timeliness import (
    had_to_be_published,
    load_timeliness_rules,
    publish_due,
    withdraw_due,
)
from schema.governance import Capability

# States in which the seven working days run: reviews do not stop them (R7.2).
BEFORE = ("DRAFT", "SECRECY_REVIEW", "CONTENT_REVIEW", "APPROVED")
# States in which it is published, or will be again.
SHOWN = ("PUBLISHED", "SUSPENDED")
# R7.4, 5.4: what the record of a withdrawn decision becomes. Every ground is about the decision, not about the words that
# were published of it: one that was changed ends as CORRECTED, and as it is now it comes with its source's next delivery;
# the others end it for good. One found unlawful may keep some effect between the parties; shown or used it is no more.
BECOMES = {"CHANGED": "CORRECTED", "REVOKED": "REVOKED", "UNLAWFUL": "REVOKED", "VOID": "REVOKED"}


def _cleared(case: Case[PublicityDetails], step: Step) -> str | None:
    """R7.3: nothing is published while the redactor's findings are not cleared; who was no minor may be one no more."""
    told = case.details
    _, now = screened(all_text(told.title, told.decision_number, told.text), step.today)
    cleared = {one.key for one in told.findings if one.cleared_by is not None}
    return "FINDINGS_NOT_CLEARED" if any(one.key not in cleared for one in now) else None


def _over(case: Case[PublicityDetails], step: Step) -> str | None:
    """R7.5: after its last day nothing is shown, however late it comes to be published or shown again."""
    return "PUBLICITY_OVER" if is_over(case.details, step.today) else None


def _showable(case: Case[PublicityDetails], step: Step) -> str | None:
    return _over(case, step) or _cleared(case, step)


def _approvable(case: Case[PublicityDetails], step: Step) -> str | None:
    if case.details.proposed_exceptions and not step.inputs.get("despite"):
        return "EXCEPTION_PROPOSED"
    return _cleared(case, step)


def _reviewed(member: str) -> Any:
    def note(_: Case[PublicityDetails], step: Step) -> Effects:
        opinion = " ".join(filter(None, (step.inputs["opinion"], step.inputs.get("despite"))))
        return Effects(details={member: Review(step.actor.officer, step.now, opinion)})

    return note


def _clearable(case: Case[PublicityDetails], step: Step) -> str | None:
    known = {one.key for one in case.details.findings}
    return None if step.inputs["finding"] in known else "FINDING_UNKNOWN"


def _clear(case: Case[PublicityDetails], step: Step) -> Effects:
    findings = tuple(
        replace(one, cleared_by=step.actor.officer, clearance=step.inputs["reason"])
        if one.key == step.inputs["finding"]
        else one
        for one in case.details.findings
    )
    return Effects(details={"findings": findings}, payload={"finding": step.inputs["finding"]})


def _revise(_: Case[PublicityDetails], step: Step) -> Effects:
    digest, findings = step.inputs["digest"], step.inputs["findings"]
    return Effects(
        details={
            "title": step.inputs["title"],
            "text": step.inputs["text"],
            "text_digest": digest,
            "findings": findings,
            "drafted_by": step.actor.officer,
            **step.inputs["told_anew"],
        },
        payload={"digest": digest},
    )


def _reopen(_: Case[PublicityDetails], __: Step) -> Effects:
    return Effects(details={"secrecy_review": None, "content_review": None})


# Grounds that only a penalty has.
_OF_PENALTIES = frozenset({"NATURAL_PERSON", "SIMPLE_PROCEDURE", "WARNING_ONLY"})


def _exceptable(case: Case[PublicityDetails], step: Step) -> str | None:
    told, ground = case.details, step.inputs["ground"]
    row = load_timeliness_rules().exception(ground, step.today)
    if row is None:
        return "NO_SUCH_GROUND"
    # R7.3: what no fact of the case can bear out is no decision with a basis. How it was penalised may be wrong in the draft.
    foreign = ground in _OF_PENALTIES and told.kind != "PENALTY"
    firm = ground == "NATURAL_PERSON" and row.by_default and ground not in told.proposed_exceptions
    return "GROUND_DOES_NOT_FIT" if foreign or firm else None


def _except(_: Case[PublicityDetails], step: Step) -> Effects:
    given = step.inputs
    made = Excepted(given["ground"], given["basis"], given["document_number"], step.today)
    return Effects(details={"exception": made}, due=None, payload={"ground": made.ground})


def _publish(case: Case[PublicityDetails], step: Step) -> Effects:
    told = case.details
    limit = publish_due(told.decided_on, step.calendar).on if had_to_be_published(told.decided_on) else None
    late = max(1, step.calendar.between(limit, step.today)) if limit is not None and step.today > limit else 0
    period = period_of(told, step.today)
    ends = period.latest_end
    return Effects(
        details={"published_on": step.today, "published_late": late, "period": period},
        due=Due(ends, False) if ends else None,
        deliveries=_shown(case, replace(told, period=period)),
        payload={"late_working_days": late, "publish_by": limit},
    )


def _suspend(case: Case[PublicityDetails], step: Step) -> Effects:
    """5.4: while a stay or a court's ruling holds, no partner reads the record either, and nothing counts it.

    Of adverse records alone: a licence holds whether it is shown or not. The hub's own step, after a revoked repair, is
    given no records: theirs are suspended still.
    """
    # Why is its unit's alone: the channels need not know, and nobody has screened it.
    ends: Effects = _ending("SUSPENDED", over=False)(case, step)
    records = [one for one in _given(step) if one.adverse and one.lifecycle != "SUSPENDED"]
    return replace(
        ends,
        details={
            **ends.details,
            "suspended": tuple(one.public_id for one in records) or case.details.suspended,
        },
        facts=tuple(_changed(one, "SUSPENDED") for one in records),
    )


def _resume(case: Case[PublicityDetails], step: Step) -> Effects:
    """What was suspended with it is in force again, unless it has ended meanwhile."""
    back = [
        one
        for one in _given(step)
        if one.public_id in case.details.suspended and one.lifecycle == "SUSPENDED"
    ]
    return Effects(
        details={"suspended": ()},
        deliveries=_shown(case, case.details),
        facts=tuple(_changed(one, "UNDER_OBJECTION" if one.under_objection else "EFFECTIVE") for one in back),
    )


def _given(step: Step) -> tuple[OwnRecord, ...]:
    """The records of the decision; none where another mechanism that takes the step has changed them itself."""
    records: tuple[OwnRecord, ...] = step.inputs.get("records", ())
    return records


def _changed(record: OwnRecord, lifecycle: str) -> ChangedFact:
    return ChangedFact("record", record.public_id, {"lifecycle": lifecycle})


def _by_repair(_: Case[PublicityDetails], step: Step) -> str | None:
    return None if step.actor.system else "FOLLOWS_FROM_THE_REPAIR"


def _restorable(case: Case[PublicityDetails], step: Step) -> str | None:
    return _by_repair(case, step) or _over(case, step)


def _restore(case: Case[PublicityDetails], _: Step) -> Effects:
    ends = case.details.period.latest_end if case.details.period else None
    return Effects(
        details={"ended_reason": None},
        due=Due(ends, False) if ends else None,
        deliveries=_shown(case, case.details),
    )


def period_of(told: PublicityDetails, begins: date) -> Period:
    """R7.5: the days of publicity, by the rules on repair where it is adverse; else as long as it is valid."""
    if told.seriousness == "NOT_ADVERSE":
        return Period(begins, None, told.valid_to, None)
    decision = Target(decided_on=told.decided_on, seriousness=told.seriousness)
    found = load_repair_rules().period(decision, begins, load_publicity_rules())
    return Period(begins, found.earliest_end, found.latest_end, found.ruleset)


def is_over(told: PublicityDetails, today: date) -> bool:
    """Whether its last day has passed (R7.5), also of what was never shown."""
    ends = (told.period or period_of(told, today)).latest_end
    return ends is not None and today > ends


def _shown(case: Case[PublicityDetails], told: PublicityDetails) -> tuple[Delivery, ...]:
    assert told.period is not None
    document = {
        "kind": told.kind,
        "title": told.title,
        "decision_number": told.decision_number,
        "decided_on": told.decided_on,
        "authority": told.authority,
        "subject_name": told.subject_name,
        "subject_code": told.subject_code,
        "text": told.text,
        "publicity_from": told.period.begins,
        "publicity_to": told.period.latest_end,
    }
    return tuple(publication(one, item_of(case), document, key_of(case, one, "publish")) for one in Channel)


def _ending(reason: str, *, over: bool = True) -> Any:
    """The effect of no longer being shown: pushed to every channel."""

    def end(case: Case[PublicityDetails], _: Step) -> Effects:
        return Effects(
            details={"ended_reason": reason if over else None},
            due=None if over else "KEEP",
            deliveries=tuple(
                list_exit(one, item_of(case), reason, key_of(case, one, "exit")) for one in Channel
            ),
        )

    return end


def _sayable(case: Case[PublicityDetails], step: Step) -> str | None:
    """The reason is told to the public, so it is screened as well (R7.3, R7.4)."""
    told = case.details
    if told.published_on is None and not step.actor.system and step.actor.is_officer(told.drafted_by):
        # As with an exception (R7.3): nobody alone keeps a decision from being shown.
        return "SECOND_PERSON_NEEDED"
    if not told.decided_on <= step.inputs["ended_on"] <= step.today:
        return "DAY_IMPOSSIBLE"
    return "REASON_NOT_PUBLISHABLE" if screen(step.inputs["reason"], step.today).findings else None


def _withdraw(case: Case[PublicityDetails], step: Step) -> Effects:
    """What was shown is taken down with its reason; what was not, is not shown any more, and nobody is told of it."""
    given, decided = step.inputs, case.details.decided_on
    shown = case.details.published_on is not None
    limit = withdraw_due(given["ended_on"], step.calendar).on
    late = max(1, step.calendar.between(limit, step.today)) if shown and step.today > limit else 0
    # R7.1: of a decision that ended within its seven working days no publication is missing, though it was on its way.
    due_by = publish_due(decided, step.calendar).on if had_to_be_published(decided) else None
    no_longer_due = not given["on_both_sites"] and (due_by is None or given["ended_on"] <= due_by)
    made = Withdrawal(given["ground"], given["ended_on"], given["reason"], limit, late)
    life, records = BECOMES[given["ground"]], _given(step)
    return Effects(
        details={
            "withdrawal": made,
            "ended_reason": given["reason"],
            "suspended": (),
            "revoked": tuple(one.public_id for one in records) if life == "REVOKED" else (),
        },
        due=None,
        deliveries=tuple(
            withdrawal(one, item_of(case), given["reason"], key_of(case, one, "withdraw"))
            for one in Channel
            if shown
        ),
        facts=tuple(_changed(one, life) for one in records),
        payload={
            "late_working_days": late,
            "withdraw_by": limit,
            "no_longer_due": no_longer_due,
            "publish_by": None if shown or no_longer_due else due_by,
        },
    )


def _period_over(case: Case[PublicityDetails], step: Step) -> str | None:
    return None if is_over(case.details, step.today) else "PUBLICITY_NOT_OVER"


def _lapsable(case: Case[PublicityDetails], step: Step) -> str | None:
    return _by_repair(case, step) or _period_over(case, step)


def _counted(case: Case[PublicityDetails], calendar: Calendar) -> Recount:
    return Recount(publish_due(case.details.decided_on, calendar))


def ruleset(_: date) -> str:
    """The rules that publicity is under: those of the policy's article 七."""
    return "PUBLICITY-2019"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_SECOND = Capability.REVIEW
PUBLICITY = Machine(
    mechanism="PUBLICITY",
    zh="信用公示",
    en="Publicity of credit information",
    series="QHGS",
    data_class="D38",
    details=PublicityDetails,
    states=(
        State(name="DRAFT", zh="起草", en="draft"),
        State(name="SECRECY_REVIEW", zh="保密审查", en="secrecy review"),
        State(name="CONTENT_REVIEW", zh="内容审核", en="content review"),
        State(name="APPROVED", zh="已批准", en="approved"),
        State(name="PUBLISHED", zh="公示中", en="shown"),
        State(name="SUSPENDED", zh="暂停公示", en="suspended"),
        State(name="ENDED_PERIOD", zh="期满终止", en="ended: period over"),
        State(name="ENDED_REPAIR", zh="修复终止", en="ended: repaired"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
        State(name="EXCEPTED", zh="不予公开", en="not published: recorded exception"),
    ),
    initial="DRAFT",
    # ENDED_REPAIR is no end: a repair by false materials is revoked, and it is shown again.
    final=frozenset({"ENDED_PERIOD", "WITHDRAWN", "EXCEPTED"}),
    transitions=(
        _t(
            "revise", "修改", "revise the draft", "DRAFT", "DRAFT", requires=("title", "text"),
            effect=_revise, rules=("R7.3",),
        ),
        _t("submit", "提交审查", "hand in for review", "DRAFT", "SECRECY_REVIEW", rules=("R7.2",)),
        _t(
            "pass_secrecy", "保密审查通过", "no secret is told", "SECRECY_REVIEW", "CONTENT_REVIEW",
            capability=_SECOND, requires=("opinion",), guard=second_person(), effect=_reviewed("secrecy_review"),
            rules=("R7.2", "R7.3"),
        ),
        _t(
            "clear", "排除提示", "clear a finding of the redactor", "CONTENT_REVIEW", "CONTENT_REVIEW",
            capability=_SECOND, requires=("finding", "reason"), guard=second_person(_clearable), effect=_clear,
            rules=("R7.3",),
        ),
        _t(
            "approve", "内容审核通过", "approve the content", "CONTENT_REVIEW", "APPROVED",
            capability=_SECOND, requires=("opinion",), guard=second_person(_approvable),
            effect=_reviewed("content_review"), rules=("R7.2", "R7.3"),
        ),
        _t(
            "return", "退回修改", "give back for revision", "SECRECY_REVIEW CONTENT_REVIEW APPROVED", "DRAFT",
            capability=_SECOND, requires=("reason",), effect=_reopen, rules=("R7.2",),
        ),
        _t(
            "except", "不予公开", "decide not to publish", " ".join(BEFORE), "EXCEPTED", capability=_SECOND,
            requires=("ground", "basis", "document_number"), guard=second_person(_exceptable), effect=_except,
            rules=("R7.3",),
        ),
        _t(
            "publish", "公示", "publish on all channels", "APPROVED", "PUBLISHED", guard=_showable,
            effect=_publish, rules=("R7.1", "R7.5", "R7.6"),
        ),
        _t(
            "suspend", "暂停", "stop showing it for a while", "PUBLISHED", "SUSPENDED", requires=("reason",),
            effect=_suspend, rules=("R7.5",),
        ),
        _t("resume", "恢复", "show it again", "SUSPENDED", "PUBLISHED", guard=_showable, effect=_resume, rules=("R7.5",)),
        _t(
            "end_period", "期满", "the period is over", "PUBLISHED SUSPENDED", "ENDED_PERIOD",
            guard=_period_over, effect=_ending("PERIOD_OVER"), rules=("R7.5",),
        ),
        _t(
            # By the clock alone. It was shown nowhere, so nothing is pushed; the figures still tell that it was not published.
            "drop_period", "期满未公示", "the period is over before it was shown", " ".join(BEFORE), "ENDED_PERIOD",
            parties=frozenset(), guard=_period_over,
            effect=lambda case, step: Effects(details={"ended_reason": "PERIOD_OVER"}, due=None), rules=("R7.5",),
        ),
        _t(
            "end_repair", "修复", "repaired", "PUBLISHED SUSPENDED", "ENDED_REPAIR",
            requires=("document_number",), effect=_ending("REPAIRED"), rules=("R7.5", "R9.2"),
        ),
        _t(
            "drop_repair", "修复后不再公示", "repaired before it was shown", " ".join(BEFORE), "ENDED_REPAIR",
            requires=("document_number",), guard=_by_repair,
            effect=lambda case, step: Effects(details={"ended_reason": "REPAIRED"}, due=None), rules=("R9.2",),
        ),
        _t(
            "restore", "恢复公示", "the repair was revoked", "ENDED_REPAIR", "PUBLISHED",
            requires=("reason", "document_number"), guard=_restorable, effect=_restore, rules=("R7.5", "R9.2"),
        ),
        _t(
            # It is shown nowhere since the repair, so nothing is pushed.
            "lapse", "修复撤销时已期满", "the repair was revoked after the period", "ENDED_REPAIR", "ENDED_PERIOD",
            requires=("reason", "document_number"), guard=_lapsable,
            effect=lambda case, step: Effects(details={"ended_reason": "PERIOD_OVER"}, due=None),
            rules=("R7.5", "R9.2"),
        ),
        _t(
            "withdraw", "撤回", "withdraw and say why", " ".join((*BEFORE, "PUBLISHED", "SUSPENDED")), "WITHDRAWN",
            requires=("ground", "ended_on", "reason", "document_number"), guard=_sayable, effect=_withdraw,
            rules=("R7.4",),
        ),
    ),
    ruleset=ruleset,
    rules=("R7.1", "R7.2", "R7.3", "R7.4", "R7.5", "R7.6"),
)  # fmt: skip
MACHINES = (PUBLICITY,)
COUNTED = {("PUBLICITY", state): _counted for state in BEFORE}
AUTOMATIC = {("PUBLICITY", "PUBLISHED"): "end_period", ("PUBLICITY", "SUSPENDED"): "end_period"}
