"""What a new working calendar does to deadlines (R7.1, 5.6): those that run are counted anew, and none moves silently.

A mechanism declares as COUNTED how the deadline of a state is counted from its starting day, which stands in the details:
the same for a notice of the State Council, the days of a region, and a correction of either.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.machine import Case, Counting, Machine, Recount, Step
from hub.casework.mechanisms import declared
from hub.casework.rounds import apart
from hub.casework.work import calendar_for
from hub.rules.calendar import Calendar, Due

# A notice may be laid late, and one that was laid may be corrected; what has been due for longer moves no more.
_BACK = timedelta(days=400)
# The calendar is read from further back: what is due now may have begun long ago.
_READ = timedelta(days=3660)
_BATCH = 500
_RUNNING = """
SELECT c.* FROM case_file c
WHERE c.closed_at IS NULL AND c.due_on >= $1 AND (c.due_on, c.case_id) > ($1, $2)
  AND (c.due_is_provisional OR (c.mechanism, c.state) IN (SELECT * FROM unnest($3::text[], $4::text[])))
ORDER BY c.due_on, c.case_id LIMIT $5
"""
_log = logging.getLogger(__name__)


@cache
def counted() -> Mapping[tuple[str, str], Counting]:
    """What the mechanisms declare as COUNTED: (mechanism, state) → how its deadline is counted."""
    return MappingProxyType(declared("COUNTED"))


async def recompute(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """One round over all deadlines that run: take over what changed in the calendar of the case's place; how many moved.

    Each case is its own transaction. What was late when it was done stays so, and so does what events told.
    """
    today, moved = now.astimezone(SHANGHAI).date(), 0
    # One reading for all cases of a region.
    calendars: dict[str | None, Calendar] = {}
    mechanisms, states = zip(*counted(), strict=True)
    after: tuple[date, int] = (today - _BACK, 0)
    while rows := await pool.fetch(_RUNNING, *after, mechanisms, states, _BATCH):
        after = (rows[-1]["due_on"], rows[-1]["case_id"])
        for row in rows:
            with apart(f"case {row['public_id']}"):
                region = row["region_code"]
                if region not in calendars:
                    async with pool.acquire() as connection:
                        calendars[region] = await calendar_for(
                            connection, [region] if region else [], today, back=_READ
                        )
                step = Step(SYSTEM, {"reason": "CALENDAR_CHANGED"}, now, today, calendars[region])
                moved += await _recount(pool, machines[row["mechanism"]], row, step)
    return moved


async def _recount(pool: asyncpg.Pool, machine: Machine, row: Mapping[str, Any], step: Step) -> int:
    if (machine.mechanism, row["state"]) not in counted():
        _log.error(
            "case %s: nobody counts the provisional deadline of %s in %s",
            row["number"],
            machine.mechanism,
            row["state"],
        )
        return 0
    # Nearly all stand where they stood, and need no lock for it.
    if _other(engine.case_of(machine, row), step.calendar) is None:
        return 0
    async with pool.acquire() as connection, connection.transaction():
        case, _ = await engine.find(connection, machine, row["number"], SYSTEM)
        other = _other(case, step.calendar)
        if other is None:
            return 0
        await engine.move_deadline(connection, case, other, step)
    return 1


def _other(case: Case[Any], calendar: Calendar) -> Recount | None:
    """The deadline as this calendar has it; None: as it is written, or none that is counted runs any more."""
    counting = counted().get((case.mechanism, case.state))
    found = counting(case, calendar) if counting is not None and case.due_on is not None else None
    if found is None or case.due_on is None:
        return None
    same = found.due == Due(case.due_on, case.due_is_provisional) and all(
        getattr(case.details, name) == value for name, value in found.details.items()
    )
    return None if same else found
