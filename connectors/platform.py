"""Signed calls on the government data-sharing platform: rotating secret, string codes, a stated purpose."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from connectors.contract import Refused, Setting, Tools, Unavailable
from connectors.tls import trusted, words

_OK = "0"
# Signature wrong, secret expired: another secret may help, once.
_SECRET_CODES = frozenset({"4001", "4002"})
_CLOCK_SKEW = "4003"
_RENEWAL = "refreshappsecret"
# Seconds before its end from which a secret is not used any more.
_RENEWAL = "refreshappsecret"
_RENEW_EARLY = 30.0
_MAX_BYTES = 16 << 20
_CONNECTIONS = 8


@dataclass(frozen=True)
class Account:
    """Who we are on the platform, what we ask for and under which approval; each source has its own."""

    url: str
    app_id: str
    app_key: str
    purpose: str
    case: str


def platform_settings(prefix: str, title: str) -> tuple[Setting, ...]:
    """The settings of a source on the platform; `prefix` such as HUB_CUSTOMS."""
    return (
        Setting(f"{prefix}_URL", f"Address of the data-sharing platform for {title}"),
        Setting(f"{prefix}_APP_ID", "Caller id on the platform (gjgxjhpt_rid)"),
        Setting(
            f"{prefix}_APP_SECRET",
            "App key, 16, 24 or 32 characters: signs for and decrypts the rotating secret",
            secret=True,
        ),
        Setting(f"{prefix}_CASE", "Number of the approved sharing application, sent with every call (ajbh)"),
    )


def account(settings: Mapping[str, str], prefix: str) -> Account:
    """The account that the settings with `prefix` describe. Raises ValueError naming the unusable setting."""
    for one in platform_settings(prefix, ""):
        if not settings.get(one.name):
            raise ValueError(f"{one.name} is not set")
    if not settings[f"{prefix}_URL"].startswith(("https://", "http://")):
        raise ValueError(f"{prefix}_URL must begin with https:// or http://")
    key = settings[f"{prefix}_APP_SECRET"]
    if len(key.encode()) not in (16, 24, 32):
        raise ValueError(f"{prefix}_APP_SECRET must have 16, 24 or 32 characters")
    return Account(
        settings[f"{prefix}_URL"].rstrip("/"),
        settings[f"{prefix}_APP_ID"],
        key,
        settings.get(f"{prefix}_PURPOSE", "商务信用监管"),
        settings[f"{prefix}_CASE"],
    )


class Platform:
    """Calls services for one account, concurrently; the secret is renewed by one caller at a time."""

    def __init__(self, holder: Account, tools: Tools) -> None:
        """Call as `holder`; no call takes longer than `tools.deadline` seconds."""
        # Loaded where there is a platform: it brings a command line with it, 5 MB of memory.
        import httpx

        self._account = holder
        self._deadline = tools.deadline
        self._now: Callable[[], datetime] = tools.now
        self._secret, self._ends = "", 0.0
        self._renewing = asyncio.Lock()
        self._client = httpx.AsyncClient(
            base_url=holder.url,
            timeout=tools.deadline,
            trust_env=False,
            verify=trusted(),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
        )

    async def call(
        self, service: str, parameters: Mapping[str, object], no_data: frozenset[str]
    ) -> Sequence[Mapping[str, object]]:
        """The rows that `service` gives; none when it answers one of its `no_data` codes.

        Raises Unavailable when the platform is away, slow or broken, Refused when it will not serve us.
        """
        import httpx

        try:
            async with asyncio.timeout(self._deadline):
                return await self._call(service, parameters, no_data)
        except TimeoutError:
            raise Unavailable(f"{service}: no answer within {self._deadline:g} s") from None
        # The library passes on as they are what fails in TLS once the greeting is over, and a redirection to no web address.
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise Unavailable(f"{service}: {words(error)}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _call(
        self, service: str, parameters: Mapping[str, object], no_data: frozenset[str]
    ) -> Sequence[Mapping[str, object]]:
        body = json.dumps(
            {"cxsy": self._account.purpose, "ajbh": self._account.case, **parameters}, ensure_ascii=False
        ).encode()
        secret = await self._current_secret()
        code, data = await self._post("/gateway/httpproxy", service, secret, body)
        if code in _SECRET_CODES:
            # Somebody else with our account may have renewed it: once more, then it is a refusal.
            secret = await self._current_secret(refused=secret)
            code, data = await self._post("/gateway/httpproxy", service, secret, body)
        if code in no_data:
            return ()
        if code != _OK:
            raise _refusal(service, code)
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise Unavailable(f"{service}: the answer holds no list of rows")
        return data

    async def _current_secret(self, refused: str | None = None) -> str:
        async with self._renewing:
            # A caller that waited here finds the secret which the one before it fetched.
            if (
                self._secret
                and self._secret != refused
                and self._now().timestamp() < self._ends - _RENEW_EARLY
            ):
                return self._secret
            code, data = await self._post("/sysapi/auth/refreshappsecret", "", self._account.app_key, b"")
            if code != _OK:
                raise _refusal(_RENEWAL, code)
            try:
                assert isinstance(data, dict)
                self._secret, self._ends = (
                    _decrypt(self._account.app_key, data["secret"]),
                    int(data["secretEndTime"]) / 1000,
                )
            except (AssertionError, KeyError, TypeError, ValueError, OverflowError) as error:
                raise Refused(
                    f"{_RENEWAL}: the secret cannot be read with our app key ({type(error).__name__})"
                ) from error
            return self._secret

    async def _post(self, path: str, service: str, secret: str, body: bytes) -> tuple[str, object]:
        moment = str(int(self._now().timestamp() * 1000))
        signed = hmac.new(
            secret.encode(), (service + self._account.app_id + moment).encode(), hashlib.sha256
        ).digest()
        headers = {
            "gjgxjhpt_rid": self._account.app_id,
            "gjgxjhpt_sid": service,
            "gjgxjhpt_rtime": moment,
            "gjgxjhpt_sign": base64.b64encode(signed).decode(),
            "content-type": "application/json;charset=utf-8",
        }
        # The secret is renewed without a service; what goes wrong then is told by its own name.
        asked = service or _RENEWAL
        async with self._client.stream("POST", path, content=body, headers=headers) as response:
            if response.status_code >= 500 or response.status_code == 429:
                raise Unavailable(f"{asked}: HTTP {response.status_code}")
            if response.status_code != 200:
                raise Refused(f"{asked}: HTTP {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _MAX_BYTES:
                    raise Unavailable(f"{asked}: the answer is longer than {_MAX_BYTES} bytes")
        try:
            answer = json.loads(content)
            code = answer["code"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unavailable(f"{asked}: the answer is not the platform's JSON") from None
        if not isinstance(code, str):
            raise Unavailable(f"{asked}: the answer's code is not a string")
        return code, answer.get("data")


def _refusal(service: str, code: str) -> Refused:
    if code == _CLOCK_SKEW:
        return Refused(f"{service}: code {code}, our clock and the platform's differ too much")
    # The platform's message may repeat what was asked: only its code is kept.
    return Refused(f"{service}: code {code[:32]}")


def _decrypt(key: str, sealed: str) -> str:
    # The platform's own protocol: AES/ECB/PKCS5Padding under the app key.
    decryptor = Cipher(algorithms.AES(key.encode()), modes.ECB()).decryptor()  # noqa: S305
    padded = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()
