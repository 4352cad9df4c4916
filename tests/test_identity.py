"""Tokens: only those that a partner's own issuer signed for this hub, now; everything else is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from hub.errors import AgreementNotInForce, SettingInvalid, Unauthenticated
from hub.rights.agreement import Agreement, Agreements, IssuerKey, KeySet, read_agreement
from hub.rights.agreement_store import apply_agreements, suspend_agreement
from hub.rights.identity import CAPACITY, MAX_LIFETIME, MAX_TOKEN_BYTES, Caller, TokenFault, Tokens, issue
from hub.rights.keysets import LAST_GOOD, PartnerKeys, published_keys
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import PARTNERS, demo_agreements
from hub.sandbox.issuer import FILE, ISSUER, demo_issuer
from tests.conftest import Database

SHANGHAI = timezone(timedelta(hours=8))
MORNING = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
NOW = MORNING.timestamp()
AUDIENCE = "credit-sharing-hub"
MATRIX = load_matrix()

MALL = ed25519.Ed25519PrivateKey.generate()
CUSTOMS = ec.generate_private_key(ec.SECP256R1())
TAX = rsa.generate_private_key(65537, 2048)
STRANGER = ed25519.Ed25519PrivateKey.generate()


def public_jwk(key: Any) -> dict[str, str]:
    """The public half of a key, as an issuer would write it down."""
    kinds = ((ed25519.Ed25519PrivateKey, OKPAlgorithm), (ec.EllipticCurvePrivateKey, ECAlgorithm))
    kind = next((algorithm for cls, algorithm in kinds if isinstance(key, cls)), RSAAlgorithm)
    jwk = kind.to_jwk(key.public_key(), as_dict=True)
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}


def issuer_table(iss: str, kid: str, alg: str, key: Any, until: str = "2027-12-31") -> str:
    jwk = ", ".join(f'{name} = "{value}"' for name, value in public_jwk(key).items())
    return (
        f'\n[[issuer]]\niss = "{iss}"\nkid = "{kid}"\nalg = "{alg}"\njwk = {{ {jwk} }}\n'
        f"valid_from = 2026-01-01\nvalid_to = {until}\n"
    )


def key_set_table(iss: str, url: str, algorithms: str = '"EdDSA", "ES256"') -> str:
    return (
        f'\n[[issuer]]\niss = "{iss}"\njwks_url = "{url}"\nalgorithms = [{algorithms}]\n'
        "valid_from = 2026-01-01\nvalid_to = 2027-12-31\n"
    )


def agreement_text(partner: str, issuers: str) -> str:
    demo = demo_agreements(IssuerKey("x", "x", "EdDSA", public_jwk(MALL), date(2026, 1, 1), date(2027, 1, 1)))
    return demo[partner].partition("\n[[issuer]]")[0] + issuers


def agreement(partner: str, issuers: str) -> Agreement:
    return read_agreement(agreement_text(partner, issuers), MATRIX, MORNING.date())


class Book:
    """Agreements in force, held without a store; a change is told as the store's are."""

    def __init__(self, *agreements: Agreement) -> None:
        self.epoch = 0
        self._held = {each.partner: each for each in agreements}
        self._changed = asyncio.Event()

    def get(self, partner: str, today: date) -> Agreement:
        if partner not in self._held:
            raise AgreementNotInForce
        return self._held[partner]

    def in_force(self) -> Sequence[Agreement]:
        return tuple(self._held.values())

    def at_hand(self) -> Sequence[Agreement]:
        return self.in_force()

    async def changed(self, since: int) -> int:
        while self.epoch == since:
            await self._changed.wait()
        return self.epoch

    def put(self, *agreements: Agreement) -> None:
        self._held = {each.partner: each for each in agreements}
        self.epoch += 1
        self._changed.set()
        self._changed = asyncio.Event()


MALL_AGREEMENT = agreement("mall", issuer_table("https://id.mall.example", "mall-1", "EdDSA", MALL))
CUSTOMS_AGREEMENT = agreement("customs", issuer_table("https://id.customs.example", "c1", "ES256", CUSTOMS))
TAX_AGREEMENT = agreement("tax", issuer_table("https://id.tax.example", "t1", "RS256", TAX))


@pytest.fixture
def book() -> Book:
    return Book(MALL_AGREEMENT, CUSTOMS_AGREEMENT, TAX_AGREEMENT)


@pytest.fixture
def tokens(book: Book) -> Tokens:
    return Tokens(PartnerKeys(book, lambda: MORNING), AUDIENCE)


HEADER = {"alg": "EdDSA", "kid": "mall-1", "typ": "at+jwt"}
CLAIMS = {
    "iss": "https://id.mall.example",
    "aud": AUDIENCE,
    "sub": "officer-7",
    "partner": "mall",
    "iat": NOW - 60,
    "exp": NOW + 3_600,
    "jti": "01J8ZK",
}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sealed(header: bytes, claims: bytes, sign: Callable[[bytes], bytes] = MALL.sign) -> str:
    """A token of exactly these bytes."""
    signing = f"{encoded(header)}.{encoded(claims)}"
    return f"{signing}.{encoded(sign(signing.encode()))}"


def token(
    claims: Mapping[str, object] | None = None,
    header: Mapping[str, object] | None = None,
    sign: Callable[[bytes], bytes] = MALL.sign,
    without: Sequence[str] = (),
) -> str:
    """A good token of the mall, changed as said."""
    full_header = {name: value for name, value in {**HEADER, **(header or {})}.items() if name not in without}
    full_claims = {name: value for name, value in {**CLAIMS, **(claims or {})}.items() if name not in without}
    return sealed(json.dumps(full_header).encode(), json.dumps(full_claims).encode(), sign)


def refused(tokens: Tokens, authorization: bytes | str | None, now: float = NOW) -> str:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(authorization, now)
    assert caught.value.extensions.keys() == {"reason"}
    return str(caught.value.extensions["reason"])


# What is accepted


def test_a_good_token_says_who_asks(tokens: Tokens) -> None:
    claims = {"roles": ["clerk", "lead"], "purpose": "MERCHANT_ADMISSION", "subject": "91630000MA0000010X"}
    claims["subject"] = "91350100M000100Y43"
    caller = tokens.verify(f"Bearer {token(claims)}", NOW)
    assert caller == Caller(
        "mall",
        "officer-7",
        frozenset({"clerk", "lead"}),
        "MERCHANT_ADMISSION",
        "91350100M000100Y43",
        "01J8ZK",
        NOW + 3_600,
    )
    bare = tokens.verify(f"Bearer {token()}", NOW)
    assert (bare.roles, bare.purpose, bare.subject) == (frozenset(), None, None)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_is_read_as_rfc_9110_says(tokens: Tokens, scheme: str) -> None:
    assert tokens.verify(scheme + token(), NOW).partner == "mall"
    assert tokens.verify((scheme + token()).encode(), NOW).partner == "mall"


@pytest.mark.parametrize(
    ("partner", "alg", "kid", "key"),
    [("mall", "EdDSA", "mall-1", MALL), ("customs", "ES256", "c1", CUSTOMS), ("tax", "RS256", "t1", TAX)],
)
def test_each_asymmetric_algorithm_is_served(
    tokens: Tokens, partner: str, alg: str, kid: str, key: Any
) -> None:
    signed = issue(
        key,
        alg=alg,
        kid=kid,
        iss=f"https://id.{partner}.example",
        audience=AUDIENCE,
        partner=partner,
        officer="张三",
        now=NOW,
        lifetime=900,
        roles={"b", "a"},
    )
    caller = tokens.verify(f"Bearer {signed}", NOW)
    assert (caller.partner, caller.officer, caller.roles) == (partner, "张三", {"a", "b"})


def test_pss_is_served_where_the_agreement_says_so() -> None:
    of_tax = agreement("tax", issuer_table("https://id.tax.example", "t1", "PS256", TAX))
    tokens = Tokens(PartnerKeys(Book(of_tax), lambda: MORNING), AUDIENCE)
    claims = {**CLAIMS, "iss": "https://id.tax.example", "partner": "tax"}
    for alg, accepted in (("PS256", True), ("RS256", False)):
        signed = jwt.encode(claims, TAX, alg, {"kid": "t1", "typ": "at+jwt"})
        if accepted:
            assert tokens.verify(f"Bearer {signed}", NOW).partner == "tax"
        else:
            assert refused(tokens, f"Bearer {signed}") == TokenFault.BAD_SIGNATURE


# What is refused


def _hmac_with_public_key(message: bytes) -> bytes:
    pem = MALL.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.new(pem, message, hashlib.sha256).digest()


def _hmac_with_raw_public_key(message: bytes) -> bytes:
    raw = MALL.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hmac.new(raw, message, hashlib.sha256).digest()


def _tampered(claims: Mapping[str, object]) -> str:
    header, _, signature = token().split(".")
    return f"{header}.{encoded(json.dumps({**CLAIMS, **claims}).encode())}.{signature}"


def _flipped(position: int) -> str:
    good = token()
    at = position % len(good)
    return good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]


def _second_spelling() -> str:
    """The same signature, with other unused bits at the end of its base64url."""
    good = token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return good[:-1] + alphabet[alphabet.index(good[-1]) + 1]


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode()


_OF_CUSTOMS = {"iss": "https://id.customs.example", "partner": "customs"}
_AS_PEM = MALL.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

FORGED: Mapping[str, tuple[str, TokenFault]] = {
    # The signature
    "alg none without signature": (token(header={"alg": "none"}, sign=lambda _: b""), TokenFault.MALFORMED),
    "alg none with a signature": (token(header={"alg": "none"}), TokenFault.BAD_SIGNATURE),
    "alg None": (token(header={"alg": "NONE"}), TokenFault.BAD_SIGNATURE),
    "alg missing": (token(without=["alg"]), TokenFault.MALFORMED),
    "alg a list": (token(header={"alg": ["EdDSA"]}), TokenFault.MALFORMED),
    "alg in small letters": (token(header={"alg": "eddsa"}), TokenFault.BAD_SIGNATURE),
    "HS256 with the public key as secret": (
        token(header={"alg": "HS256"}, sign=_hmac_with_public_key),
        TokenFault.BAD_SIGNATURE,
    ),
    "HS256 with the raw public key as secret": (
        token(header={"alg": "HS256"}, sign=_hmac_with_raw_public_key),
        TokenFault.BAD_SIGNATURE,
    ),
    "EdDSA in name, HMAC in fact": (token(sign=_hmac_with_public_key), TokenFault.BAD_SIGNATURE),
    "another asymmetric algorithm than the key's": (token(header={"alg": "ES256"}), TokenFault.BAD_SIGNATURE),
    "signed by a stranger": (token(sign=STRANGER.sign), TokenFault.BAD_SIGNATURE),
    "signed by Ed448": (token(sign=ed448.Ed448PrivateKey.generate().sign), TokenFault.BAD_SIGNATURE),
    "an empty signature": (token(sign=lambda _: b""), TokenFault.MALFORMED),
    "a signature of zeros": (token(sign=lambda _: bytes(64)), TokenFault.BAD_SIGNATURE),
    "a signature cut short": (token(sign=lambda message: MALL.sign(message)[:60]), TokenFault.BAD_SIGNATURE),
    "tampered claims": (_tampered({"sub": "admin"}), TokenFault.BAD_SIGNATURE),
    "a longer life by tampering": (_tampered({"exp": NOW + 7_200}), TokenFault.BAD_SIGNATURE),
    "a tampered header": (_flipped(3), TokenFault.MALFORMED),
    "a second spelling of the signature": (_second_spelling(), TokenFault.MALFORMED),
    "ES256 of zeros for another partner": (
        token(_OF_CUSTOMS, {"alg": "ES256", "kid": "c1"}, lambda _: bytes(64)),
        TokenFault.BAD_SIGNATURE,
    ),
    # The key
    "an unknown kid": (token(header={"kid": "mall-2"}), TokenFault.UNKNOWN_KEY),
    "no kid": (token(without=["kid"]), TokenFault.MALFORMED),
    "a path as kid": (token(header={"kid": "../../../../dev/null"}), TokenFault.MALFORMED),
    "an address as kid": (token(header={"kid": "https://evil.example/jwks"}), TokenFault.MALFORMED),
    "dots as kid": (token(header={"kid": ".."}), TokenFault.UNKNOWN_KEY),
    "an SQL kid": (token(header={"kid": "x' UNION SELECT 'k"}), TokenFault.MALFORMED),
    "a kid with a line feed": (token(header={"kid": "mall-1\n"}), TokenFault.MALFORMED),
    "a kid that is no text": (token(header={"kid": 1}), TokenFault.MALFORMED),
    "a kid of 65 characters": (token(header={"kid": "k" * 65}), TokenFault.MALFORMED),
    "an embedded jwk": (
        token(header={"jwk": public_jwk(STRANGER)}, sign=STRANGER.sign),
        TokenFault.MALFORMED,
    ),
    "a jku": (token(header={"jku": "https://evil.example/jwks"}), TokenFault.MALFORMED),
    "an x5u": (token(header={"x5u": "https://evil.example/x5u"}), TokenFault.MALFORMED),
    "an x5c": (token(header={"x5c": [encoded(_AS_PEM.encode())]}), TokenFault.MALFORMED),
    "a crit": (token(header={"crit": ["exp"], "exp": NOW}), TokenFault.MALFORMED),
    "an empty crit": (token(header={"crit": []}), TokenFault.MALFORMED),
    "b64 false": (token(header={"b64": False, "crit": ["b64"]}), TokenFault.MALFORMED),
    "zip": (token(header={"zip": "DEF"}), TokenFault.MALFORMED),
    # Who it speaks for
    "an unknown partner": (token({"partner": "nobody"}), TokenFault.UNKNOWN_KEY),
    "a partner of another issuer": (token({"partner": "customs"}), TokenFault.UNKNOWN_KEY),
    "another issuer's name": (token({"iss": "https://id.customs.example"}), TokenFault.UNKNOWN_KEY),
    "another partner, its issuer and its kid": (
        token(_OF_CUSTOMS, {"alg": "ES256", "kid": "c1"}),
        TokenFault.BAD_SIGNATURE,
    ),
    "no partner": (token(without=["partner"]), TokenFault.BAD_CLAIMS),
    "partners in a list": (token({"partner": ["mall"]}), TokenFault.BAD_CLAIMS),
    "a partner in capitals": (token({"partner": "Mall"}), TokenFault.BAD_CLAIMS),
    "no issuer": (token(without=["iss"]), TokenFault.BAD_CLAIMS),
    "issuers in a list": (token({"iss": ["https://id.mall.example"]}), TokenFault.BAD_CLAIMS),
    "no officer": (token(without=["sub"]), TokenFault.BAD_CLAIMS),
    "an officer that is a number": (token({"sub": 7}), TokenFault.BAD_CLAIMS),
    "an empty officer": (token({"sub": ""}), TokenFault.BAD_CLAIMS),
    "an officer of two lines": (token({"sub": "a\nledger: forged"}), TokenFault.BAD_CLAIMS),
    "an officer whose name is read backwards": (token({"sub": "li\u202ewei"}), TokenFault.BAD_CLAIMS),
    "an officer who looks like another": (token({"sub": "liwei\u200b"}), TokenFault.BAD_CLAIMS),
    "an id that looks like another": (token({"jti": "1\u2060"}), TokenFault.BAD_CLAIMS),
    "an officer of half a character": (token({"sub": "a\ud800"}), TokenFault.BAD_CLAIMS),
    "no token id": (token(without=["jti"]), TokenFault.BAD_CLAIMS),
    "a token id that is a number": (token({"jti": 1}), TokenFault.BAD_CLAIMS),
    "roles in one text": (token({"roles": "auditor"}), TokenFault.BAD_CLAIMS),
    "a role that is no text": (token({"roles": [None]}), TokenFault.BAD_CLAIMS),
    "too many roles": (token({"roles": ["r"] * 33}), TokenFault.BAD_CLAIMS),
    "a purpose that is no word": (token({"purpose": "AUDIT; DROP TABLE"}), TokenFault.BAD_CLAIMS),
    "a subject that is no USCC": (token({"subject": "91350100M000100Y44"}), TokenFault.BAD_CLAIMS),
    "the placeholder as subject": (token({"subject": "0" * 17 + "X"}), TokenFault.BAD_CLAIMS),
    # What it is for
    "another audience": (token({"aud": "another-hub"}), TokenFault.BAD_CLAIMS),
    "no audience": (token(without=["aud"]), TokenFault.BAD_CLAIMS),
    "several audiences": (token({"aud": [AUDIENCE, "another-hub"]}), TokenFault.BAD_CLAIMS),
    "one audience in a list": (token({"aud": [AUDIENCE]}), TokenFault.BAD_CLAIMS),
    "a logout token": (token(header={"typ": "logout+jwt"}), TokenFault.BAD_CLAIMS),
    "an id token": (token(header={"typ": "JWT"}), TokenFault.BAD_CLAIMS),
    "no type": (token(without=["typ"]), TokenFault.BAD_CLAIMS),
    "a type that is no text": (token(header={"typ": {}}), TokenFault.BAD_CLAIMS),
    # When
    "expired": (token({"iat": NOW - 3_600, "exp": NOW - 31}), TokenFault.EXPIRED),
    "not valid yet": (token({"nbf": NOW + 31}), TokenFault.NOT_YET_VALID),
    "issued in the future": (token({"iat": NOW + 31}), TokenFault.NOT_YET_VALID),
    "no expiry": (token(without=["exp"]), TokenFault.BAD_CLAIMS),
    "no time of issue": (token(without=["iat"]), TokenFault.BAD_CLAIMS),
    "an expiry in 95 years": (token({"exp": NOW + 95 * 365 * 86_400}), TokenFault.BAD_CLAIMS),
    "a life over eight hours": (token({"iat": NOW, "exp": NOW + 8 * 3_600 + 1}), TokenFault.BAD_CLAIMS),
    "an expiry before its issue": (token({"iat": NOW + 20, "exp": NOW + 10}), TokenFault.BAD_CLAIMS),
    "an expiry that is a text": (token({"exp": str(int(NOW + 60))}), TokenFault.BAD_CLAIMS),
    "an expiry that is true": (token({"exp": True}), TokenFault.BAD_CLAIMS),
    "an expiry of 400 digits": (token({"exp": 10**400}), TokenFault.BAD_CLAIMS),
    "an expiry that is null": (token({"exp": None}), TokenFault.BAD_CLAIMS),
    "an expiry that is infinite": (token({"exp": float("inf")}), TokenFault.MALFORMED),
    "an expiry that is no number": (token({"exp": float("nan")}), TokenFault.MALFORMED),
    "a start that is true": (token({"nbf": True}), TokenFault.BAD_CLAIMS),
    "a start that is a text": (token({"nbf": "now"}), TokenFault.BAD_CLAIMS),
    # How it is written
    "a claim twice": (
        sealed(_json(HEADER), _json(CLAIMS)[:-1] + b',"sub":"admin"}'),
        TokenFault.MALFORMED,
    ),
    "a claim twice within a claim": (
        sealed(_json(HEADER), _json(CLAIMS)[:-1] + b',"x":{"a":1,"a":2}}'),
        TokenFault.MALFORMED,
    ),
    "a header twice": (sealed(_json(HEADER)[:-1] + b',"alg":"EdDSA"}', _json(CLAIMS)), TokenFault.MALFORMED),
    "a claim twice, once escaped": (
        sealed(_json(HEADER), _json(CLAIMS)[:-1] + b',"s\\u0075b":"admin"}'),
        TokenFault.MALFORMED,
    ),
    "claims in a list": (sealed(_json(HEADER), b"[]"), TokenFault.MALFORMED),
    "claims that are null": (sealed(_json(HEADER), b"null"), TokenFault.MALFORMED),
    "claims in UTF-16": (sealed(_json(HEADER), json.dumps(CLAIMS).encode("utf-16")), TokenFault.MALFORMED),
    "claims after a byte order mark": (
        sealed(_json(HEADER), b"\xef\xbb\xbf" + _json(CLAIMS)),
        TokenFault.MALFORMED,
    ),
    "claims that are no UTF-8": (sealed(_json(HEADER), b'{"sub":"\xff"}'), TokenFault.MALFORMED),
    "claims nested 3,000 deep": (sealed(_json(HEADER), b"[" * 3_000 + b"]" * 3_000), TokenFault.MALFORMED),
    "no claims": (sealed(_json(HEADER), b""), TokenFault.MALFORMED),
    "two dots only": ("..", TokenFault.MALFORMED),
    "one dot": (token().rpartition(".")[0], TokenFault.MALFORMED),
    "four parts": (f"{token()}.{encoded(b'x')}", TokenFault.MALFORMED),
    "five parts, as encrypted": ("a.b.c.d.e", TokenFault.MALFORMED),
    "padding": (token() + "=", TokenFault.MALFORMED),
    "a space within": (token().replace(".", " .", 1), TokenFault.MALFORMED),
    "a line feed at the end": (token() + "\n", TokenFault.MALFORMED),
    "not ASCII": (token()[:-1] + "é", TokenFault.MALFORMED),
    "beyond Latin": (token()[:-1] + "令", TokenFault.MALFORMED),
    "a NUL": (token() + "\0", TokenFault.MALFORMED),
    "standard base64": (token().replace(".", "+.", 1), TokenFault.MALFORMED),
    "larger than 8 KB": (token({"pad": "x" * MAX_TOKEN_BYTES}), TokenFault.MALFORMED),
    "5 MB": ("A" * 5_000_000, TokenFault.MALFORMED),
    "two tokens": (f"{token()}, {token()}", TokenFault.MALFORMED),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_tokens_are_refused_with_a_reason_and_nothing_else(tokens: Tokens, name: str) -> None:
    forged, reason = FORGED[name]
    assert refused(tokens, f"Bearer {forged}") == reason
    # Refusing once must not make it known.
    assert refused(tokens, f"Bearer {forged}") == reason


@pytest.mark.parametrize("header", [None, "", b"", "Basic dXNlcjpwYXNz", "Bearer", "Token x", " Bearer x"])
def test_without_a_bearer_token_it_is_missing(tokens: Tokens, header: bytes | str | None) -> None:
    assert refused(tokens, header) == TokenFault.MISSING


def test_a_bare_bearer_scheme_is_malformed(tokens: Tokens) -> None:
    assert refused(tokens, "Bearer ") == TokenFault.MALFORMED


@pytest.mark.parametrize("position", range(0, len(token()), 7))
def test_any_changed_character_is_refused(tokens: Tokens, position: int) -> None:
    good = token()
    tokens.verify(f"Bearer {good}", NOW)
    assert refused(tokens, f"Bearer {_flipped(position)}") in {
        TokenFault.MALFORMED,
        TokenFault.BAD_SIGNATURE,
        TokenFault.BAD_CLAIMS,
        TokenFault.UNKNOWN_KEY,
    }


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300), st.text(max_size=300), st.binary(max_size=90).map(lambda b: b"Bearer " + b)
    )
)
def test_no_header_does_anything_but_be_refused(header: bytes | str) -> None:
    keys = PartnerKeys(Book(MALL_AGREEMENT), lambda: MORNING)
    assert refused(Tokens(keys, AUDIENCE), header) in set(TokenFault)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*CLAIMS, "nbf", "roles", "purpose", "subject"]),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
            lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner)),
            max_leaves=5,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_signed_claims_of_any_kind_are_answered_or_refused(changed: dict[str, object]) -> None:
    tokens = Tokens(PartnerKeys(Book(MALL_AGREEMENT), lambda: MORNING), AUDIENCE)
    outcome = "refused"
    with suppress(Unauthenticated):
        caller = tokens.verify(f"Bearer {token(changed)}", NOW)
        outcome = caller.partner
        assert not {"\n", "\r", "\0"} & set(caller.officer + caller.token_id)
    assert outcome in {"mall", "refused"}


def test_a_refusal_repeats_nothing_of_the_token(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(f"Bearer {token({'sub': 'secret-officer', 'aud': 'secret-hub'})}", NOW)
    assert "secret" not in f"{caught.value} {caught.value.extensions}"
    assert caught.value.__suppress_context__


# Time and memory


def test_leeway_is_thirty_seconds_on_both_sides(tokens: Tokens) -> None:
    late = token({"iat": NOW - 3_600, "exp": NOW})
    assert tokens.verify(f"Bearer {late}", NOW + 29).expires_at == NOW
    assert refused(tokens, f"Bearer {late}", NOW + 30) == TokenFault.EXPIRED
    early = token({"iat": NOW, "nbf": NOW})
    assert refused(tokens, f"Bearer {early}", NOW - 31) == TokenFault.NOT_YET_VALID
    assert tokens.verify(f"Bearer {early}", NOW - 30).partner == "mall"


def test_a_remembered_token_expires_with_its_claims(tokens: Tokens) -> None:
    header = f"Bearer {token({'exp': NOW + 100})}"
    assert tokens.verify(header, NOW) is tokens.verify(header, NOW + 129)
    assert refused(tokens, header, NOW + 130) == TokenFault.EXPIRED


def test_a_remembered_token_ends_with_the_day_of_its_key() -> None:
    ending = agreement("mall", issuer_table("https://id.mall.example", "mall-1", "EdDSA", MALL, "2026-06-01"))
    midnight = datetime(2026, 6, 2, tzinfo=SHANGHAI).timestamp()
    moments = [MORNING]
    tokens = Tokens(PartnerKeys(Book(ending), lambda: moments[0]), AUDIENCE)
    header = f"Bearer {token({'iat': midnight - 60, 'exp': midnight + 3_600})}"
    assert tokens.verify(header, midnight - 1).partner == "mall"
    assert refused(tokens, header, midnight) == TokenFault.UNKNOWN_KEY


def test_the_longest_life_can_be_set_up_to_a_day() -> None:
    keys = PartnerKeys(Book(MALL_AGREEMENT), lambda: MORNING)
    header = f"Bearer {token({'iat': NOW, 'exp': NOW + MAX_LIFETIME})}"
    assert Tokens(keys, AUDIENCE, lifetime=MAX_LIFETIME).verify(header, NOW).partner == "mall"
    for lifetime in (0, -1, MAX_LIFETIME + 1):
        with pytest.raises(SettingInvalid):
            Tokens(keys, AUDIENCE, lifetime=lifetime)


def test_what_is_remembered_is_bounded(book: Book) -> None:
    tokens = Tokens(PartnerKeys(book, lambda: MORNING), AUDIENCE, capacity=20)
    headers = [f"Bearer {token({'jti': f'j{i}'})}" for i in range(100)]
    for header in headers:
        tokens.verify(header, NOW)
        assert len(tokens._verified) <= 20
    assert tokens.verify(headers[0], NOW).token_id == "j0"
    assert CAPACITY >= 1_000


def test_expired_tokens_make_room_first(book: Book) -> None:
    tokens = Tokens(PartnerKeys(book, lambda: MORNING), AUDIENCE, capacity=10)
    lasting = f"Bearer {token({'jti': 'lasting'})}"
    first = tokens.verify(lasting, NOW)
    for i in range(9):
        tokens.verify(f"Bearer {token({'jti': f'short{i}', 'exp': NOW + 10})}", NOW)
    tokens.verify(f"Bearer {token({'jti': 'next'})}", NOW + 60)
    assert tokens.verify(lasting, NOW + 60) is first
    assert len(tokens._verified) == 2


def test_no_token_is_kept_in_memory_as_it_came(tokens: Tokens) -> None:
    good = token()
    tokens.verify(f"Bearer {good}", NOW)
    assert good not in repr(vars(tokens))


# Rotation and suspension


def test_a_suspended_partner_is_out_at_once_although_its_token_was_remembered(
    tokens: Tokens, book: Book
) -> None:
    header = f"Bearer {token()}"
    tokens.verify(header, NOW)
    book.put(CUSTOMS_AGREEMENT)
    assert refused(tokens, header) == TokenFault.UNKNOWN_KEY
    book.put(MALL_AGREEMENT)
    assert tokens.verify(header, NOW).partner == "mall"


def test_a_key_replaced_under_its_name_no_longer_verifies(tokens: Tokens, book: Book) -> None:
    header = f"Bearer {token()}"
    tokens.verify(header, NOW)
    book.put(agreement("mall", issuer_table("https://id.mall.example", "mall-1", "EdDSA", STRANGER)))
    assert refused(tokens, header) == TokenFault.BAD_SIGNATURE
    assert tokens.verify(f"Bearer {token(sign=STRANGER.sign)}", NOW).partner == "mall"


def test_keys_rotate_by_kid_side_by_side(tokens: Tokens, book: Book) -> None:
    both = issuer_table("https://id.mall.example", "mall-1", "EdDSA", MALL) + issuer_table(
        "https://id.mall.example", "mall-2", "EdDSA", STRANGER
    )
    book.put(agreement("mall", both))
    assert tokens.verify(f"Bearer {token()}", NOW).partner == "mall"
    assert (
        tokens.verify(f"Bearer {token(header={'kid': 'mall-2'}, sign=STRANGER.sign)}", NOW).partner == "mall"
    )
    assert refused(tokens, f"Bearer {token(header={'kid': 'mall-2'})}") == TokenFault.BAD_SIGNATURE


async def test_suspension_in_the_store_reaches_a_remembered_token(database: Database) -> None:
    columns = "partner, digest, document, applied_at, applied_by"
    apply = f"INSERT INTO agreement ({columns}) VALUES ($1, $2, $3, $4, 'test')"
    text = agreement_text("mall", issuer_table("https://id.mall.example", "mall-1", "EdDSA", MALL))
    await database.writer.execute(apply, "mall", MALL_AGREEMENT.digest, text, MORNING)
    agreements = await Agreements.open(database.writer, MATRIX, lambda: MORNING)
    try:
        tokens = Tokens(PartnerKeys(agreements, lambda: MORNING), AUDIENCE)
        header = f"Bearer {token()}"
        assert tokens.verify(header, NOW).partner == "mall"
        epoch = agreements.epoch
        await database.writer.execute(
            "UPDATE agreement SET suspended_at = $1, suspended_by = 'test'", MORNING
        )
        await asyncio.wait_for(agreements.changed(epoch), 5)
        assert refused(tokens, header) == TokenFault.UNKNOWN_KEY
    finally:
        await agreements.close()


# Published key sets


class Issuer:
    """A real server of one key set on loopback, whose answer the test sets."""

    def __init__(self) -> None:
        self.body = b'{"keys":[]}'
        self.status = "200 OK"
        self.headers = ""
        self.delay = 0.0
        self.served = 0
        self.url = ""

    def publish(self, *jwks: Mapping[str, object]) -> None:
        self.body = _json({"keys": list(jwks)})

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.served += 1
            await asyncio.sleep(self.delay)
            head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n"
            writer.write(f"{head}{self.headers}\r\n".encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    server = await asyncio.start_server(issuer.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    issuer.url = f"http://127.0.0.1:{port}/jwks"
    try:
        yield issuer
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with serving() as running:
        yield running


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


def by_key_set(issuer: Issuer, algorithms: str = '"EdDSA", "ES256"') -> Agreement:
    return agreement("mall", key_set_table("https://id.mall.example", issuer.url, algorithms))


async def test_keys_of_a_published_set_verify_and_rotate(issuer: Issuer) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    keys = PartnerKeys(Book(by_key_set(issuer)), Clock())
    tokens = Tokens(keys, AUDIENCE)
    assert refused(tokens, f"Bearer {token()}") == TokenFault.UNKNOWN_KEY
    await keys.refresh()
    assert tokens.verify(f"Bearer {token()}", NOW).partner == "mall"
    second = f"Bearer {token(header={'kid': 'mall-2'}, sign=STRANGER.sign)}"
    assert refused(tokens, second) == TokenFault.UNKNOWN_KEY
    issuer.publish({**public_jwk(STRANGER), "kid": "mall-2", "use": "sig", "alg": "EdDSA"})
    await keys.refresh()
    assert tokens.verify(second, NOW).partner == "mall"
    # Withdrawn: gone for the token that was remembered, too.
    assert refused(tokens, f"Bearer {token()}") == TokenFault.UNKNOWN_KEY


async def test_a_published_key_speaks_for_its_partner_only(issuer: Issuer) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    keys = PartnerKeys(Book(by_key_set(issuer), CUSTOMS_AGREEMENT), Clock())
    await keys.refresh()
    tokens = Tokens(keys, AUDIENCE)
    assert refused(tokens, f"Bearer {token({'partner': 'customs'})}") == TokenFault.UNKNOWN_KEY
    assert refused(tokens, f"Bearer {token({'iss': 'https://id.customs.example'})}") == TokenFault.UNKNOWN_KEY


async def test_the_last_good_set_counts_for_a_day_and_no_longer(issuer: Issuer) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    clock = Clock()
    keys = PartnerKeys(Book(by_key_set(issuer)), clock)
    tokens = Tokens(keys, AUDIENCE, lifetime=MAX_LIFETIME)
    await keys.refresh()
    issuer.status = "503 Service Unavailable"
    header = f"Bearer {token({'iat': NOW, 'exp': NOW + MAX_LIFETIME})}"
    clock.now = MORNING + timedelta(hours=1)
    await keys.refresh()
    assert tokens.verify(header, NOW + 3_600).partner == "mall"
    clock.now = MORNING + LAST_GOOD
    await keys.refresh()
    assert tokens.verify(header, NOW + MAX_LIFETIME).partner == "mall"
    clock.now = MORNING + LAST_GOOD + timedelta(seconds=1)
    assert keys.key("mall", "https://id.mall.example", "mall-1", clock.now.date()) is None
    await keys.refresh()
    assert refused(tokens, header, NOW + MAX_LIFETIME + 1) == TokenFault.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("500 Oops", "", b'{"keys":[]}'),
        ("302 Found", "Location: http://127.0.0.1:1/\r\n", b""),
        ("200 OK", "", b""),
        ("200 OK", "", b"not json"),
        ("200 OK", "", b"[]"),
        ("200 OK", "", b'{"keys":{}}'),
        ("200 OK", "", b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("200 OK", "", _json({"keys": [{}] * 101})),
        ("200 OK", "", b'{"keys":[' + b" " * 300_000 + b"]}"),
        ("200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08"),
        ("200 OK", "", b'\xff{"keys":[]}'),
    ],
)
async def test_an_unusable_answer_leaves_the_last_good_set(
    issuer: Issuer, status: str, headers: str, body: bytes
) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    keys = PartnerKeys(Book(by_key_set(issuer)), Clock())
    await keys.refresh()
    epoch = keys.epoch
    issuer.status, issuer.headers, issuer.body = status, headers, body
    await keys.refresh()
    assert issuer.served == 2
    assert keys.epoch == epoch
    assert keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is not None


async def test_an_issuer_that_withdraws_every_key_is_taken_at_its_word(issuer: Issuer) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    keys = PartnerKeys(Book(by_key_set(issuer)), Clock())
    await keys.refresh()
    issuer.publish()
    await keys.refresh()
    assert keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is None


async def test_a_slow_or_absent_issuer_holds_up_nobody_else(issuer: Issuer) -> None:
    async with serving() as other:
        issuer.delay = 30
        other.publish({**public_jwk(CUSTOMS), "kid": "c9", "alg": "ES256"})
        of_tax = agreement("tax", key_set_table("https://id.tax.example", "http://127.0.0.1:1/jwks"))
        of_customs = agreement("customs", key_set_table("https://id.customs.example", other.url))
        keys = PartnerKeys(Book(by_key_set(issuer), of_customs, of_tax), Clock(), patience=0.3)
        async with asyncio.timeout(3):
            await keys.refresh()
        assert keys.key("customs", "https://id.customs.example", "c9", MORNING.date()) is not None


@pytest.mark.parametrize(
    "wrong", ["Location: mailto:keys@tax.example\r\n", None], ids=["redirects", "address"]
)
async def test_an_issuer_whose_answer_or_address_leads_nowhere_holds_up_nobody_else(
    issuer: Issuer, wrong: str | None
) -> None:
    async with serving() as other:
        issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
        other.status, other.headers = "302 Found", wrong or ""
        url = other.url if wrong else "https://-.中国/jwks"
        of_tax = agreement("tax", key_set_table("https://id.tax.example", url))
        keys = PartnerKeys(Book(by_key_set(issuer), of_tax), Clock())
        await keys.start()
        assert keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is not None
        # What another withdraws is gone.
        issuer.publish()
        await keys.refresh()
        assert keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is None
        await keys.close()


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not in time")


async def test_key_sets_are_followed_in_the_background(issuer: Issuer) -> None:
    book = Book()
    keys = PartnerKeys(book, Clock(), period=0.05)
    await keys.start()
    try:
        assert issuer.served == 0
        issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
        book.put(by_key_set(issuer))
        await until(lambda: keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is not None)
        issuer.publish()
        await until(lambda: keys.key("mall", "https://id.mall.example", "mall-1", MORNING.date()) is None)
    finally:
        await keys.close()
    served = issuer.served
    await asyncio.sleep(0.2)
    assert issuer.served == served


@pytest.mark.parametrize("during", ["START", "FOLLOWING"])
async def test_an_agreement_that_changes_during_a_slow_fetch_is_not_left_to_the_next_period(
    issuer: Issuer, during: str
) -> None:
    async with serving() as other:
        other.publish({**public_jwk(CUSTOMS), "kid": "c9", "alg": "ES256"})
        of_customs = agreement("customs", key_set_table("https://id.customs.example", other.url))
        issuer.delay = 0.3
        # The period is longer than this test waits: only the change brings the next fetch.
        book = Book(by_key_set(issuer)) if during == "START" else Book()
        keys = PartnerKeys(book, Clock(), period=60)
        starting = asyncio.create_task(keys.start())
        if during == "FOLLOWING":
            await starting
            book.put(by_key_set(issuer))
        try:
            await until(lambda: issuer.served == 1)
            book.put(by_key_set(issuer), of_customs)
            await starting
            await until(
                lambda: keys.key("customs", "https://id.customs.example", "c9", MORNING.date()) is not None
            )
        finally:
            await keys.close()


async def test_an_agreement_that_is_extended_or_narrowed_waits_for_no_issuer(issuer: Issuer) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"}, {**public_jwk(CUSTOMS), "kid": "mall-2"})
    book = Book(by_key_set(issuer))
    keys = PartnerKeys(book, Clock())
    await keys.refresh()
    issuer.status = "503 Service Unavailable"

    def known(kid: str, now: Agreement) -> bool:
        book.put(now)
        return keys.key("mall", "https://id.mall.example", kid, MORNING.date()) is not None

    extended = agreement_text("mall", key_set_table("https://id.mall.example", issuer.url))
    extended = re.sub(r"valid_to = \d+", "valid_to = 2028", extended)
    for _ in range(2):
        assert known("mall-1", read_agreement(extended, MATRIX, MORNING.date()))
        assert known("mall-2", by_key_set(issuer))
        # Of an algorithm that the agreement names no longer, no key counts from then on.
        assert not known("mall-2", by_key_set(issuer, '"EdDSA"'))
        await keys.refresh()


@asynccontextmanager
async def followed(
    database: Database, text: str, clock: Clock
) -> AsyncIterator[tuple[Agreements, PartnerKeys]]:
    """The agreement of mall in a store, and the keys as a server process has them."""
    await apply_agreements(database.writer, [text], MATRIX, clock(), "ops", reinstate=True)
    agreements = await Agreements.open(database.writer, MATRIX, clock)
    try:
        yield agreements, PartnerKeys(agreements, clock)
    finally:
        await agreements.close()


async def test_an_agreement_that_begins_at_midnight_has_its_published_keys_at_midnight(
    database: Database, issuer: Issuer
) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    clock = Clock()
    tomorrow = (MORNING + timedelta(days=1)).date()
    text = agreement_text("mall", key_set_table("https://id.mall.example", issuer.url))
    text = re.sub(r"valid_from = \S+", f"valid_from = {tomorrow}", text, count=1)
    async with followed(database, text, clock) as (_, keys):
        await keys.refresh()
        assert keys.key("mall", "https://id.mall.example", "mall-1", clock().date()) is None
        clock.now = datetime.combine(tomorrow, time(), SHANGHAI)
        assert keys.key("mall", "https://id.mall.example", "mall-1", tomorrow) is not None


async def test_a_partner_that_is_reinstated_while_its_issuer_is_away_has_the_keys_published_last(
    database: Database, issuer: Issuer
) -> None:
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"}, {**public_jwk(STRANGER), "kid": "mall-2"})
    clock = Clock()
    text = agreement_text("mall", key_set_table("https://id.mall.example", issuer.url))

    def known(kid: str) -> bool:
        return keys.key("mall", "https://id.mall.example", kid, clock().date()) is not None

    async with followed(database, text, clock) as (agreements, keys):
        await keys.refresh()
        assert known("mall-1")
        assert known("mall-2")
        await suspend_agreement(database.writer, "mall", clock(), "ops")
        await agreements.refresh()
        # What leaked is withdrawn while its partner is suspended: it does not come back with it.
        issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
        await keys.refresh()
        assert not known("mall-1")
        issuer.status = "503 Service Unavailable"
        await keys.refresh()
        await apply_agreements(database.writer, [text], MATRIX, clock(), "ops", reinstate=True)
        await agreements.refresh()
        await keys.refresh()
        assert known("mall-1")
        assert not known("mall-2")


async def test_a_set_that_is_there_counts_while_another_issuer_keeps_the_hub_waiting(issuer: Issuer) -> None:
    async with serving() as other:
        issuer.delay = 30
        other.publish({**public_jwk(CUSTOMS), "kid": "c9", "alg": "ES256"})
        of_customs = agreement("customs", key_set_table("https://id.customs.example", other.url))
        keys = PartnerKeys(Book(by_key_set(issuer), of_customs), Clock(), patience=60)
        fetching = asyncio.create_task(keys.refresh())
        await until(
            lambda: keys.key("customs", "https://id.customs.example", "c9", MORNING.date()) is not None
        )
        assert not fetching.done()
        fetching.cancel()


async def test_the_log_says_once_what_is_wrong_with_a_key_set_and_as_an_error_when_no_token_of_it_is_taken(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hub")
    clock = Clock()
    book = Book(by_key_set(issuer))
    keys = PartnerKeys(book, clock)

    async def said() -> list[tuple[str, str]]:
        caplog.clear()
        for _ in range(3):
            await keys.refresh()
        return [
            (one.levelname, one.getMessage().partition(": ")[2])
            for one in caplog.records
            if one.name[:3] == "hub"
        ]

    assert await said() == [
        ("ERROR", "nothing in it is a key that its agreement lets count, so no token of it is taken")
    ]
    issuer.publish({**public_jwk(MALL), "kid": "mall-1"})
    assert await said() == [("INFO", "in order again")]
    issuer.status = "503 Service Unavailable"
    assert await said() == [("WARNING", "status 503; its last good set counts for a day at most")]
    # The agreement is replaced by one with other algorithms meanwhile: the line before is not left standing.
    book.put(by_key_set(issuer, '"EdDSA"'))
    issuer.status = "200 OK"
    assert await said() == [("INFO", "in order again")]
    issuer.status = "503 Service Unavailable"
    assert [level for level, _ in await said()] == ["WARNING"]
    clock.now += LAST_GOOD + timedelta(seconds=1)
    assert await said() == [("ERROR", "status 503; none of its sets counts, so no token of it is taken")]


async def test_verifying_never_asks_an_issuer(issuer: Issuer) -> None:
    keys = PartnerKeys(Book(by_key_set(issuer)), Clock())
    tokens = Tokens(keys, AUDIENCE)
    for i in range(20):
        assert refused(tokens, f"Bearer {token(header={'kid': f'k{i}'})}") == TokenFault.UNKNOWN_KEY
    await asyncio.sleep(0.05)
    assert issuer.served == 0


SET = KeySet(
    "https://id.mall.example",
    "https://x.example",
    frozenset({"EdDSA", "ES256", "RS256"}),
    date(2026, 1, 1),
    date(2027, 1, 1),
)
_PRIVATE = {**public_jwk(MALL), "d": encoded(bytes(32))}
_SMALL = public_jwk(rsa.generate_private_key(65537, 1024))


@pytest.mark.parametrize(
    ("jwk", "alg"),
    [
        ({**public_jwk(MALL), "kid": "k"}, "EdDSA"),
        ({**public_jwk(CUSTOMS), "kid": "k"}, "ES256"),
        ({**public_jwk(TAX), "kid": "k"}, "RS256"),
        ({**public_jwk(TAX), "kid": "k", "alg": "RS256", "use": "sig", "x5t": "abc", "x5c": ["x"]}, "RS256"),
        ({**public_jwk(MALL), "kid": "k", "key_ops": ["verify"]}, "EdDSA"),
        ({**public_jwk(TAX), "kid": "k", "alg": "PS256"}, None),
        ({**public_jwk(TAX), "kid": "k", "alg": "HS256"}, None),
        ({**public_jwk(MALL), "kid": "k", "alg": "ES256"}, None),
        ({**public_jwk(MALL), "kid": "k", "alg": ["EdDSA"]}, None),
        ({**public_jwk(MALL), "kid": "k", "use": "enc"}, None),
        ({**public_jwk(MALL), "kid": "k", "key_ops": ["sign"]}, None),
        ({**public_jwk(MALL), "kid": "k", "key_ops": "verify"}, None),
        ({**_PRIVATE, "kid": "k"}, None),
        ({**_SMALL, "kid": "k"}, None),
        ({**public_jwk(MALL)}, None),
        ({**public_jwk(MALL), "kid": "../k"}, None),
        ({**public_jwk(MALL), "kid": 7}, None),
        ({"kty": "oct", "k": encoded(b"x" * 32), "kid": "k"}, None),
        ({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k"}, None),
        ({"kty": "OKP", "crv": "Ed448", "x": encoded(bytes(57)), "kid": "k"}, None),
        ({"kty": ["OKP"], "crv": {}, "kid": "k"}, None),
        ({}, None),
    ],
)
def test_of_a_published_set_only_allowed_public_signing_keys_count(
    jwk: dict[str, object], alg: str | None
) -> None:
    good = {**public_jwk(STRANGER), "kid": "good"}
    found = published_keys([jwk, good, "nonsense", None], SET)
    assert found.keys() == ({"k", "good"} if alg else {"good"})
    if alg:
        assert found["k"].alg == alg


def test_an_rsa_key_that_does_not_say_its_algorithm_counts_only_when_there_is_no_doubt() -> None:
    both = KeySet(SET.iss, SET.url, frozenset({"RS256", "PS256"}), SET.valid_from, SET.valid_to)
    assert not published_keys([{**public_jwk(TAX), "kid": "k"}], both)


@pytest.mark.parametrize("kid", ["-Xv0Z", "_Xv0Z", "Xv0Z_-"])
def test_a_key_id_that_is_a_digest_in_base64url_may_begin_with_any_of_its_characters(kid: str) -> None:
    assert list(published_keys([{**public_jwk(MALL), "kid": kid}], SET)) == [kid]


def test_of_a_key_id_published_twice_neither_key_counts() -> None:
    assert not published_keys([{**public_jwk(MALL), "kid": "k"}, {**public_jwk(STRANGER), "kid": "k"}], SET)


# The issuer of the demonstration


def test_the_demo_issuer_speaks_for_every_demo_partner(tmp_path: Path) -> None:
    demo = demo_issuer(tmp_path)
    agreements = [read_agreement(text, MATRIX, MORNING.date()) for text in demo_agreements(demo.key).values()]
    tokens = Tokens(PartnerKeys(Book(*agreements), lambda: MORNING), AUDIENCE)
    for partner in PARTNERS:
        signed = issue(
            demo.private_key,
            alg=demo.key.alg,
            kid=demo.key.kid,
            iss=ISSUER,
            audience=AUDIENCE,
            partner=partner,
            officer="demo",
            now=NOW,
            lifetime=3_600,
        )
        assert tokens.verify(f"Bearer {signed}", NOW).partner == partner


def test_the_demo_key_is_kept_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as workers:
        made = {demo.key.kid for demo in workers.map(demo_issuer, [tmp_path / "state"] * 8)}
    assert made == {demo_issuer(tmp_path / "state").key.kid}
    assert os.listdir(tmp_path / "state") == [FILE]
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600


def test_a_demo_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    demo_issuer(tmp_path)
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(SettingInvalid, match="owner alone"):
        demo_issuer(tmp_path)
    (tmp_path / FILE).chmod(0o600)
    (tmp_path / FILE).write_text("nonsense")
    with pytest.raises(SettingInvalid, match="not an Ed25519 key"):
        demo_issuer(tmp_path)
