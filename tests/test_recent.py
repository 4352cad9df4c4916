"""The bounded memory: what it forgets, and that it never holds more than it may."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.recent import Recent


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    kept: Recent[str, int] = Recent(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert [kept.get(name) for name in "abc"] == [1, None, 3]


def test_a_heavy_value_drives_out_light_ones_and_one_too_heavy_is_not_kept() -> None:
    kept: Recent[str, int] = Recent(10)
    for name in "abcde":
        kept.put(name, 0, 2)
    kept.put("f", 1, 5)
    assert [kept.get(name) for name in "abcdef"] == [None, None, None, 0, 0, 1]
    assert kept.put("g", 2, 11) == 2
    assert kept.get("g") is None
    assert kept.get("f") == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 7)), max_size=60))
def test_no_more_is_kept_than_may_be_and_the_last_used_is(puts: list[tuple[int, int]]) -> None:
    kept: Recent[int, int] = Recent(12)
    for name, weight in puts:
        kept.put(name, weight, weight)
        assert kept.get(name) == weight
        held = [value for one in range(10) if (value := kept.get(one)) is not None]
        assert sum(held) <= 12
    kept.clear()
    assert all(kept.get(one) is None for one in range(10))
