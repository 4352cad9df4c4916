"""One closed list of events; metrics and logs listen. No event carries personal data."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A GraphQL request was answered."""


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A GraphQL request was refused with `code`."""

    code: str


@dataclass(frozen=True, slots=True)
class AgreementsChanged:
    """The agreements in force changed; `count` are in force now."""

    count: int


Event = RequestAnswered | RequestRefused | AgreementsChanged


class Observer:
    """Counts events for /metrics."""

    def __init__(self) -> None:
        """Start with all counters at zero."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "credithub_requests", "GraphQL requests by outcome", ["code"], registry=self._registry
        )
        self._answered = self._requests.labels("OK")
        self._agreements = Gauge(
            "credithub_agreements_in_force", "Agreements in force", registry=self._registry
        )

    def tell(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case RequestAnswered():
                self._answered.inc()
            case RequestRefused(code):
                self._requests.labels(code).inc()
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
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Write the logs of this process to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
