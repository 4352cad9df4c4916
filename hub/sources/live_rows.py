"""Turns what a live source answered into rows for the statement; rows about other subjects are not taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.contract import Connector, Item, RawRow, RowRejected, Source
from schema.identifiers import fold

# The data class of an item.
Classify = Callable[[Source, Item], str]
# Told of every row that was not taken: its source, the row, the code and the reason; for the quarantine.
OnRejected = Callable[[Source, RawRow, str, str], None]


@dataclass(frozen=True)
class Understood:
    """What an answer says of a key."""

    rows: list[dict[str, Any]]
    # Whether every row was understood, and whether every row was about the key.
    complete: bool
    truthful: bool


def understand(
    connector: Connector,
    classify: Classify,
    on_rejected: OnRejected,
    key: str,
    answer: Sequence[RawRow],
    now: float,
) -> Understood:
    """Read the rows that `connector` gave for `key` at `now` (epoch). A row given twice counts once."""
    source = connector.source
    rows: dict[str, dict[str, Any]] = {}
    complete = truthful = True
    for raw in answer:
        try:
            item = connector.canonical(raw)
        except RowRejected as error:
            on_rejected(source, raw, error.code, error.reason)
            complete = False
            continue
        if not _is_about(source, item, key):
            on_rejected(source, raw, "OTHER_SUBJECT", "the row is about another subject")
            truthful = False
        elif not item.deleted:
            rows[item.source_record_id] = _row(source, classify, key, item, raw, now)
    return Understood(list(rows.values()), complete, truthful)


def _is_about(source: Source, item: Item, key: str) -> bool:
    return any(
        scheme == source.key_scheme and len(value) <= 64 and fold(value) == key
        for scheme, value in item.subject.identifiers
    )


def _row(source: Source, classify: Classify, key: str, item: Item, raw: RawRow, now: float) -> dict[str, Any]:
    return {
        **{name: _json(value) for name, value in item.values.items()},
        "key": key,
        "data_class": classify(source, item),
        "source": source.name,
        "source_record_id": item.source_record_id,
        "provider_name": source.provider_name,
        "provider_code": source.provider_code,
        "catalog_item_code": item.catalog_item_code,
        "sharing_attribute": "PUBLIC",
        "source_updated_at": _json(item.source_updated_at),
        "fetched_at": _json(datetime.fromtimestamp(now, UTC)),
        "payload_digest": hashlib.new("sm3", raw.raw).hexdigest(),
    }


def _json(value: object) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _json(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_json(one) for one in value]
    return value
