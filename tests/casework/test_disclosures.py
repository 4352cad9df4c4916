"""Exposure of typical cases (R10.4): anonymised, reviewed by a second person, shown, ended with its penalty; over HTTP."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from hub.casework.delivery.channels import Channel
from hub.casework.domestic_trade.disclosures import end_with_penalties
from hub.casework.registry import registry
from hub.rules.disclosures import load_disclosure_rules
from tests.casework.desk import Desk, Office
from tests.casework.dispatch import duties

SHOWN = """number state title text penaltyNumber penaltyEnds disclosedOn endedReason draftedBy textDigest
  findings { key kind sample } review { officer opinion digest } penalty { documentNumber }
  deliveries { channel state }"""
DRAFT = f"""mutation D($penalty: ID!, $text: String!, $title: String! = "某加油站掺杂掺假案") {{
  draftCaseDisclosure(penalty: $penalty, kind: TYPICAL, title: $title, text: $text) {{ {SHOWN} }} }}"""
PUBLIC = """query P($number: String!) { case(number: $number) { number state ... on CaseDisclosure {
  title text disclosedOn penalty { documentNumber } } } }"""
TEXT = "某加油站以普通柴油冒充国六柴油销售，被处以罚款十万元。"
# Checksum right; nobody's: the region code was never given out.
NUMBERED = "负责人身份证号630102199003074514，电话13997012345。"


def step(field: str, arguments: str = "") -> str:
    return f"mutation S($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"


async def took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(step(field, arguments), {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    told = await desk.refused(step(field, arguments), {"number": number})
    return str(told.get("reason", told["code"]))


async def penalty(office: Office, **more: Any) -> tuple[str, str]:
    """A firm with a penalty in publicity: its code, and the penalty's opaque id."""
    code = await office.subject()
    laid = {"seriousness": "SERIOUS", "usable_until": date(2027, 5, 10), **more}
    return code, await office.adverse(code, date(2026, 5, 10), **laid)


async def drafted(office: Office, text: str = TEXT) -> tuple[Desk, dict[str, Any], str]:
    desk, (_, record) = office.desk(), await penalty(office)
    made: dict[str, Any] = (await desk.done(DRAFT, {"penalty": record, "text": text}))["draftCaseDisclosure"]
    return desk, made, record


async def disclosed(office: Office) -> tuple[Desk, str, str]:
    desk, made, record = await drafted(office)
    number = made["number"]
    await took(desk, number, "submitCaseDisclosure")
    await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已脱敏"')
    await took(desk, number, "discloseCase")
    return desk, number, record


def _public(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def _seen(office: Office, number: str) -> Any:
    return (await _public(office).done(PUBLIC, {"number": number}))["case"]


async def _pushed(office: Office, number: str) -> set[tuple[str, str]]:
    rows = await office.rows(
        "SELECT channel, payload->>'action' AS action FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1",
        number,
    )
    return {tuple(row) for row in rows}


async def test_r10_4_a_case_is_exposed_after_the_review_of_a_second_person_and_then_by_everybody_seen(
    office: Office,
) -> None:
    desk, made, _ = await drafted(office)
    number = made["number"]
    assert (made["state"], made["findings"], made["penaltyEnds"]) == ("DRAFT", [], "2027-05-10")
    assert made["penalty"]["documentNumber"] == made["penaltyNumber"]
    assert await refusal(desk, number, "discloseCase") == "TRANSITION_NOT_ALLOWED"
    await took(desk, number, "submitCaseDisclosure")
    assert await refusal(desk, number, "approveCaseDisclosure", ', opinion: "x"') == "SECOND_PERSON_NEEDED"
    case = await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已脱敏"')
    assert (case["review"]["officer"], case["review"]["digest"]) == ("second-officer", case["textDigest"])
    assert await _seen(office, number) is None
    case = await took(desk, number, "discloseCase")
    assert (case["state"], case["disclosedOn"]) == ("DISCLOSED", "2026-11-23")
    assert await _pushed(office, number) == {(one, "PUBLISH") for one in Channel}
    seen = await _seen(office, number)
    assert (seen["text"], seen["penalty"]["documentNumber"]) == (TEXT, case["penaltyNumber"])
    # Who wrote and reviewed it is the unit's own matter.
    drafter = "query Q($number: String!) { case(number: $number) { ... on CaseDisclosure { draftedBy } } }"
    assert "errors" in await _public(office).ask(drafter, {"number": number})


@pytest.mark.parametrize("how", ["lifecycle = 'REPAIRED'", "usable_until = '2026-11-22'"])
async def test_r10_4_a_penalty_that_is_over_is_not_exposed_before_the_worker_comes_by(
    office: Office, how: str
) -> None:
    desk, made, record = await drafted(office)
    number = made["number"]
    await took(desk, number, "submitCaseDisclosure")
    await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已脱敏"')
    await office.rows(f"UPDATE record SET {how} WHERE public_id = $1::text::uuid", record[1:])
    assert await refusal(desk, number, "discloseCase") == "NOT_IN_FORCE"
    assert await end_with_penalties(office.database.writer, registry().machines, office.clock.now) == 1
    assert await _pushed(office, number) == set()


async def test_r10_4_what_the_redactor_finds_goes_from_the_text_and_is_not_cleared(office: Office) -> None:
    desk, made, _ = await drafted(office, NUMBERED)
    number = made["number"]
    assert {one["kind"] for one in made["findings"]} == {"RESIDENT_ID", "MOBILE"}
    assert "19900307" not in json.dumps(made["findings"])
    await took(desk, number, "submitCaseDisclosure")
    assert await refusal(desk.second(), number, "approveCaseDisclosure", ', opinion: "x"') == "NOT_ANONYMISED"
    await took(desk.second(), number, "returnCaseDisclosure", ', reason: "删去号码"')
    case = await took(desk, number, "reviseCaseDisclosure", f', title: "某加油站案", text: "{TEXT}"')
    assert (case["findings"], case["review"]) == ([], None)
    await took(desk, number, "submitCaseDisclosure")
    assert (await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已脱敏"'))[
        "state"
    ] == "APPROVED"


async def test_r10_4_a_draft_with_findings_is_its_units_alone_when_it_has_ended_too(office: Office) -> None:
    desk, made, _ = await drafted(office, NUMBERED)
    number = made["number"]
    await took(desk, number, "withdrawCaseDisclosure", ', reason: "不再曝光"')
    query = "query Q($n: String!) { case(number: $n) { state ... on CaseDisclosure { title text } } }"
    auditor = office.desk("auditor", "AUDIT", "SJ-1", None)
    case = (await auditor.done(query, {"n": number}))["case"]
    assert case == {"state": "ENDED", "title": None, "text": None}
    assert (await desk.done(query, {"n": number}))["case"]["text"] == NUMBERED


async def test_r10_4_no_person_of_the_firm_is_named(office: Office) -> None:
    code, record = await penalty(office)
    await office.rows("UPDATE subject SET legal_representative_name = '马德林' WHERE uscc = $1", code)
    desk = office.desk()
    given = {"penalty": record, "text": f"法定代表人马德林。{TEXT}"}
    number = (await desk.done(DRAFT, given))["draftCaseDisclosure"]["number"]
    await took(desk, number, "submitCaseDisclosure")
    assert await refusal(desk.second(), number, "approveCaseDisclosure", ', opinion: "x"') == "PERSON_NAMED"


async def test_r10_4_a_text_changed_after_its_review_is_not_disclosed(office: Office) -> None:
    desk, made, _ = await drafted(office)
    number = made["number"]
    await took(desk, number, "submitCaseDisclosure")
    await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已脱敏"')
    await office.rows(
        "UPDATE case_file SET details = jsonb_set(details, '{text}', '\"另一段文字\"') WHERE number = $1",
        number,
    )
    assert await refusal(desk, number, "discloseCase") == "REVIEW_MISSING"


@pytest.mark.parametrize(
    "change",
    [
        {"seriousness": "MINOR"}, {"usable_until": date(2026, 11, 22)}, {"lifecycle": "REPAIRED"},
        {"sharing_attribute": "RESTRICTED"},
    ],
)  # fmt: skip
async def test_r10_4_only_a_penalty_in_publicity_is_exposed(office: Office, change: dict[str, Any]) -> None:
    _, record = await penalty(office, **change)
    for one in (record, "r1", "r" + "0" * 32):
        assert (await office.desk().refused(DRAFT, {"penalty": one, "text": TEXT}))[
            "code"
        ] == "SUBJECT_UNKNOWN"


async def test_r10_4_a_penalty_of_another_field_is_not_exposed(office: Office) -> None:
    _, record = await penalty(office, source="MARKET_REGULATION")
    assert (await office.desk().refused(DRAFT, {"penalty": record, "text": TEXT}))[
        "reason"
    ] == "NOT_OWN_FIELD"
    rules = load_disclosure_rules()
    assert [rules.own("COMMERCE", day) for day in (date(2019, 7, 4), date(2019, 7, 5))] == [False, True]


@pytest.mark.parametrize("way", ["expired", "repaired", "revoked", "shared"])
async def test_r10_4_it_ends_with_its_penaltys_publicity_however_that_ends(office: Office, way: str) -> None:
    desk, number, record = await disclosed(office)
    pool, machines = office.database.writer, registry().machines
    assert await end_with_penalties(pool, machines, office.clock.now) == 0
    if way == "expired":
        office.clock.now += timedelta(days=169)
    else:
        # Shared between authorities only, it is no longer everybody's either.
        changed = (
            "sharing_attribute = 'GOVERNMENT_SHARED'" if way == "shared" else f"lifecycle = '{way.upper()}'"
        )
        await office.rows(
            f"UPDATE record SET {changed} WHERE 'r' || replace(public_id::text, '-', '') = $1", record
        )
    assert await end_with_penalties(pool, machines, office.clock.now) >= 1
    assert await _seen(office, number) is None
    rows = await office.rows(
        "SELECT state, details->>'ended_reason' AS why FROM case_file WHERE number = $1", number
    )
    assert tuple(rows[0]) == ("ENDED", "PENALTY_PUBLICITY_OVER")
    assert await _pushed(office, number) == {
        (one, action) for one in Channel for action in ("PUBLISH", "EXIT")
    }
    assert await end_with_penalties(pool, machines, office.clock.now) == 0
    assert await refusal(desk, number, "discloseCase") == "TRANSITION_NOT_ALLOWED"


async def test_r10_4_an_exposure_that_is_broken_keeps_no_other_from_ending(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    (_, broken, _), (_, number, _) = await disclosed(office), await disclosed(office)
    office.clock.now += timedelta(days=169)
    whole = (await office.rows("SELECT details::text FROM case_file WHERE number = $1", broken))[0][0]
    await office.rows("UPDATE case_file SET details = details - 'text' WHERE number = $1", broken)
    assert await end_with_penalties(office.database.writer, registry().machines, office.clock.now) >= 1
    query = "SELECT state FROM case_file WHERE number = ANY ($1::text[]) ORDER BY case_id"
    assert [row["state"] for row in await office.rows(query, [broken, number])] == ["DISCLOSED", "ENDED"]
    assert [one.levelname for one in caplog.records if "is broken" in one.getMessage()] == ["ERROR"]
    await office.rows("UPDATE case_file SET details = $2::text::jsonb WHERE number = $1", broken, whole)
    assert await end_with_penalties(office.database.writer, registry().machines, office.clock.now) == 1


@pytest.mark.parametrize("way", ["expired", "repaired", "revoked", "minor", "shared", "moved"])
async def test_r10_4_it_is_gone_with_its_penalty_before_anything_is_written_down(
    office: Office, way: str
) -> None:
    desk, number, record = await disclosed(office)
    assert (await _seen(office, number))["text"] == TEXT
    if way == "expired":
        office.clock.now += timedelta(days=169)
    else:
        change = {
            "repaired": "lifecycle = 'REPAIRED'",
            "revoked": "lifecycle = 'REVOKED'",
            "minor": "data_class = 'D7'",
            "shared": "sharing_attribute = 'GOVERNMENT_SHARED'",
            # Its source said the wrong firm.
            "moved": "subject_id = (SELECT min(subject_id) FROM subject)",
        }
        await office.rows(
            f"UPDATE record SET {change[way]} WHERE 'r' || replace(public_id::text, '-', '') = $1", record
        )
    assert await _seen(office, number) is None
    exposed = "{ cases(mechanism: CASE_DISCLOSURE) { edges { node { number } } } }"
    reform = office.desk("reform", "ONGOING_SUPERVISION", None, None)
    nodes = (await reform.done(exposed))["cases"]["edges"]
    assert number not in [one["node"]["number"] for one in nodes]
    # Its unit still has it, to see that it ends on the channels.
    assert (await desk.done(PUBLIC, {"number": number}))["case"]["state"] == "DISCLOSED"


async def test_r10_4_the_worker_ends_it(office: Office) -> None:
    _, number, record = await disclosed(office)
    await duties(office).deadlines("")
    assert (await _seen(office, number))["state"] == "DISCLOSED"
    await office.rows(
        "UPDATE record SET lifecycle = 'REPAIRED' WHERE 'r' || replace(public_id::text, '-', '') = $1", record
    )
    await duties(office).deadlines("")
    assert await _seen(office, number) is None


async def test_r10_4_it_can_be_taken_down_with_a_reason_that_names_nobody(office: Office) -> None:
    desk, number, _ = await disclosed(office)
    no = await refusal(desk, number, "withdrawCaseDisclosure", f', reason: "{NUMBERED}"')
    assert no == "REASON_NOT_PUBLISHABLE"
    case = await took(desk, number, "withdrawCaseDisclosure", ', reason: "复议期间"')
    assert (case["state"], case["endedReason"]) == ("ENDED", "复议期间")
    assert await _seen(office, number) is None


async def test_r10_4_a_draft_exists_for_its_unit_alone(office: Office) -> None:
    _, made, _ = await drafted(office)
    for partner, purpose, matter in (
        ("commerce-xining", "ONGOING_SUPERVISION", "M-1"), ("reform", "ONGOING_SUPERVISION", None),
        ("subject", "OBJECTION_HANDLING", None), ("public", "PUBLIC_QUERY", None),
    ):  # fmt: skip
        desk = office.desk(partner, purpose, matter, None)
        assert (await desk.done(PUBLIC, {"number": made["number"]}))["case"] is None, partner
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert await refusal(xining, made["number"], "submitCaseDisclosure") == "CASE_UNKNOWN"


async def test_only_what_everybody_is_shown_is_exposed(office: Office) -> None:
    """R10.4, 公开属性: a penalty that is shared between authorities only is none for the public."""
    _, record = await penalty(office, sharing_attribute="GOVERNMENT_SHARED")
    told = await office.desk().refused(DRAFT, {"penalty": record, "text": TEXT})
    assert told["reason"] == "PENALTY_NOT_PUBLIC"


async def test_how_an_exposure_came_about_is_its_units_and_the_auditors(office: Office) -> None:
    """R10.4: what the second person sent back, and why, is no part of what everybody is shown."""
    desk, made, _ = await drafted(office)
    number = made["number"]
    await took(desk, number, "submitCaseDisclosure")
    await took(desk.second(), number, "returnCaseDisclosure", ', reason: "原稿提及股东家事"')
    await took(desk, number, "submitCaseDisclosure")
    await took(desk.second(), number, "approveCaseDisclosure", ', opinion: "已删股东家事"')
    await took(desk, number, "discloseCase")
    asked = """query P($number: String!) { case(number: $number) { state events { reason } ... on CaseDisclosure {
      draftedBy textDigest review { opinion } deliveries { channel } } } }"""
    for name, purpose, matter, told in (
        ("commerce", "ONGOING_SUPERVISION", "M-1", True),
        ("auditor", "AUDIT", "A-1", True),
        ("reform", "ONGOING_SUPERVISION", None, False),
        ("commerce-xining", "ONGOING_SUPERVISION", "M-1", False),
    ):
        answer = await office.desk(name, purpose, matter, None).ask(asked, {"number": number})
        case = answer["data"]["case"]
        assert case.pop("state") == "DISCLOSED"
        assert {bool(one) for one in case.values()} == {told}, name
        # Null is told with its reason, also to a unit that is a party here: it may be none of the next one.
        reasons = {
            (one["scope"], one["legalBasis"])
            for one in answer["extensions"].get("disclosure", ())
            if "CaseDisclosure.draftedBy" in one["coordinates"]
        }
        basis = "政府信息公开条例第16条：内部事务与过程性信息"
        assert reasons == (set() if name == "auditor" else {("PARTY", basis)}), name
        asked_why = 'query P { explain(coordinate: "CaseDisclosure.draftedBy") { scope legalBasis } }'
        why = await office.desk(name, purpose, matter, None).done(asked_why)
        explained = {(one["scope"], one["legalBasis"]) for one in why["explain"]}
        assert (explained == {("PARTY", basis)}) == (name != "auditor"), name
