"""Alarms on deliveries: what ended and is still shown somewhere after its limit (R7.4, R8.5), or is not shown yet (R7.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

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
WHERE (d.state IN ('PENDING', 'SENT') OR d.state = 'FAILED' AND d.error_code IS DISTINCT FROM '{SUPERSEDED}')
"""
_COUNTED = f"SELECT {_LIMITED_BY}, count(*) AS count {_WHERE_OPEN} GROUP BY 1, 2, 3, 4, 5, 6"
# One at a time, so that of two workers one raises the alarm.
_LOCK = "SELECT pg_advisory_xact_lock(1095516498)"
# The alarms of all open deliveries that have none yet and are limited as one of the given rows says. Those without are looked
# out first: mostly there are few, and PostgreSQL, which does not see that, would compare all others with each row.
_RAISE = f"""
WITH fresh AS MATERIALIZED (
  SELECT d.delivery_id, d.case_id, d.attempts, d.error_code, d.payload->>'item' AS item, c.state, {_LIMITED_BY} {_WHERE_OPEN}
    AND NOT EXISTS (SELECT FROM case_event a WHERE a.transition = '{OVERDUE}' AND a.payload->>'delivery_id' = d.delivery_id::text)
)
INSERT INTO case_event (case_id, at, transition, from_state, to_state, actor_partner, actor_officer, reason, payload)
SELECT d.case_id, $1, '{OVERDUE}', d.state, d.state, '{SYSTEM.partner}', '{SYSTEM.officer}', late.rule,
  jsonb_build_object('delivery_id', d.delivery_id::text, 'channel', d.channel, 'action', d.action, 'item', d.item,
    'rule', late.rule, 'priority', late.priority, 'limit', late.until, 'provisional', late.provisional,
    'attempts', d.attempts, 'error_code', d.error_code)
FROM fresh d JOIN unnest($2::text[], $3::text[], $4::boolean[], $5::date[], $6::text[], $7::date[], $8::text[], $9::integer[],
    $10::date[], $11::boolean[])
  AS late(channel, action, refused, begun, region_code, withdraw_by, rule, priority, until, provisional)
  ON (late.channel, late.action, late.refused, late.begun, coalesce(late.region_code, ''), coalesce(late.withdraw_by, 'infinity'))
   = (d.channel, d.action, d.refused, d.begun, coalesce(d.region_code, ''), coalesce(d.withdraw_by, 'infinity'))
ORDER BY d.delivery_id
RETURNING (payload->>'delivery_id')::bigint AS delivery_id, payload->>'channel' AS channel, payload->>'item' AS item, reason AS rule,
  (payload->>'priority')::integer AS priority, (payload->>'limit')::date AS limit
"""  # noqa: S608 -- constants of this program


@dataclass(frozen=True)
class Alarm:
    """The alarm of a delivery past its limit, or refused by its channel."""

    delivery_id: int
    channel: str
    # The published item, as its channel knows it.
    item: str
    rule: str
    priority: int
    limit: date


@dataclass(frozen=True)
class OverdueDeliveries:
    """Deliveries to a channel past their limit, or refused by it, and the oldest of these days.

    `ended`: they are of what has ended and is still shown there, not of what is not shown there yet.
    """

    channel: str
    ended: bool
    count: int
    oldest: date

    @property
    def priority(self) -> int:
        """The priority of their alarms."""
        return STILL_SHOWN if self.ended else NOT_SHOWN


@dataclass(frozen=True)
class Alarms:
    """Everything overdue, and the alarms that are new."""

    overdue: Sequence[OverdueDeliveries]
    raised: Sequence[Alarm]


@dataclass(frozen=True)
class _Late:
    """So many open deliveries that are limited alike and are overdue: by which rule, how urgently, since when."""

    row: asyncpg.Record
    rule: str
    priority: int
    limit: Due


async def _late(connection: asyncpg.Connection, now: datetime) -> list[_Late]:
    """What is overdue at `now`, counted by the store: of what is ever more no row for each is fetched.

    A refusal by the channel is overdue at once: waiting does not help, a person has to act.
    """
    found: list[_Late] = []
    today = now.astimezone(SHANGHAI).date()
    calendars: dict[str | None, Calendar] = {}
    # What waits for a channel that is not set is ever more: a day's limit is counted once.
    limits: dict[tuple[str, date, str | None], Due] = {}
    for row in await connection.fetch(_COUNTED):
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
            found.append(_Late(row, rule, priority, limit))
    return found


def _summed(late: Iterable[_Late]) -> list[OverdueDeliveries]:
    """By channel, the most urgent first."""
    counts: Counter[tuple[int, str]] = Counter()
    oldest: dict[tuple[int, str], date] = {}
    for one in late:
        key = one.priority, one.row["channel"]
        counts[key] += one.row["count"]
        oldest[key] = min(one.limit.on, oldest.get(key, one.limit.on))
    return [
        OverdueDeliveries(channel, priority == STILL_SHOWN, count, oldest[priority, channel])
        for (priority, channel), count in sorted(counts.items())
    ]


async def count_overdue(connection: asyncpg.Connection, now: datetime) -> list[OverdueDeliveries]:
    """Everything overdue at `now` by channel, the most urgent first; changes nothing."""
    return _summed(await _late(connection, now))


async def raise_alarms(pool: asyncpg.Pool, now: datetime) -> Alarms:
    """Everything overdue at `now`; each delivery's alarm is raised once, as an event of its case."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_LOCK)
        late = await _late(connection, now)
        limited = ("channel", "action", "refused", "begun", "region_code", "withdraw_by")
        raised = await connection.fetch(
            _RAISE,
            now,
            *([one.row[name] for one in late] for name in limited),
            [one.rule for one in late],
            [one.priority for one in late],
            [one.limit.on for one in late],
            [one.limit.provisional for one in late],
        )
    return Alarms(_summed(late), [Alarm(**row) for row in raised])


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
