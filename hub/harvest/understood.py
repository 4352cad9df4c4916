"""What becomes of a raw row: it is understood, or rejected with the reason.

None of it has slots: it goes from process to process, and to pickle what has them takes more than twice as long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.contract import RawRow
from hub.harvest.drafts import SubjectDraft

# What a row tells of, and when it changed as its source says: a later row of that corrects it. Empty: it cannot be read.
Called = tuple[str, datetime | None]


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

    @property
    def named(self) -> str:
        """What the row tells of: the record, or what it told of one period. So far a withdrawal of it ends it."""
        return f"{self.record_id}:{self.period}" if self.period else self.record_id

    @property
    def called(self) -> Called:
        """What the row tells of, and when that changed."""
        return self.named, self.source_updated_at


@dataclass(frozen=True)
class Rejected:
    """A row that is quarantined."""

    row: RawRow
    code: str
    reason: str
    # Digests of the persons' numbers that it may name its subject by.
    persons: Collection[str] = ()
    # As of one that is understood, as far as it can be read.
    called: Called = ("", None)


def corrected_behind(batch: Sequence[Prepared | Rejected], accepted: Collection[int]) -> list[RawRow]:
    """The rows of `batch` that wait and that a row behind them, `accepted` by its id, corrects."""
    behind: dict[str, list[datetime | None]] = {}
    found = []
    for one in reversed(batch):
        named, changed = one.called
        if id(one) in accepted:
            behind.setdefault(named, []).append(changed)
        elif any(not (changed and later) or later >= changed for later in behind.get(named, ())):
            found.append(one.row)
    return found
