"""Credit archives: two sections side by side, who sees which part, a member's archive published, a worker's told once."""

from __future__ import annotations

import json
import os
import urllib.request
from datetime import timedelta
from pathlib import Path

from hub_client import FIRM, ROOT, Desk, Refused, say, this_day

PUBLIC = Desk("public", "PUBLIC_QUERY")
SUPERVISION = Desk("commerce", "ONGOING_SUPERVISION", "SW-JG-01")
ASSOCIATION = Desk("chamber", "MEMBER_ARCHIVE")
FAMILY_SERVICE = Desk("mall", "MERCHANT_ADMISSION")
STATE = Path(os.environ.get("HUB_STATE_DIR", ROOT / "var"))
SECTIONS = """
query Sections($code: String!) { subject(value: $code) { ... on Organization {
  publicCredit: archives(originClass: PUBLIC_CREDIT) { archiveType stale }
  marketCredit: archives(originClass: MARKET_CREDIT) { archiveType stale }
} } }
"""
SHOWN = (
    "number state agreedUntil publishedOn endedReason content { label value } deliveries { channel state }"
)
PROPOSE = f"""
mutation Propose($code: USCC!, $digest: SM3Digest!, $signed: Date!, $until: Date!) {{
  made: proposeMemberPublication(subject: $code, clause: "入会协议第9条", agreementDigest: $digest, signedOn: $signed,
    agreedUntil: $until) {{ {SHOWN} }}
}}
"""
APPROVE = f'mutation Approve($number: String!) {{ made: approveMemberPublication(number: $number, opinion: "已核对同意书") {{ {SHOWN} }} }}'
WITHDRAW = f'mutation Withdraw($number: String!) {{ made: withdrawMemberPublication(number: $number, reason: "会员要求") {{ {SHOWN} }} }}'
OPEN = "{ cases(mechanism: MEMBER_PUBLICATION, first: 50) { edges { node { number state } } } }"
WORKER = "mutation Worker($given: String!) { queryDomesticWorker(authorization: $given) { %s } }"
FLAGS = "criminalBackground healthChecked trained insured"


def authorization(grantee: str, purpose: str) -> str:
    """What the worker's app shows after the face scan; here the sandbox of the platform plays the telephone."""
    address = (STATE / "domestic.url").read_text()
    body = json.dumps({"worker": "JZ63010300002", "grantee": grantee, "purpose": purpose}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(f"{address}/sandbox/authorize", body), timeout=10) as response:
        return str(json.load(response)["authorization"])


def main() -> None:
    """The script; ends with 1 when something is not as it says."""
    seen = {
        name: desk.ask(SECTIONS, code=FIRM)["subject"]
        for name, desk in (("public", PUBLIC), ("supervision", SUPERVISION))
    }
    say(
        "Public and market information, side by side (R14.1); prepaid money for supervision alone (R10.3)",
        seen,
    )
    restricted = {"PREPAID_BALANCE", "TRACEABILITY", "OUTBOUND_PROJECT"}
    told = {name: {one["archiveType"] for one in found["publicCredit"]} for name, found in seen.items()}
    if restricted & told["public"] or not restricted <= told["supervision"]:
        raise SystemExit("This is not as it should be.")

    today = this_day()
    given = {
        "code": FIRM,
        "digest": "5f" * 32,
        "signed": str(today - timedelta(days=30)),
        "until": str(today + timedelta(days=335)),
    }
    for edge in ASSOCIATION.ask(OPEN)["cases"]["edges"]:
        # Left open by a run that was broken off.
        if edge["node"]["state"] in ("PROPOSED", "PUBLISHED"):
            ASSOCIATION.ask(WITHDRAW, number=edge["node"]["number"])
    late = {**given, "until": str(today - timedelta(days=1))}
    say("Without an agreement in force (R14.2)", ASSOCIATION.refused(PROPOSE, **late))
    made = ASSOCIATION.ask(PROPOSE, **given)["made"]
    say("The association proposes to publish a member's archive, with its written agreement", made)
    published = SUPERVISION.ask(APPROVE, number=made["number"])["made"]
    say("The department approves; it is on its way to 信用中国(青海)", published)
    ended = ASSOCIATION.ask(WITHDRAW, number=made["number"])["made"]
    say("Withdrawn: taken off the channel", ended)
    if (published["state"], ended["state"], len(ended["deliveries"])) != ("PUBLISHED", "WITHDRAWN", 2):
        raise SystemExit("This is not as it should be.")

    token = authorization("public", "PUBLIC_QUERY")
    everything = WORKER % f"name certificateNumber {FLAGS}"
    say(
        "A domestic worker, with the worker's own authorisation (R12.1, R12.2)",
        PUBLIC.ask(everything, given=token),
    )
    say("The same authorisation a second time", PUBLIC.refused(everything, given=token))
    token = authorization("mall", "MERCHANT_ADMISSION")
    say("To a platform: yes or no, and no name", FAMILY_SERVICE.ask(WORKER % FLAGS, given=token))


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        raise SystemExit(f"Refused: {error}") from None
