"""Turns what a live source answered into rows for the statement; rows about other subjects are not taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from connectors.contract import Connector, Item, RawRow, RowRejected, Source
from hub.rules.redactor import person_number_in
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
    """Read the rows that `connector` gave for `key` at `now` (epoch).

    A record given twice counts once: as it was changed last, whatever stands first. Where that does not tell which of
    its states is the later one, none counts.
    """
    source = connector.source
    given: dict[str, list[_State]] = {}
    complete = truthful = True
    for raw in answer:
        try:
            item = connector.canonical(raw)
            if not _is_about(source, item, key):
                on_rejected(source, raw, "OTHER_SUBJECT", "the row is about another subject")
                truthful = False
                continue
            row = None if item.deleted else _row(source, classify, key, item, raw, now)
            if row is not None:
                _check(item, row)
            given.setdefault(item.source_record_id, []).append(_State(raw, row, item.source_updated_at))
        except RowRejected as error:
            on_rejected(source, raw, error.code, error.reason)
            complete = False
    rows = []
    for states in given.values():
        last = _last(states)
        if any(one.said != last[0].said for one in last):
            reason = "the record stands in the answer in two states, and nothing tells which is the later one"
            # The same one in whatever order they come: a row that a person has dismissed waits again once its bytes are others.
            on_rejected(source, min((one.raw for one in last), key=lambda raw: raw.raw), "TWO_STATES", reason)
            complete = False
        elif last[0].row is not None:
            rows.append(last[0].row)
    return Understood(rows, complete, truthful)


@dataclass(frozen=True)
class _State:
    """A record as one row of the answer has it: as a row of the statement, None where it has ended; and changed when."""

    raw: RawRow
    row: dict[str, Any] | None
    changed: datetime | None

    @property
    def said(self) -> Mapping[str, Any] | None:
        """What it says, without how and when it was said."""
        if self.row is None:
            return None
        return {
            name: value
            for name, value in self.row.items()
            if name not in ("payload_digest", "source_updated_at")
        }


def _last(states: Sequence[_State]) -> Sequence[_State]:
    """Those that may be the last one."""
    latest = max((one.changed for one in states if one.changed is not None), default=None)
    return [one for one in states if one.changed is None or one.changed == latest]


def _is_about(source: Source, item: Item, key: str) -> bool:
    return any(
        scheme == source.key_scheme and len(value) <= 64 and fold(value) == key
        for scheme, value in item.subject.identifiers
    )


def _check(item: Item, row: Mapping[str, Any]) -> None:
    """What the intake asks of a harvested row, for nobody else reads a live one. Raises RowRejected."""
    if len(item.source_record_id) > 200:
        raise RowRejected("NO_RECORD_ID", "the source's name for the record is too long")
    try:
        text = orjson.dumps([row[name] for name in ("source_record_id", *item.values)])
    except TypeError:
        raise RowRejected("NOT_TEXT", "a value is no Unicode text") from None
    if b"\\u0000" in text:
        raise RowRejected("NOT_TEXT", "a value holds the character NUL")
    if person_number_in(text):
        raise RowRejected("PERSON_NUMBER_IN_TEXT", "a text holds what looks like a resident ID number")


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
