"""What a caller may know of subjects without a document: which scopes hold for one, and which have a name like this."""

from __future__ import annotations

from typing import Any

from hub.query.access import TRUE, Access, subject_row
from hub.query.binding import Request, Secrets, binders
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rights.matrix import Level, Scope
from hub.rights.standing import Standing
from hub.rights.view import SUBJECT_SCOPES
from hub.store.reader import Reader

_NO_SECRETS = Secrets(b"", lambda _: "", b"")


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
    reader: Reader, standing: Standing, request: Request, key: str, region: str | None, most: int
) -> list[Any]:
    """The subjects shown to this caller whose name key is like `key`, the most alike first; never persons.

    Persons share names, and nobody may look for them so. Gives subject_id, display_name and region_code.
    """
    parameters = Parameters()
    shown = Access(standing.view, parameters).classes(subject_row("s"), ("D1",), Level.MASKED)
    name = parameters.bind(FromRef(Constant(key)), "text")
    within = parameters.bind(FromRef(Constant(region)), "text")
    sql = (
        "SELECT s.subject_id, s.display_name, s.region_code FROM subject s"
        f" WHERE s.kind <> 'NATURAL_PERSON' AND s.name_key % {name}"
        f" AND ({within} IS NULL OR starts_with(s.region_code, {within}))"
        f"{'' if shown == TRUE else f' AND {shown}'} ORDER BY s.name_key <-> {name}, s.subject_id LIMIT {most:d}"
    )
    text, sources = parameters.used_in(sql)
    return await reader.rows(text, [bind(request) for bind in binders(sources, _NO_SECRETS)])
