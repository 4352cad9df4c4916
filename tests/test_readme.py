"""The READMEs say what is true: tables as the code has them, answers as the hub gives them, examples that work."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, validate

from connectors.contract import Mode
from hub.config import declared_settings
from hub.rights.agreement import today_in
from hub.rights.matrix import Purpose
from hub.sandbox.run import province_in
from hub.sandbox.seed import seed_consents
from hub.sources.discovery import discover
from hub.store.embedded import EmbeddedPostgres
from tests.conftest import copied_store
from tests.hub_server import SUBJECTS, ProvinceHub
from tests.readme_tables import (
    MISSING,
    READMES,
    ROOT,
    TABLES,
    Table,
    cells,
    expected,
    prose_of,
    renewed,
)
from tests.test_vocabulary import views

TEXTS = {language: path.read_text("utf-8") for language, path in READMES.items()}
ENGLISH = TEXTS["en"]
# Who asks in the README, for what, with which further headers.
ASKED = {
    "customs": ("NOTIFICATION", {}),
    "mall": ("MERCHANT_ADMISSION", {}),
    "commerce": ("ADMINISTRATIVE_LICENSING", {"hub_matter": "QH-DEMO-01", "hub_case": "2026-0001"}),
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A heredoc of the shell: what is fed to the command before it.
HEREDOC = re.compile(r"<<'(\w+)'\n(.*?)^\1$", re.DOTALL | re.MULTILINE)


def blocks(language: str, text: str = ENGLISH) -> list[str]:
    """The fenced blocks in a language, in order."""
    return [body for found, body in FENCE.findall(text) if found == language]


def fenced_after(marker: str) -> str:
    """The block that follows the comment `marker`."""
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\w+\n(.*?)^```$", ENGLISH, re.DOTALL | re.MULTILINE)
    assert found is not None, marker
    return found[1]


def shell(beginning: str) -> str:
    """The shell block that begins with these words."""
    return next(block for block in blocks("sh") if block.startswith(beginning))


def section(title: str) -> str:
    """The text below a heading of the second level."""
    return ENGLISH.split(f"\n## {title}\n")[1].split("\n## ")[0]


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


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("language", READMES)
def test_a_table_says_what_the_code_says(table: Table, language: str) -> None:
    """Renew with `python -m tests.test_readme`; describe what is new by hand."""
    said = cells(TEXTS[language], table.name)
    assert said == expected(table, language, prose_of(table, said))
    assert not [row for row in said if MISSING in row or "" in row[len(row) - table.prose :]]


@pytest.mark.parametrize("language", READMES)
def test_links_lead_to_files_and_headings(language: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", TEXTS[language], re.MULTILINE)
    }
    found = re.findall(r"\]\(([^)]+)\)", TEXTS[language])
    assert found
    for link in found:
        if link.startswith("#"):
            assert link[1:] in headings, link
        else:
            assert (ROOT / link).exists(), link


def test_both_languages_have_the_same_sections_blocks_and_links() -> None:
    english, chinese = TEXTS["en"], TEXTS["zh"]
    assert FENCE.findall(english) == FENCE.findall(chinese)
    for pattern in (r"^(#+) ", r"<!-- (.*?) -->", r"\]\(((?!#|README)[^)]+)\)"):
        found = [re.findall(pattern, text, re.MULTILINE) for text in (english, chinese)]
        assert found[0] == found[1], pattern


def test_every_setting_of_a_source_is_declared_by_its_connector() -> None:
    declared = {one.name for module in discover().values() for one in module.SOURCE.settings}
    assert {one.variable for one in declared_settings() if one.of_source} <= declared


def test_no_row_of_a_table_stands_in_one_language_only() -> None:
    for table in TABLES:
        split = -table.prose
        assert [row[:split] for row in cells(TEXTS["en"], table.name)] == [
            row[:split] for row in cells(TEXTS["zh"], table.name)
        ]


def test_every_module_that_the_path_is_made_of_is_in_the_code_map() -> None:
    said = section("How a request flows")
    for module in (
        *(ROOT / "hub" / "rights").glob("[pkv]*.py"),
        *(ROOT / "hub" / "serving").glob("[anq]*.py"),
    ):
        assert f"({module.relative_to(ROOT)})" in said, module.name


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


def test_the_commands_ask_as_the_test_does() -> None:
    """The headers of the README's shell lines are those with which the answers are compared above."""
    lines = re.findall(r"^ask (\w+) var/check.json(.*)$", ENGLISH, re.MULTILINE)
    assert [partner for partner, _ in lines] == list(ASKED)
    for partner, rest in lines:
        purpose, headers = ASKED[partner]
        given = dict(re.findall(r"-H '([\w-]+): ([^']+)'", rest))
        wanted = {name.replace("_", "-").title(): value for name, value in headers.items()}
        assert given == ({"Hub-Purpose": purpose, **wanted} if rest else {})


# --- add a partner, a source, a field


@dataclass
class Changed:
    """A hub of a copy of this tree, changed as the README says."""

    url: str
    directory: Path
    env: Mapping[str, str]

    def run(self, script: str) -> str:
        """What a shell script prints. Its tools are those of the copy."""
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.directory,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, body: str, token: str, purpose: str | None = None) -> Any:
        """The data of an answer."""
        headers = {"authorization": f"Bearer {token.strip()}", "content-type": "application/json"}
        if purpose is not None:
            headers["hub-purpose"] = purpose
        answer = httpx.post(f"{self.url}", content=body, headers=headers, timeout=30, trust_env=False).json()
        assert "errors" not in answer, (answer, (self.directory / "serve.log").read_text())
        return answer["data"]


def patched(directory: Path, diff: str) -> None:
    """Apply the README's difference: of each file the lines before stand there once, and become those after."""
    for name, hunk in re.findall(r"^--- (\S+)\n((?:[ +-].*\n(?<!--- ))+?)(?=--- |\Z)", diff, re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        path = directory / name
        text = path.read_text("utf-8")
        assert text.count(before) == 1, name
        path.write_text(text.replace(before, after), "utf-8")


def copied(directory: Path) -> Mapping[str, str]:
    """A copy of the tree with the README's changes; gives the environment in which it is run."""
    for package in ("hub", "schema", "connectors", "migrations"):
        shutil.copytree(
            ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    patched(directory, blocks("diff")[0])
    source = re.search(r"<!-- file: (\S+) -->\n```python\n(.*?)^```$", ENGLISH, re.DOTALL | re.MULTILINE)
    assert source is not None
    (directory / source[1]).write_text(source[2], "utf-8")
    programs = directory / "bin"
    programs.mkdir()
    for name, arguments in (("python", ""), ("credithub", '-c "from hub.cli import main; main()"')):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        program.chmod(0o755)
    return {"PATH": f"{programs}:{os.defpath}", "PYTHONPATH": str(directory), "HOME": str(directory)}


@pytest.fixture(scope="module")
async def changed(
    postgres: EmbeddedPostgres,
    province_store: str,
    database_names: Callable[[], str],
    state_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Changed]:
    """The copy, served over a copy of the province; the README's commands run in it in their order."""
    directory = tmp_path_factory.mktemp("changed")
    (directory / "var").mkdir()
    env = copied(directory)
    async with copied_store(postgres, province_store, database_names(), state_dir) as store:
        settings = {
            "HUB_DATABASE_URL": store.owner_dsn,
            "HUB_STATE_DIR": str(state_dir),
            "HUB_DEMO": "true",
            "HUB_PORT": "0",
        }
        with (directory / "serve.log").open("wb") as log:
            serving = await asyncio.create_subprocess_exec(
                "credithub", "serve", cwd=directory, env={**env, **settings},
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        try:
            assert serving.stdout is not None
            line = (await asyncio.wait_for(serving.stdout.readline(), 60)).decode()
            assert line.startswith("Hub ready: "), (directory / "serve.log").read_text()
            yield Changed(line.removeprefix("Hub ready: ").strip(), directory, {**env, **settings})
        finally:
            if serving.returncode is None:
                serving.send_signal(signal.SIGTERM)
            await serving.wait()


def asked_body(name: str) -> str:
    """The request that the README writes to var/`name`."""
    found = re.search(rf"^echo '(.*)' > var/{name}$", ENGLISH, re.MULTILINE)
    assert found is not None
    return found[1].replace("\\\\", "\\")


def test_a_partner_is_one_file(changed: Changed) -> None:
    changed.run(shell("mkdir -p var/agreements"))
    changed.run(shell("python - >> var/agreements/bazaar.toml"))
    told = changed.run(shell("credithub agreements check"))
    assert "bazaar: P9, 3 data classes" in told
    assert "bazaar: APPLIED" in told
    assert "bazaar: given 1, known 1, begun 1, ended 0" in told
    signing = shell("python - > var/bazaar.token")
    changed.run(signing.split("curl")[0])
    token = (changed.directory / "var" / "bazaar.token").read_text()
    body = re.search(r"--data '(.*)'", signing)
    assert body is not None
    # In force in every worker within a second.
    changed.run("sleep 1.1")
    assert changed.ask(body[1], token) == json.loads(fenced_after("answer: bazaar"))


def test_a_source_is_one_file(changed: Changed) -> None:
    script = shell("mkdir -p var/prepaid").split("echo '{")[0]
    told = changed.run(script)
    assert "PREPAID_CARD: OK: read 1 = stored 1 + unchanged 0 + quarantined 0" in told
    token = changed.run("credithub token --partner public")
    assert changed.ask(asked_body("prepaid.json"), token) == json.loads(fenced_after("answer: prepaid"))


def test_a_field_is_one_line_in_the_schema_and_one_in_its_source(changed: Changed) -> None:
    told = changed.run(shell("cat > var/penalty.csv").split("echo '{")[0])
    assert "penalty.csv: OK: read 1 = stored 1 + unchanged 0 + quarantined 0" in told
    token = changed.run("credithub token --partner reform")
    found = changed.ask(asked_body("penalty.json"), token, "ONGOING_SUPERVISION")
    assert found == json.loads(fenced_after("answer: penalty"))


def test_the_added_source_is_harvested_like_the_others() -> None:
    """The example is of a kind that exists: harvested, stored, from a drop directory."""
    assert {module.SOURCE.mode for module in discover().values()} == {Mode.HARVESTED, Mode.LIVE}
    assert "PREPAID_CARD" not in discover(), "the example in the README needs another source"


if __name__ == "__main__":
    for _language, _path in READMES.items():
        _path.write_text(renewed(_path.read_text("utf-8"), _language), "utf-8")
