"""Whoever is asked may answer with a redirection to what is no web address; that is no answer, and nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import association, customs
from connectors.contract import SourceError
from hub.casework import redeem
from hub.casework.delivery.channels import Channel, Client
from hub.casework.delivery.channels import Unavailable as NotTaken
from hub.sandbox.server import serving
from tests.casework.dispatch import present, sites
from tests.casework.test_channels import SHOWN
from tests.test_sources import APP_ID, APP_KEY, tools

LEADS_NOWHERE = ("mailto:it@example.cn", "data:,rows", "https://-.中国/", "//[")


async def redirected(request: Request) -> Response:
    """To what the first part of the path numbers."""
    answer = Response(status_code=302)
    place = LEADS_NOWHERE[int(request.path_params["number"])]
    answer.raw_headers.append((b"location", place.encode()))
    return answer


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A server that redirects whatever it is asked."""
    app = Starlette(
        routes=[Route("/{number:int}/{rest:path}", redirected, methods=["GET", "POST", "PUT", "DELETE"])]
    )
    async with serving(app) as found:
        yield found


@pytest.mark.parametrize("number", range(len(LEADS_NOWHERE)))
async def test_a_redirection_to_nowhere_is_no_answer(url: str, number: int) -> None:
    at = f"{url}/{number}"
    member = association.connect(
        {"HUB_ASSOCIATION_URL": f"{at}/graphql", "HUB_ASSOCIATION_TOKEN": "x"}, tools(5)
    )
    with pytest.raises(SourceError):
        [batch async for batch in member.harvest(None)]
    await member.close()
    live = customs.connect(
        {
            "HUB_CUSTOMS_URL": at,
            "HUB_CUSTOMS_APP_ID": APP_ID,
            "HUB_CUSTOMS_APP_SECRET": APP_KEY,
            "HUB_CUSTOMS_CASE": "青商信共享〔2026〕1号",
        },
        tools(5),
    )
    with pytest.raises(SourceError, match=r"^\w+: "):
        await live.fetch(["91630103MA75ABCD1M"], [customs.LEVEL])
    await live.close()
    async with httpx.AsyncClient(trust_env=False) as http:
        async with sites() as channels:
            address = replace(channels[Channel.OWN_SITE].address, url=at)
            with pytest.raises(NotTaken, match=r"UNREACHABLE|HTTP_302"):
                await Client(http, 5).send(address, "P-1", 1, SHOWN, present())
        platform = redeem.DomesticPlatform(at, "hub", b"key", 5, http)
        with pytest.raises(redeem.Unavailable):
            await platform.redeem("token", "mall", "MERCHANT_ADMISSION", present())
