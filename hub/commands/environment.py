"""What a command is given from outside: the settings of its environment, and the time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches

from hub.config import Settings, declared_settings
from hub.sources.discovery import settings_of_sources

# Where a running demo says at which addresses its sandboxes are.
SANDBOXES = "sandboxes.json"
# Variables that commands take, and no settings.
_OF_COMMANDS = frozenset({"HUB_TOKEN", "HUB_URL"})


def present() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


def settings() -> Settings:
    """The settings of this environment; beside a running demo, its sources too. Errors: SettingInvalid."""
    configured = Settings.from_env(os.environ)
    sandboxes = configured.state_dir / SANDBOXES
    if configured.demo and sandboxes.exists():
        return Settings.from_env({**json.loads(sandboxes.read_text()), **os.environ})
    return configured


def unread(configured: Settings) -> Iterator[str]:
    """A line for each variable of this environment that nothing reads: without it, nobody would notice a misspelt one."""
    read = {one.variable for one in declared_settings()} | settings_of_sources() | _OF_COMMANDS
    for variable in sorted(configured.others.keys() - read):
        near = get_close_matches(variable, read, 1)
        yield f"nothing reads the setting {variable}" + (f"; is {near[0]} meant?" if near else "")
