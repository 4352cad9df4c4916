"""Files that commands write: whole or not at all, and whose they were (hub/commands/session.py)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.commands import session
from hub.commands.session import put
from hub.commands.telling import OutputLost

_NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_stays_whose_it_was(tmp_path: Path) -> None:
    # A web server's group reads it, and root exports it.
    file = tmp_path / "catalogue.csv"
    file.write_bytes(b"of yesterday")
    os.chown(file, _NOBODY, _NOBODY)
    file.chmod(0o640)
    put(b"of today", file)
    found = file.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (_NOBODY, _NOBODY, 0o640)
    assert file.read_bytes() == b"of today"


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[Path]:
    """A directory of somebody who is not root, who is who the test runs as."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


def test_a_file_that_may_not_be_written_is_not_replaced_either(as_nobody: Path) -> None:
    file = as_nobody / "report.csv"
    file.write_bytes(b"signed")
    file.chmod(0o444)
    with pytest.raises(OutputLost):
        put(b"another", file)
    assert file.read_bytes() == b"signed"


def test_a_file_is_written_where_its_directory_takes_no_other(as_nobody: Path) -> None:
    file = as_nobody / "catalogue.csv"
    file.write_bytes(b"of yesterday")
    as_nobody.chmod(0o555)
    try:
        put(b"of today", file)
        assert file.read_bytes() == b"of today"
        with pytest.raises(OutputLost):
            put(b"of today", as_nobody / "another.csv")
    finally:
        as_nobody.chmod(0o755)


def test_a_link_is_followed_and_one_that_leads_in_a_circle_is_no_crash(tmp_path: Path) -> None:
    link, circle = tmp_path / "link.csv", tmp_path / "circle.csv"
    link.symlink_to("there.csv")
    put(b"of today", link)
    assert link.is_symlink()
    assert (tmp_path / "there.csv").read_bytes() == b"of today"
    circle.symlink_to("circle.csv")
    put(b"of today", circle)
    assert circle.read_bytes() == b"of today"


def test_nothing_stands_beside_a_file_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command that is killed there would leave it, hidden, for good.
    file = tmp_path / "report.xlsx"
    file.write_bytes(b"of yesterday")
    beside: list[list[str]] = []
    monkeypatch.setattr(session, "_give_as", lambda *_: beside.append(os.listdir(tmp_path)))
    put(b"of today", file)
    assert (beside, file.read_bytes()) == ([["report.xlsx"]], b"of today")


def test_a_file_is_written_whole_where_each_needs_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_OPEN", tmp_path / "none")
    file = tmp_path / "report.xlsx"
    put(b"of today", file)
    assert (os.listdir(tmp_path), file.read_bytes()) == (["report.xlsx"], b"of today")
