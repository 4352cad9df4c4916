"""GraphQL documents: parsed and limited in linear time, validated in the schema of one caller.

The gateway's order is parse_document, check_limits, operation_of, validate_in, and once the variables are known
cost_of (hub/query/cost.py), the plan and its statement. Each step refuses before the next, dearer one begins, so
that a document of 16 KB costs at most some 25 ms of CPU whatever it holds. Fragments count as often as they are
spread, but are walked once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
)
from graphql.validation import (
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    FragmentsOnCompositeTypesRule,
    KnownDirectivesRule,
    KnownFragmentNamesRule,
    NoFragmentCyclesRule,
    NoUnusedFragmentsRule,
    OverlappingFieldsCanBeMergedRule,
    PossibleFragmentSpreadsRule,
    StreamDirectiveOnListField,
    UniqueDirectivesPerLocationRule,
    UniqueFragmentNamesRule,
    ValuesOfCorrectTypeRule,
)
from graphql.validation.validate import ValidationAbortedError

from hub.errors import BadUserInput, LimitExceeded, SyntaxRefused, ValidationFailed
from hub.query.overlap import Overlaps
from hub.query.validation import Rules, validate
from hub.rights.matrix import PartnerLimits

MAX_ERRORS: Final = 20
MAX_MESSAGE: Final = 300
# Each of these prints the whole literal before it is shortened, so they are the dearest errors.
MAX_VALUE_ERRORS: Final = 2
# Names and values of the caller's are repeated to it no longer than this.
MAX_ECHO: Final = 40
# Fields and spreads that the merging check may touch; one without fragments needs twice its own.
MERGING_BUDGET: Final = 12_000
# Counts stop here: doubled fragments would make them longer than the machine's words.
SATURATED: Final = 10**9

# Root fields of introspection; the schema has no others of these names.
INTROSPECTING: Final = frozenset({"__schema", "__type"})
_INCREMENTAL: Final = frozenset({"defer", "stream"})
_INCREMENTAL_RULES: Final = frozenset(
    {
        DeferStreamDirectiveLabel,
        DeferStreamDirectiveOnRootField,
        DeferStreamDirectiveOnValidOperationsRule,
        StreamDirectiveOnListField,
    }
)


class _FewValueErrors(ValuesOfCorrectTypeRule):
    """graphql-core's rule of literal values, which ends the validation after MAX_VALUE_ERRORS."""

    reported = 0

    def report_error(self, error: GraphQLError) -> None:
        super().report_error(error)
        self.reported += 1
        if self.reported == MAX_VALUE_ERRORS:
            raise ValidationAbortedError("Too many wrong values. Validation aborted.")


# graphql-core's rules without the quadratic one, which hub/query/overlap.py replaces.
_RULES: Final = tuple(
    _FewValueErrors if rule is ValuesOfCorrectTypeRule else rule
    for rule in specified_rules
    if rule is not OverlappingFieldsCanBeMergedRule
)
# Rules that speak only of what most documents do not hold: each one costs at every node.
_OF_FRAGMENTS: Final = frozenset(
    {
        FragmentsOnCompositeTypesRule,
        KnownFragmentNamesRule,
        NoFragmentCyclesRule,
        NoUnusedFragmentsRule,
        PossibleFragmentSpreadsRule,
        UniqueFragmentNamesRule,
    }
)
_OF_DIRECTIVES: Final = frozenset({KnownDirectivesRule, UniqueDirectivesPerLocationRule})

_LONG_WORD: Final = re.compile(rf"[^\s'\"]{{{MAX_ECHO + 1},}}")
_LONG_QUOTE: Final = re.compile(rf"\"[^\"]{{{MAX_ECHO + 1},}}\"?")
# "Variable '$a' has invalid value: …": words of ours follow, not yet the value.
_LONG_VALUE: Final = re.compile(rf"(\b(?<!invalid )value: |\bfound:? )(.{{{MAX_ECHO}}}).+", re.DOTALL)
# An exception that is not GraphQL's own, while a scalar was read: its words are not for callers.
_FOREIGN_ERROR: Final = re.compile(r",? but encountered error .+", re.DOTALL)
_LIMIT_MESSAGES: Final = (
    ("Syntax Error: Document contains more than", "tokens"),
    ("Syntax Error: Document is nested too deeply", "nesting"),
)
# How deep graphql-core's parser follows brackets of any kind.
_PARSER_NESTING: Final = 200


@dataclass(frozen=True)
class DocumentLimits:
    """What a document may hold at most; a partner's agreement narrows it.

    Fields, aliases and directives are counted twice and must keep within the limit both times: per operation
    with fragments expanded, and as written over the whole document. `depth` counts nested fields, a root
    field being 1.
    """

    tokens: int = 1000
    depth: int = 15
    aliases: int = 60
    directives: int = 60
    fields: int = 600
    root_fields: int = 20
    # `__schema` and `__type`, answered by graphql-core, which takes long for each; GraphiQL asks one.
    introspection: int = 2
    # Fields as they are planned: one of an interface is one in each type that the object may be of.
    fields_by_type: int = 400
    # Characters of the SQL that they become.
    statement: int = 50_000
    fragments: int = 50
    operations: int = 10
    variables: int = 100
    # Objects that an answer may hold, see cost_of.
    cost: int = 50_000
    # The largest `first`.
    page: int = 100
    # UTF-8 bytes.
    document_bytes: int = 16 * 1024
    # Finding the line of an error reads the document from its beginning, so lines are bounded too.
    lines: int = 2000

    @classmethod
    def of(cls, agreed: PartnerLimits) -> DocumentLimits:
        """The limits of a caller: those that its agreement sets, and the general ones."""
        return cls(
            tokens=agreed.tokens,
            depth=agreed.depth,
            aliases=agreed.aliases,
            fragments=agreed.fragments,
            cost=agreed.cost,
            page=agreed.page,
        )

    def __hash__(self) -> int:
        """Made once: limits are part of the key under which each request finds its document."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(astuple(self))


@dataclass(frozen=True)
class _Size:
    """The size of one operation with its fragments expanded; counts saturate at SATURATED."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    variables: int = 0
    introspection: int = 0


def parse_document(text: str, limits: DocumentLimits) -> DocumentNode:
    """Parse an executable document of at most `limits.document_bytes`, `lines` and `tokens`.

    Raises SyntaxRefused (with `locations` of GraphQL's form where there is one) when it is not GraphQL, and
    LimitExceeded with `limit` and `maximum` when it is too large.
    """
    # A character has at least one byte, so long texts are not encoded.
    if len(text) > limits.document_bytes:
        raise exceeded("document_bytes", limits.document_bytes)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise SyntaxRefused("Syntax Error: The document is not valid Unicode.") from None
    if size > limits.document_bytes:
        raise exceeded("document_bytes", limits.document_bytes)
    if text.count("\n") + text.count("\r") >= limits.lines:
        raise exceeded("lines", limits.lines)
    try:
        return parse(
            text,
            max_lexical_tokens=limits.tokens,
            max_comments=limits.tokens,
            allow_empty_selection_sets=False,
        )
    except GraphQLSyntaxError as error:
        for beginning, limit in _LIMIT_MESSAGES:
            if error.message.startswith(beginning):
                maximum = limits.tokens if limit == "tokens" else _PARSER_NESTING
                raise exceeded(limit, maximum) from None
        locations = [location.formatted for location in error.locations or ()]
        raise SyntaxRefused(shortened(error.message), locations=locations) from None


def check_limits(document: DocumentNode, limits: DocumentLimits) -> None:
    """Refuse a document of which any operation, or the whole, is larger than `limits` allow.

    Raises LimitExceeded with `limit` and `maximum`, ValidationFailed when fragments form a cycle. Takes time
    linear in the document and needs no schema: call it before validate_in.
    """
    definitions = document.definitions
    operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
    fragments = [node for node in definitions if isinstance(node, FragmentDefinitionNode)]
    _at_most("operations", len(operations), limits.operations)
    _at_most("fragments", len(fragments), limits.fragments)
    asked, spread = [_walk(node) for node in operations], [_walk(node) for node in fragments]
    written = [walk.own for walk in (*asked, *spread)]
    _at_most("fields", sum(own.fields for own in written), limits.fields)
    _at_most("aliases", sum(own.aliases for own in written), limits.aliases)
    _at_most("directives", sum(own.directives for own in written), limits.directives)
    expanded = _expanded_fragments(
        {node.name.value: walk for node, walk in zip(fragments, spread, strict=True)}
    )
    for walk in asked:
        _check(_expanded(walk, expanded), limits)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation that a request means: the named one, or the only one.

    Raises BadUserInput when there is none, none of that name, or no name although there are several.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name:
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        raise BadUserInput(
            "The document has no operation of the name in operationName.", argument="operationName"
        )
    if len(operations) == 1:
        return operations[0]
    if not operations:
        raise BadUserInput("The document has no operation.", argument="query")
    raise BadUserInput(
        "The document has several operations: say which in operationName.", argument="operationName"
    )


def validate_in(
    schema: GraphQLSchema, document: DocumentNode, merging_budget: int = MERGING_BUDGET
) -> tuple[GraphQLError, ...]:
    """Validate the document in `schema`, which holds only what the caller may see; no errors: it is valid.

    At most MAX_ERRORS errors, each of at most MAX_MESSAGE characters and without suggestions. Selections that
    cannot be merged are looked for once everything else is right; LimitExceeded when that is too much work.
    """
    # The last one says that there are more.
    errors = validate(schema, document, _rules_for(schema, document), MAX_ERRORS - 1)
    if not errors:
        errors = Overlaps(schema, document, merging_budget).conflicts(MAX_ERRORS)
    for error in errors:
        error.message = shortened(error.message)
        error.args = (error.message,)
    return tuple(errors)


def _rules_for(schema: GraphQLSchema, document: DocumentNode) -> Rules:
    """The rules that the document could break."""
    # A string that holds these signs only has more rules looked at.
    text = document.loc.source.body if document.loc else "...@"
    has_fragments = "..." in text or any(
        isinstance(one, FragmentDefinitionNode) for one in document.definitions
    )
    # In a schema without @defer and @stream these directives are unknown, which KnownDirectivesRule says.
    incremental = any(directive.name in _INCREMENTAL for directive in schema.directives)
    return _rules(has_fragments, "@" in text, incremental)


@cache
def _rules(fragments: bool, directives: bool, incremental: bool) -> Rules:
    left_out = (
        (frozenset() if fragments else _OF_FRAGMENTS)
        | (frozenset() if directives else _OF_DIRECTIVES)
        | (frozenset() if directives and incremental else _INCREMENTAL_RULES)
    )
    return tuple(rule for rule in _RULES if rule not in left_out)


def shortened(message: str) -> str:
    """Cut a message of graphql-core to what may be answered: no suggestion, and nothing long repeated."""
    words = " ".join(message.partition(" Did you mean ")[0].split())
    words = _FOREIGN_ERROR.sub(".", words)
    words = _LONG_VALUE.sub(r"\1\2…", words)
    words = _LONG_QUOTE.sub(lambda quote: f'{quote[0][: MAX_ECHO + 1]}…"', words)
    words = _LONG_WORD.sub(lambda word: f"{word[0][:MAX_ECHO]}…", words)
    return words if len(words) <= MAX_MESSAGE else f"{words[: MAX_MESSAGE - 1]}…"


@dataclass(frozen=True)
class _Walk:
    """What is written in one definition: its own size, and the spreads with the depth they stand at."""

    own: _Size
    spreads: tuple[tuple[str, int], ...]


def _walk(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Walk:
    fields = aliases = root_fields = introspection = deepest = 0
    directives = len(definition.directives or ())
    variables = definition.variable_definitions or ()
    for variable in variables:
        directives += len(variable.directives or ())
    spreads: list[tuple[str, int]] = []
    pending: list[tuple[SelectionSetNode, int]] = [(definition.selection_set, 0)]
    while pending:
        selection_set, depth = pending.pop()
        for node in selection_set.selections:
            directives += len(node.directives or ())
            if isinstance(node, FragmentSpreadNode):
                spreads.append((node.name.value, depth))
            elif isinstance(node, FieldNode):
                fields += 1
                aliases += node.alias is not None
                root_fields += depth == 0
                introspection += depth == 0 and node.name.value in INTROSPECTING
                deepest = max(deepest, depth + 1)
                if node.selection_set:
                    pending.append((node.selection_set, depth + 1))
            elif isinstance(node, InlineFragmentNode):
                pending.append((node.selection_set, depth))
    own = _Size(deepest, fields, aliases, directives, root_fields, len(variables), introspection)
    return _Walk(own, tuple(spreads))


def _expanded(walk: _Walk, fragments: Mapping[str, _Size]) -> _Size:
    own = walk.own
    depth, fields, aliases = own.depth, own.fields, own.aliases
    directives, root_fields, introspection = own.directives, own.root_fields, own.introspection
    for name, at in walk.spreads:
        # Unknown fragments are validation's to report.
        if inner := fragments.get(name):
            depth = max(depth, at + inner.depth)
            fields += inner.fields
            aliases += inner.aliases
            directives += inner.directives
            root_fields += inner.root_fields if at == 0 else 0
            introspection += inner.introspection if at == 0 else 0
    return _Size(
        depth,
        min(fields, SATURATED),
        min(aliases, SATURATED),
        min(directives, SATURATED),
        min(root_fields, SATURATED),
        own.variables,
        min(introspection, SATURATED),
    )


def _expanded_fragments(walks: Mapping[str, _Walk]) -> Mapping[str, _Size]:
    """The size of every fragment, those it spreads first; raises ValidationFailed when there is a cycle."""
    done: dict[str, _Size] = {}
    entered: set[str] = set()
    for root in walks:
        pending = [root]
        while pending:
            name = pending[-1]
            if name in done:
                pending.pop()
                continue
            missing = [inner for inner, _ in walks[name].spreads if inner in walks and inner not in done]
            if missing:
                entered.add(name)
                if any(inner in entered for inner in missing):
                    raise ValidationFailed("Fragments must not spread each other in a cycle.")
                pending.extend(dict.fromkeys(missing))
            else:
                done[name] = _expanded(walks[name], done)
                pending.pop()
                entered.discard(name)
    return done


def _check(size: _Size, limits: DocumentLimits) -> None:
    _at_most("depth", size.depth, limits.depth)
    _at_most("fields", size.fields, limits.fields)
    _at_most("aliases", size.aliases, limits.aliases)
    _at_most("directives", size.directives, limits.directives)
    _at_most("root_fields", size.root_fields, limits.root_fields)
    _at_most("variables", size.variables, limits.variables)
    _at_most("introspection", size.introspection, limits.introspection)


def _at_most(limit: str, count: int, maximum: int) -> None:
    if count > maximum:
        raise exceeded(limit, maximum)


def exceeded(limit: str, maximum: int, asked: int | None = None) -> LimitExceeded:
    """Return the error of a document over one of its limits; `asked`: what it comes to, where that is known."""
    known = {} if asked is None else {"asked": asked}
    comes_to = "" if asked is None else f"; this one comes to {asked}"
    return LimitExceeded(
        f"The document exceeds a limit: {limit.replace('_', ' ')}, at most {maximum}{comes_to}.",
        limit=limit,
        maximum=maximum,
        **known,
    )
