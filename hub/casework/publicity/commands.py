"""The commands of publicity (article 七), and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from hub.casework import engine
from hub.casework.delivery.deliveries import SHOWN_ON_BOTH, on_both_sites
from hub.casework.given import is_blank, said
from hub.casework.publicity.details import PublicityDetails, all_text, screened
from hub.casework.publicity.machine import BEFORE, PUBLICITY, SHOWN
from hub.casework.publicity.records import own_records
from hub.casework.stepping import stepping, take
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Look, Made, Work
from hub.errors import BadUserInput, GuardRefused
from hub.query.access import Access
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rules.calendar import NATIONAL, calendar_of
from hub.rules.publicity import load_publicity_rules
from hub.rules.redactor import MINOR, TextTooLong, screen
from hub.rules.timeliness import Decided, figures, had_to_be_published, load_timeliness_rules, publish_due
from hub.store.writing import one_at_a_time, one_writer

# 许可机关 and 处罚机关 of the 双公示 standard have 200.
_LONGEST_TITLE, _LONGEST_AUTHORITY = 400, 200
_LONGEST_SPAN = timedelta(days=1100)
# The same decision, of the same unit, that is on its way to the public or there.
_KNOWN = """
SELECT 1 FROM case_file WHERE mechanism = 'PUBLICITY' AND owner = $1 AND state = ANY ($2::text[]) AND subject_id = $3
  AND details->>'kind' = $4 AND details->>'decision_number' = $5 AND details->>'authority' = $6
  AND (details->>'decided_on')::date = $7 LIMIT 1
"""
_KIND = "SELECT kind FROM subject WHERE subject_id = $1"


async def draft(work: Work, given: Mapping[str, Any]) -> Made:
    """R7.1: put a decision on its way to the public; the seven working days begin on the day after the decision.

    What was decided before they were set has no deadline.

    Raises SubjectUnknown, BadUserInput, GuardRefused.
    """
    subject = await subject_of(work, given["subject"])
    decided: date = given["decided_on"]
    if decided > work.today:
        raise GuardRefused(reason="DECISION_DAY_IMPOSSIBLE")
    work = await work.since(decided)
    seriousness, proposed = _classified(given, given["kind"], subject["kind"], work.today)
    title, number, text = _said(given["title"], given["text"], given["decision_number"])
    authority = said(given["authority"], "authority", _LONGEST_AUTHORITY)
    if any(one.kind != MINOR for one in screen(authority, work.today).findings):
        # It is shown with the decision, and no review can clear it. An authority may be one for minors.
        raise GuardRefused(reason="PERSONAL_DATA_IN_TEXT")
    digest, findings = _screened(title, number, text, work.today)
    same = subject["subject_id"], given["kind"], number, authority, decided
    await one_at_a_time(work.connection, f"PUBLICITY {work.actor.partner} {same}")
    if await work.connection.fetchval(_KNOWN, work.actor.partner, [*BEFORE, *SHOWN], *same):
        # Of two the one too many would count as not published, and could only be withdrawn, with the record of the decision.
        raise GuardRefused(reason="DRAFTED_ALREADY")
    regions = work.actor.regions
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=PublicityDetails(
            kind=given["kind"],
            title=title,
            decision_number=number,
            decided_on=decided,
            authority=authority,
            text=text,
            text_digest=digest,
            subject_code=subject["uscc"],
            subject_name=subject["display_name"],
            seriousness=seriousness,
            valid_to=given.get("valid_to"),
            proposed_exceptions=proposed,
            findings=findings,
            drafted_by=work.actor.officer,
        ),
        # The working calendar is the handling unit's.
        region_code=regions[0].ljust(6, "0") if regions else None,
        due=publish_due(decided, work.calendar) if had_to_be_published(decided) else None,
    )
    (case,) = await engine.open_cases(work.connection, PUBLICITY, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def revise(work: Work, given: Mapping[str, Any]) -> Made:
    """Change a draft: its words are screened anew, and earlier clearances do not hold for them.

    What else was entered wrong is told anew: a decision is drafted once. Raises BadUserInput.
    """
    case, _ = await engine.find(work.connection, PUBLICITY, given["number"], work.actor)
    title, number, text = _said(given["title"], given["text"], case.details.decision_number)
    digest, findings = _screened(title, number, text, work.today)
    more: dict[str, Any] = {}
    if given.get("penalty_kinds") is not None:
        of = await work.connection.fetchval(_KIND, case.subject_id)
        seriousness, proposed = _classified(given, case.details.kind, of, work.today)
        more = {"seriousness": seriousness, "proposed_exceptions": proposed}
    elif given.get("simple_procedure") is not None:
        raise BadUserInput("Told with the kinds of penalty that it goes with.", argument="simpleProcedure")
    if given.get("valid_to") is not None:
        more["valid_to"] = given["valid_to"]
    words = {"title": title, "text": text, "digest": digest, "findings": findings}
    return await take(work, PUBLICITY, "revise", {**given, **words, "told_anew": more})


def _classified(given: Mapping[str, Any], kind: str, of: str, today: date) -> tuple[str, tuple[str, ...]]:
    """How serious the decision is, which its period of publicity goes by, and the exceptions that lie near; `of`: of whom."""
    penalty = kind == "PENALTY"
    simple, kinds = bool(given.get("simple_procedure")), list(given.get("penalty_kinds") or ())
    seriousness = load_publicity_rules().classify(kinds, simple)[0] if penalty else "NOT_ADVERSE"
    proposed = load_timeliness_rules().proposed_exceptions(
        today,
        penalty=penalty,
        natural_person=of == "NATURAL_PERSON",
        simple_procedure=simple,
        warning_only=bool(kinds) and seriousness == "MINOR",
    )
    return seriousness, proposed


async def publish(work: Work, given: Mapping[str, Any]) -> Made:
    """R7.1: publish, and say how late it is: by the calendar of the days since the decision."""
    case, _ = await engine.find(work.connection, PUBLICITY, given["number"], work.actor)
    return await take(await work.since(case.details.decided_on), PUBLICITY, "publish", given)


def _with_records(transition: str) -> Command:
    """A step that the handler's own records of the decision take part in, in the same transaction (5.4)."""

    async def command(work: Work, given: Mapping[str, Any]) -> Made:
        # Before the case: as repairs and objections do, which change a record and then its publicity.
        await one_writer(work.connection)
        case, _ = await engine.find(work.connection, PUBLICITY, given["number"], work.actor)
        shown = await on_both_sites(work.connection, case.number)
        given = {**given, "records": await own_records(work, case), "on_both_sites": shown}
        return await take(await work.since(case.details.decided_on), PUBLICITY, transition, given)

    return command


def _said(title: str, text: str, number: str) -> tuple[str, str, str]:
    title, text, number = title.strip(), text.strip(), number.strip()
    if len(title) > _LONGEST_TITLE or any(map(is_blank, (title, text, number))):
        raise BadUserInput(f"A title of up to {_LONGEST_TITLE} characters, a number and a text are needed.")
    return title, number, text


def _screened(title: str, number: str, text: str, today: date) -> Any:
    try:
        return screened(all_text(title, number, text), today)
    except TextTooLong as error:
        raise BadUserInput(f"{error}.", argument="text") from None


# R7.1: published once both the own site and the government portal have acknowledged it. None was opened before its decision.
_DECIDED = """
SELECT c.owner, (c.details->>'decided_on')::date AS decided_on, c.region_code,
  c.details->'exception'->>'ground' AS exception, d.shown_at
FROM case_file c LEFT JOIN LATERAL (
  SELECT shown_at FROM case_event e CROSS JOIN LATERAL ({both}) d WHERE e.case_id = c.case_id AND e.transition = 'publish'
) d ON TRUE
WHERE c.mechanism = 'PUBLICITY' AND c.opened_on >= {first} AND (c.details->>'decided_on')::date BETWEEN {first} AND {last}
  AND {shown}
  AND NOT (c.state = 'WITHDRAWN' AND EXISTS (SELECT FROM case_event w WHERE w.case_id = c.case_id
    AND w.transition = 'withdraw' AND w.payload->>'no_longer_due' = 'true'))
ORDER BY c.case_id
"""
_DAYS = "SELECT region_code, day, is_workday FROM working_day WHERE day BETWEEN $1 AND $2"


async def timeliness(look: Look, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """On time, late and not published by unit and month of decision (R7.1): the figures that units are judged by.

    They count what nobody else is shown, so they are told of the units whose reports the caller is shown.
    """
    first, last, now = given["decided_from"], given["decided_to"], look.request.now
    if not timedelta(0) <= last - first <= _LONGEST_SPAN:
        raise BadUserInput("A span of at most three years, from its first to its last day.")
    days = [
        tuple(row)
        for row in await look.read(_DAYS, (first - timedelta(days=30), now.date() + timedelta(days=60)))
    ]
    by_region: dict[str | None, list[Decided]] = {}
    for row in await _decided(look, first, last):
        one = Decided(row["owner"], row["decided_on"], row["shown_at"], row["exception"])
        by_region.setdefault(row["region_code"], []).append(one)
    told: dict[tuple[str, date], list[int]] = {}
    for region, items in by_region.items():
        known = [one for one in days if one[0] == NATIONAL or region is not None]
        for of in figures(items, calendar_of(known, region), now):
            counts = (of.on_time, of.late, of.not_published, of.pending, of.excepted)
            sums = told.setdefault((of.unit, of.month), [0] * 5)
            told[of.unit, of.month] = [a + b for a, b in zip(sums, counts, strict=True)]
    found = []
    for number, ((unit, month), counts_of) in enumerate(sorted(told.items())):
        on_time, late, missing, pending, excepted = counts_of
        over = on_time + late + missing
        found.append(
            {
                "ord": number,
                "unit": unit,
                "month": month,
                "on_time": on_time,
                "late": late,
                "not_published": missing,
                "pending": pending,
                "excepted": excepted,
                "per_mille_on_time": on_time * 1000 // over if over else None,
            }
        )
    return found


async def _decided(look: Look, first: date, last: date) -> list[Any]:
    parameters = Parameters()
    sql = _DECIDED.format(
        both=SHOWN_ON_BOTH,
        first=parameters.bind(FromRef(Constant(first)), "date"),
        last=parameters.bind(FromRef(Constant(last)), "date"),
        shown=Access(look.view, parameters).of_units("c"),
    )
    return await look.rows(sql, parameters)


COMMANDS: dict[str, Command] = {
    "publicity.draft": draft,
    "publicity.revise": revise,
    "publicity.publish": publish,
    **{
        f"publicity.{name}": stepping(PUBLICITY, name)
        for name in (
            "submit", "pass_secrecy", "clear", "approve", "return", "except", "end_repair",
        )
    },
    **{f"publicity.{name}": _with_records(name) for name in ("suspend", "resume", "withdraw")},
}  # fmt: skip
VIEWINGS = {"publicity_timeliness": timeliness}
