"""A desk at the hub for tests of casework: asks over HTTP as a demo partner, and reads the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.hub_server import ProvinceHub

LICENSING = ("ADMINISTRATIVE_LICENSING", "SW-XK-OIL")


@dataclass(frozen=True)
class Desk:
    """One partner that works for one purpose on one matter."""

    hub: ProvinceHub
    partner: str = "commerce"
    purpose: str = LICENSING[0]
    matter: str | None = LICENSING[1]
    case: str | None = "BJ-2026-0001"

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """The whole answer, errors and all."""
        more = {"Hub_Purpose": self.purpose, **headers}
        if self.matter is not None:
            more["Hub_Matter"] = self.matter
        if self.case is not None:
            more["Hub_Case"] = self.case
        answer: dict[str, Any] = json.loads(
            self.hub.post(query, variables or {}, self.partner, **more).content
        )
        return answer

    def done(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The data of an answer without errors."""
        answer = self.ask(query, variables, **headers)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def refused(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """The extensions of the one error of a refused request, with its message."""
        answer = self.ask(query, variables, **headers)
        assert "errors" in answer, answer
        (error,) = answer["errors"]
        return {"message": error["message"], **error["extensions"]}
