"""Worlds that differ only in what a caller may not see, by the reference's own judgement of every row and cell."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from hub.rights.matrix import Level
from schema.archives import ARCHIVES
from schema.governance import Shape
from schema.names import name_key
from tests.reference.executor import Reference, Thing
from tests.reference.rights import TYPES, Asker
from tests.reference.rows import FACTS, Row, Store, store_of_world
from tests.worlds import TABLES, Builder, World, add_facts, add_subject

# Candidates for a change; some turn out to be seen, and are taken back.
TRIES = 260
# Before all that the worlds tell of.
_BEFORE = datetime(1900, 1, 1, tzinfo=UTC)
# Classes as which rows of a table without types of its own are shown.
_OF_REGISTRATION = (("D1", "FormerName"), ("D2", "Contact"))
_TYPE = {
    "list_entry": "ListEntry", "grade": "ExternalGrade", "archive": "CreditArchive", "identifier": "Identifier",
    "list_definition": "CreditListDefinition",
}  # fmt: skip


@dataclass(frozen=True)
class Sight:
    """What a caller can come to know of a world."""

    asker: Asker
    # What it knew of a subject before the world was changed: no change is kept after which it would know something else.
    _before: dict[int, list[Any]] = field(default_factory=dict)

    def before(self, world: World, subject_id: int) -> list[Any]:
        """`of_subject`, as it was when it was asked first."""
        if subject_id not in self._before:
            self._before[subject_id] = self.of_subject(world, subject_id)
        return self._before[subject_id]

    def of_subject(self, world: World, subject_id: int) -> list[Any]:
        """All that can be known of one subject: its cells, its rows, and what depends on it."""
        about = World(
            {name: [r for r in world.tables[name] if r.get("subject_id") == subject_id] for name in TABLES}
        )
        about.tables["list_definition"] = world.tables["list_definition"]
        reference = Reference(self.asker, store_of_world(about))
        known: list[Any] = []
        for subject in about.tables["subject"]:
            known += self._of_subject(reference, subject)
        for table in (*FACTS, "identifier"):
            for row in reference.store.tables[table]:
                known += self._of_row(reference, table, row)
        return sorted(map(repr, known))

    def of_definitions(self, world: World) -> list[Any]:
        """All that can be known of the lists themselves."""
        reference = Reference(self.asker, store_of_world(world))
        return [
            (one["code"], cells(reference, thing))
            for one in world.tables["list_definition"]
            if (thing := reference._definition(one)) is not None
        ]

    def _of_subject(self, reference: Reference, subject: Row) -> Iterator[Any]:
        rights = reference.rights
        thing = reference._seen(subject)
        if thing is None:
            return
        facts = rights.facts(subject, None, "")
        # `explain` says which scopes hold; a past moment may lie before the subject was known; ties go by its number.
        yield subject["subject_id"], subject["created_at"], cells(reference, thing)
        yield facts.in_region, facts.member, facts.merchant, facts.self_
        if subject["kind"] != "NATURAL_PERSON":
            # What a name is compared with, and the region that narrows the search.
            yield subject["name_key"], subject["region_code"]
        yield _summary(reference, thing)
        # What is said of the past, from each moment on at which it says something else.
        before: Any = None
        for moment in (_BEFORE, *sorted(_moments(reference.store, subject["subject_id"]))):
            then = replace(thing, as_of=moment)
            said = _summary(reference, then), cells(reference, then)
            if said != before:
                yield moment, said
            before = said
        for one in reference.store.tables["identifier"]:
            personal = one["scheme"] in ("RESIDENT_ID", "PASSPORT")
            if reference._matches(one, subject, personal):
                yield "found by", one["scheme"], one["value"]

    def _of_row(self, reference: Reference, table: str, row: Row) -> Iterator[Any]:
        former = row.get("superseded_at") is not None
        for data_class, name in _OF_REGISTRATION if table == "registration" else ((None, ""),):
            level = reference.rights.shown(table, row, data_class, versions=former)
            if level is Level.NONE:
                continue
            type_name = name or (TYPES[row["kind"]] if table == "record" else _TYPE[table])
            if type_name not in self.asker.view.schema.type_map:
                continue
            # When the hub began and ceased to believe it decides what a past moment shows.
            times = (row.get("recorded_at"), row.get("superseded_at"), row.get("version_id"))
            told = [row[n] for n in _TOLD] if table == "registration" else []
            yield table, type_name, times, told, cells(reference, Thing(type_name, table, row, level))


def _summary(reference: Reference, thing: Thing) -> list[Any]:
    """All that the summary of a subject says."""
    return [
        reference._of_row(thing, "CreditSummary", name, rule, "", {})
        for name, rule in _fields(reference, "CreditSummary")
    ]


def _moments(store: Store, subject_id: int) -> set[datetime]:
    """When versions of facts about a subject began, and ceased, to be believed."""
    rows = [row for table in (*FACTS, "identifier") for row in store.about(table, subject_id)]
    return {
        row[name] for row in rows for name in ("recorded_at", "superseded_at") if row.get(name) is not None
    }


_TOLD = (
    "display_name", "name_key", "registration_status", "established_on", "industry_code", "legal_representative_name",
    "phone", "address",
)  # fmt: skip


def _fields(reference: Reference, type_name: str) -> Iterator[tuple[str, Any]]:
    named = reference.asker.view.schema.type_map.get(type_name)
    if isinstance(named, GraphQLObjectType):
        for name in named.fields:
            yield name, reference.asker.view.vocabulary.rules[f"{type_name}.{name}"]


def cells(reference: Reference, thing: Thing) -> Mapping[str, Any]:
    """The cells of an object as the caller gets them, those of embedded values among them."""
    found: dict[str, Any] = {}
    named = reference.asker.view.schema.type_map.get(thing.type_name)
    if not isinstance(named, GraphQLObjectType):
        return found
    for name, rule in _fields(reference, thing.type_name):
        inner = get_named_type(named.fields[name].type)
        if is_leaf_type(inner) or (rule.shape is Shape.ROWS and rule.target == "items"):
            found[name] = reference._of_row(thing, thing.type_name, name, rule, name, {})
        elif rule.shape is Shape.EMBEDDED and name != "summary":
            value = reference._of_row(thing, thing.type_name, name, rule, name, {})
            if value is not None:
                below = Thing(inner.name, value.table, value.row, value.level, None, value.prefix)
                found[name] = cells(reference, below)
    return found


def otherwise(world: World, asker: Asker, seed: int) -> tuple[World, int]:
    """A world that looks the same to `asker`, and how many changes there are."""
    sight, choose = Sight(asker), random.Random(seed)
    changed, done = world.copy(), 0
    make = Builder(seed + 1)
    make.world, make._number = changed, 50_000
    for _ in range(TRIES):
        change = choose.choice(
            (_delete, _alter, _alter, _alter, _insert, _insert, _stranger, _rename, _scope)
        )
        done += _try(sight, changed, choose, make, change)
    for definition in changed.tables["list_definition"]:
        before, kept = sight.of_definitions(changed), dict(definition)
        definition["legal_basis"] = make.sentinel("other-basis")
        if sight.of_definitions(changed) == before:
            done += 1
        else:
            definition.update(kept)
    # What live customs says of a subject is no secret that the store could keep.
    known = {row["uscc"] for row in world.tables["subject"]}
    changed.live = {**{code: rows for code, rows in changed.live.items() if code not in known}, **world.live}
    return changed, done


Change = Callable[[World, random.Random, Builder, int], None]


def _try(sight: Sight, world: World, choose: random.Random, make: Builder, change: Change) -> bool:
    """Change something about one subject, unless the caller could tell."""
    ids = [row["subject_id"] for row in world.tables["subject"]]
    subject_id = choose.choice(ids)
    kept = {name: [dict(row) for row in rows] for name, rows in world.tables.items()}
    known = set(ids)
    before = sight.before(world, subject_id)
    change(world, choose, make, subject_id)
    new = [row["subject_id"] for row in world.tables["subject"] if row["subject_id"] not in known]
    seen = sight.of_subject(world, subject_id) != before or any(sight.of_subject(world, one) for one in new)
    if seen or not _consistent(world):
        for name, rows in kept.items():
            world.tables[name][:] = rows
        return False
    return any(kept[name] != world.tables[name] for name in TABLES)


def _consistent(world: World) -> bool:
    """Whether the store would take the world: keys are unique."""

    def once(keys: Sequence[Any]) -> bool:
        found = [one for one in keys if one is not None]
        return len(found) == len(set(found))

    identifiers = [(row["scheme"], row["value"]) for row in world.tables["identifier"]]
    current = [[row for row in world.tables[table] if row["superseded_at"] is None] for table in FACTS]
    return (
        once([row["uscc"] for row in world.tables["subject"]])
        and once(identifiers)
        and once([(r["subject_id"], r["partner"], r["kind"], r["valid_from"]) for r in world.tables["affiliation"]])
        and all(once([row["public_id"] for row in rows]) for rows in current)
        and all(once([(row["source"], row["source_record_id"]) for row in rows]) for rows in current)
    )  # fmt: skip


def _rows(world: World, subject_id: int) -> list[tuple[str, Row]]:
    return [
        (name, row)
        for name in TABLES
        for row in world.tables[name]
        if row.get("subject_id") == subject_id
    ]  # fmt: skip


def _delete(world: World, choose: random.Random, _: Builder, subject_id: int) -> None:
    rows = [(name, row) for name, row in _rows(world, subject_id) if name != "subject"]
    if rows:
        name, row = choose.choice(rows)
        world.tables[name].remove(row)


# Columns that the store itself needs to stay as they are.
_FIXED = frozenset(
    ("subject_id", "version_id", "identifier_id", "consent_id", "kind", "list_code", "is_minor", "scheme", "partner")
)  # fmt: skip


# Classes that the rows of a table, or of a kind, can have.
_CLASSES: Mapping[str, Sequence[str]] = {
    "LICENSE": ("D4", "D5"), "PENALTY": ("D6", "D7", "D8"), "GENERIC": ("D7", "D33", "D34", "D40", "D41"),
    "list_entry": ("D10", "D11", "D12", "D13", "D18"), "grade": ("D14", "D16", "D17", "D19", "D24", "D40"),
    "archive": ARCHIVES, "identifier": ("D1", "D3"), "registration": ("D1",),
}  # fmt: skip


def _alter(world: World, choose: random.Random, make: Builder, subject_id: int) -> None:
    name, row = choose.choice(_rows(world, subject_id))
    columns = [
        one
        for one, value in row.items()
        if one not in _FIXED and (value is not None or one == "usable_until")
    ]
    for column in choose.sample(columns, min(len(columns), choose.randint(1, 3))):
        classes = _CLASSES.get(row.get("kind") or name, ()) if column == "data_class" else ()
        value = choose.choice(classes) if classes else other(row[column], column, choose, make)
        row[column] = value  # type: ignore[index]
    if name in ("subject", "registration") and choose.random() < 0.8:
        row["name_key"] = name_key(row["display_name"])  # type: ignore[index]


def other(value: Any, column: str, choose: random.Random, make: Builder) -> Any:
    """Another value of the same kind."""
    known: dict[str, Sequence[Any]] = {
        "lifecycle": ("DRAFT", "EFFECTIVE", "REPAIRED", "REVOKED", "SUSPENDED"), "state": ("PROPOSED", "PUBLISHED", "EXITED_REPAIRED"),
        "sharing_attribute": ("PUBLIC", "RESTRICTED", "AUTHORIZED_QUERY", "GOVERNMENT_SHARED"),
        "seriousness": ("MINOR", "SERIOUS"),
        "region_code": ("630102", "632801", None), "source": ("TAX", "CUSTOMS", "COMMERCE"),
        "grade_code": ("A", "B", "D"), "archive_type": ("ASSOCIATION", "MERCHANT", "OTHER"), "color": ("RED", "BLACK", "WATCH"),
        "origin_class": ("PUBLIC_CREDIT", "MARKET_CREDIT"), "catalog_item_code": ("ITEM-1", "ITEM-2"),
        "usable_until": (None, date(2026, 11, 22), date(2030, 1, 1)), "grantee": ("other", "third"),
    }  # fmt: skip
    if column in known:
        return choose.choice(known[column])
    if column == "public_id":
        return make.uuid()
    if column in ("uscc", "provider_code", "authority_uscc"):
        return make.code("LEGAL_PERSON", "630100")
    match value:
        case bool():
            return not value
        case str() if "§" in value or column in ("display_name", "legal_representative_name"):
            return value[:1] + make.sentinel("x") if choose.random() < 0.5 else make.sentinel("other")
        case str():
            # The same length, and the same end: what masks leave.
            return "".join(choose.choice("0123456789") for _ in value[:-4]) + value[-4:]
        case datetime():
            return value + timedelta(hours=choose.randint(-900, 900))
        case date():
            return value + timedelta(days=choose.randint(-90, 90))
        case Decimal() | int():
            return value + choose.randint(1, 99)
        case dict():
            return {name: make.sentinel("other") for name in value}
        case list() if value and isinstance(value[0], dict):
            return [{**one, "value": make.sentinel("other")} for one in value]
        case list():
            return [*value, make.sentinel("other")]
    return value


def _insert(world: World, _: random.Random, make: Builder, subject_id: int) -> None:
    subject = next(row for row in world.tables["subject"] if row["subject_id"] == subject_id)
    add_facts(make, subject, 1)


def _stranger(_: World, choose: random.Random, make: Builder, __: int) -> None:
    kind = choose.choice(("NATURAL_PERSON", "LEGAL_PERSON", "INDIVIDUAL_BUSINESS"))
    # Older than all others, or younger: ties go by the number.
    add_subject(make, kind, older=choose.random() < 0.5)


def _rename(world: World, choose: random.Random, make: Builder, subject_id: int) -> None:
    row = next(row for row in world.tables["subject"] if row["subject_id"] == subject_id)
    words = [
        one["display_name"].partition("§")[0] for one in world.tables["subject"] if "§" in one["display_name"]
    ]
    row["display_name"] = make.sentinel(choose.choice(words))
    row["name_key"] = name_key(row["display_name"])


def _scope(_: World, choose: random.Random, make: Builder, subject_id: int) -> None:
    make.add(
        "affiliation",
        partner=choose.choice(("other", "third", "mall", "chamber")), subject_id=subject_id,
        kind=choose.choice(("MEMBER", "MERCHANT")), valid_from=date(2019, 1, choose.randint(1, 28)),
    )  # fmt: skip


def seen_sentinels(world: World, asker: Asker) -> frozenset[str]:
    """The sentinels of all that a caller can come to know of a world."""
    sight = Sight(asker)
    known = [sight.of_subject(world, row["subject_id"]) for row in world.tables["subject"]]
    live = [row for rows in world.live.values() for row in rows]
    return frozenset(re.findall(r"§\d+", repr((known, sight.of_definitions(world), live))))
