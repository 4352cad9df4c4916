"""A caller's standing: agreement and purpose → the view, made once and kept while nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.recent import Recent
from hub.rights.agreement import Agreement
from hub.rights.matrix import Matrix, PartnerLimits, Purpose, Scope
from hub.rights.openness import Openness
from hub.rights.policy import Decision, decisions, meet
from hub.rights.view import View
from schema.coordinates import Vocabulary


@dataclass(frozen=True)
class Standing:
    """What holds for every request of a partner for one purpose on one day."""

    agreement: Agreement
    purpose: Purpose
    view: View
    # What a document may hold, and how many subjects one request may name.
    limits: PartnerLimits
    bulk: int


class Standings:
    """Makes standings; the only maker of views."""

    def __init__(self, vocabulary: Vocabulary, matrix: Matrix, openness: Openness) -> None:
        """`matrix` and `openness` are the ceiling; agreements only narrow it."""
        self.vocabulary = vocabulary
        self.matrix = matrix
        self._openness = openness
        self._kept: Recent[tuple[str, Purpose, date], Standing] = Recent(1024)
        # Equal views are one value, so that partners share schemas and plans.
        self._views: Recent[str, View] = Recent(256)

    def of(self, agreement: Agreement, purpose: Purpose, today: date) -> Standing:
        """The standing of the agreement's partner for `purpose`, which its agreement allows."""
        key = (agreement.digest, purpose, today)
        return self._kept.get(key) or self._kept.put(key, self._made(agreement, purpose, today))

    def seen_as(self, own: Standing, other: Standing) -> Standing:
        """`own`'s holder looking through `other`'s eyes: never more than either sees."""
        mine, theirs = own.view, other.view
        met = {name: meet(mine.decisions[name], decision) for name, decision in theirs.decisions.items()}
        sharing = {
            name: scopes | theirs.sharing[name]
            for name, scopes in mine.sharing.items()
            if name in theirs.sharing
        }
        capabilities = mine.capabilities & theirs.capabilities
        view = self._view(
            theirs.purpose,
            capabilities,
            met,
            sharing,
            mine.hidden | theirs.hidden,
            mine.entitled,
            _both(mine.browse, theirs.browse),
        )
        return Standing(other.agreement, other.purpose, view, own.limits, own.bulk)

    def _made(self, agreement: Agreement, purpose: Purpose, today: date) -> Standing:
        view = self._view(
            str(purpose),
            frozenset(str(one) for one in agreement.capabilities),
            decisions(self.matrix, agreement, purpose, today),
            self._openness.of(agreement.partner_class),
            agreement.hidden,
            agreement.partner_class in self.matrix.entitled,
            self.matrix.partners[agreement.partner_class].browse,
        )
        return Standing(agreement, purpose, view, agreement.limits, agreement.limits.bulk)

    def _view(
        self,
        purpose: str,
        capabilities: frozenset[str],
        decided: Mapping[str, Decision],
        sharing: Mapping[str, frozenset[Scope]],
        hidden: frozenset[str],
        entitled: bool,
        browse: frozenset[str] | None,
    ) -> View:
        separate = frozenset(self.matrix.separate_consent)
        view = View(
            self.vocabulary, purpose, capabilities, decided, sharing, separate, hidden, browse, entitled,
            self.matrix.basis["PROCESS"],
        )  # fmt: skip
        return self._views.get(view.digest) or self._views.put(view.digest, view)


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """The classes that may be browsed under both."""
    if one is None or other is None:
        return other if one is None else one
    return one & other
