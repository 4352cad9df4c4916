"""What `explain` says of a coordinate is what the caller finds when it asks for it."""

from __future__ import annotations

import pytest
from graphql import GraphQLObjectType

from hub.errors import BadUserInput
from hub.rights.explain import explanations
from hub.rights.policy import Level
from hub.rights.view import least_of
from schema.coordinates import vocabulary
from tests.callers import CALLERS, caller


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
