"""`credithub ledger`: prove the disclosure ledger, and tell who saw whom."""

from __future__ import annotations

import getpass
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import orjson
import typer

from connectors.contract import SHANGHAI
from hub.commands.session import auditor, err, out, present, told, with_store
from hub.config import Settings
from hub.errors import BadUserInput, FileRefused, unread
from hub.ledger import audit
from hub.rights.agreement import today_in
from hub.rules.calendar import end_of, start_of
from schema.identifiers import InvalidIdentifier, hmac_sm3, parse_resident_id, parse_uscc

app = typer.Typer(no_args_is_help=True, help="The disclosure ledger: verify it, and ask it who saw whom.")
# More than any way of writing a number takes; what is longer is refused for its length.
_LONGEST_LINE = 1000
_PERSON = "SELECT subject_id FROM identifier WHERE scheme = 'RESIDENT_ID' AND value = $1"
_KNOWN = "SELECT EXISTS (SELECT FROM agreement WHERE partner = $1)"


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
        if not kept:
            raise FileRefused(f"{checkpoint.name}: there is no checkpoint in it")

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            report = await audit.verify(connection, kept)
        for chain in report.chains:
            state = "holds" if chain.fault is None else f"BROKEN at block {chain.bad_seq}: {chain.fault}"
            out.print(
                f"chain {chain.chain}: {chain.blocks} blocks, {chain.entries} entries, {state}", markup=False
            )
        report.require_intact()
        out.print(f"the ledger holds: {report.entries} entries")
        if not kept:
            err.print("held against no checkpoint: that the end of a chain was cut off would not be seen")

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
def who_saw(
    code: Annotated[str | None, typer.Argument(help="Unified social credit code of the subject.")] = None,
    person: Annotated[
        bool,
        typer.Option(
            "--person",
            help="A natural person in its place: the resident ID is asked for, or read from standard input.",
        ),
    ] = False,
    since: Annotated[str | None, typer.Option(help="The first day, YYYY-MM-DD, Asia/Shanghai.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD, Asia/Shanghai.")] = None,
    partner: Annotated[str | None, typer.Option(help="What this partner was told alone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Tell who was told about a subject, when, why and at which levels; oldest first."""
    if person is (code is not None):
        raise typer.BadParameter("Either a code or --person.")
    begun, ended = _day("--since", since), _day("--until", until)
    if begun is not None and ended is not None and ended < begun:
        raise BadUserInput("--until is a day before --since.")
    number = None if code is None else _code(code)
    if number is None:
        number = _resident_id()

    async def work(configured: Settings) -> int:
        async with auditor(configured) as connection:
            if person:
                digest = hmac_sm3(configured.id_key, number)
                subject = await connection.fetchval(_PERSON, digest)
            else:
                subject = await connection.fetchval("SELECT subject_id FROM subject WHERE uscc = $1", number)
            if subject is None:
                sought = "person with this resident ID" if person else f"subject {number}"
                err.print(f"credithub: no {sought} in the store", markup=False)
                return 1
            # A misspelt name must not read like a partner that was told nothing.
            if partner is not None and not await connection.fetchval(_KNOWN, partner):
                raise BadUserInput(f"No agreement of a partner {partner} was ever applied.")
            from_, to = None if begun is None else start_of(begun), None if ended is None else end_of(ended)
            seen = await audit.who_saw(connection, subject, from_, to, partner)
        for one in seen:
            if as_json:
                typer.echo(orjson.dumps(_object(one)).decode())
            else:
                _print(one)
        return 0

    with_store(work)


def _code(value: str) -> str:
    try:
        return parse_uscc(value).code
    except InvalidIdentifier as problem:
        raise BadUserInput(f"Not a unified social credit code: {problem.reason}") from None


def _resident_id() -> str:
    """A resident ID from the terminal, unseen, or the first line of standard input.

    Never from an argument: those are in the list of processes and the shell's history (PIPL art. 51).
    """
    try:
        line = getpass.getpass("Resident ID: ") if sys.stdin.isatty() else sys.stdin.readline(_LONGEST_LINE)
        return parse_resident_id(line.strip(), today_in(present())).number
    except InvalidIdentifier as problem:
        raise BadUserInput(f"Not a resident ID: {problem.reason}") from None
    except (EOFError, UnicodeDecodeError):
        raise BadUserInput("No resident ID was given.") from None


def _day(option: str, value: str | None) -> date | None:
    """The day that an option names. The last one of the calendar has no end that could be told."""
    try:
        day = None if value is None else date.fromisoformat(value)
    except ValueError:
        day = date.max
    if day == date.max:
        raise BadUserInput(f"{option}: a day such as 2026-01-31")
    return day


def _print(one: audit.Access) -> None:
    """Two lines, however narrow the terminal: a table of eight columns could not be read."""
    case = "".join(
        f" {name} {value}" for name, value in (("matter", one.matter), ("case", one.case)) if value
    )
    out.print(
        f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} {one.partner} ({one.officer})"
        f" {one.purpose}{case} request {one.request_id}",
        markup=False,
    )
    out.print(f"  {one.classes}", markup=False)


def _object(one: audit.Access) -> dict[str, object]:
    """The same as an object; `classes`: data class → level."""
    return {
        "at": one.at.astimezone(SHANGHAI),
        "partner": one.partner,
        "officer": one.officer,
        "purpose": one.purpose,
        "matter": one.matter,
        "case": one.case,
        "classes": dict(told.split("=", 1) for told in one.classes.split()),
        "view": one.view,
        "operation": one.operation,
        "request": one.request_id,
    }
