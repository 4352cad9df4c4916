"""Which rows of a table are there for this caller, now or as they were known at the moment asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hub.query.access import FALSE, TRUE, Row, all_of, any_of, held
from hub.query.relations import TABLES, Relation
from hub.query.sql.draft import Draft
from schema.governance import HOLDER

# Columns of a subject that its registrations tell, each as of when it was filed.
_TOLD = (
    "display_name",
    "registration_status",
    "established_on",
    "industry_code",
    "legal_representative_name",
)
# The versions of the registrations of {s} by the moment asked for, and whether each of them `stood` then: none of its
# registration from it on was followed by none, as the last one is when its register takes it back or says that it is another
# subject's. Where one follows, it begins as the other ends. Each version is read once: a firm has as many as it has changed.
_REGISTERED = """(SELECT r.*, NOT bool_or(r.gone) OVER (PARTITION BY r.public_id ORDER BY r.version_id DESC) AS stood FROM (
  SELECT r.*, (r.superseded_at <= {as_of}) IS TRUE AND r.superseded_at IS DISTINCT FROM
    lead(r.recorded_at) OVER (PARTITION BY r.public_id ORDER BY r.version_id) AS gone
  FROM registration r WHERE r.subject_id = {s}.subject_id AND r.recorded_at <= {as_of}) r)"""


class Visibility:
    """The conditions under which rows are shown within one root field."""

    def __init__(self, draft: Draft, as_of: str = "") -> None:
        """`as_of`: placeholder of the moment whose knowledge is asked for; empty: now."""
        self._draft = draft
        self.as_of = as_of

    def of_types(self, row: Row, types: Sequence[str], browsing: bool = False, former: bool = False) -> str:
        """SQL: the row is of one of `types`, and the view shows it.

        `browsing`: no subject was named. `former`: the row may be of a version that no longer counts.
        """
        entities = self._draft.vocabulary.entities
        classes = tuple(c for name in types if name in entities for c in entities[name].row_classes)
        if classes and set(classes) == {HOLDER}:
            return TRUE
        shown = self.of_classes(row, self._draft.view.browsable(classes) if browsing else classes, former)
        if not row.table.mixed or shown == FALSE:
            return shown
        return all_of([self._draft.is_type(row, types), shown])

    def of_classes(self, row: Row, classes: tuple[str, ...], former: bool = False) -> str:
        """SQL: the view shows the row as one of `classes`; of an earlier version, still."""
        access = self._draft.access
        shown = access.visible(row, classes)
        if not (self.as_of or former) or not row.table.fact:
            return shown
        return all_of([shown, access.still_visible(row, self._draft.alias("w"), classes)])

    def of_subject(self, row: Row) -> str:
        """SQL: the view shows the subject, kind by kind."""
        view, access = self._draft.view, self._draft.access
        # What must hold → the types that it must hold for.
        types: dict[str, list[str]] = {}
        for name in ("Organization", "IndividualBusiness", "NaturalPerson"):
            if name in view.schema.type_map:
                classes = self._draft.vocabulary.entities[name].row_classes
                shown = access.person(row) if name == "NaturalPerson" else access.visible(row, classes)
                types.setdefault(shown, []).append(name)
        return any_of([all_of([self._draft.is_type(row, names), shown]) for shown, names in types.items()])

    def version(self, row: Row, relation: Relation) -> str:
        """SQL: the row is of a version that counts in `relation`: now, or as believed at the moment asked for."""
        if not relation.former:
            return held(row, self.as_of)
        if not self.as_of:
            return TRUE
        # What had been taken back by then, or was another's, the subject had no version of, neither an earlier one.
        then = Row(self._draft.alias("b"), row.table)
        same = " AND ".join(f"{then.alias}.{one} = {row.alias}.{one}" for one in ("public_id", "subject_id"))
        stood = (
            f"EXISTS (SELECT FROM {relation.table} {then.alias} WHERE {same} AND {held(then, self.as_of)})"
        )
        return all_of([f"{row.alias}.superseded_at <= {self.as_of}", stood])

    def subjects(self) -> str:
        """FROM item of the subjects, under the names that they had at the moment asked for."""
        if not self.as_of:
            return "subject"
        g, s = self._draft.alias("g"), self._draft.alias("s")
        # What a registration does not say stays as one before it said; the name also when that was taken back.
        newest = "array_agg(r.{0} ORDER BY r.recorded_at DESC, r.version_id DESC) FILTER (WHERE {1})"
        counted = {
            name: f"r.{name} IS NOT NULL" + " AND r.stood" * (name != "display_name") for name in _TOLD
        }
        said = ", ".join(f"({newest.format(name, which)})[1] AS {name}" for name, which in counted.items())
        # A subject had a name before its first registration, which nobody kept; of the rest nothing was known.
        columns = ", ".join(
            f"coalesce({g}.{name}, {s}.{name}) AS {name}" if name == "display_name" else f"{g}.{name}"
            for name in _TOLD
        )
        # A registration that is not shown does not name the subject either.
        shown = self.of_classes(Row("r", TABLES["registration"], s), ("D1",))
        registered = _REGISTERED.format(s=s, as_of=self.as_of)
        # Scopes follow the subject's region of today; what it was called follows the moment asked for.
        return (
            f"(SELECT {s}.subject_id, {s}.public_id, {s}.kind, {s}.uscc, {s}.region_code, {columns}"
            f" FROM subject {s} CROSS JOIN LATERAL (SELECT {said} FROM {registered} r WHERE {shown}) {g}"
            f" WHERE {s}.created_at <= {self.as_of})"
        )
