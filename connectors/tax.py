"""The tax authority: yearly grades and the serious-violation list, polled from its front-end database."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg

from connectors.contract import (
    SHANGHAI,
    Batch,
    CatalogItem,
    Connector,
    Freshness,
    Item,
    Kind,
    Mode,
    RawRow,
    Refused,
    Retention,
    RowRejected,
    Setting,
    Source,
    SubjectRef,
    Tools,
    Unavailable,
)
from connectors.counterparty import fold
from connectors.grading import level
from connectors.reading import Reader, is_personal, json_raw, kind_of, without_person_numbers
from connectors.tls import words

GRADE = "SW-NSXY"
SERIOUS = "SW-ZDWF"
ISSUER = "国家税务总局青海省税务局"
ISSUER_CODE = "11630000MAFF6K4E5K"

SOURCE = Source(
    name="TAX",
    title_zh="税务",
    provider_name=ISSUER,
    provider_code=ISSUER_CODE,
    items=(
        CatalogItem(GRADE, "纳税缴费信用级别", Kind.GRADE, "D17"),
        CatalogItem(SERIOUS, "重大税收违法失信主体", Kind.LIST_ENTRY, "D18"),
    ),
    key_scheme="USCC",
    mode=Mode.HARVESTED,
    retention=Retention.STORED,
    freshness=Freshness.DAILY,
    settings=(
        Setting("HUB_TAX_DATABASE_URL", "Front-end database (前置机) of the tax authority", secret=True),
    ),
)


@dataclass(frozen=True)
class _Table:
    """An exchange table and the columns taken from it: those with numbers of persons are not among them."""

    item: str
    name: str
    columns: tuple[str, ...]


_TABLES = (
    _Table(GRADE, "t_nsxydj", ("nsrsbh", "shxydm", "nsrmc", "pjnd", "xydj", "pdsj", "yxqs", "yxqz", "scbz")),
    _Table(
        SERIOUS,
        "t_zdsswf",
        ("nsrsbh", "shxydm", "nsrmc", "ajxz", "zywfss", "cfyj", "wsh", "lrsj", "ycsj", "ycyy", "scbz"),
    ),
)
_BATCH = 2000
# The exchange software commits rows late: every poll looks this far back, also one that goes on where another was
# broken off, for what came late meanwhile is read by none after it; rows given twice do no harm.
_OVERLAP = timedelta(minutes=10)
# The tables have local time without a zone.
_START = datetime(1970, 1, 1)


_EXITS = {"公布期满": "EXITED_EXPIRED", "信用修复": "EXITED_REPAIRED", "决定撤销": "EXITED_REVOKED"}


class Tax:
    """The front-end database, ready to be polled."""

    source = SOURCE

    def __init__(self, url: str, tools: Tools) -> None:
        """Poll the database at `url`."""
        self._url, self._tools = url, tools

    async def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """Rows of both tables by (update time, id). Raises Unavailable, Refused."""
        # What is stamped with a day to come moves no poll beyond the present: what changes until then would be read by none.
        present = self._tools.now().astimezone(SHANGHAI).replace(tzinfo=None), 0
        place = {
            item: min((datetime.fromisoformat(moment), number), present)
            for item, (moment, number) in _read(cursor).items()
        }
        connection = await self._connect()
        try:
            for table in _TABLES:
                reached = place.get(table.item, (_START, 0))
                moment, number = max(_START, reached[0] - _OVERLAP), 0
                total = await connection.fetchval(_COUNT.format(table=table.name), moment, number)
                while rows := await connection.fetch(_statement(table), moment, number, _BATCH):
                    moment, number = rows[-1]["gxsj"], rows[-1]["id"]
                    # Among rows read again the cursor stays: a poll broken off there goes no further back.
                    place[table.item] = reached = max(reached, min((moment, number), present))
                    yield Batch([_raw(table, row) for row in rows], _write(place), total)
        except _AWAY as error:
            raise self._away(error) from error
        except asyncpg.PostgresError as error:
            raise Refused(f"the tax database: {type(error).__name__}") from error
        finally:
            connection.terminate()

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The tables are polled, not asked by key. Raises Refused."""
        raise Refused("the tax database is harvested, not asked by key")

    def canonical(self, row: RawRow) -> Item:
        """The grade or list entry that `row` states. Raises RowRejected."""
        read = Reader(row)
        subject, key = _subject(read)
        # Of what is withdrawn only the name counts: a row that was wrong is withdrawn as it stands.
        deleted = read.says("scbz") is True
        updated = read.moment("gxsj")
        if row.origin.endswith(SERIOUS):
            number = read.number("wsh")
            told = {"list_code": "TAX-SERIOUS", "decision_number": number}
            values = told if deleted else _listing(read, number)
            return Item(
                Kind.LIST_ENTRY,
                f"{SERIOUS}:{key}:{number}",
                SERIOUS,
                subject,
                values,
                updated,
                deleted,
                read.flags,
                by_decision=True,
            )
        year = read.required("pjnd")
        today = self._tools.now().astimezone(SHANGHAI).date()
        values = {"scheme": "TAX", "period": year} if deleted else _grade(read, year, today)
        record_id = f"{GRADE}:{key}:{year}"
        return Item(
            Kind.GRADE, record_id, GRADE, subject, values, updated, deleted, read.flags, by_decision=True
        )

    async def close(self) -> None:
        """Nothing is held open between polls."""

    def _away(self, error: Exception) -> Unavailable:
        late = isinstance(error, TimeoutError)
        why = f"no answer within {self._tools.deadline:g} s" if late else words(error)
        return Unavailable(f"the tax database: {why}")

    async def _connect(self) -> Any:
        try:
            return await asyncpg.connect(
                self._url,
                timeout=self._tools.deadline,
                command_timeout=self._tools.deadline,
                statement_cache_size=0,
            )
        except (asyncpg.exceptions.ClientConfigurationError, *_NO_FILE) as error:
            # To ask again would not help. A socket that is not there is another matter: its server is away.
            if isinstance(error, _NO_FILE) and not _lacks_file(self._url):
                raise self._away(error) from error
            raise Refused(
                "the tax database: HUB_TAX_DATABASE_URL cannot be followed: a mode, an option or a file that it names"
                f" ({type(error).__name__})"
            ) from error
        except _AWAY as error:
            raise self._away(error) from error
        except (asyncpg.PostgresError, ValueError) as error:
            raise Refused(f"the tax database: {type(error).__name__}") from error


_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
)
# A file that the address names, of a certificate or its key, is not there or may not be read.
_NO_FILE = (FileNotFoundError, IsADirectoryError, PermissionError)
_FILES = frozenset({"sslrootcert", "sslcert", "sslkey", "sslcrl"})
_COUNT = "SELECT count(*) FROM {table} WHERE (gxsj, id) > ($1, $2)"


def _statement(table: _Table) -> str:
    columns = ", ".join(table.columns)
    return (
        f"SELECT id, gxsj, {columns} FROM {table.name}"  # noqa: S608 - names of our own
        " WHERE (gxsj, id) > ($1, $2) ORDER BY gxsj, id LIMIT $3"
    )


def _lacks_file(url: str) -> bool:
    """Whether a file that the address names cannot be read."""
    return any(
        name in _FILES and not os.access(value, os.R_OK) for name, value in parse_qsl(urlsplit(url).query)
    )


def _read(cursor: str | None) -> dict[str, tuple[str, int]]:
    loaded = json.loads(cursor) if cursor else {}
    return {item: (moment, int(number)) for item, (moment, number) in loaded.get("at", {}).items()}


def _write(place: Mapping[str, tuple[datetime, int]]) -> str:
    return json.dumps(
        {"at": {item: [moment.isoformat(), number] for item, (moment, number) in place.items()}}
    )


def _raw(table: _Table, row: Mapping[str, Any]) -> RawRow:
    """The row as text; the old system writes long texts as GB18030 bytes. No number of a person is in it."""
    fields: dict[str, object] = {}
    for name, value in dict(row).items():
        if isinstance(value, bytes):
            value = without_person_numbers(value.decode("gb18030", "replace"))
        elif isinstance(value, datetime):
            value = value.isoformat(sep=" ")
        elif name == "nsrsbh" and isinstance(value, str) and is_personal(value):
            value = None
        fields[name] = value
    return json_raw(f"{SOURCE.name}/{table.item}", str(row["id"]), fields)


def _subject(read: Reader) -> tuple[SubjectRef, str]:
    """The taxpayer and the key that names it on every delivery. Raises RowRejected(NO_KEY)."""
    code, taxpayer = read.code("shxydm"), read.code("nsrsbh")
    # A taxpayer's number that is a person's did not get here; what remains of 18 characters is a USCC.
    code = code or (taxpayer if taxpayer is not None and len(taxpayer) == 18 else None)
    identifiers = [("USCC", code)] if code else []
    if taxpayer is not None and len(taxpayer) == 15:
        identifiers.append(("TAXPAYER_ID", taxpayer))
    if not identifiers:
        raise RowRejected("NO_KEY", "neither shxydm nor nsrsbh names an organization")
    return SubjectRef(kind_of(code or ""), read.required("nsrmc"), tuple(identifiers)), fold(
        identifiers[0][1]
    )


def _grade(read: Reader, year: str, today: date) -> dict[str, object]:
    if not (year.isascii() and year.isdecimal() and 2014 <= int(year) <= 2100):
        raise RowRejected("BAD_YEAR", "pjnd is not a year of evaluation")
    evaluated = read.past_day("pdsj", today)
    if evaluated.year <= int(year):
        raise RowRejected("DATES_CROSSED", "the year was evaluated before it was over")
    code, version = level(SOURCE.name, read.required("xydj").removesuffix("级"), evaluated)
    start, end = read.day("yxqs") or evaluated, read.day("yxqz")
    if end is not None and end < start:
        raise RowRejected("DATES_CROSSED", "yxqz lies before yxqs")
    return {
        "scheme": "TAX",
        "grade_code": code,
        "grade_label": f"{code}级",
        "ruleset_version": version,
        "issuer_name": ISSUER,
        "issuer_uscc": ISSUER_CODE,
        "period": year,
        "effective_from": start,
        "effective_to": end,
    }


def _listing(read: Reader, number: str) -> dict[str, object]:
    entered, left, why = read.required_day("lrsj"), read.day("ycsj"), read.text("ycyy")
    state = "PUBLISHED"
    if left is None and why is not None:
        raise RowRejected("STATE_DATES", "ycyy says why the entry left the list, and ycsj not when")
    if left is not None:
        if why not in _EXITS:
            raise RowRejected("UNKNOWN_EXIT", "ycyy is none of the reasons for leaving the list")
        state = _EXITS[why]
        if left < entered:
            raise RowRejected("DATES_CROSSED", "the entry left the list before it was on it")
    cause = read.required("ajxz")
    facts = read.text("zywfss")
    return {
        "list_code": "TAX-SERIOUS",
        "color": "BLACK",
        "state": state,
        "cause": f"{cause}:{facts}" if facts else cause,
        "decision_number": number,
        "recognized_on": entered,
        "publicity_from": entered,
        "exited_on": left,
        "exit_reason": why if left is not None else None,
    }


def connect(settings: Mapping[str, str], tools: Tools) -> Connector:
    """The tax database as the settings describe it. Raises ValueError when it is not named."""
    url = settings.get("HUB_TAX_DATABASE_URL")
    if not url:
        raise ValueError("HUB_TAX_DATABASE_URL is not set")
    return Tax(url, tools)
