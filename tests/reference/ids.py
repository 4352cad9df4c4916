"""The ids of natural persons, and of what is about them, as each partner class has them."""

from __future__ import annotations

import hmac
from hashlib import sha256
from uuid import UUID

from tests.reference.rows import Row, Store
from tests.worlds import ID_KEY


def public(store: Store, partner_class: str, row: Row) -> str:
    """The 32 digits of a row's id as callers of the class see them; of an organization's all see the same."""
    plain = str(row["public_id"])
    whose = row if "is_minor" in row else store.subject(row.get("subject_id"))
    if whose is None or whose["kind"] != "NATURAL_PERSON":
        return plain
    return permuted(plain, partner_class)


def permuted(plain: str, partner_class: str, secret: bytes = ID_KEY) -> str:
    """Four rounds of a Feistel network over the two halves; SHA-256 under the key of the class mixes."""
    key = hmac.new(secret, f"public ids of {partner_class}".encode(), sha256).digest()
    raw = UUID(plain).bytes
    halves = [raw[:8], raw[8:]]
    for number in (1, 2, 3, 4):
        changed, other = (number - 1) % 2, number % 2
        mixed = sha256(key + bytes([number]) + halves[other]).digest()[:8]
        halves[changed] = bytes(x ^ y for x, y in zip(halves[changed], mixed, strict=True))
    return b"".join(halves).hex()
