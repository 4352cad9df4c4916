"""Who may speak for a partner: public keys in its agreement, or the address of its key set (JWKS)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from types import MappingProxyType
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from hub.errors import AgreementInvalid
from hub.rights.agreement_values import array_of, day_of, exactly, once, shown, table_of, text_of

# Algorithm → key type and curve. No symmetric ones and no "none": the issuer alone can sign (RFC 8725 §3.1).
ALGORITHMS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {"EdDSA": ("OKP", "Ed25519"), "ES256": ("EC", "P-256"), "RS256": ("RSA", None), "PS256": ("RSA", None)}
)
# Members of a JWK that only its owner may know (RFC 7518 §6).
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_COORDINATES = {"OKP": ("crv", "x"), "EC": ("crv", "x", "y"), "RSA": ("n", "e")}
# A key's name is only ever compared, and has no character that could lead to a file or an address. One that is a digest
# of its key in base64url, as many issuers make it (RFC 7638), begins with any of these.
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RSA_BITS = (2048, 8192)


@dataclass(frozen=True)
class IssuerKey:
    """One public key of an issuer, for one algorithm, valid on the days from `valid_from` to `valid_to`."""

    iss: str
    kid: str
    alg: str
    # The public key as JWK (RFC 7517): kty and its coordinates only.
    jwk: Mapping[str, str]
    valid_from: date
    valid_to: date


@dataclass(frozen=True)
class KeySet:
    """Where an issuer publishes its public keys, and the algorithms it uses."""

    iss: str
    url: str
    algorithms: frozenset[str]
    valid_from: date
    valid_to: date


def read_issuers(value: object) -> tuple[tuple[IssuerKey, ...], tuple[KeySet, ...]]:
    """Read the `[[issuer]]` tables. Raises AgreementInvalid for what is no public key of ALGORITHMS."""
    keys: list[IssuerKey] = []
    sets: list[KeySet] = []
    for entry in array_of(value, "issuer"):
        table = table_of(entry, "issuer")
        if "jwks_url" in table:
            sets.append(_key_set(table))
        else:
            keys.append(_issuer_key(table))
    for key in keys:
        if [(other.iss, other.kid) for other in keys].count((key.iss, key.kid)) > 1:
            raise AgreementInvalid(f"issuer.kid: {key.iss} names {key.kid} twice")
    once([one.iss for one in sets], "issuer.jwks_url")
    return tuple(keys), tuple(sets)


def _issuer_key(table: Mapping[str, object]) -> IssuerKey:
    exactly(table, ("iss", "kid", "alg", "jwk", "valid_from", "valid_to"), (), "issuer")
    iss, kid = text_of(table["iss"], "issuer.iss"), text_of(table["kid"], "issuer.kid")
    if not _KID.fullmatch(kid):
        raise AgreementInvalid("issuer.kid: 1 to 64 letters, digits, hyphens and underscores")
    alg = _algorithm(table["alg"], "issuer.alg")
    jwk = _public_key(table_of(table["jwk"], "issuer.jwk"), alg, kid)
    valid_from, valid_to = _validity(table)
    return IssuerKey(iss, kid, alg, jwk, valid_from, valid_to)


def _key_set(table: Mapping[str, object]) -> KeySet:
    exactly(table, ("iss", "jwks_url", "algorithms", "valid_from", "valid_to"), (), "issuer")
    algorithms = [
        _algorithm(one, "issuer.algorithms") for one in array_of(table["algorithms"], "issuer.algorithms")
    ]
    if not algorithms:
        raise AgreementInvalid("issuer.algorithms: none")
    url = text_of(table["jwks_url"], "issuer.jwks_url")
    if not _fetchable(url):
        raise AgreementInvalid(
            "issuer.jwks_url: must be an https address without user name (http only to loopback)"
        )
    valid_from, valid_to = _validity(table)
    return KeySet(text_of(table["iss"], "issuer.iss"), url, frozenset(algorithms), valid_from, valid_to)


def _validity(table: Mapping[str, object]) -> tuple[date, date]:
    valid_from = day_of(table["valid_from"], "issuer.valid_from")
    valid_to = day_of(table["valid_to"], "issuer.valid_to")
    if valid_from > valid_to:
        raise AgreementInvalid(f"issuer.valid_to: {valid_to} is before valid_from {valid_from}")
    return valid_from, valid_to


def _algorithm(value: object, where: str) -> str:
    if not isinstance(value, str) or value not in ALGORITHMS:
        raise AgreementInvalid(f"{where}: {shown(value)} is none of {', '.join(ALGORITHMS)}")
    return value


def _fetchable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if host is None or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _public_key(jwk: Mapping[str, object], alg: str, kid: str) -> Mapping[str, str]:
    """The public coordinates of a JWK, which together must be a key; a refusal never repeats them."""
    private = [name for name in PRIVATE if name in jwk]
    if private:
        raise AgreementInvalid(
            f"issuer.jwk: {private[0]} is part of a private key, which must never leave its issuer"
        )
    kty, curve = ALGORITHMS[alg]
    if jwk.get("kty") != kty or jwk.get("crv") != curve:
        raise AgreementInvalid(
            f"issuer.jwk: {alg} needs a key of type {kty}{f' on {curve}' if curve else ''}"
        )
    names = _COORDINATES[kty]
    exactly(jwk, ("kty", *names), ("kid", "alg", "use"), "issuer.jwk")
    for name, expected in (("kid", kid), ("alg", alg), ("use", "sig")):
        if jwk.get(name, expected) != expected:
            raise AgreementInvalid(f"issuer.jwk.{name}: differs from {expected}")
    try:
        _check(kty, {name: _number(jwk[name]) for name in names if name != "crv"})
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise AgreementInvalid(f"issuer.jwk: no usable public key for {alg}") from None
    return MappingProxyType({"kty": kty, **{name: str(jwk[name]) for name in names}})


def _number(value: object) -> bytes:
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise ValueError
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def _check(kty: str, numbers: Mapping[str, bytes]) -> None:
    """Raise ValueError unless the numbers are a key: a point on its curve, a modulus of 2048 to 8192 bits."""
    if kty == "OKP":
        Ed25519PublicKey.from_public_bytes(numbers["x"])
    elif kty == "EC":
        x, y = (int.from_bytes(numbers[name]) for name in ("x", "y"))
        EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    else:
        n, e = (int.from_bytes(numbers[name]) for name in ("n", "e"))
        if not _RSA_BITS[0] <= n.bit_length() <= _RSA_BITS[1] or not 65537 <= e < 2**32 or e % 2 == 0:
            raise ValueError
        RSAPublicNumbers(e, n).public_key()
