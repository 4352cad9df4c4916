"""State machines as data: the states of a mechanism, and the only steps between them. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from hub.errors import RulesInvalid
from hub.rules.calendar import Calendar, Due
from schema.characters import is_readable
from schema.governance import Capability

D = TypeVar("D")

# Role of the partner that handles a case; it may take every step that names no other role.
HANDLER = "HANDLER"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who takes a step, and for what: the caller of a request, or the hub itself when a deadline falls."""

    partner: str
    officer: str
    # The partner's name, as its agreement has it.
    name: str = ""
    capabilities: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    # Beginnings of the codes of its regions.
    regions: tuple[str, ...] = ()
    # Code of the subject that it speaks for (P10).
    subject: str | None = None
    purpose: str = ""
    matter: str | None = None
    case_number: str | None = None
    # The hub's own work: needs no capability and is no party.
    system: bool = False

    def is_officer(self, name: str) -> bool:
        """Whether this is the officer `name`, however an issuer spells it: by letters, width, or what nobody sees.

        Who logs in as Zhang.San and as zhang.san is one person, and no second one.
        """
        return _folded(self.officer) == _folded(name)


@dataclass(frozen=True)
class Case(Generic[D]):
    """A case as it stands; `details` is the frozen dataclass of its mechanism."""

    case_id: int
    public_id: str
    mechanism: str
    number: str
    subject_id: int | None
    state: str
    owner: str
    region_code: str | None
    opened_at: datetime
    due_on: date | None
    due_is_provisional: bool
    ruleset: str
    details: D
    target_public_id: str | None
    version: int


@dataclass(frozen=True)
class Step:
    """What a guard and an effect may look at beside the case: who, what was given, when, by which calendar."""

    actor: Actor
    inputs: Mapping[str, Any]
    now: datetime
    # Calendar day of `now` in Asia/Shanghai.
    today: date
    calendar: Calendar


@dataclass(frozen=True)
class Delivery:
    """Something that must reach a channel or a partner; `key` tells the receiver repetitions."""

    channel: str
    payload: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class NewFact:
    """A fact that the step makes: a row of record, list_entry, grade or archive, by column."""

    table: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class ChangedFact:
    """A fact that the step changes: its current version is superseded by one with these columns changed."""

    table: str
    public_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Opening:
    """Another case that the step opens, of the machine named `mechanism`."""

    mechanism: str
    subject_id: int | None
    details: Any
    target_public_id: str | None = None
    # Partners that have to do with it: (partner, role). The handler is the owner of the case that opens it.
    parties: tuple[tuple[str, str], ...] = ()
    due: Due | None = None


@dataclass(frozen=True, kw_only=True)
class Effects:
    """All that a step writes beside the state and its event."""

    # Members of the details that change.
    details: Mapping[str, Any] = field(default_factory=dict)
    # The deadline from now on; None: none. Left out: as it was, or as the transition's `deadline` says.
    due: Due | str | None = "KEEP"
    parties: tuple[tuple[str, str], ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    facts: tuple[NewFact | ChangedFact, ...] = ()
    openings: tuple[Opening, ...] = ()
    # What the event tells beside reason and document number.
    payload: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Effects()


@dataclass(frozen=True)
class Recount:
    """A deadline counted in working days from its starting day, and the days in the details that are counted alike."""

    due: Due
    details: Mapping[str, Any] = field(default_factory=dict)


# The deadline that runs in a state of a mechanism, counted by this calendar; None: it is no count of days.
Counting = Callable[[Case[Any], Calendar], Recount | None]

# The refusal's reason code, or None when the step may be taken.
Guard = Callable[[Case[Any], Step], str | None]
Effect = Callable[[Case[Any], Step], Effects]


def _folded(name: str) -> str:
    wide = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in wide if is_readable(one) and not one.isspace())


def always(_: Case[Any], __: Step) -> str | None:
    """The guard of a step that only the state decides."""
    return None


def second_person(guard: Guard = always) -> Guard:
    """The guard of a review: it is another officer's than the draft (`drafted_by` of the details), and `guard` holds."""

    def admitted(case: Case[Any], step: Step) -> str | None:
        if step.actor.is_officer(case.details.drafted_by):
            return "SECOND_PERSON_NEEDED"
        return guard(case, step)

    return admitted


def nothing(_: Case[Any], __: Step) -> Effects:
    """The effect of a step that only changes the state."""
    return NOTHING


@dataclass(frozen=True, kw_only=True)
class State:
    """A state, with the Chinese and English words of diagrams and screens."""

    name: str
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A step: from which states, to which, who may take it, what it needs, what it writes, by which rules."""

    name: str
    zh: str
    en: str
    sources: frozenset[str]
    # Equal to the source, or None: the state stays, and the event is written all the same.
    target: str | None
    capability: Capability
    # Roles in case_party of which the actor's partner must have one.
    parties: frozenset[str] = frozenset({HANDLER})
    # Inputs that must be given and not empty; `reason` and `document_number` go into the event.
    requires: tuple[str, ...] = ()
    guard: Guard = always
    effect: Effect = nothing
    # Name of a row of deadlines.toml: sets the case's deadline from today.
    deadline: str | None = None
    # R5.1 …, or the article where none of its sentences has a number.
    rules: tuple[str, ...] = ()

    def leads(self, source: str) -> str:
        """The state after this step from `source`."""
        return self.target or source


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A mechanism: its states and transitions, its data class, and how its cases are numbered."""

    mechanism: str
    zh: str
    en: str
    # Begins the numbers of its cases, such as QHSC.
    series: str
    data_class: str
    # The frozen dataclass of its details; members are JSON values, dates, moments or such dataclasses.
    details: type
    states: tuple[State, ...]
    initial: str
    final: frozenset[str]
    transitions: tuple[Transition, ...]
    # The dated rule set that new cases come under, by the day they are opened.
    ruleset: Callable[[date], str]
    rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a table with a hole: unknown states, a way out of an end, a state that cannot be reached."""
        names = [state.name for state in self.states]
        said = {self.initial, *self.final}
        for transition in self.transitions:
            targets = set(map(transition.leads, transition.sources))
            said |= transition.sources | targets
            if transition.sources & self.final and targets - self.final:
                raise RulesInvalid(f"{self.mechanism}.{transition.name} leads out of a final state")
        if len(set(names)) < len(names) or said - set(names):
            raise RulesInvalid(f"{self.mechanism}: states said twice or unknown: {said - set(names)}")
        steps = [transition.name for transition in self.transitions]
        if len(set(steps)) < len(steps):
            raise RulesInvalid(f"{self.mechanism}: a transition is said twice")
        reached = {self.initial}
        while more := self.next_to(reached) - reached:
            reached |= more
        if set(names) - reached:
            raise RulesInvalid(f"{self.mechanism}: never reached: {set(names) - reached}")

    def next_to(self, states: Set[str]) -> set[str]:
        """The states that a step from one of `states` leads to."""
        return {one.leads(source) for one in self.transitions for source in one.sources & states}

    def step(self, name: str) -> Transition:
        """The transition called `name`. Raises RulesInvalid: callers name transitions of the table."""
        for transition in self.transitions:
            if transition.name == name:
                return transition
        raise RulesInvalid(f"{self.mechanism} has no transition {name}")
