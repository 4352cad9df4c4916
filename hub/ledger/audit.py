"""Reading the disclosure ledger: prove that its chains hold, keep checkpoints, and tell who saw a subject."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from hub.errors import FileRefused, LedgerBroken
from hub.ledger.chain import EPOCH, GENESIS, block_digest

_MICROSECOND = timedelta(microseconds=1)
# Only what the hub has ever sealed with; an algorithm that a forger prefers is not on the list.
_ALGORITHMS = frozenset({"sm3"})
# Blocks fetched at a time: some megabytes at most, whatever the size of the ledger.
_PREFETCH = 500

# An entry is made before its block is committed; this much may the two clocks disagree.
_SKEW = timedelta(hours=1)

_BLOCKS = (
    "SELECT chain, seq, committed_at, algorithm, previous, digest, entries, entry_count, subjects "
    "FROM ledger_block ORDER BY chain, seq"
)
_TAILS = "SELECT DISTINCT ON (chain) chain, seq, digest FROM ledger_block ORDER BY chain, seq DESC"
_ABOUT = "SELECT entries FROM ledger_block WHERE subjects @> ARRAY[$1::bigint] AND committed_at >= $2"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of a chain at a time. Whoever keeps it can later prove that nothing before it was changed."""

    chain: int
    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.chain} {self.seq} {self.digest}"


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verification found in a chain; `fault` says what is wrong with `bad_seq`, the first bad block."""

    chain: int
    blocks: int
    entries: int
    last_seq: int
    bad_seq: int | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What verification found, chain by chain."""

    chains: tuple[ChainReport, ...]

    @property
    def entries(self) -> int:
        """Entries read."""
        return sum(chain.entries for chain in self.chains)

    def require_intact(self) -> None:
        """LedgerBroken, naming the first bad block of each broken chain."""
        broken = [chain for chain in self.chains if chain.fault is not None]
        if broken:
            raise LedgerBroken("; ".join(f"chain {c.chain} block {c.bad_seq}: {c.fault}" for c in broken))


@dataclass(frozen=True, slots=True)
class Access:
    """One entry of the ledger about a subject: who saw which classes of data at which level, when and why."""

    at: datetime
    partner: str
    officer: str
    purpose: str
    matter: str | None
    case: str | None
    classes: str
    view: str
    operation: str
    request_id: str


def parse_checkpoints(text: str) -> tuple[Checkpoint, ...]:
    """Read lines of `chain seq digest`, skipping empty ones. FileRefused names the first that is not one."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()) or not _is_digest(parts[2]):
            raise FileRefused(f"Line {number} is not a checkpoint: chain, block, digest in hexadecimal")
        found.append(Checkpoint(int(parts[0]), int(parts[1]), parts[2].lower()))
    return tuple(found)


def _is_digest(text: str) -> bool:
    return len(text) == 2 * len(GENESIS) and all(letter in "0123456789abcdefABCDEF" for letter in text)


async def checkpoints(connection: asyncpg.Connection[Any]) -> tuple[Checkpoint, ...]:
    """Where each chain ends now."""
    rows = await connection.fetch(_TAILS)
    return tuple(Checkpoint(row["chain"], row["seq"], row["digest"].hex()) for row in rows)


class _Walk:
    """The state of verification within one chain."""

    def __init__(self, chain: int, kept: Mapping[int, str]) -> None:
        self.chain = chain
        self.blocks = 0
        self.entries = 0
        self.seq = 0
        self.digest = GENESIS
        self.bad_seq: int | None = None
        self.fault: str | None = None
        self._kept = dict(kept)

    def take(self, row: Mapping[str, Any]) -> None:
        """Check the next block; after the first fault only count."""
        self.blocks += 1
        self.entries += row["entry_count"]
        seq = row["seq"]
        if self.fault is None:
            expected = self.seq + 1
            self.fault = self._judge(row, seq, expected)
            if self.fault is not None:
                # A gap is told by the first block that is missing.
                self.bad_seq = min(seq, expected)
        self.seq = seq
        self.digest = row["digest"]

    def _judge(self, row: Mapping[str, Any], seq: int, expected: int) -> str | None:
        if seq != expected:
            return f"blocks {expected} to {seq - 1} are missing" if seq > expected else "an impossible number"
        if row["previous"] != self.digest:
            return "it does not follow the block before it"
        if row["algorithm"] not in _ALGORITHMS:
            return "its digest algorithm is unknown"
        entries = row["entries"]
        committed_at = (row["committed_at"] - EPOCH) // _MICROSECOND
        digest = block_digest(
            row["algorithm"],
            self.chain,
            seq,
            self.digest,
            committed_at,
            row["entry_count"],
            row["subjects"],
            entries,
        )
        if digest != row["digest"]:
            return "its content does not match its digest"
        if entries.count(b"\n") != row["entry_count"]:
            return "its number of entries is wrong"
        kept = self._kept.pop(seq, None)
        if kept is not None and kept != digest.hex():
            return "it differs from the checkpoint: the chain was rewritten"
        return None

    def finish(self) -> ChainReport:
        """Report, after a look at the checkpoints that the chain did not reach."""
        missing = [seq for seq in self._kept if seq > self.seq]
        if self.fault is None and missing:
            self.bad_seq = self.seq + 1
            self.fault = f"the chain is cut off: a checkpoint names block {max(missing)}"
        return ChainReport(self.chain, self.blocks, self.entries, self.seq, self.bad_seq, self.fault)


async def verify(connection: asyncpg.Connection[Any], kept: Iterable[Checkpoint] = ()) -> LedgerReport:
    """Walk every chain from its first block, in one snapshot, and compare with checkpoints somebody kept.

    Finds changed, missing, moved and added blocks. Without a checkpoint, blocks cut off at the end and a
    chain written anew from some block on cannot be seen. FileRefused: two checkpoints contradict each other.
    """
    wanted: dict[int, dict[int, str]] = {}
    reports: list[ChainReport] = []
    for checkpoint in kept:
        earlier = wanted.setdefault(checkpoint.chain, {}).setdefault(checkpoint.seq, checkpoint.digest)
        if earlier != checkpoint.digest:
            raise FileRefused(f"Two checkpoints of chain {checkpoint.chain} block {checkpoint.seq} differ")
    walk: _Walk | None = None
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_BLOCKS)
        while rows := await cursor.fetch(_PREFETCH):
            for row in rows:
                if walk is None or walk.chain != row["chain"]:
                    if walk is not None:
                        reports.append(walk.finish())
                    walk = _Walk(row["chain"], wanted.pop(row["chain"], {}))
                walk.take(row)
    if walk is not None:
        reports.append(walk.finish())
    reports.extend(_Walk(chain, seqs).finish() for chain, seqs in wanted.items())
    return LedgerReport(tuple(sorted(reports, key=lambda report: report.chain)))


async def who_saw(
    connection: asyncpg.Connection[Any],
    subject_id: int,
    since: datetime | None = None,
    until: datetime | None = None,
    partner: str | None = None,
) -> list[Access]:
    """Every disclosure about a subject from `since` until before `until`, oldest first; to `partner` alone where given."""
    found = [
        Access(
            at,
            entry["partner"],
            entry["officer"],
            entry["purpose"],
            entry["matter"],
            entry["case"],
            entry["classes"],
            entry["view"],
            entry["operation"],
            entry["request"],
        )
        async for at, entry in _entries_about(connection, subject_id, since, until)
        if partner in (None, entry["partner"])
    ]
    found.sort(key=lambda access: access.at)
    return found


async def _entries_about(
    connection: asyncpg.Connection[Any], subject_id: int, since: datetime | None, until: datetime | None
) -> AsyncIterator[tuple[datetime, dict[str, Any]]]:
    earliest = max(since or EPOCH, EPOCH)
    needle = str(subject_id).encode()
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(_ABOUT, subject_id, earliest - _SKEW, prefetch=_PREFETCH):
            for line in row["entries"].splitlines():
                # Most lines of a block are about others: look for the digits before parsing.
                if needle in line:
                    entry = orjson.loads(line)
                    # In microseconds, as shown: the `at` of one answer may be the `since` of the next.
                    at = datetime.fromtimestamp(entry["at"], UTC)
                    if subject_id in entry["subjects"] and earliest <= at and (until is None or at < until):
                        yield at, entry
