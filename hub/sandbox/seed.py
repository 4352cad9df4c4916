"""Writes into the store what no source delivers: list definitions, the catalogue, affiliations, a consent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

import asyncpg

from connectors.contract import Source
from hub.sandbox.facts import LISTS
from hub.sandbox.province import Province
from hub.sandbox.wellknown import RICH

_CATALOG_DOC = "全国公共信用信息基础目录(2024年版);沙箱"


async def seed_definitions(connection: asyncpg.Connection, sources: Iterable[Source]) -> None:
    """The lists and catalogue items that harvested facts refer to: before the first harvest. Repeatable."""
    await connection.executemany(
        """
        INSERT INTO list_definition (code, name, color, recognizer_name, recognizer_uscc, legal_basis,
            basis_level, min_publicity_months, max_publicity_months, effective_from, effective_to)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (code) DO NOTHING
        """,
        [
            (
                *(one.code, one.name, one.color, one.recognizer.name, one.recognizer.uscc, one.legal_basis),
                *(one.basis_level, one.min_publicity_months, one.max_publicity_months),
                *(one.effective_from, one.effective_to),
            )
            for one in LISTS
        ],
    )
    await connection.executemany(
        """
        INSERT INTO catalog_item (code, name, data_class, sharing_attribute, secrecy_approved, source_doc)
        VALUES ($1, $2, $3, 'PUBLIC', true, $4) ON CONFLICT (code) DO NOTHING
        """,
        [
            (item.code, item.name, item.data_class, _CATALOG_DOC)
            for source in sources
            for item in source.items
        ],
    )


async def seed_affiliations(connection: asyncpg.Connection, province: Province) -> int:
    """Members of `chamber`, merchants of `mall`, and one consent: after the first harvest. Repeatable.

    Gives how many affiliations are there. Subjects that no source delivered are left out.
    """
    rows = list(province.affiliations())
    await connection.execute(
        """
        INSERT INTO affiliation (partner, subject_id, kind, valid_from)
        SELECT given.partner, subject.subject_id, given.kind, given.valid_from
        FROM unnest($1::text[], $2::text[], $3::text[], $4::date[]) AS given (partner, uscc, kind, valid_from)
        JOIN subject USING (uscc)
        ON CONFLICT (subject_id, partner, kind, valid_from) DO NOTHING
        """,
        [row.partner for row in rows],
        [row.uscc for row in rows],
        [row.kind for row in rows],
        [row.valid_from for row in rows],
    )
    await _consent(connection, province)
    count: int = await connection.fetchval("SELECT count(*) FROM affiliation")
    return count


async def _consent(connection: asyncpg.Connection, province: Province) -> None:
    """The well-known firm lets its chamber and its platform see its tax grade for a year (PIPL art. 13)."""
    start = datetime.combine(province.today - timedelta(days=30), time(), UTC)
    for grantee, purpose in (("chamber", "MEMBER_ARCHIVE"), ("mall", "MERCHANT_ADMISSION")):
        evidence = hashlib.new("sm3", f"{RICH}/{grantee}/{purpose}/虚构".encode()).hexdigest()
        await connection.execute(
            """
            INSERT INTO consent (subject_id, grantee, purposes, data_classes, separate_consent, valid_from,
                valid_to, evidence_digest)
            SELECT subject_id, $2, ARRAY[$3], ARRAY['D17'], true, $4, $5, $6 FROM subject
            WHERE uscc = $1 AND NOT EXISTS (SELECT FROM consent WHERE evidence_digest = $6)
            """,
            *(RICH, grantee, purpose, start, start + timedelta(days=365), evidence),
        )
