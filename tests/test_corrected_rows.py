"""A row that waits in quarantine waits no more once its source has sent the same thing right, in whatever place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from connectors.commerce import connect as connect_commerce
from connectors.commerce import connect_file
from connectors.contract import Batch, Connector, Item, Kind, RawRow
from connectors.credit_platform import EVALUATION, RED
from connectors.forex import connect as connect_forex
from connectors.investment import connect as connect_investment
from connectors.reading import json_raw
from connectors.registers import connect as connect_registers
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import replay
from hub.harvest.run import harvest
from tests.casework.test_repair_results import Window
from tests.conftest import Database
from tests.harvesting import NO_PAUSE, Rows, granted, imported, one, row, take, written
from tests.publicity_files import FIRM, NOW, TOOLS, csv_bytes, drop, penalty_row

WRONG, RIGHT = {"CF_JDRQ": "2026/13/01"}, {"CF_JDRQ": "2026/05/01"}


async def waiting(database: Database) -> list[str]:
    """The files of the rows that wait."""
    return [row.origin.partition("@")[0] for row in await list_quarantined(database.writer)]


async def in_doubt(database: Database) -> bool:
    """Whether something is in doubt of the firm."""
    return bool(await one(database, "SELECT in_doubt IS NOT NULL FROM subject WHERE uscc = $1", FIRM))


@pytest.mark.parametrize("name", ["CF_20260501_01.csv", "CF_20260502_01.csv", "corrected.csv"])
async def test_a_row_that_a_later_file_corrects_waits_no_more(
    database: Database, tmp_path: Path, name: str
) -> None:
    await take(database, [granted("7")])
    await imported(database, written(tmp_path, penalty_row(**WRONG), name="CF_20260501_01.csv"))
    assert (await waiting(database), await in_doubt(database)) == (["CF_20260501_01.csv"], True)
    await imported(database, written(tmp_path, penalty_row(**RIGHT), name=name))
    assert (await waiting(database), await in_doubt(database)) == ([], False)


async def test_what_an_older_file_says_corrects_no_row_and_what_tells_of_another_thing_neither(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, written(tmp_path, penalty_row(**WRONG), name="CF_20260501_01.csv"))
    await imported(database, written(tmp_path, penalty_row(**RIGHT), name="CF_20260430_01.csv"))
    other = penalty_row(**RIGHT, CF_WSH="青商罚〔2026〕777号")
    await imported(database, written(tmp_path, other, name="CF_20260502_01.csv"))
    assert await waiting(database) == ["CF_20260501_01.csv"]


async def test_of_two_rows_of_a_file_about_one_thing_the_one_behind_counts(
    database: Database, tmp_path: Path
) -> None:
    wrong, right = penalty_row(**WRONG), penalty_row(**RIGHT)
    await imported(database, written(tmp_path, right, wrong, name="CF_20260501_01.csv"))
    assert await waiting(database) == ["CF_20260501_01.csv"]
    await imported(database, written(tmp_path, wrong, right, name="CF_20260502_01.csv"))
    assert await waiting(database) == []


@pytest.mark.parametrize("name", ["CF_20260501_01.csv", "undated.csv"])
async def test_a_row_that_a_person_corrects_says_nothing_of_what_came_behind_it(
    database: Database, tmp_path: Path, name: str
) -> None:
    path = written(tmp_path, penalty_row(**WRONG), penalty_row(**WRONG, CF_NR="另"), name=name)
    await imported(database, path)
    behind, before = await list_quarantined(database.writer)
    connector = connect_file(path, TOOLS)
    assert await replay(database.writer, connector, before.quarantine_id, RIGHT, lambda: NOW) is None
    assert [one.position for one in await list_quarantined(database.writer)] == [behind.position]
    await database.writer.execute("UPDATE quarantine SET replayed_at = NULL")
    assert await replay(database.writer, connector, behind.quarantine_id, RIGHT, lambda: NOW) is None
    # What came before it is told.
    assert await waiting(database) == []


async def test_a_row_that_comes_again_after_its_correction_waits_until_that_comes_again_too(
    database: Database, tmp_path: Path
) -> None:
    wrong = written(tmp_path, penalty_row(**WRONG), name="CF_20260501_01.csv")
    right = written(tmp_path, penalty_row(**RIGHT), name="CF_20260502_01.csv")
    await imported(database, wrong)
    await imported(database, right)
    await imported(database, wrong, again=True)
    assert await waiting(database) == ["CF_20260501_01.csv"]
    await imported(database, right, again=True)
    assert await waiting(database) == []


@dataclass
class Platform(Window):
    """As the window, and as the connector names the records of rows that were not understood."""

    def withdrawn(self, row: RawRow) -> Item:
        """As the connector has it."""
        return self.real.withdrawn(row)  # type: ignore[attr-defined, no-any-return]


async def test_a_row_that_a_service_corrects_under_another_serial_number_waits_no_more(
    database: Database,
) -> None:
    wrong = {
        "tyshxydm": FIRM, "ztmc": "青海三江源商贸有限公司", "ztlb": "法人及非法人组织", "pjdj": "丁", "pjrq": "2026-05-01",
        "gxsj": "2026-05-02 10:00:00", "scbz": "0",
    }  # fmt: skip
    right = {**wrong, "pjdj": "D", "gxsj": "2026-05-02 11:00:00"}
    await harvest(Platform([wrong], EVALUATION), database.writer, lambda: NOW, pauses=())
    assert len(await waiting(database)) == 1
    await harvest(Platform([wrong, right], EVALUATION), database.writer, lambda: NOW, pauses=())
    assert await waiting(database) == []


FOREX = {
    "TYSHXYDM": FIRM, "QYMC": "青海三江源商贸有限公司", "FLJB": "A", "QSRQ": "2026-01-01", "DQRQ": "2026-12-31", "ZT": "有效",
    "WH": "青汇〔2026〕1号",
}  # fmt: skip
BALANCE = {
    "QYMC": "青海三江源商贸有限公司", "TYSHXYDM": FIRM, "YXBZ": "1", "GXSJ": "", "YEBAH": "6301A00001", "BSRQ": "2026-04-10",
    "JD": "2026Q1", "YSYE": "10", "CGYE": "5", "CGBL": "50", "SFAQ": "是", "YJBZ": "正常",
}  # fmt: skip
REPORT = {
    "BGBH": "WZ2026001", "BGLX": "年度报告", "QYMC": "青海三江源商贸有限公司", "TYSHXYDM": FIRM, "BGRQ": "2026-04-01", "YXBZ": "1",
    "TZZMC": "甲", "TZZGB": "香港", "CZBL": "100", "YQBZ": "否",
}  # fmt: skip


@pytest.mark.parametrize(
    ("connect", "setting", "right", "wrong"),
    [
        (connect_commerce, "HUB_COMMERCE_DIR", penalty_row(**RIGHT), WRONG),
        (connect_forex, "HUB_FOREX_DIR", FOREX, {"FLJB": "甲"}),
        (connect_registers, "HUB_REGISTERS_DIR", BALANCE, {"YJBZ": "不详"}),
        (connect_investment, "HUB_INVESTMENT_DIR", REPORT, {"CZBL": "很多"}),
    ],
    ids=("penalties", "classes", "registers", "reports"),
)
async def test_a_dropped_file_is_corrected_by_the_next(
    database: Database,
    tmp_path: Path,
    connect: object,
    setting: str,
    right: dict[str, str],
    wrong: dict[str, str],
) -> None:
    connector: Connector = connect({setting: str(tmp_path)}, TOOLS)  # type: ignore[operator]
    drop(tmp_path, "X_20260501_01.csv", csv_bytes([{**right, **wrong}]), 1)
    await harvest(connector, database.writer, lambda: NOW, pauses=())
    assert await waiting(database) == ["X_20260501_01.csv"]
    drop(tmp_path, "X_20260502_01.csv", csv_bytes([right]), 1)
    await harvest(connector, database.writer, lambda: NOW, pauses=())
    assert await waiting(database) == []


@pytest.mark.parametrize("sign", ["\x00", "\ud800"], ids=("nul", "surrogate"))
async def test_what_is_named_by_no_text_waits_and_holds_up_nothing(database: Database, sign: str) -> None:
    platform = Platform([])
    told = {
        "tyshxydm": FIRM, "ztmc": "青海三江源商贸有限公司", "ztlb": "法人及非法人组织", "mddm": "SW-RED", "scbz": "0",
        "rdwh": f"青〔2026〕{sign}1号", "rdrq": "2026-05-01", "gxsj": "2026-05-02 10:00:00",
    }  # fmt: skip
    rows = [told, {**told, "scbz": "1"}]
    batch = Batch([json_raw(f"CREDIT_PLATFORM/{RED}", str(n), one) for n, one in enumerate(rows)], "1")

    async def harvested(_: str | None) -> AsyncIterator[Batch]:
        yield batch

    platform.harvest = harvested  # type: ignore[method-assign, assignment]
    outcome = await harvest(platform, database.writer, lambda: NOW, pauses=())
    assert outcome.status == "OK"
    found = sorted(one.reason_code for one in await list_quarantined(database.writer))
    assert found == ["MISSING", "NOT_TEXT"]


async def test_a_row_whose_numbers_are_of_two_subjects_is_corrected_by_one_behind_it(
    database: Database,
) -> None:
    first, second = ("CUSTOMS_CODE", "6301960A01"), ("BUSINESS_REG_NO", "6301001200001")
    old = {"title": "x", "decided_on": "2014-01-01"}
    await take(
        database,
        [row("1", Kind.LICENSE, "甲", [first], **old), row("2", Kind.LICENSE, "乙", [second], **old)],
    )
    wrong, right = (row("3", Kind.LICENSE, "丙", keys, **old) for keys in ([first, second], [first]))

    class Serial(Rows):
        """As Rows; each row in a place of its own."""

        async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
            async for batch in super().harvest(cursor):
                yield replace(batch, rows=[replace(one, position=f"{n}") for n, one in enumerate(batch.rows)])

    for batch, waits in (([wrong, right], 0), ([right, wrong], 1)):
        await database.writer.execute("UPDATE source_state SET cursor = NULL")
        await harvest(Serial([batch]), database.writer, lambda: NOW, pauses=NO_PAUSE)
        assert len(await waiting(database)) == waits
