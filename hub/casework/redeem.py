"""Redeems a domestic worker's one-time authorisation at the national platform, over signed HTTP (R12.1)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from connectors.tls import trusted
from hub.casework.details import canonical
from hub.config import Settings
from hub.errors import SettingInvalid

if TYPE_CHECKING:
    import httpx

# The archive of a worker is small; whatever is longer is none.
MOST_BYTES = 65_536
# Within the time that commands have for their transaction.
_LONGEST_SECONDS = 1.5
_PATH = "/authorizations/redeem"


class NotAuthorized(Exception):
    """The platform does not accept the authorisation: unknown, used, over, or given to somebody else."""


class Unavailable(Exception):
    """The platform does not answer, or not as agreed, or answers somebody else."""


@dataclass(frozen=True)
class DomesticPlatform:
    """How the platform is reached; `key` signs our requests, and its answers. `deadline` in seconds."""

    url: str
    app_id: str
    key: bytes = field(repr=False)
    deadline: float
    http: httpx.AsyncClient
    # One question at a time in a process: each holds one of the few connections with which commands write, and a platform
    # that is slow must not keep all of them. Who comes meanwhile keeps its authorisation and may ask again.
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), repr=False)

    async def redeem(self, token: str, grantee: str, purpose: str, now: datetime) -> Mapping[str, Any]:
        """What the platform tells of the worker who gave `token`. Raises NotAuthorized, Unavailable.

        It is asked once: a second try could meet an authorisation that the first one has used up. While another
        question is under way it is not asked at all.
        """
        if self._asking.locked():
            raise Unavailable
        async with self._asking:
            return await self._redeemed(token, grantee, purpose, now)

    async def _redeemed(self, token: str, grantee: str, purpose: str, now: datetime) -> Mapping[str, Any]:
        import httpx

        body = canonical({"authorization": token, "grantee": grantee, "purpose": purpose})
        moment = str(round(now.timestamp() * 1000))
        said = "\n".join(("POST", _PATH, moment, hashlib.new("sm3", body).hexdigest()))
        headers = {
            "content-type": "application/json",
            "x-app": self.app_id,
            "x-time": moment,
            "x-sign": hmac.new(self.key, said.encode(), "sm3").hexdigest(),
        }
        answer = bytearray()
        try:
            async with (
                asyncio.timeout(self.deadline),
                self.http.stream("POST", self.url + _PATH, content=body, headers=headers) as response,
            ):
                if response.status_code in (403, 404, 409, 410):
                    raise NotAuthorized
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > MOST_BYTES:
                        raise Unavailable
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ssl.SSLError):
            raise Unavailable from None
        signed = hmac.new(self.key, answer, "sm3").hexdigest()
        if response.status_code != 200 or not hmac.compare_digest(signed, response.headers.get("x-sign", "")):
            raise Unavailable
        try:
            found = orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise Unavailable from None
        if not isinstance(found, dict) or found.get("authorization") != token:
            raise Unavailable
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def platform_of(settings: Settings) -> DomesticPlatform | None:
    """The platform that is configured; the caller closes it. Errors: SettingInvalid for one without a key."""
    if settings.domestic_url is None:
        return None
    if settings.domestic_key is None:
        raise SettingInvalid("HUB_DOMESTIC_KEY: required with HUB_DOMESTIC_URL")
    # Loaded where there is a platform: it brings a command line with it, 5 MB of memory.
    import httpx

    deadline = min(settings.source_deadline, _LONGEST_SECONDS)
    url = settings.domestic_url.rstrip("/")
    http = httpx.AsyncClient(trust_env=False, verify=trusted(), timeout=deadline)
    return DomesticPlatform(url, settings.channel_app_id, settings.domestic_key, deadline, http)
