"""Ids of what is about natural persons are each partner class's own (DOMAIN 6.6-10): none can be joined with another's."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from hub.query.ids import class_key, opened
from tests.callers import Caller, Path, auditor_as, caller
from tests.conftest import Database
from tests.reference.ids import permuted
from tests.stage import Stage, stage_over
from tests.worlds import ID_KEY, World, build

CLASSES = tuple(f"P{number}" for number in range(1, 13))
PAGES = """query Pages($records: String, $entries: String) {
  records(first: 3, after: $records) {
    edges { cursor node { id __typename subject { __typename id ... on Organization { displayName } } } }
    pageInfo { endCursor hasNextPage }
  }
  listEntries(first: 3, after: $entries) {
    edges { cursor node { id subject { __typename id } } }
    pageInfo { endCursor hasNextPage }
  }
}"""
NODE = """query Node($id: ID!) {
  node(id: $id) { id __typename ... on CreditRecord { documentNumber subject { id } } ... on CreditSubject { displayName } }
}"""


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[tuple[Stage, World]]:
    """A world with persons that have records and places on lists."""
    world = build(6, persons=12)
    with stage_over(shared_database) as made:
        made.play(world)
        yield made, world


def ask(stage: tuple[Stage, World], who: Caller, text: str, **variables: Any) -> bytes:
    """The answer's data."""
    on, world = stage
    return bytes(on.run(Path(on.reader, world.live).answer(who, text, variables)).data)


def nodes(stage: tuple[Stage, World], who: Caller) -> list[dict[str, Any]]:
    """All that the caller can browse, page by page; with its cursor."""
    found, at = [], {"records": None, "entries": None}
    for _ in range(60):
        data = orjson.loads(ask(stage, who, PAGES, **at))
        pages = {"records": data["records"], "entries": data["listEntries"]}
        for name, page in pages.items():
            found += [{**edge["node"], "cursor": edge["cursor"]} for edge in page["edges"] if page["edges"]]
            at[name] = page["pageInfo"]["endCursor"] or at[name]
        if not any(page["edges"] for page in pages.values()):
            return found
    raise AssertionError("the pages do not end")


def of_persons(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows about natural persons."""
    return about(found, "NaturalPerson")


def about(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The rows about subjects of a kind that are shown."""
    return [one for one in found if one["subject"] and one["subject"]["__typename"] == kind]


def raw(world: World) -> dict[str, str]:
    """Id in the store → table, of all that is about natural persons."""
    persons = {row["subject_id"] for row in world.tables["subject"] if row["kind"] == "NATURAL_PERSON"}
    return {
        row["public_id"]: table
        for table in ("subject", "record", "list_entry")
        for row in world.tables[table]
        if row["subject_id"] in persons
    }


AUDITOR = ("auditor", "AUDIT")
COMMERCE = ("commerce", "ONGOING_SUPERVISION")


async def test_the_store_seals_as_the_hub_opens(database: Database) -> None:
    chance = random.Random(1)
    plain = [
        "0" * 32, "f" * 32, "80000000000000007fffffffffffffff", *(f"{chance.getrandbits(128):032x}" for _ in range(200)),
    ]  # fmt: skip
    for name in CLASSES:
        key = class_key(ID_KEY, name)
        stored = await database.reader.fetch(
            "SELECT sealed_id(u.id, $2) FROM unnest($1::uuid[]) WITH ORDINALITY u(id, ord) ORDER BY ord",
            plain,
            key,
        )
        told = [row[0] for row in stored]
        assert told == [permuted(one, name) for one in plain]
        assert [opened(one, key) for one in told] == plain
        assert not set(told) & set(plain)


def test_no_two_classes_and_no_organization_share_a_key() -> None:
    keys = {class_key(ID_KEY, name) for name in CLASSES}
    assert len(keys) == len(CLASSES)
    assert len({permuted("0" * 32, name) for name in CLASSES}) == len(CLASSES)
    assert class_key(b"another secret of this length 01", "P1") not in keys


def test_two_partner_classes_have_no_id_of_a_person_in_common(stage: tuple[Stage, World]) -> None:
    seen = {who: nodes(stage, caller(*who)) for who in (AUDITOR, COMMERCE)}
    ids = {
        who: {id_ for one in of_persons(found) for id_ in (one["id"], one["subject"]["id"])}
        for who, found in seen.items()
    }
    assert all(len(found) >= 6 for found in ids.values())
    assert not ids[AUDITOR] & ids[COMMERCE]
    # Organizations are the same for all, so that partners can speak of them.
    firms = {who: {one["id"] for one in about(found, "Organization")} for who, found in seen.items()}
    assert len(firms[AUDITOR] & firms[COMMERCE]) >= 6


def test_nothing_of_an_answer_is_an_id_of_a_person_as_the_store_has_it(stage: tuple[Stage, World]) -> None:
    secret = raw(stage[1])
    for who in (AUDITOR, COMMERCE):
        found = nodes(stage, caller(*who))
        assert of_persons(found)
        for one in found:
            said = orjson.dumps(one).decode() + base64.b64decode(one["cursor"]).hex()
            assert not [id_ for id_ in secret if id_ in said]


def test_pages_go_on_over_rows_of_persons_and_lose_none(stage: tuple[Stage, World]) -> None:
    found = [one["id"] for one in nodes(stage, caller(*AUDITOR))]
    assert len(found) == len(set(found))
    whole = orjson.loads(ask(stage, caller(*AUDITOR), PAGES.replace("first: 3", "first: 100")))
    assert sorted(found) == sorted(
        edge["node"]["id"] for page in ("records", "listEntries") for edge in whole[page]["edges"]
    )


def test_node_takes_the_callers_own_form_and_no_other(stage: tuple[Stage, World]) -> None:
    own = {one["id"]: one for one in of_persons(nodes(stage, caller(*AUDITOR)))}
    absent = ask(stage, caller(*AUDITOR), NODE, id="r" + "1" * 32)
    assert absent == b'{"node":null}'
    for id_, one in own.items():
        told = orjson.loads(ask(stage, caller(*AUDITOR), NODE, id=id_))["node"]
        assert told["id"] == id_
        person = orjson.loads(ask(stage, caller(*AUDITOR), NODE, id=one["subject"]["id"]))["node"]
        assert person["__typename"] == "NaturalPerson"
        # Another class's form of the same, and the store's.
        plain = opened(id_[1:], class_key(ID_KEY, "P12"))
        assert plain in raw(stage[1])
        for other in (plain, permuted(plain, "P1")):
            assert ask(stage, caller(*AUDITOR), NODE, id=id_[0] + other) == absent


def test_through_the_eyes_of_another_its_ids_are_seen(stage: tuple[Stage, World]) -> None:
    """An auditor who looks as customs sees what customs would see, and finds what customs speaks of."""
    customs = of_persons(nodes(stage, caller("customs", "JOINT_PUNISHMENT")))
    looking = of_persons(nodes(stage, auditor_as("customs", "JOINT_PUNISHMENT")))
    assert {one["id"] for one in looking} <= {one["id"] for one in customs}
    assert looking


def test_ids_of_organizations_stay_those_of_the_store(stage: tuple[Stage, World]) -> None:
    firms = about(nodes(stage, caller(*COMMERCE)), "Organization")
    stored = {row["public_id"] for table in ("record", "list_entry") for row in stage[1].tables[table]}
    assert firms
    assert {one["id"][1:] for one in firms} <= stored
