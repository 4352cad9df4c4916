"""Harvest, import and quarantine at the command line: equations, exit statuses, one clear line when something is wrong."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from connectors.contract import SHANGHAI
from hub.commands.session import operator
from hub.commands.sources import Bars, tell
from hub.errors import StoreUnavailable
from hub.harvest.run import Outcome, Progress
from hub.harvest.versions import Totals
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.database import as_user
from tests.commands.shell import Shell
from tests.conftest import Database
from tests.publicity_files import csv_bytes, drop, license_row, penalty_row


def test_a_harvest_prints_an_equation_for_each_source_and_stores_nothing_twice(shell: Shell) -> None:
    done = shell("harvest")
    assert done.status == 0, done
    assert len(done.lines) >= 5
    for line in done.lines:
        found = re.fullmatch(
            r"([A-Z_]+): OK: read (\d+) = stored (\d+) \+ unchanged (\d+) \+ quarantined (\d+)( .*)?", line
        )
        assert found, line
        read, stored, unchanged, quarantined = map(int, found.groups()[1:5])
        assert read == stored + unchanged + quarantined
        # Who reads that rows wait reads where.
        assert found[6] == (f" (credithub quarantine list {found[1]})" if quarantined else None)
        assert stored == 0
    one = shell("harvest", "tax")
    assert [line.split(":")[0] for line in one.lines] == ["TAX"]


def test_an_equation_that_does_not_hold_is_told_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell([Outcome("TAX", Totals(read=3, stored=1, unchanged=1, quarantined=1))]) == 0
    assert tell([Outcome("TAX", Totals(read=4, stored=1, unchanged=1, quarantined=1))]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("quarantined 1 (credithub quarantine list TAX)")
    assert second.endswith("DOES NOT ADD UP")


def test_a_harvest_that_ends_early_tells_what_it_stored(capsys: pytest.CaptureFixture[str]) -> None:
    bars = Bars(1.0)

    def fail() -> None:
        bars(Progress("TAX", Totals(read=3, stored=1, unchanged=1, quarantined=1)))
        bars(Progress("CUSTOMS", Totals()))
        raise StoreUnavailable("The store was lost.")

    with pytest.raises(StoreUnavailable), bars.shown():
        fail()
    assert capsys.readouterr().out == "TAX: until then read 3 = stored 1 + unchanged 1 + quarantined 1\n"


async def test_an_import_says_that_another_process_harvests_its_source(
    shell: Shell, store: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hub.harvest.run._LOCK_SECONDS", 0.5)
    other = await asyncpg.connect(store.superuser_dsn)
    await other.execute("SELECT pg_advisory_lock(1212240470, hashtext('COMMERCE'))")
    done = shell("import", str(drop(tmp_path, "a.csv", csv_bytes([license_row()]), None)))
    assert (done.status, done.lines) == (1, [])
    assert done.err.splitlines() == [
        "COMMERCE: another process is harvesting it; waited for, at most 0.5 s",
        "credithub: Another process is harvesting COMMERCE. [HARVEST_RUNNING]",
    ]
    await other.close()


async def test_a_source_that_another_process_harvests_is_told_and_keeps_no_other_waiting(
    shell: Shell, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.harvest.run._LOCK_SECONDS", 0.5)
    other = await asyncpg.connect(store.superuser_dsn)
    await other.execute("SELECT pg_advisory_lock(1212240470, hashtext('TAX'))")
    before = await other.fetchrow("SELECT * FROM source_state WHERE source = 'TAX'")
    done = shell("harvest", "association", "tax", "market_regulation")
    assert done.status == 1
    assert [line.partition(": read ")[0] for line in done.lines] == [
        "ASSOCIATION: OK",
        "TAX: HARVEST_RUNNING (Another process is harvesting TAX.)",
        "MARKET_REGULATION: OK",
    ]
    assert done.lines[1].endswith(": read 0 = stored 0 + unchanged 0 + quarantined 0")
    assert done.err == "TAX: another process is harvesting it; waited for, at most 0.5 s\n"
    # The other one does not fail, and so neither does the source.
    assert await other.fetchrow("SELECT * FROM source_state WHERE source = 'TAX'") == before
    await other.close()


def test_a_harvest_that_cannot_be_done_ends_with_1(shell: Shell) -> None:
    shell("harvest", "WEATHER").refused("SOURCE_UNKNOWN", "WEATHER")
    shell("harvest", "TAX", HUB_TAX_DATABASE_URL=None).refused("SOURCE_UNKNOWN", "TAX")
    shell("harvest", HUB_ASSOCIATION_TOKEN=None).refused("SETTING_INVALID", "HUB_ASSOCIATION_TOKEN")
    # Asked live, so there is nothing to harvest.
    shell("harvest", "CUSTOMS").refused("SOURCE_UNKNOWN", "CUSTOMS")


def test_files_are_imported_once_and_told_apart(shell: Shell, tmp_path: Path) -> None:
    good, empty_file, strange = tmp_path / "good.csv", tmp_path / "empty.csv", tmp_path / "strange.bin"
    good.write_bytes(csv_bytes([license_row()], "gb18030"))
    empty_file.write_bytes(b"")
    strange.write_bytes(bytes(range(256)) * 40)
    first, again = shell("import", good), shell("import", good)
    assert (first.status, again.status) == (0, 0), (first, again)
    assert re.match(r"good\.csv: OK: read 1 = stored \d \+ unchanged 0 \+ quarantined \d\b", first.lines[0])
    assert "good.csv: TAKEN (imported before" in again.out
    for path in (empty_file, strange):
        done = shell("import", path)
        assert done.status == 1
        assert "Traceback" not in done.err + done.out
        assert path.name in done.err + done.out
    shell("import", good, tmp_path / "missing.csv").refused("FILE_REFUSED", "missing.csv")


async def test_quarantine_is_listed_shown_and_replayed(shell: Shell, store: Database) -> None:
    connection = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    waiting = await connection.fetch("SELECT quarantine_id, source FROM quarantine ORDER BY 1")
    await connection.close()
    listed = shell("quarantine", "list")
    assert listed.status == 0
    for number, source in waiting:
        assert re.search(rf"│ {number} .*{source}", listed.out), number
    newest = waiting[-1][0]
    (since,) = re.findall(rf"│ {newest} +│ [A-Z_]+ +│ (\d{{4}}-\d\d-\d\d \d\d:\d\d) │", listed.out)
    assert abs(datetime.now(SHANGHAI).replace(tzinfo=None) - datetime.fromisoformat(since)).days < 1
    assert "more" not in listed.lines[-1]
    cut = shell("quarantine", "list", "--limit", "1")
    assert cut.lines[-1] == f"and {len(waiting) - 1} more, older ones: --limit shows them"
    assert len(re.findall(r"^│ \d", cut.out, re.MULTILINE)) == 1
    own = sum(source == "TAX" for _, source in waiting)
    assert "more" not in shell("quarantine", "list", "tax", "--limit", str(own)).lines[-1]
    shell("quarantine", "list", "taxes").refused("SOURCE_UNKNOWN", "TAXES", "FOREIGN_EXCHANGE")
    tax = next(number for number, source in waiting if source == "TAX")
    shown = shell("quarantine", "show", str(tax))
    assert shown.status == 0, shown
    assert shown.lines[0].startswith("TAX ")
    assert isinstance(json.loads(shown.out.partition("\n")[2]), dict)
    kept = shell("quarantine", "replay", str(tax))
    assert (kept.status, kept.out) == (1, "")
    assert re.fullmatch(rf"credithub: row {tax} stays: [A-Z_]+: .+\n", kept.err)
    dismissed = shell("quarantine", "dismiss", str(tax), "--reason", "测试行")
    assert (dismissed.status, dismissed.out) == (0, f"row {tax} is dismissed\n")
    assert re.fullmatch(
        rf"dismissed on \d{{4}}-\d\d-\d\d \d\d:\d\d by {operator()}: 测试行",
        shell("quarantine", "show", str(tax)).lines[1],
    )
    shell("quarantine", "dismiss", str(tax), "--reason", "再次").refused("BAD_USER_INPUT", "waits")
    shell("quarantine", "dismiss", str(tax), "--reason", " ").refused("BAD_USER_INPUT", "--reason")
    for command in ("show", "replay"):
        done = shell("quarantine", command, "999999999")
        assert (done.status, done.err) == (1, "credithub: no row 999999999 is in quarantine\n")


def test_what_a_source_names_its_files_and_writes_into_them_does_not_speak_to_the_terminal(
    shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "XK_[red]终\x1b[2J\x9b31m:cn:\n9 rows stored.csv"
    path.write_bytes(csv_bytes([license_row(XK_XKLB="不知\x1b]0;t\x07\x9b2J\u202e道")]))
    told = shell("import", path)
    spelt = "XK_[red]终\\u001b[2J\\u009b31m:cn:\\u000a9 rows stored.csv"
    assert told.lines[0].startswith(f"{spelt}: OK: read 1 ")
    listed = shell("quarantine", "list", "--limit", "1")
    # In the column of the origin, however it is wrapped.
    cells = re.findall(r"^│ +(\d*) +│(?:[^│]*│){2}([^│]*)│", listed.out, re.MULTILINE)
    assert "".join(cell.strip() for _, cell in cells).replace(" ", "").startswith(spelt.replace(" ", ""))
    shown = shell("quarantine", "show", cells[0][0])
    assert shown.lines[0].startswith(f"COMMERCE {spelt}@")
    assert json.loads(shown.out.partition("\n")[2])["XK_XKLB"] == "不知\x1b]0;t\x07\x9b2J\u202e道"
    for done in (told, listed, shown):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.out + done.err)
    shell("quarantine", "dismiss", cells[0][0], "--reason", "[/测试]")
    assert shell("quarantine", "show", cells[0][0]).lines[1].endswith(": [/测试]")


def test_a_name_in_brackets_is_no_markup(shell: Shell, state_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "mall.toml"
    text = demo_agreements(demo_issuer(state_dir).key)["mall"]
    path.write_text(text.replace("示范电子商务平台", "平台[/一部]"), encoding="utf-8")
    assert shell("agreements", "apply", path).status == 0
    listed = shell("agreements", "list")
    assert listed.status == 0
    assert "平台[/一部]" in listed.out
    path.write_text(text, encoding="utf-8")
    assert shell("agreements", "apply", path).status == 0


def test_a_correction_must_be_an_object_of_strings_and_null(shell: Shell, tmp_path: Path) -> None:
    for content, why in (
        (b"", "is no JSON"),
        (b"[]", "a JSON object of strings and null"),
        (b'{"a": 1, "b": null}', "a JSON object of strings and null"),
        (b"\xff", "is no UTF-8 text"),
        (b'{\n  "a" "b"}', "is no JSON: Expecting ':' delimiter, line 2, column 7"),
        (b"[" * 100_000, "cannot be read"),
    ):
        path = tmp_path / "fields.json"
        path.write_bytes(content)
        done = shell("quarantine", "replay", "1", "--corrected", path)
        done.refused("FILE_REFUSED", "fields.json", why)
        assert "Error" not in done.err
    # As `quarantine show` prints the fields that are empty: it comes to the row, which is not there.
    path.write_bytes(b'{"a": "1", "b": null}')
    taken = shell("quarantine", "replay", "999999", "--corrected", path)
    assert "no row 999999 is in quarantine" in taken.err
    missing = shell("quarantine", "replay", "1", "--corrected", tmp_path / "none")
    missing.refused("FILE_REFUSED", "none: no such file")
    shell("import", tmp_path).refused("FILE_REFUSED", "this is no file")
    shell("agreements", "check", tmp_path / "none").refused("AGREEMENT_INVALID", "none: no such file")


def test_rows_that_wait_for_one_reason_are_settled_together(shell: Shell, tmp_path: Path) -> None:
    """An operator with 3,000 of them had to give 3,000 commands."""
    path = tmp_path / "CF_20261102.csv"
    rows = [
        penalty_row(CF_WSH=f"青商罚〔2026〕{n}号", CF_SY="服务热线13897654321未公示") for n in (801, 802, 803)
    ]
    path.write_bytes(csv_bytes(rows))
    assert shell("import", path).lines[0].split("quarantined ")[1].startswith("3 ")
    chosen = ("--source", "commerce", "--reason-code", "CONTACT_IN_TEXT")
    for command in (("dismiss", "--reason", "测试行"), ("replay",)):
        for wrong in ((), chosen[:2], chosen[2:], ("17", *chosen)):
            shell("quarantine", *command, *wrong).refused("BAD_USER_INPUT", "NUMBER", "--reason-code")
        shell("quarantine", *command, "--source", "taxes", *chosen[2:]).refused("SOURCE_UNKNOWN", "TAXES")
    # What is found by reading the texts of a row is said of that row.
    shell("quarantine", "replay", *chosen, "--cleared", "--reason", "已核").refused(
        "BAD_USER_INPUT", "NUMBER"
    )
    kept = shell("quarantine", "replay", *chosen)
    assert (kept.status, kept.out) == (1, "0 of 3 rows are understood and stored\n")
    numbers = re.findall(r"^credithub: row (\d+) stays: CONTACT_IN_TEXT: ", kept.err, re.MULTILINE)
    assert len(numbers) == 3
    shell("quarantine", "dismiss", numbers[1], "--reason", "测试行")
    done = shell("quarantine", "dismiss", *chosen, "--reason", "同一错误")
    assert (done.status, done.out) == (0, "2 of 2 rows are dismissed\n")
    assert shell("quarantine", "show", numbers[2]).lines[1].endswith(f"by {operator()}: 同一错误")
    none = shell("quarantine", "dismiss", *chosen, "--reason", "同一错误")
    assert (none.status, none.err) == (1, "credithub: no row of COMMERCE waits for CONTACT_IN_TEXT\n")


async def test_texts_are_cleared_with_a_reason_that_stays_with_the_row(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    path = tmp_path / "CF_20261101.csv"
    path.write_bytes(csv_bytes([penalty_row(CF_SY="服务热线13897654321未公示")]))
    told = shell("import", path)
    assert told.status == 0
    # A file is not a source; its rows are those of one.
    assert told.lines[0].endswith(
        ": read 1 = stored 0 + unchanged 0 + quarantined 1 (credithub quarantine list COMMERCE)"
    )
    listed = shell(*re.findall(r"\(credithub (.*)\)", told.lines[0])[0].split())
    assert "CF_20261101" in listed.out
    connection = await asyncpg.connect(as_user(store.owner_dsn, "postgres"))
    number = str(
        await connection.fetchval(
            "SELECT quarantine_id FROM quarantine WHERE origin LIKE 'CF_20261101.csv@%'"
        )
    )
    await connection.close()
    replay = ("quarantine", "replay", number)
    for arguments in (("--cleared",), ("--cleared", "--reason", " "), ("--reason", "热线"), ("--joined",)):
        shell(*replay, *arguments).refused("BAD_USER_INPUT", "--reason", "public")
    assert "CONTACT_IN_TEXT" in shell(*replay).err
    done = shell(*replay, "--cleared", "--reason", "企业服务热线")
    assert (done.status, f"cleared by {operator()}: 企业服务热线" in done.out) == (0, True)
    understood, shown = shell("quarantine", "show", number).lines[1:3]
    assert re.fullmatch(rf"understood on \d{{4}}-\d\d-\d\d \d\d:\d\d by {operator()}", understood)
    assert re.fullmatch(rf"texts cleared by {operator()} on \d{{4}}-\d\d-\d\d \d\d:\d\d: 企业服务热线", shown)
