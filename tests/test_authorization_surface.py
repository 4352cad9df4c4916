"""The other ways in which gateways told too much: schemas, messages, transports, limits, sources, logs, start-up, time."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any

import asyncpg
import orjson
import pytest
import strawberry
from graphql import GraphQLInterfaceType, get_introspection_query, validate_schema

from hub.errors import LimitExceeded, RulesInvalid
from hub.query.document import DocumentLimits
from hub.query.operations import KEPT_INTROSPECTION, Operations
from hub.rights.matrix import Level
from hub.rules.matrix import load_matrix, parse_matrix
from schema.coordinates import UngovernedCoordinate, read, vocabulary
from schema.fields import governed
from schema.governance import OPEN, Shape, entity
from schema.node import Node
from tests.callers import PAIRS, Path, caller, operations, standing, standings
from tests.conftest import Database
from tests.documents import Writer, pool_of
from tests.scene import MATTER, WAYS, ServedScene, answered, served_scene
from tests.worlds import build, sentinels

CHECK = "query C($code: String!) { subject(value: $code) { displayName } }"
# Words that no schema and no message for the mall may hold: what it does not see.
SECRET_WORDS = (
    "contact", "Contact", "NaturalPerson", "identityVerified", "hasWatchListEntry", "WATCH", "SAFE", "RESIDENT_ID",
    "REPAIRED", "matchSubjects", "listEntries(", "asOf", "payloadDigest", "sourceRecordId", "Mutation",
)  # fmt: skip
# Groups in which coordinates are hidden.
HIDDEN_TOGETHER = 200
BY_ALL_WAYS = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
async def hub(shared_database: Database) -> AsyncIterator[ServedScene]:
    """The hub over the scene, for all tests of the module."""
    async with served_scene(shared_database) as served:
        yield served


def code(hub: ServedScene) -> dict[str, str]:
    """Variables that name the merchant."""
    return {"code": hub.scene.merchant["uscc"]}


# ---- 5, 38: rules that are missing -------------------------------------------------------------------------------


def test_05_an_override_of_an_interface_field_without_a_rule_of_its_own_does_not_build() -> None:
    @strawberry.type(description="甲 · a")
    @entity("record", "D6")
    class Thing(Node):
        id: strawberry.ID = strawberry.field(description="标识 · id")

    @strawberry.type
    class Query:
        node: Node | None = governed("节点", "node", OPEN, shape=Shape.ONE, target="node")

    with pytest.raises(UngovernedCoordinate, match=r"Thing\.id declares no data class"):
        read(strawberry.Schema(Query, types=[Thing])._schema)


def test_38_a_rule_that_is_missing_or_renamed_stops_the_start() -> None:
    text = files("hub.rules").joinpath("matrix.toml").read_text("utf-8")
    parse_matrix(text)
    for broken in (
        text.replace("[data.D29]", "[data.D44]"),
        text.replace(
            'partners = ["P4"], level = "FULL", basis = "SOURCE_OWN"',
            'partners = ["P4"], level = "OPEN", basis = "SOURCE_OWN"',
        ),
        text.replace("[class.P11]", "[class.P13]"),
        text[: text.index("[data.D43]")],
    ):
        assert broken != text
        with pytest.raises(RulesInvalid):
            parse_matrix(broken)


def test_38_no_decision_and_no_openness_give_nothing() -> None:
    view = standing("commerce", "ONGOING_SUPERVISION").view
    empty = replace(view, decisions={}, sharing={})
    assert not empty.allows(("D1", "D6", "D99"), Level.YES_NO)
    governed_fields = {
        c for c in empty.visible if (rule := vocabulary().rules.get(c)) and rule.classes[0].startswith("D")
    }
    assert governed_fields == set()


# ---- 1: columns that are not read --------------------------------------------------------------------------------


@pytest.mark.parametrize(("partner", "purpose"), PAIRS)
def test_01_what_a_view_does_not_have_is_not_even_read(partner: str, purpose: str) -> None:
    """No statement of any document names the columns of contacts, or the detail texts, that its view does not show."""
    who = caller(partner, purpose)
    view = who.standing.view
    unread = [
        column
        for coordinate, column in (
            ("Contact.phone", ".phone"), ("Contact.address", ".address"),
            ("NaturalPerson.identityVerified", "'D3'"), ("CreditSummary.hasWatchListEntry", "x.color = 'WATCH'"),
        )
        if coordinate not in view.visible
    ]  # fmt: skip
    world = build(5)
    pool = pool_of(world, ("Query.me",), (purpose,), ())
    path = Path(None, {})  # type: ignore[arg-type]
    read = 0
    for number in range(60):
        document = Writer(view.schema, pool, random.Random(number).randint).document()
        try:
            operation = path.ready(who, document.text, document.name)
        except LimitExceeded:
            continue
        statement = operation.compiled(operation.variables.coerce(document.variables)).statement
        read += 1
        for column in unread:
            assert statement is None or column not in statement.sql.replace("IN ('D3'", ""), document
    assert read >= 40, read


@pytest.mark.parametrize("group", range(HIDDEN_TOGETHER))
def test_coordinates_that_an_agreement_hides_are_gone_and_the_schema_still_stands(group: int) -> None:
    """Every coordinate is hidden once, with some others from anywhere in the vocabulary."""
    every = sorted(vocabulary().coordinates)
    random.Random(7).shuffle(every)
    hidden = frozenset(every[group::HIDDEN_TOGETHER])
    view = replace(standing("commerce", "ONGOING_SUPERVISION").view, hidden=hidden)
    assert validate_schema(view.schema) == []
    for coordinate in hidden:
        assert coordinate not in view.visible
        type_name, _, rest = coordinate.partition(".")
        if isinstance(vocabulary().schema.type_map[type_name], GraphQLInterfaceType):
            for one in vocabulary().possible(type_name):
                assert f"{one}.{rest}" not in view.visible


# ---- 8–11: schema and messages -----------------------------------------------------------------------------------


@BY_ALL_WAYS
@pytest.mark.parametrize(("partner", "purpose"), PAIRS)
async def test_08_introspection_tells_the_view_and_nothing_else(
    hub: ServedScene, way: str, partner: str, purpose: str
) -> None:
    view = standing(partner, purpose).view
    shallow = """{ __schema { types { name fields(includeDeprecated: true) { name args { name } } inputFields { name }
      enumValues(includeDeprecated: true) { name } possibleTypes { name } } directives { name } } }"""
    told = (await hub.ask(partner, shallow, way=way, purpose=purpose)).data["__schema"]
    known = {
        f"{one['name']}.{member['name']}"
        for one in told["types"]
        for member in (*(one["fields"] or ()), *(one["inputFields"] or ()))
        if not one["name"].startswith("__")
    }
    assert known <= view.visible
    arguments = {
        f"{one['name']}.{member['name']}({argument['name']}:)"
        for one in told["types"]
        if not one["name"].startswith("__")
        for member in one["fields"] or ()
        for argument in member["args"]
    }
    assert arguments <= view.visible
    values = {f"{one['name']}.{value['name']}" for one in told["types"] for value in one["enumValues"] or ()}
    assert not values & (set(vocabulary().values) - view.visible)
    assert {one["name"] for one in told["directives"]} == {"skip", "include", "deprecated", "specifiedBy"}
    for hidden in sorted(vocabulary().coordinates - view.visible)[::40]:
        type_name, _, rest = hidden.partition(".")
        query = f'{{ __type(name: "{type_name}") {{ fields {{ name }} inputFields {{ name }} enumValues {{ name }} }} }}'
        found = (await hub.ask(partner, query, way=way, purpose=purpose)).data["__type"]
        members = [
            one["name"]
            for key in ("fields", "inputFields", "enumValues")
            for one in (found or {}).get(key) or ()
        ]
        assert rest not in members


@BY_ALL_WAYS
async def test_08_introspection_that_is_kept_is_that_of_its_view_its_operation_and_its_values(
    hub: ServedScene, way: str
) -> None:
    query = """query A($t: String!, $all: Boolean!) { t: __type(name: $t) { name fields @include(if: $all) { name } } }
      query B($t: String!) { t: __type(name: $t) { kind } }"""
    asked = [
        ("mall", {"t": "Organization", "all": True}), ("mall", {"t": "Organization", "all": False}),
        ("mall", {"t": "Contact", "all": False}), ("commerce", {"t": "Contact", "all": False}),
        ("commerce", {"t": "Organization", "all": True}), ("commerce", {"t": "63010419900307123X", "all": True}),
    ]  # fmt: skip
    told = []
    for _ in range(2):
        for partner, values in asked:
            purpose = "ONGOING_SUPERVISION" if partner == "commerce" else None
            single = query.partition("query B")[0]
            told.append((await hub.ask(partner, single, values, way, purpose)).data["t"])
    assert told[:6] == told[6:]
    assert [one and one["name"] for one in told[:6]] == [
        "Organization", "Organization", None, "Contact", "Organization", None,
    ]  # fmt: skip
    assert "fields" not in told[1]
    assert {one["name"] for one in told[0]["fields"]} < {one["name"] for one in told[4]["fields"]}


def test_08_introspection_is_made_once_while_there_is_room() -> None:
    at = standing("commerce", "ONGOING_SUPERVISION")
    kept = Operations(operations().ready(at.view, DocumentLimits(), 500, "{__typename}", None).secrets)

    def asked(text: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        operation = kept.ready(at.view, DocumentLimits(), 500, text, None)
        return operation.introspection(operation.compiled(values).plan, values)

    whole = asked(get_introspection_query(), {})
    assert asked(get_introspection_query(), {}) is whole
    named = "query($t: String!) { __type(name: $t) { name } }"
    assert asked(named, {"t": "Contact"}) is asked(named, {"t": "Contact"})
    # A number that a caller gives for a type is nowhere kept.
    assert asked(named, {"t": "63010419900307123X"}) is not asked(named, {"t": "63010419900307123X"})
    size = len(orjson.dumps(whole))
    assert size < KEPT_INTROSPECTION / 8
    for number in range(KEPT_INTROSPECTION // size + 1):
        asked(get_introspection_query().replace("IntrospectionQuery", f"Q{number}"), {})
    assert asked(get_introspection_query(), {}) is not whole


@BY_ALL_WAYS
async def test_08_introspection_is_asked_twice_in_a_document_at_most(hub: ServedScene, way: str) -> None:
    roots = " ".join(f"s{number}: __schema {{ queryType {{ name }} }}" for number in range(3))
    for query in (f"{{ {roots} }}", f"{{ ...F __typename }} fragment F on Query {{ {roots} }}"):
        refused = await hub.ask("mall", query, way=way)
        assert refused.codes == ["LIMIT_EXCEEDED"]
        assert refused.body["errors"][0]["extensions"]["limit"] == "introspection"
    assert (await hub.ask("mall", get_introspection_query(), way=way)).data["__schema"]["types"]


@BY_ALL_WAYS
async def test_08_introspection_beside_it_opens_no_field(hub: ServedScene, way: str) -> None:
    query = "query($code: String!) { __schema { __typename } subject(value: $code) { ... on Organization { contact { phone } } } }"
    assert set((await hub.ask("mall", query, code(hub), way)).codes) == {"GRAPHQL_VALIDATION_FAILED"}
    beside = 'query($code: String!) { __typename subject(value: $code) { displayName } __type(name: "Contact") { name } }'
    found = await hub.ask("mall", beside, code(hub), way)
    assert found.data == {
        "__typename": "Query",
        "subject": {"displayName": "青海昆仑商贸有限公司"},
        "__type": None,
    }


@BY_ALL_WAYS
@pytest.mark.parametrize(
    "field", ["_service { sdl }", "_entities(representations: []) { __typename }", "nodes(ids: []) { id }"]
)
async def test_09_22_23_there_is_no_federation(hub: ServedScene, way: str, field: str) -> None:
    for partner in ("mall", "public", "auditor"):
        refused = await hub.ask(partner, f"{{ {field} }}", way=way)
        assert set(refused.codes) == {"GRAPHQL_VALIDATION_FAILED"}
        assert "type Query" not in refused.text


@BY_ALL_WAYS
async def test_10_no_message_proposes_what_is_hidden(hub: ServedScene, way: str) -> None:
    for query, variables in (
        ("query($code: String!) { subject(value: $code) { ... on Organization { contac contacts grade } } }", code(hub)),
        ("query($code: String!) { subject(value: $code, asof: 1, as_Of: 2) { id } }", code(hub)),
        ("query($code: String!) { subject(value: $code) { listEntries(color: WATC) { id } summary { hasWatchListEntr } } }", code(hub)),
        ("query($code: String!) { subject(value: $code) { ... on NaturalPerso { id } ... on Contac { phone } } }", code(hub)),
        ("query($code: String!) { subject(value: $code, scheme: RESIDENT_I) { id } }", code(hub)),
        ("query($code: String!, $s: IdentifierScheme!) { subject(value: $code, scheme: $s) { id } }", {**code(hub), "s": "RESIDENT_I"}),
        ("query($code: String!, $f: RecordFilter) { subject(value: $code) { records(filter: $f) { edges { cursor } } } }",
         {**code(hub), "f": {"fineAtLeas": 1, "seriousness": ["MINO"], "kind": "x"}}),
        ("{ matchSubject(name: \"x\") { id } mutatio }", {}),
    ):  # fmt: skip
        refused = await hub.ask("mall", query, variables, way)
        assert set(refused.codes) <= {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}
        assert refused.codes
        for message in (one["message"] for one in refused.body["errors"]):
            assert "Did you mean" not in message
            for word in SECRET_WORDS:
                # What the caller wrote itself may be repeated.
                assert word not in message or word in query or word in json.dumps(variables), message


@BY_ALL_WAYS
async def test_11_a_failing_store_tells_nothing_of_itself(hub: ServedScene, way: str) -> None:
    owner = await asyncpg.connect(hub.database.owner_dsn)
    await owner.execute("REVOKE SELECT ON list_definition FROM hub_reader")
    try:
        failed = await hub.ask("public", "{ creditLists { name } }", way=way)
        other = await hub.ask("public", CHECK, code(hub), way)
    finally:
        await owner.execute("GRANT SELECT ON list_definition TO hub_reader")
        await owner.close()
    assert failed.status in (500, 503)
    assert "data" not in failed.body
    for word in ("list_definition", "permission", "SELECT", "asyncpg", "Traceback", "hub_reader", "/"):
        assert word not in failed.body["errors"][0]["message"]
    assert other.data["subject"]["displayName"]
    assert (await hub.ask("public", "{ creditLists { name } }", way=way)).data["creditLists"]


# ---- 26–28, 30, 31, 34, 40, 41: transports, batches, amplification ------------------------------------------------


async def test_26_no_operation_is_kept_for_others_to_run(hub: ServedScene) -> None:
    by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    refused = await hub.send(by_hash)
    # The word of which clients know that they have to send the document, and never a hash again.
    assert (refused.status, refused.codes) == (400, ["PERSISTED_QUERY_NOT_SUPPORTED"])
    assert [one["message"] for one in refused.body["errors"]] == ["PersistedQueryNotSupported"]
    for other in ({}, {"extensions": {"persistedQuery": None}}):
        assert (await hub.send(other)).codes == ["BAD_REQUEST"]
    # The document counts, whatever hash is claimed for it, and the rights are the sender's.
    both = await hub.send({"query": "{ me { partner } }", "variables": {}, **by_hash})
    assert both.data == {"me": {"partner": "mall"}}
    assert (await hub.send(by_hash, "commerce")).codes == ["PERSISTED_QUERY_NOT_SUPPORTED"]


async def test_27_there_are_no_batches(hub: ServedScene) -> None:
    one = {"query": CHECK, "variables": code(hub)}
    for batch in ([one], [one, one], [], [one] * 6):
        refused = await hub.send(batch)
        assert (refused.status, refused.codes) == (400, ["BAD_REQUEST"])
        assert "青海昆仑" not in refused.text


@BY_ALL_WAYS
@pytest.mark.alone
async def test_28_aliases_multiply_neither_answers_nor_quota(hub: ServedScene, way: str) -> None:
    many = " ".join(f"a{n}: subject(value: $code) {{ id }}" for n in range(100))
    refused = await hub.ask("mall", f"query($code: String!) {{ {many} }}", code(hub), way)
    assert refused.codes == ["LIMIT_EXCEEDED"]
    fragments = "query { ...f0 } " + " ".join(
        f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(20)
    )
    started = time.perf_counter()
    refused = await hub.ask(
        "auditor", f"{fragments} fragment f20 on Query {{ a: me {{ partner }} }}", way=way
    )
    assert refused.codes in (["LIMIT_EXCEEDED"], ["GRAPHQL_VALIDATION_FAILED"])
    assert time.perf_counter() - started < 1


async def test_28_every_code_that_is_asked_counts_against_the_day(database: Database) -> None:
    async with served_scene(database) as hub:
        owner = await asyncpg.connect(database.owner_dsn)
        used = "SELECT coalesce(sum(subjects), 0) FROM quota_use WHERE partner = 'mall'"
        query = "query($a: String!, $l: [USCC!]!) { x: subject(value: $a) { id } y: subject(value: $a) { id } subjects(codes: $l) { id } }"
        far = hub.scene.stranger["uscc"]
        assert (await hub.ask("mall", query, {"a": far, "l": [far, hub.scene.merchant["uscc"]]})).data[
            "x"
        ] is None
        skipped = "query($a: String!) { subject(value: $a) @skip(if: true) { id } me { partner } }"
        await hub.ask("mall", skipped, {"a": far})
        for _ in range(60):
            counted = await owner.fetchval(used)
            if counted:
                break
            await asyncio.sleep(0.1)
        await owner.close()
        assert counted == 4


async def test_28_several_lists_are_no_way_around_the_longest(hub: ServedScene) -> None:
    """A request names so many subjects as one list may hold, however many lists it has."""
    codes = {"codes": [hub.scene.merchant["uscc"]] * 251}
    one = "query($codes: [USCC!]!) { subjects(codes: $codes) { id } }"
    assert (await hub.ask("mall", one, codes)).codes == []
    two = one.replace("}", "} more: subjects(codes: $codes) { id }", 1)
    refused = await hub.ask("mall", two, codes)
    assert refused.codes == ["LIMIT_EXCEEDED"]
    assert refused.body["errors"][0]["extensions"]["limit"] == "bulk"


async def test_30_there_are_no_subscriptions(hub: ServedScene) -> None:
    for query in ("subscription { recordAdded { id } }", "subscription { __typename }"):
        for way in WAYS:
            refused = await hub.ask("auditor", query, way=way)
            assert set(refused.codes) <= {"GRAPHQL_VALIDATION_FAILED", "METHOD_NOT_ALLOWED"}
            assert refused.codes
    for protocol in ("graphql-ws", "graphql-transport-ws"):
        headers = {
            "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": protocol,
            "authorization": f"Bearer {hub.token('auditor')}", **MATTER,
        }  # fmt: skip
        response = await hub.client.get(f"{hub.url}/graphql", headers=headers)
        assert response.status_code == 400
    events = await hub.client.get(
        f"{hub.url}/graphql",
        params={"query": "{ me { partner } }"},
        headers={"authorization": f"Bearer {hub.token('mall')}", "accept": "text/event-stream"},
    )
    assert events.status_code == 406


@BY_ALL_WAYS
async def test_31_nothing_is_deferred_or_streamed(hub: ServedScene, way: str) -> None:
    for query in (
        "query($code: String!) { subject(value: $code) { displayName ... @defer { id } } }",
        "query($code: String!) { subject(value: $code) { listEntries @stream(initialCount: 0) { id } } }",
    ):
        refused = await hub.ask("auditor", query, code(hub), way)
        assert set(refused.codes) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_34_both_ways_of_asking_give_the_same(hub: ServedScene) -> None:
    for partner, purpose in PAIRS:
        for query in (
            CHECK, "query($code: String!) { subject(value: $code) { nope } }", "{ me { partner purpose } }", "{",
            "query($code: Int!) { subject(value: $code) { id } }",
        ):  # fmt: skip
            post, get = [await hub.ask(partner, query, code(hub), way, purpose) for way in WAYS]
            assert (post.status, post.plain) == (get.status, get.plain)


@pytest.mark.alone
async def test_40_documents_made_to_keep_the_hub_busy_are_refused_at_once(hub: ServedScene) -> None:
    deep = (
        '{ subject(value: "x") '
        + "{ records { edges { node { subject " * 60
        + "{ id }"
        + " } } } }" * 60
        + " }"
    )
    attacks = (
        deep, "{" * 20_000, "{ me { " + "partner " * 3000 + "} }", "{ me " + "@include(if: true) " * 400 + "{ partner } }",
        "{ a: me { partner } " + " ".join(f"a: me {{ p{n}: partner }}" for n in range(400)) + " }",
    )  # fmt: skip
    for document in attacks:
        started = time.perf_counter()
        refused = await hub.send({"query": document}, "auditor")
        assert refused.codes[0] in ("LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED")
        assert time.perf_counter() - started < 1
    large = await hub.client.post(
        f"{hub.url}/graphql",
        content=b'{"query":"{me{partner}}","variables":{"x":"' + b"x" * 400_000 + b'"}}',
        headers={
            "authorization": f"Bearer {hub.token('auditor')}",
            "content-type": "application/json",
            **MATTER,
        },
    )
    assert answered(large).codes == ["BODY_TOO_LARGE"]


async def test_41_who_may_not_write_is_not_told_that_others_may(hub: ServedScene) -> None:
    for partner in ("mall", "public", "subject"):
        purpose = "SELF_QUERY" if partner == "subject" else None
        view = standing(partner, "SELF_QUERY" if partner == "subject" else _only(partner)).view
        if view.schema.mutation_type is not None:
            continue
        refused = await hub.ask(partner, "mutation { recordCheck { id } }", purpose=purpose)
        assert set(refused.codes) == {"GRAPHQL_VALIDATION_FAILED"}
        assert "Check" not in refused.body["errors"][0]["message"]
    by_get = await hub.ask(
        "commerce", "mutation { __typename }", way="GET", purpose="ADMINISTRATIVE_LICENSING"
    )
    assert by_get.codes
    assert by_get.status >= 400 or by_get.codes == ["GRAPHQL_VALIDATION_FAILED"]


def _only(partner: str) -> str:
    return next(purpose for one, purpose in PAIRS if one == partner)


# ---- 33, 35, 36: time, sources that fail, logs ---------------------------------------------------------------------


@pytest.mark.alone
async def test_33_a_hidden_subject_costs_the_same_time_as_none(hub: ServedScene) -> None:
    """The same prepared statement looks for both; medians of alternating requests differ by less than their noise."""
    hidden, absent = hub.scene.stranger["uscc"], "91630100000000019A"
    query = (
        "query($code: String!) { subject(value: $code) { displayName records { edges { node { id } } } } }"
    )
    spent: dict[str, list[float]] = {hidden: [], absent: []}
    for number in range(440):
        which = (hidden, absent)[number % 2]
        started = time.perf_counter()
        answer = await hub.ask("chamber", query, {"code": which})
        elapsed = time.perf_counter() - started
        assert answer.data == {"subject": None}
        if number >= 40:
            spent[which].append(elapsed)
    medians = {which: statistics.median(times) for which, times in spent.items()}
    noise = statistics.median(abs(one - medians[absent]) for one in spent[absent])
    assert abs(medians[hidden] - medians[absent]) < max(3 * noise, 0.001), medians


@BY_ALL_WAYS
async def test_35_a_source_that_is_down_is_named_to_those_who_may_know_of_it(
    hub: ServedScene, way: str
) -> None:
    """Customs is not connected here; what foreign exchange does is nothing that the mall may know of."""
    query = """query($code: String!) { sources { source } subject(value: $code) { sourceStatus { source }
      summary { incompleteSources hasTaxViolationEntry } ... on Organization { grades { scheme gradeCode } } } }"""
    answer = await hub.ask("mall", query, code(hub), way)
    assert answer.data["subject"]["summary"]["hasTaxViolationEntry"] == "INDETERMINATE"
    assert "FOREIGN_EXCHANGE" not in answer.text
    # Those of the classes that the mall may ask about, and no other.
    assert set(answer.data["subject"]["summary"]["incompleteSources"]) == {
        "COMMERCE", "CREDIT_PLATFORM", "MARKET_REGULATION", "TAX",
    }  # fmt: skip
    told = {one["source"] for one in answer.body["extensions"].get("sources", ())}
    assert told <= {"CUSTOMS"}
    reform = await hub.ask("reform", query, code(hub), way, "ONGOING_SUPERVISION")
    assert "FOREIGN_EXCHANGE" in {one["source"] for one in reform.data["sources"]}
    assert {"scheme": "SAFE", "gradeCode": "B"} in reform.data["subject"]["grades"]


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that is logged while a test runs."""
    caplog.set_level(logging.DEBUG)
    return caplog


async def test_36_logs_and_metrics_hold_nothing_of_subjects_or_callers(
    hub: ServedScene, written: pytest.LogCaptureFixture
) -> None:
    query = """query($code: String!) { subject(value: $code) { displayName records(first: 20) { edges { node { title
      ... on AdministrativePenalty { facts content } } } } ... on Organization { contact { phone address } } } }"""
    full = await hub.ask("commerce", query, code(hub), purpose="ONGOING_SUPERVISION")
    person = "query($n: String!) { subject(scheme: RESIDENT_ID, value: $n) { id displayName } }"
    found = await hub.ask("commerce", person, {"n": hub.scene.number}, purpose="ONGOING_SUPERVISION")
    assert found.data["subject"]["displayName"] == "马得林"
    await hub.ask("commerce", person, {"n": "not a number"}, purpose="ONGOING_SUPERVISION")
    await hub.send({"query": "{ nope }", "variables": {"n": hub.scene.number}})
    metrics = (await hub.client.get(f"{hub.url}/metrics")).text
    # httpx tells of its own requests; what the hub writes is meant.
    logged = "\n".join(
        one.getMessage() for one in written.records if not one.name.startswith(("httpx", "httpcore"))
    )
    secrets = [text for row in _rows(full.data) for text in sentinels(row)]
    assert secrets
    for secret in (
        *secrets,
        hub.scene.number,
        "马得林",
        "13897001234",
        hub.scene.merchant["uscc"],
        hub.token("commerce", "ONGOING_SUPERVISION"),
    ):
        assert secret not in logged
        assert secret not in metrics


def _rows(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _rows(one)
    elif isinstance(value, list):
        for one in value:
            yield from _rows(one)


async def test_a_person_s_number_comes_in_a_variable_of_a_post_for_a_case(hub: ServedScene) -> None:
    """PIPL art. 28: not in an address, not in a document, not without a case."""
    query = "query($n: String!) { subject(scheme: RESIDENT_ID, value: $n) { id } }"
    number = {"n": hub.scene.number}
    purpose = "ONGOING_SUPERVISION"
    found = await hub.ask("commerce", query, number, purpose=purpose)
    assert found.data["subject"]["id"] == hub.scene.id("person", "P1")
    assert (await hub.ask("commerce", query, number, "GET", purpose)).codes == ["BAD_USER_INPUT"]
    written = f'{{ subject(scheme: RESIDENT_ID, value: "{hub.scene.number}") {{ id }} }}'
    assert (await hub.ask("commerce", written, purpose=purpose)).codes == ["BAD_USER_INPUT"]
    # A default stands in the document, too.
    default = query.replace("String!", f'String! = "{hub.scene.number}"')
    for given in ({}, number):
        refused = await hub.ask("commerce", default, given, purpose=purpose)
        assert refused.codes == ["BAD_USER_INPUT"]
    no_case = await hub.client.post(
        f"{hub.url}/graphql",
        json={"query": query, "variables": number},
        headers={"authorization": f"Bearer {hub.token('commerce', purpose)}", "hub-matter": "x"},
    )
    assert answered(no_case).codes == ["MATTER_REQUIRED"]
    # A number finds the person alone, and only for who may be shown something about it.
    for partner, aim in (("forex", "NOTIFICATION"), ("mall", None), ("chamber", None)):
        refused = await hub.ask(partner, query, number, purpose=aim)
        assert (
            refused.codes == ["GRAPHQL_VALIDATION_FAILED"]
            or refused.data == {"subject": None}
            or partner == "forex"
        )


def test_37_a_view_of_views_is_within_both() -> None:
    """Whatever the auditor looks through, no class is at a higher level than either has, and no coordinate is new."""
    own = standing("auditor", "AUDIT")
    for partner, purpose in PAIRS:
        other = standing(partner, purpose)
        seen = standings().seen_as(own, other).view
        assert seen.visible <= own.view.visible | other.view.visible
        assert seen.capabilities <= own.view.capabilities & other.view.capabilities
        for data_class in load_matrix().data:
            ceiling = min(own.view.decisions[data_class].level, other.view.decisions[data_class].level)
            assert seen.decisions[data_class].level <= ceiling
            scopes = {grant.scopes for grant in other.view.decisions[data_class].grants}
            assert {grant.scopes for grant in seen.decisions[data_class].grants} <= scopes
        for attribute, held in seen.sharing.items():
            assert held >= other.view.sharing[attribute] | own.view.sharing[attribute]
