"""`credithub deliveries`: what has not reached its channel yet, and sending it again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from connectors.contract import SHANGHAI
from hub.casework.delivery.deliveries import send_again, undelivered
from hub.commands.environment import present
from hub.commands.session import LARGEST, err, out, told, with_store, writer
from hub.config import Settings

app = typer.Typer(no_args_is_help=True, help="What has not reached its channel: list it, send it again.")


@app.command("list")
@told
def list_undelivered(limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100) -> None:
    """List deliveries without receipt, oldest first: those that wait, and those that their channel refused."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            rows = await undelivered(pool, limit)
        table = Table(
            "id", "channel", "action", "item", "case", "since", "state", "tries", "error", "next try"
        )
        for row in rows:
            after = row.next_attempt_at
            table.add_row(
                str(row.delivery_id),
                row.channel,
                row.action,
                row.item,
                row.number,
                f"{row.since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                row.state,
                str(row.attempts),
                row.error_code or "",
                f"{after.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}" if after else "",
            )
        out.print(table)

    with_store(work)


@app.command("retry")
@told
def retry(number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Id of the delivery.")]) -> None:
    """Send a delivery again at once, also one that its channel refused."""

    async def work(configured: Settings) -> int:
        async with writer(configured, 1) as pool:
            sent = await send_again(pool, number, present())
        if not sent:
            err.print(
                f"credithub: delivery {number} is not sent again: unknown, acknowledged, or overtaken by a later one"
            )
            return 1
        out.print(f"delivery {number} is due now")
        return 0

    with_store(work)
