"""Notifications between agencies (article 十三): R13.1 receipts, R13.2 parties only, R13.3 no record without a finding."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.registry import registry
from tests.casework.desk import Desk, Office

SHOWN = """
  number state handler kind sender addressees topic facts feedbackBy issuedOn dueOn closedAt
  evidence { name digest } receipts { partner officer } answers { partner text documentNumber outcome }
  findings { authority documentNumber decidedOn record } subject { displayName }
"""
DRAFT = f"""
mutation Draft($code: USCC!, $to: [String!]!, $by: Date, $digest: SM3Digest!) {{
  draftNotification(subject: $code, to: $to, topic: "低报价格线索", facts: "只有当事单位应当看到的事实一二三",
    evidence: [{{ name: "报关单", digest: $digest }}], feedbackBy: $by) {{ {SHOWN} }} }}
"""
FILE = f"""
mutation File($number: String!, $authority: String!, $doc: String!, $on: Date!, $facts: String!, $kinds: [String!]!,
  $ended: Date) {{
  fileNotifiedFinding(number: $number, authority: $authority, documentNumber: $doc, decidedOn: $on, title: "申报不实",
    facts: $facts, basis: "海关行政处罚实施条例第15条", penaltyKinds: $kinds, conductEndedOn: $ended) {{ {SHOWN} }} }}
"""
READ = f"query R($number: String!) {{ case(number: $number) {{ number state ... on CreditNotification {{ {SHOWN} }} }} }}"
PAGE = "{ cases(first: 20) { edges { cursor node { number state } } pageInfo { endCursor hasNextPage } } }"
RECORDS = """
query Records($code: String!) { subject(value: $code) { ... on Organization {
  records(first: 20) { edges { node { kind documentNumber seriousness lifecycle usableUntil authority { name }
    ... on AdministrativePenalty { facts penaltyCategories } } } } } } }
"""
KNOWN = "query K($number: String!) { case(number: $number) { number state mechanism dueOn } }"
SECRET = "只有当事单位应当看到的事实一二三"
DIGEST = "0f" * 32


def commerce(office: Office) -> Desk:
    return office.desk("commerce", "NOTIFICATION", "SW-TB", None)


def agency(office: Office, partner: str, purpose: str = "NOTIFICATION") -> Desk:
    return office.desk(partner, purpose, None, None)


async def drafted(office: Office, desk: Desk, *to: str, **more: Any) -> tuple[str, str]:
    """Code of the subject and number of the draft."""
    code = more.pop("code", None) or await office.subject()
    given = {"code": code, "to": list(to), "digest": DIGEST, **more}
    made = (await desk.done(DRAFT, given))["draftNotification"]
    assert made["state"] == "DRAFT"
    return code, made["number"]


async def took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"
    made: dict[str, Any] = (await desk.done(step, {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ number }} }}"
    told = await desk.refused(step, {"number": number})
    return str(told.get("reason", told["code"]))


async def issued(office: Office, *to: str) -> tuple[str, str]:
    code, number = await drafted(office, commerce(office), *to)
    await took(commerce(office), number, "issueNotification")
    return code, number


async def test_r13_1_each_addressee_acknowledges_and_feeds_back_by_itself_until_all_have(
    office: Office,
) -> None:
    _, number = await issued(office, "customs", "tax")
    customs, tax = agency(office, "customs"), agency(office, "tax")
    assert await refusal(customs, number, "answerNotification", ', text: "属实"') == "NOT_RECEIVED_YET"
    made = await took(customs, number, "acknowledgeNotification")
    assert (made["state"], [one["partner"] for one in made["receipts"]]) == ("ISSUED", ["customs"])
    assert await refusal(customs, number, "acknowledgeNotification") == "RECEIVED_ALREADY"
    made = await took(customs, number, "answerNotification", ', text: "属实", documentNumber: "署函1号"')
    assert (made["state"], made["dueOn"]) == ("ISSUED", "2026-12-07")
    assert await refusal(commerce(office), number, "closeNotification") == "TRANSITION_NOT_ALLOWED"
    made = await took(tax, number, "acknowledgeNotification")
    assert made["state"] == "RECEIVED"
    assert made["receipts"] == [
        {"partner": "customs", "officer": "customs-demo-officer"},
        {"partner": "tax", "officer": "tax-demo-officer"},
    ]
    assert await refusal(customs, number, "answerNotification", ', text: "再报"') == "ANSWERED_ALREADY"
    made = await took(tax, number, "answerNotification", ', text: "未见异常"')
    assert (made["state"], made["dueOn"]) == ("FEEDBACK", None)
    assert [(one["partner"], one["text"]) for one in made["answers"]] == [
        ("customs", "属实"),
        ("tax", "未见异常"),
    ]
    # Only its sender closes it.
    assert await refusal(tax, number, "closeNotification") == "FORBIDDEN"
    assert (await took(commerce(office), number, "closeNotification"))["closedAt"] is not None


@pytest.mark.parametrize("sender", ["customs", "tax", "forex"])
async def test_r13_1_customs_tax_and_foreign_exchange_send_as_well_as_receive(
    office: Office, sender: str
) -> None:
    _, number = await drafted(office, agency(office, sender), "commerce")
    made = await took(agency(office, sender), number, "issueNotification")
    assert (made["handler"], made["sender"], made["evidence"]) == (
        sender, sender, [{"name": "报关单", "digest": DIGEST}],
    )  # fmt: skip
    assert (await took(commerce(office), number, "acknowledgeNotification"))["state"] == "RECEIVED"
    assert (await took(commerce(office), number, "answerNotification", ', text: "已知悉"'))[
        "state"
    ] == "FEEDBACK"
    assert (await took(agency(office, sender), number, "closeNotification"))["state"] == "CLOSED"


async def test_r13_1_the_day_of_feedback_is_the_rules_and_its_passing_is_marked(office: Office) -> None:
    _, number = await issued(office, "customs")
    # The tenth working day after Monday, 23 November.
    assert (await took(agency(office, "customs"), number, "acknowledgeNotification"))[
        "feedbackBy"
    ] == "2026-12-07"
    await keep_time(
        office.database.writer, registry().machines, automatic(), datetime(2026, 12, 8, 1, tzinfo=UTC)
    )
    rows = await office.rows(
        "SELECT transition FROM case_event JOIN case_file USING (case_id) WHERE number = $1 ORDER BY event_id",
        number,
    )
    assert rows[-1]["transition"] == "deadline_passed"
    late = await drafted(office, commerce(office), "customs", by="2026-11-24")
    office.clock.now = datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert await refusal(commerce(office), late[1], "issueNotification") == "FEEDBACK_DAY_PASSED"


@pytest.mark.parametrize(("day", "by"), [(3, "2026-12-17"), (10, "2026-12-24")])
async def test_r13_1_the_days_of_feedback_begin_with_the_issue_and_not_with_the_draft(
    office: Office, day: int, by: str
) -> None:
    _, number = await drafted(office, commerce(office), "customs")
    office.clock.now = datetime(2026, 12, day, 2, tzinfo=UTC)
    made = await took(commerce(office), number, "issueNotification")
    assert (made["feedbackBy"], made["dueOn"]) == (by, by)


async def test_r13_2_only_sender_addressees_and_auditors_see_it_and_nobody_a_draft(office: Office) -> None:
    _, number = await drafted(office, commerce(office), "customs")
    assert (await agency(office, "customs").done(READ, {"number": number}))["case"] is None
    assert await refusal(agency(office, "customs"), number, "acknowledgeNotification") == "CASE_UNKNOWN"
    await took(commerce(office), number, "issueNotification")
    auditor = office.desk("auditor", "AUDIT", "SJ-2026-1", None)
    for desk in (
        commerce(office),
        agency(office, "customs"),
        agency(office, "customs", "ONGOING_SUPERVISION"),
        auditor,
    ):
        assert (await desk.done(READ, {"number": number}))["case"]["facts"] == SECRET
    # The department, too, sees it for notification only.
    other = office.desk("commerce", "ONGOING_SUPERVISION", "SW-JG", None)
    assert (await other.done(KNOWN, {"number": number}))["case"] is None


STRANGERS = (
    ("tax", "NOTIFICATION", None), ("forex", "NOTIFICATION", None), ("tax", "JOINT_PUNISHMENT", None),
    ("reform", "ONGOING_SUPERVISION", None), ("commerce-xining", "NOTIFICATION", "SW-TB"),
    ("procurement", "JOINT_PUNISHMENT", None), ("chamber", "MEMBER_ARCHIVE", None), ("mall", "MERCHANT_ADMISSION", None),
    ("public", "PUBLIC_QUERY", None), ("subject", "SELF_QUERY", None),
)  # fmt: skip


@pytest.mark.parametrize(("partner", "purpose", "matter"), STRANGERS)
async def test_r13_2_to_a_partner_that_is_neither_it_changes_no_byte(
    office: Office, partner: str, purpose: str, matter: str | None
) -> None:
    desk = office.desk(partner, purpose, matter, None)
    code = await office.subject()

    async def all_that_comes(number: str) -> bytes:
        told = [
            await desk.ask(PAGE), await desk.ask(KNOWN, {"number": number}), await desk.ask(READ, {"number": number}),
            await desk.ask(RECORDS, {"code": code}),
        ]  # fmt: skip
        for one in told:
            one.get("extensions", {}).pop("requestId", None)
        return json.dumps(told, ensure_ascii=False).encode()

    before = await all_that_comes("QHTB-2026-0000-0000-0000")
    _, number = await drafted(office, commerce(office), "customs", code=code)
    await took(commerce(office), number, "issueNotification")
    await took(agency(office, "customs"), number, "acknowledgeNotification")
    after = await all_that_comes(number)
    assert after.replace(number.encode(), b"QHTB-2026-0000-0000-0000") == before
    assert SECRET.encode() not in after


@pytest.mark.parametrize("partner", ["tax", "forex"])
async def test_r13_2_a_stranger_to_it_is_refused_like_for_a_number_that_does_not_exist(
    office: Office, partner: str
) -> None:
    _, number = await issued(office, "customs")
    for field, arguments in (
        ("acknowledgeNotification", ""), ("answerNotification", ', text: "x"'), ("closeNotification", ""),
        ("withdrawNotification", ', reason: "x"'), ("issueNotification", ""),
    ):  # fmt: skip
        step = f"mutation S($n: String!) {{ {field}(number: $n{arguments}) {{ number }} }}"
        known = await agency(office, partner).refused(step, {"n": number})
        unknown = await agency(office, partner).refused(step, {"n": "QHTB-2026-0000-0000-0000"})
        assert known == unknown
        assert known["code"] == "CASE_UNKNOWN"


async def test_r13_2_a_partner_that_could_not_read_it_cannot_be_addressed(office: Office) -> None:
    code = await office.subject()
    for partner in ("mall", "chamber", "public", "subject", "procurement", "nobody"):
        told = await commerce(office).refused(DRAFT, {"code": code, "to": [partner], "digest": DIGEST})
        assert told["reason"] == "ADDRESSEE_NOT_REACHABLE"
    for to in ([], ["commerce"], ["customs", "commerce"]):
        told = await commerce(office).refused(DRAFT, {"code": code, "to": to, "digest": DIGEST})
        assert told["code"] == "BAD_USER_INPUT"
    told = await commerce(office).refused(DRAFT, {"code": code, "to": ["customs"], "digest": "x"})
    assert told["code"] == "BAD_USER_INPUT"
    step = 'mutation { draftNotification(subject: "x", to: [], topic: "", facts: "") { number } }'
    for partner, purpose in (
        ("mall", "MERCHANT_ADMISSION"),
        ("public", "PUBLIC_QUERY"),
        ("subject", "SELF_QUERY"),
    ):
        assert (await agency(office, partner, purpose).refused(step))["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_r13_2_what_is_withdrawn_can_no_longer_be_answered(office: Office) -> None:
    _, number = await issued(office, "customs")
    assert (await took(commerce(office), number, "withdrawNotification", ', reason: "线索有误"'))[
        "state"
    ] == "WITHDRAWN"
    assert (
        await refusal(agency(office, "customs"), number, "acknowledgeNotification")
        == "TRANSITION_NOT_ALLOWED"
    )


async def _records(office: Office, code: str) -> list[dict[str, Any]]:
    desk = office.desk("customs", "JOINT_PUNISHMENT", None, None)
    found = (await desk.done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    return [one["node"] for one in found]


async def test_r13_3_a_notification_is_no_record_and_a_partys_decision_becomes_one(office: Office) -> None:
    code, number = await issued(office, "customs", "tax")
    for partner in ("customs", "tax"):
        await took(agency(office, partner), number, "acknowledgeNotification")
        await took(agency(office, partner), number, "answerNotification", ', text: "经查属实"')
    await took(commerce(office), number, "closeNotification")
    assert await _records(office, code) == []
    given = {
        "number": number, "authority": "customs", "doc": f"西关缉罚字〔2026〕{code[10:17]}号", "on": "2026-11-20",
        "facts": "申报价格不实", "kinds": ["罚款"],
    }  # fmt: skip
    for changed, reason in (
        ({"authority": "forex"}, "AUTHORITY_IS_NO_PARTY"),
        ({"on": "2026-11-24"}, "DECISION_DAY_IMPOSSIBLE"),
        ({"facts": "当事人身份证号630102199003074514"}, "TEXT_NOT_PUBLISHABLE"),
    ):
        assert (await commerce(office).refused(FILE, {**given, **changed}))["reason"] == reason
    assert await _records(office, code) == []
    made = (await commerce(office).done(FILE, given))["fileNotifiedFinding"]
    assert made["state"] == "CLOSED"
    assert [(one["authority"], one["decidedOn"]) for one in made["findings"]] == [("customs", "2026-11-20")]
    assert await _records(office, code) == [
        {
            "kind": "PENALTY", "documentNumber": given["doc"], "seriousness": "GENERAL", "lifecycle": "EFFECTIVE",
            "usableUntil": "2027-11-20", "authority": {"name": "西宁海关"}, "facts": "申报价格不实",
            "penaltyCategories": ["罚款"],
        }
    ]  # fmt: skip
    assert (await commerce(office).refused(FILE, given))["reason"] == "FILED_ALREADY"
    # The department's own is of the department, whatever division its agreement names: it repairs it (R9.2).
    own = {**given, "authority": "commerce", "doc": f"青商罚〔2026〕{code[10:17]}号"}
    await commerce(office).done(FILE, own)
    names = [one["authority"]["name"] for one in await _records(office, code)]
    assert sorted(names) == ["西宁海关", "青海省商务厅"]


async def test_a_penalty_is_used_no_longer_than_five_years_after_its_conduct_and_later_none_is_filed(
    office: Office,
) -> None:
    code, number = await drafted(office, commerce(office), "customs")
    await took(commerce(office), number, "issueNotification")
    given = {
        "number": number, "authority": "customs", "doc": f"西关缉罚字〔2026〕{code[10:17]}号", "on": "2026-11-20",
        "facts": "申报不实", "kinds": ["罚款"],
    }  # fmt: skip
    for ended, reason in (("2021-11-22", "CONDUCT_TOO_LONG_AGO"), ("2026-11-21", "DECISION_DAY_IMPOSSIBLE")):
        assert (await commerce(office).refused(FILE, {**given, "ended": ended}))["reason"] == reason
    await commerce(office).done(FILE, {**given, "ended": "2022-01-31"})
    assert [one["usableUntil"] for one in await _records(office, code)] == ["2027-01-31"]


async def test_r13_3_only_the_department_files_and_only_once_it_was_issued(office: Office) -> None:
    code, number = await drafted(office, commerce(office), "customs")
    given = {
        "number": number, "authority": "customs", "doc": f"西关缉罚字〔2026〕{code[10:17]}号", "on": "2026-11-20",
        "facts": "申报不实", "kinds": ["警告"],
    }  # fmt: skip
    assert (await commerce(office).refused(FILE, given))["code"] == "TRANSITION_NOT_ALLOWED"
    await took(commerce(office), number, "issueNotification")
    assert (await agency(office, "customs").refused(FILE, given))["code"] == "GRAPHQL_VALIDATION_FAILED"
    await commerce(office).done(FILE, given)
    # A warning is minor: it is not published, and customs sees it as little as the public does (D7).
    assert await _records(office, code) == []
    (row,) = await office.rows(
        "SELECT data_class, sharing_attribute, usable_until::text AS until FROM record WHERE document_number = $1",
        given["doc"],
    )
    assert tuple(row) == ("D7", "GOVERNMENT_SHARED", "2027-02-20")


async def test_r13_3_two_authorities_that_gave_one_number_have_decided_twice(office: Office) -> None:
    code, number = await issued(office, "customs", "tax")
    doc = f"〔2026〕{code[10:17]}号"
    await office.adverse(code, date(2026, 3, 1), document_number=doc, authority_name="西宁市商务局")
    for authority in ("customs", "tax"):
        given = {
            "number": number, "authority": authority, "doc": doc, "on": "2026-03-01", "facts": "申报不实", "kinds": ["罚款"],
        }  # fmt: skip
        await commerce(office).done(FILE, given)
        assert (await commerce(office).refused(FILE, given))["reason"] == "FILED_ALREADY"
    assert len(await _records(office, code)) == 3


async def test_r13_3_what_was_repaired_does_not_come_back_as_a_finding(office: Office) -> None:
    code, number = await issued(office, "customs")
    doc = f"西关缉罚字〔2026〕{code[10:17]}号"
    await office.adverse(code, date(2026, 3, 1), document_number=doc, lifecycle="REPAIRED")
    given = {
        "number": number, "authority": "customs", "doc": doc, "on": "2026-03-01", "facts": "申报不实", "kinds": ["罚款"],
    }  # fmt: skip
    assert (await commerce(office).refused(FILE, given))["reason"] == "FILED_ALREADY"


async def test_r13_3_that_a_decision_was_filed_is_told_only_to_whoever_could_file_it(office: Office) -> None:
    code, number = await drafted(office, commerce(office), "customs")
    doc = f"西关缉罚字〔2026〕{code[10:17]}号"
    await office.adverse(
        code, date(2026, 3, 1), document_number=doc, authority_name="西宁海关", lifecycle="REPAIRED"
    )
    await office.adverse(
        code, date(2026, 3, 1), document_number=f"{doc}1", authority_name="西宁市商务局", lifecycle="REPAIRED"
    )

    async def told(doc: str, authority: str = "customs", on: str = "2026-03-01") -> dict[str, Any]:
        given = {
            "number": number, "authority": authority, "doc": doc, "on": on, "facts": "申报不实", "kinds": ["罚款"],
        }  # fmt: skip
        return await commerce(office).refused(FILE, given)

    # Of a draft nothing can be filed, nor what no party decided, nor what is to be decided: whatever was filed before.
    assert await told(doc) == await told(f"{doc}9")
    await took(commerce(office), number, "issueNotification")
    assert await told(f"{doc}1", "西宁市商务局") == await told(f"{doc}9", "西宁市商务局")
    assert await told(doc, on="2026-11-24") == await told(f"{doc}9", on="2026-11-24")
    assert (await told(doc))["reason"] == "FILED_ALREADY"
