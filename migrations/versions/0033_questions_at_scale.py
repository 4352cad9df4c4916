"""Indexes and statistics for questions of which many rows, or none, are the answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision: str | None = "0031"
branch_labels = None
depends_on = None

_NAMES = "gist_trgm_ops (siglen=64)"


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    # In the inverted indexes all names with 有限公司 were gone through, for each name that was looked for.
    for name, table, where in (
        ("ix_subject_name_key", "subject", None),
        ("ix_registration_former_name_key", "registration", "superseded_at IS NOT NULL"),
    ):
        op.drop_index(name, table_name=table)
        op.create_index(
            name,
            table,
            ["name_key"],
            unique=False,
            postgresql_using="gist",
            postgresql_ops={"name_key": _NAMES},
            postgresql_where=None if where is None else sa.text(where),
        )
