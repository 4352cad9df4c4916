"""The GraphQL endpoint over HTTP: around the one path, an ASGI application or what hub.serving.protocol asks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from os import urandom
from time import perf_counter
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from hub.errors import (
    BadRequest,
    BodyTooLarge,
    HubError,
    MethodNotAllowed,
    Unauthenticated,
    UnsupportedMediaType,
)
from hub.observe import Observer, RequestAnswered, RequestRefused
from hub.serving.answers import Answers, Call
from hub.serving.negotiation import JSON, RESPONSE, media_type, posted, queried

_log = logging.getLogger(__name__)
# Errors of well-formed GraphQL requests: 200 for clients that know only application/json, as the specification asks.
_LEGACY_OK = frozenset(
    {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "LIMIT_EXCEEDED"}
)
# By media type, what every answer says.
_HEADERS = {
    media: [
        (b"content-type", media + b"; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"vary", b"accept, authorization"),
        (b"x-content-type-options", b"nosniff"),
    ]
    for media in (JSON, RESPONSE)
}
_TAKEN = frozenset(
    (b"authorization", b"accept", b"content-type", b"content-encoding", b"content-length", b"hub-purpose",
     b"hub-matter", b"hub-case", b"hub-view-as", b"idempotency-key")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, ready to be sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Gateway:
    """Serves GraphQL at one path, to everybody who has a token. How slowly a request may arrive: see hub.serving.protocol."""

    def __init__(self, answers: Answers, observer: Observer, max_body_bytes: int) -> None:
        """`max_body_bytes`: larger bodies are refused unread; a caller's own limit is asked once it is known."""
        self._answers = answers
        self._observer = observer
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request over ASGI."""
        reply = await self.reply(scope["method"], scope["query_string"], scope["headers"], receive)
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def reply(
        self, method: str, query_string: bytes, given: Iterable[tuple[bytes, bytes]], body: bytes | Receive
    ) -> Reply:
        """The answer to one request, whatever carries it. `given`: its headers, names in lower case."""
        begun = perf_counter()
        # By chance, as two that were counted would tell how many requests of others came between.
        request_id = urandom(8).hex()
        headers: dict[bytes, bytes] = {}
        twice = b""
        for name, value in given:
            if name in _TAKEN:
                if name not in headers:
                    headers[name] = value
                elif name == b"accept":
                    headers[name] += b"," + value
                else:
                    twice = name
        media, size = JSON, 0
        try:
            media = media_type(headers.get(b"accept"))
            if twice:
                # Whoever stands between may have read the other one.
                raise BadRequest(f"The header {twice.decode().title()} is given twice.")
            if method == "POST":
                whole = body if isinstance(body, bytes) else await self._body(headers, body)
                if headers.get(b"content-encoding", b"identity").lower() != b"identity":
                    raise UnsupportedMediaType("A body is taken as it is, without Content-Encoding.")
                asked, size = posted(headers.get(b"content-type"), whole), len(whole)
            elif method == "GET":
                asked = queried(query_string)
            else:
                raise MethodNotAllowed
            answer = await self._answers.answer(
                Call(
                    authorization=headers.get(b"authorization"),
                    purpose=_text(headers.get(b"hub-purpose")),
                    matter=_utf8(headers.get(b"hub-matter")),
                    case=_utf8(headers.get(b"hub-case")),
                    view_as=_text(headers.get(b"hub-view-as")),
                    query=asked.query,
                    operation_name=asked.operation_name,
                    variables=asked.variables,
                    request_id=request_id,
                    safe=method == "GET",
                    idempotency_key=_text(headers.get(b"idempotency-key")),
                    body_bytes=size,
                )
            )
            self._observer.tell(RequestAnswered(perf_counter() - begun))
            return _reply(200, media, answer)
        except HubError as error:
            self._observer.tell(RequestRefused(error.code, perf_counter() - begun))
            self._note(error, request_id)
            return _refusal(media, error, request_id)
        except Exception as error:  # Whatever was not foreseen is logged here and nowhere told.
            self._observer.tell(RequestRefused("INTERNAL", perf_counter() - begun))
            _log.error("not foreseen: %s (request %s)", type(error).__name__, request_id, exc_info=error)
            return _refusal(media, HubError(), request_id)

    def _note(self, error: HubError, request_id: str) -> None:
        """One line in the log for each refusal: whose it was and which, nothing of what was asked."""
        if error.status < 500:
            _log.info("refused: %s (partner %s, request %s)", error.code, error.partner or "-", request_id)
            return
        cause = error.__cause__ or error
        # 503 is foreseen: while the store is away every request is refused, and a line each is enough.
        _log.error(
            "refused: %s (%s, partner %s, request %s)",
            error.code,
            type(cause).__name__,
            error.partner or "-",
            request_id,
            exc_info=cause if error.status == 500 else None,
        )

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self.max_body_bytes:
            raise BodyTooLarge(maximum=self.max_body_bytes)
        parts: list[bytes] = []
        size = 0
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The request ended early.")
            part = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(part)
            if size > self.max_body_bytes:
                raise BodyTooLarge(maximum=self.max_body_bytes)
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


def _refusal(media: bytes, error: HubError, request_id: str) -> Reply:
    told = error.extensions.pop("errors", None)
    if isinstance(told, list):
        errors = [{**one, "extensions": error.meaning} for one in told]
    else:
        # Members of an error of their own in GraphQL's form: where in the document, and which field.
        placed = {name: error.extensions.pop(name, None) for name in ("locations", "path")}
        errors = [
            {
                "message": error.public_message,
                **{name: place for name, place in placed.items() if place},
                "extensions": {**error.meaning, **error.extensions},
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
    return _reply(
        status, media, orjson.dumps({"errors": errors, "extensions": {"requestId": request_id}}), extra
    )


def _reply(status: int, media: bytes, body: bytes, extra: Iterable[tuple[bytes, bytes]] = ()) -> Reply:
    return Reply(status, [*_HEADERS[media], (b"content-length", b"%d" % len(body)), *extra], body)
