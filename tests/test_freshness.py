"""What the hub says of its sources when the store does not tell, tells nonsense, or was never asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from hub.errors import StoreUnavailable
from hub.query.expressions import _VOUCHED_FOR
from hub.sources import freshness
from hub.sources.discovery import discover
from hub.sources.freshness import SourceStates, State
from hub.sources.live import Status
from schema.coordinates import vocabulary
from tests.worlds import NOW

SOURCES = {name: module.SOURCE for name, module in discover().items()}


class Readings:
    """A reader whose readings are those of a list, one after another; the last one stays."""

    def __init__(self, *readings: BaseException | list[dict[str, Any]]) -> None:
        self.readings = list(readings)
        self.count = 0

    async def rows(self, _: str, __: Sequence[Any]) -> list[dict[str, Any]]:
        """The next reading."""
        self.count += 1
        found = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(found, BaseException):
            raise found
        return found


def fresh(*names: str, days: int = 0) -> list[dict[str, Any]]:
    """Rows of sources that answered so many days ago."""
    return [{"source": name, "status": "OK", "as_of": NOW - timedelta(days=days)} for name in names]


def states(reader: Readings) -> SourceStates:
    """The states as they are read there; customs is connected."""
    return SourceStates(reader, SOURCES, {"CUSTOMS"}, lambda: NOW)  # type: ignore[arg-type]


def missing(told: SourceStates) -> set[str]:
    """The sources that cannot vouch for a “no”."""
    return {one.split()[1] for one in told.unvouched.by_source}


async def becomes(true: Callable[[], bool]) -> None:
    """Wait for something, at most five seconds."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read often, so that no test waits."""
    monkeypatch.setattr(freshness, "_POLL_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (StoreUnavailable(), "WARNING"),
        (asyncpg.UndefinedTableError("source_state"), "ERROR"),
        (asyncpg.InsufficientPrivilegeError(), "ERROR"),
        (KeyError("as_of"), "ERROR"),
    ],
)
async def test_a_reading_that_fails_in_whatever_way_is_not_the_last(
    error: Exception, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", freshness.__name__)
    told = states(Readings(fresh("COMMERCE", "TAX"), error, error, fresh("TAX")))
    await told.start()
    assert "COMMERCE" not in missing(told)
    await becomes(lambda: "COMMERCE" in missing(told))
    assert "TAX" not in missing(told)
    assert told.state("COMMERCE") == State("NOT_CONNECTED", None)
    # A failure that goes on is said once, and its end.
    assert [one.levelname for one in caplog.records] == [level, "INFO"]
    await told.stop()


async def test_no_source_vouches_for_a_no_when_it_was_long_not_known_how_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freshness, "_TRUSTED_SECONDS", 0.3)
    reader = Readings(fresh("COMMERCE", "TAX"), asyncpg.UndefinedTableError("source_state"))
    told = states(reader)
    await told.start()
    assert told.state("TAX") == State("OK", NOW)
    assert {"COMMERCE", "TAX"}.isdisjoint(missing(told))
    await becomes(lambda: missing(told) == {*SOURCES})
    # Neither does the evidence of a check call it fit.
    assert told.state("TAX") == State("UNAVAILABLE", NOW)
    reader.readings = [fresh("COMMERCE", "TAX")]
    await becomes(lambda: "TAX" not in missing(told))
    assert told.state("TAX") == State("OK", NOW)
    await told.stop()


async def test_what_a_source_supplies_cannot_be_denied_without_it() -> None:
    told = states(Readings(fresh(*(name for name in SOURCES if name != "CREDIT_PLATFORM"))))
    await told.start()
    classes, by_source = told.unvouched
    assert {"D10", "D12", "D13"} <= {*classes}
    assert {"D6", "D17", "D18"}.isdisjoint(classes)
    assert "D10 CREDIT_PLATFORM" in by_source
    assert "D10 MARKET_REGULATION" not in by_source
    await told.stop()


def test_every_question_of_the_summary_is_of_a_class_that_some_source_supplies() -> None:
    supplied = {item.data_class for source in SOURCES.values() for item in source.items}
    asked = {
        data_class
        for coordinate, rule in vocabulary().rules.items()
        if coordinate.startswith("CreditSummary.") and rule.target in _VOUCHED_FOR
        for data_class in rule.classes
    }
    assert asked
    assert asked <= supplied


async def test_a_live_source_that_was_never_asked_is_not_said_to_be_well() -> None:
    told = states(Readings(fresh("COMMERCE")))
    await told.start()
    assert told.state("CUSTOMS") == State("NOT_ASKED", None)
    told.note("CUSTOMS", Status.OK)
    # Not since when: that is when somebody else asked.
    assert told.state("CUSTOMS") == State("OK", None)
    # A command, which does not ask it, does not rest on what it told others.
    assert told.stored("CUSTOMS") == State("NOT_ASKED", None)
    assert told.stored("COMMERCE") == told.state("COMMERCE") == State("OK", NOW)
    await told.stop()
    nowhere = SourceStates(Readings([]), SOURCES, (), lambda: NOW)  # type: ignore[arg-type]
    assert nowhere.state("CUSTOMS") == State("NOT_CONNECTED", None)
