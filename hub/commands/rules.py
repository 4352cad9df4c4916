"""`credithub rules`: the rules of the policy, where code and tests keep each, and which rows of law nobody has confirmed."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

import hub
from hub.commands.session import err, out, told
from hub.rules.register import (
    CODE,
    TESTS,
    Covered,
    Unconfirmed,
    coverage,
    load_open_points,
    load_rules,
    sources_in,
    unconfirmed,
    unknown_numbers,
)


@told
def rules(
    show_coverage: Annotated[
        bool, typer.Option("--coverage", help="Where each rule is kept and tested; 1 when one is not.")
    ] = False,
    show_unconfirmed: Annotated[
        bool, typer.Option("--unconfirmed", help="Rows and points of law that nobody has confirmed.")
    ] = False,
) -> None:
    """List the rules of the policy; or where code and tests keep them, or what of them nobody has confirmed yet."""
    if not show_coverage and not show_unconfirmed:
        _list_rules()
    if show_unconfirmed:
        _list_unconfirmed()
    if show_coverage:
        raise typer.Exit(_list_coverage(Path(hub.__file__).parents[1]))


def _list_rules() -> None:
    for one in load_rules():
        _say(f"{one.number} ({one.article}) {one.zh}\n    {one.en}")


def _list_unconfirmed() -> None:
    rows = unconfirmed()
    for file, found in groupby(rows, key=lambda row: row.file):
        _say(file)
        for row in found:
            _say(f"  {row.place}: {_days(row)}\n      {row.source_doc}")
    points = [one for one in load_open_points() if not one.term.confirmed_by]
    for point in points:
        _say(f"open point {point.number}: {point.zh}\n    {point.en}\n    applied meanwhile: {point.applied}")
        _say(f"    rows in {', '.join(point.rows)}")
    _say(f"{len(rows)} rows are not confirmed; {len(points)} points of law are open")


def _days(row: Unconfirmed) -> str:
    if row.valid_from is None and row.valid_to is None:
        return "not dated"
    return f"from {row.valid_from or 'ever'} to {row.valid_to or 'further notice'}"


def _list_coverage(root: Path) -> int:
    """Tell where each rule stands; the exit status."""
    tests = sources_in(root, *TESTS)
    if not tests:
        err.print(
            "credithub: no tests stand beside this package: coverage is told in a checkout of the source"
        )
        return 1
    code = sources_in(root, *CODE)
    found = coverage(code, tests)
    for one in found:
        _say(f"{one.rule.number} {one.rule.zh}")
        for what, places in (("kept in", one.code), ("tested by", one.tests)):
            for place in places or ("NOWHERE",):
                _say(f"    {what:<9} {place}")
    missing = [one for one in found if not one.complete]
    for one in missing:
        err.print(f"credithub: {one.rule.number} is {_lack(one)}")
    misspelt = unknown_numbers(code, tests)
    for number, place in misspelt:
        err.print(f"credithub: {number} in {place} is the number of no rule")
    _say(f"{len(found)} rules: {len(found) - len(missing)} kept and tested, {len(missing)} not")
    return 1 if missing or misspelt else 0


def _say(words: str) -> None:
    out.print(words)


def _lack(one: Covered) -> str:
    if not one.code:
        return "kept by no code" if one.tests else "neither kept nor tested"
    return "tested by no test"
