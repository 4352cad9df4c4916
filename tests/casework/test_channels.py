"""The client of the channels against real servers: what their answers mean, and what happens when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hub.casework.delivery.channels import (
    Address,
    Channel,
    Client,
    Receipt,
    Refused,
    State,
    Unavailable,
    channels_of,
    publication,
    withdrawal,
)
from hub.config import Settings
from hub.errors import SettingInvalid
from hub.sandbox.channels import ChannelSite, Trouble
from hub.sandbox.run import CHANNEL_KEYS
from hub.sandbox.server import Fault, serving
from tests.casework.dispatch import APP, Site, present, sites
from tests.faulty_wire import FaultyWire

ITEM = "0b6f5f3e-0000-4000-8000-000000000001"
SHOWN = publication(
    Channel.OWN_SITE,
    ITEM,
    {"kind": "PENALTY", "title": "未按规定明码标价", "subject": "青海三江源商贸有限公司"},
    "P-1",
).payload
GONE = withdrawal(Channel.OWN_SITE, ITEM, "原行政处罚决定被依法撤销", "W-1").payload


@pytest.fixture
async def own() -> AsyncIterator[Site]:
    """The own site."""
    async with sites() as found:
        yield found[Channel.OWN_SITE]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that waits for half a second."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Client(http, 0.5)


async def page(site: Site) -> str:
    """The channel's public page."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(site.address.url)).text


async def test_r4_5_a_published_item_is_on_the_page_and_the_receipt_is_the_channels(
    own: Site, client: Client
) -> None:
    receipt = await client.send(own.address, "P-1", 1, SHOWN, present())
    assert receipt == Receipt("P-1", "OWN_SITE-00000001", "SHOWN")
    assert "未按规定明码标价" in await page(own)


async def test_r7_4_a_withdrawn_item_is_gone_and_the_page_says_why(own: Site, client: Client) -> None:
    await client.send(own.address, "P-1", 1, SHOWN, present())
    receipt = await client.send(own.address, "W-1", 2, GONE, present())
    assert isinstance(receipt, Receipt)
    assert receipt.outcome == "GONE"
    text = await page(own)
    assert "未按规定明码标价" not in text
    assert "原行政处罚决定被依法撤销" in text


async def test_the_same_number_is_done_once_and_answered_with_the_same_receipt(
    own: Site, client: Client
) -> None:
    first, *others = [await client.send(own.address, "P-1", 1, SHOWN, present()) for _ in range(5)]
    assert others == [first] * 4
    assert (own.site.received, own.site.effects) == (5, 1)


async def test_another_document_under_a_known_number_is_refused(own: Site, client: Client) -> None:
    await client.send(own.address, "P-1", 1, SHOWN, present())
    with pytest.raises(Refused, match="NUMBER_REUSED"):
        await client.send(own.address, "P-1", 1, GONE, present())
    with pytest.raises(Refused, match="NUMBER_REUSED"):
        await client.ask(own.address, "P-1", 1, GONE, present())
    assert ITEM in own.site.listing()["published"]


async def test_an_older_document_that_arrives_late_does_not_bring_back_what_ended(
    own: Site, client: Client
) -> None:
    await client.send(own.address, "W-1", 2, GONE, present())
    late = await client.send(own.address, "P-1", 1, SHOWN, present())
    assert isinstance(late, Receipt)
    assert late.outcome == "SUPERSEDED"
    assert own.site.listing()["published"] == {}


async def test_a_receipt_that_comes_later_is_asked_for(client: Client) -> None:
    now = 1_000_000.0
    async with sites(receipt_after=60, clock=lambda: now) as found:
        own = found[Channel.OWN_SITE]
        moment = present().fromtimestamp(now, tz=present().tzinfo)
        assert await client.ask(own.address, "P-1", 1, SHOWN, moment) is State.UNKNOWN
        assert await client.send(own.address, "P-1", 1, SHOWN, moment) is State.ACCEPTED
        assert await client.ask(own.address, "P-1", 1, SHOWN, moment) is State.ACCEPTED
        now += 61
        moment += timedelta(seconds=61)
        assert isinstance(await client.ask(own.address, "P-1", 1, SHOWN, moment), Receipt)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Trouble.OUTAGE, "HTTP_503"),
        (Trouble.LOST, "HTTP_502"),
        (Trouble.GARBAGE, "ANSWER_NOT_AGREED"),
        (Trouble.FORGED, "RECEIPT_NOT_SIGNED"),
        (Trouble.LIES, "ANSWER_NOT_AGREED"),
    ],
)
async def test_a_channel_in_trouble_is_unavailable_and_the_same_number_does_it_afterwards(
    own: Site, client: Client, trouble: Trouble, code: str
) -> None:
    own.site.trouble = trouble
    with pytest.raises(Unavailable) as told:
        await client.send(own.address, "P-1", 1, SHOWN, present())
    assert told.value.code == code
    own.site.trouble = Trouble.NONE
    assert isinstance(await client.send(own.address, "P-1", 1, SHOWN, present()), Receipt)
    assert own.site.effects == 1


async def test_a_slow_channel_costs_its_deadline_and_no_more(own: Site, client: Client) -> None:
    own.site.trouble, own.site.delay = Trouble.SLOW, 2.0
    begun = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match="TIMEOUT"):
        await client.send(own.address, "P-1", 1, SHOWN, present())
    assert asyncio.get_running_loop().time() - begun < 1.5


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.HANG, "TIMEOUT"),
        (Fault.DRIP, "TIMEOUT"),
        (Fault.RESET, "UNREACHABLE"),
        (Fault.REFUSE, "UNREACHABLE"),
    ],
)
async def test_a_broken_wire_is_unavailable(own: Site, client: Client, fault: Fault, code: str) -> None:
    host, port = own.address.url.removeprefix("http://").split(":")
    wire = FaultyWire(host, int(port))
    async with wire.open() as (there, through):
        address = replace(own.address, url=f"http://{there}:{through}")
        wire.fault = fault
        with pytest.raises(Unavailable, match=code):
            await client.send(address, "P-1", 1, SHOWN, present())
        wire.fault = Fault.NONE
        assert isinstance(await client.send(address, "P-1", 1, SHOWN, present()), Receipt)


async def test_a_channel_that_will_not_take_a_document_refuses_it(own: Site, client: Client) -> None:
    own.site.trouble = Trouble.STRICT
    with pytest.raises(Refused, match="NOT_ACCEPTED"):
        await client.send(own.address, "P-1", 1, SHOWN, present())


@pytest.mark.parametrize(
    "change",
    [{"key": b"\7" * 32}, {"app_id": "somebody"}],
)
async def test_a_wrong_key_waits_until_it_is_right(
    own: Site, client: Client, change: Mapping[str, object]
) -> None:
    wrong: Address = replace(own.address, **change)  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="NOT_AUTHORIZED"):
        await client.send(wrong, "P-1", 1, SHOWN, present())
    assert own.site.received == 0


async def test_an_old_signature_is_not_taken(own: Site, client: Client) -> None:
    with pytest.raises(Unavailable, match="NOT_AUTHORIZED"):
        await client.send(own.address, "P-1", 1, SHOWN, present() - timedelta(minutes=6))


async def test_a_key_is_never_shown(own: Site) -> None:
    assert own.address.key.hex() not in repr(own.address)
    assert repr(own.address.key) not in repr(own.address)


async def test_what_was_published_is_there_after_a_restart_of_the_sandbox(
    client: Client, tmp_path: Path
) -> None:
    key, journal = b"\1" * 32, tmp_path / "own.jsonl"
    for attempt in range(2):
        site = ChannelSite("OWN_SITE", {APP: key}, journal=journal)
        async with serving(site.app()) as url:
            address = Address(Channel.OWN_SITE, url, APP, key)
            receipt = await client.send(address, "P-1", 1, SHOWN, present())
            assert isinstance(receipt, Receipt)
            assert receipt.receipt == "OWN_SITE-00000001"
            assert ITEM in site.listing()["published"], attempt


def test_channels_are_those_with_an_address_and_each_needs_its_key() -> None:
    given = {"HUB_CHANNEL_OWN_SITE_URL": "http://127.0.0.1:1/x/", "HUB_CHANNEL_OWN_SITE_KEY": "01" * 32}
    found = channels_of(Settings.from_env(given))
    assert found == {Channel.OWN_SITE: Address(Channel.OWN_SITE, "http://127.0.0.1:1/x", APP, b"\1" * 32)}
    assert channels_of(Settings.from_env({})) == {}
    with pytest.raises(SettingInvalid, match="HUB_CHANNEL_OWN_SITE_KEY"):
        channels_of(Settings.from_env({"HUB_CHANNEL_OWN_SITE_URL": "http://127.0.0.1:1"}))


def test_no_channel_can_speak_for_another() -> None:
    assert set(CHANNEL_KEYS) == set(Channel)
    assert len(set(CHANNEL_KEYS.values())) == len(Channel)
