"""A firm moves to another region while a prefecture's department has cases about it on its desk."""

from __future__ import annotations

from hub.rights.agreement_store import apply_agreements
from hub.rules.matrix import load_matrix
from hub.sandbox.agreements import demo_agreements
from hub.sandbox.issuer import demo_issuer
from hub.store.embedded import EmbeddedPostgres
from hub.store.migration import migrated
from schema.coordinates import vocabulary
from tests.casework.check_documents import FEED, run
from tests.casework.desk import MONDAY, Desk, Office
from tests.casework.test_bypass import CHECK, DRAFT, FAR, SUBMIT
from tests.casework.test_listings import RECHECK
from tests.casework.test_measures import ACKNOWLEDGE, INITIATE
from tests.casework.test_notifications import DRAFT as NOTIFY
from tests.casework.test_notifications import commerce, refusal, took
from tests.casework.test_organisation import ENDORSE, NOMINATE
from tests.casework.test_organisation import PROPOSE as LEAD
from tests.test_database import connected, fresh, migrated_before

KNOWN = "query K($n: String!) { case(number: $n) { state } }"
PROPOSE = """
mutation P($code: USCC!) { proposeListing(subject: $code, listCode: "M-RED", cause: "守信") { number } }
"""
DECLINE = 'mutation D($n: String!) { declineListing(number: $n, reason: "已迁出") { state } }'
WITHDRAW = 'mutation W($n: String!) { withdrawHonestModel(number: $n, reason: "已迁出") { state } }'
RESOLVE = 'mutation R($n: String!) { resolveListConflict(number: $n, reason: "核实", documentNumber: "处1号") { state } }'


def _xining(office: Office) -> Desk:
    return office.desk("commerce-xining", "ONGOING_SUPERVISION", "SW-JG", None)


async def _moves(office: Office, code: str) -> None:
    await office.rows("UPDATE subject SET region_code = $2 WHERE uscc = $1", code, FAR)


async def test_a_department_goes_on_with_what_it_took_up_before_the_firm_moved_and_takes_up_nothing_new(
    office: Office,
) -> None:
    code = await office.subject()
    await office.defined("M-RED", "RED", "POLICY", max_publicity_months=12)
    licensing, work = office.desk("commerce-xining"), _xining(office)
    check = (await run(licensing, code))["number"]
    draft = (await work.done(DRAFT, {"code": code}))["draftPublicity"]["number"]
    place = (await work.done(PROPOSE, {"code": code}))["proposeListing"]["number"]
    await _moves(office, code)
    # R7.1: the seven working days run on, and R5.3: the decision has still to be fed back.
    assert (await work.done(KNOWN, {"n": draft}))["case"] == {"state": "DRAFT"}
    assert (await work.done(SUBMIT, {"n": draft}))["submitPublicity"]["state"] == "SECRECY_REVIEW"
    assert (await work.done(DECLINE, {"n": place}))["declineListing"]["state"] == "NOT_RECOGNIZED"
    fed = await licensing.done(FEED, {"number": check, "decision": "GRANTED", "on": "2026-11-23"})
    assert fed["recordCheckFeedback"]["state"] == "FED_BACK"
    for desk, query in ((licensing, CHECK), (work, DRAFT), (work, PROPOSE)):
        assert (await desk.refused(query, {"code": code}))["code"] == "FORBIDDEN"
    # Whose it is not, for whom nothing has changed.
    assert (await office.desk("commerce", "ONGOING_SUPERVISION").done(KNOWN, {"n": draft}))["case"] is None


async def test_it_is_not_told_that_its_region_shuts_it_out_of_the_cases_that_it_goes_on_with(
    office: Office,
) -> None:
    """It was told that a firm which moved is not within its scope, of a coordinate that it was shown in the same answer."""
    code, work = await office.subject(), _xining(office)
    asked = """query W($c: USCC!) {
      process: explain(coordinate: "PublicityCase.title", subject: $c) { scope appliesToSubject }
      inspection: explain(coordinate: "CommitmentInspection.state", subject: $c) { scope appliesToSubject }
      leads: explain(coordinate: "Organization.supervisionTiers", subject: $c) { scope appliesToSubject }
      contact: explain(coordinate: "Organization.contact", subject: $c) { scope appliesToSubject }
      archive: explain(coordinate: "MerchantArchiveCase.state", subject: $c) { scope appliesToSubject }
    }"""
    before = {name: one["appliesToSubject"] for name, (one,) in (await work.done(asked, {"c": code})).items()}
    assert before == {"process": None} | dict.fromkeys(("inspection", "leads", "contact", "archive"), True)
    await _moves(office, code)
    after = {name: one["appliesToSubject"] for name, (one,) in (await work.done(asked, {"c": code})).items()}
    # Of a case its own region and unit decide, too; of all else the firm's region does.
    assert after == dict.fromkeys(("process", "inspection", "leads", "archive")) | {"contact": False}


async def test_article_16_no_place_is_proposed_that_its_department_would_not_be_shown(office: Office) -> None:
    """The proposal stayed for good: Xining could not drop it, and it stood in the way of whoever else proposed the firm."""
    code, work = await office.subject(), _xining(office)
    await office.defined("M-RED", "RED", "POLICY", max_publicity_months=12)
    nominated = (await work.done(NOMINATE, {"c": code}))["nominateHonestModel"]["number"]
    await work.second().done(ENDORSE, {"n": nominated})
    await _moves(office, code)
    told = await work.refused(LEAD, {"n": nominated, "l": "M-RED"})
    assert told["code"] == "FORBIDDEN"
    assert "withdraw the nomination" in told["message"]
    assert (await work.done(WITHDRAW, {"n": nominated}))["withdrawHonestModel"]["state"] == "WITHDRAWN"
    elsewhere = office.desk("commerce", "ONGOING_SUPERVISION", "SW-JG", None)
    assert (await elsewhere.done(PROPOSE, {"code": code}))["proposeListing"]["number"]


async def test_article_16_no_nomination_is_endorsed_that_would_lead_to_no_proposal(office: Office) -> None:
    """Its refusal told the department of the old region what stood against the firm where it is now."""
    code, work = await office.subject(), _xining(office)
    nominated = (await work.done(NOMINATE, {"c": code}))["nominateHonestModel"]["number"]
    await _moves(office, code)
    await office.listed(code, "WATCH")
    told = await work.second().refused(ENDORSE, {"n": nominated})
    assert (told["code"], told.get("reason")) == ("FORBIDDEN", None)
    assert "withdraw the nomination" in told["message"]
    # Nor is the officer who nominated told anything of the firm, nor whoever ended the nomination.
    assert (await work.refused(ENDORSE, {"n": nominated}))["code"] == "FORBIDDEN"
    assert (await work.done(WITHDRAW, {"n": nominated}))["withdrawHonestModel"]["state"] == "WITHDRAWN"


async def test_r8_4_a_conflict_that_a_department_has_queued_is_resolved_when_the_firm_has_moved(
    office: Office,
) -> None:
    code = await office.subject()
    for color in ("RED", "BLACK"):
        await office.listed(code, color)
    await _xining(office).done(RECHECK)
    sql = "SELECT number FROM case_file JOIN subject USING (subject_id) WHERE mechanism = 'LIST_CONFLICT' AND uscc = $1"
    (conflict,) = await office.rows(sql, code)
    await _moves(office, code)
    done = await _xining(office).done(RESOLVE, {"n": conflict["number"]})
    assert done["resolveListConflict"]["state"] == "RESOLVED"


async def test_r13_1_no_notification_goes_to_a_department_that_is_not_shown_it(office: Office) -> None:
    far, near = await office.subject(region=FAR), await office.subject()
    given = {"to": ["commerce-xining"], "digest": "0f" * 32}
    told = await commerce(office).refused(NOTIFY, {**given, "code": far})
    assert told["reason"] == "ADDRESSEE_NOT_REACHABLE"
    numbers = [
        (await commerce(office).done(NOTIFY, {**given, "code": near}))["draftNotification"]["number"]
        for _ in range(2)
    ]
    await took(commerce(office), numbers[0], "issueNotification")
    made = await took(
        office.desk("commerce-xining", "NOTIFICATION", "SW-TB", None), numbers[0], "acknowledgeNotification"
    )
    assert made["state"] == "RECEIVED"
    # The firm moves before the second one is issued: nobody would ever acknowledge it.
    await _moves(office, near)
    assert await refusal(commerce(office), numbers[1], "issueNotification") == "ADDRESSEE_NOT_REACHABLE"
    assert (await took(commerce(office), numbers[1], "withdrawNotification", ', reason: "已迁出"'))[
        "closedAt"
    ]


async def test_r8_4_conflicts_queued_before_their_region_was_kept_have_the_one_in_which_they_were_queued(
    postgres: EmbeddedPostgres,
) -> None:
    dsn = await fresh(postgres, "hub_region_of_conflicts")
    await migrated_before(dsn, "0027")
    async with connected(dsn) as owner:
        await owner.execute(
            "INSERT INTO subject (kind, display_name, name_key, region_code) SELECT 'LEGAL_PERSON', n, n, $1::text"
            " FROM unnest(array['甲', '乙']) n",
            FAR,
        )
        # 甲 moved after its conflict was queued; of 乙 no register told where it was.
        await owner.execute(
            "INSERT INTO registration (subject_id, data_class, display_name, name_key, region_code, recorded_at, superseded_at,"
            " source, source_record_id, provider_name, catalog_item_code, fetched_at, payload_digest)"
            " SELECT subject_id, 'D1', '甲', '甲', region, since, until, 'MARKET_REGULATION', '1', '局', 'X', now(), ''"
            " FROM subject, (VALUES ('630103', timestamptz '2026-01-01', timestamptz '2026-03-01'),"
            "  ($1::text, '2026-03-01', NULL)) AS told (region, since, until) WHERE display_name = '甲'",
            FAR,
        )
        await owner.execute(
            "INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at, opened_on, ruleset, details)"
            " SELECT mechanism, mechanism || display_name, subject_id, 'D38', 'QUEUED', 'x', '2026-02-01', '2026-02-01', 'R', '{}'"
            " FROM subject, unnest(array['LIST_CONFLICT', 'PUBLICITY']) mechanism"
        )
        await migrated(dsn)
        told = await owner.fetch("SELECT number, region_code FROM case_file")
    # The calendar of a unit that has no region is the country's.
    assert dict(map(tuple, told)) == {
        "LIST_CONFLICT甲": "630103", "LIST_CONFLICT乙": FAR, "PUBLICITY甲": None, "PUBLICITY乙": None,
    }  # fmt: skip


async def test_r13_1_an_addressee_keeps_what_came_to_it_before_the_firm_moved(office: Office) -> None:
    """It could neither find nor read it any more: not what it had answered, nor what still waited for its answer."""
    code = await office.subject()
    xining = office.desk("commerce-xining", "NOTIFICATION", "SW-TB", None)
    answered, waiting, draft = [
        (await commerce(office).done(NOTIFY, {"code": code, "to": ["commerce-xining"], "digest": "0f" * 32}))[
            "draftNotification"
        ]["number"]
        for _ in range(3)
    ]
    for number in (answered, waiting):
        await took(commerce(office), number, "issueNotification")
    await took(xining, answered, "acknowledgeNotification")
    await _moves(office, code)
    listed = "{ cases(mechanism: NOTIFICATION, first: 50) { edges { node { number } } } }"
    found = {one["node"]["number"] for one in (await xining.done(listed))["cases"]["edges"]}
    assert {answered, waiting} <= found
    assert draft not in found
    made = await took(xining, answered, "answerNotification", ', text: "已核实"')
    assert made["answers"] == [
        {"partner": "commerce-xining", "text": "已核实", "documentNumber": None, "outcome": None}
    ]
    assert (await took(xining, waiting, "acknowledgeNotification"))["state"] == "RECEIVED"
    # For another purpose it is shown no notification, moved or not.
    assert (await _xining(office).done(KNOWN, {"n": answered}))["case"] is None


async def test_r9_1_an_implementer_keeps_a_measure_whose_firm_leaves_the_region_of_its_agreement(
    office: Office,
) -> None:
    """Its agreement binds all that it is given to its city: it could see no longer what it was to apply, or to stop."""
    text = demo_agreements(demo_issuer(office.database.settings.state_dir).key)["procurement"]
    own = text.replace('"procurement"', '"city"').replace(
        "\ncapabilities", '\nregions = ["6301"]\ncapabilities'
    )
    known = load_matrix(), MONDAY, "test", vocabulary().coordinates
    await apply_agreements(office.database.writer, [own], *known)
    city = office.desk("city", "JOINT_PUNISHMENT", None, None)
    await city.heard()
    code, punishing = await office.subject(), office.desk(purpose="JOINT_PUNISHMENT", case=None)
    given = {"effect": "BLOCK", "by": "city", "ends": "2027-11-22"}
    near, far = [
        (await punishing.done(INITIATE, given | {"entry": await office.listed(firm, "BLACK")}))[
            "initiateMeasure"
        ]["number"]
        for firm in (code, await office.subject(region=FAR))
    ]
    await _moves(office, code)
    assert (await city.done(KNOWN, {"n": near}))["case"] == {"state": "INITIATED"}
    assert (await city.done(ACKNOWLEDGE, {"n": near}))["acknowledgeMeasure"]["state"] == "RECEIVED"
    # One against a firm that was never there it is not shown.
    assert (await city.done(KNOWN, {"n": far}))["case"] is None
