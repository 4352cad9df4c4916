"""A root field as a sub-select of one row: its `value` as JSON, and `subjects`, the ids of those disclosed. Pure."""

from __future__ import annotations

from hub.query.access import TRUE, Row, all_of, held, subject_row
from hub.query.parameters import PERSON_SCHEMES, Conversion, FromCommand, FromRef
from hub.query.plan import Constant, Selected, Variant
from hub.query.relations import TABLES
from hub.query.sql.draft import Draft, json_list
from hub.query.sql.objects import Objects
from hub.query.sql.visibility import Visibility
from hub.rights.matrix import Level
from schema.governance import Shape

# Rows that the hub brings along, each about one subject.
_ABOUT_SUBJECTS = ("check_verification", "repair_outlook")
# Classes of the identifiers of all other schemes.
_IDENTIFIER_CLASSES = ("D1", "D3")
_NOBODY = "NULL::bigint[]"


def subject_key(field: Selected) -> FromRef:
    """What a root `subject` looks for."""
    scheme = field.arguments["scheme"]
    assert isinstance(scheme, Constant)
    return FromRef(field.arguments["value"], Conversion.IDENTIFIER, str(scheme.value))


class Root:
    """One root field."""

    def __init__(self, draft: Draft, field: Selected) -> None:
        """`field`: the root field, with the moment it may be asked for."""
        self._draft = draft
        self._field = field
        moment = field.arguments.get("asOf", Constant(None))
        past = FromRef(moment, Conversion.PAST)
        as_of = "" if moment == Constant(None) else draft.parameters.bind(past, "timestamptz")
        self._visibility = Visibility(draft, as_of)
        self._objects = Objects(draft, self._visibility)

    def sql(self) -> str:
        """The sub-select."""
        match self._field.rule.target:
            case "subject":
                return self._subject()
            case "subjects":
                return self._subjects()
            case "node":
                return self._node()
            case "records" | "list_entries" | "cases":
                return self._objects.pages.root(self._field)
            case "case":
                return self._one()
            case "credit_lists":
                rows = self._objects.related.many(self._field, None)
                return f"SELECT {rows} AS value, {_NOBODY} AS subjects"
            case _ if self._field.rule.shape is Shape.COMMAND:
                return self._made()
            case _:
                return self._brought()

    def _subject(self) -> str:
        """One subject by a key."""
        row = self._draft.subject()
        s, key = row.alias, subject_key(self._field)
        value = self._draft.parameters.bind(key, "text")
        if key.scheme == "USCC":
            found = [f"{s}.uscc = {value}"]
        else:
            i = self._draft.alias("i")
            # A person's number finds the person alone; any other, whoever may be told that it is the subject's.
            person = key.scheme in PERSON_SCHEMES
            told = self._draft.access.classes(Row(i, TABLES["identifier"]), _IDENTIFIER_CLASSES, Level.YES_NO)
            match = all_of([f"{i}.scheme = '{key.scheme}'", f"{i}.value = {value}", TRUE if person else told])
            found = [
                f"{s}.kind = 'NATURAL_PERSON'" if person else TRUE,
                f"{s}.subject_id = (SELECT {i}.subject_id FROM identifier {i} WHERE {match})",
            ]
        shown = self._objects.object(self._field.variants, row)
        return (
            f"SELECT {shown.sql} AS value, ARRAY[{s}.subject_id] AS subjects"
            f" FROM {shown.source(f'{self._visibility.subjects()} {s}')}"
            f" WHERE {all_of([*found, self._visibility.of_subject(row)])}"
        )

    def _subjects(self) -> str:
        """Many subjects by their codes, null for those not found."""
        row, k, v = self._draft.subject(), self._draft.alias("k"), self._draft.alias("v")
        s = row.alias
        codes = self._draft.parameters.bind(FromRef(self._field.arguments["codes"]), "text[]")
        value = self._objects.object(self._field.variants, row)
        return (
            f"SELECT {json_list(f'{v}.value', f'{k}.ord')} AS value,"
            f" array_agg({v}.subject_id) FILTER (WHERE {v}.subject_id IS NOT NULL) AS subjects"
            # The sub-select hides the array's length from the planner, so that it makes one plan for all lengths.
            f" FROM unnest((SELECT {codes})) WITH ORDINALITY {k}(code, ord) LEFT JOIN LATERAL"
            f" (SELECT {value.sql} AS value, {s}.subject_id"
            f" FROM {value.source(f'{self._visibility.subjects()} {s}')}"
            f" WHERE {all_of([f'{s}.uscc = {k}.code', self._visibility.of_subject(row)])}) {v} ON TRUE"
        )

    def _node(self) -> str:
        """A subject, a record or a list entry by its opaque id."""
        called, bind = self._field.arguments["id"], self._draft.parameters.bind
        letter = bind(FromRef(called, Conversion.ID_LETTER), "text")
        plain = bind(FromRef(called, Conversion.ID_UUID), "uuid")
        opened = bind(FromRef(called, Conversion.ID_OPENED), "uuid")
        branches = []
        for relation in ("subject", "record", "list_entry"):
            variants = self._variants_of(relation)
            if not variants:
                continue
            alias, table = self._draft.alias("n"), TABLES[relation]
            if relation == "subject":
                row = subject_row(alias)
                shown = self._visibility.of_subject(row)
            else:
                row = Row(alias, table)
                shown = self._visibility.of_types(row, [one.type_name for one in variants])
            conditions = [
                f"{letter} = '{table.letter}'",
                self._draft.expressions.is_called(row, plain, opened),
                held(row),
                shown,
            ]
            value = self._objects.object(variants, row)
            branches.append(
                f"SELECT {value.sql} AS value, ARRAY[{alias}.subject_id] AS subjects"
                f" FROM {value.source(f'{relation} {alias}')} WHERE {all_of(conditions)}"
            )
        return " UNION ALL ".join(branches) or f"SELECT NULL::json AS value, {_NOBODY} AS subjects"

    def _variants_of(self, relation: str) -> list[Variant]:
        entities = self._draft.vocabulary.entities
        return [
            one
            for one in self._field.variants
            if one.type_name in entities and entities[one.type_name].relation == relation
        ]

    def _one(self) -> str:
        """One row of a relation without a parent, by the arguments that filter."""
        reached = self._objects.reach.reached(self._field, None)
        row = reached.row
        conditions = [
            *self._objects.reach.conditions(reached),
            self._visibility.of_types(row, self._field.types),
        ]
        value = self._objects.object(self._field.variants, row)
        subjects = _subject_of(row) + self._draft.named(self._field, f"ARRAY[{row.alias}.case_id]")
        return (
            f"SELECT {value.sql} AS value, {subjects} AS subjects"
            f" FROM {value.source(self._objects.reach.source(reached))} WHERE {all_of(conditions)}"
        )

    def _made(self) -> str:
        """What a command made, as far as its caller may see it: rows of the store, or rows that it brought along."""
        vocabulary, field = self._draft.vocabulary, self._field
        entity = vocabulary.entities[vocabulary.possible(field.type_name)[0]]
        if entity.relation not in TABLES:
            return self._brought()
        row = Row(self._draft.alias("t"), TABLES[entity.relation])
        n, ids = self._draft.alias("n"), self._draft.parameters.bind(FromCommand(field.key), "uuid[]")
        value, subjects = self._objects.object(field.variants, row), _subject_of(row)
        told, cases = value.sql, f"ARRAY[{row.alias}.case_id]"
        if field.is_list:
            told = json_list(told, f"{n}.ord")
            subjects = f"array_agg({row.alias}.subject_id) FILTER (WHERE {row.alias}.subject_id IS NOT NULL)"
            cases = f"array_agg({row.alias}.case_id)"
        subjects += self._draft.named(field, cases)
        conditions = [
            f"{row.alias}.public_id = {n}.id",
            held(row),
            self._visibility.of_types(row, field.types),
        ]
        rows = (
            f"unnest({ids}) WITH ORDINALITY {n}(id, ord)"
            f" JOIN {entity.relation} {row.alias} ON {all_of(conditions)}"
        )
        return f"SELECT {told} AS value, {subjects} AS subjects FROM {value.source(rows)}"

    def _brought(self) -> str:
        """Rows that the hub brings along: what it knows itself, what a reading or a command found, candidates."""
        field = self._field
        command = field.rule.shape is Shape.COMMAND
        source, alias = self._objects.json_rows.brought("command" if command else field.rule.target, field)
        subjects, shown = _NOBODY, ""
        if field.rule.target == "candidates":
            row = self._draft.subject()
            shown = (
                f" WHERE EXISTS (SELECT FROM subject {row.alias} WHERE {row.alias}.subject_id = {alias}.subject_id"
                f" AND {self._visibility.of_subject(row)})"
            )
            subjects = f"array_agg({alias}.subject_id)"
        elif command or field.rule.target in _ABOUT_SUBJECTS:
            about = f"array_agg({alias}.subject_id)" if field.is_list else f"ARRAY[{alias}.subject_id]"
            subjects = f"array_remove({about}, NULL)"
            if command and field.is_list:
                k, ids = self._draft.alias("k"), f"array_agg({alias}.case_public_id)"
                cases = f"ARRAY(SELECT {k}.case_id FROM case_file {k} WHERE {k}.public_id = ANY ({ids}))"
                subjects += self._draft.named(field, cases)
        value = self._objects.json_rows.object(field.variants[0], alias)
        told = json_list(value.sql, f"{alias}.ord") if field.is_list else value.sql
        return f"SELECT {told} AS value, {subjects} AS subjects FROM {value.source(source)}{shown}"


def _subject_of(row: Row) -> str:
    """SQL: the subject of a row that may have none, for the ledger."""
    return f"array_remove(ARRAY[{row.alias}.subject_id], NULL)"
