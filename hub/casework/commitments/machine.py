"""Commitments (信用承诺, R6.1, R6.2, R6.4, R6.5): handed in, published by consent, fulfilled, over or broken.

A commitment is public while it is in force, so its row never says that it is under suspicion: suspicion, notes and
defence are a case of their own (hub.casework.commitments.inspections), of a class that the public does not see (D34).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hub.casework.delivery.channels import Channel, item_of, key_of, list_exit, publication
from hub.casework.machine import Case, Delivery, Effects, Machine, State, Step, Transition
from hub.rules.calendar import Due
from hub.rules.redactor import MINOR, screen
from schema.governance import Capability

SUBJECT = frozenset({"SUBJECT"})
# A breach may come to light after the end: what was promised was promised then.
ANSWERABLE = ("PUBLISHED", "FULFILLED", "EXPIRED", "WITHDRAWN")


@dataclass(frozen=True)
class Inspected:
    """An inspection of it whose result was published (R6.3)."""

    plan: str
    inspected_on: date
    outcome: str
    published_on: date


@dataclass(frozen=True)
class EstablishedBreach:
    """The decision that it was broken, or false from the start (R6.4)."""

    kind: str
    document_number: str
    authority: str
    decided_on: date


@dataclass(frozen=True)
class CommitmentDetails:
    """What was promised, by whom, in which words and until when (R6.1)."""

    type: str
    type_name: str
    # Kinds of the national classification (R6.5).
    national: tuple[str, ...]
    subject_code: str
    subject_name: str
    # Who signed; never published, and neither is the signature (R6.2).
    signatory: str
    template: str
    template_version: str
    title: str
    text: str
    consequence: str
    scope: str
    valid_from: date
    valid_to: date
    # SM3 of the signed file, which stays with the signatory and the handler.
    signed_digest: str
    consents_to_publication: bool
    published_on: date | None = None
    ended_on: date | None = None
    end_reason: str | None = None
    inspections: tuple[Inspected, ...] = ()
    breach: EstablishedBreach | None = None


def party_of(code: str) -> str:
    """The name under which a subject itself is a party to cases, whichever partner it asks through."""
    return f"SUBJECT:{code}"


def screened_text(told: CommitmentDetails) -> str:
    """All that would be published and was written by a person."""
    return f"{told.title}\n{told.text}\n{told.consequence}"


def personal(text: str, today: date) -> tuple[str, ...]:
    """The kinds of personal numbers and homes in a text (R6.2): they are never published, whoever consents.

    What sounds like minors may be the promise itself (不向未成年人销售烟酒); the handler looks at it and says so.
    """
    return tuple(dict.fromkeys(one.kind for one in screen(text, today).findings if one.kind != MINOR))


def _publishable(case: Case[CommitmentDetails], step: Step) -> str | None:
    told = case.details
    if not told.consents_to_publication:
        return "NO_CONSENT_TO_PUBLISH"
    if step.today > told.valid_to:
        return "VALIDITY_OVER"
    found = {one.kind for one in screen(screened_text(told), step.today).findings}
    if found - {MINOR}:
        return "PERSONAL_DATA_IN_TEXT"
    return "MINORS_NOT_CLEARED" if found and not step.inputs.get("clearance") else None


def _publish(case: Case[CommitmentDetails], step: Step) -> Effects:
    told = case.details
    document = {
        "kind": "COMMITMENT",
        "number": case.number,
        "type": told.type_name,
        "title": told.title,
        "subject_name": told.subject_name,
        "subject_code": told.subject_code,
        "text": told.text,
        "consequence": told.consequence,
        "valid_from": told.valid_from,
        "valid_to": told.valid_to,
        "signed_digest": told.signed_digest,
    }
    key = key_of(case, Channel.OWN_SITE, "publish")
    return Effects(
        details={"published_on": step.today},
        due=Due(told.valid_to, False),
        deliveries=(publication(Channel.OWN_SITE, item_of(case), document, key),),
        payload={"clearance": step.inputs.get("clearance")},
    )


def _revise(_: Case[CommitmentDetails], step: Step) -> Effects:
    return Effects(details=step.inputs["changes"])


def _exit(case: Case[CommitmentDetails], reason: str) -> tuple[Delivery, ...]:
    """It is off the portal the same day; what is over or never was shown has nothing there."""
    if case.state != "PUBLISHED":
        return ()
    key = key_of(case, Channel.OWN_SITE, "exit")
    return (list_exit(Channel.OWN_SITE, item_of(case), reason, key),)


def _left(case: Case[CommitmentDetails], today: date) -> date:
    """When it ended: one that is in force on the day after its last at the latest, whenever that is written down."""
    over = case.details.valid_to + timedelta(days=1)
    return min(today, over) if case.state == "PUBLISHED" else today


def _ending(reason: str | None, *, due: Any = None) -> Any:
    def end(case: Case[CommitmentDetails], step: Step) -> Effects:
        why = reason or str(step.inputs.get("reason") or "WITHDRAWN")
        return Effects(
            details={"ended_on": _left(case, step.today), "end_reason": why},
            due=due,
            # The reason goes to the portal as a code: a subject's own words are not screened.
            deliveries=_exit(case, reason or "WITHDRAWN"),
        )

    return end


def _over(case: Case[CommitmentDetails], step: Step) -> str | None:
    return None if step.today > case.details.valid_to else "VALIDITY_NOT_OVER"


def _by_hub(_: Case[CommitmentDetails], step: Step) -> str | None:
    """R6.4: only what an inspection has established, and published, gets here."""
    return None if step.actor.system else "FOLLOWS_FROM_AN_INSPECTION"


def _break(kind: str) -> Any:
    def broken(case: Case[CommitmentDetails], step: Step) -> Effects:
        made = EstablishedBreach(kind, step.inputs["document_number"], step.inputs["authority"], step.today)
        return Effects(
            details={
                "breach": made,
                "ended_on": case.details.ended_on or _left(case, step.today),
                "end_reason": kind,
            },
            due=None,
            deliveries=_exit(case, kind),
            payload={"finding": step.inputs["finding"], "notice": step.inputs["notice"]},
        )

    return broken


def _note(case: Case[CommitmentDetails], step: Step) -> Effects:
    given = step.inputs
    made = Inspected(given["plan"], given["inspected_on"], given["outcome"], step.today)
    return Effects(details={"inspections": (*case.details.inspections, made)})


def ruleset(_: date) -> str:
    """The rules that commitments are under: those of the policy's article 六."""
    return "SEED-2019"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_ENDED = frozenset({"FULFILLED", "EXPIRED", "BREACHED", "FALSE_COMMITMENT", "WITHDRAWN"})
_APPLY = {"capability": Capability.APPLY, "parties": SUBJECT}
_PROVEN = ("document_number", "authority", "finding", "notice")
# fmt: off
COMMITMENT = Machine(
    mechanism="COMMITMENT",
    zh="信用承诺",
    en="Commitment",
    series="QHCN",
    data_class="D33",
    details=CommitmentDetails,
    states=(
        State(name="SUBMITTED", zh="已提交", en="handed in"),
        State(name="RETURNED", zh="退回补正", en="given back"),
        State(name="PUBLISHED", zh="公示中", en="in force and shown"),
        State(name="FULFILLED", zh="已履行", en="fulfilled"),
        State(name="EXPIRED", zh="期满", en="validity over"),
        State(name="BREACHED", zh="违背承诺", en="broken"),
        State(name="FALSE_COMMITMENT", zh="虚假承诺", en="false from the start"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
    ),
    initial="SUBMITTED",
    final=_ENDED,
    transitions=(
        _t("return", "退回补正", "give back", "SUBMITTED", "RETURNED", requires=("reason",), rules=("R6.1",)),
        _t("revise", "补正后重新提交", "hand in again", "RETURNED", "SUBMITTED", **_APPLY, requires=("changes",),
           effect=_revise, rules=("R6.1",)),
        _t("revise_recorded", "补正登记", "correct what was recorded", "SUBMITTED RETURNED", "SUBMITTED",
           requires=("changes",), effect=_revise, rules=("R6.1",)),
        _t("publish", "公示", "publish on the own portal", "SUBMITTED", "PUBLISHED", guard=_publishable,
           effect=_publish, rules=("R6.2",)),
        _t("fulfil", "确认履行", "fulfilled", "PUBLISHED", "FULFILLED", requires=("document_number",),
           effect=_ending("FULFILLED", due="KEEP"), rules=("R5.5",)),
        _t("expire", "期满", "its validity is over", "PUBLISHED", "EXPIRED", guard=_over,
           effect=_ending("VALIDITY_OVER"), rules=("R6.1",)),
        _t("withdraw", "撤回", "withdraw, and with it the consent", "SUBMITTED RETURNED PUBLISHED", "WITHDRAWN",
           **_APPLY, effect=_ending(None), rules=("R6.2",)),
        _t("withdraw_recorded", "登记撤回", "record a written withdrawal", "SUBMITTED RETURNED PUBLISHED", "WITHDRAWN",
           requires=("reason", "document_number"), effect=_ending(None), rules=("R6.2",)),
        _t("note_result", "登记抽查结果", "the result of an inspection was published", "PUBLISHED", "PUBLISHED",
           requires=("plan", "inspected_on", "outcome"), guard=_by_hub, effect=_note, rules=("R6.3",)),
        _t("breach", "认定违背承诺", "established as broken", " ".join(ANSWERABLE), "BREACHED", requires=_PROVEN,
           guard=_by_hub, effect=_break("BREACHED"), rules=("R6.4",)),
        _t("falsify", "认定虚假承诺", "established as false", " ".join(ANSWERABLE), "FALSE_COMMITMENT",
           requires=_PROVEN, guard=_by_hub, effect=_break("FALSE_COMMITMENT"), rules=("R6.4",)),
    ),
    ruleset=ruleset,
    rules=("R6.1", "R6.2", "R6.4", "R6.5"),
)
# fmt: on
MACHINES = (COMMITMENT,)
AUTOMATIC = {("COMMITMENT", "PUBLISHED"): "expire"}
