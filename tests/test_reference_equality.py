"""The compiled plan gives the same data as naive resolvers over plain rows, for random documents and callers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given, note, seed

from tests.callers import CALLERS, USUAL_CALLERS, Caller
from tests.conftest import Database
from tests.documents import Document, askable, documents
from tests.reference.executor import unsealed
from tests.reference.rows import Store
from tests.stage import Stage, pool_for, repeatable, stage_over, wanted
from tests.worlds import World, build

pytestmark = pytest.mark.long

# Documents for each caller, in each world.
DOCUMENTS, WORLDS = 65, (11, 100)
SOAK_DOCUMENTS, SOAK_WORLDS = 530, tuple(range(100, 110))
# Documents that were refused prove nothing, and neither do fields that were never asked: at least these shares must be.
ANSWERED, ASKED = 0.95, 0.8


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[Stage]:
    """A store for one world after another."""
    with stage_over(shared_database) as made:
        yield made


@dataclass
class Tally:
    """What was compared."""

    answered: int = 0
    asked: set[str] = field(default_factory=set)

    def compare(
        self,
        stage: Stage,
        who: Caller,
        world: World,
        store: Store,
        document: Document,
        plain: Document | None = None,
    ) -> None:
        """Ask both ways, then both from the cursors of the first answer on; the reference has them unsealed (`plain`)."""
        note(str(document))
        answer = stage.ask(who, world, document)
        if answer is None:
            return
        found = orjson.loads(answer.data)
        told = unsealed(found, answer.seals)
        assert told == wanted(who, store, plain or document, answer)
        self.answered += 1
        self.asked |= answer.coordinates
        further = document.going_on(found)
        if further is not None:
            self.compare(stage, who, world, store, further, document.going_on(told))


def explore(tally: Tally, stage: Stage, who: Caller, number: int, examples: int) -> None:
    """Compare both ways for some documents in one world."""
    world = build(number)
    store = stage.play(world)

    @seed(number)
    @repeatable(examples)
    @given(documents(who.standing.view.schema, pool_for(who, store, world)))
    def check(document: Document) -> None:
        tally.compare(stage, who, world, store, document)

    check()


def equal(stage: Stage, who: Caller, seeds: Sequence[int], examples: int) -> None:
    """Compare both ways for some documents in each of some worlds."""
    tally = Tally()
    for number in seeds:
        explore(tally, stage, who, number, examples)
    assert tally.answered >= len(seeds) * examples * ANSWERED, (tally.answered, stage.refused)
    known = askable(who.standing.view)
    assert len(tally.asked & known) >= len(known) * ASKED, sorted(known - tally.asked)


@pytest.mark.parametrize("name", USUAL_CALLERS)
def test_the_compiled_plan_gives_what_naive_resolvers_give(stage: Stage, name: str) -> None:
    equal(stage, CALLERS[name](), WORLDS, DOCUMENTS)


@pytest.mark.soak
@pytest.mark.parametrize("name", CALLERS)
def test_the_compiled_plan_gives_what_naive_resolvers_give_for_very_many_documents(
    stage: Stage, name: str
) -> None:
    equal(stage, CALLERS[name](), SOAK_WORLDS, SOAK_DOCUMENTS)
