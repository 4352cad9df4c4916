"""Commands are called with what their caller may not see, and answer as of what does not exist.

Every command that a partner finds by introspection is called, with whatever its arguments could name: one that is added is
held to it, too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from hub.casework.registry import registry
from hub.sandbox.tokens import DEMO_SUBJECT
from schema.coordinates import vocabulary
from schema.identifiers import organization_check, uscc_check
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.test_bypass import FAR
from tests.reference.ids import permuted

# Whoever can command something: its class, and purposes of which one at least opens each of its commands.
CALLERS = {
    "commerce": ("P1", ("ONGOING_SUPERVISION", "CREDIT_REPAIR", "NOTIFICATION", "EXHIBITION")),
    "commerce-xining": ("P2", ("ONGOING_SUPERVISION",)),
    "reform": ("P3", ("ONGOING_SUPERVISION",)),
    "procurement": ("P7", ("JOINT_PUNISHMENT",)),
    "chamber": ("P8", ("MEMBER_ARCHIVE",)),
    "mall": ("P9", ("MERCHANT_ADMISSION",)),
    "subject": ("P10", ("SELF_QUERY",)),
}
# With nothing in it: whatever reads it before its caller's rights are known fails.
_CASE = """
WITH made AS (
  INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, region_code, opened_at, opened_on, ruleset,
    details)
  VALUES ($1, $2, (SELECT subject_id FROM subject WHERE uscc = $3), $4, $5, 'another-unit', $6, $7, '2026-11-23', 'T', '{}')
  RETURNING case_id, public_id)
INSERT INTO case_party SELECT case_id, 'another-unit', 'HANDLER', $7 FROM made RETURNING (SELECT public_id FROM made)
"""
_PERSON = """
INSERT INTO subject (kind, display_name, name_key, region_code) VALUES ('NATURAL_PERSON', '马得林', '马得林', $1)
RETURNING subject_id
"""
_AFFILIATED = """
INSERT INTO affiliation (partner, subject_id, kind, valid_from)
SELECT a.partner, subject_id, a.kind, '2026-01-01'
FROM subject, (VALUES ('mall', 'MERCHANT'), ('chamber', 'MEMBER')) a (partner, kind) WHERE uscc = ANY ($1)
"""
_ASKED = {
    "case": "query C($n: String!) { found: case(number: $n) { __typename } }",
    "fact": "query N($n: ID!) { found: node(id: $n) { __typename } }",
    "firm": "query S($n: String!) { found: subject(value: $n) { __typename } }",
}
AT_ONCE = 4
_PLAIN = {
    "Date": "2026-11-20",
    "SM3Digest": "0a" * 32,
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "Yuan": "1.00",
}


@dataclass(frozen=True)
class Twins:
    """A name of something that is laid, and one like it of nothing; `kind`: case, fact or firm; `id_`: a case's other name."""

    there: str
    absent: str
    kind: str
    mechanism: str | None = None
    id_: str = ""

    def by_id(self) -> Twins:
        """The same case by its opaque id."""
        return replace(self, there=self.id_, absent="c" + uuid4().hex)


# A command, what it was called with, and the requests about something and about nothing.
Asked = tuple[str, Twins, str, str]


@dataclass(frozen=True)
class Laid:
    """What there is; `persons`: facts about one, which each class of partners calls by an id of its own."""

    things: Sequence[Twins]
    persons: Sequence[Twins]
    # Firms that nothing tells apart: what is done to the one may stand against its being done again.
    firms: tuple[str, str]


@pytest.fixture(scope="module")
async def laid(module_office: Office) -> Laid:
    """Another unit's cases, one of each mechanism, and facts that few are shown."""
    office, on = module_office, date(2026, 5, 1)
    far, firms = await office.subject(region=FAR), (await office.subject(), await office.subject())
    await office.subject(code=DEMO_SUBJECT)
    await office.rows(_AFFILIATED, list(firms))
    things = [Twins(far, _nobody(), "firm")]
    for name, machine in registry().machines.items():
        # Of what is over every step would be refused by its state.
        state = min(machine.final, default=machine.initial)
        number = f"{machine.series}-2026-0000-0000-0000"
        (row,) = await office.rows(_CASE, name, number, far, machine.data_class, state, FAR, MONDAY)
        absent = number.replace("-0000-", "-9999-")
        things.append(Twins(number, absent, "case", name, "c" + row["public_id"].hex))
    for name in ("T-WATCH", "T-RED", "T-BLACK"):
        # Who recognized an entry handles its repair, also where its purpose does not show it.
        await office.defined(name, name.removeprefix("T-"), recognizer_name="青海省公安厅")
    facts = [
        await office.adverse(far, on),
        await office.adverse(far, on, "MINOR"),
        await office.adverse(far, on, lifecycle="REPAIRED"),
        await office.adverse(far, on, lifecycle="DRAFT"),
        await office.listed(far, "WATCH"),
        await office.listed(far, "RED", state="EXITED_REVOKED"),
    ]
    (person,) = await office.rows(_PERSON, FAR)
    persons = [
        await office.adverse(far, on, data_class="D8"),
        await office.listed(far, "BLACK", data_class="D11"),
    ]
    for table, one in zip(("record", "list_entry"), persons, strict=True):
        sql = f"UPDATE {table} SET subject_id = $1 WHERE public_id = $2"
        await office.rows(sql, person["subject_id"], one[1:])
    return Laid([*things, *map(_fact, facts)], [*map(_fact, persons)], firms)


def _fact(name: str) -> Twins:
    return Twins(name, name[0] + uuid4().hex, "fact")


def _nobody() -> str:
    """A code that no firm has."""
    first = f"{uuid4().int % 10**8:08}"
    first17 = f"91{FAR}{first}{organization_check(first)}"
    return first17 + uscc_check(first17)


async def _hidden(desk: Desk, one: Twins) -> bool:
    """Whether a query tells the caller nothing of it, or cannot be asked at all."""
    answer = await desk.ask(_ASKED[one.kind], {"n": one.there})
    if "errors" in answer:
        assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", answer
        return True
    return answer["data"]["found"] is None


async def _unseen(office: Office, laid: Laid, desk: Desk, partner_class: str) -> list[Twins]:
    key = office.database.settings.id_key
    own = [_fact(one.there[0] + permuted(one.there[1:], partner_class, key)) for one in laid.persons]
    every = (*laid.things, *laid.persons, *own)
    found = await asyncio.gather(*(_hidden(desk, one) for one in every))
    return [one for one, hidden in zip(every, found, strict=True) if hidden]


def _value(name: str, kind: Any, said: str, firm: str, words: bool) -> Any:
    """Of an argument or input field: `said` where it can name something, else what reads well; `words`: in all texts, too."""
    if isinstance(kind, GraphQLNonNull):
        return _value(name, kind.of_type, said, firm, words)
    if isinstance(kind, GraphQLList):
        return [_value(name.removesuffix("s"), kind.of_type, said, firm, words)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {one: _value(one, field.type, said, firm, words) for one, field in kind.fields.items()}
    if kind.name == "ID":
        return said
    if kind.name == "USCC" or name == "subject":
        return said if len(said) == len(firm) else firm
    if kind.name == "String":
        return said if words or name == "number" else "1"
    return _PLAIN[kind.name]


def _called_with(field: GraphQLField, unseen: Sequence[Twins]) -> list[tuple[Twins, bool]]:
    """A command's own case, in all its texts, too, and by its id; a commitment in the texts of what opens a case; and what else
    its arguments name.
    """
    known = vocabulary()
    entities = [known.entities.get(one) for one in known.possible(get_named_type(field.type).name)]
    own = {name for one in entities if one is not None and one.discriminator for name in one.discriminator[1]}
    cases = [one for one in unseen if one.mechanism in (own if "number" in field.args else {"COMMITMENT"})]
    if not cases:
        cases = [one for one in unseen if one.kind == "case"][:1]
    kinds = {get_named_type(given.type).name for given in field.args.values()}
    called = [(one, True) for one in cases] + [(one.by_id(), "number" not in field.args) for one in cases]
    called += [(one, False) for one in unseen if one.kind == "fact" and "ID" in kinds]
    return called + [(one, False) for one in unseen if one.kind == "firm"]


def _alike(answer: Mapping[str, Any], names: Sequence[str]) -> str:
    errors = [
        {**one, "extensions": {**one["extensions"], "requestId": None}} for one in answer.get("errors", ())
    ]
    text = json.dumps([answer.get("data"), errors], ensure_ascii=False)
    for name in names:
        text = text.replace(name, "*")
    return text


async def _recorded(office: Office) -> set[str]:
    """The requests that the ledger tells of."""
    rows = await office.rows("SELECT entries FROM ledger_block")
    return {json.loads(line)["request"] for row in rows for line in row["entries"].splitlines()}


@pytest.mark.parametrize("partner", CALLERS)
async def test_a_command_answers_of_what_is_hidden_as_of_nothing(
    office: Office, laid: Laid, partner: str
) -> None:
    """Nor does its key keep anything, or the ledger tell of it what it does not tell of nothing."""
    partner_class, purposes = CALLERS[partner]
    mutation, called, asked = vocabulary().schema.mutation_type, set[str](), list[Asked]()
    assert mutation is not None
    for purpose in purposes:
        desk = office.desk(partner, purpose, "SW-HZ-FAIR" if purpose == "EXHIBITION" else "SW-JG")
        commands = await _commands(desk)
        unseen = await _unseen(office, laid, desk, partner_class)
        asking = [
            _ask(desk, laid, mutation.fields[name], name, commands[name], unseen)
            for name in sorted(set(commands) - called)
        ]
        # Few at once: the hub has few connections to write with.
        for first in range(0, len(asking), AT_ONCE):
            asked += chain.from_iterable(await asyncio.gather(*asking[first : first + AT_ONCE]))
        called |= set(commands)
    recorded = await _recorded(office)
    assert [one for one in asked if (one[2] in recorded) is not (one[3] in recorded)] == []


async def _ask(
    desk: Desk, laid: Laid, field: GraphQLField, name: str, arguments: Sequence[str], unseen: Sequence[Twins]
) -> list[Asked]:
    """Call a command with each name of something and of nothing."""
    kinds, asked = {one: field.args[one].type for one in arguments}, list[Asked]()
    for one, words in _called_with(field, unseen):
        key, pair = uuid4().hex, []
        for said, firm in ((one.absent, laid.firms[0]), (one.there, laid.firms[1])):
            given = {argument: _value(argument, of, said, firm, words) for argument, of in kinds.items()}
            answer = await desk.ask(_document(name, kinds), given, idempotency_key=key)
            pair.append((_alike(answer, (said, firm)), answer["extensions"]["requestId"]))
            if "errors" not in answer:
                key = uuid4().hex
        assert pair[1][0] == pair[0][0], (name, desk.purpose, one, words)
        asked.append((name, one, pair[1][1], pair[0][1]))
    return asked


async def _commands(desk: Desk) -> dict[str, list[str]]:
    """The commands that the caller finds by introspection, and their arguments."""
    told = await desk.done("{ __schema { mutationType { fields { name args { name } } } } }")
    fields = told["__schema"]["mutationType"]["fields"]
    return {one["name"]: [argument["name"] for argument in one["args"]] for one in fields}


def _document(name: str, kinds: Mapping[str, Any]) -> str:
    if not kinds:
        return f"mutation {{ {name} {{ __typename }} }}"
    declared = ", ".join(f"${one}: {kind}" for one, kind in kinds.items())
    passed = ", ".join(f"{one}: ${one}" for one in kinds)
    return f"mutation M({declared}) {{ {name}({passed}) {{ __typename }} }}"


async def test_every_command_is_called_by_somebody(office: Office) -> None:
    called = set[str]()
    for partner, (_, purposes) in CALLERS.items():
        for purpose in purposes:
            called |= set(await _commands(office.desk(partner, purpose, "SW-JG")))
    mutation = vocabulary().schema.mutation_type
    assert mutation is not None
    assert called == set(mutation.fields)
