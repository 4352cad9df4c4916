"""The acceptance tests of the policy's domain that belong to no single mechanism; every one of the eighteen has its number."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.casework.delivery.alarms import raise_alarms
from hub.casework.delivery.channels import Channel, Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.rights.consents import Consent, record_consent, withdraw_consent
from hub.rights.matrix import Purpose
from hub.sandbox.customs import ANOMALY_SERVICE, LEVEL_SERVICE, CustomsService
from hub.sandbox.facts import CustomsFile, CustomsLevel, Subject
from hub.sandbox.platform import Platform
from hub.sandbox.province import Province
from hub.sandbox.run import APP_KEY
from hub.sandbox.server import serving
from schema.persons import resident_check
from tests.casework.desk import Desk, Office, office_over
from tests.casework.dispatch import sites
from tests.conftest import Database
from tests.harvesting import imported, written
from tests.publicity_files import COLLECTIVE, license_row
from tests.readme_tables import ROOT

# Being built: whoever writes one takes it off.
NOT_YET: frozenset[int] = frozenset()
PLACEHOLDER = "0" * 17 + "X"
FIND = "query F($v: String!, $s: IdentifierScheme!) { subject(value: $v, scheme: $s) { id displayName } }"
GRADES = """query G($c: String!) { subject(value: $c) { ... on Organization {
  grades { scheme gradeCode gradeLabel rulesetVersion } summary { taxGradeIsD } } } }"""
RUN = "mutation Run($c: USCC!) { runCreditCheck(subject: $c) { conclusion eligibility { answer } reasons { code } } }"


@pytest.fixture(scope="module")
async def office(shared_database: Database, state_dir: Path) -> AsyncIterator[Office]:
    """An office for all tests of this module."""
    async with office_over(shared_database, state_dir) as found:
        yield found


async def _affiliated(office: Office, code: str, partner: str = "mall", kind: str = "MERCHANT") -> None:
    await office.rows(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT $1, subject_id, $2, '2020-01-01' FROM subject WHERE uscc = $3",
        partner, kind, code,
    )  # fmt: skip


async def _graded(office: Office, code: str, grade: str) -> None:
    await office.fact(
        "grade", code, "g",
        {
            "scheme": "TAX", "data_class": "D16" if grade == "A" else "D17", "grade_code": grade,
            "grade_label": f"{grade}级", "ruleset_version": "TAX-2025", "issuer_name": "国家税务总局青海省税务局",
            "period": "2025", "effective_from": date(2026, 4, 20), "source": "TAX",
        },
    )  # fmt: skip


def test_every_acceptance_test_has_its_number() -> None:
    found = {
        int(number)
        for path in (ROOT / "tests").rglob("test_*.py")
        for number in re.findall(
            r"^(?:async )?def test_acceptance_(\d\d)_", path.read_text("utf-8"), re.MULTILINE
        )
    }
    assert set(range(1, 19)) - found <= NOT_YET
    assert found <= set(range(1, 19))


@dataclass(frozen=True)
class _OneTrader:
    """A province in which one firm's only level is of 2020, and was never looked at again."""

    subject: Subject

    def find(self, code: str) -> Subject | None:
        return self.subject if code == self.subject.code else None


async def test_acceptance_06_a_customs_level_keeps_the_rule_set_of_its_day(
    database: Database, state_dir: Path
) -> None:
    trader = next(one for one in Province(300, date(2026, 11, 23)).organizations() if one.customs is not None)
    assert trader.customs is not None
    old = CustomsLevel("一般认证企业", "CUSTOMS-237", date(2020, 6, 1))
    trader = replace(
        trader, customs=CustomsFile(trader.customs.code, date(2018, 6, 1), trader.customs.kind, (old,))
    )
    one: Any = _OneTrader(trader)
    platform = Platform(
        {"hub-customs": APP_KEY},
        {name: CustomsService(one, name) for name in (LEVEL_SERVICE, ANOMALY_SERVICE)},
    )
    async with serving(platform.app()) as url:
        customs = {
            "HUB_CUSTOMS_URL": url, "HUB_CUSTOMS_APP_ID": "hub-customs", "HUB_CUSTOMS_APP_SECRET": APP_KEY,
            "HUB_CUSTOMS_CASE": "青商信共享〔2026〕1号", "HUB_SOURCE_DEADLINE": "5",
        }  # fmt: skip
        async with office_over(database, state_dir, customs) as office:
            # Signatures are of the present.
            office.clock.now = datetime.now(UTC)
            code = await office.subject(code=trader.code)
            await _affiliated(office, code)
            for desk in (
                office.desk(),
                office.desk("customs", "NOTIFICATION", None, None),
                office.desk("mall", None, None, None),
            ):
                grades = (await desk.done(GRADES, {"c": code}))["subject"]["grades"]
                told = [(one["gradeCode"], one["gradeLabel"], one["rulesetVersion"]) for one in grades]
                assert told == [("GENERAL_CERTIFIED", "一般认证企业", "CUSTOMS-237")], desk.partner


async def test_acceptance_07_tax_grade_m_is_for_the_handling_unit_and_not_adverse(office: Office) -> None:
    code = await office.subject()
    await _affiliated(office, code)
    before = (await office.desk("mall", None, None, None).done(GRADES, {"c": code}))["subject"]
    await _graded(office, code, "M")
    assert (await office.desk("mall", None, None, None).done(GRADES, {"c": code}))["subject"] == before
    assert before["grades"] == []
    seen = (await office.desk().done(GRADES, {"c": code}))["subject"]
    assert [(one["gradeCode"], one["gradeLabel"]) for one in seen["grades"]] == [("M", "M级")]
    assert seen["summary"]["taxGradeIsD"] == "NO"
    check = (await office.desk().done(RUN, {"c": code}))["runCreditCheck"]
    assert (check["conclusion"], check["eligibility"]["answer"]) == ("GREEN_CHANNEL", "YES")


async def test_acceptance_09_a_rural_collective_has_a_code_and_the_placeholder_is_none(
    office: Office, tmp_path: Path
) -> None:
    name, number = "青海某某旧字号商行", "630100400001234"
    await imported(
        office.database,
        written(
            tmp_path,
            license_row(
                XK_XDR_MC="某村股份经济合作社", XK_XDR_SHXYM=COLLECTIVE, XK_WSH="青许〔2026〕000091号"
            ),
            license_row(
                XK_XDR_MC=name,
                XK_XDR_SHXYM=PLACEHOLDER,
                XK_XDR_GSZC=_registration(number),
                XK_WSH="青许〔2026〕000092号",
            ),
        ),
    )
    desk = office.desk()
    assert (await desk.done(FIND, {"v": COLLECTIVE, "s": "USCC"}))["subject"][
        "displayName"
    ] == "某村股份经济合作社"
    refused = await desk.refused(FIND, {"v": PLACEHOLDER, "s": "USCC"})
    assert refused["code"] == "BAD_USER_INPUT"
    found = (await desk.done(FIND, {"v": _registration(number), "s": "BUSINESS_REG_NO"}))["subject"]
    assert found["displayName"] == name
    assert (await office.rows("SELECT count(*) FROM identifier WHERE value = $1", PLACEHOLDER))[0][0] == 0


def _registration(number: str) -> str:
    """A registration number with the check digit of GB/T 17710."""
    rest = 10
    for digit in number[:14]:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return number[:14] + str((11 - rest) % 10)


async def test_acceptance_10_three_persons_of_one_name_stay_three_and_are_not_found_by_it(
    office: Office, tmp_path: Path
) -> None:
    name = "马德林"
    numbers = [f"6301031990030701{serial}" for serial in ("1", "2", "3")]
    numbers = [first[:17].ljust(17, "0") for first in numbers]
    numbers = [first17 + resident_check(first17) for first17 in numbers]
    assert len(set(numbers)) == 3
    await imported(
        office.database,
        written(
            tmp_path,
            *(
                license_row(
                    XK_XDR_MC=name, XK_XDR_LB="自然人", XK_XDR_SHXYM="", XK_FRDB="", XK_XDR_ZJLX="身份证",
                    XK_XDR_ZJHM=number, XK_WSH=f"青许〔2026〕0001{place}号",
                )
                for place, number in enumerate(numbers)
            ),
        ),
    )  # fmt: skip
    rows = await office.rows(
        "SELECT subject_id FROM subject WHERE kind = 'NATURAL_PERSON' AND display_name = $1", name
    )
    assert len(rows) == 3
    match = "query M($n: String!) { matchSubjects(name: $n) { subject { id } } }"
    for desk in (office.desk(), office.desk("reform", "ONGOING_SUPERVISION", None, None)):
        assert (await desk.done(match, {"n": name}))["matchSubjects"] == []
    assert (await office.desk().refused(FIND, {"v": name, "s": "USCC"}))["code"] == "BAD_USER_INPUT"
    # Nor is it anybody's number.
    assert (await office.desk().done(FIND, {"v": name, "s": "RESIDENT_ID"}))["subject"] is None
    found = await office.desk().done(FIND, {"v": numbers[0], "s": "RESIDENT_ID"})
    assert found["subject"]["displayName"] == name


async def test_acceptance_11_a_merchant_of_another_platform_is_told_like_one_that_nobody_knows(
    office: Office,
) -> None:
    own, other = await office.subject(), await office.subject()
    nobody = "91630103MA75ABCD1M"
    await _affiliated(office, own)
    archive = {
        "archive_type": "MEMBER", "data_class": "D24", "origin_class": "MARKET_CREDIT", "keeper_name": "某协会",
        "items": "[]", "source": "ASSOCIATION", "provider_name": "某协会",
    }  # fmt: skip
    ids = {code: await office.fact("archive", code, "a", archive) for code in (own, other)}
    asked = "query A($c: String!) { subject(value: $c) { ... on Organization { archives { id archiveType } summary { taxGradeIsD } } } }"
    mall = office.desk("mall", None, None, None)
    assert (await mall.done(asked, {"c": own}))["subject"]["archives"] == [
        {"id": ids[own], "archiveType": "MEMBER"}
    ]
    told, unknown = await mall.ask(asked, {"c": other}), await mall.ask(asked, {"c": nobody})
    assert _without_request(told) == _without_request(unknown)
    assert told["data"] == {"subject": None}
    node = "query N($id: ID!) { node(id: $id) { id } }"
    nobody = "a" + "0" * 32
    assert _without_request(await mall.ask(node, {"id": ids[other]})) == _without_request(
        await mall.ask(node, {"id": nobody})
    )


def _without_request(answer: Mapping[str, Any]) -> dict[str, Any]:
    extensions = {name: value for name, value in answer["extensions"].items() if name != "requestId"}
    return {**answer, "extensions": extensions}


async def test_acceptance_12_a_second_after_consent_is_withdrawn_nothing_of_it_is_served(
    office: Office,
) -> None:
    code = await office.subject()
    await _affiliated(office, code)
    await _graded(office, code, "B")
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    letter = Consent(code, "mall", (Purpose.MERCHANT_ADMISSION,), ("D17",), True, begins, ends, "a" * 64)
    writer = office.database.writer
    consent = await record_consent(writer, letter, begins, "operator")
    asked = "query S($c: String!) { subject(value: $c) { ... on Organization { summary { taxGradeIsD } } } }"
    mall, ten = office.desk("mall", None, None, None), datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    async def at(moment: datetime) -> Any:
        office.clock.now = moment
        return (await mall.done(asked, {"c": code}))["subject"]["summary"]["taxGradeIsD"]

    assert await at(ten - timedelta(seconds=1)) == "NO"
    assert await withdraw_consent(writer, consent.number, ten, "operator") == ten
    assert await at(ten + timedelta(seconds=1)) is None


NOTIFIED = """
mutation N($n: String!) {
  a: notifyListing(number: $n, documentNumber: "d", facts: "f", reasons: "r", basis: "b", measures: "m", rightToDefend: true) { state }
  b: serveListingNotice(number: $n, servedOn: "2026-11-16") { state }
}
"""
LISTED = """
mutation L($n: String!) {
  a: recognizeListing(number: $n, documentNumber: "d", repairNoticeNumber: "r") { state }
  b: publishListing(number: $n) { entry { id } }
}
"""
ANNUL = 'mutation V($n: String!) { revokeListing(number: $n, reason: "判决撤销", documentNumber: "判1号") { exitReason } }'


async def _listed(office: Office) -> tuple[Desk, str, str]:
    """A published place on a list: its handler, its number and the id of its entry."""
    office.clock.now = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
    await office.defined("ACC-BLACK", "BLACK")
    desk = office.desk(purpose="ONGOING_SUPERVISION", case=None)
    made = await desk.done(
        """mutation P($c: USCC!) { proposeListing(subject: $c, listCode: "ACC-BLACK", cause: "c", ground: MARKET_ORDER) { number } }""",
        {"c": await office.subject()},
    )
    number = made["proposeListing"]["number"]
    await desk.done(NOTIFIED, {"n": number})
    office.clock.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    return desk, number, (await desk.done(LISTED, {"n": number}))["b"]["entry"]["id"]


@pytest.mark.parametrize("reached", [True, False])
async def test_acceptance_13_r7_4_r8_5_an_annulled_place_is_withdrawn_with_its_reason_or_there_is_an_alarm(
    office: Office, reached: bool
) -> None:
    desk, number, entry = await _listed(office)
    async with (
        sites(clock=lambda: office.clock.now.timestamp()) as channels,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        courier = Courier(office.database.writer, Client(http, 5), Pace(), office.clock, lambda: 0.0)
        for site in channels.values():
            await courier.deliver(site.address)
        assert all(entry in site.site.listing()["published"] for site in channels.values())
        office.clock.now += timedelta(days=1)
        await desk.done(ANNUL, {"n": number})
        for site in channels.values() if reached else ():
            await courier.deliver(site.address)
        shown = {channel: site.site.listing() for channel, site in channels.items()}
    told = [entry in one["published"] for one in shown.values()]
    assert told == [not reached] * 4
    if reached:
        assert {one["withdrawn"][entry] for one in shown.values()} == {"判决撤销"}
    # Annulled on Wednesday the 25th: Credit China (Qinghai) hears of it that day, the withdrawal has until the 30th.
    alarms = []
    for moment in (
        datetime(2026, 11, 26, 2, tzinfo=UTC),
        datetime(2026, 11, 30, 2, tzinfo=UTC),
        datetime(2026, 12, 1, 2, tzinfo=UTC),
    ):
        raised = (await raise_alarms(office.database.writer, moment)).raised
        alarms.append({(one.channel, one.rule, one.priority) for one in raised if one.item == entry})
    others = {(str(one), "R7.4", 1) for one in Channel if one is not Channel.CREDIT_QINGHAI}
    first = set() if reached else {("CREDIT_QINGHAI", "R8.5", 1)}
    assert alarms == [first, set(), set() if reached else others]
