"""Sources, channels and issuers over https: whom the machine trusts is trusted, and what is wrong is said in words that help."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest

from connectors import association, customs
from connectors.contract import Connector, Unavailable
from connectors.tls import trusted
from hub.casework.delivery.channels import Channel, Client, Receipt
from hub.casework.delivery.channels import Unavailable as NotTaken
from hub.config import Settings
from hub.rights.issuer import KeySet
from hub.rights.keysets import PartnerKeys
from hub.sandbox.association import Chamber
from hub.sandbox.customs import LEVEL_SERVICE, CustomsService
from hub.sandbox.platform import Platform
from hub.sandbox.province import Province
from hub.sandbox.server import serving
from hub.sources.cache import RowCache
from tests.casework.dispatch import present, sites
from tests.casework.test_channels import SHOWN
from tests.test_sources import APP_ID, APP_KEY, SEAL, sources_of, tools
from tests.tls_wire import Manner, TlsWire

PROVINCE = Province(10, date(2026, 5, 1))
TOKEN = "a token of the association"
ROOT = Path(__file__).parent.parent
_CLIENT = re.compile(r"httpx\.(?:Async)?Client\((?:[^()]|\([^()]*\))*\)")


@pytest.fixture
def vouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the wire keeps its certificates, whose authority this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tmp_path


@asynccontextmanager
async def behind(app: object, directory: Path) -> AsyncIterator[tuple[TlsWire, str]]:
    """The wire before a server, and the server's address over it."""
    async with serving(app) as url:  # type: ignore[arg-type]
        wire = TlsWire(directory, int(url.rpartition(":")[2]))
        async with wire.open() as place:
            yield wire, f"https://{place}"


@asynccontextmanager
async def chamber(directory: Path, deadline: float) -> AsyncIterator[tuple[TlsWire, Connector]]:
    """The association over https."""
    async with behind(Chamber(PROVINCE, TOKEN).app(), directory) as (wire, url):
        settings = {"HUB_ASSOCIATION_URL": f"{url}/graphql", "HUB_ASSOCIATION_TOKEN": TOKEN}
        one = association.connect(settings, tools(deadline))
        yield wire, one
        await one.close()


async def rows(connector: Connector) -> int:
    """How many rows a harvest from the beginning gives."""
    return sum([len(batch.rows) async for batch in connector.harvest(None)])


async def test_a_source_is_reached_whose_authority_this_machine_trusts(vouched: Path) -> None:
    """The platforms of a province have certificates of an authority that no list of the world's browsers names."""
    async with chamber(vouched, 5) as (_, one):
        assert await rows(one) > 0


async def test_it_is_reached_under_every_python(vouched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 3.13 on a certificate was refused that names its issuer's key nowhere, as those of many a ministry do."""
    made = ssl.create_default_context

    def of_3_13() -> ssl.SSLContext:
        context = made()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", of_3_13)
    async with chamber(vouched, 5) as (_, one):
        assert await rows(one) > 0
    async with chamber(vouched, 5) as (wire, one):
        # What does not hold is refused as before.
        wire.manner = Manner.OTHER_HOST
        with pytest.raises(Unavailable, match="another host's"):
            await rows(one)


async def test_a_channel_and_an_issuer_are_reached_whose_authority_this_machine_trusts(vouched: Path) -> None:
    async with sites() as channels:
        own = channels[Channel.OWN_SITE]
        wire = TlsWire(vouched, int(own.address.url.rpartition(":")[2]))
        async with wire.open() as place, httpx.AsyncClient(trust_env=False, verify=trusted()) as http:
            address = replace(own.address, url=f"https://{place}")
            client = Client(http, 5)
            assert isinstance(await client.send(address, "P-1", 1, SHOWN, present()), Receipt)
            wire.manner = Manner.EXPIRED
            async with httpx.AsyncClient(trust_env=False, verify=trusted()) as other:
                with pytest.raises(NotTaken, match="CERTIFICATE_EXPIRED"):
                    await Client(other, 5).send(address, "P-2", 2, SHOWN, present())
            wire.manner = Manner.GARBLES
            async with httpx.AsyncClient(trust_env=False, verify=trusted()) as other:
                with pytest.raises(NotTaken, match="UNREACHABLE"):
                    await Client(other, 5).send(address, "P-3", 3, SHOWN, present())
            wire.manner = Manner.GOOD
            published = KeySet("https://id", f"{address.url}/", frozenset({"ES256"}), date.min, date.max)
            keys = PartnerKeys(Mock(in_force=lambda: [Mock(key_sets=(published,))]), present)
            # A page of the site is no key set; that it came is what counts here.
            (why,) = (await keys._fetch_all([published.url])).values()
            assert "certificate" not in why.lower(), why


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (Manner.EXPIRED, "its certificate has expired"),
        (Manner.EARLY, "its certificate is not valid yet"),
        (Manner.OTHER_HOST, "its certificate is another host's"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_said(vouched: Path, manner: Manner, words: str) -> None:
    """At night nothing else tells it from a source that is down."""
    async with chamber(vouched, 5) as (wire, one):
        wire.manner = manner
        with pytest.raises(Unavailable, match=words) as told:
            await rows(one)
        # Addresses are for no log.
        assert "127.0.0.1" not in str(told.value)


async def test_that_nobody_who_is_trusted_vouches_for_a_certificate_is_said(tmp_path: Path) -> None:
    async with chamber(tmp_path, 5) as (_, one):
        with pytest.raises(
            Unavailable, match="no authority that this machine trusts vouches for its certificate"
        ):
            await rows(one)


# Who is cut off while it shakes hands leaves its socket to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_whatever_breaks_under_tls_is_unavailable_in_time_and_heals(vouched: Path) -> None:
    async with chamber(vouched, 0.5) as (wire, one):
        for manner, words in (
            (Manner.CLOSES, "the association: "),
            (Manner.PLAIN, "TLS failed: WRONG_VERSION_NUMBER"),
            (Manner.CUTS, "the association: "),
            (Manner.GARBLES, "TLS failed: DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
            (Manner.SILENT, "did not answer within"),
        ):
            wire.manner = manner
            begun = time.monotonic()
            with pytest.raises(Unavailable, match=words):
                await rows(one)
            assert time.monotonic() - begun < 4, manner
        wire.manner = Manner.GOOD
        assert await rows(one) > 0


async def test_why_a_live_source_did_not_answer_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No command asks it: without these words nobody learns what to do."""
    platform = Platform({APP_ID: APP_KEY}, {LEVEL_SERVICE: CustomsService(PROVINCE, LEVEL_SERVICE)})
    async with behind(platform.app(), tmp_path) as (_, url):
        settings: Mapping[str, str] = {
            "HUB_CUSTOMS_URL": url,
            "HUB_CUSTOMS_APP_ID": APP_ID,
            "HUB_CUSTOMS_APP_SECRET": APP_KEY,
            "HUB_CUSTOMS_CASE": "青商信共享〔2026〕1号",
        }
        one = customs.connect(settings, tools(5))
        sources = sources_of({"CUSTOMS": one}, RowCache(SEAL, keep=60), Settings(source_deadline=5), [])
        code = next(iter(PROVINCE.organizations())).code
        with caplog.at_level(logging.WARNING):
            await sources.ask("CUSTOMS", [code], [customs.LEVEL])
        await sources.close()
        await one.close()
    (line,) = {record.getMessage() for record in caplog.records}
    assert re.match("CUSTOMS did not answer: .* vouches for its certificate", line)


def test_every_client_trusts_what_this_machine_trusts() -> None:
    found = [
        made
        for part in ("hub", "connectors")
        for file in (ROOT / part).rglob("*.py")
        for made in _CLIENT.findall(file.read_text())
    ]
    assert len(found) > 4
    assert [made for made in found if "verify=trusted()" not in made] == []
