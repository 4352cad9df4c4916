"""The details of a case: a frozen dataclass in the program, a JSON object in the store. Pure."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

import orjson

T = TypeVar("T")


def to_json(value: object) -> str:
    """JSON of a dataclass, of its members or of a mapping: days and moments in ISO 8601."""
    return orjson.dumps(value).decode()


def canonical(value: object) -> bytes:
    """The one form of a value that is digested: keys sorted, nothing between members, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def from_json(kind: Callable[..., T], value: Mapping[str, Any]) -> T:
    """The dataclass `kind` from a JSON object; members that the object lacks take their defaults.

    Raises TypeError for a member that is needed and missing: the store holds what the program wrote.
    """
    declared = _declared(kind)
    return kind(**{name: _value(declared[name], value[name]) for name in declared if name in value})


@cache
def _declared(kind: Any) -> Mapping[str, Any]:
    hints = typing.get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _value(declared: Any, value: Any) -> Any:
    origin, inner = typing.get_origin(declared), typing.get_args(declared)
    if value is None or declared is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        return _value(next(one for one in inner if one is not type(None)), value)
    if origin is tuple:
        return tuple(_value(inner[0], one) for one in value)
    if declared is datetime:
        return datetime.fromisoformat(value)
    if declared is date:
        return date.fromisoformat(value)
    if is_dataclass(declared):
        kind: Callable[..., Any] = declared  # type: ignore[assignment]
        return from_json(kind, value)
    return value
