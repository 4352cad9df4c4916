"""The partners of a command beside its caller: whose agreement is in force today, and which of them owns a source."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache

import asyncpg

from hub.errors import AgreementInvalid
from hub.rights.agreement import NEWEST, Agreement, as_applied, read_applied, usable
from hub.rules.matrix import load_matrix
from schema.coordinates import vocabulary

# The department: what it published or recognized itself is its own to correct.
DEPARTMENT = "P1"
# The department's systems that the matrix does not name, because nobody shares them with it.
OWN = frozenset(
    {
        "COMMERCE",
        "COMMERCE_REGISTERS",
        "OUTBOUND",
        "PREPAID_CARD",
        "REFINED_OIL",
        "EXHIBITION",
        "TRACEABILITY",
    }
)


@lru_cache(maxsize=256)
def _read(document: str, applied_at: datetime) -> Agreement:
    """An agreement as the gateway reads it."""
    return read_applied(document, applied_at, load_matrix(), vocabulary().coordinates)


async def in_force(connection: asyncpg.Connection, today: date) -> Mapping[str, Agreement]:
    """Partner → its agreement, for those in force on `today` and not suspended."""
    # What cannot be used is in force for nobody.
    good, _ = usable(await connection.fetch(NEWEST), _read)
    return {partner: agreement for partner, agreement in good.items() if agreement.in_force(today)}


async def ever_in_force(connection: asyncpg.Connection) -> Mapping[str, Agreement]:
    """Partner → its newest agreement, in force or not: whoever left the hub is still who decided what it decided.

    What cannot be read is left out.
    """
    found = {}
    for row in await connection.fetch(NEWEST):
        with suppress(AgreementInvalid):
            found[row["partner"]] = as_applied(row, _read)
    return found


def department_of(partners: Mapping[str, Agreement], region: str | None) -> str | None:
    """The department's partner that handles what concerns a subject of `region`; None: there is none."""
    own = sorted(name for name, one in partners.items() if one.partner_class == DEPARTMENT)
    near = [name for name in own if region and region.startswith(partners[name].regions)]
    return next(iter(near or own), None)


def owner_of(partners: Mapping[str, Agreement], source: str) -> str | None:
    """The partner that answers for what a source holds: the department for its own systems; None: none has joined.

    The matrix says which class of partner may own a source, an agreement which partner does.
    """
    known = load_matrix().sources.get(source)
    if source in OWN or (known is not None and DEPARTMENT in known.partners):
        return department_of(partners, None)
    return next((name for name, one in sorted(partners.items()) if one.source == source), None)
