"""Publication of members' archives on 信用中国(青海) (article 十四, R14.2): only with the member's written agreement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.casework.delivery.channels import Channel, item_of, key_of, list_exit, publication
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.rules.calendar import Due
from hub.rules.redactor import screen
from schema.governance import Capability

_CHANNEL = Channel.CREDIT_QINGHAI
# Roles of the association, and of the firm itself.
ASSOCIATION, SUBJECT = "ASSOCIATION", "SUBJECT"


@dataclass(frozen=True)
class Published:
    """An item of the archive as it is published."""

    code: str
    label: str
    value: str | None


@dataclass(frozen=True)
class MemberPublicationDetails:
    """A member's archive that is to be published, and the agreement that allows it."""

    association: str
    association_name: str
    subject_code: str
    subject_name: str
    # What is published: the public part of the archive as it stood when it was proposed.
    content: tuple[Published, ...]
    # Clause of the membership contract, and SM3 digest of the signed file.
    clause: str
    agreement_digest: str
    signed_on: date
    agreed_until: date
    opinion: str | None = None
    published_on: date | None = None
    ended_reason: str | None = None


def content_text(told: MemberPublicationDetails) -> str:
    """All that the public will read."""
    listed = [f"{one.label}:{one.value}" for one in told.content if one.value is not None]
    return "\n".join((told.association_name, told.subject_name, told.clause, *listed))


def _approvable(case: Case[MemberPublicationDetails], step: Step) -> str | None:
    """R14.2: the agreement holds today, the firm is still a member, and nothing of a person is published."""
    told = case.details
    if not told.signed_on <= step.today <= told.agreed_until:
        return "NO_AGREEMENT_IN_FORCE"
    if not step.inputs.get("member"):
        return "NO_MEMBER_ANY_MORE"
    return "PERSONAL_DATA_IN_TEXT" if screen(content_text(told), step.today).findings else None


def _approve(case: Case[MemberPublicationDetails], step: Step) -> Effects:
    told = case.details
    document = {
        "kind": "MEMBER_ARCHIVE",
        "title": f"{told.association_name}会员信用档案",
        "origin_class": "MARKET_CREDIT",
        "authority": told.association_name,
        "subject_name": told.subject_name,
        "subject_code": told.subject_code,
        "text": content_text(told),
        "publicity_from": step.today,
        "publicity_to": told.agreed_until,
    }
    return Effects(
        details={"opinion": step.inputs["opinion"], "published_on": step.today},
        due=Due(told.agreed_until, False),
        deliveries=(publication(_CHANNEL, item_of(case), document, key_of(case, _CHANNEL, "publish")),),
    )


def _ended(reason: str) -> Any:
    """The effect of an end: what was shown is taken off the channel the same day."""

    def end(case: Case[MemberPublicationDetails], _: Step) -> Effects:
        shown = case.details.published_on is not None
        gone = list_exit(_CHANNEL, item_of(case), reason, key_of(case, _CHANNEL, "exit"))
        return Effects(details={"ended_reason": reason}, due=None, deliveries=(gone,) if shown else ())

    return end


# Told to the public; the reason that an officer gives stands in the event alone.
_REASONS = {ASSOCIATION: "协会撤回公示", SUBJECT: "会员撤回同意", "DEPARTMENT": "停止公示"}


def _agreement_over(case: Case[MemberPublicationDetails], step: Step) -> str | None:
    return None if step.today > case.details.agreed_until else "AGREEMENT_NOT_OVER"


def ruleset(_: date) -> str:
    """The rules that members' publications are under: those of the policy's article 十四."""
    return "MEMBERS-2019"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    return Transition(
        name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, rules=("R14.2",), **more
    )


MEMBER_PUBLICATION = Machine(
    mechanism="MEMBER_PUBLICATION",
    zh="会员信用档案公示",
    en="Publication of a member's archive",
    series="QHHY",
    data_class="D24",
    details=MemberPublicationDetails,
    states=(
        State(name="PROPOSED", zh="待审核", en="waits for the department"),
        State(name="PUBLISHED", zh="公示中", en="published"),
        State(name="DECLINED", zh="不予公示", en="declined"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
        State(name="ENDED", zh="同意期满", en="the agreement is over"),
    ),
    initial="PROPOSED",
    final=frozenset({"DECLINED", "WITHDRAWN", "ENDED"}),
    transitions=(
        _t(
            "approve", "审核公示", "approve and publish", "PROPOSED", "PUBLISHED", capability=Capability.REVIEW,
            requires=("opinion",), guard=_approvable, effect=_approve,
        ),
        _t(
            "decline", "不予公示", "decline", "PROPOSED", "DECLINED", capability=Capability.REVIEW,
            requires=("reason",), effect=_ended("不予公示"),
        ),
        _t(
            "withdraw", "协会撤回", "the association withdraws it", "PROPOSED PUBLISHED", "WITHDRAWN",
            capability=Capability.MEMBER_WORK, parties=frozenset({ASSOCIATION}), requires=("reason",),
            effect=_ended(_REASONS[ASSOCIATION]),
        ),
        _t(
            "revoke", "会员撤回同意", "the member takes its agreement back", "PROPOSED PUBLISHED", "WITHDRAWN",
            capability=Capability.APPLY, parties=frozenset({SUBJECT}), requires=("reason",),
            effect=_ended(_REASONS[SUBJECT]),
        ),
        _t(
            "stop", "停止公示", "the department stops it", "PUBLISHED", "WITHDRAWN", capability=Capability.CASEWORK,
            requires=("reason",), effect=_ended(_REASONS["DEPARTMENT"]),
        ),
        _t(
            "expire", "同意期满", "the agreement is over", "PUBLISHED", "ENDED", capability=Capability.CASEWORK,
            guard=_agreement_over, effect=_ended("会员同意期满"),
        ),
        _t(
            # By the hub alone.
            "leave", "退会", "the firm is no member any more", "PROPOSED PUBLISHED", "WITHDRAWN",
            capability=Capability.CASEWORK, parties=frozenset(), effect=_ended("已不是会员"),
        ),
    ),
    ruleset=ruleset,
    rules=("R14.2",),
)  # fmt: skip
MACHINES = (MEMBER_PUBLICATION,)
AUTOMATIC = {("MEMBER_PUBLICATION", "PUBLISHED"): "expire"}
