"""Commitments (article 六): R6.1, R6.2, R6.4 and R6.5, over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.registry import registry
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.check_documents import PAPER, TOLERATE, codes_of, run
from tests.casework.desk import Office
from tests.casework.promises import (
    CLEAR,
    DEFEND,
    DIGEST,
    ESTABLISH,
    FIND,
    INSPECTION,
    OF_SUBJECT,
    PUBLISH,
    RECORD,
    SERVE,
    SUBMIT,
    SUSPECT,
    anybody,
    demo_firm,
    established,
    itself,
    notified,
    published,
    recorded,
    seen,
    signed,
    unit,
)

NUMBERED = "负责人身份证号630102199003074514"


# ---- R6.1 ------------------------------------------------------------------------------------------------------


async def test_r6_1_a_commitment_has_signatory_text_with_version_scope_validity_consequence_and_digest(
    office: Office,
) -> None:
    made = await recorded(office)
    assert (made["state"], made["signatory"], made["scope"]) == ("SUBMITTED", "马得林", "全部门店明码标价")
    assert (made["template"], made["templateVersion"]) == ("QH-CN-CP", "2019-1")
    assert "全部门店明码标价" in made["text"]
    assert "{" not in made["text"]
    assert "记入信用记录" in made["consequence"]
    assert (made["validFrom"], made["validTo"], made["signedDigest"]) == ("2026-11-23", "2027-11-22", DIGEST)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"template": "QH-CN-NONE"}, "TEMPLATE_UNKNOWN"),
        ({"templateVersion": "2018-1"}, "TEMPLATE_VERSION_NOT_IN_FORCE"),
        ({"validTo": "2026-11-22"}, "VALIDITY_IMPOSSIBLE"),
        ({"validTo": "2029-11-24"}, "VALIDITY_TOO_LONG"),
        ({"signedDigest": "abc"}, "BAD_USER_INPUT"),
        ({"signedDigest": 2**63}, "BAD_USER_INPUT"),
        ({"signedDigest": {"sm3": DIGEST}}, "BAD_USER_INPUT"),
        ({"signatory": " "}, "BAD_USER_INPUT"),
        ({"signatory": "\u200b"}, "BAD_USER_INPUT"),
        ({"scope": "\u200b"}, "BAD_USER_INPUT"),
        ({"scope": ""}, "BAD_USER_INPUT"),
    ],
)
async def test_r6_1_what_is_not_whole_is_refused(office: Office, more: dict[str, Any], reason: str) -> None:
    given = {"code": await office.subject(), "signed": signed(**more)}
    refusal = await unit(office).refused(RECORD, given)
    assert refusal.get("reason", refusal["code"]) == reason


async def test_r6_1_the_subject_hands_in_itself_and_corrects_what_was_given_back(office: Office) -> None:
    await demo_firm(office)
    desk = itself(office)
    made = (await desk.done(SUBMIT, {"signed": signed()}))["submitCommitment"]
    number = made["number"]
    # The department handles it, not the portal through which firms ask.
    assert (made["handler"], made["subjectCode"]) == ("commerce", DEMO_SUBJECT)
    returned = 'mutation R($n: String!) { returnCommitment(number: $n, reason: "范围不清") { state } }'
    assert (await unit(office).done(returned, {"n": number}))["returnCommitment"]["state"] == "RETURNED"
    assert (await unit(office).refused(PUBLISH, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    revise = "mutation V($n: String!, $s: CommitmentInput!) { reviseCommitment(number: $n, commitment: $s) { state scope } }"
    again = (await desk.done(revise, {"n": number, "s": signed(scope="西宁门店明码标价")}))[
        "reviseCommitment"
    ]
    assert again == {"state": "SUBMITTED", "scope": "西宁门店明码标价"}
    assert (await unit(office).done(PUBLISH, {"n": number}))["publishCommitment"]["state"] == "PUBLISHED"


async def test_r6_1_a_unit_may_be_named_that_has_the_firm_in_its_region_and_no_other(office: Office) -> None:
    await demo_firm(office)
    desk = itself(office)
    named = await desk.done(SUBMIT, {"signed": signed(), "receiver": "commerce-xining"})
    assert named["submitCommitment"]["handler"] == "commerce-xining"
    for other in ("customs", "subject", "nobody"):
        refusal = await desk.refused(SUBMIT, {"signed": signed(), "receiver": other})
        assert refusal["reason"] == "RECEIVER_UNKNOWN"
    # Whoever is not the unit has no such case.
    number = named["submitCommitment"]["number"]
    assert (await unit(office).refused(PUBLISH, {"n": number}))["code"] == "CASE_UNKNOWN"


async def test_r6_1_before_publication_only_subject_and_handler_know_of_it(office: Office) -> None:
    code = await office.subject()
    number = (await recorded(office, code))["number"]
    own = (await itself(office).done(SUBMIT, {"signed": signed()}))["submitCommitment"]["number"]
    for desk in (anybody(office), office.desk("reform", "ONGOING_SUPERVISION", None, None), itself(office)):
        assert await seen(desk, number) is None
    assert await seen(itself(office), own) is not None
    assert await seen(unit(office), own) is not None
    assert await seen(anybody(office), own) is None
    assert (await anybody(office).done(OF_SUBJECT, {"c": code}))["subject"]["commitments"] == []


# ---- R6.2 ------------------------------------------------------------------------------------------------------


async def test_r6_2_published_on_the_own_portal_by_consent_without_who_signed(office: Office) -> None:
    code = await office.subject()
    refusal = await unit(office).refused(
        RECORD, {"code": code, "signed": signed(consentsToPublication=False)}
    )
    assert refusal["reason"] == "NO_CONSENT_TO_PUBLISH"
    made = await published(office, code)
    shown = await seen(anybody(office), made["number"])
    assert shown is not None
    assert (shown["state"], shown["publishedOn"]) == ("PUBLISHED", "2026-11-23")
    assert (await anybody(office).done(OF_SUBJECT, {"c": code}))["subject"]["commitments"] == [
        {"number": made["number"], "state": "PUBLISHED"}
    ]
    asked = await anybody(office).ask(
        "query Q($n: String!) { commitment(number: $n) { signatory } }", {"n": "x"}
    )
    assert asked["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    rows = await office.rows(
        "SELECT channel, payload::text AS payload FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1",
        made["number"],
    )
    assert [row["channel"] for row in rows] == ["OWN_SITE"]
    assert "马得林" not in rows[0]["payload"]
    assert "全部门店明码标价" in rows[0]["payload"]


async def test_r6_2_who_signed_is_masked_for_auditors_and_shown_to_the_subject_itself(office: Office) -> None:
    made = await published(office, await demo_firm(office))
    query = "query Q($n: String!) { commitment(number: $n) { signatory } }"
    for desk, name in (
        (itself(office), "马得林"),
        (office.desk("auditor", "AUDIT", case=None), "马**"),
        (office.desk("reform", "ONGOING_SUPERVISION", None, None), "马得林"),
    ):
        assert (await desk.done(query, {"n": made["number"]}))["commitment"]["signatory"] == name


@pytest.mark.parametrize("scope", [NUMBERED, "投诉电话13812345678", "经营者家庭住址：西宁市城中区某街1号"])
async def test_r6_2_personal_numbers_and_homes_are_never_published(office: Office, scope: str) -> None:
    code = await office.subject()
    refusal = await unit(office).refused(RECORD, {"code": code, "signed": signed(scope=scope)})
    assert refusal["reason"] == "PERSONAL_DATA_IN_TEXT"
    assert "630102" not in str(refusal)


async def test_r6_2_words_that_sound_like_minors_are_published_when_the_handler_says_why(
    office: Office,
) -> None:
    made = await recorded(office, scope="不向未成年人销售烟酒")
    assert (await unit(office).refused(PUBLISH, {"n": made["number"]}))["reason"] == "MINORS_NOT_CLEARED"
    shown = await unit(office).done(PUBLISH, {"n": made["number"], "c": "未涉及具体未成年人"})
    assert shown["publishCommitment"]["state"] == "PUBLISHED"


async def test_r6_2_whoever_withdraws_is_off_the_portal_and_out_of_every_answer(office: Office) -> None:
    made = await published(office, await demo_firm(office))
    withdraw = 'mutation W($n: String!) { withdrawCommitment(number: $n, reason: "停业") { state } }'
    assert (await itself(office).done(withdraw, {"n": made["number"]}))["withdrawCommitment"] == {
        "state": "WITHDRAWN"
    }
    assert await seen(anybody(office), made["number"]) is None
    rows = await office.rows(
        "SELECT payload->>'action' AS action FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1"
        " ORDER BY delivery_id",
        made["number"],
    )
    assert [row["action"] for row in rows] == ["PUBLISH", "EXIT"]
    other = await published(office)
    assert (await itself(office).refused(withdraw, {"n": other["number"]}))["code"] == "CASE_UNKNOWN"


async def test_r6_1_it_expires_by_itself_and_is_gone_for_others_the_same_day(office: Office) -> None:
    made = await published(office, validTo="2026-11-30")
    number = made["number"]
    assert made["dueOn"] == "2026-11-30"
    pool, machines = office.database.writer, registry().machines
    office.clock.now = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    await keep_time(pool, machines, automatic(), office.clock.now)
    assert await seen(anybody(office), number) is not None
    office.clock.now += timedelta(minutes=1)
    # Before the worker has been round.
    assert await seen(anybody(office), number) is None
    # Nor does it end later because the worker comes later.
    office.clock.now += timedelta(days=4)
    await keep_time(pool, machines, automatic(), office.clock.now)
    found = await seen(unit(office), number)
    assert found is not None
    assert (found["state"], found["endedOn"], found["dueOn"]) == ("EXPIRED", "2026-12-01", None)


async def test_r6_1_what_was_fulfilled_is_shown_as_such_until_its_validity_ends(office: Office) -> None:
    number = (await published(office))["number"]
    fulfil = 'mutation F($n: String!) { fulfilCommitment(number: $n, documentNumber: "青商验〔2026〕1号") { state } }'
    assert (await unit(office).done(fulfil, {"n": number}))["fulfilCommitment"]["state"] == "FULFILLED"
    shown = await seen(anybody(office), number)
    assert shown is not None
    assert shown["state"] == "FULFILLED"
    office.clock.now = datetime(2027, 11, 23, 2, tzinfo=UTC)
    assert await seen(anybody(office), number) is None


@pytest.mark.parametrize("field", ["fulfilCommitment", "withdrawRecordedCommitment"])
async def test_r6_1_what_a_person_ends_after_its_last_day_was_over_the_day_after_that(
    office: Office, field: str
) -> None:
    number = (await published(office, validTo="2026-11-25"))["number"]
    # Its end is not written down yet.
    office.clock.now += timedelta(days=10)
    reason = "" if field == "fulfilCommitment" else 'reason: "停业", '
    step = (
        f'mutation E($n: String!) {{ made: {field}(number: $n, {reason}documentNumber: "1") {{ endedOn }} }}'
    )
    assert (await unit(office).done(step, {"n": number}))["made"] == {"endedOn": "2026-11-26"}


# ---- R6.4 ------------------------------------------------------------------------------------------------------


async def test_r6_4_no_breach_without_finding_notice_and_time_for_the_defence(office: Office) -> None:
    number = (await published(office))["number"]
    desk, second = unit(office), unit(office).second()
    case = (await desk.done(SUSPECT, {"n": number}))["suspectBreach"]["number"]
    assert (await second.refused(ESTABLISH, {"n": case}))["code"] == "TRANSITION_NOT_ALLOWED"
    assert (await desk.refused(SERVE, {"n": case, "on": "2026-11-23"}))["code"] == "TRANSITION_NOT_ALLOWED"
    await desk.done(FIND, {"n": case, "kind": "BREACHED"})
    assert (await second.refused(ESTABLISH, {"n": case}))["code"] == "TRANSITION_NOT_ALLOWED"
    silent = await desk.refused(SERVE, {"n": case, "on": "2026-11-23", "told": False})
    assert silent["reason"] == "RIGHT_TO_DEFEND_NOT_TOLD"
    assert (await desk.refused(SERVE, {"n": case, "on": "2026-11-24"}))["reason"] == "SERVICE_DAY_IMPOSSIBLE"
    noted = (await desk.done(SERVE, {"n": case, "on": "2026-11-23"}))["serveBreachNotice"]
    assert (noted["state"], noted["notice"]["defendBy"]) == ("NOTIFIED", "2026-11-30")
    office.clock.now = datetime(2026, 11, 30, 2, tzinfo=UTC)
    assert (await second.refused(ESTABLISH, {"n": case}))["reason"] == "DEFENCE_PERIOD_RUNNING"
    office.clock.now += timedelta(days=1)
    assert (await desk.refused(ESTABLISH, {"n": case}))["reason"] == "SECOND_PERSON_NEEDED"
    done = (await second.done(ESTABLISH, {"n": case}))["establishBreach"]
    assert (done["state"], done["outcome"]) == ("ESTABLISHED", "BREACHED")


async def test_r6_4_a_defence_is_heard_and_must_be_answered(office: Office) -> None:
    case = await notified(office, (await published(office, await demo_firm(office)))["number"])
    heard = (await itself(office).done(DEFEND, {"n": case}))["stateBreachDefence"]
    assert heard["defences"] == [{"by": "SUBJECT", "statement": "已整改"}]
    office.clock.now += timedelta(days=8)
    second = unit(office).second()
    assert (await second.refused(ESTABLISH, {"n": case}))["reason"] == "DEFENCE_UNANSWERED"
    done = await second.done(ESTABLISH, {"n": case, "answer": "整改不影响认定"})
    assert done["establishBreach"]["state"] == "ESTABLISHED"


@pytest.mark.parametrize(
    ("kind", "record"), [("BREACHED", "COMMITMENT_BREACH"), ("FALSE_COMMITMENT", "FALSE_COMMITMENT")]
)
async def test_r6_4_an_established_breach_is_a_public_record_and_no_penalty(
    office: Office, kind: str, record: str
) -> None:
    code = await office.subject()
    number = (await published(office, code))["number"]
    await established(office, number, kind)
    shown = await seen(anybody(office), number)
    assert shown is not None
    assert shown["state"] == kind
    assert shown["breach"] == {
        "kind": kind, "documentNumber": "青商诺决〔2026〕1号", "authority": "青海省商务厅", "decidedOn": "2026-12-01",
    }  # fmt: skip
    query = """query Q($c: String!) { subject(value: $c) { summary { hasPublicPenalty } records { edges { node {
      __typename title seriousness documentNumber usableUntil provenance { catalogItemCode }
      ... on GenericCreditRecord { recordType items { label value } } } } } } }"""
    found = (await anybody(office).done(query, {"c": code}))["subject"]
    (edge,) = found["records"]["edges"]
    assert edge["node"]["__typename"] == "GenericCreditRecord"
    assert (edge["node"]["recordType"], edge["node"]["seriousness"]) == (record, "GENERAL")
    assert edge["node"]["usableUntil"] == "2027-12-01"
    assert edge["node"]["items"] == [{"label": "承诺编号", "value": number}]
    assert found["summary"]["hasPublicPenalty"] == "NO"


async def test_r6_4_suspicion_shows_nowhere_and_the_subject_sees_the_case_from_the_notice_on(
    office: Office,
) -> None:
    firm = await demo_firm(office)
    number = (await published(office, firm))["number"]
    before = await seen(anybody(office), number)
    desk = unit(office)
    case = (await desk.done(SUSPECT, {"n": number}))["suspectBreach"]["number"]
    await desk.done(FIND, {"n": case, "kind": "BREACHED"})
    assert await seen(anybody(office), number) == before
    events = "query E($n: String!) { commitment(number: $n) { events { transition } } }"
    for viewer in (desk, office.desk("auditor", "AUDIT", "A-1", None)):
        told = (await viewer.done(events, {"n": number}))["commitment"]["events"]
        assert [one["transition"] for one in told] == ["open", "publish"]
    # How it was handled is not told to those that are shown what came of it.
    reform = office.desk("reform", "ONGOING_SUPERVISION", None, None)
    assert (await reform.done(events, {"n": number}))["commitment"]["events"] is None
    # To the subject there is no such case, whatever it asks.
    assert (await itself(office).done(INSPECTION, {"n": case}))["commitmentInspection"] is None
    assert (await itself(office).refused(DEFEND, {"n": case}))["code"] == "CASE_UNKNOWN"
    nothing = await itself(office).refused(DEFEND, {"n": "QHCC-2026-0000-0000-0000"})
    assert (await itself(office).refused(DEFEND, {"n": case})) == nothing
    await desk.done(SERVE, {"n": case, "on": "2026-11-23"})
    told = (await itself(office).done(INSPECTION, {"n": case}))["commitmentInspection"]
    assert (told["state"], told["notes"][0]["text"]) == ("NOTIFIED", "店内商品未明码标价")
    # Nor is it another's, or the public's.
    other = await notified(office, (await published(office))["number"])
    assert (await itself(office).done(INSPECTION, {"n": other}))["commitmentInspection"] is None
    hidden = "query C($n: String!) { case(number: $n) { number } }"
    for viewer in (anybody(office), office.desk("reform", "ONGOING_SUPERVISION", None, None)):
        assert (await viewer.done(hidden, {"n": case}))["case"] is None
    # A unit of another region, and a check before a licence (purpose c), see no notes of inspections either.
    assert (await office.desk().done(hidden, {"n": case}))["case"] is None


async def test_r6_4_a_stranger_cannot_move_it_and_nobody_breaks_a_commitment_directly(office: Office) -> None:
    number = (await published(office))["number"]
    stranger = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert (await stranger.refused(SUSPECT, {"n": number}))["code"] == "CASE_UNKNOWN"
    case = await notified(office, number)
    office.clock.now += timedelta(days=8)
    assert (await stranger.refused(ESTABLISH, {"n": case}))["code"] == "CASE_UNKNOWN"
    assert (await unit(office).refused(SUSPECT, {"n": number}))["reason"] == "INSPECTION_OPEN"
    commands = {rule for rule in registry().commands if rule.startswith("commitment.")}
    assert not commands & {"commitment.breach", "commitment.falsify", "commitment.note_result"}
    schema = "{ __schema { mutationType { fields { name } } } }"
    names = [f["name"] for f in (await unit(office).done(schema))["__schema"]["mutationType"]["fields"]]
    assert "falsify" not in "".join(names)


async def test_r6_4_a_suspicion_that_does_not_hold_leaves_no_trace_on_the_commitment(office: Office) -> None:
    number = (await published(office))["number"]
    case = await notified(office, number)
    done = (await unit(office).done(CLEAR, {"n": case}))["clearInspection"]
    assert (done["state"], done["outcome"]) == ("DISMISSED", "COMPLIANT")
    shown = await seen(anybody(office), number)
    assert shown is not None
    assert (shown["state"], shown["inspections"], shown["breach"]) == ("PUBLISHED", [], None)


async def test_r6_4_one_commitment_is_broken_once(office: Office) -> None:
    number = (await published(office))["number"]
    await established(office, number)
    assert (await unit(office).refused(SUSPECT, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"


async def test_r6_4_what_ended_meanwhile_may_still_be_found_broken(office: Office) -> None:
    code = await office.subject()
    number = (await published(office, code, validTo="2026-11-25"))["number"]
    case = await notified(office, number)
    office.clock.now += timedelta(days=8)
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    assert await seen(anybody(office), number) is None
    await unit(office).second().done(ESTABLISH, {"n": case})
    shown = await seen(anybody(office), number)
    assert shown is not None
    assert (shown["state"], shown["endedOn"]) == ("BREACHED", "2026-11-26")


async def test_r6_4_a_breach_changes_the_answer_to_the_green_channel_as_long_as_its_record_stands(
    office: Office,
) -> None:
    code = await office.subject()
    number = (await published(office, code))["number"]
    before = await run(office.desk(), code)
    assert (before["conclusion"], before["reminders"]) == ("GREEN_CHANNEL", [])
    case = await notified(office, number)
    assert (await run(office.desk(), code))["conclusion"] == "GREEN_CHANNEL"
    office.clock.now += timedelta(days=8)
    await unit(office).second().done(ESTABLISH, {"n": case})
    after = await run(office.desk(), code)
    assert (after["conclusion"], after["eligibility"]["answer"]) == ("REMIND", "NO")
    assert set(codes_of(after["reminders"])) == {"RECORD_BREACH", "COMMITMENT_UNFULFILLED"}
    assert number in str(after["reminders"])
    # Repaired, record and breach are gone for everybody, and its handler's own check goes by that, too.
    await office.rows(
        "UPDATE record SET lifecycle = 'REPAIRED' WHERE document_number = '青商诺决〔2026〕1号'"
        " AND subject_id = (SELECT subject_id FROM subject WHERE uscc = $1)", code,
    )  # fmt: skip
    assert await seen(anybody(office), number) is None
    assert (await anybody(office).done(OF_SUBJECT, {"c": code}))["subject"] == {
        "commitments": [], "records": {"edges": []},
    }  # fmt: skip
    assert (await run(office.desk(), code))["reminders"] == []


async def test_r6_4_a_failed_tolerant_acceptance_is_suspected_then_heard_then_recorded(
    office: Office,
) -> None:
    desk, code = office.desk(), await office.subject()
    check = (await run(desk, code))["number"]
    given = {"number": check, "papers": PAPER, "due": "2026-11-24"}
    promised = (await desk.done(TOLERATE, given))["acceptTolerantly"]["number"]
    office.clock.now += timedelta(days=2)
    await desk.done(
        'mutation F($n: String!) { failTolerance(number: $n, reason: "未补正") { state } }', {"n": promised}
    )
    query = "{ cases(mechanism: COMMITMENT_INSPECTION, first: 1) { edges { node { number } } } }"
    case = (await unit(office).done(query))["cases"]["edges"][0]["node"]["number"]
    told = (await unit(office).done(INSPECTION, {"n": case}))["commitmentInspection"]
    assert (told["origin"], told["commitment"], told["notes"][0]["text"]) == ("TOLERANCE", promised, "未补正")
    assert (await run(desk, code))["reminders"] == []
    note = 'mutation N($n: String!) { noteInspectionProblem(number: $n, text: "逾期未补") { state } }'
    await unit(office).done(note, {"n": case})
    await unit(office).done(FIND, {"n": case, "kind": "BREACHED"})
    await unit(office).done(SERVE, {"n": case, "on": "2026-11-25"})
    office.clock.now += timedelta(days=8)
    await unit(office).second().done(ESTABLISH, {"n": case})
    after = await run(desk, code)
    assert (after["conclusion"], codes_of(after["reminders"])) == ("REMIND", ["RECORD_BREACH"])


# ---- R6.5 ------------------------------------------------------------------------------------------------------


async def test_r6_5_types_are_rows_with_their_national_classification(office: Office) -> None:
    query = "query T($on: Date) { commitmentTemplates(on: $on) { code version type typeName national body consequence } }"
    found = (await anybody(office).done(query))["commitmentTemplates"]
    assert {one["type"]: one["national"] for one in found} == {
        "COMPREHENSIVE": ["主动型"], "PRODUCT_SERVICE": ["主动型", "行业自律型"], "BREACH_LIABILITY": ["主动型"],
    }  # fmt: skip
    assert (await anybody(office).done(query, {"on": str(date(2019, 7, 4))}))["commitmentTemplates"] == []
    made = await recorded(office)
    assert (made["type"], made["typeName"], made["national"]) == (
        "PRODUCT_SERVICE", "产品服务专项承诺", ["主动型", "行业自律型"],
    )  # fmt: skip


async def test_commitments_of_one_day_come_newest_first_too(office: Office) -> None:
    """Whoever took the first for the one that stands now had one of that day by chance."""
    code = await office.subject()
    numbers = [f"D-{hour}{code}" for hour in range(8)]
    await office.rows(
        "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, due_on, ruleset,"
        " details) SELECT 'COMMITMENT', n.number, s.subject_id, 'D33', 'PUBLISHED', 'commerce',"
        " '2026-11-20T08:00:00+08:00'::timestamptz + n.hour * interval '1 hour', '2026-11-20', '2027-11-20', 'T', '{}'"
        " FROM unnest($2::text[]) WITH ORDINALITY n(number, hour), subject s WHERE s.uscc = $1",
        *(code, numbers),
    )
    asked = "query N($c: String!) { subject(value: $c) { commitments { number } } }"
    found = (await office.desk().done(asked, {"c": code}))["subject"]["commitments"]
    assert [one["number"] for one in found] == numbers[::-1]
