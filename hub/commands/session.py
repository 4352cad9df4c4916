"""What commands have alike: a console, files, a store, and that failures are told in a line."""

from __future__ import annotations

import asyncio
import errno
import getpass
import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any, ParamSpec
from uuid import uuid4

import asyncpg
import typer
from rich.console import Console
from rich.text import Text

from connectors.contract import SHANGHAI, Tools
from hub.commands.environment import present, settings
from hub.commands.telling import EXPECTED, OutputLost, let_go, line_of, spelt
from hub.config import Settings
from hub.errors import BadUserInput
from hub.store.database import Role, attached, open_pool
from schema.identifiers import InvalidIdentifier, hmac_sm3, parse_uscc

P = ParamSpec("P")
# A directory that takes no other file, or a file that is mounted by itself.
_NO_PLACE = (errno.EACCES, errno.EPERM, errno.EBUSY)
# Where the system tells a process of its open files; only Linux makes files without a name, too.
_OPEN = Path("/proc/self/fd")
# The largest number that the store gives a row: it cannot even be asked for a larger one.
LARGEST = 2**63 - 1
# Into a file or a pipe tables go in full width; a terminal has its own.
_WIDE = 240


@contextmanager
def _noticed(to: Path | None = None) -> Iterator[None]:
    """Raise OutputLost for what cannot be written within the block, but where a pipe has no reader any more."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLost(error.errno, error.strerror, to) from None


class _Plain(Console):
    """A console on which texts are texts: nothing in them is markup, or speaks to the terminal."""

    def __init__(self, **more: Any) -> None:
        """As a Console."""
        super().__init__(highlight=False, soft_wrap=True, markup=False, emoji=False, **more)

    def __exit__(self, *error: Any) -> None:
        """Write what was printed. Raises OutputLost, and SystemExit where a pipe has no reader any more."""
        with _noticed():
            super().__exit__(*error)

    def render_str(self, text: str, **more: Any) -> Text:
        """The text as it is printed: its lines stay lines, other control characters are spelt out."""
        return super().render_str("\n".join(map(spelt, text.split("\n"))), **more)


out = _Plain(width=None if sys.stdout.isatty() else _WIDE)
err = _Plain(stderr=True)


def put(content: bytes, to: Path | None = None) -> None:
    """Write bytes as they are, to standard output unless a file is named. Raises OutputLost."""
    with _noticed(to):
        if to is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        elif to.exists() and not to.is_file():
            # A device or a pipe has nothing to be kept.
            to.write_bytes(content)
        else:
            _take_the_place_of(Path(os.path.realpath(to)), content)


def _take_the_place_of(file: Path, content: bytes) -> None:
    """Write `file` whole or not at all: what stood there before stands there until then, and whose it is stays.

    Where its directory lets nothing take its place, it is written where it stands.
    """
    before = file.stat() if file.exists() else None
    if before is not None:
        # Who may not write it may not replace it either.
        os.close(os.open(file, os.O_WRONLY))
    draft = file.with_name(f".{uuid4().hex}")
    created = 0o666 if before is None else 0o600
    try:
        nameless = _nameless(file.parent, created)
        named = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        opened = os.open(draft, named, created) if nameless is None else nameless
        with os.fdopen(opened, "wb") as writing:
            writing.write(content)
            if before is not None:
                _give_as(writing.fileno(), before)
            writing.flush()
            if nameless is not None:
                # Given a directory, though it needs none, Python follows the link to the file.
                os.link(_OPEN / str(nameless), draft, src_dir_fd=nameless, follow_symlinks=True)
        draft.replace(file)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if before is None or not isinstance(error, OSError) or error.errno not in _NO_PLACE:
            raise
        file.write_bytes(content)


def _nameless(directory: Path, mode: int) -> int | None:
    """A new file in `directory` without a name: of one that is killed while it writes, nothing is left; None: there are none."""
    try:
        return os.open(directory, os.O_TMPFILE | os.O_WRONLY, mode) if _OPEN.exists() else None
    except OSError:
        # What is wrong with the directory itself is told of the file with a name, too.
        return None


def _give_as(descriptor: int, before: os.stat_result) -> None:
    """Let a file be whose another one is; only root gives files away, others keep its group if it is theirs."""
    for owner in (before.st_uid, -1):
        with suppress(PermissionError):
            os.fchown(descriptor, owner, before.st_gid)
            break
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


def moment(at: datetime) -> str:
    """A moment as commands tell it: in Shanghai, to the second."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def code_in(text: str) -> str:
    """The unified social credit code that somebody wrote. Raises BadUserInput."""
    try:
        return parse_uscc(text).code
    except InvalidIdentifier as problem:
        raise BadUserInput(f"Not a unified social credit code: {problem.reason}.") from None


def operator() -> str:
    """Who gives the command, as the records of the command keep it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def tools_of(configured: Settings) -> Tools:
    """What connectors are lent that are harvested: nobody waits for a page of rows as for an answer."""
    key = configured.id_key
    return Tools(
        digest_person_id=partial(hmac_sm3, key),
        deadline=configured.harvest_deadline,
        now=present,
    )


@asynccontextmanager
async def writer(configured: Settings, size: int = 2) -> AsyncIterator[asyncpg.Pool]:
    """Connections as the writing role."""
    pool = await open_pool(configured, Role.WRITER, size)
    try:
        yield pool
    finally:
        pool.terminate()


@asynccontextmanager
async def tried(connection: asyncpg.Connection, dry_run: bool) -> AsyncIterator[None]:
    """One transaction: all of it or nothing, in a dry run nothing, when it is known what it would have done."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    except BaseException:
        await transaction.rollback()
        raise
    await (transaction.rollback() if dry_run else transaction.commit())


@asynccontextmanager
async def auditor(configured: Settings) -> AsyncIterator[Any]:
    """One connection as the auditing role."""
    pool = await open_pool(configured, Role.AUDITOR, 1, statement_seconds=3600)
    try:
        async with pool.acquire() as connection:
            yield connection
    finally:
        pool.terminate()


def told(command: Callable[P, Any]) -> Callable[P, None]:
    """Tell a HubError, and what the store refuses, in one line with its code, and exit with 1.

    So is output that finds no room told, or a file or directory that cannot be used, without a code.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except EXPECTED as error:
            line = line_of(error)
            if line is None:
                # Typer ends a command that nobody reads without a word.
                raise
            with though_nobody_reads():
                err.print(f"credithub: {line}")
            raise typer.Exit(1) from None
        finally:
            let_go()

    return run


@contextmanager
def though_nobody_reads() -> Iterator[None]:
    """Go on when what is printed within the block finds no reader or no room."""
    # The second is what the console makes of a pipe that nobody reads.
    with suppress(OSError, SystemExit):
        yield


def with_store(work: Callable[[Settings], Coroutine[Any, Any, int | None]]) -> None:
    """Run `work` with settings that lead to a store; exit with what it gives, when that is not 0."""
    with attached(settings()) as configured:
        status = asyncio.run(work(configured))
    if status:
        raise typer.Exit(status)
