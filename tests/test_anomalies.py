"""Public anomalies (D14) of live customs: shown as stated, null where customs did not answer, never “none” by silence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.customs import ISSUER_CODE
from hub.errors import ValidationFailed
from hub.rights.agreement import today_in
from hub.sandbox.run import province_in
from hub.sandbox.server import Fault
from hub.serving.answers import limits_of
from tests.callers import caller, operations
from tests.hub_server import MERCHANT, SUBJECTS
from tests.stand import Stand

# Customs answers within a deadline that a busy machine keeps, too.
PATIENT = {"HUB_SOURCE_DEADLINE": "3"}
ANOMALIES = """
query Anomalies($code: String!) {
  subject(value: $code) {
    displayName
    listEntries { id }
    ... on Organization {
      anomalies {
        title enteredOn authority { name uscc }
        provenance { source providerName catalogItemCode sourceUpdatedAt fetchedAt }
      }
    }
  }
}
"""
BOTH = """
query Both($code: String!) {
  subject(value: $code) { ... on Organization { grades(scheme: CUSTOMS) { gradeLabel } anomalies { title } } }
}
"""
THEN = """
query Then($code: String!) {
  subject(value: $code, asOf: "MOMENT") {
    ... on Organization { displayName grades { scheme } anomalies { title } }
  }
}
"""


@pytest.fixture
def options() -> dict[str, str]:
    """Settings of the stand's hub that differ from the usual."""
    return PATIENT


def without_anomalies(answer: dict[str, Any]) -> dict[str, Any]:
    """The subject but what customs says of it."""
    return {name: value for name, value in answer["data"]["subject"].items() if name != "anomalies"}


async def test_an_anomaly_is_shown_in_the_words_of_customs_with_where_it_came_from_and_how_old_it_is(
    stand: Stand, state_dir: Path
) -> None:
    merchant = province_in(state_dir, SUBJECTS, today_in(datetime.now(UTC))).find(MERCHANT)
    assert merchant is not None
    assert merchant.customs is not None
    ((words, day),) = merchant.customs.anomalies
    _, answer = await stand.ask(MERCHANT, ANOMALIES)
    (anomaly,) = answer["data"]["subject"]["anomalies"]
    fetched = datetime.fromisoformat(anomaly["provenance"].pop("fetchedAt"))
    assert abs((fetched - datetime.now(UTC)).total_seconds()) < 30
    assert anomaly == {
        "title": words,
        "enteredOn": str(day),
        "authority": {"name": "西宁海关", "uscc": ISSUER_CODE},
        "provenance": {
            "source": "CUSTOMS",
            "providerName": "西宁海关",
            "catalogItemCode": "HG-ANOMALY",
            "sourceUpdatedAt": f"{day}T03:12:08+08:00",
        },
    }
    (told,) = answer["extensions"]["sources"]
    assert told["source"] == "CUSTOMS"
    assert told["status"] == "OK"
    assert datetime.fromisoformat(told["asOf"]) == fetched


async def test_a_trader_without_anomalies_has_none_and_who_is_not_known_to_customs_has_none_either(
    stand: Stand, traders: list[str]
) -> None:
    trader = next(code for code in traders if code != MERCHANT)
    _, answer = await stand.ask(trader, ANOMALIES)
    assert answer["data"]["subject"]["anomalies"] == []


@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.NONE])
async def test_anomalies_are_null_and_nothing_else_is_when_customs_is_broken(
    stand: Stand, fault: Fault
) -> None:
    async with stand.fault(fault):
        _, broken = await stand.ask(MERCHANT, ANOMALIES)
    assert broken["data"]["subject"]["anomalies"] is None
    (told,) = broken["extensions"]["sources"]
    # Rows that make no sense are no whole answer, but one that was had.
    assert told["status"] == ("PARTIAL" if fault is Fault.LIES else "UNAVAILABLE")
    assert without_anomalies(broken)["displayName"]
    _, plain = await stand.ask(MERCHANT, ANOMALIES.replace("anomalies {", "anomalies @skip(if: true) {"))
    assert without_anomalies(broken) == plain["data"]["subject"]
    assert "sources" not in plain["extensions"]


@pytest.mark.parametrize("options", [{**PATIENT, "HUB_CACHE_TTL": "0"}])
async def test_what_customs_said_before_stays_with_its_age(stand: Stand) -> None:
    _, before = await stand.ask(MERCHANT, ANOMALIES)
    async with stand.fault(Fault.HANG):
        _, stale = await stand.ask(MERCHANT, ANOMALIES)
    assert stale["data"] == before["data"]
    assert stale["data"]["subject"]["anomalies"]
    assert stale["extensions"]["sources"] == [
        {"source": "CUSTOMS", "status": "STALE", "asOf": before["extensions"]["sources"][0]["asOf"]}
    ]


async def test_grades_and_anomalies_of_one_answer_are_one_source(stand: Stand) -> None:
    _, answer = await stand.ask(MERCHANT, BOTH)
    assert [one["source"] for one in answer["extensions"]["sources"]] == ["CUSTOMS"]
    assert answer["data"]["subject"]["anomalies"] == [{"title": "年报逾期未报"}]
    assert answer["data"]["subject"]["grades"]


async def test_of_the_past_customs_says_nothing_and_is_not_asked(stand: Stand) -> None:
    async with stand.fault(Fault.HANG):
        moment = datetime.now(UTC).isoformat()
        _, answer = await stand.ask(MERCHANT, THEN.replace("MOMENT", moment), "auditor", "AUDIT")
    assert answer["data"]["subject"]["anomalies"] is None
    assert "sources" not in answer["extensions"]
    assert stand.wire.connections == 0


async def test_what_customs_says_now_does_not_vouch_for_what_is_told_of_the_past_beside_it(
    stand: Stand,
) -> None:
    """Of who compared then and now it was said that customs had answered, so that no grade of then meant there was none."""
    moment = datetime.now(UTC).isoformat()
    both = """query Q($code: String!) {
      now: subject(value: $code) { ... on Organization { grades { scheme } } }
      then: subject(value: $code, asOf: "MOMENT") { ... on Organization { ASKED } }
    }""".replace("MOMENT", moment)
    told = {}
    for asked in (
        "displayName",
        "grades { scheme }",
        "grades(scheme: TAX) { scheme }",
        "anomalies { title }",
    ):
        _, answer = await stand.ask(MERCHANT, both.replace("ASKED", asked), "auditor", "AUDIT")
        assert {"scheme": "CUSTOMS"} in answer["data"]["now"]["grades"]
        assert {"scheme": "CUSTOMS"} not in answer["data"]["then"].get("grades", [])
        ((source, status),) = ((one["source"], one["status"]) for one in answer["extensions"]["sources"])
        told[asked] = status
        assert source == "CUSTOMS"
    assert told == {
        "displayName": "OK",
        "grades { scheme }": "PARTIAL",
        "grades(scheme: TAX) { scheme }": "OK",
        "anomalies { title }": "PARTIAL",
    }


def without_customs(text: str) -> str:
    """The agreement without what customs makes public."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("D14 "))


def test_who_is_not_given_d14_knows_of_no_anomalies() -> None:
    standing = caller("mall", "MERCHANT_ADMISSION", without_customs).standing
    view = standing.view
    assert {c for c in view.visible if "nomal" in c} == set()
    assert "PublicAnomaly" not in view.schema.type_map
    text = "{ subject(value: 1) { ... on Organization { anomalies { id } } } }"
    with pytest.raises(ValidationFailed) as hidden:
        operations().ready(view, limits_of(standing.limits), 1, text, None)
    with pytest.raises(ValidationFailed) as misspelt:
        operations().ready(view, limits_of(standing.limits), 1, text.replace("anomalies", "anomalyss"), None)
    assert str(hidden.value.extensions).replace("anomalies", "anomalyss") == str(misspelt.value.extensions)
    given = caller("mall", "MERCHANT_ADMISSION").standing.view
    assert {"Organization.anomalies", "PublicAnomaly.title"} <= given.visible
