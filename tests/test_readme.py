"""The manual says what is true: tables as the code has them, answers as the hub gives them, links that lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from graphql import parse, validate

from hub.casework.diagrams import page
from hub.casework.registry import registry
from hub.config import declared_settings
from hub.errors import refusals
from hub.ledger.audit import of_request
from hub.query.cost import cost_of
from hub.query.document import DocumentLimits, operation_of
from hub.rights.agreement import today_in
from hub.rights.agreement_store import Outcome
from hub.rights.matrix import Level, Purpose
from hub.rules.matrix import load_matrix
from hub.sandbox.run import province_in
from hub.sandbox.seed import seed_consents
from hub.sources.discovery import discover
from schema.coordinates import vocabulary
from schema.governance import Need
from schema.subjects import OF_PERSONS
from tests.hub_server import SUBJECTS, ProvinceHub
from tests.readme_tables import (
    ASKING,
    MANUAL,
    MECHANISMS,
    MISSING,
    OPERATING,
    READMES,
    ROOT,
    TABLES,
    Table,
    cells,
    expected,
    prose_of,
    renewed,
)
from tests.readme_text import ENGLISH, FENCE, HEREDOC, fenced_after, section, shell
from tests.test_vocabulary import views

MACHINES_PAGE = ROOT / "docs" / "casework.md"
PAGES = [page for pages in MANUAL for page in pages.values()]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Who asks in the README, for what, with which further headers.
ASKED = {
    "customs": ("NOTIFICATION", {}),
    "mall": ("MERCHANT_ADMISSION", {}),
    "commerce": ("ADMINISTRATIVE_LICENSING", {"hub_matter": "SW-XK-OIL", "hub_case": "2026-0001"}),
}


def undated(value: Any) -> Any:
    """Days count back from the day the province was made: only that they are days is the same."""
    return json.loads(re.sub(r"\d{4}-\d{2}-\d{2}", "DAY", json.dumps(value)))


def checked() -> dict[str, Any]:
    """The request that the README's script prints."""
    script = HEREDOC.search(shell("export PATH"))
    assert script is not None
    done = subprocess.run([sys.executable, "-c", script[2]], capture_output=True, text=True, check=True)
    body: dict[str, Any] = json.loads(done.stdout)
    return body


# --- tables, links, languages


@pytest.mark.parametrize("language", OPERATING)
def test_what_applying_an_agreement_may_say_is_explained(language: str) -> None:
    said = OPERATING[language].read_text("utf-8")
    assert [one for one in Outcome if f"`{one}`" not in said] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("language", READMES)
def test_a_table_says_what_the_code_says(table: Table, language: str) -> None:
    """Renew with `python -m tests.test_readme`; describe what is new by hand."""
    said = cells(table.pages[language].read_text("utf-8"), table.name)
    assert said == expected(table, language, prose_of(table, said))
    assert not [row for row in said if MISSING in row or "" in row[len(row) - table.prose :]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    found = LINK.findall(page.read_text("utf-8"))
    assert found
    for link in found:
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """What links to a page's headings are called."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("pages", MANUAL, ids=lambda pages: pages["en"].stem)
def test_both_languages_have_the_same_sections_blocks_and_links(pages: Mapping[str, Path]) -> None:
    english, chinese = (pages[language].read_text("utf-8") for language in ("en", "zh"))
    for pattern in (r"^(#+) ", r"<!-- (.*?) -->"):
        found = [re.findall(pattern, text, re.MULTILINE) for text in (english, chinese)]
        assert found[0] == found[1], pattern
    assert FENCE.findall(english) == FENCE.findall(chinese)
    led = [
        [link.replace(".zh-CN", "").split("#")[0] for link in LINK.findall(text)]
        for text in (english, chinese)
    ]
    assert led[0] == led[1]


def test_the_pages_on_mechanisms_lead_to_every_script() -> None:
    for told in MECHANISMS.values():
        for script in (ROOT / "examples").glob("*.py"):
            assert script.name == "hub_client.py" or script.name in told.read_text("utf-8"), script.name


def test_the_manual_is_found_from_the_readme() -> None:
    for language, readme in READMES.items():
        linked = set(LINK.findall(readme.read_text("utf-8")))
        assert [
            page
            for pages in MANUAL
            if (page := pages[language]) != readme and f"docs/{page.name}" not in linked
        ] == []


def test_every_setting_of_a_source_is_declared_by_its_connector() -> None:
    declared = {one.name for module in discover().values() for one in module.SOURCE.settings}
    assert {one.variable for one in declared_settings() if one.of_source} <= declared


def test_no_row_of_a_table_stands_in_one_language_only() -> None:
    for table in TABLES:
        split = -table.prose
        said = [cells(page.read_text("utf-8"), table.name) for page in table.pages.values()]
        assert [row[:split] for row in said[0]] == [row[:split] for row in said[1]]


def test_no_reason_of_a_refusal_is_explained_that_is_never_given() -> None:
    (table,) = (one for one in TABLES if one.name == "refusals")
    given = {row.facts[0].strip("`").removesuffix("…") for row in table.rows()}
    assert set(refusals()) - given == set()


def test_every_module_that_the_path_is_made_of_is_in_the_code_map() -> None:
    said = section("How a request flows")
    for module in (
        *(ROOT / "hub" / "rights").glob("[pkv]*.py"),
        *(ROOT / "hub" / "serving").glob("[anq]*.py"),
    ):
        assert f"({module.relative_to(ROOT)})" in said, module.name


def test_both_manuals_name_the_classes_of_which_nothing_or_no_yes_or_no_can_be_asked() -> None:
    """`me { access }` names them as given, and whoever looks for them finds no field."""
    matrix, known = load_matrix(), vocabulary()
    told, asked = {"D9"}, set()  # D9 is no class of its own: what has ended carries the class that it had.
    for rule in known.rules.values():
        named = {*rule.classes, *(OF_PERSONS[one] for one in rule.classes if one in OF_PERSONS)}
        told |= named
        asked |= named if rule.need is Need.YES_NO else set()
    for entity in known.entities.values():
        told |= set(entity.row_classes)
    by_yes_or_no = {
        data_class
        for (data_class, _), cell in matrix.cells.items()
        if Level.YES_NO in (cell.level, cell.otherwise)
    }
    missing = matrix.data.keys() - told | (by_yes_or_no - asked)
    for language, heading in (("en", "Limits, and what is not there"), ("zh", "限度与尚未提供的内容")):
        limits = READMES[language].read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        assert set(re.findall(r"`(D\d+)`", limits)) == missing, language


# --- one question, three answers


def test_the_question_is_valid_in_the_three_views() -> None:
    document = parse(checked()["query"])
    for partner, (purpose, _) in ASKED.items():
        assert validate(views()[partner, Purpose(purpose)].schema, document) == []


@pytest.fixture(scope="module")
async def consented(hub: ProvinceHub) -> ProvinceHub:
    """The hub over the province, with the consents of the demo."""
    today = today_in(datetime.now(UTC))
    async with hub.database.writer.acquire() as connection:
        await seed_consents(connection, province_in(hub.settings.state_dir, SUBJECTS, today))
    return hub


@pytest.mark.parametrize("partner", ASKED)
def test_an_answer_in_the_readme_is_the_hubs(consented: ProvinceHub, partner: str) -> None:
    purpose, headers = ASKED[partner]
    body = checked()
    answer = consented.post(body["query"], body["variables"], partner, purpose, **headers).json()
    assert undated(answer["data"]) == undated(json.loads(fenced_after(f"answer: {partner} {purpose}")))
    if partner == "mall":
        told = json.loads(fenced_after(f"disclosure: {partner} {purpose}"))
        assert answer["extensions"]["disclosure"] == told


@pytest.mark.parametrize("partner", ASKED)
async def test_the_ledger_in_the_readme_says_which_classes_were_asked_for(
    consented: ProvinceHub, partner: str
) -> None:
    purpose, headers = ASKED[partner]
    body, now = checked(), datetime.now(UTC)
    answer = consented.post(body["query"], body["variables"], partner, purpose, **headers).json()
    request = answer["extensions"]["requestId"]
    connection = await asyncpg.connect(consented.database.auditor_dsn)
    try:
        (entry,) = await of_request(
            connection, request, now - timedelta(minutes=1), now + timedelta(minutes=1)
        )
    finally:
        await connection.close()
    said = re.search(rf" {partner} \(.*\n  (.*) …$", fenced_after("ledger: three answers"), re.MULTILINE)
    assert said is not None
    assert entry.classes.startswith(f"{said[1]} ")


@pytest.mark.parametrize("partner", ["customs", "commerce"])
def test_the_question_serves_an_individual_business_too(consented: ProvinceHub, partner: str) -> None:
    """One that the README names."""
    (code,) = re.findall(r"`(92\w{16})`\s\(individual business\)", ENGLISH)
    purpose, headers = ASKED[partner]
    answer = consented.post(checked()["query"], {"code": code}, partner, purpose, **headers).json()
    organization = json.loads(fenced_after(f"answer: {partner} {purpose}"))["subject"]
    wanted = [key.replace("legalRepresentativeName", "operatorName") for key in organization]
    assert list(answer["data"]["subject"]) == wanted
    assert answer["data"]["subject"]["displayName"]


def test_what_the_readme_says_of_the_contact_is_so(consented: ProvinceHub) -> None:
    query = re.search(r"^echo '(.*)' > var/contact.json$", ENGLISH, re.MULTILINE)
    assert query is not None
    said = dict(re.findall(r"^\| (customs|mall|commerce) \| `(.*?)`", ENGLISH, re.MULTILINE))
    for partner, (purpose, headers) in ASKED.items():
        answer = consented.post(json.loads(query[1])["query"], None, partner, purpose, **headers).json()
        if partner == "mall":
            assert [error["message"] for error in answer["errors"]] == [said[partner]]
        else:
            assert answer["data"]["subject"]["contact"] == json.loads(said[partner])


def test_the_handling_in_the_manual_is_valid_for_its_officers() -> None:
    """What `act` sends exists in the view that it asks under."""
    said = ASKING["en"].read_text("utf-8")
    asked = re.findall(r"^act officer-\d '(.*?)'", said, re.MULTILINE | re.DOTALL)
    assert len(asked) == 8
    schema = views()["commerce", Purpose.ADMINISTRATIVE_LICENSING].schema
    for query in asked:
        assert validate(schema, parse(query)) == []


def test_the_nightly_check_in_the_manual_is_what_a_platform_may_ask() -> None:
    """It exists in a platform's view, and 500 codes at a time keep within its bounds."""
    said = re.search(
        r"<!-- nightly check -->\n```graphql\n(.*?)^```$",
        ASKING["en"].read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert said is not None
    document, schema = parse(said[1]), views()["mall", Purpose.MERCHANT_ADMISSION].schema
    assert validate(schema, document) == []
    of_platforms = load_matrix().partners["P9"].limits
    limits, codes = DocumentLimits.of(of_platforms), ["91630103MA75ABCD1M"] * of_platforms.bulk
    assert cost_of(schema, document, operation_of(document, None), {"codes": codes}, limits) <= limits.cost


def test_the_commands_ask_as_the_test_does() -> None:
    """The headers of the README's shell lines are those with which the answers are compared above."""
    lines = re.findall(r"^ask (\w+) var/check.json(.*)$", ENGLISH, re.MULTILINE)
    assert [partner for partner, _ in lines] == list(ASKED)
    for partner, rest in lines:
        purpose, headers = ASKED[partner]
        given = dict(re.findall(r"-H '([\w-]+): ([^']+)'", rest))
        wanted = {name.replace("_", "-").title(): value for name, value in headers.items()}
        assert given == ({"Hub-Purpose": purpose, **wanted} if rest else {})


if __name__ == "__main__":
    for _pages in MANUAL:
        for _language, _path in _pages.items():
            _path.write_text(renewed(_path, _language), "utf-8")
    MACHINES_PAGE.write_text(page(list(registry().machines.values())), "utf-8")
