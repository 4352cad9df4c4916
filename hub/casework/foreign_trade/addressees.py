"""To whom a notification can come: who could never read or answer it is sent none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import asyncpg

from hub.casework.partners import in_force
from hub.rights.agreement import Agreement
from hub.rights.matrix import Scope
from hub.rights.policy import decide
from hub.rules.matrix import load_matrix
from schema.governance import Capability

_REGION = "SELECT region_code FROM subject WHERE subject_id = $1"


async def reached(
    connection: asyncpg.Connection, partners: Iterable[str], subject_id: int | None, today: date
) -> frozenset[str]:
    """Those of `partners` that a notification about this subject comes to."""
    region = await connection.fetchval(_REGION, subject_id)
    known = await in_force(connection, today)
    return frozenset(one for one in partners if one in known and _reachable(known[one], region, today))


def _reachable(agreement: Agreement, region: str | None, today: date) -> bool:
    """Whether a partner can read a notification about a firm of this region and answer it, for a purpose of its agreement."""
    scopes = (
        {Scope.PARTY, Scope.OWN_REGION} if (region or "").startswith(agreement.regions) else {Scope.PARTY}
    )
    given = (decide(load_matrix(), agreement, one, "D35", today) for one in agreement.purposes)
    read = any(grant.scopes <= scopes for decision in given for grant in decision.grants)
    return read and Capability.NOTIFY in agreement.capabilities
