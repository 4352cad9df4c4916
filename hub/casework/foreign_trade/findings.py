"""Records that the department files on a finding (R13.3): the decision of a competent authority, never a suspicion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from hub.casework.machine import NewFact
from hub.errors import BadUserInput, GuardRefused
from hub.rights.agreement import Agreement
from hub.rules.decisions import Authority, meant
from hub.rules.publicity import load_publicity_rules
from hub.rules.redactor import TextTooLong, screen
from hub.rules.repair import load_repair_rules
from hub.store.writing import one_writer

# As penalties of the 双公示 files are catalogued.
PENALTY_ITEM = "SW-CF"
# Among the details of a record: the day on which its conduct ended.
CONDUCT_ENDED = "conduct_ended_on"
# Also what has ended: a repaired or expired record must not come back as a new one (R9.2). The caller knows the
# document's number, and is told no more than that it was filed before.
_FILED = """
SELECT authority_uscc, authority_name FROM record WHERE subject_id = $1 AND document_number = $2 AND superseded_at IS NULL
  AND seriousness <> 'NOT_ADVERSE' ORDER BY version_id
"""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided about a subject: by whom, when, under which number."""

    record: str
    subject_id: int
    # Of the case that files it: the record's id at its source.
    case_number: str
    authority_name: str
    document_number: str
    decided_on: date
    # When the conduct that it is about ended; None: not told.
    conduct_ended_on: date | None
    filed_on: date
    title: str


def penalty(decision: Decision, facts: str, basis: str, kinds: Sequence[str]) -> NewFact:
    """A penalty of another authority, classed by its kinds; its life is that of all penalties (Order 36)."""
    seriousness, flags = load_publicity_rules().classify(kinds, None)
    minor = seriousness == "MINOR"
    return _record(
        decision,
        seriousness,
        {
            "kind": "PENALTY",
            "data_class": "D7" if minor else "D6",
            "categories": list(kinds),
            "catalog_item_code": PENALTY_ITEM,
            "sharing_attribute": "GOVERNMENT_SHARED" if minor else "PUBLIC",
            "details": {"facts": facts, "basis": basis, "flags": list(flags)},
        },
    )


def established(
    decision: Decision,
    *,
    record_type: str,
    data_class: str,
    seriousness: str,
    catalog_item_code: str,
    items: Sequence[tuple[str, str, str]],
) -> NewFact:
    """An established breach that is no penalty; `items`: (code, label, value). Shared between authorities only."""
    return _record(
        decision,
        seriousness,
        {
            "kind": "GENERIC",
            "record_type": record_type,
            "data_class": data_class,
            "catalog_item_code": catalog_item_code,
            "sharing_attribute": "GOVERNMENT_SHARED",
            "details": {
                "items": [{"code": code, "label": label, "value": value} for code, label, value in items]
            },
        },
    )


def _record(decision: Decision, seriousness: str, more: Mapping[str, Any]) -> NewFact:
    """Raises GuardRefused for a conduct that no record may tell any more, or that ended after it was decided on."""
    conduct = decision.conduct_ended_on
    if conduct is not None:
        if conduct > decision.decided_on:
            raise GuardRefused(reason="DECISION_DAY_IMPOSSIBLE")
        if load_publicity_rules().ceiling(conduct) < decision.filed_on:
            raise GuardRefused(reason="CONDUCT_TOO_LONG_AGO")
        # Kept for whoever corrects the record: its life is counted anew then.
        more = {**more, "details": {**more["details"], CONDUCT_ENDED: conduct.isoformat()}}
    return NewFact(
        "record",
        {
            "public_id": decision.record,
            "subject_id": decision.subject_id,
            "title": decision.title,
            "document_number": decision.document_number,
            "authority_name": decision.authority_name,
            "decided_on": decision.decided_on,
            "usable_until": load_publicity_rules().usable_until(decision.decided_on, seriousness, conduct),
            "seriousness": seriousness,
            "lifecycle": "EFFECTIVE",
            "source": "COMMERCE",
            # Parties of one notification may have given their decisions the same number.
            "source_record_id": f"{decision.case_number}/{decision.document_number}/{decision.authority_name}",
            "provider_name": decision.authority_name,
            **more,
        },
    )


def authority_of(agreement: Agreement, day: date) -> str:
    """Whose decision a partner's is: of the authority that repairs it, where it is one, else of its agreement's name.

    A name that no rule knows would be another department's: what was recognized here would be repaired nowhere (R9.2).
    """
    recognizer = load_repair_rules().recognized_by(agreement.partner, day)
    return agreement.name if recognizer is None else recognizer.name


async def filed_before(
    connection: asyncpg.Connection, subject_id: int, document_number: str, authority: str, decided_on: date
) -> bool:
    """Whether this authority's decision about this subject is a record already, or was one.

    Also where records do not tell whose decision they are. The caller may not be shown them: only the last guard of a
    step tells it, to whoever could file the decision otherwise.
    """
    # Nobody files it from another case meanwhile.
    await one_writer(connection)
    rows = await connection.fetch(_FILED, subject_id, document_number)
    filed = [(Authority(row["authority_uscc"], row["authority_name"]), row) for row in rows]
    return meant(load_repair_rules().known_as(Authority(name=authority), decided_on), filed) != []


def publishable(text: str, today: date) -> None:
    """Raises GuardRefused where a text that becomes part of a record holds what must not be published (R7.3)."""
    try:
        found = screen(text, today).findings
    except TextTooLong as error:
        raise BadUserInput(f"{error}.") from None
    if found:
        raise GuardRefused(reason="TEXT_NOT_PUBLISHABLE")
