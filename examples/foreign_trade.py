"""Foreign trade and investment (article 十三): an adverse behaviour abroad, and a contract whose breach is adjudicated.

R13.3: neither is a record before a finding. The behaviour is heard first: served in time, five working days ago.
"""

from __future__ import annotations

from hub_client import FIRM, Desk, fresh, say

COMMERCE = Desk("commerce", "ONGOING_SUPERVISION", "SW-DW")
SECOND = Desk("commerce", "ONGOING_SUPERVISION", "SW-DW", officer="second-officer")
PUNISH = Desk("commerce", "JOINT_PUNISHMENT", "SW-DW")
SUBJECT, CUSTOMS = Desk("subject", "SELF_QUERY"), Desk("customs", "ONGOING_SUPERVISION")
OUTBOUND = (
    "number state dueOn behaviourName seriousness defences { by statement } finding { documentNumber record }"
)
CONTRACT = "number state dueOn contractNumber alleged obligations { text performedOn } adjudication { documentNumber record }"
PROPOSE = f"""mutation P($code: USCC!, $notice: String!) {{ proposeOutboundAdverse(subject: $code, behaviour: "OUT-01",
  conductedOn: "2026-09-01", facts: "未办理备案即在境外设立企业", noticeNumber: $notice, servedOn: "2026-11-02",
  country: "哈萨克斯坦") {{ {OUTBOUND} }} }}"""
DEFEND = f"""mutation D($n: String!) {{ stateOutboundDefence(number: $n, statement: "已补办备案") {{ {OUTBOUND} }} }}"""
FIND = f"""mutation F($n: String!, $doc: String!) {{ fileOutboundAdverse(number: $n, documentNumber: $doc, reason: "事实清楚",
  defenceAnswer: "补办不免责") {{ {OUTBOUND} }} }}"""
REGISTER = f"""mutation R($code: USCC!, $contract: String!) {{ registerInvestmentContract(subject: $code,
  contractNumber: $contract, parties: ["西宁市人民政府", "示例企业"], signedOn: "2026-01-05",
  obligations: [{{ text: "到位资金三千万元", dueOn: "2026-06-30" }}]) {{ {CONTRACT} }} }}"""
ALLEGE = f"""mutation A($n: String!) {{ allegeContractBreach(number: $n, reason: "资金未到位") {{ {CONTRACT} }} }}"""
JUDGED = f"""mutation J($n: String!, $doc: String!) {{ fileAdjudicatedBreach(number: $n, adjudicator: "西宁市中级人民法院",
  documentNumber: $doc, effectiveOn: "2026-11-20") {{ {CONTRACT} }} }}"""
RECORDS = """query Records($code: String!) { subject(value: $code) { ... on Organization { records(first: 100) {
  edges { node { documentNumber title } } } } } }"""
KNOWN = "query K($n: String!) { case(number: $n) { number state } }"


def documents(desk: Desk) -> list[str]:
    """The document numbers of the records that a partner sees of the firm."""
    found = desk.ask(RECORDS, code=FIRM)["subject"]["records"]["edges"]
    return [one["node"]["documentNumber"] for one in found]


def main() -> None:
    """Go through it."""
    number = COMMERCE.ask(PROPOSE, code=FIRM, notice=fresh("青商告"))["proposeOutboundAdverse"]["number"]
    say("the firm defends itself", SUBJECT.ask(DEFEND, n=number)["stateOutboundDefence"])
    document = fresh("青商外")
    say("who proposed it cannot decide it", COMMERCE.refused(FIND, n=number, doc=document))
    assert document not in documents(COMMERCE)
    say("found and filed", SECOND.ask(FIND, n=number, doc=document)["fileOutboundAdverse"])
    assert document in documents(COMMERCE)
    assert document not in documents(CUSTOMS)
    assert document not in documents(PUNISH)
    made = COMMERCE.ask(REGISTER, code=FIRM, contract=fresh("招商合同"))["registerInvestmentContract"]
    say("a contract, for supervision only", made)
    number = made["number"]
    say("a breach is alleged", COMMERCE.ask(ALLEGE, n=number)["allegeContractBreach"])
    say("of which customs sees", CUSTOMS.ask(KNOWN, n=number))
    assert CUSTOMS.ask(KNOWN, n=number)["case"] is None
    document = fresh("(2026)青01民终")
    assert document not in documents(CUSTOMS)
    say(
        "adjudicated, and only now a record",
        COMMERCE.ask(JUDGED, n=number, doc=document)["fileAdjudicatedBreach"],
    )
    assert document in documents(CUSTOMS)


if __name__ == "__main__":
    main()
