"""The demo partners as callers, and the compiled path run for them without HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from typing import Any

import orjson

from hub.errors import BadUserInput
from hub.query.binding import Request, Secrets
from hub.query.live_tables import LIVE, Want, codes
from hub.query.operations import Compiled, Operation, Operations
from hub.query.parameters import FromRows, Seal
from hub.query.plan import Constant, Ref, Selected, Variable
from hub.query.scopes import alike, holding
from hub.rights.agreement import read_agreement
from hub.rights.explain import explanations, me
from hub.rights.matrix import Purpose
from hub.rights.openness import load_openness
from hub.rights.standing import Standing, Standings
from hub.rules.matrix import load_matrix
from hub.sandbox.tokens import DEMO_SUBJECT
from hub.serving.answers import _merged, limits_of
from hub.sources.discovery import discover
from hub.sources.freshness import unvouched
from hub.sources.matching import candidates
from hub.store.reader import Reader
from schema.coordinates import vocabulary
from schema.persons import hmac_sm3
from tests.reference.rights import Asker
from tests.worlds import ID_KEY, NOW, TODAY, Row

# Partner and purpose: all twelve partner classes, and purposes that differ in what they open.
PAIRS = (
    ("commerce", "ADMINISTRATIVE_LICENSING"),
    ("commerce", "ONGOING_SUPERVISION"),
    ("commerce-xining", "ONGOING_SUPERVISION"),
    ("reform", "ONGOING_SUPERVISION"),
    ("customs", "JOINT_PUNISHMENT"),
    ("tax", "ONGOING_SUPERVISION"),
    ("forex", "NOTIFICATION"),
    ("procurement", "JOINT_PUNISHMENT"),
    ("chamber", "MEMBER_ARCHIVE"),
    ("mall", "MERCHANT_ADMISSION"),
    ("subject", "OBJECTION_HANDLING"),
    ("public", "PUBLIC_QUERY"),
    ("auditor", "AUDIT"),
)
CURSOR_KEY = b"tests-of-cursors"
SOURCES: tuple[Row, ...] = (
    {
        "ord": 0, "source": "COMMERCE", "title": "商务", "status": "OK", "as_of": NOW, "live": False,
        "expected_update_cycle": "DAILY",
    },
    {
        "ord": 1, "source": "CUSTOMS", "title": "海关", "status": "STALE", "as_of": None, "live": True,
        "expected_update_cycle": "REALTIME",
    },
)  # fmt: skip


@cache
def standings() -> Standings:
    """The maker of views of these tests."""
    return Standings(vocabulary(), load_matrix(), load_openness())


@cache
def operations() -> Operations:
    """The operations of these tests, kept as a hub keeps them."""
    return Operations(Secrets(CURSOR_KEY, lambda number: hmac_sm3(ID_KEY, number), ID_KEY))


@cache
def standing(partner: str, purpose: str, change: Callable[[str], str] = str) -> Standing:
    """A demo partner's standing for a purpose. `change`: what is done to the text of its agreement first."""
    text = files("hub.sandbox.agreements").joinpath(f"{partner}.toml").read_text("utf-8")
    agreement = read_agreement(change(text), load_matrix(), TODAY, vocabulary().coordinates)
    return standings().of(agreement, Purpose(purpose), TODAY)


def in_a_region(text: str) -> str:
    """The agreement bound to a region that its class does not need."""
    return text.replace("[data]", 'regions = ["6301"]\n\n[data]', 1)


def masked_only(text: str) -> str:
    """The agreement that gives nothing in full, ended records included, and some classes by yes or no alone."""
    text = text.replace('= "FULL"', '= "MASKED"')
    return re.sub(r'^(D10|D13|D17|D24) += "MASKED"', r'\1 = "YES_NO"', text, flags=re.MULTILINE)


def half_masked(text: str) -> str:
    """The agreement with some classes of a type masked and others in full, and some coordinates hidden."""
    text = re.sub(r'^(D6|D12|D16|D20|D33) += "FULL"', r'\1 = "MASKED"', text, flags=re.MULTILINE)
    hidden = (
        "Organization.contact",
        "CreditRecord.title",
        "Query.node",
        "Query.records(filter:)",
        "RecordFilter.kinds",
    )
    return f"{text}\n[coordinates]\nhide = {json.dumps(hidden)}\n"


def half_blind(text: str) -> str:
    """The agreement that hides what rows are chosen by, and all that pages and lists are in order of."""
    hidden = (
        "AdministrativePenalty.fineAmount",
        "CreditArchive.archiveType",
        "CreditRecord.decidedOn",
        "CreditRecord.seriousness",
        "ExternalGrade.scheme",
        "ListEntry.recognizedOn",
        "Provenance.source",
        "PublicAnomaly.enteredOn",
    )
    return f"{text}\n[coordinates]\nhide = {json.dumps(hidden)}\n"


DECLARED = {name: module.SOURCE for name, module in discover().items()}


@dataclass(frozen=True)
class Caller:
    """A partner that asks for a purpose."""

    standing: Standing
    incomplete: tuple[str, ...] = ("MARKET_REGULATION", "FOREIGN_EXCHANGE", "TAX")

    @property
    def self_code(self) -> str | None:
        """The code of the subject that the token names."""
        return DEMO_SUBJECT if self.standing.agreement.partner_class == "P10" else None

    def asker(self) -> Asker:
        """The caller as the reference knows it."""
        agreement = self.standing.agreement
        return Asker(
            view=self.standing.view,
            partner=agreement.partner,
            partner_class=str(agreement.partner_class),
            regions=agreement.regions,
            self_code=self.self_code,
            own_source=agreement.source,
            purpose=str(self.standing.purpose),
            today=TODAY,
            now=NOW,
            incomplete=self.incomplete,
        )

    def request(self, values: Mapping[str, Any]) -> Request:
        """The caller's request with coerced variables."""
        agreement = self.standing.agreement
        return Request(
            values=values,
            view_digest=self.standing.view.digest,
            today=TODAY,
            now=NOW,
            partner=agreement.partner,
            partner_class=str(agreement.partner_class),
            regions=agreement.regions,
            self_code=self.self_code,
            own_source=agreement.source,
            purpose=str(self.standing.purpose),
            unvouched=unvouched(DECLARED, self.incomplete).classes,
            unvouched_by_source=unvouched(DECLARED, self.incomplete).by_source,
        )


def caller(partner: str, purpose: str, change: Callable[[str], str] = str) -> Caller:
    """A demo partner that asks for a purpose."""
    return Caller(standing(partner, purpose, change))


def auditor_as(partner: str, purpose: str) -> Caller:
    """The auditor, looking through the eyes of another partner."""
    return Caller(standings().seen_as(standing("auditor", "AUDIT"), standing(partner, purpose)))


# All callers of the properties, by name.
CALLERS: Mapping[str, Callable[[], Caller]] = {
    **{f"{partner} {purpose}": partial(caller, partner, purpose) for partner, purpose in PAIRS},
    "reform in a region": partial(caller, "reform", "ONGOING_SUPERVISION", in_a_region),
    "auditor masked": partial(caller, "auditor", "AUDIT", masked_only),
    "xining half masked": partial(caller, "commerce-xining", "ONGOING_SUPERVISION", half_masked),
    "tax half masked": partial(caller, "tax", "JOINT_PUNISHMENT", half_masked),
    "mall half blind": partial(caller, "mall", "MERCHANT_ADMISSION", half_blind),
    "reform half blind": partial(caller, "reform", "ONGOING_SUPERVISION", half_blind),
    "auditor as mall": partial(auditor_as, "mall", "MERCHANT_ADMISSION"),
    "auditor as customs": partial(auditor_as, "customs", "JOINT_PUNISHMENT"),
}
# Those of every test run: each pair, and of the narrowed ones one of a kind. The others have their turn in `make soak`.
USUAL_CALLERS = [
    *(f"{partner} {purpose}" for partner, purpose in PAIRS),
    *("xining half masked", "reform half blind", "auditor as mall"),
]


@dataclass(frozen=True)
class Answer:
    """What the compiled path gave, and what it asked of others on the way."""

    data: bytes
    disclosure: bytes
    subjects: Sequence[int]
    # What live customs was asked for, and the codes that it was asked about.
    questions: Sequence[tuple[str, str]]
    # The fields that were asked, on the types that they may be asked of.
    coordinates: frozenset[str]
    # Rows that the hub brought along, before the statement let through what the caller is shown.
    brought: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict, compare=False)
    # The keys that its cursors are sealed with.
    seals: Sequence[bytes] = field(default=(), compare=False)


@dataclass(frozen=True)
class Path:
    """The compiled path over one store."""

    reader: Reader
    live: Mapping[str, Sequence[Row]]

    async def answer(
        self, who: Caller, text: str, variables: Mapping[str, Any] | None = None, name: str | None = None
    ) -> Answer:
        """The answer to a document, stage by stage as hub.serving.answers has them, but for token, quota and ledger."""
        operation = self.ready(who, text, name)
        values = operation.variables.coerce(variables or {})
        compiled = operation.compiled(values)
        request = who.request(values)
        questions = await self._questions(who, compiled, request)
        brought = {}
        for wanted in compiled.statement.rows if compiled.statement else ():
            rows = (
                self._live(wanted.name, questions)
                if wanted.name.startswith("live:")
                else await self._rows(who, compiled, request, wanted)
            )
            request.rows[wanted] = orjson.dumps(rows)
            brought[wanted.name, wanted.key] = rows
        data, subjects, seals = b"{}", (), []
        if compiled.statement is not None:
            arguments = [bind(request) for bind in compiled.binders]
            row = await self.reader.row(compiled.statement.sql, arguments)
            data, subjects = row[0], row[1]
            told = zip(compiled.statement.parameters, arguments, strict=True)
            seals = [value for source, value in told if isinstance(source, Seal)]
        if compiled.plan.introspection:
            data = _merged(operation, compiled, values, data)
        coordinates = frozenset(one.coordinate for one in compiled.plan.selected())
        return Answer(data, compiled.disclosure, subjects, questions, coordinates, brought, seals)

    def ready(self, who: Caller, text: str, name: str | None = None) -> Operation:
        """The operation of a document in the caller's view."""
        at = who.standing
        return operations().ready(at.view, limits_of(at.limits), at.bulk, text, name)

    def _live(self, name: str, questions: Sequence[tuple[str, str]]) -> Sequence[Any]:
        """What customs says to the questions, as hub.serving.live_facts names it."""
        for table, live in LIVE.items():
            asked = [code for key, code in questions if key == Want("CUSTOMS", live.target).key]
            if name == live.rows:
                return [r for code in asked for r in self.live.get(code, ()) if r["relation"] == table]
            if name == live.answered:
                return [code for code in asked if code in self.live]
        raise AssertionError(name)

    async def _questions(
        self, who: Caller, compiled: Compiled, request: Request
    ) -> Sequence[tuple[str, str]]:
        known = compiled.keys_of(tuple(Want("CUSTOMS", live.target) for live in LIVE.values()))
        if known is None:
            return ()
        statement, bound = known
        for wanted in statement.rows:
            request.rows[wanted] = b"[]"
            if wanted.name == "candidates":
                rows = await self._candidates(who, compiled, request, wanted)
                request.rows[wanted] = orjson.dumps(rows)
        row = await self.reader.row(statement.sql, [bind(request) for bind in bound])
        return sorted(set(codes(orjson.loads(row[0]))))

    async def _rows(
        self, who: Caller, compiled: Compiled, request: Request, wanted: FromRows
    ) -> Sequence[Row]:
        match wanted.name:
            case "sources":
                return SOURCES
            case "me":
                agreement = who.standing.agreement
                return me(who.standing, standings().matrix, agreement, agreement.quota.subjects_per_day)
            case "candidates":
                return await self._candidates(who, compiled, request, wanted)
            case "explanations":
                return await self._explanations(who, _arguments(compiled, wanted, request.values), request)
        raise AssertionError(wanted.name)

    async def _explanations(self, who: Caller, given: Mapping[str, Any], request: Request) -> Sequence[Row]:
        at, holds = who.standing, None
        if given.get("purpose") is not None:
            at = standings().of(at.agreement, Purpose(given["purpose"]), TODAY)
        if given.get("subject") is not None:
            found = await holding(self.reader, at, request, given["subject"])
            if found is None:
                raise BadUserInput("No such subject.", argument="subject")
            holds = found[1]
        return explanations(at, given["coordinate"], holds, at.purpose)

    async def _candidates(
        self, who: Caller, compiled: Compiled, request: Request, wanted: FromRows
    ) -> Sequence[Row]:
        given = _arguments(compiled, wanted, request.values)
        search = partial(alike, self.reader, who.standing, request)
        return await candidates(search, given["name"], given.get("region"), given["first"])


def _arguments(compiled: Compiled, wanted: FromRows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    root = next(one for one in compiled.plan.roots if isinstance(one, Selected) and one.key == wanted.key)
    return {name: _given(ref, values) for name, ref in root.arguments.items()}


def _given(ref: Ref, values: Mapping[str, Any]) -> Any:
    if isinstance(ref, Variable):
        return values[ref.path[0]]
    assert isinstance(ref, Constant)
    return ref.value
