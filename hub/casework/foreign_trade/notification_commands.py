"""The commands of notifications (article 十三): drafted by any agency with NOTIFY, filed as records by the department alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from hub.casework import engine
from hub.casework.foreign_trade.addressees import reached
from hub.casework.foreign_trade.findings import Decision, authority_of, filed_before, penalty, publishable
from hub.casework.foreign_trade.notifications import (
    FEEDBACK,
    FILING,
    NOTIFICATION,
    Evidence,
    NotificationDetails,
    filing,
    outstanding,
    unanswered,
)
from hub.casework.given import is_sm3, said
from hub.casework.machine import Case
from hub.casework.mechanisms import declared
from hub.casework.partners import ever_in_force
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused
from hub.query.ids import opaque_id
from hub.rules.deadlines import due

MOST_ADDRESSEES, MOST_FILES, LONGEST_TOPIC = 20, 50, 200


async def _all_reached(work: Work, addressees: Sequence[str], subject_id: int | None) -> None:
    """Raises GuardRefused: to whom a notification does not come, it would be answered by never."""
    if await reached(work.connection, addressees, subject_id, work.today) != frozenset(addressees):
        raise GuardRefused(reason="ADDRESSEE_NOT_REACHABLE")


async def draft(work: Work, given: Mapping[str, Any]) -> Made:
    """Draft a notification about a subject; only its sender sees it (R13.2). Raises SubjectUnknown, GuardRefused."""
    subject = await subject_of(work, given["subject"])
    if subject["kind"] == "NATURAL_PERSON":
        raise GuardRefused(reason="NATURAL_PERSON")
    addressees = tuple(dict.fromkeys(given["to"]))
    if not 1 <= len(addressees) <= MOST_ADDRESSEES or work.actor.partner in addressees:
        raise BadUserInput(f"1 to {MOST_ADDRESSEES} addressees other than the sender.", argument="to")
    await _all_reached(work, addressees, subject["subject_id"])
    regions = work.actor.regions
    named = given.get("feedback_by")
    feedback_by = named or due(FEEDBACK, work.today, work.calendar).on
    if feedback_by < work.today:
        raise BadUserInput("The day for feedback has passed.", argument="feedbackBy")
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=NotificationDetails(
            kind="CREDIT",
            sender=work.actor.partner,
            addressees=addressees,
            subject_code=subject["uscc"],
            topic=said(given["topic"], "topic", LONGEST_TOPIC),
            facts=said(given["facts"], "facts"),
            evidence=_evidence(given.get("evidence") or ()),
            feedback_by=feedback_by,
            counted_by=None if named else FEEDBACK,
            counted_from=None if named else work.today,
        ),
        region_code=regions[0].ljust(6, "0") if regions else None,
    )
    (case,) = await engine.open_cases(work.connection, NOTIFICATION, [new], work.step({}))
    return Made(ids=(case.public_id,))


def _evidence(files: Any) -> tuple[Evidence, ...]:
    if len(files) > MOST_FILES:
        raise BadUserInput(f"{MOST_FILES} files at most.", argument="evidence")
    if not all(is_sm3(one["digest"]) for one in files):
        raise BadUserInput("An SM3 digest has 64 hexadecimal digits.", argument="evidence")
    return tuple(Evidence(said(one["name"], "evidence", 200), one["digest"]) for one in files)


async def issue(work: Work, given: Mapping[str, Any]) -> Made:
    """R13.1: issue; whom it could be sent to when it was drafted, it may not come to any more."""
    case, _ = await engine.find(work.connection, NOTIFICATION, given["number"], work.actor)
    if case.state == "DRAFT":
        await _all_reached(work, case.details.addressees, case.subject_id)
    return await _take(work, given, lambda _: "issue")


async def receive(work: Work, given: Mapping[str, Any]) -> Made:
    """R13.1: acknowledge as an addressee."""
    return await _take(
        work, given, lambda case: "receive_last" if len(outstanding(case.details)) == 1 else "receive"
    )


async def answer(work: Work, given: Mapping[str, Any]) -> Made:
    """Feed back as an addressee; when all have, the mechanism that asked goes on, if one did."""

    def choose(case: Case[NotificationDetails]) -> str:
        if case.state == "ISSUED":
            return "answer_early"
        return "answer_last" if len(unanswered(case.details)) == 1 else "answer"

    made = await _take(work, {**given, "text": said(given["text"], "text")}, choose)
    case, _ = await engine.find(work.connection, NOTIFICATION, given["number"], work.actor)
    asked = declared("ANSWERED").get(case.details.kind)
    if case.state == "FEEDBACK" and asked is not None:
        await asked(work, case)
    return made


async def file_finding(work: Work, given: Mapping[str, Any]) -> Made:
    """R13.3: file the penalty that a party decided as a record; nothing else of a notification ever becomes one.

    Raises GuardRefused for a decision that was filed before, an authority that is no party, and for texts that
    must not be published.
    """
    case, _ = await engine.find(work.connection, NOTIFICATION, given["number"], work.actor)
    assert case.subject_id is not None
    texts = {name: said(given[name], name) for name in ("title", "facts", "basis", "document_number")}
    kinds = [said(one, "penaltyKinds", 200) for one in given["penalty_kinds"]]
    if not kinds:
        raise BadUserInput("A penalty has a kind.", argument="penaltyKinds")
    publishable("\n".join(texts.values()), work.today)
    # Whoever has left the hub since decided under its own name all the same.
    known, record = (await ever_in_force(work.connection)).get(given["authority"]), str(uuid4())
    number, decided = texts["document_number"], given["decided_on"]
    authority = authority_of(known, decided) if known is not None else given["authority"]
    before = await filed_before(work.connection, case.subject_id, number, authority, decided)
    decision = Decision(
        record=record,
        subject_id=case.subject_id,
        case_number=case.number,
        authority_name=authority,
        document_number=number,
        decided_on=decided,
        conduct_ended_on=given.get("conduct_ended_on"),
        filed_on=work.today,
        title=texts["title"],
    )
    fact = penalty(decision, texts["facts"], texts["basis"], kinds)
    filed = {**given, **texts, "record": opaque_id("r", record), "fact": fact, "filed_before": before}
    return await _take(work, filed, lambda case: filing(case.state if case.state in FILING else FILING[0]))


async def _take(
    work: Work, given: Mapping[str, Any], choose: Callable[[Case[NotificationDetails]], str]
) -> Made:
    case, _ = await engine.find(work.connection, NOTIFICATION, given["number"], work.actor)
    taken = await engine.apply(
        work.connection, work.machines, NOTIFICATION, given["number"], choose(case), work.step(given)
    )
    return Made(ids=(taken.case.public_id,))


def _steps(transition: str) -> Command:
    async def take(work: Work, given: Mapping[str, Any]) -> Made:
        return await _take(work, given, lambda _: transition)

    return take


COMMANDS: dict[str, Command] = {
    "notification.draft": draft,
    "notification.issue": issue,
    "notification.receive": receive,
    "notification.answer": answer,
    "notification.file_finding": file_finding,
    **{f"notification.{name}": _steps(name) for name in ("close", "withdraw")},
}
