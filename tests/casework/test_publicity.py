"""Publicity (article 七): R7.1 to R7.6, over HTTP, with channels that acknowledge over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.alarms import Alarms, raise_alarms
from hub.casework.delivery.channels import Channel, Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.machine import Actor
from hub.casework.new_calendar import recompute
from hub.casework.publicity.unshown import end_unshown
from hub.casework.registry import registry
from hub.rules.calendar import calendar_of, seeded
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import Desk, Office
from tests.casework.dispatch import sites
from tests.casework.promises import demo_firm, itself

SHOWN = """
  number state dueOn dueIsProvisional closedAt publishedOn publishedLate proposedExceptions seriousness draftedBy
  findings { key kind sample clearedBy } exception { ground basis documentNumber decidedOn }
  secrecyReview { officer opinion } contentReview { officer opinion }
  period { begins earliestEnd latestEnd ruleset }
  withdrawal { ground endedOn reason withdrawBy late } endedReason
  deliveries { channel number action state attempts acknowledgedAt receiptNumber errorCode }
"""
DRAFT = f"""
mutation Draft(
  $code: USCC!, $kind: PublicityKind!, $on: Date!, $text: String!, $kinds: [String!], $simple: Boolean! = false,
  $until: Date, $authority: String! = "青海省商务厅"
) {{
  draftPublicity(
    subject: $code, kind: $kind, title: "行政处罚决定", decisionNumber: "青商罚〔2026〕1号", decidedOn: $on,
    authority: $authority, text: $text, penaltyKinds: $kinds, simpleProcedure: $simple, validTo: $until
  ) {{ {SHOWN} }}
}}
"""
FIGURES = """
query Figures($from: Date!, $to: Date!) {
  publicityTimeliness(decidedFrom: $from, decidedTo: $to) {
    unit month onTime late notPublished pending excepted perMilleOnTime
  }
}
"""
TEXT = "该公司未按规定报送成品油进销存数据，处以罚款一万元。"
# Checksum right; nobody's: the region code was never given out.
NUMBERED = "当事人身份证号630102199003074514，处以罚款一万元。"


def at(year: int, month: int, day: int, hour: int = 10) -> datetime:
    """A moment in Qinghai."""
    return datetime(year, month, day, hour - 8, tzinfo=UTC)


async def drafted(office: Office, decided: date, **more: Any) -> tuple[Desk, dict[str, Any]]:
    desk = office.desk()
    given = {
        "code": more.get("code") or await office.subject(), "kind": "PENALTY", "on": str(decided), "text": TEXT, "kinds": ["罚款"], **more,
    }  # fmt: skip
    made: dict[str, Any] = (await desk.done(DRAFT, given))["draftPublicity"]
    return desk, made


def step(field: str, arguments: str = "") -> str:
    """The mutation `field` of a case."""
    return f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"


async def took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(step(field, arguments), {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    told = await desk.refused(step(field, arguments), {"number": number})
    return str(told.get("reason", told["code"]))


async def reviewed(desk: Desk, number: str) -> None:
    await took(desk, number, "submitPublicity")
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    await took(desk.second(), number, "approvePublicity", ', opinion: "内容无误"')


async def published(office: Office, decided: date, **more: Any) -> tuple[Desk, str, dict[str, Any]]:
    desk, made = await drafted(office, decided, **more)
    await reviewed(desk, made["number"])
    return desk, made["number"], await took(desk, made["number"], "publishDecision")


async def delivered(office: Office) -> None:
    """All channels take what is due, and acknowledge it."""
    async with (
        sites(clock=lambda: office.clock.now.timestamp()) as channels,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        courier = Courier(office.database.writer, Client(http, 5), Pace(), office.clock, lambda: 0.0)
        for site in channels.values():
            await courier.deliver(site.address)


# ---- R7.1 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        (date(2026, 2, 12), "2026-02-28"),
        (date(2026, 9, 24), "2026-10-12"),
        (date(2026, 11, 20), "2026-12-01"),
    ],
)
async def test_r7_1_the_last_day_is_the_seventh_working_day_after_the_decision(
    office: Office, decided: date, due: str
) -> None:
    _, made = await drafted(office, decided)
    assert (made["state"], made["dueOn"], made["dueIsProvisional"]) == ("DRAFT", due, False)


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        ("2018-07-24", "2018-08-02"), ("2015-09-15", "2015-09-24"), ("2015-09-14", None), ("2003-03-03", None),
        # Before the holidays of October, with the days worked for them.
        ("2018-09-21", "2018-10-08"), ("2017-09-27", "2017-10-12"),
    ],
)  # fmt: skip
async def test_r7_1_an_old_licence_that_still_holds_is_published_and_late_only_if_a_day_was_set(
    office: Office, decided: str, due: str | None
) -> None:
    given = {"kind": "LICENSE", "kinds": None, "until": "2030-01-01"}
    desk, made = await drafted(office, date.fromisoformat(decided), **given)
    assert (made["state"], made["dueOn"], made["dueIsProvisional"]) == ("DRAFT", due, False)
    assert await recompute(office.database.writer, registry().machines, office.clock.now) == 0
    await reviewed(desk, made["number"])
    case = await took(desk, made["number"], "publishDecision")
    today = office.clock.now.date()
    late = 0 if due is None else seeded().between(date.fromisoformat(due), today)
    assert (case["state"], case["dueOn"], case["publishedLate"]) == ("PUBLISHED", "2030-01-01", late)
    told = (await office.desk(purpose="ONGOING_SUPERVISION").done(FIGURES, {"from": decided, "to": decided}))[
        "publicityTimeliness"
    ]
    assert [one["month"] for one in told] == ([] if due is None else [decided[:8] + "01"])
    # It had ended long ago, before any limit on withdrawals.
    gone = f', ground: REVOKED, endedOn: "{decided}", documentNumber: "青商撤〔2026〕1号", reason: "依法撤销"'
    case = await took(desk, made["number"], "withdrawPublicity", gone)
    assert (case["state"], case["withdrawal"]["withdrawBy"]) == ("WITHDRAWN", "2019-07-10")


async def test_r7_5_an_old_penalty_is_over_before_it_is_published(office: Office) -> None:
    desk, made = await drafted(office, date(2018, 7, 24))
    await reviewed(desk, made["number"])
    assert await refusal(desk, made["number"], "publishDecision") == "PUBLICITY_OVER"


@pytest.mark.parametrize(("day", "late"), [(12, 0), (13, 1)])
async def test_acceptance_01_r7_1_decided_on_24_september_2026_october_12_is_in_time_and_the_13th_late(
    office: Office, day: int, late: int
) -> None:
    office.clock.now = at(2026, 10, day)
    _, _, case = await published(office, date(2026, 9, 24))
    assert (case["publishedOn"], case["publishedLate"]) == (f"2026-10-{day}", late)


async def test_acceptance_02_r7_1_a_due_day_beyond_the_notices_is_provisional_and_moves_with_the_new_calendar(
    office: Office,
) -> None:
    office.clock.now = at(2026, 12, 29)
    desk, made = await drafted(office, date(2026, 12, 28))
    assert made["dueIsProvisional"]
    pool, machines = office.database.writer, registry().machines
    assert await recompute(pool, machines, office.clock.now) == 0
    # As a notice for 2027 may fix it: the third is worked, the fourth and fifth are not.
    for day in range(1, 32):
        on = date(2027, 1, day)
        worked = (on.weekday() < 5 and day not in (1, 4, 5)) or day == 3
        await office.rows(
            "INSERT INTO working_day (region_code, day, is_workday, source_doc) VALUES ('CN', $1, $2, '试验通知')",
            on, worked,
        )  # fmt: skip
    try:
        assert await recompute(pool, machines, office.clock.now) == 1
        assert await recompute(pool, machines, office.clock.now) == 0
        query = "query Q($number: String!) { case(number: $number) { dueOn dueIsProvisional events { transition reason } } }"
        case = (await desk.done(query, {"number": made["number"]}))["case"]
        # 29, 30, 31 December; 3, 6, 7, 8 January.
        assert (case["dueOn"], case["dueIsProvisional"]) == ("2027-01-08", False)
        assert case["events"][-1] == {"transition": "deadline_moved", "reason": "CALENDAR_CHANGED"}
    finally:
        await office.rows("DELETE FROM working_day WHERE day >= '2027-01-01'")


async def test_r7_1_figures_by_unit_and_month_count_what_the_channels_acknowledged(office: Office) -> None:
    await office.rows("UPDATE delivery_out SET state = 'FAILED' WHERE state <> 'ACKNOWLEDGED'")
    office.clock.now = at(2026, 4, 8)
    await published(office, date(2026, 4, 7))
    await delivered(office)
    await published(office, date(2026, 4, 3))
    office.clock.now = at(2026, 4, 30)
    await delivered(office)
    await published(office, date(2026, 4, 2))
    desk, made = await drafted(office, date(2026, 4, 1))
    await took(
        desk.second(), made["number"], "exceptPublicity",
        ', ground: TRADE_SECRET, basis: "政府信息公开条例第15条", documentNumber: "青商审〔2026〕2号"',
    )  # fmt: skip
    await drafted(office, date(2026, 4, 29))
    asked = {"from": "2026-04-01", "to": "2026-04-30"}
    for partner, purpose in (("commerce", "ONGOING_SUPERVISION"), ("auditor", "AUDIT")):
        told = await office.desk(partner, purpose).done(FIGURES, asked)
        # The one published on the 30th but acknowledged by nobody is not published.
        assert told["publicityTimeliness"] == [
            {
                "unit": "commerce", "month": "2026-04-01", "onTime": 1, "late": 1, "notPublished": 1, "pending": 1,
                "excepted": 1, "perMilleOnTime": 333,
            }
        ]  # fmt: skip
    unseen = await office.desk("public", "PUBLIC_QUERY", None, None).ask(FIGURES, asked)
    assert "errors" in unseen


# ---- R7.2 ------------------------------------------------------------------------------------------------------


async def test_r7_2_reviews_do_not_stop_the_clock_and_the_handler_is_reminded(office: Office) -> None:
    office.clock.now = at(2026, 11, 23)
    desk, made = await drafted(office, date(2026, 11, 20))
    case = await took(desk, made["number"], "submitPublicity")
    case = await took(desk.second(), made["number"], "passSecrecyReview", ', opinion: "不涉密"')
    assert (case["state"], case["dueOn"]) == ("CONTENT_REVIEW", "2026-12-01")
    # 27 November is the fifth working day, 1 December the seventh.
    for moment in (at(2026, 11, 26), at(2026, 11, 27), at(2026, 11, 27), at(2026, 12, 1)):
        await keep_time(office.database.writer, registry().machines, automatic(), moment)
    rows = await office.rows(
        "SELECT e.payload->>'working_days' AS left FROM case_event e JOIN case_file c USING (case_id)"
        " WHERE c.number = $1 AND e.transition = 'deadline_near' ORDER BY event_id",
        made["number"],
    )
    assert [row["left"] for row in rows] == ["2", "0"]


async def test_r7_2_the_working_days_left_are_those_of_the_calendar_of_the_case_on_any_day(
    office: Office,
) -> None:
    office.clock.now = at(2026, 11, 23)
    desk, made = await drafted(office, date(2026, 11, 20))
    # A day off of the province, a working Sunday of the town.
    own = [("630000", date(2026, 12, 4), False), ("630100", date(2026, 11, 29), True)]
    for region, day, worked in own:
        await office.rows("INSERT INTO working_day VALUES ($1, $2, $3, '试验通知')", region, day, worked)
    rows = await office.rows("SELECT region_code, day, is_workday FROM working_day")
    query = "query D($n: String!) { case(number: $n) { workingDaysLeft } }"

    async def left(region: str | None, due: date | None) -> int | None:
        change = "UPDATE case_file SET region_code = $2, due_on = $3 WHERE number = $1"
        await office.rows(change, made["number"], region, due)
        found: int | None = (await desk.done(query, {"n": made["number"]}))["case"]["workingDaysLeft"]
        return found

    try:
        assert await left("630103", date(2026, 12, 1)) == 7
        for region in ("630103", "630100", "632801", None):
            calendar = calendar_of([tuple(row) for row in rows], region)
            # Passed; today; over a year's end and a Spring Festival that no notice fixes yet.
            for due in (date(2026, 9, 1), date(2026, 11, 23), date(2026, 12, 5), date(2027, 3, 1)):
                assert await left(region, due) == calendar.between(date(2026, 11, 23), due), (region, due)
        # On the Saturday after it, no working day later, it has passed all the same.
        office.clock.now = at(2026, 11, 28)
        assert [await left("632801", date(2026, 11, day)) for day in (26, 27, 28, 30)] == [-1, -1, 0, 1]
        office.clock.now = at(2026, 11, 23)
        assert await left("630103", None) is None
        assert await left("630103", date(2027, 11, 25)) is None
    finally:
        await office.rows("DELETE FROM working_day WHERE region_code <> 'CN'")


async def test_r7_2_both_reviews_are_a_second_persons(office: Office) -> None:
    desk, made = await drafted(office, date(2026, 11, 20))
    number = made["number"]
    assert await refusal(desk, number, "publishDecision") == "TRANSITION_NOT_ALLOWED"
    await took(desk, number, "submitPublicity")
    assert await refusal(desk, number, "passSecrecyReview", ', opinion: "x"') == "SECOND_PERSON_NEEDED"
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    assert await refusal(desk, number, "approvePublicity", ', opinion: "x"') == "SECOND_PERSON_NEEDED"
    case = await took(desk.second("third"), number, "approvePublicity", ', opinion: "无误"')
    assert (case["secrecyReview"]["officer"], case["contentReview"]["officer"]) == ("second-officer", "third")
    back = await took(desk.second(), number, "returnPublicity", ', reason: "改标题"')
    assert (back["state"], back["secrecyReview"], back["contentReview"]) == ("DRAFT", None, None)


@pytest.mark.parametrize(
    ("authority", "refused"),
    [
        (" ", "BAD_USER_INPUT"),
        ("青" * 201, "BAD_USER_INPUT"),
        ("青海省商务厅（联系人马某13909710000）", "PERSONAL_DATA_IN_TEXT"),
        ("西宁市未成年人救助保护中心", None),
    ],
)
async def test_r7_3_the_authority_is_named_and_its_name_tells_of_no_person(
    office: Office, authority: str, refused: str | None
) -> None:
    """The name goes to every channel with the decision."""
    given = {"code": await office.subject(), "kind": "LICENSE", "on": "2026-11-20", "text": "准予"}
    told = await office.desk().ask(DRAFT, {**given, "authority": authority})
    if refused is None:
        assert told["data"]["draftPublicity"]["state"] == "DRAFT"
    else:
        error = told["errors"][0]["extensions"]
        assert error.get("reason", error["code"]) == refused


@pytest.mark.parametrize(
    "spelled",
    ["Zhang.San", "zhang.san", "ｚｈａｎｇ.san", "zhang. san"],
)
async def test_r7_2_who_is_spelled_otherwise_is_no_second_person(office: Office, spelled: str) -> None:
    """One person may have two tokens: many issuers repeat the name as it was typed at the log-in."""
    desk = office.desk().second("zhang.san")
    given = {
        "code": await office.subject(),
        "kind": "PENALTY",
        "on": "2026-11-20",
        "text": TEXT,
        "kinds": ["罚款"],
    }
    number = (await desk.done(DRAFT, given))["draftPublicity"]["number"]
    await took(desk, number, "submitPublicity")
    again = desk.second(spelled)
    assert await refusal(again, number, "passSecrecyReview", ', opinion: "不涉密"') == "SECOND_PERSON_NEEDED"
    await took(desk.second("zhang.shan"), number, "passSecrecyReview", ', opinion: "不涉密"')


@pytest.mark.parametrize("spelled", ["zhang\u200b.san", "ZHANG\u00ad.SAN"])
def test_r7_2_nor_is_who_was_let_in_with_a_mark_that_nobody_sees(spelled: str) -> None:
    """No token names an officer so any more; cases that were begun before may."""
    assert Actor(partner="commerce", officer=spelled).is_officer("zhang.san")


@pytest.mark.parametrize("opinion", [" ", "\\u3000", "\\u200b", "\\u202e \\n"])
async def test_r7_2_an_opinion_in_which_nothing_can_be_read_is_none(office: Office, opinion: str) -> None:
    desk, made = await drafted(office, date(2026, 11, 20))
    await took(desk, made["number"], "submitPublicity")
    given = f', opinion: "{opinion}"'
    assert await refusal(desk.second(), made["number"], "passSecrecyReview", given) == "INPUT_MISSING"


async def test_r7_1_what_was_entered_wrong_of_a_decision_is_told_anew_in_its_draft(office: Office) -> None:
    """It is drafted once: a second draft is refused, and to withdraw the first would end the department's record of it."""
    desk, made = await drafted(office, date(2026, 11, 20), kinds=["警告"])
    words = f', title: "行政处罚决定", text: "{TEXT}"'
    read = "query R($n: String!) { case(number: $n) { ... on PublicityCase { seriousness proposedExceptions } } }"

    async def told() -> Any:
        return (await desk.done(read, {"n": made["number"]}))["case"]

    before = await told()
    assert before == {"seriousness": "MINOR", "proposedExceptions": ["WARNING_ONLY"]}
    # Of words alone nothing else changes.
    await took(desk, made["number"], "revisePublicity", words)
    assert await told() == before
    assert (
        await refusal(desk, made["number"], "revisePublicity", f"{words}, simpleProcedure: true")
        == "BAD_USER_INPUT"
    )
    given = f'{words}, penaltyKinds: ["罚款"], simpleProcedure: false, validTo: "2027-11-20"'
    await took(desk, made["number"], "revisePublicity", given)
    assert await told() == {"seriousness": "GENERAL", "proposedExceptions": []}
    (row,) = await office.rows(
        "SELECT details->>'valid_to' AS valid_to FROM case_file WHERE number = $1", made["number"]
    )
    assert row["valid_to"] == "2027-11-20"
    await reviewed(desk, made["number"])
    # No more once it was reviewed, but by giving it back.
    assert await refusal(desk, made["number"], "revisePublicity", given) == "TRANSITION_NOT_ALLOWED"


async def test_d38_the_subject_is_told_the_result_and_not_how_it_came_about(office: Office) -> None:
    office.clock.now = at(2026, 4, 8)
    code, subject = await demo_firm(office), itself(office)
    query = "query Q($n: String!) { case(number: $n) { state ... on PublicityCase { title%s } } }"
    page = "{ cases(mechanism: PUBLICITY) { edges { node { number } } } }"

    async def told(number: str) -> str | None:
        case = (await subject.done(query % "", {"n": number}))["case"]
        edges = (await subject.done(page))["cases"]["edges"]
        assert (case is not None) == (number in [one["node"]["number"] for one in edges])
        return case and str(case["state"])

    desk, made = await drafted(office, date(2026, 4, 7), code=code)
    number = made["number"]
    assert await told(number) is None
    for who, field, arguments in (
        (desk, "submitPublicity", ""),
        (desk.second(), "passSecrecyReview", ', opinion: "无涉密"'),
        (desk.second("third"), "approvePublicity", ', opinion: "同意"'),
    ):
        await took(who, number, field, arguments)
        assert await told(number) is None
    await took(desk, number, "publishDecision")
    assert await told(number) == "PUBLISHED"
    for internal in (
        "draftedBy", "proposedExceptions", "findings { kind }", "secrecyReview { opinion }", "contentReview { officer }",
    ):  # fmt: skip
        assert "errors" in await subject.ask(query % f" {internal}", {"n": number}), internal
    desk, made = await drafted(office, date(2026, 4, 8), code=code)
    await took(
        desk.second(), made["number"], "exceptPublicity",
        ', ground: TRADE_SECRET, basis: "政府信息公开条例第15条", documentNumber: "青商审〔2026〕3号"',
    )  # fmt: skip
    assert await told(made["number"]) == "EXCEPTED"


# ---- R7.3 ------------------------------------------------------------------------------------------------------


async def test_r7_3_a_resident_id_in_the_text_blocks_publication_until_a_person_clears_it(
    office: Office,
) -> None:
    desk, made = await drafted(office, date(2026, 11, 20), text=NUMBERED)
    number, (found,) = made["number"], made["findings"]
    assert found["kind"] == "RESIDENT_ID"
    assert "19900307" not in found["sample"]
    await took(desk, number, "submitPublicity")
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    approve = ', opinion: "无误"'
    assert await refusal(desk.second(), number, "approvePublicity", approve) == "FINDINGS_NOT_CLEARED"
    clear = f', finding: "{found["key"]}", reason: "虚构示例号码"'
    assert await refusal(desk, number, "clearPublicityFinding", clear) == "SECOND_PERSON_NEEDED"
    case = await took(desk.second(), number, "clearPublicityFinding", clear)
    assert case["findings"][0]["clearedBy"] == "second-officer"
    await took(desk.second(), number, "approvePublicity", approve)
    assert (await took(desk, number, "publishDecision"))["state"] == "PUBLISHED"


async def test_r7_3_a_text_with_findings_is_its_units_alone_until_they_are_cleared(office: Office) -> None:
    """D3: what the redactor found is told masked; the words around it are not handed to auditors or to the subject."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    desk, made = await drafted(office, date(2026, 11, 20), text=NUMBERED, code=DEMO_SUBJECT)
    number, (found,) = made["number"], made["findings"]
    query = """query Q($n: String!) { case(number: $n) { ... on PublicityCase { title text findings { sample } } } }"""
    auditor = office.desk("auditor", "AUDIT", "SJ-1", None)
    # To the subject a draft does not exist.
    own = "query Q($n: String!) { case(number: $n) { ... on PublicityCase { text } } }"
    subject = office.desk("subject", "SELF_QUERY", None, None)
    assert await subject.done(own, {"n": number}) == {"case": None}

    async def told(one: Desk, **headers: str) -> tuple[str | None, str | None]:
        case = (await one.done(query, {"n": number}, **headers))["case"]
        assert case["findings"] == [{"sample": found["sample"]}]
        return case["title"], case["text"]

    assert await told(auditor) == (None, None)
    assert await told(auditor, Hub_View_As="commerce/ONGOING_SUPERVISION") == (None, None)
    assert await told(desk.second()) == ("行政处罚决定", NUMBERED)
    await took(desk, number, "submitPublicity")
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    await took(
        desk.second(), number, "clearPublicityFinding", f', finding: "{found["key"]}", reason: "虚构示例号码"'
    )
    assert await told(auditor) == ("行政处罚决定", NUMBERED)


async def test_r7_3_a_clearance_does_not_hold_for_other_words(office: Office) -> None:
    desk, made = await drafted(office, date(2026, 11, 20), text=NUMBERED)
    number, (found,) = made["number"], made["findings"]
    await took(desk, number, "submitPublicity")
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    await took(desk.second(), number, "clearPublicityFinding", f', finding: "{found["key"]}", reason: "示例"')
    await took(desk.second(), number, "returnPublicity", ', reason: "删去号码"')
    case = await took(desk, number, "revisePublicity", f', title: "行政处罚决定", text: "{NUMBERED}"')
    assert [one["clearedBy"] for one in case["findings"]] == [None]
    assert (await took(desk, number, "revisePublicity", f', title: "行政处罚决定", text: "{TEXT}"'))[
        "findings"
    ] == []


async def test_r7_3_an_exception_is_a_recorded_decision_and_a_proposed_one_must_be_decided(
    office: Office,
) -> None:
    desk, made = await drafted(office, date(2026, 11, 20), kinds=["警告"], simple=True)
    number = made["number"]
    assert made["proposedExceptions"] == ["SIMPLE_PROCEDURE", "WARNING_ONLY"]
    await took(desk, number, "submitPublicity")
    await took(desk.second(), number, "passSecrecyReview", ', opinion: "不涉密"')
    assert await refusal(desk.second(), number, "approvePublicity", ', opinion: "x"') == "EXCEPTION_PROPOSED"
    decide = ', ground: WARNING_ONLY, basis: "令第36号", documentNumber: "青商审〔2026〕1号"'
    assert await refusal(desk, number, "exceptPublicity", decide) == "SECOND_PERSON_NEEDED"
    case = await took(desk.second(), number, "exceptPublicity", decide)
    assert (case["state"], case["dueOn"], case["deliveries"]) == ("EXCEPTED", None, [])
    assert case["exception"] == {
        "ground": "WARNING_ONLY", "basis": "令第36号", "documentNumber": "青商审〔2026〕1号", "decidedOn": "2026-11-23",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "ground"),
    [("PENALTY", "NATURAL_PERSON"), ("LICENSE", "SIMPLE_PROCEDURE"), ("LICENSE", "WARNING_ONLY")],
)
async def test_r7_3_a_ground_that_is_not_the_decisions_keeps_nothing_from_the_public(
    office: Office, kind: str, ground: str
) -> None:
    """Of a firm nothing is a penalty of a natural person, and no licence is a penalty: it counts as not published."""
    desk, made = await drafted(office, date(2026, 11, 20), kind=kind)
    decide = f', ground: {ground}, basis: "x", documentNumber: "青商审〔2026〕4号"'
    assert await refusal(desk.second(), made["number"], "exceptPublicity", decide) == "GROUND_DOES_NOT_FIT"


@pytest.mark.parametrize("ground", ["STATE_SECRET", "TRADE_SECRET", "MINOR_PERSON"])
async def test_r7_3_what_may_not_be_told_today_is_not_told_of_an_old_decision_either(
    office: Office, ground: str
) -> None:
    """A licence of before the policy that still holds: the law of the day on which it would be published decides."""
    desk, made = await drafted(office, date(2018, 12, 3), kind="LICENSE")
    await took(desk, made["number"], "submitPublicity")
    decide = f', ground: {ground}, basis: "政府信息公开条例第14条", documentNumber: "青商审〔2026〕2号"'
    case = await took(desk.second(), made["number"], "exceptPublicity", decide)
    assert (case["state"], case["exception"]["ground"]) == ("EXCEPTED", ground)


# ---- R7.4 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ended", "late"), [("2026-11-18", 0), ("2026-11-17", 1)])
async def test_r7_4_what_was_revoked_is_withdrawn_within_three_working_days_with_a_public_reason(
    office: Office, ended: str, late: int
) -> None:
    desk, number, _ = await published(office, date(2026, 11, 12))
    given = f', ground: REVOKED, endedOn: "{ended}", documentNumber: "青商撤〔2026〕1号"'
    no = await refusal(desk, number, "withdrawPublicity", given + f', reason: "{NUMBERED}"')
    assert no == "REASON_NOT_PUBLISHABLE"
    case = await took(desk, number, "withdrawPublicity", given + ', reason: "经复议撤销"')
    assert (case["state"], case["withdrawal"]["late"], case["withdrawal"]["reason"]) == (
        "WITHDRAWN",
        late,
        "经复议撤销",
    )
    rows = await office.rows(
        "SELECT channel, payload->'document'->>'reason' AS reason FROM delivery_out JOIN case_file c USING (case_id)"
        " WHERE c.number = $1 AND payload->>'action' = 'WITHDRAW'",
        number,
    )
    assert {row["channel"]: row["reason"] for row in rows} == dict.fromkeys(Channel, "经复议撤销")
    assert [one["action"] for one in case["deliveries"]] == ["PUBLISH"] * 4 + ["WITHDRAW"] * 4


async def test_a_reason_that_is_too_long_to_be_screened_is_refused(office: Office) -> None:
    desk, number, _ = await published(office, date(2026, 5, 11))
    asked = """mutation W($n: String!, $why: String!) { withdrawPublicity(number: $n, ground: REVOKED, endedOn: "2026-10-20",
      documentNumber: "复1号", reason: $why) { state } }"""
    assert (await desk.refused(asked, {"n": number, "why": "长" * 30_000}))["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(("decided", "missing"), [((2026, 10, 12), 0), ((2026, 9, 30), 1)])
async def test_r7_4_what_was_revoked_before_it_was_shown_is_shown_no_more_and_is_missing_only_if_it_was_due(
    office: Office, decided: tuple[int, int, int], missing: int
) -> None:
    """Revoked on 20 October: within the seven working days after the 12th, and after those after 30 September."""
    day = date(*decided)
    office.clock.now = at(2026, 10, 20)
    desk, made = await drafted(office, day)
    number = made["number"]
    await reviewed(desk, number)
    given = ', ground: REVOKED, endedOn: "2026-10-20", documentNumber: "复1号", reason: "经复议撤销"'
    assert await refusal(desk, number, "withdrawPublicity", given) == "SECOND_PERSON_NEEDED"
    case = await took(desk.second(), number, "withdrawPublicity", given)
    assert (case["state"], case["dueOn"], case["withdrawal"]["late"], case["deliveries"]) == (
        "WITHDRAWN",
        None,
        0,
        [],
    )
    assert await refusal(desk, number, "publishDecision") == "TRANSITION_NOT_ALLOWED"
    office.clock.now = at(2026, 11, 23)
    asked = {"from": str(day), "to": str(day)}
    told = (await office.desk("commerce", "STATISTICS", "SW-TJ", None).done(FIGURES, asked))[
        "publicityTimeliness"
    ]
    assert sum(one["notPublished"] for one in told) == missing


@pytest.mark.parametrize(("taken", "counted"), [(False, 0), (True, 1)])
async def test_r7_4_of_what_was_revoked_in_time_on_its_way_to_the_sites_no_publication_is_missing(
    office: Office, taken: bool, counted: int
) -> None:
    """Decided and published on a day in July, while the sites are down, or not; revoked on the next."""
    day = date(2026, 7, 13 + counted)
    office.clock.now = at(2026, 7, 13 + counted)
    desk, number, _ = await published(office, day)
    if taken:
        await delivered(office)
    office.clock.now += timedelta(days=1)
    given = (
        f', ground: REVOKED, endedOn: "{day + timedelta(days=1)}", documentNumber: "复1号", reason: "撤销"'
    )
    await took(desk, number, "withdrawPublicity", given)
    office.clock.now = at(2026, 8, 20)
    asked = {"from": str(day), "to": str(day)}
    statistics = office.desk("commerce", "STATISTICS", "SW-TJ", None)
    told = (await statistics.done(FIGURES, asked))["publicityTimeliness"]
    assert [(one["onTime"], one["notPublished"]) for one in told] == [(1, 0)] * counted


@pytest.mark.parametrize(
    ("ended", "limit", "before", "after"),
    [
        ("2026-11-18", "2026-11-23", at(2026, 11, 23, 23), at(2026, 11, 24, 8)),
        # Withdrawn on the fourth day: it is overdue as soon as it is handed in.
        ("2026-11-17", "2026-11-20", None, at(2026, 11, 23)),
    ],
)
async def test_r7_4_the_alarm_counts_from_the_end_of_the_decision_not_from_the_officers_step(
    office: Office, ended: str, limit: str, before: datetime | None, after: datetime
) -> None:
    desk, number, _ = await published(office, date(2026, 11, 12))
    await office.rows("UPDATE delivery_out SET state = 'ACKNOWLEDGED'")
    given = (
        f', ground: REVOKED, endedOn: "{ended}", documentNumber: "青商撤〔2026〕1号", reason: "经复议撤销"'
    )
    case = await took(desk, number, "withdrawPublicity", given)
    assert case["withdrawal"]["withdrawBy"] == limit
    if before is not None:
        assert await raise_alarms(office.database.writer, before) == Alarms([], [])
    alarms = (await raise_alarms(office.database.writer, after)).raised
    assert {(one.rule, one.priority, str(one.limit)) for one in alarms} == {("R7.4", 1, limit)}
    assert len(alarms) == len(Channel)


# ---- R7.5, R7.6 ------------------------------------------------------------------------------------------------


async def test_r7_5_the_period_has_begin_earliest_and_latest_end_and_rules_and_ends_by_itself(
    office: Office,
) -> None:
    office.clock.now = at(2026, 5, 12)
    desk, number, case = await published(office, date(2026, 5, 10))
    assert case["period"] == {
        "begins": "2026-05-12", "earliestEnd": "2026-08-10", "latestEnd": "2027-05-10", "ruleset": "REPAIR-36",
    }  # fmt: skip
    for moment, state in ((at(2027, 5, 10, 23), "PUBLISHED"), (at(2027, 5, 11), "ENDED_PERIOD")):
        await keep_time(office.database.writer, registry().machines, automatic(), moment)
        rows = await office.rows("SELECT state FROM case_file WHERE number = $1", number)
        assert rows[0]["state"] == state
    desk, number, _ = await published(office, date(2026, 5, 11))
    assert (await took(desk, number, "suspendPublicity", ', reason: "复议期间"'))["state"] == "SUSPENDED"
    # Why is not the channels': nobody has screened it.
    rows = await office.rows(
        "SELECT DISTINCT payload->'document'->>'reason' AS why FROM delivery_out JOIN case_file USING (case_id)"
        " WHERE number = $1 AND action = 'EXIT'",
        number,
    )
    assert [row["why"] for row in rows] == ["SUSPENDED"]
    assert (await took(desk, number, "resumePublicity"))["state"] == "PUBLISHED"
    ended = await took(desk, number, "endPublicityByRepair", ', documentNumber: "青信修〔2026〕1号"')
    assert (ended["state"], ended["endedReason"]) == ("ENDED_REPAIR", "REPAIRED")
    # Shown, suspended, shown again, repaired.
    asked = [one["action"] for one in ended["deliveries"] if one["channel"] == "OWN_SITE"]
    assert asked == ["PUBLISH", "EXIT", "PUBLISH", "EXIT"]


async def test_r7_1_what_is_due_first_is_listed_first_page_by_page_and_nothing_that_is_closed(
    office: Office,
) -> None:
    """Opened in another order than they are due; three are due on one day."""
    office.clock.now = at(2026, 11, 12)
    desk, due = office.desk(), {}
    for day in (12, 9, 11, 10, 9, 9, 12):
        _, made = await drafted(office, date(2026, 11, day))
        due[made["number"]] = made["dueOn"]
    closed = made["number"]
    # A commitment that was fulfilled keeps the last day of its validity.
    await office.rows("UPDATE case_file SET closed_at = now() WHERE number = $1", closed)
    page = """query P($by: Date, $after: String) { cases(mechanism: PUBLICITY, dueBy: $by, first: 2, after: $after) {
      edges { cursor node { number dueOn } } pageInfo { hasNextPage endCursor } } }"""

    async def pages(by: str | None) -> list[Any]:
        found: list[Any] = []
        told: Any = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
        while told["pageInfo"]["hasNextPage"]:
            given = {"by": by, "after": told["pageInfo"]["endCursor"]}
            told = (await desk.done(page, given))["cases"]
            found += told["edges"]
        return found

    listed = [one for one in await pages("2026-11-21") if one["node"]["number"] in due]
    days = [one["node"]["dueOn"] for one in listed]
    assert days == sorted(day for number, day in due.items() if number != closed and day <= "2026-11-21")
    assert len({one["node"]["number"] for one in listed}) == len(listed) == 5
    assert closed in {one["node"]["number"] for one in await pages(None)}
    # Another page's cursor is no place in this one.
    refused = await desk.refused(page, {"by": "2026-11-20", "after": listed[0]["cursor"]})
    assert refused["code"] == "BAD_USER_INPUT"


async def pushed(office: Office, number: str) -> list[str]:
    """What one channel was told of a case, in order."""
    rows = await office.rows(
        "SELECT d.payload->>'action' AS action FROM delivery_out d JOIN case_file USING (case_id)"
        " WHERE number = $1 AND channel = 'CREDIT_QINGHAI' ORDER BY delivery_id",
        number,
    )
    return [row["action"] for row in rows]


@pytest.mark.parametrize(
    ("decided", "more"),
    [
        (date(2025, 11, 20), {}),
        (date(2025, 1, 6), {"kind": "LICENSE", "kinds": None, "until": "2026-11-20"}),
    ],
)
async def test_r7_5_after_its_last_day_nothing_is_published_nor_shown_again(
    office: Office, decided: date, more: dict[str, Any]
) -> None:
    late, made = await drafted(office, decided, **more)
    await reviewed(late, made["number"])
    office.clock.now = at(2026, 11, 20, 23)
    desk, shown = await drafted(office, decided, **more)
    await reviewed(desk, shown["number"])
    case = await took(desk, shown["number"], "publishDecision")
    assert case["period"]["latestEnd"] == "2026-11-20"
    await took(desk, shown["number"], "suspendPublicity", ', reason: "复议期间"')
    office.clock.now = at(2026, 11, 21, 8)
    assert await refusal(late, made["number"], "publishDecision") == "PUBLICITY_OVER"
    assert await refusal(desk, shown["number"], "resumePublicity") == "PUBLICITY_OVER"
    assert (await pushed(office, made["number"]), await pushed(office, shown["number"])) == (
        [],
        ["PUBLISH", "EXIT"],
    )


@pytest.mark.parametrize("state", ["DRAFT", "SECRECY_REVIEW", "CONTENT_REVIEW", "APPROVED"])
async def test_r7_5_what_was_never_shown_ends_when_its_period_is_over(office: Office, state: str) -> None:
    desk, made = await drafted(office, date(2025, 11, 20))
    _, running = await drafted(office, date(2025, 11, 21))
    _, without = await drafted(office, date(2025, 1, 6), kind="LICENSE", kinds=None)
    await reviewed(desk, made["number"])
    await office.rows("UPDATE case_file SET state = $2 WHERE number = $1", made["number"], state)
    pool, machines = office.database.writer, registry().machines
    await end_unshown(pool, machines, at(2026, 11, 20, 23))
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", made["number"])
    assert row["state"] == state
    # Others are what other tests left.
    assert await end_unshown(pool, machines, at(2026, 11, 21)) >= 1
    assert await end_unshown(pool, machines, at(2026, 11, 21)) == 0
    rows = await office.rows(
        "SELECT number, state, due_on, closed_at, details->>'ended_reason' AS reason FROM case_file"
        " WHERE number = ANY($1)",
        [made["number"], running["number"], without["number"]],
    )
    told = {row["number"]: (row["state"], row["closed_at"] is not None, row["reason"]) for row in rows}
    assert told == {
        made["number"]: ("ENDED_PERIOD", True, "PERIOD_OVER"),
        running["number"]: ("DRAFT", False, None),
        without["number"]: ("DRAFT", False, None),
    }
    assert await pushed(office, made["number"]) == []
    # It was not published, and the figures go on saying so.
    span = {"from": "2025-11-20", "to": "2025-11-20"}
    (figures,) = (await office.desk(purpose="ONGOING_SUPERVISION").done(FIGURES, span))["publicityTimeliness"]
    assert figures["notPublished"] >= 1


async def test_r7_6_all_four_channels_get_it_and_each_delivery_stands_until_acknowledged(
    office: Office,
) -> None:
    await office.rows("UPDATE delivery_out SET state = 'FAILED' WHERE state <> 'ACKNOWLEDGED'")
    desk, number, case = await published(office, date(2026, 11, 19))
    assert [one["channel"] for one in case["deliveries"]] == list(Channel)
    assert {one["state"] for one in case["deliveries"]} == {"PENDING"}
    office.clock.now += timedelta(minutes=1)
    await delivered(office)
    query = f"query Q($number: String!) {{ case(number: $number) {{ ... on PublicityCase {{ {SHOWN} }} }} }}"
    case = (await desk.done(query, {"number": number}))["case"]
    assert {one["state"] for one in case["deliveries"]} == {"ACKNOWLEDGED"}
    assert all(one["receiptNumber"] for one in case["deliveries"])


async def test_r7_1_a_case_of_publicity_does_not_exist_for_who_has_no_part_in_it(office: Office) -> None:
    _, made = await drafted(office, date(2026, 11, 20))
    query = "query Q($number: String!) { case(number: $number) { number } }"
    other = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert (await other.done(query, {"number": made["number"]}))["case"] is None


# ---- acceptance ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["630102199003074514", "６３０１０２ 19900307 4514"])
async def test_acceptance_17_facts_with_a_resident_id_are_not_published_until_the_finding_is_cleared(
    office: Office, number: str
) -> None:
    facts = f"当事人马某(公民身份号码{number})自2026年3月起无证经营成品油。" + TEXT
    desk, made = await drafted(office, date(2026, 11, 20), text=facts)
    case, (found,) = made["number"], made["findings"]
    assert (found["kind"], found["clearedBy"]) == ("RESIDENT_ID", None)
    assert "0307" not in found["sample"]
    await took(desk, case, "submitPublicity")
    await took(desk.second(), case, "passSecrecyReview", ', opinion: "不涉密"')
    for field, officer in (("approvePublicity", desk.second()), ("publishDecision", desk)):
        arguments = ', opinion: "无误"' if field == "approvePublicity" else ""
        assert await refusal(officer, case, field, arguments) in (
            "FINDINGS_NOT_CLEARED",
            "TRANSITION_NOT_ALLOWED",
        )
    rows = await office.rows(
        "SELECT FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1", case
    )
    assert rows == []
    await took(
        desk.second(), case, "clearPublicityFinding", f', finding: "{found["key"]}", reason: "虚构示例号码"'
    )
    await took(desk.second(), case, "approvePublicity", ', opinion: "无误"')
    assert (await took(desk, case, "publishDecision"))["state"] == "PUBLISHED"


async def test_acceptance_17_the_number_taken_out_the_text_is_published(office: Office) -> None:
    desk, made = await drafted(office, date(2026, 11, 20), text=NUMBERED)
    revised = await took(desk, made["number"], "revisePublicity", f', title: "行政处罚决定", text: "{TEXT}"')
    assert revised["findings"] == []
    await reviewed(desk, made["number"])
    assert (await took(desk, made["number"], "publishDecision"))["state"] == "PUBLISHED"
