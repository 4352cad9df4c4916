"""Cases, deliveries and channels for tests: rows as the engine writes them, and real channel servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from connectors.contract import Tools
from hub.casework.delivery.channels import Address, Channel, Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.delivery.watch import Watch
from hub.casework.machine import Delivery
from hub.jobs import Duties
from hub.sandbox.channels import ChannelSite
from hub.sandbox.server import serving
from tests.casework.desk import Office

APP = "credit-sharing-hub"
_CASE = """
INSERT INTO case_file (mechanism, number, data_class, state, owner, opened_at, opened_on, due_on, ruleset, details)
VALUES ($1, $2, 'D38', $3, 'commerce', $4, $5, $6, 'test', '{}') RETURNING case_id
"""
_EVENT = """
INSERT INTO case_event (case_id, at, transition, to_state, actor_partner, actor_officer)
VALUES ($1, $2, 'open', 'OPEN', 'commerce', 'zhang') RETURNING event_id
"""
_DELIVERY = """
INSERT INTO delivery_out (case_id, event_id, channel, payload, next_attempt_at, idempotency_key)
VALUES ($1, $2, $3, $4::jsonb, $5, $6) RETURNING delivery_id
"""


def present() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


async def opened(
    pool: asyncpg.Pool,
    number: str,
    at: datetime,
    *,
    mechanism: str = "PUBLICITY",
    state: str = "OPEN",
    due_on: date | None = None,
) -> tuple[int, int]:
    """A case and its first event."""
    async with pool.acquire() as connection, connection.transaction():
        case_id = await connection.fetchval(_CASE, mechanism, number, state, at, at.date(), due_on)
        return case_id, await connection.fetchval(_EVENT, case_id, at)


async def handed_in(
    pool: asyncpg.Pool, case: tuple[int, int], deliveries: list[Delivery], at: datetime
) -> list[int]:
    """The deliveries of a case's event, due from `at`; their ids."""
    return [
        await pool.fetchval(_DELIVERY, *case, one.channel, json.dumps(one.payload), at, one.key)
        for one in deliveries
    ]


async def states(pool: asyncpg.Pool) -> list[tuple[str, str, int, str | None]]:
    """(channel, state, attempts, error code) of every delivery."""
    rows = await pool.fetch(
        "SELECT channel, state, attempts, error_code FROM delivery_out ORDER BY delivery_id"
    )
    return [tuple(row) for row in rows]


def duties(office: Office) -> Duties:
    """The worker's duties over an office's store, at its time, with channels that nobody set."""
    clock, pool = office.clock, office.database.writer
    return Duties(
        settings=office.database.settings,
        tools=Tools(digest_person_id=lambda _: "", deadline=5, now=clock),
        pool=pool,
        courier=Courier(pool, Client(office.client, 5), Pace(), clock, lambda: 0.0),
        channels={},
        watch=Watch(),
        harvested=lambda _: None,
    )


@dataclass
class Site:
    """A channel that is served."""

    site: ChannelSite
    address: Address


@asynccontextmanager
async def sites(**more: Any) -> AsyncIterator[Mapping[Channel, Site]]:
    """All four channels on the loopback; `more` as ChannelSite takes it."""
    async with AsyncExitStack() as stack:
        found = {}
        for number, channel in enumerate(Channel, 1):
            key = bytes([number]) * 32
            site = ChannelSite(channel, {APP: key}, **more)
            url = await stack.enter_async_context(serving(site.app()))
            found[channel] = Site(site, Address(channel, url, APP, key))
        yield found
