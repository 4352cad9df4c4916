"""What time does to cases: reminders before a deadline, what happens by itself when it has passed, and its mark else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.machine import Actor, Machine, Step
from hub.casework.mechanisms import declared
from hub.casework.rounds import apart
from hub.casework.work import calendar_for
from hub.errors import HubError
from hub.rules.calendar import Calendar
from hub.rules.reminders import reminded_at

# (mechanism, state) → the transition that is taken when the deadline has passed in that state.
Automatic = Mapping[tuple[str, str], str]
# Of a deadline, the calendar days on which its handler is reminded; None: so many working days before, as others.
Reminded = Callable[[date, Calendar], tuple[date, ...] | None]

NEAR, PASSED = "deadline_near", "deadline_passed"
# The hub itself: no partner, no officer, only the clock.
SYSTEM = Actor(partner="hub", officer="worker", system=True)
# Deadlines further away than this are not looked at: the longest reminder comes much later.
_AHEAD = timedelta(days=60)
_BATCH = 500
# `told`: the marks and reminders that this very deadline has had.
_OPEN = f"""
SELECT c.case_id, c.public_id, c.mechanism, c.number, c.state, c.due_on, c.region_code, c.version, array(
  SELECT e.transition || coalesce(e.payload->>'working_days', e.payload->>'on', '') FROM case_event e
  WHERE e.case_id = c.case_id AND e.transition IN ('{NEAR}', '{PASSED}') AND e.payload->>'due_on' = c.due_on::text
) AS told
FROM case_file c
WHERE c.closed_at IS NULL AND c.due_on <= $1 AND (c.due_on, c.case_id) > ($2, $3)
ORDER BY c.due_on, c.case_id LIMIT $4
"""  # noqa: S608 -- constants of this program
_LOCK = "SELECT 1 FROM case_file WHERE case_id = $1 AND version = $2 AND closed_at IS NULL FOR UPDATE"
# Once for each deadline of a case: a deadline that was moved is a new one.
_TELL = """
INSERT INTO case_event (case_id, at, transition, from_state, to_state, actor_partner, actor_officer, payload)
SELECT c.case_id, $2, $3, c.state, c.state, $4, $5, $6::jsonb FROM case_file c
WHERE c.case_id = $1 AND NOT EXISTS (
  SELECT FROM case_event e WHERE e.case_id = $1 AND e.transition = $3 AND e.payload @> $6::jsonb)
"""
_log = logging.getLogger(__name__)


@dataclass
class Round:
    """What one round over the open deadlines did, in cases."""

    reminded: int = 0
    stepped: int = 0
    passed: int = 0
    # Automatic steps that were refused; tried again in the next round, and the case marked once.
    refused: int = 0


def automatic() -> Automatic:
    """What the mechanisms declare as AUTOMATIC."""
    return MappingProxyType(declared("AUTOMATIC"))


@cache
def reminded_on() -> Mapping[str, Reminded]:
    """What the mechanisms declare as REMINDERS: law that counts calendar days (R18.1)."""
    return MappingProxyType(declared("REMINDERS"))


async def keep_time(
    pool: asyncpg.Pool, machines: Mapping[str, Machine], steps: Automatic, now: datetime
) -> Round:
    """One round over all open cases with a deadline near or passed. Each case is its own transaction.

    R7.2: reminders come so many working days before the deadline as reminders.toml says for the mechanism. A
    deadline has passed when its day is over in Asia/Shanghai; then the automatic step of the case's state is
    taken; where there is none, or it is refused, the case is marked once.
    """
    today = now.astimezone(SHANGHAI).date()
    done = Round()
    calendars: dict[str | None, Calendar] = {}
    after: tuple[date, int] = (date.min, 0)
    while rows := await pool.fetch(_OPEN, today + _AHEAD, *after, _BATCH):
        after = (rows[-1]["due_on"], rows[-1]["case_id"])
        for row in rows:
            with apart(f"case {row['public_id']}"):
                region = row["region_code"]
                if region not in calendars:
                    async with pool.acquire() as connection:
                        calendars[region] = await calendar_for(connection, [region] if region else [], today)
                await _keep(pool, machines, steps, row, calendars[region], now, today, done)
    return done


async def _keep(
    pool: asyncpg.Pool,
    machines: Mapping[str, Machine],
    steps: Automatic,
    row: Mapping[str, Any],
    calendar: Calendar,
    now: datetime,
    today: date,
    done: Round,
) -> None:
    if row["due_on"] >= today:
        own = reminded_on().get(row["mechanism"])
        named = own(row["due_on"], calendar) if own is not None else None
        if named is not None:
            past = [day for day in named if day <= today]
            if past and f"{NEAR}{max(past)}" not in row["told"]:
                on = {"due_on": row["due_on"], "on": max(past)}
                done.reminded += await _tell(pool, row, NEAR, on, now)
            return
        left = calendar.between(today, row["due_on"])
        reached = [days for days in reminded_at(row["mechanism"], today) if left <= days]
        if reached and f"{NEAR}{min(reached)}" not in row["told"]:
            told = {"due_on": row["due_on"], "working_days": min(reached)}
            done.reminded += await _tell(pool, row, NEAR, told, now)
        return
    transition = steps.get((row["mechanism"], row["state"]))
    if transition is not None:
        step = Step(SYSTEM, {"reason": PASSED}, now, today, calendar)
        try:
            async with pool.acquire() as connection, connection.transaction():
                # Another worker, or an officer, may have been faster.
                if await connection.fetchval(_LOCK, row["case_id"], row["version"]) is None:
                    return
                await engine.apply(
                    connection, machines, machines[row["mechanism"]], row["number"], transition, step
                )
        except HubError as error:
            done.refused += 1
            _log.warning("case %s: %s is refused: %s", row["number"], transition, error.code)
        else:
            done.stepped += 1
            return
    # Also of a case whose step is refused: it may be so for ever, and only the mark tells its handler.
    if PASSED not in row["told"]:
        done.passed += await _tell(pool, row, PASSED, {"due_on": row["due_on"]}, now)


async def _tell(
    pool: asyncpg.Pool, row: Mapping[str, Any], transition: str, told: Mapping[str, Any], now: datetime
) -> int:
    payload = orjson.dumps(told).decode()
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(_LOCK, row["case_id"], row["version"]) is None:
            return 0
        status = await connection.execute(
            _TELL, row["case_id"], now, transition, SYSTEM.partner, SYSTEM.officer, payload
        )
    return int(status.rpartition(" ")[2])
