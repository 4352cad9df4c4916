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
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from connectors.tls import trusted
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


class _Trouble(StrEnum):
    """What can be wrong with a key set."""

    AWAY = "its last good set counts for a day at most"
    NO_KEY = "nothing in it is a key that its agreement lets count, so no token of it is taken"
    NONE_COUNTS = "none of its sets counts, so no token of it is taken"


class InForce(Protocol):
    """The agreements in force (hub/rights/agreement.py)."""

    epoch: int

    def get(self, partner: str, today: date) -> Agreement:
        """The agreement of a partner on a day. Raises AgreementNotInForce, or StoreUnavailable."""

    def in_force(self) -> Sequence[Agreement]:
        """All of them."""

    def at_hand(self) -> Sequence[Agreement]:
        """All of them, and those that may be in force within a day or at a word."""

    async def changed(self, since: int) -> int:
        """Wait until the epoch is no longer `since`."""


@dataclass(frozen=True)
class _Published:
    """What stood at an address, whatever agreement names it: one that is extended or narrowed waits for no issuer."""

    keys: Sequence[object]
    fetched_at: datetime
    _read: dict[KeySet, Mapping[str, IssuerKey]] = field(default_factory=dict)

    def of(self, key_set: KeySet) -> Mapping[str, IssuerKey]:
        """Key id → key, of those that `key_set` lets count."""
        found = self._read.get(key_set)
        if found is None:
            found = self._read[key_set] = published_keys(self.keys, key_set)
        return found


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
        # By address.
        self._published: dict[str, _Published] = {}
        # What is wrong with each set, as the log said last; by address and issuer, which an extended agreement keeps.
        self._told: Mapping[tuple[str, str], _Trouble] = {}
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
            if key_set.iss == iss and key_set.valid_from <= today <= key_set.valid_to:
                published = self._counting(key_set.url)
                return None if published is None else published.of(key_set).get(kid)
        return None

    async def refresh(self) -> None:
        """Fetch the key sets that the agreements name; failures are logged, never raised.

        Of agreements at hand, too: one that begins at midnight has its keys then, and one that is suspended keeps what
        its issuer published last and loses what it withdrew, whether or not the issuer answers when it is reinstated.
        """
        urls = {key_set.url for agreement in self._agreements.at_hand() for key_set in agreement.key_sets}
        wanted = {key_set for agreement in self._agreements.in_force() for key_set in agreement.key_sets}
        failed = await self._fetch_all(sorted(urls))
        counting = {url: one for url in urls if (one := self._counting(url))}
        self._generation += counting.keys() != self._published.keys()
        self._published = counting
        self._tell(wanted, failed)

    def _counting(self, url: str) -> _Published | None:
        """What was last fetched from an address, as long as it counts."""
        found = self._published.get(url)
        return found if found is not None and self._clock() - found.fetched_at <= LAST_GOOD else None

    def _tell(self, wanted: Collection[KeySet], failed: Mapping[str, str]) -> None:
        """Say of each set once what is wrong with it, and when nothing is any more: a line a minute would hide the others."""
        told: dict[tuple[str, str], _Trouble] = {}
        for key_set in wanted:
            called, published = (key_set.url, key_set.iss), self._counting(key_set.url)
            if published is None:
                told[called] = _Trouble.NONE_COUNTS
            elif not published.of(key_set):
                told[called] = _Trouble.NO_KEY
            elif key_set.url in failed:
                told.setdefault(called, _Trouble.AWAY)
        for url, iss in sorted({(key_set.url, key_set.iss) for key_set in wanted}):
            before, now, why = self._told.get((url, iss)), told.get((url, iss)), failed.get(url)
            if now is before:
                continue
            name = f"key set {url} of {iss}"
            if now is None:
                logger.info("%s: in order again", name)
            else:
                level = logging.WARNING if now is _Trouble.AWAY else logging.ERROR
                logger.log(level, "%s: %s%s", name, f"{why}; " if why else "", now)
        self._told = told

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

    async def _fetch_all(self, urls: Sequence[str]) -> Mapping[str, str]:
        """Fetch each address; each set counts once it is there, whatever others do. What failed, and why.

        No client is made, and no certificates are read, where there is no address to ask.
        """
        if not urls:
            return {}
        # Loaded where there is an address: it brings a command line with it, 5 MB of memory.
        import httpx

        # Neither proxies of the environment nor redirects: the address is the one in the agreement.
        async with httpx.AsyncClient(
            timeout=self._patience, trust_env=False, verify=trusted(), follow_redirects=False
        ) as client:
            whys = await asyncio.gather(*(self._fetch(client, url) for url in urls))
        return {url: why for url, why in zip(urls, whys, strict=True) if why is not None}

    async def _fetch(self, client: httpx.AsyncClient, url: str) -> str | None:
        """Hold the `keys` member of the set at `url`; why not, when there is no usable answer in time."""
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
        except Exception as error:
            # Whatever it is: one issuer's fault must not keep the keys of others from being fetched.
            return str(error) or type(error).__name__
        last = self._published.get(url)
        self._published[url] = _Published(keys, self._clock())
        self._generation += last is None or last.keys != keys
        return None


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
