"""The commands of lists (article 八): what they read, and the steps of hub.casework.listings.machine that they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from hub.casework import engine
from hub.casework.given import said
from hub.casework.listings.details import ConflictDetails, Definition, ListingDetails, incomplete, standing
from hub.casework.listings.machine import LIST_CONFLICT, LIST_ENTRY
from hub.casework.listings.measures import follow
from hub.casework.listings.rechecks import BY_RECORD, SPOILT
from hub.casework.machine import Case
from hub.casework.partners import DEPARTMENT
from hub.casework.stepping import stepping
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused
from hub.query.access import Access, Row, all_of, subject_row
from hub.query.ids import opaque_id
from hub.query.parameters import Context, FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES
from hub.rules.listing import load_list_rules
from hub.rules.publicity import add_months
from hub.rules.redactor import MINOR, RESIDENT_ID, screen
from hub.rules.repair import load_repair_rules
from hub.rules.repair_case import Target
from hub.sources.freshness import doubted
from hub.store.writing import one_at_a_time, one_writer

MOST_CHARACTERS = 4000
# R9.1: the step of an entry, and the step that its measures take with it.
FOLLOWED = {
    "suspend": "suspend",
    "reinstate": "resume",
    "revoke": "end_exit",
    "disqualify": "end_exit",
    "give_up": "end_exit",
}
# R8.3: what stands against a place on a red list. The department's own test, of which only codes are told: it must
# not depend on what the officer's purpose lets him see.
_BLOCKERS = """
SELECT CASE e.color WHEN 'BLACK' THEN 'ON_A_BLACK_LIST' ELSE 'ON_A_WATCH_LIST' END AS code FROM list_entry e
WHERE e.subject_id = $1 AND e.superseded_at IS NULL AND e.color <> 'RED' AND e.state = 'PUBLISHED'
  AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= $2)
UNION
SELECT r.seriousness || '_ADVERSE_RECORD' FROM record r
WHERE r.subject_id = $1 AND r.superseded_at IS NULL AND r.seriousness = ANY($4::text[])
  AND r.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION') AND (r.usable_until IS NULL OR r.usable_until >= $2)
  AND r.decided_on > $3
UNION
SELECT r.record_type || '_STANDS' FROM record r
WHERE r.subject_id = $1 AND r.superseded_at IS NULL AND r.record_type = ANY($5::text[])
  AND r.lifecycle IN ('EFFECTIVE', 'UNDER_OBJECTION')
ORDER BY 1
"""
_IN_DOUBT = "SELECT in_doubt FROM subject WHERE subject_id = $1"
_IN_FORCE = """
SELECT e.public_id FROM list_entry e
WHERE e.subject_id = $1 AND e.color = $2 AND e.state = 'PUBLISHED' AND e.superseded_at IS NULL
  AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= $3)
"""
_QUEUED = """
SELECT details->>'red_entry' AS red, details->>'black_entry' AS black FROM case_file
WHERE mechanism = 'LIST_CONFLICT' AND subject_id = $1 AND closed_at IS NULL
"""
_DEFINITION = "SELECT * FROM list_definition WHERE code = $1"
# One place on a list: what the caller is shown of it refuses a second proposal; a proposal of another department that
# it is not shown refuses nothing until one of them is published, which all may know.
_OPEN = """
SELECT c.number FROM case_file c WHERE c.mechanism = 'LIST_ENTRY' AND c.subject_id = {subject} AND c.closed_at IS NULL
  AND c.state <> 'EXITED_REPAIRED' AND c.details->'definition'->>'code' = {list} AND ({case} OR EXISTS (
    SELECT FROM list_entry e WHERE e.public_id = c.target_public_id AND e.superseded_at IS NULL AND {entry}))
"""
_PUBLISHED = """
SELECT number FROM case_file WHERE mechanism = 'LIST_ENTRY' AND subject_id = $1 AND state = 'PUBLISHED'
  AND details->'definition'->>'code' = $2 AND case_id <> $3
"""
# R8.3: of this handler, of those that it is shown.
_OWN = "c.state = 'PUBLISHED' AND c.owner = {own} AND {shown}"
# R8.4: on a red and a black list at once, whoever recognized it, and not in the queue yet; of what the caller is shown,
# for the case tells it.
_CONFLICTS = """
SELECT r.subject_id, s.region_code, r.public_id AS red, b.public_id AS black
FROM list_entry r JOIN list_entry b USING (subject_id) JOIN subject s USING (subject_id)
WHERE r.color = 'RED' AND b.color = 'BLACK' AND r.state = 'PUBLISHED' AND b.state = 'PUBLISHED'
  AND r.superseded_at IS NULL AND b.superseded_at IS NULL
  AND (r.publicity_ends_on IS NULL OR r.publicity_ends_on >= {today})
  AND (b.publicity_ends_on IS NULL OR b.publicity_ends_on >= {today}) AND {shown}
  AND NOT EXISTS (SELECT FROM case_file c WHERE c.mechanism = 'LIST_CONFLICT' AND c.subject_id = r.subject_id
    AND c.details->>'red_entry' = 'l' || replace(r.public_id::text, '-', '')
    AND c.details->>'black_entry' = 'l' || replace(b.public_id::text, '-', ''))
ORDER BY r.subject_id, r.public_id, b.public_id
"""
# R9.1: measures of this initiator whose entry has left its list; lists of other authorities tell so by their sources.
_LEFT = """
SELECT DISTINCT c.target_public_id AS entry FROM case_file c
WHERE c.mechanism = 'MEASURE' AND c.closed_at IS NULL AND c.owner = $1 AND NOT EXISTS (
  SELECT FROM list_entry e WHERE e.public_id = c.target_public_id AND e.superseded_at IS NULL AND e.subject_id = c.subject_id
    AND e.state IN ('PUBLISHED', 'SUSPENDED'))
"""


async def propose(work: Work, given: Mapping[str, Any]) -> Made:
    """R8.1, R8.2: propose a place on a list. Raises SubjectUnknown, GuardRefused, BadUserInput."""
    subject = await subject_of(work, given["subject"])
    new = await proposal(work, subject, given["list_code"], given["cause"], given.get("ground"))
    (case,) = await engine.open_cases(work.connection, LIST_ENTRY, [new], work.step(given))
    return Made(ids=(case.public_id,))


async def proposal(
    work: Work, subject: Any, list_code: str, cause: str, ground: str | None
) -> engine.NewCase:
    """A proposed place of `subject` on a list (R8.1, R8.2). Raises GuardRefused, BadUserInput."""
    row = await work.connection.fetchrow(_DEFINITION, list_code)
    if row is None:
        raise GuardRefused(reason="LIST_UNKNOWN")
    definition = _definition(row)
    refusal = standing(definition, work.today) or _others(work, definition) or incomplete(definition)
    if refusal is not None:
        raise GuardRefused(reason=refusal)
    cause = said(cause, "cause", MOST_CHARACTERS)
    if definition.color != "WATCH" and _names_person(cause, work.today):
        # R7.3: it is shown with the entry. Who cares for minors may be praised for it.
        raise GuardRefused(reason="PERSONAL_DATA_IN_TEXT")
    if definition.color == "BLACK" and not load_list_rules().is_ground(ground, work.today):
        raise GuardRefused(reason="GROUND_MISSING")
    if definition.color == "RED" and (against := await blockers(work, subject["subject_id"])):
        raise GuardRefused(reason=against[0])
    await one_at_a_time(work.connection, f"LIST_ENTRY {subject['subject_id']} {definition.code}")
    if await _open(work, subject["subject_id"], definition.code):
        raise GuardRefused(reason="ALREADY_PROPOSED_OR_LISTED")
    entry = str(uuid4())
    details = ListingDetails(
        entry=entry,
        subject_code=subject["uscc"],
        subject_name=subject["display_name"],
        natural_person=subject["kind"] == "NATURAL_PERSON",
        definition=definition,
        cause=cause,
        ground=ground if definition.color == "BLACK" else None,
    )
    return engine.NewCase(
        subject_id=subject["subject_id"],
        details=details,
        region_code=subject["region_code"],
        target_public_id=entry,
    )


def _others(work: Work, definition: Definition) -> str | None:
    """5.2: the provincial department itself recognizes for watch and black lists, no office of a prefecture in its name."""
    return None if definition.color == "RED" or work.request.partner_class == DEPARTMENT else "NOT_OUR_LIST"


def _names_person(text: str, today: date) -> bool:
    """Beside its number (D3), which no text of any case may hold, and which is refused as such."""
    return any(one.kind not in (MINOR, RESIDENT_ID) for one in screen(text, today).findings)


async def _open(work: Work, subject_id: int, list_code: str) -> list[Any]:
    parameters = Parameters()
    access, entities = Access(work.view, parameters), work.view.vocabulary.entities
    sql = _OPEN.format(
        subject=parameters.bind(FromRef(Constant(subject_id)), "bigint"),
        list=parameters.bind(FromRef(Constant(list_code)), "text"),
        case=access.visible(Row("c", TABLES["case_file"]), entities["ListingCase"].row_classes),
        entry=access.visible(Row("e", TABLES["list_entry"]), entities["ListEntry"].row_classes),
    )
    return await work.rows(sql, parameters)


async def recognize(work: Work, given: Mapping[str, Any]) -> Made:
    """Recognize, with the earliest day of repair that the notice on repair tells, and after a new look at red ones."""
    case, _ = await engine.find(work.connection, LIST_ENTRY, given["number"], work.actor)
    told: ListingDetails = case.details
    # Proposed before an office of a prefecture could not.
    if refusal := _others(work, told.definition):
        raise GuardRefused(reason=refusal)
    more: dict[str, Any] = {}
    if told.definition.color == "RED":
        assert case.subject_id is not None
        more["blockers"] = await blockers(work, case.subject_id)
    else:
        seriousness = "SERIOUS" if told.definition.color == "BLACK" else "GENERAL"
        target = Target(
            decided_on=work.today,
            seriousness=seriousness,
            color=told.definition.color,
            list_min_months=told.definition.min_months,
        )
        more["earliest_repair_on"] = load_repair_rules().eligible_from(target)
    return await _take(work, "recognize", {**given, **more})


async def publish(work: Work, given: Mapping[str, Any]) -> Made:
    """Publish; who is then on a red and a black list at once comes into the queue of conflicts (R8.4)."""
    # Whoever publishes another place of the same subject waits, and then sees this one.
    await one_writer(work.connection)
    return await _take(work, "publish", await _with_conflicts(work, given))


async def reinstate(work: Work, given: Mapping[str, Any]) -> Made:
    """Put a suspended entry in force again; conflicts as with publication. No red one while a record that suspends it stands."""
    await one_writer(work.connection)
    case, _ = await engine.find(work.connection, LIST_ENTRY, given["number"], work.actor)
    sql = SPOILT.format(classes="$1::text[]", today="$2", which=f"c.case_id = $3 AND {BY_RECORD}")
    classes = sorted(load_list_rules().red_rule(work.today).suspends)
    row = await work.connection.fetchrow(sql, classes, work.today, case.case_id)
    if row is not None:
        raise GuardRefused(reason=row["code"].removeprefix("NEW_"))
    return await _take(work, "reinstate", await _with_conflicts(work, given))


async def recheck(work: Work, _: Mapping[str, Any]) -> Made:
    """R8.3, R8.4: the daily look at the lists: suspend red entries that were spoilt, put conflicts in the queue.

    R9.1: measures on what has left its list end.
    """
    rows: list[dict[str, Any]] = []
    # Of two who look at the same moment, or of one who publishes meanwhile, one puts a conflict in the queue.
    await one_writer(work.connection)
    for found in await _conflicts(work):
        details = ConflictDetails(opaque_id("l", found["red"]), opaque_id("l", found["black"]))
        new = engine.NewCase(
            subject_id=found["subject_id"], details=details, region_code=found["region_code"]
        )
        (case,) = await engine.open_cases(work.connection, LIST_CONFLICT, [new], work.step({}))
        rows.append(_row(rows, "CONFLICT", case))
    for found in await _spoilt(work):
        step = work.step({"reason": found["code"]})
        taken = await engine.apply(
            work.connection, work.machines, LIST_ENTRY, found["number"], "suspend", step
        )
        await follow(work, taken.case.details.entry, "suspend", found["code"])
        rows.append(_row(rows, "SUSPENDED", taken.case))
    for found in await work.connection.fetch(_LEFT, work.actor.partner):
        await follow(work, str(found["entry"]), "end_exit", "OFF_THE_LIST")
    return Made(rows=tuple(rows))


async def _conflicts(work: Work) -> list[Any]:
    """Who is on a red and a black list, both shown to the caller, and whose case it would be shown."""
    parameters = Parameters()
    access, entities = Access(work.view, parameters), work.view.vocabulary.entities
    classes = entities["ListEntry"].row_classes
    both = [access.visible(Row(alias, TABLES["list_entry"], "s"), classes) for alias in ("r", "b")]
    case = access.to_party(subject_row("s"), entities["ListConflict"].row_classes)
    return await work.rows(_CONFLICTS.format(today=access.today, shown=all_of([*both, case])), parameters)


async def _spoilt(work: Work) -> list[Any]:
    """Red entries of the caller, whose cases it is shown, that something has come against."""
    parameters = Parameters()
    access, entities = Access(work.view, parameters), work.view.vocabulary.entities
    shown = access.visible(Row("c", TABLES["case_file"]), entities["ListingCase"].row_classes)
    own = parameters.context(Context.PARTNER, "text")
    suspends = sorted(load_list_rules().red_rule(work.today).suspends)
    classes = parameters.bind(FromRef(Constant(suspends)), "text[]")
    sql = SPOILT.format(today=access.today, classes=classes, which=_OWN.format(own=own, shown=shown))
    return await work.rows(sql, parameters)


def _row(rows: Sequence[Any], what: str, case: Case[Any]) -> dict[str, Any]:
    return {"position": len(rows) + 1, "outcome": what, "case_public_id": case.public_id,
            "subject_id": case.subject_id}  # fmt: skip


async def _with_conflicts(work: Work, given: Mapping[str, Any]) -> Mapping[str, Any]:
    case, _ = await engine.find(work.connection, LIST_ENTRY, given["number"], work.actor)
    told: ListingDetails = case.details
    color, own = told.definition.color, opaque_id("l", told.entry)
    if await work.connection.fetch(_PUBLISHED, case.subject_id, told.definition.code, case.case_id):
        raise GuardRefused(reason="ALREADY_LISTED")
    if color == "WATCH":
        return given
    rows = await work.connection.fetch(
        _IN_FORCE, case.subject_id, "BLACK" if color == "RED" else "RED", work.today
    )
    others = [opaque_id("l", row["public_id"]) for row in rows]
    # One that is put in force again may still wait in the queue.
    queued = {tuple(row) for row in await work.connection.fetch(_QUEUED, case.subject_id)}
    found = [(own, one) if color == "RED" else (one, own) for one in others]
    return {**given, "conflicts": [pair for pair in found if pair not in queued]}


async def blockers(work: Work, subject_id: int) -> list[str]:
    """R8.3: codes of what stands against a place on a red list. What nobody has classified may be of a class that does.

    The last: nobody can say that nothing does, since a source does not answer or sent of it what waits in quarantine (§0.5).
    """
    rule = load_list_rules().red_rule(work.today)
    since, classes = add_months(work.today, -rule.clean_months), [*rule.classes, "UNCLASSIFIED"]
    rows = await work.connection.fetch(
        _BLOCKERS, subject_id, work.today, since, classes, sorted(rule.standing)
    )
    unanswered = await _unanswered(work, subject_id, rule.sources)
    return [*(row["code"] for row in rows), *([unanswered] if unanswered is not None else [])]


async def _unanswered(work: Work, subject_id: int, sources: frozenset[str]) -> str | None:
    """Why nobody can say that nothing else stands against a subject; None: all these sources tell all they have."""
    missing = {name for name in sources if name not in work.sources or work.sources[name].status != "OK"}
    missing |= sources & doubted(await work.connection.fetchval(_IN_DOUBT, subject_id))
    return "SOURCE_MISSING" if missing else None


async def _take(work: Work, transition: str, given: Mapping[str, Any]) -> Made:
    case, _ = await engine.find(work.connection, LIST_ENTRY, given["number"], work.actor)
    if len(given.get("reason") or "") > MOST_CHARACTERS:
        raise BadUserInput("This text is too long.", argument="reason")
    row = await work.connection.fetchrow(_DEFINITION, case.details.definition.code)
    # As it stands today: definitions are put anew, never taken away.
    step = work.step({**given, "as_defined": _definition(row)})
    taken = await engine.apply(work.connection, work.machines, LIST_ENTRY, given["number"], transition, step)
    if transition in FOLLOWED:
        reason = str(taken.case.details.exit_reason or given.get("reason"))
        await follow(work, taken.case.details.entry, FOLLOWED[transition], reason)
    return Made(ids=(taken.case.public_id,))


def _steps(transition: str) -> Command:
    async def take(work: Work, given: Mapping[str, Any]) -> Made:
        return await _take(work, transition, given)

    return take


def _definition(row: Any) -> Definition:
    starts: date = row["effective_from"]
    return Definition(
        row["code"], row["name"], row["color"], row["recognizer_name"], row["legal_basis"], row["basis_level"],
        row["min_publicity_months"], row["max_publicity_months"], starts, row["effective_to"],
        row["criteria"], row["measures"],
    )  # fmt: skip


COMMANDS: dict[str, Command] = {
    "list.propose": propose,
    "list.recognize": recognize,
    "list.publish": publish,
    "list.reinstate": reinstate,
    "list.recheck": recheck,
    # R8.4: the entries themselves are moved by their own steps.
    "list.resolve_conflict": stepping(LIST_CONFLICT, "resolve"),
    **{
        f"list.{name}": _steps(name)
        for name in (
            "notify", "serve", "state_defence", "record_defence", "decline", "suspend", "revoke", "disqualify",
            "give_up",
        )
    },
}  # fmt: skip
