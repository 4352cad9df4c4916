"""Writes into the store what no source delivers: the consents of the well-known firm."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta

import asyncpg

from hub.sandbox.province import Province
from hub.sandbox.wellknown import RICH

_CONSENT = """
INSERT INTO consent (subject_id, grantee, purposes, data_classes, separate_consent, valid_from, valid_to, evidence_digest)
SELECT subject_id, $2, ARRAY[$3], ARRAY['D17'], true, $4, $5, $6 FROM subject
WHERE uscc = $1 AND NOT EXISTS (SELECT FROM consent WHERE evidence_digest = $6)
"""


async def seed_consents(connection: asyncpg.Connection, province: Province) -> None:
    """Let the well-known firm's chamber and platform see its tax grade for a year (PIPL art. 13).

    After the first harvest; before it there is no such subject and nothing is written. Repeatable.
    """
    start = datetime.combine(province.today - timedelta(days=30), time(), UTC)
    for grantee, purpose in (("chamber", "MEMBER_ARCHIVE"), ("mall", "MERCHANT_ADMISSION")):
        evidence = hashlib.new("sm3", f"{RICH}/{grantee}/{purpose}/虚构".encode()).hexdigest()
        await connection.execute(
            _CONSENT, RICH, grantee, purpose, start, start + timedelta(days=365), evidence
        )
