"""Publication of members' archives with their written agreement: R14.2, over HTTP, with a channel that acknowledges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.casework.clock import automatic, keep_time
from hub.casework.delivery.channels import Channel, Client
from hub.casework.delivery.deliveries import Courier, Pace
from hub.casework.registry import registry
from hub.sandbox.tokens import DEMO_SUBJECT
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.dispatch import duties, sites
from tests.casework.test_archives import archive

SHOWN = """number state handler agreedUntil publishedOn endedReason content { label value }
  deliveries { channel state }"""
PROPOSE = f"""
mutation Propose($code: USCC!, $digest: SM3Digest!, $signed: Date! = "2026-01-10", $until: Date! = "2027-01-09") {{
  made: proposeMemberPublication(
    subject: $code, clause: "入会协议第9条", agreementDigest: $digest, signedOn: $signed, agreedUntil: $until
  ) {{ {SHOWN} }}
}}
"""
DIGEST = "5f" * 32


def association(office: Office) -> Desk:
    return office.desk("chamber", "MEMBER_ARCHIVE", None, None)


def division(office: Office) -> Desk:
    return office.desk(purpose="ONGOING_SUPERVISION", matter="SW-JG-HY", case=None)


def firm(office: Office) -> Desk:
    return office.desk("subject", "OBJECTION_HANDLING", None, None)


async def member(
    office: Office, partner: str = "chamber", *, kept: bool = True, code: str | None = None
) -> str:
    """A member of an association, with the archive that the association keeps."""
    if code is None or not await office.rows("SELECT 1 FROM subject WHERE uscc = $1", code):
        code = await office.subject(code=code)
    await office.rows(
        "INSERT INTO affiliation (partner, subject_id, kind, valid_from)"
        " SELECT $2, subject_id, 'MEMBER', '2025-01-01' FROM subject WHERE uscc = $1 ON CONFLICT DO NOTHING",
        code,
        partner,
    )
    if kept:
        await archive(office, code, "ASSOCIATION", source="ASSOCIATION", keeper_name="青海省示范行业商会")
    return code


async def proposed(office: Office, **more: Any) -> dict[str, Any]:
    given = {"code": await member(office), "digest": DIGEST, **more}
    made: dict[str, Any] = (await association(office).done(PROPOSE, given))["made"]
    return made


def step(field: str, argument: str) -> str:
    return f'mutation Step($number: String!) {{ made: {field}(number: $number, {argument}: "经核对") {{ {SHOWN} }} }}'


async def took(desk: Desk, number: str, field: str, argument: str = "reason") -> dict[str, Any]:
    made: dict[str, Any] = (await desk.done(step(field, argument), {"number": number}))["made"]
    return made


async def published(office: Office, **more: Any) -> dict[str, Any]:
    made = await proposed(office, **more)
    return await took(division(office), made["number"], "approveMemberPublication", "opinion")


async def delivered(office: Office) -> dict[str, Any]:
    """The channel takes what is due: what it shows, and what it took off."""
    async with (
        sites(clock=lambda: office.clock.now.timestamp()) as channels,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        courier = Courier(office.database.writer, Client(http, 5), Pace(), office.clock, lambda: 0.0)
        for site in channels.values():
            await courier.deliver(site.address)
        return channels[Channel.CREDIT_QINGHAI].site.listing()


async def test_r14_2_with_the_members_agreement_its_archive_is_published_on_credit_qinghai(
    office: Office,
) -> None:
    made = await published(office)
    assert (made["state"], made["handler"], made["publishedOn"]) == ("PUBLISHED", "commerce", "2026-11-23")
    assert made["content"] == [{"label": "甲", "value": "乙"}]
    assert [one["channel"] for one in made["deliveries"]] == ["CREDIT_QINGHAI"]
    shown = (await delivered(office))["published"].values()
    assert [(one["origin_class"], one["publicity_to"]) for one in shown] == [("MARKET_CREDIT", "2027-01-09")]


async def test_r14_2_others_see_it_while_it_is_published_and_only_then(office: Office) -> None:
    made = await proposed(office)
    anybody = office.desk("public", "PUBLIC_QUERY", None, None)
    query = "query Case($number: String!) { case(number: $number) { number } }"
    given = {"number": made["number"]}
    assert (await anybody.done(query, given))["case"] is None
    assert (await association(office).done(query, given))["case"] == given
    await took(division(office), made["number"], "approveMemberPublication", "opinion")
    assert (await anybody.done(query, given))["case"] == given
    await took(association(office), made["number"], "withdrawMemberPublication")
    assert (await anybody.done(query, given))["case"] is None


@pytest.mark.parametrize(
    "wrong",
    [{"signed": "2026-11-24"}, {"until": "2026-11-22"}, {"signed": "2027-01-01", "until": "2026-12-31"}],
)
async def test_r14_2_without_an_agreement_in_force_nothing_is_proposed(
    office: Office, wrong: dict[str, str]
) -> None:
    told = await association(office).refused(
        PROPOSE, {"code": await member(office), "digest": DIGEST, **wrong}
    )
    assert told["reason"] == "NO_AGREEMENT_IN_FORCE"


async def test_r14_2_the_agreement_is_named_by_the_digest_of_its_file(office: Office) -> None:
    told = await association(office).refused(PROPOSE, {"code": await member(office), "digest": "没有"})
    assert told["code"] == "BAD_USER_INPUT"


async def test_r14_2_an_agreement_that_ran_out_before_the_review_publishes_nothing(office: Office) -> None:
    made = await proposed(office, until="2026-11-30")
    office.clock.now = MONDAY + timedelta(days=8)
    told = await division(office).refused(
        step("approveMemberPublication", "opinion"), {"number": made["number"]}
    )
    assert told["reason"] == "NO_AGREEMENT_IN_FORCE"


async def test_r14_2_who_left_the_association_is_not_published(office: Office) -> None:
    code = await member(office)
    made = (await association(office).done(PROPOSE, {"code": code, "digest": DIGEST}))["made"]
    await office.rows(
        "UPDATE affiliation SET valid_to = '2026-11-22'"
        " WHERE subject_id = (SELECT subject_id FROM subject WHERE uscc = $1)",
        code,
    )
    told = await division(office).refused(
        step("approveMemberPublication", "opinion"), {"number": made["number"]}
    )
    assert told["reason"] == "NO_MEMBER_ANY_MORE"


@pytest.mark.parametrize("shown", [True, False], ids=["published", "proposed"])
async def test_r14_2_of_who_left_nothing_stays_published(office: Office, shown: bool) -> None:
    """The association is not shown the case of who left, so it cannot withdraw it: the worker ends it."""
    code = await member(office)
    made = (await association(office).done(PROPOSE, {"code": code, "digest": DIGEST}))["made"]
    if shown:
        await took(division(office), made["number"], "approveMemberPublication", "opinion")
    stays = await proposed(office)
    await office.rows(
        "UPDATE affiliation SET valid_to = '2026-11-23'"
        " WHERE subject_id = (SELECT subject_id FROM subject WHERE uscc = $1)",
        code,
    )
    await duties(office).deadlines("")
    assert await state(office, made["number"]) == ("PUBLISHED" if shown else "PROPOSED"), (
        "the last day counts"
    )
    office.clock.now = MONDAY + timedelta(days=1)
    withdraw = step("withdrawMemberPublication", "reason")
    assert (await association(office).refused(withdraw, {"number": made["number"]}))["code"] == "CASE_UNKNOWN"
    await duties(office).deadlines("")
    assert await state(office, made["number"]) == "WITHDRAWN"
    assert await state(office, stays["number"]) == "PROPOSED"
    assert ("已不是会员" in (await delivered(office))["withdrawn"].values()) is shown


async def test_r14_2_when_the_agreement_ends_it_is_taken_off_the_channel(office: Office) -> None:
    made = await published(office, until="2026-12-31")
    office.clock.now = MONDAY + timedelta(days=38)
    pool, machines = office.database.writer, registry().machines
    await keep_time(pool, machines, automatic(), office.clock.now)
    assert (await state(office, made["number"])) == "PUBLISHED", "the last day counts"
    office.clock.now += timedelta(days=1)
    await keep_time(pool, machines, automatic(), office.clock.now)
    assert (await state(office, made["number"])) == "ENDED"
    listing = await delivered(office)
    assert "会员同意期满" in listing["withdrawn"].values()


async def state(office: Office, number: str) -> str:
    return str((await office.rows("SELECT state FROM case_file WHERE number = $1", number))[0][0])


async def test_r14_2_the_member_takes_its_agreement_back(office: Office) -> None:
    code = await member(office, code=DEMO_SUBJECT)
    made = (await association(office).done(PROPOSE, {"code": code, "digest": DIGEST}))["made"]
    await took(division(office), made["number"], "approveMemberPublication", "opinion")
    ended = await took(firm(office), made["number"], "revokeMemberAgreement")
    assert (ended["state"], ended["endedReason"]) == ("WITHDRAWN", "会员撤回同意")
    assert len(ended["deliveries"]) == 2


async def test_r14_2_another_firm_cannot_take_back_what_it_did_not_give(office: Office) -> None:
    made = await published(office)
    told = await firm(office).refused(step("revokeMemberAgreement", "reason"), {"number": made["number"]})
    assert told["code"] == "CASE_UNKNOWN"


async def test_r14_2_members_of_others_are_answered_like_unknown_codes(office: Office) -> None:
    stranger = await member(office, "other-chamber")
    told = [
        await association(office).refused(PROPOSE, {"code": code, "digest": DIGEST})
        for code in (stranger, "91630100MA7XK2P38N")
    ]
    assert told[0] == told[1]
    assert told[0]["code"] == "SUBJECT_UNKNOWN"


async def test_r14_2_without_an_archive_of_its_own_or_twice_nothing_is_proposed(office: Office) -> None:
    bare = await member(office, kept=False)
    await archive(office, bare, "ASSOCIATION", source="COMMERCE")
    told = await association(office).refused(PROPOSE, {"code": bare, "digest": DIGEST})
    assert told["reason"] == "NO_ARCHIVE"
    code = await member(office)
    await association(office).done(PROPOSE, {"code": code, "digest": DIGEST})
    told = await association(office).refused(PROPOSE, {"code": code, "digest": DIGEST})
    assert told["reason"] == "ALREADY_PROPOSED_OR_PUBLISHED"


async def test_r14_2_the_association_does_not_review_and_what_is_declined_is_shown_nowhere(
    office: Office,
) -> None:
    made = await proposed(office)
    told = await association(office).refused(
        step("approveMemberPublication", "opinion"), {"number": made["number"]}
    )
    assert told["code"] == "GRAPHQL_VALIDATION_FAILED"
    declined = await took(division(office), made["number"], "declineMemberPublication")
    assert (declined["state"], declined["deliveries"]) == ("DECLINED", [])
    told = await association(office).refused(
        step("withdrawMemberPublication", "reason"), {"number": made["number"]}
    )
    assert told["code"] == "TRANSITION_NOT_ALLOWED"
