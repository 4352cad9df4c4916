"""Codes are looked up by their hash: of all that is asked of the store, they are what is asked most."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision: str | None = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_index("ix_subject_uscc", "subject", ["uscc"], postgresql_using="hash")
