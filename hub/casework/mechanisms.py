"""The modules in which the mechanisms are declared, found by walking the packages of hub.casework."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import hub.casework


@cache
def modules() -> tuple[Any, ...]:
    """All modules of hub.casework, those of its packages among them, by name."""
    return tuple(import_module(name) for name in sorted(_names()))


def _names() -> Iterator[str]:
    for found in pkgutil.walk_packages(hub.casework.__path__, "hub.casework."):
        yield found.name


def declared(name: str) -> dict[Any, Any]:
    """What all modules together declare under `name`, as one mapping."""
    return {key: value for module in modules() for key, value in getattr(module, name, {}).items()}
