"""A firm is found by a name that it bore earlier: by whoever is shown that name, and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from hub.rights.matrix import Level
from hub.sources.matching import JUDGED
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.names import Resemblance, formerly, name_key, parse_name, score
from tests.callers import CALLERS, USUAL_CALLERS, Caller, Path, caller
from tests.conftest import Database
from tests.reference.executor import Reference
from tests.reference.rights import TYPES
from tests.reference.rows import Store, store_of_world
from tests.stage import Stage, stage_over
from tests.test_authorization_hidden import who_hides
from tests.test_database import connected, fresh, migrated_before
from tests.worlds import NOW, World, build

pytestmark = pytest.mark.long

SUPERVISION = ("commerce", "ONGOING_SUPERVISION")
MATCH = """query Match($n: String!, $r: String) {
  matchSubjects(name: $n, region: $r, first: 20) { score matchClass why subject { id kind displayName } }
}"""
OLD, NEW = "青海三江源商贸有限公司", "青海雪域食品有限公司"
CAN_SEARCH = [
    name for name in USUAL_CALLERS if "Query.matchSubjects" in CALLERS[name]().standing.view.visible
]


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[Stage]:
    """A store for one world after another."""
    with stage_over(shared_database) as made:
        yield made


def asked(
    stage: Stage, who: Caller, world: World, name: str, region: str | None = None
) -> list[dict[str, Any]]:
    """The candidates for a name."""
    answer = stage.run(Path(stage.reader, world.live).answer(who, MATCH, {"n": name, "r": region}))
    return list(orjson.loads(answer.data)["matchSubjects"])


def naive(
    reference: Reference, name: str, region: str | None, alike: frozenset[str]
) -> list[Mapping[str, Any]]:
    """The same from plain rows; `alike`: the keys that PostgreSQL calls like the name."""
    ranked = []
    for subject in reference.store.tables["subject"]:
        found = [
            (one.klass, -one.score, said, one)
            for said, one in _resemblances(reference, subject, name, alike)
            if region is None or (subject["region_code"] or "").startswith(region)
        ]
        if found:
            ranked.append((*min(found)[:2], subject["subject_id"], subject, min(found)[3]))
    return [
        {
            "score": one.score, "matchClass": one.klass, "why": list(one.why),
            "subject": {"id": "s" + subject["public_id"], "kind": subject["kind"], "displayName": subject["display_name"]},
        }
        for *_, subject, one in sorted(ranked, key=lambda one: one[:3])
    ]  # fmt: skip


def _resemblances(
    reference: Reference, subject: Mapping[str, Any], name: str, alike: frozenset[str]
) -> Iterator[tuple[str, Resemblance]]:
    type_name, shown = TYPES[subject["kind"]], reference.asker.view.visible
    if type_name == "NaturalPerson" or reference.rights.level("D1", subject) < Level.MASKED:
        return
    if subject["name_key"] in alike:
        yield subject["display_name"], score(parse_name(name), parse_name(subject["display_name"]))
    if {f"{type_name}.formerNames", "FormerName.name"} <= shown:
        for one in reference._former_names(subject, None):
            if one.level is Level.FULL and name_key(one.row["display_name"]) in alike:
                said = one.row["display_name"]
                yield said, formerly(score(parse_name(name), parse_name(said)))


def core_of(name: str) -> str:
    """The key of the trade name, of one that is too short for an index with the industry behind it."""
    parts = parse_name(name)
    core = name_key(parts.trade_name)
    return core if len(core) > 2 else name_key(parts.trade_name + parts.industry)


def former_names(store: Store) -> list[str]:
    """All former names of a world, whoever is shown them."""
    return [row["display_name"] for row in store.tables["registration"] if row["superseded_at"] is not None]


@pytest.mark.parametrize("name", CAN_SEARCH)
def test_the_candidates_are_those_that_naive_rights_give(stage: Stage, name: str) -> None:
    who, by_former, unfound = CALLERS[name](), 0, 0
    for number in (11, 100):
        world = build(number)
        store = stage.play(world)
        reference = Reference(who.asker(), store)
        keys = sorted({row["name_key"] for n in ("subject", "registration") for row in store.tables[n]})
        names = [row["display_name"] for row in store.tables["subject"] if len(row["display_name"]) > 1]
        for one in dict.fromkeys([*names, *former_names(store), "青海商贸", "三江源", "商贸", "有限公司"]):
            rows = stage.run(
                stage.reader.rows(
                    "SELECT k FROM unnest($1::text[]) k WHERE k % $2::text OR length($2) > 2 AND strpos(k, $2) > 0"
                    " OR length($3) > 2 AND strpos(k, $3) > 0",
                    [keys, name_key(one), core_of(one)],
                )
            )
            alike = frozenset(row["k"] for row in rows)
            for region in (None, "6301"):
                found = asked(stage, who, world, one, region)
                assert found == naive(reference, one, region, alike), one
            exact = [row["why"] for row in found if row["score"] == 0.99]
            by_former += ["FORMER_NAME", "NAME_EQUAL"] in exact
            unfound += one in former_names(store) and not exact
    assert (by_former > 0) is ("Organization.formerNames" in who.standing.view.visible)
    # Names of firms elsewhere, of businesses, and of registrations that are closed to the caller.
    assert unfound > 0


def test_a_firm_of_the_same_trade_name_is_found_though_many_others_are_more_alike(stage: Stage) -> None:
    """青海…商贸有限公司 is most of a name, and of all that have it only some are judged."""
    world, who, meant = build(6), caller(*SUPERVISION), "西宁三江源贸易有限责任公司"
    firm = next(row for row in world.tables["subject"] if TYPES[row["kind"]] == "Organization")
    firm |= {"display_name": meant, "name_key": name_key(meant)}
    for number in range(2 * JUDGED):
        other = f"青海昆仑{chr(0x4E00 + number)}商贸有限公司"
        world.tables["subject"].append(
            firm
            | {
                "subject_id": 9_000_000 + number, "public_id": str(UUID(int=number)), "uscc": None,
                "display_name": other, "name_key": name_key(other),
            }
        )  # fmt: skip
    stage.play(world)
    found = asked(stage, who, world, "青海三江源商贸有限公司")
    assert (found[0]["subject"]["displayName"], found[0]["matchClass"]) == (meant, "B")


def test_a_firm_by_its_former_name_comes_behind_who_bears_the_name_now(stage: Stage) -> None:
    world, who = build(6), caller(*SUPERVISION)
    firms = [row for row in world.tables["subject"] if TYPES[row["kind"]] == "Organization"]
    renamed, bearer = firms[1], firms[2]
    _register(world, renamed, OLD, NEW)
    stage.play(world)
    (found,) = [one for one in asked(stage, who, world, OLD) if one["subject"]["displayName"] == NEW]
    assert (found["score"], found["matchClass"]) == (0.99, "A")
    assert found["why"] == ["FORMER_NAME", "NAME_EQUAL"]
    # Its own name does not say so.
    assert asked(stage, who, world, NEW)[0]["why"] == ["NAME_EQUAL"]
    _register(world, bearer, "青海旧日茶业有限公司", OLD)
    stage.play(world)
    best = asked(stage, who, world, OLD)[:2]
    assert [(one["score"], one["subject"]["displayName"]) for one in best] == [(1.0, OLD), (0.99, NEW)]
    # A firm is one candidate, whatever it was called: its present name is the better one of two that are equal.
    _register(world, bearer, "青海三江源商贸有限责任公司", OLD)
    stage.play(world)
    ids = [one["subject"]["id"] for one in asked(stage, who, world, OLD)]
    assert len(ids) == len(set(ids))
    assert asked(stage, who, world, OLD)[0]["why"] == ["NAME_EQUAL"]


FORMER = "query F($c: String!) { subject(value: $c) { ... on Organization { formerNames { name provenance { recordedAt } } } } }"


def test_a_name_that_many_versions_bore_is_told_once_as_it_was_first_recorded(stage: Stage) -> None:
    """An address that changed made no new name; whoever is shown names masked is not told which are the same."""
    world, who = build(6), caller(*SUPERVISION)
    firm = next(
        row
        for row in world.tables["subject"]
        if TYPES[row["kind"]] == "Organization" and row["uscc"] is not None
    )
    _register(world, firm, OLD, OLD, "青海旧日茶业有限公司", OLD, NEW)
    since = NOW - timedelta(days=50)
    versions = [row for row in world.tables["registration"] if row["subject_id"] == firm["subject_id"]]
    for place, row in enumerate(versions):
        row["recorded_at"] = since + timedelta(days=place)
        row["superseded_at"] = None if place == len(versions) - 1 else since + timedelta(days=place + 1)
    stage.play(world)
    given = {"c": firm["uscc"]}
    answer = stage.run(Path(stage.reader, world.live).answer(who, FORMER, given))
    told = orjson.loads(answer.data)["subject"]["formerNames"]
    assert [one["name"] for one in told] == ["青海旧日茶业有限公司", OLD]
    assert [datetime.fromisoformat(one["provenance"]["recordedAt"]) for one in told] == [
        since + timedelta(days=2),
        since,
    ]
    blind = who_hides(*SUPERVISION, "FormerName.name")
    text = FORMER.replace("name provenance", "provenance")
    answer = stage.run(Path(stage.reader, world.live).answer(blind, text, given))
    assert len(orjson.loads(answer.data)["subject"]["formerNames"]) == 4


def _register(world: World, subject: dict[str, Any], *names: str) -> None:
    """Have the subject registered under the last of `names`, and before under the others; open to all."""
    rows = [row for row in world.tables["registration"] if row["subject_id"] == subject["subject_id"]]
    for row in rows:
        world.tables["registration"].remove(row)
    for place, name in enumerate(names):
        last = place == len(names) - 1
        world.tables["registration"].append(
            rows[0]
            | {
                "version_id": rows[0]["version_id"] * 100 + 1_000_000 + place, "display_name": name,
                "name_key": name_key(name), "sharing_attribute": "PUBLIC",
                "superseded_at": None if last else rows[0]["recorded_at"],
            }
        )  # fmt: skip
    subject |= {"display_name": names[-1], "name_key": name_key(names[-1])}


def test_nobody_is_found_by_a_former_name_that_no_field_shows(stage: Stage) -> None:
    """Of individual businesses none is shown to anybody, and persons are found by no name."""
    world, who = build(6), caller("auditor", "AUDIT")
    for kind in ("INDIVIDUAL_BUSINESS", "NATURAL_PERSON"):
        subject = next(row for row in world.tables["subject"] if row["kind"] == kind)
        organization = world.tables["registration"][0]
        for place, superseded in enumerate((organization["recorded_at"], None)):
            world.tables["registration"].append(
                organization
                | {
                    "version_id": 2_000_000 + len(world.tables["registration"]), "subject_id": subject["subject_id"],
                    "public_id": f"{len(kind):031d}1", "source_record_id": kind, "sharing_attribute": "PUBLIC",
                    "display_name": (OLD, NEW)[place], "name_key": name_key((OLD, NEW)[place]),
                    "superseded_at": superseded,
                }
            )  # fmt: skip
    stage.play(world)
    assert not [one for one in asked(stage, who, world, OLD) if "NAME_EQUAL" in one["why"]]


@pytest.mark.parametrize("hidden", ["Organization.formerNames", "FormerName.name"])
def test_who_is_shown_no_former_names_gets_the_same_bytes_whether_there_are_any(
    stage: Stage, hidden: str
) -> None:
    world = build(6)
    renamed = next(row for row in world.tables["subject"] if TYPES[row["kind"]] == "Organization")
    _register(world, renamed, OLD, NEW)
    without = world.copy()
    without.tables["registration"][:] = [
        row for row in without.tables["registration"] if row["superseded_at"] is None
    ]
    blind, shown = who_hides(*SUPERVISION, hidden), caller(*SUPERVISION)
    names = [OLD, NEW, *former_names(store_of_world(world))]
    told = []
    for one in (world, without):
        stage.play(one)
        told.append([[asked(stage, who, one, name) for name in names] for who in (blind, shown)])
    assert told[0][0] == told[1][0]
    assert told[0][1] != told[1][1]


async def test_the_migration_gives_the_registrations_that_are_there_their_keys(
    postgres: EmbeddedPostgres,
) -> None:
    dsn = await fresh(postgres, "hub_former_names")
    await migrated_before(dsn, "0016")
    async with connected(dsn) as owner:
        await owner.execute(
            "INSERT INTO subject (kind, display_name, name_key) VALUES ('LEGAL_PERSON', '甲', '甲');"
            "INSERT INTO registration (subject_id, data_class, display_name, source, source_record_id, provider_name,"
            " catalog_item_code, fetched_at, payload_digest, recorded_at)"
            " SELECT subject_id, 'D1', name, 'COMMERCE', name, '商务厅', 'SW', now(), '', now()"
            " FROM subject, unnest(array['青海鹽湖有限责任公司', '甲']) name"
        )
        await migrated(dsn)
        keys = await owner.fetch("SELECT name_key FROM registration ORDER BY version_id")
        assert [key[0] for key in keys] == ["青海盐湖有限公司", "甲"]
