"""How commands tell what ended them, in a line; without what reads a command line or draws tables."""

from __future__ import annotations

import os
import re
import select
import sys
from contextlib import suppress

import asyncpg

from hub.errors import HubError, StoreUnavailable
from hub.observe import place_of
from hub.store.database import NOT_ANSWERED

# What may end a command without being a defect of the hub.
EXPECTED = (HubError, OSError, TimeoutError, *NOT_ANSWERED, asyncpg.PostgresError)
# What a terminal may take for a command to itself, or for another line or order of the text than stands there: names of
# files and rows of sources are whatever their source made them.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class OutputLost(OSError):
    """What a command tells could not be written to `filename`, to standard output when there is none: a full disk, mostly."""


def say(line: str, to: int = 1) -> None:
    """Print a line past Python's buffers, where what nobody took would stay. A hub serves, though nobody reads it."""
    with suppress(OSError):
        os.write(to, f"{line}\n".encode())


def spelt(text: str) -> str:
    """`text` in one line: control characters, line feeds among them, are spelt out as in JSON."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def let_go() -> None:
    """Give up what nobody takes of standard output and error: Python would try again, and end with 120 for it."""
    for one in (sys.stdout, sys.stderr):
        try:
            one.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, one.fileno())
            os.close(nowhere)


def line_of(error: BaseException) -> str | None:
    """A HubError, and what the store refuses, with its code; without one, output that finds no room or a file not usable.

    None when there is nothing to tell of it here: a defect, or that nobody reads standard output any more, of which
    others end in a pipe to `head` without a word.
    """
    if isinstance(error, HubError):
        return f"{error} [{error.code}]"
    if isinstance(error, OutputLost):
        return f"{error.filename or 'standard output'} cannot be written: {error.strerror}"
    if isinstance(error, BrokenPipeError) and _unread():
        return None
    # Its words may hold values of rows; a traceback would tell them.
    if isinstance(error, (*NOT_ANSWERED, TimeoutError)):
        lost = StoreUnavailable(f"The store was lost or too slow meanwhile: {type(error).__name__}.")
        return f"{lost} [{lost.code}]"
    if isinstance(error, asyncpg.PostgresError):
        what = f"{type(error).__name__} at {place_of(error)}"
        lost = StoreUnavailable(f"The store did not do what was asked: {what}.")
        return f"{lost} [{lost.code}]"
    if isinstance(error, OSError) and error.filename is not None:
        # HUB_STATE_DIR is missing, full, or not ours to write in.
        return f"{error.filename}: {error.strerror}"
    return None


def _unread() -> bool:
    """Whether whoever read standard output has gone away: then it is not the store that was lost."""
    asked = select.poll()
    try:
        asked.register(sys.stdout.fileno(), 0)
    except OSError:
        return False
    return bool(asked.poll(0))
