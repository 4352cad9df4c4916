"""Supervision tiers: off by default, explained, from public facts alone, and valid exactly as long as they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.rules.decisions import Authority
from hub.rules.tiering import AUTHORITIES, Fact, Firm, Tier, TierCause, load_tier_rules

SHIPPED = load_tier_rules()
TEXT = files("hub.rules").joinpath("tiering.toml").read_text(encoding="utf-8")
RULES = load_tier_rules(TEXT.replace("on = false", "on = true"))
TODAY = date(2026, 11, 22)
OLD = date(2015, 1, 1)
LAST = date(2028, 1, 1)


def _fact(name: str, kind: str, grade: str = "", dated: date = date(2026, 5, 10)) -> Fact:
    return Fact(name, kind, grade, dated, LAST, "COMMERCE")


def _tier(firm: Firm, today: date = TODAY) -> Tier:
    found = RULES.tier(firm, "DOMESTIC_SERVICE", today)
    assert found is not None
    return found


def test_r10_1_tiering_is_off_until_a_row_says_on() -> None:
    assert SHIPPED.tier(Firm(OLD), "DOMESTIC_SERVICE", TODAY) is None
    assert not SHIPPED.on("REFINED_OIL", TODAY)
    assert not RULES.on("REFINED_OIL", date(2019, 7, 4))
    row = '[[switch]]\nsector = "REFINED_OIL"\non = true\nvalid_from = 2026-01-01\nsource_doc = "test"\n'
    one = load_tier_rules(f"{row}\n{TEXT}")
    assert one.on("REFINED_OIL", TODAY)
    assert not one.on("DOMESTIC_SERVICE", TODAY)


@pytest.mark.parametrize(
    ("firm", "letter", "code", "ids"),
    [
        (Firm(OLD), "A", "CLEAN_YEARS", ()),
        (Firm(OLD, (_fact("r", "LIST_ENTRY", "RED"),)), "A", "HONEST_MODEL", ("r",)),
        (Firm(OLD, (_fact("g", "RECORD", "GENERAL"),)), "B", "ADVERSE_RECORD", ("g",)),
        (Firm(OLD, (_fact("w", "LIST_ENTRY", "WATCH"),)), "B", "ADVERSE_RECORD", ("w",)),
        (Firm(OLD, (_fact("o", "OBLIGATION"),)), "B", "OPEN_OBLIGATION", ("o",)),
        (Firm(date(2024, 11, 22)), "B", "YOUNGER_THAN_WINDOW", ()),
        (Firm(OLD, (_fact("m", "RECORD", "MINOR"),)), "A", "CLEAN_YEARS", ()),
        (Firm(OLD, (_fact("s", "RECORD", "SERIOUS"),)), "C", "SERIOUS_RECORD", ("s",)),
        (
            Firm(OLD, (_fact("g", "RECORD", "GENERAL"), _fact("h", "RECORD", "UNCLASSIFIED"))),
            "C",
            "GENERAL_RECORDS",
            ("g", "h"),
        ),
        # One decision, of which two sources tell.
        (
            Firm(OLD, tuple(replace(_fact(one, "RECORD", "GENERAL"), decision="1号") for one in "gh")),
            "B",
            "ADVERSE_RECORD",
            ("g", "h"),
        ),
        # One number of two authorities: two decisions.
        (
            Firm(
                OLD,
                tuple(
                    replace(
                        _fact(one, "RECORD", "GENERAL"), decision="1号", authority=Authority(name=f"{one}局")
                    )
                    for one in "gh"
                ),
            ),
            "C",
            "GENERAL_RECORDS",
            ("g", "h"),
        ),
        (Firm(OLD, (_fact("f", "FALSE_COMMITMENT"),)), "C", "FALSE_COMMITMENT", ("f",)),
        (
            Firm(OLD, (_fact("b", "LIST_ENTRY", "BLACK"), _fact("s", "RECORD", "SERIOUS"))),
            "D",
            "SERIOUS_LIST",
            ("b",),
        ),
        (Firm(date(2025, 11, 23)), "N", "YOUNG", ()),
        (Firm(None), "N", "FOUNDING_DAY_UNKNOWN", ()),
        (Firm(OLD, (), frozenset({"TAX"})), "N", "SOURCE_MISSING", ()),
        # What is known gravely against a firm needs no further source.
        (Firm(OLD, (_fact("b", "LIST_ENTRY", "BLACK"),), frozenset({"TAX"})), "D", "SERIOUS_LIST", ("b",)),
        (Firm(None, (_fact("s", "RECORD", "SERIOUS"),)), "C", "SERIOUS_RECORD", ("s",)),
    ],
)
def test_r10_1_the_tier_its_reason_and_the_records_it_rests_on(
    firm: Firm, letter: str, code: str, ids: tuple[str, ...]
) -> None:
    found = _tier(firm)
    assert (found.letter, found.reasons[0].code, found.record_ids) == (letter, code, ids)
    assert found.policy == "TIER-2026-1"


def test_r10_1_what_has_expired_does_not_exist() -> None:
    expired = replace(_fact("b", "LIST_ENTRY", "BLACK"), usable_until=date(2026, 11, 21))
    assert _tier(Firm(OLD, (expired,))).letter == "A"
    assert _tier(Firm(OLD, (replace(expired, usable_until=TODAY),))).letter == "D"


@pytest.mark.parametrize("source", sorted(AUTHORITIES))
def test_r10_1_what_any_authority_says_against_a_firm_counts(source: str) -> None:
    said = replace(_fact("b", "LIST_ENTRY", "BLACK"), source=source)
    assert _tier(Firm(OLD, (said,))).letter == "D"


def test_r10_1_a_disputed_record_that_would_decide_leaves_the_tier_open() -> None:
    disputed = replace(_fact("s", "RECORD", "SERIOUS"), under_objection=True)
    assert _tier(Firm(OLD, (disputed,))).reasons == (TierCause("UNDER_OBJECTION", ("s",)),)
    # It would not decide beside a certain one.
    assert _tier(Firm(OLD, (disputed, _fact("t", "RECORD", "SERIOUS")))).letter == "C"


def test_r10_1_it_is_valid_until_the_nearest_fact_expires() -> None:
    general = replace(_fact("g", "RECORD", "GENERAL"), usable_until=date(2027, 5, 10))
    assert _tier(Firm(OLD, (general,))).valid_until == date(2027, 5, 10)
    assert _tier(Firm(OLD, (general,)), date(2027, 5, 11)).letter == "A"
    # The firm's first birthday, then its third.
    assert _tier(Firm(date(2026, 1, 31))).valid_until == date(2027, 1, 30)
    assert _tier(Firm(date(2024, 2, 29))).valid_until == date(2027, 2, 28)
    assert _tier(Firm(OLD)).valid_until is None


facts = st.builds(
    Fact,
    st.sampled_from("abcdef"),
    st.sampled_from(["RECORD", "LIST_ENTRY", "FALSE_COMMITMENT", "OBLIGATION"]),
    st.sampled_from(["MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED", "RED", "WATCH", "BLACK"]),
    st.dates(date(2022, 1, 1), TODAY),
    st.none() | st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    st.just("COMMERCE"),
    st.just("PUBLIC_CREDIT"),
    st.booleans(),
)
market = st.builds(
    lambda fact, source, origin: replace(fact, source=source, origin_class=origin),
    facts,
    st.sampled_from(["ASSOCIATION", "ECOMMERCE_PLATFORM", "COMMERCE"]),
    st.sampled_from(["MARKET_CREDIT", "PUBLIC_CREDIT"]),
).filter(lambda fact: fact.source != "COMMERCE" or fact.origin_class == "MARKET_CREDIT")
firms = st.builds(
    Firm,
    st.none() | st.dates(date(2022, 1, 1), TODAY),
    st.lists(facts, max_size=5).map(tuple),
    st.sets(st.sampled_from(["TAX", "COMMERCE"])).map(frozenset),
)


@given(firms, st.lists(market, max_size=4))
def test_r11_3_what_associations_and_platforms_say_never_changes_a_tier(firm: Firm, said: list[Fact]) -> None:
    assert _tier(replace(firm, facts=(*firm.facts, *said))) == _tier(firm)
    deaf = replace(firm, missing_sources=firm.missing_sources | {"ASSOCIATION", "ECOMMERCE_PLATFORM"})
    assert _tier(deaf) == _tier(firm)


@given(firms, st.integers(0, 1500))
def test_r10_1_nothing_changes_by_time_alone_until_the_day_it_says(firm: Firm, later: int) -> None:
    found = _tier(firm)
    day = TODAY + timedelta(days=later)
    if found.valid_until is None or day <= found.valid_until:
        assert _tier(firm, day) == found
    assert found.valid_until is None or found.valid_until >= TODAY


@given(firms, facts)
def test_r10_1_a_further_certain_fact_against_a_firm_never_raises_its_tier(firm: Firm, further: Fact) -> None:
    if further.grade == "RED" or further.under_objection:
        return
    before, after = _tier(firm).letter, _tier(replace(firm, facts=(*firm.facts, further))).letter
    if "N" not in (before, after):
        assert "ABCD".index(after) >= "ABCD".index(before)


def test_r14_1_no_row_can_name_a_source_that_is_no_authority() -> None:
    for source in ("ASSOCIATION", "ECOMMERCE_PLATFORM"):
        with pytest.raises(RulesInvalid):
            load_tier_rules(TEXT.replace('"TAX"]', f'"{source}"]'))
