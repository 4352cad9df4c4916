"""`python -m benchmarks`: fills the stores, starts the servers, compares their answers, loads them in turn, reports."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.costs import costs, fresh
from benchmarks.machine import cpus_apart, described, resident_mib, sync_microseconds
from benchmarks.report import (
    FLOOR,
    HUB,
    NO_LEDGER,
    NO_RIGHTS,
    RESOLVERS,
    SMALL,
    Results,
    Samples,
    markdown,
)
from benchmarks.servers import BenchmarkFailed, Serving, bodies, headers, load, write_requests
from benchmarks.stores import SERVER_SETTINGS, ready_store
from benchmarks.workloads import WORKLOADS, variables_of
from hub.config import Settings
from hub.store.embedded import EmbeddedPostgres

STATE = Path("var/bench")
RESULTS = Path(__file__).with_name("results.md")
# A run with fewer subjects, shorter or fewer rounds is for trying out, and leaves the results as they are.
SUBJECTS = int(os.environ.get("HUB_BENCH_SUBJECTS", "200000"))
SECONDS = float(os.environ.get("HUB_BENCH_SECONDS", "2"))
ROUNDS = int(os.environ.get("HUB_BENCH_ROUNDS", "5"))
SMALL_SUBJECTS = 10_000
CONNECTIONS = (1, 32)
# Servers that are nearly as fast as each other are measured in many short turns: the host's speed drifts by more in
# a round. The resolvers, which answer after half a second at times, need the rounds.
TURNS, OF_A_ROUND = 4 * ROUNDS, 0.25
COMPARED = 20
UNSEEN = 300


def main() -> None:
    """Run the benchmark."""
    state = STATE.absolute()
    state.mkdir(parents=True, exist_ok=True)
    load_average = os.getloadavg()[0]
    for_servers, for_others = cpus_apart()
    if for_others:
        os.sched_setaffinity(0, for_others)
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(state, SERVER_SETTINGS)
        stack.enter_context(postgres)
        assert postgres.pid is not None
        large = asyncio.run(ready_store(postgres, state, SUBJECTS))
        small = asyncio.run(ready_store(postgres, state, min(SMALL_SUBJECTS, SUBJECTS)))
        results = Results(
            machine=described(),
            store=asyncio.run(_version(large)),
            subjects=SUBJECTS,
            small=min(SMALL_SUBJECTS, SUBJECTS),
            stretches=(
                f"{ROUNDS} rounds of {SECONDS:g} s against the resolvers,"
                f" {TURNS} turns of {SECONDS * OF_A_ROUND:g} s against the others"
            ),
            sync=sync_microseconds(state),
            load=load_average,
        )
        sent = headers(large)
        requests = {w.name: write_requests(state / w.name, bodies(w, SUBJECTS), sent) for w in WORKLOADS}
        of_small = write_requests(state / "small", bodies(WORKLOADS[0], results.small), sent)

        def start(kind: str, settings: Settings = large, told: Mapping[str, str] | None = None) -> Serving:
            server = Serving(kind, settings, for_servers, told)
            stack.callback(server.stop)
            return server

        hub = start(HUB)
        servers = {
            HUB: hub,
            FLOOR: start(FLOOR, told=_extensions(hub, sent)),
            RESOLVERS: start(RESOLVERS),
            NO_LEDGER: start(NO_LEDGER),
        }
        no_rights = start(NO_RIGHTS)
        compare(servers, no_rights, sent)
        print("The servers give the same data.", flush=True)

        def measure(
            samples: Samples, name: str, label: str, count: int, path: Path, seconds: float, at: int
        ) -> None:
            assert postgres.pid is not None
            found = load(running[name], postgres.pid, path, count, seconds, for_others, at)
            samples.setdefault((name, label, count), []).append(found)

        small_hub = start(HUB, small)
        running = {**servers, NO_RIGHTS: no_rights, SMALL: small_hub}
        for server in (*servers.values(), no_rights):
            for workload in WORKLOADS:
                load(server, postgres.pid, requests[workload.name], 32, min(SECONDS, 1), for_others)
        load(small_hub, postgres.pid, of_small, 32, min(SECONDS, 1), for_others)
        for number in range(ROUNDS):
            for workload in WORKLOADS:
                for count in CONNECTIONS:
                    # Each stretch goes on with other requests than the last.
                    at = (number * 2 + count) * 1777
                    for name in turned((HUB, RESOLVERS), number):
                        measure(
                            results.rounds, name, workload.name, count, requests[workload.name], SECONDS, at
                        )
                    if workload.name == "W1" and count == 1:
                        measure(results.rounds, SMALL, "W1", 1, of_small, SECONDS, at)
            print(f"Round {number + 1} of {ROUNDS}.", flush=True)
        for number in range(TURNS):
            for workload in WORKLOADS:
                for count in CONNECTIONS:
                    for name in turned((HUB, FLOOR, NO_LEDGER, NO_RIGHTS), number):
                        measure(
                            results.turns, name, workload.name, count, requests[workload.name],
                            SECONDS * OF_A_ROUND, number * 1777,
                        )  # fmt: skip
            print(f"Turn {number + 1} of {TURNS}.", flush=True)
        results.memory = {name: resident_mib(server.pid) for name, server in servers.items()}
        results.watching = resident_mib(hub.started)
        for workload in WORKLOADS[:2]:
            results.unseen[workload.name] = _unseen(hub, postgres.pid, state, workload, sent, for_others)
        results.costs = asyncio.run(costs(large, SUBJECTS))
    text = markdown(results)
    whole = SUBJECTS >= 200_000 and SECONDS >= 2 and ROUNDS >= 5
    path = RESULTS if whole else state / "results.md"
    path.write_text(text, encoding="utf-8")
    print(text)
    print(f"Written to {path}.")


def turned(names: Sequence[str], number: int) -> Sequence[str]:
    """`names` with another one first and another one after each: a server feels what ran before it."""
    first = number // 2 % len(names)
    order = [*names[first:], *names[:first]]
    return order[::-1] if number % 2 else order


def compare(servers: Mapping[str, Serving], no_rights: Serving, sent: Mapping[str, str]) -> None:
    """Raise BenchmarkFailed unless `servers` give the same `data` for the same requests, and `no_rights` answers."""
    for workload in WORKLOADS:
        for body in bodies(workload, SUBJECTS, COMPARED):
            expected = _comparable(servers[FLOOR].ask(body, sent)["data"])
            if len(expected) < 100:
                raise BenchmarkFailed(f"{workload.name} finds nothing: {expected}")
            # It shows more rows.
            no_rights.ask(body, sent)
            for name in (HUB, RESOLVERS, NO_LEDGER):
                found = _comparable(servers[name].ask(body, sent)["data"])
                if found != expected:
                    raise BenchmarkFailed(f"{workload.name}: {name} gives\n{found}\ninstead of\n{expected}")


def _comparable(data: Any) -> str:
    """Data with its order, but for cursors: each server seals its own."""
    if isinstance(data, dict) and data.get("records"):
        assert data["records"]["pageInfo"]["endCursor"]
        data["records"]["pageInfo"]["endCursor"] = "a cursor"
    return json.dumps(data, ensure_ascii=False)


def _extensions(hub: Serving, sent: Mapping[str, str]) -> dict[str, str]:
    """What the hub says beside the data, for the floor to repeat, so that both send as many bytes."""
    told = {}
    for workload in WORKLOADS:
        answer = hub.ask(bodies(workload, SUBJECTS, 1)[0], sent)
        name = workload.document[6 : workload.document.index("(")]
        told[name] = json.dumps(answer["extensions"], ensure_ascii=False, separators=(",", ":"))
    return told


def _unseen(
    hub: Serving, store: int, state: Path, workload: Any, sent: Mapping[str, str], cpus: list[int]
) -> float:
    """Milliseconds that a document takes longer the first time, as the median caller sees it."""
    given = variables_of(workload, SUBJECTS, UNSEEN)
    begin = int.from_bytes(os.urandom(4)) << 16
    new = [
        json.dumps({"query": fresh(workload, begin + number), "variables": variables}).encode()
        for number, variables in enumerate(given)
    ]
    path = write_requests(state / "unseen", new, sent)
    known = load(hub, store, state / workload.name, 1, SECONDS, cpus)
    # So short that no document comes a second time.
    seconds = UNSEEN * 0.002
    return (load(hub, store, path, 1, seconds, cpus).p50 - known.p50) * 1e3


async def _version(settings: Settings) -> str:
    connection = await asyncpg.connect(settings.database_url)
    try:
        return f"PostgreSQL {await connection.fetchval('SHOW server_version')}"
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
