"""The grade of a member of the association: one, whatever certificates it had; asked over the association's own interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from connectors.association import connect
from hub.harvest.run import harvest
from hub.sandbox.association import Chamber, Complaints, Member
from hub.sandbox.province import Province
from hub.sandbox.server import serving
from hub.store.embedded import EmbeddedPostgres
from tests.conftest import Database
from tests.publicity_files import FIRM, NOW, TOOLS
from tests.test_database import connected, fresh, migrated_before

TOKEN = "t"
GRADED = Member(
    member_no="QHSL1", name="某", uscc=FIRM, member_class="会员", status="在会", joined_on="2020-01-01",
    convention_signed_on="", updated_at="2026-05-01T09:00:00+08:00", honours=[], grade="AA",
    certificate_no="202663001100001", graded_on="2026-05-01", complaints=Complaints(received=0, resolved=0),
    sanctions=[], phone="", representative_id_number="",
)  # fmt: skip
LATER = "2026-05-10T09:00:00+08:00"
UNGRADED = replace(GRADED, grade=None, certificate_no=None, graded_on="", updated_at=LATER)
REGRADED = replace(
    GRADED, grade="A", certificate_no="202663000100002", graded_on="2026-05-10", updated_at=LATER
)


@pytest.fixture
async def chamber() -> AsyncIterator[tuple[Chamber, str]]:
    """The association with one member, and its address."""
    made = Chamber(Province(10, date(2026, 5, 1)), TOKEN, _members=[GRADED])
    async with serving(made.app()) as address:
        yield made, f"{address}/graphql"


async def grades(database: Database, chamber: tuple[Chamber, str], member: Member | None = None) -> list[str]:
    """The grades that stand once the association is asked, after `member` changed."""
    at, address = chamber
    if member is not None:
        at._members.append(member)
    one = connect({"HUB_ASSOCIATION_URL": address, "HUB_ASSOCIATION_TOKEN": TOKEN}, TOOLS)
    outcome = await harvest(one, database.writer, lambda: NOW + timedelta(hours=len(at._members)), pauses=())
    await one.close()
    assert outcome.totals.quarantined == 0
    current = "SELECT grade_code FROM grade WHERE superseded_at IS NULL ORDER BY 1"
    return [found[0] for found in await database.writer.fetch(current)]


@pytest.mark.parametrize(
    ("change", "stand"),
    [
        (REGRADED, ["A"]),
        # Withdrawn: no certificate comes any more by which it could be named.
        (UNGRADED, []),
        (replace(UNGRADED, status="已退会"), []),
        (replace(GRADED, status="已退会", updated_at=LATER), []),
        # Another change of the member leaves the grade as it is.
        (replace(GRADED, honours=["诚信经营示范单位"], updated_at=LATER), ["AA"]),
    ],
)
async def test_a_member_has_the_grade_that_the_association_tells_of_it_now(
    database: Database, chamber: tuple[Chamber, str], change: Member, stand: list[str]
) -> None:
    """The AA of a firm that was graded down, or lost its grade, was told beside or without the new one until its term was over."""
    assert await grades(database, chamber) == ["AA"]
    assert await grades(database, chamber, change) == stand
    # Delivered again as a whole, nothing comes back.
    await database.writer.execute("UPDATE source_state SET cursor = NULL")
    assert await grades(database, chamber) == stand


async def test_a_member_that_is_graded_again_after_it_lost_its_grade_has_it(
    database: Database, chamber: tuple[Chamber, str]
) -> None:
    await grades(database, chamber)
    await grades(database, chamber, UNGRADED)
    assert await grades(database, chamber, replace(REGRADED, updated_at="2026-05-11T09:00:00+08:00")) == ["A"]


async def test_the_migration_leaves_each_firm_the_grade_told_last_under_its_member_number(
    postgres: EmbeddedPostgres,
) -> None:
    dsn = await fresh(postgres, "hub_grades_of_members")
    await migrated_before(dsn, "0025")
    fact = "provider_name, catalog_item_code, fetched_at, payload_digest, recorded_at, source_updated_at"
    grade = f"""
        INSERT INTO grade (subject_id, data_class, scheme, grade_code, grade_label, ruleset_version, issuer_name,
          effective_from, source, source_record_id, {fact})
        SELECT subject_id, 'D24', 'X', code, code, 'R', '会', '2026-01-01', source, named, '会', 'XH-GRADE', now(), '',
          now() - interval '1 day', told
        FROM subject JOIN (VALUES ('甲', 'AA', 'ASSOCIATION', 'XH-GRADE:1', timestamptz '2026-01-01'),
          ('甲', 'A', 'ASSOCIATION', 'XH-GRADE:2', '2026-02-01'), ('甲', 'B', 'TAX', 'T:1', '2026-01-01'),
          ('乙', 'B', 'ASSOCIATION', 'XH-GRADE:3', '2026-01-01')) AS given (who, code, source, named, told)
          ON display_name = who
    """
    async with connected(dsn) as owner:
        await owner.execute(
            "INSERT INTO subject (kind, display_name, name_key)"
            " SELECT 'LEGAL_PERSON', n, n FROM unnest(array['甲', '乙']) n"
        )
        await owner.execute(grade)
        # 乙 is a member twice.
        await owner.execute(
            "INSERT INTO archive (subject_id, data_class, archive_type, origin_class, keeper_name, items, source,"
            f" source_record_id, {fact}) SELECT subject_id, 'D24', 'ASSOCIATION', 'MARKET_CREDIT', '会', '[]',"
            " 'ASSOCIATION', named, '会', 'XH-ARCHIVE', now(), '', now(), now() FROM subject JOIN (VALUES"
            " ('甲', 'XH-ARCHIVE:M1'), ('乙', 'XH-ARCHIVE:M2'), ('乙', 'XH-ARCHIVE:M3')) AS given (who, named)"
            " ON display_name = who"
        )
        await owner.execute(
            "INSERT INTO source_state (source, status, checked_at, cursor)"
            " VALUES ('ASSOCIATION', 'OK', now(), 'since'), ('TAX', 'OK', now(), 'at')"
        )
        await migrated_before(dsn, "0026")
        # What was withdrawn before is read once more, and ends.
        cursors = await owner.fetch("SELECT source, cursor FROM source_state ORDER BY source")
        assert list(map(tuple, cursors)) == [("ASSOCIATION", None), ("TAX", "at")]
        stand = await owner.fetch(
            "SELECT grade_code, source_record_id FROM grade WHERE superseded_at IS NULL ORDER BY 2"
        )
        assert list(map(tuple, stand)) == [("B", "T:1"), ("B", "XH-GRADE:3"), ("A", "XH-GRADE:M1")]
