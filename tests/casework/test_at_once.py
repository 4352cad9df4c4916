"""Two officers at the same second: what one of them may not do once the other has done it is done once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from hub.store.writing import one_writer
from tests.casework import test_foreign_trade as abroad
from tests.casework import test_listings as listings
from tests.casework import test_measures as measures
from tests.casework import test_publicity as publicity
from tests.casework.desk import Desk, Office
from tests.casework.test_organisation import NOMINATE

SUSPEND = 'mutation S($n: String!) { suspendListing(number: $n, reason: "破产重整") { state } }'


async def together(*asked: tuple[Desk, str, dict[str, Any]]) -> Counter[str]:
    """How often each outcome came of commands that are given at once: DONE, or why it was refused."""
    answers = await asyncio.gather(*(desk.ask(document, given) for desk, document, given in asked))
    told = [one["errors"][0]["extensions"] if "errors" in one else {"code": "DONE"} for one in answers]
    return Counter(one.get("reason", one["code"]) for one in told)


@asynccontextmanager
async def writing(office: Office) -> AsyncIterator[None]:
    """Meanwhile somebody else writes facts."""
    busy = await asyncpg.connect(office.database.owner_dsn)
    try:
        async with busy.transaction():
            await one_writer(busy)
            yield
    finally:
        await busy.close()


async def behind_a_writer(office: Office, asked: Sequence[tuple[Desk, str, dict[str, Any]]]) -> Counter[str]:
    """The outcomes of commands that all have come as far as they come while somebody else writes facts."""
    async with writing(office):
        given = asyncio.create_task(together(*asked))
        await office.waiting(len(asked))
    return await given


async def test_r8_2_a_firm_is_proposed_for_a_list_once(office: Office) -> None:
    await listings._lists(office)
    given = {"code": await office.subject(), "list": "L-BLACK", "ground": listings.GROUND}
    outcomes = await together(*[(listings._desk(office), listings.PROPOSE, given)] * 8)
    assert outcomes == {"DONE": 1, "ALREADY_PROPOSED_OR_LISTED": 7}


async def test_r8_2_two_departments_do_not_put_a_firm_on_a_list_twice(office: Office) -> None:
    code = await office.subject()
    first = await listings._served(office, code, "L-RED")
    # Of another department's proposal nobody is told.
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    given = {"code": code, "list": "L-RED", "ground": None}
    second = (await xining.done(listings.PROPOSE, given))["proposeListing"]["number"]
    await xining.done(listings.NOTIFY, {"n": second, "told": True})
    await xining.done(listings.SERVE, {"n": second, "on": listings._today(office)})
    listings._later(office, 14)
    both = [(first, listings._desk(office)), (second, xining)]
    for number, desk in both:
        await desk.done(listings.RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    asked = [(desk, listings.PUBLISH, {"n": number}) for number, desk in both]
    assert await behind_a_writer(office, asked) == {"DONE": 1, "ALREADY_LISTED": 1}


async def test_r8_4_a_conflict_is_put_in_the_queue_once(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "RED")
    await office.listed(code, "BLACK")
    await together(*[(listings._desk(office), listings.RECHECK, {})] * 8)
    rows = await office.rows(
        "SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'LIST_CONFLICT' AND uscc = $1",
        code,
    )
    assert len(rows) == 1


async def test_r9_1_no_measure_takes_effect_beside_the_suspension_of_its_entry(office: Office) -> None:
    number, entry = await listings._published(office, await office.subject(), "L-BLACK")
    measure = await measures._initiated(office, entry, **measures.BASIS, begins="2026-12-07")
    await measures._customs(office).done(measures.ACKNOWLEDGE, {"n": measure})
    busy = await asyncpg.connect(office.database.owner_dsn)
    try:
        async with busy.transaction():
            # The measure's command has done all but to keep its key: nobody else sees the measure in effect yet.
            await busy.execute("LOCK TABLE idempotency IN SHARE MODE")
            given = measures._desk(office).done(
                measures.ACTIVATE, {"n": measure}, idempotency_key="k-at-once"
            )
            activated = asyncio.create_task(given)
            await office.waiting()
            suspended = asyncio.create_task(listings._desk(office).done(SUSPEND, {"n": number}))
            await asyncio.wait([suspended], timeout=0.3)
    finally:
        await busy.close()
    assert (await suspended)["suspendListing"]["state"] == "SUSPENDED"
    await activated
    assert await measures._state(office, measure) == "SUSPENDED"


async def test_a_firm_is_nominated_once(office: Office) -> None:
    desk = office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)
    outcomes = await together(*[(desk, NOMINATE, {"c": await office.subject()})] * 8)
    assert outcomes == {"DONE": 1, "NOMINATED_ALREADY": 7}


async def test_r13_3_a_decision_is_filed_as_a_record_once(office: Office) -> None:
    code = await office.subject()
    numbers = [await abroad.proposed(office, code) for _ in range(2)]
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    second = abroad.commerce(office).second()
    document = (
        f"mutation F($n: String!) {{ fileOutboundAdverse(number: $n{abroad.FILE.format(9)}) {{ state }} }}"
    )
    outcomes = await behind_a_writer(office, [(second, document, {"n": number}) for number in numbers])
    assert outcomes == {"DONE": 1, "FILED_ALREADY": 1}
    assert len(await abroad.records(abroad.commerce(office), code)) == 1


async def test_r7_1_a_decision_is_put_on_its_way_to_the_public_once(office: Office) -> None:
    given = {
        "code": await office.subject(), "kind": "PENALTY", "on": "2026-11-20", "text": publicity.TEXT, "kinds": ["罚款"],
    }  # fmt: skip
    desk = office.desk()
    outcomes = await together(
        *[(desk, publicity.DRAFT, given), (desk.second("third-officer"), publicity.DRAFT, given)] * 4
    )
    assert outcomes == {"DONE": 1, "DRAFTED_ALREADY": 7}
    (row,) = await office.rows(
        "SELECT number FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'PUBLICITY' AND uscc = $1",
        given["code"],
    )
    await publicity.reviewed(desk, row["number"])
    await publicity.took(desk, row["number"], "publishDecision")
    assert (await desk.refused(publicity.DRAFT, given))["reason"] == "DRAFTED_ALREADY"
    # Another decision, or this one once it was changed, has a publication of its own.
    await desk.done(publicity.DRAFT, {**given, "on": "2026-11-19"})
    withdrawal = (
        ', ground: CHANGED, endedOn: "2026-11-23", reason: "已变更", documentNumber: "青商变〔2026〕1号"'
    )
    await publicity.took(desk.second(), row["number"], "withdrawPublicity", withdrawal)
    await desk.done(publicity.DRAFT, given)
