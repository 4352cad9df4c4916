"""The commands of the quarterly report (article 十八): opening, pre-filling from events, confirming, submitting, accepting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.delivery.deliveries import SHOWN_ON_BOTH
from hub.casework.machine import Case, Machine, Step
from hub.casework.partners import ever_in_force, in_force
from hub.casework.reports.figures import WRITTEN_LATER, Happened, looking_back, mechanisms, members, recount
from hub.casework.reports.machine import (
    QUARTERLY_REPORT,
    RECIPIENT,
    ReportDetails,
    figures_from,
    new_report,
    quarter_told,
)
from hub.casework.reports.reporters import Reporting, reporting
from hub.casework.rounds import apart
from hub.casework.stepping import stepping
from hub.casework.work import Command, Made, Work, calendar_for
from hub.errors import BadUserInput, GuardRefused
from hub.rules.calendar import NATIONAL, Calendar, Due, calendar_of
from hub.rules.reports import Quarter, load_report_rules, reported_on
from hub.store.writing import one_at_a_time

# One report for each region and quarter, whoever opens it first.
_KNOWN = """
SELECT public_id FROM case_file WHERE mechanism = 'QUARTERLY_REPORT' AND region_code = $1
  AND (details->>'year')::int = $2 AND (details->>'quarter')::int = $3
"""
# Cases that had ended before the quarter are in none of its figures.
_HISTORY = """
SELECT c.public_id::text AS public_id, c.mechanism, e.at, e.transition, e.from_state, e.to_state,
  e.payload::text AS payload, CASE WHEN c.mechanism = 'PUBLICITY' AND e.transition = 'publish'
    THEN (({shown}) AT TIME ZONE 'Asia/Shanghai')::date END AS shown_on, {members}
FROM case_event e JOIN case_file c USING (case_id)
WHERE c.owner = ANY ($1::text[]) AND c.mechanism = ANY ($2::text[]) AND (e.at < $4 OR e.transition = ANY ($6::text[]))
  AND (c.closed_at IS NULL OR c.closed_at >= $3) AND (e.at >= $3 OR c.mechanism = ANY ($5::text[]))
ORDER BY e.event_id
"""
# Which of some partners had cases that are in a quarter's figures.
_HANDLED = """
SELECT DISTINCT owner FROM case_file
WHERE owner = ANY ($1::text[]) AND mechanism = ANY ($2::text[]) AND (closed_at IS NULL OR closed_at >= $3)
"""
_DAYS = """
SELECT region_code, day, is_workday FROM working_day WHERE day BETWEEN $1 AND $2 AND region_code = ANY ($3::text[])
"""
# Handling takes less; a case that lay open for longer counts the days that are known.
_LONGEST = timedelta(days=3 * 366)


async def open_reports(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """R18.1: open and pre-fill the reports on the quarter that is over, where there are none; how many were opened."""
    today, opened = now.astimezone(SHANGHAI).date(), 0
    quarter = reported_on(today)
    async with pool.acquire() as connection:
        found = await _reporting(connection, quarter, today)
    for one in found.values():
        with apart(f"report of {one.region}"):
            async with pool.acquire() as connection, connection.transaction():
                calendar = await calendar_for(connection, [one.region], today)
                step = Step(SYSTEM, {}, now, today, calendar)
                _, is_new = await _opened(connection, machines, one, quarter, step)
            opened += is_new
    return opened


async def _opened(
    connection: asyncpg.Connection,
    machines: Mapping[str, Machine],
    found: Reporting,
    quarter: Quarter,
    step: Step,
) -> tuple[str, bool]:
    """The report's opaque id, opened and pre-filled if it was not there yet."""
    await one_at_a_time(connection, f"report/{found.region}/{quarter.year}/{quarter.number}")
    known = await connection.fetchval(_KNOWN, found.region, quarter.year, quarter.number)
    if known is not None:
        return str(known), False
    rules = load_report_rules()
    due = rules.due(quarter, step.calendar).due
    new = engine.NewCase(
        subject_id=None,
        details=new_report(quarter, found.region, found.name, found.agency, step.calendar),
        region_code=found.region,
        # Calendar days: no notice moves them (R18.2).
        due=Due(due, False),
        parties=tuple((partner, RECIPIENT) for partner in found.recipients),
        payload={"year": quarter.year, "quarter": quarter.number},
    )
    (case,) = await engine.open_cases(connection, QUARTERLY_REPORT, [new], step, owner=found.partner)
    await _prefilled(connection, machines, case, found, step)
    return case.public_id, True


async def _prefilled(
    connection: asyncpg.Connection,
    machines: Mapping[str, Machine],
    case: Case[ReportDetails],
    found: Reporting,
    step: Step,
) -> None:
    quarter = quarter_told(case.details)
    history = await events_of(connection, found.departments, quarter)
    calendar = await _calendar(connection, case.details.region, quarter)
    counted = recount(history, quarter, calendar, _state_words(machines))
    given = {
        "figures": figures_from(case.number, quarter, counted),
        "departments": found.departments,
        "department_names": found.department_names,
        "counted": {code: list(one.cases) for code, one in counted.items()},
    }
    taking = Step(step.actor, given, step.now, step.today, step.calendar)
    await engine.apply(connection, machines, QUARTERLY_REPORT, case.number, "prefill", taking)


def _state_words(machines: Mapping[str, Machine]) -> Any:
    words = {(name, state.name): state.zh for name, machine in machines.items() for state in machine.states}
    return lambda mechanism, state: words.get((mechanism, state))


async def events_of(
    connection: asyncpg.Connection, departments: Sequence[str], quarter: Quarter
) -> list[Happened]:
    """What happened in the cases that `departments` handle, as far as a figure of `quarter` may count it."""
    names = members()
    paths = ["{" + name.replace(".", ",") + "}" for name in names]
    columns = ", ".join(f"c.details #>> '{path}' AS m{number}" for number, path in enumerate(paths))
    rows = await connection.fetch(
        _HISTORY.format(members=columns, shown=SHOWN_ON_BOTH),
        list(departments),
        sorted(mechanisms()),
        _midnight(quarter.first),
        _midnight(quarter.following),
        sorted(looking_back()),
        sorted(WRITTEN_LATER),
    )
    return [
        Happened(
            row["public_id"], row["mechanism"], row["at"], row["transition"], row["from_state"],
            row["to_state"], _told(row),
            {name: row[f"m{number}"] for number, name in enumerate(names)},
        )
        for row in rows
    ]  # fmt: skip


def _told(row: Mapping[str, Any]) -> Mapping[str, Any]:
    payload: dict[str, Any] = orjson.loads(row["payload"])
    if row["shown_on"] is None:
        return payload
    shown_on = row["shown_on"].isoformat()
    return {**payload, "shown_on": shown_on, "shown_in_time": shown_on <= (payload.get("publish_by") or "")}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


async def _calendar(connection: asyncpg.Connection, region: str, quarter: Quarter) -> Calendar:
    codes = [NATIONAL, region[:2].ljust(6, "0"), region]
    rows = await connection.fetch(_DAYS, quarter.first - _LONGEST, quarter.following, codes)
    return calendar_of((tuple(row) for row in rows), region)


async def _reporting(
    connection: asyncpg.Connection, quarter: Quarter, today: date
) -> Mapping[str, Reporting]:
    """Who reports on the quarter today, also of the work of departments that have left the hub since."""
    agreements, known = await in_force(connection, today), await ever_in_force(connection)
    left = [partner for partner in known if partner not in agreements]
    rows = await connection.fetch(_HANDLED, left, sorted(mechanisms()), _midnight(quarter.first))
    return reporting(
        load_report_rules().reporters_on(quarter.following),
        agreements.values(),
        [known[row["owner"]] for row in rows],
    )


async def _own(work: Work, quarter: Quarter) -> Reporting:
    """The caller's own reporting. Raises GuardRefused: its region does not report."""
    found = await _reporting(work.connection, quarter, work.today)
    own = next((one for one in found.values() if one.partner == work.actor.partner), None)
    if own is None:
        raise GuardRefused(reason="NOT_A_REPORTER")
    return own


async def open_report(work: Work, given: Mapping[str, Any]) -> Made:
    """R18.1: the caller's report on a quarter that is over; opened and pre-filled unless it is there already.

    Raises BadUserInput, GuardRefused.
    """
    try:
        quarter = Quarter(given["year"], given["quarter"])
        over = quarter.following <= work.today
    except ValueError:
        raise BadUserInput("A quarter is 1, 2, 3 or 4 of a year.", argument="quarter") from None
    if not over:
        raise GuardRefused(reason="QUARTER_NOT_OVER")
    if not load_report_rules().figures_of(quarter):
        raise GuardRefused(reason="NO_REPORT_WAS_DUE")
    own = await _own(work, quarter)
    public_id, _ = await _opened(work.connection, work.machines, own, quarter, work.step({}))
    return Made(ids=(public_id,))


async def prefill(work: Work, given: Mapping[str, Any]) -> Made:
    """R18.3: count the figures anew, after events of the quarter were written down late."""
    case, _ = await engine.find(work.connection, QUARTERLY_REPORT, given["number"], work.actor)
    own = await _own(work, quarter_told(case.details))
    await _prefilled(work.connection, work.machines, case, own, work.step({}))
    return Made(ids=(case.public_id,))


COMMANDS: dict[str, Command] = {
    "report.open": open_report,
    "report.prefill": prefill,
    **{
        f"report.{name}": stepping(QUARTERLY_REPORT, name) for name in ("state", "submit", "return", "accept")
    },
}
