"""What happened to an agreement, and its text: an entry of the ledger can be read against what was in force then."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from connectors.contract import SHANGHAI
from hub.commands.session import operator
from hub.rights.agreement_file import digest
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from tests.commands.shell import Shell
from tests.conftest import Database


@pytest.fixture
def shell(database: Database, state_dir: Path) -> Shell:
    """Commands on a fresh store."""
    return Shell(
        {"HUB_DATABASE_URL": database.owner_dsn, "HUB_STATE_DIR": str(state_dir), "HUB_DEMO": "true"}
    )


@pytest.fixture
def customs(shell: Shell, state_dir: Path, tmp_path: Path) -> Path:
    """The agreement of customs as a file; it is applied, and the mall's."""
    texts = demo_agreements(demo_issuer(state_dir).key)
    for partner in ("mall", "customs"):
        path = tmp_path / f"{partner}.toml"
        path.write_text(texts[partner], encoding="utf-8")
        assert shell("agreements", "apply", path).status == 0
    return path


def shown(at: datetime) -> str:
    """A moment as commands print it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


async def test_the_history_of_an_agreement_tells_what_happened_to_it(
    shell: Shell, superuser: asyncpg.Connection, customs: Path
) -> None:
    text = customs.read_text("utf-8")
    customs.write_text(f"# renewed\n{text}", encoding="utf-8")
    assert shell("agreements", "suspend", "customs").status == 0
    assert shell("agreements", "apply", customs, "--reinstate").status == 0
    customs.write_text(text, encoding="utf-8")
    assert shell("agreements", "apply", customs).status == 0
    rows = await superuser.fetch("SELECT * FROM agreement WHERE partner = 'customs' ORDER BY agreement_id")
    validity = re.findall(r"^valid_(?:from|to) = (.*)$", text, re.MULTILINE)
    number = re.findall(r'^document = "(.*)"$', text, re.MULTILINE)[0]
    rest = f" by {operator()}, valid {validity[0]} to {validity[1]} {number}"
    digests = [row["digest"][:16] for row in rows]
    told = [
        f"{shown(rows[0]['applied_at'])} APPLIED {digests[0]}{rest}",
        f"{shown(rows[0]['suspended_at'])} SUSPENDED {digests[0]}{rest}",
        f"{shown(rows[1]['applied_at'])} REINSTATED {digests[1]}{rest}",
        f"{shown(rows[2]['applied_at'])} APPLIED {digests[0]}{rest}",
    ]
    done = shell("agreements", "history", "customs")
    assert (done.status, done.err, done.lines) == (0, "", told)
    shell("agreements", "history", "custom").refused("AGREEMENT_INVALID", "did you mean customs?")


async def test_an_agreement_expires_only_while_it_stands(
    shell: Shell, superuser: asyncpg.Connection, customs: Path
) -> None:
    """The first version was replaced before its last day, the second suspended, the third stood until then."""
    text = customs.read_text("utf-8")

    def until(last: str) -> str:
        begun = re.sub(r"^valid_from = .*$", "valid_from = 2025-01-01", text, flags=re.MULTILINE)
        return re.sub(r"^valid_to = .*$", f"valid_to = {last}", begun, flags=re.MULTILINE)

    def on(year: int, month: int) -> datetime:
        return datetime(year, month, 1, tzinfo=SHANGHAI)

    await superuser.execute("DELETE FROM agreement")
    await superuser.executemany(
        "INSERT INTO agreement (partner, digest, document, applied_at, applied_by, suspended_at, suspended_by)"
        " VALUES ('customs', $1, $2, $3, 'a', $4, CASE WHEN $4::timestamptz IS NOT NULL THEN 'b' END)",
        [
            (digest(until("2025-12-31")), until("2025-12-31"), on(2025, 5), None),
            (digest(until("2025-07-31")), until("2025-07-31"), on(2025, 6), on(2025, 7)),
            (digest(until("2025-12-31")), until("2025-12-31"), on(2025, 8), on(2026, 2)),
            (digest("no agreement"), "no agreement", on(2026, 3), None),
            # Its last day was written into it later, so that it tells of no day.
            ("ee" * 32, until("2026-03-31"), on(2026, 4), on(2026, 5)),
        ],
    )
    december, july, none = (
        digest(one)[:16] for one in (until("2025-12-31"), until("2025-07-31"), "no agreement")
    )
    told = [line.split(", ")[0] for line in shell("agreements", "history", "customs").lines]
    assert told == [
        f"2025-05-01 00:00:00 APPLIED {december} by a",
        f"2025-06-01 00:00:00 APPLIED {july} by a",
        f"2025-07-01 00:00:00 SUSPENDED {july} by b",
        f"2025-08-01 00:00:00 REINSTATED {december} by a",
        f"2026-01-01 00:00:00 EXPIRED {december}",
        f"2026-02-01 00:00:00 SUSPENDED {december} by b",
        f"2026-03-01 00:00:00 REINSTATED {none} by a",
        "2026-04-01 00:00:00 APPLIED eeeeeeeeeeeeeeee by a",
        "2026-05-01 00:00:00 SUSPENDED eeeeeeeeeeeeeeee by b",
    ]
    unknown = ", its text is not what was applied, or cannot be read any more"
    lines = shell("agreements", "history", "customs").lines
    assert [line.endswith(unknown) for line in lines] == [False] * 6 + [True] * 3
    printed = shell("agreements", "show", "customs")
    assert (printed.status, printed.out) == (1, until("2026-03-31"))
    assert "not the one that was applied" in printed.err
    await superuser.execute("UPDATE agreement SET suspended_at = NULL, suspended_by = NULL")
    listed = shell("agreements", "list")
    assert (listed.status, "INVALID" in listed.out) == (0, True)
    assert listed.err == "customs: it cannot be used: the document is not the one that was applied\n"


async def test_the_text_of_a_version_is_printed_as_its_digest_was_taken(shell: Shell, customs: Path) -> None:
    old = customs.read_text("utf-8")
    new = f"# [bold]renewed[/bold] 第二版\n{old}"
    customs.write_text(new, encoding="utf-8")
    assert shell("agreements", "apply", customs).status == 0
    digests = [hashlib.new("sm3", text.encode()).hexdigest() for text in (old, new)]
    newest = shell("agreements", "show", "customs")
    assert (newest.status, newest.out) == (0, new)
    assert re.fullmatch(rf"customs {digests[1]} applied \S+ \S+ by {operator()}\n", newest.err)
    for begun in (digests[0], digests[0][:16], digests[0][:16].upper()):
        assert shell("agreements", "show", "customs", "--digest", begun).out == old
    shell("agreements", "show", "customs", "--digest", "").refused("BAD_USER_INPUT", "Several")
    shell("agreements", "show", "customs", "--digest", "xyz").refused(
        "BAD_USER_INPUT", "credithub agreements history customs"
    )
    shell("agreements", "show", "custom").refused("AGREEMENT_INVALID", "did you mean customs?")
    assert shell("agreements", "suspend", "customs").status == 0
    assert "suspended" in shell("agreements", "show", "customs").err
