"""`credithub catalogue`: power lists taken in, the published catalogue exported."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import asyncpg
from openpyxl import load_workbook

from hub.casework.catalogue.machine import AcceptedDeviation, CatalogDetails, Content
from hub.casework.details import to_json
from hub.rules.national_items import load_national_items
from tests.commands.shell import Shell
from tests.conftest import Database


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
