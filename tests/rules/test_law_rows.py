"""Rules files are read strictly: a change of law that is not whole stops the start, and decides nothing in silence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from connectors.grading import level, load_rule_sets
from hub.casework.listings.machine import ruleset
from hub.errors import RulesInvalid
from hub.rights.openness import load_openness
from hub.rules.archives import load_archive_rules
from hub.rules.commitments import load_commitment_rules
from hub.rules.deadlines import load_deadlines
from hub.rules.listing import load_list_rules
from hub.rules.matters import load_checks, load_matters
from hub.rules.measures import load_measure_rules
from hub.rules.publicity import load_publicity_rules
from hub.rules.register import rule_files, sources_in, unconfirmed
from hub.rules.repair import load_repair_rules
from hub.rules.reports import load_report_rules
from hub.rules.tiering import load_tier_rules
from hub.rules.timeliness import load_timeliness_rules

LOADERS: dict[str, Callable[[str], object]] = {
    "archives.toml": load_archive_rules,
    "checks.toml": load_checks,
    "commitments.toml": load_commitment_rules,
    "deadlines.toml": load_deadlines,
    "grading.toml": load_rule_sets,
    "listing.toml": load_list_rules,
    "matters.toml": load_matters,
    "measures.toml": load_measure_rules,
    "openness.toml": load_openness,
    "repair.toml": load_repair_rules,
    "reports.toml": load_report_rules,
    "rulesets.toml": load_publicity_rules,
    "tiering.toml": load_tier_rules,
    "timeliness.toml": load_timeliness_rules,
}
FILES = pytest.mark.parametrize("name", LOADERS)


def _with_row_like_the_first(text: str, change: Callable[[str], str]) -> str:
    first = re.search(r"^\[\[.*?(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    assert first is not None
    return text.replace(first[0], change(first[0]), 1)


@FILES
def test_two_rows_of_one_day_are_refused(name: str) -> None:
    """Whoever enters what comes next and forgets to end what was: which of the two is law is not for the hub to guess."""
    text = rule_files()[name]
    LOADERS[name](text)
    with pytest.raises((RulesInvalid, ValueError)):
        LOADERS[name](_with_row_like_the_first(text, lambda row: f"{row}\n{row}\n"))


@FILES
def test_a_misspelt_key_is_refused(name: str) -> None:
    with pytest.raises((RulesInvalid, ValueError)):
        LOADERS[name](
            _with_row_like_the_first(
                rule_files()[name], lambda row: row.replace("\n", "\nvalid_too = 2026-12-31\n", 1)
            )
        )


def test_r7_5_r9_2_both_files_tell_the_same_days_of_an_order() -> None:
    """How long at most stands in one file, from when on it is repaired in the other."""
    lives = {(one.id, one.valid_from, one.valid_to) for one in load_publicity_rules().rulesets}
    assert lives == {(one.id, one.term.valid_from, one.term.valid_to) for one in load_repair_rules().orders}


@pytest.mark.parametrize(
    ("source", "day", "ruleset"),
    [
        ("CUSTOMS", date(2014, 12, 1), "CUSTOMS-225"),
        ("CUSTOMS", date(2018, 4, 30), "CUSTOMS-225"),
        ("CUSTOMS", date(2018, 5, 1), "CUSTOMS-237"),
        ("CUSTOMS", date(2021, 10, 31), "CUSTOMS-237"),
        ("CUSTOMS", date(2021, 11, 1), "CUSTOMS-251"),
        ("CUSTOMS", date(2026, 3, 31), "CUSTOMS-251"),
        ("CUSTOMS", date(2026, 4, 1), "CUSTOMS-282"),
        ("TAX", date(2025, 6, 30), "TAX-2014"),
        ("TAX", date(2025, 7, 1), "TAX-2025"),
    ],
)
def test_the_day_on_which_a_level_was_given_selects_its_rule_set(
    source: str, day: date, ruleset: str
) -> None:
    word = {"CUSTOMS": "高级认证企业", "TAX": "A"}[source]
    assert level(source, word, day)[1] == ruleset


def test_the_rule_sets_of_sources_are_among_the_rows_that_nobody_has_confirmed() -> None:
    """The first days of Orders 225 and 237 are known from memory alone, and that is told."""
    listed = {one.place: one.source_doc for one in unconfirmed() if one.file == "grading.toml"}
    assert len(listed) == len(load_rule_sets())
    assert all("凭记忆" in listed[f"ruleset {n} (CUSTOMS-{order})"] for n, order in ((1, 225), (2, 237)))


def test_every_deadline_is_asked_for_by_its_name() -> None:
    """A row that nothing reads could be changed, and nothing would change."""
    code = "".join(sources_in(Path(__file__).parents[2], "hub").values())
    # Those of a repair are asked for by what stands behind the dot.
    asked = {row.name: row.name.removeprefix("repair.") for row in load_deadlines()}
    assert [name for name, said in asked.items() if f'"{said}"' not in code] == []


def test_r8_1_a_case_of_a_list_comes_under_the_method_of_its_day() -> None:
    assert [ruleset(day) for day in (date(2019, 6, 30), date(2019, 7, 1), date(2026, 4, 1))] == [
        "NONE", "LIST-MOFCOM-2019", "LIST-MOFCOM-2019",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("archives.toml", "商务部、市场监管总局令2019年第2号"),
        ("commitments.toml", "全国分类"),
        ("draw.toml", "执法人员不得少于两人"),
        ("matters.toml", "政府采购法第22条"),
        ("measures.toml", "全国失信惩戒措施基础清单(2021年版起)"),
        ("rulesets.toml", "2023年第58号"),
    ],
)
def test_a_row_that_rests_on_memory_says_so(name: str, basis: str) -> None:
    """Whoever confirms it must know what to look up; what the domain marks as remembered is no found text."""
    rows = [row.source_doc for row in unconfirmed() if row.file == name and basis in row.source_doc]
    assert rows
    assert all("凭记忆" in one for one in rows)
