"""Diagrams of the state machines: they show the table, whole and nothing else, and docs/casework.md shows them."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from hub.casework.diagrams import mermaid, svg
from hub.casework.machine import Machine
from hub.casework.registry import registry
from tests.command_line import credithub
from tests.readme_tables import READMES, ROOT

MACHINES = list(registry().machines.values())
SVG = "{http://www.w3.org/2000/svg}"
each = pytest.mark.parametrize("machine", MACHINES, ids=lambda one: one.mechanism)


def _table(machine: Machine) -> set[tuple[str, str]]:
    return {(source, step.leads(source)) for step in machine.transitions for source in step.sources}


@each
def test_mermaid_shows_every_state_and_every_step_of_the_table(machine: Machine) -> None:
    text = mermaid(machine)
    assert text.startswith("stateDiagram-v2\n")
    assert set(re.findall(r"^  (\w+) : ", text, re.MULTILINE)) == {one.name for one in machine.states}
    found = re.findall(r"^  (\S+) --> (\S+)(?: : (.*))?$", text, re.MULTILINE)
    assert {(a, b) for a, b, _ in found if "[*]" not in (a, b)} == _table(machine)
    assert [b for a, b, _ in found if a == "[*]"] == [machine.initial]
    assert {a for a, b, _ in found if b == "[*]"} == machine.final
    for step in machine.transitions:
        for source in step.sources:
            (label,) = [words for a, b, words in found if (a, b) == (source, step.leads(source))]
            assert step.zh in label.split("、")


@each
def test_no_label_of_mermaid_holds_what_ends_it(machine: Machine) -> None:
    for line in mermaid(machine).splitlines():
        assert ";" not in line
        assert line.count(":") <= 1


@each
def test_the_svg_shows_every_state_and_step_and_nothing_overlaps(machine: Machine) -> None:
    root = ElementTree.fromstring(svg(machine))
    boxes = [
        {k: float(one.get(k, 0)) for k in ("x", "y", "width", "height")} for one in root.iter(f"{SVG}rect")
    ]
    assert len(boxes) == len(machine.states)
    for above, below in pairwise(sorted(boxes, key=lambda box: box["y"])):
        assert above["y"] + above["height"] < below["y"]
    words = [one.text or "" for one in root.iter(f"{SVG}text")]
    assert {f"{one.zh} · {one.en}" for one in machine.states} <= set(words)
    assert all(any(step.zh in line for line in words) for step in machine.transitions)
    arrows = [one for one in root.iter(f"{SVG}path") if one.get("class") == "arrow"]
    assert len(arrows) == sum(source != target for source, target in _table(machine))
    # Two arrows never run along each other: verticals at the same place do not meet.
    runs = []
    for arrow in arrows:
        begin, x, end = re.match(r"M\d+ (\d+)H(\d+)V(\d+)H", str(arrow.get("d"))).groups()  # type: ignore[union-attr]
        runs.append((int(x), *sorted((int(begin), int(end)))))
    for (x, _, bottom), (other, top, _) in pairwise(sorted(runs)):
        assert x != other or bottom < top
    # All of it is on the sheet.
    width, height = float(str(root.get("width"))), float(str(root.get("height")))
    assert all(0 < x < width and 0 < top <= bottom < height for x, top, bottom in runs)


@each
def test_labels_of_the_svg_do_not_cover_each_other(machine: Machine) -> None:
    root = ElementTree.fromstring(svg(machine))
    taken = []
    for one in root.iter(f"{SVG}text"):
        if one.get("class") != "label":
            continue
        x, y, wide = float(str(one.get("x"))), float(str(one.get("y"))), 13 * len(one.text or "")
        left = x if one.get("text-anchor") == "start" else x - wide
        taken.append((left, left + wide, y - 12, y))
    for place, (a, b, top, bottom) in enumerate(taken):
        for left, right, above, below in taken[place + 1 :]:
            assert b <= left or right <= a or bottom <= above or below <= top


def test_the_command_draws_one_machine_or_all() -> None:
    one = registry().machines["TOLERANCE"]
    assert credithub("casework", "diagram", "TOLERANCE").stdout == f"%% TOLERANCE\n{mermaid(one)}"
    assert credithub("casework", "diagram", "TOLERANCE", "--format", "svg").stdout == svg(one)
    every = credithub("casework", "diagram").stdout
    assert all(mermaid(machine) in every for machine in MACHINES)


def test_an_unknown_mechanism_is_told_and_an_svg_of_all_refused() -> None:
    done = credithub("casework", "diagram", "CREDIT_SCORE")
    assert (done.returncode, done.stdout) == (1, "")
    assert "PUBLICITY" in done.stderr
    assert credithub("casework", "diagram", "--format", "svg").returncode == 1


def test_the_page_of_diagrams_is_as_the_code_says() -> None:
    """Renew with `python -m tests.test_readme`."""
    said = (ROOT / "docs" / "casework.md").read_text("utf-8")
    assert credithub("casework", "diagram", "--format", "markdown").stdout == said


def test_both_readmes_lead_to_it() -> None:
    for path in READMES.values():
        assert "](docs/casework.md)" in path.read_text("utf-8")
