"""The cache of live sources that several workers share, in Redis or Valkey; loaded only where HUB_REDIS_URL is set."""

from __future__ import annotations

from typing import Any

from aiocache.backends.redis import RedisCache
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_TIMEOUT = 0.1


def shared_cache(url: str, serializer: Any) -> Any:
    """aiocache over the server at `url`, which answers within a tenth of a second or not at all."""
    cache = RedisCache(serializer=serializer, namespace="hub:rows", timeout=_TIMEOUT)
    # aiocache's own reading of addresses loses the user name and does not know rediss.
    cache.client = Redis.from_url(
        url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
    return cache
