"""What registrations say of a subject, as the subject's own row tells it: name, state, region, trade, representative."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from hub.harvest.columns import PLACES
from hub.harvest.drafts import region_of
from schema.names import name_key

# A later registration wins; what it does not say stays as it was.
_REGISTER = """
UPDATE subject s SET display_name = n.name, name_key = n.name_key,
  registration_status = coalesce(n.status, s.registration_status),
  region_code = coalesce(n.region, s.region_code),
  established_on = coalesce(n.established, s.established_on),
  industry_code = coalesce(n.industry, s.industry_code),
  legal_representative_name = coalesce(n.representative, s.legal_representative_name)
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::text[])
  AS n(subject_id, name, name_key, status, region, established, industry, representative)
WHERE s.subject_id = n.subject_id
"""
# What a registration told is not known any more once it is withdrawn, or is another subject's by its source's later word;
# how the subject was called last is still how it is called.
_UNREGISTER = """
UPDATE subject s SET registration_status = NULL, region_code = NULL, established_on = NULL, industry_code = NULL,
  legal_representative_name = NULL
WHERE s.subject_id IN (SELECT r.subject_id FROM registration r WHERE r.source = $1 AND r.source_record_id = ANY ($2::text[])
  AND NOT EXISTS (SELECT FROM registration c WHERE c.source = $1 AND c.source_record_id = r.source_record_id
    AND c.superseded_at IS NULL AND c.subject_id = r.subject_id))
RETURNING s.subject_id
"""
# And what the registrations say that stand beside it, the later one first.
_OTHERWISE = """
SELECT r.subject_id, s.uscc, {columns} FROM registration r JOIN subject s USING (subject_id)
WHERE r.subject_id = ANY ($1::bigint[]) AND r.superseded_at IS NULL GROUP BY r.subject_id, s.uscc
""".format(
    columns=", ".join(
        f"(array_agg(r.{name} ORDER BY r.version_id DESC) FILTER (WHERE r.{name} IS NOT NULL))[1] AS {name}"
        for name in PLACES["registration"]
    )
)


async def take(
    connection: asyncpg.Connection, told: Sequence[tuple[int, Mapping[str, object], str | None]]
) -> None:
    """Have these subjects be what their registrations say, and in what region today."""
    if not told:
        return
    await connection.execute(
        _REGISTER,
        [subject_id for subject_id, _, _ in told],
        [values["display_name"] for _, values, _ in told],
        [name_key(str(values["display_name"])) for _, values, _ in told],
        [values["registration_status"] for _, values, _ in told],
        [region for _, _, region in told],
        [values["established_on"] for _, values, _ in told],
        [values["industry_code"] for _, values, _ in told],
        [values["legal_representative_name"] for _, values, _ in told],
    )


async def withdraw(connection: asyncpg.Connection, source: str, records: Collection[str]) -> None:
    """Have subjects be without what these registrations told of them, which are withdrawn or are other subjects' now."""
    if not records:
        return
    gone = await connection.fetch(_UNREGISTER, source, list(records))
    others = await connection.fetch(_OTHERWISE, [row["subject_id"] for row in gone])
    await take(
        connection,
        [(row["subject_id"], row, region_of(row["region_code"], row["uscc"])) for row in others],
    )
