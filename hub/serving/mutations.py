"""Commands of a request: done once, together, in one transaction; the payload is then read by the one path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson

from hub.casework.machine import Actor
from hub.casework.redeem import DomesticPlatform
from hub.casework.registry import Registry
from hub.casework.subjects import beyond
from hub.casework.work import Look, Made, SourceState, Work, calendar_for
from hub.errors import (
    BadUserInput,
    CaseUnknown,
    CommandForbidden,
    HubError,
    IdempotencyConflict,
    StoreUnavailable,
)
from hub.query.access import Access, Row
from hub.query.binding import Request, Secrets
from hub.query.ids import OPAQUE
from hub.query.operations import Compiled, Operation
from hub.query.parameters import FromRef, FromRows, Parameters
from hub.query.plan import Constant, Selected, value_of
from hub.query.relations import TABLES
from hub.rights.identity import Caller
from hub.rights.purpose import Declared
from hub.rights.standing import Standing
from hub.rules.redactor import RESIDENT_ID, SHORTEST_NUMBER, TextTooLong, screen
from hub.serving.own_ids import as_stored
from hub.sources.freshness import SourceStates
from hub.store.database import NOT_ANSWERED, lent
from hub.store.reader import Reader
from hub.store.writing import one_at_a_time
from schema.governance import Parameter

# As a caller may send it: short and printable.
_KEY = re.compile(r"[\x21-\x7e]{1,64}", re.ASCII)
_CAPITAL = re.compile(r"([A-Z])")
_KNOWN = "SELECT digest, outcome FROM idempotency WHERE partner = $1 AND key = $2"
_KEEP = "INSERT INTO idempotency (partner, key, digest, outcome, at) VALUES ($1, $2, $3, $4::jsonb, $5)"
# Seconds a request waits for a connection to write with.
WAIT_SECONDS = 0.5
_NOT_SHOWN = "This caller may not see what it would do; so it may not do it."
_AWAY = (
    *NOT_ANSWERED,
    OSError,
    asyncpg.InsufficientResourcesError,
    # Again two transactions that wait for each other.
    asyncpg.TransactionRollbackError,
)


@dataclass(frozen=True)
class Commanding:
    """A request with commands, admitted and compiled."""

    caller: Caller
    standing: Standing
    declared: Declared
    operation: Operation
    compiled: Compiled
    values: Mapping[str, Any]
    request: Request
    now: datetime
    # The caller's Idempotency-Key, if it gave one.
    key: str | None
    # Ids of the subjects that the commands have looked up, also when they are refused then.
    seen: set[int] = field(default_factory=set)


class Mutations:
    """Does the commands of requests."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        registry: Registry,
        secrets: Secrets,
        states: SourceStates,
        policy_version: str,
        domestic: DomesticPlatform | None = None,
        *,
        timeout: float,
    ) -> None:
        """`pool`: connections as the writing role; `policy_version` goes into frozen evidence.

        `timeout`: seconds for all that the commands of a request do.
        """
        self._pool = pool
        self._registry = registry
        self._secrets = secrets
        self._states = states
        self._policy_version = policy_version
        self._domestic = domestic
        self._timeout = timeout

    async def read(
        self,
        reader: Reader,
        name: str,
        field: Selected,
        values: Mapping[str, Any],
        standing: Standing,
        request: Request,
    ) -> list[dict[str, Any]]:
        """The rows with which casework answers the query `field` that asks for `name`."""
        said = {name: value_of(ref, values) for name, ref in field.arguments.items()}
        declared = standing.view.schema.query_type.fields[field.name].args  # type: ignore[union-attr]
        key = self._secrets.id_key(request.partner_class)
        told = named(await as_stored(reader.rows, declared, said, key))
        if name in self._registry.viewings:
            look = Look(read=reader.rows, view=standing.view, request=request, secrets=self._secrets)
            return await self._registry.viewings[name](look, told)
        return await self._registry.readings[name](reader.rows, told, request.now)

    async def run(self, asked: Commanding) -> None:
        """Do the commands and put what they made into the request, for its statement to read.

        All of a request's commands take effect or none. With a known Idempotency-Key nothing is done again.
        Raises IdempotencyConflict, StoreUnavailable and the refusals of the commands.
        """
        if asked.key is not None and not _KEY.fullmatch(asked.key):
            raise BadUserInput("An Idempotency-Key has 1 to 64 printable ASCII characters without a blank.")
        try:
            try:
                made = await self._attempt(asked)
            except asyncpg.TransactionRollbackError:
                # Of two transactions that waited for each other the store ends one: nothing of it was done, and the other
                # goes on.
                made = await self._attempt(asked)
        except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError):
            raise BadUserInput("A value holds a character that the store cannot keep.") from None
        except _AWAY as error:
            raise StoreUnavailable from error
        for key, one in made.items():
            asked.request.made[key] = one.ids
            rows = [{"ord": number, **row} for number, row in enumerate(one.rows)]
            asked.request.rows[FromRows("command", key)] = orjson.dumps(rows)

    async def _attempt(self, asked: Commanding) -> dict[str, Made]:
        async with (
            lent(self._pool, self._timeout, WAIT_SECONDS) as connection,
            connection.transaction(),
        ):
            return await self._once(asked, connection)

    async def _once(self, asked: Commanding, connection: asyncpg.Connection) -> dict[str, Made]:
        if asked.key is None:
            return await self._all(asked, connection)
        partner = asked.standing.agreement.partner
        # Subjects that ask for themselves come through one partner; each has keys of its own.
        key = f"{asked.caller.subject}/{asked.key}" if asked.caller.subject is not None else asked.key
        digest = _digest(asked)
        await one_at_a_time(connection, f"{partner}/{key}")
        known = await connection.fetchrow(_KNOWN, partner, key)
        if known is not None:
            if known["digest"] != digest:
                raise IdempotencyConflict
            return {
                key: Made(tuple(one["ids"]), tuple(one["rows"]))
                for key, one in orjson.loads(known["outcome"]).items()
            }
        made = await self._all(asked, connection)
        if any(one.transient for one in made.values()):
            return made
        outcome = orjson.dumps({key: asdict(one) for key, one in made.items()}).decode()
        await connection.execute(_KEEP, partner, key, digest, outcome, asked.now)
        return made

    async def _all(self, asked: Commanding, connection: asyncpg.Connection) -> dict[str, Made]:
        async def find(sql: str, values: Sequence[Any]) -> Sequence[Any]:
            rows: Sequence[Any] = await connection.fetch(sql, *values)
            return rows

        work = await self._work(asked, connection)
        key = self._secrets.id_key(asked.request.partner_class)
        made = {}
        for root in asked.compiled.plan.roots:
            if isinstance(root, Selected):
                with _told_of(root):
                    said = {name: value_of(ref, asked.values) for name, ref in root.arguments.items()}
                    _finite(said)
                    declared = asked.standing.view.schema.mutation_type.fields[root.name].args  # type: ignore[union-attr]
                    arguments = named(await as_stored(find, declared, said, key))
                    await self._known(work, arguments)
                    await self._may_open(work, root, arguments)
                    try:
                        one = await self._registry.commands[root.rule.target](work, arguments)
                    except TextTooLong as error:
                        # A guard screens what becomes public.
                        raise BadUserInput(f"{error}.") from None
                    await self._shown(work, root, one)
                    self._without_persons(work, root, said)
                made[root.key] = one
        return made

    async def _known(self, work: Work, arguments: Mapping[str, Any]) -> None:
        """A case that the caller is not shown is none, whatever part it has in it: no state and no guard tells of it."""
        number, known = arguments.get("number"), work.view.vocabulary
        if not isinstance(number, str):
            return
        parameters, is_id = Parameters(), OPAQUE.fullmatch(number)
        said = parameters.bind(
            FromRef(Constant(number[1:] if is_id else number)), "uuid" if is_id else "text"
        )
        shown = Access(work.view, parameters).visible(
            Row("t", TABLES["case_file"]), known.classes_of("case_file")
        )
        key = "public_id" if is_id else "number"
        sql = f"SELECT t.subject_id FROM case_file t WHERE t.{key} = {said} AND {shown}"  # noqa: S608 -- placeholders only
        if not await work.rows(sql, parameters):
            raise CaseUnknown

    async def _may_open(self, work: Work, root: Selected, arguments: Mapping[str, Any]) -> None:
        """Who would not be shown a case about the subject is told so, before a guard tells what it read of that subject."""
        known = work.view.vocabulary
        entities = [known.entities[one] for one in known.possible(root.type_name)]
        code = arguments.get("subject")
        # A step in a case that it is shown names a firm without opening a case about it, as a training does its guests.
        if not isinstance(code, str) or "number" in arguments:
            return
        if any(one.relation != "case_file" for one in entities):
            return
        if await beyond(work, tuple(c for one in entities for c in one.row_classes), [code]):
            raise CommandForbidden(_NOT_SHOWN)

    async def _shown(self, work: Work, root: Selected, made: Made) -> None:
        """Nobody makes or moves a case that it may not see: outside its region, or for another purpose."""
        known = work.view.vocabulary
        entities = [known.entities[one] for one in known.possible(root.type_name)]
        if all(one.relation == "case_file" for one in entities):
            ids, classes = set(made.ids), tuple(c for one in entities for c in one.row_classes)
        else:
            # Of a batch the rows name the cases.
            told = (row.get("case_public_id") for row in made.rows)
            ids, classes = {one for one in told if one is not None}, known.classes_of("case_file")
        if not ids:
            return
        parameters = Parameters()
        named = parameters.bind(FromRef(Constant(list(ids))), "uuid[]")
        shown = Access(work.view, parameters).visible(Row("t", TABLES["case_file"]), classes)
        sql = f"SELECT 1 FROM case_file t WHERE t.public_id = ANY ({named}) AND {shown}"  # noqa: S608 -- placeholders only
        if len(await work.rows(sql, parameters)) < len(ids):
            raise CommandForbidden(_NOT_SHOWN)

    def _without_persons(self, work: Work, root: Selected, said: Mapping[str, Any]) -> None:
        """Nothing that a command keeps holds a number of a person (D3), but where its mechanism screens it itself.

        Not in a case, nor in a fact, nor in what is kept for its repetition. Asked after the command, whose own refusal is
        told first; what it did is undone. Raises BadUserInput.
        """
        for name, value in said.items():
            rule = work.view.vocabulary.arguments[f"{root.coordinate}({name}:)"]
            if isinstance(rule, Parameter) and rule.screened:
                continue
            if any(_names_person(one, work.today) for one in _texts(value)):
                raise BadUserInput(
                    "A text holds what must be taken for a number of a person; say it without.",
                    argument=name,
                    found=RESIDENT_ID,
                )

    async def _work(self, asked: Commanding, connection: asyncpg.Connection) -> Work:
        agreement = asked.standing.agreement
        actor = Actor(
            partner=agreement.partner,
            officer=asked.caller.officer,
            name=agreement.name,
            capabilities=asked.standing.view.capabilities,
            roles=asked.caller.roles,
            regions=agreement.regions,
            subject=asked.caller.subject,
            purpose=str(asked.declared.purpose),
            matter=asked.declared.matter,
            case_number=asked.declared.case,
        )
        states = {name: self._states.stored(name) for name in self._states.sources}
        known = set(self._states.known_to(asked.standing.view))
        return Work(
            connection=connection,
            actor=actor,
            now=asked.now,
            today=asked.request.today,
            calendar=await calendar_for(connection, agreement.regions, asked.request.today),
            machines=self._registry.machines,
            view=asked.standing.view,
            request=asked.request,
            secrets=self._secrets,
            sources={
                name: SourceState(name, one.status, one.as_of, name in known) for name, one in states.items()
            },
            policy_version=self._policy_version,
            domestic=self._domestic,
            seen=asked.seen,
        )


@contextmanager
def _told_of(root: Selected) -> Iterator[None]:
    """Let a refusal name the command: of many in one request nobody could tell which of them it is about."""
    try:
        yield
    except HubError as refusal:
        refusal.extensions["path"] = [root.key]
        raise


def _finite(said: Mapping[str, Any]) -> None:
    """Refuse the first and the last day that there is: the store keeps them as no day, of which nothing can be counted.

    Raises BadUserInput.
    """
    for name, value in said.items():
        if any(one in (date.min, date.max) for one in _values(value) if isinstance(one, date)):
            raise BadUserInput(
                f"{date.min} and {date.max} are no days of a case; what has no end is left out.",
                argument=name,
            )


def _values(value: Any) -> Iterator[Any]:
    """Every value in an argument, however deep."""
    if isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _values(one)
    else:
        yield value


def _texts(value: Any) -> Iterator[str]:
    """Every text in an argument."""
    return (one for one in _values(value) if isinstance(one, str))


def _names_person(text: str, today: date) -> bool:
    """Whether the redactor finds a resident ID in `text`."""
    if len(text) < SHORTEST_NUMBER:
        return False
    try:
        return any(one.kind == RESIDENT_ID for one in screen(text, today).findings)
    except TextTooLong as error:
        raise BadUserInput(f"{error}.") from None


def named(value: Any) -> Any:
    """Arguments under the names that commands give them: dueOn is due_on there."""
    if isinstance(value, dict):
        return {_CAPITAL.sub(r"_\1", name).lower(): named(one) for name, one in value.items()}
    return [named(one) for one in value] if isinstance(value, list) else value


def _digest(asked: Commanding) -> str:
    """SM3 over all that makes a request the same: who asked, its words, its variables, and what it was declared for.

    The officer too: what one did is recorded as that one's, and nobody else may believe to have done it.
    """
    declared = asked.declared
    said = [
        asked.caller.officer,
        asked.operation.digest,
        asked.operation.node.name.value if asked.operation.node.name else None,
        asked.values,
        [str(declared.purpose), declared.matter, declared.case],
    ]
    text = orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.new("sm3", text).hexdigest()
