"""Random inspections (双随机、一公开): R6.3 over HTTP, from the plan to a draw that anybody can repeat."""

from __future__ import annotations

import copy
import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from hub.casework.commitments.inspection_plans import INSPECTION_PLAN
from hub.rules.draw import DrawInvalid, Frame, FrameObject, Inspector
from hub.rules.published_draw import repeat
from hub.store.database import Role, role_url
from tests.casework.desk import Desk, Office
from tests.casework.promises import (
    CLEAR,
    ESTABLISH,
    INSPECTION,
    anybody,
    notified,
    published,
    seen,
    unit,
)
from tests.command_line import CREDITHUB

PLAN_FIELDS = """
  number state title frame frameDigest frameCount seedCommitment committedAt rates { tier percent } perObject
  drawnOn drawnCount seed drawn { object tier place inspectors } dueOn publishedOn publishedLate abandonedReason
"""
OPEN = f"""
mutation P($who: [InspectorInput!]!, $region: String, $rates: [DrawRateInput!], $title: String! = "2026年第四季度承诺抽查") {{
  planInspection(title: $title, inspectors: $who, region: $region, rates: $rates) {{ {PLAN_FIELDS} }}
}}
"""
COMMIT = f"mutation C($n: String!) {{ commitDraw(number: $n) {{ {PLAN_FIELDS} }} }}"
DRAW = f"mutation D($n: String!) {{ drawInspection(number: $n) {{ {PLAN_FIELDS} }} }}"
REVEAL = f"mutation P($n: String!) {{ publishDraw(number: $n) {{ {PLAN_FIELDS} }} }}"
ABANDON = "mutation A($n: String!, $r: String!) { abandonInspectionPlan(number: $n, reason: $r) { state } }"
PUBLIC = f"query P($n: String!) {{ inspectionPlan(number: $n) {{ {PLAN_FIELDS} }} }}"
MINE = """query M { cases(mechanism: COMMITMENT_INSPECTION, first: 100) { edges { node { number
  ... on CommitmentInspection { plan commitment origin inspectors } } } } }"""
WHO = [{"id": f"QH-ZF-{number:03}", "conflicts": []} for number in range(5)]
_regions = iter(f"63{number:04}" for number in range(2222, 9999))


async def _frame(office: Office, count: int = 12) -> tuple[str, list[dict[str, Any]]]:
    """Commitments in force in a region of their own."""
    region = next(_regions)
    return region, [await published(office, await office.subject(region=region)) for _ in range(count)]


async def _opened(office: Office, region: str, **more: Any) -> str:
    made = await unit(office).done(OPEN, {"who": WHO, "region": region, **more})
    number: str = made["planInspection"]["number"]
    return number


async def _drawn(office: Office, number: str) -> dict[str, Any]:
    await unit(office).done(COMMIT, {"n": number})
    office.clock.now += timedelta(minutes=5)
    drawn: dict[str, Any] = (await unit(office).done(DRAW, {"n": number}))["drawInspection"]
    return drawn


async def _plan(desk: Desk, number: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await desk.done(PUBLIC, {"n": number}))["inspectionPlan"]
    return found


async def _shown(office: Office, number: str) -> list[dict[str, Any]]:
    """What the own portal was given to show of a plan, in order."""
    rows = await office.rows(
        "SELECT payload->'document' FROM delivery_out JOIN case_file USING (case_id)"
        " WHERE number = $1 AND channel = 'OWN_SITE' AND action = 'PUBLISH' ORDER BY delivery_id",
        number,
    )
    return [json.loads(row[0]) for row in rows]


async def _inspections(office: Office, number: str) -> list[dict[str, Any]]:
    edges = (await unit(office).done(MINE))["cases"]["edges"]
    return [one["node"] for one in edges if one["node"].get("plan") == number]


async def test_acceptance_14_draw_recomputed_from_the_published_seed_gives_the_same_objects(
    office: Office,
) -> None:
    region, commitments = await _frame(office, 25)
    number = await _opened(office, region)
    await _drawn(office, number)
    await unit(office).done(REVEAL, {"n": number})
    told = await _plan(anybody(office), number)
    assert told is not None
    made = repeat(told)
    # Ten per cent of 25, rounded up.
    assert [one.id for one in made.drawn] == [one["object"] for one in told["drawn"]]
    assert len(made.drawn) == 3
    assert {one.id for one in made.drawn} < {one["id"] for one in commitments}
    assert all(len(set(one.inspectors)) == 2 for one in made.drawn)
    # And those are the ones that were inspected.
    by_id = {one["id"]: one["number"] for one in commitments}
    inspected = {one["commitment"]: tuple(one["inspectors"]) for one in await _inspections(office, number)}
    assert inspected == {by_id[one.id]: one.inspectors for one in made.drawn}


async def test_r6_3_the_command_line_repeats_a_published_draw_and_refuses_one_with_a_byte_changed(
    office: Office, tmp_path: Path
) -> None:
    region, _ = await _frame(office)
    number = await _opened(office, region)
    await _drawn(office, number)
    await unit(office).done(REVEAL, {"n": number})
    answer = await anybody(office).ask(PUBLIC, {"n": number})
    told, altered = tmp_path / "draw.json", tmp_path / "altered.json"
    text = json.dumps(answer, ensure_ascii=False)
    told.write_text(text, "utf-8")
    plan = answer["data"]["inspectionPlan"]
    first = plan["seed"][0]
    altered.write_text(text.replace(plan["seed"], ("0" if first != "0" else "1") + plan["seed"][1:]), "utf-8")
    good, bad = (
        subprocess.run(  # noqa: ASYNC221 -- the hub is not asked by it
            [str(CREDITHUB), "draw", "verify", str(path)], capture_output=True, text=True, check=False
        )
        for path in (told, altered)
    )
    assert good.returncode == 0, good.stderr
    assert plan["drawn"][0]["object"] in good.stdout
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "not the one that was committed to" in bad.stderr


async def test_r6_3_whatever_is_altered_in_a_published_draw_is_told(office: Office) -> None:
    region, _ = await _frame(office)
    number = await _opened(office, region)
    await _drawn(office, number)
    await unit(office).done(REVEAL, {"n": number})
    told = await _plan(anybody(office), number)
    assert told is not None
    repeat({"data": {"inspectionPlan": told}})

    def altered(**changes: Any) -> dict[str, Any]:
        return {**copy.deepcopy(told), **changes}

    object_, first = told["drawn"][0]["object"], told["drawn"][0]
    other = "c" + ("0" if object_[1] != "0" else "1") + object_[2:]
    for wrong in (
        altered(frame=told["frame"].replace(object_, other)),
        altered(frame=told["frame"] + "object\tN\tc1\n"),
        altered(frameDigest="0" * 64),
        altered(seedCommitment="0" * 64),
        altered(drawn=[{**first, "object": other}, *told["drawn"][1:]]),
        altered(drawn=[{**first, "inspectors": first["inspectors"][::-1]}, *told["drawn"][1:]]),
        altered(drawn=told["drawn"][1:]),
        altered(rates=[{"tier": one["tier"], "percent": "50"} for one in told["rates"]]),
        altered(perObject=1),
        altered(seed=None),
        {"data": {"inspectionPlan": None}},
        [],
    ):
        with pytest.raises(DrawInvalid):
            repeat(wrong)


async def test_r6_3_frame_and_digest_of_the_seed_are_public_before_the_draw_and_the_seed_is_not(
    office: Office,
) -> None:
    region, commitments = await _frame(office)
    number = await _opened(office, region)
    assert await _plan(anybody(office), number) is None
    await unit(office).done(COMMIT, {"n": number})
    told = await _plan(anybody(office), number)
    assert told is not None
    assert (told["state"], told["frameCount"], told["seed"], told["drawn"]) == ("COMMITTED", 12, None, [])
    assert all(one["id"] in told["frame"] for one in commitments)
    office.clock.now += timedelta(minutes=5)
    await unit(office).done(DRAW, {"n": number})
    # Whoever is to be inspected does not read it here first.
    for desk in (anybody(office), unit(office)):
        told = await _plan(desk, number)
        assert told is not None
        assert (told["state"], told["seed"], told["drawn"], told["drawnCount"]) == ("DRAWN", None, [], 2)
    after = (await unit(office).done(REVEAL, {"n": number}))["publishDraw"]
    assert (after["state"], len(after["seed"]), after["publishedLate"]) == ("PUBLISHED", 64, 0)
    rows = await office.rows(
        "SELECT channel, payload->'document'->>'kind' AS kind FROM delivery_out JOIN case_file USING (case_id)"
        " WHERE number = $1 ORDER BY delivery_id",
        number,
    )
    assert [tuple(row) for row in rows] == [("OWN_SITE", "INSPECTION_PLAN"), ("OWN_SITE", "INSPECTION_DRAW")]


async def test_r6_3_the_seed_lies_where_no_answer_is_made_from(office: Office) -> None:
    region, _ = await _frame(office)
    number = await _opened(office, region)
    await _drawn(office, number)
    (row,) = await office.rows(
        "SELECT s.seed, c.details::text AS details, (SELECT string_agg(e.payload::text, '') FROM case_event e"
        " WHERE e.case_id = c.case_id) AS told, (SELECT string_agg(d.payload::text, '') FROM delivery_out d"
        " WHERE d.case_id = c.case_id) AS sent FROM draw_seed s JOIN case_file c USING (case_id) WHERE c.number = $1",
        number,
    )
    for text in (row["details"], row["told"], row["sent"]):
        assert row["seed"].hex() not in text
    for role in (Role.READER, Role.AUDITOR):
        connection = await asyncpg.connect(role_url(office.database.settings, role))
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT seed FROM draw_seed")
        finally:
            await connection.close()
    writer = await asyncpg.connect(role_url(office.database.settings, Role.WRITER))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute("UPDATE draw_seed SET seed = seed")
    finally:
        await writer.close()


async def test_r6_3_a_plan_commits_once_and_draws_once(office: Office) -> None:
    region, _ = await _frame(office)
    number = await _opened(office, region)
    desk = unit(office)
    assert (await desk.refused(DRAW, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    assert (await desk.refused(REVEAL, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    committed = (await desk.done(COMMIT, {"n": number}))["commitDraw"]["seedCommitment"]
    assert (await desk.refused(COMMIT, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    # In the same moment nobody can have seen what was committed to.
    assert (await desk.refused(DRAW, {"n": number}))["reason"] == "COMMITMENT_NOT_PUBLISHED_YET"
    office.clock.now += timedelta(minutes=5)
    assert (await desk.done(DRAW, {"n": number}))["drawInspection"]["seedCommitment"] == committed
    assert (await desk.refused(DRAW, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"
    assert len(await _inspections(office, number)) == 2


async def test_r6_3_commit_and_draw_in_one_request_are_refused_together(office: Office) -> None:
    region, _ = await _frame(office)
    number = await _opened(office, region)
    both = "mutation B($n: String!) { commitDraw(number: $n) { state } drawInspection(number: $n) { state } }"
    assert (await unit(office).refused(both, {"n": number}))["reason"] == "COMMITMENT_NOT_PUBLISHED_YET"
    assert await _plan(anybody(office), number) is None


async def test_r6_3_inspectors_with_a_conflict_are_passed_over_and_two_must_be_left(office: Office) -> None:
    region, commitments = await _frame(office, 4)
    firms = [one["subjectCode"] for one in commitments]
    torn = [{"id": f"QH-ZF-{number}", "conflicts": firms if number < 2 else []} for number in range(3)]
    number = await _opened(office, region, who=torn)
    assert (await unit(office).refused(COMMIT, {"n": number}))["reason"] == "TOO_FEW_INSPECTORS"
    number = await _opened(office, region, who=[*torn, {"id": "QH-ZF-9", "conflicts": []}])
    await _drawn(office, number)
    (one,) = await _inspections(office, number)
    assert sorted(one["inspectors"]) == ["QH-ZF-2", "QH-ZF-9"]


async def test_r6_3_a_conflict_holds_however_the_firms_code_is_written(office: Office) -> None:
    region, (commitment,) = await _frame(office, 1)
    code = commitment["subjectCode"]
    torn = [
        {"id": f"QH-ZF-{number}", "conflicts": [written]}
        for number, written in enumerate((code.lower(), f"{code[:8]} {code[8:]}"))
    ]
    number = await _opened(office, region, who=[*torn, {"id": "QH-ZF-9", "conflicts": []}])
    assert (await unit(office).refused(COMMIT, {"n": number}))["reason"] == "TOO_FEW_INSPECTORS"
    unknown = {"who": [{"id": "QH-ZF-1", "conflicts": [code[:-1]]}, *WHO], "region": region}
    assert (await unit(office).refused(OPEN, unknown))["code"] == "BAD_USER_INPUT"


async def test_r6_3_rates_are_the_rules_and_a_plan_may_set_others_only_within_their_bounds(
    office: Office,
) -> None:
    region, _ = await _frame(office, 6)
    made = (await unit(office).done(OPEN, {"who": WHO, "region": region}))["planInspection"]
    assert made["rates"] == [
        {"tier": "A", "percent": "5"}, {"tier": "B", "percent": "10"}, {"tier": "C", "percent": "25"},
        {"tier": "D", "percent": "50"}, {"tier": "N", "percent": "10"},
    ]  # fmt: skip
    wide = {"who": WHO, "region": region, "rates": [{"tier": "A", "percent": "6"}]}
    assert (await unit(office).refused(OPEN, wide))["reason"] == "RATE_OUT_OF_BOUNDS"
    number = await _opened(office, region, rates=[{"tier": "N", "percent": "50"}])
    assert (await _drawn(office, number))["drawnCount"] == 3


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"title": "抽查 630102199003074514"}, "PERSONAL_DATA_IN_TEXT"),
        ({"who": [{"id": "630102199003074514", "conflicts": []}]}, "PERSONAL_DATA_IN_TEXT"),
        ({"title": "\u200b"}, "BAD_USER_INPUT"),
        ({"region": "西宁"}, "BAD_USER_INPUT"),
        ({"who": [{"id": "a b", "conflicts": []}]}, "BAD_USER_INPUT"),
        ({"who": [WHO[0], WHO[0]]}, "BAD_USER_INPUT"),
        ({"rates": [{"tier": "N", "percent": "many"}]}, "BAD_USER_INPUT"),
    ],
)
async def test_r6_3_a_plan_that_may_not_be_public_or_makes_no_sense_is_refused(
    office: Office, more: dict[str, Any], reason: str
) -> None:
    refusal = await unit(office).refused(OPEN, {"who": WHO, "region": "63", **more})
    assert refusal.get("reason", refusal["code"]) == reason


async def test_r6_3_only_what_is_in_force_is_in_the_frame(office: Office) -> None:
    region, commitments = await _frame(office, 3)
    code = await office.subject(region=region)
    await published(office, code, validTo="2026-11-24")
    await published(office, await office.subject(region=region), validFrom="2026-11-26")
    withdrawn = 'mutation W($n: String!) { withdrawRecordedCommitment(number: $n, reason: "停业", documentNumber: "1") { state } }'
    await unit(office).done(withdrawn, {"n": commitments[0]["number"]})
    office.clock.now = datetime(2026, 11, 25, 2, tzinfo=UTC)
    number = await _opened(office, region)
    told = (await unit(office).done(COMMIT, {"n": number}))["commitDraw"]
    assert told["frameCount"] == 2
    empty = await _opened(office, "639999")
    assert (await unit(office).refused(COMMIT, {"n": empty}))["reason"] == "FRAME_EMPTY"


@pytest.mark.parametrize("region", ["6325", "632500"])
async def test_r6_3_a_plan_for_a_prefecture_draws_from_its_counties(office: Office, region: str) -> None:
    """By its code as by the digits that its counties' codes begin with."""
    await published(office, await office.subject(region="632521"))
    made = (await unit(office).done(OPEN, {"who": WHO, "region": region}))["planInspection"]
    told = (await unit(office).done(COMMIT, {"n": made["number"]}))["commitDraw"]
    assert (told["state"], told["frameCount"] > 0) == ("COMMITTED", True)


async def test_r6_3_a_plan_that_an_earlier_version_kept_draws_from_the_counties_too(office: Office) -> None:
    """It kept the code of the prefecture as it was asked for."""
    await published(office, await office.subject(region="632521"))
    made = (await unit(office).done(OPEN, {"who": WHO, "region": "632500"}))["planInspection"]
    async with asyncpg.create_pool(office.database.owner_dsn, min_size=1, max_size=1) as owner:
        await owner.execute(
            'UPDATE case_file SET details = details || \'{"region": "632500"}\' WHERE number = $1',
            made["number"],
        )
    told = (await unit(office).done(COMMIT, {"n": made["number"]}))["commitDraw"]
    assert (told["state"], told["frameCount"] > 0) == ("COMMITTED", True)


async def test_r6_3_each_result_is_published_by_the_seventh_working_day_and_stands_with_the_commitment(
    office: Office,
) -> None:
    region, _ = await _frame(office, 3)
    number = await _opened(office, region)
    assert (await _drawn(office, number))["dueOn"] == "2026-12-02"
    (one,) = await _inspections(office, number)
    publish = (
        "mutation P($n: String!) { publishInspectionResult(number: $n) { state publishedOn publishedLate } }"
    )
    assert (await unit(office).refused(publish, {"n": one["number"]}))["code"] == "TRANSITION_NOT_ALLOWED"
    cleared = (await unit(office).done(CLEAR, {"n": one["number"]}))["clearInspection"]
    assert (cleared["state"], cleared["dueOn"]) == ("CLEARED", "2026-12-02")
    office.clock.now = datetime(2026, 12, 3, 2, tzinfo=UTC)
    done = (await unit(office).done(publish, {"n": one["number"]}))["publishInspectionResult"]
    assert done == {"state": "PUBLISHED", "publishedOn": str(date(2026, 12, 3)), "publishedLate": 1}
    shown = await seen(anybody(office), one["commitment"])
    assert shown is not None
    assert shown["inspections"] == [{"plan": number, "inspectedOn": "2026-11-23", "outcome": "COMPLIANT"}]
    # The inspection itself, with its notes, stays with those who supervise.
    query = "query C($n: String!) { case(number: $n) { number } }"
    assert (await anybody(office).done(query, {"n": one["number"]}))["case"] is None
    assert (await unit(office).done(INSPECTION, {"n": one["number"]}))["commitmentInspection"]["notes"]


async def test_r6_4_of_a_commitment_found_broken_meanwhile_nobody_is_told_that_nothing_was_found(
    office: Office,
) -> None:
    region, (commitment,) = await _frame(office, 1)
    number = await _opened(office, region)
    hint = await notified(office, commitment["number"])
    await _drawn(office, number)
    (one,) = await _inspections(office, number)
    office.clock.now += timedelta(days=9)
    await unit(office).second().done(ESTABLISH, {"n": hint})
    made = (await unit(office).done(CLEAR, {"n": one["number"]}))["clearInspection"]
    assert (made["state"], made["outcome"], made["dueOn"]) == ("OVERTAKEN", "BREACHED", None)
    publish = "mutation P($n: String!) { publishInspectionResult(number: $n) { state } }"
    assert (await unit(office).refused(publish, {"n": one["number"]}))["code"] == "TRANSITION_NOT_ALLOWED"
    rows = await office.rows(
        "SELECT 1 FROM delivery_out JOIN case_file USING (case_id) WHERE number = $1", one["number"]
    )
    assert rows == []


async def test_r6_3_an_abandoned_plan_stays_public_with_its_reason(office: Office) -> None:
    region, _ = await _frame(office, 3)
    number = await _opened(office, region)
    await unit(office).done(COMMIT, {"n": number})
    given = {"n": number, "r": "检查力量不足"}
    stranger = office.desk("commerce-xining", "ONGOING_SUPERVISION", "M-1", None)
    assert (await stranger.refused(ABANDON, given))["code"] == "CASE_UNKNOWN"
    assert (await unit(office).done(ABANDON, given))["abandonInspectionPlan"]["state"] == "ABANDONED"
    told = await _plan(anybody(office), number)
    assert told is not None
    assert (told["state"], told["abandonedReason"]) == ("ABANDONED", "检查力量不足")
    # On the portal, too: there it would wait for its draw for ever.
    committed, abandoned = await _shown(office, number)
    assert abandoned == committed | {"abandoned_reason": "检查力量不足"}
    office.clock.now += timedelta(minutes=5)
    assert (await unit(office).refused(DRAW, {"n": number}))["code"] == "TRANSITION_NOT_ALLOWED"


async def test_r6_3_a_plan_abandoned_before_anybody_was_committed_to_it_was_never_public(
    office: Office,
) -> None:
    region, _ = await _frame(office, 3)
    number = await _opened(office, region)
    given = {"n": number, "r": "年度计划调整"}
    assert (await unit(office).done(ABANDON, given))["abandonInspectionPlan"]["state"] == "ABANDONED"
    assert await _plan(anybody(office), number) is None
    assert await _plan(unit(office), number) is not None
    assert await _shown(office, number) == []


def test_r6_3_whether_enough_inspectors_are_free_is_not_asked_of_every_pair() -> None:
    """Of 500 inspectors and 20,000 firms that took most of the time that a command has."""
    asked = []

    class Conflicts(frozenset[str]):
        def __contains__(self, one: object) -> bool:
            asked.append(one)
            return super().__contains__(one)

    objects = tuple(FrameObject(f"c{n}", "N") for n in range(100))
    guard = INSPECTION_PLAN.step("commit").guard
    for barred, refusal in ((18, None), (19, "TOO_FEW_INSPECTORS")):
        conflicts = Conflicts({"c7"})
        inspectors = tuple(Inspector(f"i{n}", conflicts if n < barred else Conflicts()) for n in range(20))
        step = SimpleNamespace(inputs={"frame": Frame(objects, inspectors), "per_object": 2})
        assert guard(None, step) == refusal  # type: ignore[arg-type]
    assert len(asked) < 100
