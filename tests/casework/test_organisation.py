"""Articles 十五 to 十七: plans, honest models on their way to a red list (R8.2, R8.3), trainings whose certificates repair needs (R9.2)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.registry import registry
from tests.casework.desk import Desk, Office
from tests.casework.promises import demo_firm, itself

PLAN = """
mutation P($t: [PlanTaskInput!]!, $e: Date!) { draftImplementationPlan(title: "西宁市实施方案", begins: "2026-11-23",
  ends: $e, responsible: "马某", post: "副局长", tasks: $t) {
  number state mechanism region responsible post openTasks dueOn tasks { place title responsible dueOn status } } }
"""
ADOPT = 'mutation A($n: String!) { adoptImplementationPlan(number: $n, documentNumber: "宁商〔2026〕1号") { state dueOn adoptedOn } }'
RECORD = """
mutation R($n: String!, $t: Int!, $s: PlanTaskStatus!, $note: String) {
  recordPlanTask(number: $n, task: $t, status: $s, note: $note) {
    state dueOn openTasks tasks { place status doneOn note } } }
"""
COMPLETE = "mutation C($n: String!) { completeImplementationPlan(number: $n) { state } }"
NOMINATE = """
mutation N($c: USCC!) { nominateHonestModel(subject: $c, nominatorKind: ASSOCIATION, nominator: "省家政协会", deeds: "连续五年无投诉") {
  number state mechanism subjectCode nominator nominatedBy } }
"""
ENDORSE = 'mutation E($n: String!) { endorseHonestModel(number: $n, opinion: "事迹属实") { state endorsement { officer opinion } } }'
REJECT = 'mutation J($n: String!) { rejectHonestModel(number: $n, reason: "事迹不实") { state endReason } }'
PROPOSE = """
mutation O($n: String!, $l: String!) { proposeHonestModel(number: $n, listCode: $l) {
  state listingNumber listing { number state definition { code color } } } }
"""
NOTIFY = """
mutation N($n: String!) { notifyListing(number: $n, documentNumber: "公示1号", facts: "事迹", reasons: "理由",
  basis: "意见第十六条", measures: "激励", rightToDefend: true) { state } }
"""
SERVE = 'mutation S($n: String!) { serveListingNotice(number: $n, servedOn: "2026-11-23") { state dueOn } }'
LOG = """
mutation L($d: Date!, $topic: String! = "信用修复") {
  logTraining(topic: $topic, organiser: "西宁市商务局", place: "西宁", heldOn: $d, hours: 8, officers: 3) {
  number state mechanism officers } }
"""
ATTEND = """
mutation T($n: String!, $c: USCC!, $h: Int!) { recordTrainingAttendance(number: $n, subject: $c, attendee: "经办", hours: $h) {
  state attendances { subjectCode subjectName hours certificate } } }
"""
STRIKE = """
mutation K($n: String!, $c: String!, $why: String! = "登记错企业") { strikeTrainingAttendance(number: $n, certificate: $c, reason: $why) {
  state attendances { subjectCode subjectName hours certificate } } }
"""
CLOSE = "mutation X($n: String!) { closeTraining(number: $n) { state } }"
READ = "query Q($n: String!) { case(number: $n) { number } }"
TASKS = [
    {"title": "凡办必查", "responsible": "市场科", "dueOn": "2026-12-31"},
    {"title": "承诺公示", "responsible": "流通科", "dueOn": "2026-12-10"},
]


def _xining(office: Office) -> Desk:
    return office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)


async def _readers(office: Office, number: str) -> set[str]:
    """The partners that get the case by its number."""
    found = set()
    for partner, purpose in (
        ("commerce", "ONGOING_SUPERVISION"), ("commerce-xining", "ONGOING_SUPERVISION"), ("auditor", "AUDIT"),
        ("reform", "ONGOING_SUPERVISION"), ("tax", "ONGOING_SUPERVISION"), ("public", "PUBLIC_QUERY"),
        ("mall", "MERCHANT_ADMISSION"),
    ):  # fmt: skip
        told = await office.desk(partner, purpose, "SW-JG", None).ask(READ, {"n": number})
        if told.get("data") and told["data"]["case"]:
            found.add(partner)
    return found


# ---- 十五 ------------------------------------------------------------------------------------------------------


async def _plan(office: Office, **more: Any) -> dict[str, Any]:
    made = await _xining(office).done(PLAN, {"t": TASKS, "e": "2027-06-30", **more})
    found: dict[str, Any] = made["draftImplementationPlan"]
    return found


async def test_article_15_a_plan_names_who_answers_for_it_and_ends_when_every_task_is_over(
    office: Office,
) -> None:
    plan = await _plan(office)
    number = plan["number"]
    assert (plan["state"], plan["region"], plan["responsible"], plan["openTasks"]) == (
        "DRAFT",
        "630100",
        "马某",
        2,
    )
    refused = await _xining(office).refused(RECORD, {"n": number, "t": 1, "s": "DONE"})
    assert refused["code"] == "TRANSITION_NOT_ALLOWED"
    adopted = (await _xining(office).done(ADOPT, {"n": number}))["adoptImplementationPlan"]
    # The task that is due next is the plan's deadline.
    assert (adopted["state"], adopted["dueOn"], adopted["adoptedOn"]) == (
        "ADOPTED",
        "2026-12-10",
        "2026-11-23",
    )
    assert (await _xining(office).refused(COMPLETE, {"n": number}))["reason"] == "TASKS_OPEN"
    assert (await _xining(office).refused(RECORD, {"n": number, "t": 3, "s": "DONE"}))[
        "reason"
    ] == "TASK_UNKNOWN"
    dropped = {"n": number, "t": 1, "s": "DROPPED"}
    assert (await _xining(office).refused(RECORD, dropped))["reason"] == "NOTE_MISSING"
    told = (await _xining(office).done(RECORD, {"n": number, "t": 2, "s": "DONE"}))["recordPlanTask"]
    assert (told["dueOn"], told["openTasks"], told["tasks"][1]["doneOn"]) == ("2026-12-31", 1, "2026-11-23")
    told = (await _xining(office).done(RECORD, {**dropped, "note": "并入省级方案"}))["recordPlanTask"]
    assert (told["dueOn"], told["openTasks"], told["tasks"][0]["note"]) == (None, 0, "并入省级方案")
    done = await _xining(office).done(COMPLETE, {"n": number})
    assert done["completeImplementationPlan"]["state"] == "COMPLETED"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
async def test_a_day_that_the_store_reads_as_none_is_no_day_of_a_case(office: Office, day: str) -> None:
    task = {**TASKS[0], "dueOn": day}
    given = {"t": [task], "e": "9999-12-31" if day > "2026" else "2027-06-30"}
    told = await _xining(office).refused(PLAN, given)
    assert (told["code"], told["argument"]) == ("BAD_USER_INPUT", "tasks" if day < "2026" else "ends")


async def test_r7_2_a_case_that_holds_such_a_day_keeps_nobody_from_what_is_due(office: Office) -> None:
    number = (await _plan(office))["number"]
    await _xining(office).done(ADOPT, {"n": number})
    await office.rows("UPDATE case_file SET due_on = 'infinity' WHERE number = $1", number)
    page = (
        "{ cases(mechanism: IMPLEMENTATION_PLAN, first: 50) { edges { node { number workingDaysLeft } } } }"
    )
    edges = (await _xining(office).done(page))["cases"]["edges"]
    assert {"number": number, "workingDaysLeft": None} in [one["node"] for one in edges]


async def test_article_15_a_task_that_is_late_is_marked_and_a_plan_is_for_its_departments_alone(
    office: Office,
) -> None:
    number = (await _plan(office))["number"]
    assert await _readers(office, number) == {"commerce", "commerce-xining", "auditor"}
    await _xining(office).done(ADOPT, {"n": number})
    office.clock.now += timedelta(days=18)
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    rows = await office.rows(
        "SELECT transition FROM case_event JOIN case_file USING (case_id) WHERE number = $1 ORDER BY event_id",
        number,
    )
    assert rows[-1]["transition"] == "deadline_passed"
    # The department that it goes to reads it; it does not work on it.
    assert (await office.desk(purpose="ONGOING_SUPERVISION", case=None).refused(COMPLETE, {"n": number}))[
        "code"
    ] == "FORBIDDEN"


async def test_article_15_a_plan_without_names_or_with_tasks_outside_its_days_is_refused(
    office: Office,
) -> None:
    bare, unseen = {**TASKS[0], "responsible": " "}, {**TASKS[0], "title": "\u200b"}
    for more in ({"e": "2026-12-01"}, {"t": []}, {"t": [bare]}, {"t": [unseen]}):
        refusal = await _xining(office).refused(PLAN, {"t": TASKS, "e": "2027-06-30", **more})
        assert refusal["code"] == "BAD_USER_INPUT"


# ---- 十六 ------------------------------------------------------------------------------------------------------


async def _nominated(office: Office, code: str) -> str:
    made = (await _xining(office).done(NOMINATE, {"c": code}))["nominateHonestModel"]
    assert (made["state"], made["mechanism"], made["subjectCode"]) == ("NOMINATED", "HONEST_MODEL", code)
    number: str = made["number"]
    return number


async def _lists(office: Office) -> None:
    await office.defined("M-RED", "RED", "POLICY", max_publicity_months=12)
    await office.defined("M-WATCH", "WATCH", "RULE")


async def test_r8_2_a_nomination_is_reviewed_by_a_second_person_and_only_proposes_a_place(
    office: Office,
) -> None:
    await _lists(office)
    code = await office.subject()
    number = await _nominated(office, code)
    desk, asked = _xining(office), {"n": number, "l": "M-RED"}
    assert (await desk.refused(PROPOSE, asked))["code"] == "TRANSITION_NOT_ALLOWED"
    assert (await desk.refused(ENDORSE, {"n": number}))["reason"] == "SECOND_PERSON_NEEDED"
    assert (await desk.refused(NOMINATE, {"c": code}))["reason"] == "NOMINATED_ALREADY"
    told = (await desk.second().done(ENDORSE, {"n": number}))["endorseHonestModel"]
    assert (told["state"], told["endorsement"]["opinion"]) == ("ENDORSED", "事迹属实")
    assert (await desk.refused(PROPOSE, {**asked, "l": "M-WATCH"}))["reason"] == "NOT_A_RED_LIST"
    # Not for want of a ground, which this command has no place for.
    await office.defined("M-BLACK", "BLACK")
    assert (await desk.refused(PROPOSE, {**asked, "l": "M-BLACK"}))["reason"] == "NOT_A_RED_LIST"
    assert (await desk.refused(PROPOSE, {**asked, "l": "NONE"}))["reason"] == "LIST_UNKNOWN"
    # What was refused has left no proposal behind.
    assert await office.rows("SELECT 1 FROM case_file WHERE mechanism = 'LIST_ENTRY'") == []
    made = (await desk.done(PROPOSE, asked))["proposeHonestModel"]
    assert (made["state"], made["listing"]["state"]) == ("PROPOSED", "PROPOSED")
    assert made["listing"]["number"] == made["listingNumber"]
    assert made["listing"]["definition"] == {"code": "M-RED", "color": "RED"}
    # Nothing is on a list yet: notice, objections, recognition and publication are the red list's own steps.
    assert await office.rows("SELECT 1 FROM list_entry WHERE list_code = 'M-RED'") == []
    listing = {"n": made["listingNumber"]}
    await desk.done(NOTIFY, listing)
    assert (await desk.done(SERVE, listing))["serveListingNotice"]["state"] == "OBJECTION_PERIOD"


async def test_r8_3_who_is_in_doubt_is_no_honest_model_until_the_row_is_understood(office: Office) -> None:
    code = await office.subject()
    number = await _nominated(office, code)
    doubt = "UPDATE subject SET in_doubt = $2::text::jsonb WHERE uscc = $1"
    await office.rows(doubt, code, '{"D10": ["CREDIT_PLATFORM"]}')
    second = _xining(office).second()
    assert (await second.refused(ENDORSE, {"n": number}))["reason"] == "SOURCE_MISSING"
    await office.rows(doubt, code, None)
    assert (await second.done(ENDORSE, {"n": number}))["endorseHonestModel"]["state"] == "ENDORSED"


async def test_r8_3_what_bars_a_place_on_a_red_list_bars_the_nomination(office: Office) -> None:
    code = await office.subject()
    number = await _nominated(office, code)
    await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    second = _xining(office).second()
    assert (await second.refused(ENDORSE, {"n": number}))["reason"] == "SERIOUS_ADVERSE_RECORD"
    told = (await second.done(REJECT, {"n": number}))["rejectHonestModel"]
    assert (told["state"], told["endReason"]) == ("REJECTED", "事迹不实")
    assert (await second.refused(ENDORSE, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"


async def test_article_16_a_nomination_is_for_its_handling_unit_and_auditors_alone(office: Office) -> None:
    number = await _nominated(office, await office.subject())
    assert await _readers(office, number) == {"commerce-xining", "auditor"}
    stranger = office.desk(purpose="ONGOING_SUPERVISION", case=None)
    assert (await stranger.refused(ENDORSE, {"n": number}))["code"] == "CASE_UNKNOWN"


async def test_d38_a_subject_is_told_of_its_nomination_when_the_red_lists_notice_tells_it(
    office: Office,
) -> None:
    await _lists(office)
    number = await _nominated(office, await demo_firm(office))
    desk, subject = _xining(office), itself(office)

    async def told() -> bool:
        return (await subject.done(READ, {"n": number}))["case"] is not None

    assert not await told()
    await desk.second().done(ENDORSE, {"n": number})
    assert not await told()
    made = (await desk.done(PROPOSE, {"n": number, "l": "M-RED"}))["proposeHonestModel"]
    assert not await told()
    listing = {"n": made["listingNumber"]}
    await desk.done(NOTIFY, listing)
    assert not await told()
    await desk.done(SERVE, listing)
    assert await told()
    kind = "query K($n: String!) { case(number: $n) { ... on HonestModelNomination { %s } } }"
    assert (await subject.done(kind % "deeds listing { state }", {"n": number}))["case"] == {
        "deeds": "连续五年无投诉",
        "listing": {"state": "OBJECTION_PERIOD"},
    }
    for internal in ("nominatedBy", "endorsement { opinion }"):
        assert "errors" in await subject.ask(kind % internal, {"n": number})


# ---- 十七 ------------------------------------------------------------------------------------------------------


async def test_r9_2_a_training_gives_each_firm_a_certificate_that_repair_can_name(office: Office) -> None:
    code, other = await office.subject(), await office.subject()
    desk = _xining(office)
    assert (await desk.refused(LOG, {"d": "2026-11-24", "topic": "\u200b"}))["argument"] == "topic"
    training = (await desk.done(LOG, {"d": "2026-11-24"}))["logTraining"]
    number = training["number"]
    assert (training["state"], training["officers"]) == ("PLANNED", 3)
    assert (await desk.refused(ATTEND, {"n": number, "c": code, "h": 8}))["reason"] == "NOT_HELD_YET"
    assert (await desk.refused(CLOSE, {"n": number}))["reason"] == "NOT_HELD_YET"
    office.clock.now += timedelta(days=1)
    for hours in (0, 9):
        assert (await desk.refused(ATTEND, {"n": number, "c": code, "h": hours}))[
            "reason"
        ] == "HOURS_IMPOSSIBLE"
    await desk.done(ATTEND, {"n": number, "c": code, "h": 8})
    assert (await desk.refused(ATTEND, {"n": number, "c": code, "h": 8}))["reason"] == "RECORDED_ALREADY"
    told = (await desk.done(ATTEND, {"n": number, "c": other, "h": 4}))["recordTrainingAttendance"]
    assert [(one["subjectCode"], one["hours"], one["certificate"]) for one in told["attendances"]] == [
        (code, 8, f"{number}/001"), (other, 4, f"{number}/002"),
    ]  # fmt: skip
    unknown = await desk.refused(ATTEND, {"n": number, "c": "91350100M000100Y43", "h": 8})
    assert unknown["code"] == "SUBJECT_UNKNOWN"
    assert (await desk.done(CLOSE, {"n": number}))["closeTraining"]["state"] == "HELD"
    assert await _readers(office, number) == {"commerce", "commerce-xining", "auditor"}


async def test_r9_2_a_firm_of_another_region_that_attended_a_training_has_its_certificate(
    office: Office,
) -> None:
    near, far, desk = await office.subject(), await office.subject(region="630202"), _xining(office)
    number = (await desk.done(LOG, {"d": "2026-11-23"}))["logTraining"]["number"]
    for code in (near, far):
        told = (await desk.done(ATTEND, {"n": number, "c": code, "h": 8}))["recordTrainingAttendance"]
    assert [one["subjectCode"] for one in told["attendances"]] == [near, far]
    # One that moved since is told by what stands against it, too.
    await office.rows("UPDATE subject SET region_code = '630202' WHERE uscc = $1", near)
    assert (await desk.refused(ATTEND, {"n": number, "c": near, "h": 8}))["reason"] == "RECORDED_ALREADY"


async def test_article_17_a_firm_recorded_by_mistake_is_struck_and_its_certificate_is_nobodys(
    office: Office,
) -> None:
    wrong, right, desk = await office.subject(), await office.subject(), _xining(office)
    number = (await desk.done(LOG, {"d": "2026-11-23"}))["logTraining"]["number"]
    await desk.done(ATTEND, {"n": number, "c": wrong, "h": 8})
    cancel = 'mutation C($n: String!) { cancelTraining(number: $n, reason: "误登") { state } }'
    assert (await desk.refused(cancel, {"n": number}))["reason"] == "ATTENDANCES_RECORDED"
    first = {"n": number, "c": f"{number}/001"}
    assert (await desk.refused(STRIKE, {**first, "why": "\u200b"}))["code"] == "INPUT_MISSING"
    assert (await office.desk().refused(STRIKE, first))["code"] == "FORBIDDEN", "it is Xining's log"
    assert (await desk.done(STRIKE, first))["strikeTrainingAttendance"]["attendances"] == []
    assert (await desk.refused(STRIKE, first))["reason"] == "CERTIFICATE_UNKNOWN"
    told = (await desk.done(ATTEND, {"n": number, "c": right, "h": 8}))["recordTrainingAttendance"]
    assert [one["certificate"] for one in told["attendances"]] == [f"{number}/002"]
    assert (await desk.done(ATTEND, {"n": number, "c": wrong, "h": 8}))["recordTrainingAttendance"]
    events = "query E($n: String!) { case(number: $n) { events { transition reason } } }"
    told = (await desk.done(events, {"n": number}))["case"]["events"]
    assert {"transition": "strike", "reason": "登记错企业"} in told
    await desk.done(STRIKE, {"n": number, "c": f"{number}/002"})
    await desk.done(STRIKE, {"n": number, "c": f"{number}/003"})
    assert (await desk.done(cancel, {"n": number}))["cancelTraining"]["state"] == "CANCELLED"
