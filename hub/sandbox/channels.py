"""Sandbox of the four channels that publish credit information: signed documents in, receipts out, and a public page.

A channel takes `POST /deliveries`, a JSON object with `number`, `sequence`, `action`, `item` and `document`, under
`X-App`, `X-Time` (milliseconds since 1970) and `X-Sign`: HMAC-SM3 over method, path, time and SM3 of the body, a line
each. It answers 200 with a signed receipt, or 202 when the receipt will come later (`GET /deliveries/NUMBER`). The
same number is done once and always answered with the same receipt. `GET /` shows what is published.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SKEW_MS = 5 * 60 * 1000
ENDS = ("WITHDRAW", "EXIT")
ACTIONS = ("PUBLISH", *ENDS)
TITLES: Mapping[str, str] = {
    "OWN_SITE": "青海省商务厅门户网站(沙箱)",
    "GOVERNMENT_PORTAL": "青海省人民政府门户网站(沙箱)",
    "PROVINCIAL_PLATFORM": "青海省公共信用信息共享交换平台(沙箱)",
    "CREDIT_QINGHAI": "信用中国(青海)(沙箱)",
}


class Trouble(StrEnum):
    """What can be wrong with a channel; it lasts until it is switched off."""

    NONE = "NONE"
    OUTAGE = "OUTAGE"  # 503, nothing is taken
    SLOW = "SLOW"  # taken, and answered after `delay` seconds
    LOST = "LOST"  # taken, but the answer is an error: the sender cannot know
    GARBAGE = "GARBAGE"  # taken, and answered 200 with a page of HTML
    FORGED = "FORGED"  # taken, and the receipt is signed with another key
    LIES = "LIES"  # taken, and the receipt is of another number
    STRICT = "STRICT"  # every document is refused: 422


@dataclass
class Shown:
    """An item as the public sees it, or saw it: `reason` says why it is gone (R7.4)."""

    sequence: int
    action: str
    number: str
    document: Mapping[str, Any]
    at: float

    @property
    def visible(self) -> bool:
        """Whether it is on the page."""
        return self.action == "PUBLISH"


@dataclass
class ChannelSite:
    """One channel. `journal` keeps what was taken over restarts; `receipt_after`: seconds until a receipt is given."""

    name: str
    keys: Mapping[str, bytes]
    receipt_after: float = 0.0
    journal: Path | None = None
    clock: Callable[[], float] = time.time
    trouble: Trouble = Trouble.NONE
    delay: float = 0.0
    # Requests that arrived, repetitions among them, and documents that changed the page.
    received: int = 0
    effects: int = 0
    items: dict[str, Shown] = field(default_factory=dict)
    _taken: dict[str, tuple[str, dict[str, Any], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Do again what the journal says was done."""
        if self.journal is not None and self.journal.exists():
            for line in self.journal.read_text("utf-8").splitlines():
                kept = json.loads(line)
                self._do(kept["document"], kept["digest"], kept["at"])

    def app(self) -> Starlette:
        """The channel as an ASGI application."""
        return Starlette(
            routes=[
                Route("/deliveries", self._deliver, methods=["POST"]),
                Route("/deliveries/{number:path}", self._ask, methods=["GET"]),
                Route("/", self._page, methods=["GET"]),
                Route("/items", self._listing, methods=["GET"]),
                Route("/sandbox/trouble", self._set_trouble, methods=["PUT"]),
            ]
        )

    def listing(self) -> dict[str, Any]:
        """What the page shows, as data, and the counters."""
        return {
            "channel": self.name,
            "published": {item: dict(one.document) for item, one in self.items.items() if one.visible},
            "withdrawn": {
                item: one.document.get("reason") for item, one in self.items.items() if not one.visible
            },
            "documents": len(self._taken),
            "received": self.received,
            "effects": self.effects,
        }

    async def _set_trouble(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        self.trouble, self.delay = Trouble(asked["trouble"]), float(asked.get("delay", 0))
        return PlainTextResponse(self.trouble)

    async def _listing(self, _: Request) -> Response:
        return JSONResponse(self.listing())

    async def _page(self, _: Request) -> Response:
        title = escape(TITLES.get(self.name, self.name))
        rows = "".join(
            f"<tr><td>{escape(item)}</td><td>{escape(str(one.document.get('title', '')))}</td>"
            f"<td>{escape(str(one.document.get('subject', '')))}</td><td>{escape(one.number)}</td></tr>"
            for item, one in self.items.items()
            if one.visible
        )
        gone = "".join(
            f"<li>{escape(item)}:{escape(str(one.document.get('reason', '')))}</li>"
            for item, one in self.items.items()
            if not one.visible
        )
        return HTMLResponse(
            f"<!doctype html><html lang=zh-CN><meta charset=utf-8><title>{title}</title><h1>{title}</h1>"
            f"<p>虚构数据,仅供演示。</p><table id=published>{rows}</table><ul id=withdrawn>{gone}</ul>"
        )

    async def _deliver(self, request: Request) -> Response:
        body = await request.body()
        key = self._key(request, body)
        if self.trouble is Trouble.OUTAGE:
            return JSONResponse({"code": "OUTAGE"}, 503)
        if key is None:
            return JSONResponse({"code": "SIGNATURE"}, 401)
        self.received += 1
        try:
            document = _document(body)
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"code": "MALFORMED"}, 422)
        if self.trouble is Trouble.STRICT:
            return JSONResponse({"code": "NOT_ACCEPTED"}, 422)
        digest = hashlib.new("sm3", body).hexdigest()
        known = self._taken.get(document["number"])
        if known is not None and known[0] != digest:
            return JSONResponse({"code": "NUMBER_REUSED"}, 409)
        if known is None:
            at = self.clock()
            if self.journal is not None:
                with self.journal.open("a", encoding="utf-8") as file:
                    kept = {"document": document, "digest": digest, "at": at}
                    file.write(json.dumps(kept, ensure_ascii=False) + "\n")
            self._do(document, digest, at)
        return await self._answer(document["number"], key)

    async def _ask(self, request: Request) -> Response:
        key = self._key(request, b"")
        if self.trouble is Trouble.OUTAGE:
            return JSONResponse({"code": "OUTAGE"}, 503)
        if key is None:
            return JSONResponse({"code": "SIGNATURE"}, 401)
        number = request.path_params["number"]
        if number not in self._taken:
            return JSONResponse({"code": "UNKNOWN"}, 404)
        return await self._answer(number, key)

    async def _answer(self, number: str, key: bytes) -> Response:
        if self.trouble is Trouble.SLOW:
            await asyncio.sleep(self.delay)
        if self.trouble is Trouble.LOST:
            return PlainTextResponse("Bad Gateway", 502)
        if self.trouble is Trouble.GARBAGE:
            return HTMLResponse("<html>系统维护中</html>")
        _, receipt, at = self._taken[number]
        if self.clock() < at + self.receipt_after:
            return JSONResponse({"number": number, "state": "ACCEPTED"}, 202)
        if self.trouble is Trouble.LIES:
            receipt = {**receipt, "number": f"{number}0"}
        body = json.dumps(receipt, ensure_ascii=False).encode()
        signer = b"another key" if self.trouble is Trouble.FORGED else key
        return Response(
            body,
            media_type="application/json",
            headers={"X-Sign": hmac.new(signer, body, "sm3").hexdigest()},
        )

    def _key(self, request: Request, body: bytes) -> bytes | None:
        """The key under which the request is signed rightly."""
        key = self.keys.get(request.headers.get("x-app", ""))
        moment = request.headers.get("x-time", "")
        if key is None or not moment.isdecimal() or abs(int(moment) - self.clock() * 1000) > SKEW_MS:
            return None
        path = request.scope["raw_path"].decode()
        said = f"{request.method}\n{path}\n{moment}\n{hashlib.new('sm3', body).hexdigest()}"
        wanted = hmac.new(key, said.encode(), "sm3").hexdigest()
        return key if hmac.compare_digest(wanted, request.headers.get("x-sign", "")) else None

    def _do(self, document: Mapping[str, Any], digest: str, at: float) -> None:
        """Take a document with a new number; an item follows its highest sequence, whatever comes after it."""
        item, sequence = document["item"], document["sequence"]
        before = self.items.get(item)
        outcome = "SUPERSEDED"
        if before is None or before.sequence < sequence:
            outcome = "SHOWN" if document["action"] == "PUBLISH" else "GONE"
            self.items[item] = Shown(
                sequence, document["action"], document["number"], document["document"], at
            )
            self.effects += 1
        receipt = {
            "number": document["number"],
            "receipt": f"{self.name}-{len(self._taken) + 1:08}",
            "digest": digest,
            "outcome": outcome,
        }
        self._taken[document["number"]] = (digest, receipt, at)


def _document(body: bytes) -> dict[str, Any]:
    """The document in a body. Raises ValueError, KeyError or TypeError for anything else."""
    found = json.loads(body)
    shape = {"number": str, "sequence": int, "action": str, "item": str, "document": dict}
    if any(type(found[name]) is not kind for name, kind in shape.items()) or found["action"] not in ACTIONS:
        raise ValueError("not a document")
    if found["action"] in ENDS and not found["document"].get("reason"):
        # R7.4: why it is gone is told to the public.
        raise ValueError("no reason")
    return dict(found)
