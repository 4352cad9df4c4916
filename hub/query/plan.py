"""Document × view → Plan: what is asked, as a tree of fields per concrete type. Pure; nothing about rights is decided later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    get_named_type,
    get_nullable_type,
    is_list_type,
    type_from_ast,
)

from hub.errors import BadUserInput
from hub.query.document import INTROSPECTING, DocumentLimits, exceeded
from hub.rights.view import ENDED, View, Withheld
from schema.governance import ORDER, Condition, Rule, Shape

# Relations whose rows tell of facts of other classes than their own.
_COPYING = frozenset({"case_file", "delivery_out", "rows:check_verification", "rows:repair_outlook"})
# Rows that a command is answered with and that are all it tells, with their class: that there are some is of it already.
_TOLD_ALONE = {"rows:domestic_worker": "D29"}
# Node plumbing of a connection, by the target its field declares.
EDGES, CURSOR, PAGE_INFO = "edges", "cursor", "page_info"


@dataclass(frozen=True)
class Constant:
    """A value that stands in the document."""

    value: Any


@dataclass(frozen=True)
class Variable:
    """A value that comes with the request: a variable, or a member of one."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A list in the document with variables among its members."""

    members: tuple[Ref, ...]


Ref = Constant | Variable | Listed


def value_of(ref: Ref, values: Mapping[str, Any]) -> Any:
    """The value of an argument: of the document, of a variable, or of both mixed."""
    match ref:
        case Constant(value):
            if isinstance(value, dict):
                return {
                    name: value_of(one, values) if isinstance(one, Ref) else one
                    for name, one in value.items()
                    if one is not Undefined and one != Constant(Undefined)
                }
            return value
        case Variable(path):
            found: Any = values
            for name in path:
                found = found[name]
            return found
        case _:
            return [value_of(one, values) for one in ref.members]


@dataclass(frozen=True)
class Test:
    """A condition on rows: `column operator value`."""

    column: str
    operator: str
    value: Ref


@dataclass(frozen=True)
class Selected:
    """A field of a concrete type under its response key."""

    key: str
    name: str
    coordinate: str
    rule: Rule
    # The named type of the field, and whether it is a list.
    type_name: str
    is_list: bool
    arguments: Mapping[str, Ref]
    tests: tuple[Test, ...]
    # What is selected of the field's own type, per concrete type; empty for leaves.
    variants: tuple[Variant, ...]

    @property
    def types(self) -> tuple[str, ...]:
        """The concrete types that the field's objects may have."""
        return tuple(variant.type_name for variant in self.variants)

    def below(self) -> Iterator[Selected]:
        """Every field that is selected in it, once where several fields lead to it."""
        seen: set[Variant] = set()
        for variant in self.variants:
            yield from _walk(variant.fields, seen)


@dataclass(frozen=True)
class Typename:
    """`__typename` under its response key."""

    key: str


# By identity: what is selected of a type by the same selections is one object, however many fields lead to it.
@dataclass(frozen=True, eq=False)
class Variant:
    """What is selected of one concrete type."""

    type_name: str
    fields: tuple[Selected | Typename, ...]


@dataclass(frozen=True)
class Plan:
    """All that one operation asks in one view."""

    view: View
    # Query or Mutation.
    root_type: str
    roots: tuple[Selected | Typename, ...]
    # Root fields of introspection, answered from the view's schema.
    introspection: tuple[FieldNode, ...]
    # Response keys of the roots, introspection among them, in the document's order.
    keys: tuple[str, ...]
    withheld: tuple[Withheld, ...]

    def selected(self) -> Iterator[Selected]:
        """Every selected field of the plan, once where several fields lead to it."""
        return _walk(self.roots, set())

    def disclosed(self) -> str:
        """The data classes of which the answer may tell, with the view's levels, as the ledger records them.

        A row of any class may be an ended one. Where it is `at_most`, it is all classes of the view.
        """
        vocabulary, levels = self.view.vocabulary, self.view.levels
        asked: set[str] = set()
        for one in self.selected():
            asked.update(vocabulary.classes(one.coordinate.partition(".")[0], one.rule))
            entities = [
                vocabulary.entities[name] for name in self._rows_of(one) if name in vocabulary.entities
            ]
            asked.update(data_class for entity in entities for data_class in entity.row_classes)
            if one.rule.shape is Shape.COMMAND:
                asked.update(_TOLD_ALONE[name] for name in self._relations(one) & _TOLD_ALONE.keys())
            if self._copies(one):
                asked.update(levels)
        if asked:
            asked.add(ENDED)
        return " ".join(f"{name}={level}" for name, level in levels.items() if name in asked)

    def _rows_of(self, field: Selected) -> Iterable[str]:
        """The types of the rows that the field tells of: a page does so by its cursors alone, and by having a next one."""
        if field.rule.shape is not Shape.CONNECTION:
            return field.types
        types = self.view.vocabulary.node_types[field.type_name]
        return [one for one in types if one in self.view.schema.type_map]

    def at_most(self) -> bool:
        """Whether `disclosed` is a bound that the answer seldom reaches, and not what was asked for.

        Cases copy what they are about, and a command tells how it went: what of it nobody knows beforehand. The one about a
        domestic worker tells of the worker alone.
        """
        return any(map(self._copies, self.selected()))

    def _copies(self, field: Selected) -> bool:
        relations = self._relations(field)
        if field.rule.shape is Shape.COMMAND:
            return not relations or not relations <= _TOLD_ALONE.keys()
        return not relations.isdisjoint(_COPYING)

    def _relations(self, field: Selected) -> set[str]:
        entities = self.view.vocabulary.entities
        return {entities[name].relation for name in field.types if name in entities}


def _walk(fields: Iterable[Selected | Typename], seen: set[Variant]) -> Iterator[Selected]:
    for field in fields:
        if isinstance(field, Selected):
            yield field
            for variant in field.variants:
                if variant not in seen:
                    seen.add(variant)
                    yield from _walk(variant.fields, seen)


def _withheld(view: View, fields: Iterable[Selected | Typename]) -> Iterator[Withheld]:
    """Why fields are not in full wherever they are asked for, in the document's order; the same may come twice."""
    seen: set[tuple[Variant, str]] = set()

    def walk(fields: Iterable[Selected | Typename], row: str) -> Iterator[Withheld]:
        for field in fields:
            if isinstance(field, Selected):
                # What is embedded in a row, and has none of its own, is of the classes of that row.
                own = field.coordinate.partition(".")[0]
                owner = row if row and own not in view.vocabulary.entities else own
                yield from view.withheld(field.coordinate, owner)
                below = owner if field.rule.shape is Shape.EMBEDDED else ""
                for variant in field.variants:
                    if (variant, below) not in seen:
                        seen.add((variant, below))
                        yield from walk(variant.fields, below)

    return walk(fields, "")


def static_variables(
    operation: OperationDefinitionNode, view: View
) -> tuple[tuple[str, GraphQLInputType], ...]:
    """The variables whose values, or whose presence, shape the plan: all but required scalars that only are data."""
    found = []
    for definition in operation.variable_definitions or ():
        declared = type_from_ast(view.schema, definition.type)
        assert declared is not None
        if _shapes(declared):  # type: ignore[arg-type]
            found.append((definition.variable.name.value, declared))
    return tuple(found)  # type: ignore[arg-type]


def _shapes(declared: GraphQLInputType) -> bool:
    return (
        not isinstance(declared, GraphQLNonNull)
        or isinstance(get_named_type(declared), GraphQLInputObjectType)
        or _stands_in_plan(declared)
    )


def _stands_in_plan(declared: GraphQLInputType) -> bool:
    """Whether the plan holds a variable's value itself: an enum's, a flag or a number, and not only that there is one."""
    bare = get_nullable_type(declared)
    return isinstance(bare, GraphQLEnumType) or get_named_type(bare).name in ("Boolean", "Int")


def shape_of(
    values: Mapping[str, Any], variables: tuple[tuple[str, GraphQLInputType], ...]
) -> tuple[Any, ...]:
    """The part of coerced `values` on which the plan depends; hashable."""
    return tuple(_shape(values.get(name, Undefined), declared) for name, declared in variables)


def _shape(value: Any, declared: GraphQLInputType) -> Any:
    if value is Undefined:
        return "absent"
    if value is None:
        return None
    bare = get_nullable_type(declared)
    if isinstance(bare, GraphQLInputObjectType):
        return tuple(
            (name, _shape(value[name], field.type)) for name, field in bare.fields.items() if name in value
        )
    return repr(value) if _stands_in_plan(declared) else "present"


class Planner:
    """Makes the plan of one operation for variables of one shape."""

    def __init__(
        self, document: DocumentNode, view: View, values: Mapping[str, Any], limits: DocumentLimits
    ) -> None:
        """`values`: coerced variables; only their shape enters the plan."""
        self._view = view
        self._values = values
        self._most = limits.fields_by_type
        self._planned = 0
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        # By the type and the selections, which are nodes of the document: else all that stands below a field would be
        # planned anew for each type that leads to it, and the types of each level multiply those of the next.
        self._variants: dict[tuple[str, tuple[int, ...]], Variant] = {}

    def plan(self, operation: OperationDefinitionNode) -> Plan:
        """The plan of `operation`, which is valid in the view's schema. Raises LimitExceeded when it is too large."""
        root = self._view.schema.get_root_type(operation.operation)
        assert root is not None
        collected = self._collect(root.name, [operation.selection_set])
        introspection = tuple(
            node for nodes in collected.values() for node in nodes if node.name.value in INTROSPECTING
        )
        asked = {key: nodes for key, nodes in collected.items() if nodes[0].name.value not in INTROSPECTING}
        roots = self._fields(root, asked)
        withheld = tuple(dict.fromkeys(_withheld(self._view, roots)))
        return Plan(self._view, root.name, roots, introspection, tuple(collected), withheld)

    def _collect(self, type_name: str, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()

        def walk(selections: SelectionSetNode) -> None:
            for node in selections.selections:
                if not self._included(node):
                    continue
                if isinstance(node, FieldNode):
                    grouped.setdefault((node.alias or node.name).value, []).append(node)
                elif isinstance(node, FragmentSpreadNode):
                    if node.name.value in visited:
                        continue
                    visited.add(node.name.value)
                    fragment = self._fragments[node.name.value]
                    if self._applies(fragment.type_condition.name.value, type_name):
                        walk(fragment.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    condition = node.type_condition
                    if condition is None or self._applies(condition.name.value, type_name):
                        walk(node.selection_set)

        for selections in sets:
            walk(selections)
        return grouped

    def _applies(self, condition: str, type_name: str) -> bool:
        return type_name == condition or type_name in self._possible(condition)

    def _possible(self, type_name: str) -> tuple[str, ...]:
        named = self._view.schema.type_map[type_name]
        if isinstance(named, GraphQLInterfaceType):
            return tuple(sorted(one.name for one in self._view.schema.get_possible_types(named)))
        return (type_name,)

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                value = directive.arguments[0].value
                on = self._values[value.name.value] if isinstance(value, VariableNode) else value.value
                if on is None:
                    raise BadUserInput(f"The condition of @{name} is null.")
                if on is (name == "skip"):
                    return False
        return True

    def _fields(
        self, parent: GraphQLObjectType, collected: Mapping[str, list[FieldNode]]
    ) -> tuple[Selected | Typename, ...]:
        return tuple(
            Typename(key) if nodes[0].name.value == "__typename" else self._field(parent, key, nodes)
            for key, nodes in collected.items()
        )

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Selected:
        self._planned += 1
        if self._planned > self._most:
            raise exceeded("fields_by_type", self._most)
        name = nodes[0].name.value
        coordinate = f"{parent.name}.{name}"
        rule = self._view.vocabulary.rules[coordinate]
        definition = parent.fields[name]
        named = get_named_type(definition.type)
        arguments = {
            argument: self._value(
                next((a.value for a in nodes[0].arguments or () if a.name.value == argument), None),
                declared.type,
                declared.default_value,
            )
            for argument, declared in definition.args.items()
        }
        variants: tuple[Variant, ...] = ()
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        if sets:
            variants = tuple(self._variant(one, sets) for one in self._possible(named.name))
        present = {name: ref for name, ref in arguments.items() if ref != Constant(Undefined)}
        return Selected(
            key=key,
            name=name,
            coordinate=coordinate,
            rule=rule,
            type_name=named.name,
            is_list=is_list_type(get_nullable_type(definition.type)),
            arguments=present,
            tests=tuple(self._tests(coordinate, present)),
            variants=variants,
        )

    def _variant(self, type_name: str, sets: list[SelectionSetNode]) -> Variant:
        place = (type_name, tuple(map(id, sets)))
        known = self._variants.get(place)
        if known is None:
            fields = self._fields(self._view.schema.type_map[type_name], self._collect(type_name, sets))  # type: ignore[arg-type]
            known = self._variants[place] = Variant(type_name, fields)
        return known

    def _value(self, node: ValueNode | None, declared: GraphQLInputType, default: Any) -> Ref:
        if isinstance(node, VariableNode):
            name = node.name.value
            value = self._values.get(name, Undefined)
            if value is Undefined:
                return Constant(default)
            if value is None and isinstance(declared, GraphQLNonNull):
                # A default makes such a variable valid here, and null still is not.
                raise BadUserInput(f"The variable ${name} is null where no null is taken.")
            # What shapes the plan is part of the plan's key, so it may stand in the plan as it is.
            return Constant(value) if value is None or _stands_in_plan(declared) else Variable((name,))
        if node is None:
            return Constant(default)
        if isinstance(node, NullValueNode):
            return Constant(None)
        if isinstance(node, ListValueNode) and _has_variables(node):
            bare = get_nullable_type(declared)
            member = bare.of_type if isinstance(bare, GraphQLList) else declared
            return Listed(tuple(self._value(one, member, Undefined) for one in node.values))
        if isinstance(node, ObjectValueNode) and _has_variables(node):
            named = get_named_type(declared)
            assert isinstance(named, GraphQLInputObjectType)
            return Constant(
                {
                    one.name.value: self._value(one.value, named.fields[one.name.value].type, Undefined)
                    for one in node.fields
                }
            )
        return Constant(coerce_input_literal(node, declared))

    def _tests(self, coordinate: str, arguments: Mapping[str, Ref]) -> Iterator[Test]:
        for name, ref in arguments.items():
            declared = self._view.vocabulary.arguments[f"{coordinate}({name}:)"]
            if isinstance(declared, Condition):
                yield from self._test(declared, ref)
            elif name == "filter":
                yield from self._filter(coordinate, ref)

    def _filter(self, coordinate: str, ref: Ref) -> Iterator[Test]:
        owner, _, field = coordinate.partition(".")
        declared = self._view.vocabulary.schema.type_map[owner].fields[field].args["filter"].type  # type: ignore[attr-defined]
        type_name = get_named_type(declared).name
        members: Mapping[str, Ref] = {}
        if isinstance(ref, Variable):
            value = self._values[ref.path[0]]
            members = {
                name: Constant(None) if value[name] is None else Variable((*ref.path, name)) for name in value
            }
        elif isinstance(ref, Constant) and ref.value is not None:
            members = {
                name: one if isinstance(one, Ref) else Constant(one) for name, one in ref.value.items()
            }
        for name, member in members.items():
            if member != Constant(Undefined):
                condition = self._view.vocabulary.inputs[f"{type_name}.{name}"]
                if isinstance(condition, Condition):
                    yield from self._test(condition, member)

    def _test(self, declared: Condition, ref: Ref) -> Iterator[Test]:
        if ref == Constant(None) or declared.operator == ORDER:
            return
        rule = self._view.vocabulary.rules[declared.tests]
        yield Test(declared.column or rule.target, declared.operator, ref)


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(_has_variables(one) for one in node.values)
    return isinstance(node, ObjectValueNode) and any(_has_variables(one.value) for one in node.fields)
