"""Alarms on deliveries: what ended and is still shown somewhere after its limit (R7.4, R8.5), or is not shown yet (R7.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework.clock import SYSTEM
from hub.casework.delivery.channels import Action
from hub.casework.delivery.deliveries import SUPERSEDED
from hub.casework.work import calendar_for
from hub.rules.calendar import Calendar, Due, end_of
from hub.rules.deadlines import due

# The event that is the alarm; its payload says which delivery, by which rule, since when.
OVERDUE = "delivery_overdue"
# The priority of what ended and is still shown, and of what is not shown yet.
STILL_SHOWN, NOT_SHOWN = 1, 2
# Action → (name in deadlines.toml, rule, priority).
LIMITS = {
    Action.PUBLISH: ("delivery.publish", "R7.6", NOT_SHOWN),
    Action.WITHDRAW: ("delivery.withdraw", "R7.4", STILL_SHOWN),
    Action.EXIT: ("delivery.exit", "R8.5", STILL_SHOWN),
}
# What decides by when a delivery must be acknowledged, and whether its channel refused it.
_LIMITED_BY = f"""
d.channel, d.action, d.state = 'FAILED' AS refused, (e.at AT TIME ZONE 'Asia/Shanghai')::date AS begun, c.region_code,
  CASE d.action WHEN '{Action.WITHDRAW}' THEN (c.details->'withdrawal'->>'withdraw_by')::date END AS withdraw_by
"""
# What is neither acknowledged nor dropped because it ended before it was shown.
_WHERE_OPEN = f"""
FROM delivery_out d JOIN case_event e USING (event_id) JOIN case_file c ON c.case_id = d.case_id
WHERE d.state IN ('PENDING', 'SENT') OR d.state = 'FAILED' AND d.error_code IS DISTINCT FROM '{SUPERSEDED}'
"""
_OPEN = f"""
SELECT d.delivery_id, d.case_id, d.attempts, d.error_code, d.payload->>'item' AS item, {_LIMITED_BY},
  EXISTS (SELECT FROM case_event a WHERE a.case_id = d.case_id AND a.transition = '{OVERDUE}'
    AND a.payload->>'delivery_id' = d.delivery_id::text) AS raised
{_WHERE_OPEN} ORDER BY d.delivery_id
"""  # noqa: S608 -- constants of this program
_COUNTED = f"SELECT {_LIMITED_BY}, count(*) AS count {_WHERE_OPEN} GROUP BY 1, 2, 3, 4, 5, 6"
# One at a time, so that of two workers one raises the alarm.
_LOCK = "SELECT pg_advisory_xact_lock(1095516498)"
_RAISE = f"""
INSERT INTO case_event (case_id, at, transition, from_state, to_state, actor_partner, actor_officer, reason, payload)
SELECT c.case_id, $2, '{OVERDUE}', c.state, c.state, '{SYSTEM.partner}', '{SYSTEM.officer}', $3, $4::jsonb FROM case_file c
WHERE c.case_id = $1
"""  # noqa: S608 -- constants of this program


@dataclass(frozen=True)
class Overdue:
    """A delivery past its limit, or refused by its channel. `raised`: its alarm is new."""

    delivery_id: int
    case_id: int
    channel: str
    action: str
    item: str
    rule: str
    priority: int
    limit: date
    provisional: bool
    attempts: int
    error_code: str | None
    raised: bool


@dataclass(frozen=True)
class OverdueDeliveries:
    """Deliveries to a channel past their limit, or refused by it, and the oldest of these days.

    `ended`: they are of what has ended and is still shown there, not of what is not shown there yet.
    """

    channel: str
    ended: bool
    count: int
    oldest: date


async def _overdue(
    connection: asyncpg.Connection, statement: str, now: datetime
) -> AsyncIterator[tuple[asyncpg.Record, str, int, Due]]:
    """The rows of `statement` that are overdue at `now`, each with its rule, its priority and its limit.

    A refusal by the channel is overdue at once: waiting does not help, a person has to act.
    """
    today = now.astimezone(SHANGHAI).date()
    calendars: dict[str | None, Calendar] = {}
    # What waits for a channel that is not set is ever more: a day's limit is counted once.
    limits: dict[tuple[str, date, str | None], Due] = {}
    for row in await connection.fetch(statement):
        if row["action"] not in LIMITS:
            continue
        region = row["region_code"]
        if region not in calendars:
            calendars[region] = await calendar_for(connection, [region] if region else [], today)
        name, rule, priority = LIMITS[Action(row["action"])]
        begun = name, row["begun"], region
        if begun not in limits:
            limits[begun] = due(*begun[:2], calendars[region])
        limit = limits[begun]
        if row["withdraw_by"] is not None:
            # R7.4: the days run from the end of the decision, not from the officer's step.
            limit = Due(row["withdraw_by"], not calendars[region].is_fixed(row["withdraw_by"]))
        if row["refused"] or now >= end_of(limit.on):
            yield row, rule, priority, limit


async def count_overdue(connection: asyncpg.Connection, now: datetime) -> list[OverdueDeliveries]:
    """Everything overdue at `now` by channel, the most urgent first; changes nothing.

    The store counts: of what is ever more no row for each is fetched, whoever asks every few seconds.
    """
    counts: Counter[tuple[int, str]] = Counter()
    oldest: dict[tuple[int, str], date] = {}
    async for row, _, priority, limit in _overdue(connection, _COUNTED, now):
        key = priority, row["channel"]
        counts[key] += row["count"]
        oldest[key] = min(limit.on, oldest.get(key, limit.on))
    return [
        OverdueDeliveries(channel, priority == STILL_SHOWN, count, oldest[priority, channel])
        for (priority, channel), count in sorted(counts.items())
    ]


async def _find_overdue(connection: asyncpg.Connection, now: datetime) -> list[Overdue]:
    """Everything overdue at `now`, what was handed in first before."""
    found: list[Overdue] = []
    async for row, rule, priority, limit in _overdue(connection, _OPEN, now):
        found.append(
            Overdue(
                delivery_id=row["delivery_id"],
                case_id=row["case_id"],
                channel=row["channel"],
                action=row["action"],
                item=row["item"],
                rule=rule,
                priority=priority,
                limit=limit.on,
                provisional=limit.provisional,
                attempts=row["attempts"],
                error_code=row["error_code"],
                raised=not row["raised"],
            )
        )
    return found


async def raise_alarms(pool: asyncpg.Pool, now: datetime) -> list[Overdue]:
    """Everything overdue at `now`; each delivery's alarm is raised once, as an event of its case."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LOCK)
        found = await _find_overdue(connection, now)
        await connection.executemany(_RAISE, [_event(one, now) for one in found if one.raised])
    return found


def _event(one: Overdue, now: datetime) -> tuple[int, datetime, str, str]:
    told = {
        "delivery_id": str(one.delivery_id),
        "channel": one.channel,
        "action": one.action,
        "item": one.item,
        "rule": one.rule,
        "priority": one.priority,
        "limit": one.limit,
        "provisional": one.provisional,
        "attempts": one.attempts,
        "error_code": one.error_code,
    }
    return one.case_id, now, one.rule, orjson.dumps(told).decode()


_WAITING = """
SELECT channel, count(*) AS waiting, min(e.at) AS oldest
FROM delivery_out d JOIN case_event e USING (event_id) WHERE d.state IN ('PENDING', 'SENT') GROUP BY channel
"""


@dataclass(frozen=True)
class Waiting:
    """How much waits for a channel, and since when."""

    channel: str
    count: int
    oldest: datetime


async def waiting(pool: asyncpg.Pool) -> Sequence[Waiting]:
    """What is not acknowledged yet, by channel."""
    return [Waiting(row["channel"], row["waiting"], row["oldest"]) for row in await pool.fetch(_WAITING)]
