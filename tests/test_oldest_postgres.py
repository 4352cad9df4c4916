"""The oldest PostgreSQL that README promises: everything there is to harvest, to ask and to do goes on it, too."""

from __future__ import annotations

import os
import pwd
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from connectors.contract import Tools
from hub.casework.delivery.channels import Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.delivery.watch import Watch
from hub.commands.worker import beside
from hub.graphiql.examples import Example, read_examples
from hub.jobs import Duties
from hub.rights.agreement import today_in
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.run import province_in
from hub.sandbox.seed import seed_consents
from hub.store import cluster
from hub.store.database import Role, open_pool
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from tests.hub_server import SUBJECTS, Hub, agreed, harvested, hub_at, hub_settings
from tests.test_examples import goes

# Where Debian and Ubuntu put it; the wheel that the demo and the other tests use holds a newer one.
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
# What the scripts below do, with an officer.
QUERIES = [one for one in read_examples() if one.name != "run-check"]
SCRIPTS = ("credit_check.py", "lists_and_measures.py", "publicity.py", "repair.py", "tiers_and_cases.py")

pytestmark = [
    pytest.mark.skipif(not PROGRAMS.is_dir(), reason=f"PostgreSQL 15 is not installed in {PROGRAMS}"),
    pytest.mark.long,
]


def old_cluster(area: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
    """As `create_cluster`, without what PostgreSQL 15 does not know yet: its own locales, and names of all roles."""
    data = area / "data"
    data.mkdir(mode=0o700)
    if account is not None:
        os.chown(data, account.pw_uid, account.pw_gid)
    command = [binaries / "initdb", "-D", data, "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    cluster._run([*command, "--no-sync", "--locale=C.UTF-8"], account, area)
    cluster._run(
        [binaries / "postgres", "--single", "-D", data, "postgres"], account, area, cluster.BOOTSTRAP
    )


@pytest.fixture(scope="module")
def oldest(state_dir: Path) -> Iterator[EmbeddedPostgres]:
    """A server of PostgreSQL 15."""
    server = EmbeddedPostgres(state_dir / "oldest", {"fsync": "off", "shared_buffers": "64MB"})
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr("hub.store.embedded.programs", lambda *_: PROGRAMS)
        changed.setattr("hub.store.embedded.create_cluster", old_cluster)
        server.start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
async def demo(oldest: EmbeddedPostgres, state_dir: Path, sandboxes: Mapping[str, str]) -> AsyncIterator[Hub]:
    """A hub over it with the province harvested, what the demo seeds, and a worker."""
    await migrated(oldest.dsn())
    settings = hub_settings(oldest.dsn(), state_dir, sandboxes)
    province = province_in(state_dir, SUBJECTS, today_in(datetime.now(UTC)))
    await agreed(settings)
    await harvested(settings, province)
    (state_dir / "domestic.url").write_text(sandboxes["HUB_DOMESTIC_URL"])
    owner = await asyncpg.connect(oldest.dsn())
    await seed_consents(owner, province)
    await owner.close()
    environment = {
        **os.environ, **sandboxes,
        "HUB_DEMO": "true", "HUB_STATE_DIR": str(state_dir), "HUB_DATABASE_URL": oldest.dsn(),
    }  # fmt: skip
    with hub_at(settings) as hub:
        async with beside(environment):
            yield hub


async def test_it_is_that_version(oldest: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(oldest.dsn())
    assert connection.get_server_version().major == 15
    await connection.close()


@pytest.mark.parametrize("example", QUERIES, ids=lambda example: example.name)
def test_an_example_of_the_page_is_answered_for_every_purpose(demo: Hub, example: Example) -> None:
    agreements = demo_agreements(demo_issuer(demo.settings.state_dir).key)
    partner_for = {
        purpose: partner
        for partner, text in agreements.items()
        for purpose in tomllib.loads(text)["purposes"]
    }
    answered = 0
    for purpose, partner in partner_for.items():
        for_it = {"Hub_Purpose": purpose, "Hub_Matter": "1", "Hub_Case": "1"}
        said = demo.post(example.query, example.variables, partner, **for_it).json()
        codes = {error["extensions"]["code"] for error in said.get("errors", ())}
        assert not codes & {"INTERNAL", "STORE_UNAVAILABLE"}, (partner, purpose, said)
        answered += said.get("data") is not None
    assert answered


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_mechanism_goes_as_its_example_says(demo: Hub, script: str) -> None:
    goes(demo, script, 1)


async def test_what_the_worker_does_by_the_clock_goes(demo: Hub) -> None:
    later = datetime.now(UTC) + timedelta(days=40)
    pool = await open_pool(demo.settings, Role.WRITER, 2)
    worker = Duties(
        settings=demo.settings,
        tools=Tools(digest_person_id=lambda _: "", deadline=5, now=lambda: later),
        pool=pool,
        courier=Courier(pool, Client(httpx.AsyncClient(), 5), Pace(), lambda: later, lambda: 0.0),
        channels={},
        watch=Watch(),
        harvested=lambda _: None,
    )
    for duty in (worker.deadlines, worker.corrections, worker.alarms, worker.tidy):
        await duty("")
    await pool.close()
