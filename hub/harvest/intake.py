"""From a raw row to what is stored: validation, data class, seriousness, last day of use, digest. Pure."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import orjson

from connectors.contract import Connector, Item, Kind, NamesPersons, NamesRecords, RawRow, RowRejected, Source
from hub.harvest.catalogue import Catalogue
from hub.harvest.classes import data_class_of
from hub.harvest.columns import PLACES, TABLES, day_of, fill
from hub.harvest.drafts import SubjectDraft, authority_code, draft_subject
from hub.harvest.periods import period_in
from hub.harvest.understood import Prepared, Rejected
from hub.rules.archives import NEVER_STORED, is_ruled, rule_of
from hub.rules.certificates import CertificateRules
from hub.rules.listing import ListRules
from hub.rules.publicity import PublicityRules
from hub.rules.redactor import contact_in, person_number_in
from hub.store.values import SERIOUSNESS

# A source's clock may be ahead of the hub's, and rows change while they are read.
_AHEAD = timedelta(days=1)
_DAMAGED = "\ufffd".encode()
_TEXTS_SHOWN = ("facts", "content", "violation_type", "basis")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """What rows of one source are checked against. `cleared`: a person has read the texts (R7.3)."""

    source: Source
    catalogue: Catalogue
    rules: PublicityRules
    lists: ListRules
    certificates: CertificateRules
    now: datetime
    today: date
    cleared: bool = False

    def prepare(self, connector: Connector, rows: Sequence[RawRow]) -> list[Prepared | Rejected]:
        """Each row understood or rejected, in order. Never raises for what a row holds."""
        return [self._prepare(connector, row) for row in rows]

    def _prepare(self, connector: Connector, row: RawRow) -> Prepared | Rejected:
        try:
            return self.understand(row, connector.canonical(row))
        except RowRejected as error:
            return self._called(
                connector, Rejected(row, error.code, error.reason, _persons_in(connector, row))
            )
        except Exception as error:
            # A defect of the connector costs the row, not the harvest; the words may hold the row's values.
            _log.warning("%s: %s in canonical()", self.source.name, type(error).__name__)
            reason = f"the connector failed with {type(error).__name__}"
            rejected = Rejected(row, "CONNECTOR_DEFECT", reason, _persons_in(connector, row))
            return self._called(connector, rejected)

    def _called(self, connector: Connector, rejected: Rejected) -> Rejected:
        """With what it tells of, as far as that can be read."""
        row = rejected.row
        if isinstance(connector, NamesRecords):
            # Whatever is wrong with the row may be wrong with its name, too.
            with suppress(Exception):
                return replace(rejected, called=self.understand(row, connector.withdrawn(row)).called)
        return rejected

    def understand(self, row: RawRow, item: Item) -> Prepared:
        """What is stored of `item`. Raises RowRejected."""
        table = TABLES[item.kind].name
        if not item.source_record_id or len(item.source_record_id) > 200:
            raise RowRejected("NO_RECORD_ID", "the source's name for the record is empty or too long")
        if person_number_in(item.source_record_id.encode(errors="replace")):
            # Also of one that is withdrawn, of which nothing else is kept.
            raise RowRejected(
                "PERSON_NUMBER_IN_TEXT",
                "the source's name for the record holds what looks like a resident ID number",
            )
        # Of what is withdrawn, and of a row that is not understood, these alone are kept or looked for.
        told = item.values.values() if item.deleted else ()
        if not all(_is_text(one) for one in (item.source_record_id, *told) if isinstance(one, str)):
            raise RowRejected(
                "NOT_TEXT", "what names the record is no Unicode text, or holds the character NUL"
            )
        moment = self._changed_at(item)
        period = period_in(item.values.get("items"), item.period_code), item.period_code
        if item.deleted:
            return self._withdrawal(row, item, table, moment, period)
        sharing = self.catalogue.sharing.get(item.catalog_item_code)
        if sharing is None:
            raise RowRejected("UNKNOWN_ITEM", "the item is not in the catalogue of credit information")
        subject, flags = draft_subject(item.subject, self.today)
        values, noticed = self._values(item)
        flags = (*item.flags, *flags, *noticed)
        if flags and table == "record":
            values["details"] = {**_mapping(values.get("details")), "flags": list(dict.fromkeys(flags))}
        data_class = data_class_of(self.source, item, values)
        columns = fill(table, values)
        if item.kind is Kind.ARCHIVE:
            _check_archive(values, data_class, self.today)
        digest = self._digest(item, subject, data_class, sharing, columns)
        if item.kind is Kind.ARCHIVE:
            # Of the digest is what the row says: the same one, read on another day, is no change.
            columns = self._changed_by_today(columns)
        return Prepared(
            row, table, item.source_record_id, False, digest, subject, data_class, item.catalog_item_code,
            sharing, moment, columns, item.by_decision, {}, *period,
        )  # fmt: skip

    def _withdrawal(
        self, row: RawRow, item: Item, table: str, moment: datetime | None, period: tuple[str, str]
    ) -> Prepared:
        """What is withdrawn, by its name; also by what it is and whose, where it may be kept under another name."""
        subject, told = None, dict[str, object]()
        if item.by_decision:
            with suppress(RowRejected):
                subject = draft_subject(item.subject, self.today)[0]
                authority = item.values.get("authority_uscc")
                code = authority_code(authority if isinstance(authority, str) else None)
                told = {**item.values, "kind": item.kind.value, "authority_uscc": code}
        return Prepared(
            row, table, item.source_record_id, True, "", subject, "", "", "PUBLIC", moment, (), item.by_decision, told, *period
        )  # fmt: skip

    def _changed_at(self, item: Item) -> datetime | None:
        """When the row changed as its source says, and no later than it was read: else no correction would be newer."""
        said = item.source_updated_at
        return self.now if said is not None and said > self.now + _AHEAD else said

    def _digest(
        self, item: Item, subject: SubjectDraft, data_class: str, sharing: str, columns: tuple[object, ...]
    ) -> str:
        """SM3 of the canonical row: what changes it makes a new version, a re-delivery does not."""
        try:
            text = orjson.dumps((item.kind, subject.name, columns), default=_plain)
            who = orjson.dumps((subject.kind, subject.region, [(k.scheme, k.value) for k in subject.keys]))
        except TypeError:
            raise RowRejected("NOT_TEXT", "a value is no Unicode text") from None
        if b"\\u0000" in text:
            raise RowRejected("NOT_TEXT", "a value holds the character NUL")
        if _DAMAGED in text:
            raise RowRejected("NOT_TEXT", "a value holds the sign for a damaged character (U+FFFD)")
        if not self.cleared and person_number_in(text):
            raise RowRejected("PERSON_NUMBER_IN_TEXT", "a text holds what looks like a resident ID number")
        digest = hashlib.new("sm3", text)
        digest.update(who)
        digest.update(orjson.dumps((item.catalog_item_code, data_class, sharing)))
        return digest.hexdigest()

    def _values(self, item: Item) -> tuple[dict[str, object], tuple[str, ...]]:
        values = dict(item.values)
        flags: tuple[str, ...] = ()
        if item.kind in (Kind.LICENSE, Kind.PENALTY, Kind.GENERIC):
            flags = self._complete_record(item, values)
        elif item.kind is Kind.LIST_ENTRY:
            self._complete_entry(values)
        elif item.kind is Kind.GRADE and values.get("scheme") == "ASSOCIATION":
            self._complete_evaluation(values)
        elif item.kind is Kind.ARCHIVE and (day_of(values.get("opened_on")) or self.today) > self.today:
            raise RowRejected("DATE_FUTURE", "opened_on lies ahead")
        return values, flags

    def _complete_record(self, item: Item, values: dict[str, object]) -> tuple[str, ...]:
        """Kind, class and last day of use of a record, and the checks on its texts and authority."""
        flags: tuple[str, ...] = ()
        values["kind"] = item.kind.value
        authority = values.get("authority_uscc")
        values["authority_uscc"] = authority_code(authority if isinstance(authority, str) else None)
        decided = day_of(values.get("decided_on"))
        if decided is None:
            raise RowRejected("MISSING", "decided_on is empty")
        seriousness = values.get("seriousness")
        if item.kind is Kind.LICENSE:
            seriousness = "NOT_ADVERSE"
        elif seriousness is None:
            kinds = values.get("categories")
            simple = values.get("simple_procedure") is True
            seriousness, flags = self.rules.classify(kinds if isinstance(kinds, list) else (), simple)
        if seriousness not in SERIOUSNESS:
            raise RowRejected("UNKNOWN_VALUE", "seriousness has a value that the hub does not know")
        values["seriousness"] = seriousness
        # The authority may end the use earlier than the rules do, never later.
        ends = [day_of(values.get("usable_until")), self.rules.usable_until(decided, str(seriousness))]
        if seriousness == "NOT_ADVERSE":
            ends.append(day_of(values.get("valid_to")))
        values["usable_until"] = min((end for end in ends if end is not None), default=None)
        if values.get("lifecycle") == "UNDER_OBJECTION":
            values["under_objection"] = True
        details = _mapping(values.get("details"))
        shown = " ".join(str(details[name]) for name in _TEXTS_SHOWN if details.get(name))
        if not self.cleared and contact_in(shown):
            raise RowRejected("CONTACT_IN_TEXT", "a text holds a mobile or bank card number: to be cleared")
        return flags

    def _complete_entry(self, values: dict[str, object]) -> None:
        """Color and end of publicity of a place on a list that the hub knows (R8.1)."""
        rule = self.catalogue.lists.get(str(values.get("list_code")))
        if rule is None:
            raise RowRejected("UNKNOWN_LIST", "the list has no definition with a legal basis")
        if values.setdefault("color", rule.color) != rule.color:
            raise RowRejected("LIST_COLOR", "the list is of another color")
        for name in ("recognized_on", "exited_on"):
            if (day_of(values.get(name)) or self.today) > self.today:
                # Whoever is to leave the list some day is on it, and whoever is to come is not: which it is, the row does not say.
                raise RowRejected("DATE_FUTURE", f"{name} lies ahead")
        begun = day_of(values.get("recognized_on")) or day_of(values.get("publicity_from"))
        if begun is not None:
            bound = self.lists.ends_on(rule.color, rule.max_publicity_months, begun)
            values["publicity_ends_on"] = min(day_of(values.get("publicity_ends_on")) or bound, bound)

    def _complete_evaluation(self, values: dict[str, object]) -> None:
        """Numbering and last day of what an association evaluated (R14.1)."""
        graded = day_of(values.get("effective_from"))
        scheme = self.certificates.scheme(graded) if graded is not None else None
        if graded is None or scheme is None:
            raise RowRejected("CERTIFICATE", "no numbering of certificates was in force on its day")
        values["ruleset_version"], values["effective_to"] = scheme.id, scheme.last_day(graded)

    def _changed_by_today(self, columns: tuple[object, ...]) -> tuple[object, ...]:
        """The columns of an archive, which changed no later than it was read."""
        place = PLACES["archive"]["last_updated_on"]
        changed = day_of(columns[place])
        if changed is None or changed <= self.today:
            return columns
        return (*columns[:place], self.today, *columns[place + 1 :])


def _is_text(value: str) -> bool:
    """Whether the store can keep it."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def _persons_in(connector: Connector, row: RawRow) -> Collection[str]:
    return connector.persons_in(row) if isinstance(connector, NamesPersons) else ()


def _check_archive(values: Mapping[str, object], data_class: str, today: date) -> None:
    """An archive stands under the class and the label of its type (R12.1, R14.1). Raises RowRejected."""
    if data_class in NEVER_STORED:
        raise RowRejected("NEVER_STORED", "the archive of a domestic worker is asked live, never kept")
    archive_type = str(values.get("archive_type"))
    rule = rule_of(archive_type, today)
    if rule is None:
        if is_ruled(archive_type):
            raise RowRejected("NO_RULE_SET", "no rule for archives of this type is in force today")
        # Its catalogue item's class decides alone.
        return
    if rule.data_class != data_class:
        raise RowRejected("ARCHIVE_CLASS", "archives of this type have another data class")
    if rule.origin_class != (values.get("origin_class") or "PUBLIC_CREDIT"):
        raise RowRejected("ORIGIN_CLASS", "archives of this type stand in the other section")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _plain(value: object) -> str:
    """Decimals as text; orjson knows all other types that columns take."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError
