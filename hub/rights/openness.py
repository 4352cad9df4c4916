"""Who may have rows of which openness (公开属性): the dated rows of hub/rules/openness.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from hub.rights.matrix import Scope


@dataclass(frozen=True)
class Openness:
    """(partner class, sharing attribute) → the scopes under which a row may be had."""

    rows: Mapping[tuple[str, str], frozenset[Scope]]

    def of(self, partner_class: str) -> Mapping[str, frozenset[Scope]]:
        """Sharing attribute → scopes, for one partner class; what is absent may not be had."""
        return {
            attribute: scopes
            for (partner, attribute), scopes in self.rows.items()
            if partner == partner_class
        }


def load_openness() -> Openness:
    """The rows as shipped. Raises ValueError for an unknown scope."""
    text = files("hub.rules").joinpath("openness.toml").read_text(encoding="utf-8")
    return Openness(
        {
            (partner, row["attribute"]): frozenset(Scope(name) for name in row["scopes"])
            for row in tomllib.loads(text)["openness"]
            for partner in row["partners"]
        }
    )
