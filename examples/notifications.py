"""Notifications between agencies (信用通报, article 十三): the department notifies customs and tax, they answer, a penalty is filed.

R13.1: a receipt per addressee. R13.2: foreign exchange, which is no party, sees nothing. R13.3: nothing becomes a
record until a party has decided.
"""

from __future__ import annotations

from hub_client import FIRM, Desk, fresh, say

COMMERCE = Desk("commerce", "NOTIFICATION", "SW-TB")
CUSTOMS, TAX, FOREX = (Desk(partner, "NOTIFICATION") for partner in ("customs", "tax", "forex"))
SHOWN = """number state dueOn sender addressees topic facts receipts { partner officer }
  answers { partner text } findings { authority documentNumber record }"""
DRAFT = f"""mutation D($code: USCC!) {{ draftNotification(subject: $code, to: ["customs", "tax"], topic: "低报价格线索",
  facts: "2026年三季度进口申报价格明显低于同期水平", evidence: [{{ name: "价格比对表", digest: "{"ab" * 32}" }}]) {{ {SHOWN} }} }}"""
READ = f"query R($n: String!) {{ case(number: $n) {{ ... on CreditNotification {{ {SHOWN} }} }} }}"
RECORDS = """query Records($code: String!) { subject(value: $code) { ... on Organization { records(first: 50) {
  edges { node { documentNumber title authority { name } usableUntil } } } } } }"""
FILE = f"""mutation F($n: String!, $doc: String!) {{ fileNotifiedFinding(number: $n, authority: "customs", documentNumber: $doc,
  decidedOn: "2026-11-20", title: "进口货物申报不实", facts: "申报价格不实", basis: "海关行政处罚实施条例第十五条",
  penaltyKinds: ["罚款"]) {{ {SHOWN} }} }}"""


def step(field: str, arguments: str = "") -> str:
    """The mutation `field` of a notification."""
    return f"mutation S($n: String!) {{ case: {field}(number: $n{arguments}) {{ {SHOWN} }} }}"


def records() -> list[str]:
    """The document numbers of the records that tax sees of the firm."""
    found = TAX.ask(RECORDS, code=FIRM)["subject"]["records"]["edges"]
    return [one["node"]["documentNumber"] for one in found]


def main() -> None:
    """Go through it."""
    number = COMMERCE.ask(DRAFT, code=FIRM)["draftNotification"]["number"]
    assert CUSTOMS.ask(READ, n=number)["case"] is None
    say("issued to customs and tax", COMMERCE.ask(step("issueNotification"), n=number)["case"])
    say("foreign exchange, no party, sees", FOREX.ask(READ, n=number))
    assert FOREX.ask(READ, n=number) == FOREX.ask(READ, n="QHTB-2026-0000-0000-0000")
    say("and is refused with", FOREX.refused(step("acknowledgeNotification"), n=number))
    for desk, text in ((CUSTOMS, "已立案调查"), (TAX, "未见涉税异常")):
        desk.ask(step("acknowledgeNotification"), n=number)
        made = desk.ask(step("answerNotification", f', text: "{text}"'), n=number)["case"]
    say("acknowledged and answered by both", made)
    assert made["state"] == "FEEDBACK"
    assert len(made["receipts"]) == len(made["answers"]) == 2
    say("closed", COMMERCE.ask(step("closeNotification"), n=number)["case"]["state"])
    document, before = fresh("西关缉罚字"), records()
    assert document not in before
    say(
        "customs decides, the department files",
        COMMERCE.ask(FILE, n=number, doc=document)["fileNotifiedFinding"],
    )
    assert document in records()
    say("filed once only", COMMERCE.refused(FILE, n=number, doc=document))


if __name__ == "__main__":
    main()
