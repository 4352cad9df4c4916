"""What is asked again and again is found by an index, however much the store holds: no table that grows is read whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from benchmarks.data import code_of, fill
from hub.casework import clock, departures
from hub.casework.delivery import alarms, deliveries
from hub.casework.delivery.deliveries import SHOWN_ON_BOTH
from hub.casework.domestic_trade import disclosures, tiers
from hub.casework.listings import measures
from hub.casework.objections import corrections
from hub.casework.publicity import unshown
from hub.casework.repair import commands as repairs
from hub.casework.reports import commands as reports
from hub.query.scopes import Sought, likeness
from tests.callers import Path, caller
from tests.conftest import Database

SUBJECTS, CASES = 10_000, 20_000
# Tables of which more rows come with every day.
GROWING = frozenset(
    {"subject", "identifier", "registration", "record", "list_entry", "grade", "archive", "case_file", "case_event",
     "case_party", "delivery_out"}
)  # fmt: skip
# Of ten cases one is open; of a thousand deliveries three have no receipt, or were refused.
_CASES = f"""
INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, region_code, opened_at, opened_on, due_on,
  closed_at, ruleset, details)
SELECT (array['PUBLICITY', 'OBJECTION', 'REPAIR', 'CREDIT_CHECK'])[n % 4 + 1], 'N-' || n, n % {SUBJECTS} + 1, 'D38',
  (array['PUBLISHED', 'UPHELD', 'APPROVED', 'OPEN'])[n % 4 + 1], 'commerce', '630103', now(), date '2026-11-01' - n % 900,
  date '2026-11-20', CASE WHEN n / 4 % 10 > 0 THEN now() END, 'T', '{{}}'
FROM generate_series(1, {CASES}) n
"""
_EVENTS = """
INSERT INTO case_event (case_id, at, transition, to_state, actor_partner, actor_officer)
SELECT case_id, now(), 'open', 'OPEN', 'commerce', 'o-1' FROM case_file
"""
_PARTIES = """
INSERT INTO case_party (case_id, partner, role, since) SELECT case_id, 'commerce', 'HANDLER', now() FROM case_file
"""
_DELIVERIES = """
INSERT INTO delivery_out (case_id, event_id, channel, payload, state, error_code, idempotency_key)
SELECT case_id, event_id, channel, jsonb_build_object('item', 'i-' || event_id % 5000, 'action', 'PUBLISH'),
  CASE WHEN n % 1000 = 0 THEN 'PENDING' WHEN n % 1000 = 1 THEN 'SENT' WHEN n % 1000 IN (2, 3) THEN 'FAILED'
    ELSE 'ACKNOWLEDGED' END,
  CASE WHEN n % 1000 = 2 THEN 'HTTP_400' WHEN n % 1000 = 3 THEN 'SUPERSEDED' END, n::text
FROM (SELECT e.*, channel, row_number() OVER () AS n FROM case_event e
  CROSS JOIN unnest(array['OWN_SITE', 'GOVERNMENT_PORTAL']) channel) x
"""
# The statement → the indexes that must be among those it uses.
WORK = {
    "what ended before it was shown": (deliveries._SUPERSEDE, {"ix_delivery_out_item"}),
    "what is sent next": (deliveries._CLAIM, set()),
    "channels with something due": (deliveries._DUE, set()),
    "deliveries for a person": (deliveries._LISTED, {"ix_delivery_out_undelivered"}),
    "one delivery again": (deliveries._AGAIN, {"ix_delivery_out_item"}),
    "what is overdue": (alarms._COUNTED, {"ix_delivery_out_undelivered"}),
    "alarms that are new": (alarms._RAISE, {"ix_delivery_out_undelivered", "ix_case_event_overdue"}),
    "what waits": (alarms._WAITING, set()),
    "deadlines": (clock._OPEN, {"ix_case_file_due_on"}),
    "what was never shown": (unshown._WAITING, {"ix_case_file_open"}),
    "repairs that the channels may have followed": (repairs._APPROVED, {"ix_case_file_open"}),
    "publications of what was repaired elsewhere": (repairs._IMPORTED_DECISIONS, {"ix_case_file_open"}),
    "objections whose recipients are to be told": (corrections._UPHELD, {"ix_case_file_open"}),
    "measures whose term is over": (measures._TERM_OVER, set()),
    "measures without feedback": (measures._NO_FEEDBACK, set()),
    "measures on what left its list": (measures._OFF_THE_LIST, set()),
    "exposures of penalties that are over": (disclosures._OVER, {"ix_case_file_open"}),
    "cases of firms that left": (departures._DEPARTED, {"ix_case_file_open"}),
    "tiers that may be old": (tiers._CANDIDATES, {"ix_record_subject_id", "ix_list_entry_subject_id"}),
}
_KNOWN = "source, source_record_id, provider_name, catalog_item_code, fetched_at, payload_digest, recorded_at"
_GIVEN = "'COMMERCE', subject_id::text, '商务厅', 'SW', now(), '', now() FROM subject"
_OTHER_FACTS = (
    f"INSERT INTO registration (subject_id, data_class, display_name, name_key, {_KNOWN})"
    f" SELECT subject_id, 'D1', 'x', name_key, {_GIVEN}",
    "UPDATE registration SET superseded_at = now() WHERE subject_id % 3 > 0",
    "INSERT INTO grade (subject_id, data_class, scheme, grade_code, grade_label, ruleset_version, issuer_name,"
    f" effective_from, {_KNOWN}) SELECT subject_id, 'D16', 'CUSTOMS', 'A', 'A', '1', 'x', '2026-01-01', {_GIVEN}",
    # An authority and an item that are no more.
    "UPDATE record SET authority_uscc = '91630103MA75ABCD1M', catalog_item_code = 'XK98', decided_on = decided_on - 3000"
    " WHERE version_id % 40 = 1",
    f"INSERT INTO archive (subject_id, data_class, archive_type, origin_class, keeper_name, {_KNOWN})"
    f" SELECT subject_id, 'D18', 'MERCHANT', 'MARKET_CREDIT', 'x', {_GIVEN}",
)
_NODE = "edges { node { ... on CreditRecord { title subject { displayName } } } } pageInfo { hasNextPage endCursor }"
# The document, and the index that its first table is read by.
QUESTIONS = {
    "a subject by its code": (
        "query Q($c: String!) { subject(value: $c) { displayName records(first: 20) { edges { node { title } } }"
        " listEntries { color } summary { hasPublicPenalty } } }",
        {"c": "91630103MA75ABCD1M"},
        "ix_record_subject_page",
    ),
    "many subjects": (
        "query Q($c: [USCC!]!) { subjects(codes: $c) { displayName listEntries { color } } }",
        {"c": ["91630103MA75ABCD1M"]},
        "ix_list_entry_subject_page",
    ),
    "what was known of a subject": (
        'query Q($c: String!) { subject(value: $c, asOf: "2026-11-01T00:00:00Z") { displayName'
        " records(first: 20) { edges { node { title } } } } }",
        {"c": "91630103MA75ABCD1M"},
        "ix_record_subject_id",
    ),
    "grades, entries and archives that a subject had": (
        'query Q($c: String!) { subject(value: $c, asOf: "2026-11-01T00:00:00Z") { ... on Organization {'
        " grades { scheme } listEntries { color } archives { archiveType } } } }",
        {"c": "91630103MA75ABCD1M"},
        "ix_list_entry_subject_id",
    ),
    "records": (f"{{ records(first: 50) {{ {_NODE} }} }}", {}, "ix_record_page"),
    "records by filter": (
        "query Q($d: Date!) { records(filter: {kinds: [PENALTY], decidedTo: $d}, first: 50)"
        f" {{ {_NODE} }} }}",
        {"d": "2026-10-01"},
        "ix_record_page",
    ),
    "records by number": (
        f'{{ records(filter: {{documentNumber: "青商字〔2026〕7号"}}) {{ {_NODE} }} }}',
        {},
        "ix_record_document_number",
    ),
    "entries": ("{ listEntries { edges { node { color } } } }", {}, "ix_list_entry_page"),
    "entries of a list": (
        '{ listEntries(listCode: "QH-RED") { edges { node { color } } } }',
        {},
        "ix_list_entry_list_page",
    ),
    "cases": ("{ cases { edges { node { number } } } }", {}, "ix_case_file_opened_on"),
    "cases of a mechanism": (
        "{ cases(mechanism: PUBLICITY) { edges { node { number } } } }",
        {},
        "ix_case_file_page",
    ),
    "cases that are due": (
        "query Q($d: Date!) { cases(dueBy: $d, first: 50) { edges { node { number } } } }",
        {"d": "2026-11-20"},
        "ix_case_file_due_on | ix_case_file_mechanism_due_on",
    ),
    "cases of a mechanism that are due": (
        "query Q($d: Date!) { cases(mechanism: PUBLICITY, dueBy: $d, first: 50) { edges { node { number } } } }",
        {"d": "2026-11-20"},
        "ix_case_file_mechanism_due_on",
    ),
}


@dataclass(frozen=True)
class Plan:
    """How PostgreSQL would carry out a statement whatever its values are."""

    whole: frozenset[str]
    """Growing tables that are read from end to end."""
    indexes: frozenset[str]
    tables: Sequence[str]
    """The table of each scan."""


@pytest.fixture(scope="module")
async def filled(shared_database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to a store in which there is much."""
    owner = await asyncpg.connect(shared_database.owner_dsn)
    await fill(owner, SUBJECTS)
    for statement in (*_OTHER_FACTS, _CASES, _EVENTS, _PARTIES, _DELIVERIES):
        await owner.execute(statement)
    await owner.execute("VACUUM ANALYZE")
    # As the hub's connections are.
    await owner.execute("SET plan_cache_mode = force_generic_plan; SET jit = off")
    yield owner
    await owner.close()


async def planned(connection: asyncpg.Connection, sql: str) -> Plan:
    """The generic plan of a statement."""
    await connection.execute(f"PREPARE asked AS {sql}")
    try:
        count = await connection.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"
        )
        given = f"({', '.join(['NULL'] * count)})" if count else ""
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}")
    finally:
        await connection.execute("DEALLOCATE asked")
    nodes = list(_nodes(json.loads(told)[0]["Plan"]))
    return Plan(
        frozenset(one["Relation Name"] for one in nodes if one["Node Type"] == "Seq Scan") & GROWING,
        frozenset(one["Index Name"] for one in nodes if "Index Name" in one),
        [one["Relation Name"] for one in nodes if "Relation Name" in one],
    )


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for one in node.get("Plans", ()):
        yield from _nodes(one)


@pytest.mark.parametrize("name", WORK)
async def test_what_the_worker_asks_reads_no_growing_table_whole(
    filled: asyncpg.Connection, name: str
) -> None:
    sql, wanted = WORK[name]
    plan = await planned(filled, sql)
    assert plan.whole == frozenset()
    assert plan.indexes >= wanted


@pytest.mark.parametrize("name", QUESTIONS)
async def test_what_partners_ask_reads_no_growing_table_whole(filled: asyncpg.Connection, name: str) -> None:
    text, variables, wanted = QUESTIONS[name]
    for who in (caller("commerce", "ONGOING_SUPERVISION"), caller("auditor", "AUDIT")):
        operation = Path(None, {}).ready(who, text)  # type: ignore[arg-type]
        compiled = operation.compiled(operation.variables.coerce(variables))
        assert compiled.statement is not None
        plan = await planned(filled, compiled.statement.sql)
        assert plan.whole == frozenset(), plan
        assert plan.indexes & set(wanted.split(" | ")), plan


async def test_what_a_firm_was_called_is_found_by_reading_its_registrations_once(
    filled: asyncpg.Connection,
) -> None:
    """And once more those of today: whether each version counts must not be asked of all the others, column by column."""
    asked = """query Q($c: [USCC!]!) { subjects(codes: $c, asOf: "2026-11-01T00:00:00Z") { displayName ... on Organization {
      registrationStatus establishedOn industryCode legalRepresentativeName } } }"""
    operation = Path(None, {}).ready(caller("commerce", "ONGOING_SUPERVISION"), asked)  # type: ignore[arg-type]
    compiled = operation.compiled(operation.variables.coerce({"c": ["91630103MA75ABCD1M"]}))
    assert compiled.statement is not None
    plan = await planned(filled, compiled.statement.sql)
    assert plan.tables.count("registration") == 2, plan


# A filter that few records meet, or none → the index that finds them; by the order of their days all would be read.
RARE = {
    "sources: [TAX]": "ix_record_terms",
    "kinds: [GENERIC]": "ix_record_terms",
    "seriousness: [SERIOUS]": "ix_record_terms",
    'catalogItemCodes: ["XK99"]': "ix_record_item",
    f'authority: "{code_of(7)}"': "ix_record_authority",
    'fineAtLeast: "99999999"': "ix_record_fine",
    # Each is met by many records, and both by none.
    'kinds: [LICENSE], fineAtLeast: "1"': "ix_record_fine",
    'seriousness: [NOT_ADVERSE], fineAtLeast: "1"': "ix_record_fine",
    "kinds: [LICENSE], seriousness: [MINOR]": "ix_record_terms",
    "kinds: [PENALTY], seriousness: [NOT_ADVERSE]": "ix_record_terms",
    # By many, but of years ago.
    'authority: "91630103MA75ABCD1M"': "ix_record_authority",
    'catalogItemCodes: ["XK98"]': "ix_record_item",
}


@pytest.mark.parametrize("asked", RARE)
async def test_that_no_record_meets_a_filter_is_found_without_reading_all(
    filled: asyncpg.Connection, asked: str
) -> None:
    assert RARE[asked] in await _of_values(filled, f"records(filter: {{{asked}}}) {{ {_NODE} }}")


# The index that finds the cases in a state, be it that of few or, as PUBLISHED, that of many of another mechanism.
STATES = {
    'state: "ACCEPTED"': "ix_case_file_state",
    'mechanism: REPAIR, state: "PUBLISHED"': "ix_case_file_state",
    'mechanism: PUBLICITY, state: "PUBLISHED"': "ix_case_file_page",
}


@pytest.mark.parametrize("asked", STATES)
async def test_that_no_case_is_in_a_state_is_found_without_reading_all(
    filled: asyncpg.Connection, asked: str
) -> None:
    assert STATES[asked] in await _of_values(filled, f"cases({asked}) {{ edges {{ node {{ number }} }} }}")


async def _of_values(connection: asyncpg.Connection, root: str) -> set[str | None]:
    """The indexes in the plan that PostgreSQL makes of a question for its values."""
    who = caller("commerce", "ONGOING_SUPERVISION")
    compiled = Path(None, {}).ready(who, f"{{ {root} }}").compiled({})  # type: ignore[arg-type]
    assert compiled.statement is not None
    assert compiled.statement.anew
    request = who.request({})
    await connection.execute("SET plan_cache_mode = force_custom_plan")
    try:
        told = await connection.fetchval(
            f"EXPLAIN (FORMAT JSON) {compiled.statement.sql}", *[bind(request) for bind in compiled.binders]
        )
    finally:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
    return {one.get("Index Name") for one in _nodes(json.loads(told)[0]["Plan"])}


def test_only_what_is_chosen_by_uneven_values_is_planned_anew() -> None:
    """Days and numbers are found in the order of an index: to plan anew for them takes as long as the answer."""
    who, path = caller("commerce", "ONGOING_SUPERVISION"), Path(None, {})  # type: ignore[arg-type]
    for text, variables, _ in QUESTIONS.values():
        operation = path.ready(who, text)
        statement = operation.compiled(operation.variables.coerce(variables)).statement
        assert statement is not None
        assert statement.anew == ("kinds:" in text)


async def test_names_are_looked_for_in_indexes(filled: asyncpg.Connection) -> None:
    """Present ones and former ones, of which a store has as many in time."""
    view = caller("commerce", "ONGOING_SUPERVISION").standing.view
    sql, _ = likeness(view, Sought("青海三江源商贸有限公司", "三江源", "三江源"), None, 60)
    plan = await planned(filled, sql)
    assert plan.whole == frozenset(), plan
    assert plan.indexes >= {"ix_subject_name_key", "ix_registration_former_name_key"}, plan


async def test_names_that_share_what_most_share_are_not_all_gone_through(filled: asyncpg.Connection) -> None:
    """青海 and 有限公司 are in most names of a province: an inverted index has a list of nearly all of them for each."""
    kinds = await filled.fetch(
        "SELECT c.relname, a.amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
        " WHERE c.relname IN ('ix_subject_name_key', 'ix_registration_former_name_key')"
    )
    assert {row["amname"] for row in kinds} == {"gist"}


async def test_when_both_sites_showed_it_is_looked_up_for_publications_alone(
    filled: asyncpg.Connection,
) -> None:
    """A report's quarter has events of all mechanisms, a hundred thousand of them; here none is a publication."""
    sql = reports._HISTORY.format(members="NULL AS m", shown=SHOWN_ON_BOTH)
    begin, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    told = await filled.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", ["commerce"], ["PUBLICITY"], begin, end, ["PUBLICITY"], []
    )
    nodes = list(_nodes(json.loads(told)[0]["Plan"]))
    loops = {one["Relation Name"]: one["Actual Loops"] for one in nodes if "Relation Name" in one}
    assert loops["case_event"] > 0
    assert loops["delivery_out"] == 0
