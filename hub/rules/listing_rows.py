"""The rows of listing.toml: levels of basis, durations, grounds, papers that go out together, the red side."""

from __future__ import annotations

from dataclasses import dataclass

from hub.rules.dated import Row, Term
from hub.rules.tiering import AUTHORITIES

COLORS = ("RED", "WATCH", "BLACK")
LEVELS = ("LAW", "REGULATION", "STATE_COUNCIL", "LOCAL_REGULATION", "RULE", "POLICY")
_CLASSES = ("MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED")


@dataclass(frozen=True)
class LevelRow:
    """The levels of legal basis that carry a list of a colour."""

    color: str
    levels: frozenset[str]
    term: Term


@dataclass(frozen=True)
class DurationRow:
    """Months on a list of a colour, at least and at most."""

    color: str
    min_months: int
    max_months: int
    term: Term


@dataclass(frozen=True)
class GroundRow:
    """A ground on which somebody may be put on a black list."""

    code: str
    zh: str
    term: Term


@dataclass(frozen=True)
class TwoDocumentsRow:
    """Colours whose decision goes out together with the notice on repair."""

    colors: frozenset[str]
    term: Term


@dataclass(frozen=True)
class RedRow:
    """What a red list asks of who is on it."""

    clean_months: int
    classes: frozenset[str]
    suspends: frozenset[str]
    # Types of records that bar a nomination for as long as their source lets them stand, whatever their class.
    standing: frozenset[str]
    # Without any of these it is not said that nothing stands against it.
    sources: frozenset[str]
    term: Term


def read_level(row: Row) -> LevelRow:
    """A row of `level`. Raises RulesInvalid."""
    return LevelRow(row.choice("color", COLORS), frozenset(row.texts("levels", LEVELS)), row.term())


def read_duration(row: Row) -> DurationRow:
    """A row of `duration`. Raises RulesInvalid."""
    return DurationRow(
        row.choice("color", COLORS), row.number("min_months"), row.number("max_months"), row.term()
    )


def read_red(row: Row) -> RedRow:
    """A row of `red`. Raises RulesInvalid."""
    return RedRow(
        row.number("clean_months"),
        frozenset(row.texts("classes", _CLASSES)),
        frozenset(row.texts("suspends", _CLASSES)),
        frozenset(row.texts("standing")),
        frozenset(row.texts("sources", AUTHORITIES)),
        row.term(),
    )


def read_ground(row: Row) -> GroundRow:
    """A row of `ground`. Raises RulesInvalid."""
    return GroundRow(row.text("code"), row.text("zh"), row.term())


def read_two_documents(row: Row) -> TwoDocumentsRow:
    """A row of `two_documents`. Raises RulesInvalid."""
    return TwoDocumentsRow(frozenset(row.texts("colors", COLORS)), row.term())
