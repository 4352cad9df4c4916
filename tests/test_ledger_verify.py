"""Verification of the disclosure ledger: what is changed is found, and a kept checkpoint shows the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from hub.errors import FileRefused, LedgerBroken
from hub.ledger.audit import Checkpoint, LedgerReport, checkpoints, parse_checkpoints, verify
from hub.ledger.chain import EPOCH, Ledger, block_digest
from tests.conftest import Database
from tests.disclosures import disclosure

Tamper = Callable[[asyncpg.Connection], Awaitable[Any]]


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """A running ledger on a fresh store."""
    running = Ledger(database.writer_dsn, timeout=20)
    await running.start()
    yield running
    await running.stop()


async def written(ledger: Ledger, blocks: int = 6) -> None:
    """Blocks of two entries."""
    for number in range(blocks):
        outcomes = [ledger.submit(disclosure(2 * number + extra, (number,))) for extra in (0, 1)]
        await asyncio.gather(*outcomes)


def sql(*statements: str) -> Tamper:
    """Run the statements."""

    async def run(connection: asyncpg.Connection) -> None:
        for statement in statements:
            await connection.execute(statement)

    return run


async def reseal(
    connection: asyncpg.Connection, first: int, last: int, algorithm: str = "sm3", more: bytes = b""
) -> None:
    """Write blocks anew with digests that fit, as an administrator could who knows the format."""
    previous = await connection.fetchval("SELECT previous FROM ledger_block WHERE seq = $1", first)
    for seq in range(first, last + 1):
        row = await connection.fetchrow("SELECT * FROM ledger_block WHERE seq = $1", seq)
        entries = row["entries"].replace(b"officer-17", b"officer-99") + more
        moment = (row["committed_at"] - EPOCH) // timedelta(microseconds=1)
        digest = block_digest(algorithm, 1, seq, previous, moment, 2, row["subjects"], entries)
        await connection.execute(
            "UPDATE ledger_block SET entries = $1, previous = $2, digest = $3, algorithm = $4 WHERE seq = $5",
            entries,
            previous,
            digest,
            algorithm,
            seq,
        )
        previous = digest


DEFERRABLE = (
    "ALTER TABLE ledger_block DROP CONSTRAINT pk_ledger_block",
    "ALTER TABLE ledger_block ADD PRIMARY KEY (chain, seq) DEFERRABLE INITIALLY DEFERRED",
)


TAMPERINGS: dict[str, tuple[Tamper, int]] = {
    "a bit": (
        sql("UPDATE ledger_block SET entries = set_bit(entries, 99, 1 - get_bit(entries, 99)) WHERE seq = 3"),
        3,
    ),
    "a line more": (sql("UPDATE ledger_block SET entries = entries || '\\x0a' WHERE seq = 6"), 6),
    "the subjects": (sql("UPDATE ledger_block SET subjects = '{}' WHERE seq = 2"), 2),
    "the time": (
        sql("UPDATE ledger_block SET committed_at = committed_at + '1 us'::interval WHERE seq = 5"),
        5,
    ),
    "the count": (sql("UPDATE ledger_block SET entry_count = 1 WHERE seq = 4"), 4),
    "the algorithm": (sql("UPDATE ledger_block SET algorithm = 'sha256' WHERE seq = 1"), 1),
    "the digest": (
        sql("UPDATE ledger_block SET digest = set_bit(digest, 0, 1 - get_bit(digest, 0)) WHERE seq = 6"),
        6,
    ),
    "the predecessor": (sql("UPDATE ledger_block SET previous = digest WHERE seq = 2"), 2),
    "the first block deleted": (sql("DELETE FROM ledger_block WHERE seq = 1"), 1),
    "two blocks deleted": (sql("DELETE FROM ledger_block WHERE seq IN (3, 4)"), 3),
    "a gap closed": (
        sql("DELETE FROM ledger_block WHERE seq = 3", "UPDATE ledger_block SET seq = seq - 1 WHERE seq > 3"),
        3,
    ),
    "two blocks in other order": (
        sql(*DEFERRABLE, "UPDATE ledger_block SET seq = 7 - seq WHERE seq IN (3, 4)"),
        3,
    ),
    "a block added at the end": (
        sql(
            "INSERT INTO ledger_block SELECT 1, 7, now(), algorithm, digest, digest, entries, 2, subjects "
            "FROM ledger_block WHERE seq = 6"
        ),
        7,
    ),
    "a block added at the beginning": (
        sql(
            "INSERT INTO ledger_block SELECT 1, 0, now(), algorithm, previous, digest, entries, 2, subjects "
            "FROM ledger_block WHERE seq = 1"
        ),
        0,
    ),
    "the end made a chain": (sql("UPDATE ledger_block SET chain = 2 WHERE seq > 3"), 1),
    "the middle sealed anew": (lambda connection: reseal(connection, 2, 3), 4),
    "an algorithm of the forger's": (lambda connection: reseal(connection, 6, 6, "md5"), 6),
    "a sealed line too many": (lambda connection: reseal(connection, 6, 6, more=b"{}\n"), 6),
}
UNSEEN_WITHOUT_CHECKPOINT: dict[str, tuple[Tamper, int]] = {
    "the end cut off": (sql("DELETE FROM ledger_block WHERE seq > 4"), 5),
    "the whole chain deleted": (sql("DELETE FROM ledger_block"), 1),
    "everything sealed anew": (lambda connection: reseal(connection, 1, 6), 6),
    "the last block sealed anew": (lambda connection: reseal(connection, 6, 6), 6),
}
NO_CHECKPOINTS = ("1 2", f"1 -2 {'ab' * 32}", f"1 2 {'ab' * 31}", f"x 2 {'ab' * 32}", f"1 2 {'xy' * 32}")


@pytest.mark.parametrize(("tamper", "bad_seq"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
async def test_whatever_is_changed_is_found_and_named(
    ledger: Ledger,
    superuser: asyncpg.Connection,
    auditor: asyncpg.Connection,
    tamper: Tamper,
    bad_seq: int,
) -> None:
    await written(ledger)
    (await verify(auditor)).require_intact()
    await tamper(superuser)
    report = await verify(auditor)
    broken = [chain for chain in report.chains if chain.fault is not None]
    assert [chain.bad_seq for chain in broken] == [bad_seq]
    with pytest.raises(LedgerBroken, match=f"block {bad_seq}: "):
        report.require_intact()


@pytest.mark.parametrize(
    ("tamper", "bad_seq"), UNSEEN_WITHOUT_CHECKPOINT.values(), ids=UNSEEN_WITHOUT_CHECKPOINT.keys()
)
async def test_a_kept_checkpoint_shows_what_the_chain_alone_cannot(
    ledger: Ledger,
    superuser: asyncpg.Connection,
    auditor: asyncpg.Connection,
    tamper: Tamper,
    bad_seq: int,
) -> None:
    await written(ledger)
    kept = await checkpoints(auditor)
    (await verify(auditor, kept)).require_intact()
    await tamper(superuser)
    (await verify(auditor)).require_intact()
    report = await verify(auditor, kept)
    assert [chain.bad_seq for chain in report.chains] == [bad_seq]


async def test_a_chain_that_grew_still_fits_every_older_checkpoint(
    ledger: Ledger, auditor: asyncpg.Connection
) -> None:
    kept: list[Checkpoint] = []
    for _ in range(3):
        await written(ledger, 2)
        kept += await checkpoints(auditor)
    assert [checkpoint.seq for checkpoint in kept] == [2, 4, 6]
    assert parse_checkpoints("\n".join(map(str, kept)) + "\n\n") == tuple(kept)
    (await verify(auditor, kept)).require_intact()


@pytest.mark.parametrize("line", NO_CHECKPOINTS)
def test_a_line_that_is_no_checkpoint_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(FileRefused, match="Line 2"):
        parse_checkpoints(f"1 1 {'ab' * 32}\n{line}\n")


async def test_checkpoints_that_contradict_each_other_are_refused(auditor: asyncpg.Connection) -> None:
    with pytest.raises(FileRefused):
        await verify(auditor, [Checkpoint(1, 1, "ab" * 32), Checkpoint(1, 1, "cd" * 32)])


async def test_an_empty_ledger_holds(auditor: asyncpg.Connection) -> None:
    assert await verify(auditor) == LedgerReport(())
    assert await checkpoints(auditor) == ()
