"""E-commerce platforms (R11.1-R11.3): reports about one's own merchants, what comes back, and what none of it changes."""

from __future__ import annotations

from hub_client import FIRM, LISTED, Desk, Refused, say

PLATFORM = Desk("mall", "MERCHANT_ADMISSION")
PUBLIC = Desk("public", "PUBLIC_QUERY")
SUPERVISION = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG-EC")
LICENSING = Desk("commerce", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0042")
SHOWN = "archiveType originClass keeper { name } stale items { label value }"
REPORT = f"""
mutation Report($code: USCC!, $exempt: Boolean! = false) {{
  reportMerchantArchive(
    subject: $code, shopId: "SHOP-0042", shopName: "昆仑特产店", verifiedOn: "2026-10-12",
    nextVerificationOn: "2027-04-12", categories: ["食品"], deposit: "5000.00", exempt: $exempt
  ) {{ {SHOWN} }}
}}
"""
SUMMARIZE = f"""
mutation Summarize($code: USCC!, $reviews: Int!, $average: Float!, $negative: Int!) {{
  reportReviewSummary(
    subject: $code, shopId: "SHOP-0042", periodFrom: "2026-10-01", periodTo: "2026-10-31", reviews: $reviews,
    average: $average, negativeReviews: $negative, complaints: 60, resolved: 1
  ) {{ {SHOWN} }}
}}
"""
MARKET = f"""
query Market($code: String!) {{ subject(value: $code) {{ ... on Organization {{
  archives(originClass: MARKET_CREDIT) {{ {SHOWN} }} }} }} }}
"""
CHECK = "mutation Check($code: USCC!) { runCreditCheck(subject: $code) { conclusion } }"


def main() -> None:
    """The script; ends with 1 when something is not as it says."""
    before = LICENSING.ask(CHECK, code=FIRM)["runCreditCheck"]["conclusion"]
    say("The platform reports the archive of one of its merchants", PLATFORM.ask(REPORT, code=FIRM))
    say(
        "... and a terrible month, in figures only",
        PLATFORM.ask(SUMMARIZE, code=FIRM, reviews=480, average=1.2, negative=460),
    )
    say(
        "Three reviews would tell of single buyers",
        PLATFORM.refused(SUMMARIZE, code=FIRM, reviews=3, average=5, negative=0),
    )
    say("Another's merchant, or nobody's: the same answer", PLATFORM.refused(REPORT, code=LISTED))
    say("Exempt small sellers are natural persons", PLATFORM.refused(REPORT, code=FIRM, exempt=True))
    seen = {
        name: sorted(one["archiveType"] for one in desk.ask(MARKET, code=FIRM)["subject"]["archives"])
        for name, desk in (("public", PUBLIC), ("supervision", SUPERVISION), ("platform", PLATFORM))
    }
    say("Who sees which part of it", seen)
    after = LICENSING.ask(CHECK, code=FIRM)["runCreditCheck"]["conclusion"]
    say("A credit check before and after: market information changes nothing (R11.3)", [before, after])
    as_said = (
        before == after
        and "MERCHANT" not in seen["public"]
        and {"MERCHANT", "REVIEW_SUMMARY"} <= set(seen["supervision"])
    )
    if not as_said:
        raise SystemExit("This is not as it should be.")


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        raise SystemExit(f"Refused: {error}") from None
