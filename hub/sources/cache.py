"""Rows of live sources, kept for a while below authorization: the same for every partner."""

from __future__ import annotations

import hashlib
import hmac
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import orjson

from hub.sources.breaker import Breaker

# aiocache loads redis wherever it is installed: 20 MB that only a hub with HUB_REDIS_URL has a use for.
_absent = "redis" not in sys.modules
if _absent:
    sys.modules["redis"] = None  # type: ignore[assignment]
try:
    from aiocache import SimpleMemoryCache
finally:
    if _absent:
        del sys.modules["redis"]

# Version of the kept form: entries of another version are not read, so neither are rows that this hub would not take.
_FORM = 2
_REDIS_FAILURES = 3
_REDIS_PAUSE = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """What a source said of one key: rows ready for JSON, when, and until when it need not be asked again."""

    rows: list[dict[str, Any]]
    fetched_at: float
    fresh_until: float
    # Whether every row was understood; otherwise "no such row" must not be concluded.
    complete: bool = True


class _SealedJson:
    """Serializer: JSON behind an HMAC: whoever can write to a shared server cannot make the hub say things.

    Never pickle: reading it would run the writer's code.
    """

    encoding = "utf-8"

    def __init__(self, key: bytes) -> None:
        self._key = key

    def dumps(self, value: object) -> str:
        """Seal `value`."""
        body = orjson.dumps(value)
        return self._mac(body) + body.decode()

    def loads(self, value: str | None) -> Any:
        """The sealed value; None when there is none or the seal is broken."""
        if value is None or not hmac.compare_digest(self._mac(value[64:].encode()), value[:64]):
            return None
        return orjson.loads(value[64:])

    def _mac(self, body: bytes) -> str:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()


class _Memory:
    """aiocache's memory, bounded: by itself it grows for ever, and keeps a timer for every key with a TTL."""

    def __init__(self, most: int, serializer: _SealedJson) -> None:
        self._cache = SimpleMemoryCache(serializer=serializer, timeout=None)
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._most = most

    async def multi_get(self, keys: Sequence[str]) -> Sequence[Any]:
        """As aiocache; reading a key keeps it from being the next to go."""
        for key in keys:
            if key in self._keys:
                self._keys.move_to_end(key)
        values: Sequence[Any] = await self._cache.multi_get(keys)
        return values

    async def multi_set(self, pairs: Sequence[tuple[str, object]]) -> None:
        """As aiocache; the keys least recently used go when there are too many."""
        await self._cache.multi_set(pairs)
        for key, _ in pairs:
            self._keys[key] = None
            self._keys.move_to_end(key)
        while len(self._keys) > self._most:
            oldest, _ = self._keys.popitem(last=False)
            await self._cache.delete(oldest)


class RowCache:
    """Entries by (source, item, key). Never raises: a cache that fails is an empty one."""

    def __init__(
        self,
        key: bytes,
        keep: float,
        redis_url: str | None = None,
        most: int = 50_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep entries for `keep` seconds: in Redis or Valkey, or at most `most` of them in memory.

        `key` seals the entries and hides their names; workers that share a server must have the same.
        """
        self._key, self._keep = key, keep
        serializer = _SealedJson(key)
        # While the server is away, what this process fetches is kept here.
        self._memory = _Memory(most, serializer)
        self._redis: Any = None
        # Whether the log has it that the server is away.
        self._told = False
        self._breaker = Breaker(_REDIS_FAILURES, _REDIS_PAUSE, clock)
        if redis_url is not None:
            self._redis = import_module("hub.sources.shared_cache").shared_cache(redis_url, serializer)

    async def read(self, source: str, item: str, keys: Sequence[str]) -> dict[str, Entry]:
        """The entries there are, fresh or not."""
        names = [self._name(source, item, key) for key in keys]
        values = await self._server("multi_get", names)
        if values is None:
            values = await self._memory.multi_get(names)
        found = {}
        for key, name, value in zip(keys, names, values, strict=True):
            # The name is part of the sealed value: an entry moved to another key is not read.
            if isinstance(value, dict) and value.get("form") == _FORM and value.get("name") == name:
                found[key] = Entry(
                    value["rows"], value["fetched_at"], value["fresh_until"], value["complete"]
                )
        return found

    async def write(self, source: str, item: str, entries: Mapping[str, Entry]) -> None:
        """Keep the entries."""
        pairs: list[tuple[str, object]] = []
        for key, entry in entries.items():
            name = self._name(source, item, key)
            pairs.append(
                (
                    name,
                    {
                        "form": _FORM,
                        "name": name,
                        "rows": entry.rows,
                        "fetched_at": entry.fetched_at,
                        "fresh_until": entry.fresh_until,
                        "complete": entry.complete,
                    },
                )
            )
        if pairs and await self._server("multi_set", pairs, ttl=self._keep) is None:
            await self._memory.multi_set(pairs)

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.client.aclose()

    def _name(self, source: str, item: str, key: str) -> str:
        """Names subjects by digest only, so that neither the server nor a log lists who was asked about."""
        return f"{source}:{item}:{hmac.new(self._key, key.encode(), hashlib.sha256).hexdigest()[:32]}"

    async def _server(self, operation: str, argument: Any, **options: float) -> Any:
        """The server's answer, or None when there is no server or it does not answer."""
        if self._redis is None or not self._breaker.admit():
            return None
        try:
            value = await getattr(self._redis, operation)(argument, **options)
        except Exception as error:
            self._breaker.failed()
            # Once, and not for a question that was slow: a line every two seconds, all night, would hide what else there is
            # to read. Only the kind of error: its words may hold what was to be kept.
            if self._breaker.is_open and not self._told:
                self._told = True
                _log.warning("the shared cache does not answer: %s", type(error).__name__)
            return None
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        if self._told:
            self._told = False
            _log.info("the shared cache answers again")
        return value
