"""What `credithub serve` becomes: `python -P -m hub.commands.serving 4`, without what reads a command line or draws tables.

All that the parent holds is in each server process too.
"""

from __future__ import annotations

import sys

from hub.commands.environment import settings
from hub.commands.telling import EXPECTED, let_go, line_of, say, spelt
from hub.errors import SettingInvalid
from hub.server import serve
from hub.store.database import attached


def serve_in(workers: int) -> int:
    """Serve in so many processes until a signal. Gives the exit status. Errors: HubError, and what the store raises."""
    with attached(settings()) as found:
        try:
            return serve(
                found,
                workers,
                lambda port: say(f"Hub ready: http://{found.host}:{port}/graphql"),
                lambda port: say(f"Hub metrics: http://{found.metrics_host}:{port}/metrics"),
            )
        except OSError as error:
            raise SettingInvalid(
                f"HUB_PORT: {found.host}:{found.port} cannot be used: {error.strerror}"
            ) from None


def main() -> None:
    """Serve in as many processes as the only argument says."""
    try:
        status = serve_in(int(sys.argv[1]))
    except EXPECTED as error:
        line = line_of(error)
        if line is None:
            raise
        say(f"credithub: {spelt(line)}", to=2)
        status = 1
    finally:
        let_go()
    sys.exit(status)


if __name__ == "__main__":
    main()
