"""The scripts in examples/ do what they say, against a running hub over the demo's province, as often as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping

import pytest

from hub.commands.worker import beside
from hub.rights.agreement import today_in
from hub.sandbox.run import province_in
from hub.sandbox.seed import seed_consents
from tests.casework.dispatch import present
from tests.hub_server import SUBJECTS, Hub, ProvinceHub
from tests.readme_tables import ROOT

pytestmark = pytest.mark.long

# One waits a minute for the worker each time. The second time of the others shows that they find what they left; of those
# that open cases anew, each with numbers of its own, `make soak` shows it.
AGAIN = {"commitments.py", "lists_and_measures.py", "catalogue.py", "honest_model.py"}
SCRIPTS = sorted(path.name for path in (ROOT / "examples").glob("*.py") if path.name != "hub_client.py")


@pytest.fixture(scope="module")
async def demo(hub: ProvinceHub, sandboxes: Mapping[str, str]) -> AsyncIterator[ProvinceHub]:
    """The hub with what the demo seeds and leaves beside the harvest, and a worker."""
    (hub.settings.state_dir / "domestic.url").write_text(sandboxes["HUB_DOMESTIC_URL"])
    async with hub.database.writer.acquire() as connection:
        await seed_consents(connection, province_in(hub.settings.state_dir, SUBJECTS, today_in(present())))
    environment = {
        **os.environ, **sandboxes,
        "HUB_DEMO": "true",
        "HUB_STATE_DIR": str(hub.settings.state_dir),
        "HUB_DATABASE_URL": hub.database.owner_dsn,
    }  # fmt: skip
    async with beside(environment):
        yield hub


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_goes_as_it_says_and_again(demo: ProvinceHub, script: str) -> None:
    goes(demo, script, 2 if script in AGAIN else 1)


@pytest.mark.soak
@pytest.mark.parametrize("script", SCRIPTS)
def test_an_example_goes_as_often_as_one_likes(demo: ProvinceHub, script: str) -> None:
    goes(demo, script, 3)


def goes(demo: Hub, script: str, times: int) -> None:
    """It runs so many times, one after the other, without a word of failure."""
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "LANG": "C.UTF-8",
        "HUB_URL": demo.graphql,
        "HUB_STATE_DIR": str(demo.settings.state_dir),
        "HUB_DATABASE_URL": demo.settings.database_url or "",
    }
    for time in range(1, times + 1):
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples" / script)],
            env=env, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}, time {time}:\n{done.stdout[-2000:]}\n{done.stderr}"
        assert done.stdout.strip(), f"{script} tells nothing"
