"""Rights in plain words: what a caller gets of a row, asked of the policy for every row and class anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from hub.rights.matrix import Level, Scope
from hub.rights.policy import Decision
from hub.rights.view import View
from tests.reference.rows import FACTS, Row, Store

# Facts, and what live sources tell like facts.
TOLD = FACTS | {"anomaly"}
# Data of natural persons: a consent to hand it on must be a separate one (个人信息保护法 art. 23, 29).
OF_PERSONS = frozenset({"D3", "D5", "D8", "D11", "D29"})
# Classes of the records that a natural person is known by, and may be seen for.
MENTIONS = {"record": ("D5", "D8"), "list_entry": ("D11",)}
TYPES = {
    "LEGAL_PERSON": "Organization", "UNINCORPORATED_ORGANIZATION": "Organization",
    "INDIVIDUAL_BUSINESS": "IndividualBusiness", "NATURAL_PERSON": "NaturalPerson",
    "LICENSE": "AdministrativeLicense", "PENALTY": "AdministrativePenalty", "GENERIC": "GenericCreditRecord",
}  # fmt: skip
COLOR_CLASS = {"BLACK": "D10", "WATCH": "D12", "RED": "D13"}


@dataclass(frozen=True)
class RowFacts:
    """What is true of one row for one caller."""

    in_region: bool = False
    member: bool = False
    merchant: bool = False
    self_: bool = False
    own_source: bool = False
    party: bool = False
    consented: bool = False

    def all_hold(self, scopes: Iterable[Scope]) -> bool:
        """Whether every one of `scopes` holds for the row."""
        holds = {
            Scope.OWN_REGION: self.in_region,
            Scope.OWN_MEMBER: self.member,
            Scope.OWN_MERCHANT: self.merchant,
            Scope.SELF: self.self_,
            Scope.OWN_SOURCE: self.own_source,
            Scope.PARTY: self.party,
            Scope.CONSENT: self.consented,
        }
        return all(holds[scope] for scope in scopes)


def row_level(decision: Decision, facts: RowFacts) -> Level:
    """The level of one row: the strongest grant all of whose scopes hold for it."""
    return max((grant.level for grant in decision.grants if facts.all_hold(grant.scopes)), default=Level.NONE)


@dataclass(frozen=True)
class Asker:
    """Who asks: the view, and what the agreement and the token say beside it."""

    view: View
    partner: str
    partner_class: str
    regions: Sequence[str]
    self_code: str | None
    own_source: str | None
    purpose: str
    today: date
    now: datetime
    incomplete: Sequence[str] = ()


@dataclass(frozen=True)
class Rights:
    """What `asker` may see of `store`."""

    asker: Asker
    store: Store
    # What is true of every row about a subject for the question of a class: the store does not change.
    _of_subjects: dict[tuple[int, str], RowFacts] = field(default_factory=dict)

    def facts(self, subject: Row | None, fact: Row | None, data_class: str) -> RowFacts:
        """What is true of a row about `subject`, for the question of `data_class`."""
        asker = self.asker
        if subject is None:
            return RowFacts()
        key = (subject["subject_id"], data_class)
        if key not in self._of_subjects:
            self._of_subjects[key] = self._of_subject(subject, data_class)
        known = self._of_subjects[key]
        if fact is None:
            return known
        return replace(
            known,
            own_source=asker.own_source is not None and fact["source"] == asker.own_source,
            party=fact["source"] == "ECOMMERCE_PLATFORM"
            and "archive_type" in fact
            and fact["source_record_id"].startswith(f"{asker.partner}:"),
        )

    def _of_subject(self, subject: Row, data_class: str) -> RowFacts:
        asker = self.asker
        id_, region = subject["subject_id"], subject["region_code"]
        return RowFacts(
            in_region=region is not None and any(region.startswith(one) for one in asker.regions),
            member=self._affiliated(id_, "MEMBER"),
            merchant=self._affiliated(id_, "MERCHANT"),
            self_=subject["uscc"] is not None and subject["uscc"] == asker.self_code,
            consented=self._consented(id_, data_class),
        )

    def _affiliated(self, subject_id: int, kind: str) -> bool:
        return any(
            row["kind"] == kind
            and row["partner"] == self.asker.partner
            and row["valid_from"] <= self.asker.today
            and (row["valid_to"] is None or self.asker.today <= row["valid_to"])
            for row in self.store.about("affiliation", subject_id)
        )

    def _consented(self, subject_id: int, data_class: str) -> bool:
        asker = self.asker
        return any(
            row["grantee"] == asker.partner
            and asker.purpose in row["purposes"]
            and data_class in row["data_classes"]
            and row["valid_from"] <= asker.now < row["valid_to"]
            and (row["withdrawn_at"] is None or row["withdrawn_at"] > asker.now)
            and (row["separate_consent"] or data_class not in OF_PERSONS)
            for row in self.store.about("consent", subject_id)
        )

    def level(self, data_class: str, subject: Row | None, fact: Row | None = None) -> Level:
        """The level of `data_class` for a row about `subject`."""
        decision = self.asker.view.decisions.get(data_class)
        return Level.NONE if decision is None else row_level(decision, self.facts(subject, fact, data_class))

    def open(self, fact: Row, subject: Row | None, data_class: str) -> bool:
        """Whether the row's openness (公开属性) lets the caller have it."""
        scopes = self.asker.view.sharing.get(fact["sharing_attribute"])
        if scopes is None:
            return False
        return self.facts(subject, fact, data_class).all_hold(scopes)

    def in_use(self, table: str, row: Row) -> bool:
        """Whether the row is in publicity and in use today (Order 36 art. 3: both stop the same day)."""
        today = self.asker.today
        match table:
            case "record":
                end = row["usable_until"]
                return row["lifecycle"] in ("EFFECTIVE", "UNDER_OBJECTION") and (end is None or today <= end)
            case "list_entry":
                end = row["publicity_ends_on"]
                return row["state"] == "PUBLISHED" and (end is None or today <= end)
            case "grade":
                return self._in_term(row) and not any(
                    one["effective_from"] > row["effective_from"]
                    and one["superseded_at"] is None
                    and one["effective_from"] <= self.asker.today
                    and all(one[name] == row[name] for name in ("source", "sharing_attribute"))
                    for one in self.store.about("grade", row["subject_id"])
                    if row["scheme"] == one["scheme"] == "SAFE"
                )
            case "anomaly":
                return row["valid_to"] is None or today <= row["valid_to"]
        return True

    def _in_term(self, grade: Row) -> bool:
        today, end = self.asker.today, grade["effective_to"]
        return grade["effective_from"] <= today and (end is None or today <= end)

    def _ended(self, table: str, row: Row) -> bool:
        """Whether the row was in publicity once: a draft or a proposal never was."""
        if table == "record":
            return row["lifecycle"] != "DRAFT"
        return table == "list_entry" and (
            row["state"] in ("PUBLISHED", "SUSPENDED") or row["state"].startswith("EXITED")
        )

    def shown(
        self,
        table: str,
        row: Row,
        data_class: str | None = None,
        versions: bool = False,
        least: Level = Level.MASKED,
    ) -> Level:
        """The level of a fact or identifier as a row; NONE: it does not exist for the caller, not even at `least`.

        `versions`: the row is a former version, which is shown only while the present one is.
        """
        subject = self.store.subject(row.get("subject_id"))
        named = data_class or row["data_class"]
        level = self.level(named, subject, row if table in TOLD else None)
        if level < least:
            return Level.NONE
        if table in TOLD and not self.open(row, subject, named):
            return Level.NONE
        if not self.in_use(table, row) and not (
            self._ended(table, row) and self.level("D9", subject, row) >= Level.MASKED
        ):
            return Level.NONE
        if versions and table in FACTS and not self.still_shown(table, row, data_class):
            return Level.NONE
        return level

    def still_shown(
        self, table: str, row: Row, data_class: str | None = None, least: Level = Level.MASKED
    ) -> bool:
        """Whether the present version of a fact, of which the row is any, exists for the caller."""
        return any(
            self.shown(table, one, data_class, least=least) is not Level.NONE
            for one in self.store.about(table, row["subject_id"])
            if one["public_id"] == row["public_id"] and one["superseded_at"] is None
        )

    def subject_level(self, subject: Row | None) -> Level:
        """The level of a subject's own row; a natural person has that of the records that mention it."""
        if subject is None or TYPES[subject["kind"]] not in self.asker.view.schema.type_map:
            return Level.NONE
        if subject["kind"] != "NATURAL_PERSON":
            level = self.level("D1", subject)
            return level if level >= Level.MASKED else Level.NONE
        return max(
            (
                self.shown(table, row)
                for table, classes in MENTIONS.items()
                for row in self.store.about(table, subject["subject_id"])
                if row["superseded_at"] is None and row["data_class"] in classes
            ),
            default=Level.NONE,
        )

    def definition_level(self, definition: Row) -> Level:
        """The level of a list's definition: it is about nobody, so what a subject must be does not matter."""
        anybody = RowFacts(in_region=True, member=True, merchant=True, self_=True, consented=True)
        level = row_level(self.asker.view.decisions[COLOR_CLASS[definition["color"]]], anybody)
        return level if level >= Level.MASKED else Level.NONE

    def browsable(self, data_class: str) -> bool:
        """Whether rows of the class may be paged through without naming a subject."""
        return self.asker.view.browse is None or data_class in self.asker.view.browse
