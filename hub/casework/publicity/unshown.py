"""What was never shown before its period was over: no step leads there any more, so its case ends with it (R7.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.machine import Machine, Step
from hub.casework.publicity.machine import BEFORE, PUBLICITY, is_over
from hub.casework.rounds import apart
from hub.casework.work import calendar_for

# Their deadline is that of publishing (R7.1), or none; the last day is counted from the decision, by the rules of today.
_WAITING = """
SELECT * FROM case_file WHERE mechanism = 'PUBLICITY' AND state = ANY ($1::text[]) AND closed_at IS NULL ORDER BY case_id
"""


async def end_unshown(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """R7.5: end what may be published no more, though it was never shown; how many. Each case is its own transaction."""
    today, ended = now.astimezone(SHANGHAI).date(), 0
    for row in await pool.fetch(_WAITING, list(BEFORE)):
        with apart(f"case {row['public_id']}"):
            case = engine.case_of(PUBLICITY, row)
            if not is_over(case.details, today):
                continue
            async with pool.acquire() as connection, connection.transaction():
                region = [case.region_code] if case.region_code else []
                calendar = await calendar_for(connection, region, today)
                step = Step(SYSTEM, {}, now, today, calendar)
                await engine.apply(connection, machines, PUBLICITY, case.number, "drop_period", step)
            ended += 1
    return ended
