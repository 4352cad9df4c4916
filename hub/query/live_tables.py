"""Facts of live sources in a plan: how their rows stand in the statement, and which subjects it will show them of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.query.plan import Constant, Plan, Selected, Typename, Variant
from hub.rights.view import View
from schema.governance import Shape


@dataclass(frozen=True)
class LiveTable:
    """How rows that live sources gave for a request stand beside, or instead of, those of a table."""

    # The relation whose fields show them.
    target: str
    # Name of the rows that the hub brings along.
    rows: str
    # Columns of a row with their SQL types, `uscc` and `subject_id` apart.
    columns: Mapping[str, str]
    # Whether there are stored rows too.
    stored: bool = True
    # Name of the codes about which every source answered in full; without one of them a list that is empty would
    # say more than is known, so it is null. Empty: a list says of each row whose it is, and no more.
    answered: str = ""


_FACT = {
    "public_id": "uuid", "data_class": "text", "source": "text", "source_record_id": "text", "provider_name": "text",
    "provider_code": "text", "catalog_item_code": "text", "sharing_attribute": "text",
    "source_updated_at": "timestamptz", "fetched_at": "timestamptz", "recorded_at": "timestamptz",
    "superseded_at": "timestamptz", "payload_digest": "text",
}  # fmt: skip
LIVE = {
    "grade": LiveTable(
        "subject.grades",
        "live:grade",
        {
            **_FACT, "scheme": "text", "grade_code": "text", "grade_label": "text", "ruleset_version": "text",
            "issuer_name": "text", "issuer_uscc": "text", "period": "text", "effective_from": "date",
            "effective_to": "date",
        },
    ),
    "anomaly": LiveTable(
        "subject.anomalies",
        "live:anomaly",
        {
            **_FACT, "title": "text", "authority_name": "text", "authority_uscc": "text", "decided_on": "date",
            "valid_to": "date",
        },
        stored=False,
        answered="live:anomaly:answered",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Want:
    """What a source may be asked for: the facts that fields of the relation `target` show."""

    source: str
    target: str

    @property
    def key(self) -> str:
        """The response key of the codes in the keys plan."""
        return f"{self.target} {self.source}"

    def meets(self, field: Selected) -> bool:
        """Whether the field shows such facts."""
        return (
            field.rule.target == self.target
            and field.rule.shape is Shape.MANY
            and all(getattr(test.value, "value", self.source) == self.source for test in field.tests)
        )


def keys_plan(plan: Plan, wants: tuple[Want, ...]) -> Plan | None:
    """The plan of the codes of all subjects of which `plan` shows what is wanted; None when it shows none."""
    # Sources are asked what holds now: of an earlier moment they say nothing.
    now = tuple(root for root in plan.roots if isinstance(root, Selected) and not _of_the_past(root))
    roots = _cut(now, plan.view, wants, {})
    return Plan(plan.view, plan.root_type, roots, (), (), ()) if roots else None


def wanted_of_the_past(plan: Plan, wants: Iterable[Want]) -> frozenset[str]:
    """The sources of which `plan` would show facts of an earlier moment, where they have said nothing."""
    past = tuple(root for root in plan.roots if isinstance(root, Selected) and _of_the_past(root))
    return frozenset(want.source for want in wants if past and _cut(past, plan.view, (want,), {}))


def _of_the_past(root: Selected) -> bool:
    return root.arguments.get("asOf", Constant(None)) != Constant(None)


def _cut(
    fields: tuple[Selected | Typename, ...], view: View, wants: tuple[Want, ...], done: dict[Variant, Variant]
) -> tuple[Selected, ...]:
    """`done`: the variants that are cut already, so that those that were one object stay one."""
    kept = []
    for field in fields:
        if isinstance(field, Selected) and not any(want.meets(field) for want in wants):
            variants = tuple(_variant(one, view, wants, done) for one in field.variants)
            if any(v.fields for v in variants):
                kept.append(replace(field, variants=variants))
    return tuple(kept)


def _variant(variant: Variant, view: View, wants: tuple[Want, ...], done: dict[Variant, Variant]) -> Variant:
    if variant in done:
        return done[variant]
    inner = _cut(variant.fields, view, wants, done)
    coordinate = f"{variant.type_name}.uscc"
    shown = [
        want
        for want in wants
        if any(isinstance(field, Selected) and want.meets(field) for field in variant.fields)
    ]
    codes = tuple(
        Selected(want.key, "uscc", coordinate, view.vocabulary.rules[coordinate], "USCC", False, {}, (), ())
        for want in shown
    )
    cut = done[variant] = Variant(variant.type_name, (*inner, *codes))
    return cut


def codes(data: Any) -> Iterator[tuple[str, str]]:
    """The key of a want, and a code, for each code in the answer to a keys plan."""
    if isinstance(data, dict):
        for key, value in data.items():
            if " " in key and isinstance(value, str):
                yield key, value
            else:
                yield from codes(value)
    elif isinstance(data, list):
        for value in data:
            yield from codes(value)
