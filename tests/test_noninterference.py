"""Two stores that differ only in what a caller may not see give it the same bytes, errors and questions to live sources."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, note, seed

from hub.errors import HubError
from hub.store.embedded import EmbeddedPostgres
from tests.callers import CALLERS, USUAL_CALLERS, Answer, Caller
from tests.callers import Path as CompiledPath
from tests.conftest import Database, copied_store
from tests.documents import Document, askable, documents
from tests.hiding import otherwise, seen_sentinels
from tests.stage import Stage, pool_for, repeatable, stage_over
from tests.worlds import World, build

pytestmark = pytest.mark.long

# Documents for each caller, in each pair of worlds.
DOCUMENTS, WORLDS = 65, (21, 22)
SOAK_DOCUMENTS, SOAK_WORLDS = 530, tuple(range(200, 210))
# Two worlds differ in at least so many things, and at least this share of the fields is asked.
DIFFERENCES, ASKED = 60, 0.8
SENTINEL = re.compile(r"§\d+")


@pytest.fixture(scope="module")
async def second_database(
    postgres: EmbeddedPostgres, template: str, database_names: Callable[[], str], state_dir: Path
) -> AsyncIterator[Database]:
    """A second store beside the module's."""
    async with copied_store(postgres, template, database_names(), state_dir) as copy:
        yield copy


@pytest.fixture(scope="module")
def stages(shared_database: Database, second_database: Database) -> Iterator[tuple[Stage, Stage]]:
    """Two stores, for two worlds at a time."""
    with stage_over(shared_database) as one, stage_over(second_database) as other:
        yield one, other


@dataclass
class Twins:
    """Two worlds that look the same to a caller, and what was asked of both."""

    who: Caller
    stages: tuple[Stage, Stage]
    worlds: tuple[World, World]
    # Sentinels that this caller may be told.
    told: frozenset[str]
    answered: int = 0
    asked: set[str] = field(default_factory=set)

    def compare(self, document: Document) -> None:
        """Ask both worlds, and both again from the cursors of the first answer on."""
        note(str(document))
        one, other = (
            answer_of(stage, self.who, world, document)
            for stage, world in zip(self.stages, self.worlds, strict=True)
        )
        assert one == other
        if not isinstance(one, Answer):
            return
        self.answered += 1
        self.asked |= one.coordinates
        said = set(SENTINEL.findall(one.data.decode()))
        assert said <= self.told | set(SENTINEL.findall(str(document))), said - self.told
        further = document.going_on(orjson.loads(one.data))
        if further is not None:
            self.compare(further)


def answer_of(stage: Stage, who: Caller, world: World, document: Document) -> Answer | tuple[str, Any]:
    """All that the caller can tell of its answer, and what live sources can; a refusal with its words."""
    path = CompiledPath(stage.reader, world.live)
    try:
        return stage.run(path.answer(who, document.text, document.variables, document.name))
    except HubError as refusal:
        return refusal.public_message, refusal.extensions


def same(stages: tuple[Stage, Stage], who: Caller, seeds: Sequence[int], examples: int) -> None:
    """Ask the same of two worlds, pair of worlds by pair of worlds."""
    answered, asked = 0, set[str]()
    for number in seeds:
        twins = explore(stages, who, number, examples)
        answered += twins.answered
        asked |= twins.asked
    assert answered >= len(seeds) * examples * 0.95, answered
    known = askable(who.standing.view)
    assert len(asked & known) >= len(known) * ASKED, sorted(known - asked)


def explore(stages: tuple[Stage, Stage], who: Caller, number: int, examples: int) -> Twins:
    """Ask some documents of one pair of worlds."""
    world = build(number)
    twin, differences = otherwise(world, who.asker(), number)
    assert differences >= DIFFERENCES, differences
    store = stages[0].play(world)
    stages[1].play(twin)
    twins = Twins(who, stages, (world, twin), seen_sentinels(world, who.asker()))

    @seed(number)
    @repeatable(examples)
    @given(documents(who.standing.view.schema, pool_for(who, store, world)))
    def check(document: Document) -> None:
        twins.compare(document)

    check()
    return twins


@pytest.mark.parametrize("name", USUAL_CALLERS)
def test_what_a_caller_may_not_see_changes_nothing_for_it(stages: tuple[Stage, Stage], name: str) -> None:
    same(stages, CALLERS[name](), WORLDS, DOCUMENTS)


@pytest.mark.soak
@pytest.mark.parametrize("name", CALLERS)
def test_what_a_caller_may_not_see_changes_nothing_for_it_in_very_many_documents(
    stages: tuple[Stage, Stage], name: str
) -> None:
    same(stages, CALLERS[name](), SOAK_WORLDS, SOAK_DOCUMENTS)
