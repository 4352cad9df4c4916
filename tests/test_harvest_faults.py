"""Sources and stores that fail, files that are wrong, imports that are killed: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from connectors import commerce, tax
from connectors.contract import Refused, Unavailable
from hub.commands.sources import Bars
from hub.errors import StoreUnavailable
from hub.harvest import checkpoints, imports
from hub.harvest.imports import import_files
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import dismiss
from hub.harvest.run import Progress, harvest
from hub.harvest.versions import Totals
from hub.sandbox.names import uscc
from hub.store.embedded import EmbeddedPostgres
from tests.command_line import alive, below
from tests.conftest import Database, copied_store
from tests.harvesting import (
    NO_PAUSE,
    REGISTER,
    Rows,
    contents,
    granted,
    imported,
    one,
    take,
    written,
)
from tests.publicity_files import (
    NOW,
    TOOLS,
    csv_bytes,
    drop,
    license_row,
    penalty_row,
)

pytestmark = pytest.mark.long

# And wait, at most 5,000 ms each, until they are gone.
CUT_WRITERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE usename = 'hub_writer' AND datname = current_database()"
)


@pytest.fixture(autouse=True)
def _found_by_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads a large file is sent a clock of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))


@pytest.fixture
async def second_database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """Another fresh store, to be compared with the first."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


async def test_an_unavailable_source_is_asked_again_from_where_it_stood(database: Database) -> None:
    source = Rows([[granted("1")], Unavailable("away"), [granted("2")]])
    outcome = await harvest(source, database.writer, lambda: NOW, pauses=NO_PAUSE)
    assert (outcome.status, outcome.totals) == ("OK", Totals(2, 2, 0, 0))
    assert source.asked == [None, "1"]


async def test_a_source_that_stays_away_keeps_what_came_and_says_so(database: Database) -> None:
    class Gone(Rows):
        async def harvest(self, cursor: str | None) -> AsyncIterator[Any]:
            self.asked.append(cursor)
            async for batch in Rows([[granted("1")]]).harvest(cursor):
                yield batch
            raise Unavailable("away")

    source = Gone([])
    outcome = await harvest(source, database.writer, lambda: NOW, pauses=NO_PAUSE)
    assert (outcome.status, outcome.totals.stored) == ("UNAVAILABLE", 1)
    assert source.asked == [None, "1", "1"]
    assert await one(database, "SELECT status FROM source_state") == "UNAVAILABLE"


async def test_a_failure_leaves_earlier_facts_fresh_until_twice_the_cycle_has_passed(
    database: Database,
) -> None:
    await take(database, [granted("1")])
    later = NOW + timedelta(days=2)
    await take(database, Unavailable("1"), Unavailable("2"), Unavailable("3"), now=later)
    assert await one(database, "SELECT status FROM source_state") == "OK"
    await take(
        database, Unavailable("1"), Unavailable("2"), Unavailable("3"), now=later + timedelta(seconds=1)
    )
    assert await one(database, "SELECT status FROM source_state") == "STALE"
    assert await one(database, "SELECT as_of FROM source_state") == NOW


async def test_the_store_keeps_since_when_a_source_fails_until_a_harvest_succeeds(database: Database) -> None:
    since, hour = "SELECT failing_since FROM source_state", timedelta(hours=1)
    away = [Unavailable("1"), Unavailable("2"), Unavailable("3")]
    # Before anything was ever read of it.
    await take(database, *away, now=NOW)
    assert await one(database, since) == NOW
    await take(database, [granted("1")], *away, now=NOW + hour)
    assert await one(database, since) == NOW
    await take(database, [granted("1")], now=NOW + 2 * hour)
    assert await one(database, since) is None
    await take(database, Refused("no"), now=NOW + 3 * hour)
    assert await one(database, since) == NOW + 3 * hour
    # Of whom the facts are fresh, partners are told as before.
    assert await one(
        database, "SELECT concat_ws(' ', status, as_of = $1) FROM source_state", NOW + 2 * hour
    ) == ("OK t")


async def test_a_source_that_hangs_is_told_of_while_it_is_asked_again_and_given_up(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://hub@127.0.0.1:{silent.getsockname()[1]}/tax?sslmode=disable"
        source = tax.connect({"HUB_TAX_DATABASE_URL": address}, replace(TOOLS, deadline=0.2))
        begun = time.monotonic()
        outcome = await harvest(source, database.writer, lambda: NOW, Bars(0.2), (0.1, 0.3))
        assert time.monotonic() - begun < 5
    assert (outcome.status, outcome.message) == ("UNAVAILABLE", "the tax database: no answer within 0.2 s")
    assert capsys.readouterr().err.splitlines() == [
        "TAX: the tax database: no answer within 0.2 s; asked again in 0.1 s, given up in about 1 s (2 more tries)",
        "TAX: the tax database: no answer within 0.2 s; asked again in 0.3 s, given up in about 0 s (1 more try)",
    ]


@pytest.mark.parametrize(
    "wrong",
    ["sslmode=verified", "sslmode=verify-full&sslrootcert=/nowhere/authority.pem"],
    ids=["mode", "file"],
)
async def test_an_address_of_the_tax_database_that_cannot_be_followed_is_told_at_once_with_its_setting(
    database: Database, wrong: str
) -> None:
    address = f"postgresql://hub:secret@127.0.0.1:1/tax?{wrong}"
    source = tax.connect({"HUB_TAX_DATABASE_URL": address}, TOOLS)
    outcome = await harvest(source, database.writer, lambda: NOW, None, (0.01,))
    assert outcome.status == "REFUSED"
    assert "HUB_TAX_DATABASE_URL cannot be followed" in outcome.message
    assert "secret" not in outcome.message


async def test_a_tax_database_whose_socket_is_gone_is_only_away(database: Database, tmp_path: Path) -> None:
    source = tax.connect({"HUB_TAX_DATABASE_URL": f"postgresql://hub@/tax?host={tmp_path}"}, TOOLS)
    outcome = await harvest(source, database.writer, lambda: NOW, None, ())
    assert outcome.status == "UNAVAILABLE"


async def test_a_harvest_that_a_defect_ends_has_failed_too(database: Database) -> None:
    class Defective(Rows):
        async def harvest(self, cursor: str | None) -> AsyncIterator[Any]:
            async for batch in super().harvest(cursor):
                yield batch
            raise KeyError("a name that was not foreseen")

    with pytest.raises(KeyError):
        await harvest(Defective([[granted("1")]]), database.writer, lambda: NOW)
    assert await one(database, "SELECT failing_since FROM source_state") == NOW
    assert await one(database, "SELECT count(*) FROM record") == 1


async def test_a_source_of_which_a_file_did_not_come_whole_vouches_for_nothing_until_it_did(
    database: Database, tmp_path: Path
) -> None:
    async def stands(hours: int) -> tuple[str, datetime | None]:
        now = NOW + timedelta(hours=hours)
        connector = commerce.connect({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
        outcome = await harvest(connector, database.writer, lambda: now, pauses=NO_PAUSE)
        assert outcome.status == ("OK" if tmp_path.is_dir() else "REFUSED")
        (row,) = await database.writer.fetch("SELECT status, as_of FROM source_state")
        # Whoever harvests is told as well as whoever asks how sources stand.
        waits = outcome.status == "OK" and row["status"] == "UNAVAILABLE"
        assert ("a whole file waits in quarantine" in outcome.message) is waits
        return row["status"], row["as_of"]

    drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row()]), 1)
    assert await stands(0) == ("OK", NOW)
    drop(tmp_path, "CF_20261101.csv", csv_bytes([penalty_row()]), 2)
    assert await stands(1) == ("UNAVAILABLE", NOW)
    drop(tmp_path, "XK_20261102.csv", csv_bytes([license_row(XK_WSH="2")]), 1)
    assert await stands(2) == ("UNAVAILABLE", NOW)
    away = tmp_path.rename(tmp_path.with_name("away"))
    assert await stands(3) == ("UNAVAILABLE", NOW)
    away.rename(tmp_path)
    drop(tmp_path, "CF_20261101.csv", csv_bytes([penalty_row()]), 1)
    assert await stands(4) == ("OK", NOW + timedelta(hours=4))
    drop(tmp_path, "CF_20261103.csv", csv_bytes([penalty_row(CF_WSH="2")]), 2)
    assert await stands(5) == ("UNAVAILABLE", NOW + timedelta(hours=4))
    (waiting,) = await list_quarantined(database.writer)
    await dismiss(database.writer, waiting.quarantine_id, "值班员", "测试文件", NOW)
    assert await stands(6) == ("OK", NOW + timedelta(hours=6))


async def test_a_file_named_in_another_encoding_is_taken_and_holds_up_no_other(
    database: Database, tmp_path: Path
) -> None:
    """As a client of another system names it: 行政许可 in GB18030."""
    foreign = tmp_path / os.fsdecode("行政许可_20261101.csv".encode("gb18030"))
    drop(tmp_path, foreign.name, csv_bytes([license_row(), license_row(XK_WSH="2", XK_ZT="9")]), 2)
    drop(tmp_path, "z.csv", csv_bytes([license_row(XK_WSH="3")]), 1)
    connector = commerce.connect({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    outcome = await harvest(connector, database.writer, lambda: NOW, pauses=NO_PAUSE)
    assert (outcome.status, outcome.totals) == ("OK", Totals(3, 2, 0, 1))
    origin = await one(database, "SELECT origin FROM quarantine")
    assert origin.startswith("行政许可_20261101.csv@")
    again = await harvest(connector, database.writer, lambda: NOW, pauses=NO_PAUSE)
    assert again.totals.read == 0
    (given,) = await import_files([foreign], TOOLS, database.writer)
    assert (given.status, given.name) == ("OK", "行政许可_20261101.csv")


async def test_a_refusal_ends_the_harvest_at_once(database: Database) -> None:
    source = Rows([[granted("1")], Refused("no"), [granted("2")]])
    outcome = await harvest(source, database.writer, lambda: NOW, pauses=NO_PAUSE)
    assert (outcome.status, outcome.totals.stored, len(source.asked)) == ("REFUSED", 1, 1)


async def test_a_batch_whose_checkpoint_fails_is_not_stored(database: Database) -> None:
    await database.writer.execute(
        "INSERT INTO source_state (source, status, checked_at, rows_read) VALUES ($1, 'OK', now(), 9223372036854775807)",
        REGISTER.name,
    )
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await take(database, [granted("1")])
    assert (
        await one(database, "SELECT count(*) FROM record")
        + await one(database, "SELECT count(*) FROM subject")
        == 0
    )


async def test_two_harvests_of_a_source_do_not_run_at_once_and_lose_nothing(database: Database) -> None:
    rows = [[granted(f"{batch}-{n}") for n in range(50)] for batch in range(4)]
    both = await asyncio.gather(*(harvest(Rows(list(rows)), database.writer, lambda: NOW) for _ in range(2)))
    assert sum((outcome.totals for outcome in both), Totals()).stored == 200
    assert await one(database, "SELECT count(*) FROM record") == 200


async def test_a_store_that_goes_away_is_said_so_and_the_next_harvest_goes_on(database: Database) -> None:
    class Breaking(Rows):
        async def harvest(self, cursor: str | None) -> AsyncIterator[Any]:
            async for batch in super().harvest(cursor):
                yield batch
                if batch.cursor == "2":
                    owner = await asyncpg.connect(database.superuser_dsn)
                    await owner.execute(CUT_WRITERS)
                    await owner.close()

    rows = [[granted(f"{batch}-{n}") for n in range(20)] for batch in range(4)]
    with pytest.raises(StoreUnavailable):
        await harvest(Breaking(list(rows)), database.writer, lambda: NOW)
    await harvest(Rows(list(rows)), database.writer, lambda: NOW)
    assert await one(database, "SELECT count(*) FROM record") == 80
    assert await one(database, "SELECT rows_read FROM source_state") == 80


async def test_a_connection_cut_while_it_rested_is_replaced_before_the_harvest_begins(
    database: Database,
) -> None:
    async def cut() -> None:
        owner = await asyncpg.connect(database.superuser_dsn)
        await owner.execute(CUT_WRITERS)
        await owner.close()

    await one(database, "SELECT 1")
    # The loop is held meanwhile, so that the pool hears nothing of it.
    with ThreadPoolExecutor() as elsewhere:
        elsewhere.submit(asyncio.run, cut()).result()
    outcome = await harvest(Rows([[granted("1")]]), database.writer, lambda: NOW)
    assert (outcome.status, outcome.totals.stored) == ("OK", 1)


async def test_an_imported_file_is_recognized_and_read_again_only_when_asked(
    database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, license_row(), license_row(XK_XDR_SHXYM="9.163E+17"))
    assert (await imported(database, path)).totals == Totals(2, 1, 0, 1)
    taken = await imported(database, path.rename(tmp_path / "renamed.csv"))
    assert (taken.status, taken.totals) == ("TAKEN", Totals(2, 1, 0, 1))
    assert (await imported(database, tmp_path / "renamed.csv", again=True)).totals == Totals(2, 0, 1, 1)
    state = await database.writer.fetchrow("SELECT rows_read, rows_quarantined FROM source_state")
    assert state is not None
    assert tuple(state) == (4, 2)


async def test_one_file_by_hand_does_not_make_a_source_fresh_whose_harvest_fails(
    database: Database, tmp_path: Path
) -> None:
    state = "SELECT concat_ws(' ', status, as_of IS NULL) FROM source_state WHERE source = 'COMMERCE'"
    async with database.writer.acquire() as connection:
        await checkpoints.note_failure(connection, commerce.SOURCE, NOW)
    files = [written(tmp_path, penalty_row())]
    (outcome,) = await import_files(files, TOOLS, database.writer, harvested=True)
    assert (outcome.status, await one(database, state)) == ("OK", "UNAVAILABLE t")
    # Where files are all that comes of it, they are how fresh it is.
    (outcome,) = await import_files(files, TOOLS, database.writer, again=True)
    assert (outcome.status, await one(database, state)) == ("OK", "OK f")


async def test_an_unusable_file_is_refused_and_the_next_one_imported(
    database: Database, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"a,b\n1,2\n")
    good = written(tmp_path, penalty_row(), encoding="gb18030")
    first, second = await import_files([bad, good], TOOLS, database.writer)
    assert (first.status, first.message.partition(":")[0]) == ("REFUSED", "FILE_HEADER")
    assert second.totals == Totals(1, 1, 0, 0)
    assert await one(database, "SELECT fine_amount FROM record") == Decimal("10000.00")


def dirty_file(tmp_path: Path, rows: int) -> Path:
    """A file of licences, every eleventh of them wrong, every seventh a repetition."""
    codes = [uscc("91", "630103", 1_000_000 + n) for n in range(rows // 5)]
    made = []
    for n in range(rows):
        changes = {"XK_XDR_SHXYM": codes[n % len(codes)], "XK_XDR_MC": f"青海商贸{n % len(codes)}有限公司"}
        changes |= {"XK_WSH": f"{n - n % 7 % 2}号", "XK_XKBH": f"JY{n}"}
        made.append(license_row(**changes, **({"XK_JDRQ": "昨天"} if n % 11 == 0 else {})))
    return written(tmp_path, *made, name="XK_20261101.csv", encoding="gb18030")


def readers_of(pid: int) -> list[int]:
    """The processes that read a file for this one."""
    return [
        one for one in below(pid) if b"hub.harvest.understanding" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


async def test_a_reader_that_is_killed_leaves_what_it_told_and_the_import_goes_on_from_there(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = dirty_file(tmp_path, 12_000), []
    monkeypatch.setattr(imports, "LARGE_BYTES", 1)

    def kill(state: Progress) -> None:
        # What it told before is stored, and told of, after its end.
        if state.totals.read and not seen:
            seen.extend(readers_of(os.getpid()))
            os.kill(seen[0], signal.SIGKILL)

    (cut,) = await import_files([path], TOOLS, database.writer, kill)
    assert (cut.status, cut.message) == ("UNAVAILABLE", "the process that reads the file has ended")
    assert 0 < cut.totals.read < 12_000
    assert cut.totals.read == await one(database, "SELECT rows_read FROM source_state")
    whole = await imported(database, path)
    assert (whole.status, whole.totals.read) == ("OK", 12_000)
    assert not alive(seen)


async def test_a_reader_beside_refuses_in_the_same_words_and_ends_with_whoever_waits_for_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"a,b\n1,2\n")
    here = await imported(database, bad)
    monkeypatch.setattr(imports, "LARGE_BYTES", 1)
    assert await imported(database, bad) == here
    told = asyncio.Event()

    def tell(state: Progress) -> None:
        if state.totals.read:
            told.set()

    running = asyncio.create_task(import_files([dirty_file(tmp_path, 12_000)], TOOLS, database.writer, tell))
    await asyncio.wait_for(told.wait(), 30)
    (reader,) = readers_of(os.getpid())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive([reader])


async def test_an_import_killed_again_and_again_ends_as_one_that_was_not(
    database: Database, second_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dirty_file(tmp_path, 40_000)
    # What is killed reads in a process beside it; what that gives is the same.
    assert path.stat().st_size > imports.LARGE_BYTES
    with monkeypatch.context() as patched:
        patched.setattr(imports, "LARGE_BYTES", sys.maxsize)
        whole = await imported(second_database, path)
    chance = random.Random(7)
    kills, readers = 0, []
    for _ in range(40):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.harvesting", database.writer_dsn, str(path)),
            cwd=Path(__file__).parent.parent,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        said = await process.stdout.readline()
        if said.startswith(b"read") and kills < 8:
            await asyncio.sleep(chance.random() * 0.8)
            if process.returncode is None:
                readers += readers_of(process.pid)
                process.kill()
                kills += 1
        rest = await process.stdout.read()
        await process.wait()
        if rest.endswith(b"OK\n") or said == b"OK\n":
            break
    assert kills >= 5
    assert len(readers) >= 3
    assert not alive(readers)
    assert whole.totals.read == 40_000
    assert await contents(database.writer) == await contents(second_database.writer)
    again = await imported(database, path)
    assert (again.status, again.totals) == ("TAKEN", whole.totals)


async def test_a_firm_may_have_thousands_of_decisions_of_one_day_that_come_written_otherwise(
    database: Database, tmp_path: Path
) -> None:
    """Each row was held against each that stands: the store gave the second file up."""
    for number, written_as in enumerate(("青商罚〔2026〕{:06}号", "青商罚[2026]{:06}号")):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(csv_bytes([penalty_row(CF_WSH=written_as.format(n)) for n in range(2500)]))
        (outcome,) = await import_files([path], TOOLS, database.writer)
        assert (outcome.status, outcome.totals.read) == ("OK", 2500)
    assert await one(database, "SELECT count(*)::text FROM record WHERE superseded_at IS NULL") == "2500"
