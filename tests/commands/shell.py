"""Commands run in the process of a test."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from hub.cli import app


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return self.out.splitlines()

    def refused(self, code: str, *words: str) -> None:
        """It ended with 1, printed nothing, and said why in one line, with the code."""
        assert (self.status, self.out) == (1, ""), self
        (line,) = self.err.splitlines()
        assert line.startswith("credithub: ")
        assert line.endswith(f"[{code}]"), line
        for word in words:
            assert word in line


class Shell:
    """Runs commands in this process, each on a thread of its own, for they have event loops of their own."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """`given` is all of the environment that commands look at."""
        self.given = dict(given)

    def __call__(
        self, *arguments: str | Path, said: str | bytes | None = None, **changed: str | None
    ) -> Done:
        """Run a command; `said`: its standard input. `changed` settings for it alone, None: not set."""
        environment: dict[str, str | None] = {**self.given, **changed}
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(
                CliRunner().invoke, app, [str(one) for one in arguments], input=said, env=environment
            ).result(60)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)
