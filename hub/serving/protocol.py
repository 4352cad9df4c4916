"""HTTP/1.1: uvicorn's protocol, bounded where it is open, with a short way for the requests that are nearly all.

A POST to the endpoint whose length is told is handed to the gateway when all of it is here, without an ASGI
conversation. Everything else goes uvicorn's way; what is answered is the same.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any, Final

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.errors import BadRequest, HeadersTooLarge, HubError, RequestTimeout, UriTooLong
from hub.serving.gateway import Gateway

ENDPOINT: Final = b"/graphql"
# Request line and headers, without blanks around values; the parser itself knows no bound but 64 KiB for the address.
MOST_HEADER_BYTES: Final = 64 * 1024
# The logger of a connection of which all was said.
_SILENT: Final = logging.Logger("silent", logging.CRITICAL)


class _Unheard:
    """An event for which nobody waits."""

    def set(self) -> None:
        """Nothing happens."""


class _Whole:
    """A request that is answered when all of it is here; uvicorn's protocol reads and sets what it knows of one."""

    __slots__ = (
        "body",
        "disconnected",
        "gateway",
        "keep_alive",
        "message_event",
        "response_complete",
        "response_started",
    )

    def __init__(self, gateway: Gateway, keep_alive: bool) -> None:
        self.gateway = gateway
        self.keep_alive = keep_alive
        self.body = b""
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self.message_event = _Unheard()


class Protocol(HttpToolsProtocol):
    """Bounds what uvicorn leaves open: how slowly and how large requests arrive, how slowly answers are taken."""

    # Seconds until which a request must have arrived whole, and until which an answer must have been taken.
    arrival_seconds = 10.0
    _arriving: asyncio.TimerHandle | None = None
    _leaving: asyncio.TimerHandle | None = None
    # Bytes of a request whose headers are not complete.
    _pending = 0
    # Bytes since its headers, or since the last that were of its body, which are trailers or the frame of a chunk.
    _beside = 0
    # What is received at present, and what of it is to be read by another parser.
    _data = _again = b""
    _in_headers = True
    # What is received at present belongs to an earlier request, too.
    _shared = False
    # A request has begun and is not here whole.
    _begun = False
    # The request that arrives, if it goes the short way.
    _whole: _Whole | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._arriving = self.loop.call_later(self.arrival_seconds, self._too_slow)

    def data_received(self, data: bytes) -> None:
        """More of a request is here."""
        self._shared = False
        self._beside += len(data)
        self._again = data
        while self._again:
            self._data, self._again = self._again, b""
            super().data_received(self._data)
        self._data = b""
        if self._begun and self._arriving is None:
            self._arriving = self.loop.call_later(self.arrival_seconds, self._too_slow)
        if self._in_headers and self._arriving is not None and not self._shared:
            self._pending += len(data)
            if self._pending > MOST_HEADER_BYTES:
                self._say_and_refuse(self._too_large())
        elif self._begun and not self._in_headers and self._beside > MOST_HEADER_BYTES:
            self._say_and_refuse(HeadersTooLarge(maximum=MOST_HEADER_BYTES))

    def on_message_begin(self) -> None:
        """A request begins. What uvicorn makes of it waits until it is known which way it goes."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._begun, self._in_headers, self._pending = True, True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. What follows a body that comes in chunks is none: it may be here in time, or not.

        Blanks at its end are not part of a value, and the parser leaves them there.
        """
        if self._in_headers:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """All headers are here."""
        if self._head_bytes() > MOST_HEADER_BYTES:
            error = self._too_large()
            self._say_and_refuse(error)
            # The parser stops at it, and what it says then finds the connection closed.
            raise error
        self._in_headers, self._beside = False, 0
        if self._upgrades():
            # The parser goes no further; see _unsupported_upgrade_warning.
            return
        gateway: Gateway | None = getattr(self.app, "gateway", None)
        if gateway is not None and self._goes_the_short_way(gateway):
            self._whole = _Whole(gateway, self.parser.should_keep_alive())
            self.cycle = self._whole  # type: ignore[assignment]
            return
        self._whole = None
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _head_bytes(self) -> int:
        """Bytes of the request line, the headers and the empty line after them."""
        line = len(self.parser.get_method()) + len(self.url) + len(b"  HTTP/1.1\r\n\r\n")
        return line + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _too_large(self) -> HubError:
        error = UriTooLong if len(self.url) > MOST_HEADER_BYTES // 2 else HeadersTooLarge
        return error(maximum=MOST_HEADER_BYTES)

    def _goes_the_short_way(self, gateway: Gateway) -> bool:
        if self.url != ENDPOINT or self.parser.get_method() != b"POST" or self.expect_100_continue:
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            # Answers leave in the order of their requests: uvicorn keeps those that come too early.
            return False
        if self.parser.get_http_version() != "1.1":
            return False
        for name, value in self.headers:
            if name == b"content-length":
                # Of digits only: the parser has seen to it.
                return int(value) <= gateway.max_body_bytes
        return False

    def on_body(self, body: bytes) -> None:
        """More of the body is here."""
        self._beside = 0
        if self._whole is not None:
            self._whole.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole request is here."""
        if self._upgrades():
            return
        self._begun, self._shared = False, True
        self._settle()
        if self._whole is not None:
            # As uvicorn starts an application: it waits for these tasks when it ends.
            task = self.loop.create_task(self._answer(self._whole, self.headers))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)
        else:
            super().on_message_complete()

    async def _answer(self, request: _Whole, headers: list[tuple[bytes, bytes]]) -> None:
        try:
            reply = await request.gateway.reply("POST", b"", headers, request.body)
            if self.flow.write_paused:
                await self.flow.drain()
        except BaseException:
            # Nothing will answer any more, and nobody shall wait for it.
            self.transport.close()
            raise
        request.response_started = request.response_complete = True
        if self.transport.is_closing():
            return
        lines = [
            STATUS_LINE[reply.status],
            *(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers),
            *(b"%b: %b\r\n" % pair for pair in reply.headers),
        ]
        if not request.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"%b\r\n%b" % (b"".join(lines), reply.body))
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._settle()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes its answer slowly."""
        super().pause_writing()
        if self._leaving is None:
            self._leaving = self.loop.call_later(self.arrival_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken what was waiting."""
        super().resume_writing()
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def send_400_response(self, msg: str) -> None:
        """What was sent is not HTTP."""
        self._refuse(BadRequest(msg))

    def _upgrades(self) -> bool:
        """Whether the request asks for another protocol, as some clients do of every server (HTTP/2 over plain HTTP)."""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever asks for another protocol is answered in HTTP; that is not worth a line in the log.

        The parser takes all after the headers for that protocol, so another one reads the request, without its wish.
        """
        ended = sys.exception()
        if not self._upgrades() or not isinstance(ended, httptools.HttpParserUpgrade):
            return
        line = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        headers = [b"%b: %b" % (name, value) for name, value in self.headers if name != b"upgrade"]
        self._again = b"\r\n".join([line, *headers, b"", self._data[ended.args[0] :]])
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn has it: what comes after the last request of a connection does not keep that one from being answered.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def _settle(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _say_and_refuse(self, error: HubError) -> None:
        self.logger.warning("refused: %s (at most %d bytes)", error.code, MOST_HEADER_BYTES)
        # uvicorn would say that the request was invalid, as of whatever stops its parser.
        self.logger = _SILENT
        self._refuse(error)

    def _too_slow(self) -> None:
        self._arriving = None
        self._refuse(RequestTimeout())

    def _refuse(self, error: HubError) -> None:
        """Answer what never became a whole request, unless an earlier one is still being answered; hang up."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        answering = cycle is not None and not cycle.response_complete
        if not answering or not (self._in_headers or cycle.response_started or self.pipeline):
            body = orjson.dumps({"errors": [{"message": error.public_message, "extensions": error.meaning}]})
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: application/json; charset=utf-8\r\n"
                b"content-length: %d\r\ncache-control: no-store\r\nconnection: close\r\n\r\n%b"
                % (error.status, error.code.encode(), len(body), body)
            )
        self.transport.close()
