"""Which subject a row is about: exact identifiers decide, names never."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Kind
from connectors.credit_platform import EVALUATION
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import replay
from hub.harvest.run import harvest
from schema.persons import hmac_sm3
from tests.casework.test_repair_results import Window
from tests.conftest import Database
from tests.harvesting import (
    granted,
    imported,
    one,
    row,
    take,
    written,
)
from tests.publicity_files import (
    COLLECTIVE,
    FIRM,
    KEY,
    NOW,
    OTHER_FIRM,
    PERSON,
    RESIDENT_ID,
    license_row,
)


async def test_a_subject_is_one_by_its_code_whatever_its_name_and_never_by_its_name(
    database: Database,
) -> None:
    await take(
        database,
        [granted("1", FIRM, "甲公司"), granted("2", FIRM, "乙公司"), granted("3", OTHER_FIRM, "甲公司")],
    )
    names = await database.writer.fetch("SELECT uscc, display_name FROM subject ORDER BY uscc")
    assert [tuple(name) for name in names] == [(OTHER_FIRM, "甲公司"), (FIRM, "甲公司")]


async def test_a_code_in_full_width_with_blanks_is_the_same_subject(database: Database) -> None:
    wide = FIRM.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    await take(database, [granted("1"), granted("2", wide), granted("3", f"{FIRM[:4]} {FIRM[4:].lower()}")])
    assert await one(database, "SELECT count(*) FROM subject") == 1


async def test_the_organization_code_inside_a_code_joins_older_records(database: Database) -> None:
    older = row("2", Kind.LICENSE, "某", [("ORG_CODE", "MA75ABCD-1")], title="旧", decided_on="2014-01-01")
    await take(database, [granted("1")], [older])
    assert await one(database, "SELECT count(*) FROM subject") == 1


@pytest.mark.parametrize(
    ("scheme", "filler"),
    [
        # Of these the check characters are right.
        ("USCC", "0" * 18),
        ("ORG_CODE", "00000000-0"),
        ("TAXPAYER_ID", "630103000000000"),
        ("BUSINESS_REG_NO", "0" * 13),
        ("BUSINESS_REG_NO", "9" * 13),
        ("CUSTOMS_CODE", "0" * 10),
        ("PUBLIC_INST_NO", "0" * 12),
        ("SOCIAL_ORG_NO", "无社会组织登记证号"),
    ],
)
async def test_what_forms_are_filled_in_with_is_nobodys_number(
    database: Database, scheme: str, filler: str
) -> None:
    rows = [
        row(str(number), Kind.LICENSE, "某", [*known, (scheme, filler)], title="x", decided_on="2026-05-10")
        for number, known in enumerate(([("USCC", FIRM)], [("USCC", OTHER_FIRM)], []))
    ]
    outcome = await take(database, rows)
    assert (outcome.totals.stored, outcome.totals.quarantined) == (2, 1)
    assert await one(database, "SELECT reason_code FROM quarantine") == "NO_KEY"
    kept = await database.writer.fetch("SELECT value FROM identifier WHERE scheme <> 'ORG_CODE'")
    assert sorted(found["value"] for found in kept) == sorted((FIRM, OTHER_FIRM))


async def test_a_subject_known_by_an_old_number_is_given_its_code_when_a_row_names_both(
    database: Database,
) -> None:
    number = ("CUSTOMS_CODE", "6301960A01")
    await take(
        database,
        [row("1", Kind.LICENSE, "某", [number], title="一", decided_on="2014-01-01")],
        [row("2", Kind.LICENSE, "某", [("USCC", COLLECTIVE), number], title="二", decided_on="2024-01-01")],
    )
    assert await one(database, "SELECT count(*) FROM subject") == 1
    assert await one(database, "SELECT uscc FROM subject") == COLLECTIVE


async def test_numbers_of_different_subjects_in_one_row_are_a_conflict(database: Database) -> None:
    first, second = ("CUSTOMS_CODE", "6301960A01"), ("BUSINESS_REG_NO", "6301001200001")
    old = {"title": "x", "decided_on": "2014-01-01"}
    rows = [row("1", Kind.LICENSE, "甲", [first], **old), row("2", Kind.LICENSE, "乙", [second], **old)]
    await take(database, rows, [row("3", Kind.LICENSE, "丙", [first, second], **old)])
    assert [waiting.reason_code for waiting in await list_quarantined(database.writer)] == ["KEY_CONFLICT"]


async def test_a_registered_name_is_not_overwritten_by_a_licence_and_is_by_a_later_registration(
    database: Database,
) -> None:
    def registration(name: str, **values: Any) -> dict[str, Any]:
        return row(
            "r", Kind.REGISTRATION, name, [("USCC", FIRM)], display_name=name, region="630122", **values
        )

    await take(
        database,
        [granted("1", name="招牌名")],
        [registration("青海三江源商贸有限责任公司", registration_status="存续")],
    )
    await take(database, [granted("2", name="另一个招牌")])
    subject = await database.writer.fetchrow("SELECT * FROM subject")
    assert subject is not None
    assert (subject["display_name"], subject["registration_status"]) == (
        "青海三江源商贸有限责任公司",
        "存续",
    )
    # 湟中县 has been 湟中区 since 2019.
    assert subject["region_code"] == "630106"
    assert (
        await one(database, "SELECT details->'flags' FROM record WHERE source_record_id = '2'")
        == '["NAME_DIFFERS"]'
    )
    await take(database, [registration("青海三江源集团有限公司", registration_status="存续")])
    assert await one(database, "SELECT display_name FROM subject") == "青海三江源集团有限公司"
    assert await one(database, "SELECT name_key FROM subject") == "青海三江源集团有限公司"
    # Also by its former name, however that was spelt.
    keys = await database.writer.fetch("SELECT name_key FROM registration ORDER BY version_id")
    assert [key[0] for key in keys] == ["青海三江源商贸有限公司", "青海三江源集团有限公司"]


REGISTERED = {
    "registration_status": "存续", "region": "630103", "established_on": "2015-03-01", "industry_code": "F51",
    "legal_representative_name": "马德林",
}  # fmt: skip
TOLD = "registration_status, region_code, established_on, industry_code, legal_representative_name"


def registered(
    name: str = "青海甲有限公司", number: str = "r", code: str = FIRM, **values: Any
) -> dict[str, Any]:
    return row(number, Kind.REGISTRATION, name, [("USCC", code)], display_name=name, **REGISTERED | values)


@pytest.mark.parametrize("apart", [True, False])
async def test_of_a_registration_that_is_withdrawn_a_subject_keeps_its_name_alone(
    database: Database, apart: bool
) -> None:
    async def come(*rows: dict[str, Any]) -> None:
        await take(database, *([one] for one in rows)) if apart else await take(database, list(rows))

    await take(database, [granted("1")])
    await come(registered(), registered("青海乙有限公司"), registered(deleted=True))
    subject = await database.writer.fetchrow(f"SELECT display_name, name_key, {TOLD} FROM subject")
    assert subject is not None
    assert tuple(subject) == ("青海乙有限公司", "青海乙有限公司", None, None, None, None, None)
    # What the one that comes in its place does not say is not taken from it.
    silent: dict[str, Any] = {"legal_representative_name": None, "industry_code": None, "region": "630104"}
    await come(registered("青海丙有限公司"), registered(deleted=True), registered("青海丁有限公司", **silent))
    back = await database.writer.fetchrow(f"SELECT display_name, {TOLD} FROM subject")
    assert back is not None
    assert tuple(back) == ("青海丁有限公司", "存续", "630104", date(2015, 3, 1), None, None)


async def test_of_two_registrations_the_one_that_stands_still_tells_of_the_subject(
    database: Database,
) -> None:
    await take(database, [registered(), registered(number="s")], [registered(deleted=True)])
    assert await one(database, "SELECT registration_status FROM subject") == "存续"
    await take(database, [registered(number="s", deleted=True)])
    assert await one(database, "SELECT registration_status FROM subject") is None


@pytest.mark.parametrize("apart", [True, False])
async def test_of_a_registration_that_is_another_subjects_a_subject_keeps_nothing(
    database: Database, apart: bool
) -> None:
    async def come(*rows: dict[str, Any]) -> None:
        await take(database, *([one] for one in rows)) if apart else await take(database, list(rows))

    async def told(code: str) -> tuple[Any, ...]:
        subject = await database.writer.fetchrow(
            f"SELECT display_name, name_key, {TOLD} FROM subject WHERE uscc = $1", code
        )
        assert subject is not None
        return tuple(subject)

    whole = ("存续", "630103", date(2015, 3, 1), "F51", "马德林")
    await come(registered("青海乙有限公司"), registered("青海乙有限公司", code=OTHER_FIRM))
    assert await told(FIRM) == ("青海乙有限公司", "青海乙有限公司", None, None, None, None, None)
    assert await told(OTHER_FIRM) == ("青海乙有限公司", "青海乙有限公司", *whole)
    # What a registration of its own says it keeps, and no more.
    silent: dict[str, Any] = {"registration_status": None, "industry_code": None, "region": "630122"}
    own = registered(number="s", region_code="630122", **silent)
    await come(own, registered("青海丙有限公司"), registered("青海丙有限公司", code=OTHER_FIRM))
    assert await told(FIRM) == (
        "青海甲有限公司", "青海甲有限公司", None, "630106", date(2015, 3, 1), None, "马德林",
    )  # fmt: skip
    assert await told(OTHER_FIRM) == ("青海丙有限公司", "青海丙有限公司", *whole)


async def test_a_person_is_known_by_a_digest_and_has_no_name_to_be_found_by(
    database: Database, tmp_path: Path
) -> None:
    assert (await imported(database, written(tmp_path, license_row(**PERSON)))).totals.stored == 1
    assert await one(database, "SELECT kind FROM subject") == "NATURAL_PERSON"
    assert await one(database, "SELECT name_key FROM subject") == ""
    kept = await database.writer.fetchrow("SELECT scheme, value, data_class FROM identifier")
    assert kept is not None
    assert tuple(kept) == ("RESIDENT_ID", hmac_sm3(KEY, RESIDENT_ID), "D3")
    assert await one(database, "SELECT data_class FROM record") == "D5"


async def test_a_person_of_the_credit_platform_is_known_by_a_number_and_not_by_what_stands_for_none(
    database: Database,
) -> None:
    """A digest of 无, or of a number with asterisks in it, would be that of many persons."""
    given = {"ztlb": "自然人", "ztmc": "才让", "pjdj": "D", "pjrq": "2026-05-01", "scbz": "0"}
    platform = Window([], EVALUATION)
    numbers = ("无", "6301**********0016", "63010319900307001X", "000000000000000000", RESIDENT_ID)
    rows = [dict(platform.real._hide(given | {"zjhm": number})) for number in numbers]
    assert RESIDENT_ID not in str(rows)
    outcome = await harvest(Window(rows, EVALUATION), database.writer, lambda: NOW, pauses=())
    assert (outcome.totals.stored, outcome.totals.quarantined) == (1, 4)
    waiting = await list_quarantined(database.writer)
    assert {row.reason_code for row in waiting} == {"NO_KEY", "PERSON_NUMBER"}
    again = {"zjhm": RESIDENT_ID}
    assert await replay(database.writer, platform, waiting[0].quarantine_id, again, lambda: NOW) is None
    assert await one(database, "SELECT count(*) FROM subject") == 1
