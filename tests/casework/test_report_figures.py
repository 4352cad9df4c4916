"""The figures of the quarterly report as pure functions of events (R18.3): their rows fit the machines, and add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import SHANGHAI
from hub.casework.clock import NEAR, PASSED
from hub.casework.engine import OPENED
from hub.casework.registry import registry
from hub.casework.reports.figures import COUNTINGS, STATE, Happened, _picks, members, recount
from hub.casework.reports.reporters import reporting
from hub.rights.agreement import read_agreement
from hub.rules.calendar import seeded
from hub.rules.matrix import load_matrix
from hub.rules.reports import Quarter, load_report_rules
from hub.sandbox.agreements import PARTNERS
from tests.casework.test_case_rights import _agreement

Q3 = Quarter(2026, 3)
RULES = load_report_rules()


def _happened(
    case: str, mechanism: str, at: datetime, transition: str, source: str | None, target: str, **members: str
) -> Happened:
    return Happened(case, mechanism, at, transition, source, target, {}, members)


def _at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 10, tzinfo=SHANGHAI)


def _figures(history: list[Happened], quarter: Quarter = Q3) -> Any:
    return recount(history, quarter, seeded(), lambda mechanism, state: None)


def test_r18_3_every_figure_is_counted_but_words() -> None:
    rows = {row.code: row.kind for row in RULES.figures_of(Q3)}
    assert set(COUNTINGS) == {code for code, kind in rows.items() if kind != "TEXT"}


def test_r18_3_what_figures_count_exists_in_the_machines() -> None:
    machines = registry().machines
    for code, counting in COUNTINGS.items():
        for pick in _picks(counting):
            machine = machines[pick.mechanism]
            states = {state.name for state in machine.states}
            steps = {one.name for one in machine.transitions} | {OPENED, NEAR, PASSED}
            assert set(pick.entering) | set(pick.leaving) <= states, code
            assert set(pick.transitions) <= steps, code
            for state in pick.entering:
                ways = [t for t in machine.transitions if t.target == state and t.sources - {state}]
                assert ways or state == machine.initial, (code, state)
    assert STATE not in members()


MOVES = {
    "RECOGNIZED": ["PUBLISHED"],
    "PUBLISHED": ["SUSPENDED", "EXITED_EXPIRED", "EXITED_REPAIRED", "EXITED_REVOKED"],
    "SUSPENDED": ["PUBLISHED", "EXITED_EXPIRED", "EXITED_REPAIRED", "EXITED_DISQUALIFIED"],
    "EXITED_REPAIRED": ["PUBLISHED"],
}


@st.composite
def _histories(draw: st.DrawFn) -> list[Happened]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        state, at = "RECOGNIZED", datetime(2026, 5, 1, tzinfo=SHANGHAI)
        color = draw(st.sampled_from(["RED", "BLACK", "WATCH"]))
        for _ in range(draw(st.integers(0, 6))):
            if state not in MOVES:
                break
            at += timedelta(days=draw(st.integers(0, 70)), hours=draw(st.integers(0, 23)))
            target = draw(st.sampled_from(MOVES[state]))
            found.append(
                _happened(
                    f"c{number}", "LIST_ENTRY", at, "step", state, target, **{"definition.color": color}
                )
            )
            state = target
    return sorted(found, key=lambda one: one.at)


@settings(deadline=None)
@given(_histories())
def test_r18_3_who_came_and_did_not_leave_is_there(history: list[Happened]) -> None:
    before, after = _figures(history, Quarter(2026, 2)), _figures(history, Q3)
    for color in ("RED", "BLACK"):
        stock, now = before[f"{color}_CURRENT"].value, after[f"{color}_CURRENT"].value
        assert now - stock == after[f"{color}_IN"].value - after[f"{color}_OUT"].value


@settings(deadline=None)
@given(_histories())
def test_r18_3_later_events_change_no_figure(history: list[Happened]) -> None:
    upto = [one for one in history if one.at < datetime(2026, 10, 1, tzinfo=SHANGHAI)]
    assert _figures(history) == _figures(upto)


def test_r18_3_a_quarter_begins_and_ends_at_midnight_in_shanghai() -> None:
    edges = (
        datetime(2026, 6, 30, 23, 59, 59), datetime(2026, 7, 1), datetime(2026, 9, 30, 23, 59, 59), datetime(2026, 10, 1),
    )  # fmt: skip
    history = [
        _happened(f"c{n}", "CHECK", at.replace(tzinfo=SHANGHAI), "open", None, "ISSUED",
                  purpose="EXHIBITION", conclusion="NORMAL")
        for n, at in enumerate(edges)
    ]  # fmt: skip
    checks = _figures(history)["CHECKS"]
    assert (checks.value, checks.cases) == (2, ("c1", "c2"))
    assert [(one.key, one.label) for one in checks.shares] == [("EXHIBITION/NORMAL", "会展 / 正常办理")]


def test_r18_3_what_time_ended_counts_on_its_own_day_however_late_it_is_written() -> None:
    """No worker ran from 28 September until 2 October."""
    red, late = {"definition.color": "RED"}, _at(10, 2)
    history = [
        _happened("c1", "LIST_ENTRY", _at(8, 3), "publish", "RECOGNIZED", "PUBLISHED", **red),
        _happened("c2", "LIST_ENTRY", _at(8, 3), "publish", "RECOGNIZED", "PUBLISHED", **red),
        # Its last day was the 29th; that of the other the 30th.
        _happened("c1", "LIST_ENTRY", late, "expire", "PUBLISHED", "EXITED_EXPIRED", exited_on="2026-09-30", **red),
        _happened("c2", "LIST_ENTRY", late, "expire", "PUBLISHED", "EXITED_EXPIRED", exited_on="2026-10-01", **red),
        _happened("c3", "MEASURE", late, "expire", "EFFECTIVE", "ENDED_TERM", ended_on="2026-09-30", measure="M"),
        replace(
            _happened("c4", "PUBLICITY", late, "deadline_passed", "DRAFT", "DRAFT"), payload={"due_on": "2026-09-29"}
        ),
    ]  # fmt: skip
    q3, q4 = _figures(history), _figures(history, Quarter(2026, 4))
    codes = ("RED_OUT", "RED_CURRENT", "MEASURES_LIFTED")
    assert [q3[code].value for code in codes] == [1, 1, 1]
    assert [q4[code].value for code in codes] == [1, 0, 0]
    assert [one["PUBLICITY_ON_TIME"].whole for one in (q3, q4)] == [1, 0]


def test_r7_1_r18_3_in_time_is_what_both_sites_showed_in_time_and_counts_when_that_is_known() -> None:
    published = _happened("c1", "PUBLICITY", _at(9, 29), "publish", "APPROVED", "PUBLISHED")
    cases = (
        # The last day, when both sites had it; then (part, whole) of both quarters.
        ("2026-09-30", "2026-09-30", [(1, 1), (0, 0)]),
        ("2026-09-29", "2026-09-30", [(0, 1), (0, 0)]),
        ("2026-09-29", None, [(0, 1), (0, 0)]),
        ("2026-10-08", "2026-10-02", [(0, 0), (1, 1)]),
        ("2026-09-30", "2026-10-02", [(0, 0), (0, 1)]),
    )
    for by, shown, expected in cases:
        payload = {
            "late_working_days": 0,
            "publish_by": by,
            "shown_on": shown,
            "shown_in_time": bool(shown and shown <= by),
        }
        history = [replace(published, payload=payload)]
        told = [_figures(history, quarter)["PUBLICITY_ON_TIME"] for quarter in (Q3, Quarter(2026, 4))]
        assert [(one.part, one.whole) for one in told] == expected, (by, shown)


def test_r18_3_handling_days_are_working_days_from_the_application() -> None:
    history = [
        _happened("c1", "REPAIR", _at(7, 3), "approve", "UNDER_REVIEW", "APPROVED", applied_on="2026-06-29"),
        # Applied for on paper, two days before its case was opened.
        _happened("c2", "REPAIR", _at(7, 6), "open", None, "SUBMITTED", applied_on="2026-07-04"),
        _happened("c2", "REPAIR", _at(7, 7), "refuse", "UNDER_REVIEW", "REFUSED", applied_on="2026-07-04"),
    ]
    told = _figures(history)
    assert (told["REPAIR_DAYS"].value, told["REPAIRS"].value) == (3.0, 2)
    assert [(one.key, one.count) for one in told["REPAIRS"].shares] == [("APPROVED", 1), ("REFUSED", 1)]


def test_r18_3_what_was_overdue_in_one_quarter_and_published_in_the_next_counts_once() -> None:
    history = [
        _happened("c1", "PUBLICITY", _at(9, 23), "deadline_passed", "DRAFT", "DRAFT"),
        _happened("c1", "PUBLICITY", _at(10, 8), "publish", "APPROVED", "PUBLISHED"),
    ]
    told = [_figures(history, quarter)["PUBLICITY_ON_TIME"] for quarter in (Q3, Quarter(2026, 4))]
    assert [(one.part, one.whole) for one in told] == [(0, 1), (0, 0)]


def test_r18_3_a_clock_that_was_put_back_over_the_end_of_a_quarter_counts_nothing_twice() -> None:
    passed = _happened("c1", "PUBLICITY", _at(10, 1), "deadline_passed", "APPROVED", "APPROVED")
    published = _happened("c1", "PUBLICITY", _at(9, 30), "publish", "APPROVED", "PUBLISHED")
    shown = {"publish_by": "2026-09-30", "shown_on": "2026-09-30", "shown_in_time": True}
    history = [replace(passed, payload={"due_on": "2026-09-30"}), replace(published, payload=shown)]
    told = [_figures(history, quarter)["PUBLICITY_ON_TIME"] for quarter in (Q3, Quarter(2026, 4))]
    assert [(one.part, one.whole) for one in told] == [(1, 1), (0, 0)]


def test_r7_3_r18_3_an_exception_that_came_after_the_seven_days_is_no_publication_that_is_missing() -> None:
    passed = _happened("c1", "PUBLICITY", _at(9, 23), "deadline_passed", "DRAFT", "DRAFT")
    excepted = _happened("c1", "PUBLICITY", _at(9, 28), "except", "DRAFT", "EXCEPTED")
    assert _figures([passed])["PUBLICITY_ON_TIME"].whole == 1
    assert _figures([passed, excepted])["PUBLICITY_ON_TIME"].whole == 0


def test_r7_1_r18_3_what_never_had_a_last_day_was_not_published_in_time() -> None:
    published = _happened("c1", "PUBLICITY", _at(9, 1), "publish", "APPROVED", "PUBLISHED")
    told = [
        _figures(
            [
                replace(
                    published, payload={"publish_by": by, "shown_on": "2026-09-02", "shown_in_time": bool(by)}
                )
            ]
        )["PUBLICITY_ON_TIME"]
        for by in ("2026-09-02", None)
    ]
    assert [(one.part, one.whole) for one in told] == [(1, 1), (0, 0)]


def test_r5_6_r18_3_the_breach_of_a_tolerant_acceptance_is_counted_and_is_no_inspection() -> None:
    at, members_ = _at(9, 1), {"origin": "TOLERANCE"}
    history = [
        _happened("c1", "TOLERANCE", at, "open", None, "PROMISED"),
        _happened("c2", "COMMITMENT_INSPECTION", at, "note", "ASSIGNED", "BREACH_SUSPECTED", **members_),
        _happened("c2", "COMMITMENT_INSPECTION", at, "establish", "NOTIFIED", "ESTABLISHED", **members_),
    ]
    codes = ("COMMITMENTS_FILED", "COMMITMENTS_INSPECTED", "COMMITMENTS_BREACHED")
    assert [_figures(history)[code].value for code in codes] == [1, 0, 1]
    # Of any other, its commitment tells so itself.
    hint = [replace(one, members={"origin": "HINT"}) for one in history[1:]]
    assert [_figures(hint)[code].value for code in codes] == [0, 1, 0]


def test_r18_3_nothing_to_divide_by_is_no_ratio() -> None:
    told = _figures([])
    assert (told["PUBLICITY_ON_TIME"].value, told["PUBLICITY_ON_TIME"].whole) == (None, 0)
    assert (told["REPAIR_DAYS"].value, told["CHECKS"].value) == (None, 0)


def test_r18_1_a_prefecture_reports_with_its_counties_and_to_the_province() -> None:
    agreements = [_agreement(partner) for partner in PARTNERS]
    found = reporting(RULES.reporters_on(Q3.following), agreements)
    assert list(found) == ["630100"]
    xining = found["630100"]
    assert (xining.partner, xining.departments, xining.recipients) == (
        "commerce-xining",
        ("commerce-xining",),
        ("commerce",),
    )
    text = next(one for one in agreements if one.partner == "commerce-xining")
    county = read_agreement(
        _text("commerce-xining").replace('"commerce-xining"', '"county"').replace('["6301"]', '["630102"]'),
        load_matrix(), text.valid_from,
    )  # fmt: skip
    (with_county,) = reporting(RULES.reporters_on(Q3.following), [*agreements, county]).values()
    assert (with_county.partner, with_county.departments) == (
        "commerce-xining",
        ("commerce-xining", "county"),
    )
    assert reporting(RULES.reporters_on(Q3.following), [county]) == {}


def _text(partner: str) -> str:
    return files("hub.sandbox.agreements").joinpath(f"{partner}.toml").read_text("utf-8")
