"""The ceiling matrix as a value: levels, scopes, purposes, classes of data and of partners, cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from schema.governance import Capability


class Level(IntEnum):
    """How much of a value is given; a higher level gives more."""

    NONE = 0
    YES_NO = 1  # whether there is one, three-valued
    MASKED = 2  # names, numbers, addresses and free text shortened
    FULL = 3


def level_named(name: str) -> Level:
    """The level called `name`. Raises ValueError when there is none."""
    if name not in Level.__members__:
        raise ValueError(name)
    return Level[name]


class Scope(StrEnum):
    """What must be true of a row before a grant holds for it."""

    OWN_REGION = "OWN_REGION"  # the subject, or the partner's own case of it, is in an agreed region
    OWN_MEMBER = "OWN_MEMBER"  # the subject is a member of the partner
    OWN_MERCHANT = "OWN_MERCHANT"  # the subject is a merchant of the partner
    SELF = "SELF"  # the subject is the one authenticated
    OWN_SOURCE = "OWN_SOURCE"  # the partner itself contributed the row
    PARTY = "PARTY"  # the partner's own case, notification or call
    CONSENT = "CONSENT"  # the subject consents: this partner, purpose and class, now


class Purpose(StrEnum):
    """What information is asked for: the closed list of 18."""

    ADMINISTRATIVE_REVIEW = "ADMINISTRATIVE_REVIEW"
    ADMINISTRATIVE_LICENSING = "ADMINISTRATIVE_LICENSING"
    GOVERNMENT_PROCUREMENT = "GOVERNMENT_PROCUREMENT"
    GOVERNMENT_FUNDING = "GOVERNMENT_FUNDING"
    PROJECT_APPROVAL_FILING = "PROJECT_APPROVAL_FILING"
    EXHIBITION = "EXHIBITION"
    ONGOING_SUPERVISION = "ONGOING_SUPERVISION"
    JOINT_INCENTIVE = "JOINT_INCENTIVE"
    JOINT_PUNISHMENT = "JOINT_PUNISHMENT"
    NOTIFICATION = "NOTIFICATION"
    MERCHANT_ADMISSION = "MERCHANT_ADMISSION"
    MEMBER_ARCHIVE = "MEMBER_ARCHIVE"
    SELF_QUERY = "SELF_QUERY"
    OBJECTION_HANDLING = "OBJECTION_HANDLING"
    CREDIT_REPAIR = "CREDIT_REPAIR"
    PUBLIC_QUERY = "PUBLIC_QUERY"
    AUDIT = "AUDIT"
    STATISTICS = "STATISTICS"


# The six handlings that need a credit check before they (article 五, 凡办必查).
CHECK_PURPOSES = frozenset(
    {
        Purpose.ADMINISTRATIVE_REVIEW,
        Purpose.ADMINISTRATIVE_LICENSING,
        Purpose.GOVERNMENT_PROCUREMENT,
        Purpose.GOVERNMENT_FUNDING,
        Purpose.PROJECT_APPROVAL_FILING,
        Purpose.EXHIBITION,
    }
)


class WithheldReason(StrEnum):
    """Why an answer is not full. That publicity ended, by repair or in time, is never told to outsiders."""

    OK = "OK"
    NO_PURPOSE = "NO_PURPOSE"
    PURPOSE_NOT_ALLOWED = "PURPOSE_NOT_ALLOWED"
    NO_LEGAL_BASIS = "NO_LEGAL_BASIS"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    OUT_OF_REGION = "OUT_OF_REGION"
    NOT_YOUR_MEMBER = "NOT_YOUR_MEMBER"
    PUBLICITY_ENDED = "PUBLICITY_ENDED"
    RECORD_REPAIRED = "RECORD_REPAIRED"
    RECORD_EXPIRED = "RECORD_EXPIRED"
    UNDER_OBJECTION = "UNDER_OBJECTION"
    PERSONAL_INFO = "PERSONAL_INFO"
    SENSITIVE_PERSONAL_INFO = "SENSITIVE_PERSONAL_INFO"
    TRADE_SECRET = "TRADE_SECRET"  # noqa: S105 - a reason code
    SECRECY_REVIEW_PENDING = "SECRECY_REVIEW_PENDING"
    SOURCE_RESTRICTION = "SOURCE_RESTRICTION"
    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    QUOTA = "QUOTA"


@dataclass(frozen=True)
class Grant:
    """A level for the rows for which every scope holds; without scopes, for every row."""

    level: Level
    scopes: frozenset[Scope]
    basis: str


@dataclass(frozen=True)
class Cell:
    """A non-empty cell of the ceiling matrix. `purposes` None: any that the partner class may declare."""

    level: Level
    purposes: frozenset[Purpose] | None
    scopes: frozenset[Scope]
    basis: str
    # Name of a dated sharing attribute; while it does not permit, the cell gives `otherwise`.
    sharing: str | None = None
    otherwise: Level = Level.NONE


@dataclass(frozen=True)
class DataClass:
    """One of the 43 classes of data: its names, and why and by which law it is withheld."""

    code: str
    zh: str
    en: str
    withheld: WithheldReason
    protected_by: str


@dataclass(frozen=True)
class PartnerLimits:
    """What one document may ask: counts, cost in rows, subjects of one bulk check, bytes of the body."""

    tokens: int
    depth: int
    aliases: int
    fragments: int
    cost: int
    page: int
    bulk: int
    body_bytes: int


@dataclass(frozen=True)
class Quota:
    """Distinct subjects a day (Asia/Shanghai) and requests a second."""

    subjects_per_day: int
    requests_per_second: int


@dataclass(frozen=True)
class PersonLookups:
    """How often natural persons may be looked up by number: `at_once`, then one every `seconds_each` seconds."""

    at_once: int
    seconds_each: int
    basis: str


@dataclass(frozen=True)
class PartnerClass:
    """One of the 12 classes of partners: what it may declare and ask, and what all its cells carry."""

    code: str
    zh: str
    en: str
    purposes: frozenset[Purpose]
    capabilities: frozenset[Capability]
    # Data classes whose rows may be browsed; None: all.
    browse: frozenset[str] | None
    # Fewest digits of the region codes its agreements name; 0: they need none.
    region_digits: int
    every_cell: frozenset[Scope]
    # Scopes of cells that give more than the public gets, and the purposes for which they do (None: all).
    beyond_public: frozenset[Scope]
    beyond_public_purposes: frozenset[Purpose] | None
    # Purposes that need a matter code, and a case number.
    matter: frozenset[Purpose]
    case: frozenset[Purpose]
    limits: PartnerLimits
    quota: Quota

    @property
    def speaks_for_subjects(self) -> bool:
        """Whether its tokens may say for which subject they speak: all that they show is that subject's own."""
        return Scope.SELF in self.every_cell


@dataclass(frozen=True)
class SharingRow:
    """From a day on: whether the data's owner permits sharing in full (共享属性)."""

    since: date
    permits: bool
    source_doc: str
    confirmed_by: str


@dataclass(frozen=True)
class SourceOwner:
    """Which partner classes own a source, and the data classes it contributes."""

    partners: frozenset[str]
    data: frozenset[str]


@dataclass(frozen=True)
class Matrix:
    """The ceiling matrix: 43 data classes × 12 partner classes × purposes, as loaded from the rules."""

    version: str
    source_doc: str
    confirmed_by: str
    digest: str
    data: Mapping[str, DataClass]
    partners: Mapping[str, PartnerClass]
    cells: Mapping[tuple[str, str], Cell]  # (data class, partner class)
    sharing: Mapping[str, tuple[SharingRow, ...]]
    sources: Mapping[str, SourceOwner]
    basis: Mapping[str, str]
    # Partner classes that may know of what they cannot see, and data classes for which consent must be a separate one;
    # each with its basis.
    entitled: Mapping[str, str]
    separate_consent: Mapping[str, str]
    person_lookups: PersonLookups

    def permits(self, sharing: str, today: date) -> bool:
        """Whether the sharing attribute permits on `today`; before its first row it does not."""
        rows = [row for row in self.sharing.get(sharing, ()) if row.since <= today]
        return max(rows, key=lambda row: row.since).permits if rows else False

    def ceiling(self, partner_class: str, purpose: Purpose, data_class: str, today: date) -> Grant | None:
        """The most that law gives, or None."""
        partner, cell = self.partners.get(partner_class), self.cells.get((data_class, partner_class))
        if partner is None or cell is None or purpose not in partner.purposes:
            return None
        if cell.purposes is not None and purpose not in cell.purposes:
            return None
        level = cell.level if cell.sharing is None or self.permits(cell.sharing, today) else cell.otherwise
        if level is Level.NONE:
            return None
        scopes = cell.scopes | partner.every_cell
        held = partner.beyond_public_purposes is None or purpose in partner.beyond_public_purposes
        if held and level > self.public_level(data_class):
            scopes |= partner.beyond_public
        return Grant(level, scopes, cell.basis)

    def public_level(self, data_class: str) -> Level:
        """What anybody gets (P11) without being the subject's consentee."""
        cell = self.cells.get((data_class, "P11"))
        return cell.level if cell is not None and not cell.scopes else Level.NONE
