"""What a worker tells: one closed list of events, counted for its /metrics. No event carries personal data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from hub.casework.delivery.alarms import Alarms, Waiting
from hub.casework.delivery.deliveries import Pass


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job ended: OK, RETRY or FAILED."""

    job: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SourceHarvested:
    """A harvest of a source ended: OK, UNAVAILABLE or REFUSED."""

    source: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ChannelServed:
    """A pass over a channel ended."""

    channel: str
    done: Pass


@dataclass(frozen=True, slots=True)
class Watched:
    """What is overdue and what waits, as of a moment."""

    alarms: Alarms
    waiting: tuple[Waiting, ...]
    at: datetime


Event = JobDone | SourceHarvested | ChannelServed | Watched


class Watch:
    """Counts events; `registry` is what /metrics tells."""

    def __init__(self) -> None:
        """Start with all figures at zero."""
        self.registry = CollectorRegistry()
        self._jobs = Counter("credithub_jobs", "Jobs by outcome", ["job", "outcome"], registry=self.registry)
        self._harvests = Counter(
            "credithub_harvests", "Harvests by outcome", ["source", "outcome"], registry=self.registry
        )
        self._deliveries = Counter(
            "credithub_deliveries", "Tries of deliveries", ["channel", "outcome"], registry=self.registry
        )
        self._alarms = Counter(
            "credithub_alarms", "Alarms raised", ["rule", "channel"], registry=self.registry
        )
        self._overdue = Gauge(
            "credithub_deliveries_overdue",
            "Deliveries past their limit; priority 1: what ended is still shown (R7.4, R8.5)",
            ["priority", "channel"],
            registry=self.registry,
        )
        self._waiting = Gauge(
            "credithub_deliveries_waiting", "Deliveries without receipt", ["channel"], registry=self.registry
        )
        self._oldest = Gauge(
            "credithub_delivery_oldest_seconds",
            "Age of the oldest delivery without receipt",
            ["channel"],
            registry=self.registry,
        )

    def tell(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case JobDone(job, outcome):
                self._jobs.labels(job, outcome).inc()
            case SourceHarvested(source, outcome):
                self._harvests.labels(source, outcome).inc()
            case ChannelServed(channel, done):
                for outcome in ("acknowledged", "awaiting", "refused", "superseded", "unavailable"):
                    self._deliveries.labels(channel, outcome.upper()).inc(getattr(done, outcome))
            case Watched(alarms, waiting, at):
                self._show(alarms, waiting, at)

    def _show(self, alarms: Alarms, waiting: Iterable[Waiting], at: datetime) -> None:
        # A channel without any is not told as it was before.
        for gauge in (self._overdue, self._waiting, self._oldest):
            gauge.clear()
        for one in alarms.overdue:
            self._overdue.labels(str(one.priority), one.channel).set(one.count)
        for alarm in alarms.raised:
            self._alarms.labels(alarm.rule, alarm.channel).inc()
        for queue in waiting:
            self._waiting.labels(queue.channel).set(queue.count)
            self._oldest.labels(queue.channel).set((at - queue.oldest).total_seconds())
