"""What an agreement hides is not told by other ways either: by filters and orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from hub.errors import HubError
from schema.coordinates import vocabulary
from schema.governance import Condition
from tests.callers import Caller, Path, caller, standing
from tests.conftest import Database
from tests.stage import Stage, stage_over
from tests.worlds import World, build

AUDITOR, MALL = ("auditor", "AUDIT"), ("mall", "MERCHANT_ADMISSION")
RULES, PARAMETERS = vocabulary().rules, {**vocabulary().arguments, **vocabulary().inputs}
CONDITIONS = {c: rule for c, rule in PARAMETERS.items() if isinstance(rule, Condition)}


def hiding(*coordinates: str, text: str) -> str:
    """An agreement that hides coordinates."""
    return f"{text}\n[coordinates]\nhide = {orjson.dumps(coordinates).decode()}\n"


def who_hides(partner: str, purpose: str, *coordinates: str) -> Caller:
    """A demo partner whose agreement hides coordinates."""
    return caller(partner, purpose, lambda text: hiding(*coordinates, text=text))


@pytest.fixture(scope="module")
def stage(shared_database: Database) -> Iterator[tuple[Stage, World]]:
    """A world with records and places on lists."""
    world = build(6)
    with stage_over(shared_database) as made:
        made.play(world)
        yield made, world


def ask(stage: tuple[Stage, World], who: Caller, text: str, **variables: Any) -> Any:
    """The answer's data."""
    on, world = stage
    return orjson.loads(on.run(Path(on.reader, world.live).answer(who, text, variables)).data)


def code_of(stage: tuple[Stage, World], who: Caller, text: str, **variables: Any) -> str:
    """The code with which a document is refused."""
    with pytest.raises(HubError) as refused:
        ask(stage, who, text, **variables)
    return refused.value.code


# ---- 12: filters -------------------------------------------------------------------------------------------------


def test_12_what_an_agreement_hides_is_no_filter_either(stage: tuple[Stage, World]) -> None:
    blind = who_hides(*MALL, "AdministrativePenalty.fineAmount", "CreditRecord.seriousness")
    asked = (
        "query Q($c: String!%s) { subject(value: $c) { records(filter: {%s}) { pageInfo { hasNextPage } } } }"
    )
    code = stage[1].tables["subject"][0]["uscc"]
    for who, refused in ((blind, True), (caller(*MALL), False)):
        for declared, test, given in (
            (", $v: Yuan", "fineAtLeast: $v", {"v": "1000"}),
            ("", "seriousness: [SERIOUS]", {}),
        ):
            text = asked % (declared, test)
            if refused:
                assert code_of(stage, who, text, c=code, **given) == "GRAPHQL_VALIDATION_FAILED"
            else:
                assert "subject" in ask(stage, who, text, c=code, **given)
        # What is shown can be asked for all the same.
        assert "subject" in ask(stage, who, asked % ("", "kinds: [PENALTY]"), c=code)


@pytest.mark.parametrize(
    ("hidden", "gone"),
    [
        ("Provenance.source", "RecordFilter.sources"),
        ("CreditRecord.provenance", "RecordFilter.catalogItemCodes"),
        ("Authority.uscc", "RecordFilter.authority"),
        ("ListEntry.list", "Query.listEntries(listCode:)"),
        ("GenericCreditRecord.kind", "RecordFilter.kinds"),
        ("Organization.regionCode", "Query.matchSubjects(region:)"),
        ("ReportFigure.drill", "Query.cases(countedIn:)"),
        # What must be given is gone, and the question with it.
        ("Case.number", "Query.case"),
        ("CreditCheck.number", "Query.creditCheck"),
        ("IndividualBusiness.displayName", "Query.matchSubjects"),
    ],
)
def test_12_a_filter_goes_with_any_part_of_what_it_tests(hidden: str, gone: str) -> None:
    whole = standing("commerce", "ONGOING_SUPERVISION").view
    assert gone in whole.visible
    assert gone not in replace(whole, hidden=frozenset({hidden})).visible


def test_12_a_filter_goes_with_the_capability_of_what_it_tests() -> None:
    """No filter tests a field that needs a capability yet; one that does goes with it."""
    known = vocabulary()
    lineage = replace(CONDITIONS["RecordFilter.sources"], also=("Provenance.payloadDigest",))
    changed = replace(known, inputs={**known.inputs, "RecordFilter.sources": lineage})
    for partner, purpose, kept in ((*AUDITOR, True), (*MALL, False)):
        view = replace(standing(partner, purpose).view, vocabulary=changed)
        assert ("Provenance.payloadDigest" in view.visible) is kept
        assert ("RecordFilter.sources" in view.visible) is kept
