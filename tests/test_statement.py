"""Statements as texts."""

from __future__ import annotations

import os
import subprocess
import sys

from graphql import GraphQLObjectType, get_named_type
from sqlalchemy import Text

from hub.query.expressions import is_text
from hub.store.tables import metadata
from schema.coordinates import vocabulary
from schema.governance import Shape

# What the types of subject share stands once in front of their forms; here several such sub-selects.
_SHARED = """
from tests.callers import Path, caller
who = caller("commerce", "ONGOING_SUPERVISION")
text = '''query Q($code: String!) { subject(value: $code) {
  records(first: 3) { edges { node { title } } } listEntries { color } summary { hasPublicPenalty }
  sourceStatus { source } commitments { number }
  ... on Organization { uscc } ... on IndividualBusiness { operatorName } } }'''
operation = Path(None, {}).ready(who, text)
print(operation.compiled(operation.variables.coerce({"code": "91630103MA75ABCD1M"})).statement.sql)
"""


def _compiled(seed: str) -> str:
    """The statement as a process compiles it whose hashes of texts begin with `seed`."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", _SHARED], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_all_processes_compile_a_plan_to_the_same_text() -> None:
    """So that workers are one to PostgreSQL's statistics, and what was compiled can be compared."""
    texts = {_compiled(str(seed)) for seed in range(3)}
    assert len(texts) == 1
    assert " AS v3" in texts.pop()


def test_what_is_told_as_a_text_is_one_in_the_store() -> None:
    """Else PostgreSQL could not choose between the values of two kinds of row."""
    known, seen = vocabulary(), 0
    for name, entity in known.entities.items():
        table, declared = metadata.tables.get(entity.relation), known.schema.type_map[name]
        assert isinstance(declared, GraphQLObjectType)
        for key, field in declared.fields.items():
            rule, type_name = known.rules[f"{name}.{key}"], get_named_type(field.type).name
            # Amounts and ids are written as texts.
            if table is None or rule.shape is not Shape.COLUMN or type_name in ("Yuan", "ID"):
                continue
            if is_text(rule, type_name, "[" in str(field.type)):
                assert isinstance(table.columns[rule.target].type, Text), f"{name}.{key}"
                seen += 1
    assert seen > 100
