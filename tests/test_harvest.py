"""The harvest: versions of facts, their classes and last days of use, and the equation that nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from connectors import forex
from connectors.contract import Kind
from connectors.credit_platform import BLACK
from hub.casework.facts import write_fact
from hub.casework.machine import ChangedFact
from hub.errors import SourceUnknown
from hub.harvest import run
from hub.harvest.quarantine import list_quarantined
from hub.harvest.run import Progress, harvest, harvest_all
from hub.harvest.versions import Totals
from hub.rules.listing import load_list_rules
from hub.sandbox.drop import write as drop_rows
from hub.sandbox.investment import FOREX_COLUMNS
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from tests.casework.test_repair_results import Window
from tests.conftest import Database
from tests.harvesting import (
    fined,
    granted,
    imported,
    one,
    row,
    take,
    written,
)
from tests.publicity_files import (
    FIRM,
    NOW,
    TOOLS,
    csv_bytes,
    drop,
    license_row,
    penalty_row,
)
from tests.test_database import connected, fresh, migrated_before


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


@pytest.mark.parametrize(("state", "marked"), [("MARKED", True), ("REJECTED", False)])
async def test_the_mark_of_an_objection_under_way_outlives_a_changed_row(
    database: Database, state: str, marked: bool
) -> None:
    await take(database, [granted("1")])
    await database.writer.execute(
        "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, ruleset,"
        " details, target_public_id) SELECT 'OBJECTION', 'YY-1', subject_id, 'D36', $1, 'commerce', $2::timestamptz,"
        " $2::timestamptz::date, 'T', '{}', public_id FROM record",
        state,
        NOW,
    )
    await take(database, [granted("1", title="改正")], now=NOW + timedelta(days=1))
    found = await database.writer.fetchrow("SELECT * FROM record WHERE superseded_at IS NULL")
    assert found is not None
    assert found["title"] == "改正"
    assert found["under_objection"] is marked
    assert found["lifecycle"] == ("UNDER_OBJECTION" if marked else "EFFECTIVE")


async def test_a_penalty_that_a_later_file_tells_as_revoked_is_revoked_under_its_id(
    database: Database, tmp_path: Path
) -> None:
    states = {"PUBLICSTATUS": "公示中", "撤销原因": "", "PUBLIC_END_DATE": "2026/08/10"}
    await imported(database, written(tmp_path, penalty_row(**states), name="CF_20260801.csv"))
    states |= {"PUBLICSTATUS": "撤销", "撤销原因": "行政复议撤销原处罚决定"}
    await imported(database, written(tmp_path, penalty_row(**states), name="CF_20260802.csv"))
    old, new = await database.writer.fetch("SELECT * FROM record ORDER BY version_id")
    assert (old["lifecycle"], new["lifecycle"]) == ("EFFECTIVE", "REVOKED")
    assert old["usable_until"] == date(2026, 8, 10)
    assert old["public_id"] == new["public_id"]
    assert old["superseded_at"] is not None


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


@pytest.mark.parametrize("changed", ["乙公司", "甲公司"])
async def test_a_file_of_march_that_comes_again_after_that_of_june_undoes_nothing(
    database: Database, tmp_path: Path, changed: str
) -> None:
    """The list of classes tells no moment of its rows, so the day in its name does."""
    source = forex.connect({"HUB_FOREX_DIR": str(tmp_path)}, TOOLS)

    async def come(name: str, **cells: str) -> tuple[str, ...]:
        told = {
            "统一社会信用代码": FIRM,
            "企业名称": "甲公司",
            "分类级别": "B类",
            "分类起始日期": "2026-03-01",
        }
        drop_rows(tmp_path / name, FOREX_COLUMNS, [dict.fromkeys(FOREX_COLUMNS, "") | told | cells])
        assert (await harvest(source, database.writer, lambda: NOW, pauses=())).totals.quarantined == 0
        rows = await database.writer.fetch("SELECT grade_code FROM grade WHERE superseded_at IS NULL")
        return tuple(row["grade_code"] for row in rows)

    assert await come("WHFL_20260301_01.csv", 状态="有效") == ("B",)
    assert await come("WHFL_20260601_01.csv", 状态="撤销") == ()
    assert await come("WHFL_20260301_01.csv", 状态="有效", 企业名称=changed, 文号="青汇〔2026〕1号") == ()
    assert await come("WHFL_20260701_01.csv", 状态="有效", 分类级别="C类") == ("C",)
    # Of one day the serial, or the time, tells which is the newer.
    assert await come("WHFL_2026080102.csv", 状态="有效", 分类级别="A类") == ("A",)
    assert await come("WHFL_20260801_01.csv", 状态="有效", 分类级别="B类") == ("A",)
    assert await come("WHFL_20260802153000.csv", 状态="有效", 分类级别="B类") == ("B",)
    assert await come("WHFL_20260802T093000.csv", 状态="有效", 分类级别="C类") == ("B",)


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


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_row_that_says_it_changed_in_days_to_come_gives_way_to_what_corrects_it(
    database: Database, deleted: bool
) -> None:
    await take(database, [granted("1", title="旧", deleted=deleted, updated="2099-12-31T00:00:00+08:00")])
    right = granted("1", title="新", updated=(NOW + timedelta(hours=1)).isoformat())
    await take(database, [right], now=NOW + timedelta(hours=2))
    assert await one(database, "SELECT title FROM record WHERE superseded_at IS NULL") == "新"


@pytest.mark.parametrize("together", [True, False], ids=("in one batch", "one after the other"))
async def test_what_takes_the_place_of_a_row_withdrawn_at_the_same_moment_is_kept(
    database: Database, together: bool
) -> None:
    moment = {"updated": "2026-06-01T00:00:00+08:00"}
    old = granted("1", title="旧", updated="2026-05-01T00:00:00+08:00")
    gone, new = granted("1", deleted=True, **moment), granted("1", title="新", **moment)
    rows = [old, gone, new]
    for _ in range(2):
        await (take(database, rows) if together else take(database, *([one] for one in rows)))
        assert await one(database, "SELECT title FROM record WHERE superseded_at IS NULL") == "新"
    # The withdrawn state itself, delivered again, is none.
    await take(database, [{**new, "title": "又新"}])
    await take(database, [granted("1", deleted=True, updated="2026-06-02T00:00:00+08:00"), new])
    assert await one(database, "SELECT count(*) FROM record WHERE superseded_at IS NULL") == 0


async def versions(database: Database) -> list[tuple[str, datetime, datetime | None]]:
    """Title, beginning and end of each version of the one record, in the order in which they were written."""
    rows = await database.writer.fetch(
        "SELECT title, recorded_at, superseded_at FROM record ORDER BY version_id"
    )
    for before, after in pairwise(rows):
        assert before["recorded_at"] <= before["superseded_at"] <= after["recorded_at"]
    return [tuple(row) for row in rows]


async def test_a_command_given_before_a_batch_and_done_after_it_does_not_stop_the_harvest(
    database: Database,
) -> None:
    await take(database, [granted("1")])
    given, came, next_came = (NOW + timedelta(hours=hours) for hours in (1, 2, 3))
    await take(database, [granted("1", title="二")], now=came)
    public_id = await one(database, "SELECT public_id FROM record WHERE superseded_at IS NULL")
    async with database.writer.acquire() as connection, connection.transaction():
        await write_fact(connection, ChangedFact("record", public_id, {"title": "三"}), given)
    assert (await take(database, [granted("1", title="四")], now=next_came)).totals.stored == 1
    assert await versions(database) == [
        ("食品经营许可", NOW, came),
        # It counted at no moment.
        ("二", came, came),
        ("三", came, next_came),
        ("四", next_came, None),
    ]


async def test_a_batch_begun_before_a_command_and_stored_after_it_ends_no_version_before_its_beginning(
    database: Database,
) -> None:
    await take(database, [granted("1")])
    begun, given = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    public_id = await one(database, "SELECT public_id FROM record")
    async with database.writer.acquire() as connection, connection.transaction():
        await write_fact(connection, ChangedFact("record", public_id, {"title": "二"}), given)
    await take(database, [granted("1", title="三"), granted("1", deleted=True)], now=begun)
    assert await versions(database) == [
        ("食品经营许可", NOW, given),
        ("二", given, given),
        ("三", given, given),
    ]
    # It comes back with another batch that had waited.
    await take(database, [granted("1", title="四")], now=begun)
    assert (await versions(database))[-1] == ("四", given, None)


async def test_a_store_in_which_a_version_ended_before_it_began_is_harvested_all_the_same(
    database: Database,
) -> None:
    await take(database, [granted("1")])
    await take(database, [granted("1", title="二")], now=NOW + timedelta(hours=2))
    await take(database, [granted("1", title="三")], now=NOW + timedelta(hours=3))
    # As earlier releases left it behind: the dead version seems to be the newest.
    owner = await asyncpg.connect(database.superuser_dsn)
    await owner.execute("UPDATE record SET superseded_at = $1 WHERE title = '二'", NOW + timedelta(hours=1))
    await owner.execute("UPDATE record SET recorded_at = $1 WHERE title = '三'", NOW + timedelta(hours=1))
    await owner.close()
    later = NOW + timedelta(hours=4)
    assert (await take(database, [granted("1", title="四")], now=later)).totals.stored == 1
    current = await database.writer.fetch("SELECT title FROM record WHERE superseded_at IS NULL")
    assert [row["title"] for row in current] == ["四"]


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


async def test_r14_1_an_evaluation_holds_as_long_as_the_numbering_of_its_day_says(database: Database) -> None:
    said: dict[str, Any] = {
        "scheme": "ASSOCIATION",
        "issuer_name": "商会",
        "grade_code": "AA",
        "grade_label": "AA级",
    }
    firm = [("USCC", FIRM)]
    outcome = await take(
        database,
        [
            row("1", Kind.GRADE, "某", firm, **said, effective_from="2025-03-14"),
            # Before there was a numbering.
            row("2", Kind.GRADE, "某", firm, **said, effective_from="2014-12-31"),
        ],
    )
    assert outcome.totals == Totals(2, 1, 0, 1)
    found = await database.writer.fetchrow("SELECT ruleset_version, effective_from, effective_to FROM grade")
    assert found is not None
    assert tuple(found) == ("ASSOCIATION-2015", date(2025, 3, 14), date(2028, 3, 13))
    assert {w.reason_code for w in await list_quarantined(database.writer)} == {"CERTIFICATE"}


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


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ({"recognized_on": "2026-11-23", "state": "PUBLISHED"}, "DATE_FUTURE"),
        (
            {"recognized_on": "2026-01-31", "state": "EXITED_EXPIRED", "exited_on": "2026-11-23"},
            "DATE_FUTURE",
        ),
        ({"recognized_on": "2026-11-22", "state": "EXITED_REVOKED", "exited_on": "2026-11-22"}, None),
    ],
)
async def test_nobody_has_left_a_list_or_come_on_it_on_a_day_that_lies_ahead(
    database: Database, days: dict[str, str], code: str | None
) -> None:
    entry = {"list_code": "TAX-SERIOUS", **days}
    await take(database, [row("1", Kind.LIST_ENTRY, "某", [("USCC", FIRM)], **entry)])
    assert [w.reason_code for w in await list_quarantined(database.writer)] == ([code] if code else [])
    assert await one(database, "SELECT count(*) FROM list_entry") == (0 if code else 1)


@pytest.mark.parametrize(
    ("color", "longest", "ends"),
    [
        ("WATCH", None, date(2028, 1, 31)),
        ("WATCH", 60, date(2028, 1, 31)),
        ("WATCH", 6, date(2026, 7, 31)),
        ("RED", None, date(2029, 1, 31)),
        ("BLACK", None, date(2029, 1, 31)),
    ],
)
async def test_r8_1_no_harvested_place_outlives_the_law_of_its_colour(
    database: Database, color: str, longest: int | None, ends: date
) -> None:
    await _defined(database, color, longest)
    entry = {"list_code": "L", "state": "PUBLISHED", "recognized_on": "2026-01-31"}
    late = {**entry, "publicity_ends_on": "2040-01-01"}
    firm = [("USCC", FIRM)]
    places = [row(str(n), Kind.LIST_ENTRY, "某", firm, **one) for n, one in enumerate((entry, late))]
    await take(database, places)
    assert [
        found[0] for found in await database.writer.fetch("SELECT publicity_ends_on FROM list_entry")
    ] == [
        ends,
        ends,
    ]


async def test_r8_1_the_row_of_the_day_of_listing_bounds_a_harvested_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = load_list_rules()
    black = [row for row in rules.durations if row.color == "BLACK"]
    shorter = tuple(replace(row, max_months=9 if row.term.valid_to else 3) for row in black)
    monkeypatch.setattr(run, "load_list_rules", lambda: replace(rules, durations=shorter))
    await _defined(database, "BLACK", None)
    entry = {"list_code": "L", "state": "PUBLISHED"}
    days = ("2026-03-31", "2026-04-01", "2016-01-01")
    firm = [("USCC", FIRM)]
    await take(
        database,
        [row(day, Kind.LIST_ENTRY, "某", firm, **entry, recognized_on=day) for day in days],
    )
    ends = await database.writer.fetch("SELECT publicity_ends_on FROM list_entry ORDER BY recognized_on")
    assert [found[0] for found in ends] == [date(2016, 10, 1), date(2026, 12, 31), date(2026, 7, 1)]


async def test_r8_1_what_a_list_of_the_store_does_not_tell_is_filled_in_and_nothing_else(
    database: Database,
) -> None:
    firm = [("USCC", FIRM)]
    entry = {"list_code": "SW-BLACK", "state": "PUBLISHED", "recognized_on": "2026-01-31"}
    await take(database, [row("1", Kind.LIST_ENTRY, "某", firm, **entry)])
    told = "SELECT criteria, measures, legal_basis FROM list_definition WHERE code = 'SW-BLACK'"
    criteria, measures, _ = await database.writer.fetchrow(told)
    assert "对外劳务合作" in criteria
    assert measures
    await database.writer.execute(
        "UPDATE list_definition SET criteria = NULL, measures = '厅定措施', legal_basis = '厅定依据' WHERE code = 'SW-BLACK'"
    )
    await take(database, [row("2", Kind.LIST_ENTRY, "某", firm, **entry)])
    assert tuple(await database.writer.fetchrow(told)) == (criteria, "厅定措施", "厅定依据")


ENTRY = {
    "tyshxydm": FIRM, "ztmc": "青海三江源商贸有限公司", "ztlb": "法人及非法人组织", "mddm": "SW-BLACK", "zt": "公示中",
    "rdwh": "2026-001", "rdrq": "2026-05-01", "gxsj": "2026-05-02 10:00:00", "scbz": "0",
}  # fmt: skip


async def test_two_lists_that_decide_under_one_number_keep_an_entry_each(database: Database) -> None:
    rows = [ENTRY, {**ENTRY, "mddm": "RS-BLACK"}, {**ENTRY, "zt": "中止", "gxsj": "2026-06-02 10:00:00"}]
    await harvest(Window(rows, BLACK), database.writer, lambda: NOW, pauses=())
    current = "SELECT list_code, state FROM list_entry WHERE superseded_at IS NULL ORDER BY list_code"
    assert [tuple(row) for row in await database.writer.fetch(current)] == [
        ("RS-BLACK", "PUBLISHED"),
        ("SW-BLACK", "SUSPENDED"),
    ]


async def test_the_migration_names_the_entries_that_are_there_by_their_lists(
    postgres: EmbeddedPostgres,
) -> None:
    """What is delivered again after it is what is stored."""
    dsn = await fresh(postgres, "hub_entries_of_lists")
    await migrated_before(dsn, "0018")
    async with connected(dsn) as owner:
        await owner.execute(
            "INSERT INTO subject (kind, display_name, name_key) VALUES ('LEGAL_PERSON', '甲', '甲');"
            "INSERT INTO list_definition (code, name, color, recognizer_name, legal_basis, basis_level, effective_from)"
            " VALUES ('SW-BLACK', '名', 'BLACK', '厅', '据', 'LAW', '2020-01-01') ON CONFLICT DO NOTHING;"
            "INSERT INTO list_entry (subject_id, data_class, list_code, color, state, decision_number, recognized_on,"
            " source, source_record_id, provider_name, catalog_item_code, fetched_at, payload_digest, recorded_at)"
            " SELECT subject_id, 'D10', 'SW-BLACK', 'BLACK', 'PUBLISHED', '1:2', '2026-01-01', source, named, '委',"
            " 'XY-BLACK', now(), '', now() FROM subject, (VALUES ('CREDIT_PLATFORM', 'XY-BLACK:91:1:2'),"
            " ('MARKET_REGULATION', 'SCJG-YZWF:91:1')) AS given (source, named);"
            "INSERT INTO withdrawn_fact (source, fact, source_record_id, withdrawn_at)"
            " VALUES ('CREDIT_PLATFORM', 'list_entry', 'XY-BLACK:91:1:2', now()),"
            " ('CREDIT_PLATFORM', 'record', 'XY-XF:91:7', now())"
        )
        await migrated(dsn)
        named = await owner.fetch(
            "SELECT source_record_id FROM list_entry UNION ALL SELECT source_record_id FROM withdrawn_fact ORDER BY 1"
        )
        assert [row[0] for row in named] == [
            "SCJG-YZWF:91:1",
            "XY-BLACK:91:SW-BLACK:1:2",
            "XY-BLACK:91:SW-BLACK:1:2",
            "XY-XF:91:7",
        ]


async def _defined(database: Database, color: str, longest: int | None) -> None:
    await database.writer.execute(
        "INSERT INTO list_definition (code, name, color, recognizer_name, legal_basis, basis_level,"
        " max_publicity_months, effective_from) VALUES ('L', 'L', $1, '某局', '某法', 'LAW', $2, '2010-01-01')",
        color, longest,
    )  # fmt: skip


async def test_harvest_all_names_what_is_not_connected(database: Database, tmp_path: Path) -> None:
    settings = {"HUB_COMMERCE_DIR": str(tmp_path)}
    drop(tmp_path, "XK_20261101.csv", csv_bytes([license_row()]), 1)
    told: list[Progress] = []
    (outcome,) = await harvest_all(["commerce"], settings, TOOLS, database.writer, told.append)
    assert (outcome.name, outcome.totals) == ("COMMERCE", Totals(1, 1, 0, 0))
    # At its beginning nobody knows.
    assert [state.expected for state in told[:2]] == [None, 1]
    with pytest.raises(SourceUnknown, match="there are: COMMERCE"):
        await harvest_all(["WEATHER"], settings, TOOLS, database.writer)
