"""The ordinary way: Strawberry resolvers, a permission class on every field, DataLoaders, Strawberry's own ASGI view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, NewType

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig

from hub.config import Settings
from hub.store.database import Role, role_url

# What the partner `customs` may see, of the classes that the workloads touch.
LEVELS = {"D1": 3, "D4": 3, "D6": 3, "D7": 0, "D10": 3, "D12": 1, "D13": 3}
SHOWN = ("D4", "D6")
USCC = NewType("USCC", str)
USCC_SCALAR = strawberry.scalar(name="USCC", serialize=str, parse_value=str)

_SUBJECT = "SELECT * FROM subject WHERE uscc = $1"
_SUBJECTS_BY_ID = "SELECT * FROM subject WHERE subject_id = ANY ($1::bigint[])"
_SUBJECTS_BY_CODE = "SELECT * FROM subject WHERE uscc = ANY ($1::text[])"
_ENTRIES = """
SELECT * FROM list_entry WHERE subject_id = ANY ($1::bigint[]) AND superseded_at IS NULL AND state = 'PUBLISHED'
 AND (publicity_ends_on IS NULL OR publicity_ends_on >= $2) ORDER BY recognized_on DESC, public_id DESC"""
_PENALIZED = """
SELECT DISTINCT subject_id FROM record WHERE subject_id = ANY ($1::bigint[]) AND superseded_at IS NULL
 AND kind = 'PENALTY' AND data_class = ANY ($3::text[]) AND lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')
 AND (usable_until IS NULL OR usable_until >= $2)"""
_USABLE = """superseded_at IS NULL AND data_class = ANY ($1::text[])
 AND lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION') AND (usable_until IS NULL OR usable_until >= $2)"""
_RECORDS = f"""
SELECT r.* FROM unnest($3::bigint[]) k(id) CROSS JOIN LATERAL (SELECT * FROM record WHERE subject_id = k.id AND {_USABLE}
 ORDER BY decided_on DESC, public_id DESC LIMIT $4) r ORDER BY r.decided_on DESC, r.public_id DESC"""
_PAGE = f"""
SELECT * FROM record WHERE {_USABLE} AND decided_on <= $3 ORDER BY decided_on DESC, public_id DESC LIMIT $4"""


class Loaders:
    """The DataLoaders of one request."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.today = date.today()
        self.levels = LEVELS
        self.subject_by_id: DataLoader[int, Any] = DataLoader(self._by_id)
        self.subject_by_code: DataLoader[str, Any] = DataLoader(self._by_code)
        self.entries: DataLoader[int, list[Any]] = DataLoader(self._entries)
        self.penalized: DataLoader[int, bool] = DataLoader(self._penalized)
        self.records: DataLoader[tuple[int, int], list[Any]] = DataLoader(self._records)

    async def page(self, to: date, first: int) -> list[Any]:
        return await self._pool.fetch(_PAGE, list(SHOWN), self.today, to, first + 1)

    async def subject(self, code: str) -> Any:
        return await self._pool.fetchrow(_SUBJECT, code)

    async def _by_id(self, ids: list[int]) -> list[Any]:
        found = {row["subject_id"]: row for row in await self._pool.fetch(_SUBJECTS_BY_ID, ids)}
        return [found.get(one) for one in ids]

    async def _by_code(self, codes: list[str]) -> list[Any]:
        found = {row["uscc"]: row for row in await self._pool.fetch(_SUBJECTS_BY_CODE, codes)}
        return [found.get(one) for one in codes]

    async def _entries(self, ids: list[int]) -> list[list[Any]]:
        found = defaultdict(list)
        for row in await self._pool.fetch(_ENTRIES, ids, self.today):
            found[row["subject_id"]].append(row)
        return [found[one] for one in ids]

    async def _penalized(self, ids: list[int]) -> list[bool]:
        found = {
            row["subject_id"] for row in await self._pool.fetch(_PENALIZED, ids, self.today, list(SHOWN))
        }
        return [one in found for one in ids]

    async def _records(self, keys: list[tuple[int, int]]) -> list[list[Any]]:
        found = defaultdict(list)
        ids, most = [one for one, _ in keys], max(first for _, first in keys)
        for row in await self._pool.fetch(_RECORDS, list(SHOWN), self.today, ids, most + 1):
            found[row["subject_id"]].append(row)
        return [found[one] for one in ids]


@dataclass
class Context:
    """What resolvers find in `info.context`."""

    loaders: Loaders
    levels: dict[str, int]


Info = strawberry.Info[Context, None]


def allowed(data_class: str, least: int = 3) -> type[BasePermission]:
    """The permission class of the fields of a data class."""

    class Allowed(BasePermission):
        message = f"{data_class} is not shared for this purpose"

        def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
            return info.context.levels.get(data_class, 0) >= least

    return Allowed


REGISTRATION, LICENCES, PENALTIES = allowed("D1"), allowed("D4"), allowed("D6")
BLACK, RED = allowed("D10", 1), allowed("D13", 1)


class RowPermission(BasePermission):
    """Rows carry their own class."""

    message = "not shared for this purpose"

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        return info.context.levels.get(source.row["data_class"], 0) >= 3


def column(name: str, permission: type[BasePermission]) -> Any:
    """A field that shows a column of the row."""

    def resolver(root: Any) -> Any:
        return root.row[name]

    resolver.__annotations__ = {}
    return strawberry.field(resolver=resolver, permission_classes=[permission])


class Tristate(Enum):
    YES = "YES"
    NO = "NO"
    INDETERMINATE = "INDETERMINATE"


Tristate = strawberry.enum(Tristate)  # type: ignore[misc]


@strawberry.type
class ListEntry:
    row: strawberry.Private[Any]
    color: str | None = column("color", RowPermission)
    state: str | None = column("state", RowPermission)
    cause: str | None = column("cause", RowPermission)
    decision_number: str | None = column("decision_number", RowPermission)
    recognized_on: date | None = column("recognized_on", RowPermission)
    publicity_ends_on: date | None = column("publicity_ends_on", RowPermission)


@strawberry.type
class CreditSummary:
    row: strawberry.Private[Any]

    @strawberry.field(permission_classes=[BLACK])
    async def has_serious_dishonesty_entry(self, info: Info) -> Tristate | None:
        return await _on_list(self.row, info, "BLACK")

    @strawberry.field(permission_classes=[RED])
    async def is_honest_model(self, info: Info) -> Tristate | None:
        return await _on_list(self.row, info, "RED")

    @strawberry.field(permission_classes=[PENALTIES])
    async def has_public_penalty(self, info: Info) -> Tristate | None:
        found = await info.context.loaders.penalized.load(self.row["subject_id"])
        return Tristate.YES if found else Tristate.NO


async def _on_list(row: Any, info: Info, color: str) -> Any:
    entries = await info.context.loaders.entries.load(row["subject_id"])
    return Tristate.YES if any(entry["color"] == color for entry in entries) else Tristate.NO


@strawberry.interface
class CreditRecord:
    row: strawberry.Private[Any]
    kind: str | None = column("kind", RowPermission)
    title: str | None = column("title", RowPermission)
    document_number: str | None = column("document_number", RowPermission)
    decided_on: date | None = column("decided_on", RowPermission)
    valid_from: date | None = column("valid_from", RowPermission)
    valid_to: date | None = column("valid_to", RowPermission)
    usable_until: date | None = column("usable_until", RowPermission)
    seriousness: str | None = column("seriousness", RowPermission)
    lifecycle: str | None = column("lifecycle", RowPermission)

    @strawberry.field(permission_classes=[RowPermission])
    async def subject(self, info: Info) -> CreditSubject | None:
        return _subject(await info.context.loaders.subject_by_id.load(self.row["subject_id"]))


@strawberry.type
class AdministrativeLicense(CreditRecord):
    license_categories: list[str] | None = column("categories", LICENCES)


@strawberry.type
class AdministrativePenalty(CreditRecord):
    penalty_categories: list[str] | None = column("categories", PENALTIES)


@strawberry.type
class RecordEdge:
    cursor: str
    node: CreditRecord


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class RecordConnection:
    edges: list[RecordEdge]
    page_info: PageInfo


@strawberry.input
class RecordFilter:
    decided_to: date | None = None


def _connection(rows: Sequence[Any], first: int) -> RecordConnection:
    edges = [
        RecordEdge(
            cursor=f"{row['decided_on']}/{row['public_id']}",
            node=AdministrativePenalty(row=row)
            if row["kind"] == "PENALTY"
            else AdministrativeLicense(row=row),
        )
        for row in rows[:first]
    ]
    return RecordConnection(
        edges=edges,
        page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None),
    )


@strawberry.interface
class CreditSubject:
    row: strawberry.Private[Any]
    kind: str | None = column("kind", REGISTRATION)
    display_name: str | None = column("display_name", REGISTRATION)

    @strawberry.field
    def summary(self) -> CreditSummary | None:
        return CreditSummary(row=self.row)

    @strawberry.field
    async def records(self, info: Info, first: int = 20) -> RecordConnection | None:
        return _connection(await info.context.loaders.records.load((self.row["subject_id"], first)), first)

    @strawberry.field
    async def list_entries(self, info: Info) -> list[ListEntry] | None:
        return [ListEntry(row=row) for row in await info.context.loaders.entries.load(self.row["subject_id"])]


@strawberry.type
class Organization(CreditSubject):
    uscc: str | None = column("uscc", REGISTRATION)
    registration_status: str | None = column("registration_status", REGISTRATION)
    region_code: str | None = column("region_code", REGISTRATION)
    industry_code: str | None = column("industry_code", REGISTRATION)
    established_on: date | None = column("established_on", REGISTRATION)
    legal_representative_name: str | None = column("legal_representative_name", REGISTRATION)


@strawberry.type
class IndividualBusiness(CreditSubject):
    uscc: str | None = column("uscc", REGISTRATION)
    registration_status: str | None = column("registration_status", REGISTRATION)


def _subject(row: Any) -> CreditSubject | None:
    if row is None:
        return None
    return IndividualBusiness(row=row) if row["kind"] == "INDIVIDUAL_BUSINESS" else Organization(row=row)


@strawberry.type
class Query:
    @strawberry.field
    async def subject(self, info: Info, value: str) -> CreditSubject | None:
        return _subject(await info.context.loaders.subject(value))

    @strawberry.field
    async def subjects(self, info: Info, codes: list[USCC]) -> list[CreditSubject | None] | None:
        return [_subject(row) for row in await info.context.loaders.subject_by_code.load_many(codes)]

    @strawberry.field
    async def records(self, info: Info, filter: RecordFilter, first: int = 20) -> RecordConnection | None:
        assert filter.decided_to is not None
        return _connection(await info.context.loaders.page(filter.decided_to, first), first)


SCHEMA = strawberry.Schema(
    Query,
    types=[Organization, IndividualBusiness, AdministrativeLicense, AdministrativePenalty],
    extensions=[ParserCache, ValidationCache],
    config=StrawberryConfig(scalar_map={USCC: USCC_SCALAR}),
)


class View(GraphQL[Context, None]):
    """Strawberry's view with the request's loaders."""

    def __init__(self, pools: list[asyncpg.Pool]) -> None:
        super().__init__(SCHEMA)
        self._pools = pools

    async def get_context(self, request: Any, response: Any) -> Context:
        loaders = Loaders(self._pools[0])
        return Context(loaders, loaders.levels)


def create_resolvers(settings: Settings) -> ASGIApp:
    """The same schema shape by resolvers, as an ASGI application."""
    pools: list[asyncpg.Pool] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            role_url(settings, Role.READER),
            min_size=settings.pool_size,
            max_size=settings.pool_size,
            server_settings={"jit": "off", "timezone": "Asia/Shanghai"},
        ) as pool:
            pools.append(pool)
            yield

    return Starlette(routes=[Route("/graphql", View(pools))], lifespan=lifespan)
