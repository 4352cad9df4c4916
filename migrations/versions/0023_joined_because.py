"""Why a person found that the subjects of a quarantined row's numbers are one; the cases of the one are the other's then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision: str | None = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.add_column("quarantine", sa.Column("joined_because", sa.Text()))
    # The writing role may not say whose a case is. By this it may where a subject without code turned out to be one with.
    op.execute(
        "CREATE FUNCTION join_cases(parts bigint[], wholes bigint[]) RETURNS void LANGUAGE sql SECURITY DEFINER"
        " SET search_path = public, pg_temp AS $$"
        " UPDATE case_file c SET subject_id = n.whole FROM unnest(parts, wholes) AS n(part, whole)"
        " JOIN subject p ON p.subject_id = n.part AND p.uscc IS NULL"
        " JOIN subject w ON w.subject_id = n.whole AND w.uscc IS NOT NULL"
        " WHERE c.subject_id = n.part $$"
    )
