"""Opaque ids as callers give them: those of what is about natural persons are sealed for the caller's partner class.

DOMAIN 6.6-10: two partner classes can join organizations by their ids, but not natural persons. The statement seals
(the store's function sealed_id), what a caller gives is opened here; organizations keep the id that the store has.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

# The letter of a table and 128 bits.
OPAQUE = re.compile(r"[a-z][0-9a-f]{32}", re.ASCII)


def opaque_id(letter: str, public_id: object) -> str:
    """The id of a row as the store tells it, of the table with this letter; what a caller is shown may be sealed."""
    return letter + str(public_id).replace("-", "")


@lru_cache(maxsize=64)
def class_key(secret: bytes, partner_class: str) -> bytes:
    """The key of a partner class's ids, of the secret from which all of them come."""
    return hmac.digest(secret, b"public ids of " + partner_class.encode(), "sha256")


def opened(sealed: str, key: bytes) -> str:
    """The uuid (32 hexadecimal digits) that stands behind a sealed one; of any other it makes one that nothing has."""
    a, b = int(sealed[:16], 16), int(sealed[16:], 16)
    b ^= _round(key, 4, a)
    a ^= _round(key, 3, b)
    b ^= _round(key, 2, a)
    a ^= _round(key, 1, b)
    return f"{a:016x}{b:016x}"


def _round(key: bytes, number: int, half: int) -> int:
    said = key + bytes((number,)) + half.to_bytes(8, "big")
    return int.from_bytes(hashlib.sha256(said).digest()[:8], "big")
