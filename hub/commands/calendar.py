"""`credithub calendar`: the working days by which deadlines are counted (R7.1, 5.6)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hub.commands.environment import present
from hub.commands.session import out, told, tried, with_store, writer
from hub.config import Settings
from hub.errors import FileRefused, RulesInvalid
from hub.rights.agreement import today_in
from hub.rules.notices import Notice, load_notices
from hub.store.working_days import laid, lay

app = typer.Typer(no_args_is_help=True, help="Working days, by the notices on holidays (工作日历).")


@app.command("apply")
@told
def apply(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="TOML, one [[notice]] each.")
    ],
    dry_run: Annotated[bool, typer.Option(help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Lay notices on holidays: all of the files, or none; the worker counts running deadlines anew."""
    notices = [one for file in files for one in _read(file)]

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool, pool.acquire() as connection, tried(connection, dry_run):
            done = [await lay(connection, one.region, one.days(), one.source_doc) for one in notices]
        for notice, result in zip(notices, done, strict=True):
            what = f"{result.new} days fixed, {len(result.changed)} fixed otherwise than before"
            if result.renamed:
                what += f", {result.renamed} as before by another document"
            out.print(f"{notice.region} {notice.year}: {what}")
            for day, worked in result.changed.items():
                out.print(f"  {day}: {'worked' if worked else 'rest'} now")
        if dry_run:
            out.print("dry run: nothing was written")

    with_store(work)


@app.command("list")
@told
def list_all() -> None:
    """List what is fixed from last year on, and by which document."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool, pool.acquire() as connection:
            rows = await laid(connection, date(today_in(present()).year - 1, 1, 1))
        table = Table("year", "region", "days", "weekdays of rest", "weekends worked", "document")
        for row in rows:
            counts = (str(row[name]) for name in ("days", "rest_days", "working_days"))
            table.add_row(str(row["year"]), row["region_code"], *counts, row["source_doc"])
        out.print(table)

    with_store(work)


def _read(file: Path) -> tuple[Notice, ...]:
    """The notices of a file. Raises FileRefused: one is not whole, or cannot be right."""
    try:
        return load_notices(file.read_text(encoding="utf-8"), file.name)
    except (RulesInvalid, UnicodeDecodeError) as error:
        raise FileRefused(
            str(error) if isinstance(error, RulesInvalid) else f"{file.name}: not UTF-8"
        ) from None
