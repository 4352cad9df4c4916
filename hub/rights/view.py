"""Caller × purpose → View: everything a caller may see, as one value. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_non_null_type,
    is_required_argument,
)

from hub.rights.matrix import Grant, Level, Scope, WithheldReason
from hub.rights.policy import Decision
from schema.coordinates import Part, Vocabulary
from schema.governance import HOLDER, OPEN, Capability, Condition, Mask, Need, Parameter, Rule, Shape

# Scopes that a subject satisfies or not; the others depend on the single row.
SUBJECT_SCOPES = frozenset(
    {Scope.OWN_REGION, Scope.OWN_MEMBER, Scope.OWN_MERCHANT, Scope.SELF, Scope.CONSENT}
)
# Scopes that whoever brings a row along has seen to hold, or that have no meaning for it.
_VOUCHED = frozenset({Scope.CONSENT, Scope.OWN_MEMBER, Scope.OWN_MERCHANT})
# The class under which rows outside publicity (ended, repaired, expired, revoked) are disclosed.
ENDED = "D9"
# Classes of cases of which everybody is shown what came of them: exposures, measures, members' archives, commitments and draws.
PUBLISHED = ("D6", "D10", "D24", "D33")

NEEDED = {Need.YES_NO: Level.YES_NO, Need.MASKED: Level.MASKED, Need.FULL: Level.FULL}


@dataclass(frozen=True)
class Withheld:
    """A coordinate that is not served in full in every row, and why."""

    coordinate: str
    data_class: str
    level: str
    scope: str | None
    reason: str
    legal_basis: str | None


@dataclass(frozen=True)
class View:
    """What one kind of caller may see for one purpose. Equal views have equal digests and share plans."""

    vocabulary: Vocabulary
    purpose: str
    capabilities: frozenset[str]
    decisions: Mapping[str, Decision]
    # Openness of a row (公开属性) → the scopes under which it may be shown; absent: never.
    sharing: Mapping[str, frozenset[Scope]]
    # Data classes that a consent opens only where it is a separate one.
    separate: frozenset[str]
    hidden: frozenset[str] = frozenset()
    # Data classes whose rows may be browsed without naming a subject; None: all that are shown.
    browse: frozenset[str] | None = None
    # Whether the caller may know of what it cannot see: agencies and auditors may, outsiders may not.
    entitled: bool = False
    # The law by which how a case was handled is kept from those who take no part in it.
    process_basis: str = ""

    def grants(self, data_class: str, least: Level) -> tuple[Grant, ...]:
        """The grants of a class that give at least `least`; none for a class nobody decided."""
        decision = self.decisions.get(data_class)
        return tuple([g for g in decision.grants if g.level >= least]) if decision is not None else ()

    def allows(self, classes: tuple[str, ...], least: Level, subject_only: bool = False) -> bool:
        """Whether any of `classes` may be shown at `least` in some row."""
        return any(
            not subject_only or grant.scopes <= SUBJECT_SCOPES
            for c in classes
            for grant in self.grants(c, least)
        )

    def browsable(self, classes: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `classes` whose rows may be browsed without naming a subject."""
        return classes if self.browse is None else tuple(c for c in classes if c in self.browse)

    def everywhere(self, classes: tuple[str, ...], level: Level) -> bool:
        """Whether every visible one of `classes` is shown at `level` in every row in which it is shown at all."""
        visible = [c for c in classes if self.grants(c, Level.MASKED)]
        return all(
            {g.scopes for g in self.grants(c, Level.MASKED)} == {g.scopes for g in self.grants(c, level)}
            for c in visible
        )

    def vouched(self, classes: tuple[str, ...]) -> Level:
        """At what level `classes` are shown of a row that the hub brought along and does not store; NONE: not at all.

        Who brings it has seen the consent that its class asks for; a region, or being the subject itself, nobody can
        vouch for.
        """
        grants = (grant for c in classes for grant in self.grants(c, Level.YES_NO))
        return max((grant.level for grant in grants if grant.scopes <= _VOUCHED), default=Level.NONE)

    @cached_property
    def tells_process(self) -> bool:
        """Whether it is shown how any case was handled, also one that it takes no part in: auditors, as what has ended is."""
        return any(not grant.scopes for grant in self.grants(ENDED, Level.MASKED))

    def keeps_process(self, rule: Rule, type_name: str, data_class: str) -> bool:
        """Whether `rule` on a row of `type_name` and `data_class` tells only who takes part in the case.

        政府信息公开条例 art. 16: what a case is shown for is its result, and not who drafted it and what was amended.
        """
        if self.tells_process or rule.capability is not Capability.LINEAGE or data_class not in PUBLISHED:
            return False
        rows = (self.vocabulary.entities.get(one) for one in self.vocabulary.possible(type_name))
        return any(
            one is not None and one.relation == "case_file" and data_class in one.row_classes for one in rows
        )

    @cached_property
    def digest(self) -> str:
        """SM3 over all that decides; the name of this view in plans, cursors and the ledger."""
        browse = "*" if self.browse is None else "+".join(sorted(self.browse))
        said = [self.purpose, str(self.entitled), browse, *sorted(self.capabilities), *sorted(self.hidden)]
        for name in sorted(self.decisions):
            decision = self.decisions[name]
            grants = "".join(f"|{g.level.name}:{'+'.join(sorted(g.scopes))}" for g in decision.grants)
            said.append(f"{name}{grants}|{decision.reason}|{decision.basis}")
        said += [f"{name}={'+'.join(sorted(scopes))}" for name, scopes in sorted(self.sharing.items())]
        said.append("+".join(sorted(self.separate)))
        said.append(self.process_basis)
        return hashlib.new("sm3", "\n".join(said).encode()).hexdigest()

    @cached_property
    def gone(self) -> frozenset[str]:
        """What the agreement hides, with what that takes along.

        Hidden in an interface is hidden in all its types; what is hidden in a type no interface of it can promise;
        and a field whose argument must be given goes with the argument.
        """
        below = {one for hidden in self.hidden for one in (hidden, *_below(self.vocabulary, hidden))}
        return _with_all_along(self.vocabulary, below)

    @cached_property
    def visible(self) -> frozenset[str]:
        """The coordinates that exist for this caller: fields, arguments, input fields and enum values of its schema."""
        return self._part.reached

    def tells_by(self, coordinates: Iterable[str]) -> bool:
        """Whether rows may be chosen, or be put in order, by these fields: what is shown would tell of all of them."""
        return all(_tested(self, one, self.visible) for one in coordinates)

    @cached_property
    def schema(self) -> GraphQLSchema:
        """The schema this caller may introspect and is validated against."""
        return self._part.schema

    @cached_property
    def _part(self) -> Part:
        return self.vocabulary.part(_visible(self))

    @cached_property
    def levels(self) -> Mapping[str, str]:
        """The classes this view discloses, in the order of their numbers, with their strongest levels."""
        shown = [(name, d.grants[0].level) for name, d in self.decisions.items() if d.grants]
        return {name: level.name for name, level in sorted(shown, key=lambda one: int(one[0][1:]))}

    @cached_property
    def implied(self) -> frozenset[Scope]:
        """The scopes that hold for every organization this view shows at all."""
        grants = self.grants("D1", Level.MASKED)
        return frozenset.intersection(*(grant.scopes for grant in grants)) if grants else frozenset()

    def withheld(self, coordinate: str, type_name: str) -> tuple[Withheld, ...]:
        """Why this coordinate is not in full wherever its row is shown: one for each data class; none when it is.

        Callers who may not know of what they cannot see are told of what they see in part only.
        """
        key = (coordinate, type_name)
        known = self._withheld.get(key)
        if known is None:
            known = self._withheld[key] = self._why_withheld(coordinate, type_name)
        return known

    @cached_property
    def _withheld(self) -> dict[tuple[str, str], tuple[Withheld, ...]]:
        """What `withheld` found: asked for every field of every plan."""
        return {}

    def _why_withheld(self, coordinate: str, type_name: str) -> tuple[Withheld, ...]:
        rule = self.vocabulary.rules[coordinate]
        least = Level.MASKED if rule.mask is Mask.KEEP else Level.FULL
        least = Level.YES_NO if rule.need is Need.YES_NO else least
        found = []
        for data_class in self.vocabulary.classes(type_name, rule):
            decision = self.decisions.get(data_class)
            if decision is not None and decision.grants and self.keeps_process(rule, type_name, data_class):
                found.append(self._kept_process(coordinate, decision))
                continue
            if decision is None or any(
                grant.level >= least and grant.scopes <= self.implied for grant in decision.grants
            ):
                continue
            if not decision.grants and not self.entitled:
                continue
            strongest = decision.grants[0] if decision.grants else None
            found.append(
                Withheld(
                    coordinate=coordinate,
                    data_class=data_class,
                    level=decision.level.name,
                    scope="+".join(sorted(strongest.scopes)) or None if strongest else None,
                    reason=str(decision.reason),
                    legal_basis=decision.basis or None,
                )
            )
        return tuple(found)

    def _kept_process(self, coordinate: str, decision: Decision) -> Withheld:
        return Withheld(
            coordinate=coordinate,
            data_class=decision.data_class,
            level=decision.level.name,
            scope=str(Scope.PARTY),
            reason=str(WithheldReason.NO_LEGAL_BASIS),
            legal_basis=self.process_basis or None,
        )


def least_of(rule: Rule) -> Level:
    """The level below which a field tells nothing: masked, a column that is withheld is null in every row."""
    if rule.shape is Shape.COLUMN and rule.mask is Mask.WITHHELD and rule.need is Need.MASKED:
        return Level.FULL
    return NEEDED[rule.need]


def _field_visible(
    view: View, type_name: str, coordinate: str, rule: Rule, types: frozenset[str], gone: frozenset[str]
) -> bool:
    if coordinate in gone or (rule.capability and rule.capability not in view.capabilities):
        return False
    owner = view.vocabulary.schema.type_map[type_name]
    assert isinstance(owner, GraphQLObjectType | GraphQLInterfaceType)
    named: GraphQLNamedType = get_named_type(owner.fields[coordinate.split(".")[1]].type)
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) and named.name not in types:
        return False
    if rule.capability is Capability.BROWSE and not view.allows(
        view.browsable(view.vocabulary.page_classes(named.name)), Level.MASKED
    ):
        return False
    if rule.classes in ((OPEN,), (HOLDER,)):
        return True
    classes = view.vocabulary.classes(type_name, rule)
    return view.allows(classes, least_of(rule), subject_only=rule.need is Need.YES_NO)


def _type_open(view: View, type_name: str) -> bool:
    """Whether rows of an entity may be shown at all."""
    entity = view.vocabulary.entities.get(type_name)
    if entity is None or entity.row_classes in ((OPEN,), (HOLDER,)):
        return True
    return view.allows(entity.row_classes, Level.MASKED)


def _visible(view: View) -> Set[str]:
    gone = view.gone
    while True:
        visible = _visible_without(view, gone)
        # What cannot be asked without an argument that does not exist, does not exist.
        unasked = {c for c in visible if not _can_be_asked(view.vocabulary, c, visible)}
        if not unasked:
            return visible
        gone = _with_all_along(view.vocabulary, gone | unasked)


def _visible_without(view: View, gone: frozenset[str]) -> Set[str]:
    """The coordinates that exist where those of `gone` do not."""
    vocabulary = view.vocabulary
    schema = vocabulary.schema
    objects = {
        name: named
        for name, named in schema.type_map.items()
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
    }
    types = frozenset(name for name in objects if _type_open(view, name))
    # A type without visible fields does not exist, and neither does a field whose type does not exist.
    while True:
        fields = {
            name: {
                f"{name}.{field}"
                for field in named.fields
                if _field_visible(
                    view, name, f"{name}.{field}", vocabulary.rules[f"{name}.{field}"], types, gone
                )
            }
            for name, named in objects.items()
            if name in types and isinstance(named, GraphQLObjectType)
        }
        for name, named in objects.items():
            if name in types and isinstance(named, GraphQLInterfaceType):
                shown = {
                    field
                    for one in schema.get_possible_types(named)
                    for field in named.fields
                    if f"{one.name}.{field}" in fields.get(one.name, ()) and f"{name}.{field}" not in gone
                }
                fields[name] = {f"{name}.{field}" for field in shown}
        # What an interface promises, each of its types has: null there, where it may not be shown.
        for name, named in objects.items():
            if name in types and isinstance(named, GraphQLObjectType):
                for interface in named.interfaces:
                    promised = fields.get(interface.name, set())
                    fields[name] |= {f"{name}.{c.split('.')[1]}" for c in promised} - gone
        kept = frozenset(name for name, found in fields.items() if found)
        if kept == types:
            break
        types = kept
    visible = {coordinate for found in fields.values() for coordinate in found}
    visible |= {
        c
        for c, governed in vocabulary.values.items()
        if c not in gone and any(view.allows((one,), NEEDED[need]) for one, need in governed)
    }
    for coordinate, condition in vocabulary.inputs.items():
        if coordinate not in gone and _given(view, condition, visible):
            visible.add(coordinate)
    for coordinate, rule in vocabulary.arguments.items():
        if coordinate in gone or coordinate.split("(")[0] not in visible:
            continue
        # An input type without visible fields cannot stand in a schema, so nothing takes it.
        if _is_empty(vocabulary, coordinate, visible):
            continue
        if _given(view, rule, visible):
            visible.add(coordinate)
    return visible


def _below(vocabulary: Vocabulary, coordinate: str) -> Iterator[str]:
    """The same member in all types of an interface."""
    owner, _, rest = coordinate.partition(".")
    named = vocabulary.schema.type_map.get(owner)
    if isinstance(named, GraphQLInterfaceType):
        below = vocabulary.schema.get_implementations(named)
        for one in (*below.objects, *below.interfaces):
            yield f"{one.name}.{rest}"


def _along(vocabulary: Vocabulary, coordinate: str) -> Iterator[str]:
    """What goes along with a coordinate: promises of interfaces, and the field that cannot be asked without it."""
    owner, _, rest = coordinate.partition(".")
    field, _, argument = rest.partition("(")
    named = vocabulary.schema.type_map.get(owner)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return
    for interface in named.interfaces:
        if field in interface.fields:
            yield f"{interface.name}.{rest}"
    if argument and is_non_null_type(named.fields[field].args[argument.removesuffix(":)")].type):
        yield f"{owner}.{field}"


def _with_all_along(vocabulary: Vocabulary, coordinates: Set[str]) -> frozenset[str]:
    """`coordinates` with all that goes along with them."""
    gone = set(coordinates)
    while more := {one for known in gone for one in _along(vocabulary, known)} - gone:
        gone |= more
    return frozenset(gone)


def _can_be_asked(vocabulary: Vocabulary, coordinate: str, visible: Set[str]) -> bool:
    """Whether the arguments that a field must be given exist; True of what is no field."""
    owner, _, field = coordinate.partition(".")
    named = vocabulary.schema.type_map[owner]
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType) or "(" in field:
        return True
    return all(
        f"{coordinate}({name}:)" in visible
        for name, argument in named.fields[field].args.items()
        if is_required_argument(argument)
    )


def _given(view: View, rule: Condition | Parameter, visible: Set[str]) -> bool:
    """Whether an argument or an input field exists for this caller; `visible`: the fields that do."""
    if isinstance(rule, Parameter):
        return rule.capability is None or rule.capability in view.capabilities
    return all(_tested(view, one, visible) for one in rule.coordinates)


def _is_empty(vocabulary: Vocabulary, argument: str, visible: set[str]) -> bool:
    """Whether the argument (`Type.field(name:)`) takes an input type of which this caller sees no field."""
    owner, _, rest = argument.partition(".")
    field, _, name = rest.partition("(")
    holder = vocabulary.schema.type_map[owner]
    assert isinstance(holder, GraphQLObjectType | GraphQLInterfaceType)
    taken = get_named_type(holder.fields[field].args[name.removesuffix(":)")].type)
    return isinstance(taken, GraphQLInputObjectType) and not any(
        f"{taken.name}.{one}" in visible for one in taken.fields
    )


def _tested(view: View, coordinate: str, visible: Set[str]) -> bool:
    """Shown values only can be tested: the field exists, and is served as it is in every row in which the row is shown."""
    if coordinate not in visible:
        return False
    rule = view.vocabulary.rules[coordinate]
    classes = view.vocabulary.classes(coordinate.partition(".")[0], rule)
    if not classes or classes == (OPEN,):
        # Part of a value of which its holder decides, who is named beside it.
        return True
    if not view.allows(classes, Level.MASKED):
        return False
    return rule.mask is Mask.KEEP or view.everywhere(classes, Level.FULL)
