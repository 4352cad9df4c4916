"""Who may have rows of which openness (公开属性): the rows of hub/rules/openness.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from hub.errors import RulesInvalid
from hub.rights.matrix import Scope
from hub.store.values import SHARING

_KEYS = {"attribute", "partners", "scopes", "source_doc", "confirmed_by"}
_PARTNERS = frozenset(f"P{number}" for number in range(1, 13))


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


def load_openness(text: str | None = None) -> Openness:
    """The rows as shipped, or those of `text`. Raises RulesInvalid: one is not whole, names what is unknown, or says it again."""
    if text is None:
        text = files("hub.rules").joinpath("openness.toml").read_text(encoding="utf-8")
    try:
        rows = tomllib.loads(text)["openness"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise RulesInvalid(f"openness.toml: {error}") from None
    found: dict[tuple[str, str], frozenset[Scope]] = {}
    for number, row in enumerate(rows, 1):
        where = f"openness.toml: openness {number}"
        if row.keys() != _KEYS or row["attribute"] not in SHARING:
            raise RulesInvalid(f"{where}: a key or the attribute is unknown or missing")
        if unknown := (set(row["scopes"]) - set(Scope)) | (set(row["partners"]) - _PARTNERS):
            raise RulesInvalid(f"{where}: {min(unknown)} is unknown")
        for partner in row["partners"]:
            if (partner, row["attribute"]) in found:
                raise RulesInvalid(f"{where}: {row['attribute']} of {partner} is said twice")
            found[partner, row["attribute"]] = frozenset(map(Scope, row["scopes"]))
    return Openness(found)
