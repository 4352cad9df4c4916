"""The commands of the catalogue (article 四), and its published part for everybody."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson

from connectors.contract import SHANGHAI
from hub.casework import engine
from hub.casework.catalogue.machine import (
    CATALOG_ITEM,
    OPEN,
    SITES,
    AcceptedDeviation,
    CatalogDetails,
    Content,
    channels_of,
    digest_of,
)
from hub.casework.details import from_json
from hub.casework.given import is_blank, said
from hub.casework.machine import Case
from hub.casework.work import Command, Made, Work
from hub.errors import BadUserInput, GuardRefused
from hub.query.access import Access, Row
from hub.query.parameters import FromRef, Parameters
from hub.query.plan import Constant
from hub.query.relations import TABLES
from hub.rules.national_items import DataItem, Edition, deviations, load_national_items, opened_persons
from hub.store.writing import one_at_a_time

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DATA_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,31}", re.ASCII)
_LONGEST_NAME, _LONGEST_BASIS, _MOST_ITEMS, _LONGEST_ITEM = 200, 2000, 200, 100_000
# One draft of an item at a time, whichever process.
_VERSIONS = """
SELECT case_id, public_id, number, owner, state, details FROM case_file
WHERE mechanism = 'CATALOG_ITEM' AND details->>'code' = $1 ORDER BY (details->>'item_version')::int
"""


# States in which everybody knows of a version.
_SHOWN = ("PUBLISHED", "SUPERSEDED")


async def draft(work: Work, given: Mapping[str, Any]) -> Made:
    """R4.4: draft the next version of an item, its first one included. Raises BadUserInput, GuardRefused."""
    code = given["code"].strip()
    if not _CODE.fullmatch(code):
        raise BadUserInput("An item's code has 1 to 64 letters, digits, dots, hyphens.", argument="code")
    versions = await _known(work, code)
    if any(row["owner"] != work.actor.partner for row in versions):
        raise GuardRefused(reason="CODE_TAKEN")
    if any(row["state"] in OPEN for row in versions):
        raise GuardRefused(reason="VERSION_ON_ITS_WAY")
    # A retired item too: whoever comes back under its code is the same item.
    shown = [row for row in versions if row["state"] in _SHOWN]
    before = _details(shown[-1]).content if shown else None
    if before is not None and before.kind != given["kind"]:
        raise GuardRefused(reason="KIND_CHANGED")
    made = _made(work, code, given, before)
    details = CatalogDetails(code=code, item_version=len(versions) + 1, drafted_by=work.actor.officer, **made)
    new = engine.NewCase(subject_id=None, details=details, region_code=_region(work))
    (case,) = await engine.open_cases(work.connection, CATALOG_ITEM, [new], work.step({}))
    return Made(ids=(case.public_id,))


async def revise(work: Work, given: Mapping[str, Any]) -> Made:
    """Change a draft; it is compared with the standard anew, and nothing accepted before holds for it."""
    case, _ = await engine.find(work.connection, CATALOG_ITEM, given["number"], work.actor)
    told: CatalogDetails = case.details
    made = _made(work, told.code, {**given, "kind": told.content.kind}, told.content)
    return await _take(work, "revise", {**given, **made})


async def publish(work: Work, given: Mapping[str, Any]) -> Made:
    """R4.4, R4.5: publish a version on its two channels; the one before it is superseded at once."""
    case, _ = await engine.find(work.connection, CATALOG_ITEM, given["number"], work.actor)
    versions = await _versions(work.connection, case.details.code)
    if any(row["owner"] != case.owner and row["state"] in _SHOWN for row in versions):
        raise GuardRefused(reason="CODE_TAKEN")
    kept = {"successor": case.number, "channels": channels_of(case.details.content)}
    taken = await _applied(work, "publish", given)
    for row in versions:
        if row["state"] == "PUBLISHED" and row["case_id"] != case.case_id:
            await _applied(work, "supersede", {**kept, "number": row["number"]})
    return Made(ids=(taken.public_id,))


def _made(work: Work, code: str, given: Mapping[str, Any], before: Content | None) -> dict[str, Any]:
    """What a version says, with its deviations from the standard. Items left out: as before, else the standard's."""
    standard = load_national_items().edition(given["kind"], work.today)
    if standard is None:
        raise GuardRefused(reason="NO_STANDARD_IN_FORCE")
    stated, kept = given.get("data_items"), (standard.items if before is None else before.data_items)
    items = kept if stated is None else tuple(_item(one) for one in stated)
    _check(items, standard)
    content = Content(
        name=said(given["name"], "name", _LONGEST_NAME),
        kind=given["kind"],
        legal_basis=said(given["legal_basis"], "legalBasis", _LONGEST_BASIS),
        authority=said(given["authority"], "authority", _LONGEST_NAME),
        power_item=_code(given, "power_item"),
        responsibility_item=_code(given, "responsibility_item"),
        site=given["site"],
        effective_from=given.get("effective_from") or work.today,
        data_items=items,
    )
    if content.site not in SITES:
        raise BadUserInput("The site is the unit's own or the local portal.", argument="site")
    return {
        "content": content,
        "standard": standard.id,
        "deviations": tuple(
            AcceptedDeviation(one.key, one.kind, one.code, one.standard, one.stated)
            for one in deviations(standard, items)
        ),
        "digest": digest_of(code, content),
    }


def _check(items: Sequence[DataItem], standard: Edition) -> None:
    codes = [one.code for one in items]
    if not 1 <= len(codes) <= _MOST_ITEMS or len(set(codes)) < len(codes):
        raise BadUserInput(f"1 to {_MOST_ITEMS} data items, each code once.", argument="dataItems")
    for one in items:
        if not _DATA_CODE.fullmatch(one.code) or is_blank(one.name) or len(one.name) > _LONGEST_NAME:
            raise BadUserInput("A data item has a code in capitals and a name.", argument="dataItems")
        if one.length is not None and not 1 <= one.length <= _LONGEST_ITEM:
            raise BadUserInput(f"A length is 1 to {_LONGEST_ITEM}.", argument="dataItems")
    if opened_persons(standard, items):
        raise GuardRefused(reason="PERSON_NUMBER_OPENED")


def _item(given: Mapping[str, Any]) -> DataItem:
    return DataItem(
        given["code"].strip(),
        given["name"].strip(),
        given["type"],
        given.get("length"),
        given["requirement"],
        given["masked"],
        given["government_sharing"],
        given["sharing_attribute"],
    )


def _code(given: Mapping[str, Any], name: str) -> str | None:
    text: str = (given.get(name) or "").strip()
    if text and not _CODE.fullmatch(text):
        raise BadUserInput(f"{name}: no code of a list.")
    return text or None


def _region(work: Work) -> str | None:
    return work.actor.regions[0].ljust(6, "0") if work.actor.regions else None


async def _versions(connection: asyncpg.Connection, code: str) -> list[Any]:
    """The versions of an item, oldest first; nobody else drafts or publishes one until the transaction ends."""
    await one_at_a_time(connection, f"CATALOG_ITEM {code}")
    found: list[Any] = await connection.fetch(_VERSIONS, code)
    return found


async def _known(work: Work, code: str) -> list[Any]:
    """The versions that the caller knows of: those it is shown, and what was published for everybody."""
    versions, parameters = await _versions(work.connection, code), Parameters()
    classes = work.view.vocabulary.entities["CatalogItemVersion"].row_classes
    shown = Access(work.view, parameters).visible(Row("c", TABLES["case_file"]), classes)
    ids = parameters.bind(FromRef(Constant([str(row["public_id"]) for row in versions])), "uuid[]")
    sql = f"SELECT c.case_id FROM case_file c WHERE c.public_id = ANY ({ids}) AND {shown}"  # noqa: S608 -- placeholders only
    seen = {row["case_id"] for row in await work.rows(sql, parameters)}
    return [row for row in versions if row["case_id"] in seen or row["state"] in _SHOWN]


def _details(row: Mapping[str, Any]) -> CatalogDetails:
    return from_json(CatalogDetails, orjson.loads(row["details"]))


async def _applied(work: Work, transition: str, given: Mapping[str, Any]) -> Case[Any]:
    taken = await engine.apply(
        work.connection, work.machines, CATALOG_ITEM, given["number"], transition, work.step(given)
    )
    return taken.case


async def _take(work: Work, transition: str, given: Mapping[str, Any]) -> Made:
    return Made(ids=((await _applied(work, transition, given)).public_id,))


def _steps(transition: str) -> Command:
    async def take(work: Work, given: Mapping[str, Any]) -> Made:
        return await _take(work, transition, given)

    return take


Rows = Callable[[str, Sequence[Any]], Awaitable[list[Any]]]
_PUBLISHED = """
SELECT c.owner, c.details, (
  SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'state', d.state, 'acknowledged_at', d.acknowledged_at)
    ORDER BY d.channel)
  FROM delivery_out d JOIN case_event e USING (event_id) WHERE d.case_id = c.case_id AND e.transition = 'publish'
) AS deliveries
FROM case_file c
WHERE c.mechanism = 'CATALOG_ITEM' AND c.state IN ('PUBLISHED', 'SUPERSEDED')
  AND (c.details->>'in_force_from')::date <= $1
  AND ($2::text IS NULL OR c.details->'content'->>'kind' = $2) AND ($3::text IS NULL OR c.details->>'code' = $3)
  AND ($4::int IS NULL OR (c.details->>'item_version')::int = $4)
  AND ($4::int IS NOT NULL OR c.state = 'PUBLISHED' OR (c.details->>'effective_to')::date > $1)
  AND ($5::text IS NULL OR c.details->>'code' COLLATE "C" > $5)
ORDER BY c.details->>'code' COLLATE "C", (c.details->>'item_version')::int LIMIT $6
"""
# Items in one answer, as many as the largest page (matrix.toml): an item comes with all its data items.
MOST_SHOWN = 100


async def published(rows: Rows, given: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The catalogue as everybody may read it: the versions in force on a day, or one version; never a draft (R4.2).

    It is what the department says of itself, not of any subject; drafts and their reviews are process (D38).
    """
    today = now.astimezone(SHANGHAI).date()
    day: date = given.get("on") or today
    if day > today:
        raise BadUserInput("What will be in force is not known.", argument="on")
    first = given.get("first", MOST_SHOWN)
    if not 1 <= first <= MOST_SHOWN:
        raise BadUserInput(f"1 to {MOST_SHOWN} items at once.", argument="first")
    asked = (day, given.get("kind"), given.get("code"), given.get("version"), given.get("after_code"), first)
    found = await rows(_PUBLISHED, asked)
    return [
        {
            "ord": number,
            "unit": row["owner"],
            "channels": orjson.loads(row["deliveries"] or "[]"),
            **_shown(row),
        }
        for number, row in enumerate(found)
    ]


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    told = _details(row)
    content = {
        name: value for name, value in vars(told.content).items() if name not in ("site", "effective_from")
    }
    return {
        "code": told.code,
        "version": told.item_version,
        **content,
        "data_items": [vars(one) for one in told.content.data_items],
        "standard": told.standard,
        "deviations": [vars(one) for one in told.deviations],
        "effective_from": told.in_force_from,
        "effective_to": told.effective_to,
    }


COMMANDS: dict[str, Command] = {
    "catalogue.draft": draft,
    "catalogue.revise": revise,
    "catalogue.publish": publish,
    **{
        f"catalogue.{name}": _steps(name)
        for name in ("submit", "accept", "pass_secrecy", "reject", "return", "retire")
    },
}
READINGS = {"catalogue": published}
