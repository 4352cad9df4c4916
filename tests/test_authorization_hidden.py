"""What an agreement hides is not told by other ways either: by filters, orders and the cursors of pages."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import orjson
import pytest

from hub.errors import HubError
from hub.query.cursors import opened, sealed
from hub.query.relations import RELATIONS
from hub.rights.view import View
from schema.coordinates import vocabulary
from schema.governance import Condition, Shape
from tests.callers import Caller, Path, caller, standing
from tests.conftest import Database
from tests.stage import Stage, stage_over
from tests.test_vocabulary import views
from tests.worlds import World, build

pytestmark = pytest.mark.long

AUDITOR, MALL = ("auditor", "AUDIT"), ("mall", "MERCHANT_ADMISSION")
RULES, PARAMETERS = vocabulary().rules, {**vocabulary().arguments, **vocabulary().inputs}
CONDITIONS = {c: rule for c, rule in PARAMETERS.items() if isinstance(rule, Condition)}
# Fields that bring several rows, which have an order.
SEVERAL = {c: rule for c, rule in RULES.items() if rule.shape in (Shape.MANY, Shape.CONNECTION)}
TESTED = sorted({tested for rule in CONDITIONS.values() for tested in rule.coordinates})
TOLD = sorted({told for relation in RELATIONS.values() for told in relation.tells})
# Coordinates that are hidden beside the tested ones, from anywhere, in each view.
OTHERS = 3
# Relation → a document that asks for its rows.
RECORDS = "edges { cursor node { id } } pageInfo { endCursor hasNextPage }"
OF_SUBJECT = "query Q($c: String!) { subject(value: $c) { ... on Organization { %s } } }"
ASKS = {
    "records": f"{{ records {{ {RECORDS} }} }}",
    "list_entries": f"{{ listEntries {{ {RECORDS} }} }}",
    "cases": f"{{ cases {{ {RECORDS} }} }}",
    "credit_lists": "{ creditLists { id } }",
    "case.events": "{ cases(first: 1) { edges { node { events { transition } } } } }",
    "case.targeting": "{ cases(first: 1) { edges { node { ... on CreditCheck { tolerances { number } } } } } }",
    "subject.records": OF_SUBJECT % f"records {{ {RECORDS} }}",
    "subject.list_entries": OF_SUBJECT % "listEntries { id }",
    "subject.identifiers": OF_SUBJECT % "identifiers { %s }",
    "subject.former_names": OF_SUBJECT % "formerNames { name }",
    "subject.grades": OF_SUBJECT % "grades { id }",
    "subject.anomalies": OF_SUBJECT % "anomalies { id }",
    "subject.archives": OF_SUBJECT % "archives { id }",
    "subject.tiers": OF_SUBJECT % "supervisionTiers { number }",
    "subject.commitments": OF_SUBJECT % "commitments { number }",
}


views_once = cache(views)


def hiding(*coordinates: str, text: str) -> str:
    """An agreement that hides coordinates."""
    return f"{text}\n[coordinates]\nhide = {orjson.dumps(coordinates).decode()}\n"


def who_hides(partner: str, purpose: str, *coordinates: str) -> Caller:
    """A demo partner whose agreement hides coordinates."""
    return caller(partner, purpose, lambda text: hiding(*coordinates, text=text))


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[tuple[Stage, World]]:
    """A world with records and places on lists."""
    world = build(6)
    with stage_over(shared_database) as made:
        made.play(world)
        yield made, world


def ask(stage: tuple[Stage, World], who: Caller, text: str, **variables: Any) -> Any:
    """The answer's data."""
    on, world = stage
    return orjson.loads(on.run(Path(on.reader, world.live).answer(who, text, variables)).data)


def code_of(stage: tuple[Stage, World], who: Caller, text: str, **variables: Any) -> str:
    """The code with which a document is refused."""
    with pytest.raises(HubError) as refused:
        ask(stage, who, text, **variables)
    return refused.value.code


# ---- 12: filters -------------------------------------------------------------------------------------------------


def test_12_what_an_agreement_hides_is_no_filter_either(stage: tuple[Stage, World]) -> None:
    blind = who_hides(*MALL, "AdministrativePenalty.fineAmount", "CreditRecord.seriousness")
    asked = (
        "query Q($c: String!%s) { subject(value: $c) { records(filter: {%s}) { pageInfo { hasNextPage } } } }"
    )
    code = stage[1].tables["subject"][0]["uscc"]
    for who, refused in ((blind, True), (caller(*MALL), False)):
        for declared, test, given in (
            (", $v: Yuan", "fineAtLeast: $v", {"v": "1000"}),
            ("", "seriousness: [SERIOUS]", {}),
        ):
            text = asked % (declared, test)
            if refused:
                assert code_of(stage, who, text, c=code, **given) == "GRAPHQL_VALIDATION_FAILED"
            else:
                assert "subject" in ask(stage, who, text, c=code, **given)
        # What is shown can be asked for all the same.
        assert "subject" in ask(stage, who, asked % ("", "kinds: [PENALTY]"), c=code)


@pytest.mark.parametrize(
    ("hidden", "gone"),
    [
        ("Provenance.source", "RecordFilter.sources"),
        ("CreditRecord.provenance", "RecordFilter.catalogItemCodes"),
        ("Authority.uscc", "RecordFilter.authority"),
        ("ListEntry.list", "Query.listEntries(listCode:)"),
        ("GenericCreditRecord.kind", "RecordFilter.kinds"),
        ("Organization.regionCode", "Query.matchSubjects(region:)"),
        ("ReportFigure.drill", "Query.cases(countedIn:)"),
        # What must be given is gone, and the question with it.
        ("Case.number", "Query.case"),
        ("CreditCheck.number", "Query.creditCheck"),
        ("IndividualBusiness.displayName", "Query.matchSubjects"),
    ],
)
def test_12_a_filter_goes_with_any_part_of_what_it_tests(hidden: str, gone: str) -> None:
    whole = standing("commerce", "ONGOING_SUPERVISION").view
    assert gone in whole.visible
    assert gone not in replace(whole, hidden=frozenset({hidden})).visible


def test_12_a_filter_goes_with_the_capability_of_what_it_tests() -> None:
    """No filter tests a field that needs a capability yet; one that does goes with it."""
    known = vocabulary()
    lineage = replace(CONDITIONS["RecordFilter.sources"], also=("Provenance.payloadDigest",))
    changed = replace(known, inputs={**known.inputs, "RecordFilter.sources": lineage})
    for partner, purpose, kept in ((*AUDITOR, True), (*MALL, False)):
        view = replace(standing(partner, purpose).view, vocabulary=changed)
        assert ("Provenance.payloadDigest" in view.visible) is kept
        assert ("RecordFilter.sources" in view.visible) is kept


# ---- 12, 13: no condition and no order tests what is not shown -----------------------------------------------------


def untested(view: View) -> None:
    """Nothing that a view does not show is tested by an argument or an input field of it."""
    for coordinate, rule in CONDITIONS.items():
        if coordinate in view.visible:
            assert view.visible.issuperset(rule.coordinates), coordinate
            assert view.tells_by(rule.coordinates), coordinate
    for field, rule in SEVERAL.items():
        relation = RELATIONS.get(rule.target)
        if field in view.visible and relation is not None and view.tells_by(relation.tells):
            assert view.visible.issuperset(relation.tells), field


@pytest.mark.parametrize(("partner", "purpose"), views_once())
def test_12_13_whatever_is_hidden_no_filter_and_no_order_tests_it(partner: str, purpose: str) -> None:
    whole = views_once()[partner, purpose]
    untested(whole)
    every = sorted(vocabulary().coordinates & whole.visible)
    others = random.Random(f"{partner} {purpose}").sample(every, OTHERS)
    for coordinate in dict.fromkeys([*TESTED, *TOLD, *others]):
        if coordinate in whole.visible:
            hidden = replace(whole, hidden=frozenset({coordinate}))
            untested(hidden)
            for one, rule in CONDITIONS.items():
                assert coordinate not in rule.coordinates or one not in hidden.visible, one


@pytest.mark.parametrize(("partner", "purpose"), views_once())
def test_13_where_nothing_is_hidden_rows_come_in_their_own_order(partner: str, purpose: str) -> None:
    view = views_once()[partner, purpose]
    for field, rule in SEVERAL.items():
        relation = RELATIONS.get(rule.target)
        if relation is not None and set(relation.tells) & view.visible:
            assert view.tells_by(relation.tells), field


def test_13_an_order_names_all_fields_that_it_tells_of() -> None:
    """A column of an order that a field of the rows shows is told by that field."""
    known = vocabulary()
    for field, rule in SEVERAL.items():
        relation = RELATIONS.get(rule.target)
        if relation is None or not relation.order:
            continue
        owner, _, name = field.partition(".")
        named = known.schema.type_map[owner].fields[name].type  # type: ignore[attr-defined]
        type_name = re.sub(r"[\[\]!]", "", str(named))
        for one in known.node_types.get(type_name) or known.possible(type_name):
            interfaces = [i.name for i in known.schema.type_map[one].interfaces]  # type: ignore[attr-defined]
            for coordinate, column in RULES.items():
                if coordinate.partition(".")[0] == one and column.shape is Shape.COLUMN:
                    member = coordinate.partition(".")[2]
                    names = {coordinate, *(f"{interface}.{member}" for interface in interfaces)}
                    assert column.target not in relation.order or names & set(relation.tells), coordinate


@pytest.mark.parametrize(
    ("target", "told"), [(name, told) for name, one in RELATIONS.items() for told in one.tells]
)
def test_13_rows_are_not_ordered_by_what_is_hidden(target: str, told: str) -> None:
    text, relation = ASKS[target], RELATIONS[target]
    if target == "subject.identifiers":
        text = text.replace("%s", "value" if told.endswith("scheme") else "scheme")
    orders = []
    for hidden in ((), (told,)):
        view = replace(standing(*AUDITOR).view, hidden=frozenset(hidden))
        orders.append(orders_of(view, text))
    columns = relation.order[:-1] if relation.order[-1] == "public_id" else relation.order
    assert all(any(f".{column}" in order for order in orders[0]) for column in columns)
    assert not [
        order for order in orders[1] for column in columns if re.search(rf"\$\.{column}\b(?!::)", order)
    ]


def orders_of(view: View, text: str) -> list[str]:
    """What the rows of a document come in the order of."""
    at = replace(standing(*AUDITOR), view=view)
    operation = Path(None, {}).ready(Caller(at), text)  # type: ignore[arg-type]
    compiled = operation.compiled({"c": "x"})
    assert compiled.statement is not None
    return re.findall(r"ORDER BY ((?:md5\([^)]*\)|[^)])*)", compiled.statement.sql)


def test_13_a_page_without_its_order_is_complete_and_tells_no_other(stage: tuple[Stage, World]) -> None:
    hidden = who_hides(*AUDITOR, "CreditRecord.decidedOn", "ListEntry.recognizedOn")
    shown = caller(*AUDITOR)
    for order in ("DECIDED_ON_ASC", "DECIDED_ON_DESC"):
        text = f"{{ records(orderBy: {order}) {{ pageInfo {{ hasNextPage }} }} }}"
        assert code_of(stage, hidden, text) == "GRAPHQL_VALIDATION_FAILED"
        assert ask(stage, shown, text)
    for page in ("records", "listEntries"):
        text = f"query Q($a: String) {{ {page}(first: 3, after: $a) {{ {RECORDS} }} }}"
        blind, usual = (walked(stage, who, page, text) for who in (hidden, shown))
        assert len(blind) > 6
        assert sorted(blind) == sorted(usual)
        table = "record" if page == "records" else "list_entry"
        stored = {f"{table[0]}{row['public_id']}" for row in stage[1].tables[table]}
        # Rows about persons have an id of their own for each class.
        firms = [one for one in blind if one in stored]
        assert firms == sorted(firms, reverse=True)
        assert firms != [one for one in usual if one in stored]


def walked(stage: tuple[Stage, World], who: Caller, name: str, text: str) -> list[str]:
    """The ids of all rows, page by page, by the end cursor; that of the last row is the same."""
    found, after = [], None
    for _ in range(100):
        page = ask(stage, who, text, a=after)[name]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert not page["edges"] or page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            return found
    raise AssertionError("the pages do not end")


# ---- 15: cursors -------------------------------------------------------------------------------------------------


def test_15_a_cursor_of_what_is_hidden_does_not_hold_it(stage: tuple[Stage, World]) -> None:
    """The same length everywhere, no word in it, and no two have a byte in common more often than chance has it."""
    cursors = []
    for hidden in ((), ("CreditRecord.decidedOn",)):
        page = ask(stage, who_hides(*AUDITOR, *hidden), "{ records(first: 50) { edges { cursor } } }")
        cursors.append([base64.b64decode(edge["cursor"]) for edge in page["records"]["edges"]])
    for found in cursors:
        assert len(found) > 20
        assert {len(one) for one in found} == {42}
        for one, other in pairwise(found):
            assert sum(a == b for a, b in zip(one, other, strict=True)) < 8
    assert not set(cursors[0]) & set(cursors[1])


async def test_15_the_store_seals_a_place_as_the_hub_opens_it(database: Database) -> None:
    chance, key = random.Random(3), b"a key of a page"
    days = [date.max, date.min, date(1999, 12, 31), date(2000, 1, 1)]
    days += [date(1980, 1, 1) + timedelta(days=chance.randrange(30_000)) for _ in range(60)]
    places = [(day, f"{chance.getrandbits(128):032x}") for day in days]
    query = "SELECT {} FROM unnest($1::date[], $2::uuid[]) WITH ORDINALITY p(day, id, ord) ORDER BY ord"
    given = ([day for day, _ in places], [id_ for _, id_ in places], key)
    for day, expected in (("p.day", places), ("", [(date(2000, 1, 1), id_) for _, id_ in places])):
        rows = await database.reader.fetch(query.format(sealed(day, "p.id", "$3::bytea", "k")), *given)
        told = [row[0] for row in rows]
        assert [opened(one, key) for one in told] == expected
        assert len(set(told)) == len(told)
        for one in told[:8]:
            raw = base64.b64decode(one)
            assert opened(one, b"another") is None
            for place in range(len(raw)):
                changed = raw[:place] + bytes([raw[place] ^ 1 << chance.randrange(8)]) + raw[place + 1 :]
                assert opened(base64.b64encode(changed).decode(), key) is None
            for wrong in (one[:-4], one + one[:4], one + "\n", one + "=", f" {one}", "", "é"):
                assert opened(wrong, key) is None
