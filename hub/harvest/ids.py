"""Random ids for many rows: opaque, and drawn from the system many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_bytes
from uuid import UUID

_AT_ONCE = 512


def random_ids() -> Iterator[UUID]:
    """Ids of version 4, without end. One draw of randomness serves many: a system call for each would show."""
    while True:
        drawn = token_bytes(16 * _AT_ONCE)
        for start in range(0, len(drawn), 16):
            yield UUID(bytes=drawn[start : start + 16], version=4)
