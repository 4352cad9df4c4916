"""What the parts of a statement share while it is written: names, parameters, rights, and bits of SQL text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hub.query.access import Access, Row, all_of, held, quoted, subject_row
from hub.query.document import exceeded
from hub.query.expressions import Expressions
from hub.query.parameters import FromRows, Parameters
from hub.query.plan import Selected, Typename, Variant
from hub.query.relations import NAMED, TABLES, TARGETS
from hub.rights.view import View

Form = TypeVar("Form")
Written = TypeVar("Written")
# Response keys with the SQL of their values, in the order of the answer.
Columns = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Json:
    """SQL of a JSON value made of a row, and the FROM items that it needs beside the row's own.

    PostgreSQL dissolves such an item into the expression, where a sub-select in the expression would be run anew
    for each row.
    """

    sql: str
    beside: tuple[str, ...]

    @property
    def alone(self) -> str:
        """SQL: the value as an expression of its own."""
        return f"(SELECT {self.sql} FROM {_listed(self.beside)})"

    def source(self, rows: str) -> str:
        """The FROM clause of the value; `rows`: the FROM item of the row it is made of."""
        return f"{rows}, {_listed(self.beside)}"


class Draft:
    """One statement under way."""

    def __init__(self, view: View, longest: int) -> None:
        """`view`: all that the statement may show; `longest`: the most characters of SQL that it may be."""
        self.view = view
        self.vocabulary = view.vocabulary
        self.parameters = Parameters()
        self.access = Access(view, self.parameters)
        self.expressions = Expressions(view, self.access, self.parameters)
        self._aliases = 0
        self._longest = longest
        # Characters written so far; of alternatives those of the longest, until it is known what they have in common.
        self._length = 0
        # By the last alias and what was asked: what was made, and the last alias then.
        self._repeated: dict[tuple[int, Hashable], tuple[Json, int]] = {}

    def alias(self, letter: str) -> str:
        """A new name for a row."""
        self._aliases += 1
        # No response key has a dollar sign in it: a column called like a row would be taken in its place.
        return f"{letter}{self._aliases}$"

    def alternatives(self, write: Callable[[Form], Written], forms: Iterable[Form]) -> list[Written]:
        """What `write` makes of each of `forms`, of which a row takes one: all begin with the same alias.

        So forms that select the same are the same text.
        """
        start = most = self._aliases
        length = longest = self._length
        written = []
        for form in forms:
            self._aliases, self._length = start, length
            written.append(write(form))
            most, longest = max(most, self._aliases), max(longest, self._length)
        self._aliases, self._length = most, longest
        return written

    def repeated(self, asked: Hashable, write: Callable[[], Json]) -> Json:
        """What `write` makes of what is `asked`, made once where it is asked anew behind the same alias.

        It is then the same text: another alternative has come to the same place. Raises LimitExceeded as soon as
        what is written is too long.
        """
        place = (self._aliases, asked)
        known = self._repeated.get(place)
        if known is None:
            before = self._length
            made = write()
            # What stands within it was counted while it was written.
            self._length = before
            self.grow(len(made.sql) + sum(map(len, made.beside)))
            known = self._repeated[place] = made, self._aliases
        made, self._aliases = known
        return made

    def grow(self, length: int) -> None:
        """Count characters that the statement has more; raises LimitExceeded when these are too many."""
        self._length += length
        self.within(self._length)

    def within(self, length: int) -> None:
        """Refuse SQL of more characters than the statement may have."""
        if length > self._longest:
            raise exceeded("statement", self._longest)

    def subject(self) -> Row:
        """A new row of a subject."""
        return subject_row(self.alias("s"))

    def brought(self, name: str, key: str = "") -> str:
        """The placeholder of rows that the hub brings along; `key`: the field that asks, where each has its own."""
        return self.parameters.bind(FromRows(name, key), "jsonb")

    def named(self, field: Selected, cases: str) -> str:
        """SQL that adds to the ids of a root's subjects those whom its cases, an array of ids, name or show in what is asked."""
        asked = dict.fromkeys(one.coordinate for one in field.below() if one.coordinate in NAMED | TARGETS)
        if not asked:
            return ""
        c, n = self.alias("c"), self.alias("n")
        named = " UNION ".join(
            NAMED[one].format(t=c) if one in NAMED else self._target(*TARGETS[one], c) for one in asked
        )
        return f" || ARRAY(SELECT {n}.subject_id FROM case_file {c}, LATERAL ({named}) {n} WHERE {c}.case_id = ANY ({cases}))"

    def _target(self, table: str, which: str, case: str) -> str:
        """SELECT of whose the row of `table` is that a case shows, where it is shown."""
        row = Row(self.alias("y"), TABLES[table])
        shown = self.access.visible(row, self.vocabulary.classes_of(table))
        conditions = all_of([which.format(y=row.alias, t=case), held(row), shown])
        return f"SELECT {row.alias}.subject_id FROM {table} {row.alias} WHERE {conditions}"

    def json_object(self, columns: Columns, letter: str = "o") -> Json:
        """The JSON object of `columns`."""
        alias = self.alias(letter)
        listed = ", ".join(f"{sql} AS {column_name(key)}" for key, sql in columns)
        return Json(f"row_to_json({alias})", (f"(SELECT {listed}) {alias}",))

    def json_of(self, variant: Variant, value: Callable[[Selected], str], letter: str = "o") -> Json:
        """The JSON object of what is selected of one type, each field as `value` says."""
        return self.json_object(
            [
                (field.key, text(variant.type_name) if isinstance(field, Typename) else value(field))
                for field in variant.fields
            ],
            letter,
        )

    def is_type(self, row: Row, types: Iterable[str]) -> str:
        """SQL: the row is of one of `types`, which share a table."""
        kinds: list[str] = []
        for name in types:
            only = self.vocabulary.entities[name].discriminator
            assert only is not None
            kinds += only[1]
        return f"{row.alias}.{row.table.kind} IN ({quoted(kinds)})"


def column_name(key: str) -> str:
    """A response key as an SQL name. GraphQL names have no quotes in them."""
    return f'"{key}"'


def text(name: str) -> str:
    """SQL: a name of the vocabulary as a text."""
    return f"'{name}'::text"


def json_list(value: str, order: str) -> str:
    """SQL: the JSON list of `value` over the rows selected."""
    return f"coalesce(json_agg({value} ORDER BY {order}), '[]')"


def _listed(items: Iterable[str]) -> str:
    return ", ".join(f"LATERAL {item}" for item in items)
