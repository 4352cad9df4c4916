"""Credit repair (article 九): R9.2, R9.3, over HTTP, from the application to the channels, and back."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub.casework.facts import write_fact
from hub.casework.machine import ChangedFact
from hub.casework.registry import registry
from hub.casework.repair.commands import settle
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework import test_listings as listings
from tests.casework import test_objections as objections
from tests.casework.desk import Desk, Office
from tests.casework.test_listings import _published as on_the_list
from tests.casework.test_publicity import at, delivered, published, pushed
from tests.reference.ids import permuted

DEPARTMENT = {"authority_name": "青海省商务厅", "authority_uscc": "11630000000015122A"}
DIGEST = "ab" * 32
PERFORMED = {"kind": "PERFORMANCE", "title": "缴款凭证", "fileDigest": DIGEST}
PROMISED = {"kind": "COMMITMENT", "title": "信用承诺书", "fileDigest": DIGEST}
TRAINED = {"kind": "TRAINING", "title": "培训记录", "organizer": "省商务厅", "heldOn": "2026-03-01"}
SERVED = {
    "kind": "PUBLIC_SERVICE", "title": "公益服务证明", "organizer": "西宁市慈善总会", "hours": 40, "certificate": "志1号",
}  # fmt: skip
SHOWN = """
  id number state ruleset dueOn mechanism targetKind target decidedOn appliedOn appliedBy eligibleFrom answerBy notes
  blockers { code text until } evidence { kind hours } findings { corrected performed officer }
  decision { approved documentNumber officer } effectuatedOn propagatedLate answeredOn answeredLate revokedOn
  record { id lifecycle } entry { id state }
"""
# What the officers are called is not for the subject.
SEEN = SHOWN.replace(" officer }", " }")
APPLY = f"""
mutation A($target: ID!, $evidence: [RepairEvidenceInput!]!, $agent: USCC) {{
  case: applyForRepair(target: $target, statement: "已整改", evidence: $evidence, agent: $agent) {{ {SEEN} }}
}}
"""
RECORD = f"""
mutation R($target: ID!, $evidence: [RepairEvidenceInput!]!, $applied: Date, $pushed: Date) {{
  case: recordRepairApplication(
    target: $target, statement: "已整改", evidence: $evidence, appliedOn: $applied, pushedOn: $pushed
  ) {{ {SHOWN} }}
}}
"""
SUPPLEMENT = f"""
mutation M($n: String!, $e: [RepairEvidenceInput!]!) {{ case: supplementRepair(number: $n, evidence: $e) {{ {SEEN} }} }}
"""
OUTLOOK = """
query O($target: ID!) { repairOutlook(target: $target) {
  ruleset eligibleFrom eligibleToday conditions blockers { code text until } notes } }
"""


def department(office: Office) -> Desk:
    return office.desk("commerce", "CREDIT_REPAIR", "SW-XF", None)


def subject(office: Office) -> Desk:
    return office.desk("subject", "CREDIT_REPAIR", None, None)


def public(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def own(office: Office) -> str:
    """The firm that the demo partner `subject` speaks for."""
    if not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", DEMO_SUBJECT):
        await office.subject(code=DEMO_SUBJECT)
    return DEMO_SUBJECT


async def penalty(office: Office, code: str, decided: date, seriousness: str = "GENERAL", **more: Any) -> str:
    return await office.adverse(code, decided, seriousness, **{**DEPARTMENT, **more})


def step(field: str, arguments: str = "") -> str:
    return f"mutation S($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"


async def took(desk: Desk, number: str, field: str, arguments: str = "") -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(step(field, arguments), {"number": number}))["case"]
    return made


async def refusal(desk: Desk, number: str, field: str, arguments: str = "") -> str:
    told = await desk.refused(step(field, arguments), {"number": number})
    return str(told.get("reason", told["code"]))


async def recorded(
    office: Office, target: str, evidence: Any = (PERFORMED, PROMISED), **more: Any
) -> dict[str, Any]:
    given = {"target": target, "evidence": list(evidence), **more}
    made: dict[str, Any] = (await department(office).done(RECORD, given))["case"]
    return made


async def examined(office: Office, number: str, found: str = "corrected: true, performed: true") -> None:
    await took(department(office), number, "acceptRepair")
    await took(department(office), number, "beginRepairReview")
    await took(department(office), number, "examineRepair", f', {found}, opinion: "材料属实"')


async def approved(office: Office, target: str, **more: Any) -> dict[str, Any]:
    made = await recorded(office, target, **more)
    await examined(office, made["number"])
    return await took(
        department(office).second(), made["number"], "approveRepair", ', documentNumber: "青商修〔2026〕1号"'
    )


async def settled(office: Office) -> int:
    return await settle(office.database.writer, registry().machines, office.clock.now)


async def followed(office: Office) -> None:
    """All channels acknowledge, and the worker's round comes by."""
    office.clock.now += timedelta(minutes=1)
    await delivered(office)
    await settled(office)


async def outlook(desk: Desk, target: str) -> Any:
    return (await desk.done(OUTLOOK, {"target": target}))["repairOutlook"]


@pytest.fixture(autouse=True)
async def _no_deliveries_of_others(office: Office) -> None:
    await office.rows("UPDATE delivery_out SET state = 'FAILED' WHERE state <> 'ACKNOWLEDGED'")
    await settled(office)


# ---- the outlook -----------------------------------------------------------------------------------------------


async def test_r9_2_before_applying_one_is_told_the_earliest_day_and_what_blocks(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code, date(2026, 10, 10))
    told = await outlook(public(office), record)
    assert (told["ruleset"], told["eligibleFrom"], told["eligibleToday"]) == (
        "REPAIR-36",
        "2027-01-11",
        False,
    )
    assert told["blockers"] == [{"code": "MINIMUM_PERIOD", "text": "未满最短公示期", "until": "2027-01-11"}]
    assert told["conditions"] == ["CORRECTED", "PERFORMED", "COMMITMENT"]
    old = await outlook(public(office), await penalty(office, code, date(2026, 8, 1)))
    assert (old["eligibleFrom"], old["eligibleToday"], old["blockers"]) == ("2026-11-02", True, [])
    entry = await outlook(public(office), await office.listed(code, "BLACK"))
    assert entry["eligibleFrom"] == "2027-06-02"


async def test_r9_2_what_others_recognized_is_repaired_through_the_national_window(office: Office) -> None:
    code = await own(office)
    foreign = await penalty(office, code, date(2026, 5, 1), authority_uscc="11630000MB1234567A")
    unnamed = await penalty(office, code, date(2026, 5, 1), authority_name=None, authority_uscc=None)
    for record in (foreign, unnamed):
        told = await outlook(public(office), record)
        assert (told["eligibleFrom"], [one["code"] for one in told["blockers"]]) == (None, ["NOT_OWN"])
        assert "信用中国" in told["blockers"][0]["text"]
        given = {"target": record, "evidence": [PERFORMED, PROMISED]}
        for desk, command in ((subject(office), APPLY), (department(office), RECORD)):
            assert (await desk.refused(command, given))["reason"] == "NOT_OWN_APPLY_AT_CREDIT_CHINA"


async def test_r9_2_the_outlook_of_what_one_does_not_see_is_that_of_what_does_not_exist(
    office: Office,
) -> None:
    code = await office.subject()
    minor = await penalty(office, code, date(2026, 11, 1), "MINOR")
    nothing = "r" + "0" * 32
    assert await outlook(public(office), minor) is None
    assert await outlook(public(office), nothing) is None
    refused = [
        await subject(office).refused(APPLY, {"target": one, "evidence": []}) for one in (minor, nothing)
    ]
    assert refused[0] == refused[1]
    assert refused[0]["reason"] == "NO_SUCH_RECORD_OR_ENTRY"


# ---- the application -------------------------------------------------------------------------------------------


async def test_r9_2_from_application_to_answer_each_clock_is_the_orders(office: Office) -> None:
    code = await own(office)
    record = await penalty(office, code, date(2026, 8, 1))
    made = (await subject(office).done(APPLY, {"target": record, "evidence": [PERFORMED]}))["case"]
    # Monday 23 November: three working days for the intake, ten for the answer.
    assert (made["state"], made["dueOn"], made["answerBy"]) == ("SUBMITTED", "2026-11-26", "2026-12-07")
    assert (made["ruleset"], made["appliedBy"], made["eligibleFrom"]) == (
        "REPAIR-36",
        "SUBJECT",
        "2026-11-02",
    )
    assert [one["code"] for one in made["blockers"]] == ["NOT_CORRECTED", "NOT_PERFORMED", "NO_COMMITMENT"]
    number, desk = made["number"], department(office)
    accepted = await took(desk, number, "acceptRepair")
    assert (accepted["state"], accepted["dueOn"]) == ("ACCEPTED", "2026-12-02")
    assert (await took(desk, number, "beginRepairReview"))["state"] == "UNDER_REVIEW"
    extended = await took(desk, number, "extendRepair", ', reason: "案情复杂"')
    assert (extended["state"], extended["dueOn"], extended["answerBy"]) == (
        "EXTENDED",
        "2026-12-21",
        "2026-12-21",
    )
    yes = ', corrected: true, performed: true, opinion: "属实"'
    assert (await took(desk, number, "examineRepair", yes))["findings"]["officer"] == "commerce-demo-officer"
    decide = ', documentNumber: "青商修〔2026〕1号"'
    assert await refusal(desk, number, "approveRepair", decide) == "SECOND_PERSON_NEEDED"
    assert await refusal(desk.second(), number, "approveRepair", decide) == "NO_COMMITMENT"
    case = (await subject(office).done(SUPPLEMENT, {"n": number, "e": [PROMISED]}))["case"]
    assert ([one["kind"] for one in case["evidence"]], case["blockers"]) == (
        ["PERFORMANCE", "COMMITMENT"],
        [],
    )
    done = await took(desk.second(), number, "approveRepair", decide)
    assert (done["state"], done["dueOn"], done["record"]) == ("APPROVED", "2026-11-24", None)
    assert done["decision"] == {
        "approved": True, "documentNumber": "青商修〔2026〕1号", "officer": "second-officer",
    }  # fmt: skip
    assert await refusal(desk, number, "answerRepair", ', answer: "已修复"') == "TRANSITION_NOT_ALLOWED"
    await followed(office)
    told = await took(desk, number, "answerRepair", ', answer: "已修复"')
    assert (told["state"], told["effectuatedOn"], told["answeredLate"]) == ("FEEDBACK_SENT", "2026-11-23", 0)


async def test_r9_2_one_too_early_is_refused_and_one_made_again_is_taken(office: Office) -> None:
    code = await own(office)
    record = await penalty(office, code, date(2026, 8, 24))
    given = {"target": record, "evidence": [PERFORMED, PROMISED]}
    office.clock.now = at(2026, 11, 24, 23)
    assert (await subject(office).refused(APPLY, given))["reason"] == "MINIMUM_PERIOD"
    office.clock.now = at(2026, 11, 25, 8)
    assert (await subject(office).done(APPLY, given))["case"]["state"] == "SUBMITTED"
    assert (await subject(office).refused(APPLY, given))["reason"] == "ALREADY_APPLIED_FOR"
    late = {
        "target": await penalty(office, code, date(2025, 1, 1), usable_until=date(2026, 1, 1)),
        "evidence": [],
    }
    # In no use any more, the record is the subject's own to see for a repair, and there is nothing to repair.
    assert (await subject(office).refused(APPLY, late))["reason"] == "ENDED"


async def test_r9_2_refusals_at_the_intake_and_in_the_end_say_why(office: Office) -> None:
    code = await office.subject()
    record = await penalty(office, code, date(2026, 8, 1))
    first = await recorded(office, record)
    no = await took(department(office), first["number"], "rejectRepair", ', reason: "材料不清"')
    assert (no["state"], no["dueOn"]) == ("REJECTED_INTAKE", None)
    again = await recorded(office, record)
    await examined(office, again["number"], "corrected: true, performed: false")
    desk, decide = department(office).second(), ', documentNumber: "青商修〔2026〕2号"'
    assert await refusal(desk, again["number"], "approveRepair", decide) == "NOT_PERFORMED"
    assert await refusal(desk, again["number"], "refuseRepair", decide + ', reason: ""') == "INPUT_MISSING"
    refused = await took(desk, again["number"], "refuseRepair", decide + ', reason: "罚款未缴清"')
    assert (refused["state"], refused["decision"]["approved"]) == ("REFUSED", False)
    assert (await outlook(public(office), record))["eligibleToday"]


@pytest.mark.parametrize("extended", [False, True])
async def test_r9_2_what_its_source_took_back_is_refused_without_an_examination(
    office: Office, extended: bool
) -> None:
    """Nobody can examine it any more, and its case would never end."""
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    number = (await recorded(office, record))["number"]
    await took(department(office), number, "acceptRepair")
    await took(department(office), number, "beginRepairReview")
    if extended:
        await took(department(office), number, "extendRepair", ', reason: "案情复杂"')
    refuse = ', documentNumber: "青商不修〔2026〕8号", reason: "来源已撤回该记录"'
    assert await refusal(department(office), number, "refuseRepair", refuse) == "NOT_EXAMINED"
    await office.rows("UPDATE record SET superseded_at = now() WHERE public_id = $1", UUID(record[1:]))
    examine = ', corrected: true, performed: true, opinion: "材料属实"'
    assert await refusal(department(office), number, "examineRepair", examine) == "ENDED"
    made = await took(department(office), number, "refuseRepair", refuse)
    assert (made["state"], made["decision"]["approved"]) == ("REFUSED", False)


async def test_r9_2_an_answer_that_is_late_is_not_made_timely_by_an_extension(office: Office) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    made = await recorded(office, record)
    for field in ("acceptRepair", "beginRepairReview"):
        made = await took(department(office), made["number"], field)
    number, reason = made["number"], ', reason: "案情复杂"'
    last = date.fromisoformat(made["answerBy"])
    office.clock.now = at(last.year, last.month, last.day + 1, 8)
    assert await refusal(department(office), number, "extendRepair", reason) == "ANSWER_DUE_PAST"
    office.clock.now = at(last.year, last.month, last.day, 23)
    assert (await took(department(office), number, "extendRepair", reason))["state"] == "EXTENDED"


async def test_r9_2_a_case_of_repair_is_its_handlers_the_subjects_and_the_auditors(office: Office) -> None:
    record = await penalty(office, await own(office), date(2026, 8, 1))
    made = (await subject(office).done(APPLY, {"target": record, "evidence": [PERFORMED]}))["case"]
    query = "query C($n: String!) { case(number: $n) { number ... on RepairCase { statement } } }"
    for desk in (department(office), subject(office), office.desk("auditor", "AUDIT", "A-1", None)):
        assert (await desk.done(query, {"n": made["number"]}))["case"]["statement"] == "已整改"
    plain = "query C($n: String!) { case(number: $n) { number } }"
    for desk in (
        office.desk("commerce-xining", "CREDIT_REPAIR", "SW-XF", None),
        office.desk("commerce", "ONGOING_SUPERVISION", "M-1", None),
    ):
        assert (await desk.done(plain, {"n": made["number"]}))["case"] is None
    other = office.desk("commerce-xining", "CREDIT_REPAIR", "SW-XF", None)
    accept = "mutation A($n: String!) { acceptRepair(number: $n) { state } }"
    told = [await other.refused(accept, {"n": n}) for n in (made["number"], "QHXF-2026-0000-0000-0000")]
    assert told[0] == told[1]
    assert "errors" in await public(office).ask('mutation { acceptRepair(number: "x") { state } }')
    listed = '{ cases(mechanism: REPAIR, state: "SUBMITTED", first: 50) { edges { node { number } } } }'
    found = (await department(office).done(listed))["cases"]["edges"]
    assert made["number"] in [one["node"]["number"] for one in found]


async def test_r9_2_the_day_of_application_decides_also_for_what_is_recorded_later(office: Office) -> None:
    """The record of an application must not lie before its day, nor its coming in after today."""
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    for days in ({"applied": "2026-11-24"}, {"applied": "2026-11-20", "pushed": "2026-11-19"}):
        given = {"target": record, "evidence": [PERFORMED], **days}
        assert (await department(office).refused(RECORD, given))["reason"] == "APPLICATION_DAY_IMPOSSIBLE"
    early = {"target": record, "evidence": [PERFORMED], "applied": "2026-11-01", "pushed": "2026-11-02"}
    assert (await department(office).refused(RECORD, early))["reason"] == "MINIMUM_PERIOD"
    made = await recorded(office, record, applied="2026-11-13", pushed="2026-11-19")
    # The intake runs from the day it came in, the answer from the application.
    assert (made["appliedOn"], made["dueOn"], made["answerBy"]) == ("2026-11-13", "2026-11-24", "2026-11-27")


async def test_r9_2_one_agent_hands_in_twenty_applications_in_thirty_days_at_most(office: Office) -> None:
    code, agent = await own(office), await office.subject()
    given = {"evidence": [PERFORMED], "agent": agent}
    for _ in range(20):
        record = await penalty(office, code, date(2026, 8, 1))
        await subject(office).done(APPLY, {"target": record, **given})
    record = await penalty(office, code, date(2026, 8, 1))
    assert (await subject(office).refused(APPLY, {"target": record, **given}))[
        "reason"
    ] == "AGENT_LIMIT_REACHED"
    office.clock.now += timedelta(days=30)
    assert (await subject(office).done(APPLY, {"target": record, **given}))["case"]["state"] == "SUBMITTED"


# ---- R9.3 ------------------------------------------------------------------------------------------------------


async def _person(office: Office) -> tuple[int, str]:
    """A natural person with a penalty that the department decided: its id in the store, and the record's as it sees it."""
    (row,) = await office.rows(
        "INSERT INTO subject (kind, region_code, display_name, name_key) VALUES ('NATURAL_PERSON', '630103', '马某', '')"
        " RETURNING subject_id"
    )
    code = await office.subject()
    record = await penalty(office, code, date(2026, 8, 1), data_class="D8")
    await office.rows(
        "UPDATE record SET subject_id = $1 WHERE public_id = $2::uuid", row["subject_id"], record[1:]
    )
    return row["subject_id"], "r" + permuted(record[1:], "P1", office.database.settings.id_key)


async def test_r9_3_public_service_of_a_person_supplements_and_stands_for_no_condition(
    office: Office,
) -> None:
    _, record = await _person(office)
    made = await recorded(office, record, [SERVED])
    assert made["evidence"] == [{"kind": "PUBLIC_SERVICE", "hours": 40}]
    await examined(office, made["number"])
    decide = ', documentNumber: "青商修〔2026〕3号"'
    desk = department(office).second()
    assert await refusal(desk, made["number"], "approveRepair", decide) == "NOT_PERFORMED"
    more = SUPPLEMENT.replace("supplementRepair", "recordRepairSupplement")
    await department(office).done(more, {"n": made["number"], "e": [PERFORMED, PROMISED]})
    assert (await took(desk, made["number"], "approveRepair", decide))["state"] == "APPROVED"
    # Persons' records are shown between authorities only, and so is their end.
    rows = await office.rows(
        "SELECT channel FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1", made["number"]
    )
    assert [row["channel"] for row in rows] == ["PROVINCIAL_PLATFORM"]


async def test_r9_3_public_service_is_for_persons_and_says_who_when_and_how_long(office: Office) -> None:
    firm = await penalty(office, await office.subject(), date(2026, 8, 1))
    given = {"target": firm, "evidence": [PERFORMED, PROMISED, SERVED]}
    told = await department(office).refused(RECORD, given)
    assert told["reason"] == "EVIDENCE_PERSONS_ONLY:PUBLIC_SERVICE"
    _, record = await _person(office)
    bare = {"kind": "PUBLIC_SERVICE", "title": "公益服务证明", "organizer": "慈善总会"}
    told = await department(office).refused(RECORD, {"target": record, "evidence": [bare]})
    assert told["reason"] == "EVIDENCE_INCOMPLETE:PUBLIC_SERVICE"
    assert told["message"] == "This paper lacks what papers of its kind must say: PUBLIC_SERVICE"
    assert told["messageZh"] == "该种材料缺少必备内容"


@pytest.mark.parametrize(
    "paper",
    [{**PERFORMED, "title": " "}, {**PERFORMED, "organizer": "x" * 201}, {**TRAINED, "heldOn": "2026-11-24"},
     {**SERVED, "hours": -1}, {**PERFORMED, "fileDigest": "见附件"}],
)  # fmt: skip
async def test_r9_3_a_paper_has_a_title_and_says_nothing_impossible(
    office: Office, paper: dict[str, Any]
) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    told = await department(office).refused(RECORD, {"target": record, "evidence": [paper]})
    assert (told["code"], told["argument"]) == ("BAD_USER_INPUT", "evidence")


async def test_r9_3_training_stands_for_the_commitment_on_a_watch_list(office: Office) -> None:
    entry = await office.listed(await office.subject(), "WATCH", recognized_on=date(2026, 3, 2))
    assert (await approved(office, entry, evidence=[PERFORMED, TRAINED]))["state"] == "APPROVED"
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    made = await recorded(office, record, [PERFORMED, TRAINED])
    assert "NO_COMMITMENT" in [one["code"] for one in made["blockers"]]


# ---- the effect ------------------------------------------------------------------------------------------------


async def test_r9_2_it_is_effectuated_when_the_last_channel_has_acknowledged(office: Office) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    made = await approved(office, record)
    assert await settled(office) == 0
    rows = await office.rows(
        "SELECT d.delivery_id, d.channel, d.payload->>'action' AS action, d.payload->>'item' AS item"
        " FROM delivery_out d JOIN case_file USING (case_id) WHERE number = $1 ORDER BY 1",
        made["number"],
    )
    assert {(row["action"], row["item"]) for row in rows} == {("EXIT", record)}
    assert {row["channel"] for row in rows} == {
        "OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM", "CREDIT_QINGHAI",
    }  # fmt: skip
    acknowledge = "UPDATE delivery_out SET state = 'ACKNOWLEDGED', acknowledged_at = $2 WHERE delivery_id = ANY ($1::bigint[])"
    await office.rows(acknowledge, [row["delivery_id"] for row in rows[:3]], office.clock.now)
    assert await settled(office) == 0
    # The last one on Thursday: the limit of one working day was Tuesday. The worker comes after midnight.
    office.clock.now = at(2026, 11, 26, 23)
    await office.rows(acknowledge, [rows[3]["delivery_id"]], office.clock.now)
    office.clock.now = at(2026, 11, 27, 8)
    assert await settled(office) == 1
    assert await settled(office) == 0
    query = f"query C($n: String!) {{ case(number: $n) {{ ... on RepairCase {{ {SHOWN} }} }} }}"
    case = (await department(office).done(query, {"n": made["number"]}))["case"]
    assert (case["state"], case["effectuatedOn"], case["propagatedLate"]) == ("EFFECTUATED", "2026-11-26", 2)
    assert case["dueOn"] == "2026-12-07"


async def test_r9_2_what_no_channel_shows_is_effectuated_with_the_decision_however_late_a_worker_runs(
    office: Office,
) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1), sharing_attribute="RESTRICTED")
    made = await approved(office, record)
    office.clock.now += timedelta(days=21)
    assert await settled(office) == 1
    query = f"query C($n: String!) {{ case(number: $n) {{ ... on RepairCase {{ {SHOWN} }} }} }}"
    case = (await department(office).done(query, {"n": made["number"]}))["case"]
    assert (case["state"], case["effectuatedOn"], case["propagatedLate"]) == ("EFFECTUATED", "2026-11-23", 0)


@pytest.mark.parametrize(
    ("openness", "told"),
    [
        ("PUBLIC", {"OWN_SITE", "GOVERNMENT_PORTAL", "PROVINCIAL_PLATFORM", "CREDIT_QINGHAI"}),
        ("GOVERNMENT_SHARED", {"PROVINCIAL_PLATFORM"}),
        ("RESTRICTED", set()),
    ],
)
async def test_r9_2_the_channels_are_told_of_what_may_be_shown_there(
    office: Office, openness: str, told: set[str]
) -> None:
    """公开属性: neither by its end, nor by its return once the repair is revoked."""
    record = await penalty(office, await office.subject(), date(2026, 8, 1), sharing_attribute=openness)
    made = await approved(office, record)
    revoke = ', documentNumber: "青商撤〔2026〕1号", reason: "证明系伪造"'
    await followed(office)
    await took(department(office).second("third"), made["number"], "revokeRepair", revoke)
    for action in ("EXIT", "PUBLISH"):
        rows = await office.rows(
            "SELECT channel FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1 AND action = $2",
            *(made["number"], action),
        )
        assert {row["channel"] for row in rows} == told, action


async def test_r9_2_nobody_but_the_hub_says_that_the_channels_followed(office: Office) -> None:
    machine = registry().machines["REPAIR"]
    guard = machine.step("effectuate").guard
    assert not any(name.endswith(".effectuate") for name in registry().commands)
    assert guard.__name__ == "_all_told"
    assert {one.name for one in machine.transitions if "APPROVED" in one.sources} == {"effectuate"}


async def test_r9_2_a_repaired_entry_leaves_its_list_by_its_own_proceeding(office: Office) -> None:
    number, entry = await on_the_list(office, await office.subject(), "L-WATCH")
    office.clock.now = datetime(2027, 6, 9, 2, tzinfo=UTC)
    made = await approved(office, entry, evidence=[PERFORMED, TRAINED])
    assert (made["state"], made["targetKind"]) == ("APPROVED", "LIST_ENTRY")
    (row,) = await office.rows(
        "SELECT state, details->>'exit_reason' AS why FROM case_file WHERE number = $1", number
    )
    assert (row["state"], row["why"]) == ("EXITED_REPAIRED", "REPAIRED")
    (row,) = await office.rows(
        "SELECT state, exited_on FROM list_entry WHERE public_id = $1::uuid AND superseded_at IS NULL",
        entry[1:],
    )
    assert (row["state"], row["exited_on"]) == ("EXITED_REPAIRED", date(2027, 6, 9))
    # A watch list is shown nowhere, so nothing waits for a channel.
    assert await settled(office) == 1


INITIATE = """
mutation I($entry: ID!) { initiateMeasure(entry: $entry, implementer: "commerce", measure: "限制申请财政性资金项目",
  effect: RESTRICT, begins: "2026-12-31", ends: "2028-01-01") { number state } }
"""


async def test_r9_1_the_measures_on_an_entry_end_in_the_transaction_of_its_repair(office: Office) -> None:
    entry = await office.listed(
        await office.subject(), "BLACK", recognized_on=date(2025, 6, 1), publicity_ends_on=date(2028, 6, 1)
    )
    desk = office.desk("commerce", "JOINT_PUNISHMENT", "M-1", None)
    number = (await desk.done(INITIATE, {"entry": entry}))["initiateMeasure"]["number"]
    made = await approved(office, entry)
    (row,) = await office.rows(
        "SELECT state, details->>'ended_on' AS ended FROM case_file WHERE number = $1", number
    )
    assert (row["state"], row["ended"]) == ("ENDED_REPAIRED", "2026-11-23")
    ends = await office.rows(
        "SELECT payload->>'item' AS item FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1",
        made["number"],
    )
    assert [row["item"] for row in ends] == [entry] * 4


async def test_r9_2_the_publicity_of_a_repaired_record_ends_and_its_revocation_shows_it_again(
    office: Office,
) -> None:
    office.clock.now = at(2026, 8, 3)
    _, number, _ = await published(office, date(2026, 8, 1))
    await delivered(office)
    (case,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", number
    )
    # Of another authority's decision with the same number: nothing of it was repaired.
    _, other, _ = await published(office, date(2026, 8, 1), code=case["code"], authority="西宁市商务局")
    named = {"document_number": "青商罚〔2026〕1号", "authority_name": "省商务厅"}
    record = await penalty(office, case["code"], date(2026, 8, 1), **named)
    office.clock.now = at(2026, 11, 23)
    made = await approved(office, record)
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", other)
    assert row["state"] == "PUBLISHED"

    async def shown() -> Any:
        state = await office.rows("SELECT state FROM case_file WHERE number = $1", number)
        rows = await office.rows(
            "SELECT d.payload->>'action' AS action FROM delivery_out d JOIN case_file USING (case_id)"
            " WHERE number = $1 AND channel = 'CREDIT_QINGHAI' ORDER BY delivery_id",
            number,
        )
        return state[0]["state"], [row["action"] for row in rows]

    assert await shown() == ("ENDED_REPAIR", ["PUBLISH", "EXIT"])
    assert await settled(office) == 0
    await followed(office)
    revoke = ', documentNumber: "青商撤〔2026〕1号", reason: "证明系伪造"'
    back = await took(department(office).second("third"), made["number"], "revokeRepair", revoke)
    assert (back["state"], back["revokedOn"], back["record"]["lifecycle"]) == (
        "REVOKED",
        "2026-11-23",
        "EFFECTIVE",
    )
    assert await shown() == ("PUBLISHED", ["PUBLISH", "EXIT", "PUBLISH"])


@pytest.mark.parametrize(("day", "state"), [(24, "PUBLISHED"), (25, "ENDED_PERIOD")])
async def test_r7_5_a_repair_revoked_after_the_period_shows_the_publication_no_more(
    office: Office, day: int, state: str
) -> None:
    decided = date(2025, 11, 24)
    office.clock.now = at(2026, 8, 3)
    _, number, _ = await published(office, decided)
    await delivered(office)
    (case,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", number
    )
    more = {"document_number": "青商罚〔2026〕1号", "usable_until": date(2026, 11, 24)}
    record = await penalty(office, case["code"], decided, **more)
    office.clock.now = at(2026, 11, 23)
    made = await approved(office, record)
    await followed(office)
    office.clock.now = at(2026, 11, day)
    revoke = ', documentNumber: "青商撤〔2026〕1号", reason: "证明系伪造"'
    await took(department(office).second("third"), made["number"], "revokeRepair", revoke)
    again = ["PUBLISH"] if state == "PUBLISHED" else []
    assert await pushed(office, number) == ["PUBLISH", "EXIT", *again]
    (case,) = await office.rows("SELECT state, closed_at, due_on FROM case_file WHERE number = $1", number)
    assert (case["state"], case["closed_at"] is None) == (state, state == "PUBLISHED")


@pytest.mark.parametrize(("ends", "state"), [("2027-12-08", "PUBLISHED"), ("2027-12-07", "EXITED_EXPIRED")])
async def test_r7_5_a_repair_revoked_after_the_period_leaves_the_entry_off_its_list(
    office: Office, ends: str, state: str
) -> None:
    number, entry = await on_the_list(office, await office.subject(), "L-BLACK")
    office.clock.now = datetime(2027, 12, 8, 2, tzinfo=UTC)
    made = await approved(office, entry)
    await followed(office)
    await office.rows(
        "UPDATE case_file SET details = jsonb_set(details, '{publicity_ends_on}', to_jsonb($2::text)) WHERE number = $1",
        number,
        ends,
    )
    before = await pushed(office, number)
    revoke = ', documentNumber: "青商撤〔2026〕1号", reason: "证明系伪造"'
    await took(department(office).second("third"), made["number"], "revokeRepair", revoke)
    assert await pushed(office, number) == before + (["PUBLISH"] if state == "PUBLISHED" else [])
    (row,) = await office.rows(
        "SELECT c.state, x.state AS entry, x.exited_on, x.exit_reason FROM case_file c JOIN list_entry x"
        " ON x.public_id = c.target_public_id AND x.superseded_at IS NULL WHERE c.number = $1",
        number,
    )
    left = (date(2027, 12, 8), "EXPIRED") if state == "EXITED_EXPIRED" else (None, None)
    assert tuple(row) == (state, state, *left)


async def test_r9_2_a_revoked_repair_brings_the_entry_back_to_its_list_and_channels(office: Office) -> None:
    code = await office.subject()
    entry = await office.listed(
        code, "BLACK", recognized_on=date(2025, 6, 1), publicity_ends_on=date(2028, 6, 1)
    )
    made = await approved(office, entry)
    query = "query E($c: String!) { subject(value: $c) { listEntries { id } } }"
    assert (await public(office).done(query, {"c": code}))["subject"]["listEntries"] == []
    revoke = ', documentNumber: "青商撤〔2026〕2号", reason: "证明系伪造"'
    assert (
        await refusal(department(office), made["number"], "revokeRepair", revoke) == "TRANSITION_NOT_ALLOWED"
    )
    await followed(office)
    await took(department(office), made["number"], "answerRepair", ', answer: "已修复"')
    back = await took(department(office).second(), made["number"], "revokeRepair", revoke)
    assert (back["state"], back["entry"]["state"]) == ("REVOKED", "PUBLISHED")
    assert (await public(office).done(query, {"c": code}))["subject"]["listEntries"] == [{"id": entry}]
    # And it may be repaired again, by true ones, as if it had never been.
    assert (await outlook(public(office), entry))["eligibleToday"]


async def test_r8_2_a_revoked_repair_publishes_no_entry_that_nobody_published(office: Office) -> None:
    number = await listings._served(office, await office.subject(), "L-WATCH")
    office.clock.now = at(2026, 12, 7)
    supervision = listings._desk(office)
    await supervision.done(listings.RECOGNIZE, {"n": number, "repair": "青商修告〔2026〕1号"})
    (row,) = await office.rows("SELECT target_public_id FROM case_file WHERE number = $1", number)
    office.clock.now = at(2027, 8, 2)
    repair = await approved(office, "l" + row[0].hex)
    await followed(office)
    revoke = ', documentNumber: "青商撤〔2027〕1号", reason: "证明系伪造"'
    await took(department(office).second(), repair["number"], "revokeRepair", revoke)
    query = "query L($n: String!) { case(number: $n) { state ... on ListingCase { publishedOn exitedOn dueOn } } }"
    found = (await supervision.done(query, {"n": number}))["case"]
    assert found == {"state": "RECOGNIZED", "publishedOn": None, "exitedOn": None, "dueOn": "2026-12-16"}
    made = await supervision.done(listings.PUBLISH, {"n": number})
    assert made["publishListing"]["entry"]["state"] == "PUBLISHED"


async def test_r9_2_a_second_repair_on_the_same_list_is_noted_and_nobody_else_learns_of_the_first(
    office: Office,
) -> None:
    code = await own(office)
    first = await office.listed(code, "BLACK", recognized_on=date(2025, 6, 1))
    await approved(office, first)
    second = await office.listed(code, "BLACK", recognized_on=date(2025, 7, 1))
    assert (await outlook(subject(office), second))["notes"] == [
        "TRANSITION_UNCONFIRMED", "REPEATED_TOO_SOON_UNCONFIRMED",
    ]  # fmt: skip
    assert (await outlook(public(office), second))["notes"] == ["TRANSITION_UNCONFIRMED"]


async def test_r9_2_a_delivery_under_way_of_the_record_is_waited_for_and_is_no_end_of_it(
    office: Office,
) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    number = (await recorded(office, record))["number"]
    await examined(office, number)
    decide = ', documentNumber: "青商修〔2026〕1号"'
    async with asyncpg.create_pool(office.database.owner_dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as busy, busy.transaction():
            changed = ChangedFact("record", record[1:], {"title": "改过的标题"})
            await write_fact(busy, changed, office.clock.now)
            given = asyncio.create_task(took(department(office).second(), number, "approveRepair", decide))
            await office.waiting()
        made = await given
    assert made["state"] == "APPROVED"
    (row,) = await office.rows(
        "SELECT title, lifecycle FROM record WHERE public_id = $1 AND superseded_at IS NULL", UUID(record[1:])
    )
    assert tuple(row) == ("改过的标题", "REPAIRED")


async def test_r9_2_a_revoked_repair_brings_back_no_mark_of_an_objection_that_is_over(office: Office) -> None:
    record = await penalty(office, await office.subject(), date(2026, 8, 1))
    made = await objections.commerce(office).done(objections.RECORD, {"target": record})
    repair = await approved(office, record)
    number = made["recordObjection"]["number"]
    await objections.took(objections.commerce(office), number, "rejectObjection", objections.REJECT)
    await followed(office)
    revoke = ', documentNumber: "青商撤〔2026〕3号", reason: "证明系伪造"'
    back = await took(department(office).second(), repair["number"], "revokeRepair", revoke)
    assert back["record"]["lifecycle"] == "EFFECTIVE"
    # It may be objected to anew.
    again = await objections.commerce(office).done(objections.RECORD, {"target": record})
    assert again["recordObjection"]["state"] == "MARKED"
