"""The three-valued summary of a subject, question by question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.rights.matrix import Level
from tests.reference.rights import Rights
from tests.reference.rows import Row, believed


@dataclass(frozen=True)
class Question:
    """What is asked of a subject's facts."""

    data_class: str
    # The class of the same facts about a natural person.
    of_persons: str
    table: str
    says_yes: Callable[[Row], bool]
    # The sources without any of which a “no” is not said.
    sources: frozenset[str]


# Whose rows are entries of red, watch and black lists.
LISTERS = frozenset({"CREDIT_PLATFORM"})
QUESTIONS = {
    "hasSeriousDishonestyEntry": Question(
        "D10", "D11", "list_entry", lambda row: row["color"] == "BLACK", LISTERS | {"MARKET_REGULATION"}
    ),
    "hasTaxViolationEntry": Question(
        "D18",
        "D18",
        "list_entry",
        lambda row: row["source"] == "TAX" and row["color"] == "BLACK",
        frozenset({"TAX"}),
    ),
    "hasWatchListEntry": Question("D12", "D12", "list_entry", lambda row: row["color"] == "WATCH", LISTERS),
    "isHonestModel": Question("D13", "D13", "list_entry", lambda row: row["color"] == "RED", LISTERS),
    "hasPublicPenalty": Question(
        "D6",
        "D8",
        "record",
        lambda row: row["kind"] == "PENALTY",
        frozenset({"COMMERCE", "MARKET_REGULATION"}),
    ),
    "taxGradeIsD": Question(
        "D17",
        "D17",
        "grade",
        lambda row: (row["scheme"], row["grade_code"]) == ("TAX", "D"),
        frozenset({"TAX"}),
    ),
}


def summary(rights: Rights, subject: Row, type_name: str, name: str, as_of: datetime | None = None) -> object:
    """The answer to one field of CreditSummary about a subject that the caller sees.

    How sources stood at an earlier moment, and what was in doubt then, is not kept: of it nothing is denied or counted.
    """
    if name == "incompleteSources":
        if as_of is not None:
            return None
        asked = {
            source
            for field, one in QUESTIONS.items()
            if f"CreditSummary.{field}" in rights.asker.view.visible
            for source in one.sources
        }
        doubted = {
            source
            for field, one in QUESTIONS.items()
            if f"CreditSummary.{field}" in rights.asker.view.visible
            # Of a question that is not answered about this subject it is not told either what stands in its way.
            and rights.level(_class_of(one, type_name), subject) >= Level.YES_NO
            for source in _doubted(subject, one)
        }
        return sorted(asked.intersection(rights.asker.incomplete) | doubted)
    question = QUESTIONS["hasPublicPenalty" if name == "publicPenaltyCount" else name]
    if type_name == "NaturalPerson" and question.sources == {"TAX"}:
        # It tells of no person: nothing is denied of one.
        return None
    data_class = _class_of(question, type_name)
    level = rights.level(data_class, subject)
    if level < (Level.FULL if name == "publicPenaltyCount" else Level.YES_NO):
        return None
    found = [
        row
        for row in rights.store.about(question.table, subject["subject_id"])
        if row["data_class"] == data_class
        and _says_something(rights, question.table, row, as_of)
        and rights.open(row, subject, data_class)
        and rights.in_use(question.table, row)
        and question.says_yes(row)
    ]
    if name == "taxGradeIsD":
        found = [
            row for row in found if not any(_later(one, row) for one in _tax_grades(rights, subject, as_of))
        ]
    missing = (
        as_of is not None
        or question.sources.intersection(rights.asker.incomplete)
        or _doubted(subject, question)
    )
    if name == "publicPenaltyCount":
        if missing:
            return None
        return _decisions(found)
    if found:
        return "YES"
    return "INDETERMINATE" if missing else "NO"


def _class_of(question: Question, type_name: str) -> str:
    """The class of the facts that the question is about, of such a subject."""
    return question.of_persons if type_name == "NaturalPerson" else question.data_class


def _says_something(rights: Rights, table: str, row: Row, as_of: datetime | None) -> bool:
    """Whether the hub believed this version, and the present one may still say something to this caller."""
    return believed(row, as_of) and (as_of is None or rights.still_shown(table, row, least=Level.YES_NO))


def _tax_grades(rights: Rights, subject: Row, as_of: datetime | None) -> list[Row]:
    """The tax grades in force that may say something to this caller, be it no more than that there is a later one."""
    return [
        row
        for row in rights.store.about("grade", subject["subject_id"])
        if row["scheme"] == "TAX"
        and _says_something(rights, "grade", row, as_of)
        and row["data_class"] in ("D16", "D17")
        and rights.level(row["data_class"], subject) >= Level.YES_NO
        and rights.open(row, subject, row["data_class"])
        and rights.in_use("grade", row)
    ]


def _later(one: Row, other: Row) -> bool:
    """Whether a grade is of a later year, or of a later day of the same; of one without a year nobody knows."""
    if one["period"] == other["period"]:
        return bool(one["effective_from"] > other["effective_from"])
    return None not in (one["period"], other["period"]) and bool(one["period"] > other["period"])


def _decisions(penalties: list[Row]) -> int:
    """How many decisions they are of: of one number as many as there are authorities' codes, else names."""
    counted = 0
    for number in {row["document_number"] or row["public_id"] for row in penalties}:
        alike = [row for row in penalties if (row["document_number"] or row["public_id"]) == number]
        codes = {row["authority_uscc"] for row in alike} - {None}
        names = {row["authority_name"] for row in alike} - {None}
        counted += len(codes or names) or 1
    return counted


def _doubted(subject: Row, question: Question) -> list[str]:
    """The sources that sent of the subject what nobody understood, and that may have been about what is asked."""
    return list((subject["in_doubt"] or {}).get(question.data_class, ()))
