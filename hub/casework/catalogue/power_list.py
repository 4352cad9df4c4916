"""The power list (权力清单, R4.1): what a unit may license and punish, imported whole, and how far the catalogue covers it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from connectors.contract import RawRow, RowRejected
from connectors.delimited import read_delimited
from connectors.files import FileUnusable, inspect, reject_defect
from connectors.sheets import read_sheet
from hub.casework import engine
from hub.casework.catalogue.commands import Rows
from hub.casework.details import from_json
from hub.casework.machine import Case, Effects, Machine, State, Step, Transition
from hub.casework.work import Look
from hub.errors import FileRefused
from hub.query.access import TRUE, Access
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.rules.national_items import LICENSES, PENALTIES
from hub.store.writing import one_at_a_time
from schema.governance import Capability

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# What a column may be called, by what it is.
_COLUMNS = {
    "code": ("code", "事项编码", "权力编码", "实施编码"),
    "name": ("name", "事项名称", "权力名称"),
    "kind": ("kind", "事项类型", "权力类型", "权力类别"),
    "legal_basis": ("legal_basis", "实施依据", "设定依据", "法律依据"),
    "authority": ("authority", "实施机关", "实施主体", "行使主体"),
    "responsibility_item": ("responsibility_item", "责任清单事项", "责任事项编码"),
}
_REQUIRED = ("code", "name", "kind", "legal_basis", "authority")
_KINDS = {LICENSES: LICENSES, PENALTIES: PENALTIES, "行政许可": LICENSES, "行政处罚": PENALTIES}
_LONGEST = 2000
_ACTIVE = """
SELECT number, details FROM case_file WHERE mechanism = 'POWER_ITEM' AND owner = $1 AND state = 'ACTIVE' ORDER BY case_id
"""


@dataclass(frozen=True)
class PowerItem:
    """An item of a power list that is a licence (XK) or a penalty (CF)."""

    code: str
    name: str
    kind: str
    legal_basis: str
    authority: str
    responsibility_item: str | None = None


@dataclass(frozen=True)
class PowerList:
    """A file: its items of the two kinds, and how many other rows (levies, coercion …) it has."""

    items: tuple[PowerItem, ...]
    others: int


@dataclass(frozen=True)
class Taken:
    """What an import changed, in items."""

    added: int
    changed: int
    ended: int
    unchanged: int


def read_power_list(path: Path) -> PowerList:
    """The power list in a CSV or XLSX file. Raises FileRefused, naming the first row that is not whole: all or nothing."""
    try:
        file = inspect(path)
        if file.format == "XML":
            raise FileRefused("A power list is a CSV or an XLSX file.")
        rows = list((read_sheet if file.format == "XLSX" else read_delimited)(file, _header))
    except FileUnusable as error:
        raise FileRefused(str(error)) from None
    items: dict[str, PowerItem] = {}
    others = 0
    for row in rows:
        item = _item(row)
        if item is None:
            others += 1
        elif item.code in items:
            raise FileRefused(f"Row {row.position}: the code stands twice in the list.")
        else:
            items[item.code] = item
    return PowerList(tuple(items.values()), others)


def _header(cells: Sequence[str]) -> Sequence[str] | None:
    called = {title: name for name, titles in _COLUMNS.items() for title in titles}
    found = [called.get(cell.strip().strip("\ufeff*").strip(), cell) for cell in cells]
    return found if set(_REQUIRED) <= set(found) else None


def _item(row: RawRow) -> PowerItem | None:
    """An item; None: neither licence nor penalty."""
    try:
        reject_defect(row)
    except RowRejected as error:
        raise FileRefused(f"Row {row.position}: {error}.") from None
    told = {name: (row.fields.get(name) or "").strip() for name in _COLUMNS}
    missing = [name for name in _REQUIRED if not told[name]]
    if missing:
        raise FileRefused(f"Row {row.position}: {missing[0]} is empty.")
    kind = _KINDS.get(told["kind"])
    if kind is None:
        return None
    if not _CODE.fullmatch(told["code"]):
        raise FileRefused(
            f"Row {row.position}: the code has other characters than letters, digits, dots, hyphens."
        )
    if any(len(text) > _LONGEST for text in told.values()):
        raise FileRefused(f"Row {row.position}: a cell has more than {_LONGEST} characters.")
    return PowerItem(
        told["code"],
        told["name"],
        kind,
        told["legal_basis"],
        told["authority"],
        told["responsibility_item"] or None,
    )


async def take_power_list(
    connection: asyncpg.Connection,
    machines: Mapping[str, Machine],
    unit: str,
    items: Sequence[PowerItem],
    step: Step,
) -> Taken:
    """R4.1: make the unit's list what the file says, in the caller's transaction: what it leaves out has ended.

    `step`: of the unit's officer. An item that comes back is a new one.
    """
    await one_at_a_time(connection, f"POWER_ITEM {unit}")
    known: dict[str, tuple[str, PowerItem]] = {}
    for row in await connection.fetch(_ACTIVE, unit):
        item = from_json(PowerItem, orjson.loads(row["details"]))
        known[item.code] = (row["number"], item)
    new = [one for one in items if one.code not in known]
    changed = [one for one in items if one.code in known and known[one.code][1] != one]
    gone = sorted(known.keys() - {one.code for one in items})
    if new:
        cases = [engine.NewCase(subject_id=None, details=one) for one in new]
        await engine.open_cases(connection, POWER_ITEM, cases, step, owner=unit)
    for one in changed:
        given = Step(step.actor, {"item": one}, step.now, step.today, step.calendar)
        await engine.apply(connection, machines, POWER_ITEM, known[one.code][0], "amend", given)
    for code in gone:
        given = Step(step.actor, {"reason": "LEFT_OUT"}, step.now, step.today, step.calendar)
        await engine.apply(connection, machines, POWER_ITEM, known[code][0], "end", given)
    return Taken(len(new), len(changed), len(gone), len(items) - len(new) - len(changed))


def _amended(_: Case[PowerItem], step: Step) -> Effects:
    return Effects(details={**vars(step.inputs["item"])})


def _ruleset(_: date) -> str:
    """The rules that power lists are under: those of the policy's article 四."""
    return "CATALOGUE-2019"


POWER_ITEM = Machine(
    mechanism="POWER_ITEM",
    zh="权力清单事项",
    en="Item of a power list",
    series="QHQL",
    data_class="D38",
    details=PowerItem,
    states=(State(name="ACTIVE", zh="有效", en="active"), State(name="ENDED", zh="已取消", en="ended")),
    initial="ACTIVE",
    final=frozenset({"ENDED"}),
    transitions=(
        Transition(
            name="amend", zh="变更", en="the list says it otherwise", sources=frozenset({"ACTIVE"}), target="ACTIVE",
            capability=Capability.CASEWORK, requires=("item",), effect=_amended, rules=("R4.1",),
        ),
        Transition(
            name="end", zh="取消", en="the list has it no more", sources=frozenset({"ACTIVE"}), target="ENDED",
            capability=Capability.CASEWORK, requires=("reason",), rules=("R4.1",),
        ),
    ),
    ruleset=_ruleset,
    rules=("R4.1",),
)  # fmt: skip

_COVERED = """
SELECT w.owner, w.details->>'code' AS code, w.details->>'name' AS name, w.details->>'kind' AS kind,
  coalesce(bool_or(c.state = 'PUBLISHED'), FALSE) AS catalogued, count(c.case_id) > 0 AS prepared,
  coalesce(bool_or(c.state = 'PUBLISHED' AND c.receipts = 2), FALSE) AS shown
FROM case_file w LEFT JOIN LATERAL (
  SELECT i.case_id, i.state, (SELECT count(*) FROM delivery_out d JOIN case_event e USING (event_id)
    WHERE d.case_id = i.case_id AND e.transition = 'publish' AND d.state = 'ACKNOWLEDGED') AS receipts
  FROM case_file i
  WHERE i.mechanism = 'CATALOG_ITEM' AND i.owner = w.owner AND i.state NOT IN ('SUPERSEDED', 'REJECTED')
    AND i.details->'content'->>'power_item' = w.details->>'code'
    AND i.details->'content'->>'kind' = w.details->>'kind'
) c ON TRUE
WHERE w.mechanism = 'POWER_ITEM' AND w.state = 'ACTIVE' AND ({unit} IS NULL OR w.owner = {unit}) AND {shown}
GROUP BY w.case_id ORDER BY w.owner, w.details->>'code'
"""
_WITHOUT = """
SELECT c.owner, c.details->>'code' AS code FROM case_file c
WHERE c.mechanism = 'CATALOG_ITEM' AND c.state = 'PUBLISHED' AND ({unit} IS NULL OR c.owner = {unit}) AND {shown}
  AND NOT EXISTS (SELECT FROM case_file w WHERE w.mechanism = 'POWER_ITEM' AND w.owner = c.owner
    AND w.state = 'ACTIVE' AND w.details->>'code' = c.details->'content'->>'power_item'
    AND w.details->>'kind' = c.details->'content'->>'kind')
ORDER BY 1, 2
"""


async def coverage(rows: Rows, given: Mapping[str, Any], _: datetime) -> list[dict[str, Any]]:
    """应归尽归, 应示尽示 by unit: how much of its power list is in its catalogue and shown, and what is not (R4.1)."""
    sql = [one.format(unit="$1::text", shown=TRUE) for one in (_COVERED, _WITHOUT)]
    covered, lacking = [await rows(one, (given.get("unit"),)) for one in sql]
    return _by_unit(covered, lacking)


async def seen_coverage(look: Look, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same, of the units whose reports the caller is shown: it tells of drafts as well."""
    found = []
    for sql, alias in ((_COVERED, "w"), (_WITHOUT, "c")):
        parameters = Parameters()
        unit = parameters.bind(FromRef(Constant(given.get("unit"))), "text")
        shown = Access(look.view, parameters).of_units(alias)
        found.append(await look.rows(sql.format(unit=unit, shown=shown), parameters))
    return _by_unit(*found)


def _by_unit(covered: Sequence[Any], lacking: Sequence[Any]) -> list[dict[str, Any]]:
    by_unit: dict[str, list[Any]] = {}
    without: dict[str, list[str]] = {}
    for row in covered:
        by_unit.setdefault(row["owner"], []).append(row)
    for row in lacking:
        without.setdefault(row["owner"], []).append(row["code"])
    return [
        {
            "ord": number,
            "unit": name,
            **_figures(by_unit.get(name, [])),
            "without_power": without.get(name, []),
        }
        for number, name in enumerate(sorted(by_unit.keys() | without.keys()))
    ]


def _figures(rows: Sequence[Any]) -> dict[str, Any]:
    active, catalogued = len(rows), sum(row["catalogued"] for row in rows)
    shown = sum(row["shown"] for row in rows)
    return {
        "active": active,
        "catalogued": catalogued,
        "shown": shown,
        "per_mille_catalogued": catalogued * 1000 // active if active else None,
        "per_mille_shown": shown * 1000 // catalogued if catalogued else None,
        "gaps": [
            {
                "code": row["code"],
                "name": row["name"],
                "kind": row["kind"],
                "gap": "NOT_SHOWN"
                if row["catalogued"]
                else "IN_PREPARATION"
                if row["prepared"]
                else "MISSING",
            }
            for row in rows
            if not row["shown"]
        ],
    }


MACHINES = (POWER_ITEM,)
VIEWINGS = {"catalogue_coverage": seen_coverage}
