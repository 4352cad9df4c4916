"""The token issuer of the demonstration: one key, kept in the state directory, that demo partners trust."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from hub.errors import SettingInvalid
from hub.rights.issuer import IssuerKey

ISSUER: Final = "urn:credit-sharing-hub:demo"
ALGORITHM: Final = "EdDSA"
FILE: Final = "demo-issuer.pem"
# Constant, so that the demo agreements do not change from day to day.
_VALID: Final = (date(2026, 1, 1), date(2099, 12, 31))


@dataclass(frozen=True)
class DemoIssuer:
    """The key that signs demo tokens, and the public half as agreements name it."""

    private_key: Ed25519PrivateKey
    key: IssuerKey


def demo_issuer(state_dir: Path) -> DemoIssuer:
    """Load the key of `state_dir`, or make one that only its owner can read; workers may do so at once.

    Raises SettingInvalid when the file is no Ed25519 key, or others can read it.
    """
    path = state_dir / FILE
    if not path.exists():
        _create(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingInvalid(f"HUB_STATE_DIR: {FILE} must be readable by its owner alone (chmod 600).")
    try:
        private_key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        private_key = None
    if not isinstance(private_key, Ed25519PrivateKey):
        raise SettingInvalid(
            f"HUB_STATE_DIR: {FILE} is not an Ed25519 key; remove it to have a new one made."
        )
    jwk = {name: str(value) for name, value in OKPAlgorithm.to_jwk(private_key.public_key(), True).items()}
    public = {name: jwk[name] for name in ("kty", "crv", "x")}
    kid = f"demo-{sha256(public['x'].encode()).hexdigest()[:16]}"
    return DemoIssuer(private_key, IssuerKey(ISSUER, kid, ALGORITHM, public, *_VALID))


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        # A link, not a rename: whoever comes second takes the first one's key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
