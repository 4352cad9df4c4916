"""Variables and context → the parameters of a statement: coerced once by compiled functions, converted, bound."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from graphql import (
    GraphQLSchema,
    NamedTypeNode,
    OperationDefinitionNode,
    TypeNode,
    get_variable_values,
    type_from_ast,
)

from hub.errors import BadUserInput, LimitExceeded
from hub.query import cursors
from hub.query.document import shortened
from hub.query.ids import OPAQUE, class_key, opened
from hub.query.parameters import (
    PERSON_SCHEMES,
    Context,
    Conversion,
    FromCommand,
    FromContext,
    FromRef,
    FromRows,
    Seal,
    Source,
)
from hub.query.plan import Constant, Listed, Ref, Variable, value_of
from hub.rights.identity import LEEWAY
from schema.identifiers import InvalidIdentifier, are_plain_usccs, fold, is_plain_uscc, is_uscc, parse_uscc
from schema.scalars import DATE

# Codes of these schemes are shorter than a USCC, so the store has none of it under them. Since 三证合一 it is the taxpayer's
# number, too (2.1), and who asks for it so must not be told that nobody has it.
_SHORTER_THAN_USCC = frozenset({"ORG_CODE", "BUSINESS_REG_NO", "TAXPAYER_ID", "CUSTOMS_CODE"})
# Values in a list of a filter.
LONGEST_LIST = 500
# A clock that may be so far ahead when it dates a token may be so when it says now.
_LEEWAY = timedelta(seconds=LEEWAY)


@dataclass(slots=True)
class Request:
    """What a request brings to its statement."""

    values: Mapping[str, Any]
    view_digest: str
    today: date
    now: datetime
    partner: str
    partner_class: str
    regions: Sequence[str]
    self_code: str | None
    own_source: str | None
    purpose: str
    unvouched: Sequence[str]
    unvouched_by_source: Sequence[str]
    rows: dict[FromRows, bytes] = field(default_factory=dict)
    # Response key → public ids of what its command made.
    made: dict[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Secrets:
    """The keys a request is bound with."""

    cursor: bytes
    # Digest of a person's number (HMAC-SM3), under which it stands in the store.
    digest_person_id: Callable[[str], str]
    # Of which the keys of the partner classes' ids are made.
    ids: bytes

    def id_key(self, partner_class: str) -> bytes:
        """The key under which a partner class sees the ids of what is about natural persons."""
        return class_key(self.ids, partner_class)


Binder = Callable[[Request], Any]


def binders(parameters: Sequence[Source], secrets: Secrets) -> tuple[Binder, ...]:
    """One function for each parameter."""
    return tuple(_binder(one, secrets) for one in parameters)


def _binder(source: Source, secrets: Secrets) -> Binder:
    match source:
        case FromContext(Context.ID_KEY):
            return lambda request: secrets.id_key(request.partner_class)
        case FromContext(name):
            return _CONTEXT[name]
        case FromRows():
            return lambda request: request.rows[source].decode()
        case FromCommand(key):
            return lambda request: request.made[key]
        case Seal():
            return lambda request: _seal_key(source, request, secrets)
        case FromRef():
            read = _reader(source.ref)
            convert = _conversion(source, secrets)
            return read if convert is None else _converted(source.ref, read, convert)
    raise AssertionError(source)


_CONTEXT: dict[Context, Binder] = {
    Context.TODAY: lambda request: request.today,
    Context.NOW: lambda request: request.now,
    Context.PARTNER: lambda request: request.partner,
    Context.REGIONS: lambda request: request.regions,
    Context.SELF: lambda request: request.self_code,
    Context.OWN_SOURCE: lambda request: request.own_source,
    Context.PURPOSE: lambda request: request.purpose,
    Context.UNVOUCHED: lambda request: request.unvouched,
    Context.UNVOUCHED_BY_SOURCE: lambda request: request.unvouched_by_source,
}


def _reader(ref: Ref) -> Binder:
    match ref:
        case Constant(value):
            return lambda _: value
        case Variable((name,)):
            return lambda request: request.values[name]
        case Variable(path):
            return lambda request: _member(request.values, path)
        case Listed(members):
            readers = [_reader(member) for member in members]
            return lambda request: [read(request) for read in readers]
    raise AssertionError(ref)


def _member(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values


def _converted(ref: Ref, read: Binder, convert: Callable[[Any, Request], Any]) -> Binder:
    """What `convert` makes of the value; a refusal names the variable, as of many alike nobody else knows which it is."""

    def converted(request: Request) -> Any:
        try:
            return convert(read(request), request)
        except BadUserInput as refusal:
            if isinstance(ref, Variable):
                refusal.extensions["variable"] = ref.path[0]
            raise

    return converted


def _conversion(source: FromRef, secrets: Secrets) -> Callable[[Any, Request], Any] | None:
    match source.conversion:
        case Conversion.NONE:
            return None
        case Conversion.DECIMAL:
            return lambda value, _: Decimal(value)
        case Conversion.PAST:
            return lambda value, request: _past(value, request.now)
        case Conversion.ID_LETTER:
            return lambda value, _: value[0] if OPAQUE.fullmatch(value) else None
        case Conversion.ID_UUID:
            return lambda value, _: value[1:] if OPAQUE.fullmatch(value) else None
        case Conversion.ID_OPENED:
            return lambda value, request: (
                opened(value[1:], secrets.id_key(request.partner_class)) if OPAQUE.fullmatch(value) else None
            )
        case Conversion.IDENTIFIER:
            return lambda value, _: kept_identifier(source.scheme, value, secrets)
        case Conversion.CURSOR_SORT | Conversion.CURSOR_KEY:
            seal = source.seal
            assert seal is not None
            part = 0 if source.conversion is Conversion.CURSOR_SORT else 1
            return lambda value, request: _place(value, _seal_key(seal, request, secrets))[part]
    raise AssertionError(source)


def _past(moment: datetime, now: datetime) -> datetime:
    """`moment`, or now where the caller's clock is a little ahead. BadUserInput: nobody knows anything of it yet."""
    if moment > now + _LEEWAY:
        raise BadUserInput("This moment has not come yet: nothing is known of it.", argument="asOf")
    return min(moment, now)


def kept_identifier(scheme: str, value: str, secrets: Secrets) -> str:
    """`value` as it stands in the store, of a person's number the digest. BadUserInput: it is none of its scheme."""
    if scheme == "USCC":
        if is_plain_uscc(value):
            return value
        try:
            return parse_uscc(value).code
        except InvalidIdentifier as problem:
            raise BadUserInput(
                f"Not a unified social credit code: {problem.reason}", argument="value"
            ) from None
    if len(value) > 64:
        raise BadUserInput("The identifier is too long.", argument="value")
    if scheme in _SHORTER_THAN_USCC and is_uscc(value):
        raise BadUserInput(
            "This is a unified social credit code: ask for it under the scheme USCC.", argument="value"
        )
    # A code is written MA75ABCD-1, or in full width, as on papers: the store has it folded (2.1, 2.2).
    return secrets.digest_person_id(value) if scheme in PERSON_SCHEMES else fold(value)


def _seal_key(seal: Seal, request: Request, secrets: Secrets) -> bytes:
    """The key of a page's cursors: another caller, view or filter has another, and so has each subject of one partner."""
    arguments = [[name, value_of(ref, request.values)] for name, ref in seal.arguments]
    said = orjson.dumps(
        [request.partner, request.self_code, request.view_digest, seal.relation, arguments], default=str
    )
    return hmac.digest(secrets.cursor, said, "sha256")


def _place(cursor: str, key: bytes) -> tuple[date, str]:
    """The place in a cursor that this hub sealed for this caller and page; else BadUserInput."""
    place = cursors.opened(cursor, key)
    if place is None:
        raise BadUserInput("This cursor was not given to this caller for this page.", argument="after")
    return place


class Variables:
    """Coerces the variables of one operation; common scalars by compiled functions, the rest by graphql-core."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, bulk: int) -> None:
        """`bulk`: the longest list a caller may send."""
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self.bulk = bulk
        # The variables whose value may stand in the document.
        self.defaults = frozenset(
            one.variable.name.value for one in self._definitions if one.default_value is not None
        )
        # Those that take a list.
        self.lists = tuple(
            one.variable.name.value
            for one in self._definitions
            if str(type_from_ast(schema, one.type)).startswith("[")
        )
        # Only lists of codes are bulk checks; no other list has a reason to be long.
        self._longest = {
            one.variable.name.value: bulk if _named(one.type) == "USCC" else LONGEST_LIST
            for one in self._definitions
        }
        quick = [
            (one.variable.name.value, _quick(str(type_from_ast(schema, one.type))))
            for one in self._definitions
            if one.default_value is None
        ]
        self._quick = quick if len(quick) == len(self._definitions) and all(f for _, f in quick) else None

    def coerce(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The coerced values. Raises BadUserInput naming the variable, LimitExceeded for too long a list."""
        values = self._coerced_quickly(given)
        if values is None:
            values = self._coerced(given)
        self._check_lengths(values)
        return values

    def _check_lengths(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            longest = self._longest.get(name, LONGEST_LIST)
            if isinstance(value, list) and len(value) > longest:
                raise LimitExceeded(
                    f"A list may hold at most {longest} values.", limit="bulk", maximum=longest
                )

    def _coerced_quickly(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values, or None where graphql-core must look: to coerce them, or to say what is wrong."""
        if self._quick is None or len(given) != len(self._quick):
            return None
        values = {}
        for name, coerce in self._quick:
            assert coerce is not None
            value = coerce(given.get(name))
            if value is None:
                return None
            values[name] = value
        return values

    def _coerced(self, given: Mapping[str, Any]) -> dict[str, Any]:
        # Refused before anything looks at each of its members.
        self._check_lengths(given)
        found = get_variable_values(
            self._schema, self._definitions, dict(given), max_errors=5, hide_suggestions=True
        )
        if isinstance(found, list):
            raise BadUserInput("; ".join(shortened(error.message) for error in found))
        return dict(found.coerced)


def _named(declared: TypeNode) -> str:
    while not isinstance(declared, NamedTypeNode):
        declared = declared.type  # type: ignore[attr-defined]
    return declared.name.value


def _quick(declared: str) -> Callable[[Any], Any] | None:
    return {
        "String!": _string,
        "ID!": _string,
        "Date!": _date,
        "USCC!": _code,
        "[USCC!]!": _codes,
    }.get(declared)


def _string(value: Any) -> str | None:
    return value if type(value) is str else None


def _date(value: Any) -> date | None:
    if type(value) is not str or not DATE.match(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _code(value: Any) -> str | None:
    if type(value) is not str:
        return None
    if is_plain_uscc(value):
        return value
    try:
        return parse_uscc(value).code
    except InvalidIdentifier:
        return None


def _codes(value: Any) -> list[str] | None:
    if type(value) is not list:
        return None
    if all(type(one) is str for one in value) and are_plain_usccs(value):
        return value
    codes = [_code(one) for one in value]
    return None if None in codes else codes  # type: ignore[return-value]
