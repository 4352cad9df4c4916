"""The hub as it is, but for its quota; and the same hub without rights, or without its ledger, to know what these cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.applications import Starlette

from hub.app import Application, running
from hub.config import Settings
from hub.ledger.chain import Disclosure, Ledger
from hub.rights.agreement import Agreement, Agreements
from hub.rights.matrix import Grant, Level, Matrix, Purpose, Quota, Scope, WithheldReason
from hub.rights.openness import Openness, load_openness
from hub.rights.policy import Decision
from hub.rights.standing import Standing, Standings
from hub.rights.view import ENDED, View
from hub.serving.answers import Answers, Parts
from hub.serving.gateway import Gateway
from hub.store.values import SHARING
from schema.coordinates import Vocabulary
from schema.governance import DATA_CLASSES

# A partner's day has a million subjects; a benchmark asks for more of them in a minute.
BOUNDLESS = Quota(subjects_per_day=10**15, requests_per_second=10**9)


class Lifted(Agreements):
    """Agreements as they are, with a quota that is counted and never used up."""

    def __init__(self, real: Agreements) -> None:
        self._real = real
        self._lifted: dict[int, Agreement] = {}

    def get(self, partner: str, today: date) -> Agreement:
        found = self._real.get(partner, today)
        lifted = self._lifted.get(id(found))
        if lifted is None:
            lifted = self._lifted[id(found)] = replace(found, quota=BOUNDLESS)
        return lifted


class WithoutRights(Standings):
    """Gives every caller a view of everything: every class in full, in every row, whatever its openness."""

    def __init__(self, vocabulary: Vocabulary, matrix: Matrix, openness: Openness) -> None:
        super().__init__(vocabulary, matrix, openness)
        self._without: dict[int, Standing] = {}

    def of(self, agreement: Agreement, purpose: Purpose, today: date) -> Standing:
        real = super().of(agreement, purpose, today)
        without = self._without.get(id(real))
        if without is None:
            without = self._without[id(real)] = replace(real, view=_everything(real.view))
        return without


def _everything(view: View) -> View:
    everything = {
        name: Decision(name, (Grant(Level.FULL, frozenset(), ""),), WithheldReason.OK, "")
        # What has ended stays out: that is the life of a record, not a right.
        for name in DATA_CLASSES
        if name != ENDED
    }
    sharing: dict[str, frozenset[Scope]] = dict.fromkeys(SHARING, frozenset())
    return replace(view, decisions=everything, sharing=sharing, hidden=frozenset(), browse=None)


class WithoutLedger(Ledger):
    """Takes note of nothing, at once."""

    async def record(self, entry: Disclosure) -> None:
        """Not written."""

    def submit(self, entry: Disclosure) -> asyncio.Future[None]:
        """Not written."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def create_hub(settings: Settings, *, rights: bool = True, ledger: bool = True) -> Application:
    """The hub as hub.app makes it, with the parts that `varied` changes."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with running(settings) as hub:
            parts = varied(hub.parts, rights=rights, ledger=ledger)
            application.gateway = Gateway(Answers(parts), hub.observer, settings.max_body_bytes)
            yield
            application.gateway = None

    # No figures: nobody asks for them here.
    application = Application(Starlette(lifespan=lifespan), Starlette())
    return application


def varied(parts: Parts, *, rights: bool, ledger: bool) -> Parts:
    """`parts` with quotas lifted, and without rights or without a ledger where these are False."""
    changed: dict[str, Any] = {"agreements": Lifted(parts.agreements)}
    if not rights:
        changed["standings"] = WithoutRights(
            parts.standings.vocabulary, parts.standings.matrix, load_openness()
        )
    if not ledger:
        changed["ledger"] = WithoutLedger("")
    return replace(parts, **changed)
