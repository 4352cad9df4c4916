"""Deliveries: sent until acknowledged, once in effect, in the order of decisions; and alarms on what ended in vain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from hub.casework.delivery.alarms import Alarms, OverdueDeliveries, raise_alarms, waiting
from hub.casework.delivery.channels import Action, Channel, Client, list_exit, publication, withdrawal
from hub.casework.delivery.deliveries import Courier, Pace, due_channels, send_again, undelivered
from hub.casework.delivery.watch import Watch, Watched
from hub.sandbox.channels import Trouble
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.publicity import DeliveryAction
from tests.casework.dispatch import Site, handed_in, opened, sites, states
from tests.conftest import Database
from tests.test_database import connected, fresh, migrated_before

# A working day in the morning, in Shanghai.
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
DOCUMENT = {"kind": "PENALTY", "title": "未按规定明码标价"}
Sites = Mapping[Channel, Site]
NO_ALARMS = Alarms([], [])


class Clock:
    """The time that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """NOW, until a test sets it forward."""
    return Clock(NOW)


@pytest.fixture
async def channels(clock: Clock) -> AsyncIterator[Sites]:
    """All four channels, whose clock is the test's."""
    async with sites(clock=lambda: clock.now.timestamp()) as found:
        yield found


@pytest.fixture
async def courier(database: Database, clock: Clock) -> AsyncIterator[Courier]:
    """A courier whose pauses are not spread: 10 s after the first try."""
    async with httpx.AsyncClient(trust_env=False) as http:
        pace = Pace(first=10, most=600, batch=3, lease=30)
        yield Courier(database.writer, Client(http, 1.0), pace, clock, lambda: 0.5)


def item() -> str:
    """A public id of its own."""
    return str(uuid4())


async def test_what_a_channel_is_asked_to_do_is_told_without_the_payload_of_old_deliveries_too(
    postgres: EmbeddedPostgres,
) -> None:
    assert [one.name for one in DeliveryAction] == list(Action)
    dsn = await fresh(postgres, "hub_actions")
    await migrated_before(dsn, "0020")
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        case, shown = await opened(pool, "G-1", NOW), item()
        old = [
            publication(Channel.OWN_SITE, shown, DOCUMENT, "G-1:1"),
            withdrawal(Channel.OWN_SITE, shown, "经复议撤销", "G-1:2"),
            list_exit(Channel.OWN_SITE, shown, "期满", "G-1:3"),
        ]
        await handed_in(pool, case, old, NOW)
    await migrated(dsn)
    async with connected(dsn) as owner:
        rows = await owner.fetch("SELECT action FROM delivery_out ORDER BY delivery_id")
        assert [row["action"] for row in rows] == ["PUBLISH", "WITHDRAW", "EXIT"]
        for payload in ("{}", '{"action": "REPLACE"}'):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await owner.execute(
                    "INSERT INTO delivery_out (case_id, event_id, channel, payload, idempotency_key)"
                    " VALUES ($1, $2, 'OWN_SITE', $3, 'G-1:4')",
                    *case, payload,
                )  # fmt: skip


async def test_r4_5_each_channel_has_its_own_delivery_and_state(
    database: Database, courier: Courier, channels: Sites
) -> None:
    shown = item()
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(
        database.writer, case, [publication(one, shown, DOCUMENT, f"G-1:{one}") for one in Channel], NOW
    )
    channels[Channel.CREDIT_QINGHAI].site.trouble = Trouble.OUTAGE
    assert await due_channels(database.writer, NOW) == set(Channel)
    for one in Channel:
        await courier.deliver(channels[one].address)
    assert await states(database.writer) == [
        ("OWN_SITE", "ACKNOWLEDGED", 1, None),
        ("GOVERNMENT_PORTAL", "ACKNOWLEDGED", 1, None),
        ("PROVINCIAL_PLATFORM", "ACKNOWLEDGED", 1, None),
        ("CREDIT_QINGHAI", "SENT", 1, "HTTP_503"),
    ]
    assert [shown in channels[one].site.listing()["published"] for one in Channel] == [
        True,
        True,
        True,
        False,
    ]
    row = await database.writer.fetchrow(
        "SELECT receipt_no, acknowledged_at, next_attempt_at FROM delivery_out"
    )
    assert tuple(row) == ("OWN_SITE-00000001", NOW, None)


async def test_r7_6_a_channel_that_is_down_is_tried_again_after_doubling_pauses_until_it_acknowledges(
    database: Database, courier: Courier, channels: Sites, clock: Clock
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], NOW)
    own.site.trouble = Trouble.OUTAGE
    pauses = []
    for _ in range(8):
        await courier.deliver(own.address)
        due = await database.writer.fetchval("SELECT next_attempt_at FROM delivery_out")
        pauses.append((due - clock.now).total_seconds())
        clock.now = due - timedelta(seconds=1)
        assert await due_channels(database.writer, clock.now) == set()
        clock.now = due
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600]
    own.site.trouble = Trouble.NONE
    assert (await courier.deliver(own.address)).acknowledged == 1
    assert await states(database.writer) == [("OWN_SITE", "ACKNOWLEDGED", 9, None)]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_spread_around_its_middle_and_never_longer_than_the_longest(
    attempts: int, draw: float
) -> None:
    pace = Pace(first=5, most=1800)
    middle = min(1800, 5 * 2 ** min(attempts - 1, 30))
    pause = pace.pause(attempts, draw).total_seconds()
    assert 0.5 * middle - 0.001 <= pause <= 1.5 * middle


@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.GARBAGE, Trouble.FORGED, Trouble.LIES])
async def test_an_answer_that_got_lost_is_asked_for_and_nothing_is_published_twice(
    database: Database, courier: Courier, channels: Sites, clock: Clock, trouble: Trouble
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], NOW)
    own.site.trouble = trouble
    await courier.deliver(own.address)
    clock.forward(minutes=1)
    own.site.trouble = Trouble.NONE
    assert (await courier.deliver(own.address)).acknowledged == 1
    assert (own.site.received, own.site.effects) == (1, 1)


async def test_a_receipt_that_comes_later_is_awaited(
    database: Database, courier: Courier, clock: Clock
) -> None:
    async with sites(receipt_after=60, clock=lambda: clock.now.timestamp()) as channels:
        own = channels[Channel.OWN_SITE]
        case = await opened(database.writer, "G-1", NOW)
        await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], NOW)
        assert (await courier.deliver(own.address)).awaiting == 1
        assert await states(database.writer) == [("OWN_SITE", "SENT", 1, "AWAITING_RECEIPT")]
        clock.forward(seconds=70)
        assert (await courier.deliver(own.address)).acknowledged == 1
        assert own.site.received == 1


async def test_r7_4_a_withdrawal_never_overtakes_what_it_withdraws(
    database: Database, courier: Courier, channels: Sites, clock: Clock
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, shown, DOCUMENT, "P")], NOW)
    own.site.trouble = Trouble.LOST
    await courier.deliver(own.address)
    # It may stand on the page, nobody knows; its withdrawal waits for the answer to that, from another case too.
    other = await opened(database.writer, "G-2", clock.forward(seconds=1))
    await handed_in(database.writer, other, [withdrawal(Channel.OWN_SITE, shown, "撤销", "W")], clock.now)
    own.site.trouble = Trouble.NONE
    assert (await courier.deliver(own.address)).acknowledged == 0
    assert shown in own.site.listing()["published"]
    clock.forward(minutes=1)
    # Both in one pass, one after the other.
    assert (await courier.deliver(own.address)).acknowledged == 2
    assert own.site.listing()["withdrawn"] == {shown: "撤销"}


async def test_what_ended_before_it_was_ever_shown_is_not_shown_first(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(
        database.writer,
        case,
        [
            publication(Channel.OWN_SITE, shown, DOCUMENT, "P"),
            list_exit(Channel.OWN_SITE, shown, "信用修复", "E"),
            publication(Channel.GOVERNMENT_PORTAL, shown, DOCUMENT, "P2"),
        ],
        NOW,
    )
    done = await courier.deliver(own.address)
    assert (done.superseded, done.acknowledged) == (1, 1)
    assert await states(database.writer) == [
        ("OWN_SITE", "FAILED", 0, "SUPERSEDED"),
        ("OWN_SITE", "ACKNOWLEDGED", 1, None),
        ("GOVERNMENT_PORTAL", "PENDING", 0, None),
    ]
    assert own.site.effects == 1
    assert own.site.listing()["published"] == {}


async def test_what_ended_while_its_channel_was_down_is_not_shown_first(
    database: Database, courier: Courier, channels: Sites, clock: Clock
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, shown, DOCUMENT, "P")], NOW)
    own.site.trouble = Trouble.OUTAGE
    await courier.deliver(own.address)
    await handed_in(
        database.writer, case, [list_exit(Channel.OWN_SITE, shown, "信用修复", "E")], clock.forward(seconds=1)
    )
    own.site.trouble = Trouble.NONE
    clock.forward(minutes=1)
    done = await courier.deliver(own.address)
    assert (done.superseded, done.acknowledged) == (1, 1)
    assert await states(database.writer) == [
        ("OWN_SITE", "FAILED", 2, "SUPERSEDED"),
        ("OWN_SITE", "ACKNOWLEDGED", 1, None),
    ]
    # The channel was told of its end alone.
    assert own.site.effects == 1
    assert own.site.listing()["published"] == {}


async def test_what_is_shown_again_after_its_withdrawal_is_shown(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(
        database.writer,
        case,
        [
            publication(Channel.OWN_SITE, shown, DOCUMENT, "P"),
            withdrawal(Channel.OWN_SITE, shown, "异议处理中", "W"),
            publication(Channel.OWN_SITE, shown, DOCUMENT, "P2"),
        ],
        NOW,
    )
    assert (await courier.deliver(own.address)).acknowledged == 2
    assert shown in own.site.listing()["published"]


async def test_couriers_that_run_at_once_take_each_delivery_once(
    database: Database, channels: Sites, clock: Clock
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "G-1", NOW)
    shown = [item() for _ in range(200)]
    await handed_in(
        database.writer, case, [publication(Channel.OWN_SITE, one, DOCUMENT, one) for one in shown], NOW
    )
    pool = await asyncpg.create_pool(database.writer_dsn, min_size=8, max_size=8)
    async with httpx.AsyncClient(trust_env=False) as http, pool:
        couriers = [Courier(pool, Client(http, 5.0), Pace(batch=20), clock, lambda: 0.5) for _ in range(8)]
        passes = await asyncio.gather(*(one.deliver(own.address) for one in couriers))
    assert sum(one.acknowledged for one in passes) == 200
    assert (own.site.received, own.site.effects) == (200, 200)
    assert set(own.site.listing()["published"]) == set(shown)
    attempts = await database.writer.fetchval("SELECT max(attempts) FROM delivery_out")
    assert attempts == 1


async def test_a_channel_that_is_down_is_not_asked_for_every_delivery(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(
        database.writer,
        case,
        [publication(Channel.OWN_SITE, item(), DOCUMENT, f"P{n}") for n in range(20)],
        NOW,
    )
    own.site.trouble = Trouble.OUTAGE
    assert (await courier.deliver(own.address)).unavailable == 3


async def test_a_killed_couriers_deliveries_are_taken_up_when_its_time_is_over(
    database: Database, courier: Courier, channels: Sites, clock: Clock
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], NOW)
    own.site.trouble, own.site.delay = Trouble.SLOW, 0.8
    doomed = asyncio.create_task(courier.deliver(own.address))
    while own.site.received == 0:  # noqa: ASYNC110 -- a plain attribute of the sandbox
        await asyncio.sleep(0.01)
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    own.site.trouble = Trouble.NONE
    assert await states(database.writer) == [("OWN_SITE", "SENT", 1, None)]
    assert (await courier.deliver(own.address)).acknowledged == 0
    clock.forward(seconds=31)
    assert (await courier.deliver(own.address)).acknowledged == 1
    assert (own.site.received, own.site.effects) == (1, 1)


@pytest.mark.parametrize("ahead_by", [timedelta(minutes=30), timedelta(hours=8)])
async def test_what_waits_for_a_clock_that_was_put_back_is_sent_at_once(
    database: Database, courier: Courier, channels: Sites, ahead_by: timedelta
) -> None:
    own, ahead = channels[Channel.OWN_SITE], NOW + ahead_by
    case = await opened(database.writer, "G-1", ahead)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], ahead)
    assert await due_channels(database.writer, NOW) == {Channel.OWN_SITE}
    assert (await courier.deliver(own.address)).acknowledged == 1


async def alarms_of(database: Database) -> list[dict[str, object]]:
    """The payloads of the alarms, oldest first."""
    rows = await database.reader.fetch(
        "SELECT payload, from_state, to_state FROM case_event WHERE transition = 'delivery_overdue' ORDER BY event_id"
    )
    assert all(row["from_state"] == row["to_state"] == "OPEN" for row in rows)
    return [json.loads(row["payload"]) for row in rows]


async def test_r8_5_an_exit_that_was_not_pushed_on_its_day_is_a_priority_1_alarm_once(
    database: Database, courier: Courier, channels: Sites, clock: Clock
) -> None:
    case = await opened(database.writer, "L-1", NOW, mechanism="LIST_ENTRY")
    gone = list_exit(Channel.CREDIT_QINGHAI, item(), "移出严重失信主体名单", "E")
    await handed_in(database.writer, case, [gone], NOW)
    qinghai = channels[Channel.CREDIT_QINGHAI]
    qinghai.site.trouble = Trouble.OUTAGE
    await courier.deliver(qinghai.address)
    # 23:59:59 in Shanghai is still the day; at 24:00 it is over.
    assert await raise_alarms(database.writer, datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)) == NO_ALARMS
    (first,) = (await raise_alarms(database.writer, datetime(2026, 11, 20, 16, 0, tzinfo=UTC))).raised
    assert (first.rule, first.priority, str(first.limit)) == ("R8.5", 1, "2026-11-20")
    again = await raise_alarms(database.writer, datetime(2026, 11, 21, 16, 0, tzinfo=UTC))
    assert again == Alarms([OverdueDeliveries("CREDIT_QINGHAI", True, 1, date(2026, 11, 20))], [])
    (told,) = await alarms_of(database)
    assert (told["channel"], told["priority"], told["error_code"]) == ("CREDIT_QINGHAI", 1, "HTTP_503")
    # It is still pushed, and then it is no longer overdue.
    qinghai.site.trouble = Trouble.NONE
    clock.forward(days=2)
    assert (await courier.deliver(qinghai.address)).acknowledged == 1
    assert await raise_alarms(database.writer, clock.now) == NO_ALARMS
    assert len(await alarms_of(database)) == 1


async def test_r7_4_a_withdrawal_has_three_working_days(database: Database) -> None:
    # Thursday before the Spring Festival of 2026: the third working day is 24 February (DAY 12 is not counted).
    at = datetime(2026, 2, 12, 2, 0, tzinfo=UTC)
    case = await opened(database.writer, "G-1", at)
    await handed_in(database.writer, case, [withdrawal(Channel.OWN_SITE, item(), "撤销", "W")], at)
    assert await raise_alarms(database.writer, datetime(2026, 2, 24, 15, 59, tzinfo=UTC)) == NO_ALARMS
    (overdue,) = (await raise_alarms(database.writer, datetime(2026, 2, 24, 16, 0, tzinfo=UTC))).raised
    assert (overdue.rule, overdue.priority, str(overdue.limit)) == ("R7.4", 1, "2026-02-24")


async def test_r7_6_a_publication_that_is_late_is_an_alarm_of_the_second_order(database: Database) -> None:
    case = await opened(database.writer, "G-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, item(), DOCUMENT, "P")], NOW)
    (overdue,) = (await raise_alarms(database.writer, NOW + timedelta(days=1))).raised
    assert (overdue.rule, overdue.priority) == ("R7.6", 2)


async def test_a_refused_exit_is_an_alarm_at_once(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "L-1", NOW)
    await handed_in(database.writer, case, [list_exit(Channel.OWN_SITE, item(), "移出", "E")], NOW)
    own.site.trouble = Trouble.STRICT
    assert (await courier.deliver(own.address)).refused == 1
    assert await states(database.writer) == [("OWN_SITE", "FAILED", 1, "NOT_ACCEPTED")]
    (overdue,) = (await raise_alarms(database.writer, NOW)).raised
    assert overdue.priority == 1


async def test_a_refused_delivery_is_sent_again_when_a_person_says_so_unless_it_was_overtaken(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "L-1", NOW)
    (first,) = await handed_in(
        database.writer, case, [publication(Channel.OWN_SITE, shown, DOCUMENT, "P")], NOW
    )
    own.site.trouble = Trouble.STRICT
    await courier.deliver(own.address)
    (waits,) = await undelivered(database.writer, 10)
    assert (waits.delivery_id, waits.state, waits.error_code) == (first, "FAILED", "NOT_ACCEPTED")
    assert (waits.action, waits.item, waits.number, waits.since) == ("PUBLISH", shown, "L-1", NOW)
    own.site.trouble = Trouble.NONE
    assert await send_again(database.writer, first, NOW)
    assert (await courier.deliver(own.address)).acknowledged == 1
    assert await undelivered(database.writer, 10) == []
    assert not await send_again(database.writer, first, NOW)
    # What a later decision has overtaken stays where it is.
    again, ended = await handed_in(
        database.writer,
        case,
        [
            publication(Channel.OWN_SITE, shown, DOCUMENT, "P2"),
            list_exit(Channel.OWN_SITE, shown, "移出", "E"),
        ],
        NOW,
    )
    await courier.deliver(own.address)
    assert not await send_again(database.writer, again, NOW)
    assert not await send_again(database.writer, ended, NOW)
    assert own.site.listing()["published"] == {}


async def test_workers_that_look_at_once_raise_one_alarm(database: Database) -> None:
    case = await opened(database.writer, "L-1", NOW)
    await handed_in(
        database.writer, case, [list_exit(one, item(), "移出", f"E:{one}") for one in Channel], NOW
    )
    pool = await asyncpg.create_pool(database.writer_dsn, min_size=4, max_size=4)
    async with pool:
        found = await asyncio.gather(*(raise_alarms(pool, NOW + timedelta(days=1)) for _ in range(4)))
    assert sum(len(one.raised) for one in found) == 4
    assert len(await alarms_of(database)) == 4


async def test_what_was_alarmed_of_before_the_store_counts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel that is not set has ever more of it, and the worker looks each minute: it fetched a row for each."""
    case = await opened(database.writer, "L-1", NOW)
    await handed_in(
        database.writer, case, [list_exit(Channel.OWN_SITE, item(), "移出", f"E:{n}") for n in range(50)], NOW
    )
    fetched: list[Any] = []
    fetch = asyncpg.Connection.fetch

    async def noted(connection: asyncpg.Connection, *given: Any, **more: Any) -> Any:
        rows = await fetch(connection, *given, **more)
        fetched.extend(rows)
        return rows

    first = await raise_alarms(database.writer, NOW + timedelta(days=1))
    monkeypatch.setattr(asyncpg.Connection, "fetch", noted)
    again = await raise_alarms(database.writer, NOW + timedelta(days=1, minutes=1))
    monkeypatch.undo()
    # Beside it the days of the calendar are fetched.
    assert fetched
    assert not [row for row in fetched if "delivery_id" in row]
    assert len({one.delivery_id for one in first.raised}) == 50
    assert again == Alarms([OverdueDeliveries("OWN_SITE", True, 50, date(2026, 11, 20))], [])
    assert first.overdue == again.overdue
    assert len(await alarms_of(database)) == 50


async def test_the_figures_tell_what_is_overdue_and_what_waits(database: Database) -> None:
    case = await opened(database.writer, "L-1", NOW)
    await handed_in(
        database.writer,
        case,
        [
            list_exit(Channel.OWN_SITE, item(), "移出", "E"),
            publication(Channel.CREDIT_QINGHAI, item(), DOCUMENT, "P"),
        ],
        NOW,
    )
    watch, later = Watch(), NOW + timedelta(days=1)
    watch.tell(
        Watched(await raise_alarms(database.writer, later), tuple(await waiting(database.writer)), later)
    )
    told = generate_latest(watch.registry).decode()
    assert 'credithub_deliveries_overdue{channel="OWN_SITE",priority="1"} 1.0' in told
    assert 'credithub_deliveries_overdue{channel="CREDIT_QINGHAI",priority="2"} 1.0' in told
    assert 'credithub_alarms_total{channel="OWN_SITE",rule="R8.5"} 1.0' in told
    assert 'credithub_deliveries_waiting{channel="OWN_SITE"} 1.0' in told
    assert 'credithub_delivery_oldest_seconds{channel="OWN_SITE"} 86400.0' in told
    watch.tell(Watched(NO_ALARMS, (), later))
    assert "priority" not in generate_latest(watch.registry).decode().replace(
        "Deliveries past their limit; priority", ""
    )


def test_pauses_never_shrink() -> None:
    pace = Pace()
    assert all(one <= two for one, two in pairwise(pace.pause(n, 0.5) for n in range(1, 60)))
