"""`credithub ledger`: prove the disclosure ledger, and tell who saw whom and by what right."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from connectors.contract import SHANGHAI
from hub.commands.environment import present
from hub.commands.session import auditor, code_in, err, moment, out, told, with_store
from hub.config import Settings
from hub.errors import AgreementInvalid, BadUserInput, FileRefused, unread
from hub.ledger import audit
from hub.ledger.chain import EPOCH
from hub.query.parameters import PERSON_SCHEMES
from hub.rights.agreement import today_in
from hub.rights.agreement_store import Version, require_applied, versions_at
from hub.rights.matrix import Purpose
from hub.rules.calendar import end_of, start_of
from hub.store.id_key import refuse_other_id_key
from hub.store.values import IDENTIFIER_SCHEMES
from schema.identifiers import InvalidIdentifier, fold, hmac_sm3, is_resident_id, parse_resident_id

app = typer.Typer(no_args_is_help=True, help="The disclosure ledger: verify it, and ask it who saw whom.")
# More than any way of writing a number takes; what is longer is refused for its length.
_LONGEST_LINE = 1000
_LONGEST_NUMBER = 64
_BY_NUMBER = "SELECT subject_id FROM identifier WHERE scheme = $1 AND value = $2"
# What a firm stood as before a row said that it is the same is named by the firm's code: by that one can ask further.
_SUBJECTS = """
SELECT s.subject_id, coalesce(s.uscc, w.uscc) AS uscc, s.kind FROM subject s
LEFT JOIN subject w ON w.subject_id = s.joined_to WHERE s.subject_id = ANY ($1::bigint[])
"""
# Days that are searched where nobody says --since: without an index the whole ledger may take hours.
_DAYS = 30
_UNSEEN = "removed or written anew would not be seen; credithub ledger checkpoint is for that"
# Subjects that one line names; `show` and --json name all.
_NAMED = 5


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
            out.print(f"chain {chain.chain}: {chain.blocks} blocks, {chain.entries} entries, {state}")
        report.require_intact()
        if not report.chains:
            out.print("the ledger is empty: there is nothing to verify")
        else:
            out.print(f"the ledger holds: {report.entries} entries")
        if not kept:
            err.print(f"held against no checkpoint: that a chain or its end was {_UNSEEN}")
            return
        for chain in report.chains:
            if not chain.proven:
                err.print(f"chain {chain.chain}: no checkpoint: that it was {_UNSEEN}")
            elif chain.proven < chain.blocks:
                err.print(
                    f"chain {chain.chain}: no checkpoint after block {chain.proven}: that what follows was {_UNSEEN}"
                )

    with_store(work)


@app.command("checkpoint")
@told
def checkpoint() -> None:
    """Print where each chain ends: whoever keeps these lines can prove later that nothing before was changed."""

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            for one in await audit.checkpoints(connection):
                out.print(str(one))

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
    scheme: Annotated[
        str | None,
        typer.Option(
            help="What the number is, of a subject without a code: BUSINESS_REG_NO and the like, PASSPORT of a person."
        ),
    ] = None,
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
    kind = scheme or ("RESIDENT_ID" if person else "USCC")
    if kind not in (schemes := [one for one in IDENTIFIER_SCHEMES if (one in PERSON_SCHEMES) is person]):
        raise BadUserInput(f"--scheme: one of {', '.join(schemes)}.")
    number = _person_number(kind) if code is None else _code(kind, code)

    async def work(configured: Settings) -> int:
        async with auditor(configured) as connection:
            if person:
                await refuse_other_id_key(connection, configured.id_key)
            if kind == "USCC":
                subject = await connection.fetchval("SELECT subject_id FROM subject WHERE uscc = $1", number)
            else:
                kept = hmac_sm3(configured.id_key, number) if person else number
                subject = await connection.fetchval(_BY_NUMBER, kind, kept)
            if subject is None:
                of = "resident ID" if kind == "RESIDENT_ID" else "number"
                sought = f"person with this {of}" if person else f"subject {number}"
                err.print(f"credithub: no {sought} in the store")
                return 1
            if partner is not None:
                await _require_known(connection, partner)
            from_, to = None if begun is None else start_of(begun), None if ended is None else end_of(ended)
            seen = await audit.who_saw(connection, subject, from_, to, partner)
        for one in seen:
            if as_json:
                typer.echo(orjson.dumps(_object(one)).decode())
            else:
                _print(one)
        if not seen:
            err.print("nothing is recorded")
        return 0

    with_store(work)


@app.command("seen-by")
@told
def seen_by(
    partner: Annotated[str, typer.Argument(help="Id of the partner.")],
    officer: Annotated[
        str | None, typer.Option(help="What this officer of the partner was told alone.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="What was told for this purpose alone.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help=f"The first day, YYYY-MM-DD, Asia/Shanghai; {_DAYS} days back by default."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="The last day, YYYY-MM-DD, Asia/Shanghai.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Lines at most: the newest ones.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Tell what a partner or its officer was told, one line an answer; newest last.

    Its columns, between tabs: moment, partner, officer, purpose, matter, case, request, subjects, classes.
    """
    begun, ended = _searched(since, until)
    _require_line("officer", officer)
    if purpose is not None and purpose not in set(Purpose):
        raise BadUserInput(f"No purpose {purpose!r}; they are {', '.join(Purpose)}.")

    async def work(configured: Settings) -> None:
        async with auditor(configured) as connection:
            await _require_known(connection, partner)
            seen, more = await audit.seen_by(
                connection,
                partner,
                start_of(begun),
                end_of(ended),
                limit,
                officer=officer,
                purpose=purpose,
            )
            for one in seen:
                codes = await codes_of(connection, one.subjects if as_json else one.subjects[:_NAMED])
                if as_json:
                    typer.echo(orjson.dumps(_object(one) | {"subjects": codes}).decode())
                else:
                    typer.echo(_line(one, codes))
        if since is None:
            err.print(f"since {begun}: --since looks further back")
        if not seen:
            err.print("nothing is recorded")
        if more:
            day = seen[0].at.astimezone(SHANGHAI).date()
            err.print(f"cut: these are the newest {limit}; --limit shows more, --until {day} what was before")

    with_store(work)


@app.command("show")
@told
def show(
    request_id: Annotated[str, typer.Argument(help="The request id that an answer's extensions told.")],
    since: Annotated[
        str | None,
        typer.Option(
            help=f"The first day searched, YYYY-MM-DD, Asia/Shanghai; {_DAYS} days back by default."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
) -> None:
    """Tell all that is recorded of a request, and which agreement it was answered by."""
    begun, ended = _searched(since, None)
    _require_line("request id", request_id)

    async def work(configured: Settings) -> int:
        async with auditor(configured) as connection:
            found = await audit.of_request(connection, request_id, start_of(begun), end_of(ended))
            for one in found:
                codes = await codes_of(connection, one.subjects)
                agreements = await versions_at(connection, one.partner, one.at)
                if as_json:
                    typer.echo(orjson.dumps(_whole(one, codes, agreements)).decode())
                else:
                    _print_whole(one, codes, agreements)
        if not found:
            err.print(
                f"credithub: no request {request_id} in the ledger since {begun}: --since looks further back"
            )
            return 1
        return 0

    with_store(work)


async def _require_known(connection: Any, partner: str) -> None:
    """BadUserInput for a partner that never had an agreement: a misspelt name must not read like one that was told nothing."""
    try:
        await require_applied(connection, partner)
    except AgreementInvalid as error:
        raise BadUserInput(f"{partner}: {error}") from None


def _require_line(what: str, value: str | None) -> None:
    """BadUserInput for what no officer and no request is called: it could be neither looked for nor told in one line."""
    if value is None:
        return
    try:
        fits = len(value.encode()) <= _LONGEST_LINE and value.splitlines() == [value]
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise BadUserInput(f"The {what} is one line of text.")


def _searched(since: str | None, until: str | None) -> tuple[date, date]:
    """The first and the last day that are searched; without `until` to the end of today."""
    today = today_in(present())
    last = _day("--until", until) or today
    span = timedelta(days=_DAYS)
    first = _day("--since", since) or max(min(last, today), EPOCH.date() + span) - span
    if last < first:
        raise BadUserInput("--until is a day before --since.")
    return first, last


async def codes_of(connection: Any, subjects: Sequence[int]) -> list[str]:
    """Subjects by their codes; who has none, a natural person, by kind and number in the store, never by name."""
    rows = {row["subject_id"]: row for row in await connection.fetch(_SUBJECTS, subjects)}
    told = []
    for number in subjects:
        row = rows.get(number)
        kind = "UNKNOWN" if row is None else row["kind"]
        told.append(f"{kind}#{number}" if row is None or row["uscc"] is None else row["uscc"])
    return told


def _code(scheme: str, text: str) -> str:
    """A firm's number as the store has it. BadUserInput: it is none, or a person's, which is never repeated."""
    if scheme == "USCC":
        return code_in(text)
    number = fold(text)
    if not number or len(number) > _LONGEST_NUMBER or is_resident_id(number):
        raise BadUserInput(f"Not a number of a firm ({scheme}).")
    return number


def _person_number(scheme: str) -> str:
    """A person's number from the terminal, unseen, or the first line of standard input.

    Never from an argument: those are in the list of processes and the shell's history (PIPL art. 51).
    """
    asked = "Resident ID: " if scheme == "RESIDENT_ID" else f"{scheme}: "
    try:
        line = getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline(_LONGEST_LINE)
        if scheme == "RESIDENT_ID":
            return parse_resident_id(line.strip(), today_in(present())).number
    except InvalidIdentifier as problem:
        raise BadUserInput(f"Not a resident ID: {problem.reason}") from None
    except (EOFError, UnicodeDecodeError):
        raise BadUserInput("No number was given.") from None
    if not 0 < len(fold(line)) <= _LONGEST_NUMBER:
        raise BadUserInput(f"Not a number of such a paper ({scheme}).")
    return fold(line)


def _day(option: str, value: str | None) -> date | None:
    """The day that an option names. The last one of the calendar has no end that could be told."""
    try:
        day = None if value is None else date.fromisoformat(value)
    except ValueError:
        day = date.max
    if day == date.max:
        raise BadUserInput(f"{option}: a day such as 2026-01-31")
    return day


def _print(one: audit.LedgerEntry) -> None:
    """Two lines, however narrow the terminal: a table of eight columns could not be read."""
    case = "".join(
        f" {name} {value}" for name, value in (("matter", one.matter), ("case", one.case)) if value
    )
    eyes = f" as {one.view_as}" if one.view_as else ""
    out.print(
        f"{moment(one.at)} {one.partner} ({one.officer}) {one.purpose}{eyes}{case} request {one.request_id}"
    )
    out.print(f"  {_classes(one)}")


def _classes(one: audit.LedgerEntry) -> str:
    return f"at most {one.classes}" if one.at_most else one.classes


def _line(one: audit.LedgerEntry, codes: Sequence[str]) -> str:
    """One line; `codes`: of its first subjects."""
    more = len(one.subjects) - len(codes)
    subjects = ",".join(codes) + (f",+{more}" if more else "")
    told = (
        moment(one.at), one.partner, one.officer, one.purpose, one.matter, one.case, one.request_id, subjects,
        _classes(one),
    )  # fmt: skip
    return "\t".join(value or "-" for value in told)


def _print_whole(one: audit.LedgerEntry, codes: Sequence[str], agreements: Sequence[Version]) -> None:
    """A line for each thing that is recorded; for each agreement that it may have been answered by."""
    told: list[tuple[str, str | None]] = [
        ("request", one.request_id),
        ("at", moment(one.at)),
        ("partner", one.partner),
        ("officer", one.officer),
        ("token", one.token_id),
        ("purpose", one.purpose),
        *([("seen as", one.view_as)] if one.view_as else ()),
        ("matter", one.matter),
        ("case", one.case),
        ("operation", one.operation),
        ("view", one.view),
        ("classes", _classes(one)),
        ("subjects", " ".join(codes)),
        *(("source", orjson.dumps(source).decode()) for source in one.sources),
        ("block", f"chain {one.chain} block {one.seq}"),
        *(("agreement", _version(version)) for version in agreements),
    ]
    for name, value in told:
        typer.echo(f"{name:<10}{value or '-'}")


def _version(one: Version) -> str:
    suspended = f", suspended {moment(one.suspended_at)}" if one.suspended_at is not None else ""
    return f"{one.digest} applied {moment(one.applied_at)} by {one.applied_by}{suspended}"


def _whole(
    one: audit.LedgerEntry, codes: Sequence[str], agreements: Sequence[Version]
) -> Mapping[str, object]:
    """The same as an object."""
    return _object(one) | {
        "token": one.token_id,
        "subjects": codes,
        "sources": one.sources,
        "chain": one.chain,
        "block": one.seq,
        "agreements": [
            {
                "digest": version.digest,
                "applied_at": version.applied_at.astimezone(SHANGHAI),
                "applied_by": version.applied_by,
                "suspended_at": version.suspended_at and version.suspended_at.astimezone(SHANGHAI),
            }
            for version in agreements
        ],
    }


def _object(one: audit.LedgerEntry) -> dict[str, object]:
    """An entry as an object; `classes`: data class → level."""
    return {
        "at": one.at.astimezone(SHANGHAI),
        "partner": one.partner,
        "officer": one.officer,
        "purpose": one.purpose,
        "matter": one.matter,
        "case": one.case,
        "classes": dict(told.split("=", 1) for told in one.classes.split()),
        "at_most": one.at_most,
        "view_as": one.view_as,
        "view": one.view,
        "operation": one.operation,
        "request": one.request_id,
    }
