"""Supervision tiers A to D, or N: deterministic, explained, valid until a fact expires; off unless a row says on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term, disjoint, in_force, the_one
from hub.rules.decisions import Authority, decisions
from hub.rules.publicity import add_months

# Public authorities whose facts may count; what associations and platforms say is market information (R11.3, R14.1).
AUTHORITIES = frozenset(
    {"COMMERCE", "MARKET_REGULATION", "CREDIT_PLATFORM", "COURT", "CUSTOMS", "TAX", "FOREIGN_EXCHANGE"}
)
_PUBLIC = "PUBLIC_CREDIT"
_UNSAID = Authority()


@dataclass(frozen=True)
class Fact:
    """Something known of a firm that is in force today: a usable record, a place on a list, a breach, an open duty."""

    id: str
    # RECORD, LIST_ENTRY, FALSE_COMMITMENT or OBLIGATION (open).
    kind: str
    # Class of a record, colour of a list; empty for the others.
    grade: str
    # Day of decision or recognition.
    dated: date
    # Last day on which it may be used; None: without end.
    usable_until: date | None
    source: str
    origin_class: str = _PUBLIC
    under_objection: bool = False
    # Number and authority of the decision that a record is of: sources that deliver the same decision tell of it once.
    # Empty: unknown.
    decision: str = ""
    authority: Authority = _UNSAID


@dataclass(frozen=True)
class Firm:
    """What is known of a firm, and the sources that could not answer or are stale."""

    established_on: date | None
    facts: tuple[Fact, ...] = ()
    missing_sources: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TierCause:
    """Why, and the facts that it rests on."""

    code: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tier:
    """A tier and why. `valid_until`: the last day on which nothing changes by time alone; None: no fact expires."""

    letter: str
    reasons: tuple[TierCause, ...]
    record_ids: tuple[str, ...]
    policy: str
    valid_until: date | None


@dataclass(frozen=True)
class Switch:
    """Whether firms of a sector are tiered at all."""

    sector: str
    on: bool
    term: Term


@dataclass(frozen=True)
class Sector:
    """A sector, and the industries (GB/T 4754, beginnings of codes without letter) whose firms are of it."""

    id: str
    zh: str
    industries: tuple[str, ...]
    term: Term


@dataclass(frozen=True)
class Policy:
    """The numbers of the rule."""

    id: str
    window_months: int
    serious: frozenset[str]
    general: frozenset[str]
    general_count: int
    young_months: int
    # All of them must be able to answer before anything good is said.
    sources: frozenset[str]
    term: Term


@dataclass(frozen=True)
class TierRules:
    """The dated rows of tiering.toml."""

    switches: tuple[Switch, ...]
    sectors: tuple[Sector, ...]
    policies: tuple[Policy, ...]

    def on(self, sector: str, day: date) -> bool:
        """Whether firms of `sector` are tiered on `day` (R10.1): by the sector's row, else that of all; else no."""
        for name in (sector, "*"):
            row = in_force([one for one in self.switches if one.sector == name], day)
            if row is not None:
                return row.on
        return False

    def sectors_on(self, day: date) -> tuple[Sector, ...]:
        """The sectors whose firms are tiered on `day` (R10.1)."""
        return tuple(one for one in self.sectors if one.term.covers(day) and self.on(one.id, day))

    def _turns(self, sector: str, today: date) -> Iterable[date]:
        """The last days before a row begins or ends that says whether firms of `sector` are tiered, or which they are."""
        switches = [one.term for one in self.switches if one.sector in (sector, "*")]
        for term in (*switches, *(one.term for one in self.sectors if one.id == sector)):
            if today < term.valid_from:
                yield term.valid_from - timedelta(days=1)
            elif term.valid_to is not None and today <= term.valid_to:
                yield term.valid_to

    def tier(self, firm: Firm, sector: str, today: date) -> Tier | None:
        """The tier of a firm (R10.1), None while tiering is off.

        In this order: D for a place on a serious list; C for a serious record, several general ones in the window or
        a false commitment; N when a source is missing, the firm is young or its age unknown, or an objection would
        decide; A for an honest model, or clean years without open obligations; else B. Facts of associations and
        platforms do not count. Drives how often and how deeply is inspected, nothing else.
        """
        if not self.on(sector, today):
            return None
        policy = the_one(self.policies, today, "policy of tiers")
        known = tuple(one for one in firm.facts if _counts(one, today))
        settled = [one for one in known if not one.under_objection]
        letter, reason = _grave(settled, policy, today)
        if letter is None:
            letter, reason = _light(firm, known, settled, policy, today)
        ends = [end for end in _ends(firm, known, policy, today) if end is not None]
        ends += self._turns(sector, today)
        if policy.term.valid_to is not None:
            ends.append(policy.term.valid_to)
        return Tier(letter, reason, _ids(reason), policy.id, min(ends, default=None))


@cache
def load_tier_rules(text: str | None = None) -> TierRules:
    """The rows of tiering.toml, or of `text`. Raises RulesInvalid, also for a source that is no authority."""
    file = RuleFile("tiering.toml", text)
    rules = TierRules(
        file.rows("switch", _switch), file.rows("sector", _sector), file.rows("policy", _policy)
    )
    file.done()
    known = {"*", *(one.id for one in rules.sectors)}
    if unknown := {one.sector for one in rules.switches} - known:
        raise RulesInvalid(f"tiering.toml: switch: sector {min(unknown)} is unknown")
    disjoint(rules.sectors, "tiering.toml: sector", lambda row: row.id)
    disjoint(rules.switches, "tiering.toml: switch", lambda row: row.sector)
    disjoint(rules.policies, "tiering.toml: policy")
    return rules


def _counts(fact: Fact, today: date) -> bool:
    """Public, of an authority, and usable today: what is repaired or expired does not exist."""
    usable = fact.usable_until is None or today <= fact.usable_until
    return fact.origin_class == _PUBLIC and fact.source in AUTHORITIES and usable and fact.dated <= today


def _grave(facts: Iterable[Fact], policy: Policy, today: date) -> tuple[str | None, tuple[TierCause, ...]]:
    """D or C and why, of facts that are certain."""
    facts = tuple(facts)
    if black := _of(facts, "LIST_ENTRY", {"BLACK"}):
        return "D", (TierCause("SERIOUS_LIST", black),)
    found = []
    recent = [one for one in facts if _within(one.dated, today, policy.window_months)]
    if serious := _of(facts, "RECORD", policy.serious):
        found.append(TierCause("SERIOUS_RECORD", serious))
    general = [one for one in recent if one.kind == "RECORD" and one.grade in policy.general]
    if decisions((one.decision or one.id, one.authority) for one in general) >= policy.general_count:
        found.append(TierCause("GENERAL_RECORDS", _of(general, "RECORD")))
    if false := _of(facts, "FALSE_COMMITMENT"):
        found.append(TierCause("FALSE_COMMITMENT", false))
    return ("C" if found else None), tuple(found)


def _light(
    firm: Firm, known: tuple[Fact, ...], settled: list[Fact], policy: Policy, today: date
) -> tuple[str, tuple[TierCause, ...]]:
    """N, A or B and why, of a firm that nothing certain speaks gravely against."""
    unknown = [TierCause("SOURCE_MISSING", (one,)) for one in sorted(firm.missing_sources & policy.sources)]
    if firm.established_on is None:
        unknown.append(TierCause("FOUNDING_DAY_UNKNOWN"))
    elif _within(firm.established_on, today, policy.young_months):
        unknown.append(TierCause("YOUNG"))
    disputed = tuple(one.id for one in known if one.under_objection)
    if disputed and _best(firm, known, policy, today) != _best(firm, settled, policy, today):
        unknown.append(TierCause("UNDER_OBJECTION", disputed))
    if unknown:
        return "N", tuple(unknown)
    return _best(firm, settled, policy, today)


def _best(
    firm: Firm, facts: Iterable[Fact], policy: Policy, today: date
) -> tuple[str, tuple[TierCause, ...]]:
    """The tier, were these facts all and certain."""
    facts = tuple(facts)
    letter, reasons = _grave(facts, policy, today)
    if letter is not None:
        return letter, reasons
    recent = [one for one in facts if _within(one.dated, today, policy.window_months)]
    bad = _of(recent, "RECORD", policy.serious | policy.general) + _of(facts, "LIST_ENTRY", {"WATCH"})
    if red := _of(facts, "LIST_ENTRY", {"RED"}):
        return "A", (TierCause("HONEST_MODEL", red),)
    open_ = _of(facts, "OBLIGATION")
    young = firm.established_on is None or _within(firm.established_on, today, policy.window_months)
    against = [TierCause("ADVERSE_RECORD", bad)] if bad else []
    against += [TierCause("OPEN_OBLIGATION", open_)] if open_ else []
    against += [TierCause("YOUNGER_THAN_WINDOW")] if young else []
    return ("B", tuple(against)) if against else ("A", (TierCause("CLEAN_YEARS"),))


def _ends(firm: Firm, known: tuple[Fact, ...], policy: Policy, today: date) -> Iterable[date | None]:
    """The last days of what time alone changes: facts that expire or leave the window, ages that are reached."""
    for one in known:
        yield one.usable_until
        if one.kind == "RECORD" and _within(one.dated, today, policy.window_months):
            yield _last_within(one.dated, policy.window_months)
    if firm.established_on is not None:
        for months in (policy.young_months, policy.window_months):
            if _within(firm.established_on, today, months):
                yield _last_within(firm.established_on, months)


def _within(day: date, today: date, months: int) -> bool:
    """Whether `day` lies in the window of `months` that ends today; the window's first day does not count."""
    return add_months(today, -months) < day


def _last_within(day: date, months: int) -> date:
    """The last day whose window of `months` holds `day`."""
    last = add_months(day, months)
    return last if _within(day, last, months) else last - timedelta(days=1)


def _of(facts: Iterable[Fact], kind: str, grades: Iterable[str] | None = None) -> tuple[str, ...]:
    wanted = None if grades is None else frozenset(grades)
    return tuple(
        sorted(one.id for one in facts if one.kind == kind and (wanted is None or one.grade in wanted))
    )


def _ids(reasons: Iterable[TierCause]) -> tuple[str, ...]:
    return tuple(sorted({name for one in reasons if one.code != "SOURCE_MISSING" for name in one.ids}))


def _switch(row: Row) -> Switch:
    return Switch(row.text("sector"), row.flag("on"), row.term())


def _sector(row: Row) -> Sector:
    sector = Sector(row.text("id"), row.text("zh"), row.texts("industries"), row.term())
    if not sector.industries or not all(code.isdigit() for code in sector.industries):
        raise RulesInvalid(f"{row.where}: industries are codes of digits")
    return sector


def _policy(row: Row) -> Policy:
    policy = Policy(
        row.text("id"),
        row.number("window_months"),
        frozenset(row.texts("serious", ("SERIOUS", "GENERAL", "MINOR", "UNCLASSIFIED"))),
        frozenset(row.texts("general", ("SERIOUS", "GENERAL", "MINOR", "UNCLASSIFIED"))),
        row.number("general_count"),
        row.number("young_months"),
        frozenset(row.texts("sources")),
        row.term(),
    )
    if not policy.sources or not policy.sources <= AUTHORITIES:
        raise RulesInvalid(f"{row.where}: sources are not all public authorities")
    return policy
