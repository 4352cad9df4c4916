"""Who sees which case: what each partner gets equals the policy asked row by row, and hidden cases change no byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from itertools import chain, combinations
from typing import Any

import pytest

from hub.rights.agreement import Agreement, read_agreement
from hub.rights.matrix import Level, Purpose
from hub.rights.policy import decide
from hub.rules.matrix import load_matrix
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.callers import PAIRS
from tests.casework.desk import MONDAY, Office
from tests.reference.rights import RowFacts, row_level

TODAY = date(2026, 11, 23)
PARTNERS = ("commerce", "commerce-xining", "mall")
SUBJECTS = (DEMO_SUBJECT, "91632221MA7580081U", None)
PAGE = """query Page($after: String) { cases(first: 20, after: $after) {
  edges { cursor node { __typename number state subject { __typename } } } pageInfo { hasNextPage endCursor } } }"""
ONE = """query One($number: String!) {
  case(number: $number) { number ... on CreditCheck { conclusion } ... on TolerantAcceptance { commitment } }
  creditCheck(number: $number) { number }
}"""
DETAILS = {
    "CHECK": {
        "subject_code": "x", "purpose": "EXHIBITION", "matter": "M", "matter_name": "m", "case_number": "c",
        "conclusion": "NORMAL", "reasons": [], "reminders": [], "valid_until": "2026-11-23",
    },
    "TOLERANCE": {"missing_papers": [], "commitment": "承诺", "commitment_digest": "0"},
}  # fmt: skip


def _subsets(values: Sequence[str]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(values, n) for n in range(len(values) + 1)))


async def _lay(office: Office, tag: str) -> list[dict[str, Any]]:
    """A case of each mechanism for each subject and each set of parties."""
    laid = []
    for mechanism, details in DETAILS.items():
        for code in SUBJECTS:
            for parties in _subsets(PARTNERS):
                number = f"{tag}-{mechanism}-{len(laid):03}"
                await office.rows(
                    "WITH made AS (INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner,"
                    " opened_at, opened_on, ruleset, details) VALUES ($1, $2, (SELECT subject_id FROM subject WHERE"
                    " uscc = $3), 'D38', 'ISSUED', 'commerce', $4, $5, 'T', $6) RETURNING case_id)"
                    " INSERT INTO case_party SELECT case_id, p, 'HANDLER', $4 FROM made, unnest($7::text[]) p",
                    mechanism, number, code, MONDAY, TODAY, json.dumps(details), list(parties),
                )  # fmt: skip
                laid.append({"number": number, "mechanism": mechanism, "code": code, "parties": parties})
    return laid


@pytest.fixture(scope="module")
async def laid(module_office: Office) -> list[dict[str, Any]]:
    """The cases that all tests of this module ask for."""
    for code in SUBJECTS:
        if code is not None:
            await module_office.subject(code=code, region=code[2:8])
    return await _lay(module_office, "L")


def _agreement(partner: str) -> Agreement:
    text = files("hub.sandbox.agreements").joinpath(f"{partner}.toml").read_text("utf-8")
    return read_agreement(text, load_matrix(), TODAY)


def _shown(partner: str, purpose: str, laid: Sequence[dict[str, Any]]) -> set[str]:
    """The numbers that the policy gives, asked case by case."""
    agreement = _agreement(partner)
    decision = decide(load_matrix(), agreement, Purpose(purpose), "D38", TODAY)
    return {
        case["number"]
        for case in laid
        if row_level(
            decision,
            RowFacts(
                in_region=case["code"] is not None
                and case["code"][2:8].startswith(agreement.regions or ("-",)),
                self_=partner == "subject" and case["code"] == DEMO_SUBJECT,
                party=partner in case["parties"],
            ),
        )
        >= Level.MASKED
    }


async def _ask(office: Office, partner: str, purpose: str, numbers: Sequence[str]) -> tuple[list[Any], bytes]:
    """All pages and all cases by number; the second is everything that came, to compare byte by byte."""
    desk = office.desk(partner, purpose, "SW-XK-OIL", "BJ-1")
    said, nodes, after = [], [], None
    while True:
        answer = await desk.ask(PAGE, {"after": after})
        if "errors" in answer:
            assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
            return [], b"no cases at all"
        said.append(answer["data"])
        cases = answer["data"]["cases"]
        nodes += [edge["node"] for edge in cases["edges"]]
        after = cases["pageInfo"]["endCursor"]
        if not cases["pageInfo"]["hasNextPage"]:
            break
    for number in numbers:
        # A view with cases of other mechanisms has no checks: the same refusal for each number, then.
        answer = await desk.ask(ONE, {"number": number})
        said.append(answer.get("data", answer.get("errors")))
    return nodes, json.dumps(said, ensure_ascii=False).encode()


@pytest.mark.parametrize(("partner", "purpose"), PAIRS)
async def test_a_partner_sees_exactly_the_cases_that_the_policy_gives(
    office: Office, laid: list[dict[str, Any]], partner: str, purpose: str
) -> None:
    nodes, _ = await _ask(office, partner, purpose, [])
    expected = _shown(partner, purpose, laid)
    assert {node["number"] for node in nodes} == expected
    assert len(nodes) == len(expected)
    types = {"CHECK": "CreditCheck", "TOLERANCE": "TolerantAcceptance"}
    for node in nodes:
        case = next(one for one in laid if one["number"] == node["number"])
        assert node["__typename"] == types[case["mechanism"]]
        assert (node["subject"] is None) == (case["code"] is None)
    if not expected:
        return
    desk = office.desk(partner, purpose, "SW-XK-OIL", "BJ-1")
    for case in laid:
        told = await desk.done(ONE, {"number": case["number"]})
        assert (told["case"] is not None) == (case["number"] in expected), case
        check = case["number"] in expected and case["mechanism"] == "CHECK"
        assert (told["creditCheck"] is not None) == check, case


@pytest.mark.parametrize(("partner", "purpose"), PAIRS)
async def test_what_happened_to_cases_of_any_mechanism_is_told_whoever_may_ask_for_it(
    office: Office, laid: list[dict[str, Any]], partner: str, purpose: str
) -> None:
    # Of some mechanisms an auditor is told what happened, of others it is withheld: in one list there are both.
    answer = await office.desk(partner, purpose, "SW-XK-OIL", "BJ-1").ask(
        "{ cases(first: 20) { edges { node { number events { transition } } } } }"
    )
    if "errors" in answer:
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert partner != "auditor"
        return
    # They were laid without events.
    assert all(edge["node"]["events"] == [] for edge in answer["data"]["cases"]["edges"])


@pytest.mark.parametrize(("partner", "purpose"), [*PAIRS, ("commerce", "GOVERNMENT_FUNDING")])
async def test_cases_that_are_hidden_change_no_byte(
    office: Office, laid: list[dict[str, Any]], partner: str, purpose: str
) -> None:
    numbers = [case["number"] for case in laid[::6]]
    _, before = await _ask(office, partner, purpose, numbers)
    more = await _lay(office, "H")
    hidden = {case["number"] for case in more} - _shown(partner, purpose, more)
    await office.rows(
        "DELETE FROM case_party WHERE case_id IN (SELECT case_id FROM case_file WHERE number LIKE 'H-%' AND NOT number = ANY ($1))",
        list(hidden),
    )
    await office.rows("DELETE FROM case_file WHERE number LIKE 'H-%' AND NOT number = ANY ($1)", list(hidden))
    try:
        _, after = await _ask(office, partner, purpose, numbers)
    finally:
        await office.rows(
            "DELETE FROM case_party WHERE case_id IN (SELECT case_id FROM case_file WHERE number LIKE 'H-%')"
        )
        await office.rows("DELETE FROM case_file WHERE number LIKE 'H-%'")
    assert after == before
