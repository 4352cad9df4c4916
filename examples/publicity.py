"""Publicity (信用公示, article 七): a penalty from draft over two reviews to four channels, suspended, shown again, withdrawn.

R7.1: the seven working days begin on the day after the decision. R7.3: a resident ID in the text blocks publication until a second
person clears it, or the words are revised. R7.4: what was revoked is withdrawn, with a public reason.
The worker that runs beside the demo takes the deliveries to the channels, which acknowledge them.
"""

from __future__ import annotations

from typing import Any

from hub_client import FIRM, Desk, fresh, say, today, until

FIRST = Desk("commerce", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0001")
SECOND = Desk("commerce", "ADMINISTRATIVE_LICENSING", "SW-XK-OIL", "BJ-2026-0001", officer="second-officer")
STRANGER = Desk("reform", "ONGOING_SUPERVISION")
SHOWN = """number state dueOn findings { kind sample clearedBy } period { begins latestEnd ruleset } publishedLate
  deliveries { channel state } withdrawal { reason withdrawBy late }"""
TEXT = "该公司未按规定报送成品油进销存数据，处以罚款一万元。"
# Its checksum is right; it is nobody's: the region was never given out.
NUMBERED = "当事人身份证号630102199003074514，处以罚款一万元。"
DRAFT = f"""mutation Draft($code: USCC!, $document: String!, $on: Date!, $text: String!) {{ draftPublicity(subject: $code,
  kind: PENALTY, title: "行政处罚决定", decisionNumber: $document, decidedOn: $on, authority: "青海省商务厅", text: $text,
  penaltyKinds: ["罚款"]) {{ {SHOWN} }} }}"""
READ = f"query Read($number: String!) {{ case(number: $number) {{ ... on PublicityCase {{ {SHOWN} }} }} }}"


def step(field: str, arguments: str = "") -> str:
    """The mutation `field` of a publication."""
    return f"mutation Step($number: String!) {{ case: {field}(number: $number{arguments}) {{ {SHOWN} }} }}"


def arrived(case: dict[str, Any]) -> bool:
    """Whether every channel has acknowledged what it was sent."""
    return {one["state"] for one in case["deliveries"]} == {"ACKNOWLEDGED"}


def main() -> None:
    """Go through it."""
    given = {"code": FIRM, "document": fresh("青商罚"), "on": today()}
    case = FIRST.ask(DRAFT, **given, text=NUMBERED)["draftPublicity"]
    say("drafted; something in it must not be published", case)
    number = case["number"]
    assert case["findings"]
    say(
        "another agency has no part in it: its schema does not even have the type",
        STRANGER.refused(READ, number=number),
    )
    FIRST.ask(step("submitPublicity"), number=number)
    passed, approved = (
        step("passSecrecyReview", ', opinion: "不涉密"'),
        step("approvePublicity", ', opinion: "内容无误"'),
    )
    say("reviewed by its own author", FIRST.refused(passed, number=number))
    SECOND.ask(passed, number=number)
    blocked = SECOND.refused(approved, number=number)
    say("approved with the number in it", blocked)
    assert blocked == "FINDINGS_NOT_CLEARED"
    SECOND.ask(step("returnPublicity", ', reason: "删去身份证号"'), number=number)
    FIRST.ask(step("revisePublicity", f', title: "行政处罚决定", text: "{TEXT}"'), number=number)
    FIRST.ask(step("submitPublicity"), number=number)
    SECOND.ask(passed, number=number)
    SECOND.ask(approved, number=number)
    shown = FIRST.ask(step("publishDecision"), number=number)["case"]
    say("published on four channels", shown)
    assert (shown["state"], shown["publishedLate"], len(shown["deliveries"])) == ("PUBLISHED", 0, 4)
    shown = until(lambda: FIRST.ask(READ, number=number)["case"], arrived)
    say("acknowledged by all four", shown["deliveries"])
    FIRST.ask(step("suspendPublicity", ', reason: "复议期间停止执行"'), number=number)
    FIRST.ask(step("resumePublicity"), number=number)
    reason = f', ground: REVOKED, endedOn: "{today()}", reason: "原处罚决定已撤销", documentNumber: "{fresh("青商撤")}"'
    done = FIRST.ask(step("withdrawPublicity", reason), number=number)["case"]
    say("withdrawn", done)
    assert (done["state"], done["withdrawal"]["late"]) == ("WITHDRAWN", 0)


if __name__ == "__main__":
    main()
