"""graphql-core's validation rules over a document, in less than half the time of its own `validate`.

The rules and what they say are graphql-core's. Its ParallelVisitor calls every rule at every node, though few speak
of more than two kinds; its visit goes into names, of which no rule speaks; and its context finds what it remembers of
a definition by a hash of all that the definition holds. That is most of what a document costs that was never seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from graphql import (
    SKIP,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import EnterLeaveVisitor
from graphql.validation import ASTValidationRule, ValidationContext
from graphql.validation.validate import ValidationAbortedError
from graphql.validation.validation_context import VariableUsage, VariableUsageVisitor

Rules = tuple[type[ASTValidationRule], ...]
_NAMES = frozenset({"alias", "description", "name"})
_BELOW = {kind: tuple(key for key in keys if key not in _NAMES) for kind, keys in QUERY_DOCUMENT_KEYS.items()}


def validate(
    schema: GraphQLSchema, document: DocumentNode, rules: Rules, most: int = 100
) -> list[GraphQLError]:
    """What `rules` say of a document, without suggestions; after `most` errors one that says that there are more.

    As graphql-core's `validate`, which also looks for fragments nested too deeply to be followed: limit them before.
    """
    errors: list[GraphQLError] = []

    def on_error(error: GraphQLError) -> None:
        if len(errors) >= most:
            raise ValidationAbortedError(
                "Too many validation errors, error limit reached. Validation aborted."
            )
        errors.append(error)

    types = TypeInfo(schema)
    context = _Context(schema, document, types, on_error)
    try:
        visit(document, TypeInfoVisitor(types, _Together(rules, context)), _BELOW)
    except ValidationAbortedError as error:
        # Without the frames of the validation, which hold the document and much else.
        error.__context__ = None
        errors.append(error.with_traceback(None))
    return errors


class _Context(ValidationContext):
    """What rules ask of the document: remembered by the node itself, which lives as long as the document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        types: TypeInfo,
        on_error: Callable[[GraphQLError], None],
    ) -> None:
        super().__init__(
            schema, document, types, on_error, hide_suggestions=True, allow_empty_selection_sets=False
        )
        self._types = types
        self._spreads: dict[int, list[FragmentSpreadNode]] = {}
        self._usages: dict[int, list[VariableUsage]] = {}
        self._all_usages: dict[int, list[VariableUsage]] = {}

    def get_fragment_spreads(self, node: SelectionSetNode) -> list[FragmentSpreadNode]:
        found = self._spreads.get(id(node))
        if found is None:
            found = self._spreads[id(node)] = super().get_fragment_spreads(node)
        return found

    def get_variable_usages(
        self, node: OperationDefinitionNode | FragmentDefinitionNode
    ) -> list[VariableUsage]:
        found = self._usages.get(id(node))
        if found is None:
            visitor = VariableUsageVisitor(
                self._types, node if isinstance(node, FragmentDefinitionNode) else None
            )
            visit(node, TypeInfoVisitor(self._types, visitor), _BELOW)
            found = self._usages[id(node)] = visitor.usages
        return found

    def get_recursive_variable_usages(self, operation: OperationDefinitionNode) -> list[VariableUsage]:
        found = self._all_usages.get(id(operation))
        if found is None:
            found = self._all_usages[id(operation)] = super().get_recursive_variable_usages(operation)
        return found


class _Together(Visitor):
    """Calls each rule as ParallelVisitor does, at the nodes of which it speaks.

    A rule may have what is below a node skipped for itself; none ends the visit or changes a node.
    """

    def __init__(self, rules: Rules, context: ValidationContext) -> None:
        super().__init__()
        self._rules = rules
        self._each = [rule(context) for rule in rules]
        # Number of a rule → the node that it asked to skip, until that is left.
        self._skipping: dict[int, Node] = {}

    def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
        found = self.enter_leave_map.get(kind)
        if found is None:
            found = self.enter_leave_map[kind] = self._calls(kind)
        return found

    def _calls(self, kind: str) -> EnterLeaveVisitor:
        entering, leaving = (
            [
                (number, getattr(self._each[number], name))
                for number, name in _speaking(self._rules, step, kind)
            ]
            for step in ("enter", "leave")
        )
        skipping = self._skipping

        def enter(node: Node, *args: Any) -> None:
            for number, call in entering:
                if number not in skipping and call(node, *args) is SKIP:
                    skipping[number] = node

        def leave(node: Node, *args: Any) -> None:
            for number, call in leaving:
                if number not in skipping:
                    call(node, *args)
            for number in [one for one, at in skipping.items() if at is node]:
                del skipping[number]

        return EnterLeaveVisitor(enter if entering else None, leave if entering or leaving else None)


@cache
def _speaking(rules: Rules, step: str, kind: str) -> tuple[tuple[int, str], ...]:
    """The rules, by number, that have a method for entering or leaving nodes of `kind`, and its name."""
    found = []
    for number, rule in enumerate(rules):
        name = next((one for one in (f"{step}_{kind}", step) if getattr(rule, one, None)), None)
        if name is not None:
            found.append((number, name))
    return tuple(found)
