"""Places on lists that the credit platform tells of: which of them are in force (5.2, R8.5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.credit_platform import BLACK, WATCH
from tests.casework.check_documents import run
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.test_repair_results import imported

LISTED = """query L($c: String!) { subject(value: $c) {
  summary { hasSeriousDishonestyEntry hasWatchListEntry } listEntries { decisionNumber } } }"""
STATES = """query S($c: String!) { subject(value: $c) {
  records { edges { node { documentNumber lifecycle } } } listEntries { decisionNumber state } } }"""
PUBLIC = LISTED.replace("hasWatchListEntry ", "")


def entry(code: str, state: str, **more: Any) -> dict[str, Any]:
    """A row of the platform's: recognized, and shown nowhere yet."""
    return {
        "tyshxydm": code, "qymc": "青海某某有限公司", "ztmc": "青海某某有限公司", "ztlb": "法人及非法人组织", "zjhm": None,
        "mddm": "SW-WATCH", "zt": state, "lrsy": "一年内因同类违法行为受到两次行政处罚", "rdwh": "SW-WATCH〔2026〕7号",
        "rdrq": "2026-10-26", "gsqsrq": "", "zzxfrq": "2027-04-26", "gsjzrq": "2028-10-26", "tcrq": "", "tcyy": "",
        "yybz": "0", "scbz": "0", "gxsj": "2026-10-26 18:00:00", "xh": "1", **more,
    }  # fmt: skip


async def told(desk: Desk, code: str, query: str = LISTED) -> tuple[dict[str, str], list[str]]:
    found = (await desk.done(query, {"c": code}))["subject"]
    return found["summary"], [one["decisionNumber"] for one in found["listEntries"]]


async def test_who_is_recognized_for_a_watch_list_is_on_it(office: Office) -> None:
    """It is shown nowhere, so no publication puts it in force."""
    code = await office.subject()
    await imported(office, [entry(code, "已认定")], WATCH)
    supervision = office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-01", case=None)
    summary, listed = await told(supervision, code)
    assert (summary["hasWatchListEntry"], listed) == ("YES", ["SW-WATCH〔2026〕7号"])
    checked = (await run(office.desk(), code))["eligibility"]
    assert ("WATCH_LIST" in [one["code"] for one in checked["reasons"]], checked["answer"]) == (True, "NO")
    _, seen = await told(office.desk("public", "PUBLIC_QUERY", None, None), code, PUBLIC)
    assert seen == []


@pytest.mark.parametrize("state", ["已认定", "中止"])
async def test_who_is_recognized_for_a_serious_list_is_on_it_once_it_is_published(
    office: Office, state: str
) -> None:
    code = await office.subject()
    await imported(office, [entry(code, state, mddm="SW-BLACK")], BLACK)
    summary, listed = await told(
        office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-01", case=None), code
    )
    assert (summary["hasSeriousDishonestyEntry"] == "YES", listed) == (False, [])


# ---- what is over, though no source says so again -----------------------------------------------------------------


async def test_what_is_over_is_told_as_over_and_not_as_in_force(office: Office) -> None:
    """5.4: the last day is the end, whether or not anything is delivered or done on it."""
    code = await office.subject()
    last = MONDAY.date()
    for number, day in enumerate((last - timedelta(days=1), last), 1):
        await office.adverse(code, date(2026, 5, 10), document_number=f"{number}", usable_until=day)
        await office.listed(code, "BLACK", decision_number=f"{number}", publicity_ends_on=day)
    objected = {"lifecycle": "UNDER_OBJECTION", "under_objection": True}
    await office.adverse(
        code, date(2026, 5, 9), document_number="3", usable_until=date(2026, 8, 9), **objected
    )
    auditor = office.desk("auditor", "AUDIT", "A-1", None)
    found = (await auditor.done(STATES, {"c": code}))["subject"]
    records = {
        edge["node"]["documentNumber"]: edge["node"]["lifecycle"] for edge in found["records"]["edges"]
    }
    assert records == {"1": "EXPIRED", "2": "EFFECTIVE", "3": "EXPIRED"}
    entries = {one["decisionNumber"]: one["state"] for one in found["listEntries"]}
    assert entries == {"1": "EXITED_EXPIRED", "2": "PUBLISHED"}
