"""Tolerant acceptance (容缺受理, R5.6): papers that are not core may follow by a day, on a written commitment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.casework.commitments.inspections import COMMITMENT_INSPECTION, of_tolerance
from hub.casework.given import is_sm3, said
from hub.casework.machine import Case, Effects, Machine, Opening, State, Step, Transition
from hub.casework.stepping import take
from hub.casework.work import Made, Work
from hub.errors import BadUserInput
from hub.rules.calendar import Due
from hub.rules.matters import check_rules
from schema.governance import Capability

MOST_PAPERS = 50
MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Paper:
    """A paper that is missing."""

    name: str


@dataclass(frozen=True)
class ToleranceDetails:
    """What was promised."""

    check_number: str
    missing_papers: tuple[Paper, ...]
    commitment: str
    commitment_digest: str
    promised_for: date


def opening(check: Case[Any], step: Step) -> Opening:
    """The tolerant acceptance that a check's step opens. Raises BadUserInput for texts that are no such things."""
    given = step.inputs
    names = [said(paper["name"], "missingPapers", 200) for paper in given["missing_papers"]]
    commitment = said(given["commitment"], "commitment", MOST_CHARACTERS)
    if len(names) > MOST_PAPERS:
        raise BadUserInput(f"1 to {MOST_PAPERS} papers, each with a name.", argument="missingPapers")
    if not is_sm3(given["commitment_digest"]):
        raise BadUserInput("An SM3 digest has 64 hexadecimal digits.", argument="commitmentDigest")
    return Opening(
        mechanism=TOLERANCE.mechanism,
        subject_id=check.subject_id,
        details=ToleranceDetails(
            check.number, tuple(map(Paper, names)), commitment, given["commitment_digest"], given["due_on"]
        ),
        target_public_id=check.public_id,
        due=Due(given["due_on"], False),
    )


def _day_passed(case: Case[ToleranceDetails], step: Step) -> str | None:
    return None if step.today > case.details.promised_for else "NOT_YET_DUE"


def _done(_: Case[ToleranceDetails], __: Step) -> Effects:
    return Effects(due=None)


def _broken(case: Case[ToleranceDetails], step: Step) -> Effects:
    """Article 六 takes it from here: a breach is established only after finding, notice and defence (R6.4)."""
    suspicion = Opening(
        mechanism=COMMITMENT_INSPECTION.mechanism,
        subject_id=case.subject_id,
        details=of_tolerance(case.number, step.inputs["reason"], step),
        target_public_id=case.public_id,
    )
    return Effects(
        due=None,
        openings=(suspicion,),
        payload={"breach_suspected": True, "check": case.details.check_number},
    )


TOLERANCE = Machine(
    mechanism="TOLERANCE",
    zh="容缺受理",
    en="Tolerant acceptance",
    series="QHRQ",
    data_class="D38",
    details=ToleranceDetails,
    states=(
        State(name="PROMISED", zh="待补正", en="papers promised"),
        State(name="COMPLETED", zh="已补齐", en="papers came"),
        State(name="FAILED", zh="逾期未补", en="the day passed without them"),
    ),
    initial="PROMISED",
    final=frozenset({"COMPLETED", "FAILED"}),
    transitions=(
        Transition(
            name="complete",
            zh="补齐",
            en="the papers came",
            sources=frozenset({"PROMISED"}),
            target="COMPLETED",
            capability=Capability.CHECK,
            effect=_done,
            rules=("R5.6",),
        ),
        Transition(
            name="fail",
            zh="逾期未补",
            en="the day passed without the papers",
            sources=frozenset({"PROMISED"}),
            target="FAILED",
            capability=Capability.CHECK,
            requires=("reason",),
            guard=_day_passed,
            effect=_broken,
            rules=("R5.6", "R6.4"),
        ),
    ),
    ruleset=lambda day: check_rules(day).id,
    rules=("R5.6",),
)
MACHINES = (TOLERANCE,)


async def complete(work: Work, given: Mapping[str, Any]) -> Made:
    """The missing papers came."""
    return await take(work, TOLERANCE, "complete", given)


async def fail(work: Work, given: Mapping[str, Any]) -> Made:
    """The day passed without them."""
    return await take(work, TOLERANCE, "fail", given)


COMMANDS = {"tolerance.complete": complete, "tolerance.fail": fail}
