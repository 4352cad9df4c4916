"""`credithub consents`: what subjects have consented to by signed letters, and what they have withdrawn."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.contract import SHANGHAI
from hub.commands.environment import present
from hub.commands.session import LARGEST, code_in, moment, operator, out, told, with_store, writer
from hub.config import Settings
from hub.errors import BadUserInput, FileRefused, unread
from hub.rights.agreement_store import applied_agreement
from hub.rights.consents import Consent, list_consents, record_consent, require_effect, withdraw_consent
from hub.rights.matrix import Purpose
from hub.rules.calendar import end_of, start_of
from hub.rules.matrix import load_matrix

app = typer.Typer(no_args_is_help=True, help="Consents of subjects: take in, withdraw, list.")
_DAY = ["%Y-%m-%d"]


@app.command("record")
@told
def record(
    code: Annotated[str, typer.Argument(help="Unified social credit code of whose consent it is.")],
    partner: Annotated[str, typer.Argument(help="Id of the partner that may be told.")],
    letter: Annotated[Path, typer.Argument(help="The signed letter; of the file only its digest is kept.")],
    purpose: Annotated[list[Purpose], typer.Option(help="What for; several times for several.")],
    data_class: Annotated[
        list[str], typer.Option("--class", help="What, D17 say; several times for several.")
    ],
    until: Annotated[datetime, typer.Option(formats=_DAY, help="The last day.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day; by itself from now on.")
    ] = None,
    separate: Annotated[
        bool, typer.Option(help="The letter is about this alone (PIPL art. 14, 23, 29).")
    ] = False,
) -> None:
    """Take in a consent: from now on it opens to a partner what only a consent opens."""
    now, evidence = present(), _digest(letter)
    if until.date() == date.max or (since is not None and since.date() == date.min):
        raise BadUserInput(f"{date.min} and {date.max} are no days of a consent: it has a term.")
    consent = Consent(
        code=code_in(code),
        grantee=partner,
        purposes=tuple(dict.fromkeys(purpose)),
        classes=tuple(dict.fromkeys(data_class)),
        separate=separate,
        begins=now if since is None else start_of(since.date()),
        ends=end_of(until.date()),
        evidence=evidence,
    )

    async def work(configured: Settings) -> None:
        matrix = load_matrix()
        async with writer(configured, 1) as pool:
            require_effect(consent, await applied_agreement(pool, partner, matrix), matrix, now)
            done = await record_consent(pool, consent, now, operator())
        known = ", known already" if done.known else ""
        out.print(f"consent {done.number} of {done.name} to {partner}, letter {evidence[:16]}{known}")

    with_store(work)


@app.command("withdraw")
@told
def withdraw(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Number of the consent.")],
) -> None:
    """End a consent at once and for good; what was told before stays told."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            ended = await withdraw_consent(pool, number, present(), operator())
        out.print(f"consent {number} is withdrawn since {moment(ended)}")

    with_store(work)


@app.command("list")
@told
def listed(
    code: Annotated[str | None, typer.Option(help="Of this subject.")] = None,
    partner: Annotated[str | None, typer.Option(help="To this partner.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """List consents, the newest first; those that are over or withdrawn too."""
    wanted = None if code is None else code_in(code)

    async def work(configured: Settings) -> None:
        now = present()
        async with writer(configured, 1) as pool:
            rows = await list_consents(pool, wanted, partner, limit)
        table = Table(
            "number",
            "code",
            "name",
            "partner",
            "purposes",
            "classes",
            "from",
            "until",
            "stands",
            "letter",
            "by",
        )
        for row in rows:
            table.add_row(
                str(row["consent_id"]),
                row["uscc"] or "",
                row["display_name"],
                row["grantee"],
                " ".join(row["purposes"]),
                " ".join(row["data_classes"]) + (" separate" if row["separate_consent"] else ""),
                _shown(row["valid_from"]),
                _shown(row["valid_to"] - timedelta(microseconds=1)),
                _standing(row["valid_from"], row["valid_to"], row["withdrawn_at"], now),
                row["evidence_digest"][:16],
                " ".join(filter(None, (row["recorded_by"], row["withdrawn_by"]))),
            )
        out.print(table)

    with_store(work)


def _standing(begins: datetime, ends: datetime, withdrawn: datetime | None, now: datetime) -> str:
    if withdrawn is not None:
        return f"withdrawn {moment(withdrawn)}"
    return "not yet" if now < begins else "yes" if now < ends else "over"


def _shown(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d}"


def _digest(letter: Path) -> str:
    try:
        with letter.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.new("sm3"))
            if file.tell() == 0:
                raise FileRefused(f"{letter.name}: empty")
    except OSError as error:
        raise FileRefused(f"{letter.name}: {unread(error)}") from None
    return found.hexdigest()
