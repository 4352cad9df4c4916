"""Sandbox of the government data-sharing platform: signed REST calls, a rotating secret, services behind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.sandbox.server import Fault

# Codes of the platform itself; they are strings, as in life.
OK, MISSING, SIGNATURE_WRONG, SECRET_EXPIRED, CLOCK_SKEW, NOT_GRANTED = (
    "0",
    "1001",
    "4001",
    "4002",
    "4003",
    "4004",
)
SKEW_MS = 5 * 60 * 1000
MESSAGE = "成功(沙箱,虚构数据)"


class Service(Protocol):
    """A service behind the platform."""

    # Its own code for "no data".
    no_data: str

    def answer(self, parameters: Mapping[str, Any], fault: Fault) -> Sequence[Mapping[str, Any]]:
        """The rows; empty: no data. Raises ValueError with the words of the refusal."""
        ...


@dataclass
class Platform:
    """The platform: who may call, what can be called, and how long a secret lives (seconds)."""

    # App key (16 characters) by caller id.
    callers: Mapping[str, str]
    services: Mapping[str, Service]
    secret_life: float = 600.0
    clock: Callable[[], float] = time.time
    fault: Fault = Fault.NONE
    # How often the secret was renewed and services were called, for tests.
    refreshes: int = 0
    calls: int = 0
    _secrets: dict[str, tuple[str, int]] = field(default_factory=dict)

    def app(self) -> Starlette:
        """The platform as an ASGI application."""
        return Starlette(
            routes=[
                Route("/sysapi/auth/refreshappsecret", self._refresh, methods=["POST"]),
                Route("/gateway/httpproxy", self._call, methods=["POST"]),
                Route("/sandbox/fault", self._set_fault, methods=["PUT"]),
            ]
        )

    def forget_secrets(self) -> None:
        """Make every secret invalid before its end, as an operator of the platform may."""
        self._secrets.clear()

    async def _set_fault(self, request: Request) -> Response:
        self.fault = Fault((await request.body()).decode())
        return PlainTextResponse(self.fault)

    async def _refresh(self, request: Request) -> Response:
        caller = request.headers.get("gjgxjhpt_rid", "")
        key = self.callers.get(caller)
        if key is None:
            return _answer(NOT_GRANTED, None, "应用未注册")
        if problem := self._signed(request, key):
            return problem
        secret, end = secrets.token_hex(16), int((self.clock() + self.secret_life) * 1000)
        self.refreshes += 1
        # The former secret dies at once: two clients that refresh at a time disturb each other, as in life.
        self._secrets[caller] = (secret, end)
        return _answer(OK, {"secret": _encrypt(key, secret), "secretEndTime": str(end)}, MESSAGE)

    async def _call(self, request: Request) -> Response:
        self.calls += 1
        if self.fault is Fault.ERROR:
            return PlainTextResponse("Internal Server Error", 500)
        if self.fault is Fault.GARBAGE:
            return PlainTextResponse("<html>登录超时</html>", 200)
        service = self.services.get(request.headers.get("gjgxjhpt_sid", ""))
        caller = request.headers.get("gjgxjhpt_rid", "")
        if service is None or caller not in self.callers:
            return _answer(NOT_GRANTED, None, "服务不存在或未授权")
        secret, end = self._secrets.get(caller, ("", 0))
        if not secret or self.clock() * 1000 >= end:
            return _answer(SECRET_EXPIRED, None, "密钥已过期")
        if problem := self._signed(request, secret):
            return problem
        try:
            parameters = json.loads(await request.body())
            # The platform refuses a call that does not say what it is for and under which approval.
            if not (parameters.get("cxsy") and parameters.get("ajbh")):
                return _answer(MISSING, None, "查询事由、案件编号不能为空")
            rows = service.answer(parameters, self.fault)
        except (ValueError, KeyError, TypeError) as error:
            return _answer(MISSING, None, f"参数错误:{error}")
        return _answer(OK, rows, MESSAGE) if rows else _answer(service.no_data, None, "查无数据")

    def _signed(self, request: Request, key: str) -> Response | None:
        caller, service = request.headers.get("gjgxjhpt_rid", ""), request.headers.get("gjgxjhpt_sid", "")
        moment = request.headers.get("gjgxjhpt_rtime", "")
        if not moment.isdigit() or abs(int(moment) - self.clock() * 1000) > SKEW_MS:
            return _answer(CLOCK_SKEW, None, "请求时间与平台时间相差过大")
        digest = hmac.new(key.encode(), (service + caller + moment).encode(), hashlib.sha256).digest()
        given = request.headers.get("gjgxjhpt_sign", "")
        if self.fault is Fault.SIGNATURE or not hmac.compare_digest(base64.b64encode(digest).decode(), given):
            return _answer(SIGNATURE_WRONG, None, "签名错误")
        return None


def _answer(code: str, data: object, message: str) -> Response:
    return JSONResponse({"code": code, "data": data, "message": message})


def _encrypt(key: str, secret: str) -> str:
    padder = PKCS7(128).padder()
    padded = padder.update(secret.encode()) + padder.finalize()
    # The platform's own protocol: AES/ECB/PKCS5Padding under the app key.
    encryptor = Cipher(algorithms.AES(key.encode()), modes.ECB()).encryptor()  # noqa: S305
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
