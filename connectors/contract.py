"""All that a source must answer: what it holds, how it is reached, and how its raw row becomes a canonical item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Protocol, runtime_checkable

# Days of sources, agreements and law begin and end in Beijing time. China has had no other offset since 1991, so that says
# all, and no database of time zones is asked.
SHANGHAI = timezone(timedelta(hours=8))


class Mode(StrEnum):
    """When a source is asked."""

    HARVESTED = "HARVESTED"  # ahead of time; its facts stand in the store
    LIVE = "LIVE"  # at query time, for the subjects of the plan


class Retention(StrEnum):
    """Whether the hub may keep what the source told it."""

    STORED = "STORED"
    TRANSIENT = "TRANSIENT"  # only for the answer being made; never in the store or a shared cache


class Freshness(StrEnum):
    """How often the source changes."""

    REALTIME = "REALTIME"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    QUARTERLY = "QUARTERLY"
    YEARLY = "YEARLY"

    @property
    def cycle(self) -> timedelta:
        """The longest time between two changes."""
        return _CYCLES[self]

    @property
    def stale_after(self) -> timedelta:
        """The age beyond which what the source told may no longer be so."""
        return 2 * self.cycle


_CYCLES = {
    Freshness.REALTIME: timedelta(minutes=5),
    Freshness.DAILY: timedelta(days=1),
    Freshness.WEEKLY: timedelta(weeks=1),
    Freshness.QUARTERLY: timedelta(days=92),
    Freshness.YEARLY: timedelta(days=366),
}


class Kind(StrEnum):
    """Which table of the store an item belongs to."""

    REGISTRATION = "REGISTRATION"
    LICENSE = "LICENSE"
    PENALTY = "PENALTY"
    GENERIC = "GENERIC"
    GRADE = "GRADE"
    LIST_ENTRY = "LIST_ENTRY"
    ARCHIVE = "ARCHIVE"


class SourceError(Exception):
    """A source did not give what it was asked for. The words are for operators and the log: no address, no row, no secret."""


class Unavailable(SourceError):
    """The source cannot be reached, is slow or overloaded: ask again later."""


class Refused(SourceError):
    """The source answered that it will not serve this request: asking again does not help."""


class RowRejected(Exception):
    """A row that cannot become an item; it is quarantined with its raw bytes, `code` and `reason`."""

    def __init__(self, code: str, reason: str) -> None:
        """`code`: UPPER_SNAKE, from a small set per connector. `reason`: one sentence without personal data."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class CatalogItem:
    """An item of the credit information catalogue that the source supplies (GB/T 39440-2020)."""

    code: str
    name: str
    kind: Kind
    # Data class of the ceiling matrix for organizations; the hub refines it by subject kind, seriousness and grade.
    data_class: str


@dataclass(frozen=True)
class Setting:
    """A setting of the source's transport; `name` is the environment variable."""

    name: str
    description: str
    secret: bool = False


@dataclass(frozen=True)
class Source:
    """The declaration of a source."""

    name: str  # as in SourceSystem: CUSTOMS, TAX …
    title_zh: str
    provider_name: str
    provider_code: str  # USCC of the provider
    items: tuple[CatalogItem, ...]
    key_scheme: str  # identifier scheme the source is asked by: USCC, CUSTOMS_CODE …
    mode: Mode
    retention: Retention
    freshness: Freshness
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True)
class SubjectRef:
    """The subject of an item, as the source names it; the hub normalizes, validates and resolves it."""

    kind: str  # one of the four subject kinds
    name: str
    identifiers: tuple[tuple[str, str], ...]  # (scheme, value as given); persons' numbers already digested
    region_code: str | None = None


@dataclass(frozen=True)
class Item:
    """A canonical item: what one source row says about one subject."""

    kind: Kind
    source_record_id: str
    catalog_item_code: str
    subject: SubjectRef
    # Columns of the kind's table, already typed: date, Decimal (yuan), bool, str, list, dict.
    values: Mapping[str, object] = field(default_factory=dict)
    source_updated_at: datetime | None = None
    # The source withdrew the row: the fact ends (exit, repair, correction), its history stays.
    deleted: bool = False
    # What was noticed and repaired on the way in (sentinel dates, unit slips …): kept with the fact.
    flags: tuple[str, ...] = ()
    # The source has no name of its own for it: it was made of what tells it apart (number and authority of a decision, list and
    # number of an entry, scheme and period of a grade; `values` has them of a withdrawn one, too) and of the subject, and it is
    # the same by whichever of its numbers the subject is named (§3.1, rule g).
    by_decision: bool = False
    # Of an archive that tells of one period at a time, the code of that of its `items` which says of which (2026Q2, 2026-06):
    # what it tells of an earlier one never takes the place of a later one's, whenever it was changed or delivered.
    period_code: str = ""


@dataclass(frozen=True)
class RawRow:
    """A row as the source gave it. `origin` and `position` name it again on the next delivery."""

    origin: str  # file name, table or service
    position: str  # line, key or id
    raw: bytes  # the exact bytes, or the canonical JSON of a database row
    fields: Mapping[str, str | None]


@dataclass(frozen=True)
class Batch:
    """Some rows and the cursor from which to go on after them. `total` is the number of rows to come, when known."""

    rows: Sequence[RawRow]
    cursor: str
    total: int | None = None


@dataclass(frozen=True)
class Tools:
    """What the hub lends a connector."""

    # HMAC-SM3 of a natural person's number under the hub's key: the only form in which it may leave the connector.
    digest_person_id: Callable[[str], str]
    # Seconds until which one request may take.
    deadline: float
    now: Callable[[], datetime]


@runtime_checkable
class Connector(Protocol):
    """A source, ready to be asked. Retry, deadline, breaker, cache, digest, provenance and quarantine are the hub's."""

    source: Source

    def harvest(self, cursor: str | None) -> AsyncIterator[Batch]:
        """All rows after `cursor`, oldest first, in batches of bounded size; may give a row again, never skips one."""
        ...

    async def fetch(self, keys: Sequence[str], items: Sequence[str]) -> Mapping[str, Sequence[RawRow]]:
        """The rows of `items` (catalogue codes) for each of `keys`; a key without rows maps to an empty sequence."""
        ...

    def canonical(self, row: RawRow) -> Item:
        """The item that `row` states. Raises RowRejected when it cannot be understood: nothing is guessed."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class NamesRecords(Protocol):
    """A connector that gives a row another place when it is corrected: what the record is called tells that it is the same."""

    def withdrawn(self, row: RawRow) -> Item:
        """The item of `row`, which could not be understood, as though it were withdrawn: what names it. Raises RowRejected."""
        ...


@runtime_checkable
class NamesPersons(Protocol):
    """A connector whose rows may be about natural persons."""

    def persons_in(self, row: RawRow) -> Collection[str]:
        """The digests of the persons' numbers by which `row`, which could not be understood, may name whom it is about."""
        ...
