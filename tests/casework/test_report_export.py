"""A quarterly report as a file (R18.3): XLSX without formulas, PDF in Chinese, by the one path with the token's rights."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

from hub.cli import app as cli
from hub.commands.report_pages import FontUnusable, pages
from hub.commands.report_paper import Paper, paper_of, shown
from hub.commands.report_workbook import workbook
from hub.rules.reports import Quarter, load_report_rules
from hub.sandbox.server import serving
from hub.sandbox.tokens import demo_token
from tests.casework.desk import Office
from tests.casework.test_reports import CHECK, STATE, _opened, _xining
from tests.command_line import CREDITHUB

FORMULA = '=HYPERLINK("http://example.com","点击")'


def _figure(code: str, zh: str, kind: str, **more: Any) -> dict[str, Any]:
    known = {"value": None, "prefilled": None, "part": None, "whole": None, "drill": None, "stated": True}
    return {
        "code": code,
        "nameZh": zh,
        "kind": kind,
        "text": None,
        "reason": None,
        "shares": [],
        **known,
        **more,
    }


def _paper(
    reason: str | None = None, text: str | None = "无", names: tuple[str, ...] | None = ("西宁市商务局",)
) -> Paper:
    figures = [
        _figure(row.code, row.zh, row.kind, prefilled=2.0, value=3.0, reason=reason)
        for row in load_report_rules().figures_of(Quarter(2026, 3))
        if row.kind == "COUNT"
    ]
    ratio = _figure(
        "PUBLICITY_ON_TIME", "公示及时率", "RATIO", prefilled=0.3333, part=1, whole=3, stated=False
    )
    words = _figure("TYPICAL_CASES", "典型案例", "TEXT", text=text)
    report = {
        "number": "QHJB-2026-1", "state": "SUBMITTED", "year": 2026, "quarter": 3, "regionName": "西宁市",
        "agency": "西宁市商务局", "departments": ["commerce-xining"], "departmentNames": names, "prefilledAt": "2026-10-01T00:00:00+08:00",
        "submittedAt": "2026-10-10T15:59:59+00:00", "standing": "ON_TIME", "figures": [*figures, ratio, words],
    }  # fmt: skip
    case = {
        "number": "QHSC-2026-1",
        "mechanism": "CHECK",
        "state": "ISSUED",
        "openedAt": "2026-08-03T02:00:00+00:00",
    }
    return paper_of(report, [("信用审查次数", case)])


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", "=1\x07", "=1\ufffe", "=\uffff"])
def test_r18_3_no_text_of_a_report_is_a_formula(text: str) -> None:
    book = load_workbook(BytesIO(workbook(_paper(reason=text, text=text))))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    written = [
        cell for cell in cells if str(cell.value).strip() == re.sub("[\x07\ufffe\uffff]", "�", text).strip()
    ]
    assert len(written) > 1
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in written)


def test_r18_3_the_workbook_says_both_values_and_leads_to_the_cases() -> None:
    book = load_workbook(BytesIO(workbook(_paper(reason="三件以纸质办理"))))
    assert book.sheetnames == ["季度报告", "分项", "追溯"]
    rows = [[cell.value for cell in row] for row in book["季度报告"].iter_rows()]
    assert rows[0][0] == "西宁市商务领域信用联合奖惩工作季度报告（2026年第3季度）"
    # Figures are numbers, which can be added up and compared.
    assert [1, "信用审查次数", 2, 3, "三件以纸质办理"] in rows
    ratio = next(row for row in book["季度报告"].iter_rows() if row[1].value == "公示及时率")
    assert (ratio[2].value, ratio[2].number_format) == (0.3333, '0.00%"（1/3）"')
    assert ratio[3].value == "（未确认）"
    assert ["报送时间", "2026-10-10 23:59"] in [row[:2] for row in rows]
    assert ["统计单位", "西宁市商务局"] in [row[:2] for row in rows]
    # A report that was pre-filled before names were kept has ids alone.
    assert ("统计单位", "commerce-xining") in _paper(names=None).facts
    traced = [[cell.value for cell in row] for row in book["追溯"].iter_rows()]
    assert traced[1] == ["信用审查次数", "QHSC-2026-1", "事前信用审查", "已出具", datetime(2026, 8, 3, 10)]


def test_r18_3_words_of_any_length_are_shown_in_full() -> None:
    text = "长" * 9_000 + "\n\n" + "短\n" * 400 + "完"
    sheet = load_workbook(BytesIO(workbook(_paper(text=text))))["季度报告"]
    begin = next(row[0].row for row in sheet.iter_rows() if row[0].value == "典型案例") + 1
    rows = [
        (row[0].value or "", sheet.row_dimensions[row[0].row].height)
        for row in sheet.iter_rows(min_row=begin)
    ]
    shown = [(words, height) for words, height in rows if height]
    assert "".join(words for words, _ in shown) == text.replace("\n", "")
    # Excel has no higher row, and what does not fit into a merged cell is not shown.
    assert max(height for _, height in shown) <= 409


def test_r18_3_a_pdf_is_made_whatever_the_words_are_and_a_wrong_font_is_told(tmp_path: Path) -> None:
    # A cell that is longer than a page.
    hostile = _paper(reason="<b>&amp; <para>" + "长" * 1000, text="<img src='file:///etc/passwd'/>\n" * 40)
    made, _ = pages(hostile)
    assert made.startswith(b"%PDF-")
    assert b"STSong-Light" in made
    assert pages(hostile)[0] == made
    wrong = tmp_path / "font.ttf"
    wrong.write_bytes(b"no font")
    with pytest.raises(FontUnusable):
        pages(hostile, wrong)


def test_r18_3_a_character_that_the_font_of_a_pdf_lacks_is_marked_and_told() -> None:
    # Extension A is in Song; Extension B, Tibetan, emoji and signs that turn the text round are not.
    made, lacking = pages(_paper(text="㐀〔2026〕𠀀མ😀\u202e é"))
    assert lacking == sorted("𠀀མ😀\u202e")
    assert made == pages(_paper(text="㐀〔2026〕〓〓〓〓 é"))[0]
    assert pages(_paper())[1] == []


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("COUNT", 12.0, "12"),
        ("RATIO", 0.857, "85.70%"),
        ("DAYS", 2.5, "2.5"),
        ("DAYS", 1234567.5, "1234567.5"),
        ("DAYS", None, "—"),
    ],
)
def test_r18_3_values_are_written_as_people_do(kind: str, value: float | None, words: str) -> None:
    assert shown(kind, value) == words


async def test_r18_3_the_command_asks_the_hub_with_the_officers_own_rights(
    office: Office, tmp_path: Path
) -> None:
    office.clock.now = datetime(2026, 8, 3, 2, tzinfo=UTC)
    checked = await office.desk("commerce-xining").done(CHECK, {"c": await office.subject()})
    office.clock.now = datetime(2026, 10, 8, 2, tzinfo=UTC)
    report = await _opened(office, 2026, 3)
    words = {"code": "TYPICAL_CASES", "text": f"{FORMULA}𠀀"}
    await _xining(office).done(STATE, {"n": report["number"], "f": [words]})

    url = f"{office.client.base_url}/graphql".replace("//graphql", "/graphql")
    told = ("--url", url, "--matter", "统计-1")

    async def exported(
        partner: str,
        kind: str,
        number: str = report["number"],
        options: tuple[str, ...] = told,
        **settings: str,
    ) -> subprocess.CompletedProcess[str]:
        token = demo_token(office.database.settings, partner, None, 600, office.clock.now, None)
        return await asyncio.to_thread(
            subprocess.run,
            [CREDITHUB, "report", "export", number, "--format", kind, "--output", str(tmp_path / f"r.{kind}"), *options],
            env={**os.environ, "HUB_TOKEN": token, **settings}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    for kind, lacking in (("xlsx", False), ("pdf", True)):
        done = await exported("commerce-xining", kind)
        assert done.returncode == 0, done.stderr
        assert ("U+20000" in done.stderr) is lacking
    book = load_workbook(tmp_path / "r.xlsx")
    facts = [[cell.value for cell in row[:2]] for row in book["季度报告"].iter_rows()]
    assert ["统计单位", "西宁市商务局"] in facts
    assert not [fact for fact in facts if "commerce-xining" in fact]
    traced = [row[1].value for row in book["追溯"].iter_rows(min_row=2)]
    assert traced == [checked["runCreditCheck"]["number"]]
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    # Where the hub is, the variables of the examples say too; what is missing is named as the command calls it.
    for place in ({"HUB_URL": url}, {"HUB_PORT": str(office.client.base_url.port)}):
        assert (await exported("commerce-xining", "pdf", options=told[2:], **place)).returncode == 0
    nowhere = await exported("commerce-xining", "pdf", options=told[2:], HUB_PORT="1")
    assert "no hub answers at http://127.0.0.1:1/graphql" in nowhere.stderr
    matterless = await exported("commerce-xining", "pdf", options=told[:2])
    assert (matterless.returncode, "--matter" in matterless.stderr) == (1, True)
    # The department sees the figures, and of the cases behind them its own; nobody else sees the report.
    assert (await exported("commerce", "xlsx")).returncode == 0
    assert list(load_workbook(tmp_path / "r.xlsx")["追溯"].iter_rows(min_row=2)) == []
    for partner, number in (("reform", report["number"]), ("commerce-xining", "QHJB-2026-0000-0000-0000")):
        (tmp_path / "r.pdf").unlink(missing_ok=True)
        refused = await exported(partner, "pdf", number)
        assert (refused.returncode, (tmp_path / "r.pdf").exists()) == (1, False)
        assert refused.stderr.startswith("credithub: ")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b'{"message": "bad gateway"}'),
        (200, b'{"data": null}'),
        (200, b'{"data": []}'),
        (500, b'{"errors": ["broken"]}'),
        (200, b"[1]"),
        (200, b"null"),
        (503, b"<html>"),
    ],
)
async def test_whatever_else_answers_in_place_of_the_hub_is_told_in_a_line(
    status: int, body: bytes, tmp_path: Path
) -> None:
    """What stands in front of a hub that is just being restarted speaks for it, often in JSON."""

    async def answer(_: Request) -> Response:
        return Response(body, status)

    async with serving(Starlette(routes=[Route("/graphql", answer, methods=["POST"])])) as url:
        command = ("report", "export", "QHJB-1", "--output", str(tmp_path / "r.xlsx"), "--token", "a.b.c")
        told = await asyncio.to_thread(CliRunner().invoke, cli, [*command, "--url", f"{url}/graphql"])
    assert (told.exit_code, told.exception.__class__) == (1, SystemExit), told.exception
    assert told.stderr.startswith(f"credithub: no hub answers at {url}/graphql: ")
    assert not (tmp_path / "r.xlsx").exists()
