"""Red, watch and black lists: what a list needs to be active, a place on it to be recognized, and what ends it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from hub.rules.calendar import Calendar, end_of
from hub.rules.dated import RuleFile, disjoint, in_force, the_one
from hub.rules.deadlines import due
from hub.rules.eligibility import Adverse, Answer, Facts
from hub.rules.listing_rows import (
    COLORS,
    DurationRow,
    GroundRow,
    LevelRow,
    RedRow,
    TwoDocumentsRow,
    read_duration,
    read_ground,
    read_level,
    read_red,
    read_two_documents,
)
from hub.rules.publicity import add_months

# Entries in these states are in force.
IN_FORCE = ("RECOGNIZED", "PUBLISHED")


@dataclass(frozen=True)
class Definition:
    """A list as its authority defines it. Months: None where the definition sets none."""

    code: str
    color: str
    recognizer: str
    criteria: str
    legal_basis: str
    basis_level: str
    min_months: int | None
    max_months: int | None
    # Codes of measures that follow from it (hub/rules/measures.py).
    measures: tuple[str, ...]
    effective_from: date
    effective_to: date | None = None


@dataclass(frozen=True)
class Proposed:
    """A proposed place on a list, as far as the procedure has come. Days are None while they have not come."""

    color: str
    ground: str | None = None
    notice_document: str | None = None
    served_on: date | None = None
    defended: bool = False
    defence_answered: bool = False
    decision_document: str | None = None
    repair_notice: str | None = None
    # Whether a person recognizes it; data and jobs may only propose.
    by_officer: bool = False


@dataclass(frozen=True)
class Entry:
    """A place on a list."""

    id: str
    subject: str
    color: str
    state: str


@dataclass(frozen=True)
class Conflict:
    """One subject on red and black lists at once."""

    subject: str
    red: tuple[str, ...]
    black: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """A three-valued answer, and (reason code, id) of what it rests on."""

    answer: Answer
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ListRules:
    """The dated rows of listing.toml."""

    levels: tuple[LevelRow, ...]
    durations: tuple[DurationRow, ...]
    grounds: tuple[GroundRow, ...]
    two_documents: tuple[TwoDocumentsRow, ...]
    red: tuple[RedRow, ...]

    def activation_problems(self, definition: Definition, day: date) -> tuple[str, ...]:
        """Why the list may not be used on `day` (R8.1); empty: it may.

        NOT_IN_FORCE, UNKNOWN_COLOR, NO_RECOGNIZER, NO_CRITERIA, NO_LEGAL_BASIS, BASIS_LEVEL_TOO_LOW, NO_DURATION,
        DURATION_OUT_OF_BOUNDS, NO_MEASURES. Every problem is told.
        """
        if definition.color not in COLORS:
            return ("UNKNOWN_COLOR",)
        found = []
        if day < definition.effective_from or (definition.effective_to or day) < day:
            found.append("NOT_IN_FORCE")
        for code, text in (
            ("NO_RECOGNIZER", definition.recognizer),
            ("NO_CRITERIA", definition.criteria),
            ("NO_LEGAL_BASIS", definition.legal_basis),
        ):
            if not text.strip():
                found.append(code)
        if not self.carries(definition.color, definition.basis_level, day):
            found.append("BASIS_LEVEL_TOO_LOW")
        found += self._duration_problems(definition, day)
        # A red list praises; what follows from it is the matter's (R5.4). The others name what they lead to.
        if definition.color != "RED" and not definition.measures:
            found.append("NO_MEASURES")
        return tuple(found)

    def recognition_problems(self, place: Proposed, calendar: Calendar, day: date) -> tuple[str, ...]:
        """Why the place may not be recognized on `day` (R8.2); empty: an officer may.

        AUTOMATIC, NO_GROUND, NO_NOTICE, DEFENCE_RUNNING, DEFENCE_UNANSWERED, NO_DECISION, NO_REPAIR_NOTICE.
        """
        found = []
        if not place.by_officer:
            found.append("AUTOMATIC")
        if place.color == "BLACK" and not self.is_ground(place.ground, day):
            found.append("NO_GROUND")
        if not place.notice_document or place.served_on is None:
            found.append("NO_NOTICE")
        else:
            name = "list.red_notice" if place.color == "RED" else "list.defence"
            if day <= due(name, place.served_on, calendar).on:
                found.append("DEFENCE_RUNNING")
        if place.defended and not place.defence_answered:
            found.append("DEFENCE_UNANSWERED")
        if not place.decision_document:
            found.append("NO_DECISION")
        together = in_force(self.two_documents, day)
        if together is not None and place.color in together.colors and not place.repair_notice:
            found.append("NO_REPAIR_NOTICE")
        return tuple(found)

    def carries(self, color: str, basis_level: str, day: date) -> bool:
        """Whether a legal basis of this level carries a list of the colour on `day` (R8.1)."""
        row = in_force([one for one in self.levels if one.color == color], day)
        return row is not None and basis_level in row.levels

    def is_ground(self, ground: str | None, day: date) -> bool:
        """Whether somebody may be put on a black list for `ground` on `day`."""
        return in_force([row for row in self.grounds if row.code == ground], day) is not None

    def ends_on(self, color: str, max_months: int | None, listed_on: date) -> date:
        """The last day on a list: by its definition (`max_months`), never past the longest of the law of the day (R8.1).

        A place older than the first row of its colour falls under that row, as old records do under the first rule
        set: what was listed before there was a limit does not stand for ever. Raises RulesInvalid: no row holds.
        """
        rows = [row for row in self.durations if row.color == color]
        day = max([listed_on, *sorted(row.term.valid_from for row in rows)[:1]])
        cap = the_one(rows, day, f"duration of {color} lists").max_months
        return add_months(listed_on, cap if max_months is None else min(cap, max_months))

    def red_rule(self, day: date) -> RedRow:
        """What a red list asks of who is on it on `day` (R8.3). Raises RulesInvalid: no row is in force."""
        return the_one(self.red, day, "red lists")

    def nomination(self, facts: Facts, anomalies: Iterable[str], day: date) -> Verdict:
        """Whether the subject may be put on a red list (article 十六): three-valued.

        `anomalies`: ids of its places in the register of abnormal operation (经营异常名录). `facts.adverse` holds
        usable records only: what is repaired or expired does not exist.
        """
        row = self.red_rule(day)
        certain, open_ = _against(facts, anomalies, row.classes, day, row.clean_months)
        if certain:
            return Verdict(Answer.NO, certain)
        missing = tuple(("SOURCE_MISSING", one) for one in facts.missing_sources)
        if open_ or missing:
            return Verdict(Answer.INDETERMINATE, (*open_, *missing))
        return Verdict(Answer.YES)

    def suspensions(self, facts: Facts, anomalies: Iterable[str], day: date) -> tuple[tuple[str, str], ...]:
        """Why an entry of a red list is suspended on the daily re-check (R8.3); empty: it stands.

        Suspension comes first, then notice, then exit: an objection or a missing source suspends nothing.
        """
        row = self.red_rule(day)
        return _against(facts, anomalies, row.suspends, day, row.clean_months)[0]

    def _duration_problems(self, definition: Definition, day: date) -> list[str]:
        least, most = definition.min_months, definition.max_months
        if most is None or (least is None and definition.color == "BLACK"):
            return ["NO_DURATION"]
        row = in_force([one for one in self.durations if one.color == definition.color], day)
        if row is None or not row.min_months <= (least or 0) <= most <= row.max_months:
            return ["DURATION_OUT_OF_BOUNDS"]
        return []


def conflicts(entries: Iterable[Entry]) -> tuple[Conflict, ...]:
    """The subjects that are on a red and a black list at once, for a person to decide (R8.4)."""
    by_subject: dict[str, dict[str, list[str]]] = {}
    for one in entries:
        if one.state in IN_FORCE:
            by_subject.setdefault(one.subject, {}).setdefault(one.color, []).append(one.id)
    return tuple(
        Conflict(subject, tuple(sorted(colors["RED"])), tuple(sorted(colors["BLACK"])))
        for subject, colors in sorted(by_subject.items())
        if "RED" in colors and "BLACK" in colors
    )


def exit_alarms(
    exited_on: date, acknowledged: Mapping[str, datetime | None], calendar: Calendar, now: datetime
) -> tuple[str, ...]:
    """The channels that did not confirm an exit by the end of its day: each is an alarm of the first rank (R8.5).

    `acknowledged`: by channel, when it confirmed; moments carry their time zone. Confirmed late, it is over.
    """
    if now < end_of(due("delivery.exit", exited_on, calendar).on):
        return ()
    return tuple(sorted(channel for channel, at in acknowledged.items() if at is None or at > now))


def load_list_rules(text: str | None = None) -> ListRules:
    """The rows of listing.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("listing.toml", text)
    rules = ListRules(
        file.rows("level", read_level),
        file.rows("duration", read_duration),
        file.rows("ground", read_ground),
        file.rows("two_documents", read_two_documents),
        file.rows("red", read_red),
    )
    file.done()
    disjoint(rules.levels, "listing.toml: level", lambda row: row.color)
    disjoint(rules.durations, "listing.toml: duration", lambda row: row.color)
    disjoint(rules.grounds, "listing.toml: ground", lambda row: row.code)
    disjoint(rules.two_documents, "listing.toml: two_documents")
    disjoint(rules.red, "listing.toml: red")
    return rules


def _against(
    facts: Facts, anomalies: Iterable[str], classes: frozenset[str], day: date, months: int
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """What certainly speaks against a red entry, and what may: (reason code, id) each."""
    certain = [(f"LIST_{one.color}", one.id) for one in facts.listings if one.color in ("BLACK", "WATCH")]
    certain += [("ABNORMAL_OPERATION", one) for one in anomalies]
    open_: list[tuple[str, str]] = []
    for one in facts.adverse:
        if not _within(one, day, months):
            continue
        if one.breach or one.seriousness in classes:
            (open_ if one.under_objection else certain).append(
                ("UNDER_OBJECTION" if one.under_objection else "ADVERSE_RECORD", one.id)
            )
        elif one.seriousness == "UNCLASSIFIED":
            open_.append(("UNCLASSIFIED_RECORD", one.id))
    return tuple(certain), tuple(open_)


def _within(record: Adverse, day: date, months: int) -> bool:
    return add_months(day, -months) < record.decided_on <= day
