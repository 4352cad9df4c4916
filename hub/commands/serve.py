"""`credithub serve`: answers GraphQL over HTTP."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Annotated

import typer

from hub.commands import agreements
from hub.commands.session import settings, told, unread
from hub.errors import SettingInvalid
from hub.server import serve as serve_http
from hub.store.database import attached


@told
def serve(
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; HUB_WORKERS by default.")
    ] = None,
) -> None:
    """Serve GraphQL until SIGTERM or SIGINT."""
    configured = settings()
    for line in unread(configured):
        _say(f"credithub: {line}", to=2)
    if configured.database_url is None and not configured.demo:
        raise SettingInvalid("HUB_DATABASE_URL: required to serve; `credithub demo` brings its own store")
    # Asked here once, so that a missing key is told at once and not by every worker.
    _ = configured.id_key, configured.cursor_key
    with attached(configured) as found:
        if found.agreements_dir is not None:
            for line in agreements.apply_directory(found, found.agreements_dir):
                _say(line)
        # Asked here for the same reason: a store without tables, an agreement that no longer holds.
        agreements.require_usable(found)
    # Kept until the new process looks for them: in its first second or two, Python would end with a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    # This process begins anew: what reads a command line would stay in its memory, and be copied into each worker's.
    count = str(workers or configured.workers)
    os.execv(sys.executable, (sys.executable, "-P", "-m", __name__, count))  # noqa: S606 -- our own module


@told
def serve_in(workers: int) -> None:
    """Serve in so many processes. Raises typer.Exit where that cannot be, or ends badly."""
    with attached(settings()) as found:
        try:
            status = serve_http(
                found,
                workers,
                lambda port: _say(f"Hub ready: http://{found.host}:{port}/graphql"),
                lambda port: _say(f"Hub metrics: http://{found.metrics_host}:{port}/metrics"),
            )
        except OSError as error:
            raise SettingInvalid(
                f"HUB_PORT: {found.host}:{found.port} cannot be used: {error.strerror}"
            ) from None
    if status:
        raise typer.Exit(status)


def _say(line: str, to: int = 1) -> None:
    """Print a line past Python's buffers, where what nobody took would stay. A hub serves, though nobody reads it."""
    with suppress(OSError):
        os.write(to, f"{line}\n".encode())


def main() -> None:
    """Serve in as many processes as the only argument says."""
    try:
        serve_in(int(sys.argv[1]))
    except typer.Exit as end:
        sys.exit(end.exit_code)


if __name__ == "__main__":
    main()
