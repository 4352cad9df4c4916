"""docs/authorization.md names a test for each of the 41 ways around field rights, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "authorization.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_the_table_has_the_41_ways_each_with_a_test() -> None:
    rows = ROW.findall(TEXT)
    assert [int(number) for number, _, _ in rows] == list(range(1, 42))
    assert all(NAMED.search(tests) for _, tests, _ in rows)
    assert all(NAMED.search(tests) or tests == "none" for _, _, tests in rows)


def test_every_named_test_exists() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) >= 41
    for file, name in named:
        assert re.search(rf"^(async )?def {name}\(", (TESTS / file).read_text("utf-8"), re.MULTILINE), name


def test_every_test_that_says_a_way_stands_in_its_row() -> None:
    """A test called test_21_… is found from row 21."""
    rows = {int(number): generic + own for number, generic, own in ROW.findall(TEXT)}
    files = [*TESTS.glob("test_authorization*.py"), *(TESTS / "casework").glob("test_bypass*.py")]
    for file in files:
        for name in re.findall(r"^(?:async )?def (test_\d\d_\w+)\(", file.read_text("utf-8"), re.MULTILINE):
            for number in re.match(r"test((?:_\d\d)+)_", name)[1].strip("_").split("_"):  # type: ignore[index]
                assert f"{file.name}::{name}`" in rows[int(number)], (name, number)
