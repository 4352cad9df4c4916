"""`credithub demo`: a whole hub on one machine: store, sandboxes, harvest, agreements, tokens, server, worker."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import typer

from hub.commands.environment import SANDBOXES, present, settings
from hub.commands.session import err, out, told, writer
from hub.commands.sources import harvest_into
from hub.commands.worker import beside
from hub.config import Settings
from hub.errors import SettingInvalid
from hub.harvest.affiliation import read_codes, take_affiliations
from hub.observe import log_to_stderr
from hub.rights.agreement import today_in
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import PARTNERS, demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.province import Province
from hub.sandbox.run import province_in, running
from hub.sandbox.seed import seed_consents
from hub.sandbox.tokens import demo_token
from hub.server import Server, listen, server
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.coordinates import vocabulary

TOKEN_SECONDS = 8 * 3600


@told
def demo() -> None:
    """Run the demo until Ctrl-C. HUB_PORT and HUB_DEMO_SUBJECTS change its port and size.

    Exit status: 0 when it is stopped after it was ready, 130 when before, 1 when it cannot run or
    its worker or its sandboxes ended.
    """
    configured = replace(settings(), demo=True)
    if configured.database_url is not None:
        raise SettingInvalid("The demo keeps its own store: unset HUB_DATABASE_URL.")
    log_to_stderr(30)
    # Taken first: a port in use is told before anything is started.
    try:
        listening = listen(configured)
    except OSError as error:
        raise SettingInvalid(
            f"HUB_PORT: {configured.host}:{configured.port} cannot be used: {error.strerror}; HUB_PORT names another"
        ) from None
    with listening, EmbeddedPostgres(configured.state_dir) as postgres:
        here = replace(configured, database_url=postgres.dsn())
        status = asyncio.run(_until_stopped(here, postgres, listening))
    raise typer.Exit(status)


async def _until_stopped(configured: Settings, postgres: EmbeddedPostgres, listening: socket.socket) -> int:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        async with _prepared(configured, postgres) as (ready, worker, sandboxes):
            _tell_tokens(ready)
            address = f"http://{ready.host}:{listening.getsockname()[1]}"
            err.print(f"GraphiQL:  {address}/graphiql")
            running_server = server(
                ready, lambda _: out.print(f"Hub ready: {address}/graphql"), own_process=False
            )
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, running_server.handle_exit, number, None)
            lost = [
                asyncio.create_task(_lost(process, whose, without, running_server))
                for process, whose, without in (
                    (worker, "worker", "nothing would be delivered and no deadline kept any more"),
                    (sandboxes, "sandboxes", "no source would answer and no channel take anything any more"),
                )
            ]
            # uvicorn leaves by itself when the application does not start; why stands in the log.
            with suppress(SystemExit):
                await running_server.serve(sockets=[listening])
            ended = any(one.done() for one in lost)
            # What ends from here on is stopped.
            for one in lost:
                one.cancel()
            return 0 if running_server.started and not ended else 1
    except asyncio.CancelledError:
        err.print("stopped")
        return 130


async def _lost(
    process: asyncio.subprocess.Process, whose: str, without: str, running_server: Server
) -> None:
    """End the server, and say why, when a process of the demo ends by itself: without it it would only seem to work."""
    status = await process.wait()
    err.print(f"credithub: the {whose} of the demo ended unexpectedly (status {status}): {without}")
    running_server.should_exit = True


@asynccontextmanager
async def _prepared(
    configured: Settings, postgres: EmbeddedPostgres
) -> AsyncIterator[tuple[Settings, asyncio.subprocess.Process, asyncio.subprocess.Process]]:
    """The store migrated, the sandboxes running, everything harvested, the agreements applied, a worker at work."""
    assert configured.database_url is not None
    await migrated(configured.database_url)
    today = today_in(present())
    async with running(configured.state_dir, configured.demo_subjects, postgres, today) as (addresses, child):
        given = {**_given(configured), **addresses}
        ready = Settings.from_env(given)
        # Where the worker's telephone of the examples finds the platform of domestic service.
        (ready.state_dir / "domestic.url").write_text(addresses["HUB_DOMESTIC_URL"])
        sandboxes = ready.state_dir / SANDBOXES
        sandboxes.write_text(json.dumps(addresses))
        issuer = demo_issuer(ready.state_dir)
        async with writer(ready) as pool:
            await apply_agreements(
                pool,
                demo_agreements(issuer.key).values(),
                load_matrix(),
                present(),
                "demo",
                vocabulary().coordinates,
            )
        await harvest_into(ready, [])
        province = province_in(ready.state_dir, ready.demo_subjects, today)
        async with writer(ready, 1) as pool:
            for partner, kind, path in _lists(ready.state_dir, province):
                await take_affiliations(pool, partner, kind, read_codes(path), today)
            async with pool.acquire() as connection:
                await seed_consents(connection, province)
        try:
            async with beside({**os.environ, **given}) as worker:
                yield ready, worker, child
        finally:
            sandboxes.unlink()


def _given(configured: Settings) -> dict[str, str]:
    """The settings of the demo as an environment, so that the sandboxes' addresses can join them, and the worker."""
    assert configured.database_url is not None
    return {
        "HUB_DEMO": "true",
        "HUB_DATABASE_URL": configured.database_url,
        "HUB_HOST": configured.host,
        "HUB_PORT": str(configured.port),
        "HUB_STATE_DIR": str(configured.state_dir),
        "HUB_DEMO_SUBJECTS": str(configured.demo_subjects),
        **({"HUB_REDIS_URL": configured.redis_url} if configured.redis_url else {}),
    }


def _lists(state_dir: Path, province: Province) -> Iterable[tuple[str, str, Path]]:
    """The lists of members and merchants that the demo's association and platform hand in, as files."""
    codes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in province.affiliations():
        codes[one.partner, one.kind].append(one.uscc)
    for (partner, kind), listed in codes.items():
        path = state_dir / f"{partner}-{kind.lower()}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["uscc"], *([code] for code in listed)])
        yield partner, kind, path


def _tell_tokens(configured: Settings) -> None:
    err.print("Tokens of the demo partners, for eight hours:")
    for partner in PARTNERS:
        out.print(f"{partner:<16} {demo_token(configured, partner, None, TOKEN_SECONDS, present())}")
