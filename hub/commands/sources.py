"""`credithub harvest`, `import` and `quarantine`: facts on their way into the store."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from connectors.commerce import SOURCE as COMMERCE
from connectors.commerce import connect_file
from connectors.contract import SHANGHAI, Connector
from hub.commands.environment import present
from hub.commands.session import (
    LARGEST,
    err,
    operator,
    out,
    though_nobody_reads,
    told,
    tools_of,
    with_store,
    writer,
)
from hub.commands.telling import spelt
from hub.config import Settings
from hub.errors import BadUserInput, FileRefused, SourceUnknown, unread
from hub.harvest import imports as importing
from hub.harvest import quarantine as quarantining
from hub.harvest import replay as replaying
from hub.harvest import run as harvesting
from hub.harvest.versions import Totals
from hub.sources.discovery import connect_all, discover, set_up
from hub.store.id_key import require_id_key

quarantine = typer.Typer(
    no_args_is_help=True, help="Rows that were not understood: list, show, correct and replay."
)

_Number = Annotated[int | None, typer.Argument(min=1, max=LARGEST, help="Id of the row.")]
_Source = Annotated[str | None, typer.Option(help="With --reason-code: rows of this source.")]
_ReasonCode = Annotated[
    str | None, typer.Option(help="With --source: all rows that wait with this code, as list shows it.")
]


class Bars:
    """A progress bar for each source or file, and a line for each time that a source must be asked again."""

    def __init__(self, deadline: float) -> None:
        """`deadline`: seconds that a source has for an answer."""
        self._deadline = deadline
        self.progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, disable=not err.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}
        self._totals: dict[str, Totals] = {}

    def __call__(self, state: harvesting.Progress) -> None:
        self._totals[state.name] = state.totals
        if state.name not in self._tasks:
            self._tasks[state.name] = self.progress.add_task(spelt(state.name), total=state.expected)
        if state.trouble:
            again = len(state.pauses)
            asked = ""
            if state.pauses:
                asked = (
                    f"; asked again in {state.pauses[0]:g} s, given up in about"
                    f" {sum(state.pauses) + again * self._deadline:.0f} s ({again} more {'tries' if again > 1 else 'try'})"
                )
            with though_nobody_reads():
                err.print(f"{state.name}: {state.trouble}{asked}")
            return
        read, expected = state.totals.read, state.expected
        # A source of several files or services says how many rows the present one has: then nobody knows the total.
        total = expected if expected is not None and expected >= read else None
        self.progress.update(self._tasks[state.name], completed=read, total=total)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The bars, while the block runs. When it ends early, what was stored until then is told all the same."""
        try:
            with self.progress:
                yield
                for task in self.progress.tasks:
                    self.progress.update(task.id, total=task.completed)
        except BaseException:
            for name, totals in self._totals.items():
                if totals.read:
                    out.print(f"{spelt(name)}: until then {totals}")
            raise


def tell(outcomes: list[harvesting.Outcome], source: str | None = None) -> int:
    """Print the equation of each outcome; 1 when one did not end well, or does not add up.

    `source`: whose they all are; by default each is called as its source is.
    """
    status = 0
    for one in outcomes:
        t = one.totals
        holds = t.read == t.stored + t.unchanged + t.quarantined
        message = f" ({one.message})" if one.message else ""
        # Rows in quarantine are no failure, but somebody has to look at them.
        waiting = f" (credithub quarantine list {source or one.name})" if t.quarantined else ""
        out.print(
            f"{spelt(one.name)}: {one.status}{message}: {t}{waiting}{'' if holds else '  DOES NOT ADD UP'}"
        )
        if not holds or one.status not in ("OK", "TAKEN"):
            status = 1
    return status


async def harvest_into(configured: Settings, names: list[str]) -> int:
    """Harvest the named sources with progress; the exit status."""
    bars = Bars(configured.harvest_deadline)
    async with writer(configured) as pool:
        await require_id_key(pool, configured.id_key, present())
        with bars.shown():
            outcomes = await harvesting.harvest_all(
                names, configured.source_settings, tools_of(configured), pool, bars
            )
    if not outcomes:
        err.print("no harvested source is connected: set the variables of one")
    return tell(outcomes)


@told
def harvest(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Sources; all that are connected by default.")
    ] = None,
) -> None:
    """Pull what is new in the harvested sources."""
    with_store(lambda configured: harvest_into(configured, sources or []))


@told
def import_files(
    files: Annotated[list[Path], typer.Argument(help="双公示 licence and penalty files: CSV, XLSX, XML.")],
    again: Annotated[bool, typer.Option(help="Read files again that were imported before.")] = False,
) -> None:
    """Import 双公示 files in the national format, UTF-8 or GB18030."""

    async def work(configured: Settings) -> int:
        bars = Bars(configured.harvest_deadline)
        async with writer(configured) as pool:
            await require_id_key(pool, configured.id_key, present())
            with bars.shown():
                outcomes = await importing.import_files(
                    files,
                    tools_of(configured),
                    pool,
                    bars,
                    again,
                    harvested=COMMERCE.name in set_up(configured.source_settings),
                )
        return tell(outcomes, COMMERCE.name)

    for path in files:
        if not path.is_file():
            words = "this is no file" if path.exists() else "no such file"
            err.print(f"credithub: {path}: {words} [FILE_REFUSED]")
            raise typer.Exit(1)
    with_store(work)


@quarantine.command("list")
@told
def quarantine_list(
    source: Annotated[str | None, typer.Argument(help="One source only.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those understood since.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> None:
    """List rows in quarantine, newest first."""

    async def work(configured: Settings) -> None:
        async with writer(configured, 1) as pool:
            chosen = source.upper() if source else None
            rows = await quarantining.list_quarantined(pool, chosen, every=every, limit=limit)
            full = len(rows) == limit
            total = await quarantining.count_quarantined(pool, chosen, every=every) if full else len(rows)
        if chosen is not None and not rows and chosen not in (known := discover()):
            # A misspelt name must not look like a source of which nothing waits.
            raise SourceUnknown(f"There is no source {chosen}; there are: {', '.join(known)}.")
        table = Table("id", "source", "since", "origin", "position", "code", "reason")
        for row in rows:
            table.add_row(
                str(row.quarantine_id),
                row.source,
                f"{row.quarantined_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
                spelt(row.origin),
                spelt(row.position),
                row.reason_code,
                row.reason,
            )
        out.print(table)
        if total > len(rows):
            out.print(f"and {total - len(rows)} more, older ones: --limit shows them")

    with_store(work)


@quarantine.command("show")
@told
def quarantine_show(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Id of the row.")],
) -> None:
    """Show a row in quarantine: why, its fields for correcting, and its bytes with persons' numbers masked."""

    async def work(configured: Settings) -> int:
        async with writer(configured, 1) as pool:
            found = await quarantining.quarantined(pool, number)
        if found is None:
            err.print(f"credithub: no row {number} is in quarantine")
            return 1
        row, raw = found
        where = f"{row.source} {spelt(row.origin)} {spelt(row.position)}"
        out.print(f"{where}: {row.reason_code}: {row.reason}")
        if row.replayed_at is not None:
            how = "understood" if row.dismissed_because is None else "dismissed"
            by = f" by {row.settled_by}" if row.settled_by else ""
            why = f": {row.dismissed_because}" if row.dismissed_because else ""
            why = f", corrected: {', '.join(row.corrected)}" if row.corrected else why
            out.print(f"{how} on {row.replayed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}{by}{why}")
        if row.joined_because:
            out.print(f"its numbers are one subject's: {row.joined_because}")
        if row.cleared_at is not None:
            day = f"{row.cleared_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
            out.print(f"texts cleared by {row.cleared_by} on {day}: {row.cleared_because}")
        connector = _connector(configured, row.source)
        fields = quarantining.fields_of(connector, raw)
        if fields is None:
            out.print(raw.decode("utf-8", "backslashreplace"))
        else:
            out.print(json.dumps(dict(fields), ensure_ascii=False, indent=2))
        return 0

    with_store(work)


@quarantine.command("dismiss")
@told
def quarantine_dismiss(
    number: _Number = None,
    *,
    reason: Annotated[str, typer.Option(help="Why nothing of it is to be stored; kept with the row.")],
    source: _Source = None,
    reason_code: _ReasonCode = None,
) -> None:
    """Let a row, or all of a source with one code, rest: they hold nothing to store. What comes back otherwise waits again."""
    because = reason.strip()
    if not because:
        raise BadUserInput("--reason says why nothing of the row is to be stored.")
    _require_choice(number, source, reason_code)

    async def work(configured: Settings) -> int:
        async with writer(configured, 1) as pool:
            if number is not None:
                await replaying.dismiss(pool, number, operator(), because, present())
                out.print(f"row {number} is dismissed")
                return 0

            async def settle(one: int) -> None:
                await replaying.dismiss(
                    pool, one, operator(), because, present(), (reason_code or "").upper()
                )

            return await _each(await _chosen(pool, source or "", reason_code or ""), settle, "dismissed")

    with_store(work)


@quarantine.command("replay")
@told
def quarantine_replay(
    number: _Number = None,
    source: _Source = None,
    reason_code: _ReasonCode = None,
    corrected: Annotated[
        Path | None, typer.Option(help="JSON file of fields, as show prints them; what it leaves out stays.")
    ] = None,
    cleared: Annotated[
        bool,
        typer.Option(
            help="You have read the texts and let everyone read them, contacts and numbers too (R7.3)."
        ),
    ] = False,
    joined: Annotated[
        bool,
        typer.Option(
            help="You have found that its old number and its code are one firm's: cases about the old number go to the firm."
        ),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(
            help="Why the texts may be public, or the two are one; needed with --cleared and --joined, kept with the row."
        ),
    ] = None,
) -> None:
    """Read a row again, as it is or with corrected fields; or all of a source that wait with one code, as they are.

    --cleared makes the texts of a row public, --joined its two subjects one.
    """
    _require_choice(number, source, reason_code)
    if number is None and (corrected is not None or cleared or joined):
        raise BadUserInput("--corrected, --cleared and --joined are of one row: name its NUMBER.")
    because = (reason or "").strip()
    if (cleared or joined) != bool(because):
        raise BadUserInput(
            "--cleared makes the texts public, --joined makes two subjects one: they need --reason TEXT, which goes with them."
        )
    clearing = quarantining.Clearing(operator(), because) if cleared else None
    fields: dict[str, str | None] = {}
    if corrected is not None:
        try:
            given = json.loads(corrected.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise FileRefused(f"{corrected.name}: {unread(error)}") from None
        if not isinstance(given, dict) or not all(isinstance(one, str | None) for one in given.values()):
            raise FileRefused(f"{corrected.name}: a JSON object of strings and null is expected")
        fields = given

    async def work(configured: Settings) -> int:
        async with writer(configured, 1) as pool:
            if number is None:
                await require_id_key(pool, configured.id_key, present())
                numbers = await _chosen(pool, source or "", reason_code or "")
                reader = _connector(configured, (source or "").upper()) if numbers else None

                async def settle(one: int) -> None:
                    assert reader is not None
                    kept = await replaying.replay(pool, reader, one, {}, present, by=operator())
                    if kept is not None:
                        raise BadUserInput(f"row {one} stays: {kept.code}: {kept.reason}")

                return await _each(numbers, settle, "understood and stored")
            found = await quarantining.quarantined(pool, number)
            if found is None:
                err.print(f"credithub: no row {number} is in quarantine")
                return 1
            await require_id_key(pool, configured.id_key, present())
            connector = _connector(configured, found[0].source)
            refused = await replaying.replay(
                pool,
                connector,
                number,
                fields,
                present,
                by=operator(),
                cleared=clearing,
                joined=because if joined else None,
            )
        if refused is not None:
            err.print(f"credithub: row {number} stays: {refused.code}: {refused.reason}")
            return 1
        shown = (
            f"; its texts are shown as they are, cleared by {clearing.by}: {clearing.because}"
            if clearing
            else ""
        )
        out.print(f"row {number} is understood and stored{shown}")
        return 0

    with_store(work)


def _require_choice(number: int | None, source: str | None, reason_code: str | None) -> None:
    """Which rows: nobody means all. Raises BadUserInput."""
    by_reason = source is not None and reason_code is not None
    if by_reason if number is None else (source, reason_code) == (None, None):
        return
    raise BadUserInput(
        "Name one row by its NUMBER, or those that wait by --source and --reason-code together."
    )


async def _chosen(pool: asyncpg.Pool, source: str, reason_code: str) -> list[int]:
    """The rows of a source that wait for a reason. Raises SourceUnknown."""
    name, code = source.upper(), reason_code.upper()
    found = await quarantining.waiting_for(pool, name, code)
    if not found:
        if name not in (known := discover()):
            raise SourceUnknown(f"There is no source {name}; there are: {', '.join(known)}.")
        err.print(f"credithub: no row of {name} waits for {code}")
    return found


async def _each(numbers: Sequence[int], settle: Callable[[int], Awaitable[None]], how: str) -> int:
    """Settle row by row, each by itself: what is interrupted goes on where it was. The exit status."""
    done = 0
    try:
        for one in numbers:
            try:
                await settle(one)
            except BadUserInput as error:
                err.print(f"credithub: {error}")
            else:
                done += 1
    finally:
        if numbers:
            out.print(f"{done} of {len(numbers)} rows are {how}")
    return 0 if numbers and done == len(numbers) else 1


def _connector(configured: Settings, source: str) -> Connector:
    """The connector that reads rows of `source`."""
    found = connect_all(configured.source_settings, tools_of(configured)).get(source)
    if found is None and source == COMMERCE.name:
        # Rows of given files wait here too, on hubs without a drop directory.
        return connect_file(Path(), tools_of(configured))
    if found is None:
        raise SourceUnknown(f"The source {source} is not connected: set its variables.")
    return found
