"""Commands over HTTP: the one path, atomic requests, idempotency, rights."""

from __future__ import annotations

import httpx

from tests.casework.desk import Desk
from tests.hub_server import MERCHANT, ProvinceHub

RUN = "mutation Run($code: USCC!) { runCreditCheck(subject: $code) { number conclusion state } }"


async def test_a_command_is_done_and_its_payload_read_by_the_one_path(hub: ProvinceHub) -> None:
    desk = Desk(hub)
    made = desk.done(RUN, {"code": MERCHANT})["runCreditCheck"]
    assert made["state"] == "ISSUED"
    found = desk.done("query Q($n: String!) { creditCheck(number: $n) { number subject { displayName } events { transition toState officer } } }", {"n": made["number"]})
    assert found["creditCheck"]["number"] == made["number"]
    assert found["creditCheck"]["events"] == [
        {"transition": "open", "toState": "ISSUED", "officer": "commerce-demo-officer"}
    ]
