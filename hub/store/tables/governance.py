"""What partners may, have used and were told: agreements, quotas, the disclosure ledger."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from hub.store.tables.base import CODE, MOMENT, metadata

# Applied versions of the partners' data-sharing agreements; the newest row of a partner is the one in force.
agreement = Table(
    "agreement",
    metadata,
    Column("agreement_id", BigInteger, Identity(always=True), primary_key=True),
    Column("partner", CODE, nullable=False),
    Column("digest", CODE, nullable=False),
    Column("document", Text, nullable=False),
    Column("applied_at", MOMENT, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("suspended_at", MOMENT),
    Column("suspended_by", Text),
)
Index("ix_agreement_partner", agreement.c.partner, agreement.c.agreement_id)

# The disclosure ledger: one row a group commit, its entries as the exact bytes that were hashed.
ledger_block = Table(
    "ledger_block",
    metadata,
    Column("chain", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("committed_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("algorithm", CODE, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    # One JSON object a line, UTF-8.
    Column("entries", LargeBinary, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("subjects", ARRAY(BigInteger), nullable=False),
    CheckConstraint("entry_count > 0", name="not_empty"),
    PrimaryKeyConstraint("chain", "seq"),
)

# Eight subjects that follow each other share an entry of the index: one each costs bulk checks more than their blocks.
event.listen(
    metadata,
    "before_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE FUNCTION subject_groups(ids bigint[]) RETURNS bigint[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
        " AS 'SELECT array(SELECT one >> 3 FROM unnest(ids) AS one)'"
    ),
)
Index("ix_ledger_block_subject_groups", func.subject_groups(ledger_block.c.subjects), postgresql_using="gin")

# How many subjects each partner asked about on a day, each question counted: daily quotas hold over all workers.
quota_use = Table(
    "quota_use",
    metadata,
    Column("partner", CODE, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("subjects", BigInteger, nullable=False, server_default=text("0")),
)

# By which key persons' numbers were made unreadable: the digest of a fixed text under it, noted at its first use.
key_check = Table(
    "key_check",
    metadata,
    Column("variable", CODE, primary_key=True),
    Column("digest", CODE, nullable=False),
    Column("noted_at", MOMENT, nullable=False),
)
