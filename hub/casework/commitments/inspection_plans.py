"""Plans of random inspections (双随机、一公开, R6.3): frame and seed are committed to, then drawn, then all is published.

The seed is drawn from the system's randomness when the frame is fixed, and kept in `draw_seed`: a table that the
reading role, with which every answer is made, has no right to, and no coordinate of the vocabulary names. Only the
steps `draw` and `publish` read it. In the details of the plan it would be one SELECT away from whoever reads cases;
derived from a key it would be lost, or known, with that key. What nobody knows before the draw nobody can draw for.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from hub.casework import engine
from hub.casework.commitments.inspections import COMMITMENT_INSPECTION, RANDOM, InspectionDetails
from hub.casework.commitments.machine import ruleset
from hub.casework.delivery.channels import Channel, item_of, key_of, publication
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, Recount, State, Step, Transition
from hub.casework.stepping import take
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused, RulesInvalid
from hub.rules.commitments import load_commitment_rules
from hub.rules.draw import (
    SEED_BYTES,
    Draw,
    DrawInvalid,
    Frame,
    FrameObject,
    Inspector,
    commit,
    draw,
    load_draw_rules,
    parse_frame,
)
from hub.rules.redactor import screen
from hub.rules.timeliness import publish_due
from schema.governance import Capability
from schema.regions import region_prefix

_MOST_INSPECTORS = 500
_REGION = re.compile(r"(\d\d){1,3}", re.ASCII)
# Tiers (D39) are no business of the public, and the frame is public: while it is, nobody in it has one.
_UNTIERED = "N"


@dataclass(frozen=True)
class PlanInspector:
    """A certified inspector by the number of the certificate, and the firms that would be a conflict of interest."""

    id: str
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class TierRate:
    """The share of a tier that is drawn, in per cent."""

    tier: str
    percent: str


@dataclass(frozen=True)
class DrawnObject:
    """A commitment that was drawn, its place in the order of its tier, and who was sent."""

    object: str
    tier: str
    place: int
    inspectors: tuple[str, ...]


@dataclass(frozen=True)
class PlanDetails:
    """A plan, from what may be drawn to what was."""

    title: str
    # Which commitments of the handler are in the frame; None: all that are in force.
    type: str | None
    region: str | None
    inspectors: tuple[PlanInspector, ...]
    rates: tuple[TierRate, ...]
    per_object: int
    frame: str | None = None
    frame_digest: str | None = None
    frame_count: int = 0
    seed_commitment: str | None = None
    committed_at: datetime | None = None
    drawn_on: date | None = None
    drawn_count: int = 0
    seed: str | None = None
    drawn: tuple[DrawnObject, ...] = ()
    published_on: date | None = None
    # Working days after the seventh; 0: in time.
    published_late: int = 0
    abandoned_reason: str | None = None


def drawn_from(told: PlanDetails, seed: bytes) -> Draw:
    """What the committed seed draws from the committed frame. Raises DrawInvalid, GuardRefused."""
    assert told.frame is not None
    rates = {one.tier: Fraction(one.percent) / 100 for one in told.rates}
    made = draw(parse_frame(told.frame), seed, rates, told.per_object)
    if made.commitment != told.seed_commitment or made.frame_digest != told.frame_digest:
        raise GuardRefused(reason="SEED_OR_FRAME_CHANGED")
    return made


def _drawable(_: Case[PlanDetails], step: Step) -> str | None:
    frame: Frame = step.inputs["frame"]
    if not frame.objects:
        return "FRAME_EMPTY"
    # Of hundreds of inspectors and many thousand firms nearly no pair is a conflict: only those are gone through.
    barred = Counter(name for other in frame.inspectors for name in other.conflicts)
    least = len(frame.inspectors) - max(barred[one.id] for one in frame.objects)
    return "TOO_FEW_INSPECTORS" if least < step.inputs["per_object"] else None


def _commit(case: Case[PlanDetails], step: Step) -> Effects:
    frame: Frame = step.inputs["frame"]
    made = {
        "frame": frame.canonical(),
        "frame_digest": frame.digest(),
        "frame_count": len(frame.objects),
        "seed_commitment": step.inputs["seed_commitment"],
        "committed_at": step.now,
    }
    told = {"frame_digest": made["frame_digest"], "seed_commitment": made["seed_commitment"]}
    return Effects(details=made, deliveries=(_shown(case, _plan(case, made), "commit"),), payload=told)


def _plan(case: Case[PlanDetails], made: Mapping[str, Any]) -> dict[str, Any]:
    """What the portal shows of a plan before its draw."""
    return {"kind": "INSPECTION_PLAN", "number": case.number, "title": case.details.title, **made}


def _committed_before(case: Case[PlanDetails], step: Step) -> str | None:
    """In one request with the commitment nobody could have seen it before the draw."""
    at = case.details.committed_at
    return None if at is not None and at < step.now else "COMMITMENT_NOT_PUBLISHED_YET"


def _draw(_: Case[PlanDetails], step: Step) -> Effects:
    return Effects(
        details={"drawn_on": step.today, "drawn_count": step.inputs["drawn_count"]},
        due=publish_due(step.today, step.calendar),
        payload={"drawn": step.inputs["drawn_count"]},
    )


def _publish(case: Case[PlanDetails], step: Step) -> Effects:
    told = case.details
    assert told.drawn_on is not None
    limit = publish_due(told.drawn_on, step.calendar).on
    late = max(1, step.calendar.between(limit, step.today)) if step.today > limit else 0
    made = {"seed": step.inputs["seed"], "drawn": step.inputs["drawn"]}
    document = {
        "kind": "INSPECTION_DRAW",
        "number": case.number,
        "title": told.title,
        "frame": told.frame,
        "frame_digest": told.frame_digest,
        "seed_commitment": told.seed_commitment,
        "rates": told.rates,
        "per_object": told.per_object,
        **made,
    }
    return Effects(
        details={**made, "published_on": step.today, "published_late": late},
        due=None,
        deliveries=(_shown(case, document, "publish"),),
        payload={"late_working_days": late},
    )


def _shown(case: Case[Any], document: Mapping[str, Any], action: str) -> Any:
    key = key_of(case, Channel.OWN_SITE, action)
    return publication(Channel.OWN_SITE, item_of(case), document, key)


def _abandon(case: Case[PlanDetails], step: Step) -> Effects:
    """What was committed to stays where it is shown, and the reason beside it."""
    told, made = case.details, {"abandoned_reason": step.inputs["reason"]}
    names = ("frame", "frame_digest", "frame_count", "seed_commitment", "committed_at")
    document = _plan(case, {**{name: getattr(told, name) for name in names}, **made})
    shown = (_shown(case, document, "abandon"),) if told.committed_at is not None else ()
    return Effects(details=made, due=None, deliveries=shown)


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    return Transition(
        name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target,
        capability=Capability.CASEWORK, rules=("R6.3",), **more,
    )  # fmt: skip


# fmt: off
INSPECTION_PLAN = Machine(
    mechanism="INSPECTION_PLAN",
    zh="双随机抽查计划",
    en="Plan of a random inspection",
    series="QHSJ",
    data_class="D33",
    details=PlanDetails,
    states=(
        State(name="PLANNED", zh="拟定", en="planned"),
        State(name="COMMITTED", zh="已公布种子摘要", en="frame and digest of the seed published"),
        State(name="DRAWN", zh="已抽取", en="drawn, inspections under way"),
        State(name="PUBLISHED", zh="已公开", en="seed and draw published"),
        State(name="ABANDONED", zh="已终止", en="abandoned"),
    ),
    initial="PLANNED",
    final=frozenset({"PUBLISHED", "ABANDONED"}),
    transitions=(
        _t("commit", "公布种子摘要", "fix the frame and commit to a seed", "PLANNED", "COMMITTED",
           requires=("frame", "seed_commitment"), guard=_drawable, effect=_commit),
        _t("draw", "抽取", "draw", "COMMITTED", "DRAWN", requires=("drawn_count",), guard=_committed_before,
           effect=_draw),
        _t("publish", "公开种子和结果", "publish seed and draw", "DRAWN", "PUBLISHED", requires=("seed", "drawn"),
           effect=_publish),
        # What was committed to stays public with the reason: nobody draws until the lot pleases.
        _t("abandon", "终止", "abandon", "PLANNED COMMITTED", "ABANDONED", requires=("reason",), effect=_abandon),
    ),
    ruleset=ruleset,
    rules=("R6.3",),
)
# fmt: on
MACHINES = (INSPECTION_PLAN,)
COUNTED = {
    ("INSPECTION_PLAN", "DRAWN"): lambda case, calendar: Recount(publish_due(case.details.drawn_on, calendar))
}

_FRAME = """
SELECT 'c' || replace(public_id::text, '-', '') AS id, details->>'subject_code' AS code FROM case_file
WHERE mechanism = 'COMMITMENT' AND state = 'PUBLISHED' AND (details->>'valid_from')::date <= $1 AND due_on >= $1
  AND owner = $2
  AND ($3::text IS NULL OR details->>'type' = $3) AND ($4::text IS NULL OR starts_with(region_code, $4))
"""
_DRAWN = """
SELECT 'c' || replace(public_id::text, '-', '') AS id, public_id, number, subject_id, region_code FROM case_file
WHERE public_id = ANY ($1::uuid[])
"""
_SEAL = "INSERT INTO draw_seed (case_id, seed, sealed_at) VALUES ($1, $2, $3)"
_UNSEAL = "SELECT seed FROM draw_seed WHERE case_id = $1"


async def plan(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3: plan an inspection. Raises BadUserInput, GuardRefused."""
    title = said(given["title"], "title", 200)
    kind, region = given.get("commitment_type"), given.get("region")
    if region is not None and not _REGION.fullmatch(region):
        raise BadUserInput("A region is 2, 4 or 6 digits.", argument="region")
    if kind is not None and load_commitment_rules().type_on(kind, work.today) is None:
        raise GuardRefused(reason="TYPE_NOT_IN_FORCE")
    inspectors = tuple(
        PlanInspector(str(one["id"]).strip(), tuple(one.get("conflicts") or ()))
        for one in given["inspectors"]
    )
    if len(inspectors) > _MOST_INSPECTORS:
        raise BadUserInput(f"At most {_MOST_INSPECTORS} inspectors.", argument="inspectors")
    # R6.2: everything here becomes public.
    if screen("\n".join((title, *(one.id for one in inspectors))), work.today).findings:
        raise GuardRefused(reason="PERSONAL_DATA_IN_TEXT")
    try:
        own = {one["tier"]: Fraction(one["percent"]) / 100 for one in given.get("rates") or ()}
        rates = load_draw_rules().rates_on(work.today, own)
        Frame((), tuple(Inspector(one.id) for one in inspectors)).canonical()
    except (ValueError, ZeroDivisionError):
        raise BadUserInput(
            "Inspectors are ids without blanks, rates are per cent.", argument="rates"
        ) from None
    except RulesInvalid:
        raise GuardRefused(reason="RATE_OUT_OF_BOUNDS") from None
    details = PlanDetails(
        title=title,
        type=kind,
        region=_prefix(region),
        inspectors=inspectors,
        rates=tuple(TierRate(tier, str(share * 100)) for tier, share in rates.items()),
        per_object=load_draw_rules().per_object(work.today),
    )
    new = engine.NewCase(subject_id=None, details=details)
    (case,) = await engine.open_cases(work.connection, INSPECTION_PLAN, [new], work.step({}))
    return Made(ids=(case.public_id,))


def _prefix(region: str | None) -> str | None:
    """The digits that all codes in a region begin with: 630100 is meant with its districts."""
    return region_prefix(region.ljust(6, "0")) if region else None


async def commit_draw(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3: take the frame of what is in force now, draw a seed, keep it, and publish the digests of both."""
    case, _ = await engine.find(work.connection, INSPECTION_PLAN, given["number"], work.actor)
    told: PlanDetails = case.details
    # An earlier version kept the code that was asked for, with which no district's begins.
    region = _prefix(told.region)
    rows = await work.connection.fetch(_FRAME, work.today, work.actor.partner, told.type, region)
    of: dict[str, list[str]] = {}
    for row in rows:
        of.setdefault(row["code"], []).append(row["id"])
    frame = Frame(
        tuple(FrameObject(row["id"], _UNTIERED) for row in rows),
        tuple(
            Inspector(one.id, frozenset(name for code in one.conflicts for name in of.get(code, ())))
            for one in told.inspectors
        ),
    )
    seed = secrets.token_bytes(SEED_BYTES)
    more = {"frame": frame, "seed_commitment": commit(seed), "per_object": told.per_object}
    made = await take(work, INSPECTION_PLAN, "commit", {**given, **more})
    await work.connection.execute(_SEAL, case.case_id, seed, work.now)
    return made


async def draw_objects(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3: draw, and open an inspection of each commitment that was drawn."""
    case, found = await _repeated(work, given)
    made = await take(
        work, INSPECTION_PLAN, "draw", {**given, "drawn_count": len(found.drawn) if found else None}
    )
    assert found is not None
    ids = [f"{one.id[1:]}" for one in found.drawn]
    rows = {row["id"]: row for row in await work.connection.fetch(_DRAWN, ids)}
    cases = [
        engine.NewCase(
            subject_id=rows[one.id]["subject_id"],
            details=InspectionDetails(RANDOM, rows[one.id]["number"], case.number, one.inspectors),
            region_code=rows[one.id]["region_code"],
            target_public_id=str(rows[one.id]["public_id"]),
        )
        for one in found.drawn
    ]
    await engine.open_cases(work.connection, COMMITMENT_INSPECTION, cases, work.step({}))
    return made


async def publish_draw(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.3: publish the seed and what it drew; anybody can repeat it (`credithub draw verify`)."""
    case, found = await _repeated(work, given)
    more: dict[str, Any] = {"seed": None, "drawn": None}
    if found is not None:
        seed = await work.connection.fetchval(_UNSEAL, case.case_id)
        drawn = tuple(DrawnObject(one.id, one.tier, one.place, one.inspectors) for one in found.drawn)
        more = {"seed": seed.hex(), "drawn": drawn}
    return await take(work, INSPECTION_PLAN, "publish", {**given, **more})


async def _repeated(work: Work, given: Mapping[str, Any]) -> tuple[Case[Any], Draw | None]:
    """The plan, and what its seed draws; None before it has one."""
    case, _ = await engine.find(work.connection, INSPECTION_PLAN, given["number"], work.actor)
    seed = await work.connection.fetchval(_UNSEAL, case.case_id)
    if seed is None:
        return case, None
    try:
        return case, drawn_from(case.details, seed)
    except DrawInvalid:
        raise GuardRefused(reason="SEED_OR_FRAME_CHANGED") from None


async def abandon(work: Work, given: Mapping[str, Any]) -> Made:
    """Give a plan up before the draw. The reason is public."""
    if screen(given["reason"], work.today).findings:
        raise GuardRefused(reason="REASON_NOT_PUBLISHABLE")
    return await take(work, INSPECTION_PLAN, "abandon", given)


COMMANDS: dict[str, Command] = {
    "plan.open": plan,
    "plan.commit": commit_draw,
    "plan.draw": draw_objects,
    "plan.publish": publish_draw,
    "plan.abandon": abandon,
}
