"""Dated rules of objections (异议处理, 5.10). Pure but for the reading of objections.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force, the_one


@dataclass(frozen=True)
class AgentLimit:
    """At most `most` objections by one agent in `days` days, today included."""

    term: Term
    days: int
    most: int


@dataclass(frozen=True)
class RuleSet:
    """The regulation that objections come under while it is in force."""

    term: Term
    id: str


@dataclass(frozen=True)
class ObjectionRules:
    """The rows of objections.toml."""

    rulesets: tuple[RuleSet, ...]
    agent_limits: tuple[AgentLimit, ...]


def _limit(row: Row) -> AgentLimit:
    return AgentLimit(row.term(), row.number("days"), row.number("most"))


def _ruleset(row: Row) -> RuleSet:
    return RuleSet(row.term(), row.text("id"))


@cache
def load_objection_rules() -> ObjectionRules:
    """The rows of objections.toml. Raises RulesInvalid."""
    file = RuleFile("objections.toml")
    found = ObjectionRules(file.rows("ruleset", _ruleset), file.rows("agent_limit", _limit))
    file.done()
    disjoint(found.rulesets, "objections.toml: ruleset")
    disjoint(found.agent_limits, "objections.toml: agent_limit")
    return found


def ruleset(day: date) -> str:
    """The regulation that an objection, and the notices that follow it, opened on `day` come under; NONE before it."""
    found = in_force(load_objection_rules().rulesets, day)
    return "NONE" if found is None else found.id


def agent_limit(day: date) -> AgentLimit:
    """The limit in force on `day`. Raises RulesInvalid when there is none."""
    return the_one(load_objection_rules().agent_limits, day, "objections.toml: agent_limit")
