"""The catalogue of items and the definitions of lists: what may enter a credit record at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import asyncpg

from connectors.contract import Source
from hub.rules.list_definitions import load_list_definitions

_ADD_ITEM = """
INSERT INTO catalog_item (code, name, data_class, sharing_attribute, secrecy_approved, source_doc)
VALUES ($1, $2, $3, 'PUBLIC', true, $4) ON CONFLICT (code) DO NOTHING
"""
_ADD_LIST = """
INSERT INTO list_definition AS d (code, name, color, recognizer_name, legal_basis, basis_level,
  min_publicity_months, max_publicity_months, effective_from, effective_to, criteria, measures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (code) DO UPDATE
SET criteria = coalesce(d.criteria, excluded.criteria), measures = coalesce(d.measures, excluded.measures)
WHERE d.criteria IS NULL OR d.measures IS NULL
"""


@dataclass(frozen=True)
class ListRule:
    """What the hub needs of a list to take its entries: color, and the longest publicity in months."""

    color: str
    max_publicity_months: int | None


@dataclass(frozen=True)
class Catalogue:
    """The openness (公开属性) of each catalogue item, and the lists, by code."""

    sharing: Mapping[str, str]
    lists: Mapping[str, ListRule]


async def load_catalogue(connection: asyncpg.Connection, source: Source) -> Catalogue:
    """The catalogue of the store, with the items of `source` and the known lists added where missing.

    Rows that are there are not touched: what the department decided of an item (its openness) stands, and of a list
    only what it does not tell is filled in. A new item is PUBLIC, so that the ceiling matrix alone decides who sees it.
    """
    told = f"declared by the connector of {source.name} (GB/T 39440-2020; 国办发〔2020〕49号)"
    await connection.executemany(
        _ADD_ITEM, [(item.code, item.name, item.data_class, told) for item in source.items]
    )
    await connection.executemany(_ADD_LIST, [astuple(one) for one in load_list_definitions()])
    items = await connection.fetch("SELECT code, sharing_attribute FROM catalog_item")
    lists = await connection.fetch("SELECT code, color, max_publicity_months FROM list_definition")
    return Catalogue(
        {row["code"]: row["sharing_attribute"] for row in items},
        {row["code"]: ListRule(row["color"], row["max_publicity_months"]) for row in lists},
    )
