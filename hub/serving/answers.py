"""The one path: a call becomes bytes, stage by stage; nothing reaches a caller any other way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import orjson
from graphql import OperationType

from hub.errors import (
    BadRequest,
    BadUserInput,
    BodyTooLarge,
    CommandForbidden,
    HubError,
    MatterRequired,
    MethodNotAllowed,
    PurposeNotAllowed,
)
from hub.ledger.chain import Disclosure, Ledger
from hub.query.binding import Request, kept_identifier
from hub.query.document import DocumentLimits, exceeded
from hub.query.operations import Compiled, Operation, Operations
from hub.query.parameters import PERSON_SCHEMES, FromRows
from hub.query.plan import Selected, Typename, Variable, value_of
from hub.query.scopes import alike, holding
from hub.query.statement import Statement
from hub.recent import Recent
from hub.rights.agreement import Agreement, Agreements, today_in
from hub.rights.explain import explanations, me
from hub.rights.identity import Caller, Tokens, bad_claims
from hub.rights.matrix import Purpose
from hub.rights.purpose import Declared, declare
from hub.rights.standing import Standing, Standings
from hub.rules.redactor import person_number_in
from hub.serving.live_facts import LiveFacts
from hub.serving.mutations import Commanding, Mutations
from hub.serving.quota import Charge, Quotas
from hub.sources.freshness import SourceStates
from hub.sources.live import LiveSources
from hub.store.merging import Merging
from hub.store.reader import Reader
from schema.governance import Capability, Shape

# Root fields that tell of one subject, or look for one.
_ONE_SUBJECT = frozenset({"node", "matchSubjects", "verifyCreditCheck"})

# Agreements have few different limits; those of documents are made from them once.
limits_of = lru_cache(maxsize=256)(DocumentLimits.of)


@dataclass(slots=True)
class Call:
    """A GraphQL request as any transport hands it in."""

    authorization: bytes | None
    purpose: str | None
    matter: str | None
    case: str | None
    view_as: str | None
    query: str
    operation_name: str | None
    variables: Mapping[str, Any]
    # The name of this request in the answer, in logs and in the ledger.
    request_id: str
    # GET: queries only.
    safe: bool = False
    # Under which a repetition of the same commands is answered and not done again.
    idempotency_key: str | None = None
    # Bytes of the body in which it came; a GET has none.
    body_bytes: int = 0


@dataclass(frozen=True)
class Parts:
    """What the path is made of; see hub.app."""

    clock: Callable[[], datetime]
    tokens: Tokens
    agreements: Agreements
    standings: Standings
    operations: Operations
    quotas: Quotas
    reader: Reader
    states: SourceStates
    live: LiveSources
    ledger: Ledger
    mutations: Mutations


@dataclass(slots=True)
class _Asking:
    """One call on its way."""

    caller: Caller
    standing: Standing
    # Whose quota is used.
    payer: Agreement
    declared: Declared
    now: datetime
    operation: Operation
    values: Mapping[str, Any]
    compiled: Compiled
    request: Request
    # What was taken off the payer's day; None: it asks about nobody.
    charge: Charge | None = None
    # Ids of subjects about which explanations were given.
    explained: list[int] = field(default_factory=list)

    def commanding(self, key: str | None) -> Commanding:
        """What the commands of this call need; `key`: its Idempotency-Key."""
        return Commanding(
            self.caller, self.standing, self.declared, self.operation, self.compiled, self.values,
            self.request, self.now, key,
        )  # fmt: skip


class Answers:
    """Answers calls."""

    def __init__(self, parts: Parts) -> None:
        """`parts`: see hub.app."""
        self._parts = parts
        self._merging = Merging(parts.reader)
        self._live = LiveFacts(parts.states, parts.live, parts.reader)
        # What holds for a call, by all that decides it.
        self._placings: Recent[tuple[object, ...], tuple[Standing, Declared, DocumentLimits]] = Recent(1024)

    async def answer(self, call: Call) -> bytes:
        """The response body for `call`. Raises a HubError of the stage that refuses it.

        What is disclosed is in the ledger before the bytes are returned, also what a refused command tells of the
        subjects that it looked up. An error that comes after commands took effect says so in its extensions:
        `committed`.
        """
        parts = self._parts
        now = parts.clock()
        caller = parts.tokens.verify(call.authorization, now.timestamp())
        asking = None
        try:
            asking = self._asking(call, caller, now)
            if asking.operation.node.operation is not OperationType.MUTATION:
                return await self._told(asking, call.request_id)
            if call.view_as is not None:
                raise CommandForbidden("Through another partner's eyes nothing can be done.")
            await self._done(asking.commanding(call.idempotency_key), asking, call.request_id)
            try:
                return await self._told(asking, call.request_id)
            except HubError as error:
                error.extensions["committed"] = True
                raise
            except Exception as error:
                raise HubError(committed=True) from error
        except Exception as error:
            refused = isinstance(error, HubError) and error.status < 500
            if not refused and asking is not None and asking.charge is not None:
                # It was told of nobody: else whoever asks again, as it shall, uses up its day while the store is away.
                parts.quotas.give_back(asking.charge)
            if isinstance(error, HubError):
                error.partner = caller.partner
            raise

    def _asking(self, call: Call, caller: Caller, now: datetime) -> _Asking:
        parts = self._parts
        standing, declared, limits = self.placed(call, caller, now)
        # Whoever looks through another's eyes uses up its own quota.
        payer = standing.agreement
        if call.view_as is not None:
            payer = parts.agreements.get(caller.partner, today_in(now))
        parts.quotas.admit(payer)
        if call.body_bytes > standing.limits.body_bytes:
            raise BodyTooLarge(maximum=standing.limits.body_bytes)
        operation = parts.operations.ready(
            standing.view, limits, standing.bulk, call.query, call.operation_name
        )
        if operation.node.operation is not OperationType.QUERY and call.safe:
            raise MethodNotAllowed("GET is for queries.")
        values = operation.variables.coerce(call.variables)
        compiled = operation.compiled(values)
        request = self._request(caller, standing, now, values)
        asking = _Asking(caller, standing, payer, declared, now, operation, values, compiled, request)
        self._charge(asking, call.safe)
        return asking

    async def _done(self, commanding: Commanding, asking: _Asking, request_id: str) -> None:
        """Do the commands. A refusal says what stands against a subject, so it is recorded as an answer is."""
        try:
            await self._parts.mutations.run(commanding)
        except HubError as refusal:
            # A failure of the hub's own tells of nobody.
            if commanding.seen and refusal.status < 500:
                await self._record(asking, request_id, sorted(commanding.seen))
            raise

    async def _told(self, asking: _Asking, request_id: str) -> bytes:
        """Read what is asked, record it, and give the response body."""
        compiled = asking.compiled
        try:
            data, subjects, sources = await self._read(asking)
        except HubError as refusal:
            # What is refused after an explanation tells that there is such a subject.
            if asking.explained and refusal.status < 500:
                await self._record(asking, request_id, asking.explained)
            raise
        if compiled.plan.introspection:
            data = _merged(asking.operation, compiled, asking.values, data)
        if asking.explained:
            subjects = [*subjects, *asking.explained]
        await self._record(
            asking, request_id, list(dict.fromkeys(subjects)) if len(subjects) > 1 else subjects, sources
        )
        told = b',"sources":' + orjson.dumps(sources) if sources else b""
        return b'{"data":%b,"extensions":{"requestId":"%b"%b%b}}' % (
            data, request_id.encode(), compiled.disclosure, told,
        )  # fmt: skip

    async def _read(self, asking: _Asking) -> tuple[bytes, Sequence[int], list[Mapping[str, Any]]]:
        """The data, the ids of the subjects that it tells of, and how the live sources did."""
        statement = asking.compiled.statement
        if statement is None:
            return b"{}", (), []
        sources = await self._bring(asking) if statement.rows else []
        # Not before: an answer that waits for a source that hangs is not about to be recorded, and nobody shall wait for it.
        with self._parts.ledger.coming:
            row = await self._row(statement, [bind(asking.request) for bind in asking.compiled.binders])
        return row[0], row[1], sources

    def _record(
        self, asking: _Asking, request_id: str, subjects: Sequence[int], sources: Sequence[object] = ()
    ) -> Awaitable[None]:
        """Record what is about to leave; LedgerUnavailable: it must not."""
        caller, declared, seen = asking.caller, asking.declared, asking.standing
        own = seen.agreement is asking.payer and seen.purpose == declared.purpose
        return self._parts.ledger.record(
            Disclosure(
                at=asking.now.timestamp(),
                request_id=request_id,
                partner=caller.partner,
                officer=caller.officer,
                token_id=caller.token_id,
                purpose=str(declared.purpose),
                matter=declared.matter,
                case=declared.case,
                view=seen.view.digest,
                operation=asking.operation.digest,
                subjects=subjects,
                classes=asking.compiled.classes,
                sources=sources or None,
                at_most=asking.compiled.at_most,
                view_as=None if own else f"{seen.agreement.partner}/{seen.purpose}",
            )
        )

    def _row(self, statement: Statement, arguments: Sequence[Any]) -> Awaitable[Any]:
        if not statement.merged_sql:
            return self._parts.reader.row(statement.sql, arguments, statement.anew)
        return self._merging.row(statement.sql, statement.merged_sql, statement.merged_key, arguments)

    def placed(self, call: Call, caller: Caller, now: datetime) -> tuple[Standing, Declared, DocumentLimits]:
        """The caller's standing, what it declared, and the limits of its documents; made once for what decides them."""
        today = today_in(now)
        agreement = self._parts.agreements.get(caller.partner, today)
        standings = self._parts.standings
        if (
            caller.subject is not None
            and not standings.matrix.partners[agreement.partner_class].speaks_for_subjects
        ):
            raise bad_claims()
        key = (agreement.digest, today, call.purpose, caller.purpose, call.matter, call.case)
        found = self._placings.get(key)
        if found is None:
            _without_persons(call)
            declared = declare(
                standings.matrix, agreement, call.purpose, caller.purpose, call.matter, call.case
            )
            standing = standings.of(agreement, declared.purpose, today)
            found = self._placings.put(key, (standing, declared, limits_of(standing.limits)))
        if call.view_as is None:
            return found
        return self._seen_as(found[0], call.view_as, now), found[1], found[2]

    def _seen_as(self, standing: Standing, view_as: str, now: datetime) -> Standing:
        """Another partner's eyes, for auditors: `partner` or `partner/PURPOSE`."""
        if Capability.VIEW_AS not in standing.view.capabilities:
            raise CommandForbidden(
                "Hub-View-As is for auditors: this agreement lets nobody view as another partner."
            )
        partner, _, purpose = view_as.partition("/")
        today = today_in(now)
        other = self._parts.agreements.get(partner, today)
        if purpose and purpose not in {str(one) for one in other.purposes}:
            raise PurposeNotAllowed(purposes=[str(one) for one in other.purposes])
        chosen = Purpose(purpose) if purpose else other.purposes[0]
        return self._parts.standings.seen_as(standing, self._parts.standings.of(other, chosen, today))

    def _request(
        self, caller: Caller, standing: Standing, now: datetime, values: Mapping[str, Any]
    ) -> Request:
        agreement = standing.agreement
        unvouched, by_source = self._parts.states.unvouched
        return Request(
            values=values,
            view_digest=standing.view.digest,
            today=today_in(now),
            now=now,
            partner=agreement.partner,
            partner_class=str(agreement.partner_class),
            regions=agreement.regions,
            self_code=caller.subject,
            own_source=agreement.source,
            purpose=str(standing.purpose),
            unvouched=unvouched,
            unvouched_by_source=by_source,
        )

    def _charge(self, asking: _Asking, safe: bool) -> None:
        """Count the subjects that are asked about by name, id or code; natural persons have rules of their own."""
        asked = bulk = 0
        for root in asking.compiled.plan.roots:
            if isinstance(root, Selected):
                if root.name == "subject":
                    asked += 1
                    if value_of(root.arguments["scheme"], asking.values) in PERSON_SCHEMES:
                        self._admit_person(asking, root, safe)
                elif root.rule.shape is Shape.COMMAND and "subject" in root.arguments:
                    asked += 1
                elif root.rule.shape is Shape.COMMAND and "subjects" in root.arguments:
                    asked += len(value_of(root.arguments["subjects"], asking.values))
                elif root.name == "subjects":
                    codes = len(value_of(root.arguments["codes"], asking.values))
                    asked, bulk = asked + codes, bulk + codes
                elif root.name in _ONE_SUBJECT or "subject" in root.arguments:
                    asked += 1
        # Each list has been held against it; several in one request are no way around.
        if bulk > asking.standing.bulk:
            raise exceeded("bulk", asking.standing.bulk)
        if asked:
            asking.charge = self._parts.quotas.charge(asking.payer, asked)

    def _admit_person(self, asking: _Asking, root: Selected, safe: bool) -> None:
        """A person's number comes in a variable of a POST, never in an address or a document, and for a case (PIPL 28)."""
        said = root.arguments["value"]
        # A variable's default stands in the document, which is remembered, and of which the ledger keeps the digest.
        if safe or not isinstance(said, Variable) or said.path[0] in asking.operation.variables.defaults:
            raise BadUserInput("A person's number is given as a variable of a POST.", argument="value")
        if asking.declared.case is None:
            raise MatterRequired("Looking for a natural person needs a case number in the header Hub-Case.")
        scheme, value = (value_of(root.arguments[name], asking.values) for name in ("scheme", "value"))
        key = kept_identifier(scheme, value, asking.operation.secrets)
        self._parts.quotas.admit_person(asking.caller, key)

    async def _bring(self, asking: _Asking) -> list[Mapping[str, Any]]:
        """Bring along the rows that the statement wants; tells how the live sources did."""
        assert asking.compiled.statement is not None
        rows = asking.request.rows
        sources: list[Mapping[str, Any]] = []
        wants = asking.compiled.statement.rows
        if any(wanted.name.startswith("live:") for wanted in wants):
            bring = partial(self._rows, asking)
            told = await self._live.of(asking.compiled, asking.standing.view, asking.request, bring)
            rows |= {FromRows(name, ""): orjson.dumps(found) for name, found in told.rows.items()}
            sources += told.sources
        for wanted in wants:
            if wanted not in rows:
                rows[wanted] = orjson.dumps(await self._rows(asking, wanted))
        return sources

    async def _rows(self, asking: _Asking, wanted: FromRows) -> list[dict[str, Any]]:
        parts, standing = self._parts, asking.standing
        match wanted.name:
            case "sources":
                return parts.states.rows(standing.view)
            case "me":
                payer = asking.payer
                return me(standing, parts.standings.matrix, payer, parts.quotas.left(payer))
            case "candidates":
                # Loads the libraries of characters and of likeness, which few callers ever need.
                from hub.sources.matching import candidates

                given = self._arguments(asking, wanted)
                search = partial(alike, parts.reader, standing, asking.request)
                return await candidates(search, given["name"], given.get("region"), given["first"])
            case "explanations":
                return await self._explained(asking, self._arguments(asking, wanted))
        field = self._field(asking, wanted)
        return await parts.mutations.read(
            parts.reader, wanted.name, field, asking.values, standing, asking.request
        )

    def _field(self, asking: _Asking, wanted: FromRows) -> Selected:
        return next(
            root
            for root in asking.compiled.plan.roots
            if not isinstance(root, Typename) and root.key == wanted.key
        )

    def _arguments(self, asking: _Asking, wanted: FromRows) -> dict[str, Any]:
        field = self._field(asking, wanted)
        return {name: value_of(ref, asking.values) for name, ref in field.arguments.items()}

    async def _explained(self, asking: _Asking, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        standing = asking.standing
        if given.get("purpose") is not None:
            purpose = Purpose(given["purpose"])
            if purpose not in standing.agreement.purposes:
                raise PurposeNotAllowed(purposes=[str(one) for one in standing.agreement.purposes])
            standings, today = self._parts.standings, asking.request.today
            other = standings.of(standing.agreement, purpose, today)
            if asking.payer is standing.agreement:
                standing = other
            else:
                own = standings.of(asking.payer, asking.declared.purpose, today)
                standing = standings.seen_as(own, other)
        holds = None
        if given.get("subject") is not None:
            found = await holding(self._parts.reader, standing, asking.request, given["subject"])
            if found is None:
                raise BadUserInput("No such subject.", argument="subject")
            subject, holds = found
            asking.explained.append(subject)
        return explanations(standing, given["coordinate"], holds, standing.purpose)


def _without_persons(call: Call) -> None:
    """What a request is declared for is kept in the ledger for good, so no person's number stands in it (D3)."""
    for header, said in (("Hub-Matter", call.matter), ("Hub-Case", call.case)):
        if said is not None and person_number_in(said.encode()):
            raise BadRequest(f"The header {header} holds what must be taken for a number of a person.")


def _merged(operation: Operation, compiled: Compiled, values: Mapping[str, Any], data: bytes) -> bytes:
    """Data and introspection in the order of the document."""
    found = orjson.loads(data) | operation.introspection(compiled.plan, values)
    return orjson.dumps({key: found.get(key) for key in compiled.order})
