"""Sandbox of the national platform of domestic service: workers authorise a reader once, readers redeem it once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SKEW_MS = 300_000
# An authorisation that nobody redeems is over after ten minutes.
HOLDS_SECONDS = 600.0
# Invented, with what such an answer holds in life and the hub must not hand on.
WORKERS: Mapping[str, Mapping[str, Any]] = {
    "JZ63010300001": {
        "name": "马秀兰", "certificateNo": "JZ63010300001", "agencyName": "青海三江汇商贸有限公司", "sex": "女", "age": 43,
        "residentId": "630103198303072223", "background5y": "无", "trained": True, "insured": True,
        "healthCheckUntil": "2027-05-31", "workHistory": ["2021-2024 某家政公司"],
    },
    "JZ63010300002": {
        "name": "韩素娟", "certificateNo": "JZ63010300002", "agencyName": "青海三江汇商贸有限公司", "sex": "女", "age": 39,
        "residentId": "630103198705041225", "background5y": "有", "backgroundDetail": "盗窃,判处拘役四个月", "trained": True,
        "insured": False, "healthCheckUntil": "2026-03-31",
    },
    "JZ63010300003": {
        "name": "祁英", "certificateNo": "JZ63010300003", "agencyName": None, "background5y": "核查中", "trained": None,
        "healthCheckUntil": "暂无",
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """What a worker consented to."""

    worker: str
    grantee: str
    purpose: str
    until: float


@dataclass
class DomesticService:
    """The platform; `down`: it answers nothing; `until`: answers wait for it."""

    app_id: str
    key: bytes
    clock: Callable[[], float] = time.time
    down: bool = False
    until: asyncio.Event | None = None
    redeemed: int = 0
    _given: dict[str, _Given] = field(default_factory=dict)

    def authorize(self, worker: str, grantee: str, purpose: str) -> str:
        """What the worker's app shows after the face scan: an authorisation that holds once, for ten minutes."""
        token = secrets.token_urlsafe(24)
        self._given[token] = _Given(worker, grantee, purpose, self.clock() + HOLDS_SECONDS)
        return token

    def app(self) -> Starlette:
        """The platform as an ASGI application."""
        return Starlette(
            routes=[
                Route("/authorizations/redeem", self._redeem, methods=["POST"]),
                # The worker's telephone, played by whoever runs the demo.
                Route("/sandbox/authorize", self._authorize, methods=["POST"]),
            ]
        )

    async def _authorize(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        return JSONResponse(
            {"authorization": self.authorize(asked["worker"], asked["grantee"], asked["purpose"])}
        )

    async def _redeem(self, request: Request) -> Response:
        body = await request.body()
        if self.down:
            return JSONResponse({"code": "OUTAGE"}, 503)
        if not self._signed(request, body):
            return JSONResponse({"code": "SIGNATURE"}, 401)
        asked = json.loads(body)
        given = self._given.get(asked["authorization"])
        if given is None:
            return JSONResponse({"code": "UNKNOWN"}, 404)
        if (given.grantee, given.purpose) != (asked["grantee"], asked["purpose"]):
            # The worker chose who may see it; somebody else's try does not use it up.
            return JSONResponse({"code": "OTHER_GRANTEE"}, 403)
        del self._given[asked["authorization"]]
        if self.clock() >= given.until:
            return JSONResponse({"code": "EXPIRED"}, 410)
        self.redeemed += 1
        if self.until is not None:
            await self.until.wait()
        answer = json.dumps(
            {"authorization": asked["authorization"], **WORKERS[given.worker]}, ensure_ascii=False
        ).encode()
        sign = hmac.new(self.key, answer, "sm3").hexdigest()
        return Response(answer, media_type="application/json", headers={"X-Sign": sign})

    def _signed(self, request: Request, body: bytes) -> bool:
        moment = request.headers.get("x-time", "")
        if request.headers.get("x-app") != self.app_id or not moment.isdecimal():
            return False
        if abs(int(moment) - self.clock() * 1000) > SKEW_MS:
            return False
        said = f"POST\n{request.url.path}\n{moment}\n{hashlib.new('sm3', body).hexdigest()}"
        wanted = hmac.new(self.key, said.encode(), "sm3").hexdigest()
        return hmac.compare_digest(wanted, request.headers.get("x-sign", ""))
