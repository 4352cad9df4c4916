"""The HTTP server: uvicorn, with a bound on how slowly a request may arrive, and one process or several."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.app import create_app
from hub.config import Settings
from hub.observe import log_to_stderr

# Behind gateways connections stay open between requests.
KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 5
BACKLOG = 1024
_log = logging.getLogger(__name__)


class Protocol(HttpToolsProtocol):
    """Cuts off a connection whose request line and headers do not arrive in time; uvicorn itself would wait for ever."""

    header_seconds = 10.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.header_seconds, self._too_slow)

    def on_message_begin(self) -> None:
        """A further request on the same connection begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._too_slow)

    def on_headers_complete(self) -> None:
        """All headers are here; the body has the gateway's own bound."""
        self._settle()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._settle()
        super().connection_lost(exc)

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Any, own_signals: bool) -> None:
        """`ready()` is called once, when requests are answered. `own_signals`: SIGINT and SIGTERM end it."""
        super().__init__(config)
        self._ready = ready
        self._own_signals = own_signals

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals, unless whoever runs this server does."""
        if self._own_signals:
            with super().capture_signals():
                yield
        else:
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def listen(settings: Settings) -> socket.socket:
    """A listening socket. Errors: OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((settings.host, settings.port))
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return listening


def server(settings: Settings, ready: Any = lambda: None, own_signals: bool = True) -> Server:
    """A server of the hub in this process."""
    Protocol.header_seconds = settings.request_timeout
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=16 * 1024,
    )
    return Server(config, ready, own_signals)


def serve(settings: Settings, workers: int, ready: Any = lambda: None) -> int:
    """Serve until SIGINT or SIGTERM; gives the exit status. With several workers a lost one is replaced."""
    log_to_stderr()
    listening = listen(settings)
    if workers == 1:
        running = server(settings, ready)
        running.run(sockets=[listening])
        return 0 if running.started else 1
    return _supervise(settings, workers, listening, ready)


def _supervise(settings: Settings, workers: int, listening: socket.socket, ready: Any) -> int:
    stopping = False
    children: dict[int, int] = {}

    def start(number: int) -> None:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            running = server(settings, ready if number == 0 else lambda: None)
            running.run(sockets=[listening])
            sys.stdout.flush()
            os._exit(0 if running.started else 3)
        children[child] = number

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for number in range(workers):
        start(number)
    failed = False
    while children:
        try:
            child, status = os.wait()
        except InterruptedError:
            continue
        if child not in children:
            continue
        number = children.pop(child)
        if stopping:
            continue
        if os.waitstatus_to_exitcode(status) == 3:
            # It could not even start: another would not either.
            failed = True
            stop()
        else:
            _log.error("worker %d ended unexpectedly and is replaced", number)
            start(number)
    return 1 if failed else 0
