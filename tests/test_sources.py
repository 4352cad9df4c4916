"""Live sources: batched, asked once, bounded in time, cached below authorization, honest when they fail."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis

from connectors import customs, registry
from connectors.contract import Connector, RawRow, Refused, Retention, RowRejected, Tools, Unavailable
from hub.errors import SettingInvalid
from hub.harvest.classes import data_class_of
from hub.sandbox import registry as registers
from hub.sandbox.customs import ANOMALY_SERVICE, LEVEL_SERVICE, CustomsService
from hub.sandbox.platform import Platform
from hub.sandbox.province import Province
from hub.sandbox.server import Fault, serving
from hub.sandbox.wellknown import CLEAN, DISHONEST, RICH
from hub.sources import live as asking
from hub.sources.breaker import Breaker
from hub.sources.cache import RowCache
from hub.sources.live import LiveAnswer, LiveSources, Status
from hub.sources.live_rows import understand
from tests.faulty_wire import FaultyWire

pytestmark = pytest.mark.alone

TODAY = datetime(2026, 11, 23, tzinfo=UTC).date()
APP_ID, APP_KEY = "hub-630000", "0123456789abcdef"
SEAL = b"k" * 32
LEVEL = customs.LEVEL
# Seconds within which a deadline of some tenths ends a question on a busy machine, too.
PATIENCE = 4.0


@dataclass
class Settings:
    source_deadline: float = 0.8
    cache_ttl: float = 300.0


@dataclass
class Clock:
    """The epoch and the monotonic seconds of one test, moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stand:
    """Customs on its platform behind a wire that can break."""

    platform: Platform
    wire: FaultyWire
    settings: Mapping[str, str]
    rejected: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="session")
def province() -> Province:
    return Province(600, TODAY)


@pytest.fixture(scope="session")
async def served(province: Province) -> AsyncIterator[tuple[Platform, str]]:
    """The platform on its port, once for all tests."""
    services = {name: CustomsService(province, name) for name in (LEVEL_SERVICE, ANOMALY_SERVICE)}
    platform = Platform({APP_ID: APP_KEY}, services)
    async with serving(platform.app()) as url:
        yield platform, url


@pytest.fixture
async def stand(served: tuple[Platform, str]) -> AsyncIterator[Stand]:
    platform, url = served
    platform.fault, platform.calls, platform.refreshes, platform.clock = Fault.NONE, 0, 0, time.time
    platform.forget_secrets()
    wire = FaultyWire("127.0.0.1", int(url.rpartition(":")[2]))
    async with wire.open() as (host, port):
        settings = {
            "HUB_CUSTOMS_URL": f"http://{host}:{port}",
            "HUB_CUSTOMS_APP_ID": APP_ID,
            "HUB_CUSTOMS_APP_SECRET": APP_KEY,
            "HUB_CUSTOMS_CASE": "青商信共享〔2026〕1号",
        }
        yield Stand(platform, wire, settings)


def tools(deadline: float = 0.8, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Tools:
    return Tools(digest_person_id=lambda number: f"digest of {len(number)}", deadline=deadline, now=now)


@asynccontextmanager
async def connected(stand: Stand, deadline: float = 0.8) -> AsyncIterator[Connector]:
    connector = customs.connect(stand.settings, tools(deadline))
    try:
        yield connector
    finally:
        await connector.close()


def sources_of(
    connectors: Mapping[str, Connector],
    cache: RowCache,
    settings: Settings,
    rejected: list[tuple[str, str]],
    **options: object,
) -> LiveSources:
    """As the hub makes them; what they reject is told to `rejected`."""
    return LiveSources(
        connectors,
        cache,
        settings,
        classify=data_class_of,
        on_rejected=lambda source, row, code, reason: rejected.append((source.name, code)),
        **options,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def live(
    stand: Stand, cache: RowCache | None = None, settings: Settings | None = None, **options: object
) -> AsyncIterator[LiveSources]:
    settings = settings or Settings()
    async with connected(stand, settings.source_deadline) as connector:
        sources = sources_of(
            {"CUSTOMS": connector}, cache or RowCache(SEAL, keep=172_800), settings, stand.rejected, **options
        )
        try:
            yield sources
        finally:
            await sources.close()


def codes(province: Province) -> list[str]:
    return [subject.code for subject in province.organizations()]


def levels(answer: LiveAnswer, key: str) -> list[tuple[str, str]]:
    return [(row["ruleset_version"], row["grade_code"]) for row in answer.rows if row["key"] == key]


# --- the transport of customs


async def test_each_level_has_the_rule_set_of_its_day_and_none_is_translated(stand: Stand) -> None:
    async with live(stand) as sources:
        answer = await sources.ask("CUSTOMS", [RICH], [LEVEL])
    assert answer.status is Status.OK
    assert levels(answer, RICH) == [
        ("CUSTOMS-237", "GENERAL_CERTIFIED"),
        ("CUSTOMS-251", "REGULAR"),
        ("CUSTOMS-282", "CERTIFIED"),
    ]
    assert [row["effective_to"] for row in answer.rows] == ["2022-02-07", "2026-05-19", None]
    assert {row["data_class"] for row in answer.rows} == {"D14"}


@pytest.mark.parametrize(
    ("label", "day", "code"),
    [
        ("一般认证企业", "2026-05-01", "UNKNOWN_LEVEL"),
        ("认证企业", "2020-05-01", "UNKNOWN_LEVEL"),
        ("AA类", "2026-05-01", "UNKNOWN_LEVEL"),
        ("高级认证企业", "2009-05-01", "NO_RULE_SET"),
        ("高级认证企业", "9999-12-31", "MISSING"),
        ("高级认证企业", "2026-02-30", "BAD_DATE"),
    ],
)
async def test_a_level_that_its_rule_set_does_not_know_is_rejected(
    stand: Stand, label: str, day: str, code: str
) -> None:
    fields = {"lsh": "1", "hgzcbm": "630196003A", "tyshxydm": RICH, "qymc": "某", "xydj": label, "rdrq": day}
    async with connected(stand) as connector:
        with pytest.raises(RowRejected) as caught:
            connector.canonical(RawRow(f"CUSTOMS/{LEVEL}", "1", b"", fields))
    assert caught.value.code == code


async def test_whoever_is_to_be_taken_off_some_day_is_still_listed(stand: Stand) -> None:
    said = {
        "lsh": "1",
        "hgzcbm": "630196003A",
        "tyshxydm": RICH,
        "qymc": "某",
        "ycxx": "无法联系",
        "lrrq": "2026-01-05",
    }
    today = date(2026, 11, 22)
    connector = customs.connect(stand.settings, tools(now=lambda: datetime(2026, 11, 21, 16, tzinfo=UTC)))
    for left, over in ((None, False), (today, True), (today + timedelta(days=1), False)):
        fields = {**said, "ycrq": left.isoformat() if left else None}
        item = connector.canonical(RawRow(f"CUSTOMS/{customs.ANOMALY}", "1", b"", fields))
        assert item.deleted == over
    await connector.close()


async def test_the_secret_is_renewed_once_for_all_before_its_end_and_after_it_was_refused(
    stand: Stand,
) -> None:
    moment = [datetime.now(UTC)]
    connector = customs.connect(stand.settings, tools(now=lambda: moment[0]))
    await asyncio.gather(*(connector.fetch([RICH], [LEVEL]) for _ in range(20)))
    assert stand.platform.refreshes == 1
    # The operator drops all secrets: one renewal serves all callers that are refused.
    stand.platform.forget_secrets()
    await asyncio.gather(*(connector.fetch([RICH], [LEVEL]) for _ in range(8)))
    assert stand.platform.refreshes == 2
    # Ten minutes later less thirty seconds it is not used any more.
    moment[0] = datetime.fromtimestamp(moment[0].timestamp() + 575, UTC)
    stand.platform.clock = lambda: moment[0].timestamp()
    await connector.fetch([RICH], [LEVEL])
    assert stand.platform.refreshes == 3
    await connector.close()


async def test_a_wrong_signature_is_tried_once_more_and_then_a_refusal(stand: Stand) -> None:
    async with connected(stand) as connector:
        await connector.fetch([RICH], [LEVEL])
        stand.platform.fault, before = Fault.SIGNATURE, stand.platform.calls
        with pytest.raises(Refused):
            await connector.fetch([RICH], [LEVEL])
    assert stand.platform.calls == before + 1, "the renewal is refused already, so the call is not repeated"


async def test_a_clock_that_differs_too_much_is_a_refusal(stand: Stand) -> None:
    late = customs.connect(stand.settings, tools(now=lambda: datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(Refused, match="clock"):
        await late.fetch([RICH], [LEVEL])
    await late.close()


async def test_codes_go_a_hundred_at_a_time(stand: Stand, province: Province) -> None:
    async with connected(stand) as connector:
        keys = codes(province)[:250]
        found = await connector.fetch(keys, [LEVEL])
    assert stand.platform.calls == 3
    assert set(found) == set(keys)
    assert found[CLEAN]


@pytest.mark.parametrize("missing", ["URL", "APP_ID", "APP_SECRET", "CASE"])
def test_a_missing_setting_is_named(missing: str) -> None:
    settings = {f"HUB_CUSTOMS_{name}": "http://127.0.0.1:1" for name in ("URL", "APP_ID", "CASE")} | {
        "HUB_CUSTOMS_APP_SECRET": APP_KEY
    }
    del settings[f"HUB_CUSTOMS_{missing}"]
    with pytest.raises(ValueError, match=f"HUB_CUSTOMS_{missing}"):
        customs.connect(settings, tools())


def test_the_address_of_the_platform_is_one_for_every_source_behind_it() -> None:
    settings = {f"HUB_REGISTRY_{name}": "platform.example" for name in ("URL", "APP_ID", "CASE")}
    with pytest.raises(ValueError, match=r"HUB_REGISTRY_URL must begin with https:// or http://"):
        registry.connect({**settings, "HUB_REGISTRY_APP_SECRET": APP_KEY}, tools())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.HANG, Unavailable),
        (Fault.DRIP, Unavailable),
        (Fault.RESET, Unavailable),
        (Fault.REFUSE, Unavailable),
        (Fault.ERROR, Unavailable),
        (Fault.GARBAGE, Unavailable),
        (Fault.SIGNATURE, Refused),
    ],
)
async def test_every_fault_is_a_source_error_within_the_deadline(
    stand: Stand, fault: Fault, error: type[Exception]
) -> None:
    async with connected(stand, deadline=0.4) as connector:
        stand.wire.fault = stand.platform.fault = fault
        # Some never end by themselves, and what the client would wait by default is more than this.
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(error):
                await connector.fetch([RICH], [LEVEL])


# --- asking


async def test_nobody_waits_past_the_deadline_and_later_askers_profit(stand: Stand) -> None:
    async with live(stand, settings=Settings(source_deadline=0.3)) as sources:
        await sources.ask("CUSTOMS", [CLEAN], [LEVEL])
        for fault in (Fault.HANG, Fault.DRIP, Fault.RESET):
            stand.wire.fault = fault
            async with asyncio.timeout(PATIENCE):
                answer = await sources.ask("CUSTOMS", [RICH], [LEVEL])
            assert (answer.status, answer.rows, answer.as_of) == (Status.UNAVAILABLE, [], None)
            assert answer.incomplete == {RICH}
        stand.wire.fault = Fault.NONE
        await becomes(lambda: questions() == 0)
        # Whoever asks first may leave before the answer; it is kept for the next.
        for _ in range(20):
            answer = await sources.ask("CUSTOMS", [RICH], [LEVEL])
            if answer.status is Status.OK:
                break
        assert answer.status is Status.OK


async def test_one_question_serves_all_who_ask_the_same(stand: Stand, province: Province) -> None:
    keys = codes(province)[:60]
    # What is counted here is questions, not time: a busy machine may take longer than the usual deadline.
    async with live(stand, settings=Settings(source_deadline=10)) as sources:
        answers = await asyncio.gather(*(sources.ask("CUSTOMS", [key], [LEVEL]) for key in keys * 10))
    assert stand.platform.calls == 1, "60 keys asked 600 times at once are one batch"
    assert all(answer.status is not Status.UNAVAILABLE for answer in answers)


async def test_rows_are_asked_again_only_after_their_time_and_absence_sooner(stand: Stand) -> None:
    clock = Clock()
    none = "51630000500001237G"
    async with live(stand, settings=Settings(cache_ttl=300), clock=clock) as sources:
        for _ in range(5):
            assert (await sources.ask("CUSTOMS", [RICH, none], [LEVEL])).status is Status.OK
        assert stand.platform.calls == 1
        clock.now += 60
        await sources.ask("CUSTOMS", [RICH, none], [LEVEL])
        assert stand.platform.calls == 2, "that there was nothing is believed for 30 s only"
        await sources.ask("CUSTOMS", [RICH], [LEVEL])
        assert stand.platform.calls == 2
        clock.now += 400
        await sources.ask("CUSTOMS", [RICH], [LEVEL])
        assert stand.platform.calls == 3


async def test_what_was_kept_by_a_clock_that_was_ahead_is_asked_again_once_it_is_put_back(
    stand: Stand,
) -> None:
    """Until the later time came, a day perhaps, it would be told as of then, and whatever changed at customs would not."""
    clock = Clock()
    async with live(stand, clock=clock) as sources:
        clock.now += 86_400
        await sources.ask("CUSTOMS", [RICH], [LEVEL])
        clock.now -= 86_400
        again = await sources.ask("CUSTOMS", [RICH], [LEVEL])
        assert (again.status, again.as_of) == (Status.OK, datetime.fromtimestamp(clock.now, UTC))
        # Nor does it stand in for customs when that does not answer.
        clock.now += 86_400
        await sources.ask("CUSTOMS", [RICH], [LEVEL])
        clock.now -= 86_400
        stand.platform.fault = Fault.ERROR
        assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).status is Status.UNAVAILABLE
        # Those who share a cache are not alike to the second.
        stand.platform.fault = Fault.NONE
        clock.now += 40
        kept = await sources.ask("CUSTOMS", [RICH], [LEVEL])
        clock.now -= 20
        assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).as_of == kept.as_of


async def test_a_source_that_fails_leaves_its_old_rows_with_their_age_until_the_bound(stand: Stand) -> None:
    clock = Clock()
    async with live(stand, clock=clock) as sources:
        first = await sources.ask("CUSTOMS", [RICH], [LEVEL])
        stand.platform.fault = Fault.ERROR
        clock.now += 3600
        stale = await sources.ask("CUSTOMS", [RICH, CLEAN], [LEVEL])
        assert (stale.status, stale.stale, stale.incomplete) == (Status.PARTIAL, {RICH}, {CLEAN})
        alone = await sources.ask("CUSTOMS", [RICH], [LEVEL])
        assert (alone.status, alone.rows, alone.as_of) == (Status.STALE, first.rows, first.as_of)
        clock.now += 2 * 86_400
        assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).status is Status.UNAVAILABLE


async def test_rows_about_others_are_never_answered(stand: Stand) -> None:
    async with live(stand) as sources:
        stand.platform.fault = Fault.LIES
        answer = await sources.ask("CUSTOMS", [RICH, DISHONEST], [LEVEL])
    assert (answer.rows, answer.status) == ([], Status.UNAVAILABLE)
    assert ("CUSTOMS", "OTHER_SUBJECT") in stand.rejected


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("ycxx", "法定代表人(11010519491231002X)涉嫌走私", "PERSON_NUMBER_IN_TEXT"),
        ("ycxx", "涉嫌\0走私", "NOT_TEXT"),
        ("lsh", "6301\0", "NOT_TEXT"),
        ("lsh", "6" * 300, "NO_RECORD_ID"),
    ],
)
async def test_a_row_that_no_harvest_would_take_is_not_taken_live_either(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, field: str, value: str, code: str
) -> None:
    anomaly = {"lsh": "1", "hgzcbm": "6301960001", "qymc": "某公司", "ycxx": "走私", "lrrq": "2026-01-01"}
    sick = {**anomaly, "tyshxydm": RICH, field: value}
    sound = {**anomaly, "tyshxydm": CLEAN}
    monkeypatch.setattr(CustomsService, "answer", lambda *_: [sick, sound])
    async with live(stand) as sources:
        answer = await sources.ask("CUSTOMS", [RICH, CLEAN], [customs.ANOMALY])
    assert [(row["key"], row["title"]) for row in answer.rows] == [(CLEAN, "走私")]
    assert (answer.status, answer.incomplete) == (Status.PARTIAL, {RICH})
    assert stand.rejected == [("CUSTOMS", code)]


@pytest.mark.parametrize("newest_first", [False, True])
async def test_of_a_row_given_in_two_states_the_one_changed_last_counts(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, newest_first: bool
) -> None:
    """Whoever was taken off the list stays so, however the answer is ordered."""
    listed = {
        "lsh": "1", "hgzcbm": "6301960001", "qymc": "某公司", "ycxx": "无法联系", "lrrq": "2026-01-01", "ycrq": "",
        "gxsj": "2026-01-01 08:00:00", "tyshxydm": RICH,
    }  # fmt: skip
    off = {**listed, "ycrq": "2026-03-01", "gxsj": "2026-03-01 08:00:00"}
    again = {**listed, "tyshxydm": CLEAN, "ycrq": "2026-03-01"}
    back = {**again, "ycxx": "再次无法联系", "ycrq": "", "gxsj": "2026-04-01 08:00:00"}
    rows = [listed, off, again, back]
    monkeypatch.setattr(CustomsService, "answer", lambda *_: rows[::-1] if newest_first else rows)
    async with live(stand) as sources:
        answer = await sources.ask("CUSTOMS", [RICH, CLEAN], [customs.ANOMALY])
    assert answer.status is Status.OK
    assert [(row["key"], row["title"]) for row in answer.rows] == [(CLEAN, "再次无法联系")]


@pytest.mark.parametrize("changed", ["2026-11-01 08:00:00", ""])
@pytest.mark.parametrize("turned", [False, True])
async def test_of_two_states_of_which_nothing_tells_which_is_the_later_one_none_is_told(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, changed: str, turned: bool
) -> None:
    """The order of an answer means nothing: by it the firm would be a dishonest or a certified one."""
    certified = {
        "lsh": "1", "hgzcbm": "630196003A", "tyshxydm": RICH, "qymc": "某公司", "xydj": "高级认证企业",
        "rdrq": "2024-01-01", "jsrq": "", "gxsj": changed,
    }  # fmt: skip
    dishonest = {**certified, "xydj": "失信企业"}
    # Nobody knows whether what has no date came before it; what has an earlier one did.
    earlier = [{**dishonest, "tyshxydm": CLEAN, "gxsj": "2026-10-01 08:00:00"}] if changed else []
    # What is the same, however it is written, is given twice and no more.
    twice = [{**certified, "tyshxydm": CLEAN, "rdrq": day} for day in ("2024-01-01", "2024/01/01")]
    twice[1]["gxsj"] = ""
    rows = [certified, dishonest, *earlier, *twice]
    monkeypatch.setattr(CustomsService, "answer", lambda *_: rows[::-1] if turned else rows)
    async with live(stand) as sources:
        answer = await sources.ask("CUSTOMS", [RICH, CLEAN], [LEVEL])
    assert [(row["key"], row["grade_label"]) for row in answer.rows] == [(CLEAN, "高级认证企业")]
    assert (answer.status, answer.incomplete) == (Status.PARTIAL, {RICH})
    assert stand.rejected == [("CUSTOMS", "TWO_STATES")]


async def test_a_record_in_two_states_is_one_row_in_quarantine_in_whatever_order_they_come(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other bytes it would wait again, each time, after a person has dismissed it."""
    said = {
        "lsh": "1", "hgzcbm": "630196003A", "tyshxydm": RICH, "qymc": "某公司", "rdrq": "2024-01-01", "jsrq": "", "gxsj": "",
    }  # fmt: skip
    rows = [{**said, "xydj": level} for level in ("高级认证企业", "失信企业")]
    kept: list[bytes] = []
    async with connected(stand) as connector:
        for answer in (rows, rows[::-1]):
            monkeypatch.setattr(CustomsService, "answer", lambda *_, answer=answer: answer)
            given = (await connector.fetch([RICH], [LEVEL]))[RICH]
            understand(
                connector, data_class_of, lambda source, row, *_: kept.append(row.raw), RICH, given, 0.0
            )
    assert kept == [kept[0], kept[0]]


@pytest.mark.parametrize(("item", "column"), [(LEVEL, "rdrq"), (customs.ANOMALY, "lrrq")])
async def test_customs_recognized_and_listed_nobody_on_a_day_that_lies_ahead(
    stand: Stand, item: str, column: str
) -> None:
    said = {
        "lsh": "1",
        "hgzcbm": "630196003A",
        "tyshxydm": RICH,
        "qymc": "某",
        "ycxx": "无法联系",
        "xydj": "常规企业",
    }
    connector = customs.connect(stand.settings, tools(now=lambda: datetime(2026, 11, 21, 16, tzinfo=UTC)))
    for day, refused in (("2026-11-22", None), ("2026-11-23", "DATE_FUTURE"), ("2027-01-01", "DATE_FUTURE")):
        found = None
        try:
            connector.canonical(RawRow(f"CUSTOMS/{item}", "1", b"", {**said, column: day}))
        except RowRejected as error:
            found = error.code
        assert found == refused
    await connector.close()


async def test_a_service_that_gives_fewer_rows_than_it_was_asked_for_is_asked_until_it_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was not read would be denied of firms, for the source would count as gone through."""
    services = registers.services(Province(60, TODAY))
    every = sum(len(service.rows) for name, service in services.items() if "_01" in name)
    whole = registers.SerialService.answer
    monkeypatch.setattr(registers.SerialService, "answer", lambda *asked: whole(*asked)[:7])
    async with serving(Platform({APP_ID: APP_KEY}, services).app()) as url:
        settings = {"URL": url, "APP_ID": APP_ID, "APP_SECRET": APP_KEY, "CASE": "青商信共享〔2026〕1号"}
        connector = registry.connect(
            {f"HUB_REGISTRY_{name}": said for name, said in settings.items()}, tools(4.0)
        )
        try:
            read = [row.position async for batch in connector.harvest(None) for row in batch.rows]
        finally:
            await connector.close()
    assert len(read) == every > 7


async def test_a_row_that_is_not_understood_makes_its_key_incomplete_and_is_reported(
    stand: Stand, province: Province
) -> None:
    async with live(stand) as sources:
        parts = [await sources.ask("CUSTOMS", codes(province), [LEVEL])]
    assert parts[0].status is Status.PARTIAL
    assert parts[0].incomplete
    assert {code for _, code in stand.rejected} == {"UNKNOWN_LEVEL"}
    assert len(parts[0].incomplete) < 10


async def test_no_personal_number_is_taken_over(stand: Stand, province: Province) -> None:
    numbers = {subject.resident_id for subject in province}
    async with connected(stand) as connector:
        found = await connector.fetch(codes(province), [LEVEL, customs.ANOMALY])
    rows = [row for some in found.values() for row in some]
    assert len(rows) > 100
    assert not any(
        number.encode() in row.raw or number in row.fields.values() for row in rows for number in numbers
    )


async def test_the_breaker_opens_and_one_asker_at_a_time_tries_again(
    stand: Stand, province: Province
) -> None:
    monotonic = Clock()
    keys = iter(codes(province))
    # So patient that whoever waits for the source once it hangs is found out by any machine.
    async with live(stand, settings=Settings(source_deadline=60), monotonic=monotonic) as sources:
        stand.platform.fault = Fault.ERROR
        for _ in range(8):
            await sources.ask("CUSTOMS", [next(keys)], [LEVEL])
        calls = stand.platform.calls
        for fault in (Fault.NONE, Fault.HANG):
            stand.wire.fault = fault
            async with asyncio.timeout(30):
                for _ in range(10):
                    assert (await sources.ask("CUSTOMS", [next(keys)], [LEVEL])).status is Status.UNAVAILABLE
            assert stand.platform.calls == calls, "while it is open nobody asks"
        stand.wire.fault = Fault.NONE
        monotonic.now += 6
        await asyncio.gather(
            *(sources.ask("CUSTOMS", [next(keys)], [item]) for item in (LEVEL, customs.ANOMALY))
        )
        assert stand.platform.calls == calls + 1, "one probe"
        monotonic.now += 6
        stand.platform.fault = Fault.NONE
        assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).status is Status.OK
        assert (await sources.ask("CUSTOMS", [CLEAN], [LEVEL])).status is Status.OK


async def test_second_tries_stay_a_tenth_of_the_questions(stand: Stand, province: Province) -> None:
    """The breaker never opens here, because every other question is answered."""
    keys = codes(province)
    async with live(stand) as sources:
        for number in range(40):
            stand.platform.fault = Fault.ERROR if number % 2 else Fault.NONE
            await sources.ask("CUSTOMS", [keys[number]], [LEVEL])
    assert stand.platform.calls <= 40 * 1.1 + 1


async def test_closing_gives_up_what_is_asked_and_what_waits_and_leaves_nothing_running(
    stand: Stand, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_BATCH", 5)
    async with connected(stand, deadline=60) as connector:
        sources = sources_of(
            {"CUSTOMS": connector}, RowCache(SEAL, keep=60), Settings(source_deadline=60), []
        )
        stand.wire.fault = Fault.HANG
        # Twice as many as may be under way.
        keys = codes(province)[:40]
        asked = asyncio.create_task(sources.ask("CUSTOMS", keys, [LEVEL]))
        await becomes(lambda: questions() == 4)
        await sources.close()
        assert questions() == 0
        answer = await asked
    assert (answer.status, answer.rows, answer.incomplete) == (Status.UNAVAILABLE, [], set(keys))


def questions() -> int:
    """How many are under way in this process."""
    return sum("_carry_out" in repr(task) for task in asyncio.all_tasks())


async def becomes(true: Callable[[], bool]) -> None:
    """Wait for something, at most five seconds."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def test_an_unknown_source_and_an_empty_question_are_answered() -> None:
    sources = sources_of({}, RowCache(SEAL, keep=10), Settings(), [])
    assert (await sources.ask("TAX", [RICH], ["X"])).status is Status.UNAVAILABLE
    assert (await sources.ask("TAX", [], ["X"])).status is Status.UNAVAILABLE


class _Transient:
    """The same connector under a source that forbids keeping."""

    def __init__(self, connector: Connector) -> None:
        self.source = dataclasses.replace(connector.source, retention=Retention.TRANSIENT)
        self.harvest, self.canonical, self.close = connector.harvest, connector.canonical, connector.close
        self._connector = connector

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        return await self._connector.fetch(keys, items)


async def test_transient_rows_reach_no_cache_and_are_asked_each_time(stand: Stand, valkey: str) -> None:
    server = Redis.from_url(valkey)
    await server.flushdb()
    cache = RowCache(SEAL, keep=60, redis_url=valkey)
    async with connected(stand) as connector:
        sources = sources_of({"CUSTOMS": _Transient(connector)}, cache, Settings(), [])
        for _ in range(3):
            assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).rows
        assert stand.platform.calls == 3
        assert await server.dbsize() == 0
        stand.platform.fault = Fault.ERROR
        assert (await sources.ask("CUSTOMS", [RICH], [LEVEL])).status is Status.UNAVAILABLE
        await sources.close()
    await cache.close()
    await server.aclose()


# --- the shared cache, on a real server


async def test_workers_share_what_one_of_them_asked(stand: Stand, valkey: str) -> None:
    server = Redis.from_url(valkey)
    await server.flushdb()
    for _ in range(3):
        cache = RowCache(SEAL, keep=60, redis_url=valkey)
        async with live(stand, cache) as sources:
            assert levels(await sources.ask("CUSTOMS", [RICH], [LEVEL]), RICH)
        await cache.close()
    assert stand.platform.calls == 1
    names = [name.decode() for name in await server.keys()]
    assert names
    assert not any(RICH in name for name in names), "nobody reads from the server who was asked about"
    for name in names:
        assert 0 < await server.ttl(name) <= 60
    await server.aclose()


@pytest.mark.parametrize(
    "poison", [b"", b"null", b"\x80\x04N.", b"{" * 5000, b"0" * 64 + b'{"form":1}', b"\xff\xfe"]
)
async def test_what_others_wrote_to_the_server_is_not_believed(
    stand: Stand, valkey: str, poison: bytes
) -> None:
    server = Redis.from_url(valkey)
    await server.flushdb()
    cache = RowCache(SEAL, keep=60, redis_url=valkey)
    async with live(stand, cache) as sources:
        good = await sources.ask("CUSTOMS", [RICH], [LEVEL])
        for name in await server.keys():
            await server.set(name, poison)
        assert [r | {"fetched_at": ""} for r in (await sources.ask("CUSTOMS", [RICH], [LEVEL])).rows] == [
            r | {"fetched_at": ""} for r in good.rows
        ]
    assert stand.platform.calls == 2
    await cache.close()
    await server.aclose()


@pytest.mark.parametrize("option", ["socket_timeout=x", "foo=bar", "protocol=9"])
def test_an_address_of_the_shared_cache_with_options_that_are_none_is_refused(
    valkey: str, option: str
) -> None:
    with pytest.raises(SettingInvalid, match="HUB_REDIS_URL: its options"):
        RowCache(SEAL, keep=60, redis_url=f"{valkey}?{option}")


async def test_an_entry_altered_on_the_server_is_not_believed(stand: Stand, valkey: str) -> None:
    server = Redis.from_url(valkey)
    await server.flushdb()
    cache = RowCache(SEAL, keep=60, redis_url=valkey)
    async with live(stand, cache) as sources:
        await sources.ask("CUSTOMS", [DISHONEST], [LEVEL])
        (name,) = await server.keys()
        kept = await server.get(name)
        assert b"SERIOUSLY_DISHONEST" in kept
        await server.set(name, kept.replace(b"SERIOUSLY_DISHONEST", b"ADVANCED_CERTIFIED"))
        answer = await sources.ask("CUSTOMS", [DISHONEST], [LEVEL])
    assert levels(answer, DISHONEST) == [("CUSTOMS-282", "SERIOUSLY_DISHONEST")]
    await cache.close()
    await server.aclose()


async def test_an_entry_moved_to_another_key_is_not_believed(stand: Stand, valkey: str) -> None:
    server = Redis.from_url(valkey)
    await server.flushdb()
    cache = RowCache(SEAL, keep=60, redis_url=valkey)
    async with live(stand, cache) as sources:
        await sources.ask("CUSTOMS", [CLEAN], [LEVEL])
        (stolen,) = await server.keys()
        await sources.ask("CUSTOMS", [DISHONEST], [LEVEL])
        (own,) = set(await server.keys()) - {stolen}
        await server.set(own, await server.get(stolen))
        answer = await sources.ask("CUSTOMS", [DISHONEST], [LEVEL])
    assert levels(answer, DISHONEST) == [("CUSTOMS-282", "SERIOUSLY_DISHONEST")]
    await cache.close()
    await server.aclose()


async def test_a_server_that_hangs_or_is_away_costs_little_and_says_nothing(
    stand: Stand, valkey: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = FaultyWire("127.0.0.1", int(valkey.rstrip("/").rpartition(":")[2].split("/")[0]))
    caplog.set_level(logging.DEBUG)
    async with wire.open() as (host, port):
        cache = RowCache(SEAL, keep=60, redis_url=f"redis://{host}:{port}/0")
        async with live(stand, cache) as sources:
            await sources.ask("CUSTOMS", [RICH], [LEVEL])
            for fault in (Fault.HANG, Fault.RESET, Fault.REFUSE):
                wire.fault = fault
                started = time.monotonic()
                answer = await sources.ask("CUSTOMS", [CLEAN, RICH], [LEVEL])
                assert answer.status is Status.OK
                assert levels(answer, RICH)
                assert time.monotonic() - started < 0.4
            started = time.monotonic()
            for _ in range(50):
                await sources.ask("CUSTOMS", [CLEAN, RICH], [LEVEL])
            assert time.monotonic() - started < 1.0, "its breaker is open: memory serves"
        await cache.close()
    spoken = caplog.text
    assert "does not answer" in spoken
    assert "三江" not in spoken
    assert "CERTIFIED" not in spoken


async def test_that_the_server_is_away_is_said_once_and_that_it_is_back(
    valkey: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads the log in the morning finds what else happened in it."""
    wire = FaultyWire("127.0.0.1", int(valkey.rstrip("/").rpartition(":")[2].split("/")[0]))
    caplog.set_level(logging.INFO, "hub.sources.cache")
    clock = Clock()
    async with wire.open() as (host, port):
        cache = RowCache(SEAL, keep=60, redis_url=f"redis://{host}:{port}/0", clock=clock)
        for fault in (Fault.NONE, Fault.RESET, Fault.REFUSE, Fault.NONE):
            wire.fault = fault
            for _ in range(6):
                await cache.read("CUSTOMS", LEVEL, [RICH])
                clock.now += 5
        await cache.close()
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in said] == [
        "the shared cache does not answer",
        "the shared cache answers again",
    ]


async def test_memory_is_bounded_and_gives_each_reader_its_own_rows(stand: Stand, province: Province) -> None:
    cache = RowCache(SEAL, keep=60, most=10)
    async with live(stand, cache) as sources:
        keys = codes(province)[:40]
        await sources.ask("CUSTOMS", keys, [LEVEL])
        assert len(await cache.read("CUSTOMS", LEVEL, keys)) == 10
        await sources.ask("CUSTOMS", [RICH], [LEVEL])
        (await cache.read("CUSTOMS", LEVEL, [RICH]))[RICH].rows.clear()
        assert (await cache.read("CUSTOMS", LEVEL, [RICH]))[RICH].rows


def test_a_breaker_admits_one_probe_and_closes_only_after_success() -> None:
    clock = Clock()
    breaker = Breaker(2, 5.0, clock)
    for _ in range(2):
        assert breaker.admit()
        breaker.failed()
    assert not breaker.admit()
    clock.now += 5
    assert breaker.admit()
    assert not breaker.admit(), "one probe at a time"
    breaker.failed()
    assert not breaker.admit()
    clock.now += 5
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit(), "a probe that was given up does not block the next"
    breaker.succeeded()
    assert breaker.admit()
    assert breaker.admit()
