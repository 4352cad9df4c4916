"""Serves an ASGI application on loopback, as a fixture's part."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` on a free port of loopback, its lifespan included, and give its address."""
    # With its protocol told: only then asyncio sends what is written at once, and does not wait 40 ms for the other's word.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        running = asyncio.create_task(server.serve([listener]))
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        if running.done():
            await running
            raise RuntimeError("the application did not start; its log says why")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running
        if server.lifespan.should_exit:
            raise RuntimeError("the application did not stop as it should; its log says why")
