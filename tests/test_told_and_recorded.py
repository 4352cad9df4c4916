"""What an answer told is what the ledger holds and the quota counts, and each refusal has a name in the log."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from hub.ledger.audit import who_saw
from hub.rights.identity import issue
from hub.sandbox.issuer import demo_issuer
from tests.conftest import Database
from tests.scene import NOW, Answered, ServedScene, served_scene

_USED = "SELECT coalesce(sum(subjects), 0)::int FROM quota_use WHERE partner = $1"
NUMBER = "query($n: String!) { subject(scheme: RESIDENT_ID, value: $n) { id } }"


@pytest.fixture(scope="module")
async def hub(shared_database: Database) -> AsyncIterator[ServedScene]:
    """The hub over the scene, for all tests of the module."""
    async with served_scene(shared_database) as served:
        yield served


async def recorded(hub: ServedScene, answer: Answered) -> Mapping[str, Any]:
    """The ledger's entry about an answer."""
    assert answer.codes == []
    (entry,) = await entries(hub, answer)
    return entry


async def entries(hub: ServedScene, answer: Answered) -> list[Mapping[str, Any]]:
    """All that the ledger holds about an answer or a refusal."""
    connection = await asyncpg.connect(hub.database.auditor_dsn)
    try:
        blocks = await connection.fetch("SELECT entries FROM ledger_block")
    finally:
        await connection.close()
    lines = [json.loads(line) for block in blocks for line in block["entries"].splitlines()]
    return [one for one in lines if one["request"] == answer.body["extensions"]["requestId"]]


@pytest.mark.parametrize(
    ("selection", "told", "untold"),
    [
        ("displayName", {"D1"}, {"D2", "D4", "D6", "D14", "D33"}),
        ("records(first: 5) { edges { node { title } } }", {"D4", "D6"}, {"D2", "D14"}),
        ("... on Organization { contact { phone } }", {"D1", "D2"}, {"D6", "D14"}),
        ("summary { hasSeriousDishonestyEntry }", {"D10"}, {"D2", "D4"}),
    ],
)
async def test_the_ledger_holds_the_classes_that_were_asked_for(
    hub: ServedScene, selection: str, told: set[str], untold: set[str]
) -> None:
    query = f"query($code: String!) {{ subject(value: $code) {{ {selection} }} }}"
    code = {"code": hub.scene.merchant["uscc"]}
    entry = await recorded(hub, await hub.ask("commerce", query, code, purpose="ONGOING_SUPERVISION"))
    classes = {one.partition("=")[0] for one in entry["classes"].split()}
    assert told <= classes
    assert not untold & classes
    assert "at_most" not in entry


@pytest.mark.parametrize("part", ["edges { cursor }", "edges { __typename }", "pageInfo { endCursor }"])
async def test_a_page_tells_of_its_rows_by_its_cursors_alone(hub: ServedScene, part: str) -> None:
    """Who asks so for minor penalties learns whether there is one that was never published (D7)."""
    query = f"""query($code: String!) {{ subject(value: $code) {{
      records(first: 1, filter: {{seriousness: [MINOR]}}) {{ {part} }} }} }}"""
    code = {"code": hub.scene.merchant["uscc"]}
    entry = await recorded(hub, await hub.ask("commerce", query, code, purpose="ONGOING_SUPERVISION"))
    assert {"D4=FULL", "D6=FULL", "D7=FULL"} <= set(entry["classes"].split())
    assert "at_most" not in entry


async def test_a_page_of_no_rows_tells_of_the_one_that_follows(hub: ServedScene) -> None:
    """Who asks so by the number of a decision learns whether there is such a record: of whom it is, is recorded."""
    find = "query($code: String!) { subject(value: $code) { records(first: 1) { edges { node { documentNumber } } } } }"
    found = await hub.ask(
        "commerce", find, {"code": hub.scene.merchant["uscc"]}, purpose="ONGOING_SUPERVISION"
    )
    number = found.data["subject"]["records"]["edges"][0]["node"]["documentNumber"]
    query = """query($number: String!) {
      records(first: 0, filter: {documentNumber: $number}) { edges { cursor } pageInfo { hasNextPage } } }"""
    answer = await hub.ask("commerce", query, {"number": number}, purpose="ONGOING_SUPERVISION")
    assert answer.data["records"] == {"edges": [], "pageInfo": {"hasNextPage": True}}
    assert (await recorded(hub, answer))["subjects"] == [hub.scene.merchant["subject_id"]]
    none = await hub.ask("commerce", query, {"number": "no such"}, purpose="ONGOING_SUPERVISION")
    assert none.data["records"] == {"edges": [], "pageInfo": {"hasNextPage": False}}
    assert (await recorded(hub, none))["subjects"] == []


async def test_a_case_tells_of_more_than_its_own_class(hub: ServedScene) -> None:
    query = "{ cases(first: 1) { edges { node { number } } } }"
    entry = await recorded(hub, await hub.ask("commerce", query, purpose="ONGOING_SUPERVISION"))
    assert {"D6=FULL", "D38=FULL"} <= set(entry["classes"].split())
    assert entry["at_most"] is True


async def test_what_tells_nothing_records_no_class(hub: ServedScene) -> None:
    entry = await recorded(hub, await hub.ask("mall", "{ __typename sources { source } }"))
    assert entry["classes"] == ""


async def test_an_explanation_about_a_subject_is_recorded_and_counted(hub: ServedScene) -> None:
    query = 'query($code: USCC!) { explain(coordinate: "Contact.phone", subject: $code) { reason } }'
    before = await used(hub, "commerce")
    answer = await hub.ask(
        "commerce", query, {"code": hub.scene.merchant["uscc"]}, purpose="ONGOING_SUPERVISION"
    )
    assert (await recorded(hub, answer))["subjects"] == [hub.scene.merchant["subject_id"]]
    assert await used(hub, "commerce") == before + 1


@pytest.mark.parametrize(
    "refused",
    [
        'explain(coordinate: "Nope.nope", subject: $code) { reason }',
        'explain(coordinate: "Contact.phone", subject: $code) { reason } records(after: "forged") { edges { cursor } }',
    ],
)
async def test_a_refusal_that_comes_after_a_subject_was_found_is_recorded(
    hub: ServedScene, refused: str
) -> None:
    """It tells that there is such a firm: of an unknown one another refusal comes first, and tells of nobody."""
    query = f"query($code: USCC!) {{ {refused} }}"
    known = await hub.ask(
        "commerce", query, {"code": hub.scene.merchant["uscc"]}, purpose="ONGOING_SUPERVISION"
    )
    unknown = await hub.ask("commerce", query, {"code": "91440300708461136T"}, purpose="ONGOING_SUPERVISION")
    assert known.codes == unknown.codes == ["BAD_USER_INPUT"]
    assert known.body["errors"][0]["message"] != unknown.body["errors"][0]["message"]
    assert [one["subjects"] for one in await entries(hub, known)] == [[hub.scene.merchant["subject_id"]]]
    assert await entries(hub, unknown) == []


async def test_whoever_looks_through_another_s_eyes_uses_its_own_quota(hub: ServedScene) -> None:
    query = "query($code: String!) { subject(value: $code) { displayName } }"
    of_mall, of_auditor = await used(hub, "mall"), await used(hub, "auditor")
    seen = await hub.ask("auditor", query, {"code": hub.scene.merchant["uscc"]}, hub_view_as="mall")
    assert seen.codes == []
    assert await used(hub, "mall") == of_mall
    assert await used(hub, "auditor") == of_auditor + 1


@pytest.mark.parametrize(
    ("eyes", "kept"),
    [
        ("mall", "mall/MERCHANT_ADMISSION"),
        ("customs/NOTIFICATION", "customs/NOTIFICATION"),
        (None, None),
    ],
)
async def test_it_is_recorded_through_whose_eyes_an_auditor_looked(
    hub: ServedScene, eyes: str | None, kept: str | None
) -> None:
    """Whose rows and levels they were, its own name and purpose do not say."""
    query = "query($code: String!) { subject(value: $code) { displayName } }"
    more = {"hub_view_as": eyes} if eyes else {}
    answer = await hub.ask("auditor", query, {"code": hub.scene.merchant["uscc"]}, **more)
    entry = await recorded(hub, answer)
    assert (entry["partner"], entry["purpose"], entry.get("view_as")) == ("auditor", "AUDIT", kept)
    connection = await asyncpg.connect(hub.database.auditor_dsn)
    try:
        seen = await who_saw(connection, hub.scene.merchant["subject_id"], partner="auditor")
    finally:
        await connection.close()
    assert [one.view_as for one in seen if one.request_id == entry["request"]] == [kept]


async def test_an_explanation_through_another_s_eyes_tells_no_more_than_both_see(hub: ServedScene) -> None:
    """Also for another purpose of the other's: D2 is masked for auditors, whatever customs or commerce see."""
    query = '{ explain(coordinate: "Contact.phone", purpose: ONGOING_SUPERVISION) { level } }'
    own = await hub.ask("commerce", query, purpose="ONGOING_SUPERVISION")
    assert {one["level"] for one in own.data["explain"]} == {"FULL"}
    for eyes in ("commerce", "commerce/ONGOING_SUPERVISION", "commerce/JOINT_PUNISHMENT"):
        seen = await hub.ask("auditor", query, hub_view_as=eyes)
        assert {one["level"] for one in seen.data["explain"]} == {"MASKED"}


async def used(hub: ServedScene, partner: str) -> int:
    """Subjects that the partner has asked about today, once the hub has written it down.

    All that was asked until then is written together: when it is so of one who asks only here, it is of all.
    """
    connection = await asyncpg.connect(hub.database.superuser_dsn)
    try:
        before = await connection.fetchval(_USED, "public")
        query = "query($code: String!) { subject(value: $code) { displayName } }"
        asked = await hub.ask("public", query, {"code": hub.scene.merchant["uscc"]}, purpose="PUBLIC_QUERY")
        assert asked.codes == []
        for _ in range(500):
            if await connection.fetchval(_USED, "public") == before + 1:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("what was asked is not written down")
        found: int = await connection.fetchval(_USED, partner)
    finally:
        await connection.close()
    return found


async def test_the_names_of_two_requests_do_not_tell_how_many_came_between(hub: ServedScene) -> None:
    told = [await hub.ask("mall", "{ __typename }") for _ in range(4)]
    told += [await hub.ask("mall", "{ nope }") for _ in range(4)]
    names = [one.body["extensions"]["requestId"] for one in told]
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in names)
    numbers = [int(one, 16) for one in names]
    # Counted they would lie eight apart at most; by chance the nearest two lie so near once in 10^10 runs.
    assert min(b - a for a, b in pairwise(sorted(numbers))) > 2**24


async def test_a_refusal_is_found_in_the_log_by_the_name_that_its_caller_was_told(
    hub: ServedScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused = await hub.ask("mall", "{ nope }")
    told = refused.body["extensions"]["requestId"]
    assert f"refused: GRAPHQL_VALIDATION_FAILED (partner mall, request {told})" in caplog.messages
    stranger = await hub.ask("mall", "{ __typename }", authorization="Bearer x.y.z")
    told = stranger.body["extensions"]["requestId"]
    assert f"refused: UNAUTHENTICATED (partner -, request {told})" in caplog.messages


@pytest.mark.parametrize(
    ("partner", "purpose", "codes"),
    [
        ("subject", "SELF_QUERY", []),
        ("public", "PUBLIC_QUERY", ["UNAUTHENTICATED"]),
        ("customs", "NOTIFICATION", ["UNAUTHENTICATED"]),
        ("mall", "MERCHANT_ADMISSION", ["UNAUTHENTICATED"]),
    ],
)
async def test_only_tokens_of_subjects_speak_for_a_subject(
    hub: ServedScene, partner: str, purpose: str, codes: list[str]
) -> None:
    """Otherwise any partner's key would make its holder a party to the cases of any firm."""
    signer = demo_issuer(hub.settings.state_dir)
    token = issue(
        signer.private_key, alg=signer.key.alg, kid=signer.key.kid, iss=signer.key.iss,
        audience=hub.settings.token_audience, partner=partner, officer="o",
        subject=hub.scene.merchant["uscc"], now=NOW.timestamp(), lifetime=600, purpose=purpose,
    )  # fmt: skip
    answer = await hub.ask(partner, "{ __typename }", purpose=purpose, authorization=f"Bearer {token}")
    assert answer.codes == codes


@pytest.mark.parametrize(
    ("partner", "purpose"),
    [
        ("public", "PUBLIC_QUERY"),
        ("procurement", "JOINT_PUNISHMENT"),
        ("auditor", "AUDIT"),
        ("mall", "MERCHANT_ADMISSION"),
    ],
)
async def test_nobody_confirms_a_person_s_number_to_whom_the_matrix_gives_none(
    hub: ServedScene, partner: str, purpose: str
) -> None:
    """D3: a hit would say whose number it is."""
    answer = await hub.ask(partner, NUMBER, {"n": hub.scene.number}, purpose=purpose)
    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]
