"""`credithub lists`: the definitions of red, watch and black lists (R8.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.contract import SHANGHAI
from hub.casework.listings.definitions import define, listed
from hub.commands.environment import present
from hub.commands.session import operator, out, told, tried, with_store, writer
from hub.config import Settings
from hub.errors import FileRefused, RulesInvalid
from hub.rights.agreement import today_in
from hub.rules.list_definitions import ListDefinition, against_the_law, load_list_definitions
from hub.rules.listing import load_list_rules

app = typer.Typer(no_args_is_help=True, help="Definitions of red, watch and black lists (名单).")


@app.command("apply")
@told
def apply(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="TOML, as lists.toml.")],
    dry_run: Annotated[bool, typer.Option(help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Define lists, or change their definitions: all of the files, or none."""
    definitions = [one for file in files for one in _read(file)]
    codes = [one.code for one in definitions]
    for code in codes:
        if codes.count(code) > 1:
            raise FileRefused(f"{code} is defined in two files.")

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool, pool.acquire() as connection, tried(connection, dry_run):
            done = await define(connection, definitions, present(), operator())
        for one in done:
            out.print(f"{one.code}: {one.outcome}")
            for key, before, after in one.changes:
                out.print(f"  {key}: {_shown(before)} → {_shown(after)}")
        if dry_run:
            out.print("dry run: nothing was written")

    with_store(work)


@app.command("list")
@told
def list_all() -> None:
    """List the definitions, with who changed each last."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool, pool.acquire() as connection:
            rows = await listed(connection)
        table = Table(
            "code", "colour", "name", "recognized by", "level", "months", "from", "to", "changed", "by"
        )
        for row in rows:
            changed = row["changed_at"]
            table.add_row(
                row["code"],
                row["color"],
                row["name"],
                row["recognizer_name"],
                row["basis_level"],
                f"{_shown(row['min_publicity_months'])} to {_shown(row['max_publicity_months'])}",
                str(row["effective_from"]),
                str(row["effective_to"] or ""),
                "" if changed is None else f"{changed.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                row["changed_by"] or "as it came",
            )
        out.print(table)

    with_store(work)


def _read(file: Path) -> tuple[ListDefinition, ...]:
    """The definitions of a file. Raises FileRefused: one is not whole, or the law does not carry it."""
    try:
        found = load_list_definitions(file.read_text(encoding="utf-8"), file.name)
    except (RulesInvalid, UnicodeDecodeError) as error:
        told = str(error) if isinstance(error, RulesInvalid) else f"{file.name}: not UTF-8"
        raise FileRefused(told) from None
    for one in found:
        problem = against_the_law(one, load_list_rules(), today_in(present()))
        if problem is not None:
            raise FileRefused(f"{file.name}: {one.code}: {problem}")
    return found


def _shown(value: object) -> str:
    return "—" if value is None else str(value)
