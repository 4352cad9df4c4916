"""Lists: no list without basis, no black place without a ground, no place for ever."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from hub.errors import RulesInvalid
from hub.rules.calendar import seeded
from hub.rules.listing import load_list_rules

RULES = load_list_rules()
CALENDAR = seeded()
TODAY = date(2026, 11, 22)


def test_r8_1_every_list_that_comes_with_the_hub_rests_on_a_basis_that_carries_it() -> None:
    text = files("hub.rules").joinpath("lists.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(text)["list"]
    levels = {row.color: row.levels for row in RULES.levels if row.term.covers(TODAY)}
    assert len(listed) >= 6
    for one in listed:
        assert one["basis_level"] in levels[one["color"]], one["code"]
        for word in ("legal_basis", "criteria", "measures", "max_publicity_months"):
            assert one[word], (one["code"], word)


def test_r8_1_a_place_ends_when_the_definition_says_and_never_past_the_law() -> None:
    day = date(2026, 5, 10)
    assert RULES.ends_on("BLACK", 36, day) == date(2029, 5, 10)
    assert RULES.ends_on("BLACK", 24, day) == date(2028, 5, 10)
    assert RULES.ends_on("BLACK", 60, day) == date(2029, 5, 10)
    assert RULES.ends_on("BLACK", None, day) == date(2029, 5, 10)
    assert RULES.ends_on("WATCH", 36, day) == date(2028, 5, 10)
    assert RULES.ends_on("RED", None, day) == date(2029, 5, 10)


def test_r8_1_the_day_of_the_listing_decides_which_row_ends_it() -> None:
    first = next(row for row in RULES.durations if row.color == "WATCH")
    ended = replace(first, term=replace(first.term, valid_to=date(2026, 6, 30)))
    later = replace(first, max_months=6, term=replace(first.term, valid_from=date(2026, 8, 1)))
    rules = replace(RULES, durations=(later, ended))
    assert rules.ends_on("WATCH", None, date(2026, 6, 30)) == date(2028, 6, 30)
    assert rules.ends_on("WATCH", None, date(2026, 8, 1)) == date(2027, 2, 1)
    # What was listed before there was a row falls under the first; between two rows nothing is guessed.
    assert rules.ends_on("WATCH", None, date(2010, 1, 1)) == date(2012, 1, 1)
    with pytest.raises(RulesInvalid, match="WATCH"):
        rules.ends_on("WATCH", None, date(2026, 7, 1))
    with pytest.raises(RulesInvalid, match="BLACK"):
        rules.ends_on("BLACK", None, date(2026, 7, 1))


def test_r8_2_a_ground_of_a_black_list_is_one_from_the_day_of_its_row() -> None:
    assert RULES.is_ground("MARKET_ORDER", date(2020, 12, 7))
    assert not RULES.is_ground("MARKET_ORDER", date(2020, 12, 6))
    assert not RULES.is_ground(None, TODAY)


@pytest.mark.parametrize(
    ("color", "level", "day", "carried"),
    [
        ("BLACK", "REGULATION", TODAY, True),
        ("BLACK", "RULE", TODAY, False),
        ("BLACK", "", TODAY, False),
        # Before 国办发〔2020〕49号 a rule carried a black list, too.
        ("BLACK", "RULE", date(2020, 12, 6), True),
        ("BLACK", "RULE", date(2020, 12, 7), False),
        ("WATCH", "RULE", TODAY, True),
        ("WATCH", "POLICY", TODAY, False),
        ("RED", "POLICY", TODAY, True),
        ("GREY", "LAW", TODAY, False),
    ],
)
def test_r8_1_what_carries_a_list_depends_on_its_colour_and_day(
    color: str, level: str, day: date, carried: bool
) -> None:
    assert RULES.carries(color, level, day) is carried


def test_r8_2_decision_and_notice_on_repair_go_out_together_from_the_day_of_the_row() -> None:
    assert RULES.goes_with_repair_notice("BLACK", date(2025, 6, 1))
    assert RULES.goes_with_repair_notice("WATCH", TODAY)
    assert not RULES.goes_with_repair_notice("BLACK", date(2025, 5, 31))
    assert not RULES.goes_with_repair_notice("RED", TODAY)


def test_r8_3_general_records_keep_from_a_red_list_and_serious_ones_suspend() -> None:
    rule = RULES.red_rule(TODAY)
    assert (rule.clean_months, sorted(rule.classes), sorted(rule.suspends)) == (
        36,
        ["GENERAL", "SERIOUS"],
        ["SERIOUS"],
    )
