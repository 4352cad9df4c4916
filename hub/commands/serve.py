"""`credithub serve`: answers GraphQL over HTTP."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from hub.commands import agreements
from hub.commands.environment import settings, unread
from hub.commands.session import told
from hub.commands.telling import say
from hub.errors import SettingInvalid
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
        say(f"credithub: {line}", to=2)
    if configured.database_url is None and not configured.demo:
        raise SettingInvalid("HUB_DATABASE_URL: required to serve; `credithub demo` brings its own store")
    # Asked here once, so that a missing key is told at once and not by every worker.
    _ = configured.id_key, configured.cursor_key
    with attached(configured) as found:
        if found.agreements_dir is not None:
            for line in agreements.apply_directory(found, found.agreements_dir):
                say(line)
        # Asked here for the same reason: a store without tables, an agreement that no longer holds.
        agreements.require_usable(found)
    # Kept until the new process looks for them: in its first second or two, Python would end with a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    # This process begins anew: what reads a command line would stay in its memory, and be copied into each worker's.
    count = str(workers or configured.workers)
    os.execv(sys.executable, (sys.executable, "-P", "-m", "hub.commands.serving", count))  # noqa: S606 -- our own module
