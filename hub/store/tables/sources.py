"""How far each source was read, and what of it was not understood."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY

from hub.store.tables.base import CODE, MOMENT, metadata

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
