"""The sources: found by walking the connectors, connected as the settings say."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, cast

import connectors
from connectors.contract import Connector, Kind, Source, Tools
from hub.errors import SettingInvalid


class ConnectorModule(Protocol):
    """What a module of a source must have."""

    SOURCE: Source

    def connect(self, settings: Mapping[str, str], tools: Tools) -> Connector:
        """The source, ready to be asked; raises ValueError naming the setting that is unusable."""
        ...


def discover(package: ModuleType = connectors) -> dict[str, ConnectorModule]:
    """The modules in `package` that declare a source, by its name; modules without one serve the others.

    Registers come first: they know what a subject is, and the sources after them only that there is one.
    """
    found: dict[str, ConnectorModule] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        if isinstance(getattr(module, "SOURCE", None), Source) and hasattr(module, "connect"):
            declared = cast(ConnectorModule, module)
            if declared.SOURCE.name in found:
                raise ValueError(f"two connectors declare the source {declared.SOURCE.name}")
            found[declared.SOURCE.name] = declared
    return dict(sorted(found.items(), key=lambda one: not _registers(one[1].SOURCE)))


def _registers(source: Source) -> bool:
    return any(item.kind is Kind.REGISTRATION for item in source.items)


def set_up(settings: Mapping[str, str], package: ModuleType = connectors) -> dict[str, ConnectorModule]:
    """The modules of the sources that have a setting; a source without any is not connected."""
    return {
        name: module
        for name, module in discover(package).items()
        if any(settings.get(one.name) for one in module.SOURCE.settings)
    }


def settings_of_sources(package: ModuleType = connectors) -> frozenset[str]:
    """The variables that sources read."""
    return frozenset(one.name for module in discover(package).values() for one in module.SOURCE.settings)


def connect_all(
    settings: Mapping[str, str], tools: Tools, package: ModuleType = connectors
) -> dict[str, Connector]:
    """A connector for each source that is set up.

    Raises SettingInvalid for a source that has some of its settings but not what it needs.
    """
    connected = {}
    for name, module in set_up(settings, package).items():
        try:
            connected[name] = module.connect(settings, tools)
        except ValueError as error:
            raise SettingInvalid(f"{name}: {error}") from None
    return connected
