"""Opaque ids that callers give, as the store has them: each partner class has its own of what is about natural persons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLArgument, GraphQLInputObjectType, GraphQLInputType, get_named_type

from hub.query.ids import OPAQUE, opened
from hub.query.live_tables import LIVE
from hub.query.relations import TABLES

_TABLE_OF = {
    table.letter: table.name
    for table in TABLES.values()
    if table.letter and table.subject and (table.name not in LIVE or LIVE[table.name].stored)
}
# Whether a row is about a natural person decides which of the two it is called by; asked in one way for both.
_FIND = """
SELECT t.public_id::text AS id FROM {table} t LEFT JOIN subject s ON s.subject_id = t.subject_id
WHERE t.public_id IN ($1::uuid, $2::uuid)
  AND t.public_id = CASE WHEN s.kind = 'NATURAL_PERSON' THEN $2::uuid ELSE $1::uuid END
LIMIT 1
"""
# Steps of cases name the case by its number or its id.
_CASE = "c"
Find = Callable[[str, Sequence[Any]], Awaitable[Sequence[Any]]]


async def as_stored(
    find: Find, declared: Mapping[str, GraphQLArgument], given: Mapping[str, Any], key: bytes
) -> dict[str, Any]:
    """The arguments of a field with their ids as the store has them; `key` is that of the caller's partner class.

    An id that the caller's class was never given becomes one that nothing has.
    """

    async def value(type_: GraphQLInputType, one: Any) -> Any:
        named = get_named_type(type_)
        if isinstance(one, list):
            return [await value(type_, inner) for inner in one]
        if isinstance(named, GraphQLInputObjectType) and isinstance(one, Mapping):
            return {name: await value(named.fields[name].type, inner) for name, inner in one.items()}
        if not isinstance(one, str) or not OPAQUE.fullmatch(one) or one[0] not in _TABLE_OF:
            return one
        is_id = named.name == "ID" or (named.name == "String" and one[0] == _CASE)
        return await _stored(find, one, key) if is_id else one

    return {name: await value(declared[name].type, one) for name, one in given.items()}


async def _stored(find: Find, said: str, key: bytes) -> str:
    other = opened(said[1:], key)
    found = await find(_FIND.format(table=_TABLE_OF[said[0]]), (said[1:], other))
    return said[0] + (found[0]["id"].replace("-", "") if found else other)
