"""Who left an association or a platform: what rested on being its member or merchant ends with that (R11.1, R14.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.associations.machine import MEMBER_PUBLICATION
from hub.casework.clock import SYSTEM
from hub.casework.machine import Machine, Step
from hub.casework.platforms.machine import MERCHANT_ARCHIVE
from hub.casework.rounds import apart
from hub.casework.work import calendar_for

LEFT = "left"
# Mechanism, the detail that names the partner, what the firm was to it, and the step that ends its case. The partner is
# shown the case no more (OWN_MEMBER, OWN_MERCHANT), so it can end none itself.
_ENDING: tuple[tuple[Machine, str, str, str], ...] = (
    (MEMBER_PUBLICATION, "association", "MEMBER", "leave"),
    (MERCHANT_ARCHIVE, "platform", "MERCHANT", "close"),
)
# One that is yet to begin again does not hold today.
_DEPARTED = """
SELECT c.public_id, c.number, c.region_code FROM case_file c
WHERE c.mechanism = $1 AND c.closed_at IS NULL AND NOT EXISTS (
  SELECT FROM affiliation f WHERE f.subject_id = c.subject_id AND f.partner = c.details->>$2 AND f.kind = $3
    AND f.valid_from <= $4 AND (f.valid_to IS NULL OR f.valid_to >= $4))
ORDER BY c.case_id
"""


async def end_with_affiliation(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """R11.1, R14.2: end the open cases of firms that left; how many. Each case is its own transaction."""
    today, ended = now.astimezone(SHANGHAI).date(), 0
    for machine, partner, kind, transition in _ENDING:
        for row in await pool.fetch(_DEPARTED, machine.mechanism, partner, kind, today):
            with apart(f"case {row['public_id']}"):
                async with pool.acquire() as connection, connection.transaction():
                    region = [row["region_code"]] if row["region_code"] else []
                    calendar = await calendar_for(connection, region, today)
                    step = Step(SYSTEM, {"reason": LEFT}, now, today, calendar)
                    await engine.apply(connection, machines, machine, row["number"], transition, step)
                ended += 1
    return ended
