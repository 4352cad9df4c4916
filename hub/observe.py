"""One closed list of events; metrics and logs listen. No event carries personal data."""

from __future__ import annotations

import json
import logging
import os
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from traceback import walk_tb

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

# Where the files of the hub lie.
_OURS = tuple(
    f"{Path(__file__).parents[1] / name}{os.sep}" for name in ("connectors", "hub", "migrations", "schema")
)
# Upper bounds in seconds; what takes longer is counted under +Inf.
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A GraphQL request was answered, `seconds` after its headers arrived."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A GraphQL request was refused with `code`, `seconds` after its headers arrived."""

    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AgreementsChanged:
    """The agreements in force changed; `count` are in force now."""

    count: int


Event = RequestAnswered | RequestRefused | AgreementsChanged


class _Durations(Collector):
    """A histogram that costs a request less than the library's own, which is made for many threads."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one request."""
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As the library asks for it."""
        bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
        yield HistogramMetricFamily(
            "credithub_request_seconds",
            "Seconds from the headers of a GraphQL request to its answer",
            buckets=list(zip(bounds, accumulate(self._counts), strict=True)),
            sum_value=self._sum,
        )


class Observer:
    """Counts events for /metrics."""

    def __init__(self) -> None:
        """Start with all counters at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "credithub_requests", "GraphQL requests by outcome", ["code"], registry=self._registry
        )
        self._answered = self._requests.labels("OK")
        self._durations = _Durations()
        self._registry.register(self._durations)
        self._agreements = Gauge(
            "credithub_agreements_in_force", "Agreements in force", registry=self._registry
        )

    def tell(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RequestAnswered(seconds):
                self._answered.inc()
                self._durations.add(seconds)
            case RequestRefused(code, seconds):
                self._requests.labels(code).inc()
                self._durations.add(seconds)
            case AgreementsChanged(count):
                self._agreements.set(count)

    def metrics(self) -> bytes:
        """The counters in Prometheus' text format."""
        return generate_latest(self._registry)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; of an exception only its type and place."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # Messages of foreign exceptions may hold values of rows: the type and the place say enough.
            line["error"] = record.exc_info[0].__name__
            if record.exc_info[1] is not None and (place := place_of(record.exc_info[1])):
                line["at"] = place
        return json.dumps(line, ensure_ascii=False)


def place_of(error: BaseException) -> str | None:
    """File and line where `error` was raised; of one that a library raised, where the hub had called it."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    ours = [one for one in frames if one[0].startswith(_OURS)]
    return next((f"{file}:{line}" for file, line in reversed(ours or frames)), None)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write the logs of this process to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # A line for each request that is sent, with its whole address, in which a source's password may stand.
    logging.getLogger("httpx").setLevel(max(level, logging.WARNING))
