"""The tables of all machines hold, and one with a hole does not build; cases go nowhere but along them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import orjson
import pytest

from hub.casework import engine
from hub.casework.details import from_json, to_json
from hub.casework.machine import Actor, Effects, Machine, NewFact, State, Step, Transition
from hub.casework.registry import registry
from hub.errors import CaseUnknown, CommandForbidden, GuardRefused, InputMissing, RulesInvalid, StateConflict
from hub.rules.calendar import seeded
from schema.casework import Mechanism
from schema.coordinates import vocabulary
from schema.governance import Capability
from tests.casework.desk import MONDAY
from tests.conftest import Database


@dataclass(frozen=True)
class Notes:
    """Details of a machine of this test."""

    words: tuple[str, ...]
    until: date | None = None


def _grow(case: engine.Case[Notes], step: Step) -> Effects:
    return Effects(details={"words": (*case.details.words, step.inputs["reason"])})


def _polite(_: engine.Case[Notes], step: Step) -> str | None:
    return "RUDE" if step.inputs["reason"] == "rude" else None


MACHINE = Machine(
    mechanism="TEST", zh="测试", en="test", series="QHT", data_class="D38", details=Notes,
    states=(State(name="A", zh="甲", en="a"), State(name="B", zh="乙", en="b"), State(name="Z", zh="终", en="end")),
    initial="A", final=frozenset({"Z"}), ruleset=lambda _: "T",
    transitions=(
        Transition(
            name="talk", zh="说", en="talk", sources=frozenset({"A", "B"}), target="B", capability=Capability.CHECK,
            requires=("reason",), guard=_polite, effect=_grow, deadline="check.feedback",
        ),
        Transition(
            name="end", zh="止", en="end", sources=frozenset({"B"}), target="Z", capability=Capability.CASEWORK,
            parties=frozenset({"HANDLER", "SUBJECT"}),
        ),
    ),
)  # fmt: skip
OFFICER = Actor(partner="commerce", officer="o-1", capabilities=frozenset({"CHECK", "CASEWORK"}))


def _step(actor: Actor = OFFICER, **inputs: Any) -> Step:
    return Step(actor, inputs, MONDAY, date(2026, 11, 23), seeded())


async def _open(database: Database) -> engine.Case[Any]:
    async with database.writer.acquire() as connection, connection.transaction():
        new = engine.NewCase(subject_id=None, details=Notes(("first",), date(2026, 12, 1)))
        return (await engine.open_cases(connection, MACHINE, [new], _step()))[0]


async def _take(database: Database, number: str, name: str, step: Step) -> engine.Taken:
    async with database.writer.acquire() as connection, connection.transaction():
        return await engine.apply(connection, {"TEST": MACHINE}, MACHINE, number, name, step)


def test_every_machine_is_in_the_vocabulary_with_its_details_and_rules() -> None:
    found = registry()
    assert {one.value for one in Mechanism} == set(found.machines)
    served = {
        value
        for entity in vocabulary().entities.values()
        if entity.relation == "case_file" and entity.discriminator
        for value in entity.discriminator[1]
    }
    assert served == set(found.machines)
    for machine in found.machines.values():
        assert machine.rules, machine.mechanism
        for transition in machine.transitions:
            assert transition.rules, (machine.mechanism, transition.name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial": "Q"}, "unknown"),
        ({"final": frozenset({"A", "Z"})}, "leads out of a final state"),
        ({"transitions": MACHINE.transitions[:1]}, "never reached"),
        ({"transitions": (*MACHINE.transitions, MACHINE.transitions[0])}, "said twice"),
        ({"states": (*MACHINE.states, MACHINE.states[0])}, "said twice"),
    ],
)
def test_a_table_with_a_hole_does_not_build(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RulesInvalid, match=message):
        replace(MACHINE, **change)


def test_details_come_back_as_they_were() -> None:
    notes = Notes(("甲", "乙"), date(2026, 12, 1))
    assert from_json(Notes, orjson.loads(to_json(notes))) == notes
    assert from_json(Notes, {"words": []}) == Notes(())


async def test_a_step_writes_state_details_deadline_and_one_event(database: Database) -> None:
    case = await _open(database)
    taken = (await _take(database, case.number, "talk", _step(reason="hello", document_number="号"))).case
    assert (taken.state, taken.details.words, taken.due_on) == ("B", ("first", "hello"), date(2026, 12, 23))
    rows = await database.reader.fetch(
        "SELECT transition, from_state, to_state, actor_officer, reason, document_number FROM case_event ORDER BY event_id"
    )
    assert [tuple(row) for row in rows] == [
        ("open", None, "A", "o-1", None, None),
        ("talk", "A", "B", "o-1", "hello", "号"),
    ]
    async with database.writer.acquire() as connection, connection.transaction():
        found, roles = await engine.find(connection, MACHINE, "c" + case.public_id.replace("-", ""), OFFICER)
    assert (found, roles) == (replace(taken, opened_at=found.opened_at), {"HANDLER"})


async def test_no_transition_outside_the_table(database: Database) -> None:
    case = await _open(database)
    with pytest.raises(StateConflict):
        await _take(database, case.number, "end", _step())
    with pytest.raises(RulesInvalid):
        await _take(database, case.number, "fly", _step())
    await _take(database, case.number, "talk", _step(reason="x"))
    await _take(database, case.number, "end", _step())
    with pytest.raises(StateConflict):
        await _take(database, case.number, "talk", _step(reason="x"))
    row = await database.reader.fetchrow("SELECT state, closed_at, version FROM case_file")
    assert tuple(row) == ("Z", MONDAY, 3)


@pytest.mark.parametrize(
    ("actor", "inputs", "error"),
    [
        (OFFICER, {}, InputMissing),
        (OFFICER, {"reason": ""}, InputMissing),
        (OFFICER, {"reason": "rude"}, GuardRefused),
        (replace(OFFICER, capabilities=frozenset()), {"reason": "x"}, CommandForbidden),
        (replace(OFFICER, partner="mall"), {"reason": "x"}, CaseUnknown),
    ],
)
async def test_a_refused_step_leaves_nothing(
    database: Database, actor: Actor, inputs: dict[str, str], error: type[Exception]
) -> None:
    case = await _open(database)
    with pytest.raises(error):
        await _take(database, case.number, "talk", _step(actor, **inputs))
    assert tuple(await database.reader.fetchrow("SELECT state, version FROM case_file")) == ("A", 1)
    assert await database.reader.fetchval("SELECT count(*) FROM case_event") == 1


def test_a_refused_step_says_which_condition_in_words_of_both_languages() -> None:
    refused = GuardRefused(reason="SECOND_PERSON_NEEDED").again()
    assert refused.public_message == "Another officer must take this step."
    assert refused.meaning == {"code": "GUARD_REFUSED", "messageZh": "此步骤须由另一名经办人办理"}
    assert refused.extensions == {"reason": "SECOND_PERSON_NEEDED"}
    paper = GuardRefused(reason="EVIDENCE_UNKNOWN:PHOTO")
    assert paper.public_message == "This kind of paper is not known: PHOTO"
    unexplained = GuardRefused(reason="ON_A_WHIM")
    assert unexplained.public_message == (GuardRefused.__doc__ or "")
    assert unexplained.meaning["messageZh"] == GuardRefused.zh


async def test_a_party_may_take_only_the_steps_of_its_role(database: Database) -> None:
    case = await _open(database)
    await database.writer.execute(
        "INSERT INTO case_party SELECT case_id, 'reform', 'OBSERVER', now() FROM case_file"
    )
    with pytest.raises(CommandForbidden):
        await _take(database, case.number, "talk", _step(replace(OFFICER, partner="reform"), reason="x"))


async def test_the_hubs_own_work_needs_no_capability(database: Database) -> None:
    case = await _open(database)
    hub = Actor(partner="hub", officer="deadlines", system=True)
    assert (await _take(database, case.number, "talk", _step(hub, reason="due"))).case.state == "B"


async def test_steps_at_the_same_time_take_their_turns(database: Database) -> None:
    case = await _open(database)
    await asyncio.gather(*(_take(database, case.number, "talk", _step(reason=str(n))) for n in range(8)))
    row = await database.reader.fetchrow("SELECT version, details->'words' AS words FROM case_file")
    assert row["version"] == 9
    assert sorted(orjson.loads(row["words"])) == sorted(["first", *map(str, range(8))])


async def test_a_step_that_fails_halfway_leaves_nothing(database: Database) -> None:
    def broken(_: engine.Case[Any], __: Step) -> Effects:
        return Effects(details={"words": ("lost",)}, facts=(NewFact("record", {"title": "no subject"}),))

    machine = replace(
        MACHINE, transitions=(replace(MACHINE.transitions[0], effect=broken), MACHINE.transitions[1])
    )
    case = await _open(database)
    with pytest.raises(Exception, match="null value"):
        async with database.writer.acquire() as connection, connection.transaction():
            await engine.apply(connection, {}, machine, case.number, "talk", _step(reason="x"))
    assert tuple(await database.reader.fetchrow("SELECT state, version FROM case_file")) == ("A", 1)
    assert await database.reader.fetchval("SELECT count(*) FROM case_event") == 1


def test_moments_and_days_are_kept_with_their_offsets() -> None:
    @dataclass(frozen=True)
    class Times:
        at: datetime
        on: date

    times = Times(MONDAY, date(2026, 11, 23))
    text = to_json(times)
    assert orjson.loads(text) == {"at": "2026-11-23T02:00:00+00:00", "on": "2026-11-23"}
