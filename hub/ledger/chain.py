"""The disclosure ledger: what was told to whom is committed and hash-chained before the answer leaves.

Many requests share one commit: while one INSERT is in flight everything that arrives becomes the next block, and
while many answers are being read, a block waits a moment for them (PostgreSQL's commit_delay and commit_siblings are
the same thought). A request that few others keep company waits for one commit and nothing else. Each process writes
a chain of its own; the processes never wait for each other. `hub.ledger.audit` reads what stands here.

The digest of a block is the hash, by the algorithm it names, of a header line and the entries as stored:

    [chain,seq,"sm3","<previous digest, hexadecimal>",committed_at,entry_count,[subject ids, rising]]\\n
    {one JSON object an entry}\\n …

with `committed_at` in microseconds since 1970 and no white space, so that `openssl dgst -sm3` can repeat it.
The header holds every other column: none of them can be changed unseen. SM3 is GB/T 32905-2016.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import asyncpg
import orjson

from hub.errors import LedgerUnavailable
from hub.store.database import STORE_FAILED, VANISHED

ALGORITHM: Final = "sm3"
# What the first block of a chain has for a predecessor.
GENESIS: Final = bytes(32)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# First key of the advisory locks by which processes share out the chains; the second is the chain's number.
CHAIN_LOCK: Final = 0x4C44_4752
# How many answers must be on their way for a block to wait for them, for how many entries, and how many seconds.
SIBLINGS: Final = 8
ENOUGH: Final = 8
DELAY: Final = 0.004
# Seconds between attempts to reach a database that is away: soon at first, so that a restart costs little.
FIRST_DELAY: Final = 0.02
LONGEST_DELAY: Final = 0.5

# Seconds by which a block may be dated before the one that it follows. Else the clock was ahead and was put back: the chain
# rests until its end is past, for by its times, which rise, what stands in it is found.
PUT_BACK: Final = 60.0

_TAIL = "SELECT seq, digest, committed_at FROM ledger_block WHERE chain = $1 ORDER BY seq DESC LIMIT 1"
_APPEND = (
    "INSERT INTO ledger_block"
    " (chain, seq, committed_at, algorithm, previous, digest, entries, entry_count, subjects) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One answer that is about to leave: who asked, why, about whom, and what kinds of data at which level.

    `at` is seconds since 1970. `view` and `operation` are digests. `subjects` are ids of the store. `classes`
    are those of which the fields asked for may tell, "D1=FULL D6=MASKED". `sources` tells the age of what live
    sources gave, as JSON values. `at_most`: a command or a case was asked for, so `classes` are all of the view. `view_as`:
    through whose eyes an auditor looked, partner/PURPOSE.
    """

    at: float
    request_id: str
    partner: str
    officer: str
    token_id: str
    purpose: str
    matter: str | None
    case: str | None
    view: str
    operation: str
    subjects: Sequence[int]
    classes: str
    sources: Sequence[object] | None = None
    at_most: bool = False
    view_as: str | None = None


def encode(entry: Disclosure) -> bytes:
    """The line that is hashed and stored, with its line end. TypeError: a value is not JSON."""
    line: dict[str, object] = {
        "at": entry.at,
        "request": entry.request_id,
        "partner": entry.partner,
        "officer": entry.officer,
        "token": entry.token_id,
        "purpose": entry.purpose,
        "matter": entry.matter,
        "case": entry.case,
        "view": entry.view,
        "operation": entry.operation,
        "subjects": entry.subjects,
        "classes": entry.classes,
    }
    if entry.sources is not None:
        line["sources"] = entry.sources
    # Only where it holds: the entries of queries, which are most, stay as short as they are.
    if entry.at_most:
        line["at_most"] = True
    if entry.view_as is not None:
        line["view_as"] = entry.view_as
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def block_digest(
    algorithm: str,
    chain: int,
    seq: int,
    previous: bytes,
    committed_at: int,
    entry_count: int,
    subjects: Sequence[int],
    entries: bytes,
) -> bytes:
    """The digest of a block as the module's docstring defines it. ValueError: OpenSSL lacks the algorithm."""
    header = [chain, seq, algorithm, previous.hex(), committed_at, entry_count, subjects]
    state = hashlib.new(algorithm, orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE))
    state.update(entries)
    return state.digest()


class _Coming:
    """Counts the answers that are being read: within `with`, another one."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *error: object) -> None:
        self.count -= 1


class _Block:
    """Entries that will share a commit, and the requests that wait for it."""

    __slots__ = ("expiry", "lines", "subjects", "waiters")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.subjects: set[int] = set()
        self.waiters: list[asyncio.Future[None]] = []
        self.expiry: asyncio.TimerHandle | None = None

    def settle(self, problem: str | None) -> None:
        """Let the waiting requests go on, or tell them the problem. A second call does nothing."""
        if self.expiry is not None:
            self.expiry.cancel()
        for waiter in self.waiters:
            if waiter.done():
                continue
            if problem is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(LedgerUnavailable(problem))
                # A request that was given up never asks for this outcome: not worth a log line.
                waiter.exception()
        self.waiters.clear()


_REHEARSED = _Block()
_REHEARSED.lines.append(b"{}\n")


class _Session:
    """A connection that holds the lock of its chain, and the place where that chain ends."""

    def __init__(
        self,
        connection: asyncpg.Connection[Any],
        append: Any,
        chain: int,
        seq: int = 0,
        digest: bytes = GENESIS,
        last: float = 0.0,
    ) -> None:
        """`last`: when the block was committed with which the chain ends."""
        self.connection = connection
        self.chain = chain
        self._append = append
        self.seq = seq
        self._digest = digest
        self._last = last

    def is_ahead(self, now: float) -> bool:
        """Whether the chain ends in what is still to come."""
        return self._last > now + PUT_BACK

    async def write(self, block: _Block, now: float) -> None:
        """Commit the block as the next one of the chain."""
        self.seq, self._digest = await self._insert(block, now)
        self._last = max(self._last, now)

    async def rehearse(self, now: float) -> None:
        """Write a block and take it back: what keeps the store from taking any is found before somebody asks."""
        attempt = self.connection.transaction()
        await attempt.start()
        try:
            await self._insert(_REHEARSED, now)
        finally:
            await attempt.rollback()

    async def _insert(self, block: _Block, now: float) -> tuple[int, bytes]:
        seq = self.seq + 1
        committed_at = int(now * 1_000_000)
        subjects = sorted(block.subjects)
        entries = b"".join(block.lines)
        size = len(block.lines)
        digest = block_digest(ALGORITHM, self.chain, seq, self._digest, committed_at, size, subjects, entries)
        moment = EPOCH + timedelta(microseconds=committed_at)
        await self._append.fetch(
            self.chain, seq, moment, ALGORITHM, self._digest, digest, entries, size, subjects
        )
        return seq, digest


async def rehearse(connection: asyncpg.Connection[Any]) -> None:
    """Write a block of a chain that nobody has, and take it back. Errors: what the store says of it."""
    await _Session(connection, await connection.prepare(_APPEND), 0).rehearse(time.time())


class Ledger:
    """The writing end of the ledger in one process.

    `timeout` in seconds bounds what a request waits from `submit` to its outcome. `clock` gives seconds since
    1970 and dates the blocks. The database role needs INSERT and SELECT on `ledger_block`, nothing else.
    """

    def __init__(self, dsn: str, *, timeout: float = 2.0, clock: Callable[[], float] = time.time) -> None:
        self._dsn = dsn
        self._timeout = timeout
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._session: _Session | None = None
        self._gathering: _Block | None = None
        self._idle: asyncio.Future[None] | None = None
        self._stopping = False
        # Around what the store is asked for an answer, which is recorded next.
        self.coming = _Coming()

    @property
    def chain(self) -> int | None:
        """The chain this process writes now; None while the database is away or takes nothing: then it is not ready."""
        session = self._session
        return None if session is None or session.connection.is_closed() else session.chain

    async def start(self) -> None:
        """Claim a chain and begin. LedgerUnavailable: no SM3 here, or no database that can be written."""
        try:
            hashlib.new(ALGORITHM)
        except ValueError as problem:
            raise LedgerUnavailable(
                "The OpenSSL of this Python has no SM3: the ledger needs 1.1.1 or later, built without no-sm3"
            ) from problem
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._session = await self._connect()
        self._task = self._loop.create_task(self._run(), name="ledger")

    async def stop(self) -> None:
        """Commit what waits, within the timeout, and give the chain back."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self._wake()
        # Twice the bound: one for what waits, one for taking leave of a database that may be frozen.
        await asyncio.wait({task}, timeout=2 * self._timeout)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._drop_gathering("The ledger is stopped")

    async def record(self, entry: Disclosure) -> None:
        """Return when the entry is committed. LedgerUnavailable: it may not be, the answer must not leave."""
        await self.submit(entry)

    def submit(self, entry: Disclosure) -> asyncio.Future[None]:
        """Queue the entry at once and return its outcome, to be awaited before the answer leaves.

        LedgerUnavailable, here or from the outcome: the answer must not leave.
        """
        if self._task is None or self._loop is None:
            raise LedgerUnavailable("The ledger is not running")
        try:
            line = encode(entry)
        except TypeError as problem:
            raise LedgerUnavailable("The entry is not JSON") from problem
        block = self._gathering
        if block is None:
            block = self._gathering = _Block()
            block.expiry = self._loop.call_later(self._timeout, self._expire, block)
            self._wake()
        waiter = self._loop.create_future()
        block.lines.append(line)
        block.subjects.update(entry.subjects)
        block.waiters.append(waiter)
        if len(block.lines) == ENOUGH:
            self._wake()
        return waiter

    def _wake(self) -> None:
        idle = self._idle
        if idle is not None and not idle.done():
            idle.set_result(None)

    def _expire(self, block: _Block) -> None:
        """Give up a block whose oldest entry has waited for the whole timeout."""
        block.settle("The ledger was not written in time")
        if block is self._gathering:
            self._gathering = None
        elif self._session is not None:
            # In flight. To cancel would wait for a server that may be frozen (asyncpg issue 1326): hang up.
            self._session.connection.terminate()

    def _drop_gathering(self, problem: str) -> None:
        block, self._gathering = self._gathering, None
        if block is not None:
            block.settle(problem)

    async def _run(self) -> None:
        delay = FIRST_DELAY
        try:
            while True:
                if self._session is not None:
                    delay = FIRST_DELAY
                    await self._write_blocks(self._session)
                    self._session = None
                if self._stopping:
                    return
                try:
                    self._session = await self._connect()
                except LedgerUnavailable as problem:
                    if delay == FIRST_DELAY:
                        _log.warning("ledger database away: %s", type(problem.__cause__).__name__)
                    await asyncio.sleep(delay)
                    delay = min(2 * delay, LONGEST_DELAY)
        finally:
            if self._session is not None:
                self._session.connection.terminate()
                self._session = None
            self._drop_gathering("The ledger is stopped")

    async def _write_blocks(self, session: _Session) -> None:
        """Write block after block until the connection fails or the ledger is stopped and nothing waits."""
        assert self._loop is not None
        while True:
            if self._gathering is not None:
                await self._wait_for_more(self._gathering)
            if session.connection.is_closed() or session.is_ahead(self._clock()):
                # What gathers was not sent: it is for the next connection, as whatever comes while there is none.
                session.connection.terminate()
                return
            block, self._gathering = self._gathering, None
            if block is None:
                if self._stopping:
                    await self._leave(session.connection)
                    return
                self._idle = self._loop.create_future()
                await self._idle
                continue
            try:
                await session.write(block, self._clock())
            except BaseException as problem:
                # Nobody may be answered on the strength of this block, though it may stand in the database:
                # the next session reads where the chain really ends and goes on from there.
                block.settle("The ledger could not be written")
                session.connection.terminate()
                if not isinstance(problem, Exception):
                    raise
                _log.warning("ledger block not written: %s", type(problem).__name__)
                return
            block.settle(None)

    async def _wait_for_more(self, block: _Block) -> None:
        """Wait while many others are about to record: a commit costs the store as much for one entry as for eight."""
        assert self._loop is not None
        if self.coming.count < SIBLINGS or len(block.lines) >= ENOUGH or self._stopping:
            return
        self._idle = self._loop.create_future()
        timer = self._loop.call_later(DELAY, self._wake)
        await self._idle
        timer.cancel()

    async def _leave(self, connection: asyncpg.Connection[Any]) -> None:
        assert self._loop is not None
        watchdog = self._loop.call_later(self._timeout, connection.terminate)
        try:
            await connection.close()
        except STORE_FAILED:
            connection.terminate()
        finally:
            watchdog.cancel()

    async def _connect(self) -> _Session:
        """Open the connection, claim the lowest free chain and read where it ends."""
        assert self._loop is not None
        milliseconds = str(int(self._timeout * 1000))
        settings = {
            "application_name": "credithub-ledger",
            # Said here so that no setting of role, database or server can turn durability off.
            "synchronous_commit": "on",
            "statement_timeout": milliseconds,
            "lock_timeout": milliseconds,
            "jit": "off",
            # A worker that vanished without a word gives its chain back.
            **VANISHED,
        }
        connection: asyncpg.Connection[Any] | None = None
        watchdog: asyncio.TimerHandle | None = None
        try:
            connection = await asyncpg.connect(self._dsn, timeout=self._timeout, server_settings=settings)
            watchdog = self._loop.call_later(self._timeout, connection.terminate)
            session = await _claimed(connection, self._clock())
            await session.rehearse(self._clock())
            connection.add_termination_listener(lambda _: self._wake())
        except BaseException as problem:
            if connection is not None:
                connection.terminate()
            if not isinstance(problem, Exception):
                raise
            raise LedgerUnavailable("The ledger's database cannot be reached or written") from problem
        finally:
            if watchdog is not None:
                watchdog.cancel()
        _log.info("ledger chain %d goes on after block %d", session.chain, session.seq)
        return session


async def _claimed(connection: asyncpg.Connection[Any], now: float) -> _Session:
    """The lowest chain that nobody writes and that does not end in what is still to come, locked until the connection ends.

    PostgreSQL frees the lock when the backend is gone, so after a failure the tail that the next holder reads
    is final: an INSERT without an answer has by then happened or never will.
    """
    append = await connection.prepare(_APPEND)
    for chain in count(1):
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", CHAIN_LOCK, chain):
            continue
        tail = await connection.fetchrow(_TAIL, chain)
        if tail is None:
            return _Session(connection, append, chain)
        last = tail["committed_at"].timestamp()
        session = _Session(connection, append, chain, tail["seq"], tail["digest"], last)
        if not session.is_ahead(now):
            return session
        await connection.execute("SELECT pg_advisory_unlock($1, $2)", CHAIN_LOCK, chain)
    raise AssertionError("unreachable")
