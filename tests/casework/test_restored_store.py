"""A store that was restored from a backup goes on with channels that have seen what it has forgotten (R7.4, R8.5)."""

from __future__ import annotations

import asyncpg

from hub.casework.delivery.channels import Channel, list_exit, publication, withdrawal
from hub.casework.delivery.deliveries import Courier, send_again, undelivered
from hub.store.migration import migrated
from tests.casework.dispatch import handed_in, opened, states
from tests.casework.test_deliveries import DOCUMENT, NOW, Sites, channels, clock, courier, item
from tests.conftest import Database

__all__ = ["channels", "clock", "courier"]


async def restored(database: Database) -> None:
    """The store as a backup has it that was made before its first case; migrated, as after every restore."""
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute("TRUNCATE case_file, case_event, case_party, delivery_out RESTART IDENTITY CASCADE")
    await owner.close()
    await migrated(database.owner_dsn)


async def test_what_was_shown_after_the_backup_is_taken_down_by_the_restored_store(
    database: Database, courier: Courier, channels: Sites
) -> None:
    """A channel lets no document undo a later one: counted anew, every end would be the older one, and be answered as done."""
    own = channels[Channel.OWN_SITE]
    case = await opened(database.writer, "L-1", NOW)
    shown, exited = item(), item()
    for number in range(3):
        each = [publication(Channel.OWN_SITE, one, DOCUMENT, f"{one}-{number}") for one in (shown, exited)]
        await handed_in(database.writer, case, each, NOW)
    await courier.deliver(own.address)
    for again in range(2):
        await restored(database)
        case = await opened(database.writer, "L-1", NOW)
        ends = [
            withdrawal(Channel.OWN_SITE, shown, "经复议撤销", f"W-{again}"),
            list_exit(Channel.OWN_SITE, exited, "期满", f"E-{again}"),
        ]
        await handed_in(database.writer, case, ends, NOW)
        await courier.deliver(own.address)
        assert [state for _, state, _, _ in await states(database.writer)] == ["ACKNOWLEDGED"] * 2
        assert own.site.listing()["published"] == {}


async def test_a_step_that_is_done_again_after_a_restore_reaches_its_channel_under_a_number_of_its_own(
    database: Database, courier: Courier, channels: Sites
) -> None:
    own, shown = channels[Channel.OWN_SITE], item()
    case = await opened(database.writer, "L-1", NOW)
    await handed_in(database.writer, case, [publication(Channel.OWN_SITE, shown, DOCUMENT, "L-1-3")], NOW)
    await courier.deliver(own.address)
    await restored(database)
    case = await opened(database.writer, "L-1", NOW)
    later = {**DOCUMENT, "title": "更正后的决定"}
    (again,) = await handed_in(
        database.writer, case, [publication(Channel.OWN_SITE, shown, later, "L-1-3")], NOW
    )
    await courier.deliver(own.address)
    (waits,) = await undelivered(database.writer, 10)
    assert (waits.delivery_id, waits.state, waits.error_code) == (again, "FAILED", "NUMBER_REUSED")
    assert await send_again(database.writer, again, NOW)
    await courier.deliver(own.address)
    assert await undelivered(database.writer, 10) == []
    assert own.site.listing()["published"][shown]["title"] == "更正后的决定"
