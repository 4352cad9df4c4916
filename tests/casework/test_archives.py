"""Credit archives (article 十四): two sections side by side (R14.1), the clock of each type (R14.3), class by type."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import CatalogItem, Kind
from hub.errors import RulesInvalid
from hub.harvest.run import harvest
from hub.rules.archives import load_archive_rules, rule_of
from schema.archives import ARCHIVES
from tests.casework.desk import MONDAY, Desk, Office
from tests.harvesting import REGISTER, Rows, row
from tests.publicity_files import FIRM

SECTIONS = """
query Sections($code: String!) { subject(value: $code) { ... on Organization {
  public: archives(originClass: PUBLIC_CREDIT) { archiveType originClass }
  market: archives(originClass: MARKET_CREDIT) { archiveType originClass }
} } }
"""
CLOCK = """
query Clock($code: String!, $type: String) { subject(value: $code) { ... on Organization {
  archives(archiveType: $type) { archiveType stale lastUpdatedOn items { value } }
} } }
"""
TODAY = MONDAY.date()


async def archive(office: Office, code: str, archive_type: str, **more: Any) -> str:
    """Lay an archive of a type under the class and label that its rule says."""
    rule = rule_of(archive_type, TODAY)
    assert rule is not None
    return await office.fact(
        "archive",
        code,
        "a",
        {
            "data_class": rule.data_class,
            "archive_type": archive_type,
            "origin_class": rule.origin_class,
            "keeper_name": "某某",
            "last_updated_on": TODAY,
            "items": '[{"code": "a", "label": "甲", "value": "乙"}]',
            **more,
        },
    )


def public(office: Office) -> Desk:
    return office.desk("public", "PUBLIC_QUERY", None, None)


async def types(desk: Desk, code: str) -> set[str]:
    found = (await desk.done(CLOCK, {"code": code}))["subject"]["archives"]
    return {one["archiveType"] for one in found}


async def test_r14_1_public_and_market_information_stand_side_by_side_and_no_value_merges_them(
    office: Office,
) -> None:
    code = await office.subject()
    for one in ("ASSOCIATION", "REVIEW_SUMMARY", "PREPAID_ISSUER", "REFINED_OIL"):
        await archive(office, code, one)
    found = (await public(office).done(SECTIONS, {"code": code}))["subject"]
    assert {one["archiveType"] for one in found["public"]} == {"PREPAID_ISSUER", "REFINED_OIL"}
    assert {one["archiveType"] for one in found["market"]} == {"ASSOCIATION", "REVIEW_SUMMARY"}
    assert {one["originClass"] for one in found["market"]} == {"MARKET_CREDIT"}


@pytest.mark.parametrize(
    ("archive_type", "updated", "stale"),
    [
        ("ASSOCIATION", TODAY - timedelta(days=184), False),
        ("ASSOCIATION", TODAY - timedelta(days=185), True),
        ("ASSOCIATION", None, True),
        ("REVIEW_SUMMARY", TODAY - timedelta(days=62), False),
        ("REVIEW_SUMMARY", TODAY - timedelta(days=63), True),
        ("OUTBOUND_CERTIFICATE", TODAY - timedelta(days=3000), None),
    ],
)
async def test_r14_3_an_archive_not_renewed_for_two_cycles_of_its_type_is_flagged_and_still_shown(
    office: Office, archive_type: str, updated: date | None, stale: bool | None
) -> None:
    code = await office.subject()
    await archive(office, code, archive_type, last_updated_on=updated)
    (found,) = (await public(office).done(CLOCK, {"code": code, "type": archive_type}))["subject"]["archives"]
    assert found["stale"] is stale
    assert found["items"] == [{"value": "乙"}]


async def test_r14_3_of_one_type_what_was_renewed_last_comes_first(office: Office) -> None:
    code = await office.subject()
    await archive(office, code, "REVIEW_SUMMARY")
    for ago in (40, None, 2, 300, 7):
        updated = None if ago is None else TODAY - timedelta(days=ago)
        await archive(office, code, "ASSOCIATION", last_updated_on=updated)
    found = (await public(office).done(CLOCK, {"code": code}))["subject"]["archives"]
    assert [one["archiveType"] for one in found] == ["ASSOCIATION"] * 5 + ["REVIEW_SUMMARY"]
    days = [ago and str(TODAY - timedelta(days=ago)) for ago in (2, 7, 40, 300, None)]
    assert [one["lastUpdatedOn"] for one in found[:5]] == days


async def test_r10_3_and_r10_2_what_is_restricted_is_for_supervision_and_the_firm_itself(
    office: Office,
) -> None:
    code = await office.subject()
    restricted = {"PREPAID_BALANCE", "TRACEABILITY"}
    for one in (*restricted, "PREPAID_ISSUER"):
        await archive(office, code, one)
    supervision = office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-YF", case=None)
    assert await types(supervision, code) == {*restricted, "PREPAID_ISSUER"}
    assert await types(office.desk(), code) == {"PREPAID_ISSUER"}, "licensing is no supervision"
    assert await types(public(office), code) == {"PREPAID_ISSUER"}


async def test_r14_1_an_archive_under_another_class_or_label_is_quarantined_and_a_workers_never_kept(
    office: Office,
) -> None:
    workers = CatalogItem("T-WORKER", "服务员", Kind.ARCHIVE, "D29")
    source = replace(REGISTER, name="WITNESS", items=(*REGISTER.items, workers))
    told: dict[str, Any] = {"keeper_name": "某", "items": []}
    firm = [("USCC", FIRM)]
    rows = [
        row("1", Kind.ARCHIVE, "某", firm, archive_type="MERCHANT", origin_class="MARKET_CREDIT", **told),
        row("2", Kind.ARCHIVE, "某", firm, archive_type="ASSOCIATION", origin_class="PUBLIC_CREDIT", **told),
        row("3", Kind.ARCHIVE, "某", firm, archive_type="WORKER", item="T-WORKER", **told),
        row("4", Kind.ARCHIVE, "某", firm, archive_type="ASSOCIATION", origin_class="MARKET_CREDIT", **told),
    ]
    outcome = await harvest(Rows([rows], source), office.database.writer, lambda: MONDAY)
    assert (outcome.totals.stored, outcome.totals.quarantined) == (1, 3)
    kept = await office.rows("SELECT reason_code FROM quarantine WHERE source = 'WITNESS' ORDER BY position")
    assert [code for (code,) in kept] == ["ARCHIVE_CLASS", "ORIGIN_CLASS", "NEVER_STORED"]


def test_r14_1_the_rule_of_an_archive_is_that_of_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that begins some day, and one that has ended, decide nothing today."""
    row = (
        '[[archive]]\ntype = "A"\ndata_class = "{}"\norigin_class = "PUBLIC_CREDIT"\nvalid_from = {}\n{}'
        'source_doc = "x"\nconfirmed_by = ""\n'
    )
    told = load_archive_rules(
        row.format("D24", "2020-01-01", "valid_to = 2026-12-31\n") + row.format("D25", "2027-01-01", "")
        + '[[summary]]\nfewest_reviews = 1\nfewest_days = 1\nvalid_from = 2020-01-01\nsource_doc = "x"\n'
    )  # fmt: skip
    monkeypatch.setattr("hub.rules.archives.load_archive_rules", lambda: told)
    found = {
        day: rule.data_class if (rule := rule_of("A", day)) is not None else None
        for day in (date(2019, 12, 31), date(2026, 12, 31), date(2027, 1, 1))
    }
    assert list(found.values()) == [None, "D24", "D25"]


async def test_r14_1_an_archive_is_not_kept_on_a_day_on_which_its_type_has_no_rule(office: Office) -> None:
    """Refined oil has one since 2025-09-01, a type that no row names needs none."""
    source = replace(REGISTER, name="UNRULED")
    told: dict[str, Any] = {"keeper_name": "某", "items": [], "origin_class": "PUBLIC_CREDIT"}
    rows = [
        row(one, Kind.ARCHIVE, "某", [("USCC", FIRM)], archive_type=one, **told)
        for one in ("REFINED_OIL", "UNRULED")
    ]
    before = datetime(2025, 8, 29, 4, tzinfo=UTC)
    outcome = await harvest(Rows([rows], source), office.database.writer, lambda: before)
    assert (outcome.totals.stored, outcome.totals.quarantined) == (1, 1)
    kept = await office.rows("SELECT reason_code FROM quarantine WHERE source = 'UNRULED'")
    assert [code for (code,) in kept] == ["NO_RULE_SET"]


def test_r12_1_no_type_of_archive_is_kept_under_the_class_of_workers() -> None:
    assert "D29" not in ARCHIVES
    assert {row.data_class for row in load_archive_rules().types} <= set(ARCHIVES)
    with pytest.raises(RulesInvalid):
        load_archive_rules(
            '[[archive]]\ntype = "W"\ndata_class = "D29"\norigin_class = "PUBLIC_CREDIT"\nvalid_from = 2020-01-01\n'
            'source_doc = "x"\nconfirmed_by = ""\n[[summary]]\nfewest_reviews = 1\nfewest_days = 1\n'
            'valid_from = 2020-01-01\nsource_doc = "x"\nconfirmed_by = ""\n'
        )
