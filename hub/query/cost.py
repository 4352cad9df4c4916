"""The price of an operation: how many objects its answer may hold, known before anything is asked.

A partner class has a budget of objects an answer (DocumentLimits.cost) and a largest page (DocumentLimits.page). The price is
an upper bound, taken in one walk: pages count in full, and each fragment is priced once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from hub.errors import BadUserInput
from hub.query.document import SATURATED, DocumentLimits, exceeded

# What a list without `first` is taken to hold: the lists of one subject (grades, identifiers) are short.
UNPAGED: Final = 10
# The argument that asks for a page of so many.
PAGE_ARGUMENT: Final = "first"


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object],
    limits: DocumentLimits,
) -> int:
    """Return how many objects the answer may hold at most, introspection apart; saturates at SATURATED.

    The document must be valid and within its other limits. `variables` are those of the request, coerced or
    not; one that is not given has its default. What @skip or @include leave out costs nothing. Raises
    LimitExceeded: `page` for a page larger than `limits.page`, `cost` for a price over `limits.cost`; BadUserInput
    for a page of less than nothing.
    """
    price = min(_Pricing(schema, document, operation, variables, limits).price(operation), SATURATED)
    if price > limits.cost:
        # By how much it is over says into how many questions it has to be cut.
        raise exceeded("cost", limits.cost, price)
    return price


class _Pricing:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, object],
        limits: DocumentLimits,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = dict(variables)
        for definition in operation.variable_definitions or ():
            if definition.default_value is not None:
                name = definition.variable.name.value
                self._variables.setdefault(name, self._value(definition.default_value))
        self._priced: dict[tuple[str, bool], int] = {}

    def price(self, operation: OperationDefinitionNode) -> int:
        return self._selections(
            operation.selection_set, self._schema.get_root_type(operation.operation), False
        )

    def _selections(
        self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None, paged: bool
    ) -> int:
        """The price of a selection for one parent; `paged`: a page's size multiplies the parent already."""
        total = 0
        for node in selection_set.selections:
            if any(self._leaves_out(directive) for directive in node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
                    definition = parent.fields.get(node.name.value)
                    if definition is not None and node.selection_set is not None:
                        total += self._field(node, node.selection_set, definition, paged)
            elif isinstance(node, FragmentSpreadNode):
                total += self._fragment(node.name.value, paged)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                total += self._selections(node.selection_set, inner, paged)
        return min(total, SATURATED)

    def _fragment(self, name: str, paged: bool) -> int:
        fragment = self._fragments.get(name)
        if fragment is None:
            return 0
        price = self._priced.get((name, paged))
        if price is None:
            parent = self._schema.get_type(fragment.type_condition.name.value)
            price = self._priced[name, paged] = self._selections(fragment.selection_set, parent, paged)
        return price

    def _field(
        self, node: FieldNode, selection_set: SelectionSetNode, definition: GraphQLField, paged: bool
    ) -> int:
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return 0
        is_list = is_list_type(get_nullable_type(definition.type))
        if PAGE_ARGUMENT in definition.args:
            # The list may be this field itself, or stand below it as the edges of a connection.
            count, below = self._page(node, definition), not is_list
        elif not is_list:
            count, below = 1, paged
        elif paged:
            count, below = 1, False
        else:
            count, below = self._keys(node, definition), False
        return count * (1 + self._selections(selection_set, named, below))

    def _page(self, node: FieldNode, definition: GraphQLField) -> int:
        size = self._argument(node, PAGE_ARGUMENT)
        if size is None:
            size = self._default(definition.args[PAGE_ARGUMENT])
        if not isinstance(size, int):
            return self._limits.page
        if size > self._limits.page:
            raise exceeded("page", self._limits.page)
        if size < 0:
            raise BadUserInput("A page has no less than 0 rows.", argument=PAGE_ARGUMENT)
        return size

    def _default(self, argument: GraphQLArgument) -> object:
        default = argument.default
        if default is None:
            return argument.default_value
        return default.value if default.literal is None else self._value(default.literal)

    def _keys(self, node: FieldNode, definition: GraphQLField) -> int:
        """A list that must be given keys holds one object a key."""
        for name, argument in definition.args.items():
            if is_required_argument(argument) and is_list_type(get_nullable_type(argument.type)):
                keys = self._argument(node, name)
                return len(keys) if isinstance(keys, list | tuple) else 1
        return UNPAGED

    def _argument(self, node: FieldNode, name: str) -> object:
        for argument in node.arguments or ():
            if argument.name.value == name:
                return self._value(argument.value)
        return None

    def _value(self, node: ValueNode) -> object:
        """An integer, a Boolean or a list of a literal or variable; None for everything else."""
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            # Validation has refused what does not fit 32 bits.
            return int(node.value[:12])
        if isinstance(node, BooleanValueNode):
            return node.value
        return node.values if isinstance(node, ListValueNode) else None

    def _leaves_out(self, directive: DirectiveNode) -> bool:
        name = directive.name.value
        if name not in ("skip", "include"):
            return False
        for argument in directive.arguments or ():
            if argument.name.value == "if":
                return self._value(argument.value) is (name == "skip")
        return False
