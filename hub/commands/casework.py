"""`credithub casework`: the state machines of the mechanisms, as diagrams."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hub.casework.diagrams import mermaid, page, svg
from hub.casework.registry import registry
from hub.commands.session import err, put, told

app = typer.Typer(no_args_is_help=True, help="The mechanisms of the policy and their state machines.")


class Format(StrEnum):
    """What a diagram is written in."""

    MERMAID = "mermaid"
    SVG = "svg"
    MARKDOWN = "markdown"


@app.callback()
def casework() -> None:
    """Keep `diagram` a command of its own, though it is the only one."""


@app.command("diagram")
@told
def diagram(
    mechanism: Annotated[str | None, typer.Argument(help="PUBLICITY, LIST_ENTRY …; all without it.")] = None,
    to: Annotated[
        Format, typer.Option("--format", help="mermaid, svg (of one mechanism), or markdown: a page of all.")
    ] = Format.MERMAID,
) -> None:
    """Draw the state machine of a mechanism, or of all, from the table that the hub works by."""
    machines = registry().machines
    mechanism = mechanism and mechanism.upper()
    if mechanism is not None and mechanism not in machines:
        err.print(f"credithub: no mechanism {mechanism}; they are {', '.join(machines)}")
        raise typer.Exit(1)
    chosen = [machines[mechanism]] if mechanism is not None else list(machines.values())
    if to is Format.MARKDOWN:
        put(page(chosen).encode())
    elif to is Format.MERMAID:
        put("\n".join(f"%% {one.mechanism}\n{mermaid(one)}" for one in chosen).encode())
    elif len(chosen) == 1:
        put(svg(chosen[0]).encode())
    else:
        err.print("credithub: an SVG holds one machine: name a mechanism")
        raise typer.Exit(1)
