"""Hands the deliveries that are due to their channels, again and again until each is acknowledged.

At least once on the wire, once in effect: a delivery is marked before it is sent and again when its receipt is here;
whoever is killed between the two leaves it marked as sent, and it is asked after, or sent again, under its number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from hub.casework.delivery.channels import (
    NUMBER_REUSED,
    Action,
    Address,
    Channel,
    ChannelError,
    Client,
    Receipt,
    Refused,
    State,
)

Clock = Callable[[], datetime]
# A document that will not be sent: what it shows ended before it was ever shown.
SUPERSEDED = "SUPERSEDED"
AWAITING = "AWAITING_RECEIPT"
_OPEN = "('PENDING', 'SENT')"
# Due at $… What was never tried is due since it was decided, even where that moment is still to come: the clock was ahead and
# has been put back since. So it was when a next try was set that is farther off than any pause.
_DUE_AT = """(d.state = 'PENDING' OR coalesce(d.next_attempt_at, {now}) <= {now}
    OR d.next_attempt_at > {now} + interval '1 hour')"""

# R8.5, R7.4: who is no longer to be shown is not shown first, for an hour, because a channel was down.
_SUPERSEDE = f"""
UPDATE delivery_out d SET state = 'FAILED', error_code = '{SUPERSEDED}', next_attempt_at = NULL
WHERE d.channel = $1 AND d.state = 'PENDING' AND d.attempts = 0 AND d.action = '{Action.PUBLISH}'
  AND EXISTS (SELECT FROM delivery_out e WHERE e.channel = d.channel AND e.payload->>'item' = d.payload->>'item'
    AND e.action <> '{Action.PUBLISH}' AND e.delivery_id > d.delivery_id)
"""  # noqa: S608 -- constants of this program
# The same of what was sent before, once its channel says that it never came.
_OVERTAKEN = f"""
SELECT 1 FROM delivery_out d JOIN delivery_out e ON e.channel = d.channel AND e.payload->>'item' = d.payload->>'item'
WHERE d.delivery_id = $1 AND d.action = '{Action.PUBLISH}' AND e.action <> '{Action.PUBLISH}' AND e.delivery_id > d.delivery_id
LIMIT 1
"""  # noqa: S608 -- constants of this program
# What is under way for an item keeps its later deliveries waiting: they arrive in the order they were decided.
_CLAIM = f"""
UPDATE delivery_out o SET state = 'SENT', attempts = o.attempts + 1, sent_at = $2, next_attempt_at = $3
FROM (
  SELECT d.delivery_id FROM delivery_out d
  WHERE d.channel = $1 AND d.state IN {_OPEN} AND {_DUE_AT.format(now="$2")}
    AND NOT EXISTS (SELECT FROM delivery_out e WHERE e.channel = d.channel AND e.state IN {_OPEN}
      AND e.payload->>'item' = d.payload->>'item' AND e.delivery_id < d.delivery_id)
  ORDER BY d.delivery_id LIMIT $4 FOR UPDATE SKIP LOCKED
) due
WHERE o.delivery_id = due.delivery_id
RETURNING o.delivery_id, o.case_id, o.idempotency_key, o.payload, o.attempts
"""  # noqa: S608 -- constants of this program
_ACKNOWLEDGE = """
UPDATE delivery_out SET state = 'ACKNOWLEDGED', acknowledged_at = $2, receipt_no = $3, error_code = NULL,
  next_attempt_at = NULL
WHERE delivery_id = $1 AND state = 'SENT'
"""
_LATER = (
    "UPDATE delivery_out SET next_attempt_at = $2, error_code = $3 WHERE delivery_id = $1 AND state = 'SENT'"
)
_FAIL = """
UPDATE delivery_out SET state = 'FAILED', error_code = $2, next_attempt_at = NULL
WHERE delivery_id = $1 AND state = 'SENT'
"""
_DUE = f"""
SELECT channel FROM delivery_out d WHERE state IN {_OPEN} AND {_DUE_AT.format(now="$1")} GROUP BY channel
"""  # noqa: S608 -- constants of this program
_LISTED = f"""
SELECT d.delivery_id, d.channel, d.state, d.attempts, d.error_code, d.next_attempt_at, d.action,
  d.payload->>'item' AS item, c.number, e.at
FROM delivery_out d JOIN case_file c USING (case_id) JOIN case_event e USING (event_id)
WHERE d.state IN {_OPEN} OR d.state = 'FAILED' AND d.error_code IS DISTINCT FROM '{SUPERSEDED}'
ORDER BY d.delivery_id LIMIT $1
"""  # noqa: S608 -- constants of this program
# What a later decision on the same item has overtaken is not sent any more. Where its channel knows the number for another
# document, as after a restore of the store, it gets one of its own.
_AGAIN = f"""
UPDATE delivery_out d SET state = 'PENDING', next_attempt_at = $2,
  idempotency_key = CASE error_code WHEN '{NUMBER_REUSED}' THEN left(idempotency_key, 100) || '-' || delivery_id
    ELSE idempotency_key END
WHERE d.delivery_id = $1 AND d.state <> 'ACKNOWLEDGED' AND d.error_code IS DISTINCT FROM '{SUPERSEDED}'
  AND NOT (d.state = 'FAILED' AND EXISTS (SELECT FROM delivery_out e WHERE e.channel = d.channel
    AND e.payload->>'item' = d.payload->>'item' AND e.delivery_id > d.delivery_id))
"""  # noqa: S608 -- constants of this program
# When both sites had acknowledged what an event `e` published; null: they have not (R7.1, R7.6).
SHOWN_ON_BOTH = f"""
  SELECT max(o.acknowledged_at) AS shown_at FROM delivery_out o
  WHERE o.case_id = e.case_id AND o.event_id = e.event_id
    AND o.channel IN ('{Channel.OWN_SITE}', '{Channel.GOVERNMENT_PORTAL}')
  HAVING count(*) = 2 AND count(o.acknowledged_at) = 2
"""  # noqa: S608 -- constants of this program
_ON_BOTH_SITES = f"""
SELECT EXISTS (SELECT FROM case_file c JOIN case_event e USING (case_id) CROSS JOIN LATERAL ({SHOWN_ON_BOTH}) d
  WHERE c.number = $1 AND e.transition = 'publish')
"""  # noqa: S608 -- constants of this program


@dataclass(frozen=True)
class Pace:
    """How often a delivery is tried: `first` seconds after the first try, doubled each time, up to `most`."""

    first: float = 5.0
    most: float = 1800.0
    # Deliveries on their way at once, to one channel.
    batch: int = 8
    # Seconds until a try must be over, with its requests; then it counts as lost.
    lease: float = 30.0

    def pause(self, attempts: int, draw: float) -> timedelta:
        """How long to wait after the `attempts`-th try; `draw` from [0, 1) keeps many from coming back at once."""
        return timedelta(seconds=min(self.most, self.first * 2 ** min(attempts - 1, 30)) * (0.5 + draw))


@dataclass
class Pass:
    """What came of one pass over a channel, in deliveries; `codes` counts what went wrong."""

    acknowledged: int = 0
    awaiting: int = 0
    refused: int = 0
    superseded: int = 0
    unavailable: int = 0
    codes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Claimed:
    delivery_id: int
    number: str
    payload: Mapping[str, Any]
    attempts: int


async def due_channels(pool: asyncpg.Pool, now: datetime) -> set[Channel]:
    """The channels for which something is due."""
    known = set(Channel)
    return {Channel(row["channel"]) for row in await pool.fetch(_DUE, now) if row["channel"] in known}


@dataclass(frozen=True)
class Undelivered:
    """A delivery without receipt, for a person to look at. `number` is its case's, `since` when it was decided."""

    delivery_id: int
    channel: str
    state: str
    attempts: int
    error_code: str | None
    next_attempt_at: datetime | None
    action: str
    item: str
    number: str
    since: datetime


async def undelivered(pool: asyncpg.Pool, limit: int) -> list[Undelivered]:
    """What has no receipt, oldest first: what waits, and what its channel refused."""
    return [Undelivered(*row) for row in await pool.fetch(_LISTED, limit)]


async def on_both_sites(connection: asyncpg.Connection, number: str) -> bool:
    """Whether both sites have acknowledged what the case of this number published (R7.1, R7.6)."""
    return bool(await connection.fetchval(_ON_BOTH_SITES, number))


async def send_again(pool: asyncpg.Pool, delivery_id: int, now: datetime) -> bool:
    """Make a delivery due at once, also one that was refused; False: it is done, unknown or overtaken."""
    return bool(await pool.execute(_AGAIN, delivery_id, now) == "UPDATE 1")


class Courier:
    """Takes deliveries to one channel at a time; several may run at once, in any number of processes."""

    def __init__(
        self, pool: asyncpg.Pool, client: Client, pace: Pace, clock: Clock, draw: Callable[[], float]
    ) -> None:
        """`draw` gives numbers from [0, 1)."""
        self._pool, self._client, self._pace, self._clock, self._draw = pool, client, pace, clock, draw

    async def deliver(self, address: Address) -> Pass:
        """Deliver what is due to a channel until nothing is, or the channel is down: then the rest waits its turn."""
        done = Pass()
        told = await self._pool.execute(_SUPERSEDE, address.channel)
        done.superseded = int(told.rpartition(" ")[2])
        while claimed := await self._claim(address.channel):
            before = done.unavailable
            async with asyncio.TaskGroup() as group:
                for one in claimed:
                    group.create_task(self._take(address, one, done))
            if done.unavailable - before == len(claimed):
                break
        return done

    async def _claim(self, channel: Channel) -> list[_Claimed]:
        now = self._clock()
        until = now + timedelta(seconds=self._pace.lease)
        rows = await self._pool.fetch(_CLAIM, channel, now, until, self._pace.batch)
        return [
            _Claimed(
                row["delivery_id"], row["idempotency_key"], orjson.loads(row["payload"]), row["attempts"]
            )
            for row in rows
        ]

    async def _take(self, address: Address, one: _Claimed, done: Pass) -> None:
        """Take one delivery, and note what came of it."""
        try:
            answer = await self._handed(address, one)
        except Refused as refusal:
            await self._pool.execute(_FAIL, one.delivery_id, refusal.code)
            done.refused += 1
            done.codes[refusal.code] = done.codes.get(refusal.code, 0) + 1
        except ChannelError as error:
            await self._later(one, error.code)
            done.unavailable += 1
            done.codes[error.code] = done.codes.get(error.code, 0) + 1
        else:
            if answer is None:
                await self._pool.execute(_FAIL, one.delivery_id, SUPERSEDED)
                done.superseded += 1
            elif isinstance(answer, Receipt):
                await self._pool.execute(_ACKNOWLEDGE, one.delivery_id, self._clock(), answer.receipt)
                done.acknowledged += 1
            else:
                await self._later(one, AWAITING)
                done.awaiting += 1

    async def _handed(self, address: Address, one: _Claimed) -> Receipt | State | None:
        """The channel's answer; None: it is not to be shown any more, and was not."""
        if one.attempts > 1:
            # It may have arrived, only its receipt did not: ask before sending it once more.
            known = await self._client.ask(address, one.number, one.delivery_id, one.payload, self._clock())
            if known is not State.UNKNOWN:
                return known
            if await self._pool.fetchval(_OVERTAKEN, one.delivery_id) is not None:
                return None
        return await self._client.send(address, one.number, one.delivery_id, one.payload, self._clock())

    async def _later(self, one: _Claimed, code: str) -> None:
        pause = self._pace.pause(one.attempts, self._draw())
        await self._pool.execute(_LATER, one.delivery_id, self._clock() + pause, code)
