"""Casework: cases, their events, parties and deliveries, commands already done, and the working calendar"""
# ruff: noqa: E501 -- drafted; conditions are as long as their value sets

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from hub.rules.calendar import seed_rows

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    op.create_table(
        "idempotency",
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.Text(collation="C"), nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partner", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "case_file",
        sa.Column("case_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("mechanism", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Text(collation="C"), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("owner", sa.Text(collation="C"), nullable=False),
        sa.Column("region_code", sa.Text(collation="C"), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_is_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruleset", sa.Text(collation="C"), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("target_public_id", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_case_file_data_class_known"),
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name=op.f("fk_case_file_subject_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("number", name=op.f("uq_case_file_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_case_file_public_id")),
    )
    op.create_index(
        "ix_case_file_due_on",
        "case_file",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("due_on IS NOT NULL AND closed_at IS NULL"),
    )
    op.create_index("ix_case_file_page", "case_file", ["mechanism", "opened_on", "public_id"], unique=False)
    op.create_index("ix_case_file_subject_id", "case_file", ["subject_id", "mechanism"], unique=False)
    op.create_index("ix_case_file_target_public_id", "case_file", ["target_public_id"], unique=False)
    op.create_table(
        "case_event",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transition", sa.Text(collation="C"), nullable=False),
        sa.Column("from_state", sa.Text(collation="C"), nullable=True),
        sa.Column("to_state", sa.Text(collation="C"), nullable=False),
        sa.Column("actor_partner", sa.Text(collation="C"), nullable=False),
        sa.Column("actor_officer", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column(
            "payload", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_case_event_case_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_case_event")),
    )
    op.create_index("ix_case_event_case_id", "case_event", ["case_id", "event_id"], unique=False)
    op.create_table(
        "case_party",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("role", sa.Text(collation="C"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_case_party_case_id")),
        sa.PrimaryKeyConstraint("case_id", "partner", "role", name=op.f("pk_case_party")),
    )
    op.create_index("ix_case_party_partner", "case_party", ["partner", "case_id"], unique=False)
    op.create_table(
        "delivery_out",
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(collation="C"), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(collation="C"), server_default="PENDING", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_no", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(collation="C"), nullable=False),
        sa.Column("error_code", sa.Text(collation="C"), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENT', 'ACKNOWLEDGED', 'FAILED')", name=op.f("ck_delivery_out_state_known")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_delivery_out_case_id")),
        sa.ForeignKeyConstraint(["event_id"], ["case_event.event_id"], name=op.f("fk_delivery_out_event_id")),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_out")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_delivery_out_idempotency_key")),
    )
    op.create_index("ix_delivery_out_case_id", "delivery_out", ["case_id"], unique=False)
    op.create_index(
        "ix_delivery_out_next_attempt_at",
        "delivery_out",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('PENDING', 'SENT')"),
    )
    # R7.1: what the State Council's notices fixed; later years come from their notices, never by themselves.
    rows = [
        {"region_code": region, "day": day, "is_workday": worked, "source_doc": source}
        for region, day, worked, source in seed_rows()
    ]
    op.get_bind().execute(
        sa.text(
            "INSERT INTO working_day (region_code, day, is_workday, source_doc)"
            " SELECT x.region_code, x.day, x.is_workday, x.source_doc"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS x(region_code text, day date, is_workday boolean, source_doc text) ON CONFLICT DO NOTHING"
        ),
        {"rows": json.dumps(rows, default=str)},
    )
