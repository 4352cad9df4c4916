"""Which subjects a plan will show live facts of: the plan cut down to their codes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.query.plan import Plan, Selected, Typename, Variant
from hub.rights.view import View
from schema.governance import Shape

KEY = "k"


def wants_live(field: Selected, scheme: str) -> bool:
    """Whether the field shows grades of `scheme`."""
    return (
        field.rule.target == "subject.grades"
        and field.rule.shape is Shape.MANY
        and all(getattr(test.value, "value", scheme) == scheme for test in field.tests)
    )


def keys_plan(plan: Plan, scheme: str) -> Plan | None:
    """The plan of the codes of all subjects whose grades of `scheme` `plan` shows; None when it shows none."""
    roots = _cut(plan.roots, plan.view, scheme)
    return Plan(plan.view, plan.root_type, roots, (), (), ()) if roots else None


def _cut(fields: tuple[Selected | Typename, ...], view: View, scheme: str) -> tuple[Selected, ...]:
    kept = []
    for field in fields:
        if isinstance(field, Selected) and not wants_live(field, scheme):
            variants = tuple(Variant(v.type_name, _variant(v, view, scheme)) for v in field.variants)
            if any(v.fields for v in variants):
                kept.append(replace(field, variants=variants))
    return tuple(kept)


def _variant(variant: Variant, view: View, scheme: str) -> tuple[Selected, ...]:
    inner = _cut(variant.fields, view, scheme)
    if any(isinstance(field, Selected) and wants_live(field, scheme) for field in variant.fields):
        coordinate = f"{variant.type_name}.uscc"
        rule = view.vocabulary.rules[coordinate]
        code = Selected(KEY, "uscc", coordinate, rule, "USCC", False, {}, (), ())
        return (*inner, code)
    return inner


def codes(data: Any) -> Iterator[str]:
    """The codes in the answer to a keys plan."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == KEY and isinstance(value, str):
                yield value
            else:
                yield from codes(value)
    elif isinstance(data, list):
        for value in data:
            yield from codes(value)
