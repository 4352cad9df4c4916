"""Lists: no list without basis, no place without procedure, no red entry beside a black one, no exit unsaid."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import SHANGHAI
from hub.errors import RulesInvalid
from hub.rules.calendar import seeded
from hub.rules.eligibility import Adverse, Answer, Facts, Listing
from hub.rules.listing import Definition, Entry, Proposed, conflicts, exit_alarms, load_list_rules

RULES = load_list_rules()
CALENDAR = seeded()
TODAY = date(2026, 11, 22)
BLACK = Definition(
    "SW-BLACK",
    "BLACK",
    "青海省商务厅",
    "组织他人违法出国务工，情节严重",
    "对外劳务合作管理条例(国务院令第620号)第39条",
    "REGULATION",
    12,
    36,
    ("FISCAL_FUNDS",),
    date(2012, 8, 1),
)
PLACE = Proposed(
    "BLACK",
    "MARKET_ORDER",
    "青商告〔2026〕1号",
    date(2026, 9, 24),
    decision_document="青商决〔2026〕1号",
    repair_notice="青商修〔2026〕1号",
    by_officer=True,
)


def test_r8_1_a_list_with_everything_may_be_used() -> None:
    assert RULES.activation_problems(BLACK, TODAY) == ()


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (replace(BLACK, legal_basis=" "), "NO_LEGAL_BASIS"),
        (replace(BLACK, basis_level="RULE"), "BASIS_LEVEL_TOO_LOW"),
        (replace(BLACK, basis_level="POLICY"), "BASIS_LEVEL_TOO_LOW"),
        (replace(BLACK, basis_level=""), "BASIS_LEVEL_TOO_LOW"),
        (replace(BLACK, recognizer=""), "NO_RECOGNIZER"),
        (replace(BLACK, criteria=""), "NO_CRITERIA"),
        (replace(BLACK, min_months=None), "NO_DURATION"),
        (replace(BLACK, max_months=None), "NO_DURATION"),
        (replace(BLACK, max_months=60), "DURATION_OUT_OF_BOUNDS"),
        (replace(BLACK, min_months=6), "DURATION_OUT_OF_BOUNDS"),
        (replace(BLACK, measures=()), "NO_MEASURES"),
        (replace(BLACK, effective_to=date(2026, 11, 21)), "NOT_IN_FORCE"),
        (replace(BLACK, color="GREY"), "UNKNOWN_COLOR"),
    ],
)
def test_r8_1_no_list_without_authority_criteria_basis_level_duration_and_measures(
    definition: Definition, problem: str
) -> None:
    assert RULES.activation_problems(definition, TODAY) == (problem,)


def test_r8_1_what_carries_a_list_depends_on_its_colour_and_day() -> None:
    watch = replace(BLACK, color="WATCH", basis_level="RULE", max_months=24)
    assert RULES.activation_problems(watch, TODAY) == ()
    red = replace(BLACK, color="RED", basis_level="POLICY", min_months=None, measures=())
    assert RULES.activation_problems(red, TODAY) == ()
    # Before 国办发〔2020〕49号 a rule carried a black list, too.
    old = replace(BLACK, basis_level="RULE")
    assert RULES.activation_problems(old, date(2020, 12, 6)) == ()
    assert RULES.activation_problems(old, date(2020, 12, 7)) == ("BASIS_LEVEL_TOO_LOW",)


def test_r8_1_every_list_that_comes_with_the_hub_rests_on_a_basis_that_carries_it() -> None:
    text = files("hub.rules").joinpath("lists.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(text)["list"]
    levels = {row.color: row.levels for row in RULES.levels if row.term.covers(TODAY)}
    assert len(listed) >= 6
    for one in listed:
        assert one["basis_level"] in levels[one["color"]], one["code"]
        assert one["legal_basis"]


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


def test_r8_2_a_place_is_recognized_after_notice_and_defence_by_an_officer() -> None:
    # Served on 2026-09-24: the fifth working day is 10-09, and the sixth is the first to decide on.
    assert RULES.recognition_problems(PLACE, CALENDAR, date(2026, 10, 10)) == ()
    assert RULES.recognition_problems(PLACE, CALENDAR, date(2026, 10, 9)) == ("DEFENCE_RUNNING",)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (replace(PLACE, by_officer=False), "AUTOMATIC"),
        (replace(PLACE, ground=None), "NO_GROUND"),
        (replace(PLACE, ground="UNPOPULAR"), "NO_GROUND"),
        (replace(PLACE, notice_document=None), "NO_NOTICE"),
        (replace(PLACE, served_on=None), "NO_NOTICE"),
        (replace(PLACE, defended=True), "DEFENCE_UNANSWERED"),
        (replace(PLACE, decision_document=None), "NO_DECISION"),
        (replace(PLACE, repair_notice=None), "NO_REPAIR_NOTICE"),
    ],
)
def test_r8_2_data_only_proposes_and_no_step_is_left_out(place: Proposed, problem: str) -> None:
    assert RULES.recognition_problems(place, CALENDAR, TODAY) == (problem,)


def test_r8_2_watch_and_red_places_need_no_ground_and_red_ones_a_longer_notice() -> None:
    watch = replace(PLACE, color="WATCH", ground=None, repair_notice=None)
    assert RULES.recognition_problems(watch, CALENDAR, date(2026, 10, 10)) == ()
    red = replace(watch, color="RED")
    assert RULES.recognition_problems(red, CALENDAR, date(2026, 10, 12)) == ("DEFENCE_RUNNING",)
    assert RULES.recognition_problems(red, CALENDAR, date(2026, 10, 13)) == ()


CLEAN = Facts(date(2015, 1, 1))


@pytest.mark.parametrize(
    ("facts", "anomalies", "answer"),
    [
        (CLEAN, (), Answer.YES),
        (replace(CLEAN, listings=(Listing("b", "BLACK"),)), (), Answer.NO),
        (replace(CLEAN, listings=(Listing("w", "WATCH"),)), (), Answer.NO),
        (replace(CLEAN, listings=(Listing("r", "RED"),)), (), Answer.YES),
        (CLEAN, ("a",), Answer.NO),
        (replace(CLEAN, adverse=(Adverse("g", "GENERAL", date(2023, 11, 23)),)), (), Answer.NO),
        (replace(CLEAN, adverse=(Adverse("g", "GENERAL", date(2023, 11, 22)),)), (), Answer.YES),
        (replace(CLEAN, adverse=(Adverse("m", "MINOR", date(2026, 11, 1)),)), (), Answer.YES),
        (replace(CLEAN, adverse=(Adverse("m", "MINOR", date(2026, 11, 1), breach=True),)), (), Answer.NO),
        (
            replace(CLEAN, adverse=(Adverse("u", "UNCLASSIFIED", date(2026, 11, 1)),)),
            (),
            Answer.INDETERMINATE,
        ),
        (
            replace(CLEAN, adverse=(Adverse("s", "SERIOUS", date(2026, 11, 1), True),)),
            (),
            Answer.INDETERMINATE,
        ),
        (replace(CLEAN, missing_sources=("TAX",)), (), Answer.INDETERMINATE),
        (replace(CLEAN, missing_sources=("TAX",), listings=(Listing("b", "BLACK"),)), (), Answer.NO),
    ],
)
def test_r8_3_who_may_be_nominated_for_a_red_list(
    facts: Facts, anomalies: tuple[str, ...], answer: Answer
) -> None:
    assert RULES.nomination(facts, anomalies, TODAY).answer is answer


def test_r8_3_a_new_serious_record_suspends_a_red_entry() -> None:
    found = replace(CLEAN, adverse=(Adverse("s", "SERIOUS", date(2026, 11, 20)),))
    assert RULES.suspensions(CLEAN, (), TODAY) == ()
    assert RULES.suspensions(found, (), TODAY) == (("ADVERSE_RECORD", "s"),)
    assert RULES.suspensions(CLEAN, ("a",), TODAY) == (("ABNORMAL_OPERATION", "a"),)
    # What is disputed or unknown does not take away an honour.
    disputed = replace(found, adverse=(replace(found.adverse[0], under_objection=True),))
    assert RULES.suspensions(disputed, (), TODAY) == ()
    assert RULES.suspensions(replace(CLEAN, missing_sources=("TAX",)), (), TODAY) == ()


adverse = st.builds(
    Adverse,
    st.sampled_from("abc"),
    st.sampled_from(["MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED"]),
    st.dates(date(2022, 1, 1), TODAY),
    st.booleans(),
    st.booleans(),
)
facts = st.builds(
    Facts,
    st.none() | st.dates(date(2000, 1, 1), TODAY),
    st.lists(adverse, max_size=4).map(tuple),
    st.lists(
        st.builds(Listing, st.sampled_from("xyz"), st.sampled_from(["RED", "WATCH", "BLACK"])), max_size=2
    ).map(tuple),
    st.lists(st.sampled_from(["TAX", "COURT"]), max_size=1).map(tuple),
)


@given(facts, adverse)
def test_r8_3_a_further_record_never_makes_anyone_more_eligible(known: Facts, further: Adverse) -> None:
    worse = replace(known, adverse=(*known.adverse, further))
    order = [Answer.NO, Answer.INDETERMINATE, Answer.YES]
    before, after = RULES.nomination(known, (), TODAY).answer, RULES.nomination(worse, (), TODAY).answer
    assert order.index(after) <= order.index(before)
    assert set(RULES.suspensions(known, (), TODAY)) <= set(RULES.suspensions(worse, (), TODAY))


def test_r8_4_a_subject_on_a_red_and_a_black_list_is_a_conflict() -> None:
    entries = [
        Entry("1", "s", "RED", "PUBLISHED"),
        Entry("2", "s", "BLACK", "RECOGNIZED"),
        Entry("3", "s", "BLACK", "EXITED_REPAIRED"),
        Entry("4", "t", "RED", "SUSPENDED"),
        Entry("5", "t", "BLACK", "PUBLISHED"),
        Entry("6", "u", "RED", "PUBLISHED"),
        Entry("7", "u", "WATCH", "PUBLISHED"),
    ]
    (found,) = conflicts(entries)
    assert (found.subject, found.red, found.black) == ("s", ("1",), ("2",))
    assert conflicts(reversed(entries)) == (found,)


def test_r8_5_an_exit_that_a_channel_did_not_confirm_the_same_day_is_an_alarm() -> None:
    exited = date(2026, 9, 25)
    before = datetime(2026, 9, 25, 23, 59, tzinfo=SHANGHAI)
    after = datetime(2026, 9, 26, 0, 0, tzinfo=SHANGHAI)
    told = {"CREDIT_QINGHAI": None, "OWN_SITE": datetime(2026, 9, 25, 10, tzinfo=SHANGHAI)}
    assert exit_alarms(exited, told, CALENDAR, before) == ()
    assert exit_alarms(exited, told, CALENDAR, after) == ("CREDIT_QINGHAI",)
    assert exit_alarms(exited, told | {"CREDIT_QINGHAI": after}, CALENDAR, after) == ()
