"""Rows that are not understood: kept with their bytes, without numbers of persons, corrected and replayed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.commerce import connect as connect_commerce
from connectors.contract import Mode, Retention
from connectors.credit_platform import EVALUATION
from hub.errors import BadUserInput
from hub.harvest.quarantine import Clearing, fields_of, list_quarantined, quarantined
from hub.harvest.replay import replay
from hub.harvest.run import harvest
from hub.harvest.screen import redact
from hub.harvest.versions import Totals
from tests.casework.test_repair_results import Window
from tests.conftest import Database
from tests.harvesting import (
    REGISTER,
    Rows,
    granted,
    imported,
    one,
    take,
    written,
)
from tests.publicity_files import (
    FIRM,
    NOW,
    PERSON,
    RESIDENT_ID,
    TOOLS,
    license_row,
    penalty_row,
)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"identifiers": [["USCC", "9.163E+17"]]}, "USCC_SCIENTIFIC"),
        ({"identifiers": [["USCC", "91630103MA75ABCD1N"]]}, "USCC_CHECK"),
        ({"identifiers": [["USCC", "91630103MA75ABCDIM"]]}, "USCC_ALPHABET"),
        ({"identifiers": [["USCC", "9163"]]}, "USCC_LENGTH"),
        # A right old number must not decide in the place of a wrong code.
        ({"identifiers": [["USCC", "91630103MA75ABCD1N"], ["CUSTOMS_CODE", "6301960A01"]]}, "USCC_CHECK"),
        ({"identifiers": [["USCC", "0" * 17 + "X"]]}, "NO_KEY"),
        ({"identifiers": []}, "NO_KEY"),
        ({"identifiers": [["USCC", RESIDENT_ID]]}, "USCC_RESIDENT_ID"),
        ({"identifiers": [["TAXPAYER_ID", RESIDENT_ID]]}, "NO_KEY"),
        ({"identifiers": [["FINGERPRINT", "1"]]}, "UNKNOWN_SCHEME"),
        ({"identifiers": [["RESIDENT_ID", "a" * 64]]}, "KIND_IDENTIFIER"),
        (
            {"identifiers": [["RESIDENT_ID", RESIDENT_ID]], "subject_kind": "NATURAL_PERSON"},
            "PERSON_NUMBER_IN_CLEAR",
        ),
        ({"name": " "}, "MISSING"),
        ({"title": None}, "MISSING"),
        ({"decided_on": None}, "MISSING"),
        ({"title": 5}, "WRONG_TYPE"),
        ({"colour": "red"}, "UNKNOWN_COLUMN"),
        ({"lifecycle": "ALIVE"}, "UNKNOWN_VALUE"),
        ({"item": "ELSE"}, "UNKNOWN_ITEM"),
        ({"authority_uscc": "11630000000015122B"}, "AUTHORITY_CODE"),
        ({"title": "a\x00b"}, "NOT_TEXT"),
        ({"title": "食品\ufffd营许可"}, "NOT_TEXT"),
        ({"title": f"公民{RESIDENT_ID}的许可"}, "PERSON_NUMBER_IN_TEXT"),
        ({"title": "公民630103 19900307 0016的许可"}, "PERSON_NUMBER_IN_TEXT"),
        ({"details": {"content": "联系电话13897654321"}}, "CONTACT_IN_TEXT"),
        ({"details": {"content": "账号6222020200112233446"}}, "CONTACT_IN_TEXT"),
        ({"reject": "THE_CONNECTORS_CODE"}, "THE_CONNECTORS_CODE"),
        ({"crash": "x"}, "CONNECTOR_DEFECT"),
    ],
)
async def test_what_is_not_understood_is_quarantined_with_code_and_bytes(
    database: Database, bad: dict[str, Any], code: str
) -> None:
    outcome = await take(database, [granted("1"), {**granted("2"), **bad}])
    assert outcome.totals == Totals(2, 1, 0, 1)
    (waiting,) = await list_quarantined(database.writer)
    assert (waiting.reason_code, waiting.origin, waiting.position) == (code, "register", "2")
    found = await quarantined(database.writer, waiting.quarantine_id)
    assert found is not None
    assert RESIDENT_ID.encode() not in found[1]
    assert RESIDENT_ID not in waiting.reason


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize(
    "text",
    [
        # In GB18030 the last byte of these characters is a figure or a letter.
        f"㐂{RESIDENT_ID}",
        f"李镕{RESIDENT_ID}",
        f"ID{RESIDENT_ID}",
        f"{RESIDENT_ID}01",
        f"{RESIDENT_ID[:6]}\u3000{RESIDENT_ID[6:14]}\u3000{RESIDENT_ID[14:]}",
    ],
)
def test_no_text_before_a_persons_number_hides_it_from_the_mask(text: str, encoding: str) -> None:
    kept = redact(f"当事人{text}。".encode(encoding)).decode(encoding)
    assert "6****************6" in kept
    assert RESIDENT_ID[6:14] not in kept


async def test_a_corrected_row_is_replayed(database: Database, tmp_path: Path) -> None:
    path = written(
        tmp_path, license_row(XK_XDR_SHXYM="9.163E+17"), license_row(XK_WSH="2号", XK_YXQZI="2001/01/01")
    )
    await imported(database, path)
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    dates, code = await list_quarantined(database.writer, "COMMERCE")
    found = await quarantined(database.writer, code.quarantine_id)
    assert found is not None
    fields = fields_of(connector, found[1])
    assert fields is not None
    assert fields["XK_XDR_MC"] == "青海三江源商贸有限公司"
    # Wrong again: it stays.
    still = await replay(
        database.writer, connector, code.quarantine_id, {"XK_XDR_SHXYM": FIRM[:-1]}, lambda: NOW
    )
    assert still is not None
    assert still.code == "USCC_LENGTH"
    assert (
        await replay(database.writer, connector, code.quarantine_id, {"XK_XDR_SHXYM": FIRM}, lambda: NOW)
        is None
    )
    assert await list_quarantined(database.writer) == [dates]
    with pytest.raises(BadUserInput):
        await replay(database.writer, connector, code.quarantine_id, {}, lambda: NOW)
    state = await database.writer.fetchrow(
        "SELECT rows_read, rows_stored, rows_quarantined FROM source_state"
    )
    assert state is not None
    assert tuple(state) == (2, 1, 1)


async def test_of_two_who_replay_a_row_at_once_one_is_told_that_it_waits_no_more(
    database: Database, tmp_path: Path
) -> None:
    """Each with the code of another firm: both would have the licence."""
    await imported(database, written(tmp_path, license_row(XK_XDR_SHXYM="9.163E+17")))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)

    async def replayed(code: str) -> object:
        return await replay(
            database.writer, connector, waiting.quarantine_id, {"XK_XDR_SHXYM": code}, lambda: NOW
        )

    ended = await asyncio.gather(replayed(FIRM), replayed("91630100MA7XK2P38N"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["BadUserInput", "NoneType"]
    assert await database.writer.fetchval("SELECT count(*) FROM record") == 1
    state = await database.writer.fetchrow(
        "SELECT rows_read, rows_stored, rows_quarantined FROM source_state"
    )
    assert state is not None
    assert tuple(state) == (1, 1, 0)


@pytest.mark.parametrize(("mode", "retention"), [("LIVE", "STORED"), ("HARVESTED", "TRANSIENT")])
async def test_a_row_that_is_asked_live_is_never_stored_by_a_replay(
    database: Database, mode: str, retention: str
) -> None:
    await take(database, [granted("1", title=None)])
    (waiting,) = await list_quarantined(database.writer)
    asked = Rows([], replace(REGISTER, mode=Mode(mode), retention=Retention(retention)))
    with pytest.raises(BadUserInput, match="correct it at the source"):
        await replay(database.writer, asked, waiting.quarantine_id, {"title": "许可"}, lambda: NOW)
    assert await list_quarantined(database.writer) == [waiting]
    assert await database.writer.fetchval("SELECT count(*) FROM record") == 0


async def test_a_quarantined_persons_row_is_replayed_with_the_number_given_again(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, written(tmp_path, license_row(**PERSON, XK_XKLB="?")))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)
    found = await quarantined(database.writer, waiting.quarantine_id)
    assert found is not None
    assert RESIDENT_ID.encode() not in found[1]
    masked = await replay(database.writer, connector, waiting.quarantine_id, {"XK_XKLB": "普通"}, lambda: NOW)
    assert masked is not None
    assert masked.code == "PERSON_NUMBER"
    corrected = {"XK_XKLB": "普通", "XK_XDR_ZJHM": RESIDENT_ID}
    assert await replay(database.writer, connector, waiting.quarantine_id, corrected, lambda: NOW) is None


async def test_texts_with_contacts_are_stored_once_a_person_has_cleared_them(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, written(tmp_path, penalty_row(CF_SY="服务热线13897654321未公示")))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)
    assert waiting.reason_code == "CONTACT_IN_TEXT"
    number, clearing = waiting.quarantine_id, Clearing("wang", "企业服务热线，已公开")
    # A row that stays is not shown, so nothing was cleared.
    wrong = {"CF_XDR_SHXYM": FIRM[:-1]}
    assert await replay(database.writer, connector, number, wrong, lambda: NOW, cleared=clearing) is not None
    assert (await list_quarantined(database.writer))[0].cleared_at is None
    assert await replay(database.writer, connector, number, {}, lambda: NOW, cleared=clearing) is None
    assert await one(database, "SELECT count(*) FROM record") == 1
    (kept,) = await list_quarantined(database.writer, every=True)
    assert (kept.cleared_at, kept.cleared_by, kept.cleared_because) == (NOW, "wang", "企业服务热线，已公开")


async def test_a_correction_of_what_is_no_field_is_refused_and_names_the_fields(
    database: Database, tmp_path: Path
) -> None:
    bad = license_row(XK_XDR_SHXYM="9.163E+17")
    del bad["XK_YXQZI"]
    await imported(database, written(tmp_path, bad))
    connector = connect_commerce({"HUB_COMMERCE_DIR": str(tmp_path)}, TOOLS)
    (waiting,) = await list_quarantined(database.writer)
    misspelt = {"XK_XDR_SHXYM": FIRM, "XK_YXQZII": "2030/01/01"}
    with pytest.raises(BadUserInput, match=r"row: XK_YXQZII\. Its fields: .*XK_XDR_SHXYM"):
        await replay(database.writer, connector, waiting.quarantine_id, misspelt, lambda: NOW)
    assert await list_quarantined(database.writer) == [waiting]
    # What the file leaves out may be given, for its source knows it.
    right = {"XK_XDR_SHXYM": FIRM, "XK_YXQZI": "2030/01/01"}
    assert await replay(database.writer, connector, waiting.quarantine_id, right, lambda: NOW) is None
    assert await one(database, "SELECT valid_to FROM record") == date(2030, 1, 1)


async def test_a_row_that_its_source_corrects_leaves_the_quarantine(database: Database) -> None:
    await take(database, [{**granted("1"), "reject": "NOT_YET"}])
    assert len(await list_quarantined(database.writer)) == 1
    await take(database, [granted("1")])
    assert await list_quarantined(database.writer) == []
    assert [waiting.replayed_at for waiting in await list_quarantined(database.writer, every=True)] == [NOW]


@pytest.mark.parametrize(
    "before", ["B", None], ids=("of a record that stood", "of a record never understood")
)
async def test_a_row_from_before_its_record_was_withdrawn_is_replayed_and_brings_nothing_back(
    database: Database, before: str | None
) -> None:
    def evaluated(grade: str, hour: int, withdrawn: str = "0") -> dict[str, str]:
        return {
            "tyshxydm": FIRM, "ztmc": "青海三江源商贸有限公司", "ztlb": "法人及非法人组织", "pjdj": grade, "pjrq": "2026-05-01",
            "gxsj": f"2026-05-02 {hour:02}:00:00", "scbz": withdrawn,
        }  # fmt: skip

    first = [evaluated(before, 9)] if before is not None else []
    rows = [*first, evaluated("丁", 10), evaluated("D", 11, "1")]
    await harvest(Window(rows, EVALUATION), database.writer, lambda: NOW, pauses=())
    (waiting,) = await list_quarantined(database.writer)
    connector = Window([], EVALUATION)
    assert await replay(database.writer, connector, waiting.quarantine_id, {"pjdj": "D"}, lambda: NOW) is None
    assert await one(database, "SELECT count(*) FROM grade WHERE superseded_at IS NULL") == 0
    # What its source says of it after that counts again.
    await harvest(Window([*rows, evaluated("C", 12)], EVALUATION), database.writer, lambda: NOW, pauses=())
    assert await one(database, "SELECT grade_code FROM grade WHERE superseded_at IS NULL") == "C"
