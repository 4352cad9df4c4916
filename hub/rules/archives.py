"""Credit archives by type (R14.1, R14.3): the class and origin that their rows must have, and their update clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force
from schema.governance import DATA_CLASSES

ORIGINS = ("PUBLIC_CREDIT", "MARKET_CREDIT")
# A worker's archive is asked live with the worker's authorisation, and never kept (R12.1).
NEVER_STORED = frozenset({"D29"})


@dataclass(frozen=True)
class ArchiveRule:
    """What holds for archives of one type during `term`. `cycle_days` None: renewed when something happens."""

    type: str
    data_class: str
    origin_class: str
    cycle_days: int | None
    term: Term


@dataclass(frozen=True)
class SummaryRule:
    """What a review summary must cover at least, so that it tells of nobody (R11.1)."""

    fewest_reviews: int
    fewest_days: int
    term: Term


@dataclass(frozen=True)
class Archives:
    """The rows of archives.toml."""

    types: tuple[ArchiveRule, ...]
    summaries: tuple[SummaryRule, ...]


@cache
def load_archive_rules(text: str | None = None) -> Archives:
    """The rows of archives.toml, or of `text` in its place. Raises RulesInvalid."""
    file = RuleFile("archives.toml", text)
    found = Archives(file.rows("archive", _rule), file.rows("summary", _summary))
    file.done()
    disjoint(found.types, "archives", lambda row: row.type)
    disjoint(found.summaries, "summaries")
    return found


def rule_of(archive_type: str, day: date) -> ArchiveRule | None:
    """The rule of a type in force on `day`; None where there is none, whether the type has others (`is_ruled`) or not."""
    return in_force([row for row in load_archive_rules().types if row.type == archive_type], day)


def is_ruled(archive_type: str) -> bool:
    """Whether any row is about a type: then its archives are kept only while one is in force."""
    return any(row.type == archive_type for row in load_archive_rules().types)


def _rule(row: Row) -> ArchiveRule:
    cycle = row.months("cycle_days")
    return ArchiveRule(
        type=row.text("type"),
        data_class=row.choice("data_class", set(DATA_CLASSES) - NEVER_STORED),
        origin_class=row.choice("origin_class", ORIGINS),
        cycle_days=cycle or None,
        term=row.term(),
    )


def _summary(row: Row) -> SummaryRule:
    return SummaryRule(row.number("fewest_reviews"), row.number("fewest_days"), row.term())
