"""Which rows a field reaches: the table or what stands for it, the join with the parent's row, the tests asked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.query.access import Row, all_of
from hub.query.live_tables import LIVE, LiveTable
from hub.query.parameters import Conversion, FromRef
from hub.query.plan import Ref, Selected, Test, Variant
from hub.query.relations import RELATIONS, SOUGHT, TABLES, Relation
from hub.query.sql.draft import Draft, Json
from hub.query.sql.visibility import Visibility
from schema.governance import Shape

# The JSON object of a row: the rows that fields reach are objects again (hub.query.sql.objects).
ObjectOf = Callable[[Sequence[Variant], Row], Json]
_OPERATORS = {"eq": "=", "gte": ">=", "lte": "<="}


@dataclass(frozen=True)
class Reached:
    """The rows that a field reaches; `row`: one of them, in the FROM clause."""

    field: Selected
    relation: Relation
    row: Row
    # None where a root field is asked.
    parent: Row | None
    # SQL: what the rows are put in order by, all in one direction; the last is unique.
    by: tuple[str, ...]

    @property
    def live(self) -> LiveTable | None:
        """How rows of live sources stand beside these, where they may."""
        return LIVE.get(self.relation.table) if self.parent is not None else None

    def order(self, descending: bool) -> str:
        """SQL: the order of the rows."""
        return ", ".join(f"{one}{' DESC' if descending else ''}" for one in self.by)


class Reach:
    """Makes FROM items and conditions of the rows that fields reach, within one root field."""

    def __init__(self, draft: Draft, visibility: Visibility) -> None:
        """`visibility`: of the rows, under the moment asked for."""
        self._draft = draft
        self.visibility = visibility

    def reached(self, field: Selected, parent: Row | None) -> Reached:
        """What the field reaches from the row of its parent."""
        target, alias = field.rule.target, self._draft.alias("t")
        sought = (SOUGHT[target, test.column] for test in field.tests if (target, test.column) in SOUGHT)
        relation = RELATIONS[next(sought, target)]
        subject = ""
        if relation.table == "subject":
            subject = alias
        elif parent is not None and parent.table.name == "subject":
            subject = parent.alias
        by = tuple(f"{alias}.{column}" for column in relation.order)
        # Which row of several counts (`ONE`) is no order of theirs that anybody is shown.
        if field.rule.shape is not Shape.ONE and not self._draft.view.tells_by(relation.tells):
            by = (relation.blind.format(t=alias),)
        return Reached(field, relation, Row(alias, TABLES[relation.table], subject), parent, by)

    def source(self, reached: Reached) -> str:
        """FROM item of the rows, those of live sources among them."""
        table, alias = reached.relation.table, reached.row.alias
        if table == "subject":
            return f"{self.visibility.subjects()} {alias}"
        # Live sources say what holds now: of an earlier moment they say nothing.
        if reached.live is None or reached.parent is None or self.visibility.as_of:
            return f"{table} {alias}"
        return f"({self._with_live(table, reached.live, reached.parent)}) {alias}"

    def _with_live(self, table: str, live: LiveTable, subject: Row) -> str:
        rows, whose = self._draft.brought(live.rows), f"{subject.alias}.subject_id"
        declared = ", ".join(["uscc text", *(f"{name} {kind}" for name, kind in live.columns.items())])
        listed = ", ".join(("subject_id", *live.columns))
        taken = ", ".join(
            (whose if live.stored else f"{whose} AS subject_id", *(f"m.{c}" for c in live.columns))
        )
        stored = f"SELECT {listed} FROM {table} WHERE subject_id = {whose} UNION ALL " if live.stored else ""
        return (
            f"{stored}SELECT {taken} FROM jsonb_to_recordset({rows}) AS m({declared})"
            f" WHERE m.uscc = {subject.alias}.uscc"
        )

    def conditions(self, reached: Reached) -> list[str]:
        """SQL: which rows they are; not whether they are shown."""
        row, relation, parent = reached.row, reached.relation, reached.parent
        conditions = [self.visibility.version(row, relation)]
        if relation.join:
            conditions.append(relation.join.format(t=row.alias, p=parent.alias if parent else ""))
        return [*conditions, *(self._test(test, row) for test in reached.field.tests)]

    def _test(self, test: Test, row: Row) -> str:
        column, bind = f"{row.alias}.{test.column}", self._draft.parameters.bind
        if test.operator == "counted_in":
            return self._counted_in(test.value, row)
        if test.operator == "in":
            listed = bind(FromRef(test.value), "text[]")
            among = f"{column} = ANY ({listed})"
            # For one of them, which is usual, an index gives the rows in the order of their days.
            one = f"({column} = ({listed})[1] OR cardinality({listed}) > 1 AND {among})"
            return one if test.column == "catalog_item_code" else among
        value, sql_type = FromRef(test.value), "text"
        if column.endswith("_amount"):
            value, sql_type = FromRef(test.value, Conversion.DECIMAL), "numeric"
        elif column.endswith("_on"):
            sql_type = "date"
        compared = f"{column} {_OPERATORS[test.operator]} {bind(value, sql_type)}"
        # Says nothing more, but PostgreSQL knows how many rows of which kind it holds for (st_record_terms).
        return f"num_nulls({column}) = 0 AND {compared}" if test.column == "fine_amount" else compared

    def _counted_in(self, value: Ref, row: Row) -> str:
        """R18.3: a figure (number/code) of a report that the caller sees counts the case; told by its last pre-filling."""
        figure = self._draft.parameters.bind(FromRef(value), "text")
        report = Row(self._draft.alias("q"), TABLES["case_file"])
        q = report.alias
        counted = (
            f"(SELECT e.payload->'counted'->split_part({figure}, '/', 2) FROM case_event e WHERE e.case_id = {q}.case_id"
            " AND e.transition = 'prefill' ORDER BY e.event_id DESC LIMIT 1)"
        )
        told = all_of(
            [
                f"{q}.mechanism = 'QUARTERLY_REPORT'",
                f"{q}.number = split_part({figure}, '/', 1)",
                self.visibility.of_classes(report, ("D43",)),
            ]
        )
        return (
            f"{row.alias}.public_id IN (SELECT x.id::uuid FROM case_file {q},"
            f" jsonb_array_elements_text({counted}) x(id) WHERE {told})"
        )
