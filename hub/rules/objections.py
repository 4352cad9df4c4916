"""Dated rules of objections (异议处理, 5.10). Pure but for the reading of objections.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from hub.rules.dated import Row, RuleFile, Term, disjoint, the_one


@dataclass(frozen=True)
class AgentLimit:
    """At most `most` objections by one agent in `days` days, today included."""

    term: Term
    days: int
    most: int


def _limit(row: Row) -> AgentLimit:
    return AgentLimit(row.term(), row.number("days"), row.number("most"))


@cache
def load_agent_limits() -> tuple[AgentLimit, ...]:
    """The rows of objections.toml. Raises RulesInvalid."""
    file = RuleFile("objections.toml")
    rows = file.rows("agent_limit", _limit)
    file.done()
    disjoint(rows, "objections.toml: agent_limit")
    return rows


def agent_limit(day: date) -> AgentLimit:
    """The limit in force on `day`. Raises RulesInvalid when there is none."""
    return the_one(load_agent_limits(), day, "objections.toml: agent_limit")
