"""Credit repair: from when and what blocks, the application, the review by two officers, and what partners see afterwards."""

from __future__ import annotations

from datetime import timedelta

from hub_client import FIRM, Desk, fresh, say, this_day

DEPARTMENT = "11630000000015122A"
DIGEST = "ab" * 32
PUBLIC = Desk("public", "PUBLIC_QUERY")
BROWSER = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG")
OFFICER = Desk("commerce", "CREDIT_REPAIR", "SW-XF")
SECOND = Desk("commerce", "CREDIT_REPAIR", "SW-XF", officer="second-officer")
AUDITOR = Desk("auditor", "AUDIT", "A-1")

RECORDS = """query Records($from: Date!, $to: Date!, $by: USCC!) {
  records(first: 50, filter: { kinds: [PENALTY], seriousness: [GENERAL], decidedFrom: $from, decidedTo: $to, authority: $by }) {
    edges { node { id title documentNumber decidedOn subject { displayName ... on Organization { uscc } } } } } }"""
OUTLOOK = """query Outlook($target: ID!) {
  repairOutlook(target: $target) { ruleset eligibleFrom eligibleToday conditions blockers { code text until } notes } }"""
RECORD = """mutation Record($target: ID!, $evidence: [RepairEvidenceInput!]!) {
  recordRepairApplication(target: $target, statement: "罚款已缴清，违法行为已改正", evidence: $evidence) {
    number state ruleset dueOn answerBy eligibleFrom blockers { code text } } }"""
STEP = "mutation Step($number: String!) { %s(number: $number%s) { state dueOn blockers { code } } }"
APPROVE = """mutation Approve($number: String!, $document: String!) {
  approveRepair(number: $number, documentNumber: $document) {
    state dueOn decision { approved documentNumber officer } deliveries { channel state } } }"""
NODE = "query Node($id: ID!) { node(id: $id) { ... on AdministrativePenalty { documentNumber lifecycle } } }"
HISTORY = "query History($number: String!) { case(number: $number) { state events { at transition toState officer } } }"
OWN = """query Own($code: String!) { subject(value: $code) {
  records(first: 10, filter: { kinds: [PENALTY] }) { edges { node { id decidedOn seriousness authority { name } } } } } }"""


def main() -> None:
    """Repair one general penalty of the department's, the first that may be repaired today."""
    own = Desk("subject", "CREDIT_REPAIR")
    penalties = own.ask(OWN, code=FIRM)["subject"]["records"]["edges"]
    for one in penalties:
        record = one["node"]
        say(
            f"The firm {FIRM} asks what it could do about its penalty of {record['decidedOn']} by {record['authority']['name']}",
            own.ask(OUTLOOK, target=record["id"])["repairOutlook"],
        )

    today = this_day()
    days = {"from": str(today - timedelta(days=360)), "to": str(today - timedelta(days=95))}
    found = BROWSER.ask(RECORDS, **days, by=DEPARTMENT)["records"]["edges"]
    if not found:
        raise SystemExit(
            "No general penalty of the department's is left that may be repaired: start a new demo."
        )
    record = found[0]["node"]
    target = record["id"]
    say("A penalty in publicity, as the department sees it", record)
    say("From when it may be repaired", PUBLIC.ask(OUTLOOK, target=target)["repairOutlook"])

    service = {
        "kind": "PUBLIC_SERVICE", "title": "公益服务证明", "organizer": "慈善总会", "hours": 8, "certificate": "志1号",
    }  # fmt: skip
    refused = OFFICER.refused(RECORD, target=target, evidence=[service])
    say("Public service supplements the papers of persons, not of firms (R9.3)", refused)
    papers = [
        {"kind": "PERFORMANCE", "title": "缴款凭证", "fileDigest": DIGEST},
        {"kind": "COMMITMENT", "title": "信用承诺书", "fileDigest": DIGEST},
    ]
    case = OFFICER.ask(RECORD, target=target, evidence=papers)["recordRepairApplication"]
    number = case["number"]
    say("The application is recorded: three working days for the intake, ten for the answer", case)
    for step, more in (
        ("acceptRepair", ""),
        ("beginRepairReview", ""),
        ("examineRepair", ', corrected: true, performed: true, opinion: "凭证属实"'),
    ):
        say(step, OFFICER.ask(STEP % (step, more), number=number)[step])
    document = fresh("青商修")
    reason = OFFICER.refused(APPROVE, number=number, document=document)
    say("Who examined does not decide", reason)
    say("A second officer approves", SECOND.ask(APPROVE, number=number, document=document)["approveRepair"])

    seen = {desk.partner: desk.ask(NODE, id=target)["node"] for desk in (PUBLIC, BROWSER, AUDITOR)}
    say("Who sees the record now", seen)
    say("The outlook of what does not exist", PUBLIC.ask(OUTLOOK, target=target)["repairOutlook"])
    say("What happened", OFFICER.ask(HISTORY, number=number)["case"])
    if seen["public"] or seen["commerce"] or seen["auditor"]["lifecycle"] != "REPAIRED":
        raise SystemExit("The repaired record should be gone for partners and there for auditors.")
    print(
        "\nThe worker tells the channels; when all have followed, within five minutes, the case is EFFECTUATED."
    )


if __name__ == "__main__":
    main()
