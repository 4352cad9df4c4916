"""The channels that publish for the hub: what is sent to them, how it is signed, and what their answers mean.

A document goes by `POST /deliveries` under a number; the same number is the same document, done once however often
it arrives. The answer is a signed receipt, or that one will follow (`GET /deliveries/NUMBER`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

import orjson

from connectors.tls import certificate_problem
from hub.casework.details import canonical
from hub.casework.machine import Case, Delivery
from hub.config import Settings
from hub.errors import SettingInvalid
from hub.query.ids import opaque_id

if TYPE_CHECKING:
    import httpx

# A receipt is small; whatever is longer is none.
MOST_BYTES = 65_536
# The channel knows the number for another document.
NUMBER_REUSED = "NUMBER_REUSED"
# The channel will not take this document: sending it again does not help. Everything else may pass.
_REFUSALS = frozenset({400, 409, 413, 415, 422})
_CODE = re.compile("[A-Z][A-Z0-9_]{0,39}")
_NUMBER = re.compile("[!-.0-~]{1,128}")


class Channel(StrEnum):
    """Where credit information is published (R4.5, R7.1, R7.6, R8.5)."""

    OWN_SITE = "OWN_SITE"
    GOVERNMENT_PORTAL = "GOVERNMENT_PORTAL"
    PROVINCIAL_PLATFORM = "PROVINCIAL_PLATFORM"
    CREDIT_QINGHAI = "CREDIT_QINGHAI"


class Action(StrEnum):
    """What a channel shall do with an item."""

    PUBLISH = "PUBLISH"
    # R7.4: the decision was changed, revoked or found unlawful; the reason is told to the public.
    WITHDRAW = "WITHDRAW"
    # R8.5: the subject is off the list, or the record is repaired or over.
    EXIT = "EXIT"


class ChannelError(Exception):
    """A channel did not do what it was asked. `code`: UPPER_SNAKE, kept with the delivery."""

    def __init__(self, code: str) -> None:
        """Keep the code; a channel's own words are not kept."""
        super().__init__(code)
        self.code = code


class Unavailable(ChannelError):
    """The channel cannot be reached, is slow, or does not answer as agreed: send again later."""


class Refused(ChannelError):
    """The channel will not take this document: a person has to look at it."""


@dataclass(frozen=True)
class Address:
    """How a channel is reached, and the key that both sides sign with."""

    channel: Channel
    url: str
    app_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Receipt:
    """The channel's word that a document was taken: its number there, and what came of it."""

    number: str
    receipt: str
    outcome: str


class State(StrEnum):
    """What a channel knows of a number when it has no receipt yet."""

    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"


def item_of(case: Case[Any]) -> str:
    """The name under which channels know what a case shows: its opaque id."""
    return opaque_id("c", case.public_id)


def key_of(case: Case[Any], channel: Channel, action: str) -> str:
    """The key of what a step of `case` sends to a channel: a step does each once."""
    return f"{case.public_id}-{case.version}-{channel}-{action}"


def publication(channel: Channel, item: str, document: Mapping[str, Any], key: str) -> Delivery:
    """Show `document` as `item` (a public id) on a channel. `key` tells repetitions: the same for the same showing."""
    return _delivery(channel, Action.PUBLISH, item, document, key)


def withdrawal(channel: Channel, item: str, reason: str, key: str) -> Delivery:
    """Take `item` off a channel within three working days, and say publicly why (R7.4)."""
    return _delivery(channel, Action.WITHDRAW, item, {"reason": reason}, key)


def list_exit(
    channel: Channel, item: str, reason: str, key: str, about: Mapping[str, Any] | None = None
) -> Delivery:
    """Take `item` off a channel on the day of its exit from the list, repair or end (R8.5).

    `about`: what the channel knows the decision by, where the item did not come from the hub.
    """
    return _delivery(channel, Action.EXIT, item, {**(about or {}), "reason": reason}, key)


def _delivery(channel: Channel, action: Action, item: str, document: Mapping[str, Any], key: str) -> Delivery:
    if not _NUMBER.fullmatch(key):
        raise ValueError(f"{key!r} is no number of a delivery: 1 to 128 printable characters without slash")
    return Delivery(channel, {"action": str(action), "item": item, "document": dict(document)}, key)


def channels_of(settings: Settings) -> dict[Channel, Address]:
    """The channels that are configured. Errors: SettingInvalid for an address without a key."""
    found = {}
    for channel in Channel:
        url = getattr(settings, f"channel_{channel.lower()}_url")
        key = getattr(settings, f"channel_{channel.lower()}_key")
        if url is None:
            continue
        if key is None:
            raise SettingInvalid(f"HUB_CHANNEL_{channel}_KEY: required with HUB_CHANNEL_{channel}_URL")
        found[channel] = Address(channel, url.rstrip("/"), settings.channel_app_id, key)
    return found


class Client:
    """Speaks to the channels; `deadline`: seconds until which one request must be answered whole."""

    def __init__(self, http: httpx.AsyncClient, deadline: float) -> None:
        """`http` is the caller's to close."""
        self._http, self._deadline = http, deadline

    async def send(
        self, address: Address, number: str, sequence: int, payload: Mapping[str, Any], now: datetime
    ) -> Receipt | State:
        """Hand in a document: its receipt, or ACCEPTED when the receipt follows. Raises Unavailable, Refused.

        `sequence` rises with time: a channel never lets an older document undo a newer one of the same item.
        """
        body = canonical({"number": number, "sequence": sequence, **payload})
        status, answer, sign = await self._ask(address, "POST", "/deliveries", body, now)
        if status in _REFUSALS:
            raise Refused(_code(answer) or f"HTTP_{status}")
        return _receipt(address, status, answer, sign, number, hashlib.new("sm3", body).hexdigest())

    async def ask(
        self, address: Address, number: str, sequence: int, payload: Mapping[str, Any], now: datetime
    ) -> Receipt | State:
        """What became of a document that was handed in, as far as we know: its receipt, ACCEPTED or UNKNOWN.

        Raises Unavailable, and Refused when the number is another document's.
        """
        body = canonical({"number": number, "sequence": sequence, **payload})
        path = f"/deliveries/{quote(number, safe='')}"
        status, answer, sign = await self._ask(address, "GET", path, b"", now)
        if status == 404 and _code(answer) == "UNKNOWN":
            return State.UNKNOWN
        return _receipt(address, status, answer, sign, number, hashlib.new("sm3", body).hexdigest())

    async def _ask(
        self, address: Address, method: str, path: str, body: bytes, now: datetime
    ) -> tuple[int, bytes, str]:
        # Loaded where there is a channel: it brings a command line with it, 5 MB of memory.
        import httpx

        moment = str(round(now.timestamp() * 1000))
        said = "\n".join(
            (method, urlsplit(address.url).path + path, moment, hashlib.new("sm3", body).hexdigest())
        )
        headers = {
            "content-type": "application/json",
            "x-app": address.app_id,
            "x-time": moment,
            "x-sign": hmac.new(address.key, said.encode(), "sm3").hexdigest(),
        }
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._http.stream(method, address.url + path, content=body, headers=headers) as response,
            ):
                answer = bytearray()
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > MOST_BYTES:
                        raise Unavailable("ANSWER_TOO_LARGE")
                return response.status_code, bytes(answer), response.headers.get("x-sign", "")
        except (TimeoutError, httpx.TimeoutException):
            raise Unavailable("TIMEOUT") from None
        # The library passes on as they are what fails in TLS once the greeting is over, and a redirection to no web address.
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            problem = certificate_problem(error)
            raise Unavailable(f"CERTIFICATE_{problem[0]}" if problem else "UNREACHABLE") from None


def _receipt(
    address: Address, status: int, answer: bytes, sign: str, number: str, digest: str
) -> Receipt | State:
    """Read the answer to a document with this number and SM3 digest."""
    if status not in (200, 202):
        # A wrong signature is a matter of keys, not of the document: it waits until the keys are right.
        raise Unavailable("NOT_AUTHORIZED" if status in (401, 403) else f"HTTP_{status}")
    found = _object(answer)
    if status == 202:
        if found.get("number") != number:
            _not_agreed()
        return State.ACCEPTED
    signed = hmac.new(address.key, answer, "sm3").hexdigest()
    if not hmac.compare_digest(signed, sign):
        raise Unavailable("RECEIPT_NOT_SIGNED")
    receipt, outcome = found.get("receipt"), found.get("outcome")
    if found.get("number") != number or not isinstance(receipt, str) or not isinstance(outcome, str):
        _not_agreed()
    if found.get("digest") != digest:
        raise Refused(NUMBER_REUSED)
    return Receipt(number, receipt[:200], outcome[:40])


def _object(answer: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError:
        _not_agreed()
    if not isinstance(found, dict):
        _not_agreed()
    return found


def _code(answer: bytes) -> str | None:
    """The code in an answer that is no receipt; only codes of the agreed shape are kept."""
    try:
        code = _object(answer).get("code")
    except Unavailable:
        return None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _not_agreed() -> NoReturn:
    raise Unavailable("ANSWER_NOT_AGREED")
