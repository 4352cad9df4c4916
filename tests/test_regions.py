"""Region codes of the province: what an old code is today, and what a filter by region must find."""

from __future__ import annotations

import pytest

from schema import regions
from schema.identifiers import current_region


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("632124", "630106"),
        ("630122", "630106"),
        ("632100", "630200"),
        ("632121", "630203"),
        ("632721", "632701"),
        ("632321", "632301"),
        ("632859", "632803"),
        ("630103", "630103"),
        ("110101", "110101"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_old_region_code_maps_to_the_current_one(old: str, new: str) -> None:
    assert current_region(old) == new
    assert current_region(current_region(old)) == new


def test_every_region_that_ended_has_a_successor_and_every_successor_exists_later() -> None:
    assert len(regions.BY_CODE) == len(regions.REGIONS)
    for region in regions.REGIONS:
        assert all((region.name_zh, region.name_en, region.source))
        if region.until is not None:
            assert region.successor is not None, region
        if region.successor is not None:
            after = regions.BY_CODE[region.successor]
            assert after.until is None or region.until is None or after.until > region.until, region
