"""Consents of subjects, taken in from signed letters and withdrawn: each opens classes of data to one partner, for a time.

Personal Information Protection Law (个人信息保护法) art. 14 (informed, voluntary, explicit; a separate one where a law asks
for it), 15 (may be withdrawn at any time), 23 (the recipient, its purpose and the kinds of data are named), 29.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from hub.errors import BadUserInput, SubjectUnknown
from hub.rights.agreement import today_in
from hub.rights.agreement_file import Agreement
from hub.rights.matrix import Matrix, Purpose, Scope
from hub.rights.policy import decide

# One at a time for each subject: of two that take in the same letter at once the second finds it.
_SUBJECT = "SELECT subject_id, display_name FROM subject WHERE uscc = $1 FOR UPDATE"
_SAME = """
SELECT consent_id, valid_from, withdrawn_at FROM consent
WHERE subject_id = $1 AND grantee = $2 AND purposes = $3 AND data_classes = $4 AND separate_consent = $5
  AND valid_to = $6 AND evidence_digest = $7 ORDER BY withdrawn_at NULLS FIRST, consent_id
"""
_RECORD = """
INSERT INTO consent (subject_id, grantee, purposes, data_classes, separate_consent, valid_from, valid_to, evidence_digest,
  recorded_at, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING consent_id
"""
_WITHDRAW = """
UPDATE consent SET withdrawn_at = $2, withdrawn_by = $3 WHERE consent_id = $1 AND withdrawn_at IS NULL
RETURNING withdrawn_at
"""
_LIST = """
SELECT c.consent_id, s.uscc, s.display_name, c.grantee, c.purposes, c.data_classes, c.separate_consent, c.valid_from,
  c.valid_to, c.withdrawn_at, c.evidence_digest, c.recorded_at, c.recorded_by, c.withdrawn_by
FROM consent c JOIN subject s USING (subject_id)
WHERE ($1::text IS NULL OR s.uscc = $1) AND ($2::text IS NULL OR c.grantee = $2)
ORDER BY c.consent_id DESC LIMIT $3
"""


@dataclass(frozen=True)
class Consent:
    """What a letter says. `code`: whose it is; `grantee`: the partner that may be told; `ends`: the first moment without it.

    `separate`: the letter is about this alone, as a law asks for some classes. `evidence`: SM3 of the letter's file.
    """

    code: str
    grantee: str
    purposes: tuple[Purpose, ...]
    classes: tuple[str, ...]
    separate: bool
    begins: datetime
    ends: datetime
    evidence: str


@dataclass(frozen=True)
class Recorded:
    """The consent's number, the name of whose it is, and whether it was there already."""

    number: int
    name: str
    known: bool


def require_effect(consent: Consent, agreement: Agreement, matrix: Matrix, now: datetime) -> None:
    """Refuse what would open nothing, or not what it says: whoever signed it, or counts on it, would be misled.

    Raises BadUserInput.
    """
    if not consent.begins < consent.ends or consent.ends <= now:
        raise BadUserInput("The consent is over before it begins, or by now.")
    if undeclared := [one for one in consent.purposes if one not in agreement.purposes]:
        raise BadUserInput(f"{agreement.partner} may not declare {', '.join(undeclared)}.")
    if unknown := [one for one in consent.classes if one not in matrix.data]:
        raise BadUserInput(f"There is no data class {', '.join(unknown)}.")
    if agreement.valid_to < today_in(now):
        raise BadUserInput(f"The agreement of {agreement.partner} is over: apply the next one first.")
    today = max(today_in(now), agreement.valid_from)
    opened = {
        (purpose, one)
        for purpose in consent.purposes
        for one in consent.classes
        for grant in decide(matrix, agreement, purpose, one, today).grants
        if Scope.CONSENT in grant.scopes
    }
    for one in consent.classes:
        if one not in {data_class for _, data_class in opened}:
            raise BadUserInput(
                f"No consent opens {one} to {agreement.partner} for {', '.join(consent.purposes)}."
            )
    for purpose in consent.purposes:
        if purpose not in {declared for declared, _ in opened}:
            raise BadUserInput(
                f"No consent opens {', '.join(consent.classes)} to {agreement.partner} for {purpose}."
            )
    if not consent.separate and (
        strict := [one for one in consent.classes if one in matrix.separate_consent]
    ):
        raise BadUserInput(
            f"{', '.join(strict)} needs a consent of its own ({matrix.separate_consent[strict[0]]}):"
            " say so if the letter is one."
        )


async def record_consent(pool: asyncpg.Pool, consent: Consent, now: datetime, by: str) -> Recorded:
    """Take in a consent; one that stands already, word for word, is found instead. `by`: who does it.

    Errors: SubjectUnknown; BadUserInput: the same was withdrawn.
    """
    said = (sorted(consent.purposes), sorted(consent.classes), consent.separate)
    async with pool.acquire() as connection, connection.transaction():
        subject = await connection.fetchrow(_SUBJECT, consent.code)
        if subject is None:
            raise SubjectUnknown("No subject of this code is known to the hub.")
        of, name = subject["subject_id"], subject["display_name"]
        same = await connection.fetch(_SAME, of, consent.grantee, *said, consent.ends, consent.evidence)
        for row in same:
            if row["withdrawn_at"] is not None:
                raise BadUserInput(
                    f"By this letter consent {row['consent_id']} was given, and it is withdrawn: a new one needs a new letter."
                )
            # Where no first day is said, what stands by now says the same; what begins later does not.
            if row["valid_from"] == consent.begins or row["valid_from"] <= now == consent.begins:
                return Recorded(row["consent_id"], name, known=True)
        number = await connection.fetchval(
            _RECORD, of, consent.grantee, *said, consent.begins, consent.ends, consent.evidence, now, by
        )
    return Recorded(number, name, known=False)


async def withdraw_consent(pool: asyncpg.Pool, number: int, now: datetime, by: str) -> datetime:
    """End a consent at once, for good; of one that is withdrawn already, since when. Raises BadUserInput: there is none."""
    ended: datetime | None = await pool.fetchval(_WITHDRAW, number, now, by)
    if ended is None:
        ended = await pool.fetchval("SELECT withdrawn_at FROM consent WHERE consent_id = $1", number)
    if ended is None:
        raise BadUserInput(f"There is no consent {number}.")
    return ended


async def list_consents(
    pool: asyncpg.Pool, code: str | None, grantee: str | None, limit: int
) -> Sequence[Any]:
    """Consents, the newest first, ended and withdrawn ones too; of one subject, to one partner."""
    found: Sequence[Any] = await pool.fetch(_LIST, code, grantee, limit)
    return found
