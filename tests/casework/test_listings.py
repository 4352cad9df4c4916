"""Lists (article 八): R8.1 to R8.5, over HTTP, from proposal to exit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.contract import SHANGHAI
from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.alarms import raise_alarms
from hub.casework.delivery.channels import Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.listings import commands
from hub.casework.listings.details import Definition, standing
from hub.casework.listings.rechecks import suspend_spoilt
from hub.casework.registry import registry
from hub.rules.listing import load_list_rules
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.dispatch import duties, sites
from tests.casework.promises import demo_firm

PROPOSE = """
mutation P($code: USCC!, $list: String!, $ground: BlackListGround) {
  proposeListing(subject: $code, listCode: $list, cause: "组织外派劳务未缴存备用金", ground: $ground) {
    id number state mechanism ruleset definition { code color legalBasis basisLevel } entry { state }
  }
}
"""
NOTIFY = """
mutation N($n: String!, $told: Boolean!) {
  notifyListing(number: $n, documentNumber: "青商告〔2026〕1号", facts: "事实", reasons: "理由", basis: "第39条",
    measures: "限制申请财政性资金", rightToDefend: $told) { state notice { documentNumber measures servedOn } }
}
"""
SERVE = (
    "mutation S($n: String!, $on: Date!) { serveListingNotice(number: $n, servedOn: $on) { state dueOn } }"
)
RECOGNIZE = """
mutation R($n: String!, $repair: String, $answer: String) {
  recognizeListing(number: $n, documentNumber: "青商认〔2026〕1号", repairNoticeNumber: $repair, defenceAnswer: $answer) {
    state dueOn earliestRepairOn publicityEndsOn recognition { documentNumber repairNoticeNumber recognizedOn }
    entry { state }
  }
}
"""
PUBLISH = """
mutation U($n: String!) { publishListing(number: $n) { state dueOn publishedOn publishedLate entry { id state color } } }
"""
REVOKE = 'mutation V($n: String!) { revokeListing(number: $n, reason: "判决撤销", documentNumber: "判1号") { state exitReason exitedOn } }'
RECHECK = "mutation { recheckLists { outcome case { number mechanism state } } }"
ENTRIES = "query E($c: String!) { subject(value: $c) { listEntries { id color state } } }"
GROUND = "REFUSAL_OF_DUTIES"
LISTS = {
    "L-BLACK": ("BLACK", "REGULATION", 12, 36),
    "L-WATCH": ("WATCH", "RULE", None, 24),
    "L-RED": ("RED", "POLICY", None, 12),
    "L-LOW": ("BLACK", "RULE", 12, 36),
    "L-BARE": ("BLACK", "LAW", 12, 36),
    "L-OLD": ("BLACK", "LAW", 12, 36),
    "L-OTHER": ("BLACK", "LAW", 12, 36),
    "L-LONG": ("WATCH", "RULE", None, 60),
    "L-OPEN": ("WATCH", "RULE", None, None),
    "L-CAUSELESS": ("WATCH", "RULE", None, 24),
    "L-IDLE": ("WATCH", "RULE", None, 24),
}
UNLIKE: dict[str, dict[str, Any]] = {
    "L-BARE": {"legal_basis": " "},
    "L-OLD": {"effective_to": date(2026, 1, 1)},
    "L-OTHER": {"recognizer_name": "青海省财政厅"},
    "L-CAUSELESS": {"criteria": None},
    "L-IDLE": {"measures": " "},
}


async def _lists(office: Office) -> None:
    for code, (color, level, least, most) in LISTS.items():
        months = {"min_publicity_months": least, "max_publicity_months": most}
        await office.defined(code, color, level, **months, **UNLIKE.get(code, {}))


def _desk(office: Office) -> Desk:
    return office.desk(purpose="ONGOING_SUPERVISION", case=None)


def _later(office: Office, days: int) -> None:
    office.clock.now = office.clock.now + timedelta(days=days)


async def _proposed(office: Office, code: str, name: str) -> str:
    await _lists(office)
    ground = GROUND if LISTS[name][0] == "BLACK" else None
    made = await _desk(office).done(PROPOSE, {"code": code, "list": name, "ground": ground})
    number: str = made["proposeListing"]["number"]
    return number


async def _served(office: Office, code: str, name: str) -> str:
    number = await _proposed(office, code, name)
    await _desk(office).done(NOTIFY, {"n": number, "told": True})
    await _desk(office).done(SERVE, {"n": number, "on": _today(office)})
    return number


def _today(office: Office) -> str:
    return str(office.clock.now.astimezone(SHANGHAI).date())


async def _published(office: Office, code: str, name: str) -> tuple[str, str]:
    """A published place, on the 14th day; its number and the opaque id of its entry."""
    number = await _served(office, code, name)
    _later(office, 14)
    await _desk(office).done(RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    made = (await _desk(office).done(PUBLISH, {"n": number}))["publishListing"]
    assert made["state"] == "PUBLISHED"
    return number, made["entry"]["id"]


async def _deliveries(office: Office, number: str) -> list[tuple[str, str]]:
    rows = await office.rows(
        "SELECT d.channel, d.payload->>'action' AS action FROM delivery_out d JOIN case_file USING (case_id)"
        " WHERE number = $1 ORDER BY delivery_id",
        number,
    )
    return [(row["channel"], row["action"]) for row in rows]


async def _entries(desk: Desk, code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.done(ENTRIES, {"c": code}))["subject"]["listEntries"]
    return found


def _public(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


# ---- R8.1 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("L-LOW", "BASIS_LEVEL_TOO_LOW"), ("L-BARE", "NO_LEGAL_BASIS"), ("L-OLD", "LIST_NOT_IN_FORCE"),
        ("L-OTHER", "NOT_OUR_LIST"), ("L-NONE", "LIST_UNKNOWN"), ("L-OPEN", "NO_LONGEST_PUBLICITY"),
        ("L-CAUSELESS", "NO_CRITERIA"), ("L-IDLE", "NO_MEASURES"),
    ],
)  # fmt: skip
async def test_r8_1_no_place_on_a_list_that_does_not_tell_what_it_must(
    office: Office, name: str, reason: str
) -> None:
    await _lists(office)
    code = await office.subject()
    refusal = await _desk(office).refused(PROPOSE, {"code": code, "list": name, "ground": GROUND})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", reason)


@pytest.mark.parametrize("name", ["L-BLACK", "L-WATCH"])
async def test_r8_1_no_office_of_a_prefecture_puts_anybody_on_a_list_of_the_province(
    office: Office, name: str
) -> None:
    await _lists(office)
    code = await office.subject()
    xining = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    refusal = await xining.refused(PROPOSE, {"code": code, "list": name, "ground": GROUND})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", "NOT_OUR_LIST")


async def test_r8_1_a_black_list_needs_one_of_the_four_grounds(office: Office) -> None:
    await _lists(office)
    code = await office.subject()
    refusal = await _desk(office).refused(PROPOSE, {"code": code, "list": "L-BLACK", "ground": None})
    assert refusal["reason"] == "GROUND_MISSING"


def test_r8_1_which_level_suffices_depends_on_the_colour() -> None:
    day = date(2026, 11, 23)
    answers = {
        (color, level): standing(
            Definition("C", "N", color, "青海省商务厅", "basis", level, None, None, date(2019, 7, 5), None),
            day,
        )
        for color in ("RED", "WATCH", "BLACK")
        for level in ("LAW", "REGULATION", "STATE_COUNCIL", "RULE", "POLICY")
    }
    refused = {key for key, answer in answers.items() if answer == "BASIS_LEVEL_TOO_LOW"}
    assert refused == {("BLACK", "RULE"), ("BLACK", "POLICY"), ("WATCH", "POLICY")}


async def test_r8_1_a_place_ends_with_the_longest_of_the_law_whatever_its_definition_says(
    office: Office,
) -> None:
    number = await _served(office, await office.subject(), "L-LONG")
    _later(office, 14)
    made = await _desk(office).done(RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    # Two years on a watch list (listing.toml), from 2026-12-07.
    assert made["recognizeListing"]["publicityEndsOn"] == "2028-12-07"


# ---- R8.2 ------------------------------------------------------------------------------------------------------


async def test_r8_2_proposal_notice_defence_period_decision_publication(office: Office) -> None:
    code = await office.subject()
    number = await _proposed(office, code, "L-BLACK")
    desk = _desk(office)
    assert (await desk.refused(RECOGNIZE, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    told = await desk.refused(NOTIFY, {"n": number, "told": False})
    assert told["reason"] == "RIGHT_TO_DEFEND_NOT_TOLD"
    await desk.done(NOTIFY, {"n": number, "told": True})
    # Neither ahead, nor dated back: the period for defence would be over as soon as it is entered.
    for day in ("2026-11-22", "2026-11-24"):
        assert (await desk.refused(SERVE, {"n": number, "on": day}))["reason"] == "SERVICE_DAY_IMPOSSIBLE"
    served = (await desk.done(SERVE, {"n": number, "on": "2026-11-23"}))["serveListingNotice"]
    # Five working days after Monday the 23rd.
    assert served == {"state": "OBJECTION_PERIOD", "dueOn": "2026-11-30"}
    _later(office, 7)
    early = await desk.refused(RECOGNIZE, {"n": number, "repair": "修1号"})
    assert early["reason"] == "OBJECTION_PERIOD_RUNNING"
    _later(office, 1)
    alone = await desk.refused(RECOGNIZE, {"n": number})
    assert alone["reason"] == "REPAIR_NOTICE_MISSING"
    made = (await desk.done(RECOGNIZE, {"n": number, "repair": "修1号"}))["recognizeListing"]
    assert made["recognition"] == {
        "documentNumber": "青商认〔2026〕1号", "repairNoticeNumber": "修1号", "recognizedOn": "2026-12-01",
    }  # fmt: skip
    # Seven working days; three years; the earliest repair after the list's own twelve months.
    assert (made["dueOn"], made["publicityEndsOn"], made["earliestRepairOn"]) == (
        "2026-12-10", "2029-12-01", "2027-12-02",
    )  # fmt: skip
    assert made["entry"] is None
    assert await _entries(_public(office), code) == []
    published = (await desk.done(PUBLISH, {"n": number}))["publishListing"]
    assert (published["state"], published["dueOn"], published["publishedLate"]) == (
        "PUBLISHED",
        "2029-12-01",
        0,
    )
    assert [one["state"] for one in await _entries(_public(office), code)] == ["PUBLISHED"]


async def test_r8_2_the_hub_itself_can_only_propose(office: Office) -> None:
    """Nothing but an officer's step leads on from a proposal, whatever deadline passes."""
    number = await _served(office, await office.subject(), "L-BLACK")
    later = office.clock.now + timedelta(days=60)
    await keep_time(office.database.writer, registry().machines, automatic(), later)
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", number)
    assert row["state"] == "OBJECTION_PERIOD"
    assert {state for name, state in automatic() if name == "LIST_ENTRY"} == {"PUBLISHED", "SUSPENDED"}


async def test_r8_2_a_defence_must_be_answered_and_may_prevail(office: Office) -> None:
    known = await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT)
    if not known:
        await office.subject(code=DEMO_SUBJECT)
    number = await _served(office, DEMO_SUBJECT, "L-BLACK")
    subject = office.desk("subject", "SELF_QUERY", None, None)
    state = 'mutation D($n: String!) { stateListingDefence(number: $n, statement: "已缴存") { state defences { by statement } } }'
    told = (await subject.done(state, {"n": number}))["stateListingDefence"]
    assert told["defences"] == [{"by": "SUBJECT", "statement": "已缴存"}]
    _later(office, 14)
    refusal = await _desk(office).refused(RECOGNIZE, {"n": number, "repair": "修1号"})
    assert refusal["reason"] == "DEFENCE_UNANSWERED"
    blank = await _desk(office).refused(RECOGNIZE, {"n": number, "repair": "修1号", "answer": "\u3000"})
    assert blank == refusal
    decline = 'mutation X($n: String!) { declineListing(number: $n, reason: "申辩成立") { state closedAt } }'
    assert (await _desk(office).done(decline, {"n": number}))["declineListing"]["state"] == "NOT_RECOGNIZED"
    assert await office.rows("SELECT 1 FROM list_entry WHERE source_record_id = $1", number) == []


@pytest.mark.parametrize("name", ["L-BLACK", "L-WATCH", "L-RED"])
async def test_d38_the_subject_knows_of_a_proposal_from_the_notice_to_it_on(
    office: Office, name: str
) -> None:
    code = await demo_firm(office)
    desk, number = _desk(office), await _proposed(office, code, name)
    query = "query C($n: String!) { case(number: $n) { state ... on ListingCase { cause } } }"
    page = "{ cases(mechanism: LIST_ENTRY) { edges { node { number } } } }"
    decline = 'mutation X($n: String!) { declineListing(number: $n, reason: "线索不实") { state } }'
    defend = 'mutation D($n: String!) { stateListingDefence(number: $n, statement: "已缴存") { state } }'

    async def told(of: str) -> set[bool]:
        """Whether the subject is told of the case, for each purpose and both by its number and on the page."""
        found = set()
        for purpose in ("SELF_QUERY", "OBJECTION_HANDLING", "CREDIT_REPAIR"):
            subject = office.desk("subject", purpose, None, None)
            found.add((await subject.done(query, {"n": of}))["case"] is not None)
            edges = (await subject.done(page))["cases"]["edges"]
            found.add(of in [one["node"]["number"] for one in edges])
        return found

    assert await told(number) == {False}
    itself = office.desk("subject", "SELF_QUERY", None, None)
    assert (await itself.refused(defend, {"n": number}))["code"] == "CASE_UNKNOWN"
    await desk.done(NOTIFY, {"n": number, "told": True})
    # Made out, and not yet served.
    assert await told(number) == {False}
    await desk.done(SERVE, {"n": number, "on": "2026-11-23"})
    assert await told(number) == {True}
    await itself.done(defend, {"n": number})
    await desk.done(decline, {"n": number})
    assert await told(number) == {True}
    dropped = await _proposed(office, code, name)
    await desk.done(decline, {"n": dropped})
    assert await told(dropped) == {False}


async def test_r8_2_proceedings_are_for_their_handler_the_subject_and_auditors(office: Office) -> None:
    number = await _proposed(office, await office.subject(), "L-BLACK")
    query = "query C($n: String!) { case(number: $n) { number ... on ListingCase { cause } } }"
    assert (await office.desk("auditor", "AUDIT", "A-1", None).done(query, {"n": number}))["case"]
    other = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert (await other.done(query, {"n": number}))["case"] is None
    refusal = await _public(office).ask(query, {"n": number})
    assert "errors" in refusal or refusal["data"]["case"] is None


async def test_r8_2_publication_after_the_seventh_working_day_is_told_as_late(office: Office) -> None:
    number = await _served(office, await office.subject(), "L-BLACK")
    _later(office, 8)
    await _desk(office).done(RECOGNIZE, {"n": number, "repair": "修1号"})
    _later(office, 10)
    made = (await _desk(office).done(PUBLISH, {"n": number}))["publishListing"]
    # Due on Thursday 10 December; published on Friday the 11th.
    assert made["publishedLate"] == 1


async def test_r8_2_publication_on_a_rest_day_after_the_limit_is_late(office: Office) -> None:
    number = await _served(office, await office.subject(), "L-BLACK")
    _later(office, 9)
    await _desk(office).done(RECOGNIZE, {"n": number, "repair": "修1号"})
    # Due on Friday 11 December; published on the Saturday after.
    _later(office, 10)
    made = (await _desk(office).done(PUBLISH, {"n": number}))["publishListing"]
    assert (made["publishedOn"], made["publishedLate"]) == ("2026-12-12", 1)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [("effective_to = '2026-11-30'", "LIST_NOT_IN_FORCE"), ("basis_level = 'POLICY'", "BASIS_LEVEL_TOO_LOW")],
)
async def test_r8_1_nobody_is_taken_on_a_list_that_has_ended_since_the_proposal(
    office: Office, changed: str, reason: str
) -> None:
    number = await _served(office, await office.subject(), "L-WATCH")
    _later(office, 9)
    kept = "SET effective_to = NULL, basis_level = 'RULE' WHERE code = 'L-WATCH'"
    given, desk = {"n": number, "repair": "修1号"}, _desk(office)
    try:
        await office.rows(f"UPDATE list_definition SET {changed} WHERE code = 'L-WATCH'")
        assert (await desk.refused(RECOGNIZE, given))["reason"] == reason
        await office.rows(f"UPDATE list_definition {kept}")
        await desk.done(RECOGNIZE, given)
        await office.rows(f"UPDATE list_definition SET {changed} WHERE code = 'L-WATCH'")
        assert (await desk.refused(PUBLISH, {"n": number}))["reason"] == reason
    finally:
        await office.rows(f"UPDATE list_definition {kept}")


async def _ends_on(office: Office, number: str, day: str) -> None:
    await office.rows(
        "UPDATE case_file SET details = jsonb_set(details, '{publicity_ends_on}', to_jsonb($2::text)) WHERE number = $1",
        number,
        day,
    )


async def test_r7_5_after_its_last_day_a_place_is_neither_published_nor_reinstated(office: Office) -> None:
    number = await _served(office, await office.subject(), "L-BLACK")
    _later(office, 8)
    desk = _desk(office)
    await desk.done(RECOGNIZE, {"n": number, "repair": "修1号"})
    await _ends_on(office, number, "2026-11-30")
    assert (await desk.refused(PUBLISH, {"n": number}))["reason"] == "PUBLICITY_OVER"
    await _ends_on(office, number, "2026-12-01")
    assert (await desk.done(PUBLISH, {"n": number}))["publishListing"]["state"] == "PUBLISHED"
    suspend = 'mutation S($n: String!) { suspendListing(number: $n, reason: "重整") { state } }'
    reinstate = 'mutation R($n: String!) { reinstateListing(number: $n, reason: "重整终结") { state } }'
    await desk.done(suspend, {"n": number})
    _later(office, 1)
    assert (await desk.refused(reinstate, {"n": number}))["reason"] == "PUBLICITY_OVER"
    assert [action for _, action in await _deliveries(office, number)] == ["PUBLISH"] * 4 + ["EXIT"] * 4


# ---- R8.3 ------------------------------------------------------------------------------------------------------


async def test_r8_3_who_has_adverse_records_is_not_put_on_a_red_list(office: Office) -> None:
    await _lists(office)
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10))
    refusal = await _desk(office).refused(PROPOSE, {"code": code, "list": "L-RED"})
    assert refusal["reason"] == "GENERAL_ADVERSE_RECORD"
    watched = await office.subject()
    await office.listed(watched, "WATCH")
    assert (await _desk(office).refused(PROPOSE, {"code": watched, "list": "L-RED"}))[
        "reason"
    ] == "ON_A_WATCH_LIST"


async def test_r8_3_of_whom_a_row_waits_in_quarantine_nobody_says_that_nothing_stands_against_it(
    office: Office,
) -> None:
    await _lists(office)
    code, other = await office.subject(), await office.subject()
    doubt = "UPDATE subject SET in_doubt = $2::text::jsonb WHERE uscc = $1"
    red = {"code": code, "list": "L-RED"}
    await office.rows(doubt, code, '{"D6": ["MARKET_REGULATION"]}')
    assert (await _desk(office).refused(PROPOSE, red))["reason"] == "SOURCE_MISSING"
    # What is known against it is told first, and of another firm nothing waits.
    watched = await office.subject()
    await office.listed(watched, "WATCH")
    await office.rows(doubt, watched, '{"D6": ["MARKET_REGULATION"]}')
    refusal = await _desk(office).refused(PROPOSE, {"code": watched, "list": "L-RED"})
    assert refusal["reason"] == "ON_A_WATCH_LIST"
    assert (await _desk(office).done(PROPOSE, {"code": other, "list": "L-RED"}))["proposeListing"]
    # A source that could say nothing against it waits in vain, and a place on a black list needs no clean record.
    await office.rows(doubt, code, '{"D24": ["ASSOCIATION"]}')
    number = await _served(office, code, "L-RED")
    await office.rows(doubt, code, '{"D18": ["TAX"]}')
    _later(office, 10)
    given = {"n": number, "answer": None, "repair": None}
    assert (await _desk(office).second().refused(RECOGNIZE, given))["reason"] == "SOURCE_MISSING"
    await office.rows(doubt, code, None)
    done = await _desk(office).second().done(RECOGNIZE, given)
    assert done["recognizeListing"]["state"] == "RECOGNIZED"


async def test_r8_3_while_a_source_does_not_answer_nobody_is_proposed_for_a_red_list(office: Office) -> None:
    await _lists(office)
    code = await office.subject()
    red = {"code": code, "list": "L-RED"}
    try:
        await office.sources("UNAVAILABLE", ["MARKET_REGULATION"])
        await office.noticed("MARKET_REGULATION", "UNAVAILABLE")
        assert (await _desk(office).refused(PROPOSE, red))["reason"] == "SOURCE_MISSING"
        assert (await _desk(office).done(PROPOSE, {**red, "list": "L-BLACK", "ground": GROUND}))[
            "proposeListing"
        ]
    finally:
        await office.sources()
        await office.noticed("MARKET_REGULATION", "OK")


async def test_r8_3_what_stands_against_a_red_place_is_told_by_the_dated_row(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _lists(office)
    code = await office.subject()
    await office.adverse(code, date(2026, 5, 10))
    rules = load_list_rules()

    def ruled(**row: Any) -> None:
        changed = replace(rules, red=(replace(rules.red[0], **row),))
        monkeypatch.setattr(commands, "load_list_rules", lambda: changed)

    red = {"code": code, "list": "L-RED"}
    ruled(classes=frozenset({"GENERAL", "SERIOUS"}), clean_months=7)
    assert (await _desk(office).refused(PROPOSE, red))["reason"] == "GENERAL_ADVERSE_RECORD"
    # Six months before 2026-11-23 the record was there already.
    ruled(classes=frozenset({"GENERAL", "SERIOUS"}), clean_months=6)
    assert (await _desk(office).done(PROPOSE, red))["proposeListing"]["state"] == "PROPOSED"
    other = await office.subject()
    await office.adverse(other, date(2026, 5, 10))
    ruled(classes=frozenset({"SERIOUS"}), clean_months=36)
    assert (await _desk(office).done(PROPOSE, {**red, "code": other}))["proposeListing"][
        "state"
    ] == "PROPOSED"


async def test_r8_3_a_new_serious_record_suspends_a_red_entry_and_then_disqualifies(office: Office) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-RED")
    assert [one["color"] for one in await _entries(_public(office), code)] == ["RED"]
    await office.adverse(code, date(2026, 12, 1), "SERIOUS")
    rows = (await _desk(office).done(RECHECK))["recheckLists"]
    assert [one["case"] for one in rows if one["outcome"] == "SUSPENDED"] == [
        {"number": number, "mechanism": "LIST_ENTRY", "state": "SUSPENDED"}
    ]
    assert await _entries(_public(office), code) == []
    assert (await _desk(office).done(RECHECK))["recheckLists"] == []
    out = """mutation Q($n: String!) { disqualifyListing(number: $n, reason: "新增严重失信", documentNumber: "取1号") { state } }"""
    assert (await _desk(office).done(out, {"n": number}))["disqualifyListing"][
        "state"
    ] == "EXITED_DISQUALIFIED"
    actions = await _deliveries(office, number)
    assert [action for channel, action in actions if channel == "CREDIT_QINGHAI"] == [
        "PUBLISH",
        "EXIT",
        "EXIT",
    ]


async def test_r8_3_the_worker_suspends_a_spoilt_red_entry_and_none_comes_back_while_that_stands(
    office: Office,
) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-RED")
    run = "mutation C($c: USCC!) { runCreditCheck(subject: $c) { eligibility { answer basis } } }"
    told = (await office.desk().done(run, {"c": code}))["runCreditCheck"]["eligibility"]
    assert told == {"answer": "YES", "basis": "HONEST_MODEL"}
    await office.adverse(code, date(2026, 12, 7), "SERIOUS", usable_until=date(2026, 12, 31))
    await duties(office).deadlines("")
    assert await _entries(_public(office), code) == []
    told = (await office.desk().done(run, {"c": code}))["runCreditCheck"]["eligibility"]
    assert told == {"answer": "NO", "basis": None}
    reinstate = 'mutation R($n: String!) { reinstateListing(number: $n, reason: "复核") { state } }'
    assert (await _desk(office).refused(reinstate, {"n": number}))["reason"] == "SERIOUS_ADVERSE_RECORD"
    # From the day after its last the record stands no more.
    office.clock.now = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert (await _desk(office).done(reinstate, {"n": number}))["reinstateListing"]["state"] == "PUBLISHED"
    await duties(office).deadlines("")
    assert [one["state"] for one in await _entries(_public(office), code)] == ["PUBLISHED"]


async def test_r8_3_disqualification_comes_after_suspension_only(office: Office) -> None:
    number, _ = await _published(office, await office.subject(), "L-RED")
    out = """mutation Q($n: String!) { disqualifyListing(number: $n, reason: "r", documentNumber: "d") { state } }"""
    assert (await _desk(office).refused(out, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"


# ---- R8.4 ------------------------------------------------------------------------------------------------------


async def test_r8_4_a_red_and_a_black_entry_at_once_come_into_the_queue(office: Office) -> None:
    code = await office.subject()
    red = await office.listed(code, "RED")
    number, black = await _published(office, code, "L-BLACK")
    queue = """{ cases(mechanism: LIST_CONFLICT, state: "OPEN", first: 50) {
      edges { node { number ... on ListConflict { redEntry blackEntry } } } } }"""
    found = (await _desk(office).done(queue))["cases"]["edges"]
    (conflict,) = [one["node"] for one in found if one["node"]["redEntry"] == red]
    assert conflict["blackEntry"] == black
    # Known conflicts are not queued again.
    again = (await _desk(office).done(RECHECK))["recheckLists"]
    assert conflict["number"] not in [one["case"]["number"] for one in again if one["outcome"] == "CONFLICT"]
    resolve = """mutation R($n: String!) { resolveListConflict(number: $n, reason: "取消红名单", documentNumber: "d") { state } }"""
    assert (await _desk(office).done(resolve, {"n": conflict["number"]}))["resolveListConflict"][
        "state"
    ] == "RESOLVED"
    assert number


async def test_r8_4_a_place_that_is_put_in_force_again_is_queued_once(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "RED")
    number, _ = await _published(office, code, "L-BLACK")
    suspend = 'mutation S($n: String!) { suspendListing(number: $n, reason: "重整裁定") { state } }'
    reinstate = 'mutation S($n: String!) { reinstateListing(number: $n, reason: "重整终止") { state } }'
    resolve = """mutation R($n: String!) { resolveListConflict(number: $n, reason: "留待核实", documentNumber: "d") { state } }"""
    queue = """{ cases(mechanism: LIST_CONFLICT, state: "OPEN", first: 50) {
      edges { node { number ... on ListConflict { blackEntry } subject { ... on Organization { uscc } } } } } }"""

    async def queued() -> list[str]:
        await _desk(office).done(suspend, {"n": number})
        await _desk(office).done(reinstate, {"n": number})
        found = [one["node"] for one in (await _desk(office).done(queue))["cases"]["edges"]]
        return [one["number"] for one in found if one["subject"]["uscc"] == code]

    (conflict,) = await queued()
    # Once it is resolved, it is a new one.
    await _desk(office).done(resolve, {"n": conflict})
    (again,) = await queued()
    assert again != conflict


async def test_r8_4_conflicts_of_others_lists_are_found_too(office: Office) -> None:
    code = await office.subject()
    await office.listed(code, "RED")
    await office.listed(code, "BLACK")
    rows = (await _desk(office).done(RECHECK))["recheckLists"]
    assert [one["outcome"] for one in rows] == ["CONFLICT"]


# ---- R8.5 ------------------------------------------------------------------------------------------------------


async def test_r8_4_the_worker_leaves_a_conflict_to_the_queue(office: Office) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-RED")
    await office.listed(code, "BLACK")
    await duties(office).deadlines("")
    rows = (await _desk(office).done(RECHECK))["recheckLists"]
    assert {one["outcome"] for one in rows} == {"CONFLICT", "SUSPENDED"}
    assert number in [one["case"]["number"] for one in rows]


async def test_r8_5_entry_and_exit_are_pushed_to_every_channel(office: Office) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-BLACK")
    channels = {"OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM", "CREDIT_QINGHAI"}
    assert set(await _deliveries(office, number)) == {(one, "PUBLISH") for one in channels}
    told = (await _desk(office).done(REVOKE, {"n": number}))["revokeListing"]
    assert told == {"state": "EXITED_REVOKED", "exitReason": "判决撤销", "exitedOn": "2026-12-07"}
    ended = {one for one in await _deliveries(office, number) if one[1] != "PUBLISH"}
    assert ended == {
        ("OWN_SITE", "WITHDRAW"), ("GOVERNMENT_PORTAL", "WITHDRAW"), ("PROVINCIAL_PLATFORM", "WITHDRAW"),
        ("CREDIT_QINGHAI", "EXIT"),
    }  # fmt: skip
    assert await _entries(_public(office), code) == []
    (row,) = await office.rows(
        "SELECT payload FROM delivery_out d JOIN case_file USING (case_id) WHERE number = $1"
        " AND channel = 'CREDIT_QINGHAI' AND d.payload->>'action' = 'EXIT'",
        number,
    )
    assert json.loads(row["payload"])["document"] == {"reason": "判决撤销"}


async def test_r7_3_what_a_list_shows_of_a_firm_names_no_person(office: Office) -> None:
    """The cause of a place, and why it was annulled: both are everybody's."""
    await _lists(office)
    code, phone = await office.subject(), "联系人电话13997012345"
    named = PROPOSE.replace("组织外派劳务未缴存备用金", phone)
    for name, ground in (("L-BLACK", GROUND), ("L-RED", None)):
        told = await _desk(office).refused(named, {"code": code, "list": name, "ground": ground})
        assert told["reason"] == "PERSONAL_DATA_IN_TEXT", name
    # Nobody is shown a watch list; and to care for the young is no finding.
    assert await _desk(office).done(named, {"code": code, "list": "L-WATCH"})
    honest = PROPOSE.replace("组织外派劳务未缴存备用金", "资助未成年人就学")
    assert await _desk(office).done(honest, {"code": await office.subject(), "list": "L-RED"})
    number, _ = await _published(office, await office.subject(), "L-BLACK")
    revoke = REVOKE.replace("判决撤销", phone)
    assert (await _desk(office).refused(revoke, {"n": number}))["reason"] == "REASON_NOT_PUBLISHABLE"
    long = REVOKE.replace("判决撤销", "很" * 4001)
    assert (await _desk(office).refused(long, {"n": number}))["argument"] == "reason"


async def test_r8_3_the_channels_are_not_told_what_a_red_place_was_suspended_for(office: Office) -> None:
    """It may be a record that they must not know (D23), or an officer's words that nobody has screened."""
    code = await office.subject()
    number, _ = await _published(office, code, "L-RED")
    abroad = {"kind": "GENERIC", "record_type": "OUTBOUND_ADVERSE", "sharing_attribute": "GOVERNMENT_SHARED"}
    await office.adverse(code, date(2026, 11, 2), "SERIOUS", data_class="D23", **abroad)
    await suspend_spoilt(office.database.writer, registry().machines, office.clock.now)
    assert {reason for _, _, reason in (await _ends(office, number)).values()} == {"SUSPENDED"}
    ended = {"n": number}
    seen = await _desk(office).done(
        "query L($n: String!) { case(number: $n) { state ... on ListingCase { exitReason } } }", ended
    )
    assert seen["case"] == {"state": "SUSPENDED", "exitReason": "NEW_SERIOUS_ADVERSE_RECORD"}
    out = """mutation Q($n: String!) { disqualifyListing(number: $n, reason: "境外不良行为", documentNumber: "取1号") { state } }"""
    await _desk(office).done(out, ended)
    rows = await office.rows(
        "SELECT DISTINCT payload->'document'->>'reason' AS why FROM delivery_out JOIN case_file USING (case_id)"
        " WHERE number = $1 AND action = 'EXIT' ORDER BY 1",
        number,
    )
    assert [row["why"] for row in rows] == ["DISQUALIFIED", "SUSPENDED"]


async def test_r8_5_an_exit_that_is_not_pushed_is_an_alarm(office: Office) -> None:
    number, entry = await _published(office, await office.subject(), "L-BLACK")
    await _desk(office).done(REVOKE, {"n": number})
    alarms = await raise_alarms(office.database.writer, office.clock.now + timedelta(days=1))
    found = [one for one in alarms.raised if one.item == entry and one.rule == "R8.5"]
    assert [(one.channel, one.priority) for one in found] == [("CREDIT_QINGHAI", 1)]
    # R7.4: three working days for the withdrawal with its reason.
    alarms = await raise_alarms(office.database.writer, office.clock.now + timedelta(days=4))
    assert {one.channel for one in alarms.raised if one.item == entry and one.rule == "R7.4"} == {
        "OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM",
    }  # fmt: skip


async def test_r8_5_the_end_of_the_period_is_an_exit_and_is_pushed(office: Office) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-RED")
    # Twelve months after recognition on 7 December 2026, the last day included.
    office.clock.now = datetime(2027, 12, 7, 4, tzinfo=UTC)
    assert await _entries(_public(office), code)
    office.clock.now = datetime(2027, 12, 7, 16, tzinfo=UTC)
    assert await _entries(_public(office), code) == []
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    (row,) = await office.rows(
        "SELECT state, details->>'exit_reason' AS why FROM case_file WHERE number = $1", number
    )
    assert (row["state"], row["why"]) == ("EXITED_EXPIRED", "EXPIRED")
    assert ("CREDIT_QINGHAI", "EXIT") in await _deliveries(office, number)


async def test_r8_5_a_place_is_left_the_day_after_its_last_whenever_that_is_written_down(
    office: Office,
) -> None:
    number, _ = await _published(office, await office.subject(), "L-RED")
    late = datetime(2027, 12, 12, 2, tzinfo=UTC)
    await keep_time(office.database.writer, registry().machines, automatic(), late)
    (row,) = await office.rows(
        "SELECT e.exited_on, c.details->>'exited_on' AS told FROM list_entry e JOIN case_file c"
        " ON c.number = e.source_record_id WHERE c.number = $1 AND e.state = 'EXITED_EXPIRED'",
        number,
    )
    assert (row["exited_on"], row["told"]) == (date(2027, 12, 8), "2027-12-08")


async def test_r8_5_a_watch_list_is_shown_nowhere(office: Office) -> None:
    code = await office.subject()
    number, _ = await _published(office, code, "L-WATCH")
    assert await _deliveries(office, number) == []
    assert await _entries(_public(office), code) == []
    assert [one["color"] for one in await _entries(_desk(office), code)] == ["WATCH"]
    assert office.clock.now > MONDAY


async def test_r8_5_every_version_of_an_entry_is_kept(office: Office) -> None:
    number, _ = await _published(office, await office.subject(), "L-BLACK")
    await _desk(office).done(REVOKE, {"n": number})
    rows = await office.rows(
        "SELECT state, superseded_at IS NULL AS current FROM list_entry WHERE source_record_id = $1 ORDER BY version_id",
        number,
    )
    assert [(row["state"], row["current"]) for row in rows] == [
        ("RECOGNIZED", False), ("PUBLISHED", False), ("EXITED_REVOKED", True),
    ]  # fmt: skip


# ---- acceptance ------------------------------------------------------------------------------------------------


async def _delivered(office: Office, *away: str) -> None:
    """Every channel but those that are away takes what is due, and acknowledges it."""
    office.clock.now += timedelta(minutes=1)
    async with (
        sites(clock=lambda: office.clock.now.timestamp()) as channels,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        courier = Courier(office.database.writer, Client(http, 5), Pace(), office.clock, lambda: 0.0)
        for name, site in channels.items():
            if name not in away:
                await courier.deliver(site.address)


async def _ends(office: Office, number: str) -> dict[str, tuple[str, str | None, str]]:
    """Channel → how its exit or withdrawal stands, with receipt, and the reason that it tells."""
    rows = await office.rows(
        "SELECT d.channel, d.state, d.receipt_no, d.payload->'document'->>'reason' AS reason FROM delivery_out d"
        " JOIN case_file USING (case_id) WHERE number = $1 AND d.payload->>'action' <> 'PUBLISH'",
        number,
    )
    return {row["channel"]: (row["state"], row["receipt_no"], row["reason"]) for row in rows}


async def test_acceptance_13_an_annulled_entry_is_withdrawn_with_its_reason_and_the_push_is_confirmed(
    office: Office,
) -> None:
    await office.rows(
        "UPDATE delivery_out SET state = 'FAILED', error_code = 'SUPERSEDED' WHERE state <> 'ACKNOWLEDGED'"
    )
    code = await office.subject()
    number, entry = await _published(office, code, "L-BLACK")
    await _delivered(office)
    await _desk(office).done(REVOKE, {"n": number})
    assert await _entries(_public(office), code) == []
    await _delivered(office)
    ended = await _ends(office, number)
    assert set(ended) == {"OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM", "CREDIT_QINGHAI"}
    for state, receipt, reason in ended.values():
        assert (state, reason) == ("ACKNOWLEDGED", "判决撤销")
        assert receipt
    alarms = await raise_alarms(office.database.writer, office.clock.now + timedelta(days=30))
    assert [one for one in alarms.raised if one.item == entry] == []


async def test_acceptance_13_an_annulled_entry_whose_withdrawal_is_not_confirmed_is_an_alarm(
    office: Office,
) -> None:
    await office.rows(
        "UPDATE delivery_out SET state = 'FAILED', error_code = 'SUPERSEDED' WHERE state <> 'ACKNOWLEDGED'"
    )
    number, entry = await _published(office, await office.subject(), "L-BLACK")
    await _delivered(office)
    # A Monday: the third working day after it is Thursday, 10 December 2026.
    assert office.clock.now.date() == date(2026, 12, 7)
    await _desk(office).done(REVOKE, {"n": number})
    await _delivered(office, "CREDIT_QINGHAI", "OWN_SITE")
    raised = {}
    for moment in (datetime(2026, 12, 7, 15, 59, tzinfo=UTC), datetime(2026, 12, 7, 16, tzinfo=UTC),
                   datetime(2026, 12, 10, 15, 59, tzinfo=UTC), datetime(2026, 12, 10, 16, tzinfo=UTC)):  # fmt: skip
        alarms = await raise_alarms(office.database.writer, moment)
        raised[moment.day, moment.hour] = {
            (one.channel, one.rule, one.priority) for one in alarms.raised if one.item == entry
        }
    push, site = ("CREDIT_QINGHAI", "R8.5", 1), ("OWN_SITE", "R7.4", 1)
    assert raised == {(7, 15): set(), (7, 16): {push}, (10, 15): set(), (10, 16): {site}}
