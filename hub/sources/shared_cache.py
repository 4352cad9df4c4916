"""The cache of live sources that several workers share, in Redis or Valkey; loaded only where HUB_REDIS_URL is set."""

from __future__ import annotations

from typing import Any

from aiocache.backends.redis import RedisCache
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from hub.errors import SettingInvalid

_TIMEOUT = 0.1


def shared_cache(url: str, serializer: Any) -> Any:
    """aiocache over the server at `url`, which answers within a tenth of a second or not at all.

    Errors: SettingInvalid for an address with options that are none; each question would fail by them.
    """
    cache = RedisCache(serializer=serializer, namespace="hub:rows", timeout=_TIMEOUT)
    # aiocache's own reading of addresses loses the user name and does not know rediss.
    try:
        cache.client = Redis.from_url(
            url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        # Most options are looked at where a connection is made; this one is never opened.
        pool = cache.client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (RedisError, TypeError, ValueError):
        raise SettingInvalid(
            "HUB_REDIS_URL: its options are not those of Redis", variable="HUB_REDIS_URL"
        ) from None
    return cache
