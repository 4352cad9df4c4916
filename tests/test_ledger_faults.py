"""The disclosure ledger when PostgreSQL dies, freezes, drops a connection or loses an answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import pytest

from hub.errors import LedgerUnavailable
from hub.ledger.audit import verify, who_saw
from hub.ledger.chain import Ledger
from hub.store.database import Role, as_user
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from tests.conftest import Database
from tests.disclosures import disclosure

pytestmark = pytest.mark.alone

CYCLES = 5
CLIENTS = 8
TIMEOUT = 0.5


@pytest.fixture
def server(disk_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A server to kill. Its configuration gives up durability, which the ledger must not accept."""
    own = EmbeddedPostgres(disk_dir / "killed", {"synchronous_commit": "off", "shared_buffers": "32MB"})
    own.start()
    yield own
    own.destroy()


def processes(server: EmbeddedPostgres) -> list[int]:
    """The server's process and those of its connections."""
    assert server.pid is not None
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii")
    return [server.pid, *map(int, children.split())]


def send(server: EmbeddedPostgres, number: signal.Signals) -> None:
    """Send the signal to every process of the server, the first one first."""
    for pid in processes(server):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def answered_again(acknowledged: set[str]) -> None:
    """Wait until one more entry is acknowledged; ten seconds are too long."""
    before = len(acknowledged)
    for _ in range(1000):
        if len(acknowledged) > before:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the ledger did not come back within ten seconds")


async def recorded(connection: asyncpg.Connection) -> set[str]:
    """The request ids that stand in the ledger."""
    blocks = await connection.fetch("SELECT entries FROM ledger_block")
    return {json.loads(line)["request"] for block in blocks for line in block[0].splitlines()}


@asynccontextmanager
async def load(ledger: Ledger, acknowledged: set[str]) -> AsyncIterator[None]:
    """Clients that record without a pause and note what was acknowledged; refusals must come in time."""
    running = True

    async def client(subject: int) -> None:
        while running:
            entry = disclosure(0, (subject,), request_id=uuid4().hex)
            start = time.monotonic()
            try:
                await ledger.record(entry)
                acknowledged.add(entry.request_id)
            except LedgerUnavailable:
                assert time.monotonic() - start < TIMEOUT + 0.5

    clients = [asyncio.create_task(client(subject)) for subject in range(CLIENTS)]
    try:
        yield
    finally:
        running = False
        await asyncio.gather(*clients)


async def test_nothing_acknowledged_is_lost_when_postgresql_is_killed(server: EmbeddedPostgres) -> None:
    """The ledger asks for a synchronous commit by itself, so this holds on a server configured without.

    That the test has teeth was seen by taking `synchronous_commit` out of the ledger's connection settings:
    three runs found 2,712, 1,000 and 3,320 acknowledged entries lost after the first kill that lost any.
    """
    await migrated(server.dsn())
    ledger = Ledger(as_user(server.dsn(), Role.WRITER), timeout=TIMEOUT)
    await ledger.start()
    acknowledged: set[str] = set()
    for _ in range(CYCLES):
        async with load(ledger, acknowledged):
            await asyncio.sleep(0.3)
            send(server, signal.SIGKILL)
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            await answered_again(acknowledged)
        connection = await asyncpg.connect(as_user(server.dsn(), Role.AUDITOR))
        stored = await recorded(connection)
        (await verify(connection)).require_intact()
        await connection.close()
        assert len(acknowledged - stored) == 0
    assert len(acknowledged) > 100 * CYCLES
    await ledger.stop()


async def test_a_frozen_postgresql_is_refused_in_time_and_used_again_later(server: EmbeddedPostgres) -> None:
    await migrated(server.dsn())
    ledger = Ledger(as_user(server.dsn(), Role.WRITER), timeout=TIMEOUT)
    await ledger.start()
    acknowledged: set[str] = set()
    async with load(ledger, acknowledged):
        await asyncio.sleep(0.2)
        send(server, signal.SIGSTOP)
        try:
            await asyncio.sleep(2.5 * TIMEOUT)
            frozen = len(acknowledged)
            assert ledger.chain is None
            start = time.monotonic()
            with pytest.raises(LedgerUnavailable):
                await Ledger(as_user(server.dsn(), Role.WRITER), timeout=TIMEOUT).start()
            assert time.monotonic() - start < TIMEOUT + 0.5
            assert len(acknowledged) == frozen
        finally:
            send(server, signal.SIGCONT)
        await answered_again(acknowledged)
    await ledger.stop()
    connection = await asyncpg.connect(as_user(server.dsn(), Role.AUDITOR))
    (await verify(connection)).require_intact()
    assert acknowledged <= await recorded(connection)
    await connection.close()


async def test_a_stop_ends_in_time_though_postgresql_is_frozen(server: EmbeddedPostgres) -> None:
    await migrated(server.dsn())
    ledger = Ledger(as_user(server.dsn(), Role.WRITER), timeout=TIMEOUT)
    await ledger.start()
    send(server, signal.SIGSTOP)
    try:
        waiting = ledger.submit(disclosure(1))
        start = time.monotonic()
        await ledger.stop()
        assert time.monotonic() - start < 2 * TIMEOUT + 0.5
        with pytest.raises(LedgerUnavailable):
            await waiting
    finally:
        send(server, signal.SIGCONT)


async def test_a_connection_cut_under_load_costs_its_block_and_no_acknowledged_entry(
    database: Database,
) -> None:
    ledger = Ledger(database.writer_dsn, timeout=TIMEOUT)
    await ledger.start()
    admin = await asyncpg.connect(database.superuser_dsn)
    acknowledged: set[str] = set()
    async with load(ledger, acknowledged):
        for _ in range(10):
            await asyncio.sleep(0.05)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'credithub-ledger' AND datname = current_database()"
            )
            await answered_again(acknowledged)
    await ledger.stop()
    assert acknowledged <= await recorded(admin)
    (await verify(admin)).require_intact()
    await admin.close()


@asynccontextmanager
async def relay(dsn: str, mute: asyncio.Event) -> AsyncIterator[str]:
    """The database behind a wire of ours. After `mute` the next answer is lost, and the wire with it."""
    parts = urlsplit(dsn)
    place = parse_qs(parts.query)
    socket = f"{place['host'][0]}/.s.PGSQL.{place['port'][0]}"

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lossy: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if lossy and mute.is_set():
                    mute.clear()
                    break
                writer.write(data)
        writer.close()

    async def serve(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        upstream, request = await asyncio.open_unix_connection(socket)
        await asyncio.gather(pump(client, request, False), pump(upstream, answer, True))

    wire = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with wire:
        port = wire.sockets[0].getsockname()[1]
        yield f"postgresql://{Role.WRITER}@127.0.0.1:{port}{parts.path}?sslmode=disable"


async def test_an_entry_whose_answer_was_lost_stands_and_the_chain_goes_on_after_it(
    database: Database,
) -> None:
    mute = asyncio.Event()
    auditor = await asyncpg.connect(database.auditor_dsn)
    async with relay(database.writer_dsn, mute) as dsn:
        ledger = Ledger(dsn, timeout=TIMEOUT)
        await ledger.start()
        await ledger.record(disclosure(1))
        mute.set()
        with pytest.raises(LedgerUnavailable):
            await ledger.record(disclosure(2))
        await ledger.record(disclosure(3))
        await ledger.stop()
    seen = [access.request_id for access in await who_saw(auditor, 7)]
    assert sorted(seen) == ["request-1", "request-2", "request-3"]
    report = await verify(auditor)
    report.require_intact()
    assert sum(chain.blocks for chain in report.chains) == 3
    await auditor.close()


async def test_a_chain_that_somebody_else_wrote_to_is_never_forked(database: Database) -> None:
    """A holder that lost its lock unseen, perhaps behind a pooler, cannot write the same number twice."""
    ledger = Ledger(database.writer_dsn, timeout=TIMEOUT)
    await ledger.start()
    await ledger.record(disclosure(1))
    admin = await asyncpg.connect(database.superuser_dsn)
    await admin.execute(
        "INSERT INTO ledger_block "
        "SELECT chain, 2, now(), algorithm, digest, '', entries, 1, '{}' FROM ledger_block"
    )
    with pytest.raises(LedgerUnavailable):
        await ledger.record(disclosure(2))
    await admin.execute("DELETE FROM ledger_block WHERE seq = 2")
    await ledger.stop()
    (await verify(admin)).require_intact()
    await admin.close()
