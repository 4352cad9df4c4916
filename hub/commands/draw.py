"""`credithub draw`: whether a published draw of a random inspection is what its seed draws. Needs no hub and no store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from hub.commands.session import err, out
from hub.rules.draw import DrawInvalid
from hub.rules.published_draw import repeat

app = typer.Typer(no_args_is_help=True, help="Random inspections: repeat a published draw.")
_MOST_BYTES = 256 * 1024 * 1024


@app.callback()
def _group() -> None:
    """Keep `verify` a command of its own, with one command as with several."""


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="Answer of the query inspectionPlan, as JSON.")],
) -> None:
    """Draw again from the published frame and seed; ends with 1 when anything does not agree (R6.3)."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES + 1)
        made = repeat(orjson.loads(text))
    except OSError as error:
        err.print(f"credithub: {file}: {error.strerror}")
        raise typer.Exit(1) from None
    except orjson.JSONDecodeError:
        err.print(f"credithub: {file}: no JSON")
        raise typer.Exit(1) from None
    except DrawInvalid as error:
        err.print(f"credithub: {file}: {error}")
        raise typer.Exit(1) from None
    table = Table("tier", "place", "object", "inspectors")
    for one in made.drawn:
        table.add_row(one.tier, str(one.place), one.id, " ".join(one.inspectors))
    out.print(table)
    out.print(f"the draw is what its seed draws: {len(made.drawn)} objects")
