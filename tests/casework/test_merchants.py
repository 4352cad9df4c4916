"""Platforms and their merchants (article 十一): R11.1 to R11.3, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.casework.desk import Desk, Office
from tests.casework.dispatch import duties

ARCHIVE = (
    "archiveType originClass keeper { name } lastUpdatedOn stale items { code value } provenance { source }"
)
REPORT = f"""
mutation Report($code: USCC!, $shop: String!, $name: String! = "昆仑特产店", $exempt: Boolean! = false,
    $deposit: Yuan = "5000.00", $verified: Date! = "2026-11-01") {{
  reportMerchantArchive(
    subject: $code, shopId: $shop, shopName: $name, verifiedOn: $verified, nextVerificationOn: "2027-05-01",
    categories: ["食品", "工艺品"], deposit: $deposit, exempt: $exempt,
    sanctions: [{{ kind: "警示", decidedOn: "2026-10-09" }}]
  ) {{ {ARCHIVE} }}
}}
"""
SUMMARIZE = f"""
mutation Summarize($code: USCC!, $shop: String! = "S1", $from: Date! = "2026-10-01", $to: Date! = "2026-10-31",
    $reviews: Int! = 480, $average: Float! = 4.6, $negative: Int! = 12, $complaints: Int! = 5, $resolved: Int! = 4) {{
  reportReviewSummary(
    subject: $code, shopId: $shop, periodFrom: $from, periodTo: $to, reviews: $reviews, average: $average,
    negativeReviews: $negative, complaints: $complaints, resolved: $resolved, responseHours: 6
  ) {{ {ARCHIVE} }}
}}
"""
SHOWN = f"""
query Shown($code: String!) {{
  subject(value: $code) {{ ... on Organization {{
    market: archives(originClass: MARKET_CREDIT) {{ {ARCHIVE} }}
    public: archives(originClass: PUBLIC_CREDIT) {{ {ARCHIVE} }}
  }} }}
}}
"""
CHECK = """
mutation Check($code: USCC!) {
  runCreditCheck(subject: $code) { conclusion reasons { code } }
}
"""


def platform(office: Office) -> Desk:
    return office.desk("mall", "MERCHANT_ADMISSION", None, None)


async def merchant(office: Office, partner: str = "mall") -> str:
    """A firm that sells on `partner`."""
    code = await office.subject()
    await office.rows(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT $2, subject_id, 'MERCHANT', '2025-01-01' FROM subject WHERE uscc = $1",
        code,
        partner,
    )
    return code


def values(archive: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["value"] for one in archive["items"]}


async def shown(desk: Desk, code: str, section: str = "market") -> dict[str, dict[str, Any]]:
    found = (await desk.done(SHOWN, {"code": code}))["subject"][section]
    return {one["archiveType"]: one for one in found}


# ---- R11.1 -----------------------------------------------------------------------------------------------------


async def test_r11_1_a_platform_reports_its_merchant_and_the_supervising_division_sees_it(
    office: Office,
) -> None:
    code, desk = await merchant(office), platform(office)
    made = (await desk.done(REPORT, {"code": code, "shop": "S1"}))["reportMerchantArchive"]
    assert (made["archiveType"], made["originClass"], made["stale"]) == ("MERCHANT", "MARKET_CREDIT", False)
    assert values(made) | {"categories": "食品、工艺品", "deposit": "5000.00"} == values(made)
    supervision = office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-EC", case=None)
    assert values((await shown(supervision, code))["MERCHANT"])["sanctions"] == "2026-10-09 警示"


async def test_r11_1_summaries_are_aggregates_and_public_and_the_detail_is_neither(office: Office) -> None:
    code, desk = await merchant(office), platform(office)
    await desk.done(REPORT, {"code": code, "shop": "S1"})
    made = (await desk.done(SUMMARIZE, {"code": code}))["reportReviewSummary"]
    assert values(made)["average"] == "4.6"
    assert set(await shown(office.desk("public", "PUBLIC_QUERY", None, None), code)) == {"REVIEW_SUMMARY"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"reviews": 3, "negative": 1}, "TOO_FEW_TO_BE_AN_AGGREGATE"),
        ({"from": "2026-10-31"}, "TOO_FEW_TO_BE_AN_AGGREGATE"),
        ({"to": "2026-11-23"}, "PERIOD_IMPOSSIBLE"),
        ({"negative": 481}, "FIGURES_IMPOSSIBLE"),
        ({"resolved": 6}, "FIGURES_IMPOSSIBLE"),
        ({"average": 5.1}, "FIGURES_IMPOSSIBLE"),
        ({"complaints": -1, "resolved": -1}, "FIGURES_IMPOSSIBLE"),
    ],
)
async def test_r11_1_figures_that_cannot_be_or_tell_of_single_buyers_are_refused(
    office: Office, wrong: dict[str, Any], reason: str
) -> None:
    told = await platform(office).refused(SUMMARIZE, {"code": await merchant(office), **wrong})
    assert told["reason"] == reason


async def test_r11_1_a_report_about_the_same_period_corrects_it_and_what_was_said_before_is_kept(
    office: Office,
) -> None:
    code, desk = await merchant(office), platform(office)
    for average in (4.6, 3.9):
        await desk.done(SUMMARIZE, {"code": code, "average": average})
    await desk.done(SUMMARIZE, {"code": code, "from": "2026-09-01", "to": "2026-09-30", "average": 4.1})
    found = (await desk.done(SHOWN, {"code": code}))["subject"]["market"]
    assert sorted(values(one)["average"] for one in found) == ["3.9", "4.1"]
    versions = await office.rows(
        "SELECT count(*) FROM archive JOIN subject USING (subject_id) WHERE uscc = $1", code
    )
    assert versions[0][0] == 3


async def test_r11_1_a_platform_gets_public_facts_and_yes_or_no_of_its_merchant(office: Office) -> None:
    code = await merchant(office)
    await office.adverse(code, date(2026, 6, 1))
    await office.adverse(code, date(2026, 6, 2), "MINOR")
    query = """query Back($code: String!) { subject(value: $code) { summary { hasPublicPenalty }
      records { edges { node { title seriousness } } } } }"""
    data = (await platform(office).done(query, {"code": code}))["subject"]
    assert data["summary"]["hasPublicPenalty"] == "YES"
    assert [edge["node"]["seriousness"] for edge in data["records"]["edges"]] == ["GENERAL"]


# ---- R11.2 -----------------------------------------------------------------------------------------------------


async def test_r11_2_another_platforms_merchant_is_answered_like_a_code_that_nobody_has(
    office: Office,
) -> None:
    stranger, desk = await merchant(office, "other-mall"), platform(office)
    nobody = "91630103MA75ABCD1M"
    for document, more in ((REPORT, {"shop": "S1"}), (SUMMARIZE, {})):
        told = [await desk.refused(document, {"code": code, **more}) for code in (stranger, nobody)]
        assert told[0] == told[1]
        assert told[0]["code"] == "SUBJECT_UNKNOWN"
    assert (await desk.done(SHOWN, {"code": stranger}))["subject"] is None


async def test_r11_2_a_platform_asks_for_its_purpose_by_code_and_cannot_browse_or_search(
    office: Office,
) -> None:
    desk = platform(office)
    told = await office.desk("mall", "ONGOING_SUPERVISION", None, None).refused("{ me { partner } }")
    assert told["code"] == "PURPOSE_NOT_ALLOWED"
    for query in (
        '{ matchSubjects(name: "青海") { score } }',
        "{ records { edges { cursor } } }",
        "{ listEntries { edges { cursor } } }",
    ):
        assert (await desk.refused(query))["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_r11_2_another_platform_of_the_same_merchant_sees_nothing_of_the_deposit(
    office: Office,
) -> None:
    code = await merchant(office, "mall-2")
    await office.rows(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT 'mall', subject_id, 'MERCHANT', '2025-01-01' FROM subject WHERE uscc = $1",
        code,
    )
    desk = platform(office)
    await desk.done(REPORT, {"code": code, "shop": "S1"})
    assert set(await shown(desk, code)) == {"MERCHANT"}
    await office.rows("UPDATE archive SET source_record_id = 'mall-2:1' WHERE subject_id ="
                      " (SELECT subject_id FROM subject WHERE uscc = $1)", code)  # fmt: skip
    assert await shown(desk, code) == {}


async def test_r11_2_reports_count_in_the_daily_quota(office: Office) -> None:
    async def used() -> int:
        rows = await office.rows(
            "SELECT coalesce(sum(subjects), 0)::int FROM quota_use WHERE partner = 'mall'"
        )
        return int(rows[0][0])

    code, desk = await merchant(office), platform(office)
    before = await used()
    for shop in ("S1", "S2", "S3"):
        await desk.done(REPORT, {"code": code, "shop": shop})
    for _ in range(100):
        if await used() >= before + 1:
            return
        await desk.done(SHOWN, {"code": code})
    raise AssertionError("nothing was counted")


# ---- R11.3 -----------------------------------------------------------------------------------------------------


async def test_r11_3_a_terrible_summary_changes_no_check_and_no_summary(office: Office) -> None:
    code, division = await merchant(office), office.desk()
    flags = "query Flags($code: String!) { subject(value: $code) { summary { hasPublicPenalty hasWatchListEntry } } }"
    before = (await division.done(CHECK, {"code": code}), await division.done(flags, {"code": code}))
    desk = platform(office)
    await desk.done(REPORT, {"code": code, "shop": "S1"})
    await desk.done(
        SUMMARIZE, {"code": code, "average": 1, "negative": 480, "complaints": 400, "resolved": 0}
    )
    after = (await division.done(CHECK, {"code": code}), await division.done(flags, {"code": code}))
    assert before == after
    assert await office.rows(
        "SELECT 1 FROM archive JOIN subject USING (subject_id) WHERE uscc = $1 AND data_class = 'D26'", code
    )


async def test_r11_3_platform_data_stands_in_the_market_section_under_its_source(office: Office) -> None:
    code, desk = await merchant(office), platform(office)
    await desk.done(SUMMARIZE, {"code": code})
    market, public = await shown(desk, code), await shown(desk, code, "public")
    assert public == {}
    assert market["REVIEW_SUMMARY"]["provenance"]["source"] == "ECOMMERCE_PLATFORM"
    assert market["REVIEW_SUMMARY"]["keeper"]["name"] == "示范电子商务平台"


async def test_exempt_sellers_are_natural_persons_and_refused(office: Office) -> None:
    code, desk = await merchant(office), platform(office)
    told = await desk.refused(REPORT, {"code": code, "shop": "S1", "exempt": True})
    assert told["reason"] == "EXEMPT_SELLER"
    assert not await office.rows(
        "SELECT 1 FROM archive JOIN subject USING (subject_id) WHERE uscc = $1", code
    )
    # A person's number is no code of a merchant.
    assert (await desk.refused(REPORT, {"code": "630102199003074514", "shop": "S1"}))[
        "code"
    ] == "BAD_USER_INPUT"


async def test_r11_1_what_a_platform_does_not_say_stays_empty(office: Office) -> None:
    """Left out or null: both are nothing."""
    bare = """mutation Bare($code: USCC!, $none: [String!], $sanctions: [PlatformSanctionInput!]) {
      left: reportMerchantArchive(subject: $code, shopId: "S8", shopName: "店", verifiedOn: "2026-11-01") { items { code value } }
      null: reportMerchantArchive(subject: $code, shopId: "S9", shopName: "店", verifiedOn: "2026-11-01",
        categories: $none, sanctions: $sanctions, deposit: null, nextVerificationOn: null) { items { code value } }
    }"""
    made = await platform(office).done(
        bare, {"code": await merchant(office), "none": None, "sanctions": None}
    )
    for one in made.values():
        assert {
            values(one)[name] for name in ("categories", "sanctions", "deposit", "nextVerificationOn")
        } == {None}


async def test_texts_of_a_report_hold_no_persons_data(office: Office) -> None:
    told = await platform(office).refused(
        REPORT, {"code": await merchant(office), "shop": "S1", "name": "马先生13997012345"}
    )
    assert told["reason"] == "PERSONAL_DATA_IN_TEXT"


async def test_only_platforms_report_and_a_closed_shop_takes_no_more(office: Office) -> None:
    code, desk = await merchant(office), platform(office)
    assert (await office.desk().refused(REPORT, {"code": code, "shop": "S1"}))[
        "code"
    ] == "GRAPHQL_VALIDATION_FAILED"
    await desk.done(REPORT, {"code": code, "shop": "S1"})
    number = (await desk.done("{ cases(mechanism: MERCHANT_ARCHIVE) { edges { node { number } } } }"))[
        "cases"
    ]
    close = """mutation Close($number: String!, $reason: String! = "合同到期") {
      closeMerchantArchive(number: $number, reason: $reason) { state shopId } }"""
    given = {"number": number["edges"][0]["node"]["number"]}
    assert (await desk.done(close, given))["closeMerchantArchive"]["state"] == "CLOSED"
    assert (await desk.refused(close, given))["code"] == "TRANSITION_NOT_ALLOWED"
    assert (await desk.refused(close, {"number": "QHSH-2026-0000-0000-0000"}))["code"] == "CASE_UNKNOWN"


async def test_r11_1_a_shop_that_opens_again_goes_on_with_its_archive(office: Office) -> None:
    """Otherwise what the platform said before would stand beside it for ever, and nobody could correct it."""
    code, desk = await merchant(office), platform(office)
    close = (
        'mutation Close($number: String!) { closeMerchantArchive(number: $number, reason: "停业") { state } }'
    )
    for _ in range(2):
        await desk.done(REPORT, {"code": code, "shop": "S1", "name": "旧店名"})
        await desk.done(SUMMARIZE, {"code": code, "average": 1.2})
        (open_,) = await office.rows(
            "SELECT number FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1 AND closed_at IS NULL",
            code,
        )
        await desk.done(close, {"number": open_["number"]})
    await desk.done(REPORT, {"code": code, "shop": "S1", "name": "新店名"})
    await desk.done(SUMMARIZE, {"code": code, "average": 4.6})
    found = (await desk.done(SHOWN, {"code": code}))["subject"]["market"]
    told = [(one["archiveType"], values(one).get("shopName"), values(one).get("average")) for one in found]
    assert sorted(told) == [("MERCHANT", "新店名", None), ("REVIEW_SUMMARY", None, "4.6")]


async def test_r11_1_the_archive_of_who_left_the_platform_is_closed(office: Office) -> None:
    """The platform is not shown the case of who left, so it cannot close it: the worker does, and no other's."""
    code, stays, desk = await merchant(office), await merchant(office), platform(office)
    for one in (code, stays):
        await desk.done(REPORT, {"code": one, "shop": "S1"})
    await office.rows(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT 'other-mall', subject_id, 'MERCHANT', '2025-01-01' FROM subject WHERE uscc = $1",
        code,
    )
    await office.rows(
        "UPDATE affiliation SET valid_to = '2026-11-22' WHERE partner = 'mall'"
        " AND subject_id = (SELECT subject_id FROM subject WHERE uscc = $1)",
        code,
    )
    await duties(office).deadlines("")
    found = await office.rows(
        "SELECT uscc, state FROM case_file JOIN subject USING (subject_id)"
        " WHERE mechanism = 'MERCHANT_ARCHIVE' AND uscc = ANY ($1::text[])",
        [code, stays],
    )
    assert {row["uscc"]: row["state"] for row in found} == {code: "CLOSED", stays: "KEPT"}


async def test_no_shop_is_named_by_the_number_of_a_person(office: Office) -> None:
    """D3: small sellers' shops are called so at times; the archive goes to the department."""
    code = await merchant(office)
    told = await platform(office).refused(REPORT, {"code": code, "shop": "630102199003074514"})
    assert (told["code"], told["argument"]) == ("BAD_USER_INPUT", "shopId")
    assert (
        await office.rows("SELECT 1 FROM case_file JOIN subject USING (subject_id) WHERE uscc = $1", code)
        == []
    )


async def test_r11_1_of_many_reports_in_one_request_a_refusal_says_which_one_it_is_about(
    office: Office,
) -> None:
    own, other = await merchant(office), await office.subject()
    one = '{0}: reportMerchantArchive(subject: "{1}", shopId: "{2}", shopName: "x", verifiedOn: "{3}") {{ archiveType }}'
    for code, shop, verified, refused in (
        (other, "S2", "2026-11-01", "SUBJECT_UNKNOWN"),
        (own, "S2", "2027-11-01", "GUARD_REFUSED"),
        (own, "S 2", "2026-11-01", "BAD_USER_INPUT"),
    ):
        rows = [one.format("a", own, "S1", "2026-11-01"), one.format("b", code, shop, verified)]
        (error,) = (await platform(office).ask(f"mutation {{ {' '.join(rows)} }}"))["errors"]
        assert (error["extensions"]["code"], error.get("path")) == (refused, ["b"])
        assert "path" not in error["extensions"]
    assert await shown(platform(office), own) == {}
