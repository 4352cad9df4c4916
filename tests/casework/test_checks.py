"""Credit checks before a handling (article 五), over HTTP: R5.1 number, R5.2 evidence, R5.3 advice, R5.4 eligibility."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime

import orjson
import pytest

from tests.casework.check_documents import (
    BIDS,
    FEED,
    RUN,
    VERIFY,
    codes_of,
    laid_measure,
    run,
)
from tests.casework.desk import MONDAY, Office

SUMMARY = """
query Summary($c: String!) {
  subject(value: $c) { summary { hasSeriousDishonestyEntry hasPublicPenalty incompleteSources } }
}
"""

# ---- R5.1 ------------------------------------------------------------------------------------------------------


async def test_r5_1_a_check_issues_a_number_for_subject_matter_and_case(office: Office) -> None:
    code = await office.subject()
    check = await run(office.desk(), code)
    assert check["number"].startswith("QHSC-2026-")
    assert (check["subjectCode"], check["matter"], check["caseNumber"]) == (code, "SW-XK-OIL", "BJ-2026-0001")
    assert (check["purpose"], check["matterName"]) == ("ADMINISTRATIVE_LICENSING", "成品油零售经营资格审批")
    assert (check["mechanism"], check["handler"], check["ruleset"]) == ("CHECK", "commerce", "CHECK-2019")


@pytest.mark.parametrize("partner", ["public", "mall", "commerce-xining", "auditor"])
async def test_r5_1_anyone_whom_the_number_is_shown_to_can_verify_it(office: Office, partner: str) -> None:
    code = await office.subject()
    check = await run(office.desk(), code)
    purposes = {"public": "PUBLIC_QUERY", "mall": "MERCHANT_ADMISSION", "auditor": "AUDIT"}
    desk = office.desk(partner, purposes.get(partner, "ONGOING_SUPERVISION"), "M-1", None)
    asked = {"number": check["number"], "subject": code, "matter": "SW-XK-OIL"}
    told = (await desk.done(VERIFY, asked))["verifyCreditCheck"]
    assert told == {**asked, "valid": True, "checkedAt": told["checkedAt"], "validUntil": "2026-11-23"}
    assert datetime.fromisoformat(told["checkedAt"]) == MONDAY


async def test_r5_1_a_number_of_another_subject_or_matter_is_like_one_never_issued(office: Office) -> None:
    code, other = await office.subject(), await office.subject()
    number = (await run(office.desk(), code))["number"]
    desk = office.desk("public", "PUBLIC_QUERY", None, None)
    answers = []
    for asked in (
        {"number": number, "subject": other, "matter": "SW-XK-OIL"},
        {"number": number, "subject": code, "matter": "SW-CG-BID"},
        {"number": "QHSC-2026-0000-0000-0000", "subject": code, "matter": "SW-XK-OIL"},
    ):
        told = (await desk.done(VERIFY, asked))["verifyCreditCheck"]
        answers.append((told["valid"], told["checkedAt"], told["validUntil"]))
    assert answers == [(False, None, None)] * 3


async def test_r5_1_a_number_out_of_its_time_is_like_one_never_issued(office: Office) -> None:
    """Valid or not, and nothing more: neither when the check was run, nor until when it held."""
    code = await office.subject()
    asked = {"number": (await run(office.desk(), code))["number"], "subject": code, "matter": "SW-XK-OIL"}
    desk = office.desk("public", "PUBLIC_QUERY", None, None)
    moments = ("2026-11-23T09:59:59+08:00", "2026-11-23T23:59:59+08:00", "2026-11-24T00:00:00+08:00")
    answers = []
    for at in moments:
        told = (await desk.done(VERIFY, {**asked, "at": at}))["verifyCreditCheck"]
        answers.append((told["valid"], told["checkedAt"] is not None, told["validUntil"]))
    assert answers == [(False, False, None), (True, True, "2026-11-23"), (False, False, None)]


async def test_r5_1_only_the_six_kinds_of_handling_are_checked(office: Office) -> None:
    code = await office.subject()
    refusal = await office.desk(purpose="ONGOING_SUPERVISION").refused(RUN, {"code": code})
    assert refusal["code"] == "PURPOSE_NOT_ALLOWED"
    assert len(refusal["purposes"]) == 6


async def test_r5_1_an_unknown_matter_is_refused_and_so_is_one_of_another_purpose(office: Office) -> None:
    code = await office.subject()
    for matter in ("NOTHING", "SW-CG-BID"):
        assert (await office.desk(matter=matter).refused(RUN, {"code": code}))["code"] == "MATTER_UNKNOWN"


async def test_r5_1_an_unknown_subject_is_refused_and_leaves_no_case(office: Office) -> None:
    before = await office.rows("SELECT count(*) FROM case_file")
    assert (await office.desk().refused(RUN, {"code": "91630103MA75ABCD1M"}))["code"] == "SUBJECT_UNKNOWN"
    assert await office.rows("SELECT count(*) FROM case_file") == before


# ---- R5.2 ------------------------------------------------------------------------------------------------------


async def test_r5_2_evidence_is_frozen_whatever_happens_to_the_facts(office: Office) -> None:
    code = await office.subject()
    record = await office.adverse(code, date(2026, 5, 10))
    check = await run(office.desk(), code)
    assert [(one["kind"], one["object"], one["grade"]) for one in check["evidence"]["items"]] == [
        ("RECORD", record, "GENERAL")
    ]
    await office.rows("UPDATE record SET lifecycle = 'REPAIRED' WHERE public_id = $1", record[1:])
    await office.sources("UNAVAILABLE", ["TAX"])
    again = """query A($n: String!) { creditCheck(number: $n) {
      conclusion evidence { items { object } sources { source status } } evidenceDigest } }"""
    found = (await office.desk().done(again, {"n": check["number"]}))["creditCheck"]
    await office.sources()
    assert found["conclusion"] == "REMIND"
    assert found["evidence"]["items"] == [{"object": record}]
    seen = {one["source"]: one["status"] for one in found["evidence"]["sources"]}
    # Nobody asks customs here, and the evidence does not say that it is well.
    assert seen.pop("CUSTOMS") == "NOT_CONNECTED"
    assert set(seen.values()) == {"OK"}
    assert found["evidenceDigest"] == check["evidenceDigest"]
    # A new check sees the repaired record no more.
    assert (await run(office.desk(), code))["evidence"]["items"] == []


async def test_r5_2_the_digest_is_sm3_of_the_canonical_evidence(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10))
    check = await run(office.desk(), code)
    (row,) = await office.rows("SELECT details FROM case_file WHERE number = $1", check["number"])
    evidence = json.loads(row["details"])["evidence"]
    canonical = orjson.dumps(evidence, option=orjson.OPT_SORT_KEYS)
    assert hashlib.new("sm3", canonical).hexdigest() == check["evidenceDigest"]
    assert (evidence["subject"], evidence["matter"]) == (code, "SW-XK-OIL")
    assert evidence["checked_at"].startswith("2026-11-23T02:00:00")
    for change in ({"subject": "x"}, {"items": []}, {"policy_version": "y"}):
        altered = orjson.dumps({**evidence, **change}, option=orjson.OPT_SORT_KEYS)
        assert hashlib.new("sm3", altered).hexdigest() != check["evidenceDigest"]


async def test_r5_2_evidence_is_for_the_handling_unit_and_auditors_only(office: Office) -> None:
    code = "91630103MA75ABCD1M"
    await office.subject(code=code)
    await office.adverse(code, date(2026, 5, 10))
    number = (await run(office.desk(), code))["number"]
    told = "query T($n: String!) { creditCheck(number: $n) { conclusion reasons { code } } }"
    evidence = "query E($n: String!) { creditCheck(number: $n) { evidence { items { object } } } }"
    subject = office.desk("subject", "SELF_QUERY", None, None)
    assert (await subject.done(told, {"n": number}))["creditCheck"] == {
        "conclusion": "REMIND",
        "reasons": [{"code": "RECORD_GENERAL"}],
    }
    assert (await subject.refused(evidence, {"n": number}))["code"] == "GRAPHQL_VALIDATION_FAILED"
    auditor = office.desk("auditor", "AUDIT", "AUDIT-1", None)
    assert (await auditor.done(evidence, {"n": number}))["creditCheck"]["evidence"]["items"]
    # Another subject's check, and another unit's.
    other = (await run(office.desk(), await office.subject()))["number"]
    assert (await subject.done(told, {"n": other}))["creditCheck"] is None
    assert (await office.desk("commerce-xining").done(evidence, {"n": number}))["creditCheck"] is None


async def test_r5_2_the_check_sees_no_more_than_its_caller_may(office: Office) -> None:
    """Watch-list entries (D12) are for the department's six purposes, not for a county's."""
    code = await office.subject()
    await office.listed(code, "WATCH")
    department = await run(office.desk(), code)
    county = await run(office.desk("commerce-xining"), code)
    assert [one["grade"] for one in department["evidence"]["items"]] == ["WATCH"]
    assert county["evidence"]["items"] == []
    assert (department["conclusion"], county["conclusion"]) == ("STRICT_REVIEW", "GREEN_CHANNEL")


async def test_r5_2_what_ended_is_not_seen(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2024, 5, 10), usable_until=date(2026, 11, 22))
    await office.adverse(code, date(2026, 5, 10), lifecycle="REVOKED")
    await office.listed(code, "BLACK", state="EXITED_REPAIRED")
    check = await run(office.desk(), code)
    assert (check["evidence"]["items"], check["conclusion"]) == ([], "GREEN_CHANNEL")


# ---- R5.3 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["BLOCK", "RESTRICT"])
async def test_r5_3_block_and_restrict_follow_from_an_effective_measure_of_this_matter(
    office: Office, effect: str
) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    measure = await laid_measure(office, code, effect=effect)
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reasons"])) == (effect, ["MEASURE"])
    (seen,) = [one for one in check["evidence"]["items"] if one["kind"] == "MEASURE"]
    assert (seen["object"], seen["title"]) == (measure, "限制取得许可")
    # Which it is, and by what law: the official refuses by these, not by the hub's advice.
    assert check["reasons"][0]["text"] == (
        f"存在对本事项有效的失信惩戒措施“限制取得许可”（{seen['documentNumber']}；依据：某法第1条；"
        "全国失信惩戒措施基础清单：NC-01），请依法依据该措施办理。"
    )
    # Another matter is not covered.
    elsewhere = office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    assert (await run(elsewhere, code))["conclusion"] == "REMIND"


@pytest.mark.parametrize("lacking", ["national_catalogue_code", "legal_basis"])
async def test_r5_3_a_measure_without_catalogue_code_or_basis_reminds_and_does_not_block(
    office: Office, lacking: str
) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    await laid_measure(office, code, **{lacking: ""})
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reasons"])) == ("REMIND", ["LIST_BLACK"])
    assert check["eligibility"]["answer"] == "NO"


async def test_r5_3_lists_and_records_alone_never_block(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    await office.listed(code, "WATCH")
    await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    assert (await run(office.desk(), code))["conclusion"] == "STRICT_REVIEW"


async def test_r5_3_a_record_that_nobody_has_classified_reminds_and_is_flagged(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10), "UNCLASSIFIED")
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reminders"])) == ("REMIND", ["RECORD_UNCLASSIFIED"])
    assert "尚未定级" in check["reminders"][0]["text"]
    assert check["eligibility"]["answer"] == "INDETERMINATE"


async def test_r5_3_a_strict_review_tells_each_serious_list_by_name_as_well(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    await office.defined("T-COURT", "BLACK", "LAW", name="失信被执行人名单", recognizer_name="法院")
    await office.listed(code, "BLACK", list_code="T-COURT", recognized_on=date(2026, 7, 1))
    serious = await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    await office.adverse(code, date(2026, 5, 11))
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reasons"])) == ("STRICT_REVIEW", ["RECORD_SERIOUS"])
    assert serious in [one["object"] for one in check["evidence"]["items"]]
    assert codes_of(check["reminders"]) == ["LIST_BLACK", "LIST_BLACK", "RECORD_GENERAL"]
    # No two say the same: each names its list.
    for told in (check["reminders"][:2], check["eligibility"]["reasons"]):
        assert ["“T-BLACK”" in told[0]["text"], "“失信被执行人名单”" in told[1]["text"]] == [True, True]
    assert codes_of(check["eligibility"]["reasons"]) == ["SERIOUS_LIST"] * 2


async def test_r5_4_each_reason_names_the_record_it_rests_on(office: Office) -> None:
    code = await office.subject()
    for day in (date(2026, 5, 10), date(2026, 6, 10)):
        await office.adverse(code, day)
    told = (await run(office.desk(), code))["eligibility"]["reasons"]
    assert codes_of(told) == ["ADVERSE_RECORD"] * 2
    assert ["2026-05-10" in told[0]["text"], "2026-06-10" in told[1]["text"]] == [True, True]


async def test_r5_3_the_official_decides_and_feeds_it_back(office: Office) -> None:
    code = await office.subject()
    desk = office.desk()
    number = (await run(desk, code))["number"]
    fed = (await desk.done(FEED, {"number": number, "decision": "GRANTED", "on": "2026-11-23"}))[
        "recordCheckFeedback"
    ]
    told = fed["feedback"]
    assert (fed["state"], fed["dueOn"]) == ("FED_BACK", None)
    assert (told["decision"], told["decidedOn"], told["documentNumber"]) == (
        "GRANTED",
        "2026-11-23",
        "青商批〔2026〕9号",
    )
    assert datetime.fromisoformat(told["recordedAt"]) == MONDAY == datetime.fromisoformat(fed["closedAt"])
    again = await desk.refused(
        FEED, {"number": number, "decision": "REFUSED", "on": "2026-11-23", "reason": "x"}
    )
    assert (again["code"], again["state"]) == ("TRANSITION_NOT_ALLOWED", "FED_BACK")


async def test_r5_3_a_decision_against_the_advice_needs_a_reason(office: Office) -> None:
    desk = office.desk()
    number = (await run(desk, await office.subject()))["number"]
    given = {"number": number, "decision": "REFUSED", "on": "2026-11-23"}
    refusal = await desk.refused(FEED, given)
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", "REASON_NEEDED")
    assert await desk.done(FEED, {**given, "reason": "不符合规划"})
    (event,) = await office.rows(
        "SELECT e.reason, e.document_number FROM case_event e JOIN case_file c USING (case_id)"
        " WHERE c.number = $1 AND e.transition = 'feedback'",
        number,
    )
    assert tuple(event) == ("不符合规划", "青商批〔2026〕9号")


async def test_r5_3_feedback_is_due_in_thirty_days(office: Office) -> None:
    assert (await run(office.desk(), await office.subject()))["dueOn"] == "2026-12-23"


# ---- R5.4 ------------------------------------------------------------------------------------------------------


async def test_r5_4_three_clean_years_open_the_green_channel(office: Office) -> None:
    check = await run(office.desk(), await office.subject())
    assert check["conclusion"] == "GREEN_CHANNEL"
    told = check["eligibility"]
    assert (told["answer"], told["basis"]) == ("YES", "THREE_YEARS_CLEAN")
    assert (told["windowFrom"], told["windowTo"], told["missingSources"]) == ("2023-11-23", "2026-11-23", [])


async def test_r5_4_an_honest_model_opens_it_too(office: Office) -> None:
    code = await office.subject(established_on=date(2025, 1, 1))
    await office.listed(code, "RED")
    assert (await run(office.desk(), code))["eligibility"]["basis"] == "HONEST_MODEL"


async def test_r5_4_the_matter_may_refuse_it(office: Office) -> None:
    check = await run(
        office.desk(purpose="ADMINISTRATIVE_REVIEW", matter="SW-SH-LABOR"), await office.subject()
    )
    assert (check["conclusion"], check["eligibility"]["answer"]) == ("NORMAL", "YES")
    assert codes_of(check["reasons"]) == ["GREEN_CHANNEL_NOT_ADMITTED"]


async def test_acceptance_08_r5_4_tax_down_leaves_it_open_and_names_tax(office: Office) -> None:
    code, red = await office.subject(), await office.subject()
    await office.listed(red, "RED")
    await office.sources("UNAVAILABLE", ["TAX"])
    await office.noticed("TAX", "UNAVAILABLE")
    desk = office.desk(purpose=BIDS[0], matter=BIDS[1])
    try:
        for firm in (code, red):
            check = await run(desk, firm)
            assert check["conclusion"] == "INDETERMINATE"
            assert check["eligibility"]["answer"] == "INDETERMINATE"
            assert check["eligibility"]["missingSources"] == ["TAX"]
            assert "TAX" in check["reasons"][0]["text"]
            sources = {
                one["source"]: (one["status"], one["required"]) for one in check["evidence"]["sources"]
            }
            assert sources["TAX"] == ("UNAVAILABLE", True)
        # Where tax is not required its silence says nothing.
        assert (await run(office.desk(), code))["eligibility"]["answer"] == "YES"
    finally:
        await office.sources()
        await office.noticed("TAX", "OK")


async def test_r5_4_a_row_of_tax_that_nobody_understood_yet_leaves_it_open_for_the_firm_that_it_names(
    office: Office,
) -> None:
    code, other = await office.subject(), await office.subject()
    waiting = '{"D10": ["TAX"], "D17": ["TAX"]}'
    await office.rows("UPDATE subject SET in_doubt = $2::text::jsonb WHERE uscc = $1", code, waiting)
    desk = office.desk(purpose=BIDS[0], matter=BIDS[1])
    check = await run(desk, code)
    assert (check["conclusion"], check["eligibility"]["answer"]) == ("INDETERMINATE", "INDETERMINATE")
    assert check["eligibility"]["missingSources"] == ["TAX"]
    seen = {one["source"]: one["status"] for one in check["evidence"]["sources"]}
    assert (seen["TAX"], seen["COMMERCE"]) == ("PARTIAL", "OK")
    assert (await run(desk, other))["eligibility"]["answer"] == "YES"
    told = await office.desk("public", "PUBLIC_QUERY", None, None).done(SUMMARY, {"c": code})
    assert told["subject"]["summary"] == {
        "hasSeriousDishonestyEntry": "INDETERMINATE",
        "hasPublicPenalty": "NO",
        "incompleteSources": ["TAX"],
    }


async def test_the_evidence_of_a_check_tells_nothing_of_sources_that_its_caller_does_not_see(
    office: Office,
) -> None:
    code = await office.subject()
    waiting = '{"D19": ["FOREIGN_EXCHANGE"], "D20": ["FOREIGN_INVESTMENT"]}'
    await office.rows("UPDATE subject SET in_doubt = $2::text::jsonb WHERE uscc = $1", code, waiting)
    for partner, told in (("commerce", "PARTIAL"), ("commerce-xining", None)):
        check = await run(office.desk(partner), code)
        seen = {one["source"]: one["status"] for one in check["evidence"]["sources"]}
        assert (seen.get("FOREIGN_EXCHANGE"), seen["FOREIGN_INVESTMENT"]) == (told, "PARTIAL")
        assert {"COMMERCE", "MARKET_REGULATION", "CREDIT_PLATFORM"} <= seen.keys()
        listed = await office.desk(partner).done("{ sources { source } }")
        assert {one["source"] for one in listed["sources"]} == seen.keys()


async def test_acceptance_18_r5_4_a_watch_list_entry_is_for_the_department_alone_and_denies_the_clean_years(
    office: Office,
) -> None:
    code, other = await office.subject(), await office.subject()
    entry = await office.listed(code, "WATCH")
    asked = "query E($c: String!) { subject(value: $c) { ... on Organization { listEntries { id } summary { __typename } } } }"
    for partner in ("public", "mall", "chamber"):
        desk = office.desk(partner, None, None, None)
        # The same answer as for a firm that is on no list.
        assert (await desk.done(asked, {"c": code}))["subject"] == (await desk.done(asked, {"c": other}))[
            "subject"
        ]
        assert "errors" not in await desk.ask(asked, {"c": code})
        found = await desk.ask("query N($id: ID!) { node(id: $id) { id } }", {"id": entry})
        assert found["data"] == {"node": None}
    shown = (await office.desk().done(asked, {"c": code}))["subject"]["listEntries"]
    assert shown == [{"id": entry}]
    told = (await run(office.desk(), code))["eligibility"]
    assert (told["answer"], codes_of(told["reasons"])) == ("NO", ["WATCH_LIST"])


async def test_r5_4_a_record_under_objection_leaves_it_open(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10), lifecycle="UNDER_OBJECTION", under_objection=True)
    check = await run(office.desk(), code)
    assert (check["eligibility"]["answer"], check["conclusion"]) == ("INDETERMINATE", "INDETERMINATE")
    assert check["evidence"]["items"][0]["underObjection"] is True


async def test_5_10_a_place_on_a_list_under_objection_leaves_it_open_too(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK", under_objection=True)
    check = await run(office.desk(), code)
    assert (check["eligibility"]["answer"], check["conclusion"]) == ("INDETERMINATE", "INDETERMINATE")
    assert codes_of(check["eligibility"]["reasons"]) == ["UNDER_OBJECTION"]
    assert codes_of(check["reminders"]) == ["LIST_BLACK"]
    assert [(one["object"], one["underObjection"]) for one in check["evidence"]["items"]] == [(entry, True)]
