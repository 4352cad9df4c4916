"""Measures of joint incentive and punishment: what may be effective, and from when to when it is applied. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hub.errors import RulesInvalid
from hub.rules.calendar import Calendar, Due
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from hub.rules.deadlines import due
from hub.rules.listing_rows import COLORS, LEVELS

KINDS = ("RIGHTS", "BENEFITS", "OTHER")
POLARITIES = ("PUNITIVE", "INCENTIVE")
EFFECTS = ("BLOCK", "RESTRICT", "SUPERVISE", "FAVOUR")
STATUSES = ("CURRENT", "NEEDS_BASIS_CHECK", "REPEALED")
# From a watch list follows more supervision, never a punishment.
_BY_WATCH = ("SUPERVISE", "FAVOUR")


@dataclass(frozen=True)
class CatalogueItem:
    """An item of the national list of measures, and the levels of basis that carry it."""

    code: str
    item: str
    kind: str
    zh: str
    levels: frozenset[str]
    term: Term


@dataclass(frozen=True)
class Measure:
    """A measure of the department's selection.

    The rows come unchecked: once a person has checked the basis, the case that says so replaces `status` by CURRENT
    and `checked_on` by the day (legalBasisCheckedOn).
    """

    code: str
    polarity: str
    zh: str
    effect: str
    # Code of the item in the national list (nationalCatalogCode); empty: none.
    catalogue: str
    legal_basis: str
    basis_level: str
    purposes: frozenset[str]
    matters: frozenset[str]
    colors: frozenset[str]
    status: str
    checked_on: date | None
    term: Term

    def covers(self, matter: str, purpose: str) -> bool:
        """Whether it is about this handling at all."""
        return matter in self.matters or purpose in self.purposes


@dataclass(frozen=True)
class Memorandum:
    """A memorandum of joint action between departments."""

    number: str
    polarity: str
    zh: str
    status: str
    term: Term


@dataclass(frozen=True)
class Application:
    """A measure applied to a subject (R9.1). `ends`: its last day. `color`: the list that it follows from."""

    measure: Measure
    initiator: str
    implementer: str
    begins: date
    ends: date | None
    basis: str
    color: str | None = None


@dataclass(frozen=True)
class Ended:
    """From which day a measure is not applied any more, and why: REPAIRED, EXITED or EXPIRED."""

    over_from: date
    cause: str


@dataclass(frozen=True)
class MeasureRules:
    """The dated rows of measures.toml."""

    catalogue: tuple[CatalogueItem, ...]
    measures: tuple[Measure, ...]
    memoranda: tuple[Memorandum, ...]

    def measure(self, code: str, day: date) -> Measure | None:
        """The row of the measure `code` that is in force on `day`; it may yet lack what makes it effective."""
        return in_force([row for row in self.measures if row.code == code], day)

    def problems(self, measure: Measure, day: date) -> tuple[str, ...]:
        """Why the measure is not effective on `day` (R9.1); empty: it is. Every problem is told.

        NOT_IN_FORCE, NO_CATALOGUE_CODE, UNKNOWN_CATALOGUE_CODE, NO_LEGAL_BASIS, MEMORANDUM_ONLY,
        BASIS_LEVEL_TOO_LOW, NEEDS_BASIS_CHECK, REPEALED. Incentives need no item of the national list.
        """
        found = [] if measure.term.covers(day) else ["NOT_IN_FORCE"]
        if not measure.legal_basis.strip():
            found.append("NO_LEGAL_BASIS")
        elif any(measure.legal_basis.strip() == one.number for one in self.memoranda):
            found.append("MEMORANDUM_ONLY")
        if measure.polarity != "INCENTIVE":
            found += self._catalogue_problems(measure, day)
        if measure.status == "REPEALED":
            found.append("REPEALED")
        elif measure.status != "CURRENT" or measure.checked_on is None or measure.checked_on > day:
            found.append("NEEDS_BASIS_CHECK")
        return tuple(found)

    def effective(self, measure: Measure, day: date) -> bool:
        """Whether the measure may be applied on `day` at all (R9.1)."""
        return not self.problems(measure, day)

    def application_problems(self, applied: Application) -> tuple[str, ...]:
        """Why the measure may not be applied so (R9.1): those of the measure, and NO_INITIATOR, NO_IMPLEMENTER,
        NO_BASIS, NO_END, ENDS_BEFORE_IT_BEGINS, LIST_DOES_NOT_CARRY_IT."""
        found = list(self.problems(applied.measure, applied.begins))
        for code, text in (
            ("NO_INITIATOR", applied.initiator),
            ("NO_IMPLEMENTER", applied.implementer),
            ("NO_BASIS", applied.basis),
        ):
            if not text.strip():
                found.append(code)
        if applied.ends is None:
            found.append("NO_END")
        elif applied.ends < applied.begins:
            found.append("ENDS_BEFORE_IT_BEGINS")
        if applied.color is not None and not _carried(applied.measure, applied.color):
            found.append("LIST_DOES_NOT_CARRY_IT")
        return tuple(found)

    def _catalogue_problems(self, measure: Measure, day: date) -> list[str]:
        if not measure.catalogue:
            return ["NO_CATALOGUE_CODE"]
        item = in_force([row for row in self.catalogue if row.code == measure.catalogue], day)
        if item is None:
            return ["UNKNOWN_CATALOGUE_CODE"]
        return [] if measure.basis_level in item.levels else ["BASIS_LEVEL_TOO_LOW"]


def ended(applied: Application, exited_on: date | None, repaired_on: date | None) -> Ended | None:
    """From when on the measure is over by itself (R9.1): at its end, at exit or at repair, whichever is first.

    None: nothing ends it, which no application without problems allows. The day of exit or repair is free of it.
    """
    days = []
    if repaired_on is not None:
        days.append(Ended(repaired_on, "REPAIRED"))
    if exited_on is not None:
        days.append(Ended(exited_on, "EXITED"))
    if applied.ends is not None:
        days.append(Ended(applied.ends + timedelta(days=1), "EXPIRED"))
    # Of several on one day, the first named.
    return min(days, key=lambda one: one.over_from, default=None)


def applies(applied: Application, exited_on: date | None, repaired_on: date | None, day: date) -> bool:
    """Whether the measure is applied on `day` (R9.1)."""
    over = ended(applied, exited_on, repaired_on)
    return over is not None and applied.begins <= day < over.over_from


def feedback_due(begins: date, calendar: Calendar) -> Due:
    """The last day on which the implementer says what it did; from the next day on it is reminded (R9.1)."""
    return due("measure.feedback", begins, calendar)


def load_measure_rules(text: str | None = None) -> MeasureRules:
    """The rows of measures.toml, or of `text`. Raises RulesInvalid, also for a code of no item of the catalogue."""
    file = RuleFile("measures.toml", text)
    rules = MeasureRules(
        file.rows("catalogue", _item), file.rows("measure", _measure), file.rows("memorandum", _memorandum)
    )
    file.done()
    disjoint(rules.catalogue, "measures.toml: catalogue", lambda row: row.code)
    disjoint(rules.measures, "measures.toml: measure", lambda row: row.code)
    disjoint(rules.memoranda, "measures.toml: memorandum", lambda row: row.number)
    known = {row.code for row in rules.catalogue}
    if unknown := {row.catalogue for row in rules.measures} - known - {""}:
        raise RulesInvalid(f"measures.toml: catalogue {min(unknown)} is unknown")
    return rules


def _carried(measure: Measure, color: str) -> bool:
    return color in measure.colors and (color != "WATCH" or measure.effect in _BY_WATCH)


def _item(row: Row) -> CatalogueItem:
    return CatalogueItem(
        row.text("code"),
        row.text("item"),
        row.choice("kind", KINDS),
        row.text("zh"),
        frozenset(row.texts("levels", LEVELS)),
        row.term(),
    )


def _measure(row: Row) -> Measure:
    return Measure(
        row.text("code"),
        row.choice("polarity", POLARITIES),
        row.text("zh"),
        row.choice("effect", EFFECTS),
        row.text("catalogue", ""),
        row.text("legal_basis", ""),
        row.text("basis_level", ""),
        frozenset(row.texts("purposes")),
        frozenset(row.texts("matters")),
        frozenset(row.texts("colors", COLORS)),
        _status(row),
        row.optional_day("checked_on"),
        row.term(),
    )


def _memorandum(row: Row) -> Memorandum:
    return Memorandum(
        row.text("number"), row.choice("polarity", POLARITIES), row.text("zh"), _status(row), row.term()
    )


def _status(row: Row) -> str:
    found = row.text("status", "NEEDS_BASIS_CHECK")
    if found not in STATUSES:
        raise RulesInvalid(f"{row.where}: status {found} is unknown")
    return found
