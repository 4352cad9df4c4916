"""Plan → one SQL statement that returns the whole `data` as JSON, and whose data it discloses. Pure.

Each root field is a sub-select of its own (hub.query.sql.roots); here they are joined into one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hub.query.parameters import Context, FromContext, FromRows, Source
from hub.query.plan import Plan, Selected, Typename
from hub.query.sql.draft import Draft, column_name, text
from hub.query.sql.roots import Root, subject_key

# What the roots are joined to.
_ONE = "(SELECT) one"
_NOW = FromContext(Context.NOW)
# Relation → columns in which some values are those of most rows and some of few (ix_record_terms, ix_record_fine), or of
# those of other years alone (ix_record_authority, ix_record_item). Days and numbers are not: whatever they are, they are found
# in the order of an index.
_UNEVEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "records": frozenset(
            {"source", "kind", "seriousness", "catalog_item_code", "authority_uscc", "fine_amount"}
        ),
        # Most states are those of some mechanisms alone (ix_case_file_state).
        "cases": frozenset({"state"}),
    }
)


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters: one row, `data` as JSON text and `subjects`, the ids of the subjects disclosed."""

    sql: str
    parameters: Sequence[Source]
    # The rows that the hub must bring along.
    rows: tuple[FromRows, ...]
    # The same for many keys at once, a row for each with its place `ord`, where the only root is one subject by a
    # key and nothing else is each request's own; else empty. `merged_key`: which parameter the key is, from 0.
    merged_sql: str = ""
    merged_key: int = 0
    # Whether the best way to carry it out depends on its values: then it is planned for them, each time.
    anew: bool = False


def compile_plan(plan: Plan, longest: int) -> Statement:
    """The statement of `plan`, which has roots beside introspection. Raises LimitExceeded when it is too long."""
    draft = Draft(plan.view, longest)
    roots = [_root(root, plan, draft) for root in plan.roots]
    laterals = "".join(f" LEFT JOIN LATERAL ({root}) r{number} ON TRUE" for number, root in enumerate(roots))
    values = ", ".join(
        f"r{number}.value AS {column_name(root.key)}" for number, root in enumerate(plan.roots)
    )
    subjects = " || ".join(f"coalesce(r{number}.subjects, '{{}}')" for number in range(len(roots)))
    sql, parameters = draft.parameters.used_in(
        f"SELECT row_to_json(d$) AS data, {subjects} AS subjects"
        f" FROM {_ONE}{laterals} CROSS JOIN LATERAL (SELECT {values}) d$"
    )
    draft.within(len(sql))
    rows = tuple(
        one for one, _ in draft.parameters.sources if isinstance(one, FromRows) and one in parameters
    )
    key = _merging_key(plan, parameters)
    if key is None:
        return Statement(sql, parameters, rows, anew=any(map(_depends_on_values, plan.roots)))
    return Statement(sql, parameters, rows, _for_many(sql, key + 1), key)


def _root(root: Selected | Typename, plan: Plan, draft: Draft) -> str:
    if isinstance(root, Typename):
        return f"SELECT {text(plan.root_type)} AS value, NULL::bigint[] AS subjects"
    return Root(draft, root).sql()


def _depends_on_values(root: Selected | Typename) -> bool:
    """Whether it browses all rows for those with such a value: there may be a million of them, or none."""
    return isinstance(root, Selected) and any(
        test.column in _UNEVEN.get(root.rule.target, ()) for test in root.tests
    )


def _merging_key(plan: Plan, parameters: Sequence[Source]) -> int | None:
    """Which parameter is likely to be all that requests of this plan differ in: no two share a moment, or rows."""
    match plan.roots:
        case (Selected() as root,) if root.rule.target == "subject":
            key = subject_key(root)
            own = any(isinstance(one, FromRows) or one == _NOW for one in parameters)
            return parameters.index(key) if key in parameters and not own else None
    return None


def _for_many(sql: str, number: int) -> str:
    """`sql` for an array of keys in place of parameter `number`, with their places in it as `ord`."""
    key = re.compile(rf"\${number}::text(?!\[)")
    # The sub-select hides the array's length from the planner, so that it makes one plan for all lengths.
    keys = f"unnest((SELECT ${number}::text[])) WITH ORDINALITY k$(key, ord)"
    head, tail = key.sub("k$.key", sql).split(f" FROM {_ONE}", 1)
    return f"{head}, k$.ord FROM {keys}{tail}"
