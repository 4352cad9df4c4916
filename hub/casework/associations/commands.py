"""The commands of members' publications (R14.2): proposed by the association, reviewed by the department, ended by any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from hub.casework import engine
from hub.casework.associations.machine import (
    ASSOCIATION,
    MEMBER_PUBLICATION,
    MemberPublicationDetails,
    Published,
)
from hub.casework.given import is_sm3, said
from hub.casework.partners import department_of, in_force
from hub.casework.stepping import stepping, take
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused, SubjectUnknown
from hub.query.access import Access, Row, all_of, subject_row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES
from hub.rights.matrix import Scope
from hub.store.writing import one_at_a_time

_LONGEST_CLAUSE = 400
_OPEN = """
SELECT count(*) FROM case_file
WHERE mechanism = 'MEMBER_PUBLICATION' AND subject_id = $2 AND details->>'association' = $1 AND closed_at IS NULL
"""
_MEMBER = """
SELECT EXISTS (SELECT FROM affiliation f WHERE f.subject_id = $1 AND f.partner = $2 AND f.kind = 'MEMBER'
  AND f.valid_from <= $3 AND (f.valid_to IS NULL OR f.valid_to >= $3))
"""


async def propose(work: Work, given: Mapping[str, Any]) -> Made:
    """Propose that the archive of one of one's members is published, with its written agreement.

    Raises SubjectUnknown (also for members of others), BadUserInput, GuardRefused.
    """
    digest, clause = given["agreement_digest"], said(given["clause"], "clause", _LONGEST_CLAUSE)
    if not is_sm3(digest):
        raise BadUserInput("An SM3 digest has 64 hexadecimal digits.", argument="agreementDigest")
    if not given["signed_on"] <= work.today <= given["agreed_until"]:
        raise GuardRefused(reason="NO_AGREEMENT_IN_FORCE")
    member = await _member(work, given["subject"])
    partner = work.actor.partner
    await one_at_a_time(work.connection, f"{partner}/{member['subject_id']}")
    if await work.connection.fetchval(_OPEN, partner, member["subject_id"]):
        raise GuardRefused(reason="ALREADY_PROPOSED_OR_PUBLISHED")
    handler = department_of(await in_force(work.connection, work.today), member["region_code"])
    if handler is None:
        raise GuardRefused(reason="NO_DEPARTMENT")
    new = engine.NewCase(
        subject_id=member["subject_id"],
        details=MemberPublicationDetails(
            association=partner,
            association_name=member["keeper_name"],
            subject_code=member["uscc"],
            subject_name=member["display_name"],
            content=tuple(Published(**one) for one in orjson.loads(member["items"])),
            clause=clause,
            agreement_digest=digest,
            signed_on=given["signed_on"],
            agreed_until=given["agreed_until"],
        ),
        region_code=member["region_code"],
        target_public_id=str(member["public_id"]),
        parties=((partner, ASSOCIATION),),
    )
    (case,) = await engine.open_cases(
        work.connection, MEMBER_PUBLICATION, [new], work.step(given), owner=handler
    )
    return Made(ids=(case.public_id,))


async def _member(work: Work, code: str) -> Any:
    """A member of the caller's own with the public part of the archive that the caller keeps of it."""
    parameters = Parameters()
    access, archive = Access(work.view, parameters), Row("a", TABLES["archive"])
    named = parameters.bind(FromRef(Constant(code)), "text")
    own = access.scope(Scope.OWN_MEMBER, subject_row("s"))
    kept = all_of(
        [
            "a.subject_id = s.subject_id",
            "a.superseded_at IS NULL",
            "a.archive_type = 'ASSOCIATION'",
            access.scope(Scope.OWN_SOURCE, archive),
            access.visible(archive, (MEMBER_PUBLICATION.data_class,)),
        ]
    )
    found = await work.rows(
        "SELECT s.subject_id, s.uscc, s.display_name, s.region_code, a.public_id, a.items, a.keeper_name"  # noqa: S608
        f" FROM subject s LEFT JOIN archive a ON {kept} WHERE {all_of([f's.uscc = {named}', own])}"
        " ORDER BY a.last_updated_on DESC NULLS LAST, a.public_id LIMIT 1",
        parameters,
    )
    if not found:
        raise SubjectUnknown
    if found[0]["public_id"] is None:
        raise GuardRefused(reason="NO_ARCHIVE")
    return found[0]


async def approve(work: Work, given: Mapping[str, Any]) -> Made:
    """Publish it on 信用中国(青海). Raises CaseUnknown, CommandForbidden, StateConflict, GuardRefused."""
    case, _ = await engine.find(work.connection, MEMBER_PUBLICATION, given["number"], work.actor)
    member = await work.connection.fetchval(_MEMBER, case.subject_id, case.details.association, work.today)
    return await take(work, MEMBER_PUBLICATION, "approve", {**given, "member": member})


COMMANDS: dict[str, Command] = {
    "member.propose": propose,
    "member.approve": approve,
    **{
        f"member.{name}": stepping(MEMBER_PUBLICATION, name)
        for name in ("decline", "withdraw", "revoke", "stop")
    },
}
