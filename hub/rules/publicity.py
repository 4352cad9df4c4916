"""How long a record may be published, shared and used, and how grave a penalty is: dated rules."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

# Order of gravity. What nobody has classified weighs more than a warning: it may be anything.
_GRAVITY = ("MINOR", "GENERAL", "UNCLASSIFIED", "SERIOUS")


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
        found = [self._class_of(kind) for kind in kinds]
        classes = ["UNCLASSIFIED" if row is None else row.seriousness for row in found] or ["UNCLASSIFIED"]
        gravest = max(classes, key=_GRAVITY.index)
        flags = ["SERIOUSNESS_UNCLASSIFIED"] if gravest == "UNCLASSIFIED" else []
        if any(row is not None and row.uncertain and row.seriousness == gravest for row in found):
            flags.append("SERIOUSNESS_UNCERTAIN")
        return gravest, tuple(flags)

    def _class_of(self, kind: str) -> PenaltyClass | None:
        return next((row for row in self.classes if kind.startswith(row.kind)), None)


def add_months(day: date, months: int) -> date:
    """The corresponding day `months` later, or that month's last day (Civil Code art. 201-202).

    The first day is not counted, so this is the last day of the period: 2026-11-30 + 3 gives 2027-02-28.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@cache
def load_publicity_rules(text: str | None = None) -> PublicityRules:
    """The rules in `text`, by default those of the package (rulesets.toml)."""
    if text is None:
        text = files("hub.rules").joinpath("rulesets.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    if document["transition"]["choice"] != "lenient":
        raise ValueError("rulesets.toml: transition.choice: only 'lenient' is known")
    rulesets = tuple(
        RuleSet(row["id"], row["valid_from"], row.get("valid_to"), dict(row["max_months"]), row["source_doc"])
        for row in document["ruleset"]
    )
    classes = sorted(
        (
            PenaltyClass(row["kind"], row["seriousness"], row.get("uncertain", False), row["source_doc"])
            for row in document["class"]
        ),
        key=lambda row: -len(row.kind),
    )
    return PublicityRules(
        rulesets, tuple(classes), document["unclassified"]["treated_as"], document["ceiling"]["months"]
    )
