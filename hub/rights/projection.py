"""A schema reduced to a set of visible coordinates: the schema of a view. Pure."""

from __future__ import annotations

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
    specified_directives,
)

from schema.enums import VALUE_CLASSES


def project(schema: GraphQLSchema, visible: frozenset[str]) -> GraphQLSchema:
    """The part of `schema` made of `visible` coordinates. What is not in it does not exist in the result.

    Enum values are visible unless they are governed (`VALUE_CLASSES`) and not named in `visible`. Types that nothing
    visible refers to are left out.
    """
    made: dict[str, GraphQLNamedType] = {}

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

    def fields(original: GraphQLObjectType | GraphQLInterfaceType) -> Callable[[], dict[str, GraphQLField]]:
        return lambda: {
            name: GraphQLField(
                typed(field.type),  # type: ignore[arg-type]
                args=arguments(f"{original.name}.{name}", field),
                description=field.description,
                deprecation_reason=field.deprecation_reason,
            )
            for name, field in original.fields.items()
            if f"{original.name}.{name}" in visible
        }

    def exists(original: GraphQLObjectType | GraphQLInterfaceType) -> bool:
        return any(f"{original.name}.{name}" in visible for name in original.fields)

    def interfaces(
        original: GraphQLObjectType | GraphQLInterfaceType,
    ) -> Callable[[], list[GraphQLInterfaceType]]:
        return lambda: [named(one) for one in original.interfaces if exists(one)]  # type: ignore[misc]

    def inputs(original: GraphQLInputObjectType) -> Callable[[], dict[str, GraphQLInputField]]:
        return lambda: {
            name: GraphQLInputField(typed(field.type), description=field.description)  # type: ignore[arg-type]
            for name, field in original.fields.items()
            if f"{original.name}.{name}" in visible
        }

    def build(original: GraphQLNamedType) -> GraphQLNamedType:
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
                    fields(original),
                    interfaces=interfaces(original),
                    description=original.description,
                )
            case GraphQLObjectType():
                return GraphQLObjectType(
                    original.name,
                    fields(original),
                    interfaces=interfaces(original),
                    description=original.description,
                )
            case GraphQLInputObjectType():
                return GraphQLInputObjectType(
                    original.name, inputs(original), description=original.description
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
    return GraphQLSchema(
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


def _plain(default: object) -> object:
    """A default as a plain value: enum members by their name."""
    name = getattr(default, "name", None)
    return name if isinstance(name, str) and type(default).__module__.startswith("schema.") else default
