"""How long a record may be published, shared and used, and how grave a penalty is: dated rules."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TypeVar

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile

T = TypeVar("T")
# Order of gravity. What nobody has classified weighs more than a warning: it may be anything.
_GRAVITY = ("MINOR", "GENERAL", "UNCLASSIFIED", "SERIOUS")
# Classes that have a period of their own.
_PERIODS = ("MINOR", "GENERAL", "SERIOUS")


@dataclass(frozen=True)
class RuleSet:
    """The publicity periods of one order: months from the decision by class, and the days it is in force."""

    id: str
    valid_from: date
    valid_to: date | None
    max_months: Mapping[str, int]
    source_doc: str


@dataclass(frozen=True)
class PenaltyClass:
    """The class of penalties whose kind begins with `kind`; `uncertain` ones are flagged for a person."""

    kind: str
    seriousness: str
    uncertain: bool
    source_doc: str


@dataclass(frozen=True)
class PublicityRules:
    """All rules on the life of adverse records. `load_publicity_rules` reads those of this hub."""

    rulesets: tuple[RuleSet, ...]
    # Longest first, so that a more particular kind decides before the one it begins with.
    classes: tuple[PenaltyClass, ...]
    treated_as: str
    ceiling_months: int

    def usable_until(
        self, decided_on: date, seriousness: str, conduct_ended_on: date | None = None
    ) -> date | None:
        """The last day on which a record of this class may be used; None without end (NOT_ADVERSE).

        Counted from the decision, whose day is not counted; of all rule sets in force then or later, the
        earliest end (the transition most lenient to the subject); never past the ceiling. A record decided
        before the first rule set falls under those that came later. `conduct_ended_on`: where it is known.
        """
        if seriousness == "NOT_ADVERSE":
            return None
        key = self.treated_as if seriousness == "UNCLASSIFIED" else seriousness
        ends = [
            add_months(decided_on, rules.max_months[key])
            for rules in self.rulesets
            if rules.valid_to is None or rules.valid_to >= decided_on
        ]
        return min([*ends, self.ceiling(conduct_ended_on or decided_on)])

    def ceiling(self, conduct_ended_on: date) -> date:
        """The last day on which anything adverse may be used of a conduct that ended then (征信业条例 art. 16)."""
        return add_months(conduct_ended_on, self.ceiling_months)

    def classify(self, kinds: Sequence[str], simple_procedure: bool | None) -> tuple[str, tuple[str, ...]]:
        """The class of a penalty of these kinds (处罚类别), and flags on what a person should look at.

        Simple procedure is MINOR (Order 36). Otherwise the gravest kind decides; a kind without a row leaves
        the penalty UNCLASSIFIED unless another one is SERIOUS.
        """
        if simple_procedure:
            return "MINOR", ()
        found = [row for kind in kinds for row in self._classes_of(kind)]
        classes = ["UNCLASSIFIED" if row is None else row.seriousness for row in found] or ["UNCLASSIFIED"]
        gravest = max(classes, key=_GRAVITY.index)
        flags = ["SERIOUSNESS_UNCLASSIFIED"] if gravest == "UNCLASSIFIED" else []
        if any(row is not None and row.uncertain and row.seriousness == gravest for row in found):
            flags.append("SERIOUSNESS_UNCERTAIN")
        return gravest, tuple(flags)

    def _classes_of(self, kind: str) -> list[PenaltyClass | None]:
        """The rows of what `kind` says: 警告并处罚款 is of two. What begins with none is free words, as 其他(…)."""
        if not any(kind.startswith(row.kind) for row in self.classes):
            return [None]
        return [row for row in self.classes if row.kind in kind]


def add_months(day: date, months: int) -> date:
    """The corresponding day `months` later, or that month's last day (Civil Code art. 201-202).

    The first day is not counted, so this is the last day of the period: 2026-11-30 + 3 gives 2027-02-28.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@cache
def load_publicity_rules(text: str | None = None) -> PublicityRules:
    """The rules of rulesets.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("rulesets.toml", text)
    # "lenient" is all that `usable_until` knows.
    file.table("transition", lambda row: _undated(row, row.choice("choice", ("lenient",))))
    rulesets, classes = file.rows("ruleset", _ruleset), file.rows("class", _penalty_class)
    treated_as = file.table("unclassified", lambda row: _undated(row, row.choice("treated_as", _PERIODS)))
    ceiling = file.table("ceiling", lambda row: _undated(row, row.number("months")))
    file.done()
    for kind, named in (("ruleset", [row.id for row in rulesets]), ("class", [row.kind for row in classes])):
        if len(set(named)) < len(named):
            raise RulesInvalid(f"rulesets.toml: {kind}: one is said twice")
    return PublicityRules(
        rulesets, tuple(sorted(classes, key=lambda row: -len(row.kind))), treated_as, ceiling
    )


def _ruleset(row: Row) -> RuleSet:
    months, term = row.numbers("max_months"), row.term()
    if set(months) != set(_PERIODS):
        raise RulesInvalid(f"{row.where}: max_months does not name exactly {', '.join(_PERIODS)}")
    return RuleSet(row.text("id"), term.valid_from, term.valid_to, months, term.source_doc)


def _penalty_class(row: Row) -> PenaltyClass:
    return PenaltyClass(
        row.text("kind"),
        row.choice("seriousness", _GRAVITY),
        row.flag("uncertain", False),
        row.text("source_doc"),
    )


def _undated(row: Row, value: T) -> T:
    """`value`, of a row that is in force always."""
    row.text("source_doc")
    row.text("confirmed_by", "")
    return value
