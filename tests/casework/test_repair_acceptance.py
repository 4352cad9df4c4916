"""Acceptance tests of credit repair, as the domain specification words them: numbers 3, 4 and 5 of §11."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.casework.desk import Desk, Office
from tests.casework.test_publicity import at
from tests.casework.test_repair import (
    APPLY,
    PERFORMED,
    PROMISED,
    approved,
    department,
    followed,
    outlook,
    own,
    penalty,
    public,
    subject,
)

RECORDS = """
query R($code: String!) {
  subject(value: $code) {
    summary { hasPublicPenalty publicPenaltyCount hasSeriousDishonestyEntry }
    records(first: 10) { edges { node { id lifecycle decidedOn } } pageInfo { hasNextPage } }
    fined: records(first: 10, filter: { seriousness: [GENERAL] }) { edges { node { id } } }
    in_may: records(first: 10, filter: { decidedFrom: "2026-05-01", decidedTo: "2026-05-31" }) { edges { node { id } } }
  }
}
"""
NODE = "query N($id: ID!) { node(id: $id) { id } }"
PAGE = """{ records(first: 100, filter: { decidedFrom: "2026-05-10", decidedTo: "2026-05-10" }) { edges { node { id } } } }"""
CHECK = """
mutation C($code: USCC!) { runCreditCheck(subject: $code) { conclusion eligibility { answer reasons { code } } } }
"""
CREDIT_REPAIR = ("CREDIT_REPAIR", None)


async def told(office: Office, desk: Desk, code: str) -> Any:
    return (await desk.done(RECORDS, {"code": code}))["subject"]


def partners(office: Office) -> dict[str, Desk]:
    """Whoever may see a general penalty in publicity, the department among them."""
    return {
        "public": public(office),
        "commerce": office.desk("commerce", "ONGOING_SUPERVISION", "M-1", None),
        "licensing": office.desk(),
        "reform": office.desk("reform", "ONGOING_SUPERVISION", None, None),
        "tax": office.desk("tax", "NOTIFICATION", None, None),
    }


async def test_acceptance_03_a_general_penalty_may_be_repaired_from_2026_08_11_and_is_then_as_if_it_never_was(
    office: Office,
) -> None:
    """R9.2: decided 2026-05-10, visible on 2026-07-01; repaired: nothing of it for partners, all of it for auditors."""
    office.clock.now = at(2026, 7, 1)
    code, twin = await own(office), await office.subject()
    record = await penalty(office, code, date(2026, 5, 10), usable_until=date(2027, 5, 10))
    for desk in partners(office).values():
        seen = await told(office, desk, code)
        assert [one["node"]["id"] for one in seen["records"]["edges"]] == [record]
        assert [one["node"]["id"] for one in seen["fined"]["edges"]] == [record]
        assert (seen["summary"]["hasPublicPenalty"], seen["summary"]["publicPenaltyCount"]) == ("YES", 1)
        assert (await desk.done(NODE, {"id": record}))["node"] == {"id": record}
    before = (await office.desk().done(CHECK, {"code": code}))["runCreditCheck"]
    assert before["eligibility"] == {"answer": "NO", "reasons": [{"code": "ADVERSE_RECORD"}]}
    page = (await partners(office)["commerce"].done(PAGE))["records"]["edges"]
    assert record in [one["node"]["id"] for one in page]

    assert (await outlook(public(office), record))["eligibleFrom"] == "2026-08-11"
    given = {"target": record, "evidence": [PERFORMED, PROMISED]}
    office.clock.now = datetime(2026, 8, 10, 15, 59, tzinfo=UTC)
    assert (await subject(office).refused(APPLY, given))["reason"] == "MINIMUM_PERIOD"
    office.clock.now = datetime(2026, 8, 10, 16, 0, tzinfo=UTC)
    assert (await outlook(subject(office), record))["eligibleToday"]
    assert (await approved(office, record))["state"] == "APPROVED"

    # The very moment, before any channel has followed and any job has run.
    for name, desk in partners(office).items():
        assert await told(office, desk, code) == await told(office, desk, twin), name
        assert (await desk.done(NODE, {"id": record}))["node"] is None
        assert await outlook(desk, record) is None
        unseen = [
            await desk.ask(CHECK.replace("mutation C", "mutation D"), {"code": one}) for one in (code, twin)
        ]
        assert unseen[0].get("data") == unseen[1].get("data"), name
    after = (await office.desk().done(CHECK, {"code": code}))["runCreditCheck"]
    assert after == (await office.desk().done(CHECK, {"code": twin}))["runCreditCheck"]
    assert after["eligibility"] == {"answer": "YES", "reasons": [{"code": "THREE_YEARS_CLEAN"}]}
    page = (await partners(office)["commerce"].done(PAGE))["records"]["edges"]
    assert record not in [one["node"]["id"] for one in page]
    await followed(office)
    assert (await told(office, public(office), code)) == (await told(office, public(office), twin))

    auditor = office.desk("auditor", "AUDIT", "A-1", None)
    kept = (await told(office, auditor, code))["records"]["edges"]
    assert [(one["node"]["id"], one["node"]["lifecycle"]) for one in kept] == [(record, "REPAIRED")]
    # The subject may see its own, for a repair or an objection.
    assert (await subject(office).done(NODE, {"id": record}))["node"] == {"id": record}
    assert (await office.desk("subject", "SELF_QUERY", None, None).done(NODE, {"id": record}))["node"] is None


async def test_acceptance_03_what_was_known_before_a_repair_is_not_told_as_history_either(
    office: Office,
) -> None:
    """R9.2: HISTORY shows what the hub knew then, never what has ended since."""
    office.clock.now = at(2026, 9, 1)
    code = await office.subject()
    record = await penalty(office, code, date(2026, 5, 10), recorded_at=at(2026, 6, 1))
    await approved(office, record)
    query = """query H($code: String!, $at: DateTime) { subject(value: $code, asOf: $at) {
      records(first: 10) { edges { node { id } } } } }"""
    desk = office.desk("commerce", "ONGOING_SUPERVISION", "M-1", None)
    for moment in ("2026-07-01T00:00:00+08:00", None):
        found = await desk.done(query, {"code": code, "at": moment})
        assert found["subject"] is None or found["subject"]["records"]["edges"] == []


async def test_acceptance_04_unrepaired_it_is_there_on_2027_05_10_and_gone_the_next_day(
    office: Office,
) -> None:
    """R7.5, R9.2: the last day of the year counts, in Asia/Shanghai; auditors still see it."""
    code = await office.subject()
    record = await penalty(office, code, date(2026, 5, 10), usable_until=date(2027, 5, 10))
    office.clock.now = datetime(2027, 5, 10, 15, 59, tzinfo=UTC)
    for desk in partners(office).values():
        seen = await told(office, desk, code)
        assert [one["node"]["id"] for one in seen["records"]["edges"]] == [record]
        assert seen["summary"]["publicPenaltyCount"] == 1
    office.clock.now = datetime(2027, 5, 10, 16, 0, tzinfo=UTC)
    for desk in partners(office).values():
        seen = await told(office, desk, code)
        assert seen["records"]["edges"] == seen["fined"]["edges"] == seen["in_may"]["edges"] == []
        assert (seen["summary"]["hasPublicPenalty"], seen["summary"]["publicPenaltyCount"]) == ("NO", 0)
        assert (await desk.done(NODE, {"id": record}))["node"] is None
    auditor = office.desk("auditor", "AUDIT", "A-1", None)
    assert [one["node"]["id"] for one in (await told(office, auditor, code))["records"]["edges"]] == [record]


@pytest.mark.parametrize(
    ("day", "ruleset"), [(date(2026, 3, 30), "REPAIR-58"), (date(2026, 4, 1), "REPAIR-36")]
)
async def test_acceptance_05_an_application_is_handled_by_the_order_of_its_day(
    office: Office, day: date, ruleset: str
) -> None:
    """R9.2: also where the decision comes later, under the new order."""
    office.clock.now = at(day.year, day.month, day.day)
    record = await penalty(office, await own(office), date(2025, 12, 20))
    made = (await subject(office).done(APPLY, {"target": record, "evidence": [PERFORMED, PROMISED]}))["case"]
    assert (made["ruleset"], made["appliedOn"]) == (ruleset, str(day))
    assert (await outlook(subject(office), record))["ruleset"] == ruleset
    office.clock.now = at(2026, 4, 3)
    query = "query C($n: String!) { case(number: $n) { ruleset state } }"
    assert (await department(office).done(query, {"n": made["number"]}))["case"] == {
        "ruleset": ruleset, "state": "SUBMITTED",
    }  # fmt: skip


async def test_acceptance_05_one_of_the_old_order_that_is_recorded_under_the_new_one_stays_its(
    office: Office,
) -> None:
    from tests.casework.test_repair import recorded

    office.clock.now = at(2026, 4, 2)
    record = await penalty(office, await office.subject(), date(2025, 12, 20))
    made = await recorded(office, record, applied="2026-03-30", pushed="2026-04-01")
    assert (made["ruleset"], made["appliedOn"]) == ("REPAIR-58", "2026-03-30")
