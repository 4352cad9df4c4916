"""One fragment asks of whoever has a code what two fragments ask: organizations and individual businesses."""

from __future__ import annotations

import orjson
import pytest

from tests.callers import CALLERS, Path
from tests.conftest import Database
from tests.stage import stage_over
from tests.worlds import build

FIELDS = """uscc registrationStatus regionCode establishedOn identifiers { scheme value }
  grades { scheme gradeCode } archives { archiveType } anomalies { title }"""
ONE = f"query($codes: [USCC!]!) {{ subjects(codes: $codes) {{ __typename ... on RegisteredSubject {{ {FIELDS} }} }} }}"
TWO = f"""query($codes: [USCC!]!) {{ subjects(codes: $codes) {{ __typename
  ... on Organization {{ {FIELDS} }} ... on IndividualBusiness {{ {FIELDS} }} }} }}"""


@pytest.mark.parametrize(
    "asking", ["reform ONGOING_SUPERVISION", "xining half masked", "procurement JOINT_PUNISHMENT"]
)
def test_a_fragment_on_registered_subjects_is_one_on_each_of_them(
    shared_database: Database, asking: str
) -> None:
    world = build(7)
    codes = [row["uscc"] for row in world.tables["subject"] if row["uscc"] is not None][:40]
    who = CALLERS[asking]()
    with stage_over(shared_database) as stage:
        stage.play(world)
        path = Path(stage.reader, world.live)
        one, two = (stage.run(path.answer(who, text, {"codes": codes})).data for text in (ONE, TWO))
    assert one == two
    assert {row["__typename"] for row in orjson.loads(one)["subjects"]} == {
        "Organization",
        "IndividualBusiness",
    }
