"""The HTTP server: uvicorn with a protocol of our own, in one process or several."""

from __future__ import annotations

import asyncio
import gc
import logging
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hub.app import Application, create_app, load_what_is_alike
from hub.config import Settings
from hub.errors import SettingInvalid
from hub.observe import log_to_stderr
from hub.serving.protocol import Protocol

# Behind gateways connections stay open between requests.
KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 5
# After this a worker that was asked to end is killed.
PATIENCE_SECONDS = 8.0
# A worker that ends sooner after its start than this is not replaced at once.
STEADY_SECONDS = 1.0
BACKLOG = 1024
# Exit status of a worker that could not start: unless one has served already, another could not either.
NOT_STARTED = 3
# One that could not start is tried again after STEADY_SECONDS, doubled each time, up to this.
MOST_PAUSE_SECONDS = 30.0
Ready = Callable[[int], None]
Made = Callable[[Settings], ASGIApp]
_log = logging.getLogger(__name__)


def _flush() -> None:
    """Write what Python keeps of standard output and error, where somebody takes it."""
    for one in (sys.stdout, sys.stderr):
        with suppress(OSError):
            one.flush()


def _silent(_: int) -> None:
    """Tell nobody."""


def _leave_alone() -> None:
    """Spare what this process is made of, which stays until its end, from the search for garbage.

    Each search through all of it lets every request wait for a tenth of a second; and Python's own threshold
    is reached several times by each document that is made ready.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


class Server(uvicorn.Server):
    """A server that says when it listens, and ends when `parent`, the read end of a pipe, is closed there."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Ready,
        own_process: bool,
        parent: int | None = None,
        beside: tuple[uvicorn.Config, socket.socket] | None = None,
    ) -> None:
        """`ready(port)` is called once, when requests are answered. `own_process`: nothing else runs here, signals are its.

        `beside`: what answers at a socket of its own for as long as this server does, and has no line in the log.
        """
        super().__init__(config)
        self._ready = ready
        self._own_process = own_process
        self._parent = parent
        self._beside = beside
        self._answering_beside: asyncio.Server | None = None
        self._state_beside = ServerState()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals, unless whoever runs this server does. uvicorn would raise them again at the end."""
        numbers = (signal.SIGINT, signal.SIGTERM) if self._own_process else ()
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            if self._own_process:
                _leave_alone()
            if self._parent is not None:
                asyncio.get_running_loop().add_reader(self._parent, self._orphaned, self._parent)
            if self._beside is not None:
                config, at = self._beside
                protocol = partial(HttpToolsProtocol, config, self._state_beside, {})
                self._answering_beside = await asyncio.get_running_loop().create_server(protocol, sock=at)
            self._ready(sockets[0].getsockname()[1] if sockets else 0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and what answers beside this server first."""
        if self._answering_beside is not None:
            self._answering_beside.close()
            for one in tuple(self._state_beside.connections):
                one.shutdown()
        await super().shutdown(sockets)

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        self.should_exit = True


def listen(settings: Settings) -> socket.socket:
    """A listening socket for partners. Errors: OSError when the address is taken."""
    return _listen(settings.host, settings.port)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


@contextmanager
def _listening_for_figures(settings: Settings, workers: int) -> Iterator[list[socket.socket]]:
    """A listening socket for the figures of each worker; none when they have no port of their own.

    Each has its own, for every scrape must come to the same process: counters of several in turn would be none. The
    parent holds them, so that a worker that is replaced is found where the one before it was. Errors: SettingInvalid.
    """
    first = settings.metrics_port
    with ExitStack() as stack:
        found: list[socket.socket] = []
        for number in range(0 if first is None else workers):
            port = first + number if first else 0
            try:
                found.append(stack.enter_context(_listen(settings.metrics_host, port)))
            except (OSError, OverflowError) as error:
                words = error.strerror if isinstance(error, OSError) else "there is no such port"
                raise SettingInvalid(
                    f"HUB_METRICS_PORT: {settings.metrics_host}:{port}, of server process {number + 1}, cannot be used: {words}",
                    variable="HUB_METRICS_PORT",
                ) from None
        yield found


def server(
    settings: Settings,
    ready: Ready = _silent,
    own_process: bool = True,
    parent: int | None = None,
    figures: socket.socket | None = None,
    made: Made = create_app,
) -> Server:
    """A server in this process, of the hub unless another application is `made`; `figures`: where a hub tells its own."""
    protocol = type("BoundProtocol", (Protocol,), {"arrival_seconds": settings.request_timeout})
    app = made(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    beside = None
    if figures is not None and isinstance(app, Application):
        beside = _figures_config(app.figures), figures
    return Server(config, ready, own_process, parent, beside)


def _figures_config(figures: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        figures, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    config.load()
    return config


def serve(
    settings: Settings,
    workers: int,
    ready: Ready = _silent,
    figures_at: Ready = _silent,
    made: Made = create_app,
) -> int:
    """Serve in `workers` processes until SIGINT or SIGTERM; one that is lost is replaced. Gives the exit status.

    `figures_at(port)` is called for each port where a worker will tell its figures, `ready(port)` in the first worker
    once it answers. Errors: OSError, SettingInvalid.
    """
    log_to_stderr()
    with listen(settings) as listening, _listening_for_figures(settings, workers) as figures:
        for one in figures:
            figures_at(one.getsockname()[1])
        return _Workers(settings, workers, listening, figures, ready, made).run()


class _Workers:
    """Processes that accept from one socket; they end when this one ends, however it ends."""

    _SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})

    def __init__(
        self,
        settings: Settings,
        count: int,
        listening: socket.socket,
        figures: Sequence[socket.socket],
        ready: Ready,
        made: Made,
    ) -> None:
        self._settings = settings
        self._made = made
        self._count = count
        self._listening = listening
        # By the number of the worker.
        self._figures = dict(enumerate(figures))
        self._ready = ready
        # Pid → (number of the worker, when it was started).
        self._children: dict[int, tuple[int, float]] = {}
        # Number of a worker that has ended → when it is started again, and how often in a row it could not.
        self._missing: dict[int, float] = {}
        self._failures = [0] * count
        # One byte a worker, shared with all of them: 1 from when it first answered requests.
        self._served = mmap.mmap(-1, count)
        self._read, self._write = os.pipe()

    def run(self) -> int:
        """Run until a signal asks for the end, or no worker can start at all."""
        load_what_is_alike()
        # To look for garbage writes to each object, and what a worker writes to is copied.
        _leave_alone()
        # Blocked, not handled: they are taken one at a time where it suits, so that none comes between.
        signal.pthread_sigmask(signal.SIG_BLOCK, self._SIGNALS)
        for number in range(self._count):
            self._start(number)
        failed = False
        while not failed and self._told() not in (signal.SIGTERM, signal.SIGINT):
            for number, started, status in self._ended():
                # What keeps a worker from starting after others have served, a store that is away, passes.
                if status == NOT_STARTED and not any(self._served[:]):
                    failed = True
                    break
                self._replace(number, started, status)
            for number in [one for one, due in self._missing.items() if due <= time.monotonic()]:
                del self._missing[number]
                self._start(number)
        self._stop()
        return 1 if failed else 0

    def _told(self) -> int | None:
        """The next signal; None when before it a worker is to be started again."""
        if not self._missing:
            return signal.sigwait(self._SIGNALS)
        pause = max(0.0, min(self._missing.values()) - time.monotonic())
        found = signal.sigtimedwait(self._SIGNALS, pause)
        return found.si_signo if found is not None else None

    def _replace(self, number: int, started: float, status: int) -> None:
        """See to it that a worker that has ended is started again, the later the more often it could not."""
        if status != NOT_STARTED:
            self._failures[number] = 0
            self._missing[number] = started + STEADY_SECONDS
            _log.error("server process %d ended unexpectedly (status %d) and is replaced", number + 1, status)
            return
        pause = min(MOST_PAUSE_SECONDS, STEADY_SECONDS * 2 ** min(self._failures[number], 30))
        self._failures[number] += 1
        self._missing[number] = time.monotonic() + pause
        _log.error("server process %d could not start and is tried again in %.0f s", number + 1, pause)

    def _start(self, number: int) -> None:
        _flush()
        child = os.fork()
        if child:
            self._children[child] = (number, time.monotonic())
            return
        status = NOT_STARTED
        try:
            os.close(self._write)
            for one in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._SIGNALS)
            running = server(
                self._settings,
                partial(self._serves, number),
                parent=self._read,
                figures=self._figures.get(number),
                made=self._made,
            )
            running.run(sockets=[self._listening])
            status = 0 if running.started else NOT_STARTED
        except Exception:
            _log.exception("server process %d failed", number + 1)
        finally:
            _flush()
            os._exit(status)

    def _serves(self, number: int, port: int) -> None:
        """In a worker: it answers requests. The first worker says so, once, however often it is replaced."""
        if number == 0 and not self._served[0]:
            self._ready(port)
        self._served[number] = 1

    def _ended(self) -> list[tuple[int, float, int]]:
        """The workers that have ended: number, when started, exit status (negative: the signal)."""
        found = []
        for child, (number, started) in list(self._children.items()):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                del self._children[child]
                found.append((number, started, os.waitstatus_to_exitcode(status)))
        return found

    def _stop(self) -> None:
        """Ask all to end, and see to it that they do."""
        for urgency in (signal.SIGTERM, signal.SIGKILL):
            for child in self._children:
                with suppress(ProcessLookupError):
                    os.kill(child, urgency)
            end = time.monotonic() + PATIENCE_SECONDS
            while self._children and time.monotonic() < end:
                signal.sigtimedwait({signal.SIGCHLD}, 0.2)
                self._ended()
