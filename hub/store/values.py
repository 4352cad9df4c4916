"""The closed sets of values that columns of the store take; the tables hold them as conditions."""

from __future__ import annotations

SUBJECT_KINDS = ("LEGAL_PERSON", "UNINCORPORATED_ORGANIZATION", "INDIVIDUAL_BUSINESS", "NATURAL_PERSON")
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
# Every row carries one of the 43 data classes of the ceiling matrix, or it is quarantined.
DATA_CLASSES = tuple(f"D{number}" for number in range(1, 44))
