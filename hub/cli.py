"""The command line: `credithub`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# Name → module of hub.commands, and its command or group there.
_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "affiliations": ("affiliations", "app"),
        "agreements": ("agreements", "app"),
        "calendar": ("calendar", "app"),
        "casework": ("casework", "app"),
        "catalogue": ("catalogue", "app"),
        "deliveries": ("deliveries", "app"),
        "consents": ("consents", "app"),
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
        "serve": ("serve", "serve"),
        "status": ("status", "status"),
        "token": ("token", "token"),
        "worker": ("worker", "worker"),
    }
)


class _OnDemand(TyperGroup):
    """Loads a command when it is asked for: a server need not hold what only a harvest, a worker or the demo needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return sorted(_COMMANDS)

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
)


@app.callback()
def credithub() -> None:
    """信用信息共享枢纽 · The credit-sharing hub."""


def _open_what_is_closed() -> None:
    """Make standard streams that were closed lead nowhere: the store's socket would get their number, and be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)
            setattr(sys, name, open(opened, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115 -- to the end


def main() -> None:
    """Run the command that was given."""
    _open_what_is_closed()
    app()
