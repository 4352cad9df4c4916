"""The parameters of a statement: where each value comes from when a request binds it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.query.plan import Ref

# Schemes of the vocabulary under which natural persons stand: only digests of their values are in the store, they match
# persons only, and are never answered.
PERSON_SCHEMES: Final = frozenset({"RESIDENT_ID", "PASSPORT"})

_PLACEHOLDER = re.compile(r"\$(\d+)::")


class Context(StrEnum):
    """What every request brings along beside its variables."""

    TODAY = "TODAY"  # calendar date in Asia/Shanghai
    NOW = "NOW"
    PARTNER = "PARTNER"
    ID_KEY = "ID_KEY"  # seals ids of what is about natural persons, for the partner's class
    REGIONS = "REGIONS"
    SELF = "SELF"  # code of the authenticated subject
    OWN_SOURCE = "OWN_SOURCE"
    PURPOSE = "PURPOSE"
    UNVOUCHED = "UNVOUCHED"  # data classes of which no “no” can be said, as some source of theirs is missing
    UNVOUCHED_BY_SOURCE = "UNVOUCHED_BY_SOURCE"  # each with a source that is missing: "D10 CREDIT_PLATFORM"


class Conversion(StrEnum):
    """What is done to a value before it is bound."""

    NONE = "NONE"
    IDENTIFIER = "IDENTIFIER"  # folded, checked, digested where it is a person's
    ID_LETTER = "ID_LETTER"  # table letter of an opaque id
    ID_UUID = "ID_UUID"  # the id itself, or null
    ID_OPENED = "ID_OPENED"  # the id that stands behind it if it is sealed for this partner class, or null
    CURSOR_KEY = "CURSOR_KEY"  # last order column of a verified cursor
    CURSOR_SORT = "CURSOR_SORT"  # first order column of a verified cursor
    DECIMAL = "DECIMAL"
    PAST = "PAST"  # a moment that has come


@dataclass(frozen=True)
class Seal:
    """The page that a cursor belongs to; its key is of this partner, this view and these arguments."""

    relation: str
    arguments: tuple[tuple[str, Ref], ...]


@dataclass(frozen=True)
class FromRef:
    """A value of the document or of a variable."""

    ref: Ref
    conversion: Conversion = Conversion.NONE
    # The scheme of an identifier.
    scheme: str = ""
    # The page of a cursor.
    seal: Seal | None = None


@dataclass(frozen=True)
class FromContext:
    """A value of the request's context."""

    name: Context


@dataclass(frozen=True)
class FromRows:
    """Rows that the hub brings along, as JSON: live answers, explanations, candidates. `key`: the asking field."""

    name: str
    key: str


@dataclass(frozen=True)
class FromCommand:
    """The public ids of what the command under the response key `key` made."""

    key: str


Source = FromRef | FromContext | FromRows | FromCommand | Seal


@dataclass
class Parameters:
    """Numbers the parameters of a statement; one number for one source and type."""

    sources: list[tuple[Source, str]] = field(default_factory=list)

    def bind(self, source: Source, sql_type: str) -> str:
        """The placeholder of `source`, with its type."""
        for number, (known, known_type) in enumerate(self.sources, 1):
            if known_type == sql_type and known == source:
                return f"${number}::{sql_type}"
        self.sources.append((source, sql_type))
        return f"${len(self.sources)}::{sql_type}"

    def context(self, name: Context, sql_type: str) -> str:
        """The placeholder of a value of the request's context."""
        return self.bind(FromContext(name), sql_type)

    def used_in(self, sql: str) -> tuple[str, tuple[Source, ...]]:
        """`sql` with its placeholders numbered anew, and the sources it really uses.

        Predicates that turned out to be constant leave placeholders behind, and PostgreSQL counts those it is given.
        """
        numbers: dict[int, int] = {}

        def renumbered(placeholder: re.Match[str]) -> str:
            old = int(placeholder[1])
            return f"${numbers.setdefault(old, len(numbers) + 1)}::"

        text = _PLACEHOLDER.sub(renumbered, sql)
        return text, tuple(self.sources[old - 1][0] for old in numbers)
