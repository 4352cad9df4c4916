"""Lists and measures (红黑名单, 联合奖惩, articles 八 and 九): a proposal with notice and defence, and a measure that blocks a licence.

R8.2: the hub proposes nothing by itself and recognizes nobody before the period for defence is over. R9.1: a measure
takes effect only on an item of the national catalogue and a legal basis, and ends when it is lifted.
"""

from __future__ import annotations

from hub_client import FIRM, LISTED, Desk, fresh, say, today

WORK = Desk("commerce", "JOINT_PUNISHMENT", "SW-XK-OIL")
SECOND = Desk("commerce", "JOINT_PUNISHMENT", "SW-XK-OIL", officer="second-officer")
LICENSING = Desk("commerce", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0001")
PROCUREMENT = Desk("procurement", "JOINT_PUNISHMENT")
SUBJECT, PUBLIC = Desk("subject", "OBJECTION_HANDLING"), Desk("public", "PUBLIC_QUERY")
PROPOSE = """mutation Propose($code: USCC!, $list: String!) {
  proposeListing(subject: $code, listCode: $list, cause: "多次违反流通管理规定") { number state } }"""
NOTIFY = """mutation Notify($number: String!, $document: String!) { notifyListing(number: $number, documentNumber: $document,
  facts: "2026年两次被处罚", reasons: "情节较重", basis: "商务信用联合惩戒对象名单管理办法", measures: "加强监督检查",
  rightToDefend: true) { number state } }"""
SERVE = "mutation Serve($number: String!, $on: Date!) { serveListingNotice(number: $number, servedOn: $on) { state dueOn } }"
DEFEND = """mutation Defend($number: String!) { stateListingDefence(number: $number, statement: "已整改,请求不予列入") {
  number state defences { by statement } } }"""
RECOGNIZE = """mutation Recognize($number: String!, $document: String!) { recognizeListing(number: $number,
  documentNumber: $document, repairNoticeNumber: $document, defenceAnswer: "不予采纳") { state } }"""
DECLINE = 'mutation Decline($number: String!) { declineListing(number: $number, reason: "申辩成立") { number state } }'
ENTRIES = """query Entries($code: String!) { subject(value: $code) { ... on Organization {
  listEntries { id color publicityEndsOn list { name } } } } }"""
INITIATE = """mutation Initiate($entry: ID!, $from: Date!, $to: Date!) { initiateMeasure(entry: $entry, implementer: "procurement",
  measure: "限制成品油零售经营资格审批", effect: BLOCK, begins: $from, ends: $to, memorandum: "发改财金〔2017〕1943号",
  matters: ["SW-XK-OIL"]) { number state implementer ends } }"""
RECEIVE = "mutation Receive($number: String!) { acknowledgeMeasure(number: $number) { number state } }"
ACTIVATE = """mutation Activate($number: String!, $on: Date!, $code: String, $basis: String, $level: BasisLevel) {
  activateMeasure(number: $number, legalBasisCheckedOn: $on, nationalCatalogueCode: $code, legalBasis: $basis,
    basisLevel: $level) { number state feedbackDue } }"""
FEED_BACK = """mutation Feed($number: String!, $on: Date!, $case: String!) { feedBackMeasure(number: $number, appliedOn: $on,
  caseNumber: $case, result: "不予批准") { number state } }"""
LIFT = 'mutation Lift($number: String!) { liftMeasure(number: $number, reason: "演示结束") { number state } }'
CHECK = "mutation Run($code: USCC!) { runCreditCheck(subject: $code) { number conclusion validUntil reasons { code text } } }"


def main() -> None:
    """Go through it."""
    propose()
    measure()


def propose() -> None:
    """A firm is proposed for the watch list, is told, defends itself, and is not put on it."""
    case = WORK.ask(PROPOSE, code=FIRM, list="SW-WATCH")["proposeListing"]
    say("proposed", case)
    number = case["number"]
    say("proposed again", WORK.refused(PROPOSE, code=FIRM, list="SW-WATCH"))
    say("another authority's list", WORK.refused(PROPOSE, code=FIRM, list="TAX-SERIOUS"))
    WORK.ask(NOTIFY, number=number, document=fresh("青商告"))
    say(
        "served: five working days for its defence",
        WORK.ask(SERVE, number=number, on=today())["serveListingNotice"],
    )
    say("the subject defends itself", SUBJECT.ask(DEFEND, number=number)["stateListingDefence"])
    early = SECOND.refused(RECOGNIZE, number=number, document=fresh("青商认"))
    say("recognized before the period is over", early)
    assert early == "OBJECTION_PERIOD_RUNNING"
    assert PUBLIC.refused(DECLINE, number=number)
    done = WORK.ask(DECLINE, number=number)["declineListing"]
    say("the defence prevails", done)
    assert done["state"] == "NOT_RECOGNIZED"


def measure() -> None:
    """A measure on a firm that is on the serious dishonesty list blocks the licence while it is in effect."""
    entries = WORK.ask(ENTRIES, code=LISTED)["subject"]["listEntries"]
    entry = next(one for one in entries if one["color"] == "BLACK")
    say("in force", entry)
    number = WORK.ask(INITIATE, entry=entry["id"], **{"from": today()}, to=today(180))["initiateMeasure"][
        "number"
    ]
    say("the implementer has it", PROCUREMENT.ask(RECEIVE, number=number)["acknowledgeMeasure"])
    say("without item and basis", WORK.refused(ACTIVATE, number=number, on=today()))
    assert LICENSING.ask(CHECK, code=LISTED)["runCreditCheck"]["conclusion"] != "BLOCK"
    rule = {"code": "NC-01", "basis": "成品油流通管理办法第40条", "level": "RULE"}
    say("a ministry's rule may not close a market", WORK.refused(ACTIVATE, number=number, on=today(), **rule))
    law = {"code": "NC-01", "basis": "企业信息公示暂行条例第18条", "level": "REGULATION"}
    made = WORK.ask(ACTIVATE, number=number, on=today(), **law)["activateMeasure"]
    say("on an item of the national list and a law that carries it", made)
    check = LICENSING.ask(CHECK, code=LISTED)["runCreditCheck"]
    say("the check now says", check)
    assert check["conclusion"] == "BLOCK"
    say("fed back", PROCUREMENT.ask(FEED_BACK, number=number, on=today(), case="采2026-7")["feedBackMeasure"])
    say("lifted", WORK.ask(LIFT, number=number)["liftMeasure"])
    assert LICENSING.ask(CHECK, code=LISTED)["runCreditCheck"]["conclusion"] != "BLOCK"


if __name__ == "__main__":
    main()
