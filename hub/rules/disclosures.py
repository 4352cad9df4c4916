"""Whose penalties may be exposed as typical cases (R10.4): dated rows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force


@dataclass(frozen=True)
class Field:
    """The sources whose records are of the departments' own field."""

    sources: frozenset[str]
    term: Term


@dataclass(frozen=True)
class DisclosureRules:
    """The rows of disclosures.toml."""

    fields: tuple[Field, ...]

    def own(self, source: str, day: date) -> bool:
        """Whether a penalty of `source` may be exposed on `day`; without a row none may."""
        row = in_force(self.fields, day)
        return row is not None and source in row.sources


@cache
def load_disclosure_rules(text: str | None = None) -> DisclosureRules:
    """The rows of disclosures.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("disclosures.toml", text)
    rules = DisclosureRules(file.rows("field", _field))
    file.done()
    disjoint(rules.fields, "disclosures.toml")
    return rules


def _field(row: Row) -> Field:
    return Field(frozenset(row.texts("sources")), row.term())
