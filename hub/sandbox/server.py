"""Serves a sandbox on a free port of the loopback, and breaks the wire to it on demand."""

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
    # On the wire, by `FaultyWire`.
    HANG = "HANG"  # takes the connection and the request, never answers
    DRIP = "DRIP"  # answers one byte in a while
    RESET = "RESET"  # resets the connection when the answer should come
    REFUSE = "REFUSE"  # does not take the connection
    # In the answer, by the sandbox itself.
    ERROR = "ERROR"  # HTTP 500
    SIGNATURE = "SIGNATURE"  # says that the signature is wrong, whatever it is
    LIES = "LIES"  # answers with rows of another subject
    GARBAGE = "GARBAGE"  # answers 200 with something else than JSON


class FaultyWire:
    """A TCP proxy before a sandbox. Set `fault` at any time; connections already open obey it too."""

    def __init__(self, host: str, port: int) -> None:
        """Forward to `host`:`port`; a `host` that begins with a slash is the path of a socket."""
        self.fault = Fault.NONE
        self.connections = 0
        self._host, self._port = host, port

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[str, int]]:
        """Forward for the duration of the block; gives the proxy's host and port."""
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            self.connections += 1
            try:
                await self._forward(reader, writer)
            except (OSError, asyncio.CancelledError):
                writer.transport.abort()
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(accept, LOOPBACK, 0)
        try:
            yield LOOPBACK, server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in tuple(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault is Fault.REFUSE:
            _reset(writer)
            return
        upstream_reader, upstream = await self._connect()
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(self._answers(upstream_reader, writer))
                there = group.create_task(_pump(reader, upstream))
                await asyncio.wait((back, there), return_when=asyncio.FIRST_COMPLETED)
                back.cancel()
                there.cancel()
        finally:
            upstream.close()
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(self._host)
        return await asyncio.open_connection(self._host, self._port)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            if self.fault in (Fault.RESET, Fault.REFUSE):
                _reset(writer)
                return
            while self.fault is Fault.HANG:  # noqa: ASYNC110 - a plain attribute, set at any time
                await asyncio.sleep(0.02)
            if self.fault is not Fault.DRIP:
                writer.write(chunk)
                await writer.drain()
                continue
            for position in range(len(chunk)):
                writer.write(chunk[position : position + 1])
                await writer.drain()
                await asyncio.sleep(0.05 if self.fault is Fault.DRIP else 0)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: SO_LINGER with timeout zero."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
