"""Implementation plans (实施方案, article 十五): a prefecture's responsible person, its tasks, and how far each is.

D43: a plan is the department's own work like its quarterly report, and goes to the same readers: the departments of
the region, the department that they report to, and auditors. The policy gives no rule a number here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hub.casework import engine
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.partners import in_force
from hub.casework.reports.machine import RECIPIENT
from hub.casework.reports.reporters import recipients
from hub.casework.stepping import stepping
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput
from hub.rules.calendar import Due
from schema.governance import Capability

ARTICLE = ("第十五条",)
MOST_TASKS, MOST_CHARACTERS = 100, 2000
# A task in one of these needs nothing more.
OVER = frozenset({"DONE", "DROPPED"})


@dataclass(frozen=True)
class Task:
    """A task of a plan, by whom and by when. `place`: from 1."""

    place: int
    title: str
    responsible: str
    due_on: date
    status: str = "OPEN"
    done_on: date | None = None
    note: str | None = None


@dataclass(frozen=True)
class PlanDetails:
    """A plan: `responsible` and `post` are the official who answers for it."""

    title: str
    region: str
    begins: date
    ends: date
    responsible: str
    post: str
    tasks: tuple[Task, ...]
    document_number: str | None = None
    adopted_on: date | None = None
    open_tasks: int = 0
    end_reason: str | None = None


def next_due(tasks: tuple[Task, ...]) -> Due | None:
    """The day of the task that is due next; None: nothing is open. Fixed days, which no notice moves."""
    days = [one.due_on for one in tasks if one.status not in OVER]
    return Due(min(days), False) if days else None


def _adopt(case: Case[PlanDetails], step: Step) -> Effects:
    changes = {"document_number": step.inputs["document_number"], "adopted_on": step.today}
    return Effects(details=changes, due=next_due(case.details.tasks))


def _recordable(case: Case[PlanDetails], step: Step) -> str | None:
    given = step.inputs
    if given["task"] not in {one.place for one in case.details.tasks}:
        return "TASK_UNKNOWN"
    if given["status"] == "DROPPED" and not given.get("note"):
        return "NOTE_MISSING"
    return "NOTE_TOO_LONG" if len(given.get("note") or "") > MOST_CHARACTERS else None


def _record(case: Case[PlanDetails], step: Step) -> Effects:
    given = step.inputs
    done = step.today if given["status"] == "DONE" else None
    tasks = tuple(
        replace(one, status=given["status"], done_on=done, note=given.get("note"))
        if one.place == given["task"]
        else one
        for one in case.details.tasks
    )
    left = sum(one.status not in OVER for one in tasks)
    return Effects(
        details={"tasks": tasks, "open_tasks": left},
        due=next_due(tasks),
        payload={"task": given["task"], "status": given["status"]},
    )


def _all_over(case: Case[PlanDetails], _: Step) -> str | None:
    return "TASKS_OPEN" if case.details.open_tasks else None


def _end(_: Case[PlanDetails], step: Step) -> Effects:
    return Effects(details={"end_reason": step.inputs.get("reason")}, due=None)


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    return Transition(
        name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target,
        capability=Capability.CASEWORK, rules=ARTICLE, **more,
    )  # fmt: skip


# fmt: off
IMPLEMENTATION_PLAN = Machine(
    mechanism="IMPLEMENTATION_PLAN",
    zh="实施方案",
    en="Implementation plan",
    series="QHFA",
    data_class="D43",
    details=PlanDetails,
    states=(
        State(name="DRAFT", zh="起草", en="draft"),
        State(name="ADOPTED", zh="实施中", en="being carried out"),
        State(name="COMPLETED", zh="已完成", en="completed"),
        State(name="ABANDONED", zh="已终止", en="given up"),
    ),
    initial="DRAFT",
    final=frozenset({"COMPLETED", "ABANDONED"}),
    transitions=(
        _t("adopt", "印发", "adopt by a document", "DRAFT", "ADOPTED", requires=("document_number",), effect=_adopt),
        _t("record", "登记进展", "record how far a task is", "ADOPTED", "ADOPTED", requires=("task", "status"),
           guard=_recordable, effect=_record),
        _t("complete", "完成", "every task is done or dropped", "ADOPTED", "COMPLETED", guard=_all_over, effect=_end),
        _t("abandon", "终止", "give up", "DRAFT ADOPTED", "ABANDONED", requires=("reason",), effect=_end),
    ),
    ruleset=lambda day: "SEED-2019",
    rules=ARTICLE,
)
# fmt: on
MACHINES = (IMPLEMENTATION_PLAN,)


async def draft(work: Work, given: Mapping[str, Any]) -> Made:
    """Draft a plan for the caller's region. Raises BadUserInput."""
    begins, ends, region = given["begins"], given["ends"], work.actor.regions[0].ljust(6, "0")
    title, responsible, post = (
        said(given[name], name, MOST_CHARACTERS) for name in ("title", "responsible", "post")
    )
    if not 1 <= len(given["tasks"]) <= MOST_TASKS:
        raise BadUserInput(f"A plan has 1 to {MOST_TASKS} tasks.", argument="tasks")
    if any(not begins <= one["due_on"] <= ends for one in given["tasks"]):
        raise BadUserInput("Each task is due within the plan's days.", argument="tasks")
    tasks = tuple(
        Task(
            place,
            said(one["title"], "tasks", MOST_CHARACTERS),
            said(one["responsible"], "tasks", MOST_CHARACTERS),
            one["due_on"],
        )
        for place, one in enumerate(given["tasks"], 1)
    )
    details = PlanDetails(title, region, begins, ends, responsible, post, tasks, open_tasks=len(tasks))
    readers = recipients(region, (await in_force(work.connection, work.today)).values())
    new = engine.NewCase(
        subject_id=None,
        details=details,
        region_code=region,
        parties=tuple((one, RECIPIENT) for one in readers if one != work.actor.partner),
    )
    (case,) = await engine.open_cases(work.connection, IMPLEMENTATION_PLAN, [new], work.step({}))
    return Made(ids=(case.public_id,))


COMMANDS: dict[str, Command] = {
    "implementation.draft": draft,
    **{
        f"implementation.{name}": stepping(IMPLEMENTATION_PLAN, name)
        for name in ("adopt", "record", "complete", "abandon")
    },
}
