"""Dated rows of what becomes a record in foreign trade and investment (article 十三). Pure but for the reading of foreign_trade.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force

_CLASSES = ("MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED")


@dataclass(frozen=True)
class Behaviour:
    """A behaviour by its code, and the class of the record that its finding makes."""

    term: Term
    code: str
    zh: str
    en: str
    seriousness: str


def _behaviour(row: Row) -> Behaviour:
    return Behaviour(
        row.term(), row.text("code"), row.text("zh"), row.text("en"), row.choice("seriousness", _CLASSES)
    )


@cache
def load_behaviours() -> tuple[Behaviour, ...]:
    """The rows of foreign_trade.toml. Raises RulesInvalid."""
    file = RuleFile("foreign_trade.toml")
    rows = file.rows("behaviour", _behaviour)
    file.done()
    disjoint(rows, "foreign_trade.toml: behaviour", lambda row: row.code)
    return rows


def behaviour(code: str, day: date) -> Behaviour | None:
    """The behaviour called `code` as of the day of the conduct; None: the law did not know it then."""
    return in_force((row for row in load_behaviours() if row.code == code), day)
