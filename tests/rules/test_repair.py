"""Credit repair: which order handles a case, from when, on what conditions, and by when it must be answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.rules.calendar import seeded
from hub.rules.publicity import add_months, load_publicity_rules
from hub.rules.repair import RepairRules, load_repair_rules
from hub.rules.repair_case import Application, Evidence, Target

RULES = load_repair_rules()
PUBLICITY = load_publicity_rules()
PERFORMED = Evidence("PERFORMANCE", frozenset({"file_digest"}))
PROMISED = Evidence("COMMITMENT", frozenset({"file_digest"}))
SERVED = Evidence("PUBLIC_SERVICE", frozenset({"organizer", "hours", "certificate"}))
WHOLE = Application(date(2026, 8, 11), True, True, (PERFORMED, PROMISED))
GENERAL = Target(date(2026, 5, 10), "GENERAL", usable_until=date(2027, 5, 10))

days = st.dates(date(2021, 1, 1), date(2030, 12, 31))
classes = st.sampled_from(["MINOR", "GENERAL", "SERIOUS", "UNCLASSIFIED"])


@st.composite
def _targets(draw: st.DrawFn) -> Target:
    decided, seriousness = draw(days), draw(classes)
    color = draw(st.sampled_from([None, None, "BLACK", "WATCH"]))
    return Target(
        decided,
        seriousness,
        usable_until=PUBLICITY.usable_until(decided, seriousness),
        fields=draw(st.sampled_from([frozenset[str](), frozenset({"FOOD"}), frozenset({"TRADE"})])),
        color=color,
        list_min_months=draw(st.none() | st.integers(0, 36)) if color else None,
    )


targets = _targets()


def _codes(target: Target, application: Application, today: date | None = None) -> list[str]:
    found = RULES.assess(target, application, today or application.applied_on)
    return [one.code for one in found.blockers]


def test_r9_2_a_general_penalty_of_2026_05_10_may_be_repaired_from_2026_08_11() -> None:
    assert RULES.minimum_ends(GENERAL, date(2026, 8, 10)) == date(2026, 8, 10)
    assert RULES.eligible_from(GENERAL) == date(2026, 8, 11)
    assert _codes(GENERAL, WHOLE) == []
    early = RULES.assess(GENERAL, replace(WHOLE, applied_on=date(2026, 8, 10)), date(2026, 9, 1))
    assert [(one.code, one.until) for one in early.blockers] == [("MINIMUM_PERIOD", date(2026, 8, 11))]


def test_r9_2_an_application_is_handled_by_the_order_of_its_day() -> None:
    """Acceptance: 2026-03-30 by REPAIR-58, 2026-04-01 by REPAIR-36."""
    target = Target(date(2025, 6, 1), "GENERAL")
    for day, order in ((date(2026, 3, 30), "REPAIR-58"), (date(2026, 4, 1), "REPAIR-36")):
        found = RULES.assess(target, replace(WHOLE, applied_on=day), date(2026, 4, 20))
        assert (found.order, found.blockers) == (order, ())
    assert _codes(target, replace(WHOLE, applied_on=date(2023, 4, 30))) == ["NO_RULESET"]


@pytest.mark.parametrize(
    ("decided", "seriousness", "fields", "first"),
    [
        (date(2026, 5, 10), "MINOR", (), date(2026, 5, 10)),
        (date(2026, 5, 10), "SERIOUS", (), date(2027, 5, 11)),
        (date(2026, 5, 10), "UNCLASSIFIED", (), date(2026, 8, 11)),
        # The month has no 31st day: the period ends with its last one.
        (date(2026, 11, 30), "GENERAL", (), date(2027, 3, 1)),
        # Order 58: three months, twelve in protected fields.
        (date(2025, 1, 10), "SERIOUS", (), date(2025, 4, 11)),
        (date(2025, 1, 10), "GENERAL", ("FOOD",), date(2026, 1, 11)),
        # Order 58 would have waited until 2026-10-02; Order 36 knows no protected fields, and favours the subject.
        (date(2025, 10, 1), "GENERAL", ("FOOD",), date(2026, 4, 1)),
        # Decided under Order 58, whose three months are shorter than the twelve of Order 36.
        (date(2026, 3, 31), "SERIOUS", (), date(2026, 7, 1)),
        (date(2026, 4, 1), "SERIOUS", (), date(2027, 4, 2)),
    ],
)
def test_r9_2_the_first_day_to_apply(
    decided: date, seriousness: str, fields: tuple[str, ...], first: date
) -> None:
    assert RULES.eligible_from(Target(decided, seriousness, fields=frozenset(fields))) == first


def test_r9_2_whether_old_decisions_are_treated_leniently_is_a_row() -> None:
    strict = replace(RULES, transitions=tuple(replace(one, lenient=False) for one in RULES.transitions))
    target = Target(date(2026, 3, 31), "SERIOUS")
    assert strict.eligible_from(target) == date(2027, 4, 1)
    assert RULES.eligible_from(target) == date(2026, 7, 1)
    notes = RULES.assess(target, replace(WHOLE, applied_on=date(2026, 7, 1)), date(2026, 7, 1)).notes
    assert notes == ("TRANSITION_UNCONFIRMED",)


@given(targets, st.integers(-400, 1500))
def test_r9_2_who_may_apply_on_a_day_may_on_every_later_one(target: Target, offset: int) -> None:
    day = target.decided_on + timedelta(days=offset)
    first = RULES.eligible_from(target)
    codes = _codes(target, replace(WHOLE, applied_on=day))
    assert target.usable_until is not None
    if first is None or day < first:
        assert codes
    else:
        assert codes == (["ENDED"] if day > target.usable_until else [])


@given(targets)
def test_r9_2_the_first_day_lies_in_the_life_of_the_record(target: Target) -> None:
    first = RULES.eligible_from(target)
    if first is not None:
        assert target.usable_until is not None
        assert target.decided_on <= first <= target.usable_until


@given(
    targets,
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from([PERFORMED, PROMISED, SERVED, Evidence("TRAINING")]), max_size=4),
    st.lists(st.text("ab", min_size=1, max_size=2), max_size=2),
)
def test_r9_2_a_further_obstacle_never_opens_the_way(
    target: Target, corrected: bool, performed: bool, papers: list[Evidence], unmet: list[str]
) -> None:
    day = add_months(target.decided_on, 11)
    found = set(_codes(target, Application(day, corrected, performed, tuple(papers), tuple(unmet))))
    for worse in (
        Application(day, None, performed, tuple(papers), tuple(unmet)),
        Application(day, corrected, False, tuple(papers), tuple(unmet)),
        Application(day, corrected, performed, (), tuple(unmet)),
        Application(day, corrected, performed, tuple(papers), (*unmet, "c")),
    ):
        kept = {code for code in found if not code.startswith("EVIDENCE")}
        assert kept <= set(_codes(target, worse))
    whole = Application(day, corrected, performed, tuple(papers), tuple(unmet))
    assert found <= {"MINIMUM_PERIOD", *_codes(replace(target, own=False), whole)}


@pytest.mark.parametrize(
    ("application", "codes"),
    [
        (replace(WHOLE, corrected=None), ["NOT_CORRECTED"]),
        (replace(WHOLE, corrected=False), ["NOT_CORRECTED"]),
        (replace(WHOLE, performed=False), ["NOT_PERFORMED"]),
        (replace(WHOLE, evidence=(PROMISED,)), ["NOT_PERFORMED"]),
        (replace(WHOLE, evidence=(PERFORMED,)), ["NO_COMMITMENT"]),
        (
            replace(WHOLE, evidence=(PERFORMED, Evidence("COMMITMENT"))),
            ["NO_COMMITMENT", "EVIDENCE_INCOMPLETE:COMMITMENT"],
        ),
        (replace(WHOLE, evidence=(*WHOLE.evidence, Evidence("PRAYER"))), ["EVIDENCE_UNKNOWN:PRAYER"]),
        (replace(WHOLE, unmet=("食品安全法",)), ["OTHER_LAW:食品安全法"]),
    ],
)
def test_r9_2_every_condition_must_be_met_and_shown(application: Application, codes: list[str]) -> None:
    assert _codes(GENERAL, application) == codes


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (replace(GENERAL, own=False), "NOT_OWN"),
        (replace(GENERAL, seriousness="NOT_ADVERSE", usable_until=None), "NOT_ADVERSE"),
        (replace(GENERAL, color="RED"), "NOT_ADVERSE"),
        (replace(GENERAL, state="REPAIRED"), "ENDED"),
        (replace(GENERAL, state="EXITED_EXPIRED"), "ENDED"),
        (replace(GENERAL, usable_until=date(2026, 8, 10)), "ENDED"),
    ],
)
def test_r9_2_what_is_not_ours_or_has_ended_is_not_repaired(target: Target, code: str) -> None:
    assert _codes(target, WHOLE) == [code]
    assert RULES.eligible_from(target) is None


def test_r9_3_public_service_of_a_person_is_read_but_stands_for_no_condition() -> None:
    person = replace(WHOLE, natural_person=True)
    assert _codes(GENERAL, replace(person, evidence=(*WHOLE.evidence, SERVED))) == []
    assert _codes(GENERAL, replace(person, evidence=(SERVED,))) == ["NOT_PERFORMED", "NO_COMMITMENT"]
    # It says who organized it, how long it took, and by which certificate.
    partly = Evidence("PUBLIC_SERVICE", frozenset({"hours"}))
    assert _codes(GENERAL, replace(person, evidence=(*WHOLE.evidence, partly))) == [
        "EVIDENCE_INCOMPLETE:PUBLIC_SERVICE"
    ]
    # Firms cannot redeem themselves by it.
    assert _codes(GENERAL, replace(WHOLE, evidence=(*WHOLE.evidence, SERVED))) == [
        "EVIDENCE_PERSONS_ONLY:PUBLIC_SERVICE"
    ]


def test_r9_2_a_place_on_a_list_of_the_2019_method_may_be_repaired_after_half_a_year() -> None:
    watch = Target(date(2026, 6, 1), "GENERAL", "PUBLISHED", color="WATCH")
    assert RULES.eligible_from(watch) == date(2026, 12, 2)
    assert RULES.eligible_from(replace(watch, list_min_months=12)) == date(2027, 6, 2)
    black = Target(date(2025, 12, 1), "SERIOUS", "PUBLISHED", color="BLACK")
    assert RULES.eligible_from(black) == date(2026, 6, 2)
    # Recognized under Order 36: one year, as for every serious record.
    assert RULES.eligible_from(replace(black, decided_on=date(2026, 4, 1))) == date(2027, 4, 2)


def test_r9_2_training_stands_for_the_commitment_on_those_lists_only() -> None:
    training = Evidence("TRAINING", frozenset({"organizer", "held_on"}))
    application = Application(date(2027, 1, 10), True, True, (PERFORMED, training))
    watch = Target(date(2026, 6, 1), "GENERAL", "PUBLISHED", color="WATCH")
    assert _codes(watch, application) == []
    assert _codes(replace(GENERAL), application) == ["NO_COMMITMENT"]


def test_r9_2_the_2019_limits_on_repeated_repair_block_old_cases_and_warn_in_new_ones() -> None:
    watch = Target(date(2025, 1, 1), "GENERAL", "PUBLISHED", color="WATCH")
    old = replace(WHOLE, applied_on=date(2026, 3, 1), earlier=(date(2025, 3, 2),))
    found = RULES.assess(watch, old, date(2026, 3, 1))
    assert [(one.code, one.until) for one in found.blockers] == [("REPEATED_TOO_SOON", date(2026, 3, 2))]
    assert _codes(watch, replace(old, applied_on=date(2026, 3, 2))) == []
    twice = replace(old, earlier=(date(2023, 3, 5), date(2024, 3, 5)))
    assert [(one.code, one.until) for one in RULES.assess(watch, twice, date(2026, 3, 1)).blockers] == [
        ("REPEATED_TOO_OFTEN", date(2026, 3, 5))
    ]
    new = RULES.assess(watch, replace(old, applied_on=date(2026, 4, 1), earlier=(date(2026, 1, 1),)), date(2026, 4, 1))  # fmt: skip
    assert new.blockers == ()
    assert "REPEATED_TOO_SOON_UNCONFIRMED" in new.notes
    # Records are no places on lists.
    assert _codes(GENERAL, replace(WHOLE, earlier=(date(2026, 8, 1),))) == []


def test_r9_2_the_clocks_of_a_repair_run_by_the_order_of_its_application() -> None:
    calendar, applied = seeded(), date(2026, 9, 24)
    due = {
        name: RULES.clock(name, applied, applied, calendar).on for name in ("intake", "decision", "answer")
    }
    assert due == {"intake": date(2026, 9, 30), "decision": date(2026, 10, 12), "answer": date(2026, 10, 15)}
    old = date(2026, 3, 30)
    assert RULES.clock("propagation", date(2026, 4, 30), applied, calendar).on == date(2026, 5, 6)
    assert RULES.clock("propagation", date(2026, 4, 30), old, calendar).on == date(2026, 5, 8)
    assert RULES.clock("answer", date(2026, 12, 22), applied, calendar).provisional
    for name, day in (("intake", date(2023, 4, 30)), ("nothing", applied)):
        with pytest.raises(RulesInvalid):
            RULES.clock(name, day, day, calendar)


def test_r9_2_an_approved_repair_ends_publicity_sharing_use_and_measures() -> None:
    for order in RULES.orders:
        assert order.effects == ("PUBLICITY_ENDS", "SHARING_ENDS", "USE_ENDS", "MEASURES_LIFTED")


def test_r7_5_the_publicity_of_a_general_penalty_has_a_first_and_a_last_end() -> None:
    period = RULES.period(GENERAL, date(2026, 5, 15), PUBLICITY)
    assert (period.begins, period.earliest_end, period.latest_end, period.first_repair, period.ruleset) == (
        date(2026, 5, 15),
        date(2026, 8, 10),
        date(2027, 5, 10),
        date(2026, 8, 11),
        "REPAIR-36",
    )


@given(targets)
def test_r7_5_the_first_end_never_lies_after_the_last(target: Target) -> None:
    period = RULES.period(target, target.decided_on, PUBLICITY)
    if period.earliest_end is not None:
        assert period.latest_end is not None
        assert target.decided_on <= period.earliest_end <= period.latest_end


def test_r9_2_rows_that_are_not_whole_are_refused() -> None:
    text = files("hub.rules").joinpath("repair.toml").read_text(encoding="utf-8")
    for old, new in (
        ("valid_to = 2026-03-31\n# Months", "# Months"),
        ('choice = "lenient"', 'choice = "kind"'),
        ("MINOR = 0, ", ""),
        ("gap_months", "gap_month"),
        ("[[order]]", "[[orders]]"),
    ):
        assert old in text
        with pytest.raises(RulesInvalid):
            load_repair_rules(text.replace(old, new, 1))
    assert isinstance(load_repair_rules(text), RepairRules)
