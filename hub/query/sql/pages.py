"""A page of rows in an order, with cursors that only this caller's same question takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from hub.query.access import Row, all_of
from hub.query.cursors import sealed
from hub.query.parameters import Conversion, FromRef, Seal
from hub.query.plan import CURSOR, EDGES, PAGE_INFO, Constant, Selected
from hub.query.sql.draft import Draft, Json, column_name
from hub.query.sql.reach import ObjectOf, Reach, Reached

_HAS_NEXT, _HAS_PREVIOUS, _START = "has_next", "has_previous", "start_cursor"
# What a cursor is made of, by the names of the columns that have it of the first row of a page, and of the last one.
_FIRST, _LAST = ("first sort", "first key"), ("sort", "key")


@dataclass(frozen=True)
class _Page:
    """A page while it is written: its rows are read in order, gathered into one row, and told from that."""

    reached: Reached
    descending: bool
    limit: int
    # Whether another page follows is asked: one row more than the page has is read, and tells.
    peeks: bool
    # Alias of the one row.
    gathered: str

    @property
    def row(self) -> Row:
        return self.reached.row

    @cached_property
    def order(self) -> str:
        return self.reached.order(self.descending)

    def array(self, value: str) -> str:
        """SQL: the array of `value` over the rows of the page; NULL where there is none.

        Cut when all is gathered: to number the rows, so that the one too many can be left out, takes longer.
        """
        return self._cut(value, self.limit)

    def recorded(self, value: str) -> str:
        """SQL: the same for the ledger. A page of no rows tells of the one that follows, where that is asked."""
        return self._cut(value, max(self.limit, 1))

    def _cut(self, value: str, most: int) -> str:
        return f"({self._gathered(value)})[:{most}]" if self.peeks else self._gathered(value)

    @property
    def goes_on(self) -> bool:
        """Whether it begins behind a cursor."""
        return self.reached.field.arguments.get("after", Constant(None)) != Constant(None)

    def first(self, column: str) -> str:
        """SQL: what the first row of the page has in `column`, which is SQL over the row."""
        return f"({self._gathered(column)})[{min(self.limit, 1)}]"

    def last(self, column: str) -> str:
        """SQL: what the last row of the page has in `column`, which is SQL over the row."""
        return f"({self._gathered(column)})[least(count(*), {self.limit})]"

    def _gathered(self, value: str) -> str:
        # In the order in which the rows come, so that nothing is sorted again.
        return f"array_agg({value} ORDER BY {self.order})"

    @property
    def seal(self) -> Seal:
        field = self.reached.field
        # The relation, not the coordinate: every type of subject has the same page of records.
        return Seal(
            field.rule.target,
            tuple((name, ref) for name, ref in field.arguments.items() if name not in ("first", "after")),
        )

    def column(self, name: str) -> str:
        """A column of the one row that is ours: it begins with a blank, as no response key does."""
        return f'{self.gathered}." {name}"'


class Pages:
    """Makes the values of connections."""

    def __init__(self, draft: Draft, reach: Reach, object_of: ObjectOf) -> None:
        """`object_of`: a row's JSON object."""
        self._draft = draft
        self._reach = reach
        self._object_of = object_of

    def of_row(self, field: Selected, parent: Row) -> str:
        """SQL: a page of rows that belong to a row."""
        page, rows = self._page(field, parent)
        value, gathered = self._written(page, rows)
        return f"(SELECT {value.sql} FROM {value.source(gathered)})"

    def root(self, field: Selected) -> str:
        """SELECT of a page of rows, browsed without naming a subject, and of whose they are."""
        page, rows = self._page(field, None)
        about = page.recorded(f"{page.row.alias}.subject_id")
        if page.row.table.mixed:
            about = f"array_remove({about}, NULL)"
        more, named = [f'{about} AS " subjects"'], self._draft.named(field, page.column("cases"))
        if named:
            more.append(f'{page.recorded(f"{page.row.alias}.case_id")} AS " cases"')
        value, gathered = self._written(page, rows, *more)
        subjects = f"{page.column('subjects')}{named}"
        return f"SELECT {value.sql} AS value, {subjects} AS subjects FROM {value.source(gathered)}"

    def _page(self, field: Selected, parent: Row | None) -> tuple[_Page, str]:
        """The page, and the FROM item of its rows."""
        reached = self._reach.reached(field, parent)
        row, first = reached.row, field.arguments["first"]
        assert isinstance(first, Constant)
        order = field.arguments.get("orderBy")
        descending = reached.relation.descending if order is None else order != Constant("DECIDED_ON_ASC")
        conditions = self._reach.conditions(reached)
        shown = self._draft.view.schema.type_map
        types = [one for one in self._draft.vocabulary.node_types[field.type_name] if one in shown]
        conditions.append(self._reach.visibility.of_types(row, types, browsing=parent is None))
        page = _Page(
            reached=reached,
            descending=descending,
            limit=int(first.value),
            peeks=any(True for info in _asked(field, PAGE_INFO) for _ in _asked(info, _HAS_NEXT)),
            gathered=self._draft.alias("q"),
        )
        conditions += self._after(page)
        rows = (
            f"SELECT * FROM {self._reach.source(reached)} WHERE {all_of(conditions)}"
            f" ORDER BY {page.order} LIMIT {page.limit + page.peeks}"
        )
        return page, f"({rows}) {row.alias}"

    def _after(self, page: _Page) -> list[str]:
        """SQL: the row stands behind the cursor, if there is one."""
        if not page.goes_on:
            return []
        after = page.reached.field.arguments["after"]
        bind = self._draft.parameters.bind
        sort = bind(FromRef(after, Conversion.CURSOR_SORT, seal=page.seal), "date")
        key = bind(FromRef(after, Conversion.CURSOR_KEY, seal=page.seal), "uuid")
        here = page.reached.by
        there = (sort, key)[-len(here) :]
        return [f"({', '.join(here)}) {'<' if page.descending else '>'} ({', '.join(there)})"]

    def _written(self, page: _Page, rows: str, *more: str) -> tuple[Json, str]:
        """The page's JSON made of its one row, and the FROM item of that row; `more`: columns that it has besides."""
        columns = list(more)

        def told(inner: Selected) -> str:
            if inner.rule.target != EDGES:
                return self._page_info(inner, page)
            nonlocal rows
            name, edge = column_name(inner.key), self._edge(inner, page)
            rows = edge.source(rows)
            columns.append(f"coalesce(array_to_json({page.array(edge.sql)}), '[]') AS {name}")
            return f"{page.gathered}.{name}"

        value = self._draft.json_of(page.reached.field.variants[0], told, "c")
        # The count makes this one row in any case.
        columns.append('count(*) AS " count"')
        # Of the first and the last row of the page, what their cursors are made of, where they are asked for.
        columns += [
            f'{of(column)} AS " {name}"'
            for names, of in ((_FIRST, page.first), (_LAST, page.last))
            for name, column in zip(reversed(names), reversed(page.reached.by), strict=False)
            if page.column(name) in value.alone
        ]
        return value, f"(SELECT {', '.join(columns)} FROM {rows}) {page.gathered}"

    def _edge(self, field: Selected, page: _Page) -> Json:
        beside: list[str] = []

        def told(inner: Selected) -> str:
            if inner.rule.target != CURSOR:
                node = self._object_of(inner.variants, page.row)
                beside.extend(node.beside)
                return node.sql
            return self._cursor(page.reached.by, page)

        edge = self._draft.json_of(field.variants[0], told)
        return Json(edge.sql, (*beside, *edge.beside))

    def _page_info(self, field: Selected, page: _Page) -> str:
        def told(inner: Selected) -> str:
            if inner.rule.target == _HAS_NEXT:
                return f"{page.column('count')} > {page.limit}"
            if inner.rule.target == _HAS_PREVIOUS:
                return str(page.goes_on).lower()
            names = _FIRST if inner.rule.target == _START else _LAST
            return self._cursor(tuple(page.column(name) for name in names[-len(page.reached.by) :]), page)

        return self._draft.json_of(field.variants[0], told).alone

    def _cursor(self, place: tuple[str, ...], page: _Page) -> str:
        """SQL: where a row stands in the order of its page, sealed; `place`: SQL of what that order is of."""
        key = self._draft.parameters.bind(page.seal, "bytea")
        return sealed(place[0] if len(place) > 1 else "", place[-1], key, self._draft.alias("k"))


def _asked(field: Selected, target: str) -> Iterator[Selected]:
    """The fields of this target that are selected right below `field`."""
    for inner in field.variants[0].fields:
        if isinstance(inner, Selected) and inner.rule.target == target:
            yield inner
