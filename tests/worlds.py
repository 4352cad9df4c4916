"""Small deterministic stores full of sentinels: every kind of subject, class, openness and end of life."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import orjson
from hypothesis import strategies as st

from connectors.contract import SHANGHAI
from hub.sandbox.tokens import DEMO_SUBJECT
from hub.store.tables import metadata
from hub.store.values import LIFECYCLES, LIST_STATES, SHARING
from schema.archives import ARCHIVES
from schema.checks import organization_check, uscc_check
from schema.identifiers import hmac_sm3
from schema.names import name_key

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 10, 30, tzinfo=SHANGHAI)
ID_KEY = b"tests-of-person-number-keys-0001"
# In the order in which foreign keys allow to fill them.
TABLES = (
    "subject", "list_definition", "identifier", "registration", "record", "grade", "list_entry", "archive",
    "affiliation", "consent",
)  # fmt: skip
_IDENTITIES = {"consent": "consent_id", "identifier": "identifier_id"}
Row = dict[str, Any]

REGIONS = ("630102", "630104", "632801", "630202", "110105", None)
SOURCES = ("COMMERCE", "CUSTOMS", "TAX", "FOREIGN_EXCHANGE", "ASSOCIATION", "CREDIT_PLATFORM")
SURNAMES = "马韩李冶妥"
ADDRESSES = (
    "青海省西宁市城东区", "西宁市大通回族土族自治县", "青海省海西蒙古族藏族自治州格尔木市", "青海省海东市乐都区", "城中区",
)  # fmt: skip
LISTS = (("RED-1", "RED"), ("WATCH-1", "WATCH"), ("BLACK-1", "BLACK"), ("TAX-SERIOUS", "BLACK"))
PURPOSES = (
    "MEMBER_ARCHIVE", "MERCHANT_ADMISSION", "ONGOING_SUPERVISION", "ADMINISTRATIVE_LICENSING", "PUBLIC_QUERY",
    "JOINT_PUNISHMENT",
)  # fmt: skip


@dataclass
class World:
    """The rows of a store, by table, and what live customs says of codes."""

    tables: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TABLES})
    # Code → rows of customs as the live part hands them to the statement; about other codes customs is silent.
    live: dict[str, list[Row]] = field(default_factory=dict)
    # Numbers of persons in clear, by subject: what a caller would send to match.
    numbers: dict[int, str] = field(default_factory=dict)

    def copy(self) -> World:
        """An independent copy."""
        return deepcopy(self)

    def subjects(self) -> Mapping[int, Row]:
        """Subject id → its row."""
        return {row["subject_id"]: row for row in self.tables["subject"]}


def sentinels(row: Mapping[str, Any]) -> Iterable[str]:
    """The texts of a row that occur nowhere else in the world."""
    for value in row.values():
        if isinstance(value, str) and "§" in value:
            yield value
        elif isinstance(value, dict):
            yield from sentinels(value)
        elif isinstance(value, list):
            for one in value:
                yield from sentinels(one if isinstance(one, dict) else {"": one})


class Builder:
    """Fills a world; the same seed gives the same world."""

    def __init__(self, seed: int) -> None:
        """Every choice follows from `seed`."""
        self.random = random.Random(seed)
        self.world = World()
        self._number = 0

    def next(self) -> int:
        """A number that was not given before."""
        self._number += 1
        return self._number

    def sentinel(self, word: str) -> str:
        """A text that occurs once."""
        return f"{word}§{self.next():05d}"

    def uuid(self) -> str:
        """An id that occurs once; random, so that its order tells nothing."""
        return f"{self.random.getrandbits(128):032x}"

    def moment(self, earliest: int = 900, latest: int = 2) -> datetime:
        """A moment some days before now."""
        seconds = self.random.randint(latest * 86_400, earliest * 86_400)
        return NOW.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=seconds)

    def day(self, earliest: int = -900, latest: int = 0) -> date:
        """A day relative to today."""
        return TODAY + timedelta(days=self.random.randint(earliest, latest))

    def pick(self, values: Sequence[Any], *weights: int) -> Any:
        """One of `values`; the first has the first weight, the rest 1."""
        full = [*weights, *[1] * (len(values) - len(weights))]
        return self.random.choices(values, full)[0]

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100."""
        return self.random.randint(1, 100) <= percent

    def add(self, table: str, **row: Any) -> Row:
        """Put a row into a table; columns that are not given are null."""
        full = {column.name: None for column in metadata.tables[table].columns} | row
        self.world.tables[table].append(full)
        return full

    def code(self, kind: str, region: str | None) -> str:
        """A valid unified social credit code."""
        eight = f"{self.next() * 7919 % 10**8:08d}"
        first = {"INDIVIDUAL_BUSINESS": "92"}.get(kind, "91") + (region or "630000") + eight
        first += organization_check(eight)
        return first + uscc_check(first)

    def fact(self, subject: Row, data_class: str, source: str, word: str) -> Row:
        """The columns that every fact has."""
        recorded = self.moment()
        return {
            "version_id": self.next(),
            "public_id": self.uuid(),
            "subject_id": subject["subject_id"],
            "data_class": data_class,
            "source": source,
            "source_record_id": self.sentinel(f"{word}-id"),
            "provider_name": self.sentinel("provider"),
            "provider_code": self.code("LEGAL_PERSON", "630100") if self.chance(60) else None,
            "catalog_item_code": self.pick(("ITEM-1", "ITEM-2", "ITEM-3")),
            "sharing_attribute": self.pick(SHARING, 7),
            "source_updated_at": recorded - timedelta(hours=5) if self.chance(60) else None,
            "fetched_at": recorded - timedelta(hours=1),
            "payload_digest": f"{self.random.getrandbits(256):064x}",
            "recorded_at": recorded,
        }


def build(seed: int, organizations: int = 8, businesses: int = 4, persons: int = 5) -> World:
    """A world of some subjects, each with facts of all classes that such a subject can have."""
    make = Builder(seed)
    add_definitions(make)
    kinds = ["LEGAL_PERSON"] * (organizations - 1) + ["UNINCORPORATED_ORGANIZATION"]
    kinds += ["INDIVIDUAL_BUSINESS"] * businesses + ["NATURAL_PERSON"] * persons
    for number, kind in enumerate(kinds):
        subject = _subject(make, kind, DEMO_SUBJECT if number == 0 else None)
        _facts(make, subject)
        _scopes(make, subject)
    return make.world


def add_subject(make: Builder, kind: str, *, older: bool = False) -> Row:
    """One more subject, with facts, members and consents; `older`: its number comes before all others."""
    subject = _subject(make, kind, None, -1 if older else 1)
    _facts(make, subject)
    _scopes(make, subject)
    return subject


def add_facts(make: Builder, subject: Row, most: int) -> None:
    """Some more facts about a subject, at most so many of each kind."""
    _facts(make, subject, most)


def worlds() -> st.SearchStrategy[World]:
    """Any world."""
    return st.integers(0, 2**32 - 1).map(build)


def add_definitions(make: Builder) -> None:
    for code, color in LISTS:
        make.add(
            "list_definition",
            code=code, public_id=make.uuid(), name=make.sentinel("list"), color=color,
            recognizer_name=make.sentinel("recognizer"), legal_basis=make.sentinel("basis"), basis_level="LAW",
            min_publicity_months=12, max_publicity_months=36, effective_from=date(2019, 1, 1),
            criteria=make.sentinel("criteria"), measures=make.sentinel("measures") if make.chance(50) else None,
        )  # fmt: skip


def _subject(make: Builder, kind: str, code: str | None, sign: int = 1) -> Row:
    region = make.pick(REGIONS, 4, 2)
    person = kind == "NATURAL_PERSON"
    # Alike, so that searching for one finds the others too.
    word = make.pick(("青海昆仑商贸有限公司", "西宁昆仑商贸有限公司", "青海江源物流有限公司"))
    name = _person(make) if person else make.sentinel("昆仑商行" if kind == "INDIVIDUAL_BUSINESS" else word)
    subject = make.add(
        "subject",
        subject_id=sign * make.next(), public_id=make.uuid(), kind=kind,
        uscc=None if person or (code is None and make.chance(10)) else code or make.code(kind, region),
        region_code=region, is_minor=False, created_at=make.moment(1200, 400), display_name=name,
        name_key=name_key(name), registration_status=None if person else make.pick(("存续", "注销")),
        established_on=None if person else make.day(-4000, -1000), industry_code=None if person else "F5211",
        legal_representative_name=None if person else _person(make),
    )  # fmt: skip
    # Of every fifth; the choices that follow are the same whether or not it is.
    if subject["subject_id"] % 5 == 0:
        subject["in_doubt"] = {"D6": ["COMMERCE"], "D10": ["CREDIT_PLATFORM"], "D17": ["TAX"]}
    _identifiers(make, subject)
    if not person:
        _registrations(make, subject)
    return subject


def _person(make: Builder) -> str:
    number = make.next()
    name = make.pick(SURNAMES) + chr(0x4E00 + number % 5000) + chr(0x6E00 + number // 5000 % 5000)
    # Some have one character only, which a mask must not show.
    return chr(0x7E00 + number % 3000) if make.chance(5) else name


def _identifiers(make: Builder, subject: Row) -> None:
    def identify(scheme: str, value: str, data_class: str) -> None:
        make.add(
            "identifier",
            identifier_id=make.next(), subject_id=subject["subject_id"], scheme=scheme, value=value,
            data_class=data_class, source="COMMERCE", recorded_at=make.moment(),
        )  # fmt: skip

    number = f"63010{make.next():012d}X"
    if subject["kind"] == "NATURAL_PERSON":
        if make.chance(85):
            identify(make.pick(("RESIDENT_ID", "PASSPORT"), 4), hmac_sm3(ID_KEY, number), "D3")
            make.world.numbers[subject["subject_id"]] = number
        return
    if subject["uscc"] is not None:
        identify("USCC", subject["uscc"], "D1")
    if make.chance(60):
        identify("CUSTOMS_CODE", f"6301{make.next():06d}", "D1")
    if make.chance(60):
        identify("TAXPAYER_ID", f"630{make.next():012d}", make.pick(("D3", "D1"), 3))
    if subject["kind"] == "INDIVIDUAL_BUSINESS" and make.chance(50):
        # The operator's number: it names a person, though the subject is none.
        identify("RESIDENT_ID", hmac_sm3(ID_KEY, number), "D3")
        make.world.numbers[subject["subject_id"]] = number


def _registrations(make: Builder, subject: Row) -> None:
    id_ = make.uuid()
    moments = sorted(make.moment() for _ in range(make.pick((1, 2, 3))))
    for position, recorded in enumerate(moments):
        last = position == len(moments) - 1
        name = subject["display_name"] if last or make.chance(15) else make.sentinel("青海旧名商贸有限公司")
        add_registration(
            make, subject, id_, recorded, None if last else moments[position + 1], name, "COMMERCE"
        )
    if make.chance(40):
        # What the tax authority has on the same firm, an address of its own among it.
        add_registration(make, subject, make.uuid(), make.moment(), None, subject["display_name"], "TAX")


def add_registration(
    make: Builder, subject: Row, public_id: str, recorded: datetime, ended: datetime | None, name: str, source: str
) -> None:  # fmt: skip
    address = f"{make.pick(ADDRESSES)}昆仑路{make.next()}号阳光小区§" if make.chance(85) else None
    make.add(
        "registration",
        **make.fact(subject, "D1", source, "registration")
        | {"public_id": public_id, "recorded_at": recorded},
        superseded_at=ended, display_name=name, name_key=name_key(name), registration_status=make.pick(("存续", "注销")),
        region_code=subject["region_code"], established_on=make.day(-4000, -1000), industry_code="F5211",
        legal_representative_name=_person(make) if make.chance(80) else None, address=address,
        phone=f"138{make.next():08d}" if make.chance(80) else make.pick(("110", "", None)),
    )  # fmt: skip


def _facts(make: Builder, subject: Row, most: int = 9) -> None:
    person = subject["kind"] == "NATURAL_PERSON"
    classes = (
        (("LICENSE", "D5"), ("PENALTY", "D8"), ("GENERIC", "D33"))
        if person
        else (
            ("LICENSE", "D4"), ("PENALTY", "D6"), ("PENALTY", "D7"), ("GENERIC", "D33"), ("GENERIC", "D34"),
            ("GENERIC", "D40"), ("GENERIC", "D41"), ("GENERIC", "D7"),
        )
    )  # fmt: skip
    for _ in range(make.random.randint(0, min(most, 3 if person else 7))):
        kind, data_class = make.pick(classes, 2, 2)
        _versions(make, "record", record_of(make, subject, kind, data_class))
    listed = (("D11", 2), ("D13", 0)) if person else (("D10", 2), ("D18", 3), ("D12", 1), ("D13", 0))
    for _ in range(make.random.randint(0, min(most, 2 if person else 4))):
        data_class, position = make.pick(listed)
        _versions(make, "list_entry", entry_of(make, subject, data_class, *LISTS[position]))
    if person:
        return
    for _ in range(make.random.randint(0, min(most, 4))):
        _versions(make, "grade", grade_of(make, subject))
    for _ in range(make.random.randint(0, min(most, 4))):
        _versions(make, "archive", archive_of(make, subject))
    if subject["uscc"] is not None and make.chance(50):
        make.world.live[subject["uscc"]] = [
            *(_live_grade(make, subject) for _ in range(make.pick((1, 0), 5))),
            *(_live_anomaly(make, subject) for _ in range(make.pick((1, 0, 2)))),
        ]


def record_of(make: Builder, subject: Row, kind: str, data_class: str) -> Row:
    penalty = kind == "PENALTY"
    details = {
        name: make.sentinel(name)
        for name in (
            "document_name", "certificate_name", "certificate_number", "content", "violation_type", "facts", "basis",
            "revoked_certificate",
        )
        if make.chance(80)
    }  # fmt: skip
    details["license_state"] = make.pick(("VALID", "INVALID"), 4)
    if kind == "GENERIC" and make.chance(80):
        details["items"] = _items(make)
    seriousness = {"D7": ("MINOR",), "D6": ("GENERAL", "SERIOUS")}.get(
        data_class, ("NOT_ADVERSE", "UNCLASSIFIED")
    )
    lifecycle = make.pick(LIFECYCLES, 1, 12, 3)
    return make.fact(subject, data_class, make.pick(SOURCES, 5, 2), "record") | {
        "kind": kind, "record_type": make.sentinel("type") if kind == "GENERIC" else None,
        "origin_class": make.pick(("PUBLIC_CREDIT", "MARKET_CREDIT"), 4), "title": make.sentinel("title"),
        "document_number": make.sentinel("号") if make.chance(80) else None,
        "authority_name": make.sentinel("authority") if make.chance(80) else None,
        "authority_uscc": make.code("LEGAL_PERSON", "630100") if make.chance(60) else None,
        "decided_on": make.day(-40, 0), "valid_from": make.day() if make.chance(50) else None,
        "valid_to": make.day(-30, 60) if make.chance(50) else None,
        "usable_until": make.pick((None, TODAY, TODAY - timedelta(days=1), make.day(1, 400)), 3),
        "seriousness": make.pick(seriousness), "lifecycle": lifecycle,
        "under_objection": lifecycle == "UNDER_OBJECTION" or make.chance(10),
        "simple_procedure": make.pick((None, True, False)) if penalty else None,
        "fine_amount": _yuan(make) if penalty and make.chance(80) else None,
        "confiscated_amount": _yuan(make) if penalty and make.chance(50) else None,
        "categories": [make.sentinel("category") for _ in range(make.random.randint(0, 2))], "details": details,
    }  # fmt: skip


def _yuan(make: Builder) -> Decimal:
    return Decimal(make.next() * 100 + make.random.randint(0, 99)) / 100


def _items(make: Builder) -> list[Row]:
    return [
        {"code": f"C{position}", "label": make.sentinel("label"), "value": make.sentinel("value") if make.chance(80) else None}
        for position in range(make.random.randint(0, 2))
    ]  # fmt: skip


def entry_of(make: Builder, subject: Row, data_class: str, code: str, color: str) -> Row:
    source = "TAX" if data_class == "D18" else make.pick(("COMMERCE", "CREDIT_PLATFORM"))
    return make.fact(subject, data_class, source, "entry") | {
        "list_code": code, "color": color, "state": make.pick(LIST_STATES, 1, 1, 1, 1, 10),
        "cause": make.sentinel("cause"), "decision_number": make.sentinel("号"),
        "recognized_on": make.day(-30, 0) if make.chance(90) else None, "publicity_from": make.day(),
        "earliest_repair_on": make.day(), "exited_on": make.day() if make.chance(30) else None,
        "publicity_ends_on": make.pick((None, TODAY, TODAY - timedelta(days=1), make.day(1, 400)), 3),
        "exit_reason": make.sentinel("exit") if make.chance(30) else None, "under_objection": make.chance(20),
    }  # fmt: skip


_GRADES = (
    ("CUSTOMS", "D14", "CUSTOMS"), ("TAX", "D16", "TAX"), ("TAX", "D17", "TAX"), ("SAFE", "D19", "FOREIGN_EXCHANGE"),
    ("ASSOCIATION", "D24", "ASSOCIATION"), ("NATIONAL", "D40", "CREDIT_PLATFORM"),
)  # fmt: skip


def grade_of(make: Builder, subject: Row) -> Row:
    scheme, data_class, source = make.pick(_GRADES, 1, 1, 4)
    code = (
        "A"
        if data_class == "D16"
        else make.pick(("B", "D"))
        if data_class == "D17"
        else make.sentinel("grade")
    )
    return make.fact(subject, data_class, source, "grade") | {
        "scheme": scheme, "grade_code": code, "grade_label": make.sentinel("grade-label"),
        "ruleset_version": make.sentinel("ruleset"), "issuer_name": make.sentinel("issuer"),
        "period": make.pick((None, "2024", "2025")), "effective_from": make.day(-60, 10),
        "effective_to": make.pick((None, TODAY, TODAY - timedelta(days=1)), 2),
    }  # fmt: skip


def archive_of(make: Builder, subject: Row) -> Row:
    data_class = make.pick(ARCHIVES)
    source = {
        "D20": "FOREIGN_INVESTMENT",
        "D21": "FOREIGN_INVESTMENT",
        "D24": "ASSOCIATION",
        "D25": "ASSOCIATION",
        "D27": "ECOMMERCE_PLATFORM",
    }
    fact = make.fact(subject, data_class, source.get(data_class, "COMMERCE"), "archive")
    if data_class == "D27":
        # What a platform reported is named after it.
        fact["source_record_id"] = f"{make.pick(('mall', 'other'))}:{fact['source_record_id']}"
    return fact | {
        "archive_type": make.pick(("ASSOCIATION", "MERCHANT", "PREPAID_BALANCE", "OTHER")),
        "origin_class": make.pick(("PUBLIC_CREDIT", "MARKET_CREDIT")), "keeper_name": make.sentinel("keeper"),
        "opened_on": make.day(), "last_updated_on": make.day(), "items": _items(make),
    }  # fmt: skip


def _live(make: Builder, subject: Row) -> Row:
    """A row of live customs, as hub.serving.live_facts hands it to the statement."""
    fact = make.fact(subject, "D14", "CUSTOMS", "live")
    moments = ("source_updated_at", "fetched_at", "recorded_at")
    return {
        **{name: value for name, value in fact.items() if name not in ("version_id", "subject_id")},
        **{name: fact[name] and fact[name].isoformat() for name in moments},
        "uscc": subject["uscc"], "sharing_attribute": "PUBLIC", "superseded_at": None,
    }  # fmt: skip


def _live_grade(make: Builder, subject: Row) -> Row:
    return _live(make, subject) | {
        "relation": "grade", "scheme": "CUSTOMS", "grade_code": "AEO", "grade_label": make.sentinel("live-grade"),
        "ruleset_version": "2021", "issuer_name": make.sentinel("issuer"), "issuer_uscc": None, "period": None,
        "effective_from": str(make.day(-60, 10)), "effective_to": None,
    }  # fmt: skip


def _live_anomaly(make: Builder, subject: Row) -> Row:
    # Some left the list meanwhile, today is the last day of others.
    left = make.pick((None, TODAY, TODAY - timedelta(days=1)), 3)
    return _live(make, subject) | {
        "relation": "anomaly", "title": make.sentinel("live-anomaly"), "authority_name": make.sentinel("customs"),
        "authority_uscc": None, "decided_on": str(make.day(-60, 0)), "valid_to": left and str(left),
    }  # fmt: skip


def _versions(make: Builder, table: str, newest: Row) -> None:
    """A fact with what was believed of it earlier, and sometimes the end of that belief."""
    if make.chance(25):
        earlier = newest["recorded_at"] - timedelta(days=make.random.randint(1, 200))
        before = newest | {
            "version_id": make.next(), "recorded_at": earlier, "superseded_at": newest["recorded_at"],
            "payload_digest": f"{make.random.getrandbits(256):064x}",
        }  # fmt: skip
        for column in ("title", "cause", "grade_label"):
            if column in before:
                before[column] = make.sentinel("former")
        if table == "record" and make.chance(50):
            before["lifecycle"] = "EFFECTIVE"
        make.add(table, **before)
    if make.chance(7):
        newest["superseded_at"] = make.moment(1, 0)
    make.add(table, **newest)


def _scopes(make: Builder, subject: Row) -> None:
    for kind, partner in (("MEMBER", "chamber"), ("MERCHANT", "mall")):
        if make.chance(60):
            make.add(
                "affiliation",
                partner=make.pick((partner, "other"), 6), subject_id=subject["subject_id"], kind=kind,
                valid_from=make.pick((date(2020, 1, 1), TODAY, TODAY + timedelta(days=1)), 6),
                valid_to=make.pick((None, TODAY, TODAY - timedelta(days=1)), 6),
            )  # fmt: skip
    for _ in range(make.pick((0, 1, 2))):
        make.add(
            "consent",
            consent_id=make.next(), public_id=make.uuid(), subject_id=subject["subject_id"],
            grantee=make.pick(("chamber", "mall", "public", "commerce", "other")),
            purposes=make.random.sample(PURPOSES, 4),
            data_classes=make.random.sample(("D4", "D5", "D6", "D8", "D11", "D16", "D17", "D25", "D29"), 6),
            separate_consent=make.chance(60), valid_from=make.pick((NOW - timedelta(days=99), NOW, NOW + timedelta(1)), 6),
            valid_to=make.pick((NOW + timedelta(days=99), NOW, NOW - timedelta(days=1)), 6),
            withdrawn_at=make.pick((None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)), 6),
            evidence_digest=make.sentinel("evidence"),
        )  # fmt: skip


async def fill(connection: asyncpg.Connection, world: World) -> None:
    """Make the store hold `world` and nothing else; `connection` is its owner's."""
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        for name in TABLES:
            rows = world.tables[name]
            if not rows:
                continue
            columns = [column.name for column in metadata.tables[name].columns]
            columns = [column for column in columns if any(row[column] is not None for row in rows)]
            holes = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            overriding = " OVERRIDING SYSTEM VALUE" if name not in ("list_definition", "affiliation") else ""
            await connection.executemany(
                f"INSERT INTO {name} ({', '.join(columns)}){overriding} VALUES ({holes})",
                [[_stored(column, row[column]) for column in columns] for row in rows],
            )


def _stored(column: str, value: Any) -> Any:
    return (
        orjson.dumps(value).decode()
        if column in ("details", "items", "in_doubt") and value is not None
        else value
    )
