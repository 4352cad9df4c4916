"""The hub's own PostgreSQL for the demo and the tests: a child process, reached by its own socket."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from pwd import struct_passwd
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from hub.errors import EngineFailed
from hub.store.cluster import (
    clear_stale,
    cluster_area,
    create_cluster,
    identity,
    is_server,
    locked,
    pid_file,
    programs,
    server_account,
    socket_directory,
)

STARTUP_SECONDS = 60.0
SHUTDOWN_SECONDS = 20.0
# With less it cannot write the next file of its journal, of 16 MiB, and what it did before.
ROOM_BYTES = 32 << 20
ORPHANS_REMAIN = "pre-existing shared memory block"

SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # no network: only the socket, and only for the user who started it
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "jit": "off",  # compiling costs more than any statement of the hub takes
    "synchronous_commit": "on",  # an acknowledged disclosure survives a crash
    "wal_level": "minimal",  # nobody replicates from it
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "log_min_messages": "warning",
    "unix_socket_permissions": "0700",
}


class EmbeddedPostgres:
    """One PostgreSQL server below `state_dir`, held by this process alone; its data stay when it stops.

    `settings` add to or replace SERVER_SETTINGS. Errors: EngineFailed, with the end of the server's log.
    """

    def __init__(self, state_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        """Name the directory; nothing is made or started yet."""
        self._state_dir = state_dir.absolute()
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._socket_dir: Path | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def dsn(self, user: str = "hub_owner", database: str = "hub") -> str:
        """The address of `database` for `user` (postgres: the superuser) once the server is started."""
        if self._socket_dir is None:
            raise EngineFailed("The embedded PostgreSQL is not running.")
        return _dsn(self._socket_dir, user, database)

    def start(self) -> str:
        """Make the cluster if there is none, start the server, return the address of the hub's database."""
        account = server_account()
        self._state_dir.mkdir(parents=True, exist_ok=True)
        area = cluster_area(self._state_dir, account)
        self._lock = locked(area / "lock")
        try:
            binaries = programs(area, account)
            clear_stale(area / "data")
            if not (area / "data" / "PG_VERSION").exists():
                create_cluster(area, binaries, account)
            self._socket_dir = socket_directory(area, account)
            self._launch(area, binaries, account)
        except BaseException:
            self.stop()
            raise
        return self.dsn()

    def stop(self) -> None:
        """Stop the server (fast shutdown) and wait for its end; calling it again does nothing."""
        if self._process is not None:
            for urgency, patience in (
                (signal.SIGINT, SHUTDOWN_SECONDS),
                (signal.SIGQUIT, 5.0),
                (signal.SIGKILL, 5.0),
            ):
                if self._process.poll() is None:
                    self._process.send_signal(urgency)
                try:
                    self._process.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process = None
        if self._socket_dir is not None:
            if self._socket_dir.name != "socket":
                shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def destroy(self) -> None:
        """Stop the server and delete its data, wherever they lie."""
        self.stop()
        link = self._state_dir / "postgres"
        shutil.rmtree(link.resolve(), ignore_errors=True)
        if link.is_symlink():
            link.unlink()

    def _launch(self, area: Path, binaries: Path, account: struct_passwd | None) -> None:
        command: list[str | Path] = [binaries / "postgres", "-D", area / "data", "-k", str(self._socket_dir)]
        command += [f"--{name}={value}" for name, value in self._settings.items()]
        end = time.monotonic() + STARTUP_SECONDS
        while True:
            with (area / "server.log").open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 -- our own binary and arguments
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Its own session: Ctrl-C reaches the hub alone, which stops the server last.
                    start_new_session=True,
                    **identity(account, area),
                )
            try:
                self._await_ready(area, end)
                return
            except EngineFailed as error:
                # Processes of a killed server notice its end within moments.
                if ORPHANS_REMAIN not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _await_ready(self, area: Path, end: float) -> None:
        assert self._process is not None
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            lines = pid_file(area / "data")
            if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        tail = (area / "server.log").read_text("utf-8", "replace")[-2000:]
        free = shutil.disk_usage(area).free
        # The log may have found no room for the reason either.
        full = f" Its disk has no more than {free >> 20} MiB free: make room." if free < ROOM_BYTES else ""
        raise EngineFailed(
            f"The embedded PostgreSQL did not start.{full} The end of {area / 'server.log'}:\n{tail}"
        )


def exists(state_dir: Path) -> bool:
    """Whether a cluster was made below `state_dir`."""
    return ((state_dir.absolute() / "postgres").resolve() / "data" / "PG_VERSION").exists()


def running(state_dir: Path, user: str = "hub_owner", database: str = "hub") -> str | None:
    """The address of the server that another process of this hub runs below `state_dir`, or None."""
    data = (state_dir.absolute() / "postgres").resolve() / "data"
    lines = pid_file(data)
    if len(lines) > 7 and lines[7].strip() == "ready" and is_server(int(lines[0]), data):
        return _dsn(Path(lines[4]), user, database)
    return None


def _dsn(socket_dir: Path, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(socket_dir), safe='/')}&port=5432"
