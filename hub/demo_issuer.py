"""The issuer of demo tokens: a key of this installation's own, made at the first demo and kept in its state directory."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from hub.config import Settings
from hub.errors import SettingInvalid
from hub.identity import issue

ISSUER = "urn:credit-sharing-hub:demo"
KID = "demo"
ALGORITHM = "EdDSA"
# The subject that the demo partner `subject` speaks for.
DEMO_SUBJECT = "91630103MA75ABCD1M"


def private_key(settings: Settings) -> Ed25519PrivateKey:
    """The demo key; made when there is none. Raises SettingInvalid outside demo mode."""
    if not settings.demo:
        raise SettingInvalid("Demo tokens exist in demo mode only (HUB_DEMO).")
    path = settings.state_dir / "demo-issuer.pem"
    if not path.exists():
        _make(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def public_jwk(settings: Settings) -> dict[str, str]:
    """The public half, as agreements name it."""
    jwk = OKPAlgorithm.to_jwk(private_key(settings).public_key(), as_dict=True)
    return {name: str(jwk[name]) for name in ("kty", "crv", "x")}


def demo_token(settings: Settings, partner: str, purpose: str | None, seconds: float, now: datetime) -> str:
    """A token of a demo partner. Raises SettingInvalid outside demo mode."""
    return issue(
        private_key(settings),
        alg=ALGORITHM,
        kid=KID,
        iss=ISSUER,
        audience=settings.token_audience,
        partner=partner,
        officer=f"{partner}-demo-officer",
        now=now.timestamp(),
        lifetime=seconds,
        purpose=purpose,
        subject=DEMO_SUBJECT if partner == "subject" else None,
    )


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Written whole under another name first: a demo that is killed here leaves no half key.
    partial = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    partial.rename(path)
