"""graphql-core over the schema of a view, with resolvers that look at plain rows and ask for rights cell by cell."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from graphql import DocumentNode, GraphQLResolveInfo, execute_sync

from hub.rights.matrix import Level
from schema.checks import fold
from schema.governance import HOLDER, OPEN, ROW, Need, Rule, Shape
from schema.persons import hmac_sm3
from tests.reference.ids import public
from tests.reference.masks import masked
from tests.reference.rights import TYPES, Asker, Rights
from tests.reference.rows import Row, Store, believed
from tests.reference.summary import summary
from tests.worlds import ID_KEY

SHANGHAI = ZoneInfo("Asia/Shanghai")
LETTERS = {
    "subject": "s",
    "record": "r",
    "list_entry": "l",
    "grade": "g",
    "archive": "a",
    "anomaly": "x",
    "list_definition": "d",
}
_TOLD = (
    "display_name",
    "registration_status",
    "established_on",
    "industry_code",
    "legal_representative_name",
)


@dataclass(frozen=True)
class Thing:
    """An object of an answer: the row it is made of, and the level at which the caller sees that row."""

    type_name: str
    table: str
    row: Row
    level: Level
    as_of: datetime | None = None
    # Columns of an embedded value have this prefix.
    prefix: str = ""


@dataclass(frozen=True)
class Page:
    """A page of rows."""

    type_name: str
    things: Sequence[Thing]
    more: bool
    # The day that it is in order of; None: it is in order of ids alone.
    column: str | None
    # It begins behind a cursor.
    goes_on: bool


@dataclass(frozen=True)
class Edge:
    """A row in a page."""

    page: Page
    thing: Thing


@dataclass
class Reference:
    """Answers documents the slow way."""

    asker: Asker
    store: Store
    # Rows that the hub brings along (sources, me, candidates, explanations), by name and response key.
    brought: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Rights are the asker's over this store."""
        self.rights = Rights(self.asker, self.store)

    def execute(self, document: DocumentNode, variables: Mapping[str, Any], name: str | None) -> Any:
        """`data` of the answer. Errors are failures of the reference, or values that the schema does not have."""
        result = execute_sync(
            self.asker.view.schema,
            document,
            variable_values=dict(variables),
            operation_name=name,
            field_resolver=self._resolve,
            type_resolver=lambda thing, *_: thing.type_name,
        )
        if result.errors:
            raise AssertionError(f"the reference failed: {result.errors}") from result.errors[
                0
            ].original_error
        return result.data

    # ---- dispatch ----------------------------------------------------------------------------------------------

    def _resolve(self, source: Any, info: GraphQLResolveInfo, /, **given: Any) -> Any:
        parent, name = info.parent_type.name, info.field_name
        if parent == "Query":
            roots: dict[str, Callable[..., Any]] = {
                "subject": self._subject, "subjects": self._subjects, "records": self._records,
                "listEntries": self._list_entries, "creditLists": self._credit_lists, "node": self._node,
            }  # fmt: skip
            if name in roots:
                return roots[name](**given)
            rule = self.asker.view.vocabulary.rules[f"Query.{name}"]
            return self._rows(rule.target, str(info.path.key), name == "me")
        if isinstance(source, Page):
            return self._of_page(source, name)
        if isinstance(source, Edge):
            return source.thing if name == "node" else self._cursor(source.thing, source.page.column)
        rule = self.asker.view.vocabulary.rules[f"{parent}.{name}"]
        if isinstance(source, dict):
            return self._of_brought(source, rule)
        return self._of_row(source, parent, name, rule, str(info.path.key), given)

    def _of_page(self, page: Page, name: str) -> Any:
        match name:
            case "edges":
                return [Edge(page, one) for one in page.things]
            case "pageInfo":
                return page
            case "hasNextPage":
                return page.more
            case "hasPreviousPage":
                return page.goes_on
            case "startCursor":
                return self._cursor(page.things[0], page.column) if page.things else None
        return self._cursor(page.things[-1], page.column) if page.things else None

    def _cursor(self, thing: Thing, column: str | None) -> str:
        """What is sealed in the cursor of a row: its place, and its id as the store has it."""
        return f"{thing.row[column] if column else date(2000, 1, 1)}/{thing.row['public_id']}"

    def _shown(self, *coordinates: str) -> bool:
        """Whether no field is hidden that rows would be put in order by."""
        return self.asker.view.visible.issuperset(coordinates)

    def _public(self, row: Row) -> str:
        return public(self.store, self.asker.partner_class, row)

    def _rows(self, name: str, key: str, single: bool) -> Any:
        rows = sorted(self.brought[name, key], key=lambda row: row["ord"])
        if name == "candidates":
            rows = [one for one in rows if self._seen(self.store.subject(one["subject_id"])) is not None]
        return rows[0] if single else rows

    def _of_brought(self, source: Mapping[str, Any], rule: Rule) -> Any:
        if rule.target == "candidate.subject":
            return self._seen(self.store.subject(source["subject_id"]))
        value = source.get(rule.target)
        return formatted(value) if not isinstance(value, list) else value

    # ---- cells -------------------------------------------------------------------------------------------------

    def _of_row(
        self, thing: Thing, parent: str, name: str, rule: Rule, key: str, given: Mapping[str, Any]
    ) -> Any:
        if parent == "CreditSummary":
            return summary(self.rights, thing.row, thing.type_name, name, thing.as_of)
        if f"{parent}.{name}" in self.asker.view.hidden:
            return None
        level = self._level(thing, rule)
        if level < (Level.YES_NO if rule.need is Need.YES_NO else Level.MASKED):
            return None
        value = self._value(thing, parent, name, rule, key, given)
        return value if level is Level.FULL or rule.need is Need.YES_NO else masked(rule.mask, value)

    def _level(self, thing: Thing, rule: Rule) -> Level:
        """The level of one cell: its class decides, or the row's, or whoever holds it."""
        if rule.classes in ((OPEN,), (HOLDER,)):
            return Level.FULL
        if rule.classes == (ROW,):
            return thing.level
        subject = self.store.subject(thing.row.get("subject_id"))
        return max(self.rights.level(one, subject) for one in rule.classes)

    def _value(
        self, thing: Thing, parent: str, name: str, rule: Rule, key: str, given: Mapping[str, Any]
    ) -> Any:
        row, table = thing.row, thing.table
        match rule.shape:
            case Shape.COLUMN:
                return formatted(row[thing.prefix + rule.target])
            case Shape.DETAIL:
                return row["details"].get(rule.target)
            case Shape.EMBEDDED:
                if name == "summary":
                    return Thing(TYPES[row["kind"]], table, row, thing.level, thing.as_of)
                return Thing("", table, row, thing.level, thing.as_of, rule.target)
            case Shape.ROWS:
                if rule.target == "sources":
                    # Nobody kept how they stood at an earlier moment.
                    return None if thing.as_of is not None else self._rows("sources", key, False)
                return row["details"].get("items") or [] if table == "record" else row["items"]
            case Shape.COMPUTED:
                return self._computed(thing, name)
        return self._related(thing, rule.target, given)

    def _computed(self, thing: Thing, name: str) -> Any:
        row, today = thing.row, self.asker.today
        # Of the past is told what was over then.
        day = today if thing.as_of is None else thing.as_of.astimezone(SHANGHAI).date()
        match name:
            case "id":
                return LETTERS[thing.table] + self._public(row)
            case "currentlyValid":
                return (
                    row["lifecycle"] in ("EFFECTIVE", "UNDER_OBJECTION")
                    and row["details"].get("license_state") != "INVALID"
                    and (row["valid_from"] is None or row["valid_from"] <= today)
                    and (row["valid_to"] is None or today <= row["valid_to"])
                )
            case "lifecycle":
                over = row["usable_until"] is not None and row["usable_until"] < day
                standing = row["lifecycle"] in ("EFFECTIVE", "UNDER_OBJECTION")
                return "EXPIRED" if over and standing else row["lifecycle"]
            case "state":
                over = row["publicity_ends_on"] is not None and row["publicity_ends_on"] < day
                return "EXITED_EXPIRED" if over and row["state"] == "PUBLISHED" else row["state"]
            case "stale":
                # Twice the cycle of the type (archives.toml); what has no cycle has no clock.
                days = {"ASSOCIATION": 184, "MERCHANT": 366, "PREPAID_BALANCE": 244}.get(row["archive_type"])
                updated = row["last_updated_on"]
                return None if days is None else updated is None or (day - updated).days > days
            case "catalogItemVersion":
                # No world has a catalogue (R4.4).
                return None
            case "identityVerified":
                known = self.store.about("identifier", row["subject_id"])
                return (
                    "YES"
                    if any(one["data_class"] == "D3" and believed(one, thing.as_of) for one in known)
                    else "NO"
                )
        raise AssertionError(name)

    # ---- other rows --------------------------------------------------------------------------------------------

    def _related(self, thing: Thing, target: str, given: Mapping[str, Any]) -> Any:
        row, as_of = thing.row, thing.as_of
        match target:
            case "fact.subject":
                return self._seen(self._then(self.store.subject(row["subject_id"]), as_of), as_of)
            case "list_entry.list":
                found = [
                    one for one in self.store.tables["list_definition"] if one["code"] == row["list_code"]
                ]
                return self._definition(found[0])
            case "subject.records":
                return self._record_page(self.store.about("record", row["subject_id"]), as_of, **given)
            case "subject.tiers":
                # No world has cases (R10.1).
                return []
            case "subject.list_entries":
                entries = self._things("list_entry", row, as_of)
                kept = [one for one in entries if given.get("color") in (None, one.row["color"])]
                return self._listed(
                    kept, "ListEntry.recognizedOn", "recognized_on", "public_id", reverse=True
                )
            case "subject.commitments":
                # The worlds hold no cases: who sees which is tested in tests/casework.
                return []
            case "subject.identifiers":
                # Numbers of persons (D3) are never returned, masked or not, not even to those who may be told of them.
                known = [
                    one for one in self._things("identifier", row, as_of) if one.row["data_class"] == "D1"
                ]
                return ordered(known, "scheme", "value")
            case "subject.former_names":
                return self._former_names(row, as_of)
            case "subject.contact" | "subject.registration":
                data_class = "D2" if target == "subject.contact" else "D1"
                found = self._things("registration", row, as_of, data_class)
                return ordered(found, "recorded_at", "version_id")[-1] if found else None
            case "subject.grades":
                return self._grades(row, as_of, given.get("scheme"))
            case "subject.anomalies":
                return self._anomalies(row, as_of)
            case "subject.archives":
                archives = self._things("archive", row, as_of)
                kept = [
                    one
                    for one in archives
                    if given.get("archiveType") in (None, one.row["archive_type"])
                    and given.get("originClass") in (None, one.row["origin_class"])
                ]
                kept = ordered(kept, "public_id")
                if not self._shown("CreditArchive.archiveType", "CreditArchive.lastUpdatedOn"):
                    return kept
                dated = [one for one in kept if one.row["last_updated_on"] is not None]
                dated.sort(key=lambda one: one.row["last_updated_on"], reverse=True)
                kept = dated + [one for one in kept if one.row["last_updated_on"] is None]
                return sorted(kept, key=lambda one: one.row["archive_type"])
        raise AssertionError(target)

    def _things(
        self, table: str, subject: Row, as_of: datetime | None, data_class: str | None = None
    ) -> list[Thing]:
        """What the caller sees of a table about a subject, as believed at the moment asked for."""
        rows = [row for row in self.store.about(table, subject["subject_id"]) if believed(row, as_of)]
        return [one for row in rows if (one := self._thing(table, row, as_of, data_class)) is not None]

    def _thing(
        self,
        table: str,
        row: Row,
        as_of: datetime | None = None,
        data_class: str | None = None,
        former: bool = False,
    ) -> Thing | None:
        level = self.rights.shown(table, row, data_class, versions=former or as_of is not None)
        if level is Level.NONE:
            return None
        types = {
            "list_entry": "ListEntry", "grade": "ExternalGrade", "archive": "CreditArchive", "anomaly": "PublicAnomaly",
        }  # fmt: skip
        name = TYPES[row["kind"]] if table == "record" else types.get(table, "")
        return Thing(name, table, row, level, as_of)

    def _seen(self, subject: Row | None, as_of: datetime | None = None) -> Thing | None:
        level = self.rights.subject_level(subject)
        if subject is None or level is Level.NONE:
            return None
        return Thing(TYPES[subject["kind"]], "subject", subject, level, as_of)

    def _then(self, subject: Row | None, as_of: datetime | None) -> Row | None:
        """The subject as it was known then: by the newest registration of the time that says it."""
        if subject is None or as_of is None:
            return subject
        if subject["created_at"] > as_of:
            return None
        known = [
            one
            for one in self.store.about("registration", subject["subject_id"])
            if one["recorded_at"] <= as_of and self.rights.shown("registration", one, "D1", versions=True)
        ]
        told: dict[str, Any] = dict.fromkeys(_TOLD)
        for one in sorted(known, key=lambda one: (one["recorded_at"], one["version_id"])):
            # Of one that was taken back since, the name alone stays.
            names = _TOLD if self._stood(one, as_of) else ("display_name",)
            told |= {name: one[name] for name in names if one[name] is not None}
        # It was called something before its first registration; nothing else was known of it.
        return {**subject, **told, "display_name": told["display_name"] or subject["display_name"]}

    def _stood(self, version: Row, as_of: datetime) -> bool:
        """Whether each version from this one on that had ended by then was followed by another of the same subject's."""
        same = [one for one in self._versions(version) if one["version_id"] >= version["version_id"]]
        return all(
            any(
                two["version_id"] > one["version_id"] and two["recorded_at"] == one["superseded_at"]
                for two in same
            )
            for one in same
            if one["superseded_at"] is not None and one["superseded_at"] <= as_of
        )

    def _versions(self, version: Row) -> list[Row]:
        """All versions of a registration that were the same subject's."""
        known = self.store.about("registration", version["subject_id"])
        return [one for one in known if one["public_id"] == version["public_id"]]

    def _former_names(self, subject: Row, as_of: datetime | None) -> list[Thing]:
        found = []
        for row in self.store.about("registration", subject["subject_id"]):
            ended = row["superseded_at"] is not None and (as_of is None or row["superseded_at"] <= as_of)
            # What had been taken back by then was nothing of the subject's then.
            ended = ended and (as_of is None or any(believed(one, as_of) for one in self._versions(row)))
            if ended and row["display_name"] != subject["display_name"]:
                one = self._thing("registration", row, as_of, "D1", former=True)
                found += [one] if one is not None else []
        listed = ordered(found, "recorded_at", "version_id")
        if self.asker.view.tells_by(("FormerName.name",)):
            # Each name once, as it was first recorded; that two masked names are one nobody is told.
            first = {one.row["display_name"]: one for one in reversed(listed)}
            listed = [one for one in listed if first[one.row["display_name"]] is one]
        return listed[::-1]

    def _grades(self, subject: Row, as_of: datetime | None, scheme: str | None) -> list[Thing]:
        found = self._things("grade", subject, as_of)
        if as_of is None:
            found += self._live("grade", subject)
        kept = [one for one in found if scheme in (None, one.row["scheme"])]
        tells = "ExternalGrade.effectiveFrom ExternalGrade.scheme"
        return self._listed(kept, tells, "effective_from", "scheme", "public_id", reverse=True)

    def _live(self, table: str, subject: Row) -> list[Thing]:
        rows = [one for one in self.store.live.get(subject["uscc"], ()) if one["relation"] == table]
        return [one for row in rows if (one := self._thing(table, _read(row, subject))) is not None]

    def _anomalies(self, subject: Row, as_of: datetime | None) -> list[Thing] | None:
        """What customs says now; null where it does not answer, and of the past."""
        if as_of is not None or subject["uscc"] not in self.store.live:
            return None
        found = self._live("anomaly", subject)
        return self._listed(found, "PublicAnomaly.enteredOn", "decided_on", "public_id", reverse=True)

    def _definition(self, row: Row) -> Thing | None:
        level = self.rights.definition_level(row)
        return (
            Thing("CreditListDefinition", "list_definition", row, level) if level is not Level.NONE else None
        )

    def _listed(
        self, things: Sequence[Thing], tells: str, *columns: str, reverse: bool = False
    ) -> list[Thing]:
        """In the order of `columns`; of ids alone where a field is hidden of which that order tells."""
        if not self._shown(*tells.split()):
            columns = ("public_id",)
        return ordered(things, *columns, reverse=reverse)

    # ---- pages -------------------------------------------------------------------------------------------------

    def _record_page(
        self,
        rows: Sequence[Row],
        as_of: datetime | None,
        first: int,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the argument's name
        orderBy: str = "DECIDED_ON_DESC",  # noqa: N803 - the argument's name
        after: str | None = None,
        browsing: bool = False,
    ) -> Page:
        kept = [row for row in rows if believed(row, as_of) and passes(row, filter or {})]
        if browsing:
            kept = [row for row in kept if self.rights.browsable(row["data_class"])]
        things = [one for row in kept if (one := self._thing("record", row, as_of)) is not None]
        things = [one for one in things if one.type_name in self.asker.view.schema.type_map]
        return paged(
            "RecordConnection",
            things,
            "decided_on" if self._shown("CreditRecord.decidedOn") else None,
            first,
            after,
            descending=orderBy != "DECIDED_ON_ASC",
        )

    def _records(self, **given: Any) -> Page:
        return self._record_page(self.store.tables["record"], None, browsing=True, **given)

    def _list_entries(
        self,
        first: int,
        listCode: str | None = None,  # noqa: N803 - the argument's name
        color: str | None = None,
        after: str | None = None,
    ) -> Page:
        kept = [
            row
            for row in self.store.current("list_entry")
            if row["recognized_on"] is not None
            and listCode in (None, row["list_code"])
            and color in (None, row["color"])
            and self.rights.browsable(row["data_class"])
        ]
        things = [one for row in kept if (one := self._thing("list_entry", row)) is not None]
        column = "recognized_on" if self._shown("ListEntry.recognizedOn") else None
        return paged("ListEntryConnection", things, column, first, after, descending=True)

    # ---- roots -------------------------------------------------------------------------------------------------

    def _subject(self, value: str, scheme: str, asOf: datetime | None = None) -> Thing | None:  # noqa: N803
        if scheme == "USCC":
            found = [row for row in self.store.tables["subject"] if row["uscc"] == value.strip().upper()]
        else:
            personal = scheme in ("RESIDENT_ID", "PASSPORT")
            wanted = hmac_sm3(ID_KEY, value) if personal else fold(value)
            found = [
                subject
                for one in self.store.tables["identifier"]
                if (one["scheme"], one["value"]) == (scheme, wanted)
                and (subject := self.store.subject(one["subject_id"])) is not None
                and self._matches(one, subject, personal)
            ]
        return self._seen(self._then(found[0], asOf), asOf) if found else None

    def _matches(self, identifier: Row, subject: Row, personal: bool) -> bool:
        """A number of a person finds that person and nobody else; any other number only who may be told it."""
        if personal:
            return bool(subject["kind"] == "NATURAL_PERSON")
        return self.rights.level(identifier["data_class"], subject) >= Level.YES_NO

    def _subjects(self, codes: Sequence[str], asOf: datetime | None = None) -> list[Thing | None]:  # noqa: N803
        known = {row["uscc"]: row for row in self.store.tables["subject"] if row["uscc"] is not None}
        return [self._seen(self._then(known.get(code), asOf), asOf) for code in codes]

    def _credit_lists(self, color: str | None = None) -> list[Thing]:
        rows = sorted(self.store.tables["list_definition"], key=lambda row: row["code"])
        found = [self._definition(row) for row in rows if color in (None, row["color"])]
        return [one for one in found if one is not None]

    def _node(self, id: str) -> Thing | None:  # noqa: A002 - the argument's name
        for table in ("subject", "record", "list_entry"):
            for row in self.store.current(table):
                if id == LETTERS[table] + self._public(row):
                    found = self._seen(row) if table == "subject" else self._thing(table, row)
                    kept = found is not None and found.type_name in self.asker.view.schema.type_map
                    return found if kept else None
        return None


def passes(row: Row, conditions: Mapping[str, Any]) -> bool:
    """Whether a record meets all conditions of a RecordFilter."""
    tests: dict[str, Callable[[Any], bool]] = {
        "kinds": lambda wanted: row["kind"] in wanted,
        "sources": lambda wanted: row["source"] in wanted,
        "seriousness": lambda wanted: row["seriousness"] in wanted,
        "decidedFrom": lambda day: row["decided_on"] >= day,
        "decidedTo": lambda day: row["decided_on"] <= day,
        "documentNumber": lambda number: row["document_number"] == number,
        "authority": lambda code: row["authority_uscc"] == code,
        "catalogItemCodes": lambda wanted: row["catalog_item_code"] in wanted,
        "fineAtLeast": lambda least: row["fine_amount"] is not None and row["fine_amount"] >= Decimal(least),
    }
    return all(tests[name](wanted) for name, wanted in conditions.items() if wanted is not None)


def ordered(things: Sequence[Thing], *columns: str, reverse: bool = False) -> list[Thing]:
    """In the order of some columns; what has no value is last, first when reversed."""
    return sorted(
        things,
        key=lambda one: [(one.row[name] is None, one.row[name] if one.row[name] is not None else 0) for name in columns],
        reverse=reverse,
    )  # fmt: skip


def paged(
    name: str,
    things: Sequence[Thing],
    column: str | None,
    first: int,
    after: str | None,
    *,
    descending: bool,
) -> Page:
    """The page of `first` rows behind the place `after`."""
    columns = (column, "public_id") if column else ("public_id",)
    rows = ordered(things, *columns, reverse=descending)
    if after is not None:
        day, _, public_id = after.partition("/")
        place = (date.fromisoformat(day), public_id)[-len(columns) :]
        keys = [(one, tuple(one.row[name] for name in columns)) for one in rows]
        rows = [one for one, key in keys if (key < place if descending else key > place)]
    return Page(name, rows[:first], len(rows) > first, column, after is not None)


def opened(sealed: str, keys: Iterable[bytes]) -> str | None:
    """The place in a cursor that was sealed with one of `keys`; None: it is none."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except ValueError:
        return None
    for key in keys:
        stream = int.from_bytes(sha256(key + raw[:18]).digest()[:24])
        place = (int.from_bytes(raw[18:42]) ^ stream).to_bytes(24)
        if sha256(key + sha256(key + place).digest()).digest()[:18] == raw[:18]:
            day = date(2000, 1, 1) + timedelta(days=int.from_bytes(place[4:8], signed=True))
            return f"{day}/{place[8:].hex()}"
    return None


def unsealed(value: Any, keys: Collection[bytes]) -> Any:
    """An answer's data with every cursor replaced by what is sealed in it."""
    if isinstance(value, dict):
        return {name: unsealed(one, keys) for name, one in value.items()}
    if isinstance(value, list):
        return [unsealed(one, keys) for one in value]
    if isinstance(value, str) and len(value) == 56:
        return opened(value, keys) or value
    return value


def formatted(value: Any) -> Any:
    """A stored value as JSON writes it."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    return str(value) if isinstance(value, date | Decimal) else value


def _read(live: Row, subject: Row) -> Row:
    """A live row with the types of a stored one."""
    read = {**live, "subject_id": subject["subject_id"]}
    for name in ("effective_from", "effective_to", "decided_on", "valid_to"):
        read[name] = live.get(name) and date.fromisoformat(live[name])
    for name in ("source_updated_at", "fetched_at", "recorded_at"):
        read[name] = live[name] and datetime.fromisoformat(live[name])
    return read
