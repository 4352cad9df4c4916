"""The machine that a result belongs to, and what processes use of it, read from /proc."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def described() -> str:
    """Processor, cores and memory in one line, without names of hosts."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, Python {platform.python_version()}"


def cpus_apart() -> tuple[list[int], list[int]]:
    """The processors of the servers, and those of PostgreSQL and the load; both empty where there is but one."""
    have = sorted(os.sched_getaffinity(0))
    return (have[:1], have[1:]) if len(have) > 1 else ([], [])


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_seconds_below(pid: int) -> float:
    """Processor time of the running children of a process."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def resident_mib(pid: int) -> float:
    """Memory of a process that is in RAM (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def sync_microseconds(directory: Path) -> float:
    """What it takes to make 8 KiB durable on the disk of `directory`: the least that a commit can take."""
    path = directory / "sync-probe"
    took = []
    with path.open("wb") as file:
        file.write(bytes(8192 * 64))
        os.fsync(file.fileno())
        for number in range(128):
            file.seek(8192 * (number % 64))
            file.write(os.urandom(8192))
            file.flush()
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(took) * 1e6
