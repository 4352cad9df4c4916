"""What a caller may know of subjects without a document: which scopes hold for one, and which have a name like this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hub.query.access import TRUE, Access, Row, all_of, subject_row
from hub.query.binding import Request, Secrets, binders
from hub.query.document import DocumentLimits
from hub.query.parameters import FromRef, Parameters, Source
from hub.query.plan import Constant
from hub.query.relations import RELATIONS, TABLES
from hub.query.sql.draft import Draft
from hub.query.sql.visibility import Visibility
from hub.rights.matrix import Level, Scope
from hub.rights.standing import Standing
from hub.rights.view import SUBJECT_SCOPES, View
from hub.store.reader import Reader

_FORMER_NAMES = "subject.former_names"
_NO_SECRETS = Secrets(b"", lambda _: "", b"")


class Sought(NamedTuple):
    """A name that is looked for: its key, and those of its trade name, and of the trade name with what it needs to be long."""

    key: str
    trade_name: str
    core: str


async def holding(
    reader: Reader, standing: Standing, request: Request, code: str
) -> tuple[int, dict[str, bool]] | None:
    """The id of the subject with `code`, and scope → whether it holds; None when this caller has no such subject."""
    parameters = Parameters()
    access = Access(standing.view, parameters)
    row = subject_row("s")
    scopes = sorted(SUBJECT_SCOPES - {Scope.CONSENT})
    columns = ", ".join(f'{access.scope(scope, row)} AS "{scope}"' for scope in scopes)
    shown = access.classes(row, ("D1",), Level.MASKED)
    key = parameters.bind(FromRef(Constant(code)), "text")
    sql = (
        f"SELECT s.subject_id, {columns} FROM subject s WHERE s.uscc = {key} AND s.kind <> 'NATURAL_PERSON'"
        + ("" if shown == TRUE else f" AND {shown}")
    )
    text, sources = parameters.used_in(sql)
    found = await reader.rows(text, [bind(request) for bind in binders(sources, _NO_SECRETS)])
    if not found:
        return None
    return found[0]["subject_id"], {str(scope): bool(found[0][str(scope)]) for scope in scopes}


async def alike(
    reader: Reader, standing: Standing, request: Request, sought: Sought, region: str | None, most: int
) -> list[Any]:
    """Names like the one sought, or with it in them, of the subjects shown to this caller; never of persons.

    Persons share names, and nobody may look for them so. Gives subject_id, display_name and whether it is a former name:
    at most `most` of those that are borne now, and as many of those that the caller is shown as former ones. Those with
    the trade name in them come first, then the most alike.
    """
    text, sources = likeness(standing.view, sought, region, most)
    return await reader.rows(text, [bind(request) for bind in binders(sources, _NO_SECRETS)])


def likeness(view: View, sought: Sought, region: str | None, most: int) -> tuple[str, Sequence[Source]]:
    """The SQL of `alike`, and its parameters. Pure."""
    draft, row = Draft(view, DocumentLimits.statement), subject_row("s")
    name, trade_name, core = (draft.parameters.bind(FromRef(Constant(one)), "text") for one in sought)
    within = draft.parameters.bind(FromRef(Constant(region)), "text")
    subject = all_of(
        [
            "s.kind <> 'NATURAL_PERSON'",
            f"({within} IS NULL OR starts_with(s.region_code, {within}))",
            draft.access.classes(row, ("D1",), Level.MASKED),
        ]
    )

    def named(alias: str) -> str:
        # A key has no sign that means anything to LIKE, and fewer characters than three are in no index.
        parts = {sought.core: core, sought.key: name}
        held = [f"{alias}.name_key LIKE '%' || {one} || '%'" for part, one in parts.items() if len(part) >= 3]
        return f"({' OR '.join([f'{alias}.name_key % {name}', *held])})"

    def nearest(alias: str) -> str:
        # What has another trade name is another firm, however alike the rest is: 青海…商贸有限公司.
        return f"strpos({alias}.name_key, {trade_name}) = 0, {alias}.name_key <-> {name}"

    sql = (
        "SELECT s.subject_id, s.display_name, FALSE AS former FROM subject s"
        f" WHERE {named('s')} AND {subject} ORDER BY {nearest('s')}, s.subject_id LIMIT {most:d}"
    )
    former = _shown_former_name(draft, row)
    if former:
        sql = (
            # A name stands in many versions.
            f"({sql}) UNION ALL (SELECT s.subject_id, r.display_name, TRUE FROM registration r, subject s"
            f" WHERE {named('r')} AND {former} AND {subject} GROUP BY s.subject_id, r.display_name, r.name_key"
            f" ORDER BY {nearest('r')}, s.subject_id, r.display_name LIMIT {most:d})"
        )
    return draft.parameters.used_in(sql)


def _shown_former_name(draft: Draft, subject: Row) -> str:
    """SQL: `r` tells a former name of `subject`, and the view shows it there; empty: it shows none in full anywhere."""
    types = [
        coordinate.partition(".")[0]
        for coordinate, rule in draft.vocabulary.rules.items()
        if rule.target == _FORMER_NAMES and draft.view.tells_by((coordinate, "FormerName.name"))
    ]
    if not types:
        return ""
    relation = RELATIONS[_FORMER_NAMES]
    row = Row("r", TABLES[relation.table], subject.alias)
    return all_of(
        [
            relation.join.format(t=row.alias, p=subject.alias),
            draft.is_type(subject, types),
            Visibility(draft).of_types(row, ("FormerName",), former=True),
        ]
    )
