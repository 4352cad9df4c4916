"""The subjects that a command is about, found with the caller's rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.casework.work import Work
from hub.errors import SubjectUnknown
from hub.query.access import TRUE, Access, all_of, subject_row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rights.matrix import Level


async def subject_of(work: Work, code: str) -> Any:
    """A subject that the caller may see, by its code. Raises SubjectUnknown."""
    parameters = Parameters()
    access = Access(work.view, parameters)
    named = parameters.bind(FromRef(Constant(code)), "text")
    found = await work.rows(
        "SELECT s.subject_id, s.uscc, s.display_name, s.region_code, s.kind FROM subject s WHERE "  # noqa: S608
        + all_of([f"s.uscc = {named}", access.classes(subject_row("s"), ("D1",), Level.MASKED)]),
        parameters,
    )
    if not found:
        raise SubjectUnknown
    return found[0]


async def beyond(work: Work, classes: tuple[str, ...], codes: Sequence[str]) -> Mapping[str, int]:
    """Code → id of the subjects about whom the caller would not be shown a case of `classes`: it may open none.

    Unknown subjects, and those that the caller is not shown either, are not among them.
    """
    parameters = Parameters()
    access = Access(work.view, parameters)
    case = access.to_party(subject_row("s"), classes)
    if case == TRUE:
        return {}
    named = parameters.bind(FromRef(Constant(list(codes))), "text[]")
    shown = access.classes(subject_row("s"), ("D1",), Level.MASKED)
    found = await work.rows(
        "SELECT s.subject_id, s.uscc FROM subject s WHERE "  # noqa: S608 -- placeholders only
        + all_of([f"s.uscc = ANY ({named})", f"NOT ({case})", shown]),
        parameters,
    )
    return {row["uscc"]: row["subject_id"] for row in found}


async def refused_for(work: Work, code: str) -> None:
    """A refusal is about to tell of whoever has this code, the caller is shown it or not: the ledger shall say so."""
    found = await work.connection.fetch("SELECT subject_id FROM subject WHERE uscc = $1", code)
    work.seen.update(row["subject_id"] for row in found)
