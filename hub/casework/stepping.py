"""Commands that do nothing but take a step of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.casework import engine
from hub.casework.machine import Machine
from hub.casework.work import Command, Made, Work


async def take(work: Work, machine: Machine, transition: str, given: Mapping[str, Any]) -> Made:
    """Take a step of the case that `given` numbers. Errors: those of engine.apply."""
    taken = await engine.apply(
        work.connection, work.machines, machine, given["number"], transition, work.step(given)
    )
    return Made(ids=(taken.case.public_id,))


def stepping(machine: Machine, transition: str) -> Command:
    """The command that takes this step."""

    async def command(work: Work, given: Mapping[str, Any]) -> Made:
        return await take(work, machine, transition, given)

    return command
