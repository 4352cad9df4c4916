"""The demo partners as callers, and the compiled path run for them without HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from hub.errors import BadUserInput
from hub.query.binding import Request, Secrets
from hub.query.livekeys import codes
from hub.query.operations import Compiled, Operation, Operations
from hub.query.parameters import FromRows
from hub.query.plan import Constant, Ref, Selected, Variable
from hub.query.scopes import holding
from hub.rights.agreement import read_agreement
from hub.rights.explain import explanations, me
from hub.rights.matrix import Purpose
from hub.rights.openness import load_openness
from hub.rights.standing import Standing, Standings
from hub.rules.matrix import load_matrix
from hub.sandbox.tokens import DEMO_SUBJECT
from hub.serving.answers import _merged, limits_of
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
    return Operations(Secrets(CURSOR_KEY, lambda number: hmac_sm3(ID_KEY, number)))


@cache
def standing(partner: str, purpose: str, more: str = "") -> Standing:
    """A demo partner's standing for a purpose. `more`: TOML that its agreement gains."""
    text = files("hub.sandbox.agreements").joinpath(f"{partner}.toml").read_text("utf-8") + more
    agreement = read_agreement(text, load_matrix(), TODAY, vocabulary().coordinates)
    return standings().of(agreement, Purpose(purpose), TODAY)


@dataclass(frozen=True)
class Caller:
    """A partner that asks for a purpose."""

    standing: Standing
    incomplete: tuple[str, ...] = ("TAX", "FOREIGN_EXCHANGE")

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
            regions=agreement.regions,
            self_code=self.self_code,
            own_source=agreement.source,
            purpose=str(self.standing.purpose),
            incomplete=self.incomplete,
        )


def caller(partner: str, purpose: str, more: str = "") -> Caller:
    """A demo partner that asks for a purpose."""
    return Caller(standing(partner, purpose, more))


@dataclass(frozen=True)
class Answer:
    """What the compiled path gave, and what it asked of others on the way."""

    data: bytes
    disclosure: bytes
    subjects: Sequence[int]
    # The codes that live customs was asked about.
    questions: Sequence[str]
    # The fields that were asked, on the types that they may be asked of.
    coordinates: frozenset[str]
    brought: Mapping[tuple[str, str], Sequence[Row]] = field(default_factory=dict)


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
        questions = await self._questions(compiled, request)
        brought = {}
        for wanted in compiled.statement.rows if compiled.statement else ():
            rows = (
                [row for code in questions for row in self.live.get(code, ())]
                if wanted.name == "live:grade"
                else await self._rows(who, compiled, request, wanted)
            )
            request.rows[wanted] = orjson.dumps(rows)
            brought[wanted.name, wanted.key] = rows
        data, subjects = b"{}", ()
        if compiled.statement is not None:
            arguments = [bind(request) for bind in compiled.binders]
            row = await self.reader.row(compiled.statement.sql, arguments)
            data, subjects = row[0], row[1]
        if compiled.plan.introspection:
            data = _merged(operation, compiled, values, data)
        coordinates = frozenset(one.coordinate for one in compiled.plan.selected())
        return Answer(data, compiled.disclosure, subjects, questions, coordinates, brought)

    def ready(self, who: Caller, text: str, name: str | None = None) -> Operation:
        """The operation of a document in the caller's view."""
        at = who.standing
        return operations().ready(at.view, limits_of(at.limits), at.bulk, text, name)

    async def _questions(self, compiled: Compiled, request: Request) -> Sequence[str]:
        known = compiled.keys_of("CUSTOMS")
        if known is None:
            return ()
        statement, bound = known
        for wanted in statement.rows:
            request.rows[wanted] = b"[]"
            if wanted.name == "candidates":
                rows = await self._candidates(compiled, request, wanted)
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
                return me(who.standing, standings().matrix)
            case "candidates":
                return await self._candidates(compiled, request, wanted)
            case "explanations":
                return await self._explanations(who, _arguments(compiled, wanted, request.values), request)
        raise AssertionError(wanted.name)

    async def _explanations(self, who: Caller, given: Mapping[str, Any], request: Request) -> Sequence[Row]:
        at, holds = who.standing, None
        if given.get("purpose") is not None:
            at = standings().of(at.agreement, Purpose(given["purpose"]), TODAY)
        if given.get("subject") is not None:
            holds = await holding(self.reader, at, request, given["subject"])
            if holds is None:
                raise BadUserInput("No such subject.", argument="subject")
        return explanations(at, given["coordinate"], holds, at.purpose)

    async def _candidates(self, compiled: Compiled, request: Request, wanted: FromRows) -> Sequence[Row]:
        given = _arguments(compiled, wanted, request.values)
        return await candidates(self.reader, given["name"], given.get("region"), given["first"])


def _arguments(compiled: Compiled, wanted: FromRows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    root = next(one for one in compiled.plan.roots if isinstance(one, Selected) and one.key == wanted.key)
    return {name: _given(ref, values) for name, ref in root.arguments.items()}


def _given(ref: Ref, values: Mapping[str, Any]) -> Any:
    if isinstance(ref, Variable):
        return values[ref.path[0]]
    assert isinstance(ref, Constant)
    return ref.value
