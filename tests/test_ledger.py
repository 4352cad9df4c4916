"""The disclosure ledger: group commit, chains, the rights of the roles, and who saw a subject."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from cryptography.hazmat.primitives import hashes

from hub.errors import LedgerUnavailable
from hub.ledger import chain
from hub.ledger.audit import verify, who_saw
from hub.ledger.chain import EPOCH, Ledger
from tests.conftest import Database
from tests.disclosures import disclosure


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """A running ledger on a fresh store."""
    running = Ledger(database.writer_dsn, timeout=20)
    await running.start()
    yield running
    await running.stop()


@contextmanager
def company(ledger: Ledger) -> Iterator[None]:
    """As many answers are being read as a block waits for."""
    with ExitStack() as others:
        for _ in range(chain.SIBLINGS):
            others.enter_context(ledger.coming)
        yield


async def sizes(connection: asyncpg.Connection) -> list[int]:
    """The entry counts of all blocks, in order."""
    rows = await connection.fetch("SELECT entry_count FROM ledger_block ORDER BY chain, seq")
    return [row[0] for row in rows]


async def test_requests_at_the_same_time_share_a_commit(ledger: Ledger, auditor: asyncpg.Connection) -> None:
    async def partner(first: int) -> None:
        for number in range(first, first + 20):
            await ledger.record(disclosure(number, (number,)))

    await asyncio.gather(*(partner(1000 * client) for client in range(32)))
    written = await sizes(auditor)
    assert sum(written) == 640
    assert len(written) <= 80
    (await verify(auditor)).require_intact()


async def test_what_arrives_during_a_commit_is_the_next_block(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    first = ledger.submit(disclosure(1, (3,)))
    # One turn of the loop wakes the writer, the next one sends the block.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [ledger.submit(disclosure(number, (5, 4))) for number in (2, 3, 4)]
    await asyncio.gather(first, *later)
    assert await sizes(auditor) == [1, 3]
    assert await auditor.fetchval("SELECT subjects FROM ledger_block WHERE seq = 2") == [4, 5]


async def test_a_block_waits_while_many_answers_are_being_read(
    ledger: Ledger, auditor: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "DELAY", 60)
    with company(ledger):
        first = ledger.submit(disclosure(1))
        await asyncio.sleep(0.05)
        assert not first.done()
        assert await sizes(auditor) == []
        # A full block does not wait.
        await asyncio.gather(*(ledger.submit(disclosure(number)) for number in range(2, chain.ENOUGH + 1)))
        assert first.done()
        assert await sizes(auditor) == [chain.ENOUGH]
    # Nor does one that few others keep company.
    assert ledger.coming.count == 0
    await ledger.record(disclosure(9))
    assert await sizes(auditor) == [chain.ENOUGH, 1]


async def test_a_block_waits_a_moment_only(ledger: Ledger, auditor: asyncpg.Connection) -> None:
    with company(ledger):
        await ledger.record(disclosure(1))
    assert await sizes(auditor) == [1]


async def test_a_block_that_waits_for_others_is_written_when_the_ledger_stops(
    ledger: Ledger, auditor: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "DELAY", 60)
    with company(ledger):
        waiting = ledger.submit(disclosure(1))
        await asyncio.sleep(0.05)
        await ledger.stop()
    assert await waiting is None
    assert await sizes(auditor) == [1]


async def test_a_block_that_waits_for_others_outlives_the_connection(
    ledger: Ledger, auditor: asyncpg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it was sent: the next connection writes it, as it writes what came while there was none."""
    monkeypatch.setattr(chain, "DELAY", 60)
    with company(ledger):
        waiting = ledger.submit(disclosure(1))
        await asyncio.sleep(0.05)
        superuser = await asyncpg.connect(database.superuser_dsn)
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'credithub-ledger' AND datname = current_database()"
        )
        await superuser.close()
        monkeypatch.setattr(chain, "DELAY", 0.004)
        assert await waiting is None
    assert await sizes(auditor) == [1]


async def test_an_entry_stands_in_the_database_when_record_returns(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    for number in range(5):
        await ledger.record(disclosure(number))
        assert len(await sizes(auditor)) == number + 1


async def test_an_entry_is_one_line_of_json_that_says_all(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    source = {"source": "CUSTOMS", "age": 12}
    await ledger.record(disclosure(1, (), at=1.5, case=None, sources=[source]))
    stored = await auditor.fetchval("SELECT entries FROM ledger_block")
    assert stored.endswith(b"}\n")
    assert json.loads(stored) == {
        "at": 1.5,
        "request": "request-1",
        "partner": "customs",
        "officer": "officer-17",
        "token": "token-1",
        "purpose": "MARKET_ACCESS_CHECK",
        "matter": "000131001",
        "case": None,
        "view": "ab" * 16,
        "operation": "cd" * 16,
        "subjects": [],
        "classes": "D1=FULL D6=MASKED",
        "sources": [source],
    }


async def test_an_entry_says_where_its_classes_are_a_bound(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    await ledger.record(disclosure(1))
    await ledger.record(disclosure(2, at_most=True))
    first, second = await who_saw(auditor, 7)
    assert (first.at_most, second.at_most) == (False, True)
    stored = await auditor.fetch("SELECT entries FROM ledger_block ORDER BY seq")
    assert [b"at_most" in row[0] for row in stored] == [False, True]


async def test_anybody_can_repeat_the_digest_by_another_sm3(
    database: Database, auditor: asyncpg.Connection
) -> None:
    ledger = Ledger(database.writer_dsn, timeout=20, clock=lambda: 1_700_000_000.25)
    await ledger.start()
    await ledger.record(disclosure(1, (9, 2, 9)))
    await ledger.stop()
    block = await auditor.fetchrow("SELECT * FROM ledger_block")
    header = f'[1,1,"sm3","{"00" * 32}",1700000000250000,1,[2,9]]\n'
    state = hashes.Hash(hashes.SM3())
    state.update(header.encode() + block["entries"])
    assert block["digest"] == state.finalize()
    assert block["committed_at"] == EPOCH + timedelta(seconds=1_700_000_000.25)


async def test_each_writer_has_a_chain_of_its_own_and_a_later_one_goes_on(
    database: Database, auditor: asyncpg.Connection
) -> None:
    writers = [Ledger(database.writer_dsn, timeout=20) for _ in range(3)]
    for writer in writers:
        await writer.start()
    assert [writer.chain for writer in writers] == [1, 2, 3]
    await asyncio.gather(*(writer.record(disclosure(n)) for n in range(9) for writer in writers))
    await writers[1].stop()
    heir = Ledger(database.writer_dsn, timeout=20)
    await heir.start()
    assert heir.chain == 2
    await heir.record(disclosure(99))
    for writer in (writers[0], writers[2], heir):
        await writer.stop()
    report = await verify(auditor)
    report.require_intact()
    assert [(chain.chain, chain.entries) for chain in report.chains] == [(1, 9), (2, 10), (3, 9)]


async def test_a_request_that_gives_up_leaves_its_entry_and_disturbs_nobody(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    leaving = asyncio.create_task(ledger.record(disclosure(1)))
    staying = asyncio.create_task(ledger.record(disclosure(2)))
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(5):
        await staying
    assert leaving.cancelled()
    assert await sizes(auditor) == [2]


async def test_an_entry_that_is_not_json_is_refused_alone(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    good = ledger.submit(disclosure(1))
    with pytest.raises(LedgerUnavailable):
        ledger.submit(disclosure(2, officer=object()))
    await good
    assert await sizes(auditor) == [1]


async def test_a_subject_that_is_no_id_fails_its_block_and_not_the_next(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    with pytest.raises(LedgerUnavailable):
        await ledger.record(disclosure(1, (2**63,)))
    await ledger.record(disclosure(2))
    assert [access.request_id for access in await who_saw(auditor, 7)] == ["request-2"]


async def test_a_ledger_that_does_not_run_records_nothing(database: Database) -> None:
    ledger = Ledger(database.writer_dsn, timeout=20)
    with pytest.raises(LedgerUnavailable):
        await ledger.record(disclosure(1))
    await ledger.start()
    last = ledger.submit(disclosure(2))
    await ledger.stop()
    assert await last is None
    with pytest.raises(LedgerUnavailable):
        await ledger.record(disclosure(3))


async def test_a_store_that_cannot_be_written_stops_the_start(database: Database) -> None:
    with pytest.raises(LedgerUnavailable):
        await Ledger("postgresql://hub_writer@/nowhere?host=/nonexistent").start()
    with pytest.raises(LedgerUnavailable):
        await Ledger(database.reader_dsn).start()


async def test_the_reader_sees_nothing_of_the_ledger_and_nobody_changes_it(
    database: Database, ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    await ledger.record(disclosure(1))
    denied = asyncpg.InsufficientPrivilegeError
    with pytest.raises(denied):
        await database.reader.fetch("SELECT 1 FROM ledger_block")
    changes = (
        "UPDATE ledger_block SET entries = ''",
        "DELETE FROM ledger_block",
        "TRUNCATE ledger_block",
        "DROP TABLE ledger_block",
        "ALTER TABLE ledger_block DISABLE TRIGGER ALL",
    )
    for statement in changes:
        for connection in (database.writer, auditor):
            with pytest.raises(denied):
                await connection.execute(statement)
    with pytest.raises(denied):
        await auditor.execute("INSERT INTO ledger_block SELECT * FROM ledger_block")
    assert await database.writer.fetchval("SELECT count(*) FROM ledger_block") == 1


async def test_who_saw_tells_every_disclosure_of_one_subject_and_of_no_other(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    # Times that are no whole numbers of microseconds, and less than the nearest.
    now = 1_700_000_000.0000007
    entries = [
        disclosure(1, (7, 8), at=now - 20, partner="tax"),
        disclosure(2, (77,), at=now - 15),
        disclosure(3, (8, 7), at=now - 10, matter=None, case=None, classes="D1=FULL"),
        disclosure(4, (8,), at=now - 5, request_id="7"),
        disclosure(5, (7,), at=now, partner="mall"),
    ]
    await asyncio.gather(*(ledger.record(entry) for entry in reversed(entries)))
    seen = await who_saw(auditor, 7)
    assert [access.request_id for access in seen] == ["request-1", "request-3", "request-5"]
    second = seen[1]
    assert second.at == datetime.fromtimestamp(now - 10, UTC)
    assert (second.partner, second.officer, second.purpose) == (
        "customs",
        "officer-17",
        "MARKET_ACCESS_CHECK",
    )
    assert (second.matter, second.case, second.classes) == (None, None, "D1=FULL")
    assert (second.view, second.operation) == ("ab" * 16, "cd" * 16)
    since, until = seen[1].at, seen[2].at
    assert [access.request_id for access in await who_saw(auditor, 7, since, until)] == ["request-3"]
    assert await who_saw(auditor, 9) == []


async def test_who_saw_reads_the_index_and_not_the_whole_ledger(
    superuser: asyncpg.Connection, auditor: asyncpg.Connection
) -> None:
    await superuser.execute(
        "INSERT INTO ledger_block SELECT 1, n, now(), 'sm3', '', '', '', 1, ARRAY[n, n + 1] "
        "FROM generate_series(1, 20000) n"
    )
    await superuser.execute("VACUUM ANALYZE ledger_block")
    async with auditor.transaction():
        before = await auditor.fetchval("SELECT pg_stat_get_xact_blocks_fetched('ledger_block'::regclass)")
        assert await who_saw(auditor, 4711) == []
        after = await auditor.fetchval("SELECT pg_stat_get_xact_blocks_fetched('ledger_block'::regclass)")
    assert after - before <= 5
