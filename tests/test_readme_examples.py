"""The READMEs' examples work as written: a partner, a source and a field more, in a copy of this tree."""

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
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.sources.discovery import discover
from hub.store.embedded import EmbeddedPostgres
from tests.conftest import copied_store
from tests.readme_tables import ROOT
from tests.readme_text import ENGLISH, blocks, fenced_after, shell


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


def test_an_example_is_sent_from_the_shell(changed: Changed) -> None:
    changed.run(shell("example=").split("ask ")[0])
    body = (changed.directory / "var" / "example.json").read_text("utf-8")
    token = changed.run("credithub token --partner customs")
    found = changed.ask(body, token, "ONGOING_SUPERVISION")
    assert found["subject"]["displayName"]


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


def test_the_example_source_is_not_there_already() -> None:
    assert "PREPAID_CARD" not in discover(), "the example in the README needs another source"
