"""Two subjects that a row tells to be one: what stood under an old number is the coded one's from then on (§2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from connectors import registry, tax
from connectors.contract import Batch, Connector, Kind
from connectors.reading import json_raw
from hub.commands.ledger import codes_of
from hub.harvest.quarantine import list_quarantined
from hub.harvest.run import harvest
from hub.harvest.versions import Totals
from hub.ledger.audit import who_saw
from hub.ledger.chain import Ledger
from schema.governance import DATA_CLASSES
from tests.conftest import Database
from tests.disclosures import disclosure
from tests.harvesting import granted, imported, one, row, take, written
from tests.publicity_files import FIRM, NOW, OTHER_FIRM, TOOLS, penalty_row

CUSTOMS, REGISTER = ("CUSTOMS_CODE", "6301960A01"), ("BUSINESS_REG_NO", "6301001200001")
OLD = {"title": "旧", "decided_on": "2014-01-01"}
LATER = NOW + timedelta(days=1)


def old(number: str, *keys: tuple[str, str], **values: Any) -> dict[str, Any]:
    """A licence of whoever has these numbers."""
    return row(number, Kind.LICENSE, "某", keys, **{**OLD, **values})


def both(number: str, *keys: tuple[str, str]) -> dict[str, Any]:
    """A licence of the firm that names its code and these numbers."""
    return old(number, ("USCC", FIRM), *keys)


async def of(database: Database, code: str) -> list[str]:
    """The records that stand of a firm now."""
    rows = await database.writer.fetch(
        "SELECT source_record_id FROM record JOIN subject USING (subject_id)"
        " WHERE uscc = $1 AND superseded_at IS NULL ORDER BY 1",
        code,
    )
    return [found[0] for found in rows]


async def conflicts(database: Database) -> list[str]:
    """Why rows wait."""
    return [waiting.reason_code for waiting in await list_quarantined(database.writer)]


async def test_what_stood_under_an_old_number_is_the_firms_once_a_row_names_both(database: Database) -> None:
    entry = {"list_code": "TAX-SERIOUS", "state": "PUBLISHED", "recognized_on": "2026-01-31"}
    grade = {
        "scheme": "TAX",
        "ruleset_version": "TAX-2025",
        "issuer_name": "税务局",
        "effective_from": "2026-04-20",
    }
    await take(
        database,
        [
            old("1", CUSTOMS),
            row("2", Kind.LIST_ENTRY, "某", [CUSTOMS], **entry),
            row("3", Kind.GRADE, "某", [CUSTOMS], **grade, grade_code="D", grade_label="D级"),
        ],
        [granted("4")],
    )
    part = await one(database, "SELECT subject_id FROM subject WHERE uscc IS NULL")
    before = await database.writer.fetch("SELECT public_id, payload_digest FROM record ORDER BY 1")
    await take(database, [both("5", CUSTOMS)], now=LATER)
    firm = await one(database, "SELECT subject_id FROM subject WHERE uscc = $1", FIRM)
    assert await of(database, FIRM) == ["1", "4", "5"]
    for table in ("list_entry", "grade"):
        standing = f"SELECT subject_id, recorded_at FROM {table} WHERE superseded_at IS NULL"
        assert [tuple(found) for found in await database.writer.fetch(standing)] == [(firm, LATER)]
        # What the hub believed until then it still tells of then.
        ended = f"SELECT subject_id, recorded_at, superseded_at FROM {table} WHERE superseded_at IS NOT NULL"
        assert [tuple(found) for found in await database.writer.fetch(ended)] == [(part, NOW, LATER)]
    assert await one(database, "SELECT count(*) FROM identifier WHERE subject_id = $1", part) == 0
    assert await one(database, "SELECT subject_id FROM identifier WHERE value = $1", CUSTOMS[1]) == firm
    # The same facts under the same ids, and what is delivered again is still what is known already.
    kept = await database.writer.fetch(
        "SELECT public_id, payload_digest FROM record WHERE superseded_at IS NULL AND source_record_id <> '5' ORDER BY 1"
    )
    assert kept == before
    again = await take(database, [old("1", CUSTOMS)], now=LATER)
    assert (again.totals.stored, again.totals.unchanged) == (0, 1)
    changed = await take(database, [old("1", CUSTOMS, title="新")], now=LATER)
    assert changed.totals.stored == 1
    assert await of(database, FIRM) == ["1", "4", "5"]


async def test_of_the_part_nothing_is_denied_and_nobody_finds_it_by_name(database: Database) -> None:
    await take(database, [old("1", CUSTOMS)], [granted("4")], [both("5", CUSTOMS)])
    part = await database.writer.fetchrow("SELECT * FROM subject WHERE uscc IS NULL")
    assert part is not None
    assert part["name_key"] == ""
    assert json.loads(part["in_doubt"]) == {found: ["MARKET_REGULATION"] for found in DATA_CLASSES}
    assert part["joined_to"] == await one(database, "SELECT subject_id FROM subject WHERE uscc = $1", FIRM)


async def test_all_in_one_batch_comes_to_the_same(database: Database) -> None:
    await take(
        database,
        [
            old("1", CUSTOMS),
            old("2", CUSTOMS),
            granted("4"),
            both("5", CUSTOMS),
            old("1", CUSTOMS, title="新"),
            old("6", CUSTOMS),
        ],
    )
    assert await of(database, FIRM) == ["1", "2", "4", "5", "6"]


async def test_several_old_numbers_of_a_new_code_are_one_subject(database: Database) -> None:
    await take(database, [old("1", CUSTOMS), old("2", REGISTER)], [both("3", CUSTOMS, REGISTER)])
    assert await of(database, FIRM) == ["1", "2", "3"]


async def test_a_number_of_another_code_joins_nothing(database: Database) -> None:
    await take(
        database,
        [old("1", CUSTOMS), old("2", ("USCC", OTHER_FIRM), REGISTER), granted("3")],
        [both("4", CUSTOMS, REGISTER)],
    )
    assert await of(database, FIRM) == ["3", "4"]
    assert await of(database, OTHER_FIRM) == ["2"]
    assert await one(database, "SELECT count(*) FROM subject WHERE joined_to IS NOT NULL") == 0


@pytest.mark.parametrize("coded_first", [True, False])
async def test_whoever_cases_consents_or_members_ties_are_about_never_comes_to_be_another(
    database: Database, coded_first: bool
) -> None:
    await take(database, [old("1", CUSTOMS), old("2", REGISTER)])
    for number in (CUSTOMS, REGISTER):
        await database.writer.execute(
            "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
            " SELECT 'p', subject_id, 'MEMBER', '2026-01-01' FROM identifier WHERE value = $1",
            number[1],
        )
    if coded_first:
        await take(database, [granted("3")])
    await take(database, [both("4", CUSTOMS, REGISTER)])
    assert await conflicts(database) == ["KEY_CONFLICT"]
    assert await of(database, FIRM) == (["3"] if coded_first else [])


async def test_whoever_members_tie_becomes_the_whole(database: Database) -> None:
    await take(database, [old("1", CUSTOMS), old("2", REGISTER)])
    await database.writer.execute(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT 'p', subject_id, 'MEMBER', '2026-01-01' FROM identifier WHERE value = $1",
        REGISTER[1],
    )
    await take(database, [both("4", CUSTOMS, REGISTER)])
    assert await of(database, FIRM) == ["1", "2", "4"]
    assert await one(database, "SELECT uscc FROM affiliation JOIN subject USING (subject_id)") == FIRM


async def test_an_old_taxpayer_number_holds_the_organization_code_that_the_new_code_holds(
    database: Database,
) -> None:
    await take(database, [old("1", ("TAXPAYER_ID", "630103MA75ABCD1"))])
    await take(database, [granted("2")])
    assert await of(database, FIRM) == ["1", "2"]
    schemes = await database.writer.fetch("SELECT scheme, data_class FROM identifier ORDER BY 1")
    assert [tuple(found) for found in schemes] == [("ORG_CODE", "D1"), ("TAXPAYER_ID", "D3"), ("USCC", "D1")]


async def test_the_code_of_a_row_says_its_organization_code_whatever_other_number_stands_first(
    database: Database,
) -> None:
    await take(database, [old("1", ("TAXPAYER_ID", "630100MA7XK2P38"), ("USCC", FIRM))])
    assert await one(database, "SELECT value FROM identifier WHERE scheme = 'ORG_CODE'") == "MA75ABCD1"


async def test_who_saw_the_part_saw_the_firm(database: Database, auditor: asyncpg.Connection) -> None:
    await take(database, [old("1", CUSTOMS)], [granted("4")])
    part = await one(database, "SELECT subject_id FROM subject WHERE uscc IS NULL")
    firm = await one(database, "SELECT subject_id FROM subject WHERE uscc = $1", FIRM)
    ledger = Ledger(database.writer_dsn, timeout=20)
    await ledger.start()
    await asyncio.gather(*(ledger.record(disclosure(n, (who,))) for n, who in enumerate((part, firm, 999))))
    await ledger.stop()
    assert [access.request_id for access in await who_saw(auditor, firm)] == ["request-1"]
    await take(database, [both("5", CUSTOMS)])
    assert {access.request_id for access in await who_saw(auditor, firm)} == {"request-0", "request-1"}
    assert await codes_of(auditor, [part, firm]) == [FIRM, FIRM]


_OLD, _BOTH = (
    {"CF_XDR_SHXYM": "0" * 17 + "X", "CF_XDR_GSZC": "6301001200001"},
    {"CF_XDR_GSZC": "6301001200001"},
)


@pytest.mark.parametrize("order", [(_OLD, _BOTH), (_BOTH, _OLD), (_OLD, _BOTH, _OLD), (_OLD, _BOTH, {})])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_a_decision_is_one_record_by_whichever_number_of_its_firm_it_is_delivered(
    database: Database, tmp_path: Path, order: tuple[dict[str, str], ...], known: bool, together: bool
) -> None:
    if known:
        # The firm has a code before the row joins both.
        await take(database, [granted("7")])
    rows = [penalty_row(**named) for named in order]
    other = penalty_row(**{**_BOTH, "CF_WSH": "青商罚〔2026〕000010号"})
    for number, batch in enumerate([[*rows, other]] if together else [[each] for each in (*rows, other)]):
        outcome = await imported(database, written(tmp_path, *batch, name=f"CF_2026110{number + 1}.csv"))
        assert outcome.totals.quarantined == 0
    stands = "SELECT count(*) FROM record WHERE superseded_at IS NULL AND kind = 'PENALTY'"
    assert await one(database, stands) == 2
    assert await one(database, "SELECT count(DISTINCT public_id) FROM record WHERE kind = 'PENALTY'") == 2
    whose = "SELECT count(*) FROM record r JOIN subject s USING (subject_id) WHERE r.superseded_at IS NULL AND s.uscc = $1"
    assert await one(database, f"{whose} AND r.kind = 'PENALTY'", FIRM) == 2


@pytest.mark.parametrize(
    "joining", [_BOTH, _BOTH | {"CF_WSH": "青商罚〔2026〕000010号"}], ids=("itself", "another")
)
async def test_a_decision_that_came_by_either_number_before_a_row_joined_them_is_one_record_from_then_on(
    database: Database, tmp_path: Path, joining: dict[str, str]
) -> None:
    stands = "SELECT count(*) FROM record WHERE superseded_at IS NULL AND document_number LIKE '%09号'"
    told = [_OLD, {}, joining, _OLD | {"CF_NR": "另"}, {"CF_NR": "又"}, _BOTH, _OLD]
    found = []
    for number, named in enumerate(told):
        path = written(tmp_path, penalty_row(**named), name=f"CF_2026110{number + 1}.csv")
        assert (await imported(database, path)).totals.stored == 1
        found.append(await one(database, stands))
    # What was believed before stays on record: two penalties, of two firms.
    assert found == [1, 2, 1, 1, 1, 1, 1]
    assert await one(database, f"{stands} AND data_class = 'D6'") == 1


_ENTRY = {"list_code": "TAX-SERIOUS", "recognized_on": "2026-01-31", "decision_number": "青税稽罚〔2026〕1号"}


@pytest.mark.parametrize(
    ("of_part", "of_firm", "case", "stays"),
    [
        ({}, {}, False, "2"),
        # What its source said later.
        ({"updated": "2026-10-02T00:00:00Z"}, {"updated": "2026-10-01T00:00:00Z"}, False, "1"),
        # What was repaired is not in force again.
        (
            {"updated": "2026-10-02T00:00:00Z"},
            {"updated": "2026-10-01T00:00:00Z", "state": "EXITED_REPAIRED", "exited_on": "2026-10-01"},
            False,
            "2",
        ),
        # No case loses what it is about.
        ({"updated": "2026-10-02T00:00:00Z"}, {"updated": "2026-10-01T00:00:00Z"}, True, "2"),
        # Nor does a repair get lost by it.
        ({"state": "EXITED_REPAIRED", "exited_on": "2026-10-01"}, {}, True, "12"),
        ({"decision_number": "青税稽罚〔2026〕2号"}, {}, False, "12"),
        ({"decision_number": None}, {"decision_number": None}, False, "12"),
    ],
)
async def test_of_two_entries_by_one_decision_the_one_stays_that_counts(
    database: Database, of_part: dict[str, Any], of_firm: dict[str, Any], case: bool, stays: str
) -> None:
    listed = _ENTRY | {"state": "PUBLISHED"}
    await take(
        database,
        [row("1", Kind.LIST_ENTRY, "某", [CUSTOMS], **listed | of_part)],
        [row("2", Kind.LIST_ENTRY, "某", [("USCC", FIRM)], **listed | of_firm)],
    )
    if case:
        await database.writer.execute(
            "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, ruleset,"
            " details, target_public_id) SELECT 'OBJECTION', 'n', subject_id, 'D37', 'UNDER_REVIEW', 'p', now(), now(), 'r',"
            " '{}', public_id FROM list_entry WHERE source_record_id = '2'"
        )
    await take(database, [both("3", CUSTOMS)], now=LATER)
    assert "".join(sorted(await _standing(database, "list_entry", "source_record_id"))) == stays


async def test_whichever_number_a_doubled_decision_is_withdrawn_by_nothing_of_it_stands(
    database: Database,
) -> None:
    settings = {"URL": "http://x", "APP_ID": "x", "APP_SECRET": "0" * 16, "CASE": "x"}
    market = registry.connect({f"HUB_REGISTRY_{name}": said for name, said in settings.items()}, TOOLS)
    told = {"scbz": "0", "gxsj": "2026-10-01 08:00:00"}
    for named in (_OLD, {}, _BOTH | {"CF_WSH": "青商罚〔2026〕000010号"}):
        await _told(database, market, registry.PENALTIES, penalty_row(**named) | told)
    gone = penalty_row(**_OLD) | {"scbz": "1", "gxsj": "2026-10-02 08:00:00"}
    await _told(database, market, registry.PENALTIES, gone)
    assert await _standing(database, "record", "document_number") == ["青商罚〔2026〕000010号"]
    await market.close()


@pytest.mark.parametrize("together", [False, True])
async def test_a_decision_is_one_record_however_the_brackets_of_its_number_are_written(
    database: Database, tmp_path: Path, together: bool
) -> None:
    numbers = ("青商罚〔2026〕9号", "青商罚[2026]9号", "青商罚（2026）9号", "青商罚【2026】9号\u200b")
    rows = [penalty_row(CF_WSH=number) for number in numbers]
    rows.append(penalty_row(CF_XDR_SHXYM=f"\u202d{FIRM}\u202c", CF_WSH=numbers[0]))
    other = penalty_row(CF_WSH="青商罚〔2026〕10号")
    for number, batch in enumerate([[*rows, other]] if together else [[each] for each in (*rows, other)]):
        outcome = await imported(database, written(tmp_path, *batch, name=f"CF_2026110{number + 1}.csv"))
        assert outcome.totals.quarantined == 0
    assert await one(database, "SELECT count(*) FROM record WHERE superseded_at IS NULL") == 2
    assert await one(database, "SELECT count(DISTINCT public_id) FROM record") == 2


async def _told(database: Database, source: Connector, service: str, *rows: dict[str, Any]) -> Totals:
    """What becomes of `rows` of a service or table, as `source` reads them."""
    batch = Batch(
        [json_raw(f"{source.source.name}/{service}", str(n), one) for n, one in enumerate(rows)], "{}"
    )

    async def harvested(_: str | None) -> AsyncIterator[Batch]:
        yield batch

    source.harvest = harvested  # type: ignore[method-assign, assignment]
    totals = (await harvest(source, database.writer, lambda: NOW, pauses=())).totals
    assert totals.quarantined == 0
    return totals


async def _standing(database: Database, table: str, column: str) -> list[str]:
    rows = await database.writer.fetch(f"SELECT {column} FROM {table} WHERE superseded_at IS NULL")
    return [row[0] for row in rows]


_TAXPAYER = f"630103{FIRM[8:17]}"
_TAXED = {"nsrmc": "某公司", "scbz": "0", "gxsj": "2026-04-20 08:00:00", "nsrsbh": _TAXPAYER, "shxydm": None}
# As the bureau writes the code once the firm has one: beside the old number, or in its place.
_CODED = [{"shxydm": FIRM}, {"nsrsbh": FIRM}]


@pytest.mark.parametrize("coded", _CODED, ids=("beside", "in its place"))
@pytest.mark.parametrize("together", [False, True])
async def test_a_firm_leaves_the_tax_bureaus_list_by_its_code_that_came_there_by_its_old_number(
    database: Database, coded: dict[str, str], together: bool
) -> None:
    bureau = tax.connect({"HUB_TAX_DATABASE_URL": "postgresql://x"}, TOOLS)
    listed = _TAXED | {
        "ajxz": "偷税", "zywfss": "x", "cfyj": "y", "wsh": "青税稽罚〔2026〕1号", "lrsj": "2026-04-20", "ycsj": "", "ycyy": "",
    }  # fmt: skip
    other = listed | {"wsh": "青税稽罚〔2026〕2号"}
    left = listed | coded | {"ycsj": "2026-10-01", "ycyy": "信用修复", "gxsj": "2026-10-01 08:00:00"}
    gone = other | coded | {"scbz": "1", "gxsj": "2026-10-01 08:00:00"}
    for rows in [[listed, other, left, gone]] if together else [[listed, other], [left], [gone]]:
        await _told(database, bureau, tax.SERIOUS, *rows)
    assert await _standing(database, "list_entry", "state") == ["EXITED_REPAIRED"]
    assert (await _told(database, bureau, tax.SERIOUS, left, gone)).stored == 0
    assert await _standing(database, "list_entry", "state") == ["EXITED_REPAIRED"]
    assert await one(database, "SELECT count(*) FROM subject WHERE joined_to IS NULL") == 1


@pytest.mark.parametrize("gxsj", ["2026-04-20 08:00:00", ""], ids=("dated", "undated"))
async def test_a_firm_leaves_the_list_by_its_old_number_that_stood_there_by_both(
    database: Database, gxsj: str
) -> None:
    bureau = tax.connect({"HUB_TAX_DATABASE_URL": "postgresql://x"}, TOOLS)
    listed = _TAXED | {
        "ajxz": "偷税", "zywfss": "x", "cfyj": "y", "wsh": "青税稽罚〔2026〕1号", "lrsj": "2026-04-20", "ycsj": "", "ycyy": "",
        "gxsj": gxsj, "nsrsbh": "630103" + OTHER_FIRM[8:17],
    }  # fmt: skip
    coded, joining = listed | _CODED[1], listed | _CODED[0] | {"wsh": "青税稽罚〔2026〕2号"}
    for told in (listed, coded, joining, listed):
        await _told(database, bureau, tax.SERIOUS, told)
    assert await _standing(database, "list_entry", "state") == ["PUBLISHED"] * 2
    left = listed | {"ycsj": "2026-10-01", "ycyy": "信用修复", "gxsj": "2026-10-01 08:00:00"}
    await _told(database, bureau, tax.SERIOUS, left)
    assert sorted(await _standing(database, "list_entry", "state")) == ["EXITED_REPAIRED", "PUBLISHED"]


@pytest.mark.parametrize("coded", _CODED, ids=("beside", "in its place"))
async def test_the_grade_of_a_year_is_one_by_whichever_number_the_tax_bureau_tells_it(
    database: Database, coded: dict[str, str]
) -> None:
    bureau = tax.connect({"HUB_TAX_DATABASE_URL": "postgresql://x"}, TOOLS)
    graded = _TAXED | {"pjnd": "2025", "xydj": "D", "pdsj": "2026-04-20", "yxqs": "", "yxqz": ""}
    await _told(database, bureau, tax.GRADE, graded, graded | {"pjnd": "2024"})
    corrected = graded | coded | {"xydj": "A", "gxsj": "2026-06-01 08:00:00"}
    await _told(database, bureau, tax.GRADE, corrected)
    assert sorted(await _standing(database, "grade", "period || grade_code")) == ["2024D", "2025A"]
    # Another firm's is another's, and of what nobody has told before nobody is made a subject.
    stranger = corrected | {
        "nsrsbh": OTHER_FIRM,
        "shxydm": OTHER_FIRM,
        "scbz": "1",
        "gxsj": "2026-07-01 08:00:00",
    }
    await _told(database, bureau, tax.GRADE, stranger)
    assert await one(database, "SELECT count(*) FROM subject") == 1
    await _told(database, bureau, tax.GRADE, corrected | {"scbz": "1", "gxsj": "2026-07-01 08:00:00"})
    assert await _standing(database, "grade", "period || grade_code") == ["2024D"]


async def test_a_penalty_is_withdrawn_by_the_code_of_its_firm_that_came_by_its_old_number(
    database: Database,
) -> None:
    settings = {"URL": "http://x", "APP_ID": "x", "APP_SECRET": "0" * 16, "CASE": "x"}
    market = registry.connect({f"HUB_REGISTRY_{name}": said for name, said in settings.items()}, TOOLS)
    old, both = (penalty_row(**named) for named in (_OLD, _BOTH))
    await _told(database, market, registry.PENALTIES, old | {"scbz": "0", "gxsj": "2026-10-01 08:00:00"})
    assert len(await _standing(database, "record", "title")) == 1
    await _told(database, market, registry.PENALTIES, both | {"scbz": "1", "gxsj": "2026-10-02 08:00:00"})
    assert await _standing(database, "record", "title") == []
    # What it was before, by either number, is no more, whenever it comes.
    for earlier in (both, old):
        told = earlier | {"CF_NR": "另", "scbz": "0", "gxsj": "2026-10-01 09:00:00"}
        await _told(database, market, registry.PENALTIES, told)
        assert await _standing(database, "record", "title") == []
    await market.close()
