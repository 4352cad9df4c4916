"""Whoever is told of a subject by a case or by a refused command stands in the ledger as one who saw it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import asyncpg

from tests.casework.desk import Desk, Office
from tests.casework.promises import SUSPECT, recorded, unit

PROPOSE = """
mutation P($c: USCC!, $l: String!) { proposeListing(subject: $c, listCode: $l, cause: "诚信经营") { number } }
"""
REVOKE = 'mutation V($n: String!) { revokeListing(number: $n, reason: "判决撤销", documentNumber: "判1号") { state } }'
RECORD = 'mutation R($t: ID!) { recordRepairApplication(target: $t, statement: "已改正", evidence: []) { number } }'
DEPARTMENT = {"authority_name": "青海省商务厅", "authority_uscc": "11630000000015122A"}
APPLY = 'mutation A($t: ID!) { applyForRepair(target: $t, statement: "已改正", evidence: []) { number } }'


def _desk(office: Office) -> Desk:
    return office.desk(purpose="ONGOING_SUPERVISION", case=None)


async def _entry(office: Office, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ledger's entry about an answer, with the codes of its subjects."""
    rows = await office.rows("SELECT entries FROM ledger_block")
    lines = [json.loads(line) for row in rows for line in row["entries"].splitlines()]
    found = [one for one in lines if one["request"] == answer["extensions"]["requestId"]]
    if not found:
        return None
    (entry,) = found
    codes = await office.rows(
        "SELECT uscc FROM subject WHERE subject_id = ANY ($1::bigint[])", entry["subjects"]
    )
    assert len(codes) == len(entry["subjects"])
    return {**entry, "codes": {row["uscc"] for row in codes}}


def _why(answer: Mapping[str, Any]) -> str:
    (error,) = answer["errors"]
    said: str = error["extensions"].get("reason", error["extensions"]["code"])
    return said


async def test_a_refusal_that_tells_of_a_firm_is_recorded_as_an_answer_is(office: Office) -> None:
    await office.defined("R-RED", "RED")
    listed, adverse, clean = await office.subject(), await office.subject(), await office.subject()
    await office.listed(listed, "BLACK")
    await office.adverse(adverse, date(2026, 5, 10))
    desk = _desk(office)
    done = await _entry(office, await desk.ask(PROPOSE, {"c": clean, "l": "R-RED"}))
    assert done is not None
    for code, reason in ((listed, "ON_A_BLACK_LIST"), (adverse, "GENERAL_ADVERSE_RECORD")):
        answer = await desk.ask(PROPOSE, {"c": code, "l": "R-RED"})
        assert _why(answer) == reason
        entry = await _entry(office, answer)
        assert entry is not None
        assert entry["codes"] == {code}
        told = ("partner", "officer", "purpose", "view", "operation", "classes")
        assert [entry[name] for name in told] == [done[name] for name in told]


async def test_commands_before_the_refused_one_are_recorded_with_it(office: Office) -> None:
    await office.defined("R-RED", "RED")
    first, second = await office.subject(), await office.subject()
    await office.listed(second, "BLACK")
    both = """mutation P($a: USCC!, $b: USCC!) {
      a: proposeListing(subject: $a, listCode: "R-RED", cause: "诚信经营") { number }
      b: proposeListing(subject: $b, listCode: "R-RED", cause: "诚信经营") { number } }"""
    answer = await _desk(office).ask(both, {"a": first, "b": second})
    assert _why(answer) == "ON_A_BLACK_LIST"
    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == {first, second}


async def test_a_step_that_the_state_of_a_case_refuses_is_recorded(office: Office) -> None:
    await office.defined("R-RED", "RED")
    code, desk = await office.subject(), _desk(office)
    number = (await desk.done(PROPOSE, {"c": code, "l": "R-RED"}))["proposeListing"]["number"]
    answer = await desk.ask(REVOKE, {"n": number})
    assert _why(answer) == "TRANSITION_NOT_ALLOWED"
    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == {code}


async def test_a_hint_about_a_commitment_that_is_refused_is_recorded(office: Office) -> None:
    code = await office.subject()
    number = (await recorded(office, code))["number"]
    answer = await unit(office).ask(SUSPECT, {"n": number})
    assert _why(answer) == "TRANSITION_NOT_ALLOWED"
    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == {code}


async def test_a_unit_is_recorded_that_handles_the_repair_of_what_its_purpose_does_not_show(
    office: Office,
) -> None:
    code = await office.subject()
    draft = await office.adverse(code, date(2026, 11, 1), lifecycle="DRAFT", **DEPARTMENT)
    answer = await office.desk("commerce", "CREDIT_REPAIR", "SW-XF", None).ask(RECORD, {"t": draft})
    assert _why(answer) == "ENDED"
    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == {code}


async def test_a_refusal_that_looked_at_no_subject_records_nothing(office: Office) -> None:
    desk = _desk(office)
    nobody = await desk.ask(PROPOSE, {"c": "91630103MA75ABCD1M", "l": "R-RED"})
    assert _why(nobody) == "SUBJECT_UNKNOWN"
    assert await _entry(office, nobody) is None
    no_case = await desk.ask(REVOKE, {"n": "QHMD-2026-0000-0000-0000"})
    assert _why(no_case) == "CASE_UNKNOWN"
    assert await _entry(office, no_case) is None
    no_hint = await desk.ask(SUSPECT, {"n": "QHCN-2026-0000-0000-0000"})
    assert _why(no_hint) == "CASE_UNKNOWN"
    assert await _entry(office, no_hint) is None


async def test_what_the_caller_is_not_shown_is_refused_and_recorded_like_what_does_not_exist(
    office: Office,
) -> None:
    """An entry would take time, which would tell it from an id that nobody has."""
    hidden = await office.adverse(await office.subject(), date(2026, 11, 1), "MINOR")
    firm = office.desk("subject", "CREDIT_REPAIR", None, None)
    for target in (hidden, "r" + "0" * 32):
        answer = await firm.ask(APPLY, {"t": target})
        assert _why(answer) == "NO_SUCH_RECORD_OR_ENTRY"
        assert await _entry(office, answer) is None


async def test_a_refusal_that_cannot_be_recorded_does_not_leave(office: Office) -> None:
    await office.defined("R-RED", "RED")
    code, desk = await office.subject(), _desk(office)
    await office.listed(code, "BLACK")
    connection = await asyncpg.connect(office.database.owner_dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE ledger_block IN EXCLUSIVE MODE")
            answer = await desk.ask(PROPOSE, {"c": code, "l": "R-RED"})
    finally:
        await connection.close()
    assert _why(answer) == "LEDGER_UNAVAILABLE"
    assert "ON_A_BLACK_LIST" not in json.dumps(answer)
