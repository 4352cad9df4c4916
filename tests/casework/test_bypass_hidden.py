"""Ways around the rights of casework, by class of docs/authorization.md: what another unit has and hides changes no answer."""

from __future__ import annotations

import re
import statistics
import time
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from tests.casework import test_catalogue as catalogue
from tests.casework import test_listings as listings
from tests.casework import test_objections as objections
from tests.casework import test_repair as repair
from tests.casework.desk import MONDAY, Desk, Office
from tests.reference.ids import permuted

FIGURES = """{
  publicityTimeliness(decidedFrom: "2026-01-01", decidedTo: "2026-11-22") { unit month pending notPublished }
  catalogCoverage { unit active catalogued gaps { code gap } withoutPower } }"""
DRAFT = """mutation D($code: USCC!) {
  draftPublicity(subject: $code, kind: PENALTY, title: "t", decisionNumber: "d", decidedOn: "2026-11-20",
    authority: "a", text: "t") { number } }"""
NOMINATE = """mutation N($code: USCC!) {
  nominateHonestModel(subject: $code, nominatorKind: UNIT, nominator: " ", deeds: "d") { number } }"""
CONTRACT = """mutation C($code: USCC!) {
  registerInvestmentContract(subject: $code, contractNumber: "c", parties: ["a"], signedOn: "2026-11-20",
    obligations: []) { number } }"""
NOTIFY = listings.NOTIFY
# Golmud: not in the region of Xining.
FAR = "632801"


def xining(office: Office, purpose: str = "ONGOING_SUPERVISION") -> Desk:
    return office.desk("commerce-xining", purpose, "M-1", None)


def alike(told: dict[str, Any]) -> str:
    """An answer without what is random or another subject's in every answer."""
    told["extensions"].pop("requestId", None)
    return re.sub(r"QH[A-Z]{2}-2026(-\d{4}){3}|\b[a-z][0-9a-f]{32}\b", "*", repr(told))


async def test_14_figures_of_units_count_what_the_callers_reports_tell(office: Office) -> None:
    """R7.1, R4.1: what waits, or is drafted, at another unit is counted for its own region's departments and auditors."""
    before = await xining(office).done(FIGURES)
    # The commission is told yes or no about reports (D43), so it is told no figures.
    reform = office.desk("reform", "ONGOING_SUPERVISION", None, None)
    assert await reform.done(FIGURES) == {"publicityTimeliness": [], "catalogCoverage": []}
    await office.desk(purpose="ONGOING_SUPERVISION").done(DRAFT, {"code": await office.subject()})
    await catalogue._published(office, f"QH-{uuid4().hex[:8]}", powerItem="P-1")
    assert await xining(office).done(FIGURES) == before
    assert await reform.done(FIGURES) == {"publicityTimeliness": [], "catalogCoverage": []}
    province = await office.desk(purpose="ONGOING_SUPERVISION").done(FIGURES)
    assert [one["unit"] for one in province["publicityTimeliness"]] == ["commerce"]
    assert [one["unit"] for one in province["catalogCoverage"]] == ["commerce"]
    await xining(office).done(DRAFT, {"code": await office.subject(region="630103")})
    (own,) = (await xining(office).done(FIGURES))["publicityTimeliness"]
    assert (own["unit"], own["pending"]) == ("commerce-xining", 1)
    both = await office.desk("auditor", "AUDIT").done(FIGURES)
    assert [one["unit"] for one in both["publicityTimeliness"]] == ["commerce", "commerce-xining"]


async def test_41_a_proposal_that_is_not_shown_refuses_none(office: Office) -> None:
    """R8.2: a proposal is its department's until it is published; then there is no second place on the list."""
    listed, other = await office.subject(), await office.subject()
    first = await listings._served(office, listed, "L-RED")
    given = {"list": "L-RED", "ground": None}
    hidden = await xining(office).ask(listings.PROPOSE, {"code": listed, **given})
    absent = await xining(office).ask(listings.PROPOSE, {"code": other, **given})
    assert alike(dict(hidden)) == alike(dict(absent))
    again = await xining(office).refused(listings.PROPOSE, {"code": listed, **given})
    assert again["reason"] == "ALREADY_PROPOSED_OR_LISTED"
    second = hidden["data"]["proposeListing"]["number"]
    await xining(office).done(NOTIFY, {"n": second, "told": True})
    await xining(office).done(listings.SERVE, {"n": second, "on": listings._today(office)})
    listings._later(office, 14)
    for number, desk in ((first, listings._desk(office)), (second, xining(office))):
        await desk.done(listings.RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    await listings._desk(office).done(listings.PUBLISH, {"n": first})
    assert (await xining(office).refused(listings.PUBLISH, {"n": second}))["reason"] == "ALREADY_LISTED"
    # In force it is public, and so is that there is no room for another.
    third = await office.subject()
    await listings._published(office, third, "L-RED")
    known = await xining(office).refused(listings.PROPOSE, {"code": third, **given})
    assert known["reason"] == "ALREADY_PROPOSED_OR_LISTED"


async def test_41_a_draft_of_another_unit_takes_no_code(office: Office) -> None:
    """R4.4: the code of an item is its unit's from the day it is published, and version 1 is the first one shown."""
    taken, free = f"QH-{uuid4().hex[:8]}", f"QH-{uuid4().hex[:8]}"
    number = (await catalogue._drafted(office, taken))["number"]
    told = []
    for code in (taken, free):
        given = {"code": code, "kind": "XK", "name": "成品油零售经营资格审批", "site": "OWN_SITE"}
        told.append(await xining(office).ask(catalogue.DRAFT, given))
    own = told[0]["data"]["draftCatalogItem"]["number"]
    hidden, absent = (re.sub(r"[0-9a-f]{64}", "*", alike(one)) for one in told)
    assert hidden.replace(taken, "*") == absent.replace(free, "*")
    for desk, one in ((office.desk(), number), (xining(office), own)):
        await catalogue._took(desk, one, "submitCatalogItem")
        await catalogue._took(desk.second(), one, "passCatalogReview", ', opinion: "不涉密"')
    await catalogue._took(office.desk(), number, "publishCatalogItem")
    assert await catalogue._refusal(xining(office), own, "publishCatalogItem") == "CODE_TAKEN"


async def test_41_what_stands_against_a_firm_of_another_region_is_not_told(office: Office) -> None:
    """R8.3, D12: whatever a guard would read of it, the answer to P2 is the same: it may open no case there."""
    await listings._lists(office)
    for against in ("WATCH", None):
        code = await office.subject(region=FAR)
        if against:
            await office.listed(code, against)
            assert (await _refusal(listings._desk(office), code))["reason"] == "ON_A_WATCH_LIST"
        for purpose in ("JOINT_INCENTIVE", "ONGOING_SUPERVISION"):
            assert (await _refusal(xining(office, purpose), code))["code"] == "FORBIDDEN", against
        # So is all else that names a subject, whatever else is wrong with it.
        for document in (NOMINATE, DRAFT, CONTRACT):
            assert (await xining(office).refused(document, {"code": code}))["code"] == "FORBIDDEN", document
    own = await office.subject(region="630103")
    await office.listed(own, "WATCH")
    assert (await _refusal(xining(office), own))["reason"] == "ON_A_WATCH_LIST"
    unknown = await xining(office).refused(listings.PROPOSE, {"code": "91440300708461136T", "list": "L-RED"})
    assert unknown["code"] == "SUBJECT_UNKNOWN"


async def _refusal(desk: Desk, code: str) -> dict[str, Any]:
    return await desk.refused(listings.PROPOSE, {"code": code, "list": "L-RED"})


async def test_07_41_a_case_that_is_not_shown_is_none_whatever_part_one_has_in_it(office: Office) -> None:
    """Neither its state nor a guard of it is told: P2 handles no case about a firm of another region."""
    number = await listings._served(office, await office.subject(region=FAR), "L-BLACK")
    await office.rows(
        "INSERT INTO case_party SELECT case_id, 'commerce-xining', 'HANDLER', $2 FROM case_file WHERE number = $1",
        number,
        MONDAY,
    )
    (row,) = await office.rows("SELECT public_id FROM case_file WHERE number = $1", number)
    absent = await xining(office).refused(listings.PUBLISH, {"n": "QHMD-2026-0000-0000-0000"})
    assert absent["code"] == "CASE_UNKNOWN"
    for said in (number, "c" + row["public_id"].hex):
        for step in (
            listings.PUBLISH,
            listings.REVOKE,
            listings.SERVE.replace("$on: Date!", '$on: Date = "2026-11-23"'),
        ):
            assert await xining(office).refused(step, {"n": said}) == absent


async def test_21_a_case_names_a_persons_record_in_the_callers_own_form(office: Office) -> None:
    """DOMAIN 6.6-10: two classes that compare their files find no record of a person in both."""
    _, record = await repair._person(office)
    made = await repair.recorded(office, record, [repair.SERVED])
    assert made["target"] == record
    read = "query R($n: String!) { case(number: $n) { id ... on RepairCase { target targetTitle } } }"
    own, auditors = [
        (await desk.done(read, {"n": made["number"]}))["case"]
        for desk in (repair.department(office), office.desk("auditor", "AUDIT", "SJ-1", None))
    ]
    plain = await office.rows(
        "SELECT target_public_id AS t, public_id AS c FROM case_file WHERE number = $1", made["number"]
    )
    secret = office.database.settings.id_key
    assert own["target"] == record
    assert auditors["target"] == "r" + permuted(plain[0]["t"].hex, "P12", secret)
    assert auditors["id"] == "c" + permuted(plain[0]["c"].hex, "P12", secret)
    assert {plain[0]["t"].hex, plain[0]["c"].hex} & {own["target"][1:], own["id"][1:]} == set()


async def test_18_a_repair_tells_of_its_record_what_the_record_tells(office: Office) -> None:
    """D8: the copies in the file are masked, and gone, where the penalty of the person is; its handler keeps its file."""
    _, record = await repair._person(office)
    number = (await repair.recorded(office, record, [repair.SERVED]))["number"]
    firm = (
        await repair.recorded(office, await repair.penalty(office, await office.subject(), date(2026, 8, 1)))
    )["number"]
    copies = "targetTitle documentNumber decidedOn seriousness color"
    read = (
        "query R($n: String!) { case(number: $n) { ... on RepairCase { "
        + copies
        + " record { title documentNumber decidedOn seriousness } } } }"
    )

    async def told(desk: Desk, one: str, **headers: str) -> tuple[list[Any], list[Any]]:
        case = (await desk.done(read, {"n": one}, **headers))["case"]
        of = case["record"] or dict.fromkeys(("title", "documentNumber", "decidedOn", "seriousness"))
        return [case[name] for name in copies.split()[:-1]], list(of.values())

    auditor = office.desk("auditor", "AUDIT", "SJ-1", None)
    reform = office.desk("reform", "CREDIT_REPAIR", None, None)
    masked, itself = await told(auditor, number)
    assert masked == itself
    assert masked[0] is None
    assert masked[2:] == ["2026-08-01", "GENERAL"]
    assert await told(reform, number) == ([None] * 4, [None] * 4)
    # Through the handler's eyes nobody sees its file.
    through, itself = await told(auditor, number, Hub_View_As="commerce/CREDIT_REPAIR")
    assert through == itself
    handler, itself = await told(repair.department(office), number)
    assert handler[0] == "行政处罚"
    assert itself == [None] * 4
    for desk in (auditor, reform):
        copied, itself = await told(desk, firm)
        assert copied == itself
        assert None not in copied


async def test_21_so_does_an_objection_and_what_is_decided_on_it(office: Office) -> None:
    """The record in the place of a wrong one is named to each class alone, too."""
    commerce, record = objections.commerce(office), await objections.penalty(office, await office.subject())
    number = (await commerce.done(objections.RECORD, {"target": record}))["recordObjection"]["number"]
    correct = ', remedy: CORRECT, reason: "经核查有误", documentNumber: "青商异〔2026〕1号", correction: { title: "处罚" }'
    upheld = await objections.took(commerce, number, "upholdObjection", correct)
    assert upheld["target"] == record
    corrected = upheld["decision"]["corrected"]
    # Of a firm both are as the store has them; the same file about a person is sealed.
    person, _ = await repair._person(office)
    await office.rows("UPDATE case_file SET subject_id = $1 WHERE number = $2", person, number)
    auditor = office.desk("auditor", "AUDIT", "SJ-1", None)
    for desk, name in ((commerce, "P1"), (auditor, "P12")):
        secret = office.database.settings.id_key
        told = (await desk.done(objections.READ, {"number": number}))["case"]
        assert told["target"] == "r" + permuted(record[1:], name, secret)
        assert told["decision"]["corrected"] == "r" + permuted(corrected[1:], name, secret)


async def test_41_an_application_on_paper_tells_nothing_of_records_of_others(office: Office) -> None:
    """R9.2: only who recognized a record may name one that its purpose does not show it."""
    desk, code = repair.department(office), await office.subject()
    absent = await desk.refused(repair.RECORD, {"target": "r" + uuid4().hex, "evidence": []})
    others = {"authority_name": "青海省公安厅", "authority_uscc": None}
    ended = await repair.penalty(office, code, date(2026, 8, 1), lifecycle="REPAIRED", **others)
    person, record = await repair._person(office)
    await office.rows(
        "UPDATE record SET authority_name = '青海省公安厅', authority_uscc = NULL WHERE subject_id = $1",
        person,
    )
    (row,) = await office.rows("SELECT public_id FROM record WHERE subject_id = $1", person)
    assert record == "r" + permuted(row["public_id"].hex, "P1", office.database.settings.id_key)
    for target in (ended, record, "r" + row["public_id"].hex):
        assert await desk.refused(repair.RECORD, {"target": target, "evidence": []}) == absent


@pytest.mark.alone
async def test_33_a_command_on_a_hidden_case_takes_the_time_of_one_on_none(office: Office) -> None:
    """Pairs of requests in turns; half of them may differ by no more than they differ among themselves."""
    hidden = await listings._proposed(office, await office.subject(region=FAR), "L-BLACK")
    absent = "QHMD-2026-0000-0000-0000"
    spent: dict[str, list[float]] = {hidden: [], absent: []}
    for turn in range(90):
        for number in (hidden, absent) if turn % 2 else (absent, hidden):
            begun = time.perf_counter()
            assert (await xining(office).refused(listings.PUBLISH, {"n": number}))["code"] == "CASE_UNKNOWN"
            if turn >= 10:
                spent[number].append(time.perf_counter() - begun)
    differences = [one - other for one, other in zip(spent[hidden], spent[absent], strict=True)]
    shift = statistics.median(differences)
    noise = statistics.median(abs(one - shift) for one in differences)
    assert abs(shift) < max(2 * noise, 0.002), (shift, noise)
