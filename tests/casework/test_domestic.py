"""Domestic workers (article 十二): R12.1 and R12.2, over HTTP, against the platform's sandbox over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hub.casework.domestic_trade.service_workers import told
from hub.sandbox.domestic import WORKERS, DomesticService
from tests.casework.desk import MONDAY, Desk, Office, office_over
from tests.conftest import Database
from tests.serving import serving

APP, KEY = "credit-sharing-hub", bytes([7]) * 32
CLEAN, RECORDED, UNCLEAR = WORKERS
FLAGS = "criminalBackground healthChecked trained insured"
QUERY = f"mutation Ask($given: String!) {{ queryDomesticWorker(authorization: $given) {{ name certificateNumber agencyName {FLAGS} }} }}"
YES_NO = f"mutation Ask($given: String!) {{ queryDomesticWorker(authorization: $given) {{ {FLAGS} }} }}"


@pytest.fixture(scope="module")
async def platform() -> DomesticService:
    return DomesticService(APP, KEY, lambda: MONDAY.timestamp())


@pytest.fixture(scope="module")
async def module_office(
    shared_database: Database, state_dir: Path, platform: DomesticService
) -> AsyncIterator[Office]:
    """One office whose hub reaches the platform."""
    async with serving(platform.app()) as url:
        # As patient as it may be: a busy machine is no slow platform.
        given = {"HUB_DOMESTIC_URL": url, "HUB_DOMESTIC_KEY": KEY.hex(), "HUB_SOURCE_DEADLINE": "5"}
        async with office_over(shared_database, state_dir, given) as office:
            yield office


def anybody(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def asked(desk: Desk, token: str, query: str = QUERY, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.done(query, {"given": token}, **headers))["queryDomesticWorker"]
    return found


async def test_r12_1_with_the_workers_authorisation_the_public_sees_the_archive_masked(
    office: Office, platform: DomesticService
) -> None:
    assert await asked(anybody(office), platform.authorize(CLEAN, "public", "PUBLIC_QUERY")) == {
        "name": "马**", "certificateNumber": CLEAN, "agencyName": "青海三江汇商贸有限公司", "criminalBackground": "NO",
        "healthChecked": "YES", "trained": "YES", "insured": "YES",
    }  # fmt: skip


async def test_r12_1_a_platform_and_the_department_get_yes_or_no_alone(
    office: Office, platform: DomesticService
) -> None:
    for desk in (
        office.desk("mall", "MERCHANT_ADMISSION", None, None),
        office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-JZ", case=None),
    ):
        assert desk.purpose is not None
        token = platform.authorize(RECORDED, desk.partner, desk.purpose)
        assert (await desk.refused(QUERY, {"given": token}))["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert await asked(desk, token, YES_NO) == {
            "criminalBackground": "YES", "healthChecked": "NO", "trained": "YES", "insured": "NO",
        }  # fmt: skip


async def test_r12_1_an_authorisation_holds_once_even_for_two_at_the_same_time(
    office: Office, platform: DomesticService
) -> None:
    token, before = platform.authorize(CLEAN, "public", "PUBLIC_QUERY"), platform.redeemed
    answers = await asyncio.gather(*(anybody(office).ask(QUERY, {"given": token}) for _ in range(3)))
    assert sum("errors" not in one for one in answers) == 1
    assert platform.redeemed == before + 1
    told_ = await anybody(office).refused(QUERY, {"given": token})
    assert told_["reason"] == "AUTHORIZATION_NOT_VALID"


async def test_r12_1_used_unknown_and_anothers_authorisations_are_all_answered_alike(
    office: Office, platform: DomesticService
) -> None:
    for_mall = platform.authorize(CLEAN, "mall", "MERCHANT_ADMISSION")
    refusals = [await anybody(office).refused(QUERY, {"given": one}) for one in (for_mall, "x" * 32)]
    assert refusals[0] == refusals[1]
    # The try of a stranger did not use it up.
    mall = office.desk("mall", "MERCHANT_ADMISSION", None, None)
    assert (await asked(mall, for_mall, YES_NO))["trained"] == "YES"


async def test_r12_1_who_may_see_nothing_of_workers_has_no_such_command(office: Office) -> None:
    for partner, purpose in (("chamber", "MEMBER_ARCHIVE"), ("customs", "NOTIFICATION")):
        told_ = await office.desk(partner, purpose, None, None).refused(YES_NO, {"given": "x" * 32})
        assert told_["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_r12_1_who_would_be_told_nothing_uses_no_authorisation_up(
    office: Office, platform: DomesticService
) -> None:
    """Oneself, or one's region, the platform vouches for nobody to be."""
    before = platform.redeemed
    for desk in (
        office.desk("subject", "SELF_QUERY", None, None),
        office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG-JZ", None),
    ):
        assert desk.purpose is not None
        token = platform.authorize(CLEAN, desk.partner, desk.purpose)
        assert (await desk.refused(YES_NO, {"given": token}))["code"] == "FORBIDDEN"
    assert platform.redeemed == before


async def test_r12_1_nothing_of_a_worker_is_kept_not_even_for_a_repetition(
    office: Office, platform: DomesticService
) -> None:
    token = platform.authorize(CLEAN, "public", "PUBLIC_QUERY")
    await asked(anybody(office), token, idempotency_key="once")
    told_ = await anybody(office).refused(QUERY, {"given": token}, idempotency_key="once")
    assert told_["reason"] == "AUTHORIZATION_NOT_VALID"
    tables = await office.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    for (table,) in tables:
        for (row,) in await office.rows(f'SELECT to_jsonb(t)::text FROM "{table}" t'):
            assert "马秀兰" not in row, table
            assert token not in row, table
            assert CLEAN not in row, table
    blocks = await office.rows("SELECT entries FROM ledger_block")
    assert blocks, "that it was asked is in the ledger"
    assert not [one for (one,) in blocks if "马秀兰".encode() in one or token.encode() in one]


async def test_r12_1_the_ledger_says_that_a_worker_was_told_of_and_nothing_else(
    office: Office, platform: DomesticService
) -> None:
    desks = {
        "D29=MASKED": anybody(office),
        "D29=YES_NO": office.desk("mall", "MERCHANT_ADMISSION", None, None),
    }
    # Also where no field of the worker is asked for: that the authorisation held is told all the same.
    bare = "mutation Q($given: String!) { queryDomesticWorker(authorization: $given) { __typename } }"
    for (classes, desk), document in product(desks.items(), (YES_NO, bare)):
        assert desk.purpose is not None
        token = platform.authorize(CLEAN, desk.partner, desk.purpose)
        answer = await desk.ask(document, {"given": token})
        blocks = await office.rows("SELECT entries FROM ledger_block")
        told_ = [json.loads(line) for (block,) in blocks for line in block.splitlines()]
        (entry,) = [one for one in told_ if one["request"] == answer["extensions"]["requestId"]]
        assert entry["classes"] == classes
        assert "at_most" not in entry


async def test_r12_2_a_background_is_yes_no_or_indeterminate_never_detail(
    office: Office, platform: DomesticService
) -> None:
    found = [
        await asked(anybody(office), platform.authorize(worker, "public", "PUBLIC_QUERY"))
        for worker in (CLEAN, RECORDED, UNCLEAR)
    ]
    assert [one["criminalBackground"] for one in found] == ["NO", "YES", "INDETERMINATE"]
    assert found[2] | {"healthChecked": "INDETERMINATE", "trained": "INDETERMINATE"} == found[2]
    said = json.dumps(found, ensure_ascii=False)
    assert "盗窃" not in said
    assert "630103" not in said.replace(CLEAN, "").replace(RECORDED, "").replace(UNCLEAR, "")


@pytest.mark.parametrize("said", [None, "", "是", "Y", True, 1, {"有": 1}])
def test_r12_2_what_the_platform_says_otherwise_is_no_answer(said: object) -> None:
    assert told({"background5y": said}, MONDAY.date())["criminal_background"] == "INDETERMINATE"


async def test_r12_1_a_platform_that_is_away_is_told_and_the_authorisation_still_holds(
    office: Office, platform: DomesticService
) -> None:
    token = platform.authorize(CLEAN, "public", "PUBLIC_QUERY")
    platform.down = True
    try:
        told_ = await anybody(office).refused(QUERY, {"given": token})
    finally:
        platform.down = False
    assert told_["reason"] == "SOURCE_UNAVAILABLE"
    assert (await asked(anybody(office), token))["name"] == "马**"


async def test_r12_1_while_the_platform_answers_one_others_are_refused_at_once_and_keep_their_authorisation(
    office: Office, platform: DomesticService
) -> None:
    """Otherwise a slow platform would keep every connection with which commands write."""
    first, *others = (platform.authorize(CLEAN, "public", "PUBLIC_QUERY") for _ in range(6))
    platform.until, before = asyncio.Event(), platform.redeemed
    slow = asyncio.create_task(anybody(office).ask(QUERY, {"given": first}))
    try:
        for _ in range(500):
            if platform.redeemed > before:
                break
            await asyncio.sleep(0.01)
        refusals = await asyncio.gather(
            *(anybody(office).refused(QUERY, {"given": other}) for other in others)
        )
        assert {one["reason"] for one in refusals} == {"SOURCE_UNAVAILABLE"}
        assert platform.redeemed == before + 1
    finally:
        platform.until.set()
        platform.until = None
        await slow
    for other in others:
        assert (await asked(anybody(office), other))["name"] == "马**"


async def test_r12_1_a_worker_is_not_asked_about_without_an_authorisation(office: Office) -> None:
    told_ = await anybody(office).refused(QUERY, {"given": CLEAN})
    assert told_["code"] == "BAD_USER_INPUT"
