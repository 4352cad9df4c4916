"""The four workloads: their documents, and the variables of many requests, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks.data import code_of

BULK, PAGE = 100, 100

_LIST_ENTRIES = "listEntries { color decisionNumber recognizedOn }"

W1 = f"""query MerchantCheck($code: String!) {{
  subject(value: $code) {{
    displayName
    ... on Organization {{ uscc registrationStatus }}
    ... on IndividualBusiness {{ uscc registrationStatus }}
    summary {{ hasSeriousDishonestyEntry isHonestModel hasPublicPenalty }}
    {_LIST_ENTRIES}
  }}
}}"""

W2 = f"""query Dossier($code: String!) {{
  subject(value: $code) {{
    kind
    displayName
    ... on Organization {{
      uscc registrationStatus regionCode industryCode establishedOn legalRepresentativeName
    }}
    records(first: 20) {{
      edges {{ node {{ title documentNumber decidedOn validTo seriousness lifecycle }} }}
    }}
    {_LIST_ENTRIES}
  }}
}}"""

W3 = f"""query ListPage($to: Date!) {{
  records(filter: {{decidedTo: $to}}, first: {PAGE}) {{
    edges {{
      node {{
        title documentNumber decidedOn
        subject {{ displayName ... on Organization {{ uscc registrationStatus }} }}
      }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

W4 = f"""query BulkCheck($codes: [USCC!]!) {{
  subjects(codes: $codes) {{
    displayName
    ... on Organization {{ uscc registrationStatus }}
    {_LIST_ENTRIES}
  }}
}}"""


@dataclass(frozen=True)
class Workload:
    """A document and the variables of its requests."""

    name: str
    title: str
    document: str
    variables: Callable[[random.Random, int], Mapping[str, Any]]
    # Different requests that are rendered; they are sent in turn.
    requests: int
    # What is asked of the hub: requests a second as a multiple of those of the resolvers.
    resolvers_target: float


def _any_code(chance: random.Random, subjects: int) -> Mapping[str, Any]:
    return {"code": code_of(chance.randrange(subjects))}


def _long_code(chance: random.Random, subjects: int) -> Mapping[str, Any]:
    # Subjects are numbered from 1 in the store, and every fourth has a long dossier.
    return {"code": code_of(chance.randrange(1, subjects // 4) * 4 - 1)}


def _day(chance: random.Random, _: int) -> Mapping[str, Any]:
    return {"to": (date(2026, 11, 20) - timedelta(chance.randrange(295))).isoformat()}


def _codes(chance: random.Random, subjects: int) -> Mapping[str, Any]:
    return {"codes": [code_of(chance.randrange(subjects)) for _ in range(BULK)]}


WORKLOADS = (
    Workload("W1", "merchant check: one subject, summary and lists", W1, _any_code, 20_000, 6),
    Workload("W2", "dossier: one subject, 20 records of 6 fields, lists", W2, _long_code, 10_000, 6),
    Workload("W3", "list page: 100 records with their subjects", W3, _day, 300, 12),
    Workload("W4", "bulk check: 100 subjects with their lists", W4, _codes, 1_000, 12),
)


def variables_of(workload: Workload, subjects: int, count: int | None = None) -> list[Mapping[str, Any]]:
    """The variables of `count` requests (by default all), over a store of `subjects` subjects."""
    chance = random.Random(workload.name)
    return [workload.variables(chance, subjects) for _ in range(count or workload.requests)]
