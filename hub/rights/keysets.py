"""Which keys speak for partners now: those in their agreements, and those their issuers publish (JWKS).

Key sets (RFC 7517 §5) are fetched in the background and only from addresses that an agreement names: no
request waits for an issuer, and nothing in a token leads anywhere. While an issuer cannot be reached its last
good set counts, for a day at most; a key that it withdraws is gone with the next fetch.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from hub.errors import AgreementInvalid, AgreementNotInForce
from hub.rights.agreement import Agreement
from hub.rights.issuer import ALGORITHMS, PRIVATE, IssuerKey, KeySet, read_issuers

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

# Seconds between two fetches: a withdrawn key is out within a minute.
PERIOD: Final = 45.0
# Seconds that one fetch may take in all.
PATIENCE: Final = 5.0
# How long a set counts that can no longer be fetched.
LAST_GOOD: Final = timedelta(hours=24)
_HEADERS: Final = MappingProxyType({"Accept": "application/json", "Accept-Encoding": "identity"})
_MAX_BYTES: Final = 256 * 1024
_MAX_KEYS: Final = 100

_CURVES: Final = MappingProxyType({(kty, crv): alg for alg, (kty, crv) in ALGORITHMS.items() if crv})
# What of a published key is read: its coordinates, and what would make it private.
_MEMBERS: Final = ("kty", "crv", "x", "y", "n", "e", *PRIVATE)


class InForce(Protocol):
    """The agreements in force (hub/rights/agreement.py)."""

    epoch: int

    def get(self, partner: str, today: date) -> Agreement:
        """The agreement of a partner on a day. Raises AgreementNotInForce, or StoreUnavailable."""

    def in_force(self) -> Sequence[Agreement]:
        """All of them."""

    async def changed(self, since: int) -> int:
        """Wait until the epoch is no longer `since`."""


@dataclass(frozen=True)
class _Held:
    keys: Mapping[str, IssuerKey]
    fetched_at: datetime


class PartnerKeys:
    """The keys of all partners; see `hub.rights.identity.Keys`."""

    def __init__(
        self,
        agreements: InForce,
        clock: Callable[[], datetime],
        period: float = PERIOD,
        patience: float = PATIENCE,
    ) -> None:
        """`period` and `patience` in seconds; call `start` to follow the key sets."""
        self._agreements = agreements
        self._clock = clock
        self._period = period
        self._patience = patience
        self._held: Mapping[KeySet, _Held] = {}
        self._generation = 0
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fetch every key set once, then keep fetching until `close`."""
        # Before the fetch, which may be slow: what the agreements change meanwhile is fetched next.
        epoch = self._agreements.epoch
        await self.refresh()
        self._following = asyncio.create_task(self._follow(epoch), name="key sets")

    async def close(self) -> None:
        """Stop fetching; what is held stays."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    @property
    def epoch(self) -> int:
        """Grows whenever an agreement or a key set changes."""
        return self._agreements.epoch + self._generation

    def key(self, partner: str, iss: str, kid: str, today: date) -> IssuerKey | None:
        """The key with which `iss` may speak for `partner` today; None alike for whatever is unknown.

        Raises StoreUnavailable when nobody can say which agreements are in force.
        """
        try:
            agreement = self._agreements.get(partner, today)
        except AgreementNotInForce:
            return None
        found = agreement.key(iss, kid, today)
        if found is not None:
            return found
        for key_set in agreement.key_sets:
            held = self._held.get(key_set)
            if (
                key_set.iss == iss
                and key_set.valid_from <= today <= key_set.valid_to
                and held is not None
                and self._clock() - held.fetched_at <= LAST_GOOD
            ):
                return held.keys.get(kid)
        return None

    async def refresh(self) -> None:
        """Fetch the key sets that the agreements in force name now; failures are logged, never raised."""
        wanted = {key_set for agreement in self._agreements.in_force() for key_set in agreement.key_sets}
        documents = await self._documents(sorted({key_set.url for key_set in wanted}))
        now = self._clock()
        held: dict[KeySet, _Held] = {}
        for key_set in wanted:
            document = documents[key_set.url]
            last = self._held.get(key_set)
            if document is not None:
                held[key_set] = _Held(published_keys(document, key_set), now)
            elif last is not None and now - last.fetched_at <= LAST_GOOD:
                held[key_set] = last
        changed = {name: one.keys for name, one in held.items()} != {
            name: one.keys for name, one in self._held.items()
        }
        self._held = held
        self._generation += changed

    async def _follow(self, epoch: int) -> None:
        """Fetch again whenever the epoch is no longer `epoch`, of which the last fetch knew, and after each period."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._agreements.changed(epoch), self._period)
            epoch = self._agreements.epoch
            try:
                await self.refresh()
            except Exception:
                # Whatever it was, following must not end with it; the keys held were good.
                logger.exception("the key sets could not be refreshed")

    async def _documents(self, urls: Sequence[str]) -> Mapping[str, Sequence[object] | None]:
        """The keys at each address; no client is made, and no certificates are read, where there is none to ask."""
        if not urls:
            return {}
        # Loaded where there is an address: it brings a command line with it, 5 MB of memory.
        import httpx

        # Neither proxies of the environment nor redirects: the address is the one in the agreement.
        async with httpx.AsyncClient(
            timeout=self._patience, trust_env=False, follow_redirects=False
        ) as client:
            found = await asyncio.gather(*(self._fetch(client, url) for url in urls))
        return dict(zip(urls, found, strict=True))

    async def _fetch(self, client: httpx.AsyncClient, url: str) -> Sequence[object] | None:
        """The `keys` member of the set at `url`; None when there is no usable answer in time."""
        import httpx

        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._patience),
                client.stream("GET", url, headers=_HEADERS) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise ValueError(f"status {response.status_code}")
                # As sent: a compressed answer could grow beyond any bound while it is unpacked.
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        raise ValueError(f"more than {_MAX_BYTES} bytes")
            document = json.loads(body.decode())
            keys = document.get("keys") if isinstance(document, dict) else None
            if not isinstance(keys, list) or len(keys) > _MAX_KEYS:
                raise ValueError(f"no list of at most {_MAX_KEYS} keys")
        except (httpx.HTTPError, OSError, TimeoutError, ValueError, RecursionError) as error:
            logger.warning("key set %s: %s", url, str(error) or type(error).__name__)
            return None
        return keys


def published_keys(published: Sequence[object], key_set: KeySet) -> Mapping[str, IssuerKey]:
    """Key id → key, of a published set: those that sign with an algorithm the agreement allows.

    Others are left out, so that an issuer can publish more than the hub understands; of a key id that stands
    twice, both.
    """
    found: dict[str, IssuerKey] = {}
    named = [jwk.get("kid") for jwk in published if isinstance(jwk, dict)]
    for jwk in published:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or named.count(jwk.get("kid")) > 1:
            continue
        operations = jwk.get("key_ops", ["verify"])
        if not isinstance(operations, list) or "verify" not in operations:
            continue
        alg = _algorithm(jwk, key_set.algorithms)
        if alg is None:
            continue
        table = {
            "iss": key_set.iss,
            "kid": jwk.get("kid"),
            "alg": alg,
            "jwk": {name: jwk[name] for name in _MEMBERS if name in jwk},
            "valid_from": key_set.valid_from,
            "valid_to": key_set.valid_to,
        }
        try:
            ((key,), _) = read_issuers([table])
        except AgreementInvalid:
            continue
        found[key.kid] = key
    return MappingProxyType(found)


def _algorithm(jwk: Mapping[str, object], allowed: Collection[str]) -> str | None:
    """The one algorithm of a published key; None when it is not allowed or cannot be told."""
    named = jwk.get("alg")
    if named is not None:
        return named if isinstance(named, str) and named in allowed else None
    kty, crv = jwk.get("kty"), jwk.get("crv")
    if kty == "RSA":
        possible = [alg for alg in allowed if ALGORITHMS[alg][0] == "RSA"]
        return possible[0] if len(possible) == 1 else None
    alg = _CURVES.get((str(kty), str(crv)))
    return alg if alg in allowed else None
