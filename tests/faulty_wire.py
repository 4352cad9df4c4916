"""A wire to a sandbox that breaks on demand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.sandbox.server import LOOPBACK, Fault


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
