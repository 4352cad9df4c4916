"""What a notice for a new year does to deadlines that were estimated (R7.1, 5.6): each mechanism's, both ways, over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from hub.casework.mechanisms import declared
from hub.casework.new_calendar import recompute
from hub.casework.registry import registry
from hub.rules.notices import load_notices
from hub.store import working_days
from tests.casework import test_foreign_trade as abroad
from tests.casework import test_inspections as inspections
from tests.casework import test_listings as lists
from tests.casework import test_notifications as notifications
from tests.casework import test_objections as objections
from tests.casework import test_repair as repair
from tests.casework import test_reports as reports
from tests.casework.desk import Desk, Office
from tests.casework.promises import CLEAR, ESTABLISH, notified, published, unit
from tests.casework.test_publicity import at, drafted

# A Monday; the notice for 2027 is not laid, so that 4 and 5 January count as worked, and the weekend before does not.
BEGINS = date(2026, 12, 28)
# The days of January 2027 that are otherwise than estimated.
LONGER = {3: True, 4: False, 5: False}
SHORTER = {2: True, 3: True}
# One report a quarter, for each test that gives one back.
_quarters = iter((3, 2, 1))


async def lay(office: Office, otherwise: dict[int, bool], region: str = "CN") -> None:
    """As a notice for 2027 may fix its January."""
    for day in range(1, 32):
        on = date(2027, 1, day)
        worked = otherwise.get(day, on.weekday() < 5 and day != 1)
        await office.rows(
            "INSERT INTO working_day (region_code, day, is_workday, source_doc) VALUES ($1, $2, $3, '试验通知')"
            " ON CONFLICT (region_code, day) DO UPDATE SET is_workday = $3",
            region, on, worked,
        )  # fmt: skip


NOTICE_2027 = """
[[notice]]
year = 2027
source_doc = "国务院办公厅关于2027年部分节假日安排的通知"
rest_days = [
  2027-01-01, 2027-01-02, 2027-01-04, 2027-02-05, 2027-02-06, 2027-02-07, 2027-02-08, 2027-04-05, 2027-05-01, 2027-05-02,
  2027-06-09, 2027-09-15, 2027-10-01, 2027-10-02, 2027-10-03,
]
working_days = [2027-01-09]
"""


async def recomputed(office: Office) -> int:
    return await recompute(office.database.writer, registry().machines, office.clock.now)


@pytest.fixture(autouse=True)
async def _no_notice(office: Office) -> AsyncIterator[None]:
    await office.rows("DELETE FROM working_day WHERE day >= '2027-01-01'")
    # What the tests before this one left open moves no more.
    await office.rows("UPDATE case_file SET due_on = NULL")
    yield
    await office.rows("DELETE FROM working_day WHERE day >= '2027-01-01'")


async def case_of(office: Office, number: str) -> tuple[str, bool, dict[str, Any]]:
    """Day, whether it is provisional, and details."""
    (row,) = await office.rows(
        "SELECT due_on, due_is_provisional, details FROM case_file WHERE number = $1", number
    )
    return str(row["due_on"]), row["due_is_provisional"], json.loads(row["details"])


async def moves_of(office: Office, number: str) -> list[dict[str, Any]]:
    """What the events of moved deadlines tell."""
    rows = await office.rows(
        "SELECT e.* FROM case_event e JOIN case_file USING (case_id)"
        " WHERE number = $1 AND transition = 'deadline_moved' ORDER BY event_id",
        number,
    )
    for row in rows:
        assert row["from_state"] == row["to_state"]
        assert (row["actor_partner"], row["actor_officer"], row["reason"]) == (
            "hub", "worker", "CALENDAR_CHANGED",
        )  # fmt: skip
    return [json.loads(row["payload"]) for row in rows]


# ---- a deadline of each mechanism that begins on the 28th ---------------------------------------------------------


async def publicity(office: Office) -> str:
    _, made = await drafted(office, BEGINS)
    return str(made["number"])


async def list_defence(office: Office) -> str:
    number = await lists._proposed(office, await office.subject(), "L-WATCH")
    await lists._desk(office).done(lists.NOTIFY, {"n": number, "told": True})
    await lists._desk(office).done(lists.SERVE, {"n": number, "on": str(BEGINS)})
    return number


async def list_publication(office: Office) -> str:
    office.clock.now -= timedelta(days=30)
    number = await lists._served(office, await office.subject(), "L-BLACK")
    office.clock.now += timedelta(days=30)
    await lists._desk(office).done(lists.RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    return number


async def commitment_defence(office: Office) -> str:
    return await notified(office, (await published(office))["number"])


async def inspection_plan(office: Office) -> str:
    region, _ = await inspections._frame(office, 1)
    number = await inspections._opened(office, region)
    await inspections._drawn(office, number)
    return number


async def inspection_result(office: Office) -> str:
    (one,) = await inspections._inspections(office, await inspection_plan(office))
    await unit(office).done(CLEAR, {"n": one["number"]})
    return str(one["number"])


async def outbound_defence(office: Office) -> str:
    given = {"code": await office.subject(), "behaviour": "OUT-01", "on": "2026-10-01"}
    propose = abroad.PROPOSE.replace('servedOn: "2026-11-23"', f'servedOn: "{BEGINS}"')
    made = await abroad.commerce(office).done(propose, given)
    return str(made["proposeOutboundAdverse"]["number"])


async def _repair(office: Office) -> str:
    target = await repair.penalty(office, await office.subject(), date(2026, 8, 1))
    return str((await repair.recorded(office, target))["number"])


async def repair_decision(office: Office) -> str:
    number = await _repair(office)
    await repair.took(repair.department(office), number, "acceptRepair")
    return number


async def repair_extended(office: Office) -> str:
    number = await repair_decision(office)
    await repair.took(repair.department(office), number, "beginRepairReview")
    await repair.took(repair.department(office), number, "extendRepair", ', reason: "案情复杂"')
    return number


async def _objection(office: Office, source: str) -> str:
    record = await objections.penalty(office, await office.subject(), source)
    made = await objections.commerce(office).done(objections.RECORD, {"target": record})
    return str(made["recordObjection"]["number"])


async def objection_answer(office: Office) -> str:
    return await _objection(office, "COMMERCE")


async def objection_forwarded(office: Office) -> str:
    number = await _objection(office, "CUSTOMS")
    await objections.took(objections.commerce(office), number, "forwardObjection")
    return number


async def notification(office: Office) -> str:
    return (await notifications.issued(office, "customs"))[1]


async def report_returned(office: Office) -> str:
    report = await reports._opened(office, 2026, next(_quarters))
    await reports._confirmed(office, report)
    await reports._xining(office).done(reports.SUBMIT, {"n": report["number"]})
    # Three working days: the 31st is one of them.
    office.clock.now = at(2026, 12, 30)
    await reports._province(office).done(reports.RETURN, {"n": report["number"]})
    return str(report["number"])


Open = Callable[[Office], Awaitable[str]]
# Estimated, as a longer and as a shorter January has it; the member of the details that tells the same day.
DEADLINES: dict[str, tuple[Open, str, str, str, tuple[str, ...]]] = {
    "publicity": (publicity, "2027-01-07", "2027-01-08", "2027-01-05", ()),
    "list_defence": (list_defence, "2027-01-05", "2027-01-06", "2027-01-03", ()),
    "list_publication": (list_publication, "2027-01-07", "2027-01-08", "2027-01-05", ("publish_by",)),
    "commitment_defence": (
        commitment_defence, "2027-01-05", "2027-01-06", "2027-01-03", ("notice", "defend_by"),
    ),
    "inspection_plan": (inspection_plan, "2027-01-07", "2027-01-08", "2027-01-05", ()),
    "inspection_result": (inspection_result, "2027-01-07", "2027-01-08", "2027-01-05", ()),
    "outbound_defence": (outbound_defence, "2027-01-05", "2027-01-06", "2027-01-03", ()),
    "repair_decision": (repair_decision, "2027-01-07", "2027-01-08", "2027-01-05", ()),
    "repair_extended": (repair_extended, "2027-01-26", "2027-01-27", "2027-01-22", ("answer_by",)),
    "objection_answer": (objection_answer, "2027-01-07", "2027-01-08", "2027-01-05", ("answer_by",)),
    "objection_forwarded": (objection_forwarded, "2027-01-07", "2027-01-08", "2027-01-05", ("answer_by",)),
    "notification": (notification, "2027-01-12", "2027-01-13", "2027-01-08", ("feedback_by",)),
    "report_returned": (report_returned, "2027-01-05", "2027-01-06", "2027-01-03", ()),
}  # fmt: skip


@pytest.mark.parametrize("way", [LONGER, SHORTER], ids=["longer", "shorter"])
@pytest.mark.parametrize("name", DEADLINES)
async def test_acceptance_02_an_estimated_deadline_moves_with_the_notice_once_and_with_an_event(
    office: Office, name: str, way: dict[int, bool]
) -> None:
    opened, estimated, longer, shorter, member = DEADLINES[name]
    office.clock.now = at(2026, 12, 28)
    number = await opened(office)
    assert (await case_of(office, number))[:2] == (estimated, True)
    assert await recomputed(office) == 0
    await lay(office, way)
    assert await recomputed(office) >= 1
    moved = longer if way is LONGER else shorter
    day, provisional, details = await case_of(office, number)
    assert (day, provisional) == (moved, False)
    if member:
        told: Any = details
        for part in member:
            told = told[part]
        assert told == moved
    (event,) = await moves_of(office, number)
    assert (event["before"], event["due_on"], event["provisional"]) == (estimated, moved, False)
    assert event.get(member[0] if len(member) == 1 else "") == (moved if len(member) == 1 else None)
    # Again there is nothing to do, for any case.
    assert await recomputed(office) == 0
    assert len(await moves_of(office, number)) == 1


@pytest.mark.parametrize("name", DEADLINES)
async def test_a_deadline_is_counted_by_the_calendar_of_its_place_from_the_beginning(
    office: Office, name: str
) -> None:
    office.clock.now = at(2026, 12, 28)
    await lay(office, {})
    # The firms are of Xining; the department of the province handles most of their cases.
    await lay(office, LONGER, "630100")
    number = await DEADLINES[name][0](office)
    assert await recomputed(office) == 0, await case_of(office, number)


# ---- the guards that protect the time for a defence -----------------------------------------------------------------


async def _recognized(office: Office, number: str) -> dict[str, Any]:
    given = {"n": number, "repair": "青商修告〔2026〕1号"}
    return await lists._desk(office).second().ask(lists.RECOGNIZE, given)


async def _established(office: Office, number: str) -> dict[str, Any]:
    return await unit(office).second().ask(ESTABLISH, {"n": number})


async def _filed(office: Office, number: str) -> dict[str, Any]:
    given = abroad.FILE.format(number[-4:])
    step = f"mutation Step($number: String!) {{ case: fileOutboundAdverse(number: $number{given}) {{ number }} }}"
    return await abroad.commerce(office).second().ask(step, {"number": number})


GUARDED = [
    (list_defence, _recognized, "OBJECTION_PERIOD_RUNNING"),
    (commitment_defence, _established, "DEFENCE_PERIOD_RUNNING"),
    (outbound_defence, _filed, "DEFENCE_PERIOD_RUNNING"),
]


@pytest.mark.parametrize(("opened", "decided", "reason"), GUARDED, ids=["list", "commitment", "outbound"])
async def test_r8_2_nothing_is_decided_before_the_defence_is_over_by_the_calendar_that_holds(
    office: Office, opened: Open, decided: Callable[[Office, str], Awaitable[dict[str, Any]]], reason: str
) -> None:
    office.clock.now = at(2026, 12, 28)
    number, short = await opened(office), await opened(office)
    # By the estimate it may be decided on the 6th.
    await lay(office, LONGER)
    await recomputed(office)
    office.clock.now = at(2027, 1, 6)
    assert (await decided(office, number))["errors"][0]["extensions"]["reason"] == reason
    office.clock.now = at(2027, 1, 7)
    assert "errors" not in await decided(office, number)
    # A correction that makes it shorter holds as well.
    office.clock.now = at(2027, 1, 4)
    assert (await decided(office, short))["errors"][0]["extensions"]["reason"] == reason
    await lay(office, {4: True, 5: True} | SHORTER)
    await recomputed(office)
    assert "errors" not in await decided(office, short)
    # What was decided is over, and moves no more.
    moved = len(await moves_of(office, number))
    await lay(office, LONGER)
    await recomputed(office)
    assert len(await moves_of(office, number)) == moved


# ---- what stays ------------------------------------------------------------------------------------------------------


async def test_a_deadline_that_is_certain_is_left_alone(office: Office) -> None:
    code = await office.subject()
    number = await abroad.proposed(office, code)
    named = (await notifications.drafted(office, notifications.commerce(office), "customs", by="2027-01-05"))[
        1
    ]
    await notifications.took(notifications.commerce(office), named, "issueNotification")
    before = [await case_of(office, one) for one in (number, named)]
    office.clock.now = at(2026, 12, 28)
    await lay(office, LONGER)
    assert await recomputed(office) == 0
    assert [await case_of(office, one) for one in (number, named)] == before
    assert [await moves_of(office, one) for one in (number, named)] == [[], []]


async def test_late_stays_late_and_the_day_that_was_told_stays_in_its_event(office: Office) -> None:
    office.clock.now = at(2026, 12, 31)
    number = await _objection(office, "CUSTOMS")
    day, provisional, details = await case_of(office, number)
    # One working day to forward: by the estimate the 4th.
    assert (day, provisional, details["forward_by"]) == ("2027-01-04", True, "2027-01-04")
    office.clock.now = at(2027, 1, 5)
    await objections.took(objections.commerce(office), number, "forwardObjection")
    await lay(office, LONGER | {3: False})
    await recomputed(office)
    _, _, details = await case_of(office, number)
    # By the notice it was the 6th; what was forwarded then was late when it was, and is told so.
    assert (details["forward_by"], details["forwarded_late"]) == ("2027-01-04", 1)
    (event,) = await moves_of(office, number)
    assert event["before"] == "2027-01-12"


async def test_the_day_of_an_enquiry_moves_with_its_objection(office: Office) -> None:
    office.clock.now = at(2026, 12, 28)
    number = await objection_forwarded(office)
    enquiry = (await case_of(office, number))[2]["enquiry"]
    await lay(office, LONGER)
    assert await recomputed(office) == 2
    day, _, details = await case_of(office, enquiry)
    assert (day, details["feedback_by"]) == ("2027-01-08", "2027-01-08")
    assert (await case_of(office, number))[0] == "2027-01-08"


async def test_an_answer_that_waits_behind_another_deadline_moves_before_it_runs(office: Office) -> None:
    office.clock.now = at(2026, 12, 28)
    number = await _repair(office)
    day, provisional, details = await case_of(office, number)
    assert (day, provisional, details["answer_by"]) == ("2026-12-31", False, "2027-01-12")
    await lay(office, LONGER)
    assert await recomputed(office) == 1
    day, provisional, details = await case_of(office, number)
    assert (day, provisional, details["answer_by"]) == ("2026-12-31", False, "2027-01-13")
    assert await moves_of(office, number) == [
        {"before": "2026-12-31", "due_on": "2026-12-31", "provisional": False, "answer_by": "2027-01-13"}
    ]


async def test_days_of_a_region_move_the_cases_of_its_place_alone(office: Office) -> None:
    office.clock.now = at(2026, 12, 28)
    await lay(office, {})
    given = {"behaviour": "OUT-01", "on": "2026-10-01"}
    propose = abroad.PROPOSE.replace('servedOn: "2026-11-23"', f'servedOn: "{BEGINS}"')
    desk: Desk = abroad.commerce(office)
    numbers = []
    for region in ("632701", "630103"):
        code = await office.subject(region=region)
        made = await desk.done(propose, {"code": code, **given})
        numbers.append(str(made["proposeOutboundAdverse"]["number"]))
    assert [(await case_of(office, one))[:2] for one in numbers] == [("2027-01-05", False)] * 2
    assert await recomputed(office) == 0
    # A holiday of the prefecture: certain before, and another day all the same.
    await lay(office, {5: False}, "632700")
    assert await recomputed(office) == 1
    assert [(await case_of(office, one))[:2] for one in numbers] == [
        ("2027-01-06", False),
        ("2027-01-05", False),
    ]


async def test_an_estimated_deadline_that_no_mechanism_counts_is_told_and_keeps_no_other_from_moving(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.clock.now = at(2026, 12, 28)
    other, number = await outbound_defence(office), await list_defence(office)
    await office.rows(
        "UPDATE case_file SET state = 'PROPOSED', due_on = due_on - 1 WHERE number = $1", number
    )
    await lay(office, LONGER)
    assert await recomputed(office) == 1
    assert (await case_of(office, other))[0] == "2027-01-06"
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == [
        f"case {number}: nobody counts the provisional deadline of LIST_ENTRY in PROPOSED"
    ]


def test_each_deadline_that_is_counted_is_one_of_a_state_that_its_machine_has() -> None:
    machines = registry().machines
    for mechanism, state in declared("COUNTED"):
        machine = machines[mechanism]
        assert state in {one.name for one in machine.states} - machine.final


async def test_r7_1_a_notice_that_is_laid_fixes_what_was_provisional(office: Office) -> None:
    """A decision of 28 December 2026, then the notice for 2027, here one that moves 4 January to the Saturday after."""
    office.clock.now = at(2026, 12, 28)
    number = await publicity(office)
    assert (await case_of(office, number))[:2] == ("2027-01-07", True)
    (notice,) = load_notices(NOTICE_2027, "2027.toml")
    async with office.database.writer.acquire() as connection, connection.transaction():
        result = await working_days.lay(connection, notice.region, notice.days(), notice.source_doc)
    assert (result.new, result.changed) == (365, {})
    assert await recomputed(office) == 1
    assert (await case_of(office, number))[:2] == ("2027-01-08", False)
    assert len(await moves_of(office, number)) == 1
    assert await recomputed(office) == 0
