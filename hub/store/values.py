"""The closed sets of values that columns of the store take; of most, the tables hold them as conditions."""

from __future__ import annotations

SUBJECT_KINDS = ("LEGAL_PERSON", "UNINCORPORATED_ORGANIZATION", "INDIVIDUAL_BUSINESS", "NATURAL_PERSON")
# By which a subject is known; of the papers of persons, only their digests.
IDENTIFIER_SCHEMES = (
    "USCC",
    "ORG_CODE",
    "BUSINESS_REG_NO",
    "TAXPAYER_ID",
    "CUSTOMS_CODE",
    "SOCIAL_ORG_NO",
    "PUBLIC_INST_NO",
    "RESIDENT_ID",
    "PASSPORT",
)
RECORD_KINDS = ("LICENSE", "PENALTY", "GENERIC")
LIFECYCLES = (
    "DRAFT",
    "EFFECTIVE",
    "UNDER_OBJECTION",
    "SUSPENDED",
    "REPAIRED",
    "EXPIRED",
    "REVOKED",
    "CORRECTED",
)
SERIOUSNESS = ("NOT_ADVERSE", "UNCLASSIFIED", "MINOR", "GENERAL", "SERIOUS")
SHARING = ("PUBLIC", "GOVERNMENT_SHARED", "AUTHORIZED_QUERY", "RESTRICTED")
COLORS = ("RED", "WATCH", "BLACK")
LIST_STATES = (
    "PROPOSED",
    "NOTICE_SERVED",
    "OBJECTION_PERIOD",
    "RECOGNIZED",
    "PUBLISHED",
    "SUSPENDED",
    "EXITED_EXPIRED",
    "EXITED_REPAIRED",
    "EXITED_REVOKED",
    "EXITED_DISQUALIFIED",
    "NOT_RECOGNIZED",
)
