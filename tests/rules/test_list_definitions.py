"""Definitions of lists (R8.1): read strictly, held against the law of the day, put into the store with their history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from hub.casework.listings.definitions import Defined, Outcome, define, listed
from hub.errors import FileRefused, RulesInvalid
from hub.rules.list_definitions import ListDefinition, against_the_law, load_list_definitions
from hub.rules.listing import load_list_rules
from tests.conftest import Database

TODAY, NOW = date(2026, 11, 23), datetime(2026, 11, 23, 1, tzinfo=UTC)
TEXT = """
[[list]]
code = "QH-WATCH-2"
name = "单用途预付卡重点关注名单"
color = "WATCH"
recognizer_name = "青海省商务厅"
legal_basis = "单用途商业预付卡管理办法(试行)"
basis_level = "RULE"
criteria = "未按期报送预收资金余额"
measures = "增加检查频次"
max_publicity_months = 12
effective_from = 2026-12-01
"""
LIST = load_list_definitions(TEXT, "new.toml")[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('color = "WATCH"', 'color = "GREY"', "new.toml: list 1: color GREY is unknown"),
        ('"RULE"', '"RUMOUR"', "basis_level RUMOUR is unknown"),
        ("criteria = ", "criterion = ", "criteria is missing"),
        ('measures = "增加检查频次"', 'measures = " "', "measures is empty"),
        ("max_publicity_months = 12\n", "", "max_publicity_months is missing"),
        ("max_publicity_months = 12", "max_publicity_months = -1", "no number of 0 or more"),
        (
            "max_publicity_months = 12",
            "max_publicity_months = 12\nmin_publicity_months = 13",
            "more than max",
        ),
        ("2026-12-01", "2026-12-01\neffective_to = 2026-11-30", "ends before it begins"),
        ("QH-WATCH-2", "qh watch", "code is no code"),
        ("[[list]]", "[[liste]]", "list has no rows"),
        ("[[list]]", "x = 1\n[[list]]", "new.toml: x is unknown"),
        ("name =", "colour = 1\nname =", "colour is unknown"),
        ("[[list]]", "[[list", "new.toml: "),
    ],
)
def test_r8_1_a_definition_that_is_not_whole_is_refused_with_its_place(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(RulesInvalid, match=told):
        load_list_definitions(TEXT.replace(old, new, 1), "new.toml")
    with pytest.raises(RulesInvalid, match="QH-WATCH-2 is defined twice"):
        load_list_definitions(TEXT * 2, "new.toml")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, None),
        ({"basis_level": "POLICY"}, "a WATCH list cannot rest on a basis of level POLICY"),
        ({"color": "BLACK"}, "a BLACK list cannot rest on a basis of level RULE"),
        ({"max_publicity_months": 25}, "max_publicity_months 25 is not within 0 to 24"),
        ({"color": "BLACK", "basis_level": "LAW", "max_publicity_months": 11}, "11 is not within 12 to 36"),
        # 5.4: who is on a serious list is not repaired before a year has passed.
        (
            {"color": "BLACK", "basis_level": "LAW", "min_publicity_months": 11},
            "min_publicity_months 11 is less than 12",
        ),
        ({"color": "BLACK", "basis_level": "LAW", "min_publicity_months": 12}, None),
        # What has ended is kept for what stood on it.
        (
            {"basis_level": "POLICY", "effective_from": date(2018, 1, 1), "effective_to": date(2020, 1, 1)},
            None,
        ),
    ],
)
def test_r8_1_a_list_that_the_law_does_not_carry_is_told_why(
    changed: dict[str, object], told: str | None
) -> None:
    said = against_the_law(replace(LIST, **changed), load_list_rules(), TODAY)  # type: ignore[arg-type]
    assert said == told if told is None else told in (said or "")


def test_r8_1_the_lists_that_come_with_the_hub_are_carried_by_law() -> None:
    found = load_list_definitions()
    assert len(found) == 7
    assert [against_the_law(one, load_list_rules(), TODAY) for one in found] == [None] * len(found)


async def test_r8_1_a_definition_is_added_changed_and_each_change_kept(database: Database) -> None:
    longer = replace(LIST, max_publicity_months=24, effective_to=date(2028, 12, 31))

    async def put(*definitions: ListDefinition) -> list[Defined]:
        async with database.writer.acquire() as connection, connection.transaction():
            return await define(connection, definitions, NOW, "operator")

    assert await put(LIST) == [Defined(LIST.code, Outcome.ADDED)]
    assert await put(LIST) == [Defined(LIST.code, Outcome.UNCHANGED)]
    changed = (("max_publicity_months", 12, 24), ("effective_to", None, date(2028, 12, 31)))
    assert await put(longer) == [Defined(LIST.code, Outcome.CHANGED, changed)]
    # All or none: what came before the refused one is not there either.
    with pytest.raises(FileRefused, match="QH-WATCH-2 is a WATCH list: give a RED list a code of its own"):
        await put(replace(LIST, code="QH-NEW"), replace(LIST, color="RED"))
    async with database.writer.acquire() as connection:
        rows = {row["code"]: row for row in await listed(connection)}
        kept = await connection.fetch(
            "SELECT before, after FROM list_definition_change WHERE list_code = $1 ORDER BY change_id",
            LIST.code,
        )
    assert "QH-NEW" not in rows
    row = rows[LIST.code]
    assert (row["max_publicity_months"], row["changed_at"], row["changed_by"]) == (24, NOW, "operator")
    assert [row["before"] is None for row in kept] == [True, False]
    assert orjson.loads(kept[1]["before"])["max_publicity_months"] == 12
    assert orjson.loads(kept[1]["after"])["effective_to"] == "2028-12-31"
