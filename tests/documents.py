"""Random valid documents of a schema: fragments of all kinds, aliases that take other fields' names, variables,
directives, filters, orders, pages, cursors, refetched objects and introspection, mixed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from hub.rights.view import View
from schema.checks import organization_check, uscc_check
from tests.worlds import TODAY, World

# The most that a document may hold, well within the limits of the narrowest partner class.
FIELDS, DEPTH, ALIASES, PRICE = 60, 9, 14, 2000
# Roots that lead to rows are asked more often than the others.
ROOTS = ("subject",) * 5 + ("subjects", "records", "listEntries", "node", "matchSubjects") * 2
INTROSPECTION = (
    "__schema { queryType { name } types { name kind fields { name args { name } } enumValues { name } inputFields { name } } }",
    '__type(name: "Organization") { name fields { name } interfaces { name } possibleTypes { name } }',
    '__type(name: "NaturalPerson") { name fields { name type { name } } }',
    "__schema { __typename directives { name } }",
)  # fmt: skip
# The types that the reference can answer; fields of other types (casework) are not asked.
TYPES = frozenset(
    (
        "Query", "Node", "CreditSubject", "Organization", "IndividualBusiness", "NaturalPerson", "CreditRecord",
        "AdministrativeLicense", "AdministrativePenalty", "GenericCreditRecord", "RecordConnection", "RecordEdge",
        "PageInfo", "ListEntry", "ListEntryConnection", "ListEntryEdge", "CreditListDefinition", "ExternalGrade",
        "CreditArchive", "PublicAnomaly", "RecordItem", "Identifier", "FormerName", "Contact", "CreditSummary", "Provenance",
        "Authority", "Source", "Me", "ClassAccess", "Explanation", "SubjectCandidate",
    )
)  # fmt: skip
# Names that the statement might use for itself.
ODD_NAMES = (
    "d", "value", "rn", "subjects", "o1", "c2", "t3", "s1", "r0", "r", "q", "kind", "public_id", "subject_id", "o",
    "id", "title", "displayName", "__x", "node", "b1", "f", "z", "one", "data", "k",
)  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """Values worth asking with: those of a world, and some that nothing has."""

    codes: Sequence[str]
    ids: Sequence[str]
    identifiers: Sequence[tuple[str, str]]
    names: Sequence[str]
    numbers: Sequence[str]
    authorities: Sequence[str]
    # What `explain` may be asked about.
    coordinates: Sequence[str]
    purposes: Sequence[str]
    explained: Sequence[str]


def pool_of(
    world: World, coordinates: Sequence[str], purposes: Sequence[str], explained: Sequence[str]
) -> Pool:
    """The values of `world`; coordinates, purposes and codes are those that may be explained to the caller."""
    letters = {"subject": "s", "record": "r", "list_entry": "l", "grade": "g"}
    subjects = world.tables["subject"]
    first = f"91630100{'0' * 7}1"
    first += organization_check(first[8:])
    absent = first + uscc_check(first)
    return Pool(
        codes=[*(row["uscc"] for row in subjects if row["uscc"]), absent],
        ids=[
            *(letter + row["public_id"] for table, letter in letters.items() for row in world.tables[table]),
            "s" + "0" * 32,
            "nonsense",
        ],
        identifiers=[
            *((one["scheme"], one["value"]) for one in world.tables["identifier"] if len(one["value"]) < 64),
            *(("RESIDENT_ID", number) for number in world.numbers.values()),
            ("RESIDENT_ID", "630102199001010000"),
            ("CUSTOMS_CODE", "0000000000"),
        ],
        names=[
            row["display_name"]
            for row in (*subjects, *world.tables["registration"])
            if len(row["display_name"]) > 1
        ],
        numbers=[row["document_number"] for row in world.tables["record"] if row["document_number"]],
        authorities=[row["authority_uscc"] for row in world.tables["record"] if row["authority_uscc"]],
        coordinates=coordinates,
        purposes=purposes,
        explained=explained,
    )


@dataclass(frozen=True)
class Document:
    """A request: its text, variables and operation name, and the variables that may carry a cursor."""

    text: str
    variables: Mapping[str, Any]
    name: str | None
    # Variable → response key under which a first answer tells the cursor to go on from.
    cursors: Mapping[str, str]

    def going_on(self, data: Any) -> Document | None:
        """The same document from the cursors in its first answer on; None when there are none."""
        found = {variable: cursor for variable, key in self.cursors.items() if (cursor := _first(data, key))}
        return Document(self.text, {**self.variables, **found}, self.name, {}) if found else None

    def __str__(self) -> str:
        """As a person would try it."""
        return f"{self.text}\n# variables {json.dumps(self.variables, ensure_ascii=False)}\n# operation {self.name}"


def _first(data: Any, key: str) -> str | None:
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in members:
        found = value if name == key and isinstance(value, str) else _first(value, key)
        if found is not None:
            return found
    return None


def documents(schema: GraphQLSchema, pool: Pool) -> st.SearchStrategy[Document]:
    """Documents that are valid in `schema`."""

    @st.composite
    def made(draw: st.DrawFn) -> Document:
        def number(least: int, most: int) -> int:
            return draw(st.integers(least, most))

        # Choice by choice a failing document can be made small; from one number they are more varied.
        if draw(st.integers(0, 3)):
            return Writer(schema, pool, random.Random(draw(st.integers(0, 2**32 - 1))).randint).document()
        return Writer(schema, pool, number).document()

    return made()


@dataclass
class _Field:
    """What a response key means in a scope: fields under one key must be one, or of types that exclude each other."""

    parent: str
    signature: str
    type: str
    leaf: bool
    below: dict[str, list[_Field]] = field(default_factory=dict)


Scope = dict[str, list[_Field]]


@dataclass
class _Fragment:
    name: str
    on: str
    body: str
    scope: Scope
    fields: int
    price: int
    aliases: int
    depth: int


class Writer:
    """Writes one document, asking `number` for every choice."""

    def __init__(self, schema: GraphQLSchema, pool: Pool, number: Callable[[int, int], int]) -> None:
        """`number(least, most)` chooses."""
        self._schema = schema
        self._pool = pool
        self._number = number
        self._fields = FIELDS
        self._aliases = ALIASES
        self._price = PRICE
        self._fragments: list[_Fragment] = []
        self._declared: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._cursors: dict[str, str] = {}
        self._serial = 0
        # Fragments under way.
        self._open = 0

    def document(self) -> Document:
        """The document."""
        query = self._schema.query_type
        assert query is not None
        body = self._selections(query, {}, 0, 1)
        if self._chance(12):
            body = f"{body} {self._pick(INTROSPECTION)}"
        name = self._pick(("Ask", "Q")) if self._declared or self._chance(50) else None
        declared = ", ".join(self._declared.values())
        head = (
            f"query {name or ''}{f'({declared})' if declared else ''}"
            if name
            else "query"
            if self._chance(50)
            else ""
        )
        parts = [f"{head} {{ {body} }}"]
        parts += [f"fragment {one.name} on {one.on} {{ {one.body} }}" for one in self._fragments]
        if name is not None and self._chance(8):
            parts.append("query Other { me { partner } }")
        elif name is not None and self._chance(50):
            name = None
        if self._chance(30):
            parts.reverse()
        return Document("\n".join(parts).strip(), self._values, name, self._cursors)

    # ---- choices -----------------------------------------------------------------------------------------------

    def _chance(self, percent: int) -> bool:
        return self._number(1, 100) > 100 - percent

    def _pick(self, values: Sequence[Any]) -> Any:
        return values[self._number(0, len(values) - 1)]

    def _name(self, letter: str) -> str:
        self._serial += 1
        return f"{letter}{self._serial}"

    # ---- selections --------------------------------------------------------------------------------------------

    def _selections(self, parent: GraphQLNamedType, scope: Scope, depth: int, factor: int) -> str:
        """The inside of a selection set on `parent`; `factor`: how many such objects there may be."""
        written: list[str] = []
        if not scope and self._fragments and self._chance(35):
            again = self._again(parent, scope, depth, factor)
            written += [again] if again else []
        narrow = isinstance(parent, GraphQLInterfaceType)
        for _ in range(self._number(1, 3 if depth else 4)):
            if self._fields <= 0:
                break
            kind = self._number(0, 99)
            if kind < 6:
                written.append(self._typename(parent, scope))
            elif kind < (40 if narrow else 12):
                written.append(self._inline(parent, scope, depth, factor))
            elif kind < (52 if narrow else 20) and len(self._fragments) + self._open < 7:
                written.append(self._named(parent, scope, depth, factor))
            else:
                written.append(self._field(parent, scope, depth, factor))
        written += self._leaves(parent, scope)
        return " ".join(one for one in written if one) or self._typename(parent, scope)

    def _leaves(self, parent: GraphQLNamedType, scope: Scope) -> Sequence[str]:
        """Some plain fields at once: most of what is asked of a row."""
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        names = sorted(name for name, one in parent.fields.items() if is_leaf_type(get_named_type(one.type)))
        if not names or self._fields < 6:
            return ()
        chosen = dict.fromkeys(self._pick(names) for _ in range(self._number(0, min(6, len(names)))))
        return [
            self._keyed(parent, scope, name, "", str(parent.fields[name].type), name)[0] + self._directive(4)
            for name in chosen
            if not parent.fields[name].args
        ]

    def _typename(self, parent: GraphQLNamedType, scope: Scope) -> str:
        return self._keyed(parent, scope, "__typename", "", "String!", "__typename")[0]

    def _keyed(
        self, parent: GraphQLNamedType, scope: Scope, name: str, arguments: str, type_: str, usual: str, leaf: bool = True
    ) -> tuple[str, _Field]:  # fmt: skip
        """A field under a response key that agrees with what the scope holds already."""
        self._fields -= 1
        key = usual
        if self._aliases > 0 and self._chance(25):
            key = self._pick(ODD_NAMES) if self._chance(60) else self._pick(self._other_names(parent))
        wanted = _Field(parent.name, f"{name}{arguments}", type_, leaf)
        for _ in range(3):
            known = self._agreeing(scope.get(key, []), wanted)
            if known is not None:
                break
            key = self._name("a")
        else:
            raise AssertionError("a new name is always free")
        if known is wanted:
            scope.setdefault(key, []).append(wanted)
        alias = "" if key == name else f"{key}: "
        self._aliases -= bool(alias)
        return f"{alias}{name}{arguments}", known

    def _agreeing(self, held: Sequence[_Field], wanted: _Field) -> _Field | None:
        for one in held:
            if (one.parent, one.signature) == (wanted.parent, wanted.signature):
                return one
        apart = all(
            one.leaf and wanted.leaf and one.type == wanted.type and self._exclude(one.parent, wanted.parent)
            for one in held
        )
        return wanted if apart else None

    def _exclude(self, one: str, other: str) -> bool:
        both = (self._schema.type_map[one], self._schema.type_map[other])
        return one != other and all(isinstance(found, GraphQLObjectType) for found in both)

    def _other_names(self, parent: GraphQLNamedType) -> Sequence[str]:
        return (
            sorted(parent.fields)
            if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
            else ODD_NAMES
        )

    def _field(self, parent: GraphQLNamedType, scope: Scope, depth: int, factor: int) -> str:
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        names = sorted(name for name, one in parent.fields.items() if _known(one))
        roots = [one for one in ROOTS if one in names] if parent is self._schema.query_type else []
        name = self._pick(roots if roots and self._chance(75) else names)
        definition = parent.fields[name]
        leaf = is_leaf_type(get_named_type(definition.type))
        if not leaf and (depth >= DEPTH or self._fields < 3):
            leaves = [one for one in names if is_leaf_type(get_named_type(parent.fields[one].type))]
            if not leaves:
                return self._typename(parent, scope)
            name = self._pick(leaves)
            definition, leaf = parent.fields[name], True
        kept = (dict(self._declared), dict(self._values))
        arguments, size, cursor = self._arguments(f"{parent.name}.{name}", definition)
        if factor * size > self._price:
            self._declared, self._values = kept
            return self._typename(parent, scope)
        text, known = self._keyed(parent, scope, name, arguments, str(definition.type), name, leaf)
        directive = self._directive(10)
        if leaf:
            return text + directive
        self._price -= factor * size
        inner = self._selections(get_named_type(definition.type), known.below, depth + 1, factor * size)
        if cursor:
            key, page = self._name("zz"), self._name("page")
            inner += f" {page}: pageInfo {{ {key}: endCursor }}"
            self._cursors[cursor] = key
            self._fields -= 2
            self._aliases -= 2
        return f"{text}{directive} {{ {inner} }}"

    def _directive(self, percent: int) -> str:
        if not self._chance(percent):
            return ""
        name = self._pick(("include", "skip"))
        # Mostly what keeps the field.
        value = (name == "include") if self._chance(75) else name == "skip"
        return f" @{name}(if: {self._variable('Boolean', value) if self._chance(60) else str(value).lower()})"

    def _conditions(self, parent: GraphQLNamedType) -> Sequence[str]:
        """The types that a value of `parent` may be narrowed to."""
        found = {parent.name}
        possible = {parent.name}
        if isinstance(parent, GraphQLInterfaceType):
            possible = {one.name for one in self._schema.get_possible_types(parent)}
            found |= possible
        for one in possible:
            found |= {interface.name for interface in self._schema.type_map[one].interfaces}  # type: ignore[attr-defined]
        return sorted(found & TYPES)

    def _inline(self, parent: GraphQLNamedType, scope: Scope, depth: int, factor: int) -> str:
        condition = self._pick(self._conditions(parent)) if self._chance(85) else ""
        inside = self._schema.type_map[condition] if condition else parent
        body = self._selections(inside, scope, depth, factor)
        return f"...{f' on {condition}' if condition else ''}{self._directive(12)} {{ {body} }}"

    def _named(self, parent: GraphQLNamedType, scope: Scope, depth: int, factor: int) -> str:
        condition = self._pick(self._conditions(parent))
        before = (self._fields, self._price, self._aliases)
        kept = (len(self._fragments), dict(self._declared), dict(self._values), dict(self._cursors))
        self._open += 1
        # Written for an empty scope, so that it may be spread elsewhere too; then it must agree with this one.
        inside: Scope = {}
        body = self._selections(self._schema.type_map[condition], inside, depth, factor)
        fragment = _Fragment(
            self._name("F"), condition, body, inside, before[0] - self._fields, before[1] - self._price,
            before[2] - self._aliases, depth,
        )  # fmt: skip
        self._open -= 1
        if self._merged(scope, inside):
            self._fragments.append(fragment)
            return f"...{fragment.name}{self._directive(12)}"
        # It does not fit here, and neither it nor what only it used may stand in the document.
        del self._fragments[kept[0] :]
        _, self._declared, self._values, self._cursors = kept
        return ""

    def _again(self, parent: GraphQLNamedType, scope: Scope, depth: int, factor: int) -> str:
        """A spread of a fragment that stands elsewhere already."""
        usable = [
            one
            for one in self._fragments
            if one.on in self._conditions(parent)
            and one.depth >= depth
            and one.fields <= self._fields
            and one.price * factor <= self._price
            and one.aliases <= self._aliases
        ]
        if not usable:
            return ""
        fragment = self._pick(usable)
        self._fields -= fragment.fields
        self._price -= fragment.price * factor
        self._aliases -= fragment.aliases
        scope.update(deepcopy(fragment.scope))
        return f"...{fragment.name}"

    def _merged(self, scope: Scope, other: Scope) -> bool:
        """Take the fields of `other` into `scope`, if they can stand together."""
        if not self._agree(scope, other):
            return False
        for key, fields in other.items():
            held = scope.setdefault(key, [])
            for one in fields:
                known = self._agreeing(held, one)
                if known is one:
                    held.append(deepcopy(one))
                elif known is not None:
                    self._merged(known.below, one.below)
        return True

    def _agree(self, scope: Scope, other: Scope) -> bool:
        for key, fields in other.items():
            for one in fields:
                known = self._agreeing(scope.get(key, []), one)
                if known is None or (known is not one and not self._agree(known.below, one.below)):
                    return False
        return True

    # ---- arguments ---------------------------------------------------------------------------------------------

    def _arguments(self, coordinate: str, definition: GraphQLField) -> tuple[str, int, str]:
        """The arguments as written, how many objects they may bring, and the variable of the cursor if there is one."""
        if not definition.args:
            return "", 8 if isinstance(_bare(definition.type), GraphQLList) else 1, ""
        if coordinate == "Query.subject":
            return self._subject_arguments(definition)
        written, size, cursor = [], 1 if "id" in definition.args else 8, ""
        for name, argument in definition.args.items():
            if not isinstance(argument.type, GraphQLNonNull) and not self._chance(45):
                continue
            if name == "first":
                least = int(coordinate == "Query.matchSubjects")
                count = self._number(least, 3) if self._chance(80) else self._number(least, 9)
                written.append(f"first: {self._said(argument, count)}")
                size = 2 * max(count, 1)
            elif name == "after":
                cursor = self._name("after")
                self._declared[cursor] = f"${cursor}: String"
                self._values[cursor] = None
                written.append(f"after: ${cursor}")
            else:
                value = self._value(name, argument)
                size = 2 * len(value) + 1 if name == "codes" else size
                written.append(f"{name}: {self._said(argument, value)}")
        if "first" in definition.args and not any(one.startswith("first:") for one in written):
            size = 40
        return f"({', '.join(written)})" if written else "", size, cursor

    def _subject_arguments(self, definition: GraphQLField) -> tuple[str, int, str]:
        schemes = get_named_type(definition.args["scheme"].type)
        assert isinstance(schemes, GraphQLEnumType)
        if self._chance(70):
            scheme, value = "USCC", self._pick(self._pool.codes)
        else:
            scheme, value = self._pick([one for one in self._pool.identifiers if one[0] in schemes.values])
        written = [f"value: {self._said(definition.args['value'], value)}"]
        if scheme != "USCC" or self._chance(20):
            written.append(f"scheme: {self._said(definition.args['scheme'], scheme)}")
        if "asOf" in definition.args and self._chance(25):
            written.append(f"asOf: {self._said(definition.args['asOf'], self._moment())}")
        return f"({', '.join(written)})", 1, ""

    def _moment(self) -> str:
        # Before TODAY: what has not come is refused.
        return f"202{self._number(4, 6)}-{self._number(1, 10):02d}-{self._number(1, 28):02d}T08:00:00+08:00"

    def _day(self) -> str:
        return str(TODAY.replace(day=self._number(1, 23), month=self._pick((10, 11))))

    def _value(self, name: str, argument: GraphQLArgument) -> Any:
        pool = self._pool
        named = get_named_type(argument.type)
        match name:
            case "codes":
                return [self._pick(pool.codes) for _ in range(self._number(0, 4))]
            case "id":
                return self._pick(pool.ids)
            case "name":
                return self._pick(pool.names)
            case "region":
                return self._pick(("63", "6301", "630102", "11"))
            case "coordinate":
                return self._pick(pool.coordinates)
            case "subject":
                return self._pick(pool.explained or pool.codes)
            case "purpose":
                return self._pick(pool.purposes)
            case "asOf":
                return self._moment()
            case "listCode":
                return self._pick(("RED-1", "BLACK-1", "TAX-SERIOUS", "WATCH-1", "NONE"))
            case "archiveType":
                return self._pick(("ASSOCIATION", "MERCHANT", "PREPAID_BALANCE", "NONE"))
            case "filter":
                assert isinstance(named, GraphQLInputObjectType)
                return self._filter(named)
        assert isinstance(named, GraphQLEnumType), name
        return self._pick(list(named.values))

    def _filter(self, named: GraphQLInputObjectType) -> dict[str, Any]:
        pool, found = self._pool, {}
        for name, declared in named.fields.items():
            if not self._chance(22):
                continue
            inner = get_named_type(declared.type)
            value: Any = None
            if self._chance(93):
                match name:
                    case "decidedFrom" | "decidedTo":
                        value = self._day()
                    case "documentNumber":
                        value = self._pick(pool.numbers)
                    case "authority":
                        value = self._pick(pool.authorities)
                    case "catalogItemCodes":
                        value = [
                            self._pick(("ITEM-1", "ITEM-2", "ITEM-3")) for _ in range(self._number(0, 2))
                        ]
                    case "fineAtLeast":
                        value = f"{self._number(0, 900)}.{self._number(0, 99):02d}"
                    case _:
                        assert isinstance(inner, GraphQLEnumType), name
                        value = [self._pick(list(inner.values)) for _ in range(self._number(0, 3))]
            found[name] = value
        return found

    def _said(self, argument: GraphQLArgument, value: Any) -> str:
        """The value as a literal, as a variable, or as a literal with variables inside."""
        type_ = argument.type
        how = self._number(0, 9)
        if how < 4:
            return self._variable(_bare(type_), value, type_)
        named = get_named_type(type_)
        if how < 6 and isinstance(value, dict) and isinstance(named, GraphQLInputObjectType):
            members = []
            for name, one in value.items():
                declared = named.fields[name].type
                text = (
                    self._variable(_bare(declared), one, declared)
                    if self._chance(50)
                    else literal(one, declared)
                )
                members.append(f"{name}: {text}")
            return f"{{{', '.join(members)}}}"
        if how < 6 and isinstance(value, list) and isinstance(_bare(type_), GraphQLList):
            member = _bare(type_).of_type
            return f"[{', '.join(self._variable(_bare(member), one, member) for one in value)}]"
        return literal(value, type_)

    def _variable(self, bare: Any, value: Any, position: Any = None) -> str:
        """A new variable with this value, given or by default."""
        name = self._name("v")
        required = value is not None and (
            isinstance(position, GraphQLNonNull) or self._chance(40) or position is None
        )
        if required and self._chance(25):
            self._declared[name] = (
                f"${name}: {bare}{'!' if self._chance(50) else ''} = {literal(value, bare)}"
            )
            if isinstance(position, GraphQLNonNull) or position is None:
                self._declared[name] = f"${name}: {bare}! = {literal(value, bare)}"
        else:
            self._declared[name] = f"${name}: {bare}{'!' if required else ''}"
            self._values[name] = value
        return f"${name}"


def askable(view: View) -> frozenset[str]:
    """The fields of concrete types that documents in this view ask."""
    return frozenset(
        f"{name}.{field_name}"
        for name, named in view.schema.type_map.items()
        if name in TYPES and isinstance(named, GraphQLObjectType)
        for field_name, one in named.fields.items()
        if _known(one)
    )


def _known(definition: GraphQLField) -> bool:
    named = get_named_type(definition.type)
    return is_leaf_type(named) or named.name in TYPES


def _bare(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def literal(value: Any, type_: Any) -> str:
    """A JSON value as a GraphQL literal of its type."""
    bare = _bare(type_)
    if value is None:
        return "null"
    if isinstance(bare, GraphQLList):
        return f"[{', '.join(literal(one, bare.of_type) for one in value)}]"
    if isinstance(bare, GraphQLInputObjectType):
        return f"{{{', '.join(f'{name}: {literal(one, bare.fields[name].type)}' for name, one in value.items())}}}"
    if isinstance(bare, GraphQLEnumType):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
