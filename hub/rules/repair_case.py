"""What a repair is decided from, and what is decided: the record, the application, the assessment, the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Target:
    """What is to be repaired: an adverse record or a place on a list."""

    # Day of the judicial or administrative document (认定之日), or of recognition: the clock starts on it.
    decided_on: date
    # MINOR, GENERAL, SERIOUS, UNCLASSIFIED or NOT_ADVERSE.
    seriousness: str
    # State of the record or of the entry.
    state: str = "EFFECTIVE"
    # Whether the department that runs the case recognized it itself (谁认定、谁修复).
    own: bool = True
    # Last day of publicity, sharing and use; None: without end.
    usable_until: date | None = None
    # Fields that Order 58 protects: FOOD, DRUGS, …
    fields: frozenset[str] = frozenset()
    # BLACK, WATCH or RED for a place on a list.
    color: str | None = None
    # Shortest publicity of the list's own definition, in months; it goes before the general rules.
    list_min_months: int | None = None


@dataclass(frozen=True)
class Evidence:
    """A paper handed in; `said` names what it states (organizer, hours, certificate, file_digest, held_on)."""

    kind: str
    said: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Application:
    """An application for repair and what the officer found of it."""

    applied_on: date
    # Findings of the officer, not claims of the applicant; None: not examined yet.
    corrected: bool | None = None
    performed: bool | None = None
    evidence: tuple[Evidence, ...] = ()
    # Further conditions of other laws that are not met, as the officer names them.
    unmet: tuple[str, ...] = ()
    natural_person: bool = False
    # Days on which earlier repairs of the same subject on the same kind of list took effect.
    earlier: tuple[date, ...] = ()


@dataclass(frozen=True)
class Blocker:
    """Why a repair cannot be approved. `until`: the day on which this reason ends by itself, where it does."""

    code: str
    until: date | None = None


@dataclass(frozen=True)
class Assessment:
    """The order that handles the case, the earliest day, what stands in the way, and what a person should look at."""

    order: str | None
    eligible_from: date | None
    blockers: tuple[Blocker, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Period:
    """The publicity of an adverse record (R7.5): all days included. `first_repair`: the earliest day to apply."""

    begins: date
    earliest_end: date | None
    latest_end: date | None
    first_repair: date | None
    ruleset: str | None
