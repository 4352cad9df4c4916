"""The vocabulary: every coordinate is governed, described in both languages, and the golden files show each change."""

from __future__ import annotations

import re
import weakref
from collections import Counter
from dataclasses import replace
from datetime import date
from enum import Enum
from pathlib import Path

import pytest
import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, print_schema

from hub.casework.registry import registry
from hub.errors import refusals
from hub.rights.agreement import read_agreement
from hub.rights.matrix import Purpose
from hub.rights.openness import load_openness
from hub.rights.standing import Standings
from hub.rights.view import View
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import PARTNERS
from hub.store import values
from schema import enums
from schema.coordinates import UngovernedCoordinate, read, vocabulary
from schema.fields import governed
from schema.governance import HOLDER, OPEN, Mask, Shape, entity
from schema.node import Node
from schema.projection import project
from tests.readme_tables import MANUAL

GOLDEN = Path(__file__).parent / "golden"
AGREEMENTS = Path(__file__).parents[1] / "hub" / "sandbox" / "agreements"
DAY = date(2026, 11, 23)


def views() -> dict[tuple[str, Purpose], View]:
    """The view of every demo partner for every purpose it may declare."""
    matrix, standings = load_matrix(), Standings(vocabulary(), load_matrix(), load_openness())
    found = {}
    for partner in PARTNERS:
        text = (AGREEMENTS / f"{partner}.toml").read_text("utf-8")
        agreement = read_agreement(text, matrix, DAY, vocabulary().coordinates)
        for purpose in agreement.purposes:
            found[partner, purpose] = standings.of(agreement, purpose, DAY).view
    return found


def sdl() -> str:
    """The whole schema as SDL."""
    return print_schema(vocabulary().schema) + "\n"


def visibility() -> str:
    """Partner by purpose: how many coordinates exist, and those governed ones that do not."""
    known = vocabulary()
    lines = []
    for (partner, purpose), view in views().items():
        hidden = sorted(c for c in known.coordinates if c not in view.visible and "." in c)
        lines.append(f"{partner} {purpose} {len(view.visible)} exist; not: {' '.join(hidden)}")
    return "\n".join(lines) + "\n"


def kept_texts() -> str:
    """The texts that stay as they are at the level MASKED: names of agencies, numbers, codes, terms; no free words."""
    known = vocabulary()

    def type_of(coordinate: str) -> str:
        owner, _, field = coordinate.partition(".")
        return str(get_named_type(known.schema.type_map[owner].fields[field].type).name)  # type: ignore[attr-defined]

    def kept(coordinate: str) -> bool:
        rule = known.rules[coordinate]
        if rule.classes == (OPEN,) or rule.mask is not Mask.KEEP:
            return False
        if rule.classes != (HOLDER,):
            return True
        # Part of a value, or of rows, that somebody holds: kept where one of its holders is.
        owner = coordinate.partition(".")[0]
        holders = [c for c in known.rules if type_of(c) == owner and c.partition(".")[0] != owner]
        return any(kept(holder) for holder in holders)

    return "".join(f"{c}\n" for c in sorted(known.rules) if type_of(c) == "String" and kept(c))


def test_every_coordinate_declares_what_governs_it() -> None:
    known = vocabulary()
    for name, named in known.schema.type_map.items():
        if name.startswith("__") or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in named.fields:
            assert known.rules[f"{name}.{field}"].classes


def test_every_coordinate_is_described_in_chinese_and_english() -> None:
    for name, named in vocabulary().schema.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        described = [(name, named.description)]
        for field_name, field in getattr(named, "fields", {}).items():
            described.append((f"{name}.{field_name}", field.description))
            for argument_name, argument in getattr(field, "args", {}).items():
                described.append((f"{name}.{field_name}({argument_name}:)", argument.description))
        for coordinate, description in described:
            assert re.search(r"[\u4e00-\u9fff].* · .*[a-z]", description or "", re.DOTALL), coordinate


def test_the_chinese_of_a_description_has_chinese_punctuation() -> None:
    for description in re.findall(r'"""(.*?)"""', sdl(), re.DOTALL):
        chinese = description.partition(" · ")[0]
        assert not re.search(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]", chinese), chinese


def test_what_the_tax_authority_grades_is_called_as_since_2025() -> None:
    """纳税缴费信用管理办法 (税务总局公告2025年第12号) replaced the one on 纳税信用 on 2025-07-01."""
    manual = (pages["zh"].read_text("utf-8") for pages in MANUAL)
    assert [text for text in (sdl(), *manual) if "纳税信用" in text] == []


def test_only_an_honour_is_nominated_for() -> None:
    """Whoever may come on a list of dishonesty is told 拟列入: 提名 is what one is proud of."""
    said = [text for text in re.findall(r'"""(.*?)"""', sdl(), re.DOTALL) if "提名" in text]
    said += [one.zh for one in refusals().values() if "提名" in one.zh]
    said += [
        state.zh for machine in registry().machines.values() for state in machine.states if "提名" in state.zh
    ]
    assert [text for text in said if "红名单" not in text] == []


def test_no_two_commands_or_questions_are_described_alike() -> None:
    for root in ("Query", "Mutation"):
        fields = vocabulary().schema.type_map[root].fields  # type: ignore[attr-defined]
        for language in (0, 2):
            words = Counter((field.description or "").partition(" · ")[language] for field in fields.values())
            assert words.most_common(1)[0][1] == 1


def test_a_view_shares_types_with_the_vocabulary_and_shows_what_it_would_show_without() -> None:
    known = vocabulary()
    shared = 0
    for view in {view.visible: view for view in views().values()}.values():
        assert print_schema(view.schema) == print_schema(project(known.schema, view.visible, share=False))
        shared += sum(
            named is known.schema.type_map[name]
            for name, named in view.schema.type_map.items()
            if isinstance(named, GraphQLObjectType) and not name.startswith("__")
        )
    assert shared > 100
    # The types that lead to one in which something is hidden are others.
    hiding = project(known.schema, known.coordinates - {"Source.asOf"})
    assert hiding.type_map["Purpose"] is known.schema.type_map["Purpose"]
    for name in ("Source", "Query"):
        assert hiding.type_map[name] is not known.schema.type_map[name]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (enums.SubjectKind, values.SUBJECT_KINDS),
        (enums.IdentifierScheme, values.IDENTIFIER_SCHEMES),
        (enums.RecordKind, values.RECORD_KINDS),
        (enums.RecordLifecycle, values.LIFECYCLES),
        (enums.Seriousness, values.SERIOUSNESS),
        (enums.SharingAttribute, values.SHARING),
        (enums.ListColor, values.COLORS),
        (enums.ListEntryState, values.LIST_STATES),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_the_store_may_keep_is_what_the_vocabulary_names(
    words: type[Enum], kept: tuple[str, ...]
) -> None:
    assert [word.name for word in words] == list(kept)


def test_callers_who_see_the_same_have_one_schema_for_as_long_as_one_is_there() -> None:
    known, found = vocabulary(), views()
    one, other = found["customs", Purpose.NOTIFICATION], found["commerce", Purpose.NOTIFICATION]
    assert replace(one, entitled=not one.entitled).schema is one.schema
    assert one.schema is not other.schema
    left = weakref.ref(known.part(one.visible - {"Query.sources"}))
    assert left() is None


def test_nothing_of_the_vocabulary_resolves_a_field() -> None:
    for name, named in vocabulary().schema.type_map.items():
        for field in {} if name.startswith("__") else getattr(named, "fields", {}).values():
            assert getattr(field, "resolve", None) is None


def test_an_id_is_that_of_the_object_that_has_it() -> None:
    """Clients keep one object for each type and id, or for each id alone (Relay)."""
    known = vocabulary()
    for coordinate, rule in known.rules.items():
        if coordinate.endswith(".id"):
            assert rule.target == "public_id", coordinate


def test_every_page_is_one_as_the_specification_of_connections_has_it() -> None:
    """Relay's compiler takes no other."""
    types = vocabulary().schema.type_map
    members = {name: str(field.type) for name, field in types["PageInfo"].fields.items()}  # type: ignore[attr-defined]
    assert members == {
        "hasNextPage": "Boolean!", "hasPreviousPage": "Boolean!", "startCursor": "String", "endCursor": "String",
    }  # fmt: skip
    connections = [name for name in types if name.endswith("Connection")]
    assert len(connections) == 3
    for name in connections:
        fields = types[name].fields  # type: ignore[attr-defined]
        edge = get_named_type(fields["edges"].type)
        assert str(fields["pageInfo"].type) == "PageInfo!"
        assert {"node", "cursor"} <= set(edge.fields)  # type: ignore[union-attr]


def test_what_can_be_withheld_is_nullable() -> None:
    known = vocabulary()
    for coordinate, rule in known.rules.items():
        type_name, _, field = coordinate.partition(".")
        if rule.classes != (OPEN,) and rule.mask is not Mask.KEEP:
            owner = known.schema.type_map[type_name]
            assert not str(owner.fields[field].type).endswith("!"), coordinate  # type: ignore[attr-defined]


def test_a_field_without_a_rule_does_not_build() -> None:
    @strawberry.type
    class Query:
        secret: str | None = strawberry.field(description="密 · secret")

    with pytest.raises(UngovernedCoordinate, match=r"Query\.secret declares no data class"):
        read(strawberry.Schema(Query)._schema)


def test_an_override_of_a_governed_interface_field_without_a_rule_does_not_build() -> None:
    @strawberry.type(description="甲 · a")
    @entity("record", "D6")
    class Thing(Node):
        id: strawberry.ID = strawberry.field(description="标识 · id")

    @strawberry.type
    class Query:
        node: Node | None = governed("节点", "node", OPEN, shape=Shape.ONE, target="node")

    with pytest.raises(UngovernedCoordinate, match=r"Thing\.id declares no data class"):
        read(strawberry.Schema(Query, types=[Thing])._schema)


def test_a_withheld_field_that_may_not_be_null_does_not_build() -> None:
    @strawberry.type
    class Query:
        value: str = governed("值", "value", "D6", target="title")

    with pytest.raises(UngovernedCoordinate, match="must be nullable"):
        read(strawberry.Schema(Query)._schema)


def test_an_unknown_data_class_does_not_build() -> None:
    @strawberry.type
    class Query:
        value: str | None = governed("值", "value", "D44", target="title")

    with pytest.raises(UngovernedCoordinate, match="unknown data class D44"):
        read(strawberry.Schema(Query)._schema)


def test_only_words_about_the_hub_itself_are_open() -> None:
    """The fields that no data class governs: plumbing, the caller itself, and the state of the sources."""
    owners = {c.split(".")[0] for c, rule in vocabulary().rules.items() if rule.classes == (OPEN,)}
    assert owners == {
        "CaseConnection", "CaseEdge", "CatalogCoverage", "CatalogItem", "ClassAccess", "CommitmentTemplate", "CreditCheckRow",
        "CreditCheckVerification", "CreditSubject", "CreditSummary", "Explanation", "IndividualBusiness",
        "ListEntryConnection", "ListEntryEdge", "ListRecheckRow", "Me", "Mutation", "NaturalPerson", "Organization",
        "PageInfo", "PublicityTimeliness", "Query", "Quota", "RecordConnection", "RecordEdge", "RegisteredSubject",
        "RepairOutlook", "Source",
    }  # fmt: skip
    leaves = {
        c for c, rule in vocabulary().rules.items()
        if rule.classes == (OPEN,) and rule.shape in (Shape.COLUMN, Shape.DETAIL)
    }  # fmt: skip
    assert {c.split(".")[0] for c in leaves} == {
        "CatalogCoverage", "CatalogItem", "ClassAccess", "CommitmentTemplate", "CreditCheckRow", "CreditCheckVerification", "Explanation",
        "ListRecheckRow", "Me", "PublicityTimeliness", "Quota", "RepairOutlook", "Source",
    }  # fmt: skip


def test_the_schema_is_the_golden_one() -> None:
    """Renew with `python -m tests.test_vocabulary`; the difference is what partners will notice."""
    assert sdl() == (GOLDEN / "schema.graphql").read_text("utf-8")


def test_who_sees_which_coordinate_is_as_in_the_golden_file() -> None:
    """Renew with `python -m tests.test_vocabulary`; the difference is a change of who sees what."""
    assert visibility() == (GOLDEN / "visibility.txt").read_text("utf-8")


def test_texts_that_masking_keeps_are_as_in_the_golden_file() -> None:
    """Renew with `python -m tests.test_vocabulary`; free words that appear in the difference need a mask (DOMAIN 6.2)."""
    assert kept_texts() == (GOLDEN / "kept_texts.txt").read_text("utf-8")


def test_a_view_lists_no_type_that_it_hides() -> None:
    for (partner, purpose), view in views().items():
        printed = print_schema(view.schema)
        assert "Query" in view.schema.type_map, (partner, purpose)
        for coordinate in vocabulary().coordinates - view.visible:
            type_name, _, rest = coordinate.partition(".")
            named = view.schema.type_map.get(type_name)
            if named is None or "(" in rest:
                continue
            members = getattr(named, "fields", None) or getattr(named, "values", {})
            assert rest not in members, (partner, purpose, coordinate)
        if not any(c.startswith("NaturalPerson.") for c in view.visible):
            assert "NaturalPerson" not in printed


def test_views_of_partners_with_equal_rights_are_one() -> None:
    found = views()
    digests = {view.digest for view in found.values()}
    assert len({id(view) for view in found.values()}) == len(digests)


if __name__ == "__main__":
    (GOLDEN / "schema.graphql").write_text(sdl(), "utf-8")
    (GOLDEN / "visibility.txt").write_text(visibility(), "utf-8")
    (GOLDEN / "kept_texts.txt").write_text(kept_texts(), "utf-8")
