"""Which unit handles what a subject hands in by itself."""

from __future__ import annotations

from hub.casework.partners import DEPARTMENT, in_force
from hub.casework.work import Work
from hub.errors import GuardRefused
from schema.governance import Capability

# The commerce offices of prefectures and counties.
_LOCAL = "P2"


async def receiver(work: Work, region_code: str | None, named: str | None) -> str:
    """The partner that handles a case about a subject of this region: the one that is `named`, else the department.

    Raises GuardRefused: no unit with that name, or at all, does casework for that region by an agreement in force.
    """
    classes = (DEPARTMENT,) if named is None else (DEPARTMENT, _LOCAL)
    for one in (await in_force(work.connection, work.today)).values():
        if (
            one.partner_class in classes
            and Capability.CASEWORK in one.capabilities
            and (named is None or one.partner == named)
            and (region_code or "").startswith(one.regions)
        ):
            return one.partner
    raise GuardRefused(reason="RECEIVER_UNKNOWN")
