"""The mechanisms that this hub has, found by walking hub.casework: machines, commands by target, and what queries read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from hub.casework.machine import Machine
from hub.casework.mechanisms import modules
from hub.casework.work import Command, Reading, Viewing
from hub.errors import RulesInvalid
from schema.coordinates import vocabulary
from schema.governance import Shape


@dataclass(frozen=True)
class Registry:
    """All that casework can do."""

    machines: Mapping[str, Machine]
    commands: Mapping[str, Command]
    readings: Mapping[str, Reading]
    viewings: Mapping[str, Viewing]


@cache
def registry() -> Registry:
    """What the modules of hub.casework declare as MACHINES, COMMANDS, READINGS and VIEWINGS.

    Raises RulesInvalid when one is said twice, or a command of the vocabulary has nobody who does it.
    """
    machines: dict[str, Machine] = {}
    commands: dict[str, Command] = {}
    readings: dict[str, Reading] = {}
    viewings: dict[str, Viewing] = {}
    for module in modules():
        own = {machine.mechanism: machine for machine in getattr(module, "MACHINES", ())}
        for known, more in (
            (machines, own),
            (commands, getattr(module, "COMMANDS", {})),
            (readings, getattr(module, "READINGS", {})),
            (viewings, getattr(module, "VIEWINGS", {})),
        ):
            twice = set(known) & set(more)
            if twice:
                raise RulesInvalid(f"casework: {min(twice)} is declared twice")
            known.update(more)
    declared = {rule.target for rule in vocabulary().rules.values() if rule.shape is Shape.COMMAND}
    if declared != set(commands):
        raise RulesInvalid(f"casework: declared or done, but not both: {declared ^ set(commands)}")
    return Registry(
        MappingProxyType(machines),
        MappingProxyType(commands),
        MappingProxyType(readings),
        MappingProxyType(viewings),
    )
