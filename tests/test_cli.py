"""The command line: what each command prints, its exit status, and one clear line when something is wrong."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from connectors.contract import SHANGHAI
from hub.casework.catalogue.machine import AcceptedDeviation, CatalogDetails, Content
from hub.casework.details import to_json
from hub.cli import app
from hub.commands import ledger as ledger_command
from hub.commands.session import operator, put
from hub.commands.sources import Bars, tell
from hub.commands.telling import OutputLost
from hub.errors import StoreUnavailable
from hub.harvest.run import Outcome, Progress
from hub.harvest.versions import Totals
from hub.ledger.chain import Ledger
from hub.rules.national_items import load_national_items
from hub.sandbox.agreements import PARTNERS, demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.database import as_user, head
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.identifiers import uscc_check
from schema.persons import hmac_sm3
from tests.command_line import CREDITHUB, Running, alive, below, credithub, environment, launched, started
from tests.conftest import Database, copied_store
from tests.disclosures import disclosure
from tests.hub_server import CHECK, MERCHANT, hub_at, hub_settings
from tests.publicity_files import KEY, PERSON, RESIDENT_ID, csv_bytes, drop, license_row, penalty_row
from tests.rules.test_list_definitions import TEXT as WATCH_LIST
from tests.rules.test_notices import NOTICE_2026, PLACE
from tests.test_database import migrated_before

pytestmark = pytest.mark.long

SECRET = "s3cr3t-value"
DEMO = {"HUB_DEMO": "true"}


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


@pytest.fixture(scope="module")
async def store(
    postgres: EmbeddedPostgres, province_store: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A store with the province for the tests of this module."""
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="module")
def shell(store: Database, sandboxes: Mapping[str, str], state_dir: Path) -> Shell:
    """Commands on that store, with all sources connected."""
    given = {"HUB_DATABASE_URL": store.owner_dsn, "HUB_STATE_DIR": str(state_dir), **sandboxes, **DEMO}
    return Shell(given)


@pytest.fixture
async def empty(postgres: EmbeddedPostgres, database_names: Callable[[], str]) -> AsyncIterator[str]:
    """The address of a database without tables."""
    name = database_names()
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} OWNER hub_owner")
    yield postgres.dsn(database=name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


# ---- the command itself


def test_the_installed_command_tells_its_commands() -> None:
    done = credithub("--help")
    assert done.returncode == 0
    for name in (
        "demo",
        "serve",
        "worker",
        "migrate",
        "harvest",
        "import",
        "quarantine",
        "agreements",
        "ledger",
        "token",
    ):
        assert re.search(rf"\b{name}\b", done.stdout), name


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("command", ["token --partner mall", "casework diagram", "status", "migrate"])
def test_a_command_whose_output_finds_no_room_ends_with_1_and_says_so(
    shell: Shell, command: str, unbuffered: str
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [CREDITHUB, *command.split()],
            env=environment({**shell.given, "PYTHONUNBUFFERED": unbuffered}),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "credithub: standard output cannot be written: No space left on device\n",
    )


def test_a_file_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "none" / "catalogue.json"
    for command in (["catalogue", "export", "--output", path], ["catalogue", "coverage", "--gaps", path]):
        done = shell(*command)
        assert (done.status, done.err) == (
            1,
            f"credithub: {path} cannot be written: No such file or directory\n",
        )


@pytest.mark.parametrize("before", [None, b"the report of yesterday"])
def test_a_file_for_which_there_is_no_room_is_not_half_written_over_what_stood_there(
    tmp_path: Path, before: bytes | None
) -> None:
    file = tmp_path / "report.csv"
    if before is not None:
        file.write_bytes(before)
        file.chmod(0o600)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What is written finds room for so many bytes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most[1]))
    try:
        with pytest.raises(OutputLost):
            put(b"1,2,3\n" * 100, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert [(one, one.read_bytes()) for one in tmp_path.iterdir()] == (
        [] if before is None else [(file, before)]
    )
    put(b"1,2,3\n" * 100, file)
    assert file.read_bytes() == b"1,2,3\n" * 100
    assert before is None or file.stat().st_mode & 0o077 == 0


def test_a_directory_of_the_hub_that_cannot_be_used_is_told_in_a_line(tmp_path: Path) -> None:
    taken = tmp_path / "a-file"
    taken.touch()
    given = {"HUB_DEMO": "true", "HUB_STATE_DIR": str(taken), "HUB_PORT": "0"}
    for command in (["token", "--partner", "mall"], ["demo"], ["migrate"]):
        done = credithub(*command, given=given)
        assert (done.returncode, done.stderr) == (1, f"credithub: {taken}: File exists\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["token"],
        ["token", "--partner", "mall", "--ttl", "0"],
        ["token", "--partner", "mall", "--ttl", "x"],
        ["serve", "--workers", "0"],
        ["quarantine", "show", "x"],
        ["agreements", "apply"],
        ["ledger", "who-saw"],
        ["ledger", "who-saw", MERCHANT, "--person"],
        ["ledger", "show"],
        ["ledger", "seen-by"],
        ["agreements", "history"],
        ["agreements", "show"],
    ],
    ids=" ".join,
)
def test_what_is_no_command_ends_with_2_and_changes_nothing(shell: Shell, arguments: list[str]) -> None:
    done = shell(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "Usage" in done.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB_PORT", SECRET),
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "８０００"),
        ("HUB_WORKERS", "0"),
        ("HUB_DATABASE_URL", f"mysql://{SECRET}@x/hub"),
        ("HUB_REDIS_URL", f"http://{SECRET}"),
        ("HUB_DEMO", SECRET),
        ("HUB_ID_KEY", "abc"),
        ("HUB_CURSOR_KEY", SECRET * 8),
        ("HUB_DATABASE_TIMEOUT", "nan"),
        ("HUB_REQUEST_TIMEOUT", "-1"),
        ("HUB_MAX_BODY_BYTES", "1e6"),
        ("HUB_CACHE_TTL", " 300"),
        ("HUB_CUSTOMS_URL", SECRET),
    ],
)
@pytest.mark.parametrize(
    "command", [["migrate"], ["serve"], ["token", "--partner", "mall"], ["harvest"]], ids=" ".join
)
def test_a_wrong_setting_is_told_by_name_and_its_value_is_not(
    shell: Shell, command: list[str], name: str, value: str
) -> None:
    done = shell(*command, **{name: value})
    done.refused("SETTING_INVALID", name)
    assert SECRET not in done.err


def test_the_installed_command_tells_a_wrong_setting_in_one_line_too() -> None:
    done = credithub("serve", given={"HUB_PORT": SECRET})
    Done(done.returncode, done.stdout, done.stderr).refused("SETTING_INVALID", "HUB_PORT")


def test_serving_needs_a_store_and_keys_outside_demo_mode(shell: Shell, store: Database) -> None:
    shell("serve", HUB_DATABASE_URL=None, HUB_DEMO=None).refused("SETTING_INVALID", "HUB_DATABASE_URL")
    shell("serve", HUB_DEMO=None).refused("SETTING_INVALID", "HUB_ID_KEY")
    shell("serve", HUB_DEMO=None, HUB_ID_KEY="5a" * 32).refused("SETTING_INVALID", "HUB_CURSOR_KEY")
    shell("serve", HUB_AGREEMENTS_DIR="/nowhere").refused("SETTING_INVALID", "HUB_AGREEMENTS_DIR")


async def test_another_key_of_persons_numbers_than_the_stores_own_is_refused_in_one_line(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    sandboxes: Mapping[str, str],
    tmp_path: Path,
) -> None:
    """Under another key no person in the store would be found, and each would come in a second time."""
    file = tmp_path / "penalties.csv"
    file.write_bytes(csv_bytes([penalty_row()]))
    async with copied_store(postgres, province_store, database_names(), state_dir) as copy:
        own = {"HUB_DATABASE_URL": copy.owner_dsn, "HUB_STATE_DIR": str(state_dir), **sandboxes, **DEMO}
        shell = Shell({**own, "HUB_ID_KEY": "5A" * 32})
        # The first use notes it, whichever it is.
        assert shell("import", file).status == 0
        for command in (["serve"], ["harvest", "TAX"], ["import", file, "--again"]):
            shell(*command, HUB_ID_KEY="a5" * 32).refused("SETTING_INVALID", "HUB_ID_KEY", "first used with")
        worked = credithub("worker", "--once", given={**own, "HUB_ID_KEY": "a5" * 32})
        assert (worked.returncode, worked.stdout) == (1, "")
        assert "SETTING_INVALID" in worked.stderr
        (number,) = await copy.writer.fetchrow("SELECT min(quarantine_id) FROM quarantine")
        replayed = shell("quarantine", "replay", str(number), HUB_ID_KEY=None)
        replayed.refused("SETTING_INVALID", "HUB_ID_KEY", "first used with")
        asked = shell("ledger", "who-saw", "--person", said=RESIDENT_ID, HUB_ID_KEY="a5" * 32)
        asked.refused("SETTING_INVALID", "HUB_ID_KEY")
        assert "5a5a" not in str(await copy.writer.fetch("SELECT * FROM key_check"))
        # The same key, however it is written.
        assert shell("harvest", "TAX", HUB_ID_KEY="5a" * 32).status == 0
        with started(
            ["serve"], {**own, "HUB_ID_KEY": "5a" * 32, "HUB_PORT": "0"}, tmp_path / "told"
        ) as serving:
            assert serving.stopped(signal.SIGTERM, 15)[0] == 0


def test_a_setting_that_nothing_reads_is_told_but_not_its_value(shell: Shell) -> None:
    of_source = {"HUB_TAX_DATABASE_URI": SECRET, "HUB_TOKEN": SECRET}
    served = credithub("serve", given={"HUB_DATABSE_URL": SECRET, **of_source})
    assert served.returncode == 1
    assert "is HUB_DATABASE_URL meant?" in served.stderr
    assert "HUB_DATABASE_URL: required" in served.stderr
    worked = credithub("worker", "--once", given={**shell.given, **of_source})
    assert worked.returncode == 0
    for done in (served, worked):
        assert "nothing reads the setting HUB_TAX_DATABASE_URI; is HUB_TAX_DATABASE_URL meant?" in done.stderr
        assert "HUB_TOKEN" not in done.stderr
        assert SECRET not in done.stderr


def test_the_demo_keeps_its_own_store(shell: Shell) -> None:
    shell("demo").refused("SETTING_INVALID", "HUB_DATABASE_URL")


# ---- token


def test_a_token_is_printed_and_nothing_else(shell: Shell) -> None:
    done = shell("token", "--partner", "customs", "--purpose", "NOTIFICATION", "--ttl", "60")
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.out)


def test_the_printed_token_opens_the_hub_for_its_partner_and_purpose(shell: Shell) -> None:
    token = shell("token", "--partner", "customs", "--purpose", "NOTIFICATION").out.strip()
    settings = hub_settings(shell.given["HUB_DATABASE_URL"], Path(shell.given["HUB_STATE_DIR"]), {})
    with hub_at(settings) as hub:
        headers = {"authorization": f"Bearer {token}", "hub-matter": "M"}
        query = {"query": "{ me { partner purpose } }"}
        answer = httpx.post(hub.graphql, json=query, headers=headers, trust_env=False)
    assert answer.json()["data"] == {"me": {"partner": "customs", "purpose": "NOTIFICATION"}}, answer.text


def test_tokens_are_for_demo_partners_in_demo_mode_alone(shell: Shell) -> None:
    shell("token", "--partner", "nobody").refused("SETTING_INVALID", "commerce, commerce-xining, reform")
    shell("token", "--partner", "mall", "--purpose", "CURIOSITY").refused("PURPOSE_NOT_ALLOWED", "STATISTICS")
    shell("token", "--partner", "mall", HUB_DEMO=None).refused("SETTING_INVALID", "HUB_DEMO")


# ---- migrate


def test_migrate_makes_the_store_and_may_be_repeated(shell: Shell, empty: str) -> None:
    shell("agreements", "list", HUB_DATABASE_URL=empty).refused("STORE_INVALID", "credithub migrate")
    shell("serve", HUB_DATABASE_URL=empty).refused("STORE_INVALID", "credithub migrate")
    for said in ("was made", "is up to date"):
        done = shell("migrate", HUB_DATABASE_URL=empty)
        assert (done.status, done.out) == (0, f"the store {said}, at version {head()}\n")
    assert shell("agreements", "list", HUB_DATABASE_URL=empty).status == 0


async def test_migrate_says_from_which_version_to_which(shell: Shell, empty: str) -> None:
    await migrated_before(empty, "0020")
    assert shell("migrate", HUB_DATABASE_URL=empty).out == f"the store went from version 0019 to {head()}\n"


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["agreements", "list"], ["ledger", "verify"], ["quarantine", "list"], ["harvest"]],
    ids=" ".join,
)
def test_a_store_that_is_away_is_told_in_one_line(shell: Shell, command: list[str]) -> None:
    address = f"postgresql://hub_owner:{SECRET}@127.0.0.1:1/hub"
    done = shell(*command, HUB_DATABASE_URL=address)
    done.refused("STORE_UNAVAILABLE")
    assert SECRET not in done.err


@pytest.mark.parametrize("command", [["migrate"], ["ledger", "verify"]], ids=" ".join)
def test_a_store_that_takes_nobody_in_is_told_in_one_line(
    shell: Shell, command: list[str], postgres: EmbeddedPostgres
) -> None:
    address = postgres.dsn("nobody_here", "no_such_hub")
    shell(*command, HUB_DATABASE_URL=address).refused("STORE_UNAVAILABLE", "Error")


@pytest.mark.parametrize("command", [["harvest", "TAX"], ["migrate"]], ids=" ".join)
async def test_a_store_that_takes_nothing_is_told_in_one_line(
    shell: Shell, command: list[str], postgres: EmbeddedPostgres, empty: str
) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    name = urlsplit(empty).path[1:]
    try:
        if command != ["migrate"]:
            await migrated(empty)
        await admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
        done = shell(*command, HUB_DATABASE_URL=empty)
    finally:
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await admin.close()
    code = "STORE_INVALID" if command == ["migrate"] else "STORE_UNAVAILABLE"
    done.refused(code, "ReadOnlySQLTransactionError")


@pytest.mark.parametrize(
    "command",
    [
        ["quarantine", "show", "{}"],
        ["quarantine", "replay", "{}"],
        ["quarantine", "dismiss", "{}", "--reason", "x"],
        ["consents", "withdraw", "{}"],
        ["deliveries", "retry", "{}"],
    ],
    ids=" ".join,
)
def test_a_number_that_no_row_can_have_is_no_fault_of_the_store(shell: Shell, command: list[str]) -> None:
    done = shell(*(one.format(2**63) for one in command))
    assert (done.status, "less than" in done.err, "STORE" in done.err) == (2, True, False), done.err


@pytest.mark.parametrize("role", ["hub_writer", "hub_reader", "hub_auditor"])
def test_a_role_that_owns_nothing_does_not_call_the_store_up_to_date(
    shell: Shell, store: Database, role: str
) -> None:
    done = shell("migrate", HUB_DATABASE_URL=as_user(store.owner_dsn, role))
    done.refused("STORE_INVALID", f"The role {role} may not migrate the store, which is hub_owner's")


def test_an_address_of_another_role_is_told_in_one_line_with_its_setting(
    shell: Shell, store: Database
) -> None:
    done = shell("ledger", "verify", HUB_DATABASE_AUDITOR_URL=store.reader_dsn)
    done.refused("STORE_INVALID", "HUB_DATABASE_AUDITOR_URL", "as hub_reader: it must be hub_auditor")


async def test_what_a_role_may_not_do_is_told_in_one_line_with_the_place(
    shell: Shell, store: Database
) -> None:
    owner = await asyncpg.connect(store.owner_dsn)
    try:
        await owner.execute("REVOKE SELECT ON ledger_block FROM hub_auditor")
        done = await asyncio.to_thread(shell, "ledger", "verify")
        done.refused("STORE_UNAVAILABLE", "InsufficientPrivilegeError at ", "/hub/ledger/audit.py:")
    finally:
        await owner.execute("GRANT SELECT ON ledger_block TO hub_auditor")
        await owner.close()


# ---- harvest, import, quarantine


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


# ---- agreements and lists


@pytest.fixture
def texts(state_dir: Path, tmp_path: Path) -> Path:
    """The demo agreements as files."""
    for partner, text in demo_agreements(demo_issuer(state_dir).key).items():
        (tmp_path / f"{partner}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_agreements_are_applied_compared_suspended_and_reinstated(shell: Shell, texts: Path) -> None:
    same = shell("agreements", "apply", texts)
    assert same.status == 0, same
    assert {line.split()[1] for line in same.lines} == {"UNCHANGED"}
    assert sorted(line.split(":")[0] for line in same.lines) == sorted(PARTNERS)
    mall = texts / "mall.toml"
    assert shell("agreements", "diff", mall).out == "no difference\n"
    mall.write_text(mall.read_text("utf-8").replace("= 20000", "= 10"), encoding="utf-8")
    assert shell("agreements", "diff", mall).out == "quota.subjects_per_day: 20000 → 10\n"
    applied = shell("agreements", "apply", mall)
    assert applied.status == 0
    assert re.fullmatch(r"mall: \w+ [0-9a-f]{16}\n", applied.out)
    assert shell("agreements", "suspend", "mall").out == "mall: suspended\n"
    assert shell("agreements", "suspend", "mall").out == "mall: was suspended already\n"
    listed = shell("agreements", "list")
    assert listed.status == 0
    assert len(re.findall(r"^│", listed.out, re.MULTILINE)) >= len(PARTNERS)
    assert re.search(r"mall.*SUSPENDED", listed.out, re.IGNORECASE), listed.out
    again = shell("agreements", "apply", mall)
    assert (again.status, "STILL_SUSPENDED" in again.out, "--reinstate" in again.out) == (0, True, True)
    assert shell("agreements", "apply", mall, "--reinstate").status == 0


def test_an_agreement_that_begins_later_says_that_the_partner_has_none_until_then(
    shell: Shell, texts: Path
) -> None:
    """What was in force is so no more: whoever applies next year's early has cut the partner off."""
    mall = texts / "mall.toml"
    before = mall.read_text("utf-8")
    mall.write_text(before.replace("valid_from = 2026-01-01", "valid_from = 2030-12-01"), encoding="utf-8")
    early = r"mall: {} [0-9a-f]{{16}}; in force only from 2030-12-01, and until then the partner has no agreement\n"
    for outcome in ("APPLIED", "UNCHANGED"):
        assert re.fullmatch(early.format(outcome), shell("agreements", "apply", mall).out)
    # So does a server that applies its directory as it starts, here on a port that is taken.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {"HUB_AGREEMENTS_DIR": str(texts), "HUB_PORT": str(taken.getsockname()[1])}
        done = credithub("serve", given={**shell.given, **given})
    assert re.fullmatch(early.format("UNCHANGED"), done.stdout), done
    mall.write_text(before, encoding="utf-8")
    assert re.fullmatch(r"mall: APPLIED [0-9a-f]{16}\n", shell("agreements", "apply", mall).out)


def test_an_agreement_wider_than_the_matrix_is_refused_in_one_line_and_none_is_applied(
    shell: Shell, texts: Path
) -> None:
    before = shell("agreements", "list").out
    for name, old, new, word in (
        ("mall", 'D17 = "YES_NO"', 'D17 = "FULL"', "D17"),
        ("public", "[data]", '[data]\nD99 = "FULL"', "D99"),
        ("tax", "[data]", "[data", ""),
        ("forex", 'class = "P6"', 'class = "P77"', "P77"),
        ("customs", 'purposes = ["', 'purposes = ["CURIOSITY", "', "CURIOSITY"),
        # A word of another language is near to no level: they are listed.
        ("mall", 'D17 = "YES_NO"', 'D17 = "全部"', "'全部' is unknown; known are NONE, YES_NO, MASKED, FULL"),
    ):
        path = texts / f"{name}.toml"
        text = path.read_text("utf-8")
        assert old in text, name
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        for command in ("apply", "diff", "check"):
            shell("agreements", command, path).refused("AGREEMENT_INVALID", word)
        # All of the directory, or none.
        shell("agreements", "apply", texts).refused("AGREEMENT_INVALID")
        path.write_text(text, encoding="utf-8")
    assert shell("agreements", "list").out == before
    (texts / "latin.toml").write_bytes(b"\xff\xfe")
    shell("agreements", "apply", texts / "latin.toml").refused("AGREEMENT_INVALID", "latin.toml")
    shell("agreements", "apply", texts / "none.toml").refused("AGREEMENT_INVALID", "none.toml")
    (texts / "none").mkdir()
    done = shell("agreements", "apply", texts / "none")
    assert "Traceback" not in done.err


def test_a_list_is_defined_and_changed_with_who_did_it(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(WATCH_LIST, encoding="utf-8")
    tried = shell("lists", "apply", path, "--dry-run")
    assert (tried.status, tried.out) == (0, "QH-WATCH-2: added\ndry run: nothing was written\n")
    assert "QH-WATCH-2" not in shell("lists", "list").out
    assert shell("lists", "apply", path).out == "QH-WATCH-2: added\n"
    path.write_text(WATCH_LIST.replace("= 12", "= 18"), encoding="utf-8")
    assert shell("lists", "apply", path).lines == [
        "QH-WATCH-2: changed",
        "  max_publicity_months: 12 → 18",
    ]
    assert shell("lists", "apply", path).out == "QH-WATCH-2: unchanged\n"
    told = shell("lists", "list").out
    (row,) = re.findall(r"^.*QH-WATCH-2.*$", told, re.MULTILINE)
    assert ("— to 18" in row, operator() in row, "as it came" in told) == (True, True, True)
    for old, new, word in (
        (
            '"WATCH"',
            '"BLACK"',
            "watch.toml: QH-WATCH-2: a BLACK list cannot rest on a basis of level RULE",
        ),
        ('"WATCH"', '"RED"', "QH-WATCH-2 is a WATCH list"),
        ("criteria", "criterion", "watch.toml: list 1: criteria is missing"),
        ("= 12", "= 30", "30 is not within 0 to 24"),
    ):
        path.write_text(WATCH_LIST.replace(old, new, 1), encoding="utf-8")
        shell("lists", "apply", path).refused("FILE_REFUSED", word)
    path.write_bytes(b"\xff")
    shell("lists", "apply", path).refused("FILE_REFUSED", "watch.toml: not UTF-8")
    path.write_text(WATCH_LIST, encoding="utf-8")
    shell("lists", "apply", path, path).refused("FILE_REFUSED", "in two files")
    assert shell("lists", "list").out == told


def test_a_notice_on_holidays_is_laid_and_what_it_changes_is_told(shell: Shell, tmp_path: Path) -> None:
    path, place = tmp_path / "2026.toml", tmp_path / "place.toml"
    path.write_text(NOTICE_2026, encoding="utf-8")
    place.write_text(PLACE, encoding="utf-8")
    # What the store was seeded with; then under its number.
    assert shell("calendar", "apply", path).out == "CN 2026: 0 days fixed, 0 fixed otherwise than before\n"
    path.write_text(NOTICE_2026.replace("通知", "通知（其文号）"), encoding="utf-8")
    renamed = "CN 2026: 0 days fixed, 0 fixed otherwise than before, 365 as before by another document"
    assert shell("calendar", "apply", path, "--dry-run").lines[0] == renamed
    assert shell("calendar", "apply", path).lines == [renamed]
    path.write_text(NOTICE_2026, encoding="utf-8")
    assert shell("calendar", "apply", path).lines == [renamed]
    path.write_text(NOTICE_2026.replace("2026-05-09, ", ""), encoding="utf-8")
    told = [
        "CN 2026: 0 days fixed, 1 fixed otherwise than before",
        "  2026-05-09: rest now",
        "632300 2027: 2 days fixed, 0 fixed otherwise than before",
    ]
    before = shell("calendar", "list").out
    assert shell("calendar", "apply", path, place, "--dry-run").lines == [
        *told,
        "dry run: nothing was written",
    ]
    assert shell("calendar", "list").out == before
    assert shell("calendar", "apply", path, place).lines == told
    (row,) = re.findall(r"^.*632300.*$", shell("calendar", "list").out, re.MULTILINE)
    assert row.replace("│", " ").split() == ["2027", "632300", "2", "1", "1", "州政府通知"]
    path.write_text(NOTICE_2026, encoding="utf-8")
    assert "  2026-05-09: worked now" in shell("calendar", "apply", path).lines
    # All of the files, or none.
    path.write_text(NOTICE_2026.replace("2026-05-09", "2026-05-08"), encoding="utf-8")
    shell("calendar", "apply", place, path).refused(
        "FILE_REFUSED", "2026.toml: notice 1: 2026-05-08 is among"
    )
    path.write_bytes(b"\xff")
    shell("calendar", "apply", path).refused("FILE_REFUSED", "2026.toml: not UTF-8")


def test_a_consent_is_taken_in_from_a_letter_and_withdrawn(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.pdf"

    def record(*changed: str, code: str = MERCHANT, partner: str = "mall", until: str = "2099-12-30") -> Done:
        said = changed or ("--purpose", "MERCHANT_ADMISSION", "--class", "D17")
        return shell("consents", "record", code, partner, letter, "--until", until, *said)

    record().refused("FILE_REFUSED", "letter.pdf")
    letter.write_bytes(b"")
    record().refused("FILE_REFUSED", "empty")
    letter.write_bytes("授权查询书".encode())
    record(code="91630100MA00000000").refused("BAD_USER_INPUT", "social credit code")
    record(code="91630100MA7XK2P38N"[:8] + "MA0000001" + uscc_check("91630100MA0000001")).refused(
        "SUBJECT_UNKNOWN"
    )
    record(partner="mal").refused("AGREEMENT_INVALID", "mall")
    record(until="2020-01-01").refused("BAD_USER_INPUT", "over")
    record(until="9999-12-31").refused("BAD_USER_INPUT", "no days of a consent")
    admission = ("--purpose", "MERCHANT_ADMISSION")
    record(*admission, "--class", "D99").refused("BAD_USER_INPUT", "D99")
    # Nobody signs for nothing: no consent opens what is open, or what is shut to the partner whatever is signed.
    for closed in ("D1", "D12"):
        record(*admission, "--class", "D17", "--class", closed).refused("BAD_USER_INPUT", closed)
    record("--purpose", "NOTIFICATION", "--class", "D17").refused("BAD_USER_INPUT", "NOTIFICATION")
    record(*admission, "--class", "D17", "--from", "0001-01-01").refused("BAD_USER_INPUT", "no days of")
    assert MERCHANT not in shell("consents", "list", "--code", MERCHANT).out

    done = record()
    (number,) = re.findall("^consent ([0-9]+) of ", done.out)
    assert (done.status, done.err) == (0, "")
    assert record().out == done.out.replace("\n", ", known already\n")
    (row,) = re.findall(
        rf"^.*│ {number} .*$", shell("consents", "list", "--partner", "mall").out, re.MULTILINE
    )
    kept = [one.strip() for one in row.split("│")[2:]]
    assert (kept[0], kept[2:5], kept[6:8]) == (
        MERCHANT, ["mall", "MERCHANT_ADMISSION", "D17"], ["2099-12-30", "yes"],
    )  # fmt: skip
    assert kept[9] == operator()
    assert MERCHANT not in shell("consents", "list", "--partner", "chamber", "--code", MERCHANT).out

    withdrawn = shell("consents", "withdraw", number)
    assert withdrawn.out.startswith(f"consent {number} is withdrawn since ")
    # At once and for good: a second time is no later one, and the letter that was withdrawn is no new consent.
    assert shell("consents", "withdraw", number).out == withdrawn.out
    record().refused("BAD_USER_INPUT", f"consent {number} ", "new letter")
    assert f"withdrawn {withdrawn.out[-20:-1]}" in shell("consents", "list").out
    shell("consents", "withdraw", "999999").refused("BAD_USER_INPUT", "999999")


def test_a_consent_whose_first_day_was_mistyped_can_be_put_right(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    """It was told as known already, whatever first day was said, and opened nothing until the mistyped one."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes("又一授权查询书".encode())

    def record(*since: str) -> tuple[str, bool]:
        said = ("--purpose", "MERCHANT_ADMISSION", "--class", "D17", "--until", "2099-06-30", *since)
        told = shell("consents", "record", MERCHANT, "mall", letter, *said)
        (number,) = re.findall("^consent ([0-9]+) of ", told.out)
        return number, told.out.endswith(", known already\n")

    late, known = record("--from", "2099-01-01")
    assert not known
    right, known = record()
    assert (right != late, known) == (True, False)
    assert record() == (right, True)
    assert record("--from", "2099-01-01") == (late, True)
    early, known = record("--from", "2020-01-01")
    assert (early not in (right, late), known) == (True, False)
    shell("consents", "withdraw", late)
    # What stands is found beside what was withdrawn; nothing new comes of a letter of which something was.
    assert record("--from", "2020-01-01") == (early, True)
    said = ("--purpose", "MERCHANT_ADMISSION", "--class", "D17", "--until", "2099-06-30")
    for since in ("2099-01-01", "2021-01-01"):
        shell("consents", "record", MERCHANT, "mall", letter, *said, "--from", since).refused(
            "BAD_USER_INPUT", f"consent {late} ", "new letter"
        )


def test_lists_of_merchants_are_taken_whole_or_not_at_all(shell: Shell, texts: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "merchants.csv", texts / "mall.toml"
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED")
    path.write_text(f"uscc\n{MERCHANT}\n91630100MA7XK2P38N\n", encoding="utf-8")
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused(
        "AGREEMENT_INVALID", "ever applied"
    )
    other.write_text(other.read_text("utf-8").replace('"mall"', '"other-mall"', 1), encoding="utf-8")
    assert shell("agreements", "apply", other).status == 0
    # An association's list is none of a platform's.
    shell("affiliations", "apply", "other-mall", "MEMBER", path).refused("BAD_USER_INPUT", "P9", "MERCHANT")
    shell("affiliations", "apply", "chamber", "MERCHANT", path).refused("BAD_USER_INPUT", "P8", "MEMBER")
    shell("affiliations", "apply", "customs", "MEMBER", path).refused("BAD_USER_INPUT", "P4", "no such list")
    # Tried as often as one likes, it begins nothing.
    for _ in range(2):
        tried = shell("affiliations", "apply", "other-mall", "MERCHANT", path, "--dry-run")
        told = "other-mall: given 2, known 2, begun 2, ended 0 (dry run: nothing is changed)\n"
        assert (tried.status, tried.out) == (0, told)
    done = shell("affiliations", "apply", "other-mall", "MERCHANT", path)
    assert (done.status, done.out, done.err) == (0, "other-mall: given 2, known 2, begun 2, ended 0\n", "")
    path.write_text(f"uscc\n{MERCHANT}\nnonsense\n", encoding="utf-8")
    shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED", "line 3")
    shell("affiliations", "apply", "other-mall", "FRIEND", path).refused(
        "BAD_USER_INPUT", "MEMBER or MERCHANT"
    )
    # A list whose beginning was cut off ends nothing.
    for headless in (f"{MERCHANT}\n", f" {MERCHANT} ,x\n{MERCHANT}\n", "", "\n"):
        path.write_text(headless, encoding="utf-8")
        shell("affiliations", "apply", "other-mall", "MERCHANT", path).refused("FILE_REFUSED", "a head line")
    # Who has no row is nobody's merchant, also once the hub knows it: each is told, and what is to be done.
    unknown = [f"91630100MA{number:07}" for number in range(12)]
    unknown = [code + uscc_check(code) for code in unknown]
    path.write_text("\n".join(["uscc", MERCHANT, "91630100MA7XK2P38N", *unknown]), encoding="utf-8")
    again = shell("affiliations", "apply", "other-mall", "MERCHANT", path)
    assert (again.status, again.out) == (0, "other-mall: given 14, known 2, begun 0, ended 0\n")
    assert again.err.splitlines() == [
        "12 not known to the hub and not taken; hand the list in again once they are known:",
        *unknown,
    ]
    shell("affiliations", "apply", "othermall", "MERCHANT", path).refused(
        "AGREEMENT_INVALID", "did you mean other-mall?"
    )


def test_a_file_is_checked_as_it_would_be_applied(shell: Shell, texts: Path) -> None:
    mall = texts / "mall.toml"
    text = mall.read_text("utf-8")
    assert shell("agreements", "check", mall).out.startswith("mall: P9, ")
    early = shell("agreements", "check", mall, "--today", "2001-01-01")
    assert early.status == 0
    assert ", in force only from 20" in early.out
    shell("agreements", "check", mall, "--today", "2099-01-01").refused("AGREEMENT_INVALID", "expired on")
    mall.write_text(text[: text.index("[[issuer]]")], encoding="utf-8")
    assert shell("agreements", "check", mall).out.endswith("no issuer: nobody can sign for it\n")


def test_explain_says_why_a_partner_sees_a_coordinate(shell: Shell) -> None:
    hidden = shell("agreements", "explain", "mall", "Organization.contact")
    assert hidden.status == 0, hidden
    assert hidden.lines[0] == "mall MERCHANT_ADMISSION: Organization.contact does not exist"
    # Operators are told why; the partner itself would not be.
    assert re.match(r"  D2 NONE every row: PERSONAL_INFO \S", hidden.lines[1])
    seen = shell(
        "agreements", "explain", "commerce", "Organization.contact", "--purpose", "ONGOING_SUPERVISION"
    )
    assert seen.lines[0] == "commerce ONGOING_SUPERVISION: Organization.contact exists"
    assert seen.lines[1].startswith("  D2 FULL every row: OK ")
    shell("agreements", "explain", "nobody", "Organization.contact").refused(
        "AGREEMENT_INVALID", "ever applied"
    )
    shell("agreements", "explain", "mall", "Organization.contacts").refused(
        "BAD_USER_INPUT", "No such coordinate; did you mean Organization.contact?"
    )
    shell("agreements", "explain", "mall", "Organization.contact", "--purpose", "AUDIT").refused(
        "PURPOSE_NOT_ALLOWED"
    )
    shell("agreements", "explain", "mall", "Organization.nothing").refused("BAD_USER_INPUT")


# ---- ledger


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


# ---- the demo


def harvested(running: Running) -> dict[str, list[int]]:
    """Source → read, stored, unchanged, quarantined, as the demo printed them."""
    found = {}
    for line in running.lines:
        if match := re.match(
            r"([A-Z_]+): OK: read (\d+) = stored (\d+) \+ unchanged (\d+) \+ quarantined (\d+)(?: \(.*\))?$",
            line,
        ):
            found[match[1]] = [int(one) for one in match.groups()[1:]]
    return found


def test_the_demo_is_ready_answers_stops_on_ctrl_c_and_keeps_its_data(
    state_dir: Path, tmp_path: Path
) -> None:
    own = state_dir / "demo"
    given = {"HUB_DEMO_SUBJECTS": "200", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    answers, times, counts = [], [], []
    for _ in range(2):
        begun = time.monotonic()
        with started(["demo"], given, tmp_path / "errors", within=120) as demo:
            times.append(time.monotonic() - begun)
            assert re.fullmatch(r"Hub ready: http://127\.0\.0\.1:\d+/graphql", demo.lines[-1])
            counts.append(harvested(demo))
            tokens = dict(
                line.split() for line in demo.lines if re.fullmatch(r"[a-z-]+ +[\w-]+\.[\w-]+\.[\w-]+", line)
            )
            assert tuple(tokens) == PARTNERS
            answer = httpx.post(
                demo.url,
                json={"query": CHECK, "variables": {"code": MERCHANT}},
                headers={"authorization": f"Bearer {tokens['mall']}"},
                trust_env=False,
                timeout=10,
            )
            answers.append(answer.json()["data"])
            # A second terminal knows the sources, too.
            beside = credithub("harvest", "TAX", given={"HUB_DEMO": "true", "HUB_STATE_DIR": str(own)})
            assert (beside.returncode, "TAX" in beside.stdout) == (0, True), beside.stderr
            family = [demo.process.pid, *below(demo.process.pid)]
            # The server, its connections' processes, the sandboxes and the worker.
            assert len(family) > 6
            status, seconds = demo.stopped(signal.SIGINT, 20)
            assert status == 0, demo.told
            assert seconds < 10
            assert demo.process.stdout is not None
            assert demo.process.stdout.read() == ""
            assert alive(family) == []
            assert "Traceback" not in demo.told
    assert answers[0] == answers[1] == {"subject": {"displayName": "青海三江源商贸有限公司"}}
    first, second = counts
    assert set(first) == set(second)
    assert sum(stored for _, stored, _, _ in first.values()) > 500
    assert sum(stored for _, stored, _, _ in second.values()) == 0
    assert times[1] < 15
    EmbeddedPostgres(own).destroy()


def test_a_demo_that_is_stopped_before_it_is_ready_ends_with_130_and_leaves_no_process(
    state_dir: Path, tmp_path: Path
) -> None:
    own = state_dir / "hurried"
    given = {"HUB_DEMO_SUBJECTS": "2000", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    with launched(["demo"], given, tmp_path / "errors") as demo:
        end = time.monotonic() + 60
        # The store is there and the sandboxes are coming up.
        while len(demo.children()) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        family = [demo.process.pid, *below(demo.process.pid)]
        status, seconds = demo.stopped(signal.SIGINT, 20)
    assert (status, seconds < 10) == (130, True)
    assert alive(family) == []
    assert "Traceback" not in demo.told
    EmbeddedPostgres(own).destroy()


@pytest.mark.parametrize(
    ("whose", "module"), [("worker", b"hub.commands.worker"), ("sandboxes", b"hub.sandbox.run")]
)
def test_a_demo_that_loses_its_worker_or_its_sandboxes_says_so_and_ends_with_1(
    state_dir: Path, tmp_path: Path, whose: str, module: bytes
) -> None:
    own = state_dir / f"bereft-{whose}"
    given = {"HUB_DEMO_SUBJECTS": "50", "HUB_PORT": "0", "HUB_STATE_DIR": str(own)}
    with started(["demo"], given, tmp_path / "errors", within=120) as demo:
        family = [demo.process.pid, *below(demo.process.pid)]
        (lost,) = [pid for pid in family if module in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(lost, signal.SIGKILL)
        assert demo.process.wait(20) == 1
        assert alive(family) == []
        assert f"credithub: the {whose} of the demo ended unexpectedly (status -9)" in demo.told
        # What is stopped because of it is not lost.
        assert demo.told.count("ended unexpectedly") == 1
        assert "Traceback" not in demo.told
    EmbeddedPostgres(own).destroy()


def test_a_demo_whose_port_is_taken_starts_nothing(state_dir: Path) -> None:
    own = state_dir / "taken"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = {"HUB_PORT": str(taken.getsockname()[1]), "HUB_STATE_DIR": str(own)}
        done = credithub("demo", given=given)
    Done(done.returncode, done.stdout, done.stderr).refused("SETTING_INVALID", "HUB_PORT", "cannot be used")
    assert not own.exists()


# ---- the catalogue of licences and penalties


def _power_list(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("事项编码,事项名称,事项类型,实施依据,实施机关", *rows)), encoding="utf-8")
    return path


def test_r4_1_a_power_list_is_taken_whole_and_its_gaps_are_told(
    shell: Shell, texts: Path, tmp_path: Path
) -> None:
    assert shell("agreements", "apply", texts).status == 0
    one, two = "QH-1,成品油零售,行政许可,令4号,青海省商务厅", "QH-2,罚款,行政处罚,令4号,青海省商务厅"
    path = _power_list(tmp_path / "power.csv", one, two, "QH-3,征收,行政征收,某法,青海省商务厅")
    done = shell("catalogue", "power-list", path, "--unit", "commerce", "--dry-run")
    assert done.out.startswith(
        "commerce: 2 added, 0 changed, 0 ended, 0 unchanged; 1 rows of other kinds left out (dry run"
    )
    assert "2 added" in shell("catalogue", "power-list", path, "--unit", "commerce").out
    path = _power_list(tmp_path / "power.csv", one)
    assert (
        "0 added, 0 changed, 1 ended, 1 unchanged"
        in shell("catalogue", "power-list", path, "--unit", "commerce").out
    )
    shell("catalogue", "power-list", path, "--unit", "nobody").refused("FILE_REFUSED", "nobody")
    told = shell("catalogue", "coverage", "--gaps", tmp_path / "gaps.csv")
    assert "commerce: MISSING QH-1 成品油零售" in told.out
    assert (tmp_path / "gaps.csv").read_text("utf-8-sig").splitlines() == [
        "unit,code,name,kind,gap", "commerce,QH-1,成品油零售,XK,MISSING",
    ]  # fmt: skip
    shell("catalogue", "coverage", "--gaps", tmp_path / "gaps.doc").refused(
        "FILE_REFUSED", ".json, .csv or .xlsx"
    )
    shell(
        "catalogue", "power-list", _power_list(tmp_path / "bad.csv", one, one), "--unit", "commerce"
    ).refused("FILE_REFUSED", "twice")


async def test_r4_5_the_published_catalogue_is_exported_without_formulas_and_without_drafts(
    shell: Shell, store: Database, tmp_path: Path
) -> None:
    standard = load_national_items().edition("CF", date(2026, 11, 23))
    assert standard is not None
    lacking = AcceptedDeviation("MISSING@BZ", "MISSING", "BZ", "备注", "", "zhang", "不用")
    connection = await asyncpg.connect(store.owner_dsn)
    for state, code in (("PUBLISHED", "QH-CF-1"), ("DRAFT", "QH-CF-2")):
        content = Content(
            "=cmd|' /C calc'!A0",
            "CF",
            "令4号",
            "青海省商务厅",
            None,
            None,
            "OWN_SITE",
            date(2026, 1, 1),
            standard.items[:-1],
        )
        details = CatalogDetails(
            code, 1, content, standard.id, (lacking,), "0" * 64, "li", in_force_from=date(2026, 1, 1)
        )
        await connection.execute(
            "INSERT INTO case_file (mechanism, number, data_class, state, owner, opened_at, opened_on, ruleset, details)"
            " VALUES ('CATALOG_ITEM', $1, 'D38', $2, 'commerce', now(), now(), 'T', $3)",
            code, state, to_json(details),
        )  # fmt: skip
    await connection.close()
    (item,) = json.loads(shell("catalogue", "export").out)
    assert (item["code"], item["name"], item["effective_from"]) == (
        "QH-CF-1",
        "=cmd|' /C calc'!A0",
        "2026-01-01",
    )
    assert "QH-CF-1,1,'=cmd" in shell("catalogue", "export", "--format", "csv").out
    rows = json.loads(shell("catalogue", "export", "--data-items").out)
    assert [rows[0]["code"], rows[-1]["code"], rows[-1]["deviations"]] == [
        "CF_XDR_MC",
        "BZ",
        ["MISSING: 备注 →  (不用)"],
    ]
    path = tmp_path / "items.xlsx"
    assert shell("catalogue", "export", "--format", "xlsx", "--output", path).status == 0
    sheet = load_workbook(path).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][1:4] == ["QH-CF-1", 1, "'=cmd|' /C calc'!A0"]
