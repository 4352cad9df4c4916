"""A schema reduced to a set of visible coordinates, as a view has it, and to what says what it is. Pure."""

from collections import defaultdict
from collections.abc import Callable

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    specified_directives,
)

from schema.enums import VALUE_CLASSES


def project(schema: GraphQLSchema, visible: frozenset[str], *, share: bool = True) -> GraphQLSchema:
    """The part of `schema` made of `visible` coordinates. What is not in it does not exist in the result.

    Enum values are visible unless they are governed (`VALUE_CLASSES`) and not named in `visible`. Types that nothing
    visible refers to are left out. With `share` a type in which nothing is hidden, nor in any type that it leads to,
    is that of `schema` itself: many callers' schemas fit into memory. Without it all types are made anew and only
    say what they are: nothing of them resolves a field.
    """
    made: dict[str, GraphQLNamedType] = {}
    originals = dict(schema.type_map)
    changed = _changed(schema, visible) if share else frozenset(originals)

    def named(original: GraphQLNamedType) -> GraphQLNamedType:
        if original.name not in made:
            made[original.name] = build(original)
        return made[original.name]

    def typed(original: GraphQLType) -> GraphQLType:
        if isinstance(original, GraphQLNonNull):
            return GraphQLNonNull(typed(original.of_type))  # type: ignore[type-var]
        if isinstance(original, GraphQLList):
            return GraphQLList(typed(original.of_type))
        return named(original)  # type: ignore[arg-type]

    def arguments(coordinate: str, field: GraphQLField) -> dict[str, GraphQLArgument]:
        return {
            name: GraphQLArgument(
                typed(argument.type),  # type: ignore[arg-type]
                default_value=_plain(argument.default_value),
                description=argument.description,
            )
            for name, argument in field.args.items()
            if f"{coordinate}({name}:)" in visible
        }

    def fields(of: str) -> Callable[[], dict[str, GraphQLField]]:
        return lambda: {
            name: GraphQLField(
                typed(field.type),  # type: ignore[arg-type]
                args=arguments(f"{of}.{name}", field),
                description=field.description,
                deprecation_reason=field.deprecation_reason,
            )
            for name, field in originals[of].fields.items()  # type: ignore[attr-defined]
            if f"{of}.{name}" in visible
        }

    def exists(original: GraphQLObjectType | GraphQLInterfaceType) -> bool:
        return any(f"{original.name}.{name}" in visible for name in original.fields)

    def interfaces(of: str) -> Callable[[], list[GraphQLInterfaceType]]:
        return lambda: [named(one) for one in originals[of].interfaces if exists(one)]  # type: ignore[attr-defined,misc]

    def inputs(of: str) -> Callable[[], dict[str, GraphQLInputField]]:
        return lambda: {
            name: GraphQLInputField(typed(field.type), description=field.description)  # type: ignore[arg-type]
            for name, field in originals[of].fields.items()  # type: ignore[attr-defined]
            if f"{of}.{name}" in visible
        }

    def build(original: GraphQLNamedType) -> GraphQLNamedType:
        if original.name not in changed:
            return original
        match original:
            case GraphQLScalarType():
                return original
            case GraphQLEnumType():
                return GraphQLEnumType(
                    original.name,
                    {
                        name: GraphQLEnumValue(name, description=value.description)
                        for name, value in original.values.items()
                        if (coordinate := f"{original.name}.{name}") not in VALUE_CLASSES
                        or coordinate in visible
                    },
                    description=original.description,
                )
            case GraphQLInterfaceType():
                return GraphQLInterfaceType(
                    original.name,
                    fields(original.name),
                    interfaces=interfaces(original.name),
                    description=original.description,
                )
            case GraphQLObjectType():
                return GraphQLObjectType(
                    original.name,
                    fields(original.name),
                    interfaces=interfaces(original.name),
                    description=original.description,
                )
            case GraphQLInputObjectType():
                return GraphQLInputObjectType(
                    original.name, inputs(original.name), description=original.description
                )
            case GraphQLUnionType():
                members = [one for one in original.types if exists(one)]
                return GraphQLUnionType(original.name, [named(one) for one in members])  # type: ignore[misc]
        raise TypeError(original.name)

    query, mutation = schema.query_type, schema.mutation_type
    assert query is not None
    concrete = [
        named(one)
        for name, one in schema.type_map.items()
        if isinstance(one, GraphQLObjectType)
        and not name.startswith("__")
        and one is not query
        and one.interfaces
        and exists(one)
    ]
    projected = GraphQLSchema(
        query=named(query),  # type: ignore[arg-type]
        # A view without a command has no type of commands either.
        mutation=named(mutation) if mutation is not None and exists(mutation) else None,  # type: ignore[arg-type]
        types=concrete,
        directives=[
            one
            for one in specified_directives
            if one.name in ("skip", "include", "deprecated", "specifiedBy")
        ],
        description=schema.description,
    )
    # The schema has asked for all its fields; what these came from need not be kept by them.
    originals.clear()
    return projected


def _changed(schema: GraphQLSchema, visible: frozenset[str]) -> frozenset[str]:
    """The types in which something is hidden, and those that lead to one of them."""
    changed = set()
    users: dict[str, set[str]] = defaultdict(set)
    for name, named in schema.type_map.items():
        leads_to: list[GraphQLNamedType] = []
        coordinates: list[str] = []
        match named:
            case GraphQLObjectType() | GraphQLInterfaceType():
                leads_to += named.interfaces
                for field_name, field in named.fields.items():
                    leads_to += map(get_named_type, (field.type, *(one.type for one in field.args.values())))
                    coordinates.append(f"{name}.{field_name}")
                    coordinates += (f"{name}.{field_name}({one}:)" for one in field.args)
            case GraphQLInputObjectType():
                leads_to += (get_named_type(field.type) for field in named.fields.values())
                coordinates += (f"{name}.{field_name}" for field_name in named.fields)
            case GraphQLUnionType():
                leads_to += named.types
            case GraphQLEnumType():
                coordinates += (one for value in named.values if (one := f"{name}.{value}") in VALUE_CLASSES)
        for led_to in leads_to:
            users[led_to.name].add(name)
        if not visible.issuperset(coordinates):
            changed.add(name)
    waiting = list(changed)
    while waiting:
        more = users[waiting.pop()] - changed
        changed |= more
        waiting += more
    return frozenset(changed)


def _plain(default: object) -> object:
    """A default as a plain value: enum members by their name."""
    name = getattr(default, "name", None)
    return name if isinstance(name, str) and type(default).__module__.startswith("schema.") else default
