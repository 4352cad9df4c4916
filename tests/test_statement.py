"""Statements as texts."""

from __future__ import annotations

import os
import subprocess
import sys

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
