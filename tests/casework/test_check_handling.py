"""What is done with a check (article 五), over HTTP: R5.5 reminders, R5.6 tolerance, R5.7 validity, and batches."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.casework.check_documents import (
    BATCH,
    BIDS,
    FEED,
    PAPER,
    TOLERATE,
    VERIFY,
    codes_of,
    laid_measure,
    run,
)
from tests.casework.desk import MONDAY, Office

# ---- R5.5 ------------------------------------------------------------------------------------------------------


async def test_r5_5_a_broken_commitment_is_a_reminder_in_fitting_words_and_no_punishment(
    office: Office,
) -> None:
    code = await office.subject()
    await office.adverse(
        code, date(2026, 5, 10), kind="GENERIC", record_type="COMMITMENT_BREACH", data_class="D33",
        document_number="青商诺〔2026〕3号",
    )  # fmt: skip
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reminders"])) == ("REMIND", ["RECORD_BREACH"])
    text = check["reminders"][0]["text"]
    assert "青商诺〔2026〕3号" in text
    assert "合理提示" in text
    assert "不作为惩戒依据" in text


async def test_r5_5_the_reminder_stands_beside_a_graver_conclusion(office: Office) -> None:
    code = await office.subject()
    await office.adverse(
        code, date(2026, 5, 10), kind="GENERIC", record_type="COMMITMENT_BREACH", data_class="D33"
    )
    await laid_measure(office, code)
    check = await run(office.desk(), code)
    assert (check["conclusion"], codes_of(check["reminders"])) == ("BLOCK", ["RECORD_BREACH"])


# ---- R5.6 ------------------------------------------------------------------------------------------------------


async def test_r5_6_papers_may_follow_by_a_day_on_a_written_commitment(office: Office) -> None:
    desk = office.desk()
    number = (await run(desk, await office.subject()))["number"]
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
    number = (await run(desk, await office.subject()))["number"]
    refusal = await desk.refused(TOLERATE, {"number": number, "papers": papers, "due": due})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", reason)


async def test_r5_6_only_for_those_whom_the_policy_favours_and_where_the_matter_admits_it(
    office: Office,
) -> None:
    desk = office.desk()
    young = (await run(desk, await office.subject(established_on=date(2025, 1, 1))))["number"]
    given = {"papers": PAPER, "due": "2026-12-01"}
    assert (await desk.refused(TOLERATE, {"number": young, **given}))["reason"] == "NOT_ELIGIBLE"
    bids = office.desk(purpose=BIDS[0], matter=BIDS[1])
    bid = (await run(bids, await office.subject()))["number"]
    assert (await bids.refused(TOLERATE, {"number": bid, **given}))["reason"] == "MATTER_ADMITS_NO_TOLERANCE"


async def test_r5_6_papers_that_do_not_come_are_a_suspected_breach(office: Office) -> None:
    desk = office.desk()
    number = (await run(desk, await office.subject()))["number"]
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


async def test_r5_7_checks_that_lapsed_before_the_decision_wait_for_no_feedback(office: Office) -> None:
    desk, code = office.desk(), await office.subject()
    lapsed = (await run(desk, code))["number"]
    elsewhere = (await run(replace(desk, case="BJ-2026-0002"), code))["number"]
    office.clock.now += timedelta(days=1)
    number = (await run(desk, code))["number"]
    assert await desk.done(FEED, {"number": number, "decision": "GRANTED", "on": "2026-11-24"})
    read = "query R($n: String!) { case(number: $n) { state dueOn } }"
    assert (await desk.done(read, {"n": lapsed}))["case"] == {"state": "REPLACED", "dueOn": None}
    # That of another handling waits on, and is told when its applicant withdraws, however late: no decision rests on it.
    told = {"number": elsewhere, "decision": "WITHDRAWN", "on": "2026-11-24"}
    assert (await desk.done(FEED, told))["recordCheckFeedback"]["state"] == "FED_BACK"


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
    check = await run(office.desk(purpose=purpose, matter=matter), code)
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
    number = (await run(desk, code))["number"]
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
    number = (await run(desk, await office.subject()))["number"]
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
