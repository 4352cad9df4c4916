"""GraphiQL on the whole hub: a person asks about one merchant as customs, a platform, the department."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.app import create_app
from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from tests.chromium import Pipe
from tests.conftest import Database
from tests.graphiql_person import Person
from tests.serving import serving

pytestmark = pytest.mark.browser

_FACT = (
    "'{source}', '{source}-1', '青海省', 'C1', 'PUBLIC', now(), repeat('0', 64), now()"
    " FROM subject WHERE uscc = '91630103MA75ABCD1M'"
)
_SOURCED = (
    "source, source_record_id, provider_name, catalog_item_code, sharing_attribute, fetched_at,"
    " payload_digest, recorded_at"
)
STORE = f"""
INSERT INTO subject (kind, uscc, region_code, display_name, name_key, registration_status, established_on,
  industry_code, legal_representative_name)
VALUES ('LEGAL_PERSON', '91630103MA75ABCD1M', '630103', '青海三江源商贸有限公司', '三江源', '存续',
  '2017-03-01', '5199', '马得林');
INSERT INTO affiliation (partner, subject_id, kind, valid_from)
  SELECT 'mall', subject_id, 'MERCHANT', '2026-01-01' FROM subject;
INSERT INTO registration (subject_id, data_class, display_name, name_key, region_code, address, phone, {_SOURCED})
  SELECT subject_id, 'D2', display_name, name_key, region_code, '西宁市城中区南大街1号', '13997123456',
  {_FACT.format(source="MARKET_REGULATION")};
INSERT INTO grade (subject_id, data_class, scheme, grade_code, grade_label, ruleset_version, issuer_name,
  effective_from, {_SOURCED})
  SELECT subject_id, 'D17', 'TAX', 'B', 'B级', 'TAX-2025', '国家税务总局青海省税务局', '2026-04-20',
  {_FACT.format(source="TAX")};
INSERT INTO grade (subject_id, data_class, scheme, grade_code, grade_label, ruleset_version, issuer_name,
  effective_from, {_SOURCED})
  SELECT subject_id, 'D24', 'ASSOCIATION', 'AA', 'AA级', 'GXH-2024', '青海省商业联合会', '2026-01-10',
  {_FACT.format(source="ASSOCIATION")};
"""


@pytest.fixture
async def guest(database: Database, browser: Pipe, graphiql_assets: None) -> AsyncIterator[Person]:
    """Somebody at a whole hub in demo mode that knows one merchant."""
    await database.writer.execute(STORE)
    now = datetime.now(UTC)
    key = demo_issuer(database.settings.state_dir).key
    await apply_agreements(database.writer, demo_agreements(key).values(), load_matrix(), now, "test")
    async with serving(create_app(database.settings)) as url:
        yield Person(await browser.tab(), url)


def subject(answer: dict[str, Any]) -> dict[str, Any]:
    """The merchant in an answer."""
    assert answer["data"]["subject"], answer
    found = answer["data"]["subject"]
    assert isinstance(found, dict)
    return found


def schemes(answer: dict[str, Any]) -> set[str]:
    """Whose grades an answer holds."""
    return {grade["scheme"] for grade in subject(answer)["grades"]}


async def test_one_question_asked_as_customs_as_the_department_and_as_the_mall(guest: Person) -> None:
    await guest.open()
    customs_fields = await guest.become("customs", "NOTIFICATION")
    assert schemes(await guest.run()) == {"TAX", "ASSOCIATION"}
    assert "Organization.contact" in await guest.looks_up("contact")
    await guest.switch_to("Contact")
    masked = subject(await guest.run())["contact"]
    assert "13997123456" not in str(masked)

    await guest.become("commerce", "ONGOING_SUPERVISION")
    assert subject(await guest.run())["contact"] == {
        "address": "西宁市城中区南大街1号",
        "phone": "13997123456",
    }

    assert await guest.become("mall") < customs_fields
    refused = await guest.run()
    assert "contact" in refused["errors"][0]["message"]
    assert "data" not in refused
    assert await guest.looks_up("contact") == []
    await guest.switch_to("MerchantCheck")
    as_mall = await guest.run()
    assert subject(as_mall)["displayName"] == "青海三江源商贸有限公司"
    assert schemes(as_mall) == {"ASSOCIATION"}
    await guest.leaves_no_trace(refused=1)


async def test_every_example_gives_the_department_data_and_no_error(guest: Person) -> None:
    await guest.open()
    await guest.become("commerce")
    for title in (
        "MerchantCheck",
        "Dossier",
        "Contact",
        "BulkCheck",
        "ListPage",
        "WhoAmI",
        "Explain",
        "WhatIsDue",
        "RunCheck",
    ):
        await guest.switch_to(title)
        answer = await guest.run()
        assert "errors" not in answer, (title, answer)
        assert answer["data"]
    await guest.leaves_no_trace()


async def test_every_demo_partner_can_read_its_schema_and_check_a_merchant(guest: Person) -> None:
    await guest.open()
    listed = "[...document.querySelector('select[name=partner]').options].map(o => o.value)"
    partners = await guest.tab.until(listed)
    assert len(partners) == 12
    for partner in partners:
        assert await guest.become(partner) > 0
        assert "errors" not in await guest.run(), partner
    await guest.leaves_no_trace()
