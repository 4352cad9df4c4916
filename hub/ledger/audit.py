"""Reading the disclosure ledger: prove that its chains hold, keep checkpoints, and tell who saw what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappush, heappushpop
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
# The index knows groups of subjects; whose block it is after all, the second condition tells.
_ABOUT = (
    "SELECT chain, seq, entries FROM ledger_block WHERE subject_groups(subjects) && subject_groups($1::bigint[])"
    " AND subjects && $1::bigint[] AND committed_at >= $2"
)
# What the subject stood as before a row said that it is the same: what was told of it then was told of the subject.
_PARTS = "SELECT subject_id FROM subject WHERE joined_to = $1"
# No index leads to a request or a partner: writing it would make every answer wait. Blocks are found by time instead,
# for a chain's times rise with its numbers, and only those with the right bytes in them leave the server.
_FIRST_SPAN = timedelta(hours=1)
_CHAINS = """
WITH RECURSIVE known AS (
  SELECT min(chain) AS chain FROM ledger_block
  UNION ALL SELECT (SELECT min(chain) FROM ledger_block WHERE chain > known.chain) FROM known WHERE chain IS NOT NULL
)
SELECT chain FROM known WHERE chain IS NOT NULL ORDER BY chain
"""
_ENDS = "SELECT min(seq), max(seq) FROM ledger_block WHERE chain = $1"
_WHEN = "SELECT committed_at FROM ledger_block WHERE chain = $1 AND seq >= $2 ORDER BY seq LIMIT 1"
_HOLDING = (
    "SELECT chain, seq, entries FROM ledger_block WHERE chain = $1 AND seq >= $2 AND seq < $3"
    " AND NOT EXISTS (SELECT FROM unnest($4::bytea[]) AS needle WHERE position(needle IN entries) = 0)"
)


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
    """What verification found in a chain; `fault` says what is wrong with `bad_seq`, the first bad block.

    `proven`: the last block that a checkpoint names, or 0. Up to it the chain is as it was; what follows holds in itself.
    """

    chain: int
    blocks: int
    entries: int
    bad_seq: int | None
    fault: str | None
    proven: int


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
class LedgerEntry:
    """One entry of the ledger: who was told about whom, which classes of data at which level, when and why.

    `at_most`: a command or a case was asked for, and `classes` are all that the view discloses. `view_as`: whose eyes an
    auditor looked through, partner/PURPOSE. `chain` and `seq` name the block in which it stands.
    """

    at: datetime
    partner: str
    officer: str
    token_id: str
    purpose: str
    matter: str | None
    case: str | None
    classes: str
    at_most: bool
    view_as: str | None
    view: str
    operation: str
    request_id: str
    subjects: Sequence[int]
    sources: Sequence[Any]
    chain: int
    seq: int


def parse_checkpoints(text: str) -> tuple[Checkpoint, ...]:
    """Read lines of `chain seq digest`, skipping empty ones. FileRefused names the first that is not one."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 3 or not (_is_number(parts[0]) and _is_number(parts[1]) and _is_digest(parts[2])):
            raise FileRefused(f"Line {number} is not a checkpoint: chain, block, digest in hexadecimal")
        found.append(Checkpoint(int(parts[0]), int(parts[1]), parts[2].lower()))
    return tuple(found)


def _is_number(text: str) -> bool:
    # Chains and blocks count from 1: what names none could not be held against anything.
    return text.isdecimal() and int(text) > 0


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
        self._proven = 0

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
        if kept is None:
            return None
        if kept != digest.hex():
            return "it differs from the checkpoint: the chain was rewritten"
        self._proven = seq
        return None

    def finish(self) -> ChainReport:
        """Report, after a look at the checkpoints that the chain did not reach."""
        missing = [seq for seq in self._kept if seq > self.seq]
        if self.fault is None and missing:
            self.bad_seq = self.seq + 1
            self.fault = f"the chain is cut off: a checkpoint names block {max(missing)}"
        return ChainReport(self.chain, self.blocks, self.entries, self.bad_seq, self.fault, self._proven)


async def verify(connection: asyncpg.Connection[Any], kept: Iterable[Checkpoint] = ()) -> LedgerReport:
    """Walk every chain from its first block, in one snapshot, and compare with checkpoints somebody kept.

    Finds changed, missing, moved and added blocks. Behind the last checkpoint of a chain, blocks cut off at the end
    and written anew from some block on cannot be seen, nor without any that there was a chain.
    FileRefused: two checkpoints contradict each other.
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
) -> list[LedgerEntry]:
    """Every disclosure about a subject from `since` until before `until`, oldest first; to `partner` alone where given."""
    ids = {subject_id, *(row["subject_id"] for row in await connection.fetch(_PARTS, subject_id))}
    found = [
        access async for access in _about(connection, ids, since, until) if partner in (None, access.partner)
    ]
    found.sort(key=lambda access: access.at)
    return found


async def of_request(
    connection: asyncpg.Connection[Any], request_id: str, since: datetime, until: datetime
) -> list[LedgerEntry]:
    """What is recorded of a request from `since` until before `until`; empty: nothing. The newest are read first."""
    wanted = {"request": request_id}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for span in _spans(since, until):
            found = [access async for access in _holding(connection, wanted, span, since, until)]
            # A request has one entry, or none.
            if found:
                return found
    return []


async def seen_by(
    connection: asyncpg.Connection[Any],
    partner: str,
    since: datetime,
    until: datetime,
    limit: int,
    *,
    officer: str | None = None,
    purpose: str | None = None,
) -> tuple[list[LedgerEntry], bool]:
    """What a partner was told from `since` until before `until`: the newest `limit` of it, oldest first.

    Also tells whether there is more. Holds no more than that in memory, however large the ledger is.
    """
    wanted = {"partner": partner, "officer": officer, "purpose": purpose}
    kept: list[tuple[datetime, int, int, int, LedgerEntry]] = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        for begun, ended in _spans(since, until):
            # What was committed earlier is older than all that is kept.
            if len(kept) > limit and kept[0][0] > ended + _SKEW:
                break
            found = _holding(connection, wanted, (begun, ended), since, until)
            line = 0
            async for access in found:
                # Two of the same moment come in one order, always the same.
                line += 1
                entry = (access.at, access.chain, access.seq, line, access)
                if len(kept) > limit:
                    heappushpop(kept, entry)
                else:
                    heappush(kept, entry)
    told = [entry[-1] for entry in sorted(kept)]
    return told[-limit:], len(told) > limit


def _spans(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Times of commits in which entries made from `since` until `until` are, newest first, each twice as long."""
    first, ended, length = max(since, EPOCH) - _SKEW, until + _SKEW, _FIRST_SPAN
    while ended > first:
        begun = ended - min(length, ended - first)
        yield begun, ended
        ended, length = begun, 2 * length


async def _holding(
    connection: asyncpg.Connection[Any],
    wanted: Mapping[str, str | None],
    span: tuple[datetime, datetime],
    since: datetime,
    until: datetime,
) -> AsyncIterator[LedgerEntry]:
    """The entries with these values that were committed within `span`, in no order but that of a block's lines."""
    said = {name: value for name, value in wanted.items() if value is not None}
    # As `encode` writes them: a quotation mark within a text has a backslash before it, so this is found nowhere else.
    needles = [orjson.dumps({name: value})[1:-1] for name, value in said.items()]
    for chain in await connection.fetch(_CHAINS):
        first, end = [await _first(connection, chain["chain"], moment) for moment in span]
        async for row in connection.cursor(_HOLDING, chain["chain"], first, end, needles, prefetch=_PREFETCH):
            for line in row["entries"].splitlines():
                if all(needle in line for needle in needles):
                    access = _entry(row, line)
                    if since <= access.at < until:
                        yield access


async def _first(connection: asyncpg.Connection[Any], chain: int, moment: datetime) -> int:
    """The first block of a chain that was committed at `moment` or later, or the number after its last one."""
    first: int
    first, last = await connection.fetchrow(_ENDS, chain)
    end = last + 1
    while first < end:
        middle = (first + end) // 2
        if await connection.fetchval(_WHEN, chain, middle) < moment:
            first = middle + 1
        else:
            end = middle
    return first


async def _about(
    connection: asyncpg.Connection[Any], ids: Set[int], since: datetime | None, until: datetime | None
) -> AsyncIterator[LedgerEntry]:
    earliest = max(since or EPOCH, EPOCH)
    needles = [str(one).encode() for one in ids]
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(_ABOUT, list(ids), earliest - _SKEW, prefetch=_PREFETCH):
            for line in row["entries"].splitlines():
                # Most lines of a block are about others: look for the digits before parsing.
                if any(needle in line for needle in needles):
                    access = _entry(row, line)
                    if (
                        not ids.isdisjoint(access.subjects)
                        and earliest <= access.at
                        and (until is None or access.at < until)
                    ):
                        yield access


def _entry(row: Mapping[str, Any], line: bytes) -> LedgerEntry:
    """A line of a block. LedgerBroken: it is no entry any more."""
    try:
        entry = orjson.loads(line)
        return LedgerEntry(
            # In microseconds, as shown: the `at` of one answer may be the `since` of the next.
            at=datetime.fromtimestamp(entry["at"], UTC),
            partner=entry["partner"],
            officer=entry["officer"],
            token_id=entry["token"],
            purpose=entry["purpose"],
            matter=entry["matter"],
            case=entry["case"],
            classes=entry["classes"],
            at_most=entry.get("at_most", False),
            view_as=entry.get("view_as"),
            view=entry["view"],
            operation=entry["operation"],
            request_id=entry["request"],
            subjects=entry["subjects"],
            sources=entry.get("sources", ()),
            chain=row["chain"],
            seq=row["seq"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise LedgerBroken(
            f"chain {row['chain']} block {row['seq']}: it holds a line that is no entry"
        ) from None
