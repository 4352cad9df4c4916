"""Matters, and what a check makes of facts, as dated data. Pure but for the reading of matters.toml and checks.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from hub.errors import MatterUnknown, RulesInvalid
from hub.rules.conclusion import Advice
from hub.rules.eligibility import Policy


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
    valid_from: date
    valid_to: date | None
    source_doc: str
    confirmed_by: str


@dataclass(frozen=True)
class CheckRules:
    """The rules of checks in force from a day on."""

    id: str
    valid_from: date
    valid_to: date | None
    policy: Policy
    advice: Advice
    source_doc: str
    confirmed_by: str


@cache
def load_matters() -> tuple[Matter, ...]:
    """The matters that come with the hub."""
    return tuple(
        Matter(
            row["code"], row["name"], row["purpose"], tuple(row["required_sources"]), row["green_channel"],
            row["tolerance"], row["validity"], row["valid_from"], row.get("valid_to"), row["source_doc"],
            row["confirmed_by"],
        )
        for row in _read("matters.toml")["matter"]
    )  # fmt: skip


@cache
def load_check_rules() -> tuple[CheckRules, ...]:
    """The rules of checks that come with the hub."""
    return tuple(
        CheckRules(
            row["id"],
            row["valid_from"],
            row.get("valid_to"),
            Policy(row["years"], frozenset(row["classes"]), row["watch_denies"], row["young_denies"]),
            Advice(frozenset(row["strict"]), frozenset(row["remind"])),
            row["source_doc"],
            row["confirmed_by"],
        )
        for row in _read("checks.toml")["eligibility"]
    )


@cache
def check_texts() -> Mapping[str, str]:
    """Reason code → wording."""
    texts: Mapping[str, str] = _read("checks.toml")["texts"]
    return texts


def matter_of(code: str | None, purpose: str, today: date) -> Matter:
    """The matter in force today. Raises MatterUnknown for another code, or one of another purpose."""
    for row in load_matters():
        if row.code == code and row.purpose == purpose and _in_force(row.valid_from, row.valid_to, today):
            return row
    raise MatterUnknown


def check_rules(today: date) -> CheckRules:
    """The rules in force today. Raises RulesInvalid when there are none."""
    for row in load_check_rules():
        if _in_force(row.valid_from, row.valid_to, today):
            return row
    raise RulesInvalid(f"checks: no rules are in force on {today}")


def _in_force(valid_from: date, valid_to: date | None, today: date) -> bool:
    return valid_from <= today and (valid_to is None or today <= valid_to)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("hub.rules").joinpath(name).read_text(encoding="utf-8"))
