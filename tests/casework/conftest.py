"""Fixtures of casework."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.casework.desk import MONDAY, Office, office_over
from tests.conftest import Database


@pytest.fixture(scope="module")
async def module_office(shared_database: Database, state_dir: Path) -> AsyncIterator[Office]:
    """One office for all tests of a module."""
    async with office_over(shared_database, state_dir) as office:
        yield office


@pytest.fixture
def office(module_office: Office) -> Office:
    """The module's office, on its Monday again."""
    module_office.clock.now = MONDAY
    return module_office
