"""`credithub ledger`: prove the disclosure ledger, and tell who saw whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.commands.session import auditor, err, out, told, with_store
from hub.config import Settings
from hub.errors import BadUserInput, FileRefused, LedgerBroken, unread
from hub.ledger import audit
from hub.rights.agreement import SHANGHAI
from schema.identifiers import InvalidIdentifier, parse_uscc

app = typer.Typer(no_args_is_help=True, help="The disclosure ledger: verify it, and ask it who saw whom.")


@app.command("verify")
@told
def verify(
    checkpoint: Annotated[
        Path | None, typer.Option(help="Lines that `ledger checkpoint` printed earlier.")
    ] = None,
) -> None:
    """Walk every hash chain; exit with 1 and name the first bad block when one does not hold."""
    kept: tuple[audit.Checkpoint, ...] = ()
    if checkpoint is not None:
        try:
            kept = audit.parse_checkpoints(checkpoint.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise FileRefused(f"{checkpoint.name}: {unread(error)}") from None

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            report = await audit.verify(connection, kept)
        for chain in report.chains:
            state = "holds" if chain.fault is None else f"BROKEN at block {chain.bad_seq}: {chain.fault}"
            out.print(
                f"chain {chain.chain}: {chain.blocks} blocks, {chain.entries} entries, {state}", markup=False
            )
        if any(chain.fault is not None for chain in report.chains):
            raise LedgerBroken
        out.print(f"the ledger holds: {report.entries} entries")

    with_store(work)


@app.command("checkpoint")
@told
def checkpoint() -> None:
    """Print where each chain ends: whoever keeps these lines can prove later that nothing before was changed."""

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            for one in await audit.checkpoints(connection):
                out.print(str(one), markup=False)

    with_store(work)


@app.command("who-saw")
@told
def who_saw(code: Annotated[str, typer.Argument(help="Unified social credit code of the subject.")]) -> None:
    """Tell who was told about a subject, when, why and at which levels; oldest first."""
    try:
        key = parse_uscc(code).code
    except InvalidIdentifier as problem:
        raise BadUserInput(f"Not a unified social credit code: {problem.reason}") from None

    async def work(configured: Settings) -> int:
        async with auditor(configured) as connection:
            subject = await connection.fetchval("SELECT subject_id FROM subject WHERE uscc = $1", key)
            if subject is None:
                err.print(f"credithub: no subject {key} in the store", markup=False)
                return 1
            seen = await audit.who_saw(connection, subject)
        for one in seen:
            # Two lines each, however narrow the terminal: a table of eight columns could not be read.
            case = "".join(
                f" {name} {value}" for name, value in (("matter", one.matter), ("case", one.case)) if value
            )
            out.print(
                f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} {one.partner} ({one.officer})"
                f" {one.purpose}{case} request {one.request_id}",
                markup=False,
            )
            out.print(f"  {one.classes}", markup=False)
        return 0

    with_store(work)
