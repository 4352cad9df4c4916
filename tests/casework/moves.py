"""The commands of casework as moves that chance can make: which step of which machine each takes, and values for its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from hub.casework.registry import registry
from schema.coordinates import vocabulary
from schema.governance import Rule, Shape

LISTS = (*["SIM-BLACK"] * 4, "SIM-WATCH", "SIM-RED", "SIM-RED", "SIM-NO-BASIS", "SIM-LOW")
TEXTS = ("该公司未按规定报送进销存数据。", "经现场检查,未发现违法行为。", "已责令改正。")
# Papers with which a repair can be approved.
_PAPERS = ("PERFORMANCE", "COMMITMENT")
# A resident ID whose checksum is right: the redactor finds it, and nothing is published until a person clears it.
NUMBERED = "当事人身份证号630102199003074514,处以罚款一万元。"


@dataclass(frozen=True)
class Move:
    """A command: its arguments by GraphQL name, and the steps it takes; no step: it opens a case, or does several."""

    target: str
    capability: str
    arguments: Mapping[str, GraphQLInputType]
    mechanism: str | None
    steps: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Whether it needs no case."""
        return "number" not in self.arguments


@cache
def moves() -> tuple[Move, ...]:
    """Every command of the vocabulary, whichever mechanism it belongs to."""
    known = vocabulary()
    mutation = known.schema.mutation_type
    assert mutation is not None
    found = []
    for name, field in mutation.fields.items():
        rule = known.rules[f"Mutation.{name}"]
        if not isinstance(rule, Rule) or rule.shape is not Shape.COMMAND:
            continue
        arguments = {argument: given.type for argument, given in field.args.items()}
        entity = known.entities.get(get_named_type(field.type).name)
        values = entity.discriminator[1] if entity is not None and entity.discriminator else ()
        mechanism = values[0] if len(values) == 1 else None
        found.append(
            Move(rule.target, str(rule.capability), arguments, mechanism, _steps(mechanism, rule.target))
        )
    return tuple(found)


def _steps(mechanism: str | None, target: str) -> tuple[str, ...]:
    """The steps that a command is named after: `list.resolve_conflict` takes `resolve`, `repair.examine` two of them."""
    machine = registry().machines.get(mechanism or "")
    said = target.rpartition(".")[2]
    names = [] if machine is None else [step.name for step in machine.transitions]
    alike = [one for one in names if f"{said}_".startswith(f"{one}_") or f"{one}_".startswith(f"{said}_")]
    return tuple(sorted(alike, key=lambda one: one != said))


@dataclass(frozen=True)
class Around:
    """What a value may be about: the firm, its case, what else there is of it, and the day."""

    firm: str
    today: date
    number: str | None = None
    details: Mapping[str, Any] | None = None
    entries: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()


def arguments(move: Move, around: Around, chance: Random) -> dict[str, Any]:
    """Values for the arguments of a move: by name where the name says what is meant, else by type."""
    given = {}
    for name, kind in move.arguments.items():
        if not isinstance(kind, GraphQLNonNull) and name not in _KNOWN and chance.random() < 0.35:
            continue
        given[name] = _value(name, kind, around, chance)
    return given


def _value(name: str, kind: Any, around: Around, chance: Random) -> Any:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    known = _KNOWN.get(name)
    if known is not None:
        return known(around, chance)
    if isinstance(kind, GraphQLList):
        if get_named_type(kind).name == "RepairEvidenceInput" and chance.random() < 0.9:
            return [{"kind": one, "title": "材料", "fileDigest": "a" * 64} for one in _PAPERS]
        return [
            _value(name.removesuffix("s"), kind.of_type, around, chance) for _ in range(chance.randint(1, 2))
        ]
    if isinstance(kind, GraphQLEnumType):
        return str(chance.choice(list(kind.values.values())).value)
    if isinstance(kind, GraphQLInputObjectType):
        return {
            one: _value(one, field.type, around, chance)
            for one, field in kind.fields.items()
            if isinstance(field.type, GraphQLNonNull) or chance.random() < 0.7
        }
    return _OF_TYPE.get(kind.name, _OF_TYPE["String"])(name, around, chance)


def _day(first: int, last: int) -> Callable[[Around, Random], date]:
    return lambda around, chance: around.today + timedelta(days=chance.randint(first, last))


def _finding(around: Around, chance: Random) -> str:
    found = [one["key"] for one in (around.details or {}).get("findings") or ()]
    return str(chance.choice(found)) if found else "0" * 16


def _one_of(member: str) -> Callable[[Around, Random], str]:
    def chosen(around: Around, chance: Random) -> str:
        known = getattr(around, member)
        return str(chance.choice(known)) if known else "l" + "0" * 32

    return chosen


_KNOWN: Mapping[str, Callable[[Around, Random], Any]] = {
    "subject": lambda around, _: around.firm,
    "number": lambda around, _: around.number,
    "listCode": lambda _, chance: chance.choice(LISTS),
    "entry": _one_of("entries"),
    "record": _one_of("records"),
    "target": lambda around, chance: chance.choice((*around.entries, *around.records, "r" + "0" * 32)),
    "implementer": _one_of("partners"),
    "rightToDefend": lambda _, chance: chance.random() < 0.9,
    "repairNoticeNumber": lambda _, chance: (
        f"青商修告〔2026〕{chance.randint(1, 999)}号" if chance.random() < 0.9 else None
    ),
    "defenceAnswer": lambda _, chance: "不予采纳,理由已说明。" if chance.random() < 0.8 else None,
    "nationalCatalogueCode": lambda _, chance: chance.choice(("NC-06", "NC-06", "NC-06", "NC-15", "", None)),
    "legalBasis": lambda _, chance: chance.choice((*["政府采购法第22条"] * 4, " ", None)),
    "basisLevel": lambda _, chance: chance.choice((*["LAW"] * 4, "RULE", None)),
    "effect": lambda _, chance: chance.choice(
        ("BLOCK", "BLOCK", "RESTRICT", "RESTRICT", "KEY_SUPERVISION", "INCENTIVE", "INCENTIVE")
    ),
    "matters": lambda _, chance: chance.choice(([], ["SW-XK-OIL"])),
    "purposes": lambda _, __: [],
    "finding": _finding,
    "despite": lambda _, chance: "法规处同意公开" if chance.random() < 0.6 else None,
    "penaltyKinds": lambda _, chance: [chance.choice(("罚款", "警告", "责令停产停业"))],
    "decidedOn": _day(-9, 1),
    "servedOn": _day(-1, 1),
    "endedOn": _day(-6, 1),
    "appliedOn": _day(-3, 1),
    "legalBasisCheckedOn": _day(-4, 1),
    "begins": _day(-6, 2),
    # Short ones too, that end before the entry they rest on.
    "ends": _day(5, 140),
    "dueOn": _day(-1, 25),
    "validTo": _day(10, 300),
    "text": lambda _, chance: NUMBERED if chance.random() < 0.25 else chance.choice(TEXTS),
    "pushedOn": _day(-1, 0),
    "agent": lambda _, __: None,
    "authorizationDigest": lambda _, __: None,
    "corrected": lambda _, chance: chance.random() < 0.95,
    "performed": lambda _, chance: chance.random() < 0.95,
    "unmet": lambda _, __: [],
    "to": lambda _, chance: [chance.choice(("customs", "tax", "forex"))],
    "authority": lambda _, chance: chance.choice(("commerce", "customs", "tax")),
    "core": lambda _, chance: chance.random() < 0.1,
}
_OF_TYPE: Mapping[str, Callable[[str, Around, Random], Any]] = {
    "String": lambda name, _, chance: f"{name} {chance.choice(TEXTS)}",
    "ID": lambda _, around, chance: chance.choice((*around.entries, *around.records, "r" + "0" * 32)),
    "Boolean": lambda _, __, chance: chance.random() < 0.5,
    "Int": lambda _, __, chance: chance.randint(0, 100),
    "Float": lambda _, __, chance: chance.random() * 100,
    "Date": lambda _, around, chance: around.today + timedelta(days=chance.randint(-10, 60)),
    "DateTime": lambda _, around, __: datetime.combine(around.today, time(), UTC),
    "Yuan": lambda _, __, chance: Decimal(chance.randint(0, 100_000)),
    "USCC": lambda _, around, __: around.firm,
    "SM3Digest": lambda _, __, chance: f"{chance.getrandbits(256):064x}",
}
