"""Eligibility for the green channel (R5.4), three-valued: NO and YES are said only of what is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Answer(StrEnum):
    """A three-valued answer."""

    YES = "YES"
    NO = "NO"
    INDETERMINATE = "INDETERMINATE"


@dataclass(frozen=True)
class Adverse:
    """A usable adverse record: one that is in publicity, not repaired, not expired."""

    id: str
    # GENERAL, SERIOUS, MINOR or UNCLASSIFIED.
    seriousness: str
    decided_on: date
    under_objection: bool = False
    # An established breach of a commitment (R6.4) counts whatever its class.
    breach: bool = False


@dataclass(frozen=True)
class Listing:
    """An entry in force of a list with legal basis, not suspended."""

    id: str
    # RED, WATCH or BLACK.
    color: str
    under_objection: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of a subject, by a caller with given rights."""

    established_on: date | None
    adverse: tuple[Adverse, ...] = ()
    listings: tuple[Listing, ...] = ()
    # Required sources that could not vouch for a “no”.
    missing_sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """The parts of the rule that are data: see checks.toml."""

    years: int
    # Classes of records that break the clean years.
    classes: frozenset[str]
    # A watch-list entry denies the basis of clean years.
    watch_denies: bool
    # A subject younger than the window is not eligible, rather than clean since it was founded.
    young_denies: bool


@dataclass(frozen=True)
class Eligibility:
    """The answer, why, and over which time; YES means “may”: the matter and the official decide."""

    answer: Answer
    basis: str | None
    # Reason codes, of each the id of what it rests on, or the source that is missing.
    reasons: tuple[tuple[str, str], ...]
    # The window is (window_from, window_to]: its first day does not count.
    window_from: date
    window_to: date
    missing_sources: tuple[str, ...] = ()


def years_before(day: date, years: int) -> date:
    """The same day `years` earlier; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def green_channel(facts: Facts, policy: Policy, as_of: date) -> Eligibility:
    """Whether the green channel may be used on `as_of` (R5.4).

    In this order: a serious list denies; a missing source leaves it open; an honest model may; adverse records of
    the window deny, as a watch list may; unclassified ones and an unknown founding day leave it open. What is under
    objection denies nothing and leaves it open, a serious list to an honest model too.
    """
    start = years_before(as_of, policy.years)

    def told(answer: Answer, reasons: list[tuple[str, str]], basis: str | None = None) -> Eligibility:
        return Eligibility(answer, basis, tuple(reasons), start, as_of, facts.missing_sources)

    def listed(color: str, disputed: bool = False) -> list[str]:
        return [one.id for one in facts.listings if one.color == color and one.under_objection is disputed]

    if black := listed("BLACK"):
        return told(Answer.NO, [("SERIOUS_LIST", one) for one in black])
    if facts.missing_sources:
        return told(Answer.INDETERMINATE, [("SOURCE_MISSING", one) for one in facts.missing_sources])
    disputed = [("UNDER_OBJECTION", one) for one in listed("BLACK", disputed=True)]
    red = [*listed("RED"), *listed("RED", disputed=True)]
    if red and disputed:
        return told(Answer.INDETERMINATE, disputed)
    if red:
        return told(Answer.YES, [("HONEST_MODEL", one) for one in red], "HONEST_MODEL")
    within = [one for one in facts.adverse if start < one.decided_on <= as_of]
    bad = [one for one in within if one.breach or one.seriousness in policy.classes]
    certain = [("ADVERSE_RECORD", one.id) for one in bad if not one.under_objection]
    if policy.watch_denies:
        certain += [("WATCH_LIST", one) for one in listed("WATCH")]
    if certain:
        return told(Answer.NO, certain)
    open_ = disputed + [("UNDER_OBJECTION", one.id) for one in bad]
    if policy.watch_denies:
        open_ += [("UNDER_OBJECTION", one) for one in listed("WATCH", disputed=True)]
    open_ += [
        ("UNCLASSIFIED_RECORD", one.id)
        for one in within
        if one.seriousness == "UNCLASSIFIED" and one not in bad
    ]
    if open_:
        return told(Answer.INDETERMINATE, open_)
    if facts.established_on is None:
        return told(Answer.INDETERMINATE, [("FOUNDING_DAY_UNKNOWN", "")])
    if facts.established_on > start and policy.young_denies:
        return told(Answer.NO, [("YOUNGER_THAN_WINDOW", "")])
    return told(Answer.YES, [("THREE_YEARS_CLEAN", "")], "THREE_YEARS_CLEAN")
