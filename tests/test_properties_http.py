"""A share of both properties over real HTTP: what leaves the server is what the statement gave, and hides the same."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import assume, given, note, seed

from hub.store.embedded import EmbeddedPostgres
from tests.callers import CURSOR_KEY, DECLARED, Caller, caller
from tests.conftest import Database, copied_store
from tests.documents import Document, documents
from tests.hiding import otherwise
from tests.reference.rows import store_of_world
from tests.scene import MATTER, WAYS, Scene, ServedScene, served_scene
from tests.stage import Stage, pool_for, repeatable, stage_over
from tests.worlds import World, build

pytestmark = pytest.mark.long

DOCUMENTS = 24
SEED = 31
CALLERS = (
    ("commerce", "ONGOING_SUPERVISION"), ("commerce-xining", "ONGOING_SUPERVISION"), ("customs", "JOINT_PUNISHMENT"),
    ("chamber", "MEMBER_ARCHIVE"), ("mall", "MERCHANT_ADMISSION"), ("subject", "OBJECTION_HANDLING"),
    ("public", "PUBLIC_QUERY"), ("auditor", "AUDIT"),
)  # fmt: skip
# Persons' numbers have rules of their own over HTTP; the state of live sources moves while they are asked.
APART = re.compile(r"RESIDENT_ID|PASSPORT|\bsources\b|sourceStatus")
# Nothing was harvested into these stores, so none of the sources can vouch for a “no”.
INCOMPLETE = tuple(DECLARED)


@dataclass
class Over:
    """A served world and a plain client."""

    served: ServedScene
    client: httpx.Client

    def ask(self, who: Caller, document: Document, way: str) -> httpx.Response:
        """The whole response."""
        at = who.standing
        token = self.served.token(at.agreement.partner, str(at.purpose))
        headers = {"authorization": f"Bearer {token}", **MATTER}
        body: dict[str, Any] = {"query": document.text, "variables": document.variables}
        if document.name is not None:
            body["operationName"] = document.name
        if way == "POST":
            return self.client.post(f"{self.served.url}/graphql", json=body, headers=headers)
        parameters = {**body, "variables": json.dumps(document.variables)}
        return self.client.get(f"{self.served.url}/graphql", params=parameters, headers=headers)


@pytest.fixture
async def second_database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A second store beside the test's."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="module")
async def served(shared_database: Database) -> AsyncIterator[ServedScene]:
    """A world, served."""
    scene = _only(build(SEED))
    # Under the same key both ways give the same cursors.
    async with served_scene(shared_database, scene, configured_cursor_key=CURSOR_KEY) as hub:
        yield hub


@pytest.fixture
def stage(served: ServedScene) -> Iterator[Stage]:
    """The same store, to be asked without HTTP."""
    with stage_over(served.database) as made:
        yield made


def _only(world: World) -> Scene:
    # Live customs is not connected in these hubs.
    world.live.clear()
    return Scene(world, {}, {}, {}, {}, "")


def said(response: httpx.Response) -> tuple[int, Any]:
    """What a caller can tell of a response, the request's own id apart."""
    body = orjson.loads(response.content)
    body.get("extensions", {}).pop("requestId", None)
    return response.status_code, body


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("partner", "purpose"), CALLERS)
def test_what_leaves_the_server_is_what_the_statement_gave(
    served: ServedScene, stage: Stage, partner: str, purpose: str, way: str
) -> None:
    who = replace(caller(partner, purpose), incomplete=INCOMPLETE)
    world = served.scene.world
    compared = 0
    with httpx.Client(timeout=30, trust_env=False) as client:
        over = Over(served, client)

        @seed(SEED)
        @repeatable(DOCUMENTS)
        @given(documents(who.standing.view.schema, pool_for(who, store_of_world(world), world)))
        def check(document: Document) -> None:
            nonlocal compared
            assume(not APART.search(str(document)))
            note(str(document))
            answer = stage.ask(who, world, document)
            status, body = said(over.ask(who, document, way))
            if answer is None:
                assert "data" not in body
                return
            assert status == 200, body
            assert body["data"] == orjson.loads(answer.data)
            told = orjson.loads(b"{%b}" % answer.disclosure[1:]) if answer.disclosure else {}
            assert body["extensions"].get("disclosure") == told.get("disclosure")
            compared += 1

        check()
    assert compared >= DOCUMENTS // 2


@pytest.mark.parametrize(("partner", "purpose"), CALLERS)
async def test_hidden_things_change_no_byte_of_a_response(
    database: Database, second_database: Database, partner: str, purpose: str
) -> None:
    who = caller(partner, purpose)
    world = build(SEED + 1)
    twin, differences = otherwise(world, who.asker(), SEED)
    assert differences >= 60
    async with (
        served_scene(database, _only(world)) as one,
        served_scene(second_database, _only(twin)) as other,
    ):
        with httpx.Client(timeout=30, trust_env=False) as client:

            @seed(SEED)
            @repeatable(DOCUMENTS)
            @given(documents(who.standing.view.schema, pool_for(who, store_of_world(world), world)))
            def check(document: Document) -> None:
                note(str(document))
                for way in WAYS:
                    first, second = (Over(hub, client).ask(who, document, way) for hub in (one, other))
                    assert _bytes(first) == _bytes(second)

            check()


def _bytes(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    body = re.sub(rb'"requestId":"[0-9a-f]+"', b"", response.content)
    headers = {name: value for name, value in response.headers.items() if name != "date"}
    return response.status_code, body, headers
