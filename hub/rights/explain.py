"""What a caller may see and why, as rows that the statement of its answer takes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from hub.errors import BadUserInput
from hub.rights.agreement import Agreement
from hub.rights.agreement_values import nearest
from hub.rights.matrix import Level, Matrix, Purpose, Scope, WithheldReason
from hub.rights.policy import Decision
from hub.rights.standing import Standing
from hub.rights.view import least_of
from schema.coordinates import Vocabulary
from schema.governance import HOLDER, OPEN, Parameter, Rule


def me(standing: Standing, matrix: Matrix, payer: Agreement, left: int) -> list[dict[str, Any]]:
    """The one row of the vocabulary's Me. `payer`: whose quota is used, of which `left` subjects are left today."""
    agreement = standing.agreement
    return [
        {
            "ord": 0,
            "partner": agreement.partner,
            "name": agreement.name,
            "partner_class": agreement.partner_class,
            "agreement": agreement.document,
            "valid_to": agreement.valid_to,
            "purpose": str(standing.purpose),
            "purposes": [str(one) for one in agreement.purposes],
            "capabilities": sorted(str(one) for one in standing.view.capabilities),
            "quota": {
                "subjects_per_day": payer.quota.subjects_per_day,
                "subjects_left": left,
                "requests_per_second": payer.quota.requests_per_second,
            },
            "access": [
                _access(number, matrix, standing.view.decisions[code])
                for number, code in enumerate(matrix.data)
            ],
        }
    ]


def _access(number: int, matrix: Matrix, decision: Decision) -> dict[str, Any]:
    described = matrix.data[decision.data_class]
    strongest = decision.grants[0] if decision.grants else None
    return {
        "ord": number,
        "data_class": decision.data_class,
        "title": f"{described.zh} · {described.en}",
        "level": decision.level.name,
        "scope": "+".join(sorted(strongest.scopes)) or None if strongest else None,
        "reason": str(decision.reason),
        "legal_basis": decision.basis or None,
    }


def explanations(
    standing: Standing,
    coordinate: str,
    holds: Mapping[str, bool] | None,
    purpose: Purpose,
    operator: bool = False,
) -> list[dict[str, Any]]:
    """Why `coordinate` is visible or not: one row for each data class and grant that governs it.

    `holds`: which scopes hold for the subject asked about, or None when none was named. To a caller who may not know
    of a coordinate it is refused in the words for one that does not exist (BadUserInput); an `operator` may know.
    """
    vocabulary = standing.view.vocabulary
    rule = vocabulary.rules.get(coordinate)
    argument = vocabulary.arguments.get(coordinate)
    rows: list[dict[str, Any]] = []
    common = {"coordinate": coordinate, "purpose": str(purpose), "agreement": standing.agreement.document}
    if rule is None and not isinstance(argument, Parameter):
        meant = nearest(coordinate, vocabulary.coordinates) if operator else ""
        raise BadUserInput(f"No such coordinate{meant or ': write Type.field.'}", argument="coordinate")
    visible = coordinate in standing.view.visible
    if not visible and not (standing.view.entitled or operator):
        raise BadUserInput("No such coordinate: write Type.field.", argument="coordinate")
    capability = rule.capability if rule else argument.capability if isinstance(argument, Parameter) else None
    if capability is not None and capability not in standing.view.capabilities:
        return [common | _row(0, None, Level.NONE, None, None, "NO_LEGAL_BASIS", f"协议未授予 {capability}")]
    if coordinate in standing.view.gone:
        return [common | _row(0, None, Level.NONE, None, None, "NO_LEGAL_BASIS", "协议不开放该项")]
    led_to = _rows_led_to(vocabulary, coordinate) if rule and rule.classes == (OPEN,) else ()
    if rule is None or (rule.classes in ((OPEN,), (HOLDER,)) and not led_to):
        level = Level.FULL if visible else Level.NONE
        return [common | _row(0, None, level, None, None, "OK" if visible else "NO_LEGAL_BASIS", None)]
    owner = coordinate.partition(".")[0]
    unreached = not visible if led_to else owner not in standing.view.schema.type_map
    if unreached and standing.view.allows(led_to or vocabulary.classes(owner, rule), least_of(rule)):
        # Its class is given, and the caller has no field that leads to it.
        return [common | _row(0, None, Level.NONE, None, None, "NO_LEGAL_BASIS", "未开放通往该项的字段")]
    if holds and not holds.get(Scope.OWN_REGION) and _of_cases(vocabulary, coordinate, bool(led_to)):
        # What a unit took up in its region it goes on with, wherever the firm is: each case says it, not the firm.
        holds = {scope: held for scope, held in holds.items() if scope != Scope.OWN_REGION}
    for data_class in led_to or _governing(
        vocabulary, coordinate, rule, any_subject=visible and holds is None
    ):
        kept = standing.view.keeps_process(rule, owner, data_class)
        rows += [common | row for row in _of_class(standing, rule, data_class, holds, kept)]
    for number, row in enumerate(rows):
        row["ord"] = number
    return rows


def _types_led_to(vocabulary: Vocabulary, coordinate: str) -> Sequence[str]:
    """The types of the rows to which a field leads."""
    owner, _, field = coordinate.partition(".")
    holder = vocabulary.schema.type_map[owner]
    assert isinstance(holder, GraphQLObjectType | GraphQLInterfaceType)
    led = get_named_type(holder.fields[field].type).name
    return vocabulary.node_types.get(led) or vocabulary.possible(led)


def _of_cases(vocabulary: Vocabulary, coordinate: str, leads: bool) -> bool:
    """Whether a coordinate tells of cases, by itself or as one that `leads` to them."""
    rows = (
        _types_led_to(vocabulary, coordinate) if leads else vocabulary.possible(coordinate.partition(".")[0])
    )
    return any(
        one in vocabulary.entities and vocabulary.entities[one].relation == "case_file" for one in rows
    )


def _rows_led_to(vocabulary: Vocabulary, coordinate: str) -> tuple[str, ...]:
    """The classes that rows may carry to which an open field leads: it says nothing but what these do."""
    rows = _types_led_to(vocabulary, coordinate)
    found = [c for one in rows if one in vocabulary.entities for c in vocabulary.entities[one].row_classes]
    return tuple(dict.fromkeys(c for c in found if c not in (OPEN, HOLDER)))


def _governing(vocabulary: Vocabulary, coordinate: str, rule: Rule, any_subject: bool) -> list[str]:
    """The classes that govern a coordinate: of organizations, and where it is of `any_subject` of natural persons, too.

    No natural person can be named here.
    """
    name = coordinate.partition(".")[0]
    rows = vocabulary.holders.get(name, (name,)) if any_subject else (name,)
    return list(dict.fromkeys(one for row in rows for one in vocabulary.classes(row, rule)))


def _of_class(
    standing: Standing, rule: Rule, data_class: str, holds: Mapping[str, bool] | None, kept: bool
) -> list[dict[str, Any]]:
    """Why the class gives it or not. `kept`: to those alone who take part in the case."""
    decision = standing.view.decisions[data_class]
    enough = [grant for grant in decision.grants if grant.level >= least_of(rule)]
    if not enough:
        return [_row(0, data_class, decision.level, None, None, str(decision.reason), decision.basis)]
    if kept:
        scopes = [grant.scopes | {Scope.PARTY} for grant in enough]
        why = str(WithheldReason.NO_LEGAL_BASIS), standing.view.process_basis
        return [
            _row(0, data_class, grant.level, "+".join(sorted(within)), _within(within, holds or {}), *why)
            for grant, within in zip(enough, scopes, strict=True)
        ]
    return [
        _row(
            0,
            data_class,
            grant.level,
            "+".join(sorted(grant.scopes)) or None,
            None if holds is None else _within(grant.scopes, holds),
            "OK" if grant.level is Level.FULL else str(decision.reason),
            grant.basis,
        )
        for grant in enough
    ]


def _within(scopes: Set[str], holds: Mapping[str, bool]) -> bool | None:
    """Whether a subject is within all of `scopes`; None where that is for its single rows, or a consent, to say."""
    known = [holds.get(scope) for scope in scopes]
    return False if False in known else None if None in known else True


def _row(
    number: int, data_class: str | None, level: Level, scope: str | None, applies: bool | None, reason: str,
    basis: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "ord": number,
        "data_class": data_class,
        "level": level.name,
        "scope": scope,
        "applies_to_subject": applies,
        "reason": reason,
        "legal_basis": basis,
    }
