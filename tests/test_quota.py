"""Look-ups of natural persons by number are bounded as the matrix says; a day's subjects are counted once, on their day."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from hub.errors import QuotaExceeded
from hub.rights.identity import Caller
from hub.rules.matrix import load_matrix
from hub.sandbox.names import uscc
from hub.serving import quota
from hub.serving.quota import Quotas
from tests.callers import standing
from tests.conftest import Database
from tests.scene import served_scene
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


def _caller(officer: str, partner: str = "reform", subject: str | None = None) -> Caller:
    return Caller(partner, officer, frozenset(), None, subject, "token", 0.0)


def _quotas() -> Quotas:
    pool: Any = None
    return Quotas(pool, PERSONS, lambda: TODAY)


def test_an_officer_looks_for_so_many_persons_at_once_and_then_for_one_every_so_often(clock: Clock) -> None:
    quotas = _quotas()
    for number in range(3):
        quotas.admit_person(_caller("officer"), f"person {number}")
    with pytest.raises(QuotaExceeded) as refused:
        quotas.admit_person(_caller("officer"), "person 4")
    assert refused.value.extensions["retryAfter"] == 10
    quotas.admit_person(_caller("another"), "person 5")
    clock.now += 9
    with pytest.raises(QuotaExceeded):
        quotas.admit_person(_caller("officer"), "person 6")
    clock.now += 1.01
    quotas.admit_person(_caller("officer"), "person 7")


def test_one_person_is_looked_for_so_often_whoever_asks_for_a_partner(clock: Clock) -> None:
    quotas = _quotas()
    for number in range(3):
        quotas.admit_person(_caller(f"officer {number}"), "person")
    with pytest.raises(QuotaExceeded):
        quotas.admit_person(_caller("officer 4"), "person")


def test_how_often_others_looked_for_a_person_refuses_nobody(clock: Clock) -> None:
    """Else whoever asks for the first time would learn that others look for this person, and could be kept from it."""
    quotas = _quotas()
    for number in range(3):
        quotas.admit_person(_caller(f"officer {number}"), "person")
    for other in (_caller("x", partner="tax"), _caller("x", "subject", "A"), _caller("x", "subject", "B")):
        for number in range(3):
            quotas.admit_person(replace(other, officer=f"officer {number}"), "person")
        with pytest.raises(QuotaExceeded):
            quotas.admit_person(replace(other, officer="officer 4"), "person")


_ME = "{ me { partner quota { subjectsPerDay subjectsLeft requestsPerSecond } } }"
_ASKING = "query($codes: [USCC!]!) { me { quota { subjectsLeft } } subjects(codes: $codes) { __typename } }"


async def test_a_partner_is_told_what_is_left_of_its_own_day(database: Database) -> None:
    codes = {"codes": [uscc("91", "630103", number) for number in range(3)]}
    mall = standing("mall", "MERCHANT_ADMISSION").agreement.quota
    auditor = standing("auditor", "AUDIT").agreement.quota
    assert mall != auditor

    def told(partner: str, of: Any, left: int) -> dict[str, Any]:
        quota = {
            "subjectsPerDay": of.subjects_per_day,
            "subjectsLeft": left,
            "requestsPerSecond": of.requests_per_second,
        }
        return {"me": {"partner": partner, "quota": quota}}

    async with served_scene(database) as hub:
        # To ask for it takes nothing, however often.
        for _ in range(2):
            assert (await hub.ask("mall", _ME)).data == told("mall", mall, mall.subjects_per_day)
        # What a request asks about is taken off already in its own answer.
        asked = await hub.ask("mall", _ASKING, codes)
        assert asked.data["me"] == {"quota": {"subjectsLeft": mall.subjects_per_day - 3}}
        assert (await hub.ask("mall", _ME)).data == told("mall", mall, mall.subjects_per_day - 3)
        # Nobody sees another's use, not even through its eyes: there one's own is taken off and told.
        assert (await hub.ask("auditor", _ME)).data == told("auditor", auditor, auditor.subjects_per_day)
        eyes = {"hub_view_as": "mall/MERCHANT_ADMISSION"}
        await hub.ask("auditor", _ASKING, codes, **eyes)
        through = await hub.ask("auditor", _ME, **eyes)
        assert through.data == told("mall", auditor, auditor.subjects_per_day - 3)
        assert (await hub.ask("mall", _ME)).data == told("mall", mall, mall.subjects_per_day - 3)


async def test_who_was_told_nothing_as_the_hub_failed_has_asked_about_nobody(database: Database) -> None:
    """A partner that repeats its request each second, as Retry-After says, would use up its day in a minute."""
    codes = {"codes": [uscc("91", "630103", number) for number in range(3)]}
    most = standing("mall", "MERCHANT_ADMISSION").agreement.quota.subjects_per_day
    report = """mutation ($code: USCC!) { reportMerchantArchive(subject: $code, shopId: "S1", shopName: "x",
      verifiedOn: "2026-01-01") { archiveType } }"""
    admin = await asyncpg.connect(database.superuser_dsn)
    try:
        async with served_scene(database) as hub:
            for table, status in (("ledger_block", 503), ("affiliation", 500)):
                await admin.execute(f"ALTER TABLE {table} RENAME TO away")
                assert (await hub.ask("mall", _ASKING, codes)).status == status
                await admin.execute(f"ALTER TABLE away RENAME TO {table}")
                told = await hub.ask("mall", _ME)
                assert told.data["me"]["quota"]["subjectsLeft"] == most
            # A refusal tells of the subject, so it counts.
            assert (await hub.ask("mall", report, {"code": codes["codes"][0]})).codes == ["SUBJECT_UNKNOWN"]
            assert (await hub.ask("mall", _ME)).data["me"]["quota"]["subjectsLeft"] == most - 1
    finally:
        await admin.close()


_COUNTED = "SELECT day, subjects FROM quota_use ORDER BY day"
_WRITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%quota_use%'"
_SLOWLY = """
CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END';
CREATE TRIGGER slowly AFTER INSERT ON quota_use FOR EACH STATEMENT EXECUTE FUNCTION slowly();
"""


async def test_what_is_asked_before_midnight_is_of_that_day_whenever_it_is_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "FLUSH_SECONDS", 3600)
    day = TODAY
    most = AGREEMENT.quota.subjects_per_day
    quotas = Quotas(database.writer, PERSONS, lambda: day)
    await quotas.start()
    quotas.charge(AGREEMENT, most - 2)
    day += timedelta(days=1)
    # The new day is a whole one at once, not after the next exchange.
    quotas.charge(AGREEMENT, 5)
    await quotas.stop()
    assert [tuple(row) for row in await database.writer.fetch(_COUNTED)] == [(TODAY, most - 2), (day, 5)]
    again = Quotas(database.writer, PERSONS, lambda: day)
    await again.start()
    with pytest.raises(QuotaExceeded, match=f"{most - 5} are left, and this asks about {most}") as refused:
        again.charge(AGREEMENT, most)
    assert refused.value.extensions == {"maximum": most, "remaining": most - 5}
    # Nothing was counted for what was refused.
    assert again.left(AGREEMENT) == most - 5
    again.charge(AGREEMENT, most - 5)
    with pytest.raises(QuotaExceeded):
        again.charge(AGREEMENT, 1)
    assert again.left(AGREEMENT) == 0
    await again.stop()


async def test_a_store_that_stays_away_is_said_once_and_that_it_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(quota, "FLUSH_SECONDS", 0.01)
    caplog.set_level("INFO", quota.__name__)
    quotas = Quotas(database.writer, PERSONS, lambda: TODAY)
    await quotas.start()
    admin = await asyncpg.connect(database.superuser_dsn)
    try:
        await admin.execute("ALTER TABLE quota_use RENAME TO away")
        await asyncio.sleep(0.3)
        assert [one.getMessage() for one in caplog.records] == [
            "the quotas cannot be brought together: UndefinedTableError"
        ]
        await admin.execute("ALTER TABLE away RENAME TO quota_use")
        await asyncio.sleep(0.3)
        assert [one.levelname for one in caplog.records] == ["WARNING", "INFO"]
    finally:
        await admin.close()
    await quotas.stop()


async def test_counts_that_are_on_their_way_when_the_hub_stops_are_written_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "FLUSH_SECONDS", 0.01)
    quotas = Quotas(database.writer, PERSONS, lambda: TODAY)
    admin = await asyncpg.connect(database.superuser_dsn)
    try:
        await admin.execute(_SLOWLY)
        await quotas.start()
        quotas.charge(AGREEMENT, 5)
        for _ in range(500):
            if await admin.fetchval(_WRITING):
                break
            await asyncio.sleep(0.01)
        else:
            raise AssertionError("nothing is written")
        quotas.charge(AGREEMENT, 2)
        # Meanwhile the store commits, and nobody here has read so.
        time.sleep(0.5)  # noqa: ASYNC251 -- the loop must not turn meanwhile
        await quotas.stop()
        assert [tuple(row) for row in await admin.fetch(_COUNTED)] == [(TODAY, 7)]
    finally:
        await admin.close()
