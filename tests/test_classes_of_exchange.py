"""A firm has one class of foreign exchange: it lasts until the next one begins, also when that one is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import orjson
import pytest

from tests.callers import Path, caller
from tests.conftest import Database
from tests.stage import Stage, stage_over
from tests.worlds import TODAY, build

QUESTION = """query($code: String!) {
  subject(value: $code) {
    ... on Organization { grades(scheme: SAFE) { gradeCode } }
    ... on IndividualBusiness { grades(scheme: SAFE) { gradeCode } }
  }
}"""


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[Stage]:
    """A store that worlds are played in."""
    with stage_over(shared_database) as made:
        yield made


@pytest.mark.parametrize(
    ("until", "revoked", "told"),
    [
        (None, False, ["C"]),
        (TODAY, False, ["C"]),
        # Over, and no other has begun: the class that it had put aside is none that the source told of since.
        (TODAY - timedelta(days=1), False, []),
        # What was revoked never put anything aside.
        (TODAY - timedelta(days=1), True, ["A"]),
    ],
)
def test_the_class_that_a_later_one_put_aside_does_not_come_back_when_that_is_over(
    stage: Stage, until: date | None, revoked: bool, told: list[str]
) -> None:
    world = build(7)
    held = next(
        row | {"scheme": "SAFE", "data_class": "D19", "source": "FOREIGN_EXCHANGE"}
        for row in world.tables["grade"]
        if row["superseded_at"] is None and row["sharing_attribute"] == "PUBLIC"
    )
    subject = next(row for row in world.tables["subject"] if row["subject_id"] == held["subject_id"])
    first = held | {"grade_code": "A", "effective_from": TODAY - timedelta(days=700), "effective_to": None}
    later = held | {
        "grade_code": "C", "effective_from": TODAY - timedelta(days=365), "effective_to": until,
        "public_id": uuid4(), "source_record_id": "later", "version_id": 10_000_000,
        "superseded_at": held["recorded_at"] + timedelta(hours=1) if revoked else None,
    }  # fmt: skip
    world.tables["grade"] = [first, later]
    stage.play(world)
    who = caller("reform", "ONGOING_SUPERVISION")
    answer = stage.run(Path(stage.reader, world.live).answer(who, QUESTION, {"code": subject["uscc"]}))
    assert [one["gradeCode"] for one in orjson.loads(answer.data)["subject"]["grades"]] == told
