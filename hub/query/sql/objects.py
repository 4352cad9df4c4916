"""A row of the store as a JSON object, field by field. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from hub.query.access import Row
from hub.query.expressions import is_text
from hub.query.plan import Selected, Typename, Variant
from hub.query.sql.draft import Draft, Json, text
from hub.query.sql.json_rows import JsonRows
from hub.query.sql.pages import Pages
from hub.query.sql.reach import Reach
from hub.query.sql.related import Related
from hub.query.sql.visibility import Visibility
from schema.governance import Shape

# Keys with the SQL of their values: all that is selected of a type.
_Form = tuple[tuple[str, str], ...]


class Objects:
    """Makes JSON objects of rows, and of the rows that their fields reach."""

    def __init__(self, draft: Draft, visibility: Visibility) -> None:
        """`visibility`: of the rows, under the moment asked for."""
        self._draft = draft
        self._expressions = replace(draft.expressions, as_of=visibility.as_of)
        # Under many keys a computed field is the same text, and dear to write.
        self._computed: dict[tuple[str, str, Row], str] = {}
        self.reach = Reach(draft, visibility)
        self.related = Related(draft, self.reach, self.object)
        self.pages = Pages(draft, self.reach, self.object)
        self.json_rows = JsonRows(draft, self.related.one)

    def object(self, variants: Sequence[Variant], row: Row) -> Json:
        """The JSON object of `row`: one form for all concrete types where they agree, else one for each."""
        return self._draft.repeated((row, *variants), lambda: self._object(variants, row))

    def _object(self, variants: Sequence[Variant], row: Row) -> Json:
        written = self._draft.alternatives(lambda variant: self._columns(variant, row), variants)
        forms: dict[_Form, list[str]] = {}
        for variant, columns in zip(variants, written, strict=True):
            forms.setdefault(columns, []).append(variant.type_name)
        fewer = self._of_the_same_keys(forms, row, _texts(variants))
        return self._by_type(fewer, row) if len(fewer) > 1 else self._draft.json_object(next(iter(fewer)))

    def _of_the_same_keys(
        self, forms: Mapping[_Form, Sequence[str]], row: Row, texts: Collection[str]
    ) -> Mapping[_Form, Sequence[str]]:
        """Fewer forms: of those with the same keys one is made, in which the row's type decides key by key.

        For PostgreSQL a column costs little, and an object of its own much. `texts`: keys whose values are texts.
        """
        alike: dict[tuple[str, ...], list[tuple[_Form, Sequence[str]]]] = {}
        for columns, types in forms.items():
            alike.setdefault(tuple(key for key, _ in columns), []).append((columns, types))
        return {
            tuple(
                (key, self._decided([(form[place][1], types) for form, types in group], row, key in texts))
                for place, key in enumerate(keys)
            ): [name for _, types in group for name in types]
            for keys, group in alike.items()
        }

    def _decided(self, values: Sequence[tuple[str, Sequence[str]]], row: Row, plain: bool) -> str:
        """SQL: of several values the one for the row's type. `plain`: all of them are texts."""
        types_of: dict[str, list[str]] = {}
        for sql, types in values:
            types_of.setdefault(sql, []).extend(types)
        if len(types_of) == 1:
            return values[0][0]
        # Else as JSON, because a value and one that is withheld may be of different SQL types. A bare NULL is of none, which
        # to_json does not take.
        one = "{0}" if plain else "to_json({0})"
        cases = "".join(
            f" WHEN {self._draft.is_type(row, types)} THEN {sql if sql == 'NULL' else one.format(sql)}"
            for sql, types in types_of.items()
        )
        return f"CASE{cases} END"

    def _by_type(self, forms: Mapping[_Form, Sequence[str]], row: Row) -> Json:
        """Of several forms the one for the row's type."""
        # What several forms have in common and what reads other rows stands once, in front of them: PostgreSQL
        # prepares every form at each execution, whichever the row then takes.
        seen = Counter(
            sql
            for columns in forms
            for sql in dict.fromkeys(sql for _, sql in columns if sql.startswith("(SELECT"))
        )
        shared = {
            sql: f"v{number}" for number, sql in enumerate(sql for sql, times in seen.items() if times > 1)
        }
        front, cases = self._draft.alias("h"), ""
        listed = ", ".join(f"{sql} AS {name}" for sql, name in shared.items())
        beside = [f"(SELECT {listed} OFFSET 0) {front}"] if shared else []
        # Most subjects are organizations: they are told first.
        for columns, types in sorted(forms.items(), key=lambda form: "Organization" not in form[1]):
            told = [(key, f"{front}.{shared[sql]}" if sql in shared else sql) for key, sql in columns]
            value = self._draft.json_object(told)
            beside += value.beside
            cases += f" WHEN {self._draft.is_type(row, types)} THEN {value.sql}"
        return Json(f"CASE{cases} END", tuple(beside))

    def _columns(self, variant: Variant, row: Row) -> _Form:
        return tuple(
            (field.key, self._type_of(variant, row))
            if isinstance(field, Typename)
            else (field.key, self._value(field, variant.type_name, row))
            for field in variant.fields
        )

    def _type_of(self, variant: Variant, row: Row) -> str:
        """SQL: the row's type; told in the same words in all forms, so that they may agree."""
        entities = self._draft.vocabulary.entities
        entity = entities.get(variant.type_name)
        if entity is None or entity.discriminator is None:
            return text(variant.type_name)
        cases = "".join(
            f" WHEN '{kind}' THEN '{name}'"
            for name, one in entities.items()
            if one.relation == entity.relation and one.discriminator is not None
            for kind in one.discriminator[1]
        )
        return f"CASE {row.alias}.{row.table.kind}{cases} END"

    def _value(self, field: Selected, type_name: str, row: Row, prefix: str = "") -> str:
        """SQL of a field of the row; `prefix`: of the columns of an object that is embedded in it."""
        rule, expressions = field.rule, self._expressions
        if field.coordinate not in self._draft.view.visible:
            return "NULL::text"
        match rule.shape:
            case Shape.COLUMN | Shape.DETAIL:
                return self._leaf(
                    expressions.column(row, rule, type_name, field.type_name, prefix, field.is_list)
                )
            case Shape.COMPUTED:
                place = (field.coordinate, type_name, row)
                if place not in self._computed:
                    self._computed[place] = expressions.computed(row, rule, type_name)
                return self._leaf(self._computed[place])
            case Shape.EMBEDDED:
                value = self._embedded(field, type_name, row)
            case Shape.ROWS:
                # How sources stood at an earlier moment is not kept, and how they stand now says nothing of it.
                then = rule.target == "sources" and bool(expressions.as_of)
                value = "NULL::json" if then else self.json_rows.of_row(field, row)
            case Shape.ONE:
                value = self.related.one(field, row)
            case Shape.MANY:
                value = self.related.many(field, row)
            case Shape.CONNECTION:
                value = self.pages.of_row(field, row)
            case _:
                raise AssertionError(rule.shape)
        return expressions.governed(row, rule, type_name, value)

    def _leaf(self, sql: str) -> str:
        """`sql`, counted at once: a row may have many leaves that are long."""
        self._draft.grow(len(sql))
        return sql

    def _embedded(self, field: Selected, type_name: str, row: Row) -> str:
        """SQL: an object made of columns of the row, whose type decides the classes of all that is in it."""
        prefix = field.rule.target
        return self._draft.json_of(
            field.variants[0], lambda inner: self._value(inner, type_name, row, prefix)
        ).alone


def _texts(variants: Sequence[Variant]) -> frozenset[str]:
    """The keys under which all of `variants` have texts."""
    each = [
        {
            one.key
            for one in variant.fields
            if isinstance(one, Selected) and is_text(one.rule, one.type_name, one.is_list)
        }
        for variant in variants
    ]
    return frozenset(set.intersection(*each))
