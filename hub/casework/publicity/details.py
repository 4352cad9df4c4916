"""What a case about a publication says, and what its text is screened for (R7.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from hub.rules.redactor import screen


@dataclass(frozen=True)
class Review:
    """What a second person decided."""

    officer: str
    at: datetime
    opinion: str


@dataclass(frozen=True)
class Found:
    """Something in the text that blocks publication until a person clears it; what was found is told masked."""

    key: str
    kind: str
    sample: str
    cleared_by: str | None = None
    clearance: str | None = None


@dataclass(frozen=True)
class Excepted:
    """The recorded decision not to publish (R7.3)."""

    ground: str
    basis: str
    document_number: str
    decided_on: date


@dataclass(frozen=True)
class Period:
    """From when to when it is shown (R7.5): all days included; None: without end, or nothing ends it earlier."""

    begins: date
    earliest_end: date | None
    latest_end: date | None
    ruleset: str | None


@dataclass(frozen=True)
class Withdrawal:
    """Why and until when it had to be withdrawn (R7.4). `late`: working days after the third."""

    ground: str
    ended_on: date
    reason: str
    withdraw_by: date
    late: int


@dataclass(frozen=True)
class OwnRecord:
    """The handler's own record of the decision as it stands, in force or suspended."""

    public_id: str
    lifecycle: str
    under_objection: bool
    adverse: bool


@dataclass(frozen=True)
class PublicityDetails:
    """Something decided that is to be published."""

    kind: str
    title: str
    decision_number: str
    decided_on: date
    authority: str
    text: str
    text_digest: str
    subject_code: str
    subject_name: str
    seriousness: str
    valid_to: date | None
    # Grounds on which the rules propose not to publish; a person decides.
    proposed_exceptions: tuple[str, ...]
    findings: tuple[Found, ...]
    drafted_by: str
    secrecy_review: Review | None = None
    content_review: Review | None = None
    exception: Excepted | None = None
    period: Period | None = None
    published_on: date | None = None
    # Working days after the seventh; 0: in time, as far as the hub's own part goes.
    published_late: int = 0
    withdrawal: Withdrawal | None = None
    ended_reason: str | None = None
    # Records that were suspended with it, by uuid: they come back with it.
    suspended: tuple[str, ...] = ()
    # Records that ended with it for good, by uuid: no delivery brings them back.
    revoked: tuple[str, ...] = ()


def screened(text: str, today: date) -> tuple[str, tuple[Found, ...]]:
    """SM3 digest of a text and what blocks its publication (R7.3). Raises TextTooLong."""
    found = screen(text, today)
    return found.digest, tuple(Found(one.key, one.kind, one.sample) for one in found.findings)


def all_text(title: str, number: str, text: str) -> str:
    """What is screened: everything of the document that an officer wrote."""
    return f"{title}\n{number}\n{text}"
