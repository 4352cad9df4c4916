"""The commands of commitments (article 六): handed in by the subject or recorded by the department; templates to sign."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.commitments.machine import COMMITMENT, CommitmentDetails, party_of, personal, screened_text
from hub.casework.given import is_sm3, said
from hub.casework.receivers import receiver
from hub.casework.stepping import stepping, take
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, CommandForbidden, GuardRefused
from hub.rules.commitments import load_commitment_rules
from hub.rules.publicity import add_months
from hub.rules.redactor import TextTooLong

_LONGEST_SCOPE, _LONGEST_NAME = 2000, 60


async def submit(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.1: the subject hands its commitment in. Raises CommandForbidden, BadUserInput, GuardRefused."""
    if work.actor.subject is None:
        raise CommandForbidden
    subject = await subject_of(work, work.actor.subject)
    owner = await receiver(work, subject["region_code"], given.get("receiver"))
    return await _open(work, given, subject, owner)


async def record(work: Work, given: Mapping[str, Any]) -> Made:
    """R6.1: the department records a commitment that it got on paper. Raises SubjectUnknown, BadUserInput, GuardRefused."""
    subject = await subject_of(work, given["subject"])
    return await _open(work, given, subject, work.actor.partner)


async def _open(work: Work, given: Mapping[str, Any], subject: Any, owner: str) -> Made:
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=_details(work, given["commitment"], subject["uscc"], subject["display_name"]),
        region_code=subject["region_code"],
        parties=((party_of(subject["uscc"]), "SUBJECT"),),
    )
    (case,) = await engine.open_cases(work.connection, COMMITMENT, [new], work.step({}), owner=owner)
    return Made(ids=(case.public_id,))


def _details(work: Work, given: Mapping[str, Any], code: str, name: str) -> CommitmentDetails:
    """The commitment that was signed. Raises BadUserInput, GuardRefused."""
    rules, today = load_commitment_rules(), work.today
    template = rules.template_on(given["template"], today)
    if template is None:
        raise GuardRefused(reason="TEMPLATE_UNKNOWN")
    if template.version != given["template_version"]:
        raise GuardRefused(reason="TEMPLATE_VERSION_NOT_IN_FORCE")
    kind = rules.type_on(template.type, today)
    if kind is None:
        raise GuardRefused(reason="TYPE_NOT_IN_FORCE")
    scope = said(given["scope"], "scope", _LONGEST_SCOPE)
    signatory = said(given["signatory"], "signatory", _LONGEST_NAME)
    if not is_sm3(given["signed_digest"]):
        raise BadUserInput("An SM3 digest has 64 hexadecimal digits.", argument="signedDigest")
    begins, ends = given["valid_from"], given["valid_to"]
    if not begins <= ends or ends < today:
        raise GuardRefused(reason="VALIDITY_IMPOSSIBLE")
    if ends > add_months(begins, kind.most_months):
        raise GuardRefused(reason="VALIDITY_TOO_LONG")
    if not given["consents_to_publication"]:
        # R6.2: consent is part of the form.
        raise GuardRefused(reason="NO_CONSENT_TO_PUBLISH")
    made = CommitmentDetails(
        type=kind.code,
        type_name=kind.zh,
        national=kind.national,
        subject_code=code,
        subject_name=name,
        signatory=signatory,
        template=template.code,
        template_version=template.version,
        title=template.title,
        text=template.text(name, scope),
        consequence=template.consequence,
        scope=scope,
        valid_from=begins,
        valid_to=ends,
        signed_digest=given["signed_digest"],
        consents_to_publication=True,
    )
    try:
        found = personal(f"{screened_text(made)}\n{signatory}", today)
    except TextTooLong as error:
        raise BadUserInput(f"{error}.", argument="scope") from None
    if found:
        raise GuardRefused(reason="PERSONAL_DATA_IN_TEXT")
    return made


def _revises(transition: str) -> Command:
    async def revise(work: Work, given: Mapping[str, Any]) -> Made:
        case, _ = await engine.find(work.connection, COMMITMENT, given["number"], work.actor)
        told: CommitmentDetails = case.details
        made = _details(work, given["commitment"], told.subject_code, told.subject_name)
        names = CommitmentDetails.__dataclass_fields__
        changes = {name: getattr(made, name) for name in names if getattr(made, name) != getattr(told, name)}
        return await take(
            work, COMMITMENT, transition, {**given, "changes": changes or {"scope": told.scope}}
        )

    return revise


async def templates(
    _: Callable[[str, Sequence[Any]], Awaitable[list[Any]]], given: Mapping[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """The templates that are signed on a day, with their types (R6.1, R6.5)."""
    day: date = given.get("on") or now.astimezone(SHANGHAI).date()
    rules = load_commitment_rules()
    found: list[dict[str, Any]] = []
    for one in rules.templates:
        kind = rules.type_on(one.type, day)
        if kind is not None and one.term.covers(day):
            found.append(
                {
                    "ord": len(found),
                    "code": one.code,
                    "version": one.version,
                    "type": kind.code,
                    "type_name": kind.zh,
                    "national": list(kind.national),
                    "most_months": kind.most_months,
                    "title": one.title,
                    "body": one.body,
                    "consequence": one.consequence,
                }
            )
    return found


COMMANDS: dict[str, Command] = {
    "commitment.submit": submit,
    "commitment.record": record,
    "commitment.revise": _revises("revise"),
    "commitment.revise_recorded": _revises("revise_recorded"),
    **{
        f"commitment.{name}": stepping(COMMITMENT, name)
        for name in ("return", "publish", "fulfil", "withdraw", "withdraw_recorded")
    },
}
READINGS = {"commitment_templates": templates}
