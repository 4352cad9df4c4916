"""The rows of repair.toml: orders on credit repair and their transition, list methods, kinds of evidence, recognizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.errors import RulesInvalid
from hub.rules.dated import Row, Term

CLASSES = ("MINOR", "GENERAL", "SERIOUS")
CONDITIONS = ("CORRECTED", "PERFORMED", "COMMITMENT")
EFFECTS = ("PUBLICITY_ENDS", "SHARING_ENDS", "USE_ENDS", "MEASURES_LIFTED")
ROLES = ("REQUIRED", "ALTERNATIVE", "SUPPLEMENTARY")


@dataclass(frozen=True)
class Order:
    """One order on repair. It handles the applications made while it is in force, whatever comes later."""

    id: str
    min_months: Mapping[str, int]
    protected_fields: frozenset[str]
    protected_months: int
    conditions: tuple[str, ...]
    # What an approved repair ends: publicity, sharing, use, measures (R9.2).
    effects: tuple[str, ...]
    term: Term

    def months(self, seriousness: str, fields: frozenset[str]) -> int:
        """The months of publicity before a repair may be asked for."""
        if fields & self.protected_fields:
            return self.protected_months
        return self.min_months[seriousness]


@dataclass(frozen=True)
class Transition:
    """Whether decisions of before an order get the shorter minimum of all orders in force since."""

    lenient: bool
    term: Term


@dataclass(frozen=True)
class Unclassified:
    """The class as which an unclassified record is handled."""

    treated_as: str
    term: Term


@dataclass(frozen=True)
class ListMethod:
    """The repair of places on lists: minimum, papers that stand for a commitment, limits on repeating."""

    id: str
    colors: frozenset[str]
    min_months: int
    any_of: frozenset[str]
    gap_months: int
    most: int
    most_within_months: int
    repeats: str
    term: Term


@dataclass(frozen=True)
class EvidenceKind:
    """A kind of paper, what it must say, and whether a condition may rest on it (R9.3)."""

    kind: str
    zh: str
    role: str
    natural_persons_only: bool
    needs: frozenset[str]
    term: Term


@dataclass(frozen=True)
class Recognizer:
    """An authority whose records and entries are repaired here, the partner that handles them, and its region."""

    name: str
    code: str
    partner: str
    region: str
    term: Term


@dataclass(frozen=True)
class AgentLimit:
    """How many applications one agent may hand in within some days."""

    most: int
    days: int
    term: Term


@dataclass(frozen=True)
class Wording:
    """An obstacle in words for the applicant."""

    code: str
    zh: str
    term: Term


def read_order(row: Row) -> Order:
    """A row of `order`. Raises RulesInvalid."""
    months = row.numbers("min_months")
    if set(months) != set(CLASSES):
        raise RulesInvalid(f"{row.where}: min_months does not name exactly {', '.join(CLASSES)}")
    return Order(
        row.text("id"),
        MappingProxyType(dict(months)),
        frozenset(row.texts("protected_fields")),
        row.number("protected_months"),
        row.texts("conditions", CONDITIONS),
        row.texts("effects", EFFECTS),
        row.term(),
    )


def read_transition(row: Row) -> Transition:
    """A row of `transition`. Raises RulesInvalid."""
    return Transition(row.choice("choice", ("lenient", "applied")) == "lenient", row.term())


def read_unclassified(row: Row) -> Unclassified:
    """A row of `unclassified`. Raises RulesInvalid."""
    return Unclassified(row.choice("treated_as", CLASSES), row.term())


def read_list_method(row: Row) -> ListMethod:
    """A row of `list_method`. Raises RulesInvalid."""
    return ListMethod(
        row.text("id"),
        frozenset(row.texts("colors", ("BLACK", "WATCH"))),
        row.number("min_months"),
        frozenset(row.texts("any_of")),
        row.number("gap_months"),
        row.number("most"),
        row.number("most_within_months"),
        row.choice("repeats", ("BLOCK", "WARN")),
        row.term(),
    )


def read_evidence(row: Row) -> EvidenceKind:
    """A row of `evidence`. Raises RulesInvalid."""
    return EvidenceKind(
        row.text("kind"),
        row.text("zh"),
        row.choice("role", ROLES),
        row.flag("natural_persons_only"),
        frozenset(row.texts("needs")),
        row.term(),
    )


def read_recognizer(row: Row) -> Recognizer:
    """A row of `recognizer`. Raises RulesInvalid."""
    return Recognizer(row.text("name"), row.text("code"), row.text("partner"), row.text("region"), row.term())


def read_agent_limit(row: Row) -> AgentLimit:
    """A row of `agent_limit`. Raises RulesInvalid."""
    return AgentLimit(row.number("most"), row.number("days"), row.term())


def read_wording(row: Row) -> Wording:
    """A row of `wording`. Raises RulesInvalid."""
    return Wording(row.text("code"), row.text("zh"), row.term())
