"""Which scopes hold for one subject and one caller: what `explain` says of a subject."""

from __future__ import annotations

from hub.query.access import TRUE, Access, subject_row
from hub.query.binding import Request, Secrets, binders
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rights.matrix import Level, Scope
from hub.rights.standing import Standing
from hub.rights.view import SUBJECT_SCOPES
from hub.store.reader import Reader

_NO_SECRETS = Secrets(b"", lambda _: "")


async def holding(reader: Reader, standing: Standing, request: Request, code: str) -> dict[str, bool] | None:
    """Scope → whether it holds for the subject with `code`; None when this caller has no such subject."""
    parameters = Parameters()
    access = Access(standing.view, parameters)
    row = subject_row("s")
    scopes = sorted(SUBJECT_SCOPES - {Scope.CONSENT})
    columns = ", ".join(f'{access.scope(scope, row)} AS "{scope}"' for scope in scopes)
    shown = access.classes(row, ("D1",), Level.MASKED)
    key = parameters.bind(FromRef(Constant(code)), "text")
    sql = f"SELECT {columns} FROM subject s WHERE s.uscc = {key} AND s.kind <> 'NATURAL_PERSON'" + (
        "" if shown == TRUE else f" AND {shown}"
    )
    text, sources = parameters.used_in(sql)
    found = await reader.rows(text, [bind(request) for bind in binders(sources, _NO_SECRETS)])
    return {str(scope): bool(found[0][str(scope)]) for scope in scopes} if found else None
