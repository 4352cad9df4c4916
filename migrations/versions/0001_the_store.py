"""The store"""
# ruff: noqa: E501 -- drafted; conditions are as long as their value sets

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this version; the store only goes forward, so there is no way back."""
    # Trigrams find names; trusted since PostgreSQL 13, so the owner of the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "agreement",
        sa.Column("agreement_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.Text(collation="C"), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_agreement")),
    )
    op.create_index("ix_agreement_partner", "agreement", ["partner", "agreement_id"], unique=False)
    op.create_table(
        "catalog_item",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), nullable=False),
        sa.Column("secrecy_approved", sa.Boolean(), nullable=False),
        sa.Column("source_doc", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_catalog_item_data_class_known"),
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_catalog_item_sharing_attribute_known"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_catalog_item")),
    )
    op.create_table(
        "delivery",
        sa.Column("digest", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows_stored", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_unchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_quarantined", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_delivery")),
    )
    op.create_table(
        "ledger_block",
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column(
            "committed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("algorithm", sa.Text(collation="C"), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint("entry_count > 0", name=op.f("ck_ledger_block_not_empty")),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_ledger_block")),
    )
    op.create_index(
        "ix_ledger_block_subjects", "ledger_block", ["subjects"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "list_definition",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(collation="C"), nullable=False),
        sa.Column("recognizer_name", sa.Text(), nullable=False),
        sa.Column("recognizer_uscc", sa.Text(collation="C"), nullable=True),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("basis_level", sa.Text(collation="C"), nullable=False),
        sa.Column("min_publicity_months", sa.Integer(), nullable=True),
        sa.Column("max_publicity_months", sa.Integer(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.CheckConstraint("color IN ('RED', 'WATCH', 'BLACK')", name=op.f("ck_list_definition_color_known")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_list_definition")),
        sa.UniqueConstraint("public_id", name=op.f("uq_list_definition_public_id")),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(collation="C"), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("reason_code", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint(
            "source", "origin", "position", name=op.f("uq_quarantine_source_origin_position")
        ),
    )
    op.create_table(
        "quota_use",
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subjects", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("partner", "day", name=op.f("pk_quota_use")),
    )
    op.create_table(
        "source_state",
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_stored", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_unchanged", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_quarantined", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_state")),
    )
    op.create_table(
        "subject",
        sa.Column("subject_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("uscc", sa.Text(collation="C"), nullable=True),
        sa.Column("region_code", sa.Text(collation="C"), nullable=True),
        sa.Column("is_minor", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("registration_status", sa.Text(collation="C"), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("industry_code", sa.Text(collation="C"), nullable=True),
        sa.Column("legal_representative_name", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('LEGAL_PERSON', 'UNINCORPORATED_ORGANIZATION', 'INDIVIDUAL_BUSINESS', 'NATURAL_PERSON')",
            name=op.f("ck_subject_kind_known"),
        ),
        sa.CheckConstraint("uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'", name=op.f("ck_subject_uscc_shape")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subject_public_id")),
        sa.UniqueConstraint("uscc", name=op.f("uq_subject_uscc")),
    )
    op.create_index(
        "ix_subject_name_key",
        "subject",
        ["name_key"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
    )
    op.create_table(
        "working_day",
        sa.Column("region_code", sa.Text(collation="C"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_workday", sa.Boolean(), nullable=False),
        sa.Column("source_doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("region_code", "day", name=op.f("pk_working_day")),
    )
    op.create_table(
        "affiliation",
        sa.Column("partner", sa.Text(collation="C"), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('MEMBER', 'MERCHANT')", name=op.f("ck_affiliation_kind_known")),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.subject_id"], name=op.f("fk_affiliation_subject_id")
        ),
        sa.UniqueConstraint(
            "subject_id",
            "partner",
            "kind",
            "valid_from",
            name=op.f("uq_affiliation_subject_id_partner_kind_valid_from"),
        ),
    )
    op.create_table(
        "archive",
        sa.Column("version_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("archive_type", sa.Text(collation="C"), nullable=False),
        sa.Column("origin_class", sa.Text(collation="C"), nullable=False),
        sa.Column("keeper_name", sa.Text(), nullable=False),
        sa.Column("keeper_uscc", sa.Text(collation="C"), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("last_updated_on", sa.Date(), nullable=True),
        sa.Column(
            "items", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("source_record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_code", sa.Text(collation="C"), nullable=True),
        sa.Column("catalog_item_code", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), server_default="PUBLIC", nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_archive_data_class_known"),
        ),
        sa.CheckConstraint(
            "origin_class IN ('PUBLIC_CREDIT', 'MARKET_CREDIT')", name=op.f("ck_archive_origin_class_known")
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_archive_sharing_attribute_known"),
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name=op.f("fk_archive_subject_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_archive")),
    )
    op.create_index(
        "ix_archive_history", "archive", ["source", "source_record_id", "recorded_at"], unique=False
    )
    op.create_index(
        "ix_archive_subject_page",
        "archive",
        ["subject_id", "archive_type", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_archive_current",
        "archive",
        ["source", "source_record_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_archive_current_public_id",
        "archive",
        ["public_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("grantee", sa.Text(collation="C"), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("data_classes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("separate_consent", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_digest", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name=op.f("fk_consent_subject_id")),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_subject_id", "consent", ["subject_id", "grantee"], unique=False)
    op.create_table(
        "grade",
        sa.Column("version_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("scheme", sa.Text(collation="C"), nullable=False),
        sa.Column("grade_code", sa.Text(collation="C"), nullable=False),
        sa.Column("grade_label", sa.Text(), nullable=False),
        sa.Column("ruleset_version", sa.Text(collation="C"), nullable=False),
        sa.Column("issuer_name", sa.Text(), nullable=False),
        sa.Column("issuer_uscc", sa.Text(collation="C"), nullable=True),
        sa.Column("period", sa.Text(collation="C"), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("source_record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_code", sa.Text(collation="C"), nullable=True),
        sa.Column("catalog_item_code", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), server_default="PUBLIC", nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_grade_data_class_known"),
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_grade_sharing_attribute_known"),
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name=op.f("fk_grade_subject_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_grade")),
    )
    op.create_index("ix_grade_history", "grade", ["source", "source_record_id", "recorded_at"], unique=False)
    op.create_index(
        "ix_grade_subject_page",
        "grade",
        ["subject_id", "scheme", "effective_from"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_grade_current",
        "grade",
        ["source", "source_record_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_grade_current_public_id",
        "grade",
        ["public_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "identifier",
        sa.Column("identifier_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.Text(collation="C"), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_identifier_data_class_known"),
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.subject_id"], name=op.f("fk_identifier_subject_id")
        ),
        sa.PrimaryKeyConstraint("identifier_id", name=op.f("pk_identifier")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_identifier_scheme_value")),
    )
    op.create_index("ix_identifier_subject_id", "identifier", ["subject_id"], unique=False)
    op.create_table(
        "list_entry",
        sa.Column("version_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("list_code", sa.Text(collation="C"), nullable=False),
        sa.Column("color", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("recognized_on", sa.Date(), nullable=True),
        sa.Column("publicity_from", sa.Date(), nullable=True),
        sa.Column("earliest_repair_on", sa.Date(), nullable=True),
        sa.Column("publicity_ends_on", sa.Date(), nullable=True),
        sa.Column("exited_on", sa.Date(), nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=True),
        sa.Column("under_objection", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("source_record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_code", sa.Text(collation="C"), nullable=True),
        sa.Column("catalog_item_code", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), server_default="PUBLIC", nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("color IN ('RED', 'WATCH', 'BLACK')", name=op.f("ck_list_entry_color_known")),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_list_entry_data_class_known"),
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_list_entry_sharing_attribute_known"),
        ),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'NOTICE_SERVED', 'OBJECTION_PERIOD', 'RECOGNIZED', 'PUBLISHED', 'SUSPENDED', 'EXITED_EXPIRED', 'EXITED_REPAIRED', 'EXITED_REVOKED', 'EXITED_DISQUALIFIED', 'NOT_RECOGNIZED')",
            name=op.f("ck_list_entry_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["list_code"], ["list_definition.code"], name=op.f("fk_list_entry_list_code")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.subject_id"], name=op.f("fk_list_entry_subject_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_list_entry")),
    )
    op.create_index(
        "ix_list_entry_history", "list_entry", ["source", "source_record_id", "recorded_at"], unique=False
    )
    op.create_index(
        "ix_list_entry_list_page",
        "list_entry",
        ["list_code", "recognized_on", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "ix_list_entry_subject_page",
        "list_entry",
        ["subject_id", "recognized_on", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_list_entry_current",
        "list_entry",
        ["source", "source_record_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_list_entry_current_public_id",
        "list_entry",
        ["public_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "record",
        sa.Column("version_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("record_type", sa.Text(collation="C"), nullable=True),
        sa.Column("origin_class", sa.Text(collation="C"), server_default="PUBLIC_CREDIT", nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("authority_name", sa.Text(), nullable=True),
        sa.Column("authority_uscc", sa.Text(collation="C"), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("usable_until", sa.Date(), nullable=True),
        sa.Column("seriousness", sa.Text(collation="C"), nullable=False),
        sa.Column("lifecycle", sa.Text(collation="C"), nullable=False),
        sa.Column("under_objection", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("simple_procedure", sa.Boolean(), nullable=True),
        sa.Column("fine_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("confiscated_amount", sa.Numeric(precision=18, scale=2), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("source_record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_code", sa.Text(collation="C"), nullable=True),
        sa.Column("catalog_item_code", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), server_default="PUBLIC", nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_record_data_class_known"),
        ),
        sa.CheckConstraint("kind IN ('LICENSE', 'PENALTY', 'GENERIC')", name=op.f("ck_record_kind_known")),
        sa.CheckConstraint(
            "lifecycle IN ('DRAFT', 'EFFECTIVE', 'UNDER_OBJECTION', 'SUSPENDED', 'REPAIRED', 'EXPIRED', 'REVOKED', 'CORRECTED')",
            name=op.f("ck_record_lifecycle_known"),
        ),
        sa.CheckConstraint(
            "seriousness IN ('NOT_ADVERSE', 'UNCLASSIFIED', 'MINOR', 'GENERAL', 'SERIOUS')",
            name=op.f("ck_record_seriousness_known"),
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_record_sharing_attribute_known"),
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name=op.f("fk_record_subject_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_record")),
    )
    op.create_index(
        "ix_record_document_number",
        "record",
        ["document_number"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "ix_record_history", "record", ["source", "source_record_id", "recorded_at"], unique=False
    )
    op.create_index(
        "ix_record_page",
        "record",
        ["decided_on", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "ix_record_subject_page",
        "record",
        ["subject_id", "decided_on", "public_id"],
        unique=False,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_record_current",
        "record",
        ["source", "source_record_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_record_current_public_id",
        "record",
        ["public_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "registration",
        sa.Column("version_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "public_id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("data_class", sa.Text(collation="C"), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("registration_status", sa.Text(collation="C"), nullable=True),
        sa.Column("region_code", sa.Text(collation="C"), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("industry_code", sa.Text(collation="C"), nullable=True),
        sa.Column("legal_representative_name", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("source_record_id", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_name", sa.Text(), nullable=False),
        sa.Column("provider_code", sa.Text(collation="C"), nullable=True),
        sa.Column("catalog_item_code", sa.Text(collation="C"), nullable=False),
        sa.Column("sharing_attribute", sa.Text(collation="C"), server_default="PUBLIC", nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_digest", sa.Text(collation="C"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "data_class IN ('D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9', 'D10', 'D11', 'D12', 'D13', 'D14', 'D15', 'D16', 'D17', 'D18', 'D19', 'D20', 'D21', 'D22', 'D23', 'D24', 'D25', 'D26', 'D27', 'D28', 'D29', 'D30', 'D31', 'D32', 'D33', 'D34', 'D35', 'D36', 'D37', 'D38', 'D39', 'D40', 'D41', 'D42', 'D43')",
            name=op.f("ck_registration_data_class_known"),
        ),
        sa.CheckConstraint(
            "sharing_attribute IN ('PUBLIC', 'GOVERNMENT_SHARED', 'AUTHORIZED_QUERY', 'RESTRICTED')",
            name=op.f("ck_registration_sharing_attribute_known"),
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.subject_id"], name=op.f("fk_registration_subject_id")
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_registration")),
    )
    op.create_index(
        "ix_registration_history", "registration", ["source", "source_record_id", "recorded_at"], unique=False
    )
    op.create_index("ix_registration_subject_id", "registration", ["subject_id", "recorded_at"], unique=False)
    op.create_index(
        "uq_registration_current",
        "registration",
        ["source", "source_record_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_index(
        "uq_registration_current_public_id",
        "registration",
        ["public_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
