"""What a credit check finds and keeps: its conclusion in words, eligibility, and the frozen evidence (R5.2-R5.5, R5.7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from hub.casework.checks.facts import EvidenceItem, Seen
from hub.casework.details import canonical
from hub.casework.work import Work
from hub.rules.conclusion import Conclusion, conclude
from hub.rules.eligibility import green_channel
from hub.rules.matters import Matter, check_rules, check_texts


@dataclass(frozen=True)
class Said:
    """A reason by code and in words."""

    code: str
    text: str


@dataclass(frozen=True)
class SourceSeen:
    """How a source stood when the check was run."""

    source: str
    status: str
    as_of: datetime | None
    required: bool


@dataclass(frozen=True)
class Evidence:
    """All that the check saw, for whom and when; its canonical form is digested (R5.2)."""

    subject: str
    purpose: str
    matter: str
    case_number: str
    checked_at: datetime
    items: tuple[EvidenceItem, ...]
    sources: tuple[SourceSeen, ...]
    # Digest of the view: the rights it was seen with.
    view: str
    policy_version: str

    @property
    def digest(self) -> str:
        """SM3 (GB/T 32905-2016) of the canonical JSON, hexadecimal."""
        return hashlib.new("sm3", canonical(asdict(self))).hexdigest()


@dataclass(frozen=True)
class EligibilitySaid:
    """Eligibility for the green channel as it stood at the check (R5.4)."""

    answer: str
    basis: str | None
    window_from: date
    window_to: date
    reasons: tuple[Said, ...]
    missing_sources: tuple[str, ...]


@dataclass(frozen=True)
class Feedback:
    """The official's decision, fed back."""

    decision: str
    decided_on: date
    document_number: str | None
    recorded_at: datetime


@dataclass(frozen=True)
class CheckDetails:
    """What a check found. Nothing but `feedback` ever changes (R5.2)."""

    subject_code: str
    subject_name: str
    purpose: str
    matter: str
    matter_name: str
    case_number: str
    conclusion: str
    reasons: tuple[Said, ...]
    reminders: tuple[Said, ...]
    eligibility: EligibilitySaid
    tolerance_admitted: bool
    valid_until: date
    evidence: Evidence
    evidence_digest: str
    feedback: Feedback | None = None


def details_of(work: Work, matter: Matter, seen: Seen) -> CheckDetails:
    """What the check of one subject finds, with its evidence frozen (R5.2)."""
    rules = check_rules(work.today)
    eligible = green_channel(seen.facts, rules.policy, work.today)
    found = conclude(
        seen.facts, eligible, seen.measures, seen.unfulfilled, rules.advice, matter.code, matter.purpose,
        matter.green_channel,
    )  # fmt: skip
    evidence = Evidence(
        subject=seen.code,
        purpose=matter.purpose,
        matter=matter.code,
        case_number=work.actor.case_number or "",
        checked_at=work.now,
        items=seen.items,
        sources=tuple(
            SourceSeen(name, status, one.as_of, name in matter.required_sources)
            for name, one in sorted(work.sources.items())
            # What the check does not rest on and its caller may not see is not told by its evidence either.
            if one.shown or name in matter.required_sources
            for status in ["PARTIAL" if one.status == "OK" and name in seen.doubted else one.status]
        ),
        view=work.view.digest,
        policy_version=f"{rules.id} {work.policy_version}",
    )
    words = _Words(seen)
    return CheckDetails(
        subject_code=seen.code,
        subject_name=seen.name,
        purpose=matter.purpose,
        matter=matter.code,
        matter_name=matter.name,
        case_number=work.actor.case_number or "",
        conclusion=found.value,
        reasons=words.of(found.reasons),
        reminders=words.of(_to_remind(found, seen)),
        eligibility=EligibilitySaid(
            answer=str(eligible.answer),
            basis=eligible.basis,
            window_from=eligible.window_from,
            window_to=eligible.window_to,
            reasons=words.of(eligible.reasons),
            missing_sources=eligible.missing_sources,
        ),
        tolerance_admitted=matter.tolerance,
        # R5.7: the end of the same working day, or of the n-th one after it.
        valid_until=work.calendar.due(work.today, matter.validity).on,
        evidence=evidence,
        evidence_digest=evidence.digest,
    )


def _to_remind(found: Conclusion, seen: Seen) -> tuple[tuple[str, str], ...]:
    """R5.5: what reminds is told whatever the conclusion is; breaches of commitments even where no rule names them."""
    breaches = [
        ("RECORD_BREACH", one.id) for one in seen.facts.adverse if one.breach and not one.under_objection
    ]
    return tuple(dict.fromkeys([*found.reminders, *breaches]))


class _Words:
    """Puts reasons into the wording of the rules, about one subject."""

    def __init__(self, seen: Seen) -> None:
        self._items = {item.id: item for item in seen.items}
        self._measures = {measure.id: measure for measure in seen.measures}

    def of(self, reasons: Sequence[tuple[str, str]]) -> tuple[Said, ...]:
        return tuple(Said(code, self._text(code, of)) for code, of in reasons)

    def _text(self, code: str, of: str) -> str:
        item = self._items.get(of)
        told = {"id": of, "title": "", "document_number": "无文号", "dated": "日期不明", "number": ""}
        if item is not None:
            known = {
                "title": item.title,
                "document_number": item.document_number,
                "number": item.document_number,
                "dated": item.dated,
            }
            told |= {name: str(value) for name, value in known.items() if value is not None}
        if of in self._measures:
            # What it rests on: a handling is refused by the law that orders the measure, not by the hub (49号).
            measure = self._measures[of]
            told |= {"basis": measure.legal_basis, "catalogue": measure.catalogue_code}
        return check_texts()[code].format_map(told)
