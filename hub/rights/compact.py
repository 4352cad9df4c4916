"""The compact form of a signed token (RFC 7515 §7.1), read so that it has one spelling and one meaning."""

from __future__ import annotations

import base64
import json
import re
from typing import Final, NoReturn

_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


def read_compact(token: bytes) -> tuple[dict[str, object], dict[str, object]]:
    """Return header and claims, neither verified.

    Raises ValueError, whose words are not for callers, unless there are three parts in canonical base64url,
    the first two JSON objects in UTF-8 without NaN and without a name that stands twice.
    """
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise ValueError("not three parts of base64url")
    _decoded(parts[3])
    try:
        return _object(parts[1]), _object(parts[2])
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _decoded(part: bytes) -> bytes:
    raw = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part:
        raise ValueError("bits beyond the last byte")
    return raw


def _object(part: bytes) -> dict[str, object]:
    value = json.loads(_decoded(part).decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # The first or the last one would count, depending on who reads it.
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
