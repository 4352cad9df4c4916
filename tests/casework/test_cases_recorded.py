"""Whoever is told of a subject by a case or by a refused command stands in the ledger as one who saw it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import get_named_type, is_leaf_type

from hub.query.relations import NAMED, RELATIONS, TARGETS
from hub.sandbox.tokens import DEMO_SUBJECT
from schema.coordinates import vocabulary
from schema.governance import Shape
from tests.casework.desk import Desk, Office
from tests.casework.promises import SUSPECT, anybody, published, recorded, unit

PROPOSE = """
mutation P($c: USCC!, $l: String!) { proposeListing(subject: $c, listCode: $l, cause: "诚信经营") { number } }
"""
REVOKE = 'mutation V($n: String!) { revokeListing(number: $n, reason: "判决撤销", documentNumber: "判1号") { state } }'
RECORD = 'mutation R($t: ID!) { recordRepairApplication(target: $t, statement: "已改正", evidence: []) { number } }'
DEPARTMENT = {"authority_name": "青海省商务厅", "authority_uscc": "11630000000015122A"}
APPLY = 'mutation A($t: ID!) { applyForRepair(target: $t, statement: "已改正", evidence: []) { number } }'

HANDED_IN = """
mutation A($t: ID!, $a: USCC) { applyForRepair(target: $t, statement: "已改正", agent: $a, evidence: []) { %s } }
"""
OBJECTED = f"""
mutation O($t: ID!, $a: USCC) {{ submitObjection(target: $t, ground: INCORRECT, statement: "不是我公司",
  agent: $a, authorizationDigest: "{"0a" * 32}") {{ %s }} }}
"""
BY_AGENT = [(HANDED_IN, "CREDIT_REPAIR", "RepairCase"), (OBJECTED, "OBJECTION_HANDLING", "ObjectionCase")]
LOG = """
mutation L { logTraining(topic: "信用修复", organiser: "西宁市商务局", place: "西宁", heldOn: "2026-11-23", hours: 8, officers: 3) {
  number } }
"""
ATTEND = """
mutation T($n: String!, $c: USCC!) { recordTrainingAttendance(number: $n, subject: $c, attendee: "经办", hours: 8) {
  state %s } }
"""
BATCH = "mutation B($codes: [String!]!) { runCreditChecks(subjects: $codes) { status } }"
ATTENDED = "attendances { subjectName }"
PLAN = """
mutation P($who: [InspectorInput!]!, $region: String) {
  planInspection(title: "抽查", inspectors: $who, region: $region) { number } }
"""
COMMIT = "mutation C($n: String!) { commitDraw(number: $n) { state } }"
DRAW = "mutation D($n: String!) { drawInspection(number: $n) { state } }"
REVEAL = "mutation R($n: String!) { publishDraw(number: $n) { state %s } }"


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


async def _codes(office: Office, desk: Desk, query: str, **values: str) -> set[str]:
    """The codes of the subjects of which the ledger says that the answer told."""
    answer = await desk.ask(query, values)
    assert "errors" not in answer, answer
    entry = await _entry(office, answer)
    assert entry is not None
    return set(entry["codes"])


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


async def test_the_firms_that_a_batch_checks_not_because_they_are_of_another_region_are_recorded(
    office: Office,
) -> None:
    """A row FORBIDDEN tells that there is such a firm; also when the batch comes again under its key."""
    far, near = await office.subject(region="632801"), await office.subject(region="630103")
    desk = office.desk("commerce-xining", "EXHIBITION", "SW-HZ-FAIR")
    codes = {"codes": [far, near, "91440300708461136T"]}
    for _ in range(2):
        answer = await desk.ask(BATCH, codes, idempotency_key="batch-with-a-firm-of-elsewhere")
        told = [row["status"] for row in answer["data"]["runCreditChecks"]]
        assert told == ["FORBIDDEN", "CHECKED", "UNKNOWN_SUBJECT"]
        assert (await _entry(office, answer) or {})["codes"] == {far, near}


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


async def test_the_firms_that_attended_a_training_are_recorded_where_it_is_told_who_did(
    office: Office,
) -> None:
    desk = office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)
    number = (await desk.done(LOG))["logTraining"]["number"]
    first, second = await office.subject(), await office.subject()

    told = partial(_codes, office, desk)

    # A payload is read by the same path.
    assert await told(ATTEND % "", n=number, c=first) == set()
    assert await told(ATTEND % ATTENDED, n=number, c=second) == {first, second}
    one = "query Q($n: String!) { case(number: $n) { number ... on Training { %s } } }"
    assert await told(one % "topic", n=number) == set()
    assert await told(one % ATTENDED, n=number) == {first, second}
    page = "query { cases(mechanism: TRAINING, first: 10) { edges { node { ... on Training { topic %s } } } %s } }"
    assert await told(page % ("", "")) == set()
    assert await told(page % (ATTENDED, "")) == {first, second}
    assert await told(page % (ATTENDED, "pageInfo { hasNextPage endCursor }")) == {first, second}
    # Cases about a firm stand beside it.
    await desk.done("mutation X($n: String!) { closeTraining(number: $n) { state } }", {"n": number})
    mixed = "query { cases(first: 50) { edges { node { ... on Training { %s } } } } }"
    assert {first, second} <= await told(mixed % ATTENDED)


async def test_the_firms_whose_commitments_a_plan_names_are_recorded(office: Office) -> None:
    region, others = "632822", await office.subject(region="632823")
    await published(office, others)
    firms = {await office.subject(region=region) for _ in range(12)}
    promised = {code: (await published(office, code))["id"] for code in sorted(firms)}
    who = [{"id": f"QH-ZF-{number:03}", "conflicts": []} for number in range(5)]
    number = (await unit(office).done(PLAN, {"who": who, "region": region}))["planInspection"]["number"]
    await unit(office).done(COMMIT, {"n": number})
    office.clock.now += timedelta(minutes=5)
    await unit(office).done(DRAW, {"n": number})
    answer = await unit(office).ask(REVEAL % "drawn { object }", {"n": number})
    drawn = {one["object"] for one in answer["data"]["publishDraw"]["drawn"]}
    picked = {code for code, commitment in promised.items() if commitment in drawn}
    assert 0 < len(picked) < len(firms)

    async def told(desk: Desk, selection: str) -> set[str]:
        found = await desk.ask(
            f"query P($n: String!) {{ inspectionPlan(number: $n) {{ {selection} }} }}", {"n": number}
        )
        entry = await _entry(office, found)
        assert entry is not None
        return set(entry["codes"])

    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == picked
    assert await told(anybody(office), "title frameDigest drawnCount") == set()
    assert await told(anybody(office), "drawn { place }") == picked
    assert await told(anybody(office), "frame") == firms
    assert await told(unit(office), "frame drawn { object }") == firms
    assert await told(anybody(office), "... on InspectionPlan { all: frame }") == firms


async def _adverse_of_its_own(office: Office) -> str:
    """An adverse record of the firm that the demo partner `subject` speaks for."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    return await office.adverse(DEMO_SUBJECT, date(2026, 8, 1), **DEPARTMENT)


@pytest.mark.parametrize(("hand_in", "purpose", "kind"), BY_AGENT)
async def test_the_agent_that_acts_for_a_firm_is_recorded_where_it_is_told(
    office: Office, hand_in: str, purpose: str, kind: str
) -> None:
    """Who acts for whom tells of the agent, too."""
    agent, desk = await office.subject(), office.desk("subject", purpose, None, None)

    codes = partial(_codes, office, desk)

    target = await _adverse_of_its_own(office)
    assert await codes(hand_in % "number agent", t=target, a=agent) == {DEMO_SUBJECT, agent}
    page = "query {{ cases(first: 50) {{ edges {{ node {{ number ... on {} {{ {} }} }} }} }} }}"
    assert agent not in await codes(page.format(kind, "statement"))
    assert agent in await codes(page.format(kind, "agent"))


@pytest.mark.parametrize(("hand_in", "purpose", "kind"), BY_AGENT)
async def test_that_an_agent_has_handed_in_too_much_is_recorded_of_it(
    office: Office, hand_in: str, purpose: str, kind: str
) -> None:
    agent, desk = await office.subject(), office.desk("subject", purpose, None, None)
    for _ in range(21):
        target = await _adverse_of_its_own(office)
        answer = await desk.ask(hand_in % "number", {"t": target, "a": agent})
        if "errors" in answer:
            break
    assert _why(answer) == "AGENT_LIMIT_REACHED"
    entry = await _entry(office, answer)
    assert entry is not None
    assert entry["codes"] == {DEMO_SUBJECT, agent}


def test_cases_that_name_subjects_are_reached_where_the_ledger_looks_for_them() -> None:
    """By a query of one or of a page, or as what a command made; else who they name would be told unrecorded."""
    known = vocabulary()
    naming = {one.partition(".")[0] for one in (*NAMED, *TARGETS)}
    assert set(NAMED) <= set(known.rules)
    about = {"case_file", "subject", "delivery_out", "case_event"}
    assert {one: table for one, (table, _) in TARGETS.items()} == {
        coordinate: RELATIONS[rule.target].table
        for coordinate, rule in known.rules.items()
        if rule.shape is Shape.ONE
        and coordinate.partition(".")[0] in known.entities
        and known.entities[coordinate.partition(".")[0]].relation == "case_file"
        and RELATIONS[rule.target].table not in about
    }
    reached = set()
    for coordinate, rule in known.rules.items():
        holder, _, name = coordinate.partition(".")
        named = get_named_type(known.schema.type_map[holder].fields[name].type)
        if is_leaf_type(named) or not naming & set(known.possible(named.name)):
            continue
        if rule.shape is not Shape.COMMAND:
            reached.add((coordinate, rule.target))
    assert reached == {
        ("Query.case", "case"),
        ("Query.inspectionPlan", "case"),
        # The nodes of `cases`.
        ("CaseEdge.node", "node"),
        # From a nomination that is reached so.
        ("HonestModelNomination.listing", "honest.listing"),
        # Cases about lists.
        ("ListRecheckRow.case", "command.case"),
    }


async def test_the_firm_whose_a_record_has_become_is_recorded_where_a_case_about_it_shows_it(
    office: Office,
) -> None:
    """Its source corrects whose a record is; the application that was about it stays the first firm's."""
    first, second = await office.subject(), await office.subject()
    target = await office.adverse(first, date(2026, 5, 10), **DEPARTMENT)
    desk = office.desk("commerce", "CREDIT_REPAIR", "SW-XF", None)
    number = (await desk.done(RECORD, {"t": target}))["recordRepairApplication"]["number"]
    await office.rows(
        "UPDATE record SET subject_id = (SELECT subject_id FROM subject WHERE uscc = $1) WHERE public_id = $2::uuid",
        second, UUID(target[1:]),
    )  # fmt: skip
    one = "query Q($n: String!) { case(number: $n) { number ... on RepairCase { %s } } }"
    shown = await desk.ask(one % "record { subject { ... on Organization { uscc } } }", {"n": number})
    assert shown["data"]["case"]["record"] == {"subject": {"uscc": second}}

    told = partial(_codes, office, desk)

    assert await told(one % "state", n=number) == {first}
    page = "query { cases(mechanism: REPAIR, first: 50) { edges { node { ... on RepairCase { %s } } } } }"
    assert await told(one % "record { title }", n=number) == {first, second}
    assert second in await told(page % "record { title }")
    assert second not in await told(page % "targetKind")
    # What is not shown is not recorded either.
    await office.rows("UPDATE record SET lifecycle = 'DRAFT' WHERE public_id = $1::uuid", UUID(target[1:]))
    assert await told(one % "record { title }", n=number) == {first}


async def test_the_firm_whose_an_entry_has_become_is_recorded_where_a_case_about_it_shows_it(
    office: Office,
) -> None:
    await office.defined("R-RED", "RED")
    first, second, desk = await office.subject(), await office.subject(), _desk(office)
    number = (await desk.done(PROPOSE, {"c": first, "l": "R-RED"}))["proposeListing"]["number"]
    entry = await office.listed(second, "RED")
    await office.rows(
        "UPDATE case_file SET target_public_id = $1::uuid WHERE number = $2", UUID(entry[1:]), number
    )
    one = "query Q($n: String!) { case(number: $n) { ... on ListingCase { state %s } } }"
    assert await _codes(office, desk, one % "", n=number) == {first}
    assert await _codes(office, desk, one % "entry { cause }", n=number) == {first, second}
    page = "query { cases(first: 50) { edges { node { ... on HonestModelNomination { listing { %s } } } } } }"
    assert first in await _codes(office, desk, page % "... on ListingCase { entry { cause } }")
    await office.listed(second, "BLACK")
    look = "mutation { recheckLists { outcome case { ... on ListingCase { entry { cause } } } } }"
    assert second in await _codes(office, desk, look)
