"""Credit checks before a handling (article 五): R5.1 to R5.7, over HTTP, with facts that the tests lay."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.casework.desk import MONDAY, Desk, Office

RUN = """
mutation Run($code: USCC!) {
  runCreditCheck(subject: $code) {
    id number mechanism handler purpose matter matterName caseNumber subjectCode conclusion validUntil currentlyValid
    dueOn ruleset
    reasons { code text } reminders { code text }
    eligibility { answer basis windowFrom windowTo missingSources reasons { code text } }
    evidence {
      view policyVersion
      items { kind id dataClass grade title documentNumber dated underObjection version digest }
      sources { source status asOf required }
    }
    evidenceDigest feedback { decision }
  }
}
"""
BATCH = """
mutation Batch($codes: [String!]!) {
  runCreditChecks(subjects: $codes) { position code status check { number conclusion subjectCode } }
}
"""
FEED = """
mutation Feed($number: String!, $decision: HandlingDecision!, $on: Date!, $reason: String) {
  recordCheckFeedback(number: $number, decision: $decision, decidedOn: $on, documentNumber: "青商批〔2026〕9号", reason: $reason) {
    state closedAt dueOn feedback { decision decidedOn documentNumber recordedAt }
  }
}
"""
TOLERATE = """
mutation Tolerate($number: String!, $papers: [MissingPaperInput!]!, $due: Date!) {
  acceptTolerantly(
    number: $number, missingPapers: $papers, commitment: "承诺于期限内补齐", dueOn: $due,
    commitmentDigest: "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
  ) { number state dueOn missingPapers { name } commitment commitmentDigest subject { __typename } }
}
"""
VERIFY = """
query Verify($number: String!, $subject: USCC!, $matter: String!, $at: DateTime) {
  verifyCreditCheck(number: $number, subject: $subject, matter: $matter, at: $at) {
    valid number subject matter checkedAt validUntil
  }
}
"""
PAPER = [{"name": "场地租赁合同", "core": False}]
BIDS = ("GOVERNMENT_PROCUREMENT", "SW-CG-BID")


async def _run(desk: Desk, code: str) -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(RUN, {"code": code}))["runCreditCheck"]
    return made


def _codes(told: list[dict[str, str]]) -> list[str]:
    return [one["code"] for one in told]


# ---- R5.1 ------------------------------------------------------------------------------------------------------


async def test_r5_1_a_check_issues_a_number_for_subject_matter_and_case(office: Office) -> None:
    code = await office.subject()
    check = await _run(office.desk(), code)
    assert check["number"].startswith("QHSC-2026-")
    assert (check["subjectCode"], check["matter"], check["caseNumber"]) == (code, "SW-XK-OIL", "BJ-2026-0001")
    assert (check["purpose"], check["matterName"]) == ("ADMINISTRATIVE_LICENSING", "成品油零售经营资格审批")
    assert (check["mechanism"], check["handler"], check["ruleset"]) == ("CHECK", "commerce", "CHECK-2019")


@pytest.mark.parametrize("partner", ["public", "mall", "commerce-xining", "auditor"])
async def test_r5_1_anyone_whom_the_number_is_shown_to_can_verify_it(office: Office, partner: str) -> None:
    code = await office.subject()
    check = await _run(office.desk(), code)
    purposes = {"public": "PUBLIC_QUERY", "mall": "MERCHANT_ADMISSION", "auditor": "AUDIT"}
    desk = office.desk(partner, purposes.get(partner, "ONGOING_SUPERVISION"), "M-1", None)
    asked = {"number": check["number"], "subject": code, "matter": "SW-XK-OIL"}
    told = (await desk.done(VERIFY, asked))["verifyCreditCheck"]
    assert told == {**asked, "valid": True, "checkedAt": told["checkedAt"], "validUntil": "2026-11-23"}
    assert datetime.fromisoformat(told["checkedAt"]) == MONDAY


async def test_r5_1_a_number_of_another_subject_or_matter_is_like_one_never_issued(office: Office) -> None:
    code, other = await office.subject(), await office.subject()
    number = (await _run(office.desk(), code))["number"]
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
    check = await _run(office.desk(), code)
    assert [(one["kind"], one["id"], one["grade"]) for one in check["evidence"]["items"]] == [
        ("RECORD", record, "GENERAL")
    ]
    await office.rows("UPDATE record SET lifecycle = 'REPAIRED' WHERE public_id = $1", record[1:])
    await office.sources("UNAVAILABLE", ["TAX"])
    again = "query A($n: String!) { creditCheck(number: $n) { conclusion evidence { items { id } sources { status } } evidenceDigest } }"
    found = (await office.desk().done(again, {"n": check["number"]}))["creditCheck"]
    await office.sources()
    assert found["conclusion"] == "REMIND"
    assert found["evidence"]["items"] == [{"id": record}]
    assert {one["status"] for one in found["evidence"]["sources"]} == {"OK"}
    assert found["evidenceDigest"] == check["evidenceDigest"]
    # A new check sees the repaired record no more.
    assert (await _run(office.desk(), code))["evidence"]["items"] == []


async def test_r5_2_the_digest_is_sm3_of_the_canonical_evidence(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10))
    check = await _run(office.desk(), code)
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
    number = (await _run(office.desk(), code))["number"]
    told = "query T($n: String!) { creditCheck(number: $n) { conclusion reasons { code } } }"
    evidence = "query E($n: String!) { creditCheck(number: $n) { evidence { items { id } } } }"
    subject = office.desk("subject", "SELF_QUERY", None, None)
    assert (await subject.done(told, {"n": number}))["creditCheck"] == {
        "conclusion": "REMIND",
        "reasons": [{"code": "RECORD_GENERAL"}],
    }
    assert (await subject.refused(evidence, {"n": number}))["code"] == "GRAPHQL_VALIDATION_FAILED"
    auditor = office.desk("auditor", "AUDIT", "AUDIT-1", None)
    assert (await auditor.done(evidence, {"n": number}))["creditCheck"]["evidence"]["items"]
    # Another subject's check, and another unit's.
    other = (await _run(office.desk(), await office.subject()))["number"]
    assert (await subject.done(told, {"n": other}))["creditCheck"] is None
    assert (await office.desk("commerce-xining").done(evidence, {"n": number}))["creditCheck"] is None


async def test_r5_2_the_check_sees_no_more_than_its_caller_may(office: Office) -> None:
    """Watch-list entries (D12) are for the department's six purposes, not for a county's."""
    code = await office.subject()
    await office.listed(code, "WATCH")
    department = await _run(office.desk(), code)
    county = await _run(office.desk("commerce-xining"), code)
    assert [one["grade"] for one in department["evidence"]["items"]] == ["WATCH"]
    assert county["evidence"]["items"] == []
    assert (department["conclusion"], county["conclusion"]) == ("STRICT_REVIEW", "GREEN_CHANNEL")


async def test_r5_2_what_ended_is_not_seen(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2024, 5, 10), usable_until=date(2026, 11, 22))
    await office.adverse(code, date(2026, 5, 10), lifecycle="REVOKED")
    await office.listed(code, "BLACK", state="EXITED_REPAIRED")
    check = await _run(office.desk(), code)
    assert (check["evidence"]["items"], check["conclusion"]) == ([], "GREEN_CHANNEL")


# ---- R5.3 ------------------------------------------------------------------------------------------------------


async def _measure(office: Office, code: str, **more: Any) -> str:
    """A measure as its mechanism keeps it."""
    details = {
        "effect": "BLOCK", "national_catalogue_code": "1.1", "legal_basis": "某法第1条", "matters": ["SW-XK-OIL"], **more
    }  # fmt: skip
    (row,) = await office.rows(
        "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, ruleset,"
        " details) SELECT 'MEASURE', gen_random_uuid()::text, subject_id, 'D10', 'EFFECTIVE', 'commerce', now(),"
        " '2026-11-01', 'T', $2 FROM subject WHERE uscc = $1 RETURNING public_id",
        code,
        json.dumps(details),
    )
    return "c" + str(row["public_id"]).replace("-", "")


@pytest.mark.parametrize("effect", ["BLOCK", "RESTRICT"])
async def test_r5_3_block_and_restrict_follow_from_an_effective_measure_of_this_matter(
    office: Office, effect: str
) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    measure = await _measure(office, code, effect=effect)
    check = await _run(office.desk(), code)
    assert (check["conclusion"], _codes(check["reasons"])) == (effect, ["MEASURE"])
    assert ("MEASURE", measure) in [(one["kind"], one["id"]) for one in check["evidence"]["items"]]
    # Another matter is not covered.
    elsewhere = office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    assert (await _run(elsewhere, code))["conclusion"] == "REMIND"


@pytest.mark.parametrize("lacking", ["national_catalogue_code", "legal_basis"])
async def test_r5_3_a_measure_without_catalogue_code_or_basis_reminds_and_does_not_block(
    office: Office, lacking: str
) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    await _measure(office, code, **{lacking: ""})
    check = await _run(office.desk(), code)
    assert (check["conclusion"], _codes(check["reasons"])) == ("REMIND", ["LIST_BLACK"])
    assert check["eligibility"]["answer"] == "NO"


async def test_r5_3_lists_and_records_alone_never_block(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "BLACK")
    await office.listed(code, "WATCH")
    await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    assert (await _run(office.desk(), code))["conclusion"] == "STRICT_REVIEW"


async def test_r5_3_the_official_decides_and_feeds_it_back(office: Office) -> None:
    code = await office.subject()
    desk = office.desk()
    number = (await _run(desk, code))["number"]
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
    number = (await _run(desk, await office.subject()))["number"]
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
    assert (await _run(office.desk(), await office.subject()))["dueOn"] == "2026-12-23"


# ---- R5.4 ------------------------------------------------------------------------------------------------------


async def test_r5_4_three_clean_years_open_the_green_channel(office: Office) -> None:
    check = await _run(office.desk(), await office.subject())
    assert check["conclusion"] == "GREEN_CHANNEL"
    told = check["eligibility"]
    assert (told["answer"], told["basis"]) == ("YES", "THREE_YEARS_CLEAN")
    assert (told["windowFrom"], told["windowTo"], told["missingSources"]) == ("2023-11-23", "2026-11-23", [])


async def test_r5_4_an_honest_model_opens_it_too(office: Office) -> None:
    code = await office.subject(established_on=date(2025, 1, 1))
    await office.listed(code, "RED")
    assert (await _run(office.desk(), code))["eligibility"]["basis"] == "HONEST_MODEL"


async def test_r5_4_the_matter_may_refuse_it(office: Office) -> None:
    check = await _run(
        office.desk(purpose="ADMINISTRATIVE_REVIEW", matter="SW-SH-LABOR"), await office.subject()
    )
    assert (check["conclusion"], check["eligibility"]["answer"]) == ("NORMAL", "YES")
    assert _codes(check["reasons"]) == ["GREEN_CHANNEL_NOT_ADMITTED"]


async def test_r5_4_tax_down_leaves_it_open_and_names_tax(office: Office) -> None:
    code, red = await office.subject(), await office.subject()
    await office.listed(red, "RED")
    await office.sources("UNAVAILABLE", ["TAX"])
    await asyncio.sleep(1.3)
    desk = office.desk(purpose=BIDS[0], matter=BIDS[1])
    try:
        for firm in (code, red):
            check = await _run(desk, firm)
            assert check["conclusion"] == "INDETERMINATE"
            assert check["eligibility"]["answer"] == "INDETERMINATE"
            assert check["eligibility"]["missingSources"] == ["TAX"]
            assert "TAX" in check["reasons"][0]["text"]
            sources = {
                one["source"]: (one["status"], one["required"]) for one in check["evidence"]["sources"]
            }
            assert sources["TAX"] == ("UNAVAILABLE", True)
        # Where tax is not required its silence says nothing.
        assert (await _run(office.desk(), code))["eligibility"]["answer"] == "YES"
    finally:
        await office.sources()
        await asyncio.sleep(1.3)


async def test_r5_4_a_watch_list_entry_denies_the_clean_years_to_the_department(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "WATCH")
    told = (await _run(office.desk(), code))["eligibility"]
    assert (told["answer"], _codes(told["reasons"])) == ("NO", ["WATCH_LIST"])


async def test_r5_4_a_record_under_objection_leaves_it_open(office: Office) -> None:
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10), lifecycle="UNDER_OBJECTION", under_objection=True)
    check = await _run(office.desk(), code)
    assert (check["eligibility"]["answer"], check["conclusion"]) == ("INDETERMINATE", "INDETERMINATE")
    assert check["evidence"]["items"][0]["underObjection"] is True


# ---- R5.5 ------------------------------------------------------------------------------------------------------


async def test_r5_5_a_broken_commitment_is_a_reminder_in_fitting_words_and_no_punishment(
    office: Office,
) -> None:
    code = await office.subject()
    await office.adverse(
        code, date(2026, 5, 10), kind="GENERIC", record_type="COMMITMENT_BREACH", data_class="D33",
        document_number="青商诺〔2026〕3号",
    )  # fmt: skip
    check = await _run(office.desk(), code)
    assert (check["conclusion"], _codes(check["reminders"])) == ("REMIND", ["RECORD_BREACH"])
    text = check["reminders"][0]["text"]
    assert "青商诺〔2026〕3号" in text
    assert "合理提示" in text
    assert "不作为惩戒依据" in text


async def test_r5_5_the_reminder_stands_beside_a_graver_conclusion(office: Office) -> None:
    code = await office.subject()
    await office.adverse(
        code, date(2026, 5, 10), kind="GENERIC", record_type="COMMITMENT_BREACH", data_class="D33"
    )
    await _measure(office, code)
    check = await _run(office.desk(), code)
    assert (check["conclusion"], _codes(check["reminders"])) == ("BLOCK", ["RECORD_BREACH"])


# ---- R5.6 ------------------------------------------------------------------------------------------------------


async def test_r5_6_papers_may_follow_by_a_day_on_a_written_commitment(office: Office) -> None:
    desk = office.desk()
    number = (await _run(desk, await office.subject()))["number"]
    made = (await desk.done(TOLERATE, {"number": number, "papers": PAPER, "due": "2026-12-01"}))[
        "acceptTolerantly"
    ]
    assert (made["state"], made["dueOn"]) == ("PROMISED", "2026-12-01")
    assert made["missingPapers"] == [{"name": "场地租赁合同"}]
    under = "query U($n: String!) { creditCheck(number: $n) { tolerances { number } events { transition } } }"
    found = (await desk.done(under, {"n": number}))["creditCheck"]
    assert found["tolerances"] == [{"number": made["number"]}]
    assert [one["transition"] for one in found["events"]] == ["open", "tolerate"]
    complete = "mutation C($n: String!) { completeTolerance(number: $n) { state dueOn closedAt } }"
    done = (await desk.done(complete, {"n": made["number"]}))["completeTolerance"]
    assert (done["state"], done["dueOn"]) == ("COMPLETED", None)


@pytest.mark.parametrize(
    ("papers", "due", "reason"),
    [
        ([{"name": "法人身份证明", "core": True}], "2026-12-01", "CORE_PAPER"),
        (PAPER, "2026-11-23", "DUE_DAY_PAST"),
    ],
)
async def test_r5_6_never_for_core_papers_nor_without_a_day_to_come(
    office: Office, papers: list[dict[str, object]], due: str, reason: str
) -> None:
    desk = office.desk()
    number = (await _run(desk, await office.subject()))["number"]
    refusal = await desk.refused(TOLERATE, {"number": number, "papers": papers, "due": due})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", reason)


async def test_r5_6_only_for_those_whom_the_policy_favours_and_where_the_matter_admits_it(
    office: Office,
) -> None:
    desk = office.desk()
    young = (await _run(desk, await office.subject(established_on=date(2025, 1, 1))))["number"]
    given = {"papers": PAPER, "due": "2026-12-01"}
    assert (await desk.refused(TOLERATE, {"number": young, **given}))["reason"] == "NOT_ELIGIBLE"
    bids = office.desk(purpose=BIDS[0], matter=BIDS[1])
    bid = (await _run(bids, await office.subject()))["number"]
    assert (await bids.refused(TOLERATE, {"number": bid, **given}))["reason"] == "MATTER_ADMITS_NO_TOLERANCE"


async def test_r5_6_papers_that_do_not_come_are_a_suspected_breach(office: Office) -> None:
    desk = office.desk()
    number = (await _run(desk, await office.subject()))["number"]
    made = (await desk.done(TOLERATE, {"number": number, "papers": PAPER, "due": "2026-12-01"}))[
        "acceptTolerantly"
    ]
    fail = 'mutation F($n: String!) { failTolerance(number: $n, reason: "未补正") { state } }'
    office.clock.now = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)  # 23:59 of the last day in Xining
    assert (await desk.refused(fail, {"n": made["number"]}))["reason"] == "NOT_YET_DUE"
    office.clock.now += timedelta(minutes=1)
    assert (await desk.done(fail, {"n": made["number"]}))["failTolerance"] == {"state": "FAILED"}
    (event,) = await office.rows(
        "SELECT e.payload FROM case_event e JOIN case_file c USING (case_id) WHERE c.number = $1 AND transition = 'fail'",
        made["number"],
    )
    assert json.loads(event["payload"])["breach_suspected"] is True


# ---- R5.7 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "matter", "now", "until"),
    [
        ("ADMINISTRATIVE_LICENSING", "SW-XK-OIL", datetime(2026, 11, 23, 2, tzinfo=UTC), "2026-11-23"),
        # A Saturday: the end of the next working day.
        ("ADMINISTRATIVE_LICENSING", "SW-XK-OIL", datetime(2026, 11, 21, 2, tzinfo=UTC), "2026-11-23"),
        # A Sunday that is worked (调休).
        ("ADMINISTRATIVE_LICENSING", "SW-XK-OIL", datetime(2026, 9, 20, 2, tzinfo=UTC), "2026-09-20"),
        (*BIDS, datetime(2026, 11, 23, 2, tzinfo=UTC), "2026-11-26"),
        (*BIDS, datetime(2026, 9, 24, 2, tzinfo=UTC), "2026-09-30"),
        ("GOVERNMENT_FUNDING", "SW-ZJ-FUND", datetime(2026, 9, 30, 2, tzinfo=UTC), "2026-10-10"),
    ],
)
async def test_r5_7_a_check_holds_until_the_end_of_a_working_day(
    office: Office, purpose: str, matter: str, now: datetime, until: str
) -> None:
    code = await office.subject()
    office.clock.now = now
    check = await _run(office.desk(purpose=purpose, matter=matter), code)
    assert (check["validUntil"], check["currentlyValid"]) == (until, True)
    asked = {"number": check["number"], "subject": code, "matter": matter}
    desk = office.desk("public", "PUBLIC_QUERY", None, None)
    end = datetime.combine(date.fromisoformat(until), datetime.min.time(), UTC) + timedelta(hours=16)
    for moment, valid in (
        (end - timedelta(seconds=1), True),
        (end, False),
        (now - timedelta(seconds=1), False),
    ):
        told = (await desk.done(VERIFY, {**asked, "at": moment.isoformat()}))["verifyCreditCheck"]
        assert told["valid"] is valid, moment


async def test_r5_7_after_it_lapsed_a_check_is_run_again(office: Office) -> None:
    code = await office.subject()
    desk = office.desk()
    number = (await _run(desk, code))["number"]
    office.clock.now = MONDAY + timedelta(days=1)
    again = "query A($n: String!) { creditCheck(number: $n) { currentlyValid } }"
    assert (await desk.done(again, {"n": number}))["creditCheck"] == {"currentlyValid": False}
    late = {"number": number, "decision": "GRANTED", "on": "2026-11-24"}
    assert (await desk.refused(FEED, late))["reason"] == "CHECK_LAPSED"
    papers = {"number": number, "papers": PAPER, "due": "2026-12-01"}
    assert (await desk.refused(TOLERATE, papers))["reason"] == "CHECK_LAPSED"
    # Decided in time, told later.
    assert await desk.done(FEED, {**late, "on": "2026-11-23"})


@pytest.mark.parametrize("day", ["2026-11-22", "2026-11-24"])
async def test_r5_7_a_decision_lies_between_its_check_and_today(office: Office, day: str) -> None:
    desk = office.desk()
    number = (await _run(desk, await office.subject()))["number"]
    refusal = await desk.refused(FEED, {"number": number, "decision": "GRANTED", "on": day})
    assert refusal["reason"] == "DECISION_DAY_IMPOSSIBLE"


# ---- batches ---------------------------------------------------------------------------------------------------


async def test_a_batch_has_one_row_for_each_code_in_the_order_asked(office: Office) -> None:
    clean, bad = await office.subject(), await office.subject()
    await office.adverse(bad, date(2026, 5, 10))
    desk = office.desk(purpose=BIDS[0], matter=BIDS[1])
    asked = [bad, "garbage", clean, "91630103MA75ABCD1M"[:17] + "0", f" {bad.lower()}", "91440300708461136T"]
    rows = (await desk.done(BATCH, {"codes": asked}))["runCreditChecks"]
    assert [row["position"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["code"] for row in rows] == asked
    statuses = ["CHECKED", "INVALID_CODE", "CHECKED", "INVALID_CODE", "DUPLICATE", "UNKNOWN_SUBJECT"]
    assert [row["status"] for row in rows] == statuses
    assert [row["check"] and row["check"]["conclusion"] for row in rows] == [
        "REMIND", None, "NORMAL", None, "REMIND", None
    ]  # fmt: skip
    assert rows[0]["check"]["number"] == rows[4]["check"]["number"]


async def test_a_batch_takes_five_hundred_subjects_and_no_more(office: Office) -> None:
    codes = [await office.subject() for _ in range(20)]
    desk = office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    rows = (await desk.done(BATCH, {"codes": (codes * 25)[:500]}))["runCreditChecks"]
    assert [row["check"]["subjectCode"] for row in rows] == (codes * 25)[:500]
    assert sum(row["status"] == "CHECKED" for row in rows) == 20
    assert (await desk.refused(BATCH, {"codes": codes * 26}))["code"] in ("BAD_USER_INPUT", "LIMIT_EXCEEDED")
    assert (await desk.refused(BATCH, {"codes": []}))["code"] == "BAD_USER_INPUT"


async def test_a_batch_repeated_under_its_key_gives_the_same_rows(office: Office) -> None:
    codes = [await office.subject() for _ in range(3)]
    desk = office.desk(purpose="EXHIBITION", matter="SW-HZ-FAIR")
    first = await desk.done(BATCH, {"codes": codes}, Idempotency_Key="batch-1")
    assert await desk.done(BATCH, {"codes": codes}, Idempotency_Key="batch-1") == first
