"""The columns that an item of each kind fills: types and closed value sets, read from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import orjson
from sqlalchemy import ARRAY, Column, Numeric, Table
from sqlalchemy.dialects.postgresql import JSONB

from connectors.contract import Kind, RowRejected
from hub.store.tables.facts import archive, grade, list_entry, record, registration
from hub.store.values import COLORS, LIFECYCLES, LIST_STATES, SERIOUSNESS
from schema.names import name_key

TABLES: Mapping[Kind, Table] = MappingProxyType(
    {
        Kind.REGISTRATION: registration,
        Kind.LICENSE: record,
        Kind.PENALTY: record,
        Kind.GENERIC: record,
        Kind.GRADE: grade,
        Kind.LIST_ENTRY: list_entry,
        Kind.ARCHIVE: archive,
    }
)
# Columns that every fact has and that no item fills: keys, class, provenance and times.
SHARED = (
    "version_id", "public_id", "subject_id", "data_class", "source", "source_record_id", "provider_name",
    "provider_code", "catalog_item_code", "sharing_attribute", "source_updated_at", "fetched_at",
    "payload_digest", "recorded_at", "superseded_at",
)  # fmt: skip
# Columns that the hub makes of what an item fills.
MADE: Mapping[str, tuple[str, ...]] = MappingProxyType({"registration": ("name_key",)})
_DEFAULTS: Mapping[str, object] = {
    "lifecycle": "EFFECTIVE",
    "under_objection": False,
    "origin_class": "PUBLIC_CREDIT",
    "categories": [],
    "details": "{}",
    "items": "[]",
}
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "lifecycle": LIFECYCLES,
    "seriousness": SERIOUSNESS,
    "color": COLORS,
    "state": LIST_STATES,
    "origin_class": ("PUBLIC_CREDIT", "MARKET_CREDIT"),
}
_MAX_AMOUNT = Decimal(10) ** 16


@dataclass(frozen=True)
class Filled:
    """A column that an item fills."""

    name: str
    type: type
    required: bool
    # What stands for None, as it is written.
    default: object
    closed: frozenset[str] | None
    json: bool


def _json(name: str, value: object) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        raise RowRejected("NOT_TEXT", f"{name} holds what is no Unicode text") from None


def _filled(column: Column[object]) -> Filled:
    json = isinstance(column.type, JSONB)
    kind: type = list if isinstance(column.type, ARRAY) else object if json else column.type.python_type
    if isinstance(column.type, Numeric):
        kind = Decimal
    closed = _CLOSED.get(column.name)
    return Filled(
        column.name,
        kind,
        not column.nullable,
        _DEFAULTS.get(column.name),
        frozenset(closed) if closed else None,
        json,
    )


FILLED: Mapping[str, tuple[Filled, ...]] = MappingProxyType(
    {
        table.name: tuple(
            _filled(column)
            for column in table.columns
            if column.name not in SHARED and column.name not in MADE.get(table.name, ())
        )
        for table in TABLES.values()
    }
)
# Where each of these columns stands among them.
PLACES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {table: {column.name: index for index, column in enumerate(columns)} for table, columns in FILLED.items()}
)
# The columns around those that an item fills, in the order in which versions are written.
BEFORE = ("public_id", "subject_id", "data_class")
AFTER = (
    "source", "source_record_id", "provider_name", "provider_code", "catalog_item_code", "sharing_attribute",
    "source_updated_at", "fetched_at", "payload_digest", "recorded_at", "superseded_at",
)  # fmt: skip


def fill(table: str, values: Mapping[str, object]) -> tuple[object, ...]:
    """`values` in the order of FILLED[table], JSON as text. Raises RowRejected: nothing dropped, nothing made up."""
    if not values.keys() <= PLACES[table].keys():
        raise RowRejected("UNKNOWN_COLUMN", f"the item has a value that {table} has no column for")
    row = []
    for column in FILLED[table]:
        value = values.get(column.name)
        if value is None:
            if column.required and column.default is None:
                raise RowRejected("MISSING", f"{column.name} is empty")
            row.append(column.default)
        elif column.json:
            row.append(_json(column.name, value))
        # A moment is a day to Python, and a truth value a number: the very type is asked for.
        elif type(value) is not column.type:
            raise RowRejected("WRONG_TYPE", f"{column.name} is no {column.type.__name__}")
        elif column.closed is not None and value not in column.closed:
            raise RowRejected("UNKNOWN_VALUE", f"{column.name} has a value that the hub does not know")
        else:
            if type(value) is Decimal and not (value.is_finite() and abs(value) < _MAX_AMOUNT):
                raise RowRejected("BAD_AMOUNT", f"{column.name} is no amount")
            if type(value) is list and not all(type(one) is str for one in value):
                raise RowRejected("WRONG_TYPE", f"{column.name} is no list of texts")
            row.append(value)
    return tuple(row)


def named(table: str, values: Sequence[object]) -> dict[str, object]:
    """`values`, which are in the order of FILLED[table], by column; `tuple` of its values is that order again."""
    return dict(zip(PLACES[table], values, strict=True))


def written(table: str) -> tuple[str, ...]:
    """The columns of a version as they are written."""
    return (*BEFORE, *PLACES[table], *MADE.get(table, ()), *AFTER)


def made(table: str, values: Sequence[object]) -> tuple[object, ...]:
    """What the hub makes of `values`, which are in the order of FILLED[table]: MADE[table]."""
    if table != "registration":
        return ()
    return (name_key(str(values[PLACES[table]["display_name"]])),)


def day_of(value: object) -> date | None:
    """`value` when it is a day."""
    return value if type(value) is date else None
