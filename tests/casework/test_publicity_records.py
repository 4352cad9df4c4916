"""What becomes of the hub's own record when its publication is withdrawn or suspended (R7.4, R7.5, 5.4), over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.registry import registry
from tests.casework.check_documents import run
from tests.casework.desk import Desk, Office
from tests.casework.test_objections import RECORD as OBJECT
from tests.casework.test_objections import delivered
from tests.casework.test_objections import took as decided
from tests.casework.test_publicity import at, drafted, published, refusal, reviewed, took
from tests.casework.test_repair import DEPARTMENT, penalty

NUMBER = "青商罚〔2026〕1号"
DECIDED = date(2026, 11, 12)
SEEN = "query R($c: String!) { subject(value: $c) { ... on Organization { records(first: 9) { edges { node { id } } } } } }"


async def published_of_source(office: Office) -> tuple[Desk, str, str]:
    """A penalty that is published: who did it, the case's number, the firm's code. It has no record yet."""
    desk, number, _ = await published(office, DECIDED)
    (row,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", number
    )
    return desk, number, row["code"]


async def shown(office: Office, **more: Any) -> tuple[Desk, str, str, str]:
    """A penalty that is published, and its record: who did it, the case's number, the firm's code, the record."""
    desk, number, code = await published_of_source(office)
    return desk, number, code, await penalty(office, code, DECIDED, document_number=NUMBER, **more)


def withdraw(ground: str = "REVOKED") -> str:
    return f', ground: {ground}, endedOn: "2026-11-20", reason: "经复议撤销", documentNumber: "青商撤〔2026〕1号"'


async def lives(office: Office, record: str) -> list[str]:
    """The lives of a record, one version after the other."""
    rows = await office.rows(
        "SELECT lifecycle FROM record WHERE public_id = $1::uuid ORDER BY version_id", record[1:]
    )
    return [row["lifecycle"] for row in rows]


async def in_force(office: Office, code: str, record: str) -> bool:
    """Whether partners, the public and a credit check are told of it; all of them or none."""
    check = await run(office.desk(), code)
    told = [
        [one["object"] for one in check["evidence"]["items"]] == [record],
        check["conclusion"] == "REMIND",
    ]
    for desk in (
        office.desk("public", "PUBLIC_QUERY", None, None),
        office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None),
    ):
        edges = (await desk.done(SEEN, {"c": code}))["subject"]["records"]["edges"]
        told.append(len(edges) == 1)
    assert len(set(told)) == 1, told
    return told[0]


@pytest.mark.parametrize(
    ("ground", "life"),
    [("REVOKED", "REVOKED"), ("UNLAWFUL", "REVOKED"), ("VOID", "REVOKED"), ("CHANGED", "CORRECTED")],
)
async def test_r7_4_the_record_of_a_withdrawn_decision_is_in_force_for_nobody(
    office: Office, ground: str, life: str
) -> None:
    desk, number, code, record = await shown(office)
    assert await in_force(office, code, record)
    await took(desk, number, "withdrawPublicity", withdraw(ground))
    assert await lives(office, record) == ["EFFECTIVE", life]
    assert not await in_force(office, code, record)


async def test_r7_4_a_withdrawal_that_is_refused_leaves_the_record_as_it_was(office: Office) -> None:
    desk, number, code, record = await shown(office)
    bad = withdraw().replace("2026-11-20", "2026-11-24")
    assert await refusal(desk, number, "withdrawPublicity", bad) == "DAY_IMPOSSIBLE"
    assert await in_force(office, code, record)


async def test_5_4_a_stay_takes_the_record_out_of_all_use_until_it_is_shown_again(office: Office) -> None:
    desk, number, code, record = await shown(office)
    await took(desk, number, "suspendPublicity", ', reason: "法院裁定停止执行"')
    assert not await in_force(office, code, record)
    await took(desk, number, "resumePublicity")
    assert await in_force(office, code, record)
    # A second stay ends with the decision itself.
    await took(desk, number, "suspendPublicity", ', reason: "复议期间停止执行"')
    await took(desk, number, "withdrawPublicity", withdraw())
    assert await lives(office, record) == ["EFFECTIVE", "SUSPENDED", "EFFECTIVE", "SUSPENDED", "REVOKED"]
    assert not await in_force(office, code, record)


async def test_5_4_a_record_under_objection_comes_back_with_its_mark(office: Office) -> None:
    desk, number, _, record = await shown(office)
    handler = office.desk("commerce", "OBJECTION_HANDLING", "SW-YY", None)
    objection = (await handler.done(OBJECT, {"target": record}))["recordObjection"]
    await took(desk, number, "suspendPublicity", ', reason: "复议期间"')
    await took(desk, number, "resumePublicity")
    assert (await lives(office, record))[-2:] == ["SUSPENDED", "UNDER_OBJECTION"]
    # Decided while it is suspended: what comes back has no mark.
    await took(desk, number, "suspendPublicity", ', reason: "复议期间"')
    await decided(
        handler, objection["number"], "rejectObjection", ', reason: "查无此事", documentNumber: "青商异1号"'
    )
    await took(desk, number, "resumePublicity")
    (row,) = await office.rows(
        "SELECT lifecycle, under_objection FROM record WHERE public_id = $1::uuid AND superseded_at IS NULL",
        record[1:],
    )
    assert tuple(row) == ("EFFECTIVE", False)


@pytest.mark.parametrize("life", ["REPAIRED", "REVOKED"])
async def test_5_4_what_ended_while_it_was_suspended_does_not_come_back(office: Office, life: str) -> None:
    desk, number, code, record = await shown(office)
    await took(desk, number, "suspendPublicity", ', reason: "复议期间"')
    await office.rows(
        "UPDATE record SET lifecycle = $2 WHERE public_id = $1::uuid AND superseded_at IS NULL",
        record[1:],
        life,
    )
    await took(desk, number, "resumePublicity")
    assert not await in_force(office, code, record)


async def test_5_4_what_its_source_had_suspended_before_does_not_come_back_with_the_publication(
    office: Office,
) -> None:
    desk, number, code, record = await shown(office, lifecycle="SUSPENDED")
    await took(desk, number, "suspendPublicity", ', reason: "复议期间"')
    await took(desk, number, "resumePublicity")
    assert await lives(office, record) == ["SUSPENDED"]
    assert not await in_force(office, code, record)


@pytest.mark.parametrize(
    "other",
    [
        {"document_number": "青商罚〔2026〕2号"},
        {"source": "MARKET_REGULATION"},
        {"authority_uscc": "11630000MB1234567A"},
        {"authority_uscc": None, "authority_name": "青海省市场监督管理局"},
        {"authority_uscc": None, "authority_name": None},
    ],
)
async def test_r7_4_a_withdrawal_ends_no_record_of_another_decision_or_authority(
    office: Office, other: dict[str, Any]
) -> None:
    desk, number, _ = await published(office, DECIDED)
    (row,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", number
    )
    record = await office.adverse(row["code"], DECIDED, **{"document_number": NUMBER, **DEPARTMENT, **other})
    await took(desk, number, "suspendPublicity", ', reason: "复议期间"')
    await took(desk, number, "withdrawPublicity", withdraw())
    assert await lives(office, record) == ["EFFECTIVE"]


@pytest.mark.parametrize(("authority", "life"), [("西宁市商务局", ["REVOKED"]), ("西宁市市场监督管理局", [])])
async def test_r7_4_another_department_ends_its_own_record_of_its_own_decision_and_none_of_the_provinces(
    office: Office, authority: str, life: list[str]
) -> None:
    own = {"authority_name": "西宁市商务局", "authority_uscc": None}
    code = await office.subject()
    record = await office.adverse(code, DECIDED, document_number=NUMBER, **own)
    others = await penalty(office, code, DECIDED, document_number=NUMBER)
    _, made = await drafted(office, DECIDED, code=code)
    # As the department of Xining would have drafted it.
    await office.rows(
        "UPDATE case_file SET owner = 'commerce-xining', details = details || jsonb_build_object('authority', $2::text)"
        " WHERE number = $1",
        made["number"],
        authority,
    )
    await office.rows(
        "UPDATE case_party SET partner = 'commerce-xining' WHERE case_id ="
        " (SELECT case_id FROM case_file WHERE number = $1)",
        made["number"],
    )
    desk = office.desk("commerce-xining", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL")
    await reviewed(desk, made["number"])
    await took(desk, made["number"], "publishDecision")
    await took(desk, made["number"], "withdrawPublicity", withdraw())
    assert await lives(office, record) == ["EFFECTIVE", *life]
    assert await lives(office, others) == ["EFFECTIVE"]


async def test_5_4_a_licence_holds_while_its_publication_is_suspended_and_ends_when_it_is_revoked(
    office: Office,
) -> None:
    desk, made = await drafted(office, DECIDED, kind="LICENSE", kinds=None)
    await reviewed(desk, made["number"])
    await took(desk, made["number"], "publishDecision")
    (row,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", made["number"]
    )
    licence = {"kind": "LICENSE", "data_class": "D4", "document_number": NUMBER}
    record = await penalty(office, row["code"], DECIDED, "NOT_ADVERSE", **licence)
    await took(desk, made["number"], "suspendPublicity", ', reason: "更正公示文本"')
    assert await lives(office, record) == ["EFFECTIVE"]
    await took(desk, made["number"], "resumePublicity")
    await took(desk, made["number"], "withdrawPublicity", withdraw())
    assert await lives(office, record) == ["EFFECTIVE", "REVOKED"]


async def test_5_10_an_upheld_objection_withdraws_the_publication_and_spares_the_record_in_its_place(
    office: Office,
) -> None:
    _, number, code, record = await shown(office)
    handler = office.desk("commerce", "OBJECTION_HANDLING", "SW-YY", None)
    objection = (await handler.done(OBJECT, {"target": record}))["recordObjection"]
    uphold = ', remedy: CORRECT, reason: "金额有误", documentNumber: "青商异2号", correction: { fineAmount: "5000" }'
    case = await decided(handler.second(), objection["number"], "upholdObjection", uphold)
    (row,) = await office.rows("SELECT state FROM case_file WHERE number = $1", number)
    assert row["state"] == "WITHDRAWN"
    assert (await lives(office, record))[-1] == "CORRECTED"
    assert await in_force(office, code, case["decision"]["corrected"])


# ---- later deliveries of the source ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ground", "life"),
    [("REVOKED", "REVOKED"), ("UNLAWFUL", "REVOKED"), ("VOID", "REVOKED"), ("CHANGED", "EFFECTIVE")],
)
async def test_r7_4_a_later_delivery_does_not_bring_back_what_was_withdrawn_but_what_was_changed(
    office: Office, ground: str, life: str
) -> None:
    desk, number, code = await published_of_source(office)
    record = await delivered(office, code, "COMMERCE", **OWN)
    await took(desk, number, "withdrawPublicity", withdraw(ground))
    ended = (await lives(office, record))[-1]
    # The same row again changes nothing; another is kept as told.
    assert await delivered(office, code, "COMMERCE", **OWN) == record
    assert (await lives(office, record)) == ["EFFECTIVE", ended]
    for title in ("改过的标题", "又改过的标题"):
        assert await delivered(office, code, "COMMERCE", **{**OWN, "title": title}) == record
        assert (await lives(office, record))[-1] == life
    assert await in_force(office, code, record) is (life == "EFFECTIVE")


async def test_5_4_a_later_delivery_does_not_end_a_stay(office: Office) -> None:
    desk, number, code = await published_of_source(office)
    record = await delivered(office, code, "COMMERCE", **OWN)
    await took(desk, number, "suspendPublicity", ', reason: "法院裁定停止执行"')
    await delivered(office, code, "COMMERCE", **{**OWN, "title": "改过的标题"})
    assert (await lives(office, record))[-1] == "SUSPENDED"
    assert not await in_force(office, code, record)
    await took(desk, number, "resumePublicity")
    assert await in_force(office, code, record)
    await delivered(office, code, "COMMERCE", **{**OWN, "title": "又改过的标题"})
    assert (await lives(office, record))[-1] == "EFFECTIVE"
    # That it ended is the source's to say, during a stay as well.
    await took(desk, number, "suspendPublicity", ', reason: "复议期间停止执行"')
    await delivered(office, code, "COMMERCE", **OWN, lifecycle="REVOKED")
    await took(desk, number, "resumePublicity")
    assert (await lives(office, record))[-1] == "REVOKED"


async def test_5_4_a_stay_outlives_the_period_of_its_publication(office: Office) -> None:
    """Nothing resumes it any more: its source does not either, nor does it move the last day of its use."""
    desk, made = await drafted(office, date(2025, 11, 20))
    await reviewed(desk, made["number"])
    office.clock.now = at(2026, 11, 20)
    await took(desk, made["number"], "publishDecision")
    (row,) = await office.rows(
        "SELECT details->>'subject_code' AS code FROM case_file WHERE number = $1", made["number"]
    )
    told = {**OWN, "decided_on": "2025-11-20"}
    record = await delivered(office, row["code"], "COMMERCE", **told)
    await took(desk, made["number"], "suspendPublicity", ', reason: "复议期间停止执行"')
    office.clock.now = at(2026, 11, 21)
    await keep_time(office.database.writer, registry().machines, automatic(), office.clock.now)
    await delivered(
        office, row["code"], "COMMERCE", **{**told, "title": "改过的标题", "usable_until": "2030-01-01"}
    )
    (now,) = await office.rows(
        "SELECT c.state, r.lifecycle, r.usable_until FROM record r, case_file c"
        " WHERE r.public_id = $1::uuid AND r.superseded_at IS NULL AND c.number = $2",
        record[1:],
        made["number"],
    )
    assert tuple(now) == ("ENDED_PERIOD", "SUSPENDED", date(2026, 11, 20))
    assert not await in_force(office, row["code"], record)


async def test_r7_4_what_one_case_revoked_is_not_merely_suspended_by_another_of_the_same_decision(
    office: Office,
) -> None:
    desk, number, code = await published_of_source(office)
    record = await delivered(office, code, "COMMERCE", **OWN)
    # Of the same number, with another day: a decision is drafted once.
    _, other = await drafted(office, DECIDED.replace(day=DECIDED.day - 1), code=code)
    await reviewed(desk, other["number"])
    await took(desk, other["number"], "publishDecision")
    await took(desk, other["number"], "suspendPublicity", ', reason: "复议期间停止执行"')
    # As cases are that were suspended before cases told what they revoked.
    await office.rows("UPDATE case_file SET details = details - 'revoked' WHERE number = $1", other["number"])
    await took(desk, number, "withdrawPublicity", withdraw())
    await delivered(office, code, "COMMERCE", **{**OWN, "title": "改过的标题"})
    assert (await lives(office, record))[-1] == "REVOKED"
    await took(desk, other["number"], "resumePublicity")
    await delivered(office, code, "COMMERCE", **{**OWN, "title": "又改过的标题"})
    assert (await lives(office, record))[-1] == "REVOKED"


OWN = {
    **DEPARTMENT, "title": "处罚", "decided_on": str(DECIDED), "categories": ["罚款"], "document_number": NUMBER,
    "seriousness": "GENERAL",
}  # fmt: skip
