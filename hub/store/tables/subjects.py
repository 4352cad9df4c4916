"""Subjects, the numbers that they are known by, and what ties them to partners."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from hub.store.tables.base import CODE, MOMENT, NAMES, metadata, one_of, public_id
from hub.store.values import SUBJECT_KINDS
from schema.governance import DATA_CLASSES

# A subject is only an anchor: what is known of it stands in the facts. Region is the current one (GB/T 2260).
subject = Table(
    "subject",
    metadata,
    Column("subject_id", BigInteger, Identity(always=True), primary_key=True),
    public_id(unique=True),
    Column("kind", CODE, nullable=False),
    Column("uscc", CODE, unique=True),
    Column("region_code", CODE),
    Column("is_minor", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    # Current registration, repeated here so that the merchant check reads one row; history stands in `registration`.
    Column("display_name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("registration_status", CODE),
    Column("established_on", Date),
    Column("industry_code", CODE),
    Column("legal_representative_name", Text),
    # Data class → sources of which a row that names the subject waits in quarantine; null: none does.
    Column("in_doubt", JSONB),
    # The subject that this one turned out to be: its numbers and what was known of it stand there.
    Column("joined_to", BigInteger, ForeignKey("subject.subject_id")),
    one_of("kind", SUBJECT_KINDS),
    CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name="uscc_shape"),
)

# Beside the index that keeps codes unique: by their hash a bulk check's hundred codes are found in half as many pages.
Index("ix_subject_uscc", subject.c.uscc, postgresql_using="hash")
Index(
    "ix_subject_name_key",
    subject.c.name_key,
    postgresql_using="gist",
    postgresql_ops={"name_key": NAMES},
)
Index(
    "ix_subject_joined_to",
    subject.c.joined_to,
    postgresql_where=subject.c.joined_to.is_not(None),
)

# Every identifier a subject is or was known by. Numbers of persons stand here only as HMAC-SM3 (scheme …, digest).
identifier = Table(
    "identifier",
    metadata,
    Column("identifier_id", BigInteger, Identity(always=True), primary_key=True),
    Column("subject_id", BigInteger, ForeignKey("subject.subject_id"), nullable=False),
    Column("scheme", CODE, nullable=False),
    # Normalized value; for schemes of persons the HMAC-SM3 in hexadecimal, never the number.
    Column("value", CODE, nullable=False),
    Column("data_class", CODE, nullable=False),
    Column("source", CODE, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
    UniqueConstraint("scheme", "value"),
    one_of("data_class", DATA_CLASSES),
)
Index("ix_identifier_subject_id", identifier.c.subject_id)

# Whose member or merchant a subject is: the row scope of associations and platforms.
affiliation = Table(
    "affiliation",
    metadata,
    Column("partner", CODE, nullable=False),
    Column("subject_id", BigInteger, ForeignKey("subject.subject_id"), nullable=False),
    Column("kind", CODE, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    UniqueConstraint("subject_id", "partner", "kind", "valid_from"),
    one_of("kind", ("MEMBER", "MERCHANT")),
)

# A subject's consent (PIPL art. 13–15, 23): for one grantee, some purposes and data classes, until it ends or is withdrawn.
consent = Table(
    "consent",
    metadata,
    Column("consent_id", BigInteger, Identity(always=True), primary_key=True),
    public_id(),
    Column("subject_id", BigInteger, ForeignKey("subject.subject_id"), nullable=False),
    Column("grantee", CODE, nullable=False),
    Column("purposes", ARRAY(Text), nullable=False),
    Column("data_classes", ARRAY(Text), nullable=False),
    Column("separate_consent", Boolean, nullable=False),
    Column("valid_from", MOMENT, nullable=False),
    Column("valid_to", MOMENT, nullable=False),
    Column("withdrawn_at", MOMENT),
    # SM3 of the signed letter.
    Column("evidence_digest", CODE, nullable=False),
    # When and by which operators it was taken in and withdrawn.
    Column("recorded_at", MOMENT),
    Column("recorded_by", Text),
    Column("withdrawn_by", Text),
)
Index("ix_consent_subject_id", consent.c.subject_id, consent.c.grantee)
