"""The harvest: versions, subjects, cursors and quarantine; nothing lost, nothing twice, killed or not."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from connectors.commerce import connect as connect_commerce
from connectors.contract import Kind, Refused, Unavailable
from hub.errors import BadUserInput, SourceUnknown, StoreUnavailable
from hub.harvest.imports import import_files
from hub.harvest.quarantine import fields_of, list_quarantined, quarantined
from hub.harvest.replay import replay
from hub.harvest.run import Outcome, Progress, harvest, harvest_all
from hub.harvest.versions import Totals
from hub.sandbox.names import uscc
from hub.store.embedded import EmbeddedPostgres
from schema.persons import hmac_sm3
from tests.conftest import Database, copied_store
from tests.harvesting import REGISTER, Rows, contents, row
from tests.publicity_files import (
    COLLECTIVE,
    FIRM,
    KEY,
    NOW,
    OTHER_FIRM,
    PERSON,
    RESIDENT_ID,
    TOOLS,
    csv_bytes,
    drop,
    license_row,
    penalty_row,
)

NO_PAUSE = (0.0, 0.0)


def granted(
    number: str, code: str = FIRM, name: str = "青海三江源商贸有限公司", **values: Any
) -> dict[str, Any]:
    """A licence of the test's source."""
    values = {"title": "食品经营许可", "decided_on": "2026-05-10", **values}
    return row(number, Kind.LICENSE, name, [("USCC", code)], **values)


@pytest.fixture
async def second_database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """Another fresh store, to be compared with the first."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


async def take(database: Database, *batches: Any, now: datetime = NOW) -> Outcome:
    """Harvest `batches` from the beginning, whatever was harvested before."""
    await database.writer.execute("UPDATE source_state SET cursor = NULL")
    return await harvest(Rows(list(batches)), database.writer, lambda: now, pauses=NO_PAUSE)


async def one(database: Database, query: str, *values: object) -> Any:
    """The first column of the first row."""
    return await database.writer.fetchval(query, *values)


async def imported(database: Database, path: Path, again: bool = False) -> Outcome:
    """The outcome of importing one file."""
    (outcome,) = await import_files([path], TOOLS, database.writer, again=again)
    return outcome


def written(tmp_path: Path, *rows: dict[str, str], name: str = "f.csv", encoding: str = "utf-8") -> Path:
    """A file of `rows`."""
    path = tmp_path / name
    path.write_bytes(csv_bytes(rows, encoding))
    return path


async def test_a_row_is_stored_once_and_a_redelivery_changes_nothing(database: Database) -> None:
    assert (await take(database, [granted("1")])).totals == Totals(1, 1, 0, 0)
    before = await database.writer.fetch("SELECT * FROM record")
    assert (await take(database, [granted("1")], now=NOW + timedelta(days=1))).totals == Totals(1, 0, 1, 0)
    assert await database.writer.fetch("SELECT * FROM record") == before


async def test_a_changed_row_supersedes_and_the_old_version_stays(database: Database) -> None:
    await take(database, [granted("1")])
    await take(database, [granted("1", title="改正")], now=NOW + timedelta(days=1))
    old, new = await database.writer.fetch("SELECT * FROM record ORDER BY version_id")
    assert (old["title"], new["title"]) == ("食品经营许可", "改正")
    assert old["public_id"] == new["public_id"]
    assert old["superseded_at"] == new["recorded_at"] == NOW + timedelta(days=1)
    assert new["superseded_at"] is None


async def test_rows_of_one_batch_are_taken_in_order(database: Database) -> None:
    batch = [
        granted("1", title="一"),
        granted("1", title="二"),
        granted("1", title="二"),
        granted("1", title="一"),
    ]
    assert (await take(database, batch)).totals == Totals(4, 3, 1, 0)
    titles = await database.writer.fetch("SELECT title, superseded_at FROM record ORDER BY version_id")
    assert [(title, ended is None) for title, ended in titles] == [("一", False), ("二", False), ("一", True)]
    assert await one(database, "SELECT count(DISTINCT public_id) FROM record") == 1


async def test_a_withdrawn_row_ends_the_fact_and_leaves_the_subject(database: Database) -> None:
    await take(database, [granted("1"), granted("2")])
    gone = [granted("1", deleted=True), granted("9", deleted=True)]
    assert (await take(database, gone)).totals == Totals(2, 1, 1, 0)
    assert await one(database, "SELECT count(*) FROM record WHERE superseded_at IS NULL") == 1
    assert await one(database, "SELECT count(*) FROM subject") == 1
    # It comes back under the public id by which callers know it.
    await take(database, [granted("1", title="恢复")])
    assert (
        await one(database, "SELECT count(DISTINCT public_id) FROM record WHERE source_record_id = '1'") == 1
    )


async def test_an_older_state_delivered_again_undoes_nothing(database: Database) -> None:
    old = granted("1", title="旧", updated="2026-05-01T00:00:00+08:00")
    await take(database, [granted("1", title="新", updated="2026-06-01T00:00:00+08:00")])
    assert (await take(database, [old])).totals == Totals(1, 0, 1, 0)
    assert await one(database, "SELECT title FROM record") == "新"
    gone = granted("1", deleted=True, updated="2026-07-01T00:00:00+08:00")
    await take(database, [gone, granted("1", title="新", updated="2026-06-01T00:00:00+08:00")])
    assert await one(database, "SELECT count(*) FROM record WHERE superseded_at IS NULL") == 0


async def test_the_equation_holds_and_is_printed(database: Database) -> None:
    batch = [granted("1"), granted("1"), row("2", Kind.LICENSE, "某", [("USCC", "9.163E+17")], title="x")]
    outcome = await take(database, batch)
    assert str(outcome.totals) == "read 3 = stored 1 + unchanged 1 + quarantined 1"
    state = await database.writer.fetchrow("SELECT * FROM source_state")
    assert state is not None
    assert (state["rows_read"], state["rows_stored"], state["rows_unchanged"], state["rows_quarantined"]) == (
        3,
        1,
        1,
        1,
    )
    assert (state["status"], state["as_of"], state["cursor"]) == ("OK", NOW, "1")


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"identifiers": [["USCC", "9.163E+17"]]}, "USCC_SCIENTIFIC"),
        ({"identifiers": [["USCC", "91630103MA75ABCD1N"]]}, "USCC_CHECK"),
        ({"identifiers": [["USCC", "91630103MA75ABCDIM"]]}, "USCC_ALPHABET"),
        ({"identifiers": [["USCC", "9163"]]}, "USCC_LENGTH"),
        # A right old number must not decide in the place of a wrong code.
        ({"identifiers": [["USCC", "91630103MA75ABCD1N"], ["CUSTOMS_CODE", "6301960A01"]]}, "USCC_CHECK"),
        ({"identifiers": [["USCC", "0" * 17 + "X"]]}, "NO_KEY"),
        ({"identifiers": []}, "NO_KEY"),
        ({"identifiers": [["USCC", RESIDENT_ID]]}, "USCC_RESIDENT_ID"),
        ({"identifiers": [["TAXPAYER_ID", RESIDENT_ID]]}, "NO_KEY"),
        ({"identifiers": [["FINGERPRINT", "1"]]}, "UNKNOWN_SCHEME"),
        ({"identifiers": [["RESIDENT_ID", "a" * 64]]}, "KIND_IDENTIFIER"),
        (
            {"identifiers": [["RESIDENT_ID", RESIDENT_ID]], "subject_kind": "NATURAL_PERSON"},
            "PERSON_NUMBER_IN_CLEAR",
        ),
        ({"name": " "}, "MISSING"),
        ({"title": None}, "MISSING"),
        ({"decided_on": None}, "MISSING"),
        ({"title": 5}, "WRONG_TYPE"),
        ({"colour": "red"}, "UNKNOWN_COLUMN"),
        ({"lifecycle": "ALIVE"}, "UNKNOWN_VALUE"),
        ({"item": "ELSE"}, "UNKNOWN_ITEM"),
        ({"authority_uscc": "11630000000015122B"}, "AUTHORITY_CODE"),
        ({"title": "a\x00b"}, "NOT_TEXT"),
        ({"title": f"公民{RESIDENT_ID}的许可"}, "PERSON_NUMBER_IN_TEXT"),
        ({"title": "公民630103 19900307 0016的许可"}, "PERSON_NUMBER_IN_TEXT"),
        ({"details": {"content": "联系电话13897654321"}}, "CONTACT_IN_TEXT"),
        ({"details": {"content": "账号6222020200112233446"}}, "CONTACT_IN_TEXT"),
        ({"reject": "THE_CONNECTORS_CODE"}, "THE_CONNECTORS_CODE"),
        ({"crash": "x"}, "CONNECTOR_DEFECT"),
    ],
)
async def test_what_is_not_understood_is_quarantined_with_code_and_bytes(
    database: Database, bad: dict[str, Any], code: str
) -> None:
    outcome = await take(database, [granted("1"), {**granted("2"), **bad}])
    assert outcome.totals == Totals(2, 1, 0, 1)
    (waiting,) = await list_quarantined(database.writer)
    assert (waiting.reason_code, waiting.origin, waiting.position) == (code, "register", "2")
    found = await quarantined(database.writer, waiting.quarantine_id)
    assert found is not None
    assert RESIDENT_ID.encode() not in found[1]
    assert RESIDENT_ID not in waiting.reason


async def test_a_subject_is_one_by_its_code_whatever_its_name_and_never_by_its_name(
    database: Database,
) -> None:
    await take(
        database,
        [granted("1", FIRM, "甲公司"), granted("2", FIRM, "乙公司"), granted("3", OTHER_FIRM, "甲公司")],
    )
    names = await database.writer.fetch("SELECT uscc, display_name FROM subject ORDER BY uscc")
    assert [tuple(name) for name in names] == [(OTHER_FIRM, "甲公司"), (FIRM, "甲公司")]


async def test_a_code_in_full_width_with_blanks_is_the_same_subject(database: Database) -> None:
    wide = FIRM.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    await take(database, [granted("1"), granted("2", wide), granted("3", f"{FIRM[:4]} {FIRM[4:].lower()}")])
    assert await one(database, "SELECT count(*) FROM subject") == 1


async def test_the_organization_code_inside_a_code_joins_older_records(database: Database) -> None:
    older = row("2", Kind.LICENSE, "某", [("ORG_CODE", "MA75ABCD-1")], title="旧", decided_on="2014-01-01")
    await take(database, [granted("1")], [older])
    assert await one(database, "SELECT count(*) FROM subject") == 1


async def test_a_subject_known_by_an_old_number_is_given_its_code_when_a_row_names_both(
    database: Database,
) -> None:
    number = ("CUSTOMS_CODE", "6301960A01")
    await take(
        database,
        [row("1", Kind.LICENSE, "某", [number], title="一", decided_on="2014-01-01")],
        [row("2", Kind.LICENSE, "某", [("USCC", COLLECTIVE), number], title="二", decided_on="2024-01-01")],
    )
    assert await one(database, "SELECT count(*) FROM subject") == 1
    assert await one(database, "SELECT uscc FROM subject") == COLLECTIVE


async def test_numbers_of_different_subjects_in_one_row_are_a_conflict(database: Database) -> None:
    first, second = ("CUSTOMS_CODE", "6301960A01"), ("BUSINESS_REG_NO", "6301001200001")
    old = {"title": "x", "decided_on": "2014-01-01"}
    rows = [row("1", Kind.LICENSE, "甲", [first], **old), row("2", Kind.LICENSE, "乙", [second], **old)]
    await take(database, rows, [row("3", Kind.LICENSE, "丙", [first, second], **old)])
    assert [waiting.reason_code for waiting in await list_quarantined(database.writer)] == ["KEY_CONFLICT"]


async def test_a_registered_name_is_not_overwritten_by_a_licence_and_is_by_a_later_registration(
    database: Database,
) -> None:
    def registration(name: str, **values: Any) -> dict[str, Any]:
        return row(
            "r", Kind.REGISTRATION, name, [("USCC", FIRM)], display_name=name, region="630122", **values
        )

    await take(
        database,
        [granted("1", name="招牌名")],
        [registration("青海三江源商贸有限公司", registration_status="存续")],
    )
    await take(database, [granted("2", name="另一个招牌")])
    subject = await database.writer.fetchrow("SELECT * FROM subject")
    assert subject is not None
    assert (subject["display_name"], subject["registration_status"]) == ("青海三江源商贸有限公司", "存续")
    # 湟中县 has been 湟中区 since 2019.
    assert subject["region_code"] == "630106"
    assert (
        await one(database, "SELECT details->'flags' FROM record WHERE source_record_id = '2'")
        == '["NAME_DIFFERS"]'
    )
    await take(database, [registration("青海三江源集团有限公司", registration_status="存续")])
    assert await one(database, "SELECT display_name FROM subject") == "青海三江源集团有限公司"
    assert await one(database, "SELECT name_key FROM subject") == "青海三江源集团有限公司"
    assert await one(database, "SELECT count(*) FROM registration") == 2


async def test_a_person_is_known_by_a_digest_and_has_no_name_to_be_found_by(
    database: Database, tmp_path: Path
) -> None:
    assert (await imported(database, written(tmp_path, license_row(**PERSON)))).totals.stored == 1
    assert await one(database, "SELECT kind FROM subject") == "NATURAL_PERSON"
    assert await one(database, "SELECT name_key FROM subject") == ""
    kept = await database.writer.fetchrow("SELECT scheme, value, data_class FROM identifier")
    assert kept is not None
    assert tuple(kept) == ("RESIDENT_ID", hmac_sm3(KEY, RESIDENT_ID), "D3")
    assert await one(database, "SELECT data_class FROM record") == "D5"


def fined(kind: str, **values: Any) -> dict[str, Any]:
    """A penalty of the test's source."""
    values = {
        "identifiers": [("USCC", FIRM)],
        "title": "x",
        "decided_on": "2026-05-10",
        "categories": [kind],
        **values,
    }
    return row("1", Kind.PENALTY, "某", **values)


PERSON_FINED = fined("罚款", identifiers=[("RESIDENT_ID", "a" * 64)], subject_kind="NATURAL_PERSON")


@pytest.mark.parametrize(
    ("item", "data_class", "until"),
    [
        (granted("1", valid_to="2031-05-09"), "D4", date(2031, 5, 9)),
        (granted("1"), "D4", None),
        (fined("罚款"), "D6", date(2027, 5, 10)),
        (fined("警告"), "D7", date(2026, 8, 10)),
        (fined("罚款", simple_procedure=True), "D7", date(2026, 8, 10)),
        (fined("吊销执照"), "D6", date(2029, 5, 10)),
        (fined("谜"), "D6", date(2027, 5, 10)),
        (PERSON_FINED, "D8", date(2027, 5, 10)),
    ],
)
async def test_class_and_last_day_of_use_follow_from_kind_subject_and_rules(
    database: Database, item: dict[str, Any], data_class: str, until: date | None
) -> None:
    await take(database, [item])
    stored = await database.writer.fetchrow("SELECT data_class, usable_until, lifecycle FROM record")
    assert stored is not None
    assert tuple(stored) == (data_class, until, "EFFECTIVE")


async def test_an_authority_may_end_publicity_earlier_than_the_rules_but_not_later(
    database: Database, tmp_path: Path
) -> None:
    rows = [
        penalty_row(CF_WSH="1号", CF_GSJZQ="2026/12/01"),
        penalty_row(CF_WSH="2号", CF_GSJZQ="2029/12/01"),
    ]
    await imported(database, written(tmp_path, *rows))
    ends = await database.writer.fetch("SELECT usable_until FROM record ORDER BY document_number")
    assert [end for (end,) in ends] == [date(2026, 12, 1), date(2027, 5, 10)]


async def test_entries_grades_and_archives_find_their_tables_and_classes(database: Database) -> None:
    entry: dict[str, Any] = {"list_code": "TAX-SERIOUS", "state": "PUBLISHED", "recognized_on": "2026-01-31"}
    grade: dict[str, Any] = {
        "scheme": "TAX",
        "ruleset_version": "TAX-2025",
        "issuer_name": "税务局",
        "effective_from": "2026-04-20",
    }
    firm = [("USCC", FIRM)]
    outcome = await take(
        database,
        [
            row("1", Kind.LIST_ENTRY, "某", firm, **entry),
            row("2", Kind.LIST_ENTRY, "某", firm, **{**entry, "list_code": "SW-WATCH"}),
            row("3", Kind.LIST_ENTRY, "某", firm, **{**entry, "list_code": "NOWHERE"}),
            row("4", Kind.LIST_ENTRY, "某", firm, **{**entry, "color": "RED"}),
            row("5", Kind.GRADE, "某", firm, **grade, grade_code="A", grade_label="A级"),
            row("6", Kind.GRADE, "某", firm, **grade, grade_code="M", grade_label="M级"),
            row(
                "7",
                Kind.GRADE,
                "某",
                firm,
                **{**grade, "scheme": "STARS"},
                grade_code="5",
                grade_label="五星",
            ),
            row(
                "8",
                Kind.ARCHIVE,
                "某",
                firm,
                archive_type="MEMBER",
                keeper_name="商会",
                items=[{"code": "x"}],
            ),
        ],
    )
    assert outcome.totals == Totals(8, 5, 0, 3)
    entries = await database.writer.fetch(
        "SELECT data_class, color, publicity_ends_on FROM list_entry ORDER BY 1"
    )
    assert [tuple(found) for found in entries] == [
        ("D10", "BLACK", date(2029, 1, 31)),
        ("D12", "WATCH", date(2028, 1, 31)),
    ]
    assert [found[0] for found in await database.writer.fetch("SELECT data_class FROM grade ORDER BY 1")] == [
        "D16",
        "D17",
    ]
    assert await one(database, "SELECT data_class FROM archive") == "D24"
    assert {w.reason_code for w in await list_quarantined(database.writer)} == {
        "UNKNOWN_LIST",
        "LIST_COLOR",
        "NO_DATA_CLASS",
    }


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
                    await owner.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE usename = 'hub_writer' AND datname = current_database()"
                    )
                    await owner.close()

    rows = [[granted(f"{batch}-{n}") for n in range(20)] for batch in range(4)]
    with pytest.raises(StoreUnavailable):
        await harvest(Breaking(list(rows)), database.writer, lambda: NOW)
    await harvest(Rows(list(rows)), database.writer, lambda: NOW)
    assert await one(database, "SELECT count(*) FROM record") == 80
    assert await one(database, "SELECT rows_read FROM source_state") == 80


async def test_harvest_all_names_what_is_not_connected(database: Database, tmp_path: Path) -> None:
    settings = {"HUB_COMMERCE_DIR": str(tmp_path)}
    drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row()]), 1)
    told: list[Progress] = []
    (outcome,) = await harvest_all(["commerce"], settings, TOOLS, database.writer, told.append)
    assert (outcome.name, outcome.totals) == ("COMMERCE", Totals(1, 1, 0, 0))
    assert told[0].expected == 1
    with pytest.raises(SourceUnknown, match="there are: COMMERCE"):
        await harvest_all(["WEATHER"], settings, TOOLS, database.writer)


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


async def test_a_corrected_row_is_replayed(database: Database, tmp_path: Path) -> None:
    path = written(
        tmp_path, license_row(XK_XDR_SHXYM="9.163E+17"), license_row(XK_WSH="2号", XK_YXQZI="2001/01/01")
    )
    await imported(database, path)
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    dates, code = await list_quarantined(database.writer, "COMMERCE")
    found = await quarantined(database.writer, code.quarantine_id)
    assert found is not None
    fields = fields_of(connector, found[1])
    assert fields is not None
    assert fields["XK_XDR_MC"] == "青海三江源商贸有限公司"
    # Wrong again: it stays.
    still = await replay(
        database.writer, connector, code.quarantine_id, {"XK_XDR_SHXYM": FIRM[:-1]}, lambda: NOW
    )
    assert still is not None
    assert still.code == "USCC_LENGTH"
    assert (
        await replay(database.writer, connector, code.quarantine_id, {"XK_XDR_SHXYM": FIRM}, lambda: NOW)
        is None
    )
    assert await list_quarantined(database.writer) == [dates]
    with pytest.raises(BadUserInput):
        await replay(database.writer, connector, code.quarantine_id, {}, lambda: NOW)
    state = await database.writer.fetchrow(
        "SELECT rows_read, rows_stored, rows_quarantined FROM source_state"
    )
    assert state is not None
    assert tuple(state) == (2, 1, 1)


async def test_a_quarantined_persons_row_is_replayed_with_the_number_given_again(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, written(tmp_path, license_row(**PERSON, XK_XKLB="?")))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)
    found = await quarantined(database.writer, waiting.quarantine_id)
    assert found is not None
    assert RESIDENT_ID.encode() not in found[1]
    masked = await replay(database.writer, connector, waiting.quarantine_id, {"XK_XKLB": "普通"}, lambda: NOW)
    assert masked is not None
    assert masked.code == "PERSON_NUMBER"
    corrected = {"XK_XKLB": "普通", "XK_XDR_ZJHM": RESIDENT_ID}
    assert await replay(database.writer, connector, waiting.quarantine_id, corrected, lambda: NOW) is None


async def test_texts_with_contacts_are_stored_once_a_person_has_cleared_them(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, written(tmp_path, penalty_row(CF_SY="服务热线13897654321未公示")))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)
    assert waiting.reason_code == "CONTACT_IN_TEXT"
    assert (
        await replay(database.writer, connector, waiting.quarantine_id, {}, lambda: NOW, cleared=True) is None
    )
    assert await one(database, "SELECT count(*) FROM record") == 1


async def test_a_row_that_its_source_corrects_leaves_the_quarantine(database: Database) -> None:
    await take(database, [{**granted("1"), "reject": "NOT_YET"}])
    assert len(await list_quarantined(database.writer)) == 1
    await take(database, [granted("1")])
    assert await list_quarantined(database.writer) == []
    assert [waiting.replayed_at for waiting in await list_quarantined(database.writer, every=True)] == [NOW]


def dirty_file(tmp_path: Path, rows: int) -> Path:
    """A file of licences, every eleventh of them wrong, every seventh a repetition."""
    codes = [uscc("91", "630103", 1_000_000 + n) for n in range(rows // 5)]
    made = []
    for n in range(rows):
        changes = {"XK_XDR_SHXYM": codes[n % len(codes)], "XK_XDR_MC": f"青海商贸{n % len(codes)}有限公司"}
        changes |= {"XK_WSH": f"{n - n % 7 % 2}号", "XK_XKBH": f"JY{n}"}
        made.append(license_row(**changes, **({"XK_JDRQ": "昨天"} if n % 11 == 0 else {})))
    return written(tmp_path, *made, name="XK_20261101.csv", encoding="gb18030")


async def test_an_import_killed_again_and_again_ends_as_one_that_was_not(
    database: Database, second_database: Database, tmp_path: Path
) -> None:
    path = dirty_file(tmp_path, 40_000)
    whole = await imported(second_database, path)
    chance = random.Random(7)
    kills = 0
    for _ in range(40):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.harvesting", database.writer_dsn, str(path)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        said = await process.stdout.readline()
        if said.startswith(b"read") and kills < 8:
            await asyncio.sleep(chance.random() * 0.8)
            if process.returncode is None:
                process.kill()
                kills += 1
        rest = await process.stdout.read()
        await process.wait()
        if rest.endswith(b"OK\n") or said == b"OK\n":
            break
    assert kills >= 5
    assert whole.totals.read == 40_000
    assert await contents(database.writer) == await contents(second_database.writer)
    again = await imported(database, path)
    assert (again.status, again.totals) == ("TAKEN", whole.totals)
