"""Objections (异议处理, 5.10): marked at once, forwarded and answered in time, corrected everywhere, recipients told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from connectors.contract import Kind
from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.channels import Channel
from hub.casework.facts import one_writer
from hub.casework.objections.corrections import SETTLED, tell_recipients
from hub.casework.registry import registry
from hub.harvest.run import harvest
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.test_publicity import drafted, published, reviewed
from tests.casework.test_publicity import refusal as publication_refused
from tests.harvesting import REGISTER, Rows, row

SHOWN = """
  number state handler target targetKind source provider ground statement enteredBy agent forwardBy answerBy dueOn
  forwardedOn forwardedLate enquiry notified closedAt
  providerAnswer { provider outcome text documentNumber } decision { outcome remedy reason documentNumber late corrected }
"""
SUBMIT = f"""
mutation S($target: ID!, $agent: USCC, $digest: SM3Digest) {{ submitObjection(target: $target, ground: INCORRECT,
  statement: "处罚对象不是我公司", agent: $agent, authorizationDigest: $digest) {{ {SHOWN} }} }}
"""
RECORD = f"""
mutation R($target: ID!, $agent: USCC, $digest: SM3Digest) {{ recordObjection(target: $target, ground: OUTDATED,
  statement: "来函称罚款已缴清", agent: $agent, authorizationDigest: $digest) {{ {SHOWN} }} }}
"""
READ = (
    f"query R($number: String!) {{ case(number: $number) {{ number ... on ObjectionCase {{ {SHOWN} }} }} }}"
)
RECORDS = """
query Records($code: String!) { subject(value: $code) { ... on Organization {
  records(first: 100) { edges { node { id lifecycle underObjection title documentNumber ... on AdministrativePenalty { fineAmount } } } }
  listEntries { id underObjection } } } }
"""
NOTICES = """
{ cases(mechanism: CORRECTION, first: 100) { edges { node { number state handler
  ... on CorrectionNotice { target targetKind remedy lastToldAt corrected subject { displayName } } } } } }
"""
CHECK = "mutation C($code: USCC!) { runCreditCheck(subject: $code) { eligibility { answer } conclusion } }"
ANSWER = """
mutation A($number: String!, $outcome: EnquiryOutcome!) {
  acknowledgeNotification(number: $number) { kind facts subjectCode }
  answerNotification(number: $number, text: "经核查", documentNumber: "署函9号", outcome: $outcome) { state } }
"""
AGENT = "91630100MA7XK2P38N"


def subject(office: Office, purpose: str = "OBJECTION_HANDLING") -> Desk:
    return office.desk("subject", purpose, None, None)


def commerce(office: Office, purpose: str = "OBJECTION_HANDLING") -> Desk:
    return office.desk("commerce", purpose, "SW-YY", None)


def agency(office: Office, partner: str, purpose: str = "JOINT_PUNISHMENT") -> Desk:
    return office.desk(partner, purpose, None, None)


async def firm(office: Office) -> str:
    """The firm that the demo subject speaks for."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    return DEMO_SUBJECT


async def penalty(office: Office, code: str, source: str = "COMMERCE", **more: Any) -> str:
    return await office.adverse(code, date(2026, 9, 1), source=source, **more)


async def submitted(office: Office, target: str) -> dict[str, Any]:
    made: dict[str, Any] = (await subject(office).done(SUBMIT, {"target": target}))["submitObjection"]
    return made


async def took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"
    made: dict[str, Any] = (await desk.done(step, {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ number }} }}"
    told = await desk.refused(step, {"number": number})
    return str(told.get("reason", told["code"]))


async def seen(desk: Desk, code: str, record: str) -> tuple[str, bool] | None:
    """Lifecycle and mark of a record as this partner sees it; None: not there."""
    found = (await desk.done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    one = next((edge["node"] for edge in found if edge["node"]["id"] == record), None)
    return None if one is None else (one["lifecycle"], one["underObjection"])


async def count(office: Office) -> int:
    (row,) = await office.rows("SELECT count(*) AS n FROM case_file WHERE mechanism = 'OBJECTION'")
    found: int = row["n"]
    return found


REVOKE = ', remedy: REVOKE, reason: "经核查非该公司", documentNumber: "青商异〔2026〕1号"'
REJECT = ', reason: "经核查无误", documentNumber: "青商异〔2026〕2号"'
WHO = (
    ("customs", "JOINT_PUNISHMENT"), ("tax", "NOTIFICATION"), ("reform", "ONGOING_SUPERVISION"),
    ("procurement", "JOINT_PUNISHMENT"), ("subject", "SELF_QUERY"),
)  # fmt: skip


# ---- submission and mark -----------------------------------------------------------------------------------------


async def test_an_objection_marks_the_record_at_once_for_every_partner_that_sees_it(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code)
    for partner, purpose in WHO[:-1]:
        assert await seen(agency(office, partner, purpose), code, record) == ("EFFECTIVE", False)
    before = (await office.desk().done(CHECK, {"code": code}))["runCreditCheck"]
    assert before["eligibility"]["answer"] == "NO"
    made = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]
    assert (made["state"], made["handler"], made["enteredBy"], made["targetKind"]) == (
        "MARKED", "commerce", "DEPARTMENT", "RECORD",
    )  # fmt: skip
    for partner, purpose in WHO[:-1]:
        assert await seen(agency(office, partner, purpose), code, record) == ("UNDER_OBJECTION", True)
    # 5.7: what depends on it is open while it runs.
    checked = (await office.desk().done(CHECK, {"code": code}))["runCreditCheck"]
    assert checked["eligibility"]["answer"] == "INDETERMINATE"


async def test_the_subject_objects_to_its_own_record_and_sees_its_case(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code)
    made = await submitted(office, record)
    assert (made["state"], made["handler"], made["enteredBy"], made["provider"]) == (
        "MARKED", "commerce", "SUBJECT", "commerce",
    )  # fmt: skip
    # Own record: seven working days from Monday, 23 November.
    assert (made["forwardBy"], made["answerBy"], made["dueOn"]) == (None, "2026-12-02", "2026-12-02")
    for desk in (subject(office), subject(office, "SELF_QUERY"), commerce(office)):
        assert (await desk.done(READ, {"number": made["number"]}))["case"][
            "statement"
        ] == "处罚对象不是我公司"
    assert await seen(subject(office), code, record) == ("UNDER_OBJECTION", True)


async def test_another_subjects_record_is_refused_like_one_that_does_not_exist(office: Office) -> None:
    await firm(office)
    other = await penalty(office, await office.subject())
    before = await count(office)
    targets = (other, "r" + "0" * 32, "l" + "0" * 32)
    told = [await subject(office).refused(SUBMIT, {"target": target}) for target in targets]
    assert told[0] == told[1] == told[2]
    assert (told[0]["code"], told[0]["reason"]) == ("GUARD_REFUSED", "NO_SUCH_RECORD")
    for target in ("s" + "0" * 32, "r123", ""):
        refused = await subject(office).refused(SUBMIT, {"target": target})
        assert (refused["code"], refused["argument"]) == ("BAD_USER_INPUT", "target")
    assert await count(office) == before
    assert (await office.rows("SELECT under_objection FROM record WHERE public_id = $1", _uuid(other)))[0][
        0
    ] is False


def _uuid(target: str) -> str:
    text = target[1:]
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"lifecycle": "UNDER_OBJECTION", "under_objection": True}, "UNDER_OBJECTION_ALREADY"),
        ({"lifecycle": "REPAIRED"}, "NOT_IN_FORCE"),
        ({"usable_until": date(2026, 11, 22)}, "NOT_IN_FORCE"),
    ],
)
async def test_what_is_marked_or_over_already_takes_no_objection_and_nothing_is_written(
    office: Office, more: dict[str, Any], reason: str
) -> None:
    record, before = await penalty(office, await firm(office), **more), await count(office)
    assert (await subject(office).refused(SUBMIT, {"target": record}))["reason"] == reason
    assert await count(office) == before


async def test_only_the_subject_submits_and_only_the_department_handles(office: Office) -> None:
    record = await penalty(office, await firm(office))
    for desk in (
        agency(office, "customs"),
        office.desk("mall", "MERCHANT_ADMISSION", None, None),
        commerce(office),
    ):
        assert (await desk.refused(SUBMIT, {"target": record}))["code"] == "GRAPHQL_VALIDATION_FAILED"
    number = (await submitted(office, record))["number"]
    assert await refusal(subject(office), number, "upholdObjection", REVOKE) == "GRAPHQL_VALIDATION_FAILED"
    # Another department's desk has no part in it.
    xining = office.desk("commerce-xining", "OBJECTION_HANDLING", "SW-YY", None)
    assert await refusal(xining, number, "upholdObjection", REVOKE) == "CASE_UNKNOWN"
    assert (await xining.done(READ, {"number": number}))["case"] is None
    # Customs, no part of it, sees the mark and no byte of the file.
    told = await agency(office, "customs").ask(
        "query Q($n: String!) { case(number: $n) { number } }", {"n": number}
    )
    assert told["data"] == {"case": None}


# ---- own records -------------------------------------------------------------------------------------------------


async def test_rejected_the_mark_goes_and_the_record_stands_as_before(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code)
    number = (await submitted(office, record))["number"]
    assert (
        await refusal(commerce(office), number, "rejectObjection", ', reason: "", documentNumber: "x"')
        == "INPUT_MISSING"
    )
    made = await took(commerce(office), number, "rejectObjection", REJECT)
    assert (made["state"], made["dueOn"], made["decision"]["outcome"], made["decision"]["late"]) == (
        "REJECTED", None, "REJECTED", 0,
    )  # fmt: skip
    assert await seen(agency(office, "customs"), code, record) == ("EFFECTIVE", False)
    assert await refusal(commerce(office), number, "upholdObjection", REVOKE) == "TRANSITION_NOT_ALLOWED"
    # A new objection may be made.
    assert (await submitted(office, record))["state"] == "MARKED"


@pytest.mark.parametrize(("day", "late"), [(2, 0), (3, 1)])
async def test_an_answer_after_the_seventh_working_day_is_late(office: Office, day: int, late: int) -> None:
    number = (await submitted(office, await penalty(office, await firm(office))))["number"]
    moment = datetime(2026, 12, day, 3, tzinfo=UTC)
    await keep_time(office.database.writer, registry().machines, automatic(), moment)
    rows = await office.rows(
        "SELECT 1 FROM case_event JOIN case_file USING (case_id) WHERE number = $1 AND transition = 'deadline_passed'",
        number,
    )
    assert len(rows) == late
    office.clock.now = moment
    made = await took(commerce(office), number, "rejectObjection", REJECT)
    assert made["decision"]["late"] == late


async def test_upheld_it_is_revoked_everywhere(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code)
    number = (await submitted(office, record))["number"]
    made = await took(commerce(office), number, "upholdObjection", REVOKE)
    assert (made["state"], made["decision"]["remedy"]) == ("UPHELD", "REVOKE")
    for partner, purpose in WHO:
        assert await seen(agency(office, partner, purpose), code, record) is None
    auditor = office.desk("auditor", "AUDIT", "SJ-2026-1", None)
    assert await seen(auditor, code, record) == ("REVOKED", False)


async def test_corrected_the_right_record_takes_the_place_of_the_wrong_one(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code)
    made = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]
    fix = ', remedy: CORRECT, reason: "金额录入有误", documentNumber: "青商异〔2026〕3号"'
    assert await refusal(commerce(office), made["number"], "upholdObjection", fix) == "CORRECTION_MISSING"
    made = await took(
        commerce(office), made["number"], "upholdObjection",
        fix + ', correction: { title: "行政处罚(更正)", fineAmount: "500.00" }',
    )  # fmt: skip
    customs = agency(office, "customs")
    assert await seen(customs, code, record) is None
    (edge,) = (await customs.done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    assert edge["node"]["id"] == made["decision"]["corrected"]
    assert (edge["node"]["title"], edge["node"]["fineAmount"], edge["node"]["lifecycle"], edge["node"]["underObjection"]) == (
        "行政处罚(更正)", "500.00", "EFFECTIVE", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("correction", "until"),
    [
        # The authority ended it before the rules do: it ends then, whatever else was wrong of it.
        ('title: "更正"', date(2026, 12, 31)),
        ('title: "更正", decidedOn: "2026-09-01", seriousness: GENERAL', date(2026, 12, 31)),
        ('decidedOn: "2026-08-01"', date(2027, 8, 1)),
        ("seriousness: SERIOUS", date(2029, 9, 1)),
    ],
)
async def test_a_correction_lengthens_no_life_but_where_day_or_class_were_wrong(
    office: Office, correction: str, until: date
) -> None:
    record = await penalty(office, await office.subject(), usable_until=date(2026, 12, 31))
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    given = f', remedy: CORRECT, reason: "有误", documentNumber: "x", correction: {{ {correction} }}'
    made = await took(commerce(office), number, "upholdObjection", given)
    (row,) = await office.rows(
        "SELECT usable_until FROM record WHERE public_id = $1", _uuid(made["decision"]["corrected"])
    )
    assert row["usable_until"] == until


@pytest.mark.parametrize(("kind", "data_class"), [("PENALTY", "D6"), ("GENERIC", "D7")])
async def test_a_corrected_class_makes_no_penalty_of_another_record(
    office: Office, kind: str, data_class: str
) -> None:
    record = await penalty(office, await firm(office), kind=kind, seriousness="MINOR", data_class="D7")
    number = (await submitted(office, record))["number"]
    given = ', remedy: CORRECT, reason: "有误", documentNumber: "x", correction: { seriousness: GENERAL }'
    made = await took(commerce(office), number, "upholdObjection", given)
    (row,) = await office.rows(
        "SELECT data_class FROM record WHERE public_id = $1", _uuid(made["decision"]["corrected"])
    )
    assert row["data_class"] == data_class


async def test_a_corrected_class_lengthens_no_life_beyond_five_years_after_the_conduct(
    office: Office,
) -> None:
    told = {"details": '{"conduct_ended_on": "2024-03-01"}', "usable_until": date(2027, 9, 1)}
    record = await penalty(office, await office.subject(), **told)
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    given = ', remedy: CORRECT, reason: "有误", documentNumber: "x", correction: { seriousness: SERIOUS }'
    made = await took(commerce(office), number, "upholdObjection", given)
    (row,) = await office.rows(
        "SELECT usable_until FROM record WHERE public_id = $1", _uuid(made["decision"]["corrected"])
    )
    assert row["usable_until"] == date(2029, 3, 1)


async def test_a_reason_that_must_not_be_published_is_refused(office: Office) -> None:
    record = await penalty(office, await firm(office))
    number = (await submitted(office, record))["number"]
    given = ', remedy: REVOKE, reason: "当事人630102199003074514有误", documentNumber: "x"'
    assert await refusal(commerce(office), number, "upholdObjection", given) == "TEXT_NOT_PUBLISHABLE"
    assert await seen(subject(office), DEMO_SUBJECT, record) == ("UNDER_OBJECTION", True)


# ---- others' records ---------------------------------------------------------------------------------------------


async def test_another_agencys_record_is_forwarded_and_its_answer_decides(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code, "CUSTOMS")
    made = await submitted(office, record)
    number = made["number"]
    # One working day to forward, seven to answer.
    assert (made["provider"], made["forwardBy"], made["dueOn"], made["answerBy"]) == (
        "customs", "2026-11-24", "2026-11-24", "2026-12-02",
    )  # fmt: skip
    for field, given in (("upholdObjection", REVOKE), ("rejectObjection", REJECT)):
        assert await refusal(commerce(office), number, field, given) == "PROVIDER_HAS_NOT_ANSWERED"
    letter = ', provider: "西宁海关", outcome: REJECTED, text: "无误", documentNumber: "x"'
    assert (
        await refusal(commerce(office), number, "recordObjectionAnswer", letter) == "PROVIDER_ANSWERS_ITSELF"
    )
    made = await took(commerce(office), number, "forwardObjection")
    assert (made["state"], made["forwardedOn"], made["forwardedLate"], made["dueOn"]) == (
        "FORWARDED", "2026-11-23", 0, "2026-12-02",
    )  # fmt: skip
    enquiry = made["enquiry"]
    # The provider is shown the enquiry, and not the objection's file (D36).
    customs = agency(office, "customs", "NOTIFICATION")
    assert (await customs.done("query Q($n: String!) { case(number: $n) { number } }", {"n": number}))[
        "case"
    ] is None
    step = (
        "mutation Step($n: String!) { acknowledgeNotification(number: $n) { number }"
        ' answerNotification(number: $n, text: "经核查") { number } }'
    )
    assert (await customs.refused(step, {"n": enquiry}))["reason"] == "OUTCOME_NEEDED"
    told = await customs.done(ANSWER, {"number": enquiry, "outcome": "UPHELD"})
    assert told["acknowledgeNotification"] == {
        "kind": "OBJECTION_ENQUIRY", "facts": "信息有误：处罚对象不是我公司", "subjectCode": code,
    }  # fmt: skip
    made = (await commerce(office).done(READ, {"number": number}))["case"]
    assert (made["state"], made["providerAnswer"]) == (
        "ANSWERED", {"provider": "customs", "outcome": "UPHELD", "text": "经核查", "documentNumber": "署函9号"},
    )  # fmt: skip
    assert await refusal(commerce(office), number, "rejectObjection", REJECT) == "PROVIDER_FOUND_OTHERWISE"
    await took(commerce(office), number, "upholdObjection", REVOKE)
    # Revoked for all, and for the agency that provided it.
    for partner in ("customs", "reform", "procurement"):
        purpose = "ONGOING_SUPERVISION" if partner == "reform" else "JOINT_PUNISHMENT"
        assert await seen(agency(office, partner, purpose), code, record) is None


async def test_forwarded_after_the_day_of_its_answer_it_is_late_and_decided_all_the_same(
    office: Office,
) -> None:
    # Else the mark would never go: nobody decides on what its provider has not answered.
    number = (await submitted(office, await penalty(office, await firm(office), "CUSTOMS")))["number"]
    office.clock.now = MONDAY + timedelta(days=10)
    made = await took(commerce(office), number, "forwardObjection")
    assert (made["state"], made["forwardedLate"], made["answerBy"]) == ("FORWARDED", 7, "2026-12-02")
    customs = agency(office, "customs", "NOTIFICATION")
    await customs.done(ANSWER, {"number": made["enquiry"], "outcome": "REJECTED"})
    assert (await took(commerce(office), number, "rejectObjection", REJECT))["decision"]["late"] == 1


async def test_forwarded_on_the_second_working_day_it_is_late(office: Office) -> None:
    number = (await submitted(office, await penalty(office, await firm(office), "TAX")))["number"]
    office.clock.now = MONDAY + timedelta(days=2)
    assert (await took(commerce(office), number, "forwardObjection"))["forwardedLate"] == 1
    assert await refusal(commerce(office), number, "forwardObjection") == "TRANSITION_NOT_ALLOWED"


async def test_an_agency_that_has_not_joined_is_asked_by_letter_and_own_records_of_nobody(
    office: Office,
) -> None:
    code = await firm(office)
    number = (await submitted(office, await penalty(office, code, "COURT")))["number"]
    assert await refusal(commerce(office), number, "forwardObjection") == "PROVIDER_NOT_CONNECTED"
    letter = ', provider: "西宁中院", outcome: REJECTED, text: "无误", documentNumber: "法函1号"'
    made = await took(commerce(office), number, "recordObjectionAnswer", letter)
    assert (made["state"], made["providerAnswer"]["provider"]) == ("ANSWERED", "西宁中院")
    assert await refusal(commerce(office), number, "upholdObjection", REVOKE) == "PROVIDER_FOUND_OTHERWISE"
    assert (await took(commerce(office), number, "rejectObjection", REJECT))["state"] == "REJECTED"
    number = (await submitted(office, await penalty(office, code)))["number"]
    for field, given in (("forwardObjection", ""), ("recordObjectionAnswer", letter)):
        assert await refusal(commerce(office), number, field, given) == "OWN_RECORD"


async def test_an_agency_that_leaves_the_hub_after_it_was_asked_answers_by_letter(office: Office) -> None:
    """Nobody else can answer the enquiry: the objection could only have been withdrawn."""
    letter = ', provider: "西宁海关", outcome: REJECTED, text: "无误", documentNumber: "署函1号"'
    number = (await submitted(office, await penalty(office, await firm(office), "CUSTOMS")))["number"]
    enquiry = (await took(commerce(office), number, "forwardObjection"))["enquiry"]
    assert (
        await refusal(commerce(office), number, "recordObjectionAnswer", letter) == "PROVIDER_ANSWERS_ITSELF"
    )
    # As its suspension does, but of the store alone: the hub goes on for the tests after this one.
    suspend = "UPDATE agreement SET suspended_at = $1::timestamptz WHERE partner = 'customs'"
    await office.rows(suspend, office.clock.now)
    try:
        made = await took(commerce(office), number, "recordObjectionAnswer", letter)
        assert (made["state"], made["providerAnswer"]["documentNumber"]) == ("ANSWERED", "署函1号")
        assert (await took(commerce(office), number, "rejectObjection", REJECT))["state"] == "REJECTED"
    finally:
        await office.rows(suspend, None)
        # A hub looks every half second: until it has seen that the agency is back it refuses the agency's key.
        await agency(office, "customs").heard()
    (ended,) = await office.rows("SELECT state FROM case_file WHERE number = $1", enquiry)
    assert ended["state"] == "WITHDRAWN"


async def test_withdrawn_the_mark_goes_and_the_enquiry_with_it(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code, "CUSTOMS")
    number = (await submitted(office, record))["number"]
    enquiry = (await took(commerce(office), number, "forwardObjection"))["enquiry"]
    # An enquiry ends with its objection, not by itself.
    notify = commerce(office, "NOTIFICATION")
    step = 'mutation W($n: String!) { withdrawNotification(number: $n, reason: "x") { number } }'
    assert (await notify.refused(step, {"n": enquiry}))["reason"] == "ENQUIRY_ENDS_WITH_ITS_OBJECTION"
    made = await took(subject(office), number, "withdrawObjection")
    assert made["state"] == "WITHDRAWN"
    assert await seen(agency(office, "customs"), code, record) == ("EFFECTIVE", False)
    told = await agency(office, "customs", "NOTIFICATION").refused(
        ANSWER, {"number": enquiry, "outcome": "UPHELD"}
    )
    assert told["code"] == "TRANSITION_NOT_ALLOWED"
    assert (
        await refusal(commerce(office), number, "recordObjectionWithdrawal", ', reason: "来函"')
        == "TRANSITION_NOT_ALLOWED"
    )


async def test_a_record_that_its_source_took_back_meanwhile_ends_its_objection_all_the_same(
    office: Office,
) -> None:
    for field, given, state in (
        ("rejectObjection", REJECT, "REJECTED"),
        ("upholdObjection", REVOKE, "UPHELD"),
    ):
        record = await penalty(office, await firm(office))
        number = (await submitted(office, record))["number"]
        await office.rows(
            "UPDATE record SET superseded_at = $2 WHERE public_id = $1 AND superseded_at IS NULL",
            _uuid(record),
            MONDAY,
        )
        assert (await took(commerce(office), number, field, given))["state"] == state


async def test_r7_4_what_the_hub_was_about_to_publish_of_it_is_not_published(office: Office) -> None:
    desk, draft = await drafted(office, date(2026, 11, 20))
    (case,) = await office.rows(
        "SELECT s.uscc, c.details->>'decision_number' AS document FROM case_file c JOIN subject s USING (subject_id)"
        " WHERE number = $1", draft["number"],
    )  # fmt: skip
    department = {"authority_name": "青海省商务厅", "authority_uscc": "11630000000015122A"}
    record = await office.adverse(
        case["uscc"], date(2026, 11, 20), document_number=case["document"], **department
    )
    await reviewed(desk, draft["number"])
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    await took(commerce(office), number, "upholdObjection", REVOKE)
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", draft["number"])
    assert row["state"] == "WITHDRAWN"
    assert await publication_refused(desk, draft["number"], "publishDecision") == "TRANSITION_NOT_ALLOWED"


@pytest.mark.parametrize("named", [True, False])
async def test_what_the_hub_published_of_it_is_withdrawn_from_the_channels(
    office: Office, named: bool
) -> None:
    desk, publication, _ = await published(office, date(2026, 11, 12))
    (case,) = await office.rows(
        "SELECT s.uscc, c.details->>'decision_number' AS document FROM case_file c JOIN subject s USING (subject_id)"
        " WHERE number = $1", publication,
    )  # fmt: skip
    record = await penalty(office, case["uscc"], document_number=case["document"])
    # Another authority's publication of its own decision with that number is not withdrawn.
    _, other, _ = await published(office, date(2026, 11, 12), code=case["uscc"], authority="西宁市商务局")
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    if not named:
        assert await refusal(commerce(office), number, "upholdObjection", REVOKE) == "SEVERAL_DECISIONS"
        return
    await office.rows(
        "UPDATE record SET authority_name = '省商务厅', authority_uscc = '11630000000015122A' WHERE public_id = $1",
        _uuid(record),
    )
    await took(commerce(office), number, "upholdObjection", REVOKE)
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", other)
    assert row["state"] == "PUBLISHED"
    told = await desk.done(
        "query P($n: String!) { case(number: $n) { state ... on PublicityCase { withdrawal { ground reason } } } }",
        {"n": publication},
    )
    assert told["case"] == {
        "state": "WITHDRAWN",
        "withdrawal": {"ground": "REVOKED", "reason": "经核查非该公司"},
    }
    rows = await office.rows(
        "SELECT channel FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1"
        " AND payload->>'action' = 'WITHDRAW'", publication,
    )  # fmt: skip
    assert {row["channel"] for row in rows} == set(Channel)


# ---- later deliveries of the source ------------------------------------------------------------------------------


async def delivered(office: Office, code: str, source: str, **values: Any) -> str:
    """What the source delivers of its record of a firm; gives the record's opaque id."""
    kind = Kind.LIST_ENTRY if "list_code" in values else Kind.PENALTY
    connector = Rows(
        [[row(f"{code}/1", kind, "某", [("USCC", code)], **values)]], replace(REGISTER, name=source)
    )
    await office.rows(
        "INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)"
        " SELECT subject_id, 'USCC', uscc, 'D1', 'TEST', $2 FROM subject WHERE uscc = $1 ON CONFLICT DO NOTHING",
        code,
        MONDAY,
    )
    await office.rows("UPDATE source_state SET cursor = NULL WHERE source = $1", source)
    outcome = await harvest(connector, office.database.writer, office.clock, pauses=())
    assert (outcome.status, outcome.totals.quarantined) == ("OK", 0)
    table = "list_entry" if kind is Kind.LIST_ENTRY else "record"
    (found,) = await office.rows(
        f"SELECT public_id FROM {table} WHERE source_record_id = $1 AND superseded_at IS NULL",
        f"{code}/1",
    )
    return ("l" if kind is Kind.LIST_ENTRY else "r") + found["public_id"].hex


async def decided(office: Office, target: str, remedy: str) -> None:
    """An objection to it is upheld; whoever is no partner answered by letter."""
    made = (await commerce(office).done(RECORD, {"target": target}))["recordObjection"]
    if made["provider"] != "commerce":
        letter = ', provider: "某局", outcome: UPHELD, text: "有误", documentNumber: "函1号"'
        await took(commerce(office), made["number"], "recordObjectionAnswer", letter)
    await took(commerce(office), made["number"], "upholdObjection", remedy)


CORRECT = ', remedy: CORRECT, reason: "标题有误", documentNumber: "青商异〔2026〕4号", correction: { title: "更正" }'
FINED = {
    "title": "处罚", "decided_on": "2026-09-01", "categories": ["罚款"], "document_number": "青罚〔2026〕7号",
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "remedy", "after"),
    [
        ("MARKET_REGULATION", REVOKE, ["REVOKED"]),
        ("COMMERCE", REVOKE, ["REVOKED"]),
        ("COMMERCE", CORRECT, ["CORRECTED", "EFFECTIVE"]),
        # Its provider corrects it: what comes then is the correction.
        ("MARKET_REGULATION", CORRECT, ["EFFECTIVE"]),
    ],
    ids=("another's, revoked", "own, revoked", "own, corrected", "another's, to be corrected"),
)
async def test_a_later_delivery_does_not_bring_back_what_an_objection_ended(
    office: Office, source: str, remedy: str, after: list[str]
) -> None:
    code = await office.subject()
    record = await delivered(office, code, source, **FINED)
    await decided(office, record, remedy)
    states = (
        "SELECT r.lifecycle, r.title FROM record r JOIN subject s USING (subject_id)"
        " WHERE s.uscc = $1 AND superseded_at IS NULL ORDER BY r.public_id <> $2, r.version_id"
    )
    # The same row again changes nothing; one with another title is kept as told, and ended.
    for title in ("处罚", "改过的标题", "又改过的标题"):
        assert await delivered(office, code, source, **{**FINED, "title": title}) == record
        found = await office.rows(states, code, _uuid(record))
        if title != "处罚":
            assert [one["lifecycle"] for one in found] == after
            assert found[0]["title"] == title
    shown = (await agency(office, "customs").done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    assert [edge["node"]["lifecycle"] for edge in shown] == [one for one in after if one == "EFFECTIVE"]
    # That the decision is no more is the source's to say, and ends it also under the hub's word.
    await delivered(office, code, source, **FINED, lifecycle="REVOKED")
    assert (await office.rows(states, code, _uuid(record)))[0]["lifecycle"] == "REVOKED"


async def test_a_later_delivery_does_not_put_back_on_a_list_what_an_objection_took_off_it(
    office: Office,
) -> None:
    code = await office.subject()
    await office.defined("T-BLACK", "BLACK")
    given = {
        "list_code": "T-BLACK", "state": "PUBLISHED", "recognized_on": "2026-06-01", "decision_number": "认〔2026〕1号",
    }  # fmt: skip
    entry = await delivered(office, code, "MARKET_REGULATION", **given)
    await decided(office, entry, REVOKE)
    assert await delivered(office, code, "MARKET_REGULATION", **given, cause="另述") == entry
    (kept,) = await office.rows(
        "SELECT state, exited_on, exit_reason, cause FROM list_entry WHERE public_id = $1 AND superseded_at IS NULL",
        _uuid(entry),
    )
    assert tuple(kept) == ("EXITED_REVOKED", date(2026, 11, 23), "经核查非该公司", "另述")


async def behind_a_delivery(
    office: Office, code: str, command: Callable[[], Coroutine[Any, Any, dict[str, Any]]]
) -> dict[str, Any]:
    """The answer to a command given while the source's word that its decision was revoked is being written."""

    async with asyncpg.create_pool(office.database.owner_dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as busy, busy.transaction():
            await one_writer(busy)
            source = asyncio.create_task(delivered(office, code, "COMMERCE", **FINED, lifecycle="REVOKED"))
            await office.waiting(1)
            given = asyncio.create_task(command())
            await office.waiting(2)
        await source
    return await given


async def test_the_end_of_an_objection_does_not_bring_back_what_a_delivery_under_way_ends(
    office: Office,
) -> None:
    code = await office.subject()
    record = await delivered(office, code, "COMMERCE", **FINED)
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    made = await behind_a_delivery(
        office, code, lambda: took(commerce(office), number, "rejectObjection", REJECT)
    )
    assert made["state"] == "REJECTED"
    assert await seen(agency(office, "customs"), code, record) is None
    (row,) = await office.rows(
        "SELECT lifecycle, under_objection FROM record WHERE public_id = $1 AND superseded_at IS NULL",
        _uuid(record),
    )
    assert tuple(row) == ("REVOKED", False)


async def test_an_objection_does_not_mark_what_a_delivery_under_way_ends(office: Office) -> None:
    code = await office.subject()
    record = await delivered(office, code, "COMMERCE", **FINED)
    told = await behind_a_delivery(office, code, lambda: commerce(office).refused(RECORD, {"target": record}))
    assert told["reason"] == "NO_SUCH_RECORD"
    assert await seen(agency(office, "customs"), code, record) is None


# ---- list entries ------------------------------------------------------------------------------------------------


async def test_an_entry_of_a_list_is_marked_and_upheld_it_is_off_the_list(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    made = (await commerce(office).done(RECORD, {"target": entry}))["recordObjection"]
    assert made["targetKind"] == "LIST_ENTRY"
    public = office.desk("public", "PUBLIC_QUERY", None, None)
    query = "query L($c: String!) { subject(value: $c) { ... on Organization { listEntries { id underObjection } } } }"
    assert (await public.done(query, {"c": code}))["subject"]["listEntries"] == [
        {"id": entry, "underObjection": True}
    ]
    fix = ', remedy: CORRECT, reason: "x", documentNumber: "x", correction: { title: "x" }'
    assert (
        await refusal(commerce(office), made["number"], "upholdObjection", fix)
        == "ENTRY_IS_REVOKED_OR_STANDS"
    )
    await took(commerce(office), made["number"], "upholdObjection", REVOKE)
    assert (await public.done(query, {"c": code}))["subject"]["listEntries"] == []
    (row,) = await office.rows(
        "SELECT state, exited_on, under_objection FROM list_entry WHERE public_id = $1 AND superseded_at IS NULL",
        _uuid(entry),
    )
    assert tuple(row) == ("EXITED_REVOKED", date(2026, 11, 23), False)


# ---- notices to recipients ---------------------------------------------------------------------------------------


async def notices(desk: Desk, target: str) -> list[dict[str, Any]]:
    found = (await desk.done(NOTICES))["cases"]["edges"]
    return [one["node"] for one in found if one["node"]["target"] == target]


async def test_who_was_told_in_the_last_90_days_gets_a_notice_and_nobody_else_sees_a_byte_of_it(
    office: Office,
) -> None:
    code, other = await office.subject(), await office.subject()
    record = await penalty(office, code, recorded_at=MONDAY - timedelta(days=100))
    # 90 days before the decision, and a day more.
    office.clock.now = MONDAY - timedelta(days=91)
    assert await seen(agency(office, "reform", "ONGOING_SUPERVISION"), code, record) is not None
    office.clock.now = MONDAY - timedelta(days=90)
    assert await seen(agency(office, "procurement"), code, record) is not None
    office.clock.now = MONDAY
    assert await seen(agency(office, "customs"), code, record) is not None
    assert (
        await seen(office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None), code, record)
        is not None
    )
    # It asked about another firm only.
    await agency(office, "forex").done(RECORDS, {"code": other})
    await office.desk("public", "PUBLIC_QUERY", None, None).ask(RECORDS, {"code": code})
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    strangers = (
        agency(office, "forex"), agency(office, "reform", "ONGOING_SUPERVISION"), office.desk("mall", "MERCHANT_ADMISSION", None, None),
        office.desk("chamber", "MEMBER_ARCHIVE", None, None), office.desk("public", "PUBLIC_QUERY", None, None),
    )  # fmt: skip
    page = (
        "{ cases(first: 20) { edges { cursor node { number state } } pageInfo { hasNextPage endCursor } } }"
    )

    async def all_that_comes() -> list[Any]:
        return [await desk.done(page) for desk in strangers]

    pool, machines = office.database.writer, registry().machines
    await tell_recipients(pool, machines, MONDAY + timedelta(days=60))
    await took(commerce(office), number, "upholdObjection", REVOKE)
    # Who asks only now is not told of it any more, and gets no notice.
    office.clock.now = MONDAY + timedelta(seconds=10)
    assert await seen(agency(office, "tax", "NOTIFICATION"), code, record) is None
    before = await all_that_comes()
    # Not before what was under way is in the ledger, and once.
    assert await tell_recipients(pool, machines, MONDAY + SETTLED / 2) == 0
    office.clock.now = MONDAY + SETTLED
    assert await tell_recipients(pool, machines, office.clock.now) == 1
    assert await tell_recipients(pool, machines, office.clock.now) == 0
    assert await all_that_comes() == before
    made = (await commerce(office).done(READ, {"number": number}))["case"]
    assert (made["state"], made["notified"]) == ("NOTIFIED", ["commerce-xining", "customs", "procurement"])
    (notice,) = await notices(agency(office, "customs"), record)
    assert notice == {
        "number": notice["number"], "state": "ISSUED", "handler": "commerce", "target": record, "targetKind": "RECORD",
        "remedy": "REVOKE", "lastToldAt": notice["lastToldAt"], "corrected": None, "subject": notice["subject"],
    }  # fmt: skip
    assert notice["lastToldAt"].startswith("2026-11-23")
    acknowledge = "mutation A($n: String!) { acknowledgeCorrection(number: $n) { state } }"
    # Each recipient has its own: of the others' it knows nothing.
    told = await agency(office, "procurement").refused(acknowledge, {"n": notice["number"]})
    assert told["code"] == "CASE_UNKNOWN"
    assert (await agency(office, "customs").done(acknowledge, {"n": notice["number"]}))[
        "acknowledgeCorrection"
    ] == {"state": "ACKNOWLEDGED"}
    assert len(await notices(agency(office, "procurement"), record)) == 1
    assert len(await notices(commerce(office), record)) == 3


async def test_who_was_told_of_the_subject_before_the_record_was_there_gets_no_notice(office: Office) -> None:
    code = await office.subject()
    await agency(office, "forex").done(RECORDS, {"code": code})
    office.clock.now = MONDAY + timedelta(minutes=5)
    record = await penalty(office, code, recorded_at=office.clock.now)
    assert await seen(agency(office, "customs"), code, record) is not None
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    await took(commerce(office), number, "upholdObjection", REVOKE)
    office.clock.now += SETTLED
    assert await tell_recipients(office.database.writer, registry().machines, office.clock.now) == 1
    made = (await commerce(office).done(READ, {"number": number}))["case"]
    assert made["notified"] == ["customs"]
    assert await notices(agency(office, "forex"), record) == []


async def test_the_subject_is_not_told_who_got_a_notice_for_whatever_purpose(office: Office) -> None:
    code = await firm(office)
    record = await penalty(office, code)
    assert await seen(agency(office, "customs"), code, record) is not None
    number = (await submitted(office, record))["number"]
    await took(commerce(office), number, "upholdObjection", REVOKE)
    office.clock.now = MONDAY + SETTLED
    await tell_recipients(office.database.writer, registry().machines, office.clock.now)
    (notice,) = await notices(agency(office, "customs"), record)
    acknowledge = "mutation A($n: String!) { acknowledgeCorrection(number: $n) { state } }"
    for _ in range(2):
        for purpose in ("SELF_QUERY", "OBJECTION_HANDLING", "CREDIT_REPAIR"):
            assert await notices(subject(office, purpose), record) == [], purpose
        # Nor when it is acknowledged, which ends it.
        await agency(office, "customs").ask(acknowledge, {"n": notice["number"]})


async def test_a_rejected_objection_tells_nobody(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code)
    assert await seen(agency(office, "customs"), code, record) is not None
    number = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]["number"]
    await took(commerce(office), number, "rejectObjection", REJECT)
    await tell_recipients(office.database.writer, registry().machines, MONDAY + timedelta(hours=1))
    assert await notices(agency(office, "customs"), record) == []


# ---- agents ------------------------------------------------------------------------------------------------------


async def test_an_agent_files_at_most_ten_in_thirty_days(office: Office) -> None:
    given: dict[str, Any] = {"agent": AGENT, "digest": "0a" * 32}
    code = await office.subject()
    bare = {"target": await penalty(office, code), "agent": AGENT}
    assert (await commerce(office).refused(RECORD, bare))["code"] == "BAD_USER_INPUT"
    for _ in range(10):
        await commerce(office).done(RECORD, {"target": await penalty(office, code), **given})
    target = await penalty(office, code)
    assert (await commerce(office).refused(RECORD, {"target": target, **given}))[
        "reason"
    ] == "AGENT_LIMIT_REACHED"
    # Without the agent it may be made all the same, and by the agent when the days are over.
    office.clock.now = MONDAY + timedelta(days=30)
    made = (await commerce(office).done(RECORD, {"target": target, **given}))["recordObjection"]
    assert made["agent"] == AGENT
