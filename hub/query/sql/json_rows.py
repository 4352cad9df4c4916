"""Rows that are JSON: brought along by the hub with the request, or kept in a row of the store. Pure."""

from __future__ import annotations

from collections.abc import Callable

from graphql import GraphQLObjectType, GraphQLType, get_named_type

from hub.query.access import Row
from hub.query.plan import Selected, Variant
from hub.query.relations import TABLES
from hub.query.sql.draft import Draft, Json, json_list
from schema.governance import Shape

_SQL_TYPES = {
    "Int": "int", "Float": "float8", "Boolean": "boolean", "Date": "date", "DateTime": "timestamptz", "Yuan": "numeric",
}  # fmt: skip


class JsonRows:
    """Makes FROM items of JSON, and JSON objects of their rows."""

    def __init__(self, draft: Draft, one: Callable[[Selected, Row], str]) -> None:
        """`one`: SQL of the row of the store that a field reaches from a row."""
        self._draft = draft
        self._one = one

    def brought(self, name: str, field: Selected) -> tuple[str, str]:
        """FROM item of rows that the hub brings along for `field`, and its alias; `ord` keeps their order."""
        alias = self._draft.alias("b")
        return f"{self._recordset(self._draft.brought(name, field.key), field.type_name)} {alias}", alias

    def of_row(self, field: Selected, row: Row) -> str:
        """SQL: the list, or the one object, that `field` shows of a row of the store."""
        target, kept_in = field.rule.target, row.table.name
        if target == "sources":
            source, alias = self.brought(target, field)
            value = self.object(field.variants[0], alias)
            return f"(SELECT {json_list(value.sql, f'{alias}.ord')} FROM {value.source(source)})"
        if kept_in == "case_file":
            return self._kept(field, f"({row.alias}.details->'{target}')", row)
        items = f"{row.alias}.details->'items'" if kept_in == "record" else f"{row.alias}.{target}"
        alias = self._draft.alias("b")
        value = self.object(field.variants[0], alias)
        rows = (
            f"ROWS FROM (jsonb_to_recordset({items}) AS (code text, label text, value text))"
            f" WITH ORDINALITY {alias}(code, label, value, n)"
        )
        return f"(SELECT {json_list(value.sql, f'{alias}.n')} FROM {value.source(rows)})"

    def object(self, variant: Variant, alias: str, about: Row | None = None) -> Json:
        """The JSON object of a row that the hub brought along, or that a row `about` somebody keeps."""
        return self._draft.json_of(variant, lambda field: self._value(field, variant.type_name, alias, about))

    def _value(self, field: Selected, type_name: str, alias: str, about: Row | None) -> str:
        stored = f"{alias}.{field.rule.target}"
        if field.rule.shape is Shape.ROWS:
            return self._kept(field, stored, about)
        if field.rule.shape is Shape.ONE:
            # All that is known of the row is whose it is, as of an identifier.
            return self._one(field, Row(alias, TABLES["identifier"]))
        if field.type_name == "ID":
            said = f"{stored}::text"
            return self._draft.expressions.own_id(about, said) if about else said
        return self._draft.expressions.brought(field.rule, type_name, stored)

    def _kept(self, field: Selected, json: str, about: Row | None) -> str:
        """SQL: the objects that stand in a JSON value: a list of them, or one."""
        alias = self._draft.alias("b")
        value = self.object(field.variants[0], alias, about)
        if not field.is_list:
            one = f"CASE jsonb_typeof({json}) WHEN 'object' THEN jsonb_build_array({json}) END"
            return f"(SELECT {value.sql} FROM {value.source(f'{self._recordset(one, field.type_name)} {alias}')})"
        # Lists that a command has kept stand in their order; rows that the hub brings are numbered.
        numbered = f"(SELECT jsonb_agg(v || jsonb_build_object('ord', n)) FROM jsonb_array_elements({json}) WITH ORDINALITY x(v, n))"
        rows = f"{self._recordset(numbered, field.type_name)} {alias}"
        return f"(SELECT {json_list(value.sql, f'{alias}.ord')} FROM {value.source(rows)})"

    def _recordset(self, json: str, type_name: str) -> str:
        """FROM item of a JSON list of objects that hold what the fields of a type show."""
        declared = self._draft.vocabulary.schema.type_map[type_name]
        assert isinstance(declared, GraphQLObjectType)
        columns = ["ord int", "subject_id bigint", "case_public_id uuid"]
        for name, field in declared.fields.items():
            rule = self._draft.vocabulary.rules[f"{type_name}.{name}"]
            if rule.shape is Shape.COLUMN:
                columns.append(f"{rule.target} {_sql_type(field.type)}")
            elif rule.shape is Shape.ROWS:
                columns.append(f"{rule.target} jsonb")
        return f"(SELECT * FROM jsonb_to_recordset({json}) AS rows({', '.join(columns)}))"


def _sql_type(declared: GraphQLType) -> str:
    sql = _SQL_TYPES.get(get_named_type(declared).name, "text")
    return f"{sql}[]" if "[" in str(declared) else sql
