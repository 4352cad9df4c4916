"""Commands over HTTP: the one path, atomic requests, idempotency, rights."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from hub.sandbox.tokens import demo_token
from tests.casework.desk import Office, office_over
from tests.casework.test_bypass import DRAFT, SUBMIT
from tests.conftest import Database

RUN = "mutation Run($code: USCC!) { runCreditCheck(subject: $code) { number conclusion state } }"
CHECK = """
query Check($number: String!) {
  creditCheck(number: $number) { number subject { displayName } events { transition fromState toState officer } }
}
"""
CASES = "SELECT count(*) AS n FROM case_file"


async def _cases(office: Office) -> int:
    return int((await office.rows(CASES))[0]["n"])


async def test_a_command_is_done_and_its_payload_read_by_the_one_path(office: Office) -> None:
    code = await office.subject()
    desk = office.desk()
    made = (await desk.done(RUN, {"code": code}))["runCreditCheck"]
    assert made["state"] == "ISSUED"
    found = (await desk.done(CHECK, {"number": made["number"]}))["creditCheck"]
    assert found["number"] == made["number"]
    assert found["events"] == [
        {"transition": "open", "fromState": None, "toState": "ISSUED", "officer": "commerce-demo-officer"}
    ]


async def test_every_disclosure_of_a_command_is_in_the_ledger(office: Office) -> None:
    code = await office.subject()
    await office.desk(case="BJ-LEDGER-1").done(RUN, {"code": code})
    (row,) = await office.rows("SELECT subject_id FROM subject WHERE uscc = $1", code)
    blocks = await office.rows(
        "SELECT convert_from(entries, 'UTF8') AS entries FROM ledger_block WHERE subjects @> ARRAY[$1::bigint]",
        row["subject_id"],
    )
    (entry,) = [line for block in blocks for line in block["entries"].splitlines() if "BJ-LEDGER-1" in line]
    # How a command will go nobody knows beforehand: its classes are all of the view.
    assert json.loads(entry)["at_most"] is True


async def test_classes_are_a_bound_also_where_a_command_tells_of_no_case(office: Office) -> None:
    code = await office.subject()
    await office.desk(case="BJ-LEDGER-2").done(
        "mutation Run($codes: [String!]!) { runCreditChecks(subjects: $codes) { status } }", {"codes": [code]}
    )
    blocks = await office.rows("SELECT entries FROM ledger_block")
    lines = [json.loads(line) for block in blocks for line in block["entries"].splitlines()]
    assert [one["at_most"] for one in lines if one["case"] == "BJ-LEDGER-2"] == [True]


async def test_all_commands_of_a_request_take_effect_or_none(office: Office) -> None:
    code = await office.subject()
    before = await _cases(office)
    both = f"""mutation {{
      a: runCreditCheck(subject: "{code}") {{ number }}
      b: recordCheckFeedback(number: "QHSC-2026-0000-0000-0000", decision: GRANTED, decidedOn: "2026-11-23") {{ number }}
    }}"""
    assert (await office.desk().refused(both))["code"] == "CASE_UNKNOWN"
    assert await _cases(office) == before


async def test_commands_of_a_request_are_done_in_its_order(office: Office) -> None:
    code = await office.subject()
    two = f'mutation {{ b: runCreditCheck(subject: "{code}") {{ id }} __typename a: runCreditCheck(subject: "{code}") {{ id }} }}'
    data = await office.desk().done(two)
    assert list(data) == ["b", "__typename", "a"]
    assert data["__typename"] == "Mutation"
    rows = await office.rows(
        "SELECT 'c' || replace(public_id::text, '-', '') AS id FROM case_file ORDER BY case_id DESC LIMIT 2"
    )
    assert [row["id"] for row in rows] == [data["a"]["id"], data["b"]["id"]]


async def test_a_key_makes_a_command_be_done_once(office: Office) -> None:
    code = await office.subject()
    desk, before = office.desk(), await _cases(office)
    answers = await asyncio.gather(*(desk.done(RUN, {"code": code}, Idempotency_Key="k-1") for _ in range(8)))
    assert len({answer["runCreditCheck"]["number"] for answer in answers}) == 1
    assert await _cases(office) == before + 1


@pytest.mark.alone
async def test_a_command_that_waited_for_whoever_waits_for_it_is_done_at_a_second_attempt(
    office: Office,
) -> None:
    """The store ends one of the two after a second; nobody needs to hear of it."""
    code = await office.subject()
    desk = office.desk(purpose="ONGOING_SUPERVISION")
    number = (await desk.done(DRAFT, {"code": code}))["draftPublicity"]["number"]
    other = await asyncpg.connect(office.database.owner_dsn)
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM case_file WHERE number = $1 FOR UPDATE", number)
            command = asyncio.create_task(desk.done(SUBMIT, {"n": number}, Idempotency_Key="k-wait"))
            await office.waiting()
            # The command holds its key and waits for the case: this waits for the key.
            lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
            await other.execute(lock, f"{desk.partner}/k-wait")
    finally:
        await other.close()
    assert (await command)["submitPublicity"]["state"]


@pytest.mark.alone
async def test_a_command_that_waits_longer_than_it_may_is_given_up_and_nothing_of_it_is_done(
    database: Database, state_dir: Path
) -> None:
    async with office_over(database, state_dir, {"HUB_COMMAND_TIMEOUT": "0.2"}) as hasty:
        code = await hasty.subject()
        desk = hasty.desk(purpose="ONGOING_SUPERVISION")
        number = (await desk.done(DRAFT, {"code": code}))["draftPublicity"]["number"]
        other = await asyncpg.connect(hasty.database.owner_dsn)
        try:
            async with other.transaction():
                await other.execute("SELECT 1 FROM case_file WHERE number = $1 FOR UPDATE", number)
                async with asyncio.timeout(1.5):
                    assert (await desk.refused(SUBMIT, {"n": number}))["code"] == "STORE_UNAVAILABLE"
                # Nor does the server go on with it: its locks would stand in the way of whoever asks again.
                await hasty.nobody_waits()
        finally:
            await other.close()
        assert (await hasty.rows("SELECT state FROM case_file WHERE number = $1", number))[0][
            "state"
        ] == "DRAFT"
        assert (await desk.done(SUBMIT, {"n": number}))["submitPublicity"]["state"] != "DRAFT"


async def test_a_key_of_another_request_is_a_conflict(office: Office) -> None:
    code, other = await office.subject(), await office.subject()
    desk = office.desk()
    await desk.done(RUN, {"code": code}, Idempotency_Key="k-2")
    assert (await desk.refused(RUN, {"code": other}, Idempotency_Key="k-2"))["code"] == "IDEMPOTENCY_CONFLICT"
    elsewhere = office.desk(case="BJ-2026-0002")
    refusal = await elsewhere.refused(RUN, {"code": code}, Idempotency_Key="k-2")
    assert refusal["code"] == "IDEMPOTENCY_CONFLICT"


async def test_what_one_officer_did_is_not_told_to_another_as_its_own(office: Office) -> None:
    """The author of a draft would else be told that its own review had passed."""
    code, review = (
        await office.subject(),
        'mutation P($n: String!) { passSecrecyReview(number: $n, opinion: "不涉密") { state } }',
    )
    desk = office.desk(purpose="ONGOING_SUPERVISION")
    number = (await desk.done(DRAFT, {"code": code}))["draftPublicity"]["number"]
    await desk.done(SUBMIT, {"n": number})
    done = await desk.second().done(review, {"n": number}, Idempotency_Key="k-review")
    assert (await desk.refused(review, {"n": number}, Idempotency_Key="k-review"))[
        "code"
    ] == "IDEMPOTENCY_CONFLICT"
    assert await desk.second().done(review, {"n": number}, Idempotency_Key="k-review") == done


async def test_a_key_is_the_partners_own(office: Office) -> None:
    code = await office.subject()
    mine = await office.desk().done(RUN, {"code": code}, Idempotency_Key="k-3")
    theirs = await office.desk("commerce-xining").done(RUN, {"code": code}, Idempotency_Key="k-3")
    assert mine != theirs


async def test_a_refused_command_may_be_tried_again_under_its_key(office: Office) -> None:
    code = await office.subject()
    wrong = office.desk(matter="NO-SUCH-MATTER")
    assert (await wrong.refused(RUN, {"code": code}, Idempotency_Key="k-4"))["code"] == "MATTER_UNKNOWN"
    assert await office.desk().done(RUN, {"code": code}, Idempotency_Key="k-4")


async def test_a_key_is_short_and_printable(office: Office) -> None:
    code = await office.subject()
    refusal = await office.desk().refused(RUN, {"code": code}, Idempotency_Key="x" * 65)
    assert refusal["code"] == "BAD_USER_INPUT"


async def test_commands_are_for_post(office: Office) -> None:
    from_get = await office.client.get(
        "/graphql",
        params={"query": 'mutation { runCreditCheck(subject: "91630103MA75ABCD1M") { id } }'},
        headers={"authorization": f"Bearer {_token(office)}", "hub-purpose": "ADMINISTRATIVE_LICENSING",
                 "hub-matter": "SW-XK-OIL", "hub-case": "X", "accept": "application/json"},
    )  # fmt: skip
    assert from_get.status_code == 405


def _token(office: Office) -> str:
    return demo_token(office.database.settings, "commerce", None, 600, office.clock.now)


async def test_who_may_not_command_has_no_type_of_commands(office: Office) -> None:
    types = "{ __schema { mutationType { fields { name } } types { name } } }"
    check = 'mutation { runCreditCheck(subject: "91630103MA75ABCD1M") { id } }'
    auditor = office.desk("auditor", "AUDIT", "AUDIT-1", None)
    schema = (await auditor.done(types))["__schema"]
    assert schema["mutationType"] is None
    assert "Mutation" not in {one["name"] for one in schema["types"]}
    refusal = await auditor.refused(check)
    assert refusal["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert refusal["message"] == "The schema has no mutation operations."
    # A worker shows whom it likes an authorisation (R12.1): that command the public has, and no other.
    public = office.desk("public", "PUBLIC_QUERY", None, None)
    schema = (await public.done(types))["__schema"]
    assert schema["mutationType"] == {"fields": [{"name": "queryDomesticWorker"}]}
    refusal = await public.refused(check)
    assert refusal["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert refusal["message"] == "Cannot query field 'runCreditCheck' on type 'Mutation'."


async def test_nothing_is_done_through_another_partners_eyes(office: Office) -> None:
    code = await office.subject()
    refusal = await office.desk("auditor", "AUDIT", "AUDIT-1", None).refused(
        RUN, {"code": code}, Hub_View_As="commerce/ADMINISTRATIVE_LICENSING"
    )
    assert refusal["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_case_of_others_is_like_one_that_does_not_exist(office: Office) -> None:
    code = await office.subject()
    number = (await office.desk().done(RUN, {"code": code}))["runCreditCheck"]["number"]
    feed = """mutation F($n: String!) {
      recordCheckFeedback(number: $n, decision: GRANTED, decidedOn: "2026-11-23") { number } }"""
    other = office.desk("commerce-xining")
    answers: Counter[tuple[str, str]] = Counter()
    for asked in (number, "QHSC-2026-0000-0000-0000"):
        refusal = await other.refused(feed, {"n": asked})
        answers[refusal["code"], refusal["message"]] += 1
        assert (await other.done(CHECK, {"number": asked}))["creditCheck"] is None
    assert list(answers.values()) == [2]


async def test_cases_are_paged_for_their_parties_only(office: Office) -> None:
    codes = [await office.subject() for _ in range(3)]
    desk = office.desk("commerce-xining", case="BJ-PAGES")
    numbers = [(await desk.done(RUN, {"code": code}))["runCreditCheck"]["number"] for code in codes]
    page = """query P($after: String) { cases(mechanism: CHECK, first: 2, after: $after) {
      edges { node { number __typename mechanism } } pageInfo { hasNextPage endCursor } } }"""
    found, after = [], None
    while True:
        cases = (await desk.done(page, {"after": after}))["cases"]
        found += [edge["node"]["number"] for edge in cases["edges"]]
        after = cases["pageInfo"]["endCursor"]
        if not cases["pageInfo"]["hasNextPage"]:
            break
    assert set(numbers) <= set(found)
    assert len(found) == len(set(found))
    (row,) = await office.rows(
        "SELECT count(*) AS n FROM case_party p JOIN case_file c USING (case_id)"
        " WHERE p.partner = 'commerce-xining' AND c.mechanism = 'CHECK'"
    )
    assert len(found) == row["n"]


async def test_an_event_is_never_changed_nor_taken_away(office: Office) -> None:
    for sql in ("UPDATE case_event SET reason = 'x'", "DELETE FROM case_event", "DELETE FROM case_file",
                "UPDATE case_file SET number = 'x'", "UPDATE case_file SET subject_id = NULL"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await office.database.writer.execute(sql)


async def test_no_case_of_a_firm_with_a_code_becomes_anothers(office: Office) -> None:
    """Cases go to another subject by join_cases alone, from one that had no code."""
    code, other = await office.subject(), await office.subject()
    await office.desk(case="BJ-JOIN").done(RUN, {"code": code})
    whose = "SELECT subject_id FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1"
    before = await office.rows(whose, code)
    assert before
    join = (
        "SELECT join_cases(array_agg(p.subject_id), array_agg(w.subject_id)) FROM subject p, subject w"
        " WHERE p.uscc = $1 AND w.uscc = $2"
    )
    await office.database.writer.execute(join, code, other)
    assert await office.rows(whose, code) == before
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.database.reader.execute(join, code, other)
