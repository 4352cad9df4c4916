"""A bearer token becomes a Caller: JWT of the access-token profile (RFC 9068), asymmetric keys only.

The key is chosen by us, never by the token: the partner's agreement says which issuer keys speak for it, and
the token's `kid` is only compared with their names. What PyJWT leaves open by default is closed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, NoReturn, Protocol
from unicodedata import category
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.types import Options

from connectors.contract import SHANGHAI
from hub.errors import SettingInvalid, Unauthenticated
from hub.rights.agreement import today_in
from hub.rights.agreement_file import PARTNER_NAME
from hub.rights.compact import read_compact
from hub.rights.issuer import ALGORITHMS, IssuerKey
from schema.identifiers import is_uscc

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey

MAX_TOKEN_BYTES: Final = 8 * 1024
# Seconds that the clocks of issuer and hub may differ.
LEEWAY: Final = 30
# Seconds between `iat` and `exp`: the usual bound, and the widest that can be configured.
LIFETIME: Final = 8 * 3600
MAX_LIFETIME: Final = 24 * 3600
# Verified tokens that are remembered; some 10 MB.
CAPACITY: Final = 10_000

_BEARER: Final = re.compile(rb"bearer +(.*)", re.IGNORECASE | re.DOTALL)
# Of any token, of which an agreement then knows the kid or not: only one that an agreement may name is ever found.
_KID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# Officers and token ids are written to the ledger and to logs: no spaces at the ends, no control characters.
_NAME: Final = re.compile(r"(?=\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,128}(?<=\S)")
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
_MAX_ROLES: Final = 32
# The last second of the year 9999, beyond which Python has no dates.
_MAX_TIME: Final = 253_402_300_799

# Times are checked here, against the caller's `now`; PyJWT would ask the machine's clock.
_OPTIONS: Final = Options(
    require=["iss", "aud", "sub", "iat", "exp", "jti"],
    strict_aud=True,
    enforce_minimum_key_length=True,
    verify_exp=False,
    verify_nbf=False,
    verify_iat=False,
)


class TokenFault(StrEnum):
    """Why a token was refused: all that a caller is told, in `extensions.reason`."""

    MISSING = "missing"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    BAD_CLAIMS = "bad_claims"


_WORDS: Final = {
    TokenFault.MISSING: "The request carries no bearer token.",
    TokenFault.MALFORMED: "The bearer token is not an access token of this hub's form.",
    TokenFault.EXPIRED: "The token has expired.",
    TokenFault.NOT_YET_VALID: "The token is not valid yet.",
    TokenFault.UNKNOWN_KEY: "No key of this name speaks for this partner.",
    TokenFault.BAD_SIGNATURE: "The token's signature does not hold.",
    TokenFault.BAD_CLAIMS: "The token's claims are not those of an access token for this hub.",
}


@dataclass(frozen=True)
class Caller:
    """Who asks, as a verified token says."""

    partner: str
    officer: str
    roles: frozenset[str]
    purpose: str | None
    # USCC of the authenticated subject, for those who ask about themselves.
    subject: str | None
    token_id: str
    # Seconds since 1970, UTC.
    expires_at: float


class Keys(Protocol):
    """The keys that speak for partners now."""

    @property
    def epoch(self) -> int:
        """Differs whenever a key may have gone: what was verified before is then verified again."""

    def key(self, partner: str, iss: str, kid: str, today: date) -> IssuerKey | None:
        """The key with which `iss` may speak for `partner` today; None alike for whatever is unknown."""


class Tokens:
    """Verifies tokens for one audience, and remembers those it has verified by their SHA-256."""

    def __init__(
        self,
        keys: Keys,
        audience: str,
        lifetime: float = LIFETIME,
        leeway: float = LEEWAY,
        capacity: int = CAPACITY,
    ) -> None:
        """`lifetime`: the longest `exp` − `iat` accepted, in seconds; over MAX_LIFETIME: SettingInvalid."""
        if not 0 < lifetime <= MAX_LIFETIME:
            raise SettingInvalid(f"The lifetime of tokens must be 1 to {MAX_LIFETIME} seconds.")
        self._keys = keys
        self._audience = audience
        self._lifetime = lifetime
        self._leeway = leeway
        self._capacity = capacity
        self._jwt = jwt.PyJWT()
        self._epoch = keys.epoch
        # SHA-256 of the header's value → caller, and until when; the oldest first.
        self._verified: dict[bytes, tuple[Caller, float]] = {}
        self._prepared: dict[tuple[str, ...], jwt.PyJWK] = {}

    def verify(self, authorization: bytes | str | None, now: float) -> Caller:
        """Return who sent this Authorization header's value at `now` (seconds since 1970).

        Raises Unauthenticated with `reason` (see TokenFault), and StoreUnavailable when nobody can say which
        agreements are in force.
        """
        if not authorization:
            _refuse(TokenFault.MISSING)
        if len(authorization) > MAX_TOKEN_BYTES:
            _refuse(TokenFault.MALFORMED)
        if isinstance(authorization, str):
            # HTTP headers are bytes; a character beyond them cannot have come from one.
            authorization = authorization.encode("latin-1", "replace")
        epoch = self._keys.epoch
        if epoch != self._epoch:
            self._verified.clear()
            self._prepared.clear()
            self._epoch = epoch
        digest = sha256(authorization).digest()
        known = self._verified.get(digest)
        if known is not None:
            if now < known[1]:
                return known[0]
            del self._verified[digest]
        caller, until = self._verify(authorization, now)
        self._remember(digest, caller, until, now)
        return caller

    def _verify(self, authorization: bytes, now: float) -> tuple[Caller, float]:
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None:
            _refuse(TokenFault.MISSING)
        token = bearer[1]
        try:
            header, claims = read_compact(token)
        except ValueError:
            _refuse(TokenFault.MALFORMED)
        if not header.keys() <= _HEADER:
            # crit, jku, x5u, jwk, x5c, b64, zip … would let the token say how it is to be verified.
            _refuse(TokenFault.MALFORMED)
        alg, kid, typ = (header.get(name) for name in ("alg", "kid", "typ"))
        if not isinstance(alg, str) or not isinstance(kid, str) or not _KID.fullmatch(kid):
            _refuse(TokenFault.MALFORMED)
        iss, partner = claims.get("iss"), claims.get("partner")
        if not isinstance(iss, str) or not isinstance(partner, str) or not PARTNER_NAME.fullmatch(partner):
            _refuse(TokenFault.BAD_CLAIMS)
        key = self._keys.key(partner, iss, kid, today_in(datetime.fromtimestamp(now, UTC)))
        if key is None:
            _refuse(TokenFault.UNKNOWN_KEY)
        if alg != key.alg or alg not in ALGORITHMS:
            _refuse(TokenFault.BAD_SIGNATURE)
        if self._signed_claims(token, key) != claims:
            _refuse(TokenFault.MALFORMED)
        # Whoever has no key learns nothing of what follows.
        if not isinstance(typ, str) or typ.lower() not in _TYPES:
            _refuse(TokenFault.BAD_CLAIMS)
        expires_at = self._expiry(claims, now)
        caller = Caller(
            partner=partner,
            officer=_name(claims["sub"]),
            roles=_roles(claims.get("roles", [])),
            purpose=_optional(claims.get("purpose"), _WORD),
            subject=_subject(claims.get("subject")),
            token_id=_name(claims["jti"]),
            expires_at=expires_at,
        )
        return caller, min(expires_at + self._leeway, _end_of(key.valid_to))

    def _signed_claims(self, token: bytes, key: IssuerKey) -> object:
        """The claims as PyJWT verified them."""
        name = (key.iss, key.kid, key.alg, *(f"{part}={value}" for part, value in sorted(key.jwk.items())))
        try:
            prepared = self._prepared.get(name)
            if prepared is None:
                prepared = self._prepared[name] = jwt.PyJWK(dict(key.jwk), key.alg)
            return self._jwt.decode(
                token, prepared, [key.alg], _OPTIONS, audience=self._audience, issuer=key.iss
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError, jwt.PyJWKError):
            _refuse(TokenFault.BAD_SIGNATURE)
        except jwt.PyJWTError:
            _refuse(TokenFault.BAD_CLAIMS)

    def _expiry(self, claims: Mapping[str, object], now: float) -> float:
        issued, expires = _seconds(claims["iat"]), _seconds(claims["exp"])
        not_before = _seconds(claims["nbf"]) if "nbf" in claims else issued
        if not 0 < expires - issued <= self._lifetime:
            _refuse(TokenFault.BAD_CLAIMS)
        if expires + self._leeway <= now:
            _refuse(TokenFault.EXPIRED)
        if max(issued, not_before) > now + self._leeway:
            _refuse(TokenFault.NOT_YET_VALID)
        return expires

    def _remember(self, digest: bytes, caller: Caller, until: float, now: float) -> None:
        if len(self._verified) >= self._capacity:
            ended = [known for known, (_, end) in self._verified.items() if end <= now]
            # When all are still valid, a tenth goes, the oldest, so that this is rare.
            for known in ended or list(self._verified)[: self._capacity // 10 + 1]:
                del self._verified[known]
        self._verified[digest] = (caller, until)


def issue(
    private_key: PrivateKey,
    *,
    alg: str,
    kid: str,
    iss: str,
    audience: str,
    partner: str,
    officer: str,
    now: float,
    lifetime: float,
    purpose: str | None = None,
    roles: Iterable[str] = (),
    subject: str | None = None,
) -> str:
    """Sign a token as an issuer does; the hub itself does so for the demonstration only.

    `now` and `lifetime` in seconds; the token's id is new.
    """
    claims: dict[str, object] = {
        "iss": iss,
        "aud": audience,
        "sub": officer,
        "partner": partner,
        "iat": int(now),
        "exp": int(now + lifetime),
        "jti": uuid4().hex,
    }
    optional = {"purpose": purpose, "roles": sorted(roles) or None, "subject": subject}
    claims |= {name: value for name, value in optional.items() if value is not None}
    return jwt.encode(claims, private_key, alg, {"kid": kid, "typ": "at+jwt"})


def bad_claims() -> Unauthenticated:
    """The refusal of a token whose claims this partner's tokens may not make."""
    return Unauthenticated(_WORDS[TokenFault.BAD_CLAIMS], reason=TokenFault.BAD_CLAIMS.value)


def _refuse(reason: TokenFault) -> NoReturn:
    # Without what was being handled: nothing of the token may reach a log by way of a traceback.
    raise Unauthenticated(_WORDS[reason], reason=reason.value) from None


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TIME:
        _refuse(TokenFault.BAD_CLAIMS)
    return float(value)


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        _refuse(TokenFault.BAD_CLAIMS)
    return value


def _name(value: object) -> str:
    name = _text(value, _NAME)
    # Two names that look alike would be one to whoever reads the ledger, and one of these turns the rest of its line around.
    if any(category(one) == "Cf" for one in name):
        _refuse(TokenFault.BAD_CLAIMS)
    return name


def _optional(value: object, form: re.Pattern[str]) -> str | None:
    return None if value is None else _text(value, form)


def _roles(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > _MAX_ROLES:
        _refuse(TokenFault.BAD_CLAIMS)
    return frozenset(_text(role, _WORD) for role in value)


def _subject(value: object) -> str | None:
    # As the store spells it: folding here would let one subject have several spellings.
    if value is not None and not (
        isinstance(value, str) and re.fullmatch("[0-9A-Z]{18}", value) and is_uscc(value)
    ):
        _refuse(TokenFault.BAD_CLAIMS)
    return value


def _end_of(day: date) -> float:
    """The moment at which a day ends in Shanghai, in seconds since 1970."""
    if day.year >= 9999:
        return _MAX_TIME
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI).timestamp()
