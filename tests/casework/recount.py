"""The figures of the quarterly report (R18.3), counted a second time from the events alone, as somebody would with a pencil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework.reports.commands import events_of
from hub.casework.reports.figures import recount
from hub.rules.calendar import seeded
from hub.rules.reports import Quarter
from tests.casework.invariants import Told, ended_unshown_in_time, shown_on_both, working_days_after
from tests.casework.town import REPORTER, Town

ON_LIST = ("PUBLISHED", "SUSPENDED")
FED_BACK = ("feed_back", "feed_back_own")
UNPUBLISHED = ("DRAFT", "SECRECY_REVIEW", "CONTENT_REVIEW", "APPROVED")


@dataclass
class Tally:
    """What one figure says: how many, of what; of a ratio part and whole."""

    count: int = 0
    shares: Counter[str] = field(default_factory=Counter)
    part: int | None = None
    whole: int | None = None


def tallies(told: Told, partner: str, first: date, last: date) -> dict[str, Tally]:
    """Every count and ratio of the quarter from `first` to `last`, of the cases that `partner` handles."""
    cases = [case for case in told.cases.values() if case["owner"] == partner]
    found: dict[str, Tally] = {}

    def events(mechanism: str) -> Iterable[tuple[dict[str, Any], Any]]:
        for case in cases:
            if case["mechanism"] == mechanism:
                for event in told.events[case["case_id"]]:
                    if first <= _own_day(case, event) <= last:
                        yield case, event

    def count(code: str, words: Iterable[str | None]) -> None:
        counted = list(words)
        found[code] = Tally(len(counted), Counter(word for word in counted if word is not None))

    count(
        "CHECKS",
        (
            f"{case['details']['purpose']}/{case['details']['conclusion']}"
            for case, event in events("CHECK")
            if event["from_state"] is None
        ),
    )
    for color in ("RED", "BLACK"):
        moved = [
            (event, event["from_state"] in ON_LIST, event["to_state"] in ON_LIST)
            for case, event in events("LIST_ENTRY")
            if case["details"]["definition"]["color"] == color
        ]
        count(f"{color}_IN", (None for _, before, after in moved if after and not before))
        count(f"{color}_OUT", (event["to_state"] for event, before, after in moved if before and not after))
        # Who came at any time and did not leave.
        balance = 0
        for case in cases:
            if case["mechanism"] == "LIST_ENTRY" and case["details"]["definition"]["color"] == color:
                for event in told.events[case["case_id"]]:
                    if _own_day(case, event) <= last:
                        balance += (event["to_state"] in ON_LIST) - (event["from_state"] in ON_LIST)
        found[f"{color}_CURRENT"] = Tally(balance)
    applied = [
        case
        for case, event in events("MEASURE")
        if (event["from_state"], event["to_state"]) == ("RECEIVED", "EFFECTIVE")
    ]
    count("MEASURES_APPLIED", (case["details"]["measure"] for case in applied))
    count(
        "MEASURES_LIFTED",
        (
            case["details"]["measure"]
            for case, event in events("MEASURE")
            if event["from_state"] in ("EFFECTIVE", "SUSPENDED") and event["to_state"].startswith("ENDED_")
        ),
    )
    fed_back = [case for case in applied if any(_day(one) <= last for one in told.steps(case, *FED_BACK))]
    found["MEASURES_FEEDBACK"] = Tally(part=len(fed_back), whole=len(applied))
    over = [
        case for case in cases if case["mechanism"] == "PUBLICITY" and _judged_within(told, case, first, last)
    ]
    in_time = [case for case in over if _shown_in_time(told, case)]
    found["PUBLICITY_ON_TIME"] = Tally(part=len(in_time), whole=len(over))
    for code, mechanism, states in (
        ("REPAIRS", "REPAIR", ("APPROVED", "REFUSED", "REJECTED_INTAKE")),
        ("OBJECTIONS", "OBJECTION", ("UPHELD", "REJECTED")),
    ):
        count(
            code,
            (
                event["to_state"]
                for _, event in events(mechanism)
                if event["to_state"] in states and event["from_state"] != event["to_state"]
            ),
        )
    for code, state in (("NOTIFICATIONS_SENT", "ISSUED"), ("NOTIFICATIONS_ANSWERED", "FEEDBACK")):
        count(
            code,
            (
                None
                for _, event in events("NOTIFICATION")
                if event["to_state"] == state != event["from_state"]
            ),
        )
    return found


def _judged_within(told: Told, case: Mapping[str, Any], first: date, last: date) -> bool:
    """Once: on the day that both sites showed it, or its seven working days were over; not where it is excepted (R7.3)."""
    history = [event for event in told.events[case["case_id"]] if _day(event) <= last]
    if any(event["to_state"] == "EXCEPTED" for event in history) or ended_unshown_in_time(told, case, last):
        return False
    judged = any(
        event["transition"] == "publish"
        or (event["transition"] in ("deadline_passed", "withdraw") and event["from_state"] in UNPUBLISHED)
        for event in told.events[case["case_id"]]
    )
    shown = shown_on_both(told, case)
    over = _publish_by(case) + timedelta(days=1)
    return judged and first <= (over if shown is None else min(over, _on(shown))) <= last


def _shown_in_time(told: Told, case: Mapping[str, Any]) -> bool:
    """R7.1: on both sites by the end of the seventh working day after the decision."""
    shown = shown_on_both(told, case)
    return shown is not None and _on(shown) <= _publish_by(case)


def _publish_by(case: Mapping[str, Any]) -> date:
    return working_days_after(date.fromisoformat(case["details"]["decided_on"]), 7)


def _own_day(case: Mapping[str, Any], event: Any) -> date:
    """When it happened: what ended by itself did so on the day that its case tells, whenever that was written down."""
    own = None
    if case["mechanism"] == "LIST_ENTRY" and event["transition"] == "expire":
        own = case["details"]["exited_on"]
    if case["mechanism"] == "MEASURE" and event["to_state"].startswith("ENDED_"):
        own = case["details"]["ended_on"]
    return date.fromisoformat(own) if own else _day(event)


def _on(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()


def _day(event: Any) -> date:
    return _on(event["at"])


def last_of(year: int, quarter: int) -> date:
    """The last day of a quarter."""
    following = date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return following - timedelta(days=1)


def reports_are_a_recount(told: Told) -> None:
    """R18.3: every report that was opened tells the figures that its quarter's events gave when they were counted last."""
    for report in told.of_machine("QUARTERLY_REPORT"):
        details = report["details"]
        assert details["departments"] == [REPORTER], report["number"]
        year, quarter = details["year"], details["quarter"]
        counted = told.before(told.steps(report, "prefill")[-1]["event_id"])
        expected = tallies(counted, REPORTER, date(year, quarter * 3 - 2, 1), last_of(year, quarter))
        figures = {one["code"]: one for one in details["figures"]}
        for code, tally in expected.items():
            figure = figures[code]
            shares = {one["key"]: one["count"] for one in figure["shares"]}
            agree(
                tally, figure["prefilled"], figure["part"], figure["whole"], shares, (report["number"], code)
            )


async def figures_of_departments_are_a_recount(town: Town, told: Told) -> None:
    """R18.3: the same of the province's own cases, and of each quarter that is over."""
    for partner in ("commerce", REPORTER):
        for year, number in ((2026, 1), (2026, 2), (2026, 3), (2026, 4)):
            quarter = Quarter(year, number)
            history = await events_of(town.connection, [partner], quarter)
            figures = recount(history, quarter, seeded(), lambda mechanism, state: None)
            expected = tallies(told, partner, date(year, number * 3 - 2, 1), last_of(year, number))
            for code, tally in expected.items():
                one = figures[code]
                shares = {share.key: share.count for share in one.shares}
                agree(tally, one.value, one.part, one.whole, shares, (partner, year, number, code))


def agree(
    tally: Tally,
    value: float | None,
    part: int | None,
    whole: int | None,
    shares: Mapping[str, int],
    where: object,
) -> None:
    """Both counts say the same."""
    if tally.whole is not None:
        assert (part, whole) == (tally.part, tally.whole), where
        ratio = None if not tally.whole else round((tally.part or 0) / tally.whole, 4)
        assert value == ratio, where
        return
    assert value == tally.count, (where, value, tally.count)
    assert shares == dict(tally.shares), where
