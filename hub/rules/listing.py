"""Red, watch and black lists: what a list rests on, what a place on it needs, and what ends it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import RuleFile, disjoint, in_force, the_one
from hub.rules.listing_rows import (
    DurationRow,
    GroundRow,
    LevelRow,
    RedRow,
    TwoDocumentsRow,
    read_duration,
    read_ground,
    read_level,
    read_red,
    read_two_documents,
)
from hub.rules.publicity import add_months


@dataclass(frozen=True)
class ListRules:
    """The dated rows of listing.toml."""

    levels: tuple[LevelRow, ...]
    durations: tuple[DurationRow, ...]
    grounds: tuple[GroundRow, ...]
    two_documents: tuple[TwoDocumentsRow, ...]
    red: tuple[RedRow, ...]

    def carries(self, color: str, basis_level: str, day: date) -> bool:
        """Whether a legal basis of this level carries a list of the colour on `day` (R8.1)."""
        row = in_force([one for one in self.levels if one.color == color], day)
        return row is not None and basis_level in row.levels

    def is_ground(self, ground: str | None, day: date) -> bool:
        """Whether somebody may be put on a black list for `ground` on `day`."""
        return in_force([row for row in self.grounds if row.code == ground], day) is not None

    def ends_on(self, color: str, max_months: int | None, listed_on: date) -> date:
        """The last day on a list: by its definition (`max_months`), never past the longest of the law of the day (R8.1).

        A place older than the first row of its colour falls under that row, as old records do under the first rule
        set: what was listed before there was a limit does not stand for ever. Raises RulesInvalid: no row holds.
        """
        rows = [row for row in self.durations if row.color == color]
        day = max([listed_on, *sorted(row.term.valid_from for row in rows)[:1]])
        cap = the_one(rows, day, f"duration of {color} lists").max_months
        return add_months(listed_on, cap if max_months is None else min(cap, max_months))

    def red_rule(self, day: date) -> RedRow:
        """What a red list asks of who is on it on `day` (R8.3). Raises RulesInvalid: no row is in force."""
        return the_one(self.red, day, "red lists")

    def goes_with_repair_notice(self, color: str, day: date) -> bool:
        """Whether the decision goes out together with the notice on repair (两书同达, R8.2)."""
        row = in_force(self.two_documents, day)
        return row is not None and color in row.colors


@cache
def load_list_rules(text: str | None = None) -> ListRules:
    """The rows of listing.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("listing.toml", text)
    rules = ListRules(
        file.rows("level", read_level),
        file.rows("duration", read_duration),
        file.rows("ground", read_ground),
        file.rows("two_documents", read_two_documents),
        file.rows("red", read_red),
    )
    file.done()
    disjoint(rules.levels, "listing.toml: level", lambda row: row.color)
    disjoint(rules.durations, "listing.toml: duration", lambda row: row.color)
    disjoint(rules.grounds, "listing.toml: ground", lambda row: row.code)
    disjoint(rules.two_documents, "listing.toml: two_documents")
    disjoint(rules.red, "listing.toml: red")
    return rules
