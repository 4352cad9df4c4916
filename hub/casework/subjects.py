"""The subject that a command is about, found with the caller's rights."""

from __future__ import annotations

from typing import Any

from hub.casework.work import Work
from hub.errors import SubjectUnknown
from hub.query.access import Access, all_of, subject_row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rights.policy import Level


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
