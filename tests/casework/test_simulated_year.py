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
from tests.casework.town import NEW_YEAR, Town
from tests.conftest import Database

# 20 towns of 50 firms: a thousand histories. A seed that failed is run again by its number.
TOWNS, FIRMS, ROUNDS = 20, 50, 18


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
    async with town_over(database, state_dir, seed, FIRMS) as town:
        # Channels are there in one town of four; in the others every exit must become an alarm.
        connected = seed % 4 == 0
        partners = list(ASKING)
        for number in range(ROUNDS):
            for firm in town.firms:
                for _ in range(town.chance.choice((0, 1, 2, 3))):
                    await town.act(firm)
            town.jump()
            # Before the night's work: what ends with a day is gone with it, whether or not a job has run.
            await hold(town, partners[number % len(partners)], after_night=False)
            await town.night(alarms=number % 6 == 5, channels=connected)
            if number % 3 == 2:
                await hold(town, town.chance.choice(partners), after_night=True)
        town.office.clock.now = max(town.office.clock.now, NEW_YEAR + timedelta(days=366))
        await town.night(alarms=True, channels=connected)
        for partner in partners:
            await hold(town, partner, after_night=True)
        told = await Told.of(town)
        await figures_are_a_recount(town, told)
