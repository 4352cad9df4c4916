"""What market regulation holds against subjects, from its platform to checks and lists: R5.4, R8.3, 4.11."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import Item, RawRow, RowRejected
from connectors.registry import ABNORMAL, PENALTIES, connect
from hub.harvest.run import harvest
from hub.rules.decisions import Authority, decisions
from hub.sandbox.province import Province
from hub.sandbox.registry import services
from hub.sandbox.run import APP_KEY, platform_of
from hub.sandbox.server import serving
from hub.sandbox.wellknown import SUBJECTS
from tests.casework.check_documents import run
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.test_listings import PROPOSE, _lists
from tests.publicity_files import TOOLS

PROVINCE = Province(1200, MONDAY.date())
MARKET_TOOLS = replace(TOOLS, now=lambda: MONDAY, deadline=30.0)
SETTINGS = {
    "HUB_REGISTRY_URL": "http://127.0.0.1:1",
    "HUB_REGISTRY_APP_ID": "hub-registry",
    "HUB_REGISTRY_APP_SECRET": APP_KEY,
    "HUB_REGISTRY_CASE": "青商信共享〔2026〕1号",
}
RECORDS = """
query Records($code: String!) { subject(value: $code) { summary { hasPublicPenalty }
  records(first: 20, filter: { sources: [MARKET_REGULATION] }) { edges { node {
    __typename documentNumber seriousness ... on GenericCreditRecord { recordType } } } } } }
"""
ISSUERS = ("11630000000015122A", "11630000MAFF6K4E5K")
COUNT = "query Count($c: String!) { subject(value: $c) { summary { hasPublicPenalty publicPenaltyCount } } }"
_OF = """
SELECT s.uscc, s.kind AS subject_kind, r.* FROM record r JOIN subject s USING (subject_id)
WHERE r.source = 'MARKET_REGULATION' AND r.superseded_at IS NULL AND r.catalog_item_code = $1
ORDER BY r.decided_on DESC
"""


@pytest.fixture(scope="module")
async def harvested(module_office: Office) -> Office:
    """An office whose store took all that market regulation has of a small province."""
    platform = platform_of(PROVINCE)
    platform.clock = MONDAY.timestamp
    async with serving(platform.app()) as url:
        source = connect(SETTINGS | {"HUB_REGISTRY_URL": url}, MARKET_TOOLS)
        outcome = await harvest(source, module_office.database.writer, lambda: MONDAY)
        await source.close()
    assert outcome.status == "OK"
    totals = outcome.totals
    assert totals.read == totals.stored + totals.unchanged + totals.quarantined
    assert totals.quarantined
    assert totals.unchanged, "rows that come twice change nothing"
    return module_office


async def records(desk: Desk, code: str) -> list[dict[str, Any]]:
    found = (await desk.done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    return [one["node"] for one in found]


def supervision(office: Office) -> Desk:
    return office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-01", case=None)


def anybody(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


def rows(item: str) -> list[Mapping[str, Any]]:
    return services(PROVINCE)[
        {PENALTIES: "s_1263000000000_0108", ABNORMAL: "s_1263000000000_0106"}[item]
    ].rows


def understood(item: str, **fields: str) -> Item:
    """What the connector makes of the sandbox's first row of the item with these fields."""
    row = {name: str(value) for name, value in rows(item)[0].items()} | fields
    return connect(SETTINGS, MARKET_TOOLS).canonical(RawRow(f"MARKET_REGULATION/{item}", "1", b"", row))


# ---- penalties ---------------------------------------------------------------------------------------------------


async def test_r5_4_a_decision_that_two_sources_tell_of_is_one_penalty_and_none_is_counted_while_one_is_away(
    office: Office,
) -> None:
    """What is not shown to a caller is not counted for it either."""
    code, day = await office.subject(), MONDAY.date()
    number = {"document_number": "青市监罚〔2026〕31号"}
    await office.adverse(code, day, source="COMMERCE", **number)
    await office.adverse(code, day, source="MARKET_REGULATION", **number)
    for more in ({"document_number": None}, {"document_number": None}, {"seriousness": "MINOR"}):
        await office.adverse(code, day, **more)
    merchant = {"c": code}

    async def counted() -> dict[str, Any]:
        found = await anybody(office).done(COUNT, merchant)
        summary: dict[str, Any] = found["subject"]["summary"]
        return summary

    assert await counted() == {"hasPublicPenalty": "YES", "publicPenaltyCount": 3}
    try:
        await office.sources("UNAVAILABLE", ["MARKET_REGULATION"])
        await office.noticed("MARKET_REGULATION", "UNAVAILABLE")
        assert await counted() == {"hasPublicPenalty": "YES", "publicPenaltyCount": None}
    finally:
        await office.sources()
        await office.noticed("MARKET_REGULATION", "OK")


@pytest.mark.parametrize(
    ("authorities", "decided"),
    [
        ([("西宁市商务局", None), ("青海省市场监督管理局", None)], 2),
        ([("某局", ISSUERS[0]), ("某局", ISSUERS[1])], 2),
        ([("青海省市场监督管理局", ISSUERS[0]), ("省市场监管局", ISSUERS[0])], 1),
        # Who names no code may be the one that is named with one, written otherwise.
        ([("青海省市场监督管理局", ISSUERS[0]), ("省市场监管局", None)], 1),
        ([("青海省市场监督管理局", ISSUERS[0]), ("某局", ISSUERS[1]), ("某局", None)], 2),
        ([("西宁市商务局", None), (None, None)], 1),
        ([(None, None), (None, None)], 1),
    ],
)
async def test_5_4_a_number_is_counted_for_each_authority_that_gave_it(
    office: Office, authorities: list[tuple[str | None, str | None]], decided: int
) -> None:
    code = await office.subject()
    for name, issuer in authorities:
        named = {"authority_name": name, "authority_uscc": issuer, "document_number": "〔2026〕1号"}
        await office.adverse(code, MONDAY.date(), **named)
    found = await anybody(office).done(COUNT, {"c": code})
    assert found["subject"]["summary"]["publicPenaltyCount"] == decided
    told = [("〔2026〕1号", Authority(issuer, name)) for name, issuer in authorities]
    assert decisions(told) == decided


async def test_r5_4_who_was_fined_by_market_regulation_alone_is_not_clean(harvested: Office) -> None:
    usable = [
        row
        for row in await harvested.rows(_OF, PENALTIES)
        if row["uscc"] and row["lifecycle"] == "EFFECTIVE" and row["usable_until"] >= MONDAY.date()
    ]
    listed = {
        row["uscc"]
        for row in await harvested.rows("SELECT s.uscc FROM list_entry JOIN subject s USING (subject_id)")
    }
    fined = next(row for row in usable if row["seriousness"] == "GENERAL" and row["uscc"] not in listed)
    told = (await run(harvested.desk(), fined["uscc"]))["eligibility"]
    assert (told["answer"], [one["code"] for one in told["reasons"]]) == ("NO", ["ADVERSE_RECORD"])
    (seen,) = await records(anybody(harvested), fined["uscc"])
    assert seen["documentNumber"] == fined["document_number"]
    assert seen["__typename"] == "AdministrativePenalty"


async def test_a_warning_and_a_penalty_of_simple_procedure_are_minor_and_for_supervision_alone(
    harvested: Office,
) -> None:
    """市场监管总局令第45号; Order 36."""
    found = await harvested.rows(_OF, PENALTIES)
    minor = [row for row in found if row["seriousness"] == "MINOR" and row["uscc"]]
    assert minor
    assert {row["data_class"] for row in minor} == {"D7"}
    assert all(
        row["seriousness"] == "MINOR"
        for row in found
        if row["simple_procedure"] or row["categories"] == ["警告"]
    )
    one = next(row for row in minor if row["usable_until"] >= MONDAY.date())
    assert one["document_number"] in {
        seen["documentNumber"] for seen in await records(supervision(harvested), one["uscc"])
    }
    assert one["document_number"] not in {
        seen["documentNumber"] for seen in await records(anybody(harvested), one["uscc"])
    }


async def test_penalties_of_persons_have_their_class_and_no_number(harvested: Office) -> None:
    persons = [row for row in await harvested.rows(_OF, PENALTIES) if row["subject_kind"] == "NATURAL_PERSON"]
    assert persons
    assert {row["data_class"] for row in persons} == {"D8"}
    numbers = {subject.resident_id for subject in PROVINCE}
    kept = await harvested.rows("SELECT raw FROM quarantine")
    assert kept
    assert not [row for row in kept for number in numbers if number in bytes(row["raw"]).decode()]


async def test_what_market_regulation_revoked_or_took_back_does_not_count(harvested: Office) -> None:
    states = Counter(row["lifecycle"] for row in await harvested.rows(_OF, PENALTIES))
    assert set(states) == {"EFFECTIVE", "REVOKED"}
    withdrawn = {row["CF_WSH"] for row in rows(PENALTIES) if row["scbz"] == "1"}
    left = {row["document_number"] for row in await harvested.rows(_OF, PENALTIES)}
    assert withdrawn
    assert withdrawn.isdisjoint(left)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"PUBLICSTATUS": "9"}, "UNKNOWN_VALUE"),
        ({"CF_CFLB": "训诫"}, "UNKNOWN_VALUE"),
        (
            {"CF_CFLB": "罚款", "CF_NR": "罚款5000元", "CF_NR_FK": "5000.000000", "CF_NR_WFFF": ""},
            "FINE_UNIT",
        ),
        ({"CF_JDRQ": "2026/12/01"}, "DATE_FUTURE"),
        ({"CF_XDR_SHXYM": "0" * 17 + "X"}, "NO_KEY"),
        ({"gxsj": "昨天"}, "BAD_DATE"),
    ],
)
def test_a_penalty_that_is_not_understood_is_rejected(fields: dict[str, str], code: str) -> None:
    with pytest.raises(RowRejected) as error:
        understood(PENALTIES, **fields)
    assert error.value.code == code


def test_a_penalty_is_read_in_yuan_and_without_the_sentinels_of_its_days() -> None:
    item = understood(
        PENALTIES, CF_CFLB="罚款", CF_NR="罚款5000元", CF_NR_FK="0.500000", CF_NR_WFFF="", CF_GSJZQ="2099/12/31",
        PUBLIC_END_DATE="9999-12-31",
    )  # fmt: skip
    assert item.values["fine_amount"] == Decimal(5000)
    assert item.values["usable_until"] is None
    assert {"SENTINEL:CF_GSJZQ", "SENTINEL:PUBLIC_END_DATE"} <= set(item.flags)
    assert not [flag for flag in item.flags if flag.startswith("UNKNOWN_COLUMN")]


# ---- abnormal operations -----------------------------------------------------------------------------------------


async def test_who_is_in_the_list_of_abnormal_operations_is_known_to_supervision_alone(
    harvested: Office,
) -> None:
    """5.4: a minor record: not published, and no part of the three years."""
    found = await harvested.rows(_OF, ABNORMAL)
    assert {(row["seriousness"], row["data_class"], row["record_type"]) for row in found} == {
        ("MINOR", "D7", "ABNORMAL_OPERATION")
    }
    recent = next(row for row in found if row["usable_until"] >= MONDAY.date())
    seen = await records(supervision(harvested), recent["uscc"])
    assert ("GenericCreditRecord", "ABNORMAL_OPERATION") in {
        (one["__typename"], one.get("recordType")) for one in seen
    }
    assert not [one for one in await records(anybody(harvested), recent["uscc"]) if one.get("recordType")]


async def test_who_was_taken_off_is_not_in_the_list_of_abnormal_operations(harvested: Office) -> None:
    refused = {row["lrwh"] for row in rows(ABNORMAL) if row["lryy"] == "05"}
    off = {row["lrwh"] for row in rows(ABNORMAL) if row["ycyy"]}
    left = {row["document_number"] for row in await harvested.rows(_OF, ABNORMAL)}
    assert off
    assert left == {row["lrwh"] for row in rows(ABNORMAL)} - off - refused


async def test_r8_3_who_stands_in_the_list_of_abnormal_operations_is_not_put_on_a_red_list(
    harvested: Office,
) -> None:
    """However long ago it was entered: it has not corrected."""
    await _lists(harvested)
    barred = await harvested.rows(
        "SELECT DISTINCT subject_id FROM record WHERE seriousness <> 'MINOR' UNION SELECT subject_id FROM list_entry"
    )
    found = [
        row
        for row in await harvested.rows(_OF, ABNORMAL)
        if row["subject_id"] not in {one["subject_id"] for one in barred}
    ]
    for row in (found[0], found[-1]):
        refusal = await harvested.desk(purpose="ONGOING_SUPERVISION", case=None).refused(
            PROPOSE, {"code": row["uscc"], "list": "L-RED"}
        )
        assert refusal["reason"] == "ABNORMAL_OPERATION_STANDS"
    assert found[-1]["usable_until"] < MONDAY.date()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"lryy": "05"}, "UNKNOWN_VALUE"),
        ({"ycrq": "2026-01-05", "ycyy": ""}, "STATE_DATES"),
        ({"ycrq": "9999-12-31", "ycyy": "已履行公示义务"}, "STATE_DATES"),
        ({"ycrq": "2001-01-05", "ycyy": "已履行公示义务"}, "DATES_CROSSED"),
        ({"ycrq": "2026-11-24", "ycyy": "已履行公示义务"}, "DATE_FUTURE"),
        ({"lrrq": "2026-11-24"}, "DATE_FUTURE"),
        ({"lrrq": "暂无"}, "MISSING"),
        ({"tyshxydm": ""}, "NO_KEY"),
    ],
)
def test_an_entry_that_is_not_understood_is_rejected(fields: dict[str, str], code: str) -> None:
    with pytest.raises(RowRejected) as error:
        understood(ABNORMAL, **fields)
    assert error.value.code == code


def test_an_entry_that_has_ended_ends_the_fact() -> None:
    first = date.fromisoformat(str(rows(ABNORMAL)[0]["lrrq"]))
    assert not understood(ABNORMAL, ycrq="", ycyy="").deleted
    assert understood(ABNORMAL, ycrq=first.isoformat(), ycyy="已履行公示义务").deleted
    assert understood(ABNORMAL, ycrq="", ycyy="", scbz="1").deleted


def test_the_subjects_that_demos_know_by_heart_have_no_more_against_them_than_their_stories() -> None:
    known = {one.uscc for one in SUBJECTS}
    told = {
        str(row.get("tyshxydm") or row.get("CF_XDR_SHXYM"))
        for item in (PENALTIES, ABNORMAL)
        for row in rows(item)
    }
    assert told
    assert known.isdisjoint(told)
