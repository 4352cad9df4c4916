"""The commands of objections (5.10): who may object to what, forwarding, the answer, and what follows an upheld one everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson

from hub.casework import engine
from hub.casework.delivery.deliveries import on_both_sites
from hub.casework.foreign_trade.addressees import reached
from hub.casework.foreign_trade.findings import CONDUCT_ENDED, publishable
from hub.casework.foreign_trade.notifications import NOTIFICATION, Answered, NotificationDetails
from hub.casework.given import is_sm3, said
from hub.casework.listings.machine import LIST_ENTRY as LISTING
from hub.casework.listings.measures import follow, public_id_of
from hub.casework.machine import Case, NewFact
from hub.casework.objections.machine import (
    LIST_ENTRY,
    OBJECTION,
    RECORD,
    TABLES,
    ObjectionDetails,
    ObjectionEvidence,
    hub_step,
    own,
)
from hub.casework.partners import department_of, in_force, owner_of
from hub.casework.publicity.machine import BEFORE, PUBLICITY, SHOWN
from hub.casework.stepping import take
from hub.casework.subjects import refused_for
from hub.casework.work import Command, Made, Work, in_its_place
from hub.errors import BadUserInput, CommandForbidden, GuardRefused
from hub.query.access import FALSE, Access, Row, all_of
from hub.query.ids import opaque_id
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES as RELATED
from hub.rules.deadlines import due
from hub.rules.decisions import Authority, meant
from hub.rules.objections import agent_limit
from hub.rules.publicity import load_publicity_rules
from hub.rules.repair import load_repair_rules
from hub.store.writing import one_at_a_time, one_writer

MOST_FILES = 50
KINDS = {"r": RECORD, "l": LIST_ENTRY}
# One at a time for each record, and for each agent.
_BY_AGENT = """
SELECT count(*) FROM case_file WHERE mechanism = 'OBJECTION' AND details->>'agent' = $1 AND opened_on > $2
"""
_CURRENT = """
SELECT x.*, s.uscc FROM {table} x JOIN subject s USING (subject_id) WHERE x.public_id = $1 AND x.superseded_at IS NULL
"""
# What the hub itself published of the same decision, or was about to.
_PUBLISHED = """
SELECT number, details->>'authority' AS authority FROM case_file WHERE mechanism = 'PUBLICITY' AND subject_id = $1
  AND details->>'decision_number' = $2 AND state = ANY ($3::text[]) ORDER BY case_id
"""
# A record that was put back on the channels when its repair was revoked.
_SHOWN_AGAIN = """
SELECT DISTINCT d.channel FROM case_file c JOIN delivery_out d USING (case_id)
WHERE c.mechanism = 'REPAIR' AND c.state = 'REVOKED' AND c.target_public_id = $1
  AND d.action = 'PUBLISH' ORDER BY d.channel
"""
_LISTED = """
SELECT number FROM case_file WHERE mechanism = 'LIST_ENTRY' AND target_public_id = $1
  AND state IN ('RECOGNIZED', 'PUBLISHED', 'SUSPENDED')
"""
_ENQUIRY = "SELECT number FROM case_file WHERE number = $1 AND state IN ('ISSUED', 'RECEIVED')"
_GROUNDS_ZH = {"INCORRECT": "信息有误", "OUTDATED": "信息已过时", "NOT_ABOUT_US": "非本主体信息"}


async def submit(work: Work, given: Mapping[str, Any]) -> Made:
    """The subject objects to a record of its own. Raises GuardRefused, BadUserInput."""
    if work.actor.subject is None:
        raise CommandForbidden
    return await _open(work, given, "SUBJECT")


async def record(work: Work, given: Mapping[str, Any]) -> Made:
    """Enter an objection that came on paper. Raises GuardRefused, BadUserInput."""
    return await _open(work, given, "DEPARTMENT")


async def _open(work: Work, given: Mapping[str, Any], by: str) -> Made:
    """Open the case and mark the record, in one transaction: nobody sees the one without the other."""
    await one_at_a_time(work.connection, f"objection/{given['target']}")
    # A delivery or a repair under way may end the record: what has ended takes no mark.
    await one_writer(work.connection)
    row = await _target(work, given["target"])
    kind, partners = KINDS[given["target"][:1]], await in_force(work.connection, work.today)
    # A subject's objection goes to the department, whoever provided the record.
    handler = work.actor.partner if by == "DEPARTMENT" else department_of(partners, row["region_code"])
    if handler is None:
        raise GuardRefused(reason="NO_HANDLER")
    provider = owner_of(partners, row["source"])
    calendar = await in_its_place(work.connection, work.calendar, row["region_code"])
    answer = due("objection.answer", work.today, calendar)
    forward = due("objection.forward", work.today, calendar) if provider != handler else None
    agent, authorization = await _agent(work, given)
    new = engine.NewCase(
        subject_id=row["subject_id"],
        details=ObjectionDetails(
            target=given["target"],
            target_kind=kind,
            data_class=row["data_class"],
            source=row["source"],
            provider=provider,
            subject_code=row["uscc"],
            ground=given["ground"],
            statement=said(given["statement"], "statement"),
            evidence=_evidence(given.get("evidence") or ()),
            entered_by=by,
            agent=agent,
            authorization_digest=authorization,
            answer_by=answer.on,
            forward_by=forward.on if forward is not None else None,
        ),
        region_code=row["region_code"],
        target_public_id=str(row["public_id"]),
        due=due("objection.mark", work.today, work.calendar),
    )
    step = work.step({})
    (case,) = await engine.open_cases(work.connection, OBJECTION, [new], step, owner=handler)
    state = row["lifecycle"] if kind == RECORD else row["state"]
    ends = row["usable_until"] if kind == RECORD else row["publicity_ends_on"]
    seen = {
        "marked": row["under_objection"] or state == "UNDER_OBJECTION",
        "in_force": state in ("EFFECTIVE", "PUBLISHED") and (ends is None or ends >= work.today),
        "provisional": (forward or answer).provisional,
    }
    await engine.apply(
        work.connection, work.machines, OBJECTION, case.number, "mark", hub_step(work.step(seen))
    )
    return Made(ids=(case.public_id,))


async def _target(work: Work, target: str) -> Any:
    """The record or list entry, as the caller may see it: another's is answered like one that does not exist."""
    if target[:1] not in KINDS:
        raise BadUserInput("An objection is to a record or a list entry.", argument="target")
    table, public_id = TABLES[KINDS[target[:1]]], public_id_of(target, target[:1], "target")
    parameters = Parameters()
    access, row = Access(work.view, parameters), Row("x", RELATED[table], "s")
    classes = work.view.vocabulary.classes_of(table)
    shown = access.visible(row, classes)
    found = []
    if shown != FALSE:
        named = parameters.bind(FromRef(Constant(public_id)), "text")
        where = all_of([f"x.public_id = {named}::uuid", "x.superseded_at IS NULL", shown])
        found = await work.rows(
            f"SELECT x.*, s.uscc, s.region_code FROM {table} x JOIN subject s USING (subject_id) WHERE {where}",  # noqa: S608
            parameters,
        )
    if not found:
        raise GuardRefused(reason="NO_SUCH_RECORD")
    return found[0]


async def _agent(work: Work, given: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The agent and the digest of its authorization. Raises GuardRefused when it has filed too many already."""
    agent, digest = given.get("agent"), given.get("authorization_digest")
    if agent is None:
        return None, None
    if digest is None or not is_sm3(digest):
        raise BadUserInput(
            "An agent shows its authorization: its SM3 digest.", argument="authorizationDigest"
        )
    limit = agent_limit(work.today)
    await one_at_a_time(work.connection, f"agent/{agent}")
    filed = await work.connection.fetchval(_BY_AGENT, agent, work.today - timedelta(days=limit.days))
    if filed >= limit.most:
        await refused_for(work, agent)
        raise GuardRefused(reason="AGENT_LIMIT_REACHED")
    return agent, digest


def _evidence(files: Any) -> tuple[ObjectionEvidence, ...]:
    if len(files) > MOST_FILES or not all(is_sm3(one["digest"]) for one in files):
        raise BadUserInput(f"{MOST_FILES} files at most, each with its SM3 digest.", argument="evidence")
    return tuple(ObjectionEvidence(said(one["name"], "evidence", 200), one["digest"]) for one in files)


async def forward(work: Work, given: Mapping[str, Any]) -> Made:
    """Ask the provider, by an enquiry among its notifications: the objection's own file is not the provider's (D36)."""
    case, _ = await engine.find(work.connection, OBJECTION, given["number"], work.actor)
    told: ObjectionDetails = case.details
    enquiry, connected = None, await _connected(work, case)
    if told.provider is not None and connected and not own(case) and case.state == "MARKED":
        enquiry = await _enquire(work, case, told.provider)
    # Where nothing was to be forwarded the guard says why.
    return await take(work, OBJECTION, "forward", {**given, "enquiry": enquiry, "connected": connected})


async def _connected(work: Work, case: Case[ObjectionDetails]) -> bool:
    """Whether the provider can be asked here: who has joined may have no right to read an enquiry, or to answer it."""
    asked = [case.details.provider] if case.details.provider is not None else []
    return bool(await reached(work.connection, asked, case.subject_id, work.today))


async def _enquire(work: Work, case: Case[ObjectionDetails], provider: str) -> str:
    told = case.details
    current = await _current(work, case)
    if current is None:
        raise GuardRefused(reason="RECORD_TAKEN_BACK")
    document = current["document_number"] if told.target_kind == RECORD else current["decision_number"]
    new = engine.NewCase(
        subject_id=case.subject_id,
        details=NotificationDetails(
            kind="OBJECTION_ENQUIRY",
            sender=case.owner,
            addressees=(provider,),
            # Of today: a firm that was known by an old number when it was objected may have got its code since.
            subject_code=current["uscc"],
            topic=f"异议核查：{document or current['source_record_id']}",
            facts=f"{_GROUNDS_ZH[told.ground]}：{told.statement}",
            evidence=(),
            feedback_by=told.answer_by,
            objection=case.number,
            # The objection is answered by then, and moves alike.
            counted_by="objection.answer",
            counted_from=case.opened_at.date(),
        ),
        region_code=case.region_code,
        target_public_id=case.target_public_id,
    )
    step = hub_step(work.step({}))
    (made,) = await engine.open_cases(work.connection, NOTIFICATION, [new], step, owner=case.owner)
    await engine.apply(work.connection, work.machines, NOTIFICATION, made.number, "issue", step)
    return made.number


async def answered(work: Work, enquiry: Case[NotificationDetails]) -> None:
    """The provider fed an enquiry back: its objection goes on, and the enquiry is closed, in the same transaction."""
    told = enquiry.details
    (answer,) = told.answers
    given = {
        "provider": answer.partner, "outcome": answer.outcome, "text": answer.text,
        "document_number": answer.document_number,
    }  # fmt: skip
    assert told.objection is not None
    step = hub_step(work.step(given))
    await engine.apply(work.connection, work.machines, OBJECTION, told.objection, "provider_answered", step)
    await engine.apply(work.connection, work.machines, NOTIFICATION, enquiry.number, "close", step)


async def record_answer(work: Work, given: Mapping[str, Any]) -> Made:
    """Record what an agency answered by letter that cannot be asked here, or no more since it was asked."""
    case, _ = await engine.find(work.connection, OBJECTION, given["number"], work.actor)
    answer = {**given, "text": said(given["text"], "text"), "connected": await _connected(work, case)}
    done = await take(work, OBJECTION, "record_answer", answer)
    await _end_enquiry(work, case, "ANSWERED_BY_LETTER")
    return done


async def uphold(work: Work, given: Mapping[str, Any]) -> Made:
    """Uphold: the record ends everywhere at once; what the hub published of it is withdrawn, its measures end (R7.4, R8.5).

    Those who were told of it before are told of its end by hub.casework.objections.corrections, once every answer that was
    under way is in the ledger.
    """
    case, _ = await engine.find(work.connection, OBJECTION, given["number"], work.actor)
    told: ObjectionDetails = case.details
    await one_at_a_time(work.connection, f"objection/{told.target}")
    # What is corrected is the record as it stands, whatever is being delivered.
    await one_writer(work.connection)
    current = await _current(work, case)
    # The reason goes out with the withdrawal, and to whom the record was told.
    reason = said(given["reason"], "reason")
    publishable(reason, work.today)
    remedy, fields = given["remedy"], given.get("correction")
    made: dict[str, Any] = {
        **given, "reason": reason, "facts": (), "impossible": None, "gone": current is None,
    }  # fmt: skip
    if told.target_kind == LIST_ENTRY:
        made["changes"] = {"state": "EXITED_REVOKED", "exited_on": work.today, "exit_reason": reason}
        if remedy != "REVOKE":
            made["impossible"] = "ENTRY_IS_REVOKED_OR_STANDS"
    else:
        made["changes"] = {"lifecycle": "REVOKED" if remedy == "REVOKE" else "CORRECTED"}
        if remedy == "CORRECT" and own(case):
            # What others provide is corrected at its source, and comes with its next delivery.
            if not fields or current is None:
                made["impossible"] = "CORRECTION_MISSING"
            else:
                fact = _corrected(current, fields, case.number, work.today)
                made |= {"facts": (fact,), "corrected": opaque_id("r", fact.values["public_id"])}
    shown = await work.connection.fetch(_SHOWN_AGAIN, case.target_public_id)
    made["shown_again"] = [row["channel"] for row in shown] if told.target_kind == RECORD else []
    await _end_listing(work, case, made)
    done = await take(work, OBJECTION, "uphold", made)
    if current is not None:
        await _withdraw_published(work, case, current, made)
    return done


def _corrected(current: Any, fields: Mapping[str, Any], number: str, today: date) -> NewFact:
    """The record as it should have been: a new one, for the wrong one has ended for good."""
    values = {name: value for name, value in dict(current).items() if name not in _OF_THE_VERSION}
    for name in ("title", "document_number", "decided_on", "seriousness"):
        if fields.get(name) is not None:
            values[name] = fields[name]
    if fields.get("fine_amount") is not None:
        values["fine_amount"] = Decimal(fields["fine_amount"])
    if values["decided_on"] > today:
        raise GuardRefused(reason="DECISION_DAY_IMPOSSIBLE")
    if current["kind"] == "PENALTY" and current["data_class"] in ("D6", "D7"):
        values["data_class"] = "D7" if values["seriousness"] == "MINOR" else "D6"
    if current["seriousness"] != "NOT_ADVERSE":
        conduct = orjson.loads(current["details"]).get(CONDUCT_ENDED)
        end = load_publicity_rules().usable_until(
            values["decided_on"], values["seriousness"], date.fromisoformat(conduct) if conduct else None
        )
        if all(values[name] == current[name] for name in ("decided_on", "seriousness")):
            # What the authority ended earlier lives no longer because something else of it was wrong.
            end = min((day for day in (current["usable_until"], end) if day is not None), default=None)
        values["usable_until"] = end
    return NewFact(
        "record",
        values
        | {
            "public_id": str(uuid4()),
            "lifecycle": "EFFECTIVE",
            "under_objection": False,
            "source_record_id": f"{current['source_record_id']}/{number}",
        },
    )


_OF_THE_VERSION = frozenset(
    {"version_id", "payload_digest", "recorded_at", "superseded_at", "fetched_at", "source_updated_at"}
)


async def _end_listing(work: Work, case: Case[ObjectionDetails], made: dict[str, Any]) -> None:
    """A list entry of our own leaves its list by its own machine: channels and measures follow from there."""
    if case.details.target_kind != LIST_ENTRY:
        return
    assert case.target_public_id is not None
    made["listing"] = await work.connection.fetchval(_LISTED, case.target_public_id)
    if made["listing"] is not None:
        made["changes"] = {}


async def _withdraw_published(
    work: Work, case: Case[ObjectionDetails], current: Any, made: Mapping[str, Any]
) -> None:
    reason, document = made["reason"], made["document_number"]
    if case.details.target_kind == LIST_ENTRY:
        entry = str(case.target_public_id)
        if made["listing"] is not None:
            step = hub_step(work.step({"reason": reason, "document_number": document}))
            await engine.apply(work.connection, work.machines, LISTING, made["listing"], "revoke", step)
        await follow(work, entry, "end_exit", reason)
        return
    given = {
        "ground": "REVOKED" if made["remedy"] == "REVOKE" else "CHANGED",
        "ended_on": work.today,
        "reason": reason,
        "document_number": document,
    }
    states = [*BEFORE, *SHOWN]
    rows = await work.connection.fetch(_PUBLISHED, case.subject_id, current["document_number"], states)
    authority = Authority(current["authority_uscc"], current["authority_name"])
    published = meant(
        load_repair_rules().known_as(authority, current["decided_on"]),
        [(Authority(name=row["authority"]), row["number"]) for row in rows],
    )
    if published is None:
        raise GuardRefused(reason="SEVERAL_DECISIONS")
    for number in published:
        shown = await on_both_sites(work.connection, number)
        step = hub_step(work.step({**given, "on_both_sites": shown}))
        await engine.apply(work.connection, work.machines, PUBLICITY, number, "withdraw", step)


async def _current(work: Work, case: Case[ObjectionDetails]) -> Any:
    """The record as it stands; None: its source has taken it back meanwhile."""
    sql = _CURRENT.format(table=TABLES[case.details.target_kind])
    return await work.connection.fetchrow(sql, case.target_public_id)


def _unmarking(transition: str) -> Command:
    """A step after which the record stands as it stood before."""

    async def command(work: Work, given: Mapping[str, Any]) -> Made:
        case, _ = await engine.find(work.connection, OBJECTION, given["number"], work.actor)
        # A delivery or a repair under way may end the record: the mark's end must not bring it back.
        await one_writer(work.connection)
        current = await _current(work, case)
        record = current is not None and case.details.target_kind == RECORD
        seen = {"gone": current is None, "lifecycle": current["lifecycle"] if record else None}
        done = await take(work, OBJECTION, transition, {**given, **seen})
        await _end_enquiry(work, case, "OBJECTION_WITHDRAWN")
        return done

    return command


async def _end_enquiry(work: Work, case: Case[ObjectionDetails], reason: str) -> None:
    """Withdraw the enquiry of an objection that waits for its answer no more."""
    enquiry = case.details.enquiry
    if enquiry is not None and await work.connection.fetchval(_ENQUIRY, enquiry) is not None:
        step = hub_step(work.step({"reason": reason}))
        await engine.apply(work.connection, work.machines, NOTIFICATION, enquiry, "withdraw", step)


COMMANDS: dict[str, Command] = {
    "objection.submit": submit,
    "objection.record": record,
    "objection.forward": forward,
    "objection.record_answer": record_answer,
    "objection.uphold": uphold,
    **{f"objection.{name}": _unmarking(name) for name in ("reject", "withdraw", "record_withdrawal")},
}
ANSWERED: dict[str, Answered] = {"OBJECTION_ENQUIRY": answered}
