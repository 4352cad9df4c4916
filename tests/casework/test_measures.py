"""Measures (article 九, R9.1): receipt, effect on code and basis only, feedback, end at term, exit or repair."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import SHANGHAI
from hub.casework.clock import SYSTEM, automatic, keep_time
from hub.casework.listings.measures import follow_entry, remind_of_feedback
from hub.casework.machine import Step
from hub.casework.registry import registry
from hub.casework.work import calendar_for
from tests.casework.desk import Desk, Office
from tests.casework.dispatch import duties
from tests.casework.promises import demo_firm
from tests.casework.test_publicity import at

INITIATE = """
mutation I($entry: ID!, $code: String, $basis: String, $level: BasisLevel, $effect: MeasureEffect!, $by: String!, $ends: Date!,
    $begins: Date = "2026-11-23", $measure: String = "限制成品油零售经营资格审批",
    $matters: [String!] = ["SW-XK-OIL"]) {
  initiateMeasure(entry: $entry, implementer: $by, measure: $measure, effect: $effect, begins: $begins, ends: $ends,
    nationalCatalogueCode: $code, legalBasis: $basis, basisLevel: $level, memorandum: "发改财金〔2017〕1943号", matters: $matters) {
    number state ends implementer effect entry { id } }
}
"""
ACKNOWLEDGE = (
    'mutation A($n: String!) { acknowledgeMeasure(number: $n, documentNumber: "回1") { state implementer } }'
)
ACTIVATE = """
mutation T($n: String!, $code: String, $basis: String, $level: BasisLevel) {
  activateMeasure(number: $n, legalBasisCheckedOn: "2026-11-23", nationalCatalogueCode: $code, legalBasis: $basis,
    basisLevel: $level) {
    state basisLevel dueOn legalBasisCheckedOn feedbackDue receipt { officer number } }
}
"""
FEED = """
mutation F($n: String!, $on: Date!) {
  feedBackMeasure(number: $n, appliedOn: $on, caseNumber: "海2026-7", result: "不予") { state } }
"""
STOPPED = """
mutation S($n: String!, $on: Date!) { reportMeasureStopped(number: $n, stoppedOn: $on) { state stoppedOn dueOn } }
"""
RUN = "mutation Run($code: USCC!) { runCreditCheck(subject: $code) { conclusion reasons { code } } }"
READ = "query R($n: String!) { case(number: $n) { ... on MeasureApplication { state endedOn } } }"
BASIS = {"code": "NC-01", "basis": "企业信息公示暂行条例第18条", "level": "REGULATION"}


def _desk(office: Office) -> Desk:
    return office.desk(purpose="JOINT_PUNISHMENT", case=None)


def _customs(office: Office) -> Desk:
    return office.desk("customs", "JOINT_PUNISHMENT", None, None)


async def _initiated(office: Office, entry: str, **more: Any) -> str:
    given = {"entry": entry, "effect": "BLOCK", "by": "customs", "ends": "2027-11-22", **more}
    number: str = (await _desk(office).done(INITIATE, given))["initiateMeasure"]["number"]
    return number


async def _effective(office: Office, entry: str, **more: Any) -> str:
    number = await _initiated(office, entry, **BASIS, **more)
    await _customs(office).done(ACKNOWLEDGE, {"n": number})
    made = (await _desk(office).done(ACTIVATE, {"n": number}))["activateMeasure"]
    assert made["state"] == "EFFECTIVE"
    return number


async def _followed(office: Office, entry: str, transition: str) -> None:
    """What the hub does with the measures when their entry is suspended or reinstated."""
    now = office.clock.now
    today = now.astimezone(SHANGHAI).date()
    async with office.database.writer.acquire() as connection, connection.transaction():
        step = Step(SYSTEM, {"reason": "r"}, now, today, await calendar_for(connection, [], today))
        await follow_entry(connection, registry().machines, step, entry[1:], transition)


async def _conclusion(office: Office, code: str) -> str:
    found: str = (await office.desk().done(RUN, {"code": code}))["runCreditCheck"]["conclusion"]
    return found


async def _state(office: Office, number: str) -> str:
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", number)
    found: str = row["state"]
    return found


async def test_r9_1_a_measure_is_told_to_whoever_is_shown_the_entry_that_it_rests_on(office: Office) -> None:
    """Its list and colour are the entry's: openness (公开属性) that hides the one hides the other; parties have it."""
    entry = await office.listed(await office.subject(), "BLACK")
    number = await _effective(office, entry)
    desks = {
        "public": office.desk("public", "PUBLIC_QUERY", None, None),
        "tax": office.desk("tax", "NOTIFICATION", None, None),
        "auditor": office.desk("auditor", "AUDIT", "A-1", None),
        "customs": _customs(office),
        "commerce": _desk(office),
    }
    read = (
        "{ cases(mechanism: MEASURE) { edges { node { number ... on MeasureApplication { listName } } } } }"
    )

    async def told() -> set[str]:
        found = {name: (await desk.done(read))["cases"]["edges"] for name, desk in desks.items()}
        return {name for name, edges in found.items() if number in [one["node"]["number"] for one in edges]}

    for openness, shown in (
        ("PUBLIC", {*desks}),
        ("GOVERNMENT_SHARED", {*desks} - {"public"}),
        ("RESTRICTED", {"auditor", "customs", "commerce"}),
    ):
        await office.rows("UPDATE list_entry SET sharing_attribute = $1", openness)
        assert await told() == shown, openness


async def test_r9_1_initiator_implementer_term_basis_receipt_and_feedback(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    number = await _initiated(office, entry, **BASIS)
    query = '{ cases(mechanism: MEASURE, state: "INITIATED") { edges { node { number } } } }'
    found = (await _customs(office).done(query))["cases"]["edges"]
    assert number in [one["node"]["number"] for one in found]
    received = (await _customs(office).done(ACKNOWLEDGE, {"n": number}))["acknowledgeMeasure"]
    assert received == {"state": "RECEIVED", "implementer": "customs"}
    made = (await _desk(office).done(ACTIVATE, {"n": number}))["activateMeasure"]
    assert made == {
        "state": "EFFECTIVE", "basisLevel": "REGULATION",
        "dueOn": "2027-11-22", "legalBasisCheckedOn": "2026-11-23", "feedbackDue": "2026-12-23",
        "receipt": {"officer": "customs-demo-officer", "number": "回1"},
    }  # fmt: skip
    assert (await _customs(office).refused(FEED, {"n": number, "on": "2026-11-24"}))["reason"] == (
        "APPLICATION_DAY_IMPOSSIBLE"
    )
    await _customs(office).done(FEED, {"n": number, "on": "2026-11-23"})
    told = (
        "query R($n: String!) { case(number: $n) {"
        " ... on MeasureApplication { feedbackDue feedback { appliedOn caseNumber result } } } }"
    )
    assert (await _desk(office).done(told, {"n": number}))["case"] == {
        "feedbackDue": None, "feedback": [{"appliedOn": "2026-11-23", "caseNumber": "海2026-7", "result": "不予"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"code": " "}, "NATIONAL_CATALOGUE_CODE_MISSING"),
        ({"code": "NC-15"}, "NATIONAL_CATALOGUE_CODE_UNKNOWN"),
        ({"basis": " "}, "LEGAL_BASIS_MISSING"),
        ({"basis": "发改财金〔2017〕1943号"}, "MEMORANDUM_IS_NO_BASIS"),
        ({"level": None}, "BASIS_LEVEL_TOO_LOW"),
        # A ministry's rule may not close a market (国办发〔2020〕49号).
        ({"basis": "成品油流通管理办法第40条", "level": "RULE"}, "BASIS_LEVEL_TOO_LOW"),
    ],
)
async def test_acceptance_16_r9_1_without_item_and_law_it_has_no_effect_and_a_check_reminds(
    office: Office, wrong: dict[str, str | None], reason: str
) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    number = await _initiated(office, entry, **(BASIS | wrong))
    await _customs(office).done(ACKNOWLEDGE, {"n": number})
    refusal = await _desk(office).refused(ACTIVATE, {"n": number})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", reason)
    assert await _conclusion(office, code) == "REMIND"
    await _desk(office).done(ACTIVATE, {"n": number, **BASIS})
    assert await _conclusion(office, code) == "BLOCK"


async def test_r9_1_a_measure_counts_in_checks_of_its_matters_only(office: Office) -> None:
    code = await office.subject()
    await _effective(office, await office.listed(code, "BLACK"))
    assert await _conclusion(office, code) == "BLOCK"
    other = office.desk(purpose="GOVERNMENT_PROCUREMENT", matter="SW-CG-BID")
    assert (await other.done(RUN, {"code": code}))["runCreditCheck"]["conclusion"] == "REMIND"
    # Of a matter that is written otherwise no check would ever tell.
    given = {
        "entry": await office.listed(code, "BLACK"),
        "effect": "BLOCK",
        "by": "customs",
        "ends": "2027-11-22",
    }
    refusal = await _desk(office).refused(INITIATE, {**given, "matters": ["sw-xk-oil"]})
    assert (refusal["code"], refusal["argument"]) == ("BAD_USER_INPUT", "matters")


async def test_r9_1_its_handler_is_told_once_that_the_first_feedback_has_not_come(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK")
    silent, fed_back = await _effective(office, entry), await _effective(office, entry)
    await _customs(office).done(FEED, {"n": fed_back, "on": "2026-11-23"})
    read = "query E($n: String!) { case(number: $n) { ... on MeasureApplication { feedbackDue events { transition } } } }"

    async def marked(number: str) -> int:
        events = (await _desk(office).done(read, {"n": number}))["case"]["events"]
        return sum(one["transition"] == "deadline_passed" for one in events)

    # Its last day is the 23rd, in Qinghai.
    for now, told in (
        (at(2026, 12, 23, 23), 0),
        (at(2026, 12, 23, 23) + timedelta(hours=1), 1),
        (at(2027, 1, 24), 1),
    ):
        office.clock.now = now
        await remind_of_feedback(office.database.writer, registry().machines, now)
        assert (await marked(silent), await marked(fed_back)) == (told, 0)


async def test_r9_1_it_ends_by_itself_with_its_last_day(office: Office) -> None:
    code = await office.subject()
    number = await _effective(office, await office.listed(code, "BLACK"), ends="2026-12-01")
    office.clock.now = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)
    assert await _conclusion(office, code) == "BLOCK"
    public = office.desk("public", "PUBLIC_QUERY", None, None)
    assert (await public.done(READ, {"n": number}))["case"] == {"state": "EFFECTIVE", "endedOn": None}
    # 24:00 in Asia/Shanghai, before anything was written down.
    office.clock.now = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)
    assert await _conclusion(office, code) == "REMIND"
    assert (await public.done(READ, {"n": number}))["case"] is None
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    assert (await _desk(office).done(READ, {"n": number}))["case"] == {
        "state": "ENDED_TERM",
        "endedOn": "2026-12-01",
    }


async def test_r9_1_it_was_applied_on_no_day_after_its_last(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK")
    number = await _effective(office, entry, ends="2026-12-31")
    # Its end is not written down yet.
    office.clock.now = at(2027, 1, 4)
    refusal = await _customs(office).refused(FEED, {"n": number, "on": "2027-01-01"})
    assert (refusal["code"], refusal["reason"]) == ("GUARD_REFUSED", "APPLICATION_DAY_IMPOSSIBLE")
    await _customs(office).done(FEED, {"n": number, "on": "2026-12-31"})


async def test_r9_1_what_never_took_effect_ends_with_its_last_day_too(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK")
    numbers = [await _initiated(office, entry, ends="2026-12-01", **BASIS) for _ in range(2)]
    await _customs(office).done(ACKNOWLEDGE, {"n": numbers[1]})
    office.clock.now = datetime(2026, 12, 1, 15, 59, tzinfo=UTC)
    await duties(office).deadlines("")
    assert [await _state(office, one) for one in numbers] == ["INITIATED", "RECEIVED"]
    office.clock.now = datetime(2026, 12, 1, 16, 0, tzinfo=UTC)
    await duties(office).deadlines("")
    told = [(await _desk(office).done(READ, {"n": one}))["case"] for one in numbers]
    assert told == [{"state": "ENDED_TERM", "endedOn": "2026-12-01"}] * 2


async def test_r9_1_it_never_outlasts_the_entry(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK", publicity_ends_on=date(2027, 1, 31))
    given = {"entry": entry, "effect": "BLOCK", "by": "customs", "ends": "2029-01-01"}
    made = (await _desk(office).done(INITIATE, given))["initiateMeasure"]
    assert (made["ends"], made["entry"]) == ("2027-01-31", {"id": entry})


async def test_r9_1_it_never_begins_before_the_entry_was_recognized(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK", recognized_on=date(2026, 6, 1))
    given = {"entry": entry, "effect": "BLOCK", "by": "customs", "ends": "2027-01-01"}
    refused = await _desk(office).refused(INITIATE, given | {"begins": "2026-05-31"})
    assert refused["reason"] == "DAY_IMPOSSIBLE"
    await _desk(office).done(INITIATE, given | {"begins": "2026-06-01"})


async def test_a_measure_says_what_it_is(office: Office) -> None:
    entry = await office.listed(await office.subject(), "BLACK")
    given = {"entry": entry, "effect": "BLOCK", "by": "customs", "ends": "2027-01-01", "measure": "  "}
    refused = await _desk(office).refused(INITIATE, given)
    assert (refused["code"], refused["argument"]) == ("BAD_USER_INPUT", "measure")


async def test_r9_1_what_is_not_in_effect_is_its_parties_only(office: Office) -> None:
    number = await _initiated(office, await office.listed(await office.subject(), "BLACK"), **BASIS)
    for partner, purpose in (
        ("public", "PUBLIC_QUERY"),
        ("tax", "JOINT_PUNISHMENT"),
        ("mall", "MERCHANT_ADMISSION"),
    ):
        assert (await office.desk(partner, purpose, None, None).done(READ, {"n": number}))["case"] is None
    for desk in (_desk(office), _customs(office), office.desk("auditor", "AUDIT", "A-1", None)):
        assert (await desk.done(READ, {"n": number}))["case"]["state"] == "INITIATED"


@pytest.mark.parametrize(
    ("color", "effect", "reason"),
    [
        ("WATCH", "BLOCK", "WATCH_LIST_TRIGGERS_NO_MEASURE"),
        ("RED", "RESTRICT", "EFFECT_DOES_NOT_FIT_THE_LIST"),
        ("BLACK", "INCENTIVE", "EFFECT_DOES_NOT_FIT_THE_LIST"),
    ],
)
async def test_r9_1_the_list_decides_which_measures_fit(
    office: Office, color: str, effect: str, reason: str
) -> None:
    entry = await office.listed(await office.subject(), color)
    given = {"entry": entry, "effect": effect, "by": "customs", "ends": "2027-01-01", **BASIS}
    # Watch lists are not shown for joint punishment.
    desk = office.desk(purpose="ONGOING_SUPERVISION", case=None)
    assert (await desk.refused(INITIATE, given))["reason"] == reason


@pytest.mark.parametrize("implementer", ["public", "mall", "chamber", "auditor", "commerce-xining"])
async def test_r9_1_a_measure_goes_to_nobody_who_cannot_receive_it(office: Office, implementer: str) -> None:
    """It would wait for a receipt that nobody can give, and block nothing."""
    entry = await office.listed(await office.subject(), "BLACK")
    given = {"entry": entry, "effect": "BLOCK", "by": implementer, "ends": "2027-01-01", **BASIS}
    assert (await _desk(office).refused(INITIATE, given))["reason"] == "IMPLEMENTER_CANNOT_RECEIVE"


async def test_r9_1_only_an_entry_in_force_and_a_known_implementer(office: Office) -> None:
    code = await office.subject()
    gone = await office.listed(code, "BLACK", state="EXITED_REPAIRED")
    given = {"entry": gone, "effect": "BLOCK", "by": "customs", "ends": "2027-01-01", **BASIS}
    assert (await _desk(office).refused(INITIATE, given))["reason"] == "NO_ENTRY_IN_FORCE"
    there = await office.listed(code, "BLACK")
    assert (await _desk(office).refused(INITIATE, given | {"entry": there, "by": "nobody"}))["reason"] == (
        "IMPLEMENTER_UNKNOWN"
    )


async def test_r9_1_another_authority_cannot_acknowledge_it(office: Office) -> None:
    number = await _initiated(office, await office.listed(await office.subject(), "BLACK"), **BASIS)
    tax = office.desk("tax", "JOINT_PUNISHMENT", None, None)
    assert (await tax.refused(ACKNOWLEDGE, {"n": number}))["code"] == "CASE_UNKNOWN"


async def test_r9_1_off_the_list_its_measures_end_the_same_moment(office: Office) -> None:
    code = await office.subject()
    await office.defined("M-BLACK", "BLACK", max_publicity_months=36)
    desk = office.desk(purpose="ONGOING_SUPERVISION", case=None)
    office.clock.now -= timedelta(days=7)
    made = await desk.done(
        """mutation P($c: USCC!) { proposeListing(subject: $c, listCode: "M-BLACK", cause: "c",
        ground: MARKET_ORDER) { number } }""",
        {"c": code},
    )
    n = {"n": made["proposeListing"]["number"]}
    await desk.done(
        """mutation N($n: String!) { a: notifyListing(number: $n, documentNumber: "d", facts: "f", reasons: "r",
        basis: "b", measures: "m", rightToDefend: true) { state }
        b: serveListingNotice(number: $n, servedOn: "2026-11-16") { state } }""",
        n,
    )
    office.clock.now += timedelta(days=8)
    done = await desk.done(
        """mutation R($n: String!) { a: recognizeListing(number: $n, documentNumber: "d", repairNoticeNumber: "r") { state }
        b: publishListing(number: $n) { entry { id } } }""",
        n,
    )
    number = await _effective(office, done["b"]["entry"]["id"], begins="2026-11-24")
    assert await _conclusion(office, code) == "BLOCK"
    suspend = 'mutation S($n: String!) { suspendListing(number: $n, reason: "破产重整") { state } }'
    await desk.done(suspend, n)
    assert (await _state(office, number), await _conclusion(office, code)) == ("SUSPENDED", "GREEN_CHANNEL")
    await desk.done('mutation S($n: String!) { reinstateListing(number: $n, reason: "终结") { state } }', n)
    assert (await _state(office, number), await _conclusion(office, code)) == ("EFFECTIVE", "BLOCK")
    await desk.done(
        'mutation V($n: String!) { revokeListing(number: $n, reason: "撤", documentNumber: "d") { state } }',
        n,
    )
    assert (await _state(office, number), await _conclusion(office, code)) == ("ENDED_EXIT", "GREEN_CHANNEL")


async def test_r9_1_nothing_takes_effect_while_its_entry_is_not_in_force(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    number = await _initiated(office, entry, **BASIS)
    await _customs(office).done(ACKNOWLEDGE, {"n": number})
    change = "UPDATE list_entry SET state = $2 WHERE public_id = $1"
    await office.rows(change, entry[1:], "SUSPENDED")
    assert (await _desk(office).refused(ACTIVATE, {"n": number}))["reason"] == "NO_ENTRY_IN_FORCE"
    await office.rows(change, entry[1:], "PUBLISHED")
    await _desk(office).done(ACTIVATE, {"n": number})
    assert await _conclusion(office, code) == "BLOCK"


async def test_r9_1_what_left_its_list_by_its_source_blocks_no_more_and_ends(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    number = await _effective(office, entry)
    assert await _conclusion(office, code) == "BLOCK"
    # Another authority's list: the harvest supersedes the entry by one that has left.
    await office.rows("UPDATE list_entry SET state = 'EXITED_REPAIRED' WHERE public_id = $1", entry[1:])
    assert (await _state(office, number), await _conclusion(office, code)) == ("EFFECTIVE", "GREEN_CHANNEL")
    await _desk(office).done("mutation { recheckLists { outcome } }")
    assert await _state(office, number) == "ENDED_EXIT"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("state = 'EXITED_REPAIRED'", "ENDED_REPAIRED"),
        ("state = 'EXITED_REVOKED'", "ENDED_EXIT"),
        ("state = 'EXITED_EXPIRED'", "ENDED_EXIT"),
        ("publicity_ends_on = '2026-11-22'", "ENDED_EXIT"),
        ("superseded_at = now()", "ENDED_EXIT"),
        # Its source said the wrong firm.
        ("subject_id = (SELECT min(subject_id) FROM subject)", "ENDED_EXIT"),
        # What is suspended at its source may come back.
        ("state = 'SUSPENDED'", "EFFECTIVE"),
    ],
)
async def test_r9_1_no_measure_is_told_of_longer_than_its_entry_and_the_worker_ends_it(
    office: Office, change: str, state: str
) -> None:
    code = await office.subject()
    entry = await office.listed(code, "BLACK")
    number = await _effective(office, entry)
    public = office.desk("public", "PUBLIC_QUERY", None, None)
    assert (await public.done(READ, {"n": number}))["case"]["state"] == "EFFECTIVE"
    await office.rows(f"UPDATE list_entry SET {change} WHERE public_id = $1", entry[1:])
    assert (await public.done(READ, {"n": number}))["case"] is None
    effective = '{ cases(mechanism: MEASURE, state: "EFFECTIVE") { edges { node { number } } } }'
    tax = office.desk("tax", "JOINT_PUNISHMENT", None, None)
    nodes = (await tax.done(effective))["cases"]["edges"]
    assert number not in [one["node"]["number"] for one in nodes]
    assert await _conclusion(office, code) == "GREEN_CHANNEL"
    # Its implementer still has it.
    assert (await _customs(office).done(READ, {"n": number}))["case"]["state"] == "EFFECTIVE"
    await duties(office).deadlines("")
    assert await _state(office, number) == state
    assert (await public.done(READ, {"n": number}))["case"] is None


async def test_d9_a_measure_that_never_was_in_effect_is_no_ended_one_to_its_subject(office: Office) -> None:
    code = await demo_firm(office)
    entry = await office.listed(code, "BLACK")
    declined, lifted = await _initiated(office, entry, **BASIS), await _initiated(office, entry, **BASIS)
    proposed, ended = await _initiated(office, entry, **BASIS), await _effective(office, entry)
    decline = 'mutation D($n: String!) { declineMeasure(number: $n, reason: "不属本单位职权") { state } }'
    await _customs(office).done(decline, {"n": declined})
    lift = 'mutation L($n: String!) { liftMeasure(number: $n, reason: "已纠正") { state } }'
    for number in (lifted, ended):
        assert (await _desk(office).done(lift, {"n": number}))["liftMeasure"]["state"] == "ENDED_LIFTED"
    shown = {"OBJECTION_HANDLING": {ended}, "CREDIT_REPAIR": {ended}, "SELF_QUERY": set[str]()}
    for purpose, expected in shown.items():
        subject = office.desk("subject", purpose, None, None)
        edges = (await subject.done("{ cases(mechanism: MEASURE) { edges { node { number } } } }"))["cases"][
            "edges"
        ]
        found = {one["node"]["number"] for one in edges}
        assert found & {declined, lifted, proposed, ended} == expected, purpose
        for number in (declined, lifted, proposed, ended):
            told = (await subject.done(READ, {"n": number}))["case"]
            assert (told is not None) == (number in expected), purpose
    auditor = office.desk("auditor", "AUDIT", "A-1", None)
    for number in (declined, lifted, proposed, ended):
        assert (await auditor.done(READ, {"n": number}))["case"] is not None


async def test_r9_1_while_it_is_suspended_its_implementer_tells_what_it_did_and_that_it_stopped(
    office: Office,
) -> None:
    entry = await office.listed(await office.subject(), "BLACK")
    number = await _effective(office, entry)
    office.clock.now = at(2026, 11, 25)
    await _followed(office, entry, "suspend")
    assert (await _customs(office).done(READ, {"n": number}))["case"]["state"] == "SUSPENDED"
    fed = await _customs(office).done(FEED, {"n": number, "on": "2026-11-24"})
    assert fed["feedBackMeasure"]["state"] == "SUSPENDED"
    refused = await _customs(office).refused(STOPPED, {"n": number, "on": "2026-11-26"})
    assert (refused["code"], refused.get("reason")) == ("GUARD_REFUSED", "DAY_IMPOSSIBLE"), refused
    stopped = await _customs(office).done(STOPPED, {"n": number, "on": "2026-11-25"})
    # Its last day stays.
    expected = {"state": "SUSPENDED", "stoppedOn": "2026-11-25", "dueOn": "2027-11-22"}
    assert stopped["reportMeasureStopped"] == expected
    told = "query R($n: String!) { case(number: $n) { ... on MeasureApplication { state stoppedOn feedback { appliedOn } } } }"
    assert (await _desk(office).done(told, {"n": number}))["case"] == {
        "state": "SUSPENDED", "stoppedOn": "2026-11-25", "feedback": [{"appliedOn": "2026-11-24"}],
    }  # fmt: skip
    await _followed(office, entry, "resume")
    back = (await _desk(office).done(told, {"n": number}))["case"]
    assert (back["state"], back["stoppedOn"]) == ("EFFECTIVE", None)
    # What is in effect is applied.
    refused = await _customs(office).refused(STOPPED, {"n": number, "on": "2026-11-25"})
    assert refused["code"] == "TRANSITION_NOT_ALLOWED"
    # Ended meanwhile, it still says since when it had not been applied.
    await _followed(office, entry, "suspend")
    await _customs(office).done(STOPPED, {"n": number, "on": "2026-11-25"})
    await _followed(office, entry, "end_exit")
    over = (await _desk(office).done(told, {"n": number}))["case"]
    assert (over["state"], over["stoppedOn"]) == ("ENDED_EXIT", "2026-11-25")


async def test_r9_1_a_department_tells_that_it_stopped_its_own_suspended_measure(office: Office) -> None:
    """It is no receiver of measures: of the one that it implements itself it could tell nobody the day."""
    entry = await office.listed(await office.subject(), "BLACK")
    others, own = await _effective(office, entry), await _initiated(office, entry, **BASIS, by="commerce")
    take_over = "mutation T($n: String!) { takeOverMeasure(number: $n) { state } }"
    await _desk(office).done(take_over, {"n": own})
    await _desk(office).done(ACTIVATE, {"n": own})
    await _followed(office, entry, "suspend")
    report = STOPPED.replace("reportMeasureStopped", "reportOwnMeasureStopped")
    stopped = await _desk(office).done(report, {"n": own, "on": "2026-11-23"})
    told = stopped["reportOwnMeasureStopped"]
    assert (told["state"], told["stoppedOn"]) == ("SUSPENDED", "2026-11-23")
    refused = await _desk(office).refused(report, {"n": others, "on": "2026-11-23"})
    assert (refused["code"], refused["reason"]) == ("GUARD_REFUSED", "ANOTHER_IMPLEMENTS_IT")
