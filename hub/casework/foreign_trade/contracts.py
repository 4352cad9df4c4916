"""Performance of investment contracts (招商引资合同履约, article 十三): confidential (D41) until a breach is adjudicated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import uuid4

from hub.casework import engine
from hub.casework.foreign_trade.findings import Decision, established, filed_before, publishable
from hub.casework.given import said
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.stepping import stepping, take
from hub.casework.subjects import subject_of
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused
from hub.query.ids import opaque_id
from hub.rules.calendar import Due
from hub.rules.foreign_trade import behaviour
from schema.governance import Capability

CATALOGUE_ITEM, RECORD_TYPE, BREACH = "SW-ZSHT", "INVESTMENT_CONTRACT_BREACH", "HT-01"
MOST_OBLIGATIONS, MOST_PARTIES = 50, 20


@dataclass(frozen=True)
class Obligation:
    """Something that the firm promised, by a day; `performed_on`: None while it is open."""

    text: str
    due_on: date
    performed_on: date | None = None


@dataclass(frozen=True)
class Adjudication:
    """A judgment or award in force that establishes the breach; `record`: opaque id of the record that it made."""

    adjudicator: str
    document_number: str
    effective_on: date
    record: str


@dataclass(frozen=True)
class ContractDetails:
    """A contract and how far it is performed."""

    contract_number: str
    subject_code: str
    parties: tuple[str, ...]
    signed_on: date
    obligations: tuple[Obligation, ...]
    alleged: str | None = None
    adjudication: Adjudication | None = None


def _next(obligations: tuple[Obligation, ...]) -> Due | None:
    return min(
        (Due(one.due_on, False) for one in obligations if one.performed_on is None),
        default=None,
        key=lambda d: d.on,
    )


def _open(case: Case[ContractDetails], step: Step) -> str | None:
    position, on = step.inputs["obligation"], step.inputs["performed_on"]
    if not 1 <= position <= len(case.details.obligations):
        return "NO_SUCH_OBLIGATION"
    if case.details.obligations[position - 1].performed_on is not None:
        return "PERFORMED_ALREADY"
    return None if case.details.signed_on <= on <= step.today else "DAY_IMPOSSIBLE"


def _perform(case: Case[ContractDetails], step: Step) -> Effects:
    position, on = step.inputs["obligation"], step.inputs["performed_on"]
    obligations = tuple(
        replace(one, performed_on=on) if number == position else one
        for number, one in enumerate(case.details.obligations, 1)
    )
    return Effects(details={"obligations": obligations}, due=_next(obligations))


def _all_performed(case: Case[ContractDetails], _: Step) -> str | None:
    return "OBLIGATIONS_OPEN" if _next(case.details.obligations) is not None else None


def _allege(_: Case[ContractDetails], step: Step) -> Effects:
    return Effects(details={"alleged": step.inputs["reason"]})


def _dismiss(_: Case[ContractDetails], __: Step) -> Effects:
    return Effects(details={"alleged": None})


def _in_force(case: Case[ContractDetails], step: Step) -> str | None:
    on = step.inputs["effective_on"]
    if not case.details.signed_on <= on <= step.today:
        return "JUDGMENT_NOT_IN_FORCE"
    return "FILED_ALREADY" if step.inputs["filed_before"] else None


def _adjudicate(_: Case[ContractDetails], step: Step) -> Effects:
    given = step.inputs
    made = Adjudication(
        given["adjudicator"], given["document_number"], given["effective_on"], given["record"]
    )
    return Effects(
        details={"adjudication": made}, due=None, facts=(given["fact"],), payload={"record": made.record}
    )


def _over(_: Case[ContractDetails], __: Step) -> Effects:
    return Effects(due=None)


def _t(name: str, zh: str, en: str, sources: str, target: str, **more: Any) -> Transition:
    more.setdefault("capability", Capability.CASEWORK)
    more.setdefault("rules", ("R13.3",))
    return Transition(name=name, zh=zh, en=en, sources=frozenset(sources.split()), target=target, **more)


# fmt: off
CONTRACT = Machine(
    mechanism="INVESTMENT_CONTRACT",
    zh="招商引资合同履约",
    en="Performance of an investment contract",
    series="QHHT",
    data_class="D41",
    details=ContractDetails,
    states=(
        State(name="IN_PERFORMANCE", zh="履行中", en="being performed"),
        State(name="BREACH_ALLEGED", zh="疑似违约", en="breach alleged: confidential"),
        State(name="PERFORMED", zh="已履行", en="performed"),
        State(name="ADJUDICATED", zh="裁判认定违约", en="breach adjudicated: a record"),
        State(name="TERMINATED", zh="已终止", en="ended otherwise"),
    ),
    initial="IN_PERFORMANCE",
    final=frozenset({"PERFORMED", "ADJUDICATED", "TERMINATED"}),
    transitions=(
        _t("perform", "履行", "an obligation was performed", "IN_PERFORMANCE", "IN_PERFORMANCE",
           requires=("obligation", "performed_on"), guard=_open, effect=_perform),
        _t("complete", "履行完毕", "all is performed", "IN_PERFORMANCE", "PERFORMED", guard=_all_performed, effect=_over),
        _t("allege", "提出违约", "allege a breach", "IN_PERFORMANCE", "BREACH_ALLEGED", requires=("reason",),
           effect=_allege),
        _t("dismiss", "撤销违约主张", "the allegation is given up", "BREACH_ALLEGED", "IN_PERFORMANCE",
           requires=("reason",), effect=_dismiss),
        _t("adjudicate", "裁判认定", "file an adjudicated breach", "BREACH_ALLEGED", "ADJUDICATED",
           capability=Capability.REVIEW, requires=("adjudicator", "document_number", "effective_on"), guard=_in_force,
           effect=_adjudicate),
        _t("terminate", "终止", "ended otherwise", "IN_PERFORMANCE BREACH_ALLEGED", "TERMINATED", requires=("reason",),
           effect=_over),
    ),
    ruleset=lambda day: "SEED-2019",
    rules=("R13.3",),
)
# fmt: on
MACHINES = (CONTRACT,)


async def register(work: Work, given: Mapping[str, Any]) -> Made:
    """Enter a contract with its obligations. Raises SubjectUnknown, BadUserInput, GuardRefused."""
    subject = await subject_of(work, given["subject"])
    if subject["kind"] == "NATURAL_PERSON":
        raise GuardRefused(reason="NATURAL_PERSON")
    obligations = tuple(
        Obligation(said(one["text"], "obligations", 1000), one["due_on"]) for one in given["obligations"]
    )
    parties = tuple(said(one, "parties", 200) for one in given["parties"])
    if not 1 <= len(obligations) <= MOST_OBLIGATIONS or not 2 <= len(parties) <= MOST_PARTIES:
        raise BadUserInput("A contract has two parties or more, and obligations.", argument="obligations")
    if given["signed_on"] > work.today or any(one.due_on < given["signed_on"] for one in obligations):
        raise BadUserInput("It was signed before its obligations fall due.", argument="signedOn")
    new = engine.NewCase(
        subject_id=subject["subject_id"],
        details=ContractDetails(
            contract_number=said(given["contract_number"], "contractNumber", 200),
            subject_code=subject["uscc"],
            parties=parties,
            signed_on=given["signed_on"],
            obligations=obligations,
        ),
        region_code=subject["region_code"],
        due=_next(obligations),
    )
    (case,) = await engine.open_cases(work.connection, CONTRACT, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def adjudicate(work: Work, given: Mapping[str, Any]) -> Made:
    """R13.3: only now does a breach become a record (D33), and it tells the judgment, not the contract."""
    case, _ = await engine.find(work.connection, CONTRACT, given["number"], work.actor)
    assert case.subject_id is not None
    document = said(given["document_number"], "documentNumber", 200)
    adjudicator = said(given["adjudicator"], "adjudicator", 200)
    publishable(f"{document}\n{adjudicator}", work.today)
    on: date = given["effective_on"]
    before = await filed_before(work.connection, case.subject_id, document, adjudicator, on)
    found = behaviour(BREACH, on)
    if found is None:
        raise GuardRefused(reason="BEHAVIOUR_UNKNOWN")
    record = str(uuid4())
    fact = established(
        Decision(
            record=record,
            subject_id=case.subject_id,
            case_number=case.number,
            authority_name=adjudicator,
            document_number=document,
            decided_on=on,
            conduct_ended_on=given.get("conduct_ended_on"),
            filed_on=work.today,
            title=found.zh,
        ),
        record_type=RECORD_TYPE,
        data_class="D33",
        seriousness=found.seriousness,
        catalog_item_code=CATALOGUE_ITEM,
        items=[("judgment", "裁判文书", document), ("adjudicator", "裁判机构", adjudicator)],
    )
    made = {
        **given, "document_number": document, "adjudicator": adjudicator, "record": opaque_id("r", record),
        "fact": fact, "filed_before": before,
    }  # fmt: skip
    return await take(work, CONTRACT, "adjudicate", made)


COMMANDS: dict[str, Command] = {
    "contract.register": register,
    "contract.adjudicate": adjudicate,
    **{
        f"contract.{name}": stepping(CONTRACT, name)
        for name in ("perform", "complete", "allege", "dismiss", "terminate")
    },
}
