"""Takes a quarantined row again, as corrected by a person, or lets it rest: the hub itself guesses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI, Connector, Mode, RawRow, Retention
from hub.errors import BadUserInput
from hub.harvest import checkpoints, decided, doubts, quarantine
from hub.harvest.quarantine import (
    Clearing,
    Quarantined,
    fields_of,
    note_cleared,
    note_corrected,
    note_joined,
    quarantined,
)
from hub.harvest.run import Clock, exclusive, intake_of
from hub.harvest.understood import Prepared, Rejected
from hub.harvest.versions import Totals, write_batch
from hub.store.writing import one_writer

# Before the lock of those who write facts, which an officer takes whose step holds the case already.
_HOLD = """
SELECT FROM case_file c JOIN subject s USING (subject_id) WHERE c.subject_id = ANY ($1::bigint[]) AND s.uscc IS NULL
ORDER BY c.case_id FOR UPDATE OF c
"""


async def replay(
    pool: asyncpg.Pool,
    connector: Connector,
    quarantine_id: int,
    corrections: Mapping[str, str | None],
    clock: Clock,
    *,
    by: str | None = None,
    cleared: Clearing | None = None,
    joined: str | None = None,
) -> Rejected | None:
    """Store a quarantined row with `corrections` over its fields; None when understood, else why not.

    The quarantine holds persons' numbers masked, so for such a row the corrections must give the number
    again. `by`: who replays it; kept with the names of the fields that differ. `cleared`: who has read the
    texts and found that they may be shown (R7.3), and why; kept with the row once it is stored. `joined`: why the
    subjects of its numbers are one, as who replays it has found: cases about an old number go to the firm, too. A row
    that is not understood stays as it is. Errors: BadUserInput when there is no such row, it is another source's or a
    live one's, it waits no more, or a correction names no field of it; HarvestRunning, StoreUnavailable.
    """
    async with exclusive(pool, connector.source.name) as connection:
        # Not before: whoever had the source until now may have replayed this row, or harvested what settled it.
        row, raw = await _waiting(connection, connector, quarantine_id)
        kept = fields_of(connector, raw)
        fields = {**(kept or {}), **corrections}
        # Whoever corrects gives back the whole of what `show` printed.
        changed = sorted(name for name in corrections if kept is None or corrections[name] != kept.get(name))
        if kept is not None:
            _require_known(connector, RawRow(row.origin, row.position, raw, fields), kept, corrections)
        intake = replace(await intake_of(connection, connector.source, clock()), cleared=cleared is not None)
        understood = intake.prepare(connector, [RawRow(row.origin, row.position, raw, fields)])
        if isinstance(understood[0], Rejected):
            return understood[0]

        async def checkpoint(totals: Totals) -> None:
            # The row was counted as quarantined when it was read: it becomes something else, it is not read
            # twice.
            moved = Totals(0, totals.stored, totals.unchanged, totals.quarantined - 1)
            await checkpoints.count(connection, connector.source.name, moved, clock())
            if totals.quarantined:
                return
            if by is not None:
                await note_corrected(connection, quarantine_id, by, changed)
            if joined is not None:
                await note_joined(connection, quarantine_id, joined)
            # In the transaction that shows the texts: none is shown without its reason.
            if cleared is not None:
                await note_cleared(connection, quarantine_id, cleared, clock())

        async with connection.transaction():
            if joined is not None:
                await _hold_cases(connection, understood)
            # Who dismisses a row takes this lock alone.
            await one_writer(connection)
            await _waiting(connection, connector, quarantine_id)
            totals = await write_batch(
                connection,
                connector.source,
                understood,
                clock(),
                checkpoint,
                joining=joined is not None,
                replayed=quarantine_id,
            )
    again = await quarantined(pool, quarantine_id) if totals.quarantined else None
    return Rejected(understood[0].row, again[0].reason_code, again[0].reason) if again else None


async def _waiting(
    connection: asyncpg.Connection, connector: Connector, quarantine_id: int
) -> tuple[Quarantined, bytes]:
    """The row with its bytes. Raises BadUserInput: it is none of the source's, or waits no more, or may not be replayed."""
    found = await quarantined(connection, quarantine_id)
    if found is None or found[0].source != connector.source.name:
        raise BadUserInput(f"No row {quarantine_id} of {connector.source.name} is in quarantine.")
    row, raw = found
    if connector.source.mode is not Mode.HARVESTED or connector.source.retention is not Retention.STORED:
        # Stored, it would stand beside what the source says, and nothing would ever bring it up to date.
        raise BadUserInput(
            f"Row {quarantine_id} is of {row.source}, which is asked live or may not be stored: correct it at the source."
        )
    if row.replayed_at is not None:
        how = "understood" if row.dismissed_because is None else "dismissed"
        day = row.replayed_at.astimezone(SHANGHAI)
        raise BadUserInput(f"Row {quarantine_id} was {how} on {day:%Y-%m-%d}.")
    return row, raw


async def _hold_cases(connection: asyncpg.Connection, rows: Sequence[Prepared | Rejected]) -> None:
    """Wait for whoever takes a step with a case about an old number of the rows."""
    drafts = [one.subject for one in rows if isinstance(one, Prepared) and one.subject is not None]
    found = await decided.subjects_of(connection, drafts)
    await connection.execute(_HOLD, sorted({subject_id for ids in found.values() for subject_id in ids}))


async def dismiss(
    pool: asyncpg.Pool,
    quarantine_id: int,
    by: str,
    because: str,
    now: datetime,
    reason_code: str | None = None,
) -> None:
    """Let a row rest of which nothing is to be stored: no “no” about whom it names waits for it any more.

    A row that comes back otherwise waits again. `reason_code`: for which it was chosen; one that came back meanwhile may wait
    for another by now, at which nobody has looked. Errors: BadUserInput when no such row waits.
    """
    async with pool.acquire() as connection, connection.transaction():
        await one_writer(connection)
        named = await quarantine.dismiss(connection, quarantine_id, by, because, now, reason_code)
        if named is None:
            code = f" for {reason_code}" if reason_code else ""
            raise BadUserInput(f"No row {quarantine_id} waits in quarantine{code}.")
        await doubts.look_again(connection, named)


class _Watched(dict[str, str | None]):
    """Fields that note which a connector asks for (`[]` it uses only for names that it found in the row)."""

    def __init__(self, fields: Mapping[str, str | None]) -> None:
        super().__init__(fields)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """The value; `name` is noted."""
        self.asked.add(name)
        return super().get(name, default)


def _require_known(
    connector: Connector, row: RawRow, kept: Mapping[str, str | None], corrections: Mapping[str, str | None]
) -> None:
    """Refuse corrections of fields that the row has not and its connector does not read: they would do nothing.

    Raises BadUserInput, naming the fields there are.
    """
    if corrections.keys() <= kept.keys():
        return
    watched = _Watched(row.fields)
    # What is wrong with the row is told when it is read in earnest.
    with suppress(Exception):
        connector.canonical(replace(row, fields=watched))
    known = kept.keys() | {name for name in watched.asked if name.isprintable()}
    if unknown := sorted(corrections.keys() - known):
        raise BadUserInput(
            f"No field of this row: {', '.join(unknown)}. Its fields: {', '.join(sorted(known))}."
        )
