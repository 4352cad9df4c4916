"""Merchants' archives as their platforms report them (article 十一, R11.1-R11.3): market information, labelled by source.

What a platform says is shown as it was said. No rule of the hub reads it: no check, list, tier or measure depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hub.casework.given import is_blank
from hub.casework.machine import Case, ChangedFact, Effects, Machine, NewFact, State, Step, Transition
from hub.rules.archives import ArchiveRule, load_archive_rules, rule_of
from hub.rules.dated import in_force
from hub.rules.redactor import screen
from schema.governance import Capability

SOURCE = "ECOMMERCE_PLATFORM"
ARCHIVE_TYPE, SUMMARY_TYPE = "MERCHANT", "REVIEW_SUMMARY"
# Items of the catalogue of credit information.
ARCHIVE_ITEM, SUMMARY_ITEM = "PT-MERCHANT", "PT-REVIEW"
_LONGEST_TEXT = 400


@dataclass(frozen=True)
class Summary:
    """A period of which a summary was reported, and the fact that holds it."""

    period_from: date
    period_to: date
    fact: str


@dataclass(frozen=True)
class MerchantDetails:
    """A merchant's shop on a platform."""

    platform: str
    platform_name: str
    shop_id: str
    subject_code: str
    shop_name: str | None = None
    # Public id of the archive's fact, once reported.
    archive: str | None = None
    summaries: tuple[Summary, ...] = ()


def _texts_admissible(_: Case[MerchantDetails], step: Step) -> str | None:
    """What is kept is about the firm: no numbers, homes or ages of persons, whoever they are."""
    given = step.inputs
    said = [
        given["shop_name"],
        *(given.get("categories") or ()),
        *(one["kind"] for one in given.get("sanctions") or ()),
    ]
    if any(is_blank(text) or len(text.strip()) > _LONGEST_TEXT for text in said):
        return "TEXT_IMPOSSIBLE"
    return "PERSONAL_DATA_IN_TEXT" if screen("\n".join(said), step.today).findings else None


def _archivable(case: Case[MerchantDetails], step: Step) -> str | None:
    given = step.inputs
    verified, following = given["verified_on"], given.get("next_verification_on")
    if verified > step.today or (following is not None and following <= verified):
        return "VERIFICATION_DAY_IMPOSSIBLE"
    if any(one["decided_on"] > step.today for one in given.get("sanctions") or ()):
        return "SANCTION_DAY_IMPOSSIBLE"
    return _texts_admissible(case, step)


def _summarizable(_: Case[MerchantDetails], step: Step) -> str | None:
    """R11.1: aggregates only, of a period that is over, with figures that can be."""
    given = step.inputs
    begins, ends = given["period_from"], given["period_to"]
    if not begins <= ends < step.today:
        return "PERIOD_IMPOSSIBLE"
    rule = in_force(load_archive_rules().summaries, step.today)
    if rule is None or given["reviews"] < rule.fewest_reviews or (ends - begins).days + 1 < rule.fewest_days:
        return "TOO_FEW_TO_BE_AN_AGGREGATE"
    counts = [given[name] for name in ("reviews", "negative_reviews", "complaints", "resolved")]
    hours = given.get("response_hours")
    sound = (
        min(counts) >= 0
        and given["negative_reviews"] <= given["reviews"]
        and given["resolved"] <= given["complaints"]
        and 1 <= given["average"] <= 5
        and (hours is None or hours >= 0)
    )
    return None if sound else "FIGURES_IMPOSSIBLE"


def _items(*listed: tuple[str, str, object]) -> list[dict[str, str | None]]:
    return [
        {"code": code, "label": label, "value": None if value in (None, "") else str(value)}
        for code, label, value in listed
    ]


def _report(case: Case[MerchantDetails], step: Step) -> Effects:
    given, told = step.inputs, case.details
    name = given["shop_name"].strip()
    sanctions = ";".join(f"{one['decided_on']} {one['kind'].strip()}" for one in given.get("sanctions") or ())
    items = _items(
        ("shopId", "店铺编号", told.shop_id),
        ("shopName", "店铺名称", name),
        ("verifiedOn", "核验日期", given["verified_on"]),
        ("nextVerificationOn", "下次核验日期", given.get("next_verification_on")),
        ("categories", "经营类目", "、".join(one.strip() for one in given.get("categories") or ())),
        ("deposit", "保证金(元)", given.get("deposit")),
        ("sanctions", "平台处置", sanctions),
    )
    fact = _fact(case, step, ARCHIVE_TYPE, "archive", items, told.archive)
    return Effects(details={"archive": fact[0], "shop_name": name}, facts=(fact[1],))


def _summarize(case: Case[MerchantDetails], step: Step) -> Effects:
    given, told = step.inputs, case.details
    period = (given["period_from"], given["period_to"])
    items = _items(
        ("period", "统计期间", f"{period[0]}/{period[1]}"),
        ("reviews", "评价数", given["reviews"]),
        ("average", "平均分(5分制)", given["average"]),
        ("negativeReviews", "差评数", given["negative_reviews"]),
        ("complaints", "投诉数", given["complaints"]),
        ("resolved", "已解决投诉数", given["resolved"]),
        ("responseHours", "平均响应时间(小时)", given.get("response_hours")),
    )
    before = next((one for one in told.summaries if (one.period_from, one.period_to) == period), None)
    key = f"summary:{period[0]}:{period[1]}"
    fact, change = _fact(case, step, SUMMARY_TYPE, key, items, before.fact if before else None)
    kept = tuple(one for one in told.summaries if one is not before)
    return Effects(details={"summaries": (*kept, Summary(*period, fact))}, facts=(change,))


def _fact(
    case: Case[MerchantDetails],
    step: Step,
    archive_type: str,
    key: str,
    items: list[dict[str, str | None]],
    known: str | None,
) -> tuple[str, NewFact | ChangedFact]:
    """Public id and change of a fact: the same report again supersedes what was said before."""
    if known is not None:
        renewed = {"items": items, "last_updated_on": step.today, "source_updated_at": step.now}
        return known, ChangedFact("archive", known, {**renewed, "fetched_at": step.now})
    rule, told = _rule(archive_type, step.today), case.details
    record_id = f"{told.platform}:{case.number}:{key}"
    public_id = str(uuid5(NAMESPACE_URL, record_id))
    values: dict[str, Any] = {
        "public_id": public_id,
        "subject_id": case.subject_id,
        "data_class": rule.data_class,
        "archive_type": archive_type,
        "origin_class": rule.origin_class,
        "keeper_name": told.platform_name,
        "opened_on": step.today,
        "last_updated_on": step.today,
        "items": items,
        "source": SOURCE,
        "source_record_id": record_id,
        "provider_name": told.platform_name,
        "catalog_item_code": ARCHIVE_ITEM if archive_type == ARCHIVE_TYPE else SUMMARY_ITEM,
        "source_updated_at": step.now,
    }
    return public_id, NewFact("archive", values)


def _rule(archive_type: str, today: date) -> ArchiveRule:
    found = rule_of(archive_type, today)
    # archives.toml names both types; without its row nothing may be kept.
    assert found is not None, archive_type
    return found


def ruleset(_: date) -> str:
    """The rules that platforms' reports are under: those of the policy's article 十一."""
    return "PLATFORM-2019"


_WORK = Capability.MERCHANT_WORK
MERCHANT_ARCHIVE = Machine(
    mechanism="MERCHANT_ARCHIVE",
    zh="平台经营者信用档案",
    en="Archive of a merchant, kept by its platform",
    series="QHSH",
    data_class="D27",
    details=MerchantDetails,
    states=(State(name="KEPT", zh="在档", en="kept"), State(name="CLOSED", zh="已退出平台", en="left the platform")),
    initial="KEPT",
    final=frozenset({"CLOSED"}),
    transitions=(
        Transition(
            name="report", zh="报送档案", en="report the archive", sources=frozenset({"KEPT"}), target="KEPT",
            capability=_WORK, requires=("shop_name", "verified_on"), guard=_archivable, effect=_report,
            rules=("R11.1", "R11.3"),
        ),
        Transition(
            name="summarize", zh="报送评价汇总", en="report a summary of reviews", sources=frozenset({"KEPT"}),
            target="KEPT", capability=_WORK, requires=("period_from", "period_to"), guard=_summarizable,
            effect=_summarize, rules=("R11.1", "R11.3"),
        ),
        Transition(
            name="close", zh="退出平台", en="the merchant left the platform", sources=frozenset({"KEPT"}),
            target="CLOSED", capability=_WORK, requires=("reason",), rules=("R11.1",),
        ),
    ),
    ruleset=ruleset,
    rules=("R11.1", "R11.2", "R11.3"),
)  # fmt: skip
MACHINES = (MERCHANT_ARCHIVE,)
