"""What objections come under is a dated row, for the objection and for the notices that follow it."""

from __future__ import annotations

from datetime import date, timedelta

from hub.casework.objections.corrections import CORRECTION
from hub.casework.objections.machine import OBJECTION
from hub.rules.objections import load_objection_rules


def test_the_day_decides_what_an_objection_comes_under() -> None:
    (row,) = load_objection_rules().rulesets
    for machine in (OBJECTION, CORRECTION):
        assert machine.ruleset(row.term.valid_from) == row.id == "OBJECTION-QINGHAI-2021"
        assert machine.ruleset(row.term.valid_from - timedelta(days=1)) == "NONE"
    assert row.term.valid_from >= date(2021, 3, 31), "the regulation was passed that day"
