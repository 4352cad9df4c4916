"""What a case about a repair says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Paper:
    """A paper handed in (R9.2); of public service it says organizer, hours and certificate (R9.3)."""

    kind: str
    title: str
    handed_in_on: date
    file_digest: str | None = None
    organizer: str | None = None
    hours: int | None = None
    certificate: str | None = None
    held_on: date | None = None


@dataclass(frozen=True)
class Obstacle:
    """Why it cannot be approved; `until`: the day on which this ends by itself, where it does."""

    code: str
    text: str | None
    until: date | None


@dataclass(frozen=True)
class Findings:
    """What the officer found; not what the applicant claims."""

    corrected: bool
    performed: bool
    unmet: tuple[str, ...]
    opinion: str
    officer: str
    at: datetime


@dataclass(frozen=True)
class RepairDecision:
    """What was decided, by a second person."""

    approved: bool
    document_number: str
    reason: str | None
    officer: str
    decided_on: date


@dataclass(frozen=True)
class RepairDetails:
    """An application to repair a record or a place on a list."""

    target_kind: str
    target: str
    target_title: str
    data_class: str
    document_number: str | None
    authority: str
    decided_on: date
    seriousness: str
    color: str | None
    subject_code: str | None
    subject_name: str
    natural_person: bool
    applied_on: date
    # From when the intake is counted: the day on which the application reached the department.
    pushed_on: date
    # SUBJECT, or the partner that recorded it.
    applied_by: str
    agent: str | None
    statement: str
    evidence: tuple[Paper, ...]
    eligible_from: date | None
    blockers: tuple[Obstacle, ...]
    notes: tuple[str, ...]
    assessed_on: date
    answer_by: date
    findings: Findings | None = None
    extension_reason: str | None = None
    decision: RepairDecision | None = None
    rejection_reason: str | None = None
    # State of the record or entry before its repair, and the cases that ended with it, by uuid.
    state_before: str | None = None
    followed: tuple[str, ...] = ()
    effectuated_on: date | None = None
    # Working days after the day by which all channels had to follow.
    propagated_late: int = 0
    answered_on: date | None = None
    answer: str | None = None
    # Working days after the limit of the answer.
    answered_late: int = 0
    revoked_on: date | None = None
    revocation_reason: str | None = None
