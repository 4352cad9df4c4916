"""Places on lists (红黑名单, article 八): proposal, notice, objection period, recognition, publication, exit (R8.1-R8.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hub.casework.delivery.channels import Channel, key_of, list_exit, publication, withdrawal
from hub.casework.listings.details import (
    ConflictDetails,
    Defence,
    ListingDetails,
    Notice,
    Recognition,
    standing,
)
from hub.casework.machine import (
    Case,
    ChangedFact,
    Delivery,
    Effects,
    Guard,
    Machine,
    NewFact,
    Opening,
    Recount,
    State,
    Step,
    Transition,
)
from hub.query.ids import opaque_id
from hub.rules.calendar import Calendar, Due
from hub.rules.dated import in_force
from hub.rules.deadlines import due
from hub.rules.listing import load_list_rules
from hub.rules.redactor import screen
from hub.rules.repair import load_repair_rules
from schema.governance import Capability


def _by_people(guard: Guard) -> Guard:
    """R8.2: nothing but a proposal comes from data; each further step is an officer's."""

    def admitted(case: Case[ListingDetails], step: Step) -> str | None:
        if step.actor.system:
            return "AUTOMATIC_LISTING_IMPOSSIBLE"
        # R8.1: nor does a proposal outlast its list: what has been ended, or lost its basis, takes nobody on any more.
        lists = (case.details.definition, step.inputs["as_defined"])
        refused = (standing(one, step.today) for one in lists)
        return next((code for code in refused if code is not None), None) or guard(case, step)

    return admitted


def _told(_: Case[ListingDetails], step: Step) -> str | None:
    return None if step.inputs.get("right_to_defend") else "RIGHT_TO_DEFEND_NOT_TOLD"


def _tell(_: Case[ListingDetails], step: Step) -> Effects:
    given = step.inputs
    notice = Notice(
        given["document_number"],
        given["facts"],
        given["reasons"],
        given["basis"],
        given["measures"],
        made_on=step.today,
    )
    return Effects(details={"notice": notice})


def _served(case: Case[ListingDetails], step: Step) -> str | None:
    """A day dated back to before the notice was made out would leave no time for a defence."""
    assert case.details.notice is not None
    first = case.details.notice.made_on or date.min
    return None if first <= step.inputs["served_on"] <= step.today else "SERVICE_DAY_IMPOSSIBLE"


def _serve(case: Case[ListingDetails], step: Step) -> Effects:
    """The period for defence begins with service; a red list's public notice lasts longer."""
    served: date = step.inputs["served_on"]
    assert case.details.notice is not None
    told = replace(case.details, notice=replace(case.details.notice, served_on=served))
    return Effects(details={"notice": told.notice}, due=_defence_due(told, step.calendar))


def _defence_due(told: ListingDetails, calendar: Calendar) -> Due:
    assert told.notice is not None
    assert told.notice.served_on is not None
    name = "list.red_notice" if told.definition.color == "RED" else "list.defence"
    return due(name, told.notice.served_on, calendar)


def _publish_due(case: Case[ListingDetails], calendar: Calendar) -> Recount:
    assert case.details.recognition is not None
    limit = due("list.publish", case.details.recognition.recognized_on, calendar)
    return Recount(limit, {"publish_by": limit.on})


def _hear(case: Case[ListingDetails], step: Step) -> Effects:
    by = "SUBJECT" if step.actor.subject else step.actor.partner
    defence = Defence(step.today, by, step.inputs["statement"])
    return Effects(details={"defences": (*case.details.defences, defence)})


def _recognizable(case: Case[ListingDetails], step: Step) -> str | None:
    told = case.details
    if case.due_on is None or step.today <= case.due_on:
        return "OBJECTION_PERIOD_RUNNING"
    if told.defences and not step.inputs.get("defence_answer"):
        return "DEFENCE_UNANSWERED"
    if told.definition.color == "RED":
        return next(iter(step.inputs.get("blockers") or ()), None)
    together = load_list_rules().goes_with_repair_notice(told.definition.color, step.today)
    return "REPAIR_NOTICE_MISSING" if together and not step.inputs.get("repair_notice_number") else None


def _recognize(case: Case[ListingDetails], step: Step) -> Effects:
    told, given = case.details, step.inputs
    made = Recognition(
        given["document_number"], step.today, given.get("repair_notice_number"), given.get("defence_answer")
    )
    ends = load_list_rules().ends_on(told.definition.color, told.definition.max_months, step.today)
    limit = due("list.publish", step.today, step.calendar)
    values = {
        "public_id": told.entry,
        "subject_id": case.subject_id,
        "data_class": _entry_class(told),
        "list_code": told.definition.code,
        "color": told.definition.color,
        "state": "RECOGNIZED",
        "cause": told.cause,
        "decision_number": made.document_number,
        "recognized_on": step.today,
        "earliest_repair_on": given.get("earliest_repair_on"),
        "publicity_ends_on": ends,
        "source": "COMMERCE",
        "source_record_id": case.number,
        "provider_name": told.definition.recognizer,
        "catalog_item_code": told.definition.code,
        # A watch list is no publication, nor is a list of persons.
        "sharing_attribute": "PUBLIC" if _entry_class(told) in ("D10", "D13") else "GOVERNMENT_SHARED",
    }
    return Effects(
        details={
            "recognition": made,
            "earliest_repair_on": given.get("earliest_repair_on"),
            "publicity_ends_on": ends,
            "publish_by": limit.on,
        },
        due=limit,
        facts=(NewFact("list_entry", values),),
    )


def _entry_class(told: ListingDetails) -> str:
    if told.definition.color == "RED":
        return "D13"
    if told.definition.color == "WATCH":
        return "D12"
    return "D11" if told.natural_person else "D10"


def _audience(told: ListingDetails) -> tuple[Channel, ...]:
    """R8.5: where the entry is shown; watch lists nowhere, persons only between authorities."""
    classes = {"D10": tuple(Channel), "D13": tuple(Channel), "D11": (Channel.PROVINCIAL_PLATFORM,)}
    return classes.get(_entry_class(told), ())


def _publish(case: Case[ListingDetails], step: Step) -> Effects:
    told = case.details
    assert told.publish_by is not None
    # On a rest day after the limit no working day has passed, and it is late all the same.
    limit = told.publish_by
    late = max(1, step.calendar.between(limit, step.today)) if step.today > limit else 0
    if told.published_on:
        late = told.published_late
    published = told.published_on or step.today
    openings = tuple(
        Opening("LIST_CONFLICT", case.subject_id, ConflictDetails(red, black))
        for red, black in step.inputs.get("conflicts") or ()
    )
    return Effects(
        details={
            "published_on": published,
            "published_late": late,
            "exited_on": None,
            "exit_reason": None,
        },
        due=Due(told.publicity_ends_on, False) if told.publicity_ends_on else None,
        deliveries=_shown(case),
        facts=(
            ChangedFact(
                "list_entry",
                told.entry,
                {
                    "state": "PUBLISHED",
                    "publicity_from": published,
                    "exited_on": None,
                    "exit_reason": None,
                },
            ),
        ),
        openings=openings,
        payload={"late_working_days": late},
    )


def _shown(case: Case[ListingDetails]) -> tuple[Delivery, ...]:
    told = case.details
    assert told.recognition is not None
    document = {
        "kind": "LIST_ENTRY",
        "list": told.definition.name,
        "color": told.definition.color,
        "recognizer": told.definition.recognizer,
        "legal_basis": told.definition.legal_basis,
        "subject_name": told.subject_name,
        "subject_code": told.subject_code,
        "cause": told.cause,
        "decision_number": told.recognition.document_number,
        "recognized_on": told.recognition.recognized_on,
        "publicity_ends_on": told.publicity_ends_on,
        "earliest_repair_on": told.earliest_repair_on,
    }
    return tuple(
        publication(one, opaque_id("l", told.entry), document, key_of(case, one, "publish"))
        for one in _audience(told)
    )


# Told to the channels in place of the reason: that may name a person, or a record that is not public (R8.3). The reason of
# an annulment alone is the public's (R7.4).
_TOLD = {"SUSPENDED": "SUSPENDED", "EXITED_DISQUALIFIED": "DISQUALIFIED"}


def leaving(state: str, reason: str | None = None, *, over: bool = True) -> Any:
    """The effect of leaving the list: no longer in force from now on, pushed to every channel (R8.5).

    `state` of the entry; `reason` where the step gives none; `over`: not only for a while.
    """

    def leave(case: Case[ListingDetails], step: Step) -> Effects:
        told = case.details
        why = reason or str(step.inputs["reason"])
        item, public = opaque_id("l", told.entry), _TOLD.get(state, why)
        annulled = state == "EXITED_REVOKED" and reason is None
        shown = _audience(told) if told.published_on else ()
        deliveries = tuple(
            # R7.4: what was annulled is withdrawn with its reason; 信用中国(青海) hears of every exit the same day.
            withdrawal(one, item, public, key_of(case, one, "withdraw"))
            if annulled and one is not Channel.CREDIT_QINGHAI
            else list_exit(one, item, public, key_of(case, one, "exit"))
            for one in shown
        )
        left = step.today
        if state == "EXITED_EXPIRED" and told.publicity_ends_on is not None:
            # With its last day, whenever that is written down.
            left = min(left, told.publicity_ends_on + timedelta(days=1))
        changes = {"state": state, "exit_reason": why} | ({"exited_on": left} if over else {})
        return Effects(
            details={"exit_reason": why, "exited_on": left if over else None},
            due=None if over else "KEEP",
            deliveries=deliveries,
            facts=(ChangedFact("list_entry", told.entry, changes),),
        )

    return leave


def _period_over(case: Case[ListingDetails], step: Step) -> str | None:
    ends = case.details.publicity_ends_on
    return None if ends is not None and step.today > ends else "PUBLICITY_NOT_OVER"


def _sayable(case: Case[ListingDetails], step: Step) -> str | None:
    """R7.4: why it was annulled is told where it was shown, so it is screened as what was shown (R7.3)."""
    found = _audience(case.details) and screen(step.inputs["reason"], step.today).findings
    return "REASON_NOT_PUBLISHABLE" if found else None


def _running(case: Case[ListingDetails], step: Step) -> str | None:
    """R7.5: after its last day a place is not published, whatever kept it from being so before."""
    return "PUBLICITY_OVER" if _period_over(case, step) is None else None


def _lapse(case: Case[ListingDetails], step: Step) -> Effects:
    """A repair that was revoked counts for nothing: the place was left when its period ended, and nothing shows it since."""
    ends = case.details.publicity_ends_on
    assert ends is not None
    left = {"exited_on": ends + timedelta(days=1), "exit_reason": "EXPIRED"}
    fact = ChangedFact("list_entry", case.details.entry, {"state": "EXITED_EXPIRED", **left})
    return Effects(details=left, due=None, facts=(fact,))


def _restore_recognized(case: Case[ListingDetails], step: Step) -> Effects:
    """R8.2: what nobody published is not published by the revocation of its repair either."""
    left, counted = {"exited_on": None, "exit_reason": None}, _publish_due(case, step.calendar)
    fact = ChangedFact("list_entry", case.details.entry, {"state": "RECOGNIZED", **left})
    return Effects(details={**left, **counted.details}, due=counted.due, facts=(fact,))


def _only(*colors: str) -> Guard:
    def fits(case: Case[ListingDetails], _: Step) -> str | None:
        return None if case.details.definition.color in colors else "NOT_FOR_THIS_COLOR"

    return fits


def ruleset(day: date) -> str:
    """The rules of lists that a case comes under (5.1)."""
    method = in_force(load_repair_rules().list_methods, day)
    return "NONE" if method is None else method.id


_WORK, _SECOND = Capability.CASEWORK, Capability.REVIEW
_SUBJECT = frozenset({"SUBJECT"})


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", _WORK)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


LIST_ENTRY = Machine(
    mechanism="LIST_ENTRY",
    zh="名单认定",
    en="Place on a list",
    series="QHMD",
    data_class="D38",
    details=ListingDetails,
    states=(
        State(name="PROPOSED", zh="拟列入", en="proposed"),
        State(name="NOTICE_SERVED", zh="已告知", en="notice made out"),
        State(name="OBJECTION_PERIOD", zh="陈述申辩期", en="period for defence"),
        State(name="RECOGNIZED", zh="已认定", en="recognized"),
        State(name="PUBLISHED", zh="已公布", en="in force"),
        State(name="SUSPENDED", zh="中止", en="suspended"),
        State(name="EXITED_EXPIRED", zh="届满退出", en="left: period over"),
        State(name="EXITED_REPAIRED", zh="修复退出", en="left: repaired"),
        State(name="EXITED_REVOKED", zh="撤销退出", en="left: annulled or given up"),
        State(name="EXITED_DISQUALIFIED", zh="取消资格", en="left: disqualified"),
        State(name="NOT_RECOGNIZED", zh="不予认定", en="not recognized"),
    ),
    initial="PROPOSED",
    # EXITED_REPAIRED is no end: a repair by false papers is revoked, and the entry comes back.
    final=frozenset({"EXITED_EXPIRED", "EXITED_REVOKED", "EXITED_DISQUALIFIED", "NOT_RECOGNIZED"}),
    transitions=(
        _t(
            "notify", "告知", "make out the notice", "PROPOSED", "NOTICE_SERVED",
            requires=("document_number", "facts", "reasons", "basis", "measures"),
            guard=_by_people(_told), effect=_tell, rules=("R8.1", "R8.2"),
        ),
        _t(
            "serve", "送达", "the notice was served", "NOTICE_SERVED", "OBJECTION_PERIOD",
            requires=("served_on",), guard=_by_people(_served), effect=_serve, rules=("R8.2",),
        ),
        _t(
            "state_defence", "陈述申辩", "the subject defends itself", "OBJECTION_PERIOD", "OBJECTION_PERIOD",
            capability=Capability.APPLY, parties=_SUBJECT, requires=("statement",), effect=_hear, rules=("R8.2",),
        ),
        _t(
            "record_defence", "记录申辩", "record a defence or an objection", "OBJECTION_PERIOD", "OBJECTION_PERIOD",
            requires=("statement",), effect=_hear, rules=("R8.2",),
        ),
        _t(
            "decline", "不予认定", "do not recognize", "PROPOSED NOTICE_SERVED OBJECTION_PERIOD", "NOT_RECOGNIZED",
            requires=("reason",), effect=lambda case, step: Effects(due=None), rules=("R8.2",),
        ),
        _t(
            "recognize", "认定", "recognize", "OBJECTION_PERIOD", "RECOGNIZED", capability=_SECOND,
            requires=("document_number",), guard=_by_people(_recognizable), effect=_recognize,
            rules=("R8.1", "R8.2", "R8.3"),
        ),
        _t(
            "publish", "公布", "publish", "RECOGNIZED", "PUBLISHED",
            guard=_by_people(_running), effect=_publish, rules=("R8.2", "R8.4", "R8.5"),
        ),
        _t(
            "suspend", "中止", "suspend", "PUBLISHED", "SUSPENDED", requires=("reason",),
            effect=leaving("SUSPENDED", over=False), rules=("R8.3", "R8.5"),
        ),
        _t(
            "reinstate", "恢复", "put in force again", "SUSPENDED", "PUBLISHED", requires=("reason",),
            guard=_by_people(_running), effect=_publish, rules=("R8.2", "R8.3"),
        ),
        _t(
            "expire", "届满", "the period is over", "PUBLISHED SUSPENDED", "EXITED_EXPIRED",
            guard=_period_over, effect=leaving("EXITED_EXPIRED", "EXPIRED"), rules=("R8.5",),
        ),
        _t(
            "repair", "修复退出", "repaired", "RECOGNIZED PUBLISHED SUSPENDED", "EXITED_REPAIRED",
            requires=("document_number",), guard=_only("BLACK", "WATCH"),
            effect=leaving("EXITED_REPAIRED", "REPAIRED"), rules=("R8.5", "R9.2"),
        ),
        _t(
            "restore", "恢复公布", "the repair was revoked", "EXITED_REPAIRED", "PUBLISHED",
            requires=("reason", "document_number"), guard=_running, effect=_publish, rules=("R7.5", "R9.2"),
        ),
        _t(
            "restore_recognized", "恢复认定", "the repair of what was not published yet was revoked",
            "EXITED_REPAIRED", "RECOGNIZED", requires=("reason", "document_number"), guard=_running,
            effect=_restore_recognized, rules=("R8.2", "R9.2"),
        ),
        _t(
            "lapse", "修复撤销时已届满", "the repair was revoked after the period", "EXITED_REPAIRED", "EXITED_EXPIRED",
            requires=("reason", "document_number"), guard=_period_over, effect=_lapse, rules=("R7.5", "R9.2"),
        ),
        _t(
            "revoke", "撤销", "annul the decision", "RECOGNIZED PUBLISHED SUSPENDED", "EXITED_REVOKED",
            capability=_SECOND, requires=("reason", "document_number"), guard=_sayable,
            effect=leaving("EXITED_REVOKED"), rules=("R8.5", "R7.4", "R7.3"),
        ),
        _t(
            "disqualify", "取消资格", "disqualify, after suspension and notice", "SUSPENDED", "EXITED_DISQUALIFIED",
            requires=("reason", "document_number"), guard=_only("RED"),
            effect=leaving("EXITED_DISQUALIFIED"), rules=("R8.3", "R8.5"),
        ),
        _t(
            "give_up", "主动退出", "the subject gives its place up", "PUBLISHED SUSPENDED", "EXITED_REVOKED",
            capability=Capability.APPLY, parties=_SUBJECT, guard=_only("RED"),
            effect=leaving("EXITED_REVOKED", "GIVEN_UP"), rules=("R8.5",),
        ),
    ),
    ruleset=ruleset,
    rules=("R8.1", "R8.2", "R8.3", "R8.4", "R8.5"),
)  # fmt: skip

LIST_CONFLICT = Machine(
    mechanism="LIST_CONFLICT",
    zh="红名单与严重失信主体名单冲突",
    en="On a red and a black list at once",
    series="QHCT",
    data_class="D38",
    details=ConflictDetails,
    states=(State(name="OPEN", zh="待处理", en="open"), State(name="RESOLVED", zh="已处理", en="resolved")),
    initial="OPEN",
    final=frozenset({"RESOLVED"}),
    transitions=(
        _t(
            "resolve",
            "处理",
            "decide",
            "OPEN",
            "RESOLVED",
            requires=("reason", "document_number"),
            rules=("R8.4",),
        ),
    ),
    ruleset=ruleset,
    rules=("R8.4",),
)
MACHINES = (LIST_ENTRY, LIST_CONFLICT)
COUNTED = {
    ("LIST_ENTRY", "OBJECTION_PERIOD"): lambda case, calendar: Recount(_defence_due(case.details, calendar)),
    ("LIST_ENTRY", "RECOGNIZED"): _publish_due,
}
AUTOMATIC = {("LIST_ENTRY", "PUBLISHED"): "expire", ("LIST_ENTRY", "SUSPENDED"): "expire"}
