"""Matters, and what a check makes of facts, as dated data. Pure but for the reading of matters.toml and checks.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.errors import MatterUnknown
from hub.rights.matrix import CHECK_PURPOSES
from hub.rules.conclusion import Advice
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force, the_one
from hub.rules.eligibility import Policy
from hub.rules.listing_rows import COLORS
from hub.rules.tiering import AUTHORITIES
from hub.store.values import SERIOUSNESS


@dataclass(frozen=True)
class Matter:
    """A matter whose handling needs a check."""

    code: str
    name: str
    purpose: str
    required_sources: tuple[str, ...]
    green_channel: bool
    tolerance: bool
    # Working days after the day of the check.
    validity: int
    term: Term


@dataclass(frozen=True)
class CheckRules:
    """The rules of checks in force from a day on."""

    id: str
    policy: Policy
    advice: Advice
    term: Term


@cache
def load_matters(text: str | None = None) -> tuple[Matter, ...]:
    """The rows of matters.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("matters.toml", text)
    rows = file.rows("matter", _matter)
    file.done()
    disjoint(rows, "matters.toml", lambda row: row.code)
    return rows


@cache
def load_checks(text: str | None = None) -> tuple[tuple[CheckRules, ...], Mapping[str, str]]:
    """The rules of checks and the wording of each reason code, of checks.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("checks.toml", text)
    rows, texts = file.rows("eligibility", _check_rules), file.table("texts", Row.all_texts)
    file.done()
    disjoint(rows, "checks.toml: eligibility")
    return rows, texts


def check_texts() -> Mapping[str, str]:
    """Reason code → wording."""
    return load_checks()[1]


def matter_of(code: str | None, purpose: str, today: date) -> Matter:
    """The matter in force today. Raises MatterUnknown for another code, or one of another purpose."""
    found = in_force([row for row in load_matters() if row.code == code and row.purpose == purpose], today)
    if found is None:
        raise MatterUnknown
    return found


def check_rules(today: date) -> CheckRules:
    """The rules in force today. Raises RulesInvalid when there are none."""
    return the_one(load_checks()[0], today, "rules of checks")


def _matter(row: Row) -> Matter:
    return Matter(
        row.text("code"),
        row.text("name"),
        row.choice("purpose", CHECK_PURPOSES),
        row.texts("required_sources", AUTHORITIES),
        row.flag("green_channel"),
        row.flag("tolerance"),
        row.number("validity"),
        row.term(),
    )


def _check_rules(row: Row) -> CheckRules:
    adverse = set(SERIOUSNESS) - {"NOT_ADVERSE"}
    reasons = {*adverse, *COLORS, "BREACH"}
    return CheckRules(
        row.text("id"),
        Policy(
            row.number("years"),
            frozenset(row.texts("classes", adverse)),
            row.flag("watch_denies"),
            row.flag("young_denies"),
        ),
        Advice(frozenset(row.texts("strict", reasons)), frozenset(row.texts("remind", reasons))),
        row.term(),
    )
