"""The real worker as a process of its own, which tests may kill."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hub.casework.delivery.channels import Channel
from tests.casework.dispatch import APP, Site
from tests.conftest import Database

_COMMAND = (sys.executable, "-c", "from hub.cli import main; main()", "worker")
_READY_SECONDS = 60.0


def settings_of(database: Database, sites: Mapping[Channel, Site], **more: str) -> dict[str, str]:
    """The environment of a worker: short deadlines and leases, so that tests need not wait long."""
    return {
        "HUB_DATABASE_URL": database.owner_dsn,
        "HUB_ID_KEY": "00" * 32,
        "HUB_CURSOR_KEY": "00" * 32,
        "HUB_CHANNEL_APP_ID": APP,
        "HUB_CHANNEL_DEADLINE": "1",
        "HUB_CHANNEL_PAUSE": "0.1",
        "HUB_JOB_LEASE": "2",
        **{f"HUB_CHANNEL_{one}_URL": site.address.url for one, site in sites.items()},
        **{f"HUB_CHANNEL_{one}_KEY": site.address.key.hex() for one, site in sites.items()},
        **more,
    }


@dataclass
class Worker:
    """A running worker."""

    process: asyncio.subprocess.Process
    # What it printed until it was ready.
    lines: list[str]

    def kill(self) -> None:
        """kill -9: nothing is said, nothing is put in order."""
        self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def working(settings: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A worker that is ready; killed at the end if it still runs."""
    process = await started(settings)
    assert process.stdout is not None
    worker = Worker(process, [])
    try:
        while "Worker ready" not in worker.lines:
            line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
            assert line, f"the worker ended with {await process.wait()}: {worker.lines}"
            worker.lines.append(line.decode().strip())
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def started(
    settings: Mapping[str, str], *options: str, stderr: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """`credithub worker` with these settings alone."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "PG"))}
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        *options,
        env={**inherited, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
    )
