"""In which states a record or a list entry has not ended, so that it may still be repaired, revoked or suspended. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# The column of a table that tells the state, and the states in which a row goes on.
_STATE_OF: Final[Mapping[str, str]] = {"record": "lifecycle", "list_entry": "state"}
ONGOING: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("EFFECTIVE", "UNDER_OBJECTION", "SUSPENDED"),
    "list_entry": ("RECOGNIZED", "PUBLISHED", "SUSPENDED"),
}


def goes_on(table: str, row: Mapping[str, Any]) -> bool:
    """Whether a row of `table` has not ended; rows of other tables have no such states."""
    return table in ONGOING and row[_STATE_OF[table]] in ONGOING[table]


def going_on(table: str, alias: str) -> str:
    """SQL: the row `alias` of `table` has not ended."""
    states = ", ".join(f"'{state}'" for state in ONGOING[table])
    return f"{alias}.{_STATE_OF[table]} IN ({states})"
