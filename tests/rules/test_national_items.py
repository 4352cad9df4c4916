"""The national data items: dated, the same ones as the connector reads, and every deviation is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from connectors.template import TEMPLATES
from hub.errors import RulesInvalid
from hub.rules.national_items import DataItem, Edition, deviations, load_national_items, opened_persons

TEXT = files("hub.rules").joinpath("national_items.toml").read_text(encoding="utf-8")
DAY = date(2026, 11, 23)


def _edition(kind: str) -> Edition:
    found = load_national_items().edition(kind, DAY)
    assert found is not None
    return found


def _changed(code: str, **more: object) -> tuple[DataItem, ...]:
    return tuple(replace(one, **more) if one.code == code else one for one in _edition("CF").items)  # type: ignore[arg-type]


def test_r4_3_the_standard_is_dated_and_has_all_items_of_both_kinds() -> None:
    rules = load_national_items()
    assert rules.edition("XK", date(2018, 7, 24)) is None
    assert [len(_edition(kind).items) for kind in ("XK", "CF")] == [28, 30]
    amended = TEXT.replace("valid_from = 2018-07-25", "valid_from = 2018-07-25\nvalid_to = 2026-12-31")
    more = amended + TEXT.replace("2018-07-25", "2027-01-01").replace("424-2018", "2027")
    later = load_national_items(more)
    assert [later.edition("CF", day).id for day in (DAY, date(2027, 1, 1))] == ["CF-424-2018", "CF-2027"]  # type: ignore[union-attr]
    with pytest.raises(RulesInvalid, match="two rows are in force"):
        load_national_items(TEXT + TEXT)


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("REQUIRED    PUBLIC", "NEEDED      PUBLIC"),
        ("TEXT     200", "BLOB     200"),
        ("XK_XDR_LB ", "XK_XDR_MC "),
    ],
)
def test_r4_3_an_edition_that_is_not_whole_is_refused(found: str, put: str) -> None:
    with pytest.raises(RulesInvalid):
        load_national_items(TEXT.replace(found, put, 1))


def test_r4_3_the_connector_reads_what_the_standard_demands_under_the_same_names() -> None:
    for template in TEMPLATES:
        for item in _edition(template.name).items:
            column = template.columns[item.code]
            # Titles differ in nothing; files in the wild are longer, and lack more, than the standard allows.
            assert column.title == item.name, item.code
            assert item.length is None or column.length is None or column.length >= item.length, item.code
            assert not column.required or item.requirement == "REQUIRED", item.code


@pytest.mark.parametrize(
    ("code", "change", "key", "standard", "stated"),
    [
        ("CF_SY", {"length": 8000}, "LENGTH@CF_SY", "5000", "8000"),
        ("CF_SY", {"requirement": "OPTIONAL"}, "REQUIREMENT@CF_SY", "REQUIRED", "OPTIONAL"),
        ("CF_JDRQ", {"type": "TEXT"}, "TYPE@CF_JDRQ", "DATE", "TEXT"),
        ("CF_NR", {"name": "内容"}, "NAME@CF_NR", "处罚内容", "内容"),
        (
            "CF_NR",
            {"sharing_attribute": "GOVERNMENT_SHARED"},
            "OPENNESS@CF_NR",
            "PUBLIC",
            "GOVERNMENT_SHARED",
        ),
        ("CF_NR", {"masked": True}, "OPENNESS@CF_NR", "PUBLIC", "PUBLIC MASKED"),
    ],
)
def test_r4_3_every_difference_from_the_standard_is_told(
    code: str, change: dict[str, object], key: str, standard: str, stated: str
) -> None:
    (found,) = deviations(_edition("CF"), _changed(code, **change))
    assert (found.key, found.standard, found.stated) == (key, standard, stated)


def test_r4_3_items_missing_and_added_are_told_and_the_standard_itself_deviates_in_nothing() -> None:
    standard = _edition("XK")
    assert deviations(standard, standard.items) == ()
    added = replace(standard.items[0], code="XK_QLBM", name="权力编码")
    found = deviations(standard, (*standard.items[1:], added))
    assert [one.key for one in found] == ["MISSING@XK_XDR_MC", "ADDED@XK_QLBM"]


@pytest.mark.parametrize("attribute", ["PUBLIC", "GOVERNMENT_SHARED"])
def test_r4_3_numbers_of_persons_are_never_opened(attribute: str) -> None:
    standard = _edition("CF")
    assert opened_persons(standard, standard.items) == ()
    assert opened_persons(standard, _changed("CF_XDR_ZJHM", sharing_attribute=attribute)) == ("CF_XDR_ZJHM",)
    assert opened_persons(standard, _changed("CF_FR_ZJHM", masked=False)) == ("CF_FR_ZJHM",)
