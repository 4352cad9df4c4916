"""A view's decisions as SQL predicates over rows. Pure; the only place where rights become SQL."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from hub.query.parameters import Context, Parameters
from hub.query.relations import ROW_BY_ROW, TABLES, Table
from hub.rights.matrix import Level, Scope
from hub.rights.view import ENDED, PUBLISHED, SUBJECT_SCOPES, View
from hub.store.values import SHARING
from schema.governance import Capability

TRUE, FALSE = "TRUE", "FALSE"
# The facts that a natural person is known by: the person exists for whoever is shown one of them.
MENTIONS = {"record": ("D5", "D8"), "list_entry": ("D11",)}
# What stands for a row's alias, and for that of its subject, in predicates that hold for any row of a table: SQL has no
# such signs in it.
_ALIAS, _SUBJECT = "\x01", "\x02"
# Figures of units are those of their reports, whatever they count and whomever it is about.
_FIGURES = ("D43",)
_OF_UNITS = replace(TABLES["case_file"], data_class="", subject="NULL::bigint", party="", sent="")


@dataclass(frozen=True)
class Row:
    """A row in the FROM clause: its alias, its table, and the alias of its subject's row where that is at hand."""

    alias: str
    table: Table
    subject_alias: str = ""

    @property
    def subject_id(self) -> str:
        """SQL: whose row it is."""
        return (
            f"{self.subject_alias}.subject_id"
            if self.subject_alias
            else self.table.subject.format(t=self.alias)
        )


def quoted(values: Iterable[str]) -> str:
    """SQL string literals of names that the vocabulary or the policy defines, never of a caller's."""
    return ", ".join(["'" + value.replace("'", "''") + "'" for value in values])


def held(row: Row, as_of: str = "") -> str:
    """SQL: the hub holds this version of the row, or held it at the moment whose placeholder is `as_of`.

    Of what has no versions it says that the hub had it: how it stood then nobody kept.
    """
    if not row.table.fact:
        return f"{row.alias}.{row.table.since} <= {as_of}" if as_of and row.table.since else TRUE
    if not as_of:
        return f"{row.alias}.superseded_at IS NULL"
    return (
        f"{row.alias}.recorded_at <= {as_of}"
        f" AND ({row.alias}.superseded_at IS NULL OR {row.alias}.superseded_at > {as_of})"
    )


def any_of(terms: list[str]) -> str:
    """SQL: one of `terms` holds."""
    if TRUE in terms:
        return TRUE
    kept = list(dict.fromkeys([term for term in terms if term != FALSE]))
    return FALSE if not kept else kept[0] if len(kept) == 1 else f"({' OR '.join(kept)})"


def all_of(terms: list[str]) -> str:
    """SQL: all of `terms` hold."""
    if FALSE in terms:
        return FALSE
    kept = list(dict.fromkeys([term for term in terms if term != TRUE]))
    return TRUE if not kept else " AND ".join([f"({t})" if " OR " in t and t[0] != "(" else t for t in kept])


class Access:
    """Predicates of one view."""

    def __init__(self, view: View, parameters: Parameters) -> None:
        """Bind what the predicates need through `parameters`."""
        self._view = view
        self._parameters = parameters
        # Predicates by what they ask, and of which table.
        self._known: dict[tuple[Hashable, Table, str], str] = {}

    def _of(self, row: Row, asked: Hashable, write: Callable[[Row], str]) -> str:
        """SQL: what `write` says of `row`, written once for all rows of its table of which the same is `asked`."""
        own = row.subject_alias == row.alias
        subject = "" if not row.subject_alias else _ALIAS if own else _SUBJECT
        place = (asked, row.table, subject)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = write(Row(_ALIAS, row.table, subject))
        return known.replace(_ALIAS, row.alias).replace(_SUBJECT, row.subject_alias)

    @property
    def today(self) -> str:
        """The placeholder of today's date."""
        return self._parameters.context(Context.TODAY, "date")

    def classes(self, row: Row, classes: tuple[str, ...], least: Level, subject_only: bool = False) -> str:
        """SQL: the row carries one of `classes` and the view gives at least `least` of it here.

        Where the table has no class of its own, `classes` are the type's and any of them suffices.
        `subject_only`: leave out grants that depend on more than the row's subject.
        """
        asked = ("classes", classes, least, subject_only)
        return self._of(row, asked, lambda one: self._classes(one, classes, least, subject_only))

    def _classes(self, row: Row, classes: tuple[str, ...], least: Level, subject_only: bool) -> str:
        by_scope: dict[tuple[frozenset[Scope], str], list[str]] = {}
        for data_class in classes:
            for grant in self._view.grants(data_class, least):
                if subject_only and not grant.scopes <= SUBJECT_SCOPES:
                    continue
                # A consent names its classes, so rows under consent are not grouped with others.
                key = (grant.scopes, data_class if Scope.CONSENT in grant.scopes else "")
                by_scope.setdefault(key, []).append(data_class)
        terms = []
        for (scopes, consented), found in by_scope.items():
            parts = [self.scope(scope, row, consented) for scope in sorted(scopes)]
            if row.table.data_class:
                column = row.table.data_class.format(t=row.alias)
                listed = quoted(found)
                parts.insert(0, f"{column} IN ({listed})" if len(found) > 1 else f"{column} = {listed}")
            terms.append(all_of(parts))
        return any_of(terms)

    def of_units(self, alias: str) -> str:
        """SQL: the unit that handles the case in `alias` is one whose figures are shown: by its region, and one's own."""
        shown = self.classes(Row(alias, _OF_UNITS), _FIGURES, Level.FULL)
        if shown in (TRUE, FALSE):
            return shown
        return any_of([shown, f"{alias}.owner = {self._parameters.context(Context.PARTNER, 'text')}"])

    def copied(self, case: Row, classes: Mapping[str, tuple[str, ...]], least: Level) -> str:
        """SQL: the record or list entry that `case` is about is shown at least so; `classes` by table.

        Who handles the case has it in its own sealed file, whatever its purpose shows elsewhere.
        """
        terms = []
        for table, known in classes.items():
            shown = self.visible(Row("e", TABLES[table]), known, least)
            if shown != FALSE:
                current = f"e.public_id = {case.alias}.target_public_id AND e.superseded_at IS NULL"
                terms.append(f"EXISTS (SELECT FROM {table} e WHERE {all_of([current, shown])})")
        return any_of([*terms, self.handles(case)])

    def handles(self, case: Row) -> str:
        """SQL: the caller's unit handles `case`: not who looks through its eyes, who has no casework."""
        if Capability.CASEWORK not in self._view.capabilities:
            return FALSE
        return f"{case.alias}.owner = {self._parameters.context(Context.PARTNER, 'text')}"

    def of_process(self, case: Row) -> str:
        """SQL: how `case` was handled may be told: where what comes of it is published, to its parties and to auditors alone."""
        if self._view.tells_process:
            return TRUE
        kept = f"{case.alias}.data_class NOT IN ({quoted(PUBLISHED)})"
        return any_of([kept, self._filled(case.table.party, case)])

    def to_party(self, row: Row, classes: tuple[str, ...]) -> str:
        """SQL: a case of one of `classes` about the subject in `row` would be shown to this caller as its party."""
        return any_of(
            [
                all_of([self.scope(s, row, one) for s in sorted(grant.scopes) if s in SUBJECT_SCOPES])
                for one in classes
                for grant in self._view.grants(one, Level.MASKED)
            ]
        )

    def scope(self, scope: Scope, row: Row, data_class: str = "") -> str:
        """SQL: the scope holds for the row."""
        bind = self._parameters.context
        if scope in SUBJECT_SCOPES and not row.table.subject:
            return TRUE
        match scope:
            case Scope.OWN_REGION:
                regions = bind(Context.REGIONS, "text[]")
                within = f"EXISTS (SELECT FROM unnest({regions}) p WHERE starts_with(%s.region_code, p))"
                about = (
                    within % row.subject_alias
                    if row.subject_alias
                    else f"EXISTS (SELECT FROM subject z WHERE z.subject_id = {row.subject_id} AND {within % 'z'}"
                    + ROW_BY_ROW
                )
                if not row.table.regional:
                    return about
                # What a unit took up in its region, or what came to it there, it goes on with, wherever the firm moves:
                # nobody else could.
                party, sent = (
                    self._filled(one, row) if one else FALSE for one in (row.table.party, row.table.sent)
                )
                owner = f"{row.alias}.owner = {bind(Context.PARTNER, 'text')}"
                taken = any_of([f"{row.subject_id} IS NULL", owner, party])
                return any_of([about, f"{taken} AND {within % row.alias}", sent])
            case Scope.OWN_MEMBER | Scope.OWN_MERCHANT:
                kind = "MEMBER" if scope is Scope.OWN_MEMBER else "MERCHANT"
                return (
                    f"EXISTS (SELECT FROM affiliation f WHERE f.subject_id = {row.subject_id}"
                    f" AND f.partner = {bind(Context.PARTNER, 'text')} AND f.kind = '{kind}'"
                    f" AND f.valid_from <= {self.today} AND (f.valid_to IS NULL OR f.valid_to >= {self.today}))"
                )
            case Scope.SELF:
                own = bind(Context.SELF, "text")
                itself = f"{row.subject_id} = (SELECT z.subject_id FROM subject z WHERE z.uscc = {own})"
                if row.subject_alias:
                    itself = f"{row.subject_alias}.uscc = {own}"
                return all_of([itself, row.table.told.format(t=row.alias) or TRUE])
            case Scope.OWN_SOURCE:
                if not row.table.fact:
                    return FALSE
                return f"{row.alias}.source = {bind(Context.OWN_SOURCE, 'text')}"
            case Scope.CONSENT:
                now = bind(Context.NOW, "timestamptz")
                # Without a class of its own the consent must name the row's.
                column = row.table.data_class.format(t=row.alias) or "''"
                named = f"'{data_class}'" if data_class else column
                personal = self._view.separate
                listed = quoted(sorted(personal, key=lambda one: int(one[1:])))
                separate = f" AND (c.separate_consent OR {named} NOT IN ({listed}))"
                if data_class:
                    separate = " AND c.separate_consent" if data_class in personal else ""
                return (
                    f"EXISTS (SELECT FROM consent c WHERE c.subject_id = {row.subject_id}"
                    f" AND c.grantee = {bind(Context.PARTNER, 'text')}"
                    f" AND {bind(Context.PURPOSE, 'text')} = ANY (c.purposes) AND {named} = ANY (c.data_classes)"
                    f" AND c.valid_from <= {now} AND {now} < c.valid_to"
                    f" AND (c.withdrawn_at IS NULL OR c.withdrawn_at > {now}){separate})"
                )
            case Scope.PARTY:
                # Rows with parties say whose they are; no other row has any.
                return self._filled(row.table.party, row) if row.table.party else FALSE

    def sharing(self, row: Row, data_class: str = "") -> str:
        """SQL: the row's openness (公开属性) lets this view have it; `data_class` where it has none of its own."""
        if not row.table.fact:
            return TRUE
        return self._of(row, ("sharing", data_class), lambda one: self._sharing(one, data_class))

    def _sharing(self, row: Row, data_class: str) -> str:
        column = f"{row.alias}.sharing_attribute"
        by_scope: dict[frozenset[Scope], list[str]] = {}
        for attribute, scopes in sorted(self._view.sharing.items()):
            by_scope.setdefault(scopes, []).append(attribute)
        if len(by_scope.get(frozenset(), ())) == len(SHARING):
            return TRUE
        return any_of(
            [
                all_of(
                    [
                        f"{column} IN ({quoted(found)})",
                        *(self.scope(scope, row, data_class) for scope in sorted(scopes)),
                    ]
                )
                # The plainest test first: it decides for most rows.
                for scopes, found in sorted(by_scope.items(), key=lambda one: len(one[0]))
            ]
        )

    def in_use(self, row: Row) -> str:
        """SQL: the row is in publicity and in use today."""
        if not row.table.in_use:
            return TRUE
        return self._of(row, "in_use", lambda one: self._filled(one.table.in_use, one))

    def _filled(self, text: str, row: Row) -> str:
        """A table's SQL about a row, with what it asks of the request."""
        bind = self._parameters.context
        return text.format_map(
            {
                "t": row.alias,
                **({"today": self.today} if "{today}" in text else {}),
                **({"partner": bind(Context.PARTNER, "text")} if "{partner}" in text else {}),
                **({"self": bind(Context.SELF, "text")} if "{self}" in text else {}),
                **({"entry": self._rests_on_shown_entry(row)} if "{entry}" in text else {}),
            }
        )

    def _rests_on_shown_entry(self, case: Row) -> str:
        """SQL: the list entry that `case` rests on, if it rests on one, exists for this view."""
        shown = self.visible(
            Row("entry", TABLES["list_entry"]), self._view.vocabulary.classes_of("list_entry")
        )
        own = (
            f"entry.public_id = {case.alias}.target_public_id AND entry.subject_id = {case.alias}.subject_id"
            " AND entry.superseded_at IS NULL"
        )
        entry = f"EXISTS (SELECT FROM list_entry entry WHERE {all_of([own, shown])}{ROW_BY_ROW}"
        return f"({case.alias}.target_public_id IS NULL OR {entry})"

    def visible(self, row: Row, classes: tuple[str, ...], least: Level = Level.MASKED) -> str:
        """SQL: the row exists for this view. Ended rows exist only where the class of ended rows (D9) is given too."""
        return self._of(row, ("visible", classes, least), lambda one: self._visible(one, classes, least))

    def _visible(self, row: Row, classes: tuple[str, ...], least: Level) -> str:
        named = "" if row.table.data_class else classes[0] if classes else ""
        shown = all_of([self.classes(row, classes, least), self.sharing(row, named)])
        if not row.table.in_use or shown == FALSE:
            return shown
        in_use = self.in_use(row)
        ended_grants = self._view.grants(ENDED, Level.MASKED)
        if not row.table.ended or not ended_grants:
            return all_of([shown, in_use])
        ended = any_of([self._ended(row, grant.scopes) for grant in ended_grants])
        return all_of([shown, any_of([in_use, ended])])

    def _ended(self, row: Row, scopes: frozenset[Scope]) -> str:
        """SQL: the row is an ended one that a grant with `scopes` is about."""
        text = row.table.ended if scopes else row.table.audited or row.table.ended
        return all_of(
            [text.format(t=row.alias), *(self.scope(scope, row, ENDED) for scope in sorted(scopes))]
        )

    def still_visible(self, row: Row, now: str, classes: tuple[str, ...], least: Level = Level.MASKED) -> str:
        """SQL: the version that counts now, of a row that may be an earlier one, exists for this view; `now`: its alias.

        What was told once is shown while the present version is: openness that was narrowed binds the past too. Of the same
        subject: what turned out to be another's was corrected (5.4), and is nothing that its first one had.
        """
        present = Row(now, row.table, row.subject_alias)
        of_both = " AND ".join(f"{now}.{one} = {row.alias}.{one}" for one in ("public_id", "subject_id"))
        same = f"{of_both} AND {held(present)}"
        shown = self.visible(present, classes, least)
        return f"EXISTS (SELECT FROM {row.table.name} {now} WHERE {same} AND {shown})"

    def person(self, row: Row, least: Level = Level.MASKED) -> str:
        """SQL: of the natural person in `row` some fact is shown at least so."""
        return self._of(row, ("person", least), lambda one: self._person(one, least))

    def _person(self, row: Row, least: Level) -> str:
        terms = []
        for table, classes in MENTIONS.items():
            fact = Row("e", TABLES[table], row.subject_alias or row.alias)
            shown = self.visible(fact, classes, least)
            if shown != FALSE:
                current = f"e.subject_id = {row.subject_id} AND e.superseded_at IS NULL"
                terms.append(f"EXISTS (SELECT FROM {table} e WHERE {all_of([current, shown])})")
        return any_of(terms)


def subject_row(alias: str) -> Row:
    """The row of a subject."""
    return Row(alias, TABLES["subject"], alias)
