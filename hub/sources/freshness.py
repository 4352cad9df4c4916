"""How recent each source is: read from the store every second, so that answers can say it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from connectors.contract import Mode, Source
from hub.errors import StoreUnavailable
from hub.rights.matrix import Level
from hub.sources.live import Status
from hub.store.reader import Reader

if TYPE_CHECKING:
    # At run time a command that tells how sources stand needs no vocabulary.
    from hub.rights.view import View

_POLL_SECONDS = 1.0
# After so long without a reading nothing is known of any source; a store that was restarted is back sooner.
_TRUSTED_SECONDS = 10.0
STATES = "SELECT source, status, as_of FROM source_state"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """Whether a source could be asked, and how recent its facts are."""

    status: str
    as_of: datetime | None


class Unvouched(NamedTuple):
    """What cannot be denied today, since a source that supplies it does not answer (§0.5)."""

    # Data classes of which some source is missing.
    classes: tuple[str, ...]
    # Each with a source of it that is missing: "D10 CREDIT_PLATFORM".
    by_source: tuple[str, ...]


def unvouched(sources: Mapping[str, Source], incomplete: Iterable[str]) -> Unvouched:
    """What the sources called `incomplete` supply, by the items that they declare."""
    missing = sorted({(item.data_class, name) for name in incomplete for item in sources[name].items})
    return Unvouched(
        tuple(sorted({data_class for data_class, _ in missing})), tuple(" ".join(one) for one in missing)
    )


def doubted(in_doubt: str | bytes | None) -> set[str]:
    """The sources of which a row that names a subject waits in quarantine, by the subject's column `in_doubt` (§0.5)."""
    return {name for sources in orjson.loads(in_doubt or "{}").values() for name in sources}


def harvested_state(source: Source, known: State | None, now: datetime) -> State:
    """The state of a harvested source at `now`, of which the store says `known`."""
    if known is None or known.as_of is None:
        return State("NOT_CONNECTED", None)
    if known.status == "OK" and now - known.as_of > source.freshness.stale_after:
        return State("STALE", known.as_of)
    return known


class SourceStates:
    """The state of every declared source."""

    def __init__(
        self,
        reader: Reader,
        sources: Mapping[str, Source],
        connected: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        """`sources` by name; `connected`: the live ones that this process asks; `clock` gives the present."""
        self.sources = sources
        self._connected = frozenset(connected)
        self._reader = reader
        self._clock = clock
        self._harvested: dict[str, State] = {}
        self._live: dict[str, State] = {}
        self._everything = unvouched(sources, sources)
        self._unvouched = self._everything
        # When the store was last read, by the clock that never goes back.
        self._read_at = float("-inf")
        self._following: asyncio.Task[None] | None = None
        # The kind of the last failure, until the states are read again.
        self._failure: type[Exception] | None = None

    async def start(self) -> None:
        """Read the states now, and every second from now on."""
        await self._read()
        self._following = asyncio.create_task(self._follow(), name="source states")

    async def stop(self) -> None:
        """Stop reading."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def note(self, source: str, status: Status) -> None:
        """What a live source did when it was asked just now. Not when: that would tell others when it was for somebody."""
        self._live[source] = State(str(status), None)

    def state(self, name: str) -> State:
        """The state of a source: unavailable while the store does not say.

        A live one is in the state in which this process found it when it last asked, and has no age: each answer tells its own.
        """
        source = self.sources[name]
        if source.mode is Mode.LIVE:
            return self._live.get(name, self._unasked(name))
        found = harvested_state(source, self._harvested.get(name), self._clock())
        return found if found.as_of is None or self._trusted else State("UNAVAILABLE", found.as_of)

    def stored(self, name: str) -> State:
        """The state of a source for who reads the store alone: a live one was not asked, whatever it told others."""
        return self._unasked(name) if self.sources[name].mode is Mode.LIVE else self.state(name)

    def _unasked(self, name: str) -> State:
        return State("NOT_ASKED" if name in self._connected else "NOT_CONNECTED", None)

    @property
    def unvouched(self) -> Unvouched:
        """What no “no” can be said of: all that any source supplies, while it is not known how they stand."""
        return self._unvouched if self._trusted else self._everything

    @property
    def _trusted(self) -> bool:
        return time.monotonic() - self._read_at < _TRUSTED_SECONDS

    def rows(self, view: View) -> list[dict[str, Any]]:
        """The sources of which this view may see something, as rows of the vocabulary's Source."""
        return [self._row(number, name) for number, name in enumerate(sorted(self.known_to(view)))]

    def known_to(self, view: View) -> Iterable[str]:
        """The sources of which this view may see something."""
        for name, source in self.sources.items():
            if view.allows(tuple({item.data_class for item in source.items}), Level.YES_NO):
                yield name

    def _row(self, number: int, name: str) -> dict[str, Any]:
        source, state = self.sources[name], self.state(name)
        return {
            "ord": number,
            "source": name,
            "title": source.title_zh,
            "status": state.status,
            "as_of": state.as_of,
            "live": source.mode is Mode.LIVE,
            "expected_update_cycle": str(source.freshness),
        }

    async def _read(self) -> None:
        rows = await self._reader.rows(STATES, ())
        self._read_at = time.monotonic()
        self._harvested = {row["source"]: State(row["status"], row["as_of"]) for row in rows}
        incomplete = (name for name in self.sources if self.state(name).status != "OK")
        self._unvouched = unvouched(self.sources, incomplete)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                await self._read()
            # Whatever it is: when nobody follows, what was read last would be told for ever.
            except Exception as error:
                # Said once: a line a second, all night, would hide what else there is to read.
                if self._failure is not type(error):
                    level = logging.WARNING if isinstance(error, StoreUnavailable) else logging.ERROR
                    _log.log(level, "the states of the sources cannot be read", exc_info=error)
                self._failure = type(error)
            else:
                if self._failure is not None:
                    _log.info("the states of the sources are read again")
                self._failure = None
