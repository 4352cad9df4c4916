"""Foreign trade and investment (article 十三): adverse behaviours abroad and investment contracts become records on a finding only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import Desk, Office

OUTBOUND = """
  number state dueOn behaviour behaviourName seriousness conductedOn defences { by statement }
  finding { documentNumber record }
"""
PROPOSE = f"""
mutation P($code: USCC!, $behaviour: String!, $on: Date!) {{ proposeOutboundAdverse(subject: $code, behaviour: $behaviour,
  conductedOn: $on, facts: "未办理备案即在境外设立企业", noticeNumber: "青商告〔2026〕1号", servedOn: "2026-11-23",
  country: "哈萨克斯坦") {{ {OUTBOUND} }} }}
"""
CONTRACT = """
  number state dueOn contractNumber parties signedOn alleged obligations { text dueOn performedOn }
  adjudication { documentNumber record }
"""
REGISTER = f"""
mutation R($code: USCC!) {{ registerInvestmentContract(subject: $code, contractNumber: "招商合同机密一号",
  parties: ["西宁市人民政府", "青海某某有限公司"], signedOn: "2026-01-05",
  obligations: [{{ text: "到位资金三千万元", dueOn: "2026-06-30" }}, {{ text: "投产", dueOn: "2026-12-31" }}]) {{ {CONTRACT} }} }}
"""
RECORDS = """
query Records($code: String!) { subject(value: $code) { ... on Organization {
  records(first: 20) { edges { node { title documentNumber seriousness usableUntil ... on GenericCreditRecord {
    recordType items { code value } } } } } } } }
"""
KNOWN = "query K($number: String!) { case(number: $number) { number state } }"


def commerce(office: Office, purpose: str = "ONGOING_SUPERVISION") -> Desk:
    if purpose == "PROJECT_APPROVAL_FILING":
        return office.desk("commerce", purpose, "SW-BA-OUTBOUND", "BJ-1")
    return office.desk("commerce", purpose, "SW-DW", None)


async def took(desk: Desk, number: str, field: str, shown: str, arguments: str = "") -> dict[str, Any]:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {shown} }} }}"
    made: dict[str, Any] = (await desk.done(step, {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    step = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ number }} }}"
    told = await desk.refused(step, {"number": number})
    return str(told.get("reason", told["code"]))


async def records(desk: Desk, code: str) -> list[dict[str, Any]]:
    found = (await desk.done(RECORDS, {"code": code}))["subject"]["records"]["edges"]
    return [one["node"] for one in found]


async def firm(office: Office) -> str:
    """The firm that the demo subject speaks for."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    return DEMO_SUBJECT


async def proposed(office: Office, code: str, behaviour: str = "OUT-01", on: str = "2026-10-01") -> str:
    given = {"code": code, "behaviour": behaviour, "on": on}
    number: str = (await commerce(office).done(PROPOSE, given))["proposeOutboundAdverse"]["number"]
    return number


FILE = ', documentNumber: "青商外〔2026〕{0}号", reason: "事实清楚"'


# ---- adverse behaviours abroad -----------------------------------------------------------------------------------


async def test_r13_3_an_adverse_behaviour_abroad_is_a_record_only_when_it_is_found(office: Office) -> None:
    code = await firm(office)
    number = await proposed(office, code)
    second = commerce(office).second()
    file = FILE.format(1)
    assert await refusal(commerce(office), number, "fileOutboundAdverse", file) == "SECOND_PERSON_NEEDED"
    assert await refusal(second, number, "fileOutboundAdverse", file) == "DEFENCE_PERIOD_RUNNING"
    subject = office.desk("subject", "SELF_QUERY", None, None)
    made = await took(subject, number, "stateOutboundDefence", OUTBOUND, ', statement: "已补办备案"')
    # Five working days from Monday, 23 November.
    assert (made["dueOn"], made["defences"]) == ("2026-11-30", [{"by": "SUBJECT", "statement": "已补办备案"}])
    assert await records(commerce(office), code) == []
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    assert await refusal(second, number, "fileOutboundAdverse", file) == "DEFENCE_UNANSWERED"
    made = await took(second, number, "fileOutboundAdverse", OUTBOUND, file + ', defenceAnswer: "补办不免责"')
    assert (made["state"], made["finding"]["documentNumber"]) == ("FILED", "青商外〔2026〕1号")
    for purpose in ("PROJECT_APPROVAL_FILING", "ONGOING_SUPERVISION"):
        (record,) = await records(commerce(office, purpose), code)
        assert (record["title"], record["seriousness"], record["usableUntil"], record["recordType"]) == (
            "未按规定办理境外投资备案或者核准", "GENERAL", "2027-12-01", "OUTBOUND_ADVERSE",
        )  # fmt: skip
        assert record["items"][0] == {"code": "behaviour", "value": "OUT-01 未按规定办理境外投资备案或者核准"}
    # Not for other purposes, nor for those who neither approve nor supervise.
    assert await records(commerce(office, "JOINT_PUNISHMENT"), code) == []
    for partner, purpose in (
        ("customs", "ONGOING_SUPERVISION"),
        ("tax", "NOTIFICATION"),
        ("procurement", "JOINT_PUNISHMENT"),
    ):
        assert await records(office.desk(partner, purpose, None, None), code) == []
    assert [one["documentNumber"] for one in await records(subject, code)] == ["青商外〔2026〕1号"]


async def test_r9_2_what_the_department_found_is_its_own_to_repair(office: Office) -> None:
    """Its agreement names a division, which no rule of repair knows: it was another department's, repaired nowhere."""
    code = await firm(office)
    number = await proposed(office, code)
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    made = await took(commerce(office).second(), number, "fileOutboundAdverse", OUTBOUND, FILE.format(77))
    outlook = "query O($target: ID!) { repairOutlook(target: $target) { eligibleFrom blockers { code } } }"
    subject = office.desk("subject", "CREDIT_REPAIR", None, None)
    told = await subject.done(outlook, {"target": made["finding"]["record"]})
    assert told["repairOutlook"] == {"eligibleFrom": "2027-03-02", "blockers": [{"code": "MINIMUM_PERIOD"}]}


async def test_it_counts_in_a_check_before_a_project_is_approved(office: Office) -> None:
    code = await office.subject()
    number = await proposed(office, code)
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    check = "mutation C($code: USCC!) { runCreditCheck(subject: $code) { eligibility { answer } } }"
    desk = commerce(office, "PROJECT_APPROVAL_FILING")
    assert (await desk.done(check, {"code": code}))["runCreditCheck"]["eligibility"]["answer"] == "YES"
    await took(commerce(office).second(), number, "fileOutboundAdverse", OUTBOUND, FILE.format(2))
    assert (await desk.done(check, {"code": code}))["runCreditCheck"]["eligibility"]["answer"] == "NO"


@pytest.mark.parametrize(
    ("on", "until"),
    [("2026-10-01", "2027-12-01"), ("2022-03-01", "2027-03-01"), ("2021-12-01", "2026-12-01"), ("2021-11-30", None)],
)  # fmt: skip
async def test_a_record_lives_no_longer_than_five_years_after_the_conduct_and_later_none_is_made(
    office: Office, on: str, until: str | None
) -> None:
    code = await office.subject()
    number = await proposed(office, code, on=on)
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    second, file = commerce(office).second(), FILE.format(on)
    if until is None:
        assert await refusal(second, number, "fileOutboundAdverse", file) == "CONDUCT_TOO_LONG_AGO"
        assert await records(commerce(office), code) == []
    else:
        await took(second, number, "fileOutboundAdverse", OUTBOUND, file)
        assert [one["usableUntil"] for one in await records(commerce(office), code)] == [until]


@pytest.mark.parametrize(
    ("behaviour", "on", "reason"),
    [("OUT-99", "2026-10-01", "BEHAVIOUR_UNKNOWN"), ("OUT-01", "2013-08-04", "BEHAVIOUR_UNKNOWN"),
     ("OUT-01", "2026-11-24", "DAY_IMPOSSIBLE")],
)  # fmt: skip
async def test_a_behaviour_is_one_that_the_order_knew_on_the_day_of_the_conduct(
    office: Office, behaviour: str, on: str, reason: str
) -> None:
    given = {"code": await office.subject(), "behaviour": behaviour, "on": on}
    assert (await commerce(office).refused(PROPOSE, given))["reason"] == reason


async def test_a_stranger_sees_no_proposal_and_what_is_dropped_leaves_no_record(office: Office) -> None:
    code = await office.subject()
    number = await proposed(office, code)
    for desk in (
        office.desk("customs", "ONGOING_SUPERVISION", None, None), office.desk("subject", "SELF_QUERY", None, None),
        office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-DW", None),
    ):  # fmt: skip
        assert (await desk.done(KNOWN, {"number": number}))["case"] is None
    await firm(office)
    subject = office.desk("subject", "SELF_QUERY", None, None)
    assert await refusal(subject, number, "stateOutboundDefence", ', statement: "x"') == "CASE_UNKNOWN"
    made = await took(commerce(office), number, "dropOutboundAdverse", OUTBOUND, ', reason: "证据不足"')
    assert (made["state"], made["dueOn"]) == ("DROPPED", None)
    assert await records(commerce(office), code) == []
    assert (
        await refusal(commerce(office).second(), number, "fileOutboundAdverse", FILE.format(3))
        == "TRANSITION_NOT_ALLOWED"
    )


async def test_that_a_finding_was_filed_is_told_only_to_whoever_could_file_it(office: Office) -> None:
    code = await office.subject()
    number, desk = await proposed(office, code), commerce(office)
    await office.adverse(code, date(2026, 3, 1), document_number="青商外〔2026〕4号", lifecycle="REPAIRED")
    assert await refusal(desk, number, "fileOutboundAdverse", FILE.format(4)) == "SECOND_PERSON_NEEDED"
    second = desk.second()
    assert await refusal(second, number, "fileOutboundAdverse", FILE.format(4)) == "DEFENCE_PERIOD_RUNNING"
    office.clock.now = datetime(2026, 12, 1, 2, tzinfo=UTC)
    assert await refusal(second, number, "fileOutboundAdverse", FILE.format(4)) == "FILED_ALREADY"


# ---- investment contracts ----------------------------------------------------------------------------------------


async def registered(office: Office, code: str) -> str:
    number: str = (await commerce(office).done(REGISTER, {"code": code}))["registerInvestmentContract"][
        "number"
    ]
    return number


async def test_a_contract_is_performed_obligation_by_obligation(office: Office) -> None:
    number = await registered(office, await office.subject())
    perform = ', obligation: {0}, performedOn: "2026-06-20"'
    desk = commerce(office)
    made = await took(desk, number, "performContractObligation", CONTRACT, perform.format(1))
    assert (made["dueOn"], made["obligations"][0]["performedOn"]) == ("2026-12-31", "2026-06-20")
    assert await refusal(desk, number, "performContractObligation", perform.format(1)) == "PERFORMED_ALREADY"
    assert await refusal(desk, number, "performContractObligation", perform.format(3)) == "NO_SUCH_OBLIGATION"
    assert await refusal(desk, number, "completeInvestmentContract") == "OBLIGATIONS_OPEN"
    await took(desk, number, "performContractObligation", CONTRACT, perform.format(2))
    assert (await took(desk, number, "completeInvestmentContract", CONTRACT))["state"] == "PERFORMED"


async def test_r13_3_a_breach_is_confidential_until_a_judgment_in_force_establishes_it(
    office: Office,
) -> None:
    code = await office.subject()
    number, desk = await registered(office, code), commerce(office)
    judge = ', adjudicator: "西宁市中级人民法院", documentNumber: "(2026)青01民终1号", effectiveOn: "{0}"'
    # Repaired, so it is told only where it could be filed otherwise.
    await office.adverse(
        code, date(2026, 11, 20), document_number="(2026)青01民终2号", authority_name="西宁市中级人民法院",
        lifecycle="REPAIRED",
    )  # fmt: skip
    assert (
        await refusal(desk, number, "fileAdjudicatedBreach", judge.format("2026-11-20"))
        == "TRANSITION_NOT_ALLOWED"
    )
    made = await took(desk, number, "allegeContractBreach", CONTRACT, ', reason: "资金未到位"')
    assert (made["state"], made["alleged"]) == ("BREACH_ALLEGED", "资金未到位")
    assert await records(desk, code) == []
    customs = office.desk("customs", "ONGOING_SUPERVISION", None, None)
    for other in (
        customs, office.desk("tax", "JOINT_PUNISHMENT", None, None), office.desk("forex", "NOTIFICATION", None, None),
        office.desk("reform", "ONGOING_SUPERVISION", None, None), office.desk("public", "PUBLIC_QUERY", None, None),
        commerce(office, "JOINT_PUNISHMENT"), commerce(office, "PROJECT_APPROVAL_FILING"),
    ):  # fmt: skip
        assert (await other.done(KNOWN, {"number": number}))["case"] is None
    # The auditor sees that it is there, and not what was agreed.
    auditor = office.desk("auditor", "AUDIT", "SJ-2026-1", None)
    told = await auditor.ask(
        f"query R($number: String!) {{ case(number: $number) {{ state ... on InvestmentContract {{ {CONTRACT} }} }} }}",
        {"number": number},
    )
    case = told["data"]["case"]
    assert (case["state"], case["contractNumber"], case["parties"], case["obligations"], case["alleged"]) == (
        "BREACH_ALLEGED", None, None, None, None,
    )  # fmt: skip
    assert (
        await refusal(desk, number, "fileAdjudicatedBreach", judge.format("2026-11-24"))
        == "JUDGMENT_NOT_IN_FORCE"
    )
    refiled = ', adjudicator: "西宁市中级人民法院", documentNumber: "(2026)青01民终2号", effectiveOn: "{0}"'
    assert (
        await refusal(desk, number, "fileAdjudicatedBreach", refiled.format("2026-11-24"))
        == "JUDGMENT_NOT_IN_FORCE"
    )
    assert (
        await refusal(desk, number, "fileAdjudicatedBreach", refiled.format("2026-11-20")) == "FILED_ALREADY"
    )
    made = await took(desk, number, "fileAdjudicatedBreach", CONTRACT, judge.format("2026-11-20"))
    assert (made["state"], made["dueOn"]) == ("ADJUDICATED", None)
    (record,) = await records(customs, code)
    assert (record["recordType"], record["documentNumber"], record["usableUntil"]) == (
        "INVESTMENT_CONTRACT_BREACH", "(2026)青01民终1号", "2027-11-20",
    )  # fmt: skip
    assert "机密" not in str(record)
    # Between authorities: neither the public nor a platform is told.
    assert await records(office.desk("public", "PUBLIC_QUERY", None, None), code) == []


async def test_a_breach_that_is_said_to_have_ended_earlier_is_told_no_longer_than_five_years_after(
    office: Office,
) -> None:
    code = await office.subject()
    number, desk = await registered(office, code), commerce(office)
    await took(desk, number, "allegeContractBreach", CONTRACT, ', reason: "资金未到位"')
    judge = (
        ', adjudicator: "西宁市中级人民法院", documentNumber: "(2026)青01民终2号", effectiveOn: "2026-11-20"'
        ', conductEndedOn: "{0}"'
    )
    for ended, reason in (("2021-11-22", "CONDUCT_TOO_LONG_AGO"), ("2026-11-21", "DECISION_DAY_IMPOSSIBLE")):
        assert await refusal(desk, number, "fileAdjudicatedBreach", judge.format(ended)) == reason
    await took(desk, number, "fileAdjudicatedBreach", CONTRACT, judge.format("2021-12-31"))
    assert [one["usableUntil"] for one in await records(desk, code)] == ["2026-12-31"]


async def test_an_allegation_that_is_given_up_leaves_nothing(office: Office) -> None:
    code = await office.subject()
    number, desk = await registered(office, code), commerce(office)
    await took(desk, number, "allegeContractBreach", CONTRACT, ', reason: "资金未到位"')
    made = await took(desk, number, "dismissContractBreach", CONTRACT, ', reason: "已到位"')
    assert (made["state"], made["alleged"]) == ("IN_PERFORMANCE", None)
    assert (await took(desk, number, "terminateInvestmentContract", CONTRACT, ', reason: "协商解除"'))[
        "state"
    ] == "TERMINATED"
    assert await records(desk, code) == []
