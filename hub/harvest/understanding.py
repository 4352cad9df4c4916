"""How the rows of a source come to be understood: here, or those of a large file in a process beside the one that writes."""

from __future__ import annotations

import asyncio
import gc
import pickle
import struct
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from connectors.commerce import connect_file
from connectors.contract import Connector, Refused, Tools, Unavailable
from hub.harvest.intake import Intake
from hub.harvest.understood import Prepared, Rejected

# Rows understood between two looks at what else there is to do: a few milliseconds of work.
_SLICE = 50
# Rows in one message of the process beside; to take it in is such work, too.
_ROWS = 250
# Bytes of messages that may wait to be taken in.
_WAITING = 1 << 20
_COLLECT_AFTER = (100_000, 50, 100)
_LENGTH = struct.Struct("!I")


@dataclass(frozen=True)
class Understood:
    """A batch of a source, each row of it understood or rejected, and the cursor after it.

    `expected`: how many rows there are in all, where the source says so.
    """

    rows: list[Prepared | Rejected]
    cursor: str
    expected: int | None


# Cursor → the batches after it. Raises Refused, Unavailable.
Understanding = Callable[[str | None], AsyncGenerator[Understood, None]]


@contextmanager
def patient_collector() -> Iterator[None]:
    """Look for cycles less often while rows go by: they hold none, and looking costs a quarter of the time."""
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def here(connector: Connector, intake: Intake, cursor: str | None) -> AsyncGenerator[Understood, None]:
    """Understand rows a few at a time, so that the batch before can be written meanwhile. Raises Refused, Unavailable.

    Not in a thread: the two would wait for each other's interpreter lock at every packet.
    """
    async for batch in connector.harvest(cursor):
        rows: list[Prepared | Rejected] = []
        for first in range(0, len(batch.rows), _SLICE):
            rows += intake.prepare(connector, batch.rows[first : first + _SLICE])
            await asyncio.sleep(0)
        yield Understood(rows, batch.cursor, batch.total)


@dataclass(frozen=True)
class Beside:
    """Reads and understands a file in a process of its own, which ends with whoever listens to it.

    To understand a row takes twice the time of writing it, and one core does not keep up with both. All of this goes
    there pickled, `tools` too.
    """

    path: Path
    tools: Tools
    intake: Intake

    async def __call__(self, cursor: str | None) -> AsyncGenerator[Understood, None]:
        """The rows after `cursor`. Raises Refused, Unavailable."""
        process = await asyncio.create_subprocess_exec(
            # Without the modules of the directory that somebody stands in.
            *(sys.executable, "-P", "-m", __name__),
            stdin=PIPE,
            stdout=PIPE,
            limit=_WAITING,
            start_new_session=True,  # Ctrl-C is for this process, which stops that one
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(pickle.dumps((self, cursor)))
            process.stdin.write_eof()
            rows: list[Prepared | Rejected] = []
            while (said := await _heard(process.stdout)) is not None:
                match said:
                    case list():
                        rows += said
                    case tuple():
                        yield Understood(rows, *said)
                        rows = []
                    case _:
                        raise said
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def _heard(stream: asyncio.StreamReader) -> Any:
    """The next message: some rows, what else there is of their batch, why there are no more, or None after the last."""
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        # Of a child of this process, to which nobody else can write.
        return pickle.loads(await stream.readexactly(length))  # noqa: S301
    except asyncio.IncompleteReadError as error:
        raise Unavailable("the process that reads the file has ended") from error


def _say(to: BinaryIO, what: object) -> None:
    told = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    to.write(_LENGTH.pack(len(told)) + told)
    to.flush()


async def _read(beside: Beside, cursor: str | None, to: BinaryIO) -> None:
    understood = here(connect_file(beside.path, beside.tools), beside.intake, cursor)
    try:
        async with aclosing(understood):
            async for batch in understood:
                for first in range(0, len(batch.rows), _ROWS):
                    _say(to, batch.rows[first : first + _ROWS])
                _say(to, (batch.cursor, batch.expected))
    except (Refused, Unavailable) as error:
        # Without what a kind of refusal carries besides its words.
        kind = Refused if isinstance(error, Refused) else Unavailable
        _say(to, kind(str(error)))
    else:
        _say(to, None)


def main() -> None:
    """Read what standard input names, and tell it to standard output for as long as somebody listens."""
    with suppress(BrokenPipeError):
        beside, cursor = pickle.load(sys.stdin.buffer)  # noqa: S301
        with patient_collector():
            asyncio.run(_read(beside, cursor, sys.stdout.buffer))


if __name__ == "__main__":
    main()
