"""The embedded PostgreSQL starts, stops and recovers, as root and as a user, and touches nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from hub.config import Settings
from hub.errors import EngineFailed, StoreInvalid
from hub.store.database import attached
from hub.store.embedded import EmbeddedPostgres, running

SMALL = {"fsync": "off", "shared_buffers": "16MB"}

Place = Callable[[str], Path]


@pytest.fixture
def place() -> Iterator[Place]:
    """Gives state directories that others can reach; what was started in them is stopped and deleted."""
    given: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="hub-place-") as top:
        Path(top).chmod(0o755)

        def give(name: str) -> Path:
            given.append(Path(top) / name)
            return given[-1]

        yield give
        for directory in given:
            EmbeddedPostgres(directory).destroy()


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is closed at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def keep(dsn: str, word: str) -> None:
    """Leave `word` in the store."""
    async with connected(dsn) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        await connection.execute("INSERT INTO kept VALUES ($1)", word)


async def kept(dsn: str) -> list[str]:
    """The words left in the store."""
    async with connected(dsn) as connection:
        return [row["word"] for row in await connection.fetch("SELECT word FROM kept ORDER BY word")]


def alive(pid: int) -> bool:
    """Whether `pid` is a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_data_stay_when_the_server_stops_and_no_process_stays(place: Place) -> None:
    state = place("state")
    for word in ("first", "second"):
        with EmbeddedPostgres(state, SMALL) as server:
            pid = server.pid
            assert pid is not None
            await keep(server.dsn(), word)
        assert not alive(pid)
        assert running(state) is None
    with EmbeddedPostgres(state, SMALL) as server:
        assert await kept(server.dsn()) == ["first", "second"]


async def test_it_listens_on_no_network_and_only_in_its_own_directory(place: Place) -> None:
    with EmbeddedPostgres(place("state"), SMALL) as server:
        async with connected(server.dsn("postgres")) as connection:
            assert await connection.fetchval("SHOW listen_addresses") == ""
            (socket_dir,) = (await connection.fetchval("SHOW unix_socket_directories")).split(",")
        assert Path(socket_dir).stat().st_mode & 0o777 == 0o700


async def test_chinese_is_understood_by_name_search(place: Place) -> None:
    with EmbeddedPostgres(place("state"), SMALL) as server:
        async with connected(server.dsn("postgres")) as connection:
            await connection.execute("CREATE EXTENSION pg_trgm")
            assert len(await connection.fetchval("SELECT show_trgm('青海')")) == 3


def test_two_processes_cannot_hold_one_cluster(place: Place) -> None:
    state = place("state")
    with EmbeddedPostgres(state, SMALL), pytest.raises(EngineFailed, match="Another process holds"):
        EmbeddedPostgres(state, SMALL).start()


async def test_another_process_finds_the_running_server(place: Place) -> None:
    state = place("state")
    assert running(state) is None
    with EmbeddedPostgres(state, SMALL) as server:
        assert running(state) == server.dsn()
        with attached(Settings(state_dir=state)) as settings:
            assert settings.database_url == server.dsn()
        assert running(state) is not None, "it was not ours to stop"


async def test_without_a_running_server_one_is_started_and_stopped(place: Place) -> None:
    state = place("state")
    with attached(Settings(state_dir=state), create=True) as settings:
        assert settings.database_url == running(state)
    assert running(state) is None
    with attached(Settings(state_dir=state)) as settings:
        assert settings.database_url == running(state)


@pytest.mark.parametrize("role", ["database_auditor_url", None])
def test_who_lacks_the_settings_gets_no_empty_store_to_work_on(place: Place, role: str | None) -> None:
    state = place("state")
    if role is None:
        with pytest.raises(StoreInvalid, match="HUB_DATABASE_URL is not set, and there is no store"):
            attached(Settings(state_dir=state)).__enter__()
    else:
        # An auditor has an address of his own, and needs no other.
        configured = replace(Settings(state_dir=state), **{role: "postgresql://hub_auditor@db.example/hub"})
        with attached(configured) as settings:
            assert settings is configured
    assert not state.exists()


def test_a_configured_store_is_used_and_nothing_is_started(place: Place) -> None:
    configured = Settings(state_dir=place("state"), database_url="postgresql://db.example/hub")
    with attached(configured) as settings:
        assert settings is configured
    assert not configured.state_dir.exists()


async def test_after_kill_9_of_the_hub_the_next_one_ends_the_orphan_and_keeps_the_data(place: Place) -> None:
    state = place("state")
    program = (
        "import sys, time; from pathlib import Path; from hub.store.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path(sys.argv[1]), {SMALL!r}); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, text=True
    ) as hub:
        assert hub.stdout is not None
        orphan = int(hub.stdout.readline())
        dsn = running(state)
        assert dsn is not None
        await keep(dsn, "acknowledged")
        hub.kill()
    assert alive(orphan)
    with EmbeddedPostgres(state, SMALL) as server:
        assert not alive(orphan)
        assert await kept(server.dsn()) == ["acknowledged"]


async def test_after_kill_9_of_the_server_it_starts_again(place: Place) -> None:
    state = place("state")
    server = EmbeddedPostgres(state, SMALL)
    await keep(server.start(), "acknowledged")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    assert (state / "postgres" / "data" / "postmaster.pid").exists()
    with EmbeddedPostgres(state, SMALL) as again:
        assert await kept(again.dsn()) == ["acknowledged"]


async def test_a_stale_pid_file_that_names_another_living_program_is_no_obstacle(place: Place) -> None:
    state = place("state")
    server = EmbeddedPostgres(state, SMALL)
    await keep(server.start(), "acknowledged")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    pid_file = state / "postgres" / "data" / "postmaster.pid"
    owner = pid_file.stat().st_uid
    # A program of the server's own account that got the number of the killed server.
    with subprocess.Popen(["sleep", "600"], user=owner if os.geteuid() == 0 else None) as other:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
        with EmbeddedPostgres(state, SMALL) as again:
            assert await kept(again.dsn()) == ["acknowledged"]
        assert other.poll() is None, "the other program was not touched"
        other.kill()


async def test_a_killed_first_start_leaves_nothing_that_counts(place: Place) -> None:
    state = place("state")
    half = state / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(state, SMALL) as server:
        await keep(server.dsn(), "works")


async def test_a_path_too_long_for_a_socket_works_and_its_socket_is_removed(place: Place) -> None:
    state = place("long-" * 30)
    with EmbeddedPostgres(state, SMALL) as server:
        await keep(server.dsn(), "works")
        assert running(state) == server.dsn()
        async with connected(server.dsn("postgres")) as connection:
            socket_dir = Path(await connection.fetchval("SHOW unix_socket_directories"))
    assert not socket_dir.exists()


async def test_a_private_state_directory_works_and_no_directory_above_it_is_opened(place: Place) -> None:
    state = place("private") / "state"
    state.mkdir(parents=True)
    closed = [state, *state.parents[:2]]
    for directory in closed:
        directory.chmod(0o700)
    server = EmbeddedPostgres(state, SMALL)
    try:
        await keep(server.start(), "works")
        assert [directory.stat().st_mode & 0o777 for directory in closed] == [0o700] * len(closed)
    finally:
        data = (state / "postgres").resolve()
        server.destroy()
    assert not data.exists()
    assert not (state / "postgres").exists()


def test_a_server_that_cannot_start_says_why(place: Place) -> None:
    with pytest.raises(EngineFailed, match="shared_buffers"):
        EmbeddedPostgres(place("state"), {"shared_buffers": "a lot"}).start()


def test_a_server_that_finds_no_room_is_told_so_though_its_log_found_none_either(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the log ends with an ordinary end, as if nothing were wrong."""
    usage = shutil.disk_usage("/")._replace(free=3 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(EngineFailed, match="Its disk has no more than 3 MiB free"):
        EmbeddedPostgres(place("state"), {"shared_buffers": "a lot"}).start()
