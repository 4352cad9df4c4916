"""The mechanisms of the policy: catalogue, cases and what they send out, in working days."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from hub.store.tables.base import CODE, MOMENT, metadata, one_of, public_id
from hub.store.values import SHARING
from schema.governance import DATA_CLASSES

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
    one_of("data_class", DATA_CLASSES),
    one_of("sharing_attribute", SHARING),
)

# One handling under a mechanism of the policy: a check, a commitment, a publicity item … Its machine is in hub/casework/.
case_file = Table(
    "case_file",
    metadata,
    Column("case_id", BigInteger, Identity(always=True), primary_key=True),
    public_id(unique=True),
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
    one_of("data_class", DATA_CLASSES),
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
Index(
    "ix_case_file_mechanism_due_on",
    case_file.c.mechanism,
    case_file.c.due_on,
    postgresql_where=case_file.c.due_on.is_not(None) & case_file.c.closed_at.is_(None),
)
# In most states are few cases, or those of some mechanisms alone.
Index("ix_case_file_state", case_file.c.state, case_file.c.mechanism)

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
# Which deliveries have had their alarm: the worker asks it of every open one each minute.
Index(
    "ix_case_event_overdue",
    case_event.c.payload["delivery_id"].astext,
    postgresql_where=case_event.c.transition == "delivery_overdue",
)

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
    one_of("state", ("PENDING", "SENT", "ACKNOWLEDGED", "FAILED")),
    one_of("action", ("PUBLISH", "WITHDRAW", "EXIT")),
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
