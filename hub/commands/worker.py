"""`credithub worker`: works through the queue of jobs until it is told to stop, and begins anew when the store was lost."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Annotated

import asyncpg
import httpx
import typer
from prometheus_client import start_http_server

from connectors.tls import trusted
from hub.casework.delivery.channels import Client, channels_of
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.delivery.watch import Watch
from hub.commands.environment import present, unread
from hub.commands.session import out, though_nobody_reads, told, tools_of, with_store
from hub.commands.sources import tell
from hub.condition import Gauges, read_condition
from hub.config import Settings
from hub.errors import SettingInvalid, StoreUnavailable
from hub.harvest.run import Outcome
from hub.jobs import Duties, run_queue
from hub.observe import log_to_stderr
from hub.sources.discovery import connect_all
from hub.store.database import Role, open_pool
from hub.store.id_key import require_id_key

# One listens, one harvests; the others are for what is shorter.
_CONNECTIONS = 6
# Jobs under way have this time to end after SIGTERM; a job that was cut is done again by the next worker.
_GRACE_SECONDS = 20.0
# Seconds before a worker that failed begins anew.
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
# A restart of the store is over within so many of them; what lasts longer is an error and no warning.
_PASSING = 3
_log = logging.getLogger(__name__)


@told
def worker(
    once: Annotated[bool, typer.Option(help="Do what is due now, then end.")] = False,
) -> None:
    """Harvest, deliver and keep deadlines until SIGTERM or SIGINT; as many workers as you like."""
    log_to_stderr()
    with_store(lambda configured: work(configured, asyncio.Event(), once=once))


@asynccontextmanager
async def beside(environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker in a process of its own for the duration of the block; it ends with this one in any case.

    `environment`: all that it gets, with its HUB_ settings. It tells on standard error only what goes wrong. Should it
    end before the block does, whoever waits for the process that is given learns it.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "hub.commands.worker"),
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the parent, which stops the child in order
    )
    assert child.stdin is not None
    try:
        yield child
    finally:
        child.stdin.close()
        try:
            await asyncio.wait_for(child.wait(), _GRACE_SECONDS + 5)
        except TimeoutError:
            child.kill()
            await child.wait()


async def work(configured: Settings, stop: asyncio.Event, *, once: bool = False) -> int:
    """Work until `stop` or a signal; with `once` until the queue is empty: 1 when a harvest then ended badly."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    status = 0

    def harvested(outcome: Outcome) -> None:
        nonlocal status
        ended = 1
        # Deadlines do not wait for a full disk of logs.
        with though_nobody_reads():
            ended = tell([outcome])
        status = max(status, ended)

    for line in unread(configured):
        _log.warning(line)
    await _require_usable(configured)
    watch = Watch()
    with _figures(configured, watch):
        # Whatever is wrong from the start is told; later on the store may only have been restarted.
        pool = await open_pool(configured, Role.WRITER, _CONNECTIONS)
        await require_id_key(pool, configured.id_key, present())
        with though_nobody_reads():
            out.print("Worker ready")
        failures = 0
        while True:
            begun = loop.time()
            try:
                await _until_done(configured, pool, watch, harvested, stop, once=once)
            # Whatever it was, the jobs are in the store, and the next round takes them up.
            except Exception as error:
                if once:
                    raise StoreUnavailable(f"The worker failed: {type(error).__name__}.") from error
                failures = 0 if loop.time() - begun > max(_PAUSES) else failures
                _log.log(_level(failures), "the worker begins anew", exc_info=error)
            else:
                return status if once else 0
            finally:
                pool.terminate()
            while not stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
                try:
                    pool = await open_pool(configured, Role.WRITER, _CONNECTIONS)
                    break
                except StoreUnavailable as error:
                    _log.log(_level(failures), "the worker waits for the store: %s", error)
            if stop.is_set():
                return 0


async def _require_usable(configured: Settings) -> None:
    """Refuse settings with which no round could work, before anybody takes this worker for ready.

    Errors: SettingInvalid.
    """
    channels_of(configured)
    for one in connect_all(configured.source_settings, tools_of(configured)).values():
        await one.close()


def _level(failures: int) -> int:
    return logging.ERROR if failures > _PASSING else logging.WARNING


async def _until_done(
    configured: Settings,
    pool: asyncpg.Pool,
    watch: Watch,
    harvested: Callable[[Outcome], None],
    stop: asyncio.Event,
    *,
    once: bool,
) -> None:
    tools = tools_of(configured)
    # A try asks and then sends.
    pace = Pace(first=configured.channel_pause, lease=2 * configured.channel_deadline + 5)
    async with httpx.AsyncClient(trust_env=False, verify=trusted()) as http:
        client = Client(http, configured.channel_deadline)
        duties = Duties(
            settings=configured,
            tools=tools,
            pool=pool,
            courier=Courier(pool, client, pace, present, random.random),
            channels=channels_of(configured),
            watch=watch,
            harvested=harvested,
        )
        queue = asyncio.create_task(run_queue(pool, duties, configured.job_lease, stop, once=once))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((queue, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not queue.done():
            await asyncio.wait((queue,), timeout=_GRACE_SECONDS)
        if queue.done():
            await queue
        else:
            queue.cancel()
            await asyncio.gather(queue, return_exceptions=True)


@contextmanager
def _figures(configured: Settings, watch: Watch) -> Iterator[None]:
    """Serve /metrics for the duration of the block, when a port is set. Errors: SettingInvalid."""
    if configured.worker_metrics_port is None:
        yield
        return
    # On the thread of the scrape and a connection of its own: jobs under way keep no figure waiting, nor it them.
    watch.registry.register(Gauges(lambda: asyncio.run(read_condition(configured, present()))))
    try:
        server, thread = start_http_server(
            configured.worker_metrics_port, configured.metrics_host, registry=watch.registry
        )
    except OSError as error:
        raise SettingInvalid(
            f"HUB_WORKER_METRICS_PORT: {configured.metrics_host}:{configured.worker_metrics_port} cannot be used:"
            f" {error.strerror}"
        ) from None
    with though_nobody_reads():
        out.print(f"Worker metrics: http://{configured.metrics_host}:{server.server_port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _with_parent(configured: Settings) -> int:
    """Work until the parent closes our standard input, which the kernel does when it dies."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    return await work(configured, stop)


if __name__ == "__main__":
    log_to_stderr(logging.WARNING)
    try:
        told(with_store)(_with_parent)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
