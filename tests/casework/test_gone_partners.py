"""A partner leaves the hub, or its agreement is over, while what it did goes on: it was its own work all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.rights.agreement_store import apply_agreements, suspend_agreement
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from schema.coordinates import vocabulary
from tests.casework import test_objections as objections
from tests.casework.check_documents import RUN
from tests.casework.desk import MONDAY, Office
from tests.casework.test_notifications import FILE, agency, commerce, issued, took
from tests.casework.test_reports import PREFILL, _at, _figure, _opened, _xining

COUNTY = "西宁市城东区商务局"


async def _applied(office: Office, *texts: str) -> None:
    await apply_agreements(
        office.database.writer, texts, load_matrix(), MONDAY, "test", vocabulary().coordinates, reinstate=True
    )


def _agreements(office: Office) -> dict[str, str]:
    return dict(demo_agreements(demo_issuer(office.database.settings.state_dir).key))


@asynccontextmanager
async def _left(office: Office, partner: str) -> AsyncIterator[None]:
    await suspend_agreement(office.database.writer, partner, office.clock.now, "test")
    try:
        yield
    finally:
        if partner in _agreements(office):
            await _applied(office, _agreements(office)[partner])


async def test_r18_3_the_work_of_a_county_whose_agreement_has_ended_since_is_in_its_prefectures_report(
    office: Office,
) -> None:
    text = _agreements(office)["commerce-xining"].replace('"REPORT", ', "").replace("西宁市商务局", COUNTY)
    for partner, region in (("county", "630102"), ("idle", "630104")):
        own = text.replace('"commerce-xining"', f'"{partner}"').replace('["6301"]', f'["{region}"]')
        await _applied(office, own)
    county = office.desk("county")
    await county.heard()
    _at(office, 2026, 9, 29)
    await county.done(RUN, {"code": await office.subject(region="630102")})
    _at(office, 2026, 10, 2)
    report = await _opened(office, 2026, 3)
    assert (_figure(report, "CHECKS")["prefilled"], len(report["departments"])) == (1, 3)
    async with _left(office, "county"), _left(office, "idle"):
        again = (await _xining(office).done(PREFILL, {"n": report["number"]}))["prefillQuarterlyReport"]
        assert _figure(again, "CHECKS")["prefilled"] == 1
        # Of whom nothing is counted the report does not tell.
        assert again["departments"] == ["commerce-xining", "county"]
        assert again["departmentNames"] == ["西宁市商务局", COUNTY]


async def test_r13_3_a_finding_is_of_the_authority_also_when_its_agreement_has_ended_since(
    office: Office,
) -> None:
    code, number = await issued(office, "forex")
    await took(agency(office, "forex"), number, "acknowledgeNotification")
    given = {"number": number, "authority": "forex", "on": "2026-11-20", "facts": "逃汇", "kinds": ["罚款"]}
    async with _left(office, "forex"):
        await commerce(office).done(FILE, {**given, "doc": "青汇检罚〔2026〕1号"})
    sql = "SELECT authority_name, provider_name FROM record JOIN subject USING (subject_id) WHERE uscc = $1"
    (row,) = await office.rows(sql, code)
    assert set(row) == {"国家外汇管理局青海省分局"}
    # Nor is it filed a second time once there is an agreement again.
    told = await commerce(office).refused(FILE, {**given, "doc": "青汇检罚〔2026〕1号"})
    assert told["reason"] == "FILED_ALREADY"


async def test_an_agency_that_has_joined_but_cannot_be_asked_here_is_asked_by_letter(office: Office) -> None:
    """The enquiry came to nobody, no letter could be recorded, and the record stayed marked until it was withdrawn."""
    code, full = await office.subject(), _agreements(office)["customs"]
    number, other = [
        (await objections.commerce(office).done(objections.RECORD, {"target": target}))["recordObjection"]["number"]
        for target in [await objections.penalty(office, code, "CUSTOMS") for _ in range(2)]
    ]  # fmt: skip
    asked = await objections.took(objections.commerce(office), other, "forwardObjection")
    letter = ', provider: "西宁海关", outcome: REJECTED, text: "无误", documentNumber: "署函1号"'
    await _applied(office, full.replace(', "NOTIFY"', ""))
    try:
        told = await objections.refusal(objections.commerce(office), number, "forwardObjection")
        assert told == "PROVIDER_NOT_CONNECTED"
        # As does one that could be asked when it was.
        for one in (number, asked["number"]):
            made = await objections.took(objections.commerce(office), one, "recordObjectionAnswer", letter)
            assert made["state"] == "ANSWERED"
    finally:
        await _applied(office, full)
    (ended,) = await office.rows("SELECT state FROM case_file WHERE number = $1", asked["enquiry"])
    assert ended["state"] == "WITHDRAWN"
