"""Plan → one SQL statement that returns the whole `data` as JSON, and whose data it discloses. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphql import GraphQLObjectType, GraphQLType, get_named_type

from hub.query.access import FALSE, TRUE, Access, Row, all_of
from hub.query.expressions import Expressions
from hub.query.livefacts import LIVE
from hub.query.parameters import (
    Context,
    Conversion,
    FromCommand,
    FromContext,
    FromRef,
    FromRows,
    Parameters,
    Seal,
    Source,
)
from hub.query.plan import CURSOR, EDGES, NODE, PAGE_INFO, Constant, Plan, Ref, Selected, Typename, Variant
from hub.query.relations import ALL_VERSIONS, RELATIONS, TABLES, Relation
from hub.rights.policy import Level
from hub.rights.view import View
from schema.governance import HOLDER, Shape

OPERATORS = {"eq": "=", "gte": ">=", "lte": "<="}
SQL_TYPES = {
    "Int": "int", "Float": "float8", "Boolean": "boolean", "Date": "date", "DateTime": "timestamptz", "Yuan": "numeric",
}  # fmt: skip
# Rows that the hub brings along, each about one subject.
NAMED = ("check_verification", "repair_outlook")
# Numbers of natural persons match persons only; the other schemes hold rows of these classes.
PERSON_SCHEMES = ("RESIDENT_ID", "PASSPORT")
IDENTIFIER_CLASSES = ("D1", "D3")


# What the roots are joined to.
_ONE = "(SELECT) one"


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters: one row, `data` as JSON text and `subjects`, the ids of the subjects disclosed."""

    sql: str
    parameters: Sequence[Source]
    # Names of the rows that the hub must bring along: (name, response path of the asking field).
    rows: tuple[FromRows, ...]
    # The same for many keys at once, a row for each with its place `ord`, where the only root is one subject by a
    # key and nothing else is each request's own; else empty. `merged_key`: which parameter the key is, from 0.
    merged_sql: str = ""
    merged_key: int = 0


@dataclass(frozen=True)
class _Root:
    """One root field: SQL that returns `value` and `subjects`."""

    key: str
    sql: str


def compile_plan(plan: Plan) -> Statement:
    """The statement of `plan`."""
    return _Compiler(plan).compile()


class _Compiler:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._view: View = plan.view
        self._schema = plan.view.vocabulary.schema
        self._parameters = Parameters()
        self._access = Access(plan.view, self._parameters)
        self._expressions = Expressions(plan.view, self._access, self._parameters)
        self._count = 0
        self._rows: list[FromRows] = []
        # Placeholder of the moment whose knowledge is asked for, within a root that names one.
        self._as_of = ""
        # What a root `subject` looks for.
        self._key: Source | None = None

    def compile(self) -> Statement:
        roots = [
            _Root(root.key, self._typename(root) if isinstance(root, Typename) else self._root(root))
            for root in self._plan.roots
        ]
        laterals = "".join(
            f" LEFT JOIN LATERAL ({root.sql}) r{number} ON TRUE" for number, root in enumerate(roots)
        )
        values = ", ".join(f"r{number}.value AS {_name(root.key)}" for number, root in enumerate(roots))
        subjects = " || ".join(f"coalesce(r{number}.subjects, '{{}}')" for number in range(len(roots)))
        sql = (
            f"SELECT row_to_json(d$) AS data, {subjects or 'NULL::bigint[]'} AS subjects"
            f" FROM {_ONE}{laterals} CROSS JOIN LATERAL (SELECT {values}) d$"
        )
        text, sources = self._parameters.used_in(sql)
        rows = tuple(one for one in self._rows if one in sources)
        if self._key is None or self._key not in sources or not self._mergeable(sources):
            return Statement(text, sources, rows)
        place = sources.index(self._key)
        return Statement(text, sources, rows, _for_many(text, place + 1), place)

    def _mergeable(self, sources: Sequence[Source]) -> bool:
        """Whether requests of this plan are likely to differ in their key alone: no two share a moment, or rows."""
        return len(self._plan.roots) == 1 and not any(
            isinstance(one, FromRows) or one == FromContext(Context.NOW) for one in sources
        )

    def _alias(self, letter: str) -> str:
        self._count += 1
        # No response key has a dollar sign in it: a column called like a row would be taken in its place.
        return f"{letter}{self._count}$"

    def _typename(self, _: Typename) -> str:
        return f"SELECT '{self._plan.root_type}'::text AS value, NULL::bigint[] AS subjects"

    # ---- roots -------------------------------------------------------------------------------------------------

    def _root(self, field: Selected) -> str:
        as_of = field.arguments.get("asOf", Constant(None))
        self._as_of = "" if as_of == Constant(None) else self._parameters.bind(FromRef(as_of), "timestamptz")
        try:
            match field.rule.target:
                case "subject":
                    return self._subject(field)
                case "subjects":
                    return self._subjects(field)
                case "node":
                    return self._node(field)
                case "records" | "list_entries" | "cases":
                    return self._connection_root(field)
                case "case":
                    return self._one_root(field)
                case "credit_lists":
                    rows = self._many(field, None)
                    return f"SELECT {rows} AS value, NULL::bigint[] AS subjects"
                case _ if field.rule.shape is Shape.COMMAND:
                    return self._made(field)
                case _:
                    return self._rows_root(field)
        finally:
            self._as_of = ""

    def _subject(self, field: Selected) -> str:
        alias = self._alias("s")
        row = Row(alias, TABLES["subject"], alias)
        scheme = field.arguments["scheme"]
        assert isinstance(scheme, Constant)
        self._key = FromRef(field.arguments["value"], Conversion.IDENTIFIER, str(scheme.value))
        key = self._parameters.bind(self._key, "text")
        if scheme.value == "USCC":
            found = f"{alias}.uscc = {key}"
        else:
            i = self._alias("i")
            # A person's number finds the person alone; any other, whoever may be told that it is the subject's.
            told = self._access.classes(Row(i, TABLES["identifier"]), IDENTIFIER_CLASSES, Level.YES_NO)
            person = scheme.value in PERSON_SCHEMES
            match = all_of([f"{i}.scheme = '{scheme.value}'", f"{i}.value = {key}", TRUE if person else told])
            found = all_of(
                [
                    f"{alias}.kind = 'NATURAL_PERSON'" if person else TRUE,
                    f"{alias}.subject_id = (SELECT {i}.subject_id FROM identifier {i} WHERE {match})",
                ]
            )
        return (
            f"SELECT {self._object(field.variants, row)} AS value, ARRAY[{alias}.subject_id] AS subjects"
            f" FROM {self._subject_table()} {alias} WHERE {all_of([found, self._subject_visible(row)])}"
        )

    def _subjects(self, field: Selected) -> str:
        alias, k, v = self._alias("s"), self._alias("k"), self._alias("v")
        row = Row(alias, TABLES["subject"], alias)
        codes = self._parameters.bind(FromRef(field.arguments["codes"]), "text[]")
        return (
            f"SELECT coalesce(json_agg({v}.value ORDER BY {k}.ord), '[]') AS value,"
            f" array_agg({v}.subject_id) FILTER (WHERE {v}.subject_id IS NOT NULL) AS subjects"
            # The sub-select hides the array's length from the planner, so that it makes one plan for all lengths.
            f" FROM unnest((SELECT {codes})) WITH ORDINALITY {k}(code, ord) LEFT JOIN LATERAL"
            f" (SELECT {self._object(field.variants, row)} AS value, {alias}.subject_id"
            f" FROM {self._subject_table()} {alias}"
            f" WHERE {all_of([f'{alias}.uscc = {k}.code', self._subject_visible(row)])}) {v} ON TRUE"
        )

    def _node(self, field: Selected) -> str:
        ref = FromRef(field.arguments["id"], Conversion.ID_LETTER)
        letter = self._parameters.bind(ref, "text")
        plain = self._parameters.bind(FromRef(field.arguments["id"], Conversion.ID_UUID), "uuid")
        opened = self._parameters.bind(FromRef(field.arguments["id"], Conversion.ID_OPENED), "uuid")
        branches = []
        for relation in ("subject", "record", "list_entry"):
            variants = self._variants_of(field.variants, relation)
            if not variants:
                continue
            alias = self._alias("n")
            row = Row(alias, TABLES[relation], alias if relation == "subject" else "")
            shown = self._subject_visible(row) if relation == "subject" else self._visible(row, variants)
            branches.append(
                f"SELECT {self._object(variants, row)} AS value, ARRAY[{alias}.subject_id] AS subjects"
                f" FROM {relation} {alias} WHERE "
                + all_of(
                    [
                        f"{letter} = '{TABLES[relation].letter}'",
                        self._expressions.is_called(row, plain, opened),
                        f"{alias}.superseded_at IS NULL" if row.table.fact else TRUE,
                        shown,
                    ]
                )
            )
        return " UNION ALL ".join(branches) or "SELECT NULL::json AS value, NULL::bigint[] AS subjects"

    def _one_root(self, field: Selected) -> str:
        """One row of a relation without a parent, by the arguments that filter."""
        relation, row = self._target(field, None)
        conditions = [*self._conditions(field, relation, row, None), self._visible(row, field.variants)]
        return (
            f"SELECT {self._object(field.variants, row)} AS value, {_subject_of(row)} AS subjects"
            f" FROM {relation.table} {row.alias} WHERE {all_of(conditions)}"
        )

    def _made(self, field: Selected) -> str:
        """What a command made, as far as its caller may see it: rows of the store, or rows that it brought along."""
        entity = self._view.vocabulary.entities[self._view.vocabulary.possible(field.type_name)[0]]
        if entity.relation not in TABLES:
            return self._rows_root(field)
        row = Row(self._alias("t"), TABLES[entity.relation])
        ids, n = self._parameters.bind(FromCommand(field.key), "uuid[]"), self._alias("n")
        value = self._object(field.variants, row)
        subjects = f"array_agg({row.alias}.subject_id) FILTER (WHERE {row.alias}.subject_id IS NOT NULL)"
        if not field.is_list:
            value, subjects = f"{value} AS value", _subject_of(row)
        else:
            value = f"coalesce(json_agg({value} ORDER BY {n}.ord), '[]') AS value"
        conditions = [
            f"{row.alias}.public_id = {n}.id",
            f"{row.alias}.superseded_at IS NULL" if row.table.fact else TRUE,
            self._visible(row, field.variants),
        ]
        return (
            f"SELECT {value}, {subjects} AS subjects FROM unnest({ids}) WITH ORDINALITY {n}(id, ord)"
            f" JOIN {entity.relation} {row.alias} ON {all_of(conditions)}"
        )

    def _connection_root(self, field: Selected) -> str:
        return self._connection(field, None, as_root=True)

    def _rows_root(self, field: Selected) -> str:
        command = field.rule.shape is Shape.COMMAND
        source, alias = self._brought("command" if command else field.rule.target, field)
        variant = field.variants[0]
        subjects, shown = "NULL::bigint[]", ""
        if command or field.rule.target in NAMED:
            one = f"ARRAY[{alias}.subject_id]"
            subjects = f"array_agg({alias}.subject_id)" if field.is_list else one
            subjects = f"array_remove({subjects}, NULL)"
        if field.rule.target == "candidates":
            alias_s = self._alias("s")
            row = Row(alias_s, TABLES["subject"], alias_s)
            shown = (
                f" WHERE EXISTS (SELECT FROM subject {alias_s} WHERE {alias_s}.subject_id = {alias}.subject_id"
                f" AND {self._subject_visible(row)})"
            )
            subjects = f"array_agg({alias}.subject_id)"
        value = self._plain(variant, alias)
        if not field.is_list:
            return f"SELECT {value} AS value, {subjects} AS subjects FROM {source}{shown}"
        return (
            f"SELECT coalesce(json_agg({value} ORDER BY {alias}.ord), '[]') AS value, {subjects} AS subjects"
            f" FROM {source}{shown}"
        )

    # ---- rows brought along ------------------------------------------------------------------------------------

    def _brought(self, name: str, field: Selected) -> tuple[str, str]:
        """FROM item of rows that the hub brings along for `field`, and its alias; `ord` keeps their order."""
        rows = FromRows(name, field.key)
        if rows not in self._rows:
            self._rows.append(rows)
        alias = self._alias("b")
        return f"{self._recordset(self._parameters.bind(rows, 'jsonb'), field.type_name)} {alias}", alias

    def _recordset(self, json: str, type_name: str) -> str:
        named = self._schema.type_map[type_name]
        columns = ["ord int", "subject_id bigint", "case_public_id uuid"]
        for name, definition in named.fields.items():  # type: ignore[attr-defined]
            rule = self._view.vocabulary.rules[f"{type_name}.{name}"]
            if rule.shape is Shape.COLUMN:
                columns.append(f"{rule.target} {_sql_type(definition.type)}")
            elif rule.shape is Shape.ROWS:
                columns.append(f"{rule.target} jsonb")
        return f"(SELECT * FROM jsonb_to_recordset({json}) AS rows({', '.join(columns)}))"

    def _plain(self, variant: Variant, alias: str, about: Row | None = None) -> str:
        """JSON object of a row that the hub brought along, or that a row `about` somebody keeps."""
        columns = []
        for field in variant.fields:
            if isinstance(field, Typename):
                columns.append((field.key, f"'{variant.type_name}'::text"))
            elif field.rule.shape is Shape.ROWS:
                columns.append((field.key, self._kept(field, f"{alias}.{field.rule.target}", about)))
            elif field.rule.shape is Shape.ONE:
                columns.append((field.key, self._one(field, Row(alias, TABLES["identifier"]))))
            elif field.type_name == "ID":
                said = f"{alias}.{field.rule.target}::text"
                columns.append((field.key, self._expressions.own_id(about, said) if about else said))
            else:
                value = f"{alias}.{field.rule.target}"
                columns.append((field.key, self._expressions.brought(field.rule, variant.type_name, value)))
        return _json(columns, self._alias("o"))

    def _kept(self, field: Selected, json: str, about: Row | None) -> str:
        """Objects that stand in a JSON value: a list of them, or one."""
        inner = self._alias("b")
        value = self._plain(field.variants[0], inner, about)
        if not field.is_list:
            one = f"CASE jsonb_typeof({json}) WHEN 'object' THEN jsonb_build_array({json}) END"
            return f"(SELECT {value} FROM {self._recordset(one, field.type_name)} {inner})"
        # Lists that a command has kept stand in their order; rows that the hub brings are numbered.
        numbered = f"(SELECT jsonb_agg(v || jsonb_build_object('ord', n)) FROM jsonb_array_elements({json}) WITH ORDINALITY x(v, n))"
        source = self._recordset(numbered, field.type_name)
        return f"(SELECT coalesce(json_agg({value} ORDER BY {inner}.ord), '[]') FROM {source} {inner})"

    # ---- objects -----------------------------------------------------------------------------------------------

    def _object(self, variants: Sequence[Variant], row: Row, prefix: str = "") -> str:
        """JSON object of `row`: one form for all concrete types where they agree, else one for each."""
        forms: dict[tuple[tuple[str, str], ...], list[str]] = {}
        start = most = self._count
        for variant in variants:
            self._count = start
            forms.setdefault(self._columns(variant, row, prefix), []).append(variant.type_name)
            most = max(most, self._count)
        self._count = most
        if len(forms) == 1:
            return _json(next(iter(forms)), self._alias("o"))
        # What several forms have in common and what reads other rows stands once, in front of them: PostgreSQL
        # prepares every form at each execution, whichever the row then takes.
        seen = Counter(
            sql for columns in forms for sql in {sql for _, sql in columns if sql.startswith("(SELECT")}
        )
        shared = {
            sql: f"v{number}" for number, sql in enumerate(sql for sql, times in seen.items() if times > 1)
        }
        h = self._alias("h")
        cases = "".join(
            f" WHEN {self._is_type(row, types)} THEN "
            + _json(
                [(key, f"{h}.{shared[sql]}" if sql in shared else sql) for key, sql in columns],
                self._alias("o"),
            )
            # Most subjects are organizations: they are told first.
            for columns, types in sorted(forms.items(), key=lambda one: "Organization" not in one[1])
        )
        if not shared:
            return f"CASE{cases} END"
        front = ", ".join(f"{sql} AS {name}" for sql, name in shared.items())
        return f"(SELECT CASE{cases} END FROM (SELECT {front} OFFSET 0) {h})"

    def _is_type(self, row: Row, types: Iterable[str]) -> str:
        values: list[str] = []
        for name in types:
            only = self._view.vocabulary.entities[name].discriminator
            assert only is not None
            values += only[1]
        return f"{row.alias}.{row.table.kind} IN ({', '.join(repr(value) for value in values)})"

    def _columns(self, variant: Variant, row: Row, prefix: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (field.key, self._type_of(variant, row))
            if isinstance(field, Typename)
            else (field.key, self._field(field, variant.type_name, row, prefix))
            for field in variant.fields
        )

    def _type_of(self, variant: Variant, row: Row) -> str:
        entity = self._view.vocabulary.entities.get(variant.type_name)
        if entity is None or entity.discriminator is None:
            return f"'{variant.type_name}'::text"
        same = [
            (name, one.discriminator[1])
            for name, one in self._view.vocabulary.entities.items()
            if one.relation == entity.relation and one.discriminator is not None
        ]
        cases = "".join(f" WHEN '{value}' THEN '{name}'" for name, values in same for value in values)
        return f"CASE {row.alias}.{row.table.kind}{cases} END"

    def _field(self, field: Selected, type_name: str, row: Row, prefix: str) -> str:
        rule = field.rule
        if field.coordinate not in self._view.visible:
            return "NULL::text"
        match rule.shape:
            case Shape.COLUMN | Shape.DETAIL:
                return self._expressions.column(row, rule, type_name, field.type_name, prefix, field.is_list)
            case Shape.COMPUTED:
                return self._expressions.computed(row, rule, type_name)
            case Shape.EMBEDDED:
                return self._embedded(field, type_name, row)
            case Shape.ROWS:
                return self._nested_rows(field, type_name, row)
            case Shape.ONE:
                return self._expressions.governed(row, rule, type_name, self._one(field, row))
            case Shape.MANY:
                return self._expressions.governed(row, rule, type_name, self._many(field, row))
            case Shape.CONNECTION:
                return self._expressions.governed(row, rule, type_name, self._connection(field, row))
        raise AssertionError(rule.shape)

    def _embedded(self, field: Selected, type_name: str, row: Row) -> str:
        variant = field.variants[0]
        columns = []
        for inner in variant.fields:
            if isinstance(inner, Typename):
                columns.append((inner.key, f"'{variant.type_name}'::text"))
            elif inner.coordinate not in self._view.visible:
                columns.append((inner.key, "NULL::text"))
            elif inner.rule.shape is Shape.COMPUTED:
                # A summary is computed for the subject it is embedded in, whose kind decides the classes.
                columns.append((inner.key, self._expressions.computed(row, inner.rule, type_name)))
            else:
                columns.append(
                    (
                        inner.key,
                        self._expressions.column(
                            row, inner.rule, type_name, inner.type_name, field.rule.target
                        ),
                    )
                )
        return self._expressions.governed(row, field.rule, type_name, _json(columns, self._alias("o")))

    def _nested_rows(self, field: Selected, type_name: str, row: Row) -> str:
        if field.rule.target == "sources":
            source, alias = self._brought("sources", field)
            value = self._plain(field.variants[0], alias)
            return f"(SELECT coalesce(json_agg({value} ORDER BY {alias}.ord), '[]') FROM {source})"
        if row.table.name == "case_file":
            kept = self._kept(field, f"({row.alias}.details->'{field.rule.target}')", row)
            return self._expressions.governed(row, field.rule, type_name, kept)
        column = (
            f"{row.alias}.details->'items'"
            if row.table.name == "record"
            else f"{row.alias}.{field.rule.target}"
        )
        inner = self._alias("b")
        value = self._plain(field.variants[0], inner)
        rows = (
            f"(SELECT coalesce(json_agg({value} ORDER BY {inner}.n), '[]')"
            f" FROM ROWS FROM (jsonb_to_recordset({column}) AS (code text, label text, value text))"
            f" WITH ORDINALITY {inner}(code, label, value, n))"
        )
        return self._expressions.governed(row, field.rule, type_name, rows)

    # ---- other rows --------------------------------------------------------------------------------------------

    def _variants_of(self, variants: Sequence[Variant], table: str) -> tuple[Variant, ...]:
        entities = self._view.vocabulary.entities
        return tuple(
            v for v in variants if v.type_name in entities and entities[v.type_name].relation == table
        )

    def _visible(
        self, row: Row, variants: Sequence[Variant], browsing: bool = False, former: bool = False
    ) -> str:
        """The rows of the field's types that the view shows; of the current version, whichever is asked for."""
        classes = tuple(c for v in variants for c in self._row_classes(v.type_name))
        if classes and set(classes) == {HOLDER}:
            return TRUE
        shown = self._shown(row, self._view.browsable(classes) if browsing else classes, former)
        if not row.table.mixed or shown == FALSE:
            return shown
        return all_of([self._is_type(row, [v.type_name for v in variants]), shown])

    def _shown(self, row: Row, classes: tuple[str, ...], former: bool = False) -> str:
        """What was told once is shown while the present version is: openness that was narrowed binds the past too."""
        shown = self._access.visible(row, classes)
        if not (self._as_of or former) or not row.table.fact:
            return shown
        now = Row(self._alias("w"), row.table, row.subject_alias)
        current = self._access.visible(now, classes)
        return all_of(
            [
                shown,
                f"EXISTS (SELECT FROM {row.table.name} {now.alias} WHERE {now.alias}.public_id = {row.alias}.public_id"
                f" AND {now.alias}.superseded_at IS NULL AND {current})",
            ]
        )

    def _row_classes(self, type_name: str) -> tuple[str, ...]:
        entity = self._view.vocabulary.entities.get(type_name)
        return entity.row_classes if entity is not None else ()

    def _subject_visible(self, row: Row) -> str:
        """Subjects the view shows, kind by kind."""
        kinds: dict[str, list[str]] = {}
        for name in ("Organization", "IndividualBusiness", "NaturalPerson"):
            if name not in self._view.schema.type_map:
                continue
            person = name == "NaturalPerson"
            shown = self._access.person(row) if person else self._access.visible(row, self._row_classes(name))
            only = self._view.vocabulary.entities[name].discriminator
            assert only is not None
            kinds.setdefault(shown, []).extend(only[1])
        terms = [
            all_of([f"{row.alias}.kind IN ({', '.join(repr(k) for k in found)})", shown])
            for shown, found in kinds.items()
            if shown != FALSE
        ]
        return f"({' OR '.join(terms)})" if len(terms) > 1 else terms[0] if terms else FALSE

    def _version(self, row: Row, target: str) -> str:
        """Which versions of a fact count: the current ones, or those believed at the moment asked for."""
        if not row.table.fact:
            return TRUE
        if target in ALL_VERSIONS:
            return f"{row.alias}.superseded_at <= {self._as_of}" if self._as_of else TRUE
        if self._as_of:
            return (
                f"{row.alias}.recorded_at <= {self._as_of}"
                f" AND ({row.alias}.superseded_at IS NULL OR {row.alias}.superseded_at > {self._as_of})"
            )
        return f"{row.alias}.superseded_at IS NULL"

    def _subject_table(self) -> str:
        if not self._as_of:
            return "subject"
        g, s = self._alias("g"), self._alias("s")
        told = (
            "display_name",
            "registration_status",
            "established_on",
            "industry_code",
            "legal_representative_name",
        )
        columns = ", ".join(f"coalesce({g}.{name}, {s}.{name}) AS {name}" for name in told)
        # A registration that is not shown does not name the subject either.
        shown = self._shown(Row("r", TABLES["registration"], s), ("D1",))
        # Scopes follow the subject's region of today; what it was called follows the moment asked for.
        return (
            f"(SELECT {s}.subject_id, {s}.public_id, {s}.kind, {s}.uscc, {s}.region_code, {columns} FROM subject {s}"
            f" LEFT JOIN LATERAL (SELECT * FROM registration r WHERE r.subject_id = {s}.subject_id"
            f" AND r.recorded_at <= {self._as_of} AND {shown}"
            f" ORDER BY r.recorded_at DESC, r.version_id DESC LIMIT 1) {g} ON TRUE"
            f" WHERE {s}.created_at <= {self._as_of})"
        )

    def _target(self, field: Selected, parent: Row | None) -> tuple[Relation, Row]:
        relation = RELATIONS[field.rule.target]
        alias = self._alias("t")
        subject = alias if relation.table == "subject" else ""
        if parent is not None and parent.table.name == "subject" and relation.table != "subject":
            subject = parent.alias
        return relation, Row(alias, TABLES[relation.table], subject)

    def _conditions(self, field: Selected, relation: Relation, row: Row, parent: Row | None) -> list[str]:
        conditions = [self._version(row, field.rule.target)]
        if relation.join:
            conditions.append(relation.join.format(t=row.alias, p=parent.alias if parent else ""))
        conditions += [self._test(test.column, test.operator, test.value, row) for test in field.tests]
        return conditions

    def _test(self, column: str, operator: str, value: Ref, row: Row) -> str:
        sql = f"{row.alias}.{column}"
        if operator == "counted_in":
            return self._counted_in(value, row)
        if operator == "in":
            return f"{sql} = ANY ({self._parameters.bind(FromRef(value), 'text[]')})"
        numeric = column.endswith("_amount")
        kind = "numeric" if numeric else "date" if column.endswith("_on") else "text"
        conversion = Conversion.DECIMAL if numeric else Conversion.NONE
        return f"{sql} {OPERATORS[operator]} {self._parameters.bind(FromRef(value, conversion), kind)}"

    def _counted_in(self, value: Ref, row: Row) -> str:
        """R18.3: a figure (number/code) of a report that the caller sees counts the case; told by its last pre-filling."""
        figure = self._parameters.bind(FromRef(value), "text")
        report = Row(self._alias("q"), TABLES["case_file"])
        counted = (
            f"(SELECT e.payload->'counted'->split_part({figure}, '/', 2) FROM case_event e WHERE e.case_id = {report.alias}.case_id"
            " AND e.transition = 'prefill' ORDER BY e.event_id DESC LIMIT 1)"
        )
        told = all_of(
            [
                f"{report.alias}.mechanism = 'QUARTERLY_REPORT'",
                f"{report.alias}.number = split_part({figure}, '/', 1)",
                self._shown(report, ("D43",)),
            ]
        )
        return (
            f"{row.alias}.public_id IN (SELECT x.id::uuid FROM case_file {report.alias},"
            f" jsonb_array_elements_text({counted}) x(id) WHERE {told})"
        )

    def _from(self, relation: Relation, row: Row, parent: Row | None) -> str:
        """The table, with the rows of live sources where there are any."""
        live = LIVE.get(relation.table)
        if live is None or parent is None or self._as_of:
            return f"{relation.table} {row.alias}"
        json = self._parameters.bind(self._live(live.rows), "jsonb")
        declared = ", ".join(["uscc text", *(f"{name} {kind}" for name, kind in live.columns.items())])
        listed = ", ".join(("subject_id", *live.columns))
        taken = ", ".join((f"{parent.alias}.subject_id", *(f"m.{name}" for name in live.columns)))
        if not live.stored:
            taken = taken.replace(".subject_id", ".subject_id AS subject_id", 1)
        stored = (
            f"SELECT {listed} FROM {relation.table} WHERE subject_id = {parent.alias}.subject_id UNION ALL "
        )
        return (
            f"({stored if live.stored else ''}SELECT {taken} FROM jsonb_to_recordset({json}) AS m({declared})"
            f" WHERE m.uscc = {parent.alias}.uscc) {row.alias}"
        )

    def _live(self, name: str) -> FromRows:
        rows = FromRows(name, "")
        if rows not in self._rows:
            self._rows.append(rows)
        return rows

    def _order(self, relation: Relation, row: Row, descending: bool) -> str:
        return ", ".join(f"{row.alias}.{c}{' DESC' if descending else ''}" for c in relation.order)

    def _one(self, field: Selected, parent: Row) -> str:
        relation, row = self._target(field, parent)
        if relation.table == "subject":
            shown = self._subject_visible(row)
        elif field.type_name == "Provenance":
            shown = self._shown(row, field.rule.classes)
        else:
            shown = self._visible(row, field.variants)
        source = self._subject_table() if relation.table == "subject" else relation.table
        ordered = f" ORDER BY {self._order(relation, row, True)} LIMIT 1" if relation.order else ""
        conditions = all_of([*self._conditions(field, relation, row, parent), shown])
        return f"(SELECT {self._object(field.variants, row)} FROM {source} {row.alias} WHERE {conditions}{ordered})"

    def _many(self, field: Selected, parent: Row | None) -> str:
        relation, row = self._target(field, parent)
        former = field.rule.target in ALL_VERSIONS
        shown = self._visible(row, field.variants, former=former)
        conditions = all_of([*self._conditions(field, relation, row, parent), shown])
        source = self._from(relation, row, parent)
        order = self._order(relation, row, relation.descending)
        listed = (
            f"(SELECT coalesce(json_agg({self._object(field.variants, row)} ORDER BY {order}), '[]')"
            f" FROM {source} WHERE {conditions})"
        )
        live = LIVE.get(relation.table)
        if live is None or not live.answered or parent is None:
            return listed
        if self._as_of:
            return "NULL::json"
        answered = self._parameters.bind(self._live(live.answered), "jsonb")
        return f"(SELECT CASE WHEN {answered} ? {parent.alias}.uscc THEN {listed} END)"

    # ---- pages -------------------------------------------------------------------------------------------------

    def _connection(self, field: Selected, parent: Row | None, as_root: bool = False) -> str:
        relation, row = self._target(field, parent)
        first = field.arguments["first"]
        assert isinstance(first, Constant)
        limit = int(first.value)
        descending = field.arguments.get("orderBy", Constant("DECIDED_ON_DESC")) != Constant("DECIDED_ON_ASC")
        node_variants = self._node_variants(field)
        conditions = [
            *self._conditions(field, relation, row, parent),
            self._visible(row, node_variants or self._declared_variants(field), browsing=as_root),
        ]
        sort, key = (f"{row.alias}.{column}" for column in relation.order)
        after = field.arguments.get("after", Constant(None))
        if after != Constant(None):
            sort_after = self._parameters.bind(
                FromRef(after, Conversion.CURSOR_SORT, seal=_seal(field)), "date"
            )
            key_after = self._parameters.bind(
                FromRef(after, Conversion.CURSOR_KEY, seal=_seal(field)), "uuid"
            )
            conditions.append(f"({sort}, {key}) {'<' if descending else '>'} ({sort_after}, {key_after})")
        # One row more than the page has tells whether another page follows.
        peeks = any(
            isinstance(info, Selected) and info.rule.target == "has_next"
            for inner in field.variants[0].fields
            if isinstance(inner, Selected) and inner.rule.target == PAGE_INFO
            for info in inner.variants[0].fields
        )
        order = self._order(relation, row, descending)
        source = (
            f"SELECT * FROM {relation.table} {row.alias} WHERE {all_of(conditions)}"
            f" ORDER BY {order} LIMIT {limit + 1 if peeks else limit}"
        )
        kept = ""
        if peeks:
            kept = f" FILTER (WHERE {row.alias}.rn <= {limit})"
            source = f"SELECT row_number() OVER (ORDER BY {order}) AS rn, {row.alias}.* FROM ({source}) {row.alias}"
        q, seal = self._alias("q"), _seal(field)
        gathered, columns = [], []
        for inner in field.variants[0].fields:
            if isinstance(inner, Typename):
                columns.append((inner.key, f"'{field.type_name}'::text"))
            elif inner.rule.target == EDGES:
                # In the order in which the rows come, so that nothing is sorted again.
                edge, name = self._edge(inner, row, relation, seal), _name(inner.key)
                gathered.append(f"coalesce(json_agg({edge} ORDER BY {order}){kept}, '[]') AS {name}")
                columns.append((inner.key, f"{q}.{name}"))
            else:
                columns.append((inner.key, self._page_info(inner, row, q, limit, seal)))
        value = _json(columns, self._alias("c"))
        # Names of our own begin with a blank, as no response key does. The count makes this one row in any case.
        gathered.append('count(*) AS " count"')
        if f'{q}." sort"' in value:
            last = dict(zip((" sort", " key"), relation.order, strict=True))
            if f'{q}." about"' in value:
                last[" about"] = "subject_id"
            gathered += [
                f'(array_agg({row.alias}.{column} ORDER BY {order}){kept})[least(count(*), {limit})] AS "{name}"'
                for name, column in last.items()
            ]
        if as_root:
            terms = [f"{row.alias}.rn <= {limit}"] if peeks else []
            terms += [f"{row.alias}.subject_id IS NOT NULL"] if row.table.mixed else []
            about = f" FILTER (WHERE {' AND '.join(terms)})" if terms else ""
            gathered.append(f'array_agg({row.alias}.subject_id){about} AS " subjects"')
        page = f"(SELECT {', '.join(gathered)} FROM ({source}) {row.alias}) {q}"
        if as_root:
            return f'SELECT {value} AS value, {q}." subjects" AS subjects FROM {page}'
        return f"(SELECT {value} FROM {page})"

    def _node_variants(self, field: Selected) -> tuple[Variant, ...]:
        for edges in field.variants[0].fields:
            if isinstance(edges, Selected) and edges.rule.target == EDGES:
                for node in edges.variants[0].fields:
                    if isinstance(node, Selected) and node.rule.target == NODE:
                        return node.variants
        return ()

    def _declared_variants(self, field: Selected) -> tuple[Variant, ...]:
        node = field.type_name
        for step in ("edges", "node"):
            owner = self._schema.type_map[node]
            assert isinstance(owner, GraphQLObjectType)
            node = get_named_type(owner.fields[step].type).name
        names = self._view.vocabulary.possible(node)
        return tuple(Variant(name, ()) for name in names if name in self._view.schema.type_map)

    def _edge(self, field: Selected, row: Row, relation: Relation, page: Seal) -> str:
        columns = []
        for inner in field.variants[0].fields:
            if isinstance(inner, Typename):
                columns.append((inner.key, f"'{field.type_name}'::text"))
            elif inner.rule.target == CURSOR:
                columns.append(
                    (
                        inner.key,
                        self._cursor(
                            _position(f"{row.alias}.{relation.order[0]}", self._expressions.key(row)), page
                        ),
                    )
                )
            else:
                columns.append((inner.key, self._object(inner.variants, row)))
        return _json(columns, self._alias("o"))

    def _page_info(self, field: Selected, row: Row, q: str, limit: int, page: Seal) -> str:
        columns = []
        for inner in field.variants[0].fields:
            if isinstance(inner, Typename):
                columns.append((inner.key, "'PageInfo'::text"))
            elif inner.rule.target == "has_next":
                columns.append((inner.key, f'{q}." count" > {limit}'))
            else:
                # Whose the last row is, is looked up for it alone.
                key = self._expressions.key(row, f'{q}." key"', f'{q}." about"')
                columns.append((inner.key, self._cursor(_position(f'{q}." sort"', key), page)))
        return _json(columns, self._alias("o"))

    def _cursor(self, position: str, page: Seal) -> str:
        seal = self._parameters.bind(page, "bytea")
        inner = f"sha256({seal} || convert_to({position}, 'UTF8'))"
        mac = f"left(encode(sha256({seal} || {inner}), 'hex'), 32)"
        return f"translate(encode(convert_to({position} || '/' || {mac}, 'UTF8'), 'base64'), E'\\n', '')"


def _position(sort: str, key: str) -> str:
    """Where a row stands in the order of its page, as text."""
    return f"{sort}::text || '/' || {key}::text"


def _for_many(sql: str, number: int) -> str:
    """`sql` for an array of keys in place of parameter `number`, with their places in it as `ord`."""
    key = re.compile(rf"\${number}::text(?!\[)")
    # The sub-select hides the array's length from the planner, so that it makes one plan for all lengths.
    keys = f"unnest((SELECT ${number}::text[])) WITH ORDINALITY k$(key, ord)"
    head, tail = key.sub("k$.key", sql).split(f" FROM {_ONE}", 1)
    return f"{head}, k$.ord FROM {keys}{tail}"


def _seal(field: Selected) -> Seal:
    # The relation, not the coordinate: every type of subject has the same page of records.
    return Seal(
        field.rule.target,
        tuple((name, ref) for name, ref in field.arguments.items() if name not in ("first", "after")),
    )


def _subject_of(row: Row) -> str:
    """SQL: the subject of a row that may have none, for the ledger."""
    return f"array_remove(ARRAY[{row.alias}.subject_id], NULL)"


def _name(key: str) -> str:
    """A response key as an SQL name. GraphQL names have no quotes in them."""
    return f'"{key}"'


def _json(columns: Sequence[tuple[str, str]], alias: str) -> str:
    """JSON object of `columns`, in their order."""
    listed = ", ".join(f"{sql} AS {_name(key)}" for key, sql in columns)
    return f"(SELECT row_to_json({alias}) FROM (SELECT {listed}) {alias})"


def _sql_type(declared: GraphQLType) -> str:
    sql = SQL_TYPES.get(get_named_type(declared).name, "text")
    return f"{sql}[]" if "[" in str(declared) else sql
