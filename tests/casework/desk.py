"""An office for tests of casework: a hub over an empty store with a clock that is set, desks that ask it, facts that are laid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from hub.app import create_app
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.sandbox.tokens import demo_token
from schema.coordinates import vocabulary
from schema.identifiers import organization_check, uscc_check
from tests.conftest import Database
from tests.hub_server import PATIENT, hub_settings
from tests.serving import serving

LICENSING = ("ADMINISTRATIVE_LICENSING", "SW-XK-OIL")
# A working Monday on which the demo agreements are in force.
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SOURCES = (
    "ASSOCIATION", "COMMERCE", "COMMERCE_REGISTERS", "CREDIT_PLATFORM", "FOREIGN_EXCHANGE", "FOREIGN_INVESTMENT",
    "MARKET_REGULATION", "TAX",
)  # fmt: skip
_serials = count(10_000_000)


@dataclass
class Clock:
    """The time at the hub; a test sets it."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        """The time as it is set."""
        return self.now


@dataclass(frozen=True)
class Desk:
    """One partner that works for one purpose on one matter."""

    office: Office
    partner: str = "commerce"
    purpose: str | None = LICENSING[0]
    matter: str | None = LICENSING[1]
    case: str | None = "BJ-2026-0001"
    officer: str | None = None

    def second(self, officer: str = "second-officer") -> Desk:
        """The same desk with another officer at it."""
        return replace(self, officer=officer)

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """The whole answer, errors and all; names of headers with underscores stand for hyphens."""
        settings, now = self.office.database.settings, self.office.clock.now
        token = demo_token(settings, self.partner, None, 600, now, self.officer)
        said = {
            "authorization": f"Bearer {token}",
            "hub-purpose": self.purpose,
            "hub-matter": self.matter,
            "hub-case": self.case,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        given = {name: value for name, value in said.items() if value is not None}
        body = {"query": query, "variables": variables or {}}
        response = await self.office.client.post("/graphql", json=body, headers=given)
        answer: dict[str, Any] = json.loads(response.content)
        return answer

    async def heard(self) -> None:
        """Wait until the hub knows that the partner's agreement is in force."""
        for _ in range(500):
            if "errors" not in await self.ask("{ me { partner } }"):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"the hub does not hear {self.partner}")

    async def done(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = await self.ask(query, variables, **headers)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def refused(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """The extensions of the first error of a refused request, with its message."""
        answer = await self.ask(query, variables, **headers)
        assert "errors" in answer, answer
        error = answer["errors"][0]
        return {"message": error["message"], **error["extensions"]}


@dataclass
class Office:
    """A hub with a settable clock over a store that holds only what the test lays."""

    database: Database
    clock: Clock
    client: httpx.AsyncClient
    laid: list[str] = field(default_factory=list)

    def desk(
        self,
        partner: str = "commerce",
        purpose: str | None = LICENSING[0],
        matter: str | None = LICENSING[1],
        case: str | None = "BJ-2026-0001",
    ) -> Desk:
        """A desk of a demo partner."""
        return Desk(self, partner, purpose, matter, case)

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        """Rows of the store, read as its owner."""
        connection = await asyncpg.connect(self.database.owner_dsn)
        try:
            found: list[Any] = await connection.fetch(sql, *values)
            return found
        finally:
            await connection.close()

    async def subject(
        self,
        *,
        established_on: date | None = date(2015, 3, 1),
        region: str = "630103",
        code: str | None = None,
    ) -> str:
        """Lay a firm; gives its code."""
        if code is None:
            first = f"{next(_serials)}"
            first17 = f"91{region}{first}{organization_check(first)}"
            code = first17 + uscc_check(first17)
        await self.rows(
            "INSERT INTO subject (kind, uscc, region_code, display_name, name_key, registration_status, established_on)"
            " VALUES ('LEGAL_PERSON', $1, $2, $3, $3, '存续', $4)",
            code,
            region,
            f"青海某某{code[8:16]}有限公司",
            established_on,
        )
        return code

    async def adverse(self, code: str, decided_on: date, seriousness: str = "GENERAL", **more: Any) -> str:
        """Lay an adverse record of a firm; gives its opaque id. `more`: columns that differ."""
        return await self.fact(
            "record",
            code,
            "r",
            {
                "data_class": "D7" if seriousness == "MINOR" else "D6",
                "kind": "PENALTY",
                "title": "行政处罚",
                "document_number": f"青商罚〔{decided_on.year}〕{next(_serials) % 1000}号",
                "decided_on": decided_on,
                "seriousness": seriousness,
                "lifecycle": "EFFECTIVE",
                **more,
            },
        )

    async def defined(self, code: str, color: str, level: str = "REGULATION", **more: Any) -> None:
        """Define a list of the department that tells all that a list must (R8.1); `more`: other columns."""
        told = {
            "code": code, "name": code, "color": color, "recognizer_name": "青海省商务厅", "legal_basis": "条例第39条",
            "basis_level": level, "criteria": "条例所列情形", "measures": "重点监管", "max_publicity_months": 24,
            "effective_from": date(2019, 7, 5),
        } | more  # fmt: skip
        places = ", ".join(f"${number}" for number in range(1, len(told) + 1))
        await self.rows(
            f"INSERT INTO list_definition ({', '.join(told)}) VALUES ({places}) ON CONFLICT DO NOTHING",
            *told.values(),
        )

    async def listed(self, code: str, color: str, **more: Any) -> str:
        """Lay an entry in force of a list; gives its opaque id."""
        name = {"RED": "T-RED", "WATCH": "T-WATCH", "BLACK": "T-BLACK"}[color]
        await self.defined(name, color)
        classes = {"RED": "D13", "WATCH": "D12", "BLACK": "D10"}
        return await self.fact(
            "list_entry",
            code,
            "l",
            {
                "data_class": classes[color],
                "list_code": name,
                "color": color,
                "state": "PUBLISHED",
                "recognized_on": date(2026, 6, 1),
                **more,
            },
        )

    async def fact(self, table: str, code: str, letter: str, values: Mapping[str, Any]) -> str:
        """Lay a fact about a firm; gives its opaque id."""
        public_id = str(uuid4())
        row = {
            "public_id": public_id,
            "source": "COMMERCE",
            "source_record_id": public_id,
            "provider_name": "青海省商务厅",
            "catalog_item_code": "TEST",
            "fetched_at": MONDAY,
            "recorded_at": MONDAY,
            "payload_digest": public_id.replace("-", "") * 2,
            **values,
        }
        names, places = ", ".join(row), ", ".join(f"${n}" for n in range(2, len(row) + 2))
        await self.rows(
            f"INSERT INTO {table} (subject_id, {names}) VALUES ((SELECT subject_id FROM subject WHERE uscc = $1), {places})",
            code,
            *row.values(),
        )
        return letter + public_id.replace("-", "")

    async def sources(self, status: str = "OK", names: Sequence[str] = SOURCES) -> None:
        """Say how sources stand; the hub reads it within a second, for which `noticed` waits."""
        for name in names:
            await self.rows(
                "INSERT INTO source_state (source, status, as_of, checked_at) VALUES ($1, $2, '2090-01-01', now())"
                " ON CONFLICT (source) DO UPDATE SET status = $2",
                name,
                status,
            )

    async def waiting(self, number: int = 1) -> None:
        """Until so many transactions in the store wait for another."""
        for _ in range(500):
            if await self._waiters() >= number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {number} transactions wait")

    async def nobody_waits(self) -> None:
        """Until no transaction in the store waits for another."""
        for _ in range(500):
            if not await self._waiters():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("a transaction waits still")

    async def _waiters(self) -> int:
        sql = "SELECT count(*) AS n FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = $1"
        (row,) = await self.rows(sql, self.database.name)
        return int(row["n"])

    async def noticed(self, name: str, status: str) -> None:
        """Wait until the hub knows that a source stands so."""
        for _ in range(500):
            told = (await self.desk().done("{ sources { source status } }"))["sources"]
            if {"source": name, "status": status} in told:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"the hub does not know that {name} is {status}")


@asynccontextmanager
async def office_over(
    database: Database, state_dir: Path, given: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Office]:
    """An office over `database` with the agreements of all demo partners in force and every source answering.

    `given`: further settings of its hub, by variable.
    """
    settings = hub_settings(database.owner_dsn, state_dir, {**PATIENT, **given})
    issuer = demo_issuer(settings.state_dir)
    await apply_agreements(
        database.writer,
        demo_agreements(issuer.key).values(),
        load_matrix(),
        MONDAY,
        "test",
        vocabulary().coordinates,
    )
    clock = Clock()
    office = Office(replace(database, settings=settings), clock, httpx.AsyncClient())
    await office.sources()
    async with (
        serving(create_app(settings, clock)) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
    ):
        office.client = client
        yield office
