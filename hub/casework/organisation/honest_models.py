"""Honest models (诚信典型, article 十六): nominated, reviewed by a second person, proposed for a red list.

The public notice, the recognition and the publication are the red list's own steps (article 八): a nomination that was
endorsed opens a proposal there and leads to it. D38: until then it is a file of its handling unit and of auditors, as
places on lists are; a firm that was not endorsed must not be known by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.casework import engine
from hub.casework.given import said
from hub.casework.listings.commands import MOST_CHARACTERS, blockers, proposal
from hub.casework.listings.machine import LIST_ENTRY
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.stepping import stepping, take
from hub.casework.subjects import beyond, subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import CommandForbidden, GuardRefused
from hub.store.writing import one_at_a_time
from schema.governance import Capability

ARTICLE = ("第十六条",)
_KNOWN = """
SELECT 1 FROM case_file WHERE mechanism = 'HONEST_MODEL' AND subject_id = $1 AND closed_at IS NULL AND owner = $2
"""
_COLOR = "SELECT color FROM list_definition WHERE code = $1"


@dataclass(frozen=True)
class Endorsement:
    """What the second person found."""

    officer: str
    at: datetime
    opinion: str


@dataclass(frozen=True)
class HonestModelDetails:
    """A nomination. `nominator_kind`: a unit, an association, or a campaign such as 诚信兴商宣传月."""

    subject_code: str
    subject_name: str
    nominator_kind: str
    nominator: str
    deeds: str
    nominated_by: str
    endorsement: Endorsement | None = None
    # Number of the red list's case that it led to.
    listing: str | None = None
    end_reason: str | None = None


def _endorsable(case: Case[HonestModelDetails], step: Step) -> str | None:
    if step.actor.is_officer(case.details.nominated_by):
        return "SECOND_PERSON_NEEDED"
    # R8.3: what would stand against the place on the red list stands against the nomination.
    return next(iter(step.inputs.get("blockers") or ()), None)


def _endorse(_: Case[HonestModelDetails], step: Step) -> Effects:
    made = Endorsement(step.actor.officer, step.now, step.inputs["opinion"])
    return Effects(details={"endorsement": made})


def _propose(_: Case[HonestModelDetails], step: Step) -> Effects:
    return Effects(details={"listing": step.inputs["listing"]}, payload={"listing": step.inputs["listing"]})


def _end(_: Case[HonestModelDetails], step: Step) -> Effects:
    return Effects(details={"end_reason": step.inputs["reason"]}, due=None)


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    more.setdefault("rules", ARTICLE)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


# fmt: off
HONEST_MODEL = Machine(
    mechanism="HONEST_MODEL",
    zh="诚信典型",
    en="Honest model",
    series="QHDX",
    data_class="D38",
    details=HonestModelDetails,
    states=(
        State(name="NOMINATED", zh="已推荐", en="nominated"),
        State(name="ENDORSED", zh="审核通过", en="endorsed by a second person"),
        State(name="PROPOSED", zh="已提名红名单", en="proposed for a red list"),
        State(name="REJECTED", zh="审核不通过", en="not endorsed"),
        State(name="WITHDRAWN", zh="已撤回", en="withdrawn"),
    ),
    initial="NOMINATED",
    final=frozenset({"PROPOSED", "REJECTED", "WITHDRAWN"}),
    transitions=(
        _t("endorse", "审核通过", "endorse", "NOMINATED", "ENDORSED", capability=Capability.REVIEW,
           requires=("opinion",), guard=_endorsable, effect=_endorse, rules=("第十六条", "R8.3")),
        _t("reject", "审核不通过", "do not endorse", "NOMINATED", "REJECTED", capability=Capability.REVIEW,
           requires=("reason",), effect=_end),
        _t("propose", "提名红名单", "propose for a red list", "ENDORSED", "PROPOSED", requires=("listing",),
           effect=_propose, rules=("第十六条", "R8.2")),
        _t("withdraw", "撤回", "withdraw", "NOMINATED ENDORSED", "WITHDRAWN", requires=("reason",), effect=_end),
    ),
    ruleset=lambda day: "LIST-MOFCOM-2019",
    rules=("第十六条", "R8.2", "R8.3"),
)
# fmt: on
MACHINES = (HONEST_MODEL,)


async def nominate(work: Work, given: Mapping[str, Any]) -> Made:
    """Nominate an honest model. Raises SubjectUnknown, BadUserInput, GuardRefused."""
    subject = await subject_of(work, given["subject"])
    nominator = said(given["nominator"], "nominator", 200)
    deeds = said(given["deeds"], "deeds", MOST_CHARACTERS)
    if subject["kind"] == "NATURAL_PERSON":
        raise GuardRefused(reason="NATURAL_PERSON")
    await one_at_a_time(work.connection, f"HONEST_MODEL {work.actor.partner} {subject['subject_id']}")
    if await work.connection.fetchval(_KNOWN, subject["subject_id"], work.actor.partner):
        raise GuardRefused(reason="NOMINATED_ALREADY")
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=HonestModelDetails(
            subject["uscc"], subject["display_name"], given["nominator_kind"], nominator, deeds, work.actor.officer
        ),
        region_code=subject["region_code"],
    )  # fmt: skip
    (case,) = await engine.open_cases(work.connection, HONEST_MODEL, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def _leading_to_a_place(work: Work, number: str) -> Case[HonestModelDetails]:
    """The nomination, of a firm that the caller may propose for a list still. Raises CommandForbidden.

    Of one that has moved its handling unit could neither go on with the proposal nor drop it, and nobody else has it; nor is
    the unit told any more what stands against the firm.
    """
    case, _ = await engine.find(work.connection, HONEST_MODEL, number, work.actor)
    if await beyond(work, (LIST_ENTRY.data_class,), [case.details.subject_code]):
        raise CommandForbidden("The firm is of another region now: withdraw the nomination.")
    return case


async def endorse(work: Work, given: Mapping[str, Any]) -> Made:
    """Endorse, after a look at what stands against a place on a red list (R8.3). Raises CommandForbidden."""
    case = await _leading_to_a_place(work, given["number"])
    assert case.subject_id is not None
    return await take(
        work, HONEST_MODEL, "endorse", {**given, "blockers": await blockers(work, case.subject_id)}
    )


async def propose(work: Work, given: Mapping[str, Any]) -> Made:
    """Open the red list's own proposal, whose public notice and recognition follow there (R8.2).

    Raises GuardRefused, also where the list is no red one; CommandForbidden where the caller would not be shown it.
    """
    told = (await _leading_to_a_place(work, given["number"])).details
    # The step is taken last: whatever it refuses takes the proposal with it.
    subject = await subject_of(work, told.subject_code)
    # First of all: what else another list asks for, such as a ground, has no place here.
    if await work.connection.fetchval(_COLOR, given["list_code"]) not in ("RED", None):
        raise GuardRefused(reason="NOT_A_RED_LIST")
    new = await proposal(work, subject, given["list_code"], told.deeds, None)
    (listing,) = await engine.open_cases(work.connection, LIST_ENTRY, [new], work.step({}))
    return await take(work, HONEST_MODEL, "propose", {**given, "listing": listing.number})


COMMANDS: dict[str, Command] = {
    "honest.nominate": nominate,
    "honest.endorse": endorse,
    "honest.propose": propose,
    **{f"honest.{name}": stepping(HONEST_MODEL, name) for name in ("reject", "withdraw")},
}
