"""What single steps cost inside the hub, without any server: authorization, and making a new document ready."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.servers import PURPOSE, headers
from benchmarks.variants import varied
from benchmarks.workloads import WORKLOADS, Workload, variables_of
from hub.app import running
from hub.config import Settings
from hub.query.operations import Operation
from hub.serving.answers import Answers, Call


@dataclass(frozen=True)
class Costs:
    """Microseconds of processor time, by workload; `token` for a verified token that is known."""

    token: float
    # Which agreement, purpose and view, which operation in it, which plan for these variables.
    known_plan: dict[str, float]
    # Whether the variables are of their types: 100 codes have 100 check characters.
    variables: dict[str, float]
    new_document: dict[str, float]


def fresh(workload: Workload, number: int) -> str:
    """The workload's document as nobody has sent it yet: the same fields under another operation name."""
    head, _, rest = workload.document.partition("(")
    return f"{head}{number:x}({rest}"


def _median_of(step: Callable[[], Any], each: int, samples: int) -> float:
    """Median over `samples` of the microseconds that `step` takes on average in `each` calls."""
    found = []
    for _ in range(samples):
        begun = time.process_time()
        for _ in range(each):
            step()
        found.append((time.process_time() - begun) / each * 1e6)
    return statistics.median(found)


async def costs(settings: Settings, subjects: int) -> Costs:
    """Measure them in this process, in the real parts of a hub over the store."""
    authorization = headers(settings)["Authorization"]
    async with running(settings) as hub:
        parts = varied(hub.parts, rights=True, ledger=True)
        answers = Answers(parts)
        now = datetime.now(UTC)
        caller = parts.tokens.verify(authorization, now.timestamp())
        token = _median_of(lambda: parts.tokens.verify(authorization, now.timestamp()), 2000, 9)
        known, variables, new = {}, {}, {}
        for workload in WORKLOADS:
            given = variables_of(workload, subjects, 1)[0]

            def call(document: str, given: Any = given) -> Call:
                return Call(authorization.encode(), PURPOSE, None, None, None, document, None, given, "")

            def ready(asked: Call) -> Operation:
                standing, _, limits = answers.placed(asked, caller, now)
                return parts.operations.ready(
                    standing.view, limits, standing.bulk, asked.query, asked.operation_name
                )

            def prepare(asked: Call) -> None:
                operation = ready(asked)
                operation.compiled(operation.variables.coerce(asked.variables))

            asked = call(workload.document)
            operation = ready(asked)
            values = operation.variables.coerce(given)

            def authorize(asked: Call = asked, values: Mapping[str, Any] = values) -> None:
                ready(asked).compiled(values)

            def coerce(operation: Operation = operation, given: Any = given) -> None:
                operation.variables.coerce(given)

            authorize()
            known[workload.name] = _median_of(authorize, 1000, 9)
            variables[workload.name] = _median_of(coerce, 1000, 9)
            unseen = iter([call(fresh(workload, number)) for number in range(60)])

            def learn(unseen: Iterator[Call] = unseen, prepare: Callable[[Call], None] = prepare) -> None:
                prepare(next(unseen))

            new[workload.name] = _median_of(learn, 1, 50)
    return Costs(token, known, variables, new)
