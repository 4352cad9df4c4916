"""Columns, masks and computed fields as SQL expressions over one row. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.query.access import FALSE, TRUE, Access, Row, all_of, any_of, held, quoted, subject_row
from hub.query.parameters import Context, Parameters
from hub.query.relations import ROW_BY_ROW, TABLES, Table
from hub.rights.matrix import Level
from hub.rights.view import NEEDED, View
from hub.rules.archives import load_archive_rules
from hub.rules.calendar import NATIONAL, load_rest_days
from schema.governance import HOLDER, OPEN, Capability, Mask, Need, Rule, Shape
from schema.masks import home_pattern
from schema.subjects import NEVER_OF_PERSONS

# Questions of the summary of which a “no” is only said when every source of their data class answers (§0.5).
_VOUCHED_FOR = frozenset(
    {"on_list:BLACK", "on_list:WATCH", "on_list:RED", "on_list:TAX", "has_penalty", "penalty_count", "tax_grade_is_d"}
)  # fmt: skip

# Days to or from a deadline within which its working days are counted: a year, so that no row takes long.
_COUNTED_DAYS = 366

_MASKS: dict[Mask, str] = {
    # As schema.masks has them. 马得林 → 马**; nothing of a name of one character, or of a short number.
    Mask.NAME: "CASE WHEN char_length({0}) > 1 THEN left({0}, 1) || repeat('*', char_length({0}) - 1)"
    " ELSE repeat('*', char_length({0})) END",
    Mask.PHONE: "CASE WHEN char_length({0}) > 4 THEN repeat('*', char_length({0}) - 4) || right({0}, 4)"
    " ELSE repeat('*', char_length({0})) END",
    Mask.ADDRESS: f"substring({{0}} from '{home_pattern()}') || '***'",
    Mask.WITHHELD: "NULL",
}


@dataclass(frozen=True)
class Expressions:
    """Makes the expressions of one statement."""

    view: View
    access: Access
    parameters: Parameters
    # Placeholder of the moment whose knowledge is asked for; empty: now.
    as_of: str = ""

    @property
    def _day(self) -> str:
        """SQL: the day that facts are told of, today or that of the moment asked for, in Qinghai."""
        return f"({self.as_of} AT TIME ZONE 'Asia/Shanghai')::date" if self.as_of else self.access.today

    def column(
        self, row: Row, rule: Rule, type_name: str, field_type: str, prefix: str, is_list: bool = False
    ) -> str:
        """SQL of a stored column or detail, masked or withheld as the view says."""
        value = stored(row, rule, field_type, prefix, is_list)
        if field_type == "ID" and not is_list:
            value = self.own_id(row, value)
        return self.governed(row, rule, type_name, value)

    def own_id(self, about: Row, value: str) -> str:
        """The opaque id that the text `value` holds as the store has it, as this caller's partner class sees it."""
        person = self._about_person(about)
        if person == FALSE:
            return value
        key = self.parameters.context(Context.ID_KEY, "bytea")
        return (
            f"CASE WHEN {value} ~ '^[a-z][0-9a-f]{{32}}$' AND {person}"
            f" THEN left({value}, 1) || sealed_id(substr({value}, 2)::uuid, {key}) ELSE {value} END"
        )

    def is_called(self, row: Row, plain: str, opened: str) -> str:
        """SQL: the row's id is what the caller calls it, given as it stands and opened for the caller's class."""
        alias, person = row.alias, self._about_person(row)
        if person == FALSE:
            return f"{alias}.public_id = {plain}"
        return (
            f"{alias}.public_id IN ({plain}, {opened})"
            f" AND {alias}.public_id = CASE WHEN {person} THEN {opened} ELSE {plain} END"
        )

    def _about_person(self, row: Row) -> str:
        """SQL: the row is a natural person, or is about one."""
        person = "kind = 'NATURAL_PERSON'"
        if row.table.name == "subject" or row.subject_alias:
            return f"{row.subject_alias or row.alias}.{person}"
        if not row.table.subject:
            return FALSE
        return f"EXISTS (SELECT FROM subject z WHERE z.subject_id = {row.subject_id} AND z.{person})"

    def governed(self, row: Row, rule: Rule, type_name: str, value: str) -> str:
        """`value` where the view gives it in full, masked where it gives it masked, else null."""
        told = self._by_class(row, rule, type_name, value)
        if rule.capability is not Capability.LINEAGE or row.table.name != "case_file":
            return told
        process = self.access.of_process(row)
        return told if process == TRUE else f"CASE WHEN {process} THEN {told} END"

    def _by_class(self, row: Row, rule: Rule, type_name: str, value: str) -> str:
        classes = self.view.vocabulary.classes(type_name, rule)
        if not classes or rule.classes[0] in (OPEN, HOLDER):
            return value
        masked = _MASKS.get(rule.mask, "{0}").format(value)
        entity = self.view.vocabulary.entities.get(type_name)
        own_class = entity is not None and classes == entity.row_classes
        if own_class:
            # The row is only here because the view shows it at least masked.
            if rule.mask is Mask.KEEP or self.view.everywhere(classes, Level.FULL):
                return value
            full = (
                self.access.person(row, Level.FULL)
                if type_name == "NaturalPerson"
                else self.access.classes(row, classes, Level.FULL)
            )
            return masked if full == FALSE else f"CASE WHEN {full} THEN {value} ELSE {masked} END"
        whose = _as_subject(row)
        full = self.access.classes(whose, classes, Level.FULL)
        some = self.access.classes(whose, classes, Level.MASKED)
        if rule.mask is Mask.KEEP:
            full = some
        if full == TRUE:
            return value
        return f"CASE WHEN {full} THEN {value} WHEN {some} THEN {masked} END"

    def brought(self, rule: Rule, type_name: str, value: str) -> str:
        """`value` of a row that the hub brought along, masked or withheld as the view says.

        Such a row is about no subject of the store.
        """
        entity = self.view.vocabulary.entities.get(type_name)
        classes = self.view.vocabulary.classes(type_name, rule)
        if (
            not classes
            or rule.classes[0] in (OPEN, HOLDER)
            or entity is None
            or classes == entity.row_classes
        ):
            return value
        level = self.view.vouched(classes)
        if level is Level.FULL or (rule.need is Need.YES_NO and level > Level.NONE):
            return value
        return _MASKS.get(rule.mask, "{0}").format(value) if level is Level.MASKED else "NULL"

    def computed(self, row: Row, rule: Rule, type_name: str) -> str:
        """SQL of a computed field."""
        name, _, of = rule.target.partition(":")
        made: dict[str, Callable[[Row, Rule, str, str], str]] = {
            "public_id": self._public_id,
            "lifecycle": self._lifecycle,
            "entry_state": self._entry_state,
            "currently_valid": self._currently_valid,
            "on_list": self._on_list,
            "has_penalty": self._has_penalty,
            "penalty_count": self._penalty_count,
            "tax_grade_is_d": self._tax_grade_is_d,
            "incomplete_sources": self._incomplete_sources,
            "identity_verified": self._identity_verified,
            "check_valid": self._check_valid,
            "copied": self._copied,
            "screened": self._screened,
            "stale": self._stale,
            "catalog_item_version": self._catalog_item_version,
            "working_days_left": self._working_days_left,
        }
        return made[name](row, rule, type_name, of)

    def _public_id(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        plain, person = f"replace({row.alias}.public_id::text, '-', '')", self._about_person(row)
        if person != FALSE:
            key = self.parameters.context(Context.ID_KEY, "bytea")
            plain = f"CASE WHEN {person} THEN sealed_id({row.alias}.public_id, {key}) ELSE {plain} END"
        return f"'{row.table.letter}' || {plain}"

    def _lifecycle(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """Over after its last day, whatever its source said last: nothing is delivered or done on that day (5.4)."""
        t = row.alias
        return (
            f"CASE WHEN {t}.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION') AND {t}.usable_until < {self._day}"
            f" THEN 'EXPIRED' ELSE {t}.lifecycle END"
        )

    def _entry_state(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """As for records: a place on a list is left when its publicity is over."""
        t = row.alias
        return (
            f"CASE WHEN {t}.state = 'PUBLISHED' AND {t}.publicity_ends_on < {self._day}"
            f" THEN 'EXITED_EXPIRED' ELSE {t}.state END"
        )

    def _currently_valid(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """In its term, and neither told as invalid nor revoked; who sees what has ended is not told that it holds."""
        t, today = row.alias, self.access.today
        return (
            f"{t}.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')"
            f" AND {t}.details->>'license_state' IS DISTINCT FROM 'INVALID' AND ({t}.valid_from IS NULL OR {t}.valid_from <= {today})"
            f" AND ({t}.valid_to IS NULL OR {t}.valid_to >= {today})"
        )

    def _stale(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """R14.3: whether an archive was not renewed for two cycles of its type; null without a clock."""
        t, day, cases = row.alias, self._day, ""
        for one in load_archive_rules().types:
            if one.cycle_days is not None:
                ended = f" AND {day} <= '{one.term.valid_to}'" if one.term.valid_to else ""
                late = f"{t}.last_updated_on IS NULL OR {t}.last_updated_on < {day} - {2 * one.cycle_days}"
                cases += f" WHEN {t}.archive_type = '{one.type}' AND {day} >= '{one.term.valid_from}'{ended} THEN {late}"
        return f"CASE{cases} END"

    def _check_valid(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        return f"({row.alias}.details->>'valid_until')::date >= {self.access.today}"

    def _copied(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """What a case copied from the record or list entry that it is about: where, and as far as, that itself is shown."""
        classes = {table: self.view.vocabulary.classes_of(table) for table in ("record", "list_entry")}
        shown = self.access.copied(row, classes, Level.MASKED if rule.mask is Mask.KEEP else Level.FULL)
        value = f"{row.alias}.details->>'{of}'"
        return self.governed(row, rule, type_name, f"CASE WHEN {shown} THEN {value} END")

    def _screened(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """R7.3: a text in which something was found that nobody has cleared is its handling unit's alone."""
        kept = f"{row.alias}.details->'findings'"
        found = (
            f"EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof({kept}) WHEN 'array' THEN {kept} END) f"
            " WHERE f->>'cleared_by' IS NULL)"
        )
        told = f"CASE WHEN {any_of([f'NOT {found}', self.access.handles(row)])} THEN {row.alias}.details->>'{of}' END"
        return self.governed(row, rule, type_name, told)

    def _catalog_item_version(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """R4.4: the version in force when the record was first filed; later ones do not change it."""
        return (
            "(SELECT max((i.details->>'item_version')::int) FROM case_file i WHERE i.mechanism = 'CATALOG_ITEM'"
            f" AND i.state IN ('PUBLISHED', 'SUPERSEDED') AND i.details->>'code' = {row.alias}.catalog_item_code"
            " AND (i.details->>'published_at')::timestamptz <="
            f" (SELECT min(f.recorded_at) FROM record f WHERE f.public_id = {row.alias}.public_id))"
        )

    def _working_days_left(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """R7.2: what `Calendar.between` counts from today to the deadline, by the same rows and the same estimate.

        Once the day has passed it is negative, be it by rest days alone: 0 is a deadline of today.
        """
        t, today, region = row.alias, self.access.today, f"{row.alias}.region_code"
        regions = f"ARRAY[{region}, left({region}, 4) || '00', left({region}, 2) || '0000', '{NATIONAL}']"
        fixed = (
            "SELECT w.is_workday FROM working_day w WHERE w.day = d.day AND w.region_code = ANY (g.codes)"
            " ORDER BY array_position(g.codes, w.region_code) LIMIT 1"
        )
        estimate = f"extract(isodow FROM d.day) < 6 AND NOT ({_rests('d.day')})"
        signed = f"CASE WHEN {t}.due_on < {today} THEN -greatest(count(*)::int, 1) ELSE count(*)::int END"
        count = (
            f"(SELECT {signed} FROM (SELECT {regions} AS codes) g,"
            f" generate_series(1, abs({t}.due_on - {today})) n, LATERAL (SELECT least({t}.due_on, {today}) + n AS day) d"
            f" WHERE coalesce(({fixed}), {estimate}))"
        )
        # Told of near days alone. By comparison: a case may hold a day that is none, from which nothing can be subtracted.
        near = f"{t}.due_on BETWEEN {today} - {_COUNTED_DAYS} AND {today} + {_COUNTED_DAYS}"
        return f"CASE WHEN {t}.closed_at IS NULL AND {near} THEN {count} END"

    def _guard(self, row: Row, classes: tuple[str, ...], least: Level) -> str:
        """SQL: a question about `classes` may be answered of the row's subject at all."""
        return self.access.classes(_as_subject(row), classes, least, subject_only=True)

    def _facts(self, row: Row, table: str, classes: tuple[str, ...], condition: str) -> tuple[str, str]:
        """The guard under which the question may be answered at all, and the FROM and WHERE of the facts."""
        fact = Row("x", TABLES[table], row.subject_alias or row.alias)
        guard = self._guard(row, classes, Level.YES_NO)
        shown = all_of(
            [
                f"x.subject_id = {row.subject_id}",
                held(fact, self.as_of),
                condition,
                f"x.data_class IN ({quoted(classes)})",
                self.access.sharing(fact),
                self.access.in_use(fact),
                self._still_told(fact),
            ]
        )
        return guard, f"FROM {table} x WHERE {shown}"

    def _still_told(self, fact: Row) -> str:
        """SQL: what the hub held at an earlier moment says something as long as the present version may."""
        if not self.as_of:
            return TRUE
        classes = self.view.vocabulary.classes_of(fact.table.name)
        return self.access.still_visible(fact, f"now_{fact.alias}", classes, Level.YES_NO)

    def _tristate(self, row: Row, rule: Rule, type_name: str, table: str, condition: str) -> str:
        classes = self.view.vocabulary.classes(type_name, rule)
        guard, facts = self._facts(row, table, classes, condition)
        if guard == FALSE or (type_name == "NaturalPerson" and NEVER_OF_PERSONS.issuperset(classes)):
            return "NULL::text"
        missing = self._missing(row, rule)
        otherwise = (
            "ELSE 'INDETERMINATE'" if missing == TRUE else f"WHEN {missing} THEN 'INDETERMINATE' ELSE 'NO'"
        )
        answer = f"CASE WHEN EXISTS (SELECT {facts}) THEN 'YES' {otherwise} END"
        return answer if guard == TRUE else f"CASE WHEN {guard} THEN {answer} END"

    def _missing(self, row: Row, rule: Rule) -> str:
        """SQL: a source of the field's classes does not answer, or sent of the subject what nobody understood yet.

        What is not there may still be so (§0.5). Sources declare the class of organizations; whose a row is, only the
        row tells. How sources stood at an earlier moment, and what they left in doubt then, is not kept.
        """
        if self.as_of:
            return TRUE
        unvouched = self.parameters.context(Context.UNVOUCHED, "text[]")
        asked = "{" + ",".join(rule.classes) + "}"
        doubted = f"coalesce({row.subject_alias or row.alias}.in_doubt ?| '{asked}', FALSE)"
        return any_of([*[f"'{one}' = ANY ({unvouched})" for one in rule.classes], doubted])

    def _on_list(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        if of == "TAX":
            return self._tristate(
                row, rule, type_name, "list_entry", "x.source = 'TAX' AND x.color = 'BLACK'"
            )
        return self._tristate(row, rule, type_name, "list_entry", f"x.color = '{of}'")

    def _has_penalty(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        return self._tristate(row, rule, type_name, "record", "x.kind = 'PENALTY'")

    def _penalty_count(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        classes = self.view.vocabulary.classes(type_name, rule)
        guard, facts = self._facts(row, "record", classes, "x.kind = 'PENALTY'")
        guard, missing = all_of([guard, self._guard(row, classes, Level.FULL)]), self._missing(row, rule)
        if guard == FALSE or missing == TRUE:
            return "NULL::int"
        # A decision that two sources deliver is one, told apart by number and authority as `hub.rules.decisions` has it;
        # while a source is missing, no number is known to be all.
        count = (
            "(SELECT coalesce(sum(d.n), 0)::int FROM (SELECT coalesce(nullif(count(DISTINCT x.authority_uscc), 0),"
            f" greatest(count(DISTINCT x.authority_name), 1)) AS n {facts}"
            " GROUP BY coalesce(x.document_number, x.public_id::text)) d)"
        )
        return f"CASE WHEN {all_of([guard, f'NOT ({missing})'])} THEN {count} END"

    def _tax_grade_is_d(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        """A D that no other grade in force has come after: of a later year, or of a later day of the same (4.2).

        Grades of other classes, which are A and public, count where the view would let the question be asked of them too;
        what it hides says nothing. One without a year stands until it ends: nobody can tell which came first.
        """
        classes = self.view.vocabulary.classes(type_name, rule)
        public = self.access.classes(_as_subject(row), ("D16",), Level.YES_NO, subject_only=True)
        own = " OR ".join(f"y.data_class = '{one}'" for one in classes)
        other = Row("y", TABLES["grade"], row.subject_alias or row.alias)
        later = all_of(
            [
                "y.subject_id = x.subject_id",
                "y.scheme = 'TAX'",
                held(other, self.as_of),
                any_of([own, all_of(["y.data_class = 'D16'", public])]),
                "(y.period > x.period OR y.period IS NOT DISTINCT FROM x.period AND y.effective_from > x.effective_from)",
                self.access.sharing(other),
                self.access.in_use(other),
                self._still_told(other),
            ]
        )
        latest = f"NOT EXISTS (SELECT FROM grade y WHERE {later}{ROW_BY_ROW}"
        return self._tristate(
            row, rule, type_name, "grade", f"x.scheme = 'TAX' AND x.grade_code = 'D' AND {latest}"
        )

    def _incomplete_sources(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        if self.as_of:
            return "NULL::text[]"
        missing = self.parameters.context(Context.UNVOUCHED_BY_SOURCE, "text[]")
        asked = [
            known
            for coordinate, known in self.view.vocabulary.rules.items()
            if coordinate.startswith("CreditSummary.")
            and known.target in _VOUCHED_FOR
            and coordinate in self.view.visible
        ]
        every = {data_class for known in asked for data_class in known.classes}
        # How a source stands all may know; that it sent something of this subject, only who is answered the question.
        told: dict[str, set[str]] = {}
        for known in asked:
            guard = self._guard(row, self.view.vocabulary.classes(type_name, known), NEEDED[known.need])
            told.setdefault(guard, set()).update(known.classes)
        doubts = any_of(
            [all_of([f"e.data_class IN ({quoted(sorted(of))})", guard]) for guard, of in told.items()]
        )
        return (
            f"ARRAY(SELECT split_part(u, ' ', 2) AS source FROM unnest({missing}) u"
            f" WHERE split_part(u, ' ', 1) = ANY ('{{{','.join(sorted(every))}}}')"
            f" UNION SELECT d.source FROM jsonb_each({row.subject_alias or row.alias}.in_doubt) e(data_class, sources),"
            f" jsonb_array_elements_text(e.sources) d(source) WHERE {doubts} ORDER BY source)"
        )

    def _identity_verified(self, row: Row, rule: Rule, type_name: str, of: str) -> str:
        guard = self._guard(row, rule.classes, Level.YES_NO)
        if guard == FALSE:
            return "NULL::text"
        known = all_of(
            [
                f"x.subject_id = {row.subject_id}",
                "x.data_class = 'D3'",
                held(Row("x", TABLES["identifier"]), self.as_of),
            ]
        )
        answer = f"CASE WHEN EXISTS (SELECT FROM identifier x WHERE {known}) THEN 'YES' ELSE 'NO' END"
        return answer if guard == TRUE else f"CASE WHEN {guard} THEN {answer} END"


def _rests(day: str) -> str:
    """SQL: whether `day` is a statutory rest day that no notice needs to tell, as `RestDays` has it."""
    law = load_rest_days()
    yearly = [
        f"{day} BETWEEN '{row.term.valid_from}' AND '{row.term.valid_to or 'infinity'}'"
        f" AND to_char({day}, 'MM-DD') = ANY ('{{{','.join(sorted(row.days))}}}')"
        for row in law.yearly
    ]
    foretold = ",".join(sorted(one.isoformat() for one in law.foretold))
    return any_of([*yearly, f"{day} = ANY ('{{{foretold}}}'::date[])"])


def _as_subject(row: Row) -> Row:
    """The row's subject, for grants that depend on nothing else."""
    if row.table.name == "subject" or row.subject_alias:
        return subject_row(row.subject_alias or row.alias)
    return Row(row.alias, _ANONYMOUS)


# Details that are no texts in their JSON, by GraphQL type.
_DETAIL_TYPES = {"Int": "int", "Float": "float8", "Boolean": "boolean", "DateTime": "timestamptz"}
# GraphQL types of columns that are no texts in the store.
_OTHER_TYPES = frozenset({*_DETAIL_TYPES, "Date"})
# A row whose class does not matter, only its subject.
_ANONYMOUS = Table("fact", fact=False, data_class="")


def stored(row: Row, rule: Rule, field_type: str, prefix: str, is_list: bool = False) -> str:
    """SQL of the stored value, written as its GraphQL type is serialized."""
    if rule.shape is Shape.DETAIL:
        kept = f"{row.alias}.details->>'{rule.target}'"
        if is_list:
            return f"{row.alias}.details->'{rule.target}'"
        return f"({kept})::{_DETAIL_TYPES[field_type]}" if field_type in _DETAIL_TYPES else kept
    column = f"{row.alias}.{prefix}{rule.target}"
    return f"{column}::text" if field_type in ("Yuan", "ID") else column


def is_text(rule: Rule, field_type: str, is_list: bool = False) -> bool:
    """Whether what `stored` gives is of the SQL type text; so are all masks."""
    return rule.shape in (Shape.COLUMN, Shape.DETAIL) and not is_list and field_type not in _OTHER_TYPES
