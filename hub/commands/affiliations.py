"""`credithub affiliations`: whose members and merchants subjects are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.environment import present
from hub.commands.session import err, out, told, with_store, writer
from hub.config import Settings
from hub.errors import BadUserInput
from hub.harvest.affiliation import KINDS, read_codes, require_fitting, take_affiliations
from hub.rights.agreement import today_in
from hub.rights.agreement_store import applied_class
from hub.rules.matrix import load_matrix
from schema.coordinates import vocabulary

app = typer.Typer(no_args_is_help=True, help="Whose members and merchants subjects are.")


@app.command("apply")
@told
def affiliations_apply(
    partner: Annotated[str, typer.Argument(help="Id of the association or platform.")],
    kind: Annotated[str, typer.Argument(help="MEMBER or MERCHANT.")],
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with a head line; codes in the first column.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would become of the list; change nothing.")
    ] = False,
) -> None:
    """Make a file the whole list of a partner's members or merchants, from today on."""
    if kind not in KINDS:
        raise BadUserInput("The kind is MEMBER or MERCHANT.")
    codes = read_codes(file)

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            require_fitting(kind, await applied_class(pool, partner, load_matrix(), vocabulary().coordinates))
            today = today_in(present())
            taken = await take_affiliations(pool, partner, kind, codes, today, trying=dry_run)
        changed = " (dry run: nothing is changed)" if dry_run else ""
        out.print(
            f"{partner}: given {taken.given}, known {taken.known}, begun {taken.begun},"
            f" ended {taken.ended}{changed}"
        )
        if taken.unknown:
            # All of them: whoever looks for the rest in a list of thousands finds none.
            err.print(
                f"{len(taken.unknown)} not known to the hub and not taken;"
                " hand the list in again once they are known:"
            )
            for code in taken.unknown:
                err.print(code)

    with_store(work)
