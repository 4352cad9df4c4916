"""Supervision tiers (R10.1): off until a row says on, for supervising units and the subject, never stale; over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

from hub.casework.domestic_trade.tiers import Tiered, keep_tiers
from hub.casework.registry import registry
from hub.harvest.joining import join
from hub.rules.tiering import TierRules, load_tier_rules
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import Desk, Office
from tests.casework.dispatch import duties

TEXT = files("hub.rules").joinpath("tiering.toml").read_text("utf-8")
_SOURCES = 'sources = ["COMMERCE", "MARKET_REGULATION", "CREDIT_PLATFORM", "TAX"]'
_POLICY = TEXT[TEXT.index("[[policy]]") :].replace(_SOURCES, 'sources = ["COMMERCE"]')
_SECTORS = TEXT[TEXT.index("[[sector]]") : TEXT.index("[[policy]]")]


def switched(on: str = "true", until: str = "") -> TierRules:
    """Rules in which the tests' own row says whether domestic service is tiered: law is no constant."""
    row = f'[[switch]]\nsector = "DOMESTIC_SERVICE"\non = {on}\nvalid_from = 2026-01-01\nsource_doc = "试验"\nconfirmed_by = "试验"\n'
    return load_tier_rules(f"{row}{until}\n{_SECTORS}{_POLICY}")


TIERS = """query T($code: String!) { subject(value: $code) { ... on Organization { supervisionTiers {
  state sector tier policyVersion computedAt validUntil recordIds reasons { code recordIds } handler } } } }"""


async def _firm(office: Office, region: str = "630103", code: str | None = None) -> str:
    made = await office.subject(region=region, code=code)
    await office.rows("UPDATE subject SET industry_code = 'O8010' WHERE uscc = $1", made)
    return made


async def _kept(office: Office, rules: TierRules | None = None) -> Tiered:
    return await keep_tiers(
        office.database.writer, registry().machines, office.clock.now, rules or switched()
    )


def _supervisor(office: Office, partner: str = "commerce") -> Desk:
    return office.desk(partner, "ONGOING_SUPERVISION", "M-1", None)


async def _tiers(desk: Desk, code: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await desk.done(TIERS, {"code": code}))["subject"]["supervisionTiers"]
    return found


async def test_r10_1_nothing_is_tiered_until_a_row_of_law_says_so(office: Office) -> None:
    code = await _firm(office)
    assert await _kept(office, load_tier_rules()) == Tiered()
    assert await _tiers(_supervisor(office), code) == []
    assert (await _kept(office, switched("false"))).opened == 0
    assert (await _kept(office)).opened > 0
    (tier,) = await _tiers(_supervisor(office), code)
    assert (tier["state"], tier["sector"], tier["tier"]) == ("CURRENT", "DOMESTIC_SERVICE", "A")
    assert [one["code"] for one in tier["reasons"]] == ["CLEAN_YEARS"]
    # Switched off again: nobody has a tier any more, whoever looks.
    assert (await _kept(office, switched("false"))).ended > 0
    assert await _tiers(_supervisor(office), code) == []


async def test_r10_1_a_firm_of_no_tiered_sector_has_no_tier(office: Office) -> None:
    code = await office.subject()
    await _kept(office)
    assert await _tiers(_supervisor(office), code) == []


async def test_r10_1_the_tier_tells_version_reasons_records_and_until_when(office: Office) -> None:
    code = await _firm(office)
    one = await office.adverse(code, date(2026, 5, 10), "GENERAL", usable_until=date(2027, 5, 10))
    two = await office.adverse(code, date(2026, 6, 10), "GENERAL", usable_until=date(2027, 6, 10))
    await _kept(office)
    (tier,) = await _tiers(_supervisor(office), code)
    assert tier["tier"] == "C"
    assert tier["reasons"] == [{"code": "GENERAL_RECORDS", "recordIds": sorted([one, two])}]
    assert (tier["recordIds"], tier["policyVersion"], tier["validUntil"]) == (
        sorted([one, two]),
        "TIER-2026-1",
        "2027-05-10",
    )
    assert tier["computedAt"].startswith("2026-11-23T")


async def test_r10_1_one_decision_that_two_sources_deliver_is_one_general_record(office: Office) -> None:
    code, number = await _firm(office), {"document_number": "青市监罚〔2026〕31号"}
    for source in ("COMMERCE", "MARKET_REGULATION"):
        await office.adverse(code, date(2026, 5, 10), "GENERAL", source=source, **number)
    await _kept(office)
    (tier,) = await _tiers(_supervisor(office), code)
    assert (tier["tier"], [one["code"] for one in tier["reasons"]]) == ("B", ["ADVERSE_RECORD"])


async def test_r10_1_two_authorities_that_give_the_same_number_have_decided_twice(office: Office) -> None:
    code, number = await _firm(office), {"document_number": "〔2026〕31号"}
    for name in ("西宁市商务局", "青海省市场监督管理局"):
        await office.adverse(code, date(2026, 5, 10), "GENERAL", authority_name=name, **number)
    await _kept(office)
    (tier,) = await _tiers(_supervisor(office), code)
    assert (tier["tier"], [one["code"] for one in tier["reasons"]]) == ("C", ["GENERAL_RECORDS"])


async def test_r10_1_it_is_computed_anew_when_a_fact_expires_and_a_stale_one_is_not_shown(
    office: Office,
) -> None:
    code = await _firm(office)
    await office.adverse(code, date(2026, 5, 10), "SERIOUS", usable_until=date(2026, 12, 1))
    await _kept(office)
    assert (await _tiers(_supervisor(office), code))[0]["tier"] == "C"
    assert (await _kept(office)).computed == 0
    office.clock.now += timedelta(days=9)
    # The day after: the worker has not come yet, and the old tier is gone all the same.
    assert await _tiers(_supervisor(office), code) == []
    await _kept(office)
    assert (await _tiers(_supervisor(office), code))[0]["tier"] == "A"


async def test_r10_1_it_is_computed_anew_when_a_fact_comes_or_goes(office: Office) -> None:
    code = await _firm(office)
    await _kept(office)
    assert (await _tiers(_supervisor(office), code))[0]["tier"] == "A"
    record = await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    assert (await _kept(office)).computed == 1
    assert (await _tiers(_supervisor(office), code))[0]["recordIds"] == [record]
    # Ended when it began: no moment tells, but it is gone.
    await office.rows(
        "UPDATE record SET superseded_at = recorded_at WHERE 'r' || replace(public_id::text, '-', '') = $1",
        record,
    )
    assert (await _kept(office)).computed == 1
    assert (await _tiers(_supervisor(office), code))[0]["tier"] == "A"


async def test_r10_1_what_a_tier_rests_on_ends_and_it_is_told_no_more_before_any_job_runs(
    office: Office,
) -> None:
    code, other = await _firm(office), await _firm(office)
    await office.adverse(code, date(2026, 5, 10), "SERIOUS")
    entry = await office.listed(other, "RED")
    await _kept(office)
    assert [(await _tiers(_supervisor(office), one))[0]["tier"] for one in (code, other)] == ["C", "A"]
    of = "(SELECT subject_id FROM subject WHERE uscc = $1)"
    await office.rows(f"UPDATE record SET lifecycle = 'REPAIRED' WHERE subject_id = {of}", code)
    await office.rows(f"UPDATE list_entry SET state = 'EXITED_REVOKED' WHERE subject_id = {of}", other)
    for one in (code, other):
        assert await _tiers(_supervisor(office), one) == []
        # Auditors see what was.
        assert len(await _tiers(office.desk("auditor", "AUDIT", "A-1"), one)) == 1
    await office.rows(f"UPDATE list_entry SET state = 'PUBLISHED' WHERE subject_id = {of}", other)
    assert (await _tiers(_supervisor(office), other))[0]["recordIds"] == [entry]


async def test_r10_1_a_duty_is_met_and_no_tier_tells_of_it_before_any_job_runs(office: Office) -> None:
    codes = [await _firm(office) for _ in range(2)]
    for mechanism, state, code in (("COMMITMENT", "PUBLISHED", codes[0]), ("TOLERANCE", "OPEN", codes[1])):
        await office.rows(
            "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, region_code, opened_at, opened_on,"
            " due_on, ruleset, details) SELECT $1, $1 || '-1', subject_id, 'D39', $2, 'commerce', '630103', now(), '2026-11-01',"
            " '2026-11-10', 'T', '{}' FROM subject WHERE uscc = $3",
            mechanism,
            state,
            code,
        )
    await _kept(office)
    told = [(await _tiers(_supervisor(office), code))[0] for code in codes]
    assert [[one["code"] for one in tier["reasons"]] for tier in told] == [["OPEN_OBLIGATION"]] * 2
    await office.rows(
        "UPDATE case_file SET state = 'FULFILLED', version = version + 1 WHERE number = 'COMMITMENT-1'"
    )
    await office.rows(
        "UPDATE case_file SET closed_at = now(), version = version + 1 WHERE number = 'TOLERANCE-1'"
    )
    assert [await _tiers(_supervisor(office), code) for code in codes] == [[], []]
    assert (await _kept(office)).computed == 2
    assert [(await _tiers(_supervisor(office), code))[0]["tier"] for code in codes] == ["A", "A"]


async def test_r10_1_firms_that_turn_out_to_be_one_have_one_tier(office: Office) -> None:
    code = await _firm(office)
    (part,) = await office.rows(
        "INSERT INTO subject (kind, region_code, display_name, name_key, industry_code, established_on)"
        " VALUES ('LEGAL_PERSON', '630103', '旧号企业', '旧号企业', 'O8010', '2012-01-01') RETURNING subject_id"
    )
    (whole,) = await office.rows("SELECT subject_id FROM subject WHERE uscc = $1", code)
    await _kept(office)
    async with office.database.writer.acquire() as connection, connection.transaction():
        pair = (part["subject_id"], whole["subject_id"])
        await join(connection, [pair], "MARKET_REGULATION", office.clock.now)
    done = await _kept(office)
    # The part has none any more, and gets none: what is known of it is the whole's.
    assert (done.opened, done.ended) == (0, 1)
    assert len(await _tiers(_supervisor(office), code)) == 1
    sql = "SELECT count(*) AS n FROM case_file WHERE mechanism = 'SUPERVISION_TIER' AND closed_at IS NULL AND subject_id = ANY ($1)"
    assert (await office.rows(sql, list(pair)))[0]["n"] == 1
    assert await _kept(office) == Tiered()


@pytest.mark.parametrize(
    "said", [{"source": "ASSOCIATION"}, {"origin_class": "MARKET_CREDIT"}, {"source": "PLATFORM"}]
)
async def test_r10_1_what_associations_and_platforms_say_does_not_count(
    office: Office, said: dict[str, str]
) -> None:
    code = await _firm(office)
    await office.adverse(code, date(2026, 5, 10), "SERIOUS", **said)
    await _kept(office)
    (tier,) = await _tiers(_supervisor(office), code)
    assert (tier["tier"], tier["recordIds"]) == ("A", [])


async def test_r10_1_a_missing_source_gives_no_tier_and_its_return_gives_one(office: Office) -> None:
    code = await _firm(office)
    await office.sources("DOWN", ["COMMERCE"])
    try:
        await _kept(office)
        (tier,) = await _tiers(_supervisor(office), code)
        assert (tier["tier"], tier["reasons"]) == (
            "N",
            [{"code": "SOURCE_MISSING", "recordIds": ["COMMERCE"]}],
        )
    finally:
        await office.sources("OK", ["COMMERCE"])
    await _kept(office)
    assert (await _tiers(_supervisor(office), code))[0]["tier"] == "A"


async def test_r10_1_supervising_units_and_the_subject_see_it_nobody_else_does(office: Office) -> None:
    code = await _firm(office, code=DEMO_SUBJECT)
    await _kept(office)
    assert len(await _tiers(_supervisor(office), code)) == 1
    assert len(await _tiers(_supervisor(office, "commerce-xining"), code)) == 1
    assert len(await _tiers(office.desk("auditor", "AUDIT", "A-1"), code)) == 1
    (own,) = await _tiers(office.desk("subject", "SELF_QUERY", None, None), code)
    assert own["reasons"][0]["code"] == "CLEAN_YEARS"
    for partner, purpose in (
        ("public", "PUBLIC_QUERY"), ("mall", "MERCHANT_ADMISSION"), ("chamber", "MEMBER_ARCHIVE"),
        ("customs", "NOTIFICATION"), ("reform", "ONGOING_SUPERVISION"), ("procurement", "JOINT_PUNISHMENT"),
    ):  # fmt: skip
        matter = "M-1" if partner == "procurement" else None
        told = await office.desk(partner, purpose, matter, None).ask(TIERS, {"code": code})
        assert "supervisionTiers" in told["errors"][0]["message"], partner
    # Not for a handling either: the tier is for supervision.
    told = await office.desk().ask(TIERS, {"code": code})
    assert "supervisionTiers" in told["errors"][0]["message"]


async def test_r10_1_a_unit_sees_the_tiers_of_its_own_region_alone(office: Office) -> None:
    code = await _firm(office, region="632801")
    await _kept(office)
    assert len(await _tiers(_supervisor(office), code)) == 1
    told = await _supervisor(office, "commerce-xining").done(TIERS, {"code": code})
    assert told["subject"]["supervisionTiers"] == []


async def test_r10_1_no_tier_outlives_the_row_that_allows_it(office: Office) -> None:
    code = await _firm(office)
    await _kept(office, switched(until="valid_to = 2026-12-01\n"))
    assert (await _tiers(_supervisor(office), code))[0]["validUntil"] == "2026-12-01"
    office.clock.now += timedelta(days=9)
    # The day after, whether the worker has come or not.
    assert await _tiers(_supervisor(office), code) == []


async def test_r10_1_the_worker_keeps_what_the_package_says_and_that_is_off(office: Office) -> None:
    code = await _firm(office)
    await _kept(office)
    assert len(await _tiers(_supervisor(office), code)) == 1
    # The worker goes by the package's own rows, and they say off.
    await duties(office).deadlines("")
    assert await _tiers(_supervisor(office), code) == []
    rules = load_tier_rules()
    assert rules.sectors_on(date(2026, 11, 23)) == ()
    assert [one.id for one in switched().sectors_on(date(2026, 11, 23))] == ["DOMESTIC_SERVICE"]
    assert switched(until="valid_to = 2026-06-30\n").sectors_on(date(2026, 11, 23)) == ()
