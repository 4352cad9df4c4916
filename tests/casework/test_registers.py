"""The department's own registers (articles 十, 十二, 十三), from dropped files to what each partner sees: R10.2, R10.3, R12.1, R12.3."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from connectors import investment
from connectors.contract import RowRejected
from connectors.registers import connect
from hub.harvest.run import harvest
from hub.harvest.versions import Totals
from hub.sandbox import drop, registers
from hub.sandbox.investment import PUBLIC_COLUMNS, RESTRICTED_COLUMNS
from hub.sandbox.province import Province
from hub.sandbox.wellknown import CLEAN, DISHONEST, RICH
from tests.casework.desk import MONDAY, Desk, Office
from tests.conftest import Database
from tests.harvesting import imported, written
from tests.publicity_files import FIRM, TOOLS, license_row

QUERY = """
query Archives($code: String!) { subject(value: $code) { ... on Organization {
  archives(originClass: PUBLIC_CREDIT) { archiveType openedOn stale items { label value } keeper { name } }
} } }
"""
PUBLIC = {"PREPAID_ISSUER", "REFINED_OIL", "OUTBOUND_CERTIFICATE"}
RESTRICTED = {"PREPAID_BALANCE", "TRACEABILITY", "OUTBOUND_PROJECT"}


@pytest.fixture(scope="module")
async def harvested(module_office: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office whose store took the registers of a small province."""
    directory = tmp_path_factory.mktemp("registers")
    registers.write(Province(400, MONDAY.date()), directory)
    outcome = await harvest(
        connect({"HUB_REGISTERS_DIR": str(directory)}, TOOLS), module_office.database.writer, lambda: MONDAY
    )
    assert outcome.status == "OK"
    totals = outcome.totals
    assert totals.read == totals.stored + totals.unchanged + totals.quarantined
    assert totals.quarantined
    assert totals.unchanged, "rows that come twice change nothing"
    return module_office


async def archives(desk: Desk, code: str) -> dict[str, dict[str, Any]]:
    found = (await desk.done(QUERY, {"code": code}))["subject"]["archives"]
    return {
        one["archiveType"]: {item["label"]: item["value"] for item in one["items"] or ()} for one in found
    }


def supervision(office: Office) -> Desk:
    return office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-01", case=None)


def anybody(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def test_r10_3_anybody_sees_the_issuers_filing_and_supervision_alone_its_money(
    harvested: Office,
) -> None:
    told = await archives(anybody(harvested), RICH)
    assert set(told) == PUBLIC
    assert told["PREPAID_ISSUER"]["备案状态"] == "有效"
    full = await archives(supervision(harvested), RICH)
    assert set(full) == PUBLIC | RESTRICTED
    assert float(full["PREPAID_BALANCE"]["存管比例(%)"]) > 0
    # P3 may know yes or no of it, which no archive is; auditors see that it is there, not what it says.
    assert set(await archives(harvested.desk("reform", "ONGOING_SUPERVISION", None, None), RICH)) == PUBLIC
    audit = await archives(harvested.desk("auditor", "AUDIT", "AUD-2026-1", None), RICH)
    assert audit["PREPAID_BALANCE"] == {}


async def test_r10_2_traceability_is_kept_by_node_and_category_and_only_supervision_sees_its_rates(
    harvested: Office,
) -> None:
    told = (await archives(supervision(harvested), RICH))["TRACEABILITY"]
    assert {"节点编码", "商品类别", "追溯码覆盖率(%)", "漏报天数"} <= set(told)
    assert 0 <= float(told["追溯码覆盖率(%)"]) <= 100
    for partner, purpose in (("mall", "MERCHANT_ADMISSION"), ("chamber", "MEMBER_ARCHIVE")):
        await harvested.rows(
            "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
            " SELECT $2, subject_id, $3, '2025-01-01' FROM subject WHERE uscc = $1 ON CONFLICT DO NOTHING",
            RICH,
            partner,
            "MERCHANT" if partner == "mall" else "MEMBER",
        )
        assert set(await archives(harvested.desk(partner, purpose, None, None), RICH)) == PUBLIC
    assert set(await archives(anybody(harvested), RICH)) == PUBLIC


async def test_r12_1_the_archive_of_an_agency_is_public_and_holds_no_person(harvested: Office) -> None:
    told = (await archives(anybody(harvested), CLEAN))["DOMESTIC_AGENCY"]
    assert told["行业状态"] == "在业"
    assert told["荣誉"] == "家政服务诚信示范企业"
    numbers = {one.resident_id for one in Province(400, MONDAY.date())}
    kept = await harvested.rows("SELECT items::text AS said FROM archive")
    raw = [
        bytes(row["raw"]).decode("gb18030", "replace")
        for row in await harvested.rows("SELECT raw FROM quarantine")
    ]
    assert raw
    assert not [
        number for number in numbers for said in (*(row["said"] for row in kept), *raw) if number in said
    ]


async def test_r12_3_leaving_the_trade_is_a_status_with_kind_basis_and_day(harvested: Office) -> None:
    told = (await archives(anybody(harvested), DISHONEST))["DOMESTIC_AGENCY"]
    assert told["行业状态"] == "已退出"
    assert told["退出方式"] in ("名单退出", "登记终止", "协会除名")
    assert told["退出依据"]
    assert told["退出日期"]


def _agency(**more: str) -> dict[str, str]:
    return {
        "家政信用档案编号": "JZ1", "企业名称": "某", "统一社会信用代码": CLEAN, "有效标志": "1", "更新时间": "2026-11-01 08:00:00",
        "负责人证件号码": "", "建档日期": "2020-01-01", "服务类别": "保洁", "从业人员数": "12", "居家上门服务证持证人数": "9",
        "荣誉": "", "行业状态": "在业", "退出方式": "", "退出依据": "", "退出日期": "", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"行业状态": "已退出"}, "EXIT_WITHOUT_BASIS"),
        ({"行业状态": "已退出", "退出方式": "名单退出", "退出日期": "2026-09-01"}, "EXIT_WITHOUT_BASIS"),
        (
            {"行业状态": "已退出", "退出方式": "吊销许可证", "退出依据": "x", "退出日期": "2026-09-01"},
            "UNKNOWN_VALUE",
        ),
        ({"退出依据": "家庭服务业协会章程"}, "EXIT_WITHOUT_STATUS"),
        ({"从业人员数": "12.5"}, "BAD_AMOUNT"),
    ],
)
async def test_r12_3_an_exit_without_basis_or_by_a_licence_that_does_not_exist_is_quarantined(
    tmp_path: Path, more: dict[str, str], code: str
) -> None:
    drop.write(tmp_path / "JZ_1.csv", registers.AGENCIES, [_agency(**more)])
    connector = connect({"HUB_REGISTERS_DIR": str(tmp_path)}, TOOLS)
    (row,) = [row async for batch in connector.harvest(None) for row in batch.rows]
    with pytest.raises(RowRejected) as refused:
        connector.canonical(row)
    assert refused.value.code == code


async def test_r10_2_more_batches_reported_than_due_are_quarantined(tmp_path: Path) -> None:
    said = dict.fromkeys(registers.NODES, "1") | {
        "TYSHXYDM": RICH, "JRRQ": "2020-01-01", "JDLX": "超市", "SPLB": "肉类", "TJQ": "2026-10", "YBPC": "9", "SBPC": "10",
        "GXSJ": "2026-11-01 08:00:00",
    }  # fmt: skip
    drop.write(tmp_path / "ZS_1.csv", registers.NODES, [said, said | {"SBPC": "9"}])
    connector = connect({"HUB_REGISTERS_DIR": str(tmp_path)}, TOOLS)
    crossed, sound = [row async for batch in connector.harvest(None) for row in batch.rows]
    with pytest.raises(RowRejected, match="YBPC"):
        connector.canonical(crossed)
    item = connector.canonical(sound)
    assert item.values["archive_type"] == "TRACEABILITY"
    assert item.values["opened_on"] == date(2020, 1, 1)


async def _delivered(
    database: Database, directory: Path, name: str, columns: tuple[str, ...], *rows: dict[str, str]
) -> Totals:
    drop.write(directory / name, columns, [dict.fromkeys(columns, "") | row for row in rows])
    connector = connect({"HUB_REGISTERS_DIR": str(directory)}, TOOLS)
    return (await harvest(connector, database.writer, lambda: MONDAY)).totals


def _balance(quarter: str, changed: str = "2026-11-01 08:00:00", **more: str) -> dict[str, str]:
    return {
        "发卡备案编号": "630100A1", "企业名称": "某", "统一社会信用代码": CLEAN, "有效标志": "1", "更新时间": changed,
        "报送日期": "2026-07-10", "季度": quarter, "预收资金余额(万元)": "9.00", "是否按期报送": "是", **more,
    }  # fmt: skip


async def _quarter(database: Database) -> str | None:
    """The quarter of which the one archive tells now."""
    rows = await database.writer.fetch(
        "SELECT i->>'value' AS told FROM archive, jsonb_array_elements(items) i"
        " WHERE superseded_at IS NULL AND i->>'code' IN ('JD', 'TJQ')"
    )
    assert len(rows) < 2
    return rows[0]["told"] if rows else None


@pytest.mark.parametrize(
    "later", ["2026-11-01 08:00:00", "2026-11-02 08:00:00"], ids=("replayed", "corrected")
)
async def test_r10_3_the_report_of_an_earlier_quarter_never_takes_the_place_of_a_later_ones(
    database: Database, tmp_path: Path, later: str
) -> None:
    """Whether both were changed at one moment, as in an export, or the earlier one is corrected after the later came."""
    columns = registers.BALANCES
    second, first = _balance("2026Q2"), _balance("2026Q1", later, **{"预收资金余额(万元)": "1.00"})
    assert (await _delivered(database, tmp_path, "YE_1.csv", columns, first)).stored == 1
    assert (await _delivered(database, tmp_path, "YE_2.csv", columns, second)).stored == 1
    assert await _quarter(database) == "2026Q2"
    told = await _delivered(
        database, tmp_path, "YE_3.csv", columns, second, first | {"报送日期": "2026-04-11"}
    )
    assert (told.stored, told.quarantined) == (0, 0)
    assert await _quarter(database) == "2026Q2"
    corrected = second | {"预收资金余额(万元)": "8.00", "更新时间": "2026-11-03 08:00:00"}
    await _delivered(database, tmp_path, "YE_4.csv", columns, corrected)
    # A month ends where its quarter does, or earlier.
    await _delivered(database, tmp_path, "YE_5.csv", columns, _balance("2026-05", "2026-11-04 08:00:00"))
    assert await _quarter(database) == "2026Q2"
    await _delivered(database, tmp_path, "YE_6.csv", columns, _balance("2026Q3", "2026-10-01 08:00:00"))
    assert await _quarter(database) == "2026Q3"
    assert await database.writer.fetchval("SELECT count(DISTINCT source_record_id) FROM archive") == 1


async def test_r10_3_who_withdraws_the_report_of_one_quarter_withdraws_no_others(
    database: Database, tmp_path: Path
) -> None:
    columns, withdrawn = registers.BALANCES, {"有效标志": "0", "更新时间": "2026-11-05 08:00:00"}
    await _delivered(database, tmp_path, "YE_1.csv", columns, _balance("2026Q1"), _balance("2026Q2"))
    await _delivered(database, tmp_path, "YE_2.csv", columns, _balance("2026Q1", **withdrawn))
    assert await _quarter(database) == "2026Q2"
    await _delivered(database, tmp_path, "YE_3.csv", columns, _balance("2026Q2", **withdrawn))
    assert await _quarter(database) is None
    # What was withdrawn stays so, and of which quarter was, nobody guesses.
    await _delivered(database, tmp_path, "YE_4.csv", columns, _balance("2026Q1"), _balance("2026Q2"))
    assert await _quarter(database) is None
    await _delivered(database, tmp_path, "YE_5.csv", columns, _balance("2025Q4"))
    assert await _quarter(database) == "2025Q4"
    assert (
        await _delivered(database, tmp_path, "YE_6.csv", columns, _balance("四季度", **withdrawn))
    ).quarantined
    assert await _quarter(database) == "2025Q4"


async def test_r10_2_the_rates_of_an_earlier_month_never_take_the_place_of_a_later_ones(
    database: Database, tmp_path: Path
) -> None:
    node = {
        "JDBM": "1", "QYMC": "某", "TYSHXYDM": RICH, "YXBZ": "1", "JRRQ": "2020-01-01", "JDLX": "超市", "SPLB": "肉类",
        "YBPC": "9", "SBPC": "9", "GXSJ": "2026-11-01 08:00:00",
    }  # fmt: skip
    rows = [node | {"TJQ": month} for month in ("2026-09", "2026-10", "2026-09")]
    await _delivered(database, tmp_path, "ZS_1.csv", registers.NODES, *rows)
    assert await _quarter(database) == "2026-10"


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (registers.BALANCES, _balance("2026Q2", 报送日期="2026-11-24")),
        (registers.AGENCIES, _agency(建档日期="2027-01-01")),
        (registers.AGENCIES, _agency(行业状态="已退出", 退出方式="协会除名", 退出依据="章程", 退出日期="2026-11-24")),
    ],
)  # fmt: skip
async def test_what_a_register_tells_to_have_been_done_was_done_by_the_day_of_its_delivery(
    database: Database, tmp_path: Path, columns: tuple[str, ...], row: dict[str, str]
) -> None:
    assert (await _delivered(database, tmp_path, "F_20261123_01.csv", columns, row)).quarantined == 1
    assert await database.writer.fetchval("SELECT reason_code FROM quarantine") == "DATE_FUTURE"


@pytest.mark.parametrize("columns", [PUBLIC_COLUMNS, RESTRICTED_COLUMNS], ids=("public", "restricted"))
async def test_no_investment_was_reported_on_a_day_that_lies_ahead(
    database: Database, tmp_path: Path, columns: tuple[str, ...]
) -> None:
    row = dict.fromkeys(columns, "") | {"BGLX": "01", "QYMC": "某", "TYSHXYDM": CLEAN, "YXBZ": "1"}
    days = ("2026-11-23", "2026-11-24", "2027-01-01")
    drop.write(tmp_path / "WZ.csv", columns, [row | {"BGBH": day, "BGRQ": day} for day in days])
    connector = investment.connect({"HUB_INVESTMENT_DIR": str(tmp_path)}, TOOLS)
    assert (await harvest(connector, database.writer, lambda: MONDAY)).totals == Totals(3, 1, 0, 2)
    assert await database.writer.fetchval("SELECT DISTINCT reason_code FROM quarantine") == "DATE_FUTURE"


async def test_an_archive_that_says_it_changed_in_days_to_come_changed_on_the_day_it_was_read(
    database: Database, tmp_path: Path
) -> None:
    for day in range(2):
        drop.write(tmp_path / f"F_{day}.csv", registers.AGENCIES, [_agency(更新时间="2027-05-01 08:00:00")])
        connector = connect({"HUB_REGISTERS_DIR": str(tmp_path)}, TOOLS)
        clock = repeat(MONDAY + timedelta(days=day)).__next__
        totals = (await harvest(connector, database.writer, clock)).totals
        # Delivered again on another day it says nothing else.
        assert (totals.stored, totals.unchanged) == (1 - day, day)
    assert await database.writer.fetchval("SELECT last_updated_on FROM archive") == MONDAY.date()


@pytest.mark.parametrize(("state", "valid"), [("1", True), ("2", False)])
async def test_a_licence_that_its_file_tells_as_invalid_is_not_in_force(
    office: Office, tmp_path: Path, state: str, valid: bool
) -> None:
    file = written(tmp_path, license_row(XK_ZT=state, XK_WSH=f"青许〔2026〕{state}号"))
    assert (await imported(office.database, file)).status == "OK"
    query = """query L($code: String!) { subject(value: $code) { ... on Organization {
      records(first: 10) { edges { node { documentNumber ... on AdministrativeLicense { currentlyValid } } } } } } }"""
    edges = (await anybody(office).done(query, {"code": FIRM}))["subject"]["records"]["edges"]
    found = {edge["node"]["documentNumber"]: edge["node"].get("currentlyValid") for edge in edges}
    assert found[f"青许〔2026〕{state}号"] is valid


@pytest.mark.parametrize(
    ("more", "valid"),
    [
        ({"valid_to": MONDAY.date()}, True), ({"valid_to": date(2026, 11, 22)}, False),
        ({"valid_from": MONDAY.date()}, True), ({"valid_from": date(2026, 11, 24)}, False),
        ({"lifecycle": "UNDER_OBJECTION"}, True), ({"lifecycle": "REVOKED"}, False),
    ],
)  # fmt: skip
async def test_a_licence_holds_from_its_first_day_to_its_last_unless_it_was_revoked(
    office: Office, more: dict[str, Any], valid: bool
) -> None:
    code = await office.subject()
    licence = {
        "data_class": "D4", "kind": "LICENSE", "title": "许可", "document_number": "青许〔2026〕7号",
        "decided_on": date(2025, 1, 1), "seriousness": "NOT_ADVERSE", "lifecycle": "EFFECTIVE", "sharing_attribute": "PUBLIC",
    }  # fmt: skip
    await office.fact("record", code, "r", {**licence, **more})
    query = """query L($code: String!) { subject(value: $code) { ... on Organization {
      records(first: 1) { edges { node { ... on AdministrativeLicense { currentlyValid } } } } } } }"""
    # Auditors see what has ended, too.
    told = (await office.desk("auditor", "AUDIT", "AUD-2026-1", None).done(query, {"code": code}))["subject"]
    assert told["records"]["edges"] == [{"node": {"currentlyValid": valid}}]
