"""Rows that belong to a row: one of them, or a list. Pure."""

from __future__ import annotations

from dataclasses import replace

from hub.query.access import TRUE, Row, all_of
from hub.query.plan import Selected
from hub.query.relations import ROW_BY_ROW, Relation
from hub.query.sql.draft import Draft, json_list
from hub.query.sql.reach import ObjectOf, Reach, Reached


class Related:
    """Makes the values of fields that reach other rows."""

    def __init__(self, draft: Draft, reach: Reach, object_of: ObjectOf) -> None:
        """`object_of`: a row's JSON object."""
        self._draft = draft
        self._reach = reach
        self._object_of = object_of

    def one(self, field: Selected, parent: Row) -> str:
        """SQL: the row that `field` reaches; of several the last in their order."""
        reached = self._reach.reached(field, parent)
        conditions = all_of([*self._reach.conditions(reached), self._shown(reached)])
        value = self._object_of(field.variants, reached.row)
        source = value.source(self._reach.source(reached))
        last = f" ORDER BY {reached.order(descending=True)} LIMIT 1" if reached.relation.order else ""
        return f"(SELECT {value.sql} FROM {source} WHERE {conditions}{last})"

    def _shown(self, reached: Reached) -> str:
        visibility, field = self._reach.visibility, reached.field
        if reached.relation.table == "subject":
            return visibility.of_subject(reached.row)
        if field.type_name == "Provenance":
            return visibility.of_classes(reached.row, field.rule.classes)
        return visibility.of_types(reached.row, field.types)

    def many(self, field: Selected, parent: Row | None) -> str:
        """SQL: the list of the rows that `field` reaches; null where live sources did not answer in full."""
        reached = self._reach.reached(field, parent)
        relation, row, visibility = reached.relation, reached.row, self._reach.visibility
        shown = visibility.of_types(row, field.types, former=relation.former)
        conditions = all_of([*self._reach.conditions(reached), shown, self._first(reached)])
        value = self._object_of(field.variants, row)
        source = value.source(self._reach.source(reached))
        listed = f"(SELECT {json_list(value.sql, reached.order(relation.descending))} FROM {source} WHERE {conditions})"
        if parent is None or reached.live is None or not reached.live.answered:
            return listed
        if visibility.as_of:
            return "NULL::json"
        answered = self._draft.brought(reached.live.answered)
        return f"(SELECT CASE WHEN {answered} ? {parent.alias}.uscc THEN {listed} END)"

    def _first(self, reached: Reached) -> str:
        """SQL: no row that is shown comes before it of those that agree with it in what tells rows apart."""
        relation, row, visibility = reached.relation, reached.row, self._reach.visibility
        if relation.once is None or not self._draft.view.tells_by((relation.once[1],)):
            return TRUE
        other = replace(row, alias=self._draft.alias("e"))
        same = all_of(
            [
                visibility.version(other, relation),
                relation.join.format(t=other.alias, p=reached.parent.alias if reached.parent else ""),
                f"{other.alias}.{relation.once[0]} = {row.alias}.{relation.once[0]}",
                f"({_columns(other, relation)}) < ({_columns(row, relation)})",
                visibility.of_types(other, reached.field.types, former=relation.former),
            ]
        )
        return f"NOT EXISTS (SELECT FROM {relation.table} {other.alias} WHERE {same}{ROW_BY_ROW}"


def _columns(row: Row, relation: Relation) -> str:
    return ", ".join(f"{row.alias}.{column}" for column in relation.order)
