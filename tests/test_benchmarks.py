"""The servers that the benchmark compares can be made: it runs too long, and too much by itself, to be a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.serve import application
from hub.config import Settings


@pytest.mark.parametrize("kind", ["hub", "hub without rights", "hub without ledger", "floor", "resolvers"])
def test_every_server_of_the_benchmark_is_made(kind: str, tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", state_dir=tmp_path, demo=True)
    assert callable(application({"kind": kind, "extensions": {}}, settings))
