"""What the hub knew at an earlier moment: of the past alone, and no more of it than may be told today."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from hub.harvest.joining import join
from tests.casework.desk import MONDAY, Office

DAY = timedelta(days=1)
ASKED = """
query A($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) {
  summary { taxGradeIsD hasSeriousDishonestyEntry hasPublicPenalty publicPenaltyCount incompleteSources }
  records(first: 5) { edges { node { subject { summary { taxGradeIsD } } } } }
  sourceStatus { source }
  ... on Organization { grades { gradeCode } } } }
"""
SUMMARY = """
query S($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) { summary { taxGradeIsD hasSeriousDishonestyEntry } } }
"""


async def _firm(office: Office) -> str:
    code = await office.subject()
    await office.rows("UPDATE subject SET created_at = $2 WHERE uscc = $1", code, MONDAY - 9 * DAY)
    return code


async def _believed(
    office: Office, table: str, code: str, *versions: dict[str, Any], again: int = 2, **same: Any
) -> None:
    """Lay a fact of which something else was believed every so many days; the last is believed still."""
    public_id = (await office.rows("SELECT gen_random_uuid()::text AS id"))[0]["id"]
    begun = [MONDAY - again * DAY * (len(versions) - number) for number in range(len(versions))]
    for version, since, until in zip(versions, begun, [*begun[1:], None], strict=True):
        told = {"public_id": public_id, "source_record_id": public_id, "payload_digest": f"{since.day:064d}"}
        times = {"recorded_at": since, "superseded_at": until}
        await office.fact(table, code, "", {**told, **same, **version, **times})


def _grade(letter: str, **more: Any) -> dict[str, Any]:
    return {
        "data_class": "D16" if letter == "A" else "D17", "grade_code": letter, "grade_label": f"{letter}级",
        "scheme": "TAX", "ruleset_version": "TAX-2025", "issuer_name": "国家税务总局青海省税务局", "period": "2025",
        "effective_from": date(2026, 4, 20), "source": "TAX", **more,
    }  # fmt: skip


async def _told(office: Office, code: str, at: Any = None, **desk: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await office.desk(**desk).done(ASKED, {"c": code, "at": at and at.isoformat()}))[
        "subject"
    ]
    return found


@pytest.mark.parametrize(
    ("believed", "then", "now"),
    [
        ("DB", "YES", "NO"),
        ("DA", "YES", "NO"),
        # What the hub did not hold, nobody can deny: how sources stood then is not kept.
        ("BD", "INDETERMINATE", "YES"),
        ("BB", "INDETERMINATE", "NO"),
    ],
)
async def test_the_summary_of_the_past_says_what_its_facts_say(
    office: Office, believed: str, then: str, now: str
) -> None:
    code = await _firm(office)
    await _believed(office, "grade", code, *(_grade(one) for one in believed))
    await office.adverse(code, date(2026, 5, 10), recorded_at=MONDAY - 8 * DAY)
    told = await _told(office, code, MONDAY - 3 * DAY)
    assert [one["gradeCode"] for one in told["grades"]] == [believed[0]]
    assert told["summary"] == {
        "taxGradeIsD": then,
        "hasSeriousDishonestyEntry": "INDETERMINATE",
        "hasPublicPenalty": "YES",
        "publicPenaltyCount": None,
        "incompleteSources": None,
    }
    assert told["sourceStatus"] is None
    # The moment holds for all that is reached from the subject.
    assert [one["node"]["subject"]["summary"]["taxGradeIsD"] for one in told["records"]["edges"]] == [then]
    assert (await _told(office, code))["summary"] == {
        "taxGradeIsD": now,
        "hasSeriousDishonestyEntry": "NO",
        "hasPublicPenalty": "YES",
        "publicPenaltyCount": 1,
        "incompleteSources": [],
    }
    before = await _told(office, code, MONDAY - 7 * DAY)
    assert (before["grades"], before["summary"]["taxGradeIsD"]) == ([], "INDETERMINATE")


async def test_a_later_grade_put_a_d_aside_only_once_the_hub_knew_of_it(office: Office) -> None:
    code = await _firm(office)
    await _believed(
        office, "grade", code, _grade("D", period="2024", effective_from=date(2025, 4, 20)), again=6
    )
    await _believed(office, "grade", code, _grade("B"), again=2)
    for moment, answer in ((MONDAY - 3 * DAY, "YES"), (MONDAY - DAY, "INDETERMINATE"), (None, "NO")):
        assert (await _told(office, code, moment))["summary"]["taxGradeIsD"] == answer


@pytest.mark.parametrize(
    ("partner", "ended", "answer"),
    [
        ("commerce", {"state": "EXITED_REPAIRED"}, "INDETERMINATE"),
        ("commerce", {"sharing_attribute": "RESTRICTED"}, "INDETERMINATE"),
        ("commerce", {}, "YES"),
        # Auditors are shown what has ended, so the past tells them of it.
        ("auditor", {"state": "EXITED_REPAIRED"}, "YES"),
    ],
)
async def test_the_summary_of_the_past_does_not_tell_what_has_ended_or_been_closed_since(
    office: Office, partner: str, ended: dict[str, Any], answer: str
) -> None:
    code = await _firm(office)
    await office.defined("T-BLACK", "BLACK")
    entry = {
        "data_class": "D10", "list_code": "T-BLACK", "color": "BLACK", "state": "PUBLISHED",
        "recognized_on": date(2026, 6, 1), "decision_number": "甲",
    }  # fmt: skip
    await _believed(office, "list_entry", code, entry, entry | {"decision_number": "乙"} | ended)
    desk = office.desk() if partner == "commerce" else office.desk("auditor", "AUDIT", "A-1", None)
    asked = {"c": code, "at": (MONDAY - 3 * DAY).isoformat()}
    told = (await desk.done(SUMMARY, asked))["subject"]["summary"]
    assert told["hasSeriousDishonestyEntry"] == answer


MOVED = """
UPDATE {table} SET subject_id = (SELECT subject_id FROM subject WHERE uscc = $1)
WHERE superseded_at IS NULL AND subject_id = (SELECT subject_id FROM subject WHERE uscc = $2)
"""


@pytest.mark.parametrize("partner", ["commerce", "customs"])
async def test_the_past_does_not_tell_of_a_firm_what_turned_out_to_be_another_s(
    office: Office, partner: str
) -> None:
    """5.4: a record that its source has corrected to another subject is gone, as one that it took back is."""
    wrong, right = await _firm(office), await _firm(office)
    decided = {
        "data_class": "D6", "kind": "PENALTY", "title": "罚款", "decided_on": date(2026, 5, 10), "seriousness": "GENERAL",
        "lifecycle": "EFFECTIVE", "usable_until": date(2027, 5, 10),
    }  # fmt: skip
    await _believed(office, "record", wrong, decided, decided)
    await office.rows(MOVED.format(table="record"), right, wrong)
    desk = office.desk() if partner == "commerce" else office.desk("customs", "NOTIFICATION", None, None)
    asked = """query M($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) {
      summary { hasPublicPenalty } records { edges { node { title } } } } }"""
    for code, days, penalty, titles in (
        (wrong, 3, "INDETERMINATE", []),
        (wrong, None, "NO", []),
        (right, 3, "INDETERMINATE", []),
        (right, None, "YES", ["罚款"]),
    ):
        moment = days and (MONDAY - days * DAY).isoformat()
        told = (await desk.done(asked, {"c": code, "at": moment}))["subject"]
        found = [one["node"]["title"] for one in told["records"]["edges"]]
        assert (told["summary"]["hasPublicPenalty"], found) == (penalty, titles), (code == wrong, days)


async def test_a_name_that_turned_out_to_be_another_s_is_none_that_the_firm_bore(office: Office) -> None:
    wrong, right = await _firm(office), await _firm(office)
    same = {"data_class": "D1", "name_key": "丙", "source": "MARKET_REGULATION", "display_name": "丙"}
    await _believed(office, "registration", wrong, {}, {}, **same)
    await office.rows(MOVED.format(table="registration"), right, wrong)
    asked = "query F($c: String!) { subject(value: $c) { ... on Organization { formerNames { name } } } }"
    assert (await office.desk().done(asked, {"c": wrong}))["subject"]["formerNames"] == []


async def test_a_firm_is_told_of_as_its_registrations_had_it_by_then(office: Office) -> None:
    """What a later one said first was not known before, and what a later one leaves out stays as it was."""
    code = await _firm(office)
    said: list[dict[str, Any]] = [
        {"display_name": "甲", "registration_status": "存续"},
        {"display_name": "甲", "registration_status": "存续", "legal_representative_name": "马德林"},
        {"display_name": "乙", "registration_status": "注销", "industry_code": "F51"},
    ]
    same = {"data_class": "D1", "name_key": "甲", "source": "MARKET_REGULATION"}
    await _believed(office, "registration", code, *said, **same)
    await office.rows(
        "UPDATE subject SET display_name = '乙', registration_status = '注销', industry_code = 'F51',"
        " legal_representative_name = '马德林' WHERE uscc = $1",
        code,
    )
    asked = """query R($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) { displayName ... on Organization {
      registrationStatus legalRepresentativeName industryCode establishedOn formerNames { name } } } }"""
    names = "registrationStatus", "legalRepresentativeName", "industryCode", "establishedOn"
    for days, name, told, former in (
        (7, "乙", (None, None, None, None), []),
        (5, "甲", ("存续", None, None, None), []),
        (3, "甲", ("存续", "马德林", None, None), []),
        (1, "乙", ("注销", "马德林", "F51", None), ["甲"]),
    ):
        moment = (MONDAY - days * DAY).isoformat()
        found = (await office.desk().done(asked, {"c": code, "at": moment}))["subject"]
        assert (found["displayName"], tuple(found[one] for one in names)) == (name, told), days
        assert [one["name"] for one in found["formerNames"]] == former, days


async def test_what_a_registration_said_was_not_known_while_its_register_had_taken_it_back(
    office: Office,
) -> None:
    """Withdrawn or another firm's for a while, and the firm's again: of that while nothing of it is told, but the last name."""
    same = {"data_class": "D1", "name_key": "甲", "source": "MARKET_REGULATION"}
    first = {"display_name": "甲", "registration_status": "存续", "legal_representative_name": "马德林"}
    renamed = {**first, "display_name": "乙", "registration_status": "歇业"}
    again = {"display_name": "丙", "registration_status": "注销"}
    asked = """query W($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) { displayName ... on Organization {
      registrationStatus legalRepresentativeName registration { recordedAt } formerNames { name } } } }"""
    for elsewhere in (False, True):
        code, other = await _firm(office), await _firm(office)
        # Each is believed for two days.
        await _believed(office, "registration", code, first, renamed, first, again, **same)
        whose = "(SELECT subject_id FROM subject WHERE uscc = ${})"
        change = (
            f"UPDATE registration SET subject_id = {whose.format(3)}"
            if elsewhere
            else "DELETE FROM registration"
        )
        between = [MONDAY - 4 * DAY, code, *[other] * elsewhere]
        await office.rows(f"{change} WHERE recorded_at = $1 AND subject_id = {whose.format(2)}", *between)
        await office.rows(
            "UPDATE subject SET display_name = '丙', registration_status = '注销' WHERE uscc = $1", code
        )
        for days, name, told, former in (
            (7, "甲", ("存续", "马德林"), []),
            (5, "乙", ("歇业", "马德林"), ["甲"]),
            (3, "乙", (None, None), []),
            # What it said before it was taken back, and does not say again, is not known either.
            (1, "丙", ("注销", None), ["乙", "甲"]),
            (None, "丙", ("注销", None), ["乙", "甲"]),
        ):
            moment = days and (MONDAY - days * DAY).isoformat()
            found = (await office.desk().done(asked, {"c": code, "at": moment}))["subject"]
            told_of = (found["registrationStatus"], found["legalRepresentativeName"])
            assert (found["displayName"], told_of) == (name, told), (elsewhere, days)
            assert [one["name"] for one in found["formerNames"]] == former, (elsewhere, days)
            assert (found["registration"] is None) == (days == 3)


async def test_whether_a_fact_was_over_is_told_of_the_day_asked_for(office: Office) -> None:
    """Auditors are shown what has ended, others archives: what was not over then is not told as if it had been."""
    code = await _firm(office)
    await office.defined("T-BLACK", "BLACK")
    over = (MONDAY - DAY).date()
    decided = {"title": "许可", "decided_on": date(2026, 5, 10), "lifecycle": "EFFECTIVE"}
    await _believed(
        office, "record", code, {}, data_class="D4", kind="LICENSE", seriousness="NOT_ADVERSE", valid_to=over,
        usable_until=over, **decided,
    )  # fmt: skip
    await _believed(
        office, "list_entry", code, {}, data_class="D10", list_code="T-BLACK", color="BLACK", state="PUBLISHED",
        recognized_on=date(2026, 6, 1), publicity_ends_on=over,
    )  # fmt: skip
    # R14.3: two cycles of an association's archives.
    kept = {"archive_type": "ASSOCIATION", "origin_class": "MARKET_CREDIT", "keeper_name": "某协会"}
    await _believed(
        office,
        "archive",
        code,
        {},
        data_class="D24",
        last_updated_on=over - 184 * DAY,
        source="ASSOCIATION",
        **kept,
    )
    asked = """query O($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) {
      records { edges { node { lifecycle ... on AdministrativeLicense { currentlyValid } } } } listEntries { state }
      ... on Organization { archives { stale } } } }"""
    auditor = office.desk("auditor", "AUDIT", "A-1", None)
    # Midnight in Qinghai. Whether a licence is in force is asked of today alone.
    for moment, lifecycle, state, stale in (
        (MONDAY - timedelta(hours=10, minutes=1), "EFFECTIVE", "PUBLISHED", False),
        (MONDAY - timedelta(hours=9, minutes=59), "EXPIRED", "EXITED_EXPIRED", True),
        (None, "EXPIRED", "EXITED_EXPIRED", True),
    ):
        found = (await auditor.done(asked, {"c": code, "at": moment and moment.isoformat()}))["subject"]
        told = found["records"]["edges"][0]["node"]
        assert (told["lifecycle"], told["currentlyValid"]) == (lifecycle, False), moment
        assert [one["state"] for one in found["listEntries"]] == [state], moment
        assert [one["stale"] for one in found["archives"]] == [stale], moment


async def test_what_has_no_versions_is_told_of_the_past_from_when_the_hub_had_it(office: Office) -> None:
    """Numbers, and cases with their events: not those that came later."""
    code = await _firm(office)
    for scheme, days in (("USCC", 8), ("ORG_CODE", 2)):
        value = code if scheme == "USCC" else code[8:17]
        await office.rows(
            "INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)"
            " SELECT subject_id, $2, $3, 'D1', 'MARKET_REGULATION', $4 FROM subject WHERE uscc = $1",
            *(code, scheme, value, MONDAY - days * DAY),
        )
    for number, days in (("C-1", 6), ("C-2", 1)):
        opened = MONDAY - days * DAY
        await office.rows(
            "WITH made AS (INSERT INTO case_file (mechanism, number, subject_id, data_class, state, owner, opened_at,"
            " opened_on, due_on, ruleset, details) VALUES ('COMMITMENT', $1 || $2, (SELECT subject_id FROM subject WHERE"
            " uscc = $2), 'D33', 'PUBLISHED', 'commerce', $3, $4, '2027-11-23', 'T', '{}') RETURNING case_id)"
            " INSERT INTO case_event (case_id, at, transition, to_state, actor_partner, actor_officer)"
            " SELECT case_id, moment, 'x', 'PUBLISHED', 'commerce', 'o' FROM made, unnest($5::timestamptz[]) moment",
            *(number, code, opened, opened.date(), [opened, MONDAY]),
        )
        await office.rows(
            "INSERT INTO case_party (case_id, partner, role, since)"
            " SELECT case_id, 'commerce', 'HANDLER', $2 FROM case_file WHERE number = $1",
            *(number + code, opened),
        )
    asked = """query I($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) {
      commitments { number events { at } } ... on Organization { identifiers { scheme } } } }"""
    for days, schemes, cases in (
        (7, ["USCC"], []),
        (3, ["USCC"], [("C-1", 1)]),
        (1, ["ORG_CODE", "USCC"], [("C-2", 1), ("C-1", 1)]),
        (None, ["ORG_CODE", "USCC"], [("C-2", 2), ("C-1", 2)]),
    ):
        moment = days and (MONDAY - days * DAY).isoformat()
        found = (await office.desk().done(asked, {"c": code, "at": moment}))["subject"]
        assert [one["scheme"] for one in found["identifiers"]] == schemes
        assert [(one["number"][:3], len(one["events"])) for one in found["commitments"]] == cases


async def test_a_number_of_a_firm_that_was_joined_to_another_is_not_told_of_before_it_was_known(
    office: Office,
) -> None:
    """The part's number was told of the whole for days on which the hub took it for somebody else's."""
    code, number = await _firm(office), f"63{random.randrange(10**8):08d}"
    (whole,) = await office.rows("SELECT subject_id FROM subject WHERE uscc = $1", code)
    (part,) = await office.rows(
        "WITH made AS (INSERT INTO subject (kind, created_at, display_name, name_key)"
        " VALUES ('LEGAL_PERSON', $1, '旧号企业', '旧号企业') RETURNING subject_id)"
        " INSERT INTO identifier (subject_id, scheme, value, data_class, source, recorded_at)"
        " SELECT subject_id, 'CUSTOMS_CODE', $2, 'D1', 'CUSTOMS', $1 FROM made RETURNING subject_id",
        *(MONDAY - 8 * DAY, number),
    )
    async with office.database.writer.acquire() as connection, connection.transaction():
        await join(
            connection,
            [(part["subject_id"], whole["subject_id"])],
            "MARKET_REGULATION",
            MONDAY - 4 * DAY,
        )
    asked = """query N($c: String!, $at: DateTime) { subject(value: $c, asOf: $at) {
      ... on Organization { identifiers { value } } } }"""
    for days, told in ((7, []), (5, []), (4, [number]), (None, [number])):
        moment = days and (MONDAY - days * DAY).isoformat()
        found = (await office.desk().done(asked, {"c": code, "at": moment}))["subject"]
        assert [one["value"] for one in found["identifiers"]] == told, days


@pytest.mark.parametrize("ahead", [timedelta(seconds=31), 400 * DAY, None])
async def test_of_a_moment_that_has_not_come_nothing_is_told(office: Office, ahead: timedelta | None) -> None:
    code = await _firm(office)
    moment = (MONDAY + ahead).isoformat() if ahead else "9999-12-31T23:59:59+00:00"
    many = "query M($c: [USCC!]!, $at: DateTime) { subjects(codes: $c, asOf: $at) { displayName } }"
    for asked, given in (
        (ASKED, {"c": code, "at": moment}),
        (many, {"c": [code], "at": moment}),
        # As a constant of the document.
        (ASKED.replace("$at)", f'"{moment}")').replace(", $at: DateTime", ""), {"c": code}),
    ):
        refused = await office.desk().refused(asked, given)
        assert (refused["code"], refused["argument"]) == ("BAD_USER_INPUT", "asOf")


async def test_now_by_a_clock_a_little_ahead_is_now(office: Office) -> None:
    """What is laid for the next seconds is not told."""
    code = await _firm(office)
    await _believed(office, "grade", code, _grade("B"), _grade("D"))
    later = MONDAY + timedelta(seconds=10)
    await office.rows("UPDATE grade SET superseded_at = $1 WHERE superseded_at IS NOT NULL", later)
    await office.rows("UPDATE grade SET recorded_at = $1 WHERE superseded_at IS NULL", later)
    for seconds in (0, 30):
        told = await _told(office, code, MONDAY + timedelta(seconds=seconds))
        assert [one["gradeCode"] for one in told["grades"]] == ["B"]


async def test_what_the_tax_bureau_never_tells_of_is_not_denied_of_a_natural_person(office: Office) -> None:
    """A NO was said of every person: no row of the tax bureau about one is kept, for it has no key but the person's number."""
    (person,) = await office.rows(
        "INSERT INTO subject (kind, display_name, name_key, region_code) VALUES ('NATURAL_PERSON', '某人', '某人', '630103')"
        " RETURNING subject_id"
    )
    values = "'COMMERCE', 'of-a-person', '青海省商务厅', 'TEST', now(), now(), repeat('0', 64), 'D8', 'PENALTY', '处罚', '1号'"
    await office.rows(
        "INSERT INTO record (source, source_record_id, provider_name, catalog_item_code, fetched_at, recorded_at, payload_digest,"
        " data_class, kind, title, document_number, decided_on, seriousness, lifecycle, subject_id)"
        f" VALUES ({values}, '2026-11-01', 'GENERAL', 'EFFECTIVE', $1)",
        person["subject_id"],
    )
    asked = """{ records(first: 20) { edges { node { subject { __typename
      summary { hasTaxViolationEntry taxGradeIsD hasPublicPenalty hasSeriousDishonestyEntry } } } } } }"""
    found = [one["node"]["subject"] for one in (await office.desk().done(asked))["records"]["edges"]]
    told = [one["summary"] for one in found if one and one["__typename"] == "NaturalPerson"]
    assert told == [
        {
            "hasTaxViolationEntry": None,
            "taxGradeIsD": None,
            "hasPublicPenalty": "YES",
            "hasSeriousDishonestyEntry": "NO",
        }
    ]
