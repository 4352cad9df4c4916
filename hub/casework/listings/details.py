"""What a case about a place on a list says, and what its list must say before (R8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub.rules.listing import load_list_rules

# Who recognizes here: lists of other authorities come from their sources and are never handled here.
DEPARTMENT = "青海省商务厅"


@dataclass(frozen=True)
class Definition:
    """The list as it was defined when the place on it was proposed."""

    code: str
    name: str
    color: str
    recognizer: str
    legal_basis: str
    basis_level: str
    min_months: int | None
    max_months: int | None
    effective_from: date
    effective_to: date | None
    # None in a case that was opened before definitions told them.
    criteria: str | None = None
    measures: str | None = None


@dataclass(frozen=True)
class Notice:
    """What the subject was told before: facts, reasons, basis, measures, its right to state and defend."""

    document_number: str
    facts: str
    reasons: str
    basis: str
    measures: str
    served_on: date | None = None
    # None: of a notice from before this was kept.
    made_on: date | None = None


@dataclass(frozen=True)
class Defence:
    """What was said against it, by the subject or, in a public notice, by anyone."""

    at: date
    by: str
    statement: str


@dataclass(frozen=True)
class Recognition:
    """The decision, and the notice on repair that goes with it (两书同达, 国办发〔2025〕22号)."""

    document_number: str
    recognized_on: date
    repair_notice_number: str | None
    defence_answer: str | None


@dataclass(frozen=True)
class ListingDetails:
    """A place on a list."""

    entry: str
    subject_code: str
    subject_name: str
    natural_person: bool
    definition: Definition
    cause: str
    ground: str | None
    notice: Notice | None = None
    defences: tuple[Defence, ...] = ()
    recognition: Recognition | None = None
    earliest_repair_on: date | None = None
    publicity_ends_on: date | None = None
    published_on: date | None = None
    # Working days after the limit (R8: seven); 0: in time.
    published_late: int = 0
    publish_by: date | None = None
    exited_on: date | None = None
    exit_reason: str | None = None


@dataclass(frozen=True)
class ConflictDetails:
    """One subject on a red and a black list at once (R8.4); a person decides."""

    red_entry: str
    black_entry: str


def incomplete(definition: Definition) -> str | None:
    """R8.1: what a list must tell before a place on it is proposed and does not; None: it tells all."""
    if not (definition.criteria or "").strip():
        return "NO_CRITERIA"
    if not (definition.measures or "").strip():
        return "NO_MEASURES"
    return "NO_LONGEST_PUBLICITY" if definition.max_months is None else None


def standing(definition: Definition, today: date) -> str | None:
    """R8.1: why nobody may be put on the list today; None: somebody may."""
    if definition.recognizer != DEPARTMENT:
        return "NOT_OUR_LIST"
    if definition.effective_from > today or (definition.effective_to and definition.effective_to < today):
        return "LIST_NOT_IN_FORCE"
    if not definition.legal_basis.strip():
        return "NO_LEGAL_BASIS"
    carried = load_list_rules().carries(definition.color, definition.basis_level, today)
    return None if carried else "BASIS_LEVEL_TOO_LOW"
