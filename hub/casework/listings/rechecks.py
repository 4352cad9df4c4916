"""R8.3: red entries that a serious record has come against are suspended, every day, by the hub itself; a person goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.listings.machine import LIST_ENTRY
from hub.casework.listings.measures import follow_entry
from hub.casework.machine import Machine, Step
from hub.casework.rounds import apart
from hub.casework.work import calendar_for
from hub.rules.listing import load_list_rules

# Red entries, `which` of them, and what has come since they were recognized.
SPOILT = """
SELECT c.number, c.public_id, c.subject_id, c.region_code, min(x.code) AS code FROM case_file c
JOIN LATERAL (
  SELECT 'NEW_' || r.seriousness || '_ADVERSE_RECORD' AS code FROM record r
  WHERE r.subject_id = c.subject_id AND r.superseded_at IS NULL AND r.seriousness = ANY ({classes})
    AND r.lifecycle = 'EFFECTIVE' AND NOT r.under_objection AND (r.usable_until IS NULL OR r.usable_until >= {today})
  UNION ALL
  SELECT 'ON_A_BLACK_LIST' FROM list_entry e
  WHERE e.subject_id = c.subject_id AND e.superseded_at IS NULL AND e.color = 'BLACK' AND e.state = 'PUBLISHED'
    AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= {today})
) x ON TRUE
WHERE c.mechanism = 'LIST_ENTRY' AND c.details->'definition'->>'color' = 'RED' AND {which}
GROUP BY c.case_id ORDER BY c.case_id
"""
# R8.4: who stands on a black list as well is a conflict, which a person takes from the queue.
BY_RECORD = "x.code <> 'ON_A_BLACK_LIST'"


async def suspend_spoilt(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """Suspend the red entries that a record has spoilt, with their measures (R9.1); how many. Each is its own transaction.

    Until an officer looks at the lists nobody is an honest model that is none any more: checks rest on it (R5.4).
    """
    today, suspended = now.astimezone(SHANGHAI).date(), 0
    sql = SPOILT.format(classes="$1::text[]", today="$2", which=f"c.state = 'PUBLISHED' AND {BY_RECORD}")
    for row in await pool.fetch(sql, sorted(load_list_rules().red_rule(today).suspends), today):
        with apart(f"suspending red entry {row['number']}"):
            async with pool.acquire() as connection, connection.transaction():
                region = [row["region_code"]] if row["region_code"] else []
                calendar = await calendar_for(connection, region, today)
                step = Step(SYSTEM, {"reason": row["code"]}, now, today, calendar)
                taken = await engine.apply(connection, machines, LIST_ENTRY, row["number"], "suspend", step)
                await follow_entry(connection, machines, step, taken.case.details.entry, "suspend")
            suspended += 1
    return suspended
