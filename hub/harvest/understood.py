"""What becomes of a raw row: it is understood, or rejected with the reason.

None of it has slots: it goes from process to process, and to pickle what has them takes more than twice as long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.contract import RawRow
from hub.harvest.drafts import SubjectDraft


@dataclass(frozen=True)
class Prepared:
    """A row understood: everything but the subject's id and the times of the store."""

    row: RawRow
    table: str
    record_id: str
    deleted: bool
    digest: str = ""
    subject: SubjectDraft | None = None
    data_class: str = ""
    catalog_item_code: str = ""
    sharing: str = "PUBLIC"
    source_updated_at: datetime | None = None
    # In the order of FILLED[table].
    values: tuple[object, ...] = ()
    # Number, authority and subject name the record, or what else tells it apart, whatever `record_id` was made of.
    by_decision: bool = False
    # What its source says of such a one that is withdrawn, of which nothing is stored.
    told: Mapping[str, object] = field(default_factory=dict)
    # Of what period an archive tells, by the month in which it ends, and by which of its items; empty: of none.
    period: str = ""
    period_code: str = ""


@dataclass(frozen=True)
class Rejected:
    """A row that is quarantined."""

    row: RawRow
    code: str
    reason: str
    # Digests of the persons' numbers that it may name its subject by.
    persons: Collection[str] = ()
