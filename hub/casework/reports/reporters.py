"""Who reports on a region, whose cases its report counts, and who receives it: by the agreements in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hub.rights.agreement import Agreement
from hub.rules.reports import Reporter
from schema.governance import Capability


@dataclass(frozen=True)
class Reporting:
    """One report's partners. `departments`: of the region and its counties; `recipients`: whom it is made to."""

    region: str
    name: str
    partner: str
    # The partner's own name, as its agreement has it.
    agency: str
    departments: tuple[str, ...]
    # The departments' names, in the same order.
    department_names: tuple[str, ...]
    recipients: tuple[str, ...]


def reporting(
    reporters: Iterable[Reporter], agreements: Iterable[Agreement], gone: Iterable[Agreement] = ()
) -> Mapping[str, Reporting]:
    """Region → its partners. A region whose department has no agreement is left out: nobody could submit. Pure.

    Counties report through their prefecture: the reporter's own region holds theirs, and not the reverse. `gone`: whose
    agreement is in force no more, but whose cases count.
    """
    known = sorted(agreements, key=lambda one: one.partner)
    handling = sorted((*known, *gone), key=lambda one: one.partner)
    found = {}
    for row in reporters:
        near = [one for one in known if row.region.startswith(one.regions)] if known else []
        own = next((one for one in near if Capability.REPORT in one.capabilities), None)
        if own is None:
            continue
        within = row.region[:4]
        departments = tuple(
            one
            for one in handling
            if one.partner_class == own.partner_class
            and one.regions
            and all(region.startswith(within) for region in one.regions)
        )
        found[row.region] = Reporting(
            row.region,
            row.zh,
            own.partner,
            own.name,
            tuple(one.partner for one in departments),
            tuple(one.name for one in departments),
            recipients(row.region, known),
        )
    return found


def recipients(region: str, agreements: Iterable[Agreement]) -> tuple[str, ...]:
    """The partners that the departments of `region` report to: they review there, and report to nobody here. Pure."""
    return tuple(
        one.partner
        for one in sorted(agreements, key=lambda one: one.partner)
        if region.startswith(one.regions)
        and Capability.REVIEW in one.capabilities
        and Capability.REPORT not in one.capabilities
    )
