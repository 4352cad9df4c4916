"""Exposure of typical and major cases (典型案件曝光, R10.4): anonymised, reviewed by a second person, ended with its penalty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.clock import SYSTEM
from hub.casework.delivery.channels import Channel, item_of, key_of, list_exit, publication
from hub.casework.given import is_blank
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition, second_person
from hub.casework.publicity.details import screened
from hub.casework.rounds import apart
from hub.casework.stepping import stepping, take
from hub.casework.work import Command, Made, Work, calendar_for
from hub.errors import BadUserInput, GuardRefused, SubjectUnknown
from hub.query.access import Access, Row, all_of, subject_row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import PENALTY_STANDS, TABLES
from hub.rights.matrix import Level
from hub.rules.disclosures import load_disclosure_rules
from hub.rules.redactor import TextTooLong
from hub.store.writing import one_writer
from schema.governance import Capability

_LONGEST_TITLE = 200
# A penalty is exposed while it is one that everybody may see: of an organization, in publicity (D6).
_PENALTIES = ("D6",)
# What is exposed, and its penalty is no longer in publicity: repaired, revoked, over, or gone.
_OVER = (
    "SELECT c.public_id, c.number, c.region_code FROM case_file c"  # noqa: S608 -- constants
    " WHERE c.mechanism = 'CASE_DISCLOSURE' AND c.closed_at IS NULL"
    f" AND NOT {PENALTY_STANDS.format(t='c', today='$1')} ORDER BY c.case_id"
)

_STANDS = f"SELECT {PENALTY_STANDS.format(t='c', today='$2')} FROM case_file c WHERE c.public_id = $1"  # noqa: S608 -- constants


@dataclass(frozen=True)
class AnonymisationReview:
    """What the second person decided, and on which text (SM3)."""

    officer: str
    at: datetime
    opinion: str
    digest: str


@dataclass(frozen=True)
class Blocking:
    """Something in the text that tells of a person; it goes from the text, it is not cleared. Told masked."""

    key: str
    kind: str
    sample: str


@dataclass(frozen=True)
class DisclosureDetails:
    """A case that is to be exposed. `persons`: names that its text must not hold; shown to nobody."""

    kind: str
    title: str
    text: str
    text_digest: str
    findings: tuple[Blocking, ...]
    drafted_by: str
    penalty_number: str
    authority: str
    penalty_ends: date | None
    persons: tuple[str, ...] = ()
    review: AnonymisationReview | None = None
    disclosed_on: date | None = None
    ended_reason: str | None = None


def _anonymous(case: Case[DisclosureDetails], step: Step) -> str | None:
    """R10.4: the redactor finds nothing today, and no person of the firm is named."""
    told = case.details
    said = f"{told.title}\n{told.text}"
    if screened(said, step.today)[1]:
        return "NOT_ANONYMISED"
    return "PERSON_NAMED" if any(name in said for name in told.persons) else None


def _reviewed(case: Case[DisclosureDetails], step: Step) -> Effects:
    review = AnonymisationReview(
        step.actor.officer, step.now, step.inputs["opinion"], case.details.text_digest
    )
    return Effects(details={"review": review}, payload={"digest": review.digest})


def _revise(_: Case[DisclosureDetails], step: Step) -> Effects:
    told = step.inputs
    changed = {name: told[name] for name in ("title", "text", "text_digest", "findings")}
    return Effects(
        details={**changed, "drafted_by": step.actor.officer, "review": None},
        payload={"digest": told["text_digest"]},
    )


def _disclosable(case: Case[DisclosureDetails], step: Step) -> str | None:
    told = case.details
    if not step.inputs["penalty_stands"]:
        # The worker has not been round to end it.
        return "NOT_IN_FORCE"
    if told.review is None or told.review.digest != screened(f"{told.title}\n{told.text}", step.today)[0]:
        return "REVIEW_MISSING"
    return _anonymous(case, step)


def _disclose(case: Case[DisclosureDetails], step: Step) -> Effects:
    told = case.details
    document = {
        "kind": told.kind,
        "title": told.title,
        "text": told.text,
        "penalty_number": told.penalty_number,
        "authority": told.authority,
        "publicity_from": step.today,
        "publicity_to": told.penalty_ends,
    }
    return Effects(
        details={"disclosed_on": step.today},
        deliveries=tuple(
            publication(one, item_of(case), document, key_of(case, one, "publish")) for one in Channel
        ),
    )


def _sayable(_: Case[DisclosureDetails], step: Step) -> str | None:
    """The reason is told to the channels, so it holds nobody's numbers either."""
    return "REASON_NOT_PUBLISHABLE" if screened(step.inputs["reason"], step.today)[1] else None


def _end(case: Case[DisclosureDetails], step: Step) -> Effects:
    """R10.4: the penalty's publicity is over, and the exposure with it, on every channel."""
    why, shown = step.inputs["reason"], case.state == "DISCLOSED"
    return Effects(
        details={"ended_reason": why},
        deliveries=tuple(
            list_exit(one, item_of(case), why, key_of(case, one, "exit")) for one in Channel if shown
        ),
    )


def _ruleset(_: date) -> str:
    """The rules that exposures are under: those of the policy's article 十."""
    return "DISCLOSURE-2019"


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    more.setdefault("rules", ("R10.4",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


_SECOND = Capability.REVIEW
CASE_DISCLOSURE = Machine(
    mechanism="CASE_DISCLOSURE",
    zh="典型案件曝光",
    en="Exposure of typical cases",
    series="QHBG",
    data_class="D6",
    details=DisclosureDetails,
    states=(
        State(name="DRAFT", zh="起草", en="draft"),
        State(name="ANONYMISATION_REVIEW", zh="脱敏审查", en="anonymisation review"),
        State(name="APPROVED", zh="已批准", en="approved"),
        State(name="DISCLOSED", zh="曝光中", en="disclosed"),
        State(name="ENDED", zh="已终止", en="ended"),
    ),
    initial="DRAFT",
    final=frozenset({"ENDED"}),
    transitions=(
        _t("revise", "修改", "revise the text", "DRAFT", "DRAFT", requires=("title", "text"), effect=_revise),
        _t("submit", "提交审查", "hand in for review", "DRAFT", "ANONYMISATION_REVIEW"),
        _t(
            "approve", "脱敏审查通过", "no person can be told from it", "ANONYMISATION_REVIEW", "APPROVED",
            capability=_SECOND, requires=("opinion",), guard=second_person(_anonymous), effect=_reviewed,
        ),
        _t(
            "return", "退回修改", "give back for revision", "ANONYMISATION_REVIEW APPROVED", "DRAFT",
            capability=_SECOND, requires=("reason",), effect=lambda _, __: Effects(details={"review": None}),
        ),
        _t(
            "disclose", "曝光", "disclose on all channels", "APPROVED", "DISCLOSED", guard=_disclosable,
            effect=_disclose,
        ),
        _t(
            "withdraw", "撤下", "take it down", "DRAFT ANONYMISATION_REVIEW APPROVED DISCLOSED", "ENDED",
            requires=("reason",), guard=_sayable, effect=_end,
        ),
        _t(
            "end", "随处罚终止", "the penalty's publicity is over", "DRAFT ANONYMISATION_REVIEW APPROVED DISCLOSED",
            "ENDED", parties=frozenset(), requires=("reason",), effect=_end,
        ),
    ),
    ruleset=_ruleset,
    rules=("R10.4",),
)  # fmt: skip
MACHINES = (CASE_DISCLOSURE,)


async def draft(work: Work, given: Mapping[str, Any]) -> Made:
    """R10.4: draft the exposure of a penalty in publicity. Raises BadUserInput, SubjectUnknown, GuardRefused."""
    # A delivery under way may tell that the penalty is another firm's: whose it is then, the case is.
    await one_writer(work.connection)
    penalty = await _penalty(work, given["penalty"])
    title, text = _said(given)
    digest, findings = _screened(title, text, work.today)
    named = penalty["legal_representative_name"]
    details = DisclosureDetails(
        kind=given["kind"],
        title=title,
        text=text,
        text_digest=digest,
        findings=findings,
        drafted_by=work.actor.officer,
        penalty_number=penalty["document_number"] or "",
        authority=penalty["authority_name"] or penalty["provider_name"],
        penalty_ends=penalty["usable_until"],
        persons=(named,) if named and len(named) > 1 else (),
    )
    regions = work.actor.regions
    new = engine.NewCase(
        subject_id=penalty["subject_id"],
        details=details,
        region_code=regions[0].ljust(6, "0") if regions else None,
        target_public_id=str(penalty["public_id"]),
    )
    (case,) = await engine.open_cases(work.connection, CASE_DISCLOSURE, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def revise(work: Work, given: Mapping[str, Any]) -> Made:
    """Change the words; they are screened anew, and no earlier review holds for them."""
    title, text = _said(given)
    digest, findings = _screened(title, text, work.today)
    return await take(
        work,
        CASE_DISCLOSURE,
        "revise",
        {**given, "title": title, "text": text, "text_digest": digest, "findings": findings},
    )


async def disclose(work: Work, given: Mapping[str, Any]) -> Made:
    """R10.4: expose it, while its penalty is in publicity. Raises GuardRefused."""
    # Before the case: a penalty that is being repaired would still be found in publicity.
    await one_writer(work.connection)
    case, _ = await engine.find(work.connection, CASE_DISCLOSURE, given["number"], work.actor)
    stands = await work.connection.fetchval(_STANDS, case.public_id, work.today)
    return await take(work, CASE_DISCLOSURE, "disclose", {**given, "penalty_stands": stands})


def _said(given: Mapping[str, Any]) -> tuple[str, str]:
    title, text = given["title"].strip(), given["text"].strip()
    if len(title) > _LONGEST_TITLE or is_blank(title) or is_blank(text):
        raise BadUserInput(f"A title of up to {_LONGEST_TITLE} characters and a text are needed.")
    return title, text


def _screened(title: str, text: str, today: date) -> tuple[str, tuple[Blocking, ...]]:
    try:
        digest, found = screened(f"{title}\n{text}", today)
    except TextTooLong as error:
        raise BadUserInput(f"{error}.", argument="text") from None
    return digest, tuple(Blocking(one.key, one.kind, one.sample) for one in found)


async def _penalty(work: Work, name: str) -> Any:
    """A public penalty in publicity. Raises GuardRefused; SubjectUnknown, in the same words for one the caller may not see."""
    if len(name) != 33 or name[0] != "r" or set(name[1:]) - set("0123456789abcdef"):
        raise SubjectUnknown("There is no such record.")
    parameters = Parameters()
    access = Access(work.view, parameters)
    row = Row("x", TABLES["record"], "s")
    named = parameters.bind(FromRef(Constant(name[1:])), "uuid")
    found = await work.rows(
        "SELECT x.subject_id, x.public_id, x.kind, x.source, x.document_number, x.authority_name, x.provider_name,"  # noqa: S608 -- placeholders only
        " x.usable_until, x.sharing_attribute, s.legal_representative_name FROM record x JOIN subject s USING (subject_id) WHERE "
        + all_of(
            [
                f"x.public_id = {named}",
                "x.superseded_at IS NULL",
                access.classes(subject_row("s"), ("D1",), Level.MASKED),
                access.visible(row, _PENALTIES, Level.FULL),
                access.in_use(row),
            ]
        ),
        parameters,
    )
    if not found:
        raise SubjectUnknown("There is no such record.")
    if found[0]["kind"] != "PENALTY":
        raise GuardRefused(reason="NO_PENALTY")
    if not load_disclosure_rules().own(found[0]["source"], work.today):
        raise GuardRefused(reason="NOT_OWN_FIELD")
    if found[0]["sharing_attribute"] != "PUBLIC":
        raise GuardRefused(reason="PENALTY_NOT_PUBLIC")
    return found[0]


async def end_with_penalties(pool: asyncpg.Pool, machines: Mapping[str, Machine], now: datetime) -> int:
    """R10.4: end what is, or was to be, exposed when its penalty's publicity is over, for whatever reason; how many."""
    today, ended = now.astimezone(SHANGHAI).date(), 0
    for row in await pool.fetch(_OVER, today):
        region = row["region_code"]
        with apart(f"case {row['public_id']}"):
            async with pool.acquire() as connection, connection.transaction():
                calendar = await calendar_for(connection, [region] if region else [], today)
                step = Step(SYSTEM, {"reason": "PENALTY_PUBLICITY_OVER"}, now, today, calendar)
                await engine.apply(connection, machines, CASE_DISCLOSURE, row["number"], "end", step)
            ended += 1
    return ended


COMMANDS: dict[str, Command] = {
    "disclosure.draft": draft,
    "disclosure.revise": revise,
    "disclosure.disclose": disclose,
    **{
        f"disclosure.{name}": stepping(CASE_DISCLOSURE, name)
        for name in ("submit", "approve", "return", "withdraw")
    },
}
