"""One server of the benchmark in a process of its own: `python -m benchmarks.serve '{"kind": …}'`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from hub.config import Settings
from hub.server import listen, serve, server


def application(given: Mapping[str, Any], settings: Settings) -> ASGIApp:
    """The application of a kind of server; only its own module is loaded, so that memory can be compared."""
    kind = given["kind"]
    if kind == "floor":
        extensions = {name.encode(): told.encode() for name, told in given["extensions"].items()}
        return import_module("benchmarks.floor").create_floor(settings, extensions)  # type: ignore[no-any-return]
    if kind == "resolvers":
        return import_module("benchmarks.resolvers").create_resolvers(settings)  # type: ignore[no-any-return]
    made = import_module("benchmarks.variants").create_hub
    return made(settings, rights=kind != "hub without rights", ledger=kind != "hub without ledger")  # type: ignore[no-any-return]


def main() -> None:
    """Serve until SIGTERM; write the port and the server's process id to standard output once requests are answered."""
    given = json.loads(sys.argv[1])
    if given["cpus"]:
        os.sched_setaffinity(0, given["cpus"])
    settings = Settings(
        database_url=given["database_url"],
        state_dir=Path(given["state_dir"]),
        demo=True,
        database_timeout=10,
        port=0,
    )

    def ready(port: int) -> None:
        print(port, os.getpid(), flush=True)

    made = partial(application, given)
    if given["kind"] in ("floor", "resolvers"):
        server(settings, ready, made=made).run(sockets=[listen(settings)])
    else:
        # As `credithub serve` does it: one server process and the one that watches over it.
        sys.exit(serve(settings, 1, ready, made=made))


if __name__ == "__main__":
    main()
