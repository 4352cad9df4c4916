"""Services on the data-sharing platform that give all their rows, in the order of a serial number."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from connectors.contract import Batch, RawRow, Unavailable
from connectors.files import json_row
from connectors.platform import Platform
from connectors.reading import json_raw

_ROWS = 1000


@dataclass(frozen=True)
class Service:
    """A service of a catalogue item: its id, its codes for "no data", the fields not taken over.

    `masked`: fields with numbers of persons, which `canonical` digests; they are in no raw bytes.
    """

    id: str
    no_data: frozenset[str]
    dropped: tuple[str, ...] = ()
    masked: frozenset[str] = frozenset()


async def pull(
    platform: Platform,
    source: str,
    services: Mapping[str, Service],
    cursor: str | None,
    hide: Callable[[Mapping[str, object]], Mapping[str, object]] = lambda row: row,
) -> AsyncIterator[Batch]:
    """The rows of each item's service after `cursor`: {item: last serial number}. Raises SourceError.

    A row that changes gets a new, greater serial number (`xh`), so none is missed. A service may give fewer rows than it
    was asked for: the last ones are those after which it has none. `hide` digests what must not be taken over as it is.
    """
    place: dict[str, int] = json.loads(cursor) if cursor else {}
    for item, service in services.items():
        while True:
            asked = {"xh": place.get(item, 0), "ts": _ROWS}
            rows = await platform.call(service.id, asked, service.no_data)
            if not rows:
                break
            try:
                numbers = [int(str(row["xh"])) for row in rows]
            except (KeyError, ValueError) as error:
                raise Unavailable(f"{service.id}: a row without its serial number") from error
            if max(numbers) <= place.get(item, 0):
                raise Unavailable(f"{service.id}: the serial numbers do not go on")
            place[item] = max(numbers)
            raw = [_row(f"{source}/{item}", service, hide(row)) for row in rows]
            yield Batch(raw, json.dumps(place))


def _row(origin: str, service: Service, row: Mapping[str, object]) -> RawRow:
    position = str(row["xh"])
    if not service.masked:
        return json_raw(origin, position, row, service.dropped)
    fields = {
        name: None if value is None else str(value)
        for name, value in sorted(row.items())
        if name not in service.dropped
    }
    return json_row(origin, position, fields, service.masked)
