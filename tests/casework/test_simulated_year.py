"""A simulated year of operation: a thousand firms' histories by chance, with time jumps and failing channels; invariants hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import asyncpg
import pytest

from tests.casework.desk import office_over
from tests.casework.dispatch import sites
from tests.casework.invariants import ASKING, Told, figures_are_a_recount, hold
from tests.casework.recount import figures_of_departments_are_a_recount, reports_are_a_recount
from tests.casework.town import NEW_YEAR, Town
from tests.conftest import Database

pytestmark = pytest.mark.long

# 20 towns of 50 firms: a thousand histories. A seed that failed is run again by its number.
TOWNS, FIRMS, ROUNDS = 20, 50, 18
# Steps without which the year would prove little: each is taken in some town.
ESSENTIAL = {
    "CHECK": "open deadline_passed",
    "LIST_ENTRY": "notify serve state_defence record_defence decline recognize publish suspend reinstate revoke"
    " give_up expire",
    "MEASURE": "acknowledge take_over decline activate feed_back feed_back_own expire end_exit lift",
    "OBJECTION": "mark forward provider_answered uphold reject withdraw tell",
    "PUBLICITY": "submit pass_secrecy clear approve return except publish suspend withdraw end_period"
    " end_repair deadline_passed",
    "QUARTERLY_REPORT": "prefill state submit return accept",
    "REPAIR": "accept reject_intake begin_review extend examine approve refuse effectuate",
}
# Steps taken so far, by town.
TAKEN: dict[int, set[str]] = {}


@asynccontextmanager
async def town_over(database: Database, state_dir: Path, seed: int, firms: int) -> AsyncIterator[Town]:
    """A town of its own store, on the first working Monday of 2026."""
    async with office_over(database, state_dir) as office:
        office.clock.now = NEW_YEAR
        connection = await asyncpg.connect(database.owner_dsn)
        try:
            async with sites(clock=lambda: office.clock.now.timestamp()) as channels:
                town = Town(office, connection, channels, Random(seed))
                await town.found(firms)
                yield town
        finally:
            await connection.close()


@pytest.mark.parametrize("seed", range(TOWNS))
async def test_invariants_hold_through_a_simulated_year(
    database: Database, state_dir: Path, seed: int
) -> None:
    await walk(database, state_dir, seed)


async def walk(database: Database, state_dir: Path, seed: int) -> None:
    """A town's year, looked at all the way."""
    async with town_over(database, state_dir, seed, FIRMS) as town:
        # Channels are there in one town of four; in the others every exit must become an alarm.
        connected = seed % 4 == 0
        partners = list(ASKING)
        for number in range(ROUNDS):
            for firm in town.firms:
                # Now and then a case is taken from its beginning to its end in one day.
                for _ in range(town.chance.choice((0, 0, 1, 2, 3, 8))):
                    await town.act(firm)
            if connected:
                await town.deliver()
            town.jump()
            await town.checks()
            # Before the night's work: what ends with a day is gone with it, whether or not a job has run.
            await hold(town, partners[number % len(partners)], after_night=False)
            await town.night(alarms=number % 6 == 5, channels=connected)
            await town.report()
            if number % 3 == 2:
                await hold(town, town.chance.choice(partners), after_night=True)
        town.office.clock.now = max(town.office.clock.now, NEW_YEAR + timedelta(days=366))
        await town.night(alarms=True, channels=connected)
        for partner in partners:
            await hold(town, partner, after_night=True)
        told = await Told.of(town)
        await figures_are_a_recount(town, told)
        reports_are_a_recount(told)
        await figures_of_departments_are_a_recount(town, told)
        TAKEN[seed] = {
            f"{case['mechanism']}.{event['transition']}"
            for number, case in told.cases.items()
            for event in told.events[number]
        }


def test_every_essential_step_was_taken_in_some_town() -> None:
    """Invariants hold of a year in which nothing happens, too: this is said of all towns together."""
    if TAKEN.keys() != set(range(TOWNS)):
        pytest.fail("this needs every town of the file: run it whole")
    wanted = {f"{name}.{step}" for name, steps in ESSENTIAL.items() for step in steps.split()}
    assert wanted - set().union(*TAKEN.values()) == set()
