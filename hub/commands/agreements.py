"""`credithub agreements`: the partners' data-sharing agreements."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from connectors.contract import SHANGHAI
from hub.commands.environment import present
from hub.commands.session import auditor, err, moment, operator, out, told, with_store, writer
from hub.config import Settings
from hub.errors import BadUserInput, PurposeNotAllowed, SettingInvalid
from hub.rights.agreement import Agreements, parse_agreement, today_in
from hub.rights.agreement_file import digest as digest_of
from hub.rights.agreement_store import (
    Applied,
    Outcome,
    agreement_history,
    apply_agreements,
    diff_agreement,
    list_agreements,
    require_applied,
    suspend_agreement,
    text_in,
    texts_in,
    versions_named,
)
from hub.rights.explain import explanations
from hub.rights.matrix import Purpose
from hub.rights.openness import load_openness
from hub.rights.standing import Standings
from hub.rules.matrix import load_matrix
from hub.store.database import Role, open_pool
from hub.store.id_key import require_id_key
from schema.coordinates import vocabulary

app = typer.Typer(no_args_is_help=True, help="Data-sharing agreements: who may see what, for which purpose.")


def _texts(paths: list[Path]) -> list[str]:
    texts: list[str] = []
    for path in paths:
        if path.is_dir():
            texts += texts_in(path)
        else:
            texts.append(text_in(path))
    return texts


def apply_directory(configured: Settings, directory: Path) -> list[str]:
    """Put the agreements of HUB_AGREEMENTS_DIR into force, as `apply` does: all or none; suspended ones stay so.

    Gives what `apply` says of those that are not as they were, or not in force yet. Errors: SettingInvalid, AgreementInvalid.
    """
    if not directory.is_dir():
        raise SettingInvalid("HUB_AGREEMENTS_DIR: there is no such directory")
    texts = texts_in(directory)

    async def work() -> list[str]:
        now = present()
        async with writer(configured, 1) as pool:
            done = await apply_agreements(
                pool, texts, load_matrix(), now, operator(), vocabulary().coordinates
            )
        return [
            _line(one, now)
            for one in done
            if one.outcome is not Outcome.UNCHANGED or one.begins > today_in(now)
        ]

    return asyncio.run(work())


def _line(one: Applied, now: datetime) -> str:
    hint = ""
    if one.outcome is Outcome.STILL_SUSPENDED:
        hint = "; --reinstate ends the suspension"
    elif one.begins > today_in(now):
        hint = f"; in force only from {one.begins}, and until then the partner has no agreement"
    return f"{one.partner}: {one.outcome} {one.digest[:16]}{hint}"


def require_usable(configured: Settings) -> None:
    """Refuse a store that cannot be served from, in which an agreement stands that exceeds the matrix, or whose numbers
    of persons were made with another key.

    Errors: StoreInvalid, StoreUnavailable, AgreementInvalid, SettingInvalid.
    """

    async def work() -> None:
        (await open_pool(configured, Role.READER, 1)).terminate()
        async with writer(configured, 2) as pool:
            await require_id_key(pool, configured.id_key, present())
            await (await Agreements.open(pool, load_matrix(), present, vocabulary().coordinates)).close()

    asyncio.run(work())


@app.command("apply")
@told
def apply(
    paths: Annotated[list[Path], typer.Argument(help="TOML files, or directories of them.")],
    reinstate: Annotated[bool, typer.Option(help="Also partners that are suspended.")] = False,
) -> None:
    """Put agreements into force: all of the files, or none."""
    texts = _texts(paths)

    async def work(configured: Settings) -> None:
        now = present()
        async with writer(configured, 1) as pool:
            done = await apply_agreements(
                pool,
                texts,
                load_matrix(),
                now,
                operator(),
                vocabulary().coordinates,
                reinstate=reinstate,
            )
        for one in done:
            out.print(_line(one, now))

    with_store(work)


@app.command("diff")
@told
def diff(path: Annotated[Path, typer.Argument(help="A TOML file.")]) -> None:
    """Show what applying a file would change; nothing is changed."""
    text = _texts([path])[0]

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            changes = await diff_agreement(pool, text, load_matrix(), present(), vocabulary().coordinates)
        for one in changes:
            out.print(f"{one.key}: {one.before or '—'} → {one.after or '—'}")
        if not changes:
            out.print("no difference")

    with_store(work)


@app.command("suspend")
@told
def suspend(partner: Annotated[str, typer.Argument(help="Id of the partner.")]) -> None:
    """Put an agreement out of force, in every process within a second."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            changed = await suspend_agreement(pool, partner, present(), operator())
        out.print(f"{partner}: {'suspended' if changed else 'was suspended already'}")

    with_store(work)


@app.command("list")
@told
def list_all() -> None:
    """List the newest version of each partner's agreement."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            listed = await list_agreements(pool, load_matrix(), present(), vocabulary().coordinates)
        table = Table(
            "partner", "class", "name", "standing", "document", "valid to", "applied", "by", "digest"
        )
        for one in listed:
            table.add_row(
                one.partner,
                one.partner_class or "",
                one.name or "",
                str(one.standing),
                one.document or "",
                str(one.valid_to or ""),
                f"{one.applied_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                one.applied_by,
                one.digest[:12],
            )
        out.print(table)
        for one in listed:
            if one.problem is not None:
                err.print(f"{one.partner}: it cannot be used: {one.problem}")

    with_store(work)


@app.command("history")
@told
def history(partner: Annotated[str, typer.Argument(help="Id of the partner.")]) -> None:
    """Tell which versions of a partner's agreement were applied, suspended, reinstated or expired, when and by whom; oldest first."""

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            await require_applied(connection, partner)
            happened = await agreement_history(connection, partner, load_matrix(), present())
        for one in happened:
            by = f" by {one.by}" if one.by is not None else ""
            valid = "its text is not what was applied, or cannot be read any more"
            if one.valid_from is not None:
                valid = f"valid {one.valid_from} to {one.valid_to} {one.document}"
            # Not by the table's or the terminal's width: these lines are searched.
            typer.echo(f"{moment(one.at)} {one.what} {one.digest[:16]}{by}, {valid}")

    with_store(work)


@app.command("show")
@told
def show(
    partner: Annotated[str, typer.Argument(help="Id of the partner.")],
    digest: Annotated[
        str | None,
        typer.Option(
            help="How the digest of the version begins, as `history` or `ledger show` tells it; the newest by default."
        ),
    ] = None,
) -> None:
    """Print the text of a version, byte for byte as its digest was taken; beside it, who applied it and when."""

    async def work(configured: Settings) -> int:
        async with auditor(configured) as connection:
            await require_applied(connection, partner)
            found = await versions_named(connection, partner, (digest or "").lower())
        if not found:
            raise BadUserInput(
                f"No version of {partner} has a digest that begins so: `credithub agreements history {partner}`."
            )
        if digest is not None and len({one.digest for one in found}) > 1:
            raise BadUserInput("Several versions have a digest that begins so: give more of it.")
        one = found[-1]
        err.print(f"{one.partner} {one.digest} applied {moment(one.applied_at)} by {one.applied_by}")
        if one.suspended_at is not None:
            err.print(f"suspended {moment(one.suspended_at)} by {one.suspended_by}")
        typer.echo(one.document, nl=False)
        if (taken := digest_of(one.document)) != one.digest:
            err.print(f"credithub: this text is not the one that was applied: its digest is {taken}")
            return 1
        return 0

    with_store(work)


@app.command("explain")
@told
def explain(
    partner: Annotated[str, typer.Argument(help="Id of the partner.")],
    coordinate: Annotated[str, typer.Argument(help="Schema coordinate, such as Organization.contact.")],
    purpose: Annotated[
        str | None, typer.Option(help="A purpose of the agreement; its first by default.")
    ] = None,
) -> None:
    """Say why a partner sees a coordinate or not: data class, level, scope, reason and law."""

    async def work(configured: Settings) -> int:
        async with writer(configured, 2) as pool:
            await require_applied(pool, partner)
            agreements = await Agreements.open(pool, load_matrix(), present, vocabulary().coordinates)
            agreement = agreements.get(partner, today_in(present()))
            await agreements.close()
        if purpose is not None and purpose not in agreement.purposes:
            raise PurposeNotAllowed(f"{partner} may declare {', '.join(agreement.purposes)}")
        chosen = Purpose(purpose) if purpose else agreement.purposes[0]
        standing = Standings(vocabulary(), load_matrix(), load_openness()).of(
            agreement, chosen, today_in(present())
        )
        rows = explanations(standing, coordinate, None, chosen, operator=True)
        visible = coordinate in standing.view.visible
        out.print(f"{partner} {chosen}: {coordinate} {'exists' if visible else 'does not exist'}")
        for row in rows:
            out.print(
                f"  {row['data_class'] or '—'} {row['level']} {row['scope'] or 'every row'}: {row['reason']}"
                f" {row['legal_basis'] or ''}"
            )
        return 0

    with_store(work)


@app.command("check")
@told
def check(
    paths: Annotated[list[Path], typer.Argument(help="TOML files, or directories of them.")],
    today: Annotated[str | None, typer.Option(help="The day to check for, YYYY-MM-DD.")] = None,
) -> None:
    """Check files against the matrix and the schema, without a store."""
    try:
        day = date.fromisoformat(today) if today else today_in(present())
    except ValueError:
        raise SettingInvalid("--today: a day such as 2026-01-31") from None
    for text in _texts(paths):
        one = parse_agreement(text, load_matrix(), day, vocabulary().coordinates)
        begins = "" if one.valid_from <= day else f", in force only from {one.valid_from}"
        keys = "" if one.issuers or one.key_sets else ", no issuer: nobody can sign for it"
        out.print(f"{one.partner}: {one.partner_class}, {len(one.data)} data classes{begins}{keys}")
    if not paths:
        err.print("nothing to check")
