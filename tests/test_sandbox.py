"""The sandboxes: an invented province, the same in every run, and servers that end when their parent does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tomllib
from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from hub.sandbox import facts, wellknown
from hub.sandbox.province import FICTITIOUS, Province
from hub.sandbox.run import platform_of, province_in, running
from hub.sandbox.seed import seed_consents
from hub.sandbox.server import Fault, serving
from hub.store.embedded import EmbeddedPostgres
from schema.identifiers import examine_uscc, is_uscc, parse_customs_code, parse_resident_id
from tests.conftest import Database

TODAY = date(2026, 11, 23)
LISTS = tomllib.loads(files("hub.rules").joinpath("lists.toml").read_text(encoding="utf-8"))["list"]
VECTORS = [
    "91630103MA75ABCD1M",
    "91630100MA7XK2P38N",
    "91632801MA7D3E5F01",
    "91630000710400017T",
    "92630104MA758WQ780",
    "93632801MA752R8K3C",
    "51630000500001237G",
    "52630102MJY8000174",
    "11630000000015122A",
    "N1630202MF0A1B2C08",
]


def test_a_province_is_the_same_in_every_run_and_another_from_another_seed() -> None:
    assert list(Province(300, TODAY)) == list(Province(300, TODAY))
    assert list(Province(300, TODAY)) != list(Province(300, TODAY, seed=64))
    # A larger province only adds: what was known of the first subjects stays.
    assert list(Province(300, TODAY)) == [Province(5000, TODAY).subject(number) for number in range(300)]


def test_every_code_is_valid_and_given_once() -> None:
    province = Province(4000, TODAY)
    codes = [subject.code for subject in province.organizations()]
    assert len(set(codes)) == len(codes)
    assert all(not examine_uscc(code).problems for code in codes)
    assert all(
        province.find(code) == subject for code, subject in zip(codes, province.organizations(), strict=True)
    )
    for subject in province:
        # Born before 1920: nobody alive holds such a number.
        assert parse_resident_id(subject.resident_id, TODAY).born_on.year < 1920
        if subject.customs is not None:
            parse_customs_code(subject.customs.code)
    for authority in vars(facts).values():
        if isinstance(authority, facts.Authority):
            assert is_uscc(authority.uscc), authority.name


def test_the_province_has_every_kind_of_subject_and_of_fact() -> None:
    province = list(Province(4000, TODAY))
    kinds = Counter(subject.kind for subject in province)
    assert min(kinds.values()) > 50
    assert len(kinds) == 4
    prefixes = Counter(subject.code[:2] for subject in province if subject.uscc)
    assert set(prefixes) >= {"91", "92", "93", "51", "52", "11", "N1"}
    assert {penalty.seriousness for s in province for penalty in s.penalties} == {
        "MINOR",
        "GENERAL",
        "SERIOUS",
    }
    assert {grade.grade for s in province for grade in s.tax_grades} == set("ABMCD")
    listed = Counter(listing.list_code for s in province for listing in s.listings)
    assert set(listed) == {one["code"] for one in LISTS}
    levels = {(level.ruleset, level.label) for s in province if s.customs for level in s.customs.levels}
    assert ("CUSTOMS-237", "一般认证企业") in levels
    assert ("CUSTOMS-282", "严重失信企业") in levels
    assert any(s.registered_region != s.region.code for s in province), (
        "old registrations keep their region's old code"
    )
    assert all(FICTITIOUS in subject.address for subject in province)


def test_no_decision_lies_ahead() -> None:
    for subject in Province(2000, TODAY):
        days = [one.decided_on for one in (*subject.licenses, *subject.penalties)]
        days += [one.recognized_on for one in subject.listings]
        days += [one.exited_on for one in subject.listings if one.exited_on]
        days += [one.evaluated_on for one in subject.tax_grades]
        assert all(day <= TODAY for day in days)


@pytest.mark.parametrize("today", [TODAY, date(2027, 3, 1), date(2031, 2, 28)])
def test_the_well_known_subjects_are_in_every_province(today: date) -> None:
    province = Province(len(VECTORS), today)
    assert [subject.uscc for subject in province] == VECTORS
    rich = province.find(wellknown.RICH)
    assert rich is not None
    assert rich.name == "青海三江源商贸有限公司"
    in_publicity = [one for one in rich.penalties if one.publicity_until and one.publicity_until >= today]
    over = [one for one in rich.penalties if one.publicity_until and one.publicity_until < today]
    assert in_publicity
    assert over
    assert {one.state for one in rich.listings} == {"PUBLISHED", "EXITED_REPAIRED", "RECOGNIZED"}
    assert rich.tax_grades[-1].grade == "B"
    assert rich.customs
    assert rich.membership
    assert rich.reports
    assert {one.partner for one in province.affiliations() if one.uscc == rich.uscc} == {"chamber", "mall"}


async def test_a_sandbox_answers_on_the_loopback_and_takes_a_fault() -> None:
    async with (
        serving(platform_of(Province(20, TODAY)).app()) as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert url.startswith("http://127.0.0.1:")
        assert (await client.put(f"{url}/sandbox/fault", content=Fault.ERROR.value)).status_code == 200
        assert (await client.post(f"{url}/gateway/httpproxy")).status_code == 500
        await client.put(f"{url}/sandbox/fault", content=Fault.NONE.value)
        answer = (await client.post(f"{url}/gateway/httpproxy")).json()
        assert answer["code"] == "4004", "codes are strings"


def test_the_province_of_a_state_directory_stays_as_it_was_made(tmp_path: Path) -> None:
    first = province_in(tmp_path, 50, TODAY)
    assert province_in(tmp_path, 50, date(2027, 5, 5)) == first
    assert province_in(tmp_path, 60, date(2027, 5, 5)).today == date(2027, 5, 5)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_the_servers_end_with_the_block_and_a_second_start_changes_nothing(
    state_dir: Path, postgres: EmbeddedPostgres
) -> None:
    place = state_dir / "twice"
    before = set(_children(os.getpid()))
    async with running(place, 40, postgres, TODAY) as (first, _):
        assert set(_children(os.getpid())) - before
        dropped = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(first["HUB_CUSTOMS_URL"])).status_code == 404
    assert set(_children(os.getpid())) == before
    async with running(place, 40, postgres, date(2027, 1, 1)) as (second, _):
        assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == dropped
        assert {k: v for k, v in first.items() if not k.endswith("_URL")} == {
            k: v for k, v in second.items() if not k.endswith("_URL")
        }


_PARENT = """
import asyncio, sys
from pathlib import Path
from hub.sandbox.run import running

class Server:
    def dsn(self, user="", database=""):
        return sys.argv[2].replace("a-user", user).replace("a-database", database)

async def main():
    async with running(Path(sys.argv[1]), 20, Server()) as (settings, _):
        print(settings["HUB_CUSTOMS_URL"], flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_servers_end_when_their_parent_is_killed(
    how: signal.Signals, state_dir: Path, postgres: EmbeddedPostgres
) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PARENT, str(state_dir / "killed"), postgres.dsn("a-user", "a-database")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    url = (await asyncio.wait_for(parent.stdout.readline(), 30)).decode().strip()
    (child,) = _children(parent.pid)
    assert url.startswith("http://127.0.0.1:")
    parent.send_signal(how)
    await parent.wait()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        await asyncio.sleep(0.05)
    assert not Path(f"/proc/{child}").exists(), "no process is left behind"


async def test_consents_are_written_once_and_only_for_a_subject_that_is_there(database: Database) -> None:
    province = Province(20, TODAY)
    async with database.writer.acquire() as connection:
        await seed_consents(connection, province)
        assert await connection.fetchval("SELECT count(*) FROM consent") == 0
        await connection.execute(
            "INSERT INTO subject (kind, uscc, display_name, name_key) VALUES ('LEGAL_PERSON', $1, '某', '某')",
            wellknown.RICH,
        )
        for _ in range(2):
            await seed_consents(connection, province)
        rows = await connection.fetch("SELECT grantee, purposes FROM consent ORDER BY grantee")
    assert [tuple(row) for row in rows] == [
        ("chamber", ["MEMBER_ARCHIVE"]),
        ("mall", ["MERCHANT_ADMISSION"]),
    ]
