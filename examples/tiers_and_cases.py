"""Domestic trade (article 十): supervision tiers, off until law says on (R10.1); exposure of typical cases (R10.4)."""

from __future__ import annotations

from typing import Any

from hub_client import FIRM, Desk, say

PURPOSE = ("ONGOING_SUPERVISION", "SW-XK-OIL")
DRAFTER = Desk("commerce", *PURPOSE, officer="zhang")
REVIEWER = Desk("commerce", *PURPOSE, officer="li")
PUBLIC = Desk("public", "PUBLIC_QUERY")
TIERS = """query Tiers($code: String!) { subject(value: $code) { displayName
  ... on Organization { supervisionTiers { sector tier policyVersion validUntil reasons { code recordIds } } } } }"""
PENALTIES = """{ records(filter: { kinds: [PENALTY], sources: [COMMERCE], seriousness: [GENERAL, SERIOUS] }) {
  edges { node { id documentNumber decidedOn usableUntil seriousness subject { __typename displayName } } } } }"""
CASE = "number state findings { kind sample } disclosedOn endedReason penalty { documentNumber } deliveries { channel state }"
DRAFT = f"""mutation Draft($penalty: ID!, $text: String!) {{
  draftCaseDisclosure(penalty: $penalty, kind: TYPICAL, title: "某企业违法经营典型案件", text: $text) {{ {CASE} }} }}"""
REVISE = f"""mutation Revise($number: String!, $text: String!) {{
  reviseCaseDisclosure(number: $number, title: "某企业违法经营典型案件", text: $text) {{ {CASE} }} }}"""
SHOWN = """query Shown($number: String!) { case(number: $number) { state ... on CaseDisclosure {
  title text disclosedOn penaltyEnds penalty { documentNumber } } } }"""
TEXT = "某企业未按规定报送成品油进销存数据，拒不改正，被依法处以罚款。"


def step(desk: Desk, field: str, number: str, arguments: str = "") -> dict[str, Any]:
    """One step of an exposure."""
    query = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {CASE} }} }}"
    found: dict[str, Any] = desk.ask(query, number=number)["case"]
    return found


def refused(desk: Desk, field: str, number: str, arguments: str = "") -> str:
    """The reason why a step is not taken."""
    query = f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ state }} }}"
    return desk.refused(query, number=number)


def penalty() -> dict[str, Any]:
    """A penalty of the commerce departments in publicity: they expose no other field's."""
    for edge in DRAFTER.ask(PENALTIES)["records"]["edges"]:
        node: dict[str, Any] = edge["node"]
        if node["subject"]["__typename"] == "Organization":
            return node
    raise SystemExit(
        "this demo has no such penalty of the commerce departments; set HUB_DEMO_SUBJECTS higher"
    )


def main() -> None:
    """Ask for a tier, then expose a case and take it down."""
    told = DRAFTER.ask(TIERS, code=FIRM)["subject"]
    say(
        "no firm is tiered: tiering.toml says off, until the legal division enters a row that says on (R10.1)",
        told,
    )
    assert told["supervisionTiers"] == []
    say("to the public there is no such thing as a tier", PUBLIC.refused(TIERS, code=FIRM))

    of = penalty()
    say("a penalty in publicity", of)
    case = DRAFTER.ask(DRAFT, penalty=of["id"], text=f"{TEXT}联系电话13997012345。")["draftCaseDisclosure"]
    number = case["number"]
    say("a draft of its exposure, with a telephone number in it (R10.4)", case)
    step(DRAFTER, "submitCaseDisclosure", number)
    say("so it does not pass", refused(REVIEWER, "approveCaseDisclosure", number, ', opinion: "同意"'))
    step(REVIEWER, "returnCaseDisclosure", number, ', reason: "删去联系电话"')
    assert DRAFTER.ask(REVISE, number=number, text=TEXT)["reviseCaseDisclosure"]["findings"] == []
    step(DRAFTER, "submitCaseDisclosure", number)
    say(
        "nor is the drafter a second person",
        refused(DRAFTER, "approveCaseDisclosure", number, ', opinion: "同意"'),
    )
    step(REVIEWER, "approveCaseDisclosure", number, ', opinion: "已脱敏，同意曝光"')
    assert PUBLIC.ask(SHOWN, number=number)["case"] is None
    say("disclosed on all channels", step(DRAFTER, "discloseCase", number))
    shown = PUBLIC.ask(SHOWN, number=number)["case"]
    say("what the public reads, until the penalty's own publicity ends", shown)
    assert shown["penalty"]["documentNumber"] == of["documentNumber"]
    say("taken down", step(DRAFTER, "withdrawCaseDisclosure", number, ', reason: "处罚决定复议期间"'))
    assert PUBLIC.ask(SHOWN, number=number)["case"] is None


if __name__ == "__main__":
    main()
