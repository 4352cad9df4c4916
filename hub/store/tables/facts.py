"""The facts about subjects, each version with its provenance and its system time: superseded, never overwritten."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from hub.store.tables.base import CODE, MOMENT, NAMES, metadata, one_of, public_id
from hub.store.values import COLORS, LIFECYCLES, LIST_STATES, RECORD_KINDS, SERIOUSNESS, SHARING
from schema.governance import DATA_CLASSES


def _provenance() -> list[Column[Any]]:
    """Where a fact came from, how old it is, and during which time the hub believed it (system time)."""
    return [
        Column("source", CODE, nullable=False),
        Column("source_record_id", CODE, nullable=False),
        Column("provider_name", Text, nullable=False),
        Column("provider_code", CODE),
        Column("catalog_item_code", CODE, nullable=False),
        Column("sharing_attribute", CODE, nullable=False, server_default="PUBLIC"),
        Column("source_updated_at", MOMENT),
        Column("fetched_at", MOMENT, nullable=False),
        # SM3 (GB/T 32905-2016) over the canonical form of the row, hexadecimal.
        Column("payload_digest", CODE, nullable=False),
        Column("recorded_at", MOMENT, nullable=False),
        Column("superseded_at", MOMENT),
    ]


def _fact(name: str, *columns: Column[Any], constraints: tuple[CheckConstraint, ...] = ()) -> Table:
    """A table of facts: `version_id` names one version, `public_id` the fact through all its versions."""
    table = Table(
        name,
        metadata,
        Column("version_id", BigInteger, Identity(always=True), primary_key=True),
        public_id(),
        Column("subject_id", BigInteger, ForeignKey("subject.subject_id"), nullable=False),
        Column("data_class", CODE, nullable=False),
        *columns,
        *_provenance(),
        one_of("data_class", DATA_CLASSES),
        one_of("sharing_attribute", SHARING),
        *constraints,
    )
    Index(
        f"uq_{name}_current",
        table.c.source,
        table.c.source_record_id,
        unique=True,
        postgresql_where=table.c.superseded_at.is_(None),
    )
    Index(
        f"uq_{name}_current_public_id",
        table.c.public_id,
        unique=True,
        postgresql_where=table.c.superseded_at.is_(None),
    )
    Index(f"ix_{name}_history", table.c.source, table.c.source_record_id, table.c.recorded_at)
    # What was believed of a subject at an earlier moment; the indexes of today's facts do not hold what was superseded.
    Index(f"ix_{name}_subject_id", table.c.subject_id, table.c.recorded_at)
    return table


registration = _fact(
    "registration",
    Column("display_name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("registration_status", CODE),
    Column("region_code", CODE),
    Column("established_on", Date),
    Column("industry_code", CODE),
    Column("legal_representative_name", Text),
    Column("address", Text),
    Column("phone", Text),
)

# Former names; present ones are looked for in `subject`.
Index(
    "ix_registration_former_name_key",
    registration.c.name_key,
    postgresql_using="gist",
    postgresql_ops={"name_key": NAMES},
    postgresql_where=registration.c.superseded_at.is_not(None),
)

# Licences, penalties and every other catalogue record. Amounts in yuan (the exchange unit 万元 is converted on the way in).
record = _fact(
    "record",
    Column("kind", CODE, nullable=False),
    Column("record_type", CODE),
    Column("origin_class", CODE, nullable=False, server_default="PUBLIC_CREDIT"),
    Column("title", Text, nullable=False),
    Column("document_number", Text),
    Column("authority_name", Text),
    Column("authority_uscc", CODE),
    Column("decided_on", Date, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    # Last day on which the record may be used and shared; null: no end. Set from the dated rule sets.
    Column("usable_until", Date),
    Column("seriousness", CODE, nullable=False),
    Column("lifecycle", CODE, nullable=False),
    Column("under_objection", Boolean, nullable=False, server_default=text("false")),
    Column("simple_procedure", Boolean),
    Column("fine_amount", Numeric(18, 2)),
    Column("confiscated_amount", Numeric(18, 2)),
    Column("categories", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Texts that are only shown: contents, facts, basis, certificate … keyed by column name of the vocabulary.
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    constraints=(
        one_of("kind", RECORD_KINDS),
        one_of("seriousness", SERIOUSNESS),
        one_of("lifecycle", LIFECYCLES),
    ),
)
Index(
    "ix_record_subject_page",
    record.c.subject_id,
    record.c.decided_on,
    record.c.public_id,
    postgresql_where=record.c.superseded_at.is_(None),
)
Index(
    "ix_record_page",
    record.c.decided_on,
    record.c.public_id,
    postgresql_where=record.c.superseded_at.is_(None),
)
Index(
    "ix_record_document_number", record.c.document_number, postgresql_where=record.c.superseded_at.is_(None)
)

# What few records of many may be: by the order of their days it would take all of them to find that there is none. One index
# for columns of few values each: equal keys are kept once, so that all of it may be read where the first is not asked for.
Index(
    "ix_record_terms",
    record.c.source,
    record.c.kind,
    record.c.seriousness,
    postgresql_where=record.c.superseded_at.is_(None),
)
# With the kind and the class, which some filters ask besides: licences have no fine.
Index(
    "ix_record_fine",
    record.c.fine_amount,
    record.c.kind,
    record.c.seriousness,
    postgresql_where=and_(record.c.superseded_at.is_(None), record.c.fine_amount.is_not(None)),
)
# An authority that is no more, or an item that was dropped, has records of other years alone: by the order of the days of all
# records those of the years since would be read first.
Index(
    "ix_record_authority",
    record.c.authority_uscc,
    record.c.decided_on,
    postgresql_where=record.c.superseded_at.is_(None),
)
Index(
    "ix_record_item",
    record.c.catalog_item_code,
    record.c.decided_on,
    postgresql_where=record.c.superseded_at.is_(None),
)

# Grades issued by others: customs, tax, SAFE, associations, national evaluation. The hub never computes one.
grade = _fact(
    "grade",
    Column("scheme", CODE, nullable=False),
    Column("grade_code", CODE, nullable=False),
    Column("grade_label", Text, nullable=False),
    Column("ruleset_version", CODE, nullable=False),
    Column("issuer_name", Text, nullable=False),
    Column("issuer_uscc", CODE),
    Column("period", CODE),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
)
Index(
    "ix_grade_subject_page",
    grade.c.subject_id,
    grade.c.scheme,
    grade.c.effective_from,
    postgresql_where=grade.c.superseded_at.is_(None),
)

list_definition = Table(
    "list_definition",
    metadata,
    Column("code", CODE, primary_key=True),
    public_id(unique=True),
    Column("name", Text, nullable=False),
    Column("color", CODE, nullable=False),
    Column("recognizer_name", Text, nullable=False),
    Column("recognizer_uscc", CODE),
    # R8.1: no list without legal basis and its level.
    Column("legal_basis", Text, nullable=False),
    Column("basis_level", CODE, nullable=False),
    Column("min_publicity_months", Integer),
    Column("max_publicity_months", Integer),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
    # What puts a subject on it, and what follows: NULL where another authority's list is not told so whole.
    Column("criteria", Text),
    Column("measures", Text),
    one_of("color", COLORS),
)

# Who defined a list or changed its definition, and what it said before; lists that came with the hub have no row.
list_definition_change = Table(
    "list_definition_change",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("list_code", CODE, ForeignKey("list_definition.code"), nullable=False),
    Column("changed_at", MOMENT, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB, nullable=False),
)
Index(
    "ix_list_definition_change_list", list_definition_change.c.list_code, list_definition_change.c.change_id
)

list_entry = _fact(
    "list_entry",
    Column("list_code", CODE, ForeignKey("list_definition.code"), nullable=False),
    Column("color", CODE, nullable=False),
    Column("state", CODE, nullable=False),
    Column("cause", Text),
    Column("decision_number", Text),
    Column("recognized_on", Date),
    Column("publicity_from", Date),
    Column("earliest_repair_on", Date),
    Column("publicity_ends_on", Date),
    Column("exited_on", Date),
    Column("exit_reason", Text),
    Column("under_objection", Boolean, nullable=False, server_default=text("false")),
    constraints=(one_of("color", COLORS), one_of("state", LIST_STATES)),
)
Index(
    "ix_list_entry_subject_page",
    list_entry.c.subject_id,
    list_entry.c.recognized_on,
    list_entry.c.public_id,
    postgresql_where=list_entry.c.superseded_at.is_(None),
)
Index(
    "ix_list_entry_page",
    list_entry.c.recognized_on,
    list_entry.c.public_id,
    postgresql_where=list_entry.c.superseded_at.is_(None),
)
Index(
    "ix_list_entry_list_page",
    list_entry.c.list_code,
    list_entry.c.recognized_on,
    list_entry.c.public_id,
    postgresql_where=list_entry.c.superseded_at.is_(None),
)

# Archives kept by somebody: associations, platforms, FDI reports, prepaid issuers … Items are shown as given.
archive = _fact(
    "archive",
    Column("archive_type", CODE, nullable=False),
    Column("origin_class", CODE, nullable=False),
    Column("keeper_name", Text, nullable=False),
    Column("keeper_uscc", CODE),
    Column("opened_on", Date),
    Column("last_updated_on", Date),
    # [{"code", "label", "value"}], in the keeper's order.
    Column("items", JSONB, nullable=False, server_default=text("'[]'")),
    constraints=(one_of("origin_class", ("PUBLIC_CREDIT", "MARKET_CREDIT")),),
)
Index(
    "ix_archive_subject_page",
    archive.c.subject_id,
    archive.c.archive_type,
    archive.c.public_id,
    postgresql_where=archive.c.superseded_at.is_(None),
)

# Of which records a source said that they are no more, and of what moment of its own that was: what it said of them before
# and comes later, out of quarantine or delivered again, does not bring them back.
withdrawn_fact = Table(
    "withdrawn_fact",
    metadata,
    Column("source", CODE, primary_key=True),
    # The table that the record would stand in.
    Column("fact", CODE, primary_key=True),
    Column("source_record_id", CODE, primary_key=True),
    Column("withdrawn_at", MOMENT, nullable=False),
)
