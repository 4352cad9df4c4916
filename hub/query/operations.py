"""Documents made ready: parsed, limited, validated in a view, planned and compiled once, then found by key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLInputType,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    execute_sync,
)

from hub.errors import HubError, LimitExceeded, ValidationFailed
from hub.query.binding import Binder, Secrets, Variables, binders
from hub.query.cost import cost_of
from hub.query.document import (
    DocumentLimits,
    check_limits,
    exceeded,
    operation_of,
    parse_document,
    validate_in,
)
from hub.query.live_tables import Want, keys_plan
from hub.query.plan import (
    Constant,
    Listed,
    Plan,
    Planner,
    Ref,
    Selected,
    shape_of,
    static_variables,
)
from hub.query.statement import Statement, compile_plan
from hub.recent import Recent
from hub.rights.view import View, Withheld

# PostgreSQL cuts longer names, and response keys are column names of the statement.
LONGEST_KEY = 63
# Characters of the documents that are kept ready, in each process: one takes some 200 bytes of memory for each.
KEPT_CHARACTERS = 1 << 18
# Bytes of answers to introspection that are kept, in each process: GraphiQL's own takes some hundred thousand for a view.
KEPT_INTROSPECTION = 1 << 23
# What one that is kept weighs beside its bytes.
_KEY_WEIGHT = 1 << 10
# Plans kept of one document: its flags and enum values, and which of its variables are given, make different ones.
SHAPES = 8


@dataclass(frozen=True)
class Compiled:
    """A plan with its statement and all that does not change between requests."""

    plan: Plan
    statement: Statement | None
    binders: tuple[Binder, ...]
    # `,"disclosure":[…]` as it stands in every answer's extensions, or nothing.
    disclosure: bytes
    # The data classes of which an answer may tell, with their levels, as the ledger records them.
    classes: str
    # Whether those are all of the view because a command or a case is asked for.
    at_most: bool
    # Response keys in the order of the document, where introspection and data are asked together.
    order: tuple[str, ...]
    secrets: Secrets
    limits: DocumentLimits
    # How long the lists of the variables were when the answer was priced last.
    priced: dict[str, int] = field(compare=False, repr=False)
    # The statement of the codes that live sources are asked about, made when first needed; None: none is asked.
    _keys: dict[tuple[Want, ...], tuple[Statement, tuple[Binder, ...]] | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    def keys_of(self, wants: tuple[Want, ...]) -> tuple[Statement, tuple[Binder, ...]] | None:
        """The statement of the codes that sources must be asked about for what is wanted, with its binders."""
        if wants not in self._keys:
            cut = keys_plan(self.plan, wants)
            if cut is None:
                self._keys[wants] = None
            else:
                statement = compile_plan(cut, self.limits.statement)
                self._keys[wants] = statement, binders(statement.parameters, self.secrets)
        return self._keys[wants]


@dataclass
class Operation:
    """An operation that is valid in a view."""

    view: View
    document: DocumentNode
    node: OperationDefinitionNode
    limits: DocumentLimits
    variables: Variables
    static: tuple[tuple[str, GraphQLInputType], ...]
    digest: str
    secrets: Secrets
    # Answers to introspection, of all operations together.
    introspected: Recent[tuple[Any, ...], Mapping[str, orjson.Fragment]]
    _compiled: Recent[tuple[Any, ...], Compiled] = field(default_factory=lambda: Recent(SHAPES))

    def compiled(self, values: Mapping[str, Any]) -> Compiled:
        """The plan for variables of this shape. Raises LimitExceeded when it, or its answer, may be too large."""
        shape = shape_of(values, self.static) if self.static else ()
        found = self._compiled.get(shape)
        if found is None:
            return self._compiled.put(shape, self._compile(values))
        for name in self.variables.lists:
            # The plan is the same however many codes are asked for; what the answer may hold is not.
            if _length_of(values, name) > found.priced[name]:
                cost_of(self.view.schema, self.document, self.node, values, self.limits)
                found.priced.update(self._lengths(values))
                break
        return found

    def _lengths(self, values: Mapping[str, Any]) -> dict[str, int]:
        return {name: _length_of(values, name) for name in self.variables.lists}

    def _compile(self, values: Mapping[str, Any]) -> Compiled:
        cost_of(self.view.schema, self.document, self.node, values, self.limits)
        plan = Planner(self.document, self.view, values, self.limits).plan(self.node)
        for root in plan.roots:
            codes = root.arguments.get("codes") if isinstance(root, Selected) else None
            if codes is not None and _length(codes) > self.variables.bulk:
                raise exceeded("bulk", self.variables.bulk)
        for selected in plan.selected():
            if len(selected.key) > LONGEST_KEY:
                raise LimitExceeded(
                    f"A response key may have at most {LONGEST_KEY} characters.",
                    limit="key",
                    maximum=LONGEST_KEY,
                )
        statement = compile_plan(plan, self.limits.statement) if plan.roots else None
        return Compiled(
            plan=plan,
            statement=statement,
            binders=binders(statement.parameters, self.secrets) if statement else (),
            disclosure=_disclosure(plan.withheld),
            classes=plan.disclosed(),
            at_most=plan.at_most(),
            order=plan.keys,
            secrets=self.secrets,
            limits=self.limits,
            priced=self._lengths(values),
        )

    def introspection(self, plan: Plan, values: Mapping[str, Any]) -> Mapping[str, orjson.Fragment]:
        """The answer to the introspection of `plan`, from the schema of the view and nothing else, as JSON by key.

        Made once: graphql-core takes some tenths of a second for a whole schema, in which nobody else is answered.
        """
        # The values are coerced already. Introspection takes truth values and names of types only, which stay as they are.
        types = {
            argument.value.name.value
            for node in plan.introspection
            for argument in node.arguments or ()
            if isinstance(argument.value, VariableNode)
        }
        given = {name: value for name, value in values.items() if name in types or isinstance(value, bool)}
        name = self.node.name.value if self.node.name else None
        key = (self.view.digest, self.digest, name, *given.items())
        found = self.introspected.get(key)
        if found is None:
            told = self._introspect(plan, given)
            found = {field: orjson.Fragment(value) for field, value in told.items()}
            # What names no type may be anything, a person's number too: it is not kept, and costs nothing.
            if all(given.get(one) in self.view.schema.type_map for one in types):
                self.introspected.put(key, found, _KEY_WEIGHT + sum(map(len, told.values())))
        return found

    def _introspect(self, plan: Plan, given: Mapping[str, Any]) -> Mapping[str, bytes]:
        fragments = tuple(one for one in self.document.definitions if isinstance(one, FragmentDefinitionNode))
        variables = tuple(
            one for one in self.node.variable_definitions or () if one.variable.name.value in given
        )
        asked = OperationDefinitionNode(
            operation=OperationType.QUERY,
            name=NameNode(value="Introspection"),
            variable_definitions=variables,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(plan.introspection)),
        )
        result = execute_sync(
            self.view.schema,
            DocumentNode(definitions=(asked, *fragments)),
            variable_values=dict(given),
        )
        return {field: orjson.dumps(value) for field, value in (result.data or {}).items()}


def _length(codes: Ref) -> int:
    """How many codes stand in the document; those of a variable were counted with its value."""
    if isinstance(codes, Listed):
        return len(codes.members)
    return len(codes.value) if isinstance(codes, Constant) and isinstance(codes.value, list) else 0


def _length_of(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name)
    return len(value) if isinstance(value, list) else 0


def _disclosure(withheld: tuple[Withheld, ...]) -> bytes:
    """The extension that says what is not in full, and why; coordinates with the same reason stand together."""
    grouped: dict[tuple[str, str, str | None, str, str | None], list[str]] = {}
    for one in withheld:
        why = (one.data_class, one.level, one.scope, one.reason, one.legal_basis)
        grouped.setdefault(why, []).append(one.coordinate)
    told = [
        {
            "coordinates": coordinates,
            "dataClass": data_class,
            "level": level,
            "scope": scope,
            "reason": reason,
            "legalBasis": basis,
        }
        for (data_class, level, scope, reason, basis), coordinates in grouped.items()
    ]
    return b',"disclosure":' + orjson.dumps(told) if told else b""


class Operations:
    """All operations made ready in this process."""

    def __init__(self, secrets: Secrets, kept: int = KEPT_CHARACTERS) -> None:
        """Keep those ready that were used last, of `kept` characters together."""
        self._secrets = secrets
        self._known: Recent[tuple[str, DocumentLimits, int, str, str | None], Operation | HubError] = Recent(
            kept
        )
        self._introspected: Recent[tuple[Any, ...], Mapping[str, orjson.Fragment]] = Recent(
            KEPT_INTROSPECTION
        )

    def ready(self, view: View, limits: DocumentLimits, bulk: int, text: str, name: str | None) -> Operation:
        """The operation that a request means, in `view`.

        Raises what parsing, the limits or validation refuse; a refusal is remembered as an operation is.
        """
        key = (view.digest, limits, bulk, text, name)
        known = self._known.get(key)
        if known is None:
            try:
                known = self._prepare(view, limits, bulk, text, name)
            except HubError as refusal:
                # Without its traceback, which holds the document and much else.
                known = refusal.again()
            if len(text) <= limits.document_bytes:
                self._known.put(key, known, len(text))
        if isinstance(known, HubError):
            raise known.again()
        return known

    def _prepare(
        self, view: View, limits: DocumentLimits, bulk: int, text: str, name: str | None
    ) -> Operation:
        document = parse_document(text, limits)
        check_limits(document, limits)
        node = operation_of(document, name)
        if view.schema.get_root_type(node.operation) is None:
            # The same words whether the hub has no such operations or this caller may do none of them.
            message = f"The schema has no {node.operation.value} operations."
            raise ValidationFailed(errors=[{"message": message}])
        errors = validate_in(view.schema, document)
        if errors:
            raise ValidationFailed(errors=[error.formatted for error in errors])
        return Operation(
            view=view,
            document=document,
            node=node,
            limits=limits,
            variables=Variables(view.schema, node, bulk),
            static=static_variables(node, view),
            digest=hashlib.new("sm3", text.encode()).hexdigest(),
            secrets=self._secrets,
            introspected=self._introspected,
        )
