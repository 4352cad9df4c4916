"""Applications of measures (联合奖惩措施, R9.1): initiated, received, in effect on catalogue code and basis, fed back, ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import PASSED, SYSTEM
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.partners import in_force
from hub.casework.rounds import apart
from hub.casework.stepping import stepping
from hub.casework.work import Command, Made, Work, calendar_for
from hub.errors import BadUserInput, GuardRefused
from hub.query.access import Access, Row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES
from hub.rules.calendar import Due
from hub.rules.deadlines import due
from hub.rules.matters import load_matters
from hub.rules.measures import load_measure_rules
from hub.store.writing import one_writer
from schema.governance import Capability

# Effects that derogate: never without an item of the national list and the law that orders it (国办发〔2020〕49号).
PUNITIVE = frozenset({"BLOCK", "RESTRICT", "KEY_SUPERVISION"})
IMPLEMENTER = "IMPLEMENTER"
MOST_CHARACTERS = 1000
# What a measure that derogates rests on: told when it is initiated, or when it takes effect.
BASIS = ("national_catalogue_code", "legal_basis", "basis_level")
_ENTRY = """
SELECT e.subject_id, e.public_id, e.color, e.data_class, e.recognized_on, e.publicity_ends_on, d.name, s.region_code
FROM list_entry e JOIN list_definition d ON d.code = e.list_code JOIN subject s USING (subject_id)
WHERE e.public_id = {entry} AND e.superseded_at IS NULL AND e.state = 'PUBLISHED'
  AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= {today}) AND {shown}
"""
# Of a case that the caller handles: nothing of the entry is told, but that it is in force.
_IN_FORCE = """
SELECT 1 FROM list_entry e WHERE e.public_id = $1 AND e.superseded_at IS NULL AND e.state = 'PUBLISHED'
  AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= $2) AND e.subject_id = $3
"""
_OF_ENTRY = """
SELECT number FROM case_file WHERE mechanism = 'MEASURE' AND target_public_id = $1 AND closed_at IS NULL
  AND state = ANY ($2::text[]) ORDER BY case_id
"""
# Measures on what has left its list, by its source's word or by time; what was repaired ends as repaired (R9.2).
_OFF_THE_LIST = """
SELECT c.number, c.region_code FROM case_file c
WHERE c.mechanism = 'MEASURE' AND c.closed_at IS NULL AND c.target_public_id IS NOT NULL AND NOT EXISTS (
  SELECT FROM list_entry e WHERE e.public_id = c.target_public_id AND e.superseded_at IS NULL AND e.subject_id = c.subject_id
    AND (e.state = 'EXITED_REPAIRED' OR e.state IN ('PUBLISHED', 'SUSPENDED')
      AND (e.publicity_ends_on IS NULL OR e.publicity_ends_on >= $1)))
ORDER BY c.case_id
"""
# What never took effect has no deadline that passes, and ends with its last day all the same.
_TERM_OVER = """
SELECT number, region_code FROM case_file
WHERE mechanism = 'MEASURE' AND state IN ('INITIATED', 'RECEIVED') AND closed_at IS NULL
  AND (details->>'ends')::date < $1 ORDER BY case_id
"""
# Each day that passed without the first feedback is told once.
_NO_FEEDBACK = f"""
INSERT INTO case_event (case_id, at, transition, from_state, to_state, actor_partner, actor_officer, payload)
SELECT c.case_id, $2, '{PASSED}', c.state, c.state, '{SYSTEM.partner}', '{SYSTEM.officer}',
  jsonb_build_object('feedback_due', c.details->>'feedback_due') FROM case_file c
WHERE c.mechanism = 'MEASURE' AND c.state = 'EFFECTIVE' AND c.closed_at IS NULL
  AND (c.details->>'feedback_due')::date < $1 AND c.due_on >= $1
  AND NOT EXISTS (SELECT FROM case_event e WHERE e.case_id = c.case_id AND e.transition = '{PASSED}'
    AND e.payload->>'feedback_due' = c.details->>'feedback_due')
"""  # noqa: S608 -- constants of this program


@dataclass(frozen=True)
class Receipt:
    """The implementer's word that it has the measure."""

    at: datetime
    officer: str
    number: str | None


@dataclass(frozen=True)
class MeasureFeedback:
    """One handling in which the measure was applied."""

    applied_on: date
    case_number: str
    result: str


@dataclass(frozen=True)
class MeasureDetails:
    """A measure against, or in favour of, a subject on a list."""

    measure: str
    effect: str
    national_catalogue_code: str | None
    legal_basis: str | None
    # Old memoranda guide, but are no basis by themselves.
    memorandum: str | None
    list_name: str
    color: str
    initiator: str
    implementer: str
    begins: date
    ends: date
    matters: tuple[str, ...]
    purposes: tuple[str, ...]
    # Level of the basis; measures begun before it was asked for have none.
    basis_level: str | None = None
    legal_basis_checked_on: date | None = None
    receipt: Receipt | None = None
    feedback: tuple[MeasureFeedback, ...] = ()
    feedback_due: date | None = None
    # Its implementer's word since when it, suspended, applies it no longer; none once it is applied again.
    stopped_on: date | None = None
    ended_on: date | None = None
    end_reason: str | None = None


def _own(case: Case[MeasureDetails], _: Step) -> str | None:
    return None if case.details.implementer == case.owner else "ANOTHER_IMPLEMENTS_IT"


def _receive(_: Case[MeasureDetails], step: Step) -> Effects:
    receipt = Receipt(step.now, step.actor.officer, step.inputs.get("document_number"))
    return Effects(details={"receipt": receipt})


def _lawful(case: Case[MeasureDetails], step: Step) -> str | None:
    told, given = case.details, step.inputs
    if not given.get("entry_in_force"):
        # Suspended, or gone: then nothing that rests on it takes effect.
        return "NO_ENTRY_IN_FORCE"
    if told.effect in PUNITIVE:
        code, basis, level = (given.get(name) or getattr(told, name) for name in BASIS)
        problem = load_measure_rules().problem(code, basis, level, step.today)
        if problem is not None:
            return problem
    if given["legal_basis_checked_on"] > step.today:
        return "CHECK_DAY_IMPOSSIBLE"
    if step.today < told.begins:
        return "TERM_NOT_BEGUN"
    return "TERM_OVER" if step.today > told.ends else None


def _activate(case: Case[MeasureDetails], step: Step) -> Effects:
    told, given = case.details, step.inputs
    return Effects(
        details={
            **{name: given.get(name) or getattr(told, name) for name in BASIS},
            "legal_basis_checked_on": given["legal_basis_checked_on"],
            "feedback_due": due("measure.feedback", step.today, step.calendar).on,
        },
        due=Due(told.ends, False),
    )


def _applied(case: Case[MeasureDetails], step: Step) -> str | None:
    """Within its term, also while nobody has written down yet that this is over."""
    applied, told = step.inputs["applied_on"], case.details
    return None if told.begins <= applied <= min(step.today, told.ends) else "APPLICATION_DAY_IMPOSSIBLE"


def _feed_back(case: Case[MeasureDetails], step: Step) -> Effects:
    given = step.inputs
    told = MeasureFeedback(given["applied_on"], given["case_number"], given["result"])
    return Effects(details={"feedback": (*case.details.feedback, told), "feedback_due": None})


def _stopped(case: Case[MeasureDetails], step: Step) -> str | None:
    told = case.details
    return (
        None if told.begins <= step.inputs["stopped_on"] <= min(step.today, told.ends) else "DAY_IMPOSSIBLE"
    )


def _report_stop(_: Case[MeasureDetails], step: Step) -> Effects:
    # The event tells of it still when the measure is applied again.
    told = {"stopped_on": step.inputs["stopped_on"]}
    return Effects(details=told, payload=told)


def _resume(_: Case[MeasureDetails], __: Step) -> Effects:
    return Effects(details={"stopped_on": None})


def _term_over(case: Case[MeasureDetails], step: Step) -> str | None:
    return None if step.today > case.details.ends else "TERM_NOT_OVER"


def _end(case: Case[MeasureDetails], step: Step) -> Effects:
    # At the end of its term it ended with that day, whenever that is written down.
    on = min(step.today, case.details.ends)
    return Effects(
        details={"ended_on": on, "end_reason": step.inputs.get("reason"), "feedback_due": None}, due=None
    )


def _by_hub(_: Case[MeasureDetails], step: Step) -> str | None:
    return None if step.actor.system else "FOLLOWS_FROM_THE_LIST"


_OPEN = "INITIATED RECEIVED EFFECTIVE SUSPENDED"
_IMPLEMENTER = frozenset({IMPLEMENTER})
# What was done is told also while the measure is suspended, or by mistake meanwhile: the firm may have to be put right.
_FED_BACK = "EFFECTIVE SUSPENDED"


def _t(name: str, zh: str, en: str, sources: str, target: str | None, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    more.setdefault("rules", ("R9.1",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


# fmt: off
MEASURE = Machine(
    mechanism="MEASURE",
    zh="联合奖惩措施",
    en="Application of a measure",
    series="QHCS",
    data_class="D10",
    details=MeasureDetails,
    states=(
        State(name="INITIATED", zh="已发起", en="initiated"),
        State(name="RECEIVED", zh="已接收", en="received by its implementer"),
        State(name="EFFECTIVE", zh="生效", en="in effect"),
        State(name="SUSPENDED", zh="中止", en="suspended with its list entry"),
        State(name="ENDED_TERM", zh="期满终止", en="ended: term over"),
        State(name="ENDED_EXIT", zh="退出名单终止", en="ended: off the list"),
        State(name="ENDED_REPAIRED", zh="修复终止", en="ended: repaired"),
        State(name="ENDED_LIFTED", zh="解除", en="ended: lifted"),
        State(name="DECLINED", zh="不予实施", en="declined by its implementer"),
    ),
    initial="INITIATED",
    final=frozenset({"ENDED_TERM", "ENDED_EXIT", "ENDED_REPAIRED", "ENDED_LIFTED", "DECLINED"}),
    transitions=(
        _t("acknowledge", "接收", "acknowledge", "INITIATED", "RECEIVED", capability=Capability.RECEIVE,
           parties=_IMPLEMENTER, effect=_receive),
        _t("take_over", "本单位实施", "implement it oneself", "INITIATED", "RECEIVED", guard=_own, effect=_receive),
        _t("decline", "不予实施", "decline", "INITIATED RECEIVED", "DECLINED", capability=Capability.RECEIVE,
           parties=_IMPLEMENTER, requires=("reason",), effect=_end),
        _t("activate", "生效", "put in effect", "RECEIVED", "EFFECTIVE", requires=("legal_basis_checked_on",),
           guard=_lawful, effect=_activate),
        _t("feed_back", "反馈", "feed back an application", _FED_BACK, None, capability=Capability.RECEIVE,
           parties=_IMPLEMENTER, requires=("applied_on", "case_number", "result"), guard=_applied, effect=_feed_back),
        _t("feed_back_own", "反馈(本单位)", "feed back one's own application", _FED_BACK, None,
           requires=("applied_on", "case_number", "result"),
           guard=lambda case, step: _own(case, step) or _applied(case, step), effect=_feed_back),
        _t("report_stop", "报告停止实施", "report that it has stopped", "SUSPENDED", "SUSPENDED",
           capability=Capability.RECEIVE, parties=_IMPLEMENTER, requires=("stopped_on",), guard=_stopped,
           effect=_report_stop),
        _t("report_stop_own", "报告停止实施(本单位)", "report that one has stopped one's own", "SUSPENDED", "SUSPENDED",
           requires=("stopped_on",), guard=lambda case, step: _own(case, step) or _stopped(case, step),
           effect=_report_stop),
        _t("suspend", "随名单中止", "suspended with the entry", "EFFECTIVE", "SUSPENDED", guard=_by_hub),
        _t("resume", "随名单恢复", "resumed with the entry", "SUSPENDED", "EFFECTIVE", guard=_by_hub, effect=_resume),
        _t("expire", "期满", "the term is over", _OPEN, "ENDED_TERM", guard=_term_over, effect=_end),
        _t("end_exit", "随退出终止", "off the list", _OPEN, "ENDED_EXIT", guard=_by_hub, effect=_end,
           rules=("R9.1", "R8.5")),
        _t("end_repair", "随修复终止", "repaired", _OPEN, "ENDED_REPAIRED", guard=_by_hub, effect=_end,
           rules=("R9.1", "R9.2")),
        _t("lift", "解除", "lift", _OPEN, "ENDED_LIFTED", requires=("reason",), effect=_end),
    ),
    ruleset=lambda day: "MEASURES-49" if day >= date(2020, 12, 7) else "SEED-2019",
    rules=("R9.1",),
)
# fmt: on
MACHINES = (MEASURE,)
AUTOMATIC = {("MEASURE", "EFFECTIVE"): "expire", ("MEASURE", "SUSPENDED"): "expire"}


def public_id_of(target: str, letter: str, argument: str) -> str:
    """The uuid of an opaque id that begins with `letter`, as `argument` gave it. Raises BadUserInput."""
    if target[:1] == letter and len(target) == 33:
        try:
            return str(UUID(target[1:]))
        except ValueError:
            pass
    raise BadUserInput("This is no such id.", argument=argument)


async def _entry(work: Work, entry: str) -> Any:
    """The entry in force, if the caller is shown it: another answers like one that does not exist."""
    parameters = Parameters()
    access = Access(work.view, parameters)
    classes = work.view.vocabulary.entities["ListEntry"].row_classes
    sql = _ENTRY.format(
        entry=parameters.bind(FromRef(Constant(entry)), "uuid"),
        today=access.today,
        shown=access.visible(Row("e", TABLES["list_entry"]), classes),
    )
    found = await work.rows(sql, parameters)
    return found[0] if found else None


async def initiate(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.1: initiate a measure on a list entry in force. Raises BadUserInput, GuardRefused."""
    entry = public_id_of(given["entry"], "l", "entry")
    # A delivery under way may tell that the entry is another firm's: whose it is then, the case is.
    await one_writer(work.connection)
    row = await _entry(work, entry)
    if row is None:
        raise GuardRefused(reason="NO_ENTRY_IN_FORCE")
    effect, begins, ends = given["effect"], given["begins"], given["ends"]
    if row["color"] == "WATCH":
        # 5.2: a watch list guides supervision and triggers no measure.
        raise GuardRefused(reason="WATCH_LIST_TRIGGERS_NO_MEASURE")
    if row["data_class"] == "D11":
        raise GuardRefused(reason="NATURAL_PERSON")
    if (row["color"] == "BLACK") is not (effect in PUNITIVE):
        raise GuardRefused(reason="EFFECT_DOES_NOT_FIT_THE_LIST")
    if row["publicity_ends_on"] is not None:
        ends = min(ends, row["publicity_ends_on"])
    if begins > ends:
        raise BadUserInput("A measure begins before it ends.", argument="begins")
    if row["recognized_on"] is not None and begins < row["recognized_on"]:
        # Nothing rests on a place on a list that the subject did not have yet.
        raise GuardRefused(reason="DAY_IMPOSSIBLE")
    implementer = (await in_force(work.connection, work.today)).get(given["implementer"])
    if implementer is None:
        raise GuardRefused(reason="IMPLEMENTER_UNKNOWN")
    if implementer.partner != work.actor.partner and Capability.RECEIVE not in implementer.capabilities:
        # Nobody there could say that it has the measure, so it would never take effect.
        raise GuardRefused(reason="IMPLEMENTER_CANNOT_RECEIVE")
    for name in ("national_catalogue_code", "legal_basis", "memorandum"):
        if len(given.get(name) or "") > MOST_CHARACTERS:
            raise BadUserInput("This text is too long.", argument=name)
    if not {one.code for one in load_matters()}.issuperset(given.get("matters") or ()):
        # R5.3: of a code that no matter has it would be in effect, and in no check.
        raise BadUserInput("A measure covers matters that are configured.", argument="matters")
    details = MeasureDetails(
        measure=said(given["measure"], "measure", MOST_CHARACTERS),
        effect=effect,
        national_catalogue_code=given.get("national_catalogue_code"),
        legal_basis=given.get("legal_basis"),
        basis_level=given.get("basis_level"),
        memorandum=given.get("memorandum"),
        list_name=row["name"],
        color=row["color"],
        initiator=work.actor.partner,
        implementer=given["implementer"],
        begins=begins,
        ends=ends,
        matters=tuple(given.get("matters") or ()),
        purposes=tuple(given.get("purposes") or ()),
    )
    new = engine.NewCase(
        subject_id=row["subject_id"],
        details=details,
        region_code=row["region_code"],
        target_public_id=entry,
        parties=((given["implementer"], IMPLEMENTER),),
    )
    (case,) = await engine.open_cases(work.connection, MEASURE, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def activate(work: Work, given: Mapping[str, Any]) -> Made:
    """R9.1: put a measure in effect, on code and basis, while the entry that it rests on is in force."""
    # Before the case: an entry that is being suspended would not find it in effect, and leave it so.
    await one_writer(work.connection)
    case, _ = await engine.find(work.connection, MEASURE, given["number"], work.actor)
    in_force = await work.connection.fetchval(_IN_FORCE, case.target_public_id, work.today, case.subject_id)
    step = work.step({**given, "entry_in_force": in_force is not None})
    taken = await engine.apply(work.connection, work.machines, MEASURE, given["number"], "activate", step)
    return Made(ids=(taken.case.public_id,))


async def follow(work: Work, entry: str, transition: str, reason: str) -> None:
    """R9.1: what happens to a list entry (a uuid) happens to its measures, in the same transaction."""
    step = replace(work.step({"reason": reason}), actor=replace(work.actor, system=True))
    await follow_entry(work.connection, work.machines, step, entry, transition)


async def follow_entry(
    connection: asyncpg.Connection, machines: Mapping[str, Machine], step: Step, entry: str, transition: str
) -> int:
    """The same with a step of the hub's own; how many measures were moved."""
    rows = await connection.fetch(_OF_ENTRY, entry, sorted(MEASURE.step(transition).sources))
    for row in rows:
        await engine.apply(connection, machines, MEASURE, row["number"], transition, step)
    return len(rows)


async def end_off_lists(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """R9.1: end the measures on entries that left their lists otherwise than by a step of the hub's, and those whose term
    was over before they took effect; how many.

    Each is its own transaction; one that is refused is tried again in the next round.
    """
    today, ended = now.astimezone(SHANGHAI).date(), 0
    for sql, name, reason in ((_OFF_THE_LIST, "end_exit", "OFF_THE_LIST"), (_TERM_OVER, "expire", PASSED)):
        for row in await pool.fetch(sql, today):
            region = row["region_code"]
            with apart(f"ending measure {row['number']}"):
                async with pool.acquire() as connection, connection.transaction():
                    calendar = await calendar_for(connection, [region] if region else [], today)
                    step = Step(SYSTEM, {"reason": reason}, now, today, calendar)
                    await engine.apply(connection, machines, MEASURE, row["number"], name, step)
                ended += 1
    return ended


async def remind_of_feedback(pool: asyncpg.Pool, _: Mapping[str, Machine], now: datetime) -> int:
    """5.11: mark the measures in effect whose day of the first feedback has passed without one; how many."""
    status: str = await pool.execute(_NO_FEEDBACK, now.astimezone(SHANGHAI).date(), now)
    return int(status.rpartition(" ")[2])


COMMANDS: dict[str, Command] = {
    "measure.initiate": initiate,
    "measure.activate": activate,
    **{
        f"measure.{name}": stepping(MEASURE, name)
        for name in (
            "acknowledge",
            "take_over",
            "decline",
            "feed_back",
            "feed_back_own",
            "report_stop",
            "report_stop_own",
            "lift",
        )
    },
}
