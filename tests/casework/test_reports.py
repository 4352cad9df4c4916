"""The quarterly report (article 十八): R18.1 to R18.3 and acceptance 15, over HTTP, from the quarter's end to acceptance."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework.clock import automatic, keep_time
from hub.casework.registry import registry
from hub.casework.reports.commands import open_reports
from tests.casework.desk import Desk, Office
from tests.casework.test_publicity import reviewed, took

FIELDS = """
  id number state mechanism dueOn year quarter region regionName target lateFrom standing openFigures departments departmentNames
  submittedAt submittedBy resubmittedAt returnReason acceptedAt prefilledAt subject { __typename }
  warnings { day workBefore provisional }
  figures { code nameZh kind prefilled part whole drill stated value text reason statedBy shares { key label count } }
"""
OPEN = f"mutation O($y: Int!, $q: Int!) {{ openQuarterlyReport(year: $y, quarter: $q) {{ {FIELDS} }} }}"
PREFILL = f"mutation P($n: String!) {{ prefillQuarterlyReport(number: $n) {{ {FIELDS} }} }}"
STATE = (
    "mutation S($n: String!, $f: [ReportFigureInput!]!) {"
    f" stateReportFigures(number: $n, figures: $f) {{ {FIELDS} }} }}"
)
SUBMIT = f"mutation U($n: String!) {{ submitQuarterlyReport(number: $n) {{ {FIELDS} }} }}"
RETURN = (
    f'mutation R($n: String!) {{ returnQuarterlyReport(number: $n, reason: "红名单数有误") {{ {FIELDS} }} }}'
)
ACCEPT = f"mutation A($n: String!) {{ acceptQuarterlyReport(number: $n) {{ {FIELDS} }} }}"
READ = f"query C($n: String!) {{ case(number: $n) {{ ... on QuarterlyReport {{ {FIELDS} }} }} }}"
DRILL = """
query D($f: String!, $after: String) { cases(countedIn: $f, first: 2, after: $after) {
  edges { node { number mechanism } } pageInfo { hasNextPage endCursor } } }
"""
CHECK = "mutation K($c: USCC!) { runCreditCheck(subject: $c) { number conclusion purpose } }"


def _xining(office: Office) -> Desk:
    return office.desk("commerce-xining", "STATISTICS", "SW-TJ", None)


def _province(office: Office) -> Desk:
    return office.desk("commerce", "STATISTICS", "SW-TJ", None)


def _at(office: Office, year: int, month: int, day: int, hour: int = 10) -> None:
    office.clock.now = datetime(year, month, day, hour, tzinfo=SHANGHAI).astimezone(UTC)


async def _opened(office: Office, year: int, quarter: int) -> dict[str, Any]:
    found: dict[str, Any] = (await _xining(office).done(OPEN, {"y": year, "q": quarter}))[
        "openQuarterlyReport"
    ]
    return found


async def _confirmed(office: Office, report: dict[str, Any]) -> dict[str, Any]:
    """All figures as they are, with words for the typical cases."""
    figures = [
        {"code": one["code"], "text": "无典型案例"} if one["kind"] == "TEXT" else {"code": one["code"]}
        for one in report["figures"]
    ]
    made = await _xining(office).done(STATE, {"n": report["number"], "f": figures})
    found: dict[str, Any] = made["stateReportFigures"]
    return found


async def _events(office: Office, number: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await office.rows(
        "SELECT transition, payload FROM case_event JOIN case_file USING (case_id) WHERE number = $1 ORDER BY event_id",
        number,
    )
    return [(row["transition"], json.loads(row["payload"])) for row in rows]


def _figure(report: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report["figures"] if one["code"] == code)
    return found


# ---- R18.1: opening, the day, reminders, lateness --------------------------------------------------------------


async def test_acceptance_15_the_report_on_q3_of_2026_is_due_on_a_working_saturday_and_reminded_of_on_9_october(
    office: Office,
) -> None:
    machines = registry().machines
    _at(office, 2026, 9, 30, 23)
    await open_reports(office.database.writer, machines, office.clock.now)
    _at(office, 2026, 10, 1, 0)
    # Two workers at once, and again later: one report.
    opened = await asyncio.gather(
        *(open_reports(office.database.writer, machines, office.clock.now) for _ in range(2))
    )
    assert sum(opened) == 1
    assert await open_reports(office.database.writer, machines, office.clock.now) == 0
    report = await _opened(office, 2026, 3)
    assert (report["state"], report["mechanism"], report["region"]) == (
        "PREFILLED",
        "QUARTERLY_REPORT",
        "630100",
    )
    # 2026-10-10 is a Saturday that is worked: no shift and no warning.
    assert (report["dueOn"], report["target"], report["warnings"]) == ("2026-10-10", "2026-10-09", [])
    assert datetime.fromisoformat(report["lateFrom"]) == datetime(2026, 10, 11, tzinfo=SHANGHAI)
    reminded = []
    for day in range(1, 14):
        for hour in (0, 9, 23):
            _at(office, 2026, 10, day, hour)
            before = len(await _events(office, report["number"]))
            await keep_time(office.database.writer, machines, automatic(), office.clock.now)
            reminded += [(day, hour, name) for name, _ in (await _events(office, report["number"]))[before:]]
    assert reminded == [(5, 0, "deadline_near"), (9, 0, "deadline_near"), (11, 0, "deadline_passed")]


async def test_r18_2_a_rest_day_is_warned_of_reminded_before_and_moves_nothing(office: Office) -> None:
    _at(office, 2026, 1, 2)
    report = await _opened(office, 2025, 4)
    assert report["dueOn"] == "2026-01-10"
    assert report["warnings"] == [{"day": "2026-01-10", "workBefore": "2026-01-09", "provisional": False}]
    for day in range(2, 11):
        _at(office, 2026, 1, day)
        await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    near = [told["on"] for name, told in await _events(office, report["number"]) if name == "deadline_near"]
    assert near == ["2026-01-05", "2026-01-09"]


async def test_r18_1_it_is_late_from_the_11th_0_00(office: Office) -> None:
    _at(office, 2026, 7, 11, 0)
    report = await _opened(office, 2026, 2)
    await _confirmed(office, report)
    sent = (await _xining(office).done(SUBMIT, {"n": report["number"]}))["submitQuarterlyReport"]
    assert (sent["state"], sent["standing"]) == ("SUBMITTED", "LATE")


async def test_r18_1_submitted_on_the_last_day_it_is_on_time_and_a_return_does_not_make_it_late(
    office: Office,
) -> None:
    _at(office, 2026, 4, 10, 23)
    office.clock.now += timedelta(minutes=59, seconds=59)
    report = await _opened(office, 2026, 1)
    await _confirmed(office, report)
    sent = (await _xining(office).done(SUBMIT, {"n": report["number"]}))["submitQuarterlyReport"]
    assert (sent["state"], sent["standing"], sent["dueOn"]) == ("SUBMITTED", "ON_TIME", None)
    assert sent["submittedBy"]
    # Only the department that it is made to gives it back or accepts it.
    assert (await _xining(office).refused(ACCEPT, {"n": report["number"]}))["code"] == "FORBIDDEN"
    _at(office, 2026, 4, 13)
    back = (await _province(office).done(RETURN, {"n": report["number"]}))["returnQuarterlyReport"]
    assert (back["state"], back["returnReason"], back["dueOn"]) == ("RETURNED", "红名单数有误", "2026-04-16")
    assert (await _province(office).refused(ACCEPT, {"n": report["number"]}))[
        "code"
    ] == "TRANSITION_NOT_ALLOWED"
    again = (await _xining(office).done(SUBMIT, {"n": report["number"]}))["submitQuarterlyReport"]
    assert (again["standing"], again["submittedAt"]) == ("ON_TIME", sent["submittedAt"])
    assert again["resubmittedAt"] is not None
    done = (await _province(office).done(ACCEPT, {"n": report["number"]}))["acceptQuarterlyReport"]
    assert (done["state"], done["returnReason"]) == ("ACCEPTED", None)
    assert (await _xining(office).refused(PREFILL, {"n": report["number"]}))[
        "code"
    ] == "TRANSITION_NOT_ALLOWED"


async def test_r18_1_no_report_before_the_quarter_is_over_by_a_stranger_or_on_no_quarter(
    office: Office,
) -> None:
    _at(office, 2026, 9, 30, 23)
    asked = {"y": 2026, "q": 3}
    assert (await _xining(office).refused(OPEN, asked))["reason"] == "QUARTER_NOT_OVER"
    assert (await _xining(office).refused(OPEN, {"y": 2026, "q": 5}))["code"] == "BAD_USER_INPUT"
    assert (await _xining(office).refused(OPEN, {"y": 10**9, "q": 1}))["code"] == "BAD_USER_INPUT"
    assert (await _xining(office).refused(OPEN, {"y": 2018, "q": 1}))["reason"] == "NO_REPORT_WAS_DUE"
    # The province's own division has no such command at all.
    assert (await _province(office).refused(OPEN, {"y": 2026, "q": 2}))["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_r18_1_a_report_is_seen_by_its_reporter_the_department_and_auditors_alone(
    office: Office,
) -> None:
    report = await _opened(office, 2026, 2)
    asked = {"n": report["number"]}
    for desk in (_xining(office), _province(office), office.desk("auditor", "AUDIT", "SJ-1", None)):
        assert (await desk.done(READ, asked))["case"]["number"] == report["number"]
    listed = "query L($m: Mechanism) { cases(mechanism: $m) { edges { node { number } } } }"
    for partner, purpose in (
        ("reform", "STATISTICS"),
        ("customs", "ONGOING_SUPERVISION"),
        ("tax", "NOTIFICATION"),
    ):
        told = await office.desk(partner, purpose, "SW-TJ", None).ask(listed, {"m": "QUARTERLY_REPORT"})
        assert "errors" in told or told["data"]["cases"]["edges"] == []
    # A department of another region, with the same rights otherwise, gets nothing by number either.
    await office.rows(
        "WITH moved AS (UPDATE case_file SET region_code = '630200' WHERE number = $1 RETURNING case_id) UPDATE"
        " case_party SET partner = 'commerce-haidong' WHERE partner = 'commerce-xining' AND case_id IN (TABLE moved)",
        report["number"],
    )
    try:
        assert (await _xining(office).done(READ, asked))["case"] is None
        drill = {"f": f"{report['number']}/CHECKS"}
        assert (await _xining(office).done(DRILL, drill))["cases"]["edges"] == []
        for command in (PREFILL, SUBMIT):
            assert (await _xining(office).refused(command, asked))["code"] == "CASE_UNKNOWN"
        unknown = await _xining(office).refused(SUBMIT, {"n": "QHJB-2026-0000-0000-0000"})
        assert unknown == await _xining(office).refused(SUBMIT, asked)
    finally:
        await office.rows("UPDATE case_file SET region_code = '630100' WHERE region_code = '630200'")
        await office.rows(
            "UPDATE case_party SET partner = 'commerce-xining' WHERE partner = 'commerce-haidong'"
        )


# ---- R18.3: figures --------------------------------------------------------------------------------------------


async def _work_of_a_quarter(office: Office) -> dict[str, list[str]]:
    """Xining and the province work in the third quarter of 2026; the numbers of Xining's cases by kind."""
    done: dict[str, list[str]] = {"checks": [], "listed": []}
    _at(office, 2026, 8, 3)
    code = await office.subject()
    blocked = await office.subject()
    await office.defined("R-RED", "RED", "POLICY", max_publicity_months=12)
    await office.defined("R-BLACK", "BLACK", max_publicity_months=36)
    licensing = office.desk("commerce-xining")
    for subject in (code, code, blocked):
        done["checks"].append((await licensing.done(CHECK, {"c": subject}))["runCreditCheck"]["number"])
    # Of the province: in nobody's report.
    await office.desk().done(CHECK, {"c": code})
    work = office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)
    # For black lists the province recognizes, so its report alone counts them.
    desks = (work, office.desk("commerce", "ONGOING_SUPERVISION", "SW-JG", None))
    asked = ((code, "R-RED", None), (blocked, "R-BLACK", "REFUSAL_OF_DUTIES"))
    for desk, (subject, name, ground) in zip(desks, asked, strict=True):
        made = await desk.done(
            "mutation P($c: USCC!, $l: String!, $g: BlackListGround) { proposeListing(subject: $c, listCode: $l,"
            ' cause: "事由", ground: $g) { number } }',
            {"c": subject, "l": name, "g": ground},
        )
        number = made["proposeListing"]["number"]
        done["listed"].append(number)
        await desk.done(
            'mutation N($n: String!) { notifyListing(number: $n, documentNumber: "告1号", facts: "a", reasons: "b",'
            ' basis: "c", measures: "d", rightToDefend: true) { state } }',
            {"n": number},
        )
        await desk.done(
            'mutation S($n: String!) { serveListingNotice(number: $n, servedOn: "2026-08-03") { state } }',
            {"n": number},
        )
    office.clock.now += timedelta(days=14)
    for number, desk in zip(done["listed"], desks, strict=True):
        await desk.second().done(
            'mutation R($n: String!) { recognizeListing(number: $n, documentNumber: "认1号",'
            ' repairNoticeNumber: "修1号") { state } }',
            {"n": number},
        )
        await desk.done("mutation U($n: String!) { publishListing(number: $n) { state } }", {"n": number})
    entry = (
        await desks[1].done(
            "query E($n: String!) { case(number: $n) { ... on ListingCase { entry { id } } } }",
            {"n": done["listed"][1]},
        )
    )["case"]["entry"]["id"]
    measures = []
    for _ in range(3):
        made = await work.done(
            'mutation M($e: ID!) { initiateMeasure(entry: $e, measure: "M-FUND", effect: RESTRICT,'
            ' nationalCatalogueCode: "NC-06", legalBasis: "条例第40条", basisLevel: REGULATION, implementer: "commerce-xining",'
            ' begins: "2026-08-17", ends: "2027-08-17") { number } }',
            {"e": entry},
        )
        measures.append(made["initiateMeasure"]["number"])
        await work.done(
            "mutation T($n: String!) { takeOverMeasure(number: $n) { state } }", {"n": measures[-1]}
        )
        await work.done(
            'mutation A($n: String!) { activateMeasure(number: $n, legalBasisCheckedOn: "2026-08-17") { state } }',
            {"n": measures[-1]},
        )
    await work.done(
        'mutation F($n: String!) { feedBackOwnMeasure(number: $n, appliedOn: "2026-08-17", caseNumber: "办1号",'
        ' result: "已限制") { state } }',
        {"n": measures[0]},
    )
    await work.done(
        'mutation L($n: String!) { liftMeasure(number: $n, reason: "已履行") { state } }', {"n": measures[1]}
    )
    done["measures"] = measures
    done["publicity"] = await _publicity(office, work, code)
    # The next quarter: the red entry is annulled, another check is run.
    _at(office, 2026, 10, 2)
    await work.second().done(
        'mutation V($n: String!) { revokeListing(number: $n, reason: "核实有误", documentNumber: "撤1号") { state } }',
        {"n": done["listed"][0]},
    )
    await licensing.done(CHECK, {"c": code})
    return done


async def _publicity(office: Office, work: Desk, code: str) -> list[str]:
    """One shown in time, one late, one not at all; one published in time that the portal did not take in time (R7.1).

    Their seven working days end in the quarter.
    """
    numbers = []
    for days, sites in ((0, 2), (21, 2), (None, 0), (0, 1)):
        _at(office, 2026, 8, 18)
        made = await work.done(
            "mutation D($c: USCC!, $n: String!) {"
            ' draftPublicity(subject: $c, kind: LICENSE, title: "行政许可", decisionNumber: $n,'
            ' decidedOn: "2026-08-18", authority: "西宁市商务局", text: "准予许可") { number } }',
            {"c": code, "n": f"许{len(numbers)}号"},
        )
        number = made["draftPublicity"]["number"]
        numbers.append(number)
        if days is None:
            continue
        office.clock.now += timedelta(days=days)
        await work.done("mutation S($n: String!) { submitPublicity(number: $n) { state } }", {"n": number})
        second = work.second()
        await second.done(
            'mutation P($n: String!) { passSecrecyReview(number: $n, opinion: "无") { state } }',
            {"n": number},
        )
        await second.done(
            'mutation A($n: String!) { approvePublicity(number: $n, opinion: "可") { state } }', {"n": number}
        )
        await work.done("mutation U($n: String!) { publishDecision(number: $n) { state } }", {"n": number})
        await office.rows(
            "UPDATE delivery_out SET state = 'ACKNOWLEDGED', acknowledged_at = $1 FROM case_file c"
            " WHERE c.number = $2 AND c.case_id = delivery_out.case_id AND channel = ANY ($3)",
            office.clock.now, number, ["OWN_SITE", "GOVERNMENT_PORTAL"][:sites],
        )  # fmt: skip
    _at(office, 2026, 9, 20)
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    return numbers


_TRANSITIONS = """
SELECT count(*) AS n FROM case_event e JOIN case_file c USING (case_id) WHERE c.owner = 'commerce-xining'
  AND c.mechanism = $1 AND e.transition = ANY ($2) AND coalesce(c.details->'definition'->>'color', '') = $3
  AND (e.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN '2026-07-01' AND '2026-09-30'
"""


async def test_r18_3_figures_equal_a_recount_from_events_and_lead_to_the_cases(office: Office) -> None:
    done = await _work_of_a_quarter(office)
    report = await _opened(office, 2026, 3)
    report = (await _xining(office).done(PREFILL, {"n": report["number"]}))["prefillQuarterlyReport"]
    assert (report["departments"], report["departmentNames"]) == (["commerce-xining"], ["西宁市商务局"])
    told = {one["code"]: one["prefilled"] for one in report["figures"]}
    for code, mechanism, transitions, color in (
        ("CHECKS", "CHECK", ["open"], ""),
        ("RED_IN", "LIST_ENTRY", ["publish"], "RED"),
        ("RED_OUT", "LIST_ENTRY", ["revoke", "expire", "disqualify", "give_up"], "RED"),
        ("BLACK_IN", "LIST_ENTRY", ["publish"], "BLACK"),
        ("BLACK_OUT", "LIST_ENTRY", ["revoke", "expire", "repair"], "BLACK"),
        ("MEASURES_APPLIED", "MEASURE", ["activate"], ""),
        ("MEASURES_LIFTED", "MEASURE", ["lift", "expire", "end_exit", "end_repair"], ""),
    ):
        (row,) = await office.rows(_TRANSITIONS, mechanism, transitions, color)
        assert told[code] == row["n"], code
    # And as the story goes: the province's check and what came later are in none of them.
    assert {name: told[name] for name in ("CHECKS", "RED_IN", "RED_OUT", "RED_CURRENT", "BLACK_CURRENT")} == {
        "CHECKS": 3, "RED_IN": 1, "RED_OUT": 0, "RED_CURRENT": 1, "BLACK_CURRENT": 0,
    }  # fmt: skip
    assert (told["MEASURES_APPLIED"], told["MEASURES_LIFTED"]) == (3, 1)
    fed = _figure(report, "MEASURES_FEEDBACK")
    assert (fed["prefilled"], fed["part"], fed["whole"]) == (0.3333, 1, 3)
    timely = _figure(report, "PUBLICITY_ON_TIME")
    assert (timely["prefilled"], timely["part"], timely["whole"]) == (0.25, 1, 4)
    assert [(one["label"], one["count"]) for one in timely["shares"]] == [("按期", 1), ("逾期", 3)]
    checks = _figure(report, "CHECKS")
    assert sum(one["count"] for one in checks["shares"]) == 3
    assert all(one["label"].startswith("行政许可 / ") for one in checks["shares"])
    assert _figure(report, "MEASURES_APPLIED")["shares"] == [{"key": "M-FUND", "label": "M-FUND", "count": 3}]
    for code, numbers in (
        ("CHECKS", done["checks"]), ("RED_CURRENT", done["listed"][:1]), ("BLACK_IN", []),
        ("MEASURES_APPLIED", done["measures"]), ("PUBLICITY_ON_TIME", done["publicity"]), ("RED_OUT", []),
    ):  # fmt: skip
        assert sorted(await _drilled(_xining(office), _figure(report, code)["drill"])) == sorted(numbers), (
            code
        )


async def test_r7_1_r18_3_what_an_officer_does_late_while_no_worker_runs_counts_in_the_quarter_of_its_last_day(
    office: Office,
) -> None:
    work = office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)
    code, numbers = await office.subject(), []
    _at(office, 2026, 12, 1)
    for number in range(4):
        made = await work.done(
            "mutation D($c: USCC!, $n: String!) {"
            ' draftPublicity(subject: $c, kind: LICENSE, title: "行政许可", decisionNumber: $n,'
            ' decidedOn: "2026-12-01", authority: "西宁市商务局", text: "准予许可") { number dueOn } }',
            {"c": code, "n": f"许{number}号"},
        )
        numbers.append(made["draftPublicity"]["number"])
        assert made["draftPublicity"]["dueOn"] == "2026-12-10"
    # From before the last day until after the quarter nothing is marked.
    _at(office, 2027, 1, 6)
    late, ended, excepted, _ = numbers
    await reviewed(work, late)
    await took(work, late, "publishDecision")
    withdrawn = ', ground: REVOKED, endedOn: "2026-12-30", reason: "决定已撤销", documentNumber: "撤1号"'
    await took(work.second(), ended, "withdrawPublicity", withdrawn)
    await took(
        work.second(),
        excepted,
        "exceptPublicity",
        ', ground: TRADE_SECRET, basis: "条例", documentNumber: "不1号"',
    )
    _at(office, 2027, 1, 7)
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    assert await open_reports(office.database.writer, registry().machines, office.clock.now) == 1
    figure = _figure(await _opened(office, 2026, 4), "PUBLICITY_ON_TIME")
    assert (figure["part"], figure["whole"]) == (0, 3)
    assert sorted(await _drilled(_xining(office), figure["drill"])) == sorted({*numbers} - {excepted})
    _at(office, 2027, 4, 8)
    figure = _figure(await _opened(office, 2027, 1), "PUBLICITY_ON_TIME")
    assert figure["whole"] == 0


async def _drilled(desk: Desk, drill: str) -> list[str]:
    """The numbers of all pages."""
    found, after = [], None
    while True:
        page = (await desk.done(DRILL, {"f": drill, "after": after}))["cases"]
        found += [edge["node"]["number"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def test_r18_3_drilling_down_shows_a_caller_only_cases_that_it_may_see(office: Office) -> None:
    report = await _opened(office, 2026, 3)
    drill = _figure(report, "CHECKS")["drill"]
    assert drill == f"{report['number']}/CHECKS"
    # Check results are their handling unit's and the auditors' (D38), also for the department that sees the figure.
    assert await _drilled(_province(office), drill) == []
    auditor = office.desk("auditor", "AUDIT", "SJ-1", None)
    assert len(await _drilled(auditor, drill)) == len(await _drilled(_xining(office), drill))
    for wrong in (
        "",
        "/",
        "x",
        f"{report['number']}/",
        f"{report['number']}/MOOD",
        f"{report['number']}/CHECKS/1",
    ):
        told = await _xining(office).done(DRILL, {"f": wrong})
        assert told["cases"]["edges"] == [] or wrong.endswith("/1")


async def test_r18_3_an_override_keeps_both_values_and_the_reason(office: Office) -> None:
    report = await _opened(office, 2025, 3)
    number = report["number"]
    assert set(report["openFigures"]) == {one["code"] for one in report["figures"]}
    assert (await _xining(office).refused(SUBMIT, {"n": number}))["reason"] == "FIGURES_MISSING"

    async def refused(*figures: dict[str, Any]) -> str:
        told = await _xining(office).refused(STATE, {"n": number, "f": list(figures)})
        return str(told["reason"])

    assert await refused({"code": "OBJECTIONS", "value": 4}) == "REASON_MISSING"
    assert await refused({"code": "OBJECTIONS", "value": 4, "reason": " "}) == "REASON_MISSING"
    assert await refused({"code": "OBJECTIONS", "value": 4, "reason": "\u200b"}) == "REASON_MISSING"
    assert await refused({"code": "OBJECTIONS", "value": -1, "reason": "x"}) == "VALUE_IMPOSSIBLE"
    assert await refused({"code": "OBJECTIONS", "value": 1.5, "reason": "x"}) == "VALUE_IMPOSSIBLE"
    assert await refused({"code": "PUBLICITY_ON_TIME", "value": 1.1, "reason": "x"}) == "VALUE_IMPOSSIBLE"
    assert await refused({"code": "OBJECTIONS", "text": "四"}) == "VALUE_IMPOSSIBLE"
    # Written in the document it is read as what a variable brings is.
    large = f'mutation {{ stateReportFigures(number: "{number}", figures: [{{code: "OBJECTIONS", value: {10**23}}}]) {{ number }} }}'
    assert (await _xining(office).refused(large))["reason"] == "VALUE_IMPOSSIBLE"
    assert await refused({"code": "TYPICAL_CASES"}) == "TEXT_MISSING"
    assert await refused({"code": "MOOD", "value": 1}) == "FIGURE_UNKNOWN"
    assert await refused({"code": "OBJECTIONS"}, {"code": "OBJECTIONS"}) == "FIGURE_TWICE"
    await _confirmed(office, report)
    given = [{"code": "OBJECTIONS", "value": 4, "reason": "四件以纸质办理"}]
    made = (await _xining(office).done(STATE, {"n": number, "f": given}))["stateReportFigures"]
    figure = _figure(made, "OBJECTIONS")
    assert (figure["prefilled"], figure["value"], figure["reason"], figure["stated"]) == (
        0,
        4,
        "四件以纸质办理",
        True,
    )
    assert (_figure(made, "CHECKS")["value"], made["openFigures"]) == (0, [])
    # Counting again keeps what was said of a figure that is still the same.
    again = (await _xining(office).done(PREFILL, {"n": number}))["prefillQuarterlyReport"]
    assert _figure(again, "OBJECTIONS") == figure
    sent = (await _xining(office).done(SUBMIT, {"n": number}))["submitQuarterlyReport"]
    assert (sent["state"], sent["standing"]) == ("SUBMITTED", "LATE")
    told = dict(await _events(office, number))["submit"]
    assert (told["values"]["OBJECTIONS"], told["values"]["TYPICAL_CASES"]) == (4, "无典型案例")
    assert dict(await _events(office, number))["state"]["overridden"] == ["OBJECTIONS"]
