"""The register of the policy's rules: their texts, where code and tests keep them, and which rows nobody has confirmed."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from hub.errors import RulesInvalid
from hub.rules.dated import Row, RuleFile, Term

_ARTICLES = (*"四五六七八九十", "十一", "十二", "十三", "十四", "十八")
_NUMBER = re.compile(r"\bR([0-9]{1,2}\.[0-9]{1,2})\b")
_IN_NAME = re.compile(r"_r([0-9]{1,2})_([0-9]{1,2})(?=_|$)")
# Where code and tests stand in a checkout.
CODE, TESTS = ("hub", "schema", "connectors"), ("tests",)
# What names a row to people, first found.
_NAMES = (
    "id",
    "code",
    "name",
    "number",
    "kind",
    "tier",
    "level",
    "sector",
    "attribute",
    "mechanism",
    "region",
)


@dataclass(frozen=True)
class Rule:
    """A rule by its number, R and article's figure: what it demands, and of which article of the policy."""

    number: str
    article: str
    zh: str
    en: str


@dataclass(frozen=True)
class Covered:
    """Where a rule is kept (file:line) and tested (file::name)."""

    rule: Rule
    code: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether it stands in code and in a test."""
        return bool(self.code and self.tests)


@dataclass(frozen=True)
class Unconfirmed:
    """A row of law that the legal division has not confirmed. `valid_from`: None where the row is not dated."""

    file: str
    place: str
    valid_from: date | None
    valid_to: date | None
    source_doc: str


@dataclass(frozen=True)
class OpenPoint:
    """A point of law that is not settled, what is applied meanwhile, and the files whose rows it is about."""

    number: int
    zh: str
    en: str
    applied: str
    rows: tuple[str, ...]
    term: Term


def load_rules(text: str | None = None) -> tuple[Rule, ...]:
    """The rules of rules.toml, or of `text`, in their order. Raises RulesInvalid, also for a number given twice."""
    file = RuleFile("rules.toml", text)
    rules = file.rows("rule", _rule)
    file.done()
    numbers = [one.number for one in rules]
    if len(set(numbers)) != len(numbers):
        raise RulesInvalid("rules.toml: a number stands twice")
    return rules


def load_open_points(text: str | None = None) -> tuple[OpenPoint, ...]:
    """The points of open_points.toml, or of `text`. Raises RulesInvalid."""
    file = RuleFile("open_points.toml", text)
    points = file.rows("point", _point)
    file.done()
    return points


def coverage(
    code: Mapping[str, str], tests: Mapping[str, str], rules: Sequence[Rule] | None = None
) -> tuple[Covered, ...]:
    """Where each rule stands in `code` and `tests`, both source texts by path.

    A rule is kept where its number stands in a comment or a text of the code, docstrings and declarations of rules
    included; it is tested by a test whose name holds the number, as `test_r7_1_…`. Only whole numbers count: of a
    range the first and the last alone. Raises SyntaxError, IndentationError or tokenize.TokenError: no Python.
    """
    kept: dict[str, list[str]] = {}
    for path, source in sorted(code.items()):
        for number, place in _said(path, source):
            kept.setdefault(number, []).append(place)
    tested: dict[str, list[str]] = {}
    for path, source in sorted(tests.items()):
        for number, place in _named(path, source):
            tested.setdefault(number, []).append(place)
    return tuple(
        Covered(one, tuple(kept.get(one.number, ())), tuple(tested.get(one.number, ())))
        for one in (load_rules() if rules is None else rules)
    )


def unknown_numbers(
    code: Mapping[str, str], tests: Mapping[str, str], rules: Sequence[Rule] | None = None
) -> tuple[tuple[str, str], ...]:
    """Numbers of rules that do not exist, and where they stand: misspelt ones trace nothing."""
    known = {one.number for one in (load_rules() if rules is None else rules)}
    found = [one for path, source in sorted(code.items()) for one in _said(path, source)]
    found += [one for path, source in sorted(tests.items()) for one in _named(path, source)]
    return tuple(one for one in found if one[0] not in known)


def sources_in(root: Path, *folders: str) -> dict[str, str]:
    """The Python sources of a checkout below some of its folders, by path; empty where the folders are not there."""
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
    }


def rule_files() -> dict[str, str]:
    """The texts of all rules files, those of the sources (connectors) among them, by name."""
    found = [*files("hub.rules").iterdir(), *files("connectors").iterdir()]
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in sorted(found, key=lambda one: one.name)
        if file.name.endswith(".toml")
    }


def unconfirmed(texts: Mapping[str, str] | None = None) -> tuple[Unconfirmed, ...]:
    """All rows with a source whose `confirmed_by` is empty or missing, of `texts` by file name, else of the package.

    A dash says that a row needs no confirmation. Raises RulesInvalid: a file is no TOML.
    """
    found: list[Unconfirmed] = []
    for name, text in (rule_files() if texts is None else texts).items():
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RulesInvalid(f"{name}: {error}") from None
        found += _open_rows(name, document, "")
    return tuple(found)


def _open_rows(file: str, value: object, place: str) -> Iterator[Unconfirmed]:
    if isinstance(value, list):
        for number, one in enumerate(value, 1):
            yield from _open_rows(file, one, f"{place} {number}")
    if not isinstance(value, dict):
        return
    source = value.get("source_doc") or value.get("legal_basis")
    if (source or "confirmed_by" in value) and not str(value.get("confirmed_by", "")).strip():
        name = next((str(value[key]) for key in _NAMES if value.get(key) not in (None, "")), "")
        yield Unconfirmed(
            file,
            f"{place.strip() or 'whole file'}{f' ({name})' if name else ''}",
            _day(value, "valid_from", "effective_from"),
            _day(value, "valid_to", "effective_to"),
            str(source or ""),
        )
    for key, one in value.items():
        yield from _open_rows(file, one, f"{place}.{key}" if place else key)


def _day(row: Mapping[str, object], *keys: str) -> date | None:
    return next((day for key in keys if isinstance(day := row.get(key), date)), None)


def _said(path: str, source: str) -> Iterator[tuple[str, str]]:
    """Rule numbers in comments and texts, and where."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (tokenize.STRING, tokenize.COMMENT):
            continue
        for found in _NUMBER.finditer(token.string):
            line = token.start[0] + token.string.count("\n", 0, found.start())
            yield f"R{found[1]}", f"{path}:{line}"


def _named(path: str, source: str) -> Iterator[tuple[str, str]]:
    """Rule numbers in names of tests, and where."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for found in _IN_NAME.finditer(node.name):
                yield f"R{found[1]}.{found[2]}", f"{path}::{node.name}"


def _rule(row: Row) -> Rule:
    number = row.text("number")
    if _NUMBER.fullmatch(number) is None:
        raise RulesInvalid(f"{row.where}: {number} is no number of a rule")
    return Rule(number, row.choice("article", _ARTICLES), row.text("zh"), row.text("en"))


def _point(row: Row) -> OpenPoint:
    return OpenPoint(
        row.number("number"),
        row.text("zh"),
        row.text("en"),
        row.text("applied"),
        row.texts("rows"),
        row.term(),
    )
