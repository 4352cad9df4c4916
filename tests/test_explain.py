"""What `explain` says of a coordinate is what the caller finds when it asks for it."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType

from hub.errors import BadUserInput
from hub.query.plan import Plan
from hub.rights.explain import explanations
from hub.rights.matrix import Level
from hub.rights.view import least_of
from schema.coordinates import vocabulary
from tests.callers import CALLERS, Caller, Path, caller


@pytest.mark.parametrize("name", CALLERS)
def test_a_coordinate_is_explained_as_given_where_it_exists_and_nowhere_else(name: str) -> None:
    """Also where its classes are given, and the agreement hides it all the same."""
    standing = CALLERS[name]().standing
    visible = standing.view.visible
    for coordinate, rule in vocabulary().rules.items():
        try:
            rows = explanations(standing, coordinate, None, standing.purpose)
        except BadUserInput:
            assert coordinate not in visible
            assert not standing.view.entitled
            continue
        given = any(Level[row["level"]] >= least_of(rule) for row in rows)
        assert given == (coordinate in visible) or visible & set(_promises(coordinate)), coordinate


def _promises(coordinate: str) -> list[str]:
    """The same field of the interfaces of its type: what these promise is there, if only as null."""
    name, _, field = coordinate.partition(".")
    named = vocabulary().schema.type_map[name]
    return [f"{one.name}.{field}" for one in named.interfaces] if isinstance(named, GraphQLObjectType) else []


def test_a_consent_is_not_called_missing_where_nobody_looked_for_it() -> None:
    """Which scopes hold is known of the subject alone; a consent names classes, and rows have sources and parties."""
    standing = caller("mall", "MERCHANT_ADMISSION").standing
    asked = {"OWN_MERCHANT": True, "OWN_MEMBER": False, "OWN_REGION": False, "SELF": False}
    seen = set()
    for coordinate in standing.view.visible & vocabulary().rules.keys():
        for row in explanations(standing, coordinate, asked, standing.purpose):
            if row["scope"] is not None:
                scopes = set(row["scope"].split("+"))
                seen |= scopes
                known = {asked.get(one) for one in scopes}
                expected = False if False in known else None if None in known else True
                assert row["applies_to_subject"] is expected, coordinate
    assert "CONSENT" in seen, seen


@pytest.mark.parametrize(
    ("partner", "purpose", "level", "reason"),
    [
        ("commerce", "ONGOING_SUPERVISION", "FULL", "OK"),
        ("commerce", "STATISTICS", "NONE", "PURPOSE_NOT_ALLOWED"),
        ("auditor", "AUDIT", "MASKED", "PERSONAL_INFO"),
    ],
)
def test_a_field_that_leads_to_rows_is_explained_by_what_these_are(
    partner: str, purpose: str, level: str, reason: str
) -> None:
    """An open field gives nothing by itself: contact details are D2, masked for auditors and for no statistics."""
    standing = caller(partner, purpose).standing
    (row,) = explanations(standing, "Organization.contact", None, standing.purpose)
    assert (row["data_class"], row["level"], row["reason"]) == ("D2", level, reason)
    assert row["legal_basis"]


SUMMARY = 'subject(value: "91630103MA75ABCD1M") { ... on %s { summary { asked: hasPublicPenalty } } }'


def _plan(who: Caller, text: str) -> Plan:
    return Path(None, {}).ready(who, text).compiled({}).plan  # type: ignore[arg-type]


def test_of_a_persons_summary_the_classes_of_persons_are_told() -> None:
    """The same question is D6 of an organization and D8 of a person; each is told where it was asked."""
    customs = caller("customs", "JOINT_PUNISHMENT")
    told = {}
    for name in ("Organization", "NaturalPerson"):
        plan = _plan(customs, "{ " + SUMMARY % name + " }")
        told[name] = {
            (one.data_class, one.level, one.reason) for one in plan.withheld if "Penalty" in one.coordinate
        }
    assert told == {"Organization": set(), "NaturalPerson": {("D8", "NONE", "PERSONAL_INFO")}}
    both = _plan(
        customs, "{ " + "".join(f"{n}: {SUMMARY % n} " for n in ("Organization", "NaturalPerson")) + "}"
    )
    assert [one.data_class for one in both.withheld if "Penalty" in one.coordinate] == ["D8"]


def test_a_question_about_any_subject_is_explained_for_persons_too() -> None:
    standing = caller("customs", "JOINT_PUNISHMENT").standing
    asked = "CreditSummary.hasPublicPenalty"
    anybody = explanations(standing, asked, None, standing.purpose)
    assert [(row["data_class"], row["level"]) for row in anybody][-1] == ("D8", "NONE")
    assert {row["data_class"] for row in anybody} == {"D6", "D8"}
    # Who is named by a code is no natural person.
    named = explanations(standing, asked, {}, standing.purpose)
    assert {row["data_class"] for row in named} == {"D6"}


@pytest.mark.parametrize("name", CALLERS)
def test_what_nothing_leads_to_does_not_exist(name: str) -> None:
    """Members of types that the caller's schema is without, as of events for whoever is told of none."""
    view = CALLERS[name]().standing.view
    assert {one.partition(".")[0] for one in view.visible} <= view.schema.type_map.keys()
