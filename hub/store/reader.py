"""The read path's connections: prepared statements on connections that the worker keeps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import asyncpg

from hub.config import Settings
from hub.errors import BadUserInput, StoreUnavailable
from hub.recent import Recent
from hub.store.database import NOT_ANSWERED, Role, open_pool

# Statements kept ready on each connection; the server keeps the plan of each in its memory.
STATEMENTS = 128
# How long a request waits for a connection.
WAIT_SECONDS = 0.5

# The server is away, overloaded or too slow; any other error of its is a fault of the statement.
_AWAY = (
    *NOT_ANSWERED,
    OSError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
)


class Reader:
    """Some connections as the read-only role, taken in turn, each with its own prepared statements."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Take all connections of `pool`; see `open`."""
        self._pool = pool
        self._idle: deque[_Line] = deque()
        self._waiting: deque[asyncio.Future[_Line]] = deque()
        # Connections there should be, and those of them that are lost.
        self._size = self._missing = 0

    @classmethod
    async def open(cls, settings: Settings, size: int | None = None) -> Reader:
        """Open `size` connections (HUB_POOL_SIZE by default). Errors: StoreUnavailable, StoreInvalid."""
        pool = await open_pool(settings, Role.READER, size)
        reader = cls(pool)
        for _ in range(size or settings.pool_size):
            reader._idle.append(_Line(await pool.acquire()))
        reader._size = len(reader._idle)
        return reader

    async def close(self) -> None:
        """Close the connections."""
        self._pool.terminate()

    async def row(self, sql: str, arguments: Sequence[Any], anew: bool = False) -> Any:
        """The one row of `sql`. Raises StoreUnavailable when it does not come in time.

        `anew`: planned for these values, where the connection's usual plan is one for all.
        """
        line = self._idle.pop() if self._idle else await self._wait()
        try:
            if line.anew is not anew:
                await line.plan(anew)
            statement = line.statements.get(sql)
            if statement is None:
                statement = await line.prepare(sql)
            found = await statement.fetchrow(*arguments)
        except BaseException as error:
            await self._failed(line, error)
            raise _told(error) from error
        self._give(line)
        return found

    async def rows(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """All rows of `sql`. Raises StoreUnavailable when they do not come in time."""
        line = self._idle.pop() if self._idle else await self._wait()
        try:
            if line.anew:
                await line.plan(anew=False)
            statement = line.statements.get(sql)
            if statement is None:
                statement = await line.prepare(sql)
            found: list[Any] = await statement.fetch(*arguments)
        except BaseException as error:
            await self._failed(line, error)
            raise _told(error) from error
        self._give(line)
        return found

    def _give(self, line: _Line) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(line)
                return
        self._idle.append(line)

    async def _wait(self) -> _Line:
        if self._missing:
            # Taken before it is there: whoever comes meanwhile waits for one that is.
            self._missing -= 1
            try:
                return _Line(await self._pool.acquire(timeout=WAIT_SECONDS))
            except BaseException as error:
                self._lost()
                if isinstance(error, (*NOT_ANSWERED, OSError, asyncpg.PostgresError)):
                    raise StoreUnavailable from error
                raise
        waiter: asyncio.Future[_Line] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        # Whatever ends the waiting may come in the turn in which a connection is given: then the waiter alone has it.
        # Not wait_for: what it does then is not the same in all versions of Python.
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiter
        except TimeoutError:
            given = _given(waiter)
            if given is None:
                raise StoreUnavailable from None
            return given
        except asyncio.CancelledError:
            given = _given(waiter)
            if given is not None:
                self._give(given)
            raise

    async def _failed(self, line: _Line, error: BaseException) -> None:
        """Keep a connection whose statement only failed; give up one whose state is unknown."""
        if isinstance(error, asyncpg.PostgresError) and not line.is_gone:
            line.statements.clear()
            self._give(line)
            return
        await self._lose(line)
        # When the server went away, all its connections did: the next requests shall not find out one by one.
        alive: deque[_Line] = deque()
        lost: list[_Line] = []
        for one in self._idle:
            (lost if one.is_gone else alive).append(one)
        self._idle = alive
        for one in lost:
            await self._lose(one)

    def _lost(self) -> None:
        """One connection less: when none is left, nobody shall wait for it; the next request opens another."""
        self._missing += 1
        if self._missing < self._size:
            return
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(StoreUnavailable())
        self._waiting.clear()

    async def _lose(self, line: _Line) -> None:
        self._lost()
        # What the server closed, the pool has taken back by itself.
        if not line.is_gone:
            line.connection.terminate()
        await self._pool.release(line.connection)


def _given(waiter: asyncio.Future[_Line]) -> _Line | None:
    """The connection that `waiter` was given, if it was."""
    if not waiter.done() or waiter.cancelled() or waiter.exception() is not None:
        return None
    return waiter.result()


def _told(error: BaseException) -> BaseException:
    """What a failed statement means to the caller."""
    if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        return BadUserInput("A value holds a character that the store cannot keep.")
    if isinstance(error, _AWAY) and not isinstance(error, asyncpg.DataError | ValueError):
        return StoreUnavailable()
    return error


class _Line:
    """A connection and the statements prepared on it."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements: Recent[str, Any] = Recent(STATEMENTS)
        # Whether it plans each statement for its values.
        self.anew = False

    @property
    def is_gone(self) -> bool:
        try:
            return bool(self.connection.is_closed())
        except asyncpg.InterfaceError:
            return True

    async def plan(self, anew: bool) -> None:
        mode = "force_custom_plan" if anew else "force_generic_plan"
        await self.connection.execute(f"SET plan_cache_mode = {mode}")
        self.anew = anew

    async def prepare(self, sql: str) -> Any:
        return self.statements.put(sql, await self.connection.prepare(sql))
