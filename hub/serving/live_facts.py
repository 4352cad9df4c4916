"""Asks the live sources for what a plan shows, of the subjects that it shows, and makes rows of the statement of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from connectors.contract import SHANGHAI, Kind, Mode
from hub.query.binding import Request
from hub.query.live_tables import LIVE, Want, codes, wanted_of_the_past
from hub.query.operations import Compiled
from hub.query.parameters import FromRows
from hub.rights.matrix import Level
from hub.rights.view import View
from hub.sources.freshness import SourceStates
from hub.sources.live import LiveAnswer, LiveSources, Status
from hub.store.reader import Reader

# Which items of a source make rows of which table.
_KINDS = {Kind.GRADE: "grade", Kind.GENERIC: "anomaly"}
# From good to bad.
_ORDER = (Status.OK, Status.STALE, Status.PARTIAL, Status.UNAVAILABLE)


@dataclass(frozen=True)
class Told:
    """What live sources said: rows by the name that the statement has for them, and how the sources did."""

    rows: Mapping[str, Sequence[Any]]
    sources: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LiveFacts:
    """The live sources as answers ask them."""

    states: SourceStates
    live: LiveSources
    reader: Reader

    async def of(
        self,
        compiled: Compiled,
        view: View,
        request: Request,
        bring: Callable[[FromRows], Awaitable[Sequence[Mapping[str, Any]]]],
    ) -> Told:
        """What the plan shows of live sources. `bring` gives other rows that the plan's roots need."""
        wants = self._wants(view)
        keys = await self._keys(compiled, tuple(wants), request, bring)
        asked = [want for want in wants if keys.get(want.key)]
        answers = await asyncio.gather(
            *(self.live.ask(want.source, keys[want.key], wants[want]) for want in asked)
        )
        by_source: dict[str, list[LiveAnswer]] = {}
        rows: dict[str, list[Any]] = {one.rows: [] for one in LIVE.values()}
        incomplete: dict[str, set[str]] = {}
        known: dict[str, set[str]] = {}
        for want, answer in zip(asked, answers, strict=True):
            by_source.setdefault(want.source, []).append(answer)
            known.setdefault(want.target, set()).update(keys[want.key])
            incomplete.setdefault(want.target, set()).update(answer.incomplete)
            name = next(one.rows for one in LIVE.values() if one.target == want.target)
            rows[name] += [_row(one) for one in answer.rows]
        for table in LIVE.values():
            if table.answered:
                told = known.get(table.target, set()) - incomplete.get(table.target, set())
                rows[table.answered] = sorted(told)
        past = wanted_of_the_past(compiled.plan, wants) if by_source else frozenset()
        return Told(rows, [self._said(name, found, name in past) for name, found in by_source.items()])

    def _wants(self, view: View) -> dict[Want, list[str]]:
        """What the view may be shown of live sources, and the catalogue items it is asked by."""
        wants: dict[Want, list[str]] = {}
        for name, source in self.states.sources.items():
            for item in source.items if source.mode is Mode.LIVE else ():
                table = _KINDS.get(item.kind)
                if table is not None and view.allows((item.data_class,), Level.MASKED):
                    wants.setdefault(Want(name, LIVE[table].target), []).append(item.code)
        return wants

    async def _keys(
        self,
        compiled: Compiled,
        wants: tuple[Want, ...],
        request: Request,
        bring: Callable[[FromRows], Awaitable[Sequence[Mapping[str, Any]]]],
    ) -> Mapping[str, list[str]]:
        found = compiled.keys_of(wants)
        if found is None:
            return {}
        statement, bound = found
        # Pages of candidates and explanations bring their own rows; those of the full statement fit.
        for wanted in statement.rows:
            request.rows.setdefault(wanted, b"[]")
            if wanted.name == "candidates":
                request.rows[wanted] = orjson.dumps(await bring(wanted))
        row = await self.reader.row(statement.sql, [bind(request) for bind in bound], statement.anew)
        keys: dict[str, set[str]] = {}
        for key, code in codes(orjson.loads(row[0])):
            keys.setdefault(key, set()).add(code)
        return {key: sorted(several) for key, several in keys.items()}

    def _said(self, name: str, answers: Sequence[LiveAnswer], past: bool) -> Mapping[str, Any]:
        """How a source did in all that it was asked for this answer; `past`: the answer tells of an earlier moment, too."""
        found = {one.status for one in answers}
        worst = max(found, key=_ORDER.index)
        status = Status.PARTIAL if worst is Status.UNAVAILABLE and len(found) > 1 else worst
        fetched: list[datetime] = [one.as_of for one in answers if one.as_of is not None]
        if any(one.asked for one in answers):
            # What was remembered says nothing about how the source is now.
            self.states.note(name, status)
        if past and status is not Status.UNAVAILABLE:
            # It vouches for what holds now: what is not told of the earlier moment is unknown, not absent.
            status = Status.PARTIAL
        as_of = min(fetched).astimezone(SHANGHAI) if fetched else None
        return {"source": name, "status": str(status), "asOf": as_of}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A live row with the columns that a stored one has. Its id is the same at each asking."""
    named = hashlib.sha256(f"{row['source']}/{row['source_record_id']}".encode()).digest()
    return {
        **row,
        "uscc": row["key"],
        "public_id": str(UUID(bytes=named[:16], version=4)),
        "recorded_at": row["fetched_at"],
        "superseded_at": None,
    }
