"""Field selection merging: the rule that selected fields of one response name must agree, in bounded work.

graphql-core compares such fields pair by pair, which is quadratic in repeated fields. Here fields are
grouped instead: every merged level of the document is visited once, and each field of a group is compared
with the first one only, because "same name and arguments" and "same shape" are equivalence relations.
The two checks are those of the GraphQL specification (October 2021), section 5.3.2 "Field Selection
Overlaps": SameResponseShape over all fields of a response name, and FieldsInSetCanMerge over those whose
parents can be the same object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)
from graphql.language import DocumentNode

from hub.errors import LimitExceeded

# The indexes of the selection sets whose fields are merged into one level of the answer, ascending.
SetsOfALevel: TypeAlias = tuple[int, ...]


class Written(NamedTuple):
    """A field as written, the type it is selected on (None when unknown), and its definition there."""

    node: FieldNode
    parent: GraphQLNamedType | None
    definition: GraphQLField | None


Groups: TypeAlias = list[list[Written]]


class _Collected(NamedTuple):
    fields: list[tuple[str, Written]]
    spreads: list[str]


class Overlaps:
    """One check of one document; it keeps what it has collected, so an instance is used once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, budget: int) -> None:
        """Prepare a check that touches at most `budget` fields and fragment spreads."""
        self._schema = schema
        self._document = document
        self._budget = budget
        self._left = budget
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._indexes: dict[int, int] = {}
        self._sets: list[tuple[SelectionSetNode, GraphQLNamedType | None]] = []
        self._collected: dict[int, _Collected] = {}
        self._groups: dict[SetsOfALevel, Groups] = {}
        self._arguments: dict[int, object] = {}

    def conflicts(self, maximum: int) -> list[GraphQLError]:
        """Return at most `maximum` conflicts, none when every selection can be merged.

        Raises LimitExceeded (limit `overlaps`) when the budget is spent before the answer is known.
        """
        found: list[GraphQLError] = []
        for check in (self._shape_conflict, self._merge_conflict):
            seen: set[SetsOfALevel] = set()
            for root in self._roots():
                self._walk(root, check, seen, found, maximum)
                if len(found) >= maximum:
                    return found
        return found

    def _roots(self) -> Iterable[SetsOfALevel]:
        for node in self._document.definitions:
            if isinstance(node, OperationDefinitionNode):
                yield (self._index(node.selection_set, self._schema.get_root_type(node.operation)),)
            elif isinstance(node, FragmentDefinitionNode):
                yield (self._index_fragment(node),)

    def _walk(
        self,
        root: SetsOfALevel,
        check: Callable[[list[Written]], tuple[GraphQLError | None, list[list[Written]]]],
        seen: set[SetsOfALevel],
        found: list[GraphQLError],
        maximum: int,
    ) -> None:
        """Apply `check` to every response name of every merged level below `root`."""
        pending = [root]
        while pending:
            level = pending.pop()
            if level in seen:
                continue
            seen.add(level)
            for fields in self._grouped(level):
                conflict, merged = check(fields)
                if conflict is not None:
                    found.append(conflict)
                    if len(found) >= maximum:
                        return
                for group in merged:
                    below = self._below(group)
                    if below and below not in seen:
                        pending.append(below)

    def _shape_conflict(self, fields: list[Written]) -> tuple[GraphQLError | None, list[list[Written]]]:
        """SameResponseShape: whatever the parents, the types must be of one shape."""
        if len(fields) == 1:
            return None, [fields]
        first: Written | None = None
        for field in fields:
            if any(directive.name.value == "stream" for directive in field.node.directives or ()):
                return _conflict("they have overlapping stream directives", fields[0], field), []
            if field.definition is None:
                continue
            if first is None or first.definition is None:
                first = field
            elif field.definition is not first.definition:
                mine, its = first.definition.type, field.definition.type
                if mine is not its and _shape(mine) != _shape(its):
                    return _conflict(f"they return conflicting types '{mine}' and '{its}'", first, field), []
        return None, [fields]

    def _merge_conflict(self, fields: list[Written]) -> tuple[GraphQLError | None, list[list[Written]]]:
        """FieldsInSetCanMerge: if the parents may be one object, so must the field and its arguments."""
        if len(fields) == 1:
            return None, [fields]
        concrete = {id(field.parent): field.parent for field in fields if _is_object(field.parent)}
        if len(concrete) < 2:
            groups = [fields]
        else:
            groups = [
                [field for field in fields if field.parent is parent or not _is_object(field.parent)]
                for parent in concrete.values()
            ]
            self._spend(len(fields) * len(groups))
        for group in groups:
            first = group[0]
            name = first.node.name.value
            for field in group[1:]:
                its = field.node.name.value
                if its != name:
                    return _conflict(f"'{name}' and '{its}' are different fields", first, field), []
                if (first.node.arguments or field.node.arguments) and (
                    self._arguments_of(first.node) != self._arguments_of(field.node)
                ):
                    return _conflict("they have differing arguments", first, field), []
        return None, groups

    def _below(self, fields: list[Written]) -> SetsOfALevel:
        """The level that the sub-selections of these fields are merged into; empty for leaves."""
        indexes: set[int] = set()
        for field in fields:
            if field.node.selection_set is not None:
                named = get_named_type(field.definition.type) if field.definition else None
                indexes.add(self._index(field.node.selection_set, named))
        return tuple(sorted(indexes))

    def _grouped(self, level: SetsOfALevel) -> Groups:
        """The fields of a level by response name, fragments included, each written field once."""
        known = self._groups.get(level)
        if known is not None:
            self._spend(len(known))
            return known
        groups: dict[str, list[Written]] = {}
        pending = list(level)
        met = set(level)
        # The list grows while it is read, so that errors come in the order of the document.
        for reached in pending:
            fields, spreads = self._collect(reached)
            self._spend(len(fields) + len(spreads) + 1)
            for name, field in fields:
                groups.setdefault(name, []).append(field)
            for spread in spreads:
                fragment = self._fragments.get(spread)
                if fragment is not None:
                    index = self._index_fragment(fragment)
                    if index not in met:
                        met.add(index)
                        pending.append(index)
        result = self._groups[level] = list(groups.values())
        return result

    def _collect(self, index: int) -> _Collected:
        """The fields written in one selection set, inline fragments included, and the names it spreads."""
        known = self._collected.get(index)
        if known is not None:
            return known
        fields: list[tuple[str, Written]] = []
        spreads: list[str] = []
        pending = [self._sets[index]]
        for selection_set, parent in pending:
            definitions = (
                parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
            )
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    name = node.name.value
                    selected = Written(node, parent, definitions.get(name))
                    fields.append((node.alias.value if node.alias else name, selected))
                elif isinstance(node, FragmentSpreadNode):
                    spreads.append(node.name.value)
                elif isinstance(node, InlineFragmentNode):
                    condition = node.type_condition
                    pending.append(
                        (
                            node.selection_set,
                            self._schema.get_type(condition.name.value) if condition else parent,
                        )
                    )
        result = self._collected[index] = _Collected(fields, list(dict.fromkeys(spreads)))
        return result

    def _index_fragment(self, fragment: FragmentDefinitionNode) -> int:
        return self._index(fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value))

    def _index(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> int:
        # By identity: AST nodes compare by value, and equal selections may stand in different places.
        index = self._indexes.get(id(selection_set))
        if index is None:
            index = self._indexes[id(selection_set)] = len(self._sets)
            self._sets.append((selection_set, parent))
        return index

    def _arguments_of(self, node: FieldNode) -> object:
        """A value that is equal for equal arguments, whatever their order."""
        known = self._arguments.get(id(node))
        if known is None:
            known = self._arguments[id(node)] = (
                len(node.arguments or ()),
                {argument.name.value: _value(argument.value) for argument in node.arguments or ()},
            )
        return known

    def _spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            message = "The document merges too many selections of the same fields."
            raise LimitExceeded(message, limit="overlaps", maximum=self._budget)


def _conflict(reason: str, one: Written, other: Written) -> GraphQLError:
    name = one.node.alias.value if one.node.alias else one.node.name.value
    return GraphQLError(
        f"Fields '{name}' conflict because {reason}. "
        "Use different aliases on the fields to fetch both if this was intentional.",
        [one.node, other.node],
    )


def _is_object(parent: GraphQLNamedType | None) -> bool:
    return isinstance(parent, GraphQLObjectType)


def _shape(type_: GraphQLOutputType) -> str:
    """Wrappers and, for leaves, the name; composite types are compared by their fields instead."""
    wrappers = ""
    inner: object = type_
    while isinstance(inner, GraphQLList | GraphQLNonNull):
        wrappers += "[" if isinstance(inner, GraphQLList) else "!"
        inner = inner.of_type
    return wrappers + (str(inner) if is_leaf_type(inner) else "{")


def _value(node: ValueNode) -> object:
    """A value that is equal for equal literals: object fields in any order, variables by name."""
    if isinstance(node, VariableNode):
        return ("$", node.name.value)
    if isinstance(node, ListValueNode):
        return ("[", [_value(item) for item in node.values])
    if isinstance(node, ObjectValueNode):
        return ("{", len(node.fields), {field.name.value: _value(field.value) for field in node.fields})
    if isinstance(node, NullValueNode):
        return ("null",)
    return (node.kind, getattr(node, "value", None), bool(getattr(node, "block", False)))
