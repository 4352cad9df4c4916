"""The command line: `credithub`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.commands import (
    agreements,
    casework,
    catalogue,
    deliveries,
    demo,
    draw,
    ledger,
    report,
    rules,
    sources,
    worker,
)
from hub.commands.session import out, present, settings, told
from hub.errors import PurposeNotAllowed, SettingInvalid
from hub.rights.matrix import Purpose
from hub.sandbox.agreements import PARTNERS
from hub.sandbox.tokens import demo_token
from hub.server import serve as serve_http
from hub.store.database import attached
from hub.store.migration import migrate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="信用信息共享枢纽 · The credit-sharing hub.",
)
app.add_typer(agreements.app, name="agreements")
app.add_typer(sources.quarantine, name="quarantine")
app.add_typer(sources.affiliations, name="affiliations")
app.add_typer(ledger.app, name="ledger")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(draw.app, name="draw")
app.add_typer(report.app, name="report")
app.command("harvest")(sources.harvest)
app.command("import")(sources.import_files)
app.command("demo")(demo.demo)
app.command("worker")(worker.worker)
app.command("rules")(rules.rules)
app.add_typer(casework.app, name="casework")


@app.command("migrate")
@told
def migrate_store() -> None:
    """Bring the store to the version this hub needs."""
    with attached(settings()) as configured:
        assert configured.database_url is not None
        migrate(configured.database_url)
    out.print("the store is up to date")


@app.command("serve")
@told
def serve(
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; HUB_WORKERS by default.")
    ] = None,
) -> None:
    """Serve GraphQL until SIGTERM or SIGINT."""
    configured = settings()
    if configured.database_url is None and not configured.demo:
        raise SettingInvalid("HUB_DATABASE_URL: required to serve; `credithub demo` brings its own store")
    # Asked here once, so that a missing key is told at once and not by every worker.
    _ = configured.id_key, configured.cursor_key
    with attached(configured) as found:
        if found.agreements_dir is not None:
            agreements.apply_directory(found, found.agreements_dir)
        # Asked here for the same reason: a store without tables, an agreement that no longer holds.
        agreements.require_usable(found)
        try:
            status = serve_http(
                found,
                workers or found.workers,
                lambda port: print(f"Hub ready: http://{found.host}:{port}/graphql", flush=True),
            )
        except OSError as error:
            raise SettingInvalid(
                f"HUB_PORT: {found.host}:{found.port} cannot be used: {error.strerror}"
            ) from None
    if status:
        raise typer.Exit(status)


@app.command("token")
@told
def token(
    partner: Annotated[str, typer.Option(help="Id of a demo partner.")],
    purpose: Annotated[str | None, typer.Option(help="Purpose claim of the token.")] = None,
    ttl: Annotated[int, typer.Option(min=1, max=8 * 3600, help="Seconds of validity.")] = 3600,
    officer: Annotated[str | None, typer.Option(help="Officer; some steps need a second one.")] = None,
) -> None:
    """Print a token of a demo partner, and nothing else. Demo mode only (HUB_DEMO=true)."""
    configured = settings()
    if partner not in PARTNERS:
        raise SettingInvalid(f"No demo partner {partner!r}; they are {', '.join(PARTNERS)}.")
    if purpose is not None and purpose not in set(Purpose):
        raise PurposeNotAllowed(f"No purpose {purpose!r}; they are {', '.join(Purpose)}.")
    print(demo_token(configured, partner, purpose, ttl, present(), officer))


def main() -> None:
    """Run the command that was given."""
    app()
