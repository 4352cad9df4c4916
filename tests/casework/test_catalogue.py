"""The catalogue of licences and penalties (article 四): R4.1 to R4.5, over HTTP, with channels that acknowledge."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from hub.casework.catalogue.power_list import PowerItem, read_power_list, take_power_list
from hub.casework.delivery.channels import Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.machine import Actor, Step
from hub.casework.registry import registry
from hub.commands.tables import Format, guarded, written
from hub.errors import FileRefused
from hub.rules.calendar import Calendar, calendar_of
from tests.casework.desk import Desk, Office
from tests.casework.dispatch import sites

ITEM = """code version state content { name kind powerItem site dataItems { code } } standard draftedBy digest
  deviations { key standard stated reason } secrecyReview { officer opinion digest } inForceFrom effectiveTo endedReason
  number deliveries { channel state acknowledgedAt receiptNumber }"""
DRAFT = f"""mutation D($code: String!, $kind: CatalogItemKind!, $name: String!, $power: String, $site: CatalogSite!,
    $items: [CatalogDataItemInput!], $from: Date) {{
  draftCatalogItem(code: $code, kind: $kind, name: $name, legalBasis: "商务部令2025年第4号", authority: "青海省商务厅",
    site: $site, powerItem: $power, dataItems: $items, effectiveFrom: $from) {{ {ITEM} }} }}"""
REVISE = f"""mutation R($number: String!, $name: String!, $items: [CatalogDataItemInput!]) {{
  reviseCatalogItem(number: $number, name: $name, legalBasis: "商务部令2025年第4号", authority: "青海省商务厅",
    site: OWN_SITE, dataItems: $items) {{ {ITEM} }} }}"""
PUBLISHED = """query P($code: String, $version: Int, $on: Date, $kind: CatalogItemKind) {
  catalogItems(code: $code, version: $version, on: $on, kind: $kind) {
    unit code version name kind legalBasis authority effectiveFrom effectiveTo standard
    dataItems { code name type length requirement masked governmentSharing sharingAttribute }
    deviations { key reason } channels { channel state acknowledgedAt } } }"""
COVERAGE = """query C { catalogCoverage { unit active catalogued shown perMilleCatalogued perMilleShown
  gaps { code name kind gap } withoutPower } }"""
_serials = count(1)


def _code() -> str:
    return f"QH-XK-{next(_serials):04}"


def _step(field: str, arguments: str = "") -> str:
    return f"mutation S($number: String!) {{ case: {field}(number: $number{arguments}) {{ {ITEM} }} }}"


async def _took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(_step(field, arguments), {"number": number}))["case"]
    return made


async def _refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    told = await desk.refused(_step(field, arguments), {"number": number})
    return str(told.get("reason", told["code"]))


async def _drafted(office: Office, code: str, **more: Any) -> dict[str, Any]:
    given = {"code": code, "kind": "XK", "name": "成品油零售经营资格审批", "site": "OWN_SITE", **more}
    made: dict[str, Any] = (await office.desk().done(DRAFT, given))["draftCatalogItem"]
    return made


async def _published(office: Office, code: str, **more: Any) -> dict[str, Any]:
    number = (await _drafted(office, code, **more))["number"]
    desk = office.desk()
    await _took(desk, number, "submitCatalogItem")
    await _took(desk.second(), number, "passCatalogReview", ', opinion: "不涉密"')
    return await _took(desk, number, "publishCatalogItem")


def _public(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def _shown(desk: Desk, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.done(PUBLISHED, given))["catalogItems"]
    return found


async def _delivered(office: Office, *channels: str) -> None:
    async with (
        sites(clock=lambda: office.clock.now.timestamp()) as found,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        courier = Courier(office.database.writer, Client(http, 5), Pace(), office.clock, lambda: 0.0)
        for channel, site in found.items():
            if channel in channels:
                await courier.deliver(site.address)


async def _standard(office: Office) -> list[dict[str, Any]]:
    """The data items of the standard, as an officer would copy them from an item."""
    code = _code()
    await _published(office, code)
    (item,) = await _shown(_public(office), code=code)
    items: list[dict[str, Any]] = item["dataItems"]
    return items


# ---- R4.1 ------------------------------------------------------------------------------------------------------


async def _import(office: Office, unit: str, items: Sequence[PowerItem]) -> Any:
    days: Calendar = calendar_of([], None)
    actor = Actor(partner=unit, officer="importer", capabilities=frozenset({"CASEWORK"}))
    step = Step(actor, {}, office.clock.now, office.clock.now.date(), days)
    async with office.database.writer.acquire() as connection, connection.transaction():
        return await take_power_list(connection, registry().machines, unit, items, step)


def _power(code: str, kind: str = "XK", name: str = "成品油零售经营资格审批") -> PowerItem:
    return PowerItem(code, name, kind, "商务部令2025年第4号", "青海省商务厅")


async def _coverage(office: Office, unit: str) -> dict[str, Any]:
    told = await office.desk().done(COVERAGE)
    return next(one for one in told["catalogCoverage"] if one["unit"] == unit)


async def test_r4_1_every_active_power_item_has_a_catalogue_item_or_stands_in_the_gap_list(
    office: Office,
) -> None:
    one, two, three = _code(), _code(), _code()
    assert (
        await _import(office, "commerce", [_power(one), _power(two), _power(three, "CF", "罚款")])
    ).added == 3
    await _published(office, one, power=one)
    await _drafted(office, two, power=two)
    told = await _coverage(office, "commerce")
    assert (told["active"], told["catalogued"], told["shown"]) == (3, 1, 0)
    assert (told["perMilleCatalogued"], told["perMilleShown"]) == (333, 0)
    assert [(gap["code"], gap["gap"]) for gap in told["gaps"]] == [
        (one, "NOT_SHOWN"), (two, "IN_PREPARATION"), (three, "MISSING"),
    ]  # fmt: skip
    office.clock.now += timedelta(minutes=1)
    await _delivered(office, "OWN_SITE")
    assert (await _coverage(office, "commerce"))["shown"] == 0
    await _delivered(office, "CREDIT_QINGHAI")
    told = await _coverage(office, "commerce")
    assert (told["shown"], told["perMilleShown"], len(told["gaps"])) == (1, 1000, 2)


async def test_r4_1_a_list_is_taken_whole_and_what_it_leaves_out_has_ended(office: Office) -> None:
    one, two = _code(), _code()
    await _import(office, "commerce-xining", [_power(one), _power(two)])
    item = _code()
    await _published(office, item, power=two)
    again = await _import(office, "commerce-xining", [_power(one, name="改了名称"), _power("QH-NEW")])
    assert (again.added, again.changed, again.ended, again.unchanged) == (1, 1, 1, 0)
    told = await _coverage(office, "commerce-xining")
    assert {gap["code"]: gap["name"] for gap in told["gaps"]} == {
        one: "改了名称",
        "QH-NEW": "成品油零售经营资格审批",
    }
    # The catalogue of another unit covers nothing here, and has no power item of its own.
    assert item in (await _coverage(office, "commerce"))["withoutPower"]


async def test_r4_1_a_licence_in_force_without_a_power_to_license_is_told(office: Office) -> None:
    code = _code()
    await _published(office, code, power=code)
    # The list has the code for a penalty, be it by mistake or since: it covers no licence, and no licence covers it.
    await _import(office, "commerce", [_power(code, "CF", "罚款")])
    told = await _coverage(office, "commerce")
    assert (told["active"], told["catalogued"], [one["gap"] for one in told["gaps"]]) == (1, 0, ["MISSING"])
    assert code in told["withoutPower"]


async def test_r4_1_coverage_is_for_handling_units_and_auditors(office: Office) -> None:
    assert "catalogCoverage" in await office.desk("auditor", "AUDIT").done(COVERAGE)
    for partner, purpose in (
        ("public", "PUBLIC_QUERY"),
        ("mall", "MERCHANT_ADMISSION"),
        ("chamber", "MEMBER_ARCHIVE"),
    ):
        told = await office.desk(partner, purpose, None, None).ask(COVERAGE)
        assert "errors" in told, partner


HEADER = ("事项编码", "事项名称", "事项类型", "设定依据", "实施机关", "责任清单事项")
ROW = ("QH-1", "成品油零售经营资格审批", "行政许可", "商务部令2025年第4号", "青海省商务厅", "ZR-1")


def _csv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "gb18030") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def test_r4_1_a_power_list_is_read_from_csv_and_xlsx_alike(tmp_path: Path) -> None:
    other = ("QH-2", "煤炭", "行政强制", "某法", "青海省商务厅", "")
    book = Workbook()
    for row in (("青海省商务厅权力清单",), HEADER, ROW, other):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "l.xlsx")
    for path in (_csv(tmp_path / "l.csv", [HEADER, ROW, other]), tmp_path / "l.xlsx"):
        found = read_power_list(path)
        assert found.items == (PowerItem("QH-1", ROW[1], "XK", ROW[3], ROW[4], "ZR-1"),)
        assert found.others == 1


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([HEADER, ROW, ROW], "twice"),
        ([HEADER, ("", *ROW[1:])], "code is empty"),
        ([HEADER, ("a b", *ROW[1:])], "other characters"),
        ([HEADER, (ROW[0], "字" * 2001, *ROW[2:])], "more than 2000"),
        ([HEADER[1:], ROW[1:]], "FILE_HEADER"),
    ],
)
def test_r4_1_a_list_with_one_unusable_row_is_refused_whole(
    tmp_path: Path, rows: Sequence[Sequence[str]], says: str
) -> None:
    with pytest.raises(FileRefused, match=says):
        read_power_list(_csv(tmp_path / "l.csv", rows))


# ---- R4.2 ------------------------------------------------------------------------------------------------------


async def test_r4_2_nothing_is_published_without_a_secrecy_review_by_a_second_person(office: Office) -> None:
    code, desk = _code(), office.desk()
    number = (await _drafted(office, code))["number"]
    assert await _refusal(desk, number, "publishCatalogItem") == "TRANSITION_NOT_ALLOWED"
    await _took(desk, number, "submitCatalogItem")
    assert await _refusal(desk, number, "publishCatalogItem") == "TRANSITION_NOT_ALLOWED"
    assert await _refusal(desk, number, "passCatalogReview", ', opinion: "x"') == "SECOND_PERSON_NEEDED"
    case = await _took(desk.second(), number, "passCatalogReview", ', opinion: "不涉密"')
    assert (case["state"], case["secrecyReview"]["officer"]) == ("APPROVED", "second-officer")
    assert case["secrecyReview"]["digest"] == case["digest"]
    assert await _shown(_public(office), code=code) == []


async def test_r4_2_a_review_holds_for_that_version_alone(office: Office) -> None:
    code, desk = _code(), office.desk()
    number = (await _drafted(office, code))["number"]
    await _took(desk, number, "submitCatalogItem")
    await _took(desk.second(), number, "passCatalogReview", ', opinion: "不涉密"')
    back = await _took(desk.second(), number, "returnCatalogItem", ', reason: "改名称"')
    assert (back["state"], back["secrecyReview"]) == ("DRAFT", None)
    changed = (await desk.done(REVISE, {"number": number, "name": "另一名称"}))["reviseCatalogItem"]
    assert changed["digest"] != back["digest"]
    assert await _refusal(desk, number, "publishCatalogItem") == "TRANSITION_NOT_ALLOWED"
    # Even were another content put under a passed review, it would not be published.
    await _took(desk, number, "submitCatalogItem")
    await _took(desk.second(), number, "passCatalogReview", ', opinion: "不涉密"')
    await office.rows(
        "UPDATE case_file SET details = jsonb_set(details, '{content,name}', '\"第三个名称\"') WHERE number = $1",
        number,
    )
    assert await _refusal(desk, number, "publishCatalogItem") == "SECRECY_REVIEW_MISSING"


async def test_r4_2_a_rejected_version_ends_and_a_stranger_meets_no_draft(office: Office) -> None:
    code, desk = _code(), office.desk()
    number = (await _drafted(office, code))["number"]
    query = "query Q($number: String!) { case(number: $number) { number } }"
    for partner, purpose in (("commerce-xining", "ONGOING_SUPERVISION"), ("public", "PUBLIC_QUERY")):
        other = office.desk(partner, purpose, "M-1" if partner != "public" else None, None)
        answer = await other.ask(query, {"number": number})
        assert (answer.get("data") or {"case": None})["case"] is None
        assert number not in json.dumps(await other.ask(PUBLISHED, {"code": code}))
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert await _refusal(xining, number, "submitCatalogItem") == "CASE_UNKNOWN"
    await _took(desk, number, "submitCatalogItem")
    assert await _refusal(desk, number, "rejectCatalogItem", ', reason: "涉密"') == "SECOND_PERSON_NEEDED"
    ended = await _took(desk.second(), number, "rejectCatalogItem", ', reason: "涉密"')
    assert (ended["state"], ended["endedReason"], ended["deliveries"]) == ("REJECTED", "涉密", [])
    assert (await _drafted(office, code))["version"] == 2


# ---- R4.3 ------------------------------------------------------------------------------------------------------


async def test_r4_3_data_items_left_out_are_the_national_standards(office: Office) -> None:
    made = await _drafted(office, _code())
    assert (made["standard"], made["deviations"]) == ("XK-424-2018", [])
    assert len(made["content"]["dataItems"]) == 28


async def test_r4_3_deviations_block_the_review_until_each_is_accepted_and_are_published(
    office: Office,
) -> None:
    items = await _standard(office)
    items = [
        {**one, "length": 500} if one["code"] == "XK_XKWS" else one for one in items if one["code"] != "BZ"
    ]
    code, desk = _code(), office.desk()
    made = await _drafted(office, code, items=items)
    assert [one["key"] for one in made["deviations"]] == ["LENGTH@XK_XKWS", "MISSING@BZ"]
    number = made["number"]
    await _took(desk, number, "submitCatalogItem")
    accept = ', deviation: "LENGTH@XK_XKWS", reason: "文书名称较长"'
    assert await _refusal(desk, number, "acceptCatalogDeviation", accept) == "SECOND_PERSON_NEEDED"
    await _took(desk.second(), number, "acceptCatalogDeviation", accept)
    review = ', opinion: "不涉密"'
    assert await _refusal(desk.second(), number, "passCatalogReview", review) == "DEVIATIONS_NOT_ACCEPTED"
    unknown = ', deviation: "ADDED@X", reason: "x"'
    assert await _refusal(desk.second(), number, "acceptCatalogDeviation", unknown) == "DEVIATION_UNKNOWN"
    await _took(
        desk.second(), number, "acceptCatalogDeviation", ', deviation: "MISSING@BZ", reason: "不用备注"'
    )
    await _took(desk.second(), number, "passCatalogReview", review)
    await _took(desk, number, "publishCatalogItem")
    (shown,) = await _shown(_public(office), code=code)
    assert shown["deviations"] == [
        {"key": "LENGTH@XK_XKWS", "reason": "文书名称较长"}, {"key": "MISSING@BZ", "reason": "不用备注"},
    ]  # fmt: skip


async def test_r4_3_what_was_accepted_does_not_hold_for_a_revision(office: Office) -> None:
    items = [one for one in await _standard(office) if one["code"] != "BZ"]
    desk, made = office.desk(), await _drafted(office, _code(), items=items)
    number = made["number"]
    await _took(desk, number, "submitCatalogItem")
    await _took(desk.second(), number, "acceptCatalogDeviation", ', deviation: "MISSING@BZ", reason: "不用"')
    await _took(desk.second(), number, "returnCatalogItem", ', reason: "改名"')
    case = (await desk.done(REVISE, {"number": number, "name": "新名称"}))["reviseCatalogItem"]
    assert case["deviations"] == [{"key": "MISSING@BZ", "standard": "备注", "stated": "", "reason": None}]


@pytest.mark.parametrize("change", [{"sharingAttribute": "PUBLIC"}, {"masked": False}])
async def test_r4_3_numbers_of_persons_cannot_be_opened(office: Office, change: dict[str, Any]) -> None:
    items = [{**one, **change} if one["code"] == "XK_XDR_ZJHM" else one for one in await _standard(office)]
    given = {"code": _code(), "kind": "XK", "name": "n", "site": "OWN_SITE", "items": items}
    assert (await office.desk().refused(DRAFT, given))["reason"] == "PERSON_NUMBER_OPENED"


@pytest.mark.parametrize("change", [{"code": "a b"}, {"name": " "}, {"name": "\u200b"}, {"items": []}])
async def test_r4_3_an_item_that_is_not_whole_is_refused(office: Office, change: dict[str, Any]) -> None:
    given = {"code": _code(), "kind": "XK", "name": "n", "site": "OWN_SITE", **change}
    assert (await office.desk().refused(DRAFT, given))["code"] == "BAD_USER_INPUT"


# ---- R4.4 ------------------------------------------------------------------------------------------------------


async def test_r4_4_a_change_makes_a_new_version_and_the_old_one_can_still_be_read(office: Office) -> None:
    code = _code()
    first = await _published(office, code)
    refused = await office.desk().refused(
        DRAFT, {"code": code, "kind": "CF", "name": "n", "site": "OWN_SITE"}
    )
    assert refused["reason"] == "KIND_CHANGED"
    office.clock.now += timedelta(days=7)
    second = await _drafted(office, code, name="成品油零售经营批准")
    assert second["version"] == 2
    refused = await office.desk().refused(
        DRAFT, {"code": code, "kind": "XK", "name": "n", "site": "OWN_SITE"}
    )
    assert refused["reason"] == "VERSION_ON_ITS_WAY"
    assert [one["version"] for one in await _shown(_public(office), code=code)] == [1]
    desk = office.desk()
    await _took(desk, second["number"], "submitCatalogItem")
    await _took(desk.second(), second["number"], "passCatalogReview", ', opinion: "不涉密"')
    await _took(desk, second["number"], "publishCatalogItem")
    public = _public(office)
    assert [(one["version"], one["name"]) for one in await _shown(public, code=code)] == [
        (2, "成品油零售经营批准")
    ]
    (old,) = await _shown(public, code=code, version=1)
    assert (old["effectiveFrom"], old["effectiveTo"]) == ("2026-11-23", "2026-11-30")
    assert [one["version"] for one in await _shown(public, code=code, on="2026-11-29")] == [1]
    assert [one["version"] for one in await _shown(public, code=code, on="2026-11-30")] == [2]
    assert await _shown(public, code=code, on="2026-11-22") == []
    query = (
        f"query Q($number: String!) {{ case(number: $number) {{ ... on CatalogItemVersion {{ {ITEM} }} }} }}"
    )
    case = (await desk.done(query, {"number": first["number"]}))["case"]
    assert (case["state"], case["endedReason"]) == ("SUPERSEDED", "SUPERSEDED")
    # Both versions are one item to the channels, so the newer one replaces the older, and nothing is taken off.
    assert {one["channel"] for one in case["deliveries"]} == {"OWN_SITE", "CREDIT_QINGHAI"}


async def test_r4_4_a_record_keeps_the_version_that_it_was_filed_under(office: Office) -> None:
    code, firm = _code(), await office.subject()
    query = """query R($code: String!) { subject(value: $code) { records { edges { node { documentNumber catalogItemVersion } } } } }"""
    moment = office.clock.now

    async def filed(number: str, **more: Any) -> None:
        await office.adverse(
            firm,
            date(2026, 11, 1),
            document_number=number,
            catalog_item_code=code,
            recorded_at=office.clock.now,
            **more,
        )

    await filed("before")
    office.clock.now = moment + timedelta(hours=1)
    await _published(office, code)
    office.clock.now = moment + timedelta(hours=2)
    await filed("first")
    office.clock.now = moment + timedelta(hours=3)
    await _published(office, code, name="第二版")
    office.clock.now = moment + timedelta(hours=4)
    await filed("second")
    for desk in (_public(office), office.desk("commerce", "ONGOING_SUPERVISION")):
        edges = (await desk.done(query, {"code": firm}))["subject"]["records"]["edges"]
        found = {one["node"]["documentNumber"]: one["node"]["catalogItemVersion"] for one in edges}
        assert found == {"before": None, "first": 1, "second": 2}
    # A later version of the record itself is still the record that was filed then.
    await office.rows(
        "UPDATE record SET superseded_at = $2 WHERE document_number = 'first' AND catalog_item_code = $1",
        code,
        office.clock.now,
    )
    (row,) = await office.rows(
        "SELECT * FROM record WHERE document_number = 'first' AND catalog_item_code = $1", code
    )
    values = {**row, "recorded_at": office.clock.now, "superseded_at": None, "title": "更正"}
    names = [name for name in values if name != "version_id"]
    await office.rows(
        f"INSERT INTO record ({', '.join(names)}) VALUES ({', '.join(f'${n}' for n in range(1, len(names) + 1))})",
        *(values[name] for name in names),
    )
    edges = (await _public(office).done(query, {"code": firm}))["subject"]["records"]["edges"]
    assert {one["node"]["documentNumber"]: one["node"]["catalogItemVersion"] for one in edges}["first"] == 1


async def test_r4_4_an_item_of_another_unit_is_not_taken_over(office: Office) -> None:
    code = _code()
    await _published(office, code)
    given = {"code": code, "kind": "XK", "name": "n", "site": "OWN_SITE"}
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert (await xining.refused(DRAFT, given))["reason"] == "CODE_TAKEN"


# ---- R4.5 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["OWN_SITE", "GOVERNMENT_PORTAL"])
async def test_r4_5_two_channels_each_with_its_own_state(office: Office, site: str) -> None:
    await office.rows("UPDATE delivery_out SET state = 'FAILED' WHERE state <> 'ACKNOWLEDGED'")
    code = _code()
    case = await _published(office, code, site=site)
    assert {(one["channel"], one["state"]) for one in case["deliveries"]} == {
        (site, "PENDING"), ("CREDIT_QINGHAI", "PENDING"),
    }  # fmt: skip
    office.clock.now += timedelta(minutes=1)
    await _delivered(office, site)
    (shown,) = await _shown(_public(office), code=code)
    assert {one["channel"]: one["state"] for one in shown["channels"]} == {
        site: "ACKNOWLEDGED", "CREDIT_QINGHAI": "PENDING",
    }  # fmt: skip
    (row,) = await office.rows(
        "SELECT payload FROM delivery_out d JOIN case_file USING (case_id) WHERE number = $1 AND channel = 'CREDIT_QINGHAI'",
        case["number"],
    )
    document = json.loads(row["payload"])["document"]
    assert (document["code"], document["version"], len(document["data_items"])) == (code, 1, 28)
    assert "site" not in document


async def test_r4_5_a_version_that_moves_to_the_other_site_leaves_the_first(office: Office) -> None:
    code = _code()
    first = await _published(office, code)
    await _published(office, code, site="GOVERNMENT_PORTAL")
    rows = await office.rows(
        "SELECT channel, payload->>'action' AS action FROM delivery_out d JOIN case_file USING (case_id) WHERE number = $1"
        " ORDER BY delivery_id",
        first["number"],
    )
    assert [tuple(row) for row in rows] == [
        ("OWN_SITE", "PUBLISH"),
        ("CREDIT_QINGHAI", "PUBLISH"),
        ("OWN_SITE", "EXIT"),
    ]


async def test_r4_5_a_retired_item_leaves_the_catalogue_and_both_channels(office: Office) -> None:
    code, desk = _code(), office.desk()
    case = await _published(office, code)
    ended = await _took(
        desk,
        case["number"],
        "retireCatalogItem",
        ', reason: "审批事项取消", documentNumber: "国发〔2026〕1号"',
    )
    assert (ended["state"], ended["endedReason"]) == ("SUPERSEDED", "审批事项取消")
    assert sorted(one["channel"] for one in ended["deliveries"]) == ["CREDIT_QINGHAI"] * 2 + ["OWN_SITE"] * 2
    assert await _shown(_public(office), code=code) == []
    assert len(await _shown(_public(office), code=code, version=1)) == 1


async def test_r4_5_the_reason_of_a_retirement_goes_to_the_channels_and_tells_of_no_person(
    office: Office,
) -> None:
    desk, number = office.desk(), (await _published(office, _code()))["number"]
    told = ', reason: "取消，联系人马某13909710000", documentNumber: "国发〔2026〕1号"'
    assert await _refusal(desk, number, "retireCatalogItem", told) == "REASON_NOT_PUBLISHABLE"


async def test_r4_4_an_item_that_was_retired_comes_back_as_what_it_was(office: Office) -> None:
    code, desk = _code(), office.desk()
    number = (await _published(office, code))["number"]
    await _took(desk, number, "retireCatalogItem", ', reason: "取消", documentNumber: "国发〔2026〕1号"')
    given = {"code": code, "kind": "CF", "name": "n", "site": "OWN_SITE"}
    assert (await desk.refused(DRAFT, given))["reason"] == "KIND_CHANGED"
    assert (await _drafted(office, code))["version"] == 2


async def test_r4_5_nothing_is_published_before_the_day_it_is_to_take_effect(office: Office) -> None:
    desk, number = office.desk(), (await _drafted(office, _code(), **{"from": "2026-11-25"}))["number"]
    await _took(desk, number, "submitCatalogItem")
    await _took(desk.second(), number, "passCatalogReview", ', opinion: "不涉密"')
    assert await _refusal(desk, number, "publishCatalogItem") == "EFFECTIVE_LATER"
    office.clock.now += timedelta(days=2)
    assert (await _took(desk, number, "publishCatalogItem"))["inForceFrom"] == "2026-11-25"


async def test_r4_5_every_partner_reads_the_published_catalogue_by_kind(office: Office) -> None:
    licence, penalty = _code(), _code()
    await _published(office, licence)
    await _published(office, penalty, kind="CF", name="违反成品油管理规定的处罚")
    for partner, purpose, matter in (
        ("public", "PUBLIC_QUERY", None), ("mall", "MERCHANT_ADMISSION", None), ("subject", "SELF_QUERY", None),
        ("auditor", "AUDIT", "A-1"),
    ):  # fmt: skip
        found = await _shown(office.desk(partner, purpose, matter, None), kind="CF")
        assert penalty in {one["code"] for one in found}, partner
        assert licence not in {one["code"] for one in found}, partner
    told = await _public(office).refused(PUBLISHED, {"on": "2026-11-24"})
    assert told["code"] == "BAD_USER_INPUT"


async def test_r4_5_the_catalogue_is_read_page_by_page_in_the_order_of_codes(office: Office) -> None:
    codes = sorted([f"ZZ-{_code()}" for _ in range(3)])
    for code in reversed(codes):
        await _published(office, code)
    query = """query P($first: Int!, $after: String) { catalogItems(first: $first, afterCode: $after) { code } }"""

    async def page(first: int, after: str | None) -> list[str]:
        told = await _public(office).done(query, {"first": first, "after": after})
        return [one["code"] for one in told["catalogItems"]]

    assert await page(2, "ZZ") == codes[:2]
    assert await page(2, codes[1]) == codes[2:]
    assert await page(2, codes[2]) == []
    for first, code in ((0, "BAD_USER_INPUT"), (21, "LIMIT_EXCEEDED")):
        assert (await _public(office).refused(query, {"first": first}))["code"] == code
    # What is said of the most is what is done, for whoever has the largest page.
    assert "1 to 100 " in (await office.desk().refused(query, {"first": 0}))["message"]
    assert (await office.desk().refused(query, {"first": 101}))["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+86", "-2", "@SUM(A1)", "\t=1", " =1", "＝cmd", "|x", "%x"],
)
def test_r4_5_an_export_holds_no_formula(text: str, tmp_path: Path) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded("成品油") == "成品油"
    rows = [{"a": text, "b": None}]
    told = written("t", ("a", "b"), rows, Format.CSV).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(told, newline="")))["a"] == f"'{text}"
    (tmp_path / "t.xlsx").write_bytes(written("t", ("a", "b"), rows, Format.XLSX))
    cell = load_workbook(tmp_path / "t.xlsx").active["A2"]  # type: ignore[index]
    assert (cell.data_type, cell.value) == ("s", f"'{text}")
    assert json.loads(written("t", ("a", "b"), rows, Format.JSON)) == [{"a": text, "b": None}]


@pytest.mark.parametrize("character", ["\x07", "\ufffe", "\uffff"])
def test_r4_5_a_character_that_no_xml_may_hold_leaves_the_workbook_readable(character: str) -> None:
    made = written("t", ("a",), [{"a": f"成品油{character}零售"}], Format.XLSX)
    assert load_workbook(io.BytesIO(made)).active["A2"].value == "成品油零售"  # type: ignore[index]


def test_r4_5_a_number_is_one_in_a_workbook_and_a_code_of_digits_is_none() -> None:
    made = written("t", ("a", "b", "c"), [{"a": 12, "b": "0012", "c": True}], Format.XLSX)
    cells = next(load_workbook(io.BytesIO(made)).active.iter_rows(min_row=2))  # type: ignore[union-attr]
    assert [cell.value for cell in cells] == [12, "0012", "是"]
