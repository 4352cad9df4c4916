"""A credit check before a licence (凡办必查, article 五): run, verified by another agency, papers that follow, the decision fed back.

R5.1: a number that can be verified. R5.3: the hub advises, the official decides. R5.6: papers may follow on a written
commitment. A firm on the serious dishonesty list, and one with a recent penalty, are advised on otherwise.
"""

from __future__ import annotations

from hub_client import FIRM, LISTED, Desk, fresh, say, today

CLEAN = "91630100MA7XK2P38N"
OFFICE = Desk("commerce", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0001")
REFORM = Desk("reform", "ONGOING_SUPERVISION")
RUN = """mutation Run($code: USCC!) { runCreditCheck(subject: $code) {
  number conclusion validUntil currentlyValid reasons { code text } reminders { text }
  eligibility { answer basis reasons { text } } evidence { items { kind title } } evidenceDigest } }"""
VERIFY = """query Verify($number: String!, $code: USCC!) {
  verifyCreditCheck(number: $number, subject: $code, matter: "SW-XK-OIL") { valid validUntil } }"""
TOLERATE = """mutation Accept($number: String!, $due: Date!, $core: Boolean!) { acceptTolerantly(number: $number, dueOn: $due,
  missingPapers: [{ name: "场地租赁合同", core: $core }], commitment: "承诺于期限内补齐",
  commitmentDigest: "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0") { number state dueOn } }"""
COMPLETE = "mutation Complete($number: String!) { completeTolerance(number: $number) { number state } }"
FEED_BACK = """mutation Feed($number: String!, $on: Date!, $document: String!) {
  recordCheckFeedback(number: $number, decision: GRANTED, decidedOn: $on, documentNumber: $document) {
    number state feedback { decision documentNumber } } }"""
READ = "query Read($number: String!) { case(number: $number) { number } }"


def main() -> None:
    """Go through it."""
    checks = {code: OFFICE.ask(RUN, code=code)["runCreditCheck"] for code in (FIRM, CLEAN, LISTED)}
    for code, made in checks.items():
        say(f"check of {code}", made)
    # Only an effective measure with a legal basis blocks; being on a list alone does not.
    assert checks[LISTED]["eligibility"]["answer"] == "NO"
    check = checks[CLEAN]
    number = check["number"]
    told = REFORM.ask(VERIFY, number=number, code=CLEAN)["verifyCreditCheck"]
    say("another agency is shown the number", told)
    assert told["valid"]
    assert not REFORM.ask(VERIFY, number=number, code=FIRM)["verifyCreditCheck"]["valid"]
    say("but sees nothing of the check", REFORM.ask(READ, number=number))
    say(
        "a core paper cannot follow",
        OFFICE.refused(TOLERATE, number=number, due=today(20), core=True),
    )
    if check["eligibility"]["answer"] == "YES":
        accepted = OFFICE.ask(TOLERATE, number=number, due=today(20), core=False)["acceptTolerantly"]
        say("accepted with a paper missing", accepted)
        done = OFFICE.ask(COMPLETE, number=accepted["number"])["completeTolerance"]
        assert done["state"] == "COMPLETED"
    decided = OFFICE.ask(FEED_BACK, number=number, on=today(), document=fresh("青商批"))[
        "recordCheckFeedback"
    ]
    say("the official decided", decided)
    assert decided["state"] == "FED_BACK"


if __name__ == "__main__":
    main()
