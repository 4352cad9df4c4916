"""Serves a sandbox on a free port of the loopback; what can be wrong with it, or with the wire to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import uvicorn

LOOPBACK = "127.0.0.1"


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve the ASGI `app` for the duration of the block; gives its address, such as http://127.0.0.1:40123."""
    # With the protocol named asyncio switches Nagle's algorithm off; without it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((LOOPBACK, 0))
    server = _Server(
        uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.005)
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class Fault(StrEnum):
    """What can be wrong on the wire or behind it."""

    NONE = "NONE"
    # On the wire, by whoever stands between.
    HANG = "HANG"  # takes the connection and the request, never answers
    DRIP = "DRIP"  # answers one byte in a while
    RESET = "RESET"  # resets the connection when the answer should come
    REFUSE = "REFUSE"  # does not take the connection
    # In the answer, by the sandbox itself.
    ERROR = "ERROR"  # HTTP 500
    SIGNATURE = "SIGNATURE"  # says that the signature is wrong, whatever it is
    LIES = "LIES"  # answers with rows of another subject
    GARBAGE = "GARBAGE"  # answers 200 with something else than JSON
