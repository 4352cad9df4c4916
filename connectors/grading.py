"""Which level or grade a word of an agency is: by the rule set of the day on which it was given (grading.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise

from connectors.contract import RowRejected

_KEYS = {"source", "id", "valid_from", "valid_to", "levels", "source_doc", "confirmed_by"}


@dataclass(frozen=True)
class RuleSet:
    """The levels that an agency gave between two days, inclusive, by their words then; `valid_to` None: to this day."""

    source: str
    id: str
    valid_from: date
    valid_to: date | None
    levels: Mapping[str, str]


@cache
def load_rule_sets(text: str | None = None) -> tuple[RuleSet, ...]:
    """The rows of grading.toml, or of `text`. Raises ValueError: one is not whole, or two of a source hold on one day."""
    if text is None:
        text = files("connectors").joinpath("grading.toml").read_text(encoding="utf-8")
    found = []
    for number, row in enumerate(tomllib.loads(text)["ruleset"], 1):
        if {*row, "valid_to"} != _KEYS or not (row["levels"] and row["source_doc"]):
            raise ValueError(f"grading.toml: ruleset {number} is not whole")
        begun, ended = row["valid_from"], row.get("valid_to")
        if type(begun) is not date or (ended is not None and (type(ended) is not date or ended < begun)):
            raise ValueError(f"grading.toml: ruleset {number} begins or ends on no day")
        found.append(RuleSet(row["source"], row["id"], begun, ended, row["levels"]))
    for before, after in pairwise(sorted(found, key=lambda one: (one.source, one.valid_from))):
        if before.source == after.source and (before.valid_to is None or after.valid_from <= before.valid_to):
            raise ValueError(f"grading.toml: {before.id} and {after.id} hold on one day")
    return tuple(found)


def level(source: str, word: str, given_on: date) -> tuple[str, str]:
    """The code of a level and its rule set. Raises RowRejected when that set does not know the level, or there is none."""
    for rules in load_rule_sets():
        begun = rules.source == source and rules.valid_from <= given_on
        if begun and (rules.valid_to is None or given_on <= rules.valid_to):
            if word in rules.levels:
                return rules.levels[word], rules.id
            raise RowRejected("UNKNOWN_LEVEL", f"{rules.id} has no such level")
    raise RowRejected("NO_RULE_SET", "no rule set was in force on the day on which it was given")


# A file that is not whole stops the start, not each row.
load_rule_sets()
