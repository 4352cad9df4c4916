"""The figures as Markdown: ratios first, each beside what is asked of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.costs import Costs
from benchmarks.servers import Measured
from benchmarks.workloads import WORKLOADS

HUB, FLOOR, RESOLVERS = "hub", "floor", "resolvers"
NO_RIGHTS, NO_LEDGER, SMALL = "hub without rights", "hub without ledger", "hub, small store"

Samples = dict[tuple[str, str, int], list[Measured]]


@dataclass
class Results:
    """All that a run measured."""

    machine: str
    store: str
    subjects: int
    small: int
    # How often and how long was measured, in words.
    stretches: str
    sync: float
    # The hub, and what differs from it by a factor.
    rounds: Samples = field(default_factory=dict)
    # The hub, and what is nearly as fast.
    turns: Samples = field(default_factory=dict)
    # Server → MiB after the run.
    memory: dict[str, float] = field(default_factory=dict)
    # MiB of the process that watches over the hub's.
    watching: float = 0.0
    costs: Costs | None = None
    # Workload → milliseconds that an unseen document takes longer than a known one, over HTTP.
    unseen: dict[str, float] = field(default_factory=dict)
    load: float = 0.0


def ratio(samples: Samples, one: str, other: str, workload: str, connections: int) -> float:
    """Median over the stretches of the ratio of `one`'s rate to `other`'s."""
    pairs = zip(samples[one, workload, connections], samples[other, workload, connections], strict=True)
    return statistics.median(a.rate / b.rate for a, b in pairs)


def _median(found: Sequence[float]) -> float:
    return statistics.median(found)


def _mark(holds: bool) -> str:
    return "reached" if holds else "**not reached**"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(r) + " |" for r in rows),
        "",
    ]


def markdown(results: Results) -> str:
    """The report."""
    lines = [
        "# Benchmark results",
        "",
        f"Written by `make bench`. {results.machine}; {results.store}; {results.subjects:,} subjects,"
        f" {results.subjects * 10:,} records. One server process on one core, PostgreSQL and the load on the other;"
        f" {results.stretches}, each time with another server first, and a fifth of each before it is counted, in which the"
        " connections come to their pace; medians, and ratios are medians of each"
        f" time's ratios. Making 8 KiB durable on this disk took {results.sync:,.0f} µs; load average {results.load:.1f}"
        " at the start.",
        "",
        "The hub runs its full path: token, agreement, purpose, view, quota, plan, one statement, ledger."
        " *Floor*: bare ASGI and asyncpg with SQL written by hand, no rights, no ledger."
        " *Resolvers*: Strawberry with a permission class on every field and DataLoaders, documents cached.",
        "",
        "With one connection each answer of the hub waits for a commit of its own on this disk, which the floor never"
        " does: the last column shows the same without it. With many, waiting answers share a commit.",
        "",
        "## Requests a second",
        "",
    ]
    rows = []
    for workload in WORKLOADS:
        for connections in (1, 32):
            hub, floor = (results.turns[name, workload.name, connections] for name in (HUB, FLOOR))
            resolvers = results.rounds[RESOLVERS, workload.name, connections]
            of_floor = ratio(results.turns, HUB, FLOOR, workload.name, connections)
            of_resolvers = ratio(results.rounds, HUB, RESOLVERS, workload.name, connections)
            rows.append(
                [
                    f"{workload.name} {workload.title}" if connections == 1 else workload.name,
                    str(connections),
                    f"{_median([m.rate for m in hub]):,.0f}",
                    f"{_median([m.rate for m in floor]):,.0f}",
                    f"{_median([m.rate for m in resolvers]):,.0f}",
                    f"{of_floor:.2f} × ({_mark(of_floor >= 0.8)}: 0.8)",
                    f"{of_resolvers:.1f} × ({_mark(of_resolvers >= workload.resolvers_target)}:"
                    f" {workload.resolvers_target:g})",
                    f"{ratio(results.turns, NO_LEDGER, FLOOR, workload.name, connections):.2f} ×",
                ]
            )
    lines += _table(
        [
            "workload",
            "connections",
            "hub",
            "floor",
            "resolvers",
            "hub ÷ floor",
            "hub ÷ resolvers",
            "hub without ledger ÷ floor",
        ],
        rows,
    )
    lines += ["## Latency (ms) and processor time (µs a request: server + PostgreSQL)", ""]
    rows = []
    for samples, names in ((results.turns, (HUB, FLOOR)), (results.rounds, (RESOLVERS,))):
        for (name, label, connections), found in samples.items():
            if name not in names:
                continue
            rows.append(
                [
                    label,
                    str(connections),
                    name,
                    f"{_median([m.p50 for m in found]) * 1e3:.2f}",
                    f"{_median([m.p99 for m in found]) * 1e3:.2f}",
                    f"{_median([m.server for m in found]) * 1e6:,.0f} + {_median([m.store for m in found]) * 1e6:,.0f}",
                ]
            )
    rows.sort()
    lines += _table(["workload", "connections", "server", "p50", "p99", "processor"], rows)
    lines += _rights_and_ledger(results)
    lines += _single_figures(results)
    return "\n".join(lines)


def _rights_and_ledger(results: Results) -> list[str]:
    rows = []
    for workload in WORKLOADS:
        for connections in (1, 32):
            rights = 1 - ratio(results.turns, HUB, NO_RIGHTS, workload.name, connections)
            ledger = 1 - ratio(results.turns, HUB, NO_LEDGER, workload.name, connections)
            rows.append(
                [
                    workload.name,
                    str(connections),
                    f"{rights:+.1%}",
                    f"{_processor(results, NO_RIGHTS, workload.name, connections):+.1%}",
                    f"{ledger:+.1%}",
                    f"{_processor(results, NO_LEDGER, workload.name, connections):+.1%}",
                ]
            )
    told = [
        "## What rights and the ledger cost",
        "",
        "Throughput lost against the same hub with a view of everything, and against the same hub without its ledger;"
        " asked: rights ≤ 3 %. Beside it, their part of all processor time, PostgreSQL's included, on which other guests"
        " of the machine weigh less.",
        "",
    ]
    heads = ["workload", "connections", "rights", "rights, processor", "ledger", "ledger, processor"]
    return told + _table(heads, rows)


def _processor(results: Results, without: str, workload: str, connections: int) -> float:
    """What part of the hub's processor time a hub `without` something does not need: the median of all turns."""
    turns = zip(
        results.turns[HUB, workload, connections], results.turns[without, workload, connections], strict=True
    )
    return statistics.median(1 - (b.server + b.store) / (a.server + a.store) for a, b in turns)


def _single_figures(results: Results) -> list[str]:
    small = [m.p50 for m in results.rounds[SMALL, "W1", 1]]
    large = [m.p50 for m in results.rounds[HUB, "W1", 1]]
    growth = statistics.median(b / a for a, b in zip(small, large, strict=True))
    rows = [
        [
            f"p50 of W1, 1 connection, {results.small:,} → {results.subjects:,} subjects",
            f"{_median(small) * 1e3:.2f} → {_median(large) * 1e3:.2f} ms, {growth:.2f} ×",
            "≤ 1.3 ×",
            _mark(growth <= 1.3),
        ],
    ]
    if results.costs is not None:
        rows += [
            ["known token", f"{results.costs.token:.1f} µs", "", ""],
            _row("authorization of a known plan", results.costs.known_plan, "µs", 5),
            ["checking its variables", f"{_listed(results.costs.variables)} µs", "", ""],
            _row("document never seen, until its statement", results.costs.new_document, "µs", 5000),
        ]
    rows += [
        _row("document never seen, whole request over HTTP, more than a known one", results.unseen, "ms", 5),
        [
            "memory of the hub's server process after the run",
            f"{results.memory[HUB]:.0f} MiB (the process that watches over it, with which it shares most,"
            f" {results.watching:.0f}; floor {results.memory[FLOOR]:.0f}, resolvers {results.memory[RESOLVERS]:.0f})",
            "≤ 80 MB",
            _mark(results.memory[HUB] * 1.048576 <= 80),
        ],
    ]
    return ["## Single figures", "", *_table(["figure", "measured", "asked", ""], rows)]


def _row(label: str, found: Mapping[str, float], unit: str, most: float) -> list[str]:
    over = [name for name, value in found.items() if value > most]
    mark = _mark(not over) + (f" by {', '.join(over)}" if 0 < len(over) < len(found) else "")
    return [label, f"{_listed(found)} {unit}", f"≤ {most:g} {unit}", mark]


def _listed(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in found.items())
