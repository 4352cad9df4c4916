"""What time does to cases: reminders on their day, automatic steps after the deadline, marks once and never early."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import automatic, keep_time
from hub.casework.machine import Actor, Case, Machine, State, Step, Transition
from hub.casework.registry import registry
from hub.casework.rounds import apart
from hub.observe import JsonLines
from hub.rules.calendar import Due, seeded
from hub.rules.reminders import reminded_at, reminders
from schema.governance import Capability
from tests.conftest import Database

# Friday; seven working days end on Tuesday 2026-12-01.
DECIDED = date(2026, 11, 20)
DUE = date(2026, 12, 1)


@dataclass(frozen=True)
class Notes:
    """Details of the machine of these tests."""

    words: str = ""


@dataclass(frozen=True)
class Needed:
    """Details that cannot be without their words."""

    words: str


def _never(_: Case[Any], __: Step) -> str | None:
    return "NOT_YET"


def _machine(mechanism: str, *, guarded: bool = False) -> Machine:
    return Machine(
        mechanism=mechanism, zh="测试", en="test", series="QHT", data_class="D38", details=Notes,
        states=(State(name="OPEN", zh="开", en="open"), State(name="OVER", zh="终", en="over")),
        initial="OPEN", final=frozenset({"OVER"}), ruleset=lambda _: "T",
        transitions=(
            Transition(
                name="expire", zh="到期", en="expire", sources=frozenset({"OPEN"}), target="OVER",
                capability=Capability.CASEWORK, **({"guard": _never} if guarded else {}),
            ),
        ),
    )  # fmt: skip


MACHINES = {
    "PUBLICITY": _machine("PUBLICITY"),
    "ENDING": _machine("ENDING"),
    "GUARDED": _machine("GUARDED", guarded=True),
}
STEPS = {("ENDING", "OPEN"): "expire", ("GUARDED", "OPEN"): "expire"}
OFFICER = Actor(partner="commerce", officer="o-1", capabilities=frozenset({"CASEWORK"}))


async def opened(database: Database, mechanism: str, due: date = DUE) -> Case[Any]:
    """A case with a deadline."""
    at = datetime.combine(DECIDED, datetime.min.time(), SHANGHAI)
    step = Step(OFFICER, {}, at, DECIDED, seeded())
    async with database.writer.acquire() as connection, connection.transaction():
        new = engine.NewCase(subject_id=None, details=Notes(), due=Due(due, False))
        return (await engine.open_cases(connection, MACHINES[mechanism], [new], step))[0]


async def events(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """(transition, payload) of all events but openings."""
    rows = await database.reader.fetch(
        "SELECT transition, payload FROM case_event WHERE transition <> 'open' ORDER BY event_id"
    )
    return [(row["transition"], json.loads(row["payload"])) for row in rows]


def at(day: date, hour: int = 9) -> datetime:
    """An hour of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


async def test_r7_2_the_handler_of_publicity_is_told_on_the_fifth_and_the_seventh_day_once(
    database: Database,
) -> None:
    await opened(database, "PUBLICITY")
    told = []
    for days in range(14):
        day = DECIDED + timedelta(days=days)
        for hour in (0, 9, 23):
            done = await keep_time(database.writer, MACHINES, STEPS, at(day, hour))
            if done.reminded or done.passed:
                told.append((day, done.reminded, done.passed))
    assert told == [(date(2026, 11, 27), 1, 0), (date(2026, 12, 1), 1, 0), (date(2026, 12, 2), 0, 1)]
    assert await events(database) == [
        ("deadline_near", {"due_on": "2026-12-01", "working_days": 2}),
        ("deadline_near", {"due_on": "2026-12-01", "working_days": 0}),
        ("deadline_passed", {"due_on": "2026-12-01"}),
    ]


async def test_a_worker_that_slept_tells_only_what_still_holds(database: Database) -> None:
    await opened(database, "PUBLICITY")
    await keep_time(database.writer, MACHINES, STEPS, at(DUE))
    assert await events(database) == [("deadline_near", {"due_on": "2026-12-01", "working_days": 0})]


async def test_a_deadline_has_passed_at_24_00_in_shanghai_and_not_before(database: Database) -> None:
    await opened(database, "ENDING")
    last = datetime(2026, 12, 1, 15, 59, 59, tzinfo=UTC)
    assert (await keep_time(database.writer, MACHINES, STEPS, last)).stepped == 0
    assert (await keep_time(database.writer, MACHINES, STEPS, last + timedelta(seconds=1))).stepped == 1
    assert await database.reader.fetchval("SELECT state FROM case_file") == "OVER"
    row = await database.reader.fetchrow("SELECT * FROM case_event WHERE transition = 'expire'")
    assert (row["actor_partner"], row["actor_officer"], row["from_state"]) == ("hub", "worker", "OPEN")
    assert (await keep_time(database.writer, MACHINES, STEPS, last + timedelta(days=9))).stepped == 0


async def test_workers_that_keep_time_at_once_take_each_step_once(database: Database) -> None:
    for _ in range(20):
        await opened(database, "ENDING")
        await opened(database, "PUBLICITY")
    now = at(DUE + timedelta(days=1))
    rounds = await asyncio.gather(*(keep_time(database.writer, MACHINES, STEPS, now) for _ in range(4)))
    assert sum(one.stepped for one in rounds) == 20
    assert sum(one.passed for one in rounds) == 20
    assert len(await events(database)) == 40


async def test_a_refused_step_is_told_once_tried_again_and_keeps_no_other_case_waiting(
    database: Database,
) -> None:
    await opened(database, "GUARDED")
    await opened(database, "ENDING")
    now = at(DUE + timedelta(days=1))
    done = await keep_time(database.writer, MACHINES, STEPS, now)
    assert (done.refused, done.stepped, done.passed) == (1, 1, 1)
    told = [("deadline_passed", {"due_on": "2026-12-01"})]
    assert [one for one in await events(database) if one[0] != "expire"] == told
    done = await keep_time(database.writer, MACHINES, STEPS, now + timedelta(minutes=5))
    assert (done.refused, done.stepped, done.passed) == (1, 0, 0)
    assert await database.reader.fetchval("SELECT state FROM case_file WHERE closed_at IS NULL") == "OPEN"
    # Once nothing stands against it, the step is taken.
    free = {**MACHINES, "GUARDED": _machine("GUARDED")}
    assert (await keep_time(database.writer, free, STEPS, now + timedelta(minutes=10))).stepped == 1
    assert [name for name, _ in await events(database)].count("deadline_passed") == 1


async def test_a_broken_case_is_told_by_its_id_alone_and_keeps_no_other_waiting(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    broken = await opened(database, "ENDING")
    # A member that the details need is gone: they load no more.
    await database.writer.execute(
        """UPDATE case_file SET details = '{"other": "王小明"}' WHERE case_id = $1""", broken.case_id
    )
    await opened(database, "ENDING", DUE + timedelta(days=1))
    machine = replace(MACHINES["ENDING"], details=Needed)
    await database.writer.execute(
        """UPDATE case_file SET details = '{"words": "here"}' WHERE case_id <> $1""", broken.case_id
    )
    done = await keep_time(database.writer, {"ENDING": machine}, STEPS, at(DUE + timedelta(days=2)))
    assert (done.stepped, done.refused) == (1, 0)
    (line,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert line.getMessage() == f"case {broken.public_id} is broken, the others go on: TypeError"
    assert "王小明" not in JsonLines().format(line)
    # Tried again in the next round.
    assert await database.reader.fetchval("SELECT count(*) FROM case_file WHERE closed_at IS NULL") == 1


async def test_a_round_ends_when_the_store_is_away(database: Database) -> None:
    for error in (asyncpg.ConnectionDoesNotExistError(), OSError(), asyncpg.AdminShutdownError()):
        with pytest.raises(type(error)), apart("case"):
            raise error
    # A statement of the case that took too long is its own fault: others may be quick.
    slow = asyncpg.QueryCanceledError()
    for passed in (slow, asyncpg.exceptions.DataError(), asyncpg.exceptions._base.DataError(""), KeyError()):
        with apart("case"):
            raise passed


async def test_a_deadline_that_was_moved_is_told_anew(database: Database) -> None:
    await opened(database, "PUBLICITY")
    await keep_time(database.writer, MACHINES, STEPS, at(DUE))
    await database.writer.execute("UPDATE case_file SET due_on = '2026-12-10', version = version + 1")
    await keep_time(database.writer, MACHINES, STEPS, at(date(2026, 12, 10)))
    assert [payload["due_on"] for _, payload in await events(database)] == ["2026-12-01", "2026-12-10"]


async def test_every_case_is_looked_at_however_many_there_are(database: Database) -> None:
    await database.writer.execute(
        "INSERT INTO case_file (mechanism, number, data_class, state, owner, opened_at, opened_on, due_on, ruleset,"
        " details) SELECT 'PUBLICITY', 'N-' || n, 'D38', 'OPEN', 'commerce', now(), $1, $1::date + n % 3, 'T', '{}'"
        " FROM generate_series(1, 1203) n",
        DECIDED,
    )
    done = await keep_time(database.writer, MACHINES, STEPS, at(DUE))
    assert done.passed == 1203


@pytest.mark.parametrize(("mechanism", "days"), [("PUBLICITY", (2, 0)), ("REPAIR", (3, 0))])
def test_reminders_are_rows_of_law_and_say_where_they_come_from(
    mechanism: str, days: tuple[int, ...]
) -> None:
    assert reminded_at(mechanism, DUE) == days
    assert all(row.term.source_doc for row in reminders())


def test_automatic_steps_name_states_and_transitions_of_their_machines() -> None:
    machines = registry().machines
    for (mechanism, state), transition in automatic().items():
        assert state in machines[mechanism].step(transition).sources
