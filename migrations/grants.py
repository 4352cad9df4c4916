"""What each role may do to each table: the roles hold no other rights, whatever the code above them asks."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from hub.store.tables import metadata

ROLES = ("hub_reader", "hub_writer", "hub_auditor")

# A fact is superseded, never overwritten: of a fact's row only the end of its system time may change.
FACT = "SELECT, INSERT, UPDATE (superseded_at)"
KEPT = "SELECT, INSERT, UPDATE"

GRANTS: Mapping[str, Mapping[str, str]] = {
    # The read path: facts, row scopes and consent. No ledger, no raw rows, no agreements, no evidence.
    "hub_reader": {
        "subject": "SELECT",
        "identifier": "SELECT",
        "registration": "SELECT",
        "record": "SELECT",
        "grade": "SELECT",
        "list_definition": "SELECT",
        "list_entry": "SELECT",
        "archive": "SELECT",
        "affiliation": "SELECT",
        "consent": "SELECT (consent_id, public_id, subject_id, grantee, purposes, data_classes, "
        "separate_consent, valid_from, valid_to, withdrawn_at)",
        # How fresh its facts are, not how its harvests go or where they stand.
        "source_state": "SELECT (source, status, as_of)",
        "working_day": "SELECT",
        "catalog_item": "SELECT",
        "case_file": "SELECT",
        "case_event": "SELECT",
        "case_party": "SELECT",
        # What is asked of the channel and how it went, not what was sent.
        "delivery_out": "SELECT (delivery_id, case_id, event_id, channel, state, attempts, sent_at, "
        "acknowledged_at, receipt_no, idempotency_key, error_code, action)",
        "alembic_version": "SELECT",
    },
    # Harvest, casework, agreements and the ledger. Nothing may be deleted but keys of repetitions, no block of the
    # ledger changed.
    "hub_writer": {
        "subject": KEPT,
        "identifier": KEPT,
        "registration": FACT,
        "record": FACT,
        "grade": FACT,
        "list_definition": KEPT,
        "list_definition_change": "SELECT, INSERT",
        "list_entry": FACT,
        "archive": FACT,
        "affiliation": KEPT,
        "consent": "SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_by)",
        "source_state": KEPT,
        "withdrawn_fact": KEPT,
        "delivery": KEPT,
        "quarantine": KEPT,
        "agreement": KEPT,
        "ledger_block": "SELECT, INSERT",
        "quota_use": KEPT,
        "working_day": KEPT,
        "catalog_item": KEPT,
        # What a case is about never changes, and what happened to it is only added to. Where two subjects turn out to be one
        # join_cases says whose it is.
        "case_file": "SELECT, INSERT, UPDATE (state, due_on, due_is_provisional, closed_at, details, version)",
        "case_event": "SELECT, INSERT",
        "case_party": "SELECT, INSERT",
        "delivery_out": KEPT,
        # One seed for a plan, never changed; read by nobody else before it is published.
        "draw_seed": "SELECT, INSERT",
        # Of use for some days only, and tells what stands in the case itself: without an end it would grow for ever.
        "idempotency": "SELECT, INSERT, DELETE",
        # What is noted of a key is the owner's to take back alone.
        "key_check": "SELECT, INSERT",
        "alembic_version": "SELECT",
    },
    # Who saw whom: the ledger, the agreements it was seen under, and who a subject is.
    "hub_auditor": {
        "ledger_block": "SELECT",
        "agreement": "SELECT",
        "list_definition_change": "SELECT",
        "subject": "SELECT",
        "identifier": "SELECT",
        "key_check": "SELECT",
        "alembic_version": "SELECT",
    },
}

# The library's own tables: whoever writes also works through the queue. Nobody else sees it: jobs name cases.
QUEUE = "job"
QUEUE_GRANTS = (
    f"REVOKE ALL ON SCHEMA {QUEUE} FROM PUBLIC, {', '.join(ROLES)}",
    f"REVOKE ALL ON ALL TABLES IN SCHEMA {QUEUE} FROM PUBLIC, {', '.join(ROLES)}",
    f"GRANT USAGE ON SCHEMA {QUEUE} TO hub_writer",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {QUEUE} TO hub_writer",
    f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {QUEUE} TO hub_writer",
)
FUNCTION_GRANTS = (
    f"REVOKE ALL ON FUNCTION join_cases FROM PUBLIC, {', '.join(ROLES)}",
    "GRANT EXECUTE ON FUNCTION join_cases TO hub_writer",
)

CREATE_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} LOGIN NOINHERIT;
    ALTER ROLE {role} SET jit = off;
    {settings}
  END IF;
END $$
"""
# Also said on each of the hub's own connections; here they bind whoever else logs in as the reader.
READER_SETTINGS = """
    ALTER ROLE hub_reader SET default_transaction_read_only = on;
    ALTER ROLE hub_reader SET statement_timeout = '10s';
"""

# A database copied from a template does not take these with it.
SECURE_DATABASE = """
DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO hub_reader, hub_auditor', current_database());
  EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO hub_writer', current_database());
END $$
"""


def apply_grants(connection: Connection) -> None:
    """Create the roles that are missing and give each the rights above; needs CREATEROLE only once."""
    for role in ROLES:
        settings = READER_SETTINGS if role == "hub_reader" else ""
        connection.exec_driver_sql(CREATE_ROLE.format(role=role, settings=settings))
    connection.exec_driver_sql(SECURE_DATABASE)
    for table in (*metadata.tables, "alembic_version"):
        connection.exec_driver_sql(f"REVOKE ALL ON TABLE {table} FROM PUBLIC, {', '.join(ROLES)}")
    for role, tables in GRANTS.items():
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
        for table, rights in tables.items():
            connection.exec_driver_sql(f"GRANT {rights} ON TABLE {table} TO {role}")
    for statement in (*QUEUE_GRANTS, *FUNCTION_GRANTS):
        connection.exec_driver_sql(statement)
