"""Random inspection: whoever has the published frame and seed gets the same draw."""

from __future__ import annotations

import hashlib
import random
import subprocess
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RulesInvalid
from hub.rules.draw import (
    TIERS,
    DrawInvalid,
    Frame,
    FrameObject,
    Inspector,
    commit,
    draw,
    load_draw_rules,
    parse_frame,
    verify,
)

RULES = load_draw_rules()
RATES = RULES.rates_on(date(2026, 11, 22))
SEED = bytes(range(32))
FRAME = Frame(
    tuple(FrameObject(f"CN-{number:04}", "ABCDN"[number % 5]) for number in range(205)),
    tuple(Inspector(f"INSP-{number}") for number in range(6)),
)

ids = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)
frames = st.builds(
    lambda objects, inspectors, conflicts: Frame(
        tuple(FrameObject(name, tier) for name, tier in objects.items()),
        tuple(Inspector(name, frozenset(list(objects)[conflicts:])) for name in inspectors),
    ),
    st.dictionaries(ids, st.sampled_from(TIERS), max_size=40),
    st.sets(ids, max_size=5),
    st.integers(0, 40),
)
seeds = st.binary(min_size=32, max_size=32)


@given(frames, seeds, st.randoms(use_true_random=False))
def test_r6_3_a_draw_is_repeated_from_what_was_published_whatever_the_order(
    frame: Frame, seed: bytes, chance: random.Random
) -> None:
    announced = draw(frame, seed, RATES)
    objects, inspectors = list(frame.objects), list(frame.inspectors)
    chance.shuffle(objects)
    chance.shuffle(inspectors)
    shuffled = Frame(tuple(objects), tuple(inspectors))
    assert verify(shuffled, seed, commit(seed), RATES, frame_digest=frame.digest()) == announced
    assert verify(parse_frame(frame.canonical()), seed, commit(seed), RATES) == announced


@given(frames, seeds)
def test_r6_3_of_each_tier_the_share_is_drawn_rounded_up_and_at_least_one(frame: Frame, seed: bytes) -> None:
    drawn = draw(frame, seed, RATES).drawn
    for tier in TIERS:
        size = sum(one.tier == tier for one in frame.objects)
        exact = RATES[tier] * size
        taken = sum(one.tier == tier for one in drawn)
        assert exact <= taken < exact + 1
        assert taken >= min(size, 1)
    assert len({one.id for one in drawn}) == len(drawn)


@given(frames, seeds)
def test_r6_3_nobody_inspects_in_a_conflict_of_interest_and_shortage_is_told(
    frame: Frame, seed: bytes
) -> None:
    result = draw(frame, seed, RATES)
    conflicts = {one.id: one.conflicts for one in frame.inspectors}
    for one in result.drawn:
        assert not any(one.id in conflicts[name] for name in one.inspectors)
        free = sum(one.id not in each for each in conflicts.values())
        assert len(one.inspectors) == len(set(one.inspectors)) == min(2, free)
        assert (one.id in result.short) == (free < 2)


def test_r6_3_the_numbers_drawn_of_205_objects() -> None:
    result = draw(FRAME, SEED, RATES)
    by_tier = {tier: sum(one.tier == tier for one in result.drawn) for tier in TIERS}
    # 41 of each tier: 5 % = 2.05, 10 % = 4.1, 25 % = 10.25, 50 % = 20.5.
    assert by_tier == {"A": 3, "B": 5, "C": 11, "D": 21, "N": 5}
    assert result.short == ()


def test_r6_3_another_program_gets_the_same_order() -> None:
    """The recipe in the module's docstring, with the command line of OpenSSL."""

    def mac(text: str) -> str:
        told = ["openssl", "dgst", "-sm3", "-mac", "hmac", "-macopt", f"hexkey:{SEED.hex()}"]
        done = subprocess.run(told, input=text.encode(), capture_output=True, check=True)
        return done.stdout.decode().strip().rpartition("= ")[2]

    of_tier_c = sorted((one.id for one in FRAME.objects if one.tier == "C"), key=mac)[:11]
    drawn = [one for one in draw(FRAME, SEED, RATES).drawn if one.tier == "C"]
    assert [one.id for one in drawn] == of_tier_c
    first = drawn[0]
    sent = sorted((one.id for one in FRAME.inspectors), key=lambda one: mac(f"{first.id}\n{one}"))[:2]
    assert list(first.inspectors) == sent


def test_r6_3_no_object_is_preferred_over_many_seeds() -> None:
    frame = Frame(tuple(FrameObject(f"CN-{number}", "C") for number in range(20)))
    chance = random.Random(20261122)
    times = dict.fromkeys((one.id for one in frame.objects), 0)
    for _ in range(2000):
        for one in draw(frame, chance.randbytes(32), RATES).drawn:
            times[one.id] += 1
    # 5 of 20 in 2,000 draws: 500 each, with a deviation of 19.4.
    assert all(abs(count - 500) < 100 for count in times.values())


def test_r6_3_another_seed_than_the_committed_one_is_refused() -> None:
    with pytest.raises(DrawInvalid, match="not the one that was committed to"):
        verify(FRAME, bytes(32), commit(SEED), RATES)
    assert commit(SEED) == hashlib.new("sm3", SEED).hexdigest()


def test_r6_3_a_frame_changed_after_the_commitment_is_refused() -> None:
    digest = FRAME.digest()
    changed = replace(FRAME, objects=FRAME.objects[1:])
    with pytest.raises(DrawInvalid, match="fixed before the draw"):
        verify(changed, SEED, commit(SEED), RATES, frame_digest=digest)


@pytest.mark.parametrize(
    "frame",
    [
        Frame((FrameObject("a", "A"), FrameObject("a", "B"))),
        Frame((FrameObject("a", "E"),)),
        Frame((FrameObject("", "A"),)),
        Frame((FrameObject("a\tb", "A"),)),
        Frame((FrameObject("a", "A"),), (Inspector("x"), Inspector("x"))),
        Frame((FrameObject("a", "A"),), (Inspector("x", frozenset({"b c"})),)),
    ],
)
def test_r6_3_a_frame_that_could_be_read_in_two_ways_is_refused(frame: Frame) -> None:
    with pytest.raises(DrawInvalid):
        draw(frame, SEED, RATES)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_r6_3_a_seed_has_32_bytes(seed: bytes) -> None:
    with pytest.raises(DrawInvalid):
        commit(seed)


@pytest.mark.parametrize("rates", [{}, {"A": Fraction(0)}, {"A": Fraction(2)}])
def test_r6_3_without_a_usable_share_nothing_is_drawn(rates: dict[str, Fraction]) -> None:
    with pytest.raises(DrawInvalid):
        draw(Frame((FrameObject("a", "A"),)), SEED, rates)


@pytest.mark.parametrize("text", ["object\tA\ta", "objects\tA\ta\n", "object\tB\ta\nobject\tA\tb\n", "\n"])
def test_r6_3_a_frame_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(DrawInvalid):
        parse_frame(text)


def test_r6_3_a_plan_may_set_a_share_within_the_bounds_of_its_tier() -> None:
    day = date(2026, 11, 22)
    assert RULES.rates_on(day, {"D": Fraction(1)})["D"] == 1
    for plan in ({"D": Fraction(49, 100)}, {"A": Fraction(6, 100)}, {"E": Fraction(1, 100)}):
        with pytest.raises(RulesInvalid):
            RULES.rates_on(day, plan)
    with pytest.raises(RulesInvalid):
        RULES.rates_on(date(2019, 7, 4))
    assert RULES.per_object(day) == 2
