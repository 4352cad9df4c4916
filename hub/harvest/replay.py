"""Takes a quarantined row again, as corrected by a person: the hub itself guesses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import asyncpg

from connectors.contract import Connector, RawRow
from hub.errors import BadUserInput
from hub.harvest import checkpoints
from hub.harvest.quarantine import fields_of, quarantined
from hub.harvest.run import Clock, exclusive, intake_of
from hub.harvest.understood import Rejected
from hub.harvest.versions import Totals, write_batch


async def replay(
    pool: asyncpg.Pool,
    connector: Connector,
    quarantine_id: int,
    corrections: Mapping[str, str],
    clock: Clock,
    *,
    cleared: bool = False,
) -> Rejected | None:
    """Store a quarantined row with `corrections` over its fields; None when understood, else why not.

    The quarantine holds persons' numbers masked, so for such a row the corrections must give the number
    again. `cleared`: a person has read the texts and found that they may be shown (R7.3). A row that is not
    understood stays as it is. Errors: BadUserInput when there is no such row, or it is another source's;
    StoreUnavailable.
    """
    found = await quarantined(pool, quarantine_id)
    if found is None or found[0].source != connector.source.name:
        raise BadUserInput(f"No row {quarantine_id} of {connector.source.name} is in quarantine.")
    row, raw = found
    if row.replayed_at is not None:
        raise BadUserInput(f"Row {quarantine_id} was understood on {row.replayed_at:%Y-%m-%d}.")
    fields = {**(fields_of(connector, raw) or {}), **corrections}
    async with exclusive(pool, connector.source.name) as connection:
        intake = replace(await intake_of(connection, connector.source, clock()), cleared=cleared)
        understood = intake.prepare(connector, [RawRow(row.origin, row.position, raw, fields)])
        if isinstance(understood[0], Rejected):
            return understood[0]

        async def checkpoint(_: asyncpg.Connection, totals: Totals) -> None:
            # The row was counted as quarantined when it was read: it becomes something else, it is not read
            # twice.
            moved = Totals(0, totals.stored, totals.unchanged, totals.quarantined - 1)
            await checkpoints.count(connection, connector.source.name, moved, clock())

        totals = await write_batch(connection, connector.source, understood, clock(), checkpoint)
    again = await quarantined(pool, quarantine_id) if totals.quarantined else None
    return Rejected(understood[0].row, again[0].reason_code, again[0].reason) if again else None
