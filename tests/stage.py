"""A store that properties fill with one world after another, and the two ways to ask it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import asyncpg
from graphql import parse
from hypothesis import HealthCheck, Phase, settings

from hub.errors import BadUserInput, LimitExceeded
from hub.rights.matrix import Level
from hub.store.reader import Reader
from tests.callers import Answer, Caller, Path
from tests.conftest import Database
from tests.documents import Document, Pool, pool_of
from tests.reference.executor import Reference
from tests.reference.ids import public
from tests.reference.rights import Rights
from tests.reference.rows import Store, load
from tests.worlds import World, fill

T = TypeVar("T")


@dataclass
class Stage:
    """One store and the loop on which it is asked; hypothesis wants functions that are not coroutines."""

    database: Database
    runner: asyncio.Runner
    reader: Reader
    # Why documents were refused, and how often.
    refused: Counter[str] = field(default_factory=Counter)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns."""
        return self.runner.run(coroutine)

    def play(self, world: World) -> Store:
        """Make the store hold `world`, and read it back row by row."""
        return self.run(self._play(world))

    async def _play(self, world: World) -> Store:
        owner = await asyncpg.connect(self.database.owner_dsn)
        try:
            await fill(owner, world)
            # What the planner knows of the tables must not change while a property runs.
            await owner.execute("ANALYZE")
            return await load(owner, world.live)
        finally:
            await owner.close()

    def ask(self, who: Caller, world: World, document: Document) -> Answer | None:
        """The compiled path's answer; None for a document that this caller may not ask, in shape or words."""
        path = Path(self.reader, world.live)
        try:
            return self.run(path.answer(who, document.text, document.variables, document.name))
        except (LimitExceeded, BadUserInput) as refusal:
            self.refused[str(refusal)] += 1
            return None


@contextmanager
def stage_over(database: Database) -> Iterator[Stage]:
    """A stage over a store of its own."""
    with asyncio.Runner() as runner:
        reader = runner.run(Reader.open(replace(database.settings, database_timeout=30), 1))
        yield Stage(database, runner, reader)
        runner.run(reader.close())


def wanted(who: Caller, store: Store, document: Document, answer: Answer) -> Any:
    """The reference's data for a document; what the hub brings along is that of `answer`."""
    return Reference(who.asker(), store, answer.brought).execute(
        parse(document.text), document.variables, document.name
    )


def pool_for(who: Caller, store: Store, world: World) -> Pool:
    """Values worth asking with as this caller, who cannot have explained what it does not see."""
    rights = Rights(who.asker(), store)
    explained = [
        row["uscc"]
        for row in store.tables["subject"]
        if row["uscc"] and rights.subject_level(row) > Level.NONE
    ]
    known = who.standing.view
    coordinates = sorted(known.visible & known.vocabulary.rules.keys())
    pool = pool_of(world, coordinates, [str(who.standing.purpose)], explained)
    # What is about persons has another id for each partner class.
    own = [
        letter + id_
        for table, letter in (("subject", "s"), ("record", "r"), ("list_entry", "l"))
        for row in store.tables[table]
        if (id_ := public(store, str(who.standing.agreement.partner_class), row)) != row["public_id"]
    ]
    return replace(pool, ids=[*pool.ids, *own])


def repeatable(examples: int) -> settings:
    """The same examples in each run; a failing one is made as small as it can be."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
