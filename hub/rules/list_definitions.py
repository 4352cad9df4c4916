"""Definitions of red, watch and black lists as TOML: what lists.toml says, and what a department adds (R8.1). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, the_one
from hub.rules.listing import ListRules
from hub.rules.listing_rows import COLORS, LEVELS

_CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")


@dataclass(frozen=True)
class ListDefinition:
    """A list: whose it is, on what it rests, what puts a subject on it and what follows, for how many months."""

    code: str
    name: str
    color: str
    recognizer_name: str
    legal_basis: str
    basis_level: str
    min_publicity_months: int | None
    max_publicity_months: int
    effective_from: date
    effective_to: date | None
    criteria: str
    measures: str


def load_list_definitions(text: str | None = None, name: str = "lists.toml") -> tuple[ListDefinition, ...]:
    """The definitions of lists.toml, or of `text`, a file called `name`. Raises RulesInvalid: one is not whole."""
    file = RuleFile(name, text)
    found = file.rows("list", _definition)
    file.done()
    codes = [one.code for one in found]
    for code in codes:
        if codes.count(code) > 1:
            raise RulesInvalid(f"{name}: list {code} is defined twice")
    return found


def against_the_law(definition: ListDefinition, rules: ListRules, today: date) -> str | None:
    """Why the law does not carry such a list, None when it does: of today, or of its first day if that is to come."""
    day = max(definition.effective_from, today)
    if definition.effective_to is not None and definition.effective_to < day:
        # It has ended: it is kept for what stood on it.
        return None
    color, longest = definition.color, definition.max_publicity_months
    if not rules.carries(color, definition.basis_level, day):
        return f"a {color} list cannot rest on a basis of level {definition.basis_level}"
    bounds = the_one(
        [row for row in rules.durations if row.color == color], day, f"duration of {color} lists"
    )
    if not bounds.min_months <= longest <= bounds.max_months:
        return f"max_publicity_months {longest} is not within {bounds.min_months} to {bounds.max_months}"
    least = definition.min_publicity_months
    if least is not None and least < bounds.min_months:
        # It goes before the general minimum of a repair, so it may not be less than the law's.
        return f"min_publicity_months {least} is less than {bounds.min_months}"
    return None


def _definition(row: Row) -> ListDefinition:
    found = ListDefinition(
        code=row.text("code"),
        name=row.text("name"),
        color=row.choice("color", COLORS),
        recognizer_name=row.text("recognizer_name"),
        legal_basis=row.text("legal_basis"),
        basis_level=row.choice("basis_level", LEVELS),
        min_publicity_months=row.months("min_publicity_months"),
        max_publicity_months=row.number("max_publicity_months"),
        effective_from=row.day("effective_from"),
        effective_to=row.optional_day("effective_to"),
        criteria=row.text("criteria"),
        measures=row.text("measures"),
    )
    if _CODE.fullmatch(found.code) is None or len(found.code) > 32:
        raise RulesInvalid(f"{row.where}: code is no code of capital letters, digits and hyphens")
    for key in ("name", "recognizer_name", "legal_basis", "criteria", "measures"):
        if not getattr(found, key).strip():
            raise RulesInvalid(f"{row.where}: {key} is empty")
    if found.min_publicity_months is not None and found.min_publicity_months > found.max_publicity_months:
        raise RulesInvalid(f"{row.where}: min_publicity_months is more than max_publicity_months")
    if found.effective_to is not None and found.effective_to < found.effective_from:
        raise RulesInvalid(f"{row.where}: ends before it begins")
    return found
