"""The figures of the quarterly report (R18.3), recounted from the events of cases. Pure.

A figure is a row of COUNTINGS: which events of which mechanism it counts, and what it is broken down by. "本部门" is
the department itself, so what counts is who handles a case, not where its subject is registered; departments of the
counties count with their prefecture. What ends a quarter is its last moment, whenever the count is made: the same
events give the same figures on every later day. What time did by itself counts by its own day, whenever it was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework.commitments.inspections import HINT, RANDOM, TOLERANCE
from hub.rules.calendar import Calendar
from hub.rules.reports import Quarter
from schema.coordinates import vocabulary

# In place of a member of the details: the state that the event led to.
STATE = "@state"


# (mechanism, transition) → member of the details with the day on which it happened, of what the worker may write down later.
OWN_DAYS = {
    ("LIST_ENTRY", "expire"): "exited_on",
    **{("MEASURE", name): "ended_on" for name in ("expire", "end_exit", "end_repair", "lift")},
}
# Member of the payload with the last of the seven working days. The first of these steps that comes after it tells that it
# has passed: an officer's, where no worker ran.
_LAST_DAYS = {"publish": "publish_by", "deadline_passed": "due_on", "withdraw": "publish_by"}
# What happened in a quarter may be written down after it by these.
WRITTEN_LATER = frozenset({*(name for _, name in OWN_DAYS), *_LAST_DAYS})


@dataclass(frozen=True)
class Happened:
    """An event of a case, with the members of the case's details that figures choose or break down by."""

    case: str
    mechanism: str
    at: datetime
    transition: str
    source: str | None
    target: str
    # Of a publication also `shown_on` and `shown_in_time`: when its two sites had both acknowledged it (R7.1, R7.6).
    payload: Mapping[str, Any]
    members: Mapping[str, str | None]

    @property
    def day(self) -> date:
        """The day that it counts on: its own, which may be long over when the hub comes to write it down."""
        if self.mechanism == "PUBLICITY":
            # Once it is decided whether it was in time: shown, or a day late (R7.1).
            by = self.payload.get(_LAST_DAYS.get(self.transition, ""))
            days = [date.fromisoformat(by) + timedelta(days=1)] if by else []
            if shown_on := self.payload.get("shown_on"):
                days.append(date.fromisoformat(shown_on))
        else:
            own = self.members.get(OWN_DAYS.get((self.mechanism, self.transition), ""))
            days = [date.fromisoformat(own)] if own else []
        return min(days, default=self.at.astimezone(SHANGHAI).date())


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Events of a mechanism. What is left empty does not matter."""

    mechanism: str
    transitions: tuple[str, ...] = ()
    # States that the event led into from another one; and out of.
    entering: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    # Members of the details and of the event's payload that must be so.
    where: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, object], ...] = ()

    def fits(self, one: Happened) -> bool:
        """Whether the event is one of these."""
        return (
            one.mechanism == self.mechanism
            and (not self.transitions or one.transition in self.transitions)
            and (not self.entering or (one.target in self.entering and one.source != one.target))
            and (not self.leaving or one.source in self.leaving)
            and all(one.members.get(name) == value for name, value in self.where)
            and all(one.payload.get(name) == value for name, value in self.told)
        )


@dataclass(frozen=True)
class By:
    """What a figure is broken down by: a member of the details or STATE, and the enum with its Chinese words."""

    member: str
    enum: str = ""


@dataclass(frozen=True)
class Events:
    """How many such events the quarter had."""

    picks: tuple[Pick, ...]
    by: tuple[By, ...] = ()


@dataclass(frozen=True)
class AtQuarterEnd:
    """How many cases stood in one of these states when the quarter ended."""

    mechanism: str
    states: tuple[str, ...]
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Ratio:
    """Of the cases whose first event of `whole` the quarter had, the share that had one of `part` by its end.

    The first: what was overdue in one quarter and done in the next is not counted in both. `names`: code and Chinese
    words of those in the part, and of the others. `without`: whose cases count in neither.
    """

    whole: tuple[Pick, ...]
    part: tuple[Pick, ...]
    names: tuple[tuple[str, str], tuple[str, str]]
    without: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class Mean:
    """Working days from the day that the details tell as `since` to such an event in the quarter, on average."""

    picks: tuple[Pick, ...]
    since: str


Counting = Events | AtQuarterEnd | Ratio | Mean


@dataclass(frozen=True)
class Share:
    """A part of a figure: its key, its name for people, how many."""

    key: str
    label: str
    count: int


@dataclass(frozen=True)
class Counted:
    """A figure as the events give it. `part` and `whole` of a ratio; `cases`: the cases that it counts, each once."""

    value: float | None
    part: int | None = None
    whole: int | None = None
    shares: tuple[Share, ...] = ()
    cases: tuple[str, ...] = ()


_RED, _BLACK = (("definition.color", "RED"),), (("definition.color", "BLACK"),)
_ON, _OFF = ("PUBLISHED", "SUSPENDED"), (
    "EXITED_EXPIRED", "EXITED_REPAIRED", "EXITED_REVOKED", "EXITED_DISQUALIFIED",
)  # fmt: skip


def _entered(color: tuple[tuple[str, str], ...]) -> Events:
    into = ("RECOGNIZED", "EXITED_REPAIRED")
    return Events((Pick(mechanism="LIST_ENTRY", entering=("PUBLISHED",), leaving=into, where=color),))


def _left(color: tuple[tuple[str, str], ...]) -> Events:
    by = (By(STATE, "ListEntryState"),)
    return Events((Pick(mechanism="LIST_ENTRY", entering=_OFF, leaving=_ON, where=color),), by)


_APPLIED = Pick(mechanism="MEASURE", transitions=("activate",))
_REPAIR_DECIDED = Pick(mechanism="REPAIR", entering=("APPROVED", "REFUSED", "REJECTED_INTAKE"))
# By the code of the figure in reports.toml. Suspended places on a list are still on it: what came in and did not go
# out is there.
COUNTINGS: Mapping[str, Counting] = {
    "CHECKS": Events(
        (Pick(mechanism="CHECK", transitions=("open",)),),
        (By("purpose", "Purpose"), By("conclusion", "CheckConclusion")),
    ),
    "RED_IN": _entered(_RED),
    "RED_OUT": _left(_RED),
    "RED_CURRENT": AtQuarterEnd("LIST_ENTRY", _ON, _RED),
    "BLACK_IN": _entered(_BLACK),
    "BLACK_OUT": _left(_BLACK),
    "BLACK_CURRENT": AtQuarterEnd("LIST_ENTRY", _ON, _BLACK),
    "MEASURES_APPLIED": Events((_APPLIED,), (By("measure"),)),
    "MEASURES_LIFTED": Events(
        (
            Pick(
                mechanism="MEASURE",
                entering=("ENDED_TERM", "ENDED_EXIT", "ENDED_REPAIRED", "ENDED_LIFTED"),
                leaving=("EFFECTIVE", "SUSPENDED"),
            ),
        ),
        (By("measure"),),
    ),
    "MEASURES_FEEDBACK": Ratio(
        (_APPLIED,),
        (Pick(mechanism="MEASURE", transitions=("feed_back", "feed_back_own")),),
        (("FED_BACK", "已反馈"), ("NOT_FED_BACK", "未反馈")),
    ),
    # A tolerant acceptance rests on a written commitment, too (R5.6): it is filed, and broken, but nobody inspects it.
    "COMMITMENTS_FILED": Events(
        (
            Pick(mechanism="COMMITMENT", transitions=("open",)),
            Pick(mechanism="TOLERANCE", transitions=("open",)),
        )
    ),
    "COMMITMENTS_INSPECTED": Events(
        tuple(
            Pick(
                mechanism="COMMITMENT_INSPECTION",
                leaving=("ASSIGNED",),
                entering=("BREACH_SUSPECTED", "CLEARED", "DISMISSED", "OVERTAKEN"),
                where=(("origin", origin),),
            )
            for origin in (RANDOM, HINT)
        ),
        (By(STATE),),
    ),
    "COMMITMENTS_BREACHED": Events(
        (
            Pick(mechanism="COMMITMENT", entering=("BREACHED", "FALSE_COMMITMENT")),
            Pick(
                mechanism="COMMITMENT_INSPECTION", entering=("ESTABLISHED",), where=(("origin", TOLERANCE),)
            ),
        ),
        (By(STATE),),
    ),
    "PUBLICITY_ON_TIME": Ratio(
        (
            Pick(mechanism="PUBLICITY", transitions=("publish",)),
            # Whose seven working days ended unpublished (R7.1); reviews do not stop them, nor does an end that came after them.
            Pick(
                mechanism="PUBLICITY",
                transitions=("deadline_passed", "withdraw"),
                leaving=("DRAFT", "SECRECY_REVIEW", "CONTENT_REVIEW", "APPROVED"),
            ),
        ),
        (Pick(mechanism="PUBLICITY", transitions=("publish",), told=(("shown_in_time", True),)),),
        (("ON_TIME", "按期"), ("LATE", "逾期")),
        # R7.3: an exception is a recorded decision, and no publication that is missing, however late it was taken.
        # R7.4: nor is one missing of what ended before it was due.
        (
            Pick(mechanism="PUBLICITY", entering=("EXCEPTED",)),
            Pick(mechanism="PUBLICITY", transitions=("withdraw",), told=(("no_longer_due", True),)),
            # Nor was anything in time for which no last day was set (hub/rules/timeliness.py).
            Pick(
                mechanism="PUBLICITY",
                transitions=("publish",),
                told=(("publish_by", None),),
            ),
        ),
    ),
    "REPAIRS": Events((_REPAIR_DECIDED,), (By(STATE),)),
    # From the application, as its clocks are counted: on paper it comes before its case.
    "REPAIR_DAYS": Mean((_REPAIR_DECIDED,), "applied_on"),
    "OBJECTIONS": Events((Pick(mechanism="OBJECTION", entering=("UPHELD", "REJECTED")),), (By(STATE),)),
    "NOTIFICATIONS_SENT": Events((Pick(mechanism="NOTIFICATION", entering=("ISSUED",)),)),
    "NOTIFICATIONS_ANSWERED": Events((Pick(mechanism="NOTIFICATION", entering=("FEEDBACK",)),)),
}


def _picks(counting: Counting) -> Iterable[Pick]:
    if isinstance(counting, AtQuarterEnd):
        return (Pick(mechanism=counting.mechanism, entering=counting.states, where=counting.where),)
    if isinstance(counting, Ratio):
        return (*counting.whole, *counting.part, *counting.without)
    return counting.picks


def mechanisms() -> frozenset[str]:
    """The mechanisms whose events are counted."""
    return frozenset(pick.mechanism for one in COUNTINGS.values() for pick in _picks(one))


def looking_back() -> frozenset[str]:
    """The mechanisms of whose cases events before the quarter count, too."""
    back = (one for one in COUNTINGS.values() if isinstance(one, AtQuarterEnd | Ratio))
    return frozenset(pick.mechanism for one in back for pick in _picks(one))


def members() -> tuple[str, ...]:
    """Paths of the members of details that are needed."""
    found = {name for one in COUNTINGS.values() for pick in _picks(one) for name, _ in pick.where}
    found |= {by.member for one in COUNTINGS.values() if isinstance(one, Events) for by in one.by}
    found |= set(OWN_DAYS.values())
    found |= {one.since for one in COUNTINGS.values() if isinstance(one, Mean)}
    return tuple(sorted(found - {STATE}))


def recount(
    history: Sequence[Happened],
    quarter: Quarter,
    calendar: Calendar,
    states: Callable[[str, str], str | None],
) -> dict[str, Counted]:
    """Every figure that events give, by code (R18.3). `history`: oldest first, of the departments that count.

    `states`: the Chinese words of a mechanism's state. Events after the quarter are left out.
    """
    last = quarter.last
    upto = [one for one in history if one.day <= last]
    return {code: _count(counting, upto, quarter, calendar, states) for code, counting in COUNTINGS.items()}


def _count(
    counting: Counting,
    upto: Sequence[Happened],
    quarter: Quarter,
    calendar: Calendar,
    states: Callable[[str, str], str | None],
) -> Counted:
    if isinstance(counting, AtQuarterEnd):
        last = {
            one.case: one
            for one in upto
            if one.mechanism == counting.mechanism
            and all(one.members.get(name) == value for name, value in counting.where)
        }
        cases = tuple(case for case, one in last.items() if one.target in counting.states)
        return Counted(float(len(cases)), cases=cases)
    if isinstance(counting, Ratio):
        first: dict[str, Happened] = {}
        # By the day that each counts on: where a clock was put back, or an officer came before the worker, they were not
        # written down in that order.
        for one in sorted(_fitting(counting.whole, upto), key=lambda one: one.day):
            first.setdefault(one.case, one)
        out = {one.case for one in _fitting(counting.without, upto)}
        cases = tuple(case for case, one in first.items() if one.day >= quarter.first and case not in out)
        done = {one.case for one in _fitting(counting.part, upto)}
        part, whole = sum(case in done for case in cases), len(cases)
        counts = (part, whole - part)
        shares = tuple(
            Share(key, label, count) for (key, label), count in zip(counting.names, counts, strict=True)
        )
        return Counted(round(part / whole, 4) if whole else None, part, whole, shares if whole else (), cases)
    found = [one for one in _fitting(counting.picks, upto) if one.day >= quarter.first]
    cases = tuple(dict.fromkeys(one.case for one in found))
    if isinstance(counting, Events):
        shares = _shares(counting.by, found, states) if counting.by else ()
        return Counted(float(len(found)), shares=shares, cases=cases)
    days = [calendar.between(date.fromisoformat(one.members[counting.since] or ""), one.day) for one in found]
    return Counted(round(sum(days) / len(days), 1) if days else None, whole=len(days), cases=cases)


def _fitting(picks: Sequence[Pick], events: Sequence[Happened]) -> list[Happened]:
    # Most events are of other mechanisms, and a server answers nobody else while it counts.
    of = {pick.mechanism for pick in picks}
    return [one for one in events if one.mechanism in of and any(pick.fits(one) for pick in picks)]


def _shares(
    by: Sequence[By], found: Sequence[Happened], states: Callable[[str, str], str | None]
) -> tuple[Share, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        values = [one.target if each.member == STATE else one.members.get(each.member) or "-" for each in by]
        labels = [
            _word(each.enum, value)
            or (states(one.mechanism, value) if each.member == STATE else None)
            or value
            for each, value in zip(by, values, strict=True)
        ]
        counts["/".join(values), " / ".join(labels)] += 1
    return tuple(Share(key, label, count) for (key, label), count in sorted(counts.items()))


def _word(enum: str, value: str) -> str | None:
    """The Chinese word of a value of the vocabulary."""
    if not enum:
        return None
    found = vocabulary().schema.type_map[enum].values.get(value)  # type: ignore[attr-defined]
    return found.description.partition(" · ")[0] if found is not None and found.description else None
