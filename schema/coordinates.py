"""Every coordinate of the vocabulary with the rule it declares; a coordinate without a rule does not build."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any
from weakref import WeakValueDictionary

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_non_null_type,
)

from schema.build import whole_schema
from schema.enums import VALUE_CLASSES
from schema.governance import (
    DATA_CLASSES,
    ENTITIES,
    HOLDER,
    OPEN,
    ROW,
    Condition,
    Entity,
    Mask,
    Need,
    Parameter,
    Rule,
    Shape,
)
from schema.projection import project


class UngovernedCoordinate(Exception):
    """A coordinate declares no rule, or one that cannot hold."""


@dataclass(frozen=True, eq=False)
class Part:
    """The part of a vocabulary that some callers see."""

    whole: GraphQLSchema
    coordinates: frozenset[str]

    @cached_property
    def schema(self) -> GraphQLSchema:
        """The schema that these callers may introspect and are validated against."""
        return project(self.whole, self.coordinates)

    @cached_property
    def reached(self) -> frozenset[str]:
        """Those of the coordinates that stand in the schema: what nothing leads to does not exist for these callers."""
        return frozenset(one for one in self.coordinates if one.partition(".")[0] in self.schema.type_map)


@dataclass(frozen=True)
class Vocabulary:
    """The whole schema and what governs each of its coordinates (`Type.field`, `Type.field(argument:)`, `Input.field`)."""

    schema: GraphQLSchema
    rules: Mapping[str, Rule]
    arguments: Mapping[str, Condition | Parameter]
    inputs: Mapping[str, Condition | Parameter]
    entities: Mapping[str, Entity]
    values: Mapping[str, tuple[tuple[str, Need], ...]]

    def possible(self, type_name: str) -> tuple[str, ...]:
        """The object types that a value of this type can have."""
        named = self.schema.type_map[type_name]
        if isinstance(named, GraphQLInterfaceType):
            return tuple(sorted(found.name for found in self.schema.get_possible_types(named)))
        return (type_name,)

    @cached_property
    def node_types(self) -> Mapping[str, tuple[str, ...]]:
        """Connection type → the object types that its nodes can have."""
        found = {}
        for name, named in self.schema.type_map.items():
            if isinstance(named, GraphQLObjectType) and "edges" in named.fields:
                edge = get_named_type(named.fields["edges"].type)
                assert isinstance(edge, GraphQLObjectType)
                found[name] = self.possible(get_named_type(edge.fields["node"].type).name)
        return found

    @cached_property
    def holders(self) -> Mapping[str, tuple[str, ...]]:
        """Type without rows of its own → the entities in whose rows it is embedded."""
        found: dict[str, list[str]] = {}
        for coordinate, rule in self.rules.items():
            holder, _, field = coordinate.partition(".")
            if rule.shape is Shape.EMBEDDED and holder in self.entities:
                embedded = get_named_type(self.schema.type_map[holder].fields[field].type).name  # type: ignore[attr-defined]
                if embedded not in self.entities:
                    found.setdefault(embedded, []).append(holder)
        return {name: tuple(holders) for name, holders in found.items()}

    def page_classes(self, connection: str) -> tuple[str, ...]:
        """The data classes that rows of a connection type may carry."""
        return tuple(c for one in self.node_types[connection] for c in self.entities[one].row_classes)

    def classes_of(self, relation: str) -> tuple[str, ...]:
        """The data classes that rows of a relation may carry, whatever type they are of."""
        entities = (one for one in self.entities.values() if one.relation == relation)
        return tuple(dict.fromkeys(of for entity in entities for of in entity.row_classes))

    def classes(self, type_name: str, rule: Rule) -> tuple[str, ...]:
        """The data classes that may govern `rule` on a row of `type_name`, or in what is embedded there.

        Empty: its holder decides.
        """
        key = (type_name, rule.classes)
        known = self._classes.get(key)
        if known is None:
            found: list[str] = []
            own = self.entities.get(type_name)
            for declared in rule.classes:
                if declared == ROW:
                    found += [c for t in self.possible(type_name) for c in self.entities[t].row_classes]
                elif declared != HOLDER:
                    found.append(own.renamed.get(declared, declared) if own else declared)
            known = self._classes[key] = tuple(dict.fromkeys(found))
        return known

    @cached_property
    def _classes(self) -> dict[tuple[str, tuple[str, ...]], tuple[str, ...]]:
        """What `classes` found: asked for every field of every plan."""
        return {}

    def part(self, visible: Set[str]) -> Part:
        """The part of `visible` coordinates: one for all who see the same, for as long as one of them is there."""
        # Of the vocabulary's own strings: those of `visible` were put together for one caller.
        coordinates = frozenset(one for one in self.coordinates if one in visible)
        part = self._parts.get(coordinates)
        if part is None:
            part = self._parts[coordinates] = Part(self.schema, coordinates)
        return part

    @cached_property
    def _parts(self) -> WeakValueDictionary[frozenset[str], Part]:
        """The parts that somebody sees."""
        return WeakValueDictionary()

    @cached_property
    def coordinates(self) -> frozenset[str]:
        """All coordinates that an agreement may name."""
        return (
            frozenset(self.rules)
            | frozenset(self.arguments)
            | frozenset(self.inputs)
            | frozenset(self.values)
        )


def _declared(holder: Any) -> Any:
    definition = holder.extensions.get("strawberry-definition")
    return (getattr(definition, "metadata", None) or {}).get("rule")


def _entity(named: GraphQLNamedType) -> Entity | None:
    definition = named.extensions.get("strawberry-definition")
    # Read from the class itself: an entity is declared, never inherited.
    found = vars(definition.origin).get(ENTITIES) if definition is not None else None
    return found if isinstance(found, Entity) else None


def _check_rule(
    coordinate: str, field: GraphQLField, rule: object, entities: tuple[Entity | None, ...]
) -> Rule:
    if not isinstance(rule, Rule) or not rule.classes:
        raise UngovernedCoordinate(f"{coordinate} declares no data class")
    unknown = set(rule.classes) - {*DATA_CLASSES, OPEN, ROW, HOLDER}
    if unknown:
        raise UngovernedCoordinate(f"{coordinate} declares an unknown data class {min(unknown)}")
    if ROW in rule.classes and (not entities or not all(entities)):
        raise UngovernedCoordinate(f"{coordinate} is decided by its row, but its type is no entity")
    deniable = rule.classes != (OPEN,) and rule.mask is not Mask.KEEP
    if deniable and is_non_null_type(field.type):
        raise UngovernedCoordinate(f"{coordinate} can be withheld, so it must be nullable")
    named = get_named_type(field.type)
    if rule.mask in (Mask.NAME, Mask.PHONE, Mask.ADDRESS) and named.name != "String":
        raise UngovernedCoordinate(f"{coordinate} has a mask for text but is no text")
    if rule.shape in (Shape.COLUMN, Shape.DETAIL) and not rule.target:
        raise UngovernedCoordinate(f"{coordinate} names no column")
    if (rule.shape is Shape.COMMAND) != coordinate.startswith("Mutation."):
        raise UngovernedCoordinate(f"{coordinate}: commands are the fields of Mutation, and only they")
    if rule.shape is Shape.COMMAND and rule.capability is None:
        raise UngovernedCoordinate(f"{coordinate} is a command that needs no capability")
    return rule


def read(schema: GraphQLSchema) -> Vocabulary:
    """What `schema` declares. Raises UngovernedCoordinate for the first coordinate that no rule governs."""
    rules: dict[str, Rule] = {}
    arguments: dict[str, Condition | Parameter] = {}
    inputs: dict[str, Condition | Parameter] = {}
    entities: dict[str, Entity] = {}
    named_types = [t for name, t in sorted(schema.type_map.items()) if not name.startswith("__")]
    for named in named_types:
        if isinstance(named, GraphQLObjectType) and (found := _entity(named)) is not None:
            entities[named.name] = found
    for named in named_types:
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            possible = [named] if isinstance(named, GraphQLObjectType) else schema.get_possible_types(named)
            held = tuple(entities.get(one.name) for one in possible)
            for field_name, field in named.fields.items():
                coordinate = f"{named.name}.{field_name}"
                rules[coordinate] = _check_rule(coordinate, field, _declared(field), held)
                for argument_name, argument in field.args.items():
                    rule = _declared(argument)
                    if not isinstance(rule, Condition | Parameter):
                        raise UngovernedCoordinate(f"{coordinate}({argument_name}:) declares no rule")
                    arguments[f"{coordinate}({argument_name}:)"] = rule
        elif isinstance(named, GraphQLInputObjectType):
            for field_name, input_field in named.fields.items():
                rule = _declared(input_field)
                if not isinstance(rule, Condition | Parameter):
                    raise UngovernedCoordinate(f"{named.name}.{field_name} declares no rule")
                inputs[f"{named.name}.{field_name}"] = rule
    for coordinate, rule in (*arguments.items(), *inputs.items()):
        for tested in rule.coordinates if isinstance(rule, Condition) else ():
            if tested not in rules:
                raise UngovernedCoordinate(f"{coordinate} tests {tested}, which does not exist")
    for value in VALUE_CLASSES:
        enum_name, _, name = value.partition(".")
        enum = schema.type_map.get(enum_name)
        if not isinstance(enum, GraphQLEnumType) or name not in enum.values:
            raise UngovernedCoordinate(f"{value} is governed but does not exist")
    return Vocabulary(schema, rules, arguments, inputs, entities, VALUE_CLASSES)


@cache
def vocabulary() -> Vocabulary:
    """The hub's vocabulary, checked."""
    found = read(whole_schema()._schema)
    # Not kept: the functions with which Strawberry would resolve each field, a megabyte or two of them.
    return replace(found, schema=project(found.schema, found.coordinates, share=False))
