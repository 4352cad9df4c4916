"""The command line: `credithub`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from hub.commands import agreements
from hub.commands.session import present, settings, told
from hub.errors import PurposeNotAllowed, SettingInvalid
from hub.rights.matrix import Purpose
from hub.sandbox.agreements import PARTNERS
from hub.sandbox.tokens import demo_token
from hub.server import serve as serve_http
from hub.store.database import attached

# Name → module of hub.commands, and its command or group there.
_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "affiliations": ("sources", "affiliations"),
        "agreements": ("agreements", "app"),
        "casework": ("casework", "app"),
        "catalogue": ("catalogue", "app"),
        "deliveries": ("deliveries", "app"),
        "demo": ("demo", "demo"),
        "draw": ("draw", "app"),
        "harvest": ("sources", "harvest"),
        "import": ("sources", "import_files"),
        "ledger": ("ledger", "app"),
        "lists": ("lists", "app"),
        "migrate": ("migrate", "migrate_store"),
        "quarantine": ("sources", "quarantine"),
        "report": ("report", "app"),
        "rules": ("rules", "rules"),
        "worker": ("worker", "worker"),
    }
)


class _OnDemand(TyperGroup):
    """Loads a command when it is asked for: a server need not hold what only a harvest, a worker or the demo needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return sorted({*super().list_commands(ctx), *_COMMANDS})

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """The command called `cmd_name`."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)  # type: ignore[return-value]
        module, member = _COMMANDS[cmd_name]
        found = getattr(import_module(f"hub.commands.{module}"), member)
        made: TyperCommand | TyperGroup
        if isinstance(found, typer.Typer):
            made = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(cmd_name)(found)
            made = typer.main.get_command(alone)  # type: ignore[assignment]
        made.name = cmd_name
        return made


app = typer.Typer(
    cls=_OnDemand,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="信用信息共享枢纽 · The credit-sharing hub.",
)


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
