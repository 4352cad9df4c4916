"""Requests that arrive together are asked together, and none of them can tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from hub.store.merging import MOST, Merging
from hub.store.reader import Reader
from tests.conftest import Database
from tests.hub_server import ProvinceHub

# Says how it was asked; a key that is no number is a fault of its statement.
ALONE = "SELECT 'alone ' || $1::text::int AS data, NULL::bigint[] AS subjects WHERE $2::text <> ''"
TOGETHER = (
    "SELECT 'together ' || k.key::int AS data, NULL::bigint[] AS subjects, k.ord"
    " FROM unnest((SELECT $1::text[])) WITH ORDINALITY k(key, ord) WHERE $2::text <> '' AND k.key <> '404'"
    " ORDER BY k.ord DESC"
)


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Reader]:
    """Two connections of the reading role."""
    opened = await Reader.open(database.settings, 2)
    yield opened
    await opened.close()


async def ask(merging: Merging, key: str, other: str = "x") -> str:
    """What one request gets."""
    row = await merging.row(ALONE, TOGETHER, 0, [key, other])
    return str(row[0])


async def test_one_request_is_asked_alone(reader: Reader) -> None:
    assert await ask(Merging(reader), "7") == "alone 7"


async def test_requests_of_one_turn_are_asked_together_and_each_gets_its_own_row(reader: Reader) -> None:
    merging = Merging(reader)
    keys = ["3", "1", "2", "1"]
    assert await asyncio.gather(*(ask(merging, key) for key in keys)) == [f"together {key}" for key in keys]


async def test_requests_that_follow_turn_by_turn_are_asked_together_with_those_before(reader: Reader) -> None:
    merging = Merging(reader)

    async def later(key: str, turns: int) -> str:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await ask(merging, key)

    # Two at once, and then one in each turn.
    asking = [later(str(number), turns) for number, turns in enumerate((1, 1, 2, 3))]
    assert await asyncio.gather(*asking) == [f"together {number}" for number in range(4)]


async def test_requests_that_differ_in_more_than_the_key_are_not_asked_together(reader: Reader) -> None:
    merging = Merging(reader)
    found = await asyncio.gather(ask(merging, "1", "a"), ask(merging, "2", "b"), ask(merging, "3", "a"))
    assert found == ["together 1", "alone 2", "together 3"]


async def test_requests_with_a_list_among_their_arguments_are_asked_alone(reader: Reader) -> None:
    merging = Merging(reader)
    alone = "SELECT 'alone ' || $1::text AS data WHERE $2::text[] IS NOT NULL"
    rows = await asyncio.gather(*(merging.row(alone, TOGETHER, 0, [key, ["a"]]) for key in ("1", "2")))
    assert [row[0] for row in rows] == ["alone 1", "alone 2"]


async def test_a_fault_of_one_request_is_no_other_ones(reader: Reader) -> None:
    merging = Merging(reader)
    found = await asyncio.gather(
        *(ask(merging, key) for key in ("1", "no number", "3")), return_exceptions=True
    )
    assert found[0] == "alone 1"
    assert isinstance(found[1], asyncpg.DataError)
    assert found[2] == "alone 3"


async def test_a_request_without_a_row_among_the_others_is_asked_alone(reader: Reader) -> None:
    merging = Merging(reader)
    assert await asyncio.gather(*(ask(merging, key) for key in ("1", "404"))) == ["together 1", "alone 404"]


async def test_requests_are_answered_when_the_first_of_them_is_cancelled(reader: Reader) -> None:
    merging = Merging(reader)
    for turns in (1, 2, 3):
        asked = [asyncio.create_task(ask(merging, key)) for key in ("1", "2", "3")]
        for _ in range(turns):
            await asyncio.sleep(0)
        asked[0].cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert [str(one).split()[1] for one in found[1:]] == ["2", "3"]


async def test_very_many_requests_are_asked_in_portions(reader: Reader) -> None:
    merging = Merging(reader)
    found = await asyncio.gather(*(ask(merging, str(number)) for number in range(MOST * 2 + 1)))
    assert found == [f"together {number}" for number in range(MOST * 2)] + [f"alone {MOST * 2}"]


DOSSIER = """
query Dossier($code: String!) { subject(value: $code) {
  __typename id displayName
  ... on Organization { uscc legalRepresentativeName formerNames { name } }
  ... on IndividualBusiness { uscc operatorName }
  summary { hasSeriousDishonestyEntry hasPublicPenalty isHonestModel incompleteSources }
  listEntries { color cause list { name } }
  records(first: 3) { edges { cursor node { title decidedOn subject { displayName } } }
    pageInfo { hasNextPage endCursor } }
} }
"""


@pytest.mark.parametrize("partner", ["mall", "public", "reform", "commerce-xining"])
async def test_a_hub_asked_for_many_subjects_at_once_tells_each_what_it_tells_alone(
    hub: ProvinceHub, partner: str
) -> None:
    rows = await hub.database.reader.fetch(
        "SELECT uscc FROM subject WHERE uscc IS NOT NULL ORDER BY 1 LIMIT 60"
    )
    purpose = {"reform": "ONGOING_SUPERVISION", "commerce-xining": "ONGOING_SUPERVISION"}.get(partner)
    headers = hub.headers(partner, purpose, hub_matter="QH-01", hub_case="2026-1")
    codes = [row["uscc"] for row in rows] + ["91630103MA75ABCD1M"]
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:

        async def told(code: str) -> object:
            body = {"query": DOSSIER, "variables": {"code": code}}
            for _ in range(5):
                answer = await client.post(hub.graphql, json=body, headers=headers)
                if answer.status_code != 503:
                    break
                # All connections plan it for the first time, and the machine may be slow: as every client, ask again.
                await asyncio.sleep(int(answer.headers["retry-after"]))
            assert "errors" not in answer.json(), answer.text
            return answer.json()["data"]

        alone = [await told(code) for code in codes]
        assert await asyncio.gather(*(told(code) for code in codes)) == alone
    assert any(alone)
