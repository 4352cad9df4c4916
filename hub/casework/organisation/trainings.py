"""The training log (培训, article 十七): what was taught, when, by whom, and which firms attended with which certificate.

D43: the departments' own work, like the quarterly report. Who had to be trained tells who had something to repair, so
the firms are for the departments of the region, the one that they report to, and auditors. A certificate's number is
what a firm hands in as evidence of the kind TRAINING when it applies for repair (R9.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.casework import engine
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.partners import in_force
from hub.casework.reports.machine import RECIPIENT
from hub.casework.reports.reporters import recipients
from hub.casework.stepping import stepping, take
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput
from schema.governance import Capability

ARTICLE = ("第十七条",)
MOST, MOST_CHARACTERS, MOST_HOURS = 500, 2000, 200


@dataclass(frozen=True)
class Attendance:
    """A firm that was trained, for so many hours; `certificate` is the evidence of it."""

    subject_code: str
    subject_name: str
    attendee: str
    hours: int
    certificate: str


@dataclass(frozen=True)
class TrainingDetails:
    """A training. `officers`: how many of the departments' own people were there."""

    topic: str
    organiser: str
    place: str
    held_on: date
    hours: int
    officers: int
    attendances: tuple[Attendance, ...] = ()
    # How many were recorded by mistake and struck: their certificates' numbers are not given again.
    struck: int = 0


def _attendable(case: Case[TrainingDetails], step: Step) -> str | None:
    told, given = case.details, step.inputs
    if step.today < told.held_on:
        return "NOT_HELD_YET"
    if not 1 <= given["hours"] <= told.hours:
        return "HOURS_IMPOSSIBLE"
    if any(one.subject_code == given["subject"] for one in told.attendances):
        return "RECORDED_ALREADY"
    return "TOO_MANY" if len(told.attendances) >= MOST else None


def _attend(case: Case[TrainingDetails], step: Step) -> Effects:
    told, given = case.details, step.inputs
    certificate = f"{case.number}/{len(told.attendances) + told.struck + 1:03}"
    made = Attendance(given["subject"], given["name"], given["attendee"], given["hours"], certificate)
    return Effects(details={"attendances": (*told.attendances, made)}, payload={"certificate": certificate})


def _strikable(case: Case[TrainingDetails], step: Step) -> str | None:
    known = {one.certificate for one in case.details.attendances}
    return None if step.inputs["certificate"] in known else "CERTIFICATE_UNKNOWN"


def _strike(case: Case[TrainingDetails], step: Step) -> Effects:
    told, certificate = case.details, step.inputs["certificate"]
    left = tuple(one for one in told.attendances if one.certificate != certificate)
    return Effects(
        details={"attendances": left, "struck": told.struck + 1}, payload={"certificate": certificate}
    )


def _over(_: Case[TrainingDetails], __: Step) -> Effects:
    return Effects(due=None)


def _held(case: Case[TrainingDetails], step: Step) -> str | None:
    return None if step.today >= case.details.held_on else "NOT_HELD_YET"


def _t(name: str, zh: str, en: str, target: str, **more: Any) -> Transition:
    more.setdefault("rules", ARTICLE)
    return Transition(
        name=name, zh=zh, en=en, sources=frozenset({"PLANNED"}), target=target, capability=Capability.CASEWORK, **more
    )  # fmt: skip


# fmt: off
TRAINING = Machine(
    mechanism="TRAINING",
    zh="信用培训",
    en="Training",
    series="QHPX",
    data_class="D43",
    details=TrainingDetails,
    states=(
        State(name="PLANNED", zh="登记中", en="on the log"),
        State(name="HELD", zh="已办结", en="held, and its attendances recorded"),
        State(name="CANCELLED", zh="已取消", en="cancelled"),
    ),
    initial="PLANNED",
    final=frozenset({"HELD", "CANCELLED"}),
    transitions=(
        _t("attend", "登记参训", "record a firm that attended", "PLANNED", requires=("subject", "attendee", "hours"),
           guard=_attendable, effect=_attend, rules=("第十七条", "R9.2")),
        _t("strike", "撤销登记", "strike a firm recorded by mistake", "PLANNED", requires=("certificate", "reason"),
           guard=_strikable, effect=_strike, rules=("第十七条", "R9.2")),
        _t("close", "办结", "close the log", "HELD", guard=_held, effect=_over),
        _t("cancel", "取消", "cancel", "CANCELLED", requires=("reason",), effect=_over,
           guard=lambda case, step: "ATTENDANCES_RECORDED" if case.details.attendances else None),
    ),
    ruleset=lambda day: "SEED-2019",
    rules=ARTICLE,
)
# fmt: on
MACHINES = (TRAINING,)


async def log(work: Work, given: Mapping[str, Any]) -> Made:
    """Put a training on the log. Raises BadUserInput."""
    topic, organiser, place = (
        said(given[name], name, MOST_CHARACTERS) for name in ("topic", "organiser", "place")
    )
    officers = given.get("officers") or 0
    if not 1 <= given["hours"] <= MOST_HOURS or not 0 <= officers <= 10_000:
        raise BadUserInput(f"A training has 1 to {MOST_HOURS} hours.", argument="hours")
    region = work.actor.regions[0].ljust(6, "0")
    details = TrainingDetails(topic, organiser, place, given["held_on"], given["hours"], officers)
    readers = recipients(region, (await in_force(work.connection, work.today)).values())
    new = engine.NewCase(
        subject_id=None,
        details=details,
        region_code=region,
        parties=tuple((one, RECIPIENT) for one in readers if one != work.actor.partner),
    )
    (case,) = await engine.open_cases(work.connection, TRAINING, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def attend(work: Work, given: Mapping[str, Any]) -> Made:
    """Record a firm that attended; its certificate is evidence in repair (R9.2). Raises SubjectUnknown."""
    subject = await subject_of(work, given["subject"])
    attendee = given["attendee"].strip()
    if len(attendee) > MOST_CHARACTERS:
        raise BadUserInput("This name is too long.", argument="attendee")
    more = {"name": subject["display_name"], "attendee": attendee}
    return await take(work, TRAINING, "attend", {**given, **more})


COMMANDS: dict[str, Command] = {
    "training.log": log,
    "training.attend": attend,
    **{f"training.{name}": stepping(TRAINING, name) for name in ("strike", "close", "cancel")},
}
