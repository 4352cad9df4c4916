"""The handler's own records of what it publishes: they leave force, and come back, with the decision (R7.4, 5.4)."""

from __future__ import annotations

from hub.casework.machine import Case
from hub.casework.publicity.details import OwnRecord, PublicityDetails
from hub.casework.work import Work
from hub.rules.ongoing import going_on
from hub.rules.repair import load_repair_rules

# What ended otherwise stays as it ended. Other sources tell of a withdrawal themselves.
_RECORDS = f"""
SELECT public_id, lifecycle, under_objection, authority_name, authority_uscc, decided_on,
  seriousness <> 'NOT_ADVERSE' AS adverse FROM record x
WHERE subject_id = $1 AND document_number = $2 AND source = 'COMMERCE' AND superseded_at IS NULL
  AND {going_on("record", "x")} ORDER BY public_id
"""  # noqa: S608 -- a constant of this program


async def own_records(work: Work, case: Case[PublicityDetails]) -> tuple[OwnRecord, ...]:
    """The records of a case's decision that its handler itself decided (谁认定、谁负责), by subject, number and authority.

    Number and authority are what an officer wrote into the draft: of another authority's records it ends none, nor one of
    the handler's where the draft is of another's decision with the same number.
    """
    rows = await work.connection.fetch(_RECORDS, case.subject_id, case.details.decision_number)
    found = []
    for row in rows:
        name = row["authority_name"]
        recognizer = load_repair_rules().recognizer(
            name, row["authority_uscc"], row["decided_on"] or work.today
        )
        # Who is no recognizer of repairs is told by its name, as its agreement has it.
        own = recognizer.partner == case.owner if recognizer is not None else name and name == work.actor.name
        if own and case.details.authority in (name, recognizer.name if recognizer is not None else name):
            one = OwnRecord(str(row["public_id"]), row["lifecycle"], row["under_objection"], row["adverse"])
            found.append(one)
    return tuple(found)
