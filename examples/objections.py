"""Objections (异议处理): a firm objects to a record; it is marked, looked into, ended everywhere, and who had it is told.

The record is made for the occasion, by filing a penalty. The notices come from the worker that runs beside the demo, a
minute or two after the decision, when every answer that was under way is in the ledger.
"""

from __future__ import annotations

from typing import Any

from hub_client import FIRM, Desk, fresh, say, until

COMMERCE = Desk("commerce", "OBJECTION_HANDLING", "SW-YY")
NOTIFY = Desk("commerce", "NOTIFICATION", "SW-TB")
SUBJECT = Desk("subject", "OBJECTION_HANDLING")
CUSTOMS, FOREX = Desk("customs", "JOINT_PUNISHMENT"), Desk("forex", "JOINT_PUNISHMENT")
SHOWN = """number state dueOn target provider statement forwardBy answerBy notified
  decision { outcome remedy reason documentNumber late }"""
DRAFT = """mutation D($code: USCC!) { draftNotification(subject: $code, to: ["customs"], topic: "示例", facts: "示例") { number } }"""
FILE = """mutation F($n: String!, $doc: String!) { issueNotification(number: $n) { number }
  fileNotifiedFinding(number: $n, authority: "customs", documentNumber: $doc, decidedOn: "2026-11-20", title: "申报不实",
    facts: "申报价格不实", basis: "海关行政处罚实施条例第十五条", penaltyKinds: ["罚款"]) { findings { record } } }"""
SUBMIT = f"""mutation S($target: ID!) {{ submitObjection(target: $target, ground: NOT_ABOUT_US,
  statement: "处罚对象为另一企业，与我公司重名", evidence: [{{ name: "营业执照", digest: "{"cd" * 32}" }}]) {{ {SHOWN} }} }}"""
UPHOLD = f"""mutation U($n: String!, $doc: String!) {{ upholdObjection(number: $n, remedy: REVOKE,
  reason: "经核查，决定对象为另一企业", documentNumber: $doc) {{ {SHOWN} }} }}"""
READ = f"query R($n: String!) {{ case(number: $n) {{ ... on ObjectionCase {{ {SHOWN} }} }} }}"
RECORD = """query Records($code: String!) { subject(value: $code) { ... on Organization { records(first: 100) {
  edges { node { id title lifecycle underObjection } } } } } }"""
NOTICES = """{ cases(mechanism: CORRECTION, first: 100) { edges { node { number state
  ... on CorrectionNotice { target remedy endedAt lastToldAt } } } } }"""


def seen(desk: Desk, record: str) -> Any:
    """The record as a partner sees it; None: it is not there."""
    found = desk.ask(RECORD, code=FIRM)["subject"]["records"]["edges"]
    return next((one["node"] for one in found if one["node"]["id"] == record), None)


def notice(desk: Desk, record: str) -> Any:
    """The partner's notice of correction about the record; None: it has none."""
    found = desk.ask(NOTICES)["cases"]["edges"]
    return next((one["node"] for one in found if one["node"]["target"] == record), None)


def main() -> None:
    """Go through it."""
    number = NOTIFY.ask(DRAFT, code=FIRM)["draftNotification"]["number"]
    filed = NOTIFY.ask(FILE, n=number, doc=fresh("西关缉罚字"))["fileNotifiedFinding"]
    record = filed["findings"][0]["record"]
    say("a record, as customs sees it", seen(CUSTOMS, record))
    made = SUBJECT.ask(SUBMIT, target=record)["submitObjection"]
    say("the firm objects", made)
    say("from now on, as customs sees it", seen(CUSTOMS, record))
    assert seen(CUSTOMS, record)["underObjection"] is True
    say("a second objection to it", SUBJECT.refused(SUBMIT, target=record))
    say("an objection to what is not there", SUBJECT.refused(SUBMIT, target="r" + "0" * 32))
    say("upheld", COMMERCE.ask(UPHOLD, n=made["number"], doc=fresh("青商异"))["upholdObjection"])
    assert seen(CUSTOMS, record) is None
    assert seen(SUBJECT, record) is None or seen(SUBJECT, record)["lifecycle"] == "REVOKED"
    print("\nA minute or two until the worker tells those who had been told …", flush=True)
    made = until(
        lambda: COMMERCE.ask(READ, n=made["number"])["case"], lambda case: case["state"] == "NOTIFIED", 240
    )
    say("the notice to customs, which had been told of it", notice(CUSTOMS, record))
    say("to foreign exchange, which had not", notice(FOREX, record))
    say("the case", made)
    assert notice(CUSTOMS, record) is not None
    assert notice(FOREX, record) is None
    assert made["state"] == "NOTIFIED"
    assert "customs" in made["notified"]


if __name__ == "__main__":
    main()
