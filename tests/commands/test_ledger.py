"""`credithub ledger`: verified, asked about firms and persons, and found out when it was changed."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from connectors.contract import SHANGHAI
from hub.commands import ledger as ledger_command
from hub.ledger.chain import Ledger
from hub.store.database import as_user
from schema.persons import hmac_sm3
from tests.commands.shell import Done, Shell
from tests.conftest import Database
from tests.disclosures import disclosure
from tests.hub_server import MERCHANT, hub_at, hub_settings
from tests.publicity_files import KEY, PERSON, RESIDENT_ID, csv_bytes, license_row


async def test_the_ledger_is_verified_asked_and_found_out_when_it_was_changed(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    settings = hub_settings(shell.given["HUB_DATABASE_URL"], Path(shell.given["HUB_STATE_DIR"]), {})
    with hub_at(settings) as hub:
        answer = hub.check()
    request_id = answer.json()["extensions"]["requestId"]
    whole = shell("ledger", "verify")
    assert (whole.status, whole.err.startswith("held against no checkpoint")) == (0, True)
    assert re.fullmatch(r"the ledger holds: \d+ entries", whole.lines[-1])
    seen = shell("ledger", "who-saw", MERCHANT)
    assert seen.status == 0
    assert re.search(rf"mall \(mall-demo-officer\) MERCHANT_ADMISSION request {request_id}", seen.out)
    shown = shell("ledger", "show", request_id)
    assert (shown.status, f"subjects  {MERCHANT}" in shown.lines) == (0, True)
    assert re.fullmatch(r"agreement [0-9a-f]{64} applied .*", shown.lines[-1])
    assert f"\t{request_id}\t{MERCHANT}\t" in shell("ledger", "seen-by", "mall").lines[-1]
    kept = tmp_path / "checkpoint"
    kept.write_text(shell("ledger", "checkpoint").out, encoding="utf-8")
    held = shell("ledger", "verify", "--checkpoint", kept)
    assert (held.status, held.err) == (0, "")
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    await admin.execute("SET session_replication_role = replica")
    changed = "UPDATE ledger_block SET entries = replace(encode(entries, 'escape'), 'mall', 'mole')::bytea"
    await admin.execute(changed)
    await admin.close()
    broken = shell("ledger", "verify")
    assert broken.status == 1
    assert re.search(r"chain 1: .* BROKEN at block \d+", broken.out)
    assert broken.err.endswith("[LEDGER_BROKEN]\n")


def test_the_ledger_is_asked_about_codes_and_by_files_that_exist(shell: Shell, tmp_path: Path) -> None:
    shell("ledger", "who-saw", "nonsense").refused("BAD_USER_INPUT")
    unknown = shell("ledger", "who-saw", "91630100MA00000019")
    assert unknown.status == 1
    assert len(unknown.err.splitlines()) == 1
    shell("ledger", "verify", "--checkpoint", tmp_path / "none").refused("FILE_REFUSED", "none")
    for content in (b"nonsense\n", b"\xff\xfe", b"\n", b""):
        (tmp_path / "bad").write_bytes(content)
        done = shell("ledger", "verify", "--checkpoint", tmp_path / "bad")
        assert done.status == 1
        assert len(done.err.splitlines()) == 1


@pytest.fixture
async def looked_at(shell: Shell, store: Database, tmp_path: Path) -> None:
    """A natural person in the store, of whom customs were told on two days, and the mall on the second."""
    (tmp_path / "person.csv").write_bytes(csv_bytes([license_row(**PERSON)]))
    shell("import", tmp_path / "person.csv")
    admin = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    found = await admin.fetchval(
        "SELECT subject_id FROM identifier WHERE scheme = 'RESIDENT_ID' AND value = $1",
        hmac_sm3(KEY, RESIDENT_ID),
    )
    await admin.close()
    ledger = Ledger(store.writer_dsn, timeout=20)
    await ledger.start()
    first, last = datetime(2026, 5, 4, 0, tzinfo=SHANGHAI), datetime(2026, 5, 5, 23, 59, 59, tzinfo=SHANGHAI)
    for number, at, partner in ((1, first, "customs"), (2, last, "customs"), (3, last, "mall")):
        who = disclosure(number, (found,), at=at.timestamp(), partner=partner, case=None, officer="关员")
        await ledger.record(who)
    await ledger.stop()


def _asked(shell: Shell, *more: str) -> set[tuple[str, str]]:
    done = shell("ledger", "who-saw", "--person", "--json", *more, said=RESIDENT_ID + "\n")
    assert (done.status, done.err) == (0, "" if done.lines else "nothing is recorded\n"), done
    assert RESIDENT_ID not in done.out
    return {(one["request"], one["partner"]) for one in map(json.loads, done.lines)}


def test_the_ledger_is_asked_about_a_person_by_the_number_on_standard_input(
    shell: Shell, looked_at: None
) -> None:
    both = {("request-2", "customs"), ("request-3", "mall")}
    assert _asked(shell) == _asked(shell, "--since", "0001-01-01") == {("request-1", "customs"), *both}
    assert _asked(shell, "--since", "2026-05-05") == both
    assert _asked(shell, "--until", "2026-05-04") == {("request-1", "customs")}
    assert _asked(shell, "--since", "2026-05-05", "--until", "2026-05-05", "--partner", "mall") == {
        ("request-3", "mall")
    }
    assert _asked(shell, "--since", "2026-05-06") == _asked(shell, "--until", "0001-01-01") == set()
    line = shell(
        "ledger",
        "who-saw",
        "--person",
        "--json",
        "--until",
        "2026-05-04",
        said=RESIDENT_ID.lower() + "\r\nmore",
    )
    assert json.loads(line.lines[0]) == {
        "at": "2026-05-04T00:00:00+08:00", "partner": "customs", "officer": "关员",
        "purpose": "MARKET_ACCESS_CHECK", "matter": "000131001", "case": None,
        "classes": {"D1": "FULL", "D6": "MASKED"}, "at_most": False, "view_as": None, "view": "ab" * 16, "operation": "cd" * 16,
        "request": "request-1",
    }  # fmt: skip
    text = shell("ledger", "who-saw", "--person", "--partner", "mall", said=RESIDENT_ID)
    assert text.out.startswith(
        "2026-05-05 23:59:59 mall (关员) MARKET_ACCESS_CHECK matter 000131001 request request-3"
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", ""), (RESIDENT_ID[:-1] + "7", "check"), (RESIDENT_ID[:-1], ""), ("1" * 5000, ""), (b"\xff\xfe\n", ""),
        (MERCHANT, ""), ("6301031990023000" + "16", ""),
    ],
)  # fmt: skip
def test_what_is_no_resident_id_is_refused_and_not_repeated(
    shell: Shell, said: str | bytes, reason: str
) -> None:
    done = shell("ledger", "who-saw", "--person", said=said)
    done.refused("BAD_USER_INPUT", reason)
    assert not said or str(said) not in done.err


def test_an_unknown_person_partner_or_time_is_told_and_the_number_is_not(
    shell: Shell, looked_at: None
) -> None:
    def ask(*more: str, number: str = RESIDENT_ID, **changed: str) -> Done:
        done = shell("ledger", "who-saw", "--person", *more, said=number, **changed)
        assert number not in done.out + done.err
        return done

    unknown = ask(number="11010519491231002X")
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.err == "credithub: no person with this resident ID in the store\n"
    # Under another key nobody would be found, for numbers are kept by their keyed digest alone: that is told.
    ask(HUB_ID_KEY="cd" * 32).refused("SETTING_INVALID", "HUB_ID_KEY")
    ask("--since", "2026-05-05", "--until", "2026-05-04").refused("BAD_USER_INPUT", "--until", "--since")
    ask("--since", "yesterday").refused("BAD_USER_INPUT", "--since")
    ask("--until", "9999-12-31").refused("BAD_USER_INPUT", "--until")
    ask("--partner", "mal").refused("BAD_USER_INPUT", "mal")
    # A number on the command line is refused, and never printed.
    given = shell("ledger", "who-saw", RESIDENT_ID)
    given.refused("BAD_USER_INPUT")
    assert RESIDENT_ID not in given.err


def test_at_a_terminal_the_number_is_asked_for_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    asked: list[str] = []
    monkeypatch.setattr(ledger_command.sys, "stdin", Terminal())
    monkeypatch.setattr(ledger_command.getpass, "getpass", lambda text: asked.append(text) or RESIDENT_ID)
    assert ledger_command._person_number("RESIDENT_ID") == RESIDENT_ID
    assert asked == ["Resident ID: "]
