"""Starts the servers that are compared, asks them, and loads them."""

from __future__ import annotations

import http.client
import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load import rendered
from benchmarks.machine import cpu_seconds, cpu_seconds_below
from benchmarks.workloads import Workload, variables_of
from hub.config import Settings
from hub.sandbox.tokens import demo_token

PARTNER, PURPOSE = "customs", "ONGOING_SUPERVISION"


class BenchmarkFailed(Exception):
    """A figure would mean nothing: a server did not start, answered errors, or answered something else."""


@dataclass(frozen=True)
class Measured:
    """One stretch of load on one server."""

    rate: float
    # Seconds.
    p50: float
    p99: float
    # Processor seconds a request, of the server and of PostgreSQL.
    server: float
    store: float


class Serving:
    """A running server: its port, and the id of the process that answers there."""

    def __init__(
        self,
        kind: str,
        settings: Settings,
        cpus: list[int],
        extensions: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and wait until it answers."""
        self.kind = kind
        given = {
            "kind": kind,
            "database_url": settings.database_url,
            "state_dir": str(settings.state_dir),
            "cpus": cpus,
            "extensions": extensions or {},
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve", json.dumps(given)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            raise BenchmarkFailed(f"{kind} did not start")
        self.port, self.pid = map(int, told.split())

    @property
    def started(self) -> int:
        """Id of the process that was started: of a hub, that which watches over the one that answers."""
        return self._process.pid

    def stop(self) -> None:
        """End it and wait for its end."""
        self._process.terminate()
        self._process.wait(20)

    def ask(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The answer to one request. Raises BenchmarkFailed for anything but data."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/graphql", body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        answer: dict[str, Any] = json.loads(text)
        if response.status != 200 or "errors" in answer:
            raise BenchmarkFailed(f"{self.kind} answered {response.status}: {text[:500]!r}")
        return answer


def headers(settings: Settings) -> dict[str, str]:
    """What a partner's gateway sends with every request."""
    token = demo_token(settings, PARTNER, None, 8 * 3600, datetime.now(UTC))
    return {"Authorization": f"Bearer {token}", "Hub-Purpose": PURPOSE, "Accept": "application/json"}


def bodies(workload: Workload, subjects: int, count: int | None = None) -> list[bytes]:
    """The bodies of the requests of a workload."""
    return [
        json.dumps({"query": workload.document, "variables": variables}).encode()
        for variables in variables_of(workload, subjects, count)
    ]


def write_requests(path: Path, requests: list[bytes], sent: Mapping[str, str]) -> Path:
    """Render requests for the load's process."""
    with path.open("wb") as file:
        pickle.dump([rendered(body, sent) for body in requests], file)
    return path


def load(
    server: Serving,
    store: int,
    requests: Path,
    connections: int,
    seconds: float,
    cpus: list[int],
    start: int = 0,
) -> Measured:
    """Load a server. `store`: process id of PostgreSQL. Raises BenchmarkFailed when it answers an error."""
    given = {
        "port": server.port,
        "requests": str(requests),
        "connections": connections,
        "seconds": seconds,
        "cpus": cpus,
        "start": start,
    }
    before = cpu_seconds(server.pid), cpu_seconds_below(store)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkFailed(f"the load on {server.kind} failed: {done.stderr[-500:]}")
    after = cpu_seconds(server.pid), cpu_seconds_below(store)
    found = json.loads(done.stdout)
    if found["errors"] or not found["answers"]:
        raise BenchmarkFailed(f"{server.kind}: {found['errors']} errors in {found['answers']} answers")
    count = found["answers"]
    return Measured(
        rate=found["rate"],
        p50=found["p50"],
        p99=found["p99"],
        server=(after[0] - before[0]) / count,
        store=(after[1] - before[1]) / count,
    )
