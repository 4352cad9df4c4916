"""Requests for one row each, by a key, of the same statement: those that arrive together are asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hub.errors import StoreUnavailable
from hub.store.reader import Reader

# Keys of one statement at most: in one long statement all would wait for the store, and then the store for all.
MOST = 16


class _Group:
    """Requests that differ in nothing but the key."""

    __slots__ = ("keys", "waiting")

    def __init__(self, key: Any) -> None:
        self.keys = [key]
        # Of all but the first request, in the order of their keys.
        self.waiting: list[asyncio.Future[Any]] = []


class Merging:
    """Merges requests that reach it in one turn of the event loop, or one after the other; nothing waits for a timer.

    The first request of a group asks for all. When a merged statement fails, each of its requests is then asked
    alone, so that none fails because of another; when the store does not answer in time, that is told to all.
    """

    def __init__(self, reader: Reader) -> None:
        """`reader` asks the store."""
        self._reader = reader
        self._groups: dict[tuple[Any, ...], _Group] = {}

    async def row(self, sql: str, merged_sql: str, place: int, arguments: Sequence[Any]) -> Any:
        """The one row of `sql`; `merged_sql` gives the same for an array in place of argument `place`.

        Its rows end with `ord`, the place of the key in the array, from 1. Errors: those of Reader.row.
        """
        name = (sql, *arguments[:place], *arguments[place + 1 :])
        try:
            group = self._groups.get(name)
        except TypeError:
            # A list among the arguments cannot be compared in this way; such requests are rare.
            return await self._reader.row(sql, arguments)
        if group is not None:
            waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            group.keys.append(arguments[place])
            group.waiting.append(waiter)
            if len(group.keys) >= MOST:
                del self._groups[name]
            found = await waiter
            return found if found is not None else await self._reader.row(sql, arguments)
        group = self._groups[name] = _Group(arguments[place])
        try:
            # All that already arrived goes first, and may join; and so on while each turn brings another.
            size = 0
            while size < len(group.keys) < MOST:
                size = len(group.keys)
                await asyncio.sleep(0)
        except BaseException:
            self._close(name, group)
            _settle(group, ())
            raise
        self._close(name, group)
        if not group.waiting:
            return await self._reader.row(sql, arguments)
        try:
            found = await self._reader.rows(
                merged_sql, [*arguments[:place], group.keys, *arguments[place + 1 :]]
            )
        except StoreUnavailable:
            # Nobody's fault, and asking again would make each wait twice as long as it may.
            for waiter in group.waiting:
                if not waiter.done():
                    waiter.set_exception(StoreUnavailable())
            raise
        except Exception:
            # Whose fault it is shows when each asks alone.
            found = ()
        except BaseException:
            _settle(group, ())
            raise
        own = _settle(group, found)
        return own if own is not None else await self._reader.row(sql, arguments)

    def _close(self, name: tuple[Any, ...], group: _Group) -> None:
        if self._groups.get(name) is group:
            del self._groups[name]


def _settle(group: _Group, rows: Sequence[Any]) -> Any:
    """Hand out the rows; who gets none asks alone. Gives the row of the first request."""
    by_place: dict[int, Any] = {row["ord"]: row for row in rows}
    for place, waiter in enumerate(group.waiting, 2):
        if not waiter.done():
            waiter.set_result(by_place.get(place))
    return by_place.get(1)
