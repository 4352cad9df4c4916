"""A firm that is known by an old number turns out to be one with a code, while cases about it are open (§2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from connectors import registry
from connectors.contract import Batch, Connector
from connectors.reading import json_raw
from hub.harvest.joining import join
from hub.harvest.quarantine import list_quarantined
from hub.harvest.replay import replay
from hub.harvest.run import harvest
from hub.harvest.understood import Rejected
from hub.ledger.audit import who_saw
from hub.sandbox.tokens import DEMO_SUBJECT
from hub.store.writing import one_writer
from tests.casework import test_disclosures as disclosures
from tests.casework import test_measures as measures
from tests.casework import test_repair as repairs
from tests.casework.desk import MONDAY, Office
from tests.casework.test_objections import READ, RECORD, REVOKE, commerce, seen, subject, took
from tests.harvesting import imported, written
from tests.publicity_files import OTHER_FIRM, TOOLS, penalty_row

# As the register tells a firm that it has struck off.
STRUCK_OFF = {
    "tyshxydm": DEMO_SUBJECT, "qymc": "青海三江源商贸有限公司", "ztlx": "企业法人", "djzt": "注销", "clrq": "2012-01-01",
    "xzqh": "630103", "hydm": "F5211", "fddbr": "马得林", "zs": "某路1号", "lxdh": None, "scbz": "0", "gxsj": "2026-11-01 08:00:00",
}  # fmt: skip
OWN = f'{{ subject(value: "{DEMO_SUBJECT}") {{ ... on Organization {{ registrationStatus }} }} }}'
NODE = "query N($id: ID!) { node(id: $id) { id ... on Organization { uscc records(first: 9) { edges { node { id } } } } } }"


def market() -> Connector:
    """The register."""
    settings = {"URL": "http://x", "APP_ID": "x", "APP_SECRET": "0" * 16, "CASE": "x"}
    return registry.connect({f"HUB_REGISTRY_{name}": said for name, said in settings.items()}, TOOLS)


async def told(office: Office, row: dict[str, Any]) -> None:
    """The register tells this."""
    source = market()
    batch = Batch([json_raw(f"MARKET_REGULATION/{registry.REGISTRATION}", "1", row)], "{}")

    async def harvested(_: str | None) -> AsyncIterator[Batch]:
        yield batch

    source.harvest = harvested  # type: ignore[method-assign, assignment]
    await harvest(source, office.database.writer, lambda: MONDAY, pauses=())


async def penalized(office: Office, tmp_path: Path, number: str) -> str:
    """A penalty of whoever has this old number; gives its opaque id."""
    named = {"CF_XDR_SHXYM": "0" * 17 + "X", "CF_XDR_GSZC": number, "CF_WSH": f"青商罚〔2026〕{number}号"}
    await imported(office.database, written(tmp_path, penalty_row(**named), name="CF_20261101.csv"))
    sql = "SELECT public_id FROM record WHERE document_number = $1 AND superseded_at IS NULL"
    (found,) = await office.rows(sql, named["CF_WSH"])
    return "r" + str(found["public_id"]).replace("-", "")


async def objected_to(office: Office, tmp_path: Path, number: str) -> tuple[str, str, int]:
    """A penalty of whoever has this old number, with a case about it; and the row that waits for it, of the coded firm."""
    record = await penalized(office, tmp_path, number)
    case = (await commerce(office).done(RECORD, {"target": record}))["recordObjection"]
    await told(office, STRUCK_OFF | {"zch": None, "djzt": "存续", "gxsj": "2026-10-01 08:00:00"})
    await told(office, STRUCK_OFF | {"zch": number})
    (waits,) = await list_quarantined(office.database.writer)
    assert waits.reason_code == "KEY_CONFLICT"
    return record, case["number"], waits.quarantine_id


async def joined(office: Office, number: int, because: str | None = "登记机关证明") -> Rejected | None:
    """A person replays the row; with `because`, finding that the two are one."""
    return await replay(
        office.database.writer, market(), number, {}, lambda: MONDAY, by="值班员", joined=because
    )


async def test_on_a_persons_word_the_cases_about_an_old_number_are_the_firms_and_go_on(
    office: Office, tmp_path: Path
) -> None:
    record, case, waits = await objected_to(office, tmp_path, "6301001200001")
    (old,) = await office.rows("SELECT subject_id, public_id FROM subject WHERE uscc IS NULL")
    firm = subject(office, "SELF_QUERY")
    refused = await joined(office, waits, None)
    assert refused is not None
    assert "--joined --reason" in refused.reason
    # Until then the register's word that it has struck the firm off waits, and nothing is denied of it.
    assert (await firm.done(OWN))["subject"] == {"registrationStatus": "存续"}
    assert await joined(office, waits) is None
    assert (await firm.done(OWN))["subject"] == {"registrationStatus": "注销"}
    (now,) = await office.rows("SELECT subject_id, in_doubt FROM subject WHERE uscc = $1", DEMO_SUBJECT)
    assert now["in_doubt"] is None
    (row,) = await list_quarantined(office.database.writer, every=True)
    assert (row.settled_by, row.joined_because) == ("值班员", "登记机关证明")
    # It is the firm's now: it reads the case, and the penalty is marked.
    assert (await subject(office).done(READ, {"number": case}))["case"]["number"] == case
    assert await seen(commerce(office), DEMO_SUBJECT, record) == ("UNDER_OBJECTION", True)
    id_of_old = "s" + str(old["public_id"]).replace("-", "")
    assert (await commerce(office).done(NODE, {"id": id_of_old}))["node"]["records"]["edges"] == []
    made = await took(commerce(office), case, "upholdObjection", REVOKE)
    assert made["state"] == "UPHELD"
    assert await seen(commerce(office), DEMO_SUBJECT, record) is None
    connection = await asyncpg.connect(office.database.owner_dsn)
    told_of = {tuple(entry.subjects) for entry in await who_saw(connection, now["subject_id"])}
    await connection.close()
    assert {(old["subject_id"],), (now["subject_id"],)} <= told_of


async def test_an_officer_who_takes_a_step_meanwhile_and_the_person_who_joins_wait_for_each_other(
    office: Office, tmp_path: Path
) -> None:
    _, case, waits = await objected_to(office, tmp_path, "6301001200002")
    officer = await asyncpg.connect(office.database.owner_dsn)
    async with officer.transaction():
        await officer.fetch("SELECT FROM case_file WHERE number = $1 FOR UPDATE", case)
        joining = asyncio.create_task(joined(office, waits))
        await office.waiting()
        await one_writer(officer)
    await officer.close()
    assert await joining is None
    whose = "SELECT uscc FROM case_file JOIN subject USING (subject_id) WHERE number = $1"
    assert (await office.rows(whose, case))[0]["uscc"] == DEMO_SUBJECT


async def test_whoever_is_told_of_a_firm_that_has_its_code_now_is_told_the_code(
    office: Office, tmp_path: Path
) -> None:
    """The channels that a repair is followed on, and the agency that is asked about an objection."""
    numbers, codes = ("6301001200003", "6301001200004"), (OTHER_FIRM, "91630103MA75LCD12N")
    record, other = [await penalized(office, tmp_path, number) for number in numbers]
    await office.rows("UPDATE record SET source = 'CUSTOMS' WHERE public_id = $1::uuid", other[1:])
    repair = (await repairs.recorded(office, record))["number"]
    objection = (await commerce(office).done(RECORD, {"target": other}))["recordObjection"]["number"]
    for number, code in zip(numbers, codes, strict=True):
        await told(office, STRUCK_OFF | {"zch": number, "tyshxydm": code})
    await repairs.examined(office, repair)
    approver, paper = repairs.department(office).second(), ', documentNumber: "青商修〔2026〕1号"'
    await repairs.took(approver, repair, "approveRepair", paper)
    sent = (
        "SELECT DISTINCT payload->'document'->>'subject_code' AS code FROM delivery_out JOIN case_file USING (case_id)"
        " WHERE number = $1"
    )
    assert [row["code"] for row in await office.rows(sent, repair)] == [codes[0]]
    await took(commerce(office), objection, "forwardObjection")
    asked = "SELECT details->>'subject_code' AS code FROM case_file WHERE details->>'objection' = $1"
    assert [row["code"] for row in await office.rows(asked, objection)] == [codes[1]]


async def _repair(office: Office, code: str) -> str:
    record = await office.adverse(code, date(2026, 8, 1), **repairs.DEPARTMENT)
    return str((await repairs.recorded(office, record))["number"])


async def _measure(office: Office, code: str) -> str:
    return await measures._initiated(office, await office.listed(code, "BLACK"))


async def _exposure(office: Office, code: str) -> str:
    laid = await office.adverse(code, date(2026, 5, 10), "SERIOUS", usable_until=date(2027, 5, 10))
    given = {"penalty": laid, "text": disclosures.TEXT}
    return str((await office.desk().done(disclosures.DRAFT, given))["draftCaseDisclosure"]["number"])


@pytest.mark.parametrize("opened", [_repair, _measure, _exposure])
async def test_a_case_that_is_opened_while_its_firm_is_joined_to_another_is_the_others(
    office: Office, opened: Callable[[Office, str], Awaitable[str]]
) -> None:
    codes = [await office.subject(), await office.subject()]
    sql = "SELECT subject_id FROM subject WHERE uscc = ANY ($1::text[]) ORDER BY subject_id"
    part, whole = [row["subject_id"] for row in await office.rows(sql, codes)]
    delivery = await asyncpg.connect(office.database.owner_dsn)
    async with delivery.transaction():
        await one_writer(delivery)
        opening = asyncio.create_task(opened(office, codes[0]))
        await office.waiting()
        await join(delivery, [(part, whole)], "MARKET_REGULATION", MONDAY)
    await delivery.close()
    whose = "SELECT subject_id FROM case_file WHERE number = $1"
    assert [row["subject_id"] for row in await office.rows(whose, await opening)] == [whole]
