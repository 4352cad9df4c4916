"""The store's tables: subjects, the facts about them with system time, sources, partners and the disclosure ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from hub.store.values import (
    COLORS,
    LIFECYCLES,
    LIST_STATES,
    RECORD_KINDS,
    SERIOUSNESS,
    SHARING,
    SUBJECT_KINDS,
)
from schema.governance import DATA_CLASSES

# Codes compare byte by byte: the "C" collation keeps their indexes usable whatever the database's locale is.
CODE = Text(collation="C")
MOMENT = DateTime(timezone=True)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _public_id() -> Column[Any]:
    """The opaque id that callers see: random, so that it says nothing and cannot be guessed."""
    return Column("public_id", UUID(as_uuid=False), nullable=False, server_default=text("gen_random_uuid()"))


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
        _public_id(),
        Column("subject_id", BigInteger, ForeignKey("subject.subject_id"), nullable=False),
        Column("data_class", CODE, nullable=False),
        *columns,
        *_provenance(),
        _one_of("data_class", DATA_CLASSES),
        _one_of("sharing_attribute", SHARING),
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


# A subject is only an anchor: what is known of it stands in the facts. Region is the current one (GB/T 2260).
subject = Table(
    "subject",
    metadata,
    Column("subject_id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "public_id",
        UUID(as_uuid=False),
        nullable=False,
        unique=True,
        server_default=text("gen_random_uuid()"),
    ),
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
    _one_of("kind", SUBJECT_KINDS),
    CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name="uscc_shape"),
)
# Beside the index that keeps codes unique: by their hash a bulk check's hundred codes are found in half as many pages.
Index("ix_subject_uscc", subject.c.uscc, postgresql_using="hash")
Index(
    "ix_subject_name_key",
    subject.c.name_key,
    postgresql_using="gin",
    postgresql_ops={"name_key": "gin_trgm_ops"},
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
    _one_of("data_class", DATA_CLASSES),
)
Index("ix_identifier_subject_id", identifier.c.subject_id)

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
    postgresql_using="gin",
    postgresql_ops={"name_key": "gin_trgm_ops"},
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
        _one_of("kind", RECORD_KINDS),
        _one_of("seriousness", SERIOUSNESS),
        _one_of("lifecycle", LIFECYCLES),
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
    record.c.catalog_item_code,
    record.c.authority_uscc,
    postgresql_where=record.c.superseded_at.is_(None),
)
Index(
    "ix_record_fine",
    record.c.fine_amount,
    postgresql_where=and_(record.c.superseded_at.is_(None), record.c.fine_amount.is_not(None)),
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
    Column(
        "public_id",
        UUID(as_uuid=False),
        nullable=False,
        unique=True,
        server_default=text("gen_random_uuid()"),
    ),
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
    _one_of("color", COLORS),
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
    constraints=(_one_of("color", COLORS), _one_of("state", LIST_STATES)),
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
    constraints=(_one_of("origin_class", ("PUBLIC_CREDIT", "MARKET_CREDIT")),),
)
Index(
    "ix_archive_subject_page",
    archive.c.subject_id,
    archive.c.archive_type,
    archive.c.public_id,
    postgresql_where=archive.c.superseded_at.is_(None),
)

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
    _one_of("kind", ("MEMBER", "MERCHANT")),
)

# A subject's consent (PIPL art. 13–15, 23): for one grantee, some purposes and data classes, until it ends or is withdrawn.
consent = Table(
    "consent",
    metadata,
    Column("consent_id", BigInteger, Identity(always=True), primary_key=True),
    _public_id(),
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

# What each source last gave: written by the harvest and by the live part, read into every answer.
source_state = Table(
    "source_state",
    metadata,
    Column("source", CODE, primary_key=True),
    Column("status", CODE, nullable=False),
    Column("as_of", MOMENT),
    Column("checked_at", MOMENT, nullable=False),
    # Where the next harvest goes on: opaque to all but the connector.
    Column("cursor", Text),
    Column("rows_read", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_stored", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_quarantined", BigInteger, nullable=False, server_default=text("0")),
    # When the first harvest failed since the last one that came to its end. For operators alone: what partners are
    # told rests on `as_of`.
    Column("failing_since", MOMENT),
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

# Files already taken, by digest, with how far: a re-delivery is recognized, a killed import goes on.
delivery = Table(
    "delivery",
    metadata,
    Column("digest", CODE, primary_key=True),
    Column("source", CODE, nullable=False),
    Column("name", Text, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("position", BigInteger, nullable=False, server_default=text("0")),
    Column("finished_at", MOMENT),
    Column("rows_stored", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_quarantined", BigInteger, nullable=False, server_default=text("0")),
)

# Rows that were not understood, with their raw bytes: corrected and replayed by a person, never guessed.
quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", CODE, nullable=False),
    Column("origin", Text, nullable=False),
    Column("position", CODE, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("reason_code", CODE, nullable=False),
    Column("reason", Text, nullable=False),
    Column("quarantined_at", MOMENT, nullable=False),
    Column("replayed_at", MOMENT),
    # The codes and older numbers of firms that stand in it, digests of the numbers of persons; and the data classes that a row
    # of its source may be of.
    Column("codes", ARRAY(CODE), nullable=False, server_default=text("'{}'")),
    Column("data_classes", ARRAY(CODE), nullable=False, server_default=text("'{}'")),
    # What it tells of, where that can be read, and when it changed as its source says: a later row of that corrects it.
    Column("named", Text, nullable=False, server_default=text("''")),
    Column("changed_at", MOMENT),
    # Who replayed it and the fields that were corrected then, or who dismissed it and why.
    Column("settled_by", Text),
    Column("corrected", ARRAY(Text)),
    Column("dismissed_because", Text),
    # Why whoever replayed it found that the subjects of its numbers are one, though cases were about an old one.
    Column("joined_because", Text),
    # Who let its texts be shown last, and why: kept when the row comes back, for what was shown was shown.
    Column("cleared_at", MOMENT),
    Column("cleared_by", Text),
    Column("cleared_because", Text),
    UniqueConstraint("source", "origin", "position"),
)
# How many rows of a source wait for a person, and since when: asked each minute; those understood since are ever more.
Index(
    "ix_quarantine_open",
    quarantine.c.source,
    quarantine.c.quarantined_at,
    postgresql_where=quarantine.c.replayed_at.is_(None),
)
# Which rows that wait a later row corrects.
Index(
    "ix_quarantine_named",
    quarantine.c.source,
    quarantine.c.named,
    postgresql_where=quarantine.c.replayed_at.is_(None),
)
# Which rows that wait name a subject.
Index(
    "ix_quarantine_codes",
    quarantine.c.codes,
    postgresql_using="gin",
    postgresql_where=quarantine.c.replayed_at.is_(None),
)

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

# R7.1: the working calendar, with the notice that fixes each day; days without a row are provisional.
working_day = Table(
    "working_day",
    metadata,
    Column("region_code", CODE, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("is_workday", Boolean, nullable=False),
    Column("source_doc", Text, nullable=False),
)

# The catalogue of credit information items: a record whose item is not listed here is quarantined (国办发〔2020〕49号).
catalog_item = Table(
    "catalog_item",
    metadata,
    Column("code", CODE, primary_key=True),
    Column("name", Text, nullable=False),
    Column("data_class", CODE, nullable=False),
    Column("sharing_attribute", CODE, nullable=False),
    Column("secrecy_approved", Boolean, nullable=False),
    Column("source_doc", Text, nullable=False),
    _one_of("data_class", DATA_CLASSES),
    _one_of("sharing_attribute", SHARING),
)

# One handling under a mechanism of the policy: a check, a commitment, a publicity item … Its machine is in hub/casework/.
case_file = Table(
    "case_file",
    metadata,
    Column("case_id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "public_id",
        UUID(as_uuid=False),
        nullable=False,
        unique=True,
        server_default=text("gen_random_uuid()"),
    ),
    Column("mechanism", CODE, nullable=False),
    # The number that people write down; random within its year, so that it tells nothing of other cases.
    Column("number", CODE, nullable=False, unique=True),
    Column("subject_id", BigInteger, ForeignKey("subject.subject_id")),
    Column("data_class", CODE, nullable=False),
    Column("state", CODE, nullable=False),
    # Partner that handles it.
    Column("owner", CODE, nullable=False),
    Column("region_code", CODE),
    Column("opened_at", MOMENT, nullable=False),
    # The same as a calendar day in Asia/Shanghai; pages are ordered by it.
    Column("opened_on", Date, nullable=False),
    # Last day of the open deadline; provisional while the working calendar up to it is not fixed by a notice.
    Column("due_on", Date),
    Column("due_is_provisional", Boolean, nullable=False, server_default=text("false")),
    Column("closed_at", MOMENT),
    # The dated rule set that it is handled under, whatever comes into force later.
    Column("ruleset", CODE, nullable=False),
    # Keyed and typed by the frozen dataclass of the mechanism.
    Column("details", JSONB, nullable=False),
    # The record, list entry or case that it is about.
    Column("target_public_id", UUID(as_uuid=False)),
    # Raised by every transition, so that none builds on what another has changed.
    Column("version", Integer, nullable=False, server_default=text("1")),
    _one_of("data_class", DATA_CLASSES),
)
Index("ix_case_file_page", case_file.c.mechanism, case_file.c.opened_on, case_file.c.public_id)
# All mechanisms together.
Index("ix_case_file_opened_on", case_file.c.opened_on, case_file.c.public_id)
Index("ix_case_file_subject_id", case_file.c.subject_id, case_file.c.mechanism)
Index("ix_case_file_target_public_id", case_file.c.target_public_id)
Index(
    "ix_case_file_due_on",
    case_file.c.due_on,
    postgresql_where=case_file.c.due_on.is_not(None) & case_file.c.closed_at.is_(None),
)

# What the worker looks for every few minutes: what is open of a mechanism, in some states of it. Ended cases are ever more.
Index(
    "ix_case_file_open",
    case_file.c.mechanism,
    case_file.c.state,
    postgresql_where=case_file.c.closed_at.is_(None),
)

# What happened to a case, by whom and why: appended with each change of state, in its transaction; audit and outbox.
case_event = Table(
    "case_event",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("transition", CODE, nullable=False),
    # Null: the case was opened by it.
    Column("from_state", CODE),
    Column("to_state", CODE, nullable=False),
    Column("actor_partner", CODE, nullable=False),
    Column("actor_officer", CODE, nullable=False),
    Column("reason", Text),
    Column("document_number", Text),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'")),
)
Index("ix_case_event_case_id", case_event.c.case_id, case_event.c.event_id)

# Who has to do with a case, and as what: the row scope PARTY.
case_party = Table(
    "case_party",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("partner", CODE, nullable=False),
    Column("role", CODE, nullable=False),
    Column("since", MOMENT, nullable=False),
    PrimaryKeyConstraint("case_id", "partner", "role"),
)
Index("ix_case_party_partner", case_party.c.partner, case_party.c.case_id)

# What must reach a channel or a partner because of an event; sent again until it is acknowledged.
delivery_out = Table(
    "delivery_out",
    metadata,
    Column("delivery_id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), nullable=False),
    Column("event_id", BigInteger, ForeignKey("case_event.event_id"), nullable=False),
    Column("channel", CODE, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("state", CODE, nullable=False, server_default="PENDING"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", MOMENT),
    Column("sent_at", MOMENT),
    Column("acknowledged_at", MOMENT),
    Column("receipt_no", Text),
    # The receiver knows a repetition by it.
    Column("idempotency_key", CODE, nullable=False, unique=True),
    Column("error_code", CODE),
    # What the channel is asked to do, beside the payload for those who have no right to that.
    Column("action", CODE, Computed("payload ->> 'action'", persisted=True), nullable=False),
    _one_of("state", ("PENDING", "SENT", "ACKNOWLEDGED", "FAILED")),
    _one_of("action", ("PUBLISH", "WITHDRAW", "EXIT")),
)
Index("ix_delivery_out_case_id", delivery_out.c.case_id)
Index(
    "ix_delivery_out_next_attempt_at",
    delivery_out.c.next_attempt_at,
    postgresql_where=delivery_out.c.state.in_(("PENDING", "SENT")),
)

# What else was decided of the same item: a later end, an earlier showing.
Index(
    "ix_delivery_out_item",
    text("(payload ->> 'item')"),
    delivery_out.c.channel,
    delivery_out.c.delivery_id,
)
# What has no receipt and still needs one; all others are done, and ever more.
Index(
    "ix_delivery_out_undelivered",
    delivery_out.c.delivery_id,
    postgresql_where=text(
        "state IN ('PENDING', 'SENT') OR state = 'FAILED' AND error_code IS DISTINCT FROM 'SUPERSEDED'"
    ),
)

# R6.3: the seed of a random inspection between its commitment and its publication. The reading role has no right to it.
draw_seed = Table(
    "draw_seed",
    metadata,
    Column("case_id", BigInteger, ForeignKey("case_file.case_id"), primary_key=True, autoincrement=False),
    Column("seed", LargeBinary, nullable=False),
    Column("sealed_at", MOMENT, nullable=False),
    CheckConstraint("octet_length(seed) = 32", name="seed_length"),
)

# Commands already done, by the key that the caller gave them: a repetition is answered, not done again. Rows older than
# hub/jobs.py says are forgotten each night; no index for that, since a week's rows are few.
idempotency = Table(
    "idempotency",
    metadata,
    Column("partner", CODE, primary_key=True),
    Column("key", CODE, primary_key=True),
    # SM3 over the document, its variables and what they were declared for.
    Column("digest", CODE, nullable=False),
    # Response key → what the command made.
    Column("outcome", JSONB, nullable=False),
    Column("at", MOMENT, nullable=False),
)

# By which key persons' numbers were made unreadable: the digest of a fixed text under it, noted at its first use.
key_check = Table(
    "key_check",
    metadata,
    Column("variable", CODE, primary_key=True),
    Column("digest", CODE, nullable=False),
    Column("noted_at", MOMENT, nullable=False),
)
