"""The quarterly report (季度报告, article 十八, R18.1-R18.3): opened, pre-filled, confirmed, submitted, returned, accepted.

A department's own report is its alone, and the department's that it reports to (D43): both are parties to it. On time
is judged by the first submission: a report that is given back for a correction was not late for that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hub.casework.given import is_blank
from hub.casework.machine import Case, Effects, Machine, Recount, State, Step, Transition
from hub.casework.reports.figures import Counted, Share
from hub.rules.calendar import Calendar
from hub.rules.deadlines import due
from hub.rules.reports import Quarter, Stated, load_report_rules, reported_on
from schema.governance import Capability

# Role of the department that reports are made to.
RECIPIENT = "RECIPIENT"
MOST_CHARACTERS = 10_000
# More than any figure of a quarter.
MOST = 10**9


@dataclass(frozen=True)
class RestDay:
    """A day of the deadline that is a rest day: nothing moves, the work is due before it (R18.2)."""

    day: date
    work_before: date
    provisional: bool


@dataclass(frozen=True)
class Figure:
    """A figure: what the hub counted, and what the reporter says; both are kept, with the reason (R18.3)."""

    code: str
    zh: str
    en: str
    kind: str
    # By which the cases that it counts are asked for; words count none.
    drill: str | None
    prefilled: float | None
    part: int | None
    whole: int | None
    shares: tuple[Share, ...]
    stated: bool = False
    value: float | None = None
    text: str | None = None
    reason: str | None = None
    stated_by: str | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True)
class ReportDetails:
    """The report of one department on one quarter."""

    year: int
    quarter: int
    region: str
    region_name: str
    agency: str
    target: date
    late_from: datetime
    warnings: tuple[RestDay, ...]
    # Partners whose cases are counted: the department's own and its counties'.
    departments: tuple[str, ...] = ()
    # Their names, for paper; None: pre-filled before they were kept.
    department_names: tuple[str, ...] | None = None
    figures: tuple[Figure, ...] = ()
    # Codes of the figures that nobody has confirmed yet.
    open_figures: tuple[str, ...] = ()
    prefilled_at: datetime | None = None
    submitted_at: datetime | None = None
    submitted_by: str | None = None
    standing: str | None = None
    resubmitted_at: datetime | None = None
    return_reason: str | None = None
    # From when the days of another submission are counted.
    returned_on: date | None = None
    accepted_at: datetime | None = None


def quarter_told(told: ReportDetails) -> Quarter:
    """The quarter that a report is about."""
    return Quarter(told.year, told.quarter)


def new_report(quarter: Quarter, region: str, name: str, agency: str, calendar: Calendar) -> ReportDetails:
    """A report before anything is counted. Raises RulesInvalid: none was due on that quarter."""
    due = load_report_rules().due(quarter, calendar)
    warnings = tuple(RestDay(one.day, one.work_before, one.provisional) for one in due.warnings)
    return ReportDetails(
        quarter.year, quarter.number, region, name, agency, due.target, due.late_from, warnings
    )


def figures_from(number: str, quarter: Quarter, counted: dict[str, Counted]) -> tuple[Figure, ...]:
    """The figures of the report `number` as they were counted, in the order of their rows."""
    found = []
    for row in load_report_rules().figures_of(quarter):
        one = counted.get(row.code, Counted(None))
        drill = f"{number}/{row.code}" if row.code in counted else None
        found.append(
            Figure(row.code, row.zh, row.en, row.kind, drill, one.value, one.part, one.whole, one.shares)
        )
    return tuple(found)


def reminder_days(due_on: date, calendar: Calendar) -> tuple[date, ...] | None:
    """R18.1, R18.2: the calendar days on which a reporter is reminded; None: the deadline is another one."""
    quarter = reported_on(due_on)
    found = load_report_rules().due(quarter, calendar)
    return found.reminders if found.due == due_on else None


def _prefill(case: Case[ReportDetails], step: Step) -> Effects:
    """Count anew; what was said of a figure stays as long as the figure is the same."""
    known = {one.code: one for one in case.details.figures}
    figures = []
    for one in step.inputs["figures"]:
        before = known.get(one.code)
        if before is not None and before.stated and before.prefilled == one.prefilled:
            said = {
                name: getattr(before, name)
                for name in ("stated", "value", "text", "reason", "stated_by", "stated_at")
            }
            one = replace(one, **said)
        figures.append(one)
    return Effects(
        details={
            "departments": tuple(step.inputs["departments"]),
            "department_names": tuple(step.inputs["department_names"]),
            "figures": tuple(figures),
            "open_figures": _open(figures),
            "prefilled_at": step.now,
        },
        # What each figure counts stays with the event, whatever is counted later.
        payload={"counted": step.inputs["counted"]},
    )


def _open(figures: Any) -> tuple[str, ...]:
    return tuple(one.code for one in figures if not one.stated)


def _sayable(case: Case[ReportDetails], step: Step) -> str | None:
    known = {one.code: one for one in case.details.figures}
    said = [one["code"] for one in step.inputs["figures"]]
    if len(set(said)) < len(said):
        return "FIGURE_TWICE"
    for one in step.inputs["figures"]:
        figure = known.get(one["code"])
        if figure is None:
            return "FIGURE_UNKNOWN"
        refusal = _impossible(figure, one.get("value"), one.get("text"), one.get("reason"))
        if refusal is not None:
            return refusal
    return None


def _impossible(figure: Figure, value: float | None, text: str | None, reason: str | None) -> str | None:
    if any(len(one or "") > MOST_CHARACTERS for one in (text, reason)):
        return "TEXT_TOO_LONG"
    if figure.kind == "TEXT":
        return "TEXT_MISSING" if value is not None or is_blank(text or "") else None
    if text is not None:
        return "VALUE_IMPOSSIBLE"
    if value is None:
        return None
    most = 1 if figure.kind == "RATIO" else MOST
    if not 0 <= value <= most or (figure.kind == "COUNT" and value != int(value)):
        return "VALUE_IMPOSSIBLE"
    # R18.3: another value than the hub's needs a reason.
    return "REASON_MISSING" if value != figure.prefilled and is_blank(reason or "") else None


def _state(case: Case[ReportDetails], step: Step) -> Effects:
    said = {one["code"]: one for one in step.inputs["figures"]}
    figures = tuple(
        _said(figure, said[figure.code], step) if figure.code in said else figure
        for figure in case.details.figures
    )
    overridden = [one.code for one in figures if one.code in said and one.value != one.prefilled]
    return Effects(
        details={"figures": figures, "open_figures": _open(figures)},
        payload={"figures": sorted(said), "overridden": overridden},
    )


def _said(figure: Figure, given: Any, step: Step) -> Figure:
    value = given.get("value")
    return replace(
        figure,
        stated=True,
        value=None if figure.kind == "TEXT" else figure.prefilled if value is None else float(value),
        text=given.get("text"),
        reason=(given.get("reason") or "").strip() or None,
        stated_by=step.actor.officer,
        stated_at=step.now,
    )


def _complete(case: Case[ReportDetails], step: Step) -> str | None:
    """R18.3: each figure is confirmed, or overridden for a reason."""
    told = case.details
    stated = {
        one.code: Stated(one.text if one.kind == "TEXT" else one.value, one.reason or "")
        for one in told.figures
        if one.stated
    }
    prefilled = {one.code: one.prefilled for one in told.figures}
    problems = load_report_rules().problems(quarter_told(told), prefilled, stated)
    return f"FIGURES_{problems[0][0]}" if problems else None


def _submit(case: Case[ReportDetails], step: Step) -> Effects:
    told = case.details
    values = {one.code: one.text if one.kind == "TEXT" else one.value for one in told.figures}
    if told.submitted_at is not None:
        changes: dict[str, Any] = {"resubmitted_at": step.now}
        return Effects(details=changes, due=None, payload={"standing": told.standing, "values": values})
    standing = load_report_rules().standing(quarter_told(told), step.now, step.now)
    changes = {"submitted_at": step.now, "submitted_by": step.actor.officer, "standing": str(standing)}
    return Effects(details=changes, due=None, payload={"standing": str(standing), "values": values})


def _return(_: Case[ReportDetails], step: Step) -> Effects:
    return Effects(details={"return_reason": step.inputs["reason"], "returned_on": step.today})


def _resubmit_due(case: Case[ReportDetails], calendar: Calendar) -> Recount | None:
    """Of a report that was given back; a first one is due on a calendar day, which no notice moves (R18.2)."""
    on = case.details.returned_on
    return None if on is None else Recount(due("report.resubmit", on, calendar))


def _accept(_: Case[ReportDetails], step: Step) -> Effects:
    return Effects(details={"accepted_at": step.now, "return_reason": None}, due=None)


_RECIPIENT = frozenset({RECIPIENT})


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.REPORT)
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


# fmt: off
QUARTERLY_REPORT = Machine(
    mechanism="QUARTERLY_REPORT",
    zh="季度报告",
    en="Quarterly report",
    series="QHJB",
    data_class="D43",
    details=ReportDetails,
    states=(
        State(name="OPEN", zh="待填报", en="open"),
        State(name="PREFILLED", zh="已预填", en="pre-filled"),
        State(name="SUBMITTED", zh="已报送", en="submitted, on time or late"),
        State(name="RETURNED", zh="已退回", en="given back for a correction"),
        State(name="ACCEPTED", zh="已接收", en="accepted"),
    ),
    initial="OPEN",
    final=frozenset({"ACCEPTED"}),
    transitions=(
        _t("prefill", "预填", "count the figures from events", "OPEN PREFILLED RETURNED", "PREFILLED",
           requires=("figures",), effect=_prefill, rules=("R18.3",)),
        _t("state", "确认或修改", "confirm figures, or override them with a reason", "PREFILLED RETURNED", "PREFILLED",
           requires=("figures",), guard=_sayable, effect=_state, rules=("R18.3",)),
        _t("submit", "报送", "submit", "PREFILLED RETURNED", "SUBMITTED", guard=_complete, effect=_submit,
           rules=("R18.1", "R18.3")),
        _t("return", "退回", "give back for a correction", "SUBMITTED", "RETURNED", capability=Capability.REVIEW,
           parties=_RECIPIENT, requires=("reason",), effect=_return, deadline="report.resubmit", rules=("R18.1",)),
        _t("accept", "接收", "accept", "SUBMITTED", "ACCEPTED", capability=Capability.REVIEW, parties=_RECIPIENT,
           effect=_accept, rules=("R18.1",)),
    ),
    ruleset=lambda day: "SEED-2019",
    rules=("R18.1", "R18.2", "R18.3"),
)
# fmt: on
MACHINES = (QUARTERLY_REPORT,)
COUNTED = {("QUARTERLY_REPORT", state): _resubmit_due for state in ("RETURNED", "PREFILLED")}
REMINDERS = {"QUARTERLY_REPORT": reminder_days}
