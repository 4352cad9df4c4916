"""What stands in the way of a repair (R9.2, R9.3): the application and its target, as the rules look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hub.casework.repair.details import Obstacle, Paper, RepairDetails
from hub.rules.repair import load_repair_rules
from hub.rules.repair_case import Application, Assessment, Evidence, Target


@dataclass(frozen=True)
class Current:
    """The record or entry as it stands when a step looks at it, and what hangs on it."""

    public_id: str
    data_class: str
    # Its openness (公开属性).
    sharing: str
    target: Target
    # Of today; None: it is known by other numbers alone.
    subject_code: str | None
    # Of a record: its details as they are stored.
    details: Mapping[str, Any]
    under_objection: bool
    earlier: tuple[date, ...]
    # A proceeding of the hub's own moves the entry, and pushes its exit.
    proceeding: bool
    # A publicity of the hub's own shows the record, and pushes its end.
    published: bool
    # All such cases, by uuid.
    cases: tuple[str, ...]


def application(told: RepairDetails) -> Application:
    """The application as the rules look at it."""
    found = told.findings
    return Application(
        applied_on=told.applied_on,
        corrected=found.corrected if found else None,
        performed=found.performed if found else None,
        evidence=tuple(Evidence(one.kind, _said(one)) for one in told.evidence),
        unmet=found.unmet if found else (),
        natural_person=told.natural_person,
    )


def _said(paper: Paper) -> frozenset[str]:
    members = ("file_digest", "organizer", "hours", "certificate", "held_on")
    return frozenset(name for name in members if getattr(paper, name))


def assess(told: RepairDetails, current: Current, today: date) -> Assessment:
    """What stands in the way today (R9.2, R9.3), whatever the application says of it."""
    return load_repair_rules().assess(
        current.target, replace(application(told), earlier=current.earlier), today
    )


def obstacles(found: Assessment, today: date) -> tuple[Obstacle, ...]:
    """The blockers of an assessment, in words."""
    rules = load_repair_rules()
    return tuple(Obstacle(one.code, rules.wording(one.code, today), one.until) for one in found.blockers)


def assessed(told: RepairDetails, current: Current, today: date) -> dict[str, Any]:
    """The members of the details that an assessment changes."""
    found = assess(told, current, today)
    return {
        "eligible_from": found.eligible_from,
        "blockers": obstacles(found, today),
        "notes": found.notes,
        "assessed_on": today,
    }
