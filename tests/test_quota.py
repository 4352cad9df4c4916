"""Look-ups of natural persons by number are bounded as the matrix says: of an officer, and of a person looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.errors import QuotaExceeded
from hub.rules.matrix import load_matrix
from hub.serving import quota
from hub.serving.quota import Quotas
from tests.callers import standing
from tests.worlds import TODAY

PERSONS = replace(load_matrix().person_lookups, at_once=3, seconds_each=10)
AGREEMENT = standing("reform", "ONGOING_SUPERVISION").agreement


class Clock:
    """A clock that stands until it is moved; seconds."""

    now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the quotas."""
    made = Clock()
    monkeypatch.setattr(quota, "time", made)
    return made


def _quotas() -> Quotas:
    pool: Any = None
    return Quotas(pool, PERSONS, lambda: TODAY)


def test_an_officer_looks_for_so_many_persons_at_once_and_then_for_one_every_so_often(clock: Clock) -> None:
    quotas = _quotas()
    for number in range(3):
        quotas.admit_person(AGREEMENT, "officer", f"person {number}")
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit_person(AGREEMENT, "officer", "person 4")
    assert refused.value.extensions["retryAfter"] == 10
    quotas.admit_person(AGREEMENT, "another", "person 5")
    clock.now += 9
    with pytest.raises(QuotaExceeded):
        quotas.admit_person(AGREEMENT, "officer", "person 6")
    clock.now += 1.01
    quotas.admit_person(AGREEMENT, "officer", "person 7")


def test_one_person_is_looked_for_so_often_whoever_asks(clock: Clock) -> None:
    quotas = _quotas()
    for number in range(3):
        quotas.admit_person(AGREEMENT, f"officer {number}", "person")
    with pytest.raises(QuotaExceeded):
        quotas.admit_person(AGREEMENT, "officer 4", "person")
