"""`credithub catalogue`: power lists in, the published catalogue and its coverage out (R4.1, R4.5)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from connectors.contract import SHANGHAI
from hub.casework.catalogue.commands import Rows, published
from hub.casework.catalogue.power_list import coverage, read_power_list, take_power_list
from hub.casework.machine import Actor, Step
from hub.casework.registry import registry
from hub.casework.work import calendar_for
from hub.commands.environment import present
from hub.commands.session import err, operator, out, put, told, tried, with_store, writer
from hub.commands.tables import Format, written
from hub.config import Settings
from hub.errors import FileRefused
from hub.store.database import Role, open_pool
from schema.governance import Capability

app = typer.Typer(no_args_is_help=True, help="The catalogue of licences and penalties (双公示事项目录).")
_ITEM_COLUMNS = (
    "unit", "code", "version", "name", "kind", "legal_basis", "authority", "power_item", "responsibility_item",
    "effective_from", "effective_to", "standard",
)  # fmt: skip
_DATA_COLUMNS = (
    "item", "version", "code", "name", "type", "length", "requirement", "masked", "government_sharing",
    "sharing_attribute", "deviations",
)  # fmt: skip
_GAP_COLUMNS = ("unit", "code", "name", "kind", "gap")


@app.command("power-list")
@told
def power_list(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The whole list, CSV or XLSX.")],
    unit: Annotated[str, typer.Option(help="Partner whose list it is.")],
    dry_run: Annotated[bool, typer.Option(help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Make a unit's power list what the file says: what the file leaves out has ended. All of it or nothing."""
    found = read_power_list(file)
    if not found.items:
        raise FileRefused("The list has neither a licence (行政许可) nor a penalty (行政处罚).")

    async def work(configured: Settings) -> None:
        now = present()
        async with writer(configured, 1) as pool, pool.acquire() as connection:
            if not await connection.fetchval(
                "SELECT EXISTS (SELECT FROM agreement WHERE partner = $1)", unit
            ):
                raise FileRefused(f"No partner {unit!r} has an agreement here.")
            today = now.astimezone(SHANGHAI).date()
            actor = Actor(partner=unit, officer=operator(), capabilities=frozenset({Capability.CASEWORK}))
            async with tried(connection, dry_run):
                step = Step(actor, {}, now, today, await calendar_for(connection, [], today))
                done = await take_power_list(connection, registry().machines, unit, found.items, step)
        out.print(
            f"{unit}: {done.added} added, {done.changed} changed, {done.ended} ended, {done.unchanged} unchanged;"
            f" {found.others} rows of other kinds left out{' (dry run: nothing was written)' if dry_run else ''}"
        )

    with_store(work)


@app.command("coverage")
@told
def show_coverage(
    unit: Annotated[str | None, typer.Option(help="One unit; by default all.")] = None,
    gaps: Annotated[
        Path | None, typer.Option(help="Also write the gap list, as .json, .csv or .xlsx.")
    ] = None,
) -> None:
    """Tell how much of the power lists is in the catalogue (应归尽归) and shown (应示尽示), and what is not."""
    to = _format(gaps) if gaps is not None else None

    async def work(configured: Settings) -> None:
        rows = await _read(configured, coverage, {"unit": unit})
        table = Table("unit", "active", "catalogued", "shown", "应归尽归", "应示尽示", "without power item")
        for row in rows:
            table.add_row(
                row["unit"], str(row["active"]), str(row["catalogued"]), str(row["shown"]),
                _percent(row["per_mille_catalogued"]), _percent(row["per_mille_shown"]),
                " ".join(row["without_power"]),
            )  # fmt: skip
        out.print(table)
        missing = [{"unit": row["unit"], **gap} for row in rows for gap in row["gaps"]]
        for gap in missing:
            out.print(f"{gap['unit']}: {gap['gap']} {gap['code']} {gap['name']}")
        if gaps is not None and to is not None:
            put(written("gaps", _GAP_COLUMNS, missing, to), gaps)

    with_store(work)


@app.command("export")
@told
def export(
    to: Annotated[Format, typer.Option("--format", help="json, csv or xlsx.")] = Format.JSON,
    data_items: Annotated[bool, typer.Option(help="The data items in place of the items.")] = False,
    output: Annotated[Path | None, typer.Option(help="File to write; by default the output.")] = None,
) -> None:
    """Export the published catalogue, or its data items with their deviations from the standard; never a draft."""
    if to is Format.XLSX and output is None and sys.stdout.isatty():
        raise FileRefused("A workbook is no text: name a file with --output.")

    async def work(configured: Settings) -> None:
        items = await _read(configured, _all_published, {})
        if data_items:
            content = written(
                "data items", _DATA_COLUMNS, [one for item in items for one in _data_rows(item)], to
            )
        else:
            content = written("items", _ITEM_COLUMNS, items, to)
        put(content, output)
        if output is not None:
            err.print(f"{len(items)} items written to {output}")

    with_store(work)


async def _all_published(rows: Rows, _: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Page by page: whatever the size of the catalogue, no answer is large."""
    found: list[dict[str, Any]] = []
    while page := await published(rows, {"after_code": found[-1]["code"] if found else None}, now):
        found += page
    return found


def _data_rows(item: dict[str, Any]) -> list[dict[str, Any]]:
    by_code: dict[str, list[str]] = {}
    for one in item["deviations"]:
        by_code.setdefault(one["code"], []).append(
            f"{one['kind']}: {one['standard']} → {one['stated']} ({one['reason']})"
        )
    stated = [
        {"item": item["code"], "version": item["version"], **one, "deviations": by_code.pop(one["code"], [])}
        for one in item["data_items"]
    ]
    # What the standard has and the item has not is a row of its own: it must not be lost from the export.
    lacking = [
        {**dict.fromkeys(_DATA_COLUMNS), "item": item["code"], "version": item["version"], "code": code, "deviations": told}
        for code, told in by_code.items()
    ]  # fmt: skip
    return stated + lacking


async def _read(configured: Settings, reading: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
    """What a reading gives, read by the reading role."""
    pool = await open_pool(configured, Role.READER, 1)
    try:
        found: list[dict[str, Any]] = await reading(
            lambda sql, values: pool.fetch(sql, *values), given, present()
        )
        return found
    finally:
        pool.terminate()


def _format(path: Path) -> Format:
    try:
        return Format(path.suffix.lower().removeprefix("."))
    except ValueError:
        raise FileRefused("The file's name ends with .json, .csv or .xlsx.") from None


def _percent(per_mille: int | None) -> str:
    return "-" if per_mille is None else f"{per_mille / 10:.1f} %"
