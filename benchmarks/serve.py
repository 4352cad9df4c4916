"""One server of the benchmark in a process of its own: `python -m benchmarks.serve '{"kind": …}'`."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from benchmarks.floor import create_floor
from benchmarks.resolvers import create_resolvers
from benchmarks.variants import create_hub
from hub.config import Settings
from hub.server import server


def application(given: Mapping[str, Any], settings: Settings) -> ASGIApp:
    """The application of a kind of server."""
    match given["kind"]:
        case "floor":
            return create_floor(settings, {k.encode(): v.encode() for k, v in given["extensions"].items()})
        case "resolvers":
            return create_resolvers(settings)
        case "hub":
            return create_hub(settings)
        case "hub without rights":
            return create_hub(settings, rights=False)
        case "hub without ledger":
            return create_hub(settings, ledger=False)
    raise SystemExit(f"no such server: {given['kind']}")


def main() -> None:
    """Serve until SIGTERM; write the port to standard output once requests are answered."""
    given = json.loads(sys.argv[1])
    if given["cpus"]:
        os.sched_setaffinity(0, given["cpus"])
    settings = Settings(
        database_url=given["database_url"], state_dir=Path(given["state_dir"]), demo=True, database_timeout=10
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def ready() -> None:
        print(listening.getsockname()[1], flush=True)

    running = server(settings, ready)
    running.config.app = application(given, settings)
    running.run(sockets=[listening])


if __name__ == "__main__":
    main()
