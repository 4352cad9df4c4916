"""A row that waits in quarantine leaves open what nobody can deny meanwhile of the subjects that it names (§0.5)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import tax
from connectors.contract import RawRow
from connectors.credit_platform import EVALUATION
from connectors.files import DEFECT, DEFECT_REASON
from connectors.tax import GRADE
from hub.errors import BadUserInput
from hub.harvest.doubts import codes_in
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import dismiss, replay
from hub.harvest.run import harvest
from tests.callers import Path as Asking
from tests.callers import caller
from tests.casework.test_repair_results import Window
from tests.conftest import Database
from tests.harvesting import Rows, fined, granted, imported, one, take
from tests.publicity_files import FIRM, NOW, OTHER_FIRM, PERSON, RESIDENT_ID, TOOLS, csv_bytes, penalty_row
from tests.stage import stage_over
from tests.worlds import NOW as STAGED
from tests.worlds import TODAY, Builder, build

ALL = {data_class: ["MARKET_REGULATION"] for data_class in ("D1", "D4", "D6", "D10", "D17", "D24")}


async def doubt(database: Database) -> Any:
    """What is in doubt of the firm."""
    told = await one(database, "SELECT in_doubt FROM subject WHERE uscc = $1", FIRM)
    return None if told is None else json.loads(told)


async def waiting(database: Database) -> int:
    """The id of the one row that waits."""
    (found,) = await list_quarantined(database.writer)
    return found.quarantine_id


async def test_a_row_that_waits_leaves_its_subject_in_doubt_until_its_source_corrects_it(
    database: Database,
) -> None:
    await take(database, [granted("7"), {**fined("罚款"), "reject": "NOT_YET"}])
    assert await doubt(database) == ALL
    await take(database, [granted("7"), fined("罚款")])
    assert await doubt(database) is None


async def test_a_subject_that_is_known_only_later_is_in_doubt_from_its_first_day(database: Database) -> None:
    await take(database, [{**fined("罚款"), "reject": "NOT_YET"}])
    await take(database, [granted("7")])
    assert await doubt(database) == ALL


@pytest.mark.parametrize("tail", [b",one cell too many\n", b'",\n', b"\x81,\n"])
async def test_a_row_of_which_no_field_could_be_read_leaves_in_doubt_whom_its_bytes_name(
    database: Database, tmp_path: Path, tail: bytes
) -> None:
    await take(database, [granted("7")])
    path = tmp_path / "CF_20261101.csv"
    path.write_bytes(csv_bytes([penalty_row()], "gb18030").rstrip(b"\r\n") + tail)
    assert (await imported(database, path)).totals.quarantined == 1
    assert await doubt(database) == {"D4": ["COMMERCE"], "D6": ["COMMERCE"]}


async def polled(database: Database, **named: str) -> None:
    """The tax authority's one row, which nobody understands; `named`: the columns that say whose it is."""
    row = {"nsrmc": "某", "pjnd": "2025", "xydj": "丁", "pdsj": "2026-04-20", "gxsj": "2026-05-01", **named}
    await database.writer.execute("UPDATE source_state SET cursor = NULL")
    connector = Window([row], GRADE, tax.SOURCE, tax.Tax("", TOOLS))
    await harvest(connector, database.writer, lambda: NOW, pauses=())


@pytest.mark.parametrize(
    "named",
    [{"nsrsbh": f"630103{FIRM[8:17]}"}, {"shxydm": FIRM[8:17]}, {"shxydm": f"{FIRM[8:16]}-{FIRM[16]}"}],
)
async def test_a_row_that_names_a_firm_by_an_older_number_leaves_it_in_doubt_too(
    database: Database, named: dict[str, str]
) -> None:
    await polled(database, **named)
    await take(database, [granted("7")])
    assert await doubt(database) == {"D17": ["TAX"], "D18": ["TAX"]}
    await polled(database)
    assert await doubt(database) is None
    await polled(database, **named)
    assert await doubt(database) == {"D17": ["TAX"], "D18": ["TAX"]}


async def test_a_row_that_was_wrong_and_is_withdrawn_as_it_stands_leaves_nobody_in_doubt(
    database: Database,
) -> None:
    await take(database, [granted("7")])
    await polled(database, shxydm=FIRM)
    assert await doubt(database) == {"D17": ["TAX"], "D18": ["TAX"]}
    await polled(database, shxydm=FIRM, scbz="1", gxsj="2026-05-02")
    assert await doubt(database) is None


async def test_the_name_of_what_is_withdrawn_is_no_number_of_a_person(database: Database) -> None:
    await polled(database, shxydm=RESIDENT_ID, scbz="1")
    assert RESIDENT_ID not in str(await database.writer.fetch("SELECT * FROM withdrawn_fact"))
    assert await one(database, "SELECT reason_code FROM quarantine") == "PERSON_NUMBER_IN_TEXT"


async def test_what_is_in_doubt_of_a_registration_number_is_so_of_the_code_that_it_turns_out_to_have(
    database: Database,
) -> None:
    number = ("BUSINESS_REG_NO", "6301001200001")
    old = {**granted("7"), "identifiers": [number]}
    await take(database, [old], [granted("8")])
    await polled(database, nsrsbh=number[1])
    assert await doubt(database) is None
    part = await one(database, "SELECT in_doubt FROM subject WHERE uscc IS NULL")
    assert json.loads(part) == {"D17": ["TAX"], "D18": ["TAX"]}
    await take(database, [{**old, "id": "9", "identifiers": [("USCC", FIRM), number]}])
    assert await doubt(database) == {"D17": ["TAX"], "D18": ["TAX"]}


async def test_a_row_that_waits_and_named_nobody_names_whom_it_names_when_it_comes_again(
    database: Database,
) -> None:
    bad = {**fined("罚款"), "reject": "NOT_YET"}
    await take(database, [granted("7"), bad])
    await database.writer.execute("UPDATE quarantine SET codes = '{}'")
    await database.writer.execute("UPDATE subject SET in_doubt = NULL")
    await take(database, [granted("7"), bad])
    assert await doubt(database) == ALL


async def test_a_row_that_comes_back_about_another_leaves_the_first_in_no_doubt(database: Database) -> None:
    await take(database, [granted("7"), {**fined("罚款"), "reject": "NOT_YET"}])
    other = {**fined("罚款"), "identifiers": [], "reject": "NOT_YET"}
    await take(database, [granted("7"), other])
    assert await waiting(database)
    assert await doubt(database) is None


async def test_a_replay_ends_the_doubt_and_tells_who_corrected_what(database: Database) -> None:
    await take(database, [granted("7")])
    row = {
        "tyshxydm": FIRM, "ztmc": "青海三江源商贸有限公司", "ztlb": "法人及非法人组织", "pjdj": "丁", "pjrq": "2026-05-01",
        "gxsj": "2026-05-02 10:00:00", "scbz": "0", "zjhm": None,
    }  # fmt: skip
    await harvest(Window([row], EVALUATION), database.writer, lambda: NOW, pauses=())
    assert (await doubt(database))["D10"] == ["CREDIT_PLATFORM"]
    number, connector = await waiting(database), Window([], EVALUATION)
    refused = await replay(database.writer, connector, number, {"pjdj": "戊"}, lambda: NOW, by="值班员")
    assert refused is not None
    assert await doubt(database) is not None
    # The whole row as `quarantine show` prints it, one field of it corrected.
    whole = {**row, "pjdj": "D"}
    assert await replay(database.writer, connector, number, whole, lambda: NOW, by="值班员") is None
    assert await doubt(database) is None
    (found,) = await list_quarantined(database.writer, every=True)
    assert (found.replayed_at, found.settled_by, found.corrected, found.dismissed_because) == (
        NOW,
        "值班员",
        ["pjdj"],
        None,
    )


async def test_a_row_that_is_dismissed_waits_no_more_until_it_comes_back_otherwise(
    database: Database,
) -> None:
    bad = {**fined("罚款"), "reject": "NOT_YET"}
    await take(database, [granted("7"), bad])
    number = await waiting(database)
    with pytest.raises(BadUserInput, match=f"No row {number} waits in quarantine for MISSING"):
        # It was chosen for what it waited for before.
        await dismiss(database.writer, number, "值班员", "测试数据", NOW, "MISSING")
    await dismiss(database.writer, number, "值班员", "测试数据", NOW, "NOT_YET")
    assert await doubt(database) is None
    (row,) = await list_quarantined(database.writer, every=True)
    assert (row.replayed_at, row.settled_by, row.dismissed_because) == (NOW, "值班员", "测试数据")
    with pytest.raises(BadUserInput, match="waits"):
        await dismiss(database.writer, row.quarantine_id, "值班员", "再次", NOW)
    with pytest.raises(BadUserInput, match=f"was dismissed on {NOW:%Y-%m-%d}"):
        await replay(database.writer, Rows([]), row.quarantine_id, {}, lambda: NOW, by="值班员")
    await take(database, [granted("7"), bad])
    assert await list_quarantined(database.writer) == []
    assert await doubt(database) is None
    await take(database, [granted("7"), {**bad, "title": "y"}])
    (again,) = await list_quarantined(database.writer)
    assert (again.settled_by, again.dismissed_because) == (None, None)
    assert await doubt(database) == ALL


@pytest.mark.parametrize(
    ("fields", "raw", "found"),
    [
        ({"a": f"名称({FIRM})", "b": None}, b"", [FIRM]),
        ({"a": FIRM.lower()}, b"", [FIRM]),
        ({"a": "".join(chr(ord(sign) + 0xFEE0) for sign in FIRM)}, b"", [FIRM]),
        ({"a": f"{FIRM}0", "b": FIRM[:-1] + "0", "c": "63010419900307123X"}, b"", []),
        ({}, f"许可,{FIRM},".encode("gb18030"), [FIRM]),
        (
            {"a": f"{FIRM[:8]}-{FIRM[8:]}", "b": f" {OTHER_FIRM[:5]}\u200b{OTHER_FIRM[5:]}\t"},
            b"",
            [OTHER_FIRM, FIRM],
        ),
        # Older numbers, alone in their field; a person's of 15 figures is none.
        (
            {"a": FIRM[8:17], "b": f"见{FIRM[8:17]}", "c": "630102800101001", "d": "6301001200001"},
            b"",
            ["6301001200001", FIRM[8:17]],
        ),
        # Blanks part words, too.
        (
            {"a": f"2026 1234567890 {FIRM} 12345678 {' '.join(OTHER_FIRM)} 1234567890"},
            b"",
            [OTHER_FIRM, FIRM],
        ),
        # The last byte of this character is the letter A, were it no part of it.
        ({DEFECT: "ROW_COLUMNS", DEFECT_REASON: "17 cells"}, f"许丄{FIRM}丄".encode("gb18030"), [FIRM]),
        ({DEFECT: "ROW_ENCODING", DEFECT_REASON: "no text"}, b"\xff," + FIRM.encode() + b",\xff", [FIRM]),
    ],
)
def test_the_codes_in_a_row_are_those_that_could_be_keys(
    fields: dict[str, str | None], raw: bytes, found: list[str]
) -> None:
    assert codes_in(RawRow("o", "p", raw, fields)) == found


@pytest.mark.long
def test_that_a_row_waits_is_told_to_those_alone_who_are_answered_what_it_leaves_open(
    shared_database: Database,
) -> None:
    world = build(11)
    # Members all, of whom one in two has agreed that the association learns the tax grade.
    members = [row for row in world.tables["subject"] if row["uscc"]]
    world.tables["affiliation"], world.tables["consent"] = [], []
    make = Builder(12)
    make.world = world
    for number, row in enumerate(members):
        row["in_doubt"] = {"D17": ["TAX"]}
        make.add(
            "affiliation",
            partner="chamber", subject_id=row["subject_id"], kind="MEMBER", valid_from=TODAY,
        )  # fmt: skip
        if number % 2:
            make.add(
                "consent",
                consent_id=number + 1, public_id=make.uuid(), subject_id=row["subject_id"], grantee="chamber",
                purposes=["MEMBER_ARCHIVE"], data_classes=["D17"], separate_consent=True, evidence_digest="x",
                valid_from=STAGED - timedelta(days=1), valid_to=STAGED + timedelta(days=1),
            )  # fmt: skip
    world.tables["grade"] = []
    who = replace(caller("chamber", "MEMBER_ARCHIVE"), incomplete=())
    codes = [row["uscc"] for row in members]
    with stage_over(shared_database) as stage:
        stage.play(world)
        asked = "query($c: [USCC!]!) { subjects(codes: $c) { summary { taxGradeIsD incompleteSources } } }"
        answer = stage.run(Asking(stage.reader, {}).answer(who, asked, {"c": codes}))
    told = [tuple(one["summary"].values()) for one in json.loads(answer.data)["subjects"]]
    assert told == [
        ("INDETERMINATE", ["TAX"]) if number % 2 else (None, []) for number in range(len(members))
    ]


@pytest.mark.parametrize("tail", [{}, {"CF_CFLB": "罚"}])
@pytest.mark.parametrize("broken", [b"", b",one cell too many"])
async def test_a_row_about_a_natural_person_leaves_that_person_in_doubt_by_the_digest_alone(
    database: Database, tmp_path: Path, tail: dict[str, str], broken: bytes
) -> None:
    person = {name.replace("XK_", "CF_"): value for name, value in PERSON.items()}
    number = person["CF_XDR_ZJHM"]
    first, second = tmp_path / "CF_20261101.csv", tmp_path / "CF_20261102.csv"
    first.write_bytes(csv_bytes([penalty_row(**person)]))
    assert (await imported(database, first)).totals.stored == 1
    wrong = penalty_row(**{**person, "CF_WSH": "青商罚〔2026〕99号", **tail})
    second.write_bytes(csv_bytes([wrong]).rstrip(b"\r\n") + broken + b"\n")
    waits = bool(tail or broken)
    assert (await imported(database, second)).totals.quarantined == waits
    told = await one(database, "SELECT in_doubt FROM subject WHERE kind = 'NATURAL_PERSON'")
    assert (told and json.loads(told)) == ({"D4": ["COMMERCE"], "D6": ["COMMERCE"]} if waits else None)
    if waits:
        kept = await one(database, "SELECT codes::text || encode(raw, 'escape') FROM quarantine")
        assert number not in kept
        await dismiss(database.writer, await waiting(database), "值班员", "重复", NOW)
        assert await one(database, "SELECT in_doubt FROM subject WHERE kind = 'NATURAL_PERSON'") is None
