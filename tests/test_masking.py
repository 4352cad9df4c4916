"""What a partner that is shown a person masked reads of the person's records: no free words, which may name anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from tests.callers import Caller, Path, caller, masked_only
from tests.conftest import Database
from tests.stage import Stage, stage_over
from tests.worlds import World, build

# All words that a source writes as it likes.
WORDS = """
title
... on AdministrativeLicense { documentName certificateName content }
... on AdministrativePenalty { violationType facts content revokedCertificate }
... on GenericCreditRecord { items { value } }
"""
RECORDS = f"""{{
  records(first: 100) {{
    edges {{ node {{ __typename documentNumber decidedOn subject {{ __typename }} {WORDS} }} }}
  }}
}}"""
ENTRIES = """{
  listEntries(first: 100) {
    edges { node { color decisionNumber cause exitReason subject { __typename } } }
  }
}"""
KNOWN = ("__typename", "documentNumber", "decisionNumber", "decidedOn", "subject", "color")


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[tuple[Stage, World]]:
    """A world with persons that have records and places on lists."""
    world = build(5, persons=12)
    with stage_over(shared_database) as made:
        made.play(world)
        yield made, world


def asked(stage: tuple[Stage, World], who: Caller, text: str) -> list[Mapping[str, Any]]:
    """The rows of a page."""
    on, world = stage
    answer = on.run(Path(on.reader, world.live).answer(who, text))
    (page,) = orjson.loads(answer.data).values()
    return [edge["node"] for edge in page["edges"]]


def words(node: Mapping[str, Any]) -> list[Any]:
    """The free words of a row that the answer holds."""
    return [value for name, value in node.items() if name not in KNOWN and value is not None]


def about(nodes: list[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The rows about subjects of a kind that are shown."""
    return [one for one in nodes if one["subject"] and one["subject"]["__typename"] == kind]


@pytest.mark.parametrize("text", [RECORDS, ENTRIES])
def test_records_of_persons_come_without_free_words_at_the_level_masked(
    stage: tuple[Stage, World], text: str
) -> None:
    nodes = asked(stage, caller("auditor", "AUDIT"), text)
    # Published commitments (D33) and red lists (D13) are shown in full, whoever they are about.
    persons = [
        one
        for one in about(nodes, "NaturalPerson")
        if one.get("__typename") != "GenericCreditRecord" and one.get("color") != "RED"
    ]
    others = about(nodes, "Organization")
    assert len(persons) >= 3
    assert [words(one) for one in persons] == [[]] * len(persons)
    # The number of the document stays, and organizations are shown in full.
    assert any(one.get("documentNumber") or one.get("decisionNumber") for one in persons)
    assert all(words(one) for one in others if one.get("__typename") != "GenericCreditRecord")


def test_an_agreement_that_masks_organizations_withholds_their_words_too(stage: tuple[Stage, World]) -> None:
    who = caller("auditor", "AUDIT", masked_only)
    # What is shown in full in no row does not exist: not even the field.
    assert "CreditRecord.title" not in who.standing.view.visible
    text = RECORDS.replace("title\n", "").replace("items { value }", "recordType")
    nodes = asked(stage, who, text)
    assert nodes
    assert {value for one in nodes for value in words(one)} <= {
        one["recordType"] for one in nodes if "recordType" in one
    }
