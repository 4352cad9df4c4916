"""One suite for every source: found by walking the package, held to the contract, against its sandbox."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from urllib.parse import parse_qs, urlsplit

import asyncpg
import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import ARRAY, BigInteger, Boolean, Date, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB

import connectors
from connectors import forex, investment, registers
from connectors.association import _split
from connectors.contract import (
    SHANGHAI,
    Batch,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Refused,
    RowRejected,
    Source,
    SourceError,
    SubjectRef,
    Tools,
    Unavailable,
)
from connectors.credit_platform import REPAIR
from connectors.drop import DropDirectory
from connectors.reading import Reader, json_raw
from connectors.tax import GRADE
from hub.harvest.columns import MADE, TABLES
from hub.rules.matters import load_matters
from hub.rules.tiering import load_tier_rules
from hub.sandbox.association import Chamber
from hub.sandbox.drop import write
from hub.sandbox.investment import FOREX_COLUMNS
from hub.sandbox.province import Province
from hub.sandbox.registry import services
from hub.sandbox.run import running
from hub.sandbox.server import Fault
from hub.sandbox.tax import front_end
from hub.sandbox.wellknown import CLEAN, DISHONEST, RICH
from hub.sources.discovery import connect_all, discover
from hub.store.embedded import EmbeddedPostgres
from hub.store.values import SUBJECT_KINDS
from schema.coordinates import vocabulary
from schema.governance import DATA_CLASSES
from schema.identifiers import fold, hmac_sm3, is_uscc
from tests.faulty_wire import FaultyWire

TODAY = date(2026, 11, 23)
SUBJECTS = 1500
KEY = b"conformance-key-of-thirty-two-b."
SOURCES = sorted(discover())
# The setting that leads to a source over the network; the others drop files.
ADDRESSES = {
    name: one.name
    for name in SOURCES
    for one in discover()[name].SOURCE.settings
    if one.name.endswith("_URL")
}
HARVESTED = [name for name in SOURCES if discover()[name].SOURCE.mode is Mode.HARVESTED]
# What `values` may hold beside columns: the harvest computes with it.
_PYTHON = {
    Text: str,
    Date: date,
    Boolean: bool,
    Numeric: Decimal,
    Integer: int,
    BigInteger: int,
    JSONB: (dict, list),
    ARRAY: list,
}
# What the suite looks for in every source but these, whose rows have no day that means none, or no column of two values.
WITHOUT_SENTINELS = ("CUSTOMS", "FOREIGN_INVESTMENT")
WITHOUT_FLAGS = ("COMMERCE",)
SUBJECT = SubjectRef("LEGAL_PERSON", "某", (("USCC", RICH),))
WILD = (
    st.none()
    | st.text(max_size=30)
    | st.dates().map(lambda day: day.isoformat())
    | st.datetimes().map(lambda moment: moment.isoformat())
    | st.decimals(allow_nan=True).map(str)
    | st.sampled_from(
        [
            "9.163E+17",
            "2099/12/31",
            "9999-12-31",
            "9998-06-30",
            "0001-01-01",
            "\\N",
            "暂无",
            "0",
            "1",
            "2024-02-29",
            "１２",
            "²",
        ]
    )
)
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9_]*").fullmatch
RESIDENT_ID = re.compile(r"(?<!\d)63\d{4}19\d{9}[\dX]")


def tools(deadline: float = 5.0) -> Tools:
    return Tools(lambda number: hmac_sm3(KEY, number), deadline, lambda: datetime.now(UTC))


@pytest.fixture(scope="session")
def province() -> Province:
    return Province(SUBJECTS, TODAY)


@pytest.fixture(scope="session")
async def settings(state_dir: Path, postgres: EmbeddedPostgres) -> AsyncIterator[Mapping[str, str]]:
    """The sandboxes of all sources, running."""
    async with running(state_dir / "sandbox", SUBJECTS, postgres, TODAY) as (found, _):
        yield found


@asynccontextmanager
async def opened(name: str, settings: Mapping[str, str], deadline: float = 5.0) -> AsyncIterator[Connector]:
    connector = discover()[name].connect(settings, tools(deadline))
    try:
        yield connector
    finally:
        await connector.close()


async def batches(connector: Connector, cursor: str | None = None) -> list[Batch]:
    return [batch async for batch in connector.harvest(cursor)]


def rows_of(found: Sequence[Batch]) -> list[RawRow]:
    return [row for batch in found for row in batch.rows]


def places(rows: Sequence[RawRow]) -> Counter[tuple[str, str, bytes]]:
    return Counter((row.origin, row.position, row.raw) for row in rows)


def understood(connector: Connector, rows: Sequence[RawRow]) -> tuple[list[Item], list[RowRejected]]:
    items, rejected = [], []
    for row in rows:
        try:
            items.append(connector.canonical(row))
        except RowRejected as error:
            rejected.append(error)
    return items, rejected


async def everything(connector: Connector, province: Province) -> list[RawRow]:
    """All rows that the source gives, harvested or asked."""
    if connector.source.mode is Mode.HARVESTED:
        return rows_of(await batches(connector))
    keys = [subject.code for subject in province.organizations()]
    found = await connector.fetch(keys, [item.code for item in connector.source.items])
    return [row for rows in found.values() for row in rows]


# --- what every connector must be


def check_declaration(source: Source) -> None:
    assert re.fullmatch("[A-Z_]+", source.name)
    assert source.items
    assert len({item.code for item in source.items}) == len(source.items)
    assert all(item.data_class in DATA_CLASSES for item in source.items)
    assert is_uscc(source.provider_code)
    assert source.settings
    for setting in source.settings:
        assert setting.name.startswith("HUB_")
        assert setting.description
        assert setting.secret == setting.name.endswith(("_SECRET", "_TOKEN", "_DATABASE_URL"))


def check_item(source: Source, item: Item) -> None:
    declared = {one.code: one.kind for one in source.items}
    assert declared[item.catalog_item_code] is item.kind
    table = TABLES[item.kind]
    for name, value in item.values.items():
        assert name in table.columns, f"{table.name} has no column {name}"
        column = table.columns[name]
        expected = next(python for kind, python in _PYTHON.items() if isinstance(column.type, kind))
        assert value is None or isinstance(value, expected), (name, value)
        assert not isinstance(value, datetime) or expected is not date, (name, value)
    given = {name for name, value in item.values.items() if value is not None}
    computed = {"seriousness", "lifecycle", "kind", "data_class", "subject_id", "recorded_at", "fetched_at"}
    computed |= {"source", "source_record_id", "provider_name", "catalog_item_code", "payload_digest"}
    computed.update(MADE.get(table.name, ()))
    if item.values.get("scheme") == "ASSOCIATION":
        # By the numbering of its day (hub/rules/certificates.toml).
        computed.add("ruleset_version")
    for column in table.columns:
        filled = column.nullable or column.server_default is not None or column.identity is not None
        # Of what is withdrawn the name is enough.
        assert item.deleted or filled or column.name in computed | given, f"{column.name} is missing"
    assert 0 < len(item.source_record_id) <= 200
    assert item.subject.kind in SUBJECT_KINDS
    assert item.subject.name.strip()
    assert item.subject.identifiers
    assert item.source_updated_at is None or item.source_updated_at.tzinfo is not None
    assert all(isinstance(flag, str) for flag in item.flags)
    json.dumps(dict(item.values), default=str)


async def check_rows(connector: Connector, rows: Sequence[RawRow], numbers: frozenset[str]) -> None:
    """Each row is an item that fits the store or a rejection with a code, the same at every reading."""
    items, rejected = understood(connector, rows)
    assert items
    for item in items:
        check_item(connector.source, item)
        assert not numbers & set(RESIDENT_ID.findall(repr(item))), "a person's number left the connector"
    for error in rejected:
        assert UPPER_SNAKE(error.code)
        assert not RESIDENT_ID.search(error.reason)
    assert (items, [error.code for error in rejected]) == (
        (again := understood(connector, rows))[0],
        [error.code for error in again[1]],
    )
    for row in rows:
        assert not numbers & set(RESIDENT_ID.findall(row.raw.decode("gb18030", "replace"))), (
            "raw bytes are kept"
        )


async def check_resumption(connector: Connector) -> None:
    """From every cursor the rest follows: a row may come again, none is skipped."""
    found = await batches(connector)
    whole = places(rows_of(found))
    assert found
    assert all(len(batch.rows) <= 5000 and isinstance(batch.cursor, str) for batch in found)
    for position in range(0, len(found), max(1, len(found) // 3)):
        batch = found[position]
        rest = places(rows_of(await batches(connector, batch.cursor)))
        missed = whole - places(rows_of(found[: position + 1])) - rest
        assert not missed, f"{sum(missed.values())} rows are skipped after batch {position}"
        assert not rest - whole
    again = rows_of(await batches(connector, found[-1].cursor))
    assert len(again) < max(20, len(rows_of(found)) / 4), "a harvest without news reads little"
    # A killed harvest leaves its generator half read.
    async with aclosing(connector.harvest(None)) as begun:  # type: ignore[type-var]
        await anext(begun)


async def check_asking(connector: Connector, keys: Sequence[str]) -> None:
    """Asked by key it answers for each key, in any number, and says nothing about the unknown."""
    unknown = "91630000MAF0000000"
    codes = [item.code for item in connector.source.items]
    found = await connector.fetch([*keys, unknown], codes)
    assert set(found) == {*keys, unknown}
    assert found[unknown] == []
    for key, rows in found.items():
        for item in understood(connector, rows)[0]:
            assert key in {fold(value) for scheme, value in item.subject.identifiers if scheme == "USCC"}
    one = await connector.fetch(keys[:3], codes[:1])
    assert {connector.canonical(row).catalog_item_code for rows in one.values() for row in rows} <= {codes[0]}
    with pytest.raises(Refused):
        await connector.fetch(keys[:1], ["NO-SUCH-ITEM"])


async def attempt(connector: Connector) -> None:
    """Ask the source for anything."""
    if connector.source.mode is Mode.LIVE:
        await connector.fetch([RICH], [connector.source.items[0].code])
    else:
        await batches(connector)


# --- held against it


@pytest.mark.parametrize("name", SOURCES)
def test_it_declares_what_it_is(name: str) -> None:
    check_declaration(discover()[name].SOURCE)


def test_the_register_comes_first_for_it_alone_knows_what_a_subject_is() -> None:
    assert next(iter(discover())) == "MARKET_REGULATION"


async def test_an_individual_business_is_one_in_every_source(
    settings: Mapping[str, str], province: Province
) -> None:
    kinds = {subject.uscc: subject.kind for subject in province}
    for name in SOURCES:
        async with opened(name, settings) as connector:
            for item in understood(connector, await everything(connector, province))[0]:
                code = fold(item.subject.identifiers[0][1])
                if kinds.get(code) == "INDIVIDUAL_BUSINESS":
                    assert item.subject.kind == "INDIVIDUAL_BUSINESS", (name, item.catalog_item_code)


def test_no_two_sources_share_a_name_or_an_item() -> None:
    codes = Counter(item.code for module in discover().values() for item in module.SOURCE.items)
    assert max(codes.values()) == 1


@pytest.mark.parametrize("name", SOURCES)
def test_without_its_settings_it_names_one_of_them(name: str) -> None:
    module = discover()[name]
    with pytest.raises(ValueError, match="|".join(one.name for one in module.SOURCE.settings)):
        module.connect({}, tools())


@pytest.mark.parametrize("name", SOURCES)
async def test_every_row_is_an_item_or_a_rejection_and_no_number_of_a_person_leaves(
    name: str, settings: Mapping[str, str], province: Province
) -> None:
    numbers = frozenset(subject.resident_id for subject in province)
    async with opened(name, settings) as connector:
        rows = await everything(connector, province)
        await check_rows(connector, rows, numbers)
        items, rejected = understood(connector, rows)
    assert rejected, "the sandbox is as dirty as real data"
    assert len(rejected) < len(rows) / 10
    assert {item.catalog_item_code for item in items} == {one.code for one in connector.source.items}
    if name not in WITHOUT_SENTINELS:
        assert any("SENTINEL" in flag for item in items for flag in item.flags), (
            "give its sandbox days that mean none, or name it in WITHOUT_SENTINELS"
        )


@pytest.mark.parametrize("name", SOURCES)
async def test_a_fact_keeps_its_id_on_every_delivery(
    name: str, settings: Mapping[str, str], province: Province
) -> None:
    """Spelling differs between deliveries, and rows come again: still one subject for one id."""
    async with opened(name, settings) as connector:
        items, _ = understood(connector, await everything(connector, province))
    subjects: dict[tuple[Kind, str], set[str]] = {}
    for item in items:
        scheme, value = item.subject.identifiers[0]
        subjects.setdefault((item.kind, item.source_record_id), set()).add(f"{scheme}:{fold(value)}")
    assert all(len(found) == 1 for found in subjects.values())


@pytest.mark.parametrize("name", HARVESTED)
async def test_a_harvest_goes_on_from_every_cursor(name: str, settings: Mapping[str, str]) -> None:
    async with opened(name, settings) as connector:
        await check_resumption(connector)


@pytest.mark.parametrize("name", SOURCES)
async def test_it_answers_by_key_or_refuses(
    name: str, settings: Mapping[str, str], province: Province
) -> None:
    keys = [subject.code for subject in province.organizations()][:230]
    async with opened(name, settings) as connector:
        try:
            await check_asking(connector, keys)
        except Refused:
            assert connector.source.mode is Mode.HARVESTED
    if name in ("CUSTOMS", "ASSOCIATION"):
        async with opened(name, settings) as connector:
            await check_asking(connector, keys)


@pytest.mark.parametrize("name", SOURCES)
async def test_whatever_stands_in_a_row_it_is_an_item_that_fits_or_a_rejection(
    name: str, settings: Mapping[str, str], province: Province
) -> None:
    """Hypothesis writes into the fields of real rows what it likes: no other exception, no value that does not fit."""
    async with opened(name, settings) as connector:
        rows = await everything(connector, province)

        @hypothesis.settings(max_examples=200, deadline=None, database=None)
        @given(data=st.data())
        def spoil(data: st.DataObject) -> None:
            row = data.draw(st.sampled_from(rows[:: max(1, len(rows) // 50)]))
            column = st.sampled_from(sorted(row.fields))
            spoiled = dict(row.fields) | data.draw(st.dictionaries(column, WILD, min_size=1, max_size=3))
            items, rejected = understood(connector, [RawRow(row.origin, row.position, row.raw, spoiled)])
            assert all(UPPER_SNAKE(error.code) for error in rejected)
            for item in items:
                check_item(connector.source, item)

        spoil()


@pytest.mark.parametrize("name", SOURCES)
async def test_the_well_known_subjects_come_whole(
    name: str, settings: Mapping[str, str], province: Province
) -> None:
    known = {RICH, CLEAN, DISHONEST}
    async with opened(name, settings) as connector:
        rows = [
            row
            for row in await everything(connector, province)
            if any(code in row.raw.decode("gb18030", "replace") for code in known)
        ]
        items, rejected = understood(connector, rows)
    assert items
    assert not rejected


def _broken(settings: Mapping[str, str], **places: str) -> dict[str, str]:
    """The settings, every address in them leading somewhere else."""
    found = dict(settings)
    for name in settings:
        for suffix, place in places.items():
            if name.endswith(suffix):
                found[name] = place
    return found


def test_no_rule_waits_for_a_source_that_nobody_can_connect() -> None:
    """R5.4, R10.1: otherwise nothing good could ever be said; nor on one that delivers nothing adverse."""
    named = {name for matter in load_matters() for name in matter.required_sources}
    named |= {name for policy in load_tier_rules().policies for name in policy.sources}
    assert named
    assert named <= set(discover())
    # 4.12: the adverse signals of each, without which its silence would say nothing.
    signals = {
        "COMMERCE": {"D6"},
        "MARKET_REGULATION": {"D6", "D7", "D10"},
        "CREDIT_PLATFORM": {"D10", "D12"},
        "TAX": {"D17", "D18"},
    }
    for name in named:
        assert signals[name] <= {item.data_class for item in discover()[name].SOURCE.items}, name


def test_a_harvested_record_of_any_other_kind_is_of_a_class_that_its_type_declares() -> None:
    """What a type does not declare is not recorded as told (D36: results of repairs are shown to nobody)."""
    declared = vocabulary().entities["GenericCreditRecord"].row_classes
    harvested = {
        item.data_class
        for name in HARVESTED
        for item in discover()[name].SOURCE.items
        if item.kind is Kind.GENERIC and item.code != REPAIR
    }
    assert "D7" in harvested
    assert harvested <= set(declared)


@pytest.mark.parametrize("name", SOURCES)
async def test_a_source_that_is_away_is_a_source_error_at_once(
    name: str, settings: Mapping[str, str]
) -> None:
    nowhere = _broken(
        settings,
        _DATABASE_URL="postgresql://nobody@127.0.0.1:1/none",
        _URL="http://127.0.0.1:1/",
        _DIR="/nonexistent",
    ) | {"HUB_TAX_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    started = time.monotonic()
    async with opened(name, nowhere, deadline=20) as connector:
        with pytest.raises(SourceError):
            await attempt(connector)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP, Fault.RESET, Fault.REFUSE])
@pytest.mark.parametrize("name", ADDRESSES)
async def test_a_source_that_hangs_drips_or_resets_is_unavailable_within_the_deadline(
    name: str, fault: Fault, settings: Mapping[str, str]
) -> None:
    address = ADDRESSES[name]
    parts = urlsplit(settings[address])
    if parts.scheme == "postgresql":
        query = parse_qs(parts.query)
        wire = FaultyWire(f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}", 0)
    else:
        wire = FaultyWire(str(parts.hostname), int(parts.port or 0))
    async with wire.open() as (host, port):
        if parts.scheme == "postgresql":
            user, database = parse_qs(parts.query).get("user", [parts.username])[0], parts.path.lstrip("/")
            faulty = f"postgresql://{user}@{host}:{port}/{database}?sslmode=disable"
        else:
            faulty = f"{parts.scheme}://{host}:{port}{parts.path}"
        async with opened(name, {**settings, address: faulty}, deadline=0.5) as connector:
            wire.fault = fault
            started = time.monotonic()
            with pytest.raises(Unavailable):
                await attempt(connector)
            # A hanging source would keep it for as long as it hangs.
            assert time.monotonic() - started < 4


@pytest.mark.parametrize("name", ["CUSTOMS", "MARKET_REGULATION", "CREDIT_PLATFORM", "ASSOCIATION"])
async def test_wrong_credentials_are_a_refusal(name: str, settings: Mapping[str, str]) -> None:
    wrong = _broken(settings, _APP_SECRET="fedcba9876543210", _TOKEN="another")
    async with opened(name, wrong) as connector:
        with pytest.raises(Refused):
            await attempt(connector)


async def test_the_tax_database_gives_no_table_but_its_own_and_takes_nothing(
    settings: Mapping[str, str],
) -> None:
    """The role is the one that an exchange database gives out: it reads the tables and writes nothing."""
    connection = await asyncpg.connect(settings["HUB_TAX_DATABASE_URL"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("DELETE FROM t_nsxydj")
    await connection.close()


def test_half_a_character_in_a_row_of_a_service_is_kept_for_the_quarantine_and_costs_no_other_row() -> None:
    row = json_raw("SERVICE", "7\0\ud840" + "7" * 300, {"qymc": "马\ud840"})
    assert (row.raw, row.position) == ('{"qymc":"马?"}'.encode(), "7??" + "7" * 197)
    assert row.fields == {"qymc": "马\ud840"}


async def test_a_soft_delete_of_the_tax_authority_ends_the_fact(settings: Mapping[str, str]) -> None:
    async with opened("TAX", settings) as connector:
        items, _ = understood(connector, rows_of(await batches(connector)))
    ended = [item for item in items if item.deleted]
    assert ended
    alive = {item.source_record_id for item in items if not item.deleted}
    assert all(item.source_record_id in alive for item in ended), "the fact was there before"


# Columns of two values, and words that are neither of them, though a reader would know, or think to know, what they mean.
_FLAGS = ("scbz", "yybz", "YXBZ", "YQBZ", "ZT", "status")
_NEITHER = ("Y", "true", "2", "\uff11", "无", "长期")


@pytest.mark.parametrize("name", HARVESTED)
async def test_a_flag_that_the_source_was_not_known_to_write_is_neither_yes_nor_no(
    name: str, settings: Mapping[str, str]
) -> None:
    """What is withdrawn must not stand, and what is under objection not count, because somebody wrote Y for 1."""
    async with opened(name, settings) as connector:
        rows = rows_of(await batches(connector))
        first = {(row.origin, frozenset(row.fields)): row for row in rows if _is_item(connector, row)}
        flags = [(row, flag) for row in first.values() for flag in _FLAGS if flag in row.fields]
        assert flags or name in WITHOUT_FLAGS, "name its columns in _FLAGS, or the source in WITHOUT_FLAGS"
        for row, flag in flags:
            for said in _NEITHER if flag == "YQBZ" else (*_NEITHER, "是"):
                with pytest.raises(RowRejected) as refused:
                    connector.canonical(replace(row, fields={**row.fields, flag: said}))
                assert refused.value.code in ("UNKNOWN_VALUE", "MISSING"), (flag, said)


_DAYS = ("clrq", "rdrq", "lrrq", "lrsj", "QSRQ", "BARQ", "BGRQ", "joinedOn")


@pytest.mark.parametrize("name", [name for name in HARVESTED if name != "COMMERCE"])
async def test_a_day_of_no_calendar_that_people_use_is_a_slip(name: str, settings: Mapping[str, str]) -> None:
    """A firm of the year 1 would have three clean years, and what was entered in 1026 be over since 1029."""
    async with opened(name, settings) as connector:
        rows = rows_of(await batches(connector))
        dated = [row for row in rows if not row.fields.keys().isdisjoint(_DAYS) and _is_item(connector, row)]
        given = [row for row in dated if not connector.canonical(row).deleted]
        assert given
        for row in given[:50]:
            day = next(day for day in _DAYS if day in row.fields)
            for said in ("0001-01-01", "1026-05-10", "2999-12-31"):
                with pytest.raises(RowRejected) as refused:
                    connector.canonical(replace(row, fields={**row.fields, day: said}))
                assert refused.value.code == "DATE_IMPLAUSIBLE"


def _is_item(connector: Connector, row: RawRow) -> bool:
    return bool(understood(connector, [row])[0])


@pytest.mark.parametrize(
    ("name", "column"),
    [("ASSOCIATION", "updatedAt"), ("FOREIGN_INVESTMENT", "GXSJ"), ("COMMERCE_REGISTERS", "GXSJ")],
)
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-21T15:59:59+00:00", date(2026, 11, 21)),
        ("2026-11-21T16:00:00+00:00", date(2026, 11, 22)),
        ("2026-11-21T17:30:00Z", date(2026, 11, 22)),
        ("2026-11-22T00:30:00+09:00", date(2026, 11, 21)),
        ("2026-11-21T23:59:59", date(2026, 11, 21)),
    ],
)
async def test_the_day_on_which_an_archive_changed_is_that_of_clocks_in_qinghai(
    name: str, column: str, moment: str, day: date, settings: Mapping[str, str]
) -> None:
    async with opened(name, settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(
            row for row in rows if _is_item(connector, row) and connector.canonical(row).kind is Kind.ARCHIVE
        )
        item = connector.canonical(replace(row, fields={**row.fields, column: moment}))
    assert item.values["last_updated_on"] == day


@pytest.mark.parametrize(
    ("name", "column"), [("CREDIT_PLATFORM", "pjrq"), ("TAX", "pdsj"), ("ASSOCIATION", "gradedOn")]
)
async def test_nobody_was_evaluated_on_a_day_that_lies_ahead(
    name: str, column: str, settings: Mapping[str, str]
) -> None:
    today = datetime.now(SHANGHAI).date()
    async with opened(name, settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(
            row
            for row in rows
            if column in row.fields and _is_item(connector, row) and not connector.canonical(row).deleted
        )
        for ahead in (today + timedelta(days=2), date(today.year + 1, 4, 20)):
            with pytest.raises(RowRejected) as refused:
                connector.canonical(replace(row, fields={**row.fields, column: ahead.isoformat()}))
            assert refused.value.code == "DATE_FUTURE"


async def test_an_entry_of_the_tax_bureau_that_left_its_list_for_a_reason_left_it_on_a_day(
    settings: Mapping[str, str],
) -> None:
    """A reason without a day is neither still listed nor gone: the row waits."""
    async with opened("TAX", settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(row for row in rows if "ycyy" in row.fields and _is_item(connector, row))

        def read(day: str, why: str | None, withdrawn: str = "0") -> object:
            told = {**row.fields, "ycsj": day, "ycyy": why, "scbz": withdrawn}
            try:
                item = connector.canonical(replace(row, fields=told))
            except RowRejected as refused:
                return refused.code
            return "WITHDRAWN" if item.deleted else item.values["state"]

        for none in ("", "9999-12-31", "\\N"):
            assert [read(none, why) for why in ("信用修复", "其他", "", None)] == [
                "STATE_DATES", "STATE_DATES", "PUBLISHED", "PUBLISHED",
            ]  # fmt: skip
            assert read(none, "信用修复", "1") == "WITHDRAWN"
        assert read("2026-11-23", "信用修复") == "EXITED_REPAIRED"
        assert [read("2026-11-23", why) for why in ("其他", None)] == ["UNKNOWN_EXIT"] * 2


async def test_r8_1_how_long_a_place_on_the_tax_bureaus_list_lasts_is_its_definitions_to_say(
    settings: Mapping[str, str],
) -> None:
    """Months of law stand in rows (lists.toml, listing.toml), so that a change of them reaches every source."""
    async with opened("TAX", settings) as connector:
        items, _ = understood(connector, rows_of(await batches(connector)))
    places = [item for item in items if item.kind is Kind.LIST_ENTRY]
    assert places
    assert all(item.values.get("publicity_ends_on") is None for item in places)


async def test_whether_a_report_was_late_is_not_said_where_the_file_does_not_say_it(
    settings: Mapping[str, str],
) -> None:
    async with opened("FOREIGN_INVESTMENT", settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(row for row in rows if "YQBZ" in row.fields and _is_item(connector, row))
        told = {}
        for said in ("1", "是", "0", "否", "", "\\N"):
            items = connector.canonical(replace(row, fields={**row.fields, "YQBZ": said})).values["items"]
            assert isinstance(items, list)
            told[said] = next(one["value"] for one in items if one["code"] == "YQBZ")
    assert told == {"1": "是", "是": "是", "0": "否", "否": "否", "": None, "\\N": None}


@pytest.mark.parametrize("name", ["FOREIGN_EXCHANGE", "FOREIGN_INVESTMENT", "COMMERCE_REGISTERS"])
async def test_a_row_that_does_not_say_when_it_changed_is_of_the_day_in_the_name_of_its_file(
    name: str, settings: Mapping[str, str]
) -> None:
    async with opened(name, settings) as connector:
        rows = rows_of(await batches(connector))
        for row in [row for row in rows if _is_item(connector, row)][:50]:
            silent = connector.canonical(replace(row, fields={**row.fields, "GXSJ": ""}))
            assert silent.source_updated_at is not None
            assert silent.source_updated_at.replace(microsecond=0) == datetime(2026, 11, 23, tzinfo=SHANGHAI)
            # That day tells nothing of when what the row holds was changed.
            assert silent.values.get("last_updated_on") in (None, silent.values.get("opened_on"))
            nameless = connector.canonical(replace(row, origin="1.csv@0", fields={**row.fields, "GXSJ": ""}))
            assert nameless.source_updated_at is None
            said = connector.canonical(replace(row, fields={**row.fields, "GXSJ": "2026-05-01 10:00:00"}))
            if "GXSJ" in row.fields:
                assert said.source_updated_at == datetime(2026, 5, 1, 10, tzinfo=SHANGHAI)


async def test_a_tax_row_committed_late_is_read_though_the_poll_before_was_broken_off(
    settings: Mapping[str, str], postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = "tax_exchange_late"
    url = await front_end(postgres, Province(20, TODAY), database)
    admin = await asyncpg.connect(postgres.dsn("postgres", database))
    await admin.execute("DELETE FROM t_zdsswf")
    # Ten rows, a minute from one to the next.
    await admin.execute("DELETE FROM t_nsxydj WHERE id > 10")
    await admin.execute("UPDATE t_nsxydj SET gxsj = timestamp '2026-11-01' + id * interval '1 minute'")
    monkeypatch.setattr("connectors.tax._BATCH", 5)
    async with opened("TAX", {**settings, "HUB_TAX_DATABASE_URL": url}) as connector:
        # Killed at the head, and then among the rows that the next poll reads again.
        async with aclosing(connector.harvest(None)) as broken:  # type: ignore[type-var]
            head = [(await anext(broken)).cursor for _ in range(2)][-1]
        await admin.execute(
            "INSERT INTO t_nsxydj SELECT 11, nsrsbh, shxydm, nsrmc, pjnd, xydj, pjjg, pdsj, yxqs, yxqz, scbz,"
            " timestamp '2026-11-01 00:08:30' FROM t_nsxydj WHERE id = 10"
        )
        await admin.close()
        async with aclosing(connector.harvest(head)) as broken:  # type: ignore[type-var]
            again = (await anext(broken)).cursor
        assert again == head
        assert "11" in {row.position for row in rows_of(await batches(connector, again))}


async def test_a_tax_row_stamped_with_a_day_to_come_hides_none_that_comes_before(
    settings: Mapping[str, str], postgres: EmbeddedPostgres
) -> None:
    database = "tax_exchange_ahead"
    url = await front_end(postgres, Province(20, TODAY), database)
    admin = await asyncpg.connect(postgres.dsn("postgres", database))
    await admin.execute("DELETE FROM t_zdsswf")
    await admin.execute("UPDATE t_nsxydj SET gxsj = '2099-12-31' WHERE id = (SELECT max(id) FROM t_nsxydj)")
    async with opened("TAX", {**settings, "HUB_TAX_DATABASE_URL": url}) as connector:
        cursor = (await batches(connector))[-1].cursor
        await admin.execute("UPDATE t_nsxydj SET gxsj = now() AT TIME ZONE 'Asia/Shanghai' WHERE id = 1")
        assert "1" in {row.position for row in rows_of(await batches(connector, cursor))}
        # A cursor that an earlier release left in days to come comes back.
        ahead = json.dumps({"at": {GRADE: ["2099-12-31T00:00:00", 1]}})
        assert "1" in {row.position for row in rows_of(await batches(connector, ahead))}
    await admin.close()


async def test_a_member_stamped_with_a_day_to_come_hides_none_that_comes_before(
    settings: Mapping[str, str],
) -> None:
    moment = "2099-12-31T09:00:00+08:00"
    ahead = json.dumps({"since": moment, "after": None, "latest": moment})
    async with opened("ASSOCIATION", settings) as connector:
        (last,) = await batches(connector, ahead)
    assert datetime.fromisoformat(json.loads(last.cursor)["since"]) <= datetime.now(UTC)


async def test_not_a_row_of_the_source_is_missed(settings: Mapping[str, str], province: Province) -> None:
    """Counted at the source itself, by another way than the connector's."""

    async def taken(name: str) -> Counter[str]:
        async with opened(name, settings) as connector:
            return Counter(row.origin.rpartition("/")[2] for row in rows_of(await batches(connector)))

    served = {name: len(service.rows) for name, service in services(province).items()}
    assert await taken("MARKET_REGULATION") == {
        "SCJG-DJ": served["s_1263000000000_0101"],
        "SCJG-YZWF": served["s_1263000000000_0107"],
        "SCJG-CF": served["s_1263000000000_0108"],
        "SCJG-YC": served["s_1263000000000_0106"],
    }
    assert (await taken("CREDIT_PLATFORM")).total() == sum(
        served[f"s_1263000000000_060{number}"] for number in (1, 2, 3, 4, 5)
    )
    members = Chamber(province, "").members()
    assert (await taken("ASSOCIATION"))["XH-ARCHIVE"] == len(members)
    for name, variable in (
        ("FOREIGN_INVESTMENT", "HUB_INVESTMENT_DIR"),
        ("FOREIGN_EXCHANGE", "HUB_FOREX_DIR"),
        ("COMMERCE_REGISTERS", "HUB_REGISTERS_DIR"),
    ):
        announced = [json.loads(path.read_text())["rows"] for path in Path(settings[variable]).glob("*.ctl")]
        assert (await taken(name)).total() == sum(announced) > 0
    connection = await asyncpg.connect(settings["HUB_TAX_DATABASE_URL"])
    count = "SELECT (SELECT count(*) FROM t_nsxydj) + (SELECT count(*) FROM t_zdsswf)"
    assert (await taken("TAX")).total() == await connection.fetchval(count)
    await connection.close()


async def test_a_killed_reading_of_a_file_goes_on_at_its_row_unless_the_file_is_another(
    tmp_path: Path,
) -> None:
    columns = forex.header(FOREX_COLUMNS)
    assert columns is not None

    def drop_rows(marks: str) -> None:
        write(tmp_path / "WHFL_1.csv", FOREX_COLUMNS, [dict.fromkeys(FOREX_COLUMNS, mark) for mark in marks])

    async def names(cursor: str | None) -> list[str]:
        drop = DropDirectory(tmp_path, forex.header, tools().now, batch=3)
        return [str(row.fields["QYMC"]) async for batch in drop.harvest(cursor) for row in batch.rows]

    drop_rows("ABCDEFGH")
    cursors = [
        batch.cursor
        async for batch in DropDirectory(tmp_path, forex.header, tools().now, batch=3).harvest(None)
    ]
    assert await names(None) == list("ABCDEFGH")
    assert [await names(cursor) for cursor in cursors] == [list("DEFGH"), list("GH"), [], []]
    drop_rows("STUVWXYZ")
    assert await names(cursors[0]) == list("STUVWXYZ")


async def test_a_directory_that_cannot_be_read_is_an_unavailable_source(tmp_path: Path) -> None:
    # The system refuses to look at a name as long as this one.
    drop = DropDirectory(tmp_path / ("x" * 300), forex.header, tools().now)
    with pytest.raises(Unavailable, match="the directory cannot be read: OSError"):
        await anext(aiter(drop.harvest(None)))


async def test_a_member_in_another_shape_costs_no_other(settings: Mapping[str, str]) -> None:
    async with opened("ASSOCIATION", settings) as connector:
        known = {
            "memberNo": "1",
            "name": "某",
            "uscc": CLEAN,
            "status": "在会",
            "updatedAt": "2026-05-01",
            "grade": None,
            "certificateNo": None,
        }
        whole = known | {"complaints": {"received": 1, "resolved": 1}, "sanctions": [], "honours": ["甲"]}
        silent = known | {"complaints": None, "sanctions": None, "honours": None}
        ungraded = {name: value for name, value in whole.items() if name != "grade"}
        misshapen = (known, whole | {"sanctions": "无"}, ungraded)
        for node, items in ((whole, 3), (silent, 3), *((one, 0) for one in misshapen)):
            made, refused = understood(connector, _split(node))
            assert len(made) == items
            assert {error.code for error in refused} <= {"UNKNOWN_VALUE"}
        values = understood(connector, _split(silent))[0][1].values["items"]
        assert all(one["value"] is None for one in values if one["code"] != "joinedOn")


@pytest.mark.parametrize("header", [forex.header, investment.header, registers.header])
def test_a_column_that_is_there_twice_makes_no_header(header: Callable[[Sequence[str]], object]) -> None:
    forms = {
        forex.header: forex._TITLES.values(),
        investment.header: [*investment._COMMON, *investment._PUBLIC],
        registers.header: registers.FORMS[0].codes,
    }
    columns = list(forms[header])
    assert header(columns) is not None
    assert header([*columns, "", "备注", ""]) is not None
    assert header([*columns, columns[3]]) is None


@pytest.mark.parametrize(
    ("written", "share"), [("30%", 30), ("28.5％", Decimal("28.5")), ("30", 30), ("%", None), ("30%%", None)]
)
def test_a_share_is_read_with_the_sign_of_percents_or_without(written: str, share: object) -> None:
    read = Reader(RawRow("", "1", b"", {"CZBL": written}))
    if share is None:
        with pytest.raises(RowRejected, match="CZBL is not an amount"):
            read.percentage("CZBL")
    else:
        assert read.percentage("CZBL") == share


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-01 09:00:00",
        "2026-05-01T09:00",
        # As a workbook's cell of date and time is read, and as spreadsheets save it as text.
        "2026/05/01 09:00:00",
        "2026/5/1 9:00",
        "2026/5/1 9:00:00.0",
    ],
)
def test_a_moment_is_read_as_people_and_spreadsheets_write_it(written: str) -> None:
    found = Reader(RawRow("", "1", b"", {"GXSJ": written})).moment("GXSJ")
    assert found == datetime(2026, 5, 1, 9, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "written", ["2026/5 9:00", "5/1/2026 9:00", "2026/13/1", "9:00", "2026/5/1 24:00", "20260501T24"]
)
def test_what_may_be_another_moment_is_none(written: str) -> None:
    with pytest.raises(RowRejected, match="GXSJ is not a moment"):
        Reader(RawRow("", "1", b"", {"GXSJ": written})).moment("GXSJ")


def test_a_column_of_percents_takes_their_sign() -> None:
    share = next(one for form in registers.FORMS for one in form.columns if one.code == "CGBL")
    fields = {"CGBL": "28.5%", "CZBL": "28.5%", "SJCZ": "5%"}
    read = Reader(RawRow("", "1", b"", fields))
    assert (registers._value(read, share), investment._value(read, "CZBL")) == ("28.50", "28.5")
    with pytest.raises(RowRejected, match="SJCZ is not an amount"):
        investment._value(read, "SJCZ")


def test_titles_of_a_dropped_table_are_known_in_either_width_with_breaks_and_notes() -> None:
    for form in registers.FORMS:
        titles = [*registers._COMMON.values(), *(column.title for column in form.columns)]
        written = [title.replace("(", "（\n").replace(")", "）") + "*（必填）" for title in titles]
        assert registers.header(written) == registers.header(titles) is not None
    titles = [*investment._COMMON.values(), *investment._RESTRICTED.values()]
    assert investment.header([title.replace("(", "（") + " " for title in titles]) == investment.header(
        titles
    )
    assert forex.header([f"{title}（必填）" for title in forex._TITLES]) == [*forex._TITLES.values()]


@pytest.mark.parametrize(
    ("certificate", "grade", "code"),
    [
        ("202663001100001", "AA", None),
        ("202663001100001", "AA-", None),
        ("202663011100001", "AA", "CERTIFICATE"),
        ("202563001100001", "AA", "CERTIFICATE"),
        ("20266300110001", "AA", "CERTIFICATE"),
        ("2026630011０0001", "AA", "CERTIFICATE"),
        ("202663003300001", "CC", None),
        ("202663003300001", "D", "UNKNOWN_GRADE"),
    ],
)
async def test_the_certificate_of_an_evaluation_agrees_with_its_grade_and_year(
    certificate: str, grade: str, code: str | None
) -> None:
    fields = {
        "memberNo": "1",
        "uscc": RICH,
        "name": "某",
        "status": "在会",
        "updatedAt": "2026-06-01T09:00:00+08:00",
    }
    fields |= {"grade": grade, "certificateNo": certificate, "gradedOn": "2026-05-07"}
    async with opened(
        "ASSOCIATION", {"HUB_ASSOCIATION_URL": "http://127.0.0.1:1", "HUB_ASSOCIATION_TOKEN": "x"}
    ) as one:
        items, rejected = understood(one, [RawRow("ASSOCIATION/XH-GRADE", "1", b"", fields)])
    assert [error.code for error in rejected] == ([code] if code else [])
    assert [item.values["effective_from"] for item in items] == ([] if code else [date(2026, 5, 7)])


async def test_a_dropped_file_that_is_not_whole_is_one_row_and_holds_up_no_other(
    settings: Mapping[str, str], tmp_path: Path
) -> None:
    for path in Path(settings["HUB_INVESTMENT_DIR"]).iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    first = min(path for path in tmp_path.iterdir() if path.suffix == ".csv")
    first.write_bytes(first.read_bytes()[:-200])
    (tmp_path / "WZGK_20990101_01.csv").write_text("still on its way, no control file")
    async with opened("FOREIGN_INVESTMENT", {"HUB_INVESTMENT_DIR": str(tmp_path)}) as connector:
        found = await batches(connector)
        items, rejected = understood(connector, rows_of(found))
        assert "CONTROL_DIGEST" in {error.code for error in rejected}
        assert items
        assert not await batches(connector, found[-1].cursor), "nothing is new"


NEW_SOURCE = '''
    """A source in one file: the province's exhibitions, from a text that the test gives."""

    import json

    from connectors.contract import (
        Batch, CatalogItem, Freshness, Item, Kind, Mode, Refused, Retention, Setting, Source, SubjectRef,
    )
    from connectors.reading import Reader, json_raw

    SOURCE = Source(
        name="EXHIBITION", title_zh="会展", provider_name="青海省商务厅",
        provider_code="11630000000015122A",
        items=(CatalogItem("HZ-ARCHIVE", "会展项目", Kind.ARCHIVE, "D32"),),
        key_scheme="USCC", mode=Mode.HARVESTED, retention=Retention.STORED, freshness=Freshness.WEEKLY,
        settings=(Setting("HUB_EXHIBITION_TEXT", "The exhibitions as JSON lines"),),
    )


    class Exhibitions:
        source = SOURCE

        def __init__(self, text):
            self.lines = text.splitlines()

        async def harvest(self, cursor):
            for number, line in enumerate(self.lines, 1):
                if number > int(cursor or 0):
                    yield Batch([json_raw("EXHIBITION", str(number), json.loads(line))], str(number))

        async def fetch(self, keys, items):
            raise Refused("harvested")

        def canonical(self, row):
            read = Reader(row)
            values = {"archive_type": "EXHIBITION", "origin_class": "PUBLIC_CREDIT",
                      "keeper_name": "青海省商务厅", "items": [], "opened_on": read.required_day("opened")}
            code = read.required_code("code")
            subject = SubjectRef("LEGAL_PERSON", read.required("name"), (("USCC", code),))
            return Item(Kind.ARCHIVE, read.required("id"), "HZ-ARCHIVE", subject, values)

        async def close(self):
            pass


    def connect(settings, tools):
        if not settings.get("HUB_EXHIBITION_TEXT"):
            raise ValueError("HUB_EXHIBITION_TEXT is not set")
        return Exhibitions(settings["HUB_EXHIBITION_TEXT"])
'''


async def test_a_new_source_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exhibition.py").write_text(dedent(NEW_SOURCE))
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    assert set(discover()) == {*SOURCES, "EXHIBITION"}
    check_declaration(discover()["EXHIBITION"].SOURCE)
    text = "\n".join(
        json.dumps({"id": str(number), "name": "青海三江源商贸有限公司", "code": RICH, "opened": opened_on})
        for number, opened_on in enumerate(["2026-07-01", "暂无", "2026-08-01"])
    )
    found = connect_all({"HUB_EXHIBITION_TEXT": text}, tools())
    assert list(found) == ["EXHIBITION"]
    await check_rows(found["EXHIBITION"], rows_of(await batches(found["EXHIBITION"])), frozenset())
    await check_resumption(found["EXHIBITION"])


def test_every_harvester_of_the_suite_has_its_teeth() -> None:
    """The checks fail for what they forbid: an undeclared item, a column that is not there, a wrong type."""
    source = discover()["TAX"].SOURCE
    good = Item(
        Kind.GRADE, "1", "SW-NSXY", SUBJECT, {"scheme": "TAX", "grade_code": "A", "grade_label": "A级",
        "ruleset_version": "TAX-2025", "issuer_name": "某", "effective_from": TODAY})  # fmt: skip
    check_item(source, good)
    spoil: list[Callable[[dict[str, object]], object]] = [
        lambda values: values.update(colour="red"),
        lambda values: values.update(effective_from="2026-01-01"),
        lambda values: values.update(effective_from=datetime.now(UTC)),
        lambda values: values.pop("grade_code"),
    ]
    for change in spoil:
        values = dict(good.values)
        change(values)
        with pytest.raises(AssertionError):
            check_item(source, Item(Kind.GRADE, "1", "SW-NSXY", SUBJECT, values))
    with pytest.raises(KeyError):
        check_item(source, Item(Kind.GRADE, "1", "OTHER", SUBJECT, dict(good.values)))


async def test_two_harvests_at_once_do_not_disturb_each_other(settings: Mapping[str, str]) -> None:
    async with opened("TAX", settings) as connector:
        first, second = await asyncio.gather(batches(connector), batches(connector))
    assert places(rows_of(first)) == places(rows_of(second))


def test_each_freshness_has_a_cycle_and_a_longer_one_than_the_fresher() -> None:
    cycles = [one.cycle for one in Freshness]
    assert cycles == sorted(set(cycles))


@pytest.mark.parametrize("said", [r"^_?SHANGHAI\b.*=|timedelta\(hours=8\)|ZoneInfo", r"Freshness\.DAILY: "])
def test_the_time_zone_and_the_cycles_are_said_in_one_place(said: str) -> None:
    root = Path(__file__).parent.parent
    places = [
        str(path.relative_to(root))
        for package in ("connectors", "hub", "schema", "migrations")
        for path in (root / package).rglob("*.py")
        if re.search(said, path.read_text("utf-8"), re.MULTILINE)
    ]
    assert places == ["connectors/contract.py"]


async def test_a_registration_is_withdrawn_as_it_stands_and_no_firm_was_founded_on_a_day_that_lies_ahead(
    settings: Mapping[str, str],
) -> None:
    """Else a firm whose last row at its register is wrong would stay registered."""
    async with opened("MARKET_REGULATION", settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(row for row in rows if "djzt" in row.fields and _is_item(connector, row))
        wrong = {**row.fields, "ztlx": "其他", "djzt": "?", "clrq": "2999-12-31"}
        withdrawn = connector.canonical(replace(row, fields={**wrong, "scbz": "1"}))
        assert (withdrawn.deleted, withdrawn.source_record_id) == (
            True,
            connector.canonical(row).source_record_id,
        )
        ahead = (datetime.now(SHANGHAI) + timedelta(days=2)).date().isoformat()
        with pytest.raises(RowRejected) as refused:
            connector.canonical(replace(row, fields={**row.fields, "clrq": ahead}))
        assert refused.value.code == "DATE_FUTURE"


@pytest.mark.parametrize(
    ("source", "marked", "wrong"),
    [
        ("MARKET_REGULATION", "CF_CFLB", {"CF_CFLB": "?", "CF_JDRQ": "2999-12-31", "CF_NR": None}),
        ("CREDIT_PLATFORM", "pjdj", {"pjdj": "?"}),
    ],
)
async def test_a_penalty_and_an_evaluation_are_withdrawn_as_they_stand(
    settings: Mapping[str, str], source: str, marked: str, wrong: Mapping[str, str | None]
) -> None:
    """Else what its source took back would be shown for as long as nobody looks into quarantine."""
    async with opened(source, settings) as connector:
        rows = rows_of(await batches(connector))
        row = next(row for row in rows if marked in row.fields and _is_item(connector, row))
        withdrawn = connector.canonical(replace(row, fields={**row.fields, **wrong, "scbz": "1"}))
        assert (withdrawn.deleted, withdrawn.source_record_id) == (
            True,
            connector.canonical(row).source_record_id,
        )
