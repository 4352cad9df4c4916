"""Credit repair (信用修复): the order of the day of application, the earliest day, what stands in the way, the clocks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from hub.rules.calendar import Calendar, Due
from hub.rules.dated import RuleFile, disjoint, in_force, the_one
from hub.rules.deadlines import deadline
from hub.rules.decisions import Authority
from hub.rules.ongoing import ONGOING
from hub.rules.publicity import PublicityRules, add_months
from hub.rules.repair_case import Application, Assessment, Blocker, Period, Target
from hub.rules.repair_rows import (
    AgentLimit,
    EvidenceKind,
    ListMethod,
    Order,
    Recognizer,
    Transition,
    Unclassified,
    Wording,
    read_agent_limit,
    read_evidence,
    read_list_method,
    read_order,
    read_recognizer,
    read_transition,
    read_unclassified,
    read_wording,
)

# A record in these states may be repaired; in all others it has ended by itself or is not there.
_OPEN = frozenset(state for states in ONGOING.values() for state in states)


@dataclass(frozen=True)
class RepairRules:
    """The dated rows of repair.toml."""

    orders: tuple[Order, ...]
    transitions: tuple[Transition, ...]
    unclassified: tuple[Unclassified, ...]
    list_methods: tuple[ListMethod, ...]
    evidence: tuple[EvidenceKind, ...] = field(repr=False)
    recognizers: tuple[Recognizer, ...] = field(repr=False)
    agent_limits: tuple[AgentLimit, ...] = field(repr=False)
    wordings: tuple[Wording, ...] = field(repr=False)

    def recognizer(self, name: str | None, code: str | None, day: date) -> Recognizer | None:
        """Who repairs here what an authority recognized (谁认定、谁修复); None: it is repaired elsewhere.

        The authority's code decides where the decision has one, else its name.
        """
        named = [one for one in self.recognizers if (one.code == code if code else one.name == name)]
        return in_force(named, day)

    def recognized_by(self, partner: str, day: date) -> Recognizer | None:
        """The authority that a partner is here (谁认定、谁修复), whatever division its agreement names; None: no recognizer."""
        return in_force([one for one in self.recognizers if one.partner == partner], day)

    def known_as(self, authority: Authority, day: date) -> tuple[Authority, ...]:
        """An authority as something names it and, where it is a recognizer, as the rules do: whoever writes it otherwise."""
        found = self.recognizer(authority.name, authority.code, day)
        return (authority,) if found is None else (authority, Authority(found.code, found.name))

    def agent_limit(self, day: date) -> AgentLimit | None:
        """The limit on applications of one agent; None: there is none that day."""
        return in_force(self.agent_limits, day)

    def wording(self, code: str, day: date) -> str | None:
        """An obstacle in words; codes with a colon are worded by what stands before it."""
        found = in_force([one for one in self.wordings if one.code == code.partition(":")[0]], day)
        return None if found is None else found.zh

    def order(self, applied_on: date) -> Order | None:
        """The order that handles an application of that day (R9.2); None before the first."""
        return in_force(self.orders, applied_on)

    def minimum_ends(self, target: Target, applied_on: date) -> date | None:
        """The last day of the minimum publicity as it counts for an application of `applied_on` (R7.5, R9.2).

        None: no order is in force that day. The day of decision is not counted; with a minimum of 0 months the
        period ends on the day before the decision, so that one may apply at once.
        """
        order = self.order(applied_on)
        if order is None:
            return None
        if target.color is not None and (months := self._list_months(target)) is not None:
            return _period_end(target.decided_on, months)
        counted = [order]
        if the_one(self.transitions, applied_on, "transition of repair").lenient:
            counted += [one for one in self.orders if _counts(one, target.decided_on, applied_on)]
        seriousness = target.seriousness
        if seriousness == "UNCLASSIFIED":
            seriousness = the_one(self.unclassified, applied_on, "unclassified repair").treated_as
        return min(_period_end(target.decided_on, one.months(seriousness, target.fields)) for one in counted)

    def eligible_from(self, target: Target) -> date | None:
        """The first day on which a repair may be applied for; None: never, whatever is done.

        Whoever may apply on a day may apply on every later day that the record still stands.
        """
        if _lasting(target):
            return None
        days = []
        for order in self.orders:
            ends = self.minimum_ends(target, order.term.valid_from)
            if ends is not None:
                day = max(ends + timedelta(days=1), order.term.valid_from, target.decided_on)
                if order.term.covers(day):
                    days.append(day)
        first = min(days, default=None)
        if first is None or (target.usable_until is not None and first > target.usable_until):
            return None
        return first

    def assess(self, target: Target, application: Application, today: date) -> Assessment:
        """Whether the repair may be approved today, and what stands in the way (R9.2, R9.3).

        Decided for the day of application: an application handed in too early stays so, and is made again.
        """
        order = self.order(application.applied_on)
        earliest = self.eligible_from(target)
        if order is None:
            return Assessment(None, earliest, (Blocker("NO_RULESET"),))
        blockers = [Blocker(code) for code in _standing(target, today)]
        if not blockers:
            ends = self.minimum_ends(target, application.applied_on)
            if ends is not None and application.applied_on <= ends:
                blockers.append(Blocker("MINIMUM_PERIOD", earliest))
        blockers += [Blocker(code) for code in self._conditions(order, target, application)]
        blockers += [Blocker(f"OTHER_LAW:{name}") for name in application.unmet]
        notes = self._notes(target, application)
        repeats = self._repeats(target, application)
        if repeats:
            method = in_force(self.list_methods, application.applied_on)
            if method is not None and method.repeats == "BLOCK":
                blockers += repeats
            else:
                notes += [f"{one.code}_UNCONFIRMED" for one in repeats]
        return Assessment(order.id, earliest, tuple(blockers), tuple(notes))

    def period(self, target: Target, begins: date, rules: PublicityRules) -> Period:
        """From when to when the record is published, at the earliest and at the latest (R7.5).

        `begins`: the day of publication; the ends are counted from the decision all the same.
        """
        latest = rules.usable_until(target.decided_on, target.seriousness)
        ends = [day for day in (latest, target.usable_until) if day is not None]
        first = self.eligible_from(target)
        handling = max(begins, self.orders[0].term.valid_from)
        order = self.order(first or handling)
        return Period(
            begins,
            None if first is None else max(first - timedelta(days=1), target.decided_on),
            min(ends, default=None),
            first,
            None if order is None else order.id,
        )

    def clock(self, name: str, start: date, applied_on: date, calendar: Calendar) -> Due:
        """The last day of a clock of repair that starts on `start` (R9.2).

        `name`: intake (from the push), decision, answer, extended_answer (from the application), propagation
        (from the approval). The row of the day of application decides, also for what happens later.
        """
        return deadline(f"repair.{name}", applied_on).due(start, calendar)

    def _list_months(self, target: Target) -> int | None:
        """The minimum of a list: its definition's, else that of the method in force at recognition."""
        if target.list_min_months is not None:
            return target.list_min_months
        rows = [row for row in self.list_methods if target.color in row.colors]
        method = in_force(rows, target.decided_on)
        return None if method is None else method.min_months

    def _conditions(self, order: Order, target: Target, application: Application) -> list[str]:
        """The conditions of the order that are not met, and papers that are not whole."""
        handed: set[str] = set()
        missing = []
        for paper in application.evidence:
            row = in_force([one for one in self.evidence if one.kind == paper.kind], application.applied_on)
            if row is None:
                missing.append(f"EVIDENCE_UNKNOWN:{paper.kind}")
            elif row.natural_persons_only and not application.natural_person:
                missing.append(f"EVIDENCE_PERSONS_ONLY:{paper.kind}")
            elif not row.needs <= paper.said:
                missing.append(f"EVIDENCE_INCOMPLETE:{paper.kind}")
            elif row.role != "SUPPLEMENTARY":
                handed.add(paper.kind)
        alternatives = self._alternatives(target)
        found = []
        if "CORRECTED" in order.conditions and application.corrected is not True:
            found.append("NOT_CORRECTED")
        if "PERFORMED" in order.conditions and not (
            application.performed is True and "PERFORMANCE" in handed
        ):
            found.append("NOT_PERFORMED")
        if "COMMITMENT" in order.conditions and "COMMITMENT" not in handed and not handed & alternatives:
            found.append("NO_COMMITMENT")
        return found + missing

    def _alternatives(self, target: Target) -> frozenset[str]:
        """What a list's method takes instead of a commitment."""
        rows = [row for row in self.list_methods if target.color in row.colors]
        method = in_force(rows, target.decided_on)
        return frozenset() if method is None else method.any_of

    def _repeats(self, target: Target, application: Application) -> list[Blocker]:
        method = in_force(self.list_methods, application.applied_on)
        if method is None or target.color is None or not application.earlier:
            return []
        found = []
        again = add_months(max(application.earlier), method.gap_months)
        if application.applied_on < again:
            found.append(Blocker("REPEATED_TOO_SOON", again))
        since = add_months(application.applied_on, -method.most_within_months)
        recent = sorted(day for day in application.earlier if day > since)
        if len(recent) >= method.most:
            found.append(
                Blocker("REPEATED_TOO_OFTEN", add_months(recent[-method.most], method.most_within_months))
            )
        return found

    def _notes(self, target: Target, application: Application) -> list[str]:
        notes = []
        if target.seriousness == "UNCLASSIFIED":
            notes.append("SERIOUSNESS_UNCLASSIFIED")
        order = self.order(application.applied_on)
        if order is not None and target.decided_on < order.term.valid_from:
            notes.append("TRANSITION_UNCONFIRMED")
        if target.state == "UNDER_OBJECTION":
            notes.append("UNDER_OBJECTION")
        return notes


@cache
def load_repair_rules(text: str | None = None) -> RepairRules:
    """The rows of repair.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("repair.toml", text)
    rules = RepairRules(
        tuple(sorted(file.rows("order", read_order), key=lambda one: one.term.valid_from)),
        file.rows("transition", read_transition),
        file.rows("unclassified", read_unclassified),
        file.rows("list_method", read_list_method),
        file.rows("evidence", read_evidence),
        file.rows("recognizer", read_recognizer),
        file.rows("agent_limit", read_agent_limit),
        file.rows("wording", read_wording),
    )
    file.done()
    disjoint(rules.orders, "repair.toml: order")
    disjoint(rules.transitions, "repair.toml: transition")
    disjoint(rules.unclassified, "repair.toml: unclassified")
    disjoint(rules.list_methods, "repair.toml: list_method")
    disjoint(rules.evidence, "repair.toml: evidence", lambda row: row.kind)
    disjoint(rules.recognizers, "repair.toml: recognizer", lambda row: row.code)
    disjoint(rules.agent_limits, "repair.toml: agent_limit")
    disjoint(rules.wordings, "repair.toml: wording", lambda row: row.code)
    return rules


def _counts(order: Order, decided_on: date, applied_on: date) -> bool:
    """Whether the order was in force on some day from the decision to the application."""
    term = order.term
    return term.valid_from <= applied_on and (term.valid_to is None or term.valid_to >= decided_on)


def _period_end(day: date, months: int) -> date:
    return add_months(day, months) if months else day - timedelta(days=1)


def _lasting(target: Target) -> list[str]:
    """What neither time nor paper mends."""
    found = []
    if target.seriousness == "NOT_ADVERSE" or target.color == "RED":
        found.append("NOT_ADVERSE")
    if not target.own:
        found.append("NOT_OWN")
    if target.state not in _OPEN:
        found.append("ENDED")
    return found


def _standing(target: Target, today: date) -> list[str]:
    """The same as of `today`, on which the record may have ended by itself."""
    found = _lasting(target)
    if "ENDED" not in found and target.usable_until is not None and target.usable_until < today:
        found.append("ENDED")
    return found
