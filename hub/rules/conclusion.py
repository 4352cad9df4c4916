"""The conclusion of a credit check (R5.3): advice from facts, measures and eligibility; the official decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hub.rules.eligibility import Adverse, Answer, Eligibility, Facts

# Where several measures cover a matter, the gravest is told.
EFFECTS = ("BLOCK", "RESTRICT")


@dataclass(frozen=True)
class Measure:
    """A punitive measure against a subject, as its case says it."""

    id: str
    # BLOCK or RESTRICT; others (key supervision) are no conclusion.
    effect: str
    in_effect: bool
    # Item of the national list of measures, and the law that orders it: without both it is never applied (49号).
    catalogue_code: str
    legal_basis: str
    # Matter codes and purposes that it covers.
    matters: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()

    def covers(self, matter: str, purpose: str) -> bool:
        """Whether it may be applied to this handling."""
        whole = self.in_effect and self.effect in EFFECTS and self.catalogue_code and self.legal_basis
        return bool(whole) and (matter in self.matters or purpose in self.purposes)


@dataclass(frozen=True)
class Unfulfilled:
    """A commitment that was not fulfilled, so far as it is established or its day has passed (R5.5)."""

    id: str
    number: str


@dataclass(frozen=True)
class Advice:
    """What facts call for: see checks.toml."""

    # Colours of lists and classes of records for which a handling is reviewed strictly.
    strict: frozenset[str]
    # … and for which the official is reminded.
    remind: frozenset[str]


@dataclass(frozen=True)
class Conclusion:
    """The conclusion, and what it rests on: (reason code, id). `reminders`: what the official is told beside it."""

    value: str
    reasons: tuple[tuple[str, str], ...]
    reminders: tuple[tuple[str, str], ...] = ()


def conclude(
    facts: Facts,
    eligibility: Eligibility,
    measures: tuple[Measure, ...],
    unfulfilled: tuple[Unfulfilled, ...],
    advice: Advice,
    matter: str,
    purpose: str,
    green_channel: bool,
) -> Conclusion:
    """The conclusion for one subject. `green_channel`: whether the matter admits it at all (R5.4: 可).

    BLOCK and RESTRICT follow from measures alone, never from lists or records by themselves. What reminds is told
    beside a graver conclusion too: who reviews strictly for one reason must know of a serious list as well.
    """
    # Under objection nothing calls for anything until that is decided (5.10); that one is on a list is told all the same.
    undisputed = [one for one in facts.listings if not one.under_objection]
    remind = [(f"LIST_{one.color}", one.id) for one in undisputed if one.color in advice.remind]
    remind += [(_class(one), one.id) for one in facts.adverse if _counts(one, advice.remind)]
    remind += [("COMMITMENT_UNFULFILLED", one.id) for one in unfulfilled]
    listed = [(f"LIST_{one.color}", one.id) for one in facts.listings if one.color in advice.remind]
    reminders = tuple(dict.fromkeys([*listed, *remind]))
    for effect in EFFECTS:
        found = [one.id for one in measures if one.effect == effect and one.covers(matter, purpose)]
        if found:
            return Conclusion(effect, tuple(("MEASURE", one) for one in found), reminders)
    reasons = [(f"LIST_{one.color}", one.id) for one in undisputed if one.color in advice.strict]
    reasons += [(_class(one), one.id) for one in facts.adverse if _counts(one, advice.strict)]
    if reasons:
        return Conclusion("STRICT_REVIEW", tuple(reasons), reminders)
    if remind:
        return Conclusion("REMIND", tuple(remind), reminders)
    if eligibility.missing_sources:
        return Conclusion("INDETERMINATE", eligibility.reasons, reminders)
    if any(code == "UNDER_OBJECTION" for code, _ in eligibility.reasons):
        return Conclusion("INDETERMINATE", eligibility.reasons, reminders)
    if eligibility.answer is Answer.YES and green_channel:
        return Conclusion("GREEN_CHANNEL", eligibility.reasons)
    if eligibility.answer is Answer.YES:
        return Conclusion("NORMAL", (("GREEN_CHANNEL_NOT_ADMITTED", ""),))
    return Conclusion("NORMAL", eligibility.reasons)


def _counts(one: Adverse, classes: frozenset[str]) -> bool:
    """Whether a record calls for something."""
    if one.under_objection:
        return False
    return one.seriousness in classes or (one.breach and "BREACH" in classes)


def _class(one: Adverse) -> str:
    return "RECORD_BREACH" if one.breach else f"RECORD_{one.seriousness}"
