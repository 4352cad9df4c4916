"""The GraphQL endpoint over HTTP: a bare ASGI application around the one path."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from hub.errors import BadRequest, BodyTooLarge, HubError, MethodNotAllowed, Unauthenticated
from hub.observe import Observer, RequestAnswered, RequestRefused
from hub.serving.answers import Answers, Call
from hub.serving.negotiation import JSON, RESPONSE, media_type, posted, queried

_log = logging.getLogger(__name__)
# Errors of well-formed GraphQL requests: 200 for clients that know only application/json, as the specification asks.
_LEGACY_OK = frozenset(
    {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "LIMIT_EXCEEDED"}
)
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"vary", b"accept, authorization"),
    (b"x-content-type-options", b"nosniff"),
]
_TAKEN = frozenset(
    (b"authorization", b"accept", b"content-type", b"content-length", b"hub-purpose", b"hub-matter", b"hub-case",
     b"hub-view-as", b"idempotency-key")
)  # fmt: skip


class Gateway:
    """Serves GraphQL at one path, to everybody who has a token. How slowly a request may arrive: see hub.server."""

    def __init__(self, answers: Answers, observer: Observer, max_body_bytes: int) -> None:
        """`max_body_bytes`: larger bodies are refused."""
        self._answers = answers
        self._observer = observer
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = perf_counter()
        headers: dict[bytes, bytes] = {}
        twice = b""
        for name, value in scope["headers"]:
            if name in _TAKEN:
                if name not in headers:
                    headers[name] = value
                elif name == b"accept":
                    headers[name] += b"," + value
                else:
                    twice = name
        media, method = JSON, scope["method"]
        try:
            media = media_type(headers.get(b"accept"))
            if twice:
                # Whoever stands between may have read the other one.
                raise BadRequest(f"The header {twice.decode().title()} is given twice.")
            if method == "POST":
                asked = posted(headers.get(b"content-type"), await self._body(headers, receive))
            elif method == "GET":
                asked = queried(scope["query_string"])
            else:
                raise MethodNotAllowed
            body = await self._answers.answer(
                Call(
                    authorization=_text(headers.get(b"authorization")),
                    purpose=_text(headers.get(b"hub-purpose")),
                    matter=_utf8(headers.get(b"hub-matter")),
                    case=_utf8(headers.get(b"hub-case")),
                    view_as=_text(headers.get(b"hub-view-as")),
                    query=asked.query,
                    operation_name=asked.operation_name,
                    variables=asked.variables,
                    safe=method == "GET",
                    idempotency_key=_text(headers.get(b"idempotency-key")),
                )
            )
            self._observer.tell(RequestAnswered(perf_counter() - begun))
            await _send(send, 200, media, body, [])
        except HubError as error:
            self._observer.tell(RequestRefused(error.code, perf_counter() - begun))
            if error.status >= 500:
                cause = error.__cause__ or error
                # 503 is foreseen: while the store is away every request is refused, and a line each is enough.
                _log.error(
                    "refused: %s (%s)",
                    error.code,
                    type(cause).__name__,
                    exc_info=cause if error.status == 500 else None,
                )
            await _refuse(send, media, error)
        except Exception as error:  # Whatever was not foreseen is logged here and nowhere told.
            self._observer.tell(RequestRefused("INTERNAL", perf_counter() - begun))
            _log.error("not foreseen: %s", type(error).__name__, exc_info=error)
            await _refuse(send, media, HubError())

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._max_body_bytes:
            raise BodyTooLarge(maximum=self._max_body_bytes)
        parts: list[bytes] = []
        size = 0
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The request ended early.")
            part = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(part)
            if size > self._max_body_bytes:
                raise BodyTooLarge(maximum=self._max_body_bytes)
            if not (more or parts):
                return bytes(part)
            parts.append(part)
            if not more:
                return b"".join(parts)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _utf8(value: bytes | None) -> str | None:
    """Matter and case numbers may be Chinese: headers carry them as UTF-8."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadRequest("The headers Hub-Matter and Hub-Case are UTF-8.") from None


async def _refuse(send: Send, media: bytes, error: HubError) -> None:
    told = error.extensions.pop("errors", None)
    if isinstance(told, list):
        errors = [{**one, "extensions": {"code": error.code}} for one in told]
    else:
        locations = error.extensions.pop("locations", None)
        errors = [
            {
                "message": error.public_message,
                **({"locations": locations} if locations else {}),
                "extensions": {"code": error.code, **error.extensions},
            }
        ]
    status = 200 if media == JSON and error.code in _LEGACY_OK else error.status
    extra = []
    if isinstance(error, Unauthenticated):
        extra.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        extra.append((b"allow", b"GET, POST"))
    if isinstance(error, BodyTooLarge):
        extra.append((b"connection", b"close"))
    if pause := error.extensions.get("retryAfter", 1 if error.status == 503 else None):
        extra.append((b"retry-after", str(pause).encode()))
    await _send(send, status, media, orjson.dumps({"errors": errors}), extra)


async def _send(send: Send, status: int, media: bytes, body: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (
                    b"content-type",
                    media + b"; charset=utf-8" if media == RESPONSE else b"application/json; charset=utf-8",
                ),
                (b"content-length", b"%d" % len(body)),
                *_HEADERS,
                *extra,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
