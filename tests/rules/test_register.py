"""The register: every rule has its text, traces are found where they stand, no unconfirmed row is forgotten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hub.errors import RulesInvalid
from hub.rules.register import (
    CODE,
    TESTS,
    coverage,
    load_open_points,
    load_rules,
    rule_files,
    sources_in,
    unconfirmed,
    unknown_numbers,
)
from tests.command_line import credithub, environment

ROOT = Path(__file__).parents[2]
COUNTS = {4: 5, 5: 7, 6: 5, 7: 6, 8: 5, 9: 3, 10: 4, 11: 3, 12: 3, 13: 3, 14: 3, 18: 3}
# Rules that are not built yet: the one place that says so. Whoever builds one takes it off.
NOT_YET: frozenset[str] = frozenset()


def test_every_rule_of_the_policy_stands_in_the_register() -> None:
    assert [one.number for one in load_rules()] == [
        f"R{article}.{number}" for article, count in COUNTS.items() for number in range(1, count + 1)
    ]
    assert len(load_rules()) == 50
    assert all(one.zh and one.en for one in load_rules())


def test_numbers_in_comments_texts_and_docstrings_are_found_with_their_lines() -> None:
    code = {"a.py": '"""One.\n\nKept here (R7.1).\n"""\nX = 1  # R7.2\nrules = ("R8.5",)\nR9 = R7 = 1\n'}
    found = {one.rule.number: one.code for one in coverage(code, {}) if one.code}
    assert found == {"R7.1": ("a.py:3",), "R7.2": ("a.py:5",), "R8.5": ("a.py:6",)}


def test_a_rule_is_tested_by_a_test_that_names_it_and_by_nothing_else() -> None:
    tests = {
        "test_a.py": (
            "def test_r7_1_published(): ...\nasync def test_it_r18_3_and_r7_2(): ...\n"
            "def helper_r7_4_x(): ...\ndef test_r7_44_no(): ...\nclass A:\n    def test_r7_6(self): ...\n"
        )
    }
    found = {one.rule.number: one.tests for one in coverage({}, tests) if one.tests}
    assert sorted(found) == ["R18.3", "R7.1", "R7.2", "R7.6"]
    assert found["R7.1"] == ("test_a.py::test_r7_1_published",)
    assert unknown_numbers({}, tests) == (("R7.44", "test_a.py::test_r7_44_no"),)


def test_a_rule_needs_code_and_test_to_be_complete() -> None:
    code, tests = {"a.py": "# R7.1, R7.2\n"}, {"t.py": "def test_r7_1_x(): ...\ndef test_r7_4_x(): ...\n"}
    complete = [one.rule.number for one in coverage(code, tests) if one.complete]
    assert complete == ["R7.1"]


def test_every_rule_is_kept_by_code_and_tested_by_name() -> None:
    found = coverage(sources_in(ROOT, *CODE), sources_in(ROOT, *TESTS))
    missing = {one.rule.number: one for one in found if not one.complete}
    assert missing.keys() <= NOT_YET, [missing[number] for number in sorted(missing.keys() - NOT_YET)]
    assert {one.number for one in load_rules()} >= NOT_YET


def test_no_number_of_a_rule_is_misspelt() -> None:
    assert unknown_numbers(sources_in(ROOT, *CODE), sources_in(ROOT, *TESTS)) == ()


def test_the_command_lists_the_rules() -> None:
    done = credithub("rules")
    assert done.returncode == 0
    assert all(one.number in done.stdout and one.zh in done.stdout for one in load_rules())


def test_the_command_tells_where_each_rule_stands_and_ends_with_1_where_one_does_not() -> None:
    done = credithub("rules", "--coverage")
    found = coverage(sources_in(ROOT, *CODE), sources_in(ROOT, *TESTS))
    missing = [one.rule.number for one in found if not one.complete]
    assert done.returncode == bool(missing), done.stderr
    assert [line.split()[1] for line in done.stderr.splitlines()] == missing
    assert all(place in done.stdout for one in found for place in (*one.code, *one.tests))


def test_the_command_names_a_rule_that_nothing_keeps(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "tests").mkdir()
    for number in range(1, 51):
        (tmp_path / "tests" / f"test_{number}.py").write_text("def test_r7_1_x(): ...\n", "utf-8")
    shutil.copytree(
        ROOT / "hub", tmp_path / "hub", dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules")
    )
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    shutil.copytree(ROOT / "connectors", tmp_path / "connectors")
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    command = [sys.executable, "-c", "from hub.cli import main; main()", "rules", "--coverage"]
    env = {**environment({}), "PYTHONPATH": str(tmp_path)}
    told = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "R8.1 is tested by no test" in told.stderr
    assert "R7.1 is" not in told.stderr
    # An installed package has no tests beside it.
    shutil.rmtree(tmp_path / "tests")
    told = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert "in a checkout of the source" in told.stderr


def test_the_command_tells_what_nobody_has_confirmed() -> None:
    done = credithub("rules", "--unconfirmed")
    assert done.returncode == 0, done.stderr
    rows = unconfirmed()
    assert all(one.file in done.stdout and one.place in done.stdout for one in rows)
    assert all(str(one.valid_from) in done.stdout for one in rows if one.valid_from)
    assert all(one.zh in done.stdout for one in load_open_points() if not one.term.confirmed_by)
    assert f"{len(rows)} rows are not confirmed" in done.stdout


def test_every_row_whose_confirmation_is_empty_or_missing_is_listed() -> None:
    texts = {
        "x.toml": (
            '[[a]]\nid = "one"\nvalid_from = 2026-01-01\nsource_doc = "s"\nconfirmed_by = ""\n'
            '[[a]]\nid = "two"\nsource_doc = "s"\nconfirmed_by = "法规处 2026-12-01"\n'
            '[[a]]\nid = "three"\nsource_doc = "s"\n[[a]]\nid = "four"\nconfirmed_by = "—"\n'
            '[b.c]\nlegal_basis = "law"\n'
        )
    }
    assert [(one.place, one.source_doc) for one in unconfirmed(texts)] == [
        ("a 1 (one)", "s"),
        ("a 3 (three)", "s"),
        ("b.c", "law"),
    ]
    with pytest.raises(RulesInvalid):
        unconfirmed({"x.toml": "="})


def test_no_empty_confirmation_of_the_package_is_left_out() -> None:
    texts = rule_files()
    found = unconfirmed()
    for name, text in texts.items():
        listed = sum(one.file == name for one in found)
        assert listed >= text.count('confirmed_by = ""'), name
    # The lists that come with the hub have a legal basis, which nobody has confirmed either.
    assert sum(one.file == "lists.toml" for one in found) == len(tomllib.loads(texts["lists.toml"])["list"])
    assert all(one.source_doc for one in found)


def test_the_twelve_open_points_of_law_are_rows_that_say_so() -> None:
    points = load_open_points()
    assert [one.number for one in points] == list(range(1, 13))
    assert sum(one.file == "open_points.toml" for one in unconfirmed()) == sum(
        not one.term.confirmed_by for one in points
    )
    names = set(rule_files())
    for one in points:
        assert one.applied
        assert all(name in names or (ROOT / name).is_file() for name in one.rows), one.number


@pytest.mark.parametrize(
    ("old", "new"),
    [('"R4.2"', '"R4.1"'), ('"R4.1"', '"4.1"'), ('article = "四"', 'article = "零"'), ("zh = ", "cn = ")],
)
def test_a_register_that_is_not_whole_is_refused(old: str, new: str) -> None:
    text = rule_files()["rules.toml"]
    with pytest.raises(RulesInvalid):
        load_rules(text.replace(old, new, 1))
