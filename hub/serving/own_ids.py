"""Opaque ids that callers give to commands, as the store has them: each partner class has its own of natural persons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
from graphql import GraphQLArgument, GraphQLInputObjectType, GraphQLInputType, get_named_type

from hub.query.ids import OPAQUE, opened
from hub.query.relations import TABLES

_TABLE_OF = {table.letter: table.name for table in TABLES.values() if table.letter and table.subject}
# Whether a row is about a natural person decides which of the two it is called by; asked in one way for both.
_FIND = """
SELECT t.public_id::text FROM {table} t LEFT JOIN subject s ON s.subject_id = t.subject_id
WHERE t.public_id IN ($1::uuid, $2::uuid)
  AND t.public_id = CASE WHEN s.kind = 'NATURAL_PERSON' THEN $2::uuid ELSE $1::uuid END
LIMIT 1
"""


async def as_stored(
    connection: asyncpg.Connection,
    declared: Mapping[str, GraphQLArgument],
    given: Mapping[str, Any],
    key: bytes,
) -> dict[str, Any]:
    """The arguments of a command with their ids as the store has them; `key` is that of the caller's partner class.

    An id that the caller's class was never given becomes one that nothing has.
    """

    async def value(type_: GraphQLInputType, one: Any) -> Any:
        named = get_named_type(type_)
        if isinstance(one, list):
            return [await value(type_, inner) for inner in one]
        if isinstance(named, GraphQLInputObjectType) and isinstance(one, Mapping):
            return {name: await value(named.fields[name].type, inner) for name, inner in one.items()}
        return await _stored(connection, one, key) if named.name == "ID" and isinstance(one, str) else one

    return {name: await value(declared[name].type, one) for name, one in given.items()}


async def _stored(connection: asyncpg.Connection, said: str, key: bytes) -> str:
    table = _TABLE_OF.get(said[:1])
    # A name of a live row only is no row of the store.
    if not OPAQUE.fullmatch(said) or table is None or table == "anomaly":
        return said
    other = opened(said[1:], key)
    found = await connection.fetchval(_FIND.format(table=table), said[1:], other)
    return said[0] + (found.replace("-", "") if found is not None else other)
