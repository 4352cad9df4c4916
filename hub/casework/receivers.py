"""Which unit handles what a subject hands in by itself."""

from __future__ import annotations

from functools import cache

import asyncpg

from hub.casework.work import Work
from hub.errors import AgreementInvalid, GuardRefused
from hub.rights.agreement import NEWEST
from hub.rights.agreement_file import Agreement, read_agreement
from hub.rights.matrix import Capability, Matrix
from hub.rules.matrix import load_matrix

# The department's own divisions, and those of prefectures and counties.
_DEPARTMENT, _LOCAL = "P1", "P2"


@cache
def _matrix() -> Matrix:
    return load_matrix()


async def receiver(work: Work, region_code: str | None, named: str | None) -> str:
    """The partner that handles a case about a subject of this region: the one that is `named`, else the department.

    Raises GuardRefused: no unit with that name, or at all, does casework for that region by an agreement in force.
    """
    classes = (_DEPARTMENT,) if named is None else (_DEPARTMENT, _LOCAL)
    for one in await _in_force(work):
        if (
            one.partner_class in classes
            and Capability.CASEWORK in one.capabilities
            and (named is None or one.partner == named)
            and (region_code or "").startswith(one.regions)
        ):
            return one.partner
    raise GuardRefused(reason="RECEIVER_UNKNOWN")


async def _in_force(work: Work) -> list[Agreement]:
    rows: list[asyncpg.Record] = await work.connection.fetch(NEWEST)
    found = []
    for row in rows:
        if row["suspended_at"] is not None:
            continue
        try:
            one = read_agreement(row["document"], _matrix(), work.today)
        except AgreementInvalid:
            # The gateway has told of it; nobody works under such an agreement.
            continue
        if one.in_force(work.today):
            found.append(one)
    return found
