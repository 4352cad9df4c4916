"""Rows of law with the days on which they are in force: read strictly from the package's TOML files, found by day."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from itertools import pairwise
from typing import Protocol, TypeVar, cast

from hub.errors import RulesInvalid


@dataclass(frozen=True)
class Term:
    """From when to when a row is in force, both days included (None: no end), by which document, confirmed by whom.

    `confirmed_by` is empty until the department's legal division (法规处) has confirmed the row.
    """

    valid_from: date
    valid_to: date | None
    source_doc: str
    confirmed_by: str

    def covers(self, day: date) -> bool:
        """Whether the row is in force on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Dated(Protocol):
    """Anything that a dated row says."""

    @property
    def term(self) -> Term:
        """When it is in force and where it comes from."""


D = TypeVar("D", bound=Dated)
T = TypeVar("T")
V = TypeVar("V")


class Row:
    """One table of a rules file. Every key must be read once before `done`, so that no misspelt key is ignored."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        """Read `values`; `where` names the table in errors."""
        self._values, self.where = values, where
        self._unread = set(values)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; empty only when `default` is given. Raises RulesInvalid."""
        found = self._take(key, str, default)
        if not found and default is None:
            raise RulesInvalid(f"{self.where}: {key} is empty")
        return found

    def choice(self, key: str, known: Iterable[str]) -> str:
        """A text that is one of `known`. Raises RulesInvalid."""
        found = self.text(key)
        if found not in set(known):
            raise RulesInvalid(f"{self.where}: {key} {found} is unknown")
        return found

    def texts(self, key: str, known: Iterable[str] | None = None) -> tuple[str, ...]:
        """A list of texts, all `known`; empty when the key is left out. Raises RulesInvalid."""
        found = self._take(key, list, [])
        allowed = None if known is None else set(known)
        if not all(isinstance(one, str) and one and (allowed is None or one in allowed) for one in found):
            raise RulesInvalid(f"{self.where}: {key} is no list of known texts")
        return tuple(found)

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number, not negative. Raises RulesInvalid."""
        found = self._take(key, int, default)
        if isinstance(found, bool) or found < 0:
            raise RulesInvalid(f"{self.where}: {key} is no number of 0 or more")
        return found

    def months(self, key: str) -> int | None:
        """A number of months, or None when the key is left out."""
        return self.number(key) if key in self._values else None

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false. Raises RulesInvalid."""
        return self._take(key, bool, default)

    def day(self, key: str) -> date:
        """A day. Raises RulesInvalid."""
        return self._take(key, date, None)

    def optional_day(self, key: str) -> date | None:
        """A day, or None when the key is left out. Raises RulesInvalid."""
        return self.day(key) if key in self._values else None

    def days(self, key: str) -> tuple[date, ...]:
        """A list of days. Raises RulesInvalid."""
        found = self._take(key, list, None)
        if not all(type(one) is date for one in found):
            raise RulesInvalid(f"{self.where}: {key} holds something else than days")
        return tuple(found)

    def numbers(self, key: str) -> Mapping[str, int]:
        """A table of whole numbers by name. Raises RulesInvalid."""
        found = self._take(key, dict, None)
        if not all(type(one) is int and one >= 0 for one in found.values()):
            raise RulesInvalid(f"{self.where}: {key} holds something else than numbers of 0 or more")
        return cast(Mapping[str, int], found)

    def all_texts(self) -> Mapping[str, str]:
        """Every key of the table with its text. Raises RulesInvalid."""
        return {key: self.text(key) for key in self._values}

    def counts(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers. Raises RulesInvalid."""
        found = self._take(key, list, None)
        if not all(type(one) is int and one >= 0 for one in found):
            raise RulesInvalid(f"{self.where}: {key} holds something else than numbers of 0 or more")
        return tuple(found)

    def term(self) -> Term:
        """The four keys that every dated row has. Raises RulesInvalid."""
        begun, ended = self.day("valid_from"), self.optional_day("valid_to")
        if ended is not None and ended < begun:
            raise RulesInvalid(f"{self.where}: ends before it begins")
        return Term(begun, ended, self.text("source_doc"), self.text("confirmed_by", ""))

    def done(self) -> None:
        """Raises RulesInvalid when a key was not read."""
        if self._unread:
            raise RulesInvalid(f"{self.where}: {min(self._unread)} is unknown")

    def _take(self, key: str, kind: type[V], default: V | None) -> V:
        self._unread.discard(key)
        found = self._values.get(key, default)
        if not isinstance(found, kind):
            raise RulesInvalid(f"{self.where}: {key} is missing or not a {kind.__name__}")
        return found


class RuleFile:
    """A rules file of this package, read array by array. Every array and table must be read before `done`."""

    def __init__(self, name: str, text: str | None = None) -> None:
        """Read the file `name` of this package, or `text` in its place. Raises RulesInvalid: no TOML."""
        if text is None:
            text = files("hub.rules").joinpath(name).read_text(encoding="utf-8")
        try:
            self._document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RulesInvalid(f"{name}: {error}") from None
        self._name, self._unread = name, set(self._document)

    def rows(self, key: str, reader: Callable[[Row], T]) -> tuple[T, ...]:
        """The rows of the array of tables `key`, by `reader`. Raises RulesInvalid: none, or one is not whole."""
        self._unread.discard(key)
        listed = self._document.get(key)
        if not isinstance(listed, list) or not listed:
            raise RulesInvalid(f"{self._name}: {key} has no rows")
        found = []
        for number, values in enumerate(listed, 1):
            row = Row(values, f"{self._name}: {key} {number}")
            found.append(reader(row))
            row.done()
        return tuple(found)

    def table(self, key: str, reader: Callable[[Row], T]) -> T:
        """The table `key`, by `reader`. Raises RulesInvalid: there is none, or it is not whole."""
        self._unread.discard(key)
        values = self._document.get(key)
        if not isinstance(values, dict):
            raise RulesInvalid(f"{self._name}: {key} is no table")
        row = Row(values, f"{self._name}: {key}")
        found = reader(row)
        row.done()
        return found

    def done(self) -> None:
        """Raises RulesInvalid when an array or table was not read."""
        if self._unread:
            raise RulesInvalid(f"{self._name}: {min(self._unread)} is unknown")


def in_force(rows: Iterable[D], day: date) -> D | None:
    """The row in force on `day`, None when there is none: what no row allows is not allowed."""
    return next((row for row in rows if row.term.covers(day)), None)


def the_one(rows: Iterable[D], day: date, what: str) -> D:
    """The row in force on `day`. Raises RulesInvalid naming `what` when there is none: law is never guessed."""
    found = in_force(rows, day)
    if found is None:
        raise RulesInvalid(f"no row of {what} is in force on {day}")
    return found


def disjoint(rows: Sequence[D], what: str, key: Callable[[D], object] = lambda row: None) -> None:
    """Raises RulesInvalid when two rows of one `key` are in force on one day."""
    by_key: dict[object, list[Term]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row.term)
    for terms in by_key.values():
        ordered = sorted(terms, key=lambda term: term.valid_from)
        for before, after in pairwise(ordered):
            if before.covers(after.valid_from):
                raise RulesInvalid(f"{what}: two rows are in force on {after.valid_from}")
