"""The catalogue of licences and penalties (双公示事项目录, article 四, R4.1-R4.5): versions, secrecy review, two channels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hub.casework.delivery.channels import Channel, key_of, list_exit, publication
from hub.casework.details import canonical
from hub.casework.machine import Case, Delivery, Effects, Machine, State, Step, Transition, second_person
from hub.rules.national_items import DataItem
from hub.rules.redactor import screen
from schema.governance import Capability

# R4.5: the unit's own site or the local portal, as the item says, and 信用中国(青海) always.
SITES = (Channel.OWN_SITE, Channel.GOVERNMENT_PORTAL)
# A version on its way: an item has at most one.
OPEN = ("DRAFT", "SECRECY_REVIEW", "APPROVED")


@dataclass(frozen=True)
class SecrecyReview:
    """What the second person decided, and on which content: a review holds for that content alone (R4.2)."""

    officer: str
    at: datetime
    opinion: str
    digest: str


@dataclass(frozen=True)
class AcceptedDeviation:
    """A deviation from the national standard; it blocks the review until a second person accepts it (R4.3)."""

    key: str
    kind: str
    code: str
    standard: str
    stated: str
    accepted_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Content:
    """What a version says of its item. `site`: the channel beside 信用中国(青海); `effective_from`: not before."""

    name: str
    kind: str
    legal_basis: str
    authority: str
    power_item: str | None
    responsibility_item: str | None
    site: str
    effective_from: date
    data_items: tuple[DataItem, ...]


@dataclass(frozen=True)
class CatalogDetails:
    """One version of a catalogue item."""

    code: str
    item_version: int
    content: Content
    # Edition of the national standard that the data items are compared with.
    standard: str
    deviations: tuple[AcceptedDeviation, ...]
    digest: str
    drafted_by: str
    secrecy_review: SecrecyReview | None = None
    published_at: datetime | None = None
    in_force_from: date | None = None
    effective_to: date | None = None
    ended_reason: str | None = None


def digest_of(code: str, content: Content) -> str:
    """SM3 of what a version says, in its one form."""
    return hashlib.new("sm3", canonical({"code": code, "content": content})).hexdigest()


def channels_of(content: Content) -> tuple[Channel, ...]:
    """R4.5: the two channels of an item."""
    return Channel(content.site), Channel.CREDIT_QINGHAI


def _known(case: Case[CatalogDetails], step: Step) -> str | None:
    known = {one.key for one in case.details.deviations}
    return None if step.inputs["deviation"] in known else "DEVIATION_UNKNOWN"


def _accept(case: Case[CatalogDetails], step: Step) -> Effects:
    found = tuple(
        replace(one, accepted_by=step.actor.officer, reason=step.inputs["reason"])
        if one.key == step.inputs["deviation"]
        else one
        for one in case.details.deviations
    )
    return Effects(details={"deviations": found}, payload={"deviation": step.inputs["deviation"]})


def _acceptable(case: Case[CatalogDetails], _: Step) -> str | None:
    """R4.3: no deviation is silently accepted."""
    return (
        "DEVIATIONS_NOT_ACCEPTED" if any(one.accepted_by is None for one in case.details.deviations) else None
    )


def _reviewed(case: Case[CatalogDetails], step: Step) -> Effects:
    review = SecrecyReview(step.actor.officer, step.now, step.inputs["opinion"], case.details.digest)
    return Effects(details={"secrecy_review": review}, payload={"digest": review.digest})


def _rejected(_: Case[CatalogDetails], step: Step) -> Effects:
    return Effects(details={"ended_reason": step.inputs["reason"]})


def _reopened(_: Case[CatalogDetails], __: Step) -> Effects:
    return Effects(details={"secrecy_review": None})


def _revise(_: Case[CatalogDetails], step: Step) -> Effects:
    told = step.inputs
    return Effects(
        details={
            "content": told["content"],
            "standard": told["standard"],
            "deviations": told["deviations"],
            "digest": told["digest"],
            "drafted_by": step.actor.officer,
            "secrecy_review": None,
        },
        payload={"digest": told["digest"]},
    )


def _publishable(case: Case[CatalogDetails], step: Step) -> str | None:
    """R4.2: a passed review of this very content; and not before the day on which it is to take effect."""
    review, told = case.details.secrecy_review, case.details
    if review is None or review.digest != digest_of(told.code, told.content):
        return "SECRECY_REVIEW_MISSING"
    return "EFFECTIVE_LATER" if step.today < told.content.effective_from else None


def _publish(case: Case[CatalogDetails], step: Step) -> Effects:
    told = case.details
    document = {
        "code": told.code,
        "version": told.item_version,
        "standard": told.standard,
        **_plain(told.content),
        "effective_from": step.today,
    }
    return Effects(
        # In force from the moment it is shown: what was filed before keeps the version of then (R4.4).
        details={"published_at": step.now, "in_force_from": step.today},
        deliveries=tuple(
            publication(one, _item(case), document, key_of(case, one, "publish"))
            for one in channels_of(told.content)
        ),
        payload={"version": told.item_version},
    )


def _plain(content: Content) -> dict[str, Any]:
    """What channels are told: all but the channel itself."""
    return {name: value for name, value in vars(content).items() if name != "site"}


def _supersede(case: Case[CatalogDetails], step: Step) -> Effects:
    """R4.4: a newer version has taken its place; where that one is not shown, this one goes."""
    kept = step.inputs.get("channels", ())
    return _gone(
        case, step, "SUPERSEDED", [one for one in channels_of(case.details.content) if one not in kept]
    )


def _retirable(_: Case[CatalogDetails], step: Step) -> str | None:
    """The reason goes to both channels (R7.3)."""
    return "REASON_NOT_PUBLISHABLE" if screen(step.inputs["reason"], step.today).findings else None


def _retire(case: Case[CatalogDetails], step: Step) -> Effects:
    return _gone(case, step, step.inputs["reason"], channels_of(case.details.content))


def _gone(case: Case[CatalogDetails], step: Step, why: str, channels: Any) -> Effects:
    exits: tuple[Delivery, ...] = tuple(
        list_exit(one, _item(case), why, key_of(case, one, "exit")) for one in channels
    )
    return Effects(details={"effective_to": step.today, "ended_reason": why}, deliveries=exits)


def _item(case: Case[CatalogDetails]) -> str:
    """The name under which channels know the item: the same for all its versions, so that the newest is shown."""
    return f"catalogue-{case.owner}-{case.details.code}"


def _ruleset(_: date) -> str:
    """The rules that the catalogue is under: those of the policy's article 四."""
    return "CATALOGUE-2019"


def _t(name: str, zh: str, en: str, sources: str, target: str, *rules: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    return Transition(
        name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, rules=rules, **more
    )


_SECOND = Capability.REVIEW
CATALOG_ITEM = Machine(
    mechanism="CATALOG_ITEM",
    zh="双公示事项目录",
    en="Catalogue of licences and penalties",
    series="QHML",
    data_class="D38",
    details=CatalogDetails,
    states=(
        State(name="DRAFT", zh="起草", en="draft"),
        State(name="SECRECY_REVIEW", zh="保密审查", en="secrecy review"),
        State(name="APPROVED", zh="已批准", en="approved"),
        State(name="PUBLISHED", zh="已公开", en="published"),
        State(name="SUPERSEDED", zh="已被取代或取消", en="superseded by a newer version, or retired"),
        State(name="REJECTED", zh="审查不通过", en="rejected in review"),
    ),
    initial="DRAFT",
    final=frozenset({"SUPERSEDED", "REJECTED"}),
    transitions=(
        _t("revise", "修改", "revise the draft", "DRAFT", "DRAFT", "R4.3", effect=_revise, requires=("content",)),
        _t("submit", "提交审查", "hand in for review", "DRAFT", "SECRECY_REVIEW", "R4.2"),
        _t(
            "accept", "认可偏差", "accept a deviation from the standard", "SECRECY_REVIEW", "SECRECY_REVIEW", "R4.3",
            capability=_SECOND, requires=("deviation", "reason"), guard=second_person(_known), effect=_accept,
        ),
        _t(
            "pass_secrecy", "保密审查通过", "no secret is told", "SECRECY_REVIEW", "APPROVED", "R4.2", "R4.3",
            capability=_SECOND, requires=("opinion",), guard=second_person(_acceptable), effect=_reviewed,
        ),
        _t(
            "reject", "审查不通过", "reject the version", "SECRECY_REVIEW", "REJECTED", "R4.2",
            capability=_SECOND, requires=("reason",), guard=second_person(), effect=_rejected,
        ),
        _t(
            "return", "退回修改", "give back for revision", "SECRECY_REVIEW APPROVED", "DRAFT", "R4.2",
            capability=_SECOND, requires=("reason",), effect=_reopened,
        ),
        _t(
            "publish", "公开", "publish on both channels", "APPROVED", "PUBLISHED", "R4.2", "R4.5",
            guard=_publishable, effect=_publish,
        ),
        _t("supersede", "被取代", "a newer version is published", "PUBLISHED", "SUPERSEDED", "R4.4", effect=_supersede),
        _t(
            "retire", "取消", "the item ended without a successor", "PUBLISHED", "SUPERSEDED", "R4.4",
            requires=("reason", "document_number"), guard=_retirable, effect=_retire,
        ),
    ),
    ruleset=_ruleset,
    rules=("R4.1", "R4.2", "R4.3", "R4.4", "R4.5"),
)  # fmt: skip
MACHINES = (CATALOG_ITEM,)
