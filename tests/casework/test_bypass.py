"""Ways around the rights of casework that were tried: what a command waits for, repeats, opens or finds."""

from __future__ import annotations

import asyncio
import time
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from hub.rights.identity import issue
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework import test_listings as listings
from tests.casework.check_documents import BATCH
from tests.casework.desk import MONDAY, Office
from tests.casework.test_listings import RECHECK, _served
from tests.casework.test_measures import BASIS, INITIATE
from tests.reference.ids import permuted

SUBMIT = "mutation S($n: String!) { submitPublicity(number: $n) { state } }"
DRAFT = """
mutation D($code: USCC!) {
  draftPublicity(subject: $code, kind: PENALTY, title: "t", decisionNumber: "d", decidedOn: "2026-11-20",
    authority: "a", text: "t") { number state }
}
"""
CHECK = "mutation C($code: USCC!) { runCreditCheck(subject: $code) { number } }"
NOTIFY = """
mutation N($code: USCC!, $facts: String!, $files: [NotificationEvidenceInput!]) {
  draftNotification(subject: $code, to: ["customs"], topic: "t", facts: $facts, evidence: $files) { number } }
"""
DEFEND = 'mutation D($n: String!) { stateListingDefence(number: $n, statement: "已缴存") { state } }'
# Golmud: not in the region of Xining.
FAR = "632801"


@pytest.mark.alone
async def test_a_stranger_does_not_wait_for_whoever_holds_a_case(office: Office) -> None:
    """Otherwise the wait would tell that the case exists, and strangers could hold it up."""
    code = await office.subject()
    number = (await office.desk(purpose="ONGOING_SUPERVISION").done(DRAFT, {"code": code}))["draftPublicity"][
        "number"
    ]
    stranger = office.desk("commerce-xining", "ONGOING_SUPERVISION")
    absent = await stranger.refused(SUBMIT, {"n": "GS-2026-999999"})
    connection = await asyncpg.connect(office.database.owner_dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM case_file WHERE number = $1 FOR UPDATE", number)
            begun = time.monotonic()
            there = await stranger.refused(SUBMIT, {"n": number})
            waited = time.monotonic() - begun
    finally:
        await connection.close()
    assert there == absent
    assert there["code"] == "CASE_UNKNOWN"
    # A command that waits is given up after two seconds.
    assert waited < 1.5


async def test_subjects_that_come_through_one_partner_have_keys_of_their_own(office: Office) -> None:
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    other = await office.subject()
    number = await _served(office, DEMO_SUBJECT, "L-BLACK")
    key = f"k-{uuid4()}"
    first = await _as_subject(office, DEMO_SUBJECT, number, key)
    assert first["data"]["stateListingDefence"]["state"]
    # The same words under the same key: for another subject they are a first attempt at a case of somebody else.
    second = await _as_subject(office, other, number, key)
    assert second["errors"][0]["extensions"]["code"] == "CASE_UNKNOWN"
    again = await _as_subject(office, DEMO_SUBJECT, number, key)
    assert again["data"] == first["data"]


async def _as_subject(office: Office, code: str, number: str, key: str) -> dict[str, Any]:
    signer = demo_issuer(office.database.settings.state_dir)
    token = issue(
        signer.private_key, alg=signer.key.alg, kid=signer.key.kid, iss=signer.key.iss,
        audience=office.database.settings.token_audience, partner="subject", officer="o", subject=code,
        now=office.clock.now.timestamp(), lifetime=600, purpose=None,
    )  # fmt: skip
    headers = {"authorization": f"Bearer {token}", "hub-purpose": "SELF_QUERY", "idempotency-key": key}
    response = await office.client.post(
        "/graphql", json={"query": DEFEND, "variables": {"n": number}}, headers=headers
    )
    answer: dict[str, Any] = orjson.loads(response.content)
    return answer


async def test_an_error_after_a_command_took_effect_says_so_and_its_key_gives_the_answer(
    office: Office,
) -> None:
    """Whoever does not know would do it twice."""
    code = await office.subject()
    key, cases = f"k-{uuid4()}", "SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1"

    desk = office.desk(purpose="ONGOING_SUPERVISION")
    connection = await asyncpg.connect(office.database.superuser_dsn)
    try:
        await connection.execute("REVOKE INSERT ON ledger_block FROM hub_writer")
        try:
            (error,) = (await desk.ask(DRAFT, {"code": code}, idempotency_key=key))["errors"]
        finally:
            await connection.execute("GRANT INSERT ON ledger_block TO hub_writer")
    finally:
        await connection.close()
    assert (error["extensions"]["code"], error["extensions"]["committed"]) == ("LEDGER_UNAVAILABLE", True)
    assert len(await office.rows(cases, code)) == 1
    # The ledger's connection comes back by itself.
    for _ in range(50):
        again = await desk.ask(DRAFT, {"code": code}, idempotency_key=key)
        if "errors" not in again:
            break
        await asyncio.sleep(0.1)
    assert again["data"]["draftPublicity"]["number"]
    assert len(await office.rows(cases, code)) == 1


@pytest.mark.parametrize("query", [DRAFT, CHECK])
async def test_nobody_opens_a_case_that_it_may_not_see(office: Office, query: str) -> None:
    """P2 works in its own region only (DOMAIN 6.3): elsewhere a command is refused, and nothing stays of it."""
    code = await office.subject(region=FAR)
    desk = office.desk("commerce-xining", "ONGOING_SUPERVISION" if query is DRAFT else "EXHIBITION", "M-1")
    told = await desk.ask(query, {"code": code})
    assert "data" not in told
    cases = "SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1"
    assert await office.rows(cases, code) == []
    own = await office.subject(region="630103")
    if query is DRAFT:
        assert (await desk.done(query, {"code": own}))["draftPublicity"]["number"]
        assert len(await office.rows(cases, own)) == 1


async def _checks(office: Office, code: str) -> list[Any]:
    return await office.rows(
        "SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'CHECK' AND uscc = $1",
        code,
    )


async def test_a_batch_checks_no_subject_whose_check_its_caller_may_not_see(office: Office) -> None:
    """P2 works in its own region only: what a single check refuses, a row of a batch refuses."""
    far, near = await office.subject(region=FAR), await office.subject(region="630103")
    asked = [far, near, far, "91440300708461136T"]
    desk = office.desk("commerce-xining", "EXHIBITION", "SW-HZ-FAIR")
    assert (await desk.refused(CHECK, {"code": far}))["code"] == "FORBIDDEN"
    rows = (await desk.done(BATCH, {"codes": asked}))["runCreditChecks"]
    told = [(row["status"], row["check"] is not None) for row in rows]
    assert told == [("FORBIDDEN", False), ("CHECKED", True), ("FORBIDDEN", False), ("UNKNOWN_SUBJECT", False)]
    assert (await _checks(office, far), len(await _checks(office, near))) == ([], 1)
    province = office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    rows = (await province.done(BATCH, {"codes": asked}))["runCreditChecks"]
    assert [row["status"] for row in rows] == ["CHECKED", "CHECKED", "DUPLICATE", "UNKNOWN_SUBJECT"]


async def test_rows_of_a_command_name_no_case_that_its_caller_may_not_see(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that forgot to ask is refused as a whole, and nothing stays of it."""

    async def nobody(*_: object) -> frozenset[str]:
        return frozenset()

    monkeypatch.setattr("hub.casework.checks.machine.beyond", nobody)
    far, near = await office.subject(region=FAR), await office.subject(region="630103")
    desk = office.desk("commerce-xining", "EXHIBITION", "SW-HZ-FAIR")
    assert (await desk.refused(BATCH, {"codes": [near, far]}))["code"] == "FORBIDDEN"
    assert await _checks(office, far) == await _checks(office, near) == []
    assert (await desk.done(BATCH, {"codes": [near]}))["runCreditChecks"][0]["check"]


async def test_a_look_at_the_lists_goes_on_with_what_its_caller_took_up_and_leaves_what_it_is_not_shown(
    office: Office,
) -> None:
    """R8.3: a firm that moved is suspended by the department that put it on the list in its region, and by no other."""
    moved, stays = await office.subject(region="630103"), await office.subject(region="630103")
    far = await office.subject(region=FAR)
    for code in (moved, stays, far):
        await listings._published(office, code, "L-RED")
        await office.adverse(code, date(2026, 11, 20), "SERIOUS")
    await office.rows(
        "UPDATE case_file SET owner = 'commerce-xining' WHERE mechanism = 'LIST_ENTRY' AND subject_id IN"
        " (SELECT subject_id FROM subject WHERE uscc = ANY ($1))",
        [moved, stays, far],
    )
    await office.rows(
        "INSERT INTO case_party SELECT case_id, 'commerce-xining', 'HANDLER', $2 FROM case_file JOIN subject"
        " USING (subject_id) WHERE mechanism = 'LIST_ENTRY' AND uscc = ANY ($1)",
        [moved, stays, far],
        MONDAY,
    )
    await office.rows("UPDATE subject SET region_code = $2 WHERE uscc = $1", moved, FAR)
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", case=None)
    rows = (await xining.done(RECHECK))["recheckLists"]
    assert all(row["case"] for row in rows)
    found = await office.rows(
        "SELECT uscc, state FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'LIST_ENTRY'"
        " AND uscc = ANY ($1)",
        [moved, stays, far],
    )
    assert {row["uscc"]: row["state"] for row in found} == {
        moved: "SUSPENDED",
        stays: "SUSPENDED",
        far: "PUBLISHED",
    }


async def test_a_look_at_the_lists_opens_conflicts_of_ones_own_region_only(office: Office) -> None:
    far, near = await office.subject(region=FAR), await office.subject(region="630103")
    for code in (far, near):
        await office.listed(code, "RED")
        await office.listed(code, "BLACK")
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", case=None)
    rows = (await xining.done(RECHECK))["recheckLists"]
    found = await office.rows(
        "SELECT uscc FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'LIST_CONFLICT'"
        " AND uscc = ANY ($1)",
        [far, near],
    )
    assert [row["uscc"] for row in found] == [near]
    assert all(row["case"] for row in rows)


async def test_an_entry_that_is_hidden_is_answered_like_none(office: Office) -> None:
    code = await office.subject()
    desk = office.desk(purpose="JOINT_PUNISHMENT", case=None)
    given = {"effect": "BLOCK", "by": "customs", "ends": "2027-01-01", **BASIS}
    absent = await desk.refused(INITIATE, {**given, "entry": "l" + "1" * 32})
    # A watch list is not shown for this purpose (D12).
    watched = await office.listed(code, "WATCH")
    assert await desk.refused(INITIATE, {**given, "entry": watched}) == absent


async def test_commands_take_an_id_about_a_person_in_the_callers_own_form_only(office: Office) -> None:
    plain = await _listed_person(office)
    secret = office.database.settings.id_key
    desk = office.desk(purpose="JOINT_PUNISHMENT", case=None)
    given = {"effect": "BLOCK", "by": "customs", "ends": "2027-01-01", **BASIS}
    reasons = {
        name: (await desk.refused(INITIATE, {**given, "entry": f"l{id_}"}))["reason"]
        for name, id_ in {
            "own": permuted(plain, "P1", secret),
            "another": permuted(plain, "P2", secret),
            "plain": plain,
        }.items()
    }
    assert reasons == {
        "own": "NATURAL_PERSON",
        "another": "NO_ENTRY_IN_FORCE",
        "plain": "NO_ENTRY_IN_FORCE",
    }


@pytest.mark.parametrize("number", ["630102199003074514", "６３０１０２ 19900307 4514"])
async def test_no_text_of_a_case_holds_a_number_of_a_person(office: Office, number: str) -> None:
    """D3: whatever mechanism keeps it, and whoever would read it; nothing of the number is repeated, and nothing stays."""
    code = await office.subject()
    desk = office.desk(purpose="NOTIFICATION", case=None)
    given = {"code": code, "facts": f"法人身份证{number}", "files": []}
    told = await desk.refused(NOTIFY, given)
    assert (told["code"], told["argument"], told["found"]) == ("BAD_USER_INPUT", "facts", "RESIDENT_ID")
    assert "0307" not in str(told)
    # In what is handed in with it, too.
    files = [{"name": f"{number}.pdf", "digest": "66" * 32}]
    assert (await desk.refused(NOTIFY, {**given, "facts": "事实", "files": files}))["argument"] == "evidence"
    cause = 'mutation P($code: USCC!, $cause: String!) { proposeListing(subject: $code, listCode: "L-RED", cause: $cause) { number } }'
    await listings._lists(office)
    work = office.desk(purpose="ONGOING_SUPERVISION", case=None)
    assert (await work.refused(cause, {"code": code, "cause": f"{number}诚信"}))["argument"] == "cause"
    assert (
        await office.rows("SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1", code)
        == []
    )
    # Figures that are nobody's are words like others.
    made = await desk.done(NOTIFY, {**given, "facts": f"{code} 报关单号 530220260000012345 电话0971-8230000"})
    assert made["draftNotification"]["number"]


async def test_no_number_of_a_person_is_kept_for_a_repetition(office: Office) -> None:
    """D3: not even when it was given in place of a firm's code, and all that is wrong with it is that it is none."""
    number, desk = "630102199003074514", office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    told = await desk.refused(BATCH, {"codes": [await office.subject(), number]}, idempotency_key="a-person")
    assert (told["code"], told["argument"]) == ("BAD_USER_INPUT", "subjects")
    assert number not in str(told)
    assert await office.rows("SELECT 1 FROM idempotency WHERE outcome::text LIKE $1", f"%{number}%") == []


async def _listed_person(office: Office) -> str:
    """A person on a black list; gives the entry's id as the store has it."""
    await office.listed(await office.subject(), "BLACK")
    plain = uuid4()
    await office.rows(
        "WITH p AS (INSERT INTO subject (kind, display_name, name_key, region_code) VALUES ('NATURAL_PERSON',"
        " '马得林', '马得林', '630103') RETURNING subject_id)"
        " INSERT INTO list_entry (subject_id, public_id, source, source_record_id, provider_name, catalog_item_code,"
        " fetched_at, recorded_at, payload_digest, data_class, list_code, color, state, recognized_on)"
        " SELECT subject_id, $1, 'COMMERCE', $2, '商务', 'T', $3, $3, $2, 'D11', 'T-BLACK', 'BLACK', 'PUBLISHED', $4 FROM p",
        plain,
        plain.hex * 2,
        MONDAY,
        date(2026, 6, 1),
    )
    return plain.hex
