"""The installed command `credithub` as processes of its own, and how to see that none is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CREDITHUB = Path(sys.executable).with_name("credithub")
READY = "Hub ready: "


@dataclass
class Running:
    """A command that runs, and what it has said so far."""

    process: subprocess.Popen[str]
    errors: Path
    lines: list[str]

    @property
    def url(self) -> str:
        """The address of GraphQL that it told."""
        return self.lines[-1].removeprefix(READY)

    @property
    def told(self) -> str:
        """Its standard error."""
        return self.errors.read_text("utf-8")

    def children(self) -> list[int]:
        """The processes it started itself."""
        return children_of(self.process.pid)

    def stopped(self, number: signal.Signals, within: float) -> tuple[int, float]:
        """Send the signal to the command alone; its exit status, and the seconds it took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(within), time.monotonic() - begun


def children_of(pid: int) -> list[int]:
    """The children of a process; none when it has ended."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(one) for one in found.split()]


def below(pid: int) -> list[int]:
    """The processes below a process, at any depth."""
    found = []
    for child in children_of(pid):
        found += [child, *below(child)]
    return found


def alive(pids: list[int]) -> list[int]:
    """Those of the processes that still run."""
    found = []
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
            if state.split()[0] not in ("Z", "X"):
                found.append(pid)
    return found


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a bare machine with some settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", **given}


@contextmanager
def launched(arguments: list[str], given: Mapping[str, str], errors: Path) -> Iterator[Running]:
    """Start `credithub`; it and all below it are killed in the end."""
    with errors.open("w", encoding="utf-8") as to:
        process = subprocess.Popen(
            [CREDITHUB, *arguments],
            env=environment(given),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=to,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    try:
        yield Running(process, errors, [])
    finally:
        for pid in alive([process.pid, *below(process.pid)]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def started(
    arguments: list[str], given: Mapping[str, str], errors: Path, within: float = 60
) -> Iterator[Running]:
    """The same, and wait until it says that it is ready."""
    with launched(arguments, given, errors) as running:
        end = time.monotonic() + within
        assert running.process.stdout is not None
        while not (running.lines and running.lines[-1].startswith(READY)):
            assert time.monotonic() < end
            line = running.process.stdout.readline()
            assert line, f"ended with {running.process.wait(5)}: {running.told}"
            running.lines.append(line.rstrip("\n"))
        yield running


def credithub(
    *arguments: str, given: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [CREDITHUB, *arguments],
        env=environment(given or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
