"""What all tables share: their metadata and names, and columns that many have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import UUID

# Codes compare byte by byte: the "C" collation keeps their indexes usable whatever the database's locale is.
CODE = Text(collation="C")

MOMENT = DateTime(timezone=True)

# How keys of names are indexed: most names of a province share 青海 and 有限公司, and an inverted index (GIN) goes through
# all that do, for each name that is looked for. Signatures of Chinese names need this length.
NAMES = "gist_trgm_ops (siglen=64)"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """The column has one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def public_id(*, unique: bool = False) -> Column[Any]:
    """The opaque id that callers see: random, so that it says nothing and cannot be guessed.

    `unique`: no two rows have it; versions of a fact share theirs.
    """
    return Column(
        "public_id",
        UUID(as_uuid=False),
        nullable=False,
        unique=unique,
        server_default=text("gen_random_uuid()"),
    )
